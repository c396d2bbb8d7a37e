//! Seeded simulations: intervals cover what they say, tests reject as often as they say.
#![allow(clippy::unwrap_used)]

use desireline_stats::resample::{poisson_weight, split, uniform};
use desireline_stats::{
    Beta, ClusteredTimes, Clusters, Distribution, KaplanMeier, Sides, benjamini_hochberg,
    clustered_difference_p, heterogeneity, log_rank_clustered, newcombe, two_proportions_p, wilson,
    wilson_clustered,
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
fn clustered_wilson_covers() {
    for m in [10, 50, 200, 600] {
        for p in [0.02, 0.1, 0.5] {
            for resemblance in RESEMBLANCE {
                let sums = |r| {
                    Chance::new(m * 1000 + (p * 100.0) as u64, r).clusters(m, p, resemblance, 4.0)
                };
                let covered = share(1000, |r| {
                    wilson_clustered(&sums(r), 0.95).unwrap().contains(p)
                });
                // Standard error of a simulated share of .95: .007. With few customers or successes it may cover more than it says.
                let most = if m >= 200 && p >= 0.1 { 0.975 } else { 1.0 };
                assert!(
                    (0.93..=most).contains(&covered),
                    "m {m}, p {p}, resemblance {resemblance}: {covered}"
                );
            }
        }
    }
    // What it is for: the interval that takes journeys as independent.
    let naive = share(1000, |r| {
        let sums = Chance::new(5, r).clusters(200, 0.5, 1.0, 4.0);
        wilson(sums.k, sums.n, 0.95).unwrap().contains(0.5)
    });
    assert!(naive < 0.65, "{naive}");
}

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
fn intervals_of_independent_observations_cover() {
    // Coverage swings with p at one n; over p it is the level.
    let rates = |seed, r| {
        let mut chance = Chance::new(seed, r);
        let (p1, p2) = (0.05 + 0.9 * chance.next(), 0.05 + 0.9 * chance.next());
        let (k1, k2) = (chance.binomial(60, p1), chance.binomial(90, p2));
        (p1, p2, k1, k2)
    };
    let covered = share(10_000, |r| {
        let (p, _, k, _) = rates(1, r);
        wilson(k, 60, 0.95).unwrap().contains(p)
    });
    assert!((0.94..=0.96).contains(&covered), "wilson {covered}");
    let covered = share(10_000, |r| {
        let (p1, p2, k1, k2) = rates(2, r);
        newcombe(k1, 60, k2, 90, 0.95).unwrap().contains(p1 - p2)
    });
    assert!((0.94..=0.96).contains(&covered), "newcombe {covered}");
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
fn medians_and_survival_cover() {
    let covered = share(2000, |r| {
        let mut chance = Chance::new(11, r);
        let times: Distribution = (0..100)
            .map(|_| (-chance.next().ln() * 1e6) as i64)
            .collect();
        times
            .quantile_estimate(0.5, 0.95)
            .unwrap()
            .contains(2.0_f64.ln() * 1e6)
    });
    // Whole ranks: at least the level, by a little.
    assert!((0.94..=0.98).contains(&covered), "median {covered}");
    let curve = |r| {
        let mut chance = Chance::new(12, r);
        let rows: Vec<_> = (0..120)
            .map(|_| {
                let (event, end) = (-chance.next().ln() * 1e6, -chance.next().ln() * 2e6);
                (
                    event.min(end) as i64,
                    u64::from(event <= end),
                    u64::from(event > end),
                )
            })
            .collect();
        KaplanMeier::from_counts(&rows, 0.95).unwrap()
    };
    let covered = share(2000, |r| {
        curve(r).at(500_000).unwrap().contains((-0.5_f64).exp())
    });
    assert!((0.935..=0.965).contains(&covered), "survival {covered}");
    let covered = share(2000, |r| {
        curve(r)
            .quantile(0.5)
            .is_none_or(|e| e.contains(2.0_f64.ln() * 1e6))
    });
    assert!(
        (0.93..=0.975).contains(&covered),
        "median survival {covered}"
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
fn shrunk_rates_cover_on_average_and_lie_nearer() {
    let (mut covered, mut all, mut raw_miss, mut shrunk_miss) = (0_u32, 0_u32, 0.0, 0.0);
    for r in 0..300 {
        let mut chance = Chance::new(41, r);
        // Rates spread around 0.3, and groups from 5 to 300.
        let truths: Vec<(f64, u64)> = (0..12)
            .map(|g| {
                let rate = 0.3 + 0.12 * (chance.next() + chance.next() - 1.0);
                (rate, [5, 12, 40, 300][g % 4])
            })
            .collect();
        let groups: Vec<Clusters> = truths
            .iter()
            .map(|&(p, n)| {
                let mut group = Clusters::default();
                group.add_units(chance.binomial(n, p), n);
                group
            })
            .collect();
        let Some(prior) = Beta::of(&groups) else {
            continue;
        };
        for (group, (truth, _)) in groups.iter().zip(&truths) {
            let shrunk = prior.shrink(group, 0.95).unwrap();
            all += 1;
            covered += u32::from(shrunk.contains(*truth));
            raw_miss += (group.rate().unwrap() - truth).powi(2);
            shrunk_miss += (shrunk.value - truth).powi(2);
        }
    }
    let share = f64::from(covered) / f64::from(all);
    assert!((0.93..=0.97).contains(&share), "{share}");
    assert!(shrunk_miss < 0.6 * raw_miss, "{shrunk_miss} {raw_miss}");
}

#[test]
fn differences_within_customers_cover_and_tests_keep_their_level() {
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
            let covered = share(1000, |r| sides(r).difference(0.95).unwrap().contains(0.0));
            assert!(
                (0.925..=0.99).contains(&covered),
                "m {m}, resemblance {resemblance}: {covered}"
            );
            let rejected = share(1000, |r| sides(r).test().unwrap().p < 0.05);
            assert!(
                rejected <= 0.07,
                "m {m}, resemblance {resemblance}: {rejected}"
            );
        }
    }
}
