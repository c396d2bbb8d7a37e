//! Parquet.

use std::io::{BufReader, Read, Seek, SeekFrom};
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema};
use bytes::Bytes;
use desireline_core::log::AttributeType;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::reader::{ChunkReader, Length};

use super::damaged;
use crate::IoError;
use crate::limits::RATIO_GRACE;
use crate::plan::{Plan, Role, Survey};
use crate::sink::Sink;
use crate::source::{Input, Opened};

const BATCH: usize = 1 << 16;

/// Bytes by place; a place outside the file is an error before memory is asked for.
struct Chunks(Opened);

impl Length for Chunks {
    fn len(&self) -> u64 {
        match &self.0 {
            Opened::File(_, length) => *length,
            Opened::Memory(bytes) => bytes.len() as u64,
        }
    }
}

impl Chunks {
    fn check(&self, start: u64, length: u64) -> ParquetResult<()> {
        match start.checked_add(length) {
            Some(end) if end <= self.len() => Ok(()),
            _ => Err(ParquetError::EOF(format!(
                "bytes {start} to {start}+{length} lie outside the file"
            ))),
        }
    }
}

impl ChunkReader for Chunks {
    type T = Box<dyn Read + Send>;

    fn get_read(&self, start: u64) -> ParquetResult<Self::T> {
        self.check(start, 0)?;
        Ok(match &self.0 {
            Opened::File(file, _) => {
                let mut file = file.try_clone()?;
                file.seek(SeekFrom::Start(start))?;
                Box::new(BufReader::new(file))
            }
            Opened::Memory(bytes) => {
                let from = usize::try_from(start)
                    .unwrap_or(bytes.len())
                    .min(bytes.len());
                Box::new(std::io::Cursor::new(bytes.slice(from..)))
            }
        })
    }

    fn get_bytes(&self, start: u64, length: usize) -> ParquetResult<Bytes> {
        self.check(start, length as u64)?;
        match &self.0 {
            Opened::File(file, _) => {
                let mut file = file.try_clone()?;
                file.seek(SeekFrom::Start(start))?;
                let mut bytes = vec![0; length];
                file.read_exact(&mut bytes)?;
                Ok(bytes.into())
            }
            Opened::Memory(bytes) => {
                let from = usize::try_from(start).unwrap_or(bytes.len());
                Ok(bytes.slice(from..from + length))
            }
        }
    }
}

/// Reads the footer.
pub(crate) fn survey(
    input: &Input,
    survey: &mut Survey<'_>,
) -> Result<ArrowReaderMetadata, IoError> {
    let file = Chunks(input.open()?);
    let metadata = ArrowReaderMetadata::load(&file, ArrowReaderOptions::new())
        .map_err(|e| damaged(&input.name, 0, &e))?;
    super::survey(&input.name, metadata.schema(), survey)?;
    Ok(metadata)
}

/// Reads the wanted columns of all rows.
pub(crate) fn read(
    input: &Input,
    metadata: &ArrowReaderMetadata,
    sink: &mut Sink<'_>,
) -> Result<(), IoError> {
    let source = input.name.as_str();
    let failed = |e: ParquetError| damaged(source, 0, &e);
    let names: Vec<String> = metadata
        .schema()
        .fields()
        .iter()
        .map(|f| f.name().clone())
        .collect();
    let mut roots: Vec<usize> = sink
        .plan
        .places(source, &names)?
        .into_iter()
        .flatten()
        .collect();
    roots.sort_unstable();
    roots.dedup();
    let wanted: Vec<String> = roots.iter().map(|&r| names[r].clone()).collect();

    // A few stored bytes may claim any number of rows.
    let total = u64::try_from(metadata.metadata().file_metadata().num_rows()).unwrap_or(0);
    let stored = input.stored_bytes().max(1);
    let ratio = sink.columns.limits.decompressed_ratio;
    if total > RATIO_GRACE && total / stored > ratio {
        return Err(IoError::Limit {
            source_name: source.to_owned(),
            what: "more rows to each stored byte",
            limit: ratio,
            setting: "decompressed_ratio",
            row: None,
        });
    }
    let coded = Arc::new(coded(metadata.schema(), &sink.plan));
    let options = ArrowReaderOptions::new().with_schema(coded);
    let metadata = match ArrowReaderMetadata::try_new(Arc::clone(metadata.metadata()), options) {
        Ok(coded) => coded,
        // A file may hold its text in a way that cannot be read as codes; then it is read as it is.
        Err(_) => metadata.clone(),
    };
    let mask = ProjectionMask::roots(metadata.parquet_schema(), roots);
    let reader =
        ParquetRecordBatchReaderBuilder::new_with_metadata(Chunks(input.open()?), metadata)
            .with_projection(mask)
            .with_batch_size(BATCH)
            .build()
            .map_err(failed)?;
    super::read(reader, &wanted, source, sink, &mut |rows| {
        let share = rows as f64 / total.max(1) as f64;
        Ok((stored as f64 * share.min(1.0)) as u64)
    })
}

/// The schema with event names and text attributes as dictionary codes, so that no text is built for a row.
fn coded(schema: &Schema, plan: &Plan) -> Schema {
    let is_coded = |name: &str| {
        plan.slots
            .iter()
            .filter(|s| s.name == name)
            .any(|s| match s.role {
                Role::Event => true,
                Role::Attribute(i) => plan.kind(i) == AttributeType::Text,
                _ => false,
            })
    };
    let fields: Vec<Field> = schema
        .fields()
        .iter()
        .map(|field| {
            let text = matches!(
                field.data_type(),
                DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View
            );
            if text && is_coded(field.name()) {
                let codes =
                    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
                field.as_ref().clone().with_data_type(codes)
            } else {
                field.as_ref().clone()
            }
        })
        .collect();
    Schema::new(fields)
}
