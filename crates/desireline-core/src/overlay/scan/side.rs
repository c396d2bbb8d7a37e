//! Order of stages, channels and hand-overs, customer by customer.

use super::super::plan::{ForcedPlan, NONE, Plan};
use super::super::sums::{
    Base, ChannelSums, HandSums, HandoverSums, OrderSums, RatePart, SidesPart, Top, Totals,
};
use super::level::{End, Places};
use super::runs::Run;

/// A rate's counts while a customer is looked at.
pub(super) type Pair = (u64, u64);

fn bump(pair: &mut Pair, hit: bool) {
    pair.0 += u64::from(hit);
    pair.1 += 1;
}

/// In which order a customer's journeys pass the stages.
#[derive(Debug)]
pub(super) struct OrderSide {
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
    part: OrderPart,
}

/// What [`OrderSums`] knows of the customers of a morsel.
#[derive(Debug, Default)]
struct OrderPart {
    staged: Base<u64>,
    conversion: Vec<[RatePart; 3]>,
    furthest: Vec<Top<u64>>,
    late: Top<u64>,
    skips: Top<u64>,
    regressions: Top<u64>,
    forced: RatePart,
    forced_goal: SidesPart,
}

impl OrderPart {
    fn new(levels: usize, stages: usize) -> OrderPart {
        OrderPart {
            conversion: vec![Default::default(); levels],
            furthest: vec![Top::default(); stages],
            ..OrderPart::default()
        }
    }
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
            reached: vec![0; levels],
            furthest: vec![0; stages],
            staged: 0,
            late: 0,
            skips: 0,
            regressions: 0,
            forced: (0, 0),
            forced_goal: [(0, 0); 2],
            part: OrderPart::new(levels, stages),
        }
    }

    /// Takes in the runs of stages of a journey, of each of which the first stage leads.
    pub(super) fn journey(
        &mut self,
        plan: &Plan,
        runs: &[Run],
        places: &impl Places,
        times: &[i64],
        end: End,
    ) {
        let mut journey = JourneyOrder::default();
        for run in runs {
            let stages = places.of(run);
            journey.pass(plan, run, stages);
            if let Some(forced) = &plan.forced {
                journey.decide(forced, run, stages, times[run.first as usize]);
            }
        }
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

    pub(super) fn end_customer(&mut self, totals: &Totals) {
        let part = &mut self.part;
        let journeys = totals.journeys;
        let entered = self.reached.first().copied().unwrap_or(0);
        let mut before = journeys;
        for (rates, count) in part.conversion.iter_mut().zip(&mut self.reached) {
            let reached = std::mem::take(count);
            rates[0].add(reached, journeys);
            rates[1].add(reached, entered);
            rates[2].add(reached, before);
            before = reached;
        }
        if self.staged > 0 {
            part.staged.add(self.staged);
            for (top, count) in part.furthest.iter_mut().zip(&mut self.furthest) {
                top.add(std::mem::take(count), self.staged);
            }
            part.late.add(self.late, self.staged);
            part.skips.add(self.skips, self.staged);
            part.regressions.add(self.regressions, self.staged);
            part.forced.add(self.forced.0, self.forced.1);
            let [forced, free] = self.forced_goal;
            part.forced_goal.add(forced, free);
        }
        (self.staged, self.late, self.skips, self.regressions) = (0, 0, 0, 0);
        (self.forced, self.forced_goal) = ((0, 0), [(0, 0); 2]);
    }

    /// The morsel is over: adds its customers to the sums.
    pub(super) fn end_morsel(&mut self, sums: &mut OrderSums) {
        let new = OrderPart::new(self.part.conversion.len(), self.part.furthest.len());
        let part = std::mem::replace(&mut self.part, new);
        for (rates, parts) in sums.conversion.iter_mut().zip(&part.conversion) {
            for (rate, part) in rates.iter_mut().zip(parts) {
                rate.merge(&part.clusters());
            }
        }
        for (top, part) in sums.furthest.iter_mut().zip(&part.furthest) {
            top.merge(part);
        }
        sums.staged.merge(&part.staged);
        sums.late.merge(&part.late);
        sums.skips.merge(&part.skips);
        sums.regressions.merge(&part.regressions);
        sums.forced.merge(&part.forced.clusters());
        sums.forced_goal.merge(&part.forced_goal.sides());
    }
}

impl JourneyOrder {
    #[inline]
    fn pass(&mut self, plan: &Plan, run: &Run, stages: &[u32]) {
        // Each event goes one place further, if one of its stages is next.
        for _ in 0..run.n {
            let depth = self.depth as u32;
            if !stages.iter().any(|s| plan.level(*s) == depth) {
                break;
            }
            self.depth += 1;
        }
        let (Some(&stage), at) = (stages.first(), run.at) else {
            return;
        };
        match self.furthest {
            None => {
                self.late = at > 0;
                self.furthest = Some((at, stage));
            }
            Some((top, _)) => {
                self.skipped |= at > top + 1;
                self.regressed |= at < top;
                if at > top {
                    self.furthest = Some((at, stage));
                }
            }
        }
    }

    #[inline]
    fn decide(&mut self, forced: &ForcedPlan, run: &Run, stages: &[u32], time: i64) {
        if self.decided.is_none() && stages.contains(&forced.to) {
            let short = |within| {
                self.since
                    .is_none_or(|since| time.saturating_sub(since) < within)
            };
            self.decided = Some(self.touches < forced.touches || forced.within.is_some_and(short));
        }
        if stages.contains(&forced.from) {
            self.touches += run.n;
            self.since.get_or_insert(time);
        }
    }
}

/// How many channels a customer's journeys use.
#[derive(Debug, Default)]
pub(super) struct ChannelSide {
    journeys: u64,
    channels: u64,
    switches: u64,
    several: u64,
    /// Goals of journeys with several channels and with one, of known outcome.
    goal: [Pair; 2],
    part: ChannelPart,
}

/// What [`ChannelSums`] knows of the customers of a morsel.
#[derive(Debug, Default)]
struct ChannelPart {
    channels: RatePart,
    switches: RatePart,
    fragmented: RatePart,
    goal: SidesPart,
}

impl ChannelSide {
    /// Takes in a journey that has been in so many channels, and so often changed from one to another.
    pub(super) fn journey(
        &mut self,
        sums: &mut ChannelSums,
        channels: usize,
        changes: usize,
        end: End,
    ) {
        if channels == 0 {
            return;
        }
        if sums.spread.len() <= channels {
            sums.spread.resize(channels + 1, 0);
        }
        sums.spread[channels] += 1;
        self.journeys += 1;
        self.channels += channels as u64;
        self.switches += changes as u64;
        self.several += u64::from(channels > 1);
        if end != End::Open {
            bump(
                &mut self.goal[usize::from(channels == 1)],
                end == End::Reached,
            );
        }
    }

    pub(super) fn end_customer(&mut self) {
        let part = &mut self.part;
        part.channels.add(self.channels, self.journeys);
        part.switches.add(self.switches, self.journeys);
        part.fragmented.add(self.several, self.journeys);
        let [several, one] = self.goal;
        part.goal.add(several, one);
        (self.journeys, self.channels) = (0, 0);
        (self.switches, self.several) = (0, 0);
        self.goal = [(0, 0); 2];
    }

    /// The morsel is over: adds its customers to the sums.
    pub(super) fn end_morsel(&mut self, sums: &mut ChannelSums) {
        let part = std::mem::take(&mut self.part);
        sums.channels.merge(&part.channels.clusters());
        sums.switches.merge(&part.switches.clusters());
        sums.fragmented.merge(&part.fragmented.clusters());
        sums.goal.merge(&part.goal.sides());
    }
}

/// A customer's hand-overs between the values of one thing.
#[derive(Debug, Default)]
pub(super) struct HandSide {
    /// The number of the customer's journey, from 1.
    journey: u32,
    slots: Vec<HandSlot>,
    of_customer: Vec<u32>,
    /// Steps that change, and steps that stay: of all, followed by a goal, and in how many journeys.
    all: [Pair; 2],
    journeys: u64,
    /// Sums over the customers of the morsel, by pair and of all.
    parts: Vec<HandPart>,
    part: HandPart,
}

/// What [`HandSums`] knows of the customers of a morsel.
#[derive(Clone, Copy, Debug, Default)]
struct HandPart {
    count: u64,
    journeys: u64,
    customers: u64,
    sides: SidesPart,
}

impl HandPart {
    fn sums(&self) -> HandSums {
        HandSums {
            count: self.count,
            journeys: self.journeys,
            customers: self.customers,
            sides: self.sides.sides(),
        }
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct HandSlot {
    journey: u32,
    count: u32,
    goals: u32,
    journeys: u32,
}

impl HandSide {
    /// Takes in a journey: with whom it lies, one after the other, for how many events; `reached` tells whether it reaches a goal.
    #[inline]
    pub(super) fn journey(
        &mut self,
        sums: &mut HandoverSums,
        runs: impl Iterator<Item = (u32, u32)>,
        reached: bool,
    ) {
        self.journey += 1;
        let mut changed = false;
        let (mut last, mut stays) = (NONE, 0);
        for (code, n) in runs.filter(|(code, _)| *code != NONE) {
            if last == code {
                stays += n;
                continue;
            }
            if last != NONE {
                self.stay(sums, last, stays, reached);
                self.pass(sums, (last, code), 1, reached);
                changed = true;
            }
            (last, stays) = (code, n - 1);
        }
        self.stay(sums, last, stays, reached);
        self.journeys += u64::from(changed);
    }

    /// So many events stay with whom the one before lies.
    #[inline]
    fn stay(&mut self, sums: &mut HandoverSums, with: u32, n: u32, reached: bool) {
        if n > 0 {
            self.pass(sums, (with, with), n, reached);
        }
    }

    /// So many events follow one that lies with `from`, and lie with `to`.
    #[inline]
    fn pass(&mut self, sums: &mut HandoverSums, (from, to): (u32, u32), n: u32, reached: bool) {
        let place = sums.pairs.place(from, to);
        if self.slots.len() <= place {
            self.slots.resize(place + 1, HandSlot::default());
            self.parts.resize(place + 1, HandPart::default());
        }
        let slot = &mut self.slots[place];
        if slot.count == 0 {
            self.of_customer.push(place as u32);
        }
        let goals = if reached { n } else { 0 };
        slot.journeys += u32::from(slot.journey != self.journey);
        slot.journey = self.journey;
        slot.count += n;
        slot.goals += goals;
        let all = &mut self.all[usize::from(from == to)];
        all.0 += u64::from(goals);
        all.1 += u64::from(n);
    }

    pub(super) fn end_customer(&mut self, sums: &HandoverSums) {
        self.journey = 0;
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
            let part = &mut self.parts[place as usize];
            part.count += u64::from(slot.count);
            part.journeys += u64::from(slot.journeys);
            part.customers += 1;
            part.sides.add((slot.goals.into(), slot.count.into()), stay);
        }
        for &place in &self.of_customer {
            self.slots[place as usize] = HandSlot::default();
        }
        self.of_customer.clear();
        let [changes, stays] = self.all;
        self.part.count += changes.1;
        self.part.journeys += self.journeys;
        self.part.customers += u64::from(changes.1 > 0);
        self.part.sides.add(changes, stays);
        (self.all, self.journeys) = ([(0, 0); 2], 0);
    }

    /// The morsel is over: adds its customers to the sums.
    pub(super) fn end_morsel(&mut self, sums: &mut HandoverSums) {
        for (sum, part) in sums.pairs.sums.iter_mut().zip(&mut self.parts) {
            sum.merge(&std::mem::take(part).sums());
        }
        sums.all.merge(&std::mem::take(&mut self.part).sums());
    }
}
