//! Any analysis that measures more than counts, compared between groups.

mod finish;
mod report;
mod rows;
mod simpson;
mod state;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use report::{
    CompareReport, ComparedGroup, ComparisonRow, PairOverlap, Side, SimpsonRow, StratumRow,
    Untested,
};
pub use state::ComparePartial;

use crate::engine::{
    Analysis, Attribution, Breakdown, Grouping, Located, MISSING, MOST, Measure, NO_SEGMENT,
    Partial,
};
use crate::error::{Result, SpecError, nearest};
use crate::journey::{Journey, Journeys, Morsel};
use crate::log::Catalog;
use crate::report::Answer;
use state::GroupState;

/// More groups times strata than this are not kept apart.
const MAX_STATES: usize = 4_000;
/// The word for the group of journeys in no segment.
const REST: &str = "rest";

/// The analysis `of`, compared between groups of journeys: differences with interval, p and q.
///
/// For every pair of groups and everything that the analysis measures (rates, times, times with censoring):
///
/// - rates: difference by Newcombe's method from the two Wilson intervals, which allow for several journeys per customer; p by the
///   clustered score test, or by the two-proportion or Fisher's exact test where every customer has one journey;
/// - times: difference of medians from their order-statistic intervals, Cliff's delta, p by Mann–Whitney; no p where a customer has several of these
///   times, since that test takes them as independent;
/// - times until a goal: difference of the median times of all journeys, or of the shares that got there by a common time where half never do; p by
///   log-rank, clustered by customer.
///
/// Intervals of times take a customer's times as independent; a caveat says so where customers have several.
/// q is Benjamini and Hochberg's over every test of the report, those not listed included. Nothing here shows a cause.
///
/// ```
/// use desireline_core::analyses::Goals;
/// use desireline_core::compare::Comparison;
/// use desireline_core::engine::{Breakdown, Segment};
/// use desireline_core::expr::event;
/// use desireline_core::journey::JourneyRule;
/// use desireline_core::log::{LogBuilder, LogOptions};
///
/// let mut log = LogBuilder::new(LogOptions::default());
/// for i in 0..60 {
///     let id = format!("c{i}");
///     log.push(id.as_str(), 0, if i % 2 == 0 { "app" } else { "web" })?;
///     if i % 2 == 0 || i % 3 == 0 {
///         log.push(id.as_str(), 1, "buy")?;
///     }
/// }
/// let journeys = log.finish()?.journeys(JourneyRule::customer())?;
/// let groups = Breakdown::Segments { segments: vec![Segment::new("app", event("app"))] };
/// let report = journeys.compare(&Goals::new(["buy"]).alive("0s"), groups)?;
/// let buys = &report.rows[0];
/// assert_eq!((buys.a.group.as_str(), buys.b.group.as_str()), ("app", "(no segment)"));
/// assert!(buys.difference.is_some_and(|d| d.lower > 0.3) && buys.q < Some(0.001));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Compare<A> {
    /// The analysis.
    pub of: A,
    /// What to compare and how.
    pub how: Comparison,
}

/// Which groups to compare, and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Comparison {
    /// The groups. Of one segment, its journeys are compared with the rest; of several, journeys in none are left out unless the rest is
    /// the baseline.
    pub groups: Breakdown,
    /// The group that others are compared with; `rest` for the journeys in no segment. Unless set: the rest of one segment, else
    /// the group with the most journeys, missing values only if there is no other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<String>,
    /// Which groups are paired.
    #[serde(default)]
    pub against: Against,
    /// An attribute that might be behind a difference: rates are compared within its values as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stratify: Option<String>,
    /// The level of the intervals.
    #[serde(default = "default_level")]
    pub level: f64,
    /// Below this many observations in either group nothing is given; with fewer successes, or failures, in both together nothing is tested.
    #[serde(default = "default_min_n")]
    pub min_n: u64,
    /// How many differences to list. q counts all.
    #[serde(default = "default_top")]
    pub top: u32,
}

/// Which groups are paired.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Against {
    /// Each group with the baseline.
    #[default]
    Baseline,
    /// Every group with every other, the smaller first.
    AllPairs,
}

fn default_level() -> f64 {
    0.95
}

fn default_min_n() -> u64 {
    crate::report::TOO_FEW
}

fn default_top() -> u32 {
    50
}

impl Comparison {
    /// The groups of this breakdown, each with the baseline.
    pub fn new(groups: Breakdown) -> Comparison {
        Comparison {
            groups,
            baseline: None,
            against: Against::Baseline,
            stratify: None,
            level: default_level(),
            min_n: default_min_n(),
            top: default_top(),
        }
    }

    /// Sets the group that others are compared with.
    #[must_use]
    pub fn baseline(mut self, group: impl Into<String>) -> Comparison {
        self.baseline = Some(group.into());
        self
    }

    /// Compares every group with every other.
    #[must_use]
    pub fn all_pairs(mut self) -> Comparison {
        self.against = Against::AllPairs;
        self
    }

    /// Compares rates within the values of this attribute as well.
    #[must_use]
    pub fn stratify(mut self, attribute: impl Into<String>) -> Comparison {
        self.stratify = Some(attribute.into());
        self
    }
}

impl From<Breakdown> for Comparison {
    fn from(groups: Breakdown) -> Comparison {
        Comparison::new(groups)
    }
}

impl From<&str> for Comparison {
    fn from(attribute: &str) -> Comparison {
        Comparison::new(Breakdown::by(attribute))
    }
}

impl From<String> for Comparison {
    fn from(attribute: String) -> Comparison {
        Comparison::new(Breakdown::by(attribute))
    }
}

impl Journeys {
    /// Compares an analysis between groups of journeys: by an attribute's name, a [`Breakdown`] or a whole [`Comparison`].
    ///
    /// # Errors
    /// Those of the analysis; [`SpecError::Field`] when a group named has no journeys, or only one group has.
    pub fn compare<A: Analysis>(
        &self,
        of: &A,
        how: impl Into<Comparison>,
    ) -> Result<Answer<CompareReport>> {
        self.run(&Compare {
            of: of.clone(),
            how: how.into(),
        })
    }
}

/// [`Compare`] bound to a catalog.
#[derive(Debug)]
pub struct ComparePlan<P> {
    of: P,
    how: Comparison,
    grouping: Grouping,
    strata: Option<Grouping>,
    /// Whether a group takes part, by its place in the grouping.
    compared: Vec<bool>,
    baseline: Option<usize>,
    label: String,
}

impl<P> ComparePlan<P> {
    fn is_named(&self, group: usize) -> bool {
        let segment = matches!(self.how.groups, Breakdown::Segments { .. });
        Some(group) == self.baseline || (segment && group != self.grouping.rest())
    }
}

fn field(analysis: &'static str, field: &'static str, problem: String) -> SpecError {
    SpecError::Field {
        analysis,
        field,
        problem,
    }
}

impl<A: Analysis> Analysis for Compare<A> {
    const NAME: &'static str = A::NAME;
    const STATE_VERSION: u32 = A::STATE_VERSION;
    const COUNTS_CUSTOMERS: bool = A::COUNTS_CUSTOMERS;
    type Plan = ComparePlan<A::Plan>;
    type Partial = ComparePartial<A::Partial>;
    type Report = CompareReport;

    fn plan(&self, catalog: &Catalog) -> Result<Self::Plan, SpecError> {
        let how = &self.how;
        if !(how.level > 0.0 && how.level < 1.0) {
            let problem = format!(
                "{} is not between 0 and 1, both excluded; 0.95 is usual",
                how.level
            );
            return Err(field(A::NAME, "level", problem));
        }
        if A::COMPARE_BY != A::NAME {
            let problem = format!(
                "`{}` only counts, and counts of groups of different size cannot be compared; compare `{}`",
                A::NAME,
                A::COMPARE_BY
            );
            return Err(field(A::NAME, "of", problem));
        }
        let of = self.of.plan(catalog)?;
        let grouping = Grouping::new(&how.groups, catalog, A::NAME)?;
        let baseline = match &how.baseline {
            None => None,
            Some(name) => Some(baseline(&grouping, name, A::NAME)?),
        };
        let mut compared = vec![true; grouping.n_groups()];
        let baseline = match &how.groups {
            Breakdown::Segments { segments } if segments.len() == 1 => {
                baseline.or(Some(grouping.rest()))
            }
            Breakdown::Segments { .. } => {
                compared[grouping.rest()] = baseline == Some(grouping.rest());
                baseline
            }
            Breakdown::Attribute { .. } => baseline,
        };
        let strata = match &how.stratify {
            None => None,
            Some(by) => {
                let by = Breakdown::Attribute {
                    by: by.clone(),
                    attribution: Attribution::First,
                };
                Some(Grouping::new(&by, catalog, A::NAME)?)
            }
        };
        let states = grouping.n_groups() * (1 + strata.as_ref().map_or(0, Grouping::n_groups));
        if states > MAX_STATES {
            let problem = format!(
                "{} groups times {} strata are too many to keep apart, the limit is {MAX_STATES}; name segments instead",
                grouping.n_groups(),
                states / grouping.n_groups() - 1
            );
            return Err(field(A::NAME, "stratify", problem));
        }
        Ok(ComparePlan {
            of,
            grouping,
            strata,
            compared,
            baseline,
            label: how.groups.label(),
            how: how.clone(),
        })
    }

    fn start(plan: &Self::Plan) -> Self::Partial {
        let state = |_: &bool| GroupState {
            n_journeys: 0,
            n_customers: 0,
            of: None,
            strata: BTreeMap::new(),
        };
        ComparePartial::new(plan.compared.iter().map(state).collect())
    }

    fn check(plan: &Self::Plan, read: &mut Self::Partial) -> Result<(), String> {
        if read.groups.len() != plan.compared.len() {
            let (found, expected) = (read.groups.len(), plan.compared.len());
            return Err(format!("it has {found} groups where there are {expected}"));
        }
        let n_strata = plan.strata.as_ref().map_or(0, Grouping::n_groups);
        for (group, compared) in read.groups.iter_mut().zip(&plan.compared) {
            let is_there = *compared && group.n_journeys > 0;
            let beyond = group.strata.keys().any(|s| *s as usize >= n_strata);
            let adds_up = group.n_customers <= group.n_journeys && group.n_journeys <= MOST;
            if group.of.is_some() != is_there || beyond || !adds_up {
                return Err("a group is none of the comparison's".to_owned());
            }
            for state in group.of.iter_mut().chain(group.strata.values_mut()) {
                A::check(&plan.of, state)?;
            }
        }
        let overlap = &read.overlap;
        let known = |g: u32| plan.compared.get(g as usize).copied().unwrap_or(false);
        let pairs = overlap.pairs.iter();
        let agree = pairs.into_iter().all(|(&(a, b), &(customers, journeys))| {
            a < b && known(a) && known(b) && customers <= overlap.customers && journeys <= MOST
        });
        if !agree || overlap.customers > overlap.n_customers || overlap.n_customers > MOST {
            return Err("its overlaps do not add up".to_owned());
        }
        Ok(())
    }

    fn observe(plan: &Self::Plan, partial: &mut Self::Partial, morsel: &Morsel<'_>) {
        let split = plan.grouping.split(morsel);
        let (mut added, limited) = (0, morsel.room < usize::MAX);
        for ((group, spans), compared) in partial.groups.iter_mut().zip(&split).zip(&plan.compared)
        {
            if spans.is_empty() {
                continue;
            }
            // Groups take memory one by one; beyond the budget the scan ends in an error, so the rest need not.
            if added > morsel.room {
                return;
            }
            let is_new = group.of.is_none();
            let sub = morsel.with_spans(spans);
            group.n_journeys += spans.len() as u64;
            group.n_customers += sub.customers().count() as u64;
            if !compared {
                continue;
            }
            let start = || A::start(&plan.of);
            A::observe(&plan.of, group.of.get_or_insert_with(start), &sub);
            if let Some(strata) = &plan.strata {
                for (number, spans) in (0u32..).zip(strata.split(&sub)) {
                    if spans.is_empty() {
                        continue;
                    }
                    let n_strata = group.strata.len();
                    let stratum = group.strata.entry(number).or_insert_with(start);
                    A::observe(&plan.of, stratum, &sub.with_spans(&spans));
                    if limited && group.strata.len() > n_strata {
                        added += group.strata.get(&number).map_or(0, Partial::heap_bytes);
                        if added > morsel.room {
                            return;
                        }
                    }
                }
            }
            if limited && is_new {
                added += group.of.as_ref().map_or(0, Partial::heap_bytes);
            }
        }
        partial.overlap.observe(&split, &plan.compared);
    }

    fn finish(plan: &Self::Plan, partial: &Self::Partial) -> Result<CompareReport> {
        finish::report::<A>(plan, partial)
    }

    fn locate(plan: &Self::Plan, journey: &Journey<'_>) -> Vec<Located> {
        let groups = plan.grouping.of_journey(journey.morsel(), journey.span());
        let mut cells = Vec::new();
        for group in groups.into_iter().filter(|&g| plan.compared[g]) {
            let name = plan.grouping.name(group);
            let inner = plan.grouping.locate::<A>(&plan.of, group, journey);
            cells.extend(inner.into_iter().map(|l| Located {
                cell: plan.grouping.cell(group, &l.cell),
                why: format!("{} is `{name}`; {}", plan.label, l.why),
            }));
        }
        cells
    }

    fn cells(plan: &Self::Plan, partial: &Self::Partial) -> Vec<(String, u64)> {
        let mut cells = Vec::new();
        for (group, state) in partial.groups.iter().enumerate() {
            for (cell, n) in state.of.iter().flat_map(|of| A::cells(&plan.of, of)) {
                cells.push((plan.grouping.cell(group, &cell), n));
            }
        }
        cells
    }

    fn measures(plan: &Self::Plan, partial: &Self::Partial) -> Vec<Measure> {
        let mut measures = Vec::new();
        for (group, state) in partial.groups.iter().enumerate() {
            for mut measure in state.of.iter().flat_map(|of| A::measures(&plan.of, of)) {
                let name = plan.grouping.name(group).to_owned();
                measure.key.insert(0, name);
                measures.push(measure);
            }
        }
        measures
    }
}

fn baseline(grouping: &Grouping, name: &str, analysis: &'static str) -> Result<usize, SpecError> {
    if let Some(group) = grouping.find(name) {
        return Ok(group);
    }
    if name == REST {
        return Ok(grouping.rest());
    }
    let names = || (0..grouping.n_groups()).map(|g| grouping.name(g));
    let known: Vec<&str> = names()
        .filter(|n| *n != MISSING && *n != NO_SEGMENT)
        .take(20)
        .collect();
    let meant =
        nearest(name, names()).map_or_else(String::new, |n| format!(" (did you mean `{n}`?)"));
    let problem = format!(
        "no group is called `{name}`{meant}; there are {}",
        known.join(", ")
    );
    Err(field(analysis, "baseline", problem))
}
