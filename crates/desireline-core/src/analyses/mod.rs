//! The analyses, one file each. The list that everything else follows is in [`crate::registry`].

mod deferred;
pub mod funnel;
mod parts;

pub use deferred::Deferred;
pub use funnel::Funnel;
