//! What texts mean: trees, not only acceptance.

use super::*;

fn e(name: &str) -> Expr {
    event(name)
}

#[test]
fn precedence() {
    let (a, b, c) = (|| e("a"), || e("b"), || e("c"));
    let or = |list: Vec<Expr>| Expr::from(Node::Or(list));
    let and = |list: Vec<Expr>| Expr::from(Node::And(list));
    for (text, tree) in [
        ("a or b and c", or(vec![a(), and(vec![b(), c()])])),
        ("a and b or c", or(vec![and(vec![a(), b()]), c()])),
        ("(a or b) and c", and(vec![or(vec![a(), b()]), c()])),
        ("not a and b", and(vec![!a(), b()])),
        ("not a or b", or(vec![!a(), b()])),
        ("not (a and b)", !(a() & b())),
        ("a and b and c", and(vec![a(), b(), c()])),
        ("a and (b and c)", and(vec![a(), and(vec![b(), c()])])),
        ("a or b or c", or(vec![a(), b(), c()])),
        ("not not a", Node::Not(Box::new(!a())).into()),
        ("not x = 1", !col("x").eq(1)),
        ("not x in [1] and b", and(vec![!col("x").is_in([1]), b()])),
        ("not exists x or a", or(vec![!col("x").exists(), a()])),
        ("a AND b OR c", or(vec![and(vec![a(), b()]), c()])),
        ("((a))", a()),
    ] {
        assert_eq!(parse(text), tree, "{text}");
    }
}

#[test]
fn names() {
    for (text, name) in [
        ("purchase", "purchase"),
        ("ER Registration", "ER Registration"),
        ("  ER \n Registration ", "ER Registration"),
        ("add-to-cart", "add-to-cart"),
        ("page/home", "page/home"),
        ("app:open", "app:open"),
        ("404", "404"),
        ("Log In", "Log In"),
        ("Search And Book", "Search And Book"),
        ("`Log in`", "Log in"),
        ("`and`", "and"),
        ("`two  spaces`", "two  spaces"),
        (r"`tick \` and \u{e9}`", "tick ` and é"),
        ("Überweisung prüfen", "Überweisung prüfen"),
        ("注文 🛒", "注文 🛒"),
        ("first", "first"),
        ("first order", "first order"),
        ("nth", "nth"),
        ("after", "after"),
        ("event", "event"),
        ("attr.x", "attr.x"),
    ] {
        assert_eq!(parse(text), e(name), "{text}");
    }
}

#[test]
fn fields_and_values() {
    let attribute = |scope, name: &str| Field::Attribute {
        scope,
        name: name.to_owned(),
    };
    for (text, field) in [
        ("event", Field::Event),
        ("customer", Field::Customer),
        ("time", Field::Time),
        ("value", Field::Value),
        ("channel", attribute(Scope::Any, "channel")),
        ("`Case ID`", attribute(Scope::Any, "Case ID")),
        ("`time`", attribute(Scope::Any, "time")),
        ("`attr.x`", attribute(Scope::Any, "attr.x")),
        ("attr.price", attribute(Scope::Event, "price")),
        ("attr.and", attribute(Scope::Event, "and")),
        ("attr.\"Case ID\"", attribute(Scope::Event, "Case ID")),
        ("attr.`Case ID`", attribute(Scope::Event, "Case ID")),
        ("person.plan", attribute(Scope::Customer, "plan")),
        ("customer.plan", attribute(Scope::Customer, "plan")),
        ("customer.'plan b'", attribute(Scope::Customer, "plan b")),
        ("a.b", attribute(Scope::Any, "a.b")),
        ("after", attribute(Scope::Any, "after")),
    ] {
        let text = format!("{text} == 1");
        let node = Node::Compare {
            field,
            op: CompareOp::Eq,
            value: Literal::Integer(1),
        };
        assert_eq!(parse(&text).node, node, "{text}");
    }
    for (text, value) in [
        ("'web'", Literal::from("web")),
        (
            r#""a\"b\\\n\t\r\u{1F6D2}""#,
            Literal::from("a\"b\\\n\t\r🛒"),
        ),
        (r#"'it\'s "x"'"#, Literal::from("it's \"x\"")),
        ("''", Literal::from("")),
        ("20", Literal::from(20)),
        ("-20", Literal::from(-20)),
        ("-9223372036854775808", Literal::from(i64::MIN)),
        ("20.5", Literal::from(20.5)),
        (".5", Literal::from(0.5)),
        ("1e3", Literal::from(1000.0)),
        ("1E+3", Literal::from(1000.0)),
        ("-2.5e-3", Literal::from(-0.0025)),
        ("true", Literal::from(true)),
        ("False", Literal::from(false)),
    ] {
        assert_eq!(parse(&format!("x = {text}")), col("x").eq(value), "{text}");
    }
}

#[test]
fn operators() {
    let x = || col("x");
    for (text, tree) in [
        ("x = 1", x().eq(1)),
        ("x==1", x().eq(1)),
        ("x != 1", x().ne(1)),
        ("x<1", x().lt(1)),
        ("x <= -1", x().le(-1)),
        ("x > 1", x().gt(1)),
        ("x>=1", x().ge(1)),
        ("x in ['a', 'b',]", x().is_in(["a", "b"])),
        ("x in []", x().is_in::<i64>([])),
        (
            "x NOT IN [1, 2.5]",
            !x().is_in([Literal::from(1), Literal::from(2.5)]),
        ),
        ("x like 'a*'", x().like("a*")),
        ("x not like 'a*'", !x().like("a*")),
        (r"x like '\*'", x().like(r"\*")),
        (r"x ~ '^\d+\.$'", x().matches(r"^\d+\.$")),
        (r"x ~ '\\d'", x().matches(r"\d")),
        ("exists x", x().exists()),
        ("true", Expr::all()),
        ("false", !Expr::all()),
        ("first(a or b)", first(e("a") | e("b"))),
        ("nth(x > 1, 2)", nth(x().gt(1), 2)),
        ("FIRST ( a )", first(e("a"))),
        (
            "after(a, 30m)",
            after(e("a"), TimeSpan::parse("30m").unwrap()),
        ),
        (
            "after(a b, 1h 30m)",
            after(e("a b"), TimeSpan::parse("90m").unwrap()),
        ),
        (
            "after(a, '7d')",
            after(e("a"), TimeSpan::parse("7d").unwrap()),
        ),
    ] {
        assert_eq!(parse(text), tree, "{text}");
        assert_eq!(parse(&tree.to_string()), tree, "{tree}");
    }
}

#[test]
fn spans_point_at_the_text() {
    let text = "purchase and (channel not in [\"wéb\"] or  first( x ))";
    let whole = parse(text);
    let piece = |expr: &Expr| text[expr.span.start..expr.span.end].to_owned();
    assert_eq!(piece(&whole), text);
    let [name, group] = whole.children() else {
        panic!()
    };
    assert_eq!(piece(name), "purchase");
    assert_eq!(piece(group), "(channel not in [\"wéb\"] or  first( x ))");
    let [list, function] = group.children() else {
        panic!()
    };
    assert_eq!(piece(list), "channel not in [\"wéb\"]");
    assert_eq!(piece(function), "first( x )");
    assert_eq!((function.span.line, function.span.column), (1, 42));
    assert_eq!(event("purchase"), *name, "spans do not count");
}

#[test]
fn joining_many_stays_flat() {
    let any = (0..1_000)
        .map(|n| e(&format!("e{n}")))
        .reduce(|a, b| a | b)
        .unwrap();
    assert!(any.validate().is_ok());
    assert_eq!(any.children().len(), 1_000);
    assert_eq!(e("a") & (e("b") & e("c")), (e("a") & e("b")) & e("c"));
    assert_eq!(!!e("a"), e("a"));
}

#[test]
fn what_an_expression_looks_at() {
    let expr = parse("purchase and (attr.x > 1 or exists channel) and not after(url ~ 'a', 1d)");
    let names: Vec<String> = expr.fields().iter().map(Field::to_string).collect();
    assert_eq!(names, ["event", "time", "channel", "url", "attr.x"]);
    assert!(!expr.is_stateless());
    assert!(parse("a and not (b or x = 1)").is_stateless());
    assert!(!parse("a and not (b or nth(c, 2))").is_stateless());
}

#[test]
fn a_spec_carries_the_text() {
    let expr = parse("channel = 'web'");
    assert_eq!(serde_json::to_value(&expr).unwrap(), r#"channel == "web""#);
    let error = serde_json::from_str::<Expr>(r#""channel =""#).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("in an expression, at column 10: expected a value after `=`"),
        "{error}"
    );
    assert!(
        serde_json::from_str::<Expr>("5")
            .unwrap_err()
            .to_string()
            .contains("the text of an expression")
    );
    let bytes = postcard::to_stdvec(&expr).unwrap();
    assert_eq!(postcard::from_bytes::<Expr>(&bytes).unwrap(), expr);
    let schema = serde_json::to_value(schemars::schema_for!(Expr)).unwrap();
    assert_eq!(schema["type"], "string");
    assert_eq!(schema["format"], "expression");
}

#[test]
fn anything_readable_is_an_expression() {
    let wanted = event("purchase");
    assert_eq!("purchase".into_expr().unwrap(), wanted);
    assert_eq!("purchase".to_owned().into_expr().unwrap(), wanted);
    assert_eq!((&wanted).into_expr().unwrap(), wanted);
    assert_eq!("purchase".parse::<Expr>().unwrap(), wanted);
    assert_eq!(Expr::try_from("purchase").unwrap(), wanted);
    assert!("a and".into_expr().is_err());
}

#[test]
fn globs_and_templates() {
    for (glob, yes, no) in [
        ("web", vec!["web"], vec!["Web", "webs", "aweb", ""]),
        ("", vec![""], vec!["a"]),
        ("*", vec!["", "a", "a/b\nc"], vec![]),
        ("a*z", vec!["az", "a/z", "abz"], vec!["a", "azb"]),
        ("a?c", vec!["abc", "a?c", "aéc"], vec!["ac", "abbc"]),
        (r"a\*", vec!["a*"], vec!["ab"]),
        (r"a\", vec![r"a\"], vec!["a"]),
        ("a.b(c)[d]", vec!["a.b(c)[d]"], vec!["axb(c)[d]"]),
        (
            "/product/:id",
            vec!["/product/1", "/product/a-b.c"],
            vec!["/product/", "/product/1/x", "/product/1?a=b"],
        ),
        ("/p/:id?*", vec!["/p/1?a=b"], vec!["/p/1"]),
        ("/:a/x/:b_2", vec!["/1/x/2"], vec!["/1/y/2", "//x/2"]),
        ("*/:id", vec!["https://h:80/1"], vec!["1"]),
        (
            "http://h:8080/*",
            vec!["http://h:8080/a"],
            vec!["http://hx8080/a"],
        ),
        (r"/\:id", vec!["/:id"], vec!["/1"]),
    ] {
        let pattern = Pattern::glob(glob).unwrap();
        yes.iter()
            .for_each(|text| assert!(pattern.is_match(text), "{glob} should match {text}"));
        no.iter()
            .for_each(|text| assert!(!pattern.is_match(text), "{glob} should not match {text}"));
    }
    let regex = Pattern::regex(r"^/blog/\d+").unwrap();
    assert!(regex.is_match("/blog/12/x") && !regex.is_match("/blog/x"));
    assert!(Pattern::glob(&"?".repeat(1_000_000)).is_err());
}
