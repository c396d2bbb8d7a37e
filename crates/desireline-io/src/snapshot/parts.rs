//! The buffers of a file, cut out of it once and in order, and held against the lengths that are claimed.

use arrow::ipc::{
    Block as FileBlock, MessageHeader, MetadataVersion, RecordBatch, root_as_message,
};
use bytemuck::Pod;
use bytes::Bytes;
use desireline_core::log::{Array, Block, Codes, Packed, Presence, Vocabulary};

use super::columns::Reading;
use super::layout::{Column, Dictionary, Kind, Layout, Shape};

/// A part of the file and what is wrong with it.
pub(super) type Parsed<T> = Result<T, (String, String)>;

pub(super) fn wrong<T>(part: &str, problem: impl Into<String>) -> Parsed<T> {
    Err((part.to_owned(), problem.into()))
}

/// The file's buffers, each cut out of it once.
pub(super) struct Buffers<'a> {
    pub(super) file: &'a Bytes,
    /// In the order of the file, with whose they are.
    pub(super) taken: Vec<(String, Bytes)>,
}

impl Buffers<'_> {
    /// The metadata and the body of the message at a place.
    pub(super) fn message(&self, part: &str, place: &FileBlock) -> Parsed<(Vec<u8>, Bytes)> {
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

    pub(super) fn dictionary(
        &mut self,
        place: &FileBlock,
        id: i64,
        whose: Dictionary,
    ) -> Parsed<Texts> {
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

    pub(super) fn block(
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
pub(super) struct Parts<'p, 'f> {
    nodes: Vec<(i64, i64)>,
    places: Vec<(i64, i64)>,
    next_node: usize,
    next_place: usize,
    body: Bytes,
    all: &'p mut Buffers<'f>,
}

impl<'p, 'f> Parts<'p, 'f> {
    pub(super) fn of(
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
    pub(super) fn node(&mut self, column: &str) -> Parsed<usize> {
        let node = self.nodes.get(self.next_node).copied();
        self.next_node += 1;
        node.and_then(|(length, _)| usize::try_from(length).ok())
            .map_or_else(|| wrong(column, "its length is missing or negative"), Ok)
    }

    pub(super) fn nulls(&self) -> i64 {
        self.nodes
            .get(self.next_node.wrapping_sub(1))
            .map_or(0, |(_, nulls)| *nulls)
    }

    pub(super) fn buffer(&mut self, column: &str) -> Parsed<Bytes> {
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

    pub(super) fn array<T: Pod>(&mut self, column: &str) -> Parsed<Array<T>> {
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
    pub(super) fn complete(&mut self, column: &str) -> Parsed<usize> {
        let n = self.node(column)?;
        let validity = self.buffer(column)?;
        if self.nulls() != 0 || !validity.is_empty() {
            return wrong(column, "values are missing where none may be");
        }
        Ok(n)
    }

    /// A column whose values are all there.
    pub(super) fn whole<T: Pod>(&mut self, column: &str) -> Parsed<Array<T>> {
        let n = self.complete(column)?;
        let values = self.array(column)?;
        length(column, values.len(), n)?;
        Ok(values)
    }

    /// A column of lists of `width` bits.
    pub(super) fn packed(&mut self, column: &str, width: u8) -> Parsed<Packed> {
        let n = self.complete(column)?;
        let bits = self.complete(column)?;
        length(column, bits, n.saturating_mul(width.into()))?;
        Packed::from_words(width, n, self.array(column)?)
            .map_or_else(|| wrong(column, "its bits do not fit its length"), Ok)
    }

    pub(super) fn presence(&mut self, column: &str, n: usize) -> Parsed<Presence> {
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

    pub(super) fn codes(&mut self, column: &Column) -> Parsed<Codes> {
        let path = column.path();
        Ok(match column.kind {
            Kind::Codes(1) => Codes::U8(self.array(&path)?),
            Kind::Codes(2) => Codes::U16(self.array(&path)?),
            _ => Codes::U32(self.array(&path)?),
        })
    }

    pub(super) fn end(&self, part: &str) -> Parsed<()> {
        if self.next_node == self.nodes.len() && self.next_place == self.places.len() {
            Ok(())
        } else {
            wrong(part, "it has more columns than its schema")
        }
    }
}

pub(super) fn length(column: &str, found: usize, expected: usize) -> Parsed<()> {
    if found == expected {
        Ok(())
    } else {
        wrong(column, format!("{found} values where {expected} belong"))
    }
}

/// The names of a dictionary, still in the file.
pub(super) struct Texts {
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

    pub(super) fn vocabulary(&self) -> Parsed<Vocabulary> {
        Vocabulary::from_parts(self.bytes.clone(), self.ends.clone())
            .or_else(|problem| wrong(&self.part, problem))
    }
}
