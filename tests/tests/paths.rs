//! `paths` against a plain reference over vectors and maps, on many random logs, and on logs small enough to check by
//! hand.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};

use desireline_core::analyses::Paths;
use desireline_core::analyses::paths::{Collapse, PathsReport, Place};
use desireline_core::engine::{Analysis, Exec, MeasureData};
use desireline_core::expr::{Expr, col, event};
use desireline_core::journey::{JourneyRule, Journeys};
use desireline_core::log::Log;
use desireline_core::report::{Base, Caveat, Rate, Report};
use desireline_core::time::TimeSpan;
use desireline_stats::{Clusters, Distribution};
use desireline_tests::random_log::{GAP, Row, build, naive_journeys, rows};

const LOGS: u64 = 12_000;

/// One journey as the reference sees it.
#[derive(Debug)]
struct Naive {
    customer: String,
    path: Vec<String>,
    duration: i64,
    shortened: bool,
    goal: bool,
    /// The whole journey's touchpoints after collapsing, and whether the goal is reached at each.
    touchpoints: Vec<(String, bool)>,
}

fn naive(journey: &[Row], spec: &Paths, is_goal: &dyn Fn(&Row) -> bool) -> Naive {
    let mut runs: Vec<Vec<&Row>> = Vec::new();
    for row in journey {
        match runs.last_mut() {
            Some(run) if spec.collapse != Collapse::None && run[0].event == row.event => {
                run.push(row)
            }
            _ => runs.push(vec![row]),
        }
    }
    let n = runs.len();
    let shown = match (spec.first, spec.last) {
        (Some(k), _) => &runs[..n.min(k as usize)],
        (_, Some(k)) => &runs[n.saturating_sub(k as usize)..],
        _ => &runs[..],
    };
    let time = |run: &Vec<&Row>| match spec.collapse {
        Collapse::Last => run[run.len() - 1].time,
        _ => run[0].time,
    };
    Naive {
        customer: journey[0].customer.clone(),
        path: shown.iter().map(|run| run[0].event.clone()).collect(),
        duration: time(&shown[shown.len() - 1]) - time(&shown[0]),
        shortened: shown.len() < n,
        goal: journey.iter().any(is_goal),
        touchpoints: runs
            .iter()
            .map(|run| (run[0].event.clone(), run.iter().any(|r| is_goal(r))))
            .collect(),
    }
}

/// k of n for each customer, as clusters.
fn clusters<'a>(
    journeys: impl Iterator<Item = &'a Naive>,
    counted: impl Fn(&Naive) -> bool,
) -> Clusters {
    let mut by_customer: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for j in journeys {
        let sums = by_customer.entry(&j.customer).or_default();
        sums.0 += u64::from(counted(j));
        sums.1 += 1;
    }
    let mut clusters = Clusters::default();
    by_customer.values().for_each(|&(k, n)| clusters.add(k, n));
    clusters
}

fn check_rows(report: &PathsReport, all: &[Naive], spec: &Paths) {
    let mut groups: BTreeMap<&[String], Vec<&Naive>> = BTreeMap::new();
    for j in all {
        groups.entry(&j.path).or_default().push(j);
    }
    let mut expected: Vec<_> = groups.into_iter().collect();
    expected.sort_by(|a, b| b.1.len().cmp(&a.1.len()).then_with(|| a.0.cmp(b.0)));
    let n = all.len() as u64;
    let top = expected.len().min(spec.top as usize);

    assert_eq!(report.journeys, n);
    assert_eq!(report.distinct, expected.len() as u64);
    assert_eq!(
        report.singletons,
        expected.iter().filter(|g| g.1.len() == 1).count() as u64
    );
    assert_eq!(
        report.shortened,
        all.iter().filter(|j| j.shortened).count() as u64
    );
    assert_eq!(report.paths.len(), top);
    let mut cumulative = 0;
    for (row, (path, journeys)) in report.paths.iter().zip(&expected) {
        assert_eq!(row.path, **path);
        assert_eq!(row.journeys, journeys.len() as u64);
        let customers: BTreeSet<_> = journeys.iter().map(|j| &j.customer).collect();
        assert_eq!(row.customers, customers.len() as u64);
        cumulative += row.journeys;
        assert!((row.cumulative_share - cumulative as f64 / n as f64).abs() < 1e-12);
        let share = clusters(all.iter(), |j| j.path == **path);
        assert_eq!(row.share, Rate::clustered(&share, Base::OfAll, spec.level));
        let goal = clusters(journeys.iter().copied(), |j| j.goal);
        assert_eq!(
            row.goal,
            spec.goal
                .as_ref()
                .map(|_| Rate::clustered(&goal, Base::OfPath, spec.level))
        );
        let times: Distribution = journeys.iter().map(|j| j.duration).collect();
        assert_eq!(row.duration.n, row.journeys);
        let median = (row.journeys >= 5).then(|| times.quantile(0.5)).flatten();
        assert_eq!(row.duration.median, median);
        let p90 = (row.journeys >= 10).then(|| times.quantile(0.9)).flatten();
        assert_eq!(row.duration.p90, p90);
    }
    let rest = &expected[top..];
    let count =
        |f: &dyn Fn(&Naive) -> bool| rest.iter().flat_map(|g| &g.1).filter(|j| f(j)).count() as u64;
    match &report.other {
        None => assert!(rest.is_empty()),
        Some(other) => {
            assert_eq!(other.distinct, rest.len() as u64);
            assert_eq!(other.journeys, count(&|_| true));
            assert_eq!(other.goals, spec.goal.as_ref().map(|_| count(&|j| j.goal)));
            assert_eq!(cumulative + other.journeys, n);
        }
    }
}

type Links = BTreeMap<(u32, Place, Place), u64>;

fn naive_links(all: &[Naive], steps: usize) -> Links {
    let mut links = Links::new();
    for j in all {
        let mut places = Vec::new();
        let mut end = Place::Exit;
        for (i, (name, goal)) in j.touchpoints.iter().enumerate() {
            if *goal {
                end = Place::Goal;
                break;
            }
            if i == steps {
                end = Place::GoesOn;
                break;
            }
            places.push(Place::Touchpoint(name.clone()));
        }
        places.push(end);
        for (step, pair) in (1..).zip(places.windows(2)) {
            *links
                .entry((step, pair[0].clone(), pair[1].clone()))
                .or_default() += 1;
        }
    }
    links
}

fn check_flow(report: &PathsReport, all: &[Naive], spec: &Paths) {
    let Some(flow) = &report.flow else {
        assert_eq!(spec.flow_steps, 0);
        return;
    };
    let found: Links = flow
        .links
        .iter()
        .map(|l| ((l.step, l.from.clone(), l.to.clone()), l.journeys))
        .collect();
    if spec.flow_top >= 6 {
        assert_eq!(found, naive_links(all, spec.flow_steps as usize));
    }
    assert_eq!(flow.journeys, report.journeys);
    let first: u64 = flow
        .nodes
        .iter()
        .filter(|n| n.step == 1)
        .map(|n| n.journeys)
        .sum();
    assert_eq!(first, report.journeys);
    let mut ended = 0;
    for node in &flow.nodes {
        let sum = |f: &dyn Fn(u32, &Place, &Place) -> bool| -> u64 {
            found
                .iter()
                .filter(|((s, a, b), _)| f(*s, a, b))
                .map(|(_, n)| n)
                .sum()
        };
        let come = sum(&|s, _, to| s + 1 == node.step && *to == node.place);
        let go = sum(&|s, from, _| s == node.step && *from == node.place);
        if node.step > 1 {
            assert_eq!(come, node.journeys, "{node:?}");
        }
        if matches!(node.place, Place::Touchpoint(_) | Place::Other) {
            assert_eq!(go, node.journeys, "{node:?}");
        } else {
            assert_eq!((go, node.distinct), (0, 0));
            ended += node.journeys;
        }
    }
    assert_eq!(ended, report.journeys);
}

fn cut(log: &Log, gap: Option<i64>) -> Journeys {
    let mut rule = JourneyRule::customer();
    rule.gap = gap.map(|g| TimeSpan::parse(&format!("{g}us")).unwrap());
    log.journeys(rule).unwrap()
}

type IsGoal = Box<dyn Fn(&Row) -> bool>;

/// The goal of the log number `seed`, as an expression and as plain code.
fn goal(seed: u64, rows: &[Row]) -> (Option<Expr>, IsGoal) {
    let name = rows[0].event.clone();
    match seed % 4 {
        0 => (None, Box::new(|_| false)),
        1 => (
            Some(event(name.clone())),
            Box::new(move |r| r.event == name),
        ),
        2 => (
            Some(col("channel").eq("web")),
            Box::new(|r| r.channel.as_deref() == Some("web")),
        ),
        _ => (
            Some(event(name.clone()) & col("channel").eq("app")),
            Box::new(move |r| r.event == name && r.channel.as_deref() == Some("app")),
        ),
    }
}

fn spec(seed: u64, goal: Option<Expr>) -> Paths {
    let parts = [
        (None, None),
        (Some(1), None),
        (Some(3), None),
        (None, Some(1)),
        (None, Some(2)),
    ];
    let (first, last) = parts[(seed / 12 % 5) as usize];
    Paths {
        goal,
        first,
        last,
        collapse: [Collapse::None, Collapse::First, Collapse::Last][(seed / 4 % 3) as usize],
        top: [1, 2, 1000][(seed % 3) as usize],
        flow_steps: [0, 1, 2, 5][(seed / 60 % 4) as usize],
        flow_top: [1, 2, 100][(seed / 7 % 3) as usize],
        level: 0.9,
    }
}

#[test]
fn random_logs_agree_with_the_reference() {
    for seed in 0..LOGS {
        let rows = rows(seed);
        let gap = (seed % 2 == 0).then_some(GAP);
        let (goal, is_goal) = goal(seed / 2, &rows);
        let spec = spec(seed, goal);
        let all: Vec<Naive> = naive_journeys(&rows, gap)
            .iter()
            .map(|j| naive(j, &spec, &is_goal))
            .collect();
        let journeys = cut(&build(&rows).unwrap(), gap);
        let answer = journeys.run(&spec).unwrap();
        let check = std::panic::catch_unwind(|| {
            check_rows(&answer, &all, &spec);
            check_flow(&answer, &all, &spec);
            if spec.goal.is_some() {
                let goals = clusters(all.iter(), |j| j.goal);
                assert_eq!(answer.goal, Some(Rate::clustered(&goals, Base::OfAll, 0.9)));
            }
            assert_eq!(
                journeys.count_cells(&spec, &Exec::default()).unwrap(),
                journeys.count_located(&spec).unwrap()
            );
        });
        assert!(check.is_ok(), "log {seed}: {spec:?}");
    }
}

#[test]
fn threads_and_sealed_parts_do_not_show() {
    for seed in 0..300 {
        let rows = rows(seed);
        let (goal, _) = goal(seed, &rows);
        let spec = spec(seed * 7, goal);
        let journeys = cut(&build(&rows).unwrap(), Some(GAP));
        let one = journeys
            .run_with(&spec, &Exec::new().threads(1).unwrap())
            .unwrap();
        let two = journeys
            .run_with(&spec, &Exec::new().threads(2).unwrap())
            .unwrap();
        assert_eq!(
            serde_json::to_string(&one.report).unwrap(),
            serde_json::to_string(&two.report).unwrap()
        );
        let mut parts: Vec<Vec<u8>> = (0..journeys.blocks().len())
            .map(|b| journeys.seal(&spec, &[b], &Exec::default()).unwrap())
            .collect();
        let merge = |parts: &[Vec<u8>]| {
            let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
            desireline_core::engine::merge_sealed(&parts, &desireline_core::registry::from_spec)
                .unwrap()
        };
        let forwards = merge(&parts);
        parts.reverse();
        assert_eq!(forwards, merge(&parts), "log {seed}");
        let all: Vec<usize> = (0..journeys.blocks().len()).collect();
        let whole = journeys.seal(&spec, &all, &Exec::default()).unwrap();
        assert_eq!(forwards, whole, "log {seed}");
    }
}

fn journeys(rows: &[(&str, i64, &str)]) -> Journeys {
    cut(&Log::from_rows(rows.iter().copied()).unwrap(), None)
}

const SHOP: &[(&str, i64, &str)] = &[
    ("ann", 0, "home"),
    ("ann", 10, "home"),
    ("ann", 30, "cart"),
    ("ann", 60, "cart"),
    ("ann", 100, "purchase"),
    ("ben", 0, "home"),
    ("ben", 50, "cart"),
    ("ben", 90, "purchase"),
    ("eve", 0, "home"),
];

#[test]
fn repeats_in_a_row_keep_the_time_asked_for() {
    let found = |collapse| {
        let report = journeys(SHOP)
            .run(&Paths::default().collapse(collapse))
            .unwrap()
            .report;
        let paths: Vec<(String, u64)> = report
            .paths
            .iter()
            .map(|r| (r.path.join(" "), r.journeys))
            .collect();
        (paths, report.duration.n, report.distinct)
    };
    let own = |s: &str, n| (s.to_owned(), n);
    let (paths, n, distinct) = found(Collapse::None);
    assert_eq!(
        paths,
        [
            own("home", 1),
            own("home cart purchase", 1),
            own("home home cart cart purchase", 1)
        ]
    );
    assert_eq!((n, distinct), (3, 3));
    for collapse in [Collapse::First, Collapse::Last] {
        assert_eq!(
            found(collapse).0,
            [own("home cart purchase", 2), own("home", 1)]
        );
    }
    let durations = |collapse| {
        let j = journeys(SHOP);
        let plan = Paths::default().collapse(collapse).first(2);
        let cells = j.count_cells(&plan, &Exec::default()).unwrap();
        assert_eq!(cells["path/home > cart"], 2);
        let bound = plan.plan(j.catalog()).unwrap();
        let mut partial = Paths::start(&bound);
        let mut scratch = Default::default();
        for block in j.blocks() {
            for &range in block.morsels() {
                Paths::observe(&bound, &mut partial, &block.morsel(range, &mut scratch));
            }
        }
        let measures = Paths::measures(&bound, &partial);
        let all = measures.into_iter().find(|m| m.kind == "duration").unwrap();
        let MeasureData::Times { times, .. } = all.data else {
            panic!("a duration is a time")
        };
        times.counts().collect::<Vec<_>>()
    };
    // ann: home at 0 or 10, cart at 30 or 60; ben: 50; eve has one touchpoint.
    assert_eq!(durations(Collapse::First), [(0, 1), (30, 1), (50, 1)]);
    assert_eq!(durations(Collapse::Last), [(0, 1), (50, 2)]);
}

#[test]
fn being_cut_is_no_drop_off() {
    let report = journeys(SHOP).run(&Paths::default().first(1)).unwrap();
    assert_eq!(
        (report.distinct, report.paths[0].journeys, report.shortened),
        (1, 3, 2)
    );
    let report = journeys(SHOP).run(&Paths::default().flow_steps(2)).unwrap();
    let flow = report.flow.as_ref().unwrap();
    let ends: BTreeMap<_, u64> = flow
        .nodes
        .iter()
        .filter(|n| matches!(n.place, Place::Exit | Place::GoesOn))
        .map(|n| ((n.step, n.place.label()), n.journeys))
        .collect();
    assert_eq!(ends, [((2, "(exit)"), 1), ((3, "(goes on)"), 2)].into());
}

#[test]
fn the_goal_counts_wherever_it_is() {
    let report = journeys(SHOP)
        .run(&Paths::default().first(1).goal("purchase").unwrap())
        .unwrap();
    let goal = report.paths[0].goal.unwrap();
    assert_eq!(
        (goal.count, goal.n, goal.base, goal.estimate),
        (2, 3, Base::OfPath, None)
    );
    assert!(
        report
            .caveats()
            .iter()
            .any(|c| matches!(c, Caveat::TooFew { cells: 1, .. }))
    );
}

#[test]
fn names_cannot_forge_cells() {
    let j = journeys(&[
        ("1", 0, "a > b"),
        ("2", 0, "a"),
        ("2", 1, "b"),
        ("3", 0, "(exit)"),
        ("3", 1, "a"),
    ]);
    let cells = j.count_cells(&Paths::default(), &Exec::default()).unwrap();
    for (cell, n) in [
        (r"path/a \> b", 1),
        ("path/a > b", 1),
        ("flow/1/a > b", 1),
        (r"flow/1/a \> b > (exit)", 1),
        (r"flow/1/\(exit) > a", 1),
    ] {
        assert_eq!(cells.get(cell), Some(&n), "{cell} in {cells:?}");
    }
    assert_eq!(
        j.members(&Paths::default(), r"path/a \> b", 9).unwrap()[0].customer,
        "1"
    );
}

#[test]
fn a_wide_vocabulary_needs_wider_keys() {
    for n_names in [256, 257, 70_000] {
        let names: Vec<String> = (0..n_names).map(|i| format!("n{i}")).collect();
        // 256 names apart, and 65,536 apart: equal in their low bytes.
        let mut rows: Vec<(String, i64, &str)> = names
            .iter()
            .enumerate()
            .map(|(i, n)| (format!("c{i}"), 0, n.as_str()))
            .collect();
        rows.push(("c0".to_owned(), 1, "n1"));
        rows.push(("extra".to_owned(), 0, "n0"));
        rows.push(("extra".to_owned(), 1, "n1"));
        let log = Log::from_rows(rows.iter().map(|(c, t, e)| (c.as_str(), *t, *e))).unwrap();
        let report = cut(&log, None).run(&Paths::top(2)).unwrap();
        assert_eq!(report.distinct, n_names as u64);
        assert_eq!(
            (report.paths[0].path.join(" "), report.paths[0].journeys),
            ("n0 n1".to_owned(), 2)
        );
    }
}

#[test]
fn questions_that_make_no_sense_are_refused() {
    let j = journeys(SHOP);
    let message = |spec: Paths| j.run(&spec).map(|_| ()).unwrap_err().to_string();
    let cases = [
        (
            Paths::default().first(0),
            "`first` of paths: 0 touchpoints are no path; use 1 or more",
        ),
        (
            Paths::default().first(2).last(2),
            "`last` of paths: `first` is given too; a path is the first or the last touchpoints, not both",
        ),
        (
            Paths::top(0),
            "`top` of paths: 0 paths cannot be listed; use 1 or more",
        ),
        (
            Paths::default().level(1.0),
            "`level` of paths: 1 is no confidence level; use a number between 0 and 1, such as 0.95",
        ),
        (
            Paths::default().flow_steps(65),
            "`flow_steps` of paths: 65 steps, at most 64 are shown",
        ),
    ];
    for (spec, expected) in cases {
        assert_eq!(message(spec), expected);
    }
    let typo = message(Paths::default().goal("purchse").unwrap());
    assert!(
        typo.contains("`goal` of paths") && typo.contains("purchase"),
        "{typo}"
    );
    let spec: Result<Paths, _> = serde_json::from_str(r#"{"topp": 3}"#);
    assert!(spec.unwrap_err().to_string().contains("topp"));
    let spec: Paths = serde_json::from_str(r#"{"collapse": "last", "goal": "purchase"}"#).unwrap();
    assert_eq!(
        spec,
        Paths::default()
            .collapse(Collapse::Last)
            .goal("purchase")
            .unwrap()
    );
}

#[test]
fn a_memory_budget_is_kept_to() {
    let rows: Vec<(String, i64, String)> = (0..5_000)
        .map(|i| (format!("c{}", i / 10), i, format!("n{}", i * 7919 % 200)))
        .collect();
    let log = Log::from_rows(rows.iter().map(|(c, t, e)| (c.as_str(), *t, e))).unwrap();
    let exec = Exec::new().memory_budget(1_000);
    let error = cut(&log, None)
        .run_with(&Paths::default(), &exec)
        .unwrap_err();
    assert!(matches!(error, desireline_core::Error::MemoryBudget { .. }));
}
