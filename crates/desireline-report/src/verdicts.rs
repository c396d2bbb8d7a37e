//! Verdicts of a measured map in words: promises, touchpoints.

use desireline_core::map::Promise;
use desireline_core::overlay::report::{PromiseMeasure, PromiseVerdict, TouchpointHealth};

use crate::format;

/// What was promised, as people write it.
pub(crate) fn promised(promise: &Promise) -> String {
    let known = promise.metric.known();
    let metric = known.map_or_else(|| promise.metric.to_string(), |k| k.name.to_owned());
    let sign = match promise.op.symbol() {
        "<=" => "≤",
        ">=" => "≥",
        other => other,
    };
    format!("{} {sign} {}", metric.replace('_', " "), promise.threshold)
}

/// What became of a promise.
pub(crate) fn kept(m: &PromiseMeasure) -> String {
    if let Some(why) = &m.hole {
        return format!("not measured: {why}");
    }
    let verdict = m.verdict.map_or("", PromiseVerdict::word);
    let told = match (&m.kept, &m.value) {
        (Some(rate), _) => format!("kept by {} of journeys", format::rate(rate)),
        (None, Some(e)) => {
            let (value, interval) = format::watched(e, m.currency.as_ref());
            format!("{value} ({interval})")
        }
        (None, None) => return "not measured".to_owned(),
    };
    match m.verdict {
        None => told,
        Some(PromiseVerdict::Undecided) => format!("{told}: whether it is kept {verdict}"),
        Some(_) if m.kept.is_some() => format!("{told}: as a whole {verdict}"),
        Some(_) => format!("{verdict}: {told}"),
    }
}

/// A touchpoint with why it is said to be so.
pub(crate) fn health(h: &TouchpointHealth) -> String {
    let mut why: Vec<String> = Vec::new();
    for reason in &h.reasons {
        use desireline_core::overlay::report::HealthReason as R;
        let rate = |r: &Option<desireline_core::report::Rate>| r.as_ref().map(format::rate);
        let beside = |a: Option<String>, b: Option<String>| match (a, b) {
            (Some(a), Some(b)) => format!(": {a} beside {b}"),
            _ => String::new(),
        };
        let more = match reason {
            R::DropOff => beside(rate(&h.drop_off), rate(&h.others_drop_off)),
            R::LowReach => beside(rate(&h.reach), rate(&h.others_reach)),
            R::FewerGoals => h
                .lift
                .as_ref()
                .map_or_else(String::new, |e| format!(": {}", format::difference(e))),
            _ => String::new(),
        };
        why.push(format!("{}{more}", reason.words()));
    }
    match why.is_empty() {
        true => h.name.clone(),
        false => format!("{} ({})", h.name, why.join("; ")),
    }
}
