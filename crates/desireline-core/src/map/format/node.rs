//! A document as a tree whose every part knows where it stands.

use crate::expr::TextSpan;

/// A value and its place.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) value: Value,
    pub(crate) span: TextSpan,
}

/// What a document is made of.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    /// A JSON number as written.
    Number(String),
    /// Text that can only be text: in quotes, or a block.
    Text(String),
    /// YAML without quotes. What it is depends on what is wanted there: `NO` is a country where a text is wanted.
    Plain(String),
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
    /// Had a mistake that was reported; passed over from then on.
    Gone,
}

/// A key and its place.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Key {
    pub(crate) name: String,
    pub(crate) span: TextSpan,
}

impl Node {
    pub(crate) fn new(value: Value, span: TextSpan) -> Node {
        Node { value, span }
    }

    /// The text of a scalar.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(t) | Value::Plain(t) | Value::Number(t) => Some(t),
            _ => None,
        }
    }

    /// The value of a key.
    pub(crate) fn get(&self, name: &str) -> Option<&Node> {
        match &self.value {
            Value::Map(entries) => entries.iter().find(|(k, _)| k.name == name).map(|(_, n)| n),
            _ => None,
        }
    }

    /// How many parts it has, itself included.
    pub(crate) fn weight(&self) -> usize {
        match &self.value {
            Value::List(items) => 1 + items.iter().map(Node::weight).sum::<usize>(),
            Value::Map(entries) => 1 + entries.iter().map(|(_, n)| 1 + n.weight()).sum::<usize>(),
            _ => 1,
        }
    }

    /// The part that a JSON pointer names.
    pub(crate) fn at(&self, pointer: &str) -> Option<&Node> {
        steps(pointer).try_fold(self, |node, step| match &node.value {
            Value::List(items) => items.get(step.parse::<usize>().ok()?),
            _ => node.get(&step),
        })
    }

    /// The same, to be changed.
    pub(crate) fn at_mut(&mut self, pointer: &str) -> Option<&mut Node> {
        steps(pointer).try_fold(self, |node, step| match &mut node.value {
            Value::List(items) => items.get_mut(step.parse::<usize>().ok()?),
            Value::Map(entries) => entries
                .iter_mut()
                .find(|(k, _)| k.name == step)
                .map(|(_, n)| n),
            _ => None,
        })
    }

    /// Where the part that a JSON pointer names stands: its key, if it has one, else the part itself. A pointer to what
    /// is not written leads to the nearest part around it.
    pub(crate) fn place(&self, pointer: &str) -> TextSpan {
        let mut node = self;
        let mut span = self.span;
        for step in steps(pointer) {
            match &node.value {
                Value::List(items) => {
                    let Some(item) = step.parse::<usize>().ok().and_then(|i| items.get(i)) else {
                        break;
                    };
                    node = item;
                    span = item.span;
                }
                Value::Map(entries) => {
                    let Some((key, value)) = entries.iter().find(|(k, _)| k.name == step) else {
                        break;
                    };
                    node = value;
                    span = key.span;
                }
                _ => break,
            }
        }
        span
    }

    /// The same without places.
    pub(crate) fn forget_places(&mut self) {
        self.stand_at(TextSpan::NONE);
    }

    /// The same with one place for all of it.
    pub(crate) fn stand_at(&mut self, span: TextSpan) {
        self.span = span;
        match &mut self.value {
            Value::List(items) => items.iter_mut().for_each(|item| item.stand_at(span)),
            Value::Map(entries) => {
                for (key, node) in entries {
                    key.span = span;
                    node.stand_at(span);
                }
            }
            _ => {}
        }
    }

    /// What it is, for messages.
    pub(crate) fn kind(&self) -> String {
        match &self.value {
            Value::Null | Value::Gone => "nothing".to_owned(),
            Value::Bool(b) => format!("`{b}`"),
            Value::Number(t) | Value::Plain(t) | Value::Text(t) => format!("`{}`", shorten(t)),
            Value::List(_) => "a list".to_owned(),
            Value::Map(_) => "a mapping".to_owned(),
        }
    }

    /// As plain JSON, scalars without quotes read by YAML's core schema.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        use serde_json::Value as Json;
        match &self.value {
            Value::Null | Value::Gone => Json::Null,
            Value::Bool(b) => Json::Bool(*b),
            Value::Number(t) => serde_json::from_str(t).unwrap_or_else(|_| Json::String(t.clone())),
            Value::Text(t) => Json::String(t.clone()),
            Value::Plain(t) => match resolve(t) {
                Resolved::Null => Json::Null,
                Resolved::Bool(b) => Json::Bool(b),
                Resolved::Integer(n) => Json::from(n),
                Resolved::Decimal(x) => Json::from(x),
                Resolved::Text => Json::String(t.clone()),
            },
            Value::List(items) => items.iter().map(Node::to_json).collect(),
            Value::Map(entries) => entries
                .iter()
                .map(|(k, n)| (k.name.clone(), n.to_json()))
                .collect(),
        }
    }

    /// A tree of what has no text.
    pub(crate) fn from_json(value: &serde_json::Value) -> Node {
        use serde_json::Value as Json;
        let value = match value {
            Json::Null => Value::Null,
            Json::Bool(b) => Value::Bool(*b),
            Json::Number(n) => Value::Number(n.to_string()),
            Json::String(s) => Value::Text(s.clone()),
            Json::Array(items) => Value::List(items.iter().map(Node::from_json).collect()),
            Json::Object(entries) => Value::Map(
                entries
                    .iter()
                    .map(|(name, v)| {
                        let key = Key {
                            name: name.clone(),
                            span: TextSpan::NONE,
                        };
                        (key, Node::from_json(v))
                    })
                    .collect(),
            ),
        };
        Node::new(value, TextSpan::NONE)
    }
}

/// What YAML 1.2's core schema makes of a scalar without quotes.
pub(crate) enum Resolved {
    Null,
    Bool(bool),
    Integer(i64),
    Decimal(f64),
    Text,
}

pub(crate) fn resolve(text: &str) -> Resolved {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Resolved::Null,
        "true" | "True" | "TRUE" => return Resolved::Bool(true),
        "false" | "False" | "FALSE" => return Resolved::Bool(false),
        _ => {}
    }
    if !looks_numeric(text) {
        return Resolved::Text;
    }
    if let Ok(n) = text.parse::<i64>() {
        return Resolved::Integer(n);
    }
    match text.parse::<f64>() {
        Ok(x) if x.is_finite() => Resolved::Decimal(x),
        _ => Resolved::Text,
    }
}

/// Only what is written with digits is a number; `inf`, `nan` and `1_000` are texts.
pub(crate) fn looks_numeric(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && digits.bytes().any(|b| b.is_ascii_digit())
        && digits
            .bytes()
            .all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b))
}

/// The steps of a JSON pointer.
pub(crate) fn steps(pointer: &str) -> impl Iterator<Item = String> + '_ {
    pointer
        .split('/')
        .skip(1)
        .map(|s| s.replace("~1", "/").replace("~0", "~"))
}

/// A step of a JSON pointer, escaped.
pub(crate) fn step(name: &str) -> String {
    format!("/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// A text cut to a length fit for a message, control characters made visible.
pub(crate) fn shorten(text: &str) -> String {
    const LIMIT: usize = 40;
    let mut out = String::new();
    for (n, c) in text.chars().enumerate() {
        if n == LIMIT {
            out.push('…');
            break;
        }
        if c.is_control() {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}
