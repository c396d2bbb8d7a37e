//! From Arrow batches to files.

mod cells;
mod part;
mod whole;

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::ipc::writer::{FileWriter, StreamWriter};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use self::cells::Column;
pub(crate) use self::part::Part;
pub use self::whole::WholeFile;
use crate::format::{ENDINGS, Packing};
use crate::{Format, IoError};

/// Writes batches of rows to one file whose format its name tells; the same rows give the same bytes.
///
/// The file appears under its name only when [`RowWriter::finish`] has succeeded; until then the rows go to a hidden file
/// beside it, which is removed when the writer is dropped. Links, pipes and permissions are treated as [`WholeFile`] does.
///
/// Formats: `.csv`, `.tsv`, `.txt` and `.jsonl`, `.ndjson`, each also with `.gz` or `.zst`; `.parquet` (zstd);
/// `.arrow`, `.ipc`, `.feather` (Arrow IPC file) and `.arrows` (stream). In delimited text nulls and empty texts are both
/// empty fields; times are RFC 3339, with `Z` where the column has a zone.
///
/// ```
/// use std::sync::Arc;
/// use arrow::array::{RecordBatch, StringArray};
/// use desireline_io::RowWriter;
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("rows.csv");
/// let batch = RecordBatch::try_from_iter([("user", Arc::new(StringArray::from(vec!["ann"])) as _)])?;
/// let mut writer = RowWriter::create(&path, batch.schema())?;
/// writer.write(&batch)?;
/// assert_eq!(writer.finish()?, 1);
/// assert_eq!(std::fs::read_to_string(&path)?, "user\nann\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct RowWriter {
    target: PathBuf,
    part: Option<Part>,
    out: Out,
    schema: SchemaRef,
    rows: u64,
}

impl std::fmt::Debug for RowWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RowWriter")
            .field("target", &self.target)
            .field("rows", &self.rows)
            .finish_non_exhaustive()
    }
}

enum Out {
    Delimited(Box<csv::Writer<Packed>>),
    JsonLines(Packed),
    Parquet(Box<ArrowWriter<File>>),
    IpcFile(Box<FileWriter<BufWriter<File>>>),
    IpcStream(Box<StreamWriter<BufWriter<File>>>),
    Done,
}

enum Packed {
    Plain(BufWriter<File>),
    Gzip(flate2::write::GzEncoder<BufWriter<File>>),
    Zstd(zstd::Encoder<'static, BufWriter<File>>),
}

impl Write for Packed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Packed::Plain(out) => out.write(bytes),
            Packed::Gzip(out) => out.write(bytes),
            Packed::Zstd(out) => out.write(bytes),
        }
    }
    fn flush(&mut self) -> io::Result<()> {
        match self {
            Packed::Plain(out) => out.flush(),
            Packed::Gzip(out) => out.flush(),
            Packed::Zstd(out) => out.flush(),
        }
    }
}

impl Packed {
    fn finish(self) -> io::Result<File> {
        let buffered = match self {
            Packed::Plain(out) => out,
            Packed::Gzip(out) => out.finish()?,
            Packed::Zstd(out) => out.finish()?,
        };
        buffered
            .into_inner()
            .map_err(io::IntoInnerError::into_error)
    }
}

impl RowWriter {
    /// Begins a file.
    ///
    /// # Errors
    /// [`IoError::Write`] when the name tells no format or the folder cannot be written to.
    pub fn create(target: impl AsRef<Path>, schema: SchemaRef) -> Result<RowWriter, IoError> {
        let target = target.as_ref().to_path_buf();
        let failed = |reason: String| IoError::Write {
            target: target.display().to_string(),
            reason,
        };
        let Some((format, packing)) = Format::of_name(&target) else {
            return Err(failed(format!(
                "its ending tells no format; allowed are {ENDINGS}"
            )));
        };
        let (part, file) = Part::create(&target).map_err(|e| failed(e.to_string()))?;
        let mut writer = RowWriter {
            target: target.clone(),
            part: Some(part),
            out: Out::Done,
            schema,
            rows: 0,
        };
        writer.out = writer.begin(file, format, packing).map_err(failed)?;
        Ok(writer)
    }

    fn begin(&self, file: File, format: Format, packing: Packing) -> Result<Out, String> {
        let schema = &self.schema;
        let stream = self
            .target
            .extension()
            .is_some_and(|e| e.eq_ignore_ascii_case("arrows"));
        let arrow = |e: ArrowError| e.to_string();
        let io = |e: io::Error| e.to_string();
        Ok(match format {
            Format::Parquet => {
                let level = ZstdLevel::try_new(1).map_err(|e| e.to_string())?;
                let properties = WriterProperties::builder()
                    .set_compression(Compression::ZSTD(level))
                    .build();
                let writer = ArrowWriter::try_new(file, SchemaRef::clone(schema), Some(properties));
                Out::Parquet(Box::new(writer.map_err(|e| e.to_string())?))
            }
            Format::ArrowIpc if stream => Out::IpcStream(Box::new(
                StreamWriter::try_new(BufWriter::new(file), schema).map_err(arrow)?,
            )),
            Format::ArrowIpc => Out::IpcFile(Box::new(
                FileWriter::try_new(BufWriter::new(file), schema).map_err(arrow)?,
            )),
            Format::Csv | Format::Tsv | Format::JsonLines => {
                let file = BufWriter::with_capacity(1 << 18, file);
                let packed = match packing {
                    Packing::Plain => Packed::Plain(file),
                    Packing::Gzip => Packed::Gzip(flate2::write::GzEncoder::new(
                        file,
                        flate2::Compression::fast(),
                    )),
                    Packing::Zstd => Packed::Zstd(zstd::Encoder::new(file, 1).map_err(io)?),
                };
                if format == Format::JsonLines {
                    Out::JsonLines(packed)
                } else {
                    let delimiter = if format == Format::Tsv { b'\t' } else { b',' };
                    let mut out = csv::WriterBuilder::new()
                        .delimiter(delimiter)
                        .from_writer(packed);
                    out.write_record(schema.fields().iter().map(|f| f.name().as_bytes()))
                        .map_err(|e| e.to_string())?;
                    Out::Delimited(Box::new(out))
                }
            }
        })
    }

    fn failed(&self, reason: impl ToString) -> IoError {
        IoError::Write {
            target: self.target.display().to_string(),
            reason: reason.to_string(),
        }
    }

    /// Adds rows.
    ///
    /// # Errors
    /// [`IoError::Write`] when the batch has another schema, a column's type has no text form, or the disk refuses.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), IoError> {
        if batch.schema().fields() != self.schema.fields() {
            return Err(self.failed("a batch has another schema than the file"));
        }
        let done = match &mut self.out {
            Out::Parquet(out) => out.write(batch).map_err(|e| e.to_string()),
            Out::IpcFile(out) => out.write(batch).map_err(|e| e.to_string()),
            Out::IpcStream(out) => out.write(batch).map_err(|e| e.to_string()),
            Out::Delimited(out) => delimited(out, batch),
            Out::JsonLines(out) => json_lines(out, batch),
            Out::Done => Err("it is finished".to_owned()),
        };
        done.map_err(|reason| self.failed(reason))?;
        self.rows += batch.num_rows() as u64;
        Ok(())
    }

    /// Ends the file, gives it its name and tells the number of rows.
    ///
    /// # Errors
    /// [`IoError::Write`]; a file that was there before under this name is then unchanged.
    pub fn finish(mut self) -> Result<u64, IoError> {
        let out = std::mem::replace(&mut self.out, Out::Done);
        let file = match out {
            Out::Parquet(out) => out.into_inner().map_err(|e| e.to_string()),
            Out::IpcFile(mut out) => out
                .finish()
                .and_then(|()| out.into_inner())
                .map_err(|e| e.to_string())
                .and_then(|b| b.into_inner().map_err(|e| e.to_string())),
            Out::IpcStream(mut out) => out
                .finish()
                .and_then(|()| out.into_inner())
                .map_err(|e| e.to_string())
                .and_then(|b| b.into_inner().map_err(|e| e.to_string())),
            Out::Delimited(out) => out
                .into_inner()
                .map_err(|e| e.to_string())
                .and_then(|packed| packed.finish().map_err(|e| e.to_string())),
            Out::JsonLines(out) => out.finish().map_err(|e| e.to_string()),
            Out::Done => Err("it is finished".to_owned()),
        };
        let file = file.map_err(|reason| self.failed(reason))?;
        if let Some(part) = self.part.take() {
            part.commit(file).map_err(|e| self.failed(e))?;
        }
        Ok(self.rows)
    }
}

/// Writes all batches to one file; see [`RowWriter`]. Gives the number of rows.
///
/// # Errors
/// [`IoError::Write`], also when the batches themselves fail.
pub fn write_log(
    target: impl AsRef<Path>,
    schema: SchemaRef,
    batches: impl IntoIterator<Item = Result<RecordBatch, ArrowError>>,
) -> Result<u64, IoError> {
    let mut writer = RowWriter::create(target, schema)?;
    for batch in batches {
        let batch = batch.map_err(|e| writer.failed(e))?;
        writer.write(&batch)?;
    }
    writer.finish()
}

fn columns(batch: &RecordBatch) -> Result<Vec<Column<'_>>, String> {
    let schema = batch.schema();
    let fields = schema.fields().iter().zip(batch.columns());
    fields
        .map(|(field, array)| {
            Column::of(array.as_ref()).ok_or_else(|| {
                format!(
                    "column `{}` ({}) has no text form",
                    field.name(),
                    field.data_type()
                )
            })
        })
        .collect()
}

fn delimited(out: &mut csv::Writer<Packed>, batch: &RecordBatch) -> Result<(), String> {
    let columns = columns(batch)?;
    let mut text = String::new();
    for row in 0..batch.num_rows() {
        for column in &columns {
            text.clear();
            let field = column.text(row, &mut text).unwrap_or("");
            out.write_field(field).map_err(|e| e.to_string())?;
        }
        out.write_record(None::<&[u8]>).map_err(|e| e.to_string())?;
    }
    Ok(())
}

fn json_lines(out: &mut Packed, batch: &RecordBatch) -> Result<(), String> {
    let columns = columns(batch)?;
    let schema = batch.schema();
    let mut keys = Vec::with_capacity(columns.len());
    for field in schema.fields() {
        keys.push(serde_json::to_string(field.name()).map_err(|e| e.to_string())?);
    }
    let mut line = Vec::new();
    let mut text = String::new();
    for row in 0..batch.num_rows() {
        line.clear();
        for (key, column) in keys.iter().zip(&columns) {
            text.clear();
            line.push(if line.is_empty() { b'{' } else { b',' });
            line.extend_from_slice(key.as_bytes());
            line.push(b':');
            match column.text(row, &mut text) {
                None => line.extend_from_slice(b"null"),
                Some(value) if column.is_bare(row) => line.extend_from_slice(value.as_bytes()),
                Some(value) => {
                    serde_json::to_writer(&mut line, value).map_err(|e| e.to_string())?
                }
            }
        }
        line.extend_from_slice(if line.is_empty() { b"{}\n" } else { b"}\n" });
        out.write_all(&line).map_err(|e| e.to_string())?;
    }
    Ok(())
}
