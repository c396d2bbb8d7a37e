//! What `paths` knows so far: each distinct path once, with sums per customer.

use std::num::NonZeroU32;

use desireline_stats::{Clusters, Distribution};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::analyses::sequences::{Counts, Keys, Probe, collect_sorted, entries};
use crate::engine::Partial;

/// What is known of each distinct path. Stored in the order of the keys.
///
/// Most distinct paths are taken once, so a path owns its sums only from the second journey on.
#[derive(Clone, Debug, Default)]
pub(super) struct Variants {
    keys: Keys,
    slots: Vec<Slot>,
    sums: Vec<Sums>,
    durations: Durations,
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
        let at = self.sums_at(place);
        self.sums[at].add_customer(run.len() as u64, goals, n);
        for &(_, _, time) in run {
            self.durations.push(at, time);
        }
    }

    /// Where the sums of a path are, made from its only journey if need be.
    fn sums_at(&mut self, place: usize) -> usize {
        let slot = self.slots[place];
        if let Kind::Sums(at) = slot.kind {
            return at.get() as usize - 1;
        }
        let at = self.sums.len();
        self.sums.push(slot.sums());
        if let Kind::Once { .. } = slot.kind {
            self.durations.push(at, slot.time);
        }
        let stored = u32::try_from(at + 1).ok().and_then(NonZeroU32::new);
        self.slots[place].kind = stored.map_or(Kind::None, Kind::Sums);
        at
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(super) fn key(&self, place: usize) -> &[u8] {
        self.keys.get(place)
    }

    pub(super) fn sums(&self, place: usize) -> Sums {
        let slot = &self.slots[place];
        match slot.kind {
            Kind::Sums(at) => self.sums[at.get() as usize - 1],
            _ => slot.sums(),
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

    pub(super) fn iter(&self) -> impl Iterator<Item = (&[u8], Sums)> + '_ {
        (0..self.len()).map(|place| (self.key(place), self.sums(place)))
    }

    /// How long the journeys on each of these paths took.
    pub(super) fn durations(&self, places: &[usize]) -> Vec<Distribution> {
        let wanted = |(to, place): (usize, &usize)| match self.slots[*place].kind {
            Kind::Sums(at) => Some((at.get() as usize - 1, to)),
            _ => None,
        };
        let mut found = vec![Distribution::new(); places.len()];
        self.durations
            .collect(places.iter().enumerate().filter_map(wanted), &mut found);
        for (place, found) in places.iter().zip(&mut found) {
            let slot = &self.slots[*place];
            if let Kind::Once { .. } = slot.kind {
                found.push(slot.time);
            }
        }
        found
    }

    fn merge(&mut self, other: &Variants) {
        let mut ours_by_theirs = vec![0; other.sums.len()];
        let (mut probes, mut places, mut arena) = (Vec::new(), Vec::new(), Vec::new());
        let mut from = 0;
        // As when journeys are taken in: look-ups together, for each reads from far away.
        for batch in other.slots.chunks(BATCH) {
            let theirs = from..from + batch.len();
            from = theirs.end;
            probes.clear();
            arena.clear();
            probes.extend(theirs.map(|p| self.keys.probe(other.key(p), &mut arena)));
            places.clear();
            for probe in &probes {
                let place = self.keys.place_of(probe, &arena);
                places.push(self.has_slot(place));
                desireline_kernels::prefetch(&self.slots, place);
            }
            for (theirs, &ours) in batch.iter().zip(&places) {
                match (self.slots[ours].kind, theirs.kind) {
                    (Kind::None, Kind::None | Kind::Once { .. }) => self.slots[ours] = *theirs,
                    (_, Kind::None) => {}
                    (_, Kind::Once { .. }) => {
                        let at = self.sums_at(ours);
                        self.sums[at].merge(&theirs.sums());
                        self.durations.push(at, theirs.time);
                    }
                    (_, Kind::Sums(their)) => {
                        let at = self.sums_at(ours);
                        let their = their.get() as usize - 1;
                        self.sums[at].merge(&other.sums[their]);
                        ours_by_theirs[their] = at;
                    }
                }
            }
        }
        self.durations.merge(&other.durations, &ours_by_theirs);
    }

    fn heap_bytes(&self) -> usize {
        self.keys.heap_bytes()
            + self.slots.capacity() * size_of::<Slot>()
            + self.sums.capacity() * size_of::<Sums>()
            + self.durations.heap_bytes()
    }
}

impl Slot {
    /// The sums of nothing or of one journey.
    fn sums(&self) -> Sums {
        let mut sums = Sums::default();
        if let Kind::Once { goal } = self.kind {
            sums.add_customer(1, goal.into(), self.n.into());
        }
        sums
    }
}

impl Serialize for Variants {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let places: Vec<usize> = (0..self.len()).collect();
        let all = self.iter().zip(self.durations(&places));
        collect_sorted(
            all.map(|((key, sums), times)| (key, (sums, times))),
            serializer,
        )
    }
}

impl<'de> Deserialize<'de> for Variants {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut variants = Variants::default();
        for (key, (sums, times)) in entries::<(Sums, Distribution), D>(deserializer)? {
            let place = variants.keys.place(&key);
            variants.has_slot(place);
            let at = variants.sums_at(place);
            variants.sums[at].merge(&sums);
            variants.durations.settled(at).merge(&times);
        }
        variants.durations.weigh();
        Ok(variants)
    }
}

/// How long the journeys on each path took. A path's own distribution is far away in memory, so durations are first
/// written down one after the other; often nobody asks for more than those of a few paths.
#[derive(Clone, Debug, Default)]
struct Durations {
    /// The place of a path's sums, and a duration.
    recent: Vec<(u32, i64)>,
    /// By the place of sums; shorter where the last ones have none.
    settled: Vec<Distribution>,
    /// Heap bytes of those distributions.
    settled_bytes: usize,
}

/// So many durations are written down before they go to their paths.
const MOST_RECENT: usize = 1 << 20;

impl Durations {
    #[inline]
    fn push(&mut self, at: usize, time: i64) {
        if self.recent.len() == MOST_RECENT {
            self.settle();
        }
        // Places beyond u32 need more distinct paths than a log can have events.
        self.recent
            .push((u32::try_from(at).unwrap_or(u32::MAX), time));
    }

    #[cold]
    fn settle(&mut self) {
        let mut recent = std::mem::take(&mut self.recent);
        recent.sort_unstable_by_key(|(at, _)| *at);
        for (at, time) in recent.drain(..) {
            self.settled(at as usize).push(time);
        }
        self.recent = recent;
        self.weigh();
    }

    fn weigh(&mut self) {
        self.settled_bytes = self.settled.iter().map(Distribution::heap_bytes).sum();
    }

    fn settled(&mut self, at: usize) -> &mut Distribution {
        if at >= self.settled.len() {
            self.settled.resize_with(at + 1, Distribution::new);
        }
        &mut self.settled[at]
    }

    /// Adds the durations at the wanted places to `found`, at the second place of each pair.
    fn collect(&self, wanted: impl Iterator<Item = (usize, usize)>, found: &mut [Distribution]) {
        const NOT: u32 = u32::MAX;
        let mut places: Vec<u32> = Vec::new();
        for (at, to) in wanted {
            if let Some(settled) = self.settled.get(at) {
                found[to].merge(settled);
            }
            if at >= places.len() {
                places.resize(at + 1, NOT);
            }
            places[at] = u32::try_from(to).unwrap_or(NOT);
        }
        for (at, time) in &self.recent {
            let to = places.get(*at as usize).copied().unwrap_or(NOT);
            if let Some(found) = found.get_mut(to as usize) {
                found.push(*time);
            }
        }
    }

    fn merge(&mut self, other: &Durations, ours_by_theirs: &[usize]) {
        for (theirs, times) in other.settled.iter().enumerate() {
            if !times.is_empty() {
                self.settled(ours_by_theirs[theirs]).merge(times);
            }
        }
        self.weigh();
        for (theirs, time) in &other.recent {
            self.push(ours_by_theirs[*theirs as usize], *time);
        }
    }

    fn heap_bytes(&self) -> usize {
        self.settled_bytes
            + self.settled.capacity() * size_of::<Distribution>()
            + self.recent.capacity() * size_of::<(u32, i64)>()
    }
}

/// Sums over the customers who took a path.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Sums {
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
}

impl Sums {
    /// A customer took this path in `k` of all `n` journeys and reached the goal in `g` of the `k`.
    #[inline]
    fn add_customer(&mut self, k: u64, g: u64, n: u64) {
        self.journeys += k;
        self.customers += 1;
        self.goals += g;
        self.kk = self.kk.saturating_add(k.saturating_mul(k));
        self.kn = self.kn.saturating_add(k.saturating_mul(n));
        self.gg = self.gg.saturating_add(g.saturating_mul(g));
        self.gk = self.gk.saturating_add(g.saturating_mul(k));
    }

    fn merge(&mut self, other: &Sums) {
        self.journeys += other.journeys;
        self.customers += other.customers;
        self.goals += other.goals;
        self.kk = self.kk.saturating_add(other.kk);
        self.kn = self.kn.saturating_add(other.kn);
        self.gg = self.gg.saturating_add(other.gg);
        self.gk = self.gk.saturating_add(other.gk);
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
