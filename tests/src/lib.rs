//! Helpers that several tests share.

use std::path::{Path, PathBuf};

/// What every map of a test begins with, as a literal for `concat!`.
#[macro_export]
macro_rules! map_head {
    () => {
        concat!(
            "schema: 1\nid: m\ntitle: M\nversion: 1.0.0\nkind: actual\nstatus: draft\nas_of: 2026-01-01\n",
            "owner: o\nstakeholders: [{id: o, name: O}]\n"
        )
    };
}

pub mod naive_expr;
pub mod random_log;

/// A file of the data folder, `DESIRELINE_DATA` or the one beside the checkout; `None`, said aloud, where there is none.
///
/// # Panics
/// Where there is none on a build server.
#[allow(clippy::print_stderr)] // said to whoever runs the tests
pub fn data(path: &str) -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let file = std::env::var_os("DESIRELINE_DATA")
        .map_or_else(beside, PathBuf::from)
        .join(path);
    if file.exists() {
        return Some(file);
    }
    let missing = format!("{} is missing; set DESIRELINE_DATA", file.display());
    assert!(std::env::var_os("CI").is_none(), "{missing}");
    eprintln!("skipped: {missing}");
    None
}
