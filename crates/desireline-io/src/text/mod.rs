//! Formats made of text.

mod blocks;
pub(crate) mod delimited;
pub(crate) mod json;
mod json_kinds;
mod json_row;
mod lines;
mod records;
mod rows;

pub(crate) use rows::whole;
