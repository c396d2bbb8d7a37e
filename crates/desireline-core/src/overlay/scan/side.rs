//! Order of stages, channels and hand-overs, customer by customer.

use super::super::plan::{ForcedPlan, NONE, Plan};
use super::super::sums::{ChannelSums, HandoverSums, OrderSums, Totals};
use super::level::End;

/// A rate's counts while a customer is looked at.
pub(super) type Pair = (u64, u64);

fn bump(pair: &mut Pair, hit: bool) {
    pair.0 += u64::from(hit);
    pair.1 += 1;
}

/// In which order a customer's journeys pass the stages.
#[derive(Debug)]
pub(super) struct OrderSide {
    journey: JourneyOrder,
    /// By place in the order: journeys that got there after all before it.
    reached: Vec<u64>,
    furthest: Vec<u64>,
    staged: u64,
    late: u64,
    skips: u64,
    regressions: u64,
    forced: Pair,
    /// Goals of forced journeys and of the others, of known outcome.
    forced_goal: [Pair; 2],
}

#[derive(Clone, Copy, Debug, Default)]
struct JourneyOrder {
    /// How many places were reached one after the other.
    depth: usize,
    /// The furthest place, and the stage there.
    furthest: Option<(u32, u32)>,
    late: bool,
    skipped: bool,
    regressed: bool,
    /// Events of weighing up, and the time of the first.
    touches: u32,
    since: Option<i64>,
    /// Whether the journey was forced to its first decision.
    decided: Option<bool>,
}

impl OrderSide {
    pub(super) fn new(levels: usize, stages: usize) -> OrderSide {
        OrderSide {
            journey: JourneyOrder::default(),
            reached: vec![0; levels],
            furthest: vec![0; stages],
            staged: 0,
            late: 0,
            skips: 0,
            regressions: 0,
            forced: (0, 0),
            forced_goal: [(0, 0); 2],
        }
    }

    pub(super) fn begin(&mut self) {
        self.journey = JourneyOrder::default();
    }

    /// How far the journey has come: the furthest place in the order.
    #[inline]
    pub(super) fn furthest(&self) -> Option<u32> {
        self.journey.furthest.map(|(level, _)| level)
    }

    /// An event in some stages, the first of which leads.
    #[inline]
    pub(super) fn event(&mut self, plan: &Plan, stages: &[u32], time: i64) {
        let journey = &mut self.journey;
        let level = |s: &u32| plan.levels.get(*s as usize).copied();
        let depth = journey.depth as u32;
        journey.depth += usize::from(stages.iter().any(|s| level(s) == Some(depth)));
        let Some((&stage, at)) = stages.first().and_then(|s| Some((s, level(s)?))) else {
            return;
        };
        match journey.furthest {
            None => {
                journey.late = at > 0;
                journey.furthest = Some((at, stage));
            }
            Some((top, _)) => {
                journey.skipped |= at > top + 1;
                journey.regressed |= at < top;
                if at > top {
                    journey.furthest = Some((at, stage));
                }
            }
        }
        if let Some(forced) = &plan.forced {
            journey.decide(forced, stages, time);
        }
    }

    pub(super) fn end(&mut self, end: End) {
        let journey = self.journey;
        let Some((_, stage)) = journey.furthest else {
            return;
        };
        self.staged += 1;
        if let Some(count) = self.furthest.get_mut(stage as usize) {
            *count += 1;
        }
        self.late += u64::from(journey.late);
        self.skips += u64::from(journey.skipped);
        self.regressions += u64::from(journey.regressed);
        for count in self.reached.iter_mut().take(journey.depth) {
            *count += 1;
        }
        if let Some(forced) = journey.decided {
            bump(&mut self.forced, forced);
            if end != End::Open {
                bump(
                    &mut self.forced_goal[usize::from(!forced)],
                    end == End::Reached,
                );
            }
        }
    }

    pub(super) fn end_customer(&mut self, sums: &mut OrderSums, totals: &Totals) {
        let journeys = totals.journeys;
        let entered = self.reached.first().copied().unwrap_or(0);
        let mut before = journeys;
        for (rates, count) in sums.conversion.iter_mut().zip(&mut self.reached) {
            let reached = std::mem::take(count);
            rates[0].add(reached, journeys);
            rates[1].add(reached, entered);
            rates[2].add(reached, before);
            before = reached;
        }
        if self.staged > 0 {
            sums.staged.add(self.staged);
            for (top, count) in sums.furthest.iter_mut().zip(&mut self.furthest) {
                top.add(std::mem::take(count), self.staged);
            }
            sums.late.add(self.late, self.staged);
            sums.skips.add(self.skips, self.staged);
            sums.regressions.add(self.regressions, self.staged);
            sums.forced.add(self.forced.0, self.forced.1);
            let [forced, free] = self.forced_goal;
            sums.forced_goal.add(forced, free);
        }
        (self.staged, self.late, self.skips, self.regressions) = (0, 0, 0, 0);
        (self.forced, self.forced_goal) = ((0, 0), [(0, 0); 2]);
    }
}

impl JourneyOrder {
    fn decide(&mut self, forced: &ForcedPlan, stages: &[u32], time: i64) {
        if self.decided.is_none() && stages.contains(&forced.to) {
            let short = |within| {
                self.since
                    .is_none_or(|since| time.saturating_sub(since) < within)
            };
            self.decided = Some(self.touches < forced.touches || forced.within.is_some_and(short));
        }
        if stages.contains(&forced.from) {
            self.touches += 1;
            self.since.get_or_insert(time);
        }
    }
}

/// How many channels a customer's journeys use.
#[derive(Debug, Default)]
pub(super) struct ChannelSide {
    last: Option<u32>,
    changes: u64,
    journeys: u64,
    channels: u64,
    switches: u64,
    several: u64,
    /// Goals of journeys with several channels and with one, of known outcome.
    goal: [Pair; 2],
}

impl ChannelSide {
    pub(super) fn begin(&mut self) {
        self.last = None;
        self.changes = 0;
    }

    #[inline]
    pub(super) fn event(&mut self, channel: u32) {
        self.changes += u64::from(self.last.is_some_and(|last| last != channel));
        self.last = Some(channel);
    }

    /// The journey ends, having been in so many channels.
    pub(super) fn end(&mut self, sums: &mut ChannelSums, channels: usize, end: End) {
        if channels == 0 {
            return;
        }
        if sums.spread.len() <= channels {
            sums.spread.resize(channels + 1, 0);
        }
        sums.spread[channels] += 1;
        self.journeys += 1;
        self.channels += channels as u64;
        self.switches += self.changes;
        self.several += u64::from(channels > 1);
        if end != End::Open {
            bump(
                &mut self.goal[usize::from(channels == 1)],
                end == End::Reached,
            );
        }
    }

    pub(super) fn end_customer(&mut self, sums: &mut ChannelSums) {
        sums.channels.add(self.channels, self.journeys);
        sums.switches.add(self.switches, self.journeys);
        sums.fragmented.add(self.several, self.journeys);
        let [several, one] = self.goal;
        sums.goal.add(several, one);
        *self = ChannelSide::default();
    }
}

/// A customer's hand-overs between the values of one thing.
#[derive(Debug)]
pub(super) struct HandSide {
    last: u32,
    journey: u64,
    slots: Vec<HandSlot>,
    of_customer: Vec<u32>,
    /// Steps that change, and steps that stay: of all, followed by a goal, and in how many journeys.
    all: [Pair; 2],
    changed: bool,
    journeys: u64,
}

impl Default for HandSide {
    fn default() -> HandSide {
        HandSide {
            last: NONE,
            journey: 0,
            slots: Vec::new(),
            of_customer: Vec::new(),
            all: [(0, 0); 2],
            changed: false,
            journeys: 0,
        }
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct HandSlot {
    journey: u64,
    count: u32,
    goals: u32,
    journeys: u32,
}

impl HandSide {
    pub(super) fn begin(&mut self) {
        self.last = NONE;
        self.journey += 1;
        self.changed = false;
    }

    /// The next event lies with `code`; `reached` tells whether its journey reaches a goal.
    #[inline]
    pub(super) fn event(&mut self, sums: &mut HandoverSums, code: u32, reached: bool) {
        let from = std::mem::replace(&mut self.last, code);
        if from == NONE {
            return;
        }
        let place = sums.pairs.place(from, code);
        if self.slots.len() <= place {
            self.slots.resize(place + 1, HandSlot::default());
        }
        let slot = &mut self.slots[place];
        if slot.count == 0 {
            self.of_customer.push(place as u32);
        }
        slot.journeys += u32::from(slot.journey != self.journey);
        slot.journey = self.journey;
        slot.count += 1;
        slot.goals += u32::from(reached);
        let stays = from == code;
        bump(&mut self.all[usize::from(stays)], reached);
        self.changed |= !stays;
    }

    pub(super) fn end(&mut self) {
        self.journeys += u64::from(self.changed);
    }

    pub(super) fn end_customer(&mut self, sums: &mut HandoverSums) {
        if self.of_customer.is_empty() {
            return;
        }
        for &place in &self.of_customer {
            let Some(&(from, to)) = sums.pairs.keys.get(place as usize) else {
                continue;
            };
            let slot = self.slots[place as usize];
            // What the customer did when they stayed with the one they leave.
            let stay = match from == to {
                true => (0, 0),
                false => sums
                    .pairs
                    .find_place(from, from)
                    .and_then(|p| self.slots.get(p))
                    .map_or((0, 0), |s| (u64::from(s.goals), u64::from(s.count))),
            };
            let sum = &mut sums.pairs.sums[place as usize];
            sum.count += u64::from(slot.count);
            sum.journeys += u64::from(slot.journeys);
            sum.customers += 1;
            sum.sides.add((slot.goals.into(), slot.count.into()), stay);
        }
        for &place in &self.of_customer {
            let slot = &mut self.slots[place as usize];
            *slot = HandSlot {
                journey: slot.journey,
                ..HandSlot::default()
            };
        }
        self.of_customer.clear();
        let [changes, stays] = self.all;
        let all = &mut sums.all;
        all.count += changes.1;
        all.journeys += self.journeys;
        all.customers += u64::from(changes.1 > 0);
        all.sides.add(changes, stays);
        (self.all, self.journeys) = ([(0, 0); 2], 0);
    }
}
