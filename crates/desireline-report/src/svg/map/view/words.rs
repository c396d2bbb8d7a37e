//! A stage in words, for those who do not see it.

use super::super::{MapKpi, MapMark, MapStage, MapTouchpoint, Presence, feelings};
use crate::format;

/// A stage in words.
pub(in crate::svg::map) fn told(s: &MapStage) -> String {
    let mut parts = Vec::new();
    let mut say = |lead: &str, told: Vec<String>| {
        if !told.is_empty() {
            parts.push(format!("{lead} {}", told.join("; ")));
        }
    };
    say("customers want", s.goals.clone());
    say(
        "reached by",
        s.reach
            .iter()
            .map(|r| format!("{} of journeys", format::rate(r)))
            .collect(),
    );
    say(
        "left without a goal by",
        s.drop_off.iter().map(format::rate).collect(),
    );
    let touchpoint = |t: &MapTouchpoint| {
        let marks: Vec<&str> = t.marks.iter().map(|m| m.word()).collect();
        let marks = if marks.is_empty() {
            String::new()
        } else {
            format!(" [{}]", marks.join(", "))
        };
        match &t.presence {
            Presence::Measured(r) => format!("{} {}{marks}", t.name, format::rate(r)),
            Presence::Unknown(why) => format!("{} ({why}){marks}", t.name),
            Presence::NoLog => format!("{}{marks}", t.name),
        }
    };
    say(
        "touchpoints:",
        s.touchpoints.iter().map(touchpoint).collect(),
    );
    say(
        "feelings:",
        s.feelings.iter().map(feelings::words).collect(),
    );
    let kpi = |k: &MapKpi| {
        let value = k.shown().map_or_else(
            || k.without_value(),
            |(value, interval)| format!("{value} ({interval})"),
        );
        let target = if k.wanted.is_empty() {
            String::new()
        } else {
            format!(", target {} {}", k.wanted, k.verdict.word())
        };
        format!("{} {value}{target}", k.name)
    };
    say("KPIs:", s.kpis.iter().map(kpi).collect());
    let mark = |m: &MapMark| {
        format!(
            "{} {}",
            m.kind.word(),
            [m.place.as_str(), m.text.as_str()].join(" ").trim()
        )
    };
    say("marks:", s.marks.iter().map(mark).collect());
    format!("{}: {}", s.name, parts.join(". "))
}
