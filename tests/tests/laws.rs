//! The laws of the contract, for every analysis of the registry: plain, broken down and compared, by attribute and by segment, over journeys cut
//! and selected in several ways.
//!
//! A new analysis is under these laws before its author writes a test; its question is made from its schema.
#![allow(clippy::unwrap_used)]

use desireline_core::Result;
use desireline_core::compare::Comparison;
use desireline_core::engine::{
    Breakdown, DynAnalysis, DynAnswer, Exec, Segment, finish_sealed, merge_sealed,
};
use desireline_core::expr::Expr;
use desireline_core::journey::{JourneyRule, Journeys};
use desireline_core::registry::{ANALYSES, Entry, FieldKind, from_spec};
use desireline_core::time::TimeSpan;
use desireline_tests::random_log::{GAP, Row, build, build_until, rows};
use serde_json::{Value, json};

/// Random logs per analysis and law.
const LOGS: u64 = 300;

/// An event's name as an expression.
fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('\\', "\\\\").replace('`', "\\`"))
}

/// A question for any analysis: its required fields, of whatever kind, and a few of the others.
fn question(entry: &Entry, names: &[&str]) -> Value {
    let name = |i: usize| json!(quoted(names[i % names.len()]));
    let mut spec = json!({});
    for field in entry.fields() {
        let value = match &field.kind {
            FieldKind::Expression => name(0),
            FieldKind::List(kind) if **kind == FieldKind::Expression => json!([name(1), name(0)]),
            FieldKind::TimeSpan => json!("2s"),
            _ => continue,
        };
        spec[&field.name] = value;
    }
    spec
}

fn names(rows: &[Row]) -> Vec<&str> {
    let mut names: Vec<&str> = rows.iter().map(|r| r.event.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Every analysis, by itself, group by group, and compared between groups.
fn analyses(rows: &[Row]) -> Vec<Box<dyn DynAnalysis>> {
    let names = names(rows);
    let segments = || Breakdown::Segments {
        segments: names
            .iter()
            .take(2)
            .map(|name| Segment::new(*name, Expr::parse(&quoted(name)).unwrap()))
            .collect(),
    };
    // With so little data most would be withheld.
    let compared = |groups: Breakdown| {
        let mut how = Comparison::new(groups).stratify("channel");
        how.min_n = 1;
        how
    };
    let mut all = Vec::new();
    for entry in ANALYSES {
        let spec = question(entry, &names);
        all.push(entry.analysis(spec.clone()).unwrap());
        all.push(entry.by(spec.clone(), Breakdown::by("channel")).unwrap());
        all.push(entry.by(spec.clone(), segments()).unwrap());
        if !entry.is_comparable() {
            continue;
        }
        let by_channel = compared(Breakdown::by("channel")).all_pairs();
        all.push(entry.compare(spec.clone(), by_channel).unwrap());
        all.push(entry.compare(spec, compared(segments())).unwrap());
    }
    all
}

fn gap() -> JourneyRule {
    JourneyRule::gap(TimeSpan::from_micros(GAP)).unwrap()
}

/// How journeys are cut and selected, and for how long after the last event customers are observed.
const WAYS: u64 = 9;

/// One of the ways; the selections are by the first event's name.
fn journeys(rows: &[Row], way: u64) -> Journeys {
    let later = [0, 1, GAP, 20 * GAP][(way % 4) as usize];
    let last = rows.iter().map(|r| r.time).max().unwrap();
    let log = build_until(rows, Some(last + later)).unwrap();
    let name = quoted(names(rows)[0]);
    let other = format!("not {name}");
    let journeys = |rule| log.journeys(rule).unwrap();
    match way % WAYS {
        0 => journeys(gap()),
        1 => journeys(JourneyRule::customer()),
        2 => journeys(JourneyRule::customer().ends_at(&name).unwrap()),
        3 => journeys(JourneyRule::column("channel")),
        4 => journeys(gap()).keep_events(&other).unwrap(),
        5 => journeys(gap()).keep_journeys(&name).unwrap(),
        6 => log.keep_events(&other).unwrap().journeys(gap()).unwrap(),
        7 => journeys(JourneyRule::customer())
            .keep_events(&other)
            .unwrap()
            .keep_journeys("channel == \"web\"")
            .unwrap(),
        _ => journeys(gap())
            .keep_journeys(&name)
            .unwrap()
            .keep_events(&other)
            .unwrap(),
    }
}

/// All that a reader sees: report, caveats, tables, provenance.
fn bytes(answer: &DynAnswer) -> String {
    let tables = answer.report.tables();
    serde_json::to_string(&(
        &answer.spec,
        &answer.provenance,
        answer.report.to_json().unwrap(),
        tables,
    ))
    .unwrap()
}

/// The same, or the error: of a comparison in which only one group has journeys.
fn shown(answer: Result<DynAnswer>) -> String {
    answer.map_or_else(|error| error.to_string(), |answer| bytes(&answer))
}

fn answer(journeys: &Journeys, analysis: &dyn DynAnalysis, exec: &Exec) -> Result<DynAnswer> {
    let one = from_spec(analysis.name(), analysis.spec()).unwrap();
    Ok(journeys.run_dyn(&[one], exec)?.swap_remove(0))
}

fn run(journeys: &Journeys, analysis: &dyn DynAnalysis, exec: &Exec) -> String {
    shown(answer(journeys, analysis, exec))
}

#[test]
fn threads_do_not_show() {
    let execs: Vec<Exec> = [1, 2, 8]
        .iter()
        .map(|n| Exec::new().threads(*n).unwrap())
        .collect();
    for seed in 0..LOGS {
        let rows = rows(seed);
        let journeys = journeys(&rows, seed);
        for analysis in analyses(&rows) {
            let reports: Vec<String> = execs
                .iter()
                .map(|e| run(&journeys, &*analysis, e))
                .collect();
            assert!(
                reports.windows(2).all(|w| w[0] == w[1]),
                "{} of seed {seed}",
                analysis.name()
            );
        }
    }
}

#[test]
fn the_order_of_input_does_not_show_where_times_differ() {
    for seed in 0..LOGS {
        let mut rows = rows(seed);
        // Times that differ leave nothing for the input's order to decide.
        rows.sort();
        for (i, row) in rows.iter_mut().enumerate() {
            row.time += i64::try_from(i).unwrap();
        }
        let straight = journeys(&rows, seed);
        let mut turned = rows.clone();
        turned.reverse();
        let third = turned.len() / 3;
        turned.rotate_left(third);
        let turned = journeys(&turned, seed);
        for analysis in analyses(&rows) {
            let exec = Exec::default();
            assert_eq!(
                run(&straight, &*analysis, &exec),
                run(&turned, &*analysis, &exec),
                "{} of seed {seed}",
                analysis.name()
            );
        }
    }
}

#[test]
fn any_split_of_the_customers_in_any_order_gives_the_same_report() {
    let exec = Exec::default();
    for seed in 0..LOGS {
        let rows = rows(seed);
        let journeys = journeys(&rows, seed);
        let n = journeys.blocks().len();
        for analysis in analyses(&rows) {
            let whole = run(&journeys, &*analysis, &exec);
            let mut parts: Vec<Vec<u8>> = (0..n)
                .map(|b| journeys.seal(&*analysis, &[b], &exec).unwrap())
                .collect();
            let merge = |parts: &[Vec<u8>]| {
                let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
                merge_sealed(&parts, &from_spec).unwrap()
            };
            let straight = merge(&parts);
            assert_eq!(
                shown(finish_sealed(&straight, &from_spec)),
                whole,
                "{} of seed {seed}",
                analysis.name()
            );
            // Commutative, and associative: the other order, and merged parts merged again.
            parts.reverse();
            assert_eq!(
                merge(&parts),
                straight,
                "{} of seed {seed}: order",
                analysis.name()
            );
            let (left, right) = parts.split_at(n / 2);
            if !left.is_empty() && !right.is_empty() {
                assert_eq!(
                    merge(&[merge(left), merge(right)]),
                    straight,
                    "{} of seed {seed}: grouping",
                    analysis.name()
                );
            }
        }
    }
}

#[test]
fn locate_explains_every_count() {
    let exec = Exec::default();
    for seed in 0..LOGS * 3 {
        let rows = rows(seed);
        let journeys = journeys(&rows, seed);
        for analysis in analyses(&rows) {
            let counted = journeys.count_cells(&*analysis, &exec).unwrap();
            let located = journeys.count_located(&*analysis).unwrap();
            assert_eq!(located, counted, "{} of seed {seed}", analysis.name());
            for (cell, n) in counted {
                let members = journeys.members(&*analysis, &cell, usize::MAX).unwrap();
                assert_eq!(
                    members.len() as u64,
                    n,
                    "{cell} of {} of seed {seed}",
                    analysis.name()
                );
            }
        }
    }
}

#[test]
fn several_analyses_in_one_pass_answer_as_each_alone() {
    let exec = Exec::default();
    for seed in 0..LOGS {
        let rows = rows(seed);
        let journeys = journeys(&rows, seed);
        let possible = || {
            let mut all = analyses(&rows);
            all.retain(|analysis| answer(&journeys, &**analysis, &exec).is_ok());
            all
        };
        let together = journeys.run_dyn(&possible(), &exec).unwrap();
        for (answer, analysis) in together.iter().zip(possible()) {
            assert_eq!(
                bytes(answer),
                run(&journeys, &*analysis, &exec),
                "{} of seed {seed}",
                analysis.name()
            );
        }
    }
}

#[test]
fn a_report_can_be_asked_for_again_by_its_own_spec() {
    for seed in 0..LOGS / 10 {
        let rows = rows(seed);
        let journeys = journeys(&rows, seed);
        for analysis in analyses(&rows) {
            let Ok(first) = answer(&journeys, &*analysis, &Exec::default()) else {
                continue;
            };
            let text = first.spec.to_string();
            let again = from_spec(&first.analysis, serde_json::from_str(&text).unwrap()).unwrap();
            assert_eq!(
                bytes(&journeys.run_dyn(&[again], &Exec::default()).unwrap()[0]),
                bytes(&first)
            );
        }
    }
}

#[test]
fn damaged_or_foreign_parts_are_refused() {
    let rows = rows(7);
    let journeys = journeys(&rows, 0);
    let exec = Exec::default();
    for analysis in analyses(&rows) {
        let sealed = journeys.seal(&*analysis, &[0], &exec).unwrap();
        for length in 0..sealed.len() {
            assert!(finish_sealed(&sealed[..length], &from_spec).is_err());
        }
        for place in 0..sealed.len() {
            let mut broken = sealed.clone();
            broken[place] ^= 1 << (place % 8);
            assert!(
                finish_sealed(&broken, &from_spec).is_err(),
                "byte {place} of {}",
                analysis.name()
            );
        }
        assert!(
            merge_sealed(&[&sealed, &sealed], &from_spec).is_err(),
            "one block twice"
        );
        assert!(merge_sealed(&[], &from_spec).is_err());
        let foreign = desireline_tests::random_log::rows(8);
        let other = build(&foreign)
            .unwrap()
            .journeys(JourneyRule::customer())
            .unwrap();
        let other = other
            .seal(
                &*ANALYSES[0]
                    .analysis(question(&ANALYSES[0], &names(&foreign)))
                    .unwrap(),
                &[0],
                &exec,
            )
            .unwrap();
        assert!(
            merge_sealed(&[&sealed, &other], &from_spec).is_err(),
            "another log"
        );
    }
}

#[test]
fn a_budget_and_a_cancelled_token_are_typed_errors() {
    use desireline_core::Error;
    use desireline_core::engine::CancelToken;
    let rows = rows(3);
    let journeys = journeys(&rows, 0);
    for analysis in analyses(&rows) {
        let again = || vec![from_spec(analysis.name(), analysis.spec()).unwrap()];
        let cancelled = CancelToken::new();
        cancelled.cancel();
        let stopped = journeys.run_dyn(&again(), &Exec::new().cancel_with(cancelled));
        assert!(
            matches!(stopped, Err(Error::Cancelled { .. })),
            "{}",
            analysis.name()
        );
        let tight = journeys.run_dyn(&again(), &Exec::new().memory_budget(1));
        assert!(
            matches!(tight, Ok(_) | Err(Error::MemoryBudget { .. })),
            "{}",
            analysis.name()
        );
    }
    let transitions = ANALYSES
        .iter()
        .find(|e| e.name == "paths")
        .unwrap()
        .analysis(json!({}))
        .unwrap();
    assert!(matches!(
        journeys.run_dyn(&[transitions], &Exec::new().memory_budget(1)),
        Err(Error::MemoryBudget { .. })
    ));
}
