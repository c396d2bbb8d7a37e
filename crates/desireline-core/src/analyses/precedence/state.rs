//! What is known so far: for each touchpoint the journeys that have it, for each pair those that have both.

use desireline_stats::Clusters;
use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{NOT, PrecedencePlan};
use crate::analyses::parts::{agree, is_base, is_rate};
use crate::engine::Partial;
use crate::journey::{Morsel, Span};

/// Journeys with two touchpoints, by customer: `k` of the `n` have the one of the lower place first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Pair {
    pub(super) first: Clusters,
    /// Journeys in which both firsts have one time.
    pub(super) ties: u64,
}

impl Pair {
    fn merge(&mut self, other: &Pair) {
        self.first.merge(&other.first);
        self.ties += other.ties;
    }
}

/// The pairs that occur, by number; written in the order of the numbers.
#[derive(Clone, Debug, Default)]
struct Pairs(HashMap<u32, Pair, FxBuildHasher>);

impl Serialize for Pairs {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut pairs: Vec<(u32, Pair)> = self.0.iter().map(|(n, pair)| (*n, *pair)).collect();
        pairs.sort_unstable_by_key(|(number, _)| *number);
        serializer.collect_seq(pairs)
    }
}

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Pairs, D::Error> {
        let pairs = Vec::<(u32, Pair)>::deserialize(deserializer)?;
        if pairs.windows(2).any(|w| w[0].0 >= w[1].0) {
            return Err(D::Error::custom("pairs out of order"));
        }
        Ok(Pairs(pairs.into_iter().collect()))
    }
}

/// What is known of the order of touchpoints so far.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct PrecedencePartial {
    /// All journeys by customer; `k` is not used.
    pub(super) all: Clusters,
    /// Journeys that have it, by code, as far as any has. `m` and the bases are those of `all` and stay 0 here.
    touchpoints: Vec<Visits>,
    pairs: Pairs,
    #[serde(skip)]
    scratch: Scratch,
}

/// Journeys that have a touchpoint: the sums of a rate whose base is all journeys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Visits {
    k: u64,
    kk: u128,
    kn: u128,
}

/// The number of the pair of two places, whichever comes first.
fn number(a: usize, b: usize) -> usize {
    let (low, high) = (a.min(b), a.max(b));
    high * high.saturating_sub(1) / 2 + low
}

/// The places of a pair, the lower first.
fn places(number: usize) -> (usize, usize) {
    let mut high = 1;
    while (high + 1) * high / 2 <= number {
        high += 1;
    }
    (number - high * (high - 1) / 2, high)
}

/// The same journeys, counted from the other touchpoint.
pub(super) fn turned(first: &Clusters) -> Clusters {
    Clusters {
        k: first.n.saturating_sub(first.k),
        kk: (first.nn + first.kk).saturating_sub(2 * first.kn),
        kn: first.nn.saturating_sub(first.kn),
        ..*first
    }
}

impl PrecedencePartial {
    /// Journeys that have the touchpoint.
    pub(super) fn visits(&self, code: u32) -> u64 {
        self.touchpoints.get(code as usize).map_or(0, |v| v.k)
    }

    /// The same of all journeys.
    pub(super) fn reach(&self, code: u32) -> Clusters {
        let visits = self.touchpoints.get(code as usize);
        let Visits { k, kk, kn } = visits.copied().unwrap_or_default();
        Clusters {
            k,
            kk,
            kn,
            ..self.all
        }
    }

    /// The codes that some journey has, and in how many.
    pub(super) fn visited(&self) -> impl Iterator<Item = (u32, u64)> + '_ {
        let visits = (0..).zip(&self.touchpoints).map(|(code, v)| (code, v.k));
        visits.filter(|(_, k)| *k > 0)
    }

    /// The journeys with both of two places, counted from the lower.
    pub(super) fn pair(&self, a: usize, b: usize) -> Pair {
        let found = self.pairs.0.get(&(number(a, b) as u32));
        found.copied().unwrap_or_default()
    }

    /// The pairs that some journey has: lower place, higher place, journeys. In any order.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (usize, usize, &Pair)> + '_ {
        self.pairs.0.iter().map(|(&number, pair)| {
            let (low, high) = places(number as usize);
            (low, high, pair)
        })
    }

    /// Refuses what was read from bytes and cannot be.
    pub(super) fn check(&self, names: usize, places: usize, codes: &[u32]) -> Result<(), String> {
        agree(is_base(&self.all), "journeys")?;
        let reach = (0..).take(self.touchpoints.len()).map(|c| self.reach(c));
        agree(
            self.touchpoints.len() <= names
                && self.touchpoints.last().is_none_or(|v| v.k > 0)
                && reach.into_iter().all(|r| is_rate(&r)),
            "touchpoints",
        )?;
        let known = places * places.saturating_sub(1) / 2;
        let visits = |place: usize| codes.get(place).map_or(0, |c| self.visits(*c));
        let fits = |(&at, pair): (&u32, &Pair)| {
            if at as usize >= known {
                return false;
            }
            let (low, high) = self::places(at as usize);
            let n = pair.first.n;
            is_rate(&pair.first)
                && (1..=visits(low).min(visits(high))).contains(&n)
                && pair.first.m <= self.all.m
                && pair.ties <= n
        };
        agree(self.pairs.0.iter().all(fits), "pairs")
    }
}

impl Partial for PrecedencePartial {
    fn merge(&mut self, other: &Self) {
        self.all.merge(&other.all);
        if self.touchpoints.len() < other.touchpoints.len() {
            let n = other.touchpoints.len();
            self.touchpoints.resize(n, Visits::default());
        }
        for (ours, theirs) in self.touchpoints.iter_mut().zip(&other.touchpoints) {
            ours.k += theirs.k;
            ours.kk = ours.kk.saturating_add(theirs.kk);
            ours.kn = ours.kn.saturating_add(theirs.kn);
        }
        for (number, pair) in &other.pairs.0 {
            self.pairs.0.entry(*number).or_default().merge(pair);
        }
    }

    fn heap_bytes(&self) -> usize {
        self.touchpoints.capacity() * size_of::<Visits>()
            + self.pairs.0.allocation_size()
            + self.scratch.heap_bytes()
    }
}

/// A worker's memory for the customer at hand; empty between customers.
#[derive(Clone, Debug, Default)]
struct Scratch {
    /// By code: the last journey that has it, and in how many of the customer's it is.
    seen: Vec<(u64, u32)>,
    /// The codes that the customer has.
    codes: Vec<u32>,
    /// The first events of the journey's chosen touchpoints, in order: place and time.
    firsts: Vec<(u8, i64)>,
    /// Pairs of customers with several journeys, by number: first ones, journeys, ties.
    pairs: Vec<[u32; 3]>,
    /// The numbers of the customer's pairs.
    numbers: Vec<u32>,
    /// The number of the last journey looked at.
    journey: u64,
}

impl Scratch {
    fn heap_bytes(&self) -> usize {
        self.seen.capacity() * size_of::<(u64, u32)>()
            + self.codes.capacity() * size_of::<u32>()
            + self.firsts.capacity() * size_of::<(u8, i64)>()
            + self.pairs.capacity() * size_of::<[u32; 3]>()
            + self.numbers.capacity() * size_of::<u32>()
    }
}

pub(super) fn observe(plan: &PrecedencePlan, partial: &mut PrecedencePartial, morsel: &Morsel<'_>) {
    let mut scratch = std::mem::take(&mut partial.scratch);
    scratch.seen.resize(plan.names.len(), (0, 0));
    for spans in morsel.customers() {
        for span in spans {
            crate::with_codes!(morsel.codes(), codes => {
                scratch.look(plan, morsel, span, |i| u32::from(codes[i]));
            });
            match spans.len() {
                1 => scratch.count(partial),
                _ => scratch.keep(plan.chosen.len()),
            }
        }
        scratch.end_customer(partial, spans.len() as u64);
    }
    partial.scratch = scratch;
}

impl Scratch {
    /// Finds the first event of each touchpoint of a journey.
    #[inline]
    fn look(
        &mut self,
        plan: &PrecedencePlan,
        morsel: &Morsel<'_>,
        span: &Span,
        code: impl Fn(usize) -> u32,
    ) {
        self.journey += 1;
        self.firsts.clear();
        for i in span.range() {
            let code = code(i);
            let Some(seen) = self.seen.get_mut(code as usize) else {
                continue;
            };
            if seen.0 == self.journey {
                continue;
            }
            seen.0 = self.journey;
            if seen.1 == 0 {
                self.codes.push(code);
            }
            seen.1 += 1;
            let place = plan.places.get(code as usize).copied().unwrap_or(NOT);
            if place != NOT {
                self.firsts.push((place, morsel.time(i)));
            }
        }
    }

    /// The pairs of the journey: number, whether the lower place is first, whether both have one time.
    #[inline]
    fn each_pair(firsts: &[(u8, i64)], mut found: impl FnMut(usize, bool, bool)) {
        for (i, &(a, at)) in firsts.iter().enumerate() {
            for &(b, then) in &firsts[i + 1..] {
                found(number(a.into(), b.into()), a < b, at == then);
            }
        }
    }

    /// Counts the only journey of a customer.
    fn count(&self, partial: &mut PrecedencePartial) {
        Scratch::each_pair(&self.firsts, |number, first, tie| {
            let pair = partial.pairs.0.entry(number as u32).or_default();
            pair.first.add(first.into(), 1);
            pair.ties += u64::from(tie);
        });
    }

    /// Keeps one of several journeys of a customer until the last.
    fn keep(&mut self, places: usize) {
        let most = places * places.saturating_sub(1) / 2;
        self.pairs.resize(most, [0; 3]);
        let (pairs, numbers) = (&mut self.pairs, &mut self.numbers);
        Scratch::each_pair(&self.firsts, |number, first, tie| {
            let Some([k, n, ties]) = pairs.get_mut(number) else {
                return;
            };
            if *n == 0 {
                numbers.push(number as u32);
            }
            *n += 1;
            *k += u32::from(first);
            *ties += u32::from(tie);
        });
    }

    fn end_customer(&mut self, partial: &mut PrecedencePartial, n: u64) {
        partial.all.add(0, n);
        for number in self.numbers.drain(..) {
            let [k, n, ties] = std::mem::take(&mut self.pairs[number as usize]);
            let pair = partial.pairs.0.entry(number).or_default();
            pair.first.add(k.into(), n.into());
            pair.ties += u64::from(ties);
        }
        for code in self.codes.drain(..) {
            let code = code as usize;
            let k = std::mem::take(&mut self.seen[code].1);
            if code >= partial.touchpoints.len() {
                partial.touchpoints.resize(code + 1, Visits::default());
            }
            let visits = &mut partial.touchpoints[code];
            visits.k += u64::from(k);
            visits.kk += u128::from(k) * u128::from(k);
            visits.kn += u128::from(k) * u128::from(n);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_has_its_number() {
        let mut next = 0;
        for high in 1..40 {
            for low in 0..high {
                assert_eq!((number(low, high), number(high, low)), (next, next));
                assert_eq!(places(next), (low, high));
                next += 1;
            }
        }
    }

    #[test]
    fn turning_round_twice_changes_nothing() {
        let mut first = Clusters::default();
        first.add(2, 5);
        first.add(0, 3);
        let mut other = Clusters::default();
        other.add(3, 5);
        other.add(3, 3);
        assert_eq!(turned(&first), other);
        assert_eq!(turned(&other), first);
    }
}
