//! The parts of an expression.

use std::fmt;

use crate::time::TimeSpan;

/// Where in the source text something stands: a byte range, and the line and column (both from 1, columns counted in
/// characters) of its first byte. All zero for expressions built in code, which have no text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct TextSpan {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// Line of the first byte, from 1; 0 when there is no text.
    pub line: u32,
    /// Column of the first byte, in characters, from 1; 0 when there is no text.
    pub column: u32,
}

impl TextSpan {
    /// The span of everything that was built in code rather than read from text.
    pub const NONE: Self = Self {
        start: 0,
        end: 0,
        line: 0,
        column: 0,
    };

    /// Whether there is no text to point at.
    pub fn is_none(self) -> bool {
        self.line == 0
    }

    pub(super) fn to(self, last: Self) -> Self {
        Self {
            end: last.end,
            ..self
        }
    }
}

impl fmt::Display for TextSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str("no text"),
            1 => write!(f, "column {}", self.column),
            line => write!(f, "line {line}, column {}", self.column),
        }
    }
}

/// A condition on events. Two expressions are equal when their nodes are; where they stood in a text does not count.
#[derive(Debug, Clone)]
pub struct Expr {
    /// What it says.
    pub node: Node,
    /// Where it was read; [`TextSpan::NONE`] when built in code.
    pub span: TextSpan,
}

impl PartialEq for Expr {
    fn eq(&self, other: &Self) -> bool {
        self.node == other.node
    }
}

impl From<Node> for Expr {
    fn from(node: Node) -> Self {
        Self {
            node,
            span: TextSpan::NONE,
        }
    }
}

/// One step of an expression's tree.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    /// Matches every event; text `true`.
    All,
    /// An event with this name: `purchase`, `ER Registration`.
    Name(String),
    /// `channel == "web"`; `=` reads as `==`.
    Compare {
        /// Left side.
        field: Field,
        /// Operator.
        op: CompareOp,
        /// Right side.
        value: Literal,
    },
    /// `channel in ["web", "app"]`. An empty list matches nothing.
    In {
        /// Left side.
        field: Field,
        /// The values, in the order written.
        values: Vec<Literal>,
    },
    /// `url like "/product/:id"`: see [`Pattern::glob`](super::Pattern::glob).
    Like {
        /// Left side.
        field: Field,
        /// The glob or URL template.
        pattern: String,
    },
    /// `url ~ "^/blog/[0-9]+"`: see [`Pattern::regex`](super::Pattern::regex).
    Matches {
        /// Left side.
        field: Field,
        /// The regular expression.
        pattern: String,
    },
    /// `exists channel`: the field has a value.
    Exists(Field),
    /// `first(e)`: the first event of the journey for which `e` holds.
    First(Box<Expr>),
    /// `nth(e, 2)`: the n-th event of the journey for which `e` holds, counted from 1.
    Nth(Box<Expr>, u32),
    /// `after(e, 30m)`: an event strictly later in the journey than one for which `e` holds, and at most 30 minutes
    /// (inclusive) after it.
    After {
        /// The event to start from.
        anchor: Box<Expr>,
        /// The longest time after it, inclusive.
        within: TimeSpan,
    },
    /// `not e`.
    Not(Box<Expr>),
    /// `a and b`; true when empty.
    And(Vec<Expr>),
    /// `a or b`; false when empty.
    Or(Vec<Expr>),
}

/// What a comparison looks at.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Field {
    /// The event's name: `event`.
    Event,
    /// The customer's id: `customer`.
    Customer,
    /// When the event happened: `time`.
    Time,
    /// The event's money: `value`, compared in major units (`20` is 20.00).
    Value,
    /// Any other column: `channel`, `attr.price`, `person.plan`, `attr."Case ID"`, `` `Case ID` ``.
    Attribute {
        /// Whose attribute it is.
        scope: Scope,
        /// The column's name.
        name: String,
    },
}

/// Whose attribute a field is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// Not said: a bare name such as `channel`.
    Any,
    /// The event's: `attr.NAME`.
    Event,
    /// The customer's: `person.NAME` or `customer.NAME`.
    Customer,
}

/// A comparison operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CompareOp {
    /// `==`
    Eq,
    /// `!=`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
}

impl CompareOp {
    /// The operator as written.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Eq => "==",
            Self::Ne => "!=",
            Self::Lt => "<",
            Self::Le => "<=",
            Self::Gt => ">",
            Self::Ge => ">=",
        }
    }

    /// Whether it needs an order (`<`, `<=`, `>`, `>=`) rather than only equality.
    pub fn is_order(self) -> bool {
        !matches!(self, Self::Eq | Self::Ne)
    }

    /// Whether the operator holds, given how the left side compares to the right.
    pub fn holds(self, ordering: std::cmp::Ordering) -> bool {
        match self {
            Self::Eq => ordering.is_eq(),
            Self::Ne => ordering.is_ne(),
            Self::Lt => ordering.is_lt(),
            Self::Le => ordering.is_le(),
            Self::Gt => ordering.is_gt(),
            Self::Ge => ordering.is_ge(),
        }
    }
}

/// A value written in an expression.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// `"web"`
    Text(String),
    /// `20`
    Integer(i64),
    /// `20.5`; finite.
    Decimal(f64),
    /// `true` or `false`
    Boolean(bool),
}

impl Literal {
    /// The kind of value, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Integer(_) => "a whole number",
            Self::Decimal(_) => "a decimal number",
            Self::Boolean(_) => "true or false",
        }
    }
}

impl Expr {
    /// The sub-expressions directly below, in order.
    pub fn children(&self) -> &[Expr] {
        match &self.node {
            Node::And(list) | Node::Or(list) => list,
            Node::Not(inner) | Node::First(inner) | Node::Nth(inner, _) => {
                std::slice::from_ref(inner)
            }
            Node::After { anchor, .. } => std::slice::from_ref(anchor),
            _ => &[],
        }
    }

    /// The fields looked at, sorted, each once. A bare event name looks at [`Field::Event`]; `after` at
    /// [`Field::Time`].
    ///
    /// ```
    /// use desireline_core::expr::{Expr, Field};
    /// let e = Expr::parse("purchase and value >= 20")?;
    /// assert_eq!(e.fields(), [Field::Event, Field::Value]);
    /// # Ok::<(), desireline_core::expr::ExprError>(())
    /// ```
    pub fn fields(&self) -> Vec<Field> {
        let mut found = std::collections::BTreeSet::new();
        let mut open = vec![self];
        while let Some(expr) = open.pop() {
            match &expr.node {
                Node::Name(_) => {
                    found.insert(Field::Event);
                }
                Node::After { .. } => {
                    found.insert(Field::Time);
                }
                Node::Compare { field, .. }
                | Node::In { field, .. }
                | Node::Like { field, .. }
                | Node::Matches { field, .. }
                | Node::Exists(field) => {
                    found.insert(field.clone());
                }
                _ => {}
            }
            open.extend(expr.children());
        }
        found.into_iter().collect()
    }

    /// Whether each event can be judged alone: no `first`, `nth` or `after`.
    pub fn is_stateless(&self) -> bool {
        let mut open = vec![self];
        while let Some(expr) = open.pop() {
            if matches!(
                expr.node,
                Node::First(_) | Node::Nth(..) | Node::After { .. }
            ) {
                return false;
            }
            open.extend(expr.children());
        }
        true
    }

    /// The same condition in its plainest form: nested `and`/`or` flattened, double `not` removed, `true` and `false`
    /// absorbed, repeated members of one `and`/`or` dropped. Order is kept, so equal structure prints alike.
    ///
    /// ```
    /// use desireline_core::expr::Expr;
    /// let e = Expr::parse("(a and (b and true)) and not not c")?;
    /// assert_eq!(e.simplify().to_string(), "a and b and c");
    /// # Ok::<(), desireline_core::expr::ExprError>(())
    /// ```
    pub fn simplify(self) -> Expr {
        let span = self.span;
        let node = match self.node {
            Node::Not(inner) => match inner.simplify() {
                Expr {
                    node: Node::Not(twice),
                    ..
                } => return *twice,
                inner => Node::Not(Box::new(inner)),
            },
            Node::First(inner) => Node::First(Box::new(inner.simplify())),
            Node::Nth(inner, n) => Node::Nth(Box::new(inner.simplify()), n),
            Node::After { anchor, within } => Node::After {
                anchor: Box::new(anchor.simplify()),
                within,
            },
            Node::And(list) => return join(list, span, true),
            Node::Or(list) => return join(list, span, false),
            leaf => leaf,
        };
        Expr { node, span }
    }

    fn is_never(&self) -> bool {
        matches!(&self.node, Node::Not(inner) if inner.node == Node::All)
    }
}

fn join(list: Vec<Expr>, span: TextSpan, conjunction: bool) -> Expr {
    let mut flat: Vec<Expr> = Vec::with_capacity(list.len());
    for expr in list {
        let expr = expr.simplify();
        let members = match expr.node {
            Node::And(inner) if conjunction => inner,
            Node::Or(inner) if !conjunction => inner,
            _ => vec![expr],
        };
        for member in members {
            let (all, never) = (member.node == Node::All, member.is_never());
            if (conjunction && never) || (!conjunction && all) {
                return Expr {
                    node: member.node,
                    span,
                };
            }
            let idle = all || never || flat.contains(&member);
            if !idle {
                flat.push(member);
            }
        }
    }
    match flat.len() {
        0 if conjunction => Expr {
            node: Node::All,
            span,
        },
        0 => Expr {
            node: Node::Not(Box::new(Node::All.into())),
            span,
        },
        1 => flat.swap_remove(0),
        _ if conjunction => Expr {
            node: Node::And(flat),
            span,
        },
        _ => Expr {
            node: Node::Or(flat),
            span,
        },
    }
}
