//! Who leaves and comes back: against plain loops, by hand, and how the truth is met.

use std::collections::BTreeMap;

use desireline_core::engine::Exec;
use desireline_core::journey::JourneyRule;
use desireline_core::log::Log;
use desireline_core::map::JourneyMap;
use desireline_core::overlay::report::{CellKind, Returns};
use desireline_core::overlay::{KpiSources, Overlay, measure_returns, measured};
use desireline_core::time::TimeSpan;
use desireline_stats::{Clusters, wilson_clustered};
use desireline_tests::naive_expr::holds;
use desireline_tests::random_log::{GAP, Row, build_until, naive_journeys, rows};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::naive::{Placed, Setting, Tally, personas_of, place};

#[derive(Debug, Default)]
struct Naive {
    /// By customer: lost and ended; came back and left.
    lost: BTreeMap<String, (u64, u64)>,
    back: BTreeMap<String, (u64, u64)>,
    open: u64,
}

fn clusters(of: &BTreeMap<String, (u64, u64)>) -> Clusters {
    let mut sums = Clusters::default();
    of.values().for_each(|(k, n)| sums.add(*k, *n));
    sums
}

/// A kind of place, and the places of that kind that an event is at.
type Level = (&'static str, fn(&Placed) -> Vec<String>);

const LEVELS: [Level; 4] = [
    ("stage", |p| p.stages.clone()),
    ("step", |p| p.steps.clone()),
    ("touchpoint", |p| p.touchpoints.clone()),
    ("channel", |p| p.channel.iter().cloned().collect()),
];

fn naive(rows: &[Row], setting: &Setting<'_>, within: i64) -> BTreeMap<String, Naive> {
    let map = setting.map;
    let (from, to) = setting.window.unwrap_or((i64::MIN, i64::MAX));
    let until = setting.until.min(to);
    let all = naive_journeys(rows, Some(GAP));
    let inside: Vec<Vec<Row>> = all
        .iter()
        .map(|j| {
            let own = j.iter().filter(|r| from <= r.time && r.time < to);
            own.cloned().collect()
        })
        .collect();
    let personas = personas_of(map, &inside);
    let mut found: BTreeMap<String, Naive> = BTreeMap::new();
    for (at, (whole, journey)) in all.iter().zip(&inside).enumerate() {
        let customer = whole[0].customer.clone();
        let mine = personas.get(&customer).cloned().unwrap_or_default();
        let is_meant = match &setting.how.persona {
            Some(only) => mine.contains(&only.to_string()),
            None => true,
        };
        if journey.is_empty() || !is_meant {
            continue;
        }
        let goals = map.goals.iter().filter(|g| {
            let wanted = setting.how.goal.as_ref();
            wanted.is_none_or(|id| *id == g.id)
        });
        let reached = goals.filter_map(|g| g.success.as_ref()).any(|e| {
            let mut events = 0..journey.len();
            events.any(|i| holds(e, journey, i))
        });
        let last = journey[journey.len() - 1].time;
        let goes_on = whole.iter().any(|r| r.time >= to);
        let next = all.get(at + 1).filter(|j| j[0].customer == customer);
        let next = next.map(|j| j[0].time).filter(|t| *t < to);
        let is_known = !goes_on && until - last >= within.max(setting.alive);
        let back = next.is_some_and(|t| t - last <= within);
        let placed = place(map, journey, &mut Tally::default());
        for (kind, of) in LEVELS {
            let visits: Vec<Vec<String>> = placed
                .iter()
                .map(of)
                .filter(|here| !here.is_empty())
                .collect();
            let mut here: Vec<&String> = visits.iter().flatten().collect();
            here.sort();
            here.dedup();
            for id in here {
                let sums = found.entry(format!("{kind}/{id}")).or_default();
                if !is_known {
                    sums.open += 1;
                    continue;
                }
                let left = !reached && visits.last().is_some_and(|l| l.contains(id));
                let lost = sums.lost.entry(customer.clone()).or_default();
                lost.0 += u64::from(left && !back);
                lost.1 += 1;
                if left {
                    let sums = sums.back.entry(customer.clone()).or_default();
                    sums.0 += u64::from(back);
                    sums.1 += 1;
                }
            }
        }
    }
    found
}

#[test]
fn who_comes_back_is_what_plain_loops_say() {
    let (mut lost, mut came) = (0, 0);
    for seed in 0..600 {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let rows = rows(seed % 400);
        let mut names: Vec<String> = rows.iter().map(|r| r.event.clone()).collect();
        names.sort();
        names.dedup();
        let map = super::map(rng, &names);
        let mut how = Overlay::new().min_n(1);
        let alive = [0, GAP, 10 * GAP][rng.random_range(0..3)];
        how.alive = Some(TimeSpan::from_micros(alive));
        let within = [0, GAP, GAP + 1, 3 * GAP, 20 * GAP][rng.random_range(0..5)];
        how.returns_within = Some(TimeSpan::from_micros(within));
        if rng.random_range(0..3) == 0 {
            how.persona = map.personas.first().map(|p| p.id.clone());
            how.goal = map.goals.first().map(|g| g.id.clone());
        }
        let last = rows.iter().map(|r| r.time).max().unwrap();
        let until = last + [0, 1, 5 * GAP, 50 * GAP][rng.random_range(0..4)];
        let log = build_until(&rows, Some(until)).unwrap();
        let rule = JourneyRule {
            gap: Some(TimeSpan::from_micros(GAP)),
            ..JourneyRule::default()
        };
        let journeys = log.journeys(rule).unwrap();
        let run = |threads| {
            let exec = Exec::new().threads(threads).unwrap();
            measure_returns(&map, &journeys, &how, &exec).unwrap()
        };
        let found: Returns = run(1);
        assert_eq!(found, run(2), "seed {seed}");
        assert_eq!((found.within, found.age), (within, within.max(alive)));
        let window = map.scope.as_ref().and_then(|s| s.window.as_ref());
        let setting = Setting {
            map: &map,
            how: &how,
            until,
            alive,
            window: window.map(|w| w.micros().unwrap()),
        };
        let expected = naive(&rows, &setting, within);
        let report = measured(&map, &journeys, &how, &KpiSources::default(), &Exec::new()).unwrap();
        assert_eq!(report.returns.as_ref(), Some(&found));
        let none = Naive::default();
        for row in &found.places {
            let name = format!("{}/{}", row.kind.word(), row.id);
            let told = format!("seed {seed}, {name}: {row:?}\n{}", map.to_yaml().unwrap());
            let expected = expected.get(&name).unwrap_or(&none);
            for (rate, sums) in [
                (&row.lost, clusters(&expected.lost)),
                (&row.returned, clusters(&expected.back)),
            ] {
                assert_eq!((rate.count, rate.n), (sums.k, sums.n), "{told}");
                assert_eq!(rate.estimate, wilson_clustered(&sums, 0.95), "{told}");
            }
            assert_eq!(row.open, expected.open, "{told}");
            assert_eq!(row.hole.is_none(), row.lost.estimate.is_some(), "{told}");
            assert_eq!(
                row.returned_hole.is_none(),
                row.returned.estimate.is_some(),
                "{told}"
            );
            // The overlay's journeys are these, and nobody is lost who did not leave.
            let cell = super::cell(&report, row.kind, &row.id);
            assert_eq!(cell.journeys, row.lost.n + row.open, "{told}");
            let left = row.lost.count + row.returned.count;
            assert_eq!(left, row.returned.n, "{told}");
            lost += row.lost.count;
            came += row.returned.count;
        }
    }
    assert!(lost > 500 && came > 30, "{lost}, {came}");
}

const DAY: i64 = 86_400_000_000;

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
goals: [{id: g, text: G, kind: functional, success: order}]
touchpoints:
  - {id: page, name: Page, stages: [look], binding: view}
  - {id: cart, name: Cart, stages: [buy], binding: cart}
  - {id: pay, name: Pay, stages: [buy], binding: order}
";

/// The sessions of a log that ends on the twentieth day.
fn told(rows: &[(String, i64, &str)], how: &Overlay) -> Returns {
    let last = [("last".to_owned(), 20 * DAY, "hum")];
    let rows = rows.iter().chain(&last);
    let log = Log::from_rows(rows.map(|(c, t, e)| (c.as_str(), *t, *e))).unwrap();
    let journeys = log.journeys(JourneyRule::gap("30m").unwrap()).unwrap();
    let map = JourneyMap::from_yaml(MAP).unwrap();
    measure_returns(&map, &journeys, how, &Exec::new()).unwrap()
}

#[test]
fn a_return_at_once_waits_for_those_who_may_still_come() {
    let mut rows = Vec::new();
    for c in 0..40_i64 {
        let id = format!("c{c:02}");
        // All look on the first day, half of them come back two days later and fill a cart, ten of those pay at once.
        rows.push((id.clone(), c, "view"));
        if c < 20 {
            rows.push((id.clone(), 2 * DAY + c, "cart"));
        }
        if c < 10 {
            rows.push((id, 2 * DAY + 60_000_000 + c, "order"));
        }
    }
    for c in 0..30_i64 {
        let id = format!("late{c:02}");
        // Two days before the end: ten are back at once, of the others nobody knows.
        rows.push((id.clone(), 18 * DAY + c, "view"));
        if c < 10 {
            rows.push((id, 19 * DAY, "view"));
        }
    }
    let week = told(&rows, &Overlay::new());
    assert_eq!((week.within, week.age), (7 * DAY, 7 * DAY));
    let page = week.at(CellKind::Touchpoint, "page").unwrap();
    assert_eq!((page.lost.count, page.lost.n), (20, 40));
    assert_eq!((page.returned.count, page.returned.n), (20, 40));
    assert_eq!(page.open, 40);
    assert_eq!(page.lost.estimate.unwrap().value, 0.5);
    let cart = week.at(CellKind::Touchpoint, "cart").unwrap();
    assert_eq!((cart.lost.count, cart.lost.n), (10, 20));
    // Who reached the goal has not left; who has not left cannot come back.
    let pay = week.at(CellKind::Touchpoint, "pay").unwrap();
    assert_eq!((pay.lost.count, pay.lost.n, pay.returned.n), (0, 10, 0));
    assert_eq!(
        (pay.hole.as_deref(), pay.returned_hole.as_deref()),
        (None, Some("no journey ends here without a goal"))
    );
    // Within a day nobody of the first forty comes back; the late ones are old enough then, but for those who came again.
    let day = told(
        &rows,
        &Overlay::new().returns_within(TimeSpan::parse("1d").unwrap()),
    );
    let page = day.at(CellKind::Stage, "look").unwrap();
    assert_eq!((page.lost.n, page.open), (40 + 30 + 10, 0));
    assert_eq!(page.returned.count, 10);
    // Nothing is old enough for a month.
    let month = told(
        &rows,
        &Overlay::new().returns_within(TimeSpan::parse("30d").unwrap()),
    );
    let page = month.at(CellKind::Touchpoint, "page").unwrap();
    assert_eq!((page.lost.n, page.lost.estimate, page.open), (0, None, 80));
    assert_eq!(
        page.hole.as_deref(),
        Some("of 80 journeys none ended long enough ago to know")
    );
    // Below the least number there is a hole with its reason.
    let few = told(&rows, &Overlay::new().min_n(41));
    let page = few.at(CellKind::Touchpoint, "page").unwrap();
    assert_eq!(page.hole.as_deref(), Some("too few (n=40)"));
}

#[test]
fn it_is_told_in_tables_and_refuses_what_the_map_does_not_have() {
    let map = JourneyMap::from_yaml(MAP).unwrap();
    let log = Log::from_rows([("a", 0, "view"), ("b", 9 * DAY, "view")]).unwrap();
    let journeys = log.journeys(JourneyRule::customer()).unwrap();
    let run = |how: &Overlay| {
        let sources = KpiSources::default();
        measured(&map, &journeys, how, &sources, &Exec::new())
    };
    let report = run(&Overlay::new()).unwrap();
    let tables = desireline_core::report::Report::tables(&report);
    let table = tables.iter().find(|t| t.name == "returns").unwrap();
    assert_eq!(table.n_rows(), 5);
    let json = serde_json::to_string(&report).unwrap();
    assert!(
        json.contains(r#""returns":{"within":604800000000"#),
        "{json}"
    );
    let error = run(&Overlay::new().persona("nobody")).unwrap_err();
    assert!(error.to_string().contains("nobody"), "{error}");
    let error = measure_returns(
        &map,
        &journeys,
        &Overlay::new().lens("nothing"),
        &Exec::new(),
    );
    assert!(error.is_err());
}
