//! Sums over the customers of one morsel, in narrow words: what is touched for every customer lies close together.

use super::Totals;
use super::rates::{Base, Top};

/// What each journey adds to the places it has been at and the ways it took: 1 for itself, 1 if its outcome is known, 1 if it reached a
/// goal, 1 if it did so after it was there first. One addition of four numbers.
pub(in crate::overlay) type Counts = [u32; 4];

/// Adds number by number.
#[inline]
pub(in crate::overlay) fn add_counts(into: &mut Counts, counts: &Counts) {
    for which in 0..into.len() {
        into[which] += counts[which];
    }
}

#[inline]
pub(in crate::overlay) fn wide(&[a, b, c, d]: &Counts) -> [u64; 4] {
    [a.into(), b.into(), c.into(), d.into()]
}

/// One place, while a customer is looked at: a line of the processor's cache.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C, align(64))]
pub(in crate::overlay) struct Slot {
    pub(in crate::overlay) counts: Counts,
    /// Departures whose way in the order of stages is known, those forward, skipping and backward.
    pub(in crate::overlay) ways: Counts,
    /// When the visit began.
    pub(in crate::overlay) since: i64,
    /// The sum of the logarithms of lengths, and how many there are.
    pub(in crate::overlay) logs: u64,
    pub(in crate::overlay) lengths: u32,
    /// The customer's journey that was here last, from 1.
    pub(in crate::overlay) journey: u32,
    pub(in crate::overlay) departures: u32,
}

/// Where a customer's journeys begin and end.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::overlay) struct Ends {
    pub(in crate::overlay) entries: u32,
    pub(in crate::overlay) dropped: u32,
}

/// One way, while a customer is looked at.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C, align(32))]
pub(in crate::overlay) struct EdgeSlot {
    pub(in crate::overlay) counts: Counts,
    /// The customer's journey that took it last, from 1.
    pub(in crate::overlay) journey: u32,
    pub(in crate::overlay) n: u32,
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
    /// Takes in a customer who was here, with all their journeys.
    #[inline]
    pub(in crate::overlay) fn add(&mut self, slot: &Slot, ends: Ends, totals: &Totals) {
        let [visited, n, k, after] = wide(&slot.counts);
        let (of_n, of_k) = (totals.known, totals.goal);
        self.customers += 1;
        self.reach.add(visited, totals.journeys);
        self.entries.add(ends.entries.into(), totals.journeys);
        self.known.add(n);
        self.dropped.add(ends.dropped.into(), n);
        self.goal.add(k, n);
        self.after.add(after, n);
        self.throughout += u64::from(n > 0 && n == of_n);
        let [kk, kn, nk, nn] = &mut self.cross;
        *kk += k * of_k;
        *kn += k * of_n;
        *nk += n * of_k;
        *nn += n * of_n;
        self.departures.add(slot.departures.into());
        let [directed, forward, skipping, backward] = wide(&slot.ways);
        if directed > 0 {
            self.directed.add(directed);
            self.forward.add(forward, directed);
            self.skipping.add(skipping, directed);
            self.backward.add(backward, directed);
        }
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
        let [taken, known, _, after] = wide(&edge.counts);
        self.customers += 1;
        self.reach.add(taken, journeys);
        self.share.add(edge.n.into(), departures.into());
        self.known.add(known);
        self.after.add(after, known);
        self.logs.add(edge.logs, edge.n);
    }
}
