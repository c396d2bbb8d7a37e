//! What can be wrong with an expression, and where.

use std::fmt::Write as _;

use super::ast::TextSpan;
use super::lex::is_invisible;

/// Why an expression cannot be read or does not fit the data.
///
/// Messages start with the place (`at column 9: …`, or `at line 2, column 9: …` in longer texts) unless the
/// expression was built in code. [`snippet`](Self::snippet) draws the place for a terminal.
///
/// ```
/// use desireline_core::expr::Expr;
/// let error = Expr::parse("channel ==").unwrap_err();
/// assert_eq!(error.to_string(), "at column 11: expected a value after `==`, found end of text");
/// ```
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ExprError {
    /// The text does not follow the grammar.
    #[error("{}expected {expected}, found {found}{}", lead(.at), tail(.help))]
    Syntax {
        /// Where.
        at: TextSpan,
        /// What would have been right.
        expected: String,
        /// What stood there.
        found: String,
        /// What to write instead.
        help: Option<String>,
    },
    /// A character or operator that the language does not have.
    #[error("{}{found} is not part of the language{}", lead(.at), tail(.help))]
    Character {
        /// Where.
        at: TextSpan,
        /// The character or operator.
        found: String,
        /// What to write instead.
        help: Option<String>,
    },
    /// A quote that is opened and never closed.
    #[error("{}expected a closing {quote} for the {quote} here, found end of text", lead(.at))]
    Unclosed {
        /// Where the quote opens.
        at: TextSpan,
        /// The quote.
        quote: char,
    },
    /// A backslash followed by something that means nothing.
    #[error("{}{found} is not a known escape{}", lead(.at), tail(.help))]
    Escape {
        /// Where.
        at: TextSpan,
        /// The escape as written.
        found: String,
        /// What to write instead.
        help: Option<String>,
    },
    /// A number that cannot be held.
    #[error("{}the number {found} {reason}", lead(.at))]
    Number {
        /// Where.
        at: TextSpan,
        /// The number as written.
        found: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A glob, URL template or regular expression that cannot be used.
    #[error("{}the pattern {pattern} {reason}", lead(.at))]
    Pattern {
        /// Where.
        at: TextSpan,
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A length of time that cannot be read.
    #[error("{}{found} is not a length of time such as 30m, 12h or 7d: {reason}", lead(.at))]
    Time {
        /// Where.
        at: TextSpan,
        /// The text.
        found: String,
        /// What is wrong with it.
        reason: String,
    },
    /// An empty event or field name.
    #[error("{}a name cannot be empty", lead(.at))]
    EmptyName {
        /// Where.
        at: TextSpan,
    },
    /// Longer than an expression may be.
    #[error("an expression of {bytes} bytes is longer than the limit of {limit}")]
    TooLong {
        /// Its length in canonical or given form.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// Nested deeper than an expression may be.
    #[error("{}nested deeper than the limit of {limit}", lead(.at))]
    TooDeep {
        /// Where the limit is passed.
        at: TextSpan,
        /// The limit.
        limit: usize,
    },
    /// More list values or patterns than an expression may have.
    #[error("{}more {what} than the limit of {limit}", lead(.at))]
    TooMany {
        /// Where the limit is passed.
        at: TextSpan,
        /// What there is too much of.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// A field that the data do not have.
    #[error("{}unknown field {field}{}", lead(.at), tail(.help))]
    UnknownField {
        /// Where.
        at: TextSpan,
        /// The field as written.
        field: String,
        /// The nearest known field, or the list of them.
        help: Option<String>,
    },
    /// `value` in a log without declared money.
    #[error(
        "{}the log has no declared money, which `value` means; declare its column and currency (`--value COLUMN --currency CODE`), or write `attr.value` for a column called so", lead(.at)
    )]
    ValueUndeclared {
        /// Where.
        at: TextSpan,
    },
    /// A field that could be either of two columns: the declared channel, and a column called `channel`.
    #[error(
        "{}{field} is both the declared channel and a column of its own; write `attr.channel` for the column, or the name of the channel's column", lead(.at)
    )]
    AmbiguousField {
        /// Where.
        at: TextSpan,
        /// The field as written.
        field: String,
    },
    /// An event name that the log does not have.
    #[error("{}no event is called `{name}`{}", lead(.at), tail(.help))]
    UnknownEvent {
        /// Where.
        at: TextSpan,
        /// The name as written.
        name: String,
        /// All names that the log has, most frequent first.
        known: Vec<String>,
        /// The nearest known name.
        help: Option<String>,
    },
    /// A field used against its type.
    #[error("{}{field} is {field_type}, which cannot be {operation}{}", lead(.at), tail(.help))]
    Type {
        /// Where.
        at: TextSpan,
        /// The field as written.
        field: String,
        /// The type of the field's values.
        field_type: String,
        /// What was asked of it.
        operation: String,
        /// What to write instead.
        help: Option<String>,
    },
}

fn lead(at: &TextSpan) -> String {
    if at.is_none() {
        String::new()
    } else {
        format!("at {at}: ")
    }
}

fn tail(help: &Option<String>) -> String {
    help.as_ref()
        .map(|help| format!("; {help}"))
        .unwrap_or_default()
}

/// `found` in backticks (unless it brings its own), made visible and cut to a length fit for a message.
pub(super) fn shorten(found: &str) -> String {
    const LIMIT: usize = 40;
    let quote = if found.len() > 1 && found.starts_with('`') && found.ends_with('`') {
        ""
    } else {
        "`"
    };
    let mut text = String::from(quote);
    for (n, c) in found.chars().enumerate() {
        if n == LIMIT {
            text.push('…');
            break;
        }
        if is_invisible(c) {
            let _ = write!(text, "\\u{{{:x}}}", u32::from(c));
        } else {
            text.push(c);
        }
    }
    text.push_str(quote);
    text
}

impl ExprError {
    /// Where in the text, if the expression came from text and the error has a place.
    pub fn span(&self) -> Option<TextSpan> {
        let at = match self {
            Self::TooLong { .. } => return None,
            Self::Syntax { at, .. }
            | Self::Character { at, .. }
            | Self::Unclosed { at, .. }
            | Self::Escape { at, .. }
            | Self::Number { at, .. }
            | Self::Pattern { at, .. }
            | Self::Time { at, .. }
            | Self::EmptyName { at }
            | Self::TooDeep { at, .. }
            | Self::TooMany { at, .. }
            | Self::UnknownField { at, .. }
            | Self::ValueUndeclared { at }
            | Self::AmbiguousField { at, .. }
            | Self::UnknownEvent { at, .. }
            | Self::Type { at, .. } => *at,
        };
        (!at.is_none()).then_some(at)
    }

    /// What to write instead, when that is known.
    pub fn help(&self) -> Option<&str> {
        match self {
            Self::Syntax { help, .. }
            | Self::Character { help, .. }
            | Self::Escape { help, .. }
            | Self::UnknownField { help, .. }
            | Self::UnknownEvent { help, .. }
            | Self::Type { help, .. } => help.as_deref(),
            _ => None,
        }
    }

    /// The line of `text` that the error is about with a caret under the place, then the message. Long lines are cut
    /// to the part around the place; characters that cannot be seen show as `·`.
    ///
    /// ```
    /// use desireline_core::expr::Expr;
    /// let text = "purchase and chanel =";
    /// let error = Expr::parse(text).unwrap_err();
    /// assert_eq!(error.snippet(text), "\
    /// purchase and chanel =
    ///                      ^
    /// at column 22: expected a value after `=`, found end of text");
    /// ```
    pub fn snippet(&self, text: &str) -> String {
        const BEFORE: usize = 60;
        const WIDTH: usize = 100;
        let Some(at) = self.span() else {
            return self.to_string();
        };
        let index = |n: u32| usize::try_from(n).unwrap_or(1).saturating_sub(1);
        let column = index(at.column);
        let line = text.split('\n').nth(index(at.line)).unwrap_or_default();
        let skip = column.saturating_sub(BEFORE);
        let mut out: String = line
            .chars()
            .skip(skip)
            .take(WIDTH)
            .map(|c| match c {
                '\t' => ' ',
                c if is_invisible(c) => '·',
                c => c,
            })
            .collect();
        out.truncate(out.trim_end().len());
        out.push('\n');
        out.extend(std::iter::repeat_n(' ', column - skip));
        let marked = text.get(at.start..at.end).unwrap_or_default();
        let on_line = marked.split('\n').next().unwrap_or_default();
        let room = WIDTH - (column - skip).min(WIDTH - 1);
        let carets = on_line.trim_end().chars().count().clamp(1, room);
        out.extend(std::iter::repeat_n('^', carets));
        let _ = write!(out, "\n{self}");
        out
    }
}
