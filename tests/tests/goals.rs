//! Goals against a naive count, a naive product-limit curve, and corner cases.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::LazyLock;

use desireline_core::analyses::Goals;
use desireline_core::analyses::goals::{EntryRate, GoalResult};
use desireline_core::engine::Exec;
use desireline_core::journey::JourneyRule;
use desireline_core::log::{AttributeType, EventRow, Log, LogBuilder, LogOptions};
use desireline_core::report::{Base, Caveat, Rate};
use desireline_core::time::TimeSpan;
use desireline_stats::Clusters;
use desireline_stats::mean::ClusteredMoments;
use desireline_tests::random_log::{GAP, Row, build, naive_journeys, rows};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Without the cost of handing tiny logs to other threads.
static ONE_THREAD: LazyLock<Exec> = LazyLock::new(|| Exec::new().threads(1).unwrap());

/// Money that follows from the row: missing, negative and very large amounts occur.
fn amount(row: &Row) -> Option<i64> {
    let mut hasher = DefaultHasher::new();
    (&row.customer, row.time, &row.event).hash(&mut hasher);
    let h = hasher.finish();
    match h % 8 {
        0..3 => None,
        3 => Some(if h % 256 == 3 { i64::MAX } else { -5 }),
        _ => Some((h >> 8) as i64 % 3_000),
    }
}

fn build_with_money(rows: &[Row], observed_for: i64) -> Log {
    let mut options = LogOptions::default()
        .attribute("channel", AttributeType::Text)
        .currency("EUR", 2);
    options.channel = Some("channel".to_owned());
    options.block_events = 8;
    let last = rows.iter().map(|r| r.time).max();
    options.observed_until = last.map(|last| last + observed_for);
    let mut builder = LogBuilder::new(options);
    for row in rows {
        let channel = row.channel.as_deref().map(|c| ("channel", c.into()));
        let event = EventRow {
            attributes: channel.as_slice(),
            value: amount(row),
            ..EventRow::new(row.customer.as_str(), row.time, &row.event)
        };
        builder.push_row(&event).unwrap();
    }
    builder.finish().unwrap()
}

#[derive(Default)]
struct Naive {
    all: Clusters,
    closed: Clusters,
    horizons: Vec<Clusters>,
    events: u64,
    value: ClusteredMoments,
    /// (time, reached).
    times: Vec<(i64, bool)>,
    steps: Vec<u64>,
    touchpoints: BTreeMap<String, Clusters>,
    channels: BTreeMap<String, Clusters>,
    n_open: u64,
}

fn naive(
    journeys: &[Vec<Row>],
    goal: &dyn Fn(&Row) -> bool,
    alive: i64,
    horizons: &[i64],
    until: i64,
) -> Naive {
    let mut sums = Naive {
        horizons: vec![Clusters::default(); horizons.len()],
        ..Naive::default()
    };
    for customer in journeys.chunk_by(|a, b| a[0].customer == b[0].customer) {
        let mut all: Vec<bool> = Vec::new();
        let mut closed: Vec<bool> = Vec::new();
        let mut within: Vec<Vec<bool>> = vec![Vec::new(); horizons.len()];
        let mut touchpoints: BTreeMap<String, Vec<bool>> = BTreeMap::new();
        let mut channels: BTreeMap<String, Vec<bool>> = BTreeMap::new();
        let (mut money, mut valued) = (0_i128, 0);
        for (place, journey) in customer.iter().enumerate() {
            let (start, end) = (journey[0].time, journey.last().unwrap().time);
            let first = journey.iter().position(goal);
            let reached = first.is_some();
            let open = place + 1 == customer.len() && until - end < alive;
            sums.n_open += u64::from(open);
            all.push(reached);
            if !open {
                closed.push(reached);
            }
            let entry = journey[0].event.clone();
            touchpoints.entry(entry).or_default().push(reached);
            let channel = journey.iter().find_map(|r| r.channel.clone());
            let channel = channel.unwrap_or_else(|| "(missing)".to_owned());
            channels.entry(channel).or_default().push(reached);
            match first {
                Some(i) => {
                    sums.times.push((journey[i].time - start, true));
                    sums.steps.push(i as u64 + 1);
                }
                None => sums.times.push((until - start, false)),
            }
            for (list, &horizon) in within.iter_mut().zip(horizons) {
                if until - start >= horizon {
                    list.push(first.is_some_and(|i| journey[i].time - start <= horizon));
                }
            }
            let hits: Vec<&Row> = journey.iter().filter(|r| goal(r)).collect();
            sums.events += hits.len() as u64;
            let amounts: Vec<i64> = hits.iter().filter_map(|r| amount(r)).collect();
            money += amounts.iter().map(|&a| i128::from(a)).sum::<i128>();
            valued += u64::from(!amounts.is_empty());
        }
        let add = |clusters: &mut Clusters, list: &[bool]| {
            let k = list.iter().filter(|r| **r).count();
            clusters.add(k as u64, list.len() as u64);
        };
        add(&mut sums.all, &all);
        add(&mut sums.closed, &closed);
        for (clusters, list) in sums.horizons.iter_mut().zip(&within) {
            add(clusters, list);
        }
        for (name, list) in &touchpoints {
            add(sums.touchpoints.entry(name.clone()).or_default(), list);
        }
        for (name, list) in &channels {
            add(sums.channels.entry(name.clone()).or_default(), list);
        }
        sums.value.add(money, valued);
    }
    sums
}

/// The share without the goal just after each time, by the product-limit formula as textbooks write it.
fn product_limit(times: &[(i64, bool)]) -> BTreeMap<i64, f64> {
    let mut curve = BTreeMap::new();
    let mut survival = 1.0;
    let mut distinct: Vec<i64> = times.iter().map(|t| t.0).collect();
    distinct.sort_unstable();
    distinct.dedup();
    for time in distinct {
        let at_risk = times.iter().filter(|t| t.0 >= time).count() as f64;
        let events = times.iter().filter(|t| **t == (time, true)).count() as f64;
        survival *= 1.0 - events / at_risk;
        curve.insert(time, survival);
    }
    curve
}

fn assert_entries(found: &[EntryRate], expected: &BTreeMap<String, Clusters>) {
    let mut wanted: Vec<(&String, &Clusters)> = expected.iter().collect();
    wanted.sort_by(|a, b| b.1.n.cmp(&a.1.n).then_with(|| a.0.cmp(b.0)));
    let wanted: Vec<EntryRate> = wanted
        .into_iter()
        .map(|(name, clusters)| EntryRate {
            name: name.clone(),
            distinct: 1,
            rate: Rate::clustered(clusters, Base::OfAll, 0.95),
        })
        .collect();
    assert_eq!(found, wanted);
}

fn assert_times(goal: &GoalResult, expected: &Naive, seed: u64) {
    let curve = product_limit(&expected.times);
    let n_reached = expected.times.iter().filter(|t| t.1).count() as u64;
    assert_eq!(
        (goal.time.n, goal.time.reached),
        (expected.times.len() as u64, n_reached)
    );
    for point in &goal.time.curve {
        let at_risk = expected.times.iter().filter(|t| t.0 >= point.time).count();
        let before = curve.range(..=point.time).next_back();
        let survival = before.map_or(1.0, |(_, s)| *s);
        assert_eq!(point.at_risk, at_risk as u64, "seed {seed}");
        assert!(
            (1.0 - survival - point.reached.value).abs() < 1e-12,
            "seed {seed}"
        );
    }
    let n = expected.times.len();
    for (share, least) in [(0.25, 5), (0.5, 5), (0.75, 5), (0.9, 10)] {
        let time = curve
            .iter()
            .find(|(_, s)| **s <= (1.0 - share) + 1e-9)
            .map(|(t, _)| *t);
        let found = goal.time.quantiles.iter().find(|q| q.share == share);
        assert_eq!(
            found.map(|q| q.time),
            time.filter(|_| n >= least),
            "seed {seed}"
        );
    }
    assert_eq!(goal.time.curve.is_empty(), n < 5, "seed {seed}");
    for (horizon, clusters) in goal.time.horizons.iter().zip(&expected.horizons) {
        assert_eq!(
            horizon.rate,
            Rate::clustered(clusters, Base::OfKnown, 0.95),
            "seed {seed}"
        );
        let later = expected.times.iter().filter(|t| t.0 > horizon.within);
        assert_eq!(horizon.at_risk, later.count() as u64, "seed {seed}");
        assert!(n >= 5 || horizon.reached.is_none(), "seed {seed}");
        if let Some(reached) = horizon.reached {
            let before = curve.range(..=horizon.within).next_back();
            let survival = before.map_or(1.0, |(_, s)| *s);
            assert!(
                (1.0 - survival - reached.value).abs() < 1e-12,
                "seed {seed}"
            );
            // Where all were observed that long, it is the plain share.
            if clusters.n == n as u64 {
                let share = clusters.k as f64 / clusters.n as f64;
                assert!((share - reached.value).abs() < 1e-12, "seed {seed}");
            }
        }
    }
}

fn assert_directness(goal: &GoalResult, expected: &Naive, seed: u64) {
    let Some(directness) = &goal.directness else {
        return assert!(expected.steps.is_empty(), "seed {seed}");
    };
    let mut steps = expected.steps.clone();
    steps.sort_unstable();
    let median = steps[steps.len().div_ceil(2) - 1];
    let shortest = steps[0];
    assert_eq!(u64::from(directness.shortest), shortest, "seed {seed}");
    let enough = steps.len() >= 5;
    let expected_median = shortest as f64 / median as f64;
    assert_eq!(directness.median, enough.then_some(expected_median));
    let mean = steps
        .iter()
        .map(|&s| shortest as f64 / s as f64)
        .sum::<f64>()
        / steps.len() as f64;
    match directness.mean {
        Some(found) => assert!(enough && (found - mean).abs() < 1e-12, "seed {seed}"),
        None => assert!(!enough, "seed {seed}"),
    }
    for row in &directness.steps {
        let same = steps.iter().filter(|&&s| s == u64::from(row.steps)).count();
        assert_eq!(
            (row.journeys, row.or_more),
            (same as u64, false),
            "seed {seed}"
        );
    }
    let listed: u64 = directness.steps.iter().map(|r| r.journeys).sum();
    assert_eq!(listed, steps.len() as u64, "seed {seed}");
}

#[test]
fn agrees_with_a_naive_count_on_random_logs() {
    let spans = [0, 1, 1_000, GAP - 1, GAP, GAP + 1, 4 * GAP];
    for seed in 0..12_000 {
        let rows = rows(seed);
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let name = rows[rng.random_range(0..rows.len())].event.clone();
        let by_name = |row: &Row| row.event == name;
        let on_web = |row: &Row| row.event == name && row.channel.as_deref() == Some("web");
        let alive = spans[rng.random_range(0..spans.len())];
        let horizons = [0, GAP, spans[rng.random_range(0..spans.len())]];
        let gap = [None, Some(GAP)][rng.random_range(0..2)];
        let rule = match gap {
            None => JourneyRule::customer(),
            Some(gap) => JourneyRule::gap(TimeSpan::from_micros(gap)).unwrap(),
        };
        let observed_for = [0, 1, GAP, 50 * GAP][rng.random_range(0..4)];
        let log = build_with_money(&rows, observed_for);
        let journeys = log.journeys(rule).unwrap();
        let goals = Goals::new([format!("event == {name:?}")])
            .and("web", format!(r#"event == {name:?} and channel == "web""#))
            .alive(TimeSpan::from_micros(alive))
            .horizons(horizons.map(TimeSpan::from_micros));
        let report = journeys.run_with(&goals, &ONE_THREAD).unwrap();

        let cut = naive_journeys(&rows, gap);
        let last = rows.iter().map(|r| r.time).max().unwrap();
        let until = last + observed_for;
        let tests: [&dyn Fn(&Row) -> bool; 2] = [&by_name, &on_web];
        for (goal, test) in report.goals.iter().zip(tests) {
            let expected = naive(&cut, test, alive, &horizons, until);
            assert_eq!(report.n_open, expected.n_open, "seed {seed}");
            let rate = |clusters: &Clusters, base| Rate::clustered(clusters, base, 0.95);
            assert_eq!(goal.of_all, rate(&expected.all, Base::OfAll), "seed {seed}");
            assert_eq!(
                goal.of_known,
                rate(&expected.closed, Base::OfKnown),
                "seed {seed}"
            );
            assert_eq!(goal.events, expected.events, "seed {seed}");
            let value = goal.value.as_ref().unwrap();
            assert_eq!(
                value.sum,
                i64::try_from(expected.value.sum).ok(),
                "seed {seed}"
            );
            assert_eq!(value.completions, expected.value.n, "seed {seed}");
            assert_times(goal, &expected, seed);
            assert_directness(goal, &expected, seed);
            assert_entries(&goal.by_first_touchpoint, &expected.touchpoints);
            match &goal.by_channel {
                Some(channels) => assert_entries(channels, &expected.channels),
                None => assert!(rows.iter().all(|r| r.channel.is_none())),
            }
        }
        if seed % 4 == 0 {
            let located = journeys.count_located(&goals).unwrap();
            let counted = journeys.count_cells(&goals, &ONE_THREAD).unwrap();
            assert_eq!(located, counted, "seed {seed}");
            let one = journeys
                .run_with(&Goals { top: 1, ..goals }, &ONE_THREAD)
                .unwrap();
            for (short, long) in one.goals.iter().zip(&report.goals) {
                let sum = |rows: &[EntryRate]| {
                    rows.iter().fold((0, 0, 0), |s, r| {
                        (s.0 + r.distinct, s.1 + r.rate.count, s.2 + r.rate.n)
                    })
                };
                let (short, long) = (&short.by_first_touchpoint, &long.by_first_touchpoint);
                assert_eq!(sum(short), sum(long), "seed {seed}");
                assert!(short.len() <= 2 && short[0] == long[0], "seed {seed}");
            }
        }
    }
}

#[test]
fn a_long_curve_is_thinned_and_its_quantiles_are_not() {
    let mut builder = LogBuilder::new(LogOptions::default());
    for i in 0..4_001_i64 {
        builder.push(i, 0, "view").unwrap();
        builder.push(i, 1_000 + i, "buy").unwrap();
    }
    let log = builder.finish().unwrap();
    let journeys = log.journeys(JourneyRule::customer()).unwrap();
    let report = journeys.run(&Goals::new(["buy"]).alive("0s")).unwrap();
    let time = &report.goals[0].time;
    assert!(time.curve.len() <= 200);
    let ends = (time.curve[0].time, time.curve.last().unwrap().time);
    assert_eq!(ends, (1_000, 5_000));
    assert_eq!(time.median().unwrap().time, 3_000);
    assert!(report.caveats.contains(&Caveat::ApproximateQuantiles {
        relative_error_bp: 40
    }));
}

#[test]
fn exactly_alive_before_the_end_has_ended() {
    let mut builder = LogBuilder::new(LogOptions::default());
    for (customer, second, event) in [
        ("ann", 0, "buy"),
        ("bob", 90, "view"),
        ("cid", 91, "view"),
        ("dan", 100, "buy"),
    ] {
        builder.push(customer, second * 1_000_000, event).unwrap();
    }
    let log = builder.finish().unwrap();
    let journeys = log.journeys(JourneyRule::customer()).unwrap();
    let goals = Goals::new(["buy"]).alive("10s");
    let report = journeys.run(&goals).unwrap();
    let buy = &report.goals[0];
    assert_eq!((buy.of_all.count, buy.of_all.n), (2, 4));
    // dan bought but may still go on, so dan is on neither side.
    assert_eq!(
        (buy.of_known.count, buy.of_known.n, report.n_open),
        (1, 2, 2)
    );
    let cells = |customer| journeys.explain(&goals, customer).unwrap()[0].cells[0].clone();
    assert_eq!(cells("bob").cell, "goal/buy/not_reached");
    assert_eq!(cells("cid").cell, "goal/buy/open");
    assert_eq!(
        cells("dan").why,
        "event 1 of the journey is the goal, 0s after its first event"
    );
}

#[test]
fn questions_in_json_and_those_that_make_no_sense() {
    let read = |text: &str| serde_json::from_str::<Goals>(text);
    let both = r#"{"goals": ["a", {"name": "web", "expr": "a and channel == \"web\""}]}"#;
    let goals = read(both).unwrap();
    assert_eq!(
        goals,
        Goals::new(["a"]).and("web", r#"a and channel == "web""#)
    );
    let again = serde_json::to_string(&goals).unwrap();
    assert_eq!(read(&again).unwrap(), goals);
    assert!(read(r#"{"goals": ["a"], "hirizons": []}"#).is_err());
    assert!(read(r#"{"goals": [{"nam": "a", "expr": "a"}]}"#).is_err());

    let log = build(&rows(1)).unwrap();
    let journeys = log.journeys(JourneyRule::customer()).unwrap();
    let error = |goals: Goals| journeys.run(&goals).unwrap_err().to_string();
    assert!(error(Goals::new(["nowhere"])).starts_with("`goals` of goals: "));
    assert!(error(Goals::new(["a"]).alive("soon")).starts_with("`alive` of goals: "));
    assert!(error(Goals::new(["a"]).level(1.0)).starts_with("`level` of goals: 1 "));
    assert_eq!(
        error(Goals::new([""; 0])),
        "`goals` of goals: no goal is given; name at least one"
    );
    let twice = journeys.run(&Goals::new(["a", "a"])).unwrap();
    let names: Vec<&str> = twice.goals.iter().map(|g| g.name.as_str()).collect();
    assert_eq!(names, ["a", "a (2)"]);
}

/// The share of all that reach the goal does not depend on when the others were last seen.
#[test]
fn when_the_others_were_last_seen_changes_nothing() {
    const DAY: i64 = 86_400_000_000;
    let options = LogOptions {
        observed_until: Some(60 * DAY),
        ..LogOptions::default()
    };
    let mut builder = LogBuilder::new(options.attribute("group", AttributeType::Text));
    for customer in 0..400_i64 {
        let (group, buys) = (["a", "b"][customer as usize % 2], customer < 80);
        let mut push = |day: i64, event| {
            let attributes = &[("group", group.into())];
            let row = EventRow::new(customer, day * DAY, event);
            builder.push_row(&EventRow { attributes, ..row }).unwrap();
        };
        push(0, "view");
        match (buys, group) {
            (true, _) => push(2, "buy"),
            (false, "b") => push(5, "view"),
            _ => {}
        }
    }
    let log = builder.finish().unwrap();
    let journeys = log.journeys(JourneyRule::customer()).unwrap();
    let goals = Goals::new(["buy"]);
    let all = journeys.run(&goals).unwrap();
    let time = &all.goals[0].time;
    assert!(time.quantiles.is_empty(), "{:?}", time.quantiles);
    let after = |days: i64| {
        let found = time.horizons.iter().find(|h| h.within == days * DAY);
        let found = found.unwrap();
        (
            found.rate.count,
            found.at_risk,
            found.reached.unwrap().value,
        )
    };
    assert_eq!(after(1), (0, 400, 0.0));
    assert_eq!((after(7).0, after(7).1), (80, 320));
    assert!((after(7).2 - 0.2).abs() < 1e-12 && (after(30).2 - 0.2).abs() < 1e-12);
    // It moves once; then nothing changes until the end of observation.
    let points: Vec<(i64, u64)> = time.curve.iter().map(|p| (p.time, p.at_risk)).collect();
    let days = [4, 5, 10, 20, 40, 80, 120].map(|half| half * DAY / 2);
    assert_eq!(points[0], (2 * DAY, 400));
    assert_eq!(points[1..], days.map(|day| (day, 320))[1..]);

    let compared = journeys.compare(&goals, "group").unwrap();
    assert_eq!(compared.rows.len(), 2);
    for row in &compared.rows {
        assert_eq!((row.a.count, row.b.count), (Some(40), Some(40)));
        assert!(row.p.unwrap() > 0.99, "{row:?}");
        assert!(row.difference.unwrap().value.abs() < 1e-12, "{row:?}");
    }
}

/// Journeys that begin at any time before the end of observation, a third of which reach the goal after a time of known distribution: the curve covers
/// the true share as often as it says.
#[test]
fn the_curve_covers_the_true_share() {
    const HOUR: i64 = 3_600_000_000;
    let (runs, at) = (1_500, [2, 6, 12]);
    let (mut covered, mut sums) = ([0_u32; 3], [0.0; 3]);
    for seed in 0..runs {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let options = LogOptions {
            observed_until: Some(24 * HOUR),
            ..LogOptions::default()
        };
        let mut builder = LogBuilder::new(options);
        for customer in 0..150_i64 {
            let start = rng.random_range(0..24 * HOUR);
            builder.push(customer, start, "view").unwrap();
            let after = (-rng.random::<f64>().ln() * 4.0 * HOUR as f64) as i64;
            let other = start + rng.random_range(0..HOUR);
            if rng.random_range(0..3) == 0 {
                if start + after <= 24 * HOUR {
                    builder.push(customer, start + after, "buy").unwrap();
                }
            } else if other <= 24 * HOUR {
                builder.push(customer, other, "leave").unwrap();
            }
        }
        let log = builder.finish().unwrap();
        let journeys = log.journeys(JourneyRule::customer()).unwrap();
        let goals = Goals::new(["buy"]).horizons(at.map(|h| TimeSpan::from_micros(h * HOUR)));
        let report = journeys.run_with(&goals, &ONE_THREAD).unwrap();
        for (i, horizon) in report.goals[0].time.horizons.iter().enumerate() {
            let truth = (1.0 - (-(at[i] as f64) / 4.0).exp()) / 3.0;
            let found = horizon.reached.unwrap();
            covered[i] += u32::from(found.contains(truth));
            sums[i] += (found.value - truth) / f64::from(runs as u32);
        }
    }
    for (covered, bias) in covered.into_iter().zip(sums) {
        let share = f64::from(covered) / runs as f64;
        // Standard errors: 0.0056 of the share, about 0.0015 of the mean.
        assert!((0.93..=0.97).contains(&share), "{share}");
        assert!(bias.abs() < 0.006, "{bias}");
    }
}

#[test]
fn a_single_journey_is_too_few_for_quantiles() {
    let mut builder = LogBuilder::new(LogOptions::default());
    builder.push("ann", 0, "view").unwrap();
    builder.push("ann", 5_000_000, "buy").unwrap();
    let log = builder.finish().unwrap();
    let journeys = log.journeys(JourneyRule::customer()).unwrap();
    let report = journeys.run(&Goals::new(["buy"]).alive("0s")).unwrap();
    let buy = &report.goals[0];
    assert_eq!((buy.time.n, buy.time.reached), (1, 1));
    assert!(buy.time.quantiles.is_empty() && buy.time.curve.is_empty());
    assert!(buy.time.median_reached.is_none());
    assert!(buy.time.horizons.iter().all(|h| h.reached.is_none()));
    let ways = buy.directness.as_ref().unwrap();
    assert_eq!((ways.shortest, ways.median, ways.mean), (2, None, None));
    assert!(report.caveats.contains(&Caveat::TooFew {
        what: "times and steps to a goal".to_owned(),
        cells: 1,
        least: 5,
    }));
}
