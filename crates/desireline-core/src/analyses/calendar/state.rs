//! What is known so far: counts by hour of the week, and the sums that shares of days and hours need.

use desireline_stats::Clusters;
use serde::{Deserialize, Serialize};

use super::CalendarPlan;
use super::clock::{CELLS, DAYS, HOURS};
use crate::analyses::parts::{agree, is_base, is_rate, sum};
use crate::engine::Partial;
use crate::journey::{Journey, Mask, Morsel};

/// An hour of the day or a day of the week.
#[derive(Clone, Copy, Debug)]
pub(super) enum Slot {
    Hour(usize),
    Day(usize),
}

impl Slot {
    pub(super) fn all() -> impl Iterator<Item = Slot> {
        (0..HOURS).map(Slot::Hour).chain((0..DAYS).map(Slot::Day))
    }

    /// The place among all.
    fn place(self) -> usize {
        match self {
            Slot::Hour(hour) => hour,
            Slot::Day(day) => HOURS + day,
        }
    }

    /// Whether an hour of the week is in it.
    fn holds(self, cell: usize) -> bool {
        match self {
            Slot::Hour(hour) => cell % HOURS == hour,
            Slot::Day(day) => cell / HOURS == day,
        }
    }
}

const SLOTS: usize = HOURS + DAYS;

/// Counts of one thing.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Tally {
    /// All of them by customer; `k` is not used.
    pub(super) all: Clusters,
    /// By hour of the week.
    pub(super) cells: Vec<u64>,
    /// By slot: Σ k², Σ k n.
    sums: Vec<(u128, u128)>,
}

impl Default for Tally {
    fn default() -> Tally {
        Tally {
            all: Clusters::default(),
            cells: vec![0; CELLS],
            sums: vec![(0, 0); SLOTS],
        }
    }
}

impl Tally {
    /// How many fell into a slot.
    pub(super) fn count(&self, slot: Slot) -> u64 {
        let cells = self.cells.iter().enumerate();
        let inside = cells.filter(|(cell, _)| slot.holds(*cell));
        inside.map(|(_, n)| n).sum()
    }

    /// A slot's share of all.
    pub(super) fn share(&self, slot: Slot) -> Clusters {
        let (kk, kn) = self.sums.get(slot.place()).copied().unwrap_or_default();
        Clusters {
            k: self.count(slot),
            kk,
            kn,
            ..self.all
        }
    }

    /// Takes in what one customer has.
    fn add(&mut self, counted: &mut Counted) {
        let (mut n, mut slots) = (0_u64, [0_u64; SLOTS]);
        for cell in counted.touched.drain(..) {
            let cell = usize::from(cell);
            let count = std::mem::take(&mut counted.cells[cell]);
            self.cells[cell] += count;
            slots[cell % HOURS] += count;
            slots[HOURS + cell / HOURS] += count;
            n += count;
        }
        self.all.add(0, n);
        for ((kk, kn), k) in self.sums.iter_mut().zip(slots).filter(|(_, k)| *k > 0) {
            *kk = kk.saturating_add(u128::from(k) * u128::from(k));
            *kn = kn.saturating_add(u128::from(k) * u128::from(n));
        }
    }

    fn merge(&mut self, other: &Tally) {
        self.all.merge(&other.all);
        for (ours, theirs) in self.cells.iter_mut().zip(&other.cells) {
            *ours += theirs;
        }
        for (ours, theirs) in self.sums.iter_mut().zip(&other.sums) {
            ours.0 = ours.0.saturating_add(theirs.0);
            ours.1 = ours.1.saturating_add(theirs.1);
        }
    }

    fn check(&self, what: &str) -> Result<(), String> {
        let sized = self.cells.len() == CELLS && self.sums.len() == SLOTS;
        agree(
            sized
                && is_base(&self.all)
                && sum(self.cells.iter().copied()) == Some(self.all.n)
                && Slot::all().all(|slot| is_rate(&self.share(slot))),
            what,
        )
    }

    fn heap_bytes(&self) -> usize {
        self.cells.capacity() * size_of::<u64>() + self.sums.capacity() * size_of::<(u128, u128)>()
    }
}

/// When people come, as far as is known.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CalendarPartial {
    pub(super) events: Tally,
    pub(super) starts: Tally,
    pub(super) goals: Tally,
    /// By slot of the start: journeys with the goal of those with a known outcome.
    conversion: Vec<Clusters>,
    /// Journeys that may still go on.
    pub(super) open: u64,
    #[serde(skip)]
    scratch: Scratch,
}

impl Default for CalendarPartial {
    fn default() -> CalendarPartial {
        CalendarPartial {
            events: Tally::default(),
            starts: Tally::default(),
            goals: Tally::default(),
            conversion: vec![Clusters::default(); SLOTS],
            open: 0,
            scratch: Scratch::default(),
        }
    }
}

impl CalendarPartial {
    /// Of the journeys that began in a slot and whose outcome is known, those that reached the goal.
    pub(super) fn conversion(&self, slot: Slot) -> Clusters {
        self.conversion
            .get(slot.place())
            .copied()
            .unwrap_or_default()
    }

    /// Refuses what was read from bytes and cannot be.
    pub(super) fn check(&self, has_goal: bool) -> Result<(), String> {
        self.events.check("events")?;
        self.starts.check("journeys")?;
        self.goals.check("goals")?;
        let (starts, goals) = (self.starts.all.n, self.goals.all.n);
        agree(
            starts <= self.events.all.n && goals <= starts && self.open <= starts - goals,
            "journeys",
        )?;
        let known = |slots: std::ops::Range<usize>, of: fn(&Clusters) -> u64| {
            let rates = self.conversion.get(slots).unwrap_or_default();
            sum(rates.iter().map(of))
        };
        let (n, k) = match has_goal {
            true => (starts - self.open, goals),
            false => (0, 0),
        };
        let adds_up = [0..HOURS, HOURS..SLOTS].into_iter().all(|slots| {
            known(slots.clone(), |c| c.n) == Some(n) && known(slots, |c| c.k) == Some(k)
        });
        agree(
            self.conversion.len() == SLOTS
                && adds_up
                && (has_goal || goals + self.open == 0)
                && self.conversion.iter().all(is_rate)
                && Slot::all().all(|s| self.conversion(s).n <= self.starts.count(s)),
            "conversions",
        )
    }
}

impl Partial for CalendarPartial {
    fn merge(&mut self, other: &Self) {
        self.events.merge(&other.events);
        self.starts.merge(&other.starts);
        self.goals.merge(&other.goals);
        for (ours, theirs) in self.conversion.iter_mut().zip(&other.conversion) {
            ours.merge(theirs);
        }
        self.open += other.open;
    }

    fn heap_bytes(&self) -> usize {
        let tallies = [&self.events, &self.starts, &self.goals];
        tallies.into_iter().map(Tally::heap_bytes).sum::<usize>()
            + self.conversion.capacity() * size_of::<Clusters>()
            + self.scratch.heap_bytes()
    }
}

/// What a customer has, by hour of the week.
#[derive(Clone, Debug, Default)]
struct Counted {
    cells: Vec<u64>,
    touched: Vec<u8>,
}

impl Counted {
    #[inline]
    fn add(&mut self, cell: usize) {
        let Some(count) = self.cells.get_mut(cell) else {
            return;
        };
        if *count == 0 {
            self.touched.push(cell as u8);
        }
        *count += 1;
    }
}

/// A worker's memory for the customer at hand; empty between customers.
#[derive(Clone, Debug, Default)]
struct Scratch {
    events: Counted,
    starts: Counted,
    goals: Counted,
    /// Starts of journeys with a known outcome, and whether they reached the goal.
    outcomes: Vec<(u8, bool)>,
}

impl Scratch {
    fn heap_bytes(&self) -> usize {
        let counted = [&self.events, &self.starts, &self.goals].into_iter();
        let bytes = |c: &Counted| c.cells.capacity() * size_of::<u64>() + c.touched.capacity();
        counted.map(bytes).sum::<usize>() + self.outcomes.capacity() * size_of::<(u8, bool)>()
    }
}

pub(super) fn observe(plan: &CalendarPlan, partial: &mut CalendarPartial, morsel: &Morsel<'_>) {
    let mut goals = Mask::default();
    if let Some(goal) = &plan.goal {
        goal.fill(morsel, &mut goals);
    }
    let mut scratch = std::mem::take(&mut partial.scratch);
    for counted in [&mut scratch.events, &mut scratch.starts, &mut scratch.goals] {
        counted.cells.resize(CELLS, 0);
    }
    let times = morsel.times();
    let mut near = 0;
    for spans in morsel.customers() {
        for span in spans {
            for &time in times.get(span.range()).unwrap_or_default() {
                scratch.events.add(plan.clock.cell(time, &mut near));
            }
            let first = morsel.time(span.start as usize);
            let start = plan.clock.cell(first, &mut near);
            scratch.starts.add(start);
            if plan.goal.is_none() {
                continue;
            }
            let goal = goals.ones_in(span.range()).next();
            if let Some(goal) = goal {
                let cell = plan.clock.cell(morsel.time(goal), &mut near);
                scratch.goals.add(cell);
            } else if plan.is_open(&Journey::new(*morsel, *span)) {
                partial.open += 1;
                continue;
            }
            scratch.outcomes.push((start as u8, goal.is_some()));
        }
        partial.events.add(&mut scratch.events);
        partial.starts.add(&mut scratch.starts);
        partial.goals.add(&mut scratch.goals);
        convert(&mut partial.conversion, &mut scratch.outcomes);
    }
    partial.scratch = scratch;
}

/// Counts a customer's journeys with a known outcome by their start.
fn convert(conversion: &mut [Clusters], outcomes: &mut Vec<(u8, bool)>) {
    if outcomes.is_empty() {
        return;
    }
    let mut slots = [(0_u64, 0_u64); SLOTS];
    for (cell, reached) in outcomes.drain(..) {
        let cell = usize::from(cell);
        for place in [cell % HOURS, HOURS + cell / HOURS] {
            slots[place].0 += u64::from(reached);
            slots[place].1 += 1;
        }
    }
    for (rate, (k, n)) in conversion.iter_mut().zip(slots) {
        rate.add(k, n);
    }
}
