//! What is planted in the simulated log is found, and where nothing is planted little is.
#![allow(clippy::unwrap_used)]

use desireline_core::analyses::{Dropoff, Funnel, Goals};
use desireline_core::compare::{Compare, CompareReport, Comparison, ComparisonRow};
use desireline_core::engine::{Breakdown, Segment};
use desireline_core::expr::Expr;
use desireline_core::journey::{JourneyRule, Journeys};
use desireline_core::report::Caveat;
use desireline_io::simulate::{Simulation, Truth};

fn shop(customers: u64, seed: u64) -> (Journeys, Truth) {
    let mut simulation = Simulation::shop(customers);
    simulation.seed = seed;
    let simulator = simulation.prepare().unwrap();
    let journeys = simulator
        .log()
        .unwrap()
        .journeys(JourneyRule::column("session_id"))
        .unwrap();
    (journeys, simulator.truth().clone())
}

fn segment(name: &str, condition: String) -> Segment {
    Segment::new(name, Expr::parse(&condition).unwrap())
}

fn row<'r>(report: &'r CompareReport, kind: &str, group: &str, key: &str) -> &'r ComparisonRow {
    let found = report
        .rows
        .iter()
        .find(|r| r.kind == kind && r.a.group == group && r.key.iter().any(|k| k == key));
    found.unwrap_or_else(|| {
        panic!(
            "no {kind} of {group} at {key} in {:?}",
            report.rows.iter().map(|r| &r.label).collect::<Vec<_>>()
        )
    })
}

#[test]
fn the_broken_step_is_found() {
    let (journeys, truth) = shop(20_000, 1);
    let broken = truth.broken_step.unwrap();
    let day = desireline_core::time::format_instant(broken.from);
    let ios = |when: &str, op: &str| {
        segment(
            when,
            format!("device == \"{}\" and time {op} \"{day}\"", broken.device),
        )
    };
    let how = Comparison::new(Breakdown::Segments {
        segments: vec![ios("broken", ">="), ios("before", "<")],
    })
    .baseline("before");

    let funnel = Funnel::steps(["payment", "purchase"]);
    let compared = journeys
        .run(&Compare {
            of: funnel,
            how: how.clone(),
        })
        .unwrap();
    let step = row(&compared, "step", "broken", "purchase");
    let difference = step.difference.unwrap();
    let planted = broken.completion - truth.completion;
    assert!(step.q.unwrap() < 1e-6, "{step:?}");
    assert!(
        difference.lower <= planted && planted <= difference.upper,
        "planted {planted}, found {difference:?}"
    );

    // Where they leave: at the error.
    let mut dropoff = Compare {
        of: Dropoff::goal("purchase"),
        how,
    };
    dropoff.how.top = 1_000;
    let exits = journeys.run(&dropoff).unwrap();
    let worst = exits
        .rows
        .iter()
        .find(|r| r.kind == "exit" && r.difference.is_some_and(|d| d.lower > 0.0))
        .unwrap();
    assert!(
        worst.key.iter().any(|k| k == "payment_error") && worst.q.unwrap() < 0.01,
        "{worst:?}"
    );
}

#[test]
fn the_true_lift_is_found_and_the_mix_is_not_taken_for_one() {
    let (journeys, truth) = shop(40_000, 1);
    let (lifted, ratio) = truth.channel_lift.unwrap();
    let mixed = truth.channel_mix.unwrap().channel;
    let mut compare = Compare {
        of: Goals::new(["purchase"]),
        how: Comparison::new(Breakdown::by("channel")).stratify("plan"),
    };
    compare.how.top = 1_000;
    let report = journeys.run(&compare).unwrap();
    let lift = row(&report, "goal", &lifted, "purchase");
    assert!(lift.q.unwrap() < 0.001, "{lift:?}");
    let (a, b) = (
        lift.a.estimate.unwrap().value,
        lift.b.estimate.unwrap().value,
    );
    assert!(
        (a / b / ratio - 1.0).abs() < 0.25,
        "planted {ratio}, found {}",
        a / b
    );
    for other in report
        .rows
        .iter()
        .filter(|r| r.kind == "goal" && r.a.group != lifted && r.a.group != mixed)
    {
        assert!(
            other.q.unwrap() > 0.01,
            "{} was not planted: {other:?}",
            other.a.group
        );
    }
}

#[test]
fn the_reversal_is_flagged() {
    let (journeys, _) = shop(20_000, 1);
    let how = Comparison::new(Breakdown::by("campaign")).stratify("plan");
    let report = journeys
        .run(&Compare {
            of: Goals::new(["add_to_cart"]),
            how,
        })
        .unwrap();
    let flagged = report
        .caveats
        .iter()
        .any(|c| matches!(c, Caveat::SimpsonReversal { attribute, .. } if attribute == "plan"));
    assert!(flagged, "{:?} {:?}", report.caveats, report.simpson);
}

#[test]
fn a_fair_coin_is_rejected_about_one_time_in_twenty() {
    // 400 small shops, one test each; journeys repeat per customer, so this is also a test of the clustering.
    let rejected = (0..400)
        .filter(|seed| {
            let mut simulation = Simulation::shop(150);
            simulation.seed = 1_000 + seed;
            simulation.effects.bots = None;
            let simulator = simulation.prepare().unwrap();
            let journeys = simulator
                .log()
                .unwrap()
                .journeys(JourneyRule::column("session_id"))
                .unwrap();
            let coin = Breakdown::by(simulator.truth().null_attribute.clone());
            let report = journeys
                .run(&Compare {
                    of: Goals::new(["add_to_cart"]),
                    how: Comparison::new(coin),
                })
                .unwrap();
            let goal = report.rows.iter().find(|r| r.kind == "goal").unwrap();
            goal.p.is_some_and(|p| p < 0.05)
        })
        .count();
    // 20 expected; the bounds are where a binomial of 400 at 0.05 is found with probability 0.998.
    assert!((8..=34).contains(&rejected), "{rejected} of 400");
}
