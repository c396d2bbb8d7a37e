//! The fields of a question as its JSON Schema tells them: what the command line and the generated code are made of.

use serde_json::{Map, Value};

/// One field of an analysis' question.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldInfo {
    /// Its name, the same in Rust, Python and JSON; the command line writes `--name`.
    pub name: String,
    /// What it takes.
    pub kind: FieldKind,
    /// Whether there is no default.
    pub required: bool,
    /// The default, where there is one other than nothing.
    pub default: Option<Value>,
    /// What it means.
    pub doc: String,
}

/// What a field takes.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum FieldKind {
    /// A condition on events.
    Expression,
    /// A length of time.
    TimeSpan,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// Yes or no.
    Boolean,
    /// A text.
    Text,
    /// One of these words.
    Choice(Vec<String>),
    /// Any number of them.
    List(Box<FieldKind>),
    /// Anything else: JSON.
    Json,
}

impl FieldInfo {
    /// The word for one value: `step` for the list `steps`.
    pub fn singular(&self) -> &str {
        match self.kind {
            FieldKind::List(_) => self.name.strip_suffix('s').unwrap_or(&self.name),
            _ => &self.name,
        }
    }
}

/// The fields that a question's JSON Schema declares, in its order.
pub fn fields(schema: &Value) -> Vec<FieldInfo> {
    let empty = Map::new();
    let properties = schema
        .get("properties")
        .and_then(Value::as_object)
        .unwrap_or(&empty);
    let required: Vec<&str> = schema
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    properties
        .iter()
        .map(|(name, property)| FieldInfo {
            name: name.clone(),
            kind: kind(property, schema, 0),
            required: required.contains(&name.as_str()),
            default: property.get("default").filter(|d| !d.is_null()).cloned(),
            doc: property
                .get("description")
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned(),
        })
        .collect()
}

/// The deepest chain of references and alternatives that is followed.
const MAX_DEPTH: u32 = 16;

fn kind(schema: &Value, root: &Value, depth: u32) -> FieldKind {
    if depth > MAX_DEPTH {
        return FieldKind::Json;
    }
    if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
        let found = target
            .strip_prefix('#')
            .and_then(|pointer| root.pointer(pointer));
        return found.map_or(FieldKind::Json, |s| kind(s, root, depth + 1));
    }
    if let Some(words) = words(schema) {
        return FieldKind::Choice(words);
    }
    if let Some(options) = schema
        .get("anyOf")
        .or_else(|| schema.get("oneOf"))
        .and_then(Value::as_array)
    {
        // The plainest form of a value that may be written in several: a step is an expression before it is an object.
        let kinds = options
            .iter()
            .filter(|o| !is_null(o))
            .map(|o| kind(o, root, depth + 1));
        return kinds
            .min_by_key(|k| u8::from(*k == FieldKind::Json))
            .unwrap_or(FieldKind::Json);
    }
    match (
        type_of(schema),
        schema.get("format").and_then(Value::as_str),
    ) {
        (Some("string"), Some("expression")) => FieldKind::Expression,
        (Some("string"), Some("duration")) => FieldKind::TimeSpan,
        (Some("string"), _) => FieldKind::Text,
        (Some("integer"), _) => FieldKind::Integer,
        (Some("number"), _) => FieldKind::Number,
        (Some("boolean"), _) => FieldKind::Boolean,
        (Some("array"), _) => match schema.get("items") {
            Some(items) => FieldKind::List(Box::new(kind(items, root, depth + 1))),
            None => FieldKind::Json,
        },
        _ => FieldKind::Json,
    }
}

fn is_null(schema: &Value) -> bool {
    schema.get("type").and_then(Value::as_str) == Some("null")
}

fn type_of(schema: &Value) -> Option<&str> {
    match schema.get("type") {
        Some(Value::String(name)) => Some(name),
        Some(Value::Array(names)) => names
            .iter()
            .filter_map(Value::as_str)
            .find(|n| *n != "null"),
        _ => None,
    }
}

/// The words of an enumeration, written either as `enum` or as alternatives of `const`.
fn words(schema: &Value) -> Option<Vec<String>> {
    let word = |v: &Value| v.as_str().map(str::to_owned);
    if let Some(list) = schema.get("enum").and_then(Value::as_array) {
        return list.iter().filter(|v| !v.is_null()).map(word).collect();
    }
    let list = schema.get("oneOf").and_then(Value::as_array)?;
    let words: Option<Vec<Vec<String>>> = list
        .iter()
        .map(|option| match option.get("const") {
            Some(value) => word(value).map(|w| vec![w]),
            None => words(option),
        })
        .collect();
    words.map(|w| w.concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expr::Expr;
    use crate::time::TimeSpan;

    #[derive(schemars::JsonSchema)]
    #[schemars(rename_all = "snake_case")]
    #[allow(dead_code)]
    enum Word {
        /// One.
        First,
        /// Two.
        Second,
    }

    #[derive(schemars::JsonSchema)]
    #[allow(dead_code)]
    struct Question {
        /// What counts.
        goal: Expr,
        within: Option<TimeSpan>,
        steps: Vec<Expr>,
        top: u32,
        level: Option<f64>,
        word: Word,
        maybe: Option<Word>,
        flag: bool,
    }

    #[test]
    fn a_schema_becomes_fields() {
        let found = fields(schemars::schema_for!(Question).as_value());
        let words = FieldKind::Choice(vec!["first".into(), "second".into()]);
        let kinds: Vec<_> = found
            .iter()
            .map(|f| (f.name.as_str(), f.kind.clone(), f.required))
            .collect();
        let expected = [
            ("goal", FieldKind::Expression, true),
            ("within", FieldKind::TimeSpan, false),
            (
                "steps",
                FieldKind::List(Box::new(FieldKind::Expression)),
                true,
            ),
            ("top", FieldKind::Integer, true),
            ("level", FieldKind::Number, false),
            ("word", words.clone(), true),
            ("maybe", words, false),
            ("flag", FieldKind::Boolean, true),
        ];
        for row in expected {
            assert!(kinds.contains(&row), "{row:?} in {kinds:?}");
        }
        assert!(
            found
                .iter()
                .any(|f| f.doc == "What counts." && f.name == "goal")
        );
        assert!(found.iter().any(|f| f.singular() == "step"));
    }
}
