//! Random expressions, and a naive evaluator that looks at every event alone.
#![allow(clippy::missing_panics_doc)]

use desireline_core::expr::{CompareOp, Expr, Field, Literal, Node, Scope};
use desireline_core::time::TimeSpan;
use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;

use crate::random_log::{GAP, Row};

fn below(rng: &mut impl Rng, n: usize) -> usize {
    rng.random_range(0..n)
}

/// A random expression over the names of the log and its channels.
pub fn random(rng: &mut ChaCha8Rng, names: &[String], depth: u32) -> Expr {
    let name = |rng: &mut ChaCha8Rng| names[below(rng, names.len())].clone();
    let channel = Field::Attribute {
        scope: Scope::Any,
        name: "channel".into(),
    };
    let value =
        |rng: &mut ChaCha8Rng| Literal::Text(["web", "app", "store", "fax"][below(rng, 4)].into());
    let inner = |rng: &mut ChaCha8Rng| Box::new(random(rng, names, depth - 1));
    let node = match below(rng, if depth == 0 { 7 } else { 13 }) {
        0 | 1 => Node::Name(name(rng)),
        2 => {
            let op = [CompareOp::Eq, CompareOp::Ne, CompareOp::Lt, CompareOp::Ge][below(rng, 4)];
            Node::Compare {
                field: channel,
                op,
                value: value(rng),
            }
        }
        3 => Node::In {
            field: channel,
            values: (0..below(rng, 3)).map(|_| value(rng)).collect(),
        },
        4 => Node::Exists(channel),
        5 => Node::Matches {
            field: channel,
            pattern: "^(web|st)".into(),
        },
        6 => Node::All,
        7 => Node::Not(inner(rng)),
        8 => Node::And((0..below(rng, 4)).map(|_| *inner(rng)).collect()),
        9 => Node::Or((0..below(rng, 4)).map(|_| *inner(rng)).collect()),
        10 => Node::First(inner(rng)),
        11 => Node::Nth(inner(rng), 1 + below(rng, 3) as u32),
        _ => Node::After {
            anchor: inner(rng),
            within: TimeSpan::from_micros([0, 1, GAP][below(rng, 3)]),
        },
    };
    Expr::from(node)
}

/// Whether the expression holds for event `i` of the journey.
pub fn holds(expr: &Expr, journey: &[Row], i: usize) -> bool {
    let row = &journey[i];
    let text = |value: &Literal| match value {
        Literal::Text(t) => t.clone(),
        _ => unreachable!("only texts are made"),
    };
    match &expr.node {
        Node::All => true,
        Node::Name(name) => row.event == *name,
        Node::Compare { op, value, .. } => row
            .channel
            .as_ref()
            .is_some_and(|c| op.holds(c.cmp(&text(value)))),
        Node::In { values, .. } => row
            .channel
            .as_ref()
            .is_some_and(|c| values.iter().any(|v| text(v) == *c)),
        Node::Matches { .. } => row
            .channel
            .as_ref()
            .is_some_and(|c| c.starts_with("web") || c.starts_with("st")),
        Node::Exists(_) => row.channel.is_some(),
        Node::Not(e) => !holds(e, journey, i),
        Node::And(list) => list.iter().all(|e| holds(e, journey, i)),
        Node::Or(list) => list.iter().any(|e| holds(e, journey, i)),
        Node::First(e) => holds(e, journey, i) && (0..i).all(|j| !holds(e, journey, j)),
        Node::Nth(e, n) => {
            holds(e, journey, i)
                && (0..i).filter(|j| holds(e, journey, *j)).count() as u32 + 1 == *n
        }
        Node::After { anchor, within } => (0..i)
            .any(|j| holds(anchor, journey, j) && row.time - journey[j].time <= within.as_micros()),
        other => unreachable!("{other:?} is not made"),
    }
}
