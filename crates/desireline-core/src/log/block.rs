//! Storage: the columns of whole customers.

use super::{Array, Codes, ColumnData, CustomerIds, Level, Times};

/// One attribute's values in one block.
#[derive(Clone, Debug, PartialEq)]
pub struct AttributeColumn {
    /// One value per event or one per customer.
    pub level: Level,
    /// The values.
    pub data: ColumnData,
}

/// The events of whole customers as columns, sorted by customer, time and order of input.
///
/// Blocks are immutable and shared: a log that grew keeps the blocks whose customers did not change.
#[derive(Clone, Debug)]
pub struct Block {
    /// Event-name codes, one per event.
    pub codes: Codes,
    /// Times, one per event.
    pub times: Times,
    /// Where each customer's events begin, with the number of events at the end: one entry more than customers.
    pub offsets: Array<u32>,
    /// The customers' ids, in the order of `offsets`.
    pub customers: CustomerIds,
    /// One column per attribute of the catalog, in its order.
    pub attributes: Vec<AttributeColumn>,
    /// The money of each event in minor units (cents), if the log has a value column; missing stays missing.
    pub value: Option<ColumnData>,
    /// A hash of the block's content: names, ids and values, not codes.
    pub fingerprint: u128,
}

impl Block {
    /// The number of events.
    pub fn n_events(&self) -> usize {
        self.times.len()
    }

    /// The number of customers.
    pub fn n_customers(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    /// The customers in pieces of at most `rows` events, or of a single customer with more.
    pub(super) fn pieces(&self, rows: usize) -> Vec<std::ops::Range<usize>> {
        let pieces = super::build::cuts(&self.offsets, rows);
        pieces.into_iter().map(|(from, to)| from..to).collect()
    }

    /// Bytes held for codes, times and customer boundaries: what every analysis reads.
    pub fn core_bytes(&self) -> usize {
        self.codes.held_bytes() + self.times.held_bytes() + self.offsets.held_bytes()
    }

    /// Bytes held, all told: in memory, or in the file that the columns are borrowed from.
    pub fn held_bytes(&self) -> usize {
        self.core_bytes()
            + self.customers.held_bytes()
            + self
                .attributes
                .iter()
                .map(|a| a.data.held_bytes())
                .sum::<usize>()
            + self.value.as_ref().map_or(0, ColumnData::held_bytes)
    }
}
