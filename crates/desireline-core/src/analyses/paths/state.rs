//! What `paths` knows so far: each distinct path once, with sums per customer.

use desireline_stats::{Clusters, Distribution};
use hashbrown::HashTable;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::engine::Partial;

/// Distinct keys in one stretch of memory, each with a place, from 0, in order of arrival.
#[derive(Debug, Default)]
struct Keys {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    /// The key's hash and its place.
    table: HashTable<(u32, u32)>,
}

fn hash(key: &[u8]) -> u32 {
    let wide = xxhash_rust::xxh3::xxh3_64(key);
    (wide >> 32) as u32
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
    fn place(&mut self, key: &[u8]) -> usize {
        let Keys { bytes, ends, table } = self;
        let hash = hash(key);
        let found = table.find(spread(hash), |&(h, place)| {
            h == hash && key_at(bytes, ends, place as usize) == key
        });
        if let Some(&(_, place)) = found {
            return place as usize;
        }
        let place = ends.len();
        bytes.extend_from_slice(key);
        ends.push(bytes.len());
        // A place beyond u32 needs more distinct paths than a log can have events.
        let entry = (hash, u32::try_from(place).unwrap_or(u32::MAX));
        table.insert_unique(spread(hash), entry, |&(h, _)| spread(h));
        place
    }

    fn get(&self, place: usize) -> &[u8] {
        key_at(&self.bytes, &self.ends, place)
    }

    fn heap_bytes(&self) -> usize {
        self.bytes.capacity()
            + self.ends.capacity() * size_of::<usize>()
            + self.table.allocation_size()
    }
}

/// A value for each distinct key. Stored in the order of the keys.
#[derive(Debug)]
pub(super) struct Counted<T> {
    keys: Keys,
    values: Vec<T>,
}

impl<T> Default for Counted<T> {
    fn default() -> Counted<T> {
        Counted {
            keys: Keys::default(),
            values: Vec::new(),
        }
    }
}

impl<T: Default> Counted<T> {
    /// The place of `key`, with a fresh value if it is new.
    #[inline]
    pub(super) fn place(&mut self, key: &[u8]) -> usize {
        let place = self.keys.place(key);
        if place >= self.values.len() {
            self.values.push(T::default());
        }
        place
    }

    #[inline]
    pub(super) fn at(&mut self, place: usize) -> &mut T {
        &mut self.values[place]
    }

    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    pub(super) fn key(&self, place: usize) -> &[u8] {
        self.keys.get(place)
    }

    pub(super) fn values(&self) -> &[T] {
        &self.values
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&[u8], &T)> + '_ {
        self.values
            .iter()
            .enumerate()
            .map(|(place, value)| (self.keys.get(place), value))
    }

    fn merge(&mut self, other: &Counted<T>, mut add: impl FnMut(&mut T, &T)) {
        for (key, theirs) in other.iter() {
            let place = self.place(key);
            add(self.at(place), theirs);
        }
    }

    fn heap_bytes(&self) -> usize {
        self.keys.heap_bytes() + self.values.capacity() * size_of::<T>()
    }
}

impl<T: Default + Serialize> Serialize for Counted<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut entries: Vec<(&[u8], &T)> = self.iter().collect();
        entries.sort_unstable_by_key(|&(key, _)| key);
        serializer.collect_seq(entries)
    }
}

impl<'de, T: Default + DeserializeOwned> Deserialize<'de> for Counted<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let entries = Vec::<(Vec<u8>, T)>::deserialize(deserializer)?;
        let mut counted = Counted::default();
        for (key, value) in entries {
            let place = counted.place(&key);
            *counted.at(place) = value;
        }
        Ok(counted)
    }
}

/// Sums over the customers who took a path.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Variant {
    pub(super) journeys: u64,
    pub(super) customers: u64,
    /// Journeys that reached the goal.
    pub(super) goals: u64,
    /// Σ k², Σ k n, with k of a customer's n journeys on this path.
    kk: u64,
    kn: u64,
    /// Σ g², Σ g k, with g of them reaching the goal.
    gg: u64,
    gk: u64,
    times: Times,
}

impl Variant {
    /// A customer took this path in `k` of all `n` journeys and reached the goal in `g` of the `k`.
    #[inline]
    pub(super) fn add_customer(&mut self, k: u64, g: u64, n: u64) {
        self.journeys += k;
        self.customers += 1;
        self.goals += g;
        self.kk = self.kk.saturating_add(k.saturating_mul(k));
        self.kn = self.kn.saturating_add(k.saturating_mul(n));
        self.gg = self.gg.saturating_add(g.saturating_mul(g));
        self.gk = self.gk.saturating_add(g.saturating_mul(k));
    }

    fn merge(&mut self, other: &Variant) {
        self.journeys += other.journeys;
        self.customers += other.customers;
        self.goals += other.goals;
        self.kk = self.kk.saturating_add(other.kk);
        self.kn = self.kn.saturating_add(other.kn);
        self.gg = self.gg.saturating_add(other.gg);
        self.gk = self.gk.saturating_add(other.gk);
        self.times.merge(&other.times);
    }

    /// The path's share of all journeys.
    pub(super) fn share(&self, all: &Clusters) -> Clusters {
        Clusters {
            k: self.journeys,
            kk: self.kk.into(),
            kn: self.kn.into(),
            ..*all
        }
    }

    /// The goal's share of the path's journeys.
    pub(super) fn goal(&self) -> Clusters {
        Clusters {
            m: self.customers,
            k: self.goals,
            n: self.journeys,
            kk: self.gg.into(),
            kn: self.gk.into(),
            nn: self.kk.into(),
        }
    }

    pub(super) fn times(&self) -> Distribution {
        match &self.times {
            Times::None => Distribution::default(),
            Times::One(time) => [*time].into_iter().collect(),
            Times::Many(times) => (**times).clone(),
        }
    }
}

/// Durations. Most distinct paths are taken once, so the first needs no memory of its own.
#[derive(Debug, Default, Serialize, Deserialize)]
enum Times {
    #[default]
    None,
    One(i64),
    Many(Box<Distribution>),
}

impl Times {
    /// Adds a duration; returns how many bytes more are on the heap.
    #[inline]
    fn push(&mut self, time: i64) -> usize {
        match self {
            Times::None => {
                *self = Times::One(time);
                0
            }
            Times::One(first) => {
                let both: Distribution = [*first, time].into_iter().collect();
                let bytes = size_of::<Distribution>() + both.heap_bytes();
                *self = Times::Many(Box::new(both));
                bytes
            }
            Times::Many(times) => {
                let before = times.heap_bytes();
                times.push(time);
                // A histogram may need less than the values it replaces.
                times.heap_bytes().saturating_sub(before)
            }
        }
    }

    fn merge(&mut self, other: &Times) {
        match other {
            Times::None => {}
            Times::One(time) => {
                self.push(*time);
            }
            Times::Many(theirs) => match self {
                Times::None => *self = Times::Many(theirs.clone()),
                Times::One(first) => {
                    let mut both = theirs.clone();
                    both.push(*first);
                    *self = Times::Many(both);
                }
                Times::Many(ours) => ours.merge(theirs),
            },
        }
    }

    fn heap_bytes(&self) -> usize {
        match self {
            Times::Many(times) => size_of::<Distribution>() + times.heap_bytes(),
            _ => 0,
        }
    }
}

/// Every distinct path, its sums and its durations.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct PathsPartial {
    pub(super) variants: Counted<Variant>,
    /// First steps and how they end, where the paths do not tell.
    pub(super) flow: Counted<u64>,
    /// Goals of all journeys, by customer.
    pub(super) all: Clusters,
    pub(super) times: Distribution,
    /// Journeys longer than the part looked at.
    pub(super) shortened: u64,
    /// Heap bytes of the variants' durations.
    #[serde(skip)]
    time_bytes: usize,
    /// The paths of one customer's journeys, and whether each reached the goal; used again for the next.
    #[serde(skip)]
    pub(super) scratch: Vec<(usize, bool)>,
}

impl PathsPartial {
    /// Counts a journey on the path `key`; returns the path's place. The caller adds it to its customer.
    #[inline]
    pub(super) fn add_journey(&mut self, key: &[u8], duration: i64) -> usize {
        let place = self.variants.place(key);
        self.time_bytes += self.variants.at(place).times.push(duration);
        self.times.push(duration);
        place
    }
}

impl Partial for PathsPartial {
    fn merge(&mut self, other: &Self) {
        self.variants.merge(&other.variants, Variant::merge);
        self.flow.merge(&other.flow, |a, b| *a += *b);
        self.all.merge(&other.all);
        self.times.merge(&other.times);
        self.shortened += other.shortened;
        self.time_bytes = self
            .variants
            .values()
            .iter()
            .map(|v| v.times.heap_bytes())
            .sum();
    }

    fn heap_bytes(&self) -> usize {
        self.variants.heap_bytes()
            + self.flow.heap_bytes()
            + self.times.heap_bytes()
            + self.time_bytes
            + self.scratch.capacity() * size_of::<(usize, bool)>()
    }
}
