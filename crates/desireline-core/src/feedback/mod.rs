//! What customers say when they are asked: answers to surveys, with their scales, blanks and words.
//!
//! A [`Feedback`] table is built once, through a [`FeedbackBuilder`], with the discipline of a log: what cannot be read is put
//! aside with row, column and reason; nothing is clamped and nothing guessed. Every [`Question`] says what it asks for, on what
//! [`Scale`] and which codes mean that nothing was answered. [`measures`] are plain functions over counts. Answers are no events:
//! which touchpoint they belong to is found in [`overlay`](crate::overlay).

mod builder;
mod emotion;
mod error;
pub mod measures;
mod question;
pub(crate) mod report;
mod scale;
mod survey;
mod table;

pub use builder::{Duplicates, FeedbackBuilder, FeedbackOptions, FeedbackRow, Given, RowPlace};
pub use error::FeedbackError;
pub use measures::{Hole, Measure, Measured, Measuring, Tally};
pub use question::Question;
pub use report::{
    AnswerRow, FeedbackReport, GapRow, Measures, QuestionRow, ReportOptions, TouchpointRow,
    VerbatimRow,
};
pub use scale::{Direction, QuestionKind, Scale, Score};
pub use survey::{SurveyQuestion, Yields, survey_template};
pub use table::{Answer, Feedback, QuestionCounts, Which};
