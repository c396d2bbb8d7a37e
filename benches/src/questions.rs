//! The questions, as a user of the crate asks them.

use std::path::Path;

use desireline_core::analyses::{Dropoff, Funnel, Paths, Transitions};
use desireline_core::engine::Exec;
use desireline_core::journey::JourneyRule;
use desireline_io::Columns;
use serde_json::{Map, Value, json};

use crate::Outcome;
use crate::clock::{Plan, time};

const GAP: &str = "30m";
const WITHIN: &str = "7d";
const COMMON: [&str; 4] = ["product_view", "add_to_cart", "checkout", "purchase"];
const RARE: [&str; 4] = ["order_tracking", "delivery", "help", "support_chat"];

/// Loads the log, asks every question, writes times and answers to `out`.
pub fn run(path: &Path, plan: &Plan, threads: usize, only: &[String], out: &Path) -> Outcome<()> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build_global()?;
    let exec = Exec::new().threads(threads)?;
    let columns = Columns::new("customer_id", "time", "event")
        .journey("session_id")
        .tie("seq");
    let once = Plan {
        runs: 1,
        warmups: 0,
        budget: f64::INFINITY,
    };
    let (load, log) = time(&once, || Ok(desireline_io::read(path, &columns)?))?;
    let (cut, sessions) = time(&once, || {
        Ok(log.journeys(JourneyRule::column("session_id"))?)
    })?;
    let customers = log.journeys(JourneyRule::customer())?;
    let mut queries = Map::new();
    let mut ask = |name: &str, question: &mut dyn FnMut() -> Outcome<Value>| -> Outcome<()> {
        if !only.is_empty() && !only.iter().any(|o| o == name) {
            return Ok(());
        }
        // Turning a report into the common form of answers is part of no question; it is small beside any of them.
        let (timing, answer) = time(plan, question)?;
        let mut row = serde_json::to_value(timing)?;
        row["answer"] = answer;
        queries.insert(name.to_owned(), row);
        Ok(())
    };

    ask("paths", &mut || {
        let report = sessions.run_with(&Paths::top(100).first(8).flow_steps(0), &exec)?;
        let top: Vec<Value> = report
            .paths
            .iter()
            .map(|p| json!([p.path.join(" > "), p.journeys]))
            .collect();
        Ok(json!({"journeys": report.journeys, "distinct": report.distinct, "top": top}))
    })?;
    ask("transitions", &mut || {
        let report = sessions.run_with(&Transitions::default().times(false), &exec)?;
        let pairs: Map<String, Value> = report
            .transitions
            .iter()
            .map(|t| (format!("{} > {}", t.from, t.to), t.count.into()))
            .collect();
        Ok(json!({"count": report.count, "pairs": pairs}))
    })?;
    ask("transition_times", &mut || {
        let report = sessions.run_with(&Transitions::default(), &exec)?;
        let pairs: Map<String, Value> = report
            .transitions
            .iter()
            .map(|t| {
                let numbers = json!([t.count, t.customers, t.between.median]);
                (format!("{} > {}", t.from, t.to), numbers)
            })
            .collect();
        Ok(json!({"pairs": pairs}))
    })?;
    for (name, steps) in [("funnel_common", COMMON), ("funnel_rare", RARE)] {
        ask(name, &mut || {
            let report = customers.run_with(&Funnel::steps(steps).within(WITHIN), &exec)?;
            let reached: Vec<u64> = report.steps.iter().map(|s| s.reached).collect();
            Ok(json!({"journeys": report.n_journeys, "reached": reached}))
        })?;
    }
    ask("dropoff", &mut || {
        let question = Dropoff::goal("purchase")
            .alive(GAP)
            .returns_within(WITHIN)
            .top(1_000)
            .before(3);
        let report = sessions.run_with(&question, &exec)?;
        let points: Map<String, Value> = report
            .touchpoints
            .iter()
            .map(|t| (t.touchpoint.clone(), json!([t.visits, t.exits])))
            .collect();
        let top: Vec<Value> = report
            .paths
            .iter()
            .take(20)
            .map(|p| json!([p.path.join(" > "), p.exits]))
            .collect();
        Ok(json!({
            "reached": report.reached,
            "exits": report.exits,
            "open": report.open,
            "returned": report.returned.count,
            "return_known": report.returned.n,
            "points": points,
            "before": top,
        }))
    })?;
    ask("sessions", &mut || {
        Ok(json!({"sessions": log.journeys(JourneyRule::gap(GAP)?)?.n_journeys()}))
    })?;

    let result = json!({
        "name": "desireline",
        "version": sessions.provenance().engine,
        "threads": threads,
        "events": log.n_events(),
        "customers": log.n_customers(),
        "load": load,
        "cut": cut,
        "queries": queries,
    });
    std::fs::write(out, serde_json::to_string(&result)?)?;
    Ok(())
}
