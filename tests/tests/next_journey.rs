//! Which journey of a customer comes next, and which number a journey has: facts of the cut that no selection changes.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use desireline_core::analyses::{Dropoff, Funnel, Goals};
use desireline_core::journey::{JourneyRule, Journeys, Scratch};
use desireline_core::log::{AttributeType, EventRow, Log, LogBuilder, LogOptions};
use desireline_core::report::Caveat;
use desireline_core::time::TimeSpan;
use desireline_tests::random_log::{GAP, Row, build, naive_journeys, rows};

const SECOND: i64 = 1_000_000;
const HOUR: i64 = 3_600 * SECOND;
const DAY: i64 = 24 * HOUR;

/// Customer and number of each journey, with its first and last event's time and when the next one begins.
type Places = BTreeMap<(String, u32), (i64, i64, Option<i64>)>;

fn places(journeys: &Journeys) -> Places {
    let mut found = Places::new();
    let mut scratch = Scratch::default();
    for (b, block) in journeys.blocks().iter().enumerate() {
        for &range in block.morsels() {
            let morsel = block.morsel(range, &mut scratch);
            for journey in morsel.journeys() {
                let span = journey.span();
                let customer = journeys.log().customer_id(b, span.customer as usize);
                let times = (journey.start_time(), journey.end_time());
                let place = (times.0, times.1, journey.next_start());
                let double = found.insert((customer.into_owned(), span.ordinal), place);
                assert_eq!(double, None);
            }
        }
    }
    found
}

/// Each customer's journeys as places in the customer's sorted events: by channel, cut at pauses above `gap` as well.
fn naive_by_channel(rows: &[Row], gap: Option<i64>) -> Places {
    let mut found = Places::new();
    for events in naive_journeys(rows, None) {
        let mut by_channel: Vec<(Option<String>, Vec<usize>)> = Vec::new();
        for (i, row) in events.iter().enumerate() {
            match by_channel.iter_mut().find(|(c, _)| *c == row.channel) {
                Some((_, places)) => places.push(i),
                None => by_channel.push((row.channel.clone(), vec![i])),
            }
        }
        let mut journeys: Vec<Vec<usize>> = Vec::new();
        for (_, places) in by_channel {
            let mut current: Vec<usize> = Vec::new();
            for i in places {
                let pause = current.last().map(|&l| events[i].time - events[l].time);
                if pause.is_some_and(|p| gap.is_some_and(|g| p > g)) {
                    journeys.push(std::mem::take(&mut current));
                }
                current.push(i);
            }
            journeys.push(current);
        }
        for (number, journey) in (0..).zip(&journeys) {
            let last = journey[journey.len() - 1];
            let next = journeys.iter().map(|j| j[0]).filter(|&first| first > last);
            let next = next.min().map(|i| events[i].time);
            let key = (events[0].customer.clone(), number);
            found.insert(key, (events[journey[0]].time, events[last].time, next));
        }
    }
    found
}

fn by_channel(gap: Option<i64>) -> JourneyRule {
    JourneyRule {
        gap: gap.map(TimeSpan::from_micros),
        ..JourneyRule::column("channel")
    }
}

#[test]
fn the_next_journey_is_the_first_that_begins_after_this_one_has_ended() {
    for seed in 0..3_000 {
        let rows = rows(seed);
        for gap in [None, Some(GAP)] {
            let journeys = build(&rows).unwrap().journeys(by_channel(gap)).unwrap();
            assert_eq!(
                places(&journeys),
                naive_by_channel(&rows, gap),
                "seed {seed}"
            );
        }
    }
}

#[test]
fn outcomes_of_overlapping_journeys_agree_with_a_naive_count() {
    let (alive, within) = (GAP, 2 * GAP);
    let dropoff = Dropoff::default()
        .alive(TimeSpan::from_micros(alive))
        .returns_within(TimeSpan::from_micros(within));
    for seed in 0..3_000 {
        let rows = rows(seed);
        let until = rows.iter().map(|r| r.time).max().unwrap();
        let (mut open, mut exits, mut known, mut returned) = (0, 0, 0, 0);
        for (_, last, next) in naive_by_channel(&rows, None).into_values() {
            if next.is_none() && until - last < alive {
                open += 1;
                continue;
            }
            exits += 1;
            if until - last >= within {
                known += 1;
                returned += u64::from(next.is_some_and(|next| next - last <= within));
            }
        }
        let journeys = build(&rows).unwrap().journeys(by_channel(None)).unwrap();
        let names = Goals::new([desireline_core::expr::Expr::all().not()]);
        let set = (dropoff.clone(), names.alive(TimeSpan::from_micros(alive)));
        let (report, goals) = journeys.run_all(&set).unwrap();
        assert_eq!((report.exits, report.open), (exits, open), "seed {seed}");
        assert_eq!(
            (report.returned.count, report.returned.n),
            (returned, known),
            "seed {seed}"
        );
        assert_eq!(goals.n_open, open, "seed {seed}");
    }
}

#[test]
fn no_selection_changes_the_next_journey_or_the_number() {
    for seed in 0..2_000 {
        let rows = rows(seed);
        if !rows.iter().any(|r| r.event == "a") {
            continue;
        }
        for rule in [
            by_channel(None),
            by_channel(Some(GAP)),
            JourneyRule::gap(TimeSpan::from_micros(GAP)).unwrap(),
        ] {
            let all = build(&rows).unwrap().journeys(rule).unwrap();
            let as_cut = places(&all);
            assert_eq!(places(&all.keep_events("true").unwrap()), as_cut);
            let same = |selected: &Journeys| {
                for (journey, (_, _, next)) in places(selected) {
                    assert_eq!(as_cut[&journey].2, next, "{journey:?} of seed {seed}");
                }
            };
            same(&all.keep_events("not a").unwrap());
            same(&all.keep_journeys("a").unwrap());
            // Where no selection hides what the other looks for, their order does not matter.
            let (first, second) = ("a or event != \"a\"", "a");
            let one = all.keep_events(first).unwrap();
            let one = one.keep_journeys(second).unwrap();
            let two = all.keep_journeys(second).unwrap();
            let two = two.keep_events(first).unwrap();
            same(&one);
            assert_eq!(places(&one), places(&two), "seed {seed}");
            // And once more over what is already selected.
            let one = one.keep_events("a").unwrap().keep_events("true").unwrap();
            same(&one);
        }
    }
}

fn log(events: &[(&str, i64, &str)]) -> Log {
    let mut builder = LogBuilder::new(LogOptions::default());
    for (customer, time, event) in events {
        builder.push(*customer, *time, event).unwrap();
    }
    builder.finish().unwrap()
}

/// Ten customers who view, and come back an hour later for something else, the last event of the log.
fn returning() -> Journeys {
    let ids: Vec<String> = (0..10).map(|i| format!("c{i}")).collect();
    let events: Vec<(&str, i64, &str)> = ids
        .iter()
        .flat_map(|id| [(id.as_str(), 0, "view"), (id.as_str(), HOUR, "other")])
        .collect();
    log(&events)
        .journeys(JourneyRule::gap("30m").unwrap())
        .unwrap()
}

#[test]
fn hidden_journeys_still_happened() {
    let all = returning();
    let dropoff = Dropoff::default().alive("2h").returns_within("1h");
    let funnel = Funnel::steps(["view", "view"]).within("2h");
    let goals = Goals::new(["view"]).alive("2h");
    let selected = [
        all.keep_journeys("view").unwrap(),
        all.keep_events("true")
            .unwrap()
            .keep_journeys("view")
            .unwrap(),
        all.keep_journeys("view")
            .unwrap()
            .keep_events("true")
            .unwrap(),
        // The whole second journey is hidden: the customer came back all the same.
        all.keep_events("view").unwrap(),
    ];
    for journeys in &selected {
        let (dropoff, funnel, goals) = journeys
            .run_all(&(dropoff.clone(), funnel.clone(), goals.clone()))
            .unwrap();
        assert_eq!((dropoff.exits, dropoff.open), (10, 0));
        assert_eq!((dropoff.returned.count, dropoff.returned.n), (10, 10));
        assert_eq!((funnel.dropped, funnel.at_risk), (10, 0));
        assert_eq!(goals.n_open, 0);
    }
    let later = all.keep_events("other").unwrap();
    assert!(places(&later).keys().all(|(_, number)| *number == 1));
}

/// A's customer has three journeys: A at 0 and 100 s, B within it, and C at `later`.
fn overlapping(later: i64, observed_until: Option<i64>) -> Journeys {
    let mut options = LogOptions::default().attribute("session", AttributeType::Text);
    options.observed_until = observed_until;
    let mut builder = LogBuilder::new(options);
    for i in 0..10 {
        let id = format!("c{i}");
        for (time, session) in [
            (0, "A"),
            (50 * SECOND, "B"),
            (60 * SECOND, "B"),
            (100 * SECOND, "A"),
            (later, "C"),
        ] {
            let attributes = [("session", session.into())];
            let row = EventRow::new(id.as_str(), time, session);
            builder
                .push_row(&EventRow {
                    attributes: &attributes,
                    ..row
                })
                .unwrap();
        }
    }
    let log = builder.finish().unwrap();
    log.journeys(JourneyRule::column("session")).unwrap()
}

#[test]
fn a_journey_within_this_one_is_not_the_next_but_the_one_after_is() {
    let days = overlapping(DAY, Some(10 * DAY));
    // Who ended A or B came back with C; nothing came after C.
    let dropoff = Dropoff::default().returns_within("1d");
    let report = days.run(&dropoff).unwrap();
    assert_eq!((report.exits, report.open), (30, 0));
    assert_eq!((report.returned.count, report.returned.n), (20, 30));
    let whys = days.explain(&dropoff, "c0").unwrap();
    let why = &whys[0].cells[0].why;
    assert!(why.contains("next journey began at 1970-01-02"), "{why}");

    // A is over since C began, also where the end of the log is near.
    let near = overlapping(200 * SECOND, None);
    let report = near.run(&Dropoff::default().alive("5m")).unwrap();
    assert_eq!((report.exits, report.open), (20, 10));
}

#[test]
fn missing_ids_are_counted_over_the_events_that_were_cut() {
    let rows: Vec<Row> = (0..20)
        .map(|i| Row {
            customer: format!("c{}", i % 4),
            time: i * SECOND,
            event: if i < 4 { "a" } else { "b" }.to_owned(),
            channel: None,
        })
        .collect();
    let missing = |journeys: &Journeys| -> Option<u64> {
        journeys.caveats().iter().find_map(|c| match c {
            Caveat::MissingJourneyId { events } => Some(*events),
            _ => None,
        })
    };
    // No value at all: the column is one value per customer.
    let log = build(&rows).unwrap();
    let rule = JourneyRule::column("channel");
    assert_eq!(missing(&log.journeys(rule.clone()).unwrap()), Some(20));
    let kept = log.keep_events("a").unwrap().journeys(rule.clone());
    assert_eq!(missing(&kept.unwrap()), Some(4));

    // One value per event.
    let mut rows = rows;
    rows[0].channel = Some("web".to_owned());
    rows[4].channel = Some("app".to_owned());
    let log = build(&rows).unwrap();
    assert_eq!(missing(&log.journeys(rule.clone()).unwrap()), Some(18));
    let kept = log.keep_events("a").unwrap().journeys(rule);
    assert_eq!(missing(&kept.unwrap()), Some(3));
}

#[test]
fn a_selection_that_leaves_nothing_says_so() {
    let all = returning();
    let none = all.keep_journeys("view and other").unwrap();
    assert_eq!(none.n_journeys(), 0);
    assert!(none.caveats().contains(&Caveat::NothingSelected));
    assert!(!all.caveats().contains(&Caveat::NothingSelected));
}

#[test]
fn observation_that_ends_before_the_last_event_says_so() {
    let with = |until| {
        let mut builder = LogBuilder::new(LogOptions {
            observed_until: Some(until),
            ..LogOptions::default()
        });
        builder.push("ann", 5, "view").unwrap();
        builder.finish().unwrap()
    };
    let caveat = Caveat::ObservedUntilTooEarly { until: 4, last: 5 };
    assert!(with(4).caveats().contains(&caveat));
    assert!(with(5).caveats().is_empty() && with(6).caveats().is_empty());
}
