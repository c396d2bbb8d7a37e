//! Comparisons against counts made by hand, their symmetry, their error rates on splits without a difference, strata and overlap.
#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::sync::LazyLock;

use desireline_core::analyses::{Funnel, Goals, Paths, Transitions};
use desireline_core::compare::{Compare, CompareReport, Comparison, ComparisonRow, Untested};
use desireline_core::engine::{Analysis, Attribution, Breakdown, Exec, Segment};
use desireline_core::expr::Expr;
use desireline_core::journey::{JourneyRule, Journeys};
use desireline_core::log::{AttributeType, EventRow, LogBuilder, LogOptions};
use desireline_core::registry::{ANALYSES, Entry, from_spec};
use desireline_core::report::{Caveat, Report};
use desireline_core::time::TimeSpan;
use desireline_stats::stratified::SimpsonVerdict;
use desireline_stats::{Method, TestMethod, benjamini_hochberg, newcombe, two_proportions_p};
use desireline_tests::random_log::{GAP, build, rows};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

static ONE_THREAD: LazyLock<Exec> = LazyLock::new(|| Exec::new().threads(1).unwrap());

/// One session: its customer, its attributes `group` and `device`, and whether it buys.
struct Session {
    customer: i64,
    group: &'static str,
    device: &'static str,
    buys: bool,
}

/// Sessions an hour apart, cut by a gap of half an hour.
fn journeys(sessions: &[Session]) -> Journeys {
    let options = LogOptions::default()
        .attribute("group", AttributeType::Text)
        .attribute("device", AttributeType::Text);
    let mut builder = LogBuilder::new(options);
    for (i, session) in sessions.iter().enumerate() {
        let time = i as i64 * 3_600_000_000;
        let attributes = [
            ("group", session.group.into()),
            ("device", session.device.into()),
        ];
        let mut push = |after: i64, event| {
            let row = EventRow::new(session.customer, time + after * 1_000_000, event);
            let attributes = &attributes;
            builder.push_row(&EventRow { attributes, ..row }).unwrap();
        };
        push(0, "view");
        if session.buys {
            push(1 + i as i64 % 600, "buy");
        }
    }
    let log = builder.finish().unwrap();
    log.journeys(JourneyRule::gap("30m").unwrap()).unwrap()
}

fn buys() -> Goals {
    Goals::new(["buy"]).alive("0s")
}

fn compare(journeys: &Journeys, how: impl Into<Comparison>) -> CompareReport {
    let how = how.into();
    let question = Compare { of: buys(), how };
    journeys.run_with(&question, &ONE_THREAD).unwrap().report
}

fn rate(report: &CompareReport) -> &ComparisonRow {
    report.rows.iter().find(|r| r.kind == "goal").unwrap()
}

#[test]
fn one_journey_per_customer_is_newcombe_on_the_raw_counts() {
    for seed in 0..400 {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let chance = rng.random_range(0..=100);
        let mut counts = [[0_u64; 2]; 2];
        let n = rng.random_range(10..120);
        let sessions: Vec<Session> = (0..n)
            .map(|customer| {
                let place = rng.random_range(0..2);
                let buys = rng.random_range(0..100) < chance;
                counts[place][usize::from(buys)] += 1;
                let group = ["a", "b"][place];
                Session {
                    customer,
                    group,
                    device: "x",
                    buys,
                }
            })
            .collect();
        let [[lost_a, a], [lost_b, b]] = counts;
        let (n_a, n_b) = (a + lost_a, b + lost_b);
        if n_a.min(n_b) < 5 || a + b == 0 {
            continue;
        }
        let report = compare(
            &journeys(&sessions),
            Comparison::from("group").baseline("b"),
        );
        let row = rate(&report);
        assert_eq!((row.a.count, row.a.n), (Some(a), n_a));
        assert_eq!((row.b.count, row.b.n), (Some(b), n_b));
        let expected = newcombe(a, n_a, b, n_b, 0.95).unwrap();
        assert_eq!(row.difference, Some(expected), "seed {seed}");
        assert_eq!(row.difference.unwrap().method, Method::Newcombe);
        let test = two_proportions_p(a, n_a, b, n_b).unwrap();
        if (a + b).min(lost_a + lost_b) >= 5 {
            assert_eq!((row.p, row.test), (Some(test.p), Some(test.method)));
        } else {
            assert_eq!((row.p, row.untested.is_some()), (None, true));
        }
        let p: Vec<f64> = report.rows.iter().filter_map(|r| r.p).collect();
        let q: Vec<f64> = report.rows.iter().filter_map(|r| r.q).collect();
        assert_eq!(benjamini_hochberg(&p).unwrap(), q);
    }
}

#[test]
fn small_counts_are_tested_exactly() {
    let session = |customer: i64| Session {
        customer,
        group: if customer < 8 { "a" } else { "b" },
        device: "x",
        buys: customer < 6,
    };
    let sessions: Vec<Session> = (0..16).map(session).collect();
    let report = compare(&journeys(&sessions), "group");
    assert_eq!(rate(&report).test, Some(TestMethod::FisherExact));
}

/// Three groups that differ, with several sessions per customer.
fn three_groups(seed: u64) -> Vec<Session> {
    let rng = &mut ChaCha8Rng::seed_from_u64(seed);
    let mut sessions = Vec::new();
    for customer in 0..150 {
        let place = rng.random_range(0..3);
        let chance = [20, 40, 45][place] + rng.random_range(0..20);
        for _ in 0..rng.random_range(1..6) {
            let buys = rng.random_range(0..100) < chance;
            let device = ["x", "y"][rng.random_range(0..2)];
            let group = ["a", "b", "c"][place];
            sessions.push(Session {
                customer,
                group,
                device,
                buys,
            });
        }
    }
    sessions
}

#[test]
fn swapping_the_groups_turns_every_sign_and_nothing_else() {
    for seed in 0..20 {
        let all = three_groups(seed);
        let two: Vec<Session> = all.into_iter().filter(|s| s.group != "c").collect();
        let journeys = journeys(&two);
        let forth = compare(&journeys, Comparison::from("group").baseline("a"));
        let back = compare(&journeys, Comparison::from("group").baseline("b"));
        assert_eq!(forth.rows.len(), back.rows.len());
        for row in &forth.rows {
            let other = back
                .rows
                .iter()
                .find(|r| (&r.kind, &r.key) == (&row.kind, &row.key))
                .unwrap();
            assert_eq!((&row.a, &row.b), (&other.b, &other.a));
            let (p, q) = (row.p.unwrap(), other.p.unwrap());
            assert!((p - q).abs() < 1e-12, "{p} {q}");
            for (x, y) in [
                (row.difference, other.difference),
                (row.effect, other.effect),
            ] {
                let (x, y) = (x.unwrap(), y.unwrap());
                assert!((x.value + y.value).abs() < 1e-9);
                assert!((x.lower + y.upper).abs() < 1e-6 && (x.upper + y.lower).abs() < 1e-6);
            }
        }
    }
}

#[test]
fn q_counts_every_pair_and_every_measure_also_those_not_listed() {
    let journeys = journeys(&three_groups(7));
    let whole = compare(&journeys, Comparison::from("group").all_pairs());
    // Three pairs, each with a rate and a time.
    assert_eq!((whole.n_rows, whole.n_tested, whole.rows.len()), (6, 6, 6));
    let p: Vec<f64> = whole.rows.iter().filter_map(|r| r.p).collect();
    let q: Vec<f64> = whole.rows.iter().filter_map(|r| r.q).collect();
    assert_eq!(benjamini_hochberg(&p).unwrap(), q);
    assert!(q.is_sorted());
    let mut how = Comparison::from("group").all_pairs();
    how.top = 2;
    let short = compare(&journeys, how);
    assert_eq!(short.rows, whole.rows[..2]);
    assert_eq!((short.n_rows, short.n_tested), (6, 6));
    let said = short.caveats.iter().any(|c| {
        *c == Caveat::Note {
            text: "2 of 6 differences are listed; q counts all 6 that were tested".to_owned(),
        }
    });
    assert!(said, "{:?}", short.caveats);
    assert!(whole.caveats.contains(&Caveat::AssociationOnly));
}

/// No difference, sessions of a customer alike: the share of splits in which p is at most .05, and a test of uniformity.
#[test]
fn splits_without_a_difference_are_rejected_one_time_in_twenty() {
    let (mut rejected, mut total) = (0, 0);
    let mut tenths = [0_u64; 10];
    for seed in 0..10_000 {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let mut sessions = Vec::new();
        for customer in 0..120 {
            let group = ["a", "b"][rng.random_range(0..2)];
            // Customers differ among themselves: some nearly always buy, some hardly ever.
            let chance = [5, 20, 50, 80, 95][rng.random_range(0..5)];
            for _ in 0..rng.random_range(1..6) {
                let buys = rng.random_range(0..100) < chance;
                sessions.push(Session {
                    customer,
                    group,
                    device: "x",
                    buys,
                });
            }
        }
        let report = compare(&journeys(&sessions), "group");
        let p = rate(&report).p.unwrap();
        rejected += u64::from(p <= 0.05);
        total += 1;
        tenths[((p * 10.0) as usize).min(9)] += 1;
    }
    let share = rejected as f64 / total as f64;
    // 0.05 with a standard error of 0.0022.
    assert!((0.045..=0.055).contains(&share), "{share}");
    let expected = total as f64 / 10.0;
    let chi: f64 = tenths
        .iter()
        .map(|&n| (n as f64 - expected).powi(2) / expected)
        .sum();
    // Nine degrees of freedom: 27.9 is exceeded one time in a thousand.
    assert!(chi < 27.9, "{tenths:?} {share}");
}

/// 160 customers in two groups that do not differ, with up to `most` sessions each. Customers differ: in how often they buy, and by a factor of up to fifty
/// in how long everything takes them.
fn paced(seed: u64, most: u64) -> Journeys {
    let rng = &mut ChaCha8Rng::seed_from_u64(seed);
    let options = LogOptions::default().attribute("group", AttributeType::Text);
    let mut builder = LogBuilder::new(options);
    for customer in 0..160_i64 {
        let attributes = &[("group", ["a", "b"][rng.random_range(0..2)].into())];
        let pace = (4.0 * rng.random::<f64>()).exp() * 2.0;
        let chance = [10, 50, 90][rng.random_range(0..3)];
        for session in 0..rng.random_range(1..=most) {
            let mut time = session as i64 * 7_200_000_000 + rng.random_range(0..600_000_000);
            for (event, chance) in [("view", 100), ("cart", 80), ("buy", chance)] {
                if rng.random_range(0..100) < chance {
                    let row = EventRow::new(customer, time, event);
                    builder.push_row(&EventRow { attributes, ..row }).unwrap();
                    let seconds = -rng.random::<f64>().ln() * pace;
                    time += 1 + (seconds.min(1_000.0) * 1e6) as i64;
                }
            }
        }
    }
    let log = builder.finish().unwrap();
    log.journeys(JourneyRule::gap("30m").unwrap()).unwrap()
}

/// By kind of measure: tests, those with p at most .05, rows that were not tested because customers repeat.
type Alarms = std::collections::BTreeMap<String, (f64, f64, u64)>;

fn alarms(of: &impl Analysis, seeds: std::ops::Range<u64>, most: u64) -> Alarms {
    let mut alarms = Alarms::new();
    for seed in seeds {
        let question = Compare {
            of: of.clone(),
            how: Comparison::from("group").baseline("b"),
        };
        let report = paced(seed, most).run_with(&question, &ONE_THREAD).unwrap();
        for row in &report.rows {
            let kind = alarms.entry(row.kind.clone()).or_default();
            kind.2 += u64::from(row.untested == Some(Untested::Repeated));
            if let Some(p) = row.p {
                kind.0 += 1.0;
                kind.1 += f64::from(u8::from(p <= 0.05));
            }
            assert_eq!(row.p.is_some(), row.q.is_some());
            assert_eq!(row.p.is_none(), row.untested.is_some());
        }
    }
    alarms
}

#[test]
fn times_without_a_difference_are_rejected_one_time_in_twenty() {
    // Standard error of a share of .05 among 4,000: .0034.
    for most in [1, 8] {
        let alarms = alarms(&buys(), 0..4_000, most);
        for kind in ["goal", "time_to_goal"] {
            let (tests, alarms, _) = alarms[kind];
            let share = alarms / tests;
            println!("up to {most} sessions, {kind}: {share:.4}");
            assert_eq!(tests, 4_000.0);
            assert!(
                (0.04..=0.06).contains(&share),
                "up to {most}: {kind} {share}"
            );
        }
    }
}

#[test]
fn times_of_customers_who_repeat_are_not_tested() {
    let funnel = || Funnel::steps(["view", "cart", "buy"]);
    // One session each: tested, and right about as often as it says. Many rows of small counts reject less often.
    let mut one_each = alarms(&funnel(), 0..1_500, 1);
    one_each.extend(alarms(&Paths::default(), 0..1_500, 1));
    one_each.extend(alarms(&Transitions::default(), 0..1_500, 1));
    for kind in ["step_time", "duration", "path_duration", "transition_time"] {
        let (tests, alarms, untested) = one_each[kind];
        let share = alarms / tests;
        println!("one session each, {kind}: {share:.4} of {tests}");
        assert!(untested == 0 && tests >= 1_500.0);
        assert!((0.033..=0.067).contains(&share), "{kind}: {share}");
    }
    // Several: no p and so no q, but the difference, and the reason.
    let mut several = alarms(&funnel(), 0..300, 8);
    several.extend(alarms(&Paths::default(), 0..300, 8));
    several.extend(alarms(&Transitions::default(), 0..300, 8));
    for (kind, (tests, alarms, untested)) in several {
        println!("up to 8 sessions, {kind}: {alarms} of {tests}, {untested} not tested");
        match kind.ends_with("time") || kind.ends_with("duration") {
            true => assert!(tests == 0.0 && untested > 0, "{kind}"),
            false => assert!(alarms <= 0.065 * tests, "{kind}"),
        }
    }
    let report = paced(1, 8).compare(&funnel(), "group").unwrap();
    let row = report.rows.iter().find(|r| r.kind == "step_time").unwrap();
    assert!(row.difference.is_some() && row.effect.is_some());
    let unclustered = Caveat::IndependenceAssumed {
        what: "times".to_owned(),
    };
    assert!(report.caveats.contains(&unclustered));
    let one = paced(1, 1).compare(&funnel(), "group").unwrap();
    assert!(!one.caveats.contains(&unclustered));
}

/// A touchpoint that comes back within a journey gives one customer several times, also where every customer has one journey.
#[test]
fn transitions_that_repeat_within_a_journey_are_not_tested() {
    let options = LogOptions::default().attribute("group", AttributeType::Text);
    let mut builder = LogBuilder::new(options);
    for customer in 0..40_i64 {
        let attributes = &[("group", ["a", "b"][customer as usize % 2].into())];
        for (second, event) in [(0, "x"), (1, "y"), (3, "x"), (4, "y"), (5, "z")] {
            let time = second * (1_000_000 + customer);
            let row = EventRow::new(customer, time, event);
            builder.push_row(&EventRow { attributes, ..row }).unwrap();
        }
    }
    let log = builder.finish().unwrap();
    let journeys = log.journeys(JourneyRule::customer()).unwrap();
    let report = journeys.compare(&Transitions::default(), "group").unwrap();
    let of = |key: [&str; 2]| {
        let is = |r: &&ComparisonRow| r.kind == "transition_time" && r.key == key;
        report.rows.iter().find(is).unwrap()
    };
    assert_eq!(of(["x", "y"]).untested, Some(Untested::Repeated));
    assert_eq!((of(["x", "y"]).p, of(["x", "y"]).q), (None, None));
    assert!(of(["y", "z"]).p.is_some() && of(["y", "z"]).untested.is_none());
}

/// Group a is mostly on the device where everybody buys less.
fn mixed(better_within: bool) -> Vec<Session> {
    let mut sessions = Vec::new();
    let mut customer = 0;
    let (high, low) = if better_within { (90, 40) } else { (80, 30) };
    for (group, device, n, chance) in [
        ("a", "x", 100, high),
        ("a", "y", 900, low),
        ("b", "x", 900, 80),
        ("b", "y", 100, 30),
    ] {
        for i in 0..n {
            customer += 1;
            let buys = i % 100 < chance;
            sessions.push(Session {
                customer,
                group,
                device,
                buys,
            });
        }
    }
    sessions
}

#[test]
fn a_difference_that_turns_round_within_strata_is_flagged() {
    let how = || Comparison::from("group").baseline("b").stratify("device");
    let report = compare(&journeys(&mixed(true)), how());
    let row = &report.simpson[0];
    assert_eq!(row.verdict, SimpsonVerdict::Reversed);
    assert!(row.pooled.upper < 0.0 && row.stratified.lower > 0.0);
    let names: Vec<&str> = row.strata.iter().map(|s| s.stratum.as_str()).collect();
    assert_eq!(names, ["x", "y"]);
    assert!(row.strata.iter().all(|s| s.difference.unwrap().value > 0.0));
    assert!(report.caveats.contains(&Caveat::SimpsonReversal {
        attribute: "device".to_owned(),
        measures: vec!["goal: buy".to_owned()],
    }));
    let table = report.tables().into_iter().find(|t| t.name == "simpson");
    assert_eq!(table.unwrap().n_rows(), 1);

    // Only the mix: within devices there is nothing.
    let report = compare(&journeys(&mixed(false)), how());
    assert_eq!(report.simpson[0].verdict, SimpsonVerdict::Vanishes);
    let flagged = |r: &CompareReport| {
        let is = |c: &Caveat| matches!(c, Caveat::SimpsonReversal { .. });
        r.caveats.iter().any(is)
    };
    assert!(!flagged(&report));

    // The same mix in both groups turns nothing round.
    for seed in 0..20 {
        let how = Comparison::from("group").all_pairs().stratify("device");
        let report = compare(&journeys(&three_groups(seed)), how);
        assert!(!flagged(&report), "seed {seed}");
        assert_eq!(report.simpson.len(), 3);
    }
}

/// In stratum x group a never takes the path: 0 of 100 there is a rate, not a hole.
#[test]
fn strata_in_which_a_group_never_did_it_count() {
    let options = LogOptions::default()
        .attribute("group", AttributeType::Text)
        .attribute("device", AttributeType::Text);
    let mut builder = LogBuilder::new(options);
    let counts = [
        ("a", "x", 0),
        ("b", "x", 50),
        ("a", "y", 30),
        ("b", "y", 20),
    ];
    for (place, (group, device, buyers)) in counts.into_iter().enumerate() {
        for i in 0..100 {
            let attributes = &[("group", group.into()), ("device", device.into())];
            let customer = place as i64 * 100 + i;
            for (time, event) in [(0, "view"), (1, if i < buyers { "buy" } else { "leave" })] {
                let row = EventRow::new(customer, time, event);
                builder.push_row(&EventRow { attributes, ..row }).unwrap();
            }
        }
    }
    let log = builder.finish().unwrap();
    let journeys = log.journeys(JourneyRule::customer()).unwrap();
    let how = || Comparison::from("group").baseline("b").stratify("device");
    let paths = journeys.compare(&Paths::default(), how()).unwrap();
    let transitions = Transitions::default();
    let transitions = journeys.compare(&transitions, how()).unwrap();
    for (report, kind) in [(&paths, "path"), (&transitions, "transition")] {
        let is =
            |r: &&desireline_core::compare::SimpsonRow| r.kind == kind && r.key == ["view", "buy"];
        let row = report.simpson.iter().find(is).unwrap();
        let counts: Vec<_> = row
            .strata
            .iter()
            .map(|s| (s.stratum.as_str(), s.a.count, s.a.n, s.b.count, s.b.n))
            .collect();
        let x = ("x", Some(0), 100, Some(50), 100);
        assert_eq!(counts, [x, ("y", Some(30), 100, Some(20), 100)]);
        assert!((row.pooled.value + 0.2).abs() < 1e-12);
        assert!((row.stratified.value + 0.2).abs() < 1e-12);
        assert_eq!(row.verdict, SimpsonVerdict::Heterogeneous);
        let flagged = |c: &Caveat| matches!(c, Caveat::SimpsonReversal { .. });
        assert!(!report.caveats.iter().any(flagged));
    }
}

#[test]
fn customers_in_both_groups_are_counted() {
    let session = |customer, group| Session {
        customer,
        group,
        device: "x",
        buys: customer % 2 == 0,
    };
    let mut sessions: Vec<Session> = (0..20).map(|c| session(c, "a")).collect();
    sessions.extend((15..40).map(|c| session(c, "b")));
    let journeys = journeys(&sessions);
    let report = compare(&journeys, "group");
    let overlap = Caveat::PopulationOverlap {
        customers: 5,
        of: 40,
    };
    assert!(report.caveats.contains(&overlap));
    let shared = &report.overlap[0];
    assert_eq!((shared.customers, shared.journeys), (5, 0));

    // Segments that share journeys.
    let segment = |name: &str, expr: &str| Segment::new(name, Expr::parse(expr).unwrap());
    let segments = vec![segment("buyers", "buy"), segment("a", "group == \"a\"")];
    let report = compare(&journeys, Breakdown::Segments { segments });
    let shared = &report.overlap[0];
    assert_eq!((shared.customers, shared.journeys), (10, 10));
    // Journeys in neither are left out, and said to be.
    let rest = report.groups.iter().find(|g| !g.compared).unwrap();
    assert_eq!((rest.name.as_str(), rest.n_journeys), ("(no segment)", 13));
}

#[test]
fn groups_that_cannot_be_compared_are_errors_with_the_groups_there_are() {
    let sessions: Vec<Session> = three_groups(1);
    let error = |journeys: &Journeys, how: Comparison| {
        let question = Compare { of: buys(), how };
        journeys.run(&question).unwrap_err().to_string()
    };
    let whole = journeys(&sessions);
    let typo = error(&whole, Comparison::from("group").baseline("d"));
    assert_eq!(
        typo,
        "`baseline` of goals: no group is called `d`; there are a, b, c"
    );
    assert!(error(&whole, Comparison::from("grop")).contains("did you mean `group`?"));
    let none = Segment::new("none", Expr::parse("customer == 'nobody'").unwrap());
    let segments = vec![none];
    let empty = error(&whole, Breakdown::Segments { segments }.into());
    assert!(empty.starts_with("`groups` of goals: group `none` has no journeys; groups with journeys are `(no segment)` ("), "{empty}");
    let one: Vec<Session> = sessions.into_iter().filter(|s| s.group == "b").collect();
    let single = error(&journeys(&one), "group".into());
    assert!(
        single.starts_with("`groups` of goals: at least two groups with journeys are needed; groups with journeys are `b` ("),
        "{single}"
    );
}

#[test]
fn too_few_is_said_instead_of_a_number() {
    let session = |customer: i64| Session {
        customer,
        group: if customer < 4 { "a" } else { "b" },
        device: "x",
        buys: true,
    };
    let sessions: Vec<Session> = (0..40).map(session).collect();
    let report = compare(&journeys(&sessions), "group");
    for row in &report.rows {
        assert_eq!((row.difference, row.p, row.a.estimate), (None, None, None));
    }
    let too_few = Caveat::TooFew {
        what: "differences".to_owned(),
        cells: 2,
        least: 5,
    };
    assert!(report.caveats.contains(&too_few));
}

#[test]
fn a_path_that_one_group_lacks_is_none_of_all_its_journeys() {
    let journeys = journeys(
        &(0..80)
            .map(|customer| Session {
                customer,
                group: if customer % 2 == 0 { "a" } else { "b" },
                device: "x",
                buys: customer % 2 == 0,
            })
            .collect::<Vec<_>>(),
    );
    let how = || Comparison::from("group").baseline("b");
    let report = journeys.compare(&Paths::default(), how()).unwrap();
    let bought = report
        .rows
        .iter()
        .find(|r| r.kind == "path" && r.key == ["view", "buy"])
        .unwrap();
    assert_eq!((bought.a.count, bought.a.n), (Some(40), 40));
    assert_eq!((bought.b.count, bought.b.n), (Some(0), 40));
    assert!(bought.p < Some(1e-6));
}

fn question(entry: &Entry, name: &str) -> serde_json::Value {
    let mut spec = serde_json::json!({});
    for field in entry.fields().into_iter().filter(|f| f.required) {
        let one = format!("event == {name:?}");
        spec[&field.name] = match field.kind {
            desireline_core::registry::FieldKind::List(_) => serde_json::json!([one]),
            _ => serde_json::json!(one),
        };
    }
    spec
}

/// Every analysis of the registry compared: threads, and the plain definition of the cells.
#[test]
fn every_analysis_compares_the_same_on_any_number_of_threads() {
    let many = Exec::new().threads(4).unwrap();
    for seed in 0..60 {
        let rows = rows(seed);
        let rule = JourneyRule::gap(TimeSpan::from_micros(GAP)).unwrap();
        let journeys = build(&rows).unwrap().journeys(rule).unwrap();
        for entry in ANALYSES.iter().filter(|e| e.is_comparable()) {
            let by = Breakdown::Attribute {
                by: "channel".to_owned(),
                attribution: [Attribution::First, Attribution::Each][seed as usize % 2],
            };
            let mut how = Comparison::new(by).stratify("channel");
            how.min_n = seed % 3;
            let spec = question(entry, &rows[0].event);
            let whole = serde_json::json!({ "of": spec, "how": how });
            let question = [from_spec(entry.name, whole).unwrap()];
            let located = journeys.count_located(&*question[0]).unwrap();
            let counted = journeys.count_cells(&*question[0], &many).unwrap();
            assert_eq!(located, counted, "{} seed {seed}", entry.name);
            let run = |exec: &Exec| match journeys.run_dyn(&question, exec) {
                Ok(answers) => answers[0].report.to_json().unwrap().to_string(),
                Err(error) => error.to_string(),
            };
            assert_eq!(run(&ONE_THREAD), run(&many), "{} seed {seed}", entry.name);
        }
    }
}

#[test]
fn any_analysis_can_be_compared_by_the_name_of_an_attribute() {
    fn rows_of<A: Analysis>(journeys: &Journeys, of: &A) -> u64 {
        journeys.compare(of, "group").unwrap().n_rows
    }
    let journeys = journeys(&three_groups(3));
    assert!(rows_of(&journeys, &Funnel::steps(["view", "buy"])) > 0);
    assert!(rows_of(&journeys, &Paths::default()) > 0);
    assert!(rows_of(&journeys, &Transitions::default()) > 0);
    let spec = serde_json::json!({"of": {"goals": ["buy"]}, "how": {"groups": {"by": "group"}, "basline": "a"}});
    let refused = from_spec("goals", spec).unwrap_err().to_string();
    assert!(refused.contains("unknown field `basline`"), "{refused}");
}
