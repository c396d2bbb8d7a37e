//! `transitions` against a plain reference over vectors and maps, on many random logs, and on logs small enough to check
//! by hand.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};

use desireline_core::analyses::Transitions;
use desireline_core::analyses::transitions::{LoopKind, TransitionsReport};
use desireline_core::engine::Exec;
use desireline_core::journey::{JourneyRule, Journeys};
use desireline_core::log::Log;
use desireline_core::report::{Base, Rate};
use desireline_core::time::TimeSpan;
use desireline_stats::{Clusters, Distribution};
use desireline_tests::random_log::{GAP, Row, build, naive_journeys, rows};

const LOGS: u64 = 12_000;

/// One transition as the reference sees it.
struct Step {
    customer: String,
    journey: usize,
    from: String,
    to: String,
    time: i64,
    back: bool,
}

fn steps(journeys: &[Vec<Row>]) -> Vec<Step> {
    let mut steps = Vec::new();
    for (journey, rows) in journeys.iter().enumerate() {
        for i in 1..rows.len() {
            let (a, b) = (&rows[i - 1], &rows[i]);
            let next = rows.get(i + 1);
            steps.push(Step {
                customer: a.customer.clone(),
                journey,
                from: a.event.clone(),
                to: b.event.clone(),
                time: b.time - a.time,
                back: a.event != b.event && next.is_some_and(|c| c.event == a.event),
            });
        }
    }
    steps
}

/// k of n for each customer, as clusters.
fn clusters<T>(
    units: &[T],
    customer: impl Fn(&T) -> &str,
    base: impl Fn(&T) -> bool,
    counted: impl Fn(&T) -> bool,
) -> Clusters {
    let mut by_customer: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for unit in units.iter().filter(|u| base(u)) {
        let sums = by_customer.entry(customer(unit)).or_default();
        sums.0 += u64::from(counted(unit));
        sums.1 += 1;
    }
    let mut clusters = Clusters::default();
    by_customer.values().for_each(|&(k, n)| clusters.add(k, n));
    clusters
}

fn check_transitions(report: &TransitionsReport, journeys: &[Vec<Row>], spec: &Transitions) {
    let steps = steps(journeys);
    let mut groups: BTreeMap<(&str, &str), Vec<&Step>> = BTreeMap::new();
    for s in &steps {
        groups.entry((&s.from, &s.to)).or_default().push(s);
    }
    let mut expected: Vec<_> = groups.into_iter().collect();
    expected.sort_by(|a, b| b.1.len().cmp(&a.1.len()).then_with(|| a.0.cmp(&b.0)));
    let top = spec
        .top
        .map_or(expected.len(), |t| expected.len().min(t as usize));

    assert_eq!(report.count, report.events - report.journeys);
    assert_eq!(report.count, steps.len() as u64);
    assert_eq!(report.distinct, expected.len() as u64);
    assert_eq!(report.transitions.len(), top);
    for (row, ((from, to), found)) in report.transitions.iter().zip(&expected) {
        assert_eq!((&*row.from, &*row.to), (*from, *to));
        assert_eq!(row.count, found.len() as u64);
        let in_journeys: BTreeSet<_> = found.iter().map(|s| s.journey).collect();
        let customers: BTreeSet<_> = found.iter().map(|s| &s.customer).collect();
        assert_eq!(row.journeys, in_journeys.len() as u64);
        assert_eq!(row.customers, customers.len() as u64);
        assert_eq!(row.returns, found.iter().filter(|s| s.back).count() as u64);
        let this = |s: &Step| s.from == *from && s.to == *to;
        let probability = clusters(&steps, |s| &s.customer, |s| s.from == *from, this);
        assert_eq!(
            row.probability,
            Rate::clustered(&probability, Base::OfPrevious, spec.level)
        );
        let share = clusters(&steps, |s| &s.customer, |_| true, this);
        assert_eq!(row.share, Rate::clustered(&share, Base::OfAll, spec.level));
        if spec.times {
            let times: Distribution = found.iter().map(|s| s.time).collect();
            assert_eq!(row.between.n, row.count);
            assert_eq!(
                row.between.median,
                (row.count >= 5).then(|| times.quantile(0.5)).flatten()
            );
        } else {
            assert_eq!(row.between.n, 0);
        }
    }
    let rest: u64 = expected[top..].iter().map(|g| g.1.len() as u64).sum();
    assert_eq!(report.other.map_or(0, |o| o.count), rest);
    assert_eq!(
        report.other.map_or(0, |o| o.distinct),
        (expected.len() - top) as u64
    );
}

fn check_touchpoints(report: &TransitionsReport, journeys: &[Vec<Row>], level: f64) {
    let names: BTreeSet<&str> = journeys.iter().flatten().map(|r| &*r.event).collect();
    assert_eq!(report.touchpoints.len(), names.len());
    let steps = steps(journeys);
    let reach = reachable(&steps);
    for row in &report.touchpoints {
        let name = &*row.touchpoint;
        assert!(names.contains(name));
        let visits = |j: &[Row]| j.iter().filter(|r| r.event == name).count() as u64;
        let count = |f: &dyn Fn(&Vec<Row>) -> bool| journeys.iter().filter(|j| f(j)).count() as u64;
        assert_eq!(row.events, journeys.iter().map(|j| visits(j)).sum::<u64>());
        assert_eq!(row.journeys, count(&|j| visits(j) > 0));
        let customers: BTreeSet<_> = journeys
            .iter()
            .filter(|j| visits(j) > 0)
            .map(|j| &j[0].customer)
            .collect();
        assert_eq!(row.customers, customers.len() as u64);
        assert_eq!(row.starts, count(&|j| j[0].event == name));
        assert_eq!(row.ends, count(&|j| j[j.len() - 1].event == name));
        let rework = clusters(
            journeys,
            |j| &j[0].customer,
            |j| visits(j) > 0,
            |j| visits(j) > 1,
        );
        assert_eq!(row.rework, Rate::clustered(&rework, Base::OfEntered, level));
        let revisits: u64 = journeys.iter().map(|j| visits(j).saturating_sub(1)).sum();
        assert_eq!(row.revisits, revisits);
        let out: Vec<&Step> = steps.iter().filter(|s| s.from == name).collect();
        assert_eq!(out.len() as u64, row.events - row.ends);
        let degree = |names: BTreeSet<&String>| names.len() as u64;
        assert_eq!(row.out_degree, degree(out.iter().map(|s| &s.to).collect()));
        assert_eq!(
            row.in_degree,
            degree(
                steps
                    .iter()
                    .filter(|s| s.to == name)
                    .map(|s| &s.from)
                    .collect()
            )
        );
        assert_eq!(
            row.self_loops,
            out.iter().filter(|s| s.to == name).count() as u64
        );
        assert_eq!(row.returns, out.iter().filter(|s| s.back).count() as u64);
        for other in &report.touchpoints {
            let both = |a: &str, b: &str| reach.contains(&(a, b)) && reach.contains(&(b, a));
            let together = name == other.touchpoint || both(name, &other.touchpoint);
            assert_eq!(row.component == other.component, together);
        }
    }
    let sum: f64 = report.touchpoints.iter().map(|r| r.pagerank).sum();
    assert!((sum - 1.0).abs() < 1e-9);
    for (row, expected) in report
        .touchpoints
        .iter()
        .zip(naive_pagerank(report, &steps))
    {
        assert!(
            (row.pagerank - expected).abs() < 1e-9,
            "{row:?}: {expected}"
        );
    }
}

/// Which touchpoint leads to which, in any number of steps.
fn reachable(steps: &[Step]) -> BTreeSet<(&str, &str)> {
    let mut reach: BTreeSet<(&str, &str)> = steps.iter().map(|s| (&*s.from, &*s.to)).collect();
    loop {
        let more: BTreeSet<_> = reach
            .iter()
            .flat_map(|&(a, b)| {
                reach
                    .iter()
                    .filter(move |p| p.0 == b)
                    .map(move |p| (a, p.1))
            })
            .collect();
        let before = reach.len();
        reach.extend(more);
        if reach.len() == before {
            return reach;
        }
    }
}

/// PageRank by a dense matrix, in the report's order of touchpoints.
fn naive_pagerank(report: &TransitionsReport, steps: &[Step]) -> Vec<f64> {
    let n = report.touchpoints.len();
    let mut matrix = vec![vec![0.0; n]; n];
    for (row, from) in matrix.iter_mut().zip(&report.touchpoints) {
        let out: Vec<&Step> = steps.iter().filter(|s| s.from == from.touchpoint).collect();
        for (cell, to) in row.iter_mut().zip(&report.touchpoints) {
            let k = out.iter().filter(|s| s.to == to.touchpoint).count();
            *cell = if out.is_empty() {
                1.0 / n as f64
            } else {
                k as f64 / out.len() as f64
            };
        }
    }
    let mut rank = vec![1.0 / n as f64; n];
    for _ in 0..300 {
        rank = (0..n)
            .map(|to| {
                0.15 / n as f64
                    + 0.85
                        * (0..n)
                            .map(|from| rank[from] * matrix[from][to])
                            .sum::<f64>()
            })
            .collect();
    }
    rank
}

fn check_loops(report: &TransitionsReport, journeys: &[Vec<Row>]) {
    let steps = steps(journeys);
    let mut repeats: BTreeMap<&str, u64> = BTreeMap::new();
    let mut returns: BTreeMap<BTreeSet<&str>, u64> = BTreeMap::new();
    for s in &steps {
        if s.from == s.to {
            *repeats.entry(&s.from).or_default() += 1;
        }
        if s.back {
            *returns.entry([&*s.from, &*s.to].into()).or_default() += 1;
        }
    }
    for row in &report.loops {
        let set: BTreeSet<&str> = row.touchpoints.iter().map(|t| &**t).collect();
        match row.kind {
            LoopKind::Repeat => assert_eq!(repeats.remove(&*row.touchpoints[0]), Some(row.count)),
            LoopKind::Return => assert_eq!(returns.remove(&set), Some(row.count)),
            LoopKind::Component => {
                let within = |s: &&Step| set.contains(&*s.from) && set.contains(&*s.to);
                assert_eq!(steps.iter().filter(within).count() as u64, row.count);
            }
        }
    }
    assert!(repeats.is_empty() && returns.is_empty());
}

fn cut(log: &Log, gap: Option<i64>) -> Journeys {
    let mut rule = JourneyRule::customer();
    rule.gap = gap.map(|g| TimeSpan::parse(&format!("{g}us")).unwrap());
    log.journeys(rule).unwrap()
}

#[test]
fn random_logs_agree_with_the_reference() {
    for seed in 0..LOGS {
        let rows = rows(seed);
        let gap = (seed % 2 == 0).then_some(GAP);
        let spec = Transitions {
            top: [None, Some(1), Some(3)][(seed % 3) as usize],
            times: seed % 5 > 0,
            level: 0.9,
        };
        let naive = naive_journeys(&rows, gap);
        let journeys = cut(&build(&rows).unwrap(), gap);
        let report = journeys.run(&spec).unwrap().report;
        let check = std::panic::catch_unwind(|| {
            check_transitions(&report, &naive, &spec);
            check_touchpoints(&report, &naive, spec.level);
            check_loops(&report, &naive);
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
    let spec = Transitions::default();
    for seed in 0..300 {
        let journeys = cut(&build(&rows(seed)).unwrap(), Some(GAP));
        let run = |n| {
            journeys
                .run_with(&spec, &Exec::new().threads(n).unwrap())
                .unwrap()
        };
        assert_eq!(
            serde_json::to_string(&run(1).report).unwrap(),
            serde_json::to_string(&run(2).report).unwrap()
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

/// One journey per word, one touchpoint per letter, a second apart.
fn letters(words: &[&str]) -> Journeys {
    let mut rows = Vec::new();
    for (customer, word) in words.iter().enumerate() {
        for (second, letter) in (0..).zip(word.chars()) {
            rows.push((
                format!("c{customer}"),
                second * 1_000_000,
                letter.to_string(),
            ));
        }
    }
    let log = Log::from_rows(rows.iter().map(|(c, t, e)| (c.as_str(), *t, e)));
    cut(&log.unwrap(), None)
}

#[test]
fn loops_and_rework_are_counted_as_defined() {
    let report = letters(&["abab", "aab", "b"])
        .run(&Transitions::default())
        .unwrap();
    assert_eq!((report.events, report.journeys, report.count), (8, 3, 5));
    let rows: Vec<_> = report
        .transitions
        .iter()
        .map(|r| (&*r.from, &*r.to, r.count, r.customers, r.returns))
        .collect();
    assert_eq!(
        rows,
        [
            ("a", "b", 3, 2, 1),
            ("a", "a", 1, 1, 0),
            ("b", "a", 1, 1, 1)
        ]
    );
    let a = report
        .touchpoints
        .iter()
        .find(|t| t.touchpoint == "a")
        .unwrap();
    assert_eq!((a.events, a.journeys, a.starts, a.ends), (4, 2, 2, 0));
    assert_eq!(
        (
            a.revisits,
            a.rework.count,
            a.rework.n,
            a.self_loops,
            a.returns
        ),
        (2, 2, 2, 1, 1)
    );
    assert_eq!((a.in_degree, a.out_degree, a.component), (2, 2, 1));
    let loops: Vec<_> = report
        .loops
        .iter()
        .map(|l| (l.kind, l.touchpoints.concat(), l.count))
        .collect();
    assert_eq!(
        loops,
        [
            (LoopKind::Repeat, "a".to_owned(), 1),
            (LoopKind::Return, "ab".to_owned(), 2),
            (LoopKind::Component, "ab".to_owned(), 5),
        ]
    );
}

#[test]
fn pagerank_of_a_known_graph() {
    // Two pages that lead to each other share evenly; a third that only leads in keeps what all get.
    let report = letters(&["aba", "ca"])
        .run(&Transitions::default())
        .unwrap();
    let rank = |name: &str| {
        report
            .touchpoints
            .iter()
            .find(|t| t.touchpoint == name)
            .unwrap()
            .pagerank
    };
    // c = 0.05; a = 0.05 + 0.85 (b + c); b = 0.05 + 0.85 a.
    let a = (0.05 + 0.85 * 0.1) / (1.0 - 0.85 * 0.85);
    assert!((rank("c") - 0.05).abs() < 1e-12);
    assert!((rank("a") - a).abs() < 1e-12 && (rank("b") - (0.05 + 0.85 * a)).abs() < 1e-12);
}

#[test]
fn single_events_make_no_transition() {
    let report = letters(&["a", "b"]).run(&Transitions::default()).unwrap();
    assert_eq!(
        (report.count, report.distinct, report.touchpoints.len()),
        (0, 0, 2)
    );
    assert!(report.transitions.is_empty() && report.loops.is_empty() && report.other.is_none());
    assert!((report.touchpoints[0].pagerank - 0.5).abs() < 1e-12);
    assert_eq!(report.graph().to_mermaid().lines().count(), 3);
}

#[test]
fn many_names_are_counted_like_few() {
    // Names beyond the table's width go through a map; each follows the one before.
    let rows: Vec<(&str, i64, String)> = (0..3_000)
        .map(|i| ("c", i, format!("n{:04}", i % 1_500)))
        .collect();
    let log = Log::from_rows(rows.iter().map(|(c, t, e)| (*c, *t, e))).unwrap();
    let report = cut(&log, None).run(&Transitions::top(2)).unwrap();
    assert_eq!((report.count, report.distinct), (2_999, 1_500));
    let first = &report.transitions[0];
    assert_eq!(
        (&*first.from, &*first.to, first.count),
        ("n0000", "n0001", 2)
    );
    assert_eq!(
        report.other.map(|o| (o.distinct, o.count)),
        Some((1_498, 2_995))
    );
    assert_eq!(report.loops[0].kind, LoopKind::Component);
    assert_eq!(
        (report.loops[0].touchpoints.len(), report.loops[0].count),
        (1_500, 2_999)
    );
}

#[test]
fn hostile_names_stay_text_in_dot_and_mermaid() {
    let hostile = [
        r#"a"]; evil -> x [label=""#,
        r"back\",
        "line\nbreak\u{7}",
        "<script>alert(1)</script>",
        "end",
        "%%{init: {}}%%",
        "&quot;#quot;",
        "ok name",
    ];
    let log = Log::from_rows((0..).zip(hostile).map(|(t, name)| ("c", t, name))).unwrap();
    let graph = cut(&log, None)
        .run(&Transitions::default())
        .unwrap()
        .graph();
    let (dot, mermaid) = (graph.to_dot(), graph.to_mermaid());
    // Eight nodes, seven edges, and a frame: nothing a name holds begins a line of its own.
    assert_eq!(dot.lines().count(), 3 + 8 + 7 + 1);
    assert_eq!(mermaid.lines().count(), 1 + 8 + 7);
    for line in dot.lines().filter(|l| l.contains("label=")) {
        let text = line.split_once("label=\"").unwrap().1;
        let mut escaped = false;
        let closed = text.find(|c| {
            let end = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            end
        });
        let rest = &text[closed.unwrap() + 1..];
        assert!(rest == "];" || rest.starts_with(", weight="), "{line}");
    }
    for line in mermaid.lines().filter(|l| l.contains("[\"")) {
        assert_eq!(line.matches('"').count(), 2, "{line}");
        assert!(!line.contains("<script") && !line.contains("%%"), "{line}");
    }
    assert!(mermaid.contains(r#"["ok name<br/>1"]"#));
    assert!(dot.contains(r#"[label="back\\\n1"]"#), "{dot}");
    assert!(mermaid.contains("#60;script#62;"));
}

#[test]
fn questions_that_make_no_sense_are_refused() {
    let j = letters(&["ab"]);
    let message = |spec: Transitions| j.run(&spec).map(|_| ()).unwrap_err().to_string();
    assert_eq!(
        message(Transitions::top(0)),
        "`top` of transitions: 0 transitions cannot be listed; use 1 or more"
    );
    assert!(message(Transitions::default().level(0.0)).contains("`level` of transitions"));
}
