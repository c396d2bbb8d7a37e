//! Findings, numbers, and what a map rests on.

use desireline_core::map::Id;

use super::{Page, estimate, quantity, rate};
use crate::format;

impl Page<'_> {
    pub(super) fn findings(&mut self) {
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

    pub(super) fn numbers(&mut self) {
        let map = self.map;
        let kpis = map.kpis.iter().map(|k| {
            let target = k.target.as_ref().map(|t| {
                let by = t.by.map(|d| format!(" by {d}")).unwrap_or_default();
                format!("{} {}{by}", t.op.symbol(), quantity(t.value))
            });
            vec![
                k.name
                    .as_ref()
                    .map_or_else(|| k.label(map, map.main_language()), |n| self.text(n)),
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

    pub(super) fn grounds(&mut self) {
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
