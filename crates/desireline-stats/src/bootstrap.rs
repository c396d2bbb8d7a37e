//! The bootstrap over customers: what other samples of as many customers would have given.

use crate::estimate::{Estimate, Method, Unit, is_level};
use crate::mean::ClusteredMoments;
use crate::resample::uniform;
use crate::special::{normal_cdf, normal_quantile};

/// How many samples are drawn.
pub const REPLICATES: u64 = 999;

/// Above so many customers the samples would tell what the delta method says at once.
pub const MOST_CUSTOMERS: usize = 20_000;

/// How large is this ratio of two sums over customers, when a few of them are far above the others? `Σx / Σn` by the BCa bootstrap.
///
/// Customer `i` gives `(x_i, n_i)`, such as their money and their orders; those with `n_i = 0` say nothing and are left out. [`REPLICATES`] samples of as
/// many customers are drawn with replacement; the interval is made of percentiles of their ratios, corrected for bias (`z0`, from the
/// share of samples below the ratio) and for skewness (acceleration `a`, from leaving out one customer at a time).
///
/// Nothing but the set of pairs and the seed decides: pairs are put in order first. Above [`MOST_CUSTOMERS`] it is the delta method's interval
/// ([`ClusteredMoments::mean`]). `None` with fewer than two customers, or a level not inside (0, 1).
/// Time: `O(REPLICATES × customers)`. Source: Efron 1987.
///
/// ```
/// use desireline_stats::bootstrap::bca_ratio;
/// let orders = [(3_000, 2), (1_000, 1), (500, 1), (90_000, 4), (2_500, 1), (4_000, 2)];
/// let mean = bca_ratio(&orders, 7, 0.95).ok_or("too few")?;
/// assert_eq!(mean.n, 11);
/// assert!(mean.upper - mean.value > mean.value - mean.lower, "one customer is far above the others");
/// # Ok::<(), &'static str>(())
/// ```
pub fn bca_ratio(pairs: &[(i64, u32)], seed: u64, level: f64) -> Option<Estimate> {
    let mut pairs: Vec<(i64, u32)> = pairs.iter().filter(|p| p.1 > 0).copied().collect();
    if pairs.len() < 2 || !is_level(level) {
        return None;
    }
    let mut sums = ClusteredMoments::default();
    for &(x, n) in &pairs {
        sums.add(x.into(), n.into());
    }
    if pairs.len() > MOST_CUSTOMERS {
        return sums.mean(level);
    }
    pairs.sort_unstable();
    let (all_x, all_n) = (sums.sum as f64, sums.n as f64);
    let ratio = all_x / all_n;
    let m = pairs.len();
    let mut samples: Vec<f64> = (0..REPLICATES)
        .map(|r| {
            let (mut x, mut n) = (0_i128, 0_u64);
            for draw in 0..m as u64 {
                let i = (uniform(seed, r, draw) * m as f64) as usize;
                let (xi, ni) = pairs[i.min(m - 1)];
                x += i128::from(xi);
                n += u64::from(ni);
            }
            x as f64 / n as f64
        })
        .collect();
    samples.sort_unstable_by(f64::total_cmp);

    // Leaving out one customer: how skewed the ratio's influence is.
    let left_out = |&(x, n): &(i64, u32)| (all_x - x as f64) / (all_n - f64::from(n));
    let mean = pairs.iter().map(left_out).sum::<f64>() / m as f64;
    let (mut squares, mut cubes) = (0.0, 0.0);
    for pair in &pairs {
        let d = mean - left_out(pair);
        squares += d * d;
        cubes += d * d * d;
    }
    let acceleration = if squares > 0.0 {
        cubes / (6.0 * squares.powf(1.5))
    } else {
        0.0
    };
    let below = samples.partition_point(|s| *s < ratio) as f64;
    let not_above = samples.partition_point(|s| *s <= ratio) as f64;
    let b = samples.len() as f64;
    // Ties count half; a share of 0 or 1 would put the correction at infinity.
    let share = ((below + not_above) / (2.0 * b)).clamp(0.5 / b, 1.0 - 0.5 / b);
    let bias = normal_quantile(share);
    let at = |tail: f64| {
        let z = bias + normal_quantile(tail);
        let p = normal_cdf(bias + z / (1.0 - acceleration * z));
        let rank = (p * (b + 1.0)).round().clamp(1.0, b) as usize;
        samples[rank - 1]
    };
    let tail = (1.0 - level) / 2.0;
    Estimate::new(
        ratio,
        (at(tail).min(ratio), at(1.0 - tail).max(ratio)),
        level,
        sums.n,
        Method::Bca,
        Unit::Ratio,
    )
}
