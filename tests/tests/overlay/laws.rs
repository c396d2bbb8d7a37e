//! What must add up, what must be the same, and what other questions say, too.

use std::sync::LazyLock;

use desireline_core::analyses::{Dropoff, Funnel};
use desireline_core::engine::Exec;
use desireline_core::journey::{CalendarUnit, JourneyRule, Journeys};
use desireline_core::log::Log;
use desireline_core::map::{
    CustomerGoal, Dwell, GoalKind, JourneyMap, MapKind, Outcome, Pair, Persona, Stage, Touchpoint,
};
use desireline_core::overlay::report::{CellKind, CellMeasure, OverlayReport};
use desireline_core::overlay::{Forced, Overlay, journey_rule, overlay, split_by_persona};
use desireline_core::report::Report;
use desireline_core::time::TimeSpan;
use desireline_io::simulate::Simulation;

use super::{cell, empty, when};

const MINUTE: i64 = 60_000_000;

static MAP: LazyLock<JourneyMap> = LazyLock::new(|| {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/maps/shop.yaml");
    JourneyMap::from_yaml(&std::fs::read_to_string(path).unwrap()).unwrap()
});

static SHOP: LazyLock<Journeys> = LazyLock::new(|| {
    let mut simulation = Simulation::shop(2_000);
    simulation.seed = 5;
    let log = simulation.prepare().unwrap().log().unwrap();
    log.journeys(journey_rule(&MAP).unwrap()).unwrap()
});

fn measured(map: &JourneyMap, how: &Overlay) -> OverlayReport {
    overlay(map, &SHOP, how, &Exec::new()).unwrap()
}

static REPORT: LazyLock<OverlayReport> =
    LazyLock::new(|| measured(&MAP, &Overlay::new().by_period(CalendarUnit::Month)));

fn cells(report: &OverlayReport) -> Vec<&CellMeasure> {
    let stages = report.stages.iter().map(|s| &s.cell);
    let touchpoints = report.touchpoints.iter().filter_map(|t| t.cell.as_ref());
    let channels = report.channels.iter().map(|c| &c.cell);
    stages.chain(touchpoints).chain(channels).collect()
}

#[test]
fn what_comes_goes() {
    let report = &*REPORT;
    for cell in cells(report) {
        assert_eq!(cell.visits, cell.entries.count + cell.arrivals);
        assert_eq!(cell.visits, cell.exits + cell.departures);
        assert_eq!(
            cell.exits,
            cell.exits_reached + cell.exits_open + cell.drop_off.count
        );
        assert_eq!(cell.journeys, cell.goal.n + cell.at_risk);
        assert_eq!(cell.goal.count, cell.goal_after.count + cell.goal_before);
        assert!(cell.goal_before <= cell.goal.count);
    }
    // One event, one touchpoint: the ways that lead away are the departures.
    for (kind, ids) in [
        (
            CellKind::Touchpoint,
            report.touchpoints.iter().map(|t| &t.id).collect::<Vec<_>>(),
        ),
        (
            CellKind::Stage,
            report.stages.iter().map(|s| &s.id).collect(),
        ),
        (
            CellKind::Channel,
            report.channels.iter().map(|c| &c.id).collect(),
        ),
    ] {
        for id in ids {
            let sum = |end: fn(&desireline_core::overlay::report::EdgeMeasure) -> &String| {
                let mine = report
                    .edges
                    .iter()
                    .filter(|e| e.kind == kind && end(e) == id);
                mine.map(|e| e.count).sum::<u64>()
            };
            let cell = cell(report, kind, id);
            assert_eq!(sum(|e| &e.from), cell.departures, "{id}");
            assert_eq!(sum(|e| &e.to), cell.arrivals, "{id}");
        }
    }
    let on_map = report.base.journeys - report.base.off_map;
    let sum = |of: fn(&CellMeasure) -> u64| {
        let touchpoints = report.touchpoints.iter().filter_map(|t| t.cell.as_ref());
        touchpoints.map(of).sum::<u64>()
    };
    assert_eq!(sum(|c| c.entries.count), on_map);
    assert_eq!(sum(|c| c.exits), on_map);
    assert_eq!(sum(|c| c.events), report.base.bound_events);
    let base = &report.base;
    assert_eq!(base.journeys, base.reached + base.dropped + base.open);
}

#[test]
fn levels_roll_up_exactly() {
    let report = &*REPORT;
    for stage in &report.stages {
        let here = report
            .placements
            .iter()
            .filter(|p| p.stage.as_ref() == Some(&stage.id));
        assert_eq!(
            here.map(|p| p.events).sum::<u64>(),
            stage.cell.events,
            "{}",
            stage.id
        );
        let steps = report.steps.iter().filter(|s| s.stage == stage.id);
        let steps: u64 = steps.map(|s| s.cell.events).sum();
        assert_eq!(
            steps + stage.events_without_step,
            stage.cell.events,
            "{}",
            stage.id
        );
    }
    for touchpoint in &report.touchpoints {
        let placed = report
            .placements
            .iter()
            .filter(|p| p.touchpoint == touchpoint.id);
        let events: u64 = placed.map(|p| p.events).sum();
        assert_eq!(events, touchpoint.cell.as_ref().unwrap().events);
    }
}

#[test]
fn personas_and_periods_are_parts_of_the_whole() {
    let report = &*REPORT;
    for maps in &report.groups {
        let journeys: u64 = maps.groups.iter().map(|g| g.journeys).sum();
        assert_eq!(journeys, report.base.journeys, "{}", maps.by);
        for (place, cell) in maps.groups[0].cells.iter().enumerate() {
            let whole = super::cell(report, cell.kind, &cell.id);
            let sum = |of: fn(&desireline_core::overlay::report::GroupCell) -> u64| {
                maps.groups.iter().map(|g| of(&g.cells[place])).sum::<u64>()
            };
            assert_eq!(sum(|c| c.journeys), whole.journeys);
            assert_eq!(sum(|c| c.goal.raw.count), whole.goal.count);
            assert_eq!(sum(|c| c.goal.raw.n), whole.goal.n);
            assert_eq!(sum(|c| c.drop_off.raw.count), whole.drop_off.count);
        }
    }
    let personas: u64 = report.personas.iter().map(|p| p.customers).sum();
    assert_eq!(personas, report.base.customers);
    let split = split_by_persona(&MAP, &SHOP, &Overlay::new(), &Exec::new()).unwrap();
    assert_eq!(
        split.iter().map(|r| r.base.customers).sum::<u64>(),
        report.base.customers
    );
    // A map for one persona alone has that persona's numbers.
    for persona in &MAP.personas {
        let alone = measured(
            &MAP.for_persona(&persona.id),
            &Overlay::new().persona(persona.id.as_str()),
        );
        let part = report
            .personas
            .iter()
            .find(|p| p.id == persona.id.as_str())
            .unwrap();
        assert_eq!(alone.base.journeys, part.journeys);
        assert_eq!(alone.base.goal.count, part.goal.count);
        let group = report.groups[0]
            .groups
            .iter()
            .find(|g| g.id == part.id)
            .unwrap();
        for cell in &group.cells {
            let here = super::cell(&alone, cell.kind, &cell.id);
            assert_eq!(
                (here.journeys, here.customers),
                (cell.journeys, cell.customers)
            );
            assert_eq!(here.goal.count, cell.goal.raw.count);
        }
    }
    let trend = report.trend.as_ref().unwrap();
    for (place, row) in trend.rows.iter().enumerate() {
        let cell = &report.groups[1].groups[0].cells[place];
        assert_eq!((row.kind, &row.id), (cell.kind, &cell.id));
        assert_eq!(row.reach[0].count, cell.reach.raw.count);
    }
    assert!(trend.periods.iter().any(|p| p.complete));
}

#[test]
fn threads_do_not_show() {
    let how = Overlay::new()
        .by_period(CalendarUnit::Week)
        .handovers(&["device"]);
    let bytes = |n| {
        let exec = Exec::new().threads(n).unwrap();
        serde_json::to_string(&overlay(&MAP, &SHOP, &how, &exec).unwrap()).unwrap()
    };
    let one = bytes(1);
    assert_eq!(one, bytes(2));
    assert_eq!(one, bytes(8));
    let read: OverlayReport = serde_json::from_str(&one).unwrap();
    assert_eq!(serde_json::to_string(&read).unwrap(), one);
}

#[test]
fn stages_convert_as_a_funnel_of_their_events_does() {
    let names = |id: &str| match id {
        "look" => "event in [\"home\", \"search\", \"category\"]",
        "weigh" => "event in [\"product_view\", \"reviews\", \"compare\"]",
        "take" => "add_to_cart",
        _ => "purchase",
    };
    let ids = ["look", "weigh", "take", "pay"];
    let map = empty(MapKind::Actual)
        .stages(ids.map(|id| Stage::new(id, id)))
        .touchpoints(ids.map(|id| {
            Touchpoint::new(format!("at-{id}"), id)
                .stages([id])
                .binding(when(names(id)))
        }));
    let report = measured(&map, &Overlay::new());
    let funnel = SHOP.run(&Funnel::steps(ids.map(names))).unwrap();
    for (stage, step) in report.order.conversion.iter().zip(&funnel.steps) {
        assert_eq!(stage.of_all.count, step.reached, "{:?}", stage.stages);
        assert_eq!(stage.of_all.estimate, step.of_all.estimate);
        if let Some(previous) = step.of_previous {
            assert_eq!(stage.of_previous.estimate, previous.estimate);
        }
        assert_eq!(stage.of_entered.estimate, step.of_entered.estimate);
    }
    assert_eq!(report.order.conversion.len(), funnel.steps.len());
}

#[test]
fn a_map_of_names_drops_off_where_the_drop_off_analysis_says() {
    let names: Vec<String> = SHOP.catalog().events.names().map(str::to_owned).collect();
    let id = |name: &str| name.replace('_', "-");
    let map = empty(MapKind::Actual)
        .goals([CustomerGoal::new("buy", "Buy", GoalKind::Functional).success(when("purchase"))])
        .touchpoints(
            names
                .iter()
                .map(|n| Touchpoint::new(id(n), n.as_str()).binding(when(n))),
        );
    let report = measured(&map, &Overlay::new().alive(TimeSpan::parse("30m").unwrap()));
    let dropoff = Dropoff::goal("purchase").alive("30m").top(1_000);
    let dropoff = SHOP.run(&dropoff).unwrap();
    assert_eq!(report.base.open, dropoff.open);
    assert_eq!(report.base.reached, dropoff.reached);
    for point in &dropoff.touchpoints {
        let here = cell(&report, CellKind::Touchpoint, &id(&point.touchpoint));
        assert_eq!(
            (here.drop_off.count, here.drop_off.n),
            (point.exits, point.visits)
        );
        assert_eq!(here.exits_open, point.open);
    }
}

/// A small map whose numbers can be counted by hand.
fn small() -> JourneyMap {
    empty(MapKind::Actual)
        .stages(["consideration", "decision", "after"].map(|id| Stage::new(id, id)))
        .goals([CustomerGoal::new("have", "Have it", GoalKind::Functional).success(when("buy"))])
        .touchpoints([
            Touchpoint::new("page", "Page")
                .stages(["consideration"])
                .owner("o")
                .binding(when("page")),
            Touchpoint::new("till", "Till")
                .stages(["decision"])
                .owner("x")
                .binding(when("till or buy")),
            Touchpoint::new("help", "Help")
                .stages(["after"])
                .owner("x")
                .binding(when("help")),
            Touchpoint::new("never", "Never")
                .stages(["after"])
                .binding(when("gone")),
        ])
}

fn of(rows: &[(&str, i64, &str)], map: &JourneyMap, how: &Overlay) -> OverlayReport {
    let rows = rows.iter().map(|(c, t, e)| (*c, *t * MINUTE, *e));
    let log = Log::from_rows(rows).unwrap();
    let journeys = log.journeys(JourneyRule::customer()).unwrap();
    overlay(map, &journeys, how, &Exec::new()).unwrap()
}

#[test]
fn counted_by_hand() {
    let rows = [
        // Weighs up for ten minutes, buys, asks.
        ("ann", 0, "page"),
        ("ann", 5, "page"),
        ("ann", 10, "till"),
        ("ann", 11, "buy"),
        ("ann", 30, "help"),
        // Straight to the till, and away.
        ("bob", 0, "till"),
        // Back from the till, and away.
        ("cid", 0, "page"),
        ("cid", 2, "till"),
        ("cid", 4, "page"),
        // Skips the decision; here until just now.
        ("dee", 60, "page"),
        ("dee", 99, "help"),
        ("dee", 100, "hum"),
    ];
    let forced = Forced {
        touches: 2,
        ..Forced::default()
    };
    let report = of(&rows, &small(), &Overlay::new().min_n(1).forced(forced));
    assert_eq!(
        (report.base.reached, report.base.dropped, report.base.open),
        (1, 2, 1)
    );
    let weigh = cell(&report, CellKind::Stage, "consideration");
    assert_eq!((weigh.events, weigh.visits, weigh.journeys), (5, 4, 3));
    assert_eq!(
        (
            weigh.entries.count,
            weigh.arrivals,
            weigh.departures,
            weigh.exits
        ),
        (3, 1, 3, 1)
    );
    assert_eq!(
        (weigh.drop_off.count, weigh.drop_off.n, weigh.at_risk),
        (1, 2, 1)
    );
    assert_eq!(
        (
            weigh.forward.count,
            weigh.skipping.count,
            weigh.backward.count,
            weigh.forward.n
        ),
        (3, 1, 0, 3)
    );
    // 10 (ann), 2 (cid), 39 (dee) minutes; cid's last visit ended with the journey, at once.
    assert_eq!(
        (weigh.dwell.n, weigh.dwell.censored, weigh.dwell.unknown),
        (3, 0, 1)
    );
    assert_eq!(weigh.goal_after.count, 1);
    // Ann asks after she has bought: her goal lies before.
    let help = cell(&report, CellKind::Touchpoint, "help");
    assert_eq!(
        (help.goal.count, help.goal_after.count, help.goal_before),
        (1, 0, 1)
    );
    let back = report
        .edge(CellKind::Stage, "decision", "consideration")
        .unwrap();
    assert_eq!(
        (back.count, back.direction.unwrap().word()),
        (1, "backward")
    );
    let order = &report.order;
    assert_eq!(
        (
            order.late_starts.count,
            order.skips.count,
            order.regressions.count
        ),
        (1, 1, 1)
    );
    // Bob had no page before the till, cid one; ann two.
    let forced = order.forced.as_ref().unwrap();
    assert_eq!((forced.rate.count, forced.rate.n), (2, 3));
    let furthest: Vec<u64> = order.furthest.iter().map(|f| f.rate.count).collect();
    assert_eq!(furthest, [0, 2, 2]);
    // From o to x: ann's way to the till leads to a goal, cid's does not. Nobody stays with x on the way but ann.
    let all = report
        .handovers
        .iter()
        .find(|h| h.from.is_none() && h.by == "owner")
        .unwrap();
    assert_eq!(
        (
            all.count,
            all.goal.with.count,
            all.goal.without.count,
            all.goal.without.n
        ),
        (3, 1, 2, 2)
    );
    assert_eq!(report.never_seen, ["never"]);
    assert_eq!(
        (
            report.base.bound_events,
            report.coverage.orphans[0].event.as_str()
        ),
        (11, "hum")
    );
}

#[test]
fn times_outcomes_and_holes() {
    let mut map = small();
    let seconds = |s: i64| TimeSpan::from_micros(s * 1_000_000);
    let pair = Pair {
        start: when("till"),
        end: when("buy"),
    };
    let binding = map.touchpoints[1].binding.as_mut().unwrap();
    binding.dwell = Some(Dwell::Pair(pair));
    binding.outcome = Some(Outcome {
        success: Some(when("buy")),
        failure: Some(when("help")),
        within: seconds(600),
    });
    let rows = [
        ("ann", 0, "till"),
        ("ann", 3, "buy"),
        ("bob", 0, "till"),
        ("bob", 5, "help"),
        ("bob", 6, "buy"),
        ("cid", 0, "till"),
        ("cid", 7, "page"),
        ("dee", 95, "till"),
        ("eve", 100, "page"),
    ];
    let report = of(&rows, &map, &Overlay::new());
    let till = report.touchpoint("till").unwrap();
    let dwell = till.cell.as_ref().unwrap().dwell;
    // 3 and 6 minutes; cid's lasted 7 at least; of dee's nothing is known.
    assert_eq!((dwell.n, dwell.censored, dwell.unknown), (3, 1, 1));
    // Ann's went well; bob asked for help first; cid's time is over; dee may still buy. What comes after a purchase counts, too.
    let outcome = till.outcome.unwrap();
    assert_eq!((outcome.count, outcome.n), (1, 5));
    // Too few for numbers, and said so.
    assert_eq!(till.cell.as_ref().unwrap().reach.estimate, None);
    assert!(dwell.median.is_none());
    let holes = report
        .caveats()
        .iter()
        .any(|c| matches!(c, desireline_core::report::Caveat::TooFew { .. }));
    assert!(holes);
}

#[test]
fn nothing_one_and_hostile_names() {
    let report = of(&[("a", 0, "page")], &small(), &Overlay::new().min_n(1));
    assert_eq!((report.base.journeys, report.base.open), (1, 1));
    // A map without anything.
    let bare = of(
        &[("a", 0, "page")],
        &empty(MapKind::Actual),
        &Overlay::new(),
    );
    assert_eq!((bare.base.bound_events, bare.base.off_map), (0, 1));
    let mut map = small();
    map.touchpoints[0].name = "<b>\"\n\u{202e}ü</b>".into();
    let rows = [("a", i64::from(u16::MAX), "<script>"), ("b", 0, "page")];
    let report = of(&rows, &map, &Overlay::new().by_period(CalendarUnit::Year));
    assert_eq!(report.coverage.orphans[0].event, "<script>");
    for table in report.tables() {
        assert!(
            table
                .columns
                .iter()
                .all(|c| c.cells.len() == table.n_rows()),
            "{}",
            table.name
        );
    }
    // Nothing is left where nothing is selected.
    let none = SHOP.keep_journeys("customer == \"nobody\"").unwrap();
    let report = overlay(
        &MAP,
        &none,
        &Overlay::new().by_period(CalendarUnit::Day),
        &Exec::new(),
    )
    .unwrap();
    assert_eq!((report.base.journeys, report.base.bound_share), (0, None));
}

#[test]
fn a_lens_looks_at_one_goal() {
    let goals = [("have", "buy"), ("know", "help")];
    let mut map = small();
    map.goals = goals
        .map(|(id, e)| CustomerGoal::new(id, id, GoalKind::Functional).success(when(e)))
        .to_vec();
    let rows = [
        ("ann", 0, "page"),
        ("ann", 1, "buy"),
        ("bob", 0, "help"),
        ("cid", 500, "page"),
    ];
    let both = of(&rows, &map, &Overlay::new());
    let one = of(&rows, &map, &Overlay::new().lens("know"));
    assert_eq!((both.base.reached, one.base.reached), (2, 1));
    assert_eq!(one.goals.iter().filter(|g| g.measured).count(), 1);
    let journeys = Log::from_rows([("a", 0, "page")])
        .unwrap()
        .journeys(JourneyRule::customer())
        .unwrap();
    let wrong = overlay(&map, &journeys, &Overlay::new().lens("knov"), &Exec::new()).unwrap_err();
    assert!(
        wrong.to_string().contains("did you mean `know`?"),
        "{wrong}"
    );
}

#[test]
fn the_scope_is_minded() {
    let mut map = small();
    let text = map.to_yaml().unwrap()
        + "scope: {segment: page, exclude: [{text: Tests, when: hum}, {text: Gone, when: nosuch}]}\n";
    map = JourneyMap::from_yaml(&text).unwrap();
    let rows = [("ann", 0, "page"), ("ann", 1, "hum"), ("bob", 0, "till")];
    let report = of(&rows, &map, &Overlay::new());
    assert_eq!((report.base.customers, report.base.events), (1, 1));
    assert_eq!(report.provenance.selections.len(), 2);
}

#[test]
fn personas_that_turn_a_difference_round_are_warned_of() {
    // Within regulars and within others, who meets the page buys less; regulars meet it more and buy more.
    let mut rows: Vec<(String, i64, &str)> = Vec::new();
    let mut add = |n: usize, bought: usize, regular: bool, page: bool| {
        for i in 0..n {
            let id = format!("{}{}{i:04}", u8::from(regular), u8::from(page));
            rows.push((id.clone(), 0, if regular { "card" } else { "hum" }));
            if page {
                rows.push((id.clone(), 1, "page"));
            }
            if i < bought {
                rows.push((id, 2, "buy"));
            }
        }
    };
    add(800, 560, true, true);
    add(200, 180, true, false);
    add(200, 20, false, true);
    add(800, 240, false, false);
    rows.push(("zz".to_owned(), 10_000, "hum"));
    let map = small().personas([Persona::new("regular", "Regular").member(when("card"))]);
    let rows: Vec<(&str, i64, &str)> = rows.iter().map(|(c, t, e)| (c.as_str(), *t, *e)).collect();
    let report = of(&rows, &map, &Overlay::new());
    let lift = cell(&report, CellKind::Touchpoint, "page").lift.unwrap();
    assert!(lift.difference.unwrap().lower > 0.0);
    let told: Vec<String> = report
        .caveats
        .iter()
        .map(desireline_core::report::Caveat::message)
        .collect();
    assert!(
        told.iter().any(|t| t.contains("the touchpoint `page`")),
        "{told:?}"
    );
    let seen = report.lens(0.05);
    assert!(
        seen.iter()
            .any(|(kind, id, c)| *kind == CellKind::Touchpoint
                && *id == "page"
                && c.difference == lift.difference)
    );
    let test = report.groups[0]
        .tests
        .iter()
        .find(|t| t.id == "page" && t.kind == CellKind::Touchpoint)
        .unwrap();
    assert!(test.q.unwrap() < 1e-6 && test.prior.is_some());
}
