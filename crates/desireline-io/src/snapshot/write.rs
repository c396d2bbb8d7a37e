//! From a log to the file: every column as it lies in memory, hashed and written as it goes.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufWriter, Write};

use arrow::datatypes::Schema;
use arrow::ipc::convert::{IpcSchemaEncoder, metadata_to_fb};
use arrow::ipc::writer::DictionaryTracker;
use arrow::ipc::{
    Block as FileBlock, Buffer, DictionaryBatchBuilder, FieldNode, FooterBuilder, MessageBuilder,
    MessageHeader, MetadataVersion, RecordBatch, RecordBatchBuilder, root_as_message,
};
use desireline_core::log::{
    Array, Block, Codes, ColumnData, CustomerIds, Log, TimeRest, TimeScale, Times, Vocabulary,
};
use flatbuffers::{FlatBufferBuilder, UnionWIPOffset, WIPOffset};
use xxhash_rust::xxh3::xxh3_64;

use super::Saving;
use super::layout::{Column, Dictionary, Header, Kind, Layout, Slot};

/// Every buffer begins at a multiple of this.
const ALIGNMENT: usize = 64;
/// Bytes written between two looks at the caller's wishes.
const STRIDE: usize = 1 << 22;

pub(super) const MAGIC: &[u8] = b"ARROW1";
pub(super) const CHECKSUMS: &str = "desireline.checksums";
pub(super) const HEADER_CHECKSUM: &str = "desireline.checksum_log";

/// Why writing ended early.
#[derive(Debug)]
pub(super) enum Stopped {
    Io(io::Error),
    Cancelled { rows: u64 },
    TooLarge(String),
}

impl From<io::Error> for Stopped {
    fn from(error: io::Error) -> Stopped {
        Stopped::Io(error)
    }
}

/// Writes the log and gives the file back for bringing it to the disk.
pub(super) fn log(log: &Log, file: File, saving: &Saving) -> Result<File, Stopped> {
    let out = to(log, BufWriter::with_capacity(1 << 16, file), saving)?;
    Ok(out.into_inner().map_err(io::IntoInnerError::into_error)?)
}

fn to<W: Write>(log: &Log, sink: W, saving: &Saving) -> Result<W, Stopped> {
    if let Some(block) = log
        .blocks()
        .iter()
        .find(|b| i32::try_from(b.n_events()).is_err())
    {
        return Err(Stopped::TooLarge(format!(
            "one block has {} events where an Arrow list holds at most {}; build the log in smaller blocks, or leave out the customer who fills it",
            block.n_events(),
            i32::MAX
        )));
    }
    let header = Header::of(log);
    let broken = || io::Error::other("the log's description belies itself");
    let layout = Layout::of(&header).ok_or_else(broken)?;
    let json = serde_json::to_string(&header).map_err(io::Error::from)?;
    let header_checksum = xxh3_64(json.as_bytes());
    let schema = layout.schema(&header, json);

    let total = log.blocks().iter().map(|b| b.held_bytes() as u64).sum();
    let mut out = Out {
        sink,
        position: 0,
        checksums: String::new(),
        saving,
        rows: 0,
        total,
    };
    out.put(MAGIC)?;
    out.put(&[0; 2])?;
    let (message, ids) = schema_message(&schema).ok_or_else(broken)?;
    out.message(&message, &[])?;

    let mut dictionaries = Vec::new();
    for (whose, id) in layout.dictionaries().zip(ids) {
        let catalog = log.catalog();
        dictionaries.push(match whose {
            Dictionary::Events => out.dictionary(id, &catalog.events, false)?,
            Dictionary::Attribute(a) => {
                let names = catalog.attributes.get(a).map(|i| &i.dictionary);
                out.dictionary(id, names.ok_or_else(broken)?, true)?
            }
        });
    }
    let mut batches = Vec::new();
    for block in log.blocks() {
        let parts = Parts::of(block, &layout, header.shape.time);
        batches.push(out.batch(block.n_customers(), &parts, None)?);
        out.rows += block.n_events() as u64;
    }
    out.finish(&schema, header_checksum, &dictionaries, &batches)
}

struct Out<'a, W> {
    sink: W,
    position: usize,
    /// Of all buffers in the order written, 16 hexadecimal digits each.
    checksums: String,
    saving: &'a Saving,
    rows: u64,
    total: u64,
}

impl<W: Write> Out<'_, W> {
    fn put(&mut self, bytes: &[u8]) -> Result<(), Stopped> {
        for stride in bytes.chunks(STRIDE) {
            if self.saving.is_cancelled() {
                return Err(Stopped::Cancelled { rows: self.rows });
            }
            self.sink.write_all(stride)?;
            self.position += stride.len();
            if let Some(hook) = &self.saving.progress
                && stride.len() == STRIDE
            {
                let done = self.position as u64;
                hook(done, self.total.max(done));
            }
        }
        Ok(())
    }

    fn pad(&mut self) -> Result<(), Stopped> {
        let over = self.position % ALIGNMENT;
        if over > 0 {
            self.put(&[0; ALIGNMENT][over..])?;
        }
        Ok(())
    }

    /// An encapsulated message; its body begins at a multiple of the alignment.
    fn message(&mut self, header: &[u8], body: &[Cow<'_, [u8]>]) -> Result<FileBlock, Stopped> {
        let start = self.position;
        let end = (start + 8 + header.len()).next_multiple_of(ALIGNMENT);
        let length = i32::try_from(end - start - 8).map_err(|_| {
            Stopped::TooLarge("the names of columns fill more than 2 GiB".to_owned())
        })?;
        self.put(&[0xff; 4])?;
        self.put(&length.to_le_bytes())?;
        self.put(header)?;
        self.pad()?;
        let body_start = self.position;
        for buffer in body {
            self.checksums
                .push_str(&format!("{:016x}", xxh3_64(buffer)));
            self.put(buffer)?;
            self.pad()?;
        }
        let signed = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        Ok(FileBlock::new(
            signed(start),
            length + 8,
            signed(self.position - body_start),
        ))
    }

    /// One record batch, or the names of the dictionary `id` in the form of one.
    fn batch(
        &mut self,
        rows: usize,
        parts: &Parts<'_>,
        id: Option<i64>,
    ) -> Result<FileBlock, Stopped> {
        let mut fbb = FlatBufferBuilder::new();
        let mut length = 0;
        let mut places = Vec::with_capacity(parts.buffers.len());
        for buffer in &parts.buffers {
            places.push(Buffer::new(length, signed(buffer.len())));
            length += signed(buffer.len().next_multiple_of(ALIGNMENT));
        }
        let nodes = fbb.create_vector(&parts.nodes);
        let buffers = fbb.create_vector(&places);
        let mut batch = RecordBatchBuilder::new(&mut fbb);
        batch.add_length(signed(rows));
        batch.add_nodes(nodes);
        batch.add_buffers(buffers);
        let batch: WIPOffset<RecordBatch<'_>> = batch.finish();
        let message = match id {
            None => finished(
                fbb,
                MessageHeader::RecordBatch,
                batch.as_union_value(),
                length,
            ),
            Some(id) => {
                let mut dictionary = DictionaryBatchBuilder::new(&mut fbb);
                dictionary.add_id(id);
                dictionary.add_data(batch);
                let dictionary = dictionary.finish().as_union_value();
                finished(fbb, MessageHeader::DictionaryBatch, dictionary, length)
            }
        };
        self.message(&message, &parts.buffers)
    }

    fn dictionary(
        &mut self,
        id: i64,
        names: &Vocabulary,
        with_missing: bool,
    ) -> Result<FileBlock, Stopped> {
        let (text, ends) = names.parts();
        let mut offsets = vec![0u64; 1 + usize::from(with_missing)];
        offsets.extend_from_slice(ends);
        let n = offsets.len() - 1;
        let mut there = Vec::new();
        if with_missing {
            there = vec![u8::MAX; n.div_ceil(8)];
            there[0] &= !1;
            if !n.is_multiple_of(8)
                && let Some(last) = there.last_mut()
            {
                *last &= (1 << (n % 8)) - 1;
            }
        }
        let mut parts = Parts::default();
        parts.node(n, usize::from(with_missing));
        parts.buffers.push(there.into());
        parts
            .buffers
            .push(bytemuck::cast_slice(&offsets).to_vec().into());
        parts.buffers.push(text.as_bytes().into());
        self.batch(n, &parts, Some(id))
    }

    fn finish(
        mut self,
        schema: &Schema,
        header_checksum: u64,
        dictionaries: &[FileBlock],
        batches: &[FileBlock],
    ) -> Result<W, Stopped> {
        self.put(&[0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0])?;
        let mut fbb = FlatBufferBuilder::new();
        let dictionaries = fbb.create_vector(dictionaries);
        let batches = fbb.create_vector(batches);
        let checksums = [
            (CHECKSUMS.to_owned(), std::mem::take(&mut self.checksums)),
            (
                HEADER_CHECKSUM.to_owned(),
                format!("{header_checksum:016x}"),
            ),
        ];
        let metadata = metadata_to_fb(&mut fbb, &checksums.into_iter().collect());
        let mut tracker = DictionaryTracker::new(true);
        let schema = IpcSchemaEncoder::new()
            .with_dictionary_tracker(&mut tracker)
            .schema_to_fb_offset(&mut fbb, schema);
        let mut footer = FooterBuilder::new(&mut fbb);
        footer.add_version(MetadataVersion::V5);
        footer.add_schema(schema);
        footer.add_dictionaries(dictionaries);
        footer.add_recordBatches(batches);
        footer.add_custom_metadata(metadata);
        let root = footer.finish();
        fbb.finish(root, None);
        let footer = fbb.finished_data();
        let length = i32::try_from(footer.len()).map_err(|_| {
            Stopped::TooLarge("the log's description fills more than 2 GiB".to_owned())
        })?;
        self.put(footer)?;
        self.put(&length.to_le_bytes())?;
        self.put(MAGIC)?;
        self.sink.flush()?;
        Ok(self.sink)
    }
}

fn signed(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn finished(
    mut fbb: FlatBufferBuilder<'_>,
    kind: MessageHeader,
    header: WIPOffset<UnionWIPOffset>,
    body_length: i64,
) -> Vec<u8> {
    let mut message = MessageBuilder::new(&mut fbb);
    message.add_version(MetadataVersion::V5);
    message.add_header_type(kind);
    message.add_header(header);
    message.add_bodyLength(body_length);
    let root = message.finish();
    fbb.finish(root, None);
    fbb.finished_data().to_vec()
}

/// The schema's message, and the ids that the dictionaries got in it, in the order of their columns.
fn schema_message(schema: &Schema) -> Option<(Vec<u8>, Vec<i64>)> {
    let mut fbb = FlatBufferBuilder::new();
    let mut tracker = DictionaryTracker::new(true);
    let schema = IpcSchemaEncoder::new()
        .with_dictionary_tracker(&mut tracker)
        .schema_to_fb_offset(&mut fbb, schema);
    let message = finished(fbb, MessageHeader::Schema, schema.as_union_value(), 0);
    let ids = super::fields::dictionary_ids(root_as_message(&message).ok()?.header_as_schema()?);
    Some((message, ids))
}

/// A record batch: lengths and buffers in Arrow's order.
#[derive(Default)]
struct Parts<'a> {
    nodes: Vec<FieldNode>,
    buffers: Vec<Cow<'a, [u8]>>,
}

impl<'a> Parts<'a> {
    fn of(block: &'a Block, layout: &Layout, time: TimeScale) -> Parts<'a> {
        let mut parts = Parts::default();
        let (n, customers) = (block.n_events(), block.n_customers());
        let times = block.times.rescaled(time);
        for column in &layout.columns {
            match column.slot {
                Slot::Customer => parts.customers(&block.customers, column),
                Slot::CustomerAttribute(a) => {
                    parts.data(block.attributes.get(a).map(|c| &c.data), customers, column)
                }
                Slot::EventAttribute(a) => {
                    parts.data(block.attributes.get(a).map(|c| &c.data), n, column)
                }
                Slot::Value => parts.data(block.value.as_ref(), n, column),
                Slot::Events => {
                    parts.whole(customers, block.offsets.as_bytes().into());
                    // The struct in the list has but its absent validity.
                    parts.node(n, 0);
                    parts.buffers.push(Cow::default());
                }
                Slot::Event => parts.whole(n, codes(&block.codes, column.kind)),
                Slot::Tick => parts.whole(n, ticks(&times)),
                Slot::Rest => {
                    if let Kind::Bits(width) = column.kind {
                        // The list; what follows is what it lists.
                        parts.node(n, 0);
                        parts.buffers.push(Cow::default());
                        parts.whole(n * usize::from(width), rest(&times));
                    } else {
                        parts.whole(n, rest(&times));
                    }
                }
            }
        }
        parts
    }

    fn node(&mut self, length: usize, nulls: usize) {
        self.nodes
            .push(FieldNode::new(signed(length), signed(nulls)));
    }

    /// A column without missing values.
    fn whole(&mut self, length: usize, data: Cow<'a, [u8]>) {
        self.node(length, 0);
        self.buffers.extend([Cow::default(), data]);
    }

    fn customers(&mut self, ids: &'a CustomerIds, column: &Column) {
        match ids {
            CustomerIds::Integers(ids) if column.kind == Kind::Int64 => {
                self.whole(ids.len(), ids.as_bytes().into());
            }
            CustomerIds::Texts { bytes, offsets } => {
                self.whole(ids.len(), offsets.as_bytes().into());
                self.buffers.push(bytes.as_bytes().into());
            }
            // Other blocks have texts.
            CustomerIds::Integers(_) => {
                let (mut text, mut offsets) = (Vec::new(), vec![0u64]);
                for c in 0..ids.len() {
                    text.extend_from_slice(ids.get(c).as_bytes());
                    offsets.push(text.len() as u64);
                }
                self.whole(ids.len(), bytemuck::cast_slice(&offsets).to_vec().into());
                self.buffers.push(text.into());
            }
        }
    }

    fn data(&mut self, data: Option<&'a ColumnData>, length: usize, column: &Column) {
        let (there, values) = match data {
            Some(ColumnData::Coded(all)) => {
                let (there, nulls) = validity(all);
                self.node(length, nulls);
                self.buffers.extend([there.into(), codes(all, column.kind)]);
                return;
            }
            Some(ColumnData::Integer(values, there)) => (there, values.as_bytes()),
            Some(ColumnData::Decimal(values, there)) => (there, values.as_bytes()),
            // Money that came with a later block.
            None => {
                self.node(length, length);
                let words = vec![0; length.div_ceil(64) * 8];
                self.buffers
                    .extend([words.into(), vec![0; length * 8].into()]);
                return;
            }
        };
        self.node(length, length - there.count());
        self.buffers
            .extend([there.words().as_bytes().into(), values.into()]);
    }
}

/// A bit for each code that is not 0, and how many are 0; no bits where none is.
fn validity(codes: &Codes) -> (Vec<u8>, usize) {
    desireline_core::with_codes!(codes.as_slice(), given => {
        let nulls = given.iter().filter(|c| **c == 0).count();
        if nulls == 0 {
            (Vec::new(), 0)
        } else {
            let byte = |eight: &[_]| {
                eight.iter().enumerate().fold(0u8, |bits, (i, c)| bits | u8::from(*c != 0) << i)
            };
            (given.chunks(8).map(byte).collect(), nulls)
        }
    })
}

fn codes(codes: &Codes, kind: Kind) -> Cow<'_, [u8]> {
    match (codes, kind) {
        (Codes::U8(all), Kind::Codes(1)) => all.as_bytes().into(),
        (Codes::U16(all), Kind::Codes(2)) => all.as_bytes().into(),
        (Codes::U32(all), Kind::Codes(4)) => all.as_bytes().into(),
        // Another block needs more room.
        (_, Kind::Codes(2)) => {
            bytes_of((0..codes.len()).map(|i| u16::try_from(codes.get(i)).unwrap_or(u16::MAX)))
        }
        _ => bytes_of((0..codes.len()).map(|i| codes.get(i))),
    }
}

fn ticks<'a>(times: &Cow<'a, Times>) -> Cow<'a, [u8]> {
    match times {
        Cow::Borrowed(times) => times.ticks().as_bytes().into(),
        Cow::Owned(times) => times.ticks().as_bytes().to_vec().into(),
    }
}

fn rest<'a>(times: &Cow<'a, Times>) -> Cow<'a, [u8]> {
    fn bytes(rest: &TimeRest) -> &[u8] {
        match rest {
            TimeRest::None => &[],
            TimeRest::Packed(all) => all.words().as_bytes(),
            TimeRest::Short(all) => all.as_bytes(),
            TimeRest::Long(all) => all.as_bytes(),
        }
    }
    match times {
        Cow::Borrowed(times) => bytes(times.rest()).into(),
        Cow::Owned(times) => bytes(times.rest()).to_vec().into(),
    }
}

fn bytes_of<T: bytemuck::Pod>(values: impl Iterator<Item = T>) -> Cow<'static, [u8]> {
    let values: Array<T> = values.collect();
    values.as_bytes().to_vec().into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    struct Full(usize);

    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 = self
                .0
                .checked_sub(bytes.len())
                .ok_or_else(|| io::Error::from(io::ErrorKind::StorageFull))?;
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn log_of(n: i64) -> Log {
        Log::from_rows((0..n).map(|i| (i % 1_000, i * 1_000_000, ["a", "b"][(i % 2) as usize])))
            .unwrap()
    }

    #[test]
    fn a_full_disk_is_an_error_wherever_it_happens() {
        let log = log_of(50);
        let mut whole = Vec::new();
        to(&log, &mut whole, &Saving::new()).unwrap();
        for room in 0..whole.len() {
            let stopped = to(&log, Full(room), &Saving::new()).err();
            assert!(
                matches!(stopped, Some(Stopped::Io(e)) if e.kind() == io::ErrorKind::StorageFull)
            );
        }
        assert!(to(&log, Full(whole.len()), &Saving::new()).is_ok());
    }

    #[test]
    fn stopping_half_way_leaves_the_old_file_and_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.arrow");
        let old = log_of(10);
        super::super::save(&old, &path).unwrap();

        let new = log_of(3_000_000);
        let stop = Arc::new(AtomicBool::new(false));
        let (seen, hook_stop) = (Arc::new(AtomicBool::new(false)), Arc::clone(&stop));
        let hook_seen = Arc::clone(&seen);
        let saving = Saving::new()
            .cancel(Arc::clone(&stop))
            .on_progress(Arc::new(move |done, total| {
                assert!(done <= total);
                hook_seen.store(true, Ordering::Relaxed);
                hook_stop.store(true, Ordering::Relaxed);
            }));
        let stopped = super::super::save_with(&new, &path, &saving);
        assert!(matches!(stopped, Err(crate::IoError::Cancelled { .. })));
        assert!(seen.load(Ordering::Relaxed));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        let there = super::super::open(&path).unwrap();
        assert_eq!(there.fingerprint(), old.fingerprint());

        // And the file may be replaced while it is open.
        super::super::save(&new, &path).unwrap();
        assert_eq!(there.compute_fingerprint(), old.fingerprint());
        assert_eq!(
            super::super::open(&path).unwrap().fingerprint(),
            new.fingerprint()
        );
    }

    #[test]
    fn folders_that_are_not_there_and_other_endings_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let log = log_of(5);
        for name in ["no/such/folder/log.arrow", "log.parquet", "log.csv.gz"] {
            let error = super::super::save(&log, folder.path().join(name)).unwrap_err();
            assert_eq!(error.code(), "write", "{error}");
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        super::super::save(&log, folder.path().join("log")).unwrap();
    }

    #[test]
    fn every_buffer_is_aligned_in_the_file() {
        let mut whole = Vec::new();
        to(&log_of(100), &mut whole, &Saving::new()).unwrap();
        let end = whole.len() - 10;
        let length = u32::from_le_bytes(whole[end..end + 4].try_into().unwrap()) as usize;
        let footer = whole[end - length..end].to_vec();
        let footer = arrow::ipc::root_as_footer(&footer).unwrap();
        let blocks = [footer.dictionaries(), footer.recordBatches()];
        for block in blocks.into_iter().flatten().flatten() {
            let body = block.offset() + i64::from(block.metaDataLength());
            assert_eq!(body % 64, 0);
        }
    }

    #[test]
    fn other_readers_find_a_valid_table() {
        let mut whole = Vec::new();
        to(&log_of(100), &mut whole, &Saving::new()).unwrap();
        let reader = arrow::ipc::reader::FileReader::try_new(io::Cursor::new(whole), None).unwrap();
        for batch in reader {
            for column in batch.unwrap().columns() {
                column.to_data().validate_full().unwrap();
            }
        }
    }
}
