//! What `transitions` knows so far: sums for each pair that occurs and for each touchpoint.

use desireline_stats::{Clusters, Distribution};
use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::engine::Partial;
use crate::journey::Span;

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

/// Sums over the customers with whom a transition occurs. All that a customer adds to is in one cache line.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[repr(C, align(64))]
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

    /// Whether some customer made it more than once.
    pub(super) fn repeats(&self) -> bool {
        self.kk > self.count
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

/// A pair within the current customer and journey. What it says of another customer or journey than the current one is
/// old and counts as nothing, so that nothing needs to be cleared.
#[derive(Clone, Copy, Debug, Default)]
struct PairNow {
    customer: u32,
    journey: u32,
    count: u32,
    journeys: u32,
}

/// A touchpoint within the current customer and journey, in the same way.
#[derive(Clone, Copy, Debug, Default)]
struct NodeNow {
    customer: u32,
    journey: u32,
    events: u32,
    journeys: u32,
    reworked: u32,
    /// Events that end a journey.
    ends: u32,
    /// Events of this journey.
    visits: u32,
}

/// The number if it is still about the current customer or journey.
#[inline]
fn still(is_current: bool, number: u32) -> u32 {
    // Without a branch: whether a customer was there before is anybody's guess.
    if is_current { number } else { 0 }
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

/// What is counted of the current customer.
#[derive(Debug, Default)]
struct Now {
    pairs: Vec<PairNow>,
    nodes: Vec<NodeNow>,
    /// Pairs and touchpoints that occurred: the first `n_pairs` and `n_nodes` of these.
    touched_pairs: Vec<u32>,
    touched_nodes: Vec<u32>,
    n_pairs: usize,
    n_nodes: usize,
    /// Numbers for the current customer and journey, from 1.
    customer: u32,
    journey: u32,
}

impl Now {
    /// Begins a customer with so many events.
    fn begin(&mut self, events: usize, journeys: usize) {
        if self.touched_nodes.len() < events {
            self.touched_pairs.resize(events, 0);
            self.touched_nodes.resize(events, 0);
        }
        let journeys = u32::try_from(journeys).unwrap_or(u32::MAX);
        if self.customer == u32::MAX || self.journey.checked_add(journeys).is_none() {
            // The numbers begin again, so nothing old may bear one.
            self.pairs.fill(PairNow::default());
            self.nodes.fill(NodeNow::default());
            (self.customer, self.journey) = (0, 0);
        }
        self.customer += 1;
        (self.n_pairs, self.n_nodes) = (0, 0);
    }

    /// Counts an event.
    #[inline(always)]
    fn visit(&mut self, code: u32) {
        let node = &mut self.nodes[code as usize];
        let (known, again) = (node.customer == self.customer, node.journey == self.journey);
        let visits = still(again, node.visits) + 1;
        *node = NodeNow {
            customer: self.customer,
            journey: self.journey,
            events: still(known, node.events) + 1,
            journeys: still(known, node.journeys) + u32::from(!again),
            reworked: still(known, node.reworked) + u32::from(visits == 2),
            ends: still(known, node.ends),
            visits,
        };
        self.touched_nodes[self.n_nodes] = code;
        self.n_nodes += usize::from(!known);
    }

    /// Counts a transition.
    #[inline(always)]
    fn step(&mut self, place: usize) {
        let pair = &mut self.pairs[place];
        let (known, again) = (pair.customer == self.customer, pair.journey == self.journey);
        *pair = PairNow {
            customer: self.customer,
            journey: self.journey,
            count: still(known, pair.count) + 1,
            journeys: still(known, pair.journeys) + u32::from(!again),
        };
        self.touched_pairs[self.n_pairs] = place as u32;
        self.n_pairs += usize::from(!known);
    }
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

    /// Takes in a customer's journeys. The time of a transition is asked for if `TIMES`.
    pub(super) fn customer<C: Copy + Into<u32>, const TIMES: bool>(
        &mut self,
        codes: &[C],
        spans: &[Span],
        between: impl Fn(usize) -> i64,
    ) {
        let events: usize = spans.iter().map(Span::len).sum();
        self.now.begin(events, spans.len());
        for span in spans {
            let mut codes = codes[span.range()].iter().map(|&c| c.into());
            let Some(first) = codes.next() else { continue };
            self.now.journey += 1;
            self.now.visit(first);
            // A code that no name has stands for "none before".
            let (mut before, mut from, mut last_place) = (u32::MAX, first, 0);
            for (i, to) in (span.start as usize..).zip(codes) {
                self.now.visit(to);
                let place = self.place(from, to);
                self.now.step(place);
                if TIMES {
                    self.pairs[place].times.push(between(i));
                }
                if before == to && from != to {
                    // A way straight back: the transition before this one was returned from.
                    self.pairs[last_place].returns += 1;
                }
                (before, from, last_place) = (from, to, place);
            }
            self.nodes[first as usize].starts += 1;
            self.nodes[from as usize].ends += 1;
            self.now.nodes[from as usize].ends += 1;
        }
        self.end_customer((events - spans.len()) as u64, spans.len() as u64);
    }

    /// Adds the current customer to the sums.
    fn end_customer(&mut self, transitions: u64, journeys: u64) {
        let now = &self.now;
        for &place in &now.touched_pairs[..now.n_pairs] {
            let (pair, now_pair) = (&mut self.pairs[place as usize], &now.pairs[place as usize]);
            let from = &now.nodes[self.names[place as usize].0 as usize];
            let k = u64::from(now_pair.count);
            pair.count += k;
            pair.journeys += u64::from(now_pair.journeys);
            pair.customers += 1;
            pair.kk = pair.kk.saturating_add(k * k);
            pair.ko = pair
                .ko
                .saturating_add(k * u64::from(from.events - from.ends));
            pair.kt = pair.kt.saturating_add(k * transitions);
        }
        for &code in &now.touched_nodes[..now.n_nodes] {
            let (node, now_node) = (&mut self.nodes[code as usize], &now.nodes[code as usize]);
            node.events += u64::from(now_node.events);
            node.rework
                .add(now_node.reworked.into(), now_node.journeys.into());
            node.out.add(0, (now_node.events - now_node.ends).into());
        }
        self.events += transitions + journeys;
        self.journeys += journeys;
        self.all.add(0, transitions);
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
            + 2 * self.now.touched_nodes.capacity() * size_of::<u32>()
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
