//! The JSON Schema of a document.

use serde_json::{Value, json};

use super::decode::OWN_KEYS;

/// The trade's other words for moments of truth, which are read too.
const ALIASES: [(&str, &str); 4] = [
    ("discovery", "zmot"),
    ("purchase", "fmot"),
    ("experience", "smot"),
    ("loyalty", "umot"),
];

/// The schema of a type, with keys of people's own as documents write them.
pub(crate) fn schema<T: schemars::JsonSchema>(title: &str) -> Value {
    let mut schema = schemars::schema_for!(T).to_value();
    mend(&mut schema);
    for (word, alias) in ALIASES {
        let words = schema.pointer_mut("/$defs/MomentKind/oneOf");
        if let Some(words) = words.and_then(Value::as_array_mut) {
            words.push(json!({ "const": alias, "description": format!("The same as `{word}`.") }));
        }
    }
    if let Some(root) = schema.as_object_mut() {
        root.insert("title".to_owned(), json!(title));
        // What the type's own page says to programmers is of no use to an editor.
        if let Some(Value::String(told)) = root.get_mut("description") {
            told.truncate(told.find("\n\n").unwrap_or(told.len()));
        }
    }
    schema
}

/// `x-` stands for all keys that begin so; a list or mapping may also be written with nothing behind its key.
fn mend(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            let properties = fields.get_mut("properties").and_then(Value::as_object_mut);
            if let Some(properties) = properties {
                let own = properties.remove(OWN_KEYS).is_some();
                for property in properties.values_mut() {
                    if let Some("array") = property.get("type").and_then(Value::as_str) {
                        property["type"] = json!(["array", "null"]);
                    }
                }
                if own {
                    fields.insert("patternProperties".to_owned(), json!({ "^x-.": {} }));
                }
            }
            fields.values_mut().for_each(mend);
        }
        Value::Array(items) => items.iter_mut().for_each(mend),
        _ => {}
    }
}
