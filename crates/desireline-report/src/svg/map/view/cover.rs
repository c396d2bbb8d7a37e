//! The head and foot of the picture.

use desireline_core::map::{Id, MapKind};

use super::super::super::told;
use super::super::{MapFact, MapKpi, MapPicture};
use super::{Felt, View};
use crate::format;

/// Goals and numbers that the head has room for.
const GOALS: usize = 2;
const KPIS: usize = 6;

/// Where the feelings come from that are no opinion, and how opinions are drawn.
fn known(felt: &Felt) -> String {
    let mut parts = Vec::new();
    match (felt.measured, felt.typed) {
        (0, 0) => {}
        (0, typed) => parts.push(format!("{typed} typed in, none measured")),
        (measured, 0) => parts.push(format!("{measured} measured")),
        (measured, typed) => parts.push(format!("{measured} measured, {typed} typed in")),
    }
    if felt.guessed > 0 {
        parts.push("opinion hatched".to_owned());
    }
    parts.join(", ")
}

impl View<'_> {
    pub(super) fn subtitle(&self) -> String {
        let map = self.map;
        let mut parts = vec![match &map.kind {
            MapKind::Competitor(c) => format!("map of {} {}", c.name, map.version),
            kind => format!("{} map {}", kind.word(), map.version),
        }];
        parts.push(format!("{}, as of {}", map.status, map.as_of));
        let scope = map.scope.as_ref();
        if let Some(w) = scope.and_then(|s| s.window.as_ref()) {
            let zone = w.zone.as_deref().unwrap_or("UTC");
            parts.push(format!("{} to before {}, {zone}", w.from, w.to));
        }
        match self.overlay {
            Some(o) => parts.push(format!("journeys cut by {}", o.provenance.rule)),
            None => parts.push("not measured".to_owned()),
        }
        let goals: Vec<String> = match self.overlay {
            Some(o) => o
                .goals
                .iter()
                .filter(|g| g.measured)
                .map(|g| g.text.clone())
                .collect(),
            None => {
                let shown = map.goals.iter().filter(|g| g.success.is_some());
                shown.map(|g| self.text(&g.text)).collect()
            }
        };
        let more = match goals.len().saturating_sub(GOALS) {
            0 => String::new(),
            n => format!("; and {n} more"),
        };
        if !goals.is_empty() {
            let shown = goals.into_iter().take(GOALS).collect::<Vec<_>>();
            let lead = if more.is_empty() && shown.len() == 1 {
                "goal"
            } else {
                "goals, any of"
            };
            parts.push(format!("{lead}: {}{more}", shown.join("; ")));
        }
        parts.join(" · ")
    }

    pub(super) fn footer(&self) -> String {
        let Some(o) = self.overlay else {
            return format!(
                "Drawn from the map alone: nothing on it was measured. Map {:.8}, desireline {}.",
                format!("{:032x}", self.map.fingerprint()),
                env!("CARGO_PKG_VERSION")
            );
        };
        let log: String = o.provenance.fingerprint.chars().take(12).collect();
        format!(
            "Every number is an estimate with its {} % interval, or a hole below {} observations. Shares of journeys; who leaves \
             is counted once the journey is over. Map {:.8}, log {log}, desireline {}.",
            format::number((o.base.level * 1000.0).round() / 10.0),
            o.base.min_n,
            o.map.fingerprint,
            o.provenance.engine
        )
    }

    pub(super) fn facts(&self, p: &MapPicture) -> Vec<MapFact> {
        let fact = |label: &str, value: String, note: String| MapFact {
            label: label.to_owned(),
            value,
            note,
        };
        let (guessed, places) = p.from_opinion();
        let opinion = match places {
            0 => fact(
                "Emotion",
                "unknown".to_owned(),
                "no feeling on the map".to_owned(),
            ),
            _ => fact(
                "Emotion from opinion",
                format!("{guessed} of {places}"),
                known(&p.felt()),
            ),
        };
        let Some(o) = self.overlay else {
            let bound = self.map.touchpoints.iter().filter(|t| t.binding.is_some());
            return vec![
                fact("Stages", self.map.stages.len().to_string(), String::new()),
                fact(
                    "Touchpoints",
                    self.map.touchpoints.len().to_string(),
                    format!("{} bound to events", bound.count()),
                ),
                opinion,
                fact(
                    "Pain points",
                    self.map.pains.len().to_string(),
                    String::new(),
                ),
                fact(
                    "Opportunities",
                    self.map.opportunities.len().to_string(),
                    String::new(),
                ),
                fact(
                    "Assumptions",
                    self.map.assumptions.len().to_string(),
                    "not tested".to_owned(),
                ),
            ];
        };
        let b = &o.base;
        let (goal, interval) = told(b.goal.estimate.as_ref(), b.goal.n);
        let share = |s: Option<f64>| s.map_or_else(|| "none".to_owned(), format::percent);
        let mut facts = vec![
            fact(
                "Journeys",
                format::count(b.journeys),
                format::counted(b.customers, "customer"),
            ),
            if o.goals.iter().any(|g| g.measured) {
                fact("Goal reached", goal, interval)
            } else {
                fact(
                    "Goal reached",
                    "unknown".to_owned(),
                    "no goal has an event".to_owned(),
                )
            },
            fact(
                "Still open",
                share(b.open_share),
                "not counted as lost".to_owned(),
            ),
            fact(
                "Events on the map",
                share(b.bound_share),
                format!("of {}", format::count(b.events)),
            ),
            opinion,
        ];
        // Of the whole map, and of what is in no stage, such as a channel.
        let staged = |at: &Id| self.stage_of.contains_key(at);
        let watched = self.map.kpis.iter();
        let whole: Vec<MapKpi> = watched
            .filter(|k| !k.at.as_ref().is_some_and(staged))
            .map(|k| {
                let place = k.at.as_ref().map_or_else(String::new, |at| self.named(at));
                self.kpi(k, place)
            })
            .collect();
        let left = whole.len().saturating_sub(KPIS);
        facts.extend(whole.into_iter().take(KPIS).map(|k| {
            let (value, note) = match k.shown() {
                Some((value, interval)) => (Some(value), interval),
                None => (None, k.without_value()),
            };
            let wanted = match (k.wanted.is_empty(), k.verdict.word()) {
                (true, _) => String::new(),
                (false, word) => format!(", {word}: target {}", k.wanted),
            };
            MapFact {
                label: k.name,
                value: value.unwrap_or_else(|| "–".to_owned()),
                note: format!("{note}{wanted}"),
            }
        }));
        if left > 0 {
            facts.push(fact(
                "More KPIs",
                left.to_string(),
                "not shown here; see the table".to_owned(),
            ));
        }
        facts
    }
}
