//! From instants to hours of the week: the offsets of a zone over the time of the log, worked out once.

use jiff::Timestamp;

use crate::error::SpecError;
use crate::log::Catalog;
use crate::time::format_instant;

/// Hours of a day and days of a week, and hours of a week.
pub(super) const HOURS: usize = 24;
pub(super) const DAYS: usize = 7;
pub(super) const CELLS: usize = HOURS * DAYS;

const DAY: i64 = 86_400;
/// 1970-01-01 was a Thursday.
const EPOCH_DAY: i64 = 3;

/// The clocks of a zone.
#[derive(Debug)]
pub(super) struct Clock {
    /// The first second of each stretch of one offset, ascending; the first is long before all others.
    from: Vec<i64>,
    /// The offset in each, in seconds to add.
    offsets: Vec<i64>,
}

fn problem(field: &'static str, problem: String) -> SpecError {
    SpecError::Field {
        analysis: "calendar",
        field,
        problem,
    }
}

impl Clock {
    pub(super) fn new(zone: &str, catalog: &Catalog) -> Result<Clock, SpecError> {
        let found = jiff::tz::db().get(zone).map_err(|_| {
            let told =
                format!("`{zone}` is no time zone; use an IANA name such as Europe/Berlin or UTC");
            problem("time_zone", told)
        })?;
        let (first, last) = (catalog.first_time, catalog.last_time);
        let instant = |time: i64| {
            Timestamp::from_microsecond(time).map_err(|_| {
                let (first, last) = (format_instant(first), format_instant(last));
                let told = format!(
                    "the log goes from {first} to {last}, beyond the years -9999 to 9999 that calendars have"
                );
                problem("time_zone", told)
            })
        };
        let (begin, end) = (instant(first)?, instant(last)?);
        let mut clock = Clock {
            from: vec![i64::MIN],
            offsets: vec![i64::from(found.to_offset(begin).seconds())],
        };
        for change in found.following(begin) {
            if change.timestamp() > end {
                break;
            }
            clock.from.push(change.timestamp().as_second());
            clock.offsets.push(i64::from(change.offset().seconds()));
        }
        Ok(clock)
    }

    /// The hour of the week of a time in microseconds, from Monday midnight. `near` is where the last one was found.
    #[inline]
    pub(super) fn cell(&self, time: i64, near: &mut usize) -> usize {
        let second = time.div_euclid(1_000_000);
        let is_here = |at: usize| {
            self.from.get(at).is_some_and(|from| *from <= second)
                && self.from.get(at + 1).is_none_or(|next| second < *next)
        };
        if !is_here(*near) {
            let later = self.from.partition_point(|from| *from <= second);
            *near = later.saturating_sub(1);
        }
        let local = second.saturating_add(self.offsets.get(*near).copied().unwrap_or(0));
        let hour = local.rem_euclid(DAY) / 3_600;
        let day = (local.div_euclid(DAY) + EPOCH_DAY).rem_euclid(DAYS as i64);
        usize::try_from(day * HOURS as i64 + hour).unwrap_or(0)
    }
}
