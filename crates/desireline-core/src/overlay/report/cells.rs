//! What is measured of one part of a map.

use desireline_stats::Estimate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kpi::{AlertRun, Currency};
use crate::report::Rate;

/// A kind of part that is measured.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CellKind {
    /// A stage.
    Stage,
    /// A step in a stage.
    Step,
    /// A touchpoint.
    Touchpoint,
    /// A channel.
    Channel,
}

impl CellKind {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            CellKind::Stage => "stage",
            CellKind::Step => "step",
            CellKind::Touchpoint => "touchpoint",
            CellKind::Channel => "channel",
        }
    }
}

/// What is measured of a stage, step, touchpoint or channel.
///
/// **Visits.** Of a journey only the events that belong to something of this kind are looked at here (for stages those of
/// touchpoints in a stage, and so on); a visit is a run of them in one place. A journey begins where its first visit is and ends
/// where its last one is. So `visits = entries + arrivals = exits + departures`, and, where an event belongs to one touchpoint
/// only, `departures` is the sum over the ways that lead away, `arrivals` over those that lead here.
///
/// **Outcomes** are those of the drop-off analysis: a journey reached a goal, is open (no goal, its last event lies less than
/// `alive` before the end of observation, and the customer's next journey has not begun), or dropped. Open journeys are in no
/// base of a rate of outcomes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CellMeasure {
    /// Events here.
    pub events: u64,
    /// Visits.
    pub visits: u64,
    /// Journeys with a visit.
    pub journeys: u64,
    /// Customers with one.
    pub customers: u64,
    /// Journeys with a visit, of all; clustered by customer.
    pub reach: Rate,
    /// Customers with a visit, of all.
    pub customer_reach: Rate,
    /// Journeys that begin here, of all.
    pub entries: Rate,
    /// Visits that come from elsewhere.
    pub arrivals: u64,
    /// Visits that lead elsewhere.
    pub departures: u64,
    /// Departures to a later stage, of all departures to a stage.
    pub forward: Rate,
    /// Departures to a later stage with one between that is passed over; part of `forward`.
    pub skipping: Rate,
    /// Departures to an earlier stage.
    pub backward: Rate,
    /// Journeys that end here: reached, dropped or open.
    pub exits: u64,
    /// Those of them that reached a goal.
    pub exits_reached: u64,
    /// Those of them that may still go on.
    pub exits_open: u64,
    /// Journeys with a visit that may still go on, wherever they are now.
    pub at_risk: u64,
    /// Journeys that end here without a goal, of the journeys with a visit whose outcome is known. Who comes back, see [`Returns`](super::Returns).
    pub drop_off: Rate,
    /// Journeys that reach a goal, before or after a visit, of the journeys with a visit whose outcome is known.
    pub goal: Rate,
    /// Journeys that reach a goal at the first visit or after it, of the same.
    pub goal_after: Rate,
    /// Journeys that reach a goal only before the first visit.
    pub goal_before: u64,
    /// The goal rate of journeys with a visit against that of journeys without; an association, not an effect.
    pub lift: Option<Contrast>,
    /// How long visits last.
    pub dwell: DwellMeasure,
}

/// Two rates and how far they are apart.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Contrast {
    /// The rate with what is asked about.
    pub with: Rate,
    /// The rate without it.
    pub without: Rate,
    /// With less without; clustered by customer, customers on both sides allowed for. A hole where one side has too few.
    pub difference: Option<Estimate>,
    /// Two-sided p of no difference.
    pub p: Option<f64>,
    /// The same after Benjamini and Hochberg, over all contrasts of its kind in the report.
    pub q: Option<f64>,
}

/// How long something lasts, where what had not ended at the journey's end is censored, not short.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DwellMeasure {
    /// How many were measured, censored ones included.
    pub n: u64,
    /// Those of them that the journey's end cut off: they lasted at least as long as was seen.
    pub censored: u64,
    /// Of how many nothing is known, such as a touchpoint's last event in its journey.
    pub unknown: u64,
    /// The median in microseconds (Kaplan-Meier), clustered by customer.
    pub median: Option<Estimate>,
    /// The 90th percentile, likewise.
    pub p90: Option<Estimate>,
    /// Why there is no median; absent where there is one, and where nothing was measured.
    pub median_hole: Option<TimeHole>,
    /// Why there is no 90th percentile, likewise.
    pub p90_hole: Option<TimeHole>,
}

/// Why a median or a 90th percentile is no estimate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "why", rename_all = "snake_case")]
#[non_exhaustive]
pub enum TimeHole {
    /// Fewer than the least number of observations that is asked for.
    TooFew,
    /// Half of them, or nine tenths, were not seen to end.
    NotEnded,
    /// It was seen, but so few lasted longer that nothing bounds it from above.
    NoUpperLimit {
        /// The median or percentile in microseconds.
        value: i64,
        /// The lower end of its interval.
        lower: i64,
    },
}

impl TimeHole {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            TimeHole::TooFew => "too few",
            TimeHole::NotEnded => "not seen to end",
            TimeHole::NoUpperLimit { .. } => "no upper limit",
        }
    }

    /// The value that has no upper limit.
    pub fn value(self) -> Option<i64> {
        match self {
            TimeHole::NoUpperLimit { value, .. } => Some(value),
            _ => None,
        }
    }
}

/// A stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StageMeasure {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its place in the order of stages, from 0; stages that follow the same one share it.
    pub level: u32,
    /// What is measured.
    #[serde(flatten)]
    pub cell: CellMeasure,
    /// Events here that belong to none of its steps; those of the steps and these make up its events.
    pub events_without_step: u64,
    /// How long it should take, in microseconds.
    pub target_duration: Option<i64>,
    /// What customers feel here.
    pub emotion: Option<EmotionMeasure>,
    /// What customers say here, by instrument.
    pub feedback: Option<Vec<FeedbackMeasure>>,
}

/// A step in a stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StepMeasure {
    /// Its id.
    pub id: String,
    /// What is done.
    pub name: String,
    /// The stage it is in.
    pub stage: String,
    /// What is measured.
    #[serde(flatten)]
    pub cell: CellMeasure,
}

/// A touchpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TouchpointMeasure {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The stages it sits in.
    pub stages: Vec<String>,
    /// The step it belongs to.
    pub step: Option<String>,
    /// Its channel.
    pub channel: Option<String>,
    /// Who answers for it.
    pub owner: Option<String>,
    /// `observed`, `survey_only` or `unobservable`.
    pub observability: String,
    /// Events for which its binding holds; others may take them under the policy `priority`. Absent without a binding.
    pub matched: Option<u64>,
    /// What is measured; absent without a binding.
    pub cell: Option<CellMeasure>,
    /// Visits that went well, of those whose outcome within the time set in the map is known; absent unless its binding has an
    /// `outcome`.
    pub outcome: Option<Rate>,
    /// What customers feel here.
    pub emotion: Option<EmotionMeasure>,
    /// What customers say here, by instrument.
    pub feedback: Option<Vec<FeedbackMeasure>>,
}

/// A channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ChannelMeasure {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its kind, such as `site_app`.
    pub kind: String,
    /// Whether it is online, where the map says so.
    pub online: Option<bool>,
    /// What is measured. The channel of an event is what the log's channel column says, or else its touchpoint's.
    #[serde(flatten)]
    pub cell: CellMeasure,
}

/// How many events of a touchpoint belong to a stage and step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Placement {
    /// The touchpoint.
    pub touchpoint: String,
    /// The stage; absent for events that belong to none.
    pub stage: Option<String>,
    /// The step; absent for events that belong to none.
    pub step: Option<String>,
    /// How many events.
    pub events: u64,
}

/// How many events of a stage come through a channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StageChannel {
    /// The stage.
    pub stage: String,
    /// The channel; absent for events without one, and for those of a channel that the map does not have.
    pub channel: Option<String>,
    /// How many events.
    pub events: u64,
}

/// Which way a step between two stages leads.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Direction {
    /// To the next stage.
    Forward,
    /// To a later one, passing over one between.
    Skip,
    /// To an earlier one.
    Backward,
    /// To one of the same place in the order, or within a stage.
    Aside,
}

impl Direction {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Direction::Forward => "forward",
            Direction::Skip => "skip",
            Direction::Backward => "backward",
            Direction::Aside => "aside",
        }
    }
}

/// A way from one touchpoint, stage or channel to another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EdgeMeasure {
    /// Between what.
    pub kind: CellKind,
    /// Where it begins.
    pub from: String,
    /// Where it leads.
    pub to: String,
    /// Which way it leads in the order of stages; for touchpoints only where each has one stage, for channels never.
    pub direction: Option<Direction>,
    /// How often it is taken.
    pub count: u64,
    /// Journeys that take it.
    pub journeys: u64,
    /// Customers who take it.
    pub customers: u64,
    /// Journeys that take it, of all.
    pub reach: Rate,
    /// How often it is taken, of all ways away from where it begins.
    pub share: Rate,
    /// Journeys that reach a goal after they took it for the first time, of those that took it and whose outcome is known.
    pub goal_after: Rate,
    /// Time from the last event before it to the first one after it.
    pub between: DwellMeasure,
}

/// What customers feel at a place, from what they were asked or wrote.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EmotionMeasure {
    /// How pleasant, from -1 to 1; a hole where too few told.
    pub valence: Option<Estimate>,
    /// How stirring, from 0 to 1.
    pub arousal: Option<Estimate>,
    /// How many told.
    pub n: u64,
    /// Where it comes from: `self_report`, `survey_derived`, `text_model`, `behaviour_proxy` or `expert_guess`.
    pub source: String,
}

/// What customers say at a place when they are asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FeedbackMeasure {
    /// The instrument, such as `nps`, `csat` or `ces_v2`.
    pub instrument: String,
    /// Its number with the interval; a hole where too few answered.
    pub value: Option<Estimate>,
    /// Answers that count.
    pub answers: u64,
    /// Answers, of those who were asked or were here.
    pub response: Option<Rate>,
}

/// A number that the map watches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct KpiMeasure {
    /// The id of the map's binding: a map may watch one KPI in several ways at one place.
    pub id: String,
    /// The KPI, such as `cart_abandonment`.
    pub kpi: String,
    /// Its name for people.
    pub name: String,
    /// The part of the map it is about; the whole map where absent.
    pub at: Option<String>,
    /// Its value; a hole where there is too little.
    pub value: Option<Estimate>,
    /// Of how many.
    pub n: u64,
    /// The target as the map writes it, such as `<= 0.6`.
    pub target: Option<String>,
    /// Whether the target is met: by all of the interval, or by none of it; absent where only a part of it does.
    pub met: Option<bool>,
    /// Whether the value calls for an alert; of one that has to last, whether it has for so long.
    pub alert: Option<bool>,
    /// For how many periods in a row it has; absent unless the alert has to last or the map was measured by period.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert_run: Option<AlertRun>,
    /// Why there is no value, or why the target cannot be compared with it.
    pub hole: Option<String>,
    /// The currency that its value, and those of its parts, are in minor units of; absent where it is no money.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// Its numbers by channel or kind, where it has several and none of them is that of all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<KpiPart>,
}

/// One of several numbers of a KPI.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct KpiPart {
    /// Of which channel or kind.
    pub key: String,
    /// Its value; a hole where there is too little.
    pub value: Option<Estimate>,
    /// Of how many.
    pub n: u64,
    /// Whether the target is met by it.
    pub met: Option<bool>,
    /// Why there is no value.
    pub hole: Option<String>,
}
