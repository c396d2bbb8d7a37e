//! Journey maps in the formats of other tools: Mermaid, a CSV grid, CJML, Markdown and DOT.
//!
//! None of them holds all that a map says. So every export comes with the [losses](Loss) that it means, each part of the
//! document that the format does not carry, counted and with its first place; and every import with [notes](Note), each
//! thing in the text that found no place in a map, with its line and column. For the formats that are read and written,
//! [`kept`] is what comes back: `import(export(map))` equals `kept(map)`, part by part.
//!
//! Reader and writer of a format stand in one file, so that they agree. Readers are pure: they see a text and nothing else,
//! and a hostile one costs no more than its size.
//!
//! ```
//! use desireline_core::map::{Date, templates};
//! use desireline_report::exchange::{self, Exchange, ImportOptions};
//!
//! let text = templates::find("nng").ok_or("no such template")?.text;
//! let map = desireline_core::map::JourneyMap::from_yaml(text)?;
//! let drawn = exchange::export(&map, Exchange::Mermaid);
//! assert!(drawn.text.starts_with("journey\n"));
//! assert!(drawn.losses.iter().any(|l| l.what == "opportunities"));
//!
//! let today = Date::new(2026, 3, 31).ok_or("no such day")?;
//! let options = ImportOptions::new(today);
//! let back = exchange::import(&drawn.text, Exchange::Mermaid, &options)?;
//! assert_eq!(Some(back.map), exchange::kept(&map, Exchange::Mermaid, &options));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod cjml;
mod dot;
mod grid;
mod header;
mod losses;
mod markdown;
mod mermaid;
mod records;

use std::fmt;
use std::str::FromStr;

use desireline_core::map::{Date, JourneyMap};

pub use self::grid::Lane;
pub use self::losses::{Change, Loss};

/// Most bytes of a text that is read.
pub const MAX_BYTES: usize = 8 << 20;
/// Most parts of a map that is read from another format.
pub const MAX_PARTS: usize = 50_000;

/// A format that maps are exchanged in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Exchange {
    /// A `journey` diagram of Mermaid: sections of tasks with scores and actors.
    Mermaid,
    /// A grid for spreadsheets: rows are lanes, columns are touchpoints and steps.
    Csv,
    /// The Customer Journey Modelling Language, version 2.0: planned journeys out, planned and actual ones in.
    Cjml,
    /// A document to read; it is not read back.
    Markdown,
    /// A graph of stages and touchpoints for Graphviz; it is not read back.
    Dot,
    /// A graph of the stakeholders, how they stand to each other and what they answer for; it is not read back.
    Stakeholders,
}

impl Exchange {
    /// All of them.
    pub const ALL: &[Exchange] = &[
        Exchange::Mermaid,
        Exchange::Csv,
        Exchange::Cjml,
        Exchange::Markdown,
        Exchange::Dot,
        Exchange::Stakeholders,
    ];

    /// Its name on the command line and in Python.
    pub fn name(self) -> &'static str {
        match self {
            Exchange::Mermaid => "mermaid",
            Exchange::Csv => "csv",
            Exchange::Cjml => "cjml",
            Exchange::Markdown => "markdown",
            Exchange::Dot => "dot",
            Exchange::Stakeholders => "stakeholders",
        }
    }

    /// Whether maps are read from it.
    pub fn is_read(self) -> bool {
        matches!(self, Exchange::Mermaid | Exchange::Csv | Exchange::Cjml)
    }

    /// The format that a file's ending tells of.
    pub fn of_ending(ending: &str) -> Option<Exchange> {
        match ending.to_ascii_lowercase().as_str() {
            "mmd" | "mermaid" => Some(Exchange::Mermaid),
            "csv" | "tsv" => Some(Exchange::Csv),
            "cjml" | "xml" => Some(Exchange::Cjml),
            "md" | "markdown" => Some(Exchange::Markdown),
            "dot" | "gv" => Some(Exchange::Dot),
            _ => None,
        }
    }
}

impl fmt::Display for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Exchange {
    type Err = ExchangeError;
    fn from_str(text: &str) -> Result<Exchange, ExchangeError> {
        let text = text.to_ascii_lowercase();
        let found = Exchange::ALL.iter().find(|f| f.name() == text);
        found
            .copied()
            .or_else(|| Exchange::of_ending(&text))
            .ok_or(ExchangeError::UnknownFormat { name: text })
    }
}

/// A map in another format.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Exported {
    /// The text.
    pub text: String,
    /// What of the map it does not hold, in the order of the map's fields.
    pub losses: Vec<Loss>,
}

/// A map from another format.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Imported {
    /// The map.
    pub map: JourneyMap,
    /// What of the text found no place in it, in the order of the text.
    pub notes: Vec<Note>,
}

/// Something in a text that found no place in the map, or not as it stands.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Note {
    /// The line, from 1.
    pub line: u32,
    /// The column in it, in characters from 1.
    pub column: u32,
    /// What was found, and what became of it.
    pub message: String,
}

impl Note {
    fn new((line, column): (u32, u32), message: impl Into<String>) -> Note {
        Note {
            line,
            column,
            message: message.into(),
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Note {
            line,
            column,
            message,
        } = self;
        write!(f, "line {line}, column {column}: {message}")
    }
}

/// What an import cannot know from the text.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ImportOptions {
    /// The day whose knowledge the map shows.
    pub as_of: Date,
    /// The map's id; made from its title where none is given.
    pub id: Option<String>,
    /// Which lane of a CSV grid the rows of a name are, beside those that are known.
    pub lanes: Vec<(String, Lane)>,
}

impl ImportOptions {
    /// A map as of a day.
    pub fn new(as_of: Date) -> ImportOptions {
        ImportOptions {
            as_of,
            id: None,
            lanes: Vec::new(),
        }
    }

    /// With this id.
    #[must_use]
    pub fn id(mut self, id: impl Into<String>) -> ImportOptions {
        self.id = Some(id.into());
        self
    }

    /// With rows of this name read as a lane.
    #[must_use]
    pub fn lane(mut self, row: impl Into<String>, lane: Lane) -> ImportOptions {
        self.lanes.push((row.into(), lane));
        self
    }
}

/// Why a text gives no map.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExchangeError {
    /// The text does not follow the format.
    #[error("line {line}, column {column}: {problem}")]
    Syntax {
        /// The line, from 1.
        line: u32,
        /// The column in it, in characters from 1.
        column: u32,
        /// What is wrong and what was expected.
        problem: String,
    },
    /// The text is larger than is read.
    #[error("{found} {what}, over the limit of {limit}")]
    Limit {
        /// Of what there is too much.
        what: &'static str,
        /// How much there is.
        found: usize,
        /// How much there may be.
        limit: usize,
    },
    /// The format is for people or other tools only.
    #[error("{format} is written and not read; maps are read from mermaid, csv and cjml")]
    NotRead {
        /// The format.
        format: Exchange,
    },
    /// There is no such format.
    #[error(
        "there is no format `{name}`; there are mermaid, csv, cjml, markdown, dot and stakeholders"
    )]
    UnknownFormat {
        /// The name.
        name: String,
    },
    /// The id that was wanted is none.
    #[error("`{id}` is no id: small letters, digits and hyphens, at most 64")]
    Id {
        /// What was given.
        id: String,
    },
}

impl ExchangeError {
    fn syntax((line, column): (u32, u32), problem: impl Into<String>) -> ExchangeError {
        ExchangeError::Syntax {
            line,
            column,
            problem: problem.into(),
        }
    }
}

/// A map as a text of another format, and what that loses. Texts are those of the map's own language.
///
/// Facts that personas call sensitive are left out; [`export_with`] can show them.
pub fn export(map: &JourneyMap, format: Exchange) -> Exported {
    export_with(map, format, &ExportOptions::default())
}

/// What an export may say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExportOptions {
    /// Whether facts that personas call sensitive are shown, where the format shows facts.
    pub sensitive: bool,
}

impl ExportOptions {
    /// With the facts that personas call sensitive, or without.
    #[must_use]
    pub fn sensitive(mut self, shown: bool) -> ExportOptions {
        self.sensitive = shown;
        self
    }
}

/// [`export`], as the options say.
pub fn export_with(map: &JourneyMap, format: Exchange, options: &ExportOptions) -> Exported {
    let hidden = (!options.sensitive).then(|| map.without_sensitive());
    let told = hidden.as_ref().unwrap_or(map);
    let text = match format {
        Exchange::Mermaid => mermaid::write(told),
        Exchange::Csv => grid::write(told),
        Exchange::Cjml => cjml::write(told),
        Exchange::Markdown => markdown::write(told),
        Exchange::Dot => dot::journey(told),
        Exchange::Stakeholders => dot::stakeholders(told),
    };
    // The head of a map is not in any of them: what an import makes up for it does not count as kept.
    let losses = match kept(told, format, &ImportOptions::new(map.as_of)) {
        Some(kept) => losses::between(map, &kept),
        None => {
            let shown = match format {
                Exchange::Markdown => markdown::SHOWN,
                Exchange::Dot => dot::SHOWN,
                _ => dot::SHOWN_STAKEHOLDERS,
            };
            let mut lost = losses::unless_shown(map, shown);
            for loss in losses::between(map, told) {
                // What the format does not show is lost already.
                if !lost.iter().any(|l| loss.what.starts_with(&l.what)) {
                    lost.push(loss);
                }
            }
            lost
        }
    };
    Exported { text, losses }
}

/// The map that a text of another format draws. It is a draft whose owner is still to be named.
///
/// # Errors
/// [`ExchangeError`]: the text is not of the format, or too large; or the format is not read.
pub fn import(
    text: &str,
    format: Exchange,
    options: &ImportOptions,
) -> Result<Imported, ExchangeError> {
    if text.len() > MAX_BYTES {
        return Err(ExchangeError::Limit {
            what: "bytes",
            found: text.len(),
            limit: MAX_BYTES,
        });
    }
    if let Some(id) = &options.id
        && !desireline_core::map::Id::from(id.as_str()).is_valid()
    {
        return Err(ExchangeError::Id { id: id.clone() });
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut imported = match format {
        Exchange::Mermaid => mermaid::read(text, options)?,
        Exchange::Csv => grid::read(text, options)?,
        Exchange::Cjml => cjml::read(text, options)?,
        format => return Err(ExchangeError::NotRead { format }),
    };
    imported.notes.sort_by_key(|n| (n.line, n.column));
    Ok(imported)
}

/// What of a map a format keeps: the map that comes back when the export is imported with the same options. `None` for
/// formats that are not read.
pub fn kept(map: &JourneyMap, format: Exchange, options: &ImportOptions) -> Option<JourneyMap> {
    match format {
        Exchange::Mermaid => Some(mermaid::kept(map, options)),
        Exchange::Csv => Some(grid::kept(map, options)),
        Exchange::Cjml => Some(cjml::kept(map, options)),
        _ => None,
    }
}
