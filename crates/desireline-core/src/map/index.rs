//! What a map defines, what it refers to, and which conditions it holds; each with its JSON pointer.

use super::part::words;
use super::{At, Dwell, Id, JourneyMap, Param, ParamKind};
use crate::expr::Expr;

words! {
    /// Kinds of parts that have an id.
    pub enum PartKind {
        /// A stakeholder.
        Stakeholder = "stakeholder",
        /// A persona.
        Persona = "persona",
        /// A channel.
        Channel = "channel",
        /// A stage.
        Stage = "stage",
        /// A step.
        Step = "step",
        /// A touchpoint.
        Touchpoint = "touchpoint",
        /// A customer's goal.
        Goal = "goal",
        /// An expectation.
        Expectation = "expectation",
        /// A feeling.
        Emotion = "emotion",
        /// A moment of truth.
        Moment = "moment of truth",
        /// A pain point.
        Pain = "pain point",
        /// An opportunity.
        Opportunity = "opportunity",
        /// A risk.
        Risk = "risk",
        /// A KPI on the map.
        Kpi = "KPI",
        /// A place where customers are asked.
        Feedback = "feedback point",
        /// An action.
        Action = "action",
        /// A hypothesis.
        Hypothesis = "hypothesis",
        /// A piece of evidence.
        Evidence = "piece of evidence",
        /// An assumption.
        Assumption = "assumption",
        /// An expert's review.
        Review = "review",
        /// An observation at a rival.
        Competitor = "observation at a competitor",
        /// Content.
        Content = "content",
        /// A checklist.
        Checklist = "checklist",
        /// A point of a checklist.
        ChecklistItem = "point of a checklist",
    }
}

/// A mention of one part by another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// Where it stands, as a JSON pointer.
    pub pointer: String,
    /// The part that is named.
    pub id: Id,
    /// What it may be; any part where nothing is listed.
    pub allowed: &'static [PartKind],
}

/// Something met on a walk over a map.
pub(super) enum Mark<'m> {
    Defines(PartKind, &'m Id),
    Refers(&'static [PartKind], &'m Id),
    Holds(&'m Expr),
    /// A condition in the parameters of a KPI, still text.
    HoldsText(&'m str),
}

use PartKind::{
    Assumption, Channel, Evidence, Feedback, Goal, Hypothesis, Kpi, Opportunity, Pain, Persona,
    Risk, Stage, Stakeholder, Step, Touchpoint,
};

/// Where something can sit.
const PLACES: &[PartKind] = &[Stage, Step, Touchpoint, Channel];
const ANY: &[PartKind] = &[];
const EVIDENCE: &[PartKind] = &[Evidence];
const PERSONAS: &[PartKind] = &[Persona];
const OWNERS: &[PartKind] = &[Stakeholder];
const STAGES: &[PartKind] = &[Stage];

impl JourneyMap {
    /// Every id that the map defines, with its kind and a JSON pointer to it, in the order of the document.
    pub fn ids(&self) -> Vec<(PartKind, &Id, String)> {
        let mut found = Vec::new();
        walk(self, &mut |pointer, mark| {
            if let Mark::Defines(kind, id) = mark {
                found.push((kind, id, pointer.to_owned()));
            }
        });
        found
    }

    /// Every mention of one part by another.
    pub fn references(&self) -> Vec<Reference> {
        let mut found = Vec::new();
        walk(self, &mut |pointer, mark| {
            if let Mark::Refers(allowed, id) = mark {
                found.push(Reference {
                    pointer: pointer.to_owned(),
                    id: id.clone(),
                    allowed,
                });
            }
        });
        found
    }

    /// Every condition in the map with a JSON pointer to it.
    pub fn conditions(&self) -> Vec<(String, Expr)> {
        let mut found = Vec::new();
        walk(self, &mut |pointer, mark| match mark {
            Mark::Holds(expr) => found.push((pointer.to_owned(), expr.clone())),
            Mark::HoldsText(text) => {
                if let Ok(expr) = Expr::parse(text) {
                    found.push((pointer.to_owned(), expr));
                }
            }
            _ => {}
        });
        found
    }
}

/// Tells `see` of everything, in the order of the document.
fn walk<'m>(map: &'m JourneyMap, see: &mut dyn FnMut(&str, Mark<'m>)) {
    Walker { see }.map(map);
}

struct Walker<'w, 'm> {
    see: &'w mut dyn FnMut(&str, Mark<'m>),
}

impl<'m> Walker<'_, 'm> {
    fn defines(&mut self, kind: PartKind, at: &str, id: &'m Id) {
        (self.see)(&format!("{at}/id"), Mark::Defines(kind, id));
    }

    fn refers(&mut self, allowed: &'static [PartKind], at: &str, id: Option<&'m Id>) {
        if let Some(id) = id {
            (self.see)(at, Mark::Refers(allowed, id));
        }
    }

    fn list(&mut self, allowed: &'static [PartKind], at: &str, ids: &'m [Id]) {
        for (i, id) in ids.iter().enumerate() {
            (self.see)(&format!("{at}/{i}"), Mark::Refers(allowed, id));
        }
    }

    fn at(&mut self, allowed: &'static [PartKind], at: &str, place: &'m At) {
        for id in place.ids() {
            (self.see)(&format!("{at}/at"), Mark::Refers(allowed, id));
        }
    }

    fn holds(&mut self, at: &str, expr: Option<&'m Expr>) {
        if let Some(expr) = expr {
            (self.see)(at, Mark::Holds(expr));
        }
    }

    fn params(&mut self, at: &str, kpi: &super::KpiName, params: Option<&'m super::Params>) {
        let known = kpi.known().map_or(&[][..], |k| k.params);
        for (name, value) in params.into_iter().flatten() {
            let is_condition =
                |p: &super::KpiParam| p.name == name && p.kind == ParamKind::Expression;
            if let Param::Text(text) = value
                && known.iter().any(is_condition)
            {
                (self.see)(
                    &format!("{at}/params{}", super::format::step(name)),
                    Mark::HoldsText(text),
                );
            }
        }
    }

    fn map(&mut self, map: &'m JourneyMap) {
        self.refers(OWNERS, "/owner", Some(&map.owner));
        if let Some(scope) = &map.scope {
            self.holds("/scope/segment", scope.segment.as_ref());
            self.list(PERSONAS, "/scope/personas", &scope.personas);
            if let Some(cut) = &scope.journeys {
                self.holds("/scope/journeys/start", cut.start.as_ref());
                self.holds("/scope/journeys/end", cut.end.as_ref());
            }
            for (i, exclusion) in scope.exclude.iter().enumerate() {
                self.holds(&format!("/scope/exclude/{i}/when"), exclusion.when.as_ref());
            }
        }
        if let Some(framework) = &map.framework {
            for (i, back) in framework.loops.iter().enumerate() {
                self.refers(
                    STAGES,
                    &format!("/framework/loops/{i}/from"),
                    Some(&back.from),
                );
                self.refers(STAGES, &format!("/framework/loops/{i}/to"), Some(&back.to));
            }
        }
        self.people(map);
        self.journey(map);
        self.feelings(map);
        self.findings(map);
        self.numbers(map);
        self.grounds(map);
        self.experts(map);
    }

    fn people(&mut self, map: &'m JourneyMap) {
        for (i, s) in map.stakeholders.iter().enumerate() {
            let at = format!("/stakeholders/{i}");
            self.defines(Stakeholder, &at, &s.id);
            for (j, relation) in s.relations.iter().enumerate() {
                self.refers(
                    OWNERS,
                    &format!("{at}/relations/{j}/to"),
                    Some(&relation.to),
                );
            }
            self.list(ANY, &format!("{at}/owns"), &s.owns);
        }
        for (i, p) in map.personas.iter().enumerate() {
            let at = format!("/personas/{i}");
            self.defines(Persona, &at, &p.id);
            self.holds(&format!("{at}/member"), p.member.as_ref());
            self.list(&[Goal], &format!("{at}/goals"), &p.goals);
            self.list(
                &[Channel],
                &format!("{at}/preferred_channels"),
                &p.preferred_channels,
            );
            for (j, answer) in p.interviews.iter().enumerate() {
                self.refers(
                    EVIDENCE,
                    &format!("{at}/interviews/{j}/evidence"),
                    answer.evidence.as_ref(),
                );
            }
            self.list(PERSONAS, &format!("{at}/overlaps"), &p.overlaps);
            self.list(EVIDENCE, &format!("{at}/evidence"), &p.evidence);
        }
    }

    fn journey(&mut self, map: &'m JourneyMap) {
        for (i, c) in map.channels.iter().enumerate() {
            self.defines(Channel, &format!("/channels/{i}"), &c.id);
        }
        for (i, s) in map.stages.iter().enumerate() {
            let at = format!("/stages/{i}");
            self.defines(Stage, &at, &s.id);
            self.list(STAGES, &format!("{at}/after"), &s.after);
            for (j, step) in s.steps.iter().enumerate() {
                let at = format!("{at}/steps/{j}");
                self.defines(Step, &at, &step.id);
                self.list(EVIDENCE, &format!("{at}/evidence"), &step.evidence);
            }
            self.list(EVIDENCE, &format!("{at}/evidence"), &s.evidence);
        }
        for (i, t) in map.touchpoints.iter().enumerate() {
            let at = format!("/touchpoints/{i}");
            self.defines(Touchpoint, &at, &t.id);
            for (j, place) in t.stages.iter().enumerate() {
                let at = format!("{at}/stages/{j}");
                if place.when.is_some() {
                    self.refers(STAGES, &format!("{at}/stage"), Some(&place.stage));
                    self.holds(&format!("{at}/when"), place.when.as_ref());
                } else {
                    self.refers(STAGES, &at, Some(&place.stage));
                }
            }
            self.refers(&[Step], &format!("{at}/step"), t.step.as_ref());
            self.refers(&[Channel], &format!("{at}/channel"), t.channel.as_ref());
            self.refers(OWNERS, &format!("{at}/owner"), t.owner.as_ref());
            if let Some(binding) = &t.binding {
                self.binding(&format!("{at}/binding"), binding);
            }
            self.list(EVIDENCE, &format!("{at}/evidence"), &t.evidence);
        }
        for (i, g) in map.goals.iter().enumerate() {
            let at = format!("/goals/{i}");
            self.defines(Goal, &at, &g.id);
            self.list(STAGES, &format!("{at}/stages"), &g.stages);
            self.list(PERSONAS, &format!("{at}/personas"), &g.personas);
            self.holds(&format!("{at}/success"), g.success.as_ref());
            self.list(EVIDENCE, &format!("{at}/evidence"), &g.evidence);
        }
    }

    fn binding(&mut self, at: &str, binding: &'m super::Binding) {
        // The short form is the condition itself.
        let when = match binding.is_bare() {
            true => at.to_owned(),
            false => format!("{at}/when"),
        };
        self.holds(&when, Some(&binding.when));
        if let Some(Dwell::Pair(pair)) = &binding.dwell {
            self.holds(&format!("{at}/dwell/pair/start"), Some(&pair.start));
            self.holds(&format!("{at}/dwell/pair/end"), Some(&pair.end));
        }
        if let Some(outcome) = &binding.outcome {
            self.holds(&format!("{at}/outcome/success"), outcome.success.as_ref());
            self.holds(&format!("{at}/outcome/failure"), outcome.failure.as_ref());
        }
    }

    fn feelings(&mut self, map: &'m JourneyMap) {
        for (i, e) in map.expectations.iter().enumerate() {
            let at = format!("/expectations/{i}");
            self.defines(PartKind::Expectation, &at, &e.id);
            self.at(PLACES, &at, &e.at);
            self.refers(
                &[Touchpoint],
                &format!("{at}/raised_at"),
                e.raised_at.as_ref(),
            );
            if let Some(promise) = &e.promise {
                self.params(
                    &format!("{at}/promise"),
                    &promise.metric,
                    promise.params.as_ref(),
                );
            }
            self.list(PERSONAS, &format!("{at}/personas"), &e.personas);
            self.list(EVIDENCE, &format!("{at}/evidence"), &e.evidence);
        }
        for (i, e) in map.emotions.iter().enumerate() {
            let at = format!("/emotions/{i}");
            self.defines(PartKind::Emotion, &at, &e.id);
            self.at(PLACES, &at, &e.at);
            self.refers(PERSONAS, &format!("{at}/persona"), e.persona.as_ref());
            self.list(EVIDENCE, &format!("{at}/evidence"), &e.evidence);
        }
        for (i, m) in map.moments.iter().enumerate() {
            let at = format!("/moments/{i}");
            self.defines(PartKind::Moment, &at, &m.id);
            self.at(PLACES, &at, &m.at);
            self.list(EVIDENCE, &format!("{at}/evidence"), &m.evidence);
        }
    }

    fn findings(&mut self, map: &'m JourneyMap) {
        for (i, p) in map.pains.iter().enumerate() {
            let at = format!("/pains/{i}");
            self.defines(Pain, &at, &p.id);
            self.at(PLACES, &at, &p.at);
            self.list(&[Goal], &format!("{at}/blocks"), &p.blocks);
            self.list(PERSONAS, &format!("{at}/personas"), &p.personas);
            self.refers(OWNERS, &format!("{at}/owner"), p.owner.as_ref());
            self.list(EVIDENCE, &format!("{at}/evidence"), &p.evidence);
        }
        for (i, o) in map.opportunities.iter().enumerate() {
            let at = format!("/opportunities/{i}");
            self.defines(Opportunity, &at, &o.id);
            self.at(PLACES, &at, &o.at);
            self.list(&[Assumption], &format!("{at}/assumptions"), &o.assumptions);
            self.list(&[Pain], &format!("{at}/solves"), &o.solves);
            self.refers(
                &[Hypothesis],
                &format!("{at}/hypothesis"),
                o.hypothesis.as_ref(),
            );
            self.refers(OWNERS, &format!("{at}/owner"), o.owner.as_ref());
            self.list(EVIDENCE, &format!("{at}/evidence"), &o.evidence);
        }
        for (i, r) in map.risks.iter().enumerate() {
            let at = format!("/risks/{i}");
            self.defines(Risk, &at, &r.id);
            for id in r.driver.iter().flat_map(At::ids) {
                self.refers(
                    &[Stage, Step, Touchpoint, Channel, Pain],
                    &format!("{at}/driver"),
                    Some(id),
                );
            }
            self.refers(OWNERS, &format!("{at}/owner"), r.owner.as_ref());
            self.list(EVIDENCE, &format!("{at}/evidence"), &r.evidence);
        }
        for (i, a) in map.actions.iter().enumerate() {
            let at = format!("/actions/{i}");
            self.defines(PartKind::Action, &at, &a.id);
            self.list(&[Pain, Opportunity, Risk], &format!("{at}/about"), &a.about);
            self.refers(OWNERS, &format!("{at}/owner"), a.owner.as_ref());
            self.holds(&format!("{at}/trigger"), a.trigger.as_ref());
        }
        for (i, h) in map.hypotheses.iter().enumerate() {
            let at = format!("/hypotheses/{i}");
            self.defines(Hypothesis, &at, &h.id);
            self.refers(OWNERS, &format!("{at}/owner"), h.owner.as_ref());
        }
    }

    fn numbers(&mut self, map: &'m JourneyMap) {
        for (i, k) in map.kpis.iter().enumerate() {
            let at = format!("/kpis/{i}");
            self.defines(Kpi, &at, &k.id);
            self.refers(PLACES, &format!("{at}/at"), k.at.as_ref());
            self.params(&at, &k.kpi, k.params.as_ref());
            if let Some(alert) = &k.alert {
                self.list(OWNERS, &format!("{at}/alert/tell"), &alert.tell);
            }
            self.refers(OWNERS, &format!("{at}/owner"), k.owner.as_ref());
        }
        for (i, f) in map.feedback.iter().enumerate() {
            let at = format!("/feedback/{i}");
            self.defines(Feedback, &at, &f.id);
            self.refers(PLACES, &format!("{at}/at"), Some(&f.at));
        }
    }

    fn grounds(&mut self, map: &'m JourneyMap) {
        for (i, e) in map.evidence.iter().enumerate() {
            let at = format!("/evidence/{i}");
            self.defines(Evidence, &at, &e.id);
            self.list(OWNERS, &format!("{at}/contributed_by"), &e.contributed_by);
        }
        for (i, a) in map.assumptions.iter().enumerate() {
            let at = format!("/assumptions/{i}");
            self.defines(Assumption, &at, &a.id);
            self.refers(OWNERS, &format!("{at}/owner"), a.owner.as_ref());
            self.list(ANY, &format!("{at}/about"), &a.about);
        }
    }

    fn experts(&mut self, map: &'m JourneyMap) {
        for (i, r) in map.reviews.iter().enumerate() {
            let at = format!("/reviews/{i}");
            self.defines(PartKind::Review, &at, &r.id);
            self.at(PLACES, &at, &r.at);
        }
        for (i, c) in map.competitors.iter().enumerate() {
            let at = format!("/competitors/{i}");
            self.defines(PartKind::Competitor, &at, &c.id);
            self.at(PLACES, &at, &c.at);
            self.list(EVIDENCE, &format!("{at}/evidence"), &c.evidence);
        }
        for (i, c) in map.content.iter().enumerate() {
            let at = format!("/content/{i}");
            self.defines(PartKind::Content, &at, &c.id);
            self.list(STAGES, &format!("{at}/stages"), &c.stages);
            self.list(PERSONAS, &format!("{at}/personas"), &c.personas);
            self.refers(
                &[Touchpoint],
                &format!("{at}/touchpoint"),
                c.touchpoint.as_ref(),
            );
        }
        for (i, c) in map.checklists.iter().enumerate() {
            let at = format!("/checklists/{i}");
            self.defines(PartKind::Checklist, &at, &c.id);
            for (j, item) in c.items.iter().enumerate() {
                let at = format!("{at}/items/{j}");
                self.defines(PartKind::ChecklistItem, &at, &item.id);
                if let Some(place) = &item.at {
                    self.at(PLACES, &at, place);
                }
            }
        }
    }
}
