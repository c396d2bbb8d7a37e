//! The customer-journey engine of desireline.
//!
//! A [`log::Log`] holds all events, sorted by customer and time. A [`journey::JourneyRule`] cuts it into
//! [`journey::Journeys`]. An [`engine::Analysis`] is one question about journeys; [`journey::Journeys::run`] answers
//! it with a report whose numbers carry their interval, base and number of observations. A [`map::JourneyMap`] is the journey
//! as people drew it; [`overlay`] holds it against a log. [`feedback::Feedback`] is what customers say when they are asked.
#![forbid(unsafe_code)]

pub mod analyses;
pub mod compare;
pub mod engine;
pub mod error;
pub mod expr;
pub mod feedback;
pub mod journey;
pub mod kpi;
pub mod log;
pub mod map;
pub mod overlay;
pub mod registry;
pub mod report;
pub mod time;

pub use error::{Error, Result, SpecError};
