//! The calendar periods of a series.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ToSpan as _};

use super::spec::{PeriodLength, problem};
use crate::error::SpecError;
use crate::log::Catalog;

/// A series is read by people; more periods than this are none.
const MOST: usize = 4_096;

/// Periods from that of the log's first event to that in which observation ends.
#[derive(Clone, Debug, Default)]
pub(super) struct Periods {
    /// First instants, and the first after the last period.
    bounds: Vec<i64>,
    days: Vec<Date>,
    length: Option<PeriodLength>,
    observed: (i64, i64),
}

impl Periods {
    pub(super) fn new(
        catalog: &Catalog,
        length: PeriodLength,
        zone: &str,
    ) -> Result<Periods, SpecError> {
        let zone = TimeZone::get(zone).map_err(|_| {
            let told =
                format!("`{zone}` is no time zone; use an IANA name such as Europe/Berlin or UTC");
            problem("time_zone", told)
        })?;
        let observed = (catalog.first_time, catalog.observed_until);
        let outside = || {
            problem(
                "per",
                "the log's times lie beyond the years of calendars".into(),
            )
        };
        let first = Timestamp::from_microsecond(observed.0).map_err(|_| outside())?;
        let day = first.to_zoned(zone.clone()).date();
        let mut day = begin(day, length).ok_or_else(outside)?;
        let step = step(length);
        let mut periods = Periods {
            length: Some(length),
            observed,
            ..Periods::default()
        };
        loop {
            let instant = zone.to_zoned(day.into()).map_err(|_| outside())?;
            let micros = instant.timestamp().as_microsecond();
            if periods.bounds.last() != Some(&micros) {
                periods.bounds.push(micros);
                periods.days.push(day);
            }
            if micros > observed.1 {
                return Ok(periods);
            }
            if periods.bounds.len() > MOST {
                let told = format!(
                    "a series of more than {MOST} {}s is none; take a longer period",
                    length.word()
                );
                return Err(problem("per", told));
            }
            day = day.checked_add(step).map_err(|_| outside())?;
        }
    }

    pub(super) fn len(&self) -> usize {
        self.bounds.len().saturating_sub(1)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The period of a time in the log.
    pub(super) fn of(&self, time: i64) -> Option<usize> {
        let place = self.bounds.partition_point(|b| *b <= time).checked_sub(1)?;
        (place < self.len()).then_some(place)
    }

    /// First instant, and the first after it.
    pub(super) fn bounds(&self, period: usize) -> Option<(i64, i64)> {
        Some((*self.bounds.get(period)?, *self.bounds.get(period + 1)?))
    }

    /// Whether the log covers all of it.
    pub(super) fn is_complete(&self, period: usize) -> bool {
        // Nobody need have come in the first minutes of a month for the log to cover it.
        self.bounds(period).is_some_and(|(from, to)| {
            let grace = (to - from) / 28;
            self.observed.0 <= from.saturating_add(grace) && to <= self.observed.1
        })
    }

    /// The period's first day and the first one after it.
    pub(super) fn dates(&self, period: usize) -> Option<(crate::map::Date, crate::map::Date)> {
        let date = |place: usize| {
            let day = self.days.get(place)?;
            crate::map::Date::new(day.year(), day.month(), day.day())
        };
        Some((date(period)?, date(period + 1)?))
    }

    pub(super) fn name(&self, period: usize) -> String {
        let Some(day) = self.days.get(period) else {
            return String::new();
        };
        let text = day.to_string();
        match self.length {
            Some(PeriodLength::Month) => text
                .get(..text.len().saturating_sub(3))
                .unwrap_or_default()
                .to_owned(),
            Some(PeriodLength::Quarter) => format!("{}-Q{}", day.year(), (day.month() + 2) / 3),
            _ => text,
        }
    }
}

fn step(length: PeriodLength) -> Span {
    match length {
        PeriodLength::Day => 1.day(),
        PeriodLength::Week => 1.week(),
        PeriodLength::Month => 1.month(),
        PeriodLength::Quarter => 3.months(),
    }
}

fn begin(day: Date, length: PeriodLength) -> Option<Date> {
    match length {
        PeriodLength::Day => Some(day),
        PeriodLength::Week => {
            let since = i64::from(day.weekday().to_monday_zero_offset());
            day.checked_sub(since.days()).ok()
        }
        PeriodLength::Month => Some(day.first_of_month()),
        PeriodLength::Quarter => Date::new(day.year(), (day.month() - 1) / 3 * 3 + 1, 1).ok(),
    }
}
