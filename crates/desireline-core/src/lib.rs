//! desireline-core

pub mod expr;
pub mod time;
