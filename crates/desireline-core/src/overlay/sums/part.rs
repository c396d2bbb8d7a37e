//! Sums over the customers of one morsel, in narrow words: what is touched for every customer lies close together.

use super::rates::{Base, Top};

/// One place, while a customer is looked at: a line of the processor's cache.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::overlay) struct Slot {
    /// The customer's journey that was here last, from 1.
    pub(in crate::overlay) journey: u32,
    pub(in crate::overlay) entries: u32,
    pub(in crate::overlay) departures: u32,
    pub(in crate::overlay) directed: u32,
    pub(in crate::overlay) forward: u32,
    pub(in crate::overlay) skipping: u32,
    pub(in crate::overlay) backward: u32,
    /// Journeys that reach a goal after they were here first.
    pub(in crate::overlay) after: u32,
    pub(in crate::overlay) all: Counts,
    /// Lengths, and the sum of their logarithms.
    pub(in crate::overlay) lengths: u32,
    pub(in crate::overlay) logs: u64,
}

/// Counts of journeys at one place.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::overlay) struct Counts {
    pub(in crate::overlay) journeys: u32,
    pub(in crate::overlay) known: u32,
    pub(in crate::overlay) dropped: u32,
    pub(in crate::overlay) goal: u32,
}

/// One way, while a customer is looked at.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::overlay) struct EdgeSlot {
    /// The customer's journey that took it last, from 1.
    pub(in crate::overlay) journey: u32,
    pub(in crate::overlay) count: u32,
    pub(in crate::overlay) journeys: u32,
    pub(in crate::overlay) known: u32,
    pub(in crate::overlay) after: u32,
    /// The sum of the logarithms of lengths.
    pub(in crate::overlay) logs: u64,
}

/// Sums of logarithms over customers; squares of those need more bits than squares of counts.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::overlay) struct LogPart {
    pub(super) sum: u64,
    pub(super) ss: u128,
    pub(super) sn: u128,
}

impl LogPart {
    #[inline]
    fn add(&mut self, sum: u64, n: u32) {
        let s = u128::from(sum);
        self.sum += sum;
        self.ss += s * s;
        self.sn += s * u128::from(n);
    }
}

/// What [`CellSums`](super::CellSums) knows of customers.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::overlay) struct CellPart {
    pub(super) customers: u64,
    pub(super) reach: Top<u64>,
    pub(super) entries: Top<u64>,
    pub(super) known: Base<u64>,
    pub(super) dropped: Top<u64>,
    pub(super) goal: Top<u64>,
    pub(super) after: Top<u64>,
    pub(super) throughout: u64,
    pub(super) cross: [u64; 4],
    pub(super) departures: Base<u64>,
    pub(super) directed: Base<u64>,
    pub(super) forward: Top<u64>,
    pub(super) skipping: Top<u64>,
    pub(super) backward: Top<u64>,
    pub(super) lengths: Base<u64>,
    pub(super) logs: LogPart,
}

impl CellPart {
    /// Takes in a customer who was here: with so many journeys in all, of so many of which the outcome is known, and so many goals.
    #[inline]
    pub(in crate::overlay) fn add(&mut self, slot: &Slot, journeys: u64, of_n: u64, of_k: u64) {
        let all = slot.all;
        self.customers += 1;
        self.reach.add(all.journeys.into(), journeys);
        self.entries.add(slot.entries.into(), journeys);
        let (k, n) = (u64::from(all.goal), u64::from(all.known));
        self.known.add(n);
        self.dropped.add(all.dropped.into(), n);
        self.goal.add(k, n);
        self.after.add(slot.after.into(), n);
        self.throughout += u64::from(n > 0 && n == of_n);
        let products = [k * of_k, k * of_n, n * of_k, n * of_n];
        for (sum, product) in self.cross.iter_mut().zip(products) {
            *sum += product;
        }
        self.departures.add(slot.departures.into());
        let directed = u64::from(slot.directed);
        self.directed.add(directed);
        self.forward.add(slot.forward.into(), directed);
        self.skipping.add(slot.skipping.into(), directed);
        self.backward.add(slot.backward.into(), directed);
        self.lengths(slot);
    }

    /// Takes in a customer's lengths alone.
    #[inline]
    pub(in crate::overlay) fn lengths(&mut self, slot: &Slot) {
        self.lengths.add(slot.lengths.into());
        self.logs.add(slot.logs, slot.lengths);
    }
}

/// What [`EdgeSums`](super::level::EdgeSums) knows of customers.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::overlay) struct EdgePart {
    pub(super) customers: u64,
    pub(super) reach: Top<u64>,
    pub(super) share: Top<u64>,
    pub(super) known: Base<u64>,
    pub(super) after: Top<u64>,
    pub(super) logs: LogPart,
}

impl EdgePart {
    /// Takes in a customer who went this way: with so many journeys in all, and so many departures from where it begins.
    #[inline]
    pub(in crate::overlay) fn add(&mut self, edge: &EdgeSlot, journeys: u64, departures: u32) {
        self.customers += 1;
        self.reach.add(edge.journeys.into(), journeys);
        self.share.add(edge.count.into(), departures.into());
        self.known.add(edge.known.into());
        self.after.add(edge.after.into(), edge.known.into());
        self.logs.add(edge.logs, edge.count);
    }
}
