//! What is wrong with a document, and where.

use std::fmt::{self, Write as _};

use super::node::Node;
use crate::expr::{Expr, TextSpan};

/// One thing that is wrong with a document.
///
/// ```
/// use desireline_core::map::JourneyMap;
/// let error = JourneyMap::from_yaml("schema: 1\nid: shop\ntitel: Shop\n").unwrap_err();
/// let problem = &error.problems()[0];
/// assert_eq!(problem.to_string(), "line 3, column 1: unknown key `titel`; did you mean `title`?");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where in the text; nowhere for documents that were not read from text.
    pub at: TextSpan,
    /// The part that it is about, as a JSON pointer such as `/stages/2/name`; empty for the whole document.
    pub pointer: String,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
}

impl Problem {
    pub(super) fn syntax(at: TextSpan, message: impl Into<String>) -> Problem {
        Problem {
            at,
            pointer: String::new(),
            message: message.into(),
            help: None,
        }
    }

    pub(super) fn empty() -> Problem {
        let at = TextSpan {
            line: 1,
            column: 1,
            ..TextSpan::NONE
        };
        Problem::syntax(at, "the document is empty")
            .or_help(Some("`desireline map new` writes one to begin with"))
    }

    pub(super) fn or_help(mut self, help: Option<impl Into<String>>) -> Problem {
        self.help = self.help.or(help.map(Into::into));
        self
    }

    /// Whether it is an unknown key that was most likely meant to be the one that a pointer names.
    pub(super) fn stands_for(&self, pointer: &str) -> bool {
        let (Some((here, _)), Some((there, wanted))) =
            (self.pointer.rsplit_once('/'), pointer.rsplit_once('/'))
        else {
            return false;
        };
        here == there && self.help.as_deref() == Some(&format!("did you mean `{wanted}`?"))
    }

    /// The message with its help.
    pub fn told(&self) -> String {
        match &self.help {
            Some(help) => format!("{}; {help}", self.message),
            None => self.message.clone(),
        }
    }

    /// The line of `text` that it is about with a caret under the place, then the message.
    pub fn snippet(&self, text: &str) -> String {
        let mut out = caret(text, self.at).unwrap_or_default();
        let _ = write!(out, "{self}");
        out
    }
}

/// A line of `text` with carets under a place, each with a line break behind it.
pub(crate) fn caret(text: &str, at: TextSpan) -> Option<String> {
    const BEFORE: usize = 60;
    const WIDTH: usize = 100;
    if at.is_none() {
        return None;
    }
    let index = |n: u32| usize::try_from(n).unwrap_or(1).saturating_sub(1);
    let column = index(at.column);
    let line = text.split('\n').nth(index(at.line))?;
    let skip = column.saturating_sub(BEFORE);
    let shown: String = line
        .chars()
        .skip(skip)
        .take(WIDTH)
        .map(|c| match c {
            '\t' => ' ',
            c if c.is_control() => '·',
            c => c,
        })
        .collect();
    let marked = text.get(at.start..at.end).unwrap_or_default();
    let marked = marked.split('\n').next().unwrap_or_default().trim_end();
    // Of a mapping or list in brackets, where it begins.
    let marked = if marked.starts_with(['{', '[']) {
        ""
    } else {
        marked
    };
    let room = WIDTH.saturating_sub(column - skip).max(1);
    Some(format!(
        "{}\n{}{}\n",
        shown.trim_end(),
        " ".repeat(column - skip),
        "^".repeat(marked.chars().count().clamp(1, room))
    ))
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.at.is_none() {
            write!(f, "line {}, column {}: ", self.at.line, self.at.column)?;
        } else if !self.pointer.is_empty() {
            write!(f, "at {}: ", self.pointer)?;
        }
        f.write_str(&self.told())
    }
}

/// Why a document is no map: everything that was found wrong, in the order of the text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", told(problems))]
pub struct MapError {
    problems: Vec<Problem>,
}

fn told(problems: &[Problem]) -> String {
    match problems {
        [] => "the document cannot be read".to_owned(),
        [one] => one.to_string(),
        [first, rest @ ..] => format!("{first} (and {} more)", rest.len()),
    }
}

impl MapError {
    pub(crate) fn of(mut problems: Vec<Problem>) -> MapError {
        problems.sort_by(|a, b| (a.at.start, &a.pointer).cmp(&(b.at.start, &b.pointer)));
        MapError { problems }
    }

    /// Names all keys that the document is without, where it is without one: reading stops at the first.
    pub(crate) fn all_missing(mut self, tree: &Node, needed: &[&str]) -> MapError {
        let meant = |key: &str| {
            let pointer = format!("/{key}");
            self.problems.iter().any(|p| p.stands_for(&pointer))
        };
        let missing = needed
            .iter()
            .filter(|key| tree.get(key).is_none() && !meant(key));
        let missing: Vec<String> = missing.map(|key| format!("`{key}`")).collect();
        let lead = "the key `";
        let first = |p: &&mut Problem| p.pointer.is_empty() && p.message.starts_with(lead);
        if missing.len() > 1
            && let Some(problem) = self.problems.iter_mut().find(first)
        {
            problem.message = format!("the keys {} are missing", missing.join(", "));
        }
        self
    }

    /// Everything that is wrong; never empty.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// All problems, each with its line of `text` and a caret.
    pub fn snippets(&self, text: &str) -> String {
        let shown: Vec<String> = self.problems.iter().map(|p| p.snippet(text)).collect();
        shown.join("\n\n")
    }
}

impl From<Problem> for MapError {
    fn from(problem: Problem) -> MapError {
        MapError {
            problems: vec![problem],
        }
    }
}

/// Where in the document a place of an expression's own text is: exactly where the text stands there as it is, else
/// where the expression begins.
pub(crate) fn within(document: &str, node: &Node, inner: TextSpan) -> TextSpan {
    let (Some(text), false) = (node.text(), inner.is_none()) else {
        return node.span;
    };
    let raw = document
        .get(node.span.start..node.span.end)
        .unwrap_or_default();
    let index = |n: u32| usize::try_from(n).unwrap_or(1).saturating_sub(1);
    let Some(wanted) = text.split('\n').nth(index(inner.line)) else {
        return node.span;
    };
    // The lines of a block stand below each other, indented; a text in quotes begins behind its quote.
    let mut start = node.span.start;
    for (line, piece) in (node.span.line..).zip(raw.split('\n')) {
        if line - node.span.line >= inner.line.saturating_sub(1)
            && !wanted.trim().is_empty()
            && let Some(offset) = piece.find(wanted.trim_end())
        {
            let lead: String = wanted.chars().take(index(inner.column)).collect();
            let from = start + offset + lead.len();
            let line_start = document
                .get(..from)
                .and_then(|b| b.rfind('\n'))
                .map_or(0, |i| i + 1);
            let before = document.get(line_start..from).unwrap_or_default();
            let length = inner.end.saturating_sub(inner.start);
            return TextSpan {
                start: from,
                end: (from + length).min(node.span.end.max(from)),
                line,
                column: u32::try_from(before.chars().count() + 1).unwrap_or(u32::MAX),
            };
        }
        start += piece.len() + 1;
    }
    node.span
}

/// The place and words of an expression that cannot be read, given the node that holds it.
pub(super) fn expression(document: &str, node: &Node) -> Option<(TextSpan, String)> {
    let error = Expr::parse(node.text()?).err()?;
    let told = error.to_string();
    // The place is said by the document's own line and column.
    let told = match (error.span(), told.split_once(": ")) {
        (Some(_), Some((lead, rest))) if lead.starts_with("at ") => rest.to_owned(),
        _ => told,
    };
    let at = error
        .span()
        .map_or(node.span, |inner| within(document, node, inner));
    Some((at, told))
}
