//! One batch of Arrow columns as a batch of the builder's.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{
    DataType, Date32Type, Date64Type, Decimal128Type, Decimal256Type, Float64Type, Int64Type,
    TimeUnit as ArrowUnit, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType, UInt64Type,
};
use desireline_core::log::{AttributeType, Batch, Reason, RowNumbers, ValueColumn};

use super::keys::{Cells, Keys, Rule, is_text, keys, retain, texts, usual};
use crate::kinds::{boolean, finite};
use crate::plan::Role;
use crate::sink::Sink;
use crate::text::whole;
use crate::{IoError, TimeUnit, money};

/// Why a column cannot be used at all.
pub(crate) enum Wrong {
    /// Not one of these types.
    Type(&'static str),
    /// Numbers as times without a unit.
    Unit,
    Damaged(String),
}

/// Rows to put aside: row, slot, reason.
#[derive(Default)]
pub(crate) struct Bad(Vec<(usize, usize, Reason)>);

impl Bad {
    pub(crate) fn put(&mut self, row: usize, slot: usize, reason: Reason) {
        self.0.push((row, slot, reason));
    }
}

enum Values<'a> {
    Keys(Keys<'a>),
    Integers(Cells<'a, i64>),
    Decimals(Cells<'a, f64>),
    Booleans(Cells<'a, bool>),
    Times(Cells<'a, i64>),
}

/// Converts and hands on one slice of a batch.
pub(crate) fn push(
    sink: &mut Sink<'_>,
    source: &str,
    batch: &RecordBatch,
    places: &[Option<usize>],
    rows_before: u64,
) -> Result<(), IoError> {
    let n = batch.num_rows();
    let slots = sink.plan.slots.clone();
    let refuse = |slot: usize, wrong: Wrong, data_type: &DataType| {
        let column = slots[slot].name.clone();
        match wrong {
            Wrong::Type(allowed) => IoError::ColumnType {
                source_name: source.to_owned(),
                column,
                role: slots[slot].role.words(),
                found: data_type.to_string(),
                allowed,
            },
            Wrong::Unit => IoError::TimeUnitNeeded {
                source_name: source.to_owned(),
                column,
                row: None,
            },
            Wrong::Damaged(reason) => IoError::Damaged {
                source_name: source.to_owned(),
                row: Some(rows_before + 1),
                reason,
            },
        }
    };
    let mut arrays: Vec<Option<ArrayRef>> = Vec::with_capacity(slots.len());
    for (slot, place) in places.iter().enumerate() {
        let array = place.and_then(|p| batch.columns().get(p));
        let array = match array {
            Some(array) => Some(usual(array).map_err(|w| refuse(slot, w, array.data_type()))?),
            None => None,
        };
        arrays.push(array);
    }
    let mut bad = Bad::default();
    let field_bytes = sink.columns.limits.field_bytes;
    let every_event = sink.columns.every_event.clone();
    let without_zone = sink.times.without_zone;
    let mut customer = Keys::Texts(Vec::new());
    let mut time = Cells::Full(Vec::new());
    let mut event = Keys::Texts(Vec::new());
    let (mut value, mut tie) = (None, None);
    let mut attributes: Vec<Values<'_>> = Vec::new();
    let mut naive = false;
    for (slot, array) in arrays.iter().enumerate() {
        let role = slots[slot].role;
        let rule = Rule {
            slot,
            empty_is_missing: !matches!(role, Role::Attribute(_)),
            field_bytes,
        };
        let Some(array) = array else {
            match role {
                Role::Attribute(i) => attributes.push(absent(sink.plan.kind(i), n)),
                Role::Event => {
                    event = Keys::Dictionary {
                        codes: Cells::Full(vec![0; n]),
                        values: vec![every_event.as_deref()],
                    };
                }
                _ => {}
            }
            continue;
        };
        let array: &dyn Array = array.as_ref();
        let wrong = |w| refuse(slot, w, array.data_type());
        match role {
            Role::Customer => customer = keys(array, rule, &mut bad).map_err(wrong)?,
            Role::Event if every_event.is_some() => {
                event = Keys::Dictionary {
                    codes: Cells::Full(vec![0; n]),
                    values: vec![every_event.as_deref()],
                };
            }
            Role::Event => event = keys(array, rule, &mut bad).map_err(wrong)?,
            Role::Time => {
                time = times(sink, array, rule, &mut bad, None).map_err(wrong)?;
                naive = sink.times.without_zone > without_zone;
            }
            Role::Value => {
                value = Some(amounts(array, sink.plan.exponent, rule, &mut bad).map_err(wrong)?)
            }
            Role::Tie => tie = Some(integers(array, rule, &mut bad).map_err(wrong)?),
            Role::Attribute(i) => attributes.push(match sink.plan.kind(i) {
                AttributeType::Text => Values::Keys(keys(array, rule, &mut bad).map_err(wrong)?),
                AttributeType::Integer => {
                    Values::Integers(integers(array, rule, &mut bad).map_err(wrong)?)
                }
                AttributeType::Decimal => {
                    Values::Decimals(decimals(array, rule, &mut bad).map_err(wrong)?)
                }
                AttributeType::Boolean => {
                    Values::Booleans(booleans(array, rule, &mut bad).map_err(wrong)?)
                }
                AttributeType::Time => {
                    let counted = sink.times.without_zone;
                    let reason = Some(Reason::UnparseableAttribute);
                    let column = times(sink, array, rule, &mut bad, reason).map_err(wrong)?;
                    sink.times.without_zone = counted;
                    Values::Times(column)
                }
            }),
        }
    }
    // What is missing where nothing may be missing. A null that stands for a bad field is already counted.
    let is_complete = customer.is_complete() && time.is_complete() && event.is_complete();
    for row in if is_complete { 0..0 } else { 0..n } {
        if customer.is_missing(row) {
            bad.put(row, 0, Reason::MissingCustomer);
        }
        if time.get(row).is_none() {
            bad.put(row, 1, Reason::MissingTime);
        }
        if event.is_missing(row) {
            bad.put(row, 2, Reason::MissingEvent);
        }
    }
    let mut numbers = Vec::new();
    if !bad.0.is_empty() {
        // The first column to blame names the reason; the sort is stable, so a fault comes before the gap it left.
        bad.0.sort_by_key(|&(row, slot, _)| (row, slot));
        bad.0.dedup_by_key(|&mut (row, ..)| row);
        let mut keep = vec![true; n];
        for &(row, slot, reason) in &bad.0 {
            keep[row] = false;
            // Rows whose time was read but which are put aside do not count among the times without zone.
            if naive && sink.plan.slots[slot].role != Role::Time && time.get(row).is_some() {
                sink.times.without_zone = sink.times.without_zone.saturating_sub(1);
            }
            let column = sink.plan.slots[slot].name.clone();
            sink.put(source, rows_before + 1 + row as u64, Some(&column), reason);
        }
        customer.keep(&keep);
        event.keep(&keep);
        time.keep(&keep);
        numbers.extend(rows_before + 1..=rows_before + n as u64);
        retain(&mut numbers, &keep);
        for column in value.iter_mut().chain(&mut tie) {
            column.keep(&keep);
        }
        for column in &mut attributes {
            match column {
                Values::Keys(column) => column.keep(&keep),
                Values::Integers(column) | Values::Times(column) => column.keep(&keep),
                Values::Decimals(column) => column.keep(&keep),
                Values::Booleans(column) => column.keep(&keep),
            }
        }
    }
    let (customers, events) = (customer.borrowed(), event.borrowed());
    let borrowed: Vec<Vec<Option<&str>>> = attributes
        .iter()
        .map(|column| match column {
            Values::Keys(keys) => keys.borrowed(),
            _ => Vec::new(),
        })
        .collect();
    let columns = attributes
        .iter()
        .zip(&borrowed)
        .map(|(column, borrowed)| match column {
            Values::Keys(keys) => ValueColumn::Key(keys.column(borrowed)),
            Values::Integers(x) => ValueColumn::Integers(x.column()),
            Values::Decimals(x) => ValueColumn::Decimals(x.column()),
            Values::Booleans(x) => ValueColumn::Booleans(x.column()),
            Values::Times(x) => ValueColumn::Times(x.column()),
        });
    sink.push(&Batch {
        customer: customer.column(&customers),
        time: time.column(),
        event: event.column(&events),
        attributes: columns.collect(),
        value: value.as_ref().map(Cells::column),
        tie: tie.as_ref().map(Cells::column),
        rows: if numbers.is_empty() {
            RowNumbers::From(rows_before + 1)
        } else {
            RowNumbers::Each(&numbers)
        },
        source,
    })
}

/// A column that this input does not have.
fn absent<'a>(kind: AttributeType, n: usize) -> Values<'a> {
    match kind {
        AttributeType::Text => Values::Keys(Keys::Dictionary {
            codes: Cells::Gaps(vec![None; n]),
            values: Vec::new(),
        }),
        AttributeType::Integer => Values::Integers(Cells::Gaps(vec![None; n])),
        AttributeType::Decimal => Values::Decimals(Cells::Gaps(vec![None; n])),
        AttributeType::Boolean => Values::Booleans(Cells::Gaps(vec![None; n])),
        AttributeType::Time => Values::Times(Cells::Gaps(vec![None; n])),
    }
}

/// The texts of a text column or of a dictionary, row by row.
fn row_texts<'a>(array: &'a dyn Array, rule: Rule, bad: &mut Bad) -> Option<Vec<Option<&'a str>>> {
    match array.data_type() {
        t if is_text(t) => Some(texts(array, rule, &mut |row, reason| {
            bad.put(row, rule.slot, reason)
        })),
        DataType::Dictionary(..) => match keys(array, rule, bad) {
            Ok(Keys::Dictionary { codes, values }) => {
                let value =
                    |c: Option<u32>| c.and_then(|c| values.get(c as usize).copied().flatten());
                Some((0..array.len()).map(|row| value(codes.get(row))).collect())
            }
            _ => None,
        },
        _ => None,
    }
}

/// Converts the values that are there; a `None` puts the row aside.
fn each<'a, T, U>(
    values: impl Iterator<Item = Option<T>>,
    slot: usize,
    bad: &mut Bad,
    mut convert: impl FnMut(T) -> Result<Option<U>, Reason>,
) -> Cells<'a, U> {
    let rows = values
        .enumerate()
        .map(|(row, value)| match convert(value?) {
            Ok(value) => value,
            Err(reason) => {
                bad.put(row, slot, reason);
                None
            }
        });
    Cells::Gaps(rows.collect())
}

fn times<'a>(
    sink: &mut Sink<'_>,
    array: &'a dyn Array,
    rule: Rule,
    bad: &mut Bad,
    reason: Option<Reason>,
) -> Result<Cells<'a, i64>, Wrong> {
    const DAY: i64 = 86_400_000_000;
    let slot = rule.slot;
    let times = &mut sink.times;
    let fault = |r: Reason| reason.unwrap_or(r);
    if let Some(texts) = row_texts(
        array,
        Rule {
            empty_is_missing: true,
            ..rule
        },
        bad,
    ) {
        return Ok(each(texts.into_iter(), slot, bad, |t| {
            times.text(t).map(Some).map_err(fault)
        }));
    }
    // Most files have microseconds of UTC.
    if let DataType::Timestamp(ArrowUnit::Microsecond, zone) = array.data_type()
        && (zone.is_some() || times.is_utc())
    {
        let micros = array.as_primitive::<TimestampMicrosecondType>();
        if micros.null_count() == 0 && times.all_in_range(micros.values()) {
            if zone.is_none() {
                times.without_zone += micros.len() as u64;
            }
            return Ok(Cells::of(micros));
        }
    }
    let numbers = matches!(
        array.data_type(),
        DataType::Int64 | DataType::UInt64 | DataType::Float64
    );
    if numbers && times.unit().is_none() {
        return Err(Wrong::Unit);
    }
    macro_rules! timestamps {
        ($type:ty, $unit:expr, $zone:expr) => {
            each(array.as_primitive::<$type>().iter(), slot, bad, |n| {
                let micros = times.in_unit(n, $unit).map_err(fault)?;
                if $zone {
                    Ok(Some(micros))
                } else {
                    times.local(micros).map(Some).map_err(fault)
                }
            })
        };
    }
    Ok(match array.data_type() {
        DataType::Timestamp(unit, zone) => match unit {
            ArrowUnit::Second => {
                timestamps!(TimestampSecondType, TimeUnit::Seconds, zone.is_some())
            }
            ArrowUnit::Millisecond => {
                timestamps!(TimestampMillisecondType, TimeUnit::Millis, zone.is_some())
            }
            ArrowUnit::Microsecond => {
                timestamps!(TimestampMicrosecondType, TimeUnit::Micros, zone.is_some())
            }
            ArrowUnit::Nanosecond => {
                timestamps!(TimestampNanosecondType, TimeUnit::Nanos, zone.is_some())
            }
        },
        DataType::Date32 => each(
            array.as_primitive::<Date32Type>().iter(),
            slot,
            bad,
            |days| times.local(i64::from(days) * DAY).map(Some).map_err(fault),
        ),
        DataType::Date64 => timestamps!(Date64Type, TimeUnit::Millis, false),
        DataType::Int64 => each(array.as_primitive::<Int64Type>().iter(), slot, bad, |n| {
            times.number(n).map(Some).map_err(fault)
        }),
        DataType::UInt64 => each(array.as_primitive::<UInt64Type>().iter(), slot, bad, |n| {
            i64::try_from(n)
                .map_err(|_| Reason::TimeOutOfRange)
                .and_then(|n| times.number(n))
                .map(Some)
                .map_err(fault)
        }),
        // NaN is how some tools write a gap.
        DataType::Float64 => each(array.as_primitive::<Float64Type>().iter(), slot, bad, |x| {
            if x.is_nan() {
                Ok(None)
            } else {
                times.float(x).map(Some).map_err(fault)
            }
        }),
        DataType::Null => Cells::Gaps(vec![None; array.len()]),
        _ => {
            return Err(Wrong::Type(
                "timestamps, dates, text, and numbers with a declared unit",
            ));
        }
    })
}

fn amounts<'a>(
    array: &'a dyn Array,
    exponent: u32,
    rule: Rule,
    bad: &mut Bad,
) -> Result<Cells<'a, i64>, Wrong> {
    let slot = rule.slot;
    let there = |minor: Option<i64>| minor.map(Some).ok_or(Reason::UnparseableValue);
    if let Some(texts) = row_texts(
        array,
        Rule {
            empty_is_missing: true,
            ..rule
        },
        bad,
    ) {
        return Ok(each(texts.into_iter(), slot, bad, |t| {
            there(money::parse(t, exponent))
        }));
    }
    Ok(match array.data_type() {
        DataType::Int64 => each(array.as_primitive::<Int64Type>().iter(), slot, bad, |n| {
            there(money::from_integer(n, exponent))
        }),
        DataType::UInt64 => each(array.as_primitive::<UInt64Type>().iter(), slot, bad, |n| {
            there(money::scaled(i128::from(n), 0, exponent))
        }),
        DataType::Float64 => each(array.as_primitive::<Float64Type>().iter(), slot, bad, |x| {
            if x.is_nan() {
                Ok(None)
            } else {
                there(money::from_float(x, exponent))
            }
        }),
        DataType::Decimal128(_, scale) => each(
            array.as_primitive::<Decimal128Type>().iter(),
            slot,
            bad,
            |n| there(money::scaled(n, i64::from(*scale), exponent)),
        ),
        DataType::Decimal256(_, scale) => each(
            array.as_primitive::<Decimal256Type>().iter(),
            slot,
            bad,
            |n| {
                there(
                    n.to_i128()
                        .and_then(|n| money::scaled(n, i64::from(*scale), exponent)),
                )
            },
        ),
        DataType::Null => Cells::Gaps(vec![None; array.len()]),
        _ => {
            return Err(Wrong::Type(
                "decimals, integers, floating-point numbers and text",
            ));
        }
    })
}

fn integers<'a>(array: &'a dyn Array, rule: Rule, bad: &mut Bad) -> Result<Cells<'a, i64>, Wrong> {
    let slot = rule.slot;
    let there = |n: Option<i64>| n.map(Some).ok_or(Reason::UnparseableAttribute);
    if let Some(texts) = row_texts(
        array,
        Rule {
            empty_is_missing: true,
            ..rule
        },
        bad,
    ) {
        return Ok(each(texts.into_iter(), slot, bad, |t| {
            there(t.trim().parse().ok())
        }));
    }
    Ok(match array.data_type() {
        DataType::Int64 => Cells::of(array.as_primitive::<Int64Type>()),
        DataType::UInt64 => each(array.as_primitive::<UInt64Type>().iter(), slot, bad, |n| {
            there(i64::try_from(n).ok())
        }),
        DataType::Float64 => each(array.as_primitive::<Float64Type>().iter(), slot, bad, |x| {
            if x.is_nan() {
                Ok(None)
            } else {
                there(whole(x))
            }
        }),
        DataType::Timestamp(ArrowUnit::Microsecond, _) => {
            Cells::of(array.as_primitive::<TimestampMicrosecondType>())
        }
        DataType::Timestamp(ArrowUnit::Nanosecond, _) => {
            Cells::of(array.as_primitive::<TimestampNanosecondType>())
        }
        DataType::Null => Cells::Gaps(vec![None; array.len()]),
        _ => return Err(Wrong::Type("integers, and text that is integers")),
    })
}

fn decimals<'a>(array: &'a dyn Array, rule: Rule, bad: &mut Bad) -> Result<Cells<'a, f64>, Wrong> {
    let slot = rule.slot;
    let there = |x: Option<f64>| x.map(Some).ok_or(Reason::UnparseableAttribute);
    if let Some(texts) = row_texts(
        array,
        Rule {
            empty_is_missing: true,
            ..rule
        },
        bad,
    ) {
        return Ok(each(texts.into_iter(), slot, bad, |t| {
            there(t.trim().parse().ok().and_then(finite))
        }));
    }
    Ok(match array.data_type() {
        DataType::Float64 => each(array.as_primitive::<Float64Type>().iter(), slot, bad, |x| {
            if x.is_nan() {
                Ok(None)
            } else {
                there(finite(x))
            }
        }),
        DataType::Int64 => each(array.as_primitive::<Int64Type>().iter(), slot, bad, |n| {
            Ok(Some(n as f64))
        }),
        DataType::UInt64 => each(array.as_primitive::<UInt64Type>().iter(), slot, bad, |n| {
            Ok(Some(n as f64))
        }),
        DataType::Decimal128(_, scale) => {
            let scale = 10_f64.powi(i32::from(*scale));
            let numbers = array.as_primitive::<Decimal128Type>().iter();
            each(numbers, slot, bad, |n| Ok(Some(n as f64 / scale)))
        }
        DataType::Decimal256(_, scale) => {
            let scale = 10_f64.powi(i32::from(*scale));
            each(
                array.as_primitive::<Decimal256Type>().iter(),
                slot,
                bad,
                |n| {
                    there(
                        n.to_string()
                            .parse::<f64>()
                            .ok()
                            .map(|n| n / scale)
                            .and_then(finite),
                    )
                },
            )
        }
        DataType::Null => Cells::Gaps(vec![None; array.len()]),
        _ => return Err(Wrong::Type("numbers, and text that is numbers")),
    })
}

fn booleans<'a>(array: &'a dyn Array, rule: Rule, bad: &mut Bad) -> Result<Cells<'a, bool>, Wrong> {
    let slot = rule.slot;
    let there = |b: Option<bool>| b.map(Some).ok_or(Reason::UnparseableAttribute);
    if let Some(texts) = row_texts(
        array,
        Rule {
            empty_is_missing: true,
            ..rule
        },
        bad,
    ) {
        return Ok(each(texts.into_iter(), slot, bad, |t| {
            there(boolean(t.trim()))
        }));
    }
    Ok(match array.data_type() {
        DataType::Boolean => Cells::Gaps(array.as_boolean().iter().collect()),
        DataType::Int64 => each(array.as_primitive::<Int64Type>().iter(), slot, bad, |n| {
            there(match n {
                0 => Some(false),
                1 => Some(true),
                _ => None,
            })
        }),
        DataType::Null => Cells::Gaps(vec![None; array.len()]),
        _ => return Err(Wrong::Type("booleans, 0 and 1, and `true` and `false`")),
    })
}
