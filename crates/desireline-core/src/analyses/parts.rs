//! What several analyses share.

use desireline_stats::{Clusters, Distribution};

use crate::error::SpecError;
use crate::journey::{Journey, Morsel, Span};
use crate::report::Caveat;

/// The confidence level unless another is asked for.
pub(super) fn default_level() -> f64 {
    0.95
}

/// Refuses a level that no interval can have.
pub(super) fn check_level(analysis: &'static str, level: f64) -> Result<(), SpecError> {
    if level > 0.0 && level < 1.0 {
        return Ok(());
    }
    Err(SpecError::Field {
        analysis,
        field: "level",
        problem: format!(
            "{level} is no confidence level; use a number between 0 and 1, such as 0.95"
        ),
    })
}

/// When the customer's next journey begins, if it begins after this one's last event: this one is then over. Journeys
/// named by a column can overlap; such a next one says nothing.
#[inline]
pub(super) fn next_start(span: &Span, morsel: &Morsel<'_>) -> Option<i64> {
    if span.next == Span::NONE {
        return None;
    }
    let next = morsel.time(span.next as usize);
    (next >= morsel.time(span.end as usize - 1)).then_some(next)
}

/// The same for a journey.
pub(super) fn closed_by(journey: &Journey<'_>) -> Option<i64> {
    journey
        .next_start()
        .filter(|&next| next >= journey.end_time())
}

/// Whether no customer has more than one of what `k` counts.
pub(super) fn at_most_one_each(counted: &Clusters) -> bool {
    counted.kk == u128::from(counted.k)
}

/// Quantiles come from a histogram.
pub(super) fn approximate_quantiles() -> Caveat {
    Caveat::ApproximateQuantiles {
        relative_error_bp: (Distribution::RELATIVE_ERROR * 10_000.0).ceil() as u32,
    }
}
