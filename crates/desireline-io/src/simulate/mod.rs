//! A simulated shop: realistic logs of any size, with planted effects whose truth is known.
//!
//! Demonstrations, tests and benchmarks need a log in which the right answer is known. [`Simulation`] describes one;
//! [`Simulation::prepare`] checks it and gives a [`Simulator`] that makes the events, on all cores, always the same ones.
//!
//! ```
//! use desireline_io::simulate::Simulation;
//!
//! let shop = Simulation::shop(1_000).prepare()?;
//! let events = shop.columns(0..1_000);
//! assert!((20_000..45_000).contains(&events.len()));
//!
//! // Any range of customers can be made alone.
//! let some = shop.columns(200..300);
//! let from = events.customer.partition_point(|&c| c < 200);
//! assert_eq!(some.time[..], events.time[from..from + some.len()]);
//!
//! // Batches for files and readers.
//! let rows: usize = shop.batches(8_192).map(|batch| batch.map_or(0, |b| b.num_rows())).sum();
//! assert_eq!(rows, events.len());
//! # Ok::<(), desireline_io::simulate::SimulateError>(())
//! ```
//!
//! # The shop
//! Customers have a device, a region, a plan, a campaign and a side of a fair coin (`ab`); sessions have a channel. A
//! customer has `1 +` a negative binomial number of sessions, as many as fit in the window; breaks between them are hours,
//! days or weeks and follow the hours of the day and the days of the week. A session is a walk between the 30 touchpoints of
//! [`STAGES`], led by a hidden intent (to look around, to buy, to care for an order), of log-normal length (median 4, mean 7, at
//! most 500 events before the decision to buy); gaps between its events are log-normal (median 20 s, at most 25 minutes, so
//! that a journey rule of 30 minutes finds the sessions). About 0.5 % of the events have the time of the event before. Times
//! are whole milliseconds. A purchase has a log-normal value in euro.
//!
//! # What is planted
//! Whether a session gets to `payment` is one draw, whose probability is a product:
//! base × plan (1, 2, 4) × campaign × channel. Nothing else matters for it.
//!
//! | effect | what is true | where | default size |
//! |---|---|---|---|
//! | [`BrokenStep`] | `payment` fails (`payment_error`, then the customer leaves) | `device = mobile_ios`, from day 60 | +35 points |
//! | [`ChannelLift`] | sessions get to `payment` more often | `channel = referral` | × 1.6 |
//! | [`ChannelMix`] | nothing; looks good because of who uses it | `channel = email` | pooled ratio about 1.4, within 1 |
//! | [`Reversal`] | `b` beats `a` in each plan and loses over all | `campaign` × `plan` | × 1.5 within, about × 0.81 pooled |
//! | [`Rework`] | back from `shipping_details` to `checkout` | `device = mobile_android` | 45 % against 6 % |
//! | [`Bots`] | 10⁴ to 10⁵ events a customer, no purchase | 0.01 % of customers | an eighth of all events |
//! | none | a fair coin that changes nothing | `ab` | 0 |
//!
//! [`Truth`] has the exact numbers. Plans differ in any case; with [`Effects::none`] no other attribute matters.
//!
//! # What they say
//! [`SURVEY`] asks customers at some touchpoints how satisfied they are, and after a purchase whether they would recommend the
//! shop; [`Simulator::answers`] gives what they answer. How often each score is given is known; 3 % leave it out, a
//! quarter adds words.
//!
//! # The same bytes
//! Each customer has an own stream of a counter-based generator (ChaCha8), and the model uses only arithmetic that is
//! rounded the same everywhere, so events depend on the simulation alone: not on threads, batches, ranges or the machine.

mod answers;
mod columns;
mod draw;
mod effects;
mod generate;
mod log;
mod prepare;
#[cfg(test)]
mod tests;
mod vocabulary;
mod walk;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use answers::{Answers, Asked, SURVEY};
pub use columns::{Columns, Dictionaries};
pub use effects::{
    Bots, BrokenStep, BrokenStepTruth, ChannelLift, ChannelMix, ChannelMixTruth, Effects, Reversal,
    ReversalTruth, Rework, Truth,
};
pub use generate::{Batches, Simulator};
pub use vocabulary::{STAGES, TOUCHPOINTS};

/// A log to simulate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Simulation {
    /// How many customers, from 1 to 10⁹.
    pub customers: u64,
    /// Another seed is another log with the same truth.
    pub seed: u64,
    /// The length of the window in days, from 1 to 3,650.
    pub days: u32,
    /// The window's first day, `YYYY-MM-DD`, from midnight UTC.
    pub start: String,
    /// How many touchpoints: the shop's 30, or more for benchmarks, up to 10,000; the further ones are `page_0001`, ….
    pub n_names: u32,
    /// What to plant.
    pub effects: Effects,
    /// The order of the events.
    pub order: Order,
    /// The form of customer ids.
    pub customer_ids: CustomerIds,
    /// The form of money.
    pub money: Money,
    /// The most events to sort at once when the order is by arrival; a matter of memory, about 150 bytes each.
    pub window_events: u64,
}

/// The order of a log's events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// By customer, then time.
    #[default]
    Customer,
    /// By time over all customers, as a tracking system writes them.
    Arrival,
}

/// The form of customer ids.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CustomerIds {
    /// `c0000042`.
    #[default]
    Text,
    /// `42`.
    Integer,
}

/// The form of money.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Money {
    /// Euro with two decimal places.
    #[default]
    Decimal,
    /// Whole cents.
    Minor,
}

/// Why a log cannot be simulated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SimulateError {
    /// A number or date is not allowed.
    #[error("`{field}` of the simulation is {found}; it must be {allowed}")]
    Field {
        /// The field.
        field: &'static str,
        /// The value as given.
        found: String,
        /// What is allowed.
        allowed: &'static str,
    },
    /// An effect names a device or channel that the shop does not have.
    #[error("`{field}` of the simulation: the shop has no `{name}`{}; it has {}", nearest.as_ref().map_or_else(String::new, |n| format!(" (did you mean `{n}`?)")), known.join(", "))]
    UnknownName {
        /// The field.
        field: &'static str,
        /// The name as given.
        name: String,
        /// The nearest known name.
        nearest: Option<String>,
        /// All known names.
        known: Vec<String>,
    },
    /// Arrow refused the columns.
    #[error("the events do not fit an arrow batch: {0}")]
    Arrow(#[from] arrow::error::ArrowError),
    /// The log could not be built.
    #[error(transparent)]
    Log(Box<desireline_core::Error>),
}

impl From<desireline_core::Error> for SimulateError {
    fn from(error: desireline_core::Error) -> SimulateError {
        SimulateError::Log(Box::new(error))
    }
}

impl Default for Simulation {
    fn default() -> Simulation {
        Simulation {
            customers: 10_000,
            seed: 1,
            days: 180,
            start: "2025-01-01".to_owned(),
            n_names: TOUCHPOINTS.len() as u32,
            effects: Effects::default(),
            order: Order::default(),
            customer_ids: CustomerIds::default(),
            money: Money::default(),
            window_events: 1 << 24,
        }
    }
}

impl Simulation {
    /// The shop over 180 days with all effects planted.
    pub fn shop(customers: u64) -> Simulation {
        Simulation {
            customers,
            ..Simulation::default()
        }
    }

    /// The shop with about this many events (within a few percent from 100,000 events on): the number of customers is worked
    /// out from a sample.
    ///
    /// ```
    /// # use desireline_io::simulate::Simulation;
    /// let simulation = Simulation::with_events(1_000_000);
    /// assert!((25_000..45_000).contains(&simulation.customers));
    /// ```
    pub fn with_events(events: u64) -> Simulation {
        Simulation::default().resized_to(events)
    }

    /// The same simulation with as many customers as give about this many events.
    pub fn resized_to(self, events: u64) -> Simulation {
        let mut sized = Simulation {
            customers: 10_000,
            ..self
        };
        // The number of bots is whole, so the mean depends a little on the size: twice is enough.
        for _ in 0..2 {
            let Ok(simulator) = sized.prepare() else {
                break;
            };
            let mean = simulator.expected_events() / sized.customers as f64;
            sized.customers =
                ((events as f64 / mean).round() as u64).clamp(1, prepare::MOST_CUSTOMERS);
        }
        sized
    }
}
