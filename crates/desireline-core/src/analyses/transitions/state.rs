//! What `transitions` knows so far: sums for each pair that occurs and for each touchpoint.

use desireline_stats::{Clusters, Distribution};
use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::engine::Partial;

/// Pairs of names up to this rank are found through a table; rarer ones through a map.
const DENSE: usize = 512;

/// The place of each pair that occurs.
#[derive(Debug, Default)]
struct Places {
    /// `table[from << shift | to]` is a pair's place and one; 0 where it has none.
    table: Vec<u32>,
    /// The table covers codes below `1 << shift`.
    shift: u32,
    rare: HashMap<(u32, u32), u32, FxBuildHasher>,
}

impl Places {
    #[inline]
    fn get(&self, from: u32, to: u32) -> Option<usize> {
        if (from | to) >> self.shift == 0 {
            let place = *self.table.get((from << self.shift | to) as usize)?;
            (place > 0).then(|| place as usize - 1)
        } else {
            self.rare.get(&(from, to)).map(|&place| place as usize)
        }
    }

    #[cold]
    fn insert(&mut self, from: u32, to: u32, place: usize) {
        // More pairs than u32 holds would need more events than a log can have.
        let place = u32::try_from(place).unwrap_or(u32::MAX);
        let most = from.max(to) as usize;
        if most < DENSE {
            self.reach(most);
            let at = (from << self.shift | to) as usize;
            self.table[at] = place + 1;
        } else {
            self.rare.insert((from, to), place);
        }
    }

    /// Widens the table to cover `code`: groups of a breakdown with few names stay small.
    fn reach(&mut self, code: usize) {
        if !self.table.is_empty() && code >> self.shift == 0 {
            return;
        }
        let shift = (usize::BITS - code.leading_zeros()).max(4);
        let mut table = vec![0; 1 << (2 * shift)];
        for (at, &place) in self.table.iter().enumerate() {
            let (from, to) = (at >> self.shift, at & ((1 << self.shift) - 1));
            table[from << shift | to] = place;
        }
        (self.table, self.shift) = (table, shift);
    }

    fn heap_bytes(&self) -> usize {
        self.table.capacity() * size_of::<u32>() + self.rare.allocation_size()
    }
}

/// Sums over the customers with whom a transition occurs.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Pair {
    pub(super) count: u64,
    pub(super) journeys: u64,
    pub(super) customers: u64,
    pub(super) returns: u64,
    /// Σ k², Σ k o, Σ k t: k times this of a customer's o out of the touchpoint and t in all.
    kk: u64,
    ko: u64,
    kt: u64,
    pub(super) times: Distribution,
}

impl Pair {
    fn merge(&mut self, other: &Pair) {
        self.count += other.count;
        self.journeys += other.journeys;
        self.customers += other.customers;
        self.returns += other.returns;
        self.kk = self.kk.saturating_add(other.kk);
        self.ko = self.ko.saturating_add(other.ko);
        self.kt = self.kt.saturating_add(other.kt);
        self.times.merge(&other.times);
    }

    /// Its share of all transitions out of the touchpoint.
    pub(super) fn probability(&self, out: &Clusters) -> Clusters {
        Clusters {
            k: self.count,
            kk: self.kk.into(),
            kn: self.ko.into(),
            ..*out
        }
    }

    /// Its share of all transitions.
    pub(super) fn share(&self, all: &Clusters) -> Clusters {
        Clusters {
            k: self.count,
            kk: self.kk.into(),
            kn: self.kt.into(),
            ..*all
        }
    }
}

/// Sums for one touchpoint.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Node {
    pub(super) events: u64,
    pub(super) starts: u64,
    pub(super) ends: u64,
    /// Journeys with revisits among the journeys that visit it, by customer.
    pub(super) rework: Clusters,
    /// Customers with transitions out of it: their number and those transitions; `k` is not used.
    pub(super) out: Clusters,
}

impl Node {
    fn merge(&mut self, other: &Node) {
        self.events += other.events;
        self.starts += other.starts;
        self.ends += other.ends;
        self.rework.merge(&other.rework);
        self.out.merge(&other.out);
    }
}

/// A pair within the current customer and journey.
#[derive(Clone, Copy, Debug, Default)]
struct PairNow {
    count: u32,
    journeys: u32,
    /// The journey in which it occurred last.
    journey: u32,
}

/// A touchpoint within the current customer and journey.
#[derive(Clone, Copy, Debug, Default)]
struct NodeNow {
    events: u32,
    journeys: u32,
    reworked: u32,
    out: u32,
    journey: u32,
    visits: u32,
}

/// Sums for all pairs and touchpoints.
#[derive(Debug, Default)]
pub struct TransitionsPartial {
    places: Places,
    names: Vec<(u32, u32)>,
    pairs: Vec<Pair>,
    nodes: Vec<Node>,
    /// All transitions by customer; `k` is not used.
    pub(super) all: Clusters,
    pub(super) events: u64,
    pub(super) journeys: u64,
    pub(super) customers: u64,
    now: Now,
}

/// What is counted of the current customer. Between customers everything in it is 0 but `journey`.
#[derive(Debug, Default)]
struct Now {
    pairs: Vec<PairNow>,
    nodes: Vec<NodeNow>,
    /// Pairs and touchpoints that occurred.
    touched_pairs: Vec<u32>,
    touched_nodes: Vec<u32>,
    /// A number for the current journey, from 1.
    journey: u32,
}

impl TransitionsPartial {
    /// Each pair that occurs, in any order.
    pub(super) fn pairs(&self) -> impl Iterator<Item = ((u32, u32), &Pair)> + '_ {
        self.names.iter().copied().zip(&self.pairs)
    }

    /// Each touchpoint that occurs, by code.
    pub(super) fn nodes(&self) -> impl Iterator<Item = (u32, &Node)> + '_ {
        (0..).zip(&self.nodes).filter(|(_, n)| n.events > 0)
    }

    pub(super) fn node(&self, code: u32) -> Option<&Node> {
        self.nodes.get(code as usize)
    }

    /// Makes room for codes below `n`.
    pub(super) fn reserve(&mut self, n: usize) {
        if self.nodes.len() < n {
            self.nodes.resize_with(n, Node::default);
        }
        if self.now.nodes.len() < n {
            self.now.nodes.resize(n, NodeNow::default());
        }
    }

    #[inline]
    fn place(&mut self, from: u32, to: u32) -> usize {
        match self.places.get(from, to) {
            Some(place) => place,
            None => self.insert(from, to),
        }
    }

    #[cold]
    fn insert(&mut self, from: u32, to: u32) -> usize {
        let place = self.pairs.len();
        self.places.insert(from, to, place);
        self.names.push((from, to));
        self.pairs.push(Pair::default());
        self.now.pairs.push(PairNow::default());
        place
    }

    pub(super) fn begin_journey(&mut self) {
        self.now.journey = self.now.journey.wrapping_add(1);
        self.journeys += 1;
    }

    pub(super) fn ends(&mut self, first: u32, last: u32) {
        self.nodes[first as usize].starts += 1;
        self.nodes[last as usize].ends += 1;
    }

    /// Counts an event.
    #[inline]
    pub(super) fn visit(&mut self, code: u32) {
        let now = &mut self.now.nodes[code as usize];
        now.events += 1;
        if now.journey == self.now.journey {
            now.visits += 1;
            now.reworked += u32::from(now.visits == 2);
        } else {
            now.journey = self.now.journey;
            now.visits = 1;
            if now.journeys == 0 {
                self.now.touched_nodes.push(code);
            }
            now.journeys += 1;
        }
    }

    /// Counts a transition; returns its place.
    #[inline]
    pub(super) fn step(&mut self, from: u32, to: u32) -> usize {
        let place = self.place(from, to);
        let now = &mut self.now.pairs[place];
        if now.count == 0 {
            self.now.touched_pairs.push(place as u32);
        }
        now.count += 1;
        now.journeys += u32::from(now.journey != self.now.journey);
        now.journey = self.now.journey;
        place
    }

    #[inline]
    pub(super) fn time(&mut self, place: usize, between: i64) {
        self.pairs[place].times.push(between);
    }

    /// Counts a way straight back after the transition at `place`.
    #[inline]
    pub(super) fn back(&mut self, place: usize) {
        self.pairs[place].returns += 1;
    }

    /// Adds the current customer to the sums.
    pub(super) fn end_customer(&mut self) {
        let Now {
            pairs,
            nodes,
            touched_pairs,
            touched_nodes,
            ..
        } = &mut self.now;
        let mut all = 0;
        for &place in &*touched_pairs {
            let count = pairs[place as usize].count;
            nodes[self.names[place as usize].0 as usize].out += count;
            all += u64::from(count);
        }
        for place in touched_pairs.drain(..) {
            let now = &mut pairs[place as usize];
            let k = u64::from(now.count);
            let out = u64::from(nodes[self.names[place as usize].0 as usize].out);
            let pair = &mut self.pairs[place as usize];
            pair.count += k;
            pair.journeys += u64::from(now.journeys);
            pair.customers += 1;
            pair.kk = pair.kk.saturating_add(k * k);
            pair.ko = pair.ko.saturating_add(k * out);
            pair.kt = pair.kt.saturating_add(k * all);
            (now.count, now.journeys) = (0, 0);
        }
        for code in touched_nodes.drain(..) {
            let now = &mut nodes[code as usize];
            let node = &mut self.nodes[code as usize];
            node.events += u64::from(now.events);
            self.events += u64::from(now.events);
            node.rework.add(now.reworked.into(), now.journeys.into());
            node.out.add(0, now.out.into());
            *now = NodeNow {
                journey: now.journey,
                visits: now.visits,
                ..NodeNow::default()
            };
        }
        self.all.add(0, all);
        self.customers += 1;
    }
}

impl Partial for TransitionsPartial {
    fn merge(&mut self, other: &Self) {
        self.reserve(other.nodes.len());
        for ((from, to), theirs) in other.pairs() {
            let place = self.place(from, to);
            self.pairs[place].merge(theirs);
        }
        for (ours, theirs) in self.nodes.iter_mut().zip(&other.nodes) {
            ours.merge(theirs);
        }
        self.all.merge(&other.all);
        self.events += other.events;
        self.journeys += other.journeys;
        self.customers += other.customers;
    }

    fn heap_bytes(&self) -> usize {
        let times: usize = self.pairs.iter().map(|p| p.times.heap_bytes()).sum();
        self.places.heap_bytes()
            + times
            + self.pairs.capacity()
                * (size_of::<Pair>() + size_of::<(u32, u32)>() + size_of::<PairNow>())
            + self.nodes.capacity() * (size_of::<Node>() + size_of::<NodeNow>())
    }
}

/// The stored form: pairs and touchpoints that occur, ascending.
#[derive(Serialize, Deserialize)]
struct Stored<P, N> {
    pairs: Vec<(u32, u32, P)>,
    nodes: Vec<(u32, N)>,
    all: Clusters,
    events: u64,
    journeys: u64,
    customers: u64,
}

impl Serialize for TransitionsPartial {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut pairs: Vec<_> = self.pairs().map(|((from, to), p)| (from, to, p)).collect();
        pairs.sort_unstable_by_key(|&(from, to, _)| (from, to));
        Stored {
            pairs,
            nodes: self.nodes().collect(),
            all: self.all,
            events: self.events,
            journeys: self.journeys,
            customers: self.customers,
        }
        .serialize(serializer)
    }
}

/// No vocabulary is longer; guards against bytes that claim a code that would take all memory.
const MAX_CODE: u32 = 1 << 28;

impl<'de> Deserialize<'de> for TransitionsPartial {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let stored = Stored::<Pair, Node>::deserialize(deserializer)?;
        let mut partial = TransitionsPartial {
            all: stored.all,
            events: stored.events,
            journeys: stored.journeys,
            customers: stored.customers,
            ..TransitionsPartial::default()
        };
        for (code, node) in stored.nodes {
            if code >= MAX_CODE {
                return Err(serde::de::Error::custom("a touchpoint beyond the last"));
            }
            partial.reserve(code as usize + 1);
            partial.nodes[code as usize] = node;
        }
        for (from, to, pair) in stored.pairs {
            if from.max(to) as usize >= partial.nodes.len() {
                return Err(serde::de::Error::custom(
                    "a transition between no touchpoints",
                ));
            }
            let place = partial.place(from, to);
            partial.pairs[place] = pair;
        }
        Ok(partial)
    }
}
