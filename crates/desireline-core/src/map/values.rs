//! Dates, versions, money, shares and estimates, as a document writes them.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use iso_currency::Currency as Iso;
use jiff::civil;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::time::TimeSpan;

/// A type that a document writes as one text.
macro_rules! as_text {
    ($type:ident, $schema:tt) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<$type, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!($schema)
            }
        }
    };
}

/// A day of the calendar, written `2026-03-31`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(civil::Date);

as_text!(Date, {
    "type": "string",
    "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
    "description": "A date: 2026-03-31.",
});

impl Date {
    /// A day, if there is such a day.
    pub fn new(year: i16, month: i8, day: i8) -> Option<Date> {
        civil::Date::new(year, month, day).ok().map(Date)
    }

    /// The day that an instant falls on in UTC; `None` outside of the years −9999 to 9999.
    pub fn of_micros(micros: i64) -> Option<Date> {
        let instant = jiff::Timestamp::from_microsecond(micros).ok()?;
        Some(Date(instant.to_zoned(jiff::tz::TimeZone::UTC).date()))
    }

    /// The first instant of the day in a time zone, in microseconds since 1970 UTC; `None` for an unknown zone.
    pub fn micros_in(self, zone: &str) -> Option<i64> {
        let zone = jiff::tz::TimeZone::get(zone).ok()?;
        Some(
            zone.to_zoned(self.0.into())
                .ok()?
                .timestamp()
                .as_microsecond(),
        )
    }

    /// The day so many days later; the part of a day that a time span holds does not count.
    pub fn after(self, span: TimeSpan) -> Date {
        let days = span.as_micros() / 86_400_000_000;
        let later = self.0.checked_add(jiff::Span::new().days(days));
        Date(later.unwrap_or(civil::Date::MAX))
    }

    /// How many days later `other` is.
    pub fn days_until(self, other: Date) -> i64 {
        (other.0 - self.0).get_days().into()
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Date {
    type Err = String;
    fn from_str(text: &str) -> Result<Date, String> {
        let wrong = || format!("`{text}` is no date; write the year, month and day: 2026-03-31");
        let shape = text.len() == 10
            && text.bytes().enumerate().all(|(i, b)| {
                if matches!(i, 4 | 7) {
                    b == b'-'
                } else {
                    b.is_ascii_digit()
                }
            });
        if !shape {
            return Err(wrong());
        }
        text.parse().map(Date).map_err(|_| wrong())
    }
}

/// The version of a map, `MAJOR.MINOR.PATCH`: texts changed (patch), bindings or KPIs changed (minor), stages or goals
/// changed (major).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// Stages or goals changed.
    pub major: u32,
    /// Bindings or KPIs changed.
    pub minor: u32,
    /// Texts changed.
    pub patch: u32,
}

as_text!(Version, {
    "type": "string",
    "pattern": "^[0-9]+\\.[0-9]+\\.[0-9]+$",
    "description": "MAJOR.MINOR.PATCH: stages or goals, bindings or KPIs, texts.",
});

impl Version {
    /// A version.
    pub const fn new(major: u32, minor: u32, patch: u32) -> Version {
        Version {
            major,
            minor,
            patch,
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

impl FromStr for Version {
    type Err = String;
    fn from_str(text: &str) -> Result<Version, String> {
        let wrong = || format!("`{text}` is no version; write three numbers: 1.0.0");
        let parts: Vec<&str> = text.split('.').collect();
        let &[major, minor, patch] = parts.as_slice() else {
            return Err(wrong());
        };
        let number = |t: &str| {
            let plain = t.bytes().all(|b| b.is_ascii_digit()) && (t == "0" || !t.starts_with('0'));
            plain.then(|| t.parse().ok()).flatten().ok_or_else(wrong)
        };
        Ok(Version::new(number(major)?, number(minor)?, number(patch)?))
    }
}

/// Money in whole minor units with its currency, written `12.50 EUR`.
///
/// ```
/// use desireline_core::map::Money;
/// let price: Money = "12.50 EUR".parse()?;
/// assert_eq!((price.minor(), price.currency()), (1250, "EUR"));
/// assert_eq!("1500 JPY".parse::<Money>()?.minor(), 1500);
/// assert!("12.505 EUR".parse::<Money>().is_err());
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Money {
    minor: i64,
    currency: Iso,
}

as_text!(Money, {
    "type": "string",
    "pattern": "^-?[0-9]+(\\.[0-9]+)? [A-Z]{3}$",
    "description": "An amount and its ISO 4217 currency: 12.50 EUR.",
});

impl Money {
    /// So many minor units (cents) of a currency; `None` for an unknown code.
    pub fn new(minor: i64, currency: &str) -> Option<Money> {
        Iso::from_code(currency).map(|currency| Money { minor, currency })
    }

    /// The minor units.
    pub fn minor(self) -> i64 {
        self.minor
    }

    /// The ISO 4217 code.
    pub fn currency(self) -> &'static str {
        self.currency.code()
    }

    /// How many decimal places the currency has.
    pub fn decimals(self) -> u32 {
        u32::from(self.currency.exponent().unwrap_or(0))
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = 10u64.pow(self.decimals().min(9));
        let amount = self.minor.unsigned_abs();
        let sign = if self.minor < 0 { "-" } else { "" };
        write!(f, "{sign}{}", amount / unit)?;
        if unit > 1 {
            let width = self.decimals() as usize;
            write!(f, ".{:0width$}", amount % unit)?;
        }
        write!(f, " {}", self.currency())
    }
}

impl FromStr for Money {
    type Err = String;
    fn from_str(text: &str) -> Result<Money, String> {
        let wrong =
            |what: &str| format!("`{text}` is no money: {what}; write for example 12.50 EUR");
        let (amount, code) = text
            .trim()
            .split_once(' ')
            .ok_or_else(|| wrong("an amount, a blank and a currency are wanted"))?;
        let currency =
            Iso::from_code(code.trim()).ok_or_else(|| wrong("its currency is no ISO 4217 code"))?;
        let decimals = usize::from(currency.exponent().unwrap_or(0));
        let digits = amount.strip_prefix('-').unwrap_or(amount);
        let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
        let is_number = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !is_number(whole) || !is_number(part) || digits.ends_with('.') {
            return Err(wrong("its amount is no number"));
        }
        if part.len() > decimals {
            return Err(wrong(&format!(
                "{} has {decimals} decimal places",
                currency.code()
            )));
        }
        let padded = format!("{whole}{part:0<decimals$}");
        let minor: i64 = padded.parse().map_err(|_| wrong("it is too much"))?;
        let minor = if amount.starts_with('-') {
            -minor
        } else {
            minor
        };
        Ok(Money { minor, currency })
    }
}

/// Money for each length of time: `{amount: 1200 EUR, per: 30d}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MoneyRate {
    /// How much.
    pub amount: Money,
    /// In how long.
    pub per: TimeSpan,
}

/// A number between two bounds.
macro_rules! bounded {
    ($(#[$doc:meta])* $type:ident, $low:literal, $high:literal, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize)]
        #[serde(transparent)]
        pub struct $type(f64);

        impl $type {
            /// The number, if it lies within the bounds.
            pub fn new(value: f64) -> Option<$type> {
                ($low..=$high).contains(&value).then_some($type(value))
            }

            /// The number.
            pub fn get(self) -> f64 {
                self.0
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<$type, D::Error> {
                let value = f64::deserialize(deserializer)?;
                $type::new(value).ok_or_else(|| serde::de::Error::custom(format!(
                    concat!("{} is no ", $what, ": it lies between {} and {}"), value, $low, $high
                )))
            }
        }

        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "number", "minimum": $low, "maximum": $high })
            }
        }
    };
}

bounded!(
    /// A part of a whole, from 0 to 1.
    Share, 0.0, 1.0, "share"
);
bounded!(
    /// How pleasant: from −1 (as bad as can be) over 0 to 1 (as good as can be).
    Valence, -1.0, 1.0, "valence"
);
bounded!(
    /// How stirring: from 0 (calm) to 1 (as stirred as can be).
    Arousal, 0.0, 1.0, "arousal"
);
bounded!(
    /// A weight from 0 to 10.
    Importance, 0.0, 10.0, "importance"
);

/// A measured number as a document keeps it: never bare.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Estimate {
    /// The value; left out where there was nothing to measure, never 0 instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// Lower end of the interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lower: Option<f64>,
    /// Upper end of the interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upper: Option<f64>,
    /// How sure the interval is, such as 0.95.
    #[serde(default = "level", skip_serializing_if = "is_level")]
    pub level: Share,
    /// Of how many observations.
    pub n: u64,
    /// How the interval was made, such as `wilson`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// In what unit, such as `share`, `EUR` or `days`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
}

const LEVEL: Share = Share(0.95);

fn level() -> Share {
    LEVEL
}

#[allow(clippy::trivially_copy_pass_by_ref)] // as serde calls it
fn is_level(level: &Share) -> bool {
    *level == LEVEL
}
