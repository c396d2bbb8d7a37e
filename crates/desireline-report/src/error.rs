/// Why something could not be rendered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A table's columns differ in length, or a number does not fit the format.
    #[error("table `{table}` does not fit the arrow format: {source}")]
    Arrow {
        /// The table's name.
        table: String,
        /// What arrow says.
        source: arrow::error::ArrowError,
    },
    /// A value could not be written as JSON.
    #[error("the answer of `{analysis}` could not be written as json: {source}")]
    Json {
        /// The analysis.
        analysis: String,
        /// What serde says.
        source: serde_json::Error,
    },
    /// A page template is wrong.
    #[error("template `{template}` could not be rendered: {source}")]
    Template {
        /// The template's name.
        template: String,
        /// What the template engine says.
        source: minijinja::Error,
    },
}

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;
