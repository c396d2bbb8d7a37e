//! Visits, ways and outcomes at the places of one kind, customer by customer.

use super::super::plan::NONE;
use super::super::sums::{
    CellPart, Counts, EdgePart, EdgeSlot, GroupCellSums, GroupSums, LevelSums, Slot, Totals,
};
use super::cells::Sets;
use super::lengths::Lengths;
use super::runs::Run;

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
    /// 1 if its outcome is known, and 1 if it reached a goal.
    pub(super) known: u32,
    pub(super) goal: u32,
    /// The last event that is a goal.
    pub(super) last_goal: u32,
    /// The time of the last event.
    pub(super) last_time: i64,
}

/// Which way a departure leads in the order of stages, as numbers to add.
#[derive(Clone, Copy, Debug)]
struct Way {
    directed: u32,
    forward: u32,
    skipping: u32,
    backward: u32,
}

impl Way {
    #[inline]
    fn new(before: u32, at: u32) -> Way {
        let directed = u32::from(before != NONE && at != NONE);
        Way {
            directed,
            forward: directed & u32::from(at > before),
            skipping: directed & u32::from(at > before.wrapping_add(1)),
            backward: directed & u32::from(at < before),
        }
    }
}

/// The places of a run: one, or a set.
pub(super) trait Places {
    fn of<'p>(&'p self, run: &'p Run) -> &'p [u32];
}

/// Every run is at one place, its own.
#[derive(Clone, Copy, Debug)]
pub(super) struct One;

impl Places for One {
    #[inline]
    fn of<'p>(&'p self, run: &'p Run) -> &'p [u32] {
        std::slice::from_ref(&run.place)
    }
}

impl Places for Sets {
    #[inline]
    fn of<'p>(&'p self, run: &'p Run) -> &'p [u32] {
        Sets::of(self, run.place)
    }
}

/// A walk over the places of one kind.
#[derive(Debug)]
pub(super) struct Level {
    /// Whether a visit lasts until the next place is reached.
    by_visit: bool,
    /// The number of the customer's journey, from 1.
    journey: u32,
    slots: Vec<Slot>,
    of_customer: Touched,
    /// By place, when the visit began.
    since: Vec<i64>,
    /// By place, since the period of the journey began; empty without periods.
    period: Vec<Counts>,
    of_period: Vec<u32>,
    edges: Vec<EdgeSlot>,
    edges_of_customer: Touched,
    /// Lengths of visits and times between, on their way to the sums.
    visits: Lengths,
    between: Lengths,
    /// Sums over the customers of the morsel, by place and by way.
    parts: Vec<CellPart>,
    edge_parts: Vec<EdgePart>,
}

/// What was met, each once.
#[derive(Debug, Default)]
struct Touched {
    list: Vec<u32>,
    n: usize,
}

impl Touched {
    fn new(most: usize) -> Touched {
        Touched {
            list: vec![0; most + 1],
            n: 0,
        }
    }

    /// Adds a place if it is new; no branch, for nobody could foresee it.
    #[inline]
    fn add(&mut self, place: u32, is_new: bool) {
        if let Some(slot) = self.list.get_mut(self.n) {
            *slot = place;
            self.n += usize::from(is_new);
        }
    }

    fn as_slice(&self) -> &[u32] {
        self.list.get(..self.n).unwrap_or(&[])
    }
}

impl Level {
    pub(super) fn new(n: usize, by_visit: bool, periods: bool) -> Level {
        Level {
            by_visit,
            journey: 0,
            slots: vec![Slot::default(); n],
            of_customer: Touched::new(n),
            since: vec![0; n],
            period: vec![Counts::default(); if periods { n } else { 0 }],
            of_period: Vec::new(),
            edges: Vec::new(),
            edges_of_customer: Touched::new(0),
            visits: Lengths::default(),
            between: Lengths::default(),
            parts: vec![CellPart::default(); n],
            edge_parts: Vec::new(),
        }
    }

    /// Takes in the runs of a journey; returns how many places it has been at.
    pub(super) fn journey(
        &mut self,
        sums: &mut LevelSums,
        runs: &[Run],
        places: &impl Places,
        times: &[i64],
        journey: &JourneyEnd,
    ) -> u32 {
        let (Some(first), Some(last)) = (runs.first(), runs.last()) else {
            return 0;
        };
        self.journey += 1;
        sums.journeys += 1;
        let mut distinct = 0;
        for &place in places.of(first) {
            distinct += self.arrive(place, first, times, journey);
            self.slots[place as usize].entries += 1;
        }
        for pair in runs.windows(2) {
            let [from, to] = pair else { continue };
            let (before, here) = (places.of(from), places.of(to));
            for place in here {
                if !before.contains(place) {
                    distinct += self.arrive(*place, to, times, journey);
                }
            }
            let way = Way::new(to.before, to.at);
            let time = times[to.first as usize];
            let between = time.saturating_sub(times[from.last as usize]);
            for &place in before {
                if here.contains(&place) {
                    continue;
                }
                let slot = &mut self.slots[place as usize];
                slot.departures += 1;
                slot.directed += way.directed;
                slot.forward += way.forward;
                slot.skipping += way.skipping;
                slot.backward += way.backward;
                if self.by_visit {
                    let since = self.since[place as usize];
                    slot.logs += self.visits.push(place, time.saturating_sub(since));
                    slot.lengths += 1;
                }
                for &other in here {
                    self.take(sums, (place, other), to.first, between, journey);
                }
            }
            self.settle_full(sums);
        }
        for &place in places.of(last) {
            self.exit(sums, place, journey);
        }
        distinct
    }

    /// Takes lengths to the sums where many have come together.
    #[inline]
    fn settle_full(&mut self, sums: &mut LevelSums) {
        if self.visits.is_full() || self.between.is_full() {
            self.settle(sums);
        }
    }

    /// Takes all lengths to the sums.
    #[cold]
    fn settle(&mut self, sums: &mut LevelSums) {
        let (cells, edges) = (&mut sums.cells, &mut sums.edges.sums);
        self.visits.settle(cells, |cell| &mut cell.dwell);
        self.between.settle(edges, |edge| &mut edge.between);
    }

    /// A visit begins; returns 1 if it is the journey's first one there.
    #[inline]
    fn arrive(&mut self, place: u32, run: &Run, times: &[i64], journey: &JourneyEnd) -> u32 {
        let slot = &mut self.slots[place as usize];
        let is_new = slot.journey != self.journey;
        let new = u32::from(is_new);
        self.of_customer.add(place, slot.journey == 0);
        slot.journey = self.journey;
        slot.all.journeys += new;
        slot.all.known += new & journey.known;
        slot.all.goal += new & journey.goal;
        slot.after += new & journey.goal & u32::from(journey.last_goal >= run.first);
        if self.by_visit {
            self.since[place as usize] = times[run.first as usize];
        }
        if let Some(period) = self.period.get_mut(place as usize)
            && is_new
        {
            if period.journeys == 0 {
                self.of_period.push(place);
            }
            period.journeys += 1;
            period.known += journey.known;
            period.goal += journey.goal;
        }
        new
    }

    /// A way is taken by event `i`, so long after the event before it.
    #[inline]
    fn take(
        &mut self,
        sums: &mut LevelSums,
        (from, to): (u32, u32),
        i: u32,
        between: i64,
        journey: &JourneyEnd,
    ) {
        let place = sums.edges.place(from, to);
        if self.edges.len() <= place {
            self.edges.resize(place + 1, EdgeSlot::default());
            self.edge_parts.resize(place + 1, EdgePart::default());
            self.edges_of_customer.list.resize(place + 2, 0);
        }
        let edge = &mut self.edges[place];
        let new = u32::from(edge.journey != self.journey);
        self.edges_of_customer.add(place as u32, edge.journey == 0);
        edge.journey = self.journey;
        edge.journeys += new;
        edge.known += new & journey.known;
        edge.after += new & journey.goal & u32::from(journey.last_goal >= i);
        edge.count += 1;
        #[allow(clippy::cast_possible_truncation)] // pairs of u32 that are met fit it
        let way = place as u32;
        edge.logs += self.between.push(way, between);
    }

    /// The journey ends here.
    fn exit(&mut self, sums: &mut LevelSums, place: u32, journey: &JourneyEnd) {
        let cell = &mut sums.cells[place as usize];
        let dropped = u32::from(journey.end == End::Dropped);
        // A visit ends with a departure or here.
        cell.visits += 1;
        cell.exits += 1;
        cell.exits_reached += u64::from(journey.goal);
        cell.exits_open += u64::from(journey.end == End::Open);
        self.slots[place as usize].all.dropped += dropped;
        if let Some(period) = self.period.get_mut(place as usize) {
            period.dropped += dropped;
        }
        if self.by_visit {
            let since = self.since[place as usize];
            cell.dwell.cut(journey.last_time.saturating_sub(since));
        }
    }

    /// How long an event at a place lasted, where that is not the time until the next place.
    #[inline]
    pub(super) fn lasted(&mut self, sums: &mut LevelSums, place: u32, length: Option<i64>) {
        match length {
            Some(length) => {
                let slot = &mut self.slots[place as usize];
                slot.logs += self.visits.push(place, length);
                slot.lengths += 1;
                self.settle_full(sums);
            }
            None => sums.cells[place as usize].dwell.unknown += 1,
        }
    }

    /// How long each event of a journey lasted at its place, where that is until the next one; how long the last did is not known.
    pub(super) fn until_next(
        &mut self,
        sums: &mut LevelSums,
        cells: &[u32],
        place_of: &[u32],
        times: &[i64],
    ) {
        let place = |cell: u32| place_of.get(cell as usize).map(|place| *place as usize);
        for (&cell, times) in cells.iter().zip(times.windows(2)) {
            let (Some(place), [from, to]) = (place(cell), times) else {
                continue;
            };
            let Some(slot) = self.slots.get_mut(place) else {
                continue;
            };
            #[allow(clippy::cast_possible_truncation)] // it was a u32
            let log = self.visits.push(place as u32, to.saturating_sub(*from));
            slot.logs += log;
            slot.lengths += 1;
            self.settle_full(sums);
        }
        let last = cells.last().and_then(|cell| place(*cell));
        if let Some(cell) = last.and_then(|place| sums.cells.get_mut(place)) {
            cell.dwell.unknown += 1;
        }
    }

    /// The customer's journeys of one period are over; `offset` is where places of this kind begin among a group's.
    pub(super) fn end_period(&mut self, group: &mut GroupSums, offset: usize, totals: &Totals) {
        for &place in &self.of_period {
            let counts = std::mem::take(&mut self.period[place as usize]);
            if let Some(cell) = group.cells.get_mut(offset + place as usize) {
                count(cell, &counts, totals.journeys);
            }
        }
        self.of_period.clear();
    }

    /// The customer is over. `groups` are the personas that they belong to.
    pub(super) fn end_customer(
        &mut self,
        sums: &LevelSums,
        groups: &mut [GroupSums],
        member_of: &[usize],
        offset: usize,
        totals: &Totals,
    ) {
        for &place in self.edges_of_customer.as_slice() {
            let edge = std::mem::take(&mut self.edges[place as usize]);
            let (from, _) = sums.edges.keys[place as usize];
            let departures = self.slots[from as usize].departures;
            self.edge_parts[place as usize].add(&edge, totals.journeys, departures);
        }
        self.edges_of_customer.n = 0;
        for &place in self.of_customer.as_slice() {
            let slot = std::mem::take(&mut self.slots[place as usize]);
            let part = &mut self.parts[place as usize];
            part.add(&slot, totals.journeys, totals.known, totals.goal);
            for &group in member_of {
                let cells = groups.get_mut(group).map(|g| &mut g.cells);
                if let Some(cell) = cells.and_then(|c| c.get_mut(offset + place as usize)) {
                    count(cell, &slot.all, totals.journeys);
                }
            }
        }
        self.of_customer.n = 0;
        self.journey = 0;
    }

    /// Lengths of a place that may have had no event.
    pub(super) fn flush_times(&mut self, place: usize) {
        let slot = &mut self.slots[place];
        self.parts[place].lengths(slot);
        (slot.lengths, slot.logs) = (0, 0);
    }

    /// The morsel is over: adds its customers to the sums.
    pub(super) fn end_morsel(&mut self, sums: &mut LevelSums) {
        self.settle(sums);
        for (sum, part) in sums.cells.iter_mut().zip(&mut self.parts) {
            sum.absorb(&std::mem::take(part));
        }
        for (sum, part) in sums.edges.sums.iter_mut().zip(&mut self.edge_parts) {
            sum.absorb(&std::mem::take(part));
        }
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
