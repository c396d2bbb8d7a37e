//! The directly-follows graph: how often does each touchpoint come directly after each other?

mod kernel;
mod report;
mod state;

use std::cmp::Reverse;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::report::{DirectlyFollowsReport, FollowedTouchpoint, OtherPairs, PairRow};
pub use self::state::DirectlyFollowsPartial;

use super::label;
use super::parts::ByName;
use crate::engine::{Analysis, Located, Measure};
use crate::error::{Result, SpecError};
use crate::journey::{Journey, Morsel};
use crate::log::{Catalog, Vocabulary};
use crate::report::Caveat;

/// How often does each touchpoint come directly after each other, only counted.
///
/// The directly-follows graph of process mining: for every pair of touchpoints how often the second is the next event of a
/// journey after the first, and for every touchpoint its events and how many journeys start and end with it. Counts of all
/// events, so without intervals; who asks how sure a share is, how many customers stand behind it or how long it took asks
/// [`Transitions`](super::Transitions), which takes several times as long.
///
/// There are exactly as many pairs as events less journeys; the rows and `other` add up to them.
///
/// Cells, all counted in journeys: `start/a`, `end/a`. Takes O(events) time, a few nanoseconds an event, where there are at
/// most 256 names; memory grows with the distinct pairs.
///
/// Source: W. van der Aalst, *Process Mining*, 2nd edition 2016, section 6.2.
///
/// ```
/// use desireline_core::analyses::DirectlyFollows;
/// use desireline_core::journey::JourneyRule;
/// use desireline_core::log::Log;
///
/// let log = Log::from_rows([
///     ("ann", 1, "home"), ("ann", 2, "search"), ("ann", 3, "home"), ("ann", 4, "cart"),
///     ("ben", 1, "home"), ("ben", 5, "search"),
/// ])?;
/// let found = log.journeys(JourneyRule::customer())?.run(&DirectlyFollows::default())?;
/// assert_eq!((found.events, found.journeys, found.count), (6, 2, 4));
/// let first = &found.pairs[0];
/// assert_eq!((&*first.from, &*first.to, first.count), ("home", "search", 2));
/// # Ok::<(), desireline_core::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DirectlyFollows {
    /// How many pairs to list; all of them if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top: Option<u32>,
}

impl DirectlyFollows {
    /// The `n` most frequent pairs.
    pub fn top(n: u32) -> DirectlyFollows {
        DirectlyFollows { top: Some(n) }
    }
}

/// A bound [`DirectlyFollows`].
#[derive(Debug)]
pub struct DirectlyFollowsPlan {
    top: Option<u32>,
    names: Vocabulary,
}

impl Analysis for DirectlyFollows {
    const NAME: &'static str = "directly_follows";
    const STATE_VERSION: u32 = 1;
    const COMPARE_BY: &'static str = super::Transitions::NAME;
    type Plan = DirectlyFollowsPlan;
    type Partial = DirectlyFollowsPartial;
    type Report = DirectlyFollowsReport;

    fn plan(&self, catalog: &Catalog) -> Result<DirectlyFollowsPlan, SpecError> {
        if self.top == Some(0) {
            return Err(SpecError::Field {
                analysis: Self::NAME,
                field: "top",
                problem: "0 pairs cannot be listed; use 1 or more".to_owned(),
            });
        }
        Ok(DirectlyFollowsPlan {
            top: self.top,
            names: catalog.events.clone(),
        })
    }

    fn start(_: &DirectlyFollowsPlan) -> DirectlyFollowsPartial {
        DirectlyFollowsPartial::default()
    }

    fn check(plan: &DirectlyFollowsPlan, read: &mut DirectlyFollowsPartial) -> Result<(), String> {
        read.check(plan.names.len())
    }

    fn observe(
        plan: &DirectlyFollowsPlan,
        partial: &mut DirectlyFollowsPartial,
        morsel: &Morsel<'_>,
    ) {
        kernel::observe(plan.names.len(), partial, morsel);
    }

    fn finish(
        plan: &DirectlyFollowsPlan,
        partial: &DirectlyFollowsPartial,
    ) -> Result<DirectlyFollowsReport> {
        Ok(finish(plan, partial))
    }

    fn locate(plan: &DirectlyFollowsPlan, journey: &Journey<'_>) -> Vec<Located> {
        let located = |kind: &str, i: usize, why: String| Located {
            cell: label::cell(kind, [plan.names.name(journey.code(i))]),
            why,
        };
        let last = journey.len() - 1;
        vec![
            located("start", 0, "it is its first event".to_owned()),
            located(
                "end",
                last,
                format!("it is its last event, number {}", last + 1),
            ),
        ]
    }

    fn cells(plan: &DirectlyFollowsPlan, partial: &DirectlyFollowsPartial) -> Vec<(String, u64)> {
        let cell = |kind: &str, code: u32| label::cell(kind, [plan.names.name(code)]);
        partial
            .nodes()
            .flat_map(|(code, node)| {
                [
                    (cell("start", code), node.starts),
                    (cell("end", code), node.ends),
                ]
            })
            .collect()
    }

    /// Nothing: counts without a base are no measure.
    fn measures(_: &DirectlyFollowsPlan, _: &DirectlyFollowsPartial) -> Vec<Measure> {
        Vec::new()
    }
}

fn finish(plan: &DirectlyFollowsPlan, partial: &DirectlyFollowsPartial) -> DirectlyFollowsReport {
    let name = |code: u32| plan.names.name(code);
    let mut pairs: Vec<_> = partial.pairs().collect();
    let by_name = ByName::new(&plan.names);
    pairs.sort_unstable_by_key(|&((from, to), count)| {
        (Reverse(count), by_name.rank(from), by_name.rank(to))
    });
    let distinct = pairs.len();
    let top = plan.top.map_or(distinct, |top| distinct.min(top as usize));
    let count: u64 = pairs.iter().map(|(_, count)| count).sum();
    let rest = &pairs[top..];
    let other = (!rest.is_empty()).then(|| OtherPairs {
        distinct: rest.len() as u64,
        count: rest.iter().map(|(_, count)| count).sum(),
    });
    let mut caveats = Vec::new();
    if other.is_some() {
        caveats.push(Caveat::Truncated {
            what: "pairs".to_owned(),
            shown: top as u64,
            distinct: distinct as u64,
        });
    }
    let mut touchpoints: Vec<FollowedTouchpoint> = partial
        .nodes()
        .map(|(code, node)| FollowedTouchpoint {
            touchpoint: name(code).to_owned(),
            events: node.events,
            starts: node.starts,
            ends: node.ends,
        })
        .collect();
    touchpoints.sort_unstable_by(|a, b| {
        (Reverse(a.events), &a.touchpoint).cmp(&(Reverse(b.events), &b.touchpoint))
    });
    DirectlyFollowsReport {
        events: partial.events,
        journeys: partial.journeys,
        customers: partial.customers,
        count,
        distinct: distinct as u64,
        pairs: pairs[..top]
            .iter()
            .map(|&((from, to), count)| PairRow {
                from: name(from).to_owned(),
                to: name(to).to_owned(),
                count,
            })
            .collect(),
        other,
        touchpoints,
        caveats,
    }
}
