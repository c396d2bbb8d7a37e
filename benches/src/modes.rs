//! What a contestant is told to do: all questions warm, a load alone, a cold start, or reopening what it stored.

use std::path::Path;

use desireline_core::engine::Exec;
use desireline_io::Columns;
use serde_json::{Map, Value, json};

use crate::Outcome;
use crate::clock::{Plan, once, peak_mib, time};
use crate::questions::{QUESTIONS, Ready, first_answer};

pub fn threads(n: usize) -> Outcome<Exec> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(n)
        .build_global()?;
    Ok(Exec::new().threads(n)?)
}

fn needed() -> Columns {
    Columns::new("customer_id", "time", "event").tie("seq")
}

fn all() -> Columns {
    needed()
        .journey("session_id")
        .channel("channel")
        .attributes(["device", "region"])
}

pub fn write(out: &Path, result: &Value) -> Outcome<()> {
    Ok(std::fs::write(out, serde_json::to_string(result)?)?)
}

/// Loads the log, asks every question, stores the log; writes times and answers.
pub fn run(
    path: &Path,
    plan: &Plan,
    n_threads: usize,
    only: &[String],
    store: &Path,
    out: &Path,
) -> Outcome<()> {
    let exec = threads(n_threads)?;
    let (load, ready) = time(&once(), || {
        Ready::new(desireline_io::read(path, &all())?, exec.clone())
    })?;
    let asked = |name: &str| only.is_empty() || only.iter().any(|o| o == name);
    let queries = ask(&ready, plan, asked)?;
    let (stored, ()) = time(&once(), || Ok(desireline_io::save(&ready.log, store)?))?;
    write(
        out,
        &json!({
            "name": "desireline",
            "version": ready.sessions.provenance().engine,
            "threads": n_threads,
            "events": ready.log.n_events(),
            "customers": ready.log.n_customers(),
            "load": load,
            "store": stored,
            "held": held(&ready),
            "queries": queries,
        }),
    )
}

/// Times the questions whose name is asked for.
pub fn ask(
    ready: &Ready,
    plan: &Plan,
    asked: impl Fn(&str) -> bool,
) -> Outcome<Map<String, Value>> {
    let mut queries = Map::new();
    for (name, question) in QUESTIONS.into_iter().filter(|(name, _)| asked(name)) {
        let (timing, answer) = time(plan, || question(ready))?;
        let mut row = serde_json::to_value(timing)?;
        row["answer"] = answer;
        queries.insert(name.to_owned(), row);
    }
    Ok(queries)
}

/// Bytes that the log's blocks hold: all, and what every analysis reads.
pub fn held(ready: &Ready) -> Value {
    let blocks = ready.log.blocks();
    let all: usize = blocks.iter().map(|b| b.held_bytes()).sum();
    let core: usize = blocks.iter().map(|b| b.core_bytes()).sum();
    json!({"bytes": all, "core_bytes": core})
}

/// Loads a log into the form that questions are asked of.
pub fn load(path: &Path, n_threads: usize, out: &Path) -> Outcome<()> {
    let exec = threads(n_threads)?;
    let (load, ready) = time(&once(), || {
        Ready::new(desireline_io::read(path, &all())?, exec.clone())
    })?;
    let counts = [ready.log.n_events(), ready.log.n_customers()];
    write(out, &json!({"load": load, "answer": counts}))
}

/// From the file to the first answer; the caller takes the time of the whole process.
pub fn cold(path: &Path, n_threads: usize, out: &Path) -> Outcome<()> {
    let exec = threads(n_threads)?;
    let log = desireline_io::read(path, &needed())?;
    let answer = first_answer(&log, &exec)?;
    write(out, &json!({"answer": answer, "peak_mib": peak_mib()}))
}

/// Reopens what `run` stored: until it is open, and until the first answer.
pub fn reopen(store: &Path, n_threads: usize, out: &Path) -> Outcome<()> {
    let exec = threads(n_threads)?;
    let (open, log) = time(&once(), || Ok(desireline_io::open(store)?))?;
    let (first, answer) = time(&once(), || first_answer(&log, &exec))?;
    write(
        out,
        &json!({"open": open, "first": first, "answer": answer}),
    )
}
