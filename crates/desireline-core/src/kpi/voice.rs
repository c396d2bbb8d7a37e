//! KPIs whose numbers are in what customers say.

use std::sync::Arc;

use desireline_stats::mean::ClusteredMoments;

use super::plan::KpiPlan;
use super::report::KpiValue;
use super::spec::{Asked, problem};
use crate::error::{Result, SpecError};
use crate::feedback::measures::mean_valence;
use crate::feedback::{Feedback, FeedbackError, Measure, Measured, Measuring, QuestionKind, Which};

/// A table of answers; two are equal if they are the same one.
#[derive(Clone, Debug)]
pub struct Answers(pub Arc<Feedback>);

impl PartialEq for Answers {
    fn eq(&self, other: &Answers) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// What is asked of the answers.
#[derive(Clone, Debug)]
pub(super) struct Voice {
    answers: Arc<Feedback>,
    of: Of,
    which: Which,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Of {
    Kind(QuestionKind, Measure),
    Gap,
    PeakEnd,
    Minimum,
}

fn wrong(e: &FeedbackError) -> SpecError {
    problem("survey", e.to_string())
}

pub(super) fn bind(asked: &Asked<'_>) -> Result<Voice, SpecError> {
    let needs = || {
        asked.needs(
            "answers of customers",
            "give a feedback table: `Kpi::answers` in Rust",
        )
    };
    let Some(Answers(answers)) = &asked.kpi.feedback else {
        return Err(needs());
    };
    let variant = asked.variant.name;
    let of = match (asked.definition.known.number, variant) {
        ("K05", "v1") => Of::Kind(QuestionKind::CesV1, Measure::Mean),
        ("K05", "v2_easy") => Of::Kind(QuestionKind::CesV2, Measure::Share),
        ("K05", _) => Of::Kind(QuestionKind::CesV2, Measure::Mean),
        ("K11", "mean") => Of::Kind(QuestionKind::Csat, Measure::Mean),
        ("K11", _) => Of::Kind(QuestionKind::Csat, Measure::Share),
        ("K12", _) => Of::Kind(QuestionKind::Nps, Measure::Nps),
        ("K21", _) => Of::Gap,
        ("K28", _) => Of::Kind(QuestionKind::Sentiment, Measure::Mean),
        ("K29", "minimum") => Of::Minimum,
        ("K29", _) => Of::PeakEnd,
        _ => return Err(needs()),
    };
    let which = Which {
        question: asked.text("survey").map(str::to_owned),
        ..Which::default()
    };
    let voice = Voice {
        answers: Arc::clone(answers),
        of,
        which,
    };
    // What cannot be measured is said before anything is read.
    voice.measured(&voice.which, &Measuring::default())?;
    Ok(voice)
}

impl Voice {
    pub(super) fn value(&self, plan: &KpiPlan, period: Option<(i64, i64)>) -> Result<KpiValue> {
        let which = Which {
            from: period.map(|p| p.0),
            to: period.map(|p| p.1),
            ..self.which.clone()
        };
        let measuring = Measuring {
            level: plan.level,
            least: plan.min_n,
        };
        let found = self.measured(&which, &measuring)?;
        Ok(KpiValue {
            estimate: found.estimate,
            n: found.n,
            customers: found.customers,
            hole: found.hole.map(|h| h.message(found.n)),
            ..KpiValue::default()
        })
    }

    fn measured(&self, which: &Which, measuring: &Measuring) -> Result<Measured, SpecError> {
        let answers = &self.answers;
        Ok(match self.of {
            Of::Kind(kind, measure) => answers
                .measure(kind, measure, which, measuring)
                .map_err(|e| wrong(&e))?,
            Of::Gap => {
                let perceived =
                    match &which.question {
                        Some(id) => id.clone(),
                        None => {
                            let mut pairs = answers
                                .questions()
                                .iter()
                                .filter(|q| q.kind == QuestionKind::Perceived && q.pair.is_some());
                            match (pairs.next(), pairs.next()) {
                                (Some(one), None) => one.id.clone(),
                                (None, _) => return Err(problem(
                                    "survey",
                                    "no question of these answers is paired with what was expected"
                                        .to_owned(),
                                )),
                                (Some(a), Some(b)) => {
                                    return Err(problem(
                                        "survey",
                                        format!(
                                            "say which pair is meant, such as `{}` or `{}`",
                                            a.id, b.id
                                        ),
                                    ));
                                }
                            }
                        }
                    };
                answers
                    .gap(&perceived, which, measuring)
                    .map_err(|e| wrong(&e))?
                    .0
            }
            Of::PeakEnd | Of::Minimum => self.emotion(which, measuring)?,
        })
    }

    /// One number for each customer: the mean of the strongest feeling and the last, or the worst.
    fn emotion(&self, which: &Which, measuring: &Measuring) -> Result<Measured, SpecError> {
        let mut sums = ClusteredMoments::default();
        let felt = |kind| {
            matches!(
                kind,
                QuestionKind::Csat
                    | QuestionKind::Feeling
                    | QuestionKind::Sentiment
                    | QuestionKind::Rating
            )
        };
        for answers in self.answers.by_customer() {
            let mut all: Vec<(Option<i64>, i64)> = Vec::new();
            for answer in answers.filter(|a| which.holds(a) && felt(a.question().kind)) {
                let valence = answer.score().map(|s| answer.question().valence(s));
                // A question whose scale says nothing of feelings has no valence.
                if let Some(Ok(valence)) = valence {
                    all.push((answer.time(), valence.millionths()));
                }
            }
            // By time, those without one first; then in the order of the table.
            all.sort_by_key(|a| a.0);
            let strongest = all.iter().map(|a| a.1).max_by_key(|v| v.abs());
            let (Some(strongest), Some(&(_, last))) = (strongest, all.last()) else {
                continue;
            };
            let least = all.iter().map(|a| a.1).min().unwrap_or(last);
            let number = if self.of == Of::Minimum {
                least
            } else {
                (strongest + last) / 2
            };
            sums.add(number.into(), 1);
        }
        Ok(mean_valence(&sums, measuring))
    }
}
