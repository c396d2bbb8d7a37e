//! desireline's side of the race: writes the simulated log, loads it, asks the questions, says how long each took.
//!
//! ```text
//! race simulate --events 10000000 --order arrival --out data/log.parquet
//! race run --log data/log.parquet --threads 2 --runs 7 --out ours.json
//! ```

mod clock;
mod questions;
mod simulate;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Writes a simulated log as Parquet.
    Simulate {
        #[arg(long)]
        events: u64,
        #[arg(long, value_enum, default_value_t = simulate::Order::Arrival)]
        order: simulate::Order,
        #[arg(long)]
        out: PathBuf,
    },
    /// Loads a log and times the questions.
    Run {
        #[arg(long)]
        log: PathBuf,
        #[command(flatten)]
        plan: clock::Plan,
        #[arg(long, default_value_t = 1)]
        threads: usize,
        /// Only these questions.
        #[arg(long, value_delimiter = ',')]
        only: Vec<String>,
        #[arg(long)]
        out: PathBuf,
    },
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Simulate { events, order, out } => simulate::simulate(events, order, &out),
        Command::Run {
            log,
            plan,
            threads,
            only,
            out,
        } => questions::run(&log, &plan, threads, &only, &out),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("race: {error}");
            ExitCode::FAILURE
        }
    }
}
