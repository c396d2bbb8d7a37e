//! How many journeys take these steps in this order, where do they stop, and how long does it take?

mod attempt;
mod explain;
mod report;
mod step;

pub use report::{FunnelReport, FunnelStep, StepTime};
pub use step::Step;

use desireline_stats::{Clusters, Distribution};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::deferred::Deferred;
use crate::engine::{Analysis, Located, Measure, MeasureData, Partial};
use crate::error::{Result, SpecError};
use crate::journey::{Journey, Matcher, Morsel};
use crate::log::Catalog;
use crate::time::TimeSpan;
use attempt::Tests;

/// The most steps that a funnel can have.
pub const MAX_STEPS: usize = 64;

/// How many journeys take these steps in this order, where do they stop, and how long does it take?
///
/// **Attempt.** A journey's attempt fills the steps with different events, one after the other in the log's order;
/// other events may lie between. An event that matches several steps fills one of them, whichever lets the attempt get
/// deepest. All of an attempt lies within `within` of its first step, both ends included. Of all attempts the deepest
/// counts; among equals the one that ends first, then the one that starts first, then the one whose inner steps come first.
///
/// **Counts.** A journey *reached* step k if its best attempt did, *entered* if it reached step 1, and *converted* if it
/// reached the last. One that entered without converting is *at risk* if it may still convert: some step-1 event lies
/// less than `within` before the end of observation, and the customer's next journey has not begun. The others are
/// *dropped* at the deepest step they reached. Without `within` nothing is at risk: waiting has no end. So
/// journeys = not entered + converted + dropped + at risk.
///
/// **Rates** have the bases `of_all` journeys, `of_entered` and `of_previous` step; these take journeys at risk as not
/// converted. `of_known` does not: its base are the entrants whose first step-1 event lies at least `within` before the
/// end of observation. All intervals are clustered by customer.
///
/// **Times** are those of the best attempt, from step to step and from the first step, over the journeys that got there.
///
/// Cost: one pass over the events plus a second one up to the deepest step for journeys that got past step 1; memory
/// independent of the number of journeys. Sources: semantics as in ClickHouse's `windowFunnel`, but one event fills one
/// step; equal times keep the log's order.
///
/// ```
/// use desireline_core::analyses::funnel::Funnel;
/// use desireline_core::journey::JourneyRule;
/// use desireline_core::log::{LogBuilder, LogOptions};
///
/// let mut builder = LogBuilder::new(LogOptions::default());
/// for (customer, second, event) in [
///     ("ann", 0, "view"), ("ann", 9, "view"), ("ann", 12, "cart"),
///     ("bob", 0, "view"), ("bob", 99, "cart"),
///     ("cid", 95, "view"),
/// ] {
///     builder.push(customer, second * 1_000_000, event)?;
/// }
/// let journeys = builder.finish()?.journeys(JourneyRule::customer())?;
/// let funnel = journeys.run(&Funnel::steps(["view", "cart"]).within("10s"))?;
/// assert_eq!((funnel.entered, funnel.converted, funnel.dropped, funnel.at_risk), (3, 1, 1, 1));
/// # Ok::<(), desireline_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Funnel {
    /// The steps in order, at most 64: expressions, or objects with `expr` and `label`.
    pub steps: Vec<Step>,
    /// The longest time from the first step to the last one, inclusive; no limit unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<TimeSpan>,
    /// Which attempt of a journey counts.
    #[serde(default)]
    pub attempt: Attempt,
    /// What becomes of steps at one time.
    #[serde(default)]
    pub ties: Ties,
    /// The confidence level of all intervals.
    #[serde(default = "crate::analyses::parts::default_level")]
    pub level: f64,
    /// What a builder method could not read.
    #[serde(skip)]
    #[doc(hidden)]
    pub deferred: Deferred,
}

/// Which attempt of a journey counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Attempt {
    /// The deepest; among equals the one that ends first, then the one that starts first.
    #[default]
    Best,
}

/// What becomes of steps at one time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Ties {
    /// The log's order decides: the tie key where there is one, else the order of the input.
    #[default]
    Input,
}

impl Funnel {
    /// The funnel of these steps: expressions or their texts. A text that cannot be read is reported when the funnel is run.
    pub fn steps<S: Into<Step>>(steps: impl IntoIterator<Item = S>) -> Funnel {
        let steps: Vec<Step> = steps.into_iter().map(Into::into).collect();
        Funnel {
            steps,
            within: None,
            attempt: Attempt::Best,
            ties: Ties::Input,
            level: crate::analyses::parts::default_level(),
            deferred: Deferred::default(),
        }
    }

    /// Bounds the time from the first step to the last one, inclusive. A text that cannot be read is reported when the
    /// funnel is run.
    #[must_use]
    pub fn within<S: TryInto<TimeSpan>>(mut self, within: S) -> Funnel
    where
        crate::Error: From<S::Error>,
    {
        self.within = self.deferred.span("within", within);
        self
    }

    /// Sets the confidence level of all intervals.
    #[must_use]
    pub fn level(self, level: f64) -> Funnel {
        Funnel { level, ..self }
    }
}

/// A bound [`Funnel`].
#[derive(Debug)]
pub struct FunnelPlan {
    steps: Vec<PlannedStep>,
    matchers: Vec<Matcher>,
    tests: Tests,
    within: Option<i64>,
    observed_until: i64,
    level: f64,
}

#[derive(Debug)]
struct PlannedStep {
    /// Unique among the steps.
    label: String,
    expr: String,
}

impl FunnelPlan {
    /// Whether a window that began at `start` was observed to its end.
    #[inline]
    fn has_ended(&self, start: i64) -> bool {
        self.within
            .is_none_or(|w| start.saturating_add(w) <= self.observed_until)
    }
}

/// What is known of a funnel so far.
#[derive(Debug, Serialize, Deserialize)]
pub struct FunnelPartial {
    n_journeys: u64,
    /// Journeys of customers without any entrant, 0 of n; part of every step's `of_all`.
    outside: Clusters,
    steps: Vec<StepPartial>,
    #[serde(skip)]
    scratch: attempt::Scratch,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct StepPartial {
    of_all: Clusters,
    of_entered: Clusters,
    of_previous: Clusters,
    of_known: Clusters,
    /// Journeys whose deepest step this is, the last step left out.
    dropped: u64,
    at_risk: u64,
    from_previous: Distribution,
    from_first: Distribution,
}

impl Partial for FunnelPartial {
    fn merge(&mut self, other: &Self) {
        self.n_journeys += other.n_journeys;
        self.outside.merge(&other.outside);
        for (ours, theirs) in self.steps.iter_mut().zip(&other.steps) {
            ours.of_all.merge(&theirs.of_all);
            ours.of_entered.merge(&theirs.of_entered);
            ours.of_previous.merge(&theirs.of_previous);
            ours.of_known.merge(&theirs.of_known);
            ours.dropped += theirs.dropped;
            ours.at_risk += theirs.at_risk;
            ours.from_previous.merge(&theirs.from_previous);
            ours.from_first.merge(&theirs.from_first);
        }
    }

    fn heap_bytes(&self) -> usize {
        let times = |s: &StepPartial| s.from_previous.heap_bytes() + s.from_first.heap_bytes();
        self.steps.capacity() * size_of::<StepPartial>()
            + self.steps.iter().map(times).sum::<usize>()
            + self.scratch.heap_bytes()
    }
}

impl FunnelPartial {
    fn of_all(&self, step: &StepPartial) -> Clusters {
        let mut all = step.of_all;
        all.merge(&self.outside);
        all
    }

    fn reached(&self, step: usize) -> u64 {
        self.steps.get(step).map_or(0, |s| s.of_entered.k)
    }
}

impl Analysis for Funnel {
    const NAME: &'static str = "funnel";
    const STATE_VERSION: u32 = 1;
    type Plan = FunnelPlan;
    type Partial = FunnelPartial;
    type Report = FunnelReport;

    fn plan(&self, catalog: &Catalog) -> Result<FunnelPlan, SpecError> {
        self.deferred.check(Self::NAME)?;
        for step in &self.steps {
            step.deferred.check(Self::NAME)?;
        }
        super::parts::check_level(Self::NAME, self.level)?;
        if self.steps.is_empty() || self.steps.len() > MAX_STEPS {
            return Err(SpecError::Field {
                analysis: Self::NAME,
                field: "steps",
                problem: format!(
                    "{} steps were given; a funnel has 1 to {MAX_STEPS}",
                    self.steps.len()
                ),
            });
        }
        let mut matchers = Vec::with_capacity(self.steps.len());
        let mut steps: Vec<PlannedStep> = Vec::with_capacity(self.steps.len());
        for step in &self.steps {
            matchers.push(
                Matcher::new(&step.expr, catalog).map_err(|source| SpecError::Expr {
                    analysis: Self::NAME,
                    field: "steps",
                    source,
                })?,
            );
            let expr = step.expr.to_string();
            let name = step.label.as_ref().unwrap_or(&expr);
            let mut label = name.clone();
            let mut again = 1;
            while steps.iter().any(|s| s.label == label) {
                again += 1;
                label = format!("{name} ({again})");
            }
            steps.push(PlannedStep { label, expr });
        }
        Ok(FunnelPlan {
            tests: Tests::new(&matchers),
            steps,
            matchers,
            within: self.within.map(TimeSpan::as_micros),
            observed_until: catalog.observed_until,
            level: self.level,
        })
    }

    fn start(plan: &FunnelPlan) -> FunnelPartial {
        FunnelPartial {
            n_journeys: 0,
            outside: Clusters::default(),
            steps: vec![StepPartial::default(); plan.steps.len()],
            scratch: attempt::Scratch::default(),
        }
    }

    fn observe(plan: &FunnelPlan, partial: &mut FunnelPartial, morsel: &Morsel<'_>) {
        attempt::observe(plan, partial, morsel);
    }

    fn finish(plan: &FunnelPlan, partial: &FunnelPartial) -> Result<FunnelReport> {
        Ok(report::finish(plan, partial))
    }

    fn locate(plan: &FunnelPlan, journey: &Journey<'_>) -> Vec<Located> {
        explain::locate(plan, journey)
    }

    fn cells(plan: &FunnelPlan, partial: &FunnelPartial) -> Vec<(String, u64)> {
        let mut cells = vec![(
            "not_entered".to_owned(),
            partial.n_journeys.saturating_sub(partial.reached(0)),
        )];
        for (number, step) in (1..=plan.steps.len()).zip(&partial.steps) {
            cells.push((format!("step/{number}/reached"), step.of_entered.k));
            cells.push((format!("step/{number}/dropped"), step.dropped));
            cells.push((format!("step/{number}/at_risk"), step.at_risk));
        }
        let converted = partial.reached(plan.steps.len().saturating_sub(1));
        cells.push(("converted".to_owned(), converted));
        cells
    }

    fn measures(plan: &FunnelPlan, partial: &FunnelPartial) -> Vec<Measure> {
        let mut measures = Vec::new();
        let first = plan.steps.first().map_or("", |s| &s.label);
        let mut previous = first;
        for (place, (step, state)) in plan.steps.iter().zip(&partial.steps).enumerate() {
            let mut rate = |base: &str, clusters: Clusters| {
                measures.push(Measure {
                    kind: "step",
                    key: vec![step.label.clone(), base.to_owned()],
                    data: MeasureData::Rate(clusters),
                });
            };
            match place {
                0 => rate("of_all", partial.of_all(state)),
                _ => rate("of_previous", state.of_previous),
            }
            // At step 2 both bases are the same journeys: one measure, so that it is tested once.
            if place >= 2 {
                rate("of_entered", state.of_entered);
            }
            let mut time = |from: &str, times: &Distribution| {
                measures.push(Measure {
                    kind: "step_time",
                    key: vec![from.to_owned(), step.label.clone()],
                    data: MeasureData::Times {
                        times: times.clone(),
                        one_each: super::parts::at_most_one_each(&state.of_entered),
                    },
                });
            };
            if place >= 1 {
                time(previous, &state.from_previous);
            }
            if place >= 2 && place + 1 == plan.steps.len() {
                time(first, &state.from_first);
            }
            previous = &step.label;
        }
        measures
    }
}
