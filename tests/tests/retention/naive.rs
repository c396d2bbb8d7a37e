//! Random logs and questions, the naive count that asks the calendar for every event, and what must hold of any report.

use super::*;

pub(super) fn micros(text: &str) -> i64 {
    text.parse::<Timestamp>().unwrap().as_microsecond()
}

pub(super) fn pick<T: Copy>(rng: &mut impl Rng, from: &[T]) -> T {
    from[rng.random_range(0..from.len())]
}

/// A log around a shift of clocks, the year's end, or before 1970, with steps from nothing to months.
pub(super) fn rows(rng: &mut impl Rng) -> Vec<Row> {
    let start = pick(
        rng,
        &[
            "2024-03-30T22:30:00Z",
            "2024-10-26T21:30:00.25Z",
            "2024-03-09T23:00:00Z",
            "2018-11-03T20:00:00Z",
            "2018-02-17T01:00:00Z",
            "2024-04-06T12:00:00Z",
            "2023-12-30T12:00:00Z",
            "2024-02-28T12:00:00Z",
            "1969-12-29T23:59:59.999999Z",
            "1919-03-01T00:00:00Z",
        ],
    );
    let steps = [
        0,
        1,
        250_000,
        SECOND,
        HOUR,
        11 * HOUR,
        23 * HOUR,
        DAY - 1,
        DAY,
        DAY + 1,
        25 * HOUR,
        6 * DAY,
        7 * DAY,
        29 * DAY,
        31 * DAY,
    ];
    let n_steps = rng.random_range(1..=steps.len());
    // Whole seconds, milliseconds, or finer: each is stored in its own way.
    let grain = pick(rng, &[1, 1_000, SECOND]);
    let most = rng.random_range(1..14);
    let mut rows = Vec::new();
    for customer in 0..rng.random_range(1..6) {
        let mut time = micros(start) + pick(rng, &steps);
        for _ in 0..=rng.random_range(0..most) {
            time += pick(rng, &steps[..n_steps]);
            rows.push(Row {
                customer: format!("c{customer}"),
                time: time.div_euclid(grain) * grain,
                event: pick(rng, &["a", "b", "c"]).to_owned(),
                channel: pick(rng, &[None, Some("web"), Some("app")]).map(str::to_owned),
            });
        }
    }
    for i in (1..rows.len()).rev() {
        rows.swap(i, rng.random_range(0..=i));
    }
    rows
}

pub(super) fn question(rng: &mut impl Rng) -> Retention {
    let mut question = Retention::every(pick(
        rng,
        &[PeriodUnit::Day, PeriodUnit::Week, PeriodUnit::Month],
    ))
    .time_zone(pick(rng, &ZONES))
    .week_start(pick(rng, &WEEKDAYS))
    .birth(pick(rng, &[Birth::Ever, Birth::Selected]))
    // A mask of one word, and of several.
    .periods(pick(rng, &[0, 1, 3, 8, 62, 63, 200]));
    if rng.random_bool(0.5) {
        question = question.start(pick(rng, &["a", "channel == \"web\"", "a or b"]));
    }
    if rng.random_bool(0.5) {
        question = question.returns(pick(rng, &["b", "channel == \"app\"", "not c"]));
    }
    if rng.random_bool(0.4) {
        let lengths = [
            1,
            SECOND - 1,
            SECOND,
            2 * SECOND,
            HOUR,
            DAY,
            DAY + 1,
            7 * DAY,
        ];
        question = question.rolling(TimeSpan::from_micros(pick(rng, &lengths)));
    }
    if rng.random_bool(0.3) {
        question = question.include_start();
    }
    if rng.random_bool(0.3) {
        question = question.simple_mean();
    }
    match pick(rng, &MODES) {
        RetentionMode::Bracket => {
            let mut at = rng.random_range(0..3);
            let edges = (0..rng.random_range(2..5)).map(|_| {
                at += rng.random_range(1..5);
                at - 1
            });
            let edges: Vec<u32> = edges.collect();
            question.brackets(edges)
        }
        mode => question.mode(mode),
    }
}

/// The calendar as a person reads it off: the number of the civil day, week or month of one instant.
pub(super) fn civil_period(question: &Retention, zone: &TimeZone, time: i64) -> i64 {
    let date = Timestamp::from_microsecond(time)
        .unwrap()
        .to_zoned(zone.clone())
        .date();
    let epoch = jiff::civil::date(1, 1, 1); // a Monday
    let days = i64::from(date.since((jiff::Unit::Day, epoch)).unwrap().get_days());
    let shift = WEEKDAYS.iter().position(|d| *d == question.week_start);
    match question.unit {
        PeriodUnit::Day => days,
        PeriodUnit::Week => (days - shift.unwrap() as i64).div_euclid(7),
        PeriodUnit::Month => i64::from(date.year()) * 12 + i64::from(date.month()),
    }
}

pub(super) fn holds(expr: Option<&str>, row: &Row) -> bool {
    match expr {
        None => true,
        Some("a") => row.event == "a",
        Some("b") => row.event == "b",
        Some("a or b") => row.event != "c",
        Some("not c") => row.event != "c",
        Some("channel == \"web\"") => row.channel.as_deref() == Some("web"),
        Some("channel == \"app\"") => row.channel.as_deref() == Some("app"),
        Some(other) => panic!("{other}"),
    }
}

#[derive(Debug, Default, PartialEq)]
pub(super) struct NaiveCohort {
    customers: u64,
    /// State and retained of each column.
    cells: Vec<(Vec<CellState>, u64)>,
}

/// By cohort; and customers without a start.
pub(super) fn naive(
    log: &[Row],
    selected: impl Fn(&Row, usize) -> bool,
    until: i64,
    question: &Retention,
) -> (BTreeMap<i64, NaiveCohort>, u64) {
    let zone = TimeZone::get(&question.time_zone).unwrap();
    let period = |time| civil_period(question, &zone, time);
    let text = |e: &Option<desireline_core::expr::Expr>| e.as_ref().map(ToString::to_string);
    let (start, returns) = (text(&question.start), text(&question.returns));
    let columns: Vec<(i64, i64)> = match question.mode {
        RetentionMode::Bracket => question
            .brackets
            .windows(2)
            .map(|w| (w[0].into(), w[1].into()))
            .collect(),
        _ => (0..=i64::from(question.periods))
            .map(|k| (k, k + 1))
            .collect(),
    };
    let mut cohorts: BTreeMap<i64, NaiveCohort> = BTreeMap::new();
    let mut not_started = 0;
    let mut place = 0;
    for events in naive_journeys(log, None) {
        let visible: Vec<bool> = events
            .iter()
            .map(|row| {
                place += 1;
                selected(row, place - 1)
            })
            .collect();
        if !visible.contains(&true) {
            continue;
        }
        let born = (0..events.len()).find(|&i| {
            holds(start.as_deref(), &events[i]) && (question.birth == Birth::Ever || visible[i])
        });
        let Some(born) = born else {
            not_started += 1;
            continue;
        };
        let t0 = events[born].time;
        let offset = |time: i64| match question.rolling {
            Some(unit) => (time - t0).div_euclid(unit.as_micros()),
            None => period(time) - period(t0),
        };
        let returned: Vec<i64> = (born..events.len())
            .filter(|&i| i > born || question.include_start)
            .filter(|&i| visible[i] && holds(returns.as_deref(), &events[i]))
            .map(|i| offset(events[i].time))
            .collect();
        let on = |k: i64| returned.contains(&k);
        let cohort = cohorts.entry(period(t0)).or_default();
        cohort.customers += 1;
        cohort.cells.resize(columns.len(), (Vec::new(), 0));
        for (&(from, end), cell) in columns.iter().zip(&mut cohort.cells) {
            let retained = match question.mode {
                RetentionMode::On => on(from),
                RetentionMode::OnOrAfter => returned.iter().any(|&p| p >= from),
                RetentionMode::OnOrBefore => returned.iter().any(|&p| p <= from),
                RetentionMode::Bracket => (from..end).any(on),
                RetentionMode::Streak => (from.min(1)..=from).all(on),
                _ => panic!("a mode without a reference"),
            };
            cell.1 += u64::from(retained);
            // What is over at the instant after the last observed one was observed to its end.
            cell.0.push(if offset(until + 1) >= end {
                CellState::Complete
            } else if offset(until) >= from {
                CellState::Incomplete
            } else {
                CellState::NotBegun
            });
        }
    }
    (cohorts, not_started)
}

/// A cell is over when it is for all customers, and has begun when it has for one.
pub(super) fn state(of_customers: &[CellState]) -> CellState {
    let all = |state| of_customers.iter().all(|s| *s == state);
    if all(CellState::Complete) {
        CellState::Complete
    } else if all(CellState::NotBegun) {
        CellState::NotBegun
    } else {
        CellState::Incomplete
    }
}

pub(super) fn compare(
    report: &RetentionReport,
    naive: &(BTreeMap<i64, NaiveCohort>, u64),
    told: &str,
) {
    let (cohorts, not_started) = naive;
    assert_eq!(report.not_started, *not_started, "{told}");
    assert_eq!(report.customers, report.started + report.not_started);
    let found: Vec<(u64, Vec<(CellState, u64)>)> = report
        .cohorts
        .iter()
        .map(|c| {
            let cells = c.cells.iter().map(|cell| (cell.state, cell.retained));
            (c.customers, cells.collect())
        })
        .collect();
    let expected: Vec<(u64, Vec<(CellState, u64)>)> = cohorts
        .values()
        .map(|c| {
            let cells = c.cells.iter().map(|(states, n)| (state(states), *n));
            (c.customers, cells.collect())
        })
        .collect();
    assert_eq!(found, expected, "{told}");
}

/// What follows from the definitions, whatever the log.
pub(super) fn laws(report: &RetentionReport, question: &Retention) {
    for (cohort, cell) in report.cells() {
        let complete = cell.state == CellState::Complete;
        let rate =
            complete.then(|| Rate::simple(cell.retained, cohort.customers, Base::OfCohort, 0.95));
        assert_eq!(cell.rate, rate);
        // What has not begun has no returns; a cohort's latest customer may see less than its earliest.
        assert!(cell.state != CellState::NotBegun || cell.retained == 0 || on_or_before(question));
    }
    for (i, overall) in report.overall.iter().enumerate() {
        let rates: Vec<Rate> = report
            .cohorts
            .iter()
            .filter_map(|c| c.cells[i].rate)
            .collect();
        let sum = |of: fn(&Rate) -> u64| rates.iter().map(of).sum::<u64>();
        let rate = Rate::simple(sum(|r| r.count), sum(|r| r.n), Base::OfStarted, 0.95);
        assert_eq!((overall.rate, overall.cohorts), (rate, rates.len() as u64));
        let mean = rates
            .iter()
            .map(|r| r.count as f64 / r.n as f64)
            .sum::<f64>()
            / rates.len() as f64;
        match overall.mean {
            Some(found) => assert!((found - mean).abs() < 1e-12),
            None => assert!(!question.simple_mean || rates.is_empty()),
        }
    }
    let count = |state| report.cells().filter(|(_, c)| c.state == state).count() as u64;
    assert_eq!(report.incomplete, count(CellState::Incomplete));
    assert_eq!(report.not_begun, count(CellState::NotBegun));
    let told = report.caveats.iter().any(
        |c| matches!(c, Caveat::PeriodsIncomplete { cells, .. } if *cells == report.incomplete),
    );
    assert_eq!(told, report.incomplete > 0);
    for cohort in &report.cohorts {
        let retained: Vec<u64> = cohort.cells.iter().map(|c| c.retained).collect();
        let falls = |list: &[u64]| list.windows(2).all(|w| w[0] >= w[1]);
        match question.mode {
            RetentionMode::OnOrAfter => assert!(falls(&retained)),
            RetentionMode::Streak => assert!(falls(&retained[1.min(retained.len())..])),
            RetentionMode::OnOrBefore => assert!(retained.windows(2).all(|w| w[0] <= w[1])),
            _ => {}
        }
    }
}

pub(super) fn on_or_before(question: &Retention) -> bool {
    question.mode == RetentionMode::OnOrBefore
}

/// Ways to cut and select, and which events of the sorted log are then selected.
pub(super) fn journeys(log: &Log, rows: &[Row], way: usize) -> (Journeys, Vec<bool>) {
    let gap = 3 * HOUR;
    let by_gap = || JourneyRule::gap(TimeSpan::from_micros(gap)).unwrap();
    let sessions = || naive_journeys(rows, Some(gap));
    let all = |keep: &dyn Fn(&Row) -> bool| {
        let events = naive_journeys(rows, None).concat();
        events.iter().map(keep).collect::<Vec<bool>>()
    };
    let with_web = |session: &Vec<Row>| {
        let web = session.iter().any(|r| r.channel.as_deref() == Some("web"));
        vec![web; session.len()]
    };
    let web = "channel == \"web\"";
    let journeys = |rule| log.journeys(rule).unwrap();
    match way {
        0 => (journeys(JourneyRule::customer()), all(&|_| true)),
        1 => (journeys(by_gap()), all(&|_| true)),
        2 => (
            journeys(by_gap()).keep_journeys(web).unwrap(),
            sessions().iter().flat_map(with_web).collect(),
        ),
        3 => (
            journeys(JourneyRule::customer())
                .keep_events("not c")
                .unwrap(),
            all(&|r| r.event != "c"),
        ),
        4 => (
            log.keep_events("not c")
                .unwrap()
                .journeys(by_gap())
                .unwrap(),
            all(&|r| r.event != "c"),
        ),
        // Journeys that overlap: rows out of the order of time.
        _ => (journeys(JourneyRule::column("channel")), all(&|_| true)),
    }
}
