//! Drop-off against a naive one, hand-made corner cases, and the laws.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::sync::LazyLock;

use desireline_core::analyses::dropoff::Dropoff;
use desireline_core::engine::Exec;
use desireline_core::journey::JourneyRule;
use desireline_core::log::{LogBuilder, LogOptions};
use desireline_core::report::{Base, Rate};
use desireline_core::time::TimeSpan;
use desireline_stats::Clusters;
use desireline_tests::random_log::{GAP, Row, build, naive_journeys, rows};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

#[derive(Default)]
struct NaivePoint {
    exits: Clusters,
    returned: Clusters,
    open: u64,
}

#[derive(Default)]
struct Naive {
    reached: u64,
    open: u64,
    exits: Clusters,
    returned: Clusters,
    points: BTreeMap<String, NaivePoint>,
    paths: BTreeMap<Vec<String>, u64>,
}

struct Question {
    alive: i64,
    returns_within: i64,
    before: usize,
}

fn naive(
    rows: &[Row],
    gap: Option<i64>,
    goal: &dyn Fn(&Row) -> bool,
    question: &Question,
) -> Naive {
    let until = rows.iter().map(|r| r.time).max().unwrap();
    let mut sums = Naive::default();
    for row in rows {
        sums.points.entry(row.event.clone()).or_default();
    }
    let journeys = naive_journeys(rows, gap);
    for customer in journeys.chunk_by(|a, b| a[0].customer == b[0].customer) {
        // By touchpoint: exits, visits, returned, exits with known return.
        let mut counts: BTreeMap<&str, [u64; 4]> = BTreeMap::new();
        let mut whole = [0u64; 4];
        for (place, journey) in customer.iter().enumerate() {
            let last = journey.last().unwrap();
            let next = customer.get(place + 1).map(|j| j[0].time);
            let reached = journey.iter().any(goal);
            if !reached && next.is_none() && until - last.time < question.alive {
                sums.open += 1;
                sums.points.get_mut(&last.event).unwrap().open += 1;
                continue;
            }
            let mut visited: Vec<&str> = journey.iter().map(|r| r.event.as_str()).collect();
            visited.sort_unstable();
            visited.dedup();
            for event in visited {
                counts.entry(event).or_default()[1] += 1;
            }
            whole[1] += 1;
            if reached {
                sums.reached += 1;
                continue;
            }
            let known = until - last.time >= question.returns_within;
            let back = known && next.is_some_and(|n| n - last.time <= question.returns_within);
            for count in [&mut whole, counts.get_mut(last.event.as_str()).unwrap()] {
                count[0] += 1;
                count[2] += u64::from(back);
                count[3] += u64::from(known);
            }
            let skip = journey.len().saturating_sub(question.before + 1);
            let path = journey[skip..].iter().map(|r| r.event.clone()).collect();
            *sums.paths.entry(path).or_default() += 1;
        }
        sums.exits.add(whole[0], whole[1]);
        sums.returned.add(whole[2], whole[3]);
        for (event, count) in counts {
            let point = sums.points.get_mut(event).unwrap();
            point.exits.add(count[0], count[1]);
            point.returned.add(count[2], count[3]);
        }
    }
    sums
}

/// Without the cost of handing tiny logs to other threads.
static ONE_THREAD: LazyLock<Exec> = LazyLock::new(|| Exec::new().threads(1).unwrap());

#[test]
fn agrees_with_a_naive_count_on_random_logs() {
    let spans = [
        0,
        1,
        GAP - 1,
        GAP,
        GAP + 1,
        4 * GAP,
        TimeSpan::MAX.as_micros(),
    ];
    for seed in 0..12_000 {
        let rows = rows(seed);
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let name = rows[rng.random_range(0..rows.len())].event.clone();
        let kind = rng.random_range(0..3);
        let goal = |row: &Row| match kind {
            0 => false,
            1 => row.event == name,
            _ => row.event == name && row.channel.as_deref() == Some("web"),
        };
        let question = Question {
            alive: spans[rng.random_range(0..spans.len())],
            returns_within: spans[rng.random_range(0..spans.len())],
            before: rng.random_range(0..5),
        };
        let gap = [None, Some(GAP)][rng.random_range(0..2)];
        let rule = match gap {
            None => JourneyRule::customer(),
            Some(gap) => JourneyRule::gap(TimeSpan::from_micros(gap)).unwrap(),
        };
        let journeys = build(&rows).unwrap().journeys(rule).unwrap();
        let dropoff = match kind {
            0 => Dropoff::default(),
            1 => Dropoff::goal(format!("event == {name:?}")),
            _ => Dropoff::goal(format!(r#"event == {name:?} and channel == "web""#)),
        }
        .alive(TimeSpan::from_micros(question.alive))
        .returns_within(TimeSpan::from_micros(question.returns_within))
        .before(question.before as u32);

        let report = journeys.run_with(&dropoff, &ONE_THREAD).unwrap();
        let expected = naive(&rows, gap, &goal, &question);
        let rate = |clusters: &Clusters, base| Rate::clustered(clusters, base, 0.95);
        assert_eq!(
            (report.reached, report.exits, report.open),
            (expected.reached, expected.exits.k, expected.open),
            "seed {seed}"
        );
        assert_eq!(
            report.reached + report.exits + report.open,
            report.n_journeys
        );
        assert_eq!(
            report.drop_rate,
            rate(&expected.exits, Base::OfKnown),
            "seed {seed}"
        );
        assert_eq!(
            report.returned,
            rate(&expected.returned, Base::OfKnown),
            "seed {seed}"
        );
        for point in &report.touchpoints {
            let sums = expected.points.get(&point.touchpoint).unwrap();
            assert_eq!(
                (point.visits, point.exits, point.open),
                (sums.exits.n, sums.exits.k, sums.open),
                "seed {seed}"
            );
            assert_eq!(
                point.exit_rate,
                rate(&sums.exits, Base::OfVisits),
                "seed {seed}"
            );
            assert_eq!(
                point.returned,
                rate(&sums.returned, Base::OfKnown),
                "seed {seed}"
            );
            assert_eq!(
                point.return_unknown,
                sums.exits.k - sums.returned.n,
                "seed {seed}"
            );
        }
        let exits: u64 = report.touchpoints.iter().map(|p| p.exits).sum();
        assert_eq!((exits, report.other.is_none()), (report.exits, true));
        let listed: BTreeMap<Vec<String>, u64> = report
            .paths
            .iter()
            .map(|p| (p.path.clone(), p.exits))
            .collect();
        if report.other_paths.is_none() {
            assert_eq!(listed, expected.paths, "seed {seed}");
        }

        // Short lists: the most frequent first, and the rest exact.
        let short = journeys
            .run_with(&dropoff.clone().top(1), &ONE_THREAD)
            .unwrap();
        let other = short.other.as_ref().map_or(0, |o| o.exits);
        assert_eq!(
            short.touchpoints.iter().map(|p| p.exits).sum::<u64>() + other,
            report.exits
        );
        assert_eq!(short.touchpoints.first(), report.touchpoints.first());
        let mut sequences: Vec<(&Vec<String>, u64)> =
            expected.paths.iter().map(|(p, &n)| (p, n)).collect();
        sequences.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
        assert_eq!(
            short.paths.first().map(|p| (&p.path, p.exits)),
            sequences.first().copied()
        );
        let rest = short
            .other_paths
            .as_ref()
            .map_or((0, 0), |o| (o.distinct, o.exits));
        let all = sequences.len().saturating_sub(1) as u64;
        assert_eq!(
            rest,
            (all, sequences.iter().skip(1).map(|s| s.1).sum()),
            "seed {seed}"
        );

        if seed % 4 == 0 {
            let located = journeys.count_located(&dropoff).unwrap();
            let counted = journeys.count_cells(&dropoff, &ONE_THREAD).unwrap();
            assert_eq!(located, counted, "seed {seed}");
        }
    }
}

#[test]
fn a_goal_reached_before_leaving_elsewhere_counts_as_reached() {
    let mut builder = LogBuilder::new(LogOptions::default());
    for (customer, second, event) in [
        ("ann", 0, "buy"),
        ("ann", 1, "help"),
        ("bob", 0, "help"),
        ("cid", 99, "help"),
        ("dan", 100, "buy"),
    ] {
        builder.push(customer, second * 1_000_000, event).unwrap();
    }
    let journeys = builder
        .finish()
        .unwrap()
        .journeys(JourneyRule::customer())
        .unwrap();
    let dropoff = Dropoff::goal("buy").alive("10s");
    let report = journeys.run(&dropoff).unwrap();
    assert_eq!((report.reached, report.exits, report.open), (2, 1, 1));
    // Exactly `alive` before the end is no longer alive.
    assert_eq!(journeys.run(&dropoff.clone().alive("1s")).unwrap().open, 0);
    let explained = journeys.explain(&dropoff, "cid").unwrap();
    assert_eq!(explained[0].cells[0].cell, "open");
    assert!(
        explained[0].cells[0]
            .why
            .contains("lies less than 10s before the end of observation")
    );
}

#[test]
fn questions_that_make_no_sense_are_refused() {
    let journeys = build(&rows(1))
        .unwrap()
        .journeys(JourneyRule::customer())
        .unwrap();
    let error = |dropoff: Dropoff| journeys.run(&dropoff).unwrap_err().to_string();
    assert!(error(Dropoff::goal("nowhere")).starts_with("`goal` of dropoff: "));
    assert!(error(Dropoff::default().alive("soon")).starts_with("`alive` of dropoff: "));
    assert_eq!(
        error(Dropoff::default().before(16)),
        "`before` of dropoff: 16 is too many, the limit is 15"
    );
    assert!(serde_json::from_str::<Dropoff>(r#"{"gaol": "a"}"#).is_err());
    assert_eq!(
        serde_json::from_str::<Dropoff>("{}").unwrap(),
        Dropoff::default()
    );
}
