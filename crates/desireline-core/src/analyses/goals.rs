//! Which journeys reach their goals, how fast and how directly, and what they are worth.

mod check;
mod finish;
mod report;
mod spec;
mod state;

pub use report::{
    CurvePoint, Directness, EntryRate, GoalResult, GoalValue, GoalsReport, Horizon, StepsRow,
    TimeQuantile, TimeToGoal,
};
pub use spec::{Goal, Goals};

use crate::engine::{Analysis, Located, Measure, MeasureData};
use crate::error::{Result, SpecError};
use crate::journey::{Journey, Mask, Matcher, Morsel, Span};
use crate::log::{Catalog, Value};
use crate::time::TimeSpan;
use state::{GoalState, GoalsPartial};

/// [`Goals`] bound to a catalog.
#[derive(Debug)]
pub struct GoalsPlan {
    spec: Goals,
    matchers: Vec<Matcher>,
    horizons: Vec<i64>,
    observed_until: i64,
    channel: Option<usize>,
    names: Names,
    currency: Option<(String, u32)>,
}

/// The names that codes in the state stand for.
#[derive(Debug)]
struct Names {
    touchpoints: crate::log::Vocabulary,
    channels: crate::log::Vocabulary,
}

/// What a journey is for every goal alike.
struct Facts {
    /// It may still go on.
    open: bool,
    /// How long it has been observed since its first event, whether it went on or not.
    watched: i64,
    touchpoint: u32,
    /// 0 is missing, else the channel's code plus one.
    channel: u32,
}

impl GoalsPlan {
    /// Whether a journey with its last event at `last` may still go on.
    fn is_open(&self, last: i64, next: Option<i64>) -> bool {
        next.is_none() && self.observed_until.saturating_sub(last) < self.spec.alive.as_micros()
    }

    fn facts(&self, morsel: &Morsel<'_>, span: Span) -> Facts {
        let times = morsel.times();
        let code = |i: usize| match morsel.attribute(self.channel?, i, span.customer) {
            Value::Code(code) => Some(code + 1),
            _ => None,
        };
        Facts {
            open: self.is_open(times[span.end as usize - 1], morsel.next_start(&span)),
            watched: self
                .observed_until
                .saturating_sub(times[span.start as usize]),
            touchpoint: morsel.codes().get(span.start as usize),
            channel: span.range().find_map(code).unwrap_or(0),
        }
    }

    fn observe_goal(
        &self,
        goal: &mut GoalState,
        morsel: &Morsel<'_>,
        mask: &Mask,
        facts: &[Facts],
        scratch: &mut Scratch,
    ) {
        let mut facts = facts.iter();
        for spans in morsel.customers() {
            scratch.reset(self.horizons.len());
            for (&span, facts) in spans.iter().zip(&mut facts) {
                self.observe_journey(goal, morsel, span, mask, facts, scratch);
            }
            scratch.flush(goal);
        }
    }

    fn observe_journey(
        &self,
        goal: &mut GoalState,
        morsel: &Morsel<'_>,
        span: Span,
        mask: &Mask,
        facts: &Facts,
        customer: &mut Scratch,
    ) {
        let times = morsel.times();
        let start = times[span.start as usize];
        let mut hits = mask.ones_in(span.range());
        let first = hits.next();
        let reached = first.is_some();
        customer.all.add(reached);
        if !facts.open {
            customer.closed.add(reached);
        }
        customer.touchpoints.push((facts.touchpoint, reached));
        if self.channel.is_some() {
            customer.channels.push((facts.channel, reached));
        }
        let to_goal = first.map(|i| {
            let steps = u32::try_from(i + 1 - span.start as usize).unwrap_or(u32::MAX);
            *goal.steps.entry(steps).or_default() += 1;
            length(times[i], start)
        });
        // Without the goal until the end of observation: a journey that has ended never reaches it, and that counts as long as it would have been
        // seen. To stop counting at its last event would ask what happens if nobody leaves.
        let watched = facts.watched.max(0).cast_unsigned();
        customer.times.push((to_goal.unwrap_or(watched), reached));
        for (count, &horizon) in customer.horizons.iter_mut().zip(&self.horizons) {
            if facts.watched >= horizon {
                count.add(to_goal.is_some_and(|t| t <= horizon.cast_unsigned()));
            }
        }
        let (mut sum, mut valued) = (0_i128, false);
        for i in first.into_iter().chain(hits) {
            goal.events += 1;
            if let Some(amount) = morsel.value(i) {
                sum += i128::from(amount);
                valued = true;
            }
        }
        if valued {
            customer.value += sum;
            customer.valued += 1;
        }
    }
}

/// Times are ascending within a journey; at the ends of i64 the length stays at the longest there is.
fn length(later: i64, earlier: i64) -> u64 {
    later.saturating_sub(earlier).max(0).cast_unsigned()
}

#[derive(Clone, Copy, Default)]
struct Count {
    k: u64,
    n: u64,
}

impl Count {
    fn add(&mut self, reached: bool) {
        self.k += u64::from(reached);
        self.n += 1;
    }
}

/// The totals of one customer, who is one cluster.
#[derive(Default)]
struct Scratch {
    all: Count,
    closed: Count,
    horizons: Vec<Count>,
    touchpoints: Vec<(u32, bool)>,
    channels: Vec<(u32, bool)>,
    times: Vec<(u64, bool)>,
    value: i128,
    valued: u64,
}

impl Scratch {
    fn reset(&mut self, n_horizons: usize) {
        self.all = Count::default();
        self.closed = Count::default();
        self.horizons.clear();
        self.horizons.resize(n_horizons, Count::default());
        self.touchpoints.clear();
        self.channels.clear();
        self.times.clear();
        self.value = 0;
        self.valued = 0;
    }

    fn flush(&mut self, goal: &mut GoalState) {
        goal.all.add(self.all.k, self.all.n);
        goal.closed.add(self.closed.k, self.closed.n);
        for (clusters, count) in goal.horizons.iter_mut().zip(&self.horizons) {
            clusters.add(count.k, count.n);
        }
        goal.value.add(self.value, self.valued);
        goal.times.add(&mut self.times);
        for (list, into) in [
            (&mut self.touchpoints, &mut goal.touchpoints),
            (&mut self.channels, &mut goal.channels),
        ] {
            list.sort_unstable();
            for same in list.chunk_by(|a, b| a.0 == b.0) {
                let reached = same.iter().filter(|j| j.1).count();
                into.entry(same[0].0)
                    .or_default()
                    .add(reached as u64, same.len() as u64);
            }
        }
    }
}

impl Analysis for Goals {
    const NAME: &'static str = "goals";
    const STATE_VERSION: u32 = 2;
    type Plan = GoalsPlan;
    type Partial = GoalsPartial;
    type Report = GoalsReport;

    fn plan(&self, catalog: &Catalog) -> Result<GoalsPlan, SpecError> {
        self.validate()?;
        let matchers = self.goals.iter().map(|goal| {
            Matcher::new(&goal.expr, catalog).map_err(|source| SpecError::Expr {
                analysis: Self::NAME,
                field: "goals",
                source,
            })
        });
        let channel = catalog
            .channel
            .filter(|&c| !catalog.attributes[c].dictionary.is_empty());
        Ok(GoalsPlan {
            spec: Goals {
                goals: self.distinct(),
                ..self.clone()
            },
            matchers: matchers.collect::<Result<_, _>>()?,
            horizons: self.horizons.iter().map(|h| h.as_micros()).collect(),
            observed_until: catalog.observed_until,
            channel,
            names: Names {
                touchpoints: catalog.events.clone(),
                channels: channel
                    .map(|c| catalog.attributes[c].dictionary.clone())
                    .unwrap_or_default(),
            },
            currency: catalog
                .currency
                .clone()
                .map(|code| (code, catalog.currency_exponent)),
        })
    }

    fn start(plan: &GoalsPlan) -> GoalsPartial {
        let goal = GoalState {
            horizons: vec![Default::default(); plan.horizons.len()],
            ..GoalState::default()
        };
        GoalsPartial {
            n_journeys: 0,
            n_customers: 0,
            n_open: 0,
            goals: vec![goal; plan.matchers.len()],
        }
    }

    fn check(plan: &GoalsPlan, read: &mut GoalsPartial) -> Result<(), String> {
        check::check(plan, read)
    }

    fn observe(plan: &GoalsPlan, partial: &mut GoalsPartial, morsel: &Morsel<'_>) {
        let facts: Vec<Facts> = morsel
            .spans()
            .iter()
            .map(|&span| plan.facts(morsel, span))
            .collect();
        partial.n_journeys += facts.len() as u64;
        partial.n_customers += morsel.customers().count() as u64;
        partial.n_open += facts.iter().filter(|f| f.open).count() as u64;
        let mut mask = Mask::default();
        let mut scratch = Scratch::default();
        for (goal, matcher) in partial.goals.iter_mut().zip(&plan.matchers) {
            matcher.fill(morsel, &mut mask);
            plan.observe_goal(goal, morsel, &mask, &facts, &mut scratch);
        }
    }

    fn finish(plan: &GoalsPlan, partial: &GoalsPartial) -> Result<GoalsReport> {
        finish::report(plan, partial)
    }

    fn locate(plan: &GoalsPlan, journey: &Journey<'_>) -> Vec<Located> {
        let first_of = |matcher: &Matcher| {
            let hits = matcher.matches_in(journey.morsel(), journey.span());
            hits.first().map(|i| i - journey.span().start as usize)
        };
        let locate = |(goal, matcher): (&Goal, &Matcher)| {
            let (cell, why) = match first_of(matcher) {
                Some(i) => {
                    let after =
                        TimeSpan::from_micros(journey.time(i).saturating_sub(journey.start_time()));
                    let what = format!("event {} of the journey is the goal", i + 1);
                    ("reached", format!("{what}, {after} after its first event"))
                }
                None if plan.is_open(journey.end_time(), journey.next_start()) => (
                    "open",
                    format!(
                        "no event is the goal, and less than {} has passed since the last one",
                        plan.spec.alive
                    ),
                ),
                None => (
                    "not_reached",
                    format!(
                        "none of its {} events is the goal, and it has ended",
                        journey.len()
                    ),
                ),
            };
            Located {
                cell: format!("goal/{}/{cell}", goal.name),
                why,
            }
        };
        plan.spec
            .goals
            .iter()
            .zip(&plan.matchers)
            .map(locate)
            .collect()
    }

    fn cells(plan: &GoalsPlan, partial: &GoalsPartial) -> Vec<(String, u64)> {
        let mut cells = Vec::new();
        for (goal, state) in plan.spec.goals.iter().zip(&partial.goals) {
            let lost = state.closed.n - state.closed.k;
            let open = state.all.n - state.all.k - lost;
            for (cell, n) in [
                ("reached", state.all.k),
                ("not_reached", lost),
                ("open", open),
            ] {
                cells.push((format!("goal/{}/{cell}", goal.name), n));
            }
        }
        cells
    }

    fn measures(plan: &GoalsPlan, partial: &GoalsPartial) -> Vec<Measure> {
        let mut measures = Vec::new();
        for (goal, state) in plan.spec.goals.iter().zip(&partial.goals) {
            for (kind, data) in [
                ("goal", MeasureData::Rate(state.closed)),
                ("time_to_goal", MeasureData::Survival(state.times.clone())),
            ] {
                measures.push(Measure {
                    kind,
                    key: vec![goal.name.clone()],
                    data,
                });
            }
        }
        measures
    }
}
