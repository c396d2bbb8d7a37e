//! A file that appears under its name whole or not at all.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

static PARTS: AtomicU64 = AtomicU64::new(0);

/// A hidden file beside the one it is to become; removed when dropped before [`Part::commit`].
#[derive(Debug)]
pub(crate) struct Part {
    target: PathBuf,
    part: Option<PathBuf>,
}

impl Part {
    /// Begins the file in the folder of `target`.
    pub(crate) fn create(target: &Path) -> io::Result<(Part, File)> {
        let name = target
            .file_name()
            .map(|n| n.to_string_lossy().into_owned())
            .unwrap_or_default();
        let number = PARTS.fetch_add(1, Ordering::Relaxed);
        let part = target.with_file_name(format!(".{name}.{}-{number}.part", std::process::id()));
        let file = File::create_new(&part)?;
        let begun = Part {
            target: target.to_path_buf(),
            part: Some(part),
        };
        Ok((begun, file))
    }

    /// Brings the bytes to the disk and gives the file its name.
    pub(crate) fn commit(mut self, file: File) -> io::Result<()> {
        file.sync_all()?;
        // Some systems refuse to rename an open file.
        drop(file);
        if let Some(part) = &self.part {
            fs::rename(part, &self.target)?;
        }
        self.part = None;
        sync_folder(&self.target)
    }
}

/// The new name, too, must outlive a power cut.
#[cfg(unix)]
fn sync_folder(target: &Path) -> io::Result<()> {
    let folder = target.parent().filter(|p| !p.as_os_str().is_empty());
    match File::open(folder.unwrap_or(Path::new("."))).and_then(|f| f.sync_all()) {
        // Some file systems cannot; the file itself is safe and in place.
        Err(e) if e.kind() == io::ErrorKind::InvalidInput => Ok(()),
        other => other,
    }
}

/// Elsewhere a folder cannot be opened as a file.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

impl Drop for Part {
    fn drop(&mut self) {
        if let Some(part) = &self.part {
            // Nothing can be done about a file that will not go away.
            let _ = fs::remove_file(part);
        }
    }
}
