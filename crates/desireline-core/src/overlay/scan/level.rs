//! Visits, ways and outcomes at the places of one kind, customer by customer.

use std::hint::select_unpredictable;

use super::super::sums::{
    CellPart, Counts, EdgePart, EdgeSlot, Ends, GroupCellSums, GroupSums, LevelSums, Slot, Totals,
    add_counts, log16, wide,
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
    /// The time of the last event.
    last_time: i64,
    /// The event after the last one that is a goal; 0 without one.
    after_goal: u32,
    /// What the journey adds to a place that it comes to before its last goal and after it, and what when it comes there again.
    adds: [Counts; 3],
}

impl JourneyEnd {
    pub(super) fn new(end: End, last_goal: Option<usize>, last_time: i64) -> JourneyEnd {
        let (known, goal) = (u32::from(end != End::Open), u32::from(end == End::Reached));
        JourneyEnd {
            end,
            last_time,
            after_goal: last_goal.map_or(0, |last| last as u32 + 1),
            adds: [[1, known, goal, 1], [1, known, goal, 0], [0; 4]],
        }
    }

    /// What the journey adds by its event `i`.
    #[inline]
    fn adds(&self, is_new: bool, i: u32) -> &Counts {
        let late = usize::from(i >= self.after_goal);
        let row = select_unpredictable(is_new, late, 2);
        self.adds.get(row).unwrap_or(&[0; 4])
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
    ends: Vec<Ends>,
    /// By place, since the period of the journey began; empty without periods.
    period: Vec<PeriodSlot>,
    of_period: Touched,
    edges: Vec<EdgeSlot>,
    edges_of_customer: Touched,
    /// Lengths of visits, of those cut off, and times between, on their way to the sums.
    visits: Lengths,
    cut: Lengths,
    between: Lengths,
    /// Sums over the customers of the morsel, by place and by way.
    parts: Vec<CellPart>,
    edge_parts: Vec<EdgePart>,
}

/// One place, while a period of a customer is looked at.
#[derive(Clone, Copy, Debug, Default)]
struct PeriodSlot {
    counts: Counts,
    dropped: u32,
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
            ends: vec![Ends::default(); n],
            period: vec![PeriodSlot::default(); if periods { n } else { 0 }],
            of_period: Touched::new(n),
            edges: Vec::new(),
            edges_of_customer: Touched::new(0),
            visits: Lengths::new(n),
            cut: Lengths::new(if by_visit { n } else { 0 }),
            between: Lengths::default(),
            parts: vec![CellPart::default(); n],
            edge_parts: Vec::new(),
        }
    }

    /// Takes in the runs of a journey, each at one place; returns how many places it has been at.
    pub(super) fn journey(
        &mut self,
        sums: &mut LevelSums,
        runs: &[Run],
        times: &[i64],
        journey: &JourneyEnd,
    ) -> u32 {
        let (Some(first), Some(last)) = (runs.first(), runs.last()) else {
            return 0;
        };
        self.begin(sums);
        let mut distinct = self.enter(first.place, first, times, journey);
        for pair in runs.windows(2) {
            let [from, to] = pair else { continue };
            let time = times[to.first as usize];
            distinct += self.arrive(to.place, to.first, time, journey);
            self.depart(sums, from.place, to, time);
            let between = time.saturating_sub(times[from.last as usize]);
            self.take(sums, (from.place, to.place), to.first, between, journey);
        }
        self.exit(sums, last.place, journey);
        distinct
    }

    /// Takes in the runs of a journey, each at a set of places.
    pub(super) fn journey_of_sets(
        &mut self,
        sums: &mut LevelSums,
        runs: &[Run],
        sets: &Sets,
        times: &[i64],
        journey: &JourneyEnd,
    ) {
        let (Some(first), Some(last)) = (runs.first(), runs.last()) else {
            return;
        };
        self.begin(sums);
        for &place in sets.of(first.place) {
            self.enter(place, first, times, journey);
        }
        for pair in runs.windows(2) {
            let [from, to] = pair else { continue };
            let (before, here) = (sets.of(from.place), sets.of(to.place));
            let time = times[to.first as usize];
            let between = time.saturating_sub(times[from.last as usize]);
            for &place in here.iter().filter(|place| !before.contains(place)) {
                self.arrive(place, to.first, time, journey);
            }
            for &place in before.iter().filter(|place| !here.contains(place)) {
                self.depart(sums, place, to, time);
                for &other in here {
                    self.take(sums, (place, other), to.first, between, journey);
                }
            }
        }
        for &place in sets.of(last.place) {
            self.exit(sums, place, journey);
        }
    }

    #[inline]
    fn begin(&mut self, sums: &mut LevelSums) {
        self.journey += 1;
        sums.journeys += 1;
    }

    /// The journey's first visit begins.
    #[inline(always)]
    fn enter(&mut self, place: u32, run: &Run, times: &[i64], journey: &JourneyEnd) -> u32 {
        let time = times[run.first as usize];
        self.ends[place as usize].entries += 1;
        self.arrive(place, run.first, time, journey)
    }

    /// A visit begins with event `i`; returns 1 if it is the journey's first one there.
    #[inline(always)]
    fn arrive(&mut self, place: u32, i: u32, time: i64, journey: &JourneyEnd) -> u32 {
        let slot = &mut self.slots[place as usize];
        let is_new = slot.journey != self.journey;
        let adds = journey.adds(is_new, i);
        self.of_customer.add(place, slot.journey == 0);
        slot.journey = self.journey;
        add_counts(&mut slot.counts, adds);
        slot.since = time;
        if let Some(period) = self.period.get_mut(place as usize) {
            self.of_period.add(place, period.counts[0] == 0);
            add_counts(&mut period.counts, adds);
        }
        u32::from(is_new)
    }

    /// A visit ends, for the journey goes on to somewhere else.
    #[inline(always)]
    fn depart(&mut self, sums: &mut LevelSums, place: u32, to: &Run, time: i64) {
        let slot = &mut self.slots[place as usize];
        slot.departures += 1;
        add_counts(&mut slot.ways, to.way().counts());
        if self.by_visit {
            let length = time.saturating_sub(slot.since);
            self.last(sums, place, length);
        }
    }

    /// A way is taken by event `i`, so long after the event before it.
    #[inline(always)]
    fn take(
        &mut self,
        sums: &mut LevelSums,
        (from, to): (u32, u32),
        i: u32,
        between: i64,
        journey: &JourneyEnd,
    ) {
        let place = sums.edges.place(from, to);
        if place >= self.edges.len() {
            self.grow(place + 1);
        }
        let Some(edge) = self.edges.get_mut(place) else {
            return;
        };
        let adds = journey.adds(edge.journey != self.journey, i);
        #[allow(clippy::cast_possible_truncation)] // pairs of u32 that are met fit it
        let way = place as u32;
        self.edges_of_customer.add(way, edge.journey == 0);
        edge.journey = self.journey;
        add_counts(&mut edge.counts, adds);
        edge.n += 1;
        // Times within a journey ascend.
        let between = between.max(0);
        let log = log16(between);
        edge.logs += log;
        self.between.push(way, between, log, |lengths, squares| {
            sums.edges.sums[place].between.see(lengths, squares);
        });
    }

    /// Makes room for so many ways.
    #[cold]
    fn grow(&mut self, ways: usize) {
        self.edges.resize(ways, EdgeSlot::default());
        self.edge_parts.resize(ways, EdgePart::default());
        self.edges_of_customer.list.resize(ways + 1, 0);
        self.between.grow(ways);
    }

    /// The journey ends here.
    #[inline(always)]
    fn exit(&mut self, sums: &mut LevelSums, place: u32, journey: &JourneyEnd) {
        let cell = &mut sums.cells[place as usize];
        let dropped = u32::from(journey.end == End::Dropped);
        // A visit ends with a departure or here.
        cell.visits += 1;
        cell.exits += 1;
        cell.exits_reached += u64::from(journey.end == End::Reached);
        cell.exits_open += u64::from(journey.end == End::Open);
        self.ends[place as usize].dropped += dropped;
        if let Some(period) = self.period.get_mut(place as usize) {
            period.dropped += dropped;
        }
        if self.by_visit {
            let length = journey
                .last_time
                .saturating_sub(self.slots[place as usize].since);
            let take = |lengths: &[i64], _| cell.dwell.cut_all(lengths);
            self.cut.push(place, length, 0, take);
        }
    }

    /// Something at a place lasted so long.
    #[inline(always)]
    fn last(&mut self, sums: &mut LevelSums, place: u32, length: i64) {
        let slot = &mut self.slots[place as usize];
        // Times within a journey ascend.
        let length = length.max(0);
        let log = log16(length);
        slot.logs += log;
        slot.lengths += 1;
        self.visits.push(place, length, log, |lengths, squares| {
            sums.cells[place as usize].dwell.see(lengths, squares);
        });
    }

    /// How long an event at a place lasted, where that is not the time until the next place.
    #[inline]
    pub(super) fn lasted(&mut self, sums: &mut LevelSums, place: u32, length: Option<i64>) {
        match length {
            Some(length) => self.last(sums, place, length),
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
        let place = |cell: u32| place_of.get(cell as usize).copied();
        for (&cell, times) in cells.iter().zip(times.windows(2)) {
            if let (Some(place), [from, to]) = (place(cell), times)
                && (place as usize) < self.slots.len()
            {
                self.last(sums, place, to.saturating_sub(*from));
            }
        }
        let last = cells.last().and_then(|cell| place(*cell));
        if let Some(cell) = last.and_then(|place| sums.cells.get_mut(place as usize)) {
            cell.dwell.unknown += 1;
        }
    }

    /// The customer's journeys of one period are over; `offset` is where places of this kind begin among a group's.
    pub(super) fn end_period(&mut self, group: &mut GroupSums, offset: usize, totals: &Totals) {
        for &place in self.of_period.as_slice() {
            let period = std::mem::take(&mut self.period[place as usize]);
            if let Some(cell) = group.cells.get_mut(offset + place as usize) {
                count(cell, &period.counts, period.dropped, totals.journeys);
            }
        }
        self.of_period.n = 0;
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
            let slot = &mut self.slots[place as usize];
            let ends = std::mem::take(&mut self.ends[place as usize]);
            self.parts[place as usize].add(slot, ends, totals);
            for &group in member_of {
                let cells = groups.get_mut(group).map(|g| &mut g.cells);
                if let Some(cell) = cells.and_then(|c| c.get_mut(offset + place as usize)) {
                    count(cell, &slot.counts, ends.dropped, totals.journeys);
                }
            }
            *slot = Slot::default();
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
        let (cells, edges) = (&mut sums.cells, &mut sums.edges.sums);
        self.visits
            .settle(|place, lengths, squares| cells[place].dwell.see(lengths, squares));
        self.cut
            .settle(|place, lengths, _| cells[place].dwell.cut_all(lengths));
        self.between
            .settle(|way, lengths, squares| edges[way].between.see(lengths, squares));
        for (sum, part) in cells.iter_mut().zip(&mut self.parts) {
            sum.absorb(&std::mem::take(part));
        }
        for (sum, part) in edges.iter_mut().zip(&mut self.edge_parts) {
            sum.absorb(&std::mem::take(part));
        }
    }
}

fn count(cell: &mut GroupCellSums, counts: &Counts, dropped: u32, journeys: u64) {
    let [visited, known, goal, _] = wide(counts);
    cell.customers += 1;
    cell.reach.add(visited, journeys);
    cell.known.add(known);
    cell.dropped.add(dropped.into(), known);
    cell.goal.add(goal, known);
}
