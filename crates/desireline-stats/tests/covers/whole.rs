//! Counts and ranks are whole, so coverage swings from one true rate to the next and no method can hold its level at each. What is held is the mean over a
//! range of them. Nothing is drawn here but for customers with several answers: the chance of every sample there can be is added up.

use desireline_stats::{Distribution, garwood, newcombe, wilson};

use crate::{LEVEL, runs};

/// Chances of 0 to `n` successes.
fn binomial(n: u64, p: f64) -> Vec<f64> {
    let mut logs = vec![n as f64 * (1.0 - p).ln()];
    for k in 1..=n {
        let step = ((n - k + 1) as f64 / k as f64 * p / (1.0 - p)).ln();
        logs.push(logs[k as usize - 1] + step);
    }
    logs.into_iter().map(f64::exp).collect()
}

/// Numbers from `low` to `high`, both among them.
fn grid(low: f64, high: f64, steps: u32) -> impl Iterator<Item = f64> + Clone {
    (0..=steps).map(move |i| low + (high - low) * f64::from(i) / f64::from(steps))
}

struct Over {
    least: f64,
    mean: f64,
}

/// Prints the mean, the least and the most coverage.
fn over(what: &str, coverage: impl Iterator<Item = f64>) -> Over {
    let all: Vec<f64> = coverage.collect();
    let mean = all.iter().sum::<f64>() / all.len() as f64;
    let least = all.iter().copied().fold(1.0, f64::min);
    let most = all.iter().copied().fold(0.0, f64::max);
    eprintln!("| {what} | {mean:.3} | {least:.3} | {most:.3} |");
    Over { least, mean }
}

fn holds_on_average(what: &str, found: &Over) {
    assert!(
        (0.93..=0.97).contains(&found.mean),
        "{what}: {}",
        found.mean
    );
}

#[test]
fn wilson_over_rates() {
    for n in [5, 10, 20, 30, 60, 100, 300] {
        let limits: Vec<_> = (0..=n).map(|k| wilson(k, n, LEVEL).unwrap()).collect();
        let what = format!("Wilson, n {n}, rates .05 to .95");
        let coverage = grid(0.05, 0.95, 360).map(|p| {
            let chances = binomial(n, p);
            let each = chances.iter().zip(&limits);
            each.filter(|(_, e)| e.contains(p)).map(|(c, _)| c).sum()
        });
        holds_on_average(&what, &over(&what, coverage));
    }
}

#[test]
fn newcombe_over_pairs_of_rates() {
    // Fewer pairs where the run is short: all of them take some seconds unoptimised.
    let steps = if runs(0) < 2_000 { 9 } else { 36 };
    for (n, m) in [(10, 10), (20, 40), (60, 90)] {
        let limits: Vec<Vec<_>> = (0..=n)
            .map(|a| {
                (0..=m)
                    .map(|b| newcombe(a, n, b, m, LEVEL).unwrap())
                    .collect()
            })
            .collect();
        let what = format!("Newcombe, n {n} and {m}, pairs of rates .05 to .95");
        let rates = grid(0.05, 0.95, steps);
        let coverage = rates
            .clone()
            .flat_map(|p| rates.clone().map(move |q| (p, q)))
            .map(|(p, q)| {
                let (ours, theirs) = (binomial(n, p), binomial(m, q));
                let row = |row: &Vec<desireline_stats::Estimate>| -> f64 {
                    let each = theirs.iter().zip(row);
                    each.filter(|(_, e)| e.contains(p - q))
                        .map(|(c, _)| c)
                        .sum()
                };
                ours.iter()
                    .zip(&limits)
                    .map(|(c, limits)| c * row(limits))
                    .sum()
            });
        holds_on_average(&what, &over(&what, coverage));
    }
}

#[test]
fn garwood_over_means() {
    for (low, high) in [
        (0.5, 2.0),
        (2.0, 5.0),
        (5.0, 10.0),
        (10.0, 30.0),
        (30.0, 100.0),
        (100.0, 300.0),
    ] {
        let what = format!("Garwood, means {low} to {high}");
        let limits: Vec<_> = (0..600).map(|k| garwood(k, LEVEL).unwrap()).collect();
        let coverage = grid(low, high, 400).map(|mean: f64| {
            let (mut log, mut held) = (-mean, 0.0);
            for (k, e) in limits.iter().enumerate() {
                if k > 0 {
                    log += (mean / k as f64).ln();
                }
                held += if e.contains(mean) { log.exp() } else { 0.0 };
            }
            held
        });
        let found = over(&what, coverage);
        // It promises its level at every mean, and cannot hold less on average where few are expected.
        assert!(found.least >= LEVEL - 1e-9, "{what}: {}", found.least);
        assert!(low < 5.0 || found.mean <= 0.97, "{what}: {}", found.mean);
    }
}

#[test]
fn order_statistics_over_sizes() {
    for q in [0.5, 0.9] {
        for (low, high) in [(10, 40), (40, 150), (150, 600)] {
            let what = format!("order statistics, quantile {q}, n {low} to {high}");
            let coverage = (low..=high).filter_map(|n| {
                // Of the values 1 to n the limits are ranks.
                let ranks: Distribution = (1..=n).collect();
                let e = ranks.quantile_estimate(q, LEVEL)?;
                let chances = binomial(n as u64, q);
                Some(chances[e.lower as usize..e.upper as usize].iter().sum())
            });
            let found = over(&what, coverage);
            assert!(found.least >= LEVEL - 1e-9, "{what}: {}", found.least);
            assert!(low < 40 || found.mean <= 0.97, "{what}: {}", found.mean);
        }
    }
}
