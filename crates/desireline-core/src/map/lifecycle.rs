//! The lifecycle: how the company sees a customer over time. It is a document of its own; stages of a map name its phases.

use super::part::{part, words};
use super::{Id, LocalizedText, Version};
use crate::expr::Expr;
use crate::time::TimeSpan;

words! {
    /// Phases of a customer's life with a company.
    pub enum Phase {
        /// Has seen us.
        Impression = "impression",
        /// Is interested.
        Acquisition = "acquisition",
        /// Buys, for the first time or again.
        Conversion = "conversion",
        /// Comes back.
        Loyalty = "loyalty",
        /// Tells others.
        Advocacy = "advocacy",
        /// Has not come back for long.
        Lapsed = "lapsed",
        /// Came back after that.
        Reactivated = "reactivated",
    }
}

part! {
    /// The phases of a company's lifecycle and the rules by which a customer is in one of them.
    ///
    /// A customer is in one phase at any time: the last one whose `enters` held, or the one that silence led to.
    pub struct LifecycleDocument {
        /// The version of the format: 1.
        schema = super::SchemaVersion,
        /// Its id.
        id: Id,
        /// Its title.
        title: LocalizedText,
        /// Its version.
        version: Version,
        /// The language of texts without one.
        language ? String,
        /// The phases.
        phases * LifecyclePhase,
        /// Which way customers go from one phase to another; any where none is listed.
        transitions * Transition,
        + own
    }
}

part! {
    /// A phase and how customers come into it.
    pub struct LifecyclePhase {
        /// Which.
        phase: Phase,
        /// What it is called here.
        name ? LocalizedText,
        /// The event that brings a customer into it.
        enters ? Expr,
        /// How long a customer must have been silent to be in it, for `lapsed`.
        silent_for ? TimeSpan,
        /// What the company calls such a customer, such as lead, customer, repeat or evangelist.
        status ? String,
        + own
    }
}

part! {
    /// A way from one phase to another.
    pub struct Transition {
        /// From.
        from: Phase,
        /// To.
        to: Phase,
    }
}
