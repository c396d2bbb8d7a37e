//! A number together with how sure it is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A quantity with its interval: what was measured, how sure it is, from how much, and how.
///
/// All floats are finite and `lower <= value <= upper`. What could not be estimated is `None` where an estimate is asked for, never a zero.
///
/// ```
/// use desireline_stats::{Method, Unit, wilson};
///
/// let rate = wilson(15, 148, 0.95).ok_or("no data")?;
/// assert_eq!((rate.n, rate.method, rate.unit), (148, Method::Wilson, Unit::Proportion));
/// assert!(rate.contains(0.1) && !rate.contains(0.2));
/// assert!(wilson(0, 0, 0.95).is_none());
/// # Ok::<(), &'static str>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Estimate {
    /// The point estimate.
    pub value: f64,
    /// Lower end of the interval.
    pub lower: f64,
    /// Upper end of the interval.
    pub upper: f64,
    /// Confidence level of the interval, such as 0.95.
    pub level: f64,
    /// Number of observations behind the value.
    pub n: u64,
    /// How the interval was made.
    pub method: Method,
    /// What the value counts or measures.
    pub unit: Unit,
}

impl Estimate {
    /// An estimate, or `None` when a float is not finite, the interval misses the value, or the level is not inside (0, 1).
    pub fn new(
        value: f64,
        (lower, upper): (f64, f64),
        level: f64,
        n: u64,
        method: Method,
        unit: Unit,
    ) -> Option<Self> {
        let finite = value.is_finite() && lower.is_finite() && upper.is_finite();
        let ordered = lower <= value && value <= upper;
        (finite && ordered && is_level(level)).then_some(Self {
            value,
            lower,
            upper,
            level,
            n,
            method,
            unit,
        })
    }

    /// True if `x` lies in the interval, its ends included.
    pub fn contains(&self, x: f64) -> bool {
        self.lower <= x && x <= self.upper
    }

    /// Upper minus lower end.
    pub fn width(&self) -> f64 {
        self.upper - self.lower
    }

    /// The same numbers in another unit, for counts and times that mean money or the other way round.
    #[must_use]
    pub fn with_unit(self, unit: Unit) -> Self {
        Self { unit, ..self }
    }

    /// The estimate of `1 - value`, for proportions: drop-off from completion.
    #[must_use]
    pub fn complement(self) -> Self {
        Self {
            value: 1.0 - self.value,
            lower: 1.0 - self.upper,
            upper: 1.0 - self.lower,
            ..self
        }
    }
}

/// How an interval was made.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Method {
    /// Wilson score interval of a proportion of independent observations.
    Wilson,
    /// Wilson interval with an effective sample size, observations being clustered by customer.
    WilsonClustered,
    /// Newcombe's hybrid score interval for a difference of two proportions.
    Newcombe,
    /// Interval of a difference, recovered from the two intervals of its parts (MOVER).
    Mover,
    /// Greenwood variance on the log(-log) scale.
    KaplanMeierLogLog,
    /// Brookmeyer-Crowley: the times at which the survival interval holds the level asked for.
    BrookmeyerCrowley,
    /// Order statistics with binomial ranks; assumes no shape.
    OrderStatistic,
    /// Exact tail probabilities (Clopper-Pearson for proportions).
    Exact,
    /// Garwood's exact interval for a Poisson count.
    Garwood,
    /// Delta-method variance with a normal or t quantile.
    DeltaMethod,
    /// Student's t interval of a mean.
    StudentT,
    /// Mantel-Haenszel pooling over strata.
    MantelHaenszel,
    /// Cliff's consistent variance with the asymmetric limits of Feng and Cliff.
    Cliff,
    /// Percentiles of bootstrap replicates.
    Bootstrap,
    /// Normal interval around an estimate with three observations added; customers with several give fewer than they gave.
    AdjustedWald,
    /// Value plus and minus a normal quantile times the standard error.
    Wald,
    /// Central interval of a beta distribution, a group's rate drawn towards those of the other groups.
    BetaBinomial,
    /// Studentised bootstrap: samples of customers tell by how many standard errors a ratio may be off.
    BootstrapT,
    /// Score interval of a mean on a scale that ends; customers with several answers give fewer than they gave.
    ScaleScore,
    /// Goodman's simultaneous intervals of shares that add up to one.
    Goodman,
    /// Robust variance of a fitted model and of the customers it is averaged over.
    Sandwich,
}

impl Method {
    /// The method's name for people.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Wilson => "Wilson score",
            Self::WilsonClustered => "Wilson score, clustered by customer",
            Self::Newcombe => "Newcombe hybrid score",
            Self::Mover => "MOVER, from two intervals",
            Self::KaplanMeierLogLog => "Kaplan-Meier, log-log",
            Self::BrookmeyerCrowley => "Brookmeyer-Crowley, log-log",
            Self::OrderStatistic => "order statistics",
            Self::Exact => "exact",
            Self::Garwood => "Garwood exact Poisson",
            Self::DeltaMethod => "delta method, clustered by customer",
            Self::StudentT => "Student t",
            Self::MantelHaenszel => "Mantel-Haenszel",
            Self::Cliff => "Cliff, asymmetric",
            Self::Bootstrap => "bootstrap percentiles",
            Self::AdjustedWald => "adjusted Wald",
            Self::Wald => "Wald",
            Self::BetaBinomial => "beta-binomial, shrunk towards the other groups",
            Self::BootstrapT => "studentised bootstrap over customers",
            Self::ScaleScore => "score interval on the scale, customers as clusters",
            Self::Goodman => "Goodman simultaneous",
            Self::Sandwich => "robust variance of the fitted model",
        }
    }
}

/// What the value of an estimate counts or measures.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Unit {
    /// A share between 0 and 1.
    Proportion,
    /// A difference of two shares, between -1 and 1.
    ProportionDifference,
    /// A number of things.
    Count,
    /// A span of time in microseconds.
    Microseconds,
    /// One quantity divided by another; may exceed 1.
    Ratio,
    /// Money in minor units (cents); the report names the currency.
    MoneyMinor,
    /// An odds ratio.
    OddsRatio,
    /// A difference without a scale of its own, between -1 and 1.
    Effect,
    /// A hundredfold difference of two shares of one whole, between -100 and 100: a net promoter score.
    NetScore,
    /// Points on the scale of a question; the question says which.
    ScalePoints,
    /// How pleasant something feels, between -1 and 1.
    Valence,
}

impl Unit {
    /// The unit's name for people.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Proportion => "share",
            Self::ProportionDifference => "difference of shares",
            Self::Count => "count",
            Self::Microseconds => "µs",
            Self::Ratio => "ratio",
            Self::MoneyMinor => "minor units",
            Self::OddsRatio => "odds ratio",
            Self::Effect => "effect size",
            Self::NetScore => "net score",
            Self::ScalePoints => "points of the scale",
            Self::Valence => "valence",
        }
    }
}

pub(crate) fn is_level(level: f64) -> bool {
    level > 0.0 && level < 1.0
}
