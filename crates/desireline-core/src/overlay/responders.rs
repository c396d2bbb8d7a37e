//! Answers held against journeys: who answers, and how satisfied those are who reached a goal.

mod told;

use desireline_stats::Clusters;
use hashbrown::HashMap;

use super::bind::LenientMatcher;
use super::feedback::JoinRule;
use super::finish::least;
use super::kpis::{KpiSources, kpis_of};
use super::pass::pass;
use super::place::Places;
use super::plan::{ALIVE, levels};
use super::question::Overlay;
use super::report::{GoalSatisfaction, Responders};
use super::run::select;
use super::who::Who;
use crate::engine::Exec;
use crate::error::Result;
use crate::feedback::{Answer, Feedback};
use crate::journey::{Journeys, Mask, Matcher, Morsel, Span};
use crate::map::{JourneyMap, KpiBinding, Param, Params, VARIANT};

use self::told::Told;

/// Are those who answered like all others, and how satisfied are those who reached a goal?
///
/// **The journey of an answer** is the last of the customer's that began at or before it, if the answer came no later than `rule.within` after its last
/// event; without a time it is the customer's only one.
///
/// **Who answered** (`ResponderBias`): the goal rate of journeys with an answer, less that of all. The weighted share of good
/// answers is an inverse-propensity estimate in its simplest form: journeys of known outcome are put into strata by the furthest stage that they
/// came to and by whether they reached a goal, and an answer counts as many journeys as its stratum has for each answer. It mends
/// what stage and outcome explain, no more. Its interval takes the weights as known. Events are in stages as in [`overlay`](super::overlay()).
///
/// **Satisfied at the goal** ([`GoalSatisfaction`]): good answers given at or after the goal, against those in journeys that ended without it. Good are
/// the best answers of CSAT, effort and yes or no, 9 and 10 of NPS, and the two best marks of a rating.
///
/// The map's window, segment and exclusions and the question's `persona`, `goal` and `alive` are minded as [`overlay`](super::overlay()) minds
/// them. Answers given outside of the window belong to no journey.
///
/// Cost: one pass over the events, and one for directness where there are goals.
///
/// # Errors
/// A persona or goal that the map does not have; a binding or goal that does not fit the log; cancellation.
pub fn measure_responders(
    map: &JourneyMap,
    journeys: &Journeys,
    how: &Overlay,
    feedback: &Feedback,
    rule: &JoinRule,
    exec: &Exec,
) -> Result<Responders> {
    let selected = select(map, journeys)?;
    let journeys = selected.as_ref().unwrap_or(journeys);
    responders_of(map, journeys, how, feedback, rule, exec)
}

/// The same of journeys that were selected.
pub(super) fn responders_of(
    map: &JourneyMap,
    journeys: &Journeys,
    how: &Overlay,
    feedback: &Feedback,
    rule: &JoinRule,
    exec: &Exec,
) -> Result<Responders> {
    how.check(map)?;
    let plan = Plan::new(map, journeys, how, rule)?;
    let open = plan.waiting(journeys, feedback);
    let start = |block| Part::new(&plan, block);
    let parts = pass(journeys, exec, start, |part: &mut Part, morsel| {
        part.observe(&plan, &open, morsel);
    })?;
    let mut all = Part::new(&plan, 0);
    let mut meant = 0;
    let mut fates: Vec<Option<Fate>> = vec![None; feedback.len()];
    for part in parts {
        all.all.merge(&part.all);
        meant += part.meant;
        for (sum, more) in all.strata.iter_mut().zip(&part.strata) {
            *sum += more;
        }
        for (answer, fate) in part.fates {
            if let Some(place) = fates.get_mut(answer) {
                *place = Some(fate);
            }
        }
    }
    let told = Told {
        plan: &plan,
        feedback,
        fates: &fates,
        strata: &all.strata,
        all: &all.all,
        level: how.level,
        least: least(map, how).max(1),
    };
    let asked: Vec<usize> = (0..feedback.questions().len())
        .filter(|q| feedback.answers().any(|a| a.question_place() == *q))
        .collect();
    let mut goals = told.goals(map, &asked);
    if !goals.is_empty() {
        directness(map, journeys, how, exec, &mut goals)?;
    }
    Ok(Responders {
        answers: match plan.who.is_persona() {
            true => meant,
            false => feedback.len() as u64,
        },
        joined: fates.iter().flatten().count() as u64,
        questions: asked.iter().map(|q| told.question(*q)).collect(),
        goals,
    })
}

/// What is asked, bound to the log.
struct Plan {
    places: Places,
    n_levels: usize,
    /// Places in the map's goals, and what they are.
    goals: Vec<(usize, Matcher)>,
    who: Who,
    until: i64,
    alive: i64,
    within: i64,
}

/// An answer that looks for its journey.
#[derive(Clone, Copy)]
struct Waiting {
    answer: usize,
    time: Option<i64>,
}

/// Answers that look for their journeys, by block and customer.
type Open = Vec<HashMap<u32, Vec<Waiting>>>;

impl Plan {
    fn new(map: &JourneyMap, journeys: &Journeys, how: &Overlay, rule: &JoinRule) -> Result<Plan> {
        let catalog = journeys.catalog();
        let matcher = |e| Ok::<_, crate::Error>(LenientMatcher::new(e, catalog)?.matcher);
        let (_, n_levels) = levels(map)?;
        let wanted = |g: &crate::map::CustomerGoal| how.goal.as_ref().is_none_or(|id| *id == g.id);
        let goals = map.goals.iter().enumerate().filter(|(_, g)| wanted(g));
        let goals = goals.filter_map(|(i, g)| Some((i, g.success.as_ref()?)));
        let goals = goals.map(|(i, e)| Ok((i, matcher(e)?)));
        let who = Who::new(map, journeys, how.persona.as_ref())?;
        let alive = how.alive.or(journeys.rule().gap);
        Ok(Plan {
            places: Places::new(map, catalog)?,
            n_levels: n_levels + 1,
            goals: goals.collect::<Result<Vec<_>>>()?,
            until: catalog.observed_until.min(who.window().1),
            who,
            alive: alive.map_or(ALIVE, crate::time::TimeSpan::as_micros),
            within: rule.within.as_micros(),
        })
    }

    fn waiting(&self, journeys: &Journeys, feedback: &Feedback) -> Open {
        let mut open: Open = vec![HashMap::new(); journeys.blocks().len()];
        for mut customer in feedback.by_customer().map(Iterator::peekable) {
            let id = customer.peek().and_then(Answer::customer_id);
            let Some((block, place)) = id.and_then(|id| journeys.log().customer(id)) else {
                continue;
            };
            if let (Some(open), Ok(place)) = (open.get_mut(block), u32::try_from(place)) {
                let waiting = customer.map(|a| Waiting {
                    answer: a.id,
                    time: a.time(),
                });
                let inside = |w: &Waiting| w.time.is_none_or(|time| self.who.is_within(time));
                open.insert(place, waiting.filter(inside).collect());
            }
        }
        open
    }
}

/// What became of the journey that an answer belongs to.
#[derive(Clone, Debug)]
struct Fate {
    /// How far it came and how it ended; `None` where that is not yet known.
    stratum: Option<usize>,
    reached: bool,
    /// Whether it may still go on.
    alive: bool,
    /// By goal: whether it was reached, and whether that was before the answer.
    goals: Vec<Option<bool>>,
    /// Which journey of which customer.
    journey: (usize, u32, u32),
    /// The customer's journeys of known outcome: how many reached a goal, of how many.
    all: (u64, u64),
}

/// What one block adds.
struct Part {
    block: usize,
    /// Journeys of known outcome by stratum.
    strata: Vec<u64>,
    /// Those that reached a goal, customers being clusters.
    all: Clusters,
    fates: Vec<(usize, Fate)>,
    /// Answers of the customers that are meant.
    meant: u64,
    scratch: Scratch,
}

#[derive(Default)]
struct Scratch {
    continues: Vec<bool>,
    goals: Vec<Mask>,
    /// By event: the place of its stage in the order.
    levels: Vec<usize>,
}

/// A journey of the customer at hand.
struct Ended {
    span: Span,
    first: i64,
    last: i64,
    reached: bool,
    alive: bool,
    stratum: usize,
}

impl Part {
    fn new(plan: &Plan, block: usize) -> Part {
        Part {
            block,
            strata: vec![0; 2 * plan.n_levels],
            all: Clusters::default(),
            fates: Vec::new(),
            meant: 0,
            scratch: Scratch::default(),
        }
    }

    fn observe(&mut self, plan: &Plan, open: &Open, morsel: &Morsel<'_>) {
        let mut scratch = std::mem::take(&mut self.scratch);
        let spans = plan.who.narrow(morsel, &mut scratch.continues);
        let inside = morsel.with_spans(&spans);
        scratch.goals.resize_with(plan.goals.len(), Mask::default);
        for ((_, matcher), mask) in plan.goals.iter().zip(&mut scratch.goals) {
            matcher.fill(&inside, mask);
        }
        scratch.levels.clear();
        scratch.levels.resize(inside.n_events(), 0);
        let levels = &mut scratch.levels;
        let taken = plan.places.taken(&inside);
        plan.places.walk(&inside, &taken, |event| {
            let level = plan.places.level(event.stage);
            if let (Some(level), Some(known)) = (level, levels.get_mut(event.at)) {
                *known = (*known).max(level as usize + 1);
            }
        });
        let mut rest = scratch.continues.as_slice();
        for spans in inside.customers() {
            let (here, others) = rest.split_at(spans.len().min(rest.len()));
            rest = others;
            self.customer(plan, open, &inside, (spans, here), &scratch);
        }
        self.scratch = scratch;
    }

    fn customer(
        &mut self,
        plan: &Plan,
        open: &Open,
        morsel: &Morsel<'_>,
        (spans, continues): (&[Span], &[bool]),
        scratch: &Scratch,
    ) {
        let Some(customer) = spans.first().map(|s| s.customer) else {
            return;
        };
        let waiting = open.get(self.block).and_then(|o| o.get(&customer));
        self.meant += waiting.map_or(0, |w| w.len() as u64);
        let (mut k, mut n) = (0, 0);
        let mut ended: Vec<Ended> = Vec::new();
        for (span, continues) in spans.iter().zip(continues) {
            let last = morsel.time(span.end as usize - 1);
            let reached = scratch.goals.iter().any(|m| m.any_in(span.range()));
            let back = morsel
                .next_start(span)
                .is_some_and(|next| next < plan.who.window().1);
            let alive = *continues || !back && plan.until.saturating_sub(last) < plan.alive;
            let furthest = scratch.levels[span.range()]
                .iter()
                .max()
                .copied()
                .unwrap_or(0);
            let stratum = 2 * furthest + usize::from(reached);
            if reached || !alive {
                k += u64::from(reached);
                n += 1;
                self.strata[stratum] += 1;
            }
            if waiting.is_some() {
                ended.push(Ended {
                    span: *span,
                    first: morsel.time(span.start as usize),
                    last,
                    reached,
                    alive,
                    stratum,
                });
            }
        }
        self.all.add(k, n);
        for wait in waiting.into_iter().flatten() {
            let Some(journey) = journey_of(&ended, wait.time, plan.within) else {
                continue;
            };
            let goals = scratch.goals.iter().map(|mask| {
                let first = mask.ones_in(journey.span.range()).next()?;
                Some(wait.time.is_none_or(|time| morsel.time(first) <= time))
            });
            let fate = Fate {
                stratum: (journey.reached || !journey.alive).then_some(journey.stratum),
                reached: journey.reached,
                alive: journey.alive,
                goals: goals.collect(),
                journey: (self.block, customer, journey.span.ordinal),
                all: (k, n),
            };
            self.fates.push((wait.answer, fate));
        }
    }
}

/// The journey that an answer belongs to: the readable definition.
fn journey_of(journeys: &[Ended], answered: Option<i64>, within: i64) -> Option<&Ended> {
    let Some(answered) = answered else {
        return match journeys {
            [only] => Some(only),
            _ => None,
        };
    };
    let begun = journeys.iter().filter(|j| j.first <= answered);
    let last = begun.max_by_key(|j| (j.first, j.span.ordinal))?;
    (answered.saturating_sub(last.last) <= within).then_some(last)
}

/// How directly each goal is reached, as KPI K19 says it.
fn directness(
    map: &JourneyMap,
    journeys: &Journeys,
    how: &Overlay,
    exec: &Exec,
    rows: &mut [GoalSatisfaction],
) -> Result<()> {
    let wanted = map.goals.iter().filter_map(|g| {
        let asked = rows.iter().any(|r| g.id == r.goal.as_str());
        Some((g, g.success.as_ref().filter(|_| asked)?))
    });
    let watched = wanted.map(|(goal, success)| {
        let mut params = Params::new();
        params.insert(VARIANT.name.to_owned(), Param::from("directness"));
        params.insert("goal".to_owned(), Param::Text(success.to_string()));
        KpiBinding::new(goal.id.clone(), "goal_completion").params(params)
    });
    let watched = JourneyMap {
        kpis: watched.collect(),
        ..map.clone()
    };
    let numbers = kpis_of(&watched, journeys, how, &KpiSources::default(), exec)?;
    for (goal, number) in watched.kpis.iter().zip(numbers) {
        for row in rows.iter_mut().filter(|r| goal.id == r.goal.as_str()) {
            row.directness = number.value;
        }
    }
    Ok(())
}
