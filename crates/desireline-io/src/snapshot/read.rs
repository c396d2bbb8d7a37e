//! From the file to a log: what the file claims is held against its bytes before any of it is used.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use arrow::datatypes::{DataType, Fields};
use arrow::ipc::{
    Block as FileBlock, Field, Footer, Int, KeyValue, MessageHeader, MetadataVersion, Precision,
    RecordBatch, Schema, TimeUnit, Type, root_as_footer, root_as_message,
};
use bytemuck::Pod;
use bytes::Bytes;
use desireline_core::Error;
use desireline_core::log::{
    Array, AttributeColumn, Block, Codes, ColumnData, CustomerIds, Level, Log, Packed, Presence,
    TimeRest, Times, Vocabulary, plain_integer,
};
use flatbuffers::{ForwardsUOffset, Vector};
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use xxhash_rust::xxh3::xxh3_64;

use super::layout::{Column, Dictionary, Header, Kind, Layout, Shape, Slot};
use super::write::{CHECKSUMS, HEADER_CHECKSUM, MAGIC};
use super::{MARK, VERSION};
use crate::IoError;

/// Length of the footer, and the mark at the end.
const TAIL: usize = 10;

/// A part of the file and what is wrong with it.
type Parsed<T> = Result<T, (String, String)>;

fn wrong<T>(part: &str, problem: impl Into<String>) -> Parsed<T> {
    Err((part.to_owned(), problem.into()))
}

/// Whether a file is an Arrow IPC file with the mark of a snapshot. Reads the footer only.
pub(super) fn has_mark(path: &Path) -> io::Result<bool> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let mut head = [0; 6];
    if length < 2 * TAIL as u64 || file.read_exact(&mut head).is_err() || head != *MAGIC {
        return Ok(false);
    }
    let mut tail = [0; TAIL];
    file.seek(SeekFrom::End(-(TAIL as i64)))?;
    file.read_exact(&mut tail)?;
    let footer_length = u64::from(u32::from_le_bytes([tail[0], tail[1], tail[2], tail[3]]));
    let Some(at) = (length - TAIL as u64).checked_sub(footer_length) else {
        return Ok(false);
    };
    file.seek(SeekFrom::Start(at))?;
    let mut footer = Vec::new();
    file.take(footer_length).read_to_end(&mut footer)?;
    Ok(root_as_footer(&footer).is_ok_and(|f| {
        f.schema()
            .is_some_and(|s| value(s.custom_metadata(), MARK).is_some())
    }))
}

/// Puts the log together.
pub(super) fn log(name: &str, file: &Bytes) -> Result<Log, IoError> {
    let not_snapshot = |found: &str| IoError::NotSnapshot {
        source_name: name.to_owned(),
        found: found.to_owned(),
    };
    if !file.starts_with(MAGIC) {
        return Err(not_snapshot(crate::format::Magic::of(file).words()));
    }
    let damaged = |(column, problem): (String, String)| IoError::SnapshotDamaged {
        source_name: name.to_owned(),
        column,
        problem,
    };
    if cfg!(target_endian = "big") {
        return Err(damaged((
            "schema".to_owned(),
            "its bytes are little-endian and this machine is not".to_owned(),
        )));
    }
    let footer = footer_bytes(file).map_err(damaged)?;
    let footer =
        root_as_footer(&footer).map_err(|e| damaged(("footer".to_owned(), e.to_string())))?;
    let schema = footer
        .schema()
        .ok_or_else(|| damaged(("footer".to_owned(), "it has no schema".to_owned())))?;
    let said = |key: &str| value(schema.custom_metadata(), key);
    let version =
        said(MARK).ok_or_else(|| not_snapshot("it is an Arrow IPC file of another kind"))?;
    if version.parse::<u32>().ok() != Some(VERSION) {
        return Err(IoError::SnapshotVersion {
            source_name: name.to_owned(),
            found: version.to_owned(),
            engine: said("desireline.engine").unwrap_or("unknown").to_owned(),
            supported: VERSION,
        });
    }
    let stored = Stored::parse(file, footer, schema).map_err(damaged)?;
    let Stored {
        header,
        events,
        dictionaries,
        blocks,
    } = stored;
    Log::restore(header.log, events, dictionaries, blocks).map_err(|e| match e {
        Error::Inconsistent {
            block,
            column,
            problem,
        } => damaged((
            column,
            block.map_or(problem.clone(), |b| format!("{problem} (block {b})")),
        )),
        other => other.into(),
    })
}

fn footer_bytes(file: &Bytes) -> Parsed<Vec<u8>> {
    let end = file.len().saturating_sub(TAIL);
    let tail = &file[end..];
    if file.len() < 2 * TAIL || !tail.ends_with(MAGIC) {
        return wrong("footer", "it is missing: the file is cut short");
    }
    let length = u32::from_le_bytes([tail[0], tail[1], tail[2], tail[3]]) as usize;
    match end.checked_sub(length) {
        // Copied, so that it is aligned wherever it began.
        Some(start) => Ok(file[start..end].to_vec()),
        None => wrong("footer", "it is longer than the file"),
    }
}

type KeyValues<'a> = Option<Vector<'a, ForwardsUOffset<KeyValue<'a>>>>;

fn value<'a>(all: KeyValues<'a>, key: &str) -> Option<&'a str> {
    all?.iter().find(|kv| kv.key() == Some(key))?.value()
}

/// The ids of the dictionaries in the order of their columns.
pub(super) fn dictionary_ids(schema: Schema<'_>) -> Vec<i64> {
    fn walk(field: Field<'_>, depth: usize, ids: &mut Vec<i64>) {
        ids.extend(field.dictionary().map(|d| d.id()));
        // Ours are three deep.
        if depth < 8 {
            for child in field.children().into_iter().flatten() {
                walk(child, depth + 1, ids);
            }
        }
    }
    let mut ids = Vec::new();
    for field in schema.fields().into_iter().flatten() {
        walk(field, 0, &mut ids);
    }
    ids
}

type FileFields<'a> = Option<Vector<'a, ForwardsUOffset<Field<'a>>>>;

/// Whether the file's columns are the expected ones. The decoder's own translation panics at odd types.
fn same_fields(found: FileFields<'_>, expected: &Fields) -> bool {
    found.map_or(0, |f| f.len()) == expected.len()
        && found
            .into_iter()
            .flatten()
            .zip(expected)
            .all(|(found, expected)| {
                found.name() == Some(expected.name())
                    && found.nullable() == expected.is_nullable()
                    && same_type(found, expected.data_type())
            })
}

fn same_type(found: Field<'_>, expected: &DataType) -> bool {
    let is = |int: Option<Int<'_>>, bits: i32, signed: bool| {
        int.is_some_and(|i| (i.bitWidth(), i.is_signed()) == (bits, signed))
    };
    let int = |bits, signed| is(found.type_as_int(), bits, signed);
    let codes = found.dictionary().map(|d| d.indexType());
    if codes.is_some() != matches!(expected, DataType::Dictionary(..)) {
        return false;
    }
    match expected {
        DataType::Dictionary(key, _) => {
            let bits = match **key {
                DataType::UInt8 => 8,
                DataType::UInt16 => 16,
                _ => 32,
            };
            found.type_type() == Type::LargeUtf8 && is(codes.flatten(), bits, false)
        }
        DataType::LargeUtf8 => found.type_type() == Type::LargeUtf8,
        DataType::Int64 => int(64, true),
        DataType::UInt32 => int(32, false),
        DataType::UInt16 => int(16, false),
        DataType::Float64 => found
            .type_as_floating_point()
            .is_some_and(|f| f.precision() == Precision::DOUBLE),
        DataType::Boolean => found.type_type() == Type::Bool,
        DataType::FixedSizeList(item, width) => {
            found
                .type_as_fixed_size_list()
                .is_some_and(|l| l.listSize() == *width)
                && same_fields(found.children(), &Fields::from(vec![item.as_ref().clone()]))
        }
        DataType::Timestamp(..) => found
            .type_as_timestamp()
            .is_some_and(|t| t.unit() == TimeUnit::MICROSECOND && t.timezone() == Some("UTC")),
        DataType::List(item) => {
            found.type_type() == Type::List
                && same_fields(found.children(), &Fields::from(vec![item.as_ref().clone()]))
        }
        DataType::Struct(fields) => {
            found.type_type() == Type::Struct_ && same_fields(found.children(), fields)
        }
        _ => false,
    }
}

/// What the file holds, checked against its length and its description, but not yet value by value.
struct Stored {
    header: Header,
    events: Vocabulary,
    dictionaries: Vec<Vocabulary>,
    blocks: Vec<Block>,
}

impl Stored {
    fn parse(file: &Bytes, footer: Footer<'_>, schema: Schema<'_>) -> Parsed<Stored> {
        let json = value(schema.custom_metadata(), "desireline.log").ok_or_else(|| {
            (
                "schema".to_owned(),
                "the log's description is missing".to_owned(),
            )
        })?;
        let sums = Checksums::of(footer, json)?;
        let header: Header = serde_json::from_str(json)
            .map_err(|e| ("schema".to_owned(), format!("the log's description: {e}")))?;
        let Some(layout) = Layout::of(&header) else {
            return wrong("schema", "the log's description belies itself");
        };
        if !same_fields(schema.fields(), &layout.fields()) {
            return wrong(
                "schema",
                "its columns are not those that the log's description names",
            );
        }

        let mut buffers = Buffers {
            file,
            taken: Vec::new(),
        };
        let ids = dictionary_ids(schema);
        let whose: Vec<Dictionary> = layout.dictionaries().collect();
        let stored: Vec<FileBlock> = footer
            .dictionaries()
            .into_iter()
            .flatten()
            .copied()
            .collect();
        if ids.len() != whose.len() || stored.len() != whose.len() {
            return wrong(
                "dictionaries",
                "there are not as many as columns that need one",
            );
        }
        let mut texts = Vec::new();
        for ((place, id), whose) in stored.iter().zip(&ids).zip(&whose) {
            texts.push(buffers.dictionary(place, *id, *whose)?);
        }
        let mut blocks = Vec::new();
        for (b, place) in footer.recordBatches().into_iter().flatten().enumerate() {
            blocks.push(buffers.block(b, place, &layout, &header.shape)?);
        }
        sums.check(&buffers.taken)?;

        let mut events = Vocabulary::new();
        let mut dictionaries = vec![Vocabulary::new(); header.log.options.attributes.len()];
        let read: Vec<Parsed<Vocabulary>> = texts.par_iter().map(Texts::vocabulary).collect();
        for (names, whose) in read.into_iter().zip(&whose) {
            match whose {
                Dictionary::Events => events = names?,
                Dictionary::Attribute(a) => {
                    if let Some(place) = dictionaries.get_mut(*a) {
                        *place = names?;
                    }
                }
            }
        }
        Ok(Stored {
            header,
            events,
            dictionaries,
            blocks,
        })
    }
}

/// What the buffers hashed to when they were written.
struct Checksums<'a>(&'a str);

impl<'a> Checksums<'a> {
    fn of(footer: Footer<'a>, json: &str) -> Parsed<Checksums<'a>> {
        let said = |key| value(footer.custom_metadata(), key);
        let (Some(all), Some(of_json)) = (said(CHECKSUMS), said(HEADER_CHECKSUM)) else {
            return wrong("footer", "the checksums are missing");
        };
        if *of_json != format!("{:016x}", xxh3_64(json.as_bytes())) {
            return wrong(
                "schema",
                "the log's description is not the one that was written",
            );
        }
        Ok(Checksums(all))
    }

    fn check(&self, taken: &[(String, Bytes)]) -> Parsed<()> {
        if self.0.len() != taken.len() * 16 {
            return wrong(
                "footer",
                "the checksums are not as many as the columns' parts",
            );
        }
        let places: Vec<usize> = (0..taken.len()).collect();
        let differs = |i: &&usize| {
            let said = self.0.get(**i * 16..**i * 16 + 16);
            said != Some(format!("{:016x}", xxh3_64(&taken[**i].1)).as_str())
        };
        match places.par_iter().filter(differs).min() {
            None => Ok(()),
            Some(first) => wrong(
                &taken[*first].0,
                "its bytes are not those that were written",
            ),
        }
    }
}

/// The file's buffers, each cut out of it once.
struct Buffers<'a> {
    file: &'a Bytes,
    /// In the order of the file, with whose they are.
    taken: Vec<(String, Bytes)>,
}

impl Buffers<'_> {
    /// The metadata and the body of the message at a place.
    fn message(&self, part: &str, place: &FileBlock) -> Parsed<(Vec<u8>, Bytes)> {
        let outside = || {
            (
                part.to_owned(),
                "its place is not within the file".to_owned(),
            )
        };
        let size = |n: i64| usize::try_from(n).map_err(|_| outside());
        let (start, meta, body) = (
            size(place.offset())?,
            size(place.metaDataLength().into())?,
            size(place.bodyLength())?,
        );
        let middle = start.checked_add(meta).ok_or_else(outside)?;
        let end = middle.checked_add(body).ok_or_else(outside)?;
        if end > self.file.len() || meta < 8 {
            return Err(outside());
        }
        let head = &self.file[start..middle];
        let length = u32::from_le_bytes([head[4], head[5], head[6], head[7]]) as usize;
        if !head.starts_with(&[0xff; 4]) || length > meta - 8 {
            return wrong(part, "its message does not begin as messages do");
        }
        Ok((head[8..8 + length].to_vec(), self.file.slice(middle..end)))
    }

    fn dictionary(&mut self, place: &FileBlock, id: i64, whose: Dictionary) -> Parsed<Texts> {
        let part = match whose {
            Dictionary::Events => "names of events".to_owned(),
            Dictionary::Attribute(a) => format!("names of attribute {a}"),
        };
        let (meta, body) = self.message(&part, place)?;
        let message = root_as_message(&meta).map_err(|e| (part.clone(), e.to_string()))?;
        let batch = match message.header_as_dictionary_batch() {
            Some(d) if d.id() == id && !d.isDelta() && message.version() == MetadataVersion::V5 => {
                d.data()
            }
            _ => None,
        };
        let Some(batch) = batch else {
            return wrong(&part, "there is another message in its place");
        };
        let mut parts = Parts::of(&part, batch, body, self)?;
        let n = parts.node(&part)?;
        parts.buffer(&part)?;
        let offsets = parts.buffer(&part)?;
        let bytes = parts.array(&part)?;
        parts.end(&part)?;
        let bounds = offsets.len() / size_of::<u64>();
        if n.checked_add(1) != Some(bounds) || offsets.len() % size_of::<u64>() != 0 {
            return wrong(&part, format!("{bounds} bounds for {n} names"));
        }
        Texts::of(part, whose, &offsets, bytes)
    }

    fn block(
        &mut self,
        b: usize,
        place: &FileBlock,
        layout: &Layout,
        shape: &Shape,
    ) -> Parsed<Block> {
        let part = format!("block {b}");
        let (meta, body) = self.message(&part, place)?;
        let message = root_as_message(&meta).map_err(|e| (part.clone(), e.to_string()))?;
        let batch = match message.header_as_record_batch() {
            Some(batch)
                if message.header_type() == MessageHeader::RecordBatch
                    && message.version() == MetadataVersion::V5 =>
            {
                batch
            }
            _ => return wrong(&part, "there is another message in its place"),
        };
        let rows = usize::try_from(batch.length()).unwrap_or(usize::MAX);
        let mut parts = Parts::of(&part, batch, body, self)?;
        let mut reading = Reading::default();
        for column in &layout.columns {
            reading
                .column(&mut parts, column, rows)
                .map_err(|(column, problem)| (column, format!("{problem} (block {b})")))?;
        }
        parts.end(&part)?;
        reading
            .block(shape, b)
            .map_err(|(column, problem)| (column, format!("{problem} (block {b})")))
    }
}

/// The nodes and buffers of one record batch, taken one after the other.
struct Parts<'p, 'f> {
    nodes: Vec<(i64, i64)>,
    places: Vec<(i64, i64)>,
    next_node: usize,
    next_place: usize,
    body: Bytes,
    all: &'p mut Buffers<'f>,
}

impl<'p, 'f> Parts<'p, 'f> {
    fn of(
        part: &str,
        batch: RecordBatch<'_>,
        body: Bytes,
        all: &'p mut Buffers<'f>,
    ) -> Parsed<Parts<'p, 'f>> {
        if batch.compression().is_some() {
            return wrong(part, "it is compressed; snapshots are not");
        }
        let nodes = batch.nodes().into_iter().flatten();
        let places = batch.buffers().into_iter().flatten();
        Ok(Parts {
            nodes: nodes.map(|n| (n.length(), n.null_count())).collect(),
            places: places.map(|b| (b.offset(), b.length())).collect(),
            next_node: 0,
            next_place: 0,
            body,
            all,
        })
    }

    /// The length of the next column.
    fn node(&mut self, column: &str) -> Parsed<usize> {
        let node = self.nodes.get(self.next_node).copied();
        self.next_node += 1;
        node.and_then(|(length, _)| usize::try_from(length).ok())
            .map_or_else(|| wrong(column, "its length is missing or negative"), Ok)
    }

    fn nulls(&self) -> i64 {
        self.nodes
            .get(self.next_node.wrapping_sub(1))
            .map_or(0, |(_, nulls)| *nulls)
    }

    fn buffer(&mut self, column: &str) -> Parsed<Bytes> {
        let place = self.places.get(self.next_place).copied();
        self.next_place += 1;
        let bytes = place.and_then(|(offset, length)| {
            let (offset, length) = (usize::try_from(offset).ok()?, usize::try_from(length).ok()?);
            let end = offset.checked_add(length)?;
            (end <= self.body.len()).then(|| self.body.slice(offset..end))
        });
        let Some(bytes) = bytes else {
            return wrong(
                column,
                "a part of it is missing or reaches out of its block",
            );
        };
        self.all.taken.push((column.to_owned(), bytes.clone()));
        Ok(bytes)
    }

    fn array<T: Pod>(&mut self, column: &str) -> Parsed<Array<T>> {
        let bytes = self.buffer(column)?;
        Array::from_bytes(bytes).map_or_else(
            || {
                wrong(
                    column,
                    "its bytes are not aligned, or no whole number of values",
                )
            },
            Ok,
        )
    }

    /// A column without missing values, and how many it has.
    fn complete(&mut self, column: &str) -> Parsed<usize> {
        let n = self.node(column)?;
        let validity = self.buffer(column)?;
        if self.nulls() != 0 || !validity.is_empty() {
            return wrong(column, "values are missing where none may be");
        }
        Ok(n)
    }

    /// A column whose values are all there.
    fn whole<T: Pod>(&mut self, column: &str) -> Parsed<Array<T>> {
        let n = self.complete(column)?;
        let values = self.array(column)?;
        length(column, values.len(), n)?;
        Ok(values)
    }

    /// A column of lists of `width` bits.
    fn packed(&mut self, column: &str, width: u8) -> Parsed<Packed> {
        let n = self.complete(column)?;
        let bits = self.complete(column)?;
        length(column, bits, n.saturating_mul(width.into()))?;
        Packed::from_words(width, n, self.array(column)?)
            .map_or_else(|| wrong(column, "its bits do not fit its length"), Ok)
    }

    fn presence(&mut self, column: &str, n: usize) -> Parsed<Presence> {
        let words = self.array::<u64>(column)?;
        let there = Presence::from_words(words, n);
        match there {
            Some(there) if i64::try_from(n - there.count()) == Ok(self.nulls()) => Ok(there),
            _ => wrong(
                column,
                "its bits for missing values do not fit its length or their count",
            ),
        }
    }

    fn codes(&mut self, column: &Column) -> Parsed<Codes> {
        let path = column.path();
        Ok(match column.kind {
            Kind::Codes(1) => Codes::U8(self.array(&path)?),
            Kind::Codes(2) => Codes::U16(self.array(&path)?),
            _ => Codes::U32(self.array(&path)?),
        })
    }

    fn end(&self, part: &str) -> Parsed<()> {
        if self.next_node == self.nodes.len() && self.next_place == self.places.len() {
            Ok(())
        } else {
            wrong(part, "it has more columns than its schema")
        }
    }
}

fn length(column: &str, found: usize, expected: usize) -> Parsed<()> {
    if found == expected {
        Ok(())
    } else {
        wrong(column, format!("{found} values where {expected} belong"))
    }
}

/// The columns of a block as they come.
#[derive(Default)]
struct Reading {
    customers: Option<CustomerIds>,
    offsets: Array<u32>,
    codes: Codes,
    ticks: Array<u32>,
    rest: TimeRest,
    attributes: Vec<(usize, AttributeColumn)>,
    value: Option<ColumnData>,
}

impl Reading {
    fn column(&mut self, parts: &mut Parts<'_, '_>, column: &Column, rows: usize) -> Parsed<()> {
        let path = column.path();
        match column.slot {
            Slot::Customer if column.kind == Kind::Int64 => {
                self.customers = Some(CustomerIds::Integers(parts.whole(&path)?));
            }
            Slot::Customer => {
                let n = parts.node(&path)?;
                parts.buffer(&path)?;
                let offsets = parts.array::<u64>(&path)?;
                length(&path, offsets.len().wrapping_sub(1), n)?;
                let bytes = parts.array::<u8>(&path)?;
                self.customers = Some(CustomerIds::Texts { bytes, offsets });
            }
            Slot::Events => {
                let n = parts.node(&path)?;
                parts.buffer(&path)?;
                self.offsets = parts.array(&path)?;
                length(&path, n, rows)?;
                length(&path, self.offsets.len().wrapping_sub(1), n)?;
                let events = parts.node(&path)?;
                parts.buffer(&path)?;
                length(
                    &path,
                    self.offsets.last().map_or(0, |o| *o as usize),
                    events,
                )?;
            }
            Slot::Event => {
                let n = parts.node(&path)?;
                parts.buffer(&path)?;
                self.codes = parts.codes(column)?;
                length(&path, self.codes.len(), n)?;
            }
            Slot::Tick => self.ticks = parts.whole(&path)?,
            Slot::Rest => {
                self.rest = match column.kind {
                    Kind::Bits(width) => TimeRest::Packed(parts.packed(&path, width)?),
                    Kind::UInt16 => TimeRest::Short(parts.whole(&path)?),
                    _ => TimeRest::Long(parts.whole(&path)?),
                }
            }
            Slot::CustomerAttribute(a) => {
                let data = data(parts, column)?;
                let level = Level::Customer;
                self.attributes.push((a, AttributeColumn { level, data }));
            }
            Slot::EventAttribute(a) => {
                let data = data(parts, column)?;
                let level = Level::Event;
                self.attributes.push((a, AttributeColumn { level, data }));
            }
            Slot::Value => self.value = Some(data(parts, column)?),
        }
        Ok(())
    }

    fn block(mut self, shape: &Shape, b: usize) -> Parsed<Block> {
        self.attributes.sort_by_key(|(a, _)| *a);
        let Some(times) = Times::from_parts(shape.time, self.ticks, self.rest) else {
            return wrong(
                "events.time_tick",
                "it is not as long as what belongs to it",
            );
        };
        let customers = match (self.customers, shape.integer_ids.get(b)) {
            (Some(ids @ CustomerIds::Texts { .. }), Some(true)) => {
                // Stored as texts for the sake of other blocks.
                let number = |c| plain_integer(&ids.get(c));
                match (0..ids.len()).map(number).collect() {
                    Some(numbers) => CustomerIds::Integers(numbers),
                    None => return wrong("customer", "an id is not the integer it should be"),
                }
            }
            (Some(ids), Some(_)) => ids,
            _ => return wrong("customer", "the log's description has no such block"),
        };
        Ok(Block {
            codes: self.codes,
            times,
            offsets: self.offsets,
            customers,
            attributes: self.attributes.into_iter().map(|(_, c)| c).collect(),
            value: self.value,
            fingerprint: 0,
        })
    }
}

fn data(parts: &mut Parts<'_, '_>, column: &Column) -> Parsed<ColumnData> {
    let path = column.path();
    let n = parts.node(&path)?;
    let data = match column.kind {
        Kind::Codes(_) => {
            // For other readers: to us code 0 says it.
            parts.buffer(&path)?;
            ColumnData::Coded(parts.codes(column)?)
        }
        Kind::Float64 => {
            let there = parts.presence(&path, n)?;
            ColumnData::Decimal(parts.array(&path)?, there)
        }
        _ => {
            let there = parts.presence(&path, n)?;
            ColumnData::Integer(parts.array(&path)?, there)
        }
    };
    length(&path, data.len(), n)?;
    Ok(data)
}

/// The names of a dictionary, still in the file.
struct Texts {
    part: String,
    /// Where each ends.
    ends: Array<u64>,
    bytes: Array<u8>,
}

impl Texts {
    /// An attribute's first name is no name: it stands for missing values, and takes no letter.
    fn of(part: String, whose: Dictionary, offsets: &Bytes, bytes: Array<u8>) -> Parsed<Texts> {
        let skip = size_of::<u64>() * (1 + usize::from(whose != Dictionary::Events));
        let Some(before) = offsets.get(..skip) else {
            return wrong(&part, "there is no place for missing values");
        };
        if before.iter().any(|b| *b != 0) {
            return wrong(&part, "the first name does not begin at the first byte");
        }
        match Array::from_bytes(offsets.slice(skip..)) {
            Some(ends) => Ok(Texts { part, ends, bytes }),
            None => wrong(&part, "its bytes are not aligned"),
        }
    }

    fn vocabulary(&self) -> Parsed<Vocabulary> {
        Vocabulary::from_parts(self.bytes.clone(), self.ends.clone())
            .or_else(|problem| wrong(&self.part, problem))
    }
}
