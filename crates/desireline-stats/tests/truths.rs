//! Published numbers, reproduced.
#![allow(clippy::unwrap_used)]

use desireline_stats::{
    KaplanMeier, benjamini_hochberg, benjamini_yekutieli, bonferroni, chi_square, fisher_exact,
    holm, newcombe, two_proportions_p, wilson,
};

/// All digits given: off by at most half a unit of the last of them.
#[track_caller]
fn digits(found: f64, truth: f64, decimals: i32) {
    assert!(
        (found - truth).abs() <= 0.5000001 * 10_f64.powi(-decimals),
        "{found} is not {truth}"
    );
}

#[test]
fn wilson_of_newcombe_1998() {
    let cases = [
        (81, 263, 0.25529, 0.36621),
        (15, 148, 0.06239, 0.16049),
        (0, 20, 0.0, 0.16113),
        (1, 29, 0.00611, 0.17176),
    ];
    for (k, n, lower, upper) in cases {
        let found = wilson(k, n, 0.95).unwrap();
        digits(found.lower, lower, 5);
        digits(found.upper, upper, 5);
    }
}

#[test]
fn newcombe_1998_difference() {
    let found = newcombe(56, 70, 48, 80, 0.95).unwrap();
    digits(found.lower, 0.05243, 5);
    digits(found.upper, 0.33387, 5);
}

const BH_1995: [f64; 15] = [
    0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719,
    0.6528, 0.7590, 1.0,
];

#[test]
fn benjamini_and_hochberg_1995() {
    let q = benjamini_hochberg(&BH_1995).unwrap();
    let truth = [
        0.0015, 0.003, 0.0095, 0.035625, 0.0603, 0.063857, 0.063857, 0.0645, 0.0765, 0.486,
        0.581182, 0.714875, 0.753231, 0.813214, 1.0,
    ];
    for (found, truth) in q.iter().zip(truth) {
        digits(*found, truth, 6);
    }
    let rejected = |adjusted: Vec<f64>| adjusted.iter().filter(|q| **q <= 0.05).count();
    assert_eq!(rejected(q), 4);
    assert_eq!(rejected(benjamini_yekutieli(&BH_1995).unwrap()), 3);
    assert_eq!(rejected(holm(&BH_1995).unwrap()), 3);
    assert_eq!(rejected(bonferroni(&BH_1995).unwrap()), 3);
}

#[test]
fn fishers_tea() {
    let tea = fisher_exact([[3, 1], [1, 3]]).unwrap();
    digits(tea.two_sided, 0.485714, 6);
    digits(tea.greater, 0.242857, 6);
}

#[test]
fn small_chi_square() {
    let table = [vec![43, 9], vec![44, 4]];
    digits(chi_square(&table, true).unwrap().statistic, 1.07249, 5);
    digits(chi_square(&table, false).unwrap().statistic, 1.77742, 5);
}

#[test]
fn z_of_two_proportions() {
    let test = two_proportions_p(100, 1000, 120, 1000).unwrap();
    digits(test.statistic, -1.42930, 5);
    digits(test.p, 0.152918, 6);
}

/// Remission times of Freireich 1963: events, then censored.
const TREATED: ([i64; 9], [i64; 12]) = (
    [6, 6, 6, 7, 10, 13, 16, 22, 23],
    [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35],
);

fn counts((events, censored): (&[i64], &[i64])) -> Vec<(i64, u64, u64)> {
    events
        .iter()
        .map(|&t| (t, 1, 0))
        .chain(censored.iter().map(|&t| (t, 0, 1)))
        .collect()
}

#[test]
fn kaplan_meier_of_freireich() {
    let curve = KaplanMeier::from_counts(&counts((&TREATED.0, &TREATED.1)), 0.95).unwrap();
    let truth = [
        (6, 0.8571),
        (7, 0.8067),
        (10, 0.7529),
        (13, 0.6902),
        (16, 0.6275),
        (22, 0.5378),
        (23, 0.4482),
    ];
    for (time, survival) in truth {
        digits(curve.at(time).unwrap().value, survival, 4);
    }
    let ten = curve.at(10).unwrap();
    digits(ten.lower, 0.5032, 4);
    digits(ten.upper, 0.8894, 4);
    let median = curve.quantile_limits(0.5).unwrap();
    assert_eq!((median.time, median.lower, median.upper), (23, 13, None));
}
