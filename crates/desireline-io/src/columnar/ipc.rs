//! Arrow IPC, as a file (Feather) or as a stream.

use std::io::{BufReader, Cursor, Read, Seek, SeekFrom};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::ipc::reader::{FileReader, StreamReader};
use arrow::ipc::{Message, MessageHeader, root_as_footer, root_as_message};

use super::damaged;
use crate::format::Magic;
use crate::plan::Survey;
use crate::sink::Sink;
use crate::source::{Input, Opened};
use crate::{IoError, Limits};

trait Bytes: Read + Seek + Send {}
impl<T: Read + Seek + Send> Bytes for T {}
type Reader = BufReader<Box<dyn Bytes>>;

fn bytes(input: &Input) -> Result<(Reader, u64), IoError> {
    Ok(match input.open()? {
        Opened::File(file, length) => (BufReader::new(Box::new(file)), length),
        Opened::Memory(bytes) => {
            let length = bytes.len() as u64;
            (BufReader::new(Box::new(Cursor::new(bytes))), length)
        }
    })
}

enum Batches {
    File(Box<FileReader<Reader>>),
    Stream(Box<StreamReader<Reader>>),
}

impl Iterator for Batches {
    type Item = Result<RecordBatch, ArrowError>;
    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Batches::File(reader) => reader.next(),
            Batches::Stream(reader) => reader.next(),
        }
    }
}

fn open(input: &Input, projection: Option<Vec<usize>>) -> Result<(Batches, SchemaRef), IoError> {
    let (reader, _) = bytes(input)?;
    let failed = |e: ArrowError| damaged(&input.name, 0, &e);
    if Magic::of(&input.head()?) == Magic::ArrowFile {
        let reader = FileReader::try_new(reader, projection).map_err(failed)?;
        let schema = reader.schema();
        Ok((Batches::File(Box::new(reader)), schema))
    } else {
        let reader = StreamReader::try_new(reader, projection).map_err(failed)?;
        let schema = reader.schema();
        Ok((Batches::Stream(Box::new(reader)), schema))
    }
}

/// Reads the schema, after checking that no length in the file points out of it.
pub(crate) fn survey(input: &Input, survey: &mut Survey<'_>) -> Result<(), IoError> {
    check(input, &survey.columns.limits)?;
    let (_, schema) = open(input, None)?;
    if crate::snapshot::marks(schema.metadata()) {
        return Err(IoError::IsSnapshot {
            source_name: input.name.clone(),
        });
    }
    super::survey(&input.name, &schema, survey)
}

/// All columns of all rows, after the same checks.
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
    check(input, limits)?;
    let (batches, schema) = open(input, None)?;
    if crate::snapshot::marks(schema.metadata()) {
        return Err(IoError::IsSnapshot {
            source_name: input.name.clone(),
        });
    }
    Ok((batches, schema))
}

/// Reads the wanted columns of all rows.
pub(crate) fn read(input: &Input, sink: &mut Sink<'_>) -> Result<(), IoError> {
    let source = input.name.as_str();
    let (_, schema) = open(input, None)?;
    let names: Vec<String> = schema.fields().iter().map(|f| f.name().clone()).collect();
    let mut roots: Vec<usize> = sink
        .plan
        .places(source, &names)?
        .into_iter()
        .flatten()
        .collect();
    roots.sort_unstable();
    roots.dedup();
    let wanted: Vec<String> = roots.iter().map(|&r| names[r].clone()).collect();
    let (batches, _) = open(input, Some(roots))?;
    super::read(batches, &wanted, source, sink)
}

/// The decoder trusts the lengths it finds and asks for that much memory, so they are held against the file first.
fn check(input: &Input, limits: &Limits) -> Result<(), IoError> {
    let (mut reader, length) = bytes(input)?;
    let wrong = |reason: &str| damaged(&input.name, 0, &reason);
    let mut checker = Checker {
        input,
        limits,
        length,
    };
    if Magic::of(&input.head()?) == Magic::ArrowFile {
        let mut tail = [0; 10];
        let Some(end) = length.checked_sub(10) else {
            return Err(wrong("it is cut short"));
        };
        read_at(input, &mut reader, end, &mut tail)?;
        let footer_length = u64::from(u32::from_le_bytes([tail[0], tail[1], tail[2], tail[3]]));
        if !tail.ends_with(b"ARROW1") || footer_length > end {
            return Err(wrong("it has no footer"));
        }
        let mut footer = vec![0; usize::try_from(footer_length).unwrap_or(0)];
        read_at(input, &mut reader, end - footer_length, &mut footer)?;
        let footer = root_as_footer(&footer).map_err(|e| damaged(&input.name, 0, &e))?;
        if footer.schema().is_none() {
            return Err(wrong("its footer has no schema"));
        }
        let blocks = [footer.dictionaries(), footer.recordBatches()];
        for block in blocks
            .into_iter()
            .flatten()
            .flat_map(|blocks| blocks.iter())
        {
            let at = (
                u64::try_from(block.offset()),
                u64::try_from(block.metaDataLength()),
                u64::try_from(block.bodyLength()),
            );
            let (Ok(offset), Ok(meta), Ok(body)) = at else {
                return Err(wrong("a block has a negative length"));
            };
            checker.message_at(&mut reader, offset, Some((meta, body)))?;
        }
    } else {
        let mut at = 0;
        while let Some(next) = checker.message_at(&mut reader, at, None)? {
            at = next;
        }
    }
    Ok(())
}

fn read_at(input: &Input, reader: &mut Reader, at: u64, into: &mut [u8]) -> Result<(), IoError> {
    let failed = |e: std::io::Error| damaged(&input.name, 0, &e);
    reader.seek(SeekFrom::Start(at)).map_err(failed)?;
    reader.read_exact(into).map_err(failed)
}

struct Checker<'a> {
    input: &'a Input,
    limits: &'a Limits,
    length: u64,
}

impl Checker<'_> {
    fn wrong(&self, reason: &str) -> IoError {
        damaged(&self.input.name, 0, &reason)
    }

    /// Checks the message at a place and tells where the next one begins; none behind an end mark.
    fn message_at(
        &mut self,
        reader: &mut Reader,
        at: u64,
        block: Option<(u64, u64)>,
    ) -> Result<Option<u64>, IoError> {
        let rest = self
            .length
            .checked_sub(at)
            .ok_or_else(|| self.wrong("a block lies behind the end"))?;
        if block.is_some_and(|(meta, body)| meta.checked_add(body).is_none_or(|sum| sum > rest)) {
            return Err(self.wrong("a block reaches behind the end"));
        }
        if rest < 4 {
            return Ok(None);
        }
        let mut word = [0; 4];
        read_at(self.input, reader, at, &mut word)?;
        let mut prefix = 4;
        if word == [0xff; 4] {
            if rest < 8 {
                return Err(self.wrong("it is cut short"));
            }
            read_at(self.input, reader, at + 4, &mut word)?;
            prefix = 8;
        }
        let meta = u64::from(u32::from_le_bytes(word));
        if meta == 0 {
            return Ok(None);
        }
        if prefix + meta > rest || block.is_some_and(|(whole, _)| prefix + meta > whole) {
            return Err(self.wrong("a message is longer than the file"));
        }
        let mut bytes =
            vec![0; usize::try_from(meta).map_err(|_| self.wrong("a message is too long"))?];
        read_at(self.input, reader, at + prefix, &mut bytes)?;
        let message = root_as_message(&bytes).map_err(|e| damaged(&self.input.name, 0, &e))?;
        let body = u64::try_from(message.bodyLength())
            .map_err(|_| self.wrong("a message has a negative length"))?;
        let body_at = at + block.map_or(prefix + meta, |(whole, _)| whole);
        if body_at
            .checked_add(body)
            .is_none_or(|end| end > self.length)
        {
            return Err(self.wrong("a message is longer than the file"));
        }
        if block.is_some_and(|(_, of_block)| of_block != body) {
            return Err(self.wrong("a block and its message differ in length"));
        }
        self.batch(reader, &message, body_at, body)?;
        Ok(Some(body_at + body))
    }

    fn batch(
        &self,
        reader: &mut Reader,
        message: &Message<'_>,
        body_at: u64,
        body: u64,
    ) -> Result<(), IoError> {
        let batch = match message.header_type() {
            MessageHeader::RecordBatch => message.header_as_record_batch(),
            MessageHeader::DictionaryBatch => {
                message.header_as_dictionary_batch().and_then(|d| d.data())
            }
            _ => return Ok(()),
        };
        let Some(batch) = batch else {
            return Err(self.wrong("a message has no content"));
        };
        let mut unpacked = 0_u64;
        for buffer in batch.buffers().into_iter().flat_map(|b| b.iter()) {
            let (Ok(offset), Ok(length)) = (
                u64::try_from(buffer.offset()),
                u64::try_from(buffer.length()),
            ) else {
                return Err(self.wrong("a buffer has a negative length"));
            };
            if offset.checked_add(length).is_none_or(|end| end > body) {
                return Err(self.wrong("a buffer reaches out of its message"));
            }
            let mut size = length;
            if batch.compression().is_some() && length >= 8 {
                let mut prefix = [0; 8];
                read_at(self.input, reader, body_at + offset, &mut prefix)?;
                // −1 says that the buffer is not packed after all.
                size = match i64::from_le_bytes(prefix) {
                    -1 => length,
                    n => u64::try_from(n)
                        .map_err(|_| self.wrong("a buffer has a negative length"))?,
                };
            }
            unpacked = unpacked.saturating_add(size);
        }
        let over = |limit, setting| {
            Err(IoError::Limit {
                source_name: self.input.name.clone(),
                what: "more unpacked bytes",
                limit,
                setting,
                row: None,
            })
        };
        if unpacked > self.limits.decompressed_bytes {
            return over(self.limits.decompressed_bytes, "decompressed_bytes");
        }
        if unpacked > RATIO_GRACE && unpacked / self.length.max(1) > self.limits.decompressed_ratio
        {
            return over(self.limits.decompressed_ratio, "decompressed_ratio");
        }
        // Nothing that can be a customer or a time takes less than a bit a row.
        let rows = u64::try_from(batch.length())
            .map_err(|_| self.wrong("a batch has a negative length"))?;
        if rows / 8 > unpacked {
            return Err(self.wrong("a batch claims more rows than it has bytes for"));
        }
        Ok(())
    }
}

use crate::limits::RATIO_GRACE;
