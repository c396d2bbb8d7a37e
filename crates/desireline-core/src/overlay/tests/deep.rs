//! The deepest expressions that are read, through everything that walks them, on half of the stack that a thread has: no
//! optimised build needs as much as this one.

use crate::expr::{Expr, ExprError, MAX_DEPTH, event, first};
use crate::journey::{JourneyRule, Mask, Matcher, Scratch};
use crate::log::Log;
use crate::overlay::LenientMatcher;

fn parse(text: &str) -> Expr {
    Expr::parse(text).unwrap_or_else(|error| panic!("{}", error.snippet(text)))
}

/// `head`, `MAX_DEPTH` times, then `a`, then as many `tail`s.
fn nested(head: &str, tail: &str, times: usize) -> String {
    format!("{}a{}", head.repeat(times), tail.repeat(times))
}

fn deepest() -> Vec<String> {
    vec![
        nested("(", ")", MAX_DEPTH),
        nested("not ", "", MAX_DEPTH),
        nested("first(", ")", MAX_DEPTH),
        nested("nth(", ", 1)", MAX_DEPTH),
        nested("after(", ", 1d)", MAX_DEPTH),
        nested("not (b and ", ")", MAX_DEPTH / 2),
        // Two levels of the tree for each parenthesis.
        nested("b or c and (", ")", MAX_DEPTH),
        nested("c and (b or ", ")", MAX_DEPTH),
        nested("c = 'x' or b and first(", ")", MAX_DEPTH),
    ]
}

#[test]
fn the_deepest_expressions_are_read_printed_checked_and_bound_on_a_small_stack() {
    let walk = || {
        let rows = [("u", 0, "a"), ("u", 1, "b"), ("u", 2, "c")];
        let log = Log::from_rows(rows).unwrap();
        let journeys = log.journeys(JourneyRule::customer()).unwrap();
        let block = &journeys.blocks()[0];
        let mut scratch = Scratch::default();
        let morsel = block.morsel(block.morsels()[0], &mut scratch);
        for text in deepest() {
            let text = text.replace("c = 'x'", "customer = 'x'");
            let expr = parse(&text);
            assert_eq!(expr.validate(), Ok(()), "{text}");
            assert_eq!(parse(&expr.to_string()), expr, "{text}");
            assert_eq!(expr.clone().simplify(), expr.clone().simplify());
            assert!(!format!("{expr:?}").is_empty());
            assert!(!expr.fields().is_empty() && expr.fields().len() < 4);
            let read: Expr = serde_json::from_str(&serde_json::to_string(&expr).unwrap()).unwrap();
            assert_eq!(read, expr);
            let matcher = Matcher::new(&expr, log.catalog()).unwrap();
            let mut mask = Mask::default();
            matcher.fill(&morsel, &mut mask);
            let lenient = LenientMatcher::new(&expr, log.catalog()).unwrap();
            let mut other = Mask::default();
            lenient.matcher.fill(&morsel, &mut other);
            assert!(mask.iter_ones().eq(other.iter_ones()), "{text}");
            drop((matcher.clone(), expr & event("b"), read.not()));
        }
        // What is built in code may be deeper, and is refused.
        let mut built = event("a");
        for _ in 0..1_000 {
            built = first(built);
        }
        assert!(matches!(built.validate(), Err(ExprError::TooDeep { .. })));
        assert!(built.to_string().len() > 4 * MAX_DEPTH);
    };
    let thread = std::thread::Builder::new().stack_size(1024 * 1024);
    thread.spawn(walk).unwrap().join().unwrap();
}
