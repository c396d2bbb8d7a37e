//! Stages, steps, touchpoints, channels and the ways between them.

use super::Known;
use crate::map::Observability;
use crate::overlay::plan::{NONE, StageOf};
use crate::overlay::report::{
    CellKind, CellMeasure, ChannelMeasure, EdgeMeasure, Placement, StageChannel, StageMeasure,
    StepMeasure, TouchpointMeasure,
};
use crate::overlay::sums::{Base as Bases, CellSums, LevelSums, Top};
use crate::report::{Base, Rate};

impl Known<'_> {
    /// A rate of goals; without a goal there is none.
    pub(super) fn goal_rate(&self, known: &Bases, goal: &Top, base: Base) -> Rate {
        match self.has_goal() {
            true => self.judge.rate(&known.with(goal), base),
            false => Rate {
                count: 0,
                n: 0,
                base,
                estimate: None,
            },
        }
    }

    fn cell(&self, cell: &CellSums) -> CellMeasure {
        let (sums, judge) = (self.sums, &self.judge);
        let of_all = |top: &Top| judge.rate(&sums.journeys.with(top), Base::OfAll);
        let directed = |top: &Top| judge.rate(&cell.directed.with(top), Base::OfVisits);
        let lift = cell.lift(&sums.known, &sums.goal);
        let mut customers = desireline_stats::Clusters::default();
        customers.add_units(cell.customers, sums.journeys.m);
        let reached = self.has_goal() && !cell.goal_is_empty();
        CellMeasure {
            events: cell.events,
            visits: cell.visits,
            journeys: cell.reach.k,
            customers: cell.customers,
            reach: of_all(&cell.reach),
            customer_reach: judge.rate(&customers, Base::OfAll),
            entries: of_all(&cell.entries),
            arrivals: cell.visits.saturating_sub(cell.entries.k),
            departures: cell.departures.n,
            forward: directed(&cell.forward),
            skipping: directed(&cell.skipping),
            backward: directed(&cell.backward),
            exits: cell.exits,
            exits_reached: cell.exits_reached,
            exits_open: cell.exits_open,
            at_risk: cell.at_risk,
            drop_off: judge.rate(&cell.known.with(&cell.dropped), Base::OfVisits),
            goal: self.goal_rate(&cell.known, &cell.goal, Base::OfVisits),
            goal_after: self.goal_rate(&cell.known, &cell.after, Base::OfVisits),
            goal_before: cell.goal.k.saturating_sub(cell.after.k),
            lift: match reached {
                true => judge.contrast(&lift, Base::OfKnown),
                false => None,
            },
            dwell: judge.dwell(&cell.dwell),
        }
    }

    pub(super) fn stages(&self) -> Vec<StageMeasure> {
        let places = self.sums.placements.iter().zip(&self.plan.touchpoints);
        let mut without_step = vec![0; self.plan.n_stages()];
        for (counts, touchpoint) in places {
            for (&(stage, step), events) in touchpoint.places.iter().zip(counts) {
                if step == NONE
                    && let Some(sum) = without_step.get_mut(stage as usize)
                {
                    *sum += events;
                }
            }
        }
        let stages = self.map.stages.iter().zip(&self.plan.levels);
        let cells = self.sums.stages.cells.iter().zip(without_step);
        stages
            .zip(cells)
            .map(
                |((stage, level), (cell, events_without_step))| StageMeasure {
                    id: stage.id.to_string(),
                    name: self.text(&stage.name),
                    level: *level,
                    cell: self.cell(cell),
                    events_without_step,
                    target_duration: stage.target_duration.map(crate::time::TimeSpan::as_micros),
                    emotion: None,
                    feedback: None,
                },
            )
            .collect()
    }

    pub(super) fn steps(&self) -> Vec<StepMeasure> {
        let stages = self.map.stages.iter();
        let steps = stages.flat_map(|stage| stage.steps.iter().map(move |step| (stage, step)));
        steps
            .zip(&self.sums.steps.cells)
            .map(|((stage, step), cell)| StepMeasure {
                id: step.id.to_string(),
                name: self.text(&step.action),
                stage: stage.id.to_string(),
                cell: self.cell(cell),
            })
            .collect()
    }

    pub(super) fn touchpoints(&self) -> Vec<TouchpointMeasure> {
        let cells = &self.sums.touchpoints.cells;
        let bindings = &self.plan.bound.bindings;
        let touchpoints = self.map.touchpoints.iter().enumerate();
        touchpoints
            .map(|(place, t)| {
                let binding = bindings.iter().position(|b| b.touchpoint == place);
                let outcome = self.plan.outcomes.iter();
                let mut outcome = outcome.zip(&self.sums.outcomes);
                let outcome = outcome.rfind(|(o, _)| o.touchpoint == place);
                TouchpointMeasure {
                    id: t.id.to_string(),
                    name: self.text(&t.name),
                    stages: t.stages.iter().map(|p| p.stage.to_string()).collect(),
                    step: t.step.as_ref().map(ToString::to_string),
                    channel: t.channel.as_ref().map(ToString::to_string),
                    owner: t.owner.as_ref().map(ToString::to_string),
                    observability: observability(t.traces()).to_owned(),
                    matched: binding.and_then(|b| self.sums.matched.get(b).copied()),
                    cell: binding.map(|_| self.cell(&cells[place])),
                    outcome: outcome.map(|(_, sums)| self.judge.rate(sums, Base::OfKnown)),
                    emotion: None,
                    feedback: None,
                }
            })
            .collect()
    }

    pub(super) fn channels(&self) -> Vec<ChannelMeasure> {
        let channels = self.map.channels.iter().zip(&self.sums.channels.cells);
        channels
            .map(|(channel, cell)| ChannelMeasure {
                id: channel.id.to_string(),
                name: channel.label(&self.language).to_owned(),
                kind: channel.kind.word().to_owned(),
                online: channel.online,
                cell: self.cell(cell),
            })
            .collect()
    }

    pub(super) fn placements(&self) -> Vec<Placement> {
        let steps: Vec<&crate::map::Id> = self
            .map
            .stages
            .iter()
            .flat_map(|s| s.steps.iter().map(|step| &step.id))
            .collect();
        let mut placements = Vec::new();
        let touchpoints = self.map.touchpoints.iter().zip(&self.plan.touchpoints);
        for ((t, plan), counts) in touchpoints.zip(&self.sums.placements) {
            for (&(stage, step), events) in plan.places.iter().zip(counts) {
                // That an event belongs nowhere is told where it happens.
                if t.binding.is_none() || stage == NONE && *events == 0 {
                    continue;
                }
                let stage = self.map.stages.get(stage as usize);
                placements.push(Placement {
                    touchpoint: t.id.to_string(),
                    stage: stage.map(|s| s.id.to_string()),
                    step: steps.get(step as usize).map(ToString::to_string),
                    events: *events,
                });
            }
        }
        placements
    }

    pub(super) fn stage_channels(&self) -> Vec<StageChannel> {
        let channels = &self.map.channels;
        let by_stage = self.sums.stage_channels.chunks_exact(channels.len() + 1);
        let mut rows = Vec::new();
        for (stage, counts) in self.map.stages.iter().zip(by_stage) {
            let mut here: Vec<StageChannel> = (0..)
                .zip(counts)
                .filter(|(_, events)| **events > 0)
                .map(|(place, events): (usize, _)| StageChannel {
                    stage: stage.id.to_string(),
                    channel: channels.get(place).map(|c| c.id.to_string()),
                    events: *events,
                })
                .collect();
            // Equals as the map lists them.
            here.sort_by_key(|c| std::cmp::Reverse(c.events));
            rows.append(&mut here);
        }
        rows
    }

    pub(super) fn edges(&self) -> Vec<EdgeMeasure> {
        let (map, sums) = (self.map, self.sums);
        let touchpoints: Vec<&str> = map.touchpoints.iter().map(|t| t.id.as_str()).collect();
        let stages: Vec<&str> = map.stages.iter().map(|s| s.id.as_str()).collect();
        let channels: Vec<&str> = map.channels.iter().map(|c| c.id.as_str()).collect();
        let mut edges = self.edges_of(CellKind::Touchpoint, &touchpoints, &sums.touchpoints);
        edges.extend(self.edges_of(CellKind::Stage, &stages, &sums.stages));
        edges.extend(self.edges_of(CellKind::Channel, &channels, &sums.channels));
        edges
    }

    fn edges_of(&self, kind: CellKind, ids: &[&str], level: &LevelSums) -> Vec<EdgeMeasure> {
        let judge = &self.judge;
        let stage_of = |code: u32| match kind {
            CellKind::Stage => code,
            CellKind::Touchpoint => match &self.plan.touchpoints[code as usize].stage {
                StageOf::One(stage) => *stage,
                _ => NONE,
            },
            _ => NONE,
        };
        let taken = level.edges.keys.iter().zip(&level.edges.sums);
        let mut edges: Vec<EdgeMeasure> = taken
            .map(|(&(from, to), sums)| {
                let departures = &level.cells[from as usize].departures;
                EdgeMeasure {
                    kind,
                    from: ids[from as usize].to_owned(),
                    to: ids[to as usize].to_owned(),
                    direction: self.plan.direction(stage_of(from), stage_of(to)),
                    count: sums.count,
                    journeys: sums.reach.k,
                    customers: sums.customers,
                    reach: judge.rate(&self.sums.journeys.with(&sums.reach), Base::OfAll),
                    share: judge.rate(&departures.with(&sums.share), Base::OfPrevious),
                    goal_after: match self.has_goal() {
                        true => judge.rate(&sums.after, Base::OfVisits),
                        false => self.goal_rate(&Bases::default(), &Top::default(), Base::OfVisits),
                    },
                    between: judge.dwell(&sums.between),
                }
            })
            .collect();
        edges.sort_by(|a, b| (b.count, &a.from, &a.to).cmp(&(a.count, &b.from, &b.to)));
        edges
    }
}

fn observability(traces: Observability) -> &'static str {
    traces.word()
}
