//! desireline's side of the race: writes the simulated log, loads it, asks the questions, says how long each took.
//! The peers' programs know the same words: `run`, `load`, `cold`, `reopen`.
//!
//! ```text
//! race simulate --events 10000000 --order arrival --out data/log.parquet
//! race run --log data/log.parquet --threads 2 --runs 7 --store data/ours.arrow --out ours.json
//! ```

mod bandwidth;
mod clock;
mod modes;
mod overlay;
mod questions;
mod shapes;
mod simulate;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

type Error = Box<dyn std::error::Error>;
type Outcome<T> = Result<T, Error>;

#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Writes a simulated log as Parquet or CSV, as the file's name says.
    Simulate {
        #[arg(long)]
        events: u64,
        #[arg(long, value_enum, default_value_t = simulate::Order::Arrival)]
        order: simulate::Order,
        #[arg(long)]
        out: PathBuf,
    },
    /// Loads a log, times the questions, stores the log.
    Run {
        #[arg(long)]
        log: PathBuf,
        #[command(flatten)]
        plan: clock::Plan,
        /// Only these questions.
        #[arg(long, value_delimiter = ',')]
        only: Vec<String>,
        #[arg(long)]
        store: PathBuf,
        #[command(flatten)]
        common: Common,
    },
    /// Loads a log of an unusual shape, made in memory, and times the questions that can be asked of it.
    Shape {
        #[arg(long, value_enum)]
        shape: shapes::Shape,
        #[command(flatten)]
        plan: clock::Plan,
        #[command(flatten)]
        common: Common,
    },
    /// How fast this machine reads memory, and what share of that the analyses reach. One thread.
    Bandwidth {
        #[arg(long, default_value_t = 20_000_000)]
        events: u64,
        /// Bytes of the buffer that is read; beyond any cache.
        #[arg(long, default_value_t = 1 << 30)]
        buffer: usize,
        #[command(flatten)]
        plan: clock::Plan,
        /// Only these kernels.
        #[arg(long, value_delimiter = ',')]
        only: Vec<String>,
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// What a measured map costs beside the plain dashboard, on a simulated log.
    Overlay {
        #[arg(long, default_value_t = 10_000_000)]
        events: u64,
        #[arg(long, default_value_t = 1)]
        threads: usize,
        #[command(flatten)]
        plan: clock::Plan,
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// Loads a log and times that.
    Load {
        #[arg(long)]
        log: PathBuf,
        #[command(flatten)]
        common: Common,
    },
    /// Answers one question from the file.
    Cold {
        #[arg(long)]
        log: PathBuf,
        #[command(flatten)]
        common: Common,
    },
    /// Opens what `run` stored and answers one question.
    Reopen {
        #[arg(long)]
        store: PathBuf,
        #[command(flatten)]
        common: Common,
    },
}

#[derive(clap::Args)]
struct Common {
    #[arg(long, default_value_t = 1)]
    threads: usize,
    #[arg(long)]
    out: PathBuf,
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Simulate { events, order, out } => simulate::simulate(events, order, &out),
        Command::Run {
            log,
            plan,
            only,
            store,
            common: Common { threads, out },
        } => modes::run(&log, &plan, threads, &only, &store, &out),
        Command::Shape {
            shape,
            plan,
            common: Common { threads, out },
        } => shapes::run(shape, &plan, threads, &out),
        Command::Bandwidth {
            events,
            buffer,
            plan,
            only,
            out,
        } => bandwidth::run(events, buffer, &plan, &only, out.as_deref()),
        Command::Overlay {
            events,
            threads,
            plan,
            out,
        } => overlay::run(events, threads, &plan, out.as_deref()),
        Command::Load { log, common } => modes::load(&log, common.threads, &common.out),
        Command::Cold { log, common } => modes::cold(&log, common.threads, &common.out),
        Command::Reopen { store, common } => modes::reopen(&store, common.threads, &common.out),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("race: {error}");
            ExitCode::FAILURE
        }
    }
}
