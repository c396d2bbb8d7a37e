//! Bound expressions against a naive evaluator that looks at every event alone.
#![allow(clippy::unwrap_used)]

use desireline_core::expr::Expr;
use desireline_core::journey::{JourneyRule, Matcher, Scratch};
use desireline_core::time::TimeSpan;
use desireline_tests::naive_expr::{holds, random};
use desireline_tests::random_log::{GAP, build, naive_journeys, rows};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

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
