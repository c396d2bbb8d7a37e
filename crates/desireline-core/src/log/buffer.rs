//! Attribute values on their way in, in the order of input.

use super::chunk::Coded;
use super::{AttributeSpec, AttributeType, Bitmap, Codes, KeyColumn, ValueColumn};
use crate::error::{Error, Result};
use crate::time::format_instant;

/// One attribute value, as a program holds it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum AttributeValue<'a> {
    /// No value.
    Missing,
    /// A text.
    Text(&'a str),
    /// A whole number.
    Integer(i64),
    /// A floating-point number; NaN counts as missing.
    Decimal(f64),
    /// Yes or no.
    Boolean(bool),
    /// Microseconds since 1970 UTC.
    Time(i64),
}

impl<'a> From<&'a str> for AttributeValue<'a> {
    fn from(text: &'a str) -> Self {
        AttributeValue::Text(text)
    }
}

impl<'a> From<&'a String> for AttributeValue<'a> {
    fn from(text: &'a String) -> Self {
        AttributeValue::Text(text)
    }
}

impl From<i64> for AttributeValue<'_> {
    fn from(number: i64) -> Self {
        AttributeValue::Integer(number)
    }
}

impl From<i32> for AttributeValue<'_> {
    fn from(number: i32) -> Self {
        AttributeValue::Integer(number.into())
    }
}

impl From<f64> for AttributeValue<'_> {
    fn from(number: f64) -> Self {
        AttributeValue::Decimal(number)
    }
}

impl From<bool> for AttributeValue<'_> {
    fn from(yes: bool) -> Self {
        AttributeValue::Boolean(yes)
    }
}

impl<'a, T: Into<AttributeValue<'a>>> From<Option<T>> for AttributeValue<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(AttributeValue::Missing, Into::into)
    }
}

impl AttributeValue<'_> {
    fn kind(&self) -> &'static str {
        match self {
            AttributeValue::Missing => "missing",
            AttributeValue::Text(_) => "text",
            AttributeValue::Integer(_) => "integer",
            AttributeValue::Decimal(_) => "decimal",
            AttributeValue::Boolean(_) => "boolean",
            AttributeValue::Time(_) => "time",
        }
    }
}

/// A growing column of one attribute, in the order of input.
#[derive(Clone, Debug)]
pub(super) enum Buffer {
    /// 0 is missing, else the code plus one.
    Text(Box<Coded>),
    /// 0 is missing, 1 no, 2 yes.
    Boolean(Codes),
    Integer(Vec<i64>, Bitmap),
    Decimal(Vec<f64>, Bitmap),
}

pub(super) fn kind_word(kind: AttributeType) -> &'static str {
    match kind {
        AttributeType::Text => "text",
        AttributeType::Boolean => "boolean",
        AttributeType::Integer => "integer",
        AttributeType::Decimal => "decimal",
        AttributeType::Time => "time",
    }
}

impl Buffer {
    pub(super) fn new(kind: AttributeType) -> Buffer {
        match kind {
            AttributeType::Text => Buffer::Text(Box::default()),
            AttributeType::Boolean => Buffer::Boolean(Codes::default()),
            AttributeType::Integer | AttributeType::Time => {
                Buffer::Integer(Vec::new(), Bitmap::default())
            }
            AttributeType::Decimal => Buffer::Decimal(Vec::new(), Bitmap::default()),
        }
    }

    pub(super) fn push_integer(&mut self, value: Option<i64>) {
        if let Buffer::Integer(values, there) = self {
            values.push(value.unwrap_or(0));
            there.push(value.is_some());
        }
    }

    fn push_code(&mut self, code: Option<u32>) {
        let code = code.map_or(0, |c| c.saturating_add(1));
        match self {
            Buffer::Text(coded) => coded.codes.push(code),
            Buffer::Boolean(codes) => codes.push(code),
            Buffer::Integer(..) | Buffer::Decimal(..) => {}
        }
    }

    /// Missing stays missing, NaN is missing, and the two zeros are one.
    fn push_decimal(&mut self, value: Option<f64>) {
        if let Buffer::Decimal(values, there) = self {
            let value = value.filter(|v| !v.is_nan());
            values.push(value.unwrap_or(0.0) + 0.0);
            there.push(value.is_some());
        }
    }

    pub(super) fn push_missing(&mut self) {
        self.push_integer(None);
        self.push_code(None);
        self.push_decimal(None);
    }

    /// Whether `value` can be kept under `spec` without a loss.
    pub(super) fn check_value(
        spec: &AttributeSpec,
        value: &AttributeValue<'_>,
        source: &str,
    ) -> Result<()> {
        use AttributeValue as V;
        let fits = matches!(
            (spec.kind, value),
            (AttributeType::Text, _)
                | (_, V::Missing)
                | (AttributeType::Boolean, V::Boolean(_))
                | (AttributeType::Integer, V::Integer(_))
                | (AttributeType::Decimal, V::Integer(_) | V::Decimal(_))
                | (AttributeType::Time, V::Time(_) | V::Integer(_))
        );
        if fits {
            Ok(())
        } else {
            Err(mismatch(spec, value.kind(), source))
        }
    }

    /// Appends a value that [`Buffer::check_value`] let through.
    pub(super) fn push(&mut self, value: AttributeValue<'_>) {
        use AttributeValue as V;
        if let Buffer::Text(coded) = self {
            let Coded { names, codes, .. } = &mut **coded;
            let code = match value {
                V::Missing => None,
                V::Text(text) => Some(names.text(text)),
                V::Integer(number) => Some(names.integer(number)),
                V::Decimal(number) if number.is_nan() => None,
                V::Decimal(number) => Some(names.text(&(number + 0.0).to_string())),
                V::Boolean(yes) => Some(names.text(word(yes))),
                V::Time(time) => Some(names.text(&format_instant(time))),
            };
            codes.push(code.map_or(0, |c| c.saturating_add(1)));
            return;
        }
        match value {
            V::Boolean(yes) => self.push_code(Some(yes.into())),
            V::Integer(number) => {
                self.push_integer(Some(number));
                self.push_decimal(Some(number as f64));
            }
            V::Time(time) => self.push_integer(Some(time)),
            V::Decimal(number) => self.push_decimal(Some(number)),
            V::Missing | V::Text(_) => self.push_missing(),
        }
    }

    /// Whether `column` can be kept under `spec`.
    pub(super) fn check_column(
        spec: &AttributeSpec,
        column: &ValueColumn<'_>,
        source: &str,
    ) -> Result<()> {
        use ValueColumn as C;
        let found = match (spec.kind, column) {
            (AttributeType::Text, _)
            | (AttributeType::Boolean, C::Booleans(_))
            | (AttributeType::Integer, C::Integers(_) | C::Key(KeyColumn::Integers(_)))
            | (AttributeType::Decimal, C::Integers(_) | C::Decimals(_))
            | (AttributeType::Time, C::Times(_) | C::Integers(_)) => return Ok(()),
            (_, C::Key(_)) => "text",
            (_, C::Integers(_)) => "integer",
            (_, C::Decimals(_)) => "decimal",
            (_, C::Booleans(_)) => "boolean",
            (_, C::Times(_)) => "time",
        };
        Err(mismatch(spec, found, source))
    }

    /// Appends the rows of `column` that are not in `skip`; [`Buffer::check_column`] let it through.
    pub(super) fn push_column(&mut self, column: &ValueColumn<'_>, skip: &[u32]) {
        match (self, column) {
            (Buffer::Text(coded), ValueColumn::Key(keys)) => coded.extend(keys, skip, 1),
            (buffer, ValueColumn::Integers(rows) | ValueColumn::Key(KeyColumn::Integers(rows))) => {
                rows.kept(skip, |v| buffer.push(v.into()));
            }
            (buffer, ValueColumn::Decimals(rows)) => rows.kept(skip, |v| buffer.push(v.into())),
            (buffer, ValueColumn::Booleans(rows)) => rows.kept(skip, |v| buffer.push(v.into())),
            (buffer, ValueColumn::Times(rows)) => {
                rows.kept(skip, |v| {
                    buffer.push(v.map_or(AttributeValue::Missing, AttributeValue::Time))
                });
            }
            (buffer, ValueColumn::Key(keys)) => {
                (skip.len()..keys.len()).for_each(|_| buffer.push_missing())
            }
        }
    }
}

fn word(yes: bool) -> &'static str {
    if yes { "true" } else { "false" }
}

fn mismatch(spec: &AttributeSpec, found: &'static str, source: &str) -> Error {
    Error::AttributeKind {
        source_name: source.to_owned(),
        attribute: spec.name.clone(),
        declared: kind_word(spec.kind),
        found,
    }
}

impl ValueColumn<'_> {
    /// The number of rows.
    pub fn len(&self) -> usize {
        match self {
            ValueColumn::Key(keys) => keys.len(),
            ValueColumn::Integers(rows) | ValueColumn::Times(rows) => rows.len(),
            ValueColumn::Decimals(rows) => rows.len(),
            ValueColumn::Booleans(rows) => rows.len(),
        }
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
