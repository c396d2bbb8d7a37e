//! A file that is there whole or not at all.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use super::Part;

/// A file in the making: it appears under its name only with [`WholeFile::finish`].
///
/// Until then the bytes go to a hidden file beside it, which is removed when the writer is dropped. What is there before
/// is treated as a person expects who writes *to* a name:
///
/// - A link is followed: the file it leads to gets the new bytes, and the link stays.
/// - A file that is replaced keeps its permissions; one that may not be written is refused.
/// - What is no plain file (a device, a pipe) is never replaced: the bytes go into it as they come.
///
/// ```
/// use std::io::Write;
/// use desireline_io::WholeFile;
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("answer.txt");
/// let mut file = WholeFile::create(&path)?;
/// file.write_all(b"42")?;
/// assert!(!path.exists());
/// file.finish()?;
/// assert_eq!(std::fs::read(&path)?, b"42");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct WholeFile {
    file: File,
    part: Part,
}

impl WholeFile {
    /// Begins the file.
    ///
    /// # Errors
    /// What the system says; also when `path` is a folder or a file that may not be written.
    pub fn create(path: impl AsRef<Path>) -> io::Result<WholeFile> {
        let (part, file) = Part::create(path.as_ref())?;
        Ok(WholeFile { file, part })
    }

    /// Ends the file and gives it its name.
    ///
    /// # Errors
    /// What the system says; a file that was there before is then unchanged.
    pub fn finish(self) -> io::Result<()> {
        self.part.commit(self.file)
    }
}

impl Write for WholeFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
