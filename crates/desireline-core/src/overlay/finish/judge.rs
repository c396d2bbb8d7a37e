//! When a number is given, and how sure it is.

use std::cell::Cell;

use desireline_stats::{Clusters, Distribution, Estimate, KaplanMeier, Sides, wilson_clustered};

use crate::overlay::report::{Contrast, DwellMeasure, TimeHole};
use crate::overlay::sums::Times;
use crate::report::{Base, Rate};

/// The level, and below which number of observations there is a hole; counts the holes.
pub(super) struct Judge {
    pub(super) level: f64,
    pub(super) min_n: u64,
    holes: Cell<u64>,
    binned: Cell<bool>,
}

impl Judge {
    pub(super) fn new(level: f64, min_n: u64) -> Judge {
        Judge {
            level,
            min_n,
            holes: Cell::new(0),
            binned: Cell::new(false),
        }
    }

    /// How many numbers were not given because they stand on too few.
    pub(super) fn too_few(&self) -> u64 {
        self.holes.get()
    }

    /// Whether quantiles come from a histogram.
    pub(super) fn approximate(&self) -> bool {
        self.binned.get()
    }

    /// Whether `n` are enough; nothing at all is no hole that needs telling.
    fn enough(&self, n: u64) -> bool {
        let enough = n >= self.min_n.max(1);
        self.holes
            .set(self.holes.get() + u64::from(!enough && n > 0));
        enough
    }

    pub(super) fn rate(&self, clusters: &Clusters, base: Base) -> Rate {
        self.rate_of(clusters, base, clusters.n)
    }

    /// A rate that stands on `n` of something.
    pub(super) fn rate_of(&self, clusters: &Clusters, base: Base, n: u64) -> Rate {
        let estimate = match self.enough(n) {
            true => wilson_clustered(clusters, self.level),
            false => None,
        };
        Rate {
            count: clusters.k,
            n: clusters.n,
            base,
            estimate,
        }
    }

    pub(super) fn contrast(&self, sides: &Sides, base: Base) -> Option<Contrast> {
        if sides.a.is_empty() {
            return None;
        }
        let (with, without) = (self.rate(&sides.a, base), self.rate(&sides.b, base));
        let given = with.estimate.is_some() && without.estimate.is_some();
        Some(Contrast {
            with,
            without,
            difference: given.then(|| sides.difference(self.level)).flatten(),
            p: given.then(|| sides.test()).flatten().map(|t| t.p),
            q: None,
        })
    }

    pub(super) fn dwell(&self, times: &Times) -> DwellMeasure {
        let n = times.seen.n() + times.cut.n();
        let mut measure = DwellMeasure {
            n,
            censored: times.cut.n(),
            unknown: times.unknown,
            ..DwellMeasure::default()
        };
        if n == 0 {
            return measure;
        }
        if !self.enough(n) {
            let hole = Some(TimeHole::TooFew);
            (measure.median_hole, measure.p90_hole) = (hole, hole);
            return measure;
        }
        self.binned
            .set(self.binned.get() || !times.seen.is_exact() || !times.cut.is_exact());
        let curve = KaplanMeier::from_counts(&counts(&times.seen, &times.cut), self.level);
        if let Ok(curve) = curve {
            let effect = likeness(times);
            let of = |p| match quantile(&curve, p, effect) {
                Ok(estimate) => (Some(estimate), None),
                Err(hole) => (None, Some(hole)),
            };
            (measure.median, measure.median_hole) = of(0.5);
            (measure.p90, measure.p90_hole) = of(0.9);
        }
        measure
    }
}

/// Lengths with how many ended then and how many were cut off; both as they are, or both in bins.
fn counts(seen: &Distribution, cut: &Distribution) -> Vec<(i64, u64, u64)> {
    let as_they_are = cut.is_empty() || seen.is_exact() && cut.is_exact();
    let of = |d: &Distribution| match as_they_are {
        true => d.counts().collect(),
        false => d.bin_counts(),
    };
    let ended = of(seen).into_iter().map(|(time, n)| (time, n, 0));
    let cut = of(cut).into_iter().map(|(time, n)| (time, 0, n));
    ended.chain(cut).collect()
}

/// How much larger the variance of a mean is because lengths of one customer resemble each other, at least 1; from their
/// logarithms, which stand in for the yes and no of being below a quantile.
#[allow(clippy::cast_precision_loss)] // sums of logarithms
fn likeness(times: &Times) -> f64 {
    let n = times.n as f64;
    if times.n < 2 {
        return 1.0;
    }
    let mean = times.sum as f64 / n;
    let alone = times.squares as f64 - n * mean * mean;
    let together = times.ss as f64 - 2.0 * mean * times.sn as f64 + mean * mean * times.nn as f64;
    match alone > 0.0 {
        true => (together / alone).max(1.0),
        false => 1.0,
    }
}

/// A quantile of a curve whose variance is `effect` times as large as it says.
fn quantile(curve: &KaplanMeier, p: f64, effect: f64) -> Result<Estimate, TimeHole> {
    let found = curve
        .quantile_limits_widened(p, effect)
        .ok_or(TimeHole::NotEnded)?;
    curve
        .quantile_widened(p, effect)
        .ok_or(TimeHole::NoUpperLimit {
            value: found.time,
            lower: found.lower,
        })
}
