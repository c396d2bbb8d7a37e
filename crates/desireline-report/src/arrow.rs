//! Tables as Arrow: record batches and IPC bytes, at full precision.
//!
//! An estimate `x` takes the columns `x`, `x_lower`, `x_upper`, `x_n`; a rate adds `x_count`. Text is dictionary-encoded, durations and
//! times are Arrow durations and UTC timestamps in microseconds, money is decimal, a path is a list of text. Field
//! metadata has the label and unit; schema metadata the analysis, spec and provenance as JSON.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Decimal128Array, DictionaryArray, DurationMicrosecondArray,
    Float64Array, ListBuilder, StringBuilder, TimestampMicrosecondArray, UInt64Array,
};
use arrow::datatypes::{Field, Int32Type, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::ipc::writer::{FileWriter, StreamWriter};
use arrow::record_batch::RecordBatch;
use desireline_core::report::Table;

use crate::error::{Error, Result};
use crate::flat::{Values, flatten};
use crate::view::AnswerView;

/// The table as one record batch, with what is known about the answer in the schema's metadata.
pub fn record_batch(table: &Table, view: Option<&AnswerView<'_>>) -> Result<RecordBatch> {
    let fail = |source| Error::Arrow {
        table: table.name.to_owned(),
        source,
    };
    let mut fields = Vec::new();
    let mut arrays = Vec::new();
    for column in &table.columns {
        for flat in flatten(column) {
            let mut metadata = HashMap::from([("label".to_owned(), column.label.clone())]);
            if let Some(unit) = unit(&flat.values) {
                metadata.insert("unit".to_owned(), unit);
            }
            let array = array(&flat.values).map_err(fail)?;
            fields.push(
                Field::new(flat.name, array.data_type().clone(), true).with_metadata(metadata),
            );
            arrays.push(array);
        }
    }
    let schema: SchemaRef = Arc::new(Schema::new(fields).with_metadata(metadata(table, view)));
    let rows = arrow::array::RecordBatchOptions::new().with_row_count(Some(table.n_rows()));
    RecordBatch::try_new_with_options(schema, arrays, &rows).map_err(fail)
}

/// The table as an Arrow IPC stream.
pub fn ipc_stream(table: &Table, view: Option<&AnswerView<'_>>) -> Result<Vec<u8>> {
    let batch = record_batch(table, view)?;
    let write = || -> Result<Vec<u8>, ArrowError> {
        let mut writer = StreamWriter::try_new(Vec::new(), &batch.schema())?;
        writer.write(&batch)?;
        writer.finish()?;
        writer.into_inner()
    };
    write().map_err(|source| Error::Arrow {
        table: table.name.to_owned(),
        source,
    })
}

/// The table as an Arrow IPC file (Feather v2).
pub fn ipc_file(table: &Table, view: Option<&AnswerView<'_>>) -> Result<Vec<u8>> {
    let batch = record_batch(table, view)?;
    let write = || -> Result<Vec<u8>, ArrowError> {
        let mut writer = FileWriter::try_new(Vec::new(), &batch.schema())?;
        writer.write(&batch)?;
        writer.finish()?;
        writer.into_inner()
    };
    write().map_err(|source| Error::Arrow {
        table: table.name.to_owned(),
        source,
    })
}

fn metadata(table: &Table, view: Option<&AnswerView<'_>>) -> HashMap<String, String> {
    let mut out = HashMap::from([
        (
            "desireline".to_owned(),
            env!("CARGO_PKG_VERSION").to_owned(),
        ),
        ("table".to_owned(), table.name.to_owned()),
    ]);
    if let Some(view) = view {
        out.insert("analysis".to_owned(), view.analysis.to_owned());
        out.insert("spec".to_owned(), view.spec.to_string());
        if let Ok(provenance) = serde_json::to_string(view.provenance) {
            out.insert("provenance".to_owned(), provenance);
        }
        if let Ok(caveats) = serde_json::to_string(view.report.caveats()) {
            out.insert("caveats".to_owned(), caveats);
        }
    }
    out
}

fn unit(values: &Values<'_>) -> Option<String> {
    match values {
        Values::Float(_, unit) => unit.label().map(str::to_owned),
        Values::Money { currency, .. } => Some((*currency).to_owned()),
        _ => None,
    }
}

fn array(values: &Values<'_>) -> Result<ArrayRef, ArrowError> {
    Ok(match values {
        Values::Text(v) => Arc::new(
            v.iter()
                .map(Option::as_deref)
                .collect::<DictionaryArray<Int32Type>>(),
        ),
        Values::Flag(v) => Arc::new(BooleanArray::from(v.to_vec())),
        Values::Count(v) => Arc::new(UInt64Array::from(v.clone())),
        Values::Float(v, _) => Arc::new(Float64Array::from(v.clone())),
        Values::Duration(v) => Arc::new(DurationMicrosecondArray::from(v.to_vec())),
        Values::Time(v) => {
            Arc::new(TimestampMicrosecondArray::from(v.to_vec()).with_timezone("UTC"))
        }
        Values::Path(v) => {
            let mut list = ListBuilder::new(StringBuilder::new());
            for path in *v {
                for name in path.iter().flatten() {
                    list.values().append_value(name);
                }
                list.append(path.is_some());
            }
            Arc::new(list.finish())
        }
        Values::Money {
            amounts, exponent, ..
        } => {
            let scale = i8::try_from(*exponent)
                .map_err(|_| ArrowError::InvalidArgumentError(format!("exponent {exponent}")))?;
            let amounts = amounts
                .iter()
                .map(|m| m.map(i128::from))
                .collect::<Decimal128Array>();
            Arc::new(amounts.with_precision_and_scale(38, scale)?)
        }
    })
}
