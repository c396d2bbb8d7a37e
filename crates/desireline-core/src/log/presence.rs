//! Which values of a column are there.

use super::{Array, Bitmap};

/// One bit per value of a column of numbers, set where the value is there; bits past the length are zero.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Presence {
    words: Array<u64>,
    len: usize,
}

impl Presence {
    /// From 64-bit words, least significant bit first; `None` unless they are as many as `len` bits take and all bits
    /// past the length are zero.
    pub fn from_words(words: Array<u64>, len: usize) -> Option<Presence> {
        let tail = len % 64;
        let clean = tail == 0 || words.last().is_none_or(|w| w >> tail == 0);
        (words.len() == len.div_ceil(64) && clean).then_some(Presence { words, len })
    }

    /// The number of values, missing ones included.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no values at all.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether value `i` is there; `false` past the end.
    #[inline]
    pub fn get(&self, i: usize) -> bool {
        self.words
            .get(i / 64)
            .is_some_and(|w| w >> (i % 64) & 1 == 1)
    }

    /// How many values are there.
    pub fn count(&self) -> usize {
        self.words.iter().map(|w| w.count_ones() as usize).sum()
    }

    /// The words, least significant bit first.
    pub fn words(&self) -> &Array<u64> {
        &self.words
    }

    /// Bytes held.
    pub fn held_bytes(&self) -> usize {
        self.words.held_bytes()
    }
}

impl From<Bitmap> for Presence {
    fn from(bits: Bitmap) -> Presence {
        let len = bits.len();
        Presence {
            words: bits.into_words().into(),
            len,
        }
    }
}

impl FromIterator<bool> for Presence {
    fn from_iter<I: IntoIterator<Item = bool>>(bits: I) -> Presence {
        bits.into_iter().collect::<Bitmap>().into()
    }
}
