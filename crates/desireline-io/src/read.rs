//! From inputs to a log.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use arrow::error::ArrowError;
use desireline_core::log::Log;
use parquet::arrow::arrow_reader::ArrowReaderMetadata;

use crate::columnar;
use crate::format::{Packing, detect};
use crate::plan::{Survey, check_names};
use crate::sink::Sink;
use crate::source::{Input, Source};
use crate::text::{delimited, json};
use crate::{Columns, Format, IoError};

/// Reads files into a log.
///
/// The source is a file, a folder, a pattern, several of these, or bytes in memory: see [`Source`]. Formats are told from
/// the names (see [`Format`]) and held against the first bytes. Columns are found by name in every input.
///
/// **Missing and bad.** An empty field of a delimited file is missing, JSON and Arrow nulls are missing; `NA`, `null`,
/// `nan` and `None` are texts like any other. An empty text is missing as customer, time, event or value in every format;
/// as an attribute of a JSON or columnar input it is an empty text. Rows without customer, time or event, and rows with
/// anything that cannot be read as what it should be, go to the log's quarantine with row and column; above
/// [`Columns::max_quarantine_share`] that is an error.
///
/// **Times.** RFC 3339 and what else jiff reads as ISO 8601; `YYYY-MM-DD` or `YYYY/MM/DD`, alone or with
/// `HH:MM[:SS[.f]]`; `YYYYMMDD`; numbers with a declared [`TimeUnit`](crate::TimeUnit). Finer than a microsecond is floored.
/// Second 60 of a leap second reads as 59. Times without a zone get the declared [`Columns::zone`] or count as UTC and are
/// noted in the log.
///
/// **Kinds of attributes** in text files are found out over all rows before reading: integers, decimals or booleans only
/// where no two different texts would become one value (`007` keeps a column text, so do `1.10` beside `1.1` and any
/// `NA`), else text. Channel and journey are always text. Declare a kind to have other texts quarantined instead.
/// NaN is missing; an infinite number is quarantined.
///
/// **Cost.** Time O(bytes); inputs with attributes that look like numbers are looked at twice. Row groups of Parquet, Arrow
/// batches and blocks of delimited text are read on all threads of the current rayon pool and taken in in the order of the
/// input, so that the log, its quarantine and the first error are the same for any number of threads. Memory beside the
/// log's own (see [`LogBuilder`](desireline_core::log::LogBuilder)): for each thread two pieces, which are a row group and
/// up to 262,144 of its rows as columns, or 16 MiB of text. JSON Lines are read by one thread.
///
/// # Errors
/// [`IoError`], each naming input, row, column and remedy. A panic inside a decoder is an error too
/// ([`IoError::Damaged`]).
///
/// ```
/// use desireline_io::{Columns, Source, read};
///
/// let csv = "user,time,event\nann,2024-01-01 10:00,home\nann,2024-01-01 10:05,buy\n";
/// let log = read(Source::memory("events.csv", csv), &Columns::new("user", "time", "event"))?;
/// assert_eq!((log.n_events(), log.n_customers()), (2, 1));
/// # Ok::<(), desireline_io::IoError>(())
/// ```
pub fn read(source: impl Into<Source>, columns: &Columns) -> Result<Log, IoError> {
    read_onto(None, source.into(), columns)
}

/// A new log with the rows of further files added; `log` stays as it is, see [`Log::append`].
///
/// # Errors
/// As [`read`], and where the new files do not declare the same attributes, roles and currency as those of `log`.
///
/// ```
/// use desireline_io::{Columns, Source, append, read};
///
/// let columns = Columns::new("user", "time", "event");
/// let log = read(Source::memory("may.csv", "user,time,event\nann,2024-05-01,home\n"), &columns)?;
/// let more = Source::memory("june.csv", "user,time,event\nann,2024-06-01,buy\n");
/// assert_eq!(append(&log, more, &columns)?.n_events(), 2);
/// # Ok::<(), desireline_io::IoError>(())
/// ```
pub fn append(log: &Log, source: impl Into<Source>, columns: &Columns) -> Result<Log, IoError> {
    read_onto(Some(log), source.into(), columns)
}

fn read_onto(log: Option<&Log>, source: Source, columns: &Columns) -> Result<Log, IoError> {
    let (outlined, survey) = look(&source, columns)?;
    let mut sink = Sink::new(survey.plan()?, columns, outlined.len(), bytes(&outlined))?;
    take(&outlined, &mut sink)?;
    let name = outlined.first().map_or("", |(input, _)| &input.name);
    sink.finish(log, name)
}

/// The inputs of a source, each with what a first look at it found.
pub(crate) type Outlined = Vec<(Input, Outline)>;

/// A first look at every input.
pub(crate) fn look<'c>(
    source: &Source,
    columns: &'c Columns,
) -> Result<(Outlined, Survey<'c>), IoError> {
    let inputs = source.inputs()?;
    let mut survey = Survey::new(columns)?;
    let mut outlined = Vec::with_capacity(inputs.len());
    for input in inputs {
        let outline = guarded(&input.name, || outline(&input, columns, &mut survey))?;
        outlined.push((input, outline));
    }
    Ok((outlined, survey))
}

/// The bytes of inputs, as stored.
pub(crate) fn bytes(outlined: &Outlined) -> u64 {
    outlined.iter().map(|(input, _)| input.stored_bytes()).sum()
}

/// Takes in the rows of inputs, in their order.
pub(crate) fn take(outlined: &Outlined, sink: &mut Sink<'_>) -> Result<(), IoError> {
    for (input, outline) in outlined {
        guarded(&input.name, || match outline {
            Outline::Delimited(outline, packing) => delimited::read(input, outline, *packing, sink),
            Outline::Json(packing) => json::read(input, *packing, sink),
            Outline::Parquet(metadata) => columnar::parquet::read(input, metadata, sink),
            Outline::ArrowIpc => columnar::ipc::read(input, sink),
        })?;
        sink.source_done(&input.name, input.stored_bytes())?;
    }
    Ok(())
}

/// What the first look at an input found.
pub(crate) enum Outline {
    Delimited(delimited::Outline, Packing),
    Json(Packing),
    Parquet(Box<ArrowReaderMetadata>),
    ArrowIpc,
}

fn outline(input: &Input, columns: &Columns, survey: &mut Survey<'_>) -> Result<Outline, IoError> {
    let (format, packing) = detect(&input.name, columns.format, &input.head()?)?;
    Ok(match format {
        Format::Csv | Format::Tsv => {
            Outline::Delimited(delimited::survey(input, format, packing, survey)?, packing)
        }
        Format::JsonLines => {
            json::survey(input, packing, survey)?;
            Outline::Json(packing)
        }
        Format::Parquet => Outline::Parquet(Box::new(columnar::parquet::survey(input, survey)?)),
        Format::ArrowIpc => {
            columnar::ipc::survey(input, survey)?;
            Outline::ArrowIpc
        }
    })
}

/// Reads Arrow batches into a log, for hosts that hold frames: the same rules as [`read`].
///
/// Dictionary columns stay codes: each distinct text is looked at once a batch.
///
/// # Errors
/// As [`read`]; an error of the reader itself is [`IoError::Damaged`].
///
/// ```
/// use std::sync::Arc;
/// use arrow::array::{RecordBatch, StringArray, TimestampMicrosecondArray};
/// use desireline_io::{Columns, read_batches};
///
/// let batch = RecordBatch::try_from_iter([
///     ("user", Arc::new(StringArray::from(vec!["ann", "ann"])) as _),
///     ("time", Arc::new(TimestampMicrosecondArray::from(vec![1, 2]).with_timezone("UTC")) as _),
///     ("event", Arc::new(StringArray::from(vec!["home", "buy"])) as _),
/// ])?;
/// let schema = batch.schema();
/// let log = read_batches([Ok(batch)].into_iter(), &schema, "frame", &Columns::new("user", "time", "event"))?;
/// assert_eq!(log.n_events(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn read_batches(
    reader: impl Iterator<Item = Result<RecordBatch, ArrowError>>,
    schema: &Schema,
    source_name: &str,
    columns: &Columns,
) -> Result<Log, IoError> {
    batches_onto(None, reader, schema, source_name, columns)
}

/// A new log with the rows of Arrow batches added; see [`append`] and [`read_batches`].
///
/// # Errors
/// As both.
pub fn append_batches(
    log: &Log,
    reader: impl Iterator<Item = Result<RecordBatch, ArrowError>>,
    schema: &Schema,
    source_name: &str,
    columns: &Columns,
) -> Result<Log, IoError> {
    batches_onto(Some(log), reader, schema, source_name, columns)
}

fn batches_onto(
    log: Option<&Log>,
    reader: impl Iterator<Item = Result<RecordBatch, ArrowError>>,
    schema: &Schema,
    source_name: &str,
    columns: &Columns,
) -> Result<Log, IoError> {
    let mut survey = Survey::new(columns)?;
    columnar::survey(source_name, schema, &mut survey)?;
    let mut names: Vec<String> = schema.fields().iter().map(|f| f.name().clone()).collect();
    check_names(source_name, &mut names)?;
    let mut sink = Sink::new(survey.plan()?, columns, 1, 0)?;
    guarded(source_name, || {
        columnar::read(reader, &names, source_name, &mut sink)
    })?;
    sink.source_done(source_name, 0)?;
    sink.finish(log, source_name)
}

thread_local! {
    /// Whether this thread is inside [`guarded`], where a panic is told as an error and by nobody else.
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Lets the panics of guarded work pass in silence; all others go to whatever hook was there before.
fn hush() {
    static ONCE: Once = Once::new();
    // A hook cannot be set by a thread that is panicking.
    if std::thread::panicking() {
        return;
    }
    ONCE.call_once(|| {
        let before = take_hook();
        set_hook(Box::new(move |info| {
            if !QUIET.try_with(Cell::get).unwrap_or(false) {
                before(info);
            }
        }));
    });
}

/// Decoders are other people's code and meet hostile bytes: a panic of theirs is an error of the input.
pub(crate) fn guarded<T>(
    source_name: &str,
    work: impl FnOnce() -> Result<T, IoError>,
) -> Result<T, IoError> {
    hush();
    let outside = QUIET.replace(true);
    let done = catch_unwind(AssertUnwindSafe(work));
    QUIET.set(outside);
    done.unwrap_or_else(|panic| {
        Err(IoError::Damaged {
            source_name: source_name.to_owned(),
            row: None,
            reason: words(panic.as_ref()),
        })
    })
}

fn words(panic: &(dyn Any + Send)) -> String {
    let said = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied());
    format!("the decoder gave up: {}", said.unwrap_or("no reason given"))
}
