//! From counts to the report.

use std::collections::BTreeMap;

use desireline_stats::{Clusters, Distribution, KaplanMeier, Unit, clopper_pearson};

use super::report::{
    CurvePoint, Directness, EntryRate, GoalResult, GoalValue, GoalsReport, Horizon, StepsRow,
    TimeQuantile, TimeToGoal,
};
use super::state::{GoalState, GoalsPartial};
use super::{Goal, GoalsPlan};
use crate::analyses::parts::approximate_quantiles;
use crate::analyses::spread::least;
use crate::engine::MISSING;
use crate::error::Result;
use crate::log::Vocabulary;
use crate::report::{Base, Caveat, Rate, TOO_FEW};

/// Points of a curve that are kept for drawing.
const CURVE_POINTS: usize = 200;
/// Rows of the distribution of steps.
const STEPS_ROWS: usize = 20;
/// Shares whose times are given.
const SHARES: [f64; 4] = [0.25, 0.5, 0.75, 0.9];

pub(super) fn report(plan: &GoalsPlan, partial: &GoalsPartial) -> Result<GoalsReport> {
    let mut caveats = Caveats::default();
    let goals = plan
        .spec
        .goals
        .iter()
        .zip(&partial.goals)
        .map(|(goal, state)| result(plan, goal, state, &mut caveats))
        .collect::<Result<_>>()?;
    let (currency, currency_exponent) = match &plan.currency {
        Some((code, exponent)) => (Some(code.clone()), *exponent),
        None => (None, 0),
    };
    Ok(GoalsReport {
        goals,
        n_journeys: partial.n_journeys,
        n_customers: partial.n_customers,
        n_open: partial.n_open,
        currency,
        currency_exponent,
        caveats: caveats.collect(partial),
    })
}

#[derive(Default)]
struct Caveats {
    too_few: u64,
    too_few_ways: u64,
    approximate: bool,
    beyond: bool,
    truncated: Vec<Caveat>,
}

impl Caveats {
    fn rate(&mut self, rate: Rate) -> Rate {
        self.too_few += u64::from(rate.too_few());
        rate
    }

    fn collect(self, partial: &GoalsPartial) -> Vec<Caveat> {
        let mut caveats = Vec::new();
        let note = |text: &str| Caveat::Note {
            text: text.to_owned(),
        };
        if partial.n_open > 0 {
            caveats.push(Caveat::JourneysOpen {
                journeys: partial.n_open,
                of: partial.n_journeys,
            });
        }
        if self.too_few > 0 {
            caveats.push(Caveat::TooFew {
                what: "completion rates".to_owned(),
                cells: self.too_few,
                least: TOO_FEW,
            });
        }
        if self.too_few_ways > 0 {
            caveats.push(Caveat::TooFew {
                what: "times and steps to a goal".to_owned(),
                cells: self.too_few_ways,
                least: TOO_FEW,
            });
        }
        caveats.extend(self.truncated);
        if self.approximate {
            caveats.push(approximate_quantiles());
        }
        if self.beyond {
            caveats.push(note(
                "the sum of the money exceeds 64 bits and is not given",
            ));
        }
        if partial.n_journeys > partial.n_customers {
            caveats.push(Caveat::IndependenceAssumed {
                what: "the time to goal and of steps".to_owned(),
            });
        }
        caveats
    }
}

fn result(
    plan: &GoalsPlan,
    goal: &Goal,
    state: &GoalState,
    caveats: &mut Caveats,
) -> Result<GoalResult> {
    let level = plan.spec.level;
    let touchpoint = |code: u32| plan.names.touchpoints.name(code).to_owned();
    let channel = |code: u32| channel_name(&plan.names.channels, code);
    let value = plan.currency.is_some().then(|| {
        let sum = i64::try_from(state.value.sum).ok();
        caveats.beyond |= sum.is_none();
        let mean = (state.value.n >= TOO_FEW).then(|| state.value.mean(level));
        GoalValue {
            sum,
            completions: state.value.n,
            mean: mean.flatten().map(|e| e.with_unit(Unit::MoneyMinor)),
        }
    });
    Ok(GoalResult {
        name: goal.name.clone(),
        expr: goal.expr.to_string(),
        of_all: caveats.rate(Rate::clustered(&state.all, Base::OfAll, level)),
        of_known: caveats.rate(Rate::clustered(&state.closed, Base::OfKnown, level)),
        events: state.events,
        value,
        time: time_to_goal(plan, state, caveats)?,
        directness: directness(state, level),
        by_first_touchpoint: entries(
            &state.touchpoints,
            ("first touchpoints", &goal.name),
            touchpoint,
            plan,
            caveats,
        ),
        by_channel: plan.channel.map(|_| {
            entries(
                &state.channels,
                ("channels", &goal.name),
                channel,
                plan,
                caveats,
            )
        }),
    })
}

fn channel_name(names: &Vocabulary, code: u32) -> String {
    match code.checked_sub(1) {
        Some(code) => names.name(code).to_owned(),
        None => MISSING.to_owned(),
    }
}

fn time_to_goal(plan: &GoalsPlan, state: &GoalState, caveats: &mut Caveats) -> Result<TimeToGoal> {
    let level = plan.spec.level;
    let counts = state.times.counts();
    let curve = KaplanMeier::from_counts(&counts, level)?;
    let mut reached = Distribution::new();
    for (time, events, _) in counts {
        reached.push_n(time, events);
    }
    let median_reached = (reached.n() >= least(0.5))
        .then(|| reached.quantile_estimate(0.5, level))
        .flatten();
    caveats.approximate |= median_reached.is_some() && !reached.is_exact();
    caveats.too_few_ways += u64::from((1..TOO_FEW).contains(&reached.n()));
    let enough = curve.n() >= TOO_FEW;
    let horizon = |(&within, clusters): (&i64, &Clusters)| Horizon {
        within,
        rate: caveats.rate(Rate::clustered(clusters, Base::OfKnown, level)),
        at_risk: curve.at_risk_after(within),
        reached: match curve.steps().first() {
            _ if !enough => None,
            // Before the first time in the data nobody has reached it, and everybody is observed.
            Some(first) if within < first.time => clopper_pearson(0, curve.n(), level),
            _ => curve.at(within).map(|e| e.complement()),
        },
    };
    Ok(TimeToGoal {
        n: curve.n(),
        reached: curve.events(),
        median_reached,
        horizons: plan
            .horizons
            .iter()
            .zip(&state.horizons)
            .map(horizon)
            .collect(),
        quantiles: SHARES
            .into_iter()
            .filter(|&share| curve.n() >= least(share))
            .filter_map(|share| {
                let found = curve.quantile_limits(share)?;
                Some(TimeQuantile {
                    share,
                    time: found.time,
                    lower: found.lower,
                    upper: found.upper,
                })
            })
            .collect(),
        curve: if enough { thinned(&curve) } else { Vec::new() },
    })
}

/// The points at which the curve moves, at most [`CURVE_POINTS`] of them, and a few after the last of them until the end of observation: nothing moves
/// there, but fewer and fewer journeys were observed that long.
fn thinned(curve: &KaplanMeier) -> Vec<CurvePoint> {
    let moves: Vec<_> = curve.steps().iter().filter(|s| s.events > 0).collect();
    let last = moves.len().saturating_sub(1);
    let keep = moves.len().min(CURVE_POINTS);
    let mut places: Vec<usize> = (0..keep)
        .map(|i| i * last / keep.saturating_sub(1).max(1))
        .collect();
    places.dedup();
    let mut points: Vec<CurvePoint> = places
        .into_iter()
        .map(|i| CurvePoint {
            time: moves[i].time,
            at_risk: moves[i].at_risk,
            reached: moves[i].survival.complement(),
        })
        .collect();
    let Some(end) = curve.steps().last() else {
        return points;
    };
    let first = points.last().map_or(end.time, |last| {
        let quarter = (last.time / 4).max(1);
        last.time.saturating_add(quarter).min(end.time)
    });
    let later = std::iter::successors(Some(first), |&time| {
        (time < end.time).then(|| time.saturating_mul(2).min(end.time))
    });
    for time in later
        .filter(|&time| points.last().is_none_or(|p| p.time < time))
        .collect::<Vec<_>>()
    {
        if let Some(survival) = curve.at(time) {
            points.push(CurvePoint {
                time,
                at_risk: curve.at_risk_after(time.saturating_sub(1)),
                reached: survival.complement(),
            });
        }
    }
    points
}

fn directness(state: &GoalState, level: f64) -> Option<Directness> {
    let (&shortest, _) = state.steps.first_key_value()?;
    let ratio = |steps: u32| f64::from(shortest) / f64::from(steps);
    let mut distribution = Distribution::new();
    let (mut n, mut sum) = (0_u64, 0.0);
    for (&steps, &journeys) in &state.steps {
        distribution.push_n(i64::from(steps), journeys);
        n += journeys;
        sum += ratio(steps) * journeys as f64;
    }
    let mut rest = n;
    let mut rows = Vec::new();
    for (i, (&steps, &journeys)) in state.steps.iter().enumerate() {
        let or_more = i + 1 == STEPS_ROWS && state.steps.len() > STEPS_ROWS;
        let journeys = if or_more { rest } else { journeys };
        rows.push(StepsRow {
            steps,
            or_more,
            journeys,
            directness: ratio(steps),
        });
        rest -= journeys;
        if or_more {
            break;
        }
    }
    Some(Directness {
        shortest,
        median_steps: (n >= least(0.5))
            .then(|| distribution.quantile_estimate(0.5, level))
            .flatten()
            .map(|e| e.with_unit(Unit::Count)),
        median: (n >= least(0.5)).then(|| ratio(median_of(&state.steps, n))),
        mean: (n >= TOO_FEW).then_some(sum / n as f64),
        steps: rows,
    })
}

/// The smallest number of steps that at least half of the journeys do not exceed.
fn median_of(steps: &BTreeMap<u32, u64>, n: u64) -> u32 {
    let mut below = 0;
    for (&steps, &journeys) in steps {
        below += journeys;
        if below >= n.div_ceil(2) {
            return steps;
        }
    }
    1
}

fn entries(
    groups: &BTreeMap<u32, Clusters>,
    (what, goal): (&str, &str),
    name_of: impl Fn(u32) -> String,
    plan: &GoalsPlan,
    caveats: &mut Caveats,
) -> Vec<EntryRate> {
    let mut rows: Vec<(String, &Clusters)> = groups
        .iter()
        .map(|(code, clusters)| (name_of(*code), clusters))
        .collect();
    rows.sort_by(|a, b| b.1.n.cmp(&a.1.n).then_with(|| a.0.cmp(&b.0)));
    let distinct = rows.len() as u64;
    let rest = rows.split_off(rows.len().min(plan.spec.top as usize));
    let mut list: Vec<EntryRate> = rows
        .into_iter()
        .map(|(name, clusters)| EntryRate {
            name,
            distinct: 1,
            rate: caveats.rate(Rate::clustered(clusters, Base::OfAll, plan.spec.level)),
        })
        .collect();
    if !rest.is_empty() {
        caveats.truncated.push(Caveat::Truncated {
            what: format!("{what} of {goal}"),
            shown: list.len() as u64,
            distinct,
        });
        list.push(EntryRate {
            name: "other".to_owned(),
            distinct: rest.len() as u64,
            rate: Rate {
                count: rest.iter().map(|r| r.1.k).sum(),
                n: rest.iter().map(|r| r.1.n).sum(),
                base: Base::OfAll,
                estimate: None,
            },
        });
    }
    list
}
