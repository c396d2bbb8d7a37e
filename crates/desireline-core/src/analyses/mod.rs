//! The analyses, one file each. The list that everything else follows is in [`crate::registry`].

mod deferred;
pub mod dropoff;
pub mod funnel;
pub mod goals;
mod label;
mod parts;
pub mod paths;
mod sequences;
mod spread;
pub mod transitions;

pub use deferred::Deferred;
pub use dropoff::Dropoff;
pub use funnel::Funnel;
pub use goals::Goals;
pub use paths::Paths;
pub use spread::Spread;
pub use transitions::Transitions;
