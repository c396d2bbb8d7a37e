//! The columns of one block.

use desireline_core::log::{
    Array, AttributeColumn, Block, Codes, ColumnData, CustomerIds, Level, TimeRest, Times,
    plain_integer,
};

use super::layout::{Column, Kind, Shape, Slot};
use super::parts::{Parsed, Parts, length, wrong};

/// The columns of a block as they come.
#[derive(Default)]
pub(super) struct Reading {
    customers: Option<CustomerIds>,
    offsets: Array<u32>,
    codes: Codes,
    ticks: Array<u32>,
    rest: TimeRest,
    attributes: Vec<(usize, AttributeColumn)>,
    value: Option<ColumnData>,
}

impl Reading {
    pub(super) fn column(
        &mut self,
        parts: &mut Parts<'_, '_>,
        column: &Column,
        rows: usize,
    ) -> Parsed<()> {
        let path = column.path();
        match column.slot {
            Slot::Customer if column.kind == Kind::Int64 => {
                self.customers = Some(CustomerIds::Integers(parts.whole(&path)?));
            }
            Slot::Customer => {
                let n = parts.node(&path)?;
                parts.buffer(&path)?;
                let offsets = parts.array::<u64>(&path)?;
                length(&path, offsets.len().wrapping_sub(1), n)?;
                let bytes = parts.array::<u8>(&path)?;
                self.customers = Some(CustomerIds::Texts { bytes, offsets });
            }
            Slot::Events => {
                let n = parts.node(&path)?;
                parts.buffer(&path)?;
                self.offsets = parts.array(&path)?;
                length(&path, n, rows)?;
                length(&path, self.offsets.len().wrapping_sub(1), n)?;
                let events = parts.node(&path)?;
                parts.buffer(&path)?;
                length(
                    &path,
                    self.offsets.last().map_or(0, |o| *o as usize),
                    events,
                )?;
            }
            Slot::Event => {
                let n = parts.node(&path)?;
                parts.buffer(&path)?;
                self.codes = parts.codes(column)?;
                length(&path, self.codes.len(), n)?;
            }
            Slot::Tick => self.ticks = parts.whole(&path)?,
            Slot::Rest => {
                self.rest = match column.kind {
                    Kind::Bits(width) => TimeRest::Packed(parts.packed(&path, width)?),
                    Kind::UInt16 => TimeRest::Short(parts.whole(&path)?),
                    _ => TimeRest::Long(parts.whole(&path)?),
                }
            }
            Slot::CustomerAttribute(a) => {
                let data = data(parts, column)?;
                let level = Level::Customer;
                self.attributes.push((a, AttributeColumn { level, data }));
            }
            Slot::EventAttribute(a) => {
                let data = data(parts, column)?;
                let level = Level::Event;
                self.attributes.push((a, AttributeColumn { level, data }));
            }
            Slot::Value => self.value = Some(data(parts, column)?),
        }
        Ok(())
    }

    pub(super) fn block(mut self, shape: &Shape, b: usize) -> Parsed<Block> {
        self.attributes.sort_by_key(|(a, _)| *a);
        let Some(times) = Times::from_parts(shape.time, self.ticks, self.rest) else {
            return wrong(
                "events.time_tick",
                "it is not as long as what belongs to it",
            );
        };
        let customers = match (self.customers, shape.integer_ids.get(b)) {
            (Some(ids @ CustomerIds::Texts { .. }), Some(true)) => {
                // Stored as texts for the sake of other blocks.
                let number = |c| plain_integer(&ids.get(c));
                match (0..ids.len()).map(number).collect() {
                    Some(numbers) => CustomerIds::Integers(numbers),
                    None => return wrong("customer", "an id is not the integer it should be"),
                }
            }
            (Some(ids), Some(_)) => ids,
            _ => return wrong("customer", "the log's description has no such block"),
        };
        Ok(Block {
            codes: self.codes,
            times,
            offsets: self.offsets,
            customers,
            attributes: self.attributes.into_iter().map(|(_, c)| c).collect(),
            value: self.value,
            fingerprint: 0,
        })
    }
}

fn data(parts: &mut Parts<'_, '_>, column: &Column) -> Parsed<ColumnData> {
    let path = column.path();
    let n = parts.node(&path)?;
    let data = match column.kind {
        Kind::Codes(_) => {
            // For other readers: to us code 0 says it.
            parts.buffer(&path)?;
            ColumnData::Coded(parts.codes(column)?)
        }
        Kind::Float64 => {
            let there = parts.presence(&path, n)?;
            ColumnData::Decimal(parts.array(&path)?, there)
        }
        _ => {
            let there = parts.presence(&path, n)?;
            ColumnData::Integer(parts.array(&path)?, there)
        }
    };
    length(&path, data.len(), n)?;
    Ok(data)
}
