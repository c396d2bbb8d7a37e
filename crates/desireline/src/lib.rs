#![doc = include_str!("../../../README.md")]
#![forbid(unsafe_code)]

#[doc(inline)]
pub use desireline_core::{
    Error, Result, SpecError, engine, error, expr, feedback, journey, kpi, log, map, overlay,
    registry, report, time,
};

#[doc(inline)]
pub use desireline_core::analyses::{
    calendar, directly_follows, dropoff, funnel, goals, graph, paths, patterns, precedence,
    retention, stability, transitions,
};

#[doc(inline)]
pub use desireline_core::compare;

pub use desireline_core::analyses::calendar::Calendar;
pub use desireline_core::analyses::directly_follows::DirectlyFollows;
pub use desireline_core::analyses::dropoff::Dropoff;
pub use desireline_core::analyses::funnel::Funnel;
pub use desireline_core::analyses::goals::Goals;
pub use desireline_core::analyses::paths::Paths;
pub use desireline_core::analyses::patterns::Patterns;
pub use desireline_core::analyses::precedence::Precedence;
pub use desireline_core::analyses::retention::Retention;
pub use desireline_core::analyses::stability::Stability;
pub use desireline_core::analyses::transitions::Transitions;
pub use desireline_core::engine::{Breakdown, Exec, Segment};
pub use desireline_core::journey::{JourneyRule, Journeys};
pub use desireline_core::kpi::Kpi;
pub use desireline_core::log::{Log, LogBuilder};
pub use desireline_core::map::JourneyMap;

/// Intervals, tests, multiple testing and survival; numbers only.
pub use desireline_stats as stats;

/// Reading and writing event files, and simulating them.
#[cfg(feature = "io")]
pub use desireline_io as io;
#[cfg(feature = "io")]
#[doc(inline)]
pub use desireline_io::open;

/// Reports as text, Markdown, JSON, CSV, Arrow, SVG and HTML.
#[cfg(feature = "report")]
pub use desireline_report as render;
