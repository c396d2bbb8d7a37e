//! Means: answers on a scale, money and minutes of customers.

use desireline_stats::bootstrap_t;
use desireline_stats::mean::{ClusteredMoments, bounded_mean};

use crate::chance::Chance;
use crate::{Asked, LEVEL, covers};

#[test]
fn answers_on_a_scale() {
    for (name, shares) in [
        ("satisfied", [0.05, 0.05, 0.1, 0.4, 0.4]),
        ("even", [0.2; 5]),
        ("split", [0.3, 0.05, 0.05, 0.1, 0.5]),
        ("lopsided", [0.02, 0.03, 0.05, 0.2, 0.7]),
        ("middling", [0.02, 0.08, 0.8, 0.08, 0.02]),
        ("all but agreed", [0.0, 0.0, 0.02, 0.08, 0.9]),
    ] {
        let truth: f64 = shares.iter().zip(1..).map(|(p, s)| p * f64::from(s)).sum();
        for (m, mean, alike) in [
            (5, 1.0, 0.0),
            (10, 1.0, 0.0),
            (20, 1.0, 0.0),
            (20, 3.0, 0.5),
            (50, 1.0, 0.0),
            (50, 3.0, 1.0),
            (120, 1.0, 0.0),
            (120, 3.0, 0.0),
            (120, 3.0, 0.5),
            (120, 3.0, 1.0),
            (300, 3.0, 0.5),
        ] {
            let asked = match m >= 120 && name != "all but agreed" {
                true => Asked::Level,
                false => Asked::AtLeast,
            };
            let what = format!(
                "mean on a scale, {name}, {m} customers, {mean} answers each, {alike} alike"
            );
            covers(&what, asked, 800, |run| {
                let c = &mut Chance::new(100 + m, run);
                let mut sums = ClusteredMoments::default();
                for _ in 0..m {
                    let given = c.answers(&shares, mean, alike);
                    let sum: u64 = given.iter().zip(1..).map(|(n, s)| n * s).sum();
                    sums.add(sum.into(), given.iter().sum());
                }
                let e = bounded_mean(&sums, (1, 5), LEVEL)?;
                Some(e.lower <= truth + 1e-9 && truth <= e.upper + 1e-9)
            });
        }
    }
}

/// Amounts of a customer's orders; some customers always pay the same.
fn orders(c: &mut Chance, sigma: f64, mean: f64, alike: f64) -> (i64, u32) {
    let amount = |c: &mut Chance| match sigma > 0.0 {
        true => 1_000.0 * (sigma * c.normal()).exp(),
        false => 1_000.0 * c.exponential(),
    };
    let n = c.size(mean);
    let habit = c.is(alike).then(|| amount(c));
    let sum: f64 = (0..n).map(|_| habit.unwrap_or_else(|| amount(c))).sum();
    (sum.round() as i64, n as u32)
}

#[test]
fn money_of_an_order() {
    for (name, sigma) in [("exponential", 0.0), ("log-normal .8", 0.8)] {
        let truth = 1_000.0 * (sigma * sigma / 2.0_f64).exp();
        for (m, mean, alike, asked) in [
            (8, 1.0, 0.0, Asked::AtLeast),
            (15, 1.0, 0.0, Asked::Level),
            (15, 3.0, 0.5, Asked::AtLeast),
            (60, 1.0, 0.0, Asked::Level),
            (60, 3.0, 0.5, Asked::Level),
            (200, 3.0, 0.5, Asked::Level),
        ] {
            let what = format!(
                "studentised bootstrap, {name}, {m} customers, {mean} orders each, {alike} alike"
            );
            covers(&what, asked, 200, |run| {
                let c = &mut Chance::new(200 + m, run);
                let pairs: Vec<(i64, u32)> =
                    (0..m).map(|_| orders(c, sigma, mean, alike)).collect();
                Some(bootstrap_t(&pairs, run, LEVEL)?.contains(truth))
            });
        }
    }
}

#[test]
fn money_of_a_customer_most_of_whom_pay_nothing() {
    for (m, buyers, asked) in [
        (60, 0.3, Asked::Level),
        (200, 0.1, Asked::Level),
        (200, 0.5, Asked::Level),
    ] {
        let what = format!("studentised bootstrap, {m} customers of whom {buyers} buy");
        covers(&what, asked, 200, |run| {
            let c = &mut Chance::new(300 + m, run);
            let pairs: Vec<(i64, u32)> = (0..m)
                .map(|_| match c.is(buyers) {
                    true => (orders(c, 0.6, 2.0, 0.5).0, 1),
                    false => (0, 1),
                })
                .collect();
            let truth = buyers * 2.0 * 1_000.0 * (0.18_f64).exp();
            Some(bootstrap_t(&pairs, run, LEVEL)?.contains(truth))
        });
    }
}

#[test]
fn money_with_refunds() {
    for m in [30, 120] {
        let what = format!("studentised bootstrap, {m} customers, some of whom got money back");
        covers(&what, Asked::Level, 300, |run| {
            let c = &mut Chance::new(400 + m, run);
            let pairs: Vec<(i64, u32)> = (0..m)
                .map(|_| {
                    let back = if c.is(0.2) { -1 } else { 1 };
                    let (x, n) = orders(c, 0.5, 1.0, 0.0);
                    (back * x, n)
                })
                .collect();
            let truth = 0.6 * 1_000.0 * (0.125_f64).exp();
            Some(bootstrap_t(&pairs, run, LEVEL)?.contains(truth))
        });
    }
}

#[test]
fn where_one_customer_in_a_hundred_brings_an_eighth_of_all() {
    // The limit of the method: docs/statistics.md gives the figures, and that they are no lower.
    let truth = 1_000.0 * (0.72_f64).exp();
    for m in [60, 300] {
        let runs = crate::runs(200);
        let held = (0..runs).filter(|&run| {
            let c = &mut Chance::new(500 + m, run);
            let pairs: Vec<(i64, u32)> = (0..m).map(|_| orders(c, 1.2, 1.0, 0.0)).collect();
            bootstrap_t(&pairs, run, LEVEL).unwrap().contains(truth)
        });
        let share = held.count() as f64 / runs as f64;
        eprintln!(
            "| studentised bootstrap, log-normal 1.2, {m} customers (limit) | {runs} | {share:.3} | 0 |"
        );
        let slack = if runs < 2_000 { 0.05 } else { 0.0 };
        assert!(share > 0.915 - slack, "{m} customers: {share}");
    }
}
