//! What a format does not carry, found by comparing documents: nothing is forgotten when a map gains a new kind of part.

use desireline_core::map::JourneyMap;
use serde_json::Value;

/// A kind of part of a map that an export leaves out or changes.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Loss {
    /// What it is, as the path of keys in the document: `pains`, `touchpoints.binding`.
    pub what: String,
    /// What becomes of it.
    pub change: Change,
    /// Where the first is, as a JSON pointer.
    pub first: String,
    /// How often.
    pub count: usize,
}

impl std::fmt::Display for Loss {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Loss {
            what,
            change,
            first,
            count,
        } = self;
        write!(f, "{what}: {count} {}, the first at {first}", change.word())
    }
}

/// What an export does to a part that it does not keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It is not in the text.
    LeftOut,
    /// The text says it less exactly, or otherwise.
    Changed,
}

impl Change {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Change::LeftOut => "left out",
            Change::Changed => "changed",
        }
    }
}

/// Whether the parts that both lists have stand in another order: the first of two bindings takes an event, and pictures follow it.
fn is_reordered(was: &[Value], is: &[Value]) -> bool {
    let place: std::collections::HashMap<&str, usize> = (0..)
        .zip(is)
        .filter_map(|(i, v)| Some((id(v)?, i)))
        .collect();
    let places = was.iter().filter_map(|v| place.get(id(v)?).copied());
    !places.is_sorted()
}

/// All that `kept` does not say of `map`.
pub(super) fn between(map: &JourneyMap, kept: &JourneyMap) -> Vec<Loss> {
    let mut found = Found::default();
    found.compare(&tree(map), Some(&tree(kept)), "", "");
    found.losses
}

/// All of `map` whose path of keys is not listed. A listed path covers what lies below it.
pub(super) fn unless_shown(map: &JourneyMap, shown: &[&str]) -> Vec<Loss> {
    let mut found = Found::default();
    found.unless(&tree(map), shown, "", "");
    found.losses
}

fn tree(map: &JourneyMap) -> Value {
    serde_json::to_value(map).unwrap_or_default()
}

#[derive(Default)]
struct Found {
    losses: Vec<Loss>,
}

impl Found {
    fn add(&mut self, what: &str, change: Change, first: &str) {
        match self
            .losses
            .iter_mut()
            .find(|l| l.what == what && l.change == change)
        {
            Some(loss) => loss.count += 1,
            None => self.losses.push(Loss {
                what: what.to_owned(),
                change,
                first: first.to_owned(),
                count: 1,
            }),
        }
    }

    fn compare(&mut self, was: &Value, is: Option<&Value>, path: &str, pointer: &str) {
        let Some(is) = is else {
            // A list that is gone counts for each of its parts.
            match was {
                Value::Array(parts) if !parts.is_empty() => {
                    for i in 0..parts.len() {
                        self.add(path, Change::LeftOut, &format!("{pointer}/{i}"));
                    }
                }
                _ => self.add(path, Change::LeftOut, pointer),
            }
            return;
        };
        match (was, is) {
            (Value::Object(was), Value::Object(is)) => {
                for (key, value) in was {
                    let (path, pointer) = (under(path, key), format!("{pointer}/{}", escape(key)));
                    self.compare(value, is.get(key), &path, &pointer);
                }
            }
            (Value::Array(was), Value::Array(is)) => {
                let known: std::collections::HashMap<&str, &Value> =
                    is.iter().filter_map(|v| Some((id(v)?, v))).collect();
                for (i, value) in was.iter().enumerate() {
                    let same = match id(value) {
                        Some(id) => known.get(id).copied(),
                        None => is.iter().find(|v| *v == value).or_else(|| is.get(i)),
                    };
                    self.compare(value, same, path, &format!("{pointer}/{i}"));
                }
                if is_reordered(was, is) {
                    let what = format!("{path}, their order");
                    self.add(&what, Change::Changed, pointer);
                }
            }
            _ if was == is => {}
            // A text in several languages has become one.
            _ => self.add(path, Change::Changed, pointer),
        }
    }

    fn unless(&mut self, value: &Value, shown: &[&str], path: &str, pointer: &str) {
        if shown.contains(&path) {
            return;
        }
        let lead = format!("{path}.");
        let inside = path.is_empty() || shown.iter().any(|s| s.starts_with(&lead));
        match value {
            Value::Object(fields) if inside => {
                for (key, value) in fields {
                    let pointer = format!("{pointer}/{}", escape(key));
                    self.unless(value, shown, &under(path, key), &pointer);
                }
            }
            Value::Array(parts) if inside => {
                for (i, value) in parts.iter().enumerate() {
                    self.unless(value, shown, path, &format!("{pointer}/{i}"));
                }
            }
            Value::Array(parts) => {
                for i in 0..parts.len() {
                    self.add(path, Change::LeftOut, &format!("{pointer}/{i}"));
                }
            }
            _ => self.add(path, Change::LeftOut, pointer),
        }
    }
}

fn under(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

/// A key in a JSON pointer.
fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

fn id(value: &Value) -> Option<&str> {
    value.get("id")?.as_str()
}
