//! Tables of counts: Fisher, chi-square, two proportions.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{TestMethod, TestResult};
use crate::error::{Result, StatsError};
use crate::special::{chi_square_sf, normal_p, p_value};

/// Fisher's exact p-values of a 2×2 table.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Fisher {
    /// Tables no likelier than the one seen.
    pub two_sided: f64,
    /// The first cell at most as large as seen.
    pub less: f64,
    /// The first cell at least as large as seen.
    pub greater: f64,
}

/// How surprising is this 2×2 table given its margins? Fisher's exact test.
///
/// Hypergeometric probabilities by ratios outwards from the mode, scaled to sum to 1, so tails keep their digits. Two-sided is the sum over
/// tables no likelier than the one seen, with a relative tolerance of 1e-7 for ties. An empty row or column gives 1.
/// Time grows with the number of tables that matter, some 40 standard deviations to each side.
///
/// # Errors
/// [`StatsError::Overflow`] if the counts add up to more than 2^53.
///
/// ```
/// let tea = desireline_stats::fisher_exact([[3, 1], [1, 3]])?;
/// assert!((tea.two_sided - 34.0 / 70.0).abs() < 1e-15);
/// assert!((tea.greater - 17.0 / 70.0).abs() < 1e-15);
/// # Ok::<(), desireline_stats::StatsError>(())
/// ```
pub fn fisher_exact(table: [[u64; 2]; 2]) -> Result<Fisher> {
    const LIMIT: u64 = 1 << 53;
    let [[a, b], [c, d]] = table;
    let total = [b, c, d]
        .iter()
        .try_fold(a, |sum, &x| sum.checked_add(x))
        .filter(|&n| n <= LIMIT);
    let total = total.ok_or(StatsError::Overflow {
        what: "the table",
        limit: LIMIT,
    })?;
    let (row, column) = (a + b, a + c);
    let (least, most) = ((row + column).saturating_sub(total), row.min(column));
    let mode = ((row as f64 + 1.0) * (column as f64 + 1.0) / (total as f64 + 2.0)) as u64;
    let mode = mode.clamp(least, most);

    // P(x + 1) / P(x), from which every probability follows relative to the mode's.
    let ratio = |x: u64| {
        (row - x) as f64 * (column - x) as f64
            / ((x + 1) as f64 * ((total - row) + x + 1 - column) as f64)
    };
    let mut terms = vec![(mode, 1.0)];
    let mut weight = 1.0;
    for x in mode..most {
        weight *= ratio(x);
        if weight == 0.0 {
            break;
        }
        terms.push((x + 1, weight));
    }
    weight = 1.0;
    for x in (least..mode).rev() {
        weight /= ratio(x);
        if weight == 0.0 {
            break;
        }
        terms.push((x, weight));
    }
    let seen = terms
        .iter()
        .find(|term| term.0 == a)
        .map_or(0.0, |term| term.1);
    let cut = seen * (1.0 + 1e-7);
    // Small terms first, so that the sum of a far tail is not lost in rounding.
    terms.sort_by(|a, b| a.1.total_cmp(&b.1));
    let sum_of = |keep: &dyn Fn(u64, f64) -> bool| {
        terms
            .iter()
            .filter(|t| keep(t.0, t.1))
            .map(|t| t.1)
            .sum::<f64>()
    };
    let sum = sum_of(&|_, _| true);
    Ok(Fisher {
        two_sided: p_value(sum_of(&|_, w| w <= cut) / sum),
        less: p_value(sum_of(&|x, _| x <= a) / sum),
        greater: p_value(sum_of(&|x, _| x >= a) / sum),
    })
}

/// A chi-square statistic with its degrees of freedom and p-value.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ChiSquare {
    /// The statistic.
    pub statistic: f64,
    /// Degrees of freedom: (rows - 1)(columns - 1).
    pub df: u64,
    /// Upper tail.
    pub p: f64,
    /// Smallest expected count; below 5 the p-value is rough.
    pub least_expected: f64,
    /// Cramér's V: 0 no association, 1 complete.
    pub cramers_v: f64,
}

/// Do rows and columns of a table of counts go together? Pearson's chi-square, `Σ (O - E)² / E`.
///
/// `yates` subtracts 0.5 from `|O - E|` (never below 0), in a table of two by two only. Rows and columns that are all zero are left out.
/// Cramér's V is that of the uncorrected statistic.
///
/// # Errors
/// [`StatsError::Ragged`], or [`StatsError::TooSmall`] if fewer than two rows or columns have counts, or [`StatsError::Overflow`].
///
/// ```
/// let test = desireline_stats::chi_square(&[vec![43, 9], vec![44, 4]], true)?;
/// assert!((test.statistic - 1.07249).abs() < 5e-6 && test.df == 1);
/// # Ok::<(), desireline_stats::StatsError>(())
/// ```
pub fn chi_square(table: &[Vec<u64>], yates: bool) -> Result<ChiSquare> {
    let expected = table.first().map_or(0, Vec::len);
    if let Some((row, cells)) = table
        .iter()
        .enumerate()
        .find(|(_, cells)| cells.len() != expected)
    {
        return Err(StatsError::Ragged {
            row,
            found: cells.len(),
            expected,
        });
    }
    let overflow = || StatsError::Overflow {
        what: "the table",
        limit: u64::MAX,
    };
    let add = |sum: u64, x: u64| sum.checked_add(x).ok_or_else(overflow);
    let total = table.iter().flatten().copied().try_fold(0, add)? as f64;
    let rows: Vec<u64> = table.iter().map(|cells| cells.iter().sum()).collect();
    let columns: Vec<u64> = (0..expected)
        .map(|j| table.iter().filter_map(|cells| cells.get(j)).sum())
        .collect();
    let n_rows = rows.iter().filter(|&&sum| sum > 0).count();
    let n_columns = columns.iter().filter(|&&sum| sum > 0).count();
    if n_rows < 2 || n_columns < 2 {
        return Err(StatsError::TooSmall {
            rows: n_rows,
            columns: n_columns,
        });
    }
    let correction = if yates && n_rows == 2 && n_columns == 2 {
        0.5
    } else {
        0.0
    };
    let (mut statistic, mut plain, mut least_expected) = (0.0, 0.0, f64::INFINITY);
    for (cells, &row) in table.iter().zip(&rows).filter(|(_, row)| **row > 0) {
        for (&observed, &column) in cells
            .iter()
            .zip(&columns)
            .filter(|(_, column)| **column > 0)
        {
            let expected = row as f64 * column as f64 / total;
            let off = (observed as f64 - expected).abs();
            least_expected = least_expected.min(expected);
            plain += off * off / expected;
            statistic += (off - correction).max(0.0).powi(2) / expected;
        }
    }
    let (n_rows, n_columns) = (n_rows as u64, n_columns as u64);
    let df = (n_rows - 1) * (n_columns - 1);
    let cramers_v = (plain / (total * (n_rows.min(n_columns) - 1) as f64))
        .sqrt()
        .min(1.0);
    Ok(ChiSquare {
        statistic,
        df,
        p: p_value(chi_square_sf(statistic, df as f64)),
        least_expected,
        cramers_v,
    })
}

/// Do two rates of independent observations differ?
///
/// With every expected count at least 5: the score test `z = (p1 - p2) / sqrt(p(1-p)(1/n1 + 1/n2))`, `p` pooled, which is chi-square without
/// correction. Below that Fisher's exact test takes over; [`TestResult::method`] says which, and the statistic is z in both cases.
/// If nobody or everybody succeeded there is nothing to tell apart: p is 1.
///
/// `None` if either `n` is 0 or a `k` exceeds its `n`. For several observations per customer use [`clustered_difference`](crate::clustered_difference).
///
/// ```
/// use desireline_stats::{hypothesis::TestMethod, two_proportions_p};
/// let large = two_proportions_p(100, 1000, 120, 1000).ok_or("no data")?;
/// assert!((large.p - 0.152918).abs() < 5e-7 && large.method == TestMethod::TwoProportions);
/// let small = two_proportions_p(3, 4, 1, 4).ok_or("no data")?;
/// assert!((small.p - 34.0 / 70.0).abs() < 1e-15 && small.method == TestMethod::FisherExact);
/// # Ok::<(), &'static str>(())
/// ```
pub fn two_proportions_p(k1: u64, n1: u64, k2: u64, n2: u64) -> Option<TestResult> {
    if n1 == 0 || n2 == 0 || k1 > n1 || k2 > n2 {
        return None;
    }
    let (a, b) = (n1 as f64, n2 as f64);
    let pooled = (k1 as f64 + k2 as f64) / (a + b);
    let variance = pooled * (1.0 - pooled) * (1.0 / a + 1.0 / b);
    let z = if variance > 0.0 {
        (k1 as f64 / a - k2 as f64 / b) / variance.sqrt()
    } else {
        0.0
    };
    if a.min(b) * pooled.min(1.0 - pooled) < SMALL_EXPECTED
        && let Ok(fisher) = fisher_exact([[k1, n1 - k1], [k2, n2 - k2]])
    {
        return Some(TestResult {
            p: fisher.two_sided,
            statistic: z,
            df: None,
            method: TestMethod::FisherExact,
        });
    }
    Some(TestResult {
        p: normal_p(z),
        statistic: z,
        df: None,
        method: TestMethod::TwoProportions,
    })
}

/// Below this expected count the normal approximation gives way to the exact test.
const SMALL_EXPECTED: f64 = 5.0;
