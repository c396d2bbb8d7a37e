//! Parquet.

use std::io::{BufReader, Read, Seek, SeekFrom};
use std::ops::Range;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Schema, SchemaRef};
use arrow::error::ArrowError;
use bytes::Bytes;
use desireline_core::log::AttributeType;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use parquet::basic::Encoding;
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::reader::{ChunkReader, Length};

use super::damaged;
use crate::IoError;
use crate::limits::{Limits, RATIO_GRACE};
use crate::pieces;
use crate::plan::{Plan, Role, Survey};
use crate::sink::Sink;
use crate::source::{Input, Opened};

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

    let (total, stored) = check_rows(input, metadata, &sink.columns.limits)?;
    let places = sink.plan.places(source, &wanted)?;
    let mask = ProjectionMask::roots(metadata.parquet_schema(), roots);
    let at_once = super::rows_at_once(wanted.len());
    let mut groups = pieces_of(metadata, at_once).into_iter();
    let next = |_: &mut Sink<'_>| {
        Ok(groups.next().map(|piece: Piece| {
            let share = piece.rows as f64 / total.max(1) as f64;
            (piece, (stored as f64 * share.min(1.0)) as u64)
        }))
    };
    pieces::in_order(sink, source, next, |sink, piece| {
        let mut rows = piece.rows_before;
        for group in piece.groups {
            let metadata = coded(metadata, &sink.plan, group);
            let failed = |rows: u64, e: &dyn std::fmt::Display| damaged(source, rows, e);
            let reader =
                ParquetRecordBatchReaderBuilder::new_with_metadata(Chunks(input.open()?), metadata)
                    .with_projection(mask.clone())
                    .with_row_groups(vec![group])
                    .with_batch_size(at_once)
                    .build()
                    .map_err(|e| failed(rows, &e))?;
            for batch in reader {
                let batch = batch.map_err(|e| failed(rows, &e))?;
                sink.check_cancel()?;
                super::convert::push(sink, source, &batch, &places, rows)?;
                rows += batch.num_rows() as u64;
            }
        }
        Ok(())
    })
}

/// Rows and stored bytes; a few bytes may claim any number of rows.
fn check_rows(
    input: &Input,
    metadata: &ArrowReaderMetadata,
    limits: &Limits,
) -> Result<(u64, u64), IoError> {
    let total = u64::try_from(metadata.metadata().file_metadata().num_rows()).unwrap_or(0);
    let stored = input.stored_bytes().max(1);
    let limit = limits.decompressed_ratio;
    if total > RATIO_GRACE && total / stored > limit {
        return Err(IoError::Limit {
            source_name: input.name.clone(),
            what: "more rows to each stored byte",
            limit,
            setting: "decompressed_ratio",
            row: None,
        });
    }
    Ok((total, stored))
}

/// All columns of all rows.
pub(crate) fn batches(
    input: &Input,
    limits: &Limits,
) -> Result<
    (
        impl Iterator<Item = Result<RecordBatch, ArrowError>> + use<>,
        SchemaRef,
    ),
    IoError,
> {
    let file = Chunks(input.open()?);
    let builder =
        ParquetRecordBatchReaderBuilder::try_new(file).map_err(|e| damaged(&input.name, 0, &e))?;
    let metadata = ArrowReaderMetadata::load(&Chunks(input.open()?), ArrowReaderOptions::new())
        .map_err(|e| damaged(&input.name, 0, &e))?;
    check_rows(input, &metadata, limits)?;
    let schema = Arc::clone(builder.schema());
    let reader = builder.build().map_err(|e| damaged(&input.name, 0, &e))?;
    Ok((reader, schema))
}

/// Row groups that are read by one thread, and the rows before them and in them.
struct Piece {
    groups: Range<usize>,
    rows_before: u64,
    rows: u64,
}

/// Row groups by their order; those with few rows go together until there are `rows`.
fn pieces_of(metadata: &ArrowReaderMetadata, rows: usize) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut rows_before = 0;
    for (i, group) in metadata.metadata().row_groups().iter().enumerate() {
        let here = u64::try_from(group.num_rows()).unwrap_or(0);
        match pieces.last_mut() {
            Some(piece) if piece.rows.saturating_add(here) <= rows as u64 => {
                piece.groups.end = i + 1;
                piece.rows += here;
            }
            _ => pieces.push(Piece {
                groups: i..i + 1,
                rows_before,
                rows: here,
            }),
        }
        rows_before = here.saturating_add(rows_before);
    }
    pieces
}

/// The metadata with a schema that has ids, event names and text attributes in the form that costs least in one row
/// group: as dictionary codes where all its pages hold such codes, so that each text is looked at once; else as views,
/// so that no text is copied. Where the file holds text in a way that cannot be read so, it is read as it is.
fn coded(metadata: &ArrowReaderMetadata, plan: &Plan, group: usize) -> ArrowReaderMetadata {
    let is_key = |name: &str| {
        plan.slots
            .iter()
            .filter(|s| s.name == name)
            .any(|s| match s.role {
                Role::Customer | Role::Event => true,
                Role::Attribute(i) => plan.kind(i) == AttributeType::Text,
                _ => false,
            })
    };
    let group = metadata.metadata().row_groups().get(group);
    let columns = group.map(|g| g.columns()).unwrap_or_default();
    let is_coded = |name: &str| {
        let mut found = columns.iter().filter(|c| c.column_path().parts() == [name]);
        found.any(|column| {
            let pages = column.page_encoding_stats_mask();
            pages.is_some_and(|mask| {
                mask.is_only(Encoding::RLE_DICTIONARY) || mask.is_only(Encoding::PLAIN_DICTIONARY)
            })
        })
    };
    let fields = metadata.schema().fields().iter().map(|field| {
        let is_text = match field.data_type() {
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
            DataType::Dictionary(_, values) => matches!(
                **values,
                DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View
            ),
            _ => false,
        };
        if !is_text || !is_key(field.name()) {
            return Arc::clone(field);
        }
        let data_type = if is_coded(field.name()) {
            DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
        } else {
            DataType::Utf8View
        };
        Arc::new(field.as_ref().clone().with_data_type(data_type))
    });
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let options = ArrowReaderOptions::new().with_schema(schema);
    ArrowReaderMetadata::try_new(Arc::clone(metadata.metadata()), options)
        .unwrap_or_else(|_| metadata.clone())
}
