//! KPIs at a touchpoint, a stage and a channel of a map, against loops over plain lists that are written from docs/kpis.md: what a KPI counts begins at the place, and
//! may go on anywhere.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use desireline_core::engine::Exec;
use desireline_core::journey::JourneyRule;
use desireline_core::kpi::Kpi;
use desireline_core::log::{AttributeType, AttributeValue, EventRow, Log, LogBuilder, LogOptions};
use desireline_core::map::{Form, JourneyMap, MapFile};
use desireline_core::overlay::report::KpiMeasure;
use desireline_core::overlay::{KpiSources, Overlay, measured};

const MINUTE: i64 = 60_000_000;
const DAY: i64 = 24 * 60 * MINUTE;
const UNTIL: i64 = 120 * DAY;
const NAMES: [&str; 8] = [
    "ad", "click", "view", "cart", "purchase", "help", "search", "error",
];
const CHANNELS: [&str; 3] = ["web", "app", "phone"];

#[derive(Clone, Copy)]
struct Event {
    time: i64,
    name: &'static str,
    channel: &'static str,
    money: Option<i64>,
}

type World = Vec<Vec<Event>>;

/// Customers with events at times of their own, none of them at once.
fn world(seed: u64) -> World {
    let mut state = seed;
    let mut draw = |n: u64| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = state;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((x ^ (x >> 31)) % n).unwrap()
    };
    let one = |_| {
        let mut time = i64::try_from(draw(80 * 24)).unwrap() * 60 * MINUTE;
        let mut events = Vec::new();
        for _ in 0..2 + draw(14) {
            let name = NAMES[draw(8)];
            events.push(Event {
                time,
                name,
                channel: CHANNELS[draw(3)],
                money: (name == "purchase").then(|| 500 + i64::try_from(draw(5_000)).unwrap()),
            });
            time += [1, 4, 12, 25, 45, 900, 4_000, 9_000][draw(8)] * MINUTE;
        }
        events.retain(|e| e.time < UNTIL);
        events
    };
    (0..400).map(one).collect()
}

/// The log of those customers who are `kept`.
fn log(world: &World, kept: impl Fn(&[Event]) -> bool) -> Log {
    let mut options = LogOptions::default()
        .attribute("channel", AttributeType::Text)
        .currency("EUR", 2);
    options.channel = Some("channel".to_owned());
    options.observed_until = Some(UNTIL);
    options.block_events = 300;
    let mut builder = LogBuilder::new(options);
    for (c, events) in world.iter().enumerate().filter(|(_, events)| kept(events)) {
        for e in events {
            let attributes: [(&str, AttributeValue<'_>); 1] = [("channel", e.channel.into())];
            let id = format!("c{c}");
            let row = EventRow {
                value: e.money,
                attributes: &attributes,
                ..EventRow::new(id.as_str(), e.time, e.name)
            };
            builder.push_row(&row).unwrap();
        }
    }
    builder.finish().unwrap()
}

fn rule() -> JourneyRule {
    JourneyRule::gap("30m").unwrap()
}

/// Whether an event is at a part of the map.
fn is_at(place: &str, e: &Event) -> bool {
    let names: &[&str] = match place {
        "banner" => &["ad", "click"],
        "page" => &["view"],
        "basket" => &["cart"],
        "till" => &["purchase"],
        "desk" => &["help"],
        "look" => &["ad", "click", "view"],
        "buy" => &["cart", "purchase"],
        "care" => &["help"],
        channel => return e.channel == channel,
    };
    names.contains(&e.name)
}

/// A map that watches a KPI at places; the ids of its numbers are those of the places.
fn map(kpi: &str, params: &str, places: &[&str]) -> JourneyMap {
    let kpis: String = places
        .iter()
        .map(|at| format!("  - {{id: k-{at}, kpi: {kpi}, at: {at}, params: {params}}}\n"))
        .collect();
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
stages: [{{id: look, name: Look}}, {{id: buy, name: Buy}}, {{id: care, name: Care}}]
channels: [{{id: web, kind: site_app}}, {{id: app, kind: site_app}}, {{id: phone, kind: other}}]
touchpoints:
  - {{id: banner, name: Banner, stages: [look], binding: ad or click}}
  - {{id: page, name: Page, stages: [look], binding: view}}
  - {{id: basket, name: Basket, stages: [buy], binding: cart}}
  - {{id: till, name: Till, stages: [buy], binding: purchase}}
  - {{id: desk, name: Desk, stages: [care], binding: help}}
kpis:
{kpis}"
    );
    let file = MapFile::read(&text, Form::Yaml).unwrap_or_else(|e| panic!("{}", e.snippets(&text)));
    file.into_map()
}

/// The KPI at each of the places.
fn rows(
    world: &World,
    kpi: &str,
    params: &str,
    places: &[&'static str],
) -> BTreeMap<&'static str, KpiMeasure> {
    let map = map(kpi, params, places);
    let journeys = log(world, |_| true).journeys(rule()).unwrap();
    let sources = KpiSources::default();
    let mut how = Overlay::new();
    how.personas = false;
    let report = measured(&map, &journeys, &how, &sources, &Exec::new()).unwrap();
    let all = report.kpis.unwrap();
    assert_eq!(all.len(), places.len());
    places.iter().copied().zip(all).collect()
}

/// (above, below) of the events of one customer, given which of them are at the place.
type Naive<'n> = &'n dyn Fn(&[Event], &dyn Fn(&Event) -> bool) -> (u64, u64);

/// Holds a share at each place, in two worlds, against a loop over customers.
fn hold(kpi: &str, params: &str, places: &[&'static str], scale: f64, naive: Naive<'_>) {
    for seed in [3, 8] {
        let world = world(seed);
        let rows = rows(&world, kpi, params, places);
        for place in places {
            let here = |e: &Event| is_at(place, e);
            let (mut k, mut n) = (0, 0);
            for events in &world {
                let of = naive(events, &here);
                (k, n) = (k + of.0, n + of.1);
            }
            let row = &rows[place];
            let what = format!("{kpi} {params} at {place}, world {seed}: {row:?}");
            assert!(
                n > 20 && k > 0 && k < n,
                "a world that tells nothing: {what}"
            );
            assert_eq!(row.n, n, "{what}");
            #[allow(clippy::cast_precision_loss)] // few
            let truth = scale * k as f64 / n as f64;
            let e = row.value.unwrap_or_else(|| panic!("{what}"));
            assert!((e.value - truth).abs() < 1e-9, "{truth}: {what}");
            assert!(e.lower <= e.value && e.value <= e.upper, "{what}");
        }
    }
}

fn sessions(events: &[Event]) -> Vec<&[Event]> {
    events
        .chunk_by(|a, b| b.time - a.time <= 30 * MINUTE)
        .collect()
}

const ALL: &[&str] = &["page", "till", "look", "buy", "care", "web", "app", "phone"];

#[test]
fn clicks_belong_to_the_last_impression_at_the_place() {
    hold(
        "click_through",
        "{impression: ad, click: click}",
        &["banner", "look", "web", "app", "phone"],
        1.0,
        &|events, here| {
            let (mut k, mut n, mut shown_here) = (0, 0, false);
            for e in events {
                if e.name == "ad" {
                    shown_here = here(e);
                    n += u64::from(shown_here);
                }
                k += u64::from(e.name == "click" && shown_here);
            }
            (k, n)
        },
    );
    // Nothing is shown at the basket.
    let rows = rows(
        &world(3),
        "click_through",
        "{impression: ad, click: click}",
        &["basket"],
    );
    assert_eq!(
        rows["basket"].hole.as_deref(),
        Some("nothing to measure: nothing that it counts begins at `basket`")
    );
}

#[test]
fn prospects_are_those_who_came_to_the_place_before_they_bought() {
    hold(
        "acquisition",
        "{purchase: purchase, variant: rate}",
        &["page", "basket", "look", "care", "web", "app", "phone"],
        1.0,
        &|events, here| {
            let bought = events.iter().position(|e| e.name == "purchase");
            match (events.iter().position(here), bought) {
                (None, _) => (0, 0),
                (Some(came), Some(bought)) if came > bought => (0, 0),
                (Some(_), bought) => (bought.is_some().into(), 1),
            }
        },
    );
}

#[test]
fn needs_are_met_where_they_begin() {
    for (params, resolved) in [
        ("{contact: help, within: 2d}", false),
        ("{contact: help, resolved: click, within: 2d}", true),
    ] {
        hold(
            "first_contact_resolution",
            params,
            &["desk", "care", "web", "app", "phone"],
            1.0,
            &|events, here| {
                let (mut k, mut n, mut free_after) = (0, 0, i64::MIN);
                for e in events.iter().filter(|e| e.name == "help") {
                    if e.time <= free_after {
                        continue;
                    }
                    free_after = e.time + 2 * DAY;
                    if !here(e) || UNTIL - e.time < 2 * DAY {
                        continue;
                    }
                    let after = |x: &&Event| x.time > e.time && x.time <= free_after;
                    let again = events.iter().filter(after).any(|x| x.name == "help");
                    let solved = events.iter().filter(after).any(|x| x.name == "click");
                    n += 1;
                    k += u64::from(!again && (solved || !resolved));
                }
                (k, n)
            },
        );
    }
}

#[test]
fn friction_is_of_the_journeys_that_come_there() {
    hold(
        "friction",
        "{goal: purchase, error: error, support: help, slow: 10m, within: 1d}",
        ALL,
        100.0,
        &|events, here| {
            let (mut k, mut n) = (0, 0);
            for s in sessions(events) {
                let (start, last) = (s[0].time, s[s.len() - 1].time);
                if !s.iter().any(here) || UNTIL - last < DAY {
                    continue;
                }
                let near = |e: &&Event| (start..=last + DAY).contains(&e.time);
                let signals = [
                    !s.iter().any(|e| e.name == "purchase"),
                    s.windows(3)
                        .any(|w| w[0].name == w[2].name && w[0].name != w[1].name),
                    s.windows(2).any(|w| w[1].time - w[0].time >= 10 * MINUTE),
                    s.iter().any(|e| e.name == "error"),
                    s.windows(2).any(|w| w[0].channel != w[1].channel),
                    events.iter().filter(near).any(|e| e.name == "help"),
                ];
                n += 6;
                k += signals.iter().map(|s| u64::from(*s)).sum::<u64>();
            }
            (k, n)
        },
    );
}

#[test]
fn visits_of_each_kind_are_those_that_come_there() {
    let world = world(3);
    let params = "{buying: cart, searching: search, knowledge: view}";
    for (place, row) in rows(&world, "visitor_intent", params, ALL) {
        let mut kinds = BTreeMap::<&str, u64>::new();
        let visits = world.iter().flat_map(|events| sessions(events));
        let visits = visits.filter(|s| s.iter().any(|e| is_at(place, e)));
        for s in visits {
            let has = |name| s.iter().any(|e| e.name == name);
            let kind = match (has("cart"), has("search"), has("view")) {
                (true, ..) => "buying",
                (_, true, _) => "searching",
                (.., true) => "knowledge_building",
                _ => "browsing",
            };
            *kinds.entry(kind).or_default() += 1;
        }
        let n: u64 = kinds.values().sum();
        assert!(n > 50, "{place}");
        // At a channel too: kinds are no channels.
        assert_eq!(row.parts.len(), 4, "{place}: {row:?}");
        assert!(row.value.is_none() && row.hole.is_some());
        for part in &row.parts {
            #[allow(clippy::cast_precision_loss)] // few
            let truth = kinds.get(part.key.as_str()).copied().unwrap_or(0) as f64 / n as f64;
            assert_eq!(part.n, n, "{place} {part:?}");
            let e = part.value.unwrap();
            assert!((e.value - truth).abs() < 1e-9, "{place} {part:?}: {truth}");
        }
    }
}

#[test]
fn churn_is_of_those_who_were_active_at_the_place() {
    hold("churn", "{within: 35d}", ALL, 1.0, &|events, here| {
        let ago = |e: &Event| UNTIL - e.time;
        let before = |e: &&Event| (35 * DAY..70 * DAY).contains(&ago(e));
        match events.iter().filter(before).any(here) {
            true => (u64::from(!events.iter().any(|e| ago(e) < 35 * DAY)), 1),
            false => (0, 0),
        }
    });
}

/// Whether a customer's first purchase is at a place.
fn won_at(place: &str, events: &[Event]) -> bool {
    let first = events.iter().find(|e| e.name == "purchase");
    first.is_some_and(|e| is_at(place, e))
}

#[test]
#[allow(clippy::cast_precision_loss)] // money of few
fn customers_are_worth_what_they_bring_wherever_they_buy_again() {
    let places = ["till", "buy", "web", "app", "phone"];
    let params = "{purchase: purchase, variant: historic, margin: 0.5}";
    let world = world(8);
    for (place, row) in rows(&world, "lifetime_value", params, &places) {
        let won: Vec<&Vec<Event>> = world.iter().filter(|c| won_at(place, c)).collect();
        let money: i64 = won.iter().copied().flatten().filter_map(|e| e.money).sum();
        let truth = 0.5 * money as f64 / won.len() as f64;
        let e = row.value.unwrap();
        assert_eq!(row.n, won.len() as u64, "{place}");
        assert!(
            (e.value / truth - 1.0).abs() < 1e-6,
            "{place}: {e:?} {truth}"
        );
    }
    // Who bought elsewhere first is not theirs, where nobody buys there is nothing.
    let none = rows(&world, "lifetime_value", params, &["page"]);
    assert!(none["page"].hole.is_some(), "{none:?}");
}

/// A model at a place is the model of the customers who were won there, as if the log had nobody else.
#[test]
fn models_at_a_place_are_those_of_its_own_customers() {
    let world = world(8);
    let places = ["till", "buy", "web", "app", "phone"];
    let mut known = 0;
    for (kpi, params) in [
        ("lifetime_value", vec![("purchase", "purchase")]),
        ("churn", vec![("active", "purchase"), ("variant", "alive")]),
    ] {
        let written: Vec<String> = params.iter().map(|(k, v)| format!("{k}: {v}")).collect();
        let written = format!("{{{}}}", written.join(", "));
        for (place, row) in rows(&world, kpi, &written, &places) {
            let mut asked = Kpi::new(kpi).min_n(1);
            for (name, value) in &params {
                asked = asked.with(name, *value);
            }
            let own = log(&world, |events| won_at(place, events));
            let alone = own.journeys(rule()).unwrap().run(&asked).unwrap();
            let alone = &alone.values[0];
            assert_eq!(
                (row.value, row.n),
                (alone.estimate, alone.n),
                "{kpi} at {place}"
            );
            known += u32::from(row.value.is_some());
        }
    }
    assert!(known >= 5, "{known} models could be fitted");
}
