//! The time column: microseconds at the interface, fewer bytes inside.

use std::ops::Range;

use super::Array;

const SECOND: i64 = 1_000_000;

/// The times of a block's events, exact to the microsecond.
///
/// Seconds since 1970, or since the block's first second where that is earlier or too late, in 32 bits, and the rest of
/// the second in as many bits as the finest time needs; only a block that spans more than 136 years falls back to 64 bits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Times {
    base: i64,
    seconds: Array<u32>,
    rest: TimeRest,
}

/// What a time has beside its seconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum TimeRest {
    /// Nothing: all times are whole seconds.
    #[default]
    None,
    /// Milliseconds, below 1,000.
    Millis(Array<u16>),
    /// Microseconds, below 1,000,000.
    Micros(Array<u32>),
    /// Everything: microseconds since 1970. There are no seconds then.
    Wide(Array<i64>),
}

/// What is to be known of times before they are stored.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    low: i64,
    high: i64,
    whole_seconds: bool,
    whole_millis: bool,
}

impl Default for Span {
    fn default() -> Span {
        Span {
            low: i64::MAX,
            high: i64::MIN,
            whole_seconds: true,
            whole_millis: true,
        }
    }
}

/// How fine the times of a block are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Finest {
    Second,
    Milli,
    Micro,
    /// Over a longer stretch than seconds in 32 bits reach.
    Wide,
}

/// How the times of a block are stored.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) base: i64,
    pub(super) finest: Finest,
}

impl Span {
    #[inline]
    fn add(&mut self, time: i64) {
        self.low = self.low.min(time);
        self.high = self.high.max(time);
        self.whole_seconds &= time % SECOND == 0;
        self.whole_millis &= time % 1_000 == 0;
    }

    pub(super) fn of(times: &[i64]) -> Span {
        let mut span = Span::default();
        times.iter().for_each(|t| span.add(*t));
        span
    }

    #[must_use]
    pub(super) fn and(self, other: Span) -> Span {
        Span {
            low: self.low.min(other.low),
            high: self.high.max(other.high),
            whole_seconds: self.whole_seconds && other.whole_seconds,
            whole_millis: self.whole_millis && other.whole_millis,
        }
    }

    /// The earliest and the latest time.
    pub(super) fn extent(&self) -> (i64, i64) {
        (self.low, self.high)
    }

    pub(super) fn shape(&self) -> Shape {
        let finest = match (self.whole_seconds, self.whole_millis) {
            (true, _) => Finest::Second,
            (false, true) => Finest::Milli,
            (false, false) => Finest::Micro,
        };
        if self.low > self.high {
            return Shape { base: 0, finest };
        }
        // From 1970 to 2106 the column says plain Unix seconds, whatever the block.
        let last = self.high.div_euclid(SECOND);
        let base = match self.low.div_euclid(SECOND) {
            first if first >= 0 && last <= i64::from(u32::MAX) => 0,
            first => first,
        };
        if last - base > i64::from(u32::MAX) {
            let finest = Finest::Wide;
            return Shape { base: 0, finest };
        }
        Shape { base, finest }
    }
}

impl Shape {
    /// The whole seconds of `time` since the base.
    #[inline]
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // the base is chosen for them to fit
    pub(super) fn second(self, time: i64) -> u32 {
        (time.div_euclid(SECOND) - self.base) as u32
    }
}

/// What `time` has beside its seconds, in milliseconds.
#[inline]
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // below 1,000
pub(super) fn milli(time: i64) -> u16 {
    (time.rem_euclid(SECOND) / 1_000) as u16
}

/// What `time` has beside its seconds, in microseconds.
#[inline]
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // below 1,000,000
pub(super) fn micro(time: i64) -> u32 {
    time.rem_euclid(SECOND) as u32
}

impl Times {
    /// Stores `len` times, each asked of `time`.
    pub fn gather(len: usize, time: impl Fn(usize) -> i64) -> Times {
        let mut span = Span::default();
        (0..len).for_each(|i| span.add(time(i)));
        let shape = span.shape();
        if shape.finest == Finest::Wide {
            return Times::wide((0..len).map(time).collect());
        }
        let seconds = (0..len).map(|i| shape.second(time(i))).collect();
        let rest = match shape.finest {
            Finest::Second | Finest::Wide => TimeRest::None,
            Finest::Milli => TimeRest::Millis((0..len).map(|i| milli(time(i))).collect()),
            Finest::Micro => TimeRest::Micros((0..len).map(|i| micro(time(i))).collect()),
        };
        Times {
            base: shape.base,
            seconds,
            rest,
        }
    }

    /// Times as they are.
    pub(super) fn wide(all: Array<i64>) -> Times {
        Times {
            base: 0,
            seconds: Array::new(),
            rest: TimeRest::Wide(all),
        }
    }

    /// Times from their parts; `None` when the parts differ in length, or a wide column has seconds too. Whether the
    /// rests are within a second is not looked at.
    pub fn from_parts(base: i64, seconds: Array<u32>, rest: TimeRest) -> Option<Times> {
        let fits = match &rest {
            TimeRest::None => true,
            TimeRest::Millis(all) => all.len() == seconds.len(),
            TimeRest::Micros(all) => all.len() == seconds.len(),
            TimeRest::Wide(_) => seconds.is_empty(),
        };
        fits.then_some(Times {
            base,
            seconds,
            rest,
        })
    }

    /// The second that [`seconds`](Times::seconds) count from: 0 is 1970.
    pub fn base(&self) -> i64 {
        self.base
    }

    /// Whole seconds since the base; empty for a wide column.
    pub fn seconds(&self) -> &Array<u32> {
        &self.seconds
    }

    /// What the times have beside their seconds.
    pub fn rest(&self) -> &TimeRest {
        &self.rest
    }

    /// The earliest and the latest time; `None` when there are none.
    pub fn extent(&self) -> Option<(i64, i64)> {
        if let TimeRest::Wide(all) = &self.rest {
            return Some((*all.iter().min()?, *all.iter().max()?));
        }
        let (first, last) = (*self.seconds.iter().min()?, *self.seconds.iter().max()?);
        let within = |second: u32| {
            let at = self.seconds.iter().enumerate();
            at.filter(move |(_, s)| **s == second)
                .map(|(i, _)| self.get(i))
        };
        Some((within(first).min()?, within(last).max()?))
    }

    /// Whether events `i` and `j` have the same time.
    #[inline]
    pub(super) fn same(&self, i: usize, j: usize) -> bool {
        match &self.rest {
            TimeRest::Wide(all) => all[i] == all[j],
            _ => self.seconds[i] == self.seconds[j] && self.get(i) == self.get(j),
        }
    }

    /// How many times there are.
    pub fn len(&self) -> usize {
        match &self.rest {
            TimeRest::Wide(all) => all.len(),
            _ => self.seconds.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    // The first second of the block may begin before i64::MIN microseconds; the sum with the rest is in range again.
    #[inline]
    fn second(&self, since_base: u32) -> i64 {
        (self.base + i64::from(since_base)).wrapping_mul(SECOND)
    }

    /// The time of event `i` in microseconds since 1970.
    #[inline]
    pub fn get(&self, i: usize) -> i64 {
        let second = || self.second(self.seconds[i]);
        match &self.rest {
            TimeRest::None => second(),
            TimeRest::Millis(ms) => second().wrapping_add(i64::from(ms[i]) * 1_000),
            TimeRest::Micros(us) => second().wrapping_add(i64::from(us[i])),
            TimeRest::Wide(all) => all[i],
        }
    }

    /// Replaces the content of `out` by the times of `range`.
    pub fn decode_into(&self, range: Range<usize>, out: &mut Vec<i64>) {
        out.clear();
        let second = |s: &u32| self.second(*s);
        match &self.rest {
            TimeRest::None => out.extend(self.seconds[range].iter().map(second)),
            TimeRest::Millis(ms) => out.extend(
                self.seconds[range.clone()]
                    .iter()
                    .zip(&ms[range])
                    .map(|(s, m)| second(s).wrapping_add(i64::from(*m) * 1_000)),
            ),
            TimeRest::Micros(us) => {
                out.extend(
                    self.seconds[range.clone()]
                        .iter()
                        .zip(&us[range])
                        .map(|(s, u)| second(s).wrapping_add(i64::from(*u))),
                );
            }
            TimeRest::Wide(all) => out.extend_from_slice(&all[range]),
        }
    }

    /// Sets in `words` the bit of each event of `range` that is more than `gap` microseconds after the one before it, and
    /// clears the others. Where times fall, at the first event of a customer, the bit means nothing.
    ///
    /// Whole seconds decide but where they come within a second of the gap; only there the rest of the second is read.
    pub(crate) fn gaps_into(&self, range: Range<usize>, gap: i64, words: &mut [u64]) {
        words.fill(0);
        let bit = |words: &mut [u64], i: usize| {
            words[(i - range.start) / 64] |= 1 << ((i - range.start) % 64)
        };
        let leaps = |i: usize| i > 0 && self.get(i).saturating_sub(self.get(i - 1)) > gap;
        let low = u32::try_from(gap.div_euclid(SECOND)).ok();
        let high = low.and_then(|low| low.checked_add(2));
        let (Some(low), Some(high), false) = (low, high, matches!(self.rest, TimeRest::Wide(_)))
        else {
            for i in range.clone().filter(|&i| leaps(i)) {
                bit(words, i);
            }
            return;
        };
        let Some(seconds) = self.seconds.get(range.clone()) else {
            return;
        };
        let before = range.start.checked_sub(1).map_or(0, |i| self.seconds[i]);
        if matches!(self.rest, TimeRest::None) {
            let mut unused = vec![0; words.len()];
            desireline_kernels::gaps(seconds, before, low + 1, high, words, &mut unused);
            return;
        }
        let mut near = vec![0; words.len()];
        desireline_kernels::gaps(seconds, before, low, high, &mut near, words);
        for (at, near) in near.iter().enumerate() {
            let mut open = near & !words[at];
            while open != 0 {
                let i = range.start + at * 64 + open.trailing_zeros() as usize;
                open &= open - 1;
                if leaps(i) {
                    bit(words, i);
                }
            }
        }
    }

    /// Bytes held.
    pub fn held_bytes(&self) -> usize {
        self.seconds.held_bytes()
            + match &self.rest {
                TimeRest::None => 0,
                TimeRest::Millis(v) => v.held_bytes(),
                TimeRest::Micros(v) => v.held_bytes(),
                TimeRest::Wide(v) => v.held_bytes(),
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_time_comes_back(
            base in -4_000_000_000_000_000i64..4_000_000_000_000_000,
            steps in prop::collection::vec(0i64..10_000_000_000, 0..50),
            grain in prop::sample::select(vec![1i64, 1_000, 1_000_000]),
        ) {
            let times: Vec<i64> = steps.iter().map(|s| (base + s) / grain * grain).collect();
            let stored = Times::gather(times.len(), |i| times[i]);
            let mut out = Vec::new();
            stored.decode_into(0..times.len(), &mut out);
            prop_assert_eq!(&out, &times);
            prop_assert!((0..times.len()).all(|i| stored.get(i) == times[i]));
        }

        #[test]
        fn gaps_are_those_of_the_times(
            steps in prop::collection::vec(
                prop_oneof![0i64..3_000_000, 1_799_000_000i64..1_801_100_000, Just(1_800_000_000i64)], 1..300),
            grain in prop::sample::select(vec![1i64, 1_000, 1_000_000]),
            gap in prop_oneof![Just(1_800_000_000i64), 0i64..3_000_000, Just(i64::MAX)],
            wide in any::<bool>(),
            start in 0usize..100,
        ) {
            let first = if wide { -9_000_000_000_000_000 } else { 0 };
            let mut times = vec![first];
            let mut now = 0;
            for step in steps {
                now += step / grain * grain;
                times.push(now);
            }
            let stored = Times::gather(times.len(), |i| times[i]);
            let range = start.min(times.len())..times.len();
            let mut words = vec![u64::MAX; range.len().div_ceil(64)];
            stored.gaps_into(range.clone(), gap, &mut words);
            for i in range.clone() {
                let place = i - range.start;
                let wanted = i > 0 && times[i] - times[i - 1] > gap;
                prop_assert_eq!(words[place / 64] >> (place % 64) & 1 == 1, wanted, "event {}", i);
            }
        }
    }

    #[test]
    fn the_edges_of_i64_are_exact() {
        let times = [i64::MIN, -1, 0, 1, i64::MAX];
        let stored = Times::gather(times.len(), |i| times[i]);
        assert_eq!((0..5).map(|i| stored.get(i)).collect::<Vec<_>>(), times);
        for near in [[i64::MAX - 3, i64::MAX - 1], [i64::MIN, i64::MIN + 7]] {
            let stored = Times::gather(2, |i| near[i]);
            assert_eq!([stored.get(0), stored.get(1)], near);
        }
    }
}
