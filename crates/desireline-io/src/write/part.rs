//! A file that appears under its name whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

static PARTS: AtomicU64 = AtomicU64::new(0);

/// A hidden file beside the one it is to become; removed when dropped before [`Part::commit`]. See
/// [`WholeFile`](crate::WholeFile) for what becomes of that which is there before.
#[derive(Debug)]
pub(crate) struct Part {
    target: PathBuf,
    /// `None` where the target is written to directly, or after the end.
    part: Option<PathBuf>,
}

impl Part {
    /// Begins the file that is to stand under `path`.
    pub(crate) fn create(path: &Path) -> io::Result<(Part, File)> {
        let before = match fs::metadata(path) {
            Ok(meta) => Some(meta),
            Err(e) if e.kind() == io::ErrorKind::NotFound => None,
            Err(e) => return Err(e),
        };
        if let Some(meta) = &before
            && !meta.is_file()
        {
            if meta.is_dir() {
                return Err(io::Error::new(
                    io::ErrorKind::IsADirectory,
                    "it is a folder",
                ));
            }
            let begun = Part {
                target: path.to_path_buf(),
                part: None,
            };
            return Ok((begun, OpenOptions::new().write(true).open(path)?));
        }
        if before.is_some() {
            // Replacing needs only the folder's permission; a file that is protected shall stay.
            OpenOptions::new().write(true).open(path)?;
        }
        let target = followed(path)?;
        let name = target
            .file_name()
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "it names no file"))?
            .to_string_lossy()
            .into_owned();
        let number = PARTS.fetch_add(1, Ordering::Relaxed);
        let part = target.with_file_name(format!(".{name}.{}-{number}.part", std::process::id()));
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        if let Some(meta) = &before {
            // Never wider than the old file's, not even while it is written.
            use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
            options.mode(meta.permissions().mode() & 0o777);
        }
        let file = options.open(&part)?;
        // From here on dropping it removes the part.
        let begun = Part {
            target,
            part: Some(part),
        };
        if let Some(meta) = before {
            file.set_permissions(meta.permissions())?;
        }
        Ok((begun, file))
    }

    /// Brings the bytes to the disk and gives the file its name.
    pub(crate) fn commit(mut self, file: File) -> io::Result<()> {
        let Some(part) = self.part.take() else {
            // A device or a pipe has no disk to come to.
            return Ok(());
        };
        let done = file.sync_all().and_then(|()| {
            // Some systems refuse to rename an open file.
            drop(file);
            fs::rename(&part, &self.target)
        });
        if let Err(e) = done {
            self.part = Some(part);
            return Err(e);
        }
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

/// The file that a chain of links leads to, there or not.
fn followed(path: &Path) -> io::Result<PathBuf> {
    /// Linux follows as many.
    const LINKS: usize = 40;
    let mut path = path.to_path_buf();
    for _ in 0..LINKS {
        match fs::symlink_metadata(&path) {
            Ok(meta) if meta.is_symlink() => {
                let to = fs::read_link(&path)?;
                path = match path.parent() {
                    Some(folder) => folder.join(to),
                    None => to,
                };
            }
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => return Ok(path),
        }
    }
    Err(io::Error::other("it is a link that leads nowhere"))
}
