//! The numbers that a map watches, at their places: tiny logs whose numbers are counted by hand.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use desireline_core::engine::Exec;
use desireline_core::journey::JourneyRule;
use desireline_core::log::{AttributeType, EventRow, Log, LogBuilder, LogOptions};
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

/// The reviewer's case: 15 of 20 carts are bought in another journey, where nothing of the cart's stage happens.
#[test]
fn a_place_restricts_what_begins_there_and_not_what_follows() {
    let map = map("\
touchpoints:
  - {id: page, name: Page, stages: [look], binding: view}
  - {id: basket, name: Basket, stages: [buy], binding: cart}
  - {id: till, name: Till, stages: [care], binding: purchase or refund}
kpis:
  - {id: carts, kpi: cart_abandonment, params: {cart: cart, purchase: purchase, within: 1d}}
  - {id: carts-here, kpi: cart_abandonment, at: buy, params: {cart: cart, purchase: purchase, within: 1d}}
  - {id: carts-there, kpi: cart_abandonment, at: look, params: {cart: cart, purchase: purchase, within: 1d}}
  - {id: orders, kpi: goods_return, params: {order: purchase, return: refund, within: 1d}}
  - {id: orders-here, kpi: goods_return, at: till, params: {order: purchase, return: refund, within: 1d}}
  - {id: again, kpi: repeat_rate, params: {purchase: purchase, within: 2d}}
  - {id: again-here, kpi: repeat_rate, at: till, params: {purchase: purchase, within: 2d}}
  - {id: stays, kpi: retention, at: buy, params: {after: 2h}}
  - {id: won, kpi: acquisition, at: till, params: {purchase: purchase}}
  - {id: reaches, kpi: goal_completion, at: buy, params: {goal: purchase}}
  - {id: bounced, kpi: bounce_rate, at: look, params: {rule: ua}}
");
    let names: Vec<String> = (0..20).map(|c| format!("c{c}")).collect();
    let mut rows = vec![("late", 9 * DAY, "other")];
    for (c, id) in names.iter().enumerate() {
        let id = id.as_str();
        rows.extend([(id, 0, "view"), (id, 60_000_000, "cart")]);
        if c < 15 {
            rows.push((id, 3 * HOUR, "purchase"));
        }
        if c < 6 {
            rows.push((id, 5 * HOUR, "refund"));
        }
        if c < 3 {
            rows.push((id, 30 * HOUR, "purchase"));
        }
    }
    let report = report(&map, &log(rows), &Overlay::new(), &KpiSources::default());
    for id in ["carts", "carts-here"] {
        assert_eq!(value(&report, id), (0.25, 20), "{id}");
    }
    assert_eq!(
        by_id(&report)["carts-there"].hole.as_deref(),
        Some("nothing to measure: nothing that it counts begins at `look`")
    );
    for id in ["orders", "orders-here"] {
        assert_eq!(value(&report, id), (6.0 / 18.0, 18), "{id}");
    }
    for id in ["again", "again-here"] {
        assert_eq!(value(&report, id), (0.2, 15), "{id}");
    }
    // Of the twenty who filled a cart, those who were seen again two hours later, anywhere.
    assert_eq!(value(&report, "stays"), (0.75, 20));
    assert_eq!(value(&report, "won").0, 15.0);
    // Journeys that were at the cart; none of them holds a purchase.
    assert_eq!(value(&report, "reaches"), (0.0, 20));
    // Journeys that were at the page; each has a cart besides.
    assert_eq!(value(&report, "bounced"), (0.0, 20));
}

#[test]
fn a_conversion_says_itself_where_it_begins() {
    let map = map("\
touchpoints:
  - {id: page, name: Page, stages: [look], binding: view}
  - {id: till, name: Till, stages: [buy], binding: purchase}
kpis:
  - {id: own, kpi: conversion, at: buy, params: {entry: view, goal: purchase, within: 1d}}
");
    let rows = [
        ("a", 0, "view"),
        ("b", 0, "view"),
        ("b", 1, "purchase"),
        ("c", 9 * DAY, "other"),
    ];
    let report = report(&map, &log(rows), &Overlay::new(), &KpiSources::default());
    assert_eq!(value(&report, "own"), (0.5, 2));
}

#[test]
fn an_event_belongs_to_the_place_that_takes_it() {
    let map = map("\
touchpoints:
  - {id: click, name: Any click, stages: [look], binding: click}
  - {id: first, name: First click, stages: [buy], binding: {when: first(click), priority: 1}}
  - id: help
    name: Help
    stages: [look, {stage: care, when: 'after(purchase, 90d)'}]
    binding: help
kpis:
  - {id: clicks, kpi: reach, at: click}
  - {id: firsts, kpi: reach, at: first}
  - {id: look, kpi: reach, at: look}
  - {id: care, kpi: reach, at: care}
");
    // a clicks once: the other binding takes it. b clicks twice. c needs help before buying, d after it.
    let rows = [
        ("a", 0, "click"),
        ("b", 0, "click"),
        ("b", 1, "click"),
        ("c", 0, "help"),
        ("d", 0, "purchase"),
        ("d", 1, "help"),
    ];
    let report = report(&map, &log(rows), &Overlay::new(), &KpiSources::default());
    let n = |id: &str| value(&report, id).0;
    assert_eq!(
        (n("clicks"), n("firsts"), n("look"), n("care")),
        (1.0, 2.0, 2.0, 1.0)
    );
    let customers = |id: &str| {
        report
            .touchpoint(id)
            .unwrap()
            .cell
            .as_ref()
            .unwrap()
            .customers
    };
    assert_eq!((customers("click"), customers("first")), (1, 2));
    assert_eq!(report.stage("care").unwrap().cell.customers, 1);
}

#[test]
fn a_name_that_is_gone_drops_its_own_half_alone() {
    let map = map("\
touchpoints:
  - {id: basket, name: Basket, stages: [buy], binding: cart or basket_v2}
goals: [{id: g, text: G, kind: functional, success: purchase or order_v2}, {id: h, text: H, kind: functional, success: gone}]
kpis:
  - {id: reach, kpi: reach, at: basket}
  - {id: converts, kpi: conversion, at: basket, params: {within: 1d}}
");
    let rows = [
        ("a", 0, "cart"),
        ("b", 0, "cart"),
        ("b", 1, "purchase"),
        ("c", 9 * DAY, "other"),
    ];
    let report = report(&map, &log(rows), &Overlay::new(), &KpiSources::default());
    assert_eq!(value(&report, "reach").0, 2.0);
    assert_eq!(value(&report, "converts"), (0.5, 2));
}

#[test]
fn a_stage_is_left_for_those_after_it_in_their_own_order() {
    let text = "\
touchpoints:
  - {id: a, name: A, stages: [buy], binding: cart}
  - {id: b, name: B, stages: [look], binding: view}
  - {id: c, name: C, stages: [care], binding: help}
kpis:
  - {id: time, kpi: time_on_stage, at: look}
";
    let mut map = map(text);
    // The document says: buy, care, look. In truth looking follows buying, and care follows looking.
    map.stages.swap(0, 1);
    map.stages.swap(1, 2);
    map.stages[1].after = vec!["look".into()];
    map.stages[2].after = vec!["buy".into()];
    let names: Vec<String> = (0..30).map(|c| format!("c{c}")).collect();
    let mut rows = vec![("late", 9 * DAY, "other")];
    for (c, id) in (0..).zip(&names) {
        let id = id.as_str();
        let left = 180_000_000 + c * 1_000_000;
        rows.extend([
            (id, 0, "cart"),
            (id, 60_000_000, "view"),
            (id, left, "help"),
        ]);
    }
    let report = report(&map, &log(rows), &Overlay::new(), &KpiSources::default());
    let row = by_id(&report)["time"];
    assert_eq!(row.n, 30, "{:?}", row.hole);
    assert_eq!(row.value.unwrap().value, 134e6);
}

#[test]
fn a_step_and_a_channel_are_places_too() {
    let map = map("\
channels: [{id: web, kind: site_app}, {id: phone, kind: other}]
touchpoints:
  - {id: page, name: Page, stages: [look], step: reads, channel: web, binding: view}
  - {id: call, name: Call, stages: [look], channel: phone, binding: call}
kpis:
  - {id: reads-it, kpi: reach, at: reads}
  - {id: by-phone, kpi: reach, at: phone}
");
    let rows = [("a", 0, "view"), ("b", 0, "view"), ("b", 1, "call")];
    let report = report(&map, &log(rows), &Overlay::new(), &KpiSources::default());
    assert_eq!(
        (value(&report, "reads-it").0, value(&report, "by-phone").0),
        (2.0, 1.0)
    );
}

#[test]
fn a_persona_has_its_own_kpis() {
    let map = map("\
personas: [{id: fan, name: Fan, kind: actual, member: joined}]
touchpoints:
  - {id: page, name: Page, stages: [look], binding: view}
kpis:
  - {id: reach, kpi: reach, at: page}
  - {id: converts, kpi: conversion, at: page, params: {goal: purchase, within: 1d}}
");
    let rows = [
        ("a", 0, "view"),
        ("a", 1, "joined"),
        ("a", 2, "purchase"),
        ("b", 0, "view"),
        ("c", 0, "view"),
        ("late", 9 * DAY, "other"),
    ];
    let how = Overlay::new().persona("fan");
    let report = report(&map, &log(rows), &how, &KpiSources::default());
    assert_eq!(value(&report, "reach").0, 1.0);
    assert_eq!(value(&report, "converts"), (1.0, 1));
}

/// One number for each channel: at a channel that channel's, elsewhere all of them by name.
#[test]
fn a_channel_shows_its_own_number() {
    let map = map("\
channels: [{id: mail, kind: email, values: [email]}, {id: web, kind: site_app}]
touchpoints:
  - {id: page, name: Page, stages: [look], binding: view}
kpis:
  - {id: mail-reach, kpi: reach, at: mail, params: {variant: by_channel}}
  - {id: all-reach, kpi: reach, at: look, params: {variant: by_channel}, target: {op: '>=', value: 1}}
");
    let mut options = LogOptions::default().attribute("channel", AttributeType::Text);
    options.channel = Some("channel".to_owned());
    let mut builder = LogBuilder::new(options);
    for (customer, channel) in [("a", "web"), ("b", "web"), ("c", "web"), ("c", "email")] {
        let attributes = [("channel", channel.into())];
        let event = EventRow {
            attributes: &attributes,
            ..EventRow::new(customer, 0, "view")
        };
        builder.push_row(&event).unwrap();
    }
    let report = report(
        &map,
        &builder.finish().unwrap(),
        &Overlay::new(),
        &KpiSources::default(),
    );
    assert_eq!(value(&report, "mail-reach").0, 1.0);
    let row = by_id(&report)["all-reach"];
    assert!(row.value.is_none() && row.hole.is_some());
    let parts: Vec<(&str, f64)> = row
        .parts
        .iter()
        .map(|p| (p.key.as_str(), p.value.unwrap().value))
        .collect();
    assert_eq!(parts, [("web", 3.0), ("email", 1.0)]);
}
