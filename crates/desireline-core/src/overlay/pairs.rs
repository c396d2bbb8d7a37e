//! Sums by pairs of codes.

use rustc_hash::FxHashMap;

/// Sums by pairs of codes, in the order in which pairs are met.
#[derive(Clone, Debug)]
pub(super) struct Pairs<S> {
    n: usize,
    /// For few codes, the place of each pair; [`NOWHERE`] for those never met.
    dense: Vec<u32>,
    sparse: FxHashMap<(u32, u32), u32>,
    pub(super) keys: Vec<(u32, u32)>,
    pub(super) sums: Vec<S>,
}

const NOWHERE: u32 = u32::MAX;
/// Up to so many pairs have a place each.
const DENSE: usize = 1 << 16;

impl<S: Default> Pairs<S> {
    pub(super) fn new(n: usize) -> Pairs<S> {
        let dense = match n.checked_mul(n) {
            Some(all) if all <= DENSE => vec![NOWHERE; all],
            _ => Vec::new(),
        };
        Pairs {
            n,
            dense,
            sparse: FxHashMap::default(),
            keys: Vec::new(),
            sums: Vec::new(),
        }
    }

    /// The place of a pair.
    #[inline]
    pub(super) fn place(&mut self, from: u32, to: u32) -> usize {
        let at = from as usize * self.n + to as usize;
        match self.dense.get(at) {
            Some(&place) if place != NOWHERE => place as usize,
            _ => self.find(from, to),
        }
    }

    #[cold]
    fn find(&mut self, from: u32, to: u32) -> usize {
        let next = u32::try_from(self.keys.len()).unwrap_or(NOWHERE);
        let place = match self.dense.is_empty() {
            false => {
                if let Some(slot) = self.dense.get_mut(from as usize * self.n + to as usize) {
                    *slot = next;
                }
                next
            }
            true => *self.sparse.entry((from, to)).or_insert(next),
        };
        if place == next {
            self.keys.push((from, to));
            self.sums.push(S::default());
        }
        place as usize
    }

    /// The place of a pair, if it was met.
    pub(super) fn find_place(&self, from: u32, to: u32) -> Option<usize> {
        let place = match self.dense.is_empty() {
            false => *self.dense.get(from as usize * self.n + to as usize)?,
            true => *self.sparse.get(&(from, to))?,
        };
        (place != NOWHERE).then_some(place as usize)
    }

    /// The sums of a pair, if it was met.
    pub(super) fn get(&self, from: u32, to: u32) -> Option<&S> {
        self.sums.get(self.find_place(from, to)?)
    }

    pub(super) fn merge(&mut self, other: &Pairs<S>, add: fn(&mut S, &S)) {
        for (&(from, to), sums) in other.keys.iter().zip(&other.sums) {
            let place = self.place(from, to);
            add(&mut self.sums[place], sums);
        }
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.dense.capacity() * 4
            + self.sparse.capacity() * 16
            + self.keys.capacity() * 8
            + self.sums.capacity() * size_of::<S>()
    }
}
