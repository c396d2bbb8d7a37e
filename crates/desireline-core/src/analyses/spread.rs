//! Quantiles of a length of time as reports give them.

use desireline_stats::{Distribution, Estimate};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::report::TOO_FEW;

/// How long something takes: the median with its interval, and the 90th percentile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Spread {
    /// How many lengths of time were measured.
    pub n: u64,
    /// The median in microseconds; absent below 5 measurements.
    pub median: Option<i64>,
    /// The median with its interval from order statistics; absent where there are too few for an upper limit.
    pub median_estimate: Option<Estimate>,
    /// The 90th percentile in microseconds; absent below 10 measurements, where it would be the largest value.
    pub p90: Option<i64>,
}

/// Below this many observations the quantile is not given: 5 for the quartiles and what lies between them, more further out, where it would be the
/// largest or smallest value.
pub(super) fn least(quantile: f64) -> u64 {
    let tail = quantile.min(1.0 - quantile);
    TOO_FEW.max((1.0 / tail).round() as u64)
}

impl Spread {
    /// The quantiles of `times`, with the interval of the median at `level`.
    pub fn new(times: &Distribution, level: f64) -> Spread {
        let n = times.n();
        if n < least(0.5) {
            return Spread {
                n,
                ..Spread::default()
            };
        }
        let times = times.ordered();
        let from = |q: f64| (n >= least(q)).then(|| times.quantile(q)).flatten();
        Spread {
            n,
            median: from(0.5),
            median_estimate: times.quantile_estimate(0.5, level),
            p90: from(0.9),
        }
    }
}
