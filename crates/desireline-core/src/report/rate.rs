use desireline_stats::{Clusters, Estimate, wilson_clustered};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Below this many observations a rate is not given, only its counts.
pub const TOO_FEW: u64 = 5;

/// What a rate is a share of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Base {
    /// Of all units of the analysis.
    OfAll,
    /// Of those that entered (reached the first step).
    OfEntered,
    /// Of those that reached the step before.
    OfPrevious,
    /// Of the visits to one touchpoint.
    OfVisits,
    /// Of the journeys on one path.
    OfPath,
    /// Of those whose outcome is known: not still open, or observed for the whole window.
    OfKnown,
    /// Of the customers who started in one calendar period.
    OfCohort,
    /// Of the customers of all cohorts that were observed for long enough.
    OfStarted,
    /// Of the answers to one question.
    OfAnswers,
    /// Of the touches at one touchpoint.
    OfTouches,
    /// Of the journeys that have both of two touchpoints.
    OfBoth,
    /// Of the journeys that have a pattern.
    OfPattern,
    /// Of the journeys that do not have it.
    OfOthers,
    /// Of the customers who were there at all.
    OfPresent,
    /// Of the customers in a segment.
    OfMembers,
    /// Of the customers outside of a segment.
    OfNonMembers,
}

impl Base {
    /// The words people read.
    pub fn label(self) -> &'static str {
        match self {
            Base::OfAll => "of all",
            Base::OfEntered => "of entered",
            Base::OfPrevious => "of previous",
            Base::OfVisits => "of visits",
            Base::OfPath => "of this path",
            Base::OfKnown => "of known outcomes",
            Base::OfCohort => "of the cohort",
            Base::OfStarted => "of complete cohorts",
            Base::OfAnswers => "of answers",
            Base::OfTouches => "of touches",
            Base::OfBoth => "of journeys with both",
            Base::OfPattern => "of journeys with it",
            Base::OfOthers => "of journeys without it",
            Base::OfPresent => "of customers present",
            Base::OfMembers => "of the segment",
            Base::OfNonMembers => "of those outside of it",
        }
    }
}

/// A count over its base, with the interval that says how well the rate is known.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Rate {
    /// How many did.
    pub count: u64,
    /// Out of how many.
    pub n: u64,
    /// What those are.
    pub base: Base,
    /// The rate with its interval; absent where `n` is below [`TOO_FEW`].
    pub estimate: Option<Estimate>,
}

impl Rate {
    /// A rate over units that repeat per customer: the interval allows for that.
    pub fn clustered(clusters: &Clusters, base: Base, level: f64) -> Rate {
        let estimate = if clusters.n < TOO_FEW {
            None
        } else {
            wilson_clustered(clusters, level)
        };
        Rate {
            count: clusters.k,
            n: clusters.n,
            base,
            estimate,
        }
    }

    /// A rate over independent units.
    pub fn simple(count: u64, n: u64, base: Base, level: f64) -> Rate {
        let estimate = if n < TOO_FEW {
            None
        } else {
            desireline_stats::wilson(count, n, level)
        };
        Rate {
            count,
            n,
            base,
            estimate,
        }
    }

    /// Whether the rate was withheld because of too few observations.
    pub fn too_few(&self) -> bool {
        self.estimate.is_none()
    }
}
