//! What a measured map costs beside the plain dashboard: one pass over the same sessions of the same log, timed by turns.

use std::path::Path;

use desireline_core::map::JourneyMap;
use desireline_core::overlay::{Overlay, overlay};
use desireline_io::simulate::Simulation;
use serde_json::json;

use crate::Outcome;
use crate::clock::{Plan, time_by_turns};
use crate::modes::{threads, write};
use crate::questions::{QUESTIONS, Ready};

/// A map of the simulated shop that does not change: 19 touchpoints in six stages, one with a condition beyond names, two personas.
const SHOP: &str = include_str!("../maps/shop.yaml");

/// Times the dashboard and the overlays and prints a table.
pub fn run(events: u64, n_threads: usize, plan: &Plan, out: Option<&Path>) -> Outcome<()> {
    let exec = threads(n_threads)?;
    let ready = Ready::new(
        Simulation::with_events(events).prepare()?.log()?,
        exec.clone(),
    )?;
    let whole = JourneyMap::from_yaml(SHOP)?;
    let mut names = whole.clone();
    names.personas.clear();
    names.touchpoints.retain(|t| t.id != "paid-result");
    // The simulated half year, however much of it a log of this size has.
    if let Some(scope) = &mut names.scope {
        scope.window = None;
    }
    let plain = Overlay::new();
    let monthly = Overlay::new().by_period(desireline_core::journey::CalendarUnit::Month);
    println!(
        "{} events of {} customers, {} sessions, {n_threads} threads\n",
        ready.log.n_events(),
        ready.log.n_customers(),
        ready.sessions.n_journeys(),
    );
    let dashboard = QUESTIONS.iter().find(|(name, _)| *name == "dashboard");
    let (_, dashboard) = dashboard.ok_or("there is no dashboard")?;
    let ask = |map: &JourneyMap, how: &Overlay| {
        let report = overlay(map, &ready.sessions, how, &exec)?;
        std::hint::black_box(report.base.bound_events);
        Ok(())
    };
    let works: [(&str, &mut dyn FnMut() -> Outcome<()>); 4] = [
        ("dashboard: five questions at once", &mut || {
            dashboard(&ready).map(drop)
        }),
        ("overlay: names only, no personas", &mut || {
            ask(&names, &plain)
        }),
        ("overlay: a condition, a window, two personas", &mut || {
            ask(&whole, &plain)
        }),
        ("overlay: the same by month", &mut || ask(&whole, &monthly)),
    ];
    let (labels, mut works): (Vec<_>, Vec<_>) = works.into_iter().unzip();
    let timings = time_by_turns(plan, &mut works)?;
    let base = timings.first().ok_or("nothing was timed")?;
    println!("| what | wall ms | CPU ms | of the dashboard |");
    println!("|---|---|---|---|");
    let mut rows = Vec::new();
    for (name, timing) in labels.iter().zip(&timings) {
        println!(
            "| {name} | {:.0} | {:.0} | {:.2} × |",
            timing.seconds * 1e3,
            timing.cpu_seconds * 1e3,
            timing.times_as_long_as(base),
        );
        rows.push(json!({"name": name, "timing": timing}));
    }
    if let Some(out) = out {
        write(
            out,
            &json!({"events": ready.log.n_events(), "threads": n_threads, "rows": rows}),
        )?;
    }
    Ok(())
}
