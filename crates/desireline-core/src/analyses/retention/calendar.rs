//! Calendar periods as numbers: their first instants, worked out once for the whole log, and a table that finds the period
//! of a second in a few instructions.

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
    table: Option<Table>,
}

/// Finds the period of a second: stretches of two to the `shift` seconds, shorter than any period, so that at most one
/// period begins in each.
#[derive(Debug)]
pub(super) struct Table {
    /// The second that stretches are counted from.
    pub(super) from: i64,
    pub(super) shift: u32,
    /// The period at the stretch's first second, above; the second since `from` at which the next one begins if it begins
    /// in the stretch, else the largest number, below.
    pub(super) stretches: Vec<u64>,
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
        let table = Table::new(&seconds, n_cohorts, last.div_euclid(SECOND));
        Ok(Calendar {
            unit: spec.unit,
            days,
            seconds,
            n_cohorts,
            table,
        })
    }

    pub(super) fn n_cohorts(&self) -> usize {
        self.n_cohorts
    }

    pub(super) fn table(&self) -> Option<&Table> {
        self.table.as_ref()
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
    /// `None` where 32 bits do not hold the log's seconds, or the table would be large.
    fn new(seconds: &[i64], n_cohorts: usize, last: i64) -> Option<Table> {
        /// Four megabytes.
        const MOST: usize = 1 << 19;
        let begins = seconds.get(..n_cohorts)?;
        let from = *begins.first()?;
        let since = |second: i64| u32::try_from(second.checked_sub(from)?).ok();
        let range = since(last).filter(|range| *range < u32::MAX)?;
        let shortest = begins.windows(2).map(|w| w[1] - w[0]).min();
        let shift = shortest.map_or(31, |s| s.max(1).ilog2()).min(31);
        let n_stretches = (range >> shift) as usize + 1;
        if n_stretches > MOST {
            return None;
        }
        let mut stretches = Vec::with_capacity(n_stretches);
        let mut period = 0;
        for stretch in 0..n_stretches as u64 {
            let (start, end) = (stretch << shift, (stretch + 1) << shift);
            let next = |period: usize| {
                let begin = since(*begins.get(period + 1)?)?;
                Some(u64::from(begin))
            };
            while next(period).is_some_and(|begin| begin <= start) {
                period += 1;
            }
            let bound = next(period).filter(|begin| *begin < end);
            stretches.push((period as u64) << 32 | bound.unwrap_or(u64::from(u32::MAX)));
        }
        Some(Table {
            from,
            shift,
            stretches,
        })
    }

    /// The period that begins at or before a second since `from`.
    #[inline]
    #[allow(clippy::cast_possible_truncation)] // the halves of an entry
    pub(super) fn period(&self, second: u32) -> u32 {
        let entry = self.stretches.get((second >> self.shift) as usize);
        let entry = entry.copied().unwrap_or(u64::from(u32::MAX));
        (entry >> 32) as u32 + u32::from(second >= entry as u32)
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
