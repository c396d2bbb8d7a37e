//! What can go wrong while reading or writing.

use std::fmt;

/// Everything that can go wrong between bytes and a log.
///
/// [`IoError::code`] is a short stable word for scripts; the message is for people.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IoError {
    /// No file matches.
    #[error("no input: `{pattern}` {reason}")]
    NoInput {
        /// The path or pattern as given.
        pattern: String,
        /// Why nothing was found.
        reason: String,
    },
    /// A file could not be opened or read.
    #[error("`{source_name}` could not be read: {error}")]
    Open {
        /// The input.
        source_name: String,
        /// What the system said.
        error: std::io::Error,
    },
    /// The format cannot be told from the name or the first bytes.
    #[error(
        "`{source_name}` has no known ending; allowed are {allowed}; rename it, or set the format", allowed = crate::format::ENDINGS
    )]
    UnknownFormat {
        /// The input.
        source_name: String,
    },
    /// The first bytes belie the name.
    #[error("`{source_name}` is not {expected}: {found}; rename it or set the format")]
    FormatMismatch {
        /// The input.
        source_name: String,
        /// The format its name or the caller promised.
        expected: String,
        /// What was found instead.
        found: String,
    },
    /// The file is truncated or corrupt.
    #[error("`{source_name}` is damaged or cut short{}: {reason}", At(*row))]
    Damaged {
        /// The input.
        source_name: String,
        /// The row it happened after, where known.
        row: Option<u64>,
        /// What the decoder said.
        reason: String,
    },
    /// A small table of numbers cannot be read.
    #[error("`{source_name}`{}{}: {reason}", row.map_or_else(String::new, |r| format!(", row {r}")), column.as_ref().map_or_else(String::new, |c| format!(", column `{c}`")))]
    Table {
        /// The input.
        source_name: String,
        /// The row below the heading, from 1.
        row: Option<u64>,
        /// The column.
        column: Option<String>,
        /// What is wrong.
        reason: String,
    },
    /// The text is not UTF-8.
    #[error("`{source_name}` is not UTF-8: {found}; convert it to UTF-8 first")]
    Encoding {
        /// The input.
        source_name: String,
        /// What was found.
        found: String,
    },
    /// The file has no bytes.
    #[error("`{source_name}` is empty; a table needs at least a header")]
    EmptyInput {
        /// The input.
        source_name: String,
    },
    /// Two columns share a name.
    #[error(
        "`{source_name}` has two columns called `{column}` (columns {first} and {second}); rename one"
    )]
    DuplicateColumn {
        /// The input.
        source_name: String,
        /// The name.
        column: String,
        /// Place of the first, from 1.
        first: usize,
        /// Place of the second, from 1.
        second: usize,
    },
    /// A column that was asked for is not there.
    #[error("`{source_name}` has no column `{column}` (wanted as {role}){}; its columns are {}", DidYouMean(nearest.as_deref()), List(available))]
    UnknownColumn {
        /// The input.
        source_name: String,
        /// What the column was to be.
        role: &'static str,
        /// The name as given.
        column: String,
        /// The nearest name that is there.
        nearest: Option<String>,
        /// The names that are there.
        available: Vec<String>,
    },
    /// A column's type does not fit its role.
    #[error(
        "column `{column}` of `{source_name}` holds {found}, which cannot be {role}; allowed: {allowed}"
    )]
    ColumnType {
        /// The input.
        source_name: String,
        /// The column.
        column: String,
        /// What the column was to be.
        role: &'static str,
        /// The type found.
        found: String,
        /// The types that are allowed.
        allowed: &'static str,
    },
    /// The same attribute has irreconcilable types in two inputs.
    #[error(
        "attribute `{column}` is {first} in one input and {second} in `{source_name}`; declare its kind"
    )]
    KindClash {
        /// The input that differs.
        source_name: String,
        /// The attribute.
        column: String,
        /// The kind in the inputs before.
        first: String,
        /// The kind in this one.
        second: String,
    },
    /// Numbers as times, without saying in what unit.
    #[error(
        "column `{column}` of `{source_name}` holds numbers{}; say whether they are seconds, millis, micros or nanos since 1970 (`time_unit`)", At(*row)
    )]
    TimeUnitNeeded {
        /// The input.
        source_name: String,
        /// The time column.
        column: String,
        /// The first such row, where known.
        row: Option<u64>,
    },
    /// No such time zone.
    #[error("there is no time zone `{zone}`; use an IANA name such as `Europe/Berlin` or `UTC`")]
    UnknownZone {
        /// The name as given.
        zone: String,
    },
    /// No such currency, or one without a minor unit.
    #[error(
        "`{currency}` is no ISO 4217 currency with a minor unit; write for example `EUR`, `USD` or `JPY`"
    )]
    UnknownCurrency {
        /// The code as given.
        currency: String,
    },
    /// A setting makes no sense.
    #[error("`{setting}`: {problem}")]
    Setting {
        /// The setting.
        setting: &'static str,
        /// What is wrong and what is allowed.
        problem: String,
    },
    /// Over a limit; see [`Limits`](crate::Limits).
    #[error("`{source_name}` has {what} over the limit of {limit}{}; raise `limits.{setting}` if you trust it", At(*row))]
    Limit {
        /// The input.
        source_name: String,
        /// Of what there is too much.
        what: &'static str,
        /// The limit.
        limit: u64,
        /// The field of [`Limits`](crate::Limits) that sets it.
        setting: &'static str,
        /// The row, where known.
        row: Option<u64>,
    },
    /// A quoted field never ends.
    #[error(
        "`{source_name}` opens a quote in row {row} that never closes; all after it would be lost; close or double the quote"
    )]
    UnclosedQuote {
        /// The input.
        source_name: String,
        /// The row in which the quote opens.
        row: u64,
    },
    /// A JSON document where lines of JSON were expected.
    #[error(
        "`{source_name}` is one JSON document, not JSON Lines; write one object a line (`jq -c '.[]'`)"
    )]
    NotJsonLines {
        /// The input.
        source_name: String,
    },
    /// Cancelled through the token.
    #[error("cancelled after {rows} rows")]
    Cancelled {
        /// Rows read until then.
        rows: u64,
    },
    /// The rows do not make a log.
    #[error(transparent)]
    Log(#[from] desireline_core::Error),
    /// An Arrow file that is not a snapshot of a log was opened as one.
    #[error(
        "`{source_name}` is no snapshot of a log: {found}; read it and say which columns hold customer, time and event"
    )]
    NotSnapshot {
        /// The file.
        source_name: String,
        /// What was found instead.
        found: String,
    },
    /// A snapshot was read as a table of events.
    #[error(
        "`{source_name}` is a snapshot of a log, which knows its columns: open it instead of reading it (`open`)"
    )]
    IsSnapshot {
        /// The file.
        source_name: String,
    },
    /// A snapshot by a later version.
    #[error(
        "`{source_name}` is a snapshot of format {found}, written by desireline {engine}; this version opens formats up to {supported}; upgrade desireline, or save the log with this version"
    )]
    SnapshotVersion {
        /// The file.
        source_name: String,
        /// The format found.
        found: String,
        /// The engine that wrote it.
        engine: String,
        /// The latest format that can be opened.
        supported: u32,
    },
    /// A snapshot whose content cannot be a log.
    #[error(
        "`{source_name}` is a damaged snapshot: column `{column}`: {problem}; save the log again or restore the file"
    )]
    SnapshotDamaged {
        /// The file.
        source_name: String,
        /// The column or part of the file.
        column: String,
        /// What is wrong.
        problem: String,
    },
    /// A file could not be written.
    #[error("`{target}` could not be written: {reason}")]
    Write {
        /// The file.
        target: String,
        /// What went wrong.
        reason: String,
    },
}

impl IoError {
    /// A short stable word for this kind of error.
    ///
    /// ```
    /// use desireline_io::{Columns, read};
    /// let error = read("no/such/file.csv", &Columns::new("user", "time", "event")).unwrap_err();
    /// assert_eq!(error.code(), "no_input");
    /// ```
    pub fn code(&self) -> &'static str {
        use desireline_core::Error as Core;
        match self {
            IoError::NoInput { .. } => "no_input",
            IoError::Open { .. } => "open",
            IoError::UnknownFormat { .. } => "unknown_format",
            IoError::FormatMismatch { .. } => "format_mismatch",
            IoError::Damaged { .. } => "damaged",
            IoError::Table { .. } => "table",
            IoError::Encoding { .. } => "encoding",
            IoError::EmptyInput { .. } => "empty_input",
            IoError::DuplicateColumn { .. } => "duplicate_column",
            IoError::UnknownColumn { .. } => "unknown_column",
            IoError::ColumnType { .. } => "column_type",
            IoError::KindClash { .. } => "kind_clash",
            IoError::TimeUnitNeeded { .. } => "time_unit_needed",
            IoError::UnknownZone { .. } => "unknown_zone",
            IoError::UnknownCurrency { .. } => "unknown_currency",
            IoError::Setting { .. } => "setting",
            IoError::Limit { .. } => "limit",
            IoError::UnclosedQuote { .. } => "unclosed_quote",
            IoError::NotJsonLines { .. } => "not_json_lines",
            IoError::Cancelled { .. } => "cancelled",
            IoError::Log(Core::EmptyLog { .. }) => "empty_log",
            IoError::Log(Core::QuarantineShare { .. }) => "quarantine_share",
            IoError::Log(Core::TooMany { .. }) => "too_many",
            IoError::Log(_) => "log",
            IoError::NotSnapshot { .. } => "not_snapshot",
            IoError::IsSnapshot { .. } => "is_snapshot",
            IoError::SnapshotVersion { .. } => "snapshot_version",
            IoError::SnapshotDamaged { .. } => "snapshot_damaged",
            IoError::Write { .. } => "write",
        }
    }
}

struct At(Option<u64>);

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |row| write!(f, " (row {row})"))
    }
}

struct DidYouMean<'a>(Option<&'a str>);

impl fmt::Display for DidYouMean<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .map_or(Ok(()), |name| write!(f, " (did you mean `{name}`?)"))
    }
}

struct List<'a>(&'a [String]);

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 30;
        for (i, name) in self.0.iter().take(SHOWN).enumerate() {
            let gap = if i == 0 { "" } else { ", " };
            write!(f, "{gap}`{name}`")?;
        }
        match self.0.len() {
            0 => f.write_str("none"),
            n if n > SHOWN => write!(f, " and {} more", n - SHOWN),
            _ => Ok(()),
        }
    }
}
