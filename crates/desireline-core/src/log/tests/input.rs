use super::*;
use crate::error::Error;
use crate::log::{Batch, Column, CustomerIds, KeyColumn, Reason, RowNumbers, ValueColumn};
use crate::report::{Caveat, Report};

fn lenient() -> LogOptions {
    LogOptions {
        max_quarantine_share: 1.0,
        ..LogOptions::default()
    }
}

fn edges() -> [i64; 4] {
    let range = crate::log::builder::time_range();
    [
        *range.start() - 1,
        *range.start(),
        *range.end(),
        *range.end() + 1,
    ]
}

#[test]
fn rows_that_cannot_be_events_are_put_aside_with_row_and_column() {
    let mut builder = LogBuilder::new(lenient());
    let batch = Batch {
        customer: KeyColumn::Texts(&[Some("a"), None, Some("b"), Some("c"), Some("d"), Some("")]),
        time: Column::Gaps(&[
            Some(0),
            Some(0),
            None,
            Some(i64::MAX),
            Some(0),
            Some(i64::MIN),
        ]),
        event: KeyColumn::Dictionary {
            codes: Column::Full(&[0, 0, 0, 0, 7, 0]),
            values: &[Some("home"), None],
        },
        attributes: Vec::new(),
        value: None,
        tie: None,
        rows: RowNumbers::Each(&[2, 3, 4, 5, 6, 9]),
        source: "file.csv",
    };
    builder.push_batch(&batch).unwrap();
    builder.push("e", i64::MIN, "home").unwrap();
    let log = builder.finish().unwrap();
    assert_eq!(decode(&log).keys().collect::<Vec<_>>(), ["a"]);
    let q = log.quarantine();
    let found: Vec<_> = q
        .examples
        .iter()
        .map(|r| (r.row, r.column.as_deref().unwrap_or(""), r.reason))
        .collect();
    let expected = [
        (3, "customer", Reason::MissingCustomer),
        (4, "time", Reason::MissingTime),
        (5, "time", Reason::TimeOutOfRange),
        (6, "event", Reason::MissingEvent),
        (9, "time", Reason::TimeOutOfRange),
        (7, "time", Reason::TimeOutOfRange),
    ];
    assert_eq!(found, expected);
    assert_eq!((q.total(), q.rows_read), (6, 7));
    assert!(
        log.caveats()
            .contains(&Caveat::RowsQuarantined { rows: 6, of: 7 })
    );
    // A name that only a bad row had is not in the vocabulary, nor is its customer.
    assert_eq!((log.catalog().events.len(), log.n_customers()), (1, 1));
}

#[test]
fn times_reach_as_far_as_the_calendar() {
    let [below, low, high, above] = edges();
    let mut builder = LogBuilder::new(lenient());
    for (i, time) in [below, low, high, above, 0].into_iter().enumerate() {
        builder.push(i as i64, time, "a").unwrap();
    }
    let log = builder.finish().unwrap();
    assert_eq!((log.n_events(), log.quarantine().total()), (3, 2));
    assert_eq!(
        (log.catalog().first_time, log.catalog().last_time),
        (low, high)
    );
    assert!(high.checked_sub(low).is_some());
    assert!(log.summary().tables()[0].n_rows() > 10);
}

#[test]
fn too_many_bad_rows_are_an_error_that_names_the_first_but_not_its_content() {
    let mut builder = LogBuilder::new(LogOptions::default());
    for i in 0..20 {
        builder
            .push("secret-id", if i < 2 { i64::MAX } else { i }, "home")
            .unwrap();
    }
    let refused = builder.finish().unwrap_err();
    let text = refused.to_string();
    assert!(
        matches!(
            refused,
            Error::QuarantineShare {
                rows: 2,
                of: 20,
                ..
            }
        ),
        "{text}"
    );
    assert!(
        text.contains("row 1 of rows, column `time`: time out of range"),
        "{text}"
    );
    assert!(!text.contains("secret-id"), "{text}");
}

#[test]
fn no_events_at_all_is_an_error() {
    assert!(matches!(
        LogBuilder::new(options()).finish().unwrap_err(),
        Error::EmptyLog { quarantined: 0 }
    ));
    let mut builder = LogBuilder::new(lenient());
    builder.push("a", i64::MAX, "a").unwrap();
    assert!(matches!(
        builder.finish().unwrap_err(),
        Error::EmptyLog { quarantined: 1 }
    ));
}

#[test]
fn a_batch_that_does_not_fit_is_refused_whole() {
    let times = [Some(0), Some(1)];
    let two = KeyColumn::Integers(Column::Full(&[1, 2]));
    let good = || Batch {
        customer: two,
        time: (&times).into(),
        event: two,
        attributes: vec![
            ValueColumn::Key(two),
            ValueColumn::Booleans((&[None, None]).into()),
            ValueColumn::Integers((&[None, None]).into()),
            ValueColumn::Integers((&[Some(1), None]).into()),
        ],
        value: Some((&[None, None]).into()),
        tie: None,
        rows: RowNumbers::Counted,
        source: "test",
    };
    let mut builder = LogBuilder::new(options());
    builder.push_batch(&good()).unwrap();
    let refuse = |builder: &mut LogBuilder, batch: Batch<'_>| {
        builder.push_batch(&batch).unwrap_err().to_string()
    };
    let one = KeyColumn::Texts(&[Some("x")]);
    let short = refuse(
        &mut builder,
        Batch {
            event: one,
            ..good()
        },
    );
    assert_eq!(
        short,
        "column `event` of `test` has 1 rows where 2 were expected"
    );
    let few = refuse(
        &mut builder,
        Batch {
            attributes: Vec::new(),
            ..good()
        },
    );
    assert_eq!(few, "`test` has 0 attribute columns where 4 were declared");
    let mut wrong = good();
    wrong.attributes[1] = ValueColumn::Key(two);
    let kind = refuse(&mut builder, wrong);
    assert_eq!(
        kind,
        "attribute `flag` of `test` was declared as boolean but holds text"
    );
    assert_eq!(builder.rows(), 2);

    let mut plain = LogBuilder::new(LogOptions::default());
    let row = EventRow {
        value: Some(1),
        ..EventRow::new("a", 0, "a")
    };
    assert!(matches!(
        plain.push_row(&row).unwrap_err(),
        Error::CurrencyMissing
    ));
    let row = EventRow {
        attributes: &[("numbr", 1.into())],
        ..EventRow::new("a", 0, "a")
    };
    let unknown = builder.push_row(&row).unwrap_err().to_string();
    assert!(unknown.contains("did you mean `number`?"), "{unknown}");
    let row = EventRow {
        attributes: &[("number", "1".into())],
        ..EventRow::new("a", 0, "a")
    };
    assert!(matches!(
        builder.push_row(&row).unwrap_err(),
        Error::AttributeKind { .. }
    ));
    let log = builder.finish().unwrap();
    assert_eq!(log.n_events(), 2);
    assert_eq!(decode(&log)["1"][0].3, ["text 1", "-", "-", "decimal 1"]);
}

#[test]
fn roles_must_be_declared_attributes_and_names_unique() {
    let mut options = options();
    options.channel = Some("chanel".into());
    let mut builder = LogBuilder::new(options);
    builder.push("a", 0, "a").unwrap();
    assert!(matches!(
        builder.finish().unwrap_err(),
        Error::UndeclaredAttribute { .. }
    ));
    let twice = LogOptions::default()
        .attribute("x", AttributeType::Text)
        .attribute("x", AttributeType::Text);
    let mut builder = LogBuilder::new(twice);
    builder.push("a", 0, "a").unwrap();
    assert!(matches!(
        builder.finish().unwrap_err(),
        Error::RepeatedAttribute { .. }
    ));
}

#[test]
fn declared_customer_attributes_keep_the_latest_value_and_say_so() {
    let options =
        LogOptions::default().attribute_at("plan", AttributeType::Integer, Level::Customer);
    let mut builder = LogBuilder::new(options);
    for (customer, time, plan) in [
        ("a", 3, None),
        ("a", 2, Some(5)),
        ("a", 1, Some(4)),
        ("b", 1, Some(4)),
        ("b", 2, None),
    ] {
        let attributes = [("plan", AttributeValue::from(plan.map(i64::from)))];
        builder
            .push_row(&EventRow {
                attributes: &attributes,
                ..EventRow::new(customer, time, "x")
            })
            .unwrap();
    }
    let log = builder.finish().unwrap();
    assert_eq!(decode(&log)["a"][0].3, ["number 5"]);
    assert_eq!(decode(&log)["b"][1].3, ["number 4"]);
    assert!(
        matches!(&log.caveats()[..], [Caveat::Note { text }] if text.starts_with("1 customers"))
    );
}

#[test]
fn an_attribute_with_a_text_for_each_event_keeps_them_in_any_order_of_input() {
    let n = 70_000;
    let build = |rows: &mut dyn Iterator<Item = i64>| {
        let options = LogOptions::default().attribute("request", AttributeType::Text);
        let mut builder = LogBuilder::new(options);
        for i in rows {
            let request = format!("r{i}");
            let attributes = [("request", AttributeValue::from(&request))];
            let attributes = if i % 1_000 == 0 { &[] } else { &attributes[..] };
            let row = EventRow::new(i % 7_000, i, "x");
            builder.push_row(&EventRow { attributes, ..row }).unwrap();
        }
        builder.finish().unwrap()
    };
    let (up, down) = (build(&mut (0..n)), build(&mut (0..n).rev()));
    assert_eq!(up.fingerprint(), down.fingerprint());
    let (up, down) = (decode(&up), decode(&down));
    assert_eq!(up, down);
    assert_eq!(up["5"][2].3, ["text r14005"]);
    assert_eq!(up["0"][1].3, ["-"]);
}

#[test]
fn a_hook_that_says_no_stops_the_build() {
    let mut builder = LogBuilder::new(LogOptions::default());
    builder.push("a", 0, "a").unwrap();
    let seen = std::cell::RefCell::new(Vec::new());
    builder
        .clone()
        .finish_with(&|done| {
            seen.borrow_mut().push(done);
            true
        })
        .unwrap();
    let seen = seen.into_inner();
    assert!(seen.is_sorted() && seen.last() == Some(&1.0), "{seen:?}");
    for stop in 0..seen.len() {
        let asked = std::cell::Cell::new(0);
        let refused = builder.clone().finish_with(&|_| {
            asked.set(asked.get() + 1);
            asked.get() <= stop
        });
        assert!(matches!(refused, Err(Error::Cancelled { .. })));
    }
}

#[test]
fn the_core_takes_at_most_eight_bytes_an_event() {
    let log =
        Log::from_rows((0..200_000i64).map(|i| (i / 10, i % 997 * 1_000, format!("e{}", i % 255))))
            .unwrap();
    let summary = log.summary();
    assert_eq!(summary.names.len(), 255);
    assert!(
        summary.core_bytes_per_event <= 8.0,
        "{}",
        summary.core_bytes_per_event
    );
}

#[test]
fn one_customer_with_a_million_events_is_one_block_and_is_named_as_large() {
    let mut builder = LogBuilder::new(LogOptions {
        block_events: 1_000,
        ..LogOptions::default()
    });
    for i in 0..1_000_000i64 {
        builder.push(0, (i * 7_919) % 1_000_003, "a").unwrap();
    }
    for customer in 1..=1_000 {
        builder.push(customer, 0, "a").unwrap();
    }
    let log = builder.finish().unwrap();
    let block = &log.blocks()[0];
    assert_eq!((block.n_customers(), block.n_events()), (1, 1_000_000));
    assert!((1..block.n_events()).all(|i| block.times.get(i - 1) <= block.times.get(i)));
    assert!(log.caveats().contains(&Caveat::LargeCustomers {
        customers: 1,
        events: 1_000_000
    }));
    assert_eq!(log.summary().events_per_customer.p50, 1);
}

#[test]
fn many_customers_with_one_event_each() {
    let log = Log::from_rows((0..100_000u32).rev().map(|i| (i, i64::from(i), "a"))).unwrap();
    assert_eq!((log.n_customers(), log.n_events()), (100_000, 100_000));
    assert!(matches!(&log.blocks()[0].customers, CustomerIds::Integers(ids) if ids.is_sorted()));
    assert_eq!(
        log.customer("99999")
            .map(|(b, c)| log.customer_id(b, c).into_owned()),
        Some("99999".into())
    );
}

#[test]
fn the_summary_is_a_report() {
    let rows = [
        ("ann", 2, "cart"),
        ("ann", 1, "home"),
        ("bob", 1, "home"),
        ("bob", 1, "home"),
    ];
    let mut builder = LogBuilder::new(options());
    for (i, (customer, time, event)) in (0i64..).zip(rows) {
        let row = EventRow {
            value: (i < 2).then_some(1_250),
            ..EventRow::new(customer, time * 1_000_000, event)
        };
        builder.push_row(&row).unwrap();
    }
    builder.note_times_without_zone(4);
    let log = builder.finish().unwrap();
    let summary = log.summary();
    assert_eq!(
        summary.value.as_ref().map(|v| (v.events, v.sum.as_str())),
        Some((2, "2500"))
    );
    assert_eq!((summary.ties, summary.exact_duplicates), (1, 1));
    assert_eq!(summary.names[0].name, "home");
    assert_eq!(
        (summary.names[0].events, summary.names[0].customers),
        (3, 2)
    );
    let kinds = [
        Caveat::TimesWithoutZone { rows: 4 },
        Caveat::TiesInInputOrder { events: 1 },
        Caveat::ExactDuplicates { events: 1 },
    ];
    assert_eq!(summary.caveats, kinds);
    let names: Vec<&str> = summary.tables().iter().map(|t| t.name).collect();
    assert_eq!(names, ["overview", "events", "attributes", "quarantine"]);
    let json = serde_json::to_string(&summary).unwrap();
    assert_eq!(
        serde_json::from_str::<crate::log::Summary>(&json).unwrap(),
        summary
    );
}
