//! When people come, against a naive count that asks the calendar for every event.

use std::collections::BTreeMap;

use desireline_core::analyses::calendar::{Calendar, CalendarReport, CalendarSlot};
use desireline_core::analyses::retention::Weekday;
use desireline_core::journey::{JourneyRule, Journeys};
use desireline_core::log::{LogBuilder, LogOptions};
use desireline_core::report::{Base, Rate};
use desireline_core::time::{TimeSpan, parse_instant};
use desireline_stats::Clusters;
use desireline_tests::random_log::{Row, build_until, naive_journeys};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::ONE_THREAD;

const HOUR: i64 = 3_600_000_000;
const ZONES: [&str; 7] = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "America/St_Johns",
];

/// Events around changes of the clocks, long ago and far ahead, cut by a pause of a day.
fn rows(rng: &mut ChaCha8Rng) -> Vec<Row> {
    let around = [
        "2024-03-31T01:00:00Z",
        "2011-12-30T10:00:00Z",
        "1883-11-18T17:00:00Z",
        "2090-10-29T01:00:00Z",
    ];
    let around = parse_instant(around[rng.random_range(0..around.len())]).unwrap();
    let steps = [0, 1, 1_000_000, HOUR / 2, HOUR, 25 * HOUR, 24 * 200 * HOUR];
    let mut rows = Vec::new();
    for customer in 0..rng.random_range(1..6) {
        let mut time = around - rng.random_range(0..48) * HOUR;
        for _ in 0..rng.random_range(1..12) {
            time += steps[rng.random_range(0..steps.len())];
            rows.push(Row {
                customer: format!("c{customer}"),
                time,
                event: ["view", "buy"][rng.random_range(0..2)].to_owned(),
                channel: None,
            });
        }
    }
    rows
}

/// Hour of the day and day of the week, from Monday, by the library's own calendar.
fn civil(time: i64, zone: &TimeZone) -> (usize, usize) {
    let at = Timestamp::from_microsecond(time)
        .unwrap()
        .to_zoned(zone.clone());
    let day = at.weekday().to_monday_zero_offset();
    (
        usize::try_from(at.hour()).unwrap(),
        usize::try_from(day).unwrap(),
    )
}

/// Sums of a share: of all that customers have, those in a slot.
#[derive(Default)]
struct Counts {
    /// By customer: all times.
    customers: Vec<Vec<i64>>,
}

impl Counts {
    fn rate(&self, inside: impl Fn(i64) -> bool) -> Rate {
        let mut sums = Clusters::default();
        for times in &self.customers {
            let hits = times.iter().filter(|t| inside(**t)).count();
            sums.add(hits as u64, times.len() as u64);
        }
        Rate::clustered(&sums, Base::OfAll, 0.95)
    }
}

#[test]
fn agrees_with_a_calendar_asked_for_every_event() {
    for seed in 0..600 {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let rows = rows(rng);
        let zone_name = ZONES[rng.random_range(0..ZONES.len())];
        let zone = TimeZone::get(zone_name).unwrap();
        let until =
            rows.iter().map(|r| r.time).max().unwrap() + [0, 5, HOUR][rng.random_range(0..3)];
        let gap = JourneyRule::gap(TimeSpan::from_micros(24 * HOUR)).unwrap();
        let log = build_until(&rows, Some(until)).unwrap();
        let journeys = log.journeys(gap).unwrap();
        let alive = [0, 6, 2 * HOUR][rng.random_range(0..3)];
        let asked = Calendar::zone(zone_name).alive(TimeSpan::from_micros(alive));
        let has_goal: bool = rng.random();
        let asked = if has_goal {
            asked.goal(rows[0].event.as_str())
        } else {
            asked
        };
        let report = journeys.run_with(&asked, &ONE_THREAD);
        let report: CalendarReport = report.unwrap().report;

        let cut = naive_journeys(&rows, Some(24 * HOUR));
        let (mut events, mut starts, mut goals) =
            (Counts::default(), Counts::default(), Counts::default());
        // By customer: the start of each journey with a known outcome, and whether it reached the goal.
        let mut known: Vec<Vec<(i64, bool)>> = Vec::new();
        let mut open = 0;
        for customer in cut.chunk_by(|a, b| a[0].customer == b[0].customer) {
            events
                .customers
                .push(customer.iter().flatten().map(|r| r.time).collect());
            starts
                .customers
                .push(customer.iter().map(|j| j[0].time).collect());
            let mut outcomes = Vec::new();
            let mut reached = Vec::new();
            for (i, journey) in customer.iter().enumerate() {
                let goal = journey.iter().find(|r| r.event == rows[0].event);
                let last = journey.last().unwrap().time;
                reached.extend(goal.map(|g| g.time));
                if goal.is_none() && i + 1 == customer.len() && until - last < alive {
                    open += 1;
                } else {
                    outcomes.push((journey[0].time, goal.is_some()));
                }
            }
            goals.customers.push(reached);
            known.push(outcomes);
        }
        if has_goal {
            assert_eq!(report.open, Some(open), "seed {seed}");
        }
        let check = |slot: &CalendarSlot, inside: &dyn Fn(i64) -> bool| {
            assert_eq!(slot.events, events.rate(inside), "seed {seed} {zone_name}");
            assert_eq!(slot.starts, starts.rate(inside), "seed {seed}");
            if !has_goal {
                assert_eq!((slot.goals, slot.conversion), (None, None));
                return;
            }
            assert_eq!(slot.goals, Some(goals.rate(inside)), "seed {seed}");
            let mut sums = Clusters::default();
            for outcomes in &known {
                let here = || outcomes.iter().filter(|(start, _)| inside(*start));
                sums.add(here().filter(|o| o.1).count() as u64, here().count() as u64);
            }
            let rate = Rate::clustered(&sums, Base::OfKnown, 0.95);
            assert_eq!(slot.conversion, Some(rate), "seed {seed}");
        };
        for (hour, slot) in report.hours.iter().enumerate() {
            assert_eq!(slot.slot, format!("{hour:02}:00"));
            check(slot, &|time| civil(time, &zone).0 == hour);
        }
        for (day, slot) in report.weekdays.iter().enumerate() {
            check(slot, &|time| civil(time, &zone).1 == day);
        }
        sums_are_whole(&report);
        if seed % 3 == 0 {
            let located = journeys.count_located(&asked).unwrap();
            let counted = journeys.count_cells(&asked, &ONE_THREAD).unwrap();
            assert_eq!(located, counted, "seed {seed}");
        }
    }
}

/// Hours, days and hours of the week add up to the same whole.
fn sums_are_whole(report: &CalendarReport) {
    let rates = |slots: &[CalendarSlot], rate: fn(&CalendarSlot) -> Option<Rate>| {
        slots.iter().filter_map(rate).map(|r| r.count).sum::<u64>()
    };
    let mut hours: BTreeMap<u32, [u64; 3]> = BTreeMap::new();
    let mut days: BTreeMap<&str, [u64; 3]> = BTreeMap::new();
    for cell in &report.week {
        let counts = [cell.events, cell.starts, cell.goals.unwrap_or(0)];
        for (i, n) in counts.into_iter().enumerate() {
            hours.entry(cell.hour).or_default()[i] += n;
            days.entry(&cell.weekday).or_default()[i] += n;
        }
    }
    assert_eq!((report.week.len(), hours.len(), days.len()), (168, 24, 7));
    for (hour, slot) in report.hours.iter().enumerate() {
        let goals = slot.goals.map_or(0, |g| g.count);
        let counts = [slot.events.count, slot.starts.count, goals];
        assert_eq!(hours[&u32::try_from(hour).unwrap()], counts);
    }
    for slot in &report.weekdays {
        let goals = slot.goals.map_or(0, |g| g.count);
        let counts = [slot.events.count, slot.starts.count, goals];
        assert_eq!(days[slot.slot.as_str()], counts);
    }
    for slots in [&report.hours, &report.weekdays] {
        assert_eq!(rates(slots, |s| Some(s.events)), report.events);
        assert_eq!(rates(slots, |s| Some(s.starts)), report.journeys);
        assert_eq!(rates(slots, |s| s.goals), report.goals.unwrap_or(0));
        assert_eq!(rates(slots, |s| s.conversion), report.goals.unwrap_or(0));
    }
}

fn log(rows: &[(&str, &str, &str)]) -> Journeys {
    let mut builder = LogBuilder::new(LogOptions::default());
    for (customer, at, event) in rows {
        builder
            .push(*customer, parse_instant(at).unwrap(), event)
            .unwrap();
    }
    builder
        .finish()
        .unwrap()
        .journeys(JourneyRule::customer())
        .unwrap()
}

#[test]
fn clocks_that_change_are_followed() {
    // In Berlin the hour from two is left out in March and comes twice in October.
    let rows = [
        ("a", "2024-03-31T00:59:59Z", "x"),
        ("a", "2024-03-31T01:00:00Z", "x"),
        ("a", "2024-10-27T00:30:00Z", "x"),
        ("a", "2024-10-27T01:30:00Z", "x"),
    ];
    let report = log(&rows).run(&Calendar::zone("Europe/Berlin")).unwrap();
    let count = |hour: usize| report.hours[hour].events.count;
    assert_eq!((count(1), count(2), count(3)), (1, 2, 1));
    assert_eq!(report.weekdays[6].events.count, 4);
    assert_eq!((&report.hours[2].events.n, report.events), (&4, 4));
}

#[test]
fn weeks_begin_where_they_are_said_to() {
    let asked = Calendar::default().week_start(Weekday::Sunday);
    let report = log(&[("a", "2024-05-05T23:00:00Z", "x")])
        .run(&asked)
        .unwrap();
    assert_eq!(report.weekdays[0].slot, "Sunday");
    assert_eq!(report.weekdays[0].events.count, 1);
    let cell = report.week.iter().find(|c| c.events > 0).unwrap();
    assert_eq!(
        (cell.weekday.as_str(), cell.hour, cell.starts),
        ("Sunday", 23, 1)
    );
    assert_eq!(
        (report.week[0].weekday.as_str(), report.week[0].hour),
        ("Sunday", 0)
    );
}

#[test]
fn zones_and_times_that_are_none_are_refused() {
    let journeys = log(&[("a", "2024-05-05T23:00:00Z", "x")]);
    let error = |asked: &Calendar| journeys.run(asked).unwrap_err().to_string();
    assert_eq!(
        error(&Calendar::zone("Berlin")),
        "`time_zone` of calendar: `Berlin` is no time zone; use an IANA name such as Europe/Berlin or UTC"
    );
    assert!(error(&Calendar::default().goal("nowhere")).starts_with("`goal` of calendar: "));
    assert!(error(&Calendar::default().alive("soon")).starts_with("`alive` of calendar: "));
    for time in [i64::MIN, i64::MAX] {
        let mut builder = LogBuilder::new(LogOptions::default());
        builder.push("a", time, "x").unwrap();
        let Ok(log) = builder.finish() else { continue };
        let journeys = log.journeys(JourneyRule::customer()).unwrap();
        let told = journeys.run(&Calendar::default()).unwrap_err().to_string();
        assert!(told.contains("beyond the years"), "{told}");
    }
    let read = serde_json::from_str::<Calendar>("{}").unwrap();
    assert_eq!(read, Calendar::default());
}
