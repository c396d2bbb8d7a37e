//! Published numbers, reproduced.
#![allow(clippy::unwrap_used)]

use desireline_stats::hypothesis::{TestMethod, Weights};
use desireline_stats::{
    ClusteredTimes, Distribution, KaplanMeier, benjamini_hochberg, benjamini_yekutieli, bonferroni,
    chi_square, clopper_pearson, fisher_exact, garwood, holm, log_rank, log_rank_clustered,
    mann_whitney_grouped, mantel_haenszel, newcombe, two_proportions_p, wilson,
};

/// All digits given: off by at most half a unit of the last of them.
#[track_caller]
fn digits(found: f64, truth: f64, decimals: i32) {
    assert!(
        (found - truth).abs() <= 0.5000001 * 10_f64.powi(-decimals),
        "{found} is not {truth}"
    );
}

/// Twelve digits of a number computed by another program, named where it is used.
#[track_caller]
fn close(found: f64, truth: f64) {
    assert!(
        ((found - truth) / truth).abs() < 1e-10,
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
    close(tea.two_sided, 34.0 / 70.0);
    // scipy.stats.fisher_exact
    close(
        fisher_exact([[300, 1000], [600, 700]]).unwrap().two_sided,
        2.2061152752881134e-35,
    );
    close(
        fisher_exact([[8, 2], [1, 5]]).unwrap().two_sided,
        0.034965034965034975,
    );
    // Far beyond 1e-250, where a float ends, p stays a number.
    let far = fisher_exact([[5000, 0], [0, 5000]]).unwrap();
    assert!(far.two_sided > 0.0 && far.two_sided < 1e-250);
    assert_eq!(fisher_exact([[0, 0], [3, 4]]).unwrap().two_sided, 1.0);
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
    let nobody_yet = KaplanMeier::from_counts(&[(3, 0, 10)], 0.95)
        .unwrap()
        .at(3)
        .unwrap();
    assert_eq!((nobody_yet.value, nobody_yet.upper), (1.0, 1.0));
    close(nobody_yet.lower, 0.025_f64.powf(0.1));
    // lifelines: KaplanMeierFitter
    close(ten.value, 0.7529411764705878);
    close(ten.lower, 0.5031995107999564);
    close(ten.upper, 0.8893618351692651);
}

const PLACEBO: [i64; 21] = [
    1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23,
];

#[test]
fn log_rank_of_freireich_with_every_weight() {
    let groups = [counts((&TREATED.0, &TREATED.1)), counts((&PLACEBO, &[]))];
    // lifelines, logrank_test
    let truth = [
        (Weights::LogRank, 16.792940989216547, 4.168809109334511e-05),
        (Weights::Wilcoxon, 13.457852049631065, 0.0002439829218905535),
        (
            Weights::TaroneWare,
            15.123575301872705,
            0.00010069788442396945,
        ),
        (Weights::Peto, 14.08413986685654, 0.00017481161537960345),
        (
            Weights::FlemingHarrington { p: 1.0, q: 1.0 },
            12.741495708630955,
            0.00035763157816693525,
        ),
    ];
    for (weights, statistic, p) in truth {
        let test = log_rank(&groups, weights).unwrap();
        close(test.statistic, statistic);
        close(test.p, p);
        assert_eq!((test.df, test.observed.as_slice()), (1, [9, 21].as_slice()));
        let swapped = log_rank(&[groups[1].clone(), groups[0].clone()], weights).unwrap();
        close(swapped.statistic, statistic);
    }
    assert!(log_rank(&groups[..1], Weights::LogRank).is_err());
    assert!(log_rank(&groups, Weights::FlemingHarrington { p: -1.0, q: 0.0 }).is_err());
}

fn once(values: &[i64]) -> Vec<(i64, u64)> {
    values.iter().map(|&v| (v, 1)).collect()
}

#[test]
fn mann_whitney_of_scipys_example() {
    let (a, b) = (once(&[19, 22, 16, 29, 24]), once(&[20, 11, 17, 12]));
    let exact = mann_whitney_grouped(&a, &b).unwrap().unwrap();
    assert_eq!(
        (exact.u, exact.test.method),
        (17.0, TestMethod::MannWhitneyExact)
    );
    close(exact.test.p, 1.0 / 9.0);
    // Ten times each value: too many to count out. scipy, method="asymptotic".
    let tenfold = |values: &[(i64, u64)]| values.iter().map(|v| (v.0, 10)).collect::<Vec<_>>();
    let large = mann_whitney_grouped(&tenfold(&a), &tenfold(&b))
        .unwrap()
        .unwrap();
    assert_eq!(
        (large.u, large.test.method),
        (1700.0, TestMethod::MannWhitney)
    );
    close(large.test.p, 1.0972848380784048e-08);
    // All equal, and nobody.
    assert_eq!(
        mann_whitney_grouped(&[(1, 5)], &[(1, 7)])
            .unwrap()
            .unwrap()
            .test
            .p,
        1.0
    );
    assert!(
        mann_whitney_grouped(&[(1, 0)], &[(1, 7)])
            .unwrap()
            .is_none()
    );
}

#[test]
fn other_intervals_and_pooling() {
    // scipy: beta.ppf, chi2.ppf / 2
    let exact = clopper_pearson(7, 100, 0.95).unwrap();
    close(exact.lower, 0.028605288907438704);
    close(exact.upper, 0.13891972845585732);
    let ten = garwood(10, 0.95).unwrap();
    close(ten.lower, 4.7953886961324335);
    close(ten.upper, 18.39035604201778);
    // statsmodels, StratifiedTable
    let strata = [
        [[12, 16], [8, 34]],
        [[56, 44], [24, 77]],
        [[5, 30], [9, 26]],
    ];
    let pooled = mantel_haenszel(&strata, 0.95).unwrap();
    let odds = pooled.odds_ratio.unwrap();
    close(odds.value, 2.6636130926857158);
    close(
        (odds.upper / odds.lower).ln() / (2.0 * 1.959963984540054),
        0.23723945112873346,
    );
    close(pooled.test.statistic, 17.98208558468127);
    close(pooled.test.p, 2.2299369303202532e-05);
    let homogeneity = pooled.homogeneity.unwrap();
    close(homogeneity.statistic, 10.699309432291226);
    close(homogeneity.p, 0.004749790742361815);
}

#[test]
fn tails_keep_their_digits() {
    // scipy: 2 * norm.sf(33); chi2.sf(1100, 3) is 3.64e-238
    let far = two_proportions_p(900_000, 1_000_000, 500_000, 1_000_000).unwrap();
    assert!(far.p > 0.0 && far.p < 1e-250);
    let test = chi_square(&[vec![1000, 0], vec![0, 1000]], false).unwrap();
    assert!(test.p > 0.0 && test.p.is_finite() && test.cramers_v == 1.0);
}

#[test]
fn exact_limits_of_large_counts() {
    // scipy: beta.ppf(.025, k, n - k + 1), beta.isf(.025, k + 1, n - k)
    let cases = [
        (9_000, 18_000, 0.49266836332528263, 0.5073316366747174),
        (500_000, 1_000_000, 0.49901951919531184, 0.5009804808046882),
        (
            5_000,
            9_999_999,
            0.0004862392899097024,
            0.0005140513333319208,
        ),
        (
            10_001,
            9_000_000,
            0.0010895609350386282,
            0.0011332054696516726,
        ),
        (
            9_999,
            30_000_000,
            0.00032679979919244623,
            0.00033989693940861883,
        ),
        (
            3,
            1_000_000_000,
            6.186721233228957e-10,
            8.767273088677563e-09,
        ),
        (
            20_000,
            1_000_000_000,
            1.9723770314930838e-05,
            2.0279130797618477e-05,
        ),
    ];
    for (k, n, lower, upper) in cases {
        let found = clopper_pearson(k, n, 0.95).unwrap();
        let error = (found.lower - lower).abs().max((found.upper - upper).abs());
        assert!(error < 1e-5 * (upper - lower), "{k} of {n}: {found:?}");
        let turned = clopper_pearson(n - k, n, 0.95).unwrap();
        let error = (1.0 - turned.upper - lower)
            .abs()
            .max((1.0 - turned.lower - upper).abs());
        assert!(
            error < 1e-5 * (upper - lower) + 1e-15,
            "{k} of {n}: {turned:?}"
        );
    }
    // scipy: gamma.ppf(.025, count), gamma.isf(.025, count + 1)
    let cases = [
        (9_999, 9803.962267410414, 10196.941824999883),
        (10_001, 9805.942667599955, 10198.961423833132),
        (1_000_000, 998040.9833402939, 1001961.9119454322),
        (500_000_000_000, 499998614097.1228, 500001385905.7715),
    ];
    for (count, lower, upper) in cases {
        let found = garwood(count, 0.95).unwrap();
        close(found.lower, lower);
        close(found.upper, upper);
    }
}

#[test]
fn the_largest_counts_have_intervals() {
    for n in [1 << 53, u64::MAX - 1, u64::MAX] {
        for level in [1e-9, 0.5, 0.95, 1.0 - 1e-12] {
            garwood(n, level).unwrap();
            for k in [0, 1, 2, 10_000, 20_000, n / 2, n - 20_000, n - 1, n] {
                let found = clopper_pearson(k, n, level).unwrap();
                assert!(found.lower <= found.upper, "{k} of {n}");
                wilson(k, n, level).unwrap();
            }
        }
    }
    let mut many = Distribution::new();
    many.push_n(3, u64::MAX - 1);
    many.push_n(70, 5);
    assert_eq!(many.n(), u64::MAX);
    for q in [0.0, 1e-19, 0.5, 0.9, 1.0] {
        let found = many.quantile_estimate(q, 0.95);
        assert!(found.is_some_and(|e| e.value >= 3.0), "{q}");
    }
}

/// The times of one customer, and whether the event was seen at them.
type Times = Vec<(u64, bool)>;

/// 24 customers in two groups with one to four times each, all different.
fn repeated() -> (Vec<Times>, Vec<Times>) {
    let (mut first, mut second) = (Vec::new(), Vec::new());
    let (mut x, mut row) = (1_u64, 0);
    for customer in 0..24_u64 {
        let mut times = Vec::new();
        for _ in 0..1 + customer % 4 {
            x = (x * 1103 + 12345) % 65536;
            let time = ((customer * 37 % 19 + 1) * 1000 + x % 997) * 100 + row;
            times.push((time, x % 5 != 0));
            row += 1;
        }
        if customer % 2 == 1 {
            &mut first
        } else {
            &mut second
        }
        .push(times);
    }
    (first, second)
}

fn gathered(customers: &[Times], copies: usize) -> ClusteredTimes {
    let mut times = ClusteredTimes::default();
    for customer in customers {
        times.add(&mut customer.repeat(copies));
    }
    times
}

#[test]
fn clustered_log_rank_of_lifelines_score_residuals() {
    // lifelines: score residuals of a Cox model held at 0, summed by customer; scipy: t.sf.
    let (first, second) = repeated();
    let (a, b) = (gathered(&first, 1), gathered(&second, 1));
    let test = log_rank_clustered(&a, &b).unwrap().unwrap();
    assert_eq!(test.method, TestMethod::LogRankClustered);
    close(test.statistic, 0.5333795928113155);
    close(test.p, 0.6002956672326737);
    // Every observation twice: nothing more is known.
    let twice = log_rank_clustered(&gathered(&first, 2), &gathered(&second, 2));
    close(twice.unwrap().unwrap().statistic, test.statistic);
    // The groups changed over.
    let turned = log_rank_clustered(&b, &a).unwrap().unwrap();
    close(turned.statistic, -test.statistic);

    // One time each: the plain test.
    let alone = |customers: &[Times]| {
        let split: Vec<Times> = customers.iter().flatten().map(|&one| vec![one]).collect();
        gathered(&split, 1)
    };
    let (a, b) = (alone(&first), alone(&second));
    let test = log_rank_clustered(&a, &b).unwrap().unwrap();
    let plain = log_rank(&[a.counts(), b.counts()], Weights::LogRank).unwrap();
    assert_eq!((test.p, test.method), (plain.p, TestMethod::LogRank));
    // lifelines: logrank_test
    close(plain.p, 0.47123145693282775);
}
