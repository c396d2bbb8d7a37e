//! What answers say together: plain functions over counts, each an estimate with its interval or a hole with its reason.
//!
//! The sums they take count customers as clusters: where a customer answers once, the interval is the plain one.

use std::collections::BTreeMap;

use desireline_stats::mean::{ClusteredMoments, bounded_mean};
use desireline_stats::{
    Clusters, Estimate, NetClusters, Unit, net_share_wald, sample_size, wilson, wilson_clustered,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{FeedbackError, QuestionKind, Scale, Score};
use crate::report::TOO_FEW;

/// How sure, and from how many on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Measuring {
    /// The confidence level of intervals: 0.95 where nothing is said.
    pub level: f64,
    /// Below this many answers there is a hole instead of a number: 5 where nothing is said.
    pub least: u64,
}

impl Default for Measuring {
    fn default() -> Measuring {
        Measuring {
            level: 0.95,
            least: TOO_FEW,
        }
    }
}

impl Measuring {
    /// Whether the settings are within their ranges.
    ///
    /// # Errors
    /// A level not between 0 and 1.
    pub fn check(&self) -> Result<(), FeedbackError> {
        match self.level > 0.0 && self.level < 1.0 {
            true => Ok(()),
            false => Err(FeedbackError::Setting {
                name: "level",
                given: self.level.to_string(),
                allowed: "a number between 0 and 1, such as 0.95",
            }),
        }
    }
}

/// Why there is no number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Hole {
    /// Nobody answered.
    NoAnswers,
    /// Fewer than the least number of answers.
    TooFew {
        /// The least number.
        least: u64,
    },
    /// All answers are one customer's, whose spread says nothing of others.
    OneCustomer,
    /// Nothing to answer to: no touch was seen.
    NoTouches,
}

impl Hole {
    /// The words people read.
    pub fn message(&self, n: u64) -> String {
        match self {
            Hole::NoAnswers => "no answers".to_owned(),
            Hole::TooFew { least } => format!("too few (n={n}, at least {least})"),
            Hole::OneCustomer => format!("one customer only (n={n})"),
            Hole::NoTouches => "no touches".to_owned(),
        }
    }
}

/// An estimate, or why there is none.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Measured {
    /// Observations: answers, or touches for a response rate.
    pub n: u64,
    /// Customers who gave them.
    pub customers: u64,
    /// The estimate.
    pub estimate: Option<Estimate>,
    /// Why there is none.
    pub hole: Option<Hole>,
}

impl Measured {
    /// What `estimate` gives of `n` observations of some customers, or the hole.
    pub fn of(
        (n, customers): (u64, u64),
        measuring: &Measuring,
        estimate: impl FnOnce() -> Option<Estimate>,
    ) -> Measured {
        let hole = |hole| Measured {
            n,
            customers,
            estimate: None,
            hole: Some(hole),
        };
        match n {
            0 => hole(Hole::NoAnswers),
            n if n < measuring.least => hole(Hole::TooFew {
                least: measuring.least,
            }),
            _ => match estimate() {
                None => hole(Hole::OneCustomer),
                estimate => Measured {
                    n,
                    customers,
                    estimate,
                    hole: None,
                },
            },
        }
    }

    /// The value alone.
    pub fn value(&self) -> Option<f64> {
        self.estimate.map(|e| e.value)
    }
}

/// A net promoter score: `100 (share of 9 and 10 − share of 0 to 6)`, from −100 to 100, with an adjusted Wald interval.
///
/// Source: Reichheld 2003; the interval Rocks 2016. Where customers answer several times the interval allows for it
/// ([`NetClusters::net_share`]). Constant time.
///
/// ```
/// use desireline_core::feedback::measures::{Measuring, nps};
/// use desireline_stats::NetClusters;
/// let mut answers = NetClusters::default();
/// for (n, (promoter, detractor)) in [(50, (1, 0)), (30, (0, 0)), (20, (0, 1))] {
///     (0..n).for_each(|_| answers.add(promoter, detractor, 1));
/// }
/// let score = nps(&answers, &Measuring::default()).estimate.ok_or("a hole")?;
/// assert!((score.value - 30.0).abs() < 1e-9);
/// assert!((score.lower - 14.05).abs() < 0.01 && (score.upper - 44.20).abs() < 0.01);
/// # Ok::<(), &'static str>(())
/// ```
pub fn nps(answers: &NetClusters, measuring: &Measuring) -> Measured {
    let size = (answers.moments.n, answers.moments.m);
    Measured::of(size, measuring, || {
        answers.net_share(measuring.level).and_then(hundredfold)
    })
}

/// The same with the plain standard error `100 √((p + d − (p − d)²) / n)`, which takes every answer as independent.
pub fn nps_wald(answers: &NetClusters, measuring: &Measuring) -> Measured {
    let size = (answers.moments.n, answers.moments.m);
    Measured::of(size, measuring, || {
        net_share_wald(answers.plus, answers.minus, size.0, measuring.level).and_then(hundredfold)
    })
}

fn hundredfold(share: Estimate) -> Option<Estimate> {
    Estimate::new(
        100.0 * share.value,
        (100.0 * share.lower, 100.0 * share.upper),
        share.level,
        share.n,
        share.method,
        Unit::NetScore,
    )
}

/// A share of answers: the satisfied (CSAT), those who found it easy (CES), those who said yes. Wilson's interval, clustered where customers
/// answer several times.
///
/// ```
/// use desireline_core::feedback::measures::{Measuring, share};
/// use desireline_stats::Clusters;
/// let mut satisfied = Clusters::default();
/// satisfied.add_units(8, 10);
/// let csat = share(&satisfied, &Measuring::default()).estimate.ok_or("a hole")?;
/// assert!((csat.lower - 0.490).abs() < 5e-4 && (csat.upper - 0.943).abs() < 5e-4);
/// # Ok::<(), &'static str>(())
/// ```
pub fn share(answers: &Clusters, measuring: &Measuring) -> Measured {
    Measured::of((answers.n, answers.m), measuring, || {
        match answers.m == answers.n {
            true => wilson(answers.k, answers.n, measuring.level),
            false => wilson_clustered(answers, measuring.level),
        }
    })
}

/// The mean answer on its scale, sums being in millionths as [`Score`]s are: the score interval on that scale, clustered where customers answer several
/// times ([`bounded_mean`]).
pub fn mean(answers: &ClusteredMoments, scale: &Scale, measuring: &Measuring) -> Measured {
    let ends = (scale.lowest.millionths(), scale.highest.millionths());
    mean_within(answers, ends, Unit::ScalePoints, measuring)
}

/// The mean valence, sums being in millionths.
pub fn mean_valence(answers: &ClusteredMoments, measuring: &Measuring) -> Measured {
    mean_within(answers, (-1_000_000, 1_000_000), Unit::Valence, measuring)
}

/// The mean arousal, between 0 and 1, sums being in millionths.
pub fn mean_arousal(answers: &ClusteredMoments, measuring: &Measuring) -> Measured {
    mean_within(answers, (0, 1_000_000), Unit::ScalePoints, measuring)
}

/// The satisfaction gap: the mean of perceived less expected over pairs of answers, sums being in millionths. The score interval on the scale of the
/// differences, clustered where customers give several pairs. Below 0, expectations were not met.
///
/// Source: SERVQUAL (Parasuraman, Zeithaml and Berry 1988).
pub fn gap(
    pairs: &ClusteredMoments,
    expected: &Scale,
    perceived: &Scale,
    measuring: &Measuring,
) -> Measured {
    let ends = (
        perceived.lowest.millionths() - expected.highest.millionths(),
        perceived.highest.millionths() - expected.lowest.millionths(),
    );
    mean_within(pairs, ends, Unit::ScalePoints, measuring)
}

fn mean_within(
    sums: &ClusteredMoments,
    ends: (i64, i64),
    unit: Unit,
    measuring: &Measuring,
) -> Measured {
    Measured::of((sums.n, sums.m), measuring, || {
        let e = bounded_mean(sums, ends, measuring.level)?;
        let limits = (e.lower / 1e6, e.upper / 1e6);
        Estimate::new(e.value / 1e6, limits, e.level, e.n, e.method, unit)
    })
}

/// The response rate: touches that were answered, of all touches. `k` of a customer counts touches with an answer, `n` all touches. Wilson's
/// interval, clustered by customer.
pub fn response_rate(touches: &Clusters, measuring: &Measuring) -> Measured {
    match share(touches, measuring) {
        m if m.hole == Some(Hole::NoAnswers) => Measured {
            hole: Some(Hole::NoTouches),
            ..m
        },
        m => m,
    }
}

/// How many answers are missing until a share near `p` is known to `± half_width`: `z² p (1 − p) / h²` less those that there are, or 0 where
/// there are enough. `None` for settings outside of their ranges.
///
/// ```
/// use desireline_core::feedback::measures::answers_missing;
/// assert_eq!(answers_missing(100, 0.5, 0.05, 0.95), Some(285));
/// assert_eq!(answers_missing(400, 0.5, 0.05, 0.95), Some(0));
/// ```
pub fn answers_missing(have: u64, p: f64, half_width: f64, level: f64) -> Option<u64> {
    Some(sample_size(p, half_width, level)?.saturating_sub(have))
}

/// What a question's answers can be summed up to.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Measure {
    /// The net promoter score.
    Nps,
    /// The share of the best answers: satisfied, easy, yes.
    Share,
    /// The mean answer.
    Mean,
}

impl Measure {
    /// The word for programs.
    pub const fn word(self) -> &'static str {
        match self {
            Measure::Nps => "nps",
            Measure::Share => "share",
            Measure::Mean => "mean",
        }
    }
}

impl QuestionKind {
    /// The measures of such a question, the usual one first.
    pub const fn measures(self) -> &'static [Measure] {
        match self {
            QuestionKind::Nps | QuestionKind::Enps => &[Measure::Nps, Measure::Mean],
            QuestionKind::Csat | QuestionKind::YesNo => &[Measure::Share, Measure::Mean],
            QuestionKind::CesV1 | QuestionKind::CesV2 => &[Measure::Mean, Measure::Share],
            QuestionKind::Text => &[],
            _ => &[Measure::Mean],
        }
    }
}

/// The answers to one question as integer sums; merging is addition.
///
/// One customer is added once, with all their answers.
///
/// ```
/// use desireline_core::feedback::measures::{Measure, Measuring, Tally};
/// use desireline_core::feedback::{QuestionKind, Scale, Score};
/// let mut csat = Tally::new(QuestionKind::Csat, QuestionKind::Csat.usual_scale().ok_or("no scale")?);
/// for answers in [&[5, 4][..], &[5], &[2], &[4], &[3, 3]] {
///     let answers: Vec<Score> = answers.iter().map(|&a| Score::from(a)).collect();
///     csat.add(&answers);
/// }
/// let satisfied = csat.measure(Measure::Share, &Measuring::default())?;
/// assert_eq!((satisfied.n, satisfied.customers), (7, 5));
/// assert!((satisfied.value().ok_or("a hole")? - 4.0 / 7.0).abs() < 1e-12);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// What was asked.
    pub kind: QuestionKind,
    /// On what scale.
    pub scale: Scale,
    /// How often each answer was given, the lowest first.
    pub answers: BTreeMap<Score, u64>,
    /// Promoters and detractors, by the 0 to 10 scale.
    pub net: NetClusters,
    /// The best answers of all.
    pub best: Clusters,
    /// The sum of all, in millionths.
    pub sum: ClusteredMoments,
}

impl Tally {
    /// No answers yet.
    pub fn new(kind: QuestionKind, scale: Scale) -> Tally {
        Tally {
            kind,
            scale,
            answers: BTreeMap::new(),
            net: NetClusters::default(),
            best: Clusters::default(),
            sum: ClusteredMoments::default(),
        }
    }

    /// Adds one customer with all their answers.
    pub fn add(&mut self, answers: &[Score]) {
        let boxes = self.kind.best_boxes().unwrap_or(0);
        let (mut plus, mut minus, mut best, mut sum) = (0, 0, 0, 0_i128);
        for &answer in answers {
            *self.answers.entry(answer).or_default() += 1;
            plus += u64::from(answer >= Score::from(9));
            minus += u64::from(answer <= Score::from(6));
            best += u64::from(self.scale.is_among_best(answer, boxes));
            sum += i128::from(answer.millionths());
        }
        let n = answers.len() as u64;
        if matches!(self.kind, QuestionKind::Nps | QuestionKind::Enps) {
            self.net.add(plus, minus, n);
        }
        self.best.add(best, n);
        self.sum.add(sum, n);
    }

    /// Adds the answers of other customers to the same question.
    pub fn merge(&mut self, other: &Tally) {
        for (answer, n) in &other.answers {
            *self.answers.entry(*answer).or_default() += n;
        }
        self.net.merge(&other.net);
        self.best.merge(&other.best);
        self.sum.merge(&other.sum);
    }

    /// How many answers there are.
    pub fn n(&self) -> u64 {
        self.sum.n
    }

    /// How many customers gave them.
    pub fn customers(&self) -> u64 {
        self.sum.m
    }

    /// What the answers come to.
    ///
    /// # Errors
    /// [`FeedbackError::NotMeasured`] where a question of this kind has no such measure: satisfaction has no net promoter score.
    pub fn measure(
        &self,
        measure: Measure,
        measuring: &Measuring,
    ) -> Result<Measured, FeedbackError> {
        if !self.kind.measures().contains(&measure) {
            let allowed = self.kind.measures().iter().map(|m| m.word()).collect();
            return Err(FeedbackError::NotMeasured {
                kind: self.kind,
                measure: measure.word(),
                allowed,
            });
        }
        Ok(match measure {
            Measure::Nps => nps(&self.net, measuring),
            Measure::Share => share(&self.best, measuring),
            Measure::Mean if self.kind == QuestionKind::Sentiment => {
                mean_valence(&self.sum, measuring)
            }
            Measure::Mean => mean(&self.sum, &self.scale, measuring),
        })
    }
}
