//! Rows that could not be read: put aside, counted, never guessed.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Why a row was put aside.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reason {
    /// The row has no customer.
    MissingCustomer,
    /// The row has no time.
    MissingTime,
    /// The row has no event name.
    MissingEvent,
    /// The time could not be parsed.
    UnparseableTime,
    /// The time lies outside the years −9999 to 9999.
    TimeOutOfRange,
    /// The local time does not exist or exists twice in the declared zone.
    AmbiguousTime,
    /// The value is no amount of money in the declared currency.
    UnparseableValue,
    /// An attribute's text is not of the declared kind.
    UnparseableAttribute,
    /// The row has more or fewer fields than the header.
    WrongFieldCount,
    /// The row is not valid UTF-8.
    InvalidUtf8,
    /// The line is not a JSON object.
    InvalidJson,
    /// A field is longer than the limit.
    FieldTooLong,
    /// JSON is nested deeper than the limit.
    TooDeep,
    /// The answer to a question of a survey is no number.
    UnparseableScore,
    /// The answer is not on the question's scale.
    OffScale,
    /// The row answers a question that was not declared.
    UnknownQuestion,
}

impl Reason {
    /// The words people read.
    pub fn label(self) -> &'static str {
        match self {
            Reason::MissingCustomer => "missing customer",
            Reason::MissingTime => "missing time",
            Reason::MissingEvent => "missing event name",
            Reason::UnparseableTime => "unparseable time",
            Reason::TimeOutOfRange => "time out of range",
            Reason::AmbiguousTime => "local time missing or ambiguous in its zone",
            Reason::UnparseableValue => "unparseable value",
            Reason::UnparseableAttribute => "unparseable attribute",
            Reason::WrongFieldCount => "wrong number of fields",
            Reason::InvalidUtf8 => "invalid UTF-8",
            Reason::InvalidJson => "invalid JSON",
            Reason::FieldTooLong => "field too long",
            Reason::TooDeep => "nested too deep",
            Reason::UnparseableScore => "score is no number",
            Reason::OffScale => "score outside of its scale",
            Reason::UnknownQuestion => "unknown question",
        }
    }
}

/// One row that was put aside. Its content is not kept.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct QuarantinedRow {
    /// The input's name.
    pub source: String,
    /// The row number in that input, from 1; a header line counts as a row.
    pub row: u64,
    /// The column, where one is to blame.
    pub column: Option<String>,
    /// Why.
    pub reason: Reason,
}

/// All that was put aside while a log was read: exact counts, and the first rows of each reason as examples.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Quarantine {
    /// Rows put aside, by reason.
    pub counts: BTreeMap<Reason, u64>,
    /// The first rows of each reason in the order of input, at most [`Quarantine::EXAMPLES`] each.
    pub examples: Vec<QuarantinedRow>,
    /// Rows read, good and bad.
    pub rows_read: u64,
}

impl Quarantine {
    /// How many example rows are kept for each reason.
    pub const EXAMPLES: usize = 10;

    /// Puts one row aside.
    pub fn put(&mut self, source: &str, row: u64, column: Option<&str>, reason: Reason) {
        let seen = self.counts.entry(reason).or_default();
        if *seen < Self::EXAMPLES as u64 {
            self.examples.push(QuarantinedRow {
                source: source.to_owned(),
                row,
                column: column.map(str::to_owned),
                reason,
            });
        }
        *seen += 1;
    }

    /// Adds what was put aside elsewhere, after what is here.
    pub fn merge(&mut self, other: &Quarantine) {
        for row in &other.examples {
            let have = self
                .examples
                .iter()
                .filter(|r| r.reason == row.reason)
                .count();
            if have < Self::EXAMPLES {
                self.examples.push(row.clone());
            }
        }
        for (reason, n) in &other.counts {
            *self.counts.entry(*reason).or_default() += n;
        }
        self.rows_read += other.rows_read;
    }

    /// Rows put aside.
    pub fn total(&self) -> u64 {
        self.counts.values().sum()
    }

    /// The share of rows put aside; 0 where nothing was read.
    pub fn share(&self) -> f64 {
        if self.rows_read == 0 {
            0.0
        } else {
            self.total() as f64 / self.rows_read as f64
        }
    }
}
