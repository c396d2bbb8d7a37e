//! A KPI at a part of the map is about the same customers as the part itself.

use desireline_core::engine::Exec;
use desireline_core::journey::JourneyRule;
use desireline_core::map::KpiBinding;
use desireline_core::overlay::{KpiSources, Overlay, measured};
use desireline_core::time::TimeSpan;
use desireline_tests::random_log::{GAP, build_until, rows};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// Whatever the priorities, policies, conditions of stages, windows and personas.
#[test]
fn reach_is_of_the_customers_whom_the_overlay_counts() {
    let mut seen = 0;
    for seed in 0..600 {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let rows = rows(seed % 400);
        let mut names: Vec<String> = rows.iter().map(|r| r.event.clone()).collect();
        names.sort();
        names.dedup();
        let map = super::map(rng, &names);
        let stages = map.stages.iter();
        let mut places: Vec<String> = stages.clone().map(|s| s.id.to_string()).collect();
        places.extend(stages.flat_map(|s| &s.steps).map(|s| s.id.to_string()));
        places.extend(map.touchpoints.iter().map(|t| t.id.to_string()));
        places.extend(map.channels.iter().map(|c| c.id.to_string()));
        let kpis: Vec<KpiBinding> = places
            .iter()
            .map(|at| KpiBinding::new(format!("k-{at}"), "reach").at(at.as_str()))
            .collect();
        let map = map.kpis(kpis);
        let mut how = Overlay::new().min_n(1);
        if seed % 4 == 0 {
            how.persona = map.personas.first().map(|p| p.id.clone());
        }
        let last = rows.iter().map(|r| r.time).max().unwrap();
        let log = build_until(&rows, Some(last)).unwrap();
        let rule = JourneyRule {
            gap: Some(TimeSpan::from_micros(GAP)),
            ..JourneyRule::default()
        };
        let journeys = log.journeys(rule).unwrap();
        let run = |threads| {
            let exec = Exec::new().threads(threads).unwrap();
            measured(&map, &journeys, &how, &KpiSources::default(), &exec).unwrap()
        };
        let report = run(1);
        assert_eq!(report, run(2));
        for (at, kpi) in places.iter().zip(report.kpis.as_deref().unwrap()) {
            let stage = report.stages.iter().find(|s| s.id == *at).map(|s| &s.cell);
            let step = report.steps.iter().find(|s| s.id == *at).map(|s| &s.cell);
            let channel = report.channels.iter().find(|c| c.id == *at);
            let channel = channel.map(|c| &c.cell);
            let touchpoint = report.touchpoints.iter().find(|t| t.id == *at);
            let touchpoint = touchpoint.and_then(|t| t.cell.as_ref());
            let cell = stage.or(step).or(channel).or(touchpoint);
            let customers = cell.map_or(0, |c| c.customers);
            assert_eq!(
                kpi.n,
                customers,
                "seed {seed}, {at}: {:?}\n{}",
                kpi.hole,
                map.to_yaml().unwrap()
            );
            seen += customers;
        }
    }
    assert!(seen > 3_000, "{seen}");
}
