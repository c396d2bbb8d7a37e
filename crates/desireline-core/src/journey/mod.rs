//! Journeys: a customer's events cut by a rule, and the selections over them.

mod cut;
mod journeys;
mod matcher;
mod morsel;
mod rule;

pub use journeys::{JourneyBlock, Journeys, MorselRange, Scratch, SelectedLog, Selection};
pub use matcher::{Mask, Matcher};
pub use morsel::{Journey, Morsel, Span};
pub use rule::{Calendar, CalendarUnit, JourneyRule};
