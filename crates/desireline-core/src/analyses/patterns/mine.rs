//! The search: from the most frequent pattern down, each looked at in one pass over the journeys.

use std::collections::BinaryHeap;

use desireline_stats::{Clusters, Sides};

use super::Reach;
use super::base::{Base, Customers};
use crate::analyses::parts::{repeated, repeated_sides};

/// Events looked at before the search gives up. Counted, so that it gives up at the same place everywhere.
const MOST_WORK: u64 = 4_000_000_000;
/// Patterns looked at before the search gives up.
const MOST_PATTERNS: usize = 100_000;

/// A pattern that enough journeys have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) codes: Vec<u32>,
    /// Journeys that have it.
    pub(super) support: u64,
    /// Those of all journeys, by customer.
    pub(super) share: Clusters,
    /// Journeys with the goal, of those that have the pattern and of those that do not.
    pub(super) goals: Sides,
}

/// What the search is after.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    /// Journeys that have it, at least.
    pub(super) support: u64,
    pub(super) min_length: usize,
    pub(super) max_length: usize,
    pub(super) closed: bool,
    pub(super) top: usize,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub(super) struct Mined {
    /// By journeys, then by names; at most as many as wanted.
    pub(super) patterns: Vec<Found>,
    /// Whether these are all.
    pub(super) complete: bool,
    /// Where the search gave up: patterns that no more journeys have are not all listed.
    pub(super) gave_up: Option<u64>,
}

/// A pattern to look at: the one that most journeys have comes first.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Next {
    support: u64,
    codes: Vec<u32>,
}

/// A pattern's part in the journeys of one customer, and what can follow it.
struct Pass<'a> {
    base: &'a Base,
    reach: Reach,
    /// By code: the number of the last journey in which it follows the pattern, and in how many it does.
    follows: Vec<(u64, u64)>,
    /// The codes that follow it.
    touched: Vec<u32>,
    /// The number of the last journey looked at.
    journey: u64,
    /// Where the latest event of each length of the pattern is, and one; 0 where there is none.
    ends: Vec<usize>,
    work: u64,
}

/// Finds the patterns. `rank` puts names in order.
pub(super) fn mine(
    base: &Base,
    names: usize,
    reach: Reach,
    wanted: Wanted,
    rank: impl Fn(u32) -> u32,
) -> Mined {
    let mut pass = Pass {
        base,
        reach,
        follows: vec![(0, 0); names],
        touched: Vec::new(),
        journey: 0,
        ends: Vec::new(),
        work: 0,
    };
    let mut queue: BinaryHeap<Next> = BinaryHeap::new();
    let push = |pass: &mut Pass<'_>, queue: &mut BinaryHeap<Next>, codes: &[u32]| {
        for (code, support) in pass.taken() {
            if support >= wanted.support {
                let codes = codes.iter().copied().chain([code]).collect();
                queue.push(Next { support, codes });
            }
        }
    };
    pass.look(&[]);
    push(&mut pass, &mut queue, &[]);

    let mut mined = Mined::default();
    let mut looked = 0;
    // Patterns that equally many journeys have; what they are part of is among them.
    let mut equal: Vec<Found> = Vec::new();
    while let Some(next) = queue.pop() {
        looked += 1;
        if looked > MOST_PATTERNS || pass.work > MOST_WORK {
            mined.gave_up = Some(next.support);
            return mined;
        }
        let found = pass.look(&next.codes);
        if next.codes.len() < wanted.max_length {
            push(&mut pass, &mut queue, &next.codes);
        } else {
            pass.taken();
        }
        equal.push(Found {
            codes: next.codes,
            support: next.support,
            ..found
        });
        if queue.peek().is_some_and(|n| n.support == next.support) {
            continue;
        }
        let mut chosen = settle(std::mem::take(&mut equal), wanted);
        chosen.sort_by(|a, b| {
            let ranks = |found: &Found| found.codes.iter().map(|&c| rank(c)).collect::<Vec<_>>();
            ranks(a).cmp(&ranks(b))
        });
        mined.patterns.extend(chosen);
        if mined.patterns.len() >= wanted.top {
            break;
        }
    }
    mined.complete = queue.is_empty() && mined.patterns.len() <= wanted.top;
    mined.patterns.truncate(wanted.top);
    mined
}

/// Of patterns that equally many journeys have, those that are wanted.
fn settle(equal: Vec<Found>, wanted: Wanted) -> Vec<Found> {
    let is_wanted = |found: &Found| {
        let long = found.codes.len() >= wanted.min_length;
        long && !(wanted.closed
            && equal
                .iter()
                .any(|other| is_part(&found.codes, &other.codes)))
    };
    let keep: Vec<bool> = equal.iter().map(is_wanted).collect();
    let kept = equal.into_iter().zip(keep);
    kept.filter_map(|(found, keep)| keep.then_some(found))
        .collect()
}

/// Whether `part` is shorter and its events stand in `whole` in the same order.
fn is_part(part: &[u32], whole: &[u32]) -> bool {
    let mut rest = whole.iter();
    part.len() < whole.len() && part.iter().all(|code| rest.any(|other| other == code))
}

impl Pass<'_> {
    /// Looks for a pattern in all journeys, and for what follows it there. The empty one is in all.
    fn look(&mut self, pattern: &[u32]) -> Found {
        let mut found = Found {
            codes: Vec::new(),
            support: 0,
            share: Clusters::default(),
            goals: Sides::default(),
        };
        self.work = self.work.saturating_add(self.base.codes.len() as u64);
        for customers in &self.base.customers {
            self.customer(pattern, customers, &mut found);
        }
        found
    }

    fn customer(&mut self, pattern: &[u32], customers: &Customers, found: &mut Found) {
        let (base, n) = (self.base, customers.n);
        let ways = base.journeys.get(customers.start..customers.end);
        // Journeys and goals, of those with the pattern and without it.
        let (mut with, mut without) = ((0, 0), (0, 0));
        for way in ways.unwrap_or_default() {
            self.journey += 1;
            let has = match (pattern.is_empty(), self.reach.is_free()) {
                (true, _) => {
                    (way.start..way.end).for_each(|i| self.follow(i, n));
                    true
                }
                (false, true) => self.anywhere(pattern, (way.start, way.end), n),
                (false, false) => self.near(pattern, (way.start, way.end), n),
            };
            let side = if has { &mut with } else { &mut without };
            side.0 += u64::from(way.goal);
            side.1 += 1;
        }
        let mut share = Clusters::default();
        share.add(with.1, with.1 + without.1);
        found.share.merge(&repeated(&share, n));
        let mut sides = Sides::default();
        sides.add(with, without);
        found.goals.merge(&repeated_sides(&sides, n));
    }

    /// Notes that the event at `i` can follow the pattern, in so many equal customers' journeys.
    #[inline]
    fn follow(&mut self, i: usize, customers: u64) {
        let Some(&code) = self.base.codes.get(i) else {
            return;
        };
        let Some((journey, n)) = self.follows.get_mut(code as usize) else {
            return;
        };
        if *journey != self.journey {
            *journey = self.journey;
            if *n == 0 {
                self.touched.push(code);
            }
            *n += customers;
        }
    }

    /// Whether the journey has the pattern where any later event will do: then the earliest ones leave most room.
    fn anywhere(&mut self, pattern: &[u32], (start, end): (usize, usize), customers: u64) -> bool {
        let mut next = 0;
        for i in start..end {
            match pattern.get(next) {
                Some(wanted) => next += usize::from(self.base.codes.get(i) == Some(wanted)),
                None => self.follow(i, customers),
            }
        }
        next == pattern.len()
    }

    /// Whether the journey has the pattern with each event near the one before: of all events that a length of the pattern
    /// can end with, the latest is the nearest to what comes.
    fn near(&mut self, pattern: &[u32], (start, end): (usize, usize), customers: u64) -> bool {
        let mut ends = std::mem::take(&mut self.ends);
        ends.clear();
        ends.resize(pattern.len(), 0);
        let mut has = false;
        for i in start..end {
            let Some(&code) = self.base.codes.get(i) else {
                continue;
            };
            let after = |place: usize| {
                let before: Option<usize> = ends.get(place).and_then(|end| end.checked_sub(1));
                before.is_some_and(|before| self.reaches(before, i))
            };
            if after(pattern.len() - 1) {
                self.follow(i, customers);
            }
            for (place, _) in pattern
                .iter()
                .enumerate()
                .rev()
                .filter(|(_, c)| **c == code)
            {
                let before = place.checked_sub(1).map(|b| ends[b]);
                let fits = match before {
                    None => true,
                    Some(0) => false,
                    Some(end) => self.reaches(end - 1, i),
                };
                if fits {
                    ends[place] = i + 1;
                    has |= place + 1 == pattern.len();
                }
            }
        }
        self.ends = ends;
        has
    }

    /// Whether the event at `i` is near enough to the one `before`.
    fn reaches(&self, before: usize, i: usize) -> bool {
        let soon = match (
            self.reach.gap,
            self.base.times.get(before),
            self.base.times.get(i),
        ) {
            (Some(gap), Some(then), Some(now)) => now.saturating_sub(*then) <= gap,
            _ => true,
        };
        soon && i - before <= self.reach.steps
    }

    /// The codes that follow the pattern, and in how many journeys; forgets them.
    fn taken(&mut self) -> Vec<(u32, u64)> {
        let mut taken = Vec::with_capacity(self.touched.len());
        for code in self.touched.drain(..) {
            if let Some((_, n)) = self.follows.get_mut(code as usize) {
                taken.push((code, std::mem::take(n)));
            }
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::is_part;

    #[test]
    fn parts_keep_the_order_and_are_shorter() {
        assert!(is_part(&[1, 3], &[1, 2, 3]) && is_part(&[], &[1]));
        assert!(!is_part(&[3, 1], &[1, 2, 3]) && !is_part(&[1], &[1]));
        assert!(!is_part(&[1, 1], &[1, 2, 2]));
    }
}
