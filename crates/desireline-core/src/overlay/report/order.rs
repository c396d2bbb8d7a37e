//! Channels, hand-overs and the order of stages.

use desireline_stats::Estimate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Contrast;
use crate::report::Rate;

/// How many channels journeys use and how often they change. The changes themselves are the edges between channels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ChannelUse {
    /// Journeys with at least one event whose channel is known.
    pub journeys: u64,
    /// Events whose channel is known and one of the map's.
    pub events: u64,
    /// Events without any channel.
    pub events_without: u64,
    /// Events through a channel that the map does not have, by the log's name for it, the most frequent first.
    pub unknown: Vec<(String, u64)>,
    /// Journeys by how many channels they use: `(channels, journeys)`, ascending.
    pub spread: Vec<(u32, u64)>,
    /// Channels per journey: the mean.
    pub channels_per_journey: Option<Estimate>,
    /// Changes of channel per journey: the mean; absent also where nobody changes.
    pub switches_per_journey: Option<Estimate>,
    /// Changes of channel in all.
    pub switches: u64,
    /// Journeys that use several channels, of those with any.
    pub fragmented: Rate,
    /// Goal rate of journeys that use several channels against those that use one.
    pub goal: Option<Contrast>,
}

/// What becomes of journeys that are handed over, against those that stay.
///
/// The unit is a step from one event to the next, up to the first goal. A step that changes hands is held against the steps that
/// stay with the one it leaves: how many of either are followed by a goal in their journey. Journeys that may still go on are
/// left out. It is an association: those who change may differ from those who do not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Handover {
    /// What changes: `owner`, `channel`, or an attribute.
    pub by: String,
    /// From whom; absent for all changes together.
    pub from: Option<String>,
    /// To whom.
    pub to: Option<String>,
    /// How often that happens.
    pub count: u64,
    /// In how many journeys.
    pub journeys: u64,
    /// Of how many customers.
    pub customers: u64,
    /// Goals after a change (`with`) against goals after staying (`without`).
    pub goal: Contrast,
    /// The share of goals that the change costs: without less with. Below 0 it is a gain: more of those who change reach a goal.
    /// Absent where the difference is a hole.
    pub loss: Option<f64>,
}

/// In which order journeys pass the stages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StageOrder {
    /// Journeys with an event in a stage.
    pub journeys: u64,
    /// The stages as a funnel: how many journeys reach each after all before it.
    pub conversion: Vec<StageConversion>,
    /// How far journeys come.
    pub furthest: Vec<FurthestStage>,
    /// Journeys that begin in a later than the first stage.
    pub late_starts: Rate,
    /// Journeys that go on to a new stage and pass one over.
    pub skips: Rate,
    /// Journeys that go back to an earlier stage than the furthest they had reached.
    pub regressions: Rate,
    /// Journeys that are brought to a decision too fast; absent where no such stages are known.
    pub forced: Option<ForcedJumps>,
}

/// How many journeys reach a stage after all that come before it, as a funnel of the stages would count them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StageConversion {
    /// The place in the order of stages, from 0.
    pub level: u32,
    /// The stages at this place: one, unless some are side by side.
    pub stages: Vec<String>,
    /// Of all journeys.
    pub of_all: Rate,
    /// Of those that reached the first place.
    pub of_entered: Rate,
    /// Of those that reached the place before.
    pub of_previous: Rate,
}

/// Journeys by the furthest stage they come to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FurthestStage {
    /// The stage; of several side by side, the one visited first.
    pub stage: String,
    /// Journeys for which it is the furthest, of all with a stage.
    pub rate: Rate,
}

/// Journeys whose first event of a decision follows on too little thought.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ForcedJumps {
    /// The stage of weighing up.
    pub from: String,
    /// The stage of deciding.
    pub to: String,
    /// Fewer events of weighing up than this are too few.
    pub touches: u64,
    /// Less time since the first of them, in microseconds, is too short; absent where time does not count.
    pub within: Option<i64>,
    /// Forced journeys, of those that come to a decision.
    pub rate: Rate,
    /// The goal rate of forced journeys against that of the others that come to a decision.
    pub goal: Option<Contrast>,
}
