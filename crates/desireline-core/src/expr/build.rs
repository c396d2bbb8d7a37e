//! Expressions written in Rust.

use std::ops;

use super::MAX_DEPTH;
use super::ast::{CompareOp, Expr, Field, Literal, Node, Scope};
use super::error::ExprError;
use super::parse::scope;
use crate::time::TimeSpan;

/// A field to compare, as in an expression's text: `col("channel")`, `col("value")`, `col("attr.price")`,
/// `col("Case ID")`.
///
/// ```
/// use desireline_core::expr::{col, event};
/// let goal = event("purchase") & col("channel").is_in(["web", "app"]) & col("value").ge(20);
/// assert_eq!(goal.to_string(), r#"purchase and channel in ["web", "app"] and value >= 20"#);
/// ```
pub fn col(field: impl Into<Field>) -> Col {
    Col(field.into())
}

/// An event with this name.
pub fn event(name: impl Into<String>) -> Expr {
    Node::Name(name.into()).into()
}

/// The first event of the journey for which `expr` holds.
pub fn first(expr: Expr) -> Expr {
    wrap(expr, |expr| Node::First(Box::new(expr)))
}

/// The `n`-th event of the journey, counted from 1, for which `expr` holds.
pub fn nth(expr: Expr, n: u32) -> Expr {
    wrap(expr, |expr| Node::Nth(Box::new(expr), n))
}

/// An event strictly later in the journey than one for which `anchor` holds, and at most `within` (inclusive) after it.
pub fn after(anchor: Expr, within: TimeSpan) -> Expr {
    wrap(anchor, |anchor| Node::After {
        anchor: Box::new(anchor),
        within,
    })
}

/// Nests `expr` in another node, unless it is nested so deep that it is refused wherever it is used: then it stays so,
/// as each level more would cost stack wherever it is walked, also when it is dropped.
fn wrap(expr: Expr, node: impl FnOnce(Expr) -> Node) -> Expr {
    if is_deeper(&expr, 4 * MAX_DEPTH) {
        return expr;
    }
    node(expr).into()
}

fn is_deeper(expr: &Expr, levels: usize) -> bool {
    levels == 0 || expr.children().iter().any(|c| is_deeper(c, levels - 1))
}

/// A field waiting for its operator; made by [`col`].
#[derive(Debug, Clone)]
pub struct Col(Field);

impl Col {
    fn compare(self, op: CompareOp, value: impl Into<Literal>) -> Expr {
        Node::Compare {
            field: self.0,
            op,
            value: value.into(),
        }
        .into()
    }

    /// `==`
    pub fn eq(self, value: impl Into<Literal>) -> Expr {
        self.compare(CompareOp::Eq, value)
    }

    /// `!=`
    pub fn ne(self, value: impl Into<Literal>) -> Expr {
        self.compare(CompareOp::Ne, value)
    }

    /// `<`
    pub fn lt(self, value: impl Into<Literal>) -> Expr {
        self.compare(CompareOp::Lt, value)
    }

    /// `<=`
    pub fn le(self, value: impl Into<Literal>) -> Expr {
        self.compare(CompareOp::Le, value)
    }

    /// `>`
    pub fn gt(self, value: impl Into<Literal>) -> Expr {
        self.compare(CompareOp::Gt, value)
    }

    /// `>=`
    pub fn ge(self, value: impl Into<Literal>) -> Expr {
        self.compare(CompareOp::Ge, value)
    }

    /// `in [...]`
    pub fn is_in<L: Into<Literal>>(self, values: impl IntoIterator<Item = L>) -> Expr {
        Node::In {
            field: self.0,
            values: values.into_iter().map(Into::into).collect(),
        }
        .into()
    }

    /// `like "..."`: a glob or URL template, see [`Pattern::glob`](super::Pattern::glob).
    pub fn like(self, pattern: impl Into<String>) -> Expr {
        Node::Like {
            field: self.0,
            pattern: pattern.into(),
        }
        .into()
    }

    /// `~ "..."`: a regular expression, see [`Pattern::regex`](super::Pattern::regex).
    pub fn matches(self, pattern: impl Into<String>) -> Expr {
        Node::Matches {
            field: self.0,
            pattern: pattern.into(),
        }
        .into()
    }

    /// `exists`: the field has a value.
    pub fn exists(self) -> Expr {
        Node::Exists(self.0).into()
    }
}

impl Expr {
    /// Matches every event.
    pub fn all() -> Expr {
        Node::All.into()
    }

    /// Both hold. Joined conditions stay flat, however many there are.
    pub fn and(self, other: Expr) -> Expr {
        let mut list = match self.node {
            Node::And(list) => list,
            _ if is_deeper(&self, 4 * MAX_DEPTH) => return self,
            _ => vec![self],
        };
        match other.node {
            Node::And(more) => list.extend(more),
            _ if is_deeper(&other, 4 * MAX_DEPTH) => return other,
            _ => list.push(other),
        }
        Node::And(list).into()
    }

    /// At least one holds. Joined conditions stay flat, however many there are.
    pub fn or(self, other: Expr) -> Expr {
        let mut list = match self.node {
            Node::Or(list) => list,
            _ if is_deeper(&self, 4 * MAX_DEPTH) => return self,
            _ => vec![self],
        };
        match other.node {
            Node::Or(more) => list.extend(more),
            _ if is_deeper(&other, 4 * MAX_DEPTH) => return other,
            _ => list.push(other),
        }
        Node::Or(list).into()
    }

    /// It does not hold. Twice `not` is the condition itself.
    #[expect(
        clippy::should_implement_trait,
        reason = "`!` is there too; this reads on in a chain without an import"
    )]
    pub fn not(self) -> Expr {
        match self.node {
            Node::Not(inner) => *inner,
            _ => wrap(self, |expr| Node::Not(Box::new(expr))),
        }
    }
}

impl ops::BitAnd for Expr {
    type Output = Expr;
    fn bitand(self, other: Expr) -> Expr {
        self.and(other)
    }
}

impl ops::BitOr for Expr {
    type Output = Expr;
    fn bitor(self, other: Expr) -> Expr {
        self.or(other)
    }
}

impl ops::Not for Expr {
    type Output = Expr;
    fn not(self) -> Expr {
        Expr::not(self)
    }
}

/// Reads a field as an expression's text does, except that any other name needs no backticks.
impl From<&str> for Field {
    fn from(name: &str) -> Self {
        match name {
            "event" => Self::Event,
            "customer" => Self::Customer,
            "time" => Self::Time,
            "value" => Self::Value,
            _ => {
                let (scope, name) = scope(name).unwrap_or((Scope::Any, name));
                Self::Attribute {
                    scope,
                    name: name.to_owned(),
                }
            }
        }
    }
}

impl From<String> for Field {
    fn from(name: String) -> Self {
        Self::from(name.as_str())
    }
}

impl From<&str> for Literal {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Literal {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Literal {
    fn from(n: i64) -> Self {
        Self::Integer(n)
    }
}

impl From<i32> for Literal {
    fn from(n: i32) -> Self {
        Self::Integer(n.into())
    }
}

impl From<u32> for Literal {
    fn from(n: u32) -> Self {
        Self::Integer(n.into())
    }
}

impl From<f64> for Literal {
    fn from(x: f64) -> Self {
        Self::Decimal(x)
    }
}

impl From<bool> for Literal {
    fn from(b: bool) -> Self {
        Self::Boolean(b)
    }
}

/// Whatever can be given where an expression is wanted: an expression, or its text.
pub trait IntoExpr {
    /// The expression.
    ///
    /// # Errors
    /// Text that cannot be read.
    fn into_expr(self) -> Result<Expr, ExprError>;
}

impl IntoExpr for Expr {
    fn into_expr(self) -> Result<Expr, ExprError> {
        Ok(self)
    }
}

impl IntoExpr for &Expr {
    fn into_expr(self) -> Result<Expr, ExprError> {
        Ok(self.clone())
    }
}

impl IntoExpr for &str {
    fn into_expr(self) -> Result<Expr, ExprError> {
        Expr::parse(self)
    }
}

impl IntoExpr for String {
    fn into_expr(self) -> Result<Expr, ExprError> {
        Expr::parse(&self)
    }
}

impl IntoExpr for &String {
    fn into_expr(self) -> Result<Expr, ExprError> {
        Expr::parse(self)
    }
}
