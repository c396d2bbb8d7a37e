//! What a measured map costs beside the plain dashboard: one pass over the same sessions of the same log.

use std::path::Path;

use desireline_core::map::JourneyMap;
use desireline_core::overlay::{Overlay, overlay};
use desireline_io::simulate::Simulation;
use serde_json::json;

use crate::Outcome;
use crate::clock::{Plan, time};
use crate::modes::{threads, write};
use crate::questions::{QUESTIONS, Ready};

/// A map of the simulated shop that does not change: 19 touchpoints in six stages, one with a condition beyond names, two personas.
const SHOP: &str = include_str!("../maps/shop.yaml");

/// Times the dashboard and the overlays and prints a table.
pub fn run(events: u64, n_threads: usize, plan: &Plan, out: Option<&Path>) -> Outcome<()> {
    let exec = threads(n_threads)?;
    let ready = Ready::new(Simulation::with_events(events).prepare()?.log()?, exec.clone())?;
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
    let (base, _) = time(plan, || dashboard(&ready))?;
    let ask = |map: &JourneyMap, how: &Overlay| {
        time(plan, || Ok(overlay(map, &ready.sessions, how, &exec)?.base.bound_events))
    };
    let mut rows = vec![json!({"name": "dashboard: five questions at once", "timing": base})];
    println!("| what | wall ms | CPU ms | of the dashboard |");
    println!("|---|---|---|---|");
    let told = |name: &str, wall: f64, cpu: f64| {
        let of = cpu / base.cpu_seconds;
        println!("| {name} | {:.0} | {:.0} | {of:.2} × |", wall * 1e3, cpu * 1e3);
    };
    told("dashboard: five questions at once", base.seconds, base.cpu_seconds);
    for (name, map, how) in [
        ("overlay: names only, no personas", &names, &plain),
        ("overlay: a condition, a window, two personas", &whole, &plain),
        ("overlay: the same by month", &whole, &monthly),
    ] {
        let (timing, bound) = ask(map, how)?;
        told(name, timing.seconds, timing.cpu_seconds);
        rows.push(json!({"name": name, "timing": timing, "bound_events": bound}));
    }
    if let Some(out) = out {
        write(out, &json!({"events": ready.log.n_events(), "threads": n_threads, "rows": rows}))?;
    }
    Ok(())
}
