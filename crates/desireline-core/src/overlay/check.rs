//! `map check` with a log.

use serde::Serialize;

use super::bind::{BoundMap, LenientMatcher};
use super::coverage::{Counts, Coverage, Question, count};
use super::periods::{Periods, change};
use super::plan::ALIVE;
use super::run::select;
use crate::engine::Exec;
use crate::error::Result;
use crate::expr::{Expr, nearest};
use crate::journey::{JourneyRule, Journeys, Matcher};
use crate::log::Catalog;
use crate::map::check::{CheckOptions, CheckReport, Code, Notes};
use crate::map::{Dwell, Id, JourneyMap, MapFile, Observability, Share, Touchpoint};

/// What is said of a map that was held against a log.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MapCheck {
    /// What is said.
    pub report: CheckReport,
    /// How the map covers the log; nothing where its bindings cannot be bound.
    pub coverage: Option<Coverage>,
}

/// The rule that a map's `scope.journeys` means.
///
/// # Errors
/// A calendar unit that is none.
pub fn journey_rule(map: &JourneyMap) -> Result<JourneyRule> {
    let Some(cut) = map.scope.as_ref().and_then(|s| s.journeys.as_ref()) else {
        return Ok(JourneyRule::customer());
    };
    let mut rule = match &cut.calendar {
        Some(calendar) => JourneyRule::from_parts([format!("calendar={calendar}").as_str()])?,
        None => JourneyRule::customer(),
    };
    rule.column.clone_from(&cut.column);
    rule.gap = cut.gap;
    rule.start.clone_from(&cut.start);
    rule.max_span = cut.max_span;
    rule.end.clone_from(&cut.end);
    if cut.goal_ends == Some(true) {
        let goals = map.goals.iter().filter_map(|g| g.success.clone());
        rule.end = cut.end.iter().cloned().chain(goals).reduce(Expr::or);
    }
    Ok(rule)
}

/// Looks at a map by itself and against a log cut into journeys; [`journey_rule`] says how the map wants them cut.
///
/// # Errors
/// Cancellation. What is wrong with the map is in the report.
pub fn check(
    file: &MapFile,
    journeys: &Journeys,
    options: &CheckOptions,
    exec: &Exec,
) -> Result<MapCheck> {
    let mut notes = Notes::new(file, options);
    notes.look();
    let map = file.map();
    let catalog = journeys.catalog();
    let sound = conditions(&mut notes, catalog) & columns(&mut notes, catalog);
    if !sound {
        return Ok(MapCheck {
            report: notes.finish(),
            coverage: None,
        });
    }
    let selected = select(map, journeys)?;
    let journeys = selected.as_ref().unwrap_or(journeys);
    let bound = BoundMap::new(map, catalog)?;
    let matcher = |expr: &Expr| LenientMatcher::new(expr, catalog).map(|b| b.matcher);
    let goals: Vec<(usize, Matcher)> = map
        .goals
        .iter()
        .enumerate()
        .filter_map(|(i, g)| Some((i, g.success.as_ref()?)))
        .map(|(i, e)| Ok((i, matcher(e)?)))
        .collect::<Result<_>>()?;
    let personas: Vec<(usize, Matcher)> = map
        .personas
        .iter()
        .enumerate()
        .filter_map(|(i, p)| Some((i, p.member.as_ref()?)))
        .map(|(i, e)| Ok((i, matcher(e)?)))
        .collect::<Result<_>>()?;
    let window = map.scope.as_ref().and_then(|s| s.window.as_ref());
    let zone = window.and_then(|w| w.zone.as_deref()).unwrap_or("UTC");
    let window = window.and_then(crate::map::Window::micros);
    let (from, to) = window.unwrap_or((i64::MIN, i64::MAX));
    let until = catalog.observed_until.min(to);
    let periods = Periods::new(catalog.first_time.max(from), until, zone);
    let only = |list: &[(usize, Matcher)]| list.iter().map(|(_, m)| m.clone()).collect::<Vec<_>>();
    let question = Question {
        bound: &bound,
        goals: &only(&goals),
        personas: &only(&personas),
        window,
        until,
        alive: journeys
            .rule()
            .gap
            .map_or(ALIVE, crate::time::TimeSpan::as_micros),
        periods: &periods,
        channel: catalog.channel,
    };
    let counts = count(&question, journeys, exec)?;
    let mut said = Said {
        notes,
        map,
        catalog,
        bound: &bound,
        counts: &counts,
    };
    said.bindings();
    said.goals(&goals);
    said.orphans();
    said.channels();
    said.personas(&personas);
    said.unheard();
    said.clock(question.window);
    said.open();
    let tracking_unknown = said.drift(&periods);
    let mut coverage = Coverage::of(&counts, &bound, journeys);
    coverage.tracking_unknown = tracking_unknown;
    Ok(MapCheck {
        report: said.notes.finish(),
        coverage: Some(coverage),
    })
}

/// Whether every condition fits the columns of the log; names of events that it does not have are said, too.
fn conditions(notes: &mut Notes<'_>, catalog: &Catalog) -> bool {
    let mut sound = true;
    for (pointer, expr) in notes.file.map().conditions() {
        match LenientMatcher::new(&expr, catalog) {
            Ok(bound) => {
                for unknown in bound.unknown {
                    let at = notes.file.place_in(&pointer, unknown.at);
                    let message = format!("the log has no event `{}`", unknown.name);
                    let help = unknown.nearest.map(|n| format!("did you mean `{n}`?"));
                    notes.say_at(Code::Dead, Code::Dead.level(), &pointer, at, message, help);
                }
            }
            Err(error) => {
                sound = false;
                let at = match error.span() {
                    Some(inner) => notes.file.place_in(&pointer, inner),
                    None => notes.file.place(&pointer),
                };
                let told = error.to_string();
                let message = match told.split_once(": ") {
                    Some((lead, rest)) if lead.starts_with("at ") => rest.to_owned(),
                    _ => told,
                };
                notes.say_at(Code::Type, Code::Type.level(), &pointer, at, message, None);
            }
        }
    }
    sound
}

/// Whether the attributes that the map names outside of expressions are in the log.
fn columns(notes: &mut Notes<'_>, catalog: &Catalog) -> bool {
    let map = notes.file.map();
    let mut named: Vec<(String, &String)> = Vec::new();
    for (i, t) in map.touchpoints.iter().enumerate() {
        if let Some(Dwell::Attribute(name)) = t.binding.as_ref().and_then(|b| b.dwell.as_ref()) {
            named.push((format!("/touchpoints/{i}/binding/dwell"), name));
        }
    }
    let mut sound = true;
    for (pointer, name) in named {
        if catalog.attribute(name).is_none() {
            sound = false;
            let near = nearest(name, catalog.attributes.iter().map(|a| a.name.as_str()));
            let help = near.map(|n| format!("did you mean `{n}`?"));
            notes.say(
                Code::Type,
                &pointer,
                format!("the log has no attribute `{name}`"),
                help,
            );
        }
    }
    sound
}

struct Said<'s> {
    notes: Notes<'s>,
    map: &'s JourneyMap,
    catalog: &'s Catalog,
    bound: &'s BoundMap,
    counts: &'s Counts,
}

impl<'s> Said<'s> {
    fn touchpoint(&self, binding: usize) -> &'s Touchpoint {
        &self.map.touchpoints[self.bound.bindings[binding].touchpoint]
    }

    fn name(&self, t: &'s Touchpoint) -> &'s str {
        t.name.get(self.map.main_language())
    }

    fn pointer(&self, binding: usize) -> String {
        format!(
            "/touchpoints/{}/binding",
            self.bound.bindings[binding].touchpoint
        )
    }

    fn share(&self, of: fn(&crate::map::CheckSettings) -> Option<Share>, usual: f64) -> f64 {
        self.notes.settings().and_then(of).map_or(usual, Share::get)
    }

    fn bindings(&mut self) {
        let n = self.bound.bindings.len();
        let min = self.notes.min_n();
        for b in 0..n {
            let name = self.name(self.touchpoint(b));
            let pointer = self.pointer(b);
            let (matched, taken) = (self.counts.matched[b], self.counts.taken[b]);
            if matched == 0 {
                // Where the only names are gone, that was said at the names.
                let bound = &self.bound.bindings[b];
                if bound.unknown.is_empty() {
                    let message = format!("`{name}` matches no event of the log");
                    self.notes.say(Code::Dead, &pointer, message, None);
                }
                continue;
            }
            if taken == 0 {
                let lost = self.counts.lost_to.range((b, 0)..(b + 1, 0));
                let takers: Vec<String> = lost
                    .map(|((_, taker), _)| format!("`{}`", self.bound.bindings[*taker].id))
                    .collect();
                let message = format!(
                    "all {matched} events of `{name}` are taken by {}",
                    takers.join(", ")
                );
                let help = "give it a higher `priority`, or narrow the others";
                self.notes
                    .say(Code::Shadow, &pointer, message, Some(help.to_owned()));
                continue;
            }
            let reached = self.counts.reached[b];
            if reached < min {
                let message = format!("`{name}` was met by {reached} customers, fewer than {min}");
                self.notes.say(Code::Small, &pointer, message, None);
            }
        }
    }

    fn goals(&mut self, goals: &[(usize, Matcher)]) {
        for ((i, _), n) in goals.iter().zip(&self.counts.goals) {
            let goal = &self.map.goals[*i];
            let success = goal.success.as_ref();
            let unknown = success.and_then(|e| LenientMatcher::new(e, self.catalog).ok());
            if *n == 0 && unknown.is_some_and(|u| u.unknown.is_empty()) {
                let message = format!(
                    "nobody reaches the goal `{}`: its `success` matches no event",
                    goal.id
                );
                self.notes
                    .say(Code::Dead, &format!("/goals/{i}/success"), message, None);
            }
        }
    }

    fn orphans(&mut self) {
        const SHOWN: usize = 5;
        let total: u64 = self.counts.orphans.iter().sum();
        let share = ratio(total, self.counts.events);
        if total == 0 || share <= self.share(|s| s.orphans, 0.05) || self.map.touchpoints.is_empty()
        {
            return;
        }
        let mut names: Vec<(u64, &str)> = self
            .catalog
            .events
            .names()
            .zip(&self.counts.orphans)
            .filter(|(_, n)| **n > 0)
            .map(|(name, n)| (*n, name))
            .collect();
        names.sort_by(|a, b| (b.0, a.1).cmp(&(a.0, b.1)));
        let mut shown: Vec<String> = names
            .iter()
            .take(SHOWN)
            .map(|(n, name)| format!("`{name}` ({n})"))
            .collect();
        if names.len() > SHOWN {
            shown.push(format!("{} more names", names.len() - SHOWN));
        }
        let message = format!(
            "{total} of {} events ({}) belong to no touchpoint: {}",
            self.counts.events,
            percent(share),
            shown.join(", ")
        );
        let help = "bind them, or allow a larger share with `checks: {orphans: …}`";
        self.notes
            .say(Code::Orphan, "/touchpoints", message, Some(help.to_owned()));
    }

    fn channels(&mut self) {
        let Some(info) = self
            .catalog
            .channel
            .and_then(|c| self.catalog.attributes.get(c))
        else {
            return;
        };
        let values: Vec<(&str, u64)> = info
            .dictionary
            .names()
            .zip(self.counts.channels.iter().copied())
            .collect();
        for (i, channel) in self.map.channels.iter().enumerate() {
            let observed = self.map.touchpoints.iter().any(|t| {
                t.channel.as_ref() == Some(&channel.id) && t.traces() == Observability::Observed
            });
            let there = values.iter().any(|(v, n)| *n > 0 && channel.is_called(v));
            if observed && !there {
                let message = format!(
                    "no event of the log comes through the channel `{}`",
                    channel.id
                );
                let help = "say under `values` what the log calls it";
                self.notes.say(
                    Code::Channel,
                    &format!("/channels/{i}"),
                    message,
                    Some(help.to_owned()),
                );
            }
        }
        for (value, n) in values {
            if n > 0
                && !self.map.channels.is_empty()
                && !self.map.channels.iter().any(|c| c.is_called(value))
            {
                let message =
                    format!("{n} events come through `{value}`, which is no channel of the map");
                self.notes.say(Code::Channel, "/channels", message, None);
            }
        }
    }

    fn personas(&mut self, personas: &[(usize, Matcher)]) {
        let n = personas.len();
        for (a, (i, _)) in personas.iter().enumerate() {
            let one = &self.map.personas[*i];
            if self.counts.members[a] == 0 {
                let message = format!("no customer belongs to the persona `{}`", one.id);
                self.notes
                    .say(Code::Dead, &format!("/personas/{i}/member"), message, None);
            }
            for (b, (j, _)) in personas.iter().enumerate().skip(a + 1) {
                let other = &self.map.personas[*j];
                let both = self.counts.both[a * n + b];
                let declared = one.overlaps.contains(&other.id) || other.overlaps.contains(&one.id);
                if both > 0 && !declared && one.member != other.member {
                    let message = format!(
                        "{both} customers belong to both `{}` and `{}`",
                        one.id, other.id
                    );
                    let help = "tell them apart, or list one under `overlaps` of the other";
                    self.notes.say(
                        Code::Overlap,
                        &format!("/personas/{j}/member"),
                        message,
                        Some(help.to_owned()),
                    );
                }
            }
        }
    }

    /// Touchpoints that many meet and nobody asks about.
    fn unheard(&mut self) {
        let limit = self.share(|s| s.unheard, 0.05);
        for b in 0..self.bound.bindings.len() {
            let share = ratio(self.counts.reached[b], self.counts.customers);
            let t = self.touchpoint(b);
            if self.counts.reached[b] == 0 || share < limit || is_heard(self.map, t) {
                continue;
            }
            let message = format!(
                "{} customers ({}) meet `{}`, and nobody asks them about it",
                self.counts.reached[b],
                percent(share),
                self.name(t)
            );
            // 1.96² · 0.25 / 0.1²
            let help = "about 97 answers tell a share to ±10 points";
            let place = self.bound.bindings[b].touchpoint;
            self.notes.say(
                Code::Blind,
                &format!("/touchpoints/{place}"),
                message,
                Some(help.to_owned()),
            );
        }
    }

    fn clock(&mut self, window: Option<(i64, i64)>) {
        let [before, after] = self.counts.outside;
        if window.is_none() || before + after == 0 {
            return;
        }
        let all = self.counts.events + before + after;
        let share = ratio(before + after, all);
        let message = format!(
            "{} of {all} events ({}) lie outside of the window: {before} before it, {after} after it",
            before + after,
            percent(share)
        );
        self.notes.say(Code::Clock, "/scope/window", message, None);
    }

    fn open(&mut self) {
        let share = ratio(self.counts.open, self.counts.journeys);
        if self.counts.open > 0 && share > self.share(|s| s.open, 0.2) {
            let message = format!(
                "{} of {} journeys ({}) are still open at the end of observation",
                self.counts.open,
                self.counts.journeys,
                percent(share)
            );
            let help = "wait, or look at a window that ended earlier";
            self.notes.say(
                Code::Censor,
                "/scope/journeys",
                message,
                Some(help.to_owned()),
            );
        }
    }

    /// Shares that changed at once, by a factor of two or more, and not by chance.
    /// Says why nothing was looked at, where that is so.
    fn drift(&mut self, periods: &Periods) -> Option<String> {
        const FACTOR: f64 = 2.0;
        const LEVEL: f64 = 0.01;
        let n = self.bound.bindings.len();
        if let Some(why) = periods.too_few(&self.counts.active) {
            return Some(why);
        }
        let mut found = Vec::new();
        for b in 0..n {
            let hits: Vec<u64> = (0..periods.len())
                .map(|p| self.counts.seen[p * n + b])
                .collect();
            if let Some(change) = change(&hits, &self.counts.active) {
                found.push((b, change));
            }
        }
        let p: Vec<f64> = found.iter().map(|(_, c)| c.p).collect();
        let q = desireline_stats::benjamini_hochberg(&p).unwrap_or_default();
        for ((b, change), q) in found.into_iter().zip(q) {
            let (low, high) = (
                change.before.min(change.after),
                change.before.max(change.after),
            );
            if q >= LEVEL || high < FACTOR * low {
                continue;
            }
            let message = format!(
                "from the {} of {} on, `{}` is met by {} of the customers active in a {} instead of {} (q = {})",
                periods.word,
                periods.name(change.at),
                self.name(self.touchpoint(b)),
                percent(change.after),
                periods.word,
                percent(change.before),
                if q < 0.0001 {
                    "0.0001 or less".to_owned()
                } else {
                    format!("{q:.4}")
                },
            );
            let help = "look whether tracking changed before you look for reasons";
            let pointer = self.pointer(b);
            self.notes
                .say(Code::Drift, &pointer, message, Some(help.to_owned()));
        }
        None
    }
}

/// Whether customers are asked about a touchpoint or a stage it sits in: by a feedback point, a measured feeling, or a KPI of what
/// they say.
pub fn is_heard(map: &JourneyMap, t: &Touchpoint) -> bool {
    let here = |id: &Id| *id == t.id || t.is_in(id);
    map.feedback.iter().any(|f| here(&f.at))
        || map
            .emotions
            .iter()
            .any(|e| e.source.is_measured() && e.at.ids().any(here))
        || map.kpis.iter().any(|k| {
            k.kpi.known().is_some_and(|known| known.is_voice) && k.at.as_ref().is_some_and(here)
        })
}

#[allow(clippy::cast_precision_loss)] // counts of events
fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}

fn percent(share: f64) -> String {
    let points = share * 100.0;
    match points {
        _ if points == 0.0 => "0 %".to_owned(),
        p if p < 0.1 => "under 0.1 %".to_owned(),
        p if p < 10.0 => format!("{p:.1} %"),
        p => format!("{p:.0} %"),
    }
}
