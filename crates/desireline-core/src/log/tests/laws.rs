use super::*;
use crate::log::{Batch, KeyColumn, RowNumbers, ValueColumn};

fn batch_log(options: LogOptions, rows: &[Given], size: usize) -> Log {
    let mut builder = LogBuilder::new(options);
    for rows in rows.chunks(size) {
        // Every customer and name as a dictionary, with an entry that never occurs.
        let names: Vec<&str> = rows
            .iter()
            .map(|r| r.event.as_str())
            .chain(["never"])
            .collect();
        let values: Vec<Option<&str>> = names.iter().map(|n| Some(*n)).collect();
        let codes: Vec<Option<u32>> = (0..rows.len() as u32).map(Some).collect();
        let customers: Vec<Option<&str>> = rows.iter().map(|r| Some(r.customer.as_str())).collect();
        let times: Vec<Option<i64>> = rows.iter().map(|r| Some(r.time)).collect();
        let text: Vec<Option<&str>> = rows.iter().map(|r| r.text.as_deref()).collect();
        let flag: Vec<Option<bool>> = rows.iter().map(|r| r.flag).collect();
        let number: Vec<Option<i64>> = rows.iter().map(|r| r.number).collect();
        let decimal: Vec<Option<f64>> = rows.iter().map(|r| r.decimal).collect();
        let value: Vec<Option<i64>> = rows.iter().map(|r| r.value).collect();
        let tie: Vec<Option<i64>> = rows.iter().map(|r| r.tie).collect();
        let batch = Batch {
            customer: KeyColumn::Texts(&customers),
            time: (&times).into(),
            event: KeyColumn::Dictionary {
                codes: (&codes).into(),
                values: &values,
            },
            attributes: vec![
                ValueColumn::Key(KeyColumn::Texts(&text)),
                ValueColumn::Booleans((&flag).into()),
                ValueColumn::Integers((&number).into()),
                ValueColumn::Decimals((&decimal).into()),
            ],
            value: Some((&value).into()),
            tie: Some((&tie).into()),
            rows: RowNumbers::Counted,
            source: "test",
        };
        builder.push_batch(&batch).unwrap();
    }
    builder.finish().unwrap()
}

/// The naive log without rows that equal an earlier one of the same customer and time, and how many those are.
fn naive_dedupe(rows: &[Given]) -> (Decoded, u64) {
    let mut all = naive(rows);
    let mut dropped = 0;
    for rows in all.values_mut() {
        let mut kept: Vec<_> = Vec::new();
        for row in std::mem::take(rows) {
            if kept.contains(&row) {
                dropped += 1
            } else {
                kept.push(row)
            }
        }
        *rows = kept;
    }
    (all, dropped)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_log_is_a_stable_sort(rows in rows(60), block_events in 1usize..20, size in 1usize..30) {
        let expected = naive(&rows);
        let log = build(&rows);
        prop_assert_eq!(&decode(&log), &expected);
        let cut = batch_log(LogOptions { block_events, ..options() }, &rows, size);
        prop_assert_eq!(&decode(&cut), &expected);
        prop_assert_eq!(cut.fingerprint(), log.fingerprint());
        prop_assert_eq!(cut.catalog(), log.catalog());
        for block in cut.blocks() {
            prop_assert!(block.n_events() <= block_events || block.n_customers() == 1);
        }
        let ties = expected.values().map(|r| r.windows(2).filter(|w| w[0].0 == w[1].0).count() as u64).sum::<u64>();
        let summary = log.summary();
        prop_assert_eq!(summary.ties, ties);
        prop_assert_eq!(summary.ties_in_input_order, ties);
        prop_assert_eq!(summary.exact_duplicates, naive_dedupe(&rows).1);
        prop_assert_eq!(summary.names.iter().map(|n| n.events).sum::<u64>(), rows.len() as u64);
        for name in &summary.names {
            let customers = expected.values().filter(|r| r.iter().any(|e| e.1 == name.name)).count();
            prop_assert_eq!(name.customers, customers as u64);
        }
    }

    #[test]
    fn names_are_ranked_by_count_then_name(rows in rows(60)) {
        let log = build(&rows);
        let counts: Vec<(std::cmp::Reverse<usize>, &str)> = log.catalog().events.names()
            .map(|name| (std::cmp::Reverse(rows.iter().filter(|r| r.event == name).count()), name)).collect();
        prop_assert!(counts.is_sorted());
        prop_assert!(log.catalog().attributes[0].dictionary.names().is_sorted());
    }

    #[test]
    fn an_attribute_belongs_to_customers_when_no_customer_has_two_values(rows in rows(40)) {
        let (log, expected) = (build(&rows), naive(&rows));
        for (a, info) in log.catalog().attributes.iter().enumerate() {
            let constant = expected.values().all(|r| r.iter().all(|e| e.3[a] == r[0].3[a]));
            prop_assert_eq!(info.level == Level::Customer, constant, "{}", &info.name);
        }
    }

    #[test]
    fn input_order_does_not_show(rows in rows(60), seed in any::<u64>(), tied in any::<bool>()) {
        let mut rows = rows;
        for (i, row) in rows.iter_mut().enumerate() {
            if tied { row.tie = Some((i as i64).wrapping_mul(7919) % 1009) } else { row.time = row.time * 1_000 + i as i64 }
        }
        let mut mixed = rows.clone();
        mixed.sort_by_key(|r| xxhash_rust::xxh3::xxh3_64_with_seed(format!("{r:?}").as_bytes(), seed));
        let (a, b) = (build(&rows), build(&mixed));
        prop_assert_eq!(decode(&a), naive(&rows));
        prop_assert_eq!(decode(&a), decode(&b));
        prop_assert_eq!(a.fingerprint(), b.fingerprint());
        prop_assert_eq!(a.catalog(), b.catalog());
        prop_assert_eq!(a.caveats(), b.caveats());
        prop_assert_eq!(a.summary().ties_in_input_order, 0);
        for (x, y) in a.blocks().iter().zip(b.blocks()) {
            prop_assert_eq!((&x.codes, &x.times, &x.offsets, &x.customers), (&y.codes, &y.times, &y.offsets, &y.customers));
            prop_assert_eq!(&x.attributes, &y.attributes);
        }
    }

    #[test]
    fn any_change_changes_the_fingerprint(rows in rows(20), place in any::<prop::sample::Index>(), what in 0..5) {
        let mut changed = rows.clone();
        let row = &mut changed[place.index(rows.len())];
        match what {
            0 => row.customer.push('x'),
            1 => row.time += 1 << 50,
            2 => row.event.push('x'),
            3 => row.value = Some(row.value.map_or(0, |v| v + 10)),
            _ => row.number = Some(row.number.map_or(0, |v| v + 10)),
        }
        prop_assert_ne!(build(&rows).fingerprint(), build(&changed).fingerprint());
    }

    #[test]
    fn duplicates_are_dropped_when_asked(rows in rows(60), block_events in 1usize..20) {
        let (expected, dropped) = naive_dedupe(&rows);
        let log = build_with(LogOptions { dedupe: true, block_events, ..options() }, &rows);
        prop_assert_eq!(decode(&log), expected);
        let summary = log.summary();
        prop_assert_eq!((summary.duplicates_dropped, summary.exact_duplicates), (dropped, 0));
    }

    #[test]
    fn integers_are_kept_as_integers(ids in prop::collection::vec(any::<i64>(), 1..30), edges in any::<bool>()) {
        let mut ids = ids;
        if edges { ids.extend([i64::MIN, i64::MAX, 0, -1]) }
        let numbers = Log::from_columns(&ids, &vec![0; ids.len()], &vec!["a"; ids.len()]).unwrap();
        let words: Vec<String> = ids.iter().map(i64::to_string).collect();
        let texts = Log::from_columns(&words, &vec![0; ids.len()], &vec!["a"; ids.len()]).unwrap();
        prop_assert_eq!(numbers.fingerprint(), texts.fingerprint());
        prop_assert_eq!(&numbers.blocks()[0].customers, &texts.blocks()[0].customers);
        prop_assert!(matches!(&numbers.blocks()[0].customers, crate::log::CustomerIds::Integers(all) if all.is_sorted()));
        for id in &words {
            prop_assert!(numbers.customer(id).is_some());
        }
    }
}

#[cfg(feature = "parallel")]
#[test]
fn threads_do_not_show() {
    let row = |i: u32| {
        (
            i.wrapping_mul(2_654_435_761) % 5_003,
            i64::from(i % 977) * 1_000_003,
            ["a", "b", "c"][i as usize % 3],
        )
    };
    let build = |threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| Log::from_rows((0..200_000).map(row)).unwrap())
    };
    let (one, eight) = (build(1), build(8));
    assert_eq!(one.fingerprint(), eight.fingerprint());
    assert_eq!(one.summary(), eight.summary());
    assert_eq!(one.blocks()[0].times, eight.blocks()[0].times);
}
