//! Shares that add up to one: several at once, with one promise for all of them.

use crate::clusters::{Clusters, wilson_clustered};
use crate::estimate::{Estimate, Method, is_level};
use crate::interval::wilson;

/// What shares do the categories have, all of them at once? Goodman's simultaneous intervals.
///
/// Each of the `k` intervals is Wilson's at level `1 - α/k` (its quantile is that of chi-square with one degree of freedom at `1 - α/k`), so that
/// with probability `1 - α` at least *all* of them hold their share. `level` of the estimates is the joint one.
///
/// `None` without categories or observations, or with a `level` not inside (0, 1). Source: Goodman 1965.
///
/// ```
/// let shares = desireline_stats::goodman(&[56, 72, 73, 59, 62, 87, 68], 0.95).ok_or("no data")?;
/// assert_eq!(shares.len(), 7);
/// assert!(shares[0].lower < 56.0 / 477.0 && shares[0].upper > 56.0 / 477.0);
/// # Ok::<(), &'static str>(())
/// ```
pub fn goodman(counts: &[u64], level: f64) -> Option<Vec<Estimate>> {
    let n = counts
        .iter()
        .try_fold(0_u64, |sum, k| sum.checked_add(*k))?;
    let each = level_of_each(counts.len(), level)?;
    counts
        .iter()
        .map(|&k| Some(joint(wilson(k, n, each)?, level)))
        .collect()
}

/// The same where one customer gives several observations: the sums over customers of each category, all of one base.
///
/// Each interval is that of [`wilson_clustered`] at level `1 - α/k`.
pub fn goodman_clustered(categories: &[Clusters], level: f64) -> Option<Vec<Estimate>> {
    let each = level_of_each(categories.len(), level)?;
    categories
        .iter()
        .map(|c| Some(joint(wilson_clustered(c, each)?, level)))
        .collect()
}

fn level_of_each(k: usize, level: f64) -> Option<f64> {
    (k > 0 && is_level(level)).then(|| 1.0 - (1.0 - level) / k as f64)
}

fn joint(e: Estimate, level: f64) -> Estimate {
    Estimate {
        level,
        method: Method::Goodman,
        ..e
    }
}
