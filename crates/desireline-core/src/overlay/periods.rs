//! Months or weeks of a log, and whether a share changed at once between two of them.

use desireline_stats::two_proportions_p;
use jiff::civil::Date as Day;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

/// Calendar periods that lie wholly within the time of observation.
#[derive(Clone, Debug, Default)]
pub(super) struct Periods {
    /// First instants of the periods, and the first after the last one.
    bounds: Vec<i64>,
    days: Vec<Day>,
    pub(super) word: &'static str,
    /// How many whole weeks there are.
    weeks: usize,
}

/// Fewer periods tell nothing of a change.
const FEWEST: usize = 6;

impl Periods {
    /// Months if there are six whole ones, else weeks if there are, else none.
    pub(super) fn new(first: i64, until: i64, zone: &str) -> Periods {
        let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
        let months = Periods::by(first, until, &zone, "month");
        if months.len() >= FEWEST {
            return months;
        }
        let weeks = Periods::by(first, until, &zone, "week");
        if weeks.len() >= FEWEST {
            return weeks;
        }
        Periods {
            weeks: weeks.len(),
            ..Periods::default()
        }
    }

    /// Why the periods cannot tell of a change; nothing where they can.
    pub(super) fn too_few(&self, active: &[u64]) -> Option<String> {
        if self.is_empty() {
            return Some(format!(
                "{FEWEST} whole weeks are needed, and there {}",
                match self.weeks {
                    0 => "is none".to_owned(),
                    1 => "is one".to_owned(),
                    n => format!("are {n}"),
                }
            ));
        }
        let with = active.iter().filter(|n| **n > 0).count();
        (with < FEWEST).then(|| {
            format!(
                "{FEWEST} {}s with customers are needed, and there are {with} among {}",
                self.word,
                self.len()
            )
        })
    }

    fn by(first: i64, until: i64, zone: &TimeZone, word: &'static str) -> Periods {
        const MOST: usize = 2_400;
        let mut periods = Periods {
            word,
            ..Periods::default()
        };
        let Ok(start) = Timestamp::from_microsecond(first) else {
            return periods;
        };
        let day = start.to_zoned(zone.clone()).date();
        let months = word == "month";
        let back = match months {
            true => i64::from(day.day()) - 1,
            false => i64::from(day.weekday().to_monday_zero_offset()),
        };
        let Ok(mut day) = day.checked_sub(back.days()) else {
            return periods;
        };
        let step = if months { 1.month() } else { 1.week() };
        while periods.bounds.len() < MOST {
            let Ok(begin) = zone.to_zoned(day.into()) else {
                break;
            };
            let begin = begin.timestamp().as_microsecond();
            if begin > until {
                break;
            }
            if begin >= first {
                periods.bounds.push(begin);
                periods.days.push(day);
            }
            match day.checked_add(step) {
                Ok(next) => day = next,
                Err(_) => break,
            }
        }
        periods
    }

    /// How many periods there are.
    pub(super) fn len(&self) -> usize {
        self.bounds.len().saturating_sub(1)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The period that an instant lies in.
    pub(super) fn of(&self, time: i64) -> Option<usize> {
        let place = self.bounds.partition_point(|b| *b <= time).checked_sub(1)?;
        (place < self.len()).then_some(place)
    }

    /// The first day of a period.
    pub(super) fn name(&self, period: usize) -> String {
        self.days
            .get(period)
            .map_or_else(String::new, ToString::to_string)
    }
}

/// The place where a share changed most.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Change {
    /// The first period after it.
    pub(super) at: usize,
    pub(super) before: f64,
    pub(super) after: f64,
    /// With all possible places in mind.
    pub(super) p: f64,
}

/// Where the share of `hits` among `of` changed most, if the periods can tell.
///
/// For every place between two periods, the shares before and after are compared. Months differ anyhow, so the counts are
/// divided by their own overdispersion (Pearson's χ² within both sides over its degrees of freedom, at least 1) before they
/// are tested, and p is multiplied by the number of places. A period without anybody tells nothing and is left out.
pub(super) fn change(hits: &[u64], of: &[u64]) -> Option<Change> {
    let there: Vec<usize> = (0..hits.len().min(of.len()))
        .filter(|i| of[*i] > 0)
        .collect();
    let hits: Vec<u64> = there.iter().map(|i| hits[*i]).collect();
    let of: Vec<u64> = there.iter().map(|i| of[*i]).collect();
    let n = hits.len();
    if n < FEWEST {
        return None;
    }
    let places = 1..n;
    let tests = places.clone().count();
    let mut best: Option<Change> = None;
    for at in places {
        let side = |range: std::ops::Range<usize>| {
            let (k, all): (u64, u64) = (hits[range.clone()].iter().sum(), of[range].iter().sum());
            #[allow(clippy::cast_precision_loss)] // counts of customers
            (k, all, k as f64 / all as f64)
        };
        let (before, after) = (side(0..at), side(at..n));
        let mut pearson = 0.0;
        for i in 0..n {
            let share = if i < at { before.2 } else { after.2 };
            #[allow(clippy::cast_precision_loss)] // counts of customers
            let (k, all) = (hits[i] as f64, of[i] as f64);
            if share > 0.0 && share < 1.0 {
                pearson += (k - all * share).powi(2) / (all * share * (1.0 - share));
            }
        }
        #[allow(clippy::cast_precision_loss)] // few
        let excess = (pearson / (n - 2) as f64).max(1.0);
        #[allow(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss
        )]
        let less = |count: u64| (count as f64 / excess).round() as u64;
        let k = (less(before.0), less(after.0));
        let all = (less(before.1).max(k.0), less(after.1).max(k.1));
        let Some(test) = two_proportions_p(k.0, all.0, k.1, all.1) else {
            continue;
        };
        #[allow(clippy::cast_precision_loss)] // few
        let p = (test.p * tests as f64).min(1.0);
        if best.is_none_or(|b| p < b.p) {
            best = Some(Change {
                at: there[at],
                before: before.2,
                after: after.2,
                p,
            });
        }
    }
    best
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const DAY: i64 = 86_400_000_000;

    #[test]
    fn whole_months_and_weeks_only() {
        // 2025-01-15 to 2025-09-10: February to August are whole.
        let (first, until) = (20_103 * DAY, 20_341 * DAY);
        let months = Periods::new(first, until, "UTC");
        assert_eq!((months.len(), months.word), (7, "month"));
        assert_eq!(
            (months.name(0), months.name(6)),
            ("2025-02-01".into(), "2025-08-01".into())
        );
        assert_eq!(months.of(first), None);
        assert_eq!(months.of(20_120 * DAY), Some(0));
        assert_eq!(months.of(20_120 * DAY - 1), None);
        assert_eq!(months.of(until), None);
        let weeks = Periods::new(first, first + 60 * DAY, "UTC");
        assert_eq!(
            (weeks.len(), weeks.word, weeks.name(0)),
            (7, "week", "2025-01-20".into())
        );
        assert!(Periods::new(first, first + 20 * DAY, "UTC").is_empty());
        assert!(Periods::new(i64::MIN, i64::MAX, "UTC").is_empty());
    }

    #[test]
    fn a_break_is_found_where_it_is() {
        let of = [1_000; 12];
        let broken = [310, 295, 305, 290, 300, 312, 299, 20, 18, 25, 21, 19];
        let change = change(&broken, &of).unwrap();
        assert_eq!(change.at, 7);
        assert!(change.p < 1e-20 && change.before > 0.29 && change.after < 0.03);
    }

    #[test]
    fn the_last_period_and_empty_ones() {
        let mut of = [1_000; 12];
        let last = [310, 295, 305, 290, 300, 312, 299, 301, 296, 304, 308, 20];
        let found = change(&last, &of).unwrap();
        assert!(found.at == 11 && found.p < 1e-10, "{found:?}");
        let mut broken = [310, 295, 305, 290, 300, 312, 299, 20, 18, 25, 21, 19];
        (of[3], broken[3]) = (0, 0);
        let found = change(&broken, &of).unwrap();
        assert!(found.at == 7 && found.p < 1e-20, "{found:?}");
    }

    #[test]
    fn months_that_differ_are_no_break() {
        // As far apart from each other as from month to month anyhow.
        let swinging = [200, 400, 210, 390, 220, 380, 205, 410, 215, 395, 200, 400];
        assert!(change(&swinging, &[1_000; 12]).unwrap().p > 0.5);
        assert_eq!(change(&[1; 5], &[10; 5]), None);
        assert_eq!(change(&[0; 6], &[10, 10, 0, 10, 10, 10]), None);
        let last = [200, 400, 210, 390, 220, 380, 205, 410, 215, 395, 200, 190];
        assert!(change(&last, &[1_000; 12]).unwrap().p > 0.05);
        assert!(change(&[0; 6], &[10; 6]).is_none_or(|c| c.p > 0.5));
    }
}
