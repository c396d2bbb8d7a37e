//! What a person reads of a funnel.

use desireline_stats::{Clusters, Distribution, Estimate};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::report::{Base, Caveat, Cells, Rate, Report, TOO_FEW, Table};
use crate::time::TimeSpan;

use super::{FunnelPartial, FunnelPlan};
use crate::analyses::parts::{approximate_quantiles, at_most_one_each};
use crate::analyses::spread::least;

/// How many journeys took the steps, where the others stopped, and how long it took.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FunnelReport {
    /// All journeys: not entered + converted + dropped + at risk.
    pub n_journeys: u64,
    /// Journeys that reached step 1.
    pub entered: u64,
    /// Journeys that reached the last step.
    pub converted: u64,
    /// Journeys that entered, did not convert, and no longer can.
    pub dropped: u64,
    /// Journeys that entered, did not convert, and still may.
    pub at_risk: u64,
    /// The longest time from the first step to the last one, inclusive.
    pub within: Option<TimeSpan>,
    /// Converted of entered; those at risk count as not converted.
    pub conversion: Rate,
    /// Converted of the entrants that were observed for a whole window after their first entry.
    pub mature_conversion: Rate,
    /// From the first step to the last one, over the journeys that converted; absent with one step.
    pub time_to_convert: Option<StepTime>,
    /// The steps in order.
    pub steps: Vec<FunnelStep>,
    /// What a reader must know.
    pub caveats: Vec<Caveat>,
}

/// One step of a funnel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FunnelStep {
    /// Its place, from 1.
    pub number: u32,
    /// What people read; unique in the funnel.
    pub label: String,
    /// The condition on its events.
    pub expr: String,
    /// Journeys that reached it.
    pub reached: u64,
    /// Reached of all journeys.
    pub of_all: Rate,
    /// Reached of those that reached step 1.
    pub of_entered: Rate,
    /// Reached of those that reached the step before; absent at step 1.
    pub of_previous: Option<Rate>,
    /// Reached of the entrants that were observed for a whole window after their first entry.
    pub of_known: Rate,
    /// Journeys that came no further and no longer can; 0 at the last step.
    pub dropped: u64,
    /// Journeys that came no further yet and still may; 0 at the last step.
    pub at_risk: u64,
    /// From the step before to this one; absent at step 1.
    pub from_previous: Option<StepTime>,
    /// From the first step to this one; absent at step 1.
    pub from_first: Option<StepTime>,
}

/// How long it took the journeys that got there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StepTime {
    /// Journeys that got there.
    pub n: u64,
    /// Half of them took no longer, in microseconds; absent below 5 journeys.
    pub median: Option<i64>,
    /// The median with its interval; absent where there are too few for one.
    pub median_estimate: Option<Estimate>,
    /// Nine of ten took no longer, in microseconds; absent below 10 journeys, where it would be the longest time.
    pub p90: Option<i64>,
    /// That time with its interval; absent where there are too few for one.
    pub p90_estimate: Option<Estimate>,
}

impl StepTime {
    fn new(times: &Distribution, level: f64) -> StepTime {
        let n = times.n();
        let value = |q: f64| (n >= least(q)).then(|| times.quantile(q)).flatten();
        let estimate = |q: f64| {
            let enough = n >= least(q);
            enough.then(|| times.quantile_estimate(q, level)).flatten()
        };
        StepTime {
            n,
            median: value(0.5),
            median_estimate: estimate(0.5),
            p90: value(0.9),
            p90_estimate: estimate(0.9),
        }
    }
}

pub(super) fn finish(plan: &FunnelPlan, partial: &FunnelPartial) -> FunnelReport {
    let rate = |clusters: &Clusters, base| Rate::clustered(clusters, base, plan.level);
    let steps: Vec<FunnelStep> = plan
        .steps
        .iter()
        .zip(&partial.steps)
        .zip(1u32..)
        .map(|((planned, state), number)| {
            let time = |times| (number > 1).then(|| StepTime::new(times, plan.level));
            FunnelStep {
                number,
                label: planned.label.clone(),
                expr: planned.expr.clone(),
                reached: state.of_entered.k,
                of_all: rate(&partial.of_all(state), Base::OfAll),
                of_entered: rate(&state.of_entered, Base::OfEntered),
                of_previous: (number > 1).then(|| rate(&state.of_previous, Base::OfPrevious)),
                of_known: rate(&state.of_known, Base::OfKnown),
                dropped: state.dropped,
                at_risk: state.at_risk,
                from_previous: time(&state.from_previous),
                from_first: time(&state.from_first),
            }
        })
        .collect();
    let (entered, at_risk) = (partial.reached(0), steps.iter().map(|s| s.at_risk).sum());
    let none = Clusters::default();
    let last = partial.steps.last();
    FunnelReport {
        n_journeys: partial.n_journeys,
        entered,
        converted: last.map_or(0, |s| s.of_entered.k),
        dropped: steps.iter().map(|s| s.dropped).sum(),
        at_risk,
        within: plan.within.map(TimeSpan::from_micros),
        conversion: rate(last.map_or(&none, |s| &s.of_entered), Base::OfEntered),
        mature_conversion: rate(last.map_or(&none, |s| &s.of_known), Base::OfKnown),
        time_to_convert: steps.last().and_then(|s| s.from_first.clone()),
        caveats: caveats(partial, &steps, at_risk, entered),
        steps,
    }
}

fn caveats(
    partial: &FunnelPartial,
    steps: &[FunnelStep],
    at_risk: u64,
    entered: u64,
) -> Vec<Caveat> {
    let mut caveats = Vec::new();
    if at_risk > 0 {
        caveats.push(Caveat::JourneysOpen {
            journeys: at_risk,
            of: entered,
        });
    }
    let rates = steps.iter().flat_map(|s| {
        [
            Some(s.of_all),
            Some(s.of_entered),
            s.of_previous,
            Some(s.of_known),
        ]
    });
    let cells = rates.flatten().filter(Rate::too_few).count() as u64;
    if cells > 0 {
        caveats.push(Caveat::TooFew {
            what: "rates".to_owned(),
            cells,
            least: TOO_FEW,
        });
    }
    let exact = |s: &super::StepPartial| s.from_previous.is_exact() && s.from_first.is_exact();
    if !partial.steps.iter().all(exact) {
        caveats.push(approximate_quantiles());
    }
    let timed = || partial.steps.iter().skip(1);
    if !timed().all(|s| at_most_one_each(&s.of_entered)) {
        caveats.push(Caveat::IndependenceAssumed {
            what: "times between steps".to_owned(),
        });
    }
    let few = timed().filter(|s| (1..TOO_FEW).contains(&s.from_previous.n()));
    let cells = few.count() as u64;
    if cells > 0 {
        caveats.push(Caveat::TooFew {
            what: "times between steps".to_owned(),
            cells,
            least: TOO_FEW,
        });
    }
    caveats
}

impl Report for FunnelReport {
    fn title(&self) -> &'static str {
        "Funnel"
    }

    fn tables(&self) -> Vec<Table> {
        vec![self.step_table(), self.time_table(), self.outcome_table()]
    }

    crate::report::held!();
}

impl FunnelReport {
    fn step_table(&self) -> Table {
        fn count(steps: &[FunnelStep], f: impl Fn(&FunnelStep) -> u64) -> Cells {
            Cells::Count(steps.iter().map(|s| Some(f(s))).collect())
        }
        fn rate(steps: &[FunnelStep], f: impl Fn(&FunnelStep) -> Option<Rate>) -> Cells {
            Cells::Rate(steps.iter().map(f).collect())
        }
        let steps = &self.steps;
        let labels = Cells::Text(steps.iter().map(|s| Some(s.label.clone())).collect());
        Table::new("steps", "Steps")
            .with("number", "No.", count(steps, |s| u64::from(s.number)))
            .with("step", "Step", labels)
            .with("reached", "Reached", count(steps, |s| s.reached))
            .with("of_all", "Of all", rate(steps, |s| Some(s.of_all)))
            .with(
                "of_entered",
                "Of entered",
                rate(steps, |s| Some(s.of_entered)),
            )
            .with("of_previous", "Of previous", rate(steps, |s| s.of_previous))
            .with(
                "of_known",
                "Of known outcomes",
                rate(steps, |s| Some(s.of_known)),
            )
            .with("dropped", "Dropped here", count(steps, |s| s.dropped))
            .with("at_risk", "May still go on", count(steps, |s| s.at_risk))
    }

    /// A row for each pair of neighbouring steps, and one for the whole way where that is another pair.
    fn time_table(&self) -> Table {
        let mut rows: Vec<(&str, &str, &StepTime)> = self
            .steps
            .windows(2)
            .filter_map(|pair| {
                let time = pair[1].from_previous.as_ref()?;
                Some((pair[0].label.as_str(), pair[1].label.as_str(), time))
            })
            .collect();
        if let ([first, _, .., last], Some(time)) = (&self.steps[..], &self.time_to_convert)
            && self.steps.len() > 2
        {
            rows.push((&first.label, &last.label, time));
        }
        let text = |f: fn(&(&str, &str, &StepTime)) -> String| {
            Cells::Text(rows.iter().map(|r| Some(f(r))).collect())
        };
        let duration = |f: fn(&StepTime) -> Option<i64>| {
            Cells::Duration(rows.iter().map(|r| f(r.2)).collect())
        };
        let estimate = |f: fn(&StepTime) -> Option<Estimate>| {
            Cells::Estimate(rows.iter().map(|r| f(r.2)).collect())
        };
        Table::new("times", "Time between steps")
            .with("from", "From", text(|r| r.0.to_owned()))
            .with("to", "To", text(|r| r.1.to_owned()))
            .with(
                "journeys",
                "Journeys",
                Cells::Count(rows.iter().map(|r| Some(r.2.n)).collect()),
            )
            .with("median", "Median", duration(|t| t.median))
            .with(
                "median_estimate",
                "Median with interval",
                estimate(|t| t.median_estimate),
            )
            .with("p90", "Nine of ten within", duration(|t| t.p90))
            .with(
                "p90_estimate",
                "Nine of ten with interval",
                estimate(|t| t.p90_estimate),
            )
    }

    fn outcome_table(&self) -> Table {
        let rows = [
            ("not entered", self.n_journeys.saturating_sub(self.entered)),
            ("converted", self.converted),
            ("dropped", self.dropped),
            ("at risk", self.at_risk),
        ];
        Table::new("outcomes", "All journeys by outcome")
            .with(
                "outcome",
                "Outcome",
                Cells::Text(rows.iter().map(|r| Some(r.0.to_owned())).collect()),
            )
            .with(
                "journeys",
                "Journeys",
                Cells::Count(rows.iter().map(|r| Some(r.1)).collect()),
            )
    }
}
