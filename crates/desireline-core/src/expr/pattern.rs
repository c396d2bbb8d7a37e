//! Globs, URL templates and regular expressions, compiled once and matched in linear time.

use regex::{Regex, RegexBuilder};

/// A compiled pattern of `like` or `~`.
#[derive(Debug, Clone)]
pub struct Pattern(Regex);

/// Compiled size above which a pattern is refused.
const SIZE_LIMIT: usize = 2 << 20;

impl Pattern {
    /// The pattern of `like`, which must match the whole text, upper and lower case told apart.
    ///
    /// `*` is any text (also none, also with `/`), `?` any one character, `\` makes the next character plain. After a
    /// `/`, `:name` is one segment of a path: one or more characters other than `/`, `?` and `#`.
    ///
    /// ```
    /// use desireline_core::expr::Pattern;
    /// let product = Pattern::glob("/product/:id")?;
    /// assert!(product.is_match("/product/42"));
    /// assert!(!product.is_match("/product/42/reviews"));
    /// assert!(Pattern::glob("*/checkout*")?.is_match("https://shop.example/checkout?step=2"));
    /// # Ok::<(), String>(())
    /// ```
    ///
    /// # Errors
    /// What is wrong with the pattern: it is too large.
    pub fn glob(glob: &str) -> Result<Self, String> {
        Self::compile(&translate(glob))
    }

    /// The pattern of `~`: a regular expression of the `regex` crate, which may match any part of the text. `^` and
    /// `$` tie it to the ends.
    ///
    /// # Errors
    /// What is wrong with the pattern: its grammar, or it is too large.
    pub fn regex(regex: &str) -> Result<Self, String> {
        Self::compile(regex)
    }

    /// Whether the pattern matches `text`.
    pub fn is_match(&self, text: &str) -> bool {
        self.0.is_match(text)
    }

    fn compile(regex: &str) -> Result<Self, String> {
        RegexBuilder::new(regex)
            .size_limit(SIZE_LIMIT)
            .dfa_size_limit(SIZE_LIMIT)
            .nest_limit(64)
            .build()
            .map(Self)
            .map_err(|error| match error {
                regex::Error::CompiledTooBig(limit) => {
                    format!("is larger than the limit of {limit} bytes when compiled")
                }
                // The crate draws a picture of several lines; its last line says what is wrong.
                other => {
                    let text = other.to_string();
                    let last = text.lines().last().unwrap_or_default().trim();
                    format!(
                        "is not a regular expression: {}",
                        last.trim_start_matches("error: ")
                    )
                }
            })
    }
}

fn translate(glob: &str) -> String {
    let mut regex = String::from(r"(?s)\A");
    let mut rest = glob.chars();
    let mut last = None;
    let mut plain = [0; 4];
    while let Some(c) = rest.next() {
        match c {
            '*' if last == Some('*') => {}
            '*' => regex.push_str(".*"),
            '?' => regex.push('.'),
            ':' if last == Some('/') && rest.as_str().starts_with(is_name_start) => {
                let name = rest.as_str();
                let end = name.find(|c| !is_name(c)).unwrap_or(name.len());
                rest = name.get(end..).unwrap_or_default().chars();
                regex.push_str("[^/?#]+");
            }
            '\\' => {
                let c = rest.next().unwrap_or('\\');
                regex.push_str(&regex::escape(c.encode_utf8(&mut plain)));
                last = None;
                continue;
            }
            c => regex.push_str(&regex::escape(c.encode_utf8(&mut plain))),
        }
        last = Some(c);
    }
    regex.push_str(r"\z");
    regex
}

fn is_name_start(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_'
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}
