//! From the file to a log: what the file claims is held against its bytes before any of it is used.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use arrow::ipc::{Block as FileBlock, Footer, KeyValue, Schema, root_as_footer};
use bytes::Bytes;
use desireline_core::Error;
use desireline_core::log::{Block, Log, Vocabulary};
use flatbuffers::{ForwardsUOffset, Vector};
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use xxhash_rust::xxh3::xxh3_64;

use super::fields::{dictionary_ids, same_fields};
use super::layout::{Dictionary, Header, Layout};
use super::parts::{Buffers, Parsed, Texts, wrong};
use super::write::{CHECKSUMS, HEADER_CHECKSUM, MAGIC};
use super::{MARK, VERSION};
use crate::IoError;

/// Length of the footer, and the mark at the end.
const TAIL: usize = 10;

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
