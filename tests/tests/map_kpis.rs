//! The numbers that a map watches, at their places: tiny logs whose numbers are counted by hand.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use desireline_core::engine::Exec;
use desireline_core::journey::JourneyRule;
use desireline_core::log::Log;
use desireline_core::map::{Form, JourneyMap, MapFile};
use desireline_core::overlay::report::{KpiMeasure, OverlayReport};
use desireline_core::overlay::{KpiSources, Overlay, measured};
use desireline_core::report::Report as _;
use desireline_report::svg::MapPicture;

const HOUR: i64 = 3_600_000_000;
const DAY: i64 = 24 * HOUR;

/// A map of two stages; `rest` begins with its touchpoints.
fn map(rest: &str) -> JourneyMap {
    let text = format!(
        "\
schema: 1
id: m
title: M
version: 1.0.0
kind: actual
status: draft
as_of: 2026-01-01
owner: o
stakeholders: [{{id: o, name: O}}]
checks: {{min_n: 1}}
stages: [{{id: look, name: Look, steps: [{{id: reads, action: reads}}]}}, {{id: buy, name: Buy}}, {{id: care, name: Care}}]
{rest}"
    );
    let file = MapFile::read(&text, Form::Yaml).unwrap_or_else(|e| panic!("{}", e.snippets(&text)));
    file.map().clone()
}

fn log<'a>(rows: impl IntoIterator<Item = (&'a str, i64, &'a str)>) -> Log {
    Log::from_rows(rows).unwrap()
}

fn report(map: &JourneyMap, log: &Log, how: &Overlay, sources: &KpiSources) -> OverlayReport {
    let journeys = log.journeys(JourneyRule::gap("30m").unwrap()).unwrap();
    measured(map, &journeys, how, sources, &Exec::new()).unwrap()
}

fn by_id(report: &OverlayReport) -> BTreeMap<&str, &KpiMeasure> {
    let all = report.kpis.as_deref().unwrap();
    all.iter().map(|k| (k.id.as_str(), k)).collect()
}

fn value(report: &OverlayReport, id: &str) -> (f64, u64) {
    let row = by_id(report)[id];
    let hole = row.hole.as_deref().unwrap_or("no reason");
    (
        row.value.unwrap_or_else(|| panic!("{id}: {hole}")).value,
        row.n,
    )
}

#[test]
fn two_kpis_of_one_name_at_one_place_show_their_own_numbers() {
    let map = map("\
touchpoints:
  - {id: page, name: Page, stages: [look], binding: view}
  - {id: till, name: Till, stages: [buy], binding: purchase}
kpis:
  - {id: to-cart, kpi: conversion, at: look, params: {goal: cart, within: 1h}, target: {op: '>=', value: 0.1}}
  - {id: to-purchase, kpi: conversion, at: look, params: {goal: purchase, within: 1h}, target: {op: '>=', value: 0.9, by: 2026-12-31}}
");
    let names: Vec<String> = (0..40).map(|c| format!("c{c}")).collect();
    let mut rows = Vec::new();
    for (c, id) in names.iter().enumerate() {
        rows.push((id.as_str(), 0, "view"));
        if c < 30 {
            rows.push((id.as_str(), 60_000_000, "cart"));
        }
        if c < 10 {
            rows.push((id.as_str(), 120_000_000, "purchase"));
        }
    }
    rows.push(("late", 2 * DAY, "other"));
    let report = report(&map, &log(rows), &Overlay::new(), &KpiSources::default());
    assert_eq!(value(&report, "to-cart"), (0.75, 40));
    assert_eq!(value(&report, "to-purchase"), (0.25, 40));
    let picture = MapPicture::of(&map, Some(&report));
    let drawn: Vec<(f64, &str)> = picture.stages[0]
        .kpis
        .iter()
        .map(|k| (k.value.unwrap().value, k.wanted.as_str()))
        .collect();
    assert_eq!(
        drawn,
        [(0.75, "≥ 10.0 %"), (0.25, "≥ 90.0 % by 2026-12-31")]
    );
    let table = report
        .tables()
        .into_iter()
        .find(|t| t.name == "kpis")
        .unwrap();
    assert_eq!(table.columns[0].name, "id");
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["kpis"][1]["id"], "to-purchase");
    assert_eq!(json["kpis"][1]["target"], ">= 0.9 by 2026-12-31");
}

#[test]
fn per_chooses_what_is_counted_or_says_why_not() {
    let map = map("\
touchpoints:
  - {id: page, name: Page, stages: [look], binding: view}
kpis:
  - {id: people, kpi: conversion, at: look, params: {goal: purchase, within: 1h}}
  - {id: visits, kpi: conversion, at: look, per: session, params: {goal: purchase, within: 1h}}
  - {id: carts, kpi: cart_abandonment, per: session, params: {cart: view, purchase: purchase, within: 1h}}
");
    // Two journeys, and the second one buys.
    let mut rows = vec![("late", 9 * DAY, "other")];
    for id in ["a", "b"] {
        rows.extend([
            (id, 0, "view"),
            (id, 3 * HOUR, "view"),
            (id, 3 * HOUR + 1, "purchase"),
        ]);
    }
    let report = report(&map, &log(rows), &Overlay::new(), &KpiSources::default());
    assert_eq!(value(&report, "people"), (0.0, 2));
    assert_eq!(value(&report, "visits"), (0.5, 4));
    assert_eq!(
        by_id(&report)["carts"].hole.as_deref(),
        Some("cart_abandonment cannot be counted by session: it counts by order")
    );
}
