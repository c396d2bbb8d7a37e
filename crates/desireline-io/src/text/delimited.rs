//! CSV, TSV and text with blanks between fields.

use desireline_core::log::Reason;

use super::blocks::{BlockRecord, BlockRecords, Blocks, Next};
use super::records::{Record, Records};
use super::rows::{Cell, Rows};
use crate::format::Packing;
use crate::pieces;
use crate::plan::{Survey, check_names};
use crate::sink::Sink;
use crate::source::Input;
use crate::stream::Stream;
use crate::{Columns, Delimiter, Format, IoError};

/// What the first record tells.
#[derive(Clone, Debug)]
pub(crate) struct Outline {
    delimiter: Delimiter,
    names: Vec<String>,
}

/// Reads the header and, where the kinds of attributes are to be found out, as many rows as that takes.
pub(crate) fn survey(
    input: &Input,
    format: Format,
    packing: Packing,
    survey: &mut Survey<'_>,
) -> Result<Outline, IoError> {
    let columns = survey.columns;
    let mut stream = Stream::open(input, packing, &columns.limits, columns.cancel.as_ref())?;
    let delimiter = match (columns.delimiter, format) {
        (Some(delimiter), _) => delimiter,
        (None, Format::Tsv) => Delimiter::Byte(b'\t'),
        (None, _) => sniff(stream.peek_line()?, columns),
    };
    let mut records = Records::new(stream, delimiter, &columns.limits);
    let names = header(&mut records, input, columns)?;
    survey.offer(&input.name, &names)?;
    let outline = Outline { delimiter, names };

    // Without a header the first record holds values, so it is read once more.
    if !columns.header {
        let stream = Stream::open(input, packing, &columns.limits, columns.cancel.as_ref())?;
        records = Records::new(stream, delimiter, &columns.limits);
    }
    let mut open = survey.undecided(&outline.names);
    while !open.is_empty() {
        let Some(record) = records.next()? else {
            break;
        };
        if let Record::Fields { bytes, ends } = record
            && ends.len() == outline.names.len()
            && let Ok(text) = std::str::from_utf8(bytes)
        {
            open.retain(|&(place, attribute)| match field(text, ends, place) {
                None | Some("") => true,
                Some(value) => !survey.observe(attribute, value),
            });
        }
    }
    Ok(outline)
}

/// Reads all rows.
pub(crate) fn read(
    input: &Input,
    outline: &Outline,
    packing: Packing,
    sink: &mut Sink<'_>,
) -> Result<(), IoError> {
    let columns = sink.columns;
    let source = input.name.as_str();
    let places = sink.plan.places(source, &outline.names)?;
    let table = Table {
        source,
        width: outline.names.len(),
        places: &places,
    };
    let stream = Stream::open(input, packing, &columns.limits, columns.cancel.as_ref())?;
    let mut rows = Rows::new(&sink.plan, columns);
    let Delimiter::Byte(delimiter) = outline.delimiter else {
        let mut records = Records::new(stream, outline.delimiter, &columns.limits);
        if columns.header {
            records.next()?;
        }
        return table.records(records, sink, &mut rows).map(drop);
    };
    let mut blocks = Some(Blocks::new(stream, delimiter, &columns.limits));
    sink.records = 0;
    let mut header = columns.header;
    let mut stored = 0;
    let mut left = None;
    let next = |sink: &mut Sink<'_>| {
        while let Some(now) = blocks.take() {
            let (next, rest) = now.next()?;
            blocks = rest;
            let block = match next {
                Next::End => return Ok(None),
                Next::Rest(stream) => {
                    // Not now: blocks before it are still on their way.
                    left = Some(stream);
                    return Ok(None);
                }
                Next::Block(block) => block,
            };
            // Numbers as times are a mistake in the call before a time was read, and bad rows after; so the first blocks
            // are read alone.
            if header || !rows.time_read() {
                let stream = Stream::of(block, source, columns);
                let mut records = Records::new(stream, outline.delimiter, &columns.limits);
                records.count_from(sink.records);
                if std::mem::take(&mut header) {
                    records.next()?;
                }
                sink.records = table.records(records, sink, &mut rows)?;
                continue;
            }
            let bytes = blocks.as_ref().map_or(0, Blocks::stored_bytes);
            let more = bytes.saturating_sub(std::mem::replace(&mut stored, bytes));
            return Ok(Some((block, more)));
        }
        Ok(None)
    };
    pieces::in_order(sink, source, next, |sink, block: Vec<u8>| {
        sink.check_cancel()?;
        let mut rows = Rows::new(&sink.plan, columns);
        rows.assume_time_read();
        let mut records = BlockRecords::new(&block, source, delimiter, &columns.limits);
        loop {
            let number = records.row() + 1;
            match records.next()? {
                None => break,
                Some(BlockRecord::Careful(record)) => {
                    table.record(record, number, sink, &mut rows)?;
                }
                Some(BlockRecord::Plain { text, fields }) if fields.len() == table.width => {
                    rows.push(sink, source, number, |slot| {
                        let place = places.get(slot).copied().flatten();
                        let range = place.and_then(|p| fields.get(p));
                        match range.and_then(|(from, to)| text.get(*from..*to)) {
                            None | Some("") => Cell::Missing,
                            Some(field) => Cell::Text(field),
                        }
                    })?;
                }
                Some(BlockRecord::Plain { .. }) => {
                    sink.put(source, number, None, Reason::WrongFieldCount);
                }
            }
        }
        sink.records = records.row();
        rows.flush(sink, source)
    })?;
    if let Some(stream) = left {
        let mut records = Records::new(stream, outline.delimiter, &columns.limits);
        records.count_from(sink.records);
        if header {
            records.next()?;
        }
        table.records(records, sink, &mut rows)?;
    }
    Ok(())
}

/// What rows must look like.
struct Table<'a> {
    source: &'a str,
    /// Fields of a row.
    width: usize,
    /// Where each wanted column is.
    places: &'a [Option<usize>],
}

impl Table<'_> {
    /// Reads records one by one; gives the number of the last one.
    fn records(
        &self,
        mut records: Records,
        sink: &mut Sink<'_>,
        rows: &mut Rows,
    ) -> Result<u64, IoError> {
        let mut since_tick = 0_u32;
        loop {
            since_tick += 1;
            if since_tick == 16_384 {
                since_tick = 0;
                sink.tick(self.source, records.stored_bytes())?;
            }
            let number = records.row() + 1;
            let Some(record) = records.next()? else {
                break;
            };
            self.record(record, number, sink, rows)?;
        }
        rows.flush(sink, self.source)?;
        Ok(records.row())
    }

    fn record(
        &self,
        record: Record<'_>,
        number: u64,
        sink: &mut Sink<'_>,
        rows: &mut Rows,
    ) -> Result<(), IoError> {
        let mut put = |reason| {
            sink.put(self.source, number, None, reason);
            Ok(())
        };
        let (bytes, ends) = match record {
            Record::Fields { bytes, ends } => (bytes, ends),
            Record::TooLong => return put(Reason::FieldTooLong),
            Record::TooManyFields => return put(Reason::WrongFieldCount),
        };
        if ends.len() != self.width {
            return put(Reason::WrongFieldCount);
        }
        let text = std::str::from_utf8(bytes)
            .ok()
            .filter(|t| ends.iter().all(|&e| t.is_char_boundary(e)));
        let Some(text) = text else {
            return put(Reason::InvalidUtf8);
        };
        rows.push(sink, self.source, number, |slot| {
            let place = self.places.get(slot).copied().flatten();
            match place.and_then(|p| field(text, ends, p)) {
                None | Some("") => Cell::Missing,
                Some(field) => Cell::Text(field),
            }
        })
    }
}

pub(crate) fn field<'a>(text: &'a str, ends: &[usize], place: usize) -> Option<&'a str> {
    let from = if place == 0 { 0 } else { *ends.get(place - 1)? };
    text.get(from..*ends.get(place)?)
}

pub(crate) fn header(
    records: &mut Records,
    input: &Input,
    columns: &Columns,
) -> Result<Vec<String>, IoError> {
    let source_name = || input.name.clone();
    let (bytes, ends) = match records.next()? {
        None => {
            return Err(IoError::EmptyInput {
                source_name: source_name(),
            });
        }
        Some(Record::Fields { bytes, ends }) => (bytes, ends),
        Some(Record::TooLong) => {
            let limit = columns.limits.field_bytes as u64;
            let what = "a header field";
            return Err(IoError::Limit {
                source_name: source_name(),
                what,
                limit,
                setting: "field_bytes",
                row: Some(1),
            });
        }
        Some(Record::TooManyFields) => {
            let limit = columns.limits.columns as u64;
            let what = "more columns";
            return Err(IoError::Limit {
                source_name: source_name(),
                what,
                limit,
                setting: "columns",
                row: Some(1),
            });
        }
    };
    if !columns.header {
        return Ok((1..=ends.len()).map(|i| format!("column_{i}")).collect());
    }
    let not_utf8 = || IoError::Encoding {
        source_name: source_name(),
        found: "its header is not valid".to_owned(),
    };
    let text = std::str::from_utf8(bytes).map_err(|_| not_utf8())?;
    let mut names = Vec::with_capacity(ends.len());
    for place in 0..ends.len() {
        names.push(field(text, ends, place).ok_or_else(not_utf8)?.to_owned());
    }
    check_names(&input.name, &mut names)?;
    Ok(names)
}

/// The delimiter by which most of the wanted columns are found in the first line; else the one that occurs most often.
pub(crate) fn sniff(line: &[u8], columns: &Columns) -> Delimiter {
    let wanted = [
        columns.customer.as_bytes(),
        columns.time.as_bytes(),
        columns.event.as_bytes(),
    ];
    let found = |fields: &[&[u8]]| wanted.iter().filter(|w| fields.contains(w)).count();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let mut best = (Delimiter::Byte(b','), 0, 0);
    for byte in [b',', b';', b'\t', b'|'] {
        let parts: Vec<&[u8]> = line.split(|b| *b == byte).map(unquoted).collect();
        let score = (found(&parts), parts.len() - 1);
        if score > (best.1, best.2) {
            best = (Delimiter::Byte(byte), score.0, score.1);
        }
    }
    let blank: Vec<&[u8]> = line
        .split(|b| matches!(b, b' ' | b'\t'))
        .filter(|f| !f.is_empty())
        .collect();
    if best.1 < found(&blank) && columns.header {
        Delimiter::Whitespace
    } else {
        best.0
    }
}

fn unquoted(field: &[u8]) -> &[u8] {
    field
        .strip_prefix(b"\"")
        .and_then(|f| f.strip_suffix(b"\""))
        .unwrap_or(field)
}
