//! Log-rank: do groups differ in how long it takes?

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{TestMethod, TestResult};
use crate::error::{Result, StatsError};
use crate::exact_sum::ExactSum;
use crate::special::{chi_square_sf, p_value, t_p};
use crate::survival::{ClusteredTimes, tidy};

/// How much each event time counts in a log-rank test.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Weights {
    /// All the same: best when hazards are proportional.
    #[default]
    LogRank,
    /// The number at risk (Gehan, Breslow): early differences count more.
    Wilcoxon,
    /// Its square root.
    TaroneWare,
    /// The pooled survival `Π (1 - d/(n+1))`: early differences, whatever the censoring.
    Peto,
    /// `S(t-)^p (1 - S(t-))^q` of the pooled curve: `q` > 0 for late differences.
    FlemingHarrington {
        /// Power of the share still without the event.
        p: f64,
        /// Power of the share with it.
        q: f64,
    },
}

/// The outcome of a log-rank test.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LogRank {
    /// Chi-square statistic.
    pub statistic: f64,
    /// Degrees of freedom: groups that could be compared, minus one.
    pub df: u64,
    /// Upper tail.
    pub p: f64,
    /// Events seen, by group.
    pub observed: Vec<u64>,
    /// Events expected if there were no difference, by group (not weighted).
    pub expected: Vec<f64>,
}

/// Do groups differ in how long it takes until the event, when some have not had it yet? The log-rank test.
///
/// Each group is a list of `(time, events, censored)` in any order. At every event time, events `d` of `n` at risk are shared out in proportion to those
/// at risk; the weighted sums of seen minus expected, with their hypergeometric covariance, give a chi-square.
///
/// # Errors
/// [`StatsError::TooSmall`] if fewer than two groups were ever at risk together at an event; [`StatsError::Parameter`] for a negative or not finite
/// Fleming-Harrington power; [`StatsError::Overflow`].
///
/// ```
/// use desireline_stats::{hypothesis::Weights, log_rank};
/// let slow = vec![(4, 1, 0), (7, 1, 0), (9, 2, 0), (12, 1, 2)];
/// let fast = vec![(1, 2, 0), (2, 2, 0), (3, 1, 1), (5, 1, 0)];
/// let test = log_rank(&[slow, fast], Weights::LogRank)?;
/// assert_eq!((test.df, test.observed), (1, vec![5, 6]));
/// assert!(test.p < 0.01);
/// # Ok::<(), desireline_stats::StatsError>(())
/// ```
pub fn log_rank(groups: &[impl AsRef<[(i64, u64, u64)]>], weights: Weights) -> Result<LogRank> {
    if let Weights::FlemingHarrington { p, q } = weights {
        for (name, value) in [("p", p), ("q", q)] {
            if !(value.is_finite() && value >= 0.0) {
                return Err(StatsError::Parameter {
                    name,
                    value,
                    allowed: "0 or more",
                });
            }
        }
    }
    let k = groups.len();
    let mut rows: Vec<(i64, usize, u64, u64)> = Vec::new();
    let mut at_risk = vec![0_u64; k];
    let mut total = 0_u64;
    for (group, counts) in groups.iter().enumerate() {
        for (time, events, censored) in tidy(counts.as_ref())? {
            at_risk[group] += events + censored;
            rows.push((time, group, events, censored));
        }
        let overflow = StatsError::Overflow {
            what: "events and censored",
            limit: u64::MAX,
        };
        total = total.checked_add(at_risk[group]).ok_or(overflow)?;
    }
    rows.sort_unstable();

    let mut observed = vec![0_u64; k];
    let mut expected = vec![0.0; k];
    let mut difference = vec![0.0; k];
    let mut covariance = vec![vec![0.0; k]; k];
    let (mut survival, mut modified) = (1.0, 1.0);
    for at_time in rows.chunk_by(|a, b| a.0 == b.0) {
        let events: u64 = at_time.iter().map(|row| row.2).sum();
        if events > 0 {
            let (d, n) = (events as f64, total as f64);
            modified *= 1.0 - d / (n + 1.0);
            let weight = match weights {
                Weights::LogRank => 1.0,
                Weights::Wilcoxon => n,
                Weights::TaroneWare => n.sqrt(),
                Weights::Peto => modified,
                Weights::FlemingHarrington { p, q } => {
                    f64::powf(survival, p) * f64::powf(1.0 - survival, q)
                }
            };
            survival *= (total - events) as f64 / n;
            for row in at_time {
                observed[row.1] += row.2;
                difference[row.1] += weight * row.2 as f64;
            }
            // One left at risk: nothing is random any more.
            let spread = if total > 1 {
                d * (n - d) / (n - 1.0)
            } else {
                0.0
            };
            for i in 0..k {
                let share = at_risk[i] as f64 / n;
                expected[i] += d * share;
                difference[i] -= weight * d * share;
                for (j, cell) in covariance[i].iter_mut().enumerate() {
                    let same = if i == j { 1.0 } else { 0.0 };
                    *cell += weight * weight * spread * share * (same - at_risk[j] as f64 / n);
                }
            }
        }
        for row in at_time {
            at_risk[row.1] -= row.2 + row.3;
            total -= row.2 + row.3;
        }
    }
    let (statistic, df) = quadratic_form(covariance, difference);
    if df == 0 {
        return Err(StatsError::TooSmall {
            rows: observed.iter().filter(|&&o| o > 0).count(),
            columns: 1,
        });
    }
    let p = p_value(chi_square_sf(statistic, df as f64));
    Ok(LogRank {
        statistic,
        df,
        p,
        observed,
        expected,
    })
}

/// Do two groups differ in how long it takes until the event, when one customer gives several times? The log-rank test with the customer as unit.
///
/// The sum of seen minus expected events of the first group, as in [`log_rank`], is also a sum over customers: an observation of time `x` adds
/// `δ (Z - e(x)) - Σ_{t <= x} (Z - e(t)) d/n`, with `δ` whether it is an event, `Z` whether it is of the first group, and `e` the first group's share of those at
/// risk. The variance is `m/(m-1)` times the sum of the squares of these over the `m` customers, whatever the resemblance within them. p is from Student's t
/// on the effective number of customers less two. Where every customer has one time it is [`log_rank`] itself. The two sets of customers must be disjoint.
///
/// `None` where the groups were never at risk together at an event. Sources: Lin and Wei 1989; Lee, Wei and Amato 1992.
///
/// # Errors
/// [`StatsError::Overflow`].
///
/// ```
/// use desireline_stats::{ClusteredTimes, hypothesis::TestMethod, log_rank_clustered};
/// let (mut app, mut web) = (ClusteredTimes::default(), ClusteredTimes::default());
/// for i in 0..50 {
///     app.add(&mut [(10 + i, true), (12 + i, true)]);
///     web.add(&mut [(30 + i, true), (35 + i, false)]);
/// }
/// let test = log_rank_clustered(&app, &web)?.ok_or("no data")?;
/// assert!(test.p < 1e-4 && test.method == TestMethod::LogRankClustered);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn log_rank_clustered(a: &ClusteredTimes, b: &ClusteredTimes) -> Result<Option<TestResult>> {
    let (counts_a, counts_b) = (a.counts(), b.counts());
    if a.is_independent() && b.is_independent() {
        return match log_rank(&[counts_a, counts_b], Weights::LogRank) {
            Ok(test) => Ok(Some(TestResult {
                p: test.p,
                statistic: test.statistic,
                df: Some(test.df as f64),
                method: TestMethod::LogRank,
            })),
            Err(StatsError::TooSmall { .. }) => Ok(None),
            Err(error) => Err(error),
        };
    }
    let expected = Expected::new(a, &counts_a, b, &counts_b);
    // Exact sums: customers come in any order, and each of them in its own.
    let (mut score, mut squares) = (ExactSum::new(), ExactSum::new());
    let (mut m, mut n, mut nn) = (0_u64, 0_u64, 0_u128);
    for (times, first) in [(a, 1.0), (b, 0.0)] {
        for customer in times.of_customers() {
            let (mut sum, mut size) = (0.0, 0_u64);
            for (time, event) in customer {
                sum += expected.residual(time, event, first);
                size += 1;
            }
            score.add(sum);
            squares.add(sum * sum);
            m += 1;
            n += size;
            nn += u128::from(size) * u128::from(size);
        }
    }
    let (Some(score), Some(squares)) = (score.value(), squares.value()) else {
        return Ok(None);
    };
    let (m, n, nn) = (m as f64, n as f64, nn as f64);
    // Rounding leaves something where every sum is 0 in truth.
    if m < 2.0 || squares <= 1e-18 * n {
        return Ok(None);
    }
    let t = score / (squares * m / (m - 1.0)).sqrt();
    let df = (n * n / nn - 2.0).max(1.0);
    Ok(Some(TestResult {
        p: t_p(t, df),
        statistic: t,
        df: Some(df),
        method: TestMethod::LogRankClustered,
    }))
}

/// What is expected by each event time of both groups together.
struct Expected {
    /// Event times, ascending.
    times: Vec<i64>,
    /// The first group's share of those at risk at each; events per head up to and with it; the same times the share.
    shares: Vec<(f64, f64, f64)>,
}

impl Expected {
    fn new(
        a: &ClusteredTimes,
        counts_a: &[(i64, u64, u64)],
        b: &ClusteredTimes,
        counts_b: &[(i64, u64, u64)],
    ) -> Expected {
        let of = |counts: &[(i64, u64, u64)], first: bool| {
            let row = |&(time, events, censored): &(i64, u64, u64)| (time, first, events, censored);
            counts.iter().map(row).collect::<Vec<_>>()
        };
        let mut rows = of(counts_a, true);
        rows.extend(of(counts_b, false));
        rows.sort_unstable();
        let (mut at_risk_a, mut at_risk) = (a.n(), a.n() + b.n());
        let mut expected = Expected {
            times: Vec::new(),
            shares: Vec::new(),
        };
        let (mut hazard, mut shared) = (0.0, 0.0);
        for at_time in rows.chunk_by(|x, y| x.0 == y.0) {
            let events: u64 = at_time.iter().map(|row| row.2).sum();
            if events > 0 {
                let share = at_risk_a as f64 / at_risk as f64;
                let per_head = events as f64 / at_risk as f64;
                hazard += per_head;
                shared += share * per_head;
                expected.times.push(at_time[0].0);
                expected.shares.push((share, hazard, shared));
            }
            for &(_, first, events, censored) in at_time {
                at_risk -= events + censored;
                at_risk_a -= if first { events + censored } else { 0 };
            }
        }
        expected
    }

    fn residual(&self, time: i64, event: bool, first: f64) -> f64 {
        let done = self.times.partition_point(|&t| t <= time);
        let Some(&(share, hazard, shared)) = done.checked_sub(1).and_then(|i| self.shares.get(i))
        else {
            return 0.0;
        };
        let seen = if event { first - share } else { 0.0 };
        seen - (first * hazard - shared)
    }
}

/// `xᵀ V⁻ x` and the rank of V, a covariance matrix whose rows may depend on each other: elimination with diagonal pivots, largest first.
fn quadratic_form(mut v: Vec<Vec<f64>>, mut x: Vec<f64>) -> (f64, u64) {
    let k = x.len();
    let scale = (0..k).map(|i| v[i][i]).fold(0.0, f64::max);
    let (mut statistic, mut rank) = (0.0, 0);
    let mut left: Vec<usize> = (0..k).collect();
    while let Some(&pivot) = left
        .iter()
        .max_by(|&&a, &&b| v[a][a].total_cmp(&v[b][b]).then(b.cmp(&a)))
    {
        let size = v[pivot][pivot];
        if size <= scale * 1e-10 {
            break;
        }
        statistic += x[pivot] * x[pivot] / size;
        rank += 1;
        left.retain(|&i| i != pivot);
        for &i in &left {
            let factor = v[i][pivot] / size;
            x[i] -= factor * x[pivot];
            for &j in &left {
                v[i][j] -= factor * v[pivot][j];
            }
        }
    }
    (statistic, rank)
}
