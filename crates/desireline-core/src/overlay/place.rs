//! Which events of a log are those of a part of the map: as the overlay gives them out, by priority and by the stages' own conditions.

use std::sync::Arc;

use super::bind::{BindScratch, BoundMap, LenientMatcher};
use crate::error::Result;
use crate::journey::{Mask, Matcher, Morsel};
use crate::kpi::Picks;
use crate::log::{Catalog, Value};
use crate::map::{BindingPolicy, Id, JourneyMap};

/// No stage, step or channel.
pub(super) const NONE: u32 = u32::MAX;

/// A map held against a log: who takes each event.
#[derive(Debug)]
pub(super) struct Places {
    bound: BoundMap,
    touchpoints: Vec<Sits>,
    /// By stage: its place in the order.
    levels: Vec<u32>,
    /// What decides between the stages of a touchpoint.
    conditions: Vec<Matcher>,
    /// The channel column, and the map's channel for each of its codes.
    channel: Option<(usize, Vec<u32>)>,
}

/// Where a touchpoint's events are.
#[derive(Debug)]
struct Sits {
    /// Its stages, those with a condition by its place.
    stages: Vec<(u32, Option<usize>)>,
    /// Its step, by its place among all, and the stage of that.
    step: Option<(u32, u32)>,
    channel: u32,
}

/// A part of the map that events can be at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum At {
    /// One of these touchpoints, by place.
    Touchpoints(Vec<bool>),
    /// One of these stages, by place.
    Stages(Vec<bool>),
    Step(u32),
    Channel(u32),
}

/// The events of one part of the map.
#[derive(Clone, Debug)]
pub(super) struct PlaceEvents {
    places: Arc<Places>,
    at: At,
    /// Where names alone decide: whether an event of each code is one.
    by_code: Option<Vec<bool>>,
}

/// Events for which one of several conditions holds.
#[derive(Debug)]
pub(super) struct AnyOf(pub(super) Vec<Matcher>);

impl Picks for AnyOf {
    fn fill(&self, morsel: &Morsel<'_>, mask: &mut Mask) {
        mask.reset(morsel.n_events());
        let mut one = Mask::default();
        for matcher in &self.0 {
            matcher.fill(morsel, &mut one);
            mask.or(&one);
        }
    }
}

fn code(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(NONE)
}

impl Places {
    /// Holds a map against the names of a log.
    ///
    /// # Errors
    /// A condition that does not fit the log; stages that follow each other in a circle count as one place.
    pub(super) fn new(map: &JourneyMap, catalog: &Catalog) -> Result<Places> {
        let stage = |id: &Id| map.stages.iter().position(|s| s.id == *id).map(code);
        let steps = || {
            map.stages
                .iter()
                .zip(0_u32..)
                .flat_map(|(s, at)| s.steps.iter().map(move |step| (&step.id, at)))
        };
        let mut conditions = Vec::new();
        let mut touchpoints = Vec::with_capacity(map.touchpoints.len());
        for t in &map.touchpoints {
            let mut stages = Vec::new();
            for p in &t.stages {
                let Some(at) = stage(&p.stage) else { continue };
                let when = match &p.when {
                    Some(when) => {
                        conditions.push(LenientMatcher::new(when, catalog)?.matcher);
                        Some(conditions.len() - 1)
                    }
                    None => None,
                };
                stages.push((at, when));
            }
            let step = t.step.as_ref().and_then(|id| {
                let (place, (_, of)) = steps().enumerate().find(|(_, (known, _))| *known == id)?;
                Some((code(place), of))
            });
            let channel = t.channel.as_ref();
            let channel = channel.and_then(|id| map.channels.iter().position(|c| c.id == *id));
            touchpoints.push(Sits {
                stages,
                step,
                channel: channel.map_or(NONE, code),
            });
        }
        let channel = catalog.channel.and_then(|column| {
            let info = catalog.attributes.get(column)?;
            let of_value = |value: &str| {
                let at = map.channels.iter().position(|c| c.is_called(value));
                at.map_or(NONE, code)
            };
            Some((column, info.dictionary.names().map(of_value).collect()))
        });
        Ok(Places {
            bound: BoundMap::new(map, catalog)?,
            touchpoints,
            levels: map
                .stage_levels()
                .unwrap_or_else(|| vec![0; map.stages.len()]),
            conditions,
            channel,
        })
    }

    /// The events at a part of the map.
    ///
    /// # Errors
    /// In words: this log cannot have any.
    pub(super) fn at(self: &Arc<Places>, map: &JourneyMap, at: &Id) -> Result<PlaceEvents, String> {
        let place = self
            .place(map, at)
            .ok_or_else(|| format!("`{at}` is no stage, step, touchpoint or channel of the map"))?;
        let events = self.events(place);
        match (&events.at, events.can_be()) {
            (_, true) => Ok(events),
            (At::Channel(_), false) => Err(format!(
                "the log does not say what came through channel `{at}`"
            )),
            (_, false) => Err(format!("no event of this log is bound to `{at}`")),
        }
    }

    fn place(&self, map: &JourneyMap, at: &Id) -> Option<At> {
        if let Some(stage) = map.stages.iter().position(|s| s.id == *at) {
            return Some(At::Stages(
                (0..map.stages.len()).map(|s| s == stage).collect(),
            ));
        }
        if let Some(t) = map.touchpoints.iter().position(|t| t.id == *at) {
            let meant = (0..map.touchpoints.len()).map(|other| other == t);
            return Some(At::Touchpoints(meant.collect()));
        }
        if let Some(c) = map.channels.iter().position(|c| c.id == *at) {
            return Some(At::Channel(code(c)));
        }
        let mut steps = map.stages.iter().flat_map(|s| &s.steps);
        steps.position(|s| s.id == *at).map(|s| At::Step(code(s)))
    }

    /// The events of all stages that come after a stage in the order of stages, whatever their order in the document; `None` for
    /// what is no stage, and for a last one.
    pub(super) fn after(self: &Arc<Places>, map: &JourneyMap, at: &Id) -> Option<PlaceEvents> {
        let stage = map.stages.iter().position(|s| s.id == *at)?;
        let own = *self.levels.get(stage)?;
        let events = self.events(At::Stages(self.levels.iter().map(|l| *l > own).collect()));
        events.can_be().then_some(events)
    }

    /// The events of all touchpoints but this one, or but those of this step; `None` for what is neither, and where there are none.
    pub(super) fn others(self: &Arc<Places>, map: &JourneyMap, at: &Id) -> Option<PlaceEvents> {
        let meant: Vec<bool> = match self.place(map, at)? {
            At::Touchpoints(own) => own.iter().map(|own| !own).collect(),
            At::Step(step) => {
                let sits = self.touchpoints.iter();
                sits.map(|s| s.step.is_none_or(|(own, _)| own != step))
                    .collect()
            }
            At::Stages(_) | At::Channel(_) => return None,
        };
        let events = self.events(At::Touchpoints(meant));
        events.can_be().then_some(events)
    }

    fn events(self: &Arc<Places>, at: At) -> PlaceEvents {
        PlaceEvents {
            by_code: self.by_code(&at),
            places: Arc::clone(self),
            at,
        }
    }

    /// Whether an event of a touchpoint can be there; where its only stage says so, it is.
    fn may_be(&self, t: usize, at: &At) -> bool {
        let Some(sits) = self.touchpoints.get(t) else {
            return false;
        };
        match at {
            At::Touchpoints(wanted) => is_in(wanted, code(t)),
            At::Stages(wanted) => sits.stages.iter().any(|(s, _)| is_in(wanted, *s)),
            At::Step(wanted) => sits.step.is_some_and(|(s, of)| {
                s == *wanted && sits.stages.iter().any(|(stage, _)| *stage == of)
            }),
            At::Channel(wanted) => sits.channel == *wanted,
        }
    }

    /// For each code whether its events are there, where names alone say so.
    fn by_code(&self, at: &At) -> Option<Vec<bool>> {
        if matches!(at, At::Channel(_)) {
            return None;
        }
        (0..self.bound.n_codes())
            .map(|c| {
                let candidates = self.bound.candidates(code(c));
                let taking = match self.bound.policy {
                    BindingPolicy::Priority => candidates.get(..candidates.len().min(1))?,
                    BindingPolicy::Multi => candidates,
                };
                // Who might take it instead has to be asked event by event, unless it is all the same.
                if candidates
                    .iter()
                    .all(|c| !self.may_be(self.bound.bindings[c.binding].touchpoint, at))
                {
                    return Some(false);
                }
                let mut here = false;
                for candidate in taking {
                    let t = self.bound.bindings.get(candidate.binding)?.touchpoint;
                    if !candidate.always {
                        return None;
                    }
                    let several = self.touchpoints.get(t)?.stages.len() > 1;
                    let conditional = self
                        .touchpoints
                        .get(t)?
                        .stages
                        .iter()
                        .any(|(_, when)| when.is_some());
                    let by_stage = matches!(at, At::Stages(_) | At::Step(_));
                    if by_stage && (several || conditional) && self.may_be(t, at) {
                        return None;
                    }
                    here |= self.may_be(t, at);
                }
                Some(here)
            })
            .collect()
    }

    /// The stage of an event of a touchpoint, in a journey that has come so far.
    fn stage(&self, t: usize, i: usize, masks: &[Mask], furthest: Option<u32>) -> u32 {
        let Some(sits) = self.touchpoints.get(t) else {
            return NONE;
        };
        let holds = |when: Option<usize>| when.and_then(|w| masks.get(w)).is_some_and(|m| m.get(i));
        if let Some((stage, _)) = sits.stages.iter().find(|(_, when)| holds(*when)) {
            return *stage;
        }
        let level = |stage: u32| self.levels.get(stage as usize).copied().unwrap_or(0);
        let (mut best, mut earliest) = (NONE, NONE);
        for &(stage, _) in sits.stages.iter().filter(|(_, when)| when.is_none()) {
            let here = level(stage);
            if earliest == NONE || here < level(earliest) {
                earliest = stage;
            }
            if furthest.is_some_and(|f| here <= f) && (best == NONE || here > level(best)) {
                best = stage;
            }
        }
        if best == NONE { earliest } else { best }
    }
}

fn is_in(wanted: &[bool], place: u32) -> bool {
    wanted.get(place as usize).copied().unwrap_or(false)
}

impl PlaceEvents {
    /// Whether this log can have such events at all.
    fn can_be(&self) -> bool {
        let places = &self.places;
        if let (At::Channel(channel), Some((_, values))) = (&self.at, &places.channel)
            && values.contains(channel)
        {
            return true;
        }
        let bound = &places.bound;
        (0..bound.n_codes()).any(|c| {
            let candidates = bound.candidates(code(c)).iter();
            let mut touchpoints = candidates.filter_map(|c| bound.bindings.get(c.binding));
            touchpoints.any(|b| places.may_be(b.touchpoint, &self.at))
        })
    }
}

impl Picks for PlaceEvents {
    fn fill(&self, morsel: &Morsel<'_>, mask: &mut Mask) {
        mask.reset(morsel.n_events());
        if let Some(table) = &self.by_code {
            morsel.events_in(table, mask);
            return;
        }
        let places = &*self.places;
        match &self.at {
            At::Touchpoints(wanted) => {
                for (i, _) in places
                    .taken(morsel)
                    .iter()
                    .filter(|(_, t)| is_in(wanted, *t))
                {
                    mask.set(*i as usize);
                }
            }
            At::Channel(wanted) => places.channels(morsel, &places.taken(morsel), |i, channel| {
                if channel == *wanted {
                    mask.set(i);
                }
            }),
            At::Stages(wanted) => places.walk(morsel, &places.taken(morsel), |event| {
                if is_in(wanted, event.stage) {
                    mask.set(event.at);
                }
            }),
            At::Step(wanted) => places.walk(morsel, &places.taken(morsel), |event| {
                if event.step == *wanted {
                    mask.set(event.at);
                }
            }),
        }
    }
}

/// An event and one of the touchpoints that it belongs to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Placed {
    /// Where it is in the morsel.
    pub(super) at: usize,
    pub(super) touchpoint: u32,
    /// Where it is there; [`NONE`] for nowhere.
    pub(super) stage: u32,
    pub(super) step: u32,
}

impl Places {
    /// Where a stage stands in the order; `None` for none.
    pub(super) fn level(&self, stage: u32) -> Option<u32> {
        self.levels.get(stage as usize).copied()
    }

    /// The events that belong to a touchpoint, each with it; in the order of the journeys, and of priority where an event belongs to several.
    pub(super) fn taken(&self, morsel: &Morsel<'_>) -> Vec<(u32, u32)> {
        let mut taken = Vec::new();
        let take = |i: usize, binding: usize| {
            let bound = self.bound.bindings.get(binding);
            taken.extend(bound.map(|b| (code(i), code(b.touchpoint))));
        };
        self.bound
            .assign(morsel, &mut BindScratch::default(), take, |_| {});
        taken
    }

    /// Calls `each` with every event that belongs to a channel of the map; `taken` says [which touchpoint](Self::taken) an event has.
    pub(super) fn channels(
        &self,
        morsel: &Morsel<'_>,
        taken: &[(u32, u32)],
        mut each: impl FnMut(usize, u32),
    ) {
        let mut rest = taken;
        for span in morsel.spans() {
            for i in span.range() {
                let n = rest.iter().take_while(|(at, _)| *at as usize == i).count();
                let lead = rest.first().filter(|_| n > 0);
                let sits = lead.and_then(|(_, t)| self.touchpoints.get(*t as usize));
                let mut channel = sits.map_or(NONE, |t| t.channel);
                rest = rest.get(n..).unwrap_or_default();
                if let Some((column, of_value)) = &self.channel
                    && let Value::Code(code) = morsel.attribute(*column, i, span.customer)
                {
                    channel = of_value.get(code as usize).copied().unwrap_or(NONE);
                }
                if channel != NONE {
                    each(i, channel);
                }
            }
        }
    }

    /// Calls `each` with every event that belongs to a touchpoint, once for each that it belongs to, and with where it is there.
    pub(super) fn walk(
        &self,
        morsel: &Morsel<'_>,
        taken: &[(u32, u32)],
        mut each: impl FnMut(Placed),
    ) {
        let mut masks = vec![Mask::default(); self.conditions.len()];
        for (condition, mask) in self.conditions.iter().zip(&mut masks) {
            condition.fill(morsel, mask);
        }
        let mut rest = taken;
        for span in morsel.spans() {
            let mut furthest: Option<u32> = None;
            while let Some(&(i, _)) = rest
                .first()
                .filter(|(i, _)| span.range().contains(&(*i as usize)))
            {
                let n = rest.iter().take_while(|(at, _)| *at == i).count();
                let mut lead = NONE;
                for &(_, t) in rest.get(..n).unwrap_or_default() {
                    let stage = self.stage(t as usize, i as usize, &masks, furthest);
                    if lead == NONE {
                        lead = stage;
                    }
                    let sits = self.touchpoints.get(t as usize);
                    let step = sits.and_then(|s| s.step).filter(|(_, of)| *of == stage);
                    each(Placed {
                        at: i as usize,
                        touchpoint: t,
                        stage,
                        step: step.map_or(NONE, |(step, _)| step),
                    });
                }
                if let Some(level) = self.level(lead) {
                    furthest = Some(furthest.map_or(level, |f| f.max(level)));
                }
                rest = rest.get(n..).unwrap_or_default();
            }
        }
    }
}
