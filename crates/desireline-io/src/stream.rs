//! Bytes of text formats: unpacked, bounded, cancellable.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::format::{Magic, Packing};
use crate::limits::RATIO_GRACE;
use crate::source::Input;
use crate::{Columns, IoError, Limits};

/// Size of the window in which text is looked at.
const WINDOW: usize = 256 << 10;

/// A window over unpacked bytes that slides forward.
pub(crate) struct Stream {
    name: String,
    reader: Box<dyn Read + Send>,
    packed: bool,
    stored: Arc<AtomicU64>,
    unpacked: u64,
    window: Vec<u8>,
    from: usize,
    to: usize,
    at_end: bool,
    limits: Limits,
    cancel: Option<Arc<AtomicBool>>,
}

/// Counts what is read from the store.
struct Counted<R> {
    reader: R,
    stored: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.reader.read(buffer)?;
        self.stored.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}

impl Stream {
    /// Opens an input and leaves out a UTF-8 byte order mark.
    pub(crate) fn open(
        input: &Input,
        packing: Packing,
        limits: &Limits,
        cancel: Option<&Arc<AtomicBool>>,
    ) -> Result<Stream, IoError> {
        let stored = Arc::new(AtomicU64::new(0));
        let counted = Counted {
            reader: input.open()?.reader(),
            stored: Arc::clone(&stored),
        };
        let failed = |error| IoError::Open {
            source_name: input.name.clone(),
            error,
        };
        let reader: Box<dyn Read + Send> = match packing {
            Packing::Plain => Box::new(counted),
            Packing::Gzip => Box::new(flate2::read::MultiGzDecoder::new(counted)),
            Packing::Zstd => Box::new(zstd::Decoder::new(counted).map_err(failed)?),
        };
        let mut stream = Stream {
            name: input.name.clone(),
            reader,
            packed: packing != Packing::Plain,
            stored,
            unpacked: 0,
            window: vec![0; WINDOW],
            from: 0,
            to: 0,
            at_end: false,
            limits: limits.clone(),
            cancel: cancel.cloned(),
        };
        stream.start()?;
        Ok(stream)
    }

    /// Bytes from inside of an input, unpacked.
    pub(crate) fn of(bytes: Vec<u8>, name: &str, columns: &Columns) -> Stream {
        Stream {
            name: name.to_owned(),
            reader: Box::new(io::empty()),
            packed: false,
            stored: Arc::default(),
            unpacked: 0,
            from: 0,
            to: bytes.len(),
            window: bytes,
            at_end: true,
            limits: columns.limits.clone(),
            cancel: columns.cancel.clone(),
        }
    }

    fn start(&mut self) -> Result<(), IoError> {
        while self.to < 8 && !self.at_end {
            self.extend()?;
        }
        let head = &self.window[..self.to];
        if head.is_empty() {
            return Err(IoError::EmptyInput {
                source_name: self.name.clone(),
            });
        }
        let magic = Magic::of(head);
        if head.starts_with(&[0xef, 0xbb, 0xbf]) {
            self.from = 3;
        } else if magic == Magic::Utf16 {
            return Err(IoError::Encoding {
                source_name: self.name.clone(),
                found: magic.words().to_owned(),
            });
        } else if magic != Magic::Other {
            return Err(IoError::FormatMismatch {
                source_name: self.name.clone(),
                expected: "text inside its packing".to_owned(),
                found: magic.words().to_owned(),
            });
        }
        Ok(())
    }

    /// Reads once behind what the window holds.
    fn extend(&mut self) -> Result<(), IoError> {
        if self
            .cancel
            .as_ref()
            .is_some_and(|c| c.load(Ordering::Relaxed))
        {
            return Err(IoError::Cancelled { rows: 0 });
        }
        let n = loop {
            match self.reader.read(&mut self.window[self.to..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if self.packed => {
                    return Err(IoError::Damaged {
                        source_name: self.name.clone(),
                        row: None,
                        reason: error.to_string(),
                    });
                }
                Err(error) => {
                    return Err(IoError::Open {
                        source_name: self.name.clone(),
                        error,
                    });
                }
                Ok(n) => break n,
            }
        };
        self.at_end = n == 0;
        self.to += n;
        self.unpacked += n as u64;
        if self.packed {
            self.check_size()?;
        }
        Ok(())
    }

    fn check_size(&self) -> Result<(), IoError> {
        let over = |what, limit, setting| {
            Err(IoError::Limit {
                source_name: self.name.clone(),
                what,
                limit,
                setting,
                row: None,
            })
        };
        if self.unpacked > self.limits.decompressed_bytes {
            return over(
                "more unpacked bytes",
                self.limits.decompressed_bytes,
                "decompressed_bytes",
            );
        }
        let stored = self.stored.load(Ordering::Relaxed).max(1);
        if self.unpacked > RATIO_GRACE && self.unpacked / stored > self.limits.decompressed_ratio {
            return over(
                "more unpacked bytes to each packed one",
                self.limits.decompressed_ratio,
                "decompressed_ratio",
            );
        }
        Ok(())
    }

    /// The bytes in the window; read more first when there are none. Empty only at the end.
    pub(crate) fn fill(&mut self) -> Result<&[u8], IoError> {
        if self.from == self.to {
            self.from = 0;
            self.to = 0;
            if !self.at_end {
                self.extend()?;
            }
        }
        Ok(&self.window[self.from..self.to])
    }

    /// What the window holds already.
    pub(crate) fn held(&self) -> &[u8] {
        &self.window[self.from..self.to]
    }

    pub(crate) fn consume(&mut self, n: usize) {
        self.from = (self.from + n).min(self.to);
    }

    /// Puts bytes before those that the window holds.
    pub(crate) fn put_back(&mut self, mut bytes: Vec<u8>) {
        bytes.extend_from_slice(self.held());
        self.from = 0;
        self.to = bytes.len();
        self.window = bytes;
    }

    /// As much of the first line as fits the window, without reading past it.
    pub(crate) fn peek_line(&mut self) -> Result<&[u8], IoError> {
        if self.from > 0 {
            self.window.copy_within(self.from..self.to, 0);
            self.to -= self.from;
            self.from = 0;
        }
        let mut looked = 0;
        loop {
            if let Some(i) = self.window[looked..self.to]
                .iter()
                .position(|b| *b == b'\n')
            {
                return Ok(&self.window[..looked + i]);
            }
            looked = self.to;
            if self.at_end || self.to == self.window.len() {
                return Ok(&self.window[..self.to]);
            }
            self.extend()?;
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Stored bytes read so far.
    pub(crate) fn stored_bytes(&self) -> u64 {
        self.stored.load(Ordering::Relaxed)
    }
}
