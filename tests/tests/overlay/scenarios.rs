//! Scenarios: parts that make a whole, and parts that do not.

use std::collections::BTreeSet;

use desireline_core::engine::Exec;
use desireline_core::expr::Expr;
use desireline_core::journey::{JourneyRule, Journeys};
use desireline_core::map::{Date, JourneyMap, MapKind, MapScope, Window};
use desireline_core::overlay::{
    Overlay, ScenarioReport, journey_rule, overlay, scenario_rule, scenarios,
};
use desireline_core::report::Caveat;
use desireline_core::time::TimeSpan;
use desireline_stats::{Clusters, wilson_clustered};
use desireline_tests::naive_expr::{holds, random};
use desireline_tests::random_log::{GAP, build, naive_journeys, rows};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::empty;

fn map(id: &str, segment: &str) -> JourneyMap {
    let mut map = empty(MapKind::Actual);
    map.id = id.into();
    match segment {
        "" => map,
        text => map.scope(MapScope::new().segment(Expr::parse(text).unwrap())),
    }
}

fn shared(maps: &[JourneyMap], journeys: &Journeys, threads: usize) -> ScenarioReport {
    let maps: Vec<&JourneyMap> = maps.iter().collect();
    scenarios(&maps, journeys, &Exec::new().threads(threads).unwrap()).unwrap()
}

fn notes(report: &ScenarioReport) -> usize {
    let notes = report.caveats.iter();
    notes.filter(|c| matches!(c, Caveat::Note { .. })).count()
}

/// What each map's own overlay counts.
fn overlaid(map: &JourneyMap, journeys: &Journeys) -> u64 {
    let report = overlay(map, journeys, &Overlay::new(), &Exec::new()).unwrap();
    report.base.journeys
}

#[test]
fn journeys_are_shared_as_plain_loops_share_them() {
    for seed in 0..300 {
        let rows = rows(seed);
        let log = build(&rows).unwrap();
        let rule = JourneyRule {
            gap: Some(TimeSpan::from_micros(GAP)),
            ..JourneyRule::default()
        };
        let journeys = log.journeys(rule).unwrap();
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let mut names: Vec<String> = rows.iter().map(|r| r.event.clone()).collect();
        names.sort();
        names.dedup();
        let exprs: Vec<Expr> = (0..4).map(|_| random(rng, &names, 1)).collect();
        let maps: Vec<JourneyMap> = exprs
            .iter()
            .enumerate()
            .map(|(i, e)| map(&format!("m{i}"), "").scope(MapScope::new().segment(e.clone())))
            .collect();
        let found = shared(&maps, &journeys, 1);
        assert_eq!(found, shared(&maps, &journeys, 2), "seed {seed}");

        let all = naive_journeys(&rows, Some(GAP));
        let of: Vec<Vec<usize>> = all
            .iter()
            .map(|j| {
                let is_in = |e: &Expr| (0..j.len()).any(|i| holds(e, j, i));
                (0..exprs.len()).filter(|m| is_in(&exprs[*m])).collect()
            })
            .collect();
        let told = format!("seed {seed}: {exprs:?}");
        assert_eq!(found.journeys, all.len() as u64, "{told}");
        let with = |n: &dyn Fn(usize) -> bool| of.iter().filter(|m| n(m.len())).count() as u64;
        assert_eq!(
            (found.none, found.one, found.several),
            (with(&|n| n == 0), with(&|n| n == 1), with(&|n| n > 1)),
            "{told}"
        );
        for (m, row) in found.scenarios.iter().enumerate() {
            let mut clusters = Clusters::default();
            let customers: BTreeSet<&str> = all.iter().map(|j| j[0].customer.as_str()).collect();
            let mut touched = 0;
            for customer in customers {
                let own = all
                    .iter()
                    .zip(&of)
                    .filter(|(j, _)| j[0].customer == customer);
                let (mut k, mut n) = (0, 0);
                for (_, maps) in own {
                    n += 1;
                    k += u64::from(maps.contains(&m));
                }
                clusters.add(k, n);
                touched += u64::from(k > 0);
            }
            assert_eq!(
                (row.journeys.count, row.journeys.n),
                (clusters.k, clusters.n),
                "{told}"
            );
            if clusters.n >= 5 {
                assert_eq!(
                    row.journeys.estimate,
                    wilson_clustered(&clusters, 0.95),
                    "{told}"
                );
            }
            assert_eq!(row.customers, touched, "{told}");
            let alone = of.iter().filter(|maps| maps.as_slice() == [m]).count() as u64;
            assert_eq!(row.alone, alone, "{told}");
            assert_eq!(row.journeys.count, overlaid(&maps[m], &journeys), "{told}");
        }
        for pair in &found.overlaps {
            let place = |id: &str| maps.iter().position(|m| m.id == id).unwrap();
            let (a, b) = (place(&pair.a), place(&pair.b));
            let both = of
                .iter()
                .filter(|m| m.contains(&a) && m.contains(&b))
                .count();
            assert_eq!(pair.journeys, both as u64, "{told}");
        }
    }
}

/// Disjoint and complete segments: the overlays of the scenarios add up to that of the whole.
#[test]
fn disjoint_scenarios_make_the_whole() {
    let rows = rows(17);
    let log = build(&rows).unwrap();
    let journeys = log.journeys(JourneyRule::customer()).unwrap();
    let maps = [
        map("first", "customer = \"c0\""),
        map("second", "customer = \"c1\""),
        map("rest", "not customer in [\"c0\", \"c1\"]"),
    ];
    let found = shared(&maps, &journeys, 1);
    assert!(
        found.adds_up() && found.overlaps.is_empty() && notes(&found) == 0,
        "{found:?}"
    );
    let whole = overlaid(&map("whole", ""), &journeys);
    let parts: u64 = maps.iter().map(|m| overlaid(m, &journeys)).sum();
    assert_eq!((whole, found.journeys), (parts, whole));
    // One that is left out is said, and so is one that is in two.
    let two = shared(&maps[..2], &journeys, 1);
    assert_eq!(two.none, overlaid(&maps[2], &journeys));
    let twice = [maps[0].clone(), map("all", "")];
    let twice = shared(&twice, &journeys, 1);
    assert_eq!(
        (twice.several, twice.none),
        (overlaid(&maps[0], &journeys), 0)
    );
    assert_eq!(twice.overlaps.len(), 1);
    assert_eq!(notes(&twice), 1);
}

#[test]
fn windows_count_and_maps_must_agree() {
    let day = 86_400_000_000;
    let rows = [("a", 0, "x"), ("a", 2 * day, "x"), ("b", day, "x")];
    let log = desireline_core::log::Log::from_rows(rows).unwrap();
    let journeys = log.journeys(JourneyRule::gap("1h").unwrap()).unwrap();
    let window = |from, to| {
        let date = |d| Date::new(1970, 1, d).unwrap();
        MapScope::new().window(Window::new(date(from), date(to)))
    };
    let maps = [
        map("early", "").scope(window(1, 2)),
        map("late", "").scope(window(2, 4)),
    ];
    let found = shared(&maps, &journeys, 1);
    let counts: Vec<u64> = found.scenarios.iter().map(|s| s.journeys.count).collect();
    assert_eq!((counts, found.adds_up()), (vec![1, 2], true));

    let twice = [&maps[0], &maps[0]];
    let error = scenarios(&twice, &journeys, &Exec::new()).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("two of the maps are called `early`"),
        "{error}"
    );
    assert!(scenario_rule(&[]).is_err());
    let rule = scenario_rule(&[&maps[0], &maps[1]]).unwrap();
    assert_eq!(rule, journey_rule(&maps[0]).unwrap());
    let other = JourneyMap::from_yaml(
        "schema: 1\nid: z\ntitle: M\nversion: 1.0.0\nkind: actual\nstatus: draft\nas_of: 2026-01-01\nowner: o\n\
         stakeholders: [{id: o, name: O}]\nstages: [{id: s, name: S}]\nscope: {aim: A, journeys: {gap: 1h}}\n",
    );
    let error = scenario_rule(&[&maps[0], &other.unwrap()])
        .unwrap_err()
        .to_string();
    assert!(error.contains("`early` cuts journeys by"), "{error}");
    let none = shared(&[], &journeys, 1);
    assert_eq!((none.none, none.journeys), (3, 3));
}
