//! Where the bytes are.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use bytes::Bytes;

use crate::IoError;

/// What to read: files, folders, patterns, or bytes in memory; several are read in the order given.
///
/// - A folder stands for all files below it, in the order of their paths. Files and folders whose names begin with `.`
///   or `_` are passed over, as data tools keep their notes there; links to folders are not followed. A file of unknown
///   format is an error, not a silent gap.
/// - A text with `*`, `?` or `[` that is no file itself is a pattern; its matches are read in the order of their paths.
///
/// ```
/// use desireline_io::Source;
/// let one = Source::from("events.csv");
/// let many: Source = ["2024/*.parquet", "2025.parquet"].into_iter().collect();
/// ```
#[derive(Clone, Debug, Default)]
pub struct Source {
    parts: Vec<Part>,
}

#[derive(Clone, Debug)]
enum Part {
    Pattern(PathBuf),
    Input(Input),
}

impl Source {
    /// Bytes in memory; the name tells the format, as a file's would.
    pub fn memory(name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Source {
        let bytes = Bytes::from(bytes.into());
        Source {
            parts: vec![Part::Input(Input {
                name: name.into(),
                at: Place::Memory(bytes),
            })],
        }
    }

    /// A file that messages call by another name, such as one that holds what came through a pipe.
    pub fn named(name: impl Into<String>, path: impl Into<PathBuf>) -> Source {
        Source {
            parts: vec![Part::Input(Input {
                name: name.into(),
                at: Place::File(path.into()),
            })],
        }
    }

    /// The files that will be read, folders and patterns spelled out.
    ///
    /// # Errors
    /// [`IoError::NoInput`] where nothing is there.
    pub fn files(&self) -> Result<Vec<PathBuf>, IoError> {
        let path = |input: Input| match input.at {
            Place::File(path) => Some(path),
            Place::Memory(_) => None,
        };
        Ok(self.inputs()?.into_iter().filter_map(path).collect())
    }

    /// Adds another source behind this one.
    #[must_use]
    pub fn and(mut self, other: impl Into<Source>) -> Source {
        self.parts.extend(other.into().parts);
        self
    }

    /// The inputs, patterns and folders spelled out.
    pub(crate) fn inputs(&self) -> Result<Vec<Input>, IoError> {
        let mut inputs = Vec::new();
        for part in &self.parts {
            match part {
                Part::Input(input) => inputs.push(input.clone()),
                Part::Pattern(path) => expand(path, &mut inputs)?,
            }
        }
        if inputs.is_empty() {
            return Err(IoError::NoInput {
                pattern: String::new(),
                reason: "no path was given".to_owned(),
            });
        }
        Ok(inputs)
    }
}

impl From<&str> for Source {
    fn from(path: &str) -> Source {
        Source::from(PathBuf::from(path))
    }
}

impl From<&String> for Source {
    fn from(path: &String) -> Source {
        Source::from(PathBuf::from(path))
    }
}

impl From<String> for Source {
    fn from(path: String) -> Source {
        Source::from(PathBuf::from(path))
    }
}

impl From<&Path> for Source {
    fn from(path: &Path) -> Source {
        Source::from(path.to_path_buf())
    }
}

impl From<&PathBuf> for Source {
    fn from(path: &PathBuf) -> Source {
        Source::from(path.clone())
    }
}

impl From<PathBuf> for Source {
    fn from(path: PathBuf) -> Source {
        Source {
            parts: vec![Part::Pattern(path)],
        }
    }
}

impl<S: Into<Source>> From<Vec<S>> for Source {
    fn from(paths: Vec<S>) -> Source {
        paths.into_iter().collect()
    }
}

impl<S: Into<Source>> FromIterator<S> for Source {
    fn from_iter<I: IntoIterator<Item = S>>(paths: I) -> Source {
        Source {
            parts: paths.into_iter().flat_map(|p| p.into().parts).collect(),
        }
    }
}

/// One file, or bytes standing for one.
#[derive(Clone, Debug)]
pub(crate) struct Input {
    pub(crate) name: String,
    at: Place,
}

#[derive(Clone, Debug)]
enum Place {
    File(PathBuf),
    Memory(Bytes),
}

/// An open input.
#[derive(Debug)]
pub(crate) enum Opened {
    File(File, u64),
    Memory(Bytes),
}

impl Input {
    pub(crate) fn open(&self) -> Result<Opened, IoError> {
        match &self.at {
            Place::Memory(bytes) => Ok(Opened::Memory(bytes.clone())),
            Place::File(path) => {
                let failed = |error| IoError::Open {
                    source_name: self.name.clone(),
                    error,
                };
                let file = File::open(path).map_err(failed)?;
                let meta = file.metadata().map_err(failed)?;
                if !meta.is_file() {
                    return Err(failed(io::Error::other("it is no ordinary file")));
                }
                Ok(Opened::File(file, meta.len()))
            }
        }
    }

    /// The first bytes, at most eight.
    pub(crate) fn head(&self) -> Result<Vec<u8>, IoError> {
        let mut head = Vec::with_capacity(8);
        self.open()?
            .reader()
            .take(8)
            .read_to_end(&mut head)
            .map_err(|error| IoError::Open {
                source_name: self.name.clone(),
                error,
            })?;
        Ok(head)
    }

    /// The bytes as stored.
    pub(crate) fn stored_bytes(&self) -> u64 {
        match &self.at {
            Place::Memory(bytes) => bytes.len() as u64,
            Place::File(path) => fs::metadata(path).map_or(0, |m| m.len()),
        }
    }
}

impl Opened {
    pub(crate) fn reader(self) -> Box<dyn Read + Send> {
        match self {
            Opened::File(file, _) => Box::new(file),
            Opened::Memory(bytes) => Box::new(io::Cursor::new(bytes)),
        }
    }
}

/// Folders deeper than this are taken for a mistake.
const DEEPEST: usize = 64;

fn expand(path: &Path, inputs: &mut Vec<Input>) -> Result<(), IoError> {
    let none = |reason: &str| IoError::NoInput {
        pattern: path.display().to_string(),
        reason: reason.to_owned(),
    };
    if path.is_dir() {
        let before = inputs.len();
        walk(path, 0, inputs)?;
        return if inputs.len() == before {
            Err(none("is a folder without files"))
        } else {
            Ok(())
        };
    }
    if path.exists() {
        inputs.push(Input {
            name: path.display().to_string(),
            at: Place::File(path.to_path_buf()),
        });
        return Ok(());
    }
    let pattern = path.to_str().filter(|p| p.contains(['*', '?', '[']));
    let Some(pattern) = pattern else {
        return Err(none("does not exist"));
    };
    let matches =
        glob::glob(pattern).map_err(|e| none(&format!("is no valid pattern: {}", e.msg)))?;
    let mut paths = Vec::new();
    for found in matches {
        paths.push(found.map_err(|e| IoError::Open {
            source_name: e.path().display().to_string(),
            error: e.into(),
        })?);
    }
    paths.sort();
    let before = inputs.len();
    for found in paths {
        if found.is_dir() {
            walk(&found, 0, inputs)?;
        } else {
            inputs.push(Input {
                name: found.display().to_string(),
                at: Place::File(found),
            });
        }
    }
    if inputs.len() == before {
        Err(none("matches no file"))
    } else {
        Ok(())
    }
}

fn walk(folder: &Path, depth: usize, inputs: &mut Vec<Input>) -> Result<(), IoError> {
    let failed = |error| IoError::Open {
        source_name: folder.display().to_string(),
        error,
    };
    if depth > DEEPEST {
        return Err(failed(io::Error::other(format!(
            "folders are nested more than {DEEPEST} deep"
        ))));
    }
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let hidden = entry.file_name().to_string_lossy().starts_with(['.', '_']);
        if !hidden {
            entries.push(entry.path());
        }
    }
    entries.sort();
    for path in entries {
        let link = fs::symlink_metadata(&path).map_err(failed)?.is_symlink();
        if path.is_dir() {
            if !link {
                walk(&path, depth + 1, inputs)?;
            }
        } else {
            inputs.push(Input {
                name: path.display().to_string(),
                at: Place::File(path),
            });
        }
    }
    Ok(())
}
