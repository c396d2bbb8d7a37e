//! What customers will buy, from what they bought: BG/NBD, gamma-gamma, shifted beta-geometric.
//!
//! | question | where |
//! |---|---|
//! | how many more purchases, where nobody says that they leave? | [`BgNbd`] |
//! | how much money is a purchase of theirs? | [`GammaGamma`] |
//! | how many renew, where leaving is seen? | [`ShiftedBetaGeometric`] |
//! | what is a customer worth, and how sure is that? | [`lifetime_value`] |
//!
//! Models are fitted by maximum likelihood over the logarithms of their parameters, two to four of them: a simplex search from several
//! starts, ended by Newton steps. A crate for it would bring more code than the search has lines.

mod bg_nbd;
mod gamma_gamma;
mod search;
mod shifted;
mod value;

pub use bg_nbd::BgNbd;
pub use gamma_gamma::GammaGamma;
pub use shifted::ShiftedBetaGeometric;
pub use value::{Outlook, Value, lifetime_value, mean_alive, renewals};

use serde::{Deserialize, Serialize};

/// What is known of some customers who are alike in it. Times are in one unit, such as weeks.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Buyers {
    /// How many customers.
    pub n: u64,
    /// Times that each bought again after the first purchase.
    pub repeats: u32,
    /// From the first purchase to the last; 0 without a repeat.
    pub last: f64,
    /// From the first purchase to the end of observation.
    pub age: f64,
    /// Mean money of the repeat purchases; `None` without one, or without money.
    pub mean_money: Option<f64>,
}

/// Fewer customers than this fit no model.
pub const FEWEST: u64 = 20;
