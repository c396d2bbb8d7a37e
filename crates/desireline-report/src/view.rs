use desireline_core::report::{Answer, Provenance, Report};
use serde_json::Value;

/// One answer, seen without its type: what every renderer takes.
#[derive(Clone, Copy, Debug)]
pub struct AnswerView<'a> {
    /// The analysis, by its registry name.
    pub analysis: &'a str,
    /// The question as JSON.
    pub spec: &'a Value,
    /// Where the answer came from.
    pub provenance: &'a Provenance,
    /// The report.
    pub report: &'a dyn Report,
    /// The report's typed fields as JSON, where the caller has them; [`crate::json`] gives them to machines.
    pub typed: Option<&'a Value>,
}

impl<'a> AnswerView<'a> {
    /// The view of a typed answer.
    pub fn of<R: Report>(answer: &'a Answer<R>) -> AnswerView<'a> {
        AnswerView {
            analysis: &answer.analysis,
            spec: &answer.spec,
            provenance: &answer.provenance,
            report: &answer.report,
            typed: None,
        }
    }

    /// The same view with the report's typed fields.
    #[must_use]
    pub fn with_typed(self, typed: &'a Value) -> AnswerView<'a> {
        AnswerView {
            typed: Some(typed),
            ..self
        }
    }
}

/// Where an answer came from, in one line for people.
pub(crate) fn origin(p: &Provenance) -> String {
    use crate::format::{counted, date};
    // Not over a log: nothing was cut.
    if p.rule.is_empty() {
        let customers = counted(p.n_customers, "customer");
        return format!("{customers} · desireline {}", p.engine);
    }
    let mut parts = vec![format!(
        "{} of {}, {}",
        counted(p.n_journeys, "journey"),
        counted(p.n_customers, "customer"),
        counted(p.n_events, "event")
    )];
    if p.n_events > 0 {
        parts.push(format!(
            "{} to {} (UTC)",
            date(p.first_time),
            date(p.last_time)
        ));
    }
    parts.push(format!("journeys: {}", p.rule));
    parts.extend(p.selections.iter().cloned());
    parts.push(format!(
        "log {}",
        p.fingerprint.chars().take(12).collect::<String>()
    ));
    parts.push(format!("desireline {}", p.engine));
    if let Some(seed) = p.seed {
        parts.push(format!("seed {seed}"));
    }
    parts.join(" · ")
}
