//! Several maps over one log: do their scenarios add up to the whole?

use std::any::Any;

use desireline_stats::Clusters;
use serde::Serialize;

use super::check::journey_rule;
use super::plan::bounds_of;
use super::question::wrong;
use super::run::select;
use crate::engine::Exec;
use crate::error::{Error, Result};
use crate::journey::{JourneyBlock, JourneyRule, Journeys, Scratch};
use crate::map::JourneyMap;
use crate::report::{Answer, Base, Caveat, Cells, Provenance, Rate, Report, Table};

/// One map's part of the journeys.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ScenarioRow {
    /// The map's id.
    pub map: String,
    /// The situation that it is about, or its title.
    pub scenario: String,
    /// Whom it is about, as the map writes it; everybody where absent.
    pub segment: Option<String>,
    /// Its journeys, of all; clustered by customer.
    pub journeys: Rate,
    /// Customers with such a journey.
    pub customers: u64,
    /// Journeys that are in no other scenario.
    pub alone: u64,
}

/// Journeys that two maps are both about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ScenarioOverlap {
    /// One map.
    pub a: String,
    /// The other.
    pub b: String,
    /// Journeys of both.
    pub journeys: u64,
}

/// How the scenarios of several maps share the journeys of a log. Tables: `scenarios`, `whole`, and `overlaps` where there are any.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ScenarioReport {
    /// Each map, in the order given.
    pub scenarios: Vec<ScenarioRow>,
    /// All journeys.
    pub journeys: u64,
    /// Those that belong to exactly one scenario.
    pub one: u64,
    /// Those that belong to several.
    pub several: u64,
    /// Those that belong to none.
    pub none: u64,
    /// Which scenarios share journeys, in the order of the maps.
    pub overlaps: Vec<ScenarioOverlap>,
    /// What a reader must know.
    pub caveats: Vec<Caveat>,
    /// Over which journeys.
    #[serde(skip)]
    pub provenance: Provenance,
}

/// Do the maps of several scenarios cover a log, and each journey once?
///
/// A journey belongs to a map if [`overlay`](super::overlay()) of that map counts it: if its `scope.segment` holds for one of its events, an
/// event is left after what its `scope.exclude` leaves out, and one lies in its window. Where the segments are disjoint and complete, the
/// scenarios' journeys add up to the whole: `journeys = one + several + none` always holds, and then `several = none = 0`.
///
/// Cost: one pass over the journeys for each map. Memory grows with the journeys of a block times the maps.
///
/// # Errors
/// Two maps of one id; a segment that does not fit the log; cancellation.
pub fn scenarios(maps: &[&JourneyMap], journeys: &Journeys, exec: &Exec) -> Result<ScenarioReport> {
    for (i, map) in maps.iter().enumerate() {
        if maps[..i].iter().any(|other| other.id == map.id) {
            return Err(wrong(
                "map",
                format!("two of the maps are called `{}`", map.id),
            ));
        }
    }
    let mut parts = Vec::with_capacity(maps.len());
    for map in maps {
        let window = map.scope.as_ref().and_then(|s| s.window.as_ref());
        parts.push(Selected {
            journeys: select(map, journeys)?.unwrap_or_else(|| journeys.clone()),
            window: window.map(bounds_of).transpose()?,
        });
    }
    let blocks: Vec<usize> = (0..journeys.blocks().len()).collect();
    let total = blocks.len() as u64;
    let sums = exec.map(blocks, |block| {
        let mut sums = Sums::new(maps.len());
        if !exec.is_cancelled() {
            sums.block(journeys, &parts, block);
        }
        sums
    });
    if exec.is_cancelled() {
        return Err(Error::Cancelled { done: 0, total });
    }
    let mut all = Sums::new(maps.len());
    sums.iter().for_each(|s| all.merge(s));
    Ok(all.told(maps, journeys))
}

/// How maps of several scenarios want journeys to be cut: all of them alike.
///
/// # Errors
/// No map; two that cut journeys in different ways, whose journeys are not of one whole; a rule that cannot be.
pub fn scenario_rule(maps: &[&JourneyMap]) -> Result<JourneyRule> {
    let Some((first, others)) = maps.split_first() else {
        return Err(wrong("map", "there is no map".to_owned()));
    };
    let rule = journey_rule(first)?;
    for map in others {
        let other = journey_rule(map)?;
        if other != rule {
            return Err(wrong(
                "map",
                format!(
                    "`{}` cuts journeys by {rule} and `{}` by {other}; scenarios share the journeys of one rule",
                    first.id, map.id
                ),
            ));
        }
    }
    Ok(rule)
}

struct Selected {
    journeys: Journeys,
    window: Option<(i64, i64)>,
}

/// Which journey of which customer of a block.
type Key = (u32, u32);

struct Sums {
    journeys: u64,
    one: u64,
    several: u64,
    none: u64,
    shares: Vec<Clusters>,
    customers: Vec<u64>,
    alone: Vec<u64>,
    /// By map and later map.
    both: Vec<Vec<u64>>,
}

impl Sums {
    fn new(maps: usize) -> Sums {
        Sums {
            journeys: 0,
            one: 0,
            several: 0,
            none: 0,
            shares: vec![Clusters::default(); maps],
            customers: vec![0; maps],
            alone: vec![0; maps],
            both: vec![vec![0; maps]; maps],
        }
    }

    fn merge(&mut self, other: &Sums) {
        self.journeys += other.journeys;
        self.one += other.one;
        self.several += other.several;
        self.none += other.none;
        for (a, b) in self.shares.iter_mut().zip(&other.shares) {
            a.merge(b);
        }
        let add = |a: &mut [u64], b: &[u64]| a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
        add(&mut self.customers, &other.customers);
        add(&mut self.alone, &other.alone);
        for (a, b) in self.both.iter_mut().zip(&other.both) {
            add(a, b);
        }
    }

    fn block(&mut self, journeys: &Journeys, parts: &[Selected], block: usize) {
        let whole = keys(journeys.blocks().get(block), None);
        // Each journey with the maps that it belongs to, map by map.
        let mut of: Vec<(Key, usize)> = Vec::new();
        for (map, part) in parts.iter().enumerate() {
            let mine = keys(part.journeys.blocks().get(block), part.window);
            of.extend(mine.into_iter().map(|key| (key, map)));
        }
        of.sort_unstable();
        let mut rest = of.as_slice();
        let n_maps = parts.len();
        let mut counts = vec![0_u64; n_maps];
        for customer in whole.chunk_by(|a, b| a.0 == b.0) {
            counts.fill(0);
            for key in customer {
                let own = rest.partition_point(|(k, _)| k <= key);
                let (here, others) = rest.split_at(own);
                rest = others;
                self.journeys += 1;
                match here {
                    [] => self.none += 1,
                    [(_, map)] => {
                        self.one += 1;
                        self.alone[*map] += 1;
                    }
                    _ => self.several += 1,
                }
                for (i, (_, a)) in here.iter().enumerate() {
                    counts[*a] += 1;
                    for (_, b) in &here[i + 1..] {
                        self.both[*a][*b] += 1;
                    }
                }
            }
            for (map, count) in counts.iter().enumerate() {
                self.shares[map].add(*count, customer.len() as u64);
                self.customers[map] += u64::from(*count > 0);
            }
        }
    }

    fn told(&self, maps: &[&JourneyMap], journeys: &Journeys) -> ScenarioReport {
        let row = |(i, map): (usize, &&JourneyMap)| {
            let scope = map.scope.as_ref();
            let scenario = scope
                .and_then(|s| s.scenario.as_ref())
                .unwrap_or(&map.title);
            ScenarioRow {
                map: map.id.to_string(),
                scenario: scenario.get(map.main_language()).to_owned(),
                segment: scope
                    .and_then(|s| s.segment.as_ref())
                    .map(ToString::to_string),
                journeys: Rate::clustered(&self.shares[i], Base::OfAll, 0.95),
                customers: self.customers[i],
                alone: self.alone[i],
            }
        };
        let mut overlaps = Vec::new();
        for (a, row) in self.both.iter().enumerate() {
            for (b, n) in row.iter().enumerate().filter(|(_, n)| **n > 0) {
                overlaps.push(ScenarioOverlap {
                    a: maps[a].id.to_string(),
                    b: maps[b].id.to_string(),
                    journeys: *n,
                });
            }
        }
        let mut caveats = journeys.caveats();
        if self.none > 0 || self.several > 0 {
            caveats.push(Caveat::Note {
                text: format!(
                    "the scenarios do not add up to the whole: of {} journeys {} are in none of them and {} in several",
                    self.journeys, self.none, self.several
                ),
            });
        }
        ScenarioReport {
            scenarios: maps.iter().enumerate().map(row).collect(),
            journeys: self.journeys,
            one: self.one,
            several: self.several,
            none: self.none,
            overlaps,
            caveats,
            provenance: journeys.provenance(),
        }
    }
}

/// The journeys of a block with an event in the window, in order.
fn keys(block: Option<&JourneyBlock>, window: Option<(i64, i64)>) -> Vec<Key> {
    let mut keys = Vec::new();
    let mut scratch = Scratch::default();
    for (block, range) in block
        .into_iter()
        .flat_map(|b| b.morsels().iter().map(move |r| (b, *r)))
    {
        let morsel = block.morsel(range, &mut scratch);
        for span in morsel.spans() {
            let inside = window.is_none_or(|(from, to)| {
                let mut times = span.range().map(|i| morsel.time(i));
                times.any(|t| from <= t && t < to)
            });
            if inside {
                keys.push((span.customer, span.ordinal));
            }
        }
    }
    keys.sort_unstable();
    keys
}

impl ScenarioReport {
    /// Whether every journey belongs to exactly one scenario, so that the parts make the whole.
    pub fn adds_up(&self) -> bool {
        self.one == self.journeys
    }

    /// The report as an answer, which every renderer takes.
    pub fn into_answer(self) -> Answer<ScenarioReport> {
        Answer {
            analysis: "scenarios".to_owned(),
            spec: serde_json::Value::Object(serde_json::Map::new()),
            provenance: self.provenance.clone(),
            report: self,
        }
    }
}

impl Report for ScenarioReport {
    fn title(&self) -> &'static str {
        "Scenarios"
    }

    fn tables(&self) -> Vec<Table> {
        let s = &self.scenarios;
        let text = |of: fn(&ScenarioRow) -> Option<String>| Cells::Text(s.iter().map(of).collect());
        let count =
            |of: fn(&ScenarioRow) -> u64| Cells::Count(s.iter().map(|r| Some(of(r))).collect());
        let scenarios = Table::new("scenarios", "Scenarios")
            .with("map", "Map", text(|r| Some(r.map.clone())))
            .with("scenario", "Scenario", text(|r| Some(r.scenario.clone())))
            .with("segment", "Whom it is about", text(|r| r.segment.clone()))
            .with(
                "journeys",
                "Journeys",
                Cells::Rate(s.iter().map(|r| Some(r.journeys)).collect()),
            )
            .with("customers", "Customers", count(|r| r.customers))
            .with("alone", "In no other scenario", count(|r| r.alone));
        let whole = [
            ("in one scenario", self.one),
            ("in several", self.several),
            ("in none", self.none),
            ("all", self.journeys),
        ];
        let whole = Table::new("whole", "Do they add up?")
            .with(
                "what",
                "Journeys",
                Cells::Text(whole.iter().map(|w| Some(w.0.to_owned())).collect()),
            )
            .with(
                "count",
                "Count",
                Cells::Count(whole.iter().map(|w| Some(w.1)).collect()),
            );
        let mut tables = vec![scenarios, whole];
        if !self.overlaps.is_empty() {
            let o = &self.overlaps;
            let name = |of: fn(&ScenarioOverlap) -> &String| {
                Cells::Text(o.iter().map(|r| Some(of(r).clone())).collect())
            };
            tables.push(
                Table::new("overlaps", "In two scenarios at once")
                    .with("a", "Map", name(|r| &r.a))
                    .with("b", "And", name(|r| &r.b))
                    .with(
                        "journeys",
                        "Journeys",
                        Cells::Count(o.iter().map(|r| Some(r.journeys)).collect()),
                    ),
            );
        }
        tables
    }

    fn caveats(&self) -> &[Caveat] {
        &self.caveats
    }

    fn caveats_mut(&mut self) -> &mut Vec<Caveat> {
        &mut self.caveats
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
