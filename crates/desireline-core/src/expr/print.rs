//! The canonical text of an expression, which reads back as the same expression.

use std::fmt::{self, Write as _};

use super::ast::{Expr, Field, Literal, Node, Scope};
use super::lex::{is_bare_word, is_invisible, keyword};
use super::parse::scope;

/// How tightly a place binds: what stands there looser gets parentheses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Binding {
    Or,
    And,
    Unary,
}

impl Node {
    pub(super) fn binding(&self) -> Binding {
        match self {
            Self::And(list) if list.len() > 1 => Binding::And,
            Self::Or(list) if list.len() > 1 => Binding::Or,
            _ => Binding::Unary,
        }
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_expr(f, self, Binding::Or)
    }
}

fn write_expr(f: &mut fmt::Formatter<'_>, expr: &Expr, place: Binding) -> fmt::Result {
    if expr.node.binding() < place {
        f.write_char('(')?;
        write_expr(f, expr, Binding::Or)?;
        return f.write_char(')');
    }
    match &expr.node {
        Node::All => f.write_str("true"),
        Node::Name(name) => write_name(f, name),
        Node::Compare { field, op, value } => write!(f, "{field} {} {value}", op.symbol()),
        Node::In { field, values } => write_in(f, field, "in", values),
        Node::Like { field, pattern } => write_like(f, field, "like", pattern),
        Node::Matches { field, pattern } => write_like(f, field, "~", pattern),
        Node::Exists(field) => write!(f, "exists {field}"),
        Node::First(inner) => write!(f, "first({inner})"),
        Node::Nth(inner, n) => write!(f, "nth({inner}, {n})"),
        Node::After { anchor, within } => {
            let within = within.to_string();
            if within.split(' ').all(is_bare_word) {
                write!(f, "after({anchor}, {within})")
            } else {
                write!(f, "after({anchor}, ")?;
                write_quoted(f, &within, '"')?;
                f.write_char(')')
            }
        }
        Node::Not(inner) => match &inner.node {
            Node::In { field, values } => write_in(f, field, "not in", values),
            Node::Like { field, pattern } => write_like(f, field, "not like", pattern),
            _ => {
                f.write_str("not ")?;
                write_expr(f, inner, Binding::Unary)
            }
        },
        Node::And(list) => write_list(f, list, "and", "true", place, Binding::Unary),
        Node::Or(list) => write_list(f, list, "or", "not true", place, Binding::And),
    }
}

fn write_list(
    f: &mut fmt::Formatter<'_>,
    list: &[Expr],
    word: &str,
    empty: &str,
    place: Binding,
    members: Binding,
) -> fmt::Result {
    match list {
        [] => f.write_str(empty),
        [only] => write_expr(f, only, place),
        [first, rest @ ..] => {
            write_expr(f, first, members)?;
            for expr in rest {
                write!(f, " {word} ")?;
                write_expr(f, expr, members)?;
            }
            Ok(())
        }
    }
}

fn write_in(
    f: &mut fmt::Formatter<'_>,
    field: &Field,
    word: &str,
    values: &[Literal],
) -> fmt::Result {
    write!(f, "{field} {word} [")?;
    for (n, value) in values.iter().enumerate() {
        let comma = if n == 0 { "" } else { ", " };
        write!(f, "{comma}{value}")?;
    }
    f.write_char(']')
}

fn write_like(f: &mut fmt::Formatter<'_>, field: &Field, word: &str, pattern: &str) -> fmt::Result {
    write!(f, "{field} {word} ")?;
    write_quoted(f, pattern, '"')
}

/// Bare where it reads back as the same name, else in backticks.
fn write_name(f: &mut fmt::Formatter<'_>, name: &str) -> fmt::Result {
    let bare = name
        .split(' ')
        .all(|word| is_bare_word(word) && keyword(word).is_none());
    if bare {
        f.write_str(name)
    } else {
        write_quoted(f, name, '`')
    }
}

fn write_quoted(f: &mut fmt::Formatter<'_>, text: &str, quote: char) -> fmt::Result {
    f.write_char(quote)?;
    for c in text.chars() {
        match c {
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            c if c == quote || c == '\\' => write!(f, "\\{c}")?,
            c if is_invisible(c) => write!(f, "\\u{{{:x}}}", u32::from(c))?,
            c => f.write_char(c)?,
        }
    }
    f.write_char(quote)
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (prefix, name) = match self {
            Self::Event => return f.write_str("event"),
            Self::Customer => return f.write_str("customer"),
            Self::Time => return f.write_str("time"),
            Self::Value => return f.write_str("value"),
            Self::Attribute {
                scope: Scope::Event,
                name,
            } => ("attr.", name),
            Self::Attribute {
                scope: Scope::Customer,
                name,
            } => ("person.", name),
            Self::Attribute {
                scope: Scope::Any,
                name,
            } => {
                let starts_number =
                    name.starts_with(|c: char| c.is_ascii_digit() || "-.".contains(c));
                let bare = is_bare_word(name)
                    && keyword(name).is_none()
                    && scope(name).is_none()
                    && !starts_number
                    && !matches!(name.as_str(), "event" | "customer" | "time" | "value");
                return if bare {
                    f.write_str(name)
                } else {
                    write_quoted(f, name, '`')
                };
            }
        };
        f.write_str(prefix)?;
        if is_bare_word(name) {
            f.write_str(name)
        } else {
            write_quoted(f, name, '"')
        }
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write_quoted(f, text, '"'),
            Self::Integer(n) => write!(f, "{n}"),
            // Debug is the shortest text that reads back as the same float, always with a point or an exponent.
            Self::Decimal(x) => write!(f, "{x:?}"),
            Self::Boolean(b) => write!(f, "{b}"),
        }
    }
}
