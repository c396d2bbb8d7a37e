//! Chores of the workspace: `cargo xtask tidy` checks what ARCHITECTURE.md promises, `cargo xtask codegen` writes what
//! follows from the registry, `cargo xtask codegen --check` tells whether it was.
#![allow(clippy::print_stdout, clippy::print_stderr)] // a program for a terminal

mod codegen;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match words.as_slice() {
        ["tidy"] => tidy::run(&root()),
        ["codegen"] => codegen::run(&root(), false).map_err(|e| e.to_string()),
        ["codegen", "--check"] => codegen::run(&root(), true).map_err(|e| e.to_string()),
        _ => Err("usage: cargo xtask tidy | codegen [--check]".to_owned()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

/// The folder of the workspace.
fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}
