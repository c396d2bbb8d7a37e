//! Transitions: which touchpoint follows which?

mod graph;
mod report;
mod scan;
mod state;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::graph::{Graph, GraphEdge, GraphNode};
pub use self::report::{
    LoopKind, LoopRow, OtherTransitions, TouchpointRow, TransitionRow, TransitionsReport,
};
pub use self::state::TransitionsPartial;

use super::parts::ByName;
use super::{Spread, label, parts};
use crate::engine::{Analysis, Located, Measure, MeasureData};
use crate::error::{Result, SpecError};
use crate::journey::{Journey, Morsel};
use crate::log::{Catalog, Vocabulary};
use crate::report::{Base, Caveat, Rate, TOO_FEW};

/// Which touchpoint follows which: how often, with how many customers, how probably and after how long.
///
/// A transition is two events of a journey directly after one another; equal ones count too. There are exactly as many as
/// events less journeys, and those out of a touchpoint are its events less the journeys that end there.
///
/// * `probability` = transitions from a to b ÷ transitions out of a; `share` = those ÷ all transitions. Both intervals
///   allow for customers with several ([`wilson_clustered`](desireline_stats::wilson_clustered)) and are absent below
///   five. Journeys that end at a touchpoint are no transitions: see `ends`.
/// * `between` is the time from the one event to the other, 0 for equal times.
/// * `returns` counts A, B, A with A ≠ B; overlapping ones each count. `revisits` = events less journeys of a touchpoint.
/// * PageRank, components and loops look at all transitions, also with `top`.
///
/// Cells, all counted in journeys: `transition/a > b`, `start/a`, `end/a`, `touchpoint/a` (visits it), `rework/a`
/// (visits it more than once). Takes O(events) time; memory grows with the distinct pairs.
///
/// ```
/// use desireline_core::analyses::Transitions;
/// use desireline_core::journey::JourneyRule;
/// use desireline_core::log::Log;
///
/// let log = Log::from_rows([
///     ("ann", 1, "home"), ("ann", 2, "search"), ("ann", 3, "home"), ("ann", 4, "cart"),
///     ("ben", 1, "home"), ("ben", 5, "search"),
/// ])?;
/// let found = log.journeys(JourneyRule::customer())?.run(&Transitions::default())?;
/// assert_eq!((found.events, found.journeys, found.count), (6, 2, 4));
/// let first = &found.transitions[0];
/// assert_eq!((&*first.from, &*first.to, first.count, first.customers), ("home", "search", 2, 2));
/// assert_eq!((first.probability.count, first.probability.n, first.returns), (2, 3, 1));
/// # Ok::<(), desireline_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Transitions {
    /// How many transitions to list; all of them if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top: Option<u32>,
    /// Whether to measure the time between; without it the rest is counted faster.
    pub times: bool,
    /// The level of the intervals.
    pub level: f64,
}

impl Default for Transitions {
    fn default() -> Transitions {
        Transitions {
            top: None,
            times: true,
            level: 0.95,
        }
    }
}

impl Transitions {
    /// The `n` most frequent transitions.
    pub fn top(n: u32) -> Transitions {
        Transitions {
            top: Some(n),
            ..Transitions::default()
        }
    }

    /// Whether to measure the time between.
    #[must_use]
    pub fn times(self, times: bool) -> Transitions {
        Transitions { times, ..self }
    }

    /// Sets the level of the intervals.
    #[must_use]
    pub fn level(self, level: f64) -> Transitions {
        Transitions { level, ..self }
    }
}

/// A bound [`Transitions`].
#[derive(Debug)]
pub struct TransitionsPlan {
    spec: Transitions,
    names: Vocabulary,
}

fn field(field: &'static str, problem: impl Into<String>) -> SpecError {
    SpecError::Field {
        analysis: Transitions::NAME,
        field,
        problem: problem.into(),
    }
}

impl Analysis for Transitions {
    const NAME: &'static str = "transitions";
    const STATE_VERSION: u32 = 2;
    type Plan = TransitionsPlan;
    type Partial = TransitionsPartial;
    type Report = TransitionsReport;

    fn plan(&self, catalog: &Catalog) -> Result<TransitionsPlan, SpecError> {
        if self.top == Some(0) {
            return Err(field(
                "top",
                "0 transitions cannot be listed; use 1 or more",
            ));
        }
        parts::check_level(Self::NAME, self.level)?;
        Ok(TransitionsPlan {
            spec: self.clone(),
            names: catalog.events.clone(),
        })
    }

    fn start(_: &TransitionsPlan) -> TransitionsPartial {
        TransitionsPartial::default()
    }

    fn check(plan: &TransitionsPlan, read: &mut TransitionsPartial) -> Result<(), String> {
        read.complete(plan.names.len(), plan.spec.times)
    }

    fn observe(plan: &TransitionsPlan, partial: &mut TransitionsPartial, morsel: &Morsel<'_>) {
        partial.reserve(plan.names.len());
        crate::with_codes!(morsel.codes(), codes => {
            if plan.spec.times {
                let times = morsel.times();
                let between = |i: usize| times[i + 1].saturating_sub(times[i]);
                for spans in morsel.customers() {
                    partial.customer::<_, true>(codes, spans, between);
                }
            } else {
                for spans in morsel.customers() {
                    partial.customer::<_, false>(codes, spans, |_| 0);
                }
            }
        });
    }

    fn finish(plan: &TransitionsPlan, partial: &TransitionsPartial) -> Result<TransitionsReport> {
        Ok(finish(plan, partial))
    }

    fn locate(plan: &TransitionsPlan, journey: &Journey<'_>) -> Vec<Located> {
        let name = |code: u32| plan.names.name(code);
        let codes: Vec<u32> = journey.codes().collect();
        let mut visits: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        let mut steps: BTreeMap<(u32, u32), Vec<usize>> = BTreeMap::new();
        for (i, &code) in codes.iter().enumerate() {
            visits.entry(code).or_default().push(i + 1);
            if let Some(&next) = codes.get(i + 1) {
                steps.entry((code, next)).or_default().push(i + 1);
            }
        }
        let mut cells = Vec::new();
        let mut push = |kind: &str, names: &[&str], why: String| {
            cells.push(Located {
                cell: label::cell(kind, names.iter().copied()),
                why,
            });
        };
        if let (Some(&first), Some(&last)) = (codes.first(), codes.last()) {
            push("start", &[name(first)], "it is its first event".to_owned());
            push(
                "end",
                &[name(last)],
                format!("it is its last event, number {}", codes.len()),
            );
        }
        for (code, events) in visits {
            let why = format!("events {}", list(&events));
            push("touchpoint", &[name(code)], why.clone());
            if events.len() > 1 {
                push("rework", &[name(code)], why);
            }
        }
        for ((from, to), events) in steps {
            let why = format!("after events {}", list(&events));
            push("transition", &[name(from), name(to)], why);
        }
        cells
    }

    fn cells(plan: &TransitionsPlan, partial: &TransitionsPartial) -> Vec<(String, u64)> {
        let name = |code: u32| plan.names.name(code);
        let mut cells = Vec::new();
        for ((from, to), pair) in partial.pairs() {
            cells.push((
                label::cell("transition", [name(from), name(to)]),
                pair.journeys,
            ));
        }
        for (code, node) in partial.nodes() {
            for (kind, n) in [
                ("start", node.starts),
                ("end", node.ends),
                ("touchpoint", node.rework.n),
                ("rework", node.rework.k),
            ] {
                cells.push((label::cell(kind, [name(code)]), n));
            }
        }
        cells
    }

    /// `transition` (its probability) and `transition_time` by from and to, and `rework` by touchpoint.
    fn measures(plan: &TransitionsPlan, partial: &TransitionsPartial) -> Vec<Measure> {
        let name = |code: u32| plan.names.name(code).to_owned();
        let mut measures = Vec::new();
        for ((from, to), pair) in partial.pairs() {
            let Some(node) = partial.node(from) else {
                continue;
            };
            let key = vec![name(from), name(to)];
            if plan.spec.times && pair.count >= TOO_FEW {
                measures.push(Measure {
                    kind: "transition_time",
                    key: key.clone(),
                    data: MeasureData::Times {
                        times: pair.times.clone(),
                        one_each: parts::at_most_one_each(&pair.probability(&node.out)),
                    },
                });
            }
            measures.push(Measure {
                kind: "transition",
                key,
                data: MeasureData::Rate(pair.probability(&node.out)),
            });
        }
        for (code, node) in partial.nodes() {
            measures.push(Measure {
                kind: "rework",
                key: vec![name(code)],
                data: MeasureData::Rate(node.rework),
            });
        }
        measures.sort_by(|a, b| (a.kind, &a.key).cmp(&(b.kind, &b.key)));
        measures
    }
}

fn list(places: &[usize]) -> String {
    let words: Vec<String> = places.iter().map(ToString::to_string).collect();
    words.join(", ")
}

fn finish(plan: &TransitionsPlan, partial: &TransitionsPartial) -> TransitionsReport {
    let level = plan.spec.level;
    let name = |code: u32| plan.names.name(code);
    let by_name = ByName::new(&plan.names);
    let mut pairs: Vec<_> = partial.pairs().collect();
    pairs.sort_unstable_by_key(|((from, to), pair)| {
        (Reverse(pair.count), by_name.rank(*from), by_name.rank(*to))
    });

    let distinct = pairs.len();
    let top = plan
        .spec
        .top
        .map_or(distinct, |top| distinct.min(top as usize));
    let mut exact = true;
    let mut transitions = Vec::with_capacity(top);
    for ((from, to), pair) in &pairs[..top] {
        let Some(node) = partial.node(*from) else {
            continue;
        };
        exact &= pair.times.is_exact();
        transitions.push(TransitionRow {
            from: name(*from).to_owned(),
            to: name(*to).to_owned(),
            count: pair.count,
            journeys: pair.journeys,
            customers: pair.customers,
            probability: Rate::clustered(&pair.probability(&node.out), Base::OfPrevious, level),
            share: Rate::clustered(&pair.share(&partial.all), Base::OfAll, level),
            between: Spread::new(&pair.times, level),
            returns: partial.returns(*from, *to),
        });
    }
    let listed: u64 = transitions.iter().map(|t| t.count).sum();
    let count = partial.all.n;

    let mut caveats = Vec::new();
    if top < distinct {
        caveats.push(Caveat::Truncated {
            what: "transitions".to_owned(),
            shown: top as u64,
            distinct: distinct as u64,
        });
    }
    let withheld = transitions
        .iter()
        .filter(|t| t.probability.too_few())
        .count() as u64;
    if withheld > 0 {
        caveats.push(Caveat::TooFew {
            what: "probabilities".to_owned(),
            cells: withheld,
            least: TOO_FEW,
        });
    }
    if !exact {
        caveats.push(parts::approximate_quantiles());
    }
    let repeat = pairs.iter().any(|(_, p)| p.repeats());
    if plan.spec.times && repeat {
        caveats.push(Caveat::IndependenceAssumed {
            what: "transition times".to_owned(),
        });
    }

    let counts: Counts = pairs
        .iter()
        .map(|((from, to), p)| {
            let ranks = (by_name.rank(*from), by_name.rank(*to));
            (ranks, (p.count, partial.returns(*from, *to)))
        })
        .collect();
    let touchpoints = touchpoints(plan, partial, &counts, &by_name);
    TransitionsReport {
        events: partial.events,
        journeys: partial.journeys,
        customers: partial.customers,
        count,
        distinct: distinct as u64,
        transitions,
        other: (top < distinct).then(|| OtherTransitions {
            distinct: (distinct - top) as u64,
            count: count - listed,
            share: (count - listed) as f64 / count.max(1) as f64,
        }),
        loops: loops(&counts, &touchpoints, plan, &by_name),
        touchpoints,
        caveats,
    }
}

/// Count and returns of each pair, by the ranks of the names: the order in which floats are summed.
type Counts = BTreeMap<(u32, u32), (u64, u64)>;

fn touchpoints(
    plan: &TransitionsPlan,
    partial: &TransitionsPartial,
    counts: &Counts,
    by_name: &ByName<'_>,
) -> Vec<TouchpointRow> {
    let mut nodes: Vec<_> = partial
        .nodes()
        .map(|(code, node)| (by_name.rank(code), node))
        .collect();
    nodes.sort_unstable_by_key(|(rank, _)| *rank);
    let place = |rank: u32| nodes.binary_search_by_key(&rank, |(r, _)| *r).ok();
    let edges: Vec<(usize, usize, u64)> = counts
        .iter()
        .filter_map(|(&(from, to), &(count, _))| Some((place(from)?, place(to)?, count)))
        .collect();
    let ranks = graph::pagerank(nodes.len(), &edges);
    let components = graph::components(nodes.len(), &edges);
    let (mut ins, mut outs) = (vec![0; nodes.len()], vec![0; nodes.len()]);
    for &(from, to, _) in &edges {
        outs[from] += 1;
        ins[to] += 1;
    }
    let mut returns = vec![0; nodes.len()];
    for (&(from, _), &(_, back)) in counts {
        if let Some(i) = place(from) {
            returns[i] += back;
        }
    }
    let mut rows: Vec<TouchpointRow> = nodes
        .iter()
        .enumerate()
        .map(|(i, &(rank, node))| TouchpointRow {
            touchpoint: by_name.name(rank).to_owned(),
            events: node.events,
            journeys: node.rework.n,
            customers: node.rework.m,
            starts: node.starts,
            ends: node.ends,
            in_degree: ins[i],
            out_degree: outs[i],
            pagerank: ranks[i],
            component: components[i] as u64 + 1,
            self_loops: counts.get(&(rank, rank)).map_or(0, |c| c.0),
            returns: returns[i],
            revisits: node.events.saturating_sub(node.rework.n),
            rework: Rate::clustered(&node.rework, Base::OfEntered, plan.spec.level),
        })
        .collect();
    rows.sort_by(|a, b| {
        b.events
            .cmp(&a.events)
            .then_with(|| a.touchpoint.cmp(&b.touchpoint))
    });
    rows
}

fn loops(
    counts: &Counts,
    touchpoints: &[TouchpointRow],
    plan: &TransitionsPlan,
    by_name: &ByName<'_>,
) -> Vec<LoopRow> {
    let name = |rank: u32| by_name.name(rank).to_owned();
    let mut loops = Vec::new();
    for (&(from, to), &(count, returns)) in counts {
        if from == to {
            loops.push(LoopRow {
                kind: LoopKind::Repeat,
                touchpoints: vec![name(from)],
                count,
            });
        }
        // A return takes both ways, so each pair is seen once from its first name.
        let other_way = counts.get(&(to, from)).map_or(0, |c| c.1);
        if from < to && returns + other_way > 0 {
            loops.push(LoopRow {
                kind: LoopKind::Return,
                touchpoints: vec![name(from), name(to)],
                count: returns + other_way,
            });
        }
    }
    let mut sets: BTreeMap<u64, BTreeSet<&str>> = BTreeMap::new();
    for row in touchpoints {
        sets.entry(row.component)
            .or_default()
            .insert(&row.touchpoint);
    }
    let mut component = vec![None; plan.names.len()];
    for row in touchpoints {
        if let Some(code) = plan.names.code(&row.touchpoint) {
            component[by_name.rank(code) as usize] = Some(row.component);
        }
    }
    let mut within: BTreeMap<u64, u64> = BTreeMap::new();
    for (&(from, to), (count, _)) in counts {
        if let (Some(from), Some(to)) = (component[from as usize], component[to as usize])
            && from == to
        {
            *within.entry(from).or_default() += count;
        }
    }
    for (number, set) in sets.into_iter().filter(|(_, set)| set.len() > 1) {
        loops.push(LoopRow {
            kind: LoopKind::Component,
            count: within.get(&number).copied().unwrap_or(0),
            touchpoints: set.into_iter().map(str::to_owned).collect(),
        });
    }
    loops.sort_by(|a, b| {
        a.kind
            .cmp(&b.kind)
            .then_with(|| b.count.cmp(&a.count))
            .then_with(|| a.touchpoints.cmp(&b.touchpoints))
    });
    loops
}
