//! Answers row by row into a table.

use hashbrown::HashMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::table::{Feedback, QuestionCounts, Stored};
use super::{FeedbackError, Question, QuestionKind, Score};
use crate::error::{Error, Result, nearest};
use crate::log::{Quarantine, Reason};

/// What happens where a customer answers one question about one touchpoint several times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Duplicates {
    /// Every answer counts; intervals allow for customers who answer several times.
    #[default]
    KeepAll,
    /// The latest counts; the others are counted as replaced. Of answers at one time the one further down in the input counts, and
    /// answers without a time are older than those with one.
    KeepLast,
}

/// How answers are taken in.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct FeedbackOptions {
    /// What happens to repeated answers.
    pub duplicates: Duplicates,
    /// Whether answers without a customer count: then each row is a customer of its own, whom no log knows. Otherwise they are put
    /// aside.
    pub anonymous: bool,
    /// The largest share of answers that may be put aside, from 0 to 1.
    pub max_quarantine_share: f64,
}

impl Default for FeedbackOptions {
    fn default() -> FeedbackOptions {
        FeedbackOptions {
            duplicates: Duplicates::KeepAll,
            anonymous: false,
            max_quarantine_share: 0.05,
        }
    }
}

/// What was given as an answer, before anybody looked at it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Given<'a> {
    /// Nothing.
    #[default]
    Missing,
    /// A text: a number in digits, a declared blank, or for free text what was said.
    Text(&'a str),
    /// A number.
    Number(f64),
    /// Yes or no.
    Flag(bool),
}

impl From<i32> for Given<'_> {
    fn from(score: i32) -> Self {
        Given::Number(score.into())
    }
}

impl From<f64> for Given<'_> {
    fn from(score: f64) -> Self {
        Given::Number(score)
    }
}

impl From<bool> for Given<'_> {
    fn from(yes: bool) -> Self {
        Given::Flag(yes)
    }
}

impl<'a> From<&'a str> for Given<'a> {
    fn from(text: &'a str) -> Self {
        Given::Text(text)
    }
}

/// One answer as it comes in.
///
/// ```
/// use desireline_core::feedback::FeedbackRow;
/// let row = FeedbackRow::new("ann", "recommend").score(9).time(1_700_000_000_000_000).text("quick");
/// assert_eq!(row.text, Some("quick"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct FeedbackRow<'a> {
    /// Who answered.
    pub customer: Option<&'a str>,
    /// The question's id.
    pub question: &'a str,
    /// When, in microseconds since 1970 UTC.
    pub time: Option<i64>,
    /// The answer.
    pub score: Given<'a>,
    /// What was said with it.
    pub text: Option<&'a str>,
    /// The language of what was said.
    pub language: Option<&'a str>,
    /// The touchpoint that it is about, where that was asked.
    pub touchpoint: Option<&'a str>,
    /// Where it comes from: a questionnaire, a review site.
    pub source: Option<&'a str>,
}

impl<'a> FeedbackRow<'a> {
    /// An answer of a customer to a question.
    pub fn new(customer: impl Into<Option<&'a str>>, question: &'a str) -> FeedbackRow<'a> {
        FeedbackRow {
            customer: customer.into(),
            question,
            time: None,
            score: Given::Missing,
            text: None,
            language: None,
            touchpoint: None,
            source: None,
        }
    }

    /// The answer.
    #[must_use]
    pub fn score(mut self, score: impl Into<Given<'a>>) -> Self {
        self.score = score.into();
        self
    }

    /// When, in microseconds since 1970 UTC.
    #[must_use]
    pub fn time(mut self, micros: i64) -> Self {
        self.time = Some(micros);
        self
    }

    /// What was said.
    #[must_use]
    pub fn text(mut self, text: &'a str) -> Self {
        self.text = Some(text);
        self
    }

    /// The language of what was said.
    #[must_use]
    pub fn language(mut self, tag: &'a str) -> Self {
        self.language = Some(tag);
        self
    }

    /// The touchpoint that it is about.
    #[must_use]
    pub fn about(mut self, touchpoint: &'a str) -> Self {
        self.touchpoint = Some(touchpoint);
        self
    }

    /// Where it comes from.
    #[must_use]
    pub fn source(mut self, source: &'a str) -> Self {
        self.source = Some(source);
        self
    }
}

/// Where an answer stands in its input, for the quarantine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowPlace<'a> {
    /// The input's name.
    pub source: &'a str,
    /// The row, from 1; a header counts.
    pub row: u64,
    /// The column that holds the answer.
    pub column: Option<&'a str>,
    /// The column that holds the customer.
    pub customer: Option<&'a str>,
}

/// Takes answers in, row by row.
#[derive(Debug)]
pub struct FeedbackBuilder {
    questions: Vec<Question>,
    by_id: HashMap<String, u32>,
    counts: Vec<QuestionCounts>,
    options: FeedbackOptions,
    customers: Vec<Option<String>>,
    customer_codes: HashMap<String, u32>,
    /// The row of the anonymous customer that came last.
    anonymous: Option<(String, u64, u32)>,
    names: Vec<String>,
    name_codes: HashMap<String, u32>,
    answers: Vec<Stored>,
    quarantine: Quarantine,
    read: u64,
    times_without_zone: u64,
}

impl FeedbackBuilder {
    /// A builder for answers to these questions.
    ///
    /// # Errors
    /// [`FeedbackError`]: a question twice, without its scale, with one that its kind does not allow, or badly paired; a quarantine share
    /// outside of 0 to 1.
    pub fn new(
        questions: impl IntoIterator<Item = Question>,
        options: FeedbackOptions,
    ) -> Result<FeedbackBuilder, FeedbackError> {
        let questions: Vec<Question> = questions.into_iter().collect();
        let mut by_id = HashMap::new();
        for (place, question) in questions.iter().enumerate() {
            question.check()?;
            let code = u32::try_from(place).unwrap_or(u32::MAX);
            if by_id.insert(question.id.clone(), code).is_some() {
                return Err(FeedbackError::RepeatedQuestion {
                    question: question.id.clone(),
                });
            }
        }
        for question in &questions {
            check_pair(question, &questions)?;
        }
        if !(0.0..=1.0).contains(&options.max_quarantine_share) {
            return Err(FeedbackError::Setting {
                name: "max_quarantine_share",
                given: options.max_quarantine_share.to_string(),
                allowed: "a number from 0 to 1",
            });
        }
        Ok(FeedbackBuilder {
            counts: vec![QuestionCounts::default(); questions.len()],
            questions,
            by_id,
            options,
            customers: Vec::new(),
            customer_codes: HashMap::new(),
            anonymous: None,
            names: Vec::new(),
            name_codes: HashMap::new(),
            answers: Vec::new(),
            quarantine: Quarantine::default(),
            read: 0,
            times_without_zone: 0,
        })
    }

    /// The questions.
    pub fn questions(&self) -> &[Question] {
        &self.questions
    }

    /// Takes one answer in. Its row is counted from the answers that came before.
    ///
    /// # Errors
    /// More customers or answers than can be counted. What is wrong with the answer goes to the quarantine.
    pub fn push(&mut self, row: &FeedbackRow<'_>) -> Result<()> {
        let place = RowPlace {
            source: "rows",
            row: self.read + self.unanswered() + 1,
            column: Some("score"),
            customer: Some("customer"),
        };
        self.push_at(row, place).map(drop)
    }

    fn unanswered(&self) -> u64 {
        self.counts.iter().map(|c| c.unanswered).sum()
    }

    /// Takes one answer in, saying where it stands; tells whether it is in the table now, and neither blank, unanswered nor put aside.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub fn push_at(&mut self, row: &FeedbackRow<'_>, place: RowPlace<'_>) -> Result<bool> {
        let Some(&code) = self.by_id.get(row.question) else {
            self.put(place, None, Reason::UnknownQuestion);
            return Ok(false);
        };
        let said = |text: Option<&str>| text.filter(|t| !t.trim().is_empty()).map(str::to_owned);
        let mut text = said(row.text);
        let question = &self.questions[code as usize];
        let counts = &mut self.counts[code as usize];
        let score = match judge(question, row.score) {
            Judged::Missing => None,
            Judged::Said(words) => {
                text = said(Some(&words)).or(text);
                None
            }
            Judged::Blank => {
                counts.blank += 1;
                if text.is_none() {
                    self.read += 1;
                    return Ok(false);
                }
                None
            }
            Judged::Score(score) => Some(score),
            Judged::Bad(reason) => {
                counts.quarantined += 1;
                self.put(place, place.column, reason);
                return Ok(false);
            }
        };
        if score.is_none() && text.is_none() {
            counts.unanswered += 1;
            return Ok(false);
        }
        let named = row.customer.filter(|c| !c.is_empty());
        if named.is_none() && !self.options.anonymous {
            counts.quarantined += 1;
            self.put(place, place.customer, Reason::MissingCustomer);
            return Ok(false);
        }
        let about = row
            .touchpoint
            .filter(|t| !t.is_empty())
            .map(str::to_owned)
            .or_else(|| question.touchpoint.clone());
        let customer = match named {
            Some(id) => self.customer(id)?,
            None => self.stranger(place)?,
        };
        let order = self.read;
        self.read += 1;
        let stored = Stored {
            customer,
            time: row.time,
            question: code,
            score,
            text: text.map(String::into_boxed_str),
            language: self.name(row.language)?,
            touchpoint: self.name(about.as_deref())?,
            source: self.name(row.source)?,
            order,
        };
        self.answers.push(stored);
        Ok(true)
    }

    fn put(&mut self, place: RowPlace<'_>, column: Option<&str>, reason: Reason) {
        self.read += 1;
        self.quarantine.put(place.source, place.row, column, reason);
    }

    /// Puts a row aside that a reader could not read.
    pub fn put_aside(&mut self, source: &str, row: u64, column: Option<&str>, reason: Reason) {
        self.read += 1;
        self.quarantine.put(source, row, column, reason);
    }

    /// Notes times that had no zone and were taken as UTC.
    pub fn note_times_without_zone(&mut self, times: u64) {
        self.times_without_zone = self.times_without_zone.saturating_add(times);
    }

    fn customer(&mut self, id: &str) -> Result<u32> {
        if let Some(&code) = self.customer_codes.get(id) {
            return Ok(code);
        }
        let code = code_of(self.customers.len(), "customers")?;
        self.customers.push(Some(id.to_owned()));
        self.customer_codes.insert(id.to_owned(), code);
        Ok(code)
    }

    /// The customer without a name of a row; several answers of one row are one customer's.
    fn stranger(&mut self, place: RowPlace<'_>) -> Result<u32> {
        if let Some((source, row, code)) = &self.anonymous
            && source == place.source
            && *row == place.row
        {
            return Ok(*code);
        }
        let code = code_of(self.customers.len(), "customers")?;
        self.customers.push(None);
        self.anonymous = Some((place.source.to_owned(), place.row, code));
        Ok(code)
    }

    fn name(&mut self, name: Option<&str>) -> Result<u32> {
        let Some(name) = name.filter(|n| !n.is_empty()) else {
            return Ok(Stored::NONE);
        };
        if let Some(&code) = self.name_codes.get(name) {
            return Ok(code);
        }
        let code = code_of(self.names.len(), "names")?;
        self.names.push(name.to_owned());
        self.name_codes.insert(name.to_owned(), code);
        Ok(code)
    }

    /// Sorts what was taken in into a table.
    ///
    /// # Errors
    /// [`Error::QuarantineShare`] where too many answers were put aside.
    pub fn finish(mut self) -> Result<Feedback> {
        self.quarantine.rows_read = self.read;
        if self.quarantine.share() > self.options.max_quarantine_share {
            let example = self.quarantine.examples.first();
            let first = example.map_or_else(String::new, |e| match &e.column {
                Some(column) => format!(
                    "row {} of {}, column `{column}`: {}",
                    e.row,
                    e.source,
                    e.reason.label()
                ),
                None => format!("row {} of {}: {}", e.row, e.source, e.reason.label()),
            });
            return Err(Error::QuarantineShare {
                what: "answers",
                rows: self.quarantine.total(),
                of: self.read,
                allowed: self.options.max_quarantine_share,
                first,
            });
        }
        let FeedbackBuilder {
            questions,
            counts,
            options,
            customers,
            names,
            answers,
            quarantine,
            times_without_zone,
            ..
        } = self;
        Ok(Feedback::sorted(
            (questions, counts),
            (customers, names),
            answers,
            options.duplicates,
            quarantine,
            times_without_zone,
        ))
    }
}

fn code_of(count: usize, what: &'static str) -> Result<u32> {
    let limit = u32::MAX - 1;
    u32::try_from(count)
        .ok()
        .filter(|code| *code < limit)
        .ok_or(Error::TooMany {
            what,
            count: count as u64,
            limit: limit.into(),
        })
}

/// An answer, looked at.
enum Judged {
    Missing,
    Blank,
    Said(String),
    Score(Score),
    Bad(Reason),
}

fn judge(question: &Question, given: Given<'_>) -> Judged {
    let is_blank_text = |text: &str| {
        let text = text.trim();
        question.blank_texts.iter().any(|b| b.trim() == text)
    };
    let score = match given {
        Given::Missing => return Judged::Missing,
        Given::Number(x) if x.is_nan() => return Judged::Missing,
        Given::Text(text) if text.trim().is_empty() => return Judged::Missing,
        Given::Text(text) if is_blank_text(text) => return Judged::Blank,
        Given::Text(text) if question.kind == QuestionKind::Text => {
            return Judged::Said(text.to_owned());
        }
        Given::Number(x) if question.kind == QuestionKind::Text => {
            return Judged::Said(x.to_string());
        }
        Given::Flag(yes) if question.kind == QuestionKind::Text => {
            return Judged::Said(yes.to_string());
        }
        Given::Text(text) if question.kind == QuestionKind::YesNo => {
            match text.trim().to_ascii_lowercase().as_str() {
                "yes" | "true" => Some(Score::from(1)),
                "no" | "false" => Some(Score::from(0)),
                text => text.parse().ok(),
            }
        }
        Given::Text(text) => text.trim().parse().ok(),
        Given::Number(x) => Score::new(x),
        Given::Flag(yes) if question.kind == QuestionKind::YesNo => {
            Some(Score::from(i32::from(yes)))
        }
        Given::Flag(_) => None,
    };
    let Some(score) = score else {
        return Judged::Bad(Reason::UnparseableScore);
    };
    if question.is_blank(score) {
        return Judged::Blank;
    }
    // Scores are rounded to millionths: what is no whole number is told before that.
    let is_whole = match given {
        Given::Number(x) => x.fract() == 0.0,
        Given::Text(text) => text.trim().parse::<f64>().is_ok_and(|x| x.fract() == 0.0),
        Given::Flag(_) | Given::Missing => true,
    } || score.is_whole() && question.kind == QuestionKind::YesNo;
    let fits = question.scale_in_force().is_some_and(|s| s.holds(score))
        && (is_whole || !question.kind.is_whole());
    match fits {
        true => Judged::Score(score),
        false => Judged::Bad(Reason::OffScale),
    }
}

fn check_pair(question: &Question, all: &[Question]) -> Result<(), FeedbackError> {
    let Some(partner) = &question.pair else {
        return Ok(());
    };
    let refuse = |problem| {
        Err(FeedbackError::Pair {
            question: question.id.clone(),
            partner: partner.clone(),
            problem,
        })
    };
    let wanted = match question.kind {
        QuestionKind::Expected => QuestionKind::Perceived,
        QuestionKind::Perceived => QuestionKind::Expected,
        _ => return refuse("only expected and perceived items can be"),
    };
    match all.iter().find(|q| q.id == *partner) {
        None => Err(FeedbackError::UnknownQuestion {
            name: partner.clone(),
            nearest: nearest(partner, all.iter().map(|q| q.id.as_str())),
            known: all.iter().map(|q| q.id.clone()).collect(),
        }),
        Some(other) if other.kind != wanted => refuse("asks for something else"),
        Some(other) if other.scale_in_force() != question.scale_in_force() => {
            refuse("has another scale")
        }
        Some(_) => Ok(()),
    }
}
