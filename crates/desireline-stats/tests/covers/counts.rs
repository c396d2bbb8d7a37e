//! Counts and ratios of counts: Garwood, the delta method over customers.

use desireline_stats::{Clusters, garwood, ratio_estimate};

use crate::chance::Chance;
use crate::{Asked, LEVEL, covers};

#[test]
fn rare_events() {
    // Exact: never below its level, and above it where counts are small, because they are whole.
    for (mean, asked) in [
        (1.0, Asked::AtLeast),
        (3.0, Asked::AtLeast),
        (10.0, Asked::AtLeast),
        (50.0, Asked::Level),
        (300.0, Asked::Level),
    ] {
        covers(&format!("Garwood, mean {mean}"), asked, 2_000, |run| {
            let c = &mut Chance::new(71, run);
            let mean = mean * c.within(0.8, 1.2);
            Some(garwood(c.poisson(mean), LEVEL)?.contains(mean))
        });
    }
}

#[test]
fn events_per_journey() {
    // Mean events of a journey, and how far customers lie apart in it (σ of the log-normal rates).
    for (mean, spread) in [(0.3, 0.0), (2.0, 0.0), (5.0, 0.5), (5.0, 0.8)] {
        for (m, asked) in [
            (8, Asked::AtLeast),
            (15, Asked::AtLeast),
            (30, Asked::AtLeast),
            (60, Asked::Level),
            (200, Asked::Level),
        ] {
            let what =
                format!("ratio by the delta method, {m} customers, mean {mean}, spread {spread}");
            covers(&what, asked, 1_000, |run| {
                let c = &mut Chance::new(80 + m, run);
                let mut sums = Clusters::default();
                for _ in 0..m {
                    let n = c.size(3.0);
                    let rate = mean * (spread * c.normal() - spread * spread / 2.0).exp();
                    sums.add((0..n).map(|_| c.poisson(rate)).sum(), n);
                }
                Some(ratio_estimate(&sums, LEVEL)?.contains(mean))
            });
        }
    }
}
