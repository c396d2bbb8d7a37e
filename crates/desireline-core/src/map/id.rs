//! Names that never change.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The name of a part of a map: small letters, digits and hyphens, up to 64 of them, such as `add-to-cart`.
///
/// Ids hold a map together: references name them, and two versions of a map are compared by them. So a part keeps its id
/// when its title, place or order changes, and no two parts of a map share one, of whatever kind they are.
///
/// Made in code, an id is checked when the map is checked or written, as an expression is.
///
/// ```
/// use desireline_core::map::Id;
/// assert!(Id::from("add-to-cart").is_valid());
/// assert!(!Id::from("Add to cart").is_valid());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(String);

/// Longest id.
pub const MAX_ID: usize = 64;

impl Id {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is written as ids are.
    pub fn is_valid(&self) -> bool {
        let byte = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        (1..=MAX_ID).contains(&self.0.len()) && self.0.bytes().all(byte)
    }

    /// The id that a text suggests: `Add to cart` gives `add-to-cart`.
    pub fn suggest(text: &str) -> Option<Id> {
        let mut out = String::new();
        for c in text.chars().flat_map(char::to_lowercase) {
            if c.is_ascii_lowercase() || c.is_ascii_digit() {
                out.push(c);
            } else if !out.is_empty() && !out.ends_with('-') {
                out.push('-');
            }
            if out.len() == MAX_ID {
                break;
            }
        }
        let out = out.trim_end_matches('-');
        (!out.is_empty()).then(|| Id(out.to_owned()))
    }

    fn problem(&self) -> String {
        const RULE: &str = "is no id: small letters, digits and hyphens, at most 64";
        let mut shown = String::new();
        for c in self.0.chars().take(MAX_ID) {
            match c.is_control() {
                true => shown.extend(c.escape_default()),
                false => shown.push(c),
            }
        }
        let length = self.0.chars().count();
        if length > MAX_ID {
            // What is cut off would be missing in a suggestion, too, and two ids could become one.
            return format!("`{shown}…` {RULE}; it has {length}: write a shorter one");
        }
        match Id::suggest(&self.0) {
            Some(better) if better != *self => {
                format!("`{shown}` {RULE}; did you mean `{better}`?")
            }
            _ => format!("`{shown}` {RULE}"),
        }
    }
}

impl From<&str> for Id {
    fn from(text: &str) -> Id {
        Id(text.to_owned())
    }
}

impl From<String> for Id {
    fn from(text: String) -> Id {
        Id(text)
    }
}

impl From<&Id> for Id {
    fn from(id: &Id) -> Id {
        id.clone()
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl PartialEq<str> for Id {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl PartialEq<&str> for Id {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

impl std::borrow::Borrow<str> for Id {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !self.is_valid() {
            return Err(serde::ser::Error::custom(self.problem()));
        }
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Id, D::Error> {
        let id = Id(String::deserialize(deserializer)?);
        if id.is_valid() {
            Ok(id)
        } else {
            Err(serde::de::Error::custom(id.problem()))
        }
    }
}

impl schemars::JsonSchema for Id {
    fn schema_name() -> Cow<'static, str> {
        "Id".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^[a-z0-9-]{1,64}$",
            "description": "Small letters, digits and hyphens. Unique in the map and never changed, because versions are compared by it.",
        })
    }
}

/// Where something belongs: a stage, step, touchpoint or channel by its id, or the way from one to the next,
/// `cart -> checkout`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum At {
    /// A part of the map.
    Part(Id),
    /// The way between two parts, both of them stages or both touchpoints.
    Edge {
        /// Where it begins.
        from: Id,
        /// Where it leads.
        to: Id,
    },
}

impl At {
    /// The ids it names.
    pub fn ids(&self) -> impl Iterator<Item = &Id> {
        let (first, second) = match self {
            At::Part(id) => (id, None),
            At::Edge { from, to } => (from, Some(to)),
        };
        std::iter::once(first).chain(second)
    }

    /// The part, if it is one.
    pub fn part(&self) -> Option<&Id> {
        match self {
            At::Part(id) => Some(id),
            At::Edge { .. } => None,
        }
    }
}

impl From<&str> for At {
    fn from(text: &str) -> At {
        match text.split_once("->") {
            Some((from, to)) => At::Edge {
                from: from.trim().into(),
                to: to.trim().into(),
            },
            None => At::Part(text.trim().into()),
        }
    }
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            At::Part(id) => id.fmt(f),
            At::Edge { from, to } => write!(f, "{from} -> {to}"),
        }
    }
}

impl Serialize for At {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let Some(id) = self.ids().find(|id| !id.is_valid()) {
            return Err(serde::ser::Error::custom(id.problem()));
        }
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for At {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<At, D::Error> {
        let text = String::deserialize(deserializer)?;
        let at = At::from(text.as_str());
        let problem = at.ids().find(|id| !id.is_valid()).map(Id::problem);
        match problem {
            None => Ok(at),
            Some(problem) => Err(serde::de::Error::custom(problem)),
        }
    }
}

impl schemars::JsonSchema for At {
    fn schema_name() -> Cow<'static, str> {
        "At".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^\\s*[a-z0-9-]{1,64}(\\s*->\\s*[a-z0-9-]{1,64})?\\s*$",
            "description": "The id of a stage, step, touchpoint or channel, or a way between two: `cart -> checkout`.",
        })
    }
}
