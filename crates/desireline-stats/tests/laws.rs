//! What holds for every input: order does not matter, intervals hold their value, hostile bytes are refused.
#![allow(clippy::unwrap_used)]

use desireline_stats::{
    ClusteredTimes, Clusters, Distribution, ExactSum, benjamini_hochberg, benjamini_yekutieli,
    bonferroni, clopper_pearson, clustered_difference_p, fisher_exact, holm, mann_whitney_grouped,
    mantel_haenszel, newcombe, simpson, two_proportions_p, wilson, wilson_clustered,
};
use proptest::prelude::*;

fn bytes<T: serde::Serialize>(value: &T) -> Vec<u8> {
    postcard::to_stdvec(value).unwrap()
}

fn duration() -> impl Strategy<Value = i64> {
    prop_oneof![
        0..300_i64,
        0..10_000_000_000_i64,
        0..=i64::MAX,
        Just(i64::MAX),
        -5..0_i64
    ]
}

fn float() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<f64>(),
        -1e6..1e6_f64,
        Just(f64::MIN_POSITIVE / 8.0),
        Just(1e308),
        Just(-1e308)
    ]
}

/// Splits at the given places, makes a part of each piece, merges the parts from the right.
fn in_parts<T: Default>(
    n: usize,
    cuts: &[usize],
    part: impl Fn(std::ops::Range<usize>) -> T,
    merge: impl Fn(&mut T, &T),
) -> T {
    let mut ends: Vec<usize> = cuts.iter().map(|cut| cut % (n + 1)).chain([0, n]).collect();
    ends.sort_unstable();
    ends.windows(2).rev().fold(T::default(), |sum, pair| {
        let mut left = part(pair[0]..pair[1]);
        merge(&mut left, &sum);
        left
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn distribution_is_a_function_of_the_values(
        mut values in prop_oneof![prop::collection::vec(duration(), 0..60), prop::collection::vec(duration(), 1000..1100), prop::collection::vec(duration(), 1100..3000)],
        cuts in prop::collection::vec(any::<usize>(), 0..6),
    ) {
        let whole: Distribution = values.iter().copied().collect();
        let mut one_by_one = Distribution::new();
        values.iter().for_each(|&v| one_by_one.push(v));
        prop_assert_eq!(bytes(&one_by_one), bytes(&whole));
        let split = in_parts(values.len(), &cuts, |range| values[range].iter().copied().collect::<Distribution>(), |a, b| a.merge(b));
        prop_assert_eq!(&whole, &split);
        prop_assert_eq!(bytes(&whole), bytes(&split));
        let back: Distribution = postcard::from_bytes(&bytes(&whole)).unwrap();
        prop_assert_eq!(&whole, &back);
        let text: Distribution = serde_json::from_str(&serde_json::to_string(&whole).unwrap()).unwrap();
        prop_assert_eq!(&whole, &text);

        values.sort_unstable();
        let reversed: Distribution = values.iter().rev().copied().collect();
        prop_assert_eq!(bytes(&whole), bytes(&reversed));

        // Against the plain definition.
        values.retain(|&v| v >= 0);
        prop_assert_eq!(whole.n(), values.len() as u64);
        prop_assert_eq!(whole.sum(), values.iter().map(|&v| v as u128).sum::<u128>());
        prop_assert_eq!((whole.min(), whole.max()), (values.first().copied(), values.last().copied()));
        prop_assert_eq!(whole.counts().map(|c| c.1).sum::<u64>(), whole.n());
        prop_assert!(whole.counts().zip(whole.counts().skip(1)).all(|(a, b)| a.0 < b.0));
        for q in [0.0, 0.01, 0.25, 0.5, 0.9, 0.99, 1.0] {
            let truth = (!values.is_empty()).then(|| values[((q * values.len() as f64).ceil() as usize).max(1) - 1]);
            match (whole.quantile(q), truth) {
                (Some(found), Some(truth)) if whole.is_exact() => prop_assert_eq!(found, truth),
                (Some(found), Some(truth)) => {
                    let off = found.abs_diff(truth) as f64;
                    prop_assert!(off <= Distribution::RELATIVE_ERROR * truth as f64, "{} is not {}", found, truth);
                }
                (found, truth) => prop_assert_eq!(found, truth),
            }
            if let Some(estimate) = whole.quantile_estimate(q, 0.95) {
                prop_assert!(estimate.lower <= estimate.value && estimate.value <= estimate.upper);
            }
        }
    }

    #[test]
    fn clustered_times_are_a_function_of_the_customers(
        customers in prop::collection::vec(prop::collection::vec((prop_oneof![0..9_u64, 0..=i64::MAX as u64], any::<bool>()), 0..5), 0..30),
        cuts in prop::collection::vec(any::<usize>(), 0..6),
    ) {
        let gather = |list: &[Vec<(u64, bool)>]| {
            let mut times = ClusteredTimes::default();
            for customer in list {
                let mut turned: Vec<_> = customer.iter().rev().copied().collect();
                times.add(&mut turned);
            }
            times
        };
        let whole = gather(&customers);
        let split = in_parts(customers.len(), &cuts, |range| gather(&customers[range]), |a, b| a.merge(b));
        prop_assert_eq!(bytes(&whole), bytes(&split));
        let back: ClusteredTimes = postcard::from_bytes(&bytes(&whole)).unwrap();
        prop_assert_eq!(bytes(&whole), bytes(&back));

        // Against the plain definition.
        let all: Vec<(u64, bool)> = customers.concat();
        let mut plain = std::collections::BTreeMap::new();
        for (time, event) in &all {
            let row: &mut (u64, u64) = plain.entry(*time as i64).or_default();
            if *event { row.0 += 1 } else { row.1 += 1 }
        }
        let plain: Vec<(i64, u64, u64)> = plain.into_iter().map(|(t, (e, c))| (t, e, c)).collect();
        prop_assert_eq!(back.counts(), plain);
        prop_assert_eq!((back.n(), back.events()), (all.len() as u64, all.iter().filter(|o| o.1).count() as u64));
        let had = customers.iter().filter(|c| c.iter().any(|o| o.1)).count();
        prop_assert_eq!(back.customers_with_event(), had as u64);
        prop_assert_eq!(back.is_independent(), customers.iter().all(|c| c.len() <= 1));
    }

    #[test]
    fn exact_sum_is_a_function_of_the_values(
        mut values in prop::collection::vec(float(), 0..200),
        cuts in prop::collection::vec(any::<usize>(), 0..6),
    ) {
        let whole: ExactSum = values.iter().copied().collect();
        let split = in_parts(values.len(), &cuts, |range| values[range].iter().copied().collect::<ExactSum>(), |a, b| a.merge(b));
        prop_assert_eq!(bytes(&whole), bytes(&split));
        prop_assert_eq!(whole.value(), split.value());
        let back: ExactSum = postcard::from_bytes(&bytes(&whole)).unwrap();
        prop_assert_eq!(&whole, &back);
        values.reverse();
        prop_assert_eq!(bytes(&whole), bytes(&values.iter().copied().collect::<ExactSum>()));
        // A sum and its negative leave nothing.
        let mut none = whole.clone();
        none.merge(&values.iter().map(|x| -x).collect());
        prop_assert!(none.n() == 0 || none.value() == Some(0.0));
        // One number comes back as it was.
        for x in values.iter().copied().filter(|x| x.is_finite()) {
            prop_assert_eq!([x].into_iter().collect::<ExactSum>().value(), Some(x));
        }
    }

    #[test]
    fn exact_sum_is_right_for_whole_numbers(values in prop::collection::vec(-(1_i64 << 52)..1 << 52, 0..300)) {
        let sum: ExactSum = values.iter().map(|&x| x as f64).collect();
        let truth: i128 = values.iter().map(|&x| i128::from(x)).sum();
        prop_assert_eq!(sum.value(), (!values.is_empty()).then_some(truth as f64));
    }

    #[test]
    fn hostile_bytes_are_refused(noise in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = postcard::from_bytes::<ExactSum>(&noise);
        if let Ok(read) = postcard::from_bytes::<Distribution>(&noise) {
            let mut merged = read.clone();
            merged.merge(&read);
            let _ = (merged.quantile(0.5), merged.quantile_estimate(0.5, 0.9));
        }
        if let Ok(read) = postcard::from_bytes::<Clusters>(&noise) {
            let mut merged = read;
            merged.merge(&read);
            let _ = (wilson_clustered(&merged, 0.95), clustered_difference_p(&read, &merged), desireline_stats::ratio_estimate(&merged, 0.95));
        }
    }

    #[test]
    fn spoilt_bytes_are_refused_or_read(at in any::<usize>(), byte in any::<u8>(), n in 0..2000_i64) {
        let whole: Distribution = (0..n).map(|i| i * i * 37).collect();
        let mut stored = bytes(&whole);
        let at = at % stored.len();
        stored[at] = byte;
        if let Ok(read) = postcard::from_bytes::<Distribution>(&stored) {
            let _ = (read.quantile(0.5), read.mean(), read.counts().count());
        }
    }

    #[test]
    fn proportions_lie_in_their_interval(n in 1..5000_u64, share in 0.0..=1.0_f64, level in 0.5..0.999_f64) {
        let k = (share * n as f64) as u64;
        for estimate in [wilson(k, n, level).unwrap(), clopper_pearson(k, n, level).unwrap()] {
            prop_assert!(0.0 <= estimate.lower && estimate.lower <= estimate.value);
            prop_assert!(estimate.value <= estimate.upper && estimate.upper <= 1.0);
            prop_assert!(estimate.width() > 0.0);
        }
        let mirrored = wilson(n - k, n, level).unwrap().complement();
        let straight = wilson(k, n, level).unwrap();
        prop_assert!((mirrored.lower - straight.lower).abs() < 1e-12 && (mirrored.upper - straight.upper).abs() < 1e-12);
    }

    #[test]
    fn newcombe_is_antisymmetric(n1 in 1..500_u64, n2 in 1..500_u64, s1 in 0.0..=1.0_f64, s2 in 0.0..=1.0_f64) {
        let (k1, k2) = ((s1 * n1 as f64) as u64, (s2 * n2 as f64) as u64);
        let forth = newcombe(k1, n1, k2, n2, 0.95).unwrap();
        let back = newcombe(k2, n2, k1, n1, 0.95).unwrap();
        prop_assert_eq!((forth.value, forth.lower, forth.upper), (-back.value, -back.upper, -back.lower));
        prop_assert!(-1.0 <= forth.lower && forth.lower <= forth.value && forth.value <= forth.upper && forth.upper <= 1.0);
        let (p, q) = (two_proportions_p(k1, n1, k2, n2).unwrap(), two_proportions_p(k2, n2, k1, n1).unwrap());
        prop_assert!(p.p > 0.0 && p.p <= 1.0 && ((p.p - q.p) / p.p).abs() < 1e-9);
    }

    #[test]
    fn clusters_merge_in_any_order(
        rows in prop::collection::vec((0..50_u64, 0..50_u64).prop_map(|(a, b)| (a.min(b), a.max(b))), 1..80),
        cuts in prop::collection::vec(any::<usize>(), 0..5),
    ) {
        let all = |rows: &[(u64, u64)]| {
            let mut sums = Clusters::default();
            rows.iter().for_each(|&(k, n)| sums.add(k, n));
            sums
        };
        let whole = all(&rows);
        prop_assert_eq!(whole, in_parts(rows.len(), &cuts, |range| all(&rows[range]), |a, b| a.merge(b)));
        if let Some(estimate) = wilson_clustered(&whole, 0.95) {
            let independent = wilson(whole.k, whole.n, 0.95).unwrap();
            prop_assert!(estimate.width() >= independent.width() - 1e-12, "clusters never make an interval narrower");
            prop_assert!(0.0 <= estimate.lower && estimate.upper <= 1.0 && estimate.contains(estimate.value));
            let size = whole.effective_n().unwrap();
            prop_assert!(1.0 - 1e-9 <= size && size <= whole.n as f64);
        } else {
            prop_assert_eq!(whole.n, 0);
        }
        // One observation each: the plain interval.
        let ones: Vec<(u64, u64)> = rows.iter().map(|row| (row.0 % 2, 1)).collect();
        let (clustered, plain) = (all(&ones), wilson(all(&ones).k, all(&ones).n, 0.95).unwrap());
        let clustered = wilson_clustered(&clustered, 0.95).unwrap();
        prop_assert_eq!((clustered.lower, clustered.upper), (plain.lower, plain.upper));
    }

    #[test]
    fn adjusting_keeps_order_and_never_lowers(p in prop::collection::vec(0.0..=1.0_f64, 0..60)) {
        for adjust in [benjamini_hochberg, benjamini_yekutieli, holm, bonferroni] {
            let q = adjust(&p).unwrap();
            prop_assert!(q.iter().zip(&p).all(|(q, p)| q >= p && *q <= 1.0));
            for (i, a) in p.iter().enumerate() {
                for (j, b) in p.iter().enumerate() {
                    prop_assert!(a > b || q[i] <= q[j]);
                }
            }
        }
    }

    #[test]
    fn tests_give_probabilities(
        t in prop::array::uniform4(0..200_u64),
        a in prop::collection::vec((-20..20_i64, 0..6_u64), 0..20),
        b in prop::collection::vec((-20..20_i64, 0..6_u64), 0..20),
        strata in prop::collection::vec(prop::array::uniform2(prop::array::uniform2(0..40_u64)), 0..6),
    ) {
        let fisher = fisher_exact([[t[0], t[1]], [t[2], t[3]]]).unwrap();
        for p in [fisher.two_sided, fisher.less, fisher.greater] {
            prop_assert!(p > 0.0 && p <= 1.0);
        }
        if let Some(test) = mann_whitney_grouped(&a, &b).unwrap() {
            let back = mann_whitney_grouped(&b, &a).unwrap().unwrap();
            prop_assert!(test.test.p > 0.0 && test.test.p <= 1.0 && (test.test.p - back.test.p).abs() < 1e-12);
            prop_assert_eq!(test.u + back.u, (test.n1 * test.n2) as f64);
        }
        if let Some(pooled) = mantel_haenszel(&strata, 0.95) {
            prop_assert!(pooled.test.p > 0.0 && pooled.test.p <= 1.0);
            prop_assert!(pooled.homogeneity.is_none_or(|test| test.p > 0.0 && test.p <= 1.0));
            prop_assert!(simpson(&strata, 0.95).is_some());
        }
    }
}

#[test]
fn bad_p_values_are_named() {
    for bad in [f64::NAN, -0.1, 1.1, f64::INFINITY] {
        for adjust in [benjamini_hochberg, benjamini_yekutieli, holm, bonferroni] {
            let message = adjust(&[0.5, bad]).unwrap_err().to_string();
            assert!(message.contains("position 1"), "{message}");
        }
    }
}

#[test]
fn an_empty_distribution_is_small() {
    let mut one = Distribution::new();
    assert_eq!(one.heap_bytes(), 0);
    assert!(size_of::<Distribution>() <= 40);
    one.push(3);
    assert!(one.heap_bytes() <= 64);
    one.push(-3);
    assert_eq!((one.n(), one.refused()), (1, 1));
    assert!(
        one.quantile_estimate(0.5, 0.95).is_none(),
        "one value is too few for a median's interval"
    );
}

#[test]
fn a_bin_counts_as_far_as_it_likes() {
    // Bins are narrow and carry: the same by ones, at once, and merged.
    for n in [65_535_u64, 65_536, 65_537, 200_000] {
        let mut by_ones = Distribution::new();
        (0..n).for_each(|_| by_ones.push(1_000_000));
        by_ones.push(5);
        let mut at_once = Distribution::new();
        at_once.push_n(5, 1);
        at_once.push_n(1_000_000, n);
        let (mut merged, mut half) = (Distribution::new(), Distribution::new());
        half.push_n(1_000_000, n / 2);
        merged.push_n(1_000_000, n - n / 2);
        merged.merge(&half);
        merged.push(5);
        let values = std::iter::repeat_n(1_000_000, n as usize);
        let extended: Distribution = values.chain([5]).collect();
        for other in [&at_once, &merged, &extended] {
            assert_eq!(&by_ones, other);
            assert_eq!(by_ones.n(), n + 1);
            assert_eq!(other.counts().map(|(_, n)| n).collect::<Vec<_>>(), [1, n]);
        }
    }
}

/// With nobody or one who did it, nothing shows whether a customer's journeys resemble each other; with a few who did it once each, much does.
#[test]
fn the_limit_of_a_rare_rate_falls_as_soon_as_resemblance_can_be_seen() {
    let upper = |k: u64| {
        let mut clusters = desireline_stats::Clusters::default();
        for customer in 0..200 {
            clusters.add(u64::from(customer < k), 20);
        }
        wilson_clustered(&clusters, 0.95).unwrap().upper
    };
    // Nobody: each customer counts as one observation.
    assert_eq!(upper(0), wilson(0, 200, 0.95).unwrap().upper);
    // From the formula of the page, worked out outside of this code.
    for (k, wanted) in [
        (0, 0.0188),
        (1, 0.0105),
        (2, 0.0055),
        (3, 0.0041),
        (5, 0.0037),
    ] {
        assert!((upper(k) - wanted).abs() < 5e-5, "{k}: {}", upper(k));
    }
}
