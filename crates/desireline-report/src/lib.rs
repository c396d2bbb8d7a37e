//! Reports for people and machines: terminal text, Markdown, CSV, JSON, Arrow, SVG and a self-contained HTML page.
//!
//! This crate reads reports only and knows no engine. People get rounded numbers through [`format`](mod@format); machines get full
//! precision. Names from the log may be hostile: every renderer escapes them for its own medium.
#![forbid(unsafe_code)]

pub mod arrow;
pub mod csv;
mod error;
pub mod exchange;
mod flat;
pub mod format;
pub mod html;
pub mod json;
pub mod map_check;
pub mod markdown;
pub mod names;
mod panels;
pub mod svg;
pub mod text;
mod verdicts;
mod view;
mod words;

pub use error::{Error, Result};
pub use view::AnswerView;
