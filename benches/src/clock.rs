//! Wall time, CPU time and peak memory of a piece of work.

use std::time::{Duration, Instant};

use cpu_time::ProcessTime;
use serde::Serialize;

use crate::Outcome;

/// How often to run.
#[derive(Clone, Debug, clap::Args)]
pub struct Plan {
    /// Runs that are timed.
    #[arg(long, default_value_t = 7)]
    pub runs: usize,
    /// Runs before them.
    #[arg(long, default_value_t = 2)]
    pub warmups: usize,
    /// Seconds after which no further run of a question is begun; one run is always timed.
    #[arg(long, default_value_t = f64::INFINITY)]
    pub budget: f64,
}

/// The plan of what is done once.
pub fn once() -> Plan {
    Plan {
        runs: 1,
        warmups: 0,
        budget: f64::INFINITY,
    }
}

/// The times of one question.
#[derive(Clone, Debug, Serialize)]
pub struct Timing {
    /// Runs that were timed.
    pub runs: usize,
    /// Wall time of the very first run, warm-up or not.
    pub first_seconds: f64,
    /// Its CPU time.
    pub first_cpu_seconds: f64,
    /// Median of the wall time.
    pub seconds: f64,
    /// Shortest wall time.
    pub least_seconds: f64,
    /// Median of the CPU time of all threads.
    pub cpu_seconds: f64,
    /// Wall time of every timed run, in order.
    pub each_seconds: Vec<f64>,
    /// CPU time of every timed run, in order.
    pub each_cpu_seconds: Vec<f64>,
    /// Peak memory of the process while it ran.
    pub peak_mib: f64,
}

/// Runs `work` as planned; returns its times and what it returned last.
pub fn time<T>(plan: &Plan, mut work: impl FnMut() -> Outcome<T>) -> Outcome<(Timing, T)> {
    let begin = Instant::now();
    let over = |begin: Instant| begin.elapsed().as_secs_f64() > plan.budget;
    reset_peak();
    let (mut wall, mut cpu) = (Vec::new(), Vec::new());
    let (mut first, mut warm) = (None, 0);
    loop {
        let (before, cpu_before) = (Instant::now(), ProcessTime::now());
        let answer = work()?;
        let times = (before.elapsed(), cpu_before.elapsed());
        let first = *first.get_or_insert(times);
        if warm < plan.warmups && !over(begin) {
            warm += 1;
            continue;
        }
        wall.push(times.0);
        cpu.push(times.1);
        if wall.len() >= plan.runs.max(1) || over(begin) {
            return Ok((Timing::new(first, wall, cpu), answer));
        }
    }
}

/// Runs several works as planned, one after the other in every round: where the machine's speed drifts, it does so for all of them.
pub fn time_by_turns(
    plan: &Plan,
    works: &mut [&mut dyn FnMut() -> Outcome<()>],
) -> Outcome<Vec<Timing>> {
    let begin = Instant::now();
    reset_peak();
    let mut first = Vec::new();
    let mut all = vec![(Vec::new(), Vec::new()); works.len()];
    for round in 0..plan.warmups + plan.runs.max(1) {
        for (work, (wall, cpu)) in works.iter_mut().zip(&mut all) {
            let (before, cpu_before) = (Instant::now(), ProcessTime::now());
            work()?;
            let times = (before.elapsed(), cpu_before.elapsed());
            if round == 0 {
                first.push(times);
            }
            if round >= plan.warmups {
                wall.push(times.0);
                cpu.push(times.1);
            }
        }
        if round >= plan.warmups && begin.elapsed().as_secs_f64() > plan.budget {
            break;
        }
    }
    let timings = first.into_iter().zip(all);
    Ok(timings
        .map(|(first, (wall, cpu))| Timing::new(first, wall, cpu))
        .collect())
}

impl Timing {
    fn new(first: (Duration, Duration), mut wall: Vec<Duration>, mut cpu: Vec<Duration>) -> Timing {
        let seconds = |times: &[Duration]| times.iter().map(Duration::as_secs_f64).collect();
        Timing {
            runs: wall.len(),
            each_seconds: seconds(&wall),
            each_cpu_seconds: seconds(&cpu),
            first_seconds: first.0.as_secs_f64(),
            first_cpu_seconds: first.1.as_secs_f64(),
            seconds: median(&mut wall),
            least_seconds: wall.iter().min().copied().unwrap_or_default().as_secs_f64(),
            cpu_seconds: median(&mut cpu),
            peak_mib: peak_mib(),
        }
    }

    /// How many times the other's CPU time this takes: the median over runs of the same round.
    pub fn times_as_long_as(&self, other: &Timing) -> f64 {
        let both = self.each_cpu_seconds.iter().zip(&other.each_cpu_seconds);
        let mut ratios: Vec<f64> = both.map(|(a, b)| a / b).collect();
        ratios.sort_unstable_by(f64::total_cmp);
        let (upper, lower) = (ratios.len() / 2, ratios.len().saturating_sub(1) / 2);
        match (ratios.get(lower), ratios.get(upper)) {
            (Some(a), Some(b)) => (a + b) / 2.0,
            _ => f64::NAN,
        }
    }
}

fn median(times: &mut [Duration]) -> f64 {
    times.sort_unstable();
    let (upper, lower) = (times.len() / 2, (times.len() - 1) / 2);
    (times[lower] + times[upper]).as_secs_f64() / 2.0
}

/// Peak memory since the last reset, in MiB; 0 where the system does not tell.
pub fn peak_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    let kib = line.and_then(|l| l.trim().strip_suffix(" kB")?.parse::<f64>().ok());
    kib.unwrap_or_default() / 1024.0
}

/// Lets the peak be measured anew; without permission it stays that of the whole process.
pub fn reset_peak() {
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}
