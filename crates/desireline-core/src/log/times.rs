//! The time column: microseconds at the interface, fewer bytes inside.

use std::ops::Range;

use super::Array;

const SECOND: i64 = 1_000_000;

/// The times of a block's events, exact to the microsecond.
///
/// Seconds since 1970, or since the block's first second where that is earlier or too late, in 32 bits, and the rest of
/// the second in as many bits as the finest time needs; only a block that spans more than 136 years falls back to 64 bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Times {
    base: i64,
    seconds: Array<u32>,
    rest: TimeRest,
}

/// What a time has beside its seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TimeRest {
    /// Nothing: all times are whole seconds.
    None,
    /// Milliseconds, below 1,000.
    Millis(Array<u16>),
    /// Microseconds, below 1,000,000.
    Micros(Array<u32>),
    /// Everything: microseconds since 1970. There are no seconds then.
    Wide(Array<i64>),
}

impl Times {
    /// Stores `len` times, each asked of `time`.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // ranges are checked before each cast
    pub fn gather(len: usize, time: impl Fn(usize) -> i64) -> Times {
        let (mut low, mut high, mut whole_seconds, mut whole_millis) =
            (i64::MAX, i64::MIN, true, true);
        for i in 0..len {
            let t = time(i);
            low = low.min(t);
            high = high.max(t);
            whole_seconds &= t % SECOND == 0;
            whole_millis &= t % 1_000 == 0;
        }
        if len == 0 {
            return Times {
                base: 0,
                seconds: Array::new(),
                rest: TimeRest::None,
            };
        }
        // From 1970 to 2106 the column says plain Unix seconds, whatever the block.
        let last = high.div_euclid(SECOND);
        let base = match low.div_euclid(SECOND) {
            first if first >= 0 && last <= i64::from(u32::MAX) => 0,
            first => first,
        };
        if last - base > i64::from(u32::MAX) {
            return Times {
                base: 0,
                seconds: Array::new(),
                rest: TimeRest::Wide((0..len).map(time).collect()),
            };
        }
        let seconds = (0..len)
            .map(|i| (time(i).div_euclid(SECOND) - base) as u32)
            .collect();
        let rest = if whole_seconds {
            TimeRest::None
        } else if whole_millis {
            TimeRest::Millis(
                (0..len)
                    .map(|i| (time(i).rem_euclid(SECOND) / 1_000) as u16)
                    .collect(),
            )
        } else {
            TimeRest::Micros(
                (0..len)
                    .map(|i| time(i).rem_euclid(SECOND) as u32)
                    .collect(),
            )
        };
        Times {
            base,
            seconds,
            rest,
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
        (0..self.len())
            .map(|i| self.get(i))
            .fold(None, |extent, t| match extent {
                None => Some((t, t)),
                Some((low, high)) => Some((low.min(t), high.max(t))),
            })
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
