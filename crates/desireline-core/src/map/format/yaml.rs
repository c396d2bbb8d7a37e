//! YAML 1.2 into a tree, by the events of saphyr-parser.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, Tag};

use super::encoding::place_after;
use super::node::{Key, Node, Value, shorten};
use super::{MAX_DEPTH, MAX_NODES, MapError, Problem};
use crate::expr::TextSpan;

/// What is open while events come.
enum Open {
    List {
        items: Vec<Node>,
        span: TextSpan,
        anchor: usize,
    },
    Map {
        entries: Vec<(Key, Node)>,
        key: Option<Key>,
        /// The lines of its keys.
        seen: HashMap<String, u32>,
        span: TextSpan,
        anchor: usize,
    },
}

/// Reads one YAML document.
pub(super) fn read(text: &str) -> Result<Node, MapError> {
    let places = Places::new(text);
    // The scanner takes it for the end of the text, and what follows would be passed over.
    if let Some(at) = text.find('\0') {
        let before = text.get(..at).unwrap_or_default();
        let (line, column) = place_after(before);
        let at = TextSpan {
            start: at,
            end: at,
            line,
            column,
        };
        let told = "this is no YAML: here stands a zero byte (NUL), which no text has";
        let help = match super::encoding::looks_like_utf16(text.as_bytes()) {
            true => "the file looks like UTF-16; save it as UTF-8",
            false => "the file may be damaged, or no text at all",
        };
        return Err(Problem::syntax(at, told).or_help(Some(help)).into());
    }
    let mut reader = Reader {
        open: Vec::new(),
        anchors: HashMap::new(),
        root: None,
        nodes: 0,
        repeated: Vec::new(),
    };
    let mut documents = 0;
    let mut parser = Parser::new_from_str(text);
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|e| syntax(&e, text, &places))?;
        let span = places.span(span);
        match event {
            Event::DocumentStart(_) => {
                documents += 1;
                if documents > 1 {
                    let told = "a second document begins here; keep each map in a file of its own";
                    return Err(Problem::syntax(span, told).into());
                }
            }
            Event::Scalar(value, style, anchor, tag) => {
                untagged(tag.as_deref(), span)?;
                let value = match style {
                    ScalarStyle::Plain if is_null(&value) => Value::Null,
                    ScalarStyle::Plain => Value::Plain(value.into_owned()),
                    _ => Value::Text(value.into_owned()),
                };
                reader.put(Node::new(value, span), anchor)?;
            }
            Event::SequenceStart(anchor, tag) => {
                untagged(tag.as_deref(), span)?;
                reader.deepen(span)?;
                reader.open.push(Open::List {
                    items: Vec::new(),
                    span,
                    anchor,
                });
            }
            Event::MappingStart(anchor, tag) => {
                untagged(tag.as_deref(), span)?;
                reader.deepen(span)?;
                reader.open.push(Open::Map {
                    entries: Vec::new(),
                    key: None,
                    seen: HashMap::new(),
                    span,
                    anchor,
                });
            }
            Event::SequenceEnd | Event::MappingEnd => reader.close(span.end)?,
            Event::Alias(anchor) => reader.alias(anchor, span)?,
            _ => {}
        }
    }
    if !reader.repeated.is_empty() {
        return Err(MapError::of(reader.repeated));
    }
    reader.root.ok_or_else(|| MapError::from(Problem::empty()))
}

/// Types are the document's, so a tag could only be passed over; `!!str` and its like too.
fn untagged(tag: Option<&Tag>, span: TextSpan) -> Result<(), MapError> {
    let Some(tag) = tag else { return Ok(()) };
    let told = format!(
        "the tag `{}` means nothing here; leave it out",
        tag_told(tag)
    );
    Err(Problem::syntax(span, told).into())
}

/// A tag as people write it.
fn tag_told(tag: &Tag) -> String {
    match tag.is_yaml_core_schema() {
        true => format!("!!{}", shorten(&tag.suffix)),
        false => shorten(&tag.to_string()),
    }
}

fn too_deep(at: TextSpan) -> Problem {
    Problem::syntax(at, format!("nested deeper than the limit of {MAX_DEPTH}"))
}

fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

struct Reader {
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    root: Option<Node>,
    nodes: usize,
    repeated: Vec<Problem>,
}

impl Reader {
    fn deepen(&mut self, span: TextSpan) -> Result<(), MapError> {
        if self.open.len() >= MAX_DEPTH {
            return Err(too_deep(span).into());
        }
        Ok(())
    }

    fn put(&mut self, node: Node, anchor: usize) -> Result<(), MapError> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            let told = format!("more than {MAX_NODES} values; that is no map but a data set");
            return Err(Problem::syntax(node.span, told).into());
        }
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(Open::List { items, .. }) => items.push(node),
            Some(Open::Map {
                entries, key, seen, ..
            }) => match key.take() {
                Some(key) => entries.push((key, node)),
                None => {
                    let name = match node.value {
                        Value::Plain(t) | Value::Text(t) => t,
                        Value::Null => "null".to_owned(),
                        _ => {
                            let told = "a key is a word, not a list or a mapping";
                            return Err(Problem::syntax(node.span, told).into());
                        }
                    };
                    if let Some(first) = seen.insert(name.clone(), node.span.line) {
                        let told = format!(
                            "the key `{}` stands here twice; the first is in line {first}",
                            shorten(&name),
                        );
                        self.repeated.push(Problem::syntax(node.span, told));
                    }
                    *key = Some(Key {
                        name,
                        span: node.span,
                    });
                }
            },
        }
        Ok(())
    }

    fn close(&mut self, end: usize) -> Result<(), MapError> {
        let (value, mut span, anchor) = match self.open.pop() {
            Some(Open::List {
                items,
                span,
                anchor,
            }) => (Value::List(items), span, anchor),
            Some(Open::Map {
                entries,
                span,
                anchor,
                ..
            }) => (Value::Map(entries), span, anchor),
            None => return Ok(()),
        };
        span.end = end;
        self.put(Node::new(value, span), anchor)
    }

    /// A copy of what was named, weighed before it is made.
    fn alias(&mut self, anchor: usize, span: TextSpan) -> Result<(), MapError> {
        let Some(named) = self.anchors.get(&anchor) else {
            let told = "an alias inside of what it stands for";
            return Err(Problem::syntax(span, told).into());
        };
        self.nodes += named.weight();
        if self.nodes > MAX_NODES {
            let told = format!("aliases unfold to more than {MAX_NODES} values");
            return Err(Problem::syntax(span, told).into());
        }
        let mut copy = named.clone();
        // What is wrong with the copy, such as an id that stands twice then, is so because of the alias.
        copy.stand_at(span);
        self.put(copy, 0)
    }
}

/// Says what the scanner found, in words for people who do not know its grammar.
fn syntax(error: &ScanError, text: &str, places: &Places) -> MapError {
    let marker = error.marker();
    let at = places.point(marker.index(), marker.line(), marker.col());
    let info = error.info();
    // The scanner gives up at a depth of its own.
    if info.contains("recursion limit") {
        return too_deep(at).into();
    }
    let help = if text
        .lines()
        .any(|l| l.starts_with("<<<<<<<") || l.starts_with(">>>>>>>"))
    {
        Some("the file has marks of an unfinished merge; settle it first")
    } else if info.contains("tab") {
        Some("indent with blanks")
    } else if info.contains("mapping values are not allowed") {
        Some("a text that holds `: ` stands in quotes, and keys of one mapping are indented alike")
    } else if info.contains("unexpected character") {
        Some("a text that begins with this character stands in quotes")
    } else if info.contains("quoted scalar") {
        Some("a quote is opened here and not closed")
    } else if info.contains("unknown anchor") {
        Some(
            "there is no `&name` before this `*name`; a text that begins with `*` stands in quotes",
        )
    } else if info.contains("flow") || info.contains("illegal placement") {
        Some("look for a `[` or `{` that is not closed")
    } else if info.contains("'-' indicator") || info.contains("block mapping") {
        Some("keys of one mapping and items of one list are indented alike")
    } else {
        None
    };
    Problem::syntax(at, format!("this is no YAML: {info}"))
        .or_help(help)
        .into()
}

/// From the scanner's characters to bytes.
struct Places {
    /// The byte of every character, where that is not its number.
    bytes: Option<Vec<usize>>,
    end: usize,
}

impl Places {
    fn new(text: &str) -> Places {
        Places {
            bytes: (!text.is_ascii()).then(|| text.char_indices().map(|(b, _)| b).collect()),
            end: text.len(),
        }
    }

    fn byte(&self, index: usize) -> usize {
        match &self.bytes {
            Some(bytes) => bytes.get(index).copied().unwrap_or(self.end),
            None => index.min(self.end),
        }
    }

    fn point(&self, index: usize, line: usize, column: usize) -> TextSpan {
        let start = self.byte(index);
        TextSpan {
            start,
            end: start,
            line: u32::try_from(line).unwrap_or(u32::MAX),
            column: u32::try_from(column + 1).unwrap_or(u32::MAX),
        }
    }

    fn span(&self, span: Span) -> TextSpan {
        TextSpan {
            end: self.byte(span.end.index()),
            ..self.point(span.start.index(), span.start.line(), span.start.col())
        }
    }
}
