//! Building a log from rows or columns in any order.

use jiff::Timestamp;

use super::assemble::{Rebuild, settle};
use super::buffer::{AttributeValue, Buffer};
use super::chunk::{Chunk, Names};
use super::intern::Key;
use super::log::{Extent, Log, tally};
use super::sort::{Sorted, sort};
use super::{AttributeType, Batch, Column, LogOptions, Quarantine, Reason, RowNumbers};
use crate::error::{Error, Result, SpecError, nearest};

/// One event as a program holds it.
///
/// ```
/// use desireline_core::log::{AttributeType, EventRow, LogBuilder, LogOptions};
///
/// let mut builder = LogBuilder::new(LogOptions::default().attribute("device", AttributeType::Text));
/// builder.push_row(&EventRow {
///     attributes: &[("device", "phone".into())],
///     ..EventRow::new("ann", 1_700_000_000_000_000, "home")
/// })?;
/// assert_eq!(builder.finish()?.n_events(), 1);
/// # Ok::<(), desireline_core::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct EventRow<'a> {
    /// Who: a text or an integer.
    pub customer: Key<'a>,
    /// When, in microseconds since 1970 UTC.
    pub time: i64,
    /// What.
    pub event: &'a str,
    /// Money in minor units of [`LogOptions::currency`].
    pub value: Option<i64>,
    /// Attributes by their declared names; those left out are missing.
    pub attributes: &'a [(&'a str, AttributeValue<'a>)],
    /// Orders events of one customer at one time; those without one follow in the order of input.
    pub tie: Option<i64>,
}

impl<'a> EventRow<'a> {
    /// An event without value, attributes or tie key.
    pub fn new(customer: impl Into<Key<'a>>, time: i64, event: &'a str) -> EventRow<'a> {
        EventRow {
            customer: customer.into(),
            time,
            event,
            value: None,
            attributes: &[],
            tie: None,
        }
    }
}

/// Takes in rows or columns in any order and sorts them into a [`Log`].
///
/// A row without customer, time or event name is put aside in the [`Quarantine`] and counted, never guessed; so is
/// a time outside the years −9999 to 9999. An *empty* text is not missing: given explicitly it is a legal id or
/// name (readers of text files pass `None` for an empty field). NaN is missing.
///
/// Memory: while rows come in, 8 bytes a row for the time and for a tie key, 1 to 4 for the customer, the name and each
/// text attribute, 8 for each number; and each distinct id or name once. [`finish`](LogBuilder::finish) holds 4 bytes a
/// row more for their order, up to 4 for each customer of a chunk (262,144 rows, or one batch if that is longer) and 12
/// wherever a chunk has rows of a part (32,768 sorted rows); it frees customers and tie keys, and then writes column by
/// column, freeing what each was written from; so no more is held at once than the rows, these, one column and, on each
/// thread, one column of a chunk. Rows cost O(n + n log m) where m is the largest number of events of one customer whose
/// events did not come in order; each distinct id or name is looked up once in every chunk, and the customers' are sorted.
///
/// ```
/// use desireline_core::log::{LogBuilder, LogOptions};
///
/// let mut builder = LogBuilder::new(LogOptions::default());
/// builder.push("ann", 2_000_000, "cart")?;
/// builder.push("ann", 1_000_000, "home")?;
/// builder.push(7, 5_000_000, "home")?;
/// let log = builder.finish()?;
/// assert_eq!((log.n_customers(), log.n_events()), (2, 3));
/// # Ok::<(), desireline_core::error::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct LogBuilder {
    pub(super) options: LogOptions,
    pub(super) names: Names,
    pub(super) chunks: Vec<Chunk>,
    /// Rows in `chunks`.
    closed_rows: usize,
    /// What comes next goes in here.
    open: Chunk,
    /// Rows after which a chunk is closed.
    pub(super) chunk_rows: usize,
    /// Whether closed chunks keep their names, because another builder will take them in.
    is_fork: bool,
    pub(super) quarantine: Quarantine,
    pub(super) times_without_zone: u64,
}

/// The earliest and latest time that calendars know.
pub(super) fn time_range() -> std::ops::RangeInclusive<i64> {
    Timestamp::MIN.as_microsecond()..=Timestamp::MAX.as_microsecond()
}

const MAX_ROWS: usize = u32::MAX as usize - 1;
const ROW_SOURCE: &str = "rows";
/// Rows of a chunk: enough that few chunks are held, few enough that what is looked up for each row stays in the cache.
const CHUNK_ROWS: usize = 1 << 18;

impl LogBuilder {
    /// A builder without rows.
    pub fn new(options: LogOptions) -> LogBuilder {
        LogBuilder {
            open: Chunk::new(&options),
            options,
            names: Names::default(),
            chunks: Vec::new(),
            closed_rows: 0,
            chunk_rows: CHUNK_ROWS,
            is_fork: false,
            quarantine: Quarantine::default(),
            times_without_zone: 0,
        }
    }

    /// Takes in an event without value and attributes; `time` is in microseconds since 1970 UTC.
    ///
    /// # Errors
    /// [`Error::TooMany`] past 4,294,967,294 rows.
    pub fn push<'k>(&mut self, customer: impl Into<Key<'k>>, time: i64, event: &str) -> Result<()> {
        let customer: Key<'_> = customer.into();
        self.push_row(&EventRow::new(customer, time, event))
    }

    /// Takes in one event.
    ///
    /// # Errors
    /// An attribute that was not declared or is not of its declared kind, a value without a declared currency, or
    /// [`Error::TooMany`]. The row is then not taken in.
    pub fn push_row(&mut self, row: &EventRow<'_>) -> Result<()> {
        self.room(1)?;
        if !time_range().contains(&row.time) {
            let number = self.next_row();
            self.quarantine
                .put(ROW_SOURCE, number, Some("time"), Reason::TimeOutOfRange);
            return Ok(());
        }
        for (name, value) in row.attributes {
            Buffer::check_value(
                &self.options.attributes[self.declared(name)?],
                value,
                ROW_SOURCE,
            )?;
        }
        if row.value.is_some() {
            self.check_currency()?;
        }
        let open = &mut self.open;
        let before = open.len();
        open.customer
            .codes
            .push(open.customer.names.intern(row.customer));
        open.event.codes.push(open.event.names.text(row.event));
        open.time.push(row.time);
        for (buffer, spec) in open.attributes.iter_mut().zip(&self.options.attributes) {
            // The last of two values under one name wins, as in a map.
            match row
                .attributes
                .iter()
                .rev()
                .find(|(name, _)| *name == spec.name)
            {
                Some((_, value)) => buffer.push(*value),
                None => buffer.push_missing(),
            }
        }
        self.push_values(row.value.is_some(), 1, before, |buffer| {
            buffer.push_integer(row.value)
        });
        self.push_ties(row.tie.is_some(), 1, before, |ties| {
            ties.push(row.tie.unwrap_or(i64::MAX))
        });
        self.close_if_full();
        Ok(())
    }

    /// Takes in many events as columns.
    ///
    /// Each distinct entry of a dictionary is looked at once; integers are never formatted.
    ///
    /// # Errors
    /// Columns of different length, attributes that differ in number or kind from what was declared, a value
    /// column without a declared currency, or [`Error::TooMany`]. Nothing is then taken in.
    pub fn push_batch(&mut self, batch: &Batch<'_>) -> Result<()> {
        let n = batch.time.len();
        self.room(n)?;
        self.check_batch(batch)?;
        let first = self.next_row();
        let skip = self.put_aside(batch, first);
        let (before, new) = (self.open.len(), n - skip.len());

        let open = &mut self.open;
        open.customer.extend(&batch.customer, &skip, 0);
        open.event.extend(&batch.event, &skip, 0);
        open.push_times(batch.time, &skip);
        for (buffer, column) in open.attributes.iter_mut().zip(&batch.attributes) {
            buffer.push_column(column, &skip);
        }
        let values = batch.value.unwrap_or(Column::Full(&[]));
        self.push_values(batch.value.is_some(), new, before, |buffer| {
            values.kept(&skip, |v| buffer.push_integer(v));
        });
        let ties = batch.tie.unwrap_or(Column::Full(&[]));
        self.push_ties(batch.tie.is_some(), new, before, |all| {
            all.reserve(new);
            ties.kept(&skip, |t| all.push(t.unwrap_or(i64::MAX)));
        });
        self.close_if_full();
        Ok(())
    }

    /// A builder without rows and with the same options, for rows that are prepared beside those of this one and then
    /// [`merge`](LogBuilder::merge)d.
    pub fn fork(&self) -> LogBuilder {
        LogBuilder {
            is_fork: true,
            chunk_rows: self.chunk_rows,
            ..LogBuilder::new(self.options.clone())
        }
    }

    /// Takes in the rows of another builder behind those that are here, as if they had been pushed one by one.
    ///
    /// Rows can so be prepared by several threads: each fills a [`fork`](LogBuilder::fork), and these are merged in the
    /// order of input. Costs a look at each distinct key of a chunk, not at each row. Rows that `other` put aside keep the
    /// numbers they have.
    ///
    /// ```
    /// use desireline_core::log::{LogBuilder, LogOptions};
    ///
    /// let mut builder = LogBuilder::new(LogOptions::default());
    /// builder.push("ann", 1_000_000, "home")?;
    /// let mut more = builder.fork();
    /// more.push("ann", 2_000_000, "cart")?;
    /// builder.merge(more)?;
    /// assert_eq!(builder.finish()?.n_events(), 2);
    /// # Ok::<(), desireline_core::error::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::AppendMismatch`] when `other` has other options, and [`Error::TooMany`]; nothing is then taken in.
    pub fn merge(&mut self, mut other: LogBuilder) -> Result<()> {
        if self.options != other.options {
            let reason = "the builder to be merged has other options".to_owned();
            return Err(Error::AppendMismatch { reason });
        }
        self.room(other.n_rows())?;
        self.close();
        other.close();
        self.share_names();
        if other.is_fork {
            for chunk in &mut other.chunks {
                self.names.close(chunk);
            }
        } else {
            self.names.absorb(other.names, &mut other.chunks);
        }
        self.closed_rows += other.closed_rows;
        self.chunks.append(&mut other.chunks);
        self.quarantine.merge(&other.quarantine);
        self.note_times_without_zone(other.times_without_zone);
        Ok(())
    }

    fn close_if_full(&mut self) {
        if self.open.len() >= self.chunk_rows {
            self.close();
        }
    }

    /// Makes a fork a builder like any other.
    fn share_names(&mut self) {
        if std::mem::take(&mut self.is_fork) {
            for chunk in &mut self.chunks {
                self.names.close(chunk);
            }
        }
    }

    /// Puts the open chunk to the others.
    fn close(&mut self) {
        if self.open.len() > 0 {
            let mut chunk = std::mem::replace(&mut self.open, Chunk::new(&self.options));
            if !self.is_fork {
                self.names.close(&mut chunk);
            }
            self.closed_rows += chunk.len();
            self.chunks.push(chunk);
        }
    }

    /// The rows that were put aside so far, for a reader to add its own; `rows_read` is counted by the builder.
    pub fn quarantine_mut(&mut self) -> &mut Quarantine {
        &mut self.quarantine
    }

    /// Notes that `rows` times came without a zone and were read as UTC.
    pub fn note_times_without_zone(&mut self, rows: u64) {
        self.times_without_zone = self.times_without_zone.saturating_add(rows);
    }

    /// The rows taken in so far, without those put aside.
    pub fn rows(&self) -> u64 {
        self.n_rows() as u64
    }

    fn n_rows(&self) -> usize {
        self.closed_rows + self.open.len()
    }

    /// Sorts what was taken in into a log.
    ///
    /// # Errors
    /// [`Error::QuarantineShare`] when too many rows were put aside, [`Error::EmptyLog`] when none is left, and an
    /// unknown or repeated attribute name in the options.
    pub fn finish(self) -> Result<Log> {
        self.finish_with(&|_| true)
    }

    /// [`finish`](LogBuilder::finish), telling `progress` the share done (0 to 1) now and then.
    ///
    /// # Errors
    /// Also [`Error::Cancelled`] when `progress` answers `false`.
    pub fn finish_with(mut self, progress: &dyn Fn(f64) -> bool) -> Result<Log> {
        let go_on = |done: f64| {
            if progress(done) {
                Ok(())
            } else {
                Err(Error::Cancelled {
                    done: (done * 100.0) as u64,
                    total: 100,
                })
            }
        };
        self.check_options()?;
        self.quarantine.rows_read = self.rows() + self.quarantine.total();
        self.check_quarantine()?;
        self.close();
        self.share_names();
        if self.chunks.is_empty() {
            return Err(Error::EmptyLog {
                quarantined: self.quarantine.total(),
            });
        }
        go_on(0.0)?;
        let sorted: Sorted = sort(&mut self, &go_on)?;
        let unresolved = sorted.unresolved_ties();
        let (mut catalog, blocks) = super::build::blocks(&mut self, sorted, &go_on)?;
        let mut rebuild = Rebuild::fresh(blocks);
        let dropped = tally(&mut rebuild, &catalog, &self.options)?;
        settle(&mut catalog, &mut rebuild, &self.options);
        go_on(0.9)?;
        let extent = Extent {
            quarantine: self.quarantine,
            times_without_zone: self.times_without_zone,
            unresolved_ties: unresolved,
            conflicts: rebuild.conflicts.clone(),
            dropped,
        };
        let log = Log::seal(catalog, rebuild, self.options, extent)?;
        go_on(1.0)?;
        Ok(log)
    }

    fn next_row(&self) -> u64 {
        self.rows() + self.quarantine.total() + 1
    }

    fn room(&self, more: usize) -> Result<()> {
        let count = self.n_rows().saturating_add(more);
        if count > MAX_ROWS {
            return Err(Error::TooMany {
                what: "events in one build",
                count: count as u64,
                limit: MAX_ROWS as u64,
            });
        }
        Ok(())
    }

    fn declared(&self, name: &str) -> Result<usize> {
        let known = || self.options.attributes.iter().map(|a| a.name.as_str());
        known()
            .position(|k| k == name)
            .ok_or_else(|| Error::UndeclaredAttribute {
                name: name.to_owned(),
                nearest: nearest(name, known()),
                known: known().map(str::to_owned).collect(),
            })
    }

    fn check_currency(&self) -> Result<()> {
        if self.options.currency.is_none() {
            Err(Error::CurrencyMissing)
        } else {
            Ok(())
        }
    }

    fn check_options(&self) -> Result<()> {
        for name in [&self.options.channel, &self.options.journey]
            .into_iter()
            .flatten()
        {
            self.declared(name)?;
        }
        for (i, a) in self.options.attributes.iter().enumerate() {
            if self.options.attributes[..i]
                .iter()
                .any(|b| b.name == a.name)
            {
                return Err(Error::RepeatedAttribute {
                    name: a.name.clone(),
                });
            }
        }
        Ok(())
    }

    fn check_quarantine(&self) -> Result<()> {
        let q = &self.quarantine;
        let allowed = self.options.max_quarantine_share;
        if !(0.0..=1.0).contains(&allowed) {
            let problem = format!("{allowed} is no share; use a number from 0 to 1, such as 0.05");
            return Err(SpecError::Field {
                analysis: "log",
                field: "max_quarantine_share",
                problem,
            }
            .into());
        }
        if q.share() <= allowed {
            return Ok(());
        }
        let first = q
            .examples
            .first()
            .map_or_else(String::new, |e| match &e.column {
                Some(column) => format!(
                    "row {} of {}, column `{column}`: {}",
                    e.row,
                    e.source,
                    e.reason.label()
                ),
                None => format!("row {} of {}: {}", e.row, e.source, e.reason.label()),
            });
        Err(Error::QuarantineShare {
            what: "rows",
            rows: q.total(),
            of: q.rows_read,
            allowed: self.options.max_quarantine_share,
            first,
        })
    }

    fn check_batch(&self, batch: &Batch<'_>) -> Result<()> {
        let expected = batch.time.len();
        let length = |column: &str, found: usize| {
            if found == expected {
                return Ok(());
            }
            Err(Error::ColumnLength {
                source_name: batch.source.to_owned(),
                column: column.to_owned(),
                expected,
                found,
            })
        };
        length("customer", batch.customer.len())?;
        length("event", batch.event.len())?;
        if batch.attributes.len() != self.options.attributes.len() {
            return Err(Error::AttributeCount {
                source_name: batch.source.to_owned(),
                expected: self.options.attributes.len(),
                found: batch.attributes.len(),
            });
        }
        for (spec, column) in self.options.attributes.iter().zip(&batch.attributes) {
            length(&spec.name, column.len())?;
            Buffer::check_column(spec, column, batch.source)?;
        }
        if let Some(values) = batch.value {
            length("value", values.len())?;
            self.check_currency()?;
        }
        length("tie", batch.tie.map_or(expected, |t| t.len()))?;
        match batch.rows {
            RowNumbers::Each(rows) => length("rows", rows.len()),
            RowNumbers::Counted | RowNumbers::From(_) => Ok(()),
        }
    }

    /// Puts rows aside that cannot be events and gives their places, ascending.
    #[allow(clippy::cast_possible_truncation)] // a batch has fewer than 2^32 rows: `room` was asked before
    fn put_aside(&mut self, batch: &Batch<'_>, first_row: u64) -> Vec<u32> {
        let allowed = time_range();
        let times_fine = batch.time.all(|t| allowed.contains(&t));
        if times_fine && batch.customer.is_complete() && batch.event.is_complete() {
            return Vec::new();
        }
        let mut skip = Vec::new();
        for i in 0..batch.time.len() {
            let time = batch.time.get(i);
            let (column, reason) = if batch.customer.is_missing(i) {
                ("customer", Reason::MissingCustomer)
            } else if time.is_none() {
                ("time", Reason::MissingTime)
            } else if time.is_some_and(|t| !allowed.contains(&t)) {
                ("time", Reason::TimeOutOfRange)
            } else if batch.event.is_missing(i) {
                ("event", Reason::MissingEvent)
            } else {
                continue;
            };
            let row = match batch.rows {
                RowNumbers::Each(rows) => rows.get(i).copied().unwrap_or(first_row + i as u64),
                RowNumbers::From(first) => first.saturating_add(i as u64),
                RowNumbers::Counted => first_row + i as u64,
            };
            self.quarantine.put(batch.source, row, Some(column), reason);
            skip.push(i as u32);
        }
        skip
    }

    /// The value column exists from the first value on; rows before it are missing.
    fn push_values(
        &mut self,
        given: bool,
        new: usize,
        before: usize,
        push: impl FnOnce(&mut Buffer),
    ) {
        let column = &mut self.open.value;
        if given && column.is_none() {
            let mut buffer = Buffer::new(AttributeType::Integer);
            (0..before).for_each(|_| buffer.push_missing());
            *column = Some(buffer);
        }
        match column {
            Some(buffer) if given => push(buffer),
            Some(buffer) => (0..new).for_each(|_| buffer.push_missing()),
            None => {}
        }
    }

    /// Rows without a tie key follow those that have one.
    fn push_ties(
        &mut self,
        given: bool,
        new: usize,
        before: usize,
        push: impl FnOnce(&mut Vec<i64>),
    ) {
        let column = &mut self.open.tie;
        if given && column.is_none() {
            *column = Some(vec![i64::MAX; before]);
        }
        match column {
            Some(ties) if given => push(ties),
            Some(ties) => ties.resize(ties.len() + new, i64::MAX),
            None => {}
        }
    }
}
