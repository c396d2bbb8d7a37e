//! What comes through a pipe.

use std::io::{Read, Write};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use desireline::io::{IoError, Source};
use tempfile::NamedTempFile;

use crate::error::CliError;
use crate::interrupt;

const NAME: &str = "standard input";
/// How often to look whether to stop while nothing comes.
const TICK: Duration = Duration::from_millis(50);

/// The inputs, `-` among them put into a file of its own first, because readers look at an input more than once.
pub(crate) fn source(
    files: &[&str],
    format_known: bool,
) -> Result<(Source, Option<NamedTempFile>), CliError> {
    let mut source = Source::default();
    let mut piped = None;
    for file in files {
        if *file != "-" {
            source = source.and(*file);
            continue;
        }
        if piped.is_some() {
            let told = "standard input (`-`) can be read only once";
            return Err(CliError::Usage(told.to_owned()));
        }
        if !format_known {
            let told = "standard input has no name that tells its format; give --input-format csv, tsv, jsonl, parquet or arrow";
            return Err(CliError::Usage(told.to_owned()));
        }
        let mut spool = NamedTempFile::new().map_err(failed)?;
        chunks(|chunk| spool.write_all(chunk))?;
        spool.flush().map_err(failed)?;
        source = source.and(Source::named(NAME, spool.path()));
        piped = Some(spool);
    }
    Ok((source, piped))
}

/// All of it.
pub(crate) fn bytes() -> Result<Vec<u8>, CliError> {
    let mut bytes = Vec::new();
    chunks(|chunk| {
        bytes.extend_from_slice(chunk);
        Ok(())
    })?;
    Ok(bytes)
}

/// All of it as text.
pub(crate) fn text() -> Result<String, CliError> {
    desireline::map::document_text(bytes()?)
        .map_err(|e| CliError::Usage(format!("{NAME} cannot be read: {e}")))
}

fn failed(error: std::io::Error) -> CliError {
    CliError::Read(IoError::Open {
        source_name: NAME.to_owned(),
        error,
    })
}

/// Reads on a thread of its own, so that Ctrl-C is heard while nothing comes.
fn chunks(mut take: impl FnMut(&[u8]) -> std::io::Result<()>) -> Result<(), CliError> {
    let (sender, receiver) = mpsc::sync_channel(4);
    std::thread::spawn(move || {
        let mut stdin = std::io::stdin().lock();
        loop {
            let mut chunk = vec![0; 1 << 18];
            let read = stdin.read(&mut chunk);
            let last = match &read {
                Ok(n) => *n == 0,
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(_) => true,
            };
            let sent = sender.send(read.map(|n| {
                chunk.truncate(n);
                chunk
            }));
            if last || sent.is_err() {
                return;
            }
        }
    });
    loop {
        interrupt::check()?;
        match receiver.recv_timeout(TICK) {
            Ok(Ok(chunk)) if chunk.is_empty() => return Ok(()),
            Ok(chunk) => chunk.and_then(|c| take(&c)).map_err(failed)?,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        }
    }
}
