//! What ARCHITECTURE.md promises and no compiler checks: directions of dependency, lengths of files, words that stay out.

use std::fs;
use std::path::{Path, PathBuf};

/// Lines of code above which a file is to be split; tests, comments and blank lines do not count.
const MOST_LINES: usize = 1_000;
/// Lines of code from which on a file is named.
const MANY_LINES: usize = 600;

/// Which rooms of the core may use which, the lower ones first: a room uses only rooms further up in this list.
/// `report`, `error` and `time` are used by all.
const ROOMS: &[&str] = &[
    "expr", "log", "journey", "engine", "analyses", "compare", "registry",
];

/// The map knows the language of conditions and nothing of what lies above it.
const MAP_ROOMS: &[&str] = &[
    "log", "journey", "engine", "analyses", "compare", "registry", "feedback", "kpi", "overlay",
];

/// Feedback knows what questions and feelings are, and a log's quarantine; what its answers belong to is found above it.
const FEEDBACK_ROOMS: &[&str] = &[
    "journey", "engine", "analyses", "compare", "registry", "kpi", "overlay",
];

/// What a crate must not depend on.
const FORBIDDEN: &[(&str, &[&str])] = &[
    (
        "desireline-kernels",
        &["desireline-stats", "desireline-core", "arrow", "rayon"],
    ),
    (
        "desireline-stats",
        &[
            "desireline-core",
            "desireline-io",
            "desireline-report",
            "arrow",
            "parquet",
            "pyo3",
            "jiff",
            "rayon",
        ],
    ),
    (
        "desireline-core",
        &[
            "desireline-io",
            "desireline-report",
            "arrow",
            "parquet",
            "pyo3",
            "tokio",
            "chrono",
            "memmap2",
        ],
    ),
    ("desireline-io", &["desireline-report", "pyo3", "tokio"]),
    (
        "desireline-report",
        &["desireline-io", "parquet", "pyo3", "rayon"],
    ),
    ("desireline", &["pyo3", "arrow", "parquet", "clap"]),
];

/// What the core and the statistics must not touch: clocks, files, the environment, threads of their own.
const IMPURE: &[&str] = &[
    "std::fs",
    "std::net",
    "std::env::",
    "SystemTime",
    "Instant::now",
    "Timestamp::now",
    "Zoned::now",
    "thread_rng",
    "rand::rng(",
];

pub(crate) fn run(root: &Path) -> Result<(), String> {
    let mut faults = Vec::new();
    dependencies(root, &mut faults)?;
    rooms(root, &mut faults)?;
    for folder in ["crates", "bindings", "tests", "xtask", "benches", "fuzz"] {
        for file in rust_files(&root.join(folder))? {
            check_file(root, &file, &mut faults)?;
        }
    }
    for fault in &faults {
        eprintln!("tidy: {fault}");
    }
    if faults.is_empty() {
        println!("tidy: nothing to say");
        Ok(())
    } else {
        Err(format!("tidy: {} faults", faults.len()))
    }
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))
}

fn rust_files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        let Ok(entries) = fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries {
            let path = entry
                .map_err(|e| format!("{}: {e}", folder.display()))?
                .path();
            if path.is_dir() && path.file_name().is_none_or(|n| n != "target") {
                open.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// No crate depends on what lies above it or on what its users should not have to build.
fn dependencies(root: &Path, faults: &mut Vec<String>) -> Result<(), String> {
    for (name, forbidden) in FORBIDDEN {
        let manifest = read(&root.join("crates").join(name).join("Cargo.toml"))?;
        let section = manifest
            .split("\n[dependencies]")
            .nth(1)
            .unwrap_or_default();
        let section = section.split("\n[").next().unwrap_or_default();
        for line in section.lines() {
            let dependency = line.split(['.', ' ', '=']).next().unwrap_or_default();
            if forbidden.contains(&dependency) {
                faults.push(format!("{name} must not depend on {dependency}"));
            }
        }
    }
    Ok(())
}

/// Inside the core, rooms use only the rooms below them.
fn rooms(root: &Path, faults: &mut Vec<String>) -> Result<(), String> {
    let source = root.join("crates/desireline-core/src");
    let above = |place: usize| {
        let rooms = ROOMS[place + 1..].iter();
        rooms
            .chain(&["map", "feedback", "kpi", "overlay"])
            .copied()
            .collect()
    };
    let mut pairs: Vec<(&str, Vec<&str>)> = ROOMS
        .iter()
        .enumerate()
        .map(|(place, room)| (*room, above(place)))
        .collect();
    pairs.push(("map", MAP_ROOMS.to_vec()));
    pairs.push(("feedback", FEEDBACK_ROOMS.to_vec()));
    pairs.push(("kpi", vec!["analyses", "compare", "registry", "overlay"]));
    pairs.push(("overlay", vec!["analyses", "compare", "registry"]));
    for (room, forbidden) in pairs {
        for file in rust_files(&source.join(room))? {
            let text = read(&file)?;
            for above in &forbidden {
                let used = code_lines(&text).any(|line| {
                    line.contains(&format!("crate::{above}::"))
                        || line.contains(&format!("crate::{above};"))
                });
                if used {
                    faults.push(format!(
                        "{}: {room} must not know {above}",
                        shown(root, &file)
                    ));
                }
            }
        }
    }
    Ok(())
}

/// The lines that are code: before the tests at the end, no comments, no blank ones.
fn code_lines(text: &str) -> impl Iterator<Item = &str> {
    let code = text.split("\n#[cfg(test)]\nmod ").next().unwrap_or(text);
    code.lines().filter(|line| {
        let line = line.trim_start();
        !line.is_empty() && !line.starts_with("//")
    })
}

fn check_file(root: &Path, file: &Path, faults: &mut Vec<String>) -> Result<(), String> {
    let (name, text) = (shown(root, file), read(file)?);
    let n_lines = code_lines(&text).count();
    if n_lines > MOST_LINES {
        faults.push(format!(
            "{name} has {n_lines} lines of code; split it by meaning"
        ));
    } else if n_lines > MANY_LINES {
        println!("tidy: {name} has {n_lines} lines of code; ask what it does twice");
    }
    let pure = name.starts_with("crates/desireline-core/src")
        || name.starts_with("crates/desireline-stats/src");
    if pure && !name.contains("/tests") {
        for word in IMPURE {
            if code_lines(&text).any(|line| line.contains(word)) {
                faults.push(format!("{name} must not use {word}"));
            }
        }
    }
    Ok(())
}

fn shown(root: &Path, file: &Path) -> String {
    file.strip_prefix(root)
        .unwrap_or(file)
        .display()
        .to_string()
}
