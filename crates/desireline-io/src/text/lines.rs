//! Lines of bounded length.

use crate::IoError;
use crate::stream::Stream;

/// Reads line by line; a line over the bound is passed over without being held.
pub(crate) struct Lines {
    stream: Stream,
    line: Vec<u8>,
    longest: usize,
    row: u64,
}

/// One line, without its end.
pub(crate) enum Line<'a> {
    Bytes(&'a [u8]),
    TooLong,
}

impl Lines {
    pub(crate) fn new(stream: Stream, longest: usize) -> Lines {
        Lines {
            stream,
            line: Vec::new(),
            longest,
            row: 0,
        }
    }

    /// The number of the line that was read last, from 1.
    pub(crate) fn row(&self) -> u64 {
        self.row
    }

    pub(crate) fn stored_bytes(&self) -> u64 {
        self.stream.stored_bytes()
    }

    pub(crate) fn next(&mut self) -> Result<Option<Line<'_>>, IoError> {
        self.line.clear();
        let mut too_long = false;
        let mut any = false;
        loop {
            let held = self.stream.fill()?;
            if held.is_empty() {
                break;
            }
            any = true;
            let end = memchr::memchr(b'\n', held);
            let part = &held[..end.unwrap_or(held.len())];
            if self.line.len() + part.len() > self.longest {
                too_long = true;
                self.line.clear();
            }
            if !too_long {
                self.line.extend_from_slice(part);
            }
            let used = part.len() + usize::from(end.is_some());
            self.stream.consume(used);
            if end.is_some() {
                break;
            }
        }
        if !any {
            return Ok(None);
        }
        self.row += 1;
        if too_long {
            return Ok(Some(Line::TooLong));
        }
        Ok(Some(Line::Bytes(
            self.line.strip_suffix(b"\r").unwrap_or(&self.line),
        )))
    }
}
