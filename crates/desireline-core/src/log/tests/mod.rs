//! The log against a naive one: a map from customer to rows, sorted by time and nothing else.

#![allow(clippy::unwrap_used)]

mod aliases;
mod chunks;
mod grown;
mod input;
mod laws;

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{
    AttributeType, AttributeValue, ColumnData, EventRow, Level, Log, LogBuilder, LogOptions, Value,
};

/// An event with everything that an event can have, owned.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Given {
    pub(super) customer: String,
    pub(super) time: i64,
    pub(super) event: String,
    pub(super) value: Option<i64>,
    pub(super) text: Option<String>,
    pub(super) flag: Option<bool>,
    pub(super) number: Option<i64>,
    pub(super) decimal: Option<f64>,
    pub(super) tie: Option<i64>,
}

/// What a customer did, decoded: time, name, value and attributes as words.
pub(super) type Decoded = BTreeMap<String, Vec<(i64, String, Option<i64>, Vec<String>)>>;

const CUSTOMERS: [&str; 10] = [
    "7",
    "007",
    "NA",
    "",
    "-0",
    "ann",
    "<b>&\"'",
    "null\0",
    "9223372036854775808",
    "ü",
];
const EVENTS: [&str; 5] = ["home", "cart", "", "a,\"b\"\n", "7"];

pub(super) fn options() -> LogOptions {
    LogOptions::default()
        .attribute("text", AttributeType::Text)
        .attribute("flag", AttributeType::Boolean)
        .attribute("number", AttributeType::Integer)
        .attribute("decimal", AttributeType::Decimal)
        .currency("EUR", 2)
}

type Drawn = (
    usize,
    i64,
    usize,
    Option<i64>,
    Option<usize>,
    Option<bool>,
    Option<i64>,
    Option<f64>,
);

/// Rows with many ties and repeats; attributes are now and then the same for all of a customer's events.
pub(super) fn rows(most: usize) -> impl Strategy<Value = Vec<Given>> {
    let one = (
        0..CUSTOMERS.len(),
        0i64..8,
        0..EVENTS.len(),
        prop::option::of(-3i64..3),
        prop::option::of(0..3usize),
        prop::option::of(any::<bool>()),
        prop::option::of(-2i64..2),
        prop::sample::select(vec![None, Some(0.0), Some(-0.0), Some(1.5), Some(f64::NAN)]),
    );
    let fixed = prop::collection::vec(any::<bool>(), 4);
    let rows = prop::collection::vec(one, 1..most);
    (
        rows,
        fixed,
        prop::sample::select(vec![1i64, 1_500, 1_000_000, 1 << 45]),
    )
        .prop_map(|(rows, fixed, grain)| {
            let row = |(c, time, event, value, text, flag, number, decimal): Drawn| {
                let name = |i: usize| EVENTS[i].to_owned();
                Given {
                    customer: CUSTOMERS[c].to_owned(),
                    time: time * grain,
                    event: name(event),
                    value,
                    text: if fixed[0] {
                        Some(name(c % 3))
                    } else {
                        text.map(name)
                    },
                    flag: if fixed[1] {
                        (c % 3 != 0).then_some(c % 2 == 0)
                    } else {
                        flag
                    },
                    number: if fixed[2] { Some(c as i64) } else { number },
                    decimal: if fixed[3] { Some(c as f64) } else { decimal },
                    tie: None,
                }
            };
            rows.into_iter().map(row).collect()
        })
}

pub(super) fn push(builder: &mut LogBuilder, row: &Given) {
    let attributes: [(&str, AttributeValue<'_>); 4] = [
        ("decimal", row.decimal.into()),
        ("text", row.text.as_deref().into()),
        ("flag", row.flag.into()),
        ("number", row.number.into()),
    ];
    builder
        .push_row(&EventRow {
            value: row.value,
            attributes: &attributes,
            tie: row.tie,
            ..EventRow::new(row.customer.as_str(), row.time, &row.event)
        })
        .unwrap();
}

pub(super) fn build_with(options: LogOptions, rows: &[Given]) -> Log {
    let mut builder = LogBuilder::new(options);
    rows.iter().for_each(|row| push(&mut builder, row));
    builder.finish().unwrap()
}

pub(super) fn build(rows: &[Given]) -> Log {
    build_with(options(), rows)
}

fn words(row: &Given) -> Vec<String> {
    let none = || "-".to_owned();
    vec![
        row.text.as_ref().map_or_else(none, |t| format!("text {t}")),
        row.flag.map_or_else(none, |f| format!("text {f}")),
        row.number.map_or_else(none, |n| format!("number {n}")),
        row.decimal
            .filter(|d| !d.is_nan())
            .map_or_else(none, |d| format!("decimal {}", d + 0.0)),
    ]
}

/// The naive log: a stable sort by time (and tie key) within each customer.
pub(super) fn naive(rows: &[Given]) -> Decoded {
    let mut by_customer: BTreeMap<String, Vec<&Given>> = BTreeMap::new();
    for row in rows {
        by_customer
            .entry(row.customer.clone())
            .or_default()
            .push(row);
    }
    let decode = |mut rows: Vec<&Given>| {
        rows.sort_by_key(|r| (r.time, r.tie.unwrap_or(i64::MAX)));
        rows.iter()
            .map(|r| (r.time, r.event.clone(), r.value, words(r)))
            .collect()
    };
    by_customer
        .into_iter()
        .map(|(id, rows)| (id, decode(rows)))
        .collect()
}

/// The log decoded, with every invariant of its blocks checked on the way.
pub(super) fn decode(log: &Log) -> Decoded {
    let catalog = log.catalog();
    let mut all = Decoded::new();
    let mut events = 0;
    for (b, block) in log.blocks().iter().enumerate() {
        assert_eq!(block.offsets.first(), Some(&0));
        assert_eq!(
            block.offsets.last().map(|n| *n as usize),
            Some(block.n_events())
        );
        assert_eq!(
            (block.codes.len(), block.customers.len()),
            (block.n_events(), block.n_customers())
        );
        for (column, info) in block.attributes.iter().zip(&catalog.attributes) {
            let n = if info.level == Level::Event {
                block.n_events()
            } else {
                block.n_customers()
            };
            assert_eq!(
                (column.level, column.data.len()),
                (info.level, n),
                "{}",
                info.name
            );
        }
        events += block.n_events() as u64;
        for c in 0..block.n_customers() {
            let (from, to) = (block.offsets[c] as usize, block.offsets[c + 1] as usize);
            assert!(from < to, "a customer without events");
            let id = log.customer_id(b, c).into_owned();
            assert_eq!(log.customer(&id), Some((b, c)), "{id:?} is not found");
            let word = |a: usize, row: usize| {
                let column = &block.attributes[a];
                let info = &catalog.attributes[a];
                match column
                    .data
                    .get(if column.level == Level::Event { row } else { c })
                {
                    Value::Missing => "-".to_owned(),
                    Value::Code(code) => format!("text {}", info.dictionary.name(code)),
                    Value::Integer(n) => format!("number {n}"),
                    Value::Decimal(d) => format!("decimal {d}"),
                }
            };
            let value = |row: usize| match block.value.as_ref().map(|v: &ColumnData| v.get(row)) {
                Some(Value::Integer(amount)) => Some(amount),
                _ => None,
            };
            let rows = (from..to)
                .map(|row| {
                    let name = catalog.events.name(block.codes.get(row)).to_owned();
                    let attributes = (0..catalog.attributes.len())
                        .map(|a| word(a, row))
                        .collect();
                    (block.times.get(row), name, value(row), attributes)
                })
                .collect();
            assert!(
                all.insert(id, rows).is_none(),
                "a customer is in two blocks"
            );
        }
    }
    assert_eq!(
        (log.n_events(), log.n_customers()),
        (events, all.len() as u64)
    );
    all
}
