//! A map as a document to read, with a table for each kind of part.

use std::collections::HashMap;
use std::fmt::Write as _;

use desireline_core::map::{
    At, Estimate, Id, JourneyMap, LocalizedText, MapKind, MoneyRate, Quantity,
};

use super::header::plain;
use crate::format;
use crate::markdown::escape;

/// What the document shows.
pub(super) const SHOWN: &[&str] = &[
    "id",
    "title",
    "version",
    "kind",
    "status",
    "as_of",
    "review_every",
    "owner",
    "language",
    "scope.aim",
    "scope.scenario",
    "scope.segment",
    "scope.products",
    "scope.markets",
    "scope.window",
    "scope.unit",
    "scope.exclude",
    "stages.id",
    "stages.name",
    "stages.description",
    "stages.target_duration",
    "stages.lifecycle",
    "stages.steps.id",
    "stages.steps.action",
    "stages.steps.actor",
    "stages.steps.thought",
    "touchpoints.id",
    "touchpoints.name",
    "touchpoints.stages",
    "touchpoints.step",
    "touchpoints.channel",
    "touchpoints.owner",
    "touchpoints.description",
    "touchpoints.binding",
    "touchpoints.direction",
    "touchpoints.media",
    "touchpoints.observability",
    "personas.id",
    "personas.name",
    "personas.kind",
    "personas.member",
    "personas.share",
    "personas.quote",
    "personas.goals",
    "personas.pains",
    "personas.objections",
    "channels.id",
    "channels.kind",
    "channels.name",
    "channels.values",
    "goals.id",
    "goals.text",
    "goals.kind",
    "goals.stages",
    "goals.success",
    "goals.value",
    "goals.importance",
    "expectations.id",
    "expectations.at",
    "expectations.text",
    "expectations.promise",
    "expectations.importance",
    "emotions.id",
    "emotions.at",
    "emotions.valence",
    "emotions.source",
    "emotions.label",
    "emotions.n",
    "emotions.interval",
    "moments.id",
    "moments.at",
    "moments.kind",
    "moments.basis",
    "moments.text",
    "moments.swing",
    "pains.id",
    "pains.at",
    "pains.text",
    "pains.severity",
    "pains.status",
    "pains.owner",
    "pains.affected",
    "pains.loss",
    "pains.blocks",
    "opportunities.id",
    "opportunities.at",
    "opportunities.kind",
    "opportunities.text",
    "opportunities.uplift",
    "opportunities.value",
    "opportunities.effort",
    "opportunities.owner",
    "opportunities.solves",
    "risks.id",
    "risks.text",
    "risks.driver",
    "risks.probability",
    "risks.loss",
    "risks.owner",
    "kpis.id",
    "kpis.kpi",
    "kpis.at",
    "kpis.name",
    "kpis.target",
    "kpis.owner",
    "kpis.definition",
    "feedback.id",
    "feedback.at",
    "feedback.measure",
    "feedback.question",
    "feedback.scale",
    "actions.id",
    "actions.kind",
    "actions.text",
    "actions.about",
    "actions.owner",
    "actions.due",
    "actions.status",
    "stakeholders.id",
    "stakeholders.name",
    "stakeholders.role",
    "stakeholders.team",
    "evidence.id",
    "evidence.tier",
    "evidence.kind",
    "evidence.text",
    "evidence.collected_at",
    "evidence.expires_at",
    "evidence.n",
    "evidence.link",
    "assumptions.id",
    "assumptions.text",
    "assumptions.owner",
    "assumptions.test",
    "assumptions.due",
    "assumptions.about",
];

struct Page<'m> {
    map: &'m JourneyMap,
    /// What the parts that others refer to are called.
    names: HashMap<&'m Id, &'m LocalizedText>,
    out: String,
}

pub(super) fn write(map: &JourneyMap) -> String {
    let stages = map.stages.iter().map(|s| (&s.id, &s.name));
    let steps = map.stages.iter().flat_map(|s| &s.steps);
    let names = stages
        .chain(steps.map(|s| (&s.id, &s.action)))
        .chain(map.touchpoints.iter().map(|t| (&t.id, &t.name)))
        .chain(map.stakeholders.iter().map(|s| (&s.id, &s.name)))
        .chain(map.goals.iter().map(|g| (&g.id, &g.text)))
        .chain(map.pains.iter().map(|p| (&p.id, &p.text)))
        .chain(
            map.channels
                .iter()
                .filter_map(|c| Some((&c.id, c.name.as_ref()?))),
        );
    let mut page = Page {
        map,
        names: names.collect(),
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
        let name = self.names.get(id);
        name.map_or_else(|| id.to_string(), |n| self.text(n))
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
            self.named(&map.owner)
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
            t.owner.as_ref().map(|o| self.named(o)).unwrap_or_default(),
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
            vec![
                self.text(&p.name),
                p.kind.map(|k| k.to_string()).unwrap_or_default(),
                p.share
                    .map(|s| format::percent(s.get()))
                    .unwrap_or_default(),
                p.member
                    .as_ref()
                    .map(ToString::to_string)
                    .unwrap_or_default(),
                self.optional(p.quote.as_ref()),
                self.list(&p.goals),
                texts(&p.pains),
                texts(&p.objections),
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
                "who",
                "in their words",
                "goals",
                "pains",
                "objections",
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

    fn findings(&mut self) {
        let map = self.map;
        let owner = |id: &Option<Id>| id.as_ref().map(|o| self.named(o)).unwrap_or_default();
        let status = |s: Option<desireline_core::map::FindingStatus>| {
            s.map(|s| s.to_string()).unwrap_or_default()
        };
        let pains = map.pains.iter().map(|p| {
            vec![
                self.text(&p.text),
                self.place(&p.at),
                p.severity.map(|s| s.get().to_string()).unwrap_or_default(),
                status(p.status),
                p.affected.as_ref().map(estimate).unwrap_or_default(),
                p.loss.as_ref().map(rate).unwrap_or_default(),
                self.list(&p.blocks),
                owner(&p.owner),
            ]
        });
        let pains = pains.collect();
        let opportunities = map.opportunities.iter().map(|o| {
            vec![
                self.optional(o.text.as_ref()),
                self.place(&o.at),
                o.kind.to_string(),
                o.uplift.as_ref().map(estimate).unwrap_or_default(),
                o.value.as_ref().map(rate).unwrap_or_default(),
                o.effort
                    .map(|e| format::number(e.get()))
                    .unwrap_or_default(),
                self.list(&o.solves),
                owner(&o.owner),
            ]
        });
        let opportunities = opportunities.collect();
        let risks = map.risks.iter().map(|r| {
            vec![
                self.text(&r.text),
                r.driver.as_ref().map(|d| self.place(d)).unwrap_or_default(),
                r.probability
                    .map(|p| format::percent(p.get()))
                    .unwrap_or_default(),
                r.loss.as_ref().map(rate).unwrap_or_default(),
                owner(&r.owner),
            ]
        });
        let risks = risks.collect();
        let actions = map.actions.iter().map(|a| {
            vec![
                self.text(&a.text),
                a.kind.to_string(),
                self.list(&a.about),
                a.status.map(|s| s.to_string()).unwrap_or_default(),
                a.due.map(|d| d.to_string()).unwrap_or_default(),
                owner(&a.owner),
            ]
        });
        let actions = actions.collect();
        self.table(
            "Pain points",
            &[
                "pain point",
                "where",
                "severity (0 to 4)",
                "status",
                "affected",
                "loss",
                "blocks",
                "owner",
            ],
            pains,
        );
        self.table(
            "Opportunities",
            &[
                "opportunity",
                "where",
                "kind",
                "uplift",
                "worth",
                "effort (0 to 10)",
                "solves",
                "owner",
            ],
            opportunities,
        );
        self.table(
            "Risks",
            &["risk", "driver", "probability", "loss", "owner"],
            risks,
        );
        self.table(
            "Actions",
            &["action", "kind", "about", "status", "due", "owner"],
            actions,
        );
    }

    fn numbers(&mut self) {
        let map = self.map;
        let kpis = map.kpis.iter().map(|k| {
            let target = k.target.as_ref().map(|t| {
                let by = t.by.map(|d| format!(" by {d}")).unwrap_or_default();
                format!("{} {}{by}", t.op.symbol(), quantity(t.value))
            });
            vec![
                k.name
                    .as_ref()
                    .map_or_else(|| k.kpi.to_string(), |n| self.text(n)),
                k.kpi.to_string(),
                k.at.as_ref()
                    .map_or_else(|| "whole map".to_owned(), |at| self.named(at)),
                target.unwrap_or_default(),
                k.owner.as_ref().map(|o| self.named(o)).unwrap_or_default(),
                self.optional(k.definition.as_ref()),
            ]
        });
        let kpis = kpis.collect();
        let feedback = map.feedback.iter().map(|f| {
            vec![
                self.named(&f.at),
                f.measure.to_string(),
                self.optional(f.question.as_ref()),
                f.scale
                    .map(|[a, b]| format!("{a} to {b}"))
                    .unwrap_or_default(),
            ]
        });
        let feedback = feedback.collect();
        let channels = map.channels.iter().map(|c| {
            vec![
                self.named(&c.id),
                c.kind.to_string().replace('_', " "),
                c.values.join(", "),
            ]
        });
        let channels = channels.collect();
        self.table(
            "KPIs",
            &["KPI", "measure", "where", "target", "owner", "definition"],
            kpis,
        );
        self.table(
            "Where customers are asked",
            &["where", "measure", "question", "scale"],
            feedback,
        );
        self.table(
            "Channels",
            &["channel", "kind", "called in the log"],
            channels,
        );
    }

    fn grounds(&mut self) {
        let map = self.map;
        let people = map.stakeholders.iter().map(|s| {
            vec![
                self.text(&s.name),
                s.role.clone().unwrap_or_default(),
                s.team.clone().unwrap_or_default(),
            ]
        });
        let people = people.collect();
        let evidence = map.evidence.iter().map(|e| {
            vec![
                self.optional(e.text.as_ref()),
                e.tier.to_string(),
                e.kind.to_string().replace('_', " "),
                e.collected_at.map(|d| d.to_string()).unwrap_or_default(),
                e.expires(map.reviewed_every())
                    .map(|d| d.to_string())
                    .unwrap_or_default(),
                e.n.map(format::count).unwrap_or_default(),
                e.link.clone().unwrap_or_default(),
            ]
        });
        let evidence = evidence.collect();
        let assumptions = map.assumptions.iter().map(|a| {
            vec![
                self.text(&a.text),
                self.list(&a.about),
                self.optional(a.test.as_ref()),
                a.due.map(|d| d.to_string()).unwrap_or_default(),
                a.owner.as_ref().map(|o| self.named(o)).unwrap_or_default(),
            ]
        });
        let assumptions = assumptions.collect();
        self.table("Who answers for it", &["name", "role", "team"], people);
        self.table(
            "What it rests on",
            &[
                "what",
                "tier",
                "source",
                "collected",
                "good until",
                "n",
                "link",
            ],
            evidence,
        );
        self.table(
            "What is only assumed",
            &["assumption", "about", "test", "due", "owner"],
            assumptions,
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
