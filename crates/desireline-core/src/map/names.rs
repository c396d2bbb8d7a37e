//! What the parts of a map are called.

use std::borrow::Borrow;

use super::{Channel, Id, JourneyMap, LocalizedText};

impl Channel {
    /// What it is called: its name in a language, else its id.
    pub fn label<'m>(&'m self, language: &str) -> &'m str {
        let name = self.name.as_ref();
        name.map_or(self.id.as_str(), |name| name.get(language))
    }
}

impl JourneyMap {
    /// What the part with this id is called: its name in a language, or what stands there for one: the action of a step, the text of a
    /// goal or of a finding. The id itself where the part has none, or where the map has no such part. What a KPI without a name is called
    /// says [`KpiBinding::label`](super::KpiBinding::label).
    ///
    /// It looks through the map's parts, of which those with few of a kind come first; nothing is made for it.
    ///
    /// ```
    /// use desireline_core::map::JourneyMap;
    /// let map = JourneyMap::from_yaml("
    /// schema: 1
    /// id: shop
    /// title: Buying
    /// version: 1.0.0
    /// kind: actual
    /// status: draft
    /// as_of: 2026-01-01
    /// owner: cx
    /// stages: [{id: pay, name: {en: Pays, de: Zahlt}, steps: [{id: enter, action: Enters a card}]}]
    /// channels: [{id: web, kind: site_app}]
    /// ")?;
    /// assert_eq!(map.label_of("pay", "de"), "Zahlt");
    /// assert_eq!(map.label_of("enter", "de"), "Enters a card");
    /// assert_eq!(map.label_of("web", "de"), "web");
    /// assert_eq!(map.label_of("cx", "de"), "cx");
    /// # Ok::<(), desireline_core::map::MapError>(())
    /// ```
    pub fn label_of<'m, I>(&'m self, id: &'m I, language: &str) -> &'m str
    where
        I: Borrow<str> + ?Sized,
    {
        let id = id.borrow();
        let mut named = self.named();
        let name = named.find_map(|(known, name)| (*known == id).then_some(name));
        name.map_or(id, |name| name.get(language))
    }

    /// What the stakeholder with this id is called, such as the owner of a touchpoint; the id itself where the map has no such one,
    /// whatever else has that id.
    pub fn stakeholder_label<'m>(&'m self, id: &'m Id, language: &str) -> &'m str {
        let one = self.stakeholders.iter().find(|s| s.id == *id);
        one.map_or(id.as_str(), |s| s.name.get(language))
    }

    /// The parts that have a name or a text, with it.
    fn named(&self) -> impl Iterator<Item = (&Id, &LocalizedText)> {
        let steps = self.stages.iter().flat_map(|s| &s.steps);
        let points = self.checklists.iter().flat_map(|c| &c.items);
        let journey = with_name(&self.stages, |s| Some((&s.id, &s.name)))
            .chain(with_name(steps, |s| Some((&s.id, &s.action))))
            .chain(with_name(&self.channels, |c| {
                Some((&c.id, c.name.as_ref()?))
            }))
            .chain(with_name(&self.stakeholders, |s| Some((&s.id, &s.name))))
            .chain(with_name(&self.personas, |p| Some((&p.id, &p.name))))
            .chain(with_name(&self.goals, |g| Some((&g.id, &g.text))))
            .chain(with_name(&self.touchpoints, |t| Some((&t.id, &t.name))));
        let findings = with_name(&self.pains, |p| Some((&p.id, &p.text)))
            .chain(with_name(&self.opportunities, |o| {
                Some((&o.id, o.text.as_ref()?))
            }))
            .chain(with_name(&self.risks, |r| Some((&r.id, &r.text))))
            .chain(with_name(&self.moments, |m| {
                Some((&m.id, m.text.as_ref()?))
            }))
            .chain(with_name(&self.expectations, |e| Some((&e.id, &e.text))))
            .chain(with_name(&self.actions, |a| Some((&a.id, &a.text))))
            .chain(with_name(&self.hypotheses, |h| Some((&h.id, &h.text))));
        let rest = with_name(&self.assumptions, |a| Some((&a.id, &a.text)))
            .chain(with_name(&self.evidence, |e| {
                Some((&e.id, e.text.as_ref()?))
            }))
            .chain(with_name(&self.kpis, |k| Some((&k.id, k.name.as_ref()?))))
            .chain(with_name(&self.competitors, |c| Some((&c.id, &c.text))))
            .chain(with_name(&self.content, |c| Some((&c.id, &c.name))))
            .chain(with_name(&self.checklists, |c| Some((&c.id, &c.name))))
            .chain(with_name(points, |p| Some((&p.id, &p.text))));
        journey.chain(findings).chain(rest)
    }
}

/// The parts of a kind that have a name, with it.
fn with_name<'m, T: 'm>(
    parts: impl IntoIterator<Item = &'m T>,
    name: fn(&'m T) -> Option<(&'m Id, &'m LocalizedText)>,
) -> impl Iterator<Item = (&'m Id, &'m LocalizedText)> {
    parts.into_iter().filter_map(name)
}
