//! The journeys of customers, read from their keys for the search.

use desireline_stats::Clusters;

use super::observe::pull;
use super::{PatternsPartial, PatternsPlan};
use crate::analyses::parts::{agree, repeated, sum};
use crate::engine::MOST;

/// All journeys; those of customers with the same journeys stand once.
#[derive(Debug, Default)]
pub(super) struct Base {
    /// The events of all journeys.
    pub(super) codes: Vec<u32>,
    /// The time of each event since the first one of its journey; empty where times do not count.
    pub(super) times: Vec<i64>,
    pub(super) journeys: Vec<Way>,
    pub(super) customers: Vec<Customers>,
    /// All journeys with a goal, by customer.
    pub(super) all: Clusters,
}

/// A journey.
#[derive(Clone, Copy, Debug)]
pub(super) struct Way {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) goal: bool,
}

/// Customers with the same journeys.
#[derive(Clone, Copy, Debug)]
pub(super) struct Customers {
    /// Their journeys: places in [`Base::journeys`].
    pub(super) start: usize,
    pub(super) end: usize,
    /// How many customers.
    pub(super) n: u64,
}

impl Base {
    /// Reads the keys; they can come from anywhere.
    pub(super) fn read(plan: &PatternsPlan, partial: &PatternsPartial) -> Result<Base, String> {
        let mut base = Base::default();
        let counts = partial.customers.iter().map(|(_, n)| n);
        agree(sum(counts).is_some(), "customers")?;
        for (key, n) in partial.customers.iter() {
            let read = (n > 0).then(|| base.customer(plan, key)).flatten();
            let (goals, journeys) = read.ok_or("its journeys do not add up")?;
            let end = base.journeys.len();
            let start = end - journeys as usize;
            base.customers.push(Customers { start, end, n });
            let mut one = Clusters::default();
            one.add(goals, journeys);
            base.all.merge(&repeated(&one, n));
            agree(base.all.n <= MOST, "journeys")?;
        }
        Ok(base)
    }

    /// Reads the journeys of one key: those with the goal, and all.
    fn customer(&mut self, plan: &PatternsPlan, mut key: &[u8]) -> Option<(u64, u64)> {
        let (mut goals, mut journeys) = (0, 0);
        while !key.is_empty() {
            let (head, rest) = pull(key)?;
            let (n, goal) = (usize::try_from(head >> 1).ok()?, head & 1 == 1);
            let bytes = n.checked_mul(plan.width.bytes())?;
            let (codes, rest) = rest.split_at_checked(bytes)?;
            plan.width.checked_len(codes, plan.names.len())?;
            // A journey has events; only those from the goal on can be missing.
            let may_be_empty = goal && plan.stops_at_goal();
            if (n == 0 && !may_be_empty) || (goal && plan.goal.is_none()) {
                return None;
            }
            let start = self.codes.len();
            self.codes.extend(plan.width.decode(codes));
            key = rest;
            if let Some(gap) = plan.reach.gap {
                let mut time = 0_i64;
                for i in 0..n {
                    if i > 0 {
                        let (since, rest) = pull(key)?;
                        let since = i64::try_from(since).ok()?;
                        if since > gap.saturating_add(1) {
                            return None;
                        }
                        time = time.saturating_add(since);
                        key = rest;
                    }
                    self.times.push(time);
                }
            }
            self.journeys.push(Way {
                start,
                end: self.codes.len(),
                goal,
            });
            journeys += 1;
            goals += u64::from(goal);
        }
        (journeys > 0).then_some((goals, journeys))
    }
}
