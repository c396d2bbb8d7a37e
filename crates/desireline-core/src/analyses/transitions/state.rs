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

/// A pair within the current customer and journey; between customers all 0 but `journey`.
#[derive(Clone, Copy, Debug, Default)]
struct PairNow {
    count: u32,
    journeys: u32,
    /// The journey in which it occurred last.
    journey: u32,
}

/// A touchpoint within the current customer and journey; between customers all 0 but `journey` and `visits`.
#[derive(Clone, Copy, Debug, Default)]
struct NodeNow {
    events: u32,
    journeys: u32,
    reworked: u32,
    /// Events that end a journey.
    ends: u32,
    /// The journey that visited it last, and how often.
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

/// What is counted of the current customer.
#[derive(Debug, Default)]
struct Now {
    pairs: Vec<PairNow>,
    nodes: Vec<NodeNow>,
    /// The place of each transition in turn.
    steps: Vec<u32>,
    /// Room for the pairs and touchpoints that occur.
    touched_pairs: Vec<u32>,
    touched_nodes: Vec<u32>,
    /// A number for the current journey, from 1.
    journey: u32,
}

impl Now {
    /// Makes room for a customer with so many events.
    fn begin(&mut self, events: usize, journeys: usize) {
        if self.touched_nodes.len() < events {
            self.touched_pairs.resize(events, 0);
            self.touched_nodes.resize(events, 0);
        }
        self.steps.clear();
        let journeys = u32::try_from(journeys).unwrap_or(u32::MAX);
        if self.journey.checked_add(journeys).is_none() {
            // The numbers begin again, so nothing old may bear one.
            self.pairs.fill(PairNow::default());
            self.nodes.fill(NodeNow::default());
            self.journey = 0;
        }
    }

    /// Counts the events of the journeys; returns how many touchpoints occur.
    fn visit<C: Copy + Into<u32>>(&mut self, codes: &[C], spans: &[Span]) -> usize {
        let (nodes, touched) = (&mut self.nodes[..], &mut self.touched_nodes[..]);
        let (mut journey, mut n) = (self.journey, 0);
        for span in spans {
            journey += 1;
            for &code in &codes[span.range()] {
                let code: u32 = code.into();
                let node = &mut nodes[code as usize];
                // Without a branch: whether a customer was there before is anybody's guess.
                touched[n] = code;
                n += usize::from(node.events == 0);
                let again = node.journey == journey;
                let visits = if again { node.visits + 1 } else { 1 };
                node.events += 1;
                node.journeys += u32::from(!again);
                node.reworked += u32::from(visits == 2);
                node.journey = journey;
                node.visits = visits;
            }
        }
        n
    }

    /// Counts the transitions of the journeys; returns how many pairs occur.
    fn step(&mut self, spans: &[Span]) -> usize {
        let (pairs, touched) = (&mut self.pairs[..], &mut self.touched_pairs[..]);
        let (mut journey, mut n) = (self.journey, 0);
        let mut rest = &self.steps[..];
        for span in spans {
            journey += 1;
            let (places, later) = rest.split_at(span.len().saturating_sub(1).min(rest.len()));
            rest = later;
            for &place in places {
                let pair = &mut pairs[place as usize];
                touched[n] = place;
                n += usize::from(pair.count == 0);
                pair.count += 1;
                pair.journeys += u32::from(pair.journey != journey);
                pair.journey = journey;
            }
        }
        n
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
            self.find::<C, TIMES>(codes, span, &between);
        }
        let n_nodes = self.now.visit(codes, spans);
        let n_pairs = self.now.step(spans);
        self.now.journey += spans.len() as u32;
        for span in spans {
            let (first, last) = (codes[span.start as usize], codes[span.end as usize - 1]);
            self.nodes[first.into() as usize].starts += 1;
            self.nodes[last.into() as usize].ends += 1;
            self.now.nodes[last.into() as usize].ends += 1;
        }
        self.end_customer(events as u64, spans.len() as u64, n_nodes, n_pairs);
    }

    /// Finds the place of each transition of a journey, adds those that are new, and counts what needs no customer.
    fn find<C: Copy + Into<u32>, const TIMES: bool>(
        &mut self,
        codes: &[C],
        span: &Span,
        between: &impl Fn(usize) -> i64,
    ) {
        // A code that no name has stands for "none before".
        let (mut before, mut from, mut last_place) =
            (u32::MAX, codes[span.start as usize].into(), 0);
        for i in span.range().skip(1) {
            let to: u32 = codes[i].into();
            let place = self.place(from, to);
            self.now.steps.push(place as u32);
            if TIMES {
                self.pairs[place].times.push(between(i - 1));
            }
            if before == to && from != to {
                // A way straight back: the transition before this one was returned from.
                self.pairs[last_place].returns += 1;
            }
            (before, from, last_place) = (from, to, place);
        }
    }

    /// Adds the current customer to the sums.
    fn end_customer(&mut self, events: u64, journeys: u64, n_nodes: usize, n_pairs: usize) {
        let transitions = events - journeys;
        let Now {
            pairs,
            nodes,
            touched_pairs,
            touched_nodes,
            ..
        } = &mut self.now;
        for &place in &touched_pairs[..n_pairs] {
            let (pair, now) = (&mut self.pairs[place as usize], &mut pairs[place as usize]);
            let from = &nodes[self.names[place as usize].0 as usize];
            let (k, out) = (u64::from(now.count), u64::from(from.events - from.ends));
            pair.count += k;
            pair.journeys += u64::from(now.journeys);
            pair.customers += 1;
            pair.kk = pair.kk.saturating_add(k * k);
            pair.ko = pair.ko.saturating_add(k * out);
            pair.kt = pair.kt.saturating_add(k * transitions);
            (now.count, now.journeys) = (0, 0);
        }
        for &code in &touched_nodes[..n_nodes] {
            let (node, now) = (&mut self.nodes[code as usize], &mut nodes[code as usize]);
            node.events += u64::from(now.events);
            node.rework.add(now.reworked.into(), now.journeys.into());
            node.out.add(0, (now.events - now.ends).into());
            *now = NodeNow {
                journey: now.journey,
                visits: now.visits,
                ..NodeNow::default()
            };
        }
        self.events += events;
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
            + (2 * self.now.touched_nodes.capacity() + self.now.steps.capacity()) * size_of::<u32>()
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
