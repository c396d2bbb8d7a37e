//! What `transitions` answers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Graph;
use crate::analyses::Spread;
use crate::report::{Caveat, Cells, Rate, Report, Table};

/// What follows what: every pair of touchpoints in a row, and what that makes of each touchpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TransitionsReport {
    /// All events.
    pub events: u64,
    /// All journeys.
    pub journeys: u64,
    /// All customers.
    pub customers: u64,
    /// All transitions: events less journeys. The rows and `other` add up to it.
    pub count: u64,
    /// Distinct pairs of touchpoints; the rows and `other` add up to it.
    pub distinct: u64,
    /// The transitions: by count, then by name.
    pub transitions: Vec<TransitionRow>,
    /// All other transitions together; absent when every one is listed.
    pub other: Option<OtherTransitions>,
    /// The touchpoints: by events, then by name.
    pub touchpoints: Vec<TouchpointRow>,
    /// Repeats, ways straight back, and sets of touchpoints that lead back to each other.
    pub loops: Vec<LoopRow>,
    /// What a reader must know.
    pub caveats: Vec<Caveat>,
}

/// One touchpoint directly after another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TransitionRow {
    /// The touchpoint before.
    pub from: String,
    /// The touchpoint after.
    pub to: String,
    /// How often.
    pub count: u64,
    /// Journeys in which it occurs.
    pub journeys: u64,
    /// Customers with whom it occurs.
    pub customers: u64,
    /// Of all transitions out of `from`; the interval is clustered by customer.
    pub probability: Rate,
    /// Of all transitions; the interval is clustered by customer.
    pub share: Rate,
    /// The time between the two.
    pub between: Spread,
    /// How often the next touchpoint was `from` again: A, B, A.
    pub returns: u64,
}

/// The transitions that are not listed, together.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OtherTransitions {
    /// How many pairs they are.
    pub distinct: u64,
    /// How often they occur.
    pub count: u64,
    /// Their share of all transitions.
    pub share: f64,
}

/// One touchpoint among the others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TouchpointRow {
    /// Its name.
    pub touchpoint: String,
    /// Its events.
    pub events: u64,
    /// Journeys that visit it.
    pub journeys: u64,
    /// Customers who visit it.
    pub customers: u64,
    /// Journeys that start with it. Events less starts are the transitions in.
    pub starts: u64,
    /// Journeys that end with it. Events less ends are the transitions out.
    pub ends: u64,
    /// How many touchpoints come directly before it, itself included.
    pub in_degree: u64,
    /// How many touchpoints come directly after it, itself included.
    pub out_degree: u64,
    /// Where a walk along the transition probabilities is in the long run (PageRank, damping 0.85); all sum to 1.
    pub pagerank: f64,
    /// The set of touchpoints it leads to and back from, numbered from 1, the largest first.
    pub component: u64,
    /// How often it follows itself.
    pub self_loops: u64,
    /// How often a journey left it and came straight back: A, B, A.
    pub returns: u64,
    /// Visits after the first within a journey: events less journeys.
    pub revisits: u64,
    /// Of the journeys that visit it, those that visit it more than once; the interval is clustered by customer.
    pub rework: Rate,
}

/// A way back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LoopRow {
    /// What kind of way back.
    pub kind: LoopKind,
    /// The touchpoints, by name.
    pub touchpoints: Vec<String>,
    /// How often: repeats; returns either way; transitions within the set.
    pub count: u64,
}

/// What kind of way back a [`LoopRow`] is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum LoopKind {
    /// A touchpoint directly after itself.
    Repeat,
    /// There and straight back: A, B, A or B, A, B.
    Return,
    /// Touchpoints each of which leads to every other (a strongly connected component of more than one).
    Component,
}

impl LoopKind {
    /// The word for it.
    pub fn label(self) -> &'static str {
        match self {
            LoopKind::Repeat => "repeat",
            LoopKind::Return => "return",
            LoopKind::Component => "component",
        }
    }
}

impl TransitionsReport {
    /// The touchpoints and the listed transitions as a graph.
    pub fn graph(&self) -> Graph {
        Graph::new(self)
    }

    fn transitions_table(&self) -> Table {
        let rows = &self.transitions;
        let other = self.other.as_ref();
        let blank: Option<Option<u64>> = other.map(|_| None);
        let text = |cell: &dyn Fn(&TransitionRow) -> &str| {
            Cells::Text(
                rows.iter()
                    .map(|r| Some(cell(r).to_owned()))
                    .chain(other.map(|_| None))
                    .collect(),
            )
        };
        let count = |cell: &dyn Fn(&TransitionRow) -> u64, last: Option<Option<u64>>| {
            Cells::Count(rows.iter().map(|r| Some(cell(r))).chain(last).collect())
        };
        let rate = |cell: &dyn Fn(&TransitionRow) -> Rate| {
            Cells::Rate(
                rows.iter()
                    .map(|r| Some(cell(r)))
                    .chain(other.map(|_| None))
                    .collect(),
            )
        };
        let duration = |cell: &dyn Fn(&Spread) -> Option<i64>| {
            Cells::Duration(
                rows.iter()
                    .map(|r| cell(&r.between))
                    .chain(other.map(|_| None))
                    .collect(),
            )
        };
        Table::new("transitions", "Transitions")
            .with("from", "From", text(&|r| &r.from))
            .with("to", "To", text(&|r| &r.to))
            .with(
                "distinct",
                "Distinct pairs",
                count(&|_| 1, other.map(|o| Some(o.distinct))),
            )
            .with(
                "count",
                "Count",
                count(&|r| r.count, other.map(|o| Some(o.count))),
            )
            .with("journeys", "Journeys", count(&|r| r.journeys, blank))
            .with("customers", "Customers", count(&|r| r.customers, blank))
            .with("probability", "Probability", rate(&|r| r.probability))
            .with("share", "Share", rate(&|r| r.share))
            .with("median", "Median time between", duration(&|d| d.median))
            .with(
                "median_estimate",
                "Median with interval",
                Cells::Estimate(
                    rows.iter()
                        .map(|r| r.between.median_estimate)
                        .chain(other.map(|_| None))
                        .collect(),
                ),
            )
            .with("p90", "90 % take at most", duration(&|d| d.p90))
            .with("returns", "Straight back", count(&|r| r.returns, blank))
    }

    fn touchpoints_table(&self) -> Table {
        let rows = &self.touchpoints;
        let count = |cell: &dyn Fn(&TouchpointRow) -> u64| {
            Cells::Count(rows.iter().map(|r| Some(cell(r))).collect())
        };
        Table::new("touchpoints", "Touchpoints")
            .with(
                "touchpoint",
                "Touchpoint",
                Cells::Text(rows.iter().map(|r| Some(r.touchpoint.clone())).collect()),
            )
            .with("events", "Events", count(&|r| r.events))
            .with("journeys", "Journeys", count(&|r| r.journeys))
            .with("customers", "Customers", count(&|r| r.customers))
            .with("starts", "Starts", count(&|r| r.starts))
            .with("ends", "Ends", count(&|r| r.ends))
            .with("in_degree", "Ways in", count(&|r| r.in_degree))
            .with("out_degree", "Ways out", count(&|r| r.out_degree))
            .with(
                "pagerank",
                "PageRank",
                Cells::Number(rows.iter().map(|r| Some(r.pagerank)).collect()),
            )
            .with("component", "Component", count(&|r| r.component))
            .with("self_loops", "Repeats", count(&|r| r.self_loops))
            .with("returns", "Straight back", count(&|r| r.returns))
            .with("revisits", "Revisits", count(&|r| r.revisits))
            .with(
                "rework",
                "Journeys with revisits",
                Cells::Rate(rows.iter().map(|r| Some(r.rework)).collect()),
            )
    }

    fn loops_table(&self) -> Table {
        let rows = &self.loops;
        Table::new("loops", "Loops")
            .with(
                "kind",
                "Kind",
                Cells::Text(
                    rows.iter()
                        .map(|r| Some(r.kind.label().to_owned()))
                        .collect(),
                ),
            )
            .with(
                "touchpoints",
                "Touchpoints",
                Cells::Path(rows.iter().map(|r| Some(r.touchpoints.clone())).collect()),
            )
            .with(
                "count",
                "Count",
                Cells::Count(rows.iter().map(|r| Some(r.count)).collect()),
            )
    }

    fn totals_table(&self) -> Table {
        let count = |n: u64| Cells::Count(vec![Some(n)]);
        Table::new("totals", "All transitions")
            .with("events", "Events", count(self.events))
            .with("journeys", "Journeys", count(self.journeys))
            .with("customers", "Customers", count(self.customers))
            .with("count", "Transitions", count(self.count))
            .with("distinct", "Distinct pairs", count(self.distinct))
    }
}

impl Report for TransitionsReport {
    fn title(&self) -> &'static str {
        "Transitions"
    }

    fn tables(&self) -> Vec<Table> {
        vec![
            self.transitions_table(),
            self.touchpoints_table(),
            self.loops_table(),
            self.totals_table(),
        ]
    }

    crate::report::held!();
}
