//! Numbers with their uncertainty: intervals, tests, multiple testing, survival, order-free sums and quantiles.
//!
//! This crate knows counts, times and clusters; it knows nothing of events or journeys. Three promises hold throughout:
//!
//! - **No number without its doubt.** A quantity comes as an [`Estimate`]: value, lower, upper, level, n, method, unit.
//!   Where there is no data the answer is `None`, never `0`.
//! - **No order, no chance.** Accumulators ([`Clusters`], [`Distribution`], [`ExactSum`]) hold integers, so any split of the data and
//!   any order of merging give the same bytes. Anything random takes an explicit seed.
//! - **Small p-values stay numbers.** Tails are computed as tails, not as one minus a sum; p is finite and above 0.
//!
//! | question | where |
//! |---|---|
//! | how sure is this rate? | [`wilson`], or [`wilson_clustered`] when one customer gives several observations |
//! | how much larger is one share of a whole than another (net promoters)? | [`net_share`], or [`NetClusters`] when one customer gives several observations |
//! | how many observations does a rate need? | [`sample_size`] |
//! | how far apart are two rates? | [`newcombe`], [`difference`], [`two_proportions_p`], [`clustered_difference`] |
//! | how far apart are two rates of the same customers? | [`Sides`]; [`cautious_p`] where it is not known how they go together |
//! | do k groups differ? | [`chi_square`], [`fisher_exact`], or [`heterogeneity`] when one customer gives several observations |
//! | what is known of small groups among others? | [`Beta`] |
//! | are these times longer than those? | [`mann_whitney_grouped`], [`log_rank`], or [`log_rank_clustered`] when one customer gives several |
//! | how long until it happens, some not having finished? | [`KaplanMeier`], [`ClusteredTimes`] |
//! | what is the median, and how sure? | [`Distribution`] |
//! | how large is the mean? | [`mean`], [`ratio_estimate`]; [`mean::bounded_mean`] on a scale with ends; [`bootstrap_t`] when a few customers are far above the others |
//! | what shares have several categories at once? | [`goodman`] |
//! | which of these many p-values count? | [`benjamini_hochberg`] and its neighbours |
//! | does a hidden third factor turn the answer round? | [`simpson`], [`mantel_haenszel`] |
//! | do two judgements of the same units agree, and has a share moved? | [`Agreement`], [`stability_index`] |
//! | what would chance alone do? | [`resample`] |
//!
//! ```
//! use desireline_stats::{newcombe, wilson};
//!
//! let rate = wilson(81, 263, 0.95).ok_or("no data")?;
//! assert!((rate.lower - 0.25529).abs() < 5e-6 && (rate.upper - 0.36621).abs() < 5e-6);
//!
//! let gap = newcombe(56, 70, 48, 80, 0.95).ok_or("no data")?;
//! assert!((gap.value - 0.2).abs() < 1e-12 && gap.lower > 0.05);
//! # Ok::<(), &'static str>(())
//! ```
#![forbid(unsafe_code)]

pub mod agreement;
pub mod bootstrap;
pub mod clusters;
pub mod clv;
pub mod control;
pub mod distribution;
mod error;
pub mod estimate;
pub mod exact_sum;
pub mod groups;
pub mod hypothesis;
pub mod interval;
pub mod mean;
pub mod multinomial;
pub mod multiple;
pub mod net;
pub mod overlap;
pub mod resample;
mod special;
pub mod stratified;
pub mod survival;

pub use agreement::{Agreement, stability_index};
pub use bootstrap::bootstrap_t;
pub use clusters::{
    Clusters, clustered_difference, clustered_difference_p, ratio_estimate, wilson_clustered,
};
pub use distribution::{Distribution, Ordered};
pub use error::{Result, StatsError};
pub use estimate::{Estimate, Method, Unit};
pub use exact_sum::ExactSum;
pub use groups::{Beta, heterogeneity};
pub use hypothesis::{
    TestMethod, TestResult, chi_square, fisher_exact, log_rank, log_rank_clustered,
    mann_whitney_grouped, two_proportions_p,
};
pub use interval::{clopper_pearson, difference, garwood, newcombe, sample_size, wilson};
pub use multinomial::{goodman, goodman_clustered};
pub use multiple::{benjamini_hochberg, benjamini_yekutieli, bonferroni, holm};
pub use net::{NetClusters, net_share, net_share_wald};
pub use overlap::{Sides, cautious_p};
pub use stratified::{mantel_haenszel, simpson};
pub use survival::{ClusteredTimes, KaplanMeier};
