//! The stability of a segment against a naive table of customers, and planted behaviour.

use std::collections::BTreeMap;

use desireline_core::analyses::stability::{Stability, StabilityReport};
use desireline_core::journey::JourneyRule;
use desireline_core::log::{Log, LogBuilder, LogOptions};
use desireline_core::report::{Base, Rate};
use desireline_core::time::format_instant;
use desireline_stats::{Agreement, Sides, stability_index};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{ONE_THREAD, event_names, random};

/// Kappa of two lists of labels, as scikit-learn counts it: by the confusion matrix of all labels.
fn kappa(first: &[bool], second: &[bool]) -> Option<f64> {
    let n = first.len() as f64;
    let share =
        |list: &[bool], label: bool| list.iter().filter(|x| **x == label).count() as f64 / n;
    let alike = first.iter().zip(second).filter(|(a, b)| a == b).count() as f64 / n;
    let chance: f64 = [false, true]
        .iter()
        .map(|&label| share(first, label) * share(second, label))
        .sum();
    (chance < 1.0).then(|| (alike - chance) / (1.0 - chance))
}

#[test]
fn agrees_with_a_naive_table_on_random_logs() {
    for seed in 0..3_000 {
        let (journeys, customers) = random(seed);
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let names = event_names(&customers);
        let name = names[rng.random_range(0..names.len())].clone();
        let times: Vec<i64> = customers
            .iter()
            .flatten()
            .flatten()
            .map(|r| r.time)
            .collect();
        let (first_time, last) = (*times.iter().min().unwrap(), *times.iter().max().unwrap());
        let at_least = rng.random_range(1..4_u32);
        let mut asked = Stability::of(format!("event == {name:?}")).at_least(at_least);
        let mut periods = [first_time, first_time.midpoint(last + 1), 0, last + 1];
        periods[2] = periods[1];
        if rng.random() {
            let mut given: Vec<i64> = (0..4)
                .map(|_| times[rng.random_range(0..times.len())])
                .collect();
            given.sort_unstable();
            let text = |i: usize| format_instant(given[i]);
            asked = asked.first(text(0), text(1)).second(text(2), text(3));
            periods.copy_from_slice(&given);
        }
        let report: StabilityReport = journeys.run_with(&asked, &ONE_THREAD).unwrap().report;

        let mut cells: BTreeMap<&str, u64> = BTreeMap::new();
        let (mut before, mut after) = (Vec::new(), Vec::new());
        let mut shares = Sides::default();
        for customer in &customers {
            let was = |from: i64, until: i64| {
                let inside =
                    |r: &&desireline_tests::random_log::Row| (from..until).contains(&r.time);
                let events = || customer.iter().flatten().filter(inside);
                let hits = events().filter(|r| r.event == name).count() as u64;
                (events().count() > 0).then_some(hits >= u64::from(at_least))
            };
            let (first, second) = (was(periods[0], periods[1]), was(periods[2], periods[3]));
            let cell = match (first, second) {
                (Some(true), Some(true)) => "stayed",
                (Some(true), Some(false)) => "left",
                (Some(false), Some(true)) => "entered",
                (Some(false), Some(false)) => "outside",
                (Some(_), None) => "first_only",
                (None, Some(_)) => "second_only",
                (None, None) => "absent",
            };
            *cells.entry(cell).or_default() += 1;
            if let (Some(first), Some(second)) = (first, second) {
                before.push(first);
                after.push(second);
            }
            let one = |was: Option<bool>| was.map_or((0, 0), |inside| (u64::from(inside), 1));
            shares.add(one(second), one(first));
        }
        let n = |name: &str| cells.get(name).copied().unwrap_or(0);
        let found = [
            ("stayed", report.stayed),
            ("left", report.left),
            ("entered", report.entered),
            ("outside", report.outside),
            ("first_only", report.first_only),
            ("second_only", report.second_only),
            ("absent", report.absent),
        ];
        for (name, count) in found {
            assert_eq!(count, n(name), "seed {seed}: {name}");
        }
        assert_eq!(report.customers, customers.len() as u64);
        assert_eq!(report.both, before.len() as u64);
        let rate = |k, n, base| Rate::simple(k, n, base, 0.95);
        let ever = n("stayed") + n("left") + n("entered");
        assert_eq!(report.overlap, rate(n("stayed"), ever, Base::OfMembers));
        let was = n("stayed") + n("left");
        assert_eq!(report.stays, rate(n("stayed"), was, Base::OfMembers));
        let was_not = n("entered") + n("outside");
        assert_eq!(
            report.enters,
            rate(n("entered"), was_not, Base::OfNonMembers)
        );
        let expected = if before.len() < 5 {
            None
        } else {
            kappa(&before, &after)
        };
        assert_eq!(report.kappa.is_some(), expected.is_some(), "seed {seed}");
        if let (Some(found), Some(expected)) = (report.kappa, expected) {
            assert!((found.value - expected).abs() < 1e-12, "seed {seed}");
            assert!(found.contains(expected));
        }
        let (b, a) = (shares.b, shares.a);
        assert_eq!(report.first.inside, rate(b.k, b.n, Base::OfPresent));
        assert_eq!(report.second.inside, rate(a.k, a.n, Base::OfPresent));
        let index = b
            .rate()
            .zip(a.rate())
            .and_then(|(b, a)| stability_index(b, a));
        assert_eq!(report.stability_index, index, "seed {seed}");
        if a.n.min(b.n) >= 5 {
            assert_eq!(report.change, shares.difference(0.95), "seed {seed}");
        }
        if seed % 4 == 0 {
            let counted = journeys.count_cells(&asked, &ONE_THREAD).unwrap();
            assert_eq!(
                journeys.count_located(&asked).unwrap(),
                counted,
                "seed {seed}"
            );
        }
    }
}

/// 600 customers with an event of each day; a share of them buys, and does so again with this chance.
fn planted(again: f64) -> Log {
    let rng = &mut ChaCha8Rng::seed_from_u64(64);
    let mut builder = LogBuilder::new(LogOptions::default());
    for customer in 0..600 {
        let buys = customer % 3 == 0;
        let kept = rng.random_bool(again);
        let second = if kept { buys } else { rng.random_ratio(1, 3) };
        for (day, buys) in [(0, buys), (1, second)] {
            let event = if buys { "buy" } else { "browse" };
            let customer = format!("c{customer}");
            builder
                .push(&customer, day * 86_400_000_000, event)
                .unwrap();
        }
    }
    builder.finish().unwrap()
}

#[test]
fn planted_habits_are_found_and_chance_is_told_from_them() {
    let run = |again: f64| {
        let journeys = planted(again).journeys(JourneyRule::customer()).unwrap();
        journeys.run(&Stability::of("buy")).unwrap().report
    };
    let (habit, chance, same) = (run(0.7), run(0.0), run(1.0));
    let kappa = |r: &StabilityReport| r.kappa.unwrap();
    assert!((kappa(&habit).value - 0.7).abs() < 0.1 && kappa(&habit).lower > 0.5);
    assert!(kappa(&chance).contains(0.0));
    assert_eq!((kappa(&same).value, same.left, same.entered), (1.0, 0, 0));
    assert!(kappa(&same).lower > 0.9 && kappa(&same).lower < 1.0);
    for report in [&habit, &chance, &same] {
        assert_eq!((report.both, report.first.inside.count), (600, 200));
        assert!(report.stability_index.unwrap() < 0.1);
        assert!(report.change.unwrap().contains(0.0));
    }
    let table = Agreement {
        both: habit.stayed,
        first: habit.left,
        second: habit.entered,
        neither: habit.outside,
    };
    assert_eq!(table.kappa(0.95), habit.kappa);
}

#[test]
fn questions_that_make_no_sense_are_refused() {
    let (journeys, _) = random(1);
    let error = |asked: &Stability| journeys.run(asked).unwrap_err().to_string();
    let of = || Stability::of("true");
    assert!(error(&of().at_least(0)).starts_with("`at_least` of stability: "));
    assert!(error(&Stability::of("nowhere")).starts_with("`condition` of stability: "));
    assert!(error(&of().first("soon", "2024-01-01")).contains("`soon` is no time"));
    let turned = of().first("2024-02-01", "2024-01-01");
    assert!(error(&turned).starts_with("`first_until` of stability: "));
    let overlapping = of()
        .first("2024-01-01", "2024-02-01")
        .second("2024-01-15", "2024-03-01");
    assert!(error(&overlapping).starts_with("`second_from` of stability: "));
    assert!(serde_json::from_str::<Stability>("{}").is_err());
}
