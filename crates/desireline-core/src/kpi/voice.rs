//! KPIs whose numbers are in what customers say.

use std::collections::BTreeSet;
use std::sync::Arc;

use desireline_stats::mean::ClusteredMoments;
use desireline_stats::{Clusters, goodman_clustered};

use super::plan::KpiPlan;
use super::report::KpiValue;
use super::spec::{Asked, problem};
use crate::error::{Result, SpecError};
use crate::feedback::measures::mean_valence;
use crate::feedback::{
    Answer, Feedback, FeedbackError, Measure, Measured, Measuring, QuestionKind, Which,
};

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
    Purposes,
}

/// More different answers than this are free words and no purposes to choose from.
const MOST_PURPOSES: usize = 100;

fn wrong(e: &FeedbackError) -> SpecError {
    problem("survey", e.to_string())
}

pub(super) fn bind(asked: &Asked<'_>) -> Result<Voice, SpecError> {
    let needs = || {
        asked.needs(
            "answers of customers",
            "give a feedback table: `--feedback`, `feedback=`, `Kpi::answers` in Rust",
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
        ("K14", _) => Of::Purposes,
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
    match voice.of {
        Of::Purposes => _ = voice.purpose(&voice.which)?,
        _ => _ = voice.measured(&voice.which, &Measuring::default())?,
    }
    Ok(voice)
}

impl Voice {
    pub(super) fn values(
        &self,
        plan: &KpiPlan,
        period: Option<(i64, i64)>,
    ) -> Result<Vec<KpiValue>> {
        let which = Which {
            from: period.map(|p| p.0),
            to: period.map(|p| p.1),
            ..self.which.clone()
        };
        if self.of == Of::Purposes {
            return Ok(self.purposes(plan, &which)?);
        }
        let measuring = Measuring {
            level: plan.level,
            least: plan.min_n,
        };
        let found = self.measured(&which, &measuring)?;
        Ok(vec![KpiValue {
            estimate: found.estimate,
            n: found.n,
            customers: found.customers,
            hole: found.hole.map(|h| h.message(found.n)),
            ..KpiValue::default()
        }])
    }

    /// The answers of each wording to a question that is answered in words chosen from a list: what for did you come?
    fn purposes(&self, plan: &KpiPlan, which: &Which) -> Result<Vec<KpiValue>, SpecError> {
        let question = self.purpose(which)?;
        // What cannot be in the period is in the list all the same, so that every period has the same rows.
        let said = |a: &Answer<'_>| {
            let text = a.text().map(str::trim).filter(|t| !t.is_empty());
            (a.question_place() == question)
                .then(|| text.map(str::to_owned))
                .flatten()
        };
        let words: BTreeSet<String> = self.answers.answers().filter_map(|a| said(&a)).collect();
        if words.len() > MOST_PURPOSES {
            let told = format!(
                "{} different answers are no purposes to choose from, the limit is {MOST_PURPOSES}",
                words.len()
            );
            return Err(problem("survey", told));
        }
        let words: Vec<String> = words.into_iter().collect();
        let mut sums = vec![Clusters::default(); words.len()];
        let mut own = vec![0; words.len()];
        for answers in self.answers.by_customer() {
            own.fill(0);
            for word in answers.filter(|a| which.holds(a)).filter_map(|a| said(&a)) {
                if let Ok(place) = words.binary_search(&word) {
                    own[place] += 1;
                }
            }
            let n = own.iter().sum();
            sums.iter_mut().zip(&own).for_each(|(s, k)| s.add(*k, n));
        }
        let all = goodman_clustered(&sums, plan.level).unwrap_or_default();
        let mut values: Vec<KpiValue> = words
            .into_iter()
            .zip(&sums)
            .enumerate()
            .map(|(place, (word, sums))| KpiValue {
                key: Some(word),
                count: i64::try_from(sums.k).ok(),
                n: sums.n,
                customers: sums.m,
                estimate: all.get(place).copied(),
                ..KpiValue::default()
            })
            .collect();
        values.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.key.cmp(&b.key)));
        if values.is_empty() {
            values.push(KpiValue::default());
        }
        Ok(values)
    }

    /// The place of the question that is meant.
    fn purpose(&self, which: &Which) -> Result<usize, SpecError> {
        let questions = || self.answers.questions().iter().enumerate();
        let mut texts = questions().filter(|(_, q)| q.kind == QuestionKind::Text);
        match &which.question {
            Some(id) => match questions().find(|(_, q)| q.id == *id) {
                Some((place, q)) if q.kind == QuestionKind::Text => Ok(place),
                Some(_) => Err(problem(
                    "survey",
                    format!("`{id}` is not answered in words"),
                )),
                None => {
                    let place = self.answers.question_place(id);
                    place.map_err(|e| wrong(&e))
                }
            },
            None => match (texts.next(), texts.next()) {
                (Some((place, _)), None) => Ok(place),
                (None, _) => Err(problem(
                    "survey",
                    "no question of these answers is answered in words".to_owned(),
                )),
                (Some((_, a)), Some((_, b))) => Err(problem(
                    "survey",
                    format!(
                        "say which question is meant, such as `{}` or `{}`",
                        a.id, b.id
                    ),
                )),
            },
        }
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
            Of::PeakEnd | Of::Minimum | Of::Purposes => self.emotion(which, measuring)?,
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
