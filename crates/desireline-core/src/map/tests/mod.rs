//! Documents in and out, what is wrong with broken ones, and what is said of readable ones.
#![allow(clippy::unwrap_used)]

mod broken;
mod lints;
mod names;
mod round_trip;
mod values;

use super::check::{CheckOptions, CheckReport, check};
use super::*;

/// A map with something of nearly everything.
const BASE: &str = include_str!("base.yaml");

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn checked(text: &str) -> CheckReport {
    let options = CheckOptions::new().today(day("2026-04-15"));
    match MapFile::read(text, Form::Yaml) {
        Ok(file) => check(&file, &options),
        Err(error) => CheckReport::unreadable(&error),
    }
}

/// What is said, a line each: `W-DEAD 12:3 message; help`.
fn told(report: &CheckReport) -> Vec<String> {
    let line = |n: &check::Notice| {
        let at =
            n.at.map_or("-".to_owned(), |at| format!("{}:{}", at.line, at.column));
        format!("{} {at} {}", n.code, n.told())
    };
    report.notices.iter().map(line).collect()
}
