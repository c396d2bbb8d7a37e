//! What a map measured against a log says.

mod cells;
mod groups;
mod health;
mod order;
mod promises;
mod responders;
mod returns;
mod tables;
mod verdict_tables;
mod watched;

pub use self::cells::{
    CellKind, CellMeasure, Contrast, Direction, DwellMeasure, EdgeMeasure, EmotionMeasure,
    FeedbackMeasure, KpiMeasure, KpiPart, StageMeasure, StepMeasure, TouchpointMeasure,
};
pub use self::cells::{ChannelMeasure, Placement, StageChannel, TimeHole};
pub use self::groups::{
    BetaPrior, GroupCell, GroupMap, GroupMaps, GroupRate, GroupTest, MeasureKind, PersonaMeasure,
    Trend, TrendPeriod, TrendRow,
};
pub use self::health::{Health, HealthReason, TouchpointHealth};
pub use self::order::{
    ChannelUse, ForcedJumps, FurthestStage, Handover, StageConversion, StageOrder,
};

pub use self::promises::{PromiseMeasure, PromiseVerdict};
pub use self::responders::{GoalSatisfaction, ResponderBias, Responders};
pub use self::returns::{ReturnMeasure, Returns};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Coverage;
use crate::report::{Answer, Caveat, Provenance, Rate};

/// A journey map with what a log says to each of its parts.
///
/// Every rate is a [`Rate`]: how many, of how many, and the estimate with its interval, or a hole where there were too few. Every
/// length of time is a [`DwellMeasure`]. Parts that the log never shows are here too, with counts of 0 and holes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OverlayReport {
    /// Which map.
    pub map: MapSummary,
    /// Over what: the log, how it was cut, how much of it the map explains.
    pub base: OverlayBase,
    /// The goals of the map that a log can show.
    pub goals: Vec<GoalMeasure>,
    /// The stages, in the order of the map.
    pub stages: Vec<StageMeasure>,
    /// The steps, stage by stage.
    pub steps: Vec<StepMeasure>,
    /// The touchpoints, in the order of the map; those without a binding have no numbers.
    pub touchpoints: Vec<TouchpointMeasure>,
    /// The channels, in the order of the map.
    pub channels: Vec<ChannelMeasure>,
    /// How many events of a touchpoint belong to which stage and step. They add up to the events of either.
    pub placements: Vec<Placement>,
    /// How many events of a stage come through which channel, as [`ChannelMeasure`] knows an event's channel; they add up to the
    /// events of the stage. Stages in the order of the map, the most used channel first.
    pub stage_channels: Vec<StageChannel>,
    /// Ways from one touchpoint to another, from one stage to another and from one channel to another, most taken first.
    pub edges: Vec<EdgeMeasure>,
    /// The personas, in the order of the map; then those who belong to none.
    pub personas: Vec<PersonaMeasure>,
    /// How many channels journeys use and how often they change.
    pub channel_use: ChannelUse,
    /// What is lost where a journey is handed over: from owner to owner, channel to channel, or between the values of
    /// another attribute.
    pub handovers: Vec<Handover>,
    /// In which order stages are passed.
    pub order: StageOrder,
    /// Reach and goals, period by period; absent unless asked for.
    pub trend: Option<Trend>,
    /// The same measures for each persona, and for each period.
    pub groups: Vec<GroupMaps>,
    /// Which events belong to a touchpoint, and which to none.
    pub coverage: Coverage,
    /// Touchpoints with a binding that have no event in these journeys.
    pub never_seen: Vec<String>,
    /// How each touchpoint is doing, in the order of the map; then events that belong to none, the most frequent first.
    pub health: Vec<TouchpointHealth>,
    /// The numbers that the map watches; absent until they have been evaluated.
    pub kpis: Option<Vec<KpiMeasure>>,
    /// The promises of the map's expectations; absent until they have been held against the log.
    pub promises: Option<Vec<PromiseMeasure>>,
    /// Who answered, and how satisfied those are who reached a goal; absent without answers.
    pub responders: Option<Responders>,
    /// Who leaves without a goal, and whether they come back; absent until it has been measured.
    #[serde(default)]
    pub returns: Option<Returns>,
    /// What a reader must know.
    pub caveats: Vec<Caveat>,
    /// Where it came from.
    pub provenance: Provenance,
    /// The question as JSON.
    pub spec: serde_json::Value,
}

/// Which map was measured, in words for a cover.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MapSummary {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Its version.
    pub version: String,
    /// `actual`, `ideal`, `competitor` or `hypothesis`.
    pub kind: String,
    /// `draft`, `reviewed`, `published` or `retired`.
    pub status: String,
    /// The day whose knowledge it shows.
    pub as_of: String,
    /// The name of the stakeholder who answers for it, or the id where there is none of that id.
    pub owner: String,
    /// What it is to help decide.
    pub aim: Option<String>,
    /// The situation it is about.
    pub scenario: Option<String>,
    /// The first day of its window, and the day after the last.
    pub window: Option<(String, String)>,
    /// The zone whose midnight counts.
    pub zone: String,
    /// What it says that it counts: `person`, `order`, `ticket` or `session`.
    pub unit: Option<String>,
    /// The language of the texts in this report.
    pub language: String,
    /// A hash of all that the map says.
    pub fingerprint: String,
}

/// Over what a map was measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OverlayBase {
    /// Customers with a journey.
    pub customers: u64,
    /// Journeys.
    pub journeys: u64,
    /// Their events.
    pub events: u64,
    /// Events that belong to a touchpoint.
    pub bound_events: u64,
    /// Their share of all events; absent without events.
    pub bound_share: Option<f64>,
    /// Journeys with no event that belongs to a touchpoint.
    pub off_map: u64,
    /// Journeys that reached a goal.
    pub reached: u64,
    /// Journeys that ended without one.
    pub dropped: u64,
    /// Journeys without one that may still go on: at risk, not lost.
    pub open: u64,
    /// Their share of all journeys; absent without journeys.
    pub open_share: Option<f64>,
    /// Journeys that reached a goal, of those whose outcome is known.
    pub goal: Rate,
    /// Events outside of the window, before it and after it; they count nowhere else.
    pub outside_window: (u64, u64),
    /// For how long after its last event a journey may still go on, in microseconds.
    pub alive: i64,
    /// Until when customers were observed, in microseconds since 1970 UTC: the end of the window, or of the log.
    pub observed_until: i64,
    /// The confidence level of all intervals.
    pub level: f64,
    /// Below how many observations there is a hole instead of a number.
    pub min_n: u64,
}

/// A goal of the map.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GoalMeasure {
    /// Its id.
    pub id: String,
    /// What is wanted.
    pub text: String,
    /// Whether a log can show it: whether it has a `success`.
    pub measured: bool,
    /// Events that are the goal.
    pub events: u64,
    /// Journeys that reached it, of those whose outcome is known: reached it, or not open.
    pub rate: Rate,
}

impl OverlayReport {
    /// The report as an answer, which every renderer takes.
    pub fn into_answer(self) -> Answer<OverlayReport> {
        Answer {
            analysis: super::NAME.to_owned(),
            spec: self.spec.clone(),
            provenance: self.provenance.clone(),
            report: self,
        }
    }

    /// What helps the goal and what stands in its way: the places whose `lift` has a q of at most `q`, the strongest first, with the
    /// difference of goal rates. Ask with [`Overlay::lens`](super::Overlay::lens) for one goal.
    ///
    /// These are associations: who meets a place may differ from who does not.
    pub fn lens(&self, q: f64) -> Vec<(CellKind, &str, Contrast)> {
        let stages = self.stages.iter();
        let stages = stages.map(|s| (CellKind::Stage, s.id.as_str(), s.cell.lift));
        let steps = self.steps.iter();
        let steps = steps.map(|s| (CellKind::Step, s.id.as_str(), s.cell.lift));
        let touchpoints = self.touchpoints.iter();
        let touchpoints = touchpoints.map(|t| {
            let lift = t.cell.as_ref().and_then(|c| c.lift);
            (CellKind::Touchpoint, t.id.as_str(), lift)
        });
        let channels = self.channels.iter();
        let channels = channels.map(|c| (CellKind::Channel, c.id.as_str(), c.cell.lift));
        let all = stages.chain(steps).chain(touchpoints).chain(channels);
        let mut seen: Vec<(CellKind, &str, Contrast)> = all
            .filter_map(|(kind, id, lift)| Some((kind, id, lift?)))
            .filter(|(_, _, lift)| lift.q.is_some_and(|found| found <= q))
            .collect();
        let size = |c: &Contrast| c.difference.map_or(0.0, |d| d.value.abs());
        seen.sort_by(|a, b| {
            let by_size = size(&b.2).total_cmp(&size(&a.2));
            by_size.then_with(|| (a.0, a.1).cmp(&(b.0, b.1)))
        });
        seen
    }

    /// The stage of this id.
    pub fn stage(&self, id: &str) -> Option<&StageMeasure> {
        self.stages.iter().find(|s| s.id == id)
    }

    /// The step of this id.
    pub fn step(&self, id: &str) -> Option<&StepMeasure> {
        self.steps.iter().find(|s| s.id == id)
    }

    /// The touchpoint of this id.
    pub fn touchpoint(&self, id: &str) -> Option<&TouchpointMeasure> {
        self.touchpoints.iter().find(|t| t.id == id)
    }

    /// The channel of this id.
    pub fn channel(&self, id: &str) -> Option<&ChannelMeasure> {
        self.channels.iter().find(|c| c.id == id)
    }

    /// The way between two touchpoints, stages or channels.
    pub fn edge(&self, kind: CellKind, from: &str, to: &str) -> Option<&EdgeMeasure> {
        let is_it = |e: &&EdgeMeasure| e.kind == kind && e.from == from && e.to == to;
        self.edges.iter().find(is_it)
    }
}
