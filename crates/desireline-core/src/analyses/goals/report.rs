//! The report.

use desireline_stats::Estimate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::report::{Caveat, Cells, Rate, Report, Table};

/// The answer to [`Goals`](super::Goals).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GoalsReport {
    /// The goals in the order of the question.
    pub goals: Vec<GoalResult>,
    /// All journeys.
    pub n_journeys: u64,
    /// Their customers.
    pub n_customers: u64,
    /// Journeys that may still go on.
    pub n_open: u64,
    /// The ISO 4217 code of the money, if the log has any.
    pub currency: Option<String>,
    /// Decimal places of its minor unit.
    pub currency_exponent: u32,
    /// What a reader must know.
    pub caveats: Vec<Caveat>,
}

/// One goal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GoalResult {
    /// Its name.
    pub name: String,
    /// Its expression.
    pub expr: String,
    /// Journeys that reached it, of all journeys. Too low while many are open.
    pub of_all: Rate,
    /// Journeys that reached it, of those that have ended. Open journeys are left out on both sides of the division, those that already
    /// reached the goal too: to leave out only the others would push the rate up.
    pub of_known: Rate,
    /// Events that match the goal.
    pub events: u64,
    /// Money at goal events; absent without a value column.
    pub value: Option<GoalValue>,
    /// From the journey's first event to the goal.
    pub time: TimeToGoal,
    /// How straight the way was; absent when nobody reached the goal.
    pub directness: Option<Directness>,
    /// Completion by the journey's first touchpoint, most journeys first.
    pub by_first_touchpoint: Vec<EntryRate>,
    /// Completion by the first channel known in the journey; absent when the log has no channel.
    pub by_channel: Option<Vec<EntryRate>>,
}

/// The money of a goal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GoalValue {
    /// Sum over all goal events in minor units; absent where it exceeds 64 bits.
    pub sum: Option<i64>,
    /// Journeys with an amount at a goal event. Goal events without one count neither here nor as 0.
    pub completions: u64,
    /// Mean per such journey, in minor units, clustered by customer; absent with too few of them.
    pub mean: Option<Estimate>,
}

/// How long it takes from a journey's first event to the goal.
///
/// The curve is the cumulative incidence of the goal: at t, the share of *all* journeys that have reached it by t. A journey that ended without the
/// goal never reaches it and stays in the count; every journey counts as long as it was observed, from its first event to the end of
/// observation, however early its last event was. So 20 of 100 journeys of which all were observed for a day are 20 % at one day, whether the
/// others left at once or came back. Only observation ends the counting (censoring-complete data, Fine and Gray 1999): while it has not ended for
/// anybody the curve is the plain share, later journeys that began too late to be seen that long are left out of the steps.
///
/// Below 5 journeys neither curve nor quantiles are given, below 10 no 90 % quantile. Intervals take journeys as independent of each other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TimeToGoal {
    /// Journeys.
    pub n: u64,
    /// Those that reached the goal.
    pub reached: u64,
    /// Median over those that reached it, microseconds. It says nothing of the others. Absent with too few.
    pub median_reached: Option<Estimate>,
    /// Times by which shares of all journeys have reached the goal, with limits; a share that never gets there has none.
    pub quantiles: Vec<TimeQuantile>,
    /// The curve, thinned for drawing; everything else is computed from the whole one.
    pub curve: Vec<CurvePoint>,
    /// What is known at chosen times.
    pub horizons: Vec<Horizon>,
}

impl TimeToGoal {
    /// The time by which half of all journeys have reached the goal, if they ever do.
    pub fn median(&self) -> Option<&TimeQuantile> {
        self.quantiles.iter().find(|q| q.share == 0.5)
    }
}

/// A time by which a share has reached the goal. Limits are those of Brookmeyer and Crowley on the log-log scale.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TimeQuantile {
    /// The share.
    pub share: f64,
    /// The time in microseconds.
    pub time: i64,
    /// Lower limit.
    pub lower: i64,
    /// Upper limit; absent when the data end before it.
    pub upper: Option<i64>,
}

/// One point of the curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CurvePoint {
    /// Microseconds since the journey's first event.
    pub time: i64,
    /// Journeys observed that long that have not reached the goal before, ended or not.
    pub at_risk: u64,
    /// The share that has reached it by then: 1 - Kaplan–Meier, with log-log limits.
    pub reached: Estimate,
}

/// What is known at one time after the journey's first event.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Horizon {
    /// The time in microseconds; events exactly then count.
    pub within: i64,
    /// Journeys that reached the goal by then, of those that began at least that long before the end of observation.
    pub rate: Rate,
    /// Journeys observed for longer than that which have not reached the goal by then, ended or not.
    pub at_risk: u64,
    /// The same share from all journeys, each as long as it was observed: 1 - Kaplan–Meier with log-log limits; absent where nobody is observed any
    /// more.
    pub reached: Option<Estimate>,
}

/// How straight the ways to the goal are: the fewest steps with which any journey reached it, over the steps of a journey. 1 is straight.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Directness {
    /// Fewest events up to and with the first goal event, over all journeys.
    pub shortest: u32,
    /// Median number of events; absent with too few journeys, as are the next two.
    pub median_steps: Option<Estimate>,
    /// `shortest` over the median number of events.
    pub median: Option<f64>,
    /// Mean of the journeys' directness.
    pub mean: Option<f64>,
    /// Journeys by their number of events, fewest first; the last row holds all that are longer.
    pub steps: Vec<StepsRow>,
}

/// Journeys with one number of events to the goal.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StepsRow {
    /// Events up to and with the goal; the least, in the last row.
    pub steps: u32,
    /// Whether longer ones are counted here too.
    pub or_more: bool,
    /// Journeys.
    pub journeys: u64,
    /// Fewest steps over these; the highest, in the last row.
    pub directness: f64,
}

/// Completion of the journeys that began alike.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EntryRate {
    /// The first touchpoint or the channel; `other` in the row for the rest.
    pub name: String,
    /// How many touchpoints or channels the row stands for.
    pub distinct: u64,
    /// Journeys that reached the goal, of all that began so. The row for the rest has exact counts and no interval, since
    /// a customer can be in it several times.
    pub rate: Rate,
}

impl Report for GoalsReport {
    fn title(&self) -> &'static str {
        "Goals"
    }

    fn tables(&self) -> Vec<Table> {
        let mut tables = vec![self.goals_table(), self.time_table(), self.horizon_table()];
        tables.push(self.steps_table());
        let touchpoints = |g: &GoalResult| g.by_first_touchpoint.clone();
        tables.push(self.entry_table(
            ("by_first_touchpoint", "Completion by first touchpoint"),
            ("touchpoint", "First touchpoint"),
            touchpoints,
        ));
        if self.goals.iter().any(|g| g.by_channel.is_some()) {
            tables.push(self.entry_table(
                ("by_channel", "Completion by channel"),
                ("channel", "Channel"),
                |g| g.by_channel.clone().unwrap_or_default(),
            ));
        }
        tables.push(self.curve_table());
        tables
    }

    crate::report::held!();
}

impl GoalsReport {
    fn goals_table(&self) -> Table {
        let of = |f: &dyn Fn(&GoalResult) -> Option<Rate>| {
            Cells::Rate(self.goals.iter().map(f).collect())
        };
        let estimates = |f: &dyn Fn(&GoalResult) -> Option<Estimate>| {
            Cells::Estimate(self.goals.iter().map(f).collect())
        };
        let mut table = Table::new("goals", "Goals")
            .with("goal", "Goal", self.names(|_| 1))
            .with("of_all", "Completion of all", of(&|g| Some(g.of_all)))
            .with(
                "of_known",
                "Completion of ended journeys",
                of(&|g| Some(g.of_known)),
            )
            .with(
                "median_time",
                "Median time of those who reached it",
                estimates(&|g| g.time.median_reached),
            )
            .with(
                "shortest",
                "Fewest steps",
                Cells::Count(
                    self.goals
                        .iter()
                        .map(|g| Some(u64::from(g.directness.as_ref()?.shortest)))
                        .collect(),
                ),
            )
            .with(
                "median_steps",
                "Median steps",
                estimates(&|g| g.directness.as_ref()?.median_steps),
            )
            .with(
                "directness",
                "Median directness",
                Cells::Number(
                    self.goals
                        .iter()
                        .map(|g| g.directness.as_ref()?.median)
                        .collect(),
                ),
            )
            .with(
                "events",
                "Goal events",
                Cells::Count(self.goals.iter().map(|g| Some(g.events)).collect()),
            );
        if let Some(currency) = &self.currency {
            table = table
                .with(
                    "value",
                    "Value",
                    Cells::Money {
                        amounts: self.goals.iter().map(|g| g.value.as_ref()?.sum).collect(),
                        currency: currency.clone(),
                        exponent: self.currency_exponent,
                    },
                )
                .with(
                    "mean_value",
                    "Mean value",
                    estimates(&|g| g.value.as_ref()?.mean),
                );
        }
        table
    }

    /// The goal's name once for each of its rows.
    fn names(&self, rows: impl Fn(&GoalResult) -> usize) -> Cells {
        Cells::Text(
            self.goals
                .iter()
                .flat_map(|g| std::iter::repeat_n(Some(g.name.clone()), rows(g)))
                .collect(),
        )
    }

    fn time_table(&self) -> Table {
        let rows = || self.goals.iter().flat_map(|g| &g.time.quantiles);
        Table::new("time_quantiles", "Time to goal")
            .with("goal", "Goal", self.names(|g| g.time.quantiles.len()))
            .with(
                "share",
                "Share of all journeys",
                Cells::Share(rows().map(|q| Some(q.share)).collect()),
            )
            .with(
                "time",
                "Time",
                Cells::Duration(rows().map(|q| Some(q.time)).collect()),
            )
            .with(
                "lower",
                "Lower limit",
                Cells::Duration(rows().map(|q| Some(q.lower)).collect()),
            )
            .with(
                "upper",
                "Upper limit",
                Cells::Duration(rows().map(|q| q.upper).collect()),
            )
    }

    fn horizon_table(&self) -> Table {
        let rows = || self.goals.iter().flat_map(|g| &g.time.horizons);
        Table::new("horizons", "Reached by a time")
            .with("goal", "Goal", self.names(|g| g.time.horizons.len()))
            .with(
                "within",
                "Within",
                Cells::Duration(rows().map(|h| Some(h.within)).collect()),
            )
            .with(
                "rate",
                "Reached, of those observed that long",
                Cells::Rate(rows().map(|h| Some(h.rate)).collect()),
            )
            .with(
                "at_risk",
                "Observed longer, not reached",
                Cells::Count(rows().map(|h| Some(h.at_risk)).collect()),
            )
            .with(
                "reached",
                "Reached, of all journeys",
                Cells::Estimate(rows().map(|h| h.reached).collect()),
            )
    }

    fn steps_table(&self) -> Table {
        let of = |g: &GoalResult| g.directness.as_ref().map_or(0, |d| d.steps.len());
        let rows = || {
            self.goals
                .iter()
                .filter_map(|g| g.directness.as_ref())
                .flat_map(|d| &d.steps)
        };
        Table::new("steps", "Steps to goal")
            .with("goal", "Goal", self.names(of))
            .with(
                "steps",
                "Steps",
                Cells::Count(rows().map(|r| Some(u64::from(r.steps))).collect()),
            )
            .with(
                "or_more",
                "Or more",
                Cells::Flag(rows().map(|r| Some(r.or_more)).collect()),
            )
            .with(
                "journeys",
                "Journeys",
                Cells::Count(rows().map(|r| Some(r.journeys)).collect()),
            )
            .with(
                "directness",
                "Directness",
                Cells::Number(rows().map(|r| Some(r.directness)).collect()),
            )
    }

    fn entry_table(
        &self,
        (name, title): (&'static str, &str),
        (column, label): (&str, &str),
        rows_of: impl Fn(&GoalResult) -> Vec<EntryRate>,
    ) -> Table {
        let rows: Vec<EntryRate> = self.goals.iter().flat_map(&rows_of).collect();
        Table::new(name, title)
            .with("goal", "Goal", self.names(|g| rows_of(g).len()))
            .with(
                column,
                label,
                Cells::Text(rows.iter().map(|r| Some(r.name.clone())).collect()),
            )
            .with(
                "distinct",
                "Distinct",
                Cells::Count(rows.iter().map(|r| Some(r.distinct)).collect()),
            )
            .with(
                "rate",
                "Completion",
                Cells::Rate(rows.iter().map(|r| Some(r.rate)).collect()),
            )
    }

    fn curve_table(&self) -> Table {
        let rows = || self.goals.iter().flat_map(|g| &g.time.curve);
        Table::new("time_to_goal", "Time to goal, thinned")
            .with("goal", "Goal", self.names(|g| g.time.curve.len()))
            .with(
                "time",
                "Time",
                Cells::Duration(rows().map(|p| Some(p.time)).collect()),
            )
            .with(
                "at_risk",
                "Observed, not reached before",
                Cells::Count(rows().map(|p| Some(p.at_risk)).collect()),
            )
            .with(
                "reached",
                "Reached, of all journeys",
                Cells::Estimate(rows().map(|p| Some(p.reached)).collect()),
            )
    }
}
