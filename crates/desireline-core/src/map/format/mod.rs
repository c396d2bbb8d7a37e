//! Documents as text: YAML and JSON in and out, every mistake with its place.
//!
//! Text becomes a tree that knows its places, the tree becomes the types. A parser of text is pure, so it lives in the core:
//! `map check` can show the line of a stage without a goal, and a log's error the place in an expression.

mod decode;
mod encoding;
mod json;
mod node;
mod problem;
mod schema;
mod write;
mod yaml;

pub use self::encoding::document_text;
pub use self::problem::{MapError, Problem};

pub(crate) use self::decode::decode;
pub(crate) use self::node::{Node, step};
pub(crate) use self::problem::{caret, within};
pub(crate) use self::schema::schema;
pub(crate) use self::write::{tree, yaml};

/// Most bytes of a document.
pub const MAX_BYTES: usize = 8 << 20;
/// Deepest nesting of lists and mappings.
pub const MAX_DEPTH: usize = 64;
/// Most values of a document, aliases unfolded.
pub const MAX_NODES: usize = 200_000;

/// How a document is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// YAML 1.2: what people write.
    Yaml,
    /// JSON: what programs write.
    Json,
}

impl Form {
    /// JSON if the text begins with `{` and a quote, else YAML.
    pub fn guess(text: &str) -> Form {
        let inner = text.trim_start().strip_prefix('{').map(str::trim_start);
        if inner.is_some_and(|t| t.starts_with(['"', '}'])) {
            Form::Json
        } else {
            Form::Yaml
        }
    }
}

/// Reads a text of either form into a tree.
pub(crate) fn read(text: &str, form: Form) -> Result<Node, MapError> {
    if text.len() > MAX_BYTES {
        let at = crate::expr::TextSpan::NONE;
        let told = format!("{} bytes, over the limit of {MAX_BYTES}", text.len());
        return Err(Problem::syntax(at, told).into());
    }
    match form {
        Form::Yaml => yaml::read(text),
        Form::Json => json::read(text),
    }
}
