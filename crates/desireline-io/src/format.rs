//! Which format an input has.

use std::path::Path;

use crate::IoError;

/// The formats that can be read and written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// Delimited text; `.csv`, `.txt`.
    Csv,
    /// Tab-delimited text; `.tsv`.
    Tsv,
    /// One JSON object a line; `.jsonl`, `.ndjson`.
    JsonLines,
    /// Apache Parquet; `.parquet`.
    Parquet,
    /// Arrow IPC, file or stream; `.arrow`, `.feather`, `.ipc`, `.arrows`.
    ArrowIpc,
}

/// The endings that tell a format, for messages.
pub(crate) const ENDINGS: &str = ".csv .tsv .txt .jsonl .ndjson (each also with .gz or .zst), .parquet, .arrow, .arrows, .feather, .ipc";

/// How the bytes are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packing {
    Plain,
    Gzip,
    Zstd,
}

impl Format {
    /// The format and packing that a file's name promises.
    pub(crate) fn of_name(path: &Path) -> Option<(Format, Packing)> {
        let name = path.file_name()?.to_str()?.to_ascii_lowercase();
        let (stem, packing) = if let Some(stem) = name.strip_suffix(".gz") {
            (stem, Packing::Gzip)
        } else if let Some(stem) = name.strip_suffix(".zst") {
            (stem, Packing::Zstd)
        } else {
            (name.as_str(), Packing::Plain)
        };
        let format = match stem.rsplit_once('.')?.1 {
            "csv" | "txt" => Format::Csv,
            "tsv" => Format::Tsv,
            "jsonl" | "ndjson" => Format::JsonLines,
            "parquet" => Format::Parquet,
            "arrow" | "arrows" | "feather" | "ipc" => Format::ArrowIpc,
            _ => return None,
        };
        (packing == Packing::Plain || format.is_text()).then_some((format, packing))
    }

    /// Whether the format is text, which may be packed.
    pub(crate) fn is_text(self) -> bool {
        matches!(self, Format::Csv | Format::Tsv | Format::JsonLines)
    }

    /// The words for it.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Format::Csv => "delimited text",
            Format::Tsv => "tab-delimited text",
            Format::JsonLines => "JSON Lines",
            Format::Parquet => "a Parquet file",
            Format::ArrowIpc => "an Arrow IPC file or stream",
        }
    }
}

/// What the first bytes say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Magic {
    Gzip,
    Zstd,
    Parquet,
    ArrowFile,
    ArrowStream,
    Zip,
    Utf16,
    Other,
}

impl Magic {
    pub(crate) fn of(head: &[u8]) -> Magic {
        match head {
            [0x1f, 0x8b, ..] => Magic::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Magic::Zstd,
            [b'P', b'A', b'R', b'1', ..] => Magic::Parquet,
            [b'A', b'R', b'R', b'O', b'W', b'1', ..] => Magic::ArrowFile,
            [0xff, 0xff, 0xff, 0xff, ..] => Magic::ArrowStream,
            [b'P', b'K', 3, 4, ..] => Magic::Zip,
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Magic::Utf16,
            _ => Magic::Other,
        }
    }

    pub(crate) fn words(self) -> &'static str {
        match self {
            Magic::Gzip => "it is gzip",
            Magic::Zstd => "it is zstd",
            Magic::Parquet => "it is a Parquet file",
            Magic::ArrowFile => "it is an Arrow IPC file",
            Magic::ArrowStream => "it is an Arrow IPC stream",
            Magic::Zip => "it is a ZIP archive",
            Magic::Utf16 => "it begins like UTF-16",
            Magic::Other => "its first bytes are something else",
        }
    }
}

/// The format and packing of an input, from what was declared, its name and its first bytes.
pub(crate) fn detect(
    source_name: &str,
    declared: Option<Format>,
    head: &[u8],
) -> Result<(Format, Packing), IoError> {
    let magic = Magic::of(head);
    let named = Format::of_name(Path::new(source_name));
    let (format, packing) = match (declared, named) {
        (Some(format), _) => {
            let packing = match magic {
                Magic::Gzip if format.is_text() => Packing::Gzip,
                Magic::Zstd if format.is_text() => Packing::Zstd,
                _ => Packing::Plain,
            };
            (format, packing)
        }
        (None, Some(named)) => named,
        (None, None) => match magic {
            Magic::Parquet => (Format::Parquet, Packing::Plain),
            Magic::ArrowFile => (Format::ArrowIpc, Packing::Plain),
            _ => {
                return Err(IoError::UnknownFormat {
                    source_name: source_name.to_owned(),
                });
            }
        },
    };
    if head.is_empty() {
        return Err(IoError::EmptyInput {
            source_name: source_name.to_owned(),
        });
    }
    let mismatch = |expected: &str| {
        Err(IoError::FormatMismatch {
            source_name: source_name.to_owned(),
            expected: expected.to_owned(),
            found: magic.words().to_owned(),
        })
    };
    match (format, packing, magic) {
        (_, Packing::Gzip, Magic::Gzip) | (_, Packing::Zstd, Magic::Zstd) => {}
        (_, Packing::Gzip, _) => return mismatch("gzip"),
        (_, Packing::Zstd, _) => return mismatch("zstd"),
        (Format::Parquet, _, Magic::Parquet) => {}
        (Format::Parquet, ..) => return mismatch(format.words()),
        // Old streams begin with the bare length of the schema, so only a clear other magic is refused.
        (Format::ArrowIpc, _, Magic::ArrowFile | Magic::ArrowStream | Magic::Other) => {}
        (Format::ArrowIpc, ..) => return mismatch(format.words()),
        (_, _, Magic::Utf16) => {
            return Err(IoError::Encoding {
                source_name: source_name.to_owned(),
                found: "it begins like UTF-16".to_owned(),
            });
        }
        (_, _, Magic::Other) => {}
        _ => return mismatch(format.words()),
    }
    Ok((format, packing))
}
