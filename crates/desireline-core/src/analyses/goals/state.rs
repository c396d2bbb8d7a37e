//! What is known so far.

use std::collections::BTreeMap;

use desireline_stats::mean::ClusteredMoments;
use desireline_stats::{ClusteredTimes, Clusters};
use serde::{Deserialize, Serialize};

use crate::engine::Partial;

/// The partial result of [`Goals`](super::Goals).
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct GoalsPartial {
    pub(super) n_journeys: u64,
    pub(super) n_customers: u64,
    pub(super) n_open: u64,
    pub(super) goals: Vec<GoalState>,
}

/// What is known of one goal.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct GoalState {
    /// Journeys that reached it, of all.
    pub(super) all: Clusters,
    /// The same of those that are not open.
    pub(super) closed: Clusters,
    /// Reached within each horizon, of journeys watched that long.
    pub(super) horizons: Vec<Clusters>,
    /// Goal events.
    pub(super) events: u64,
    /// Money at goal events, by journey with some.
    pub(super) value: ClusteredMoments,
    /// From the journey's start to the goal; of those that did not reach it, to the end of observation.
    pub(super) times: ClusteredTimes,
    /// Journeys by the number of steps to the goal.
    pub(super) steps: BTreeMap<u32, u64>,
    /// By the code of the first event.
    pub(super) touchpoints: BTreeMap<u32, Clusters>,
    /// By the channel's code plus one; 0 is missing.
    pub(super) channels: BTreeMap<u32, Clusters>,
}

fn merge_map(into: &mut BTreeMap<u32, Clusters>, from: &BTreeMap<u32, Clusters>) {
    for (key, clusters) in from {
        into.entry(*key).or_default().merge(clusters);
    }
}

impl GoalState {
    fn merge(&mut self, other: &Self) {
        self.all.merge(&other.all);
        self.closed.merge(&other.closed);
        for (ours, theirs) in self.horizons.iter_mut().zip(&other.horizons) {
            ours.merge(theirs);
        }
        self.events += other.events;
        self.value.merge(&other.value);
        self.times.merge(&other.times);
        for (steps, n) in &other.steps {
            *self.steps.entry(*steps).or_default() += n;
        }
        merge_map(&mut self.touchpoints, &other.touchpoints);
        merge_map(&mut self.channels, &other.channels);
    }

    fn heap_bytes(&self) -> usize {
        const ENTRY: usize = size_of::<Clusters>() + 16;
        self.times.heap_bytes()
            + self.horizons.capacity() * size_of::<Clusters>()
            + self.steps.len() * 24
            + (self.touchpoints.len() + self.channels.len()) * ENTRY
    }
}

impl Partial for GoalsPartial {
    fn merge(&mut self, other: &Self) {
        self.n_journeys += other.n_journeys;
        self.n_customers += other.n_customers;
        self.n_open += other.n_open;
        for (ours, theirs) in self.goals.iter_mut().zip(&other.goals) {
            ours.merge(theirs);
        }
    }

    fn heap_bytes(&self) -> usize {
        self.goals.capacity() * size_of::<GoalState>()
            + self.goals.iter().map(GoalState::heap_bytes).sum::<usize>()
    }
}
