//! Types and values as Python writes them.

use serde_json::Value;

use super::super::schema::Type;

/// Words that cannot be a Python name.
const KEYWORDS: &[&str] = &[
    "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del", "elif",
    "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda",
    "nonlocal", "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
];

/// What a user may write.
pub(super) fn written(kind: &Type) -> String {
    match kind {
        Type::Expression => "Condition".to_owned(),
        Type::TimeSpan => "Span".to_owned(),
        Type::List(inner) => {
            let item = written(inner);
            format!("{item} | Sequence[{item}]")
        }
        Type::Map(inner) if **inner == Type::Any => "Mapping[str, Json]".to_owned(),
        Type::Map(inner) => format!("Mapping[str, {}]", written(inner)),
        Type::Tuple(kinds) => format!("tuple[{}]", joined(kinds, written, ", ")),
        Type::Union(kinds) => unique(kinds.iter().map(written)),
        Type::Optional(inner) => format!("{} | None", written(inner)),
        Type::Any => "Json".to_owned(),
        other => plain(other),
    }
}

/// What a report holds.
pub(super) fn held(kind: &Type) -> String {
    match kind {
        Type::Expression | Type::TimeSpan => "str".to_owned(),
        Type::List(inner) => format!("tuple[{}, ...]", held(inner)),
        Type::Map(inner) => format!("Mapping[str, {}]", held(inner)),
        Type::Tuple(kinds) => format!("tuple[{}]", joined(kinds, held, ", ")),
        Type::Union(_) | Type::Any => "Any".to_owned(),
        Type::Optional(inner) => format!("{} | None", held(inner)),
        other => plain(other),
    }
}

fn plain(kind: &Type) -> String {
    match kind {
        Type::Integer => "int".to_owned(),
        Type::Number => "float".to_owned(),
        Type::Boolean => "bool".to_owned(),
        Type::Text => "str".to_owned(),
        Type::Choice(words) => format!("Literal[{}]", joined(words, |w| format!("\"{w}\""), ", ")),
        Type::Class(name) => name.clone(),
        _ => "Any".to_owned(),
    }
}

/// An expression that makes a held value of the JSON in `value`.
pub(super) fn reading(kind: &Type, value: &str) -> String {
    match kind {
        Type::Class(name) => format!("{name}._read({value})"),
        Type::List(inner) => {
            let item = reading(inner, "x");
            if item == "x" {
                format!("tuple({value})")
            } else {
                format!("tuple({item} for x in {value})")
            }
        }
        Type::Map(inner) => {
            let item = reading(inner, "x");
            if item == "x" {
                value.to_owned()
            } else {
                format!("{{k: {item} for k, x in {value}.items()}}")
            }
        }
        Type::Tuple(kinds) => {
            let items = kinds
                .iter()
                .enumerate()
                .map(|(i, k)| reading(k, &format!("{value}[{i}]")));
            format!("({},)", items.collect::<Vec<_>>().join(", "))
        }
        Type::Optional(inner) => {
            let item = reading(inner, "y");
            if item == "y" {
                value.to_owned()
            } else {
                format!("None if (y := {value}) is None else {item}")
            }
        }
        _ => value.to_owned(),
    }
}

fn joined<T>(items: &[T], show: impl Fn(&T) -> String, by: &str) -> String {
    items.iter().map(show).collect::<Vec<_>>().join(by)
}

fn unique(items: impl Iterator<Item = String>) -> String {
    let mut seen = Vec::new();
    for item in items.flat_map(|i| i.split(" | ").map(str::to_owned).collect::<Vec<_>>()) {
        if !seen.contains(&item) {
            seen.push(item);
        }
    }
    seen.join(" | ")
}

/// A value as Python writes it.
pub(super) fn value(json: &Value) -> String {
    match json {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Array(items) if items.len() == 1 => format!("({},)", value(&items[0])),
        Value::Array(items) => format!("({})", joined(items, value, ", ")),
        other => other.to_string(),
    }
}

pub(super) fn python_name(name: &str) -> String {
    if KEYWORDS.contains(&name) {
        format!("{name}_")
    } else {
        name.to_owned()
    }
}
