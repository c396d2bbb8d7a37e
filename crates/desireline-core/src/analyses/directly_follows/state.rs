//! What `directly_follows` knows so far: a count for each pair that occurs and for each touchpoint.

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::analyses::parts::{agree, sum};
use crate::engine::Partial;

/// Counts of one touchpoint.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Node {
    pub(super) events: u64,
    pub(super) starts: u64,
    pub(super) ends: u64,
}

/// Counts of all pairs and touchpoints.
#[derive(Clone, Debug, Default)]
pub struct DirectlyFollowsPartial {
    pub(super) pairs: HashMap<(u32, u32), u64, FxBuildHasher>,
    /// By code.
    pub(super) nodes: HashMap<u32, Node, FxBuildHasher>,
    pub(super) events: u64,
    pub(super) journeys: u64,
    pub(super) customers: u64,
    /// Two tables of the pairs of one morsel; all 0 in between.
    pub(super) tables: Vec<u32>,
}

impl DirectlyFollowsPartial {
    /// Each pair that occurs, in any order.
    pub(super) fn pairs(&self) -> impl Iterator<Item = ((u32, u32), u64)> + '_ {
        self.pairs.iter().map(|(&pair, &count)| (pair, count))
    }

    /// Each touchpoint that occurs, in any order.
    pub(super) fn nodes(&self) -> impl Iterator<Item = (u32, &Node)> + '_ {
        self.nodes.iter().map(|(&code, node)| (code, node))
    }

    /// Whether this can be a partial over `n_names` names.
    pub(super) fn check(&self, n_names: usize) -> Result<(), String> {
        let nodes = || self.nodes.values();
        agree(
            self.nodes.keys().all(|&code| (code as usize) < n_names)
                && sum(nodes().map(|n| n.events)) == Some(self.events)
                && sum(nodes().map(|n| n.starts)) == Some(self.journeys)
                && sum(nodes().map(|n| n.ends)) == Some(self.journeys)
                && nodes().all(|n| n.events >= n.starts.max(n.ends).max(1)),
            "touchpoints",
        )?;
        agree(
            self.customers <= self.journeys && self.journeys <= self.events,
            "journeys",
        )?;
        let (mut out, mut into) = (HashMap::<u32, u64>::new(), HashMap::<u32, u64>::new());
        for ((from, to), count) in self.pairs() {
            agree(count > 0, "pairs")?;
            for (sums, code) in [(&mut out, from), (&mut into, to)] {
                let all = sums.entry(code).or_default();
                *all = all.saturating_add(count);
            }
        }
        let adds_up = |sums: &HashMap<u32, u64>, rest: &dyn Fn(&Node) -> u64| {
            let expected =
                |(code, node): (&u32, &Node)| sums.get(code).copied().unwrap_or(0) == rest(node);
            self.nodes.iter().all(expected) && sums.keys().all(|c| self.nodes.contains_key(c))
        };
        agree(
            adds_up(&out, &|n| n.events - n.ends) && adds_up(&into, &|n| n.events - n.starts),
            "pairs",
        )
    }
}

impl Partial for DirectlyFollowsPartial {
    fn merge(&mut self, other: &Self) {
        for (pair, count) in other.pairs() {
            *self.pairs.entry(pair).or_default() += count;
        }
        for (code, theirs) in other.nodes() {
            let ours = self.nodes.entry(code).or_default();
            ours.events += theirs.events;
            ours.starts += theirs.starts;
            ours.ends += theirs.ends;
        }
        self.events += other.events;
        self.journeys += other.journeys;
        self.customers += other.customers;
    }

    fn heap_bytes(&self) -> usize {
        self.pairs.allocation_size()
            + self.nodes.allocation_size()
            + self.tables.capacity() * size_of::<u32>()
    }
}

/// The stored form: ascending.
#[derive(Serialize, Deserialize)]
struct Stored {
    pairs: Vec<(u32, u32, u64)>,
    nodes: Vec<(u32, Node)>,
    events: u64,
    journeys: u64,
    customers: u64,
}

impl Serialize for DirectlyFollowsPartial {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut pairs: Vec<_> = self.pairs().map(|((from, to), n)| (from, to, n)).collect();
        pairs.sort_unstable();
        let mut nodes: Vec<_> = self.nodes().map(|(code, node)| (code, *node)).collect();
        nodes.sort_unstable_by_key(|&(code, _)| code);
        Stored {
            pairs,
            nodes,
            events: self.events,
            journeys: self.journeys,
            customers: self.customers,
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for DirectlyFollowsPartial {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let stored = Stored::deserialize(deserializer)?;
        let ascends = stored
            .pairs
            .windows(2)
            .all(|w| (w[0].0, w[0].1) < (w[1].0, w[1].1))
            && stored.nodes.windows(2).all(|w| w[0].0 < w[1].0);
        if !ascends {
            return Err(serde::de::Error::custom(
                "pairs or touchpoints out of order",
            ));
        }
        Ok(DirectlyFollowsPartial {
            pairs: stored
                .pairs
                .into_iter()
                .map(|(from, to, n)| ((from, to), n))
                .collect(),
            nodes: stored.nodes.into_iter().collect(),
            events: stored.events,
            journeys: stored.journeys,
            customers: stored.customers,
            tables: Vec::new(),
        })
    }
}
