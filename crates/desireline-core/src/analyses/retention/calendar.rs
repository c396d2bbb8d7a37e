//! Calendar periods as numbers: their first instants, worked out once for the whole log, and a table that finds the period
//! of a time as it is stored in a few instructions.

use std::sync::OnceLock;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ToSpan};

use super::spec::{PeriodUnit, Retention, Weekday, problem_of};
use crate::error::SpecError;
use crate::log::Catalog;
use crate::time::format_instant;

const SECOND: i64 = 1_000_000;

/// More cohorts than this are no report: 179 years of days.
pub(super) const MAX_COHORTS: usize = 1 << 16;

/// The periods from that of the log's first event on.
#[derive(Debug)]
pub(super) struct Calendar {
    unit: PeriodUnit,
    /// The civil day that each begins with.
    days: Vec<Date>,
    /// The first second of each, ascending. Midnights lie on whole seconds in every zone.
    seconds: Vec<i64>,
    /// Up to the one of the log's last event; those after it are there to know what is over.
    n_cohorts: usize,
    /// The log's first and last time.
    extent: (i64, i64),
    /// For the scale of the first block that was looked at; a log has one.
    table: OnceLock<Option<Table>>,
}

/// How a block numbers its times: what tick 0 stands for and how long a tick is, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scale {
    pub(super) base: i64,
    pub(super) tick: i64,
}

/// Finds the period of a tick: stretches of two to the `shift` ticks, shorter than any period, so that at most one period
/// begins in each.
#[derive(Debug)]
pub(super) struct Table {
    scale: Scale,
    shift: u32,
    /// The period of the stretch's first tick, above; below, the first tick that is wholly in the next period, if that
    /// lies in the stretch or right after it, else the largest number.
    stretches: Vec<u64>,
    /// The first tick that is wholly in the period after each.
    ends: Vec<u32>,
}

/// What a table knows of a tick.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    pub(super) period: u32,
    /// The next period begins with the next tick or within this one: the tick alone may not decide.
    pub(super) is_near: bool,
}

impl Calendar {
    pub(super) fn new(
        spec: &Retention,
        catalog: &Catalog,
        last_period: u32,
    ) -> Result<Calendar, SpecError> {
        let zone = jiff::tz::db().get(&spec.time_zone).map_err(|_| {
            let name = &spec.time_zone;
            let problem =
                format!("`{name}` is no time zone; use an IANA name such as Europe/Berlin or UTC");
            problem_of("time_zone", problem)
        })?;
        let (first, last) = (catalog.first_time, catalog.last_time);
        let outside = || {
            let (first, last) = (format_instant(first), format_instant(last));
            let problem = format!(
                "the log goes from {first} to {last}, beyond the years -9999 to 9999 that calendars have"
            );
            problem_of("unit", problem)
        };
        let instant = |time| Timestamp::from_microsecond(time).map_err(|_| outside());
        instant(last)?;
        let day = instant(first)?.to_zoned(zone.clone()).date();
        let mut day = first_day(spec, day).ok_or_else(outside)?;
        let step = step(spec.unit);

        let (mut days, mut seconds): (Vec<Date>, Vec<i64>) = (Vec::new(), Vec::new());
        let mut n_cohorts = 0;
        // One more than the last period of the last cohort, for where that one ends.
        let beyond = last_period as usize + 2;
        while let Some(second) = begins(day, &zone) {
            if seconds.last() == Some(&second) {
                // A day that the zone skipped has no instant and is no period.
                days.pop();
                seconds.pop();
            }
            days.push(day);
            seconds.push(second);
            let micros = second.saturating_mul(SECOND);
            if micros <= last {
                n_cohorts = seconds.len();
                if n_cohorts > MAX_COHORTS {
                    return Err(too_many(spec, first, last));
                }
            } else if micros > catalog.observed_until || seconds.len() >= n_cohorts + beyond {
                break;
            }
            match day.checked_add(step) {
                Ok(next) => day = next,
                Err(_) => break,
            }
        }
        // Where the calendar ends, all that is left of it is one period that is never over.
        if n_cohorts == 0 {
            return Err(outside());
        }
        Ok(Calendar {
            unit: spec.unit,
            days,
            seconds,
            n_cohorts,
            extent: (first, last),
            table: OnceLock::new(),
        })
    }

    pub(super) fn n_cohorts(&self) -> usize {
        self.n_cohorts
    }

    /// The table for a block's scale, and what to add to the block's ticks for those of the table.
    pub(super) fn table(&self, scale: Scale) -> Option<(&Table, i64)> {
        let make = || Table::new(&self.seconds[..self.n_cohorts], self.extent, scale);
        let table = self.table.get_or_init(make).as_ref()?;
        let ahead = scale.base.checked_sub(table.scale.base)?;
        if table.scale.tick != scale.tick || ahead % scale.tick != 0 {
            return None;
        }
        Some((table, ahead / scale.tick))
    }

    /// The period of a time in the log, in microseconds.
    pub(super) fn period(&self, time: i64) -> usize {
        let second = time.div_euclid(SECOND);
        let later = self.seconds.partition_point(|begin| *begin <= second);
        later.saturating_sub(1)
    }

    /// The first instant of a period in microseconds; `None` where that is after the end of observation.
    pub(super) fn begins(&self, period: usize) -> Option<i64> {
        let second = self.seconds.get(period)?;
        Some(second.saturating_mul(SECOND))
    }

    /// What people call the period.
    pub(super) fn name(&self, period: usize) -> String {
        match (self.days.get(period), self.unit) {
            (None, _) => String::new(),
            (Some(day), PeriodUnit::Month) => {
                let text = day.to_string();
                text.get(..text.len().saturating_sub(3))
                    .unwrap_or_default()
                    .to_owned()
            }
            (Some(day), _) => day.to_string(),
        }
    }
}

impl Table {
    /// `None` where 32 bits do not hold the log's ticks, or the table would be large.
    fn new(begins: &[i64], (first, last): (i64, i64), scale: Scale) -> Option<Table> {
        /// Four megabytes.
        const MOST: usize = 1 << 19;
        // The tick of the log's first event is tick 0 of the table, so that all of a log's ticks fit; it lies in period 0.
        let to_first = first.checked_sub(scale.base)?.div_euclid(scale.tick);
        let base = scale.base.checked_add(to_first.checked_mul(scale.tick)?)?;
        let scale = Scale { base, ..scale };
        let since = |time: i64| u32::try_from(time.checked_sub(base)?.div_euclid(scale.tick)).ok();
        let range = since(last).filter(|range| *range < u32::MAX - 2)?;
        let wholly = |second: &i64| {
            let tick = since(second.checked_mul(SECOND)?.checked_sub(1)?)?;
            Some(u64::from(tick) + 1)
        };
        let begins: Vec<u64> = begins.iter().skip(1).map(wholly).collect::<Option<_>>()?;
        let lengths = begins.windows(2).map(|w| w[1] - w[0]);
        let shortest = lengths.chain(begins.first().copied()).min();
        let shift = shortest.map_or(31, |s| s.max(1).ilog2()).min(31);
        let n_stretches = (range >> shift) as usize + 1;
        if n_stretches > MOST {
            return None;
        }
        let mut stretches = Vec::with_capacity(n_stretches);
        let mut next = begins.iter().copied().enumerate().peekable();
        let mut period = 0;
        for stretch in 0..n_stretches as u64 {
            let (start, end) = (stretch << shift, (stretch + 1) << shift);
            while let Some((before, _)) = next.next_if(|(_, begin)| *begin <= start) {
                period = before as u64 + 1;
            }
            let bound = next.peek().map(|(_, b)| *b).filter(|b| *b <= end);
            stretches.push(period << 32 | bound.unwrap_or(u64::from(u32::MAX)));
        }
        let ends = begins.iter().map(|begin| u32::try_from(*begin));
        Some(Table {
            scale,
            shift,
            stretches,
            ends: ends.collect::<Result<_, _>>().ok()?,
        })
    }

    /// The first tick since the table's that is wholly after a period; `None` after the last.
    #[inline]
    pub(super) fn end(&self, period: u32) -> Option<u32> {
        self.ends.get(period as usize).copied()
    }

    /// The period of a tick since the table's first.
    #[inline(always)]
    #[allow(clippy::cast_possible_truncation)] // the halves of an entry
    pub(super) fn find(&self, tick: u32) -> Found {
        let entry = self.stretches.get((tick >> self.shift) as usize);
        let entry = entry.copied().unwrap_or(u64::from(u32::MAX));
        let bound = entry as u32;
        Found {
            period: (entry >> 32) as u32 + u32::from(tick >= bound),
            is_near: tick.wrapping_add(1) == bound,
        }
    }
}

fn step(unit: PeriodUnit) -> Span {
    match unit {
        PeriodUnit::Day => 1.day(),
        PeriodUnit::Week => 1.week(),
        PeriodUnit::Month => 1.month(),
    }
}

/// The day that the period around `day` begins with.
fn first_day(spec: &Retention, day: Date) -> Option<Date> {
    match spec.unit {
        PeriodUnit::Day => Some(day),
        PeriodUnit::Week => {
            let begin = match spec.week_start {
                Weekday::Monday => jiff::civil::Weekday::Monday,
                Weekday::Tuesday => jiff::civil::Weekday::Tuesday,
                Weekday::Wednesday => jiff::civil::Weekday::Wednesday,
                Weekday::Thursday => jiff::civil::Weekday::Thursday,
                Weekday::Friday => jiff::civil::Weekday::Friday,
                Weekday::Saturday => jiff::civil::Weekday::Saturday,
                Weekday::Sunday => jiff::civil::Weekday::Sunday,
            };
            let since = i64::from(day.weekday().since(begin));
            day.checked_sub(since.days()).ok()
        }
        PeriodUnit::Month => Some(day.first_of_month()),
    }
}

/// The first second of a day: its midnight, or what follows where the zone skips that.
fn begins(day: Date, zone: &TimeZone) -> Option<i64> {
    Some(day.to_zoned(zone.clone()).ok()?.timestamp().as_second())
}

fn too_many(spec: &Retention, first: i64, last: i64) -> SpecError {
    let problem = format!(
        "the log goes from {} to {}, more than {MAX_COHORTS} {}s; take a longer unit, or leave out events with wrong times",
        format_instant(first),
        format_instant(last),
        spec.unit.word()
    );
    problem_of("unit", problem)
}
