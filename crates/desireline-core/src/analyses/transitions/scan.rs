//! The scan of one customer: what happens, how often, and in how many of the journeys.
//!
//! Two counters share a word, so that an event costs two words of its touchpoint and two of its transition.

use super::state::Places;
use crate::journey::Span;

const HIGH: u64 = 1 << 32;

#[inline]
fn low(word: u64) -> u32 {
    word as u32
}

#[inline]
fn high(word: u64) -> u32 {
    (word >> 32) as u32
}

/// A pair within the current customer; between customers all 0 but the journey.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PairNow {
    /// How often; in how many journeys.
    counts: u64,
    /// The journey in which it occurred last; how often it undid the transition before it.
    last: u64,
}

impl PairNow {
    #[inline]
    fn step(&mut self, journey: u32, back: bool) -> bool {
        let is_first = self.counts == 0;
        let is_new = low(self.last) != journey;
        self.counts += 1 + (u64::from(is_new) << 32);
        self.last = (self.last & !(HIGH - 1) | u64::from(journey)) + (u64::from(back) << 32);
        is_first
    }

    pub(super) fn count(&self) -> u32 {
        low(self.counts)
    }

    pub(super) fn journeys(&self) -> u32 {
        high(self.counts)
    }

    pub(super) fn backs(&self) -> u32 {
        high(self.last)
    }

    pub(super) fn forget(&mut self) {
        self.counts = 0;
        self.last &= HIGH - 1;
    }
}

/// A touchpoint within the current customer; between customers all 0 but the journey.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct NodeNow {
    /// Events; journeys that visit it.
    counts: u64,
    /// Twice the journeys that visit it again, and one while the last one has visited it once; that journey.
    last: u64,
    pub(super) starts: u32,
    pub(super) ends: u32,
}

impl NodeNow {
    #[inline]
    fn visit(&mut self, journey: u32) -> bool {
        let is_first = self.counts == 0;
        let is_new = high(self.last) != journey;
        let state = low(self.last);
        // At the second visit the one carries over.
        let state = if is_new {
            state | 1
        } else {
            state + (state & 1)
        };
        self.counts += 1 + (u64::from(is_new) << 32);
        self.last = u64::from(journey) << 32 | u64::from(state);
        is_first
    }

    pub(super) fn events(&self) -> u32 {
        low(self.counts)
    }

    pub(super) fn journeys(&self) -> u32 {
        high(self.counts)
    }

    pub(super) fn reworked(&self) -> u32 {
        low(self.last) / 2
    }

    /// Transitions out of it.
    pub(super) fn out(&self) -> u32 {
        self.events() - self.ends
    }

    pub(super) fn forget(&mut self) {
        *self = NodeNow {
            last: self.last & !(HIGH - 1),
            ..NodeNow::default()
        };
    }
}

/// What is counted of the current customer.
#[derive(Clone, Debug, Default)]
pub(super) struct Now {
    /// By slot: a pair's place and one. Slot 0 takes what no place is known for.
    pub(super) pairs: Vec<PairNow>,
    pub(super) nodes: Vec<NodeNow>,
    /// The slot of each transition in turn and the event it leads from, if times are asked for: one list for all journeys, since
    /// where a journey ends cannot be foreseen.
    pub(super) steps: Vec<(u32, u32)>,
    /// The pairs and touchpoints that occur come first.
    pub(super) touched_pairs: Vec<u32>,
    pub(super) touched_nodes: Vec<u32>,
    pub(super) n_pairs: usize,
    pub(super) n_nodes: usize,
    /// A number for the current journey, from 1.
    journey: u32,
}

impl Now {
    /// Makes room for codes below `n`.
    pub(super) fn reserve(&mut self, n: usize) {
        if self.nodes.len() < n {
            self.nodes.resize(n, NodeNow::default());
        }
    }

    /// Makes room for a customer with so many events and journeys, and for all pairs that have a place.
    pub(super) fn begin(&mut self, events: usize, journeys: usize, pairs: usize) {
        if self.pairs.len() <= pairs {
            self.pairs.resize(pairs + 1, PairNow::default());
        }
        // One more: what occurs is written before it is known to be new.
        if self.touched_nodes.len() <= events {
            self.touched_pairs.resize(events + 1, 0);
            self.touched_nodes.resize(events + 1, 0);
        }
        let journeys = u32::try_from(journeys).unwrap_or(u32::MAX);
        if self.journey.checked_add(journeys).is_none() {
            // The numbers begin again, so nothing old may bear one.
            self.pairs.fill(PairNow::default());
            self.nodes.fill(NodeNow::default());
            self.journey = 0;
        }
    }

    /// Counts the touchpoints and transitions of the journeys; `false` if some transition has no place. Without a
    /// branch on what a customer did: that is anybody's guess.
    pub(super) fn scan<C: Copy + Into<u32>, const TIMES: bool>(
        &mut self,
        places: &Places,
        codes: &[C],
        spans: &[Span],
    ) -> bool {
        self.steps.clear();
        let (nodes, pairs) = (&mut self.nodes[..], &mut self.pairs[..]);
        let (new_nodes, new_pairs) = (&mut self.touched_nodes[..], &mut self.touched_pairs[..]);
        let (mut n_nodes, mut n_pairs) = (0, 0);
        let mut journey = self.journey;
        for span in spans {
            journey += 1;
            let mut events =
                (span.start..).zip(codes[span.range()].iter().map(|&code| code.into()));
            let Some((_, first)) = events.next() else {
                continue;
            };
            let node = &mut nodes[first as usize];
            node.starts += 1;
            new_nodes[n_nodes] = first;
            n_nodes += usize::from(node.visit(journey));
            // A code that no name has stands for "none before".
            let (mut before, mut from) = (u32::MAX, first);
            for (at, to) in events {
                let node = &mut nodes[to as usize];
                new_nodes[n_nodes] = to;
                n_nodes += usize::from(node.visit(journey));
                let slot = places.slot(from, to);
                let pair = &mut pairs[slot as usize];
                new_pairs[n_pairs] = slot;
                n_pairs += usize::from(pair.step(journey, before == to && from != to));
                if TIMES {
                    self.steps.push((slot, at - 1));
                }
                (before, from) = (from, to);
            }
            nodes[from as usize].ends += 1;
        }
        self.journey = journey;
        (self.n_nodes, self.n_pairs) = (n_nodes, n_pairs);
        self.pairs[0].counts == 0
    }

    /// Forgets what was counted of the current customer.
    pub(super) fn forget(&mut self) {
        for &slot in &self.touched_pairs[..self.n_pairs] {
            self.pairs[slot as usize].forget();
        }
        for &code in &self.touched_nodes[..self.n_nodes] {
            self.nodes[code as usize].forget();
        }
        (self.n_pairs, self.n_nodes) = (0, 0);
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.pairs.capacity() * size_of::<PairNow>()
            + self.nodes.capacity() * size_of::<NodeNow>()
            + 2 * (self.touched_nodes.capacity() + self.steps.capacity()) * size_of::<u32>()
    }
}
