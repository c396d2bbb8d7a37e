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
mod whole;

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
    judge(what, asked, (held, given, runs));
}

/// What a sample says of a quantile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// Both limits, and whether they hold the truth between them.
    Closed(bool),
    /// No upper limit in the data; whether the truth lies above the lower one.
    Open(bool),
}

/// The same for quantiles, whose upper limit can lie beyond the data. Such a sample says "at least", which is a statement too, and is told apart: first all
/// statements, then those with two limits. Where many are open the others are the lucky ones, so they have to hold their level only where few are.
pub(crate) fn covers_quantile(
    what: &str,
    asked: Asked,
    usual: u64,
    sample: impl Fn(u64) -> Option<Said>,
) {
    let runs = runs(usual);
    let (mut all, mut closed) = ((0, 0), (0, 0));
    for said in (0..runs).filter_map(sample) {
        let (Said::Closed(holds) | Said::Open(holds)) = said;
        all = (all.0 + u64::from(holds), all.1 + 1);
        if let Said::Closed(holds) = said {
            closed = (closed.0 + u64::from(holds), closed.1 + 1);
        }
    }
    judge(what, asked, (all.0, all.1, runs));
    let open = 1.0 - closed.1 as f64 / all.1 as f64;
    let share = closed.0 as f64 / closed.1.max(1) as f64;
    eprintln!("|   with two limits; {open:.3} have an open end | {runs} | {share:.3} | |");
    if open < 0.05 {
        let slack = slack(runs, closed.1);
        assert!(share >= 0.93 - slack, "{what} closed: {share:.4}");
    }
}

/// Three standard errors where samples are few.
fn slack(runs: u64, given: u64) -> f64 {
    match runs {
        2_000.. => 0.0,
        _ => 3.0 * (LEVEL * (1.0 - LEVEL) / given as f64).sqrt(),
    }
}

fn judge(what: &str, asked: Asked, (held, given, runs): (u64, u64, u64)) {
    assert!(given > 0, "{what} never gives an interval");
    let share = held as f64 / given as f64;
    let holes = 1.0 - given as f64 / runs as f64;
    let kind = match asked {
        Asked::Level => "",
        Asked::AtLeast => " (at least)",
    };
    eprintln!("| {what}{kind} | {runs} | {share:.3} | {holes:.3} |");
    let slack = slack(runs, given);
    let most = match asked {
        Asked::Level => 0.97 + slack,
        Asked::AtLeast => 1.0,
    };
    assert!(
        (0.93 - slack..=most).contains(&share),
        "{what} covers {share:.4} of {given} samples"
    );
}
