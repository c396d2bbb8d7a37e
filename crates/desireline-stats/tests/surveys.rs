//! Net shares and means on a scale: truths and ends. How often the intervals hold the truth is in `covers`.
#![allow(clippy::unwrap_used)]

use desireline_stats::mean::{ClusteredMoments, bounded_mean};
use desireline_stats::resample::uniform;
use desireline_stats::{Method, NetClusters, net_share, net_share_wald};

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
        Method::ScaleScore
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
fn a_mean_without_spread_has_a_bound() {
    // Where hardly anybody differs, samples without spread are common: their bound has to hold.
    let missed = (0..4_000).filter(|&r| {
        let mut sums = ClusteredMoments::default();
        (0..30).for_each(|i| sums.add(if uniform(40, r, i) < 0.02 { 4 } else { 5 }, 1));
        let mean = bounded_mean(&sums, (1, 5), 0.95).unwrap();
        mean.method == Method::Exact && !mean.contains(4.98)
    });
    assert!(missed.count() <= 200);
}
