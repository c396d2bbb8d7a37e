//! Text to tokens.

use super::ast::{CompareOp, TextSpan};
use super::error::{ExprError, shorten};

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind<'t> {
    Word(&'t str),
    /// Text in single or double quotes, escapes resolved.
    Text(String),
    /// A name in backticks, escapes resolved.
    Quoted(String),
    Op(CompareOp),
    Tilde,
    Open,
    Close,
    OpenList,
    CloseList,
    Comma,
    End,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token<'t> {
    pub(super) kind: Kind<'t>,
    pub(super) span: TextSpan,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keyword {
    And,
    Or,
    Not,
    In,
    Like,
    Exists,
    True,
    False,
}

pub(super) const KEYWORDS: [(&str, Keyword); 8] = [
    ("and", Keyword::And),
    ("or", Keyword::Or),
    ("not", Keyword::Not),
    ("in", Keyword::In),
    ("like", Keyword::Like),
    ("exists", Keyword::Exists),
    ("true", Keyword::True),
    ("false", Keyword::False),
];

/// Keywords are written in lower or upper case. Mixed case stays a name (`Log In`), except for `True` and `False`,
/// which people carry over from Python.
pub(super) fn keyword(word: &str) -> Option<Keyword> {
    let (text, keyword) = KEYWORDS
        .iter()
        .find(|(text, _)| word.eq_ignore_ascii_case(text))?;
    let plain = word == *text || !word.bytes().any(|b| b.is_ascii_lowercase());
    (plain || matches!(keyword, Keyword::True | Keyword::False)).then_some(*keyword)
}

/// Characters that change how a text looks without being seen: never part of a bare word, always escaped in print.
pub(super) fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// What to write instead of a character or operator that people carry over from elsewhere.
fn instead(found: &str) -> Option<&'static str> {
    Some(match found {
        "\u{201c}" | "\u{201d}" | "\u{201e}" | "\u{ab}" | "\u{bb}" => {
            "use straight quotes: \"text\""
        }
        "\u{2018}" | "\u{2019}" | "\u{201a}" => "use straight quotes: 'text'",
        "\u{2013}" | "\u{2014}" | "\u{2212}" => "write a plain hyphen `-`",
        "\u{2260}" | "<>" | "=!" | "!==" => "write `!=`",
        "\u{2264}" | "=<" => "write `<=`",
        "\u{2265}" | "=>" => "write `>=`",
        "===" => "write `==`",
        "=~" | "~=" | "~~" => "write `~` for a regular expression",
        "!~" => "write `not field ~ \"…\"`",
        "&" | "&&" => "write `and`",
        "|" | "||" => "write `or`",
        "!" => "write `not`, or `!=` to compare",
        "{" | "}" => "lists stand in square brackets: [\"web\", \"app\"]",
        "%" => "write `*` for any text in a `like` pattern",
        _ => return None,
    })
}

fn is_word(c: char) -> bool {
    if c.is_ascii() {
        c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | ':')
    } else {
        !c.is_whitespace() && !is_invisible(c) && instead(c.encode_utf8(&mut [0; 4])).is_none()
    }
}

fn is_operator(c: char) -> bool {
    matches!(c, '=' | '!' | '<' | '>' | '~' | '&' | '|')
}

/// Whether `text` can stand unquoted as one word (not judging keywords).
pub(super) fn is_bare_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(is_word)
}

pub(super) fn lex(text: &str) -> Result<Vec<Token<'_>>, ExprError> {
    let mut lexer = Lexer {
        text,
        at: 0,
        line: 1,
        column: 1,
    };
    let mut tokens = Vec::new();
    loop {
        // After `~` and `like` an escape that we do not know belongs to the pattern: "\d" needs no doubling.
        let in_pattern = match tokens.last() {
            Some(Token {
                kind: Kind::Tilde, ..
            }) => true,
            Some(Token {
                kind: Kind::Word(word),
                ..
            }) => keyword(word) == Some(Keyword::Like),
            _ => false,
        };
        let token = lexer.next(in_pattern)?;
        let done = token.kind == Kind::End;
        tokens.push(token);
        if done {
            return Ok(tokens);
        }
    }
}

struct Lexer<'t> {
    text: &'t str,
    at: usize,
    line: u32,
    column: u32,
}

impl<'t> Lexer<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn bump(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        if c == '\n' {
            self.line += 1;
            self.column = 1;
        } else {
            self.column += 1;
        }
        Some(c)
    }

    fn here(&self) -> TextSpan {
        TextSpan {
            start: self.at,
            end: self.at,
            line: self.line,
            column: self.column,
        }
    }

    fn since(&self, start: TextSpan) -> TextSpan {
        TextSpan {
            end: self.at,
            ..start
        }
    }

    fn take(&mut self, mut keep: impl FnMut(char) -> bool) -> &'t str {
        let (start, rest) = (self.at, self.rest());
        while self.peek().is_some_and(&mut keep) {
            self.bump();
        }
        rest.get(..self.at - start).unwrap_or_default()
    }

    fn next(&mut self, in_pattern: bool) -> Result<Token<'t>, ExprError> {
        let end_of_last = self.here();
        self.take(char::is_whitespace);
        let start = self.here();
        let Some(c) = self.peek() else {
            // Something missing at the end is missed right after the last token.
            return Ok(Token {
                kind: Kind::End,
                span: end_of_last,
            });
        };
        let kind = match c {
            '(' => self.single(Kind::Open),
            ')' => self.single(Kind::Close),
            '[' => self.single(Kind::OpenList),
            ']' => self.single(Kind::CloseList),
            ',' => self.single(Kind::Comma),
            '"' | '\'' => Kind::Text(self.quoted(in_pattern)?),
            '`' => Kind::Quoted(self.quoted(false)?),
            c if is_operator(c) => match self.take(is_operator) {
                "=" | "==" => Kind::Op(CompareOp::Eq),
                "!=" => Kind::Op(CompareOp::Ne),
                "<" => Kind::Op(CompareOp::Lt),
                "<=" => Kind::Op(CompareOp::Le),
                ">" => Kind::Op(CompareOp::Gt),
                ">=" => Kind::Op(CompareOp::Ge),
                "~" => Kind::Tilde,
                other => return Err(self.unexpected(start, other)),
            },
            c if is_word(c) => Kind::Word(self.word()),
            _ => {
                self.bump();
                let found = self.text.get(start.start..self.at).unwrap_or_default();
                return Err(self.unexpected(start, found));
            }
        };
        Ok(Token {
            kind,
            span: self.since(start),
        })
    }

    fn single(&mut self, kind: Kind<'t>) -> Kind<'t> {
        self.bump();
        kind
    }

    fn word(&mut self) -> &'t str {
        let start = self.at;
        self.take(is_word);
        // `1e+9`: the one place where a plus sign belongs to a word.
        let word = self.text.get(start..self.at).unwrap_or_default();
        let exponent = word
            .strip_suffix(['e', 'E'])
            .is_some_and(|m| !m.is_empty() && m.bytes().all(|b| b"0123456789.-".contains(&b)));
        if exponent && self.peek() == Some('+') {
            self.bump();
            self.take(is_word);
        }
        self.text.get(start..self.at).unwrap_or_default()
    }

    fn unexpected(&self, start: TextSpan, found: &str) -> ExprError {
        let help = match instead(found) {
            Some(help) => Some(help.to_owned()),
            None if found.chars().any(is_operator) => {
                Some("operators are == != < <= > >= ~ in like".to_owned())
            }
            None => Some(
                "put a name with such characters in backticks, and other text in quotes".to_owned(),
            ),
        };
        ExprError::Character {
            at: self.since(start),
            found: shorten(found),
            help,
        }
    }

    fn quoted(&mut self, in_pattern: bool) -> Result<String, ExprError> {
        let start = self.here();
        let quote = self.bump().unwrap_or('"');
        let mut text = String::new();
        loop {
            let here = self.here();
            match self.bump() {
                None => {
                    return Err(ExprError::Unclosed {
                        at: TextSpan {
                            end: start.start + 1,
                            ..start
                        },
                        quote,
                    });
                }
                Some(c) if c == quote => return Ok(text),
                Some('\\') => self.escape(here, in_pattern, &mut text)?,
                Some(c) => text.push(c),
            }
        }
    }

    fn escape(
        &mut self,
        start: TextSpan,
        in_pattern: bool,
        text: &mut String,
    ) -> Result<(), ExprError> {
        let Some(c) = self.peek() else {
            return Ok(()); // The caller reports the missing quote.
        };
        self.bump();
        match c {
            '\\' | '"' | '\'' | '`' => text.push(c),
            'n' => text.push('\n'),
            'r' => text.push('\r'),
            't' => text.push('\t'),
            'u' if self.peek() == Some('{') => {
                self.bump();
                let digits = self.take(|c| c.is_ascii_hexdigit());
                let value = u32::from_str_radix(digits, 16)
                    .ok()
                    .and_then(char::from_u32);
                match (value, self.bump()) {
                    (Some(value), Some('}')) => text.push(value),
                    _ => {
                        return Err(self.bad_escape(
                            start,
                            "write the code point in hexadecimal: \\u{e9}".to_owned(),
                        ));
                    }
                }
            }
            c if in_pattern => text.extend(['\\', c]),
            _ => {
                let help = "write `\\\\` for a backslash; known escapes are \\\\ \\\" \\' \\` \\n \\r \\t \\u{e9}";
                return Err(self.bad_escape(start, help.to_owned()));
            }
        }
        Ok(())
    }

    fn bad_escape(&self, start: TextSpan, help: String) -> ExprError {
        let at = self.since(start);
        let found = self.text.get(at.start..at.end).unwrap_or_default();
        ExprError::Escape {
            at,
            found: shorten(found),
            help: Some(help),
        }
    }
}
