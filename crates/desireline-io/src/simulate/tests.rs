//! What is simulated, against what was asked for; each planted effect is in `effects`.
#![allow(clippy::unwrap_used)]

mod effects;

use std::collections::HashMap;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;

use super::walk::DAY;
use super::*;

/// Sessions of people, as the tests below need them.
struct Visit {
    customer: u64,
    device: u8,
    plan: u8,
    campaign: u8,
    ab: u8,
    channel: u8,
    paying: bool,
    bought: bool,
}

fn people(simulation: &Simulation) -> (Simulator, Columns) {
    let simulator = Simulation {
        effects: Effects {
            bots: None,
            ..simulation.effects.clone()
        },
        ..simulation.clone()
    }
    .prepare()
    .unwrap();
    let columns = simulator.columns(0..simulation.customers);
    (simulator, columns)
}

fn visits(columns: &Columns, names: &Dictionaries) -> Vec<Visit> {
    let code = |name: &str| names.event.iter().position(|n| n == name).unwrap() as u16;
    let (payment, purchase) = (code("payment"), code("purchase"));
    let mut visits: Vec<Visit> = Vec::new();
    let mut last = None;
    for i in 0..columns.len() {
        let key = (columns.customer[i], columns.session[i]);
        if last != Some(key) {
            last = Some(key);
            visits.push(Visit {
                customer: columns.customer[i],
                device: columns.device[i],
                plan: columns.plan[i],
                campaign: columns.campaign[i],
                ab: columns.ab[i],
                channel: columns.channel[i],
                paying: false,
                bought: false,
            });
        }
        let visit = visits.last_mut().unwrap();
        visit.paying |= columns.event[i] == payment;
        visit.bought |= columns.event[i] == purchase;
    }
    visits
}

/// Rate of a yes among the visits wanted, with its binomial standard error.
fn rate(
    visits: &[Visit],
    wanted: impl Fn(&Visit) -> bool,
    yes: impl Fn(&Visit) -> bool,
) -> (f64, f64) {
    let of: Vec<&Visit> = visits.iter().filter(|v| wanted(v)).collect();
    let n = of.len() as f64;
    let p = of.iter().filter(|v| yes(v)).count() as f64 / n;
    (p, (p * (1.0 - p) / n).sqrt())
}

fn close(found: f64, truth: f64, error: f64, what: &str) {
    assert!(
        (found - truth).abs() < 4.0 * error,
        "{what}: found {found}, truth {truth}, standard error {error}"
    );
}

fn all(simulator: &Simulator, rows: usize) -> RecordBatch {
    let batches: Vec<RecordBatch> = simulator.batches(rows).map(|b| b.unwrap()).collect();
    assert!(batches.iter().rev().skip(1).all(|b| b.num_rows() == rows));
    concat_batches(&simulator.schema(), &batches).unwrap()
}

#[test]
fn same_events_for_any_threads_batches_and_ranges() {
    for order in [Order::Customer, Order::Arrival] {
        let mut simulation = Simulation {
            order,
            n_names: 200,
            ..Simulation::shop(5_000)
        };
        let whole = all(&simulation.prepare().unwrap(), 1 << 20);
        for (threads, rows, window_events) in
            [(1, 1_000, 7_000), (2, 8_192, 50_000), (8, 99_991, 1 << 24)]
        {
            simulation.window_events = window_events;
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap();
            let again = pool.install(|| all(&simulation.prepare().unwrap(), rows));
            assert_eq!(again, whole, "{order:?}, {threads} threads, {rows} rows");
        }
    }
    let simulator = Simulation::shop(5_000).prepare().unwrap();
    let whole = simulator.columns(0..5_000);
    let mut parts = Columns::default();
    for start in (0..5_000).step_by(617) {
        parts.append(&mut simulator.columns(start..start + 617));
    }
    assert_eq!(parts, whole);
    let mut streamed = Columns::default();
    let mut batches = simulator.batches(3_333);
    while let Some(mut columns) = batches.next_columns() {
        streamed.append(&mut columns);
    }
    assert_eq!(streamed, whole);
}

#[test]
fn the_log_is_the_same_on_every_machine_and_in_every_version() {
    let columns = Simulation::shop(300).prepare().unwrap().columns(0..300);
    // FNV-1a over times, touchpoints and values: changes only when the model is changed on purpose.
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    for i in 0..columns.len() {
        for x in [
            columns.time[i] as u64,
            u64::from(columns.event[i]),
            columns.value[i].unwrap_or(0) as u64,
        ] {
            hash = (hash ^ x).wrapping_mul(0x0100_0000_01b3);
        }
    }
    assert_eq!((columns.len(), hash), (10_750, 12_258_579_521_757_842_220));
}

#[test]
fn arrival_order_is_by_time_then_customer_then_number() {
    let simulator = Simulation {
        order: Order::Arrival,
        window_events: 10_000,
        ..Simulation::shop(2_000)
    }
    .prepare()
    .unwrap();
    let mut sorted = Columns::default();
    let mut batches = simulator.batches(10_000);
    while let Some(mut columns) = batches.next_columns() {
        sorted.append(&mut columns);
    }
    let keys: Vec<_> = (0..sorted.len())
        .map(|i| (sorted.time[i], sorted.customer[i], sorted.seq[i]))
        .collect();
    assert!(keys.is_sorted());
    assert_eq!(sorted.len(), simulator.columns(0..2_000).len());
}

#[test]
fn sizes_times_and_ties_are_as_described() {
    let simulation = Simulation::shop(20_000);
    let (simulator, columns) = people(&simulation);
    let events = columns.len() as f64;
    let mean = events / 20_000.0;
    assert!((25.0..30.0).contains(&mean), "{mean} events per customer");
    let visits = visits(&columns, simulator.dictionaries());
    let per_customer = visits.len() as f64 / 20_000.0;
    assert!(
        (3.6..4.4).contains(&per_customer),
        "{per_customer} sessions per customer"
    );

    let (from, to) = (1_735_689_600_000_000, 1_735_689_600_000_000 + 180 * DAY);
    assert!(
        columns
            .time
            .iter()
            .all(|t| (from..to).contains(t) && t % 1_000 == 0)
    );
    let (mut ties, mut steps) = (0, 0);
    let mut lengths: HashMap<(u64, u32), u32> = HashMap::new();
    for i in 0..columns.len() {
        *lengths
            .entry((columns.customer[i], columns.session[i]))
            .or_default() += 1;
        if i > 0 && columns.customer[i] == columns.customer[i - 1] {
            let gap = columns.time[i] - columns.time[i - 1];
            assert_eq!(
                gap > 30 * 60 * 1_000_000,
                columns.session[i] != columns.session[i - 1],
                "a gap of 30 minutes"
            );
            assert!(gap >= 0);
            if columns.session[i] == columns.session[i - 1] {
                steps += 1;
                ties += u32::from(gap == 0);
            }
        }
    }
    let share = f64::from(ties) / f64::from(steps);
    assert!((0.0045..0.0055).contains(&share), "{share} of events tie");
    let mut lengths: Vec<u32> = lengths.into_values().collect();
    lengths.sort_unstable();
    assert!(
        (4..=5).contains(&lengths[lengths.len() / 2]),
        "median session {}",
        lengths[lengths.len() / 2]
    );
    assert!(lengths[lengths.len() - 1] <= 550);

    let truth = simulator.truth();
    let bought = rate(&visits, |_| true, |v| v.bought);
    assert!(
        (0.01..0.05).contains(&bought.0),
        "{} of sessions buy",
        bought.0
    );
    // Customers with many sessions make the rate a little less certain than sessions alone would.
    close(
        bought.0,
        truth.purchase_rate,
        2.0 * bought.1,
        "purchase rate",
    );
    assert!(columns.value.iter().all(|v| v.is_none_or(|v| v >= 300)));
    let purchases = columns
        .event
        .iter()
        .filter(|&&e| e == vocabulary::PURCHASE)
        .count();
    assert_eq!(columns.value.iter().flatten().count(), purchases);
}

#[test]
fn every_touchpoint_is_seen_and_many_names_keep_the_shop() {
    for names in [30, 40, 200, 2_000] {
        let simulator = Simulation {
            n_names: names,
            ..Simulation::shop(20_000)
        }
        .prepare()
        .unwrap();
        let columns = simulator.columns(0..20_000);
        let mut counts = vec![0u32; names as usize];
        columns
            .event
            .iter()
            .for_each(|&e| counts[usize::from(e)] += 1);
        let seen = counts.iter().filter(|&&c| c > 0).count();
        assert!(seen as f64 > 0.98 * f64::from(names), "{seen} of {names}");
        assert_eq!(simulator.dictionaries().event.len(), names as usize);
        assert!(counts[usize::from(vocabulary::PURCHASE)] > 1_000);
    }
}

#[test]
fn the_number_of_events_is_met() {
    for wanted in [200_000, 1_000_000] {
        let simulation = Simulation::with_events(wanted);
        let simulator = simulation.prepare().unwrap();
        let found = simulator.columns(0..simulation.customers).len() as f64;
        assert!(
            (found / wanted as f64 - 1.0).abs() < 0.05,
            "{found} for {wanted}"
        );
    }
}

#[test]
fn the_log_in_memory_has_all_events() {
    let mut logs = Vec::new();
    for order in [Order::Customer, Order::Arrival] {
        let simulator = Simulation {
            order,
            ..Simulation::shop(3_000)
        }
        .prepare()
        .unwrap();
        let log = simulator.log().unwrap();
        assert_eq!(log.n_events() as usize, simulator.columns(0..3_000).len());
        assert_eq!(log.n_customers(), 3_000);
        logs.push(log.fingerprint());
    }
    assert_eq!(logs[0], logs[1], "the same log in either order");
    let numbers = Simulation {
        customer_ids: CustomerIds::Integer,
        ..Simulation::shop(100)
    }
    .prepare()
    .unwrap()
    .log()
    .unwrap();
    assert!(numbers.customer("42").is_some());
}

#[test]
fn ids_and_money_have_two_forms() {
    let mut simulation = Simulation::shop(200);
    let text = simulation.prepare().unwrap().chunk(42..43).unwrap();
    assert_eq!(
        text.column(0)
            .as_any()
            .downcast_ref::<arrow::array::StringArray>()
            .unwrap()
            .value(0),
        "c0000042"
    );
    assert_eq!(
        text.column(3)
            .as_any()
            .downcast_ref::<arrow::array::StringArray>()
            .unwrap()
            .value(0),
        "c0000042-001"
    );
    simulation.customer_ids = CustomerIds::Integer;
    simulation.money = Money::Minor;
    let numbers = simulation.prepare().unwrap().chunk(42..43).unwrap();
    assert_eq!(
        numbers
            .column(0)
            .as_any()
            .downcast_ref::<arrow::array::Int64Array>()
            .unwrap()
            .value(0),
        42
    );
    assert_eq!(
        numbers
            .schema()
            .field_with_name("value")
            .unwrap()
            .data_type(),
        &arrow::datatypes::DataType::Int64
    );
}

#[test]
fn the_description_round_trips_and_is_strict() {
    let simulation = Simulation {
        effects: Effects {
            rework: None,
            ..Effects::default()
        },
        ..Simulation::shop(77)
    };
    let json = serde_json::to_string(&simulation).unwrap();
    assert_eq!(
        serde_json::from_str::<Simulation>(&json).unwrap(),
        simulation
    );
    assert_eq!(
        serde_json::from_str::<Simulation>(r#"{"customers": 10000}"#).unwrap(),
        Simulation::default()
    );
    assert!(serde_json::from_str::<Simulation>(r#"{"custmers": 10000}"#).is_err());
}

#[test]
fn what_cannot_be_is_refused() {
    let shop = || Simulation::shop(100);
    let broken = |device: &str, failure| Effects {
        broken_step: Some(BrokenStep {
            device: device.into(),
            failure,
            from_day: 1,
        }),
        ..Effects::default()
    };
    let mut refused = vec![
        Simulation {
            customers: 0,
            ..shop()
        },
        Simulation { days: 0, ..shop() },
        Simulation {
            n_names: 29,
            ..shop()
        },
        Simulation {
            start: "01/02/2025".into(),
            ..shop()
        },
        Simulation {
            start: "9999-12-31".into(),
            ..shop()
        },
        Simulation {
            effects: broken("mobile_ios", f64::NAN),
            ..shop()
        },
        Simulation {
            effects: broken("mobile_ios", 1.5),
            ..shop()
        },
        Simulation {
            effects: broken("mobile_io", 0.5),
            ..shop()
        },
    ];
    let lift = ChannelLift {
        channel: "referral".into(),
        ratio: 10.0,
    };
    let reversal = Reversal {
        ratio: 9.0,
        ..Reversal::default()
    };
    refused.push(Simulation {
        effects: Effects {
            channel_lift: Some(lift),
            reversal: Some(reversal),
            ..Effects::default()
        },
        ..shop()
    });
    for simulation in refused {
        assert!(simulation.prepare().is_err(), "{simulation:?}");
    }
    let error = Simulation {
        effects: broken("mobile_io", 0.5),
        ..shop()
    }
    .prepare()
    .unwrap_err()
    .to_string();
    assert!(error.contains("did you mean `mobile_ios`?"), "{error}");
}

#[test]
fn short_windows_and_single_customers_work() {
    for (customers, days) in [(1, 1), (1, 3_650), (500, 1), (120, 7)] {
        let simulation = Simulation {
            days,
            ..Simulation::shop(customers)
        };
        let simulator = simulation.prepare().unwrap();
        let columns = simulator.columns(0..u64::MAX);
        let from = 1_735_689_600_000_000;
        assert!(
            columns
                .time
                .iter()
                .all(|t| (from..from + i64::from(days) * DAY).contains(t))
        );
        assert!(!columns.is_empty());
    }
}
