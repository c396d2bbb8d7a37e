//! Which instructions a processor has, and how many threads are used, shows in no report.
#![allow(clippy::unwrap_used)]

use desireline_core::analyses::Funnel;
use desireline_core::engine::{Breakdown, DynAnalysis, Exec};
use desireline_core::journey::JourneyRule;
use desireline_core::registry::{ANALYSES, FieldKind};
use desireline_core::time::TimeSpan;
use desireline_io::simulate::Simulation;
use desireline_kernels::{Level, limit};
use serde_json::{Value, json};

/// Each analysis plain and by device; a funnel of common steps and one with a step that hardly anybody takes.
fn analyses() -> Vec<Box<dyn DynAnalysis>> {
    let mut all: Vec<Box<dyn DynAnalysis>> = Vec::new();
    for entry in ANALYSES {
        let mut spec: Value = json!({});
        for field in entry.fields() {
            spec[&field.name] = match &field.kind {
                FieldKind::Expression => json!("purchase"),
                FieldKind::List(kind) if **kind == FieldKind::Expression => {
                    json!(["product_view", "add_to_cart", "checkout"])
                }
                _ => continue,
            };
        }
        all.push(entry.analysis(spec.clone()).unwrap());
        all.push(entry.by(spec, Breakdown::by("device")).unwrap());
    }
    all.push(Box::new(
        Funnel::steps(["reviews", "return_request"]).within("7d"),
    ));
    all
}

#[test]
fn instructions_and_threads_do_not_show() {
    // More than one block and many morsels, bots among the customers.
    let log = Simulation::shop(20_000).prepare().unwrap().log().unwrap();
    let half_an_hour = TimeSpan::from_micros(30 * 60 * 1_000_000);
    let mut told: Option<(String, Level)> = None;
    let mut used = Vec::new();
    for most in [Level::Scalar, Level::Avx2, Level::Avx512] {
        let level = limit(most);
        if used.contains(&level) {
            continue;
        }
        used.push(level);
        for threads in [1, 2, 8] {
            let exec = Exec::new().threads(threads).unwrap();
            let mut all = Vec::new();
            for rule in [
                JourneyRule::gap(half_an_hour).unwrap(),
                JourneyRule::column("session_id"),
                JourneyRule::customer(),
            ] {
                let journeys = log.journeys(rule).unwrap();
                for answer in journeys.run_dyn(&analyses(), &exec).unwrap() {
                    all.push(answer.report.to_json().unwrap());
                    all.push(json!(answer.provenance));
                }
            }
            let all = serde_json::to_string(&all).unwrap();
            let (first, with) = told.get_or_insert_with(|| (all.clone(), level));
            assert!(
                *first == all,
                "{level:?} on {threads} threads and {with:?} on 1 differ"
            );
        }
    }
    assert!(used.contains(&Level::Scalar));
}
