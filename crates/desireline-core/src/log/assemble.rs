//! Blocks out of parts of other blocks, and the level each attribute settles at.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::build::cuts;
use super::{
    AttributeColumn, Block, Catalog, Codes, ColumnData, CustomerIds, Level, LogOptions, Times,
    Value,
};
use crate::error::{Error, Result};
use crate::with_codes;

/// A block to take rows from, with its codes' meaning in the new catalog where that differs.
#[derive(Debug)]
pub(super) struct Part<'a> {
    pub(super) block: &'a Block,
    pub(super) translation: Option<&'a Translation>,
}

/// New codes by old codes.
#[derive(Debug)]
pub(super) struct Translation {
    pub(super) events: Vec<u32>,
    /// By attribute; empty for those without a dictionary.
    pub(super) dictionaries: Vec<Vec<u32>>,
}

/// Some events of one customer of one part, by their rows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment {
    pub(super) part: u32,
    pub(super) customer: u32,
    pub(super) from: u32,
    pub(super) to: u32,
}

/// A customer to be: segments in the order that decides between equal times.
#[derive(Debug)]
pub(super) struct Group<'a> {
    pub(super) id: Cow<'a, str>,
    pub(super) segments: Vec<Segment>,
}

#[derive(Clone, Copy)]
struct Place {
    part: u32,
    customer: u32,
    row: u32,
}

/// Gathers blocks of at most `most` events from `groups`, whose ids are ascending; every attribute per event.
pub(super) fn assemble(
    parts: &[Part<'_>],
    groups: &[Group<'_>],
    catalog: &Catalog,
    most: usize,
) -> Result<Vec<Block>> {
    let mut sizes = Vec::with_capacity(groups.len());
    for group in groups {
        let size: u64 = group
            .segments
            .iter()
            .map(|s| u64::from(s.to - s.from))
            .sum();
        sizes.push(
            u32::try_from(size)
                .ok()
                .filter(|s| *s < u32::MAX)
                .ok_or(Error::TooMany {
                    what: "events of one customer",
                    count: size,
                    limit: u64::from(u32::MAX) - 1,
                })?,
        );
    }
    let mut blocks = Vec::new();
    let mut from = 0;
    while from < groups.len() {
        let mut offsets = vec![0u32];
        let mut total = 0u32;
        for size in &sizes[from..] {
            match total.checked_add(*size) {
                Some(sum)
                    if sum < u32::MAX && (total == 0 || sum as usize <= most.clamp(1, 1 << 31)) =>
                {
                    total = sum
                }
                _ => break,
            }
            offsets.push(total);
        }
        let to = from + offsets.len() - 1;
        debug_assert_eq!(cuts(&offsets, usize::MAX).len(), 1);
        blocks.push(block(parts, &groups[from..to], offsets, catalog));
        from = to;
    }
    Ok(blocks)
}

fn block(parts: &[Part<'_>], groups: &[Group<'_>], offsets: Vec<u32>, catalog: &Catalog) -> Block {
    let mut places = Vec::with_capacity(offsets.last().map_or(0, |n| *n as usize));
    for group in groups {
        let start = places.len();
        for s in &group.segments {
            places.extend((s.from..s.to).map(|row| Place {
                part: s.part,
                customer: s.customer,
                row,
            }));
        }
        if group.segments.len() > 1 {
            let time = |p: &Place| parts[p.part as usize].block.times.get(p.row as usize);
            let rows = &mut places[start..];
            if !rows.is_sorted_by_key(time) {
                rows.sort_by_cached_key(time);
            }
        }
    }
    let n = places.len();
    let part = |i: usize| (&parts[places[i].part as usize], places[i].row as usize);
    let times = Times::gather(n, |i| {
        let (part, row) = part(i);
        part.block.times.get(row)
    });
    let codes = Codes::gather(n, catalog.events.len(), |i| {
        let (part, row) = part(i);
        let code = part.block.codes.get(row);
        part.translation.map_or(code, |t| {
            t.events.get(code as usize).copied().unwrap_or(code)
        })
    });
    let cell = |attribute: usize, i: usize| {
        let (part, row) = part(i);
        let value = match part.block.attributes.get(attribute) {
            Some(column) if column.level == Level::Customer => {
                column.data.get(places[i].customer as usize)
            }
            Some(column) => column.data.get(row),
            None => Value::Missing,
        };
        match (value, part.translation) {
            (Value::Code(code), Some(t)) => Value::Code(
                t.dictionaries
                    .get(attribute)
                    .and_then(|d| d.get(code as usize))
                    .copied()
                    .unwrap_or(code),
            ),
            _ => value,
        }
    };
    let attributes = catalog
        .attributes
        .iter()
        .enumerate()
        .map(|(a, info)| {
            let like = parts
                .iter()
                .find_map(|p| p.block.attributes.get(a))
                .map(|c| &c.data);
            AttributeColumn {
                level: Level::Event,
                data: fill(like, n, info.dictionary.len(), |i| cell(a, i)),
            }
        })
        .collect();
    let like = parts.iter().find_map(|p| p.block.value.as_ref());
    let value = like.map(|like| {
        fill(Some(like), n, 0, |i| {
            let (part, row) = part(i);
            part.block
                .value
                .as_ref()
                .map_or(Value::Missing, |v| v.get(row))
        })
    });
    let ids: Vec<Cow<'_, str>> = groups.iter().map(|g| Cow::Borrowed(&*g.id)).collect();
    Block {
        codes,
        times,
        offsets: offsets.into(),
        customers: CustomerIds::from_ascending(&ids),
        attributes,
        value,
        fingerprint: 0,
    }
}

/// A column of the same kind as `like` with `n` values.
fn fill(
    like: Option<&ColumnData>,
    n: usize,
    distinct: usize,
    value: impl Fn(usize) -> Value,
) -> ColumnData {
    match like {
        Some(ColumnData::Integer(..)) => ColumnData::Integer(
            (0..n)
                .map(|i| {
                    if let Value::Integer(v) = value(i) {
                        v
                    } else {
                        0
                    }
                })
                .collect(),
            (0..n).map(|i| value(i) != Value::Missing).collect(),
        ),
        Some(ColumnData::Decimal(..)) => ColumnData::Decimal(
            (0..n)
                .map(|i| {
                    if let Value::Decimal(v) = value(i) {
                        v
                    } else {
                        0.0
                    }
                })
                .collect(),
            (0..n).map(|i| value(i) != Value::Missing).collect(),
        ),
        Some(ColumnData::Coded(_)) | None => {
            ColumnData::Coded(Codes::gather(n, distinct + 1, |i| match value(i) {
                Value::Code(code) => code.saturating_add(1),
                _ => 0,
            }))
        }
    }
}

/// Orders groups as a block's customers must be: as numbers where all ids are plain integers, else by bytes.
pub(super) fn sort_groups(groups: &mut [Group<'_>]) {
    let numbers: Option<Vec<i64>> = groups.iter().map(|g| super::plain_integer(&g.id)).collect();
    if numbers.is_some() {
        groups.sort_by_cached_key(|g| super::plain_integer(&g.id));
    } else {
        groups.sort_by(|a, b| a.id.cmp(&b.id));
    }
}

/// A log's blocks while it is put together: old ones, shared, and new ones.
#[derive(Debug)]
pub(super) struct Rebuild {
    pub(super) blocks: Vec<Slot>,
    /// The levels before, when there was a log before.
    pub(super) prior: Option<Vec<Level>>,
    /// By attribute declared to belong to customers: customers that have several values.
    pub(super) conflicts: BTreeMap<String, u64>,
}

/// One block with what is known of it.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) block: Arc<Block>,
    /// Made just now: levels, counts and fingerprint are still to be found.
    pub(super) fresh: bool,
    pub(super) tally: super::log::Tally,
}

impl Rebuild {
    pub(super) fn fresh(blocks: Vec<Block>) -> Rebuild {
        Rebuild {
            blocks: blocks.into_iter().map(Slot::fresh).collect(),
            prior: None,
            conflicts: BTreeMap::new(),
        }
    }
}

impl Slot {
    pub(super) fn fresh(block: Block) -> Slot {
        Slot {
            block: Arc::new(block),
            fresh: true,
            tally: super::log::Tally::default(),
        }
    }
}

/// Decides each attribute's level and stores it that way in every block.
///
/// An attribute without a declared level belongs to customers when no customer has two values, a missing value
/// counting as one of its own: nothing is filled in. Once it belongs to events it stays so.
pub(super) fn settle(catalog: &mut Catalog, rebuild: &mut Rebuild, options: &LogOptions) {
    for (a, info) in catalog.attributes.iter_mut().enumerate() {
        let declared = options.attributes.get(a).and_then(|s| s.level);
        let level = declared.unwrap_or_else(|| {
            let was_event = rebuild
                .prior
                .as_ref()
                .is_some_and(|p| p.get(a) == Some(&Level::Event));
            let constant = |slot: &Slot| !slot.fresh || is_constant(&slot.block, a);
            if !was_event && rebuild.blocks.iter().all(constant) {
                Level::Customer
            } else {
                Level::Event
            }
        });
        info.level = level;
        let mut conflicts = 0;
        for slot in &mut rebuild.blocks {
            let Some(now) = slot.block.attributes.get(a).map(|c| c.level) else {
                continue;
            };
            if now == level {
                continue;
            }
            let (column, several) = match level {
                Level::Customer => per_customer(&slot.block, a),
                Level::Event => (per_event(&slot.block, a), 0),
            };
            conflicts += several;
            if let Some(data) = column {
                let block = Arc::make_mut(&mut slot.block);
                block.attributes[a] = AttributeColumn { level, data };
            }
        }
        if declared == Some(Level::Customer) && conflicts > 0 {
            *rebuild.conflicts.entry(info.name.clone()).or_default() += conflicts;
        }
    }
}

fn customers(block: &Block) -> impl Iterator<Item = std::ops::Range<usize>> + '_ {
    block
        .offsets
        .windows(2)
        .map(|w| w[0] as usize..w[1] as usize)
}

/// Values as bits, so that equal means equal for every kind.
pub(super) fn bits(value: Value) -> (u8, u64) {
    match value {
        Value::Missing => (0, 0),
        Value::Code(code) => (1, code.into()),
        Value::Integer(number) => (2, number.cast_unsigned()),
        Value::Decimal(number) => (3, number.to_bits()),
    }
}

fn is_constant(block: &Block, attribute: usize) -> bool {
    let Some(column) = block.attributes.get(attribute) else {
        return true;
    };
    if column.level == Level::Customer {
        return true;
    }
    match &column.data {
        ColumnData::Coded(codes) => with_codes!(codes.as_slice(), codes => {
            customers(block).all(|range| codes[range].windows(2).all(|w| w[0] == w[1]))
        }),
        data => {
            let same = |mut range: std::ops::Range<usize>| {
                let first = range.next().map(|i| bits(data.get(i)));
                range.all(|i| Some(bits(data.get(i))) == first)
            };
            customers(block).all(same)
        }
    }
}

/// Each customer's latest value that is there, and how many customers have several.
fn per_customer(block: &Block, attribute: usize) -> (Option<ColumnData>, u64) {
    let Some(column) = block.attributes.get(attribute) else {
        return (None, 0);
    };
    let mut several = 0;
    if let ColumnData::Coded(codes) = &column.data {
        // Codes are compared as they are; 0 is missing.
        let mut latest = Vec::with_capacity(block.n_customers());
        with_codes!(codes.as_slice(), codes => {
            for range in customers(block) {
                let mut there = codes[range].iter().rev().filter(|c| **c != 0);
                let last = there.next().copied().unwrap_or(0);
                several += u64::from(there.any(|c| *c != last));
                latest.push(u32::from(last));
            }
        });
        let data = Codes::narrow(&latest, widest(&column.data) + 1);
        return (Some(ColumnData::Coded(data)), several);
    }
    let mut values = Vec::with_capacity(block.n_customers());
    for range in customers(block) {
        let mut there = range
            .rev()
            .map(|i| column.data.get(i))
            .filter(|v| *v != Value::Missing);
        let latest = there.next().unwrap_or(Value::Missing);
        several += u64::from(there.any(|v| bits(v) != bits(latest)));
        values.push(latest);
    }
    let n = values.len();
    (
        Some(fill(Some(&column.data), n, widest(&column.data), |i| {
            values[i]
        })),
        several,
    )
}

/// The most dictionary entries that fit the column's width.
fn widest(data: &ColumnData) -> usize {
    match data {
        ColumnData::Coded(Codes::U8(_)) => (1 << 8) - 1,
        ColumnData::Coded(Codes::U16(_)) => (1 << 16) - 1,
        _ => usize::MAX - 1,
    }
}

fn per_event(block: &Block, attribute: usize) -> Option<ColumnData> {
    let column = block.attributes.get(attribute)?;
    let mut owner = Vec::with_capacity(block.n_events());
    for (c, range) in customers(block).enumerate() {
        owner.extend(range.map(|_| c));
    }
    Some(fill(
        Some(&column.data),
        owner.len(),
        widest(&column.data),
        |i| column.data.get(owner[i]),
    ))
}
