//! Mann-Whitney from grouped values: are these values larger than those?

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{TestMethod, TestResult};
use crate::error::{Result, StatsError};
use crate::estimate::{Estimate, Method, Unit, is_level};
use crate::special::{normal_p, p_value, z_quantile};

/// Up to this many values in both groups together the permutation distribution is counted out.
const EXACT_TOTAL: u64 = 40;

/// The outcome of a Mann-Whitney test.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MannWhitney {
    /// p, method, and U of the first group as the statistic.
    pub test: TestResult,
    /// U of the first group: pairs in which its value is the larger one, ties as a half.
    pub u: f64,
    /// Values in the first group.
    pub n1: u64,
    /// Values in the second group.
    pub n2: u64,
    /// Cliff's delta at 95 %: the share of pairs in which the first is larger, minus that in which it is smaller.
    pub delta: Option<Estimate>,
}

/// Are the values of one group larger than those of another? Mann-Whitney from `(value, count)` lists, in any order.
///
/// U counts pairs. Up to 40 values in all, p is exact: all ways to share out the ranks (ties as mid-ranks) that lie at least as far from the
/// mean of U as what was seen. Above, it is normal with tie correction and a continuity correction of 0.5. The effect size is Cliff's delta with its
/// interval, see [`cliffs_delta`]. Equal values throughout give p = 1.
///
/// `None` if a group is empty. `O(k log k)` in the number of distinct values.
///
/// # Errors
/// [`StatsError::Overflow`] if the values number more than 2^40.
///
/// ```
/// use desireline_stats::{hypothesis::TestMethod, mann_whitney_grouped};
/// let once = |values: &[i64]| values.iter().map(|&v| (v, 1)).collect::<Vec<_>>();
/// let test = mann_whitney_grouped(&once(&[19, 22, 16, 29, 24]), &once(&[20, 11, 17, 12]))?.ok_or("empty")?;
/// assert_eq!((test.u, test.test.method), (17.0, TestMethod::MannWhitneyExact));
/// assert!((test.test.p - 1.0 / 9.0).abs() < 1e-15);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn mann_whitney_grouped(a: &[(i64, u64)], b: &[(i64, u64)]) -> Result<Option<MannWhitney>> {
    let pairs = Pairs::new(a, b)?;
    if pairs.n1 == 0 || pairs.n2 == 0 {
        return Ok(None);
    }
    let twice_u = pairs.twice_u();
    let u = twice_u as f64 / 2.0;
    let exact = pairs.n1 + pairs.n2 <= EXACT_TOTAL;
    let (p, method) = if exact {
        (pairs.exact_p(twice_u), TestMethod::MannWhitneyExact)
    } else {
        (pairs.normal_p(twice_u), TestMethod::MannWhitney)
    };
    let test = TestResult {
        p,
        statistic: u,
        df: None,
        method,
    };
    Ok(Some(MannWhitney {
        test,
        u,
        n1: pairs.n1,
        n2: pairs.n2,
        delta: pairs.delta(0.95),
    }))
}

/// By how much do the values of one group tend to exceed those of another? Cliff's delta, between -1 and 1.
///
/// The share of pairs in which the first group's value is larger minus the share in which it is smaller: `2U/(n1 n2) - 1`. The interval has Cliff's
/// consistent variance and the asymmetric limits of Feng and Cliff 2004; where the groups do not overlap at all (`|delta|` = 1) the inner limit is
/// `(n - z²)/(n + z²)`, `n` the smaller group. `None` if a group has fewer than two values or the level is not inside (0, 1).
///
/// # Errors
/// [`StatsError::Overflow`] if the values number more than 2^40.
///
/// ```
/// let delta = desireline_stats::hypothesis::cliffs_delta(&[(1, 5), (2, 5)], &[(2, 5), (3, 5)], 0.95)?.ok_or("too few")?;
/// assert_eq!(delta.value, -0.75);
/// assert!(delta.lower > -1.0 && delta.upper < 0.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn cliffs_delta(a: &[(i64, u64)], b: &[(i64, u64)], level: f64) -> Result<Option<Estimate>> {
    Ok(Pairs::new(a, b)?.delta(level))
}

/// Distinct values ascending, with their count in either group.
struct Pairs {
    rows: Vec<(i64, u64, u64)>,
    n1: u64,
    n2: u64,
}

impl Pairs {
    fn new(a: &[(i64, u64)], b: &[(i64, u64)]) -> Result<Self> {
        const LIMIT: u64 = 1 << 40;
        let total = |group: &[(i64, u64)]| {
            group
                .iter()
                .try_fold(0_u64, |sum, row| sum.checked_add(row.1))
        };
        let (Some(n1), Some(n2)) = (total(a), total(b)) else {
            return Err(StatsError::Overflow {
                what: "values",
                limit: LIMIT,
            });
        };
        if n1 > LIMIT || n2 > LIMIT {
            return Err(StatsError::Overflow {
                what: "values",
                limit: LIMIT,
            });
        }
        let first = a.iter().map(|&(value, count)| (value, count, 0));
        let second = b.iter().map(|&(value, count)| (value, 0, count));
        let mut rows: Vec<_> = first
            .chain(second)
            .filter(|row| row.1 + row.2 > 0)
            .collect();
        rows.sort_unstable();
        rows.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            if same {
                kept.1 += next.1;
                kept.2 += next.2;
            }
            same
        });
        Ok(Self { rows, n1, n2 })
    }

    /// Twice U of the first group: a pair won counts 2, a tie 1.
    fn twice_u(&self) -> u128 {
        let (mut below, mut sum) = (0_u128, 0_u128);
        for &(_, x, y) in &self.rows {
            sum += u128::from(x) * (2 * below + u128::from(y));
            below += u128::from(y);
        }
        sum
    }

    fn normal_p(&self, twice_u: u128) -> f64 {
        let (n1, n2) = (self.n1 as f64, self.n2 as f64);
        let n = n1 + n2;
        let ties: f64 = self
            .rows
            .iter()
            .map(|row| (row.1 + row.2) as f64)
            .map(|t| t * t * t - t)
            .sum();
        let variance = n1 * n2 / 12.0 * ((n + 1.0) - ties / (n * (n - 1.0)));
        // |2U - n1 n2| in integers, then half of it less the continuity correction.
        let off = twice_u.abs_diff(u128::from(self.n1) * u128::from(self.n2)) as f64 / 2.0 - 0.5;
        if variance <= 0.0 || off <= 0.0 {
            1.0
        } else {
            normal_p(off / variance.sqrt())
        }
    }

    /// Share of all ways to choose `n1` of the values whose U is at least as far from its mean as the one seen.
    fn exact_p(&self, twice_u: u128) -> f64 {
        let (n1, pairs) = (self.n1 as usize, (self.n1 * self.n2) as usize);
        // ways[j][s]: ways to have given j values to the first group, twice its U so far being s.
        let width = 2 * pairs + 1;
        let mut ways = vec![vec![0.0_f64; width]; n1 + 1];
        ways[0][0] = 1.0;
        let mut seen = 0_usize;
        for row in &self.rows {
            let tied = (row.1 + row.2) as usize;
            let mut next = vec![vec![0.0; width]; n1 + 1];
            for (j, sums) in ways.iter().enumerate().take(n1.min(seen) + 1) {
                for c in 0..=tied.min(n1 - j) {
                    // The c beat all earlier ones of the second group and tie with those in this row.
                    let gain = c * (2 * (seen - j) + tied - c);
                    let weight = choose(tied, c);
                    for (s, &count) in sums.iter().enumerate().filter(|(_, count)| **count > 0.0) {
                        if let Some(slot) = next[j + c].get_mut(s + gain) {
                            *slot += count * weight;
                        }
                    }
                }
            }
            ways = next;
            seen += tied;
        }
        let off = twice_u.abs_diff(pairs as u128);
        let far = |s: usize| (s as u128).abs_diff(pairs as u128) >= off;
        let all: f64 = ways[n1].iter().sum();
        let extreme: f64 = ways[n1]
            .iter()
            .enumerate()
            .filter(|(s, _)| far(*s))
            .map(|(_, count)| count)
            .sum();
        p_value(extreme / all)
    }

    fn delta(&self, level: f64) -> Option<Estimate> {
        if self.n1 < 2 || self.n2 < 2 || !is_level(level) {
            return None;
        }
        let (n1, n2) = (self.n1 as f64, self.n2 as f64);
        let pairs = n1 * n2;
        let d = self.twice_u() as f64 / pairs - 1.0;
        let z = z_quantile(1.0 - level);
        let (mut rows, mut columns, mut ties) = (0.0, 0.0, 0.0);
        let (mut x_below, mut y_below) = (0.0, 0.0);
        for &(_, x, y) in &self.rows {
            let (x, y) = (x as f64, y as f64);
            let row_mean = (2.0 * y_below + y - n2) / n2;
            let column_mean = (n1 - 2.0 * x_below - x) / n1;
            rows += x * (row_mean - d).powi(2);
            columns += y * (column_mean - d).powi(2);
            ties += x * y;
            x_below += x;
            y_below += y;
        }
        let limits = if d.abs() >= 1.0 {
            let n = n1.min(n2);
            let inner = (n - z * z) / (n + z * z);
            if d > 0.0 {
                (inner, 1.0)
            } else {
                (-1.0, -inner)
            }
        } else {
            let cells = pairs - ties - pairs * d * d;
            let variance =
                (n2 * n2 * rows + n1 * n1 * columns - cells) / (pairs * (n1 - 1.0) * (n2 - 1.0));
            // Cliff's floor: the unbiased variance can come out too small, even negative.
            let variance = variance.max((1.0 - d * d) / (pairs - 1.0));
            let (centre, zs2) = (d - d * d * d, z * z * variance);
            let reach = zs2.sqrt() * ((1.0 - d * d).powi(2) + zs2).sqrt();
            let scale = 1.0 - d * d + zs2;
            (
                ((centre - reach) / scale).clamp(-1.0, d),
                ((centre + reach) / scale).clamp(d, 1.0),
            )
        };
        Estimate::new(
            d,
            limits,
            level,
            self.n1 + self.n2,
            Method::Cliff,
            Unit::Effect,
        )
    }
}

fn choose(n: usize, k: usize) -> f64 {
    (0..k)
        .fold(1.0, |ways, i| ways * (n - i) as f64 / (i + 1) as f64)
        .round()
}
