//! Bindings and checks on logs small enough to count by hand.
#![allow(clippy::unwrap_used)]

mod deep;

use super::*;
use crate::engine::Exec;
use crate::journey::JourneyRule;
use crate::log::{Log, LogBuilder, LogOptions};
use crate::map::check::{CheckOptions, Code};
use crate::map::{Form, MapFile};

const DAY: i64 = 86_400_000_000;

/// What every map of a test begins with, as a literal for `concat!`.
macro_rules! map_head {
    () => {
        concat!(
            "schema: 1\nid: m\ntitle: M\nversion: 1.0.0\nkind: actual\nstatus: draft\nas_of: 2026-01-01\n",
            "owner: o\nstakeholders: [{id: o, name: O}]\n"
        )
    };
}
pub(super) use map_head;

fn map(touchpoints: &str) -> MapFile {
    let stages = "stages: [{id: s, name: S}]";
    let text = format!("{}{stages}\ntouchpoints:\n{touchpoints}", map_head!());
    MapFile::read(&text, Form::Yaml).unwrap_or_else(|e| panic!("{}", e.snippets(&text)))
}

pub(super) fn log<S: AsRef<str>>(rows: &[(S, i64, &str)]) -> Log {
    Log::from_rows(rows.iter().map(|(c, t, e)| (c.as_ref(), *t, *e))).unwrap()
}

fn looked(file: &MapFile, log: &Log) -> MapCheck {
    let journeys = log.journeys(journey_rule(file.map()).unwrap()).unwrap();
    check(file, &journeys, &CheckOptions::new(), &Exec::new()).unwrap()
}

fn said(check: &MapCheck, code: Code) -> Vec<String> {
    let place = |n: &crate::map::check::Notice| n.at.map_or(0, |at| at.line);
    check
        .report
        .with(code)
        .map(|n| format!("{}: {}", place(n), n.told()))
        .collect()
}

#[test]
fn dead_shadowed_and_orphan_bindings() {
    let file = map(
        "  - {id: any, name: Any, stages: [s], binding: home or cart}\n\
         \x20 - {id: cart, name: Cart, stages: [s], binding: cart}\n\
         \x20 - {id: gone, name: Gone, stages: [s], binding: chekout}\n\
         \x20 - {id: never, name: Never, stages: [s], binding: home and not home}\n",
    );
    let log = log(&[
        ("a", 0, "home"),
        ("a", 1, "cart"),
        ("a", 2, "checkout"),
        ("b", 0, "checkout"),
        ("b", 5, "zoom"),
    ]);
    let check = looked(&file, &log);
    assert_eq!(
        said(&check, Code::Dead),
        [
            "14: the log has no event `chekout`; did you mean `checkout`?",
            "15: `Never` matches no event of the log"
        ]
    );
    assert_eq!(
        said(&check, Code::Shadow),
        [
            "13: all 1 events of `Cart` are taken by `any`; give it a higher `priority`, or narrow the others"
        ]
    );
    assert_eq!(
        said(&check, Code::Orphan),
        [
            "11: 3 of 5 events (60 %) belong to no touchpoint: `checkout` (2), `zoom` (1); bind them, or allow a larger share with `checks: {orphans: …}`"
        ]
    );
    let coverage = check.coverage.unwrap();
    assert_eq!(
        (coverage.events, coverage.bound_events, coverage.customers),
        (5, 2, 2)
    );
    let counts: Vec<_> = coverage
        .touchpoints
        .iter()
        .map(|t| (t.id.as_str(), t.matched, t.events, t.customers))
        .collect();
    assert_eq!(
        counts,
        [
            ("any", 2, 2, 1),
            ("cart", 1, 0, 0),
            ("gone", 0, 0, 0),
            ("never", 0, 0, 0)
        ]
    );
}

#[test]
fn priorities_and_policies() {
    let rows = [("a", 0, "home"), ("a", 1, "cart"), ("b", 0, "cart")];
    let touchpoints = |cart: &str, policy: &str| {
        map(&format!(
            "  - {{id: any, name: Any, stages: [s], binding: home or cart}}\n  - {{id: cart, name: Cart, stages: [s], binding: {cart}}}\n{policy}"
        ))
    };
    let counts = |file: &MapFile| {
        let coverage = looked(file, &log(&rows)).coverage.unwrap();
        coverage
            .touchpoints
            .iter()
            .map(|t| (t.id.clone(), t.events))
            .collect::<Vec<_>>()
    };
    let pairs = |list: &[(&str, u64)]| {
        list.iter()
            .map(|(id, n)| ((*id).to_owned(), *n))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        counts(&touchpoints("cart", "")),
        pairs(&[("any", 3), ("cart", 0)])
    );
    assert_eq!(
        counts(&touchpoints("{when: cart, priority: 1}", "")),
        pairs(&[("cart", 2), ("any", 1)])
    );
    assert_eq!(
        counts(&touchpoints("cart", "binding_policy: multi\n")),
        pairs(&[("any", 3), ("cart", 2)])
    );
}

#[test]
fn candidates_are_looked_up_by_name() {
    let file = map("  - {id: cart, name: Cart, stages: [s], binding: cart}\n\
         \x20 - {id: web, name: Web, stages: [s], binding: customer = \"a\" and (cart or home)}\n\
         \x20 - {id: first, name: First, stages: [s], binding: first(home)}\n\
         \x20 - {id: rest, name: Rest, stages: [s], binding: not cart}\n\
         \x20 - {id: late, name: Late, stages: [s], binding: \"after(home, 1d)\"}\n");
    let log = log(&[("a", 0, "home"), ("a", 1, "cart"), ("b", 2, "buy")]);
    let bound = BoundMap::new(file.map(), log.catalog()).unwrap();
    let names = |event: &str| {
        let code = log.catalog().events.code(event).unwrap();
        let list = bound.candidates(code).iter();
        list.map(|c| (bound.bindings[c.binding].id.to_string(), c.always))
            .collect::<Vec<_>>()
    };
    let pairs = |list: &[(&str, bool)]| {
        list.iter()
            .map(|(id, a)| ((*id).to_owned(), *a))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        names("cart"),
        pairs(&[("cart", true), ("web", false), ("late", false)])
    );
    assert_eq!(
        names("home"),
        pairs(&[
            ("web", false),
            ("first", false),
            ("rest", true),
            ("late", false)
        ])
    );
    assert_eq!(names("buy"), pairs(&[("rest", true), ("late", false)]));
}

#[test]
fn what_does_not_fit_the_log_is_placed() {
    let file = map(
        "  - id: a\n    name: A\n    stages: [s]\n    binding: |\n      home\n      and chanel == \"web\"\n\
         \x20 - {id: b, name: B, stages: [s], binding: {when: home, dwell: {attribute: seconds}}}\n",
    );
    let check = looked(&file, &log(&[("a", 0, "home")]));
    assert_eq!(check.coverage, None);
    let told = said(&check, Code::Type);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(
        told[0].starts_with("17: unknown field `chanel`"),
        "{told:?}"
    );
    assert_eq!(told[1], "18: the log has no attribute `seconds`");
    let at = check.report.with(Code::Type).next().unwrap().at.unwrap();
    assert_eq!((at.line, at.column), (17, 11));
}

#[test]
fn window_openness_and_small_numbers() {
    let text = map("  - {id: t, name: T, stages: [s], binding: home}\n")
        .text()
        .to_owned()
        + "scope: {window: {from: 1970-01-02, to: 1970-01-04}, journeys: {gap: 1d}}\n";
    let file = MapFile::read(&text, Form::Yaml).unwrap();
    let rows: Vec<(String, i64, &str)> = (0..8)
        .map(|i| (format!("c{i}"), i * DAY / 2, "home"))
        .collect();
    let log = log(&rows);
    let check = looked(&file, &log);
    // Days 0, 0.5, …, 3.5: two before the 2nd, two from the 4th on. The last two lie less than a day before the end.
    assert_eq!(
        said(&check, Code::Clock),
        ["13: 4 of 8 events (50 %) lie outside of the window: 2 before it, 2 after it"]
    );
    assert_eq!(
        said(&check, Code::Censor),
        [
            "13: 1 of 4 journeys (25 %) are still open at the end of observation; wait, or look at a window that ended earlier"
        ]
    );
    assert_eq!(
        said(&check, Code::Small),
        ["12: `T` was met by 4 customers, fewer than 10"]
    );
    assert_eq!(
        said(&check, Code::Blind)[1],
        "12: 4 customers (100 %) meet `T`, and nobody asks them about it; about 97 answers tell a share to ±10 points"
    );
}

#[test]
fn the_rule_of_a_map() {
    let text = map("").text().replace("touchpoints:\n", "")
        + "scope: {journeys: {gap: 30m, end: bye, goal_ends: true, calendar: day@Europe/Berlin}}\n\
           goals: [{id: g, text: G, kind: social, success: buy}]\n";
    let file = MapFile::read(&text, Form::Yaml).unwrap();
    let rule = journey_rule(file.map()).unwrap();
    assert_eq!(
        rule.to_string(),
        "gap=30m end=bye or buy calendar=day@Europe/Berlin"
    );
    let bad = MapFile::read(&text.replace("day@", "fortnight@"), Form::Yaml).unwrap();
    assert!(journey_rule(bad.map()).is_err());
}

#[test]
fn tracking_that_breaks_is_seen_and_steady_tracking_is_not() {
    let file = map(
        "  - {id: home, name: Home, stages: [s], binding: home}\n  - {id: buy, name: Buy, stages: [s], binding: buy}\n",
    );
    let made = |broken: bool| {
        let mut builder = LogBuilder::new(LogOptions::default());
        for month in 0..12i64 {
            for c in 0..200i64 {
                let time = month * 30 * DAY + c * DAY / 10;
                let id = format!("c{c}");
                builder.push(id.as_str(), time, "home").unwrap();
                // A third buys; from July on the event is lost.
                if (c + month) % 3 == 0 && !(broken && month >= 7) {
                    builder.push(id.as_str(), time + 60_000_000, "buy").unwrap();
                }
            }
        }
        builder.finish().unwrap()
    };
    let drift = |log: &Log| said(&looked(&file, log), Code::Drift);
    assert_eq!(drift(&made(false)), Vec::<String>::new());
    let told = drift(&made(true));
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("13: from the month of 1970-08-01 on, `Buy` is met by 0 % of the customers active in a month instead of 3"), "{told:?}");
}

#[test]
fn threads_do_not_show() {
    let file = map("  - {id: t, name: T, stages: [s], binding: \"first(home)\"}\n");
    let rows: Vec<(String, i64, &str)> = (0..5_000)
        .map(|i| {
            (
                format!("c{}", i % 700),
                i64::from(i) * 1_000_000,
                ["home", "cart", "buy"][i as usize % 3],
            )
        })
        .collect();
    let log = log(&rows);
    let journeys = log.journeys(JourneyRule::gap("10m").unwrap()).unwrap();
    let with = |n| {
        check(
            &file,
            &journeys,
            &CheckOptions::new(),
            &Exec::new().threads(n).unwrap(),
        )
        .unwrap()
    };
    assert_eq!(with(1), with(3));
}

/// The map with two stages, and channels that the log's column decides.
fn measured_map(min_n: u64) -> MapFile {
    let text = format!(
        "schema: 1\nid: m\ntitle: M\nversion: 1.0.0\nkind: actual\nstatus: draft\nas_of: 2026-01-01\nowner: o\n\
         stakeholders: [{{id: o, name: O}}]\nstages: [{{id: s, name: S}}, {{id: t, name: T}}]\n\
         channels: [{{id: web, kind: site_app, values: [www]}}, {{id: mail, kind: email}}]\n\
         touchpoints:\n\
         \x20 - {{id: a, name: A, stages: [s], channel: web, binding: a}}\n\
         \x20 - {{id: b, name: B, stages: [t], channel: web, binding: b}}\n\
         checks: {{min_n: {min_n}}}\n"
    );
    MapFile::read(&text, Form::Yaml).unwrap_or_else(|e| panic!("{}", e.snippets(&text)))
}

#[test]
fn a_time_without_an_upper_limit_is_no_hole_without_a_reason() {
    let minute = 60_000_000;
    let dwell = |lengths: &[i64], min_n: u64| {
        let names: Vec<String> = (0..lengths.len()).map(|i| format!("c{i}")).collect();
        let rows = names.iter().zip(lengths).flat_map(|(name, length)| {
            let name = name.as_str();
            // A length below 0 was cut off.
            let (length, next) = match length {
                0.. => (*length, "b"),
                _ => (-*length, "a"),
            };
            [(name, 0, "a"), (name, length, next)]
        });
        let log = Log::from_rows(rows).unwrap();
        let file = measured_map(min_n);
        let journeys = log.journeys(JourneyRule::customer()).unwrap();
        let report = overlay(file.map(), &journeys, &Overlay::new(), &Exec::new()).unwrap();
        report.stage("s").unwrap().cell.dwell
    };
    // Twenty visits that all ended after the same time: 20 of 20 bound the median, but not the ninetieth percentile.
    let all = dwell(&[minute; 20], 10);
    let median = all.median.unwrap();
    assert_eq!((median.value, median.upper), (6e7, 6e7));
    assert_eq!(all.median_hole, None);
    let open = report::TimeHole::NoUpperLimit {
        value: minute,
        lower: minute,
    };
    assert_eq!((all.p90, all.p90_hole), (None, Some(open)));
    // Four that ended: the median was seen, and nothing bounds it.
    let four = dwell(&[minute, 2 * minute, 3 * minute, 4 * minute], 2);
    assert_eq!(four.median, None);
    assert_eq!(four.median_hole.unwrap().value(), Some(2 * minute));
    // Half and more were not seen to end.
    let cut = dwell(&[minute, minute, -minute, -minute, -minute, -minute], 2);
    assert_eq!(cut.median_hole, Some(report::TimeHole::NotEnded), "{cut:?}");
    let few = dwell(&[minute, minute], 5);
    assert_eq!(few.median_hole, Some(report::TimeHole::TooFew));
}

#[test]
fn a_check_looks_at_what_an_overlay_measures() {
    let text = measured_map(1).text().to_owned()
        + "goals: [{id: g, text: G, kind: social, success: done}]\n\
           scope:\n  window: {from: 1970-01-02, to: 1970-01-10}\n\
           \x20 exclude: [{when: 'event == \"bot\"', text: r}, {when: 'noise or crawl', text: r}]\n\
           \x20 segment: a or visit\n";
    let file = MapFile::read(&text, Form::Yaml).unwrap_or_else(|e| panic!("{}", e.snippets(&text)));
    let hour = DAY / 24;
    let log = log(&[
        ("early", 0, "a"),
        ("early", 2 * DAY, "b"),
        ("one", 2 * DAY, "a"),
        ("one", 2 * DAY + hour, "noise"),
        ("one", 2 * DAY + 2 * hour, "hum"),
        ("one", 12 * DAY, "b"),
        ("two", 3 * DAY, "a"),
        ("two", 3 * DAY + hour, "done"),
        ("last", 9 * DAY - hour / 4, "a"),
        ("off", 3 * DAY, "b"),
    ]);
    let journeys = log.journeys(journey_rule(file.map()).unwrap()).unwrap();
    let check = looked(&file, &log);
    let report = overlay(file.map(), &journeys, &Overlay::new(), &Exec::new()).unwrap();
    let coverage = check.coverage.as_ref().unwrap();
    assert_eq!((coverage.events, coverage.bound_events), (6, 4));
    assert_eq!(
        (coverage.events, coverage.bound_events, coverage.journeys),
        (
            report.base.events,
            report.base.bound_events,
            report.base.journeys
        )
    );
    assert_eq!(coverage.orphans, report.coverage.orphans);
    // The one who goes on after the window, and the one who was here just before its end; the log itself has no gap.
    assert_eq!(report.base.open, 2);
    let censor = said(&check, Code::Censor);
    assert!(
        censor[0].contains(": 2 of 4 journeys (50 %) are still open"),
        "{censor:?}"
    );
    assert!(
        coverage
            .tracking_unknown
            .as_ref()
            .unwrap()
            .contains("6 whole weeks")
    );
    // What the log does not have is said in both, and stops neither.
    let dead = said(&check, Code::Dead);
    for name in ["bot", "crawl", "visit"] {
        assert!(
            dead.iter().any(|d| d.contains(&format!("`{name}`"))),
            "{dead:?}"
        );
        let told = report.caveats.iter().map(crate::report::Caveat::message);
        assert!(
            told.into_iter()
                .any(|c| c.contains(&format!("`{name}`")) && c.contains("`scope."))
        );
    }
    let wrong = text.replace("segment: a or visit", "segment: plan == 'x'");
    let file = MapFile::read(&wrong, Form::Yaml).unwrap();
    let told = overlay(file.map(), &journeys, &Overlay::new(), &Exec::new()).unwrap_err();
    let told = told.to_string();
    assert!(
        told.contains("scope.segment") && !told.contains("--"),
        "{told}"
    );
}

#[test]
fn an_outcome_is_known_when_its_time_has_passed() {
    let text = measured_map(1).text().replace(
        "binding: b}",
        "binding: {when: b, outcome: {success: happy, within: 30d}}}",
    );
    let file = MapFile::read(&text, Form::Yaml).unwrap_or_else(|e| panic!("{}", e.snippets(&text)));
    let outcome = |end: i64| {
        let rows = [
            ("x", 0, "b"),
            ("x", 10, "happy"),
            ("y", 0, "b"),
            ("z", end, "hum"),
        ];
        let journeys = log(&rows).journeys(JourneyRule::customer()).unwrap();
        let report = overlay(file.map(), &journeys, &Overlay::new(), &Exec::new()).unwrap();
        let rate = report.touchpoint("b").unwrap().outcome.unwrap();
        (rate.count, rate.n)
    };
    assert_eq!(outcome(2 * DAY), (0, 0));
    assert_eq!(outcome(30 * DAY), (1, 2));
}
