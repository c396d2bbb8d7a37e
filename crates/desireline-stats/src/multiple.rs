//! Many tests at once: which p-values still count when all that were looked at are counted in.
//!
//! Each function takes the p-values of *everything shown*, in any order, and returns adjusted values in that same order. Compare an adjusted value with
//! the share of false alarms (BH, BY) or the chance of any false alarm (Holm, Bonferroni) that can be borne.

use crate::error::{Result, StatsError};

/// Adjusted p-values (q-values) of Benjamini and Hochberg: controls the expected share of false findings.
///
/// `q_(i) = min over j >= i of p_(j) m / j`, at most 1. Valid for independent or positively dependent tests. `O(m log m)`.
///
/// # Errors
/// [`StatsError::PValue`] for a value that is NaN or outside `[0, 1]`.
///
/// ```
/// let q = desireline_stats::benjamini_hochberg(&[0.01, 0.04, 0.03])?;
/// assert_eq!(q, [0.03, 0.04, 0.04]);
/// # Ok::<(), desireline_stats::StatsError>(())
/// ```
pub fn benjamini_hochberg(p: &[f64]) -> Result<Vec<f64>> {
    step_up(p, 1.0)
}

/// Adjusted p-values of Benjamini and Yekutieli: as [`benjamini_hochberg`], times `1 + 1/2 + … + 1/m`; valid under any dependence.
///
/// # Errors
/// [`StatsError::PValue`] for a value that is NaN or outside `[0, 1]`.
///
/// ```
/// let q = desireline_stats::benjamini_yekutieli(&[0.01, 0.04])?;
/// assert_eq!(q, [0.03, 0.06]);
/// # Ok::<(), desireline_stats::StatsError>(())
/// ```
pub fn benjamini_yekutieli(p: &[f64]) -> Result<Vec<f64>> {
    let harmonic = (1..=p.len()).rev().map(|i| 1.0 / i as f64).sum();
    step_up(p, harmonic)
}

/// Adjusted p-values of Holm: controls the chance of any false finding, under any dependence, and beats [`bonferroni`] everywhere.
///
/// `h_(i) = max over j <= i of p_(j) (m - j + 1)`, at most 1.
///
/// # Errors
/// [`StatsError::PValue`] for a value that is NaN or outside `[0, 1]`.
///
/// ```
/// let h = desireline_stats::holm(&[0.01, 0.04, 0.03])?;
/// assert_eq!(h, [0.03, 0.06, 0.06]);
/// # Ok::<(), desireline_stats::StatsError>(())
/// ```
pub fn holm(p: &[f64]) -> Result<Vec<f64>> {
    let order = ascending(p)?;
    let mut adjusted = vec![1.0; p.len()];
    let mut worst = 0.0_f64;
    for (rank, &i) in order.iter().enumerate() {
        worst = worst.max((p[i] * (p.len() - rank) as f64).min(1.0));
        adjusted[i] = worst;
    }
    Ok(adjusted)
}

/// Adjusted p-values of Bonferroni: `p m`, at most 1.
///
/// # Errors
/// [`StatsError::PValue`] for a value that is NaN or outside `[0, 1]`.
///
/// ```
/// assert_eq!(desireline_stats::bonferroni(&[0.25, 0.5])?, [0.5, 1.0]);
/// # Ok::<(), desireline_stats::StatsError>(())
/// ```
pub fn bonferroni(p: &[f64]) -> Result<Vec<f64>> {
    ascending(p)?;
    let m = p.len() as f64;
    Ok(p.iter().map(|p| (p * m).min(1.0)).collect())
}

fn step_up(p: &[f64], factor: f64) -> Result<Vec<f64>> {
    let order = ascending(p)?;
    let m = p.len() as f64;
    let mut adjusted = vec![1.0; p.len()];
    let mut least = 1.0_f64;
    for (rank, &i) in order.iter().enumerate().rev() {
        least = least.min(p[i] * (m * factor) / (rank + 1) as f64);
        // A q-value is never below its own p-value, which rounding could make it.
        least = least.max(p[i]);
        adjusted[i] = least;
    }
    Ok(adjusted)
}

/// Positions in ascending order of p, after checking every value.
fn ascending(p: &[f64]) -> Result<Vec<usize>> {
    if let Some(index) = p.iter().position(|p| !(0.0..=1.0).contains(p)) {
        return Err(StatsError::PValue {
            index,
            value: p[index],
        });
    }
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&a, &b| p[a].total_cmp(&p[b]).then(a.cmp(&b)));
    Ok(order)
}
