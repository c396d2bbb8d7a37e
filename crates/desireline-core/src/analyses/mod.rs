//! The analyses, one file each. The list that everything else follows is in [`crate::registry`].

pub mod dropoff;
pub mod funnel;
pub mod goals;
pub mod paths;
pub mod transitions;
