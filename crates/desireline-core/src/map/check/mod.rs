//! Whether a map that can be read is a good one: references, rules, and what a careful reader would ask.
//!
//! ```
//! use desireline_core::map::check::{CheckOptions, check};
//! use desireline_core::map::{Form, MapFile, templates};
//! let file = MapFile::read(templates::find("blank").ok_or("no such template")?.text, Form::Yaml)?;
//! let report = check(&file, &CheckOptions::new());
//! assert!(report.errors().next().is_none());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod codes;
mod grounds;
mod journey;
mod names;
mod rules;

use serde::Serialize;

pub use self::codes::{Code, Level};
use super::{CheckSettings, Date, LifecycleDocument, MapError, MapFile};
use crate::expr::TextSpan;

/// Something that is said of a map.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Notice {
    /// What it is.
    pub code: Code,
    /// How bad it is here.
    pub level: Level,
    /// The part it is about, as a JSON pointer; empty for the whole map.
    pub pointer: String,
    /// Where that stands in the text, lines and columns from 1; nothing for a map made in code.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "place")]
    pub at: Option<TextSpan>,
    /// What is said.
    pub message: String,
    /// What can be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

#[allow(clippy::ref_option)] // as serde calls it
fn place<S: serde::Serializer>(at: &Option<TextSpan>, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Place {
        line: u32,
        column: u32,
    }
    let place = at.map(|at| Place {
        line: at.line,
        column: at.column,
    });
    place.serialize(serializer)
}

impl Notice {
    /// The message with its help.
    pub fn told(&self) -> String {
        match &self.help {
            Some(help) => format!("{}; {help}", self.message),
            None => self.message.clone(),
        }
    }
}

/// How a map is looked at.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct CheckOptions {
    /// The day it is; what can be stale is looked at only where it is said.
    pub today: Option<Date>,
    /// What counts as an error.
    pub deny: Vec<Code>,
    /// What is not mentioned. Errors are always mentioned.
    pub allow: Vec<Code>,
    /// Whether every warning counts as an error, unless it is allowed.
    pub deny_warnings: bool,
    /// The lifecycle documents there are; where there is one, the one that a map names must be among them.
    pub lifecycles: Vec<LifecycleDocument>,
}

impl CheckOptions {
    /// Nothing denied, nothing allowed, no day.
    pub fn new() -> CheckOptions {
        CheckOptions::default()
    }

    /// The day it is.
    #[must_use]
    pub fn today(mut self, today: Date) -> CheckOptions {
        self.today = Some(today);
        self
    }

    /// Lets codes count as errors.
    #[must_use]
    pub fn deny(mut self, codes: impl IntoIterator<Item = Code>) -> CheckOptions {
        self.deny.extend(codes);
        self
    }

    /// Keeps codes from being mentioned.
    #[must_use]
    pub fn allow(mut self, codes: impl IntoIterator<Item = Code>) -> CheckOptions {
        self.allow.extend(codes);
        self
    }

    /// Holds maps against the lifecycle documents that they name.
    #[must_use]
    pub fn lifecycles(
        mut self,
        documents: impl IntoIterator<Item = LifecycleDocument>,
    ) -> CheckOptions {
        self.lifecycles.extend(documents);
        self
    }

    /// Lets every warning count as an error, unless it is allowed.
    #[must_use]
    pub fn deny_warnings(mut self) -> CheckOptions {
        self.deny_warnings = true;
        self
    }

    /// How bad a code is on a map with `settings`; `None` if it is not to be mentioned.
    fn level(&self, code: Code, usual: Level, settings: Option<&CheckSettings>) -> Option<Level> {
        if code.level() == Level::Error {
            // What makes a map unusable cannot be switched off; a draft may be milder, and be denied.
            let denied = self.deny_warnings || self.deny.contains(&code);
            return Some(if denied { Level::Error } else { usual });
        }
        let among = |codes: &[String]| codes.iter().any(|c| c.parse() == Ok(code));
        let (deny, allow) = settings.map_or((false, false), |s| (among(&s.deny), among(&s.allow)));
        let all = settings.is_some_and(|s| s.deny.iter().any(|c| c == "warnings"));
        if self.allow.contains(&code) {
            return None;
        }
        if self.deny.contains(&code) {
            return Some(Level::Error);
        }
        if allow {
            return None;
        }
        if deny || (all || self.deny_warnings) && usual == Level::Warning {
            return Some(Level::Error);
        }
        Some(usual)
    }
}

/// All that is said of a map, in the order of its text.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct CheckReport {
    /// What is said.
    pub notices: Vec<Notice>,
}

impl CheckReport {
    /// A document that cannot be read.
    pub fn unreadable(error: &MapError) -> CheckReport {
        let notices = error.problems().iter().map(|p| Notice {
            code: Code::Read,
            level: Level::Error,
            pointer: p.pointer.clone(),
            at: (!p.at.is_none()).then_some(p.at),
            message: p.message.clone(),
            help: p.help.clone(),
        });
        CheckReport {
            notices: notices.collect(),
        }
    }

    /// The errors.
    pub fn errors(&self) -> impl Iterator<Item = &Notice> {
        self.of(Level::Error)
    }

    /// The warnings.
    pub fn warnings(&self) -> impl Iterator<Item = &Notice> {
        self.of(Level::Warning)
    }

    /// What is said at a level.
    pub fn of(&self, level: Level) -> impl Iterator<Item = &Notice> {
        self.notices.iter().filter(move |n| n.level == level)
    }

    /// What is said under a code.
    pub fn with(&self, code: Code) -> impl Iterator<Item = &Notice> {
        self.notices.iter().filter(move |n| n.code == code)
    }
}

/// Looks at a map without a log.
pub fn check(file: &MapFile, options: &CheckOptions) -> CheckReport {
    let mut notes = Notes::new(file, options);
    notes.look();
    notes.finish()
}

/// What is being said of a map.
pub(crate) struct Notes<'f> {
    pub(crate) file: &'f MapFile,
    pub(crate) options: &'f CheckOptions,
    notices: Vec<Notice>,
}

impl<'f> Notes<'f> {
    pub(crate) fn new(file: &'f MapFile, options: &'f CheckOptions) -> Notes<'f> {
        Notes {
            file,
            options,
            notices: Vec::new(),
        }
    }

    /// Everything that needs no log.
    pub(crate) fn look(&mut self) {
        names::look(self);
        rules::look(self);
        journey::look(self);
        grounds::look(self);
    }

    pub(crate) fn settings(&self) -> Option<&'f CheckSettings> {
        self.file.map().checks.as_ref()
    }

    /// Below how many observations a number is too small.
    pub(crate) fn min_n(&self) -> u64 {
        self.settings().and_then(|s| s.min_n).unwrap_or(10)
    }

    pub(crate) fn say(&mut self, code: Code, pointer: &str, message: String, help: Option<String>) {
        self.say_as(code, code.level(), pointer, message, help);
    }

    pub(crate) fn say_as(
        &mut self,
        code: Code,
        level: Level,
        pointer: &str,
        message: String,
        help: Option<String>,
    ) {
        let at = self.file.place(pointer);
        self.say_at(code, level, pointer, at, message, help);
    }

    pub(crate) fn say_at(
        &mut self,
        code: Code,
        level: Level,
        pointer: &str,
        at: TextSpan,
        message: String,
        help: Option<String>,
    ) {
        let Some(level) = self.options.level(code, level, self.settings()) else {
            return;
        };
        self.notices.push(Notice {
            code,
            level,
            pointer: pointer.to_owned(),
            at: (!at.is_none()).then_some(at),
            message,
            help,
        });
    }

    pub(crate) fn finish(mut self) -> CheckReport {
        let start = |n: &Notice| n.at.map_or(0, |at| at.start);
        self.notices
            .sort_by(|a, b| (start(a), a.code, &a.pointer).cmp(&(start(b), b.code, &b.pointer)));
        self.notices.dedup();
        CheckReport {
            notices: self.notices,
        }
    }
}
