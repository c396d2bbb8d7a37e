//! Points in time as microseconds since 1970 UTC.

use desireline_core::log::Reason;
use jiff::civil::{self, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, Zoned};

use crate::{IoError, TimeUnit};

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

/// Reads times; remembers the last date and the last stretch of constant offset, as logs repeat both.
#[derive(Clone, Debug)]
pub(crate) struct TimeParser {
    zone: Option<TimeZone>,
    unit: Option<TimeUnit>,
    /// The text of the last date and its midnight in microseconds.
    date: ([u8; 10], i64),
    /// Local times from the first to before the second have the third as their offset, in microseconds.
    steady: (i64, i64, i64),
    /// Rows whose time had no zone and was taken as UTC.
    pub(crate) without_zone: u64,
    min: i64,
    max: i64,
}

impl TimeParser {
    pub(crate) fn new(zone: Option<&str>, unit: Option<TimeUnit>) -> Result<TimeParser, IoError> {
        let zone = match zone {
            None => None,
            Some(name) => Some(TimeZone::get(name).map_err(|_| IoError::UnknownZone {
                zone: name.to_owned(),
            })?),
        };
        Ok(TimeParser {
            zone,
            unit,
            date: ([0; 10], 0),
            steady: (0, 0, 0),
            without_zone: 0,
            min: Timestamp::MIN.as_microsecond(),
            max: Timestamp::MAX.as_microsecond(),
        })
    }

    pub(crate) fn unit(&self) -> Option<TimeUnit> {
        self.unit
    }

    fn checked(&self, micros: i64) -> Result<i64, Reason> {
        if (self.min..=self.max).contains(&micros) {
            Ok(micros)
        } else {
            Err(Reason::TimeOutOfRange)
        }
    }

    /// Whether local times are taken as UTC.
    pub(crate) fn is_utc(&self) -> bool {
        self.zone.is_none()
    }

    pub(crate) fn all_in_range(&self, micros: &[i64]) -> bool {
        micros.iter().all(|m| (self.min..=self.max).contains(m))
    }

    /// A time in the declared unit.
    pub(crate) fn number(&self, n: i64) -> Result<i64, Reason> {
        let unit = self.unit.ok_or(Reason::UnparseableTime)?;
        self.in_unit(n, unit)
    }

    /// A time in `unit`; nanoseconds are floored.
    pub(crate) fn in_unit(&self, n: i64, unit: TimeUnit) -> Result<i64, Reason> {
        let micros = match unit {
            TimeUnit::Seconds => n.checked_mul(SECOND),
            TimeUnit::Millis => n.checked_mul(1_000),
            TimeUnit::Micros => Some(n),
            TimeUnit::Nanos => Some(n.div_euclid(1_000)),
        };
        self.checked(micros.ok_or(Reason::TimeOutOfRange)?)
    }

    /// A binary number in the declared unit, floored to the microsecond.
    pub(crate) fn float(&self, x: f64) -> Result<i64, Reason> {
        if !x.is_finite() {
            return Err(Reason::UnparseableTime);
        }
        let micros = match self.unit.ok_or(Reason::UnparseableTime)? {
            TimeUnit::Seconds => x * 1e6,
            TimeUnit::Millis => x * 1e3,
            TimeUnit::Micros => x,
            TimeUnit::Nanos => x / 1e3,
        }
        .floor();
        // The range of jiff lies well inside that of i64, so a saturating cast never wraps into it.
        self.checked(micros as i64)
    }

    /// A local time without zone, as microseconds since 1970 of its own clock.
    pub(crate) fn local(&mut self, micros: i64) -> Result<i64, Reason> {
        let Some(zone) = &self.zone else {
            self.checked(micros)?;
            self.without_zone += 1;
            return Ok(micros);
        };
        let (from, to, offset) = self.steady;
        if (from..to).contains(&micros) {
            return self.checked(micros - offset);
        }
        let civil = civil_from_micros(micros).ok_or(Reason::TimeOutOfRange)?;
        let ambiguous = zone.to_ambiguous_timestamp(civil);
        if ambiguous.is_ambiguous() {
            return Err(Reason::AmbiguousTime);
        }
        let instant = ambiguous.compatible().map_err(|_| Reason::TimeOutOfRange)?;
        let utc = instant.as_microsecond();
        let offset = micros - utc;
        // A day's margin on either side keeps clear of every gap and fold.
        let before = zone
            .preceding(instant)
            .next()
            .map_or(self.min, |t| t.timestamp().as_microsecond());
        let after = zone
            .following(instant)
            .next()
            .map_or(self.max, |t| t.timestamp().as_microsecond());
        self.steady = (
            before.saturating_add(2 * DAY),
            after.saturating_sub(2 * DAY),
            offset,
        );
        self.checked(utc)
    }

    /// A time written as text.
    pub(crate) fn text(&mut self, text: &str) -> Result<i64, Reason> {
        let text = text.trim();
        if self.unit.is_some()
            && text
                .bytes()
                .all(|b| b.is_ascii_digit() || matches!(b, b'-' | b'+' | b'.'))
        {
            if let Ok(n) = text.parse::<i64>() {
                return self.number(n);
            }
            if let Some(result) = self.decimal(text) {
                return result;
            }
        }
        match self.fast(text.as_bytes()) {
            Some(result) => result,
            None => self.slow(text),
        }
    }

    /// A number with decimals in the declared unit, exact, floored to the microsecond.
    fn decimal(&self, text: &str) -> Option<Result<i64, Reason>> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let all_digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) || fraction.len() > 18 {
            return None;
        }
        let scale = 10_i128.pow(fraction.len() as u32);
        let exact = (|| {
            let n = whole.parse::<i128>().ok()?.checked_mul(scale)?;
            let n = n + if fraction.is_empty() {
                0
            } else {
                fraction.parse::<i128>().ok()?
            };
            let n = if negative { -n } else { n };
            match self.unit? {
                TimeUnit::Seconds => n.checked_mul(1_000_000).map(|n| n.div_euclid(scale)),
                TimeUnit::Millis => n.checked_mul(1_000).map(|n| n.div_euclid(scale)),
                TimeUnit::Micros => Some(n.div_euclid(scale)),
                TimeUnit::Nanos => scale.checked_mul(1_000).map(|s| n.div_euclid(s)),
            }
        })();
        let micros = exact.and_then(|n| i64::try_from(n).ok());
        Some(
            micros
                .ok_or(Reason::TimeOutOfRange)
                .and_then(|m| self.checked(m)),
        )
    }

    /// `YYYY-MM-DD` or `YYYY/MM/DD`, then `[T ]HH:MM[:SS[.f]]`, then a zone or none; `None` leaves it to [`Self::slow`].
    fn fast(&mut self, b: &[u8]) -> Option<Result<i64, Reason>> {
        let date: &[u8; 10] = b.first_chunk()?;
        let midnight = if *date == self.date.0 {
            self.date.1
        } else {
            let midnight = midnight(date)?;
            self.date = (*date, midnight);
            midnight
        };
        let rest = &b[10..];
        let (mark, rest) = match rest.split_first() {
            None => return Some(self.local(midnight)),
            Some(split) => split,
        };
        if !matches!(mark, b'T' | b't' | b' ') {
            return None;
        }
        let (hour, rest) = two(rest)?;
        let (minute, rest) = two(rest.strip_prefix(b":")?)?;
        let (second, rest) = match rest.strip_prefix(b":") {
            Some(rest) => two(rest)?,
            None => (0, rest),
        };
        // Second 60 is a leap second: rare, so left to jiff.
        if hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let (fraction, rest) = match rest.strip_prefix(b".") {
            Some(rest) => micros_of_fraction(rest)?,
            None => (0, rest),
        };
        let clock = midnight + (hour * 3_600 + minute * 60 + second) * SECOND + fraction;
        match rest {
            [] => Some(self.local(clock)),
            [b'Z' | b'z'] | b" UTC" | b" Z" => Some(self.checked(clock)),
            [b' ', sign @ (b'+' | b'-'), rest @ ..] | [sign @ (b'+' | b'-'), rest @ ..] => {
                let (hours, rest) = two(rest)?;
                let minutes = match rest {
                    [] => 0,
                    [b':', rest @ ..] | rest => match two(rest)? {
                        (minutes, []) => minutes,
                        _ => return None,
                    },
                };
                // Offsets beyond this are left to jiff, which knows its own bounds.
                if hours > 23 || minutes > 59 {
                    return None;
                }
                let offset = (hours * 3_600 + minutes * 60) * SECOND;
                Some(self.checked(if *sign == b'+' {
                    clock - offset
                } else {
                    clock + offset
                }))
            }
            _ => None,
        }
    }

    /// Whatever else jiff reads as ISO 8601, slashes counting as dashes.
    fn slow(&mut self, text: &str) -> Result<i64, Reason> {
        let dashed;
        let bytes = text.as_bytes();
        let text = if bytes.get(4) == Some(&b'/') && bytes.get(7) == Some(&b'/') {
            dashed = text.replacen('/', "-", 2);
            &dashed
        } else {
            text
        };
        if !text
            .bytes()
            .next()
            .is_some_and(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-'))
        {
            return Err(Reason::UnparseableTime);
        }
        if text.contains('[') {
            let zoned: Zoned = text.parse().map_err(|_| Reason::UnparseableTime)?;
            return Ok(floor(zoned.timestamp()));
        }
        if let Ok(instant) = text.parse::<Timestamp>() {
            return Ok(floor(instant));
        }
        // jiff's civil parser skips an offset that makes the instant too large, so only texts without one may go on.
        let clock = text.get(10..).unwrap_or("");
        if clock.contains(['+', '-', 'Z', 'z']) {
            return Err(Reason::UnparseableTime);
        }
        let civil: DateTime = text.parse().map_err(|_| Reason::UnparseableTime)?;
        self.local(micros_from_civil(civil).ok_or(Reason::TimeOutOfRange)?)
    }
}

fn digit(b: u8) -> Option<i64> {
    b.is_ascii_digit().then(|| i64::from(b - b'0'))
}

/// Two digits and what follows them.
fn two(b: &[u8]) -> Option<(i64, &[u8])> {
    let (&[tens, ones], rest) = b.split_first_chunk()?;
    Some((digit(tens)? * 10 + digit(ones)?, rest))
}

/// One to nine digits, floored to microseconds.
fn micros_of_fraction(b: &[u8]) -> Option<(i64, &[u8])> {
    let length = b.iter().take_while(|b| b.is_ascii_digit()).count();
    if !(1..=9).contains(&length) {
        return None;
    }
    let (digits, rest) = b.split_at(length);
    let micros = (0..6).try_fold(0, |n, i| {
        Some(n * 10 + digits.get(i).map_or(Some(0), |&b| digit(b))?)
    })?;
    Some((micros, rest))
}

fn midnight(date: &[u8; 10]) -> Option<i64> {
    let [y1, y2, y3, y4, s1, m1, m2, s2, d1, d2] = *date;
    if s1 != s2 || !matches!(s1, b'-' | b'/') {
        return None;
    }
    let year = digit(y1)? * 1000 + digit(y2)? * 100 + digit(y3)? * 10 + digit(y4)?;
    let month = digit(m1)? * 10 + digit(m2)?;
    let day = digit(d1)? * 10 + digit(d2)?;
    let date = civil::Date::new(year as i16, month as i8, day as i8).ok()?;
    micros_from_civil(date.to_datetime(civil::Time::midnight()))
}

/// Microseconds since 1970, floored: jiff's own accessor rounds towards 1970.
fn floor(instant: Timestamp) -> i64 {
    // The range of jiff in microseconds lies well inside that of i64.
    instant.as_nanosecond().div_euclid(1_000) as i64
}

/// Microseconds since 1970 on a clock without zone, floored.
fn micros_from_civil(civil: DateTime) -> Option<i64> {
    let epoch = civil::date(1970, 1, 1).at(0, 0, 0, 0);
    i64::try_from(civil.duration_since(epoch).as_nanos().div_euclid(1_000)).ok()
}

fn civil_from_micros(micros: i64) -> Option<DateTime> {
    let epoch = civil::date(1970, 1, 1).at(0, 0, 0, 0);
    epoch.checked_add(SignedDuration::from_micros(micros)).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn parser(zone: Option<&str>, unit: Option<TimeUnit>) -> TimeParser {
        TimeParser::new(zone, unit).unwrap()
    }

    fn at(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_microsecond()
    }

    #[test]
    fn the_documented_layouts() {
        let mut p = parser(None, None);
        let noon = at("2024-02-29T12:00:00Z");
        for text in [
            "2024-02-29T12:00:00Z",
            "2024-02-29 12:00",
            "2024-02-29T12:00:00.000000999",
            "2024/02/29 12:00:00",
            "2024-02-29T13:00:00+01:00",
            "2024-02-29 13:00:00 +0100",
            "2024-02-29 13:00:00+01",
            "2024-02-29 12:00:00 UTC",
            " 2024-02-29T07:30:00-04:30 ",
            "2024-02-29T13:00:00+01:00[Europe/Paris]",
        ] {
            assert_eq!(p.text(text), Ok(noon), "{text}");
        }
        assert_eq!(p.without_zone, 3);
        let midnight = at("2024-02-29T00:00:00Z");
        for text in ["2024-02-29", "2024/02/29", "20240229"] {
            assert_eq!(p.text(text), Ok(midnight), "{text}");
        }
        assert_eq!(
            p.text("2016-12-31T23:59:60Z"),
            Ok(at("2016-12-31T23:59:59Z"))
        );
        assert_eq!(p.text("1969-12-31 23:59:59.9999999"), Ok(-1));
        for text in [
            "2023-02-29",
            "2024-13-01",
            "12/31/1899 09:30:00 AM",
            "6:00:00",
            "",
            "now",
            "2024-02-29T25:00",
            "1700000000",
            "2024-02-29T12:00:00+99:99",
            "2024/02-29",
        ] {
            assert_eq!(p.text(text), Err(Reason::UnparseableTime), "{text}");
        }
    }

    #[test]
    fn numbers_never_wrap() {
        for unit in [
            TimeUnit::Seconds,
            TimeUnit::Millis,
            TimeUnit::Micros,
            TimeUnit::Nanos,
        ] {
            let mut p = parser(None, Some(unit));
            for edge in [i64::MIN, i64::MAX] {
                let exact = match unit {
                    TimeUnit::Seconds => i128::from(edge) * 1_000_000,
                    TimeUnit::Millis => i128::from(edge) * 1_000,
                    TimeUnit::Micros => i128::from(edge),
                    TimeUnit::Nanos => i128::from(edge).div_euclid(1_000),
                };
                let expected = match i64::try_from(exact) {
                    Ok(m) if (p.min..=p.max).contains(&m) => Ok(m),
                    _ => Err(Reason::TimeOutOfRange),
                };
                assert_eq!(p.number(edge), expected);
                assert_eq!(p.text(&edge.to_string()), expected);
            }
            assert_eq!(p.float(1e300), Err(Reason::TimeOutOfRange));
            assert_eq!(p.float(f64::NAN), Err(Reason::UnparseableTime));
        }
        let mut p = parser(None, Some(TimeUnit::Seconds));
        assert_eq!(p.text("1700000000.1234567"), Ok(1_700_000_000_123_456));
        assert_eq!(p.text("-0.0000001"), Ok(-1));
        assert_eq!(
            p.text("99999999999999999999999"),
            Err(Reason::TimeOutOfRange)
        );
    }

    #[test]
    fn gaps_and_folds_are_told() {
        let mut p = parser(Some("Europe/Berlin"), None);
        assert_eq!(p.text("2024-03-31 02:30:00"), Err(Reason::AmbiguousTime));
        assert_eq!(p.text("2024-10-27 02:30:00"), Err(Reason::AmbiguousTime));
        assert_eq!(
            p.text("2024-03-31 01:59:59"),
            Ok(at("2024-03-31T00:59:59Z"))
        );
        assert_eq!(
            p.text("2024-03-31 03:00:00"),
            Ok(at("2024-03-31T01:00:00Z"))
        );
        assert_eq!(
            p.text("2024-07-01 12:00:00"),
            Ok(at("2024-07-01T10:00:00Z"))
        );
        assert_eq!(
            p.text("2024-07-01T12:00:00Z"),
            Ok(at("2024-07-01T12:00:00Z"))
        );
        assert_eq!(p.without_zone, 0);
    }

    proptest! {
        #[test]
        fn the_short_cut_equals_jiff(
            year in 0i16..=9999, month in 1i8..=12, day in 1i8..=31, hour in 0i8..=24, minute in 0i8..=60, second in 0i8..=60,
            fraction in proptest::option::of("[0-9]{1,10}"), sep in "[T ]",
            zone in prop_oneof![Just(String::new()), Just("Z".to_owned()), "[+-][0-9]{2}:[0-9]{2}", "[+-][0-9]{4}", "[+-][0-9]{2}"],
        ) {
            let fraction = fraction.map_or(String::new(), |f| format!(".{f}"));
            let text = format!("{year:04}-{month:02}-{day:02}{sep}{hour:02}:{minute:02}:{second:02}{fraction}{zone}");
            let mut p = parser(None, None);
            let ours = p.text(&text).ok();
            let theirs = if zone.is_empty() {
                text.parse::<DateTime>().ok().and_then(|d| d.to_zoned(TimeZone::UTC).ok()).map(|z| floor(z.timestamp()))
            } else {
                text.parse::<Timestamp>().ok().map(floor)
            };
            prop_assert_eq!(ours, theirs, "{}", text);
            let slashes = text.replacen('-', "/", 2);
            prop_assert_eq!(p.text(&slashes).ok(), theirs, "{}", slashes);
        }

        #[test]
        fn the_steady_stretch_equals_jiff(start in 0i64..2_000_000_000, steps in proptest::collection::vec(-40_000_000i64..40_000_000, 1..20),
            zone in prop_oneof![Just("Europe/Berlin"), Just("America/New_York"), Just("Australia/Lord_Howe"), Just("Africa/Casablanca"), Just("Asia/Kathmandu")]) {
            let mut p = parser(Some(zone), None);
            let tz = TimeZone::get(zone).unwrap();
            let mut local = start;
            for step in steps {
                local = (local + step).clamp(0, 4_000_000_000);
                let civil = civil_from_micros(local * SECOND).unwrap();
                let expected = tz.to_ambiguous_timestamp(civil).unambiguous().map(|t| t.as_microsecond()).map_err(|_| Reason::AmbiguousTime);
                prop_assert_eq!(p.local(local * SECOND), expected);
            }
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,40}") {
            let _ = parser(Some("Europe/Berlin"), None).text(&text);
            let _ = parser(None, Some(TimeUnit::Seconds)).text(&text);
        }
    }
}
