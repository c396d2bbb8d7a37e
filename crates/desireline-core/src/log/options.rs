//! How a log is to be built.

use serde::{Deserialize, Serialize};

use super::{AttributeType, Level};

/// An attribute to keep.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttributeSpec {
    /// The name people will use.
    pub name: String,
    /// What it holds.
    pub kind: AttributeType,
    /// Event or customer; found out from the data when `None`: customer when no customer has two values.
    pub level: Option<Level>,
}

/// What to keep and how strict to be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogOptions {
    /// The attributes, in the order of a batch's columns.
    pub attributes: Vec<AttributeSpec>,
    /// Which of them names the channel.
    pub channel: Option<String>,
    /// Which of them names the journey or session.
    pub journey: Option<String>,
    /// The ISO 4217 code of the value column and the decimal places of its minor unit.
    pub currency: Option<(String, u32)>,
    /// Until when customers were observed; the last event's time when `None`, and, with a caveat, when it is later.
    pub observed_until: Option<i64>,
    /// Drop rows that repeat an earlier one of the same customer and time in every column.
    pub dedupe: bool,
    /// The largest share of rows that may be put aside, from 0 to 1.
    pub max_quarantine_share: f64,
    /// The most events in a block; blocks are cut between customers.
    pub block_events: usize,
}

impl Default for LogOptions {
    fn default() -> LogOptions {
        LogOptions {
            attributes: Vec::new(),
            channel: None,
            journey: None,
            currency: None,
            observed_until: None,
            dedupe: false,
            max_quarantine_share: 0.05,
            block_events: 1 << 23,
        }
    }
}

impl LogOptions {
    /// Keeps one more attribute; whether it belongs to events or customers is found out from the data.
    #[must_use]
    pub fn attribute(mut self, name: impl Into<String>, kind: AttributeType) -> LogOptions {
        self.attributes.push(AttributeSpec {
            name: name.into(),
            kind,
            level: None,
        });
        self
    }

    /// Keeps one more attribute at a declared level.
    #[must_use]
    pub fn attribute_at(
        mut self,
        name: impl Into<String>,
        kind: AttributeType,
        level: Level,
    ) -> LogOptions {
        self.attributes.push(AttributeSpec {
            name: name.into(),
            kind,
            level: Some(level),
        });
        self
    }

    /// Declares the money of the value column: an ISO 4217 code and the decimal places of its minor unit.
    #[must_use]
    pub fn currency(mut self, code: impl Into<String>, exponent: u32) -> LogOptions {
        self.currency = Some((code.into(), exponent));
        self
    }
}
