//! The engine: one contract for every analysis, one scan for every executor. Names no analysis.

mod by;
mod contract;
mod envelope;
mod exec;
mod group;
mod run;
mod scan;
mod task;

pub use by::{By, ByReport, GroupReport};
pub(crate) use contract::MOST;
pub use contract::{Analysis, Located, Measure, MeasureData, Partial};
pub use envelope::{Lookup, finish_sealed, merge_sealed};
pub use exec::{CancelToken, Exec, MAX_THREADS, Progress, ProgressHook};
pub use group::{Attribution, Breakdown, Grouping, MAX_GROUPS, MISSING, NO_SEGMENT, Segment};
pub use run::{AnalysisSet, DynAnswer, Explained, Member};
pub(crate) use scan::scan;
pub use task::{Bound, DynAnalysis, DynReport};
pub(crate) use task::{State, Task};
