//! What `paths` answers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Flow, PathEntropy};
use crate::analyses::Spread;
use crate::report::{Caveat, Cells, Rate, Report, Table};

/// Which ways customers take, how often, how long they last and whether they lead to the goal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PathsReport {
    /// All journeys; the rows and `other` add up to it.
    pub journeys: u64,
    /// All customers.
    pub customers: u64,
    /// Distinct paths; the rows and `other` add up to it.
    pub distinct: u64,
    /// Paths that a single journey took.
    pub singletons: u64,
    /// How much the paths differ; absent without journeys.
    pub entropy: Option<PathEntropy>,
    /// Journeys longer than the part that was looked at; 0 for whole journeys.
    pub shortened: u64,
    /// The share of journeys on the listed paths.
    pub coverage: f64,
    /// The most frequent paths: by journeys, then by name.
    pub paths: Vec<PathRow>,
    /// All other paths together; absent when every path is listed.
    pub other: Option<OtherPaths>,
    /// The share of all journeys that reached the goal, if one was given.
    pub goal: Option<Rate>,
    /// How long the paths of all journeys last.
    pub duration: Spread,
    /// The first steps of all journeys, for a picture; absent when no steps were asked for.
    pub flow: Option<Flow>,
    /// What a reader must know.
    pub caveats: Vec<Caveat>,
}

/// One path.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PathRow {
    /// Its touchpoints in order.
    pub path: Vec<String>,
    /// Journeys that took it.
    pub journeys: u64,
    /// Customers who took it at least once.
    pub customers: u64,
    /// Its share of all journeys; the interval is clustered by customer.
    pub share: Rate,
    /// The share of all journeys on this path and those above it. Exact for what was observed; it has no interval.
    pub cumulative_share: f64,
    /// The share of its journeys that reached the goal, if one was given.
    pub goal: Option<Rate>,
    /// From its first touchpoint to its last.
    pub duration: Spread,
}

/// The paths that are not listed, together.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OtherPaths {
    /// How many paths they are.
    pub distinct: u64,
    /// Journeys on them.
    pub journeys: u64,
    /// Those journeys that reached the goal, if one was given.
    pub goals: Option<u64>,
    /// Their share of all journeys.
    pub share: f64,
}

impl PathsReport {
    fn paths_table(&self) -> Table {
        let rows = &self.paths;
        let other = self.other.as_ref();
        let has_goal = self.goal.is_some();
        let numbers = Cells::Count(
            (1..=rows.len() as u64)
                .map(Some)
                .chain(other.map(|_| None))
                .collect(),
        );
        let with_other = |cell: &dyn Fn(&PathRow) -> Option<u64>, last: Option<Option<u64>>| {
            Cells::Count(rows.iter().map(cell).chain(last).collect())
        };
        let mut table = Table::new("paths", "Paths")
            .with("rank", "Rank", numbers)
            .with(
                "path",
                "Path",
                Cells::Path(
                    rows.iter()
                        .map(|r| Some(r.path.clone()))
                        .chain(other.map(|_| None))
                        .collect(),
                ),
            )
            .with(
                "distinct",
                "Distinct paths",
                with_other(&|_| Some(1), other.map(|o| Some(o.distinct))),
            )
            .with(
                "journeys",
                "Journeys",
                with_other(&|r| Some(r.journeys), other.map(|o| Some(o.journeys))),
            )
            .with(
                "customers",
                "Customers",
                with_other(&|r| Some(r.customers), other.map(|_| None)),
            )
            .with(
                "share",
                "Share",
                Cells::Rate(
                    rows.iter()
                        .map(|r| Some(r.share))
                        .chain(other.map(|_| None))
                        .collect(),
                ),
            )
            .with(
                "cumulative_share",
                "Cumulative",
                Cells::Share(
                    rows.iter()
                        .map(|r| Some(r.cumulative_share))
                        .chain(other.map(|_| Some(1.0)))
                        .collect(),
                ),
            );
        if has_goal {
            table = table
                .with(
                    "goals",
                    "Reached the goal",
                    with_other(&|r| r.goal.map(|g| g.count), other.map(|o| o.goals)),
                )
                .with(
                    "goal",
                    "Goal rate",
                    Cells::Rate(
                        rows.iter()
                            .map(|r| r.goal)
                            .chain(other.map(|_| None))
                            .collect(),
                    ),
                );
        }
        let duration = |cell: &dyn Fn(&Spread) -> Option<i64>| {
            Cells::Duration(
                rows.iter()
                    .map(|r| cell(&r.duration))
                    .chain(other.map(|_| None))
                    .collect(),
            )
        };
        table
            .with("median", "Median duration", duration(&|d| d.median))
            .with(
                "median_estimate",
                "Median with interval",
                Cells::Estimate(
                    rows.iter()
                        .map(|r| r.duration.median_estimate)
                        .chain(other.map(|_| None))
                        .collect(),
                ),
            )
            .with("p90", "90 % last at most", duration(&|d| d.p90))
    }

    fn totals_table(&self) -> Table {
        let count = |n: u64| Cells::Count(vec![Some(n)]);
        let mut table = Table::new("totals", "All paths")
            .with("journeys", "Journeys", count(self.journeys))
            .with("customers", "Customers", count(self.customers))
            .with("distinct", "Distinct paths", count(self.distinct))
            .with("singletons", "Taken once", count(self.singletons))
            .with("shortened", "Longer than shown", count(self.shortened))
            .with(
                "coverage",
                "On listed paths",
                Cells::Share(vec![Some(self.coverage)]),
            );
        let number =
            |cell: fn(PathEntropy) -> Option<f64>| Cells::Number(vec![self.entropy.and_then(cell)]);
        table = table
            .with("entropy", "Entropy, bits", number(|e| Some(e.bits)))
            .with(
                "entropy_corrected",
                "Corrected, bits",
                number(|e| Some(e.corrected)),
            )
            .with("evenness", "Evenness", number(|e| e.evenness))
            .with(
                "effective_paths",
                "As many even paths",
                number(|e| Some(e.effective_paths)),
            );
        if self.goal.is_some() {
            table = table.with("goal", "Goal rate", Cells::Rate(vec![self.goal]));
        }
        table
            .with(
                "median",
                "Median duration",
                Cells::Duration(vec![self.duration.median]),
            )
            .with(
                "median_estimate",
                "Median with interval",
                Cells::Estimate(vec![self.duration.median_estimate]),
            )
            .with(
                "p90",
                "90 % last at most",
                Cells::Duration(vec![self.duration.p90]),
            )
    }
}

impl Report for PathsReport {
    fn title(&self) -> &'static str {
        "Paths"
    }

    fn tables(&self) -> Vec<Table> {
        let mut tables = vec![self.paths_table(), self.totals_table()];
        tables.extend(self.flow.as_ref().map(Flow::table));
        tables
    }

    crate::report::held!();
}
