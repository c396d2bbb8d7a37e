//! What a JSON Schema declares, as types and classes that code can be written from.

use std::collections::BTreeMap;

use serde_json::Value;

/// The type of a field.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Type {
    Expression,
    TimeSpan,
    Integer,
    Number,
    Boolean,
    Text,
    Choice(Vec<String>),
    List(Box<Type>),
    Tuple(Vec<Type>),
    Map(Box<Type>),
    Class(String),
    Union(Vec<Type>),
    Optional(Box<Type>),
    Any,
}

/// A field of a class.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) kind: Type,
    pub(crate) required: bool,
    pub(crate) default: Option<Value>,
    pub(crate) doc: String,
}

/// An object with named fields.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Class {
    pub(crate) name: String,
    pub(crate) doc: String,
    pub(crate) fields: Vec<Field>,
}

/// The classes that a schema mentions, by name, besides its own.
pub(crate) type Classes = BTreeMap<String, Class>;

/// Reads the root object of a schema and all classes below it.
pub(crate) fn read(name: &str, schema: &Value) -> (Class, Classes) {
    let mut reader = Reader {
        root: schema,
        classes: Classes::new(),
    };
    let class = reader.class(name, schema);
    (class, reader.classes)
}

struct Reader<'a> {
    root: &'a Value,
    classes: Classes,
}

impl Reader<'_> {
    fn class(&mut self, name: &str, schema: &Value) -> Class {
        let required: Vec<&str> = strings(schema.get("required"));
        let mut fields = Vec::new();
        for (field, property) in schema
            .get("properties")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            fields.push(Field {
                name: field.clone(),
                kind: self.kind(property, field),
                required: required.contains(&field.as_str()),
                default: property.get("default").filter(|d| !d.is_null()).cloned(),
                doc: text(property, "description"),
            });
        }
        // JSON objects come sorted by name; the list of what is required keeps the order of the declaration.
        fields.sort_by_key(|f| {
            required
                .iter()
                .position(|r| *r == f.name)
                .unwrap_or(usize::MAX)
        });
        Class {
            name: name.to_owned(),
            doc: text(schema, "description"),
            fields,
        }
    }

    /// The type of a schema; `near` names an object that has no name of its own.
    fn kind(&mut self, schema: &Value, near: &str) -> Type {
        if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
            let name = target.rsplit('/').next().unwrap_or_default();
            let Some(found) = target.strip_prefix('#').and_then(|p| self.root.pointer(p)) else {
                return Type::Any;
            };
            return self.kind(found, name);
        }
        if let Some(words) = words(schema) {
            return Type::Choice(words);
        }
        if let Some(options) = schema
            .get("anyOf")
            .or_else(|| schema.get("oneOf"))
            .and_then(Value::as_array)
        {
            return self.union(options, near);
        }
        if let Some(items) = schema.get("prefixItems").and_then(Value::as_array) {
            return Type::Tuple(items.iter().map(|i| self.kind(i, near)).collect());
        }
        let (kind, nullable) = type_of(schema);
        let found = match (kind, schema.get("format").and_then(Value::as_str)) {
            (Some("string"), Some("expression")) => Type::Expression,
            (Some("string"), Some("duration")) => Type::TimeSpan,
            (Some("string"), _) => Type::Text,
            (Some("integer"), _) => Type::Integer,
            (Some("number"), _) => Type::Number,
            (Some("boolean"), _) => Type::Boolean,
            (Some("array"), _) => match schema.get("items") {
                Some(items) => Type::List(Box::new(self.kind(items, near))),
                None => Type::List(Box::new(Type::Any)),
            },
            (Some("object"), _) if schema.get("properties").is_some() => self.named(schema, near),
            (Some("object"), _) => match schema.get("additionalProperties") {
                Some(values @ Value::Object(_)) => Type::Map(Box::new(self.kind(values, near))),
                _ => Type::Map(Box::new(Type::Any)),
            },
            _ => Type::Any,
        };
        if nullable {
            Type::Optional(Box::new(found))
        } else {
            found
        }
    }

    fn named(&mut self, schema: &Value, name: &str) -> Type {
        let name = pascal(name.strip_suffix("Object").unwrap_or(name));
        if !self.classes.contains_key(&name) {
            // The name is taken first, so that a class that mentions itself comes to an end.
            let empty = Class {
                name: name.clone(),
                doc: String::new(),
                fields: Vec::new(),
            };
            self.classes.insert(name.clone(), empty);
            let class = self.class(&name, schema);
            self.classes.insert(name.clone(), class);
        }
        Type::Class(name)
    }

    /// The object behind an alternative of a plain text, under a definition: both are forms of what the definition names.
    fn fuller_form(&self, option: &Value, options: &[Value], near: &str) -> Option<Value> {
        let behind = |o: &Value| match o.get("$ref").and_then(Value::as_str) {
            Some(target) => target
                .strip_prefix('#')
                .and_then(|p| self.root.pointer(p))
                .cloned(),
            None => Some(o.clone()),
        };
        let defined = near.starts_with(|c: char| c.is_uppercase());
        let texts = options
            .iter()
            .filter_map(behind)
            .any(|o| type_of(&o).0 == Some("string"));
        behind(option).filter(|o| defined && texts && o.get("properties").is_some())
    }

    fn union(&mut self, options: &[Value], near: &str) -> Type {
        let nullable = options.iter().any(is_null);
        let mut kinds: Vec<Type> = Vec::new();
        // Objects told apart by a word inside them are told apart by their reader, not by a class each.
        let tagged = options.iter().filter(|o| is_tagged(o)).count() > 1;
        for option in options.iter().filter(|o| !is_null(o)) {
            let kind = if tagged {
                Type::Map(Box::new(Type::Any))
            } else if let Some(object) = self.fuller_form(option, options, near) {
                self.named(&object, near)
            } else {
                self.kind(option, near)
            };
            let kind = match kind {
                Type::Optional(inner) => *inner,
                other => other,
            };
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
        let kind = match kinds.len() {
            0 => Type::Any,
            1 => kinds.swap_remove(0),
            _ => Type::Union(kinds),
        };
        if nullable {
            Type::Optional(Box::new(kind))
        } else {
            kind
        }
    }
}

/// Gives a class another name, wherever it is mentioned.
pub(crate) fn rename(class: &mut Class, classes: &mut Classes, old: &str, new: &str) {
    fn within(kind: &mut Type, old: &str, new: &str) {
        match kind {
            Type::Class(name) if name == old => new.clone_into(name),
            Type::List(inner) | Type::Map(inner) | Type::Optional(inner) => within(inner, old, new),
            Type::Union(kinds) | Type::Tuple(kinds) => {
                kinds.iter_mut().for_each(|k| within(k, old, new))
            }
            _ => {}
        }
    }
    if let Some(mut moved) = classes.remove(old) {
        new.clone_into(&mut moved.name);
        classes.insert(new.to_owned(), moved);
    }
    let fields = classes
        .values_mut()
        .chain([class])
        .flat_map(|c| c.fields.iter_mut());
    fields.for_each(|f| within(&mut f.kind, old, new));
}

fn is_null(schema: &Value) -> bool {
    schema.get("type").and_then(Value::as_str) == Some("null")
}

fn is_tagged(schema: &Value) -> bool {
    let properties = schema.get("properties").and_then(Value::as_object);
    properties.is_some_and(|p| p.values().any(|v| v.get("const").is_some()))
}

fn type_of(schema: &Value) -> (Option<&str>, bool) {
    match schema.get("type") {
        Some(Value::String(name)) => (Some(name), false),
        Some(Value::Array(names)) => {
            let names: Vec<&str> = names.iter().filter_map(Value::as_str).collect();
            (
                names.iter().find(|n| **n != "null").copied(),
                names.contains(&"null"),
            )
        }
        _ => (None, false),
    }
}

/// The words of an enumeration, written either as `enum` or as alternatives of `const`.
fn words(schema: &Value) -> Option<Vec<String>> {
    let word = |v: &Value| v.as_str().map(str::to_owned);
    if let Some(list) = schema.get("enum").and_then(Value::as_array) {
        return list.iter().filter(|v| !v.is_null()).map(word).collect();
    }
    if let Some(value) = schema.get("const") {
        return word(value).map(|w| vec![w]);
    }
    let list = schema.get("oneOf").and_then(Value::as_array)?;
    let words: Option<Vec<Vec<String>>> = list.iter().map(words).collect();
    words.map(|w| w.concat())
}

fn strings(value: Option<&Value>) -> Vec<&str> {
    value
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

fn text(schema: &Value, key: &str) -> String {
    schema
        .get(key)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

pub(crate) fn pascal(name: &str) -> String {
    name.split('_')
        .map(|part| {
            let mut letters = part.chars();
            letters.next().map_or_else(String::new, |first| {
                first.to_uppercase().collect::<String>() + letters.as_str()
            })
        })
        .collect()
}

/// The words of a Rust documentation comment for readers of another language: code blocks left out, links as plain code.
pub(crate) fn prose(doc: &str) -> String {
    let (mut out, mut fenced) = (Vec::new(), false);
    for line in doc.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            out.push(unlinked(line));
        }
    }
    let text = out.join("\n");
    let mut squeezed = String::new();
    for paragraph in text
        .split("\n\n")
        .map(str::trim_end)
        .filter(|p| !p.trim().is_empty())
    {
        if !squeezed.is_empty() {
            squeezed.push_str("\n\n");
        }
        squeezed.push_str(&joined(paragraph.trim_matches('\n')));
    }
    squeezed
}

/// Each sentence or item of a paragraph on one line, however the source broke it.
fn joined(paragraph: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for line in paragraph.lines() {
        let words = line.trim_start();
        let starts = ["- ", "* ", "| ", "|-", "# ", "## "]
            .iter()
            .any(|mark| words.starts_with(mark));
        match lines.last_mut() {
            Some(last) if !starts => {
                last.push(' ');
                last.push_str(words.trim_end());
            }
            _ => lines.push(line.trim_end().to_owned()),
        }
    }
    lines.join("\n")
}

/// `[`x`](target)` and `[`x`]` as `` `x` ``, with the last part of a path.
fn unlinked(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(start) = rest.find("[`") {
        let Some(end) = rest[start..].find("`]") else {
            break;
        };
        let name = &rest[start + 2..start + end];
        out.push_str(&rest[..start]);
        let short = if name.contains(' ') {
            name
        } else {
            name.rsplit("::").next().unwrap_or(name)
        };
        out.push('`');
        out.push_str(short);
        out.push('`');
        rest = &rest[start + end + 2..];
        if let Some(target) = rest.strip_prefix('(') {
            rest = target.find(')').map_or(rest, |close| &target[close + 1..]);
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_schema_is_read() {
        let schema = json!({
            "type": "object", "description": "Which?", "required": ["steps", "rate"],
            "properties": {
                "steps": {"type": "array", "items": {"$ref": "#/$defs/Step"}, "description": "Them."},
                "within": {"anyOf": [{"$ref": "#/$defs/TimeSpan"}, {"type": "null"}]},
                "rate": {"$ref": "#/$defs/Rate"},
                "n": {"type": ["integer", "null"], "default": 3},
            },
            "$defs": {
                "TimeSpan": {"type": "string", "format": "duration"},
                "Step": {"anyOf": [{"type": "string", "format": "expression"}, {"$ref": "#/$defs/StepObject"}]},
                "StepObject": {"type": "object", "required": ["expr"], "properties": {"expr": {"type": "string", "format": "expression"}}},
                "Rate": {"type": "object", "properties": {"base": {"enum": ["of_all", "of_known"]}}},
            },
        });
        let (class, classes) = read("Funnel", &schema);
        let kind = |name: &str| {
            class
                .fields
                .iter()
                .find(|f| f.name == name)
                .map(|f| f.kind.clone())
        };
        let step = Type::Union(vec![Type::Expression, Type::Class("Step".into())]);
        assert_eq!(kind("steps"), Some(Type::List(Box::new(step))));
        assert_eq!(
            kind("within"),
            Some(Type::Optional(Box::new(Type::TimeSpan)))
        );
        assert_eq!(kind("n"), Some(Type::Optional(Box::new(Type::Integer))));
        assert_eq!(classes.keys().collect::<Vec<_>>(), ["Rate", "Step"]);
    }

    #[test]
    fn documentation_is_made_plain() {
        let doc = "Asks [`Funnel::steps`]\nof [`Log`](crate::Log):\n- one\n  item\n\n```\nlet x = 1;\n```\n\nEnd.";
        assert_eq!(prose(doc), "Asks `steps` of `Log`:\n- one item\n\nEnd.");
    }
}
