#![allow(clippy::unwrap_used)]

use super::*;
use crate::time::TimeSpan;

mod broken;
mod checks;
mod meaning;
mod round_trip;

fn parse(text: &str) -> Expr {
    Expr::parse(text).unwrap_or_else(|error| panic!("{}", error.snippet(text)))
}
