//! Records of delimited text, held within bounds.

use csv_core::ReadRecordResult;

use super::lines::{Line, Lines};
use crate::stream::Stream;
use crate::{Delimiter, IoError, Limits};

/// Reads record by record.
pub(crate) enum Records {
    Quoted(Box<Quoted>),
    Blank(Blank),
}

/// One record: its fields one behind the other, and where each ends.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Record<'a> {
    Fields { bytes: &'a [u8], ends: &'a [usize] },
    TooLong,
    TooManyFields,
}

impl Records {
    pub(crate) fn new(stream: Stream, delimiter: Delimiter, limits: &Limits) -> Records {
        match delimiter {
            Delimiter::Byte(byte) => Records::Quoted(Box::new(Quoted {
                stream,
                parser: csv_core::ReaderBuilder::new().delimiter(byte).build(),
                bytes: vec![0; 4096],
                ends: vec![0; 64],
                row: 0,
                limits: limits.clone(),
            })),
            Delimiter::Whitespace => Records::Blank(Blank {
                lines: Lines::new(stream, limits.line_bytes),
                bytes: Vec::new(),
                ends: Vec::new(),
                limits: limits.clone(),
            }),
        }
    }

    /// The next record; its fields are no longer than the limit.
    pub(crate) fn next(&mut self) -> Result<Option<Record<'_>>, IoError> {
        let (record, limit) = match self {
            Records::Quoted(quoted) => {
                let limit = quoted.limits.field_bytes;
                (quoted.next()?, limit)
            }
            Records::Blank(blank) => {
                let limit = blank.limits.field_bytes;
                (blank.next()?, limit)
            }
        };
        Ok(record.map(|record| match record {
            Record::Fields { bytes, ends } if bytes.len() > limit && any_longer(ends, limit) => {
                Record::TooLong
            }
            other => other,
        }))
    }

    /// The number of the record that was read last, from 1; a header counts.
    pub(crate) fn row(&self) -> u64 {
        match self {
            Records::Quoted(quoted) => quoted.row,
            Records::Blank(blank) => blank.lines.row(),
        }
    }

    pub(crate) fn stored_bytes(&self) -> u64 {
        match self {
            Records::Quoted(quoted) => quoted.stream.stored_bytes(),
            Records::Blank(blank) => blank.lines.stored_bytes(),
        }
    }
}

fn any_longer(ends: &[usize], limit: usize) -> bool {
    let mut from = 0;
    ends.iter().any(|&end| {
        let longer = end - from > limit;
        from = end;
        longer
    })
}

/// CSV with quoting. The parser writes into a buffer of ours, so that a field without end cannot fill the memory.
pub(crate) struct Quoted {
    stream: Stream,
    parser: csv_core::Reader,
    bytes: Vec<u8>,
    ends: Vec<usize>,
    row: u64,
    limits: Limits,
}

impl Quoted {
    fn next(&mut self) -> Result<Option<Record<'_>>, IoError> {
        let (mut written, mut fields) = (0, 0);
        let (mut too_long, mut too_many) = (false, false);
        loop {
            let input = self.stream.fill()?;
            if input.is_empty() {
                self.check_closed()?;
            }
            let input = self.stream.held();
            let (result, read, wrote, ended) = self.parser.read_record(
                input,
                &mut self.bytes[written..],
                &mut self.ends[fields..],
            );
            self.stream.consume(read);
            written += wrote;
            fields += ended;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => {
                    if self.bytes.len() >= self.limits.line_bytes || too_long || too_many {
                        too_long = true;
                        written = 0;
                    } else {
                        let bigger = (self.bytes.len() * 2).min(self.limits.line_bytes.max(4096));
                        self.bytes.resize(bigger, 0);
                    }
                }
                ReadRecordResult::OutputEndsFull => {
                    if self.ends.len() > self.limits.columns {
                        too_many = true;
                        fields = 0;
                    } else {
                        let bigger = (self.ends.len() * 2).min(self.limits.columns + 1);
                        self.ends.resize(bigger.max(self.ends.len() + 1), 0);
                    }
                }
                ReadRecordResult::Record => break,
                ReadRecordResult::End => return Ok(None),
            }
        }
        self.row += 1;
        if too_many || fields > self.limits.columns {
            return Ok(Some(Record::TooManyFields));
        }
        if too_long {
            return Ok(Some(Record::TooLong));
        }
        Ok(Some(Record::Fields {
            bytes: &self.bytes[..written],
            ends: &self.ends[..fields],
        }))
    }

    /// At the end of the input: an open quote has swallowed the rest of the file, which nobody may lose in silence.
    fn check_closed(&self) -> Result<(), IoError> {
        let mut probe = self.parser.clone();
        let (mut bytes, mut ends) = ([0; 8], [0; 8]);
        let mut input: &[u8] = b"\nx\n";
        while !input.is_empty() {
            let (result, read, ..) = probe.read_record(input, &mut bytes, &mut ends);
            if result == ReadRecordResult::Record {
                return Ok(());
            }
            input = &input[read..];
            if result == ReadRecordResult::InputEmpty {
                break;
            }
        }
        Err(IoError::UnclosedQuote {
            source_name: self.stream.name().to_owned(),
            row: self.row + 1,
        })
    }
}

/// Runs of blanks and tabs between fields.
pub(crate) struct Blank {
    lines: Lines,
    bytes: Vec<u8>,
    ends: Vec<usize>,
    limits: Limits,
}

impl Blank {
    fn next(&mut self) -> Result<Option<Record<'_>>, IoError> {
        loop {
            let Some(line) = self.lines.next()? else {
                return Ok(None);
            };
            let Line::Bytes(line) = line else {
                return Ok(Some(Record::TooLong));
            };
            self.bytes.clear();
            self.ends.clear();
            for field in line
                .split(|b| matches!(b, b' ' | b'\t'))
                .filter(|f| !f.is_empty())
            {
                self.bytes.extend_from_slice(field);
                self.ends.push(self.bytes.len());
            }
            if self.ends.len() > self.limits.columns {
                return Ok(Some(Record::TooManyFields));
            }
            if !self.ends.is_empty() {
                break;
            }
        }
        Ok(Some(Record::Fields {
            bytes: &self.bytes,
            ends: &self.ends,
        }))
    }
}
