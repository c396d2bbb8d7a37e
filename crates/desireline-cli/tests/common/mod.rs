//! A small log and the command.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

pub const COLUMNS: [&str; 6] = ["--customer", "user", "--time", "time", "--event", "event"];

/// Twelve customers on two devices; the even ones buy.
pub fn csv() -> String {
    let mut out = "user,time,event,device,channel,utm,amount\n".to_owned();
    for i in 0..12 {
        let device = if i < 8 { "phone" } else { "desk" };
        let utm = ["ads", "mail", "search"][i % 3];
        let row = |event: &str, minute: usize, amount: &str| {
            format!("u{i},2024-01-01T10:{minute:02}:00Z,{event},{device},web,{utm},{amount}\n")
        };
        out += &row("home", i, "");
        out += &row("cart", i + 5, "");
        if i % 2 == 0 {
            out += &row("buy", i + 10, "19.90");
        }
    }
    out
}

pub fn shop(folder: &Path) -> PathBuf {
    let path = folder.join("shop.csv");
    std::fs::write(&path, csv()).unwrap();
    path
}

/// A map of the small log, without a fault that a log would show.
pub const SMALL: &str = "\
schema: 1
id: small
title: Small
version: 0.1.0
kind: actual
status: draft
as_of: 2024-01-01
owner: o
scope: {aim: Test, unit: person, window: {from: 2024-01-01, to: 2024-01-02}}
stakeholders: [{id: o, name: O}]
stages: [{id: s, name: Somewhere}]
touchpoints:
  - {id: home, name: Home, stages: [s], owner: o, binding: home}
  - {id: cart, name: Cart, stages: [s], owner: o, binding: cart}
  - {id: buy, name: Bought, stages: [s], owner: o, binding: buy and amount > 5}
goals: [{id: g, text: Be happy, kind: emotional, stages: [s]}]
kpis: [{id: k, kpi: csat, at: s}]
moments: [{id: m, at: s, kind: experience, basis: declared}]
checks: {min_n: 5}
";

/// It in a file, changed.
pub fn small(folder: &Path, change: impl FnOnce(String) -> String) -> String {
    let path = folder.join("small.yaml");
    std::fs::write(&path, change(SMALL.to_owned())).unwrap();
    path.to_str().unwrap().to_owned()
}

pub fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_desireline"));
    command.env_remove("RUST_BACKTRACE").stdin(Stdio::null());
    command
}

pub struct Done {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl From<Output> for Done {
    fn from(output: Output) -> Done {
        Done {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// `desireline ANALYSIS FILE --customer … ARGS`.
pub fn ask(analysis: &str, file: &Path, args: &[&str]) -> Done {
    let mut command = command();
    command.arg(analysis).arg(file).args(COLUMNS).args(args);
    command.output().unwrap().into()
}

pub fn bare(args: &[&str]) -> Done {
    command().args(args).output().unwrap().into()
}

pub fn piped(args: &[&str], input: &[u8]) -> Done {
    let mut child = command()
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that refuses its options does not read.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap().into()
}
