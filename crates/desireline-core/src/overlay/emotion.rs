//! What customers feel along a map: one curve for each source, never mixed.

use desireline_stats::Estimate;
use serde::Serialize;

use crate::feedback::{Hole, Measured};
use crate::map::EmotionSource;

/// Where a point of a curve comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EmotionOrigin {
    /// Measured now, from answers.
    Feedback,
    /// Written in the map.
    Map,
}

/// How pleasant it is at a place, from −1 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EmotionValue {
    /// Measured, with its interval: the band.
    Measured(Estimate),
    /// Written in the map: a value, and both ends of an interval where the map has one. Nothing here vouches for it.
    Said {
        /// The value.
        value: f64,
        /// The interval as written.
        interval: Option<(f64, f64)>,
    },
    /// Too little to say.
    Hole(Hole),
}

impl EmotionValue {
    /// What was measured, or the hole.
    pub fn of(measured: &Measured) -> EmotionValue {
        match (measured.estimate, measured.hole) {
            (Some(estimate), _) => EmotionValue::Measured(estimate),
            (None, hole) => EmotionValue::Hole(hole.unwrap_or(Hole::NoAnswers)),
        }
    }

    /// The value; `None` for a hole.
    pub fn value(&self) -> Option<f64> {
        match self {
            EmotionValue::Measured(estimate) => Some(estimate.value),
            EmotionValue::Said { value, .. } => Some(*value),
            EmotionValue::Hole(_) => None,
        }
    }

    /// Both ends of its interval, where it has one.
    pub fn interval(&self) -> Option<(f64, f64)> {
        match self {
            EmotionValue::Measured(estimate) => Some((estimate.lower, estimate.upper)),
            EmotionValue::Said { interval, .. } => *interval,
            EmotionValue::Hole(_) => None,
        }
    }
}

/// What is felt at a stage, or at one of its touchpoints, by one source.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct EmotionPoint {
    /// The stage.
    pub stage: String,
    /// The touchpoint; absent for the stage as a whole.
    pub touchpoint: Option<String>,
    /// Who or what says so. Points of different sources are never put together.
    pub source: EmotionSource,
    /// Measured now, or written in the map.
    pub origin: EmotionOrigin,
    /// Whose, where the map says it of one persona.
    pub persona: Option<String>,
    /// How pleasant.
    pub valence: EmotionValue,
    /// How stirring, from 0 to 1.
    pub arousal: Option<EmotionValue>,
    /// The feeling in a word, where the map has one.
    pub label: Option<String>,
    /// Answers behind it, or as many as the map says.
    pub n: u64,
}

/// What a source says of the journey as a whole.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct EmotionSummary {
    /// The source.
    pub source: EmotionSource,
    /// Measured now, or written in the map.
    pub origin: EmotionOrigin,
    /// Whose, where the map says it of one persona.
    pub persona: Option<String>,
    /// The mean of the stages that have a value.
    pub mean: f64,
    /// The lowest of them, and its stage.
    pub lowest: (String, f64),
    /// The one furthest from 0, and its stage; of two at the same distance the later one.
    pub peak: (String, f64),
    /// The last one, and its stage.
    pub last: (String, f64),
    /// `(peak + last) / 2`: what people remember, by Kahneman's rule.
    pub peak_end: f64,
    /// Stages with a value.
    pub stages: u64,
    /// Stages without.
    pub holes: u64,
    /// The same over the customers who answered, each by their own answers in their order; absent for what the map says.
    pub by_customer: Option<CustomerEmotion>,
}

/// Mean, minimum and peak-end of each customer's own answers, over customers (K29).
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct CustomerEmotion {
    /// Customers with two answers or more.
    pub customers: u64,
    /// The mean of their means.
    pub mean: Measured,
    /// The mean of their minima.
    pub minimum: Measured,
    /// The mean of their peak-ends: the answer furthest from 0 and the last one, halved.
    pub peak_end: Measured,
}

/// The curves of a map: by source and origin, each from the first stage to the last.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct EmotionCurve {
    /// By source, origin and persona; within one the stages in the order of the map, each followed by its touchpoints.
    pub points: Vec<EmotionPoint>,
    /// One for each source, origin and persona, in the same order.
    pub summaries: Vec<EmotionSummary>,
    /// Feelings that the map puts on the way between two places, or on a part that is neither stage nor touchpoint: they have no
    /// point.
    pub elsewhere: u64,
    /// Answers that tell no feelings: questions and why, such as a net promoter score.
    pub refused: Vec<(String, String)>,
}
