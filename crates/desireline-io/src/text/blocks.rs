//! Delimited text in blocks of whole records, for several threads.
//!
//! A quote opens a field only at the field's begin, and closes it unless another follows; so one pass over the quotes of
//! a block tells exactly which line ends lie outside of them.

use memchr::{memchr, memchr_iter, memchr2, memrchr};

use super::records::{Quoted, Record, Slice};
use crate::stream::Stream;
use crate::{IoError, Limits};

/// Bytes of the first block at most: it is read by one thread alone.
const FIRST: usize = 256 << 10;

/// Cuts a stream into blocks that begin and end with records.
pub(crate) struct Blocks {
    stream: Stream,
    delimiter: u8,
    carry: Vec<u8>,
    /// Bytes of the next block, about.
    size: usize,
    /// Bytes of all after it.
    later: usize,
    longest: usize,
}

/// What comes next.
pub(crate) enum Next {
    Block(Vec<u8>),
    /// No record ends within all that may be held: the rest is to be read record by record.
    Rest(Stream),
    End,
}

impl Blocks {
    pub(crate) fn new(stream: Stream, delimiter: u8, limits: &Limits) -> Blocks {
        Blocks {
            stream,
            delimiter,
            carry: Vec::new(),
            size: limits.block_bytes.min(FIRST),
            later: limits.block_bytes,
            longest: limits.line_bytes,
        }
    }

    pub(crate) fn stored_bytes(&self) -> u64 {
        self.stream.stored_bytes()
    }

    pub(crate) fn next(mut self) -> Result<(Next, Option<Blocks>), IoError> {
        let mut block = std::mem::take(&mut self.carry);
        let mut size = std::mem::replace(&mut self.size, self.later);
        loop {
            block.reserve(size.saturating_sub(block.len()));
            while block.len() < size {
                let held = self.stream.fill()?;
                if held.is_empty() {
                    let next = if block.is_empty() {
                        Next::End
                    } else {
                        Next::Block(block)
                    };
                    return Ok((next, Some(self)));
                }
                let n = held.len().min(size - block.len());
                block.extend_from_slice(&held[..n]);
                self.stream.consume(n);
            }
            if let Some(at) = last_end(&block, self.delimiter) {
                self.carry.extend_from_slice(&block[at..]);
                block.truncate(at);
                return Ok((Next::Block(block), Some(self)));
            }
            if block.len() > self.longest.saturating_add(self.later) {
                self.stream.put_back(block);
                return Ok((Next::Rest(self.stream), None));
            }
            size *= 2;
        }
    }
}

/// Behind the last line end outside of quotes, in a block that begins with a record.
fn last_end(block: &[u8], delimiter: u8) -> Option<usize> {
    let mut end = None;
    let mut from = 0;
    // Where the next quote is looked for, outside of quotes.
    loop {
        let mut quotes = memchr_iter(b'"', &block[from..]).map(|i| from + i);
        let opens = |at: usize| {
            let before = at.checked_sub(1).map(|i| block[i]);
            before.is_none_or(|b| b == delimiter || matches!(b, b'\n' | b'\r'))
        };
        let open = quotes.find(|at| opens(*at));
        let outside = &block[from..open.unwrap_or(block.len())];
        if let Some(line) = memrchr(b'\n', outside) {
            end = Some(from + line + 1);
        }
        let Some(open) = open else {
            return end;
        };
        let mut at = open + 1;
        loop {
            let Some(quote) = memchr(b'"', &block[at..]) else {
                return end;
            };
            at += quote + 1;
            match block.get(at) {
                Some(b'"') => at += 1,
                Some(_) => break,
                None => return end,
            }
        }
        from = at;
    }
}

/// The records of a block that begins with one.
pub(crate) struct BlockRecords<'a> {
    bytes: &'a [u8],
    /// The block, where all of it is text.
    text: Option<&'a str>,
    at: usize,
    delimiter: u8,
    /// Lines longer than this are left to the careful parser.
    longest: usize,
    /// By line: where each field is.
    fields: Vec<(usize, usize)>,
    careful: Quoted<Slice<'a>>,
    row: u64,
}

/// One record: lines without any trouble as they are, all others as the parser gives them.
pub(crate) enum BlockRecord<'r, 'a> {
    Plain {
        text: &'a str,
        fields: &'r [(usize, usize)],
    },
    Careful(Record<'r>),
}

impl<'a> BlockRecords<'a> {
    pub(crate) fn new(
        bytes: &'a [u8],
        name: &str,
        delimiter: u8,
        limits: &Limits,
    ) -> BlockRecords<'a> {
        let mut careful = Quoted::new(Slice::new(bytes, name), delimiter, limits);
        careful.begin_inside();
        BlockRecords {
            bytes,
            text: std::str::from_utf8(bytes).ok(),
            at: 0,
            delimiter,
            longest: limits.line_bytes.min(limits.field_bytes),
            fields: Vec::new(),
            careful,
            row: 0,
        }
    }

    /// The number of the record that was read last in this block, from 1.
    pub(crate) fn row(&self) -> u64 {
        self.row
    }

    pub(crate) fn next(&mut self) -> Result<Option<BlockRecord<'_, 'a>>, IoError> {
        let Some(text) = self.text else {
            return self.careful();
        };
        loop {
            let rest = &self.bytes[self.at..];
            let length = memchr(b'\n', rest).unwrap_or(rest.len());
            let line = &rest[..length];
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if line.is_empty() {
                if length == rest.len() {
                    return Ok(None);
                }
                self.at += length + 1;
                continue;
            }
            if line.len() > self.longest || !split(line, self.at, self.delimiter, &mut self.fields)
            {
                return self.careful();
            }
            self.at = (self.at + length + 1).min(self.bytes.len());
            self.row += 1;
            let fields = &self.fields;
            return Ok(Some(BlockRecord::Plain { text, fields }));
        }
    }

    fn careful(&mut self) -> Result<Option<BlockRecord<'_, 'a>>, IoError> {
        self.careful.go_to(self.at, self.row);
        let record = self.careful.next_within()?;
        let (at, row) = record.1;
        self.at = at;
        self.row = row;
        Ok(record.0.map(BlockRecord::Careful))
    }
}

/// Finds the fields of a line that begins at `at`. `false` for what the parser must look at: a quote inside a field, or
/// a line end that is none of a line feed.
#[inline]
fn split(line: &[u8], at: usize, delimiter: u8, fields: &mut Vec<(usize, usize)>) -> bool {
    fields.clear();
    let mut from = 0;
    if memchr2(b'"', b'\r', line).is_none() {
        for end in memchr_iter(delimiter, line) {
            fields.push((at + from, at + end));
            from = end + 1;
        }
        fields.push((at + from, at + line.len()));
        return true;
    }
    loop {
        let rest = &line[from..];
        if rest.first() == Some(&b'"') {
            let Some(close) = memchr(b'"', &rest[1..]) else {
                return false;
            };
            if memchr(b'\r', &rest[1..=close]).is_some() {
                return false;
            }
            fields.push((at + from + 1, at + from + 1 + close));
            from += close + 2;
            match line.get(from) {
                None => return true,
                Some(b) if *b == delimiter => from += 1,
                Some(_) => return false,
            }
            continue;
        }
        let mut end = 0;
        for byte in rest {
            if *byte == delimiter {
                break;
            }
            if matches!(byte, b'"' | b'\r') {
                return false;
            }
            end += 1;
        }
        fields.push((at + from, at + from + end));
        from += end;
        if from == line.len() {
            return true;
        }
        from += 1;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// The records that the parser finds in all of it, each with its number, and an error at the end.
    fn whole(csv: &[u8], limits: &Limits) -> (Vec<Vec<Vec<u8>>>, bool) {
        let mut parser = Quoted::new(Slice::new(csv, "x"), b',', limits);
        parser.begin_inside();
        let mut rows = Vec::new();
        loop {
            match parser.next() {
                Ok(Some(record)) => rows.push(fields(&record)),
                Ok(None) => return (rows, false),
                Err(_) => return (rows, true),
            }
        }
    }

    fn fields(record: &Record<'_>) -> Vec<Vec<u8>> {
        let Record::Fields { bytes, ends } = record else {
            return vec![b"too long".to_vec()];
        };
        let mut from = 0;
        let field = |end: &usize| bytes[std::mem::replace(&mut from, *end)..*end].to_vec();
        ends.iter().map(field).collect()
    }

    fn in_block(csv: &[u8], limits: &Limits) -> (Vec<Vec<Vec<u8>>>, bool) {
        let mut records = BlockRecords::new(csv, "x", b',', limits);
        let mut rows = Vec::new();
        loop {
            let before = records.row();
            match records.next() {
                Ok(Some(BlockRecord::Plain { text, fields })) => rows.push(
                    fields
                        .iter()
                        .map(|(from, to)| text.as_bytes()[*from..*to].to_vec())
                        .collect(),
                ),
                Ok(Some(BlockRecord::Careful(record))) => rows.push(fields(&record)),
                Ok(None) => return (rows, false),
                Err(_) => return (rows, true),
            }
            assert_eq!(records.row(), before + 1);
        }
    }

    #[test]
    fn the_last_line_end_outside_of_quotes_is_found() {
        for (csv, end) in [
            ("a,b\nc,d\ne", Some(8)),
            ("a,b\n\"c\nd\"\n\"e", Some(10)),
            ("a,\"b\n\"\"\nc", None),
            ("a,b\"\nc", Some(5)),
            ("abc", None),
            ("", None),
        ] {
            assert_eq!(last_end(csv.as_bytes(), b','), end, "{csv:?}");
        }
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config::with_cases(2_000))]

        #[test]
        fn a_block_has_the_records_that_the_parser_finds(csv in "[a,\"\n\r é]{0,40}", bad in proptest::bool::ANY) {
            let mut csv = csv.into_bytes();
            if bad && csv.len() > 5 {
                csv[3] = 0xff;
            }
            let limits = Limits::default();
            proptest::prop_assert_eq!(in_block(&csv, &limits), whole(&csv, &limits));
        }

        #[test]
        fn blocks_are_cut_between_records(csv in "[a,\"\n\r é]{0,40}") {
            let limits = Limits::default();
            let bytes = csv.as_bytes();
            if let Some(at) = last_end(bytes, b',') {
                let (first, open) = whole(&bytes[..at], &limits);
                proptest::prop_assert!(!open);
                let (rest, open) = whole(&bytes[at..], &limits);
                let (all, all_open) = whole(bytes, &limits);
                proptest::prop_assert_eq!(([first, rest].concat(), open), (all, all_open));
            }
        }
    }
}
