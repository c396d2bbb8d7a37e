//! Rows of a survey file as answers.

use desireline_core::feedback::{
    Feedback, FeedbackBuilder, FeedbackRow, Given, Question, QuestionKind, RowPlace,
};
use desireline_core::log::Reason;

use super::FeedbackColumns;
use crate::times::TimeParser;
use crate::{Columns, IoError};

/// One field, whatever the format.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Field<'a> {
    Missing,
    Text(&'a str),
    Integer(i64),
    Float(f64),
    Boolean(bool),
    /// A point in time.
    Instant(i64),
    /// A time on a clock without a zone.
    Local(i64),
    /// Something that is no single value.
    Other,
}

/// A column that is wanted.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Slot {
    pub(super) column: String,
    pub(super) role: &'static str,
    pub(super) required: bool,
}

/// Where a slot is used; a place in the list of slots.
#[derive(Clone, Debug, Default)]
struct Uses {
    customer: Option<usize>,
    time: Option<usize>,
    words: Option<usize>,
    language: Option<usize>,
    touchpoint: Option<usize>,
    stage: Option<usize>,
    source: Option<usize>,
    question: Option<usize>,
    score: Option<usize>,
    /// Question, score and words of each question of a wide file.
    wide: Vec<(String, usize, Option<usize>)>,
}

/// Takes rows in.
pub(super) struct Taker<'c> {
    columns: &'c FeedbackColumns,
    pub(super) reading: Columns,
    pub(super) slots: Vec<Slot>,
    /// What was asked for, and what of it the input at hand has.
    wanted: Uses,
    uses: Uses,
    builder: FeedbackBuilder,
    times: TimeParser,
    rows: u64,
}

impl<'c> Taker<'c> {
    pub(super) fn new(columns: &'c FeedbackColumns) -> Result<Taker<'c>, IoError> {
        let mut slots: Vec<Slot> = Vec::new();
        let mut slot = |column: &String, role: &'static str, required: bool| {
            let place = slots.iter().position(|s: &Slot| s.column == *column);
            place.unwrap_or_else(|| {
                slots.push(Slot {
                    column: column.clone(),
                    role,
                    required,
                });
                slots.len() - 1
            })
        };
        let strict = !columns.lenient;
        let mut uses = Uses::default();
        for asked in &columns.wide {
            let score = slot(&asked.score, "answers", true);
            let words = asked.words.as_ref().map(|w| slot(w, "words", true));
            uses.wide.push((asked.question.id.clone(), score, words));
        }
        if let Some((question, score)) = &columns.long {
            uses.question = question.as_ref().map(|c| slot(c, "question", strict));
            uses.score = score.as_ref().map(|c| slot(c, "score", true));
        }
        let mut one =
            |column: &Option<String>, role| column.as_ref().map(|c| slot(c, role, strict));
        uses.customer = one(&columns.customer, "customer");
        uses.time = one(&columns.time, "time");
        uses.words = one(&columns.words, "words");
        uses.language = one(&columns.language, "language");
        uses.touchpoint = one(&columns.touchpoint, "touchpoint");
        uses.stage = one(&columns.stage, "stage");
        uses.source = one(&columns.source, "source");
        let mut options = columns.options.clone();
        // Nothing says who answered, so nobody is missing.
        options.anonymous |= columns.customer.is_none();
        let builder = FeedbackBuilder::new(columns.questions.clone(), options)
            .map_err(desireline_core::Error::from)?;
        let times = TimeParser::new(columns.reading.zone.as_deref(), columns.reading.time_unit)?;
        // By these columns the delimiter of a text file is found out.
        let mut reading = columns.reading.clone();
        let mut wanted = slots.iter().map(|s| s.column.clone());
        reading.customer = wanted.next().unwrap_or_default();
        reading.time = wanted.next().unwrap_or_default();
        reading.event = wanted.next().unwrap_or_default();
        Ok(Taker {
            columns,
            reading,
            slots,
            wanted: uses.clone(),
            uses,
            builder,
            times,
            rows: 0,
        })
    }

    /// Where each slot is among the columns of an input.
    pub(super) fn places(
        &mut self,
        source: &str,
        names: &[String],
    ) -> Result<Vec<Option<usize>>, IoError> {
        let mut places = Vec::with_capacity(self.slots.len());
        for slot in &self.slots {
            let place = names.iter().position(|n| *n == slot.column);
            if place.is_none() && slot.required {
                return Err(IoError::UnknownColumn {
                    source_name: source.to_owned(),
                    role: slot.role,
                    column: slot.column.clone(),
                    nearest: desireline_core::error::nearest(
                        &slot.column,
                        names.iter().map(String::as_str),
                    ),
                    available: names.to_vec(),
                });
            }
            places.push(place);
        }
        // A column that is passed over asks for nothing.
        let gone = |slot: &mut Option<usize>| {
            if slot.is_some_and(|s| places[s].is_none()) {
                *slot = None;
            }
        };
        let mut uses = self.wanted.clone();
        gone(&mut uses.time);
        gone(&mut uses.question);
        self.uses = uses;
        Ok(places)
    }

    /// Stops when asked to.
    pub(super) fn check_cancel(&self) -> Result<(), IoError> {
        let token = self.reading.cancel.as_ref();
        if token.is_some_and(|c| c.load(std::sync::atomic::Ordering::Relaxed)) {
            return Err(IoError::Cancelled { rows: self.rows });
        }
        Ok(())
    }

    /// Puts a row aside that cannot be read at all.
    pub(super) fn bad(&mut self, source: &str, row: u64, reason: Reason) {
        self.rows += 1;
        self.builder.put_aside(source, row, None, reason);
    }

    /// Takes one row in; `field` gives the field of a slot.
    pub(super) fn row<'a>(
        &mut self,
        source: &str,
        row: u64,
        field: impl Fn(usize) -> Field<'a>,
    ) -> Result<(), IoError> {
        self.rows += 1;
        let get = |slot: Option<usize>| slot.map_or(Field::Missing, &field);
        let name =
            |slot: Option<usize>| slot.and_then(|s| Some(self.slots.get(s)?.column.as_str()));
        let time = match self.uses.time {
            None => None,
            Some(_) => match self.times.field(get(self.uses.time)) {
                Ok(time) => Some(time),
                // It may be declared what it is about; what is joined by time says that it has none.
                Err(Reason::MissingTime) => None,
                Err(Reason::UnparseableTime)
                    if matches!(get(self.uses.time), Field::Integer(_) | Field::Float(_))
                        && self.times.unit().is_none() =>
                {
                    return Err(IoError::TimeUnitNeeded {
                        source_name: source.to_owned(),
                        column: name(self.uses.time).unwrap_or_default().to_owned(),
                        row: Some(row),
                    });
                }
                Err(reason) => {
                    let column = name(self.uses.time);
                    self.builder.put_aside(source, row, column, reason);
                    return Ok(());
                }
            },
        };
        let (mut c, mut w, mut l, mut t, mut s) = Default::default();
        let customer = id(get(self.uses.customer), &mut c);
        let words = id(get(self.uses.words), &mut w);
        let language = id(get(self.uses.language), &mut l);
        let touchpoint = id(get(self.uses.touchpoint), &mut t);
        let mut stage_text = String::new();
        let touchpoint = touchpoint.or_else(|| id(get(self.uses.stage), &mut stage_text));
        let from = id(get(self.uses.source), &mut s);
        let base = |question| {
            let mut answer = FeedbackRow::new(customer, question);
            answer.time = time;
            answer.text = words;
            answer.language = language;
            answer.touchpoint = touchpoint;
            answer.source = from;
            answer
        };
        let place = |slot: Option<usize>| RowPlace {
            source,
            row,
            column: name(slot),
            customer: name(self.uses.customer),
        };
        if self.columns.long.is_some() {
            let mut q = String::new();
            let only = self.columns.questions.first().map(|q| q.id.as_str());
            let question = match self.uses.question {
                None => only.unwrap_or_default(),
                Some(_) => id(get(self.uses.question), &mut q).unwrap_or_default(),
            };
            let mut answer = base(question);
            answer.score = given(get(self.uses.score));
            let asked = self.columns.questions.iter().find(|q| q.id == question);
            let slot = match asked {
                None => self.uses.question,
                Some(_) => self.uses.score,
            };
            let place = place(slot);
            self.builder.push_at(&answer, place)?;
            return Ok(());
        }
        // What was said on a row stands once: with the first question that was answered, or alone.
        let mut said = false;
        for (question, score, own) in &self.uses.wide {
            let mut o = String::new();
            let own = own.and_then(|slot| id(field(slot), &mut o).map(str::to_owned));
            let mut answer = base(question.as_str());
            answer.score = given(field(*score));
            let is_words = self.is_text(question);
            let is_given = answer.score != Given::Missing;
            let shared = (!said && is_given && !is_words).then_some(words).flatten();
            answer.text = own.as_deref().or(shared);
            let place = place(Some(*score));
            let kept = self.builder.push_at(&answer, place)?;
            said |= kept && answer.text == words;
        }
        if let (false, Some(_), Some((question, ..))) = (said, words, self.uses.wide.first()) {
            self.builder
                .push_at(&base(question.as_str()), place(self.uses.words))?;
        }
        Ok(())
    }

    fn is_text(&self, question: &str) -> bool {
        let kind = |q: &&Question| q.id == question;
        let found = self.columns.questions.iter().find(kind);
        found.is_some_and(|q| q.kind == QuestionKind::Text)
    }

    pub(super) fn finish(mut self) -> Result<Feedback, IoError> {
        self.builder
            .note_times_without_zone(self.times.without_zone);
        Ok(self.builder.finish()?)
    }
}

impl TimeParser {
    fn field(&mut self, field: Field<'_>) -> Result<i64, Reason> {
        match field {
            Field::Missing => Err(Reason::MissingTime),
            Field::Text(text) if text.trim().is_empty() => Err(Reason::MissingTime),
            Field::Text(text) => self.text(text),
            Field::Integer(n) => self.number(n),
            Field::Float(x) if x.is_nan() => Err(Reason::MissingTime),
            Field::Float(x) => self.float(x),
            Field::Instant(micros) => match self.all_in_range(&[micros]) {
                true => Ok(micros),
                false => Err(Reason::TimeOutOfRange),
            },
            Field::Local(micros) => self.local(micros),
            Field::Boolean(_) | Field::Other => Err(Reason::UnparseableTime),
        }
    }
}

/// A name: a text, or an integer as its digits; anything else names nothing.
fn id<'a>(field: Field<'a>, held: &'a mut String) -> Option<&'a str> {
    match field {
        Field::Text(text) => Some(text).filter(|t| !t.is_empty()),
        Field::Integer(n) => {
            *held = n.to_string();
            Some(held)
        }
        _ => None,
    }
}

fn given(field: Field<'_>) -> Given<'_> {
    match field {
        Field::Missing => Given::Missing,
        Field::Text(text) => Given::Text(text),
        // Up to 2^53 exact, and no scale goes further.
        Field::Integer(n) => Given::Number(n as f64),
        Field::Float(x) => Given::Number(x),
        Field::Boolean(yes) => Given::Flag(yes),
        Field::Instant(_) | Field::Local(_) | Field::Other => Given::Number(f64::INFINITY),
    }
}
