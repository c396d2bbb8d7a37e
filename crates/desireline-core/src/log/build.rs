//! Sorted rows into blocks.

use super::buffer::Buffer;
use super::builder::LogBuilder;
use super::intern::Interner;
use super::sort::{Record, Sorted, ascending};
use super::{
    AttributeColumn, AttributeInfo, AttributeType, Block, Catalog, Codes, ColumnData, CustomerIds,
    Level, Times, Vocabulary,
};
use crate::error::Result;
use crate::with_codes;

/// Attributes with more texts than this are ids of something; to sort them would take longer than all the rest.
const MOST_SORTED: usize = 1 << 16;

/// A vocabulary in an order that input order cannot change, and the place of each interned code in it.
struct Ranked {
    names: Vocabulary,
    place: Vec<u32>,
}

fn ranked(ids: &Interner, order: &[u32]) -> Ranked {
    let names = order.iter().map(|c| ids.name(*c as usize)).collect();
    let mut place = vec![0; order.len()];
    for (to, from) in (0u32..).zip(order) {
        place[*from as usize] = to;
    }
    Ranked { names, place }
}

/// Event names by count, most frequent first, then by name.
fn rank_events(builder: &LogBuilder, sorted: &Sorted) -> Ranked {
    let mut counts = vec![0u64; builder.events.len()];
    match &sorted.records {
        Some(records) => records.iter().for_each(|r| counts[r.event as usize] += 1),
        None => with_codes!(builder.event.as_slice(), codes => {
            codes.iter().for_each(|c| counts[u32::from(*c) as usize] += 1);
        }),
    }
    let mut order = by_text(&builder.events);
    order.sort_by_key(|c| std::cmp::Reverse(counts[*c as usize]));
    ranked(&builder.events, &order)
}

/// Codes by their names' bytes, numbers as their text.
fn by_text(ids: &Interner) -> Vec<u32> {
    let mut order = ascending(ids);
    if ids.all_integers() {
        order.sort_by_cached_key(|c| ids.name(*c as usize).into_owned());
    }
    order
}

/// Codes by where they first occur in the sorted log, which is linear; those that occur nowhere come last.
fn by_appearance(n: usize, codes: &Codes, sorted: &Sorted) -> Vec<u32> {
    let (mut order, mut is_seen) = (Vec::with_capacity(n), vec![false; n]);
    let mut see = |code: u32| {
        // 0 is missing.
        if let Some(code) = code.checked_sub(1)
            && !std::mem::replace(&mut is_seen[code as usize], true)
        {
            order.push(code);
        }
    };
    match &sorted.records {
        Some(records) => records.iter().for_each(|r| see(codes.get(r.row as usize))),
        None => (0..codes.len()).for_each(|row| see(codes.get(row))),
    }
    order.extend(
        (0u32..)
            .zip(&is_seen)
            .filter(|(_, seen)| !**seen)
            .map(|(code, _)| code),
    );
    order
}

/// The rows of one block, wherever they are.
struct Rows<'a> {
    builder: &'a LogBuilder,
    records: Option<&'a [Record]>,
    start: usize,
    len: usize,
}

impl Rows<'_> {
    #[inline]
    fn row(&self, i: usize) -> usize {
        match self.records {
            Some(records) => records[i].row as usize,
            None => self.start + i,
        }
    }
}

/// Cuts the sorted rows into blocks of whole customers and gathers their columns, every attribute per event yet.
pub(super) fn blocks(
    builder: &mut LogBuilder,
    sorted: &Sorted,
    go_on: &dyn Fn(f64) -> Result<()>,
) -> Result<(Catalog, Vec<Block>)> {
    let builder = &*builder;
    let events = rank_events(builder, sorted);
    let dictionaries: Vec<Option<Ranked>> = builder
        .attributes
        .iter()
        .map(|buffer| match buffer {
            Buffer::Text(names, codes) if names.len() > MOST_SORTED => {
                Some(ranked(names, &by_appearance(names.len(), codes, sorted)))
            }
            Buffer::Text(names, _) => Some(ranked(names, &by_text(names))),
            _ => None,
        })
        .collect();
    go_on(0.55)?;

    let mut blocks = Vec::new();
    let total = sorted.offsets.last().copied().unwrap_or(0).max(1);
    for (from, to) in cuts(&sorted.offsets, builder.options.block_events) {
        blocks.push(block(builder, sorted, &events, &dictionaries, from, to));
        go_on(0.55 + 0.3 * f64::from(sorted.offsets[to]) / f64::from(total))?;
    }

    let (first_time, last_time) =
        blocks
            .iter()
            .fold((i64::MAX, i64::MIN), |(low, high), b: &Block| {
                let (l, h) = b.times.extent().unwrap_or((low, high));
                (low.min(l), high.max(h))
            });
    let options = &builder.options;
    let place = |name: &Option<String>| {
        name.as_ref()
            .and_then(|n| options.attributes.iter().position(|a| a.name == *n))
    };
    let catalog = Catalog {
        events: events.names,
        attributes: options
            .attributes
            .iter()
            .zip(dictionaries)
            .map(|(spec, dictionary)| AttributeInfo {
                name: spec.name.clone(),
                level: Level::Event,
                kind: spec.kind,
                dictionary: match (spec.kind, dictionary) {
                    (AttributeType::Boolean, _) => ["false", "true"].into_iter().collect(),
                    (_, Some(ranked)) => ranked.names,
                    (_, None) => Vocabulary::new(),
                },
            })
            .collect(),
        channel: place(&options.channel),
        journey: place(&options.journey),
        currency: options.currency.as_ref().map(|(code, _)| code.clone()),
        currency_exponent: options
            .currency
            .as_ref()
            .map_or(0, |(_, exponent)| *exponent),
        first_time,
        last_time,
        observed_until: options
            .observed_until
            .map_or(last_time, |until| until.max(last_time)),
    };
    Ok((catalog, blocks))
}

/// Where blocks are cut: ranges of customers with at most `most` events, or a single customer with more.
pub(super) fn cuts(offsets: &[u32], most: usize) -> Vec<(usize, usize)> {
    let most = most.clamp(1, 1 << 31);
    let n = offsets.len().saturating_sub(1);
    let mut cuts = Vec::new();
    let mut from = 0;
    while from < n {
        let limit = (offsets[from] as usize).saturating_add(most);
        let to = from + offsets[from + 1..].partition_point(|o| *o as usize <= limit);
        let to = to.max(from + 1);
        cuts.push((from, to));
        from = to;
    }
    cuts
}

fn block(
    builder: &LogBuilder,
    sorted: &Sorted,
    events: &Ranked,
    dictionaries: &[Option<Ranked>],
    from: usize,
    to: usize,
) -> Block {
    let (start, end) = (sorted.offsets[from] as usize, sorted.offsets[to] as usize);
    let len = end - start;
    let rows = Rows {
        builder,
        records: sorted.records.as_deref().map(|r| &r[start..end]),
        start,
        len,
    };
    let core = || {
        let offsets = sorted.offsets[from..=to]
            .iter()
            .map(|o| o - sorted.offsets[from])
            .collect();
        let customers = ids(&builder.customers, &sorted.customers[from..to]);
        (times(&rows), codes(&rows, events), offsets, customers)
    };
    let rest = || {
        let attributes = each(&builder.attributes, |i, buffer| AttributeColumn {
            level: Level::Event,
            data: column(&rows, buffer, dictionaries.get(i).and_then(Option::as_ref)),
        });
        (
            attributes,
            builder
                .value
                .as_ref()
                .map(|buffer| column(&rows, buffer, None)),
        )
    };
    #[cfg(feature = "parallel")]
    let ((times, codes, offsets, customers), (attributes, value)) = rayon::join(core, rest);
    #[cfg(not(feature = "parallel"))]
    let ((times, codes, offsets, customers), (attributes, value)) = (core(), rest());
    Block {
        codes,
        times,
        offsets,
        customers,
        attributes,
        value,
        fingerprint: 0,
    }
}

fn each<T: Sync, R: Send>(items: &[T], one: impl Fn(usize, &T) -> R + Sync) -> Vec<R> {
    #[cfg(feature = "parallel")]
    {
        use rayon::iter::{IndexedParallelIterator, IntoParallelRefIterator, ParallelIterator};
        items
            .par_iter()
            .enumerate()
            .map(|(i, item)| one(i, item))
            .collect()
    }
    #[cfg(not(feature = "parallel"))]
    items
        .iter()
        .enumerate()
        .map(|(i, item)| one(i, item))
        .collect()
}

fn times(rows: &Rows<'_>) -> Times {
    match rows.records {
        Some(records) => Times::gather(rows.len, |i| records[i].time),
        None => {
            let slice = &rows.builder.time[rows.start..rows.start + rows.len];
            Times::gather(rows.len, |i| slice[i])
        }
    }
}

fn codes(rows: &Rows<'_>, events: &Ranked) -> Codes {
    let n = events.names.len();
    match rows.records {
        Some(records) => Codes::gather(rows.len, n, |i| events.place[records[i].event as usize]),
        None => {
            with_codes!(rows.builder.event.as_slice().slice(rows.start, rows.start + rows.len), given => {
                Codes::gather(rows.len, n, |i| events.place[u32::from(given[i]) as usize])
            })
        }
    }
}

fn column(rows: &Rows<'_>, buffer: &Buffer, dictionary: Option<&Ranked>) -> ColumnData {
    match buffer {
        Buffer::Text(names, codes) => {
            // 0 stays 0: missing.
            let mut place = Vec::with_capacity(names.len() + 1);
            place.push(0);
            place.extend(dictionary.iter().flat_map(|d| &d.place).map(|p| p + 1));
            ColumnData::Coded(with_codes!(codes.as_slice(), given => {
                Codes::gather(rows.len, names.len() + 1, |i| place[u32::from(given[rows.row(i)]) as usize])
            }))
        }
        Buffer::Boolean(codes) => {
            ColumnData::Coded(Codes::gather(rows.len, 3, |i| codes.get(rows.row(i))))
        }
        Buffer::Integer(values, there) => ColumnData::Integer(
            (0..rows.len).map(|i| values[rows.row(i)]).collect(),
            (0..rows.len).map(|i| there.get(rows.row(i))).collect(),
        ),
        Buffer::Decimal(values, there) => ColumnData::Decimal(
            (0..rows.len).map(|i| values[rows.row(i)]).collect(),
            (0..rows.len).map(|i| there.get(rows.row(i))).collect(),
        ),
    }
}

fn ids(customers: &Interner, codes: &[u32]) -> CustomerIds {
    if customers.all_integers() {
        let number = |c: &u32| match customers.keys()[*c as usize] {
            super::intern::Stored::Integer(n) => n,
            super::intern::Stored::Text(_) => 0,
        };
        return CustomerIds::Integers(codes.iter().map(number).collect());
    }
    CustomerIds::from_texts(codes.iter().map(|c| customers.name(*c as usize)))
}
