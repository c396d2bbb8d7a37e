//! Which column of a survey file is what.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use desireline_core::feedback::{Duplicates, FeedbackOptions, Question, QuestionKind};

use crate::{Columns, Delimiter, Format, Limits, TimeUnit};

/// A question and the columns that hold its answers.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Asked {
    pub(super) question: Question,
    /// The column of the score, or of the words of free text.
    pub(super) score: String,
    /// The column of what was said with it.
    pub(super) words: Option<String>,
}

/// Which columns of a survey file hold what, and how to read them.
///
/// A **wide** file has a row for each respondent and a column for each question; a **long** one has a row for each answer and says in a column which
/// question it is to.
///
/// ```
/// use desireline_core::feedback::Question;
/// use desireline_io::FeedbackColumns;
/// // One row a respondent: the column `NETPRO` from 0 to 10, where 11 was left blank.
/// let wide = FeedbackColumns::wide([Question::nps("NETPRO").blank(11)]).customer("RESPNUM");
/// // One row an answer.
/// let long = FeedbackColumns::long([Question::nps("nps"), Question::csat("csat")], "question", "score")
///     .customer("customer")
///     .time("date")
///     .words("verbatim")
///     .touchpoint("touchpoint");
/// # let _ = (wide, long);
/// ```
#[derive(Clone, Debug)]
pub struct FeedbackColumns {
    pub(super) wide: Vec<Asked>,
    pub(super) questions: Vec<Question>,
    /// The column that names the question, and that of the score; a long file.
    pub(super) long: Option<(Option<String>, Option<String>)>,
    pub(super) customer: Option<String>,
    pub(super) time: Option<String>,
    pub(super) words: Option<String>,
    pub(super) language: Option<String>,
    pub(super) touchpoint: Option<String>,
    /// Instead of the touchpoint where there is none.
    pub(super) stage: Option<String>,
    pub(super) source: Option<String>,
    /// Whether columns that are not there are passed over.
    pub(super) lenient: bool,
    pub(super) options: FeedbackOptions,
    pub(super) reading: Columns,
}

impl FeedbackColumns {
    fn new() -> FeedbackColumns {
        FeedbackColumns {
            wide: Vec::new(),
            questions: Vec::new(),
            long: None,
            customer: None,
            time: None,
            words: None,
            language: None,
            touchpoint: None,
            stage: None,
            source: None,
            lenient: false,
            options: FeedbackOptions::default(),
            reading: Columns::new("", "", ""),
        }
    }

    /// A row for each respondent: every question's answers are in the column of its id; [`question_in`](Self::question_in) names another.
    pub fn wide(questions: impl IntoIterator<Item = Question>) -> FeedbackColumns {
        let mut columns = FeedbackColumns::new();
        for question in questions {
            let score = question.id.clone();
            columns = columns.question_in(question, score, None::<String>);
        }
        columns
    }

    /// A row for each answer: one column holds the question's id, one the score.
    pub fn long(
        questions: impl IntoIterator<Item = Question>,
        question: impl Into<String>,
        score: impl Into<String>,
    ) -> FeedbackColumns {
        FeedbackColumns {
            questions: questions.into_iter().collect(),
            long: Some((Some(question.into()), Some(score.into()))),
            ..FeedbackColumns::new()
        }
    }

    /// A row for each answer, all of them to one question.
    pub fn one(question: Question, score: impl Into<String>) -> FeedbackColumns {
        FeedbackColumns {
            questions: vec![question],
            long: Some((None, Some(score.into()))),
            ..FeedbackColumns::new()
        }
    }

    /// A voice-of-customer table: the columns `date`, `score`, `verbatim` and `stage`, all answers of one kind; and, where they are there, `person`,
    /// `touchpoint`, `question` and `lang`. Answers without a person count, each as a customer of its own. Where there is a column `question`, it has to
    /// hold the word of the kind. A touchpoint goes before a stage.
    pub fn voc(kind: QuestionKind) -> FeedbackColumns {
        let columns = FeedbackColumns {
            questions: vec![Question::new(kind.word(), kind)],
            long: Some((Some("question".to_owned()), Some("score".to_owned()))),
            lenient: true,
            ..FeedbackColumns::new()
        };
        let mut columns = columns
            .customer("person")
            .time("date")
            .words("verbatim")
            .language("lang")
            .touchpoint("touchpoint")
            .anonymous(true);
        columns.stage = Some("stage".to_owned());
        columns
    }

    /// A question of a wide file whose answers are in a column called otherwise than its id, and the column of what was said with it.
    #[must_use]
    pub fn question_in(
        mut self,
        question: Question,
        score: impl Into<String>,
        words: Option<impl Into<String>>,
    ) -> FeedbackColumns {
        self.questions.push(question.clone());
        self.wide.push(Asked {
            question,
            score: score.into(),
            words: words.map(Into::into),
        });
        self
    }

    /// The column of customers. Without one every row is a customer of its own, who is in no log.
    #[must_use]
    pub fn customer(mut self, column: impl Into<String>) -> FeedbackColumns {
        self.customer = Some(column.into());
        self
    }

    /// The column of times. Without one answers have none, and belong to touchpoints only where that is declared.
    #[must_use]
    pub fn time(mut self, column: impl Into<String>) -> FeedbackColumns {
        self.time = Some(column.into());
        self
    }

    /// The column of what was said, for every answer of a row that has none of its own.
    #[must_use]
    pub fn words(mut self, column: impl Into<String>) -> FeedbackColumns {
        self.words = Some(column.into());
        self
    }

    /// The column of the language of what was said.
    #[must_use]
    pub fn language(mut self, column: impl Into<String>) -> FeedbackColumns {
        self.language = Some(column.into());
        self
    }

    /// The column of the touchpoint (or stage) that an answer is about.
    #[must_use]
    pub fn touchpoint(mut self, column: impl Into<String>) -> FeedbackColumns {
        self.touchpoint = Some(column.into());
        self
    }

    /// The column of the questionnaire or site that an answer comes from.
    #[must_use]
    pub fn source(mut self, column: impl Into<String>) -> FeedbackColumns {
        self.source = Some(column.into());
        self
    }

    /// What happens to repeated answers.
    #[must_use]
    pub fn duplicates(mut self, duplicates: Duplicates) -> FeedbackColumns {
        self.options.duplicates = duplicates;
        self
    }

    /// Whether rows without a customer count, each as a customer of its own.
    #[must_use]
    pub fn anonymous(mut self, anonymous: bool) -> FeedbackColumns {
        self.options.anonymous = anonymous;
        self
    }

    /// The largest share of answers that may be put aside, from 0 to 1; more is an error.
    #[must_use]
    pub fn max_quarantine_share(mut self, share: f64) -> FeedbackColumns {
        self.options.max_quarantine_share = share;
        self
    }

    /// The zone of times without one; see [`Columns::zone`].
    #[must_use]
    pub fn zone(mut self, zone: impl Into<String>) -> FeedbackColumns {
        self.reading = self.reading.zone(zone);
        self
    }

    /// The unit of times written as numbers.
    #[must_use]
    pub fn time_unit(mut self, unit: TimeUnit) -> FeedbackColumns {
        self.reading = self.reading.time_unit(unit);
        self
    }

    /// What stands between fields; see [`Columns::delimiter`].
    #[must_use]
    pub fn delimiter(mut self, delimiter: impl Into<Delimiter>) -> FeedbackColumns {
        self.reading = self.reading.delimiter(delimiter);
        self
    }

    /// The text file has no header: its columns are called `column_1`, `column_2`, …
    #[must_use]
    pub fn no_header(mut self) -> FeedbackColumns {
        self.reading = self.reading.no_header();
        self
    }

    /// The format, whatever the file is called.
    #[must_use]
    pub fn format(mut self, format: Format) -> FeedbackColumns {
        self.reading = self.reading.format(format);
        self
    }

    /// Bounds on what the input may demand.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> FeedbackColumns {
        self.reading = self.reading.limits(limits);
        self
    }

    /// Reading stops with [`IoError::Cancelled`](crate::IoError::Cancelled) soon after this becomes true.
    #[must_use]
    pub fn cancel(mut self, token: Arc<AtomicBool>) -> FeedbackColumns {
        self.reading = self.reading.cancel(token);
        self
    }
}
