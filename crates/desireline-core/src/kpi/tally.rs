//! What is counted: sums over customers, one set for each period and key.

use desireline_stats::ClusteredTimes;
use desireline_stats::mean::ClusteredMoments;
use serde::{Deserialize, Serialize, Serializer};

use crate::engine::Partial;

/// Sums of one period and key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Bucket {
    /// Over customers: what is above the line, and the units below it.
    pub(super) sums: ClusteredMoments,
    /// Units left out because it is not yet known how they end.
    pub(super) excluded: u64,
}

/// A customer's purchases, as models of lifetime value need them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Buyer {
    /// Times of repeat purchases.
    pub(super) repeats: u32,
    /// From the first purchase to the last, in microseconds.
    pub(super) last: i64,
    /// From the first purchase to the end of observation.
    pub(super) age: i64,
    /// Money of the repeat purchases, in minor units.
    pub(super) repeat_money: i64,
    /// Margin of all purchases, each discounted by its time since the first one, in thousandths.
    pub(super) money: i64,
    /// Money of all purchases.
    pub(super) total_money: i64,
    /// What was known in the middle of the time of observation, of those who had bought by then.
    pub(super) early: Option<Early>,
}

/// A customer as known at some time, and what came after it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Early {
    pub(super) repeats: u32,
    pub(super) last: i64,
    pub(super) age: i64,
    /// From then to the end of observation.
    pub(super) ahead: i64,
    /// Purchases in that time.
    pub(super) later: u32,
}

/// What is known so far.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct KpiPartial {
    pub(super) buckets: Vec<Bucket>,
    /// For curves: times until something happened, or until which it had not.
    pub(super) times: Vec<ClusteredTimes>,
    /// For samples of customers: above and below the line, per customer.
    #[serde(serialize_with = "sorted_lists")]
    pub(super) pairs: Vec<Vec<(i64, u32)>>,
    #[serde(serialize_with = "sorted")]
    pub(super) buyers: Vec<Buyer>,
    /// The least that was seen above the line, where that is asked for.
    pub(super) least: Option<u64>,
    /// Customers seen.
    pub(super) customers: u64,
    #[serde(skip)]
    pub(super) scratch: Scratch,
}

/// A worker's memory for the customer at hand; empty between customers.
#[derive(Clone, Debug, Default)]
pub(super) struct Scratch {
    open: Vec<(i64, u64)>,
    touched: Vec<usize>,
    /// Events that a rule looks at, in the order of time.
    pub(super) marks: Vec<Mark>,
    /// Numbers of small use: places, times.
    pub(super) list: Vec<i64>,
    pub(super) timed: Vec<(usize, u64, bool)>,
    pub(super) times: Vec<(u64, bool)>,
    /// By event code or channel: when last seen, and how often a rule counted it.
    pub(super) stamps: Vec<u64>,
    pub(super) stamp: u64,
    pub(super) masks: Vec<crate::journey::Mask>,
    /// Journeys as far as they lie in the window, and which of them go on after it.
    pub(super) spans: Vec<crate::journey::Span>,
    pub(super) goes_on: Vec<bool>,
}

/// An event that a rule looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) time: i64,
    /// Which conditions hold, as bits.
    pub(super) what: u8,
    /// Its place in the morsel's columns.
    pub(super) at: u32,
    /// Which of the customer's journeys of the morsel.
    pub(super) journey: u32,
}

fn sorted<S: Serializer, T: Serialize + Ord + Clone>(list: &[T], s: S) -> Result<S::Ok, S::Error> {
    let mut list = list.to_vec();
    list.sort_unstable();
    list.serialize(s)
}

fn sorted_lists<S: Serializer>(lists: &[Vec<(i64, u32)>], s: S) -> Result<S::Ok, S::Error> {
    let mut lists = lists.to_vec();
    lists.iter_mut().for_each(|l| l.sort_unstable());
    lists.serialize(s)
}

impl KpiPartial {
    pub(super) fn new(buckets: usize, times: bool, pairs: bool) -> KpiPartial {
        KpiPartial {
            buckets: vec![Bucket::default(); buckets],
            times: vec![ClusteredTimes::default(); if times { buckets } else { 0 }],
            pairs: vec![Vec::new(); if pairs { buckets } else { 0 }],
            ..KpiPartial::default()
        }
    }

    /// Counts a unit of the customer at hand.
    #[inline]
    pub(super) fn add(&mut self, bucket: usize, above: i64, below: u64) {
        let open = &mut self.scratch.open;
        if open.len() <= bucket {
            open.resize(self.buckets.len().max(bucket + 1), (0, 0));
        }
        let Some(cell) = open.get_mut(bucket) else {
            return;
        };
        if *cell == (0, 0) {
            self.scratch.touched.push(bucket);
        }
        cell.0 = cell.0.saturating_add(above);
        cell.1 = cell.1.saturating_add(below);
    }

    /// Counts the customer at hand once, and whether something holds for any of their events.
    #[inline]
    pub(super) fn once(&mut self, bucket: usize, above: bool) {
        let open = &mut self.scratch.open;
        if open.len() <= bucket {
            open.resize(self.buckets.len().max(bucket + 1), (0, 0));
        }
        let Some(cell) = open.get_mut(bucket) else {
            return;
        };
        if *cell == (0, 0) {
            self.scratch.touched.push(bucket);
        }
        if above {
            cell.0 = 1;
        }
        cell.1 = 1;
    }

    /// Counts the customer at hand once, and adds to what they have.
    #[inline]
    pub(super) fn add_to_customer(&mut self, bucket: usize, above: i64) {
        self.once(bucket, false);
        if let Some(cell) = self.scratch.open.get_mut(bucket) {
            cell.0 = cell.0.saturating_add(above);
        }
    }

    pub(super) fn exclude(&mut self, bucket: usize) {
        if let Some(bucket) = self.buckets.get_mut(bucket) {
            bucket.excluded += 1;
        }
    }

    /// The customer at hand is done.
    pub(super) fn close_customer(&mut self) {
        for place in self.scratch.touched.drain(..) {
            let Some((above, below)) = self.scratch.open.get_mut(place).map(std::mem::take) else {
                continue;
            };
            if let Some(bucket) = self.buckets.get_mut(place) {
                bucket.sums.add(above.into(), below);
            }
            if let (Some(pairs), 1..) = (self.pairs.get_mut(place), below) {
                pairs.push((above, u32::try_from(below).unwrap_or(u32::MAX)));
            }
        }
    }
}

impl Partial for KpiPartial {
    fn merge(&mut self, other: &Self) {
        for (ours, theirs) in self.buckets.iter_mut().zip(&other.buckets) {
            ours.sums.merge(&theirs.sums);
            ours.excluded += theirs.excluded;
        }
        for (ours, theirs) in self.times.iter_mut().zip(&other.times) {
            ours.merge(theirs);
        }
        for (ours, theirs) in self.pairs.iter_mut().zip(&other.pairs) {
            ours.extend_from_slice(theirs);
        }
        self.buyers.extend_from_slice(&other.buyers);
        self.customers += other.customers;
        self.least = self.least.into_iter().chain(other.least).min();
    }

    fn heap_bytes(&self) -> usize {
        let times: usize = self.times.iter().map(ClusteredTimes::heap_bytes).sum();
        let pairs: usize = self
            .pairs
            .iter()
            .map(|p| p.capacity() * size_of::<(i64, u32)>())
            .sum();
        self.buckets.capacity() * size_of::<Bucket>()
            + times
            + pairs
            + self.buyers.capacity() * size_of::<Buyer>()
            + self.scratch.open.capacity() * 16
            + self.scratch.marks.capacity() * size_of::<Mark>()
            + self.scratch.stamps.capacity() * 8
    }
}
