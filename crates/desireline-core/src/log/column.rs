//! Attribute columns.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Array, Codes, Presence, Vocabulary};

/// What an attribute belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// May differ from event to event.
    Event,
    /// One value per customer; stored once.
    Customer,
}

/// What an attribute holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AttributeType {
    /// Text, as codes of a dictionary.
    Text,
    /// `false` or `true`, as codes of the dictionary of those two words.
    Boolean,
    /// Whole numbers.
    Integer,
    /// Floating-point numbers.
    Decimal,
    /// Points in time, microseconds since 1970.
    Time,
}

/// An attribute as a plan sees it: its name, kind and, for text, its dictionary.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AttributeInfo {
    /// The name people use.
    pub name: String,
    /// Event or customer.
    pub level: Level,
    /// What it holds.
    pub kind: AttributeType,
    /// The distinct texts of a text or boolean attribute; empty for numbers.
    pub dictionary: Vocabulary,
}

/// The values of one attribute in one block: one per event or one per customer, by its [`Level`].
#[derive(Clone, Debug, PartialEq)]
pub enum ColumnData {
    /// Text and booleans: 0 is missing, else the dictionary's code plus one.
    Coded(Codes),
    /// Integers and times, with a bit for each value that is there.
    Integer(Array<i64>, Presence),
    /// Floating-point numbers, with a bit for each value that is there.
    Decimal(Array<f64>, Presence),
}

/// One value of an attribute; missing stays missing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// No value.
    Missing,
    /// A dictionary code.
    Code(u32),
    /// An integer, or a time in microseconds.
    Integer(i64),
    /// A floating-point number.
    Decimal(f64),
}

impl ColumnData {
    /// How many values the column has, missing ones included.
    pub fn len(&self) -> usize {
        match self {
            ColumnData::Coded(codes) => codes.len(),
            ColumnData::Integer(values, _) => values.len(),
            ColumnData::Decimal(values, _) => values.len(),
        }
    }

    /// Whether the column has no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value at `i`.
    #[inline]
    pub fn get(&self, i: usize) -> Value {
        match self {
            ColumnData::Coded(codes) => match codes.get(i) {
                0 => Value::Missing,
                code => Value::Code(code - 1),
            },
            ColumnData::Integer(values, there) if there.get(i) => Value::Integer(values[i]),
            ColumnData::Decimal(values, there) if there.get(i) => Value::Decimal(values[i]),
            _ => Value::Missing,
        }
    }

    /// Bytes held.
    pub fn held_bytes(&self) -> usize {
        match self {
            ColumnData::Coded(codes) => codes.held_bytes(),
            ColumnData::Integer(v, there) => v.held_bytes() + there.held_bytes(),
            ColumnData::Decimal(v, there) => v.held_bytes() + there.held_bytes(),
        }
    }
}
