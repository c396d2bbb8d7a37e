//! Survey files into a table of feedback.

mod arrays;
mod columns;
mod rows;
mod text;

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use arrow::error::ArrowError;
use desireline_core::feedback::Feedback;

pub use self::columns::FeedbackColumns;
use self::rows::Taker;
use crate::format::detect;
use crate::read::guarded;
use crate::{Format, IoError, Source};

/// Reads survey files into a table: CSV and its relatives, JSON Lines, Parquet, Arrow; wide or long ([`FeedbackColumns`]).
///
/// Fields are read as [`read`](crate::read()) reads them: an empty one is missing, times may lack a zone, nothing is guessed. An answer that is no
/// number, or not on its question's scale, goes to the table's quarantine with row and column, the row's other answers stay; a row with a time that
/// cannot be read goes there as a whole.
///
/// **Cost.** Time O(bytes), by one thread; memory the table's own.
///
/// # Errors
/// [`IoError`]: an input that cannot be read, a column that is not there, questions that cannot be asked so, too many answers put aside.
///
/// ```
/// use desireline_core::feedback::{Measuring, Question, Which};
/// use desireline_io::{FeedbackColumns, Source, read_feedback};
///
/// let csv = "who,NETPRO,Q7\n1,10,5\n2,9,4\n3,11,Blank\n4,2,1\n5,8,9\n6,10,5\n7,10,5\n";
/// let questions = [Question::nps("NETPRO").blank(11), Question::csat("Q7").blank_text("Blank")];
/// let columns = FeedbackColumns::wide(questions).customer("who").max_quarantine_share(0.2);
/// let feedback = read_feedback(Source::memory("survey.csv", csv), &columns)?;
/// let nps = feedback.nps(&Which::default(), &Measuring::default())?;
/// assert_eq!((nps.n, nps.value()), (6, Some(50.0)));
/// let aside = &feedback.quarantine().examples[0];
/// assert_eq!((aside.row, aside.column.as_deref()), (6, Some("Q7")));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn read_feedback(
    source: impl Into<Source>,
    columns: &FeedbackColumns,
) -> Result<Feedback, IoError> {
    let mut taker = Taker::new(columns)?;
    for input in source.into().inputs()? {
        guarded(&input.name, || {
            let (format, packing) = detect(&input.name, taker.reading.format, &input.head()?)?;
            match format {
                Format::Csv | Format::Tsv => text::delimited(&input, format, packing, &mut taker),
                Format::JsonLines => text::json(&input, packing, &mut taker),
                Format::Parquet => arrays::parquet(&input, &mut taker),
                Format::ArrowIpc => arrays::ipc(&input, &mut taker),
            }
        })?;
    }
    taker.finish()
}

/// Reads Arrow batches into a table of feedback, for hosts that hold frames: the same rules as [`read_feedback`].
///
/// # Errors
/// As [`read_feedback`]; an error of the reader itself is [`IoError::Damaged`].
pub fn read_feedback_batches(
    reader: impl Iterator<Item = Result<RecordBatch, ArrowError>>,
    schema: &Schema,
    source_name: &str,
    columns: &FeedbackColumns,
) -> Result<Feedback, IoError> {
    let mut taker = Taker::new(columns)?;
    guarded(source_name, || {
        arrays::batches(reader, schema, source_name, &mut taker)
    })?;
    taker.finish()
}
