//! What `directly_follows` answers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::analyses::transitions::Graph;
use crate::report::{Caveat, Cells, Report, Table};

/// How often each touchpoint comes directly after each other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DirectlyFollowsReport {
    /// All events.
    pub events: u64,
    /// All journeys.
    pub journeys: u64,
    /// All customers.
    pub customers: u64,
    /// All pairs: events less journeys. The rows and `other` add up to it.
    pub count: u64,
    /// Distinct pairs of touchpoints; the rows and `other` add up to it.
    pub distinct: u64,
    /// The pairs: by count, then by name.
    pub pairs: Vec<PairRow>,
    /// All other pairs together; absent when every one is listed.
    pub other: Option<OtherPairs>,
    /// The touchpoints: by events, then by name.
    pub touchpoints: Vec<FollowedTouchpoint>,
    /// What a reader must know.
    pub caveats: Vec<Caveat>,
}

/// One touchpoint directly after another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PairRow {
    /// The touchpoint before.
    pub from: String,
    /// The touchpoint after.
    pub to: String,
    /// How often.
    pub count: u64,
}

/// The pairs that are not listed, together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OtherPairs {
    /// How many they are.
    pub distinct: u64,
    /// How often they occur.
    pub count: u64,
}

/// One touchpoint of the graph.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FollowedTouchpoint {
    /// Its name.
    pub touchpoint: String,
    /// Its events.
    pub events: u64,
    /// Journeys that start with it. Events less starts are the pairs in.
    pub starts: u64,
    /// Journeys that end with it. Events less ends are the pairs out.
    pub ends: u64,
}

impl DirectlyFollowsReport {
    /// The touchpoints and the listed pairs as a graph; PageRank and components are those of what is listed.
    pub fn graph(&self) -> Graph {
        Graph::of_counts(
            self.touchpoints
                .iter()
                .map(|t| (&*t.touchpoint, [t.events, t.starts, t.ends])),
            self.pairs.iter().map(|p| (&*p.from, &*p.to, p.count)),
        )
    }

    fn pairs_table(&self) -> Table {
        let other = self.other.as_ref();
        let name = |cell: &dyn Fn(&PairRow) -> &str| {
            let names = self.pairs.iter().map(|r| Some(cell(r).to_owned()));
            Cells::Text(names.chain(other.map(|_| None)).collect())
        };
        let count = |cell: &dyn Fn(&PairRow) -> u64, last: Option<u64>| {
            let counts = self.pairs.iter().map(|r| Some(cell(r)));
            Cells::Count(counts.chain(last.map(Some)).collect())
        };
        Table::new("pairs", "Directly after one another")
            .with("from", "From", name(&|r| &r.from))
            .with("to", "To", name(&|r| &r.to))
            .with(
                "distinct",
                "Distinct pairs",
                count(&|_| 1, other.map(|o| o.distinct)),
            )
            .with(
                "count",
                "Count",
                count(&|r| r.count, other.map(|o| o.count)),
            )
    }

    fn touchpoints_table(&self) -> Table {
        let rows = &self.touchpoints;
        let names = rows.iter().map(|r| Some(r.touchpoint.clone())).collect();
        let count = |cell: &dyn Fn(&FollowedTouchpoint) -> u64| {
            Cells::Count(rows.iter().map(|r| Some(cell(r))).collect())
        };
        Table::new("touchpoints", "Touchpoints")
            .with("touchpoint", "Touchpoint", Cells::Text(names))
            .with("events", "Events", count(&|r| r.events))
            .with("starts", "Starts", count(&|r| r.starts))
            .with("ends", "Ends", count(&|r| r.ends))
    }

    fn totals_table(&self) -> Table {
        let count = |n: u64| Cells::Count(vec![Some(n)]);
        Table::new("totals", "All pairs")
            .with("events", "Events", count(self.events))
            .with("journeys", "Journeys", count(self.journeys))
            .with("customers", "Customers", count(self.customers))
            .with("count", "Pairs", count(self.count))
            .with("distinct", "Distinct pairs", count(self.distinct))
    }
}

impl Report for DirectlyFollowsReport {
    fn title(&self) -> &'static str {
        "Directly-follows graph"
    }

    fn tables(&self) -> Vec<Table> {
        vec![
            self.pairs_table(),
            self.touchpoints_table(),
            self.totals_table(),
        ]
    }

    crate::report::held!();
}
