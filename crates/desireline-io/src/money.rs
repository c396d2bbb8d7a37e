//! Amounts of money as whole minor units.

use iso_currency::Currency;
use rust_decimal::Decimal;

use crate::IoError;

/// The decimal places of a currency's minor unit.
pub(crate) fn exponent(code: &str) -> Result<u32, IoError> {
    Currency::from_code(&code.to_ascii_uppercase())
        .and_then(Currency::exponent)
        .map(u32::from)
        .ok_or_else(|| IoError::UnknownCurrency {
            currency: code.to_owned(),
        })
}

/// Exact minor units of a decimal text; `None` when it is no number, is finer than the minor unit, or is too large.
pub(crate) fn parse(text: &str, exponent: u32) -> Option<i64> {
    let text = text.trim();
    // The decimal parser also takes digit groups such as `1_000`.
    if !text
        .bytes()
        .all(|b| matches!(b, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'))
    {
        return None;
    }
    let decimal = if text.bytes().any(|b| matches!(b, b'e' | b'E')) {
        Decimal::from_scientific(text).ok()?
    } else {
        Decimal::from_str_exact(text).ok()?
    };
    let decimal = decimal.normalize();
    scaled(decimal.mantissa(), i64::from(decimal.scale()), exponent)
}

/// Minor units of `mantissa` × 10^−`scale`, if whole.
pub(crate) fn scaled(mantissa: i128, scale: i64, exponent: u32) -> Option<i64> {
    let shift = i64::from(exponent).checked_sub(scale)?;
    let power = 10_i128.checked_pow(u32::try_from(shift.unsigned_abs()).ok()?);
    let minor = if mantissa == 0 {
        0
    } else if shift >= 0 {
        mantissa.checked_mul(power?)?
    } else {
        let power = power?;
        if mantissa % power != 0 {
            return None;
        }
        mantissa / power
    };
    i64::try_from(minor).ok()
}

/// Minor units of a whole number of major units.
pub(crate) fn from_integer(amount: i64, exponent: u32) -> Option<i64> {
    scaled(i128::from(amount), 0, exponent)
}

/// The nearest minor unit to a binary number; `None` when it is infinite or so large that minor units are no longer exact.
pub(crate) fn from_float(amount: f64, exponent: u32) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let minor = (amount * 10_f64.powi(i32::try_from(exponent).ok()?)).round();
    (minor.abs() <= EXACT).then_some(minor as i64)
}

/// Exact minor units of a JSON number: its shortest decimal text is read as text is.
pub(crate) fn from_json_float(amount: f64, exponent: u32) -> Option<i64> {
    from_float(amount, exponent)?;
    parse(&amount.to_string(), exponent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact() {
        assert_eq!(parse("11.77", 2), Some(1177));
        assert_eq!(parse("11.770", 2), Some(1177));
        assert_eq!(parse("-0.01", 2), Some(-1));
        assert_eq!(parse("-0", 2), Some(0));
        assert_eq!(parse("1e3", 2), Some(100_000));
        assert_eq!(parse("11.777", 2), None);
        assert_eq!(parse("1.5", 0), None);
        assert_eq!(parse("1_000", 2), None);
        assert_eq!(parse("12,50", 2), None);
        assert_eq!(parse("nan", 2), None);
        assert_eq!(parse("", 2), None);
        assert_eq!(parse("92233720368547758.07", 2), Some(i64::MAX));
        assert_eq!(parse("92233720368547758.08", 2), None);
        assert_eq!(from_float(f64::NAN, 2), None);
        assert_eq!(from_float(1e308, 2), None);
        assert_eq!(from_float(19.99, 2), Some(1999));
        assert_eq!(from_json_float(19.99, 2), Some(1999));
        assert_eq!(from_json_float(19.999, 2), None);
        assert_eq!(scaled(i128::MAX, -2000, 2), None);
        assert_eq!(exponent("JPY").ok(), Some(0));
        assert_eq!(exponent("eur").ok(), Some(2));
        assert!(exponent("XAU").is_err() && exponent("nope").is_err());
    }
}
