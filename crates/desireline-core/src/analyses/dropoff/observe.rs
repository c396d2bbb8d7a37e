//! The kernel: one pass over the journeys, counts gathered customer by customer.

use crate::journey::{Mask, Morsel, Span};

use super::{DropoffPartial, DropoffPlan};

/// A worker's memory for the customer at hand; empty between customers.
#[derive(Clone, Debug, Default)]
pub(super) struct Scratch {
    /// By event code.
    points: Vec<Point>,
    /// The codes visited by this customer: the first `n_visited` of these.
    visited: Vec<u32>,
    n_visited: usize,
    /// The number of the last journey looked at.
    journey: u64,
    /// A sequence of codes as a key.
    key: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Point {
    /// The last journey that visited it.
    journey: u64,
    visits: u32,
    exits: u32,
    /// Exits long enough ago to know whether the customer came back, and those who did.
    known: u32,
    returned: u32,
}

impl Scratch {
    pub(super) fn heap_bytes(&self) -> usize {
        self.points.capacity() * size_of::<Point>()
            + self.visited.capacity() * size_of::<u32>()
            + self.key.capacity()
    }
}

/// Whether a journey holds the goal.
enum Goal<'a> {
    None,
    ByCode(&'a [bool]),
    ByMask(Mask),
}

pub(super) fn observe(plan: &DropoffPlan, partial: &mut DropoffPartial, morsel: &Morsel<'_>) {
    let goal = match &plan.goal {
        None => Goal::None,
        Some(matcher) => match matcher.by_event_code() {
            Some(table) => Goal::ByCode(table),
            None => {
                let mut mask = Mask::default();
                matcher.fill(morsel, &mut mask);
                Goal::ByMask(mask)
            }
        },
    };
    crate::with_codes!(morsel.codes(), codes => {
        let code = |i: usize| u32::from(codes[i]);
        match &goal {
            Goal::None => scan(plan, partial, morsel, code, |_| false),
            Goal::ByCode(table) => scan(plan, partial, morsel, code, |span| {
                codes[span.range()].iter().any(|&c| table.get(c as usize).copied().unwrap_or(false))
            }),
            Goal::ByMask(mask) => scan(plan, partial, morsel, code, |span| {
                mask.any_in(span.range())
            }),
        }
    });
}

fn scan(
    plan: &DropoffPlan,
    partial: &mut DropoffPartial,
    morsel: &Morsel<'_>,
    code: impl Fn(usize) -> u32,
    reaches: impl Fn(&Span) -> bool,
) {
    let mut scratch = std::mem::take(&mut partial.scratch);
    scratch
        .points
        .resize(partial.points.len(), Point::default());
    for spans in morsel.customers() {
        let (mut n_known, mut n_exits) = (0u64, 0u64);
        for span in spans {
            let last = span.end as usize - 1;
            let next = morsel.next_start(span);
            let reached = reaches(span);
            let idle = plan.observed_until.saturating_sub(morsel.time(last));
            if !reached && next.is_none() && idle < plan.alive {
                partial.open += 1;
                if let Some(point) = partial.points.get_mut(code(last) as usize) {
                    point.open += 1;
                }
                continue;
            }
            n_known += 1;
            scratch.visit(span, &code);
            if reached {
                partial.reached += 1;
                continue;
            }
            n_exits += 1;
            if let Some(point) = scratch.points.get_mut(code(last) as usize) {
                point.exits += 1;
                if idle >= plan.returns_within {
                    point.known += 1;
                    let back =
                        |next: i64| next.saturating_sub(morsel.time(last)) <= plan.returns_within;
                    point.returned += u32::from(next.is_some_and(back));
                }
            }
            let first = last.saturating_sub(plan.before).max(span.start as usize);
            scratch.key.clear();
            for i in first..=last {
                plan.width.encode(code(i), &mut scratch.key);
            }
            partial.paths.add(&scratch.key, 1);
        }
        partial.n_journeys += spans.len() as u64;
        partial.exits.add(n_exits, n_known);
        scratch.flush(partial);
    }
    partial.scratch = scratch;
}

impl Scratch {
    /// Counts each touchpoint of the journey once.
    #[inline]
    fn visit(&mut self, span: &Span, code: &impl Fn(usize) -> u32) {
        self.journey += 1;
        if self.visited.len() < self.n_visited + span.len() {
            self.visited.resize(self.n_visited + span.len(), 0);
        }
        for i in span.range() {
            let code = code(i);
            let Some(point) = self.points.get_mut(code as usize) else {
                continue;
            };
            // Without a branch: whether a touchpoint was seen before is anybody's guess.
            self.visited[self.n_visited] = code;
            self.n_visited += usize::from(point.visits == 0);
            point.visits += u32::from(point.journey != self.journey);
            point.journey = self.journey;
        }
    }

    /// Adds the customer's counts to the sums over customers.
    fn flush(&mut self, partial: &mut DropoffPartial) {
        let (mut n_known, mut n_returned) = (0, 0);
        for &code in &self.visited[..std::mem::take(&mut self.n_visited)] {
            let point = &mut self.points[code as usize];
            let sums = &mut partial.points[code as usize];
            sums.exits.add(point.exits.into(), point.visits.into());
            sums.returned.add(point.returned.into(), point.known.into());
            n_known += u64::from(point.known);
            n_returned += u64::from(point.returned);
            *point = Point::default();
        }
        partial.returned.add(n_returned, n_known);
    }
}
