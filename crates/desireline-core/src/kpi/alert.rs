//! Whether a KPI calls for somebody to be told, and since when it has.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::report::{KpiReport, KpiValue};
use super::spec::PeriodLength;
use crate::journey::CalendarUnit;
use crate::map::{Alert, Compare, KpiUnit, Quantity};
use crate::time::TimeSpan;

const DAY: i64 = 86_400_000_000;

/// For how long a number has called for an alert without a break.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct AlertRun {
    /// In which periods it was looked at.
    pub unit: PeriodLength,
    /// Whole periods in a row, the last one among them, each of whose numbers calls for it; 0 where the last one does not, or has no number.
    pub periods: u64,
    /// How many of them are as long as it has to last; absent where it need not last, and where the log has too few.
    pub wanted: Option<u64>,
}

impl PeriodLength {
    /// The periods of a trend by this unit; there are none of years.
    pub(crate) fn of_unit(unit: CalendarUnit) -> Option<PeriodLength> {
        match unit {
            CalendarUnit::Day => Some(PeriodLength::Day),
            CalendarUnit::Week => Some(PeriodLength::Week),
            CalendarUnit::Month => Some(PeriodLength::Month),
            CalendarUnit::Quarter => Some(PeriodLength::Quarter),
            CalendarUnit::Year => None,
        }
    }

    /// The periods in which something that has to last so long is looked at: days below two weeks, weeks below two months, else months.
    pub fn for_lasting(lasting: TimeSpan) -> PeriodLength {
        match lasting.as_micros() / DAY {
            ..14 => PeriodLength::Day,
            14..62 => PeriodLength::Week,
            _ => PeriodLength::Month,
        }
    }
}

impl KpiReport {
    /// Does this number call for an alert? `None` where it cannot be told: there is no number.
    ///
    /// Without `lasting` the number over all of the log decides, and its value alone: told too late is worse than told once too often. With `lasting` the
    /// series decides ([`Kpi::per`](super::Kpi::per), best by [`PeriodLength::for_lasting`]): the last whole periods, as many as it takes to be as long as that, must
    /// all call for it. One among them that does not is a no. One without a number, or a log with fewer periods, leaves it open.
    ///
    /// # Errors
    /// For people: a threshold in another unit than the number's.
    ///
    /// ```
    /// use desireline_core::journey::JourneyRule;
    /// use desireline_core::kpi::{Kpi, PeriodLength};
    /// use desireline_core::log::Log;
    /// use desireline_core::map::{Alert, Compare, Quantity};
    /// use desireline_core::time::TimeSpan;
    /// let day = 86_400_000_000;
    /// // Nobody looks any further on the last two of five days.
    /// let rows: Vec<(String, i64, &str)> = (0..50)
    ///     .flat_map(|c| {
    ///         let (who, at) = (format!("c{c}"), c / 10 * day);
    ///         let more = (c < 30).then(|| (who.clone(), at + 1, "more"));
    ///         [(who, at, "look")].into_iter().chain(more)
    ///     })
    ///     .chain([("last".to_owned(), 5 * day, "look")])
    ///     .collect();
    /// let log = Log::from_rows(rows.iter().map(|(c, t, e)| (c.as_str(), *t, *e)))?;
    /// let bounced = Kpi::new("bounce_rate").variant("ua").per(PeriodLength::Day);
    /// let report = log.journeys(JourneyRule::gap("30m")?)?.run(&bounced)?.report;
    /// let alert = |days| Alert::new(Compare::Above, Quantity::Number(0.9)).lasting(TimeSpan::from_micros(days * day));
    /// assert_eq!(report.alert(&alert(2))?, Some(true));
    /// assert_eq!(report.alert(&alert(3))?, Some(false));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn alert(&self, alert: &Alert) -> Result<Option<bool>, String> {
        let threshold = self.threshold(alert.value)?;
        let stands = |v: &KpiValue| v.estimate.map(|e| alert.op.holds(e.value, threshold));
        let Some(first) = self.values.first() else {
            return Ok(None);
        };
        let Some(lasting) = alert.lasting else {
            return Ok(stands(first));
        };
        Ok(lasted(&self.whole_periods(alert)?, lasting))
    }

    /// For how many of the series' periods in a row the number has called for an alert; `unit` is what the series was asked by. `None` without a
    /// whole period.
    ///
    /// # Errors
    /// For people: a threshold in another unit than the number's.
    pub fn alert_run(&self, alert: &Alert, unit: PeriodLength) -> Result<Option<AlertRun>, String> {
        Ok(AlertRun::of(
            &self.whole_periods(alert)?,
            alert.lasting,
            unit,
        ))
    }

    /// The whole periods of the series, each with whether its number calls for an alert.
    fn whole_periods(&self, alert: &Alert) -> Result<Vec<Stood>, String> {
        let threshold = self.threshold(alert.value)?;
        let key = self.values.first().and_then(|v| v.key.as_ref());
        let whole = self.series.iter().filter(|v| v.key.as_ref() == key);
        let whole = whole.filter_map(|v| {
            let period = v.period.as_ref().filter(|p| p.complete)?;
            let stands = v.estimate.map(|e| alert.op.holds(e.value, threshold));
            Some(((period.from, period.to), stands))
        });
        Ok(whole.collect())
    }

    /// A threshold in the unit of the report's estimates.
    ///
    /// # Errors
    /// For people: it is in another unit.
    #[allow(clippy::cast_precision_loss)] // money and times far below 2^53
    pub(crate) fn threshold(&self, value: Quantity) -> Result<f64, String> {
        threshold(value, self.unit, self.currency.as_deref())
    }
}

/// A period, and whether something stands in it; `None` where that is not known.
pub(crate) type Stood = ((i64, i64), Option<bool>);

impl AlertRun {
    /// How many of these periods, the last one among them, something has stood in a row.
    pub(crate) fn of(
        periods: &[Stood],
        lasting: Option<TimeSpan>,
        unit: PeriodLength,
    ) -> Option<AlertRun> {
        let mut next = None;
        let row = periods.iter().rev().take_while(|((from, to), stands)| {
            let follows = next.is_none_or(|next| next == *to);
            next = Some(*from);
            follows && *stands == Some(true)
        });
        let row = row.count() as u64;
        let wanted = lasting.and_then(|lasting| {
            let mut length = 0_i64;
            let enough = periods.iter().rev().position(|((from, to), _)| {
                length = length.saturating_add(to.saturating_sub(*from));
                length >= lasting.as_micros()
            });
            Some(enough? as u64 + 1)
        });
        (!periods.is_empty()).then_some(AlertRun {
            unit,
            periods: row,
            wanted,
        })
    }
}

/// Whether something has stood for so long in periods that follow each other, each with whether it stands in it.
pub(crate) fn lasted(periods: &[Stood], lasting: TimeSpan) -> Option<bool> {
    let (mut length, mut known, mut next) = (0_i64, true, None);
    for ((from, to), stands) in periods.iter().rev() {
        match stands {
            Some(false) => return Some(false),
            Some(true) => {}
            None => known = false,
        }
        // A gap between periods is a time of which nothing is known.
        known &= next.is_none_or(|next| next == *to);
        next = Some(*from);
        length = length.saturating_add(to.saturating_sub(*from));
        if length >= lasting.as_micros() {
            return known.then_some(true);
        }
    }
    None
}

/// A threshold as a number in a unit.
#[allow(clippy::cast_precision_loss)] // money and times far below 2^53
pub(crate) fn threshold(
    value: Quantity,
    unit: KpiUnit,
    currency: Option<&str>,
) -> Result<f64, String> {
    match value {
        Quantity::Number(x) if !matches!(unit, KpiUnit::Time | KpiUnit::Money) => Ok(x),
        Quantity::Span(span) if unit == KpiUnit::Time => Ok(span.as_micros() as f64),
        Quantity::Money(money) if unit == KpiUnit::Money => match currency {
            Some(c) if c == money.currency() => Ok(money.minor() as f64),
            Some(c) => Err(format!("`{value}` cannot be compared with money in {c}")),
            None => Err(format!(
                "`{value}` cannot be compared: the log has no money"
            )),
        },
        _ => Err(format!(
            "`{value}` cannot be compared with a {}",
            unit.word()
        )),
    }
}

/// Whether the whole of an interval stands so; `None` where only a part of it does.
pub(crate) fn stands(e: &desireline_stats::Estimate, op: Compare, value: f64) -> Option<bool> {
    match (op.holds(e.lower, value), op.holds(e.upper, value)) {
        (true, true) => Some(true),
        (false, false) => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(stand: &[Option<bool>]) -> Vec<((i64, i64), Option<bool>)> {
        (0..)
            .map(|d| (d * DAY, (d + 1) * DAY))
            .zip(stand.iter().copied())
            .collect()
    }

    #[test]
    fn it_has_lasted_where_the_last_periods_all_stand() {
        let (yes, no, open) = (Some(true), Some(false), None);
        let for_days =
            |stand: &[Option<bool>], n: i64| lasted(&days(stand), TimeSpan::from_micros(n * DAY));
        assert_eq!(for_days(&[no, yes, yes], 2), Some(true));
        assert_eq!(for_days(&[no, yes, yes], 3), Some(false));
        assert_eq!(for_days(&[yes, yes, no], 1), Some(false));
        assert_eq!(for_days(&[yes, open, yes], 3), None);
        assert_eq!(for_days(&[no, open, yes], 3), Some(false));
        assert_eq!(for_days(&[yes, yes], 3), None);
        assert_eq!(for_days(&[], 1), None);
        // Six hours are looked at as a day.
        let hours = TimeSpan::from_micros(6 * DAY / 24);
        assert_eq!(lasted(&days(&[no, yes]), hours), Some(true));
        // What lies between two days that do not follow each other is not known.
        let apart = [((0, DAY), yes), ((3 * DAY, 4 * DAY), yes)];
        assert_eq!(lasted(&apart, TimeSpan::from_micros(2 * DAY)), None);
        let run = |stand: &[Option<bool>], n: i64| {
            let run = AlertRun::of(
                &days(stand),
                Some(TimeSpan::from_micros(n * DAY)),
                PeriodLength::Day,
            );
            run.map(|r| (r.periods, r.wanted))
        };
        assert_eq!(run(&[no, yes, yes], 2), Some((2, Some(2))));
        assert_eq!(run(&[yes, yes, no], 2), Some((0, Some(2))));
        assert_eq!(run(&[yes, open, yes], 4), Some((1, None)));
        assert_eq!(run(&[yes, yes, yes], 1), Some((3, Some(1))));
        assert_eq!(run(&[], 1), None);
        let day = AlertRun::of(&apart, None, PeriodLength::Day);
        assert_eq!(day.map(|r| (r.periods, r.wanted)), Some((1, None)));
        let length = |days: i64| PeriodLength::for_lasting(TimeSpan::from_micros(days * DAY));
        assert_eq!(length(13), PeriodLength::Day);
        assert_eq!(length(14), PeriodLength::Week);
        assert_eq!(length(90), PeriodLength::Month);
    }
}
