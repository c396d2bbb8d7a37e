//! Journeys: a customer's events cut by a rule, and the selections over them.

mod block;
mod cut;
mod journeys;
mod matcher;
mod morsel;
mod rule;

pub(crate) use cut::unit_bounds;

pub use block::{JourneyBlock, MorselRange, Scratch};
pub use journeys::{Journeys, SelectedLog, Selection};
pub use matcher::{Mask, Matcher};
pub use morsel::{Journey, Morsel, Span};
pub use rule::{Calendar, CalendarUnit, JourneyRule};
