//! From sums to what people read: the first place with a float.

mod cells;
mod groups;
mod judge;
mod sides;

use super::coverage::{Coverage, OrphanCount, TouchpointCoverage};
use super::plan::Plan;
use super::question::Overlay;
use super::report::{GoalMeasure, MapSummary, OverlayBase, OverlayReport};
use super::sums::Sums;
use crate::error::Result;
use crate::journey::Journeys;
use crate::map::{JourneyMap, LocalizedText};
use crate::report::{Base, Caveat};

use self::judge::Judge;

/// Below how many observations there is a hole, where nobody says.
const MIN_N: u64 = 10;

/// What everything below looks at.
struct Known<'a> {
    map: &'a JourneyMap,
    plan: &'a Plan,
    sums: &'a Sums,
    judge: Judge,
    language: String,
}

impl Known<'_> {
    fn text(&self, text: &LocalizedText) -> String {
        text.get(&self.language).to_owned()
    }

    /// Whether a log can show a goal.
    fn has_goal(&self) -> bool {
        !self.plan.goals.is_empty()
    }
}

/// Below how many observations there is a hole instead of a number.
pub(super) fn least(map: &JourneyMap, how: &Overlay) -> u64 {
    let of_map = || map.checks.as_ref()?.min_n;
    how.min_n.or_else(of_map).unwrap_or(MIN_N)
}

pub(super) fn finish(
    map: &JourneyMap,
    journeys: &Journeys,
    how: &Overlay,
    plan: &Plan,
    sums: &Sums,
) -> Result<OverlayReport> {
    let language = how.language.as_deref();
    let known = Known {
        map,
        plan,
        sums,
        judge: Judge::new(how.level, least(map, how)),
        language: language.unwrap_or_else(|| map.main_language()).to_owned(),
    };
    let coverage = known.coverage(journeys);
    let base = known.base(&coverage);
    let (groups, simpson) = known.groups();
    let bound = plan.bound.bindings.iter();
    let mut report = OverlayReport {
        map: known.summary(),
        goals: known.goals(),
        stages: known.stages(),
        steps: known.steps(),
        touchpoints: known.touchpoints(),
        channels: known.channels(),
        placements: known.placements(),
        stage_channels: known.stage_channels(),
        edges: known.edges(),
        personas: known.personas(),
        channel_use: known.channel_use(journeys.catalog()),
        handovers: known.handovers(),
        order: known.order(),
        trend: known.trend(),
        groups,
        never_seen: bound
            .filter(|b| sums.touchpoints.cells[b.touchpoint].events == 0)
            .map(|b| b.id.to_string())
            .collect(),
        coverage,
        base,
        health: Vec::new(),
        kpis: None,
        promises: None,
        responders: None,
        returns: None,
        caveats: journeys.caveats(),
        provenance: journeys.provenance(),
        spec: serde_json::to_value(how).unwrap_or_default(),
    };
    sides::discover(&mut report);
    report.health = super::health::assess(map, &report);
    report.caveats.extend(known.caveats(&report, simpson));
    Ok(report)
}

/// A share that is exact.
#[allow(clippy::cast_precision_loss)] // counts of events
fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

impl Known<'_> {
    fn summary(&self) -> MapSummary {
        let map = self.map;
        let scope = map.scope.as_ref();
        let window = scope.and_then(|s| s.window.as_ref());
        MapSummary {
            id: map.id.to_string(),
            title: self.text(&map.title),
            version: map.version.to_string(),
            kind: map.kind.word().to_owned(),
            status: map.status.word().to_owned(),
            as_of: map.as_of.to_string(),
            owner: map.stakeholder_label(&map.owner, &self.language).to_owned(),
            aim: scope.and_then(|s| s.aim.as_ref()).map(|t| self.text(t)),
            scenario: scope
                .and_then(|s| s.scenario.as_ref())
                .map(|t| self.text(t)),
            window: window.map(|w| (w.from.to_string(), w.to.to_string())),
            zone: window
                .and_then(|w| w.zone.clone())
                .unwrap_or_else(|| "UTC".to_owned()),
            unit: scope.and_then(|s| s.unit).map(|u| u.word().to_owned()),
            language: self.language.clone(),
            fingerprint: format!("{:032x}", map.fingerprint()),
        }
    }

    fn base(&self, coverage: &Coverage) -> OverlayBase {
        let (sums, plan) = (self.sums, self.plan);
        OverlayBase {
            customers: sums.journeys.m,
            journeys: sums.journeys.n,
            events: sums.events,
            bound_events: coverage.bound_events,
            bound_share: share(coverage.bound_events, sums.events),
            off_map: sums.off_map,
            reached: sums.goal.k,
            dropped: sums.dropped.k,
            open: sums.open,
            open_share: share(sums.open, sums.journeys.n),
            goal: self.goal_rate(&sums.known, &sums.goal, Base::OfKnown),
            outside_window: (sums.outside[0], sums.outside[1]),
            alive: plan.alive,
            observed_until: plan.until,
            level: self.judge.level,
            min_n: self.judge.min_n,
        }
    }

    fn goals(&self) -> Vec<GoalMeasure> {
        let measure = |(place, goal): (usize, &crate::map::CustomerGoal)| {
            let at = self.plan.goals.iter().position(|(p, _)| *p == place);
            let sums = at.and_then(|at| self.sums.goals.get(at)).copied();
            let sums = sums.unwrap_or_default();
            GoalMeasure {
                id: goal.id.to_string(),
                text: self.text(&goal.text),
                measured: at.is_some(),
                events: sums.events,
                rate: self.judge.rate(&sums.rate, Base::OfKnown),
            }
        };
        self.map.goals.iter().enumerate().map(measure).collect()
    }

    fn coverage(&self, journeys: &Journeys) -> Coverage {
        let (sums, bound) = (self.sums, &self.plan.bound);
        let names = journeys.catalog().events.names();
        let mut orphans: Vec<OrphanCount> = names
            .zip(&sums.orphans)
            .filter(|(_, n)| **n > 0)
            .map(|(name, n)| OrphanCount {
                event: name.to_owned(),
                events: *n,
            })
            .collect();
        orphans.sort_by(|a, b| (b.events, &a.event).cmp(&(a.events, &b.event)));
        let lost: u64 = orphans.iter().map(|o| o.events).sum();
        let touchpoints = bound.bindings.iter().zip(&sums.matched);
        Coverage {
            events: sums.events,
            customers: sums.journeys.m,
            journeys: sums.journeys.n,
            bound_events: sums.events.saturating_sub(lost),
            touchpoints: touchpoints
                .map(|(binding, matched)| {
                    let cell = &sums.touchpoints.cells[binding.touchpoint];
                    TouchpointCoverage {
                        id: binding.id.to_string(),
                        matched: *matched,
                        events: cell.events,
                        customers: cell.customers,
                    }
                })
                .collect(),
            orphans,
            tracking_unknown: None,
        }
    }

    fn caveats(&self, report: &OverlayReport, simpson: Vec<String>) -> Vec<Caveat> {
        let mut caveats = Vec::new();
        let base = &report.base;
        let note = |text: &str| Caveat::Note {
            text: text.to_owned(),
        };
        if base.open > 0 {
            caveats.push(Caveat::JourneysOpen {
                journeys: base.open,
                of: base.journeys,
            });
        }
        if !self.has_goal() {
            caveats.push(note(
                "no goal of the map has a `success`, so no goal rate can be given and every journey that has ended counts as dropped",
            ));
        }
        let dead = report.never_seen.len();
        if dead > 0 {
            caveats.push(note(&format!(
                "{} no event here: {}",
                match dead {
                    1 => "1 touchpoint has".to_owned(),
                    n => format!("{n} touchpoints have"),
                },
                report.never_seen.join(", ")
            )));
        }
        for maps in &report.groups {
            if maps.overlapping > 0 {
                caveats.push(Caveat::PopulationOverlap {
                    customers: maps.overlapping,
                    of: base.customers,
                });
            }
        }
        if let Some(trend) = &report.trend {
            let cells = trend.periods.iter().filter(|p| !p.complete).count() as u64;
            if cells > 0 {
                caveats.push(note(&format!(
                    "{cells} of {} periods are not observed as a whole and are marked",
                    trend.periods.len()
                )));
            }
        }
        if self.judge.too_few() > 0 {
            caveats.push(Caveat::TooFew {
                what: "numbers".to_owned(),
                cells: self.judge.too_few(),
                least: self.judge.min_n,
            });
        }
        if self.judge.approximate() {
            let error = desireline_stats::Distribution::RELATIVE_ERROR;
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // below 100
            caveats.push(Caveat::ApproximateQuantiles {
                relative_error_bp: (2.0 * error * 10_000.0).ceil() as u32,
            });
        }
        if !simpson.is_empty() {
            caveats.push(Caveat::SimpsonReversal {
                attribute: "persona".to_owned(),
                measures: simpson,
            });
        }
        caveats.push(Caveat::AssociationOnly);
        caveats
    }
}
