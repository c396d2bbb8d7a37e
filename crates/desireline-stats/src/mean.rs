//! Means of whole numbers: money per customer, steps per journey, one number each.

mod bounded;
mod clustered;

pub use bounded::bounded_mean;
pub use clustered::ClusteredMoments;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::estimate::{Estimate, Method, Unit, is_level};
use crate::hypothesis::{TestMethod, TestResult};
use crate::special::{t_p, t_quantile};

/// Integer sums from which a mean with its interval follows; merging is addition.
///
/// One entry per independent unit (customer). For a mean over several observations per customer use
/// [`ratio_estimate`](crate::ratio_estimate).
///
/// ```
/// use desireline_stats::mean::{Moments, welch};
/// let cheap: Moments = [100, 120, 90, 110].into_iter().collect();
/// let dear: Moments = [200, 210, 190, 230].into_iter().collect();
/// let mean = cheap.mean(0.95).ok_or("too few")?;
/// assert_eq!((mean.value, mean.n), (105.0, 4));
/// assert!(welch(&cheap, &dear).ok_or("too few")?.p < 0.001);
/// # Ok::<(), &'static str>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Moments {
    /// How many.
    pub n: u64,
    /// Sum.
    pub sum: i128,
    /// Sum of squares; stays at its maximum once there, and then gives no variance.
    pub square_sum: u128,
}

impl Moments {
    /// Adds one number.
    #[inline]
    pub fn add(&mut self, x: i64) {
        self.n = self.n.saturating_add(1);
        self.sum = self.sum.saturating_add(i128::from(x));
        let size = u128::from(x.unsigned_abs());
        self.square_sum = self.square_sum.saturating_add(size * size);
    }

    /// Adds the numbers of a disjoint set.
    #[inline]
    pub fn merge(&mut self, other: &Self) {
        self.n = self.n.saturating_add(other.n);
        self.sum = self.sum.saturating_add(other.sum);
        self.square_sum = self.square_sum.saturating_add(other.square_sum);
    }

    /// Sample variance; `None` with fewer than two numbers or sums beyond their range.
    pub fn variance(&self) -> Option<f64> {
        if self.n < 2 || self.square_sum == u128::MAX {
            return None;
        }
        let n = self.n as f64;
        // n Σx² - (Σx)² in integers where it fits: no cancellation.
        let exact = || {
            let square = self
                .sum
                .unsigned_abs()
                .checked_mul(self.sum.unsigned_abs())?;
            u128::from(self.n)
                .checked_mul(self.square_sum)?
                .checked_sub(square)
                .map(|x| x as f64)
        };
        let spread =
            exact().unwrap_or_else(|| n * self.square_sum as f64 - (self.sum as f64).powi(2));
        Some((spread / n / (n - 1.0)).max(0.0))
    }

    /// The mean with Student's t interval; `None` with fewer than two numbers. In a strongly skewed population it takes some hundred numbers for the
    /// interval to hold its level.
    pub fn mean(&self, level: f64) -> Option<Estimate> {
        if !is_level(level) {
            return None;
        }
        let n = self.n as f64;
        let value = self.sum as f64 / n;
        let reach = t_quantile(1.0 - level, n - 1.0) * (self.variance()? / n).sqrt();
        Estimate::new(
            value,
            (value - reach, value + reach),
            level,
            self.n,
            Method::StudentT,
            Unit::Ratio,
        )
    }
}

/// By how many standard errors an interval reaches to each side: Student's t. `None` if `level` is not inside (0, 1) or there are no degrees of freedom.
pub fn t_reach(level: f64, degrees_of_freedom: f64) -> Option<f64> {
    (is_level(level) && degrees_of_freedom > 0.0)
        .then(|| t_quantile(1.0 - level, degrees_of_freedom))
}

impl FromIterator<i64> for Moments {
    fn from_iter<T: IntoIterator<Item = i64>>(numbers: T) -> Self {
        let mut all = Self::default();
        numbers.into_iter().for_each(|x| all.add(x));
        all
    }
}

/// Do two means differ? Welch's t test, which does not assume equal variances.
///
/// `None` with fewer than two numbers in either. Without any spread p is 1 for equal means and as small as can be for different ones.
pub fn welch(a: &Moments, b: &Moments) -> Option<TestResult> {
    let (n1, n2) = (a.n as f64, b.n as f64);
    let (v1, v2) = (a.variance()? / n1, b.variance()? / n2);
    let difference = a.sum as f64 / n1 - b.sum as f64 / n2;
    let error = (v1 + v2).sqrt();
    let (statistic, df) = if error > 0.0 {
        (
            difference / error,
            (v1 + v2).powi(2) / (v1 * v1 / (n1 - 1.0) + v2 * v2 / (n2 - 1.0)),
        )
    } else if difference == 0.0 {
        (0.0, n1 + n2 - 2.0)
    } else {
        (f64::MAX.copysign(difference), n1 + n2 - 2.0)
    };
    let p = if statistic.abs() == f64::MAX {
        f64::MIN_POSITIVE
    } else {
        t_p(statistic, df)
    };
    Some(TestResult {
        p,
        statistic,
        df: Some(df),
        method: TestMethod::Welch,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clusters_of_one_give_the_plain_mean() {
        let amounts = [100, -20, 35, 900, 4, 4];
        let plain: Moments = amounts.into_iter().collect();
        let mut clustered = ClusteredMoments::default();
        for amount in amounts {
            clustered.add(i128::from(amount), 1);
        }
        let (a, b) = (plain.mean(0.9), clustered.mean(0.9));
        assert!(a.is_some() && b.is_some());
        for (a, b) in a.iter().zip(&b) {
            assert_eq!((a.value, a.n), (b.value, b.n));
            assert!((a.lower - b.lower).abs() < 1e-9 && (a.upper - b.upper).abs() < 1e-9);
        }
    }
}
