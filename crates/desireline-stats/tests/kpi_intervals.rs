//! Intervals that KPIs need: their levels in simulation, and published numbers.
#![allow(clippy::unwrap_used)]

use desireline_stats::control::control_limits;
use desireline_stats::resample::uniform;
use desireline_stats::{bca_ratio, garwood, goodman, wilson};

fn share(replicates: u64, hit: impl Fn(u64) -> bool) -> f64 {
    (0..replicates).filter(|&r| hit(r)).count() as f64 / replicates as f64
}

fn normal(seed: u64, key: u64, counter: u64) -> f64 {
    let (u, v) = (
        uniform(seed, key, 2 * counter).max(1e-300),
        uniform(seed, key, 2 * counter + 1),
    );
    (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}

#[test]
fn wilson_of_eight_in_ten() {
    let e = wilson(8, 10, 0.95).unwrap();
    assert!((e.lower - 0.490).abs() < 5e-4 && (e.upper - 0.943).abs() < 5e-4);
}

#[test]
fn goodman_is_wilson_at_a_shared_level() {
    let counts = [56, 72, 73, 59, 62, 87, 68];
    for (e, k) in goodman(&counts, 0.95).unwrap().iter().zip(counts) {
        // Goodman's formula as printed, with the upper 0.05/7 point of chi-square with one degree of freedom, 7.2367.
        let (a, k, n) = (7.236_666_6, k as f64, 477.0);
        let root = f64::sqrt(a * (a + 4.0 * k * (n - k) / n));
        let (lower, upper) = (
            (a + 2.0 * k - root) / (2.0 * (n + a)),
            (a + 2.0 * k + root) / (2.0 * (n + a)),
        );
        assert!(
            (e.lower - lower).abs() < 1e-4 && (e.upper - upper).abs() < 1e-4,
            "{e:?} {lower} {upper}"
        );
    }
    assert!(goodman(&[], 0.95).is_none() && goodman(&[0, 0], 0.95).is_none());
}

#[test]
fn goodman_holds_all_shares_at_once() {
    let p = [0.5, 0.3, 0.15, 0.05];
    let covered = share(3_000, |r| {
        let mut counts = [0; 4];
        for i in 0..150 {
            let u = uniform(31, r, i);
            let kind = (0..4)
                .find(|&k| u < p[..=k].iter().sum::<f64>())
                .unwrap_or(3);
            counts[kind] += 1;
        }
        goodman(&counts, 0.95)
            .unwrap()
            .iter()
            .zip(p)
            .all(|(e, p)| e.contains(p))
    });
    // All at once: at least the level, by little.
    assert!((0.94..=0.98).contains(&covered), "{covered}");
}

#[test]
fn bca_covers_a_skewed_mean() {
    // Log-normal amounts, one to four of a customer.
    let truth = (0.9_f64 * 0.9 / 2.0).exp() * 1_000.0;
    let sample = |r: u64, m: u64| -> Vec<(i64, u32)> {
        (0..m)
            .map(|c| {
                let n = 1 + (uniform(7, r, c) * 4.0) as u32;
                let sum: f64 = (0..n)
                    .map(|i| (0.9 * normal(8, r * 10_000 + c, i.into())).exp() * 1_000.0)
                    .sum();
                (sum as i64, n)
            })
            .collect()
    };
    let covered = share(400, |r| {
        bca_ratio(&sample(r, 120), r, 0.95).unwrap().contains(truth)
    });
    // Standard error of a simulated share of .95: .011.
    assert!((0.925..=0.975).contains(&covered), "{covered}");
    // One order of the customers or another, one seed: one answer.
    let pairs = sample(1, 50);
    let mut turned = pairs.clone();
    turned.reverse();
    assert_eq!(bca_ratio(&pairs, 3, 0.95), bca_ratio(&turned, 3, 0.95));
    assert_ne!(bca_ratio(&pairs, 3, 0.95), bca_ratio(&pairs, 4, 0.95));
    assert!(
        bca_ratio(&[(5, 1)], 0, 0.95).is_none() && bca_ratio(&[(5, 0), (3, 0)], 0, 0.95).is_none()
    );
    let same = bca_ratio(&[(5, 1), (5, 1), (5, 1)], 0, 0.95).unwrap();
    assert_eq!((same.lower, same.value, same.upper), (5.0, 5.0, 5.0));
}

#[test]
fn garwood_covers() {
    let poisson = |mean: f64, r: u64| {
        let (mut k, mut product) = (0, uniform(41, r, 0));
        while product > f64::exp(-mean) {
            k += 1;
            product *= uniform(41, r, k);
        }
        k
    };
    let covered = share(4_000, |r| {
        let mean = 2.0 + 38.0 * uniform(42, r, 0);
        garwood(poisson(mean, r), 0.95).unwrap().contains(mean)
    });
    // Exact: at least the level.
    assert!((0.95..=0.98).contains(&covered), "{covered}");
}

#[test]
fn a_series_without_change_sounds_few_alarms() {
    for periods in [8_u64, 24] {
        let alarmed = share(4_000, |r| {
            let values: Vec<f64> = (0..periods)
                .map(|i| 0.7 + 0.02 * normal(51, r, i))
                .collect();
            control_limits(&values, 0.05)
                .iter()
                .flatten()
                .any(|l| l.out)
        });
        assert!((0.03..=0.055).contains(&alarmed), "{periods}: {alarmed}");
    }
    let found = share(1_000, |r| {
        let values: Vec<f64> = (0..12)
            .map(|i| if i == 11 { 0.85 } else { 0.7 } + 0.02 * normal(52, r, i))
            .collect();
        control_limits(&values, 0.05)[11].is_some_and(|l| l.out)
    });
    assert!(found > 0.95, "{found}");
    assert!(
        control_limits(&[1.0; 9], 0.05)
            .iter()
            .flatten()
            .all(|l| !l.out)
    );
    assert!(
        control_limits(&[1.0, 1.0, 1.0, 1.0, 2.0], 0.05)[4]
            .unwrap()
            .out
    );
}
