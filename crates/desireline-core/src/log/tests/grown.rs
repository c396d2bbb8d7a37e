use std::sync::Arc;

use super::*;
use crate::error::Error;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn growing_says_the_same_as_building_at_once(
        rows in rows(60), cut in any::<prop::sample::Index>(), block_events in 1usize..20, dedupe in any::<bool>(),
    ) {
        let at = cut.index(rows.len()).max(1);
        let options = LogOptions { block_events, dedupe, ..options() };
        let whole = build_with(options.clone(), &rows);
        let old = build_with(options, &rows[..at]);
        let before = (decode(&old), old.catalog().clone(), old.fingerprint());
        let mut more = old.builder();
        rows[at..].iter().for_each(|r| push(&mut more, r));
        let grown = old.append(more).unwrap();
        prop_assert_eq!(decode(&grown), decode(&whole));
        prop_assert_eq!(grown.fingerprint(), whole.fingerprint());
        let (a, b) = (grown.summary(), whole.summary());
        prop_assert_eq!(&a.names, &b.names);
        prop_assert_eq!((a.ties, a.exact_duplicates, a.rows_read), (b.ties, b.exact_duplicates, b.rows_read));
        prop_assert_eq!((a.duplicates_dropped, a.ties_in_input_order), (b.duplicates_dropped, b.ties_in_input_order));
        prop_assert_eq!(&a.attributes, &b.attributes);
        prop_assert_eq!(&a.events_per_customer, &b.events_per_customer);
        // Names keep their codes, and the old log is as it was.
        for (code, name) in (0..).zip(old.catalog().events.names()) {
            prop_assert_eq!(grown.catalog().events.code(name), Some(code));
        }
        prop_assert_eq!((decode(&old), old.catalog().clone(), old.fingerprint()), before);
    }
}

#[test]
fn blocks_are_shared_where_nothing_happened() {
    let rows = |ids: std::ops::Range<i64>| ids.map(|i| (i, i * 1_000_000, "a"));
    let mut builder = LogBuilder::new(LogOptions {
        block_events: 10,
        ..LogOptions::default()
    });
    rows(0..40).for_each(|(c, t, e)| builder.push(c, t, e).unwrap());
    let old = builder.finish().unwrap();
    assert_eq!(old.blocks().len(), 4);
    let mut more = old.builder();
    more.push(15, 0, "b").unwrap();
    more.push(99, 0, "b").unwrap();
    let grown = old.append(more).unwrap();
    let shared = |b: usize| {
        grown
            .blocks()
            .iter()
            .any(|block| Arc::ptr_eq(block, &old.blocks()[b]))
    };
    assert_eq!([0, 1, 2, 3].map(shared), [true, false, true, true]);
    assert_eq!(grown.blocks().len(), 6);
    let (block, customer) = grown.customer("15").unwrap();
    assert_eq!(
        grown.blocks()[block].offsets[customer + 1] - grown.blocks()[block].offsets[customer],
        2
    );
}

#[test]
fn a_text_id_may_join_a_log_of_integers() {
    let old = Log::from_rows([(9, 0, "a"), (10, 0, "a")]).unwrap();
    let mut more = old.builder();
    for id in ["09", "9", "NA"] {
        more.push(id, 5, "b").unwrap();
    }
    let grown = old.append(more).unwrap();
    let whole = Log::from_rows([
        ("9", 0, "a"),
        ("10", 0, "a"),
        ("09", 5, "b"),
        ("9", 5, "b"),
        ("NA", 5, "b"),
    ])
    .unwrap();
    assert_eq!(decode(&grown), decode(&whole));
    assert_eq!(grown.fingerprint(), whole.fingerprint());
}

#[test]
fn rows_declared_differently_are_refused() {
    let old = Log::from_rows([("ann", 0, "a")]).unwrap();
    for other in [options(), LogOptions::default().currency("EUR", 2)] {
        let refused = old.append(LogBuilder::new(other)).unwrap_err();
        assert!(matches!(refused, Error::AppendMismatch { .. }), "{refused}");
    }
    let same = old.append(old.builder()).unwrap();
    assert_eq!(same.fingerprint(), old.fingerprint());
}

#[test]
fn the_end_of_observation_moves_with_the_log() {
    let mut builder = LogBuilder::new(LogOptions {
        observed_until: Some(100),
        ..LogOptions::default()
    });
    builder.push("ann", 5, "a").unwrap();
    let old = builder.finish().unwrap();
    assert_eq!(old.catalog().observed_until, 100);
    let grow = |until, time| {
        let mut more = LogBuilder::new(LogOptions {
            observed_until: until,
            ..LogOptions::default()
        });
        more.push("ann", time, "a").unwrap();
        old.append(more).unwrap().catalog().observed_until
    };
    assert_eq!(
        [grow(None, 50), grow(Some(200), 50), grow(None, 300)],
        [100, 200, 300]
    );
}
