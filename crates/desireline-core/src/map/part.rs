//! What the parts of a map have in common, written once.

/// A part of a document: a struct with a constructor for what every such part has and a setter for everything else.
///
/// `name: T` is required, `name ? T` may be left out, `name * T` is a list that may be empty, `name = T` is required and
/// always the same, `name @ "key" T` may be left out and is called otherwise in documents, and `+ own` lets it carry keys
/// that begin with `x-`.
macro_rules! part {
    ($(#[$meta:meta])* pub struct $type:ident { $($fields:tt)* }) => {
        part!(@ [$(#[$meta])*] $type {} {} {} {} $($fields)*);
    };
    // The constructor's arguments, what it sets, the struct's fields and the setters grow field by field.
    (@ [$($meta:tt)*] $type:ident {$($arg:tt)*} {$($init:tt)*} {$($field:tt)*} {$($set:tt)*}
        $(#[$doc:meta])* $name:ident : $t:ty, $($rest:tt)*) => {
        part!(@ [$($meta)*] $type
            {$($arg)* $name: impl Into<$t>,}
            {$($init)* $name: $name.into(),}
            {$($field)* $(#[$doc])* pub $name: $t,}
            {$($set)*}
            $($rest)*);
    };
    (@ [$($meta:tt)*] $type:ident {$($arg:tt)*} {$($init:tt)*} {$($field:tt)*} {$($set:tt)*}
        $(#[$doc:meta])* $name:ident ? $t:ty, $($rest:tt)*) => {
        part!(@ [$($meta)*] $type
            {$($arg)*}
            {$($init)* $name: None,}
            {$($field)* $(#[$doc])* #[serde(default, skip_serializing_if = "Option::is_none")] pub $name: Option<$t>,}
            {$($set)*
                $(#[$doc])*
                #[must_use]
                pub fn $name(mut self, value: impl Into<$t>) -> Self { self.$name = Some(value.into()); self }
            }
            $($rest)*);
    };
    (@ [$($meta:tt)*] $type:ident {$($arg:tt)*} {$($init:tt)*} {$($field:tt)*} {$($set:tt)*}
        $(#[$doc:meta])* $name:ident = $t:ty, $($rest:tt)*) => {
        part!(@ [$($meta)*] $type
            {$($arg)*}
            {$($init)* $name: <$t>::default(),}
            {$($field)* $(#[$doc])* pub $name: $t,}
            {$($set)*}
            $($rest)*);
    };
    (@ [$($meta:tt)*] $type:ident {$($arg:tt)*} {$($init:tt)*} {$($field:tt)*} {$($set:tt)*}
        $(#[$doc:meta])* $name:ident @ $key:literal $t:ty, $($rest:tt)*) => {
        part!(@ [$($meta)*] $type
            {$($arg)*}
            {$($init)* $name: None,}
            {$($field)* $(#[$doc])* #[serde(rename = $key, default, skip_serializing_if = "Option::is_none")] pub $name: Option<$t>,}
            {$($set)*}
            $($rest)*);
    };
    (@ [$($meta:tt)*] $type:ident {$($arg:tt)*} {$($init:tt)*} {$($field:tt)*} {$($set:tt)*}
        $(#[$doc:meta])* $name:ident * $t:ty, $($rest:tt)*) => {
        part!(@ [$($meta)*] $type
            {$($arg)*}
            {$($init)* $name: Vec::new(),}
            {$($field)* $(#[$doc])* #[serde(default, skip_serializing_if = "Vec::is_empty")] pub $name: Vec<$t>,}
            {$($set)*
                $(#[$doc])*
                ///
                /// Adds to what is there.
                #[must_use]
                pub fn $name<I: IntoIterator>(mut self, values: I) -> Self where I::Item: Into<$t> {
                    self.$name.extend(values.into_iter().map(Into::into));
                    self
                }
            }
            $($rest)*);
    };
    (@ [$($meta:tt)*] $type:ident {$($arg:tt)*} {$($init:tt)*} {$($field:tt)*} {$($set:tt)*} + own) => {
        part!(@ [$($meta)*] $type {$($arg)*}
            {$($init)* own: crate::map::OwnKeys::default(),}
            {$($field)*
                /// Keys of your own, which begin with `x-`.
                #[serde(rename = "x-", default, skip_serializing_if = "crate::map::OwnKeys::is_empty")]
                pub own: crate::map::OwnKeys,
            }
            {$($set)*});
    };
    (@ [$($meta:tt)*] $type:ident {$($arg:tt)*} {$($init:tt)*} {$($field:tt)*} {$($set:tt)*}) => {
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        $($meta)*
        #[serde(deny_unknown_fields)]
        #[non_exhaustive]
        pub struct $type { $($field)* }

        impl $type {
            /// One with what every one of its kind has; all else is left out.
            #[allow(clippy::too_many_arguments, clippy::new_without_default)]
            #[must_use]
            pub fn new($($arg)*) -> Self {
                Self { $($init)* }
            }
            $($set)*
        }
    };
}

/// A choice between words.
macro_rules! words {
    ($(#[$meta:meta])* pub enum $type:ident { $($(#[$doc:meta])* $variant:ident = $word:literal $(| $alias:literal)*,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        pub enum $type {
            $($(#[$doc])* #[serde(rename = $word $(, alias = $alias)*)] $variant,)*
        }

        impl $type {
            /// All of them, in order.
            pub const ALL: &[$type] = &[$($type::$variant),*];

            /// The word in a document.
            pub fn word(self) -> &'static str {
                match self { $($type::$variant => $word,)* }
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.word())
            }
        }
    };
}

/// A type that documents write as a text, or as a mapping where there is more to say.
macro_rules! text_or_struct {
    ($type:ident: $text:ty | $form:ident, $expecting:literal,
        from_text: $from_text:expr, from_form: $from_form:expr, to_form: $to_form:expr, to_text: $to_text:expr) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let to_form: fn(&$type) -> Option<$form> = $to_form;
                let to_text: fn(&$type) -> &$text = $to_text;
                match to_form(self) {
                    Some(form) => form.serialize(serializer),
                    None => to_text(self).serialize(serializer),
                }
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<$type, D::Error> {
                struct Visitor;
                impl<'de> serde::de::Visitor<'de> for Visitor {
                    type Value = $type;
                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str($expecting)
                    }
                    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<$type, E> {
                        let from_text: fn($text) -> $type = $from_text;
                        let text = serde::de::value::StrDeserializer::new(text);
                        <$text as serde::Deserialize>::deserialize(text).map(from_text)
                    }
                    // What looks like something else without quotes is a text here.
                    fn visit_i64<E: serde::de::Error>(self, n: i64) -> Result<$type, E> {
                        self.visit_str(&n.to_string())
                    }
                    fn visit_bool<E: serde::de::Error>(self, b: bool) -> Result<$type, E> {
                        self.visit_str(&b.to_string())
                    }
                    fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<$type, A::Error> {
                        let from_form: fn($form) -> $type = $from_form;
                        let map = serde::de::value::MapAccessDeserializer::new(map);
                        <$form as serde::Deserialize>::deserialize(map).map(from_form)
                    }
                }
                deserializer.deserialize_any(Visitor)
            }
        }

        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }
            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let text = generator.subschema_for::<$text>();
                let form = generator.subschema_for::<$form>();
                schemars::json_schema!({ "anyOf": [text, form] })
            }
        }
    };
}

pub(super) use {part, text_or_struct, words};
