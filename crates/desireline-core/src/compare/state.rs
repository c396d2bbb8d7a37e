//! What is known so far.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::engine::Partial;
use crate::journey::Span;

/// The partial result of [`Compare`](super::Compare): one of the analysis for each group and each stratum in it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(bound = "P: Serialize + DeserializeOwned")]
pub struct ComparePartial<P> {
    pub(super) groups: Vec<GroupState<P>>,
    pub(super) overlap: Overlap,
}

/// What is known of one group.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound = "P: Serialize + DeserializeOwned")]
pub(super) struct GroupState<P> {
    pub(super) n_journeys: u64,
    pub(super) n_customers: u64,
    /// Absent for a group that takes no part or has no journeys.
    pub(super) of: Option<P>,
    /// Those with journeys. A customer can have journeys in several strata, so strata do not add up to the group.
    pub(super) strata: BTreeMap<u32, P>,
}

/// Who is in more than one of the compared groups.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Overlap {
    /// Customers in at least one compared group.
    pub(super) n_customers: u64,
    /// In at least two.
    pub(super) customers: u64,
    /// Customers and journeys in both groups of a pair, by the smaller and the larger place.
    pub(super) pairs: BTreeMap<(u32, u32), (u64, u64)>,
}

impl<P> ComparePartial<P> {
    pub(super) fn new(groups: Vec<GroupState<P>>) -> ComparePartial<P> {
        ComparePartial {
            groups,
            overlap: Overlap::default(),
        }
    }
}

impl Overlap {
    /// Takes in the journeys of one morsel by group.
    pub(super) fn observe(&mut self, split: &[Vec<Span>], compared: &[bool]) {
        let mut customers: Vec<(u32, u32)> = Vec::new();
        let mut journeys: Vec<(u32, u32)> = Vec::new();
        for (group, spans) in split.iter().enumerate().filter(|(g, _)| compared[*g]) {
            for span in spans {
                let group = group as u32;
                journeys.push((span.start, group));
                if customers.last() != Some(&(span.customer, group)) {
                    customers.push((span.customer, group));
                }
            }
        }
        customers.sort_unstable();
        journeys.sort_unstable();
        for groups in customers.chunk_by(|a, b| a.0 == b.0) {
            self.n_customers += 1;
            self.customers += u64::from(groups.len() > 1);
            self.add(groups, |counts| counts.0 += 1);
        }
        for groups in journeys.chunk_by(|a, b| a.0 == b.0) {
            self.add(groups, |counts| counts.1 += 1);
        }
    }

    fn add(&mut self, groups: &[(u32, u32)], count: impl Fn(&mut (u64, u64))) {
        for (i, (_, first)) in groups.iter().enumerate() {
            for (_, second) in &groups[i + 1..] {
                count(self.pairs.entry((*first, *second)).or_default());
            }
        }
    }
}

impl<P: Partial> Partial for ComparePartial<P> {
    fn merge(&mut self, other: &Self) {
        for (ours, theirs) in self.groups.iter_mut().zip(&other.groups) {
            ours.n_journeys += theirs.n_journeys;
            ours.n_customers += theirs.n_customers;
            match (&mut ours.of, &theirs.of) {
                (Some(ours), Some(theirs)) => ours.merge(theirs),
                (ours @ None, theirs) => ours.clone_from(theirs),
                (Some(_), None) => {}
            }
            for (stratum, theirs) in &theirs.strata {
                match ours.strata.entry(*stratum) {
                    Entry::Occupied(mut ours) => ours.get_mut().merge(theirs),
                    Entry::Vacant(ours) => _ = ours.insert(theirs.clone()),
                }
            }
        }
        self.overlap.n_customers += other.overlap.n_customers;
        self.overlap.customers += other.overlap.customers;
        for (pair, (customers, journeys)) in &other.overlap.pairs {
            let ours = self.overlap.pairs.entry(*pair).or_default();
            ours.0 += customers;
            ours.1 += journeys;
        }
    }

    fn heap_bytes(&self) -> usize {
        let of_group = |g: &GroupState<P>| {
            size_of::<GroupState<P>>()
                + g.of.iter().map(Partial::heap_bytes).sum::<usize>()
                + g.strata
                    .values()
                    .map(|s| size_of::<P>() + s.heap_bytes())
                    .sum::<usize>()
        };
        self.groups.iter().map(of_group).sum::<usize>() + self.overlap.pairs.len() * 32
    }
}
