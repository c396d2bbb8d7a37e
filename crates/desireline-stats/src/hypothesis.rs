//! Tests: how surprising is this difference, if in truth there is none?
//!
//! A p-value says how surprising, not how large: look at the estimate and its interval first. All p-values here are two-sided unless a
//! function says otherwise, at most 1, and never 0.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod log_rank;
mod rank;
mod table;

pub use log_rank::{LogRank, Weights, log_rank, log_rank_clustered};
pub use rank::{MannWhitney, cliffs_delta, mann_whitney_grouped};
pub use table::{ChiSquare, Fisher, chi_square, fisher_exact, two_proportions_p};

/// The outcome of a test.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TestResult {
    /// Two-sided p-value, above 0 and at most 1.
    pub p: f64,
    /// The test's statistic: z, t, chi-square, U, or for Fisher's exact test the z of the score test.
    pub statistic: f64,
    /// Degrees of freedom, where the reference distribution has them.
    pub df: Option<f64>,
    /// Which test it was.
    pub method: TestMethod,
}

/// Which test made a p-value.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TestMethod {
    /// Score test of two proportions with pooled variance.
    TwoProportions,
    /// Fisher's exact test.
    FisherExact,
    /// Pearson's chi-square.
    ChiSquare,
    /// Pearson's chi-square with Yates' correction.
    ChiSquareYates,
    /// Score test of two clustered proportions with effective sizes.
    RaoScott,
    /// Mann-Whitney, normal approximation with tie and continuity correction.
    MannWhitney,
    /// Mann-Whitney, exact permutation distribution.
    MannWhitneyExact,
    /// Log-rank test, weighted or not.
    LogRank,
    /// Log-rank test whose variance is that of the customers' sums.
    LogRankClustered,
    /// Cochran-Mantel-Haenszel test over strata.
    MantelHaenszel,
    /// Breslow-Day test of equal odds ratios, with Tarone's correction.
    BreslowDay,
    /// Welch's t test of two means.
    Welch,
}

impl TestMethod {
    /// The test's name for people.
    pub const fn label(self) -> &'static str {
        match self {
            Self::TwoProportions => "two proportions, score",
            Self::FisherExact => "Fisher exact",
            Self::ChiSquare => "chi-square",
            Self::ChiSquareYates => "chi-square, Yates",
            Self::RaoScott => "score, clustered by customer",
            Self::MannWhitney => "Mann-Whitney",
            Self::MannWhitneyExact => "Mann-Whitney exact",
            Self::LogRank => "log-rank",
            Self::LogRankClustered => "log-rank, clustered by customer",
            Self::MantelHaenszel => "Mantel-Haenszel",
            Self::BreslowDay => "Breslow-Day, Tarone",
            Self::Welch => "Welch t",
        }
    }
}
