//! Trees as YAML and JSON, in the order of the types, so that two versions compare line by line.

use std::fmt::Write as _;

use serde::ser::{Serialize, SerializeMap as _, SerializeSeq as _, Serializer};

use super::decode::OWN_KEYS;
use super::node::{Node, Resolved, Value, resolve};
use super::{MapError, Problem, json};

/// The tree of a value; keys of people's own stand among the others.
pub(crate) fn tree<T: Serialize>(value: &T) -> Result<Node, MapError> {
    // serde_json writes fields as they are declared; its own tree would sort them.
    let text = serde_json::to_string(value).map_err(|e| {
        let at = crate::expr::TextSpan::NONE;
        MapError::from(Problem::syntax(at, e.to_string()))
    })?;
    let mut tree = json::read(&text)?;
    unfold(&mut tree);
    Ok(tree)
}

/// Lifts what stands under `x-` into the mapping around it.
fn unfold(node: &mut Node) {
    match &mut node.value {
        Value::List(items) => items.iter_mut().for_each(unfold),
        Value::Map(entries) => {
            if let Some(place) = entries.iter().position(|(k, _)| k.name == OWN_KEYS)
                && let Value::Map(own) = entries.remove(place).1.value
            {
                entries.extend(own);
            }
            entries.iter_mut().for_each(|(_, n)| unfold(n));
        }
        _ => {}
    }
}

/// Serde's form of a tree, with its keys in their order.
impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.value {
            Value::List(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    list.serialize_element(item)?;
                }
                list.end()
            }
            Value::Map(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                for (key, value) in entries {
                    map.serialize_entry(&key.name, value)?;
                }
                map.end()
            }
            _ => self.to_json().serialize(serializer),
        }
    }
}

/// The widest line that holds a whole list or mapping.
const WIDTH: usize = 110;

/// A tree as YAML, with a line break at its end.
pub(crate) fn yaml(node: &Node) -> String {
    let mut out = String::new();
    match &node.value {
        Value::Map(entries) if !entries.is_empty() => map(&mut out, node, 0, false),
        _ => {
            out.push_str(&flow(node));
            out.push('\n');
        }
    }
    out
}

fn map(out: &mut String, node: &Node, indent: usize, mut begun: bool) {
    let Value::Map(entries) = &node.value else {
        return;
    };
    for (key, value) in entries {
        if !std::mem::replace(&mut begun, false) {
            let _ = write!(out, "{:indent$}", "");
        }
        let name = scalar(&key.name, false);
        out.push_str(&name);
        out.push(':');
        value_of(out, value, indent, indent + name.chars().count() + 2);
    }
}

/// What stands behind `key:` or `-`; `column` is where it would begin.
fn value_of(out: &mut String, value: &Node, indent: usize, column: usize) {
    if let Some(text) = value.text()
        && matches!(value.value, Value::Text(_))
        && is_block(text)
    {
        out.push_str(if text.ends_with('\n') {
            " |\n"
        } else {
            " |-\n"
        });
        for line in text.strip_suffix('\n').unwrap_or(text).split('\n') {
            if !line.is_empty() {
                let _ = write!(out, "{:width$}{line}", "", width = indent + 2);
            }
            out.push('\n');
        }
        return;
    }
    if is_flat(value) {
        let line = flow(value);
        if column + line.chars().count() <= WIDTH || value.text().is_some() {
            let _ = writeln!(out, " {line}");
            return;
        }
    }
    match &value.value {
        Value::List(items) => {
            out.push('\n');
            for item in items {
                let _ = write!(out, "{:width$}-", "", width = indent + 2);
                match &item.value {
                    Value::Map(entries) if !entries.is_empty() => {
                        out.push(' ');
                        map(out, item, indent + 4, true);
                    }
                    _ => value_of(out, item, indent + 2, indent + 4),
                }
            }
        }
        Value::Map(_) => {
            out.push('\n');
            map(out, value, indent + 2, false);
        }
        _ => {
            let _ = writeln!(out, " {}", flow(value));
        }
    }
}

/// Several lines that a block shows as they are.
fn is_block(text: &str) -> bool {
    let body = text.strip_suffix('\n').unwrap_or(text);
    body.contains('\n')
        && !text.ends_with("\n\n")
        && !text.starts_with([' ', '\n'])
        && body.split('\n').all(|line| line.trim_end() == line)
        && !text.chars().any(|c| c != '\n' && is_odd(c))
}

/// Whether it fits a line: a scalar, a list of scalars, or a mapping of few scalars.
fn is_flat(node: &Node) -> bool {
    let single = |n: &Node| !matches!(n.value, Value::List(_) | Value::Map(_));
    match &node.value {
        Value::List(items) => items.iter().all(single),
        Value::Map(entries) => {
            entries.is_empty() || entries.len() <= 3 && entries.iter().all(|(_, n)| single(n))
        }
        _ => true,
    }
}

fn flow(node: &Node) -> String {
    match &node.value {
        Value::Null | Value::Gone => "null".to_owned(),
        Value::Bool(b) => b.to_string(),
        Value::Number(t) | Value::Plain(t) => t.clone(),
        Value::Text(t) => scalar(t, true),
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(flow).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Map(entries) => {
            let entries = entries
                .iter()
                .map(|(k, n)| format!("{}: {}", scalar(&k.name, true), flow(n)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
    }
}

/// A text without quotes where every reader of YAML takes it for a text, else in double quotes.
fn scalar(text: &str, in_flow: bool) -> String {
    const INDICATORS: &str = "-?:,[]{}#&*!|>'\"%@`=<";
    let mut chars = text.chars();
    let first = chars.next();
    let second = chars.next();
    let plain_start = first.is_some_and(|c| {
        !INDICATORS.contains(c)
            || c == '-' && second.is_some_and(|s| !s.is_whitespace() && !in_flow)
    });
    // Words that readers of YAML 1.1 take for something else.
    let word = text.to_ascii_lowercase();
    let is_word = [
        "y", "n", "yes", "no", "on", "off", "nan", "inf", ".nan", ".inf", "-.inf",
    ]
    .contains(&word.as_str());
    let clashes = text.contains(": ")
        || text.contains(" #")
        || text.ends_with(':')
        || text.starts_with(' ')
        || text.ends_with(' ')
        || in_flow && text.contains([',', '[', ']', '{', '}', '?'])
        || in_flow && text.contains(":\"");
    let looks_else = !matches!(resolve(text), Resolved::Text)
        || text
            .bytes()
            .all(|b| b.is_ascii_digit() || b"_:.+-eExo".contains(&b))
            && text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c))
            && !is_date_or_version(text);
    let document_mark = text.starts_with("---") || text.starts_with("...");
    if plain_start
        && !is_word
        && !clashes
        && !looks_else
        && !document_mark
        && !text.contains(is_odd)
    {
        return text.to_owned();
    }
    quoted(text)
}

/// `2026-03-31` and `1.2.0` read well without quotes, and we read them so.
fn is_date_or_version(text: &str) -> bool {
    let three = |c: char| {
        let parts: Vec<&str> = text.split(c).collect();
        parts.len() == 3
            && parts
                .iter()
                .all(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit()))
    };
    three('-') || three('.')
}

/// Characters that YAML or an editor would change or hide.
fn is_odd(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
        )
        || matches!(u32::from(c), 0x200b..=0x200f | 0x202a..=0x202e | 0x2060..=0x2064)
}

fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_odd(c) => {
                let code = u32::from(c);
                let _ = if code > 0xffff {
                    write!(out, "\\U{code:08x}")
                } else {
                    write!(out, "\\u{code:04x}")
                };
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
