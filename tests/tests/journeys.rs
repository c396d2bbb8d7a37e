//! Journey rules and selections against the plainest possible cut.
#![allow(clippy::unwrap_used)]

use desireline_core::journey::{CalendarUnit, JourneyRule, Journeys, Scratch};
use desireline_core::log::{AttributeType, EventRow, Log, LogBuilder, LogOptions};
use desireline_core::time::TimeSpan;
use desireline_tests::random_log::{GAP, Row, build, naive_journeys, rows};

/// Every journey of the engine as (customer, times, names), in any order.
fn engine(journeys: &Journeys) -> Vec<(String, Vec<i64>, Vec<String>)> {
    let mut found = Vec::new();
    let mut scratch = Scratch::default();
    for (b, block) in journeys.blocks().iter().enumerate() {
        for &range in block.morsels() {
            let morsel = block.morsel(range, &mut scratch);
            for journey in morsel.journeys() {
                let customer = journeys
                    .log()
                    .customer_id(b, journey.span().customer as usize)
                    .into_owned();
                let names = journey
                    .codes()
                    .map(|c| journeys.catalog().events.name(c).to_owned())
                    .collect();
                found.push((customer, journey.times().to_vec(), names));
            }
        }
    }
    found.sort();
    found
}

fn plain(journeys: &[Vec<Row>]) -> Vec<(String, Vec<i64>, Vec<String>)> {
    let mut found: Vec<_> = journeys
        .iter()
        .map(|j| {
            (
                j[0].customer.clone(),
                j.iter().map(|r| r.time).collect(),
                j.iter().map(|r| r.event.clone()).collect(),
            )
        })
        .collect();
    found.sort();
    found
}

fn gap() -> JourneyRule {
    JourneyRule {
        gap: Some(TimeSpan::from_micros(GAP)),
        ..JourneyRule::default()
    }
}

/// Cuts each customer's journey before the places where `cut(journey so far, next)` holds.
fn cut(rows: &[Row], cut: impl Fn(&[Row], &Row) -> bool) -> Vec<Vec<Row>> {
    let mut all: Vec<Vec<Row>> = Vec::new();
    for customer in naive_journeys(rows, None) {
        let mut current: Vec<Row> = Vec::new();
        for row in customer {
            if !current.is_empty() && cut(&current, &row) {
                all.push(std::mem::take(&mut current));
            }
            current.push(row);
        }
        all.push(current);
    }
    all
}

#[test]
fn every_rule_cuts_as_its_definition_says() {
    for seed in 0..3_000 {
        let rows = rows(seed);
        let log = build(&rows).unwrap();
        let check = |rule: JourneyRule, expected: Vec<Vec<Row>>| {
            let journeys = log.journeys(rule.clone()).unwrap();
            assert_eq!(engine(&journeys), plain(&expected), "{rule} of seed {seed}");
            assert_eq!(journeys.n_journeys(), expected.len() as u64);
            assert_eq!(journeys.n_events(), rows.len() as u64);
        };
        check(JourneyRule::customer(), naive_journeys(&rows, None));
        check(gap(), naive_journeys(&rows, Some(GAP)));
        check(
            JourneyRule::customer().at_most(TimeSpan::from_micros(GAP)),
            cut(&rows, |j, r| r.time - j[0].time > GAP),
        );
        if rows.iter().any(|r| r.event == "a") {
            check(
                JourneyRule::customer().starts_at("a").unwrap(),
                cut(&rows, |_, r| r.event == "a"),
            );
            check(
                JourneyRule::customer().ends_at("a").unwrap(),
                cut(&rows, |j, _| j[j.len() - 1].event == "a"),
            );
            let both = gap().ends_at("a").unwrap();
            check(
                both,
                cut(&rows, |j, r| {
                    j[j.len() - 1].event == "a" || r.time - j[j.len() - 1].time > GAP
                }),
            );
        }
    }
}

#[test]
fn selections_keep_their_scope() {
    for seed in 0..3_000 {
        let rows = rows(seed);
        if !rows.iter().any(|r| r.event == "a") {
            continue;
        }
        let log = build(&rows).unwrap();
        let journeys = log.journeys(gap()).unwrap();
        let cut = naive_journeys(&rows, Some(GAP));

        let with_a: Vec<Vec<Row>> = cut
            .iter()
            .filter(|j| j.iter().any(|r| r.event == "a"))
            .cloned()
            .collect();
        assert_eq!(
            engine(&journeys.keep_journeys("a").unwrap()),
            plain(&with_a),
            "journeys of seed {seed}"
        );

        let hide = |journeys: &[Vec<Row>]| -> Vec<Vec<Row>> {
            let kept = journeys.iter().map(|j| {
                j.iter()
                    .filter(|r| r.event != "a")
                    .cloned()
                    .collect::<Vec<_>>()
            });
            kept.filter(|j| !j.is_empty()).collect()
        };
        assert_eq!(
            engine(&journeys.keep_events("not a").unwrap()),
            plain(&hide(&cut)),
            "events of seed {seed}"
        );
        let both = journeys
            .keep_journeys("a")
            .unwrap()
            .keep_events("not a")
            .unwrap();
        assert_eq!(engine(&both), plain(&hide(&with_a)), "both of seed {seed}");

        // Hidden before the cut: pauses are measured between what is left.
        let left: Vec<Row> = rows.iter().filter(|r| r.event != "a").cloned().collect();
        let before = log.keep_events("not a").unwrap().journeys(gap()).unwrap();
        assert_eq!(
            engine(&before),
            plain(&naive_journeys(&left, Some(GAP))),
            "before the cut, seed {seed}"
        );
    }
}

fn one_customer(times: &[&str]) -> Log {
    let micros = times
        .iter()
        .map(|t| desireline_core::time::parse_instant(t).unwrap());
    let mut builder = LogBuilder::new(LogOptions::default());
    for t in micros {
        builder.push("ann", t, "visit").unwrap();
    }
    builder.finish().unwrap()
}

#[test]
fn exactly_the_gap_does_not_cut() {
    let log = one_customer(&[
        "2026-01-01T00:00:00Z",
        "2026-01-01T00:30:00Z",
        "2026-01-01T01:00:00.000001Z",
        "2026-01-01T01:30:00Z",
    ]);
    assert_eq!(
        log.journeys(JourneyRule::gap("30m").unwrap())
            .unwrap()
            .n_journeys(),
        2
    );
    assert_eq!(
        log.journeys(JourneyRule::gap("29m 59s").unwrap())
            .unwrap()
            .n_journeys(),
        4
    );
}

#[test]
fn days_follow_the_zone_also_when_clocks_change() {
    // In Berlin 2026-03-29 has 23 hours (22:00 UTC ends it) and 2026-10-25 has 25 (23:00 UTC ends it).
    let log = one_customer(&[
        "2026-03-28T22:59:59Z",
        "2026-03-28T23:00:00Z",
        "2026-03-29T21:59:59Z",
        "2026-03-29T22:00:00Z",
        "2026-10-24T21:59:59Z",
        "2026-10-24T22:00:00Z",
        "2026-10-25T22:59:59Z",
        "2026-10-25T23:00:00Z",
    ]);
    let by = |unit, zone: &str| {
        log.journeys(JourneyRule::calendar(unit, zone))
            .unwrap()
            .n_journeys()
    };
    assert_eq!(by(CalendarUnit::Day, "Europe/Berlin"), 6);
    assert_eq!(by(CalendarUnit::Day, "UTC"), 4);
    assert_eq!(by(CalendarUnit::Month, "Europe/Berlin"), 2);
    assert_eq!(by(CalendarUnit::Year, "UTC"), 1);
    assert!(
        log.journeys(JourneyRule::calendar(CalendarUnit::Day, "Europe/Berln"))
            .is_err()
    );
}

#[test]
fn sessions_that_overlap_come_apart() {
    let mut options = LogOptions::default().attribute("session", AttributeType::Text);
    options.journey = Some("session".into());
    let mut builder = LogBuilder::new(options);
    for (t, name, session) in [
        (1, "a", "s1"),
        (2, "x", "s2"),
        (3, "b", "s1"),
        (4, "y", "s2"),
        (5, "c", "s1"),
    ] {
        let attributes = [("session", session.into())];
        builder
            .push_row(&EventRow {
                attributes: &attributes,
                ..EventRow::new("ann", t, name)
            })
            .unwrap();
    }
    let journeys = builder
        .finish()
        .unwrap()
        .journeys(JourneyRule::column("session"))
        .unwrap();
    let names: Vec<Vec<String>> = engine(&journeys)
        .into_iter()
        .map(|(_, _, names)| names)
        .collect();
    assert_eq!(names, [vec!["a", "b", "c"], vec!["x", "y"]]);
}

#[test]
fn mistakes_in_rules_are_told() {
    let log = one_customer(&["2026-01-01"]);
    for (rule, part) in [
        (JourneyRule::column("sesion"), "no attribute `sesion`"),
        (
            JourneyRule::customer().ends_at("purchas").unwrap(),
            "no event is called `purchas`",
        ),
    ] {
        let message = log.journeys(rule).unwrap_err().to_string();
        assert!(message.contains(part), "{message}");
    }
    for text in [
        "gap",
        "gap=soon",
        "gaps=30m",
        "calendar=fortnight",
        "end=(a",
    ] {
        assert!(JourneyRule::from_parts([text]).is_err(), "{text}");
    }
}
