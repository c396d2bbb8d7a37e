//! What `transitions` knows so far: sums for each pair that occurs and for each touchpoint.

use desireline_stats::{Clusters, Distribution};
use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::scan::Now;
use crate::analyses::parts::{agree, is_base, is_rate, sum};
use crate::engine::{MOST, Partial};
use crate::journey::Span;

/// Pairs of names up to this rank are found through a table; rarer ones through a map.
const DENSE: usize = 512;

/// The place of each pair that occurs.
#[derive(Clone, Debug, Default)]
pub(super) struct Places {
    /// `table[from * side + to]` is a pair's place and one; 0 where it has none.
    table: Vec<u32>,
    /// The table covers codes below it: 0 or a power of two.
    side: u32,
    /// The same of all other pairs.
    rare: HashMap<(u32, u32), u32, FxBuildHasher>,
}

impl Places {
    /// A pair's place and one; 0 where it has none.
    #[inline]
    pub(super) fn slot(&self, from: u32, to: u32) -> u32 {
        if (from | to) < self.side {
            let slot = self.table.get((from * self.side + to) as usize);
            slot.copied().unwrap_or(0)
        } else {
            self.rare.get(&(from, to)).copied().unwrap_or(0)
        }
    }

    #[cold]
    fn insert(&mut self, from: u32, to: u32, place: usize) {
        // More pairs than u32 holds would need more events than a log can have.
        let place = u32::try_from(place).unwrap_or(u32::MAX - 1);
        let most = from.max(to) as usize;
        if most < DENSE {
            self.reach(most);
            let at = (from * self.side + to) as usize;
            self.table[at] = place + 1;
        } else {
            self.rare.insert((from, to), place + 1);
        }
    }

    /// Widens the table to cover `code`: groups of a breakdown with few names stay small.
    fn reach(&mut self, code: usize) {
        if code < self.side as usize {
            return;
        }
        let side = (code + 1).next_power_of_two().max(16);
        let mut table = vec![0; side * side];
        let old = self.side.max(1) as usize;
        for (from, row) in self.table.chunks_exact(old).enumerate() {
            table[from * side..][..old].copy_from_slice(row);
        }
        (self.table, self.side) = (table, side as u32);
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
    /// How often it undid the transition before it: A, B and now A again.
    pub(super) backs: u64,
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
        self.backs += other.backs;
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

/// Sums for all pairs and touchpoints.
#[derive(Clone, Debug, Default)]
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
    /// What was read from bytes and not yet looked at; nothing else is there then.
    unchecked: Option<Box<Stored<Pair, Node>>>,
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

    /// How often the pair's way was taken straight back: A, B, A.
    pub(super) fn returns(&self, from: u32, to: u32) -> u64 {
        let back = (self.places.slot(to, from) as usize).checked_sub(1);
        back.and_then(|b| self.pairs.get(b)).map_or(0, |p| p.backs)
    }

    /// More often a pair cannot have undone the one before it: as often as that one occurs, and a repeat undoes nothing.
    fn most_backs(&self, from: u32, to: u32) -> u64 {
        if from == to {
            return 0;
        }
        let before = (self.places.slot(to, from) as usize).checked_sub(1);
        before
            .and_then(|b| self.pairs.get(b))
            .map_or(0, |p| p.count)
    }

    pub(super) fn node(&self, code: u32) -> Option<&Node> {
        self.nodes.get(code as usize)
    }

    /// Makes room for codes below `n`.
    pub(super) fn reserve(&mut self, n: usize) {
        if self.nodes.len() < n {
            self.nodes.resize_with(n, Node::default);
        }
        self.now.reserve(n);
    }

    #[inline]
    fn place(&mut self, from: u32, to: u32) -> usize {
        match self.places.slot(from, to) {
            0 => self.insert(from, to),
            slot => slot as usize - 1,
        }
    }

    #[cold]
    fn insert(&mut self, from: u32, to: u32) -> usize {
        let place = self.pairs.len();
        self.places.insert(from, to, place);
        self.names.push((from, to));
        self.pairs.push(Pair::default());
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
        let mut now = std::mem::take(&mut self.now);
        now.begin(events, spans.len(), self.pairs.len());
        if !now.scan::<C, TIMES>(&self.places, codes, spans) {
            // Some transition is the first of its kind, which is rare: make it known and count again.
            now.forget();
            for span in spans {
                for pair in codes[span.range()].windows(2) {
                    self.place(pair[0].into(), pair[1].into());
                }
            }
            now.begin(events, spans.len(), self.pairs.len());
            now.scan::<C, TIMES>(&self.places, codes, spans);
        }
        if TIMES {
            for &(slot, from) in &now.steps {
                self.pairs[slot as usize - 1]
                    .times
                    .push(between(from as usize));
            }
        }
        self.end_customer(&mut now, events as u64, spans.len() as u64);
        self.now = now;
    }

    /// Adds the current customer to the sums.
    fn end_customer(&mut self, now: &mut Now, events: u64, journeys: u64) {
        let transitions = events - journeys;
        self.all.add(0, transitions);
        // No sum of products passes that of the squares of all transitions.
        let can_add = u64::try_from(self.all.nn).is_ok();
        let touched = &now.touched_pairs[..now.n_pairs];
        for &slot in touched {
            let place = slot as usize - 1;
            let (pair, new) = (&mut self.pairs[place], &mut now.pairs[slot as usize]);
            let out = now.nodes[self.names[place].0 as usize].out();
            let k = u64::from(new.count());
            pair.count += k;
            pair.journeys += u64::from(new.journeys());
            pair.customers += 1;
            pair.backs += u64::from(new.backs());
            let more = [k * k, k * u64::from(out), k * transitions];
            if can_add {
                pair.kk += more[0];
                pair.ko += more[1];
                pair.kt += more[2];
            } else {
                pair.kk = pair.kk.saturating_add(more[0]);
                pair.ko = pair.ko.saturating_add(more[1]);
                pair.kt = pair.kt.saturating_add(more[2]);
            }
            new.forget();
        }
        for &code in &now.touched_nodes[..now.n_nodes] {
            let (node, new) = (
                &mut self.nodes[code as usize],
                &mut now.nodes[code as usize],
            );
            node.events += u64::from(new.events());
            node.starts += u64::from(new.starts);
            node.ends += u64::from(new.ends);
            node.rework
                .add(new.reworked().into(), new.journeys().into());
            node.out.add(0, new.out().into());
            new.forget();
        }
        self.events += events;
        self.journeys += journeys;
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
            + self.pairs.capacity() * (size_of::<Pair>() + size_of::<(u32, u32)>())
            + self.nodes.capacity() * size_of::<Node>()
            + self.now.heap_bytes()
    }
}

/// The stored form: pairs and touchpoints that occur, ascending.
#[derive(Clone, Debug, Serialize, Deserialize)]
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

impl<'de> Deserialize<'de> for TransitionsPartial {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Kept as it stands until the plan has said how many names there are: what is needed for a code that bytes
        // claim could take all memory.
        Ok(TransitionsPartial {
            unchecked: Some(Box::new(Stored::deserialize(deserializer)?)),
            ..TransitionsPartial::default()
        })
    }
}

impl TransitionsPartial {
    /// Takes in what was read from bytes, if it can be a partial over `n_names` names.
    pub(super) fn complete(&mut self, n_names: usize, has_times: bool) -> Result<(), String> {
        let Some(stored) = self.unchecked.take() else {
            return Ok(());
        };
        self.all = stored.all;
        self.events = stored.events;
        self.journeys = stored.journeys;
        self.customers = stored.customers;
        for (code, node) in stored.nodes {
            let (is_known, is_there) = ((code as usize) < n_names, node.events > 0);
            agree(is_known && is_there, "touchpoints")?;
            self.reserve(code as usize + 1);
            let slot = &mut self.nodes[code as usize];
            agree(slot.events == 0, "touchpoints")?;
            *slot = node;
        }
        for (from, to, pair) in stored.pairs {
            let is_there = |code: u32| self.node(code).is_some_and(|n| n.events > 0);
            agree(is_there(from) && is_there(to), "transitions")?;
            let place = self.place(from, to);
            agree(self.pairs[place].count == 0, "transitions")?;
            self.pairs[place] = pair;
        }
        self.agrees(has_times)
    }

    fn agrees(&self, has_times: bool) -> Result<(), String> {
        let nodes = || self.nodes().map(|(_, node)| node);
        agree(
            is_base(&self.all)
                && self.events <= MOST
                && self.customers <= self.journeys
                && self.events.checked_sub(self.journeys) == Some(self.all.n)
                && self.all.m <= self.customers,
            "journeys",
        )?;
        agree(
            sum(nodes().map(|n| n.events)) == Some(self.events)
                && sum(nodes().map(|n| n.starts)) == Some(self.journeys)
                && sum(nodes().map(|n| n.ends)) == Some(self.journeys),
            "touchpoints",
        )?;
        for node in nodes() {
            agree(
                is_rate(&node.rework)
                    && is_base(&node.out)
                    && (1..=node.events).contains(&node.rework.n)
                    && node.events.checked_sub(node.ends) == Some(node.out.n)
                    && node.starts <= node.events,
                "touchpoints",
            )?;
        }
        let (mut out, mut into) = (vec![0_u64; self.nodes.len()], vec![0_u64; self.nodes.len()]);
        for ((from, to), pair) in self.pairs() {
            let backs = pair.count.min(self.most_backs(from, to));
            let (from, to) = (from as usize, to as usize);
            out[from] = out[from].saturating_add(pair.count);
            into[to] = into[to].saturating_add(pair.count);
            agree(
                (1..=pair.count).contains(&pair.journeys)
                    && (1..=pair.journeys).contains(&pair.customers)
                    && pair.backs <= backs
                    && is_rate(&pair.probability(&self.nodes[from].out))
                    && is_rate(&pair.share(&self.all))
                    && pair.times.n() == if has_times { pair.count } else { 0 },
                "transitions",
            )?;
        }
        let ways = out.iter().zip(&into).zip(&self.nodes);
        agree(
            ways.into_iter().all(|((out, into), node)| {
                *out == node.out.n && Some(*into) == node.events.checked_sub(node.starts)
            }),
            "transitions",
        )
    }
}
