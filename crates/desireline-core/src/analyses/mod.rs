//! The analyses, one file each. The list that everything else follows is in [`crate::registry`].

pub mod calendar;
mod deferred;
pub mod directly_follows;
pub mod dropoff;
pub mod funnel;
pub mod goals;
mod label;
mod parts;
pub mod paths;
pub mod patterns;
pub mod precedence;
pub mod retention;
mod sequences;
mod spread;
pub mod stability;
pub mod transitions;

pub use calendar::Calendar;
pub use deferred::Deferred;
pub use directly_follows::DirectlyFollows;
pub use dropoff::Dropoff;
pub use funnel::Funnel;
pub use goals::Goals;
pub use paths::Paths;
pub use patterns::Patterns;
pub use precedence::Precedence;
pub use retention::Retention;
pub use spread::Spread;
pub use stability::Stability;
pub use transitions::Transitions;

use crate::report::Report;
use transitions::Graph;

/// The graph that a report draws, if it is one of touchpoints and what follows them.
pub fn graph(report: &dyn Report) -> Option<Graph> {
    let any = report.as_any();
    any.downcast_ref::<transitions::TransitionsReport>()
        .map(transitions::TransitionsReport::graph)
        .or_else(|| {
            any.downcast_ref::<directly_follows::DirectlyFollowsReport>()
                .map(directly_follows::DirectlyFollowsReport::graph)
        })
}
