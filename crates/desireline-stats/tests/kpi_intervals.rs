//! Intervals and limits that KPIs need: published numbers, ends, alarms.
#![allow(clippy::unwrap_used)]

use desireline_stats::control::control_limits;
use desireline_stats::resample::uniform;
use desireline_stats::{bootstrap_t, goodman, wilson};

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
fn the_bootstrap_hangs_on_the_pairs_and_the_seed_alone() {
    let pairs: Vec<(i64, u32)> = (0..50)
        .map(|c| ((normal(8, 1, c).exp() * 1_000.0) as i64, 1 + (c % 4) as u32))
        .collect();
    let mut turned = pairs.clone();
    turned.reverse();
    assert_eq!(bootstrap_t(&pairs, 3, 0.95), bootstrap_t(&turned, 3, 0.95));
    assert_ne!(bootstrap_t(&pairs, 3, 0.95), bootstrap_t(&pairs, 4, 0.95));
    let same = bootstrap_t(&[(5, 1); 6], 0, 0.95).unwrap();
    assert_eq!((same.lower, same.value, same.upper), (5.0, 5.0, 5.0));
    assert!(bootstrap_t(&[], 0, 0.95).is_none() && bootstrap_t(&[(5, 0); 9], 0, 0.95).is_none());
    assert!(bootstrap_t(&pairs[..4], 0, 0.95).is_none());
    assert!(bootstrap_t(&pairs, 0, 1.0).is_none() && bootstrap_t(&pairs, 0, f64::NAN).is_none());
    // One who differs is missing from a third of all samples: nothing can be said.
    let mut one = vec![(0, 1); 30];
    one.push((1_000, 1));
    assert!(bootstrap_t(&one, 0, 0.95).is_none());
    // The ends of the numbers.
    let ends = [
        (i64::MAX, u32::MAX),
        (i64::MIN, 1),
        (0, 1),
        (1, 1),
        (i64::MAX, 1),
        (-1, 1),
    ];
    assert!(bootstrap_t(&ends, 0, 0.95).is_none_or(|e| e.lower <= e.value && e.value <= e.upper));
    // Money back makes a mean below 0 as sure as one above.
    let back: Vec<(i64, u32)> = pairs.iter().map(|p| (-p.0, p.1)).collect();
    let (there, back) = (
        bootstrap_t(&pairs, 3, 0.95).unwrap(),
        bootstrap_t(&back, 3, 0.95).unwrap(),
    );
    assert!((there.value + back.value).abs() < 1e-9 && back.upper < 0.0);
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
