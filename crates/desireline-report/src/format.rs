//! Numbers as people read them. Every renderer for people uses this module; machines get full precision elsewhere.
//!
//! | what | looks like |
//! |---|---|
//! | a count | `1,234` |
//! | a rate with its interval | `18.2 % (17.7–18.7)` |
//! | a length of time | `350 ms`, `4 min`, `2.6 d` |
//! | p or q | `0.042`, `<0.001` |
//! | too few observations | `too few, n=3` |
//! | missing | `–` |

use desireline_core::kpi::Currency;
use desireline_core::report::{Cells, Rate};
use desireline_core::time::format_instant;
use desireline_stats::{Estimate, Unit};

/// What stands where nothing is known.
pub const MISSING: &str = "–";

/// What stands between the touchpoints of a path.
pub const STEP: &str = " › ";

/// A count with grouped thousands.
///
/// ```
/// assert_eq!(desireline_report::format::count(1_234_567), "1,234,567");
/// ```
pub fn count(n: u64) -> String {
    grouped(&n.to_string())
}

/// A count of things: `1 row`, `1,800 rows`.
pub fn counted(n: u64, thing: &str) -> String {
    let plural = if n == 1 { "" } else { "s" };
    format!("{} {thing}{plural}", count(n))
}

/// A signed whole number with grouped thousands.
pub fn integer(n: i64) -> String {
    let digits = grouped(&n.unsigned_abs().to_string());
    if n < 0 {
        format!("−{digits}")
    } else {
        digits
    }
}

/// A number without a unit: about four significant digits, thousands grouped.
///
/// ```
/// use desireline_report::format::number;
/// assert_eq!((number(12_345.6), number(1.23456), number(-0.5)), ("12,346".into(), "1.235".into(), "−0.5".into()));
/// ```
pub fn number(x: f64) -> String {
    if !x.is_finite() {
        return MISSING.to_owned();
    }
    let size = x.abs();
    if size != 0.0 && !(1e-4..1e15).contains(&size) {
        return format!("{x:.2e}").replace('-', "−");
    }
    let decimals = if size == 0.0 || size >= 1000.0 {
        0
    } else if size >= 100.0 {
        1
    } else if size >= 10.0 {
        2
    } else if size >= 0.1 {
        3
    } else {
        5
    };
    let text = fixed(x, decimals);
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// A share between 0 and 1 as per cent. Only an exact 0 or 1 reads `0 %` or `100 %`.
///
/// ```
/// use desireline_report::format::percent;
/// assert_eq!((percent(0.1823), percent(1.0), percent(0.0004)), ("18.2 %".into(), "100 %".into(), "0.04 %".into()));
/// ```
pub fn percent(share: f64) -> String {
    if !share.is_finite() {
        return MISSING.to_owned();
    }
    format!("{} %", percent_digits(share, percent_decimals(share)))
}

/// An estimate with its interval, by its unit.
///
/// ```
/// use desireline_report::format::estimate;
/// let rate = desireline_stats::wilson(41, 225, 0.95).ok_or("no data")?;
/// assert_eq!(estimate(&rate), "18.2 % (13.7–23.8)");
/// # Ok::<(), &'static str>(())
/// ```
pub fn estimate(e: &Estimate) -> String {
    let value = value(e);
    let (lower, upper) = interval_ends(e);
    let joint = joint(e);
    format!("{value} ({lower}{joint}{upper})")
}

/// An estimate of a difference: like [`estimate`], always with its sign.
pub fn difference(e: &Estimate) -> String {
    let plus = |x: f64, text: String| {
        if x > 0.0 && !text.starts_with(['+', '−', '0']) {
            format!("+{text}")
        } else {
            text
        }
    };
    match e.unit {
        Unit::ProportionDifference | Unit::Effect | Unit::Valence => estimate(e),
        Unit::Proportion => estimate(&e.with_unit(Unit::ProportionDifference)),
        _ => {
            let (lower, upper) = interval_ends(e);
            format!(
                "{} ({} to {})",
                plus(e.value, value(e)),
                plus(e.lower, lower),
                plus(e.upper, upper)
            )
        }
    }
}

/// A share as per cent on an axis: `20 %`, `2.5 %`.
pub(crate) fn tick_percent(share: f64) -> String {
    format!("{} %", number((share * 1e6).round() / 1e4))
}

/// The value of an estimate alone, by its unit.
pub fn value(e: &Estimate) -> String {
    match e.unit {
        Unit::Proportion => format!("{} %", percent_digits(e.value, estimate_decimals(e))),
        Unit::ProportionDifference => {
            format!("{} pts", signed_points(e.value, estimate_decimals(e)))
        }
        Unit::Microseconds => duration(rounded(e.value)),
        Unit::Effect | Unit::Valence => signed(e.value, 2),
        Unit::MoneyMinor => format!("{} minor units", integer(rounded(e.value))),
        _ => number(e.value),
    }
}

/// The interval of an estimate alone, such as `17.7–18.7`, by its unit.
pub fn interval(e: &Estimate) -> String {
    let (lower, upper) = interval_ends(e);
    let joint = joint(e);
    format!("{lower}{joint}{upper}")
}

/// A number that is watched and its interval, with as many digits as the interval leaves: `7` and `−9 to 23`; money in its currency,
/// where that is known: `12.50 EUR` and `11.20–13.80`.
pub(crate) fn watched(e: &Estimate, currency: Option<&Currency>) -> (String, String) {
    if let (Unit::MoneyMinor, Some(currency)) = (e.unit, currency) {
        return amount(e, currency);
    }
    let width = e.width();
    let is_bare = matches!(
        e.unit,
        Unit::Ratio | Unit::OddsRatio | Unit::NetScore | Unit::ScalePoints
    );
    if !is_bare || !width.is_normal() {
        return (value(e), interval(e));
    }
    let decimals = (1.0 - width.log10().floor()).clamp(0.0, 5.0) as usize;
    let told = |x| fixed(x, decimals);
    let ends = format!("{}{}{}", told(e.lower), joint(e), told(e.upper));
    (told(e.value), ends)
}

/// An amount and its interval; cents only where the interval leaves them.
fn amount(e: &Estimate, currency: &Currency) -> (String, String) {
    let exponent = i32::try_from(currency.exponent.min(18)).unwrap_or(0);
    let is_wide = e.width() >= 100.0 * 10_f64.powi(exponent);
    let told = |minor: f64| match is_wide {
        true => bare_money(rounded(minor / 10_f64.powi(exponent)), 0),
        false => bare_money(rounded(minor), currency.exponent),
    };
    let value = format!("{} {}", told(e.value), currency.code);
    let ends = format!("{}{}{}", told(e.lower), joint(e), told(e.upper));
    (value, ends)
}

/// Ends with signs need a word between them.
fn joint(e: &Estimate) -> &'static str {
    let signed = matches!(
        e.unit,
        Unit::ProportionDifference | Unit::Effect | Unit::Valence
    );
    if signed || e.lower < 0.0 {
        " to "
    } else {
        "–"
    }
}

fn interval_ends(e: &Estimate) -> (String, String) {
    let d = estimate_decimals(e);
    match e.unit {
        Unit::Proportion => (percent_digits(e.lower, d), percent_digits(e.upper, d)),
        Unit::ProportionDifference => (signed_points(e.lower, d), signed_points(e.upper, d)),
        Unit::Microseconds => {
            let (lower, upper) = (duration(rounded(e.lower)), duration(rounded(e.upper)));
            // One unit for both ends reads better: `(2.4–2.8)` after `2.6 d`.
            let unit = |s: &str| s.rsplit_once(' ').map(|(_, u)| u.to_owned());
            let shared = unit(&duration(rounded(e.value)));
            if unit(&lower) == shared && unit(&upper) == shared {
                let bare = |s: &str| {
                    s.rsplit_once(' ')
                        .map_or(s.to_owned(), |(n, _)| n.to_owned())
                };
                (bare(&lower), bare(&upper))
            } else {
                (lower, upper)
            }
        }
        Unit::Effect | Unit::Valence => (signed(e.lower, 2), signed(e.upper, 2)),
        Unit::MoneyMinor => (integer(rounded(e.lower)), integer(rounded(e.upper))),
        _ => (number(e.lower), number(e.upper)),
    }
}

/// A rate: its estimate, or how few observations there are.
pub fn rate(r: &Rate) -> String {
    match &r.estimate {
        Some(e) => estimate(e),
        None => too_few(r.n),
    }
}

/// What stands in place of an estimate on `n` observations.
pub fn too_few(n: u64) -> String {
    format!("too few, n={}", count(n))
}

/// A length of time in microseconds, in the unit that suits it.
///
/// ```
/// use desireline_report::format::duration;
/// assert_eq!((duration(350_000), duration(240_000_000)), ("350 ms".into(), "4 min".into()));
/// assert_eq!((duration(59_960_000), duration(224_640_000_000)), ("1 min".into(), "2.6 d".into()));
/// ```
pub fn duration(micros: i64) -> String {
    const UNITS: [(f64, &str, f64); 6] = [
        (1.0, "µs", 1_000.0),
        (1e3, "ms", 1_000.0),
        (1e6, "s", 60.0),
        (6e7, "min", 60.0),
        (3.6e9, "h", 24.0),
        (8.64e10, "d", f64::INFINITY),
    ];
    let sign = if micros < 0 { "−" } else { "" };
    if micros == 0 {
        return "0 s".to_owned();
    }
    let size = micros.unsigned_abs() as f64;
    for (unit, name, limit) in UNITS {
        let x = size / unit;
        let shown = if x < 9.95 {
            (x * 10.0).round() / 10.0
        } else {
            x.round()
        };
        if shown < limit {
            let digits = if shown.fract() == 0.0 {
                grouped(&format!("{shown:.0}"))
            } else {
                format!("{shown:.1}")
            };
            return format!("{sign}{digits} {name}");
        }
    }
    MISSING.to_owned()
}

/// A length of time on an axis with such steps, all of them in one unit: `45 min`, `60 min`, `75 min`.
pub(crate) fn tick_duration(micros: i64, step: i64) -> String {
    const UNITS: [(i64, &str); 4] = [
        (86_400_000_000, "d"),
        (3_600_000_000, "h"),
        (60_000_000, "min"),
        (1_000_000, "s"),
    ];
    match UNITS.iter().find(|(unit, _)| step > 0 && step % unit == 0) {
        Some((unit, name)) if micros != 0 && micros % unit == 0 => {
            format!("{} {name}", integer(micros / unit))
        }
        _ => duration(micros),
    }
}

/// A point in time, UTC: `2026-10-02 14:05:33`, without the clock at midnight.
pub fn time(micros: i64) -> String {
    let text = format_instant(micros);
    let Some((date, clock)) = text.trim_end_matches('Z').split_once('T') else {
        return text;
    };
    let clock = clock.split('.').next().unwrap_or(clock);
    if clock == "00:00:00" {
        date.to_owned()
    } else {
        format!("{date} {clock}")
    }
}

/// The day of a point in time, UTC: `2026-10-02`.
pub fn date(micros: i64) -> String {
    let text = format_instant(micros);
    text.split_once('T')
        .map_or_else(|| text.clone(), |(date, _)| date.to_owned())
}

/// An amount of money: `1,234.50 EUR` for 123450 minor units with exponent 2.
pub fn money(minor: i64, exponent: u32, currency: &str) -> String {
    format!("{} {currency}", bare_money(minor, exponent))
}

/// An amount of money without its currency.
fn bare_money(minor: i64, exponent: u32) -> String {
    let text = decimal(minor, exponent);
    let (sign, text) = match text.strip_prefix('-') {
        Some(rest) => ("−", rest),
        None => ("", text.as_str()),
    };
    let (whole, part) = text
        .split_once('.')
        .map_or((text, None), |(w, p)| (w, Some(p)));
    let whole = grouped(whole);
    match part {
        Some(part) => format!("{sign}{whole}.{part}"),
        None => format!("{sign}{whole}"),
    }
}

/// Minor units as an exact plain decimal, for machines.
pub(crate) fn decimal(minor: i64, exponent: u32) -> String {
    let sign = if minor < 0 { "-" } else { "" };
    let places = exponent as usize;
    let digits = format!(
        "{:0>width$}",
        minor.unsigned_abs(),
        width = places.saturating_add(1)
    );
    if places == 0 {
        return format!("{sign}{digits}");
    }
    let (whole, part) = digits.split_at(digits.len() - places);
    format!("{sign}{whole}.{part}")
}

/// A p or q value.
///
/// ```
/// use desireline_report::format::probability;
/// assert_eq!((probability(0.0421), probability(1e-9)), ("0.042".into(), "<0.001".into()));
/// ```
pub fn probability(p: f64) -> String {
    if !p.is_finite() {
        MISSING.to_owned()
    } else if p < 0.001 {
        "<0.001".to_owned()
    } else if p > 0.999 {
        ">0.999".to_owned()
    } else {
        format!("{p:.3}")
    }
}

/// One cell of a column for people; names are given as they are, the renderer escapes them.
pub fn cell(cells: &Cells, row: usize) -> String {
    fn at<T, R>(values: &[Option<T>], row: usize, show: impl Fn(&T) -> R) -> Option<R> {
        values.get(row).and_then(|v| v.as_ref()).map(show)
    }
    match cells {
        Cells::Text(v) => at(v, row, Clone::clone),
        Cells::Flag(v) => at(v, row, |b| if *b { "yes" } else { "no" }.to_owned()),
        Cells::Count(v) => at(v, row, |n| count(*n)),
        Cells::Number(v) => at(v, row, |x| number(*x)),
        Cells::Share(v) => at(v, row, |x| percent(*x)),
        Cells::Rate(v) => at(v, row, rate),
        Cells::Estimate(v) => at(v, row, estimate),
        Cells::Duration(v) => at(v, row, |d| duration(*d)),
        Cells::Time(v) => at(v, row, |t| time(*t)),
        Cells::Probability(v) => at(v, row, |p| probability(*p)),
        // The row of all paths that are not listed.
        Cells::Path(v) if v.get(row).is_some_and(Option::is_none) => Some("other".to_owned()),
        Cells::Path(v) => at(v, row, |p| p.join(STEP)),
        Cells::Money {
            amounts,
            currency,
            exponent,
        } => at(amounts, row, |m| money(*m, *exponent, currency)),
        _ => None,
    }
    .unwrap_or_else(|| MISSING.to_owned())
}

/// Whether the cells are words, which stand left; numbers stand right.
pub fn is_words(cells: &Cells) -> bool {
    matches!(cells, Cells::Text(_) | Cells::Path(_) | Cells::Flag(_))
}

fn rounded(x: f64) -> i64 {
    // `as` saturates at the ends of i64, which is what a display wants.
    x.round() as i64
}

fn grouped(digits: &str) -> String {
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

fn fixed(x: f64, decimals: usize) -> String {
    let text = format!("{:.decimals$}", x.abs());
    let (whole, part) = text
        .split_once('.')
        .map_or((text.as_str(), ""), |(w, p)| (w, p));
    let dot = if part.is_empty() { "" } else { "." };
    let zero = text.bytes().all(|b| b == b'0' || b == b'.');
    let sign = if x < 0.0 && !zero { "−" } else { "" };
    format!("{sign}{}{dot}{part}", grouped(whole))
}

fn percent_digits(share: f64, decimals: usize) -> String {
    if share == 0.0 {
        return "0".to_owned();
    }
    if share == 1.0 {
        return "100".to_owned();
    }
    fixed(share * 100.0, decimals)
}

fn percent_decimals(share: f64) -> usize {
    // Enough decimals that a share next to 0 or 1 does not read as exactly that.
    let edge = (share.abs() * 100.0).min((1.0 - share.abs()).abs() * 100.0);
    match edge {
        e if e == 0.0 || e >= 0.1 - 1e-9 => 1,
        e if e >= 0.01 - 1e-9 => 2,
        e if e >= 0.001 - 1e-9 => 3,
        _ => 4,
    }
}

fn estimate_decimals(e: &Estimate) -> usize {
    match e.width() * 100.0 {
        w if w >= 0.2 || w == 0.0 => 1,
        w if w >= 0.02 => 2,
        _ => 3,
    }
}

fn signed(x: f64, decimals: usize) -> String {
    let text = fixed(x, decimals);
    if x > 0.0 && text.bytes().any(|b| (b'1'..=b'9').contains(&b)) {
        format!("+{text}")
    } else {
        text
    }
}

fn signed_points(x: f64, decimals: usize) -> String {
    signed(x * 100.0, decimals)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use desireline_stats::Method;

    #[test]
    fn an_axis_has_one_unit() {
        let minute = 60_000_000;
        let told = |n: i64, step: i64| tick_duration(n * minute, step * minute);
        assert_eq!([told(60, 15), told(75, 15)], ["60 min", "75 min"]);
        assert_eq!([told(0, 60), told(120, 60)], ["0 s", "2 h"]);
        assert_eq!(tick_duration(1_500, 500), "1.5 ms");
    }

    #[test]
    fn edges_of_a_share_keep_their_meaning() {
        assert_eq!(percent(0.9999), "99.99 %");
        assert_eq!(percent(0.0), "0 %");
        assert_eq!(percent(f64::NAN), MISSING);
    }

    #[test]
    fn watched_numbers_have_the_digits_that_their_interval_leaves() {
        let told = |value, ends| {
            let e = Estimate::new(value, ends, 0.95, 87, Method::Newcombe, Unit::NetScore);
            watched(&e.unwrap(), None)
        };
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(told(6.897, (-9.497, 22.83)), pair("7", "−9 to 23"));
        assert_eq!(told(1.2345, (1.1, 1.4)), pair("1.23", "1.10–1.40"));
        assert_eq!(
            told(12_345.0, (12_000.0, 13_000.0)),
            pair("12,345", "12,000–13,000")
        );
        // Without a width the number is as exact as it is.
        assert_eq!(told(1.2345, (1.2345, 1.2345)).0, "1.234");
    }

    #[test]
    fn watched_money_stands_in_its_currency() {
        let euro = Currency {
            code: "EUR".to_owned(),
            exponent: 2,
        };
        let told = |value, ends, currency| {
            let e = Estimate::new(value, ends, 0.95, 87, Method::StudentT, Unit::MoneyMinor);
            watched(&e.unwrap(), currency)
        };
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(
            told(1250.4, (1180.0, 1321.0), Some(&euro)),
            pair("12.50 EUR", "11.80–13.21")
        );
        // Nobody needs the cents of what is known to hundreds.
        assert_eq!(
            told(123_456.0, (113_000.0, 140_049.0), Some(&euro)),
            pair("1,235 EUR", "1,130–1,400")
        );
        assert_eq!(
            told(123_456.0, (123_456.0, 123_456.0), Some(&euro)).0,
            "1,234.56 EUR"
        );
        let yen = Currency {
            code: "JPY".to_owned(),
            exponent: 0,
        };
        assert_eq!(
            told(-5.0, (-12.0, 2.0), Some(&yen)),
            pair("−5 JPY", "−12 to 2")
        );
        assert_eq!(
            told(1250.0, (1180.0, 1321.0), None),
            pair("1,250 minor units", "1,180–1,321")
        );
    }

    #[test]
    fn differences_carry_their_sign() {
        let e = Estimate::new(
            0.042,
            (-0.003, 0.087),
            0.95,
            10,
            Method::Newcombe,
            Unit::ProportionDifference,
        )
        .unwrap();
        assert_eq!(estimate(&e), "+4.2 pts (−0.3 to +8.7)");
        let t = Estimate::new(
            2.6 * 8.64e10,
            (2.4 * 8.64e10, 2.8 * 8.64e10),
            0.95,
            9,
            Method::Bootstrap,
            Unit::Microseconds,
        )
        .unwrap();
        assert_eq!(estimate(&t), "2.6 d (2.4–2.8)");
    }

    #[test]
    fn extremes_do_not_break() {
        assert_eq!(integer(i64::MIN), "−9,223,372,036,854,775,808");
        assert_eq!(money(-5, 2, "EUR"), "−0.05 EUR");
        assert_eq!(money(1_234_567, 0, "JPY"), "1,234,567 JPY");
        assert!(duration(i64::MIN).ends_with(" d"));
        assert_eq!(time(0), "1970-01-01");
        assert!(time(i64::MAX).ends_with("us"));
        assert_eq!(number(-0.0), "0");
    }
}
