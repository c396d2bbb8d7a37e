//! The part of a page that shows a map: cover, picture, tables, what is not seen, what it rests on, what the check says.

use std::borrow::Borrow;

use desireline_core::map::check::Level;
use desireline_core::map::{Id, JourneyMap, LocalizedText};
use desireline_core::overlay::report::{Health, OverlayReport, PromiseVerdict};
use desireline_core::overlay::{MapCheck, VoiceReport};
use desireline_core::report::{Caveat, Report};
use minijinja::context;
use minijinja::value::{Serde, Value};

use super::{Fact, Grid, Head, tables};
use crate::format;
use crate::names::visible;
use crate::svg::{MAP_WIDE, MapPicture, NARROW, WIDE};
use crate::verdicts;
use crate::view::origin;

/// Rows of a list on the page.
const ROWS: usize = 40;

/// A map, as a page shows it.
#[derive(Clone, Copy, Debug)]
pub struct MapView<'a> {
    /// The map.
    pub map: &'a JourneyMap,
    /// What a log says to it.
    pub overlay: Option<&'a OverlayReport>,
    /// All that customers say along it; the picture and the tables of the overlay hold the sums.
    pub voice: Option<&'a VoiceReport>,
    /// What `map check` says of it.
    pub check: Option<&'a MapCheck>,
    /// Whether facts that personas call sensitive are shown.
    pub sensitive: bool,
}

impl<'a> MapView<'a> {
    /// A map as it was drawn; what is measured, said and checked is added to its fields.
    pub fn new(map: &'a JourneyMap) -> MapView<'a> {
        MapView {
            map,
            overlay: None,
            voice: None,
            check: None,
            sensitive: false,
        }
    }
}

/// What the template gets.
pub(super) struct Shown {
    pub(super) facts: Vec<Fact>,
    pub(super) subtitle: String,
    pub(super) origin: String,
    pub(super) caveats: Vec<Caveat>,
    values: Value,
}

impl Shown {
    pub(super) fn values(&self) -> Value {
        self.values.clone()
    }
}

pub(super) fn shown(text: &str) -> String {
    visible(text).into_owned()
}

impl MapView<'_> {
    /// The map's title, in the language in which it was measured.
    pub fn title(&self) -> String {
        self.text(&self.map.title)
    }

    /// In which language the page speaks of the map: that of its measures.
    pub(super) fn language(&self) -> &str {
        let measured = self.overlay.map(|o| o.map.language.as_str());
        measured.unwrap_or_else(|| self.map.main_language())
    }

    pub(super) fn text(&self, text: &LocalizedText) -> String {
        text.get(self.language()).to_owned()
    }

    /// What a part of the map is called.
    pub(super) fn named(&self, id: &(impl Borrow<str> + ?Sized)) -> String {
        self.map.label_of(id, self.language()).to_owned()
    }

    /// What somebody who owns a part is called.
    pub(super) fn owner(&self, id: &Id) -> String {
        self.map.stakeholder_label(id, self.language()).to_owned()
    }

    pub(super) fn shown(&self) -> Shown {
        let mut picture = MapPicture::of(self.map, self.overlay);
        let facts = std::mem::take(&mut picture.facts);
        let subtitle = std::mem::take(&mut picture.subtitle);
        let facts = facts.into_iter().map(|f| Fact {
            label: shown(&f.label),
            value: shown(&f.value),
            note: shown(&f.note),
        });
        picture.title = match self.overlay {
            Some(_) => format!("{}, measured", self.title()),
            None => self.title(),
        };
        let safe = |svgs: Vec<String>| {
            svgs.into_iter()
                .map(Value::from_safe_string)
                .collect::<Vec<_>>()
        };
        let values = context! {
            heading => self.heading(),
            wide => safe(picture.sheets(MAP_WIDE)),
            middle => safe(picture.sheets(WIDE)),
            narrow => safe(picture.sheets(NARROW)),
            cover => Serde(self.cover()),
            tables => Serde(self.overlay.map(|o| tables(o as &dyn Report)).unwrap_or_default()),
            findings => Serde(super::findings::findings(self)),
            doing => self.doing(),
            people => super::people::people(self),
            voice => self.voice.map(heard),
            blind => self.blind(),
            grounds => Serde(self.grounds()),
            check => self.validation(),
            limits => self.limits(),
        };
        Shown {
            facts: facts.collect(),
            subtitle: shown(&subtitle),
            origin: self.overlay.map_or_else(
                || {
                    format!(
                        "map {:.12} · desireline {}",
                        format!("{:032x}", self.map.fingerprint()),
                        env!("CARGO_PKG_VERSION")
                    )
                },
                |o| shown(&origin(&o.provenance)),
            ),
            caveats: self.caveats(),
            values,
        }
    }

    /// What is to be known of the log and of the answers, each once.
    fn caveats(&self) -> Vec<Caveat> {
        let mut all = self.overlay.map(|o| o.caveats.clone()).unwrap_or_default();
        for caveat in self.voice.into_iter().flat_map(|v| &v.caveats) {
            if !all.contains(caveat) {
                all.push(caveat.clone());
            }
        }
        all
    }

    fn heading(&self) -> String {
        match self.overlay {
            None => "The map as it was drawn".to_owned(),
            Some(o) => match o.base.goal.estimate {
                Some(e) => format!("{} of journeys reach a goal", format::estimate(&e)),
                None => "The map, measured".to_owned(),
            },
        }
    }

    /// What every reader has to know of a map before its numbers.
    fn cover(&self) -> Vec<[String; 2]> {
        let map = self.map;
        let mut rows: Vec<[String; 2]> = Vec::new();
        let mut say = |what: &str, told: String| {
            if !told.is_empty() {
                rows.push([what.to_owned(), shown(&told)]);
            }
        };
        let scope = map.scope.as_ref();
        say(
            "Map",
            format!(
                "{} {}, {}, {}",
                map.id,
                map.version,
                map.kind.word(),
                map.status
            ),
        );
        say(
            "As of",
            format!(
                "{}, to be looked at every {}",
                map.as_of,
                map.reviewed_every()
            ),
        );
        say("Owner", self.owner(&map.owner));
        if let Some(scope) = scope {
            say(
                "Aim",
                scope.aim.as_ref().map(|a| self.text(a)).unwrap_or_default(),
            );
            say(
                "Scenario",
                scope
                    .scenario
                    .as_ref()
                    .map(|a| self.text(a))
                    .unwrap_or_default(),
            );
            if let Some(w) = &scope.window {
                say(
                    "Window",
                    format!(
                        "{} to before {}, {}",
                        w.from,
                        w.to,
                        w.zone.as_deref().unwrap_or("UTC")
                    ),
                );
            }
            say(
                "Counted",
                scope.unit.map(|u| u.to_string()).unwrap_or_default(),
            );
            say(
                "Customers",
                scope
                    .segment
                    .as_ref()
                    .map(ToString::to_string)
                    .unwrap_or_default(),
            );
        }
        if let Some(o) = self.overlay {
            let b = &o.base;
            say(
                "Journeys",
                format!(
                    "cut by {}; {} of {}, {}",
                    o.provenance.rule,
                    format::counted(b.journeys, "journey"),
                    format::counted(b.customers, "customer"),
                    format::counted(b.events, "event")
                ),
            );
            say(
                "On the map",
                format!(
                    "{} of events belong to a touchpoint; {} have none that does",
                    share(b.bound_share),
                    format::counted(b.off_map, "journey")
                ),
            );
            say(
                "Open",
                format!(
                    "{} of journeys may still go on: they count neither as reached nor as lost",
                    share(b.open_share)
                ),
            );
            if b.outside_window != (0, 0) {
                say(
                    "Outside the window",
                    format!(
                        "{} before it and {} after it, which count nowhere else",
                        format::counted(b.outside_window.0, "event"),
                        format::count(b.outside_window.1)
                    ),
                );
            }
            say("Log", o.provenance.fingerprint.clone());
        }
        say(
            "Fingerprint of the map",
            format!("{:032x}", map.fingerprint()),
        );
        say(
            "Engine",
            format!("desireline {}", env!("CARGO_PKG_VERSION")),
        );
        rows
    }

    /// Which promises are kept, and how touchpoints are doing.
    fn doing(&self) -> Vec<Value> {
        let Some(o) = self.overlay else {
            return Vec::new();
        };
        let mut found = Vec::new();
        let mut say = |what: &str, told: Vec<String>| {
            let more = told.len().saturating_sub(ROWS);
            let told: Vec<String> = told.iter().take(ROWS).map(|t| shown(t)).collect();
            if !told.is_empty() {
                found.push(context! { what => what, told => told, more => more });
            }
        };
        let promises = |verdict: Option<PromiseVerdict>| {
            let all = o.promises.iter().flatten();
            let told = all.filter(|p| p.verdict == verdict);
            told.map(|p| format!("{}: {}", p.text, verdicts::kept(p)))
                .collect()
        };
        for (what, verdict) in [
            ("Promises that are broken", Some(PromiseVerdict::Broken)),
            (
                "Promises of which it cannot be said yet",
                Some(PromiseVerdict::Undecided),
            ),
            ("Promises that are kept", Some(PromiseVerdict::Kept)),
            ("Promises that cannot be measured here", None),
        ] {
            say(what, promises(verdict));
        }
        for (what, verdict) in [
            ("Missing touchpoints", Health::Missing),
            ("Underperforming touchpoints", Health::Underperforming),
            ("Underdeveloped touchpoints", Health::Underdeveloped),
            ("Touchpoints of which nothing can be said", Health::Unknown),
            ("Healthy touchpoints", Health::Healthy),
        ] {
            let here = o.health.iter().filter(|h| h.verdict == verdict);
            say(what, here.map(verdicts::health).collect());
        }
        found
    }

    /// What nobody sees or hears.
    fn blind(&self) -> Vec<Value> {
        let map = self.map;
        let mut found = Vec::new();
        let mut say = |what: &str, told: Vec<String>| {
            let more = told.len().saturating_sub(ROWS);
            let told: Vec<String> = told.iter().take(ROWS).map(|t| shown(t)).collect();
            if !told.is_empty() {
                found.push(context! { what => what, told => told, more => more });
            }
        };
        let unbound = map.touchpoints.iter().filter(|t| {
            t.binding.is_none() && t.traces() == desireline_core::map::Observability::Observed
        });
        say(
            "Observed touchpoints without a binding: no log can show them",
            unbound.map(|t| self.text(&t.name)).collect(),
        );
        let touchpoints = map.touchpoints.iter();
        let unheard = touchpoints.filter(|t| !desireline_core::overlay::is_heard(map, t));
        say(
            "Touchpoints where nobody is asked, nor in their stage",
            unheard.map(|t| self.text(&t.name)).collect(),
        );
        if let Some(o) = self.overlay {
            say(
                "Bound touchpoints without a single event",
                o.never_seen.iter().map(|id| self.named(id)).collect(),
            );
            let orphan = |c: &desireline_core::overlay::OrphanCount| {
                format!("{} ({})", c.event, format::counted(c.events, "event"))
            };
            say(
                "Events that belong to no touchpoint, the most frequent first",
                o.coverage.orphans.iter().map(orphan).collect(),
            );
        }
        found
    }

    /// What the map rests on, and what is only assumed.
    fn grounds(&self) -> Vec<Grid> {
        let map = self.map;
        let evidence: Vec<Vec<String>> = map
            .evidence
            .iter()
            .map(|e| {
                let until = e.expires(map.reviewed_every());
                let stale = until.is_some_and(|d| d < map.as_of);
                vec![
                    e.text
                        .as_ref()
                        .map_or_else(|| e.id.to_string(), |t| self.text(t)),
                    e.tier.to_string(),
                    e.kind.to_string().replace('_', " "),
                    e.n.map(format::count).unwrap_or_default(),
                    e.collected_at.map(|d| d.to_string()).unwrap_or_default(),
                    until
                        .map(|d| {
                            if stale {
                                format!("{d}, before the map's day")
                            } else {
                                d.to_string()
                            }
                        })
                        .unwrap_or_default(),
                ]
            })
            .collect();
        let assumptions: Vec<Vec<String>> = map
            .assumptions
            .iter()
            .map(|a| {
                vec![
                    self.text(&a.text),
                    a.test.as_ref().map(|t| self.text(t)).unwrap_or_default(),
                    a.due.map(|d| d.to_string()).unwrap_or_default(),
                    a.owner.as_ref().map(|o| self.owner(o)).unwrap_or_default(),
                ]
            })
            .collect();
        let mut grids = Vec::new();
        let all = [
            (
                "What it rests on",
                &["what", "tier", "source", "n", "collected", "good until"][..],
                evidence,
            ),
            (
                "What is only assumed",
                &["assumption", "how it can be tested", "due", "owner"][..],
                assumptions,
            ),
        ];
        for (title, heads, rows) in all {
            if !rows.is_empty() {
                grids.push(grid(title, heads, &rows));
            }
        }
        grids
    }

    fn validation(&self) -> Option<Value> {
        let check = self.check?;
        let count = |level| {
            check
                .report
                .notices
                .iter()
                .filter(|n| n.level == level)
                .count()
        };
        let (errors, warnings) = (count(Level::Error), count(Level::Warning));
        let told = match (errors, warnings) {
            (0, 0) => "The check has nothing to say.".to_owned(),
            _ => format!(
                "The check found {} and {}.",
                format::counted(errors as u64, "error"),
                format::counted(warnings as u64, "warning")
            ),
        };
        let notices = check.report.notices.iter().take(ROWS).map(|n| {
            context! { level => n.level.word(), code => n.code.as_str(), told => shown(&n.told()) }
        });
        let notices: Vec<Value> = notices.collect();
        let more = check.report.notices.len().saturating_sub(ROWS);
        Some(context! { told => told, notices => notices, more => more })
    }

    fn limits(&self) -> Vec<String> {
        let Some(o) = self.overlay else {
            return vec!["Nothing here was measured. What the map says, people said.".to_owned()];
        };
        let b = &o.base;
        vec![
            format!(
                "Rates of journeys have Wilson intervals that allow for customers with several journeys, at {} %; below {} \
                 observations there is a hole instead of a number.",
                format::number((b.level * 1000.0).round() / 10.0),
                b.min_n
            ),
            format!(
                "A journey whose last event lies less than {} before {} may still go on; it is in no base of a rate of outcomes.",
                format::duration(b.alive),
                format::date(b.observed_until)
            ),
            "How long visits last is estimated by Kaplan and Meier: what the end of a journey cut off counts as at least that \
             long, not as short."
                .to_owned(),
            "Reaching a touchpoint and reaching a goal go together or not; that is an association, not an effect.".to_owned(),
            "An event belongs to the touchpoint whose binding takes it first; a touchpoint in several stages is in the one its \
             conditions name, else in the last that the journey has come to."
                .to_owned(),
        ]
    }
}

/// The part of a page about answers; what the picture's lanes sum up comes last.
fn heard(voice: &VoiceReport) -> Value {
    let mut all = tables(voice as &dyn Report);
    let sums = voice.tables().iter().position(|t| t.name == "heard");
    let sums = sums.unwrap_or(0).min(all.len());
    all.rotate_left(sums);
    let heading = format!(
        "{} of {} have enough answers; {} of {} found a place",
        format::count(voice.coverage.count),
        format::counted(voice.coverage.n, "touchpoint"),
        format::count(voice.joined),
        format::counted(voice.answers, "answer"),
    );
    context! { heading => heading, tables => Serde(all) }
}

fn share(s: Option<f64>) -> String {
    s.map_or_else(|| "none".to_owned(), format::percent)
}

/// A head with a capital letter, unless it is a symbol such as `q`.
fn headed(head: &str) -> String {
    let mut letters = head.chars();
    match letters.next() {
        Some(first) if !letters.as_str().is_empty() => {
            first.to_uppercase().chain(letters).collect()
        }
        _ => head.to_owned(),
    }
}

pub(super) fn grid(title: &str, heads: &[&str], rows: &[Vec<String>]) -> Grid {
    let filled: Vec<usize> = (0..heads.len())
        .filter(|i| {
            rows.iter()
                .any(|r| r.get(*i).is_some_and(|c| !c.is_empty()))
        })
        .collect();
    let head = |i: &usize| Head {
        label: heads.get(*i).map(|h| headed(h)).unwrap_or_default(),
        words: true,
    };
    let cell = |row: &Vec<String>, i: &usize| super::Cell {
        words: true,
        parts: vec![row.get(*i).map(|c| shown(c)).unwrap_or_default()],
        interval: None,
    };
    Grid {
        title: title.to_owned(),
        columns: filled.iter().map(head).collect(),
        parts: vec![(0..filled.len()).collect()],
        rows: rows
            .iter()
            .take(super::ROWS)
            .map(|r| filled.iter().map(|i| cell(r, i)).collect())
            .collect(),
        n_rows: format::count(rows.len() as u64),
        hidden: (rows.len() > super::ROWS)
            .then(|| format::count((rows.len() - super::ROWS) as u64)),
    }
}
