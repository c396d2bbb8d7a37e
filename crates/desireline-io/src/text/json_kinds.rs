//! The keys of a JSON object and the kinds of its values, in the order they are written.

use std::fmt;

use desireline_core::log::AttributeType;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Paths of keys joined by dots, each with the kind of its value; a null tells none.
pub(crate) type Kinds = Vec<(String, Option<AttributeType>)>;

/// The paths and kinds of one line; `None` when it is no object.
pub(crate) fn kinds(line: &str) -> Option<Kinds> {
    let mut found = Vec::new();
    let mut parser = serde_json::Deserializer::from_str(line);
    Node {
        path: String::new(),
        root: true,
        found: &mut found,
    }
    .deserialize(&mut parser)
    .ok()?;
    parser.end().ok()?;
    Some(found)
}

struct Node<'f> {
    path: String,
    root: bool,
    found: &'f mut Kinds,
}

impl Node<'_> {
    fn is(self, kind: Option<AttributeType>) {
        self.found.push((self.path, kind));
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        if self.root {
            d.deserialize_map(self)
        } else {
            d.deserialize_any(self)
        }
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }
    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        self.is(Some(AttributeType::Boolean));
        Ok(())
    }
    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        self.is(Some(AttributeType::Integer));
        Ok(())
    }
    fn visit_u64<E>(self, n: u64) -> Result<(), E> {
        // Beyond a signed integer a number stays exact as text.
        let fits = i64::try_from(n).is_ok();
        self.is(Some(if fits {
            AttributeType::Integer
        } else {
            AttributeType::Text
        }));
        Ok(())
    }
    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        self.is(Some(AttributeType::Decimal));
        Ok(())
    }
    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        self.is(Some(AttributeType::Text));
        Ok(())
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        self.is(None);
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        self.is(Some(AttributeType::Text));
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            let path = if self.root {
                key
            } else {
                format!("{}.{key}", self.path)
            };
            map.next_value_seed(Node {
                path,
                root: false,
                found: &mut *self.found,
            })?;
        }
        Ok(())
    }
}
