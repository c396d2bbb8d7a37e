//! One pass over the journeys.

mod assign;
mod cells;
mod customer;
mod lengths;
mod level;
mod runs;
mod side;

use super::plan::{PeriodPlan, Plan};
use super::sums::{ChannelSums, GoalSums, GroupSums, HandoverSums, LevelSums, OrderSums, Sums};
use crate::journey::{Mask, Matcher, Morsel, Span};

use self::assign::{Assigned, ChannelColumn};
use self::cells::Cells;
use self::level::Level;
use self::runs::Runs;
use self::side::{ChannelSide, HandSide, OrderSide};
use crate::overlay::bind::BindScratch;

/// What a worker knows: the sums, and memory that is used again and again.
#[derive(Debug)]
pub(super) struct State {
    pub(super) sums: Sums,
    scratch: Scratch,
}

/// A worker's memory.
#[derive(Debug)]
pub(super) struct Scratch {
    spans: Vec<Span>,
    /// Whether a journey goes on after the window.
    continues: Vec<bool>,
    cells: Cells,
    assigned: Assigned,
    channel_column: ChannelColumn,
    /// The runs of a journey: of cells, of channels, and of places of one kind.
    runs: Runs,
    channel_runs: Runs,
    level_runs: Runs,
    bind: BindScratch,
    conditions: Vec<Mask>,
    goals: Vec<Mask>,
    /// Events that are any goal.
    any_goal: Mask,
    personas: Vec<Mask>,
    only: Mask,
    stages: Level,
    steps: Level,
    touchpoints: Level,
    channels: Level,
    order: OrderSide,
    channel: ChannelSide,
    hands: Vec<HandSide>,
    /// Journeys of a customer by period.
    by_period: Vec<(usize, usize)>,
    /// Persona groups of a customer.
    member_of: Vec<usize>,
    /// Per goal: journeys of the customer that reached it, and of which it is known.
    goal_counts: Vec<(u64, u64)>,
    outcome_counts: Vec<(u64, u64)>,
}

impl State {
    pub(super) fn new(plan: &Plan) -> State {
        let (s, t, c) = (plan.n_stages(), plan.touchpoints.len(), plan.n_channels);
        let periods = plan.periods.as_ref().map_or(0, PeriodPlan::len);
        let personas = match plan.personas.len() {
            0 => 0,
            n => n + 1,
        };
        let values = plan.channel.as_ref().map_or(0, |(_, values)| values.len());
        let (cells, trend) = (Cells::new(plan), periods > 0);
        State {
            sums: Sums {
                events: 0,
                journeys: Default::default(),
                known: Default::default(),
                dropped: Default::default(),
                goal: Default::default(),
                open: 0,
                off_map: 0,
                outside: [0; 2],
                matched: vec![0; plan.bound.bindings.len()],
                orphans: vec![0; plan.n_codes],
                placements: plan
                    .touchpoints
                    .iter()
                    .map(|t| vec![0; t.places.len()])
                    .collect(),
                stages: LevelSums::new(s),
                steps: LevelSums::new(plan.n_steps),
                touchpoints: LevelSums::new(t),
                channels: LevelSums::new(c),
                stage_channels: vec![0; s * (c + 1)],
                outcomes: vec![Default::default(); plan.outcomes.len()],
                goals: vec![GoalSums::default(); plan.goals.len()],
                personas: vec![GroupSums::new(s + t + c); personas],
                overlapping: 0,
                periods: vec![GroupSums::new(s + t + c); periods],
                lasting: 0,
                order: OrderSums::new(plan.n_levels, s),
                channel_use: ChannelSums {
                    unknown: vec![0; values],
                    ..ChannelSums::default()
                },
                handovers: plan
                    .handovers
                    .iter()
                    .map(|h| HandoverSums::new(h.names.len()))
                    .collect(),
            },
            scratch: Scratch {
                spans: Vec::new(),
                continues: Vec::new(),
                assigned: Assigned::new(plan, &cells),
                cells,
                channel_column: ChannelColumn::new(plan),
                runs: Runs::default(),
                channel_runs: Runs::default(),
                level_runs: Runs::default(),
                bind: BindScratch::default(),
                conditions: Vec::new(),
                goals: Vec::new(),
                any_goal: Mask::default(),
                personas: Vec::new(),
                only: Mask::default(),
                stages: Level::new(s, true, trend),
                steps: Level::new(plan.n_steps, true, false),
                touchpoints: Level::new(t, false, trend),
                channels: Level::new(c, true, trend),
                order: OrderSide::new(plan.n_levels, s),
                channel: ChannelSide::default(),
                hands: plan.handovers.iter().map(|_| HandSide::default()).collect(),
                by_period: Vec::new(),
                member_of: Vec::new(),
                goal_counts: vec![(0, 0); plan.goals.len()],
                outcome_counts: vec![(0, 0); plan.outcomes.len()],
            },
        }
    }

    /// Takes in the whole customers of a morsel.
    pub(super) fn observe(&mut self, plan: &Plan, morsel: &Morsel<'_>) {
        let mut spans = std::mem::take(&mut self.scratch.spans);
        let mut continues = std::mem::take(&mut self.scratch.continues);
        spans.clear();
        continues.clear();
        let mut is_cut = false;
        if let Some(window) = plan.window {
            for span in morsel.spans() {
                let (before, inside, after) = span.parts(morsel.times(), window);
                is_cut |= before + after > 0;
                self.sums.outside[0] += u64::from(before);
                self.sums.outside[1] += u64::from(after);
                if !inside.is_empty() {
                    spans.push(Span {
                        start: inside.start,
                        end: inside.end,
                        ..*span
                    });
                    continues.push(after > 0);
                }
            }
        }
        if !is_cut && plan.only.is_none() {
            self.within(plan, morsel, &[]);
        } else {
            if !is_cut {
                spans.clear();
                spans.extend_from_slice(morsel.spans());
                continues.clear();
                continues.resize(spans.len(), false);
            }
            if let Some(only) = &plan.only {
                only.fill(&morsel.with_spans(&spans), &mut self.scratch.only);
                keep_customers(&mut spans, &mut continues, &self.scratch.only);
            }
            if !spans.is_empty() {
                self.within(plan, &morsel.with_spans(&spans), &continues);
            }
        }
        self.scratch.spans = spans;
        self.scratch.continues = continues;
    }

    /// Takes in the journeys of a morsel as far as they lie in the window; `continues` says which of them go on after it, and is
    /// empty where none does.
    fn within(&mut self, plan: &Plan, morsel: &Morsel<'_>, continues: &[bool]) {
        let scratch = &mut self.scratch;
        fill(plan.conditions.iter(), morsel, &mut scratch.conditions);
        fill(plan.goals.iter().map(|g| &g.1), morsel, &mut scratch.goals);
        fill(
            plan.personas.iter().map(|p| &p.1),
            morsel,
            &mut scratch.personas,
        );
        scratch.any_goal.reset(morsel.n_events());
        for mask in &scratch.goals {
            scratch.any_goal.or(mask);
        }
        for (sums, mask) in self.sums.goals.iter_mut().zip(&scratch.goals) {
            sums.events += mask.count() as u64;
        }
        scratch.assigned.fill(
            plan,
            morsel,
            &scratch.conditions,
            &mut scratch.cells,
            &mut scratch.bind,
            &mut self.sums,
        );
        let cells = (scratch.assigned.cells.as_slice(), &scratch.cells);
        let channel_use = &mut self.sums.channel_use;
        scratch
            .channel_column
            .fill(plan, morsel, cells, channel_use);
        let channels = (scratch.channel_column.channels.as_slice(), plan.n_channels);
        scratch
            .cells
            .count(morsel.spans(), &scratch.assigned.cells, channels);
        let mut rest = continues;
        for spans in morsel.customers() {
            let (here, after) = rest.split_at(spans.len().min(rest.len()));
            rest = after;
            self.customer(plan, morsel, spans, here);
        }
        let (scratch, sums) = (&mut self.scratch, &mut self.sums);
        scratch.cells.flush(sums);
        scratch.stages.end_morsel(&mut sums.stages);
        scratch.steps.end_morsel(&mut sums.steps);
        scratch.touchpoints.end_morsel(&mut sums.touchpoints);
        scratch.channels.end_morsel(&mut sums.channels);
        scratch.order.end_morsel(&mut sums.order);
        scratch.channel.end_morsel(&mut sums.channel_use);
        for (side, sums) in scratch.hands.iter_mut().zip(&mut sums.handovers) {
            side.end_morsel(sums);
        }
    }
}

/// Keeps the journeys of customers with an event in the mask.
fn keep_customers(spans: &mut Vec<Span>, continues: &mut Vec<bool>, mask: &Mask) {
    let (mut kept, mut from) = (0, 0);
    while from < spans.len() {
        let customer = spans[from].customer;
        let to = from + spans[from..].partition_point(|s| s.customer == customer);
        if spans[from..to].iter().any(|s| mask.any_in(s.range())) {
            for i in from..to {
                spans[kept] = spans[i];
                continues[kept] = continues[i];
                kept += 1;
            }
        }
        from = to;
    }
    spans.truncate(kept);
    continues.truncate(kept);
}

fn fill<'m>(
    matchers: impl ExactSizeIterator<Item = &'m Matcher>,
    morsel: &Morsel<'_>,
    masks: &mut Vec<Mask>,
) {
    masks.resize_with(matchers.len(), Mask::default);
    for (matcher, mask) in matchers.zip(masks) {
        matcher.fill(morsel, mask);
    }
}
