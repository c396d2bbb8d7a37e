//! How the times of a log are numbered, so that most of a time is in 32 bits.

use serde::{Deserialize, Serialize};

/// The coarsest unit of which all times of a log are multiples.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grain {
    /// Whole seconds.
    Seconds,
    /// Milliseconds.
    Millis,
    /// Microseconds.
    Micros,
}

impl Grain {
    /// Its length in microseconds.
    #[inline]
    pub fn micros(self) -> i64 {
        match self {
            Grain::Seconds => 1_000_000,
            Grain::Millis => 1_000,
            Grain::Micros => 1,
        }
    }
}

/// How times are numbered: `time = base + grain · (tick · 2^shift + rest)`, with a tick of 32 bits and a rest of `shift`
/// bits. The shift is as small as the stretch from the first to the last time allows: 0 for 136 years of seconds or 49
/// days of milliseconds, 2 for half a year of milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeScale {
    /// What tick 0 stands for, in microseconds since 1970.
    pub base: i64,
    /// The unit.
    pub grain: Grain,
    /// Bits of a time, in units since the base, that a tick does not hold; at most 32.
    pub shift: u8,
}

impl Default for TimeScale {
    fn default() -> TimeScale {
        TimeScale {
            base: 0,
            grain: Grain::Seconds,
            shift: 0,
        }
    }
}

impl TimeScale {
    /// The scale for multiples of `grain` from `low` to `high`. Where a tick can count plain seconds, milliseconds or
    /// microseconds since 1970, it does.
    pub fn over(grain: Grain, low: i64, high: i64) -> TimeScale {
        let units = |from: i64| {
            let stretch = high.wrapping_sub(from).cast_unsigned();
            stretch / grain.micros().cast_unsigned()
        };
        if low > high || (low >= 0 && units(0) <= u64::from(u32::MAX)) {
            return TimeScale {
                base: 0,
                grain,
                shift: 0,
            };
        }
        let bits = u64::BITS - units(low).leading_zeros();
        TimeScale {
            base: low,
            grain,
            shift: u8::try_from(bits.saturating_sub(u32::BITS)).unwrap_or(0),
        }
    }

    /// Units from the base to `time`.
    #[inline]
    pub(super) fn units(self, time: i64) -> u64 {
        let since = time.wrapping_sub(self.base).cast_unsigned();
        match self.grain {
            Grain::Seconds => since / 1_000_000,
            Grain::Millis => since / 1_000,
            Grain::Micros => since,
        }
    }

    /// The time so many units after the base. Wraps where no scale that was made for its times leads.
    #[inline]
    pub(super) fn time(self, units: u64) -> i64 {
        let since = units.cast_signed().wrapping_mul(self.grain.micros());
        self.base.wrapping_add(since)
    }

    /// The tick of a time that this scale was made for.
    #[inline]
    #[allow(clippy::cast_possible_truncation)] // the shift is chosen for it to fit
    pub(super) fn tick(self, time: i64) -> u32 {
        (self.units(time) >> self.shift) as u32
    }

    /// What of a time its tick leaves.
    #[inline]
    #[allow(clippy::cast_possible_truncation)] // at most 32 bits
    pub(super) fn rest(self, time: i64) -> u32 {
        (self.units(time) & ((1 << self.shift) - 1)) as u32
    }
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

impl Span {
    #[inline]
    fn add(&mut self, time: i64) {
        self.low = self.low.min(time);
        self.high = self.high.max(time);
        self.whole_seconds &= time % 1_000_000 == 0;
        self.whole_millis &= time % 1_000 == 0;
    }

    pub(super) fn of(times: impl IntoIterator<Item = i64>) -> Span {
        let mut span = Span::default();
        times.into_iter().for_each(|t| span.add(t));
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

    pub(super) fn scale(&self) -> TimeScale {
        let grain = match (self.whole_seconds, self.whole_millis) {
            (true, _) => Grain::Seconds,
            (false, true) => Grain::Millis,
            (false, false) => Grain::Micros,
        };
        TimeScale::over(grain, self.low, self.high)
    }
}
