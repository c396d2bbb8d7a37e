//! What `paths` knows so far: each distinct path once, with sums per customer.

use std::borrow::Cow;
use std::num::NonZeroU32;

use desireline_stats::{Clusters, Distribution};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::analyses::sequences::{Counts, Keys, Probe, collect_sorted, entries};
use crate::engine::Partial;

/// A value for each distinct path. Stored in the order of the keys.
///
/// Most distinct paths are taken once, so a path owns its sums only from the second journey on.
#[derive(Clone, Debug, Default)]
pub(super) struct Variants {
    keys: Keys,
    slots: Vec<Slot>,
    sums: Vec<Variant>,
    /// Heap bytes of the durations in `sums`.
    time_bytes: usize,
}

/// What is known of a path: its only journey, or where its sums are.
#[derive(Clone, Copy, Debug)]
struct Slot {
    /// How long its only journey took.
    time: i64,
    /// The journeys of that customer.
    n: u32,
    kind: Kind,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    None,
    Once { goal: bool },
    Sums(NonZeroU32),
}

/// A journey on a path: the path's place, whether it reached the goal, how long it took.
pub(super) type Taken = (usize, bool, i64);

impl Variants {
    /// The place of `key`, with nothing counted yet if it is new.
    fn place(&mut self, key: &[u8]) -> usize {
        let place = self.keys.place(key);
        self.has_slot(place)
    }

    #[inline]
    fn has_slot(&mut self, place: usize) -> usize {
        if place >= self.slots.len() {
            self.slots.push(Slot {
                time: 0,
                n: 0,
                kind: Kind::None,
            });
        }
        place
    }

    /// Asks for the sums of a path, whose slot is near by now.
    #[inline]
    fn expect_sums(&self, place: usize) {
        if let Some(Slot {
            kind: Kind::Sums(at),
            ..
        }) = self.slots.get(place)
        {
            desireline_kernels::prefetch(&self.sums, at.get() as usize - 1);
        }
    }

    /// One customer of `n` journeys took a path in those of `run`, all at one place.
    #[inline]
    fn add_customer(&mut self, run: &[Taken], n: u64) {
        let Some(&(place, goal, time)) = run.first() else {
            return;
        };
        let slot = &mut self.slots[place];
        if let (Kind::None, 1, Ok(n)) = (slot.kind, run.len(), u32::try_from(n)) {
            *slot = Slot {
                time,
                n,
                kind: Kind::Once { goal },
            };
            return;
        }
        let goals = run.iter().filter(|(_, goal, _)| *goal).count() as u64;
        let variant = self.sums(place);
        variant.add_customer(run.len() as u64, goals, n);
        let before = variant.times.heap_bytes();
        for &(_, _, time) in run {
            variant.times.push(time);
        }
        // A histogram may need less than the values it replaces.
        let more = variant.times.heap_bytes().saturating_sub(before);
        self.time_bytes += more;
    }

    /// The sums of a path, made from its only journey if need be.
    fn sums(&mut self, place: usize) -> &mut Variant {
        let slot = self.slots[place];
        let at = match slot.kind {
            Kind::Sums(at) => at.get() as usize - 1,
            _ => {
                self.sums.push(slot.variant());
                let at = u32::try_from(self.sums.len()).unwrap_or(u32::MAX);
                self.slots[place].kind = NonZeroU32::new(at).map_or(Kind::None, Kind::Sums);
                at as usize - 1
            }
        };
        &mut self.sums[at]
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(super) fn key(&self, place: usize) -> &[u8] {
        self.keys.get(place)
    }

    pub(super) fn get(&self, place: usize) -> Cow<'_, Variant> {
        let slot = &self.slots[place];
        match slot.kind {
            Kind::Sums(at) => Cow::Borrowed(&self.sums[at.get() as usize - 1]),
            _ => Cow::Owned(slot.variant()),
        }
    }

    /// The journeys on a path.
    pub(super) fn journeys(&self, place: usize) -> u64 {
        match self.slots[place].kind {
            Kind::None => 0,
            Kind::Once { .. } => 1,
            Kind::Sums(at) => self.sums[at.get() as usize - 1].journeys,
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&[u8], Cow<'_, Variant>)> + '_ {
        (0..self.len()).map(|place| (self.key(place), self.get(place)))
    }

    fn merge(&mut self, other: &Variants) {
        for (theirs, key) in (0..other.len()).map(|p| (p, other.key(p))) {
            let ours = self.place(key);
            match (self.slots[ours].kind, other.slots[theirs].kind) {
                (Kind::None, Kind::None | Kind::Once { .. }) => {
                    self.slots[ours] = other.slots[theirs];
                }
                _ => self.sums(ours).merge(&other.get(theirs)),
            }
        }
        self.time_bytes = self.sums.iter().map(|v| v.times.heap_bytes()).sum();
    }

    fn heap_bytes(&self) -> usize {
        self.keys.heap_bytes()
            + self.slots.capacity() * size_of::<Slot>()
            + self.sums.capacity() * size_of::<Variant>()
            + self.time_bytes
    }
}

impl Slot {
    /// The sums of nothing or of one journey.
    fn variant(&self) -> Variant {
        let mut variant = Variant::default();
        if let Kind::Once { goal } = self.kind {
            variant.add_customer(1, goal.into(), self.n.into());
            variant.times.push(self.time);
        }
        variant
    }
}

impl Serialize for Variants {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        collect_sorted(self.iter(), serializer)
    }
}

impl<'de> Deserialize<'de> for Variants {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut variants = Variants::default();
        for (key, variant) in entries::<Variant, D>(deserializer)? {
            let place = variants.place(&key);
            variants.sums(place).merge(&variant);
        }
        Ok(variants)
    }
}

/// Sums over the customers who took a path.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
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
    pub(super) times: Distribution,
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
}

/// Every distinct path, its sums and its durations.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct PathsPartial {
    pub(super) variants: Variants,
    /// First steps and how they end, where the paths do not tell.
    pub(super) flow: Counts,
    /// Goals of all journeys, by customer.
    pub(super) all: Clusters,
    pub(super) times: Distribution,
    /// Journeys longer than the part looked at.
    pub(super) shortened: u64,
    /// Journeys not counted yet.
    #[serde(skip)]
    pub(super) batch: Batch,
}

/// Journeys whose paths are looked up together: each look-up reads from far away, and many far reads at once take no
/// longer than one.
#[derive(Clone, Debug, Default)]
pub(super) struct Batch {
    /// Each journey; its place is not known yet.
    taken: Vec<Taken>,
    probes: Vec<Probe>,
    /// The bytes of long keys.
    arena: Vec<u8>,
    /// Where each customer's journeys end.
    ends: Vec<usize>,
}

/// So many journeys are counted at once, or all of the last customer's.
const BATCH: usize = 512;

impl PathsPartial {
    /// Takes in a journey of the current customer.
    #[inline]
    pub(super) fn take(&mut self, key: &[u8], reached: bool, duration: i64) {
        let probe = self.variants.keys.probe(key, &mut self.batch.arena);
        self.batch.probes.push(probe);
        self.batch.taken.push((0, reached, duration));
    }

    /// Ends a customer.
    pub(super) fn end_customer(&mut self) {
        self.batch.ends.push(self.batch.taken.len());
        if self.batch.taken.len() >= BATCH {
            self.settle();
        }
    }

    /// Counts all that was taken in.
    pub(super) fn settle(&mut self) {
        let Batch {
            taken,
            probes,
            arena,
            ends,
        } = &mut self.batch;
        let variants = &mut self.variants;
        for (taken, probe) in taken.iter_mut().zip(&*probes) {
            let place = variants.keys.place_of(probe, arena);
            taken.0 = variants.has_slot(place);
            desireline_kernels::prefetch(&variants.slots, place);
        }
        for &(place, _, duration) in &*taken {
            variants.expect_sums(place);
            self.times.push(duration);
        }
        let mut start = 0;
        for &end in &*ends {
            let customer = &mut taken[start..end];
            let n = customer.len() as u64;
            if customer.len() > 1 {
                customer.sort_unstable_by_key(|&(place, ..)| place);
            }
            for run in customer.chunk_by(|a, b| a.0 == b.0) {
                variants.add_customer(run, n);
            }
            start = end;
        }
        taken.clear();
        probes.clear();
        arena.clear();
        ends.clear();
    }
}

impl Batch {
    fn heap_bytes(&self) -> usize {
        self.taken.capacity() * size_of::<Taken>()
            + self.probes.capacity() * size_of::<Probe>()
            + self.arena.capacity()
            + self.ends.capacity() * size_of::<usize>()
    }
}

impl Partial for PathsPartial {
    fn merge(&mut self, other: &Self) {
        self.variants.merge(&other.variants);
        self.flow.merge(&other.flow);
        self.all.merge(&other.all);
        self.times.merge(&other.times);
        self.shortened += other.shortened;
    }

    fn heap_bytes(&self) -> usize {
        self.variants.heap_bytes()
            + self.flow.heap_bytes()
            + self.times.heap_bytes()
            + self.batch.heap_bytes()
    }
}
