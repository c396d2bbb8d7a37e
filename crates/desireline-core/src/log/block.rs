//! Storage: the columns of whole customers.

use super::{Codes, ColumnData, CustomerIds, Level, Times};

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
    pub offsets: Vec<u32>,
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

    /// Bytes on the heap for codes, times and customer boundaries: what every analysis reads.
    pub fn core_bytes(&self) -> usize {
        self.codes.heap_bytes() + self.times.heap_bytes() + self.offsets.capacity() * 4
    }

    /// Bytes on the heap, all told.
    pub fn heap_bytes(&self) -> usize {
        self.core_bytes()
            + self.customers.heap_bytes()
            + self
                .attributes
                .iter()
                .map(|a| a.data.heap_bytes())
                .sum::<usize>()
            + self.value.as_ref().map_or(0, ColumnData::heap_bytes)
    }
}
