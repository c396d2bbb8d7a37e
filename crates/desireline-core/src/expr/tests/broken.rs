//! What people get wrong, and what they are told: `broken.txt` holds a text on each line, the message below it.

use super::*;

#[test]
fn every_broken_text_has_its_message() {
    let lines: Vec<&str> = include_str!("broken.txt").lines().collect();
    let (pairs, rest) = lines.as_chunks::<3>();
    assert!(pairs.len() >= 60 && rest.is_empty());
    for [text, message, blank] in pairs {
        let error = Expr::parse(text).unwrap_err();
        assert_eq!(&error.to_string(), message, "for: {text}");
        assert!(blank.is_empty());
        let snippet = error.snippet(text);
        let caret = snippet.lines().nth(1).unwrap();
        let column = usize::try_from(error.span().unwrap().column).unwrap();
        assert_eq!(caret.find('^'), Some(column - 1), "{snippet}");
    }
}

#[test]
fn places_in_texts_of_several_lines() {
    let text = "purchase and\n  channel == web\nor x";
    let error = Expr::parse(text).unwrap_err();
    assert_eq!(
        error.snippet(text),
        "  channel == web\n             ^^^\n\
         at line 2, column 14: expected a value after `==`, found `web`; text stands in quotes: \"web\""
    );
    // Columns count characters, offsets bytes.
    let text = "größe ≥ 5";
    let span = Expr::parse(text).unwrap_err().span().unwrap();
    assert_eq!((span.column, span.start, span.end), (7, 8, 11));
}

#[test]
fn long_lines_are_cut_around_the_place() {
    let text = format!("{}channel = web", "a or ".repeat(500));
    let snippet = Expr::parse(&text).unwrap_err().snippet(&text);
    let lines: Vec<&str> = snippet.lines().collect();
    assert!(lines[0].chars().count() <= 100);
    let caret = lines[1].find('^').unwrap();
    assert!(lines[0][caret..].starts_with("web"), "{snippet}");
}

#[test]
fn hostile_text_in_a_message_is_visible_and_short() {
    let text = format!("channel == x\u{1b}[31m{}", "x".repeat(5_000));
    let error = Expr::parse(&text).unwrap_err();
    assert!(error.to_string().contains(r"`\u{1b}`"), "{error}");
    let error = Expr::parse(&"é".repeat(5_000).replace("éé", "é= ")).unwrap_err();
    assert!(error.to_string().len() < 200, "{error}");
}

#[test]
fn limits_are_errors_and_never_a_stack_overflow() {
    let many = 60_000;
    let deep = [
        "(".repeat(many),
        "not ".repeat(many / 4),
        "first(".repeat(many / 6),
        "nth(".repeat(many / 6),
        "not (".repeat(many / 5),
        "a and (b or (".repeat(many / 13),
    ];
    // The parser keeps what is open in a list: a small stack is enough, in an unoptimised build too.
    let thread = std::thread::Builder::new().stack_size(128 * 1024);
    let run = move || {
        for text in deep {
            let error = Expr::parse(&text).unwrap_err();
            assert!(
                matches!(
                    error,
                    ExprError::TooDeep {
                        limit: MAX_DEPTH,
                        ..
                    }
                ),
                "{error}"
            );
        }
        let deepest = format!("{}a{}", "(".repeat(MAX_DEPTH), ")".repeat(MAX_DEPTH));
        assert_eq!(parse(&deepest), event("a"));
    };
    thread.spawn(run).unwrap().join().unwrap();

    let text = "a".repeat(MAX_TEXT + 1);
    assert_eq!(
        Expr::parse(&text).unwrap_err(),
        ExprError::TooLong {
            bytes: MAX_TEXT + 1,
            limit: MAX_TEXT
        }
    );
    // Short to write, but not to print: `1e15` is 1000000000000000.0.
    let text = format!("a in [{}]", "1e15,".repeat(9_000));
    assert!(matches!(Expr::parse(&text), Err(ExprError::TooLong { .. })));
    let text = format!("a in [{}]", "1,".repeat(MAX_LIST + 1));
    assert!(matches!(
        Expr::parse(&text),
        Err(ExprError::TooMany {
            what: "list values",
            ..
        })
    ));
    let text = "a like \"b*\" or ".repeat(MAX_PATTERNS + 1) + "c";
    assert!(matches!(
        Expr::parse(&text),
        Err(ExprError::TooMany {
            what: "patterns",
            ..
        })
    ));
}

#[test]
fn expressions_built_in_code_are_held_to_the_same_rules() {
    let no = |expr: Expr| {
        let error = expr.validate().unwrap_err();
        assert!(serde_json::to_string(&expr).is_err());
        assert!(
            error.span().is_none() && !error.to_string().starts_with("at "),
            "{error}"
        );
        error
    };
    assert!(matches!(
        no(col("value").ge(f64::NAN)),
        ExprError::Number { .. }
    ));
    assert!(matches!(
        no(col("value").is_in([f64::INFINITY])),
        ExprError::Number { .. }
    ));
    assert!(matches!(no(event("")), ExprError::EmptyName { .. }));
    assert!(matches!(
        no(col("attr.").exists()),
        ExprError::EmptyName { .. }
    ));
    assert!(matches!(no(nth(event("a"), 0)), ExprError::Number { .. }));
    assert!(matches!(
        no(col("url").matches("(")),
        ExprError::Pattern { .. }
    ));
    assert!(matches!(
        no(col("a").is_in(0..10_001)),
        ExprError::TooMany { .. }
    ));
    let deep = |levels| (0..levels).fold(event("a"), |e, _| first(e));
    assert_eq!(parse(&deep(MAX_DEPTH).to_string()), deep(MAX_DEPTH));
    assert!(deep(MAX_DEPTH).validate().is_ok());
    assert!(matches!(no(deep(MAX_DEPTH + 1)), ExprError::TooDeep { .. }));
}
