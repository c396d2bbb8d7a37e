//! What a scan learns: integers that add up, whatever the order.

use super::pairs::Pairs;
use desireline_stats::{Clusters, Distribution, Sides};

/// Numerators of a rate over customers whose bases are counted elsewhere.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Top {
    pub(super) k: u64,
    kk: u128,
    kn: u128,
}

impl Top {
    #[inline]
    pub(super) fn add(&mut self, k: u64, n: u64) {
        if k > 0 {
            let (k2, n2) = (u128::from(k), u128::from(n));
            self.k += k;
            self.kk += k2 * k2;
            self.kn += k2 * n2;
        }
    }

    fn merge(&mut self, other: &Top) {
        self.k += other.k;
        self.kk += other.kk;
        self.kn += other.kn;
    }
}

/// Bases of rates over customers.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Base {
    pub(super) m: u64,
    pub(super) n: u64,
    nn: u128,
}

impl Base {
    #[inline]
    pub(super) fn add(&mut self, n: u64) {
        if n > 0 {
            self.m += 1;
            self.n += n;
            self.nn += u128::from(n) * u128::from(n);
        }
    }

    pub(super) fn merge(&mut self, other: &Base) {
        self.m += other.m;
        self.n += other.n;
        self.nn += other.nn;
    }

    /// The rate of these successes.
    pub(super) fn with(&self, top: &Top) -> Clusters {
        Clusters {
            m: self.m,
            k: top.k,
            n: self.n,
            kk: top.kk,
            kn: top.kn,
            nn: self.nn,
        }
    }
}

/// Lengths of time, and how alike those of one customer are.
#[derive(Clone, Debug, Default)]
pub(super) struct Times {
    pub(super) seen: Distribution,
    /// Cut off by the end of the journey.
    pub(super) cut: Distribution,
    pub(super) unknown: u64,
    /// Over all lengths seen: how many, sum and sum of squares of their logarithms.
    pub(super) n: u64,
    pub(super) sum: u128,
    pub(super) squares: u128,
    /// Over customers, with `s` the sum of logarithms of their lengths and `n` how many: Σ s², Σ s n, Σ n².
    pub(super) ss: u128,
    pub(super) sn: u128,
    pub(super) nn: u128,
}

/// Sixteenths of the binary logarithm of one more than a length: enough to tell whether a customer's lengths are alike.
#[inline]
pub(super) fn log16(length: i64) -> u64 {
    let x = length.max(0).unsigned_abs().saturating_add(1);
    let octave = u64::from(x.ilog2());
    let part = if octave >= 4 {
        (x >> (octave - 4)) & 15
    } else {
        (x << (4 - octave)) & 15
    };
    octave * 16 + part
}

/// A customer's lengths of time at one place, while the customer is looked at.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Logs {
    n: u32,
    sum: u64,
}

impl Times {
    #[inline]
    pub(super) fn see(&mut self, logs: &mut Logs, length: i64) {
        // Times within a journey ascend.
        let length = length.max(0);
        self.seen.push(length);
        let log = log16(length);
        logs.n += 1;
        logs.sum += log;
        self.squares += u128::from(log * log);
    }

    pub(super) fn cut(&mut self, length: i64) {
        if length > 0 {
            self.cut.push(length);
        } else {
            self.unknown += 1;
        }
    }

    #[inline]
    pub(super) fn flush(&mut self, logs: &mut Logs) {
        if logs.n > 0 {
            let (s, n) = (u128::from(logs.sum), u128::from(logs.n));
            self.n += u64::from(logs.n);
            self.sum += s;
            self.ss += s * s;
            self.sn += s * n;
            self.nn += n * n;
            *logs = Logs::default();
        }
    }

    fn merge(&mut self, other: &Times) {
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

    pub(super) fn heap_bytes(&self) -> usize {
        self.seen.heap_bytes() + self.cut.heap_bytes()
    }
}

/// All that is known of one stage, step, touchpoint or channel.
#[derive(Clone, Debug, Default)]
pub(super) struct CellSums {
    pub(super) events: u64,
    pub(super) visits: u64,
    pub(super) customers: u64,
    /// Journeys with a visit; the base are the customer's journeys.
    pub(super) reach: Top,
    pub(super) entries: Top,
    pub(super) exits: u64,
    pub(super) exits_reached: u64,
    pub(super) exits_open: u64,
    pub(super) at_risk: u64,
    /// Journeys with a visit and a known outcome.
    pub(super) known: Base,
    pub(super) dropped: Top,
    pub(super) goal: Top,
    pub(super) after: Top,
    /// Customers all of whose journeys of known outcome have a visit.
    pub(super) throughout: u64,
    /// Products of the customer's `(goal, known)` here with those of all their journeys: k·K, k·N, n·K, n·N.
    pub(super) cross: [u128; 4],
    pub(super) departures: Base,
    /// Departures to somewhere whose place in the order is known.
    pub(super) directed: Base,
    pub(super) forward: Top,
    pub(super) skipping: Top,
    pub(super) backward: Top,
    pub(super) dwell: Times,
}

impl CellSums {
    /// Whether no journey with a visit has a known outcome.
    pub(super) fn goal_is_empty(&self) -> bool {
        self.known.n == 0
    }

    /// Goals of journeys with a visit, against those of all other journeys; `known` and `goal` are those of all.
    pub(super) fn lift(&self, known: &Base, goal: &Top) -> Sides {
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

    fn merge(&mut self, other: &CellSums) {
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
pub(super) struct EdgeSums {
    pub(super) count: u64,
    pub(super) customers: u64,
    /// Journeys; the base are the customer's journeys.
    pub(super) reach: Top,
    /// How often; the base are the customer's departures from where it begins.
    pub(super) share: Top,
    pub(super) after: Clusters,
    pub(super) between: Times,
}

impl EdgeSums {
    fn merge(&mut self, other: &EdgeSums) {
        self.count += other.count;
        self.customers += other.customers;
        self.reach.merge(&other.reach);
        self.share.merge(&other.share);
        self.after.merge(&other.after);
        self.between.merge(&other.between);
    }
}

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
    fn merge(&mut self, other: &HandSums) {
        self.count += other.count;
        self.journeys += other.journeys;
        self.customers += other.customers;
        self.sides.merge(&other.sides);
    }
}

/// What is known of the cells of one kind.
#[derive(Clone, Debug)]
pub(super) struct LevelSums {
    pub(super) cells: Vec<CellSums>,
    pub(super) edges: Pairs<EdgeSums>,
    /// Journeys with an event of this kind.
    pub(super) journeys: u64,
}

impl LevelSums {
    pub(super) fn new(n: usize) -> LevelSums {
        LevelSums {
            cells: vec![CellSums::default(); n],
            edges: Pairs::new(n),
            journeys: 0,
        }
    }

    fn merge(&mut self, other: &LevelSums) {
        for (a, b) in self.cells.iter_mut().zip(&other.cells) {
            a.merge(b);
        }
        self.edges.merge(&other.edges, EdgeSums::merge);
        self.journeys += other.journeys;
    }

    fn heap_bytes(&self) -> usize {
        let cells: usize = self
            .cells
            .iter()
            .map(|c| size_of::<CellSums>() + c.dwell.heap_bytes())
            .sum();
        let edges: usize = self.edges.sums.iter().map(|e| e.between.heap_bytes()).sum();
        cells + edges + self.edges.heap_bytes()
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
