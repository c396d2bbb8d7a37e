//! What a measured map says, and says alike, in its report, its picture, its page and its check.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use desireline_core::engine::Exec;
use desireline_core::feedback::{Feedback, FeedbackRow, Question};
use desireline_core::journey::{JourneyRule, Journeys};
use desireline_core::log::Log;
use desireline_core::map::check::{CheckOptions, Code};
use desireline_core::map::{Date, Form, MapFile};
use desireline_core::overlay::report::OverlayReport;
use desireline_core::overlay::{KpiSources, Overlay, check, measured, overlay};
use desireline_core::report::Report as _;
use desireline_io::{FeedbackColumns, Source, read_feedback};
use desireline_report::exchange::{self, Exchange};
use desireline_report::html::{self, MapView};
use desireline_report::svg::MapPicture;

const MINUTE: i64 = 60_000_000;
const DAY: i64 = 24 * 60 * MINUTE;

/// A map of two stages; `rest` begins with its touchpoints.
fn map(rest: &str) -> MapFile {
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
stakeholders: [{{id: o, name: O}}, {{id: x, name: X}}]
channels: [{{id: web, kind: site_app, name: Web shop}}]
stages: [{{id: look, name: Look}}, {{id: buy, name: Buy}}]
{rest}"
    );
    MapFile::read(&text, Form::Yaml).unwrap_or_else(|e| panic!("{}", e.snippets(&text)))
}

fn journeys(rows: &[(String, i64, &str)]) -> Journeys {
    let rows = rows.iter().map(|(c, t, e)| (c.as_str(), *t, *e));
    let log = Log::from_rows(rows).unwrap();
    log.journeys(JourneyRule::gap("30m").unwrap()).unwrap()
}

/// So many customers who each do these things, a minute apart.
fn each(name: &str, n: usize, what: &[&'static str]) -> Vec<(String, i64, &'static str)> {
    let of = |c: usize| {
        let times = (0..).map(|i: i64| i * MINUTE);
        let events = times.zip(what);
        events.map(move |(t, e)| (format!("{name}{c:02}"), t, *e))
    };
    (0..n).flat_map(of).collect()
}

fn sources(answers: Feedback) -> KpiSources {
    KpiSources {
        answers: Some(Arc::new(answers)),
        ..KpiSources::default()
    }
}

#[test]
fn level_and_least_of_the_question_hold_for_answers_and_feelings() {
    let file = map("\
touchpoints:
  - {id: page, name: Page, stages: [look], binding: view}
  - {id: basket, name: Basket, stages: [buy], binding: cart}
");
    let rows = each("c", 8, &["view", "cart"]);
    let mut builder = Feedback::builder([Question::csat("csat")]).unwrap();
    for c in 0..8 {
        let id = format!("c{c:02}");
        let row = FeedbackRow::new(id.as_str(), "csat").time(MINUTE);
        builder.push(&row.score(1 + c % 5).about("page")).unwrap();
        if c < 5 {
            let row = FeedbackRow::new(id.as_str(), "csat").time(MINUTE);
            builder.push(&row.score(5 - c).about("basket")).unwrap();
        }
    }
    let (journeys, sources) = (journeys(&rows), sources(builder.finish().unwrap()));
    let report = |how: &Overlay| measured(file.map(), &journeys, how, &sources, &Exec::new());
    let said = |report: &OverlayReport, id: &str| {
        let t = report.touchpoint(id).unwrap();
        let told = t.feedback.as_ref().unwrap()[0].value;
        (told, t.emotion.as_ref().and_then(|e| e.valence))
    };
    let usual = report(&Overlay::new().min_n(5)).unwrap();
    let asked = report(&Overlay::new().min_n(6).level(0.8)).unwrap();
    let (wide, narrow) = (said(&usual, "page"), said(&asked, "page"));
    for (wide, narrow) in [(wide.0, narrow.0), (wide.1, narrow.1)] {
        let (wide, narrow) = (wide.unwrap(), narrow.unwrap());
        assert_eq!((wide.level, narrow.level), (0.95, 0.8));
        assert_eq!(wide.value, narrow.value);
        assert!(wide.lower < narrow.lower && narrow.upper < wide.upper);
    }
    // Five answers are enough for five, and a hole where six are asked for.
    let few = said(&usual, "basket");
    assert!(few.0.is_some() && few.1.is_some(), "{few:?}");
    assert_eq!(said(&asked, "basket"), (None, None));
}

#[test]
fn goals_and_kpis_without_room_are_counted() {
    let goals: String = ["a", "b", "c", "d"]
        .iter()
        .map(|g| {
            format!("  - {{id: g-{g}, text: Want {g}, kind: functional, success: goal_{g}}}\n")
        })
        .collect();
    let kpis: String = (0..8)
        .map(|k| format!("  - {{id: k{k}, kpi: reach, params: {{touch: goal_a}}}}\n"))
        .collect();
    let file = map(&format!(
        "\
touchpoints:
  - {{id: page, name: Page, stages: [look], channel: web, binding: view}}
  - {{id: adrift, name: Adrift, stages: [], binding: nothing}}
goals:
{goals}kpis:
  - {{id: by-web, kpi: reach, at: web}}
  - {{id: nowhere, kpi: reach, at: adrift, name: Nowhere}}
{kpis}"
    ));
    let rows = each("c", 12, &["view", "goal_a", "goal_b", "goal_c", "goal_d"]);
    let journeys = journeys(&rows);
    let report = measured(
        file.map(),
        &journeys,
        &Overlay::new(),
        &KpiSources::default(),
        &Exec::new(),
    )
    .unwrap();
    let p = MapPicture::of(file.map(), Some(&report));
    let goals = "goals, any of: Want a; Want b; and 2 more";
    assert!(p.subtitle.ends_with(goals), "{}", p.subtitle);
    let alone = MapPicture::of(file.map(), None);
    assert!(alone.subtitle.ends_with(goals), "{}", alone.subtitle);
    let fact = |label: &str| p.facts.iter().find(|f| f.label == label);
    assert_eq!(fact("Web shop: Reach").unwrap().value, "12");
    // Its reason stands where its number would.
    let nowhere = fact("Adrift: Nowhere").unwrap();
    assert!(nowhere.note.contains("no event"), "{nowhere:?}");
    let shown = p.facts.iter().filter(|f| f.label.contains("Reach"));
    assert_eq!(
        (shown.count(), fact("More KPIs").unwrap().value.as_str()),
        (5, "4")
    );
    // The table has them all.
    let tables = report.tables();
    let all = tables.iter().find(|t| t.name == "kpis").unwrap();
    assert_eq!(all.n_rows(), 10);
}

#[test]
fn a_hand_over_after_which_more_reach_the_goal_is_a_gain() {
    let file = map("\
touchpoints:
  - {id: page, name: Page, stages: [look], owner: o, binding: view}
  - {id: till, name: Till, stages: [buy], owner: x, binding: pay}
goals: [{id: g, text: G, kind: functional, success: thanks}]
");
    let mut rows = each("changes", 15, &["view", "pay", "thanks"]);
    rows.extend(each("leaves", 5, &["view", "pay"]));
    rows.extend(each("stays", 4, &["view", "view", "thanks"]));
    rows.extend(each("ends", 16, &["view", "view"]));
    rows.push(("late".to_owned(), DAY, "other"));
    let report = overlay(file.map(), &journeys(&rows), &Overlay::new(), &Exec::new()).unwrap();
    let all = report.handovers.iter().find(|h| h.from.is_none());
    let all = all.unwrap_or_else(|| panic!("{:?}", report.handovers));
    let counts = |r: desireline_core::report::Rate| (r.count, r.n);
    assert_eq!(
        (counts(all.goal.with), counts(all.goal.without)),
        ((15, 20), (4, 20))
    );
    let difference = all.goal.difference.unwrap();
    assert!((difference.value - (15.0 - 4.0) / 20.0).abs() < 1e-12);
    assert_eq!(all.loss, Some(-difference.value));
    // The pair says the same, and tables show the gain.
    let pair = report.handovers.iter().find(|h| h.from.is_some()).unwrap();
    assert_eq!(
        (pair.from.as_deref(), pair.to.as_deref()),
        (Some("o"), Some("x"))
    );
    assert!(pair.loss.unwrap() < -0.5, "{pair:?}");
}

#[test]
fn the_page_and_the_check_agree_on_who_is_asked() {
    let file = map("\
touchpoints:
  - {id: page, name: Front page, stages: [look], binding: view}
  - {id: basket, name: Basket in hand, stages: [buy], binding: cart}
kpis: [{id: k, kpi: csat, at: page}, {id: r, kpi: reach, at: basket}]
");
    let rows = each("c", 120, &["view", "cart"]);
    let journeys = journeys(&rows);
    let options = CheckOptions::new().today(Date::new(2026, 1, 2).unwrap());
    let told = check(&file, &journeys, &options, &Exec::new()).unwrap();
    let blind: Vec<&str> = told
        .report
        .with(Code::Blind)
        .map(|n| n.pointer.as_str())
        .filter(|pointer| pointer.starts_with("/touchpoints"))
        .collect();
    assert_eq!(blind, ["/touchpoints/1"]);
    let report = overlay(file.map(), &journeys, &Overlay::new(), &Exec::new()).unwrap();
    let view = MapView {
        overlay: Some(&report),
        ..MapView::new(file.map())
    };
    let page = html::map_page(&view, None, None, &[]).unwrap();
    let spots = page
        .split("Touchpoints where nobody is asked")
        .nth(1)
        .unwrap();
    let spots = spots.split("</ul>").next().unwrap();
    assert!(
        spots.contains("Basket in hand") && !spots.contains("Front page"),
        "{spots}"
    );
}

#[test]
fn an_answer_without_a_time_counts_where_it_is_declared() {
    let csv = "who,when,about,csat\n\
        c00,1970-01-01T00:00:30Z,page,5\n\
        c01,,page,5\n\
        c02,,page,1\n\
        c03,,,3\n";
    let columns = FeedbackColumns::wide([Question::csat("csat")])
        .customer("who")
        .time("when")
        .touchpoint("about")
        .max_quarantine_share(0.0);
    let answers = read_feedback(Source::memory("answers.csv", csv), &columns).unwrap();
    assert_eq!(answers.len(), 4);
    assert_eq!(answers.answers().filter(|a| a.time().is_none()).count(), 3);
    let file = map("\
touchpoints: [{id: page, name: Page, stages: [look], binding: view}]
kpis: [{id: here, kpi: csat, at: page}, {id: all, kpi: csat}]
checks: {min_n: 1}
");
    let journeys = journeys(&each("c", 6, &["view"]));
    let how = Overlay::new();
    let sources = sources(answers);
    let report = measured(file.map(), &journeys, &how, &sources, &Exec::new()).unwrap();
    let kpis = report.kpis.as_ref().unwrap();
    // Two of three are content; the fourth is about nothing that is known, and counts for the whole alone.
    assert_eq!((kpis[0].n, kpis[1].n), (3, 4));
    assert!((kpis[0].value.unwrap().value - 2.0 / 3.0).abs() < 1e-9);
    let told = &report.touchpoint("page").unwrap().feedback;
    assert_eq!(told.as_ref().unwrap()[0].answers, 3);
}

/// One label in all places: the report, its tables, the picture with its text, the page, Markdown.
#[test]
fn a_kpi_without_a_name_says_from_what_to_what_everywhere() {
    let file = map("\
touchpoints:
  - {id: page, name: Page, stages: [look], binding: view}
kpis:
  - {id: a, kpi: conversion, at: look, params: {entry: view, goal: add_to_cart, within: 1h}}
  - {id: b, kpi: conversion, at: look, params: {entry: view, goal: purchase, within: 1h}}
");
    let mut rows = each("c", 30, &["view", "add_to_cart", "purchase"]);
    rows.push(("late".to_owned(), DAY, "other"));
    let journeys = journeys(&rows);
    let report = measured(
        file.map(),
        &journeys,
        &Overlay::new(),
        &KpiSources::default(),
        &Exec::new(),
    )
    .unwrap();
    let wanted = [
        "Conversion from view to add to cart within 1 h",
        "Conversion from view to purchase within 1 h",
    ];
    let names: Vec<&str> = report
        .kpis
        .iter()
        .flatten()
        .map(|k| k.name.as_str())
        .collect();
    assert_eq!(names, wanted);
    let drawn = |p: &MapPicture| -> Vec<String> {
        p.stages[0].kpis.iter().map(|k| k.name.clone()).collect()
    };
    let picture = MapPicture::of(file.map(), Some(&report));
    for p in [
        &picture,
        &MapPicture::of(file.map(), None),
        &MapPicture::of_report(&report),
    ] {
        assert_eq!(drawn(p), wanted);
    }
    // The picture of a report alone has its numbers, too.
    let values = |p: &MapPicture| -> Vec<Option<f64>> {
        let kpis = p.stages[0].kpis.iter();
        kpis.map(|k| k.value.map(|e| e.value)).collect()
    };
    assert_eq!(values(&MapPicture::of_report(&report)), [Some(1.0); 2]);
    assert_eq!(values(&picture), [Some(1.0); 2]);
    let view = MapView {
        overlay: Some(&report),
        ..MapView::new(file.map())
    };
    let page = html::map_page(&view, None, None, &[]).unwrap();
    let markdown = exchange::export(file.map(), Exchange::Markdown).text;
    for label in wanted {
        assert!(page.contains(label), "{label}");
        assert!(markdown.contains(label), "{label}\n{markdown}");
    }
}
