//! Sequences of touchpoints as keys, each held once, and a value for each.

use hashbrown::HashTable;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// How many bytes of a key stand for a code.
#[derive(Clone, Copy, Debug)]
pub(super) struct Width(usize);

impl Width {
    /// The least that tells so many names apart.
    pub(super) fn of(n_names: usize) -> Width {
        Width(match n_names {
            0..=0x100 => 1,
            0x101..=0x1_0000 => 2,
            _ => 4,
        })
    }

    /// How many bytes.
    pub(super) fn bytes(self) -> usize {
        self.0
    }

    /// Whether a column of one-byte codes is a key as it stands.
    #[inline]
    pub(super) fn is_byte(self) -> bool {
        self.0 == 1
    }

    /// How many codes below `n_names` a key from outside holds; `None` if it is no key.
    pub(super) fn checked_len(self, key: &[u8], n_names: usize) -> Option<usize> {
        let is_key =
            key.len().is_multiple_of(self.0) && self.decode(key).all(|c| (c as usize) < n_names);
        is_key.then_some(key.len() / self.0)
    }

    #[inline]
    pub(super) fn encode(self, code: u32, key: &mut Vec<u8>) {
        key.extend_from_slice(&code.to_le_bytes()[..self.0]);
    }

    pub(super) fn decode(
        self,
        key: &[u8],
    ) -> impl DoubleEndedIterator<Item = u32> + Clone + use<'_> {
        key.chunks_exact(self.0).map(|bytes| {
            bytes
                .iter()
                .rev()
                .fold(0, |code, &byte| code << 8 | u32::from(byte))
        })
    }
}

/// Distinct keys in one stretch of memory, each with a place, from 0, in order of arrival.
#[derive(Clone, Debug, Default)]
pub(super) struct Keys {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    /// Keys of up to eight bytes, which are most: no elements or a power of two of them, at most half of them taken,
    /// each as near after the one its hash names as there was room. A table of our own, so that it can be asked for ahead.
    short: Vec<Short>,
    n_short: usize,
    /// The others' hashes and places.
    long: HashTable<(u32, u32)>,
}

/// A key in one word. Its length tells keys apart that end in zeros.
#[derive(Clone, Copy, Debug, Default)]
struct Short {
    key: u64,
    len: u32,
    /// Its place and one; 0 where there is no key.
    slot: u32,
}

/// A key that will be looked up, in a word or with what it needs until then elsewhere.
#[derive(Clone, Copy, Debug)]
pub(super) enum Probe {
    Short { key: u64, len: u32 },
    Long { hash: u32, start: usize, end: usize },
}

/// The bytes of a key in one word, the first lowest; `None` if they are more than eight.
#[inline]
fn packed(key: &[u8]) -> Option<u64> {
    let part = |at: usize| {
        let bytes = key.get(at..at + 4).and_then(|b| b.try_into().ok());
        u64::from(u32::from_le_bytes(bytes.unwrap_or_default()))
    };
    match key.len() {
        0..4 => Some(key.iter().rev().fold(0, |k, &b| k << 8 | u64::from(b))),
        // Where both halves overlap they agree.
        len @ 4..=8 => Some(part(0) | part(len - 4) << (8 * (len - 4))),
        _ => None,
    }
}

#[inline]
fn spread_short(key: u64, len: u32) -> u64 {
    let wide = u128::from(key ^ u64::from(len) << 56) * u128::from(0x9e37_79b9_7f4a_7c15_u64);
    (wide >> 64) as u64 ^ wide as u64
}

fn hash(key: &[u8]) -> u32 {
    (xxhash_rust::xxh3::xxh3_64(key) >> 32) as u32
}

/// The table wants its bits spread over all 64.
fn spread(hash: u32) -> u64 {
    u64::from(hash).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

fn key_at<'a>(bytes: &'a [u8], ends: &[usize], place: usize) -> &'a [u8] {
    let start = place
        .checked_sub(1)
        .and_then(|p| ends.get(p))
        .copied()
        .unwrap_or(0);
    let end = ends.get(place).copied().unwrap_or(start);
    bytes.get(start..end).unwrap_or_default()
}

impl Keys {
    /// The place of `key`, added if it is new.
    #[inline]
    pub(super) fn place(&mut self, key: &[u8]) -> usize {
        match packed(key) {
            Some(word) => self.place_short(word, key.len() as u32),
            None => self.place_long(key, hash(key)),
        }
    }

    /// Asks for what [`place_of`](Keys::place_of) will read. Long keys are kept in `arena` until then.
    #[inline]
    pub(super) fn probe(&self, key: &[u8], arena: &mut Vec<u8>) -> Probe {
        let len = key.len() as u32;
        if let Some(key) = packed(key) {
            desireline_kernels::prefetch(&self.short, self.home(key, len));
            return Probe::Short { key, len };
        }
        let start = arena.len();
        arena.extend_from_slice(key);
        Probe::Long {
            hash: hash(key),
            start,
            end: arena.len(),
        }
    }

    /// The place of the key of a probe, added if it is new.
    #[inline]
    pub(super) fn place_of(&mut self, probe: &Probe, arena: &[u8]) -> usize {
        match *probe {
            Probe::Short { key, len } => self.place_short(key, len),
            Probe::Long { hash, start, end } => self.place_long(&arena[start..end], hash),
        }
    }

    /// The element that the hash of a short key names.
    #[inline]
    fn home(&self, key: u64, len: u32) -> usize {
        spread_short(key, len) as usize & self.short.len().wrapping_sub(1)
    }

    #[inline]
    fn place_short(&mut self, key: u64, len: u32) -> usize {
        let mut at = self.home(key, len);
        while let Some(short) = self.short.get(at) {
            if short.key == key && short.len == len && short.slot > 0 {
                return short.slot as usize - 1;
            }
            if short.slot == 0 {
                break;
            }
            at = (at + 1) & (self.short.len() - 1);
        }
        self.insert_short(key, len)
    }

    #[cold]
    fn insert_short(&mut self, key: u64, len: u32) -> usize {
        if self.n_short * 2 >= self.short.len() {
            let room = (self.short.len() * 2).max(16);
            let old = std::mem::replace(&mut self.short, vec![Short::default(); room]);
            for short in old.into_iter().filter(|s| s.slot > 0) {
                self.settle(short);
            }
        }
        let place = self.push(&key.to_le_bytes()[..len as usize]);
        self.n_short += 1;
        self.settle(Short {
            key,
            len,
            // A place beyond u32 needs more distinct keys than a log can have events.
            slot: u32::try_from(place + 1).unwrap_or(u32::MAX),
        });
        place
    }

    /// Puts a key that is not there into the table, which has room.
    fn settle(&mut self, short: Short) {
        let mut at = self.home(short.key, short.len);
        while self.short[at].slot > 0 {
            at = (at + 1) & (self.short.len() - 1);
        }
        self.short[at] = short;
    }

    fn place_long(&mut self, key: &[u8], hash: u32) -> usize {
        let Keys { bytes, ends, .. } = self;
        let found = self.long.find(spread(hash), |&(h, place)| {
            h == hash && key_at(bytes, ends, place as usize) == key
        });
        if let Some(&(_, place)) = found {
            return place as usize;
        }
        let place = self.push(key);
        let entry = (hash, u32::try_from(place).unwrap_or(u32::MAX));
        self.long
            .insert_unique(spread(hash), entry, |&(h, _)| spread(h));
        place
    }

    fn push(&mut self, key: &[u8]) -> usize {
        self.bytes.extend_from_slice(key);
        self.ends.push(self.bytes.len());
        self.ends.len() - 1
    }

    pub(super) fn get(&self, place: usize) -> &[u8] {
        key_at(&self.bytes, &self.ends, place)
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.bytes.capacity()
            + self.ends.capacity() * size_of::<usize>()
            + self.short.capacity() * size_of::<Short>()
            + self.long.allocation_size()
    }
}

/// How often each distinct key occurred. Stored in the order of the keys.
#[derive(Clone, Debug, Default)]
pub(super) struct Counts {
    keys: Keys,
    counts: Vec<u64>,
}

impl Counts {
    #[inline]
    pub(super) fn add(&mut self, key: &[u8], count: u64) {
        let place = self.keys.place(key);
        if place >= self.counts.len() {
            self.counts.push(0);
        }
        self.counts[place] += count;
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&[u8], u64)> + '_ {
        (0..)
            .zip(&self.counts)
            .map(|(place, &count)| (self.keys.get(place), count))
    }

    pub(super) fn merge(&mut self, other: &Counts) {
        for (key, count) in other.iter() {
            self.add(key, count);
        }
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.keys.heap_bytes() + self.counts.capacity() * size_of::<u64>()
    }
}

impl Serialize for Counts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        collect_sorted(self.iter(), serializer)
    }
}

impl<'de> Deserialize<'de> for Counts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut counts = Counts::default();
        for (key, count) in entries::<u64, D>(deserializer)? {
            counts.add(&key, count);
        }
        Ok(counts)
    }
}

/// Writes entries in the order of their keys: that of arrival must not reach the bytes.
pub(super) fn collect_sorted<'a, T: Serialize, S: Serializer>(
    entries: impl Iterator<Item = (&'a [u8], T)>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut entries: Vec<_> = entries.collect();
    entries.sort_unstable_by_key(|&(key, _)| key);
    serializer.collect_seq(entries)
}

/// What [`collect_sorted`] wrote.
pub(super) fn entries<'de, T: DeserializeOwned, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<(Vec<u8>, T)>, D::Error> {
    let entries = Vec::<(Vec<u8>, T)>::deserialize(deserializer)?;
    if entries.windows(2).any(|w| w[0].0 >= w[1].0) {
        return Err(serde::de::Error::custom("sequences out of order"));
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_key_has_one_place(
            keys in prop::collection::vec(prop::collection::vec(0u8..3, 0..12), 0..400),
        ) {
            let (mut table, mut known) = (Keys::default(), BTreeMap::new());
            for key in &keys {
                let next = known.len();
                let place = *known.entry(key.clone()).or_insert(next);
                let mut arena = vec![9];
                let probe = table.probe(key, &mut arena);
                prop_assert_eq!(table.place_of(&probe, &arena), place);
                prop_assert_eq!(table.place(key), place);
                prop_assert_eq!(table.get(place), &key[..]);
            }
        }

        #[test]
        fn codes_come_back(codes in prop::collection::vec(any::<u8>(), 0..20), n in 1usize..100_000) {
            let width = Width::of(n);
            let codes: Vec<u32> = codes.iter().map(|&c| u32::from(c) * 321 % n as u32).collect();
            let mut key = Vec::new();
            codes.iter().for_each(|&c| width.encode(c, &mut key));
            prop_assert_eq!(width.decode(&key).collect::<Vec<_>>(), codes);
        }
    }
}
