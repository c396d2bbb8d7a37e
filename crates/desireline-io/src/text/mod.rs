//! Formats made of text.

mod blocks;
pub(crate) mod delimited;
pub(crate) mod json;
mod json_kinds;
mod json_row;
mod lines;
mod records;
mod rows;

pub(crate) use json_row::{Fault, JsonRow};
pub(crate) use records::{Record, Records};
pub(crate) use rows::{Cell, whole};
