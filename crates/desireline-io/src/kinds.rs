//! What kind of values a text column holds.
//!
//! A column is taken for numbers or booleans only when no two different texts would become one value: `007` and `7`,
//! `1.10` and `1.1`, `True` and `true` stay apart because their column stays text.

use desireline_core::log::AttributeType;

/// What is still possible for one column of texts.
#[derive(Clone, Debug)]
pub(crate) struct Guess {
    seen: bool,
    integer: bool,
    /// Every number is as short as it can be.
    shortest: bool,
    /// Every number has this many decimals.
    fixed: Option<Option<usize>>,
    bare_whole: bool,
    point_zero: bool,
    /// Every text is `false` or `true` in this spelling.
    boolean: Option<Option<usize>>,
}

const SPELLINGS: [[&str; 2]; 3] = [["false", "true"], ["False", "True"], ["FALSE", "TRUE"]];

impl Default for Guess {
    fn default() -> Guess {
        Guess {
            seen: false,
            integer: true,
            shortest: true,
            fixed: Some(None),
            bare_whole: false,
            point_zero: false,
            boolean: Some(None),
        }
    }
}

impl Guess {
    /// Takes in one text that is not missing.
    pub(crate) fn observe(&mut self, text: &str) {
        self.seen = true;
        if let Some(spelling) = &mut self.boolean {
            let found = SPELLINGS.iter().position(|s| s.contains(&text));
            self.boolean = match (*spelling, found) {
                (None, Some(i)) => Some(Some(i)),
                (Some(a), Some(b)) if a == b => Some(Some(a)),
                _ => None,
            };
        }
        if self.number() {
            self.observe_number(text);
        }
    }

    fn number(&self) -> bool {
        self.integer || self.shortest || self.fixed.is_some()
    }

    fn refuse_number(&mut self) {
        self.integer = false;
        self.shortest = false;
        self.fixed = None;
    }

    fn observe_number(&mut self, text: &str) {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let is_digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        let plain = !whole.is_empty()
            && is_digits(whole)
            && is_digits(fraction)
            && (whole == "0" || !whole.starts_with('0'))
            && (digits.len() == whole.len() || !fraction.is_empty())
            // A negative zero would become a plain one.
            && !(digits.len() < text.len() && digits.bytes().all(|b| matches!(b, b'0' | b'.')));
        if !plain {
            return self.refuse_number();
        }
        if digits.len() == whole.len() {
            self.bare_whole = true;
            if text.parse::<i64>().is_err() {
                self.integer = false;
            }
        } else {
            self.integer = false;
        }
        // Up to 15 digits a decimal text and its binary number stand for each other.
        if whole.len() + fraction.len() > 15 {
            self.shortest = false;
            self.fixed = None;
            return;
        }
        if fraction == "0" {
            self.point_zero = true;
        } else if fraction.ends_with('0') {
            self.shortest = false;
        }
        self.fixed = match self.fixed {
            Some(None) => Some(Some(fraction.len())),
            Some(Some(n)) if n == fraction.len() => Some(Some(n)),
            _ => None,
        };
    }

    /// Whether any text was shown.
    pub(crate) fn seen(&self) -> bool {
        self.seen
    }

    /// Whether more texts can no longer change the answer.
    pub(crate) fn settled(&self) -> bool {
        self.boolean.is_none() && !self.number()
    }

    /// What the column holds; text where nothing was seen.
    pub(crate) fn kind(&self) -> AttributeType {
        if !self.seen {
            AttributeType::Text
        } else if self.boolean.is_some() {
            AttributeType::Boolean
        } else if self.integer {
            AttributeType::Integer
        } else if self.fixed.is_some() || (self.shortest && !(self.bare_whole && self.point_zero)) {
            AttributeType::Decimal
        } else {
            AttributeType::Text
        }
    }
}

/// The texts of a declared boolean column.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    match text {
        "1" => Some(true),
        "0" => Some(false),
        t if t.eq_ignore_ascii_case("true") => Some(true),
        t if t.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

/// A finite number; −0 becomes 0.
pub(crate) fn finite(x: f64) -> Option<f64> {
    x.is_finite().then_some(x + 0.0)
}

/// The words for a kind.
pub(crate) fn words(kind: AttributeType) -> &'static str {
    match kind {
        AttributeType::Text => "text",
        AttributeType::Boolean => "booleans",
        AttributeType::Integer => "integers",
        AttributeType::Decimal => "decimals",
        AttributeType::Time => "times",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(texts: &[&str]) -> AttributeType {
        let mut guess = Guess::default();
        for text in texts {
            guess.observe(text);
        }
        guess.kind()
    }

    #[test]
    fn different_texts_never_become_one_value() {
        use AttributeType::*;
        assert_eq!(kind(&[]), Text);
        assert_eq!(kind(&["1", "-20", "0"]), Integer);
        assert_eq!(kind(&["007", "7"]), Text);
        assert_eq!(kind(&["+7"]), Text);
        assert_eq!(kind(&["-0"]), Text);
        assert_eq!(kind(&["9223372036854775807"]), Integer);
        assert_eq!(kind(&["9223372036854775808"]), Text);
        assert_eq!(kind(&["1.9", "1.10"]), Text);
        assert_eq!(kind(&["1.50", "12.00"]), Decimal);
        assert_eq!(kind(&["1.5", "2", "0.25"]), Decimal);
        assert_eq!(kind(&["5", "5.0"]), Text);
        assert_eq!(kind(&["5.0", "5.25"]), Decimal);
        assert_eq!(kind(&["1e5"]), Text);
        assert_eq!(kind(&["nan", "1"]), Text);
        assert_eq!(kind(&["1.", "2."]), Text);
        assert_eq!(kind(&["true", "false"]), Boolean);
        assert_eq!(kind(&["True", "false"]), Text);
        assert_eq!(kind(&["true", "1"]), Text);
        assert_eq!(kind(&["NA", "null", "None"]), Text);
    }
}
