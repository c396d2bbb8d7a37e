//! desireline inside a program: build a log from the program's own events, ask, and use the answer.
//!
//! `cargo run --package desireline --example embed`
#![allow(clippy::print_stdout)] // a program for a terminal

use desireline::engine::Breakdown;
use desireline::log::{AttributeType, EventRow, LogOptions};
use desireline::{Funnel, Goals, JourneyRule, LogBuilder};

/// What the program already has.
struct Click {
    user: u64,
    at: i64,
    page: &'static str,
    device: &'static str,
}

fn clicks() -> impl Iterator<Item = Click> {
    const MINUTE: i64 = 60_000_000;
    (0..2_000_u64).flat_map(|user| {
        let device = if user % 3 == 0 { "mobile" } else { "desktop" };
        // On mobile every second cart is left, elsewhere every fifth.
        let leaves = if device == "mobile" {
            user % 2 == 0
        } else {
            user % 5 == 0
        };
        let pages: &[&'static str] = if leaves {
            &["home", "cart"]
        } else {
            &["home", "cart", "order"]
        };
        let click = move |(i, &page): (usize, &&'static str)| Click {
            user,
            at: (user as i64 * 60 + i as i64) * MINUTE,
            page,
            device,
        };
        pages.iter().enumerate().map(click).collect::<Vec<_>>()
    })
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut log = LogBuilder::new(LogOptions::default().attribute("device", AttributeType::Text));
    for click in clicks() {
        let attributes = [("device", click.device.into())];
        log.push_row(&EventRow {
            attributes: &attributes,
            ..EventRow::new(i64::try_from(click.user)?, click.at, click.page)
        })?;
    }
    let journeys = log.finish()?.journeys(JourneyRule::gap("30m")?)?;

    let funnel = journeys.run(&Funnel::steps(["home", "cart", "order"]).within("1h"))?;
    for step in &funnel.steps {
        println!("{:<6} {:>5} journeys", step.label, step.reached);
    }

    let by_device = journeys.compare(&Goals::new(["order"]), Breakdown::by("device"))?;
    let first = by_device
        .rows
        .iter()
        .find(|r| r.kind == "goal")
        .ok_or("nothing to compare")?;
    let difference = first.difference.ok_or("too few")?;
    println!(
        "{}, {} against {}: {:+.1} points ({:+.1} to {:+.1})",
        first.label,
        first.a.group,
        first.b.group,
        100.0 * difference.value,
        100.0 * difference.lower,
        100.0 * difference.upper
    );
    // About half of 667 against four fifths of 1333.
    assert!(difference.lower < -0.25 && difference.upper < 0.0);
    Ok(())
}
