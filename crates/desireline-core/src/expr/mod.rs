//! A small typed language for goals, steps, selections and segments: which events count?
//!
//! ```text
//! purchase                                      the events named `purchase`
//! ER Registration                               names of several words need no quotes
//! event == "purchase" and channel in ["web", "app"] and value >= 20
//! url like "/product/:id" or url ~ "^/blog/\d+"
//! not exists channel
//! first(purchase)                               the journey's first purchase
//! nth(page_view, 3)                             its third page view
//! after(add_to_cart, 30m) and purchase          a purchase within 30 minutes after an add to cart
//! ```
//!
//! # Grammar
//! ```text
//! expr    := and {"or" and}                     `or` binds loosest, then `and`, then `not`
//! and     := unary {"and" unary}
//! unary   := "not" unary | atom
//! atom    := "(" expr ")" | "true" | "false" | name
//!          | field ("=" | "==" | "!=" | "<" | "<=" | ">" | ">=") literal
//!          | field ["not"] "in" "[" [literal {"," literal} [","]] "]"
//!          | field ["not"] "like" text          a glob or a URL template
//!          | field "~" text                     a regular expression
//!          | "exists" field
//!          | "first" "(" expr ")" | "nth" "(" expr "," count ")" | "after" "(" expr "," time span ")"
//! field   := "event" | "customer" | "time" | "value" | word | quoted
//!          | ("attr." | "person." | "customer.") (word | quoted | text)
//! name    := word {word} | quoted
//! literal := text | number | "true" | "false"
//! ```
//! - A *word* is a run of letters, digits, `_ - . / :` and any visible non-ASCII character. Adjacent words are one event
//!   name, joined by single spaces; a word before an operator is a field.
//! - *Text* stands in double or single quotes, a *quoted* name in backticks. Escapes: `\\ \" \' \`` `\n \r \t \u{e9}`.
//!   After `like` and `~` any other backslash belongs to the pattern, so `"\d"` needs no doubling.
//! - Keywords are written in lower or upper case. In mixed case they are plain words, so `Log In` is a name, while
//!   `Log in` needs backticks; only `True` and `False` count in any case. `first`, `nth` and `after` are plain words
//!   unless a `(` follows.
//! - A bare field such as `channel` is an attribute of the event or the customer, whichever has it; `attr.` and
//!   `person.` say which. A name in backticks is always an attribute: `` `time` `` is a column, `time` the event's time.
//!
//! An expression knows no data. [`Expr::check`] compares it with the columns there are ([`Schema`]); the log compiles it
//! against its vocabulary.
//!
//! Limits: [`MAX_TEXT`] bytes, [`MAX_DEPTH`] levels, [`MAX_LIST`] values in a list, [`MAX_PATTERNS`] patterns.
//! Whatever keeps to them is read, printed, checked and bound within 1 MiB of stack, in an unoptimised build too.

mod ast;
mod build;
mod check;
mod error;
mod expect;
mod lex;
mod parse;
mod pattern;
mod print;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use self::ast::{CompareOp, Expr, Field, Literal, Node, Scope, TextSpan};
pub use self::build::{Col, IntoExpr, after, col, event, first, nth};
pub use self::check::{FieldType, Schema, nearest};
pub use self::error::ExprError;
pub use self::pattern::Pattern;

/// Longest text of an expression, in bytes.
pub const MAX_TEXT: usize = 64 * 1024;
/// Deepest nesting of parentheses, `not` and functions.
pub const MAX_DEPTH: usize = 64;
/// Most values in one list.
pub const MAX_LIST: usize = 10_000;
/// Most patterns (`like` and `~`) in one expression: each is compiled when it is read, and a hostile one takes some 20 ms.
pub const MAX_PATTERNS: usize = 100;

impl Expr {
    /// Reads an expression from its text.
    ///
    /// ```
    /// use desireline_core::expr::{Expr, col, event};
    /// let read = Expr::parse("event = 'purchase' and value >= 20")?;
    /// assert_eq!(read, col("event").eq("purchase") & col("value").ge(20));
    /// assert_eq!(read.to_string(), r#"event == "purchase" and value >= 20"#);
    /// assert_eq!(Expr::parse("ER Registration")?, event("ER Registration"));
    /// # Ok::<(), desireline_core::expr::ExprError>(())
    /// ```
    ///
    /// # Errors
    /// What is wrong and where; see [`ExprError`].
    pub fn parse(text: &str) -> Result<Self, ExprError> {
        parse::parse(text)
    }
}

impl FromStr for Expr {
    type Err = ExprError;
    fn from_str(text: &str) -> Result<Self, ExprError> {
        Self::parse(text)
    }
}

impl TryFrom<&str> for Expr {
    type Error = ExprError;
    fn try_from(text: &str) -> Result<Self, ExprError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for Expr {
    type Error = ExprError;
    fn try_from(text: String) -> Result<Self, ExprError> {
        Self::parse(&text)
    }
}

/// As its canonical text; an expression that could not be read back is an error.
impl Serialize for Expr {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.validate().map_err(serde::ser::Error::custom)?;
        let text = self.to_string();
        if text.len() > MAX_TEXT {
            return Err(serde::ser::Error::custom(ExprError::TooLong {
                bytes: text.len(),
                limit: MAX_TEXT,
            }));
        }
        serializer.serialize_str(&text)
    }
}

impl<'de> Deserialize<'de> for Expr {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Expr;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the text of an expression, such as `purchase and value >= 20`")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Expr, E> {
                Expr::parse(text)
                    .map_err(|error| E::custom(format_args!("in an expression, {error}")))
            }
        }
        deserializer.deserialize_str(Visitor)
    }
}

impl schemars::JsonSchema for Expr {
    fn schema_name() -> Cow<'static, str> {
        "Expression".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "format": "expression",
            "maxLength": MAX_TEXT,
            "description": "A condition on events: an event name, or an expression such as \
                `event == \"purchase\" and channel in [\"web\", \"app\"] and value >= 20`.",
        })
    }
}
