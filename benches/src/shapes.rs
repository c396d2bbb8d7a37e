//! Logs of shapes that break an engine which has only seen shops: tiny ones, one huge customer, very many names, very
//! many customers.

use std::path::Path;

use desireline_core::log::{Log, LogBuilder, LogOptions};
use desireline_io::simulate::Simulation;
use serde_json::json;

use crate::Outcome;
use crate::clock::{Plan, once, time};
use crate::modes::{ask, held, threads, write};
use crate::questions::{COMMON, RARE, Ready};

/// A shape of a log.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum Shape {
    /// The shop with 10,000 events.
    Tiny,
    /// The shop with a million events: what the others are compared with.
    Shop,
    /// A million events of one customer.
    OneCustomer,
    /// A million events of customers with 30 events each, of 50,000 names.
    ManyNames,
    /// Ten million customers with one event each.
    ManyCustomers,
}

/// Builds the log, asks the questions, writes the times.
pub fn run(shape: Shape, plan: &Plan, n_threads: usize, out: &Path) -> Outcome<()> {
    let exec = threads(n_threads)?;
    let simulated =
        |events| Ok::<Log, crate::Error>(Simulation::with_events(events).prepare()?.log()?);
    let (load, log) = time(&once(), || match shape {
        Shape::Tiny => simulated(10_000),
        Shape::Shop => simulated(1_000_000),
        Shape::OneCustomer => made(1_000_000, 1_000_000, 40),
        Shape::ManyNames => made(1_000_000, 30, 50_000),
        Shape::ManyCustomers => made(10_000_000, 1, 40),
    })?;
    let has_attributes = matches!(shape, Shape::Tiny | Shape::Shop);
    let (cut, ready) = time(&once(), || match has_attributes {
        true => Ready::new(log.clone(), exec.clone()),
        false => Ready::by_gap(log.clone(), exec.clone()),
    })?;
    let asked =
        |name: &str| has_attributes || !["funnel_by_channel", "funnel_filtered"].contains(&name);
    let mut queries = ask(&ready, plan, asked)?;
    for (_, query) in &mut queries {
        if let Some(query) = query.as_object_mut() {
            query.remove("answer");
        }
    }
    write(
        out,
        &json!({
            "threads": n_threads,
            "events": ready.log.n_events(),
            "customers": ready.log.n_customers(),
            "load": load,
            "cut": cut,
            "held": held(&ready),
            "queries": queries,
        }),
    )
}

/// Events of `per_customer` each; the steps of the funnels are the most frequent names.
fn made(events: u64, per_customer: u64, n_names: u64) -> Outcome<Log> {
    let steps = COMMON.iter().chain(&RARE).map(|&step| step.to_owned());
    let others = (0..).map(|n| format!("page_{n}"));
    let names: Vec<String> = steps.chain(others).take(n_names as usize).collect();
    let mut builder = LogBuilder::new(LogOptions::default());
    let (mut seed, mut now) = (1_u64, 0_i64);
    for event in 0..events {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let (customer, is_first) = (event / per_customer, event % per_customer == 0);
        if is_first {
            now = (seed >> 40) as i64 % (90 * 86_400);
        }
        // Sessions of about seven events.
        now += if seed >> 33 & 7 == 0 { 7_200 } else { 20 };
        // A few names are frequent, most are rare: the share of the first x % is the cube root of x %.
        let place = ((seed >> 32) as f64 / f64::from(u32::MAX)).powi(3) * names.len() as f64;
        let name = (place as usize).min(names.len() - 1);
        builder.push(i64::try_from(customer)?, now * 1_000_000, &names[name])?;
    }
    Ok(builder.finish()?)
}
