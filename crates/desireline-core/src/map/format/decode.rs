//! From a tree to the types, by serde; every mistake with its place, and all of them at once.
//!
//! serde stops at the first mistake. So what holds one is taken out of a copy of the tree and reading begins again, until
//! nothing new is found.

use std::cell::RefCell;
use std::fmt;

use serde::de::{self, DeserializeOwned, IntoDeserializer as _, Visitor};

use super::node::{Key, Node, Resolved, Value, looks_numeric, resolve, shorten, step};
use super::problem::expression;
use super::{MapError, Problem};
use crate::expr::{TextSpan, nearest};

/// The field under which a type keeps keys that begin with `x-`.
pub(super) const OWN_KEYS: &str = "x-";
/// Mistakes after which reading gives up.
const MOST: usize = 100;

/// Reads a value of any type from a tree; `document` is the text that it was made from, empty if there is none.
pub(crate) fn decode<T: DeserializeOwned>(document: &str, tree: &Node) -> Result<T, MapError> {
    let shared = Shared::default();
    let mut tree = tree.clone();
    let mut problems: Vec<Problem> = Vec::new();
    // What was taken out, so that nothing is said to be missing that was written.
    let mut gone: Vec<String> = Vec::new();
    loop {
        let root = Decoder {
            node: &tree,
            shared: &shared,
        };
        let result = T::deserialize(root);
        for problem in shared.unknown.take() {
            if problems.len() < MOST && !problems.contains(&problem) {
                problems.push(problem);
            }
        }
        let fault = match result {
            Ok(value) if problems.is_empty() => return Ok(value),
            Ok(_) => return Err(MapError::of(problems)),
            Err(fault) => fault,
        };
        let missing = fault
            .missing
            .map(|name| fault.pointer.clone() + &step(name));
        let known = |m: String| gone.contains(&m) || problems.iter().any(|p| p.stands_for(&m));
        let mut pointer = fault.pointer.clone();
        let mut follows = missing.is_some_and(known);
        // What lacks something that was taken out goes with it.
        while tree.at(&pointer).is_some_and(|n| n.value == Value::Gone) {
            follows = true;
            pointer.truncate(pointer.rfind('/').unwrap_or(0));
        }
        if !follows {
            problems.push(fault.problem(document, &tree));
        }
        let taken = tree.at_mut(&pointer).map(|node| node.value = Value::Gone);
        if pointer.is_empty() || taken.is_none() || problems.len() >= MOST {
            return Err(MapError::of(problems));
        }
        gone.push(pointer);
    }
}

#[derive(Default)]
struct Shared {
    /// The JSON pointer to where reading is.
    path: RefCell<String>,
    unknown: RefCell<Vec<Problem>>,
}

impl Shared {
    /// Goes one step down for as long as `inner` runs.
    fn inside<T>(&self, name: &str, inner: impl FnOnce() -> T) -> T {
        let before = self.path.borrow().len();
        self.path.borrow_mut().push_str(&step(name));
        let done = inner();
        self.path.borrow_mut().truncate(before);
        done
    }
}

/// A mistake on its way up.
#[derive(Debug)]
pub(crate) struct Fault {
    message: String,
    help: Option<String>,
    /// The field that is not there.
    missing: Option<&'static str>,
    span: TextSpan,
    pointer: String,
    placed: bool,
}

impl Fault {
    fn new(message: impl Into<String>, help: Option<String>) -> Fault {
        Fault {
            message: message.into(),
            help,
            missing: None,
            span: TextSpan::NONE,
            pointer: String::new(),
            placed: false,
        }
    }

    /// Says where, unless somebody further in has.
    fn placed(mut self, node: &Node, shared: &Shared) -> Fault {
        if !self.placed {
            self.placed = true;
            self.span = node.span;
            self.pointer = shared.path.borrow().clone();
        }
        self
    }

    fn problem(&self, document: &str, tree: &Node) -> Problem {
        let mut problem = Problem {
            at: self.span,
            pointer: self.pointer.clone(),
            message: self.message.clone(),
            help: self.help.clone(),
        };
        if self.message.starts_with("in an expression, ")
            && let Some(node) = tree.at(&self.pointer)
            && let Some((at, message)) = expression(document, node)
        {
            problem.at = at;
            problem.message = message;
        }
        problem
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Fault {}

impl de::Error for Fault {
    fn custom<T: fmt::Display>(message: T) -> Fault {
        Fault::new(message.to_string(), None)
    }

    fn missing_field(field: &'static str) -> Fault {
        Fault {
            missing: Some(field),
            ..Fault::new(format!("the key `{field}` is missing"), None)
        }
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Fault {
        let wanted = variant.replace([' ', '-'], "_");
        let help = match nearest(&wanted, expected.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("use {}", listed(expected)),
        };
        Fault::new(
            format!("`{}` is not known here", shorten(variant)),
            Some(help),
        )
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Fault {
        let (message, help) = unknown_key(field, expected);
        Fault::new(message, Some(help))
    }

    fn invalid_type(found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Fault {
        let found = match found {
            de::Unexpected::Seq => "a list".to_owned(),
            de::Unexpected::Map => "a mapping".to_owned(),
            de::Unexpected::Unit => "nothing".to_owned(),
            other => other.to_string(),
        };
        Fault::new(format!("expected {expected}, found {found}"), None)
    }

    fn invalid_length(found: usize, expected: &dyn de::Expected) -> Fault {
        Fault::new(format!("expected {expected}, found {found} items"), None)
    }

    fn invalid_value(found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Fault {
        Fault::new(format!("expected {expected}, found {found}"), None)
    }
}

fn listed(words: &[&str]) -> String {
    const MOST: usize = 14;
    if let Some((shown, rest)) = words.split_at_checked(MOST)
        && rest.len() > 1
    {
        let shown: Vec<String> = shown.iter().map(|w| format!("`{w}`")).collect();
        return format!("{} and {} more", shown.join(", "), rest.len());
    }
    match words {
        [] => "nothing".to_owned(),
        [one] => format!("`{one}`"),
        [rest @ .., last] => {
            let rest: Vec<String> = rest.iter().map(|w| format!("`{w}`")).collect();
            format!("{} or `{last}`", rest.join(", "))
        }
    }
}

fn unknown_key(name: &str, known: &[&str]) -> (String, String) {
    let own = known.contains(&OWN_KEYS);
    let known: Vec<&str> = known.iter().copied().filter(|k| *k != OWN_KEYS).collect();
    let help = match nearest(name, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if own => format!(
            "there are {}; keys of your own begin with `x-`",
            listed(&known)
        ),
        None => format!("there are {}", listed(&known)),
    };
    (format!("unknown key `{}`", shorten(name)), help)
}

#[derive(Clone, Copy)]
struct Decoder<'n> {
    node: &'n Node,
    shared: &'n Shared,
}

impl<'n> Decoder<'n> {
    fn of(self, node: &'n Node) -> Decoder<'n> {
        Decoder { node, ..self }
    }

    fn wrong<T>(self, expected: &str, help: Option<&str>) -> Result<T, Fault> {
        let message = format!("expected {expected}, found {}", self.node.kind());
        Err(Fault::new(message, help.map(str::to_owned)).placed(self.node, self.shared))
    }

    fn placed<T>(self, result: Result<T, Fault>) -> Result<T, Fault> {
        result.map_err(|fault| fault.placed(self.node, self.shared))
    }

    fn entries<V: Visitor<'n>>(
        self,
        entries: &'n [(Key, Node)],
        own: Vec<(&'n Key, &'n Node)>,
        visitor: V,
        keep: impl Fn(&str) -> bool,
    ) -> Result<V::Value, Fault> {
        let kept = entries
            .iter()
            .filter(|(k, n)| keep(&k.name) && n.value != Value::Gone)
            .map(|(k, n)| (k.name.as_str(), k.span, Part::Node(n)));
        let own = (!own.is_empty()).then_some((OWN_KEYS, self.node.span, Part::Own(own)));
        let access = Entries {
            entries: kept.chain(own).collect::<Vec<_>>().into_iter(),
            value: None,
            decoder: self,
        };
        self.placed(visitor.visit_map(access))
    }

    fn number(self) -> Option<&'n str> {
        match &self.node.value {
            Value::Number(t) => Some(t),
            Value::Plain(t) if looks_numeric(t) => Some(t),
            _ => None,
        }
    }
}

const NUMBER_HELP: &str = "write digits, with a point for decimals and without a unit";

macro_rules! integers {
    ($($method:ident $visit:ident $kind:ty),*) => {$(
        fn $method<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, Fault> {
            match self.number().and_then(|t| t.parse::<$kind>().ok()) {
                Some(n) => self.placed(visitor.$visit(n)),
                None => self.wrong("a whole number", None),
            }
        }
    )*};
}

impl<'n> de::Deserializer<'n> for Decoder<'n> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, Fault> {
        match &self.node.value {
            Value::Null | Value::Gone => self.placed(visitor.visit_unit()),
            Value::Bool(b) => self.placed(visitor.visit_bool(*b)),
            Value::Text(t) => self.placed(visitor.visit_borrowed_str(t)),
            Value::List(_) => self.deserialize_seq(visitor),
            Value::Map(_) => self.deserialize_map(visitor),
            Value::Number(t) | Value::Plain(t) => match resolve(t) {
                Resolved::Null => self.placed(visitor.visit_unit()),
                Resolved::Bool(b) => self.placed(visitor.visit_bool(b)),
                Resolved::Integer(n) => self.placed(visitor.visit_i64(n)),
                Resolved::Decimal(x) => self.placed(visitor.visit_f64(x)),
                Resolved::Text => self.placed(visitor.visit_borrowed_str(t)),
            },
        }
    }

    fn deserialize_bool<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, Fault> {
        let found = match &self.node.value {
            Value::Bool(b) => Some(*b),
            Value::Plain(t) => match resolve(t) {
                Resolved::Bool(b) => Some(b),
                _ => None,
            },
            _ => None,
        };
        match found {
            Some(b) => self.placed(visitor.visit_bool(b)),
            None => self.wrong("`true` or `false`", None),
        }
    }

    integers!(
        deserialize_i8 visit_i8 i8, deserialize_i16 visit_i16 i16, deserialize_i32 visit_i32 i32,
        deserialize_i64 visit_i64 i64, deserialize_u8 visit_u8 u8, deserialize_u16 visit_u16 u16,
        deserialize_u32 visit_u32 u32, deserialize_u64 visit_u64 u64
    );

    fn deserialize_f32<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_f64<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, Fault> {
        let found = self.number().and_then(|t| t.parse::<f64>().ok());
        match found.filter(|x| x.is_finite()) {
            Some(x) => self.placed(visitor.visit_f64(x)),
            None => self.wrong("a number", Some(NUMBER_HELP)),
        }
    }

    fn deserialize_char<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_str<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, Fault> {
        match &self.node.value {
            // Without quotes, a text is what was written, whatever else it could be.
            Value::Text(t) | Value::Plain(t) => self.placed(visitor.visit_borrowed_str(t)),
            Value::Number(_) => self.wrong("a text", Some("put it in quotes")),
            _ => self.wrong("a text", None),
        }
    }

    fn deserialize_string<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bytes<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_byte_buf<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.node.value {
            Value::Null | Value::Gone => self.placed(visitor.visit_none()),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_unit<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_any(visitor)
    }

    fn deserialize_unit_struct<V: Visitor<'n>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.deserialize_any(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'n>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.placed(visitor.visit_newtype_struct(self))
    }

    fn deserialize_seq<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, Fault> {
        let items: &[Node] = match &self.node.value {
            Value::List(items) => items,
            // `goals:` with nothing behind it, as people leave it when they begin.
            Value::Null => &[],
            _ => {
                let help = "one item is a list too: `[item]`, or `- item` in a line of its own";
                return self.wrong("a list", Some(help));
            }
        };
        self.placed(visitor.visit_seq(Items {
            items: items.iter().enumerate(),
            decoder: self,
        }))
    }

    fn deserialize_tuple<V: Visitor<'n>>(self, _: usize, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'n>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, Fault> {
        match &self.node.value {
            Value::Map(entries) => self.entries(entries, Vec::new(), visitor, |_| true),
            Value::Null => self.entries(&[], Vec::new(), visitor, |_| true),
            _ => self.wrong(
                "keys with values",
                Some("write `key: value` below each other"),
            ),
        }
    }

    fn deserialize_struct<V: Visitor<'n>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let Value::Map(entries) = &self.node.value else {
            let some: Vec<&str> = fields.iter().copied().take(3).collect();
            let help = format!("write its keys below each other: {}, …", some.join(", "));
            return self.wrong("keys with values", Some(&help));
        };
        let mut own = Vec::new();
        let takes_own = fields.contains(&OWN_KEYS);
        for (key, value) in entries {
            if key.name != OWN_KEYS && fields.contains(&key.name.as_str()) {
                continue;
            }
            if takes_own && key.name.len() > OWN_KEYS.len() && key.name.starts_with(OWN_KEYS) {
                own.push((key, value));
                continue;
            }
            if self.shared.unknown.borrow().len() >= MOST {
                break;
            }
            let (message, help) = unknown_key(&key.name, fields);
            let pointer = self.shared.path.borrow().clone() + &step(&key.name);
            self.shared.unknown.borrow_mut().push(Problem {
                at: key.span,
                pointer,
                message,
                help: Some(help),
            });
        }
        self.entries(entries, own, visitor, |name| {
            name != OWN_KEYS && fields.contains(&name)
        })
    }

    fn deserialize_enum<V: Visitor<'n>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match &self.node.value {
            Value::Plain(t) | Value::Text(t) => {
                let done = visitor.visit_enum(t.as_str().into_deserializer());
                // A word that is known and does not say enough.
                let done = done.map_err(|fault: Fault| match variants.contains(&t.as_str()) {
                    true => Fault::new(
                        format!("`{t}` says too little"),
                        Some(format!("write `{{{t}: …}}`")),
                    ),
                    false => fault,
                });
                self.placed(done)
            }
            Value::Map(entries) if entries.len() == 1 => self.placed(visitor.visit_enum(Variant {
                key: &entries[0].0,
                value: &entries[0].1,
                decoder: self,
            })),
            _ => self.wrong(&format!("one of {}", listed(variants)), None),
        }
    }

    fn deserialize_identifier<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_unit()
    }
}

struct Items<'n> {
    items: std::iter::Enumerate<std::slice::Iter<'n, Node>>,
    decoder: Decoder<'n>,
}

impl<'n> de::SeqAccess<'n> for Items<'n> {
    type Error = Fault;

    fn next_element_seed<T: de::DeserializeSeed<'n>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Fault> {
        let Some((place, item)) = self.items.find(|(_, n)| n.value != Value::Gone) else {
            return Ok(None);
        };
        let decoder = self.decoder.of(item);
        let shared = decoder.shared;
        shared
            .inside(&place.to_string(), || {
                decoder.placed(seed.deserialize(decoder))
            })
            .map(Some)
    }
}

/// What stands behind a key.
enum Part<'n> {
    Node(&'n Node),
    /// The keys that begin with `x-`.
    Own(Vec<(&'n Key, &'n Node)>),
}

struct Entries<'n> {
    entries: std::vec::IntoIter<(&'n str, TextSpan, Part<'n>)>,
    value: Option<(&'n str, Part<'n>)>,
    decoder: Decoder<'n>,
}

impl<'n> de::MapAccess<'n> for Entries<'n> {
    type Error = Fault;

    fn next_key_seed<K: de::DeserializeSeed<'n>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Fault> {
        let Some((name, span, part)) = self.entries.next() else {
            return Ok(None);
        };
        self.value = Some((name, part));
        let shared = self.decoder.shared;
        let key = Node::new(Value::Text(name.to_owned()), span);
        let result = seed.deserialize(de::value::BorrowedStrDeserializer::<Fault>::new(name));
        shared
            .inside(name, || result.map_err(|fault| fault.placed(&key, shared)))
            .map(Some)
    }

    fn next_value_seed<T: de::DeserializeSeed<'n>>(&mut self, seed: T) -> Result<T::Value, Fault> {
        let Some((name, part)) = self.value.take() else {
            return Err(de::Error::custom("a value was asked for before its key"));
        };
        let shared = self.decoder.shared;
        match part {
            Part::Node(node) => {
                let decoder = self.decoder.of(node);
                shared.inside(name, || decoder.placed(seed.deserialize(decoder)))
            }
            Part::Own(entries) => {
                let own = entries
                    .into_iter()
                    .map(|(k, n)| (k.name.clone(), n.to_json()));
                let own: indexmap::IndexMap<String, serde_json::Value> = own.collect();
                let own =
                    de::value::MapDeserializer::new(own.into_iter().map(|(k, v)| (k, Json(v))));
                seed.deserialize(own)
            }
        }
    }
}

/// A JSON value on its way into a type, under our error.
struct Json(serde_json::Value);

impl<'de> de::IntoDeserializer<'de, Fault> for Json {
    type Deserializer = JsonDecoder;
    fn into_deserializer(self) -> JsonDecoder {
        JsonDecoder(self.0)
    }
}

struct JsonDecoder(serde_json::Value);

impl<'de> de::Deserializer<'de> for JsonDecoder {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.0
            .deserialize_any(visitor)
            .map_err(|e| de::Error::custom(e.to_string()))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// `kind: {competitor: …}`: a mapping with one key, which says which.
struct Variant<'n> {
    key: &'n Key,
    value: &'n Node,
    decoder: Decoder<'n>,
}

impl<'n> de::EnumAccess<'n> for Variant<'n> {
    type Error = Fault;
    type Variant = Variant<'n>;

    fn variant_seed<V: de::DeserializeSeed<'n>>(
        self,
        seed: V,
    ) -> Result<(V::Value, Variant<'n>), Fault> {
        let name = &self.key.name;
        let variant = seed
            .deserialize(de::value::BorrowedStrDeserializer::<Fault>::new(name))
            .map_err(|fault| Fault {
                span: self.key.span,
                pointer: self.decoder.shared.path.borrow().clone(),
                placed: true,
                ..fault
            })?;
        Ok((variant, self))
    }
}

impl<'n> de::VariantAccess<'n> for Variant<'n> {
    type Error = Fault;

    fn unit_variant(self) -> Result<(), Fault> {
        let name = &self.key.name;
        let help = format!("write `{name}` alone");
        self.decoder.wrong(&format!("`{name}`"), Some(&help))
    }

    fn newtype_variant_seed<T: de::DeserializeSeed<'n>>(self, seed: T) -> Result<T::Value, Fault> {
        let decoder = self.decoder.of(self.value);
        let shared = decoder.shared;
        shared.inside(&self.key.name, || decoder.placed(seed.deserialize(decoder)))
    }

    fn tuple_variant<V: Visitor<'n>>(self, _: usize, visitor: V) -> Result<V::Value, Fault> {
        let decoder = self.decoder.of(self.value);
        let shared = decoder.shared;
        shared.inside(&self.key.name, || {
            de::Deserializer::deserialize_seq(decoder, visitor)
        })
    }

    fn struct_variant<V: Visitor<'n>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let decoder = self.decoder.of(self.value);
        let shared = decoder.shared;
        shared.inside(&self.key.name, || {
            de::Deserializer::deserialize_struct(decoder, "", fields, visitor)
        })
    }
}
