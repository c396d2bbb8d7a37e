//! What customers expect and feel, and when it counts most.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::kpis::{Compare, KpiName, Params, Quantity};
use super::part::{part, words};
use super::{Arousal, At, Date, Estimate, Id, Importance, LocalizedText, Valence};

part! {
    /// What customers expect somewhere. With a `promise` it can be tested whether it is kept.
    pub struct Expectation {
        /// Its id.
        id: Id,
        /// Where.
        at: At,
        /// What is expected.
        text: LocalizedText,
        /// The same as something that can be measured.
        promise ? Promise,
        /// How much it matters.
        importance ? Importance,
        /// Who or what raised it, such as an advertisement: a touchpoint.
        raised_at ? Id,
        /// The personas that have it; all where none is named.
        personas * Id,
        /// What it rests on.
        evidence * Id,
        + own
    }
}

part! {
    /// A promise that can be tested: a metric and how it should stand to a threshold.
    pub struct Promise {
        /// The metric: a KPI of the catalogue.
        metric: KpiName,
        /// How it should stand to the threshold.
        op: Compare,
        /// The threshold: a number, a length of time or money, as the metric is.
        threshold: Quantity,
        /// What the metric needs to know.
        params ? Params,
    }
}

part! {
    /// What a customer feels at a place of the journey.
    pub struct Emotion {
        /// Its id.
        id: Id,
        /// Where.
        at: At,
        /// How pleasant.
        valence: Valence,
        /// Who or what says so.
        source: EmotionSource,
        /// How stirring.
        arousal ? Arousal,
        /// The feeling in a word, such as `relieved`.
        label ? String,
        /// Whose; everybody's where no persona is named.
        persona ? Id,
        /// How many said so.
        n ? u64,
        /// Both ends of an interval for the valence.
        interval ? [Valence; 2],
        /// When it was found.
        as_of ? Date,
        /// What it rests on.
        evidence * Id,
        + own
    }
}

/// Who or what says how customers feel. Sources are never mixed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EmotionSource {
    /// Customers, in their own words or on a scale of feelings.
    SelfReport,
    /// Computed from a survey, such as CSAT.
    Survey,
    /// Read from texts by a model.
    TextModel(TextModel),
    /// Inferred from what they did.
    BehaviourProxy,
    /// Somebody's guess. It is drawn so that nobody takes it for more.
    ExpertGuess,
    /// How it should be: on ideal maps.
    Target,
}

impl EmotionSource {
    /// Whether customers said it or did something that shows it.
    pub fn is_measured(&self) -> bool {
        !matches!(self, EmotionSource::ExpertGuess | EmotionSource::Target)
    }

    /// The word in a document.
    pub fn word(&self) -> &'static str {
        match self {
            EmotionSource::SelfReport => "self_report",
            EmotionSource::Survey => "survey",
            EmotionSource::TextModel(_) => "text_model",
            EmotionSource::BehaviourProxy => "behaviour_proxy",
            EmotionSource::ExpertGuess => "expert_guess",
            EmotionSource::Target => "target",
        }
    }
}

/// The model that read feelings from texts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TextModel {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

words! {
    /// Scales on which feelings are asked for, all of which become a valence from −1 to 1. There is none for NPS, which asks
    /// for an intention.
    pub enum FeelingScale {
        /// −2 to 2.
        FivePoints = "five_points",
        /// 1 to 5, as satisfaction is asked for.
        OneToFive = "one_to_five",
        /// 1 to 7.
        OneToSeven = "one_to_seven",
        /// 1 to 9, as in pictures of manikins.
        OneToNine = "one_to_nine",
    }
}

impl FeelingScale {
    /// The lowest and the highest answer.
    pub fn bounds(self) -> (f64, f64) {
        match self {
            FeelingScale::FivePoints => (-2.0, 2.0),
            FeelingScale::OneToFive => (1.0, 5.0),
            FeelingScale::OneToSeven => (1.0, 7.0),
            FeelingScale::OneToNine => (1.0, 9.0),
        }
    }

    /// The valence of an answer; `None` for one that is not on the scale.
    ///
    /// ```
    /// use desireline_core::map::FeelingScale;
    /// assert_eq!(FeelingScale::OneToFive.valence(4.0).map(|v| v.get()), Some(0.5));
    /// assert_eq!(FeelingScale::OneToFive.valence(0.0), None);
    /// ```
    pub fn valence(self, answer: f64) -> Option<Valence> {
        let (low, high) = self.bounds();
        let middle = f64::midpoint(low, high);
        Valence::new((answer - middle) / (high - middle))
    }
}

/// Words for feelings with the valence and arousal that they stand for, roughly, where nothing was measured.
pub const FEELINGS: &[(&str, f64, f64)] = &[
    ("delighted", 0.9, 0.7),
    ("excited", 0.7, 0.9),
    ("satisfied", 0.7, 0.3),
    ("relieved", 0.6, 0.2),
    ("curious", 0.4, 0.5),
    ("hopeful", 0.4, 0.4),
    ("calm", 0.4, 0.1),
    ("indifferent", 0.0, 0.1),
    ("surprised", 0.1, 0.8),
    ("unsure", -0.2, 0.4),
    ("impatient", -0.4, 0.6),
    ("confused", -0.4, 0.5),
    ("worried", -0.5, 0.6),
    ("disappointed", -0.6, 0.4),
    ("annoyed", -0.6, 0.7),
    ("angry", -0.8, 0.9),
];

part! {
    /// A moment in which an experience becomes a decision.
    pub struct MomentOfTruth {
        /// Its id.
        id: Id,
        /// Where.
        at: At,
        /// What is decided.
        kind: MomentKind,
        /// Whether people say so or numbers do.
        basis: Basis,
        /// What happens there.
        text ? LocalizedText,
        /// How much it moves the chance of reaching the goal.
        swing ? Estimate,
        /// What it rests on.
        evidence * Id,
        + own
    }
}

words! {
    /// What is decided in a moment of truth.
    pub enum MomentKind {
        /// Whether to look closer (zero moment).
        Discovery = "discovery" | "zmot",
        /// Whether to buy (first moment).
        Purchase = "purchase" | "fmot",
        /// Whether it keeps its promise (second moment).
        Experience = "experience" | "smot",
        /// Whether to come back and tell others (ultimate moment).
        Loyalty = "loyalty" | "umot",
    }
}

words! {
    /// Where a moment of truth comes from.
    pub enum Basis {
        /// People who know the journey say so.
        Declared = "declared",
        /// A log shows it.
        Measured = "measured",
    }
}
