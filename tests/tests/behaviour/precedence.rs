//! The usual order against the plainest count, planted orders, and what is refused.

use desireline_core::analyses::precedence::{MAX_TOUCHPOINTS, Precedence, Verdict};
use desireline_core::journey::JourneyRule;
use desireline_core::log::{Log, LogBuilder, LogOptions};
use desireline_core::report::{Base, Caveat, Rate};
use desireline_stats::Clusters;
use desireline_tests::random_log::Row;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{ONE_THREAD, event_names, random};

/// Journeys in which the first a comes before the first b of those with both, by customer; and the ties among them.
fn naive(customers: &[Vec<Vec<Row>>], a: &str, b: &str) -> (Clusters, u64) {
    let (mut sums, mut ties) = (Clusters::default(), 0);
    for customer in customers {
        let (mut k, mut n) = (0, 0);
        for journey in customer {
            let first = |name: &str| journey.iter().position(|r| r.event == name);
            if let (Some(a), Some(b)) = (first(a), first(b)) {
                n += 1;
                k += u64::from(a < b);
                ties += u64::from(journey[a].time == journey[b].time);
            }
        }
        sums.add(k, n);
    }
    (sums, ties)
}

fn reach(customers: &[Vec<Vec<Row>>], name: &str) -> Clusters {
    let mut sums = Clusters::default();
    for customer in customers {
        let has = |j: &&Vec<Row>| j.iter().any(|r| r.event == name);
        sums.add(
            customer.iter().filter(has).count() as u64,
            customer.len() as u64,
        );
    }
    sums
}

#[test]
fn agrees_with_a_naive_matrix_on_random_logs() {
    for seed in 0..4_000 {
        let (journeys, customers) = random(seed);
        let names = event_names(&customers);
        let report = journeys
            .run_with(&Precedence::default(), &ONE_THREAD)
            .unwrap();
        assert_eq!(report.journeys, customers.iter().flatten().count() as u64);
        assert_eq!(report.touchpoints.len(), names.len());
        for touchpoint in &report.touchpoints {
            let expected = reach(&customers, &touchpoint.touchpoint);
            assert_eq!(
                touchpoint.reach,
                Rate::clustered(&expected, Base::OfAll, 0.95),
                "seed {seed}"
            );
        }
        // Each pair, in the order of the report, and none twice.
        let mut pairs = 0;
        for (i, a) in report.touchpoints.iter().enumerate() {
            let (mut wins, mut losses) = (0, 0);
            for (j, b) in report
                .touchpoints
                .iter()
                .enumerate()
                .filter(|(j, _)| *j != i)
            {
                let (sums, ties) = naive(&customers, &a.touchpoint, &b.touchpoint);
                wins += u64::from(2 * sums.k > sums.n);
                losses += u64::from(2 * sums.k < sums.n);
                if j < i || sums.n == 0 {
                    continue;
                }
                let found = &report.pairs[pairs];
                pairs += 1;
                assert_eq!(
                    (&found.first, &found.then, found.ties),
                    (&a.touchpoint, &b.touchpoint, ties),
                    "seed {seed}"
                );
                assert_eq!(found.before, Rate::clustered(&sums, Base::OfBoth, 0.95));
                let verdict = match found.before.estimate {
                    None => Verdict::TooFew,
                    Some(e) if e.lower > 0.5 => Verdict::Follows,
                    Some(e) if e.upper < 0.5 => Verdict::Against,
                    Some(_) => Verdict::Unclear,
                };
                assert_eq!(found.verdict, verdict, "seed {seed}");
            }
            assert_eq!((a.wins, a.losses), (wins, losses), "seed {seed}");
        }
        assert_eq!(report.pairs.len(), pairs, "seed {seed}");
        let net: Vec<i64> = report
            .touchpoints
            .iter()
            .map(|t| t.wins as i64 - t.losses as i64)
            .collect();
        assert!(net.windows(2).all(|w| w[0] >= w[1]), "seed {seed}");
        let sum = |x: fn(&Rate) -> u64| report.pairs.iter().map(|p| x(&p.before)).sum::<u64>();
        let agreement = (pairs > 0).then(|| sum(|r| r.count) as f64 / sum(|r| r.n) as f64);
        assert_eq!(report.agreement, agreement, "seed {seed}");
        assert_eq!(
            report.follows + report.against + report.unclear,
            pairs as u64
        );

        // A short list: the same pairs of those listed, and the rest added up.
        let short = journeys.run_with(&Precedence::top(2), &ONE_THREAD).unwrap();
        let listed: u64 = short.touchpoints.iter().map(|t| t.reach.count).sum();
        let all: u64 = report.touchpoints.iter().map(|t| t.reach.count).sum();
        let rest = short.other.map_or((0, 0), |o| (o.distinct, o.visits));
        let hidden = names.len().saturating_sub(2) as u64;
        assert_eq!(rest, (hidden, all - listed), "seed {seed}");
        for pair in &short.pairs {
            let whole = report.pair(&pair.then, &pair.first).unwrap();
            assert_eq!((pair.before.n, pair.ties), (whole.before.n, whole.ties));
        }
        if seed % 4 == 0 {
            let spec = Precedence::default();
            let located = journeys.count_located(&spec).unwrap();
            let counted = journeys.count_cells(&spec, &ONE_THREAD).unwrap();
            assert_eq!(located, counted, "seed {seed}");
        }
    }
}

/// Journeys that have some of the touchpoints in order, with `swaps` in a hundred neighbours turned round, and the first
/// one once more at the end.
fn planted(order: &[&str], n: usize, swaps: u32) -> Log {
    let rng = &mut ChaCha8Rng::seed_from_u64(6);
    let mut builder = LogBuilder::new(LogOptions::default());
    for customer in 0..n {
        let some = order.iter().copied().filter(|_| rng.random_bool(0.7));
        let mut way: Vec<&str> = some.collect();
        for i in 1..way.len() {
            if rng.random_ratio(swaps, 100) {
                way.swap(i - 1, i);
            }
        }
        way.extend(way.first().copied());
        for (time, event) in (0..).zip(way) {
            let customer = format!("c{customer}");
            builder.push(&customer, time * 1_000_000, event).unwrap();
        }
    }
    builder.finish().unwrap()
}

#[test]
fn a_planted_order_is_found() {
    let order = [
        "zoo", "ad", "home", "search", "view", "cart", "pay", "thank",
    ];
    let journeys = planted(&order, 800, 20)
        .journeys(JourneyRule::customer())
        .unwrap();
    let report = journeys.run(&Precedence::default()).unwrap();
    let found: Vec<&str> = report
        .touchpoints
        .iter()
        .map(|t| t.touchpoint.as_str())
        .collect();
    assert_eq!(found, order);
    assert_eq!((report.follows, report.against, report.unclear), (28, 0, 0));
    assert!(report.agreement.unwrap() > 0.9);

    // Of any order at all, few pairs are called sure.
    let shuffled = planted(&order, 800, 50)
        .journeys(JourneyRule::customer())
        .unwrap();
    let named = Precedence::of(["pay", "zoo", "pay"]);
    let two = shuffled.run(&named).unwrap();
    assert_eq!(two.touchpoints.len(), 2);
    assert_eq!(two.other.map(|o| o.distinct), Some(6));
    assert!(
        two.caveats
            .iter()
            .any(|c| matches!(c, Caveat::Truncated { .. }))
    );
}

#[test]
fn pairs_without_an_order_are_said_to_have_none() {
    let rng = &mut ChaCha8Rng::seed_from_u64(7);
    let names: Vec<String> = (0..12).map(|i| format!("n{i}")).collect();
    let mut builder = LogBuilder::new(LogOptions::default());
    for customer in 0..400 {
        let mut way: Vec<&String> = names.iter().collect();
        for i in (1..way.len()).rev() {
            way.swap(i, rng.random_range(0..=i));
        }
        for (time, event) in (0..).zip(way) {
            builder.push(&format!("c{customer}"), time, event).unwrap();
        }
    }
    let journeys = builder.finish().unwrap();
    let journeys = journeys.journeys(JourneyRule::customer()).unwrap();
    let report = journeys.run(&Precedence::default()).unwrap();
    // 66 pairs at a level of 95 %.
    assert!(report.unclear >= 56, "{report:?}");
    // A true order agrees with all; one made of chance with hardly more than half.
    assert!(report.agreement.unwrap() < 0.56);
}

#[test]
fn equal_times_are_counted_in_the_order_of_the_log() {
    let rows = (0..6).flat_map(|i| {
        let customer = ["a", "b", "c", "d", "e", "f"][i];
        let second = i64::from(i > 3);
        [(customer, 0, "x"), (customer, second, "y")]
    });
    let log = Log::from_rows(rows).unwrap();
    let journeys = log.journeys(JourneyRule::customer()).unwrap();
    let report = journeys.run(&Precedence::default()).unwrap();
    let pair = report.pair("y", "x").unwrap();
    assert_eq!((pair.first.as_str(), pair.then.as_str()), ("x", "y"));
    assert_eq!((pair.before.count, pair.before.n, pair.ties), (6, 6, 4));
    let why = journeys.explain(&Precedence::default(), "a").unwrap();
    assert!(
        why[0].cells[0]
            .why
            .contains("at the same time and after it")
    );
}

#[test]
fn many_names_take_little_and_the_most_frequent_are_kept() {
    let mut builder = LogBuilder::new(LogOptions::default());
    for name in 0..3_000 {
        builder
            .push("collector", name, &format!("rare {name}"))
            .unwrap();
    }
    for (customer, time) in (0..10).flat_map(|c| [(c, 0), (c, 1)]) {
        let name = ["often", "next"][usize::from(time == 1)];
        builder.push(&format!("c{customer}"), time, name).unwrap();
    }
    let journeys = builder.finish().unwrap();
    let journeys = journeys.journeys(JourneyRule::customer()).unwrap();
    let report = journeys.run(&Precedence::top(2)).unwrap();
    assert_eq!(report.touchpoints[0].touchpoint, "often");
    assert_eq!(report.pairs.len(), 1);
    let other = report.other.unwrap();
    assert_eq!((other.distinct, other.visits), (3_000, 3_000));
    let all = journeys
        .run(&Precedence::top(MAX_TOUCHPOINTS as u32))
        .unwrap();
    assert_eq!(all.touchpoints.len(), MAX_TOUCHPOINTS);
}

#[test]
fn questions_that_make_no_sense_are_refused() {
    let (journeys, _) = random(1);
    let error = |asked: &Precedence| journeys.run(asked).unwrap_err().to_string();
    assert_eq!(
        error(&Precedence::top(129)),
        "`top` of precedence: 129 is too many, the limit is 128"
    );
    assert!(error(&Precedence::top(0)).contains("use 2 or more"));
    assert!(error(&Precedence::of(["A!"])).contains("the log has no event `A!`"));
    assert!(error(&Precedence::default().level(1.0)).starts_with("`level` of precedence: "));
    assert!(serde_json::from_str::<Precedence>(r#"{"topp": 3}"#).is_err());
    let read = serde_json::from_str::<Precedence>("{}").unwrap();
    assert_eq!(read, Precedence::default());
}
