//! Retention against a naive one that asks the calendar for every event, hand-made corner cases, and the laws.
#![allow(clippy::unwrap_used)]

mod naive;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use desireline_core::analyses::retention::{
    Birth, CellState, PeriodUnit, Retention, RetentionMode, RetentionReport, Weekday,
};
use desireline_core::compare::Comparison;
use desireline_core::engine::{Analysis, Breakdown, Exec};
use desireline_core::journey::{JourneyRule, Journeys};
use desireline_core::log::{Log, LogBuilder, LogOptions};
use desireline_core::registry::Entry;
use desireline_core::report::{Base, Caveat, Rate, Report};
use desireline_core::time::TimeSpan;
use desireline_tests::random_log::{Row, build_until, naive_journeys};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use naive::*;

const SECOND: i64 = 1_000_000;
const HOUR: i64 = 3_600 * SECOND;
const DAY: i64 = 24 * HOUR;

/// Without the cost of handing tiny logs to other threads.
static ONE_THREAD: LazyLock<Exec> = LazyLock::new(|| Exec::new().threads(1).unwrap());

const MODES: [RetentionMode; 5] = [
    RetentionMode::On,
    RetentionMode::OnOrAfter,
    RetentionMode::OnOrBefore,
    RetentionMode::Bracket,
    RetentionMode::Streak,
];

/// Zones with shifts by an hour, by half an hour, at midnight, and none.
const ZONES: [&str; 6] = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Sao_Paulo",
    "Asia/Kathmandu",
];

const WEEKDAYS: [Weekday; 7] = [
    Weekday::Monday,
    Weekday::Tuesday,
    Weekday::Wednesday,
    Weekday::Thursday,
    Weekday::Friday,
    Weekday::Saturday,
    Weekday::Sunday,
];

#[test]
fn agrees_with_a_naive_count_on_random_logs() {
    for seed in 0..12_000 {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let rows = rows(rng);
        let has = |name: &str| rows.iter().any(|r| r.event == name);
        if !(has("a") && has("b") && has("c")) {
            continue;
        }
        let question = question(rng);
        let last = rows.iter().map(|r| r.time).max().unwrap();
        let until = last + pick(rng, &[0, 1, HOUR, DAY - 1, 40 * DAY]);
        let log = build_until(&rows, Some(until)).unwrap();
        let (journeys, selected) = journeys(&log, &rows, rng.random_range(0..6));
        let report = journeys.run_with(&question, &ONE_THREAD).unwrap();
        let told = format!("seed {seed}: {question:?}");
        let expected = naive(&rows, |_, i| selected[i], until, &question);
        compare(&report, &expected, &told);
        laws(&report, &question);
        if seed % 8 == 0 {
            let located = journeys.count_located(&question).unwrap();
            let counted = journeys.count_cells(&question, &ONE_THREAD).unwrap();
            assert_eq!(located, counted, "{told}");
        }
    }
}

#[test]
fn the_laws_of_the_contract_hold_for_every_mode_and_clock() {
    let entry = Entry::find("retention").unwrap();
    for seed in 0..600 {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let rows = rows(rng);
        let has = |name: &str| rows.iter().any(|r| r.event == name);
        if !(has("a") && has("b") && has("c")) {
            continue;
        }
        let spec = serde_json::to_value(question(rng)).unwrap();
        let last = rows.iter().map(|r| r.time).max().unwrap();
        let log = build_until(&rows, Some(last + DAY)).unwrap();
        let (journeys, _) = journeys(&log, &rows, rng.random_range(0..6));
        let mut how = Comparison::new(Breakdown::by("channel")).all_pairs();
        how.min_n = 1;
        for analysis in [
            entry.analysis(spec.clone()).unwrap(),
            entry.by(spec.clone(), Breakdown::by("channel")).unwrap(),
            entry.compare(spec.clone(), how).unwrap(),
        ] {
            let located = journeys.count_located(&*analysis).unwrap();
            let counted = journeys.count_cells(&*analysis, &ONE_THREAD).unwrap();
            assert_eq!(located, counted, "seed {seed}: {spec}");
        }
    }
}

#[test]
fn on_is_at_most_streaks_opposite_and_every_other_mode_at_least() {
    for seed in 0..500 {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let rows = rows(rng);
        let log = build_until(&rows, None).unwrap();
        let journeys = log.journeys(JourneyRule::customer()).unwrap();
        let run = |mode| {
            let question = Retention::every(PeriodUnit::Day).periods(9).mode(mode);
            journeys.run_with(&question, &ONE_THREAD).unwrap()
        };
        let retained = |mode| -> Vec<u64> { run(mode).cells().map(|(_, c)| c.retained).collect() };
        let on = retained(RetentionMode::On);
        let at_least = |more: RetentionMode| {
            assert!(on.iter().zip(retained(more)).all(|(a, b)| *a <= b));
        };
        at_least(RetentionMode::OnOrAfter);
        at_least(RetentionMode::OnOrBefore);
        let streak = retained(RetentionMode::Streak);
        assert!(on.iter().zip(streak).all(|(a, b)| b <= *a));
        // Brackets of one period each are that period.
        let each = Retention::every(PeriodUnit::Day).brackets(0..=10);
        let each = journeys.run_with(&each, &ONE_THREAD).unwrap();
        let found: Vec<u64> = each.cells().map(|(_, c)| c.retained).collect();
        assert_eq!(found, on);
    }
}

fn log(events: &[(&str, &str, &str)]) -> Log {
    let mut builder = LogBuilder::new(LogOptions::default());
    for (customer, time, event) in events {
        builder.push(*customer, micros(time), event).unwrap();
    }
    builder.finish().unwrap()
}

fn run(log: &Log, question: &Retention) -> RetentionReport {
    let journeys = log.journeys(JourneyRule::customer()).unwrap();
    journeys.run(question).unwrap().report
}

/// The periods with a return of a lone customer.
fn periods(log: &Log, question: &Retention) -> Vec<u32> {
    let report = run(log, question);
    let cells = report.cells().filter(|(_, c)| c.retained > 0);
    cells.map(|(_, c)| c.from).collect()
}

#[test]
fn days_of_23_and_25_hours_are_one_day() {
    // Clocks leap at 01:00 UTC, 07:00 UTC, and at midnight, which is then 03:00 UTC.
    for (zone, start, late, next) in [
        (
            "Europe/Berlin",
            "2024-03-30T23:00:00Z",
            "2024-03-31T21:59:59Z",
            "2024-03-31T22:00:00Z",
        ),
        (
            "Europe/Berlin",
            "2024-10-26T22:00:00Z",
            "2024-10-27T22:59:59Z",
            "2024-10-27T23:00:00Z",
        ),
        (
            "America/New_York",
            "2024-03-10T05:00:00Z",
            "2024-03-11T03:59:59Z",
            "2024-03-11T04:00:00Z",
        ),
        (
            "America/New_York",
            "2024-11-03T04:00:00Z",
            "2024-11-04T04:59:59Z",
            "2024-11-04T05:00:00Z",
        ),
        (
            "America/Sao_Paulo",
            "2018-11-04T03:00:00Z",
            "2018-11-05T01:59:59Z",
            "2018-11-05T02:00:00Z",
        ),
    ] {
        let log = log(&[
            ("ann", start, "a"),
            ("bob", start, "a"),
            ("ann", late, "a"),
            ("bob", next, "a"),
        ]);
        let question = Retention::every(PeriodUnit::Day).time_zone(zone).periods(2);
        let report = run(&log, &question);
        let cells: Vec<u64> = report.cohorts[0].cells.iter().map(|c| c.retained).collect();
        assert_eq!(cells, [1, 1, 0], "{zone} from {start}");
        assert_eq!(report.cohorts.len(), 1);
        // The day is over with its last instant.
        assert_eq!(report.cohorts[0].cells[0].state, CellState::Complete);
        // On a clock of their own 24 hours are a day, whatever the zone says.
        let rolling = question.rolling("24h");
        let short = micros(next) - micros(start) < DAY;
        let cells: Vec<u64> = run(&log, &rolling).cohorts[0]
            .cells
            .iter()
            .map(|c| c.retained)
            .collect();
        let expected = match (short, micros(late) - micros(start) >= DAY) {
            (true, _) => [2, 0, 0],
            (false, true) => [0, 2, 0],
            (false, false) => [1, 1, 0],
        };
        assert_eq!(cells, expected, "{zone} from {start}");
    }
}

#[test]
fn a_day_that_a_zone_skipped_is_no_period() {
    // Samoa went from 29 to 31 December 2011.
    let log = log(&[
        ("ann", "2011-12-29T20:00:00Z", "a"),
        ("ann", "2011-12-30T20:00:00Z", "a"),
    ]);
    let question = Retention::every(PeriodUnit::Day)
        .time_zone("Pacific/Apia")
        .periods(3);
    let report = run(&log, &question);
    assert_eq!(report.cohorts[0].cohort, "2011-12-29");
    assert_eq!(periods(&log, &question), [1]);
}

#[test]
fn months_are_those_of_the_calendar_and_weeks_begin_when_asked() {
    let months = log(&[
        ("ann", "2024-01-31T12:00:00Z", "a"),
        ("ann", "2024-02-01T00:00:00Z", "a"),
        ("ann", "2024-02-29T23:59:59Z", "a"),
        ("ann", "2024-04-01T00:00:00Z", "a"),
    ]);
    let question = Retention::every(PeriodUnit::Month).periods(4);
    assert_eq!(periods(&months, &question), [1, 3]);
    assert_eq!(run(&months, &question).cohorts[0].cohort, "2024-01");

    // A Saturday, a Sunday, a Monday.
    let weeks = log(&[
        ("ann", "2024-06-01T12:00:00Z", "a"),
        ("ann", "2024-06-02T12:00:00Z", "a"),
        ("ann", "2024-06-03T12:00:00Z", "a"),
    ]);
    let question = Retention::default().periods(2);
    assert_eq!(periods(&weeks, &question), [0, 1]);
    assert_eq!(run(&weeks, &question).cohorts[0].cohort, "2024-05-27");
    let sunday = question.clone().week_start(Weekday::Sunday);
    assert_eq!(periods(&weeks, &sunday), [1]);
    let monday_in_kiritimati = question.time_zone("Pacific/Kiritimati");
    assert_eq!(
        run(&weeks, &monday_in_kiritimati).cohorts[0].cohort,
        "2024-05-27"
    );
}

#[test]
fn day_one_is_the_next_day_or_24_to_48_hours_later() {
    let log = log(&[
        ("ann", "2024-06-01T23:00:00Z", "a"),
        ("ann", "2024-06-02T01:00:00Z", "a"),
        ("ann", "2024-06-03T00:00:00Z", "a"),
    ]);
    let question = Retention::every(PeriodUnit::Day).periods(3);
    assert_eq!(periods(&log, &question), [1, 2]);
    assert_eq!(periods(&log, &question.rolling("24h")), [0, 1]);
}

#[test]
fn first_ever_and_first_selected_are_told_apart() {
    let log = log(&[
        ("ann", "2024-06-01T10:00:00Z", "signup"),
        ("ann", "2024-06-02T10:00:00Z", "view"),
        ("ann", "2024-06-03T10:00:00Z", "signup"),
        ("bob", "2024-06-02T10:00:00Z", "view"),
        ("bob", "2024-06-02T11:00:00Z", "view"),
    ]);
    let kept = log
        .keep_events("time >= '2024-06-02'")
        .unwrap()
        .journeys(JourneyRule::customer())
        .unwrap();
    let question = Retention::every(PeriodUnit::Day).start("signup").periods(2);
    let ever = kept.run(&question).unwrap().report;
    let name = |r: &RetentionReport| r.cohorts[0].cohort.clone();
    assert_eq!((name(&ever), ever.not_started), ("2024-06-01".into(), 1));
    let selected = kept.run(&question.birth(Birth::Selected)).unwrap().report;
    assert_eq!(name(&selected), "2024-06-03");
    assert_eq!(selected.cohorts[0].cells[0].retained, 0);
}

#[test]
fn the_start_itself_is_a_return_only_when_asked() {
    let log = log(&[
        ("ann", "2024-06-01T10:00:00Z", "a"),
        ("bob", "2024-06-01T10:00:00Z", "a"),
        ("bob", "2024-06-01T10:00:00Z", "a"),
    ]);
    let question = Retention::every(PeriodUnit::Day).periods(0);
    assert_eq!(run(&log, &question).cohorts[0].cells[0].retained, 1);
    let all = question.include_start();
    assert_eq!(run(&log, &all).cohorts[0].cells[0].retained, 2);
    let none = all.returns("not a");
    assert_eq!(run(&log, &none).cohorts[0].cells[0].retained, 0);
}

/// What ClickHouse's `retention` counts: 80, 50 and 60 customers come back as 80, 50 and 60, in whatever order they are
/// read.
#[test]
fn customers_are_counted_as_clickhouse_counts_them() {
    let day = |n: i64| micros("2018-08-06T12:00:00Z") + n * DAY;
    let mut builder = LogBuilder::new(LogOptions::default());
    for (n, days, customers) in [(2, 2, 0..60), (1, 1, 0..50), (0, 0, 0..80)] {
        for customer in customers {
            builder
                .push(format!("c{customer}").as_str(), day(days) + n, "a")
                .unwrap();
        }
    }
    let report = run(
        &builder.finish().unwrap(),
        &Retention::every(PeriodUnit::Day).include_start().periods(2),
    );
    let retained: Vec<u64> = report.cohorts[0].cells.iter().map(|c| c.retained).collect();
    assert_eq!(retained, [80, 50, 60]);
}

/// Cohorts and cells as PostHog and Amplitude give them for signups on successive days: the last day of every row is not
/// over, and takes no part in the overall rate.
#[test]
fn incomplete_cells_have_no_rate_and_no_part_in_the_overall_one() {
    let mut builder = LogBuilder::new(LogOptions::default());
    for day in 0..5 {
        for customer in 0..10 {
            let id = format!("{day}-{customer}");
            builder
                .push(id.as_str(), day * DAY + HOUR, "signup")
                .unwrap();
            for back in 1..=(4 - day).min(customer / 3) {
                builder
                    .push(id.as_str(), (day + back) * DAY + 2 * HOUR, "visit")
                    .unwrap();
            }
        }
    }
    let log = builder.finish().unwrap();
    let question = Retention::every(PeriodUnit::Day)
        .start("signup")
        .returns("visit")
        .periods(4)
        .simple_mean();
    let report = run(&log, &question);
    let rates: Vec<Vec<Option<u64>>> = report
        .cohorts
        .iter()
        .map(|c| c.cells.iter().map(|c| c.rate.map(|r| r.count)).collect())
        .collect();
    assert_eq!(
        rates,
        [
            vec![Some(0), Some(7), Some(4), Some(1), None],
            vec![Some(0), Some(7), Some(4), None, None],
            vec![Some(0), Some(7), None, None, None],
            vec![Some(0), None, None, None, None],
            vec![None; 5],
        ]
    );
    let overall: Vec<(u64, u64)> = report
        .overall
        .iter()
        .map(|o| (o.rate.count, o.rate.n))
        .collect();
    assert_eq!(overall, [(0, 40), (21, 30), (8, 20), (1, 10), (0, 0)]);
    assert_eq!((report.incomplete, report.not_begun), (5, 10));
    assert_eq!(report.cohorts[3].cells[1].retained, 7);
    assert!((report.overall[1].mean.unwrap() - 0.7).abs() < 1e-12);
    assert_eq!(report.overall[4].mean, None);
    let told = report.caveats[0].message();
    assert_eq!(
        told,
        "5 of 15 cells are of periods that are not over; they have no rate and no part in the overall one"
    );
    let names: Vec<&str> = report.tables().iter().map(|t| t.name).collect();
    assert_eq!(names, ["overall", "cells"]);
}

#[test]
fn customers_of_several_journeys_are_counted_once_and_explained_at_the_first() {
    let log = log(&[
        ("ann", "2024-06-01T10:00:00Z", "a"),
        ("ann", "2024-06-02T10:00:00Z", "a"),
        ("ann", "2024-06-03T10:00:00Z", "b"),
    ]);
    let journeys = log.journeys(JourneyRule::gap("30m").unwrap()).unwrap();
    let question = Retention::every(PeriodUnit::Day).periods(2);
    let report = journeys.run(&question).unwrap();
    assert_eq!((report.customers, report.started), (1, 1));
    let explained = journeys.explain(&question, "ann").unwrap();
    let cells: Vec<&str> = explained[0].cells.iter().map(|c| c.cell.as_str()).collect();
    assert_eq!(
        cells,
        [
            "cohort/2024-06-01",
            "not_retained/2024-06-01/0",
            "retained/2024-06-01/1",
            "retained/2024-06-01/2"
        ]
    );
    assert_eq!(
        explained[0].cells[2].why,
        "the start was at 2024-06-01T10:00:00Z; they came back at 2024-06-02T10:00:00Z, in period 1"
    );
    assert!(explained[1].cells.is_empty() && explained[2].cells.is_empty());
    let members = journeys
        .members(&question, "retained/2024-06-01/2", 9)
        .unwrap();
    assert_eq!((members.len(), members[0].journey), (1, 0));
}

#[test]
fn times_beyond_the_calendar_are_a_typed_error_and_those_at_its_ends_are_counted() {
    let at = |times: &[i64]| {
        let mut builder = LogBuilder::new(LogOptions::default());
        for time in times {
            builder.push("ann", *time, "a").unwrap();
        }
        let log = builder.finish().unwrap();
        let journeys = log.journeys(JourneyRule::customer()).unwrap();
        move |question: &Retention| journeys.run(question).map(|answer| answer.report)
    };
    // No log holds such times, but the catalog of a partial that was read from bytes could name them.
    let known = log(&[("ann", "2024-06-01T10:00:00Z", "a")])
        .catalog()
        .clone();
    for (first, last) in [
        (i64::MIN, 0),
        (0, i64::MAX),
        (i64::MIN, i64::MAX),
        (i64::MAX - 1, i64::MAX),
    ] {
        let mut catalog = (*known).clone();
        (
            catalog.first_time,
            catalog.last_time,
            catalog.observed_until,
        ) = (first, last, last);
        for question in [
            Retention::default(),
            Retention::every(PeriodUnit::Month),
            Retention::default().rolling("1d"),
        ] {
            let told = question.plan(&catalog).unwrap_err().to_string();
            assert!(
                told.starts_with("`unit` of retention: the log goes from "),
                "{told}"
            );
            assert!(told.contains("beyond the years -9999 to 9999"), "{told}");
        }
    }
    let year = 365 * DAY + DAY / 4;
    let days = Retention::every(PeriodUnit::Day);
    let told = at(&[0, 400 * year])(&days).unwrap_err().to_string();
    assert!(
        told.contains("more than 65536 days; take a longer unit"),
        "{told}"
    );
    // Observed for ever: every period that a calendar has is over.
    let rows = [Row {
        customer: "ann".to_owned(),
        time: 0,
        event: "a".to_owned(),
        channel: None,
    }];
    let log = build_until(&rows, Some(i64::MAX)).unwrap();
    for question in [
        days.clone(),
        days.rolling("7d"),
        Retention::every(PeriodUnit::Month),
    ] {
        let report = run(&log, &question.periods(1_022));
        assert_eq!((report.incomplete, report.not_begun), (0, 0));
    }
    // Over 136 years seconds do not fit 32 bits.
    for times in [
        [-100 * year, 100 * year],
        [
            micros("9999-12-01T00:00:00Z"),
            micros("9999-12-30T00:00:00Z"),
        ],
        [
            micros("-009999-02-04T00:00:00Z"),
            micros("-009999-02-28T00:00:00Z"),
        ],
    ] {
        for unit in [PeriodUnit::Week, PeriodUnit::Month] {
            let report =
                at(&times)(&Retention::every(unit).mode(RetentionMode::OnOrAfter)).unwrap();
            assert_eq!((report.started, report.cohorts.len()), (1, 1));
            let retained = report.cohorts[0].cells[0].retained;
            assert_eq!(retained, 1, "{times:?}");
        }
        let rolling = Retention::every(PeriodUnit::Month)
            .rolling("20d")
            .mode(RetentionMode::OnOrAfter);
        let report = at(&times)(&rolling).unwrap();
        assert_eq!(report.cohorts[0].cells[1].retained, 1, "{times:?}");
    }
}

#[test]
fn questions_that_make_no_sense_are_refused() {
    let log = log(&[("ann", "2024-06-01T10:00:00Z", "a")]);
    let journeys = log.journeys(JourneyRule::customer()).unwrap();
    let error = |question: Retention| journeys.run(&question).unwrap_err().to_string();
    let asked = Retention::default;
    assert!(error(asked().start("nowhere")).starts_with("`start` of retention: "));
    assert!(error(asked().returns("nowhere")).starts_with("`returns` of retention: "));
    assert!(error(asked().rolling("1 month")).starts_with("`rolling` of retention: "));
    assert!(error(asked().level(1.0)).starts_with("`level` of retention: "));
    for (question, told) in [
        (
            asked().periods(1_023),
            "`periods` of retention: 1023 is too many, the limit is 1022",
        ),
        (
            asked().time_zone("Berlin"),
            "`time_zone` of retention: `Berlin` is no time zone; use an IANA name such as Europe/Berlin or UTC",
        ),
        (
            asked().rolling("0s"),
            "`rolling` of retention: a period of no length; give one such as 24h or 7d",
        ),
        (
            asked().mode(RetentionMode::Bracket),
            "`brackets` of retention: mode `bracket` needs them; give the periods where brackets begin and the last one ends, such as 1, 4, 8",
        ),
        (
            asked().brackets([1, 4]).mode(RetentionMode::On),
            "`brackets` of retention: they are given, but the mode is not `bracket`",
        ),
        (
            asked().brackets([4, 4]),
            "`brackets` of retention: they need at least two periods that ascend, such as 1, 4, 8",
        ),
        (
            asked().brackets([1]),
            "`brackets` of retention: they need at least two periods that ascend, such as 1, 4, 8",
        ),
        (
            asked().brackets([1, 1_024]),
            "`brackets` of retention: they end with period 1024, the limit is 1023",
        ),
    ] {
        assert_eq!(error(question), told);
    }
    assert!(serde_json::from_str::<Retention>(r#"{"period": 3}"#).is_err());
    assert_eq!(
        serde_json::from_str::<Retention>("{}").unwrap(),
        Retention::default()
    );
}
