//! Bound expressions against a naive evaluator that looks at every event alone.
#![allow(clippy::unwrap_used)]

use desireline_core::expr::{CompareOp, Expr, Field, Literal, Node, Scope};
use desireline_core::journey::{JourneyRule, Matcher, Scratch};
use desireline_core::time::TimeSpan;
use desireline_tests::random_log::{GAP, Row, build, naive_journeys, rows};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn below(rng: &mut impl Rng, n: usize) -> usize {
    rng.random_range(0..n)
}

/// A random expression over the names of the log and its channels.
fn random(rng: &mut ChaCha8Rng, names: &[String], depth: u32) -> Expr {
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
        11 => Node::Nth(inner(rng), 1 + u32::try_from(below(rng, 3)).unwrap()),
        _ => Node::After {
            anchor: inner(rng),
            within: TimeSpan::from_micros([0, 1, GAP][below(rng, 3)]),
        },
    };
    Expr::from(node)
}

/// Whether the expression holds for event `i` of the journey.
fn holds(expr: &Expr, journey: &[Row], i: usize) -> bool {
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

#[test]
fn agrees_with_the_naive_evaluator() {
    for seed in 0..20_000 {
        let rows = rows(seed % 500);
        let mut names: Vec<String> = rows.iter().map(|r| r.event.clone()).collect();
        names.sort();
        names.dedup();
        let expr = random(&mut ChaCha8Rng::seed_from_u64(seed), &names, 3);
        let rule = JourneyRule {
            gap: Some(TimeSpan::from_micros(GAP)),
            ..JourneyRule::default()
        };
        let journeys = build(&rows).unwrap().journeys(rule).unwrap();
        let matcher = match Matcher::new(&expr, journeys.catalog()) {
            Ok(matcher) => matcher,
            // Logs where no event has a channel still have the column, so every expression binds.
            Err(e) => panic!("{expr}: {e}"),
        };
        let mut engine = Vec::new();
        let mut scratch = Scratch::default();
        for (b, block) in journeys.blocks().iter().enumerate() {
            for &range in block.morsels() {
                let morsel = block.morsel(range, &mut scratch);
                for &span in morsel.spans() {
                    let customer = journeys
                        .log()
                        .customer_id(b, span.customer as usize)
                        .into_owned();
                    let hits: Vec<usize> = matcher
                        .matches_in(&morsel, span)
                        .iter()
                        .map(|i| i - span.start as usize)
                        .collect();
                    engine.push((customer, span.ordinal, hits));
                }
            }
        }
        engine.sort();
        let mut ordinal = std::collections::BTreeMap::new();
        let mut naive: Vec<(String, u32, Vec<usize>)> = naive_journeys(&rows, Some(GAP))
            .iter()
            .map(|j| {
                let next = ordinal.entry(j[0].customer.clone()).or_insert(0u32);
                *next += 1;
                (
                    j[0].customer.clone(),
                    *next - 1,
                    (0..j.len()).filter(|i| holds(&expr, j, *i)).collect(),
                )
            })
            .collect();
        naive.sort();
        assert_eq!(engine, naive, "{expr} of seed {seed}");
    }
}

#[test]
fn mistakes_are_placed_and_mended() {
    let log = build(&rows(1)).unwrap();
    let bind = |text: &str| {
        Matcher::new(&Expr::parse(text).unwrap(), log.catalog())
            .unwrap_err()
            .to_string()
    };
    assert!(
        bind("chanel == \"web\"").contains("did you mean `channel`"),
        "{}",
        bind("chanel == \"web\"")
    );
    assert!(
        bind("channel >= 20").starts_with("at column 1"),
        "{}",
        bind("channel >= 20")
    );
    assert!(
        bind("value > 1").contains("no declared money"),
        "{}",
        bind("value > 1")
    );
    assert!(bind("event in [\"nope\", \"neither\"]").contains("no event is called `nope`"));
}
