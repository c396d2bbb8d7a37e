//! A log taken apart for a file, and put together again after everything in it has been checked.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::assemble::{Rebuild, Slot};
use super::builder::time_range;
use super::log::{Extent, Tally};
use super::{
    AttributeInfo, AttributeType, Block, Catalog, Codes, ColumnData, CustomerIds, Level, Log,
    LogOptions, Quarantine, TimeRest, Vocabulary,
};
use crate::error::{Error, Result};
use crate::with_codes;

/// What a log knows beside its names and columns, as plain data that a file can hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogMeta {
    /// How the log was built.
    pub options: LogOptions,
    /// The level each attribute settled at.
    pub levels: Vec<Level>,
    /// The rows that were put aside.
    pub quarantine: Quarantine,
    /// Rows whose time had no zone.
    pub times_without_zone: u64,
    /// Ties that neither time nor tie key resolved.
    pub ties_in_input_order: u64,
    /// Repeated events that were dropped.
    pub duplicates_dropped: u64,
    /// By attribute that was declared to belong to customers: customers with several values.
    pub conflicts: BTreeMap<String, u64>,
    /// The blocks, in order.
    pub blocks: Vec<BlockMeta>,
    /// The log's fingerprint.
    #[serde(with = "hex")]
    pub fingerprint: u128,
}

/// What is known of a block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockMeta {
    /// Its events.
    pub events: u64,
    /// Its customers.
    pub customers: u64,
    /// Events that share customer and time with the one before.
    pub ties: u64,
    /// Events equal to an earlier one in every column.
    pub duplicates: u64,
    /// A hash of its content.
    #[serde(with = "hex")]
    pub fingerprint: u128,
}

/// JSON readers of other languages lose the last digits of such numbers.
mod hex {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(value: &u128, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&format!("{value:032x}"))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<u128, D::Error> {
        let text = String::deserialize(from)?;
        u128::from_str_radix(&text, 16).map_err(D::Error::custom)
    }
}

/// No honest count comes near; below it sums of counts cannot overflow.
const MOST: u64 = 1 << 48;
/// Decimal places of a currency's minor unit; ISO 4217 has at most 4.
const MOST_PLACES: u32 = 18;
/// Events whose times are checked as one piece of parallel work.
const PIECE: usize = 1 << 18;

fn flaw<T>(column: &str, problem: impl Into<String>) -> Result<T> {
    Err(Error::Inconsistent {
        block: None,
        column: column.to_owned(),
        problem: problem.into(),
    })
}

impl Log {
    /// What this log knows beside its names and columns. The [`source`](Log::source) of a log with aliases is no part
    /// of it.
    pub fn meta(&self) -> LogMeta {
        let (inner, extent) = (&self.inner, &self.inner.extent);
        let mut options = inner.options.clone();
        if !options.max_quarantine_share.is_finite() {
            // Means the same, and JSON has a word for it.
            options.max_quarantine_share = 1.0;
        }
        LogMeta {
            options,
            levels: inner.catalog.attributes.iter().map(|a| a.level).collect(),
            quarantine: extent.quarantine.clone(),
            times_without_zone: extent.times_without_zone,
            ties_in_input_order: extent.unresolved_ties,
            duplicates_dropped: extent.dropped,
            conflicts: extent.conflicts.clone(),
            blocks: inner
                .blocks
                .iter()
                .zip(&inner.tallies)
                .map(|(block, tally)| BlockMeta {
                    events: block.n_events() as u64,
                    customers: block.n_customers() as u64,
                    ties: tally.ties,
                    duplicates: tally.duplicates,
                    fingerprint: block.fingerprint,
                })
                .collect(),
            fingerprint: inner.fingerprint,
        }
    }

    /// The log of stored names and columns, which are trusted in nothing that could make an analysis fail: lengths,
    /// order of customers and times, codes, ranges and counts are all looked at. O(events), in parallel.
    ///
    /// Taken on trust is what no check at this price can tell: the blocks' fingerprints, duplicates, and that no
    /// customer stands in two blocks.
    ///
    /// # Errors
    /// [`Error::Inconsistent`], naming block and column.
    pub fn restore(
        meta: LogMeta,
        events: Vocabulary,
        dictionaries: Vec<Vocabulary>,
        mut blocks: Vec<Block>,
    ) -> Result<Log> {
        check_meta(&meta, &dictionaries)?;
        if blocks.len() != meta.blocks.len() || blocks.is_empty() {
            return flaw(
                "blocks",
                format!("{} where {} are described", blocks.len(), meta.blocks.len()),
            );
        }
        let options = meta.options;
        let place = |name: &Option<String>| {
            name.as_ref()
                .and_then(|n| options.attributes.iter().position(|a| a.name == *n))
        };
        let attributes = options
            .attributes
            .iter()
            .zip(&meta.levels)
            .zip(dictionaries)
            .map(|((spec, level), dictionary)| AttributeInfo {
                name: spec.name.clone(),
                level: *level,
                kind: spec.kind,
                dictionary,
            })
            .collect();
        let mut catalog = Catalog {
            events,
            attributes,
            channel: place(&options.channel),
            journey: place(&options.journey),
            currency: options.currency.as_ref().map(|(code, _)| code.clone()),
            currency_exponent: options.currency.as_ref().map_or(0, |(_, places)| *places),
            first_time: i64::MAX,
            last_time: i64::MIN,
            observed_until: 0,
        };

        let seen = check_blocks(&blocks, &catalog)?;
        for (b, (seen, known)) in seen.iter().zip(&meta.blocks).enumerate() {
            let found = (blocks[b].n_events() as u64, blocks[b].n_customers() as u64);
            let wrong = if found != (known.events, known.customers) {
                format!("{} events of {} customers", found.0, found.1)
            } else if seen.ties != known.ties || known.duplicates > known.ties {
                format!("{} ties", seen.ties)
            } else {
                catalog.first_time = catalog.first_time.min(seen.first);
                catalog.last_time = catalog.last_time.max(seen.last);
                continue;
            };
            return Err(Error::Inconsistent {
                block: Some(b),
                column: "blocks".to_owned(),
                problem: format!("{wrong}, which is not what the log's description says"),
            });
        }
        catalog.observed_until = options
            .observed_until
            .map_or(catalog.last_time, |until| until.max(catalog.last_time));

        let slots = blocks
            .drain(..)
            .zip(&meta.blocks)
            .map(|(block, known)| Slot {
                block: Arc::new(Block {
                    fingerprint: known.fingerprint,
                    ..block
                }),
                fresh: false,
                tally: Tally {
                    ties: known.ties,
                    duplicates: known.duplicates,
                },
            })
            .collect();
        let rebuild = Rebuild {
            blocks: slots,
            prior: None,
            conflicts: BTreeMap::new(),
        };
        let extent = Extent {
            quarantine: meta.quarantine,
            times_without_zone: meta.times_without_zone,
            unresolved_ties: meta.ties_in_input_order,
            conflicts: meta.conflicts,
            dropped: meta.duplicates_dropped,
        };
        let log = Log::seal(catalog, rebuild, options, extent)?;
        if log.fingerprint() != meta.fingerprint {
            return flaw(
                "fingerprint",
                "it does not follow from those of the blocks and what the columns mean",
            );
        }
        Ok(log)
    }

    /// The fingerprint found anew from every event. O(events), about ten times the cost of a scan.
    ///
    /// Differs from [`fingerprint`](Log::fingerprint) only where that was read from a file that somebody made up.
    pub fn compute_fingerprint(&self) -> u128 {
        let names = super::hash::Names::new(self.catalog());
        let blocks = each(self.blocks(), |b| names.block(b));
        super::hash::log(self.catalog(), blocks.into_iter())
    }
}

fn check_meta(meta: &LogMeta, dictionaries: &[Vocabulary]) -> Result<()> {
    let options = &meta.options;
    let n = options.attributes.len();
    if meta.levels.len() != n || dictionaries.len() != n {
        return flaw(
            "attributes",
            "declared, described and stored ones differ in number",
        );
    }
    let mut names: Vec<&str> = options.attributes.iter().map(|a| a.name.as_str()).collect();
    names.sort_unstable();
    if let Some(twice) = names.windows(2).find(|w| w[0] == w[1]) {
        return flaw(twice[0], "two attributes have this name");
    }
    for ((spec, level), dictionary) in options
        .attributes
        .iter()
        .zip(&meta.levels)
        .zip(dictionaries)
    {
        if spec.level.is_some_and(|declared| declared != *level) {
            return flaw(&spec.name, "it is not stored at its declared level");
        }
        let fits = match spec.kind {
            AttributeType::Text => true,
            AttributeType::Boolean => dictionary.names().eq(["false", "true"]),
            AttributeType::Integer | AttributeType::Decimal | AttributeType::Time => {
                dictionary.is_empty()
            }
        };
        if !fits {
            return flaw(&spec.name, "its dictionary does not fit its kind");
        }
    }
    for name in options.channel.iter().chain(&options.journey) {
        if !options.attributes.iter().any(|a| a.name == *name) {
            return flaw(name, "it has a role but is no attribute");
        }
    }
    if let Some((code, places)) = &options.currency
        && *places > MOST_PLACES
    {
        return flaw(
            "currency",
            format!("{code} with {places} decimal places, over {MOST_PLACES}"),
        );
    }
    if options
        .observed_until
        .is_some_and(|until| !time_range().contains(&until))
    {
        return flaw("observed_until", "it lies outside the years −9999 to 9999");
    }
    let counts = meta.quarantine.counts.values().chain([
        &meta.quarantine.rows_read,
        &meta.times_without_zone,
        &meta.ties_in_input_order,
        &meta.duplicates_dropped,
    ]);
    if counts.chain(meta.conflicts.values()).any(|n| *n > MOST) {
        return flaw("quarantine", "a count that no log reaches");
    }
    Ok(())
}

/// What a look at every event of a block found.
#[derive(Clone, Copy, Debug)]
struct Seen {
    ties: u64,
    first: i64,
    last: i64,
}

/// One piece of the checking.
enum Check<'a> {
    Codes(&'a Codes, usize, &'a str),
    Customers(&'a CustomerIds),
    Times(&'a Block, Range<usize>),
    Numbers(&'a ColumnData, &'a str),
}

/// Looks at the blocks' shapes first, which the other checks rely on, then at every value, in parallel.
fn check_blocks(blocks: &[Block], catalog: &Catalog) -> Result<Vec<Seen>> {
    let in_block = |b: usize| {
        move |(column, problem): (String, String)| Error::Inconsistent {
            block: Some(b),
            column,
            problem,
        }
    };
    let mut checks = Vec::new();
    for (b, block) in blocks.iter().enumerate() {
        check_shape(block, catalog).map_err(in_block(b))?;
        checks.push((b, Check::Codes(&block.codes, catalog.events.len(), "event")));
        checks.push((b, Check::Customers(&block.customers)));
        let mut from = 0;
        while from < block.n_customers() {
            let limit = (block.offsets[from] as usize).saturating_add(PIECE);
            let more = block.offsets[from + 1..].partition_point(|o| *o as usize <= limit);
            let to = from + more.max(1);
            checks.push((b, Check::Times(block, from..to)));
            from = to;
        }
        for (column, info) in block.attributes.iter().zip(&catalog.attributes) {
            checks.push(match &column.data {
                // 0 stands for missing.
                ColumnData::Coded(codes) => (
                    b,
                    Check::Codes(codes, info.dictionary.len() + 1, info.name.as_str()),
                ),
                numbers => (b, Check::Numbers(numbers, info.name.as_str())),
            });
        }
    }
    let found = each(&checks, |(b, check)| check.run().map_err(in_block(*b)));
    let mut seen = vec![
        Seen {
            ties: 0,
            first: i64::MAX,
            last: i64::MIN,
        };
        blocks.len()
    ];
    for ((b, _), found) in checks.iter().zip(found) {
        if let Some(found) = found? {
            let of_block = &mut seen[*b];
            of_block.ties += found.ties;
            of_block.first = of_block.first.min(found.first);
            of_block.last = of_block.last.max(found.last);
        }
    }
    Ok(seen)
}

type Checked<T> = std::result::Result<T, (String, String)>;

fn wrong<T>(column: &str, problem: impl Into<String>) -> Checked<T> {
    Err((column.to_owned(), problem.into()))
}

fn check_shape(block: &Block, catalog: &Catalog) -> Checked<()> {
    let (n, customers) = (block.n_events(), block.n_customers());
    let ascending = block.offsets.windows(2).all(|w| w[0] < w[1]);
    let ends = (
        block.offsets.first(),
        block.offsets.last().map(|o| *o as usize),
    );
    if customers == 0 || !ascending || ends != (Some(&0), Some(n)) || n >= u32::MAX as usize {
        return wrong(
            "events",
            "the customers' events do not follow each other from the first to the last",
        );
    }
    let length = |column: &str, found: usize, expected: usize| {
        if found == expected {
            Ok(())
        } else {
            wrong(column, format!("{found} values where {expected} belong"))
        }
    };
    length("event", block.codes.len(), n)?;
    length("customer", block.customers.len(), customers)?;
    let scale = block.times.scale();
    let most_units = (1i128 << (u32::BITS + u32::from(scale.shift))) - 1;
    let farthest = i128::from(scale.base) + i128::from(scale.grain.micros()) * most_units;
    if !time_range().contains(&scale.base) || farthest > i128::from(i64::MAX) {
        return wrong("time", "it counts from or to where no calendar reaches");
    }
    length(
        "attributes",
        block.attributes.len(),
        catalog.attributes.len(),
    )?;
    for (column, info) in block.attributes.iter().zip(&catalog.attributes) {
        let expected = match info.level {
            Level::Event => n,
            Level::Customer => customers,
        };
        let fits = matches!(
            (&column.data, info.kind),
            (
                ColumnData::Coded(_),
                AttributeType::Text | AttributeType::Boolean
            ) | (
                ColumnData::Integer(..),
                AttributeType::Integer | AttributeType::Time
            ) | (ColumnData::Decimal(..), AttributeType::Decimal)
        );
        if !fits || column.level != info.level {
            return wrong(&info.name, "its kind or level is not the declared one");
        }
        length(&info.name, column.data.len(), expected)?;
        length(&info.name, present(&column.data, expected), expected)?;
    }
    match &block.value {
        None => Ok(()),
        Some(_) if catalog.currency.is_none() => wrong("value", "there is money but no currency"),
        Some(column @ ColumnData::Integer(..)) => {
            length("value", column.len(), n)?;
            length("value", present(column, n), n)
        }
        Some(_) => wrong("value", "money is not stored as whole minor units"),
    }
}

fn present(data: &ColumnData, otherwise: usize) -> usize {
    match data {
        ColumnData::Coded(_) => otherwise,
        ColumnData::Integer(_, there) | ColumnData::Decimal(_, there) => there.len(),
    }
}

impl Check<'_> {
    fn run(&self) -> Checked<Option<Seen>> {
        match self {
            Check::Codes(codes, distinct, column) => {
                let most = with_codes!(codes.as_slice(), given => {
                    given.iter().copied().max().map_or(0, |c| u32::from(c) as usize)
                });
                if most >= *distinct {
                    return wrong(
                        column,
                        format!("code {most} where there are {distinct} names"),
                    );
                }
            }
            Check::Customers(ids) => check_ids(ids)?,
            Check::Times(block, customers) => {
                return check_times(block, customers.clone()).map(Some);
            }
            Check::Numbers(ColumnData::Decimal(values, there), column) => {
                let odd =
                    |i: usize| values[i].is_nan() || values[i].to_bits() == (-0.0f64).to_bits();
                if (0..values.len()).any(|i| odd(i) && there.get(i)) {
                    return wrong(column, "a value is not a number, or a negative zero");
                }
            }
            Check::Numbers(..) => {}
        }
        Ok(None)
    }
}

fn check_ids(ids: &CustomerIds) -> Checked<()> {
    let wrong = |problem: &str| wrong("customer", problem);
    const ORDER: &str = "the ids are not ascending, or one stands twice";
    match ids {
        CustomerIds::Integers(ids) => {
            if ids.windows(2).all(|w| w[0] < w[1]) {
                Ok(())
            } else {
                wrong(ORDER)
            }
        }
        CustomerIds::Texts { bytes, offsets } => {
            let Ok(text) = std::str::from_utf8(bytes) else {
                return wrong("the ids are not UTF-8");
            };
            if offsets.first() != Some(&0) || offsets.last() != Some(&(bytes.len() as u64)) {
                return wrong("the ids do not follow each other from the first byte to the last");
            }
            let mut before: Option<&str> = None;
            for bounds in offsets.windows(2) {
                let place = |o: u64| usize::try_from(o).unwrap_or(usize::MAX);
                let Some(id) = text.get(place(bounds[0])..place(bounds[1])) else {
                    return wrong("an id begins or ends where no letter does");
                };
                if before.is_some_and(|b| b >= id) {
                    return wrong(ORDER);
                }
                before = Some(id);
            }
            Ok(())
        }
    }
}

/// Only events whose tick does not rise are looked at one by one: ties, and the first ones of most customers.
fn check_times(block: &Block, customers: Range<usize>) -> Checked<Seen> {
    let rows = block.offsets[customers.start] as usize..block.offsets[customers.end] as usize;
    let bits = |most: Option<u32>| most.map_or(0, |most| u32::BITS - most.leading_zeros());
    let needed = match block.times.rest() {
        TimeRest::Short(rest) => bits(rest[rows.clone()].iter().map(|r| u32::from(*r)).max()),
        TimeRest::Long(rest) => bits(rest[rows.clone()].iter().copied().max()),
        TimeRest::Packed(rest) if rest.width() > block.times.scale().shift => {
            let most = rows.clone().map(|i| rest.get(i)).max();
            bits(most.and_then(|most| u32::try_from(most).ok()))
        }
        TimeRest::None | TimeRest::Packed(_) => 0,
    };
    if needed > u32::from(block.times.scale().shift) {
        return wrong("time", "a tick's rest is a tick or more");
    }
    let (mut back, mut ties) = (0u64, 0u64);
    let mut borders = block.offsets[customers].iter().map(|o| *o as usize);
    let mut border = borders.next();
    block.times.not_later(rows.clone(), |row| {
        while border.is_some_and(|border| border < row) {
            border = borders.next();
        }
        if border != Some(row) {
            let (before, here) = (block.times.get(row - 1), block.times.get(row));
            back += u64::from(here < before);
            ties += u64::from(here == before);
        }
    });
    if back > 0 {
        return wrong("time", "a customer's events are not in the order of time");
    }
    let range = time_range();
    match block.times.extent_of(rows) {
        Some((first, last)) if range.contains(&first) && range.contains(&last) => {
            Ok(Seen { ties, first, last })
        }
        _ => wrong("time", "a time lies outside the years −9999 to 9999"),
    }
}

fn each<T: Sync, R: Send>(items: &[T], one: impl Fn(&T) -> R + Sync + Send) -> Vec<R> {
    #[cfg(feature = "parallel")]
    {
        use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
        items.par_iter().map(one).collect()
    }
    #[cfg(not(feature = "parallel"))]
    items.iter().map(one).collect()
}
