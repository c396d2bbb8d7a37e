//! One bit per event, journey or customer.

use serde::{Deserialize, Serialize};

/// A fixed-length row of bits in 64-bit words; bits past the length are zero.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bitmap {
    words: Vec<u64>,
    len: usize,
}

impl Bitmap {
    /// `len` bits, all unset.
    pub fn zeros(len: usize) -> Bitmap {
        Bitmap {
            words: vec![0; len.div_ceil(64)],
            len,
        }
    }

    /// `len` bits, all set.
    pub fn ones(len: usize) -> Bitmap {
        let mut map = Bitmap::zeros(len);
        map.fill(true);
        map
    }

    /// Makes this bitmap `len` unset bits, keeping its memory.
    pub fn reset(&mut self, len: usize) {
        self.words.clear();
        self.words.resize(len.div_ceil(64), 0);
        self.len = len;
    }

    /// Sets every bit to `value`.
    pub fn fill(&mut self, value: bool) {
        self.words.fill(if value { u64::MAX } else { 0 });
        self.trim();
    }

    fn trim(&mut self) {
        let tail = self.len % 64;
        if tail != 0
            && let Some(last) = self.words.last_mut()
        {
            *last &= (1 << tail) - 1;
        }
    }

    /// The number of bits.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no bits at all.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bit `i`; `false` past the end.
    #[inline]
    pub fn get(&self, i: usize) -> bool {
        self.words
            .get(i / 64)
            .is_some_and(|w| w >> (i % 64) & 1 == 1)
    }

    /// Sets bit `i`; ignored past the end.
    #[inline]
    pub fn set(&mut self, i: usize) {
        if i < self.len {
            self.words[i / 64] |= 1 << (i % 64);
        }
    }

    /// Sets all bits in `range`; those past the end are ignored.
    pub fn set_range(&mut self, range: std::ops::Range<usize>) {
        let end = range.end.min(self.len);
        let mut from = range.start;
        while from < end {
            let stop = end.min((from / 64 + 1) * 64);
            let bits = u64::MAX >> (64 - (stop - from));
            self.words[from / 64] |= bits << (from % 64);
            from = stop;
        }
    }

    /// Clears bit `i`; ignored past the end.
    #[inline]
    pub fn unset(&mut self, i: usize) {
        if i < self.len {
            self.words[i / 64] &= !(1 << (i % 64));
        }
    }

    /// Appends a bit.
    pub fn push(&mut self, value: bool) {
        if self.len.is_multiple_of(64) {
            self.words.push(0);
        }
        self.len += 1;
        if value {
            self.set(self.len - 1);
        }
    }

    /// How many bits are set.
    pub fn count(&self) -> usize {
        self.words.iter().map(|w| w.count_ones() as usize).sum()
    }

    /// Clears the set bits for which `keep` is false.
    pub(crate) fn retain(&mut self, keep: impl Fn(usize) -> bool) {
        for (i, word) in self.words.iter_mut().enumerate() {
            let mut bits = *word;
            while bits != 0 {
                let bit = bits.trailing_zeros();
                if !keep(i * 64 + bit as usize) {
                    *word &= !(1 << bit);
                }
                bits &= bits - 1;
            }
        }
    }

    /// Keeps the bits set in both.
    pub fn and(&mut self, other: &Bitmap) {
        for (a, b) in self.words.iter_mut().zip(&other.words) {
            *a &= b;
        }
    }

    /// Keeps the bits set in either.
    pub fn or(&mut self, other: &Bitmap) {
        for (a, b) in self.words.iter_mut().zip(&other.words) {
            *a |= b;
        }
    }

    /// Turns every bit round.
    pub fn not(&mut self) {
        for w in &mut self.words {
            *w = !*w;
        }
        self.trim();
    }

    /// The positions of the set bits, ascending.
    pub fn iter_ones(&self) -> impl Iterator<Item = usize> + '_ {
        self.ones_from(0)
    }

    /// The positions of the set bits from `start` on, ascending.
    pub fn ones_from(&self, start: usize) -> impl Iterator<Item = usize> + '_ {
        let first = start / 64;
        self.words
            .iter()
            .enumerate()
            .skip(first)
            .flat_map(move |(i, &word)| {
                let mut bits = if i == first {
                    word & (u64::MAX << (start % 64))
                } else {
                    word
                };
                std::iter::from_fn(move || {
                    (bits != 0).then(|| {
                        let bit = bits.trailing_zeros() as usize;
                        bits &= bits - 1;
                        i * 64 + bit
                    })
                })
            })
    }

    /// The positions of the set bits in `range`, ascending; those past the end are unset.
    #[inline]
    pub fn ones_in(&self, range: std::ops::Range<usize>) -> Ones<'_> {
        let end = range.end.min(self.len);
        if range.start >= end {
            return Ones {
                words: &[],
                bits: 0,
                base: 0,
                last: 0,
            };
        }
        let words = &self.words[range.start / 64..end.div_ceil(64)];
        let last = u64::MAX >> ((64 - end % 64) % 64);
        let mut bits = words[0] & (u64::MAX << (range.start % 64));
        if words.len() == 1 {
            bits &= last;
        }
        Ones {
            words: &words[1..],
            bits,
            base: range.start / 64 * 64,
            last,
        }
    }

    /// Whether any bit in `range` is set.
    #[inline]
    pub fn any_in(&self, range: std::ops::Range<usize>) -> bool {
        self.ones_in(range).next().is_some()
    }

    /// The words, least significant bit first.
    pub fn words(&self) -> &[u64] {
        &self.words
    }

    /// The words for writing; bits past the length must stay zero.
    pub(crate) fn words_mut(&mut self) -> &mut [u64] {
        &mut self.words
    }

    /// The words alone.
    pub(crate) fn into_words(self) -> Vec<u64> {
        self.words
    }

    /// Bytes on the heap.
    pub fn heap_bytes(&self) -> usize {
        self.words.capacity() * 8
    }
}

/// The positions of set bits in a stretch, ascending. See [`Bitmap::ones_in`].
#[derive(Clone, Debug)]
pub struct Ones<'a> {
    /// The words after the one in `bits`.
    words: &'a [u64],
    bits: u64,
    /// The position of the lowest bit of `bits`.
    base: usize,
    /// The bits of the last word that are in the stretch.
    last: u64,
}

impl Iterator for Ones<'_> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        while self.bits == 0 {
            let (&word, rest) = self.words.split_first()?;
            self.bits = if rest.is_empty() {
                word & self.last
            } else {
                word
            };
            self.base += 64;
            self.words = rest;
        }
        let bit = self.bits.trailing_zeros() as usize;
        self.bits &= self.bits - 1;
        Some(self.base + bit)
    }
}

impl FromIterator<bool> for Bitmap {
    fn from_iter<I: IntoIterator<Item = bool>>(bits: I) -> Bitmap {
        let mut map = Bitmap::default();
        for bit in bits {
            map.push(bit);
        }
        map
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn agrees_with_a_vector_of_booleans(bits in prop::collection::vec(any::<bool>(), 0..300), start in 0usize..320, end in 0usize..320) {
            let map: Bitmap = bits.iter().copied().collect();
            prop_assert_eq!(map.len(), bits.len());
            prop_assert_eq!(map.count(), bits.iter().filter(|b| **b).count());
            let ones: Vec<usize> = (start..bits.len()).filter(|&i| bits[i]).collect();
            prop_assert_eq!(map.ones_from(start).collect::<Vec<_>>(), ones);
            let ones: Vec<usize> = (start..end.min(bits.len())).filter(|&i| bits[i]).collect();
            prop_assert_eq!(map.any_in(start..end), !ones.is_empty());
            prop_assert_eq!(map.ones_in(start..end).collect::<Vec<_>>(), ones);
            let mut kept = map.clone();
            kept.retain(|i| i % 3 == 0);
            prop_assert_eq!(kept.iter_ones().collect::<Vec<_>>(), map.iter_ones().filter(|i| i % 3 == 0).collect::<Vec<_>>());
            let mut filled = map.clone();
            filled.set_range(start..end);
            let all = (0..bits.len()).filter(|&i| bits[i] || (start..end).contains(&i));
            prop_assert_eq!(filled.iter_ones().collect::<Vec<_>>(), all.collect::<Vec<_>>());
            prop_assert_eq!(filled.len(), bits.len());
            let mut turned = map.clone();
            turned.not();
            prop_assert_eq!(turned.count() + map.count(), bits.len());
            turned.or(&map);
            prop_assert_eq!(turned, Bitmap::ones(bits.len()));
        }
    }
}
