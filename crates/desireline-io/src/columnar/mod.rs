//! Formats made of columns: Arrow batches, Arrow IPC, Parquet.

mod convert;
pub(crate) mod ipc;
mod keys;
pub(crate) mod parquet;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Schema};
use arrow::error::ArrowError;
use desireline_core::log::AttributeType;

use crate::plan::{Survey, check_names};
use crate::sink::Sink;
use crate::{Columns, IoError};

/// Rows handed on at once.
const ROWS: usize = 1 << 16;

/// Takes in a schema: names and the kinds of attributes.
pub(crate) fn survey(
    source_name: &str,
    schema: &Schema,
    survey: &mut Survey<'_>,
) -> Result<(), IoError> {
    let mut names: Vec<String> = schema.fields().iter().map(|f| f.name().clone()).collect();
    check_width(source_name, names.len(), survey.columns)?;
    check_names(source_name, &mut names)?;
    let kinds: Vec<Kind> = schema
        .fields()
        .iter()
        .map(|f| kind_of(f.data_type()))
        .collect();
    // Lists, structs and the like have no place in a log; with all columns wanted they are left out.
    let usable: Vec<String> = names
        .iter()
        .zip(&kinds)
        .filter(|(_, k)| **k != Kind::Unusable)
        .map(|(n, _)| n.clone())
        .collect();
    let listed = if survey.columns.all_attributes {
        &usable
    } else {
        &names
    };
    survey.offer(source_name, listed)?;
    let slots = survey.slots();
    for ((name, kind), field) in names.iter().zip(kinds).zip(schema.fields()) {
        let attribute = slots
            .iter()
            .any(|s| s.name == *name && matches!(s.role, crate::plan::Role::Attribute(_)));
        match kind {
            Kind::Known(kind) => survey.typed(source_name, name, kind)?,
            Kind::Unknown => {}
            Kind::Unusable if attribute => {
                return Err(IoError::ColumnType {
                    source_name: source_name.to_owned(),
                    column: name.clone(),
                    role: "an attribute",
                    found: field.data_type().to_string(),
                    allowed: "text, numbers, booleans, dates and timestamps",
                });
            }
            Kind::Unusable => {}
        }
    }
    Ok(())
}

fn check_width(source_name: &str, width: usize, columns: &Columns) -> Result<(), IoError> {
    if width > columns.limits.columns {
        return Err(IoError::Limit {
            source_name: source_name.to_owned(),
            what: "more columns",
            limit: columns.limits.columns as u64,
            setting: "columns",
            row: None,
        });
    }
    Ok(())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Known(AttributeType),
    /// A column of nulls: any kind fits.
    Unknown,
    Unusable,
}

fn kind_of(data_type: &DataType) -> Kind {
    use DataType as D;
    Kind::Known(match data_type {
        D::Null => return Kind::Unknown,
        D::Boolean => AttributeType::Boolean,
        D::Int8 | D::Int16 | D::Int32 | D::Int64 | D::UInt8 | D::UInt16 | D::UInt32 => {
            AttributeType::Integer
        }
        // Not all of them fit a signed integer; as text they stay exact.
        D::UInt64 => AttributeType::Text,
        D::Float16 | D::Float32 | D::Float64 => AttributeType::Decimal,
        D::Decimal32(..) | D::Decimal64(..) | D::Decimal128(..) | D::Decimal256(..) => {
            AttributeType::Decimal
        }
        D::Date32 | D::Date64 | D::Timestamp(..) => AttributeType::Time,
        D::Utf8 | D::LargeUtf8 | D::Utf8View | D::Binary | D::LargeBinary | D::BinaryView => {
            AttributeType::Text
        }
        D::Dictionary(_, values) => return kind_of(values),
        D::RunEndEncoded(_, values) => return kind_of(values.data_type()),
        _ => return Kind::Unusable,
    })
}

/// Hands one batch on, in slices that bound what is held beside it.
pub(crate) fn push(
    sink: &mut Sink<'_>,
    source: &str,
    batch: &RecordBatch,
    places: &[Option<usize>],
    rows_before: u64,
) -> Result<(), IoError> {
    // A slice carries its whole dictionary along, so slices are at least as long as the longest one.
    let longest = batch.columns().iter().filter_map(|c| {
        use arrow::array::{Array, AsArray};
        matches!(c.data_type(), DataType::Dictionary(..))
            .then(|| c.as_any_dictionary().values().len())
    });
    let step = longest.max().unwrap_or(0).max(ROWS);
    let mut from = 0;
    while from < batch.num_rows() {
        let length = step.min(batch.num_rows() - from);
        convert::push(
            sink,
            source,
            &batch.slice(from, length),
            places,
            rows_before + from as u64,
        )?;
        from += length;
    }
    Ok(())
}

/// Reads batches of one schema.
pub(crate) fn read(
    batches: impl Iterator<Item = Result<RecordBatch, ArrowError>>,
    names: &[String],
    source: &str,
    sink: &mut Sink<'_>,
    stored: &mut dyn FnMut(u64) -> Result<u64, IoError>,
) -> Result<(), IoError> {
    let places = sink.plan.places(source, names)?;
    let mut rows = 0;
    for batch in batches {
        let batch = batch.map_err(|e| damaged(source, rows, &e))?;
        if batch.num_columns() != names.len() {
            return Err(damaged(
                source,
                rows,
                &"a batch has another number of columns than the schema",
            ));
        }
        push(sink, source, &batch, &places, rows)?;
        rows += batch.num_rows() as u64;
        let bytes = stored(rows)?;
        sink.tick(source, bytes)?;
    }
    Ok(())
}

pub(crate) fn damaged(source: &str, rows: u64, reason: &dyn std::fmt::Display) -> IoError {
    IoError::Damaged {
        source_name: source.to_owned(),
        row: (rows > 0).then_some(rows),
        reason: reason.to_string(),
    }
}
