//! What can be wrong with the input of a statistic.

/// A result whose error is a [`StatsError`].
pub type Result<T, E = StatsError> = std::result::Result<T, E>;

/// Why a statistic could not be computed from this input.
///
/// Too little data is not an error: functions answer `None` for it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum StatsError {
    /// A p-value is not a number between 0 and 1.
    #[error("p-value {value} at position {index} is not between 0 and 1")]
    PValue {
        /// Position in the input, from 0.
        index: usize,
        /// The offending value.
        value: f64,
    },
    /// A confidence level is not strictly between 0 and 1.
    #[error("confidence level {level} is not between 0 and 1, both excluded; 0.95 is usual")]
    Level {
        /// The offending level.
        level: f64,
    },
    /// The rows of a table have different lengths.
    #[error("row {row} of the table has {found} cells where the first has {expected}")]
    Ragged {
        /// Row, from 0.
        row: usize,
        /// Cells found in it.
        found: usize,
        /// Cells of the first row.
        expected: usize,
    },
    /// A table is too small for its test.
    #[error(
        "a table of {rows} rows and {columns} columns with counts in them is too small; two by two are needed"
    )]
    TooSmall {
        /// Rows that are not all zero.
        rows: usize,
        /// Columns that are not all zero.
        columns: usize,
    },
    /// Counts add up to more than can be represented.
    #[error("the counts of {what} add up to more than {limit}")]
    Overflow {
        /// What was being added up.
        what: &'static str,
        /// The largest total allowed.
        limit: u64,
    },
    /// A setting is outside its range.
    #[error("{name} is {value}, allowed is {allowed}")]
    Parameter {
        /// Name of the setting.
        name: &'static str,
        /// What was given.
        value: f64,
        /// What is allowed, in words.
        allowed: &'static str,
    },
    /// Stored bytes do not describe a state this crate could have written.
    #[error("stored {what} is not valid: {reason}")]
    Corrupt {
        /// Which type was being read.
        what: &'static str,
        /// What is wrong with it.
        reason: &'static str,
    },
}
