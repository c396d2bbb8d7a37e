//! Who leaves a place without a goal, and does not come back.

use desireline_stats::{Clusters, wilson_clustered};

use super::bind::LenientMatcher;
use super::finish::least;
use super::pass::pass;
use super::place::{NONE, Placed, Places};
use super::plan::ALIVE;
use super::question::Overlay;
use super::report::{CellKind, ReturnMeasure, Returns};
use super::run::select;
use super::who::Who;
use crate::engine::Exec;
use crate::error::Result;
use crate::journey::{Journeys, Mask, Matcher, Morsel, Span};
use crate::map::JourneyMap;
use crate::report::{Base, Rate};
use crate::time::TimeSpan;

/// How long customers have to come back where nobody says.
const WITHIN: i64 = 7 * 86_400_000_000;
/// Stages, steps, touchpoints, channels.
const KINDS: usize = 4;

/// Where do journeys end without a goal for good?
///
/// For every stage, step, touchpoint and channel of the map: journeys that end there without a goal and whose customer does not begin
/// another journey within [`returns_within`](Overlay::returns_within) (seven days unless it is said), of the journeys that were there (K18);
/// and the share that does come back, of those that ended there without a goal. See [`Returns`] for who is in the base.
///
/// Where a journey ends, what is a goal, and when a journey may still go on are as in [`overlay`](super::overlay()), and so are the
/// window, segment, exclusions and persona. A journey that goes on after the window has not ended.
///
/// Cost: one pass over the events.
///
/// ```
/// use desireline_core::engine::Exec;
/// use desireline_core::journey::JourneyRule;
/// use desireline_core::log::Log;
/// use desireline_core::map::JourneyMap;
/// use desireline_core::overlay::report::CellKind;
/// use desireline_core::overlay::{Overlay, measure_returns};
///
/// let map = JourneyMap::from_yaml("
/// schema: 1
/// id: shop
/// title: Buying
/// version: 1.0.0
/// kind: actual
/// status: draft
/// as_of: 2026-01-01
/// owner: cx
/// stakeholders: [{id: cx, name: CX}]
/// stages: [{id: look, name: Looks}]
/// goals: [{id: have, text: Have it, kind: functional, success: purchase}]
/// touchpoints: [{id: product, name: Product page, stages: [look], binding: view}]
/// ")?;
/// let day = 86_400_000_000;
/// let log = Log::from_rows([
///     ("ann", 0, "view"), ("ann", day, "purchase"),
///     ("bob", 0, "view"),
///     ("cid", 19 * day, "view"),
///     ("dee", 20 * day, "hum"),
/// ])?;
/// let journeys = log.journeys(JourneyRule::gap("30m")?)?;
/// let returns = measure_returns(&map, &journeys, &Overlay::new().min_n(1), &Exec::new())?;
/// let page = returns.at(CellKind::Touchpoint, "product").ok_or("no such touchpoint")?;
/// // Ann came back and bob did not; of cid it is too early to say.
/// assert_eq!((page.lost.count, page.lost.n, page.open), (1, 2, 1));
/// assert_eq!((page.returned.count, page.returned.n), (1, 2));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// A persona or goal that the map does not have; a binding or goal that does not fit the log; cancellation.
pub fn measure_returns(
    map: &JourneyMap,
    journeys: &Journeys,
    how: &Overlay,
    exec: &Exec,
) -> Result<Returns> {
    let selected = select(map, journeys)?;
    returns_of(map, selected.as_ref().unwrap_or(journeys), how, exec)
}

/// The same of journeys that were selected.
pub(super) fn returns_of(
    map: &JourneyMap,
    journeys: &Journeys,
    how: &Overlay,
    exec: &Exec,
) -> Result<Returns> {
    how.check(map)?;
    let plan = Plan::new(map, journeys, how)?;
    let start = |_| Part::new(&plan);
    let parts = pass(journeys, exec, start, |part: &mut Part, morsel| {
        part.observe(&plan, morsel);
    })?;
    let mut all = vec![Sums::default(); plan.n];
    for part in &parts {
        for (into, from) in all.iter_mut().zip(&part.sums) {
            into.lost.merge(&from.lost);
            into.back.merge(&from.back);
            into.open += from.open;
        }
    }
    let least = least(map, how).max(1);
    let places = plan.named(map, how).into_iter();
    let told = places.filter_map(|(place, kind, id, name)| {
        let sums = all.get(place)?;
        Some(sums.told((kind, id, name), how.level, least))
    });
    Ok(Returns {
        within: plan.within,
        age: plan.age,
        places: told.collect(),
    })
}

/// What is asked, bound to the log.
struct Plan {
    places: Places,
    /// Where the places of each kind begin among all.
    offsets: [usize; KINDS],
    n: usize,
    goals: Vec<Matcher>,
    who: Who,
    until: i64,
    within: i64,
    age: i64,
}

impl Plan {
    fn new(map: &JourneyMap, journeys: &Journeys, how: &Overlay) -> Result<Plan> {
        let catalog = journeys.catalog();
        let wanted = |g: &&crate::map::CustomerGoal| how.goal.as_ref().is_none_or(|id| *id == g.id);
        let goals = map.goals.iter().filter(wanted);
        let goals = goals.filter_map(|g| g.success.as_ref());
        let goals = goals.map(|e| Ok(LenientMatcher::new(e, catalog)?.matcher));
        let who = Who::new(map, journeys, how.persona.as_ref())?;
        let within = how.returns_within.map_or(WITHIN, TimeSpan::as_micros);
        let alive = how.alive.or(journeys.rule().gap);
        let alive = alive.map_or(ALIVE, TimeSpan::as_micros);
        let steps: usize = map.stages.iter().map(|s| s.steps.len()).sum();
        let sizes = [map.stages.len(), steps, map.touchpoints.len()];
        let mut offsets = [0; KINDS];
        for (kind, size) in sizes.into_iter().enumerate() {
            offsets[kind + 1] = offsets[kind] + size;
        }
        Ok(Plan {
            places: Places::new(map, catalog)?,
            offsets,
            n: offsets[KINDS - 1] + map.channels.len(),
            goals: goals.collect::<Result<Vec<_>>>()?,
            until: catalog.observed_until.min(who.window().1),
            who,
            within,
            age: within.max(alive),
        })
    }

    /// A place among all.
    fn place(&self, kind: usize, place: u32) -> Option<usize> {
        let offset = self.offsets.get(kind)?;
        (place != NONE).then(|| offset + place as usize)
    }

    /// The places that are told of: where among all, and what they are called.
    fn named(&self, map: &JourneyMap, how: &Overlay) -> Vec<(usize, CellKind, String, String)> {
        let language = how.language.as_deref();
        let language = language.unwrap_or_else(|| map.main_language());
        let mut named = Vec::with_capacity(self.n);
        let mut add = |kind: usize, place: usize, of, id: &crate::map::Id, name: &str| {
            let place = self.offsets[kind] + place;
            named.push((place, of, id.to_string(), name.to_owned()));
        };
        for (i, s) in map.stages.iter().enumerate() {
            add(0, i, CellKind::Stage, &s.id, s.name.get(language));
        }
        for (i, s) in map.stages.iter().flat_map(|s| &s.steps).enumerate() {
            add(1, i, CellKind::Step, &s.id, s.action.get(language));
        }
        for (i, t) in map.touchpoints.iter().enumerate() {
            if t.binding.is_some() {
                add(2, i, CellKind::Touchpoint, &t.id, t.name.get(language));
            }
        }
        for (i, c) in map.channels.iter().enumerate() {
            add(3, i, CellKind::Channel, &c.id, c.label(language));
        }
        named
    }
}

/// What is known of a place; customers are clusters.
#[derive(Clone, Debug, Default)]
struct Sums {
    /// Lost journeys, of those with a visit.
    lost: Clusters,
    /// Journeys after which somebody came back, of those that ended here without a goal.
    back: Clusters,
    open: u64,
}

impl Sums {
    fn told(
        &self,
        (kind, id, name): (CellKind, String, String),
        level: f64,
        least: u64,
    ) -> ReturnMeasure {
        let rate = |sums: &Clusters, base| Rate {
            count: sums.k,
            n: sums.n,
            base,
            estimate: (sums.n >= least)
                .then(|| wilson_clustered(sums, level))
                .flatten(),
        };
        let (lost, returned) = (
            rate(&self.lost, Base::OfVisits),
            rate(&self.back, Base::OfKnown),
        );
        let hole = |rate: &Rate, nothing: &str| {
            let told = match (rate.n, self.lost.n, self.open) {
                (0, 0, 0) => "no journey comes here".to_owned(),
                (0, 0, open) => format!("of {open} journeys none ended long enough ago to know"),
                (0, _, _) => nothing.to_owned(),
                (n, _, _) => format!("too few (n={n})"),
            };
            rate.estimate.is_none().then_some(told)
        };
        ReturnMeasure {
            kind,
            id,
            name,
            lost,
            returned,
            open: self.open,
            hole: hole(&lost, ""),
            returned_hole: hole(&returned, "no journey ends here without a goal"),
        }
    }
}

/// A place, while a customer is looked at.
#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    /// The journey that was here last, from 1.
    journey: u64,
    /// Journeys with a visit that have ended, and those of them that are lost.
    ended: u64,
    lost: u64,
    /// Journeys that ended here without a goal, and after which somebody came back.
    left: u64,
    back: u64,
}

/// What one block adds.
struct Part {
    sums: Vec<Sums>,
    slots: Vec<Slot>,
    journey: u64,
    goals: Vec<Mask>,
    goes_on: Vec<bool>,
    /// Events with a place each: of stages, steps and touchpoints, and of channels.
    placed: [Vec<(usize, usize, usize)>; 2],
    /// Places of the journey at hand, each once; and where it was last, by kind.
    here: Vec<usize>,
    last: [(usize, Vec<usize>); KINDS],
    of_customer: Vec<usize>,
}

/// How a journey ended, as far as that is known.
struct Ended {
    /// Long enough ago.
    is_known: bool,
    reached: bool,
    came_back: bool,
}

impl Part {
    fn new(plan: &Plan) -> Part {
        Part {
            sums: vec![Sums::default(); plan.n],
            slots: vec![Slot::default(); plan.n],
            journey: 0,
            goals: Vec::new(),
            goes_on: Vec::new(),
            placed: Default::default(),
            here: Vec::new(),
            last: Default::default(),
            of_customer: Vec::new(),
        }
    }

    fn observe(&mut self, plan: &Plan, morsel: &Morsel<'_>) {
        let mut goes_on = std::mem::take(&mut self.goes_on);
        let spans = plan.who.narrow(morsel, &mut goes_on);
        let morsel = &morsel.with_spans(&spans);
        self.goals.resize_with(plan.goals.len(), Mask::default);
        for (matcher, mask) in plan.goals.iter().zip(&mut self.goals) {
            matcher.fill(morsel, mask);
        }
        let [on_map, by_channel] = &mut self.placed;
        on_map.clear();
        by_channel.clear();
        let taken = plan.places.taken(morsel);
        plan.places.walk(morsel, &taken, |event: Placed| {
            for (kind, place) in [event.stage, event.step, event.touchpoint]
                .into_iter()
                .enumerate()
            {
                on_map.extend(plan.place(kind, place).map(|p| (event.at, kind, p)));
            }
        });
        plan.places.channels(morsel, &taken, |at, channel| {
            by_channel.extend(plan.place(3, channel).map(|p| (at, 3, p)));
        });
        let placed = std::mem::take(&mut self.placed);
        let mut rest = [placed[0].as_slice(), placed[1].as_slice()];
        let mut continues = goes_on.as_slice();
        for spans in morsel.customers() {
            for span in spans {
                let goes_on = continues.split_off_first().copied().unwrap_or(false);
                for rest in &mut rest {
                    let n = rest.partition_point(|(at, ..)| *at < span.end as usize);
                    let (own, others) = rest.split_at(n);
                    *rest = others;
                    self.visits(own);
                }
                let ended = self.ended(plan, morsel, span, goes_on);
                self.journey(&ended);
            }
            self.customer();
        }
        self.placed = placed;
        self.goes_on = goes_on;
    }

    /// Where a journey has been, and where last.
    fn visits(&mut self, own: &[(usize, usize, usize)]) {
        for &(at, kind, place) in own {
            if let Some(slot) = self.slots.get_mut(place)
                && slot.journey != self.journey + 1
            {
                slot.journey = self.journey + 1;
                self.here.push(place);
            }
            if let Some((last, places)) = self.last.get_mut(kind) {
                if *last != at + 1 {
                    *last = at + 1;
                    places.clear();
                }
                if !places.contains(&place) {
                    places.push(place);
                }
            }
        }
    }

    fn ended(&self, plan: &Plan, morsel: &Morsel<'_>, span: &Span, goes_on: bool) -> Ended {
        let last = morsel.time((span.end as usize).saturating_sub(1));
        let next = morsel
            .next_start(span)
            .filter(|next| *next < plan.who.window().1);
        Ended {
            is_known: !goes_on && plan.until.saturating_sub(last) >= plan.age,
            reached: self.goals.iter().any(|g| g.any_in(span.range())),
            came_back: next.is_some_and(|next| next.saturating_sub(last) <= plan.within),
        }
    }

    /// The journey at hand is over.
    fn journey(&mut self, ended: &Ended) {
        self.journey += 1;
        for place in self.here.drain(..) {
            let (slot, sums) = (&mut self.slots[place], &mut self.sums[place]);
            match ended.is_known {
                true => {
                    if slot.ended == 0 {
                        self.of_customer.push(place);
                    }
                    slot.ended += 1;
                }
                false => sums.open += 1,
            }
        }
        for (last, places) in &mut self.last {
            *last = 0;
            for place in places.drain(..) {
                if ended.is_known && !ended.reached {
                    let slot = &mut self.slots[place];
                    slot.left += 1;
                    slot.back += u64::from(ended.came_back);
                    slot.lost += u64::from(!ended.came_back);
                }
            }
        }
    }

    fn customer(&mut self) {
        for place in self.of_customer.drain(..) {
            let slot = std::mem::take(&mut self.slots[place]);
            let sums = &mut self.sums[place];
            sums.lost.add(slot.lost, slot.ended);
            sums.back.add(slot.back, slot.left);
        }
    }
}
