use std::ops::{Deref, DerefMut};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where a report came from: enough to make it again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Provenance {
    /// The version of the engine.
    pub engine: String,
    /// A hash of the log's content.
    pub fingerprint: String,
    /// The rule that cut the journeys, as text.
    pub rule: String,
    /// The selections in force, as text, in order.
    pub selections: Vec<String>,
    /// Events seen by the analysis.
    pub n_events: u64,
    /// Customers seen.
    pub n_customers: u64,
    /// Journeys seen.
    pub n_journeys: u64,
    /// The first event's time, microseconds since 1970 UTC.
    pub first_time: i64,
    /// The last event's time.
    pub last_time: i64,
    /// Until when customers were observed.
    pub observed_until: i64,
    /// The seed of everything random, where something was.
    pub seed: Option<u64>,
}

/// A report with the question it answers and where it came from. Reads like the report itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Answer<R> {
    /// The analysis, by its registry name.
    pub analysis: String,
    /// The question as JSON: running it again over the same log gives this report again.
    pub spec: serde_json::Value,
    /// Where it came from.
    pub provenance: Provenance,
    /// The report.
    pub report: R,
}

impl<R> Deref for Answer<R> {
    type Target = R;
    fn deref(&self) -> &R {
        &self.report
    }
}

impl<R> DerefMut for Answer<R> {
    fn deref_mut(&mut self) -> &mut R {
        &mut self.report
    }
}
