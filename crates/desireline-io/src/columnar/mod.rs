//! Formats made of columns: Arrow batches, Arrow IPC, Parquet.

mod convert;
pub(crate) mod ipc;
mod keys;
pub(crate) mod parquet;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Schema};
use arrow::error::ArrowError;
use desireline_core::log::AttributeType;

use crate::pieces;
use crate::plan::{Survey, check_names};
use crate::sink::Sink;
use crate::{Columns, IoError};

/// Rows handed on at once where there are few columns.
const MOST_ROWS: usize = 1 << 18;
/// Values handed on at once, about.
const VALUES: usize = 1 << 21;

/// How many rows are handed on at once: what is looked up once for each of them is looked up seldom, what is held for
/// them beside the log stays small.
pub(crate) fn rows_at_once(columns: usize) -> usize {
    (VALUES / columns.max(1)).clamp(1 << 12, MOST_ROWS)
}

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

/// A batch cut into slices of about `rows` rows.
fn slices(batch: &RecordBatch, rows: usize) -> impl Iterator<Item = RecordBatch> + '_ {
    // A slice carries its whole dictionary along, so slices are at least as long as the longest one.
    let longest = batch.columns().iter().filter_map(|c| {
        use arrow::array::{Array, AsArray};
        matches!(c.data_type(), DataType::Dictionary(..))
            .then(|| c.as_any_dictionary().values().len())
    });
    let step = longest.max().unwrap_or(0).max(rows);
    let n = batch.num_rows();
    (0..n)
        .step_by(step)
        .map(move |from| batch.slice(from, step.min(n - from)))
}

/// Some batches, and the rows before them.
struct Piece {
    batches: Vec<RecordBatch>,
    rows_before: u64,
}

/// Reads batches of one schema.
pub(crate) fn read(
    batches: impl Iterator<Item = Result<RecordBatch, ArrowError>>,
    names: &[String],
    source: &str,
    sink: &mut Sink<'_>,
) -> Result<(), IoError> {
    let places = sink.plan.places(source, names)?;
    let at_once = rows_at_once(names.len());
    let (mut rows, mut rest) = (0, Vec::new().into_iter());
    let mut batches = batches.fuse();
    // What stopped the batches, until all rows before it are looked at: they may say more.
    let mut failed = None;
    let next = |sink: &mut Sink<'_>| {
        sink.check_cancel()?;
        if let Some(error) = failed.take() {
            return Err(error);
        }
        let mut piece = Piece {
            batches: Vec::new(),
            rows_before: rows,
        };
        // Small batches go together.
        while rows - piece.rows_before < at_once as u64 / 2 {
            if let Some(slice) = rest.next() {
                let slice: RecordBatch = slice;
                rows += slice.num_rows() as u64;
                piece.batches.push(slice);
                continue;
            }
            let error = match batches.next() {
                Some(Ok(batch)) if batch.num_columns() != names.len() => {
                    let reason = "a batch has another number of columns than the schema";
                    damaged(source, rows, &reason)
                }
                Some(Ok(batch)) => {
                    rest = slices(&batch, at_once).collect::<Vec<_>>().into_iter();
                    continue;
                }
                Some(Err(error)) => damaged(source, rows, &error),
                None => break,
            };
            if piece.batches.is_empty() {
                return Err(error);
            }
            failed = Some(error);
            break;
        }
        Ok((!piece.batches.is_empty()).then_some((piece, 0)))
    };
    pieces::in_order(sink, source, next, |sink, piece| {
        let mut rows = piece.rows_before;
        for batch in piece.batches {
            sink.check_cancel()?;
            convert::push(sink, source, &batch, &places, rows)?;
            rows += batch.num_rows() as u64;
        }
        Ok(())
    })
}

pub(crate) fn damaged(source: &str, rows: u64, reason: &dyn std::fmt::Display) -> IoError {
    IoError::Damaged {
        source_name: source.to_owned(),
        row: (rows > 0).then_some(rows),
        reason: reason.to_string(),
    }
}
