//! What the sums of answers and journeys come to.

use desireline_stats::{Clusters, Estimate, Sides, benjamini_hochberg, wilson_clustered};

use super::{Fate, Plan};
use crate::feedback::{Answer, Feedback, QuestionKind};
use crate::map::JourneyMap;
use crate::overlay::report::{Contrast, GoalSatisfaction, ResponderBias};
use crate::report::{Base, Rate};

/// Beyond this standardised difference those who answer are not like the others.
const BIASED: f64 = 0.2;
/// A weight of one; weights are whole numbers, so that no order of adding shows.
const ONE: u64 = 1 << 16;

/// How many of the best answers of a question are good; none for questions that do not say how satisfied somebody is.
fn good_boxes(kind: QuestionKind) -> Option<u32> {
    match kind {
        QuestionKind::Nps | QuestionKind::Rating => Some(2),
        QuestionKind::Enps => None,
        kind => kind.best_boxes(),
    }
}

fn is_good(answer: &Answer<'_>) -> Option<bool> {
    let question = answer.question();
    let (boxes, scale) = (good_boxes(question.kind)?, question.scale_in_force()?);
    Some(scale.is_among_best(answer.score()?, boxes))
}

/// What the sums come to.
pub(super) struct Told<'a> {
    pub(super) plan: &'a Plan,
    pub(super) feedback: &'a Feedback,
    pub(super) fates: &'a [Option<Fate>],
    pub(super) strata: &'a [u64],
    pub(super) all: &'a Clusters,
    pub(super) level: f64,
    pub(super) least: u64,
}

impl Told<'_> {
    fn rate(&self, clusters: &Clusters, base: Base) -> Rate {
        let enough = clusters.n >= self.least;
        Rate {
            count: clusters.k,
            n: clusters.n,
            base,
            estimate: enough
                .then(|| wilson_clustered(clusters, self.level))
                .flatten(),
        }
    }

    /// The answers to a question that belong to a journey, customer by customer.
    fn by_customer(&self, question: usize) -> impl Iterator<Item = Vec<(Answer<'_>, &Fate)>> {
        self.feedback.by_customer().map(move |answers| {
            let own = answers.filter(|a| a.question_place() == question);
            own.filter_map(|a| Some((a, self.fates.get(a.id)?.as_ref()?)))
                .collect()
        })
    }

    #[allow(clippy::cast_precision_loss)] // counts of journeys
    pub(super) fn question(&self, place: usize) -> ResponderBias {
        let asked = &self.feedback.questions()[place];
        // Journeys that answered, against all; every customer of the first is one of the second.
        let mut sides = Sides {
            b: *self.all,
            ..Sides::default()
        };
        let mut raw = Clusters::default();
        let mut heard = vec![0_u64; self.strata.len()];
        for answers in self.by_customer(place) {
            let mut seen: Vec<(usize, u32, u32)> = Vec::new();
            let (mut reached, mut journeys, mut good, mut said) = (0, 0, 0, 0);
            let mut whole = (0, 0);
            for (answer, fate) in &answers {
                let Some(stratum) = fate.stratum else {
                    continue;
                };
                whole = fate.all;
                if !seen.contains(&fate.journey) {
                    seen.push(fate.journey);
                    journeys += 1;
                    reached += u64::from(fate.reached);
                }
                if let Some(is_good) = is_good(answer) {
                    good += u64::from(is_good);
                    said += 1;
                    heard[stratum] += 1;
                }
            }
            let mut here = Sides::default();
            here.add((reached, journeys), whole);
            sides.merge(&Sides {
                b: Clusters::default(),
                ..here
            });
            raw.add(good, said);
        }
        let answered = self.rate(&sides.a, Base::OfKnown);
        let everybody = self.rate(&sides.b, Base::OfKnown);
        let given = answered.estimate.zip(everybody.estimate);
        let standardised = given.and_then(|(a, b)| standardised(a.value, b.value));
        let is_scored = good_boxes(asked.kind).is_some();
        let of_all = sides.b.n.max(1) as f64;
        let unheard: u64 = self
            .strata
            .iter()
            .zip(&heard)
            .filter(|(_, heard)| **heard == 0)
            .map(|(n, _)| n)
            .sum();
        let filled = || self.strata.iter().zip(&heard).filter(|(n, _)| **n > 0);
        let share = Clusters {
            m: sides.b.m,
            k: sides.a.n,
            n: sides.b.n,
            kk: sides.a.nn,
            kn: sides.nn,
            nn: sides.b.nn,
        };
        ResponderBias {
            question: asked.id.clone(),
            kind: asked.kind.word().to_owned(),
            answered: self.rate(&share, Base::OfAll),
            goal_answered: answered,
            goal_all: everybody,
            difference: given.and_then(|_| sides.difference(self.level)),
            standardised,
            biased: standardised.map(|d| d.abs() > BIASED),
            raw: is_scored.then(|| self.rate(&raw, Base::OfAnswers)),
            weighted: (is_scored && raw.n >= self.least)
                .then(|| self.weighted(place, &heard, raw.n))
                .flatten(),
            strata: (
                filled().count() as u64,
                filled().filter(|(_, heard)| **heard > 0).count() as u64,
            ),
            unheard: (is_scored && sides.b.n > 0).then_some(unheard as f64 / of_all),
        }
    }

    /// Good answers, each as many as there are journeys of its stratum for an answer.
    fn weighted(&self, question: usize, heard: &[u64], n: u64) -> Option<Estimate> {
        let weight = |stratum: usize| {
            let (journeys, answers) = (self.strata[stratum], heard[stratum].max(1));
            let weight = u128::from(journeys) * u128::from(ONE) / u128::from(answers);
            u64::try_from(weight).unwrap_or(u64::MAX).max(1)
        };
        let mut sums = Clusters::default();
        for answers in self.by_customer(question) {
            let (mut good, mut all) = (0_u64, 0_u64);
            for (answer, fate) in &answers {
                if let (Some(stratum), Some(is_good)) = (fate.stratum, is_good(answer)) {
                    let weight = weight(stratum);
                    all = all.saturating_add(weight);
                    good = good.saturating_add(if is_good { weight } else { 0 });
                }
            }
            sums.add(good, all);
        }
        let estimate = wilson_clustered(&sums, self.level)?;
        Some(Estimate { n, ..estimate })
    }

    pub(super) fn goals(&self, map: &JourneyMap, asked: &[usize]) -> Vec<GoalSatisfaction> {
        let mut rows = Vec::new();
        for (at, (goal, _)) in self.plan.goals.iter().enumerate() {
            for &question in asked {
                let kind = self.feedback.questions()[question].kind;
                if good_boxes(kind).is_none() {
                    continue;
                }
                let mut sides = Sides::default();
                let (mut before, mut open) = (0, 0);
                for answers in self.by_customer(question) {
                    let (mut with, mut without) = ((0, 0), (0, 0));
                    for (answer, fate) in &answers {
                        let Some(is_good) = is_good(answer) else {
                            continue;
                        };
                        let side = match fate.goals.get(at).copied().flatten() {
                            Some(true) => &mut with,
                            Some(false) => {
                                before += 1;
                                continue;
                            }
                            None if fate.alive => {
                                open += 1;
                                continue;
                            }
                            None => &mut without,
                        };
                        side.0 += u64::from(is_good);
                        side.1 += 1;
                    }
                    sides.add(with, without);
                }
                let (with, without) = (
                    self.rate(&sides.a, Base::OfAnswers),
                    self.rate(&sides.b, Base::OfAnswers),
                );
                let given = with.estimate.is_some() && without.estimate.is_some();
                rows.push(GoalSatisfaction {
                    goal: map.goals[*goal].id.to_string(),
                    question: self.feedback.questions()[question].id.clone(),
                    kind: kind.word().to_owned(),
                    satisfied: Contrast {
                        with,
                        without,
                        difference: given.then(|| sides.difference(self.level)).flatten(),
                        p: given.then(|| sides.test()).flatten().map(|t| t.p),
                        q: None,
                    },
                    before,
                    open,
                    directness: None,
                });
            }
        }
        let p: Vec<f64> = rows.iter().filter_map(|r| r.satisfied.p).collect();
        let mut q = benjamini_hochberg(&p).unwrap_or_default().into_iter();
        for row in rows.iter_mut().filter(|r| r.satisfied.p.is_some()) {
            row.satisfied.q = q.next();
        }
        rows
    }
}

/// The difference of two shares over their mean standard deviation.
fn standardised(a: f64, b: f64) -> Option<f64> {
    let spread = ((a * (1.0 - a) + b * (1.0 - b)) / 2.0).sqrt();
    match spread > 0.0 {
        true => Some((a - b) / spread),
        false => (a == b).then_some(0.0),
    }
}
