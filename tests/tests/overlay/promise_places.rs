//! Promises about lengths of time begin and end where the overlay says that events are.

use desireline_core::engine::Exec;
use desireline_core::journey::JourneyRule;
use desireline_core::map::{At, Compare, Expectation, Id, JourneyMap, Promise, Quantity};
use desireline_core::overlay::{KpiSources, Overlay, measure_promises};
use desireline_core::time::TimeSpan;
use desireline_tests::random_log::{GAP, Row, build_until, naive_journeys, rows};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::naive::{Placed, Tally, level, personas_of, place};
use super::promises::{Naive, OPS};

/// Whatever the priorities, policies, conditions of stages, windows and personas.
#[test]
fn times_are_between_the_places_of_the_overlay() {
    let (mut seen, mut kept_in_all) = (0, 0);
    for seed in 0..600 {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let rows = rows(seed % 400);
        let mut names: Vec<String> = rows.iter().map(|r| r.event.clone()).collect();
        names.sort();
        names.dedup();
        let mut map = super::map(rng, &names);
        let stages = map.stages.iter();
        let mut places: Vec<String> = stages.clone().map(|s| s.id.to_string()).collect();
        places.extend(stages.flat_map(|s| &s.steps).map(|s| s.id.to_string()));
        places.extend(map.touchpoints.iter().map(|t| t.id.to_string()));
        let limit = [1, 1_000, GAP / 2, GAP + 1, 4 * GAP][rng.random_range(0..5)];
        let op = OPS[rng.random_range(0..4)];
        let promised = |i: usize, at: At| {
            let limit = Quantity::Span(TimeSpan::from_micros(limit));
            let promise = Promise::new("time_on_stage", op, limit);
            Expectation::new(format!("e{i}"), at, "E").promise(promise)
        };
        let mut at: Vec<At> = places.iter().map(|p| At::Part(p.as_str().into())).collect();
        for _ in 0..4 {
            let mut some = || places[rng.random_range(0..places.len())].as_str().into();
            at.push(At::Edge {
                from: some(),
                to: some(),
            });
        }
        let promises = at.iter().enumerate().map(|(i, at)| promised(i, at.clone()));
        map = map.expectations(promises.collect::<Vec<_>>());
        let mut how = Overlay::new().min_n(1);
        if rng.random_range(0..3) == 0 {
            how.persona = map.personas.first().map(|p| p.id.clone());
        }
        let until =
            rows.iter().map(|r| r.time).max().unwrap() + [0, 5 * GAP][rng.random_range(0..2)];
        let log = build_until(&rows, Some(until)).unwrap();
        let rule = JourneyRule {
            gap: Some(TimeSpan::from_micros(GAP)),
            ..JourneyRule::default()
        };
        let journeys = log.journeys(rule).unwrap();
        let sources = KpiSources::default();
        let run = |threads| {
            let exec = Exec::new().threads(threads).unwrap();
            measure_promises(&map, &journeys, &how, &sources, None, &exec).unwrap()
        };
        let found = run(1);
        assert_eq!(found, run(2), "seed {seed}");
        let window = map.scope.as_ref().and_then(|s| s.window.as_ref());
        let bounds = window.map_or((i64::MIN, i64::MAX), |w| w.micros().unwrap());
        let until = until.min(bounds.1.saturating_sub(1));
        let lives = Lives::new(&map, &rows, bounds, how.persona.as_ref());
        for (at, found) in at.iter().zip(&found) {
            let told = format!(
                "seed {seed}, {at} {op:?} {limit}: {found:?}\n{}",
                map.to_yaml().unwrap()
            );
            let expected = lives.promise(&map, at, (op, limit), until);
            let Some(kept) = &found.kept else {
                // Of this log's names none can begin the time, or none can end it.
                assert!(found.hole.is_some(), "{told}");
                assert!(expected.never == expected.kept.n, "{told}");
                continue;
            };
            assert_eq!(
                (kept.count, kept.n, found.never, found.open),
                (
                    expected.kept.k,
                    expected.kept.n,
                    expected.never,
                    expected.open
                ),
                "{told}"
            );
            seen += kept.n;
            kept_in_all += kept.count;
        }
    }
    assert!(seen > 1_500 && kept_in_all > 600, "{seen}, {kept_in_all}");
}

/// The journeys of each customer that is meant, event by event with where it is.
struct Lives(Vec<Vec<Vec<Placed>>>);

impl Lives {
    fn new(map: &JourneyMap, rows: &[Row], (from, to): (i64, i64), persona: Option<&Id>) -> Lives {
        let inside = |j: &[Row]| -> Vec<Row> {
            let own = j.iter().filter(|r| from <= r.time && r.time < to);
            own.cloned().collect()
        };
        let journeys: Vec<Vec<Row>> = naive_journeys(rows, Some(GAP))
            .iter()
            .map(|j| inside(j))
            .filter(|j| !j.is_empty())
            .collect();
        let personas = personas_of(map, &journeys);
        let mut lives: Vec<(String, Vec<Vec<Placed>>)> = Vec::new();
        for journey in &journeys {
            let customer = &journey[0].customer;
            let is_member = |id: &Id| {
                let mine = personas.get(customer);
                mine.is_some_and(|m| m.contains(&id.to_string()))
            };
            if persona.is_some_and(|id| !is_member(id)) {
                continue;
            }
            let placed = place(map, journey, &mut Tally::default());
            match lives.last_mut().filter(|l| l.0 == *customer) {
                Some((_, own)) => own.push(placed),
                None => lives.push((customer.clone(), vec![placed])),
            }
        }
        Lives(lives.into_iter().map(|l| l.1).collect())
    }

    fn promise(&self, map: &JourneyMap, at: &At, (op, limit): (Compare, i64), until: i64) -> Naive {
        let is_at = |p: &Placed, id: &Id| {
            let id = &id.to_string();
            p.touchpoints.contains(id) || p.stages.contains(id) || p.steps.contains(id)
        };
        let ends = |p: &Placed| match at {
            At::Edge { to, .. } => is_at(p, to),
            At::Part(id) if map.stages.iter().any(|s| s.id == *id) => {
                let own = level(map, id.as_str());
                p.stages.iter().any(|s| level(map, s) > own)
            }
            At::Part(id) => map.touchpoints.iter().any(|t| {
                let own = t.id == *id || t.step.as_ref() == Some(id);
                !own && p.touchpoints.contains(&t.id.to_string())
            }),
        };
        let from = match at {
            At::Part(id) | At::Edge { from: id, .. } => id,
        };
        let mut naive = Naive::default();
        for life in &self.0 {
            let all: Vec<&Placed> = life.iter().flatten().collect();
            let (mut before, mut kept, mut n) = (0, 0, 0);
            for journey in life {
                let first = journey.iter().position(|p| is_at(p, from));
                let begun = first.map(|f| before + f);
                before += journey.len();
                let Some(begun) = begun else { continue };
                if until - all[begun].time < limit {
                    naive.open += 1;
                    continue;
                }
                n += 1;
                let end = all[begun + 1..].iter().find(|p| ends(p));
                naive.never += u64::from(end.is_none());
                let took = end.map_or(i64::MAX, |e| e.time - all[begun].time);
                kept += u64::from(match op {
                    Compare::Below => took < limit,
                    Compare::AtMost => took <= limit,
                    Compare::AtLeast => took >= limit,
                    Compare::Above => took > limit,
                });
            }
            naive.kept.add(kept, n);
        }
        naive
    }
}
