//! Laws over random expressions and random texts.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

fn hostile() -> impl Strategy<Value = String> {
    let picked = prop::sample::select(vec![
        "purchase",
        "ER Registration",
        "and",
        "OR",
        "Not",
        "in",
        "Log in",
        "Log In",
        "like",
        "exists",
        "True",
        "first",
        "after",
        "event",
        "time",
        "value",
        "customer",
        "attr.",
        "attr.x",
        "person.a b",
        " lead",
        "trail ",
        "two  spaces",
        " ",
        "`",
        "\"",
        "'",
        "\\",
        "\\n",
        "\n",
        "\t",
        "\0",
        "\u{7f}",
        "\u{202e}abc",
        "\u{feff}",
        "\u{2028}",
        "é",
        "e\u{301}",
        "注文",
        "🛒",
        "👩‍👩‍👧",
        "“x”",
        "5",
        "-5",
        "1e5",
        "1e+5",
        ".5",
        "-",
        ".",
        "/",
        ":",
        "a:b",
        "(",
        ")",
        "[a]",
        "a,b",
        "==",
        "a == b",
        "nth(x, 2)",
        "${x}",
        "<script>",
        "\u{10ffff}",
        "\u{a0}",
        "a\u{3000}b",
    ]);
    prop_oneof![
        3 => picked.prop_map(str::to_owned),
        1 => "[a-z]{1,8}",
        1 => any::<String>().prop_filter("names are not empty", |s| !s.is_empty()),
    ]
}

fn field() -> impl Strategy<Value = Field> {
    let scope = prop::sample::select(vec![Scope::Any, Scope::Event, Scope::Customer]);
    prop_oneof![
        1 => prop::sample::select(vec![Field::Event, Field::Customer, Field::Time, Field::Value]),
        3 => (scope, hostile()).prop_map(|(scope, name)| Field::Attribute { scope, name }),
    ]
}

fn literal() -> impl Strategy<Value = Literal> {
    let floats = vec![
        0.0,
        -0.0,
        1.0,
        0.1,
        f64::MAX,
        f64::MIN,
        f64::MIN_POSITIVE,
        5e-324,
        1e15,
        1e16,
        1e17,
        9_007_199_254_740_993.0,
    ];
    prop_oneof![
        hostile().prop_map(Literal::Text),
        Just(Literal::Text(String::new())),
        any::<i64>().prop_map(Literal::Integer),
        prop::sample::select(vec![i64::MIN, i64::MAX, 0, -1]).prop_map(Literal::Integer),
        prop::sample::select(floats).prop_map(Literal::Decimal),
        any::<f64>()
            .prop_filter("finite", |x| x.is_finite())
            .prop_map(Literal::Decimal),
        any::<bool>().prop_map(Literal::Boolean),
    ]
}

fn leaf() -> impl Strategy<Value = Expr> {
    use CompareOp::{Eq, Ge, Gt, Le, Lt, Ne};
    let op = prop::sample::select(vec![Eq, Ne, Lt, Le, Gt, Ge]);
    let regex = prop_oneof![
        hostile().prop_map(|text| regex::escape(&text)),
        prop::sample::select(vec![
            r"\d+", r"^a\.b$", r"(?i)x|y", r"[\]\\]", r"\x41", "", "\\\""
        ])
        .prop_map(str::to_owned),
    ];
    prop_oneof![
        1 => Just(Node::All),
        4 => hostile().prop_map(Node::Name),
        3 => (field(), op, literal()).prop_map(|(field, op, value)| Node::Compare { field, op, value }),
        2 => (field(), prop::collection::vec(literal(), 0..4)).prop_map(|(field, values)| Node::In { field, values }),
        1 => (field(), hostile()).prop_map(|(field, pattern)| Node::Like { field, pattern }),
        1 => (field(), regex).prop_map(|(field, pattern)| Node::Matches { field, pattern }),
        1 => field().prop_map(Node::Exists),
    ]
    .prop_map(Expr::from)
}

fn expr() -> impl Strategy<Value = Expr> {
    leaf().prop_recursive(5, 24, 4, |inner| {
        let list = || prop::collection::vec(inner.clone(), 2..4);
        let boxed = || inner.clone().prop_map(Box::new);
        let within = (0..=i64::MAX).prop_map(TimeSpan::from_micros);
        prop_oneof![
            list().prop_map(Node::And),
            list().prop_map(Node::Or),
            boxed().prop_map(Node::Not),
            boxed().prop_map(Node::First),
            (boxed(), 1..=u32::MAX).prop_map(|(inner, n)| Node::Nth(inner, n)),
            (boxed(), within).prop_map(|(anchor, within)| Node::After { anchor, within }),
        ]
        .prop_map(Expr::from)
    })
}

/// `and`, `or` and `not` over names, of which those given are true.
fn holds(expr: &Expr, names: &BTreeSet<&str>) -> bool {
    match &expr.node {
        Node::All => true,
        Node::Name(name) => names.contains(name.as_str()),
        Node::Not(inner) => !holds(inner, names),
        Node::And(list) => list.iter().all(|e| holds(e, names)),
        Node::Or(list) => list.iter().any(|e| holds(e, names)),
        other => unreachable!("{other:?}"),
    }
}

fn logic() -> impl Strategy<Value = Expr> {
    let leaf = prop_oneof![
        1 => Just(Expr::all()),
        4 => prop::sample::select(vec!["a", "b", "c"]).prop_map(event),
    ];
    leaf.prop_recursive(6, 40, 4, |inner| {
        let list = || prop::collection::vec(inner.clone(), 0..4);
        prop_oneof![
            list().prop_map(Node::And),
            list().prop_map(Node::Or),
            inner.prop_map(|e| Node::Not(Box::new(e))),
        ]
        .prop_map(Expr::from)
    })
}

/// What must be true of any text: no panic, places inside the text, and what is read prints and reads back alike.
fn any_text(text: &str) -> Result<(), TestCaseError> {
    match Expr::parse(text) {
        Ok(expr) => {
            prop_assert_eq!(expr.validate(), Ok(()));
            let printed = expr.to_string();
            let again = Expr::parse(&printed);
            prop_assert_eq!(again.as_ref(), Ok(&expr), "{}", printed);
            prop_assert_eq!(again.map(|e| e.to_string()), Ok(printed));
            prop_assert!(text.get(expr.span.start..expr.span.end).is_some());
        }
        Err(error) => {
            let span = error.span().unwrap();
            prop_assert!(text.get(span.start..span.end).is_some(), "{:?}", span);
            let line = text.split('\n').nth(span.line as usize - 1).unwrap();
            prop_assert!(line.chars().count() + 1 >= span.column as usize);
            let before = text.get(..span.start).unwrap();
            let column = before.rsplit('\n').next().unwrap().chars().count() + 1;
            prop_assert_eq!(column, span.column as usize);
            let snippet = error.snippet(text);
            prop_assert!(
                snippet.contains('^') && error.to_string().len() < 1_000,
                "{}",
                snippet
            );
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn printed_text_reads_back(expr in expr()) {
        prop_assert_eq!(expr.validate(), Ok(()));
        let text = expr.to_string();
        prop_assert_eq!(Expr::parse(&text), Ok(expr), "{}", text);
        prop_assert!(text.chars().all(|c| !c.is_control()), "{:?}", text);
    }

    #[test]
    fn random_text_never_panics(text in any::<String>()) {
        any_text(&text)?;
    }

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        any_text(&String::from_utf8_lossy(&bytes))?;
    }

    #[test]
    fn random_tokens_never_panic(tokens in prop::collection::vec(prop::sample::select(vec![
        "and", "or", "not", "in", "like", "exists", "true", "false", "first", "nth", "after", "(", "(", ")", ")", "[", "]",
        ",", "==", "=", "!=", "<", "~", "\"x\"", "'y'", "`z`", "purchase", "channel", "value", "attr.", "attr.x", "5", "-1.5",
        "1e999", "30m", "\"", "`", "\\", "\n", "é", "\u{202e}", "!",
    ]), 0..16), gap in prop::sample::select(vec!["", " "])) {
        any_text(&tokens.join(gap))?;
    }

    #[test]
    fn simplifying_keeps_the_meaning(expr in logic()) {
        let simple = expr.clone().simplify();
        for names in [vec![], vec!["a"], vec!["b"], vec!["a", "c"], vec!["b", "c"], vec!["a", "b", "c"]] {
            let names = names.into_iter().collect();
            prop_assert_eq!(holds(&expr, &names), holds(&simple, &names), "{} as {}", expr, simple);
        }
        prop_assert_eq!(simple.clone().simplify(), simple.clone());
        prop_assert_eq!(Expr::parse(&simple.to_string()), Ok(simple));
        // Also what is not in its plainest form prints as a text of the same meaning.
        let again = parse(&expr.to_string());
        prop_assert_eq!(again.simplify(), expr.simplify());
    }
}
