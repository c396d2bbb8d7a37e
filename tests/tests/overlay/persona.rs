//! A map measured for one persona says what it says of a log that holds nobody else.

use std::collections::BTreeSet;
use std::sync::Arc;

use desireline_core::engine::Exec;
use desireline_core::expr::Expr;
use desireline_core::feedback::{Feedback, FeedbackRow, Question};
use desireline_core::journey::JourneyRule;
use desireline_core::map::{
    At, Binding, Compare, CustomerGoal, Expectation, GoalKind, JourneyMap, KpiBinding, MapKind,
    Persona, Promise, Quantity, Stage, Touchpoint,
};
use desireline_core::overlay::report::OverlayReport;
use desireline_core::overlay::{KpiSources, Overlay, measured};
use desireline_core::time::TimeSpan;
use desireline_tests::random_log::{GAP, Row, build_until, rows};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::empty;

fn when(name: &str) -> Expr {
    Expr::parse(&format!("event == \"{}\"", name.replace('"', "\\\""))).unwrap()
}

/// Touchpoint `t<i>` takes the events of one name, in stage `s<i mod 3>`; promises of every kind, KPIs that count in different ways.
fn map(names: &[String]) -> JourneyMap {
    let touchpoints = names.iter().enumerate().map(|(i, name)| {
        Touchpoint::new(format!("t{i}"), "T")
            .binding(Binding::new(when(name)))
            .stages([format!("s{}", i % 3).as_str()])
    });
    let promised = |id: &str, at: At, metric: &str, wanted: Quantity| {
        let promise = Promise::new(metric, Compare::AtMost, wanted);
        Expectation::new(id, at, "E").promise(promise)
    };
    let part = |id: &str| At::Part(id.into());
    let span = Quantity::Span(TimeSpan::from_micros(GAP));
    let half = Quantity::Number(0.5);
    let last = format!("t{}", names.len() - 1);
    empty(MapKind::Actual)
        .stages((0..3).map(|i| Stage::new(format!("s{i}"), "S")))
        .touchpoints(touchpoints.collect::<Vec<_>>())
        .goals([CustomerGoal::new("g", "G", GoalKind::Functional).success(when(&names[0]))])
        .personas([Persona::new("q", "Q").member(when(&names[names.len() / 2]))])
        .expectations([
            promised("stage", part("s0"), "time_on_stage", span),
            promised("touchpoint", part("t0"), "time_on_stage", span),
            promised("leave", part("t0"), "dropoff", half),
            promised("bounce", part(&last), "bounce_rate", half),
            promised("glad", part("t0"), "csat", half),
            promised("asked", part("t0"), "feedback_coverage", half),
        ])
        .kpis([
            KpiBinding::new("reach", "reach").at("t0"),
            KpiBinding::new("back", "rework").at(last.as_str()),
            KpiBinding::new("glad", "csat"),
            KpiBinding::new("sessions", "engagement"),
        ])
}

type Said = (String, i32, i64);

fn answers(said: &[Said]) -> Feedback {
    let mut builder = Feedback::builder([Question::csat("csat").about("t0")]).unwrap();
    for (customer, score, time) in said {
        let row = FeedbackRow::new(customer.as_str(), "csat").score(*score);
        builder.push(&row.time(*time)).unwrap();
    }
    builder.finish().unwrap()
}

#[test]
fn one_persona_is_as_if_there_were_nobody_else() {
    let mut compared = 0;
    for seed in 0..300 {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let all = rows(seed % 400);
        let mut names: Vec<String> = all.iter().map(|r| r.event.clone()).collect();
        names.sort();
        names.dedup();
        let map = map(&names);
        let member = &names[names.len() / 2];
        let members: BTreeSet<&str> = all
            .iter()
            .filter(|r| r.event == *member)
            .map(|r| r.customer.as_str())
            .collect();
        let theirs: Vec<Row> = all
            .iter()
            .filter(|r| members.contains(r.customer.as_str()))
            .cloned()
            .collect();
        // A name that only others have would be unknown there.
        if names.iter().any(|n| theirs.iter().all(|r| r.event != *n)) {
            continue;
        }
        let times: Vec<i64> = all.iter().map(|r| r.time).collect();
        let said: Vec<Said> = (0..rng.random_range(0..20))
            .map(|_| {
                let time = times[rng.random_range(0..times.len())] + rng.random_range(0..GAP);
                let row = &all[rng.random_range(0..all.len())];
                (row.customer.clone(), rng.random_range(1..6), time)
            })
            .collect();
        let own: Vec<Said> = said
            .iter()
            .filter(|s| members.contains(s.0.as_str()))
            .cloned()
            .collect();
        let until = times.iter().max().unwrap() + 5 * GAP;
        let run = |rows: &[Row], said: &[Said], how: &Overlay| -> OverlayReport {
            let log = build_until(rows, Some(until)).unwrap();
            let rule = JourneyRule {
                gap: Some(TimeSpan::from_micros(GAP)),
                ..JourneyRule::default()
            };
            let journeys = log.journeys(rule).unwrap();
            let sources = KpiSources {
                answers: Some(Arc::new(answers(said))),
                ..KpiSources::default()
            };
            let exec = Exec::new().threads(1 + seed as usize % 2).unwrap();
            measured(&map, &journeys, how, &sources, &exec).unwrap()
        };
        let how = Overlay::new()
            .min_n(1)
            .returns_within(TimeSpan::from_micros(2 * GAP));
        let lens = run(&all, &said, &how.clone().persona("q"));
        let alone = run(&theirs, &own, &how);
        let told = format!("seed {seed}");
        assert_eq!(lens.base.journeys, alone.base.journeys, "{told}");
        assert_eq!(lens.promises, alone.promises, "{told}");
        assert_eq!(lens.kpis, alone.kpis, "{told}");
        assert_eq!(lens.returns, alone.returns, "{told}");
        assert_eq!(lens.responders, alone.responders, "{told}");
        compared += usize::from(theirs.len() < all.len());
    }
    assert!(compared > 30, "{compared}");
}
