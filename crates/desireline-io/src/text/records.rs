//! Records of delimited text, held within bounds.

use csv_core::ReadRecordResult;

use super::lines::{Line, Lines};
use crate::stream::Stream;
use crate::{Delimiter, IoError, Limits};

/// Reads record by record.
pub(crate) enum Records {
    Quoted(Box<Quoted<Stream>>),
    Blank(Box<Blank>),
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
            Delimiter::Byte(byte) => Records::Quoted(Box::new(Quoted::new(stream, byte, limits))),
            Delimiter::Whitespace => Records::Blank(Box::new(Blank {
                lines: Lines::new(stream, limits.line_bytes),
                bytes: Vec::new(),
                ends: Vec::new(),
                limits: limits.clone(),
            })),
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
        Ok(record.map(|record| record.within(limit)))
    }

    /// Counts on from `row` records that were read elsewhere.
    pub(crate) fn count_from(&mut self, row: u64) {
        if let Records::Quoted(quoted) = self {
            quoted.row = row;
            if row > 0 {
                quoted.begin_inside();
            }
        }
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

impl<'a> Record<'a> {
    /// The record, or that a field is longer than `limit`.
    fn within(self, limit: usize) -> Record<'a> {
        match self {
            Record::Fields { bytes, ends } if bytes.len() > limit && any_longer(ends, limit) => {
                Record::TooLong
            }
            other => other,
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

/// What the parser is fed behind the end of the input, to learn whether a quote is still open: a line end completes any
/// other record, and a whole record after it tells a quote that swallows everything from a file that had ended already.
const BEHIND_END: [&[u8]; 2] = [b"\n", b"x\n"];

/// CSV with quoting. The parser writes into a buffer of ours, so that a field without end cannot fill the memory.
pub(crate) struct Quoted<F> {
    stream: F,
    parser: csv_core::Reader,
    bytes: Vec<u8>,
    ends: Vec<usize>,
    row: u64,
    ended: bool,
    limits: Limits,
    found: Found,
}

/// What was read last.
#[derive(Clone, Copy)]
enum Found {
    Nothing,
    Fields { written: usize, fields: usize },
    TooLong,
    TooManyFields,
}

/// Where the parser gets its bytes from.
pub(crate) trait Feed {
    /// The bytes at hand; empty only at the end.
    fn fill(&mut self) -> Result<&[u8], IoError>;
    /// The bytes at hand, without getting more.
    fn held(&self) -> &[u8];
    fn consume(&mut self, n: usize);
    fn name(&self) -> &str;
}

impl Feed for Stream {
    fn fill(&mut self) -> Result<&[u8], IoError> {
        Stream::fill(self)
    }
    fn held(&self) -> &[u8] {
        Stream::held(self)
    }
    fn consume(&mut self, n: usize) {
        Stream::consume(self, n);
    }
    fn name(&self) -> &str {
        Stream::name(self)
    }
}

/// Bytes in memory.
pub(crate) struct Slice<'a> {
    bytes: &'a [u8],
    at: usize,
    name: String,
}

impl<'a> Slice<'a> {
    pub(crate) fn new(bytes: &'a [u8], name: &str) -> Slice<'a> {
        Slice {
            bytes,
            at: 0,
            name: name.to_owned(),
        }
    }
}

impl Feed for Slice<'_> {
    fn fill(&mut self) -> Result<&[u8], IoError> {
        Ok(self.held())
    }
    fn held(&self) -> &[u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }
    fn consume(&mut self, n: usize) {
        self.at = (self.at + n).min(self.bytes.len());
    }
    fn name(&self) -> &str {
        &self.name
    }
}

impl Quoted<Slice<'_>> {
    /// Goes on from a place where a record begins, behind `row` records.
    pub(crate) fn go_to(&mut self, at: usize, row: u64) {
        self.stream.at = at;
        self.row = row;
    }

    /// The next record, judged by its length, and where it ends: the place and how many records there were.
    #[allow(clippy::type_complexity)]
    pub(crate) fn next_within(&mut self) -> Result<(Option<Record<'_>>, (usize, u64)), IoError> {
        let limit = self.limits.field_bytes;
        // What is borrowed from `self` is looked at last.
        let found = self.next()?.is_some();
        let place = (self.stream.at, self.row);
        if !found {
            return Ok((None, place));
        }
        Ok((self.last().map(|r| r.within(limit)), place))
    }
}

impl<F: Feed> Quoted<F> {
    pub(crate) fn new(stream: F, delimiter: u8, limits: &Limits) -> Quoted<F> {
        Quoted {
            stream,
            parser: csv_core::ReaderBuilder::new().delimiter(delimiter).build(),
            bytes: vec![0; 4096],
            ends: vec![0; 64],
            row: 0,
            ended: false,
            limits: limits.clone(),
            found: Found::Nothing,
        }
    }

    /// What is read is no begin of a file, so that a mark of the byte order in it is text like any other.
    pub(crate) fn begin_inside(&mut self) {
        self.parser
            .read_record(b"\n", &mut self.bytes, &mut self.ends);
    }

    pub(crate) fn next(&mut self) -> Result<Option<Record<'_>>, IoError> {
        self.found = self.find()?;
        Ok(self.last())
    }

    /// The record that was read last.
    fn last(&self) -> Option<Record<'_>> {
        match self.found {
            Found::Nothing => None,
            Found::TooLong => Some(Record::TooLong),
            Found::TooManyFields => Some(Record::TooManyFields),
            Found::Fields { written, fields } => Some(Record::Fields {
                bytes: &self.bytes[..written],
                ends: &self.ends[..fields],
            }),
        }
    }

    fn find(&mut self) -> Result<Found, IoError> {
        let (mut written, mut fields) = (0, 0);
        let (mut too_long, mut too_many) = (false, false);
        let (mut behind, mut steps): (&[u8], usize) = (b"", 0);
        if self.ended {
            return Ok(Found::Nothing);
        }
        loop {
            if self.stream.fill()?.is_empty() && behind.is_empty() {
                let Some(next) = BEHIND_END.get(steps) else {
                    let source_name = self.stream.name().to_owned();
                    return Err(IoError::UnclosedQuote {
                        source_name,
                        row: self.row + 1,
                    });
                };
                behind = next;
                steps += 1;
            }
            let held = self.stream.held();
            let input = if held.is_empty() { behind } else { held };
            let (result, read, wrote, ended) = self.parser.read_record(
                input,
                &mut self.bytes[written..],
                &mut self.ends[fields..],
            );
            if held.is_empty() {
                behind = &behind[read..];
            } else {
                self.stream.consume(read);
            }
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
                ReadRecordResult::End => return Ok(Found::Nothing),
            }
        }
        self.ended = steps > 0;
        // Only the record that was fed behind the end has come.
        if steps == BEHIND_END.len() {
            return Ok(Found::Nothing);
        }
        self.row += 1;
        if too_many || fields > self.limits.columns {
            return Ok(Found::TooManyFields);
        }
        if too_long {
            return Ok(Found::TooLong);
        }
        Ok(Found::Fields { written, fields })
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::Source;
    use crate::format::Packing;

    fn all(csv: &[u8]) -> Result<Vec<Vec<String>>, &'static str> {
        let input = Source::memory("x.csv", csv).inputs().unwrap().remove(0);
        let limits = Limits::default();
        let stream = Stream::open(&input, Packing::Plain, &limits, None).unwrap();
        let mut records = Records::new(stream, Delimiter::Byte(b','), &limits);
        let mut rows = Vec::new();
        while let Some(record) = records.next().map_err(|e| e.code())? {
            let Record::Fields { bytes, ends } = record else {
                continue;
            };
            let mut from = 0;
            let field = |&end: &usize| {
                String::from_utf8(bytes[std::mem::replace(&mut from, end)..end].to_vec()).unwrap()
            };
            rows.push(ends.iter().map(field).collect());
        }
        assert!(records.next().map_err(|e| e.code())?.is_none());
        Ok(rows)
    }

    #[test]
    fn an_open_quote_is_told_from_an_end() {
        for (csv, rows) in [
            ("a,b", 1),
            ("a,b\n", 1),
            ("a,b\r\n", 1),
            ("a,b\r", 1),
            ("a,\"b\"", 1),
            ("a,b\n\n\n", 1),
            ("a,5\" x", 1),
            ("a,\nb,", 2),
        ] {
            assert_eq!(all(csv.as_bytes()).map(|r| r.len()), Ok(rows), "{csv:?}");
        }
        for csv in ["a,\"b", "a,\"b\n", "\"", "a,b\n\"", "a,\"b\"\"", "\"\n\n"] {
            assert_eq!(all(csv.as_bytes()), Err("unclosed_quote"), "{csv:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn records_equal_those_of_the_csv_crate(csv in "[a,\"\n\r é]{0,60}") {
            let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(csv.as_bytes());
            let theirs: Vec<Vec<String>> =
                reader.records().map(|r| r.unwrap().iter().map(str::to_owned).collect()).collect();
            if csv.is_empty() {
                return Ok(());
            }
            if let Ok(ours) = all(csv.as_bytes()) {
                proptest::prop_assert_eq!(ours, theirs);
            }
        }
    }
}
