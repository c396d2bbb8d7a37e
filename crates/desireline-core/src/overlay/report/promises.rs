//! What becomes of promises.

use desireline_stats::Estimate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kpi::Currency;
use crate::report::Rate;

/// Whether a promise is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PromiseVerdict {
    /// The whole interval says so.
    Kept,
    /// None of the interval does.
    Broken,
    /// A part of the interval does: more has to be seen before it can be said.
    Undecided,
}

impl PromiseVerdict {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            PromiseVerdict::Kept => "kept",
            PromiseVerdict::Broken => "broken",
            PromiseVerdict::Undecided => "cannot be said",
        }
    }
}

/// An expectation with a promise, held against the log.
///
/// A promise about a length of time is kept or broken by each journey: `kept` has the share. It is kept as a whole where that share
/// is at least `wanted`: half of the journeys for a median, nine in ten for the variant `p90`, so that it agrees with the
/// KPI `time_on_stage`. A promise about any other number is kept or broken as a whole: `value` is held against the threshold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PromiseMeasure {
    /// The expectation's id.
    pub id: String,
    /// What is expected.
    pub text: String,
    /// Where: a part of the map, or the way from one to another.
    pub at: String,
    /// The metric.
    pub metric: String,
    /// The promise as the map writes it, such as `time_on_stage <= 10m`.
    pub promise: String,
    /// Journeys that kept it, of those that began long enough before the end of observation to know; absent for numbers as a whole.
    pub kept: Option<Rate>,
    /// Journeys of that base whose customer never came to what ends the time.
    pub never: u64,
    /// Journeys that began too late to know, which are in no base.
    pub open: u64,
    /// The share of journeys that has to keep it.
    pub wanted: Option<f64>,
    /// The number itself, for promises that are kept or broken as a whole.
    pub value: Option<Estimate>,
    /// The currency that the number is in minor units of; absent where it is no money.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// Of how many.
    pub n: u64,
    /// Whether it is kept; absent where that cannot be measured.
    pub verdict: Option<PromiseVerdict>,
    /// Why it cannot be measured.
    pub hole: Option<String>,
}
