//! All answers, by customer and time; immutable.

use std::collections::BTreeMap;

use desireline_stats::mean::ClusteredMoments;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::builder::Duplicates;
use super::measures::{self, Measure, Measured, Measuring, Tally};
use super::{
    FeedbackBuilder, FeedbackError, FeedbackOptions, Question, QuestionKind, Scale, Score,
};
use crate::error::nearest;
use crate::log::Quarantine;
use crate::report::Caveat;

/// An answer as it is kept.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    pub(super) customer: u32,
    pub(super) time: Option<i64>,
    pub(super) question: u32,
    pub(super) score: Option<Score>,
    pub(super) text: Option<Box<str>>,
    pub(super) language: u32,
    pub(super) touchpoint: u32,
    pub(super) source: u32,
    pub(super) order: u64,
}

impl Stored {
    /// No language, touchpoint or source.
    pub(super) const NONE: u32 = u32::MAX;
}

/// What became of the answers to one question. Each is given, blank, unanswered, put aside or replaced, and only once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct QuestionCounts {
    /// Answers in the table: those with a score, and those with words alone.
    pub answers: u64,
    /// Of these, those with a score.
    pub scores: u64,
    /// Declared blanks, such as code 11 or the text `Blank`. One that came with words is among the answers, too.
    pub blank: u64,
    /// Rows or cells with nothing in them.
    pub unanswered: u64,
    /// Put aside: no number, not on the scale, or without a customer.
    pub quarantined: u64,
    /// Replaced by a later answer of the same customer, where only the latest counts.
    pub replaced: u64,
}

/// Answers to surveys: who, when, to which question, what, and about which touchpoint.
///
/// Immutable; sorted by customer (those without a name last, in the order of the input), time, question and touchpoint. Building takes
/// O(n log n), measures O(n).
///
/// ```
/// use desireline_core::feedback::{Feedback, FeedbackRow, Measuring, Question, Which};
/// let mut builder = Feedback::builder([Question::nps("recommend").blank(11)])?;
/// for (customer, score) in [("a", 10), ("b", 9), ("c", 7), ("d", 3), ("e", 9), ("f", 11)] {
///     builder.push(&FeedbackRow::new(customer, "recommend").score(score))?;
/// }
/// let feedback = builder.finish()?;
/// let nps = feedback.nps(&Which::default(), &Measuring::default())?;
/// assert_eq!((nps.n, nps.value()), (5, Some(40.0)));
/// assert_eq!(feedback.counts()[0].blank, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Feedback {
    questions: Vec<Question>,
    counts: Vec<QuestionCounts>,
    customers: Vec<Option<String>>,
    names: Vec<String>,
    answers: Vec<Stored>,
    quarantine: Quarantine,
    times_without_zone: u64,
}

/// One answer.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    feedback: &'a Feedback,
    stored: &'a Stored,
    /// Its place in the table: its id.
    pub id: usize,
}

impl<'a> Answer<'a> {
    /// The customer's place among those who answered.
    pub fn customer(&self) -> usize {
        self.stored.customer as usize
    }

    /// The customer's id; `None` for one without a name.
    pub fn customer_id(&self) -> Option<&'a str> {
        self.feedback.customer_id(self.customer())
    }

    /// When, in microseconds since 1970 UTC.
    pub fn time(&self) -> Option<i64> {
        self.stored.time
    }

    /// The question.
    pub fn question(&self) -> &'a Question {
        &self.feedback.questions[self.question_place()]
    }

    /// The question's place among the questions.
    pub fn question_place(&self) -> usize {
        self.stored.question as usize
    }

    /// The answer on its scale; `None` for words alone.
    pub fn score(&self) -> Option<Score> {
        self.stored.score
    }

    /// What was said.
    pub fn text(&self) -> Option<&'a str> {
        self.stored.text.as_deref()
    }

    /// The language of what was said.
    pub fn language(&self) -> Option<&'a str> {
        self.feedback.name(self.stored.language)
    }

    /// The touchpoint that it is about, where that was said or declared of the question.
    pub fn touchpoint(&self) -> Option<&'a str> {
        self.feedback.name(self.stored.touchpoint)
    }

    /// Where it comes from.
    pub fn source(&self) -> Option<&'a str> {
        self.feedback.name(self.stored.source)
    }
}

/// Which answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Which {
    /// Those to one question.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub question: Option<String>,
    /// Those declared to be about one touchpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub touchpoint: Option<String>,
    /// Those from one source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Those from this time on, in microseconds since 1970 UTC; answers without a time are then left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<i64>,
    /// Those before this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<i64>,
}

impl Which {
    /// Those to one question.
    pub fn question(id: impl Into<String>) -> Which {
        Which {
            question: Some(id.into()),
            ..Which::default()
        }
    }

    /// Those declared to be about one touchpoint.
    #[must_use]
    pub fn about(mut self, touchpoint: impl Into<String>) -> Which {
        self.touchpoint = Some(touchpoint.into());
        self
    }

    /// Whether an answer is one of them.
    pub fn holds(&self, answer: &Answer<'_>) -> bool {
        let same = |wanted: &Option<String>, is: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| is == Some(wanted))
        };
        same(&self.question, Some(&answer.question().id))
            && same(&self.touchpoint, answer.touchpoint())
            && same(&self.source, answer.source())
            && self
                .from
                .is_none_or(|from| answer.time().is_some_and(|t| t >= from))
            && self
                .to
                .is_none_or(|to| answer.time().is_some_and(|t| t < to))
    }
}

impl Feedback {
    /// Begins a table of answers to these questions, with the usual options; see [`FeedbackBuilder::new`].
    ///
    /// # Errors
    /// As [`FeedbackBuilder::new`].
    pub fn builder(
        questions: impl IntoIterator<Item = Question>,
    ) -> Result<FeedbackBuilder, FeedbackError> {
        FeedbackBuilder::new(questions, FeedbackOptions::default())
    }

    pub(super) fn sorted(
        (questions, mut counts): (Vec<Question>, Vec<QuestionCounts>),
        (customers, names): (Vec<Option<String>>, Vec<String>),
        mut answers: Vec<Stored>,
        duplicates: Duplicates,
        quarantine: Quarantine,
        times_without_zone: u64,
    ) -> Feedback {
        // Named customers by their ids, the others behind them as they came.
        let mut order: Vec<u32> = (0..customers.len() as u32).collect();
        order.sort_by_key(|&c| {
            let name = customers[c as usize].as_deref();
            (name.is_none(), name, c)
        });
        let mut place = vec![0_u32; customers.len()];
        for (new, &old) in (0..).zip(&order) {
            place[old as usize] = new;
        }
        for answer in &mut answers {
            answer.customer = place[answer.customer as usize];
        }
        let mut slots = customers;
        let customers: Vec<Option<String>> =
            order.iter().map(|&c| slots[c as usize].take()).collect();
        let name = |code: u32| names.get(code as usize).map(String::as_str);
        if duplicates == Duplicates::KeepLast {
            let key = |a: &Stored| (a.customer, a.question, a.touchpoint);
            answers.sort_unstable_by_key(|a| (key(a), a.time, a.order));
            let mut kept: Vec<Stored> = Vec::with_capacity(answers.len());
            for answer in answers {
                match kept.last_mut() {
                    Some(last) if key(last) == key(&answer) => {
                        counts[answer.question as usize].replaced += 1;
                        *last = answer;
                    }
                    _ => kept.push(answer),
                }
            }
            answers = kept;
        }
        answers.sort_unstable_by(|a, b| {
            let key = |s: &Stored| (s.customer, s.time);
            let question = |s: &Stored| &questions[s.question as usize].id;
            key(a)
                .cmp(&key(b))
                .then_with(|| question(a).cmp(question(b)))
                .then_with(|| name(a.touchpoint).cmp(&name(b.touchpoint)))
                .then_with(|| (a.score, &a.text).cmp(&(b.score, &b.text)))
                .then_with(|| name(a.source).cmp(&name(b.source)))
                .then_with(|| name(a.language).cmp(&name(b.language)))
        });
        for answer in &answers {
            let counts = &mut counts[answer.question as usize];
            counts.answers += 1;
            counts.scores += u64::from(answer.score.is_some());
        }
        Feedback {
            questions,
            counts,
            customers,
            names,
            answers,
            quarantine,
            times_without_zone,
        }
    }

    /// The table of the answers that are wanted, with the same questions. What was blank, unanswered or put aside is not in it: its
    /// [`counts`](Self::counts) are those of the answers alone.
    ///
    /// `O(n)`.
    #[must_use]
    pub fn keep(&self, wanted: impl Fn(&Answer<'_>) -> bool) -> Feedback {
        let mut counts = vec![QuestionCounts::default(); self.questions.len()];
        let mut customers: Vec<Option<String>> = Vec::new();
        let (mut answers, mut last) = (Vec::new(), None);
        for answer in self.answers().filter(|a| wanted(a)) {
            let mut stored = answer.stored.clone();
            if last.replace(stored.customer) != Some(stored.customer) {
                customers.push(answer.customer_id().map(str::to_owned));
            }
            stored.customer = customers.len() as u32 - 1;
            if let Some(counts) = counts.get_mut(stored.question as usize) {
                counts.answers += 1;
                counts.scores += u64::from(stored.score.is_some());
            }
            answers.push(stored);
        }
        Feedback {
            questions: self.questions.clone(),
            counts,
            customers,
            names: self.names.clone(),
            answers,
            quarantine: self.quarantine.clone(),
            times_without_zone: self.times_without_zone,
        }
    }

    /// The questions, as they were declared.
    pub fn questions(&self) -> &[Question] {
        &self.questions
    }

    /// What became of the answers, question by question.
    pub fn counts(&self) -> &[QuestionCounts] {
        &self.counts
    }

    /// How many answers there are.
    pub fn len(&self) -> usize {
        self.answers.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.answers.is_empty()
    }

    /// How many customers answered anything.
    pub fn n_customers(&self) -> usize {
        self.customers.len()
    }

    /// A customer's id by their place; `None` for one without a name.
    pub fn customer_id(&self, place: usize) -> Option<&str> {
        self.customers.get(place)?.as_deref()
    }

    fn name(&self, code: u32) -> Option<&str> {
        self.names.get(code as usize).map(String::as_str)
    }

    /// What was put aside. `rows_read` counts answers, not rows: a wide row has several.
    pub fn quarantine(&self) -> &Quarantine {
        &self.quarantine
    }

    /// All answers.
    pub fn answers(&self) -> impl ExactSizeIterator<Item = Answer<'_>> + Clone {
        self.answers.iter().enumerate().map(|(id, stored)| Answer {
            feedback: self,
            stored,
            id,
        })
    }

    /// The answer with an id.
    pub fn answer(&self, id: usize) -> Option<Answer<'_>> {
        Some(Answer {
            feedback: self,
            stored: self.answers.get(id)?,
            id,
        })
    }

    /// The answers of each customer, one after the other.
    pub fn by_customer(&self) -> impl Iterator<Item = impl Iterator<Item = Answer<'_>> + Clone> {
        let mut from = 0;
        let groups = self.answers.chunk_by(|a, b| a.customer == b.customer);
        groups.map(move |group| {
            let first = from;
            from += group.len();
            group.iter().enumerate().map(move |(i, stored)| Answer {
                feedback: self,
                stored,
                id: first + i,
            })
        })
    }

    /// What a reader must know before trusting numbers of this table.
    pub fn caveats(&self) -> Vec<Caveat> {
        let mut caveats = Vec::new();
        if self.quarantine.total() > 0 {
            caveats.push(Caveat::RowsQuarantined {
                rows: self.quarantine.total(),
                of: self.quarantine.rows_read,
            });
        }
        if self.times_without_zone > 0 {
            caveats.push(Caveat::TimesWithoutZone {
                rows: self.times_without_zone,
            });
        }
        caveats
    }

    /// The place of a question by its id.
    ///
    /// # Errors
    /// There is no such question.
    pub fn question_place(&self, id: &str) -> Result<usize, FeedbackError> {
        let found = self.questions.iter().position(|q| q.id == id);
        found.ok_or_else(|| FeedbackError::UnknownQuestion {
            name: id.to_owned(),
            nearest: nearest(id, self.questions.iter().map(|q| q.id.as_str())),
            known: self.questions.iter().map(|q| q.id.clone()).collect(),
        })
    }

    /// The answers of a kind as sums, customers being clusters.
    ///
    /// # Errors
    /// [`FeedbackError`]: no question of this kind, or several on different scales, which are not put together; choose one by
    /// [`Which::question`].
    pub fn tally(&self, kind: QuestionKind, which: &Which) -> Result<Tally, FeedbackError> {
        let scale = self.scale_of(kind, which)?;
        let mut tally = Tally::new(kind, scale);
        let mut scores = Vec::new();
        for answers in self.by_customer() {
            scores.clear();
            let chosen = answers.filter(|a| a.question().kind == kind && which.holds(a));
            scores.extend(chosen.filter_map(|a| a.score()));
            tally.add(&scores);
        }
        Ok(tally)
    }

    fn scale_of(&self, kind: QuestionKind, which: &Which) -> Result<Scale, FeedbackError> {
        if let Some(id) = &which.question {
            let question = &self.questions[self.question_place(id)?];
            let scale = question.scale_in_force().filter(|_| question.kind == kind);
            return scale.ok_or_else(|| self.nothing_of(kind));
        }
        let mut of_kind = self
            .questions
            .iter()
            .filter(|q| q.kind == kind)
            .filter_map(|q| Some((q, q.scale_in_force()?)));
        let (first, scale) = of_kind.next().ok_or_else(|| self.nothing_of(kind))?;
        match of_kind.find(|(_, other)| *other != scale) {
            None => Ok(scale),
            Some((second, second_scale)) => Err(FeedbackError::MixedScales {
                first: first.id.clone(),
                first_scale: scale,
                second: second.id.clone(),
                second_scale,
            }),
        }
    }

    fn nothing_of(&self, kind: QuestionKind) -> FeedbackError {
        let mut known: Vec<String> = Vec::new();
        for question in &self.questions {
            let word = question.kind.word();
            if !known.iter().any(|k| k == word) {
                known.push(word.to_owned());
            }
        }
        FeedbackError::NothingOfKind { kind, known }
    }

    /// One measure of one kind of question.
    ///
    /// # Errors
    /// As [`tally`](Self::tally) and [`Tally::measure`]; a level not between 0 and 1.
    pub fn measure(
        &self,
        kind: QuestionKind,
        measure: Measure,
        which: &Which,
        measuring: &Measuring,
    ) -> Result<Measured, FeedbackError> {
        measuring.check()?;
        self.tally(kind, which)?.measure(measure, measuring)
    }

    /// The net promoter score; see [`measures::nps`].
    ///
    /// # Errors
    /// As [`measure`](Self::measure).
    pub fn nps(&self, which: &Which, measuring: &Measuring) -> Result<Measured, FeedbackError> {
        self.measure(QuestionKind::Nps, Measure::Nps, which, measuring)
    }

    /// The net promoter score of employees.
    ///
    /// # Errors
    /// As [`measure`](Self::measure).
    pub fn enps(&self, which: &Which, measuring: &Measuring) -> Result<Measured, FeedbackError> {
        self.measure(QuestionKind::Enps, Measure::Nps, which, measuring)
    }

    /// The satisfied: the share of the two best answers; see [`measures::share`].
    ///
    /// # Errors
    /// As [`measure`](Self::measure).
    pub fn csat(&self, which: &Which, measuring: &Measuring) -> Result<Measured, FeedbackError> {
        self.measure(QuestionKind::Csat, Measure::Share, which, measuring)
    }

    /// The mean customer effort score of a version: [`QuestionKind::CesV1`] or [`QuestionKind::CesV2`].
    ///
    /// # Errors
    /// As [`measure`](Self::measure).
    pub fn ces(
        &self,
        version: QuestionKind,
        which: &Which,
        measuring: &Measuring,
    ) -> Result<Measured, FeedbackError> {
        self.measure(version, Measure::Mean, which, measuring)
    }

    /// The mean sentiment of texts.
    ///
    /// # Errors
    /// As [`measure`](Self::measure).
    pub fn sentiment(
        &self,
        which: &Which,
        measuring: &Measuring,
    ) -> Result<Measured, FeedbackError> {
        self.measure(QuestionKind::Sentiment, Measure::Mean, which, measuring)
    }

    /// The mean of perceived less expected, in points of the scale, and how many answers found no partner. `perceived` names the perceived
    /// item of the pair. A pair is a customer's latest answer to each of the two about the same touchpoint; where low is good the sign is turned,
    /// so that below 0 always means that expectations were not met.
    ///
    /// # Errors
    /// No such question, or one that is not the perceived item of a pair; a level not between 0 and 1.
    pub fn gap(
        &self,
        perceived: &str,
        which: &Which,
        measuring: &Measuring,
    ) -> Result<(Measured, u64), FeedbackError> {
        measuring.check()?;
        let perceived_place = self.question_place(perceived)?;
        let question = &self.questions[perceived_place];
        let partner = match (question.kind, &question.pair) {
            (QuestionKind::Perceived, Some(partner)) => partner,
            _ => {
                return Err(FeedbackError::NotMeasured {
                    kind: question.kind,
                    measure: "gap without a declared partner",
                    allowed: question.kind.measures().iter().map(|m| m.word()).collect(),
                });
            }
        };
        let expected_place = self.question_place(partner)?;
        let scale = question
            .scale_in_force()
            .ok_or_else(|| self.nothing_of(QuestionKind::Perceived))?;
        let sign = if question.low_is_good() { -1 } else { 1 };
        let which = Which {
            question: None,
            ..which.clone()
        };
        let (mut sums, mut alone) = (ClusteredMoments::default(), 0);
        for answers in self.by_customer() {
            let mut latest: BTreeMap<Option<&str>, [Option<i64>; 2]> = BTreeMap::new();
            for answer in answers.filter(|a| which.holds(a)) {
                let side = match answer.question_place() {
                    place if place == perceived_place => 0,
                    place if place == expected_place => 1,
                    _ => continue,
                };
                if let Some(score) = answer.score() {
                    latest.entry(answer.touchpoint()).or_default()[side] = Some(score.millionths());
                }
            }
            let (mut sum, mut pairs) = (0_i128, 0);
            for sides in latest.values() {
                match sides {
                    [Some(perceived), Some(expected)] => {
                        sum += i128::from(sign * (perceived - expected));
                        pairs += 1;
                    }
                    _ => alone += 1,
                }
            }
            sums.add(sum, pairs);
        }
        Ok((measures::gap(&sums, &scale, &scale, measuring), alone))
    }
}
