//! Lengths of time and points in time as whole microseconds.
//!
//! Every interval in the engine is an `i64` count of microseconds; calendars and time zones appear only where a
//! calendar unit cuts journeys ([`crate::journey::CalendarUnit`]) and where a person reads a time.

use std::fmt;
use std::str::FromStr;

use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

const SECOND: i64 = 1_000_000;
const UNITS: [(i64, &str); 6] = [
    (86_400 * SECOND, "d"),
    (3_600 * SECOND, "h"),
    (60 * SECOND, "m"),
    (SECOND, "s"),
    (1_000, "ms"),
    (1, "us"),
];

/// A non-negative length of time in whole microseconds, written `30m`, `7d`, `1h 30m` or `250ms`.
///
/// A day is 24 hours and a week 7 days; months and years have no fixed length and are refused.
///
/// ```
/// use desireline_core::time::TimeSpan;
/// assert_eq!(TimeSpan::parse("1h 30m")?.as_micros(), 5_400_000_000);
/// assert_eq!(TimeSpan::parse("90m")?.to_string(), "1h 30m");
/// # Ok::<(), desireline_core::time::TimeSpanError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct TimeSpan(i64);

/// Why a text is no [`TimeSpan`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no length of time: {reason}; write for example `30m`, `7d` or `1h 30m`")]
pub struct TimeSpanError {
    /// The text as given.
    pub text: String,
    /// What is wrong with it.
    pub reason: String,
}

impl TimeSpan {
    /// No time at all.
    pub const ZERO: TimeSpan = TimeSpan(0);

    /// The longest: 7,304,484 days, about the span of the years −9999 to 9999.
    pub const MAX: TimeSpan = TimeSpan(7_304_484 * 86_400 * SECOND);

    /// A length of `micros` microseconds; negative numbers become zero, longer ones [`TimeSpan::MAX`].
    pub const fn from_micros(micros: i64) -> TimeSpan {
        if micros < 0 {
            TimeSpan::ZERO
        } else if micros > TimeSpan::MAX.0 {
            TimeSpan::MAX
        } else {
            TimeSpan(micros)
        }
    }

    /// The length in microseconds.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Reads `30m`, `7d`, `1h 30m`, `2 weeks`, …
    ///
    /// # Errors
    /// What is no length of time, or longer than [`TimeSpan::MAX`].
    pub fn parse(text: &str) -> Result<TimeSpan, TimeSpanError> {
        let error = |reason: String| TimeSpanError {
            text: text.to_owned(),
            reason,
        };
        let span: Span = text.trim().parse().map_err(|_| {
            let text = text.trim();
            match is_well_formed(text) {
                true => error(too_long()),
                false => error(unreadable(text).to_owned()),
            }
        })?;
        if span.get_years() != 0 || span.get_months() != 0 {
            return Err(error(
                "months and years differ in length; use days or weeks".to_owned(),
            ));
        }
        let exact: SignedDuration = span
            .to_duration(SpanRelativeTo::days_are_24_hours())
            .map_err(|_| error(too_long()))?;
        if exact.is_negative() {
            return Err(error("it is negative".to_owned()));
        }
        if exact.subsec_nanos() % 1_000 != 0 {
            return Err(error("it is finer than a microsecond".to_owned()));
        }
        let micros = i64::try_from(exact.as_micros()).ok();
        micros
            .filter(|micros| *micros <= TimeSpan::MAX.0)
            .map(TimeSpan)
            .ok_or_else(|| error(too_long()))
    }
}

fn too_long() -> String {
    format!("it is longer than {}, the longest", TimeSpan::MAX)
}

/// Whether a text could be read if its numbers were smaller.
fn is_well_formed(text: &str) -> bool {
    let mut small = String::new();
    let mut before = ' ';
    for c in text.chars() {
        // One digit stands for all of a number.
        if !(c.is_ascii_digit() && before.is_ascii_digit()) {
            small.push(if c.is_ascii_digit() { '1' } else { c });
        }
        before = c;
    }
    small != text && small.parse::<Span>().is_ok()
}

/// Why nothing could be made of a text.
fn unreadable(text: &str) -> &'static str {
    if text.is_empty() {
        "it is empty"
    } else if text.bytes().all(|b| b.is_ascii_digit()) {
        "it has no unit"
    } else if text.starts_with(|c: char| c.is_ascii_digit()) {
        "its numbers and units (us, ms, s, m, h, d, w) cannot be read"
    } else {
        "it does not begin with a number"
    }
}

impl fmt::Display for TimeSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        if rest == 0 {
            return f.write_str("0s");
        }
        let mut first = true;
        for (size, unit) in UNITS {
            let count = rest / size;
            if count > 0 {
                let gap = if first { "" } else { " " };
                write!(f, "{gap}{count}{unit}")?;
                first = false;
                rest %= size;
            }
        }
        Ok(())
    }
}

impl FromStr for TimeSpan {
    type Err = TimeSpanError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        TimeSpan::parse(text)
    }
}

impl Serialize for TimeSpan {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TimeSpan {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        TimeSpan::parse(&text).map_err(serde::de::Error::custom)
    }
}

impl schemars::JsonSchema for TimeSpan {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "TimeSpan".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "format": "duration", "description": "A length of time such as 30m, 7d or 1h 30m." })
    }
}

/// A point in time as people read it: RFC 3339 in UTC.
///
/// Instants outside the years −9999 to 9999 are given as their count of microseconds.
///
/// ```
/// assert_eq!(desireline_core::time::format_instant(0), "1970-01-01T00:00:00Z");
/// ```
pub fn format_instant(micros: i64) -> String {
    match Timestamp::from_microsecond(micros) {
        Ok(instant) => instant.to_string(),
        Err(_) => format!("{micros}us"),
    }
}

/// Reads a point in time as people write it in an expression: RFC 3339, or a date, or a date and a time of day, both in UTC.
///
/// ```
/// use desireline_core::time::parse_instant;
/// assert_eq!(parse_instant("1970-01-02"), Some(86_400_000_000));
/// assert_eq!(parse_instant("1970-01-01T01:00:00+01:00"), Some(0));
/// assert_eq!(parse_instant("soon"), None);
/// ```
pub fn parse_instant(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Some(instant.as_microsecond());
    }
    let local: jiff::civil::DateTime = text.parse().ok()?;
    Some(
        local
            .to_zoned(jiff::tz::TimeZone::UTC)
            .ok()?
            .timestamp()
            .as_microsecond(),
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn text_round_trips() {
        for micros in [
            0,
            1,
            999,
            1_000,
            SECOND,
            5_400 * SECOND,
            86_400 * SECOND,
            123_456_789_012_345,
            i64::MAX,
        ] {
            let span = TimeSpan::from_micros(micros);
            assert_eq!(TimeSpan::parse(&span.to_string()), Ok(span), "{span}");
        }
    }

    #[test]
    fn errors_are_in_our_own_words() {
        for (text, reason) in [
            ("", "it is empty"),
            ("5", "it has no unit"),
            ("soon", "it does not begin with a number"),
            (
                "3 parsecs",
                "its numbers and units (us, ms, s, m, h, d, w) cannot be read",
            ),
            ("-1d", "it is negative"),
            (
                "99999999999999999999d",
                "it is longer than 7304484d, the longest",
            ),
            ("99999999999d", "it is longer than 7304484d, the longest"),
            (
                "1h 99999999999999 min",
                "it is longer than 7304484d, the longest",
            ),
            ("8000000d", "it is longer than 7304484d, the longest"),
            (
                "99999999999 parsecs",
                "its numbers and units (us, ms, s, m, h, d, w) cannot be read",
            ),
        ] {
            assert_eq!(TimeSpan::parse(text).unwrap_err().reason, reason, "{text}");
        }
    }

    #[test]
    fn what_has_no_fixed_length_is_refused() {
        for text in [
            "1 month",
            "1y",
            "-5m",
            "",
            "soon",
            "1ns",
            "5",
            "7304484d 1us",
            "7304484d 24h",
        ] {
            assert!(TimeSpan::parse(text).is_err(), "{text}");
        }
    }
}
