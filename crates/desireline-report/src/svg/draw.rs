//! From the reports of the built-in analyses to pictures.

use desireline_core::analyses::funnel::FunnelReport;
use desireline_core::report::Report;

use super::{FunnelPicture, FunnelStep};
use crate::words::level;

/// The picture of a report at a width, where there is one for its kind.
pub fn picture(report: &dyn Report, width: f64) -> Option<String> {
    let any = report.as_any();
    if let Some(r) = any.downcast_ref::<FunnelReport>() {
        return Some(funnel(r).svg(width));
    }
    None
}

fn funnel(r: &FunnelReport) -> FunnelPicture {
    let name = |s: Option<&desireline_core::analyses::funnel::FunnelStep>| {
        s.map(|s| s.label.clone()).unwrap_or_default()
    };
    let within = r
        .within
        .map(|w| format!("within {w}; "))
        .unwrap_or_default();
    let steps = r.steps.iter().enumerate().map(|(i, s)| {
        let next = r.steps.get(i + 1);
        FunnelStep {
            label: s.label.clone(),
            count: s.reached,
            of_entered: s.of_entered.estimate,
            go_on: next.and_then(|n| n.of_previous).and_then(|p| p.estimate),
            dropped: s.dropped,
            at_risk: s.at_risk,
            to_next: next
                .and_then(|n| n.from_previous.as_ref())
                .and_then(|t| t.median),
        }
    });
    FunnelPicture {
        title: format!("From {} to {}", name(r.steps.first()), name(r.steps.last())),
        note: format!(
            "{within}share of journeys that entered{}",
            level(&r.tables())
        ),
        unit: "journeys".to_owned(),
        steps: steps.collect(),
    }
}
