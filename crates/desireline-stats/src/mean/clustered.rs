//! Means of amounts that come in clusters: money per order, several orders of one customer.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clusters::Clusters;
use crate::estimate::{Estimate, Method, Unit, is_level};
use crate::special::t_quantile;

/// Integer sums over clusters (customers) from which a mean per observation follows, amounts below 0 included.
///
/// Customer `i` contributes the sum `x_i` of its `n_i` amounts. The mean is `Σx_i / Σn_i` with the ratio estimator's variance
/// `m/(m-1) Σ(x_i - mean n_i)² / n²` and Student's t on (effective customers - 1) degrees of freedom. For counts and rates there is
/// [`Clusters`](crate::Clusters).
///
/// ```
/// use desireline_stats::mean::ClusteredMoments;
/// let mut orders = ClusteredMoments::default();
/// for (cents, count) in [(3_000, 2), (1_000, 1), (-500, 1), (9_000, 4)] {
///     orders.add(cents, count);
/// }
/// let mean = orders.mean(0.95).ok_or("too few")?;
/// assert_eq!((mean.value, mean.n), (1562.5, 8));
/// assert!(mean.lower < 1562.5 && mean.upper > 1562.5);
/// # Ok::<(), &'static str>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct ClusteredMoments {
    /// Clusters with an amount.
    pub m: u64,
    /// Amounts.
    pub n: u64,
    /// Their sum.
    pub sum: i128,
    /// Σ x_i².
    pub square_sum: u128,
    /// Σ x_i n_i.
    pub cross: i128,
    /// Σ n_i².
    pub size_square_sum: u128,
}

impl ClusteredMoments {
    /// Adds one cluster: the sum of its `n` amounts. One without amounts is left out.
    #[inline]
    pub fn add(&mut self, sum: i128, n: u64) {
        if n == 0 {
            return;
        }
        let size = sum.unsigned_abs();
        self.m = self.m.saturating_add(1);
        self.n = self.n.saturating_add(n);
        self.sum = self.sum.saturating_add(sum);
        self.square_sum = self.square_sum.saturating_add(size.saturating_mul(size));
        self.cross = self.cross.saturating_add(sum.saturating_mul(i128::from(n)));
        self.size_square_sum = self
            .size_square_sum
            .saturating_add(u128::from(n) * u128::from(n));
    }

    /// Adds the clusters of a disjoint set.
    #[inline]
    pub fn merge(&mut self, other: &Self) {
        self.m = self.m.saturating_add(other.m);
        self.n = self.n.saturating_add(other.n);
        self.sum = self.sum.saturating_add(other.sum);
        self.square_sum = self.square_sum.saturating_add(other.square_sum);
        self.cross = self.cross.saturating_add(other.cross);
        self.size_square_sum = self.size_square_sum.saturating_add(other.size_square_sum);
    }

    /// The same sums as those of a rate or ratio; `None` where an amount was below 0.
    pub fn to_clusters(&self) -> Option<Clusters> {
        Some(Clusters {
            m: self.m,
            k: u64::try_from(self.sum).ok()?,
            n: self.n,
            kk: self.square_sum,
            kn: u128::try_from(self.cross).ok()?,
            nn: self.size_square_sum,
        })
    }

    /// Σ (x_i - mean n_i)²; `None` with fewer than two clusters or sums beyond their range.
    fn residual_square_sum(&self) -> Option<f64> {
        let full = self.square_sum == u128::MAX || self.sum == i128::MAX || self.sum == i128::MIN;
        if self.m < 2 || full {
            return None;
        }
        let mean = self.sum as f64 / self.n as f64;
        // n² Σx² - 2 n S Σxn + S² Σn² in integers where they fit: no cancellation.
        let exact = || {
            let (n, s) = (i128::from(self.n), self.sum);
            let first = n
                .checked_mul(n)?
                .checked_mul(i128::try_from(self.square_sum).ok()?)?;
            let second = n.checked_mul(s)?.checked_mul(self.cross)?.checked_mul(2)?;
            let third = s
                .checked_mul(s)?
                .checked_mul(i128::try_from(self.size_square_sum).ok()?)?;
            let sum = first.checked_sub(second)?.checked_add(third)?;
            Some(sum as f64 / (n as f64).powi(2))
        };
        let rounded = || {
            self.square_sum as f64 - 2.0 * mean * self.cross as f64
                + mean * mean * self.size_square_sum as f64
        };
        Some(exact().unwrap_or_else(rounded).max(0.0))
    }

    /// The ratio estimator's variance of the mean; `None` with fewer than two clusters or sums beyond their range.
    pub fn variance(&self) -> Option<f64> {
        let (m, n) = (self.m as f64, self.n as f64);
        Some(m / (m - 1.0) * self.residual_square_sum()? / (n * n))
    }

    /// Kish's effective number of clusters, `(Σ n_i)² / Σ n_i²`.
    pub(crate) fn effective_customers(&self) -> f64 {
        (self.n as f64).powi(2) / (self.size_square_sum as f64).max(1.0)
    }

    /// How many clusters, in effect, carry what keeps the mean from the one end of a scale or from the other, whichever are fewer: `(Σd_i)² / Σd_i²`, with
    /// `d_i` the distance of a cluster's amounts from the end, added up.
    pub(crate) fn carriers(&self, low: i64, high: i64) -> f64 {
        let from = |end: i64| {
            let end_ = end as f64;
            let distance = self.sum as f64 - end_ * self.n as f64;
            let exact = || {
                let end = i128::from(end);
                let cross = end.checked_mul(self.cross)?.checked_mul(2)?;
                let sizes = i128::try_from(self.size_square_sum).ok()?;
                let sizes = end.checked_mul(end)?.checked_mul(sizes)?;
                let squares = i128::try_from(self.square_sum).ok()?;
                Some(squares.checked_sub(cross)?.checked_add(sizes)? as f64)
            };
            let squares = exact().unwrap_or({
                self.square_sum as f64 - 2.0 * end_ * self.cross as f64
                    + end_ * end_ * self.size_square_sum as f64
            });
            match squares > 0.0 {
                true => distance * distance / squares,
                false => 0.0,
            }
        };
        from(low).min(from(high))
    }

    /// Whether every cluster's amounts have the same mean; integers decide, as floats could tell a spread where there is none.
    pub(crate) fn is_constant(&self) -> bool {
        let same = || {
            let n = i128::from(self.n);
            let sizes = i128::try_from(self.size_square_sum).ok()?;
            let squares = i128::try_from(self.square_sum).ok()?;
            // Σ x_i² = a Σ x_i n_i = a² Σ n_i² for the mean a = sum / n, without dividing.
            let cross = self.cross.checked_mul(n)? == self.sum.checked_mul(sizes)?;
            let square = squares.checked_mul(n)? == self.sum.checked_mul(self.cross)?;
            Some(cross && square)
        };
        same().unwrap_or(false)
    }

    /// The mean amount with its interval; `None` with fewer than two clusters, sums beyond their range, or a level not inside (0, 1).
    pub fn mean(&self, level: f64) -> Option<Estimate> {
        if !is_level(level) {
            return None;
        }
        let (m, n) = (self.m as f64, self.n as f64);
        let mean = self.sum as f64 / n;
        let error = (m / (m - 1.0) * self.residual_square_sum()?).sqrt() / n;
        let effective = n * n / (self.size_square_sum as f64).max(1.0);
        let reach = t_quantile(1.0 - level, (effective - 1.0).max(1.0)) * error;
        Estimate::new(
            mean,
            (mean - reach, mean + reach),
            level,
            self.n,
            Method::DeltaMethod,
            Unit::Ratio,
        )
    }
}
