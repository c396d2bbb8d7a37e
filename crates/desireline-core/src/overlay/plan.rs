//! A map and a question bound to a log: all that the scan looks up, as numbers.

use jiff::tz::TimeZone;

use super::bind::{BoundMap, LenientMatcher};
use super::question::{Overlay, wrong};
use super::report::Direction;
use crate::error::{Result, nearest};
use crate::expr::Expr;
use crate::journey::{CalendarUnit, JourneyRule, Matcher, unit_bounds};
use crate::log::{AttributeType, Catalog};
use crate::map::{BindingPolicy, Dwell, Id, JourneyMap, Preset, Window};

/// No touchpoint, stage, step, channel or owner.
pub(super) const NONE: u32 = u32::MAX;
/// An event of which more than its name must be known.
pub(super) const ASK: u32 = u32::MAX - 1;
/// More periods than this are no trend.
const MOST_PERIODS: usize = 2_400;
/// How long a journey may pause where its rule does not say.
pub(super) const ALIVE: i64 = 30 * 60 * 1_000_000;

/// Which stage an event of a touchpoint is in.
#[derive(Debug)]
pub(super) enum StageOf {
    Nowhere,
    One(u32),
    /// The first whose condition holds; else the furthest reached of those without one. Stages with places in `Plan::conditions`.
    Rule(Vec<(u32, Option<usize>)>),
}

/// How long a visit to a touchpoint lasts.
#[derive(Debug)]
pub(super) enum DwellBy {
    NextEvent,
    /// Places in `Plan::conditions` of what begins and what ends it.
    Pair(usize, usize),
    /// An attribute in seconds.
    Attribute(usize),
}

/// Whether a visit went well: places in `Plan::conditions`.
#[derive(Debug)]
pub(super) struct OutcomeBy {
    pub(super) touchpoint: usize,
    pub(super) success: Option<usize>,
    pub(super) failure: Option<usize>,
    pub(super) within: i64,
}

/// What is handed over.
#[derive(Debug)]
pub(super) enum HandBy {
    Owner,
    Channel,
    Attribute(usize),
}

#[derive(Debug)]
pub(super) struct HandPlan {
    pub(super) by: HandBy,
    pub(super) name: String,
    /// The names of the codes.
    pub(super) names: Vec<String>,
}

#[derive(Debug)]
pub(super) struct TouchpointPlan {
    pub(super) stage: StageOf,
    /// The stages and steps that its events can be in, in the order of the map; the last is nowhere.
    pub(super) places: Vec<(u32, u32)>,
    pub(super) channel: u32,
    pub(super) owner: u32,
    pub(super) dwell: DwellBy,
}

#[derive(Debug)]
pub(super) struct ForcedPlan {
    pub(super) from: u32,
    pub(super) to: u32,
    pub(super) touches: u32,
    pub(super) within: Option<i64>,
}

/// The periods of a trend.
#[derive(Debug)]
pub(super) struct PeriodPlan {
    pub(super) unit: CalendarUnit,
    pub(super) zone: TimeZone,
    /// First instants, and the first after the last period.
    pub(super) bounds: Vec<i64>,
}

#[derive(Debug)]
pub(super) struct Plan {
    pub(super) bound: BoundMap,
    /// For each event code its touchpoint, where one takes an event; [`ASK`] where its name does not tell which.
    pub(super) by_code: Vec<u32>,
    /// By binding: its touchpoint.
    pub(super) of_binding: Vec<u32>,
    pub(super) touchpoints: Vec<TouchpointPlan>,
    /// Whether a touchpoint is in several stages.
    pub(super) has_rules: bool,
    /// Whether an event is of one touchpoint at most, and always lasts there until the next event.
    pub(super) by_next_event: bool,
    /// Whether a touchpoint's visits last from one condition to another.
    pub(super) has_pairs: bool,
    pub(super) n_steps: usize,
    /// By stage: its place in the order.
    pub(super) levels: Vec<u32>,
    pub(super) n_levels: usize,
    pub(super) n_channels: usize,
    /// The channel column, and the map's channel for each of its codes.
    pub(super) channel: Option<(usize, Vec<u32>)>,
    /// Conditions of stages, visits and outcomes.
    pub(super) conditions: Vec<Matcher>,
    pub(super) outcomes: Vec<OutcomeBy>,
    /// Places in the map's goals, and what they are.
    pub(super) goals: Vec<(usize, Matcher)>,
    /// Places in the map's personas, and who belongs to them.
    pub(super) personas: Vec<(usize, Matcher)>,
    /// Whose customers alone count.
    pub(super) only: Option<Matcher>,
    pub(super) periods: Option<PeriodPlan>,
    pub(super) handovers: Vec<HandPlan>,
    pub(super) forced: Option<ForcedPlan>,
    pub(super) window: Option<(i64, i64)>,
    pub(super) first_time: i64,
    pub(super) until: i64,
    pub(super) alive: i64,
    pub(super) n_codes: usize,
}

impl Plan {
    pub(super) fn new(
        map: &JourneyMap,
        catalog: &Catalog,
        how: &Overlay,
        rule: &JourneyRule,
    ) -> Result<Plan> {
        how.check(map)?;
        let mut binder = Binder {
            catalog,
            conditions: Vec::new(),
        };
        let bound = BoundMap::new(map, catalog)?;
        let of_binding: Vec<u32> = bound.bindings.iter().map(|b| code(b.touchpoint)).collect();
        let by_code = by_code(&bound, catalog.events.len(), &of_binding);
        let (levels, n_levels) = levels(map)?;
        let stage = |id: &Id| place(map.stages.iter().map(|s| &s.id), id);
        let steps: Vec<(&Id, u32)> = map
            .stages
            .iter()
            .zip(0..)
            .flat_map(|(s, at)| s.steps.iter().map(move |step| (&step.id, at)))
            .collect();
        let owners = owners(map);
        let mut touchpoints = Vec::with_capacity(map.touchpoints.len());
        let mut outcomes = Vec::new();
        for (place_in_map, t) in map.touchpoints.iter().enumerate() {
            let binding = t.binding.as_ref();
            let listed = t
                .stages
                .iter()
                .filter_map(|p| Some((stage(&p.stage)?, p.when.as_ref())));
            let mut rules = Vec::new();
            for (at, when) in listed {
                rules.push((at, when.map(|e| binder.add(e)).transpose()?));
            }
            let step = t.step.as_ref().and_then(|id| {
                let at = steps.iter().position(|(known, _)| *known == id)?;
                Some((code(at), steps[at].1))
            });
            let mut places: Vec<(u32, u32)> = Vec::new();
            for &(at, _) in &rules {
                let within = step.filter(|(_, of)| *of == at).map_or(NONE, |(s, _)| s);
                if !places.contains(&(at, within)) {
                    places.push((at, within));
                }
            }
            places.push((NONE, NONE));
            let dwell = match binding.and_then(|b| b.dwell.as_ref()) {
                None | Some(Dwell::NextEvent) => DwellBy::NextEvent,
                Some(Dwell::Pair(pair)) => {
                    DwellBy::Pair(binder.add(&pair.start)?, binder.add(&pair.end)?)
                }
                Some(Dwell::Attribute(name)) => DwellBy::Attribute(binder.attribute(name)?),
            };
            if let Some(outcome) = binding.and_then(|b| b.outcome.as_ref()) {
                let mut side = |e: &Option<Expr>| e.as_ref().map(|e| binder.add(e)).transpose();
                outcomes.push(OutcomeBy {
                    touchpoint: place_in_map,
                    success: side(&outcome.success)?,
                    failure: side(&outcome.failure)?,
                    within: outcome.within.as_micros(),
                });
            }
            let channels = || map.channels.iter().map(|c| &c.id);
            touchpoints.push(TouchpointPlan {
                stage: match rules.as_slice() {
                    [] => StageOf::Nowhere,
                    [(at, None)] => StageOf::One(*at),
                    _ => StageOf::Rule(rules),
                },
                places,
                channel: t
                    .channel
                    .as_ref()
                    .and_then(|id| place(channels(), id))
                    .unwrap_or(NONE),
                owner: t
                    .owner
                    .as_ref()
                    .and_then(|id| place(owners.iter().copied(), id))
                    .unwrap_or(NONE),
                dwell,
            });
        }
        let wanted = |id: &Id| how.goal.as_ref().is_none_or(|g| g == id);
        let goals = map.goals.iter().enumerate().filter(|(_, g)| wanted(&g.id));
        let goals = goals
            .filter_map(|(i, g)| Some((i, g.success.as_ref()?)))
            .map(|(i, e)| Ok((i, binder.matcher(e)?)))
            .collect::<Result<Vec<_>>>()?;
        let members = map.personas.iter().enumerate();
        let members = members.filter_map(|(i, p)| Some((i, p.member.as_ref()?)));
        let personas = members
            .filter(|_| how.personas)
            .map(|(i, e)| Ok((i, binder.matcher(e)?)))
            .collect::<Result<Vec<_>>>()?;
        let only = map
            .personas
            .iter()
            .find(|p| how.persona.as_ref() == Some(&p.id));
        let only = only.and_then(|p| p.member.as_ref());
        let only = only.map(|e| binder.matcher(e)).transpose()?;
        let window = map.scope.as_ref().and_then(|s| s.window.as_ref());
        let bounds = window.map(bounds_of).transpose()?;
        let until = bounds.map_or(catalog.observed_until, |(_, to)| {
            catalog.observed_until.min(to)
        });
        let periods = how.period.map(|unit| {
            let zone = how.zone.as_deref();
            let zone = zone.or_else(|| window?.zone.as_deref()).unwrap_or("UTC");
            let from = bounds.map_or(catalog.first_time, |(from, _)| catalog.first_time.max(from));
            let last = bounds.map_or(catalog.last_time, |(_, to)| {
                catalog.last_time.min(to.saturating_sub(1))
            });
            PeriodPlan::new(unit, zone, from, last)
        });
        let alive = how.alive.or(rule.gap);
        let any = |is: fn(&TouchpointPlan) -> bool| touchpoints.iter().any(is);
        Ok(Plan {
            has_rules: any(|t| matches!(t.stage, StageOf::Rule(_))),
            by_next_event: bound.policy != BindingPolicy::Multi
                && !any(|t| !matches!(t.dwell, DwellBy::NextEvent)),
            has_pairs: any(|t| matches!(t.dwell, DwellBy::Pair(..))),
            by_code,
            of_binding,
            touchpoints,
            n_steps: steps.len(),
            levels,
            n_levels,
            n_channels: map.channels.len(),
            channel: channel_column(map, catalog),
            outcomes,
            goals,
            personas,
            only,
            periods: periods.transpose()?,
            handovers: handovers(map, catalog, how, &owners)?,
            forced: forced(map, how),
            window: bounds,
            first_time: catalog.first_time,
            until,
            alive: alive.map_or(ALIVE, crate::time::TimeSpan::as_micros),
            n_codes: catalog.events.len(),
            conditions: binder.conditions,
            bound,
        })
    }

    pub(super) fn n_stages(&self) -> usize {
        self.levels.len()
    }

    /// Whether an event can belong to several touchpoints.
    pub(super) fn is_multi(&self) -> bool {
        self.bound.policy == BindingPolicy::Multi
    }

    /// Where a stage stands in the order; [`NONE`] for none.
    #[inline]
    pub(super) fn level(&self, stage: u32) -> u32 {
        self.levels.get(stage as usize).copied().unwrap_or(NONE)
    }

    /// Which way a step from one stage to another leads.
    #[inline]
    pub(super) fn direction(&self, from: u32, to: u32) -> Option<Direction> {
        let (a, b) = (
            *self.levels.get(from as usize)?,
            *self.levels.get(to as usize)?,
        );
        Some(match b {
            _ if b == a => Direction::Aside,
            _ if b == a + 1 => Direction::Forward,
            _ if b > a => Direction::Skip,
            _ => Direction::Backward,
        })
    }
}

pub(super) fn code(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(NONE)
}

fn place<'i>(mut ids: impl Iterator<Item = &'i Id>, id: &Id) -> Option<u32> {
    ids.position(|known| known == id).map(code)
}

/// Everybody who owns a touchpoint, in the order of the touchpoints.
pub(super) fn owners(map: &JourneyMap) -> Vec<&Id> {
    let mut owners: Vec<&Id> = Vec::new();
    for owner in map.touchpoints.iter().filter_map(|t| t.owner.as_ref()) {
        if !owners.contains(&owner) {
            owners.push(owner);
        }
    }
    owners
}

/// The place of each stage in their order: the longest way to it.
pub(super) fn levels(map: &JourneyMap) -> Result<(Vec<u32>, usize)> {
    let before = map
        .stage_order()
        .ok_or_else(|| wrong("map", "its stages follow each other in a circle".to_owned()))?;
    let mut levels = vec![0_u32; before.len()];
    for _ in 0..before.len() {
        let mut changed = false;
        for (stage, before) in before.iter().enumerate() {
            let level = before.iter().map(|b| levels[*b] + 1).max().unwrap_or(0);
            changed |= level != levels[stage];
            levels[stage] = level;
        }
        if !changed {
            break;
        }
    }
    let n = levels.iter().max().map_or(0, |top| *top as usize + 1);
    Ok((levels, n))
}

/// The touchpoint of each event code, as far as names tell.
fn by_code(bound: &BoundMap, n_codes: usize, of_binding: &[u32]) -> Vec<u32> {
    let of_code = |c: usize| match bound.candidates(code(c)).first() {
        None => NONE,
        Some(first) if first.always => of_binding.get(first.binding).copied().unwrap_or(NONE),
        Some(_) => ASK,
    };
    (0..n_codes).map(of_code).collect()
}

/// The window of a map, in microseconds since 1970 UTC, and the zone of its days.
pub(super) fn window_of(map: &JourneyMap) -> Result<Option<(i64, i64, String)>> {
    let window = map.scope.as_ref().and_then(|s| s.window.as_ref());
    let Some(window) = window else {
        return Ok(None);
    };
    let (from, to) = bounds_of(window)?;
    let zone = window.zone.clone().unwrap_or_else(|| "UTC".to_owned());
    Ok(Some((from, to, zone)))
}

pub(super) fn bounds_of(window: &Window) -> Result<(i64, i64)> {
    window.micros().ok_or_else(|| {
        let zone = window.zone.as_deref().unwrap_or("UTC");
        wrong(
            "map",
            format!("`{zone}` is no time zone; use an IANA name such as Europe/Berlin or UTC"),
        )
    })
}

fn channel_column(map: &JourneyMap, catalog: &Catalog) -> Option<(usize, Vec<u32>)> {
    let column = catalog.channel?;
    let info = catalog.attributes.get(column)?;
    let of_value = |value: &str| {
        let at = map.channels.iter().position(|c| c.is_called(value));
        at.map_or(NONE, code)
    };
    Some((column, info.dictionary.names().map(of_value).collect()))
}

fn handovers(
    map: &JourneyMap,
    catalog: &Catalog,
    how: &Overlay,
    owners: &[&Id],
) -> Result<Vec<HandPlan>> {
    let mut plans = Vec::new();
    let plan = |by, name: &str, names: Vec<String>| HandPlan {
        by,
        name: name.to_owned(),
        names,
    };
    if owners.len() > 1 {
        let names = owners.iter().map(ToString::to_string).collect();
        plans.push(plan(HandBy::Owner, "owner", names));
    }
    if map.channels.len() > 1 {
        let names = map.channels.iter().map(|c| c.id.to_string()).collect();
        plans.push(plan(HandBy::Channel, "channel", names));
    }
    for name in &how.handovers {
        let known = || catalog.attributes.iter().map(|a| a.name.as_str());
        let at = catalog.attribute(name).ok_or_else(|| {
            let near = nearest(name, known());
            let help = near.map_or_else(String::new, |n| format!("; did you mean `{n}`?"));
            wrong(
                "handovers",
                format!("the log has no attribute `{name}`{help}"),
            )
        })?;
        let info = &catalog.attributes[at];
        if !matches!(info.kind, AttributeType::Text | AttributeType::Boolean) {
            return Err(wrong(
                "handovers",
                format!("`{name}` holds numbers; journeys are handed over between names"),
            ));
        }
        let names = info.dictionary.names().map(str::to_owned).collect();
        plans.push(plan(HandBy::Attribute(at), name, names));
    }
    Ok(plans)
}

fn forced(map: &JourneyMap, how: &Overlay) -> Option<ForcedPlan> {
    let asked = how.forced.clone().unwrap_or_default();
    let find = |id: Option<&Id>, usual: &[&str]| {
        let stages = || map.stages.iter().map(|s| &s.id);
        match id {
            Some(id) => place(stages(), id),
            None => usual.iter().find_map(|u| place(stages(), &Id::from(*u))),
        }
    };
    let early = map
        .framework
        .as_ref()
        .is_some_and(|f| f.preset == Preset::EarlyMiddleLate);
    let (from, to): (&[&str], &[&str]) = match early {
        true => (&["middle"], &["late"]),
        false => (&["consideration"], &["decision", "purchase"]),
    };
    Some(ForcedPlan {
        from: find(asked.from.as_ref(), from)?,
        to: find(asked.to.as_ref(), to)?,
        touches: asked.touches,
        within: asked.within.map(crate::time::TimeSpan::as_micros),
    })
}

impl PeriodPlan {
    fn new(unit: CalendarUnit, zone: &str, first: i64, last: i64) -> Result<PeriodPlan> {
        let zone = jiff::tz::db().get(zone).map_err(|_| {
            wrong(
                "zone",
                format!("`{zone}` is no time zone; use an IANA name such as Europe/Berlin or UTC"),
            )
        })?;
        let mut bounds = Vec::new();
        let mut at = first;
        while at <= last {
            let (from, to) = unit_bounds(unit, &zone, at);
            if bounds.is_empty() {
                bounds.push(from);
            }
            bounds.push(to);
            if to <= at || bounds.len() > MOST_PERIODS {
                break;
            }
            at = to;
        }
        if bounds.len() > MOST_PERIODS {
            return Err(wrong(
                "period",
                format!("the log has more than {MOST_PERIODS} of them; take a longer one"),
            ));
        }
        Ok(PeriodPlan { unit, zone, bounds })
    }

    pub(super) fn len(&self) -> usize {
        self.bounds.len().saturating_sub(1)
    }

    /// The period of an instant.
    #[inline]
    pub(super) fn of(&self, time: i64) -> usize {
        let at = self.bounds.partition_point(|b| *b <= time);
        at.saturating_sub(1).min(self.len().saturating_sub(1))
    }
}

/// Binds conditions and keeps those that need a mask.
struct Binder<'c> {
    catalog: &'c Catalog,
    conditions: Vec<Matcher>,
}

impl Binder<'_> {
    fn matcher(&self, expr: &Expr) -> Result<Matcher> {
        Ok(LenientMatcher::new(expr, self.catalog)?.matcher)
    }

    fn add(&mut self, expr: &Expr) -> Result<usize> {
        self.conditions.push(self.matcher(expr)?);
        Ok(self.conditions.len() - 1)
    }

    fn attribute(&self, name: &str) -> Result<usize> {
        self.catalog
            .attribute(name)
            .ok_or_else(|| wrong("map", format!("the log has no attribute `{name}`")))
    }
}
