//! Rows in chunks, parts and threads: none of it shows in the log.

use super::*;
use crate::log::{Batch, Block, Catalog, Column, KeyColumn, RowNumbers, ValueColumn};

fn assert_same(a: &Log, b: &Log) {
    assert_eq!(a.fingerprint(), b.fingerprint());
    assert_eq!(a.catalog(), b.catalog());
    assert_eq!(a.summary(), b.summary());
    assert_eq!(a.caveats(), b.caveats());
    assert_eq!(a.quarantine(), b.quarantine());
    assert_eq!(a.blocks().len(), b.blocks().len());
    for (x, y) in a.blocks().iter().zip(b.blocks()) {
        assert_eq!((&x.codes, &x.times), (&y.codes, &y.times));
        assert_eq!((&x.offsets, &x.customers), (&y.offsets, &y.customers));
        assert_eq!((&x.attributes, &x.value), (&y.attributes, &y.value));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn chunks_and_merged_builders_do_not_show(
        rows in rows(60),
        chunk_rows in 1usize..20,
        size in 1usize..30,
        tied in 0..3,
    ) {
        let mut rows = rows;
        for (i, row) in rows.iter_mut().enumerate() {
            // Some have no tie key, and some chunks have none at all.
            row.tie = (tied == 1 || tied == 2 && i % 7 > 3).then_some((i as i64 * 7919) % 5);
            if i < 10 {
                row.value = None;
            }
            if i % 11 == 3 {
                row.time = i64::MAX;
            }
        }
        let options = || LogOptions { max_quarantine_share: 1.0, ..options() };
        rows[0].time = 0;
        let whole = build_with(options(), &rows);
        let mut chunked = LogBuilder::new(options());
        chunked.chunk_rows = chunk_rows;
        rows.iter().for_each(|row| push(&mut chunked, row));
        assert_same(&whole, &chunked.finish().unwrap());

        let good: Vec<Given> = rows.into_iter().filter(|r| r.time != i64::MAX).collect();
        let mut merged = LogBuilder::new(options());
        for rows in good.chunks(size) {
            let mut more = if size.is_multiple_of(2) { merged.fork() } else { LogBuilder::new(options()) };
            more.chunk_rows = chunk_rows;
            rows.iter().for_each(|row| push(&mut more, row));
            merged.merge(more).unwrap();
        }
        assert_eq!(merged.rows(), good.len() as u64);
        assert_same(&build_with(options(), &good), &merged.finish().unwrap());
    }
}

#[test]
fn a_builder_with_other_options_is_not_merged() {
    let mut builder = LogBuilder::new(options());
    assert!(
        builder
            .merge(LogBuilder::new(LogOptions::default()))
            .is_err()
    );
    builder.merge(LogBuilder::new(options())).unwrap();
    assert_eq!(builder.rows(), 0);
}

/// One row of a large log.
#[derive(Clone, Copy)]
struct Row {
    customer: u32,
    time: i64,
    event: u32,
    session: Option<u32>,
    tie: Option<i64>,
}

fn scramble(i: u32) -> u32 {
    i.wrapping_mul(2_654_435_761)
        .rotate_left(13)
        .wrapping_mul(2_246_822_519)
}

/// The rows in the order that the log must have.
fn sorted(rows: &[Row], texts: bool) -> Vec<Row> {
    let mut all = rows.to_vec();
    let key = |r: &Row| {
        if texts {
            format!("c{}", r.customer)
        } else {
            format!("{:010}", r.customer)
        }
    };
    all.sort_by_cached_key(|r| (key(r), r.time, r.tie.unwrap_or(i64::MAX)));
    all
}

fn fill(builder: &mut LogBuilder, rows: &[Row], texts: bool) {
    for rows in rows.chunks(9_973) {
        let customers: Vec<String> = rows.iter().map(|r| format!("c{}", r.customer)).collect();
        let customers: Vec<Option<&str>> = customers.iter().map(|c| Some(c.as_str())).collect();
        let numbers: Vec<i64> = rows.iter().map(|r| r.customer.into()).collect();
        let times: Vec<i64> = rows.iter().map(|r| r.time).collect();
        let events: Vec<i64> = rows.iter().map(|r| r.event.into()).collect();
        let sessions: Vec<Option<String>> = rows
            .iter()
            .map(|r| r.session.map(|s| format!("session {s}")))
            .collect();
        let sessions: Vec<Option<&str>> = sessions.iter().map(|s| s.as_deref()).collect();
        let ties: Vec<Option<i64>> = rows.iter().map(|r| r.tie).collect();
        let batch = Batch {
            customer: if texts {
                KeyColumn::Texts(&customers)
            } else {
                KeyColumn::Integers(Column::Full(&numbers))
            },
            time: Column::Full(&times),
            event: KeyColumn::Integers(Column::Full(&events)),
            attributes: vec![ValueColumn::Key(KeyColumn::Texts(&sessions))],
            value: None,
            tie: Some(Column::Gaps(&ties)),
            rows: RowNumbers::Counted,
            source: "test",
        };
        builder.push_batch(&batch).unwrap();
    }
}

fn check(log: &Log, expected: &[Row], texts: bool) {
    let mut rows = expected.iter();
    let catalog: &Catalog = log.catalog();
    for block in log.blocks() {
        let block: &Block = block;
        for c in 0..block.n_customers() {
            let session = |row: usize| {
                let column = &block.attributes[0];
                let place = if column.level == Level::Customer {
                    c
                } else {
                    row
                };
                match column.data.get(place) {
                    Value::Code(code) => Some(catalog.attributes[0].dictionary.name(code)),
                    _ => None,
                }
            };
            for row in block.offsets[c] as usize..block.offsets[c + 1] as usize {
                let wanted = rows.next().unwrap();
                let id = block.customers.get(c);
                let number = if texts {
                    id.strip_prefix('c').unwrap()
                } else {
                    &id
                };
                assert_eq!(number.parse(), Ok(wanted.customer));
                assert_eq!(block.times.get(row), wanted.time);
                let name = catalog.events.name(block.codes.get(row));
                assert_eq!(name.parse(), Ok(wanted.event));
                let text = wanted.session.map(|s| format!("session {s}"));
                assert_eq!(session(row), text.as_deref());
            }
        }
    }
    assert!(rows.next().is_none());
}

#[cfg(feature = "parallel")]
#[test]
fn large_logs_are_a_stable_sort_on_any_number_of_threads() {
    let n = 100_000u32;
    let of = |customer: &dyn Fn(u32) -> u32, time: &dyn Fn(u32) -> i64| -> Vec<Row> {
        let row = |i: u32| Row {
            customer: customer(i),
            time: time(i),
            event: scramble(i) % if i.is_multiple_of(2) { 7 } else { 300 },
            session: (i % 17 != 3).then(|| scramble(i / 2) % 1_000_000),
            tie: (!i.is_multiple_of(3)).then(|| i64::from(scramble(i ^ 77) % 4)),
        };
        (0..n).map(row).collect()
    };
    let second = |i: u32| i64::from(i) * 1_000_000;
    let mixed = |i: u32| i64::from(scramble(i) % 5_000) * 1_000;
    let cases = [
        of(&|i| scramble(i) % 4_001, &second),
        of(&|i| scramble(i) % 4_001, &mixed),
        of(&|_| 7, &mixed),
        of(&|_| 7, &second),
        of(&|i| i, &mixed),
        of(&|i| i / 40, &|i| second(i % 40)),
        of(&|i| if i.is_multiple_of(3) { i % 2 } else { i }, &mixed),
        of(&|i| scramble(i) % 500, &|i| mixed(i) * 2_000_000),
    ];
    for (i, rows) in cases.iter().enumerate() {
        for texts in [i.is_multiple_of(2)] {
            let expected = sorted(rows, texts);
            let mut first: Option<Log> = None;
            for (threads, chunk_rows) in [(1, 1 << 20), (2, 20_000), (8, 30_000)] {
                let pool = rayon::ThreadPoolBuilder::new()
                    .num_threads(threads)
                    .build()
                    .unwrap();
                let options = LogOptions {
                    block_events: 60_000,
                    ..LogOptions::default()
                }
                .attribute("session", AttributeType::Text);
                let mut builder = LogBuilder::new(options);
                builder.chunk_rows = chunk_rows;
                fill(&mut builder, rows, texts);
                let log = pool.install(|| builder.finish().unwrap());
                match &first {
                    None => {
                        check(&log, &expected, texts);
                        first = Some(log);
                    }
                    Some(first) => {
                        assert_same(first, &log);
                    }
                }
            }
        }
    }
}
