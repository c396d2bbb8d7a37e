//! Intervals of proportions, of differences and of counts, for independent observations.

use crate::estimate::{Estimate, Method, Unit, is_level};
use crate::special::{beta_quantile, gamma_quantile, z_quantile};

pub use crate::clusters::{
    Clusters, clustered_difference, clustered_difference_p, ratio_estimate, wilson_clustered,
};

/// How sure is this rate, `k` of `n` independent observations? The Wilson score interval.
///
/// Centre `(k + z²/2) / (n + z²)`, half width `z sqrt(k(n-k)/n + z²/4) / (n + z²)`. It stays in `[0, 1]`, never has zero width, and covers close to its
/// level already at small `n`. When one customer gives several observations use [`wilson_clustered`].
///
/// `None` if `n` is 0, `k > n`, or `level` is not inside (0, 1). Constant time. Source: Wilson 1927; Newcombe 1998, method 3.
///
/// ```
/// let none = desireline_stats::wilson(0, 20, 0.95).ok_or("no data")?;
/// assert_eq!((none.value, none.lower), (0.0, 0.0));
/// assert!((none.upper - 0.16113).abs() < 5e-6);
/// # Ok::<(), &'static str>(())
/// ```
pub fn wilson(k: u64, n: u64, level: f64) -> Option<Estimate> {
    if n == 0 || k > n || !is_level(level) {
        return None;
    }
    let limits = score_limits(
        k as f64 / n as f64,
        n as f64,
        z_quantile(1.0 - level),
        (k == 0, k == n),
    );
    Estimate::new(
        k as f64 / n as f64,
        limits,
        level,
        n,
        Method::Wilson,
        Unit::Proportion,
    )
}

/// Wilson limits of the share `p` for a sample size that need not be whole.
pub(crate) fn score_limits(p: f64, n: f64, z: f64, (is_zero, is_one): (bool, bool)) -> (f64, f64) {
    let z2 = z * z;
    let centre = (n * p + z2 / 2.0) / (n + z2);
    let half = z * (n * p * (1.0 - p) + z2 / 4.0).sqrt() / (n + z2);
    // At the ends one limit is exact, and rounding must not pull it inside.
    let lower = if is_zero {
        0.0
    } else {
        (centre - half).clamp(0.0, p)
    };
    let upper = if is_one {
        1.0
    } else {
        (centre + half).clamp(p, 1.0)
    };
    (lower, upper)
}

/// How sure is this rate, with a guarantee? The exact interval of Clopper and Pearson; covers at least its level, mostly more.
///
/// The limits are beta quantiles: `B(α/2; k, n-k+1)` and `B(1-α/2; k+1, n-k)`, for very many observations by formulas that are off by less than
/// 10^-5 standard errors. `None` as for [`wilson`]. Time does not grow with `n`.
///
/// ```
/// let all = desireline_stats::clopper_pearson(10, 10, 0.95).ok_or("no data")?;
/// assert!((all.lower - 0.025_f64.powf(0.1)).abs() < 1e-12 && all.upper == 1.0);
/// # Ok::<(), &'static str>(())
/// ```
pub fn clopper_pearson(k: u64, n: u64, level: f64) -> Option<Estimate> {
    if n == 0 || k > n || !is_level(level) {
        return None;
    }
    let tail = (1.0 - level) / 2.0;
    // Failures are subtracted as integers: two large floats next to each other can be equal.
    let (kf, lost, nf) = (k as f64, (n - k) as f64, n as f64);
    let lower = match k {
        0 => 0.0,
        _ if k == n => tail.powf(1.0 / nf),
        _ => beta_quantile(tail, kf, lost + 1.0),
    };
    let upper = match n - k {
        0 => 1.0,
        _ if k == 0 => -(tail.ln() / nf).exp_m1(),
        // The quantile of the other tail by symmetry, so that the small probability stays the one solved for.
        _ => 1.0 - beta_quantile(tail, lost, kf + 1.0),
    };
    let value = kf / nf;
    Estimate::new(
        value,
        (lower.min(value), upper.max(value)),
        level,
        n,
        Method::Exact,
        Unit::Proportion,
    )
}

/// How far apart are two rates of independent observations? `k1/n1 - k2/n2` with Newcombe's hybrid score interval.
///
/// Built from the two Wilson intervals as in [`difference`]. `None` if either `n` is 0, a `k` exceeds its `n`, or `level` is not inside (0, 1).
/// Source: Newcombe 1998, method 10.
///
/// ```
/// let gap = desireline_stats::newcombe(56, 70, 48, 80, 0.95).ok_or("no data")?;
/// assert!((gap.lower - 0.05243).abs() < 5e-6 && (gap.upper - 0.33387).abs() < 5e-6);
/// # Ok::<(), &'static str>(())
/// ```
pub fn newcombe(k1: u64, n1: u64, k2: u64, n2: u64, level: f64) -> Option<Estimate> {
    difference(&wilson(k1, n1, level)?, &wilson(k2, n2, level)?)
}

/// How far apart are two independent quantities, given the interval of each? `a - b` by MOVER.
///
/// With `l` and `u` the limits of each part: lower `d - sqrt((a-la)² + (ub-b)²)`, upper `d + sqrt((ua-a)² + (b-lb)²)`. For two Wilson intervals
/// this is Newcombe's interval; with clustered intervals it respects the clustering. `n` is the sum of both.
///
/// `None` if levels or units differ. Source: Zou and Donner 2008.
///
/// ```
/// use desireline_stats::{difference, wilson};
/// let (a, b) = (wilson(3, 10, 0.95).ok_or("no data")?, wilson(5, 10, 0.95).ok_or("no data")?);
/// let (forth, back) = (difference(&a, &b).ok_or("units")?, difference(&b, &a).ok_or("units")?);
/// assert_eq!((forth.value, forth.lower, forth.upper), (-back.value, -back.upper, -back.lower));
/// # Ok::<(), &'static str>(())
/// ```
pub fn difference(a: &Estimate, b: &Estimate) -> Option<Estimate> {
    if a.level != b.level || a.unit != b.unit {
        return None;
    }
    let value = a.value - b.value;
    let mut lower = value - (a.value - a.lower).hypot(b.upper - b.value);
    let mut upper = value + (a.upper - a.value).hypot(b.value - b.lower);
    let unit = match a.unit {
        Unit::Proportion => {
            lower = lower.max(-1.0);
            upper = upper.min(1.0);
            Unit::ProportionDifference
        }
        other => other,
    };
    let newcombe = a.method == Method::Wilson && b.method == Method::Wilson;
    let method = if newcombe {
        Method::Newcombe
    } else {
        Method::Mover
    };
    Estimate::new(
        value,
        (lower, upper),
        a.level,
        a.n.saturating_add(b.n),
        method,
        unit,
    )
}

/// How sure is this count of rare events? Garwood's exact interval for a Poisson count.
///
/// The limits are gamma quantiles: `G(α/2; count)` and `G(1-α/2; count + 1)`; divide all three numbers by an exposure to get a rate.
/// Above 10^4 they come from an expansion that is right to ten digits, in constant time.
/// `None` if `level` is not inside (0, 1). A count of 0 is data here (the exposure was watched): its interval starts at 0.
///
/// ```
/// let ten = desireline_stats::garwood(10, 0.95).ok_or("level")?;
/// assert!((ten.lower - 4.795389).abs() < 1e-6 && (ten.upper - 18.390356).abs() < 1e-6);
/// # Ok::<(), &'static str>(())
/// ```
pub fn garwood(count: u64, level: f64) -> Option<Estimate> {
    if !is_level(level) {
        return None;
    }
    let tail = (1.0 - level) / 2.0;
    let k = count as f64;
    let lower = if count == 0 {
        0.0
    } else {
        gamma_quantile(tail, false, k).min(k)
    };
    let upper = gamma_quantile(tail, true, k + 1.0).max(k);
    Estimate::new(
        k,
        (lower, upper),
        level,
        count,
        Method::Garwood,
        Unit::Count,
    )
}

/// How many independent observations does a rate near `p` need for an interval that reaches `half_width` to either side?
///
/// `z² p (1 - p) / h²`, rounded up; `p` = 0.5 is the safe choice. `None` if `p` is not between 0 and 1, `half_width` not above 0, the number beyond what can
/// be counted, or `level` not inside (0, 1). Constant time.
///
/// ```
/// use desireline_stats::sample_size;
/// assert_eq!(sample_size(0.5, 0.05, 0.95), Some(385));
/// assert_eq!(sample_size(0.5, 0.0, 0.95), None);
/// ```
pub fn sample_size(p: f64, half_width: f64, level: f64) -> Option<u64> {
    if !(0.0..=1.0).contains(&p) || !half_width.is_finite() || half_width <= 0.0 || !is_level(level)
    {
        return None;
    }
    let size = (z_quantile(1.0 - level) / half_width).powi(2) * p * (1.0 - p);
    (size < 1e18).then_some(size.ceil() as u64)
}
