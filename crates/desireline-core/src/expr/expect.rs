//! What to say when the text does not go on as the grammar wants, and what to write instead.

use super::ast::TextSpan;
use super::error::{ExprError, shorten};
use super::lex::{KEYWORDS, Keyword, Kind, is_bare_word, keyword};
use super::nearest;
use super::parse::{Parser, number};

impl Parser<'_> {
    pub(super) fn found(&self) -> String {
        match self.kind() {
            Kind::End => "end of text".to_owned(),
            Kind::Word(word) if keyword(word).is_some() => format!("the keyword {}", shorten(word)),
            _ => shorten(self.slice(self.span())),
        }
    }

    pub(super) fn syntax(&self, expected: &str, help: Option<String>) -> ExprError {
        ExprError::Syntax {
            at: self.span(),
            expected: expected.to_owned(),
            found: self.found(),
            help,
        }
    }

    pub(super) fn expected_value(&self, after: TextSpan, help: Option<String>) -> ExprError {
        let expected = format!("a value after {}", shorten(self.slice(after)));
        self.syntax(&expected, help)
    }

    pub(super) fn expected_condition(&self) -> ExprError {
        let mut expected = "a condition".to_owned();
        if self.at > 0 {
            expected.push_str(" after ");
            expected.push_str(&shorten(self.slice(self.before())));
        }
        let help = match self.kind() {
            Kind::End if self.at == 0 => Some(
                "an event name is enough, such as `purchase`; `true` matches every event"
                    .to_owned(),
            ),
            Kind::Text(text) => Some(format!(
                "an event name stands without quotes or in backticks: {}; several values of one field: `in [\"a\", \"b\"]`",
                shorten(text)
            )),
            Kind::Op(_) | Kind::Tilde => Some("a field stands before an operator".to_owned()),
            Kind::Word(word) => Some(format!(
                "an event or field named like a keyword needs backticks: `{word}`"
            )),
            _ => None,
        };
        self.syntax(&expected, help)
    }

    /// Something stands where the expression could only go on with `and`, `or` or `close`.
    pub(super) fn trailing(&self, close: &str) -> ExprError {
        let word = self.slice(self.before());
        let help = match self.kind() {
            Kind::Text(_) | Kind::OpenList => word_for_operator(word),
            Kind::Open => Some("put an event name with parentheses in backticks".to_owned()),
            Kind::Word(next) if keyword(next) == Some(Keyword::Not) => {
                Some("`not` stands before a condition, or as `not in` and `not like`".to_owned())
            }
            Kind::Word(next) if keyword(next).is_none() && is_name(word) => {
                Some("put a name of several words in backticks".to_owned())
            }
            Kind::Word(_) | Kind::Quoted(_) => {
                Some("write `and` or `or` between conditions".to_owned())
            }
            Kind::Close => Some("there is no `(` for it".to_owned()),
            _ => None,
        };
        self.syntax(&format!("`and`, `or` or {close}"), help)
    }

    /// Several words before an operator: a missing `and`, or a field that needs backticks.
    pub(super) fn many_words(&self, start: TextSpan) -> ExprError {
        let words = start.to(self.before());
        ExprError::Syntax {
            at: words,
            expected: format!("one field before {}", shorten(self.slice(self.span()))),
            found: shorten(self.slice(words)),
            help: Some(
                "put a field name of several words in backticks, or write `and` between conditions"
                    .to_owned(),
            ),
        }
    }
}

pub(super) const OPERATORS: &str = "operators are == != < <= > >= ~ in like";

/// Words that people write for an operator, and misspelled keywords.
fn word_for_operator(word: &str) -> Option<String> {
    let lower = word.to_ascii_lowercase();
    let instead = match lower.as_str() {
        "is" | "eq" | "equals" | "equal" => "`==`",
        "isnt" | "ne" => "`!=`",
        "contains" | "includes" => "`like \"*text*\"`",
        "startswith" | "starts_with" | "starts" => "`like \"text*\"`",
        "endswith" | "ends_with" | "ends" => "`like \"*text\"`",
        "matches" | "regex" | "regexp" | "rlike" | "match" => "`~ \"regex\"`",
        "between" => "`value >= 5 and value < 20`",
        _ => {
            return nearest(&lower, KEYWORDS.map(|(text, _)| text))
                .map(|near| format!("did you mean `{near}` for {}?", shorten(word)));
        }
    };
    Some(format!("write {instead} for {}", shorten(word)))
}

pub(super) fn closing(open: TextSpan) -> String {
    format!("`)` to close the `(` at {open}")
}

fn is_name(word: &str) -> bool {
    is_bare_word(word) && !matches!(number(word, TextSpan::NONE), Ok(Some(_)))
}

/// What to write for words without quotes in the place of a value.
pub(super) fn unquoted(words: &str) -> String {
    let plain = words.replace('_', "");
    if words.starts_with(|c: char| c.is_ascii_digit())
        && plain != words
        && plain.parse::<f64>().is_ok()
    {
        format!("write the number as {plain}")
    } else {
        format!(
            "text stands in quotes: \"{}\"",
            shorten(words).trim_matches('`')
        )
    }
}
