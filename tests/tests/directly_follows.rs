//! `directly_follows` against counting in a map, on many random logs and on vocabularies of every width of table, and
//! against `transitions`.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use desireline_core::analyses::directly_follows::DirectlyFollowsReport;
use desireline_core::analyses::{DirectlyFollows, Transitions};
use desireline_core::compare::{Compare, Comparison};
use desireline_core::engine::Breakdown;
use desireline_core::journey::{JourneyRule, Journeys};
use desireline_core::log::Log;
use desireline_core::time::TimeSpan;
use desireline_tests::random_log::{GAP, build, naive_journeys, rows};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const LOGS: u64 = 12_000;

fn check(report: &DirectlyFollowsReport, journeys: &[Vec<&str>]) {
    let mut pairs: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    let mut nodes: BTreeMap<&str, [u64; 3]> = BTreeMap::new();
    for events in journeys {
        for pair in events.windows(2) {
            *pairs.entry((pair[0], pair[1])).or_default() += 1;
        }
        for event in events {
            nodes.entry(event).or_default()[0] += 1;
        }
        nodes.entry(events[0]).or_default()[1] += 1;
        nodes.entry(events[events.len() - 1]).or_default()[2] += 1;
    }
    let events: u64 = journeys.iter().map(|j| j.len() as u64).sum();
    assert_eq!(
        (report.events, report.journeys),
        (events, journeys.len() as u64)
    );
    assert_eq!(report.count, report.events - report.journeys);
    let mut expected: Vec<_> = pairs.into_iter().collect();
    expected.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let found = |from: usize, to: usize| {
        let rows = report.pairs[from..to].iter();
        rows.map(|r| ((&*r.from, &*r.to), r.count))
            .collect::<Vec<_>>()
    };
    let listed = report.pairs.len();
    assert_eq!(found(0, listed), expected[..listed]);
    let rest: u64 = expected[listed..].iter().map(|e| e.1).sum();
    let (distinct, count) = report.other.map_or((0, 0), |o| (o.distinct, o.count));
    assert_eq!((distinct, count), ((expected.len() - listed) as u64, rest));
    let found: BTreeMap<&str, [u64; 3]> = report
        .touchpoints
        .iter()
        .map(|t| (&*t.touchpoint, [t.events, t.starts, t.ends]))
        .collect();
    assert_eq!(found, nodes);
}

fn gap() -> JourneyRule {
    JourneyRule::gap(TimeSpan::from_micros(GAP)).unwrap()
}

#[test]
fn random_logs_agree_with_the_map() {
    for seed in 0..LOGS {
        let rows = rows(seed);
        let by_gap = seed % 2 == 0;
        let rule = if by_gap {
            gap()
        } else {
            JourneyRule::customer()
        };
        let naive = naive_journeys(&rows, by_gap.then_some(GAP));
        let naive: Vec<Vec<&str>> = naive
            .iter()
            .map(|j| j.iter().map(|r| &*r.event).collect())
            .collect();
        let spec = DirectlyFollows {
            top: [None, Some(2)][(seed % 3 == 0) as usize],
        };
        let journeys = build(&rows).unwrap().journeys(rule).unwrap();
        check(&journeys.run(&spec).unwrap(), &naive);
    }
}

/// `events` events of `names` touchpoints, some far more frequent than others.
fn wide(names: u32, events: usize, seed: u64) -> (Journeys, Vec<Vec<String>>) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut customers: Vec<Vec<String>> = Vec::new();
    let mut left = events;
    while left > 0 {
        let n = rng.random_range(1..=40).min(left);
        left -= n;
        let name =
            |rng: &mut ChaCha8Rng| rng.random_range(0..names).min(rng.random_range(0..names));
        customers.push((0..n).map(|_| format!("t{}", name(&mut rng))).collect());
    }
    // Every name occurs, so that the codes have the width asked for.
    customers.push((0..names).map(|name| format!("t{name}")).collect());
    let rows = customers.iter().enumerate().flat_map(|(c, events)| {
        let id = i64::try_from(c).unwrap();
        events
            .iter()
            .zip(0..)
            .map(move |(event, time)| (id, time, &**event))
    });
    let log = Log::from_rows(rows).unwrap();
    (log.journeys(JourneyRule::customer()).unwrap(), customers)
}

#[test]
fn tables_of_every_width_agree_with_the_map() {
    for (names, seed) in [1, 2, 16, 17, 32, 33, 64, 65, 128, 129, 255, 256, 257, 700]
        .into_iter()
        .zip(0..)
    {
        let (journeys, customers) = wide(names, 150_000, seed);
        let naive: Vec<Vec<&str>> = customers
            .iter()
            .map(|j| j.iter().map(|e| &**e).collect())
            .collect();
        check(&journeys.run(&DirectlyFollows::default()).unwrap(), &naive);
    }
}

#[test]
fn transitions_count_the_same() {
    for seed in 0..500 {
        let rows = rows(seed);
        let journeys = build(&rows).unwrap().journeys(gap()).unwrap();
        let name = format!(
            "not `{}`",
            rows[0].event.replace('\\', "\\\\").replace('`', "\\`")
        );
        for journeys in [journeys.clone(), journeys.keep_events(&name).unwrap()] {
            let counted = journeys.run(&DirectlyFollows::default()).unwrap();
            let measured = journeys.run(&Transitions::default()).unwrap();
            let pairs: Vec<_> = counted
                .pairs
                .iter()
                .map(|r| (&r.from, &r.to, r.count))
                .collect();
            let transitions: Vec<_> = measured
                .transitions
                .iter()
                .map(|r| (&r.from, &r.to, r.count))
                .collect();
            assert_eq!(pairs, transitions);
            assert_eq!(counted.customers, measured.customers);
            assert_eq!(
                counted
                    .graph()
                    .nodes
                    .iter()
                    .map(|n| (&n.name, n.events, n.component))
                    .collect::<Vec<_>>(),
                measured
                    .graph()
                    .nodes
                    .iter()
                    .map(|n| (&n.name, n.events, n.component))
                    .collect::<Vec<_>>()
            );
        }
    }
}

#[test]
fn counts_are_not_compared() {
    let journeys = build(&rows(1)).unwrap().journeys(gap()).unwrap();
    let how = Comparison::new(Breakdown::by("channel"));
    let of = DirectlyFollows::default();
    let error = journeys.run(&Compare { of, how }).unwrap_err().to_string();
    assert!(error.contains("compare `transitions`"), "{error}");
}
