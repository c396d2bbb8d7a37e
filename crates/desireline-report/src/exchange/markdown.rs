//! A map as a document to read, with a table for each kind of part.

mod findings;
mod shown;

use std::fmt::Write as _;

use desireline_core::map::{
    At, Estimate, Id, JourneyMap, LocalizedText, MapKind, MoneyRate, Quantity,
};

pub(super) use self::shown::SHOWN;
use super::header::{line, plain};
use crate::format;
use crate::markdown::escape;

struct Page<'m> {
    map: &'m JourneyMap,
    out: String,
}

pub(super) fn write(map: &JourneyMap) -> String {
    let mut page = Page {
        map,
        out: String::new(),
    };
    page.head();
    page.stages();
    page.people();
    page.places();
    page.findings();
    page.numbers();
    page.grounds();
    page.out
}

impl Page<'_> {
    fn text(&self, text: &LocalizedText) -> String {
        plain(self.map, text)
    }

    fn optional(&self, text: Option<&LocalizedText>) -> String {
        text.map(|t| self.text(t)).unwrap_or_default()
    }

    /// What a part is called; its id where it has no name.
    fn named(&self, id: &Id) -> String {
        line(self.map.label_of(id, self.map.main_language()))
    }

    /// What somebody who owns a part is called.
    fn owner(&self, id: &Id) -> String {
        line(self.map.stakeholder_label(id, self.map.main_language()))
    }

    fn list(&self, ids: &[Id]) -> String {
        let named: Vec<String> = ids.iter().map(|id| self.named(id)).collect();
        named.join(", ")
    }

    fn place(&self, at: &At) -> String {
        match at {
            At::Part(id) => self.named(id),
            At::Edge { from, to } => format!("{} → {}", self.named(from), self.named(to)),
        }
    }

    fn table(&mut self, title: &str, heads: &[&str], rows: Vec<Vec<String>>) {
        if rows.is_empty() {
            return;
        }
        let _ = writeln!(self.out, "\n## {title}\n");
        self.grid(heads, rows);
    }

    /// A table; columns without any content are left out.
    fn grid(&mut self, heads: &[&str], rows: Vec<Vec<String>>) {
        let filled: Vec<usize> = (0..heads.len())
            .filter(|i| {
                rows.iter()
                    .any(|r| r.get(*i).is_some_and(|c| !c.is_empty()))
            })
            .collect();
        let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
        let head = |i: &usize| heads.get(*i).map(|h| (*h).to_owned()).unwrap_or_default();
        self.out.push_str(&line(filled.iter().map(head).collect()));
        self.out
            .push_str(&line(filled.iter().map(|_| ":--".to_owned()).collect()));
        for row in rows {
            let cell = |i: &usize| row.get(*i).map(|c| escape(c)).unwrap_or_default();
            self.out.push_str(&line(filled.iter().map(cell).collect()));
        }
    }

    fn head(&mut self) {
        let map = self.map;
        let kind = match &map.kind {
            MapKind::Competitor(c) => format!("competitor ({})", c.name),
            kind => kind.word().to_owned(),
        };
        let _ = writeln!(self.out, "# {}\n", escape(&self.text(&map.title)));
        let facts = format!(
            "{kind} map `{}` {} · {} · as of {} · to be looked at every {} · owner: {}",
            map.id,
            map.version,
            map.status,
            map.as_of,
            map.reviewed_every(),
            self.owner(&map.owner)
        );
        let _ = writeln!(self.out, "{}", escape(&facts).replace("\\`", "`"));
        let Some(scope) = &map.scope else { return };
        let mut rows: Vec<[String; 2]> = Vec::new();
        let mut fact = |name: &str, value: String| {
            if !value.is_empty() {
                rows.push([name.to_owned(), value]);
            }
        };
        fact("Aim", self.optional(scope.aim.as_ref()));
        fact("Scenario", self.optional(scope.scenario.as_ref()));
        fact(
            "Customers",
            scope
                .segment
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
        );
        fact("Products", scope.products.join(", "));
        fact("Markets", scope.markets.join(", "));
        let window = scope.window.as_ref().map(|w| {
            let zone = w.zone.as_deref().unwrap_or("UTC");
            format!("{} to before {} ({zone})", w.from, w.to)
        });
        fact("Window", window.unwrap_or_default());
        fact(
            "Counted",
            scope.unit.map(|u| u.to_string()).unwrap_or_default(),
        );
        for e in &scope.exclude {
            let when = e
                .when
                .as_ref()
                .map(|w| format!(" ({w})"))
                .unwrap_or_default();
            fact("Left out", format!("{}{when}", self.text(&e.text)));
        }
        if !rows.is_empty() {
            self.out.push('\n');
            self.grid(&["", "what"], rows.into_iter().map(Vec::from).collect());
        }
    }

    fn stages(&mut self) {
        let map = self.map;
        for (i, stage) in map.stages.iter().enumerate() {
            let name = escape(&self.text(&stage.name));
            let _ = writeln!(self.out, "\n## {}. {name}\n", i + 1);
            if let Some(d) = &stage.description {
                let _ = writeln!(self.out, "{}\n", escape(&self.text(d)));
            }
            let mut facts = Vec::new();
            if let Some(d) = stage.target_duration {
                facts.push(format!("should take {d}"));
            }
            let phases: Vec<&str> = stage.lifecycle.iter().map(|p| p.word()).collect();
            if !phases.is_empty() {
                facts.push(format!("lifecycle: {}", phases.join(", ")));
            }
            if !facts.is_empty() {
                let _ = writeln!(self.out, "{}\n", escape(&facts.join(" · ")));
            }
            for goal in map.goals.iter().filter(|g| g.stages.contains(&stage.id)) {
                let _ = writeln!(
                    self.out,
                    "- Customers want: {}",
                    escape(&self.text(&goal.text))
                );
            }
            for step in &stage.steps {
                let who = step
                    .actor
                    .as_ref()
                    .map(|a| format!("{}: ", self.text(a)))
                    .unwrap_or_default();
                let thinks = step
                    .thought
                    .as_ref()
                    .map(|t| format!(" (thinks: {})", self.text(t)));
                let told = format!(
                    "{who}{}{}",
                    self.text(&step.action),
                    thinks.unwrap_or_default()
                );
                let _ = writeln!(self.out, "- Step: {}", escape(&told));
            }
            let rows: Vec<Vec<String>> = map
                .touchpoints
                .iter()
                .filter(|t| t.is_in(&stage.id))
                .map(|t| self.touchpoint(t))
                .collect();
            if rows.is_empty() {
                self.out.push_str("\nNo touchpoint yet.\n");
            } else {
                self.out.push('\n');
                self.grid(TOUCHPOINT, rows);
            }
        }
        let lone = map.touchpoints.iter().filter(|t| {
            let known =
                |p: &desireline_core::map::StagePlace| map.stages.iter().any(|s| s.id == p.stage);
            !t.stages.iter().any(known)
        });
        let rows: Vec<Vec<String>> = lone.map(|t| self.touchpoint(t)).collect();
        self.table("Touchpoints in no stage", TOUCHPOINT, rows);
    }

    fn touchpoint(&self, t: &desireline_core::map::Touchpoint) -> Vec<String> {
        let mut kind = Vec::new();
        kind.extend(t.direction.map(|d| d.to_string()));
        kind.extend(t.media.map(|m| m.to_string()));
        kind.extend(t.observability.map(|o| o.to_string().replace('_', " ")));
        vec![
            self.text(&t.name),
            t.step.as_ref().map(|s| self.named(s)).unwrap_or_default(),
            t.channel
                .as_ref()
                .map(|c| self.named(c))
                .unwrap_or_default(),
            t.owner.as_ref().map(|o| self.owner(o)).unwrap_or_default(),
            kind.join(", "),
            t.binding
                .as_ref()
                .map(|b| b.when.to_string())
                .unwrap_or_default(),
            self.optional(t.description.as_ref()),
        ]
    }

    fn people(&mut self) {
        let map = self.map;
        let personas = map.personas.iter().map(|p| {
            let texts = |list: &[LocalizedText]| {
                let all: Vec<String> = list.iter().map(|t| self.text(t)).collect();
                all.join("; ")
            };
            let facts = p.facts(true).into_iter();
            let facts: Vec<String> = facts
                .map(|(name, fact)| format!("{}: {fact}", name.replace('_', " ")))
                .collect();
            vec![
                self.text(&p.name),
                p.kind.map(|k| k.to_string()).unwrap_or_default(),
                p.share
                    .map(|s| format::percent(s.get()))
                    .unwrap_or_default(),
                p.value.map(|v| v.to_string()).unwrap_or_default(),
                facts.join("; "),
                p.member
                    .as_ref()
                    .map(ToString::to_string)
                    .unwrap_or_default(),
                self.optional(p.quote.as_ref()),
                self.list(&p.goals),
                texts(&p.pains),
                texts(&p.objections),
                self.list(&p.preferred_channels),
            ]
        });
        let personas = personas.collect();
        let goals = map.goals.iter().map(|g| {
            vec![
                self.text(&g.text),
                g.kind.to_string(),
                self.list(&g.stages),
                g.success
                    .as_ref()
                    .map(ToString::to_string)
                    .unwrap_or_default(),
                g.value.map(|v| v.to_string()).unwrap_or_default(),
                g.importance
                    .map(|i| format::number(i.get()))
                    .unwrap_or_default(),
            ]
        });
        let goals = goals.collect();
        self.table(
            "Personas",
            &[
                "persona",
                "kind",
                "share",
                "worth",
                "facts",
                "who",
                "in their words",
                "goals",
                "pains",
                "objections",
                "channels they like",
            ],
            personas,
        );
        self.table(
            "What customers want",
            &[
                "goal",
                "kind",
                "stages",
                "reached by",
                "worth",
                "importance",
            ],
            goals,
        );
    }

    fn places(&mut self) {
        let map = self.map;
        let expectations = map.expectations.iter().map(|e| {
            let promise = e
                .promise
                .as_ref()
                .map(|p| format!("{} {} {}", p.metric, p.op.symbol(), quantity(p.threshold)));
            vec![
                self.place(&e.at),
                self.text(&e.text),
                promise.unwrap_or_default(),
                e.importance
                    .map(|i| format::number(i.get()))
                    .unwrap_or_default(),
            ]
        });
        let expectations = expectations.collect();
        let emotions = map.emotions.iter().map(|e| {
            let interval = e.interval.map(|[a, b]| {
                format!(
                    " ({} to {})",
                    format::number(a.get()),
                    format::number(b.get())
                )
            });
            vec![
                self.place(&e.at),
                format!(
                    "{}{}",
                    format::number(e.valence.get()),
                    interval.unwrap_or_default()
                ),
                e.label.clone().unwrap_or_default(),
                e.source.word().replace('_', " "),
                e.n.map(format::count).unwrap_or_default(),
            ]
        });
        let emotions = emotions.collect();
        let moments = map.moments.iter().map(|m| {
            vec![
                self.place(&m.at),
                m.kind.to_string(),
                m.basis.to_string(),
                self.optional(m.text.as_ref()),
                m.swing.as_ref().map(estimate).unwrap_or_default(),
            ]
        });
        let moments = moments.collect();
        self.table(
            "Expectations",
            &["where", "what is expected", "promise", "importance"],
            expectations,
        );
        self.table(
            "Feelings, from −1 to 1",
            &["where", "valence", "word", "source", "n"],
            emotions,
        );
        self.table(
            "Moments of truth",
            &["where", "what is decided", "basis", "what happens", "swing"],
            moments,
        );
    }
}

const TOUCHPOINT: &[&str] = &[
    "touchpoint",
    "step",
    "channel",
    "owner",
    "kind",
    "events in the log",
    "what happens",
];

fn quantity(q: Quantity) -> String {
    match q {
        Quantity::Number(x) => format::number(x),
        other => other.to_string(),
    }
}

fn estimate(e: &Estimate) -> String {
    let Some(value) = e.value else {
        return format::too_few(e.n);
    };
    let interval = match (e.lower, e.upper) {
        (Some(a), Some(b)) => format!(" ({} to {})", format::number(a), format::number(b)),
        _ => String::new(),
    };
    let unit = e.unit.as_ref().map(|u| format!(" {u}")).unwrap_or_default();
    format!(
        "{}{interval}{unit}, n {}",
        format::number(value),
        format::count(e.n)
    )
}

fn rate(r: &MoneyRate) -> String {
    format!("{} in {}", r.amount, r.per)
}
