#![allow(clippy::unwrap_used, clippy::print_stdout)]

use super::*;

#[test]
fn smoke() {
    for t in [
        "purchase",
        "ER Registration",
        "a or b and not c",
        "Log In",
        "`Log in`",
        "channel not in ['a', \"b\",]",
        "attr.\"Case ID\" == 'x\\n'",
        "`Case ID` ~ \"\\d+\"",
        "first(a and b)",
        "nth(x, 3)",
        "after(add to cart, 1h 30m)",
        "value >= -1e+3",
        "exists channel and true or false",
        "not not x",
        "time >= \"2024-01-01\"",
        "after(x, 30m) and y",
        "after(x, 1500ms)",
        "after(x, 7d)",
        "after(x, '0s')",
    ] {
        let e = Expr::parse(t).unwrap_or_else(|e| panic!("{}", e.snippet(t)));
        println!("{t}  =>  {e}");
        assert_eq!(Expr::parse(&e.to_string()).unwrap(), e);
    }
}
