//! Tokens to an expression: one function for each rule of the grammar, and one list of what is open.

use super::ast::{CompareOp, Expr, Field, Literal, Node, Scope, TextSpan};
use super::error::{ExprError, shorten};
use super::expect::{OPERATORS, closing, unquoted};
use super::lex::{Keyword, Kind, Token, keyword, lex};
use super::pattern::Pattern;
use super::{MAX_DEPTH, MAX_LIST, MAX_PATTERNS, MAX_TEXT, nearest};
use crate::time::TimeSpan;

const FUNCTIONS: [&str; 3] = ["first", "nth", "after"];

pub(super) fn parse(text: &str) -> Result<Expr, ExprError> {
    let too_long = |bytes| ExprError::TooLong {
        bytes,
        limit: MAX_TEXT,
    };
    if text.len() > MAX_TEXT {
        return Err(too_long(text.len()));
    }
    let mut parser = Parser {
        text,
        tokens: lex(text)?,
        at: 0,
        depth: 0,
        patterns: 0,
    };
    let expr = parser.expression()?;
    if parser.kind() != &Kind::End {
        return Err(parser.trailing("the end"));
    }
    // Escapes and spelled-out numbers can make the canonical text longer than this one: what is read can be stored.
    if text.len() > MAX_TEXT / 8 {
        let bytes = expr.to_string().len();
        if bytes > MAX_TEXT {
            return Err(too_long(bytes));
        }
    }
    Ok(expr)
}

pub(super) struct Parser<'t> {
    text: &'t str,
    /// Never empty: ends with [`Kind::End`], which is never passed.
    tokens: Vec<Token<'t>>,
    pub(super) at: usize,
    depth: usize,
    patterns: usize,
}

/// What opens a level.
#[derive(Clone, Copy)]
enum Opens {
    Group,
    First,
    Nth,
    After,
}

#[derive(Clone, Copy)]
struct Opener {
    what: Opens,
    /// The name of the function, or the `(`.
    start: TextSpan,
    /// The `(`.
    open: TextSpan,
}

/// One level of parentheses: what has been read of it.
struct Level {
    /// None for the whole text.
    opener: Option<Opener>,
    start: TextSpan,
    /// Members of the `or`, each complete.
    ors: Vec<Expr>,
    and_start: TextSpan,
    /// Members of the `and` that is being read.
    ands: Vec<Expr>,
    /// Each `not` that waits for its condition.
    nots: Vec<TextSpan>,
}

impl Level {
    fn new(opener: Option<Opener>, start: TextSpan) -> Level {
        Level {
            opener,
            start,
            ors: Vec::new(),
            and_start: start,
            ands: Vec::new(),
            nots: Vec::new(),
        }
    }
}

const END: Token<'static> = Token {
    kind: Kind::End,
    span: TextSpan::NONE,
};

impl<'t> Parser<'t> {
    fn ahead(&self, n: usize) -> &Token<'t> {
        self.tokens
            .get(self.at.saturating_add(n))
            .or(self.tokens.last())
            .unwrap_or(&END)
    }

    pub(super) fn kind(&self) -> &Kind<'t> {
        &self.ahead(0).kind
    }

    pub(super) fn span(&self) -> TextSpan {
        self.ahead(0).span
    }

    pub(super) fn before(&self) -> TextSpan {
        self.at
            .checked_sub(1)
            .and_then(|i| self.tokens.get(i))
            .map_or(TextSpan::NONE, |t| t.span)
    }

    fn bump(&mut self) -> TextSpan {
        let span = self.span();
        if self.at + 1 < self.tokens.len() {
            self.at += 1;
        }
        span
    }

    pub(super) fn slice(&self, span: TextSpan) -> &'t str {
        self.text.get(span.start..span.end).unwrap_or_default()
    }

    fn keyword_at(&self, n: usize) -> Option<Keyword> {
        match self.ahead(n).kind {
            Kind::Word(word) => keyword(word),
            _ => None,
        }
    }

    fn eat_keyword(&mut self, wanted: Keyword) -> bool {
        let found = self.keyword_at(0) == Some(wanted);
        if found {
            self.bump();
        }
        found
    }

    // Grammar

    /// An expression up to where neither `and` nor `or` takes it on. What is open stands in a list and not on the stack, so
    /// that no nesting overflows it, in whatever build and on whatever thread.
    fn expression(&mut self) -> Result<Expr, ExprError> {
        let mut around: Vec<Level> = Vec::new();
        let mut level = Level::new(None, self.span());
        loop {
            let start = self.span();
            if self.eat_keyword(Keyword::Not) {
                self.deeper(start)?;
                level.nots.push(start);
                continue;
            }
            if let Some(opener) = self.opener()? {
                self.deeper(opener.open)?;
                let inner = Level::new(Some(opener), self.span());
                around.push(std::mem::replace(&mut level, inner));
                continue;
            }
            let mut expr = self.leaf()?;
            loop {
                while let Some(not) = level.nots.pop() {
                    self.depth -= 1;
                    expr = self.finish(not, Node::Not(Box::new(expr)));
                }
                if self.eat_keyword(Keyword::And) {
                    level.ands.push(expr);
                    break;
                }
                expr = self.joined(level.and_start, &mut level.ands, expr, Node::And);
                if self.eat_keyword(Keyword::Or) {
                    level.ors.push(expr);
                    level.and_start = self.span();
                    break;
                }
                expr = self.joined(level.start, &mut level.ors, expr, Node::Or);
                let (Some(opener), Some(outer)) = (level.opener, around.pop()) else {
                    return Ok(expr);
                };
                self.depth -= 1;
                level = outer;
                expr = self.closed(&opener, expr)?;
            }
        }
    }

    fn deeper(&mut self, at: TextSpan) -> Result<(), ExprError> {
        if self.depth == MAX_DEPTH {
            return Err(ExprError::TooDeep {
                at,
                limit: MAX_DEPTH,
            });
        }
        self.depth += 1;
        Ok(())
    }

    /// `last` with those joined before it.
    fn joined(
        &self,
        start: TextSpan,
        before: &mut Vec<Expr>,
        last: Expr,
        node: fn(Vec<Expr>) -> Node,
    ) -> Expr {
        if before.is_empty() {
            return last;
        }
        let mut list = std::mem::take(before);
        list.push(last);
        self.finish(start, node(list))
    }

    /// A condition without others inside.
    fn leaf(&mut self) -> Result<Expr, ExprError> {
        let start = self.span();
        match *self.kind() {
            Kind::Quoted(_) => self.condition(),
            Kind::Word(word) => match keyword(word) {
                Some(Keyword::True) => {
                    self.bump();
                    Ok(self.finish(start, Node::All))
                }
                Some(Keyword::False) => {
                    self.bump();
                    let all = self.finish(start, Node::All);
                    Ok(self.finish(start, Node::Not(Box::new(all))))
                }
                Some(Keyword::Exists) => {
                    self.bump();
                    let field = self.field()?;
                    Ok(self.finish(start, Node::Exists(field)))
                }
                Some(_) => Err(self.expected_condition()),
                None => self.condition(),
            },
            _ => Err(self.expected_condition()),
        }
    }

    /// A `(`, alone or after the name of a function.
    fn opener(&mut self) -> Result<Option<Opener>, ExprError> {
        let start = self.span();
        let what = match *self.kind() {
            Kind::Open => Opens::Group,
            Kind::Word(word) if keyword(word).is_none() && self.ahead(1).kind == Kind::Open => {
                let what = function(word, start)?;
                self.bump();
                what
            }
            _ => return Ok(None),
        };
        let open = self.bump();
        Ok(Some(Opener { what, start, open }))
    }

    /// What follows the expression inside of parentheses.
    fn closed(&mut self, opener: &Opener, inner: Expr) -> Result<Expr, ExprError> {
        let open = opener.open;
        let node = match opener.what {
            Opens::Group => {
                self.close(open)?;
                inner.node
            }
            Opens::First => {
                self.close(open)?;
                Node::First(Box::new(inner))
            }
            // After a count or a time span the expression cannot go on.
            Opens::Nth => {
                self.comma("nth(purchase, 2)")?;
                let count = self.count()?;
                self.close_only(open)?;
                Node::Nth(Box::new(inner), count)
            }
            Opens::After => {
                self.comma("after(purchase, 30m)")?;
                let within = self.time_span()?;
                self.close_only(open)?;
                Node::After {
                    anchor: Box::new(inner),
                    within,
                }
            }
        };
        Ok(self.finish(opener.start, node))
    }

    fn comma(&mut self, example: &str) -> Result<(), ExprError> {
        if self.kind() == &Kind::Comma {
            self.bump();
            return Ok(());
        }
        Err(self.syntax("`,`", Some(format!("write {example}"))))
    }

    fn count(&mut self) -> Result<u32, ExprError> {
        let expected = "a count from 1 to 4294967295";
        let count = match self.kind() {
            Kind::Word(word) => word.parse::<u32>().ok().filter(|&n| n > 0),
            _ => None,
        };
        let count = count.ok_or_else(|| self.syntax(expected, None))?;
        self.bump();
        Ok(count)
    }

    fn time_span(&mut self) -> Result<TimeSpan, ExprError> {
        let start = self.span();
        let text = match self.kind() {
            Kind::Text(text) => {
                let text = text.clone();
                self.bump();
                text
            }
            Kind::Word(_) => {
                while matches!(self.kind(), Kind::Word(_)) {
                    self.bump();
                }
                self.slice(start.to(self.before())).to_owned()
            }
            _ => return Err(self.syntax("a length of time such as 30m, 12h or 7d", None)),
        };
        TimeSpan::parse(&text).map_err(|error| ExprError::Time {
            at: start.to(self.before()),
            found: shorten(&text),
            reason: error.reason,
        })
    }

    /// An event name, or a field with an operator.
    fn condition(&mut self) -> Result<Expr, ExprError> {
        let start = self.span();
        let (first, scoped) = (self.at, self.scoped_quote());
        let mut words = 0;
        if scoped || matches!(self.kind(), Kind::Quoted(_)) {
            self.field()?;
        } else {
            while matches!(self.kind(), Kind::Word(word) if keyword(word).is_none()) {
                self.bump();
                words += 1;
            }
        }
        let operator = matches!(self.kind(), Kind::Op(_) | Kind::Tilde)
            || matches!(self.keyword_at(0), Some(Keyword::In | Keyword::Like))
            || (self.keyword_at(0) == Some(Keyword::Not)
                && matches!(self.keyword_at(1), Some(Keyword::In | Keyword::Like)));
        if operator && words <= 1 {
            self.at = first;
            let field = self.field()?;
            return self.comparison(start, field);
        }
        if operator {
            return Err(self.many_words(start));
        }
        if scoped {
            return Err(self.syntax("an operator after the field", Some(OPERATORS.to_owned())));
        }
        let name = match self.tokens.get(first).map(|t| &t.kind) {
            Some(Kind::Quoted(name)) => name.clone(),
            _ => self
                .slice(start.to(self.before()))
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" "),
        };
        Ok(self.finish(start, Node::Name(name)))
    }

    fn comparison(&mut self, start: TextSpan, field: Field) -> Result<Expr, ExprError> {
        if self.eat_keyword(Keyword::Not) {
            let inner = self.comparison(start, field)?;
            return Ok(self.finish(start, Node::Not(Box::new(inner))));
        }
        let operator = self.bump();
        let node = match self.tokens.get(self.at - 1).map(|t| &t.kind) {
            Some(&Kind::Op(op)) => Node::Compare {
                field,
                op,
                value: self.literal(operator, Some(op))?,
            },
            Some(Kind::Tilde) => Node::Matches {
                field,
                pattern: self.pattern(operator, Pattern::regex)?,
            },
            Some(Kind::Word(word)) if keyword(word) == Some(Keyword::Like) => Node::Like {
                field,
                pattern: self.pattern(operator, Pattern::glob)?,
            },
            _ => Node::In {
                values: self.list(start, operator)?,
                field,
            },
        };
        if matches!(self.kind(), Kind::Op(_) | Kind::Tilde) {
            let help = "comparisons do not chain: write `value >= 5 and value < 20`";
            return Err(self.syntax("`and`, `or` or the end", Some(help.to_owned())));
        }
        Ok(self.finish(start, node))
    }

    fn list(&mut self, field: TextSpan, operator: TextSpan) -> Result<Vec<Literal>, ExprError> {
        let open = self.span();
        if self.kind() != &Kind::OpenList {
            let help = match self.kind() {
                Kind::Open => "lists stand in square brackets: [\"web\", \"app\"]".to_owned(),
                Kind::Text(_) => {
                    format!(
                        "write [{}], or `==` for a single value",
                        self.slice(self.span())
                    )
                }
                _ => {
                    let last = self.words_from(operator);
                    let name = self.slice(field.to(last));
                    format!(
                        "an event name with the word `in` needs backticks: {}",
                        shorten(name)
                    )
                }
            };
            let expected = format!("a list after {}", shorten(self.slice(operator)));
            return Err(self.syntax(&expected, Some(help)));
        }
        self.bump();
        let mut values = Vec::new();
        while self.kind() != &Kind::CloseList {
            if values.len() == MAX_LIST {
                return Err(ExprError::TooMany {
                    at: self.span(),
                    what: "list values",
                    limit: MAX_LIST,
                });
            }
            values.push(self.literal(self.before(), None)?);
            match self.kind() {
                Kind::Comma => _ = self.bump(),
                Kind::CloseList => {}
                _ => {
                    let expected = format!("`,` or `]` to close the `[` at {open}");
                    return Err(self.syntax(&expected, None));
                }
            }
        }
        self.bump();
        Ok(values)
    }

    /// The last of the words that follow, or `from` if there are none.
    fn words_from(&self, from: TextSpan) -> TextSpan {
        (0..)
            .map(|n| self.ahead(n))
            .take_while(|t| matches!(t.kind, Kind::Word(word) if keyword(word).is_none()))
            .last()
            .map_or(from, |t| t.span)
    }

    fn literal(&mut self, after: TextSpan, op: Option<CompareOp>) -> Result<Literal, ExprError> {
        let at = self.span();
        let literal = match self.kind() {
            Kind::Text(text) => Literal::Text(text.clone()),
            Kind::Word(word) => match keyword(word) {
                Some(Keyword::True) => Literal::Boolean(true),
                Some(Keyword::False) => Literal::Boolean(false),
                Some(_) => return Err(self.expected_value(after, None)),
                None => match number(word, at)? {
                    Some(number) => number,
                    None => {
                        let words = self.slice(at.to(self.words_from(at)));
                        return Err(self.expected_value(after, Some(unquoted(words))));
                    }
                },
            },
            Kind::Quoted(name) => {
                let help = format!("text stands in quotes: \"{name}\"");
                return Err(self.expected_value(after, Some(help)));
            }
            Kind::OpenList if op == Some(CompareOp::Eq) => {
                let help = "use `in` with a list".to_owned();
                return Err(self.expected_value(after, Some(help)));
            }
            _ => return Err(self.expected_value(after, None)),
        };
        self.bump();
        Ok(literal)
    }

    fn pattern(
        &mut self,
        operator: TextSpan,
        compile: fn(&str) -> Result<Pattern, String>,
    ) -> Result<String, ExprError> {
        let Kind::Text(text) = self.kind() else {
            let expected = format!(
                "a pattern in quotes after {}",
                shorten(self.slice(operator))
            );
            return Err(self.syntax(&expected, None));
        };
        let (text, at) = (text.clone(), self.span());
        self.patterns += 1;
        if self.patterns > MAX_PATTERNS {
            return Err(ExprError::TooMany {
                at,
                what: "patterns",
                limit: MAX_PATTERNS,
            });
        }
        compile(&text).map_err(|reason| ExprError::Pattern {
            at,
            pattern: shorten(&text),
            reason,
        })?;
        self.bump();
        Ok(text)
    }

    /// Whether `attr."…"` (or `person.`, `customer.`) starts here: a prefix with a quoted name right behind it.
    fn scoped_quote(&self) -> bool {
        let next = self.ahead(1);
        matches!(*self.kind(), Kind::Word(word) if scope(word).is_some_and(|(_, name)| name.is_empty()))
            && matches!(next.kind, Kind::Text(_) | Kind::Quoted(_))
            && next.span.start == self.span().end
    }

    fn field(&mut self) -> Result<Field, ExprError> {
        let (at, scoped) = (self.span(), self.scoped_quote());
        let field = match self.kind() {
            Kind::Quoted(name) => Field::Attribute {
                scope: Scope::Any,
                name: name.clone(),
            },
            Kind::Word(word) if keyword(word).is_none() => {
                if number(word, at).is_ok_and(|n| n.is_some()) {
                    let help = "write the field first: `value >= 20`; a column named like a number needs backticks";
                    return Err(self.syntax("a field", Some(help.to_owned())));
                }
                Field::from(*word)
            }
            _ => {
                let help = match *self.kind() {
                    Kind::Word(word) => Some(format!(
                        "a field named like a keyword needs backticks: `{word}`"
                    )),
                    Kind::Text(_) => Some("put a field name in backticks".to_owned()),
                    _ => None,
                };
                return Err(self.syntax("a field after `exists`", help));
            }
        };
        self.bump();
        let field = match (field, self.kind()) {
            (Field::Attribute { scope, .. }, Kind::Text(name) | Kind::Quoted(name)) if scoped => {
                let field = Field::Attribute {
                    scope,
                    name: name.clone(),
                };
                self.bump();
                field
            }
            (field, _) => field,
        };
        match &field {
            Field::Attribute { name, .. } if name.is_empty() => Err(ExprError::EmptyName { at }),
            _ => Ok(field),
        }
    }

    fn close(&mut self, open: TextSpan) -> Result<(), ExprError> {
        if self.kind() == &Kind::Close {
            self.bump();
            return Ok(());
        }
        Err(self.trailing(&closing(open)))
    }

    fn close_only(&mut self, open: TextSpan) -> Result<(), ExprError> {
        if self.kind() == &Kind::Close {
            self.bump();
            return Ok(());
        }
        Err(self.syntax(&closing(open), None))
    }

    fn finish(&self, start: TextSpan, node: Node) -> Expr {
        Expr {
            node,
            span: start.to(self.before()),
        }
    }
}

/// The function of this name.
fn function(word: &str, at: TextSpan) -> Result<Opens, ExprError> {
    let lower = word.to_ascii_lowercase();
    match lower.as_str() {
        "first" => Ok(Opens::First),
        "nth" => Ok(Opens::Nth),
        "after" => Ok(Opens::After),
        _ => Err(ExprError::Syntax {
            at,
            expected: "first(…), nth(…, 2) or after(…, 30m)".to_owned(),
            found: shorten(word),
            help: Some(match nearest(&lower, FUNCTIONS) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "put an event name with parentheses in backticks".to_owned(),
            }),
        }),
    }
}

/// A word that looks like a number: digits with an optional sign, point and exponent.
pub(super) fn number(word: &str, at: TextSpan) -> Result<Option<Literal>, ExprError> {
    let digits = word.strip_prefix('-').unwrap_or(word);
    let shape = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && digits
            .bytes()
            .all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b));
    let Some(value) = shape.then(|| word.parse::<f64>().ok()).flatten() else {
        return Ok(None);
    };
    let error = |reason: &str| ExprError::Number {
        at,
        found: shorten(word),
        reason: reason.to_owned(),
    };
    if digits.bytes().all(|b| b.is_ascii_digit()) {
        let reason =
            "is outside -9223372036854775808 to 9223372036854775807; add `.0` for a decimal number";
        return word
            .parse()
            .map(|n| Some(Literal::Integer(n)))
            .map_err(|_| error(reason));
    }
    if !value.is_finite() {
        return Err(error("is too large for a decimal number"));
    }
    Ok(Some(Literal::Decimal(value)))
}

/// The scope that a word begins with, and the name behind it.
pub(super) fn scope(word: &str) -> Option<(Scope, &str)> {
    let (prefix, name) = word.split_once('.')?;
    match prefix {
        "attr" => Some((Scope::Event, name)),
        "person" | "customer" => Some((Scope::Customer, name)),
        _ => None,
    }
}
