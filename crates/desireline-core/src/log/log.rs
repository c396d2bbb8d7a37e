//! The log itself.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::assemble::{Group, Part, Rebuild, Segment, assemble, bits};
use super::builder::EventRow;
use super::hash::{self, Names};
use super::threads;
use super::{AsKey, Block, Catalog, Key, LogBuilder, LogOptions, Quarantine, Summary};
use crate::error::Result;
use crate::report::Caveat;

/// All events of all customers, sorted by customer, time, tie key and order of input; immutable, cheap to clone and
/// to share between threads.
///
/// ```
/// use desireline_core::log::Log;
///
/// let log = Log::from_columns(&["ann", "ann", "bob"], &[1_000_000, 2_000_000, 1_500_000], &["home", "buy", "home"])?;
/// assert_eq!((log.n_customers(), log.n_events()), (2, 3));
/// assert_eq!(log.catalog().events.name(0), "home");
/// # Ok::<(), desireline_core::error::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Log {
    pub(super) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) catalog: Arc<Catalog>,
    pub(super) blocks: Vec<Arc<Block>>,
    pub(super) tallies: Vec<Tally>,
    pub(super) options: LogOptions,
    pub(super) extent: Extent,
    pub(super) n_events: u64,
    pub(super) n_customers: u64,
    pub(super) fingerprint: u128,
    pub(super) caveats: Vec<Caveat>,
    /// The log before aliases were applied.
    pub(super) source: Option<Log>,
}

/// What is counted of one block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// Events that share customer and time with the one before.
    pub(super) ties: u64,
    /// Events equal to an earlier one in every column.
    pub(super) duplicates: u64,
}

/// What is known of a log beside its events.
#[derive(Clone, Debug, Default)]
pub(super) struct Extent {
    pub(super) quarantine: Quarantine,
    pub(super) times_without_zone: u64,
    /// Ties that neither time nor tie key resolved.
    pub(super) unresolved_ties: u64,
    pub(super) conflicts: BTreeMap<String, u64>,
    /// Duplicates that were dropped.
    pub(super) dropped: u64,
}

impl Log {
    /// A log of `(customer, time, event)`, times in microseconds since 1970 UTC.
    ///
    /// ```
    /// use desireline_core::log::Log;
    /// let log = Log::from_rows([("ann", 0, "home"), ("ann", 5_000_000, "buy"), ("bob", 0, "home")])?;
    /// assert_eq!(log.n_events(), 3);
    /// # Ok::<(), desireline_core::error::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`LogBuilder::finish`].
    pub fn from_rows<'k, C: Into<Key<'k>>, E: AsRef<str>>(
        rows: impl IntoIterator<Item = (C, i64, E)>,
    ) -> Result<Log> {
        let mut builder = LogBuilder::new(LogOptions::default());
        for (customer, time, event) in rows {
            builder.push(customer, time, event.as_ref())?;
        }
        builder.finish()
    }

    /// A log of the caller's own events with value and attributes.
    ///
    /// # Errors
    /// Those of [`LogBuilder::push_row`] and [`LogBuilder::finish`].
    pub fn from_events<'a>(
        options: LogOptions,
        rows: impl IntoIterator<Item = EventRow<'a>>,
    ) -> Result<Log> {
        let mut builder = LogBuilder::new(options);
        for row in rows {
            builder.push_row(&row)?;
        }
        builder.finish()
    }

    /// A log of three columns of one length, times in microseconds since 1970 UTC.
    ///
    /// # Errors
    /// [`Error::ColumnLength`](crate::error::Error::ColumnLength) and those of [`LogBuilder::finish`].
    pub fn from_columns<C: AsKey, E: AsRef<str>>(
        customers: &[C],
        times: &[i64],
        events: &[E],
    ) -> Result<Log> {
        let length = |column: &str, found: usize| {
            if found == times.len() {
                return Ok(());
            }
            Err(crate::error::Error::ColumnLength {
                source_name: "columns".to_owned(),
                column: column.to_owned(),
                expected: times.len(),
                found,
            })
        };
        length("customers", customers.len())?;
        length("events", events.len())?;
        let mut builder = LogBuilder::new(LogOptions::default());
        for ((customer, time), event) in customers.iter().zip(times).zip(events) {
            builder.push(customer.as_key(), *time, event.as_ref())?;
        }
        builder.finish()
    }

    /// Names, kinds and extent.
    pub fn catalog(&self) -> &Arc<Catalog> {
        &self.inner.catalog
    }

    /// The columns, in blocks of whole customers.
    pub fn blocks(&self) -> &[Arc<Block>] {
        &self.inner.blocks
    }

    /// How the log was built.
    pub fn options(&self) -> &LogOptions {
        &self.inner.options
    }

    /// The rows that were put aside.
    pub fn quarantine(&self) -> &Quarantine {
        &self.inner.extent.quarantine
    }

    /// The number of events.
    pub fn n_events(&self) -> u64 {
        self.inner.n_events
    }

    /// The number of customers.
    pub fn n_customers(&self) -> u64 {
        self.inner.n_customers
    }

    /// A hash of what the log says: who did what when, with every attribute and value, and what its columns mean.
    /// It does not depend on the order of input (where times or tie keys differ), on threads, on the size of blocks,
    /// on codes, or on whether the log was built at once or grew.
    pub fn fingerprint(&self) -> u128 {
        self.inner.fingerprint
    }

    /// What a reader must know before trusting numbers from this log.
    pub fn caveats(&self) -> Vec<Caveat> {
        self.inner.caveats.clone()
    }

    /// Counts of everything in the log. O(events).
    pub fn summary(&self) -> Summary {
        Summary::of(self)
    }

    /// Where a customer is: a place in [`blocks`](Log::blocks) and a place in that block. O(blocks · log customers).
    pub fn customer(&self, id: &str) -> Option<(usize, usize)> {
        self.inner
            .blocks
            .iter()
            .enumerate()
            .find_map(|(b, block)| Some((b, block.customers.find(id)?)))
    }

    /// The id of a customer; empty where there is none.
    pub fn customer_id(&self, block: usize, customer: usize) -> Cow<'_, str> {
        self.inner
            .blocks
            .get(block)
            .map_or(Cow::Borrowed(""), |b| b.customers.get(customer))
    }

    /// The log with the one it was made from.
    pub(super) fn with_source(self, source: &Log) -> Log {
        match Arc::try_unwrap(self.inner) {
            Ok(inner) => Log {
                inner: Arc::new(Inner {
                    source: Some(source.clone()),
                    ..inner
                }),
            },
            Err(inner) => Log { inner },
        }
    }

    /// Counts, hashes and closes what was put together.
    pub(super) fn seal(
        catalog: Catalog,
        rebuild: Rebuild,
        options: LogOptions,
        mut extent: Extent,
    ) -> Result<Log> {
        let mut slots = rebuild.blocks;
        if slots.iter().any(|slot| slot.fresh) {
            let names = Names::new(&catalog);
            for slot in slots.iter_mut().filter(|slot| slot.fresh) {
                let fingerprint = names.block(&slot.block);
                Arc::make_mut(&mut slot.block).fingerprint = fingerprint;
            }
        }
        let fingerprint = hash::log(&catalog, slots.iter().map(|s| s.block.fingerprint));
        let (blocks, tallies): (Vec<_>, Vec<_>) =
            slots.into_iter().map(|s| (s.block, s.tally)).unzip();
        extent.unresolved_ties = extent
            .unresolved_ties
            .min(tallies.iter().map(|t: &Tally| t.ties).sum());
        let mut inner = Inner {
            n_events: blocks.iter().map(|b| b.n_events() as u64).sum(),
            n_customers: blocks.iter().map(|b| b.n_customers() as u64).sum(),
            catalog: Arc::new(catalog),
            blocks,
            tallies,
            options,
            extent,
            fingerprint,
            caveats: Vec::new(),
            source: None,
        };
        inner.caveats = inner.find_caveats();
        Ok(Log {
            inner: Arc::new(inner),
        })
    }
}

/// Counts ties and duplicates of the fresh blocks, and drops the duplicates if the options say so. Attributes are
/// still stored per event. Returns how many were dropped.
pub(super) fn tally(rebuild: &mut Rebuild, catalog: &Catalog, options: &LogOptions) -> Result<u64> {
    let mut dropped = 0;
    for slot in &mut rebuild.blocks {
        if !slot.fresh {
            continue;
        }
        let (ties, duplicates) = repeats(&slot.block);
        slot.tally = Tally {
            ties,
            duplicates: duplicates.len() as u64,
        };
        if options.dedupe && !duplicates.is_empty() {
            dropped += duplicates.len() as u64;
            let block = without(&slot.block, &duplicates, catalog)?;
            slot.tally = Tally {
                ties: repeats(&block).0,
                duplicates: 0,
            };
            slot.block = Arc::new(block);
        }
    }
    Ok(dropped)
}

/// How many events share customer and time with the one before, and the rows that equal an earlier one in every column.
fn repeats(block: &Block) -> (u64, Vec<usize>) {
    let pieces = block.pieces(1 << 16);
    let (mut ties, mut duplicates) = (0, Vec::new());
    for (more, mut rows) in threads::map(pieces, |customers| repeats_of(block, customers)) {
        ties += more;
        duplicates.append(&mut rows);
    }
    (ties, duplicates)
}

fn repeats_of(block: &Block, customers: Range<usize>) -> (u64, Vec<usize>) {
    let cell = |row: usize| {
        let columns = block.attributes.iter().map(|a| &a.data).chain(&block.value);
        columns.map(move |c| bits(c.get(row)))
    };
    let order = |a: &usize, b: &usize| {
        block
            .codes
            .get(*a)
            .cmp(&block.codes.get(*b))
            .then_with(|| cell(*a).cmp(cell(*b)))
    };
    let (mut ties, mut duplicates, mut run) = (0, Vec::new(), Vec::new());
    for customer in block.offsets[customers.start..=customers.end].windows(2) {
        let (mut start, end) = (customer[0] as usize, customer[1] as usize);
        while start < end {
            let mut stop = start + 1;
            while stop < end && block.times.same(start, stop) {
                stop += 1;
            }
            if stop - start > 1 {
                ties += (stop - start - 1) as u64;
                run.clear();
                run.extend(start..stop);
                run.sort_by(order);
                duplicates.extend(
                    run.windows(2)
                        .filter(|w| order(&w[0], &w[1]).is_eq())
                        .map(|w| w[1]),
                );
            }
            start = stop;
        }
    }
    duplicates.sort_unstable();
    (ties, duplicates)
}

fn without(block: &Block, rows: &[usize], catalog: &Catalog) -> Result<Block> {
    let mut rows = rows.iter().copied().peekable();
    let ids: Vec<Cow<'_, str>> = (0..block.n_customers())
        .map(|c| block.customers.get(c))
        .collect();
    let to_u32 = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let groups: Vec<Group<'_>> = ids
        .into_iter()
        .enumerate()
        .map(|(c, id)| {
            let (mut from, end) = (block.offsets[c], block.offsets[c + 1]);
            let mut segments = Vec::new();
            while let Some(row) = rows.next_if(|r| *r < end as usize) {
                segments.push(Segment {
                    part: 0,
                    customer: to_u32(c),
                    from,
                    to: to_u32(row),
                });
                from = to_u32(row) + 1;
            }
            segments.push(Segment {
                part: 0,
                customer: to_u32(c),
                from,
                to: end,
            });
            Group { id, segments }
        })
        .collect();
    let parts = [Part {
        block,
        translation: None,
    }];
    // Fewer events than one block had always fit into one.
    let mut blocks = assemble(&parts, &groups, catalog, usize::MAX)?;
    Ok(blocks.swap_remove(0))
}

impl Inner {
    fn find_caveats(&self) -> Vec<Caveat> {
        let mut caveats = Vec::new();
        let extent = &self.extent;
        if extent.quarantine.total() > 0 {
            caveats.push(Caveat::RowsQuarantined {
                rows: extent.quarantine.total(),
                of: extent.quarantine.rows_read,
            });
        }
        if let Some(until) = self.options.observed_until
            && until < self.catalog.last_time
        {
            caveats.push(Caveat::ObservedUntilTooEarly {
                until,
                last: self.catalog.last_time,
            });
        }
        if extent.times_without_zone > 0 {
            caveats.push(Caveat::TimesWithoutZone {
                rows: extent.times_without_zone,
            });
        }
        if extent.unresolved_ties > 0 {
            caveats.push(Caveat::TiesInInputOrder {
                events: extent.unresolved_ties,
            });
        }
        let duplicates: u64 = self.tallies.iter().map(|t| t.duplicates).sum();
        if duplicates > 0 {
            caveats.push(Caveat::ExactDuplicates { events: duplicates });
        }
        if let Some((customers, events)) = self.large_customers() {
            caveats.push(Caveat::LargeCustomers { customers, events });
        }
        for (attribute, customers) in &extent.conflicts {
            caveats.push(Caveat::Note {
                text: format!(
                    "{customers} customers have several values of `{attribute}`, which was declared to belong to customers; the latest was kept"
                ),
            });
        }
        caveats
    }

    /// Customers with more than 1,000 events and more than ten times the 99th percentile, with their events.
    fn large_customers(&self) -> Option<(u64, u64)> {
        const LEAST: u32 = 1_000;
        let sizes = || {
            self.blocks
                .iter()
                .flat_map(|b| b.offsets.windows(2).map(|w| w[1] - w[0]))
        };
        if sizes().all(|s| s <= LEAST) {
            return None;
        }
        let mut all: Vec<u32> = sizes().collect();
        let rank = (all.len() * 99).div_ceil(100).saturating_sub(1);
        let p99 = *all.select_nth_unstable(rank).1;
        let limit = LEAST.max(p99.saturating_mul(10));
        let (customers, events) = sizes()
            .filter(|s| *s > limit)
            .fold((0, 0), |(c, e), s| (c + 1, e + u64::from(s)));
        (customers > 0).then_some((customers, events))
    }
}
