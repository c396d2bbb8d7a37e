//! What is known so far.

use std::collections::BTreeMap;

use desireline_stats::Clusters;
use desireline_stats::mean::ClusteredMoments;
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
    pub(super) times: Times,
    /// Journeys by the number of steps to the goal.
    pub(super) steps: BTreeMap<u32, u64>,
    /// By the code of the first event.
    pub(super) touchpoints: BTreeMap<u32, Clusters>,
    /// By the channel's code plus one; 0 is missing.
    pub(super) channels: BTreeMap<u32, Clusters>,
}

/// Lengths of time from the journey's start: to the goal, or to the last event of those that did not reach it.
///
/// Eight bytes a journey, so that the curve and its quantiles are exact.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(from = "Stored", into = "Stored")]
pub(super) struct Times {
    pub(super) reached: Vec<u64>,
    pub(super) censored: Vec<u64>,
}

impl Times {
    /// (time, reached, censored), ascending.
    pub(super) fn counts(&self) -> Vec<(i64, u64, u64)> {
        let mut counts: Vec<(i64, u64, u64)> = Vec::new();
        let (reached, censored) = (sorted(&self.reached), sorted(&self.censored));
        let (mut reached, mut censored) = (
            reached.chunk_by(|a, b| a == b).peekable(),
            censored.chunk_by(|a, b| a == b).peekable(),
        );
        loop {
            let next = match (reached.peek(), censored.peek()) {
                (Some(r), Some(c)) => r[0].min(c[0]),
                (Some(r), None) => r[0],
                (None, Some(c)) => c[0],
                (None, None) => return counts,
            };
            let run = |run: Option<&[u64]>| run.map_or(0, |r| r.len() as u64);
            counts.push((
                next.cast_signed(),
                run(reached.next_if(|r| r[0] == next)),
                run(censored.next_if(|c| c[0] == next)),
            ));
        }
    }
}

fn sorted(values: &[u64]) -> Vec<u64> {
    let mut values = values.to_vec();
    values.sort_unstable();
    values
}

/// Sorted, each value as the step from the one before: equal states have equal bytes, and few of them.
#[derive(Serialize, Deserialize)]
struct Stored {
    reached: Vec<u64>,
    censored: Vec<u64>,
}

impl From<Times> for Stored {
    fn from(times: Times) -> Stored {
        let steps = |mut values: Vec<u64>| {
            values.sort_unstable();
            let mut last = 0;
            for value in &mut values {
                *value -= std::mem::replace(&mut last, *value);
            }
            values
        };
        Stored {
            reached: steps(times.reached),
            censored: steps(times.censored),
        }
    }
}

impl From<Stored> for Times {
    fn from(stored: Stored) -> Times {
        let whole = |mut steps: Vec<u64>| {
            let mut last = 0_u64;
            for step in &mut steps {
                last = last.saturating_add(*step).min(i64::MAX.cast_unsigned());
                *step = last;
            }
            steps
        };
        Times {
            reached: whole(stored.reached),
            censored: whole(stored.censored),
        }
    }
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
        self.times.reached.extend_from_slice(&other.times.reached);
        self.times.censored.extend_from_slice(&other.times.censored);
        for (steps, n) in &other.steps {
            *self.steps.entry(*steps).or_default() += n;
        }
        merge_map(&mut self.touchpoints, &other.touchpoints);
        merge_map(&mut self.channels, &other.channels);
    }

    fn heap_bytes(&self) -> usize {
        const ENTRY: usize = size_of::<Clusters>() + 16;
        (self.times.reached.capacity() + self.times.censored.capacity()) * size_of::<u64>()
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
