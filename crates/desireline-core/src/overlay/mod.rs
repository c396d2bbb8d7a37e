//! A map held against a log: the one place that knows both.
//!
//! [`BoundMap`] compiles a map's bindings against the names of a log. [`check`] says what the log has to say to the map:
//! bindings that match nothing or are shadowed, events that belong to nothing, tracking that broke. [`overlay()`] measures the
//! map: reach, flow, drop-off, time and goals of each of its parts, every number with its interval.

mod bind;
mod check;
mod coverage;
mod emotion;
mod feedback;
mod finish;
mod health;
mod kpis;
mod lifecycle;
mod measured;
mod pairs;
mod pass;
mod periods;
mod persona_diff;
mod persona_weights;
mod place;
mod placed;
mod plan;
mod promises;
mod question;
pub mod report;
mod responders;
mod returns;
mod run;
mod scan;
mod scenarios;
mod sums;
#[cfg(test)]
mod tests;
mod voice;
mod who;

pub use self::bind::{
    BindScratch, BoundMap, BoundTouchpoint, Candidate, LenientMatcher, UnknownName,
};
pub use self::check::{MapCheck, check, is_heard, journey_rule};
pub use self::coverage::{Coverage, OrphanCount, TouchpointCoverage};
pub use self::emotion::{
    CustomerEmotion, EmotionCurve, EmotionOrigin, EmotionPoint, EmotionSummary, EmotionValue,
    emotion_curve,
};
pub use self::feedback::{FeedbackJoin, JoinRule, Joined, Place, Ties, Unjoined, join_feedback};
pub use self::kpis::{KpiSources, measure_kpis};
pub use self::lifecycle::{
    Lifecycle, LifecyclePartial, LifecyclePlan, LifecycleReport, PhaseRow, WayRow,
};
pub use self::measured::{measured, measured_and_heard};
pub use self::persona_diff::{
    FieldChange, PersonaDiff, PersonaDiffOptions, PersonaField, UnknownPersona, persona_diff,
};
pub use self::persona_weights::{PersonaWeight, PersonaWeights, persona_weights};
pub use self::placed::{placed, placed_among};
pub use self::promises::measure_promises;
pub use self::question::{Forced, NAME, Overlay};
#[doc(inline)]
pub use self::report::OverlayReport;
pub use self::responders::measure_responders;
pub use self::returns::measure_returns;
pub use self::run::{overlay, split_by_persona};
pub use self::scenarios::{ScenarioOverlap, ScenarioReport, ScenarioRow, scenario_rule, scenarios};
pub use self::voice::{HeardRow, ListenOptions, PlaceRow, VoiceReport, listen};

/// Customers without a persona.
const NO_PERSONA: &str = "(no persona)";
