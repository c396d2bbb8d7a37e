//! What is known of the places of one kind and of the ways between them.

use desireline_stats::{Clusters, Distribution, Sides};

use super::super::pairs::Pairs;
use super::part::{CellPart, EdgePart, LogPart};
use super::rates::{Base, Top};

/// Lengths of time, and how alike those of one customer are.
#[derive(Clone, Debug, Default)]
pub(in crate::overlay) struct Times {
    pub(in crate::overlay) seen: Distribution,
    /// Cut off by the end of the journey.
    pub(in crate::overlay) cut: Distribution,
    pub(in crate::overlay) unknown: u64,
    /// Over all lengths seen: how many, sum and sum of squares of their logarithms.
    pub(in crate::overlay) n: u64,
    pub(in crate::overlay) sum: u128,
    /// No logarithm is above 1024: enough for 10^13 lengths.
    pub(in crate::overlay) squares: u64,
    /// Over customers, with `s` the sum of logarithms of their lengths and `n` how many: Σ s², Σ s n, Σ n².
    pub(in crate::overlay) ss: u128,
    pub(in crate::overlay) sn: u128,
    pub(in crate::overlay) nn: u128,
}

/// Sixteenths of the binary logarithm of one more than a length that is not below 0: enough to tell whether a customer's lengths are
/// alike.
#[inline]
pub(in crate::overlay) fn log16(length: i64) -> u64 {
    // A float holds the whole part of the logarithm, and after it the leading bits of what is left, which are near enough to its part.
    #[allow(clippy::cast_precision_loss)]
    let bits = (length as f64 + 1.0).to_bits();
    (bits >> (f64::MANTISSA_DIGITS - 1 - 4)).saturating_sub(BIAS)
}

/// What the logarithm of 1 is before it is taken away.
const BIAS: u64 = 1.0_f64.to_bits() >> (f64::MANTISSA_DIGITS - 1 - 4);

impl Times {
    /// Takes in lengths with the sum of the squares of their logarithms.
    pub(in crate::overlay) fn see(&mut self, lengths: &[i64], squares: u64) {
        self.seen.extend(lengths.iter().copied());
        self.squares += squares;
    }

    /// Takes in lengths that were cut off; of one of 0 nothing is known.
    pub(in crate::overlay) fn cut_all(&mut self, lengths: &[i64]) {
        let unknown = lengths.iter().filter(|length| **length <= 0).count();
        self.unknown += unknown as u64;
        self.cut.extend(lengths.iter().copied().filter(|l| *l > 0));
    }

    pub(in crate::overlay) fn cut(&mut self, length: i64) {
        if length > 0 {
            self.cut.push(length);
        } else {
            self.unknown += 1;
        }
    }

    /// Takes in customers with these lengths.
    fn absorb(&mut self, (n, nn): (u64, u64), logs: &LogPart) {
        self.n += n;
        self.nn += u128::from(nn);
        self.sum += u128::from(logs.sum);
        self.ss += logs.ss;
        self.sn += logs.sn;
    }

    pub(super) fn merge(&mut self, other: &Times) {
        self.seen.merge(&other.seen);
        self.cut.merge(&other.cut);
        self.unknown += other.unknown;
        self.n += other.n;
        self.sum += other.sum;
        self.squares += other.squares;
        self.ss += other.ss;
        self.sn += other.sn;
        self.nn += other.nn;
    }

    pub(in crate::overlay) fn heap_bytes(&self) -> usize {
        self.seen.heap_bytes() + self.cut.heap_bytes()
    }
}

/// All that is known of one stage, step, touchpoint or channel.
#[derive(Clone, Debug, Default)]
pub(in crate::overlay) struct CellSums {
    pub(in crate::overlay) events: u64,
    pub(in crate::overlay) visits: u64,
    pub(in crate::overlay) customers: u64,
    /// Journeys with a visit; the base are the customer's journeys.
    pub(in crate::overlay) reach: Top,
    pub(in crate::overlay) entries: Top,
    pub(in crate::overlay) exits: u64,
    pub(in crate::overlay) exits_reached: u64,
    pub(in crate::overlay) exits_open: u64,
    pub(in crate::overlay) at_risk: u64,
    /// Journeys with a visit and a known outcome.
    pub(in crate::overlay) known: Base,
    pub(in crate::overlay) dropped: Top,
    pub(in crate::overlay) goal: Top,
    pub(in crate::overlay) after: Top,
    /// Customers all of whose journeys of known outcome have a visit.
    pub(in crate::overlay) throughout: u64,
    /// Products of the customer's `(goal, known)` here with those of all their journeys: k·K, k·N, n·K, n·N.
    pub(in crate::overlay) cross: [u128; 4],
    pub(in crate::overlay) departures: Base,
    /// Departures to somewhere whose place in the order is known.
    pub(in crate::overlay) directed: Base,
    pub(in crate::overlay) forward: Top,
    pub(in crate::overlay) skipping: Top,
    pub(in crate::overlay) backward: Top,
    pub(in crate::overlay) dwell: Times,
}

impl CellSums {
    /// Whether no journey with a visit has a known outcome.
    pub(in crate::overlay) fn goal_is_empty(&self) -> bool {
        self.known.n == 0
    }

    /// Goals of journeys with a visit, against those of all other journeys; `known` and `goal` are those of all.
    pub(in crate::overlay) fn lift(&self, known: &Base, goal: &Top) -> Sides {
        let a = self.known.with(&self.goal);
        let [k_all_k, k_all_n, n_all_k, n_all_n] = self.cross;
        let less = |whole: u128, parts: [u128; 2], back: u128| {
            (whole + back).saturating_sub(parts[0] + parts[1])
        };
        let b = Clusters {
            m: known.m.saturating_sub(self.throughout),
            k: goal.k.saturating_sub(a.k),
            n: known.n.saturating_sub(a.n),
            kk: less(goal.kk, [k_all_k; 2], a.kk),
            kn: less(goal.kn, [n_all_k, k_all_n], a.kn),
            nn: less(known.nn, [n_all_n; 2], a.nn),
        };
        Sides {
            a,
            b,
            kk: k_all_k.saturating_sub(a.kk),
            kn: k_all_n.saturating_sub(a.kn),
            nk: n_all_k.saturating_sub(a.kn),
            nn: n_all_n.saturating_sub(a.nn),
        }
    }

    /// Takes in what a morsel's customers did.
    pub(in crate::overlay) fn absorb(&mut self, part: &CellPart) {
        self.visits += part.departures.n;
        self.customers += part.customers;
        self.at_risk += part.reach.k - part.known.n;
        self.reach.merge(&part.reach);
        self.entries.merge(&part.entries);
        self.known.merge(&part.known);
        self.dropped.merge(&part.dropped);
        self.goal.merge(&part.goal);
        self.after.merge(&part.after);
        self.throughout += part.throughout;
        for (a, b) in self.cross.iter_mut().zip(part.cross) {
            *a += u128::from(b);
        }
        self.departures.merge(&part.departures);
        self.directed.merge(&part.directed);
        self.forward.merge(&part.forward);
        self.skipping.merge(&part.skipping);
        self.backward.merge(&part.backward);
        self.dwell
            .absorb((part.lengths.n, part.lengths.nn), &part.logs);
    }

    pub(super) fn merge(&mut self, other: &CellSums) {
        self.events += other.events;
        self.visits += other.visits;
        self.customers += other.customers;
        self.reach.merge(&other.reach);
        self.entries.merge(&other.entries);
        self.exits += other.exits;
        self.exits_reached += other.exits_reached;
        self.exits_open += other.exits_open;
        self.at_risk += other.at_risk;
        self.known.merge(&other.known);
        self.dropped.merge(&other.dropped);
        self.goal.merge(&other.goal);
        self.after.merge(&other.after);
        self.throughout += other.throughout;
        for (a, b) in self.cross.iter_mut().zip(other.cross) {
            *a += b;
        }
        self.departures.merge(&other.departures);
        self.directed.merge(&other.directed);
        self.forward.merge(&other.forward);
        self.skipping.merge(&other.skipping);
        self.backward.merge(&other.backward);
        self.dwell.merge(&other.dwell);
    }
}

/// A way from one place to another.
#[derive(Clone, Debug, Default)]
pub(in crate::overlay) struct EdgeSums {
    pub(in crate::overlay) count: u64,
    pub(in crate::overlay) customers: u64,
    /// Journeys; the base are the customer's journeys.
    pub(in crate::overlay) reach: Top,
    /// How often; the base are the customer's departures from where it begins.
    pub(in crate::overlay) share: Top,
    pub(in crate::overlay) after: Clusters,
    pub(in crate::overlay) between: Times,
}

impl EdgeSums {
    /// Takes in what a morsel's customers did.
    pub(in crate::overlay) fn absorb(&mut self, part: &EdgePart) {
        self.count += part.share.k;
        self.customers += part.customers;
        self.reach.merge(&part.reach);
        self.share.merge(&part.share);
        let mut known = Base::default();
        known.merge(&part.known);
        let mut after = Top::default();
        after.merge(&part.after);
        self.after.merge(&known.with(&after));
        self.between
            .absorb((part.share.k, part.share.kk), &part.logs);
    }

    pub(super) fn merge(&mut self, other: &EdgeSums) {
        self.count += other.count;
        self.customers += other.customers;
        self.reach.merge(&other.reach);
        self.share.merge(&other.share);
        self.after.merge(&other.after);
        self.between.merge(&other.between);
    }
}

/// What is known of the cells of one kind.
#[derive(Clone, Debug)]
pub(in crate::overlay) struct LevelSums {
    pub(in crate::overlay) cells: Vec<CellSums>,
    pub(in crate::overlay) edges: Pairs<EdgeSums>,
    /// Journeys with an event of this kind.
    pub(in crate::overlay) journeys: u64,
}

impl LevelSums {
    pub(in crate::overlay) fn new(n: usize) -> LevelSums {
        LevelSums {
            cells: vec![CellSums::default(); n],
            edges: Pairs::new(n),
            journeys: 0,
        }
    }

    pub(super) fn merge(&mut self, other: &LevelSums) {
        for (a, b) in self.cells.iter_mut().zip(&other.cells) {
            a.merge(b);
        }
        self.edges.merge(&other.edges, EdgeSums::merge);
        self.journeys += other.journeys;
    }

    pub(super) fn heap_bytes(&self) -> usize {
        let cells: usize = self
            .cells
            .iter()
            .map(|c| size_of::<CellSums>() + c.dwell.heap_bytes())
            .sum();
        let edges: usize = self.edges.sums.iter().map(|e| e.between.heap_bytes()).sum();
        cells + edges + self.edges.heap_bytes()
    }
}
