//! One file that holds a whole log: written once, reopened without reading the events again.
//!
//! [`save`] writes it and [`open`] maps it into memory; nothing is decoded or copied, the log's columns *are* the file.
//! A reopened log has the same fingerprint and gives the same reports, byte for byte, and can be appended to.
//!
//! # The file
//! An Arrow IPC file (uncompressed), which any Arrow reader can open. By custom its name ends in `.arrow`; what makes it
//! a snapshot is the key `desireline.snapshot` in the schema's metadata. One row per customer, in ascending order of
//! ids, and each customer's events as a list:
//!
//! | column | type | holds |
//! |---|---|---|
//! | `customer` | int64 where all ids are plain integers, else large text | the id, as it was written |
//! | one per attribute of customers | as below | its value |
//! | `events` | list of structs | the customer's events, by time, then tie key, then order of input |
//! | `events.event` | dictionary of large text, 1, 2 or 4 bytes a code | the event's name |
//! | `events.time_s`, `time_ms` or `time_us` | uint32 | seconds, milliseconds or microseconds since the base in the metadata, which is 1970 UTC wherever that fits |
//! | `events.time_tick` | uint32 | instead, in logs that span more than 32 bits of their unit (49 days of milliseconds): the upper 32 bits of the units since the base |
//! | `events.time_rest` | list of 1, 2, 4 or 8 booleans, uint16 or uint32 | the bits below those, as a list with the lowest first: two for half a year of milliseconds |
//! | `events.…` one per attribute of events | text and booleans: dictionary of large text; integers: int64; decimals: float64; times: timestamp (µs, UTC) | its value; missing is null |
//! | `events.value_minor` | int64 | money in minor units (cents) of the currency in the metadata |
//!
//! A row's list of events is one journey, so that a frame library needs one word to get back to one row per event:
//! `pl.read_ipc(p).explode("events").unnest("events")` in Polars, `SELECT customer, unnest(events, recursive := true)`
//! in DuckDB, `pyarrow.compute.list_flatten` in PyArrow. Attributes whose names clash with these columns end in `_2`.
//!
//! The metadata tell, each under its own key beginning with `desireline.`: the format and engine version, the sort
//! order and tie rule, how times are told from these columns (unit, base and shift), the meaning of every column, the fingerprint, and (`log`, as JSON)
//! the options, the quarantine and all other counts that summary and caveats need. One record batch is one block, cut
//! between customers; every buffer begins at a multiple of 64 bytes.
//!
//! # What is checked
//! The file is not trusted. [`open`] looks at everything that an analysis relies on: versions, schema, lengths, the
//! order of customers and times, codes against names, UTF-8, and a checksum of every buffer. That reads the file once
//! at the speed of memory (or of the disk, the first time), on all cores. Nothing is copied.
//!
//! # What is not in it
//! The log that aliases were applied to ([`Log::source`]): save that one too if you want to append to it and alias
//! again.
//!
//! A file that is open must not be changed in place; [`save`] never does: it writes beside and then takes over the
//! name, and logs opened before keep the old content.

mod columns;
mod fields;
mod layout;
mod map;
mod parts;
mod read;
mod write;

use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use desireline_core::log::Log;

use crate::read::guarded;
use crate::{Format, IoError};

/// The format that this version writes, and the latest that it opens.
pub const VERSION: u32 = 2;

/// The key in the schema's metadata that makes an Arrow file a snapshot.
const MARK: &str = "desireline.snapshot";

/// Whether a schema's metadata are those of a snapshot.
pub(crate) fn marks(metadata: &HashMap<String, String>) -> bool {
    metadata.contains_key(MARK)
}

/// Whether the file at `path` is a snapshot of a log: told by its content, whatever its name. `false` for anything
/// else, also for what is no file.
///
/// # Errors
/// [`IoError::Open`] when the file cannot be read.
pub fn is_snapshot(path: impl AsRef<Path>) -> Result<bool, IoError> {
    let path = path.as_ref();
    if !path.is_file() {
        return Ok(false);
    }
    read::has_mark(path).map_err(|error| IoError::Open {
        source_name: path.display().to_string(),
        error,
    })
}

/// Opens a snapshot that [`save`] wrote. O(bytes) at the speed of memory for the checks, O(names) of new memory.
///
/// ```
/// use desireline_core::log::Log;
/// use desireline_io::snapshot;
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("shop.arrow");
/// let log = Log::from_rows([("ann", 0, "home"), ("ann", 5_000_000, "buy")])?;
/// snapshot::save(&log, &path)?;
/// assert_eq!(snapshot::open(&path)?.fingerprint(), log.fingerprint());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`IoError::Open`], [`IoError::NotSnapshot`], [`IoError::SnapshotVersion`] and [`IoError::SnapshotDamaged`].
pub fn open(path: impl AsRef<Path>) -> Result<Log, IoError> {
    let path = path.as_ref();
    let name = path.display().to_string();
    let bytes = map::bytes(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => IoError::NoInput {
            pattern: name.clone(),
            reason: "does not exist".to_owned(),
        },
        _ => IoError::Open {
            source_name: name.clone(),
            error,
        },
    })?;
    guarded(&name, || read::log(&name, &bytes))
}

/// Opens a snapshot in memory, such as one fetched from an object store; `name` is for messages. Bytes that do not begin
/// at a multiple of eight are copied once.
///
/// # Errors
/// Those of [`open`].
pub fn open_bytes(name: &str, bytes: impl Into<Bytes>) -> Result<Log, IoError> {
    let bytes = map::aligned(bytes.into());
    guarded(name, || read::log(name, &bytes))
}

/// Saves a log as one file: see [the format](self). The file appears under its name when it is whole and on the disk;
/// if anything fails, a file that was there before is untouched and nothing is left behind.
///
/// O(bytes); needs no memory to speak of, except where blocks of a log that grew differ in the width of their columns:
/// then one block's worth.
///
/// # Errors
/// [`IoError::Write`].
pub fn save(log: &Log, path: impl AsRef<Path>) -> Result<(), IoError> {
    save_with(log, path, &Saving::default())
}

/// Saves a log as [`save`] does, stoppable and telling how far it is.
///
/// # Errors
/// [`IoError::Write`], and [`IoError::Cancelled`] when told to stop.
pub fn save_with(log: &Log, path: impl AsRef<Path>, saving: &Saving) -> Result<(), IoError> {
    let path = path.as_ref();
    let failed = |reason: String| IoError::Write {
        target: path.display().to_string(),
        reason,
    };
    match Format::of_name(path) {
        None | Some((Format::ArrowIpc, _)) => {}
        Some((other, _)) => {
            return Err(failed(format!(
                "its ending promises {}; a snapshot is an Arrow IPC file: end it in .arrow",
                other.words()
            )));
        }
    }
    let (part, file) = crate::write::Part::create(path).map_err(|e| failed(e.to_string()))?;
    let file = write::log(log, file, saving).map_err(|e| match e {
        write::Stopped::Cancelled { rows } => IoError::Cancelled { rows },
        write::Stopped::Io(e) => failed(e.to_string()),
        write::Stopped::TooLarge(what) => failed(what),
    })?;
    part.commit(file).map_err(|e| failed(e.to_string()))
}

/// Called with the bytes written and about how many there are in all.
type ProgressHook = Arc<dyn Fn(u64, u64) + Send + Sync>;

/// How to watch and stop [`save_with`].
#[derive(Clone, Default)]
pub struct Saving {
    cancel: Option<Arc<AtomicBool>>,
    progress: Option<ProgressHook>,
}

impl fmt::Debug for Saving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Saving").finish_non_exhaustive()
    }
}

impl Saving {
    /// Neither watched nor stoppable.
    pub fn new() -> Saving {
        Saving::default()
    }

    /// Saving stops soon after this becomes true.
    #[must_use]
    pub fn cancel(mut self, token: Arc<AtomicBool>) -> Saving {
        self.cancel = Some(token);
        self
    }

    /// Called every few megabytes with the bytes written and about how many there are in all.
    #[must_use]
    pub fn on_progress(mut self, hook: Arc<dyn Fn(u64, u64) + Send + Sync>) -> Saving {
        self.progress = Some(hook);
        self
    }

    fn is_cancelled(&self) -> bool {
        self.cancel
            .as_ref()
            .is_some_and(|c| c.load(Ordering::Relaxed))
    }
}

/// `log.save(path)`, for a type that lives where there are no files.
///
/// ```
/// use desireline_core::log::Log;
/// use desireline_io::SaveLog;
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("shop.arrow");
/// Log::from_rows([("ann", 0, "home")])?.save(&path)?;
/// assert!(desireline_io::snapshot::is_snapshot(&path)?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait SaveLog {
    /// Saves this log as one file; see [`save`].
    ///
    /// # Errors
    /// [`IoError::Write`].
    fn save(&self, path: impl AsRef<Path>) -> Result<(), IoError>;
}

impl SaveLog for Log {
    fn save(&self, path: impl AsRef<Path>) -> Result<(), IoError> {
        save(self, path)
    }
}
