//! Feedback at a glance: each question with its measures, its answers, and a sample of what was said.

use std::collections::BTreeMap;

use desireline_stats::Estimate;
use desireline_stats::resample;
use serde::{Deserialize, Serialize};

use super::measures::{Measure, Measured, Measuring, Tally};
use super::table::{Answer, Feedback, QuestionCounts, Which};
use super::{FeedbackError, QuestionKind, Score};
use crate::report::{Base, Caveat, Cells, Provenance, Rate, Report, Table};

/// What the report is to hold.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ReportOptions {
    /// How sure, and from how many on.
    pub measuring: Measuring,
    /// Which answers.
    pub which: Which,
    /// How many verbatims are shown: a sample that is always the same one.
    pub verbatims: usize,
    /// The seed of the sample.
    pub seed: u64,
    /// Whether verbatims come with their customers' ids.
    pub customers: bool,
}

impl Default for ReportOptions {
    fn default() -> ReportOptions {
        ReportOptions {
            measuring: Measuring::default(),
            which: Which::default(),
            verbatims: 20,
            seed: 0,
            customers: false,
        }
    }
}

/// The measures of one question, as far as its kind has them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measures {
    /// The net promoter score.
    pub nps: Option<Measured>,
    /// The share of the best answers.
    pub share: Option<Measured>,
    /// How many of them there were.
    pub best: u64,
    /// The mean answer.
    pub mean: Option<Measured>,
}

impl Measures {
    /// The measures of a tally; none of free text.
    pub fn of(tally: Option<&Tally>, measuring: &Measuring) -> Measures {
        let one = |measure| tally.and_then(|t| t.measure(measure, measuring).ok());
        Measures {
            nps: one(Measure::Nps),
            share: one(Measure::Share),
            best: tally.map_or(0, |t| t.best.k),
            mean: one(Measure::Mean),
        }
    }

    /// The usual measure of a kind of question.
    pub fn usual(&self, kind: QuestionKind) -> Option<Measured> {
        match kind.measures().first()? {
            Measure::Nps => self.nps,
            Measure::Share => self.share,
            Measure::Mean => self.mean,
        }
    }

    /// Why a measure is missing, in words.
    pub fn note(&self) -> Option<String> {
        let holes = [self.nps, self.share, self.mean];
        let found = holes.iter().flatten().find_map(|m| Some((m.hole?, m.n)));
        found.map(|(hole, n)| hole.message(n))
    }

    pub(crate) fn rate(&self) -> Option<Rate> {
        self.share.map(|m| Rate {
            count: self.best,
            n: m.n,
            base: Base::OfAnswers,
            estimate: m.estimate,
        })
    }
}

/// One question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QuestionRow {
    /// Its id.
    pub question: String,
    /// Its kind.
    pub kind: QuestionKind,
    /// Its scale in words.
    pub scale: String,
    /// Chosen answers: scores, or words for free text.
    pub answers: u64,
    /// Customers who gave them.
    pub customers: u64,
    /// What they come to.
    pub measures: Measures,
    /// What became of all answers to it, whichever are chosen.
    pub counts: QuestionCounts,
}

/// How often one answer was given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AnswerRow {
    /// The question.
    pub question: String,
    /// The answer.
    pub answer: Score,
    /// How often.
    pub count: u64,
    /// Of all answers to the question.
    pub share: f64,
}

/// One question at one touchpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TouchpointRow {
    /// The touchpoint, as declared with the answers.
    pub touchpoint: String,
    /// The question.
    pub question: String,
    /// Its kind.
    pub kind: QuestionKind,
    /// Answers.
    pub answers: u64,
    /// Customers who gave them.
    pub customers: u64,
    /// What they come to.
    pub measures: Measures,
}

/// Expected against perceived.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GapRow {
    /// The perceived item.
    pub perceived: String,
    /// The expected item.
    pub expected: String,
    /// Perceived less expected, in points of the scale.
    pub gap: Measured,
    /// Answers without a partner.
    pub unpaired: u64,
}

/// What somebody said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VerbatimRow {
    /// The answer's id in the table.
    pub answer: usize,
    /// When.
    pub time: Option<i64>,
    /// About which touchpoint.
    pub touchpoint: Option<String>,
    /// The question.
    pub question: String,
    /// The answer it was said with.
    pub score: Option<Score>,
    /// The language.
    pub language: Option<String>,
    /// What was said.
    pub text: String,
    /// Who said it, where that was asked for.
    pub customer: Option<String>,
}

impl VerbatimRow {
    pub(crate) fn of(answer: &Answer<'_>, customers: bool) -> VerbatimRow {
        let own = |text: Option<&str>| text.map(str::to_owned);
        VerbatimRow {
            answer: answer.id,
            time: answer.time(),
            touchpoint: own(answer.touchpoint()),
            question: answer.question().id.clone(),
            score: answer.score(),
            language: own(answer.language()),
            text: answer.text().unwrap_or_default().to_owned(),
            customer: own(answer.customer_id().filter(|_| customers)),
        }
    }
}

/// The report. Tables: `questions`, `answers`, `touchpoints` and `gaps` where there are any, `verbatims`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FeedbackReport {
    /// Answers in the table.
    pub answers: u64,
    /// Customers who gave them.
    pub customers: u64,
    /// Each question.
    pub questions: Vec<QuestionRow>,
    /// How often each answer was given.
    pub distribution: Vec<AnswerRow>,
    /// Each question at each touchpoint that was declared with the answers.
    pub touchpoints: Vec<TouchpointRow>,
    /// Pairs of expected and perceived.
    pub gaps: Vec<GapRow>,
    /// How many verbatims there are.
    pub n_verbatims: u64,
    /// A sample of them, by time.
    pub verbatims: Vec<VerbatimRow>,
    /// What to know before trusting the numbers.
    pub caveats: Vec<Caveat>,
}

impl Feedback {
    /// The table at a glance.
    ///
    /// # Errors
    /// An unknown question in [`ReportOptions::which`], or a level not between 0 and 1.
    ///
    /// ```
    /// use desireline_core::feedback::{Feedback, FeedbackRow, Question, ReportOptions};
    /// use desireline_core::report::Report;
    /// let mut builder = Feedback::builder([Question::csat("checkout-csat").about("checkout")])?;
    /// builder.push(&FeedbackRow::new("ann", "checkout-csat").score(5).text("quick"))?;
    /// let report = builder.finish()?.report(&ReportOptions::default())?;
    /// assert_eq!(report.touchpoints[0].touchpoint, "checkout");
    /// assert_eq!((report.n_verbatims, report.verbatims[0].text.as_str()), (1, "quick"));
    /// assert_eq!(report.tables()[0].name, "questions");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn report(&self, options: &ReportOptions) -> Result<FeedbackReport, FeedbackError> {
        options.measuring.check()?;
        if let Some(question) = &options.which.question {
            self.question_place(question)?;
        }
        let chosen = |a: &Answer<'_>| options.which.holds(a);
        let whole = tallies(self, |a| chosen(a).then_some(()));
        let placed = tallies(self, |a| a.touchpoint().filter(|_| chosen(a)));
        let measuring = &options.measuring;
        let mut questions = Vec::new();
        let mut distribution = Vec::new();
        for (place, question) in self.questions().iter().enumerate() {
            let sums = whole.get(&((), place));
            let tally = sums.and_then(|s| s.tally.as_ref());
            questions.push(QuestionRow {
                question: question.id.clone(),
                kind: question.kind,
                scale: question.scale_text(),
                answers: sums.map_or(0, Sums::answers),
                customers: sums.map_or(0, Sums::customers),
                measures: Measures::of(tally, measuring),
                counts: self.counts()[place],
            });
            let Some(tally) = tally else { continue };
            distribution.extend(tally.answers.iter().map(|(&answer, &count)| AnswerRow {
                question: question.id.clone(),
                answer,
                count,
                share: count as f64 / tally.n() as f64,
            }));
        }
        let touchpoints = placed.iter().map(|((touchpoint, place), sums)| {
            let question = &self.questions()[*place];
            TouchpointRow {
                touchpoint: (*touchpoint).to_owned(),
                question: question.id.clone(),
                kind: question.kind,
                answers: sums.answers(),
                customers: sums.customers(),
                measures: Measures::of(sums.tally.as_ref(), measuring),
            }
        });
        let mut gaps = Vec::new();
        for question in self.questions() {
            let (QuestionKind::Perceived, Some(expected)) = (question.kind, &question.pair) else {
                continue;
            };
            let (gap, unpaired) = self.gap(&question.id, &options.which, measuring)?;
            gaps.push(GapRow {
                perceived: question.id.clone(),
                expected: expected.clone(),
                gap,
                unpaired,
            });
        }
        let said = self.answers().filter(|a| a.text().is_some() && chosen(a));
        Ok(FeedbackReport {
            answers: self.answers().filter(chosen).count() as u64,
            customers: self
                .by_customer()
                .filter(|answers| answers.clone().any(|a| chosen(&a)))
                .count() as u64,
            questions,
            distribution,
            touchpoints: touchpoints.collect(),
            gaps,
            n_verbatims: said.clone().count() as u64,
            verbatims: sample(said, options.verbatims, options.seed)
                .iter()
                .map(|a| VerbatimRow::of(a, options.customers))
                .collect(),
            caveats: self.caveats(),
        })
    }
}

impl FeedbackReport {
    /// The name under which feedback is asked for.
    pub const NAME: &'static str = "feedback";

    /// The report as an answer, which every renderer takes. It is over no log, so its provenance has no rule and no journeys.
    pub fn into_answer(self) -> crate::report::Answer<FeedbackReport> {
        crate::report::Answer {
            analysis: FeedbackReport::NAME.to_owned(),
            spec: serde_json::Value::Object(serde_json::Map::new()),
            provenance: Provenance {
                engine: env!("CARGO_PKG_VERSION").to_owned(),
                fingerprint: String::new(),
                rule: String::new(),
                selections: Vec::new(),
                n_events: 0,
                n_customers: self.customers,
                n_journeys: 0,
                first_time: 0,
                last_time: 0,
                observed_until: 0,
                seed: None,
            },
            report: self,
        }
    }
}

/// The answers to one question at one place.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sums {
    /// Answers on a scale; none for free text.
    pub(crate) tally: Option<Tally>,
    words: u64,
    speakers: u64,
}

impl Sums {
    pub(crate) fn answers(&self) -> u64 {
        self.tally.as_ref().map_or(self.words, Tally::n)
    }

    pub(crate) fn customers(&self) -> u64 {
        self.tally.as_ref().map_or(self.speakers, Tally::customers)
    }
}

/// The sums of each question at each place; answers without a place are left out.
pub(crate) fn tallies<'a, K: Ord + Copy>(
    feedback: &'a Feedback,
    place: impl Fn(&Answer<'a>) -> Option<K>,
) -> BTreeMap<(K, usize), Sums> {
    let mut sums: BTreeMap<(K, usize), Sums> = BTreeMap::new();
    let mut here: BTreeMap<(K, usize), (Vec<Score>, u64)> = BTreeMap::new();
    for answers in feedback.by_customer() {
        here.clear();
        for answer in answers {
            let Some(key) = place(&answer) else { continue };
            let (scores, words) = here.entry((key, answer.question_place())).or_default();
            match answer.score() {
                Some(score) => scores.push(score),
                None => *words += 1,
            }
        }
        for (key, (scores, words)) in &here {
            let sums = sums.entry(*key).or_default();
            sums.words += words;
            sums.speakers += u64::from(*words > 0);
            let question = &feedback.questions()[key.1];
            if let Some(scale) = question.scale_in_force() {
                sums.tally
                    .get_or_insert_with(|| Tally::new(question.kind, scale))
                    .add(scores);
            }
        }
    }
    sums
}

/// Some of the answers, always the same ones whatever their order in the input, by time.
pub(crate) fn sample<'a>(
    said: impl Iterator<Item = Answer<'a>>,
    most: usize,
    seed: u64,
) -> Vec<Answer<'a>> {
    let mut drawn: Vec<(u64, Answer<'a>)> = said
        .map(|a| {
            let key = resample::key(a.text().unwrap_or_default().as_bytes())
                ^ resample::key(a.customer_id().unwrap_or_default().as_bytes()).rotate_left(17)
                ^ resample::key(a.question().id.as_bytes()).rotate_left(31);
            let lot = resample::uniform(seed, key, 0);
            ((lot * 9_007_199_254_740_992.0) as u64, a)
        })
        .collect();
    drawn.sort_by(|(a, x), (b, y)| {
        let rest = |a: &Answer<'a>| (a.time(), a.score());
        a.cmp(b)
            .then_with(|| x.text().cmp(&y.text()))
            .then_with(|| rest(x).cmp(&rest(y)))
    });
    drawn.truncate(most);
    let mut drawn: Vec<Answer<'a>> = drawn.into_iter().map(|(_, a)| a).collect();
    drawn.sort_by(|x, y| (x.time(), x.text(), x.id).cmp(&(y.time(), y.text(), y.id)));
    drawn
}

pub(crate) fn texts<T>(rows: &[T], text: impl Fn(&T) -> Option<String>) -> Cells {
    Cells::Text(rows.iter().map(text).collect())
}

pub(crate) fn counts<T>(rows: &[T], count: impl Fn(&T) -> u64) -> Cells {
    Cells::Count(rows.iter().map(|r| Some(count(r))).collect())
}

pub(crate) fn estimates<T>(rows: &[T], estimate: impl Fn(&T) -> Option<Estimate>) -> Cells {
    Cells::Estimate(rows.iter().map(estimate).collect())
}

/// The columns of measures, left out where no row has one.
pub(crate) fn with_measures<T>(
    mut table: Table,
    rows: &[T],
    measures: impl Fn(&T) -> &Measures,
) -> Table {
    if rows.iter().any(|r| measures(r).nps.is_some()) {
        let nps = |r: &T| measures(r).nps.and_then(|m| m.estimate);
        table = table.with("nps", "NPS", estimates(rows, nps));
    }
    if rows.iter().any(|r| measures(r).share.is_some()) {
        let rates = rows.iter().map(|r| measures(r).rate()).collect();
        table = table.with("best", "Best answers", Cells::Rate(rates));
    }
    if rows.iter().any(|r| measures(r).mean.is_some()) {
        let mean = |r: &T| measures(r).mean.and_then(|m| m.estimate);
        table = table.with("mean", "Mean", estimates(rows, mean));
    }
    if rows.iter().any(|r| measures(r).note().is_some()) {
        table = table.with("note", "Note", texts(rows, |r| measures(r).note()));
    }
    table
}

/// Verbatims as a table; the customer only where one is given.
pub(crate) fn verbatims(title: String, rows: &[VerbatimRow]) -> Table {
    let mut table = Table::new("verbatims", title)
        .with("answer", "Answer", counts(rows, |r| r.answer as u64))
        .with(
            "time",
            "Time",
            Cells::Time(rows.iter().map(|r| r.time).collect()),
        )
        .with(
            "touchpoint",
            "Touchpoint",
            texts(rows, |r| r.touchpoint.clone()),
        )
        .with(
            "question",
            "Question",
            texts(rows, |r| Some(r.question.clone())),
        )
        .with(
            "score",
            "Score",
            Cells::Number(rows.iter().map(|r| r.score.map(Score::get)).collect()),
        )
        .with("language", "Language", texts(rows, |r| r.language.clone()));
    if rows.iter().any(|r| r.customer.is_some()) {
        table = table.with("customer", "Customer", texts(rows, |r| r.customer.clone()));
    }
    table.with("text", "Said", texts(rows, |r| Some(r.text.clone())))
}

impl Report for FeedbackReport {
    fn title(&self) -> &'static str {
        "Feedback"
    }

    fn tables(&self) -> Vec<Table> {
        let q = &self.questions;
        let questions = Table::new("questions", "Questions")
            .with(
                "question",
                "Question",
                texts(q, |r| Some(r.question.clone())),
            )
            .with("kind", "Kind", texts(q, |r| Some(r.kind.word().to_owned())))
            .with("scale", "Scale", texts(q, |r| Some(r.scale.clone())))
            .with("answers", "Answers", counts(q, |r| r.answers))
            .with("customers", "Customers", counts(q, |r| r.customers));
        let questions = with_measures(questions, q, |r| &r.measures)
            .with("blank", "Blank", counts(q, |r| r.counts.blank))
            .with(
                "unanswered",
                "Unanswered",
                counts(q, |r| r.counts.unanswered),
            )
            .with(
                "put_aside",
                "Put aside",
                counts(q, |r| r.counts.quarantined),
            )
            .with("replaced", "Replaced", counts(q, |r| r.counts.replaced));
        let d = &self.distribution;
        let answers = Table::new("answers", "Answers")
            .with(
                "question",
                "Question",
                texts(d, |r| Some(r.question.clone())),
            )
            .with(
                "answer",
                "Answer",
                Cells::Number(d.iter().map(|r| Some(r.answer.get())).collect()),
            )
            .with("count", "Count", counts(d, |r| r.count))
            .with(
                "share",
                "Share",
                Cells::Share(d.iter().map(|r| Some(r.share)).collect()),
            );
        let mut tables = vec![questions, answers];
        let t = &self.touchpoints;
        if !t.is_empty() {
            let table = Table::new("touchpoints", "By declared touchpoint")
                .with(
                    "touchpoint",
                    "Touchpoint",
                    texts(t, |r| Some(r.touchpoint.clone())),
                )
                .with(
                    "question",
                    "Question",
                    texts(t, |r| Some(r.question.clone())),
                )
                .with("answers", "Answers", counts(t, |r| r.answers))
                .with("customers", "Customers", counts(t, |r| r.customers));
            tables.push(with_measures(table, t, |r| &r.measures));
        }
        let g = &self.gaps;
        if !g.is_empty() {
            tables.push(
                Table::new("gaps", "Perceived less expected")
                    .with(
                        "perceived",
                        "Perceived",
                        texts(g, |r| Some(r.perceived.clone())),
                    )
                    .with(
                        "expected",
                        "Expected",
                        texts(g, |r| Some(r.expected.clone())),
                    )
                    .with("gap", "Gap", estimates(g, |r| r.gap.estimate))
                    .with("pairs", "Pairs", counts(g, |r| r.gap.n))
                    .with("unpaired", "Without partner", counts(g, |r| r.unpaired)),
            );
        }
        if self.n_verbatims > 0 {
            let shown = self.verbatims.len() as u64;
            let title = match shown == self.n_verbatims {
                true => "Said".to_owned(),
                false => format!("Said: {shown} of {}", self.n_verbatims),
            };
            tables.push(verbatims(title, &self.verbatims));
        }
        tables
    }

    crate::report::held!();
}
