//! The time column: microseconds at the interface, fewer bytes inside.

use std::borrow::Cow;
use std::ops::Range;

use super::Array;
use super::scale::{Span, TimeScale};

/// The times of a block's events, exact to the microsecond.
///
/// A tick of 32 bits each, which is all that most questions look at, and what the [scale](TimeScale) leaves beside it.
/// Half a year in milliseconds takes 4¼ bytes an event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Times {
    scale: TimeScale,
    ticks: Array<u32>,
    rest: TimeRest,
}

/// What a time has beside its tick: as many bits as the scale's shift.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum TimeRest {
    /// Nothing.
    #[default]
    None,
    /// Up to eight bits, with those of other events in one word.
    Packed(Packed),
    /// Up to 16 bits.
    Short(Array<u16>),
    /// Up to 32 bits.
    Long(Array<u32>),
}

impl Times {
    /// Stores `len` times, each asked of `time`.
    pub fn gather(len: usize, time: impl Fn(usize) -> i64) -> Times {
        let scale = Span::of((0..len).map(&time)).scale();
        Times::in_scale(scale, len, time)
    }

    fn in_scale(scale: TimeScale, len: usize, time: impl Fn(usize) -> i64) -> Times {
        let ticks = (0..len).map(|i| scale.tick(time(i))).collect();
        let rest = |i| scale.rest(time(i));
        #[allow(clippy::cast_possible_truncation)] // as many bits as the shift says
        let rest = TimeRest::of(
            scale.shift,
            || (0..len).map(|i| rest(i) as u8).collect(),
            || (0..len).map(|i| rest(i) as u16).collect(),
            || (0..len).map(rest).collect(),
        );
        Times { scale, ticks, rest }
    }

    /// Times from their parts; `None` when the rests are not as many as the ticks, or not of the width that the scale's
    /// shift asks for. Whether wide rests are within it is not looked at.
    pub fn from_parts(scale: TimeScale, ticks: Array<u32>, rest: TimeRest) -> Option<Times> {
        let n = ticks.len();
        let fits = match (&rest, scale.shift) {
            (TimeRest::None, 0) => true,
            (TimeRest::Packed(all), 1..=8) => {
                all.width == scale.shift.next_power_of_two() && all.len() == n
            }
            (TimeRest::Short(all), 9..=16) => all.len() == n,
            (TimeRest::Long(all), 17..=32) => all.len() == n,
            _ => false,
        };
        fits.then_some(Times { scale, ticks, rest })
    }

    /// How times are numbered.
    pub fn scale(&self) -> TimeScale {
        self.scale
    }

    /// The ticks.
    pub fn ticks(&self) -> &Array<u32> {
        &self.ticks
    }

    /// What the times have beside their ticks.
    pub fn rest(&self) -> &TimeRest {
        &self.rest
    }

    /// The same times in a scale that holds them all.
    pub fn rescaled(&self, scale: TimeScale) -> Cow<'_, Times> {
        if scale == self.scale {
            Cow::Borrowed(self)
        } else {
            Cow::Owned(Times::in_scale(scale, self.len(), |i| self.get(i)))
        }
    }

    /// The earliest and the latest time; `None` when there are none.
    pub fn extent(&self) -> Option<(i64, i64)> {
        self.extent_of(0..self.len())
    }

    /// The same of some events. Only where a tick is the least or greatest yet, its rests are read.
    pub(super) fn extent_of(&self, rows: Range<usize>) -> Option<(i64, i64)> {
        let (mut least, mut most) = (u32::MAX, 0);
        let mut extent: Option<(i64, i64)> = None;
        for from in rows.clone().step_by(LOOK) {
            let ticks = self.ticks.get(from..rows.end.min(from + LOOK))?;
            let (low, high) = ticks
                .iter()
                .fold((u32::MAX, 0), |(low, high), t| (low.min(*t), high.max(*t)));
            if low > least && high < most {
                continue;
            }
            least = least.min(low);
            most = most.max(high);
            for (i, tick) in (from..).zip(ticks) {
                if *tick == least || *tick == most {
                    let time = self.get(i);
                    let (first, last) = extent.unwrap_or((time, time));
                    extent = Some((first.min(time), last.max(time)));
                }
            }
        }
        extent
    }

    /// Calls `each` with every event of `rows` whose tick is not above that of the event before it. The first event of
    /// all counts as one.
    pub(super) fn not_later(&self, rows: Range<usize>, mut each: impl FnMut(usize)) {
        let from = rows.start.max(1);
        if rows.start == 0 && !rows.is_empty() {
            each(0);
        }
        let Some(ticks) = self.ticks.get(from - 1..rows.end.max(from)) else {
            return;
        };
        let mut row = from;
        // Bits first: which ones they are cannot be foreseen, and most are none.
        for (ticks, before) in ticks[1..].chunks(64).zip(ticks.chunks(64)) {
            let pairs = ticks.iter().zip(before).enumerate();
            let mut open = pairs.fold(0u64, |bits, (i, (here, before))| {
                bits | u64::from(here <= before) << i
            });
            while open != 0 {
                each(row + open.trailing_zeros() as usize);
                open &= open - 1;
            }
            row += 64;
        }
    }

    /// Whether events `i` and `j` have the same time.
    #[inline]
    pub(super) fn same(&self, i: usize, j: usize) -> bool {
        self.ticks[i] == self.ticks[j] && self.get(i) == self.get(j)
    }

    /// How many times there are.
    pub fn len(&self) -> usize {
        self.ticks.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ticks.is_empty()
    }

    /// The time of event `i` in microseconds since 1970.
    #[inline]
    pub fn get(&self, i: usize) -> i64 {
        let high = u64::from(self.ticks[i]) << self.scale.shift;
        let low = match &self.rest {
            TimeRest::None => 0,
            TimeRest::Packed(all) => all.get(i),
            TimeRest::Short(all) => u64::from(all[i]),
            TimeRest::Long(all) => u64::from(all[i]),
        };
        self.scale.time(high | low)
    }

    /// Replaces the content of `out` by the times of `range`.
    pub fn decode_into(&self, range: Range<usize>, out: &mut Vec<i64>) {
        out.clear();
        let ticks = &self.ticks[range.clone()];
        let TimeScale { shift, .. } = self.scale;
        let time = |(tick, low): (&u32, u64)| self.scale.time(u64::from(*tick) << shift | low);
        match &self.rest {
            TimeRest::None => out.extend(ticks.iter().map(|t| time((t, 0)))),
            TimeRest::Packed(all) => {
                let mut room = [0; STRIDE];
                for (at, ticks) in ticks.chunks(STRIDE).enumerate() {
                    all.decode(range.start + at * STRIDE, &mut room);
                    let low = room.iter().map(|rest| u64::from(*rest));
                    out.extend(ticks.iter().zip(low).map(time));
                }
            }
            TimeRest::Short(all) => {
                let low = all[range].iter().map(|r| u64::from(*r));
                out.extend(ticks.iter().zip(low).map(time));
            }
            TimeRest::Long(all) => {
                let low = all[range].iter().map(|r| u64::from(*r));
                out.extend(ticks.iter().zip(low).map(time));
            }
        }
    }

    /// Sets in `words` the bit of each event of `range` that is more than `gap` microseconds after the one before it, and
    /// clears the others. Where times fall, at the first event of a customer, the bit means nothing.
    ///
    /// Ticks decide but where they come within one of the gap; only there the rests are read.
    pub(crate) fn gaps_into(&self, range: Range<usize>, gap: i64, words: &mut [u64]) {
        words.fill(0);
        let leaps = |i: usize| i > 0 && self.get(i).saturating_sub(self.get(i - 1)) > gap;
        let Some((low, high)) = self.near(gap) else {
            for i in range.clone().filter(|&i| leaps(i)) {
                words[(i - range.start) / 64] |= 1 << ((i - range.start) % 64);
            }
            return;
        };
        let Some(ticks) = self.ticks.get(range.clone()) else {
            return;
        };
        let before = range.start.checked_sub(1).map_or(0, |i| self.ticks[i]);
        let mut near = vec![0; words.len()];
        desireline_kernels::gaps(ticks, before, low, high, &mut near, words);
        if self.scale.shift == 0 {
            return;
        }
        for (at, near) in near.iter().enumerate() {
            let mut open = near & !words[at];
            while open != 0 {
                let place = open.trailing_zeros();
                open &= open - 1;
                if leaps(range.start + at * 64 + place as usize) {
                    words[at] |= 1 << place;
                }
            }
        }
    }

    /// By how many ticks times may differ that are more than `gap` apart, and by how many they must; `None` where no
    /// 32 bits say it.
    fn near(&self, gap: i64) -> Option<(u32, u32)> {
        let units = u64::try_from(gap).ok()? / self.scale.grain.micros().cast_unsigned();
        let step = 1u64 << self.scale.shift;
        let low = (units + 1) / step;
        let high = units.checked_add(step - 1)? / step + 1;
        Some((low.try_into().ok()?, high.try_into().ok()?))
    }

    /// Bytes held.
    pub fn held_bytes(&self) -> usize {
        let rest = match &self.rest {
            TimeRest::None => 0,
            TimeRest::Packed(all) => all.words.held_bytes(),
            TimeRest::Short(all) => all.held_bytes(),
            TimeRest::Long(all) => all.held_bytes(),
        };
        self.ticks.held_bytes() + rest
    }
}

impl TimeRest {
    /// In the width that `shift` bits take.
    pub(super) fn of(
        shift: u8,
        bytes: impl FnOnce() -> Vec<u8>,
        shorts: impl FnOnce() -> Vec<u16>,
        longs: impl FnOnce() -> Vec<u32>,
    ) -> TimeRest {
        match shift {
            0 => TimeRest::None,
            1..=8 => TimeRest::Packed(Packed::of(shift.next_power_of_two(), &bytes())),
            9..=16 => TimeRest::Short(shorts().into()),
            _ => TimeRest::Long(longs().into()),
        }
    }
}

/// Numbers of 1, 2, 4 or 8 bits, end to end in 64-bit words, the first in the lowest bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packed {
    width: u8,
    len: usize,
    words: Array<u64>,
}

/// Ticks that are looked at together.
const LOOK: usize = 1 << 13;

/// Numbers that are unpacked at once.
const STRIDE: usize = 64;

impl Packed {
    fn of(width: u8, numbers: &[u8]) -> Packed {
        let word = |all: &[u8]| {
            let all = all.iter().rev();
            all.fold(0, |word: u64, n| {
                word.unbounded_shl(width.into()) | u64::from(*n)
            })
        };
        let in_word = 64 / usize::from(width);
        Packed {
            width,
            len: numbers.len(),
            words: numbers.chunks(in_word).map(word).collect(),
        }
    }

    /// `len` numbers of `width` bits; `None` unless the width is 1, 2, 4 or 8 and the words are as many as they take.
    pub fn from_words(width: u8, len: usize, words: Array<u64>) -> Option<Packed> {
        let bits = len.checked_mul(width.into())?;
        let fits = matches!(width, 1 | 2 | 4 | 8) && words.len() == bits.div_ceil(64);
        fits.then_some(Packed { width, len, words })
    }

    /// Bits of a number.
    pub fn width(&self) -> u8 {
        self.width
    }

    /// How many numbers there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The words.
    pub fn words(&self) -> &Array<u64> {
        &self.words
    }

    #[inline]
    pub(super) fn get(&self, i: usize) -> u64 {
        let bit = i * usize::from(self.width);
        self.words[bit / 64] >> (bit % 64) & ((1 << self.width) - 1)
    }

    /// The numbers from `from` on, a byte each; any byte past the end.
    fn decode(&self, from: usize, out: &mut [u8; STRIDE]) {
        let width = usize::from(self.width);
        let words = self.words.as_slice();
        let word = |w: usize| words.get(w).copied().unwrap_or(0);
        // Eight numbers are as many bytes as one has bits; they may lie in two words.
        let eight = |at: usize| {
            let bit = (from + at) * width;
            match bit % 64 {
                0 => word(bit / 64),
                over => word(bit / 64) >> over | word(bit / 64 + 1) << (64 - over),
            }
        };
        let (out, _) = out.as_chunks_mut::<8>();
        for (at, out) in out.iter_mut().enumerate() {
            *out = spread(self.width, eight(at * 8)).to_le_bytes();
        }
    }
}

/// The lowest eight numbers of `width` bits, a byte each: halves are moved apart until each has its own.
#[inline]
fn spread(width: u8, word: u64) -> u64 {
    let apart = |word: u64, by: u32, kept: u64| (word | word << by) & kept;
    let fours = |word| apart(word, 16, 0x0000_ffff_0000_ffff);
    let twos = |word| apart(word, 8, 0x00ff_00ff_00ff_00ff);
    match width {
        1 => {
            let word = apart(word & 0xff, 28, 0x0000_000f_0000_000f);
            apart(
                apart(word, 14, 0x0003_0003_0003_0003),
                7,
                0x0101_0101_0101_0101,
            )
        }
        2 => {
            let word = apart(word & 0xffff, 24, 0x0000_00ff_0000_00ff);
            apart(
                apart(word, 12, 0x000f_000f_000f_000f),
                6,
                0x0303_0303_0303_0303,
            )
        }
        4 => apart(twos(fours(word & 0xffff_ffff)), 4, 0x0f0f_0f0f_0f0f_0f0f),
        _ => word,
    }
}

#[cfg(test)]
mod tests {
    use super::super::scale::Grain;
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_time_comes_back(
            base in -4_000_000_000_000_000i64..4_000_000_000_000_000,
            steps in prop::collection::vec(0i64..10_000_000_000, 0..50),
            grain in prop::sample::select(vec![1i64, 1_000, 1_000_000]),
            stretch in prop::sample::select(vec![1i64, 1_000, 100_000, 1_000_000_000]),
            from in 0usize..70,
        ) {
            let time = |s: &i64| base.wrapping_add(s.wrapping_mul(stretch)) / grain * grain;
            let times: Vec<i64> = steps.iter().map(time).collect();
            let stored = Times::gather(times.len(), |i| times[i]);
            let mut out = Vec::new();
            for from in [0, from.min(times.len())] {
                stored.decode_into(from..times.len(), &mut out);
                prop_assert_eq!(&out, &times[from..]);
            }
            prop_assert!((0..times.len()).all(|i| stored.get(i) == times[i]));
            let rebuilt = Times::from_parts(stored.scale(), stored.ticks().clone(), stored.rest().clone());
            prop_assert_eq!(rebuilt.as_ref(), Some(&stored));
            let Some((low, high)) = stored.extent() else { return Ok(()) };
            let finer = stored.rescaled(TimeScale::over(Grain::Micros, low, high.saturating_add(1 << 40)));
            prop_assert!((0..times.len()).all(|i| finer.get(i) == times[i]));
        }

        #[test]
        fn extent_and_order_are_those_of_the_times(
            steps in prop::collection::vec(prop_oneof![Just(0i64), -3i64..4, -9_000_000_000..9_000_000_000i64], 1..200),
            repeated in prop::sample::select(vec![1usize, 100]),
            grain in prop::sample::select(vec![1i64, 1_000, 1_000_000]),
            from in 0usize..300,
        ) {
            let mut now = 0i64;
            let steps = steps.iter().cycle().take(steps.len() * repeated);
            let times: Vec<i64> = steps.map(|step| { now = now.wrapping_add(step * grain); now }).collect();
            let stored = Times::gather(times.len(), |i| times[i]);
            let rows = from.min(times.len() - 1)..times.len();
            let given = &times[rows.clone()];
            let extent = given.iter().min().copied().zip(given.iter().max().copied());
            prop_assert_eq!(stored.extent_of(rows.clone()), extent);
            let mut odd = Vec::new();
            stored.not_later(rows.clone(), |i| odd.push(i));
            prop_assert!(odd.is_sorted() && odd.iter().all(|i| rows.contains(i)));
            let found = |i: &usize| odd.binary_search(i).is_ok();
            prop_assert!(rows.clone().filter(|i| *i == 0 || times[*i] <= times[*i - 1]).all(|i| found(&i)));
            prop_assert!(odd.iter().all(|i| *i == 0 || stored.ticks()[*i] <= stored.ticks()[*i - 1]));
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
    fn packed_numbers_come_back_from_any_place() {
        for width in [1u8, 2, 4, 8] {
            let numbers: Vec<u8> = (0..200u32)
                .map(|i| (i.wrapping_mul(2_654_435_761) >> (32 - u32::from(width))) as u8)
                .collect();
            let packed = Packed::of(width, &numbers);
            let mut room = [0; STRIDE];
            for from in 0..=numbers.len() {
                packed.decode(from, &mut room);
                assert!(numbers[from..].iter().zip(&room).all(|(n, r)| n == r));
            }
            assert!((0..200).all(|i| packed.get(i) == u64::from(numbers[i])));
            let words = packed.words().clone();
            assert_eq!(Packed::from_words(width, 200, words.clone()), Some(packed));
            assert_eq!(Packed::from_words(width, 300, words.clone()), None);
            assert_eq!(Packed::from_words(3, 200, words), None);
        }
    }

    #[test]
    fn the_edges_of_i64_are_exact() {
        let times = [i64::MIN, -1, 0, 1, i64::MAX];
        let stored = Times::gather(times.len(), |i| times[i]);
        assert_eq!((0..5).map(|i| stored.get(i)).collect::<Vec<_>>(), times);
        assert_eq!(stored.scale().shift, 32);
        for near in [[i64::MAX - 3, i64::MAX - 1], [i64::MIN, i64::MIN + 7]] {
            let stored = Times::gather(2, |i| near[i]);
            assert_eq!([stored.get(0), stored.get(1)], near);
        }
    }

    #[test]
    fn half_a_year_of_milliseconds_takes_four_bytes_and_a_quarter() {
        let n = 64_000;
        let time = |i: usize| 1_735_689_600_000_000 + i as i64 * 243_001_000;
        let stored = Times::gather(n, time);
        assert_eq!(
            (stored.scale().grain, stored.scale().shift),
            (Grain::Millis, 2)
        );
        assert_eq!(stored.held_bytes() * 4, 17 * n);
        let seconds = Times::gather(n, |i| 1_735_689_600_000_000 + i as i64 * 1_000_000);
        assert_eq!(
            (seconds.ticks()[1], seconds.held_bytes()),
            (1_735_689_601, 4 * n)
        );
    }
}
