//! What a scan learns: integers that add up, whatever the order.

mod level;
mod part;
mod rates;

use super::pairs::Pairs;
use desireline_stats::{Clusters, Sides};

pub(super) use self::level::{CellSums, LevelSums, Times, log16};
pub(super) use self::part::{CellPart, Counts, EdgePart, EdgeSlot, Ends, Slot, add_counts, wide};
pub(super) use self::rates::{Base, RatePart, SidesPart, Top};

/// A hand-over from one to another, or staying with one.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct HandSums {
    pub(super) count: u64,
    pub(super) journeys: u64,
    pub(super) customers: u64,
    /// Steps followed by a goal, and products with those that stay.
    pub(super) sides: Sides,
}

impl HandSums {
    pub(super) fn merge(&mut self, other: &HandSums) {
        self.count += other.count;
        self.journeys += other.journeys;
        self.customers += other.customers;
        self.sides.merge(&other.sides);
    }
}

/// Hand-overs between the values of one thing.
#[derive(Clone, Debug)]
pub(super) struct HandoverSums {
    pub(super) pairs: Pairs<HandSums>,
    pub(super) all: HandSums,
}

impl HandoverSums {
    pub(super) fn new(n: usize) -> HandoverSums {
        HandoverSums {
            pairs: Pairs::new(n),
            all: HandSums::default(),
        }
    }

    fn merge(&mut self, other: &HandoverSums) {
        self.pairs.merge(&other.pairs, HandSums::merge);
        self.all.merge(&other.all);
    }
}

/// A customer's journeys in all: how many, of how many the outcome is known, how many reached a goal.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::overlay) struct Totals {
    pub(in crate::overlay) journeys: u64,
    pub(in crate::overlay) known: u64,
    pub(in crate::overlay) dropped: u64,
    pub(in crate::overlay) goal: u64,
    pub(in crate::overlay) events: u64,
    pub(in crate::overlay) mapped: u64,
    pub(in crate::overlay) open: u64,
}

impl Totals {
    pub(in crate::overlay) fn add(&mut self, other: &Totals) {
        self.journeys += other.journeys;
        self.known += other.known;
        self.dropped += other.dropped;
        self.goal += other.goal;
        self.events += other.events;
        self.mapped += other.mapped;
        self.open += other.open;
    }
}

/// What is known of one part in one group.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct GroupCellSums {
    pub(super) customers: u64,
    pub(super) reach: Top,
    pub(super) known: Base,
    pub(super) dropped: Top,
    pub(super) goal: Top,
}

/// What is known of one group: a persona or a period.
#[derive(Clone, Debug, Default)]
pub(super) struct GroupSums {
    pub(super) journeys: Base,
    pub(super) events: u64,
    /// Journeys with an event on the map.
    pub(super) mapped: Top,
    pub(super) known: Base,
    pub(super) dropped: Top,
    pub(super) goal: Top,
    pub(super) open: u64,
    /// Stages, then touchpoints, then channels.
    pub(super) cells: Vec<GroupCellSums>,
}

impl GroupSums {
    pub(super) fn new(cells: usize) -> GroupSums {
        GroupSums {
            cells: vec![GroupCellSums::default(); cells],
            ..GroupSums::default()
        }
    }

    /// Counts a customer's journeys.
    pub(super) fn count(&mut self, totals: &Totals) {
        self.journeys.add(totals.journeys);
        self.events += totals.events;
        self.mapped.add(totals.mapped, totals.journeys);
        self.known.add(totals.known);
        self.dropped.add(totals.dropped, totals.known);
        self.goal.add(totals.goal, totals.known);
        self.open += totals.open;
    }

    fn merge(&mut self, other: &GroupSums) {
        self.journeys.merge(&other.journeys);
        self.events += other.events;
        self.mapped.merge(&other.mapped);
        self.known.merge(&other.known);
        self.dropped.merge(&other.dropped);
        self.goal.merge(&other.goal);
        self.open += other.open;
        for (a, b) in self.cells.iter_mut().zip(&other.cells) {
            a.customers += b.customers;
            a.reach.merge(&b.reach);
            a.known.merge(&b.known);
            a.dropped.merge(&b.dropped);
            a.goal.merge(&b.goal);
        }
    }
}

/// What is known of the order of stages.
#[derive(Clone, Debug, Default)]
pub(super) struct OrderSums {
    /// Journeys with a stage.
    pub(super) staged: Base,
    /// By place in the order: journeys that reach it after all before it, of all, of those that entered, and of those that reached the
    /// place before.
    pub(super) conversion: Vec<[Clusters; 3]>,
    /// By stage.
    pub(super) furthest: Vec<Top>,
    pub(super) late: Top,
    pub(super) skips: Top,
    pub(super) regressions: Top,
    /// Forced journeys of those that come to a decision.
    pub(super) forced: Clusters,
    /// Goals of forced journeys against the others', of known outcome.
    pub(super) forced_goal: Sides,
}

impl OrderSums {
    pub(super) fn new(levels: usize, stages: usize) -> OrderSums {
        OrderSums {
            conversion: vec![[Clusters::default(); 3]; levels],
            furthest: vec![Top::default(); stages],
            ..OrderSums::default()
        }
    }

    fn merge(&mut self, other: &OrderSums) {
        self.staged.merge(&other.staged);
        for (a, b) in self.conversion.iter_mut().zip(&other.conversion) {
            a.iter_mut().zip(b).for_each(|(a, b)| a.merge(b));
        }
        for (a, b) in self.furthest.iter_mut().zip(&other.furthest) {
            a.merge(b);
        }
        self.late.merge(&other.late);
        self.skips.merge(&other.skips);
        self.regressions.merge(&other.regressions);
        self.forced.merge(&other.forced);
        self.forced_goal.merge(&other.forced_goal);
    }
}

/// What is known of the use of channels.
#[derive(Clone, Debug, Default)]
pub(super) struct ChannelSums {
    pub(super) without: u64,
    /// Events of channels that the map does not have, by code of the log's channel column.
    pub(super) unknown: Vec<u64>,
    /// Journeys by number of channels.
    pub(super) spread: Vec<u64>,
    /// Channels, and changes, over journeys with any.
    pub(super) channels: Clusters,
    pub(super) switches: Clusters,
    pub(super) fragmented: Clusters,
    pub(super) goal: Sides,
}

impl ChannelSums {
    fn merge(&mut self, other: &ChannelSums) {
        self.without += other.without;
        add(&mut self.unknown, &other.unknown);
        if self.spread.len() < other.spread.len() {
            self.spread.resize(other.spread.len(), 0);
        }
        add(&mut self.spread, &other.spread);
        self.channels.merge(&other.channels);
        self.switches.merge(&other.switches);
        self.fragmented.merge(&other.fragmented);
        self.goal.merge(&other.goal);
    }
}

/// Adds list to list.
fn add(into: &mut [u64], from: &[u64]) {
    for (a, b) in into.iter_mut().zip(from) {
        *a += b;
    }
}

/// Goals are counted alone, too.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct GoalSums {
    pub(super) events: u64,
    pub(super) rate: Clusters,
}

/// All that a scan learns.
#[derive(Clone, Debug)]
pub(super) struct Sums {
    pub(super) events: u64,
    pub(super) journeys: Base,
    pub(super) known: Base,
    pub(super) dropped: Top,
    pub(super) goal: Top,
    pub(super) open: u64,
    /// Journeys without an event on the map.
    pub(super) off_map: u64,
    pub(super) outside: [u64; 2],
    /// Per binding.
    pub(super) matched: Vec<u64>,
    /// Per event code.
    pub(super) orphans: Vec<u64>,
    /// Per touchpoint: by the places it can be in (see `Plan::places`).
    pub(super) placements: Vec<Vec<u64>>,
    pub(super) stages: LevelSums,
    pub(super) steps: LevelSums,
    pub(super) touchpoints: LevelSums,
    pub(super) channels: LevelSums,
    /// Events by stage and channel; the last of a stage's are those without a channel of the map.
    pub(super) stage_channels: Vec<u64>,
    pub(super) outcomes: Vec<Clusters>,
    pub(super) goals: Vec<GoalSums>,
    pub(super) personas: Vec<GroupSums>,
    pub(super) overlapping: u64,
    pub(super) periods: Vec<GroupSums>,
    /// Customers with journeys in several periods.
    pub(super) lasting: u64,
    pub(super) order: OrderSums,
    pub(super) channel_use: ChannelSums,
    pub(super) handovers: Vec<HandoverSums>,
}

impl Sums {
    pub(super) fn merge(&mut self, other: &Sums) {
        self.events += other.events;
        self.journeys.merge(&other.journeys);
        self.known.merge(&other.known);
        self.dropped.merge(&other.dropped);
        self.goal.merge(&other.goal);
        self.open += other.open;
        self.off_map += other.off_map;
        add(&mut self.outside, &other.outside);
        add(&mut self.matched, &other.matched);
        add(&mut self.orphans, &other.orphans);
        for (a, b) in self.placements.iter_mut().zip(&other.placements) {
            add(a, b);
        }
        self.stages.merge(&other.stages);
        self.steps.merge(&other.steps);
        self.touchpoints.merge(&other.touchpoints);
        self.channels.merge(&other.channels);
        add(&mut self.stage_channels, &other.stage_channels);
        for (a, b) in self.outcomes.iter_mut().zip(&other.outcomes) {
            a.merge(b);
        }
        for (a, b) in self.goals.iter_mut().zip(&other.goals) {
            a.events += b.events;
            a.rate.merge(&b.rate);
        }
        for (a, b) in self.personas.iter_mut().zip(&other.personas) {
            a.merge(b);
        }
        self.overlapping += other.overlapping;
        for (a, b) in self.periods.iter_mut().zip(&other.periods) {
            a.merge(b);
        }
        self.lasting += other.lasting;
        self.order.merge(&other.order);
        self.channel_use.merge(&other.channel_use);
        for (a, b) in self.handovers.iter_mut().zip(&other.handovers) {
            a.merge(b);
        }
    }

    pub(super) fn heap_bytes(&self) -> usize {
        let levels = [&self.stages, &self.steps, &self.touchpoints, &self.channels];
        let groups = self.personas.iter().chain(&self.periods);
        levels.map(LevelSums::heap_bytes).iter().sum::<usize>()
            + groups
                .map(|g| g.cells.capacity() * size_of::<GroupCellSums>())
                .sum::<usize>()
            + self
                .handovers
                .iter()
                .map(|h| h.pairs.heap_bytes())
                .sum::<usize>()
            + (self.orphans.capacity() + self.matched.capacity()) * 8
    }
}
