//! Whether an expression fits the data's columns and types, and whether one built in code can be used at all.

use std::fmt;

use super::ast::{CompareOp, Expr, Field, Literal, Node, TextSpan};
use super::error::{ExprError, shorten};
use super::pattern::Pattern;
use super::print::Binding;
use super::{MAX_DEPTH, MAX_LIST, MAX_PATTERNS};
use crate::time::parse_instant;

/// The type of a field's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FieldType {
    /// Text: compares with text, byte by byte; also `like` and `~`.
    Text,
    /// Whole numbers: compare with numbers.
    Integer,
    /// Decimal numbers: compare with numbers.
    Decimal,
    /// True or false: only `==`, `!=` and `in`.
    Boolean,
    /// Instants: compare with text that [`parse_instant`] reads.
    Time,
    /// Money: compares with numbers in major units (`20` is 20.00).
    Money,
}

impl fmt::Display for FieldType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "text",
            Self::Integer => "a whole number",
            Self::Decimal => "a decimal number",
            Self::Boolean => "true or false",
            Self::Time => "a time",
            Self::Money => "money",
        })
    }
}

/// The columns that an expression may look at.
pub trait Schema {
    /// The type of a field.
    ///
    /// # Errors
    /// For a field that there is not: the fields that there are, as an expression would write them.
    fn field_type(&self, field: &Field) -> Result<FieldType, Vec<String>>;
}

impl Expr {
    /// Checks that every field is known and every comparison fits its type, so that a mistake is an error with a place
    /// and not a condition that never holds.
    ///
    /// # Errors
    /// [`ExprError::UnknownField`] with the nearest known field, [`ExprError::Type`], and all of
    /// [`validate`](Self::validate).
    pub fn check(&self, schema: &dyn Schema) -> Result<(), ExprError> {
        self.validate()?;
        self.check_types(schema)
    }

    fn check_types(&self, schema: &dyn Schema) -> Result<(), ExprError> {
        let mut open = vec![self];
        while let Some(expr) = open.pop() {
            expr.check_field(schema)?;
            open.extend(expr.children().iter().rev());
        }
        Ok(())
    }

    fn check_field(&self, schema: &dyn Schema) -> Result<(), ExprError> {
        let check = |field| Check::new(schema, field, self.span);
        match &self.node {
            Node::Compare { field, op, value } => check(field)?.compare(Some(*op), value),
            Node::In { field, values } => {
                let check = check(field)?;
                values.iter().try_for_each(|v| check.compare(None, v))
            }
            Node::Like { field, .. } => check(field)?.pattern("`like`"),
            Node::Matches { field, .. } => check(field)?.pattern("`~`"),
            Node::Exists(field) => check(field).map(|_| ()),
            _ => Ok(()),
        }
    }

    /// Checks what [`parse`](Self::parse) checks for text, for expressions built in code: no empty names, finite
    /// numbers, counts from 1, patterns that compile, and the limits on nesting, lists and patterns.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn validate(&self) -> Result<(), ExprError> {
        let mut patterns = 0;
        let mut open = vec![(self, 0, Binding::Or)];
        // Depth is counted as the parser counts it in the canonical text: parentheses, `not` and functions.
        while let Some((expr, depth, place)) = open.pop() {
            let binding = expr.node.binding();
            let depth = depth + usize::from(binding < place);
            if depth > MAX_DEPTH {
                return Err(ExprError::TooDeep {
                    at: expr.span,
                    limit: MAX_DEPTH,
                });
            }
            expr.validate_alone(&mut patterns)?;
            let (depth, place) = match &expr.node {
                Node::Not(inner) if matches!(inner.node, Node::In { .. } | Node::Like { .. }) => {
                    (depth, Binding::Unary)
                }
                Node::Not(_) => (depth + 1, Binding::Unary),
                Node::And(list) | Node::Or(list) => {
                    let members = match binding {
                        Binding::And => Binding::Unary,
                        Binding::Or => Binding::And,
                        Binding::Unary => place,
                    };
                    // An `and` of one prints as its member, so it needs a step of its own to keep the nesting bounded.
                    (depth + usize::from(list.len() == 1), members)
                }
                _ => (depth + 1, Binding::Or),
            };
            open.extend(expr.children().iter().rev().map(|e| (e, depth, place)));
        }
        Ok(())
    }

    /// What can be said without the expressions inside.
    fn validate_alone(&self, patterns: &mut usize) -> Result<(), ExprError> {
        let at = self.span;
        match &self.node {
            Node::Name(name) if name.is_empty() => Err(ExprError::EmptyName { at }),
            Node::Compare { field, value, .. } => {
                valid_field(field, at)?;
                valid_literal(value, at)
            }
            Node::In { field, values } => {
                valid_field(field, at)?;
                if values.len() > MAX_LIST {
                    return Err(ExprError::TooMany {
                        at,
                        what: "list values",
                        limit: MAX_LIST,
                    });
                }
                values.iter().try_for_each(|v| valid_literal(v, at))
            }
            Node::Like { field, pattern } => {
                valid_field(field, at)?;
                valid_pattern(pattern, Pattern::glob, at, patterns)
            }
            Node::Matches { field, pattern } => {
                valid_field(field, at)?;
                valid_pattern(pattern, Pattern::regex, at, patterns)
            }
            Node::Exists(field) => valid_field(field, at),
            Node::Nth(_, 0) => Err(ExprError::Number {
                at,
                found: "`0`".to_owned(),
                reason: "is not a count: events are counted from 1".to_owned(),
            }),
            _ => Ok(()),
        }
    }
}

fn valid_field(field: &Field, at: TextSpan) -> Result<(), ExprError> {
    match field {
        Field::Attribute { name, .. } if name.is_empty() => Err(ExprError::EmptyName { at }),
        _ => Ok(()),
    }
}

fn valid_literal(value: &Literal, at: TextSpan) -> Result<(), ExprError> {
    match value {
        Literal::Decimal(x) if !x.is_finite() => Err(ExprError::Number {
            at,
            found: shorten(&x.to_string()),
            reason: "is not finite".to_owned(),
        }),
        _ => Ok(()),
    }
}

fn valid_pattern(
    pattern: &str,
    compile: fn(&str) -> Result<Pattern, String>,
    at: TextSpan,
    patterns: &mut usize,
) -> Result<(), ExprError> {
    *patterns += 1;
    if *patterns > MAX_PATTERNS {
        return Err(ExprError::TooMany {
            at,
            what: "patterns",
            limit: MAX_PATTERNS,
        });
    }
    compile(pattern).map_err(|reason| ExprError::Pattern {
        at,
        pattern: shorten(pattern),
        reason,
    })?;
    Ok(())
}

/// One field with its type, against which operators are checked.
struct Check<'a> {
    field: &'a Field,
    kind: FieldType,
    at: TextSpan,
}

impl<'a> Check<'a> {
    fn new(schema: &dyn Schema, field: &'a Field, at: TextSpan) -> Result<Self, ExprError> {
        let kind = schema.field_type(field).map_err(|known| {
            let written = field.to_string();
            if matches!(field, Field::Value) {
                return ExprError::ValueUndeclared { at };
            }
            if known.contains(&written) {
                return ExprError::AmbiguousField {
                    at,
                    field: shorten(&written),
                };
            }
            let near = nearest(&written, known.iter().map(String::as_str));
            let help = match near {
                Some(near) => Some(format!("did you mean `{near}`?")),
                None if known.is_empty() => None,
                None => Some(format!("known fields are {}", listed(&known))),
            };
            ExprError::UnknownField {
                at,
                field: shorten(&written),
                help,
            }
        })?;
        Ok(Self { field, kind, at })
    }

    fn compare(&self, op: Option<CompareOp>, value: &Literal) -> Result<(), ExprError> {
        use FieldType::{Boolean, Decimal, Integer, Money, Text, Time};
        let fits = match (self.kind, value) {
            (Text, Literal::Text(_))
            | (Integer | Decimal | Money, Literal::Integer(_) | Literal::Decimal(_)) => true,
            (Boolean, Literal::Boolean(_)) => {
                if op.is_some_and(CompareOp::is_order) {
                    let operation = "put in order";
                    return Err(self.clash(operation.to_owned(), Some("use == or !=".to_owned())));
                }
                true
            }
            (Time, Literal::Text(text)) => {
                if parse_instant(text).is_none() {
                    let operation = format!("compared with {}", shorten(text));
                    return Err(self.clash(operation, Some(TIME_HELP.to_owned())));
                }
                true
            }
            _ => false,
        };
        if fits {
            return Ok(());
        }
        let help = match (self.kind, value) {
            (Text, value) => Some(format!("text stands in quotes: \"{value}\"")),
            (Time, _) => Some(TIME_HELP.to_owned()),
            (Boolean, _) => Some("compare with true or false".to_owned()),
            (_, Literal::Text(text)) if text.trim().parse::<f64>().is_ok() => Some(format!(
                "numbers stand without quotes: {}",
                shorten(text.trim())
            )),
            _ => None,
        };
        let operation = format!(
            "compared with {} ({})",
            value.kind(),
            shorten(&value.to_string())
        );
        Err(self.clash(operation, help))
    }

    fn pattern(&self, operator: &str) -> Result<(), ExprError> {
        if self.kind == FieldType::Text {
            return Ok(());
        }
        let operation = format!("matched with {operator}");
        Err(self.clash(operation, Some("patterns work on text".to_owned())))
    }

    fn clash(&self, operation: String, help: Option<String>) -> ExprError {
        ExprError::Type {
            at: self.at,
            field: shorten(&self.field.to_string()),
            field_type: self.kind.to_string(),
            operation,
            help,
        }
    }
}

const TIME_HELP: &str =
    "write a date or an RFC 3339 time in quotes: \"2024-05-01\", \"2024-05-01T12:30:00Z\"";

fn listed(known: &[String]) -> String {
    const LIMIT: usize = 8;
    let mut text = known
        .iter()
        .take(LIMIT)
        .map(|name| shorten(name))
        .collect::<Vec<_>>()
        .join(", ");
    if known.len() > LIMIT {
        text.push_str(&format!(" and {} more", known.len() - LIMIT));
    }
    text
}

/// The candidate nearest to `word` by edit distance, if any is near enough to be a slip of the pen: at most a third of
/// the longer one's characters. Case does not count as distance. Ties go to the first in byte order.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Long names make edit distance slow, and are hardly typed by hand.
    const LONGEST: usize = 100;
    let word = word.to_lowercase();
    let length = word.chars().count();
    if length > LONGEST {
        return None;
    }
    candidates
        .into_iter()
        .filter_map(|candidate| {
            let other = candidate.chars().count();
            let allowed = length.max(other) / 3;
            if other > LONGEST || length.abs_diff(other) > allowed {
                return None;
            }
            let distance = strsim::damerau_levenshtein(&word, &candidate.to_lowercase());
            (distance <= allowed).then_some((distance, candidate))
        })
        .min()
        .map(|(_, candidate)| candidate)
}
