//! The funnel against a naive one that tries every chain of events, hand-made corner cases, and the laws.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::sync::LazyLock;

use desireline_core::analyses::funnel::{Funnel, Step};
use desireline_core::engine::Exec;
use desireline_core::expr::Expr;
use desireline_core::journey::JourneyRule;
use desireline_core::log::{Log, LogBuilder, LogOptions};
use desireline_core::report::{Base, Rate};
use desireline_core::time::TimeSpan;
use desireline_stats::{Clusters, Distribution};
use desireline_tests::random_log::{GAP, Row, build, naive_journeys, rows};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A step as text and as the plainest test of a row.
type NaiveStep = (String, Box<dyn Fn(&Row) -> bool>);

fn by_name(names: &[&str]) -> Box<dyn Fn(&Row) -> bool> {
    let names: Vec<String> = names.iter().map(|&n| n.to_owned()).collect();
    Box::new(move |row| names.contains(&row.event))
}

/// One to five steps that repeat and overlap; by name only, or by channel too.
fn random_steps(rng: &mut impl Rng, rows: &[Row]) -> Vec<NaiveStep> {
    let by_channel = rng.random_range(0..3) == 0;
    let known: Vec<&str> = rows.iter().map(|r| r.event.as_str()).collect();
    let n = rng.random_range(1..=5);
    (0..n)
        .map(|_| {
            let name = known[rng.random_range(0..known.len())];
            let other = known[rng.random_range(0..known.len())];
            let web = |row: &Row| row.channel.as_deref() == Some("web");
            let kind = rng.random_range(0..if by_channel { 7 } else { 5 });
            let (one, two) = (name.to_owned(), by_name(&[name]));
            let step: NaiveStep = match kind {
                0 | 1 => (format!("event == {one:?}"), two),
                2 => (
                    format!("event in [{name:?}, {other:?}]"),
                    by_name(&[name, other]),
                ),
                3 => ("true".to_owned(), Box::new(|_| true)),
                4 => (
                    format!("not event == {one:?}"),
                    Box::new(move |row| !two(row)),
                ),
                5 => (r#"channel == "web""#.to_owned(), Box::new(web)),
                _ => (
                    format!(r#"event == {one:?} and channel == "web""#),
                    Box::new(move |row| two(row) && web(row)),
                ),
            };
            step
        })
        .collect()
}

/// Every chain of different events in order, by depth-first search; the best one by definition.
fn best_chain(journey: &[Row], steps: &[NaiveStep], within: Option<i64>) -> Vec<usize> {
    fn extend(
        journey: &[Row],
        steps: &[NaiveStep],
        within: Option<i64>,
        chain: &mut Vec<usize>,
        best: &mut Vec<usize>,
    ) {
        if let Some(&last) = chain.last() {
            let key = |c: &[usize]| (std::cmp::Reverse(c.len()), c[c.len() - 1], c.to_vec());
            if best.is_empty() || key(chain) < key(best) {
                best.clone_from(chain);
            }
            if chain.len() == steps.len() {
                return;
            }
            for next in last + 1..journey.len() {
                let elapsed = i128::from(journey[next].time) - i128::from(journey[chain[0]].time);
                let fits = within.is_none_or(|w| elapsed <= i128::from(w));
                if fits && steps[chain.len()].1(&journey[next]) {
                    chain.push(next);
                    extend(journey, steps, within, chain, best);
                    chain.pop();
                }
            }
        }
    }
    let mut best = Vec::new();
    for start in (0..journey.len()).filter(|&i| steps[0].1(&journey[i])) {
        extend(journey, steps, within, &mut vec![start], &mut best);
    }
    best
}

#[derive(Default)]
struct NaiveStepSums {
    reached: u64,
    dropped: u64,
    at_risk: u64,
    of_all: Clusters,
    of_entered: Clusters,
    of_previous: Clusters,
    of_known: Clusters,
    from_previous: Distribution,
    from_first: Distribution,
}

fn naive(
    rows: &[Row],
    gap: Option<i64>,
    steps: &[NaiveStep],
    within: Option<i64>,
) -> Vec<NaiveStepSums> {
    let until = rows.iter().map(|r| r.time).max().unwrap();
    let window_ended =
        |start: i64| within.is_none_or(|w| i128::from(start) + i128::from(w) <= i128::from(until));
    let mut sums: Vec<NaiveStepSums> = steps.iter().map(|_| NaiveStepSums::default()).collect();
    let journeys = naive_journeys(rows, gap);
    for customer in journeys.chunk_by(|a, b| a[0].customer == b[0].customer) {
        let mut reached = vec![0u64; steps.len()];
        let mut mature = vec![0u64; steps.len()];
        for (place, journey) in customer.iter().enumerate() {
            let best = best_chain(journey, steps, within);
            let starts: Vec<i64> = journey
                .iter()
                .filter(|r| steps[0].1(r))
                .map(|r| r.time)
                .collect();
            for (step, &i) in best.iter().enumerate() {
                sums[step].reached += 1;
                reached[step] += 1;
                mature[step] += u64::from(window_ended(starts[0]));
                if step > 0 {
                    sums[step]
                        .from_previous
                        .push(journey[i].time - journey[best[step - 1]].time);
                    sums[step]
                        .from_first
                        .push(journey[i].time - journey[best[0]].time);
                }
            }
            if !best.is_empty() && best.len() < steps.len() {
                let over = place + 1 < customer.len() || starts.iter().all(|&t| window_ended(t));
                let last = &mut sums[best.len() - 1];
                if over {
                    last.dropped += 1;
                } else {
                    last.at_risk += 1;
                }
            }
        }
        for step in 0..steps.len() {
            sums[step].of_all.add(reached[step], customer.len() as u64);
            sums[step].of_entered.add(reached[step], reached[0]);
            sums[step]
                .of_previous
                .add(reached[step], reached[step.saturating_sub(1)]);
            sums[step].of_known.add(mature[step], mature[0]);
        }
    }
    sums
}

/// Without the cost of handing tiny logs to other threads.
static ONE_THREAD: LazyLock<Exec> = LazyLock::new(|| Exec::new().threads(1).unwrap());

#[test]
fn agrees_with_every_chain_tried_on_random_logs() {
    let windows = [
        None,
        Some(0),
        Some(1),
        Some(GAP - 1),
        Some(GAP),
        Some(2 * GAP),
        Some(TimeSpan::MAX.as_micros()),
    ];
    for seed in 0..12_000 {
        let rows = rows(seed);
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let steps = random_steps(rng, &rows);
        let within = windows[rng.random_range(0..windows.len())];
        let gap = [None, Some(GAP)][rng.random_range(0..2)];
        let rule = match gap {
            None => JourneyRule::customer(),
            Some(gap) => JourneyRule::gap(TimeSpan::from_micros(gap)).unwrap(),
        };
        let journeys = build(&rows).unwrap().journeys(rule).unwrap();
        let mut funnel = Funnel::steps(steps.iter().map(|(text, _)| text.as_str()));
        if let Some(within) = within {
            funnel = funnel.within(TimeSpan::from_micros(within));
        }
        let case = || {
            let texts: Vec<&str> = steps.iter().map(|s| s.0.as_str()).collect();
            format!("seed {seed}, steps {texts:?}, within {within:?}, gap {gap:?}")
        };
        let report = journeys.run_with(&funnel, &ONE_THREAD).unwrap();
        let expected = naive(&rows, gap, &steps, within);
        for (step, sums) in report.steps.iter().zip(&expected) {
            let rate = |clusters: &Clusters, base| Rate::clustered(clusters, base, 0.95);
            assert_eq!(
                (step.reached, step.dropped, step.at_risk),
                (sums.reached, sums.dropped, sums.at_risk),
                "step {} of {}",
                step.number,
                case()
            );
            assert_eq!(step.of_all, rate(&sums.of_all, Base::OfAll), "{}", case());
            assert_eq!(
                step.of_entered,
                rate(&sums.of_entered, Base::OfEntered),
                "{}",
                case()
            );
            assert_eq!(
                step.of_known,
                rate(&sums.of_known, Base::OfKnown),
                "{}",
                case()
            );
            if let Some(of_previous) = step.of_previous {
                assert_eq!(
                    of_previous,
                    rate(&sums.of_previous, Base::OfPrevious),
                    "{}",
                    case()
                );
            }
            for (time, all) in [
                (&step.from_previous, &sums.from_previous),
                (&step.from_first, &sums.from_first),
            ] {
                let Some(time) = time else { continue };
                // Below 5 times there is no median, below 10 no 90 % quantile.
                let median = all.quantile(0.5).filter(|_| all.n() >= 5);
                let p90 = all.quantile(0.9).filter(|_| all.n() >= 10);
                assert_eq!(
                    (time.n, time.median, time.p90),
                    (all.n(), median, p90),
                    "{}",
                    case()
                );
                let estimate = |q| all.quantile_estimate(q, 0.95);
                assert_eq!(
                    (time.median_estimate, time.p90_estimate),
                    (
                        median.and_then(|_| estimate(0.5)),
                        p90.and_then(|_| estimate(0.9))
                    ),
                    "{}",
                    case()
                );
            }
        }
        let n_journeys = naive_journeys(&rows, gap).len() as u64;
        assert_eq!(report.n_journeys, n_journeys);
        assert_eq!(
            report.entered,
            report.converted + report.dropped + report.at_risk,
            "{}",
            case()
        );

        // The readable definition gives the same counts as the kernel.
        if seed % 4 == 0 {
            let located: BTreeMap<String, u64> = journeys.count_located(&funnel).unwrap();
            let counted = journeys.count_cells(&funnel, &ONE_THREAD).unwrap();
            assert_eq!(located, counted, "{}", case());
        }
    }
}

/// A log of one customer: (second, event), in the order given.
fn log(events: &[(i64, &str)]) -> Log {
    let mut builder = LogBuilder::new(LogOptions::default());
    for &(second, event) in events {
        builder.push("ann", second * 1_000_000, event).unwrap();
    }
    // Names that no event of hers has, and an end of observation far off.
    for event in ["a", "b", "c"] {
        builder.push("other", 1_000_000_000_000, event).unwrap();
    }
    builder.finish().unwrap()
}

/// How many steps ann reached.
fn level(events: &[(i64, &str)], steps: &[&str], within: Option<&str>) -> usize {
    let journeys = log(events).journeys(JourneyRule::customer()).unwrap();
    let mut funnel = Funnel::steps(steps.iter().copied());
    if let Some(within) = within {
        funnel = funnel.within(within);
    }
    let cells = &journeys.explain(&funnel, "ann").unwrap()[0].cells;
    let located = cells
        .iter()
        .filter(|c| c.cell.ends_with("/reached"))
        .count();
    // The same from the kernel: ann is alone in a selection.
    let alone = journeys.keep_journeys(r#"customer == "ann""#).unwrap();
    let report = alone.run(&funnel).unwrap();
    let reached: u64 = report.steps.iter().map(|s| s.reached).sum();
    assert_eq!(reached, located as u64);
    located
}

#[test]
fn the_window_is_inclusive_and_never_wraps() {
    let ten_apart = [(0, "a"), (10, "b")];
    assert_eq!(level(&ten_apart, &["a", "b"], Some("10s")), 2);
    assert_eq!(level(&ten_apart, &["a", "b"], Some("9999999us")), 1);
    assert_eq!(level(&[(5, "a"), (5, "b")], &["a", "b"], Some("0s")), 2);
    // ClickHouse adds start and window and wraps round: 1 there.
    let journeys = log(&[(10, "a"), (20, "b")])
        .journeys(JourneyRule::customer())
        .unwrap();
    let forever = Funnel::steps(["a", "b"]).within(TimeSpan::from_micros(i64::MAX));
    assert_eq!(journeys.run(&forever).unwrap().converted, 2);
}

#[test]
fn an_attempt_may_start_again_later() {
    // D4: the first attempt runs out of time, the second converts.
    let events = [(60, "a"), (90, "a"), (105, "b"), (135, "c")];
    assert_eq!(level(&events, &["a", "b", "c"], Some("60s")), 3);
    assert_eq!(
        level(&[(0, "a"), (9, "a"), (12, "b")], &["a", "b"], Some("10s")),
        2
    );
}

#[test]
fn one_event_fills_one_step() {
    // D5: ClickHouse lets one event fill both.
    assert_eq!(level(&[(0, "a")], &["a", "a"], None), 1);
    assert_eq!(level(&[(0, "a"), (0, "a")], &["a", "a"], Some("0s")), 2);
    assert_eq!(
        level(&[(0, "a"), (1, "a"), (2, "b")], &["a", "a", "b"], None),
        3
    );
    assert_eq!(level(&[(0, "a"), (2, "b")], &["a", "a", "b"], None), 1);
    // An event of several steps fills the deepest reachable one: the second `a` is step 2 here, and then step 3 is open.
    let either = r#"event in ["a", "b"]"#;
    assert_eq!(
        level(
            &[(0, "a"), (1, "a"), (2, "a")],
            &[either, "a", either],
            None
        ),
        3
    );
}

#[test]
fn equal_times_keep_the_order_of_the_log() {
    // D2.
    assert_eq!(level(&[(5, "a"), (5, "b")], &["a", "b"], None), 2);
    assert_eq!(level(&[(5, "b"), (5, "a")], &["a", "b"], None), 1);
    // ClickHouse's strict_increase loses a@0, a@1, b@1, though a@0, b@1 is a chain with rising times.
    assert_eq!(level(&[(0, "a"), (1, "a"), (1, "b")], &["a", "b"], None), 2);
}

#[test]
fn the_chosen_attempt_starts_as_early_as_the_window_allows() {
    let events = [
        (0, "a"),
        (20, "a"),
        (25, "a"),
        (30, "b"),
        (31, "b"),
        (40, "c"),
    ];
    let run = |customers: i64| {
        let mut builder = LogBuilder::new(LogOptions::default());
        for customer in 0..customers {
            for (second, name) in events {
                builder.push(customer, second * 1_000_000, name).unwrap();
            }
        }
        let journeys = builder.finish().unwrap();
        let journeys = journeys.journeys(JourneyRule::customer()).unwrap();
        let funnel = Funnel::steps(["a", "b", "c"]).within("20s");
        journeys.run(&funnel).unwrap()
    };
    let report = run(5);
    let time = report.time_to_convert.clone().unwrap();
    assert_eq!(time.median, Some(20_000_000));
    assert_eq!(
        report.steps[1].from_previous.clone().unwrap().median,
        Some(10_000_000)
    );
    assert_eq!(
        report.steps[2].from_previous.clone().unwrap().median,
        Some(10_000_000)
    );
    // Of a single journey no quantile is given, but the count.
    let one = run(1).time_to_convert.clone().unwrap();
    assert_eq!((one.n, one.median, one.p90), (1, None, None));
    assert_eq!((one.median_estimate, one.p90_estimate), (None, None));
}

#[test]
fn at_risk_is_apart_from_dropped() {
    let build = |rule: JourneyRule| {
        let mut builder = LogBuilder::new(LogOptions::default());
        for (customer, second, event) in [
            ("early", 0, "a"),
            ("again", 0, "a"),
            ("again", 95, "a"),
            ("late", 95, "a"),
            ("exactly", 90, "a"),
            ("done", 95, "a"),
            ("done", 96, "b"),
            ("end", 100, "x"),
        ] {
            builder.push(customer, second * 1_000_000, event).unwrap();
        }
        builder.finish().unwrap().journeys(rule).unwrap()
    };
    let funnel = Funnel::steps(["a", "b"]).within("10s");
    let journeys = build(JourneyRule::customer());
    let report = journeys.run(&funnel).unwrap();
    // A window that ends exactly with the observation was seen whole.
    assert_eq!(
        (
            report.entered,
            report.converted,
            report.dropped,
            report.at_risk
        ),
        (5, 1, 2, 2)
    );
    assert_eq!(
        (report.mature_conversion.count, report.mature_conversion.n),
        (0, 3)
    );
    let risky = journeys.members(&funnel, "step/1/at_risk", 9).unwrap();
    let ids: Vec<&str> = risky.iter().map(|m| m.customer.as_str()).collect();
    assert_eq!(ids, ["again", "late"]);
    // Without a window nobody is waited for.
    let endless = journeys.run(&Funnel::steps(["a", "b"])).unwrap();
    assert_eq!((endless.dropped, endless.at_risk), (4, 0));
    // A journey is over once the customer's next one has begun.
    let sessions = build(JourneyRule::gap("30s").unwrap());
    let report = sessions
        .run(&Funnel::steps(["a", "b"]).within("1000s"))
        .unwrap();
    assert_eq!((report.dropped, report.at_risk), (1, 4));
}

#[test]
fn the_reason_names_what_matched_and_what_was_rejected() {
    let why = |events: &[(i64, &str)]| {
        let journeys = log(events).journeys(JourneyRule::customer()).unwrap();
        let explained = journeys
            .explain(&Funnel::steps(["a", "b"]).within("10s"), "ann")
            .unwrap();
        let last = explained[0].cells.last().unwrap().clone();
        format!("{}: {}", last.cell, last.why)
    };
    assert_eq!(
        why(&[(0, "a"), (30, "b")]),
        "step/1/dropped: `a` at 1970-01-01T00:00:00Z; `b` came at 1970-01-01T00:00:30Z, 30s after the start of the attempt \
         and so outside the window of 10s; no attempt has time left"
    );
    assert_eq!(
        why(&[(0, "b"), (30, "a")]),
        "step/1/dropped: `a` at 1970-01-01T00:00:30Z; `b` came only before, last at 1970-01-01T00:00:00Z; no attempt has time left"
    );
    assert_eq!(why(&[(0, "b")]), "not_entered: no event matches step 1 `a`");
}

#[test]
fn questions_that_make_no_sense_are_refused() {
    let journeys = log(&[(0, "a")]).journeys(JourneyRule::customer()).unwrap();
    let error = |funnel: Funnel| journeys.run(&funnel).unwrap_err().to_string();
    let none: [&str; 0] = [];
    assert_eq!(
        error(Funnel::steps(none)),
        "`steps` of funnel: 0 steps were given; a funnel has 1 to 64"
    );
    assert!(error(Funnel::steps(vec!["a"; 65])).contains("65 steps"));
    assert!(journeys.run(&Funnel::steps(vec!["a"; 64])).is_ok());
    assert!(error(Funnel::steps(["a", "a and"])).starts_with("`steps` of funnel: "));
    assert!(error(Funnel::steps(["a", "bb"])).contains("bb"));
    assert!(
        error(Funnel::steps(["a"]).within("soon"))
            .starts_with("`within` of funnel: `soon` is no length of time")
    );
    assert!(
        error(Funnel::steps(["a"]).level(1.0))
            .starts_with("`level` of funnel: 1 is no confidence level")
    );
}

#[test]
fn a_spec_survives_json() {
    let labelled = Step::new("b").label("Second");
    let funnel = Funnel::steps([Step::from("a"), labelled]).within("7d");
    let json = serde_json::to_string(&funnel).unwrap();
    assert_eq!(
        json,
        r#"{"steps":["a",{"expr":"b","label":"Second"}],"within":"7d","attempt":"best","ties":"input","level":0.95}"#
    );
    assert_eq!(serde_json::from_str::<Funnel>(&json).unwrap(), funnel);
    assert_eq!(
        serde_json::from_str::<Funnel>(r#"{"steps": ["a"]}"#).unwrap(),
        Funnel::steps(["a"])
    );
    let unknown = serde_json::from_str::<Funnel>(r#"{"steps": [{"expr": "a", "lable": "x"}]}"#);
    assert!(
        unknown
            .unwrap_err()
            .to_string()
            .contains("unknown field `lable`")
    );
    let broken = serde_json::from_str::<Funnel>(r#"{"steps": ["a and"]}"#)
        .unwrap_err()
        .to_string();
    assert_eq!(
        broken.split(" at line").next(),
        Some(Expr::parse("a and").unwrap_err().to_string().as_str())
    );
    // Steps of one name are told apart.
    let journeys = log(&[(0, "a")]).journeys(JourneyRule::customer()).unwrap();
    let report = journeys.run(&Funnel::steps(["a", "a"])).unwrap();
    assert_eq!(report.steps[1].label, "a (2)");
}
