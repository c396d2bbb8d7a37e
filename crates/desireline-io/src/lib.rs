//! Readers and writers of desireline: from CSV, JSON Lines, Parquet and Arrow to a [`Log`](desireline_core::log::Log).
//!
//! Start at [`read`] for files and at [`read_batches`] for Arrow streams; [`Columns`] says which column is what. Survey files become
//! [`Feedback`](desireline_core::feedback::Feedback): [`read_feedback`].
//! Nothing is guessed: bad rows go to the log's quarantine, a bad input is an [`IoError`].

mod columnar;
mod columns;
mod error;
pub mod external;
mod feedback;
mod format;
mod ids;
mod kinds;
mod limits;
mod mixed;
mod money;
mod pieces;
mod plan;
mod read;
pub mod simulate;
mod sink;
pub mod snapshot;
mod source;
mod stream;
mod text;
mod times;
mod write;

pub use columns::{AttributeColumnSpec, Columns, Delimiter, Progress, TimeUnit, clock_shift};
pub use error::IoError;
pub use feedback::{FeedbackColumns, read_feedback, read_feedback_batches};
pub use format::Format;
pub use ids::{IdSpace, IdTable};
pub use limits::Limits;
pub use mixed::read_sources;
pub use read::{append, append_batches, read, read_batches};
pub use snapshot::{SaveLog, open, save};
pub use source::Source;
pub use write::{RowWriter, WholeFile, write_log};
