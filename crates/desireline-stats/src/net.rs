//! The difference of two shares of one whole: promoters less detractors, gains less losses.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::estimate::{Estimate, Method, Unit, is_level};
use crate::mean::ClusteredMoments;
use crate::special::{t_quantile, z_quantile};

/// How much larger is the share of the plus than that of the minus among `n` independent observations? `(plus - minus) / n` with an adjusted Wald
/// interval.
///
/// Three observations are added, of which three quarters plus and three quarters minus: with `p` and `q` the shares among `n + 3`, the limits are
/// `p - q ± z sqrt((p + q - (p - q)²) / (n + 3))`, cut at -1 and 1. The value stays the one of the sample.
///
/// With fewer than 30 observations that is too narrow where one side is rare: of ten answers of which nine or more promote it holds .91 to .93. There
/// neither limit is nearer than that of Tango's score interval, which asks of each difference whether the sample would be strange if it were true.
///
/// `None` if `n` is 0, `plus + minus > n`, or `level` is not inside (0, 1). Constant time. Sources: Rocks 2016; Agresti and Min 2005; Tango 1998.
///
/// ```
/// use desireline_stats::{net_share, net_share_wald};
/// // A net promoter score of 30, adjusted 29.1 ± 15.1.
/// let net = net_share(50, 20, 100, 0.95).ok_or("no data")?;
/// assert!((net.value - 0.3).abs() < 1e-12);
/// assert!((net.lower + net.upper - 0.5825).abs() < 5e-5 && (net.width() - 0.3015).abs() < 5e-5);
/// let plain = net_share_wald(50, 20, 100, 0.95).ok_or("no data")?;
/// assert!((plain.width() / 2.0 / 1.959964 - 0.0781).abs() < 5e-5);
/// # Ok::<(), &'static str>(())
/// ```
pub fn net_share(plus: u64, minus: u64, n: u64, level: f64) -> Option<Estimate> {
    let value = share(plus, minus, n)?;
    if !is_level(level) {
        return None;
    }
    let counts = (plus as f64, minus as f64);
    adjusted(value, counts, n as f64, z_quantile(1.0 - level), n, level)
}

/// The same with the plain standard error `sqrt((p + q - (p - q)²) / n)`: what most tools print. It is too narrow where `n` is small or one side
/// is rare, and has no width where all observations are of one kind. Cut at -1 and 1.
pub fn net_share_wald(plus: u64, minus: u64, n: u64, level: f64) -> Option<Estimate> {
    let value = share(plus, minus, n)?;
    if !is_level(level) {
        return None;
    }
    let spread = (plus.saturating_add(minus)) as f64 / n as f64 - value * value;
    let reach = z_quantile(1.0 - level) * (spread.max(0.0) / n as f64).sqrt();
    estimate(
        value,
        (value - reach, value + reach),
        Method::Wald,
        n,
        level,
    )
}

fn share(plus: u64, minus: u64, n: u64) -> Option<f64> {
    let (some, fits) = (n > 0, plus.checked_add(minus)? <= n);
    (some && fits).then(|| (plus as f64 - minus as f64) / n as f64)
}

/// Adjusted limits for a sample size that need not be whole; `counts` are those of that size.
fn adjusted(
    value: f64,
    (plus, minus): (f64, f64),
    size: f64,
    quantile: f64,
    n: u64,
    level: f64,
) -> Option<Estimate> {
    let all = size + 3.0;
    let (p, q) = ((plus + 0.75) / all, (minus + 0.75) / all);
    let centre = p - q;
    let reach = quantile * ((p + q - centre * centre).max(0.0) / all).sqrt();
    let mut limits = (centre - reach, centre + reach);
    if size < FEW {
        let score = score_limits(value, (plus, minus), size, quantile);
        limits = (limits.0.min(score.0), limits.1.max(score.1));
    }
    estimate(value, limits, Method::AdjustedWald, n, level)
}

/// Below so many observations the score limits are minded.
const FEW: f64 = 30.0;

/// Tango's limits: the differences that lie `quantile` standard errors from the one seen, each with the standard error that it would have.
fn score_limits(value: f64, (plus, minus): (f64, f64), size: f64, quantile: f64) -> (f64, f64) {
    let errors = |difference: f64| {
        // The share of the minus that is likeliest if this were the difference.
        let b = (2.0 * size - plus + minus) * difference - plus - minus;
        let c = -minus * difference * (1.0 - difference);
        let share = ((b * b - 8.0 * size * c).max(0.0).sqrt() - b) / (4.0 * size);
        let variance = size * (2.0 * share + difference * (1.0 - difference));
        let miss = plus - minus - size * difference;
        match variance > 0.0 {
            true => miss / variance.sqrt(),
            false if miss.abs() < 1e-9 * size => 0.0,
            false => f64::INFINITY.copysign(miss),
        }
    };
    // The further a difference lies from the one seen, the stranger is the sample.
    let search = |mut near: f64, mut far: f64| {
        for _ in 0..60 {
            let middle = (near + far) / 2.0;
            match errors(middle).abs() <= quantile {
                true => near = middle,
                false => far = middle,
            }
        }
        far
    };
    (search(value, -1.0), search(value, 1.0))
}

fn estimate(
    value: f64,
    (lower, upper): (f64, f64),
    method: Method,
    n: u64,
    level: f64,
) -> Option<Estimate> {
    // The adjusted centre lies nearer to 0 than the value, at low levels by more than the interval reaches.
    let limits = (lower.max(-1.0).min(value), upper.min(1.0).max(value));
    Estimate::new(value, limits, level, n, method, Unit::ProportionDifference)
}

/// Integer sums over customers from which a net share follows where one customer gives several observations; merging is addition.
///
/// ```
/// use desireline_stats::{NetClusters, net_share};
/// let mut net = NetClusters::default();
/// for (plus, minus, n) in [(1, 0, 1), (0, 1, 1), (1, 0, 1), (0, 0, 1)] {
///     net.add(plus, minus, n);
/// }
/// assert_eq!(net.net_share(0.95), net_share(2, 1, 4, 0.95));
/// # Ok::<(), &'static str>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct NetClusters {
    /// Observations on the plus side.
    pub plus: u64,
    /// Observations on the minus side.
    pub minus: u64,
    /// What each customer's observations add up to, plus counting 1 and minus -1.
    pub moments: ClusteredMoments,
}

impl NetClusters {
    /// Adds one customer: of `n` observations `plus` on one side and `minus` on the other. One without observations is left out, and so is one with
    /// more on the sides than in all.
    pub fn add(&mut self, plus: u64, minus: u64, n: u64) {
        if n == 0 || plus.checked_add(minus).is_none_or(|sides| sides > n) {
            return;
        }
        self.plus = self.plus.saturating_add(plus);
        self.minus = self.minus.saturating_add(minus);
        self.moments.add(i128::from(plus) - i128::from(minus), n);
    }

    /// Adds the customers of a disjoint set.
    pub fn merge(&mut self, other: &Self) {
        self.plus = self.plus.saturating_add(other.plus);
        self.minus = self.minus.saturating_add(other.minus);
        self.moments.merge(&other.moments);
    }

    /// How many independent observations these are worth: `n` over the design effect, which is the ratio estimator's variance over that of
    /// independent observations, at least 1. Where no spread is seen it is one observation per effective customer.
    pub fn effective_n(&self) -> Option<f64> {
        let ClusteredMoments { m, n, .. } = self.moments;
        let value = share(self.plus, self.minus, n)?;
        let size = n as f64;
        if m == n {
            return Some(size);
        }
        let fewest = self.effective_customers()?;
        let independent = ((self.plus + self.minus) as f64 / size - value * value) / size;
        let seen = self.moments.variance();
        Some(match seen {
            Some(variance) if independent > 0.0 && variance > 0.0 => {
                size / (variance / independent).clamp(1.0, size / fewest.min(size))
            }
            _ => fewest,
        })
    }

    fn effective_customers(&self) -> Option<f64> {
        let ClusteredMoments {
            n, size_square_sum, ..
        } = self.moments;
        (n > 0).then(|| (n as f64).powi(2) / (size_square_sum as f64).max(1.0))
    }

    /// The net share with an adjusted Wald interval for as many observations as these are worth ([`effective_n`](Self::effective_n)), and with Student's t
    /// on (effective customers - 1) degrees of freedom, or on twice as many as there are customers who keep the share from its end if these are fewer. With one
    /// observation per customer it is [`net_share`].
    ///
    /// `None` without observations or with a level not inside (0, 1).
    pub fn net_share(&self, level: f64) -> Option<Estimate> {
        let ClusteredMoments { m, n, .. } = self.moments;
        if m == n {
            return net_share(self.plus, self.minus, n, level);
        }
        if !is_level(level) {
            return None;
        }
        let value = share(self.plus, self.minus, n)?;
        let size = self.effective_n()?;
        let worth = size / n as f64;
        let counts = (self.plus as f64 * worth, self.minus as f64 * worth);
        let carriers = self.moments.carriers(-1, 1);
        let df = (self.effective_customers()? - 1.0).min(2.0 * carriers);
        adjusted(
            value,
            counts,
            size,
            t_quantile(1.0 - level, df.max(1.0)),
            n,
            level,
        )
    }
}
