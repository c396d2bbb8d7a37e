//! Seeded simulations: intervals cover what they say, tests reject as often as they say.
#![allow(clippy::unwrap_used)]

use desireline_stats::resample::{poisson_weight, split, uniform};
use desireline_stats::{
    Clusters, Distribution, KaplanMeier, benjamini_hochberg, clustered_difference_p, newcombe,
    two_proportions_p, wilson, wilson_clustered,
};

/// A stream of uniform numbers for one replicate of one simulation.
struct Chance {
    seed: u64,
    key: u64,
    counter: u64,
}

impl Chance {
    fn new(seed: u64, replicate: u64) -> Self {
        Self {
            seed,
            key: replicate,
            counter: 0,
        }
    }

    fn next(&mut self) -> f64 {
        self.counter += 1;
        uniform(self.seed, self.key, self.counter)
    }

    fn binomial(&mut self, n: u64, p: f64) -> u64 {
        (0..n).filter(|_| self.next() < p).count() as u64
    }

    /// Geometric from 1 with this mean: many customers with one journey, few with many.
    fn size(&mut self, mean: f64) -> u64 {
        1 + (self.next().ln() / (1.0 - 1.0 / mean).ln()) as u64
    }

    /// A customer: size, and a leaning that is 0 or 1 for a share `resemblance` of customers and the common rate for the others.
    fn customer(&mut self, p: f64, resemblance: f64, mean: f64) -> (u64, u64) {
        let n = self.size(mean);
        let leaning = if self.next() >= resemblance {
            p
        } else {
            f64::from(u8::from(self.next() < p))
        };
        (self.binomial(n, leaning), n)
    }

    fn clusters(&mut self, m: u64, p: f64, resemblance: f64, mean: f64) -> Clusters {
        let mut sums = Clusters::default();
        for _ in 0..m {
            let (k, n) = self.customer(p, resemblance, mean);
            sums.add(k, n);
        }
        sums
    }
}

fn share(replicates: u64, hit: impl Fn(u64) -> bool) -> f64 {
    (0..replicates).filter(|&r| hit(r)).count() as f64 / replicates as f64
}

#[test]
fn clustered_wilson_report() {
    for m in [5, 10, 20, 50, 200, 600] {
        for p in [0.02, 0.1, 0.5] {
            for resemblance in [0.0, 0.3, 1.0] {
                let mut w = 0.0;
                let mut nv = 0;
                let mut hit = 0;
                let r = 1000;
                for i in 0..r {
                    let c = Chance::new(m * 1000 + (p * 100.0) as u64, i).clusters(
                        m,
                        p,
                        resemblance,
                        4.0,
                    );
                    let e = wilson_clustered(&c, 0.95).unwrap();
                    hit += u32::from(e.contains(p));
                    w += e.width();
                    nv += u32::from(wilson(c.k, c.n, 0.95).unwrap().contains(p));
                }
                eprintln!(
                    "m {m} p {p} rho {resemblance}: {:.3} naive {:.3} width {:.3}",
                    hit as f64 / r as f64,
                    nv as f64 / r as f64,
                    w / r as f64
                );
            }
        }
    }
    for m in [10, 30, 100, 300] {
        for p in [0.05, 0.3] {
            for resemblance in [0.0, 0.5] {
                let rej = share(2000, |i| {
                    let mut c = Chance::new(99 + m, i);
                    clustered_difference_p(
                        &c.clusters(m, p, resemblance, 4.0),
                        &c.clusters(m, p, resemblance, 4.0),
                    )
                    .unwrap()
                        < 0.05
                });
                eprintln!("A/A m {m} p {p} rho {resemblance}: {rej:.4}");
            }
        }
    }
}
