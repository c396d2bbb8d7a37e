//! Helpers that several tests share.

pub mod random_log;
