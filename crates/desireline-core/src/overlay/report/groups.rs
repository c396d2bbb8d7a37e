//! Personas, periods, and whether they differ.

use desireline_stats::{Estimate, TestResult};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::CellKind;
use crate::report::Rate;

/// A persona as the log shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PersonaMeasure {
    /// Its id; `(no persona)` for those who belong to none.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Whether a log can show it: whether it has a `member` condition.
    pub measured: bool,
    /// Its customers.
    pub customers: u64,
    /// Their journeys.
    pub journeys: u64,
    /// Their events.
    pub events: u64,
    /// Its customers, of all.
    pub share: Rate,
    /// The share that the map says.
    pub declared_share: Option<f64>,
    /// Journeys with a visit to any touchpoint, of theirs.
    pub reach: Rate,
    /// Journeys that ended without a goal, of theirs whose outcome is known.
    pub drop_off: Rate,
    /// Journeys that reached a goal, of theirs whose outcome is known.
    pub goal: Rate,
    /// Journeys that may still go on.
    pub open: u64,
}

/// A rate that groups are compared by.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MeasureKind {
    /// Journeys with a visit, of all.
    Reach,
    /// Journeys that end here without a goal, of those with a visit and a known outcome.
    DropOff,
    /// Journeys that reach a goal, of the same.
    Goal,
}

impl MeasureKind {
    /// All of them.
    pub const ALL: [MeasureKind; 3] = [MeasureKind::Reach, MeasureKind::DropOff, MeasureKind::Goal];

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            MeasureKind::Reach => "reach",
            MeasureKind::DropOff => "drop_off",
            MeasureKind::Goal => "goal",
        }
    }
}

/// The map of each persona, or of each period, in numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GroupMaps {
    /// What the groups are: `persona` or `period`.
    pub by: String,
    /// The groups: personas in the order of the map, then those who belong to none; or periods in order.
    pub groups: Vec<GroupMap>,
    /// Customers in more than one group.
    pub overlapping: u64,
    /// Whether the groups differ, place by place; the surest difference first.
    pub tests: Vec<GroupTest>,
}

/// The map of one group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GroupMap {
    /// The persona's id, or the period's first day.
    pub id: String,
    /// The persona's name, or the period's.
    pub name: String,
    /// Its customers.
    pub customers: u64,
    /// Its journeys.
    pub journeys: u64,
    /// Whether it was observed as a whole; always so for personas.
    pub complete: bool,
    /// Stages, then touchpoints, then channels, in the order of the map.
    pub cells: Vec<GroupCell>,
}

/// What is measured of a part of the map in one group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GroupCell {
    /// Which kind of part.
    pub kind: CellKind,
    /// Its id.
    pub id: String,
    /// Journeys of the group with a visit.
    pub journeys: u64,
    /// Customers of the group with a visit.
    pub customers: u64,
    /// Journeys with a visit.
    pub reach: GroupRate,
    /// Journeys that end here without a goal.
    pub drop_off: GroupRate,
    /// Journeys that reach a goal.
    pub goal: GroupRate,
}

impl GroupCell {
    /// The rate of a kind.
    pub fn rate(&self, kind: MeasureKind) -> &GroupRate {
        match kind {
            MeasureKind::Reach => &self.reach,
            MeasureKind::DropOff => &self.drop_off,
            MeasureKind::Goal => &self.goal,
        }
    }
}

/// A group's rate as it is, and drawn towards the other groups as far as it stands on little.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GroupRate {
    /// As counted. A hole where fewer than `min_n` customers stand behind it.
    pub raw: Rate,
    /// After beta-binomial shrinkage; the prior stands in [`GroupTest::prior`]. Absent where no prior could be had: fewer than two
    /// groups with data.
    pub shrunk: Option<Estimate>,
}

/// Whether groups differ in one rate of one part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GroupTest {
    /// Which kind of part.
    pub kind: CellKind,
    /// Its id.
    pub id: String,
    /// Which rate.
    pub measure: MeasureKind,
    /// Groups that take part: those with at least `min_n` customers in the base.
    pub groups: u64,
    /// χ² of no difference with its degrees of freedom and p, the customer as unit; absent with fewer than two groups.
    pub test: Option<TestResult>,
    /// p after Benjamini and Hochberg, over all tests of personas and periods in the report.
    pub q: Option<f64>,
    /// The prior that the shrunk rates come from.
    pub prior: Option<BetaPrior>,
}

/// A beta distribution of a rate over groups.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BetaPrior {
    /// First parameter.
    pub alpha: f64,
    /// Second parameter.
    pub beta: f64,
}

/// Reach and goals over time. A journey counts in the period in which it began.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Trend {
    /// The calendar unit: `day`, `week`, `month`, `quarter` or `year`.
    pub unit: String,
    /// The zone whose midnight counts.
    pub zone: String,
    /// The periods in order.
    pub periods: Vec<TrendPeriod>,
    /// Stages, then touchpoints, in the order of the map.
    pub rows: Vec<TrendRow>,
}

/// One period.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TrendPeriod {
    /// Its first day.
    pub name: String,
    /// Its first instant, in microseconds since 1970 UTC.
    pub from: i64,
    /// The first instant after it.
    pub to: i64,
    /// Whether it lies wholly within the time of observation and the window.
    pub complete: bool,
    /// Customers with a journey that began in it.
    pub customers: u64,
    /// Journeys that began in it.
    pub journeys: u64,
    /// Journeys that reached a goal, of those whose outcome is known.
    pub goal: Rate,
}

/// One part over time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TrendRow {
    /// Which kind of part.
    pub kind: CellKind,
    /// Its id.
    pub id: String,
    /// Journeys with a visit, of those that began in the period; a period each.
    pub reach: Vec<Rate>,
    /// Journeys that reach a goal, of those with a visit whose outcome is known; a period each.
    pub goal: Vec<Rate>,
}
