//! JSON into a tree with places, which serde_json does not keep.

use std::collections::HashMap;

use super::node::{Key, Node, Value, shorten};
use super::{MAX_DEPTH, MAX_NODES, MapError, Problem};
use crate::expr::TextSpan;

/// Reads one JSON document.
pub(super) fn read(text: &str) -> Result<Node, MapError> {
    let mut reader = Reader {
        text,
        at: 0,
        line: 1,
        line_start: 0,
        depth: 0,
        nodes: 0,
    };
    reader.blanks();
    if reader.at == text.len() {
        return Err(Problem::empty().into());
    }
    let node = reader.value()?;
    reader.blanks();
    if reader.at < text.len() {
        return Err(reader.wrong("the document ends before this"));
    }
    Ok(node)
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    line: u32,
    line_start: usize,
    depth: usize,
    nodes: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn blanks(&mut self) {
        while let Some(b) = self.peek() {
            match b {
                b'\n' => {
                    self.at += 1;
                    self.line += 1;
                    self.line_start = self.at;
                }
                b' ' | b'\t' | b'\r' => self.at += 1,
                _ => break,
            }
        }
    }

    fn here(&self) -> TextSpan {
        let before = self.text.get(self.line_start..self.at).unwrap_or_default();
        TextSpan {
            start: self.at,
            end: self.at,
            line: self.line,
            column: u32::try_from(before.chars().count() + 1).unwrap_or(u32::MAX),
        }
    }

    fn wrong(&self, told: &str) -> MapError {
        let found = match self.rest().chars().next() {
            Some(c) => format!("found `{}`", shorten(c.encode_utf8(&mut [0; 4]))),
            None => "found the end of the text".to_owned(),
        };
        Problem::syntax(self.here(), format!("this is no JSON: {told}, {found}")).into()
    }

    fn value(&mut self) -> Result<Node, MapError> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            let told = format!("more than {MAX_NODES} values; that is no map but a data set");
            return Err(Problem::syntax(self.here(), told).into());
        }
        let mut span = self.here();
        let value = match self.peek() {
            Some(b'{') => self.nested(Self::map)?,
            Some(b'[') => self.nested(Self::list)?,
            Some(b'"') => Value::Text(self.string()?),
            Some(b'-' | b'0'..=b'9') => self.number()?,
            _ => {
                let words = [
                    ("true", Value::Bool(true)),
                    ("false", Value::Bool(false)),
                    ("null", Value::Null),
                ];
                let found = words.into_iter().find(|(w, _)| self.rest().starts_with(w));
                let Some((word, value)) = found else {
                    return Err(self.wrong("expected a value"));
                };
                self.at += word.len();
                value
            }
        };
        span.end = self.at;
        Ok(Node::new(value, span))
    }

    fn nested(
        &mut self,
        inner: fn(&mut Self) -> Result<Value, MapError>,
    ) -> Result<Value, MapError> {
        if self.depth == MAX_DEPTH {
            let told = format!("nested deeper than the limit of {MAX_DEPTH}");
            return Err(Problem::syntax(self.here(), told).into());
        }
        self.depth += 1;
        self.at += 1;
        let value = inner(self)?;
        self.depth -= 1;
        Ok(value)
    }

    /// Whether another item follows, or the closing bracket came.
    fn more(&mut self, close: u8, first: bool) -> Result<bool, MapError> {
        self.blanks();
        if self.peek() == Some(close) {
            self.at += 1;
            return Ok(false);
        }
        if !first {
            if self.peek() != Some(b',') {
                return Err(self.wrong(&format!("expected `,` or `{}`", char::from(close))));
            }
            self.at += 1;
            self.blanks();
        }
        Ok(true)
    }

    fn list(&mut self) -> Result<Value, MapError> {
        let mut items = Vec::new();
        while self.more(b']', items.is_empty())? {
            items.push(self.value()?);
        }
        Ok(Value::List(items))
    }

    fn map(&mut self) -> Result<Value, MapError> {
        let mut entries: Vec<(Key, Node)> = Vec::new();
        let mut seen: HashMap<String, u32> = HashMap::new();
        while self.more(b'}', entries.is_empty())? {
            let mut span = self.here();
            if self.peek() != Some(b'"') {
                return Err(self.wrong("expected a key in double quotes"));
            }
            let name = self.string()?;
            span.end = self.at;
            if let Some(first) = seen.insert(name.clone(), span.line) {
                let told = format!(
                    "the key `{}` stands here twice; the first is in line {first}",
                    shorten(&name),
                );
                return Err(Problem::syntax(span, told).into());
            }
            self.blanks();
            if self.peek() != Some(b':') {
                return Err(self.wrong("expected `:` after a key"));
            }
            self.at += 1;
            self.blanks();
            entries.push((Key { name, span }, self.value()?));
        }
        Ok(Value::Map(entries))
    }

    fn number(&mut self) -> Result<Value, MapError> {
        let length = self
            .rest()
            .bytes()
            .take_while(|b| b.is_ascii_digit() || b"+-.eE".contains(b))
            .count();
        let number = self.rest().get(..length).unwrap_or_default().to_owned();
        if serde_json::from_str::<serde_json::Number>(&number).is_err() {
            return Err(self.wrong("expected a number"));
        }
        self.at += length;
        Ok(Value::Number(number))
    }

    /// The text in quotes; what escapes mean is left to serde_json.
    fn string(&mut self) -> Result<String, MapError> {
        let opened = self.here();
        let mut escaped = false;
        let mut length = None;
        for (i, b) in self.rest().bytes().enumerate().skip(1) {
            match b {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => {
                    length = Some(i + 1);
                    break;
                }
                b'\n' => break,
                _ => {}
            }
        }
        let Some(length) = length else {
            let told = "this is no JSON: the quote that opens here is not closed in its line";
            return Err(Problem::syntax(opened, told).into());
        };
        let quoted = self.rest().get(..length).unwrap_or_default();
        let text = serde_json::from_str(quoted).map_err(|e| {
            let told = e.to_string();
            let told = told.split(" at line").next().unwrap_or_default();
            MapError::from(Problem::syntax(opened, format!("this is no JSON: {told}")))
        })?;
        self.at += length;
        Ok(text)
    }
}
