//! How often intervals hold the truth, method by method: seeded simulations, each of a population that the method meets in reports.
//!
//! The ordinary run draws few samples of each and allows for it. The figures of docs/statistics.md come from
//! `DESIRELINE_RUNS=4000 cargo test -p desireline-stats --test covers -- --nocapture`, where coverage has to lie within .93 and .97 without any allowance.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod chance;
mod counts;
mod means;
mod models;
mod rates;
mod times;

/// The level of all intervals here.
pub(crate) const LEVEL: f64 = 0.95;

/// What is asked of a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// Its level, two points up or down.
    Level,
    /// Two points below its level at most: there is too little to see, or counts are whole, and it errs to the safe side.
    AtLeast,
}

/// How many samples are drawn: so many, or what the environment says.
pub(crate) fn runs(usual: u64) -> u64 {
    let told = std::env::var("DESIRELINE_RUNS").ok();
    told.and_then(|n| n.parse().ok()).unwrap_or(usual)
}

/// Draws samples and asks of each whether its interval holds the truth. `None` is a sample that gives no interval: it makes no statement and counts apart.
pub(crate) fn covers(what: &str, asked: Asked, usual: u64, sample: impl Fn(u64) -> Option<bool>) {
    let runs = runs(usual);
    let (mut held, mut given) = (0_u64, 0_u64);
    for run in 0..runs {
        if let Some(holds) = sample(run) {
            given += 1;
            held += u64::from(holds);
        }
    }
    assert!(given > 0, "{what} never gives an interval");
    let share = held as f64 / given as f64;
    let holes = 1.0 - given as f64 / runs as f64;
    let kind = match asked {
        Asked::Level => "",
        Asked::AtLeast => " (at least)",
    };
    eprintln!("| {what}{kind} | {runs} | {share:.3} | {holes:.3} |");
    // Three standard errors where samples are few.
    let slack = match runs {
        2_000.. => 0.0,
        _ => 3.0 * (LEVEL * (1.0 - LEVEL) / given as f64).sqrt(),
    };
    let most = match asked {
        Asked::Level => 0.97 + slack,
        Asked::AtLeast => 1.0,
    };
    assert!(
        (0.93 - slack..=most).contains(&share),
        "{what} covers {share:.4} of {given} samples"
    );
}
