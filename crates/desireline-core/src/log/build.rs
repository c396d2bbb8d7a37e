//! Sorted rows into blocks.

use super::buffer::Buffer;
use super::builder::LogBuilder;
use super::chunk::{Chunk, Coded};
use super::customers::CustomerIds;
use super::gather;
use super::intern::Interner;
use super::scale::Span;
use super::sort::{Blocked, Sorted, ascending};
use super::{
    AttributeColumn, AttributeInfo, AttributeType, Block, Catalog, Codes, ColumnData, Level,
    Vocabulary,
};
use crate::error::Result;
use crate::with_codes;

/// Attributes with more texts than this are ids of something; to sort them would take longer than all the rest.
const MOST_SORTED: usize = 1 << 16;

/// Event names by count, most frequent first, then by name.
fn rank_events(ids: &Interner, chunks: &[Chunk]) -> Vec<u32> {
    let mut counts = vec![0u64; ids.len()];
    for chunk in chunks {
        let mut here = vec![0u64; chunk.event.shared.len()];
        with_codes!(chunk.event.codes.as_slice(), codes => {
            codes.iter().for_each(|c| here[u32::from(*c) as usize] += 1);
        });
        for (code, n) in chunk.event.shared.iter().zip(here) {
            counts[*code as usize] += n;
        }
    }
    let mut order = by_text(ids);
    order.sort_by_key(|c| std::cmp::Reverse(counts[*c as usize]));
    order
}

/// Codes by their names' bytes, numbers as their text.
fn by_text(ids: &Interner) -> Vec<u32> {
    let mut order = ascending(ids);
    if ids.all_integers() {
        order.sort_by_cached_key(|c| ids.name(*c).into_owned());
    }
    order
}

/// The names in `order`.
fn vocabulary(ids: &Interner, order: &[u32]) -> Vocabulary {
    Vocabulary::from_distinct(order.iter().map(|c| ids.name(*c)))
}

/// By code, its place in `order`.
fn places(order: &[u32]) -> Vec<u32> {
    let mut place = vec![0; order.len()];
    for (to, from) in (0u32..).zip(order) {
        place[*from as usize] = to;
    }
    place
}

/// Cuts the sorted rows into blocks of whole customers and gathers their columns, every attribute per event yet. One
/// column after the other is gathered and its chunks' rows freed.
pub(super) fn blocks(
    builder: &mut LogBuilder,
    sorted: Sorted,
    go_on: &dyn Fn(f64) -> Result<()>,
) -> Result<(Catalog, Vec<Block>)> {
    let Sorted {
        customers,
        offsets,
        blocks: cut,
    } = sorted;
    let options = &builder.options;
    let (names, chunks) = (&mut builder.names, &mut builder.chunks);
    let n_columns = 2 + options.attributes.len();
    let done = |columns: usize| go_on(0.5 + 0.35 * columns as f64 / n_columns as f64);

    done(0)?;
    let mut blocks = Vec::with_capacity(cut.len());
    // One scale for all blocks: then a snapshot is the columns as they are.
    let parts = cut.iter().flat_map(|block| &block.parts);
    let span = parts.fold(Span::default(), |span, part| span.and(part.span));
    let (first_time, last_time) = span.extent();
    for block in &cut {
        let times = gather::times(block, chunks, span.scale());
        let range = block.customers.clone();
        let from = offsets[range.start];
        blocks.push(Block {
            codes: Codes::default(),
            times,
            offsets: offsets[range.start..=range.end]
                .iter()
                .map(|o| o - from)
                .collect(),
            customers: ids(&names.customers, &customers[range]),
            attributes: Vec::with_capacity(options.attributes.len()),
            value: None,
            fingerprint: 0,
        });
    }
    chunks.iter_mut().for_each(|c| c.time = Vec::new());
    names.customers = Interner::default();

    done(1)?;
    let order = rank_events(&names.events, chunks);
    let events = vocabulary(&names.events, &order);
    let columns: Vec<Coded> = chunks
        .iter_mut()
        .map(|c| std::mem::take(&mut c.event))
        .collect();
    let all = texts(&cut, &columns, &places(&order), 0);
    for (block, codes) in blocks.iter_mut().zip(all) {
        block.codes = codes;
    }
    drop(columns);

    let mut dictionaries = Vec::with_capacity(options.attributes.len());
    names
        .attributes
        .resize(options.attributes.len(), Interner::default());
    for (a, ids) in names.attributes.iter_mut().enumerate() {
        done(2 + a)?;
        let columns = chunks
            .iter_mut()
            .map(|c| std::mem::replace(&mut c.attributes[a], Buffer::Boolean(Codes::default())))
            .collect();
        let (dictionary, all) = attribute(&cut, options.attributes[a].kind, ids, columns);
        *ids = Interner::default();
        dictionaries.push(dictionary);
        for (block, data) in blocks.iter_mut().zip(all) {
            let level = Level::Event;
            block.attributes.push(AttributeColumn { level, data });
        }
    }
    if chunks.iter().any(|c| c.value.is_some()) {
        let columns: Vec<Option<Buffer>> = chunks.iter_mut().map(|c| c.value.take()).collect();
        for (block, cut) in blocks.iter_mut().zip(&cut) {
            block.value = Some(gather::column(cut, &columns));
        }
    }

    let place = |name: &Option<String>| {
        name.as_ref()
            .and_then(|n| options.attributes.iter().position(|a| a.name == *n))
    };
    let catalog = Catalog {
        events,
        attributes: options
            .attributes
            .iter()
            .zip(dictionaries)
            .map(|(spec, dictionary)| AttributeInfo {
                name: spec.name.clone(),
                level: Level::Event,
                kind: spec.kind,
                dictionary,
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

/// One attribute's dictionary and its column in each block.
fn attribute(
    cut: &[Blocked],
    kind: AttributeType,
    ids: &mut Interner,
    columns: Vec<Buffer>,
) -> (Vocabulary, Vec<ColumnData>) {
    match kind {
        AttributeType::Text => {
            ids.forget_look_up();
            let columns: Vec<Coded> = columns
                .into_iter()
                .map(|column| match column {
                    Buffer::Text(coded) => *coded,
                    _ => Coded::default(),
                })
                .collect();
            let (order, all) = if ids.len() <= MOST_SORTED {
                let order = by_text(ids);
                let all = texts(cut, &columns, &places(&order), 1);
                (order, all)
            } else {
                let same: Vec<u32> = (0u32..).take(ids.len()).collect();
                let mut all = texts(cut, &columns, &same, 1);
                (by_appearance(ids.len(), &mut all), all)
            };
            let all = all.into_iter().map(ColumnData::Coded).collect();
            (vocabulary(ids, &order), all)
        }
        AttributeType::Boolean => {
            let columns: Vec<Coded> = columns
                .into_iter()
                .map(|column| match column {
                    Buffer::Boolean(codes) => Coded {
                        codes,
                        shared: vec![0, 1],
                        ..Coded::default()
                    },
                    _ => Coded::default(),
                })
                .collect();
            let all = texts(cut, &columns, &[0, 1], 1);
            let all = all.into_iter().map(ColumnData::Coded).collect();
            (["false", "true"].into_iter().collect(), all)
        }
        AttributeType::Integer | AttributeType::Time | AttributeType::Decimal => {
            let columns: Vec<Option<Buffer>> = columns.into_iter().map(Some).collect();
            let all = cut.iter().map(|block| gather::column(block, &columns));
            (Vocabulary::new(), all.collect())
        }
    }
}

/// A column of codes in each block. `places` says what each of the builder's codes becomes; `raise` is 1 where 0 is
/// missing.
fn texts(cut: &[Blocked], columns: &[Coded], places: &[u32], raise: u32) -> Vec<Codes> {
    let codes: Vec<&Codes> = columns.iter().map(|c| &c.codes).collect();
    let table = |column: &Coded| {
        let shared = column.shared.iter().map(|c| places[*c as usize] + raise);
        (0..raise).chain(shared).collect()
    };
    let tables: Vec<Vec<u32>> = columns.iter().map(table).collect();
    let distinct = places.len() + raise as usize;
    cut.iter()
        .map(|block| gather::codes(block, &codes, &tables, distinct))
        .collect()
}

/// Gives codes anew by where they first occur in the sorted log, which is linear; those that occur nowhere come last.
/// The old codes in their new order.
fn by_appearance(n: usize, columns: &mut [Codes]) -> Vec<u32> {
    let mut order = Vec::with_capacity(n);
    // 0 is missing; both sides are raised by one.
    let mut new = vec![0u32; n + 1];
    for column in columns {
        // More texts than 16 bits hold.
        let Codes::U32(codes) = column else { continue };
        let mut before = (0, 0);
        for code in codes.make_mut().iter_mut().filter(|c| **c != 0) {
            if *code != before.0 {
                let slot = &mut new[*code as usize];
                if *slot == 0 {
                    order.push(*code - 1);
                    *slot = u32::try_from(order.len()).unwrap_or(u32::MAX);
                }
                before = (*code, *slot);
            }
            *code = before.1;
        }
    }
    let rest = (0u32..).zip(&new[1..]).filter(|(_, new)| **new == 0);
    order.extend(rest.map(|(code, _)| code));
    order
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

fn ids(customers: &Interner, codes: &[u32]) -> CustomerIds {
    if customers.all_integers() {
        return CustomerIds::Integers(codes.iter().map(|c| customers.number(*c)).collect());
    }
    CustomerIds::from_texts(codes.iter().map(|c| customers.name(*c)))
}
