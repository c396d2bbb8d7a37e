//! A map's bindings, compiled, against a naive evaluator that asks every binding of every event.
#![allow(clippy::unwrap_used)]

use desireline_core::expr::Expr;
use desireline_core::journey::{JourneyRule, Scratch};
use desireline_core::map::{
    Binding, BindingPolicy, Date, JourneyMap, MapKind, Stage, Stakeholder, Status, Touchpoint,
    Version,
};
use desireline_core::overlay::{BindScratch, BoundMap};
use desireline_core::time::TimeSpan;
use desireline_tests::naive_expr::{holds, random};
use desireline_tests::random_log::{GAP, build, naive_journeys, rows};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A map of up to five touchpoints with random conditions and priorities; one name may be unknown to the log.
fn map(rng: &mut ChaCha8Rng, names: &[String], policy: BindingPolicy) -> JourneyMap {
    let as_of = Date::new(2026, 1, 1).unwrap();
    let touchpoints = (0..rng.random_range(0..6)).map(|i| {
        let mut binding = Binding::new(random(rng, names, 2));
        binding.priority = [None, Some(-1), Some(1)][rng.random_range(0..3)];
        Touchpoint::new(format!("t{i}"), "T")
            .stages(["s"])
            .binding(binding)
    });
    let touchpoints: Vec<Touchpoint> = touchpoints.collect();
    JourneyMap::new(
        "m",
        "M",
        Version::new(1, 0, 0),
        MapKind::Actual,
        Status::Draft,
        as_of,
        "o",
    )
    .stakeholders([Stakeholder::new("o", "O")])
    .stages([Stage::new("s", "S")])
    .touchpoints(touchpoints)
    .binding_policy(policy)
}

/// What an event belongs to: `(customer, ordinal, place, touchpoints in the order in which they take it)`.
type Belongs = (String, u32, usize, Vec<String>);

fn compiled(map: &JourneyMap, journeys: &desireline_core::journey::Journeys) -> Vec<Belongs> {
    let bound = BoundMap::new(map, journeys.catalog()).unwrap();
    let mut found = Vec::new();
    let (mut scratch, mut masks) = (Scratch::default(), BindScratch::default());
    for (b, block) in journeys.blocks().iter().enumerate() {
        for &range in block.morsels() {
            let morsel = block.morsel(range, &mut scratch);
            let mut of_event = vec![Vec::new(); morsel.n_events()];
            let mut orphans = vec![false; morsel.n_events()];
            let take =
                |i: usize, binding: usize| of_event[i].push(bound.bindings[binding].id.to_string());
            bound.assign(&morsel, &mut masks, take, |i| orphans[i] = true);
            for span in morsel.spans() {
                let customer = journeys
                    .log()
                    .customer_id(b, span.customer as usize)
                    .into_owned();
                for i in span.range() {
                    assert_eq!(orphans[i], of_event[i].is_empty());
                    found.push((
                        customer.clone(),
                        span.ordinal,
                        i - span.start as usize,
                        of_event[i].clone(),
                    ));
                }
            }
        }
    }
    found.sort();
    found
}

fn naive(map: &JourneyMap, rows: &[desireline_tests::random_log::Row]) -> Vec<Belongs> {
    let mut order: Vec<&Touchpoint> = map.touchpoints.iter().collect();
    // A stable sort keeps the order of the document among equals.
    order.sort_by_key(|t| -t.binding.as_ref().unwrap().priority.unwrap_or(0));
    let mut ordinals = std::collections::BTreeMap::new();
    let mut found = Vec::new();
    for journey in naive_journeys(rows, Some(GAP)) {
        let customer = journey[0].customer.clone();
        let next = ordinals.entry(customer.clone()).or_insert(0u32);
        for i in 0..journey.len() {
            let matching = order
                .iter()
                .filter(|t| holds(&t.binding.as_ref().unwrap().when, &journey, i))
                .map(|t| t.id.to_string());
            let taken: Vec<String> = match map.policy() {
                BindingPolicy::Priority => matching.take(1).collect(),
                BindingPolicy::Multi => matching.collect(),
            };
            found.push((customer.clone(), *next, i, taken));
        }
        *next += 1;
    }
    found.sort();
    found
}

#[test]
fn one_pass_gives_what_asking_every_event_gives() {
    for seed in 0..3_000 {
        let rows = rows(seed % 300);
        let mut names: Vec<String> = rows.iter().map(|r| r.event.clone()).collect();
        names.push("nobody sends this".to_owned());
        names.sort();
        names.dedup();
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let policy = [BindingPolicy::Priority, BindingPolicy::Multi][usize::from(seed % 2 == 1)];
        let map = map(&mut rng, &names, policy);
        let rule = JourneyRule {
            gap: Some(TimeSpan::from_micros(GAP)),
            ..JourneyRule::default()
        };
        let journeys = build(&rows).unwrap().journeys(rule).unwrap();
        assert_eq!(
            compiled(&map, &journeys),
            naive(&map, &rows),
            "seed {seed}: {}",
            map.to_yaml().unwrap()
        );
    }
}

#[test]
fn random_conditions_survive_the_document() {
    for seed in 0..2_000 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let names = ["a", "d/e", "f > g", "\"h\" é", "not", "true"].map(str::to_owned);
        let map = map(&mut rng, &names, BindingPolicy::Priority);
        let again = JourneyMap::from_yaml(&map.to_yaml().unwrap()).unwrap();
        let conditions = |m: &JourneyMap| {
            m.conditions()
                .into_iter()
                .map(|(_, e)| plain(&e))
                .collect::<Vec<_>>()
        };
        assert_eq!(conditions(&again), conditions(&map));
    }
}

/// The canonical text, as it reads back: an `and` of one part is its part there.
fn plain(expr: &Expr) -> String {
    Expr::parse(&expr.to_string()).unwrap().to_string()
}
