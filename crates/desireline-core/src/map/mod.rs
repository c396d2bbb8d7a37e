//! The journey map: drawn by people, kept in git, bound to a log by expressions.
//!
//! A [`JourneyMap`] is a YAML or JSON document of stages and touchpoints with what customers want, expect and feel there,
//! the numbers that are watched and what all of it rests on. Reading says everything that is wrong with a document, with its
//! line and column. [`check`] looks at what a well-written document says: unknown references, stages without a goal, stale
//! evidence. What a log has to say to it is the matter of [`crate::overlay`].
//!
//! The lifecycle, how the company sees a customer over time, is a document of its own: [`LifecycleDocument`]. Stages name
//! its phases, several where several apply.

mod actions;
mod binding;
pub mod check;
mod counted;
mod document;
mod evidence;
mod facts;
mod feelings;
mod findings;
mod format;
mod id;
mod index;
mod kpis;
mod labels;
mod lifecycle;
mod names;
mod part;
mod people;
mod reviews;
mod scope;
mod stages;
pub mod templates;
#[cfg(test)]
mod tests;
mod touchpoints;
mod values;
mod words;

pub use self::actions::*;
pub use self::binding::*;
pub use self::document::*;
pub use self::evidence::*;
pub use self::feelings::*;
pub use self::findings::*;
pub use self::format::{Form, MAX_BYTES, MAX_DEPTH, MAX_NODES, MapError, Problem, document_text};
pub use self::id::*;
pub use self::index::{PartKind, Reference};
pub use self::kpis::*;
pub use self::lifecycle::*;
pub use self::people::*;
pub use self::reviews::*;
pub use self::scope::*;
pub use self::stages::*;
pub use self::touchpoints::*;
pub use self::values::*;
pub use self::words::*;
