#![allow(clippy::unwrap_used)]
use super::*;
use crate::journey::JourneyRule;
use crate::log::Log;
use crate::map::{Form, MapFile};

const MAP: &str = "\
schema: 1
id: m
title: M
version: 1.0.0
kind: actual
status: draft
as_of: 2026-01-01
owner: o
stakeholders: [{id: o, name: O}]
stages: [{id: look, name: Look}, {id: buy, name: Buy}]
touchpoints:
  - {id: page, name: Page, stages: [look], binding: view}
  - {id: basket, name: Basket, stages: [buy], binding: cart}
  - {id: pay, name: Pay, stages: [buy], binding: purchase}
  - {id: gone, name: Gone, stages: [look], binding: zoom}
goals: [{id: g, text: G, kind: functional, success: purchase}]
kpis:
  - {id: a, kpi: cart_abandonment, params: {cart: cart, purchase: purchase, within: 1d}, target: {op: '<=', value: 0.3}, alert: {op: '>', value: 0.7}}
  - {id: b, kpi: conversion, at: page, params: {within: 1d}, target: {op: '>=', value: 0.05}}
  - {id: c, kpi: reach, at: basket}
  - {id: d, kpi: K17, at: look, target: {op: '<', value: 1h}}
  - {id: e, kpi: nps}
  - {id: f, kpi: reach, at: gone}
  - {id: h, kpi: happiness, definition: Own, unit: score}
  - {id: i, kpi: dropoff, at: basket, params: {returns_within: 1h}, target: {op: '<', value: 0.5}}
  - {id: j, kpi: revenue, target: {op: '>', value: 5 EUR}}
  - {id: k, kpi: door, at: page, source: store, definition: Visitors, unit: count, target: {op: '>=', value: 100}}
";

#[test]
fn every_binding_has_a_number_or_a_reason() {
    const HOUR: i64 = 3_600_000_000;
    let file = MapFile::read(MAP, Form::Yaml).unwrap_or_else(|e| panic!("{}", e.snippets(MAP)));
    let mut rows: Vec<(String, i64, &str)> = Vec::new();
    for c in 0..200 {
        let id = format!("c{c}");
        rows.push((id.clone(), 0, "view"));
        if c < 100 {
            rows.push((id.clone(), HOUR / 2, "cart"));
        }
        if c < 20 {
            rows.push((id, HOUR, "purchase"));
        }
    }
    rows.push(("last".to_owned(), 100 * HOUR, "other"));
    let log = Log::from_rows(rows.iter().map(|(c, t, e)| (c.as_str(), *t, *e))).unwrap();
    let journeys = log.journeys(JourneyRule::customer()).unwrap();
    let how = Overlay::new();
    let store = ExternalTable::new("store").numbers("door", [Some(120.0), None, Some(80.0)]);
    let sources = KpiSources {
        tables: vec![Arc::new(store)],
        ..KpiSources::default()
    };
    let all = measure_kpis(file.map(), &journeys, &how, &sources, &Exec::new()).unwrap();
    let by: BTreeMap<&str, &KpiMeasure> = file
        .map()
        .kpis
        .iter()
        .zip(&all)
        .map(|(k, row)| (k.id.as_str(), row))
        .collect();
    let value = |id: &str| by[id].value.unwrap().value;
    assert_eq!(
        (value("a"), by["a"].met, by["a"].alert),
        (0.8, Some(false), Some(true))
    );
    assert_eq!(by["a"].target.as_deref(), Some("<= 0.3"));
    // One in ten of those who saw the page; the interval lies above the target.
    assert_eq!((value("b"), by["b"].met), (0.1, Some(true)));
    assert_eq!(value("c"), 100.0);
    // Half moved on after half an hour, and how many do is known too little to say when half of all have.
    assert!(by["d"].value.is_some() || by["d"].hole.is_some());
    assert!(by["e"].hole.as_deref().unwrap().contains("feedback"));
    assert_eq!(
        by["f"].hole.as_deref(),
        Some("no event of this log is bound to `gone`")
    );
    assert!(by["h"].hole.is_some());
    assert_eq!((value("i"), by["i"].met), (0.8, Some(false)));
    assert!(by["j"].hole.as_deref().unwrap().contains("money"));
    assert_eq!((value("k"), by["k"].met), (200.0, Some(true)));
    assert!(
        all.iter()
            .all(|row| row.value.is_some() != row.hole.is_some())
    );
}

const DAY: i64 = 86_400_000_000;

/// A map with these lines behind its parts.
fn map_with(more: &str) -> MapFile {
    let head = MAP.split("kpis:").next().unwrap();
    let text = format!("{head}{more}");
    MapFile::read(&text, Form::Yaml).unwrap_or_else(|e| panic!("{}", e.snippets(&text)))
}

fn journeys_of(rows: &[(String, i64, &str)]) -> Journeys {
    let log = Log::from_rows(rows.iter().map(|(c, t, e)| (c.as_str(), *t, *e))).unwrap();
    log.journeys(JourneyRule::gap("1h").unwrap()).unwrap()
}

fn measured_by(file: &MapFile, journeys: &Journeys, sources: &KpiSources) -> Vec<KpiMeasure> {
    measure_kpis(file.map(), journeys, &Overlay::new(), sources, &Exec::new()).unwrap()
}

#[test]
fn the_scope_of_a_map_holds_for_its_kpis() {
    // From the eleventh to the twentieth day: twenty a day fill a cart, in the window one in four of them buys, before and after it all do.
    let mut rows: Vec<(String, i64, &str)> = Vec::new();
    for c in 0..600 {
        let (id, at) = (format!("c{c:03}"), c / 20 * DAY + c % 20 + 1);
        rows.push((id.clone(), at, "human"));
        rows.push((id.clone(), at, "cart"));
        // What staff put into a cart is excluded.
        rows.push((format!("staff{c:03}"), at, "human"));
        rows.push((format!("staff{c:03}"), at, "staff_cart"));
        let inside = (10..20).contains(&(c / 20));
        if !inside || c % 4 == 0 {
            rows.push((id.clone(), at + DAY / 48, "purchase"));
        }
        // Robots fill carts, too.
        rows.push((format!("robot{c:03}"), at, "cart"));
        // Who left something in the window buys it after the window: that is not known by then.
        if inside && c / 20 == 19 && c % 4 == 1 {
            rows.push((id, at + 2 * DAY, "purchase"));
        }
    }
    let journeys = journeys_of(&rows);
    let kpis = "kpis:
  - {id: a, kpi: cart_abandonment, params: {cart: 'event in [\"cart\", \"staff_cart\"]', purchase: purchase, within: 1h}}
  - {id: b, kpi: reach, at: basket}
  - {id: c, kpi: acquisition, params: {purchase: purchase}}
  - {id: d, kpi: K03, params: {purchase: purchase, variant: cac}}
  - {id: e, kpi: conversion, at: basket, params: {within: 5d}}
";
    let scope = "scope:
  window: {from: 1970-01-11, to: 1970-01-21}
  segment: human
  exclude: [{text: staff, when: staff_cart}]
";
    let days = (1..=30).map(|d| crate::map::Date::new(1970, 1, d).unwrap());
    let spend = ExternalTable::new("ads")
        .dates(days)
        .numbers("spend", (0..30).map(|_| Some(5.0)));
    let sources = KpiSources {
        tables: vec![Arc::new(spend)],
        ..KpiSources::default()
    };
    let all = measured_by(&map_with(kpis), &journeys, &sources);
    // People, staff and robots; those of the last hour are too young.
    assert_eq!((all[0].n, all[1].value.unwrap().value), (1_740, 1_200.0));
    let file = map_with(&format!("{scope}{kpis}"));
    let inside = measured_by(&file, &journeys, &sources);
    // 200 people, of whom 50 buy.
    assert_eq!((inside[0].n, inside[0].value.unwrap().value), (200, 0.75));
    assert_eq!(inside[1].value.unwrap().value, 200.0);
    assert_eq!(inside[2].value.unwrap().value, 50.0);
    // Ten days of spend, not thirty.
    assert_eq!(inside[3].value.unwrap().value, 100.0 * 50.0 / 50.0);
    // Five days before the end of the window it is not yet known.
    assert_eq!((inside[4].n, inside[4].value.unwrap().value), (100, 0.25));
}

#[test]
fn an_alert_that_has_to_last_is_about_days() {
    // Of twenty carts a day none is bought on the last three days, and half of them before; the end of the log makes the last day whole.
    let mut rows: Vec<(String, i64, &str)> = Vec::new();
    for c in 0..200 {
        let (id, at) = (format!("c{c:03}"), c / 20 * DAY + c % 20);
        rows.push((id.clone(), at, "cart"));
        if c < 140 && c % 2 == 0 {
            rows.push((id, at + 100, "purchase"));
        }
    }
    rows.push(("last".to_owned(), 10 * DAY, "other"));
    let journeys = journeys_of(&rows);
    let kpi = |id: &str, lasting: &str| {
        format!(
            "  - {{id: {id}, kpi: cart_abandonment, params: {{cart: cart, purchase: purchase, within: 1h}}, alert: {{op: '>', value: 0.6{lasting}}}}}\n"
        )
    };
    let own = "  - {id: o, kpi: door, source: store, definition: Visitors, unit: count, alert: {op: '<', value: 10, lasting: 2d}}
  - {id: p, kpi: lifetime_value, params: {purchase: purchase}, alert: {op: '<', value: 1 EUR, lasting: 2d}}
";
    let file = map_with(&format!(
        "kpis:\n{}{}{}{}{own}",
        kpi("a", ""),
        kpi("b", ", lasting: 3d"),
        kpi("c", ", lasting: 4d"),
        kpi("d", ", lasting: 60d"),
    ));
    let days = (1..=3).map(|d| crate::map::Date::new(1970, 1, d).unwrap());
    let store = ExternalTable::new("store")
        .dates(days)
        .numbers("door", [40.0, 5.0, 3.0].map(Some));
    let sources = KpiSources {
        tables: vec![Arc::new(store)],
        ..KpiSources::default()
    };
    let all = measured_by(&file, &journeys, &sources);
    // Over all of the log .65 are left behind.
    assert!((all[0].value.unwrap().value - 0.65).abs() < 1e-12);
    let alerts: Vec<Option<bool>> = all.iter().map(|row| row.alert).collect();
    assert_eq!(alerts[..3], [Some(true), Some(true), Some(false)]);
    // For how many days in a row, and of how many it takes.
    let runs: Vec<Option<(u64, Option<u64>)>> = all
        .iter()
        .map(|row| row.alert_run.map(|r| (r.periods, r.wanted)))
        .collect();
    let (three, two) = (Some((3, Some(3))), Some((2, Some(2))));
    assert_eq!(runs[..3], [None, three, Some((3, Some(4)))]);
    // Of so many weeks there are not enough; the last one is not whole.
    assert_eq!(runs[3].and_then(|r| r.1), None);
    assert_eq!((runs[4], runs[5]), (two, None));
    // Measured by day, an alert that need not last says so, too; what it says over all stays.
    let by_day = Overlay::new().by_period(CalendarUnit::Day);
    let daily = measure_kpis(file.map(), &journeys, &by_day, &sources, &Exec::new()).unwrap();
    let first = daily[0].alert_run.unwrap();
    assert_eq!(
        (first.unit, first.periods, first.wanted),
        (PeriodLength::Day, 3, None)
    );
    assert_eq!(
        (daily[0].alert, daily[1].alert_run),
        (alerts[0], all[1].alert_run)
    );
    // Nobody has watched for so long.
    assert!(alerts[3].is_none() && all[3].value.is_some());
    // 48 in all, and fewer than ten on each of the last two days.
    assert_eq!((alerts[4], all[4].value.unwrap().value), (Some(true), 48.0));
    // A model has no series: the alert is left open, and the value not lost for it.
    assert_eq!(alerts[5], None);
    assert!(
        !all[5].hole.as_deref().unwrap().contains("series"),
        "{:?}",
        all[5].hole
    );
}

#[test]
fn answers_count_where_they_were_given() {
    use crate::feedback::{FeedbackRow, Question};
    let mut rows: Vec<(String, i64, &str)> = Vec::new();
    let mut builder =
        Feedback::builder([Question::csat("satisfied"), Question::nps("recommend")]).unwrap();
    for c in 0..60_i64 {
        let id = format!("c{c:02}");
        rows.push((id.clone(), 0, "view"));
        rows.push((id.clone(), DAY, "cart"));
        // After the page they are content, after the basket every third is; by time, and one question declares its place.
        let row = |time: i64, good: bool| {
            FeedbackRow::new(id.as_str(), "satisfied")
                .score(if good { 5 } else { 1 })
                .time(time)
        };
        builder.push(&row(1_000, true)).unwrap();
        builder.push(&row(DAY + 1_000, c % 3 == 0)).unwrap();
        let promotes = if c < 30 { 10 } else { 0 };
        builder
            .push(
                &FeedbackRow::new(id.as_str(), "recommend")
                    .score(promotes)
                    .about("pay"),
            )
            .unwrap();
    }
    let journeys = journeys_of(&rows);
    let kpis = "kpis:
  - {id: a, kpi: csat}
  - {id: b, kpi: csat, at: page}
  - {id: c, kpi: csat, at: buy, target: {op: '>=', value: 0.9}}
  - {id: d, kpi: nps, at: pay}
  - {id: e, kpi: nps, at: page}
  - {id: f, kpi: feedback_coverage, at: page}
";
    let sources = KpiSources {
        answers: Some(Arc::new(builder.finish().unwrap())),
        ..KpiSources::default()
    };
    let all = measured_by(&map_with(kpis), &journeys, &sources);
    let said: Vec<(u64, Option<f64>)> = all
        .iter()
        .map(|row| (row.n, row.value.map(|e| (e.value * 1e6).round() / 1e6)))
        .collect();
    assert_eq!(said[0], (120, Some(0.666_667)));
    assert_eq!(said[1], (60, Some(1.0)));
    assert_eq!((said[2], all[2].met), ((60, Some(0.333_333)), Some(false)));
    assert_eq!(said[3], (60, Some(0.0)));
    assert_eq!((said[4].1, all[4].hole.is_some()), (None, true));
    assert_eq!(said[5], (60, Some(1.0)));
    // Without answers each says what it needs.
    let none = measured_by(&map_with(kpis), &journeys, &KpiSources::default());
    assert!(
        none.iter()
            .all(|row| row.value.is_none() && row.hole.is_some())
    );
}
