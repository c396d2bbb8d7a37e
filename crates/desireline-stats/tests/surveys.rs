//! Net shares and means on a scale: truths, and seeded simulations of how often the intervals hold the truth.
#![allow(clippy::unwrap_used)]

use desireline_stats::mean::{ClusteredMoments, bounded_mean};
use desireline_stats::resample::uniform;
use desireline_stats::{Method, NetClusters, net_share, net_share_wald};

fn share(replicates: u64, hit: impl Fn(u64) -> bool) -> f64 {
    (0..replicates).filter(|&r| hit(r)).count() as f64 / replicates as f64
}

/// An answer by its place among those with these shares.
fn answer(shares: &[f64], at: f64) -> usize {
    let mut sum = 0.0;
    shares
        .iter()
        .position(|share| {
            sum += share;
            at < sum
        })
        .unwrap_or(shares.len() - 1)
}

/// How many answers each of `m` customers gave of each kind: geometric sizes of mean 3 where they repeat, and a share of
/// customers who always answer alike.
fn customers(
    seed: u64,
    r: u64,
    m: u64,
    shares: &[f64],
    repeats: bool,
    alike: f64,
) -> Vec<Vec<u64>> {
    let mut counter = 0;
    let mut next = || {
        counter += 1;
        uniform(seed, r, counter)
    };
    (0..m)
        .map(|_| {
            let size = match repeats {
                true => 1 + (next().ln() / (2.0_f64 / 3.0).ln()) as u64,
                false => 1,
            };
            let mut given = vec![0; shares.len()];
            let habit = (next() < alike).then(|| answer(shares, next()));
            for _ in 0..size {
                given[habit.unwrap_or_else(|| answer(shares, next()))] += 1;
            }
            given
        })
        .collect()
}

fn net(seed: u64, r: u64, m: u64, shares: &[f64; 3], repeats: bool, alike: f64) -> NetClusters {
    let mut sums = NetClusters::default();
    for given in customers(seed, r, m, shares, repeats, alike) {
        sums.add(given[0], given[2], given.iter().sum());
    }
    sums
}

fn points(
    seed: u64,
    r: u64,
    m: u64,
    shares: &[f64; 5],
    repeats: bool,
    alike: f64,
) -> ClusteredMoments {
    let mut sums = ClusteredMoments::default();
    for given in customers(seed, r, m, shares, repeats, alike) {
        let sum: u64 = given.iter().zip(1..).map(|(n, s)| n * s).sum();
        sums.add(sum.into(), given.iter().sum());
    }
    sums
}

#[test]
fn published_and_computed_figures() {
    let close = |a: f64, b: f64, by: f64| assert!((a - b).abs() < by, "{a} is not {b}");
    let net = net_share(50, 20, 100, 0.95).unwrap();
    close(net.value, 0.3, 1e-12);
    close((net.lower + net.upper) / 2.0, 30.0 / 103.0, 1e-12);
    close(net.width() / 2.0, 0.15075, 5e-6);
    let plain = net_share_wald(50, 20, 100, 0.95).unwrap();
    close(plain.width() / 2.0, 1.959_963_985 * 0.078_102_497, 1e-8);
    // San Francisco airport, 2017.
    let sfo = net_share_wald(1436, 342, 2746, 0.95).unwrap();
    close(100.0 * sfo.value, 39.8398, 5e-5);
    close(100.0 * sfo.lower, 37.225, 5e-4);
    close(100.0 * sfo.upper, 42.455, 5e-4);
}

#[test]
fn ends_and_nonsense() {
    for n in [1, 2, 5, 100, 1_000_000, u64::MAX] {
        for level in [0.01, 0.5, 0.8, 0.95, 0.999] {
            for (plus, minus) in [(n, 0), (0, n), (0, 0)] {
                let net = net_share(plus, minus, n, level).unwrap();
                assert!((-1.0..=1.0).contains(&net.lower) && (-1.0..=1.0).contains(&net.upper));
                assert!(net.contains(net.value));
            }
        }
    }
    assert!(net_share(100, 0, 100, 0.95).unwrap().width() > 0.0);
    assert!(net_share(0, 0, 0, 0.95).is_none());
    assert!(net_share(60, 60, 100, 0.95).is_none());
    assert!(net_share(u64::MAX, u64::MAX, 1, 0.95).is_none());
    assert!(net_share(1, 0, 2, 1.0).is_none());
    assert!(NetClusters::default().net_share(0.95).is_none());
    let mut one = NetClusters::default();
    one.add(3, 1, 4);
    assert!(one.net_share(0.95).unwrap().width() > 1.0);
    one.add(5, 5, 9);
    assert_eq!(one.moments.m, 1);

    let mut sums = ClusteredMoments::default();
    assert!(bounded_mean(&sums, (1, 5), 0.95).is_none());
    sums.add(5, 1);
    assert!(bounded_mean(&sums, (1, 5), 0.95).is_none());
    sums.add(6, 1);
    assert!(
        bounded_mean(&sums, (1, 5), 0.95).is_none(),
        "6 is not on the scale"
    );
    // Σx² = s² Σn² alone does not say that all answered the same.
    let mut crossed = ClusteredMoments::default();
    crossed.add(2, 1);
    crossed.add(1, 2);
    assert_eq!(
        bounded_mean(&crossed, (0, 5), 0.95).unwrap().method,
        Method::DeltaMethod
    );
    let mut below = ClusteredMoments::default();
    below.add(-4, 2);
    below.add(-2, 1);
    let mean = bounded_mean(&below, (-2, 2), 0.95).unwrap();
    assert_eq!(
        (mean.value, mean.lower, mean.method),
        (-2.0, -2.0, Method::Exact)
    );
    assert!(mean.upper > -2.0);
}

#[test]
fn net_shares_cover() {
    for (i, shares) in [[0.5, 0.3, 0.2], [0.7, 0.2, 0.1], [0.2, 0.2, 0.6]]
        .iter()
        .enumerate()
    {
        let truth = shares[0] - shares[2];
        for m in [20, 100] {
            let covered = share(4_000, |r| {
                let net = net(10 + i as u64, r, m, shares, false, 0.0).net_share(0.95);
                net.unwrap().contains(truth)
            });
            assert!(
                (0.93..=0.97).contains(&covered),
                "{shares:?} of {m}: {covered}"
            );
        }
        for alike in [0.0, 0.5, 1.0] {
            let covered = share(2_000, |r| {
                let net = net(20 + i as u64, r, 150, shares, true, alike).net_share(0.95);
                net.unwrap().contains(truth)
            });
            assert!(
                (0.93..=0.975).contains(&covered),
                "{shares:?}, alike {alike}: {covered}"
            );
        }
    }
}

#[test]
fn means_on_a_scale_cover() {
    for (i, shares) in [
        [0.05, 0.05, 0.1, 0.4, 0.4],
        [0.2, 0.2, 0.2, 0.2, 0.2],
        [0.02, 0.03, 0.05, 0.2, 0.7],
    ]
    .iter()
    .enumerate()
    {
        let truth: f64 = shares.iter().zip(1..).map(|(p, s)| p * f64::from(s)).sum();
        for (repeats, alike, m) in [
            (false, 0.0, 120),
            (true, 0.0, 300),
            (true, 0.5, 300),
            (true, 1.0, 300),
        ] {
            let covered = share(2_000, |r| {
                let mean = bounded_mean(
                    &points(30 + i as u64, r, m, shares, repeats, alike),
                    (1, 5),
                    0.95,
                );
                mean.unwrap().contains(truth)
            });
            assert!(
                (0.93..=0.97).contains(&covered),
                "{shares:?}, {repeats}, alike {alike}: {covered}"
            );
        }
    }
    // Where hardly anybody differs, samples without spread are common: their bound has to hold.
    let shares = [0.0, 0.0, 0.0, 0.02, 0.98];
    let covered = share(4_000, |r| {
        let sums = points(40, r, 30, &shares, false, 0.0);
        let mean = bounded_mean(&sums, (1, 5), 0.95).unwrap();
        mean.method != Method::Exact || mean.contains(4.98)
    });
    assert!(covered >= 0.95, "{covered}");
}
