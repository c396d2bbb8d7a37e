//! Visits, ways and outcomes at the places of one kind, customer by customer.

use super::super::report::Direction;
use super::super::sums::{GroupCellSums, GroupSums, LevelSums, Logs, Totals};

/// How a journey ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Reached,
    Dropped,
    Open,
}

/// What is known of the end of a journey.
#[derive(Clone, Copy, Debug)]
pub(super) struct JourneyEnd {
    pub(super) end: End,
    /// The last event that is a goal.
    pub(super) last_goal: u32,
    /// The time of the last event.
    pub(super) last_time: i64,
}

/// Counts of journeys at one place.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    journeys: u32,
    known: u32,
    dropped: u32,
    goal: u32,
}

/// One place, while a customer is looked at.
#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    /// The last step of the walk that was here.
    last: u64,
    /// When the visit began.
    since: i64,
    /// The journey's first event here.
    first: u32,
    events: u32,
    visits: u32,
    entries: u32,
    departures: u32,
    directed: u32,
    forward: u32,
    skipping: u32,
    backward: u32,
    after: u32,
    all: Counts,
    /// Since the period of the journey began.
    period: Counts,
    logs: Logs,
}

/// One way, while a customer is looked at.
#[derive(Clone, Copy, Debug, Default)]
struct EdgeSlot {
    /// The walk's step at which the journey began that took it last.
    journey: u64,
    first: u32,
    count: u32,
    journeys: u32,
    known: u32,
    after: u32,
    logs: Logs,
}

/// A walk over the places of one kind.
#[derive(Debug)]
pub(super) struct Level {
    /// Whether a visit lasts until the next place is reached.
    by_visit: bool,
    /// The number of the step, over all journeys.
    step: u64,
    /// The first step of the journey.
    start: u64,
    slots: Vec<Slot>,
    in_journey: Vec<u32>,
    of_period: Vec<u32>,
    of_customer: Vec<u32>,
    /// Where the step before was, and when.
    before: Vec<u32>,
    before_time: i64,
    edges: Vec<EdgeSlot>,
    edges_in_journey: Vec<u32>,
    edges_of_customer: Vec<u32>,
}

impl Level {
    pub(super) fn new(n: usize, by_visit: bool) -> Level {
        Level {
            by_visit,
            step: 0,
            start: 1,
            slots: vec![Slot::default(); n],
            in_journey: Vec::new(),
            of_period: Vec::new(),
            of_customer: Vec::new(),
            before: Vec::new(),
            before_time: 0,
            edges: Vec::new(),
            edges_in_journey: Vec::new(),
            edges_of_customer: Vec::new(),
        }
    }

    /// A journey begins.
    #[inline]
    pub(super) fn begin(&mut self) {
        // A step is left out, so that no visit goes on from the journey before.
        self.step += 1;
        self.start = self.step + 1;
        self.before.clear();
    }

    /// How many steps the journey has had.
    #[inline]
    pub(super) fn steps(&self) -> u64 {
        (self.step + 1).saturating_sub(self.start)
    }

    /// Where the step before was; the first of several places.
    #[inline]
    pub(super) fn last_place(&self) -> u32 {
        self.before.first().copied().unwrap_or(u32::MAX)
    }

    /// How many places the journey has been at.
    pub(super) fn places(&self) -> usize {
        self.in_journey.len()
    }

    /// An event at some places: event `i` of the morsel. `direction` is the way from the stage before to this one.
    #[inline]
    pub(super) fn event(
        &mut self,
        sums: &mut LevelSums,
        places: &[u32],
        i: u32,
        time: i64,
        direction: Option<Direction>,
    ) {
        self.step += 1;
        let (step, start) = (self.step, self.start);
        for &place in places {
            let slot = &mut self.slots[place as usize];
            if slot.last == step {
                continue;
            }
            if slot.events == 0 {
                self.of_customer.push(place);
            }
            slot.events += 1;
            if slot.last + 1 != step || step == start {
                slot.visits += 1;
                slot.since = time;
                if slot.last < start {
                    self.in_journey.push(place);
                    slot.first = i;
                    slot.entries += u32::from(step == start);
                }
            }
            slot.last = step;
        }
        // Mostly one place follows itself.
        if self.before.as_slice() != places {
            for at in 0..self.before.len() {
                self.leave(sums, self.before[at], places, i, time, direction);
            }
            self.before.clear();
            self.before.extend_from_slice(places);
        }
        self.before_time = time;
    }

    fn leave(
        &mut self,
        sums: &mut LevelSums,
        from: u32,
        places: &[u32],
        i: u32,
        time: i64,
        direction: Option<Direction>,
    ) {
        let slot = &mut self.slots[from as usize];
        if slot.last == self.step {
            return;
        }
        slot.departures += 1;
        if let Some(direction) = direction {
            slot.directed += 1;
            slot.forward += u32::from(matches!(direction, Direction::Forward | Direction::Skip));
            slot.skipping += u32::from(direction == Direction::Skip);
            slot.backward += u32::from(direction == Direction::Backward);
        }
        if self.by_visit {
            let dwell = &mut sums.cells[from as usize].dwell;
            dwell.see(&mut slot.logs, time.saturating_sub(slot.since));
        }
        for &to in places {
            if to != from {
                self.take(sums, from, to, i, time);
            }
        }
    }

    #[inline]
    fn take(&mut self, sums: &mut LevelSums, from: u32, to: u32, i: u32, time: i64) {
        let place = sums.edges.place(from, to);
        if self.edges.len() <= place {
            self.edges.resize(place + 1, EdgeSlot::default());
        }
        let edge = &mut self.edges[place];
        if edge.count == 0 {
            self.edges_of_customer.push(place as u32);
        }
        if edge.journey != self.start {
            edge.journey = self.start;
            edge.first = i;
            self.edges_in_journey.push(place as u32);
        }
        edge.count += 1;
        let between = &mut sums.edges.sums[place].between;
        between.see(&mut edge.logs, time.saturating_sub(self.before_time));
    }

    /// How long an event at a place lasted, where that is not the time until the next place.
    #[inline]
    pub(super) fn lasted(&mut self, sums: &mut LevelSums, place: u32, length: Option<i64>) {
        let dwell = &mut sums.cells[place as usize].dwell;
        match length {
            Some(length) => dwell.see(&mut self.slots[place as usize].logs, length),
            None => dwell.unknown += 1,
        }
    }

    /// The journey ends.
    pub(super) fn end(&mut self, sums: &mut LevelSums, journey: &JourneyEnd, periods: bool) {
        if self.before.is_empty() {
            return;
        }
        sums.journeys += 1;
        let (end, open) = (journey.end, journey.end == End::Open);
        for &place in &self.before {
            let (slot, cell) = (
                &mut self.slots[place as usize],
                &mut sums.cells[place as usize],
            );
            cell.exits += 1;
            cell.exits_reached += u64::from(end == End::Reached);
            cell.exits_open += u64::from(open);
            slot.all.dropped += u32::from(end == End::Dropped);
            if periods {
                slot.period.dropped += u32::from(end == End::Dropped);
            }
            if self.by_visit {
                cell.dwell.cut(journey.last_time.saturating_sub(slot.since));
            }
        }
        for &place in &self.in_journey {
            let slot = &mut self.slots[place as usize];
            let (known, goal) = (u32::from(!open), u32::from(end == End::Reached));
            slot.all.journeys += 1;
            slot.all.known += known;
            slot.all.goal += goal;
            slot.after += u32::from(goal > 0 && journey.last_goal >= slot.first);
            if open {
                sums.cells[place as usize].at_risk += 1;
            }
            if periods {
                if slot.period.journeys == 0 {
                    self.of_period.push(place);
                }
                slot.period.journeys += 1;
                slot.period.known += known;
                slot.period.goal += goal;
            }
        }
        self.in_journey.clear();
        for &place in &self.edges_in_journey {
            let edge = &mut self.edges[place as usize];
            edge.journeys += 1;
            edge.known += u32::from(!open);
            edge.after += u32::from(end == End::Reached && journey.last_goal >= edge.first);
        }
        self.edges_in_journey.clear();
    }

    /// The customer's journeys of one period are over; `offset` is where places of this kind begin among a group's.
    pub(super) fn end_period(&mut self, group: &mut GroupSums, offset: usize, totals: &Totals) {
        for &place in &self.of_period {
            let slot = &mut self.slots[place as usize];
            if let Some(cell) = group.cells.get_mut(offset + place as usize) {
                count(cell, &slot.period, totals.journeys);
            }
            slot.period = Counts::default();
        }
        self.of_period.clear();
    }

    /// The customer is over. `groups` are the personas that they belong to.
    pub(super) fn end_customer(
        &mut self,
        sums: &mut LevelSums,
        groups: &mut [GroupSums],
        member_of: &[usize],
        offset: usize,
        totals: &Totals,
    ) {
        for &place in &self.edges_of_customer {
            let Some(&(from, _)) = sums.edges.keys.get(place as usize) else {
                continue;
            };
            let (edge, sum) = (
                &mut self.edges[place as usize],
                &mut sums.edges.sums[place as usize],
            );
            sum.count += u64::from(edge.count);
            sum.customers += 1;
            sum.reach.add(edge.journeys.into(), totals.journeys);
            let departures = self.slots[from as usize].departures;
            sum.share.add(edge.count.into(), departures.into());
            sum.after.add(edge.after.into(), edge.known.into());
            sum.between.flush(&mut edge.logs);
            *edge = EdgeSlot {
                journey: edge.journey,
                ..EdgeSlot::default()
            };
        }
        self.edges_of_customer.clear();
        for &place in &self.of_customer {
            let (slot, cell) = (
                &mut self.slots[place as usize],
                &mut sums.cells[place as usize],
            );
            let all = slot.all;
            cell.events += u64::from(slot.events);
            cell.visits += u64::from(slot.visits);
            cell.customers += 1;
            cell.reach.add(all.journeys.into(), totals.journeys);
            cell.entries.add(slot.entries.into(), totals.journeys);
            let known = u64::from(all.known);
            cell.known.add(known);
            cell.dropped.add(all.dropped.into(), known);
            cell.goal.add(all.goal.into(), known);
            cell.after.add(slot.after.into(), known);
            cell.throughout += u64::from(known > 0 && known == totals.known);
            let (k, n) = (u128::from(all.goal), u128::from(known));
            let (of_k, of_n) = (u128::from(totals.goal), u128::from(totals.known));
            let products = [k * of_k, k * of_n, n * of_k, n * of_n];
            for (sum, product) in cell.cross.iter_mut().zip(products) {
                *sum += product;
            }
            cell.departures.add(slot.departures.into());
            cell.directed.add(slot.directed.into());
            let directed = u64::from(slot.directed);
            cell.forward.add(slot.forward.into(), directed);
            cell.skipping.add(slot.skipping.into(), directed);
            cell.backward.add(slot.backward.into(), directed);
            for &group in member_of {
                let cells = groups.get_mut(group).map(|g| &mut g.cells);
                if let Some(cell) = cells.and_then(|c| c.get_mut(offset + place as usize)) {
                    count(cell, &all, totals.journeys);
                }
            }
            cell.dwell.flush(&mut slot.logs);
            *slot = Slot {
                last: slot.last,
                ..Slot::default()
            };
        }
        self.of_customer.clear();
    }

    /// Lengths of a place that may have had no event.
    pub(super) fn flush_times(&mut self, sums: &mut LevelSums, place: usize) {
        let logs = &mut self.slots[place].logs;
        sums.cells[place].dwell.flush(logs);
    }
}

fn count(cell: &mut GroupCellSums, counts: &Counts, journeys: u64) {
    let known = u64::from(counts.known);
    cell.customers += 1;
    cell.reach.add(counts.journeys.into(), journeys);
    cell.known.add(known);
    cell.dropped.add(counts.dropped.into(), known);
    cell.goal.add(counts.goal.into(), known);
}
