//! Two rates whose observations may come from the same customers: journeys with a visit against journeys without one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clusters::{Clusters, clustered_difference, wilson_clustered};
use crate::estimate::{Estimate, Method, Unit};
use crate::hypothesis::{TestMethod, TestResult};
use crate::special::{normal_p, t_p, z_quantile};

/// Integer sums over customers of two rates, from which the difference follows when a customer can have observations on both sides.
///
/// A customer with good and bad luck on both sides says much about the difference; taking the sides as independent would throw that away, or claim more than
/// is known. Merging is addition.
///
/// ```
/// use desireline_stats::Sides;
/// let mut sides = Sides::default();
/// for i in 0..60 {
///     sides.add((i % 2, 2), (i % 3 / 2, 1));
/// }
/// let gap = sides.difference(0.95).ok_or("no data")?;
/// assert!((gap.value - (30.0 / 120.0 - 20.0 / 60.0)).abs() < 1e-12 && gap.contains(0.0));
/// assert!(sides.test().is_some_and(|test| test.p > 0.05));
/// # Ok::<(), &'static str>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Sides {
    /// The first rate.
    pub a: Clusters,
    /// The second one.
    pub b: Clusters,
    /// Sum of `k_a k_b` over customers.
    pub kk: u128,
    /// Sum of `k_a n_b`.
    pub kn: u128,
    /// Sum of `n_a k_b`.
    pub nk: u128,
    /// Sum of `n_a n_b`.
    pub nn: u128,
}

impl Sides {
    /// Adds a customer: `k` of `n` on either side; `n` may be 0 on one of them.
    #[inline]
    pub fn add(&mut self, (ka, na): (u64, u64), (kb, nb): (u64, u64)) {
        self.a.add(ka, na);
        self.b.add(kb, nb);
        if na > 0 && nb > 0 {
            let [ka, na, kb, nb] = [ka, na, kb, nb].map(u128::from);
            self.kk = self.kk.saturating_add(ka * kb);
            self.kn = self.kn.saturating_add(ka * nb);
            self.nk = self.nk.saturating_add(na * kb);
            self.nn = self.nn.saturating_add(na * nb);
        }
    }

    /// Adds other customers.
    pub fn merge(&mut self, other: &Self) {
        self.a.merge(&other.a);
        self.b.merge(&other.b);
        self.kk = self.kk.saturating_add(other.kk);
        self.kn = self.kn.saturating_add(other.kn);
        self.nk = self.nk.saturating_add(other.nk);
        self.nn = self.nn.saturating_add(other.nn);
    }

    /// Covariance of the two rates about `pa` and `pb`.
    fn covariance(&self, pa: f64, pb: f64) -> f64 {
        // Customers on both sides are at most the smaller side's.
        let m = self.a.m.max(self.b.m) as f64;
        if m < 2.0 {
            return 0.0;
        }
        let sum =
            self.kk as f64 - pb * self.kn as f64 - pa * self.nk as f64 + pa * pb * self.nn as f64;
        m / (m - 1.0) * sum / (self.a.n as f64 * self.b.n as f64)
    }

    /// How far apart are the two rates? `a - b`, from the clustered Wilson interval of each and their correlation (MOVER; Zou 2008).
    ///
    /// Without customers on both sides this is [`difference`](crate::difference). `None` without observations on one side or the other, and where a
    /// `k` exceeds its `n`.
    pub fn difference(&self, level: f64) -> Option<Estimate> {
        let (a, b) = (
            wilson_clustered(&self.a, level)?,
            wilson_clustered(&self.b, level)?,
        );
        let variance = |c: &Clusters, p: f64| {
            let m = c.m as f64;
            let sum = c.kk as f64 - 2.0 * p * c.kn as f64 + p * p * c.nn as f64;
            m / (m - 1.0).max(1.0) * sum.max(0.0) / (c.n as f64).powi(2)
        };
        let spread = (variance(&self.a, a.value) * variance(&self.b, b.value)).sqrt();
        let r = match spread > 0.0 {
            true => (self.covariance(a.value, b.value) / spread).clamp(-1.0, 1.0),
            false => 0.0,
        };
        let reach = |x: f64, y: f64| (x * x + y * y - 2.0 * r * x * y).max(0.0).sqrt();
        let value = a.value - b.value;
        let lower = value - reach(a.value - a.lower, b.upper - b.value);
        let upper = value + reach(a.upper - a.value, b.value - b.lower);
        Estimate::new(
            value,
            (lower.max(-1.0), upper.min(1.0)),
            level,
            a.n.saturating_add(b.n),
            Method::Mover,
            Unit::ProportionDifference,
        )
    }

    /// Do the two rates differ? The score test of [`clustered_difference`], less twice the covariance of the sides.
    ///
    /// `None` if either side has no observations or `k > n`.
    pub fn test(&self) -> Option<TestResult> {
        if self.nn == 0 {
            return clustered_difference(&self.a, &self.b);
        }
        let (pa, pb) = (self.a.rate()?, self.b.rate()?);
        if self.a.k > self.a.n || self.b.k > self.b.n {
            return None;
        }
        let mut both = self.a;
        both.merge(&self.b);
        let pooled = both.rate()?;
        let apart = score_variance(&self.a, pooled) + score_variance(&self.b, pooled);
        // However alike the sides, some doubt remains.
        let variance = (apart - 2.0 * self.covariance(pooled, pooled)).max(apart * 0.05);
        let spare = self
            .a
            .effective_clusters()?
            .min(self.b.effective_clusters()?)
            - 1.0;
        let df = spare.max(1.0);
        let t = match pa == pb || variance <= 0.0 {
            true => 0.0,
            false => (pa - pb) / variance.sqrt(),
        };
        Some(TestResult {
            p: t_p(t, df),
            statistic: t,
            df: Some(df),
            method: TestMethod::RaoScott,
        })
    }
}

/// Do two rates differ, however they go together? A two-sided p from their intervals alone.
///
/// Where it is not known how two rates go together (journeys that end at one place do not end at another, and many customers are at both), the
/// difference can be no surer than with the worst correlation there is: the limits of both sides that face each other add up (MOVER with
/// r = −1; Zou 2008). So p is too large rather than too small, whatever the truth. With independent rates of equal size it takes a difference 1.41 times as
/// large as the usual test.
///
/// `None` if the intervals have different levels.
///
/// ```
/// use desireline_stats::{cautious_p, wilson};
/// let (a, b) = (wilson(300, 1000, 0.95), wilson(200, 1000, 0.95));
/// let p = cautious_p(&a.ok_or("no data")?, &b.ok_or("no data")?).ok_or("levels")?;
/// assert!(p > 1e-4 && p < 1e-3, "independent they would give {p} < 1e-6");
/// # Ok::<(), &'static str>(())
/// ```
pub fn cautious_p(a: &Estimate, b: &Estimate) -> Option<f64> {
    if a.level.to_bits() != b.level.to_bits() {
        return None;
    }
    let reach = match a.value >= b.value {
        true => (a.value - a.lower) + (b.upper - b.value),
        false => (a.upper - a.value) + (b.value - b.lower),
    };
    let apart = (a.value - b.value).abs();
    if apart == 0.0 {
        return Some(1.0);
    }
    // Without any reach there is no doubt; p stays a number above 0.
    Some(normal_p(
        apart / reach.max(f64::MIN_POSITIVE) * z_quantile(1.0 - a.level),
    ))
}

/// Variance of a group's rate if `p` is the truth: as seen, at least that of independent observations, drawn towards the worst case where few customers
/// carry the rarer outcome.
pub(crate) fn score_variance(group: &Clusters, p: f64) -> f64 {
    let (m, n) = (group.m as f64, group.n as f64);
    let residuals = group.kk as f64 - 2.0 * p * group.kn as f64 + p * p * group.nn as f64;
    let seen = match group.m > 1 {
        true => m / (m - 1.0) * residuals.max(0.0) / (n * n),
        false => 0.0,
    };
    let variance = seen.max(p * (1.0 - p) / n);
    let worst = p * (1.0 - p) * group.nn as f64 / (n * n);
    let carriers = group.carriers();
    variance + (worst - variance).max(0.0) / (1.0 + carriers * carriers)
}
