//! How touchpoints are doing.

use desireline_stats::Estimate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::report::Rate;

/// How a touchpoint is doing, in one word.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Health {
    /// It is drawn and never seen, or seen and not drawn.
    Missing,
    /// People leave here, or reach their goal less often, or a promise is broken.
    Underperforming,
    /// Few come, or what it needs is not there.
    Underdeveloped,
    /// Too little is known.
    Unknown,
    /// None of these.
    Healthy,
}

impl Health {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Health::Missing => "missing",
            Health::Underperforming => "underperforming",
            Health::Underdeveloped => "underdeveloped",
            Health::Unknown => "unknown",
            Health::Healthy => "healthy",
        }
    }

    /// The verdict that follows from what was found: the first of `missing`, `underperforming`, `underdeveloped` and `unknown`
    /// that has a reason; without any it is `healthy`.
    pub fn of(reasons: &[HealthReason]) -> Health {
        let verdicts = reasons.iter().map(|r| r.verdict());
        verdicts.min().unwrap_or(Health::Healthy)
    }
}

/// Why a touchpoint is said to be so.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum HealthReason {
    /// It has a binding, and no event of these journeys belongs to it.
    NeverSeen,
    /// At least one in a hundred events is of this name, and no touchpoint takes it.
    NotDrawn,
    /// More journeys end here without a goal than at the middle one of its stage's other touchpoints, with q below 0.05.
    DropOff,
    /// Journeys that come here reach a goal less often than those that do not, with q below 0.05.
    FewerGoals,
    /// A promise made for it is broken.
    BrokenPromise,
    /// Its reach, the whole interval, lies below a quarter of that of the middle one of its stage's other touchpoints.
    LowReach,
    /// Nobody answers for it, while others have an owner.
    NoOwner,
    /// No content is drawn for it, while others have some.
    NoContent,
    /// None of its stages has a goal of the customer's, while others have.
    NoCustomerGoal,
    /// Too few journeys with a known outcome come here.
    TooFew,
    /// It has no binding, so that no log can show it.
    NotBound,
    /// It leaves no trace in a log.
    NoTrace,
    /// No goal of the map can be seen in the log, so that nothing can be said of who leaves.
    NoGoalSeen,
}

impl HealthReason {
    /// What it makes of a touchpoint.
    pub fn verdict(self) -> Health {
        match self {
            HealthReason::NeverSeen | HealthReason::NotDrawn => Health::Missing,
            HealthReason::DropOff | HealthReason::FewerGoals | HealthReason::BrokenPromise => {
                Health::Underperforming
            }
            HealthReason::LowReach
            | HealthReason::NoOwner
            | HealthReason::NoContent
            | HealthReason::NoCustomerGoal => Health::Underdeveloped,
            HealthReason::TooFew
            | HealthReason::NotBound
            | HealthReason::NoTrace
            | HealthReason::NoGoalSeen => Health::Unknown,
        }
    }

    /// The words for it.
    pub fn words(self) -> &'static str {
        match self {
            HealthReason::NeverSeen => "drawn, but never seen in the log",
            HealthReason::NotDrawn => "in the log, but on no touchpoint",
            HealthReason::DropOff => "more leave here than at its stage's others",
            HealthReason::FewerGoals => "who comes here reaches a goal less often",
            HealthReason::BrokenPromise => "a promise is broken",
            HealthReason::LowReach => "few come here beside its stage's others",
            HealthReason::NoOwner => "nobody answers for it",
            HealthReason::NoContent => "no content is drawn for it",
            HealthReason::NoCustomerGoal => "its stage has no goal of the customer's",
            HealthReason::TooFew => "too few to say",
            HealthReason::NotBound => "no binding",
            HealthReason::NoTrace => "leaves no trace in a log",
            HealthReason::NoGoalSeen => "no goal can be seen in the log",
        }
    }
}

/// How one touchpoint is doing, or events that no touchpoint takes, with what the verdict rests on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TouchpointHealth {
    /// The touchpoint's id; absent for events that belong to none.
    pub touchpoint: Option<String>,
    /// Its name, or the event's.
    pub name: String,
    /// The verdict.
    pub verdict: Health,
    /// All that was found; the verdict is the gravest of it.
    pub reasons: Vec<HealthReason>,
    /// Journeys that end here without a goal, of those whose outcome is known.
    pub drop_off: Option<Rate>,
    /// The same at the middle one of its stage's other touchpoints.
    pub others_drop_off: Option<Rate>,
    /// Two-sided p of no difference between the two, however they go together.
    pub p: Option<f64>,
    /// The same after Benjamini and Hochberg, over all touchpoints.
    pub q: Option<f64>,
    /// Journeys that come here, of all.
    pub reach: Option<Rate>,
    /// The same of the middle one of its stage's other touchpoints.
    pub others_reach: Option<Rate>,
    /// Goal rate of journeys that come here less that of the others.
    pub lift: Option<Estimate>,
    /// Its q, over all places of the map.
    pub lift_q: Option<f64>,
}
