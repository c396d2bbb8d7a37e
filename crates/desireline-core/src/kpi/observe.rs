//! The rules: one pass over a customer's journeys each, no memory taken per event.

use super::plan::{Kernel, KpiPlan, MoneyBy};
use super::tally::{KpiPartial, Mark};
use crate::journey::{Mask, Morsel, Span};

mod amounts;
mod needs;
mod spells;
mod visits;

pub(super) use self::visits::{SIGNALS, VISITS};

const DAY: i64 = 86_400_000_000;

/// A customer's journeys in a morsel.
#[derive(Clone, Copy)]
struct Customer<'a> {
    plan: &'a KpiPlan,
    morsel: &'a Morsel<'a>,
    spans: &'a [Span],
    masks: &'a [Mask],
    /// Which journeys go on after the window; empty where there is none.
    goes_on: &'a [bool],
}

pub(super) fn observe(plan: &KpiPlan, partial: &mut KpiPartial, morsel: &Morsel<'_>) {
    if matches!(plan.kernel, Kernel::Nothing) {
        return;
    }
    let Some(window) = plan.window else {
        return within(plan, partial, morsel, &[]);
    };
    let mut spans = std::mem::take(&mut partial.scratch.spans);
    let mut goes_on = std::mem::take(&mut partial.scratch.goes_on);
    spans.clear();
    goes_on.clear();
    for span in morsel.spans() {
        let (_, inside, after) = span.parts(morsel.times(), window);
        if !inside.is_empty() {
            let (start, end) = (inside.start, inside.end);
            spans.push(Span {
                start,
                end,
                ..*span
            });
            goes_on.push(after > 0);
        }
    }
    if !spans.is_empty() {
        within(plan, partial, &morsel.with_spans(&spans), &goes_on);
    }
    partial.scratch.spans = spans;
    partial.scratch.goes_on = goes_on;
}

/// Takes in the journeys of a morsel, as far as they lie in the window.
fn within(plan: &KpiPlan, partial: &mut KpiPartial, morsel: &Morsel<'_>, goes_on: &[bool]) {
    let mut rest = goes_on;
    let mut masks = std::mem::take(&mut partial.scratch.masks);
    masks.resize_with(plan.matchers.len(), Mask::default);
    for (matcher, mask) in plan.matchers.iter().zip(&mut masks) {
        matcher.fill(morsel, mask);
    }
    let members = plan.members.and_then(|m| masks.get(m));
    for spans in morsel.customers() {
        let (goes_on, after) = rest.split_at(spans.len().min(rest.len()));
        rest = after;
        if members.is_some_and(|m| !spans.iter().any(|s| m.any_in(s.range()))) {
            continue;
        }
        let customer = Customer {
            plan,
            morsel,
            spans,
            masks: &masks,
            goes_on,
        };
        partial.customers += 1;
        customer.count(partial);
        partial.close_customer();
    }
    partial.scratch.masks = masks;
}

impl<'a> Customer<'a> {
    fn has(&self, place: usize, i: usize) -> bool {
        self.masks.get(place).is_some_and(|m| m.get(i))
    }

    /// Whether an event is where the KPI is watched.
    fn is_here(&self, i: usize) -> bool {
        self.may_have(self.plan.here, i)
    }

    /// Whether a journey comes to where the KPI is watched.
    fn comes_here(&self, span: &Span) -> bool {
        self.plan.here.is_none_or(|here| self.any(here, span))
    }

    /// Without a condition everything is meant.
    fn may_have(&self, place: Option<usize>, i: usize) -> bool {
        place.is_none_or(|p| self.has(p, i))
    }

    fn any(&self, place: usize, span: &Span) -> bool {
        self.masks
            .get(place)
            .is_some_and(|m| m.any_in(span.range()))
    }

    fn last(&self, span: &Span) -> i64 {
        self.morsel.time((span.end as usize).saturating_sub(1))
    }

    /// Whether a journey may still go on.
    fn is_open(&self, span: &Span, alive: i64) -> bool {
        self.next_start(span).is_none()
            && (self.plan.until.saturating_sub(self.last(span)) < alive || self.goes_on(span))
    }

    /// When the next journey begins, as far as the window lets that be known.
    fn next_start(&self, span: &Span) -> Option<i64> {
        let next = self.morsel.next_start(span);
        next.filter(|next| self.plan.window.is_none_or(|(_, to)| *next < to))
    }

    /// Whether a journey goes on after the window.
    fn goes_on(&self, span: &Span) -> bool {
        let mut journeys = self.spans.iter().zip(self.goes_on);
        journeys.any(|(s, goes_on)| *goes_on && s.ordinal == span.ordinal)
    }

    /// The buckets of a time: that of everything, and that of its period.
    fn buckets(&self, time: i64, key: usize) -> (usize, Option<usize>) {
        let n = self.plan.n_keys();
        let period = if self.plan.periods.is_empty() {
            None
        } else {
            self.plan.periods.of(time)
        };
        (key, period.map(|p| (1 + p) * n + key))
    }

    fn unit(&self, partial: &mut KpiPartial, time: i64, key: usize, above: i64, below: u64) {
        let (all, period) = self.buckets(time, key);
        partial.add(all, above, below);
        if let Some(period) = period {
            partial.add(period, above, below);
        }
    }

    fn once(&self, partial: &mut KpiPartial, time: i64, key: usize, above: bool) {
        let (all, period) = self.buckets(time, key);
        partial.once(all, above);
        if let Some(period) = period {
            partial.once(period, above);
        }
    }

    fn to_customer(self, partial: &mut KpiPartial, time: i64, above: i64) {
        let (all, period) = self.buckets(time, 0);
        partial.add_to_customer(all, above);
        if let Some(period) = period {
            partial.add_to_customer(period, above);
        }
    }

    fn exclude(&self, partial: &mut KpiPartial, time: i64) {
        for key in 0..self.plan.n_keys() {
            let (all, period) = self.buckets(time, key);
            partial.exclude(all);
            if let Some(period) = period {
                partial.exclude(period);
            }
        }
    }

    /// The events for which one of the conditions holds, in the order of time; each condition is a bit of `what`.
    fn marks(&self, partial: &mut KpiPartial, places: &[Option<usize>], all: bool) -> Vec<Mark> {
        let mut marks = std::mem::take(&mut partial.scratch.marks);
        marks.clear();
        for (journey, span) in (0_u32..).zip(self.spans) {
            for i in span.range() {
                let mut what = 0;
                for (bit, place) in places.iter().enumerate() {
                    if place.is_some_and(|p| self.has(p, i)) {
                        what |= 1 << bit;
                    }
                }
                if what != 0 || all {
                    marks.push(Mark {
                        time: self.morsel.time(i),
                        what,
                        #[allow(clippy::cast_possible_truncation)] // a morsel's columns are counted in u32
                        at: i as u32,
                        journey,
                    });
                }
            }
        }
        // Journeys named by a column can overlap.
        if !marks.is_sorted_by_key(|m| m.time) {
            marks.sort_unstable_by_key(|m| (m.time, self.morsel.row(m.at as usize)));
        }
        marks
    }

    fn count(&self, partial: &mut KpiPartial) {
        match self.plan.kernel {
            Kernel::Sessions {
                ga4,
                key,
                view,
                active,
                alive,
            } => {
                for span in self.spans.iter().filter(|s| self.comes_here(s)) {
                    let start = self.morsel.time(span.start as usize);
                    if self.is_open(span, alive) {
                        self.exclude(partial, start);
                        continue;
                    }
                    let views = match view.and_then(|v| self.masks.get(v)) {
                        Some(mask) => mask.ones_in(span.range()).count(),
                        None => span.len(),
                    };
                    let engaged = match ga4 {
                        true => {
                            self.last(span).saturating_sub(start) >= active
                                || views >= 2
                                || key.is_some_and(|k| self.any(k, span))
                        }
                        false => views > 1,
                    };
                    self.unit(partial, start, 0, i64::from(!engaged), 1);
                }
            }
            Kernel::Attempts {
                open,
                close,
                within,
                each,
                at_once,
            } => {
                let marks = self.marks(partial, &[Some(open), Some(close)], false);
                match marks.first() {
                    Some(first)
                        if at_once
                            && first.what == 3
                            && self.plan.until.saturating_sub(first.time) >= within =>
                    {
                        self.unit(partial, first.time, 0, 1, 1);
                    }
                    _ => self.attempts(partial, &marks, within, each),
                }
                partial.scratch.marks = marks;
            }
            Kernel::Firsts {
                goal,
                known_from,
                of_prospects,
            } => {
                self.firsts(partial, goal, known_from, of_prospects);
            }
            Kernel::Events { hit, of } if self.plan.here.is_some() => {
                self.answers(partial, hit, of);
            }
            Kernel::Events { hit, of } => {
                for i in self.spans.iter().flat_map(Span::range) {
                    let (hit, of) = (self.has(hit, i), self.has(of, i));
                    if hit || of {
                        self.unit(partial, self.morsel.time(i), 0, hit.into(), of.into());
                    }
                }
            }
            Kernel::Times {
                enter,
                leave,
                of_journeys,
                alive,
                at_once,
            } => {
                self.times(partial, (enter, leave), of_journeys, alive, at_once);
            }
            Kernel::Again { active, from, to } => self.again(partial, active, from, to),
            Kernel::Both { active, length } => self.both(partial, active, length),
            Kernel::PerJourney { what, active } => self.per_journey(partial, what, active),
            Kernel::PerCustomer { what } => self.per_customer(partial, what),
            Kernel::Money { of, by } => {
                for i in self.spans.iter().flat_map(Span::range) {
                    let money = self.morsel.value(i).filter(|_| self.may_have(of, i));
                    let time = self.morsel.time(i);
                    match (by, money) {
                        (MoneyBy::Event, Some(money)) => self.unit(partial, time, 0, money, 1),
                        (MoneyBy::Event, None) => {}
                        (MoneyBy::Customer, money) => {
                            self.to_customer(partial, time, money.unwrap_or(0))
                        }
                    }
                }
            }
            Kernel::Dropoff { at, goal, within } => {
                for span in self.spans {
                    if at.is_some_and(|at| !self.any(at, span)) {
                        continue;
                    }
                    let last = self.last(span);
                    let open = self.plan.until.saturating_sub(last) < within;
                    if open || self.goes_on(span) {
                        self.exclude(partial, last);
                        continue;
                    }
                    let back = self
                        .next_start(span)
                        .is_some_and(|n| n.saturating_sub(last) <= within);
                    let reached = goal.is_some_and(|g| self.any(g, span));
                    let here = self.may_have(at, (span.end as usize).saturating_sub(1));
                    self.unit(partial, last, 0, i64::from(here && !reached && !back), 1);
                }
            }
            Kernel::Goal {
                goal,
                start,
                alive,
                direct,
            } => self.goal(partial, goal, start, alive, direct),
            Kernel::Rework { kind, of } => self.rework(partial, kind, of),
            Kernel::Reach {
                touch,
                channel,
                only,
            } => self.reach(partial, touch, channel, only),
            Kernel::Stickiness { active } => self.stickiness(partial, active),
            Kernel::Contacts {
                contact,
                resolved,
                within,
                channel,
            } => {
                self.contacts(partial, contact, resolved, within, channel);
            }
            Kernel::Buyers { purchase } => self.buyer(partial, purchase),
            Kernel::Visits {
                buying,
                searching,
                knowledge,
            } => {
                self.visits(partial, [buying, searching, knowledge]);
            }
            Kernel::Credit {
                goal,
                channel,
                first,
                within,
            } => {
                self.credit(partial, goal, channel, first, within);
            }
            Kernel::Friction { .. } => self.friction(partial),
            Kernel::Nothing => {}
        }
    }
}
