//! One JSON object as cells, without building a tree of it.

use std::fmt;

use hashbrown::{HashMap, HashSet};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::rows::Cell;

/// The cells of one row, by slot.
#[derive(Debug)]
pub(crate) struct JsonRow {
    /// Path of keys joined by dots → slot or slots.
    wanted: HashMap<String, Vec<usize>>,
    /// All proper beginnings of wanted paths.
    inner: HashSet<String>,
    cells: Vec<Held>,
    texts: String,
    path: String,
    field_bytes: usize,
    /// A wanted path that occurred twice, or a text over the limit.
    pub(crate) fault: Option<Fault>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Twice,
    TooLong,
}

#[derive(Clone, Copy, Debug)]
enum Held {
    Absent,
    Null,
    Text(usize, usize),
    Integer(i64),
    Large(u64),
    Float(f64),
    Boolean(bool),
    Object,
}

impl JsonRow {
    pub(crate) fn new<'a>(names: impl IntoIterator<Item = &'a str>, field_bytes: usize) -> JsonRow {
        let mut wanted: HashMap<String, Vec<usize>> = HashMap::new();
        let mut inner = HashSet::new();
        let mut slots = 0;
        for name in names {
            wanted.entry(name.to_owned()).or_default().push(slots);
            inner.extend(
                name.match_indices('.')
                    .map(|(dot, _)| name[..dot].to_owned()),
            );
            slots += 1;
        }
        JsonRow {
            wanted,
            inner,
            cells: vec![Held::Absent; slots],
            texts: String::new(),
            path: String::new(),
            field_bytes,
            fault: None,
        }
    }

    /// Reads one line.
    pub(crate) fn read(&mut self, line: &str) -> Result<(), serde_json::Error> {
        self.cells.fill(Held::Absent);
        self.texts.clear();
        self.path.clear();
        self.fault = None;
        let mut parser = serde_json::Deserializer::from_str(line);
        Object { row: self }.deserialize(&mut parser)?;
        parser.end()
    }

    pub(crate) fn cell(&self, slot: usize) -> Cell<'_> {
        match self.cells.get(slot).copied().unwrap_or(Held::Absent) {
            Held::Absent | Held::Null => Cell::Missing,
            Held::Text(from, to) => Cell::Text(self.texts.get(from..to).unwrap_or("")),
            Held::Integer(n) => Cell::Integer(n),
            Held::Large(n) => Cell::Large(n),
            Held::Float(x) => Cell::Float(x),
            Held::Boolean(b) => Cell::Boolean(b),
            Held::Object => Cell::Object,
        }
    }

    fn set(&mut self, held: Held) {
        if let Held::Text(from, to) = held
            && to - from > self.field_bytes
        {
            self.fault = Some(Fault::TooLong);
        }
        for &slot in self.wanted.get(self.path.as_str()).into_iter().flatten() {
            if let Some(cell) = self.cells.get_mut(slot) {
                if !matches!(cell, Held::Absent) {
                    self.fault.get_or_insert(Fault::Twice);
                }
                *cell = held;
            }
        }
    }

    fn set_text(&mut self, text: &str) {
        let from = self.texts.len();
        self.texts.push_str(text);
        self.set(Held::Text(from, self.texts.len()));
    }
}

/// Reads a key onto the end of the path and gives the path's length before.
struct Key<'r> {
    path: &'r mut String,
}

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = usize;
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<usize, D::Error> {
        d.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = usize;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }
    fn visit_str<E>(self, key: &str) -> Result<usize, E> {
        let before = self.path.len();
        if before > 0 {
            self.path.push('.');
        }
        self.path.push_str(key);
        Ok(before)
    }
}

struct Object<'r> {
    row: &'r mut JsonRow,
}

impl<'de> DeserializeSeed<'de> for Object<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        d.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Object<'_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        entries(self.row, map)
    }
}

fn entries<'de, A: MapAccess<'de>>(row: &mut JsonRow, mut map: A) -> Result<(), A::Error> {
    while let Some(before) = map.next_key_seed(Key {
        path: &mut row.path,
    })? {
        if row.wanted.contains_key(row.path.as_str()) || row.inner.contains(row.path.as_str()) {
            map.next_value_seed(Value { row: &mut *row })?;
        } else {
            map.next_value::<IgnoredAny>()?;
        }
        row.path.truncate(before);
    }
    Ok(())
}

struct Value<'r> {
    row: &'r mut JsonRow,
}

impl<'de> DeserializeSeed<'de> for Value<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        d.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value<'_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }
    fn visit_bool<E>(self, b: bool) -> Result<(), E> {
        self.row.set(Held::Boolean(b));
        Ok(())
    }
    fn visit_i64<E>(self, n: i64) -> Result<(), E> {
        self.row.set(Held::Integer(n));
        Ok(())
    }
    fn visit_u64<E>(self, n: u64) -> Result<(), E> {
        self.row
            .set(i64::try_from(n).map_or(Held::Large(n), Held::Integer));
        Ok(())
    }
    fn visit_f64<E>(self, x: f64) -> Result<(), E> {
        self.row.set(Held::Float(x));
        Ok(())
    }
    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.row.set_text(text);
        Ok(())
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        self.row.set(Held::Null);
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element::<serde_json::Value>()? {
            list.push(item);
        }
        self.row
            .set_text(&serde_json::Value::Array(list).to_string());
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        self.row.set(Held::Object);
        entries(self.row, map)
    }
}

/// The deepest nesting of a line, looked at only as far as it matters.
pub(crate) fn deeper_than(line: &str, limit: usize) -> bool {
    let bytes = line.as_bytes();
    if memchr::memchr2_iter(b'{', b'[', bytes).nth(limit).is_none() {
        return false;
    }
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'{' | b'[' if !quoted => {
                depth += 1;
                if depth > limit {
                    return true;
                }
            }
            b'}' | b']' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}
