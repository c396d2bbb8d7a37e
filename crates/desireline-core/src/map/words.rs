//! Texts for people, in one language or several, and keys of people's own.

use std::borrow::Cow;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

/// A text in the map's language, or in several: `Checkout`, or `{en: Checkout, de: Kasse}`.
///
/// ```
/// use desireline_core::map::LocalizedText;
/// let name = LocalizedText::from([("en", "Checkout"), ("de", "Kasse")]);
/// assert_eq!(name.get("de"), "Kasse");
/// assert_eq!(name.get("de-AT"), "Kasse");
/// assert_eq!(name.get("fr"), "Checkout");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum LocalizedText {
    /// In the language of the map.
    One(String),
    /// By language: tags such as `en` or `zh-Hant`, in the order written.
    Several(IndexMap<String, String>),
}

impl LocalizedText {
    /// The text in a language; else in the same language of another place, else the first there is.
    pub fn get(&self, language: &str) -> &str {
        match self {
            LocalizedText::One(text) => text,
            LocalizedText::Several(texts) => {
                let main = |tag: &str| tag.split('-').next().unwrap_or_default().to_lowercase();
                texts
                    .get(language)
                    .or_else(|| {
                        texts
                            .iter()
                            .find(|(tag, _)| main(tag) == main(language))
                            .map(|(_, t)| t)
                    })
                    .or_else(|| texts.first().map(|(_, t)| t))
                    .map_or("", String::as_str)
            }
        }
    }

    /// The first text.
    pub fn first(&self) -> &str {
        match self {
            LocalizedText::One(text) => text,
            LocalizedText::Several(texts) => texts.first().map_or("", |(_, t)| t),
        }
    }

    /// All texts.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        let (one, several) = match self {
            LocalizedText::One(text) => (Some(text.as_str()), None),
            LocalizedText::Several(texts) => (None, Some(texts.values().map(String::as_str))),
        };
        one.into_iter().chain(several.into_iter().flatten())
    }
}

impl From<&str> for LocalizedText {
    fn from(text: &str) -> LocalizedText {
        LocalizedText::One(text.to_owned())
    }
}

impl From<String> for LocalizedText {
    fn from(text: String) -> LocalizedText {
        LocalizedText::One(text)
    }
}

impl<const N: usize> From<[(&str, &str); N]> for LocalizedText {
    fn from(texts: [(&str, &str); N]) -> LocalizedText {
        let texts = texts.map(|(tag, text)| (tag.to_owned(), text.to_owned()));
        LocalizedText::Several(texts.into_iter().collect())
    }
}

/// Whether a text is a language tag: `en`, `pt-BR`, `zh-Hant`.
pub(crate) fn is_language(tag: &str) -> bool {
    let mut parts = tag.split('-');
    let main = parts.next().unwrap_or_default();
    (2..=3).contains(&main.len())
        && main.bytes().all(|b| b.is_ascii_lowercase())
        && parts.all(|p| (1..=8).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_alphanumeric()))
}

impl<'de> Deserialize<'de> for LocalizedText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<LocalizedText, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = LocalizedText;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a text, or texts by language such as `en: Checkout`")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<LocalizedText, E> {
                Ok(text.into())
            }
            // A year or a house number is a text where a text is wanted.
            fn visit_i64<E: serde::de::Error>(self, n: i64) -> Result<LocalizedText, E> {
                Ok(n.to_string().into())
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                mut map: A,
            ) -> Result<LocalizedText, A::Error> {
                let mut texts = IndexMap::new();
                while let Some(tag) = map.next_key::<String>()? {
                    if !is_language(&tag) {
                        return Err(A::Error::custom(format!(
                            "`{tag}` is no language; use tags such as en, de or zh-Hant, or one text alone"
                        )));
                    }
                    texts.insert(tag, map.next_value::<String>()?);
                }
                if texts.is_empty() {
                    return Err(A::Error::custom("there is no text in any language"));
                }
                Ok(LocalizedText::Several(texts))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

impl JsonSchema for LocalizedText {
    fn schema_name() -> Cow<'static, str> {
        "LocalizedText".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "A text in the map's language, or texts by language: `{en: Checkout, de: Kasse}`.",
            "anyOf": [
                { "type": ["string", "integer"] },
                {
                    "type": "object",
                    "minProperties": 1,
                    "propertyNames": { "pattern": "^[a-z]{2,3}(-[A-Za-z0-9]{1,8})*$" },
                    "additionalProperties": { "type": "string" },
                },
            ],
        })
    }
}

/// Keys of people's own: whatever begins with `x-`. They are kept and mean nothing to us.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct OwnKeys(pub IndexMap<String, serde_json::Value>);

impl OwnKeys {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
