//! The time column: microseconds at the interface, fewer bytes inside.

use std::ops::Range;

const SECOND: i64 = 1_000_000;

/// The times of a block's events, exact to the microsecond.
///
/// Seconds since the block's first second in 32 bits, and the rest of the second in as many bits as the finest
/// time needs; only a block that spans more than 136 years falls back to 64 bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Times {
    base: i64,
    seconds: Vec<u32>,
    rest: Rest,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Rest {
    None,
    Millis(Vec<u16>),
    Micros(Vec<u32>),
    /// The whole time; `seconds` is empty.
    Wide(Vec<i64>),
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
                seconds: Vec::new(),
                rest: Rest::None,
            };
        }
        let base = low.div_euclid(SECOND);
        if high.div_euclid(SECOND) - base > i64::from(u32::MAX) {
            return Times {
                base: 0,
                seconds: Vec::new(),
                rest: Rest::Wide((0..len).map(time).collect()),
            };
        }
        let seconds = (0..len)
            .map(|i| (time(i).div_euclid(SECOND) - base) as u32)
            .collect();
        let rest = if whole_seconds {
            Rest::None
        } else if whole_millis {
            Rest::Millis(
                (0..len)
                    .map(|i| (time(i).rem_euclid(SECOND) / 1_000) as u16)
                    .collect(),
            )
        } else {
            Rest::Micros(
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
            Rest::Wide(all) => all.len(),
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
            Rest::None => second(),
            Rest::Millis(ms) => second().wrapping_add(i64::from(ms[i]) * 1_000),
            Rest::Micros(us) => second().wrapping_add(i64::from(us[i])),
            Rest::Wide(all) => all[i],
        }
    }

    /// Replaces the content of `out` by the times of `range`.
    pub fn decode_into(&self, range: Range<usize>, out: &mut Vec<i64>) {
        out.clear();
        let second = |s: &u32| self.second(*s);
        match &self.rest {
            Rest::None => out.extend(self.seconds[range].iter().map(second)),
            Rest::Millis(ms) => out.extend(
                self.seconds[range.clone()]
                    .iter()
                    .zip(&ms[range])
                    .map(|(s, m)| second(s).wrapping_add(i64::from(*m) * 1_000)),
            ),
            Rest::Micros(us) => {
                out.extend(
                    self.seconds[range.clone()]
                        .iter()
                        .zip(&us[range])
                        .map(|(s, u)| second(s).wrapping_add(i64::from(*u))),
                );
            }
            Rest::Wide(all) => out.extend_from_slice(&all[range]),
        }
    }

    /// Bytes on the heap.
    pub fn heap_bytes(&self) -> usize {
        self.seconds.capacity() * 4
            + match &self.rest {
                Rest::None => 0,
                Rest::Millis(v) => v.capacity() * 2,
                Rest::Micros(v) => v.capacity() * 4,
                Rest::Wide(v) => v.capacity() * 8,
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
