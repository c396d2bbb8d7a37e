//! From a map and its overlay to what is drawn.

mod cover;
mod report;
mod words;

use std::borrow::Borrow;
use std::collections::HashMap;

use desireline_core::map::{
    At, EmotionSource, Id, JourneyMap, KpiBinding, KpiUnit, LocalizedText, Observability, Quantity,
    Touchpoint,
};
use desireline_core::overlay::report::{
    CellKind, EmotionMeasure, KpiMeasure, KpiPart, OverlayReport, StageMeasure, TouchpointMeasure,
};
use desireline_core::report::Rate;

pub(super) use self::words::told;
use super::super::canvas::one_line;
use super::{
    FeelingSource, MapFeeling, MapKpi, MapMark, MapPicture, MapStage, MapTouchpoint, MapWay,
    MarkKind, Presence, Verdict,
};
use crate::{format, verdicts};

/// Numbers of one KPI by channel or kind that are drawn.
const PARTS: usize = 4;
/// Touchpoints of a stage that are drawn.
const TOUCHPOINTS: usize = 8;

impl MapPicture {
    /// The picture of a map, measured where there is an overlay of it.
    pub fn of(map: &JourneyMap, overlay: Option<&OverlayReport>) -> MapPicture {
        let view = View {
            map,
            language: overlay.map_or_else(|| map.main_language(), |o| o.map.language.as_str()),
            overlay,
            stage_of: stages_of(map),
        };
        view.picture()
    }

    /// The picture of an overlay alone, without the map that it is of: goals by stage, marks and feelings that only the map
    /// knows are missing.
    pub fn of_report(report: &OverlayReport) -> MapPicture {
        match report::map_of(report) {
            Some(map) => MapPicture::of(&map, Some(report)),
            None => MapPicture::default(),
        }
    }

    /// How many places with a feeling are known from guesses only, and how many there are.
    pub fn from_opinion(&self) -> (usize, usize) {
        let known = self.felt();
        (known.guessed, known.measured + known.typed + known.guessed)
    }

    /// The places with a feeling by the best that is known of each. One of which too few told has none.
    pub(super) fn felt(&self) -> Felt {
        let mut places: Vec<((usize, &str), u8)> = Vec::new();
        for (i, stage) in self.stages.iter().enumerate() {
            for f in stage.feelings.iter().filter(|f| f.valence.is_some()) {
                let best = match (f.source, f.measured) {
                    (FeelingSource::Guess | FeelingSource::Target, _) => 0,
                    (_, false) => 1,
                    (_, true) => 2,
                };
                let place = (i, f.place.as_str());
                match places.iter_mut().find(|(p, _)| *p == place) {
                    Some((_, known)) => *known = best.max(*known),
                    None => places.push((place, best)),
                }
            }
        }
        let count = |best| places.iter().filter(|(_, known)| *known == best).count();
        Felt {
            measured: count(2),
            typed: count(1),
            guessed: count(0),
        }
    }
}

/// How many places have a feeling, by the best that is known of each.
pub(super) struct Felt {
    /// Measured now, from answers.
    pub(super) measured: usize,
    /// Customers said it once, and somebody typed it into the map.
    pub(super) typed: usize,
    /// Nobody but the authors of the map says so.
    pub(super) guessed: usize,
}

/// The stage that a part of the map is shown in: the first of a touchpoint's.
fn stages_of(map: &JourneyMap) -> HashMap<&Id, usize> {
    let mut of = HashMap::new();
    for (i, s) in map.stages.iter().enumerate() {
        of.insert(&s.id, i);
        for step in &s.steps {
            of.insert(&step.id, i);
        }
    }
    for t in &map.touchpoints {
        let first = t
            .stages
            .iter()
            .filter_map(|p| of.get(&p.stage))
            .min()
            .copied();
        if let Some(first) = first {
            of.insert(&t.id, first);
        }
    }
    of
}

struct View<'m> {
    map: &'m JourneyMap,
    language: &'m str,
    overlay: Option<&'m OverlayReport>,
    stage_of: HashMap<&'m Id, usize>,
}

impl<'m> View<'m> {
    fn text(&self, text: &LocalizedText) -> String {
        text.get(self.language).to_owned()
    }

    fn name(&self, text: &LocalizedText) -> String {
        one_line(text.get(self.language).trim())
    }

    fn optional(&self, text: Option<&LocalizedText>) -> String {
        text.map(|t| self.text(t)).unwrap_or_default()
    }

    fn picture(&self) -> MapPicture {
        let mut p = MapPicture {
            title: self.name(&self.map.title),
            subtitle: self.subtitle(),
            measured: self.overlay.is_some(),
            stages: (0..self.map.stages.len()).map(|i| self.stage(i)).collect(),
            ways: self.ways(),
            footer: self.footer(),
            ..MapPicture::default()
        };
        p.facts = self.facts(&p);
        p
    }

    fn measured_stage(&self, i: usize) -> Option<&'m StageMeasure> {
        let id = &self.map.stages.get(i)?.id;
        self.overlay?.stage(id.as_str())
    }

    fn stage(&self, i: usize) -> MapStage {
        let Some(stage) = self.map.stages.get(i) else {
            return MapStage::default();
        };
        let measured = self.measured_stage(i);
        let here = self.map.touchpoints.iter().filter(|t| t.is_in(&stage.id));
        let mut touchpoints: Vec<(&Touchpoint, MapTouchpoint)> =
            here.map(|t| (t, self.touchpoint(t))).collect();
        let mut more = None;
        if touchpoints.len() > TOUCHPOINTS {
            // Those with most journeys are drawn; equals as the map lists them.
            touchpoints.sort_by_key(|(_, t)| std::cmp::Reverse(reached(t)));
            let rest = touchpoints.split_off(TOUCHPOINTS);
            let events = self.overlay.map(|o| {
                let in_stage = |t: &Touchpoint| {
                    let of = |p: &&desireline_core::overlay::report::Placement| {
                        t.id == p.touchpoint.as_str()
                            && p.stage.as_deref() == Some(stage.id.as_str())
                    };
                    o.placements
                        .iter()
                        .filter(of)
                        .map(|p| p.events)
                        .sum::<u64>()
                };
                rest.iter().map(|(t, _)| in_stage(t)).sum()
            });
            more = Some((rest.len(), events));
        }
        let goals = self
            .map
            .goals
            .iter()
            .filter(|g| g.stages.contains(&stage.id));
        let next = self.map.stages.get(i + 1);
        let onward = self
            .overlay
            .zip(next)
            .and_then(|(o, next)| o.edge(CellKind::Stage, stage.id.as_str(), next.id.as_str()));
        MapStage {
            name: self.name(&stage.name),
            goals: goals.map(|g| self.text(&g.text)).collect(),
            reach: measured.map(|m| m.cell.reach),
            drop_off: measured.map(|m| m.cell.drop_off),
            onward: onward.map(|e| e.reach),
            touchpoints: touchpoints.into_iter().map(|(_, t)| t).collect(),
            more,
            channels: self.channels(&stage.id),
            feelings: self.feelings(i),
            dwell: measured.map(|m| m.cell.dwell),
            target_duration: stage.target_duration.map(|d| d.as_micros()),
            kpis: self.kpis(i),
            marks: self.marks(i),
        }
    }

    fn touchpoint(&self, t: &Touchpoint) -> MapTouchpoint {
        let measured: Option<&TouchpointMeasure> =
            self.overlay.and_then(|o| o.touchpoint(t.id.as_str()));
        let presence = match (
            t.traces(),
            &t.binding,
            measured.and_then(|m| m.cell.as_ref()),
        ) {
            (_, _, Some(cell)) => Presence::Measured(cell.reach),
            (Observability::SurveyOnly, ..) => Presence::Unknown("only customers can tell"),
            (Observability::Unobservable, ..) => Presence::Unknown("leaves no trace"),
            (_, None, _) => Presence::Unknown("not measured: no binding"),
            _ => Presence::NoLog,
        };
        let at = |at: &At| at.part() == Some(&t.id);
        let mut marks = Vec::new();
        let map = self.map;
        let has = [
            (MarkKind::Pain, map.pains.iter().any(|p| at(&p.at))),
            (MarkKind::Moment, map.moments.iter().any(|m| at(&m.at))),
            (
                MarkKind::Opportunity,
                map.opportunities.iter().any(|o| at(&o.at)),
            ),
            (MarkKind::Blind, matches!(presence, Presence::Unknown(_))),
        ];
        marks.extend(
            has.into_iter()
                .filter(|(_, has)| *has)
                .map(|(kind, _)| kind),
        );
        let channel = t.channel.as_ref().map(|c| self.named(c));
        MapTouchpoint {
            name: self.name(&t.name),
            channel: channel.unwrap_or_default(),
            presence,
            marks,
        }
    }

    /// Events of a stage by the channel that each of them came through.
    fn channels(&self, stage: &Id) -> Vec<(String, u64)> {
        let Some(o) = self.overlay else {
            return Vec::new();
        };
        let here = o
            .stage_channels
            .iter()
            .filter(|c| c.stage == stage.as_str());
        let mut found: Vec<(String, u64)> = here
            .map(|c| {
                let name = c.channel.as_ref().map(|id| self.named(id));
                (
                    name.unwrap_or_else(|| "no channel of the map".to_owned()),
                    c.events,
                )
            })
            .collect();
        found.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        found
    }

    /// What a part is called.
    fn named(&self, id: &(impl Borrow<str> + ?Sized)) -> String {
        one_line(self.map.label_of(id, self.language).trim())
    }

    /// The places of a stage in the order in which they are drawn: the stage itself, its steps, its touchpoints.
    fn places(&self, i: usize) -> Vec<&'m Id> {
        let Some(stage) = self.map.stages.get(i) else {
            return Vec::new();
        };
        let steps = stage.steps.iter().map(|s| &s.id);
        let here = |t: &&'m Touchpoint| self.stage_of.get(&t.id) == Some(&i);
        let touchpoints = self.map.touchpoints.iter().filter(here).map(|t| &t.id);
        std::iter::once(&stage.id)
            .chain(steps)
            .chain(touchpoints)
            .collect()
    }

    fn feelings(&self, i: usize) -> Vec<MapFeeling> {
        let mut found = Vec::new();
        for id in self.places(i) {
            let name = self.named(id);
            let measured = self.overlay.and_then(|o| {
                let of_stage = o.stage(id.as_str()).and_then(|s| s.emotion.as_ref());
                of_stage.or_else(|| o.touchpoint(id.as_str()).and_then(|t| t.emotion.as_ref()))
            });
            let measured = measured.map(|m| measured_feeling(&name, m));
            let source = measured.as_ref().map(|m| m.source);
            found.extend(measured);
            for e in self.map.emotions.iter().filter(|e| e.at.part() == Some(id)) {
                let of = declared(&e.source);
                // What was measured now stands for what the map wrote down of the same source.
                if Some(of) == source || e.persona.is_some() {
                    continue;
                }
                found.push(MapFeeling {
                    place: name.clone(),
                    source: of,
                    measured: false,
                    valence: Some(e.valence.get()),
                    interval: e.interval.map(|[a, b]| (a.get(), b.get())),
                    n: e.n,
                });
            }
        }
        // A stage as a whole is the mean of its touchpoints: the curve goes through these where any of them has a value.
        let stage = self.map.stages.get(i).map(|s| self.named(&s.id));
        let is_whole = |f: &MapFeeling| f.measured && Some(&f.place) == stage.as_ref();
        let has_parts = |f: &MapFeeling| f.measured && f.valence.is_some() && !is_whole(f);
        if found.iter().any(has_parts) {
            found.retain(|f| !is_whole(f));
        }
        found
    }

    fn kpis(&self, i: usize) -> Vec<MapKpi> {
        let mut found = Vec::new();
        let stage = self.map.stages.get(i).map(|s| &s.id);
        for k in &self.map.kpis {
            let Some(at) = &k.at else { continue };
            if self.stage_of.get(at) == Some(&i) {
                let place = if Some(at) == stage {
                    String::new()
                } else {
                    self.named(at)
                };
                let shown = self.kpi(k, place);
                let measured = self.measured(k);
                match measured.map(|m| m.parts.as_slice()) {
                    None | Some([]) => found.push(shown),
                    Some(parts) => found.extend(parts.iter().take(PARTS).map(|p| part(&shown, p))),
                }
            }
        }
        found
    }

    /// What the overlay has for a number of the map.
    fn measured(&self, k: &KpiBinding) -> Option<&KpiMeasure> {
        let all = self.overlay?.kpis.as_ref()?;
        all.iter().find(|m| m.id == k.id.as_str())
    }

    fn kpi(&self, k: &KpiBinding, place: String) -> MapKpi {
        let known = k.kpi.known();
        let unit = known.map(|k| k.unit).or(k.unit);
        let name = match (&k.name, self.measured(k)) {
            (Some(name), _) => self.text(name),
            (None, Some(measured)) => measured.name.clone(),
            (None, None) => k.label(self.map, self.language),
        };
        let name = if place.is_empty() {
            name
        } else {
            format!("{place}: {name}")
        };
        let measured = self.measured(k);
        let (mut target, mut wanted) = (None, String::new());
        if let Some(t) = &k.target {
            let sign = match t.op.symbol() {
                "<=" => "≤",
                ">=" => "≥",
                other => other,
            };
            let value = match t.value {
                Quantity::Number(x) if unit == Some(KpiUnit::Share) => format::percent(x),
                Quantity::Number(x) => format::number(x),
                Quantity::Span(span) => format::duration(span.as_micros()),
                Quantity::Money(m) => m.to_string(),
            };
            wanted = format!("{sign} {value}");
            if let Some(day) = t.by {
                wanted.push_str(&format!(" by {day}"));
            }
            target = match t.value {
                Quantity::Number(x) => Some(x),
                Quantity::Span(span) => Some(span.as_micros() as f64),
                Quantity::Money(m) => Some(m.minor() as f64),
            };
        }
        // A report says its targets in words.
        if let Some(told) = measured
            .and_then(|m| m.target.as_ref())
            .filter(|_| wanted.is_empty())
        {
            wanted = told.replace("<=", "≤").replace(">=", "≥");
            target = told.trim_start_matches(['<', '>', '=', ' ']).parse().ok();
        }
        // Money of another currency is neither more nor less.
        let is_other = match (k.target.as_ref().map(|t| t.value), measured) {
            (Some(Quantity::Money(wanted)), Some(measured)) => {
                let own = measured.currency.as_ref();
                own.is_none_or(|own| own.code != wanted.currency())
            }
            _ => false,
        };
        let verdict = match (target, measured.and_then(|m| m.met)) {
            (None, _) if wanted.is_empty() => Verdict::None,
            (_, Some(true)) => Verdict::Met,
            (_, Some(false)) => Verdict::Missed,
            // Without a number there is nothing to decide.
            (_, None) if measured.is_none_or(|m| m.value.is_none()) => Verdict::None,
            (_, None) if is_other => Verdict::Incomparable,
            (_, None) => Verdict::Undecided,
        };
        MapKpi {
            name,
            value: measured.and_then(|m| m.value),
            currency: measured.and_then(|m| m.currency.clone()),
            n: measured.map(|m| m.n),
            hole: measured.and_then(|m| m.hole.clone()),
            target,
            wanted,
            verdict,
        }
    }

    fn marks(&self, i: usize) -> Vec<MapMark> {
        let map = self.map;
        let stage = map.stages.get(i).map(|s| &s.id);
        let here = |at: &At| match at {
            At::Part(id) | At::Edge { from: id, .. } => self.stage_of.get(id) == Some(&i),
        };
        let place = |at: &At| match at {
            At::Part(id) if Some(id) == stage => String::new(),
            At::Part(id) => self.named(id),
            At::Edge { from, to } if Some(from) == stage => {
                format!("on the way to {}", self.named(to))
            }
            At::Edge { from, to } => format!("{} → {}", self.named(from), self.named(to)),
        };
        let mut found = Vec::new();
        let mut pains: Vec<_> = map.pains.iter().filter(|p| here(&p.at)).collect();
        pains.sort_by_key(|p| std::cmp::Reverse(p.severity));
        for p in pains {
            let severity = p.severity.map(|s| format!(" (severity {} of 4)", s.get()));
            found.push(MapMark {
                kind: MarkKind::Pain,
                place: place(&p.at),
                text: format!("{}{}", self.text(&p.text), severity.unwrap_or_default()),
            });
        }
        for m in map.moments.iter().filter(|m| here(&m.at)) {
            let what = self.optional(m.text.as_ref());
            let text = match what.is_empty() {
                true => format!("{}, {}", m.kind, m.basis),
                false => format!("{what} ({}, {})", m.kind, m.basis),
            };
            found.push(MapMark {
                kind: MarkKind::Moment,
                place: place(&m.at),
                text,
            });
        }
        for o in map.opportunities.iter().filter(|o| here(&o.at)) {
            let what = self.optional(o.text.as_ref());
            found.push(MapMark {
                kind: MarkKind::Opportunity,
                place: place(&o.at),
                text: if what.is_empty() {
                    o.kind.to_string()
                } else {
                    what
                },
            });
        }
        for e in map.expectations.iter().filter(|e| here(&e.at)) {
            if let Some(promise) = &e.promise {
                let measured = self.overlay.and_then(|o| o.promises.as_ref());
                let measured = measured.and_then(|all| all.iter().find(|p| p.id == e.id.as_str()));
                found.push(MapMark {
                    kind: MarkKind::Promise,
                    place: place(&e.at),
                    text: format!(
                        "{} ({})",
                        self.text(&e.text),
                        measured.map_or_else(|| verdicts::promised(promise), verdicts::kept)
                    ),
                });
            }
        }
        for r in &map.risks {
            if let Some(driver) = r.driver.as_ref().filter(|d| here(d)) {
                found.push(MapMark {
                    kind: MarkKind::Risk,
                    place: place(driver),
                    text: self.text(&r.text),
                });
            }
        }
        found
    }

    /// Ways between stages that do not lead to the next one of the picture.
    fn ways(&self) -> Vec<MapWay> {
        let Some(o) = self.overlay else {
            return Vec::new();
        };
        let place = |id: &str| self.map.stages.iter().position(|s| s.id == id);
        let edges = o.edges.iter().filter(|e| e.kind == CellKind::Stage);
        let mut ways: Vec<MapWay> = edges
            .filter_map(|e| {
                let (from, to) = (place(&e.from)?, place(&e.to)?);
                let shown = to != from + 1 && to != from && e.journeys > 0;
                shown.then_some(MapWay {
                    from,
                    to,
                    reach: e.reach,
                })
            })
            .collect();
        ways.sort_by_key(|w| (std::cmp::Reverse(w.reach.count), w.from, w.to));
        ways
    }
}

/// One of several numbers of a KPI.
fn part(whole: &MapKpi, part: &KpiPart) -> MapKpi {
    MapKpi {
        name: format!("{}: {}", whole.name, part.key),
        value: part.value,
        n: Some(part.n),
        hole: part.hole.clone(),
        verdict: match (whole.verdict, part.met) {
            (Verdict::None, _) if whole.wanted.is_empty() => Verdict::None,
            (_, Some(true)) => Verdict::Met,
            (_, Some(false)) => Verdict::Missed,
            (_, None) if part.value.is_none() => Verdict::None,
            (Verdict::Incomparable, None) => Verdict::Incomparable,
            (_, None) => Verdict::Undecided,
        },
        ..whole.clone()
    }
}

fn reached(t: &MapTouchpoint) -> u64 {
    match &t.presence {
        Presence::Measured(Rate { count, .. }) => *count,
        _ => 0,
    }
}

fn measured_feeling(place: &str, m: &EmotionMeasure) -> MapFeeling {
    let source = match m.source.as_str() {
        "text_model" => FeelingSource::Text,
        "behaviour_proxy" => FeelingSource::Proxy,
        "expert_guess" => FeelingSource::Guess,
        "target" => FeelingSource::Target,
        _ => FeelingSource::Said,
    };
    MapFeeling {
        place: place.to_owned(),
        source,
        measured: true,
        valence: m.valence.map(|e| e.value),
        interval: m.valence.map(|e| (e.lower, e.upper)),
        n: Some(m.n),
    }
}

fn declared(source: &EmotionSource) -> FeelingSource {
    match source {
        EmotionSource::SelfReport | EmotionSource::Survey => FeelingSource::Said,
        EmotionSource::TextModel(_) => FeelingSource::Text,
        EmotionSource::BehaviourProxy => FeelingSource::Proxy,
        EmotionSource::ExpertGuess => FeelingSource::Guess,
        EmotionSource::Target => FeelingSource::Target,
    }
}
