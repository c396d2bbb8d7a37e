//! Survey files of columns: Parquet, Arrow.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType as D, Float64Type, Int64Type, Schema, TimeUnit, TimestampMicrosecondType,
};
use arrow::error::ArrowError;

use super::rows::{Field, Taker};
use crate::IoError;
use crate::columnar::{damaged, ipc, parquet as files};
use crate::plan::check_names;
use crate::source::Input;

pub(super) fn parquet(input: &Input, taker: &mut Taker<'_>) -> Result<(), IoError> {
    let (reader, schema) = files::batches(input, &taker.reading.limits)?;
    batches(reader, &schema, &input.name, taker)
}

pub(super) fn ipc(input: &Input, taker: &mut Taker<'_>) -> Result<(), IoError> {
    let (reader, schema) = ipc::batches(input, &taker.reading.limits)?;
    batches(reader, &schema, &input.name, taker)
}

pub(super) fn batches(
    reader: impl Iterator<Item = Result<RecordBatch, ArrowError>>,
    schema: &Schema,
    source: &str,
    taker: &mut Taker<'_>,
) -> Result<(), IoError> {
    let mut names: Vec<String> = schema.fields().iter().map(|f| f.name().clone()).collect();
    check_names(source, &mut names)?;
    let places = taker.places(source, &names)?;
    let mut rows = 0;
    for batch in reader {
        taker.check_cancel()?;
        let batch = batch.map_err(|e| damaged(source, rows, &e))?;
        let mut columns = Vec::with_capacity(places.len());
        for (slot, place) in places.iter().enumerate() {
            let array = place.and_then(|p| batch.columns().get(p));
            columns.push(match array {
                None => Values::Missing,
                Some(array) => Values::of(array).map_err(|found| IoError::ColumnType {
                    source_name: source.to_owned(),
                    column: taker.slots[slot].column.clone(),
                    role: taker.slots[slot].role,
                    found,
                    allowed: "text, numbers, booleans, dates and timestamps",
                })?,
            });
        }
        for i in 0..batch.num_rows() {
            rows += 1;
            taker.row(source, rows, |slot| {
                columns.get(slot).map_or(Field::Missing, |c| c.get(i))
            })?;
        }
    }
    Ok(())
}

/// A column in one of few types.
enum Values {
    Missing,
    Text(ArrayRef),
    Integer(ArrayRef),
    Float(ArrayRef),
    Boolean(ArrayRef),
    /// Microseconds, and whether they are those of a zone.
    Time(ArrayRef, bool),
}

impl Values {
    /// The column, or the name of a type that is no single value.
    fn of(array: &ArrayRef) -> Result<Values, String> {
        let found = array.data_type();
        let plain = match found {
            D::Dictionary(_, values) => values.as_ref(),
            D::RunEndEncoded(_, values) => values.data_type(),
            other => other,
        };
        let to = |data_type: D| cast(array, &data_type).map_err(|_| found.to_string());
        Ok(match plain {
            D::Null => Values::Missing,
            D::Utf8 | D::LargeUtf8 | D::Utf8View => Values::Text(to(D::Utf8)?),
            D::Boolean => Values::Boolean(to(D::Boolean)?),
            D::Int8 | D::Int16 | D::Int32 | D::Int64 | D::UInt8 | D::UInt16 | D::UInt32 => {
                Values::Integer(to(D::Int64)?)
            }
            D::UInt64
            | D::Float16
            | D::Float32
            | D::Float64
            | D::Decimal32(..)
            | D::Decimal64(..)
            | D::Decimal128(..)
            | D::Decimal256(..) => Values::Float(to(D::Float64)?),
            D::Date32 | D::Date64 => {
                Values::Time(to(D::Timestamp(TimeUnit::Microsecond, None))?, false)
            }
            D::Timestamp(_, zone) => {
                let micros = D::Timestamp(TimeUnit::Microsecond, zone.clone());
                Values::Time(to(micros)?, zone.is_some())
            }
            _ => return Err(found.to_string()),
        })
    }

    fn get(&self, i: usize) -> Field<'_> {
        let array = match self {
            Values::Missing => return Field::Missing,
            Values::Text(a)
            | Values::Integer(a)
            | Values::Float(a)
            | Values::Boolean(a)
            | Values::Time(a, _) => a,
        };
        if array.is_null(i) {
            return Field::Missing;
        }
        match self {
            Values::Missing => Field::Missing,
            Values::Text(a) => match a.as_string::<i32>().value(i) {
                "" => Field::Missing,
                text => Field::Text(text),
            },
            Values::Integer(a) => Field::Integer(a.as_primitive::<Int64Type>().value(i)),
            Values::Float(a) => Field::Float(a.as_primitive::<Float64Type>().value(i)),
            Values::Boolean(a) => Field::Boolean(a.as_boolean().value(i)),
            Values::Time(a, zoned) => {
                let micros = a.as_primitive::<TimestampMicrosecondType>().value(i);
                match zoned {
                    true => Field::Instant(micros),
                    false => Field::Local(micros),
                }
            }
        }
    }
}
