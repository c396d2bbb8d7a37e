//! The contract that every analysis fulfils and every executor relies on.

use desireline_stats::{ClusteredTimes, Clusters, Distribution};
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Result, SpecError};
use crate::journey::{Journey, Morsel};
use crate::log::Catalog;
use crate::report::Report;

/// One question about journeys. `Self` is the question as the user wrote it: plain, public, serialisable.
///
/// Laws, tested over the whole registry: merging is associative and commutative; any split of the customers gives
/// the same report; partials survive bytes; 1, 2 and 8 threads and any order of input give the same report bytes;
/// counting [`Analysis::locate`] over all journeys gives the counts of [`Analysis::cells`].
pub trait Analysis:
    Serialize + DeserializeOwned + JsonSchema + Clone + Send + Sync + 'static
{
    /// Registry key, CLI word and Python method.
    const NAME: &'static str;
    /// Raised whenever the meaning of [`Analysis::Partial`] changes.
    const STATE_VERSION: u32;
    /// The analysis that groups are compared by: itself unless it only counts and [`measures`](Analysis::measures) nothing.
    const COMPARE_BY: &'static str = Self::NAME;
    /// Whether cells count customers, all their selected journeys taken together, and not journeys. Then
    /// [`locate`](Analysis::locate) gives a customer's cells at the first journey of theirs in the morsel, and none at
    /// the others.
    const COUNTS_CUSTOMERS: bool = false;
    /// The question bound to a catalog and validated; only a plan can run.
    type Plan: Send + Sync + 'static;
    /// What is known so far.
    type Partial: Partial;
    /// What the user reads.
    type Report: Report + Serialize + DeserializeOwned + JsonSchema;

    /// Binds the question to a log's names. Every error of the user's shows here, before any event is read.
    fn plan(&self, catalog: &Catalog) -> Result<Self::Plan, SpecError>;

    /// The state before any event.
    fn start(plan: &Self::Plan) -> Self::Partial;

    /// Refuses a partial that was read from bytes and is none of this plan's, before it is merged or finished: a code
    /// beyond the vocabulary, a list of another length, sums that do not agree. Bytes come from anywhere, and their
    /// checksum says only that they were not damaged since. Takes memory in proportion to what the partial holds and
    /// to the plan. May complete what reading had to leave open.
    ///
    /// # Errors
    /// What is wrong with it, for a message.
    fn check(plan: &Self::Plan, read: &mut Self::Partial) -> Result<(), String>;

    /// Takes in the whole customers of one morsel.
    fn observe(plan: &Self::Plan, partial: &mut Self::Partial, morsel: &Morsel<'_>);

    /// The report of what was observed. Neither consumes nor changes the partial.
    fn finish(plan: &Self::Plan, partial: &Self::Partial) -> Result<Self::Report>;

    /// The cells of the report in which `journey` is counted, and why: the readable definition, for one journey.
    fn locate(plan: &Self::Plan, journey: &Journey<'_>) -> Vec<Located>;

    /// The counts that [`Analysis::locate`] explains: each cell with its number of journeys, in any order.
    fn cells(plan: &Self::Plan, partial: &Self::Partial) -> Vec<(String, u64)>;

    /// What two groups can be compared by: rates, times and their like, each under a stable key.
    fn measures(plan: &Self::Plan, partial: &Self::Partial) -> Vec<Measure>;
}

/// More of anything than a log can hold; what was read from bytes must stay below, so that sums cannot overflow.
pub(crate) const MOST: u64 = 1 << 48;

/// What an analysis has learnt from some customers. Holds integers or exact sums only, so that no order of work
/// can show in a result. Serialisation is canonical: equal states give equal bytes.
pub trait Partial: Clone + Serialize + DeserializeOwned + Send + 'static {
    /// Adds what was learnt from other customers. Associative and commutative.
    fn merge(&mut self, other: &Self);

    /// Bytes on the heap, by capacity; counted against the memory budget.
    fn heap_bytes(&self) -> usize;
}

/// A cell that a journey is counted in, and the reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Located {
    /// The cell, such as `step/2/dropped`.
    pub cell: String,
    /// Why the journey is in it: matched events, rejected candidates, the rule.
    pub why: String,
}

/// Something measured that can be compared between groups.
#[derive(Clone, Debug)]
pub struct Measure {
    /// What is measured, for people and programs: `conversion`, `step`, `path`, `transition`, `exit`.
    pub kind: &'static str,
    /// Which one: a step, a path, a pair of touchpoints; empty for measures of the whole.
    pub key: Vec<String>,
    /// Its sufficient statistics.
    pub data: MeasureData,
}

/// The sufficient statistics of a measure.
#[derive(Clone, Debug)]
pub enum MeasureData {
    /// A rate, with its sums per customer.
    Rate(Clusters),
    /// Lengths of time, all observed.
    Times {
        /// The lengths.
        times: Distribution,
        /// Whether no customer has more than one of them, so that they can be taken as independent.
        one_each: bool,
    },
    /// Lengths of time of which some are censored, with those of one customer together.
    Survival(ClusteredTimes),
}
