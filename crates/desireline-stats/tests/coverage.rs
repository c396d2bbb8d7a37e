//! Seeded simulations: tests reject as often as they say. How often intervals hold the truth is in `covers`.
#![allow(clippy::unwrap_used)]

use desireline_stats::resample::{poisson_weight, split, uniform};
use desireline_stats::{
    ClusteredTimes, Clusters, Sides, benjamini_hochberg, clustered_difference_p, heterogeneity,
    log_rank_clustered, two_proportions_p,
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

/// Resemblance within customers: none, some, complete.
const RESEMBLANCE: [f64; 3] = [0.0, 0.3, 1.0];

#[test]
fn clustered_test_of_no_difference_is_not_alarmed() {
    for m in [10, 100, 300] {
        for p in [0.02, 0.05, 0.3] {
            for resemblance in RESEMBLANCE {
                let rejected = share(1000, |r| {
                    let mut chance = Chance::new(99 + m, r);
                    let (a, b) = (
                        chance.clusters(m, p, resemblance, 4.0),
                        chance.clusters(m, p, resemblance, 4.0),
                    );
                    clustered_difference_p(&a, &b).unwrap() < 0.05
                });
                assert!(
                    rejected <= 0.065,
                    "m {m}, p {p}, resemblance {resemblance}: {rejected}"
                );
            }
        }
    }
}

#[test]
fn ten_thousand_splits_of_one_population_reject_one_in_twenty() {
    // 800 customers who resemble themselves, split by a hash of their key as an A/A test does.
    let mut chance = Chance::new(2024, 0);
    let customers: Vec<(u64, u64)> = (0..800).map(|_| chance.customer(0.3, 0.3, 4.0)).collect();
    let rejected = share(10_000, |r| {
        let mut groups = [Clusters::default(); 2];
        for (key, &(k, n)) in customers.iter().enumerate() {
            groups[split(r, key as u64, 2) as usize].add(k, n);
        }
        clustered_difference_p(&groups[0], &groups[1]).unwrap() < 0.05
    });
    assert!((0.045..=0.055).contains(&rejected), "{rejected}");
}

#[test]
fn a_test_of_two_proportions_rejects_one_in_twenty() {
    let rejected = share(10_000, |r| {
        let mut chance = Chance::new(3, r);
        let (k1, k2) = (chance.binomial(150, 0.3), chance.binomial(170, 0.3));
        two_proportions_p(k1, 150, k2, 170).unwrap().p < 0.05
    });
    assert!(
        (0.04..=0.06).contains(&rejected),
        "two proportions {rejected}"
    );
}

#[test]
fn false_discoveries_stay_within_their_share() {
    // 20 segments, 5 of them truly different: the mean share of false ones among those called.
    let mut total = 0.0;
    for r in 0..1000 {
        let mut chance = Chance::new(21, r);
        let p: Vec<f64> = (0..20)
            .map(|i| {
                let rate = if i < 5 { 0.45 } else { 0.3 };
                let (a, b) = (chance.binomial(200, 0.3), chance.binomial(200, rate));
                two_proportions_p(a, 200, b, 200).unwrap().p
            })
            .collect();
        let called: Vec<usize> = benjamini_hochberg(&p)
            .unwrap()
            .iter()
            .enumerate()
            .filter(|(_, q)| **q <= 0.05)
            .map(|(i, _)| i)
            .collect();
        let wrong = called.iter().filter(|&&i| i >= 5).count();
        total += wrong as f64 / called.len().max(1) as f64;
    }
    assert!(total / 1000.0 <= 0.05, "{}", total / 1000.0);
}

#[test]
fn bootstrap_weights_are_poisson_of_mean_one() {
    let weights: Vec<u32> = (0..100_000).map(|key| poisson_weight(1, key, 7)).collect();
    let n = weights.len() as f64;
    let mean = weights.iter().map(|&w| f64::from(w)).sum::<f64>() / n;
    let variance = weights
        .iter()
        .map(|&w| (f64::from(w) - mean).powi(2))
        .sum::<f64>()
        / n;
    let none = weights.iter().filter(|&&w| w == 0).count() as f64 / n;
    assert!(
        (mean - 1.0).abs() < 0.015 && (variance - 1.0).abs() < 0.03,
        "{mean} {variance}"
    );
    assert!((none - (-1.0_f64).exp()).abs() < 0.006, "{none}");
}

#[test]
fn a_clustered_log_rank_without_a_difference_rejects_one_in_twenty() {
    // 160 customers of one to eight times each, every customer with a speed of their own, all watched for a while only.
    for (seed, spread, most) in [(1, 0.0, 8), (2, 2.0, 8), (3, 4.0, 8), (4, 4.0, 2)] {
        let rejected = share(4_000, |r| {
            let mut chance = Chance::new(seed, r);
            let mut groups = [ClusteredTimes::default(), ClusteredTimes::default()];
            for _ in 0..160 {
                let group = usize::from(chance.next() < 0.5);
                let slowness = (spread * (chance.next() - 0.5)).exp();
                let size = 1 + (chance.next() * f64::from(most)) as usize;
                let mut times: Vec<(u64, bool)> = (0..size)
                    .map(|_| {
                        let time = -chance.next().ln() * slowness;
                        let watched = 0.3 + 2.0 * chance.next();
                        ((time.min(watched) * 1e6) as u64, time <= watched)
                    })
                    .collect();
                groups[group].add(&mut times);
            }
            let [a, b] = &groups;
            log_rank_clustered(a, b).unwrap().unwrap().p <= 0.05
        });
        // Standard error .0034.
        assert!(
            (0.038..=0.062).contains(&rejected),
            "spread {spread}, up to {most}: {rejected}"
        );
    }
}

#[test]
fn groups_that_do_not_differ_are_not_told_apart() {
    for (groups, m) in [(3, 30), (6, 100)] {
        for p in [0.1, 0.4] {
            for resemblance in RESEMBLANCE {
                let rejected = share(1000, |r| {
                    let mut chance = Chance::new(7 * m + (p * 100.0) as u64, r);
                    let rates: Vec<Clusters> = (0..groups)
                        .map(|_| chance.clusters(m, p, resemblance, 4.0))
                        .collect();
                    heterogeneity(&rates).unwrap().p < 0.05
                });
                assert!(
                    rejected <= 0.07,
                    "{groups} groups, m {m}, p {p}, resemblance {resemblance}: {rejected}"
                );
            }
        }
    }
    let found = share(300, |r| {
        let mut chance = Chance::new(3, r);
        let rates = [0.3, 0.3, 0.5].map(|p| chance.clusters(100, p, 0.3, 4.0));
        heterogeneity(&rates).unwrap().p < 0.05
    });
    assert!(found > 0.9, "{found}");
}

#[test]
fn tests_within_customers_keep_their_level() {
    for m in [30, 150] {
        for resemblance in RESEMBLANCE {
            let sides = |r| {
                let mut chance = Chance::new(11 + m, r);
                let mut sides = Sides::default();
                for _ in 0..m {
                    // A customer's journeys fall on one side or the other; the leaning is the customer's.
                    let (k, n) = chance.customer(0.3, resemblance, 4.0);
                    let mut a = (0, 0);
                    for i in 0..n {
                        if chance.next() < 0.5 {
                            a = (a.0 + u64::from(i < k), a.1 + 1);
                        }
                    }
                    sides.add(a, (k - a.0, n - a.1));
                }
                sides
            };
            let rejected = share(1000, |r| sides(r).test().unwrap().p < 0.05);
            assert!(
                rejected <= 0.07,
                "m {m}, resemblance {resemblance}: {rejected}"
            );
        }
    }
}
