//! What personas say in typed facts, and which of them nobody is shown.

use super::{JourneyMap, Persona, Traits};
use crate::expr::Field;

impl Traits {
    /// The facts that are known, by their names in the document, in its order.
    pub fn facts(&self) -> Vec<(&str, String)> {
        let words = |list: &[String]| Some(list.join(", ")).filter(|text| !text.is_empty());
        let fixed = [
            ("age", self.age.clone()),
            ("gender", self.gender.clone()),
            ("place", self.place.clone()),
            ("marital_status", self.marital_status.clone()),
            ("income", self.income.clone()),
            ("preferred_contact", self.preferred_contact.clone()),
            ("products", words(&self.products)),
            ("content_format", words(&self.content_format)),
        ];
        let fixed = fixed
            .into_iter()
            .filter_map(|(name, fact)| Some((name, fact?)));
        let other = self.other.iter().flatten();
        fixed
            .chain(other.map(|(name, fact)| (name.as_str(), fact.clone())))
            .collect()
    }

    fn forget(&mut self, name: &str) {
        match name {
            "age" => self.age = None,
            "gender" => self.gender = None,
            "place" => self.place = None,
            "marital_status" => self.marital_status = None,
            "income" => self.income = None,
            "preferred_contact" => self.preferred_contact = None,
            "products" => self.products.clear(),
            "content_format" => self.content_format.clear(),
            _ => {}
        }
        if let Some(other) = &mut self.other {
            other.shift_remove(name);
        }
    }
}

impl Persona {
    /// Its facts, by name. Those that it calls sensitive are among them only where that is asked for.
    pub fn facts(&self, sensitive: bool) -> Vec<(&str, String)> {
        let mut facts = self.traits.as_ref().map(Traits::facts).unwrap_or_default();
        facts.retain(|(name, _)| sensitive || !self.is_sensitive(name));
        facts
    }

    /// Whether reports leave this fact out.
    pub fn is_sensitive(&self, fact: &str) -> bool {
        self.sensitive.iter().any(|name| name == fact)
    }

    /// Whether the condition of who belongs to it looks at a fact that reports leave out, so that it would tell it.
    pub fn has_sensitive_member(&self) -> bool {
        self.member
            .iter()
            .flat_map(|m| m.fields())
            .any(|field| matches!(&field, Field::Attribute { name, .. } if self.is_sensitive(name)))
    }
}

impl JourneyMap {
    /// The map as pages, pictures and other formats show it: without the facts that personas call sensitive, and without the
    /// conditions of membership that look at columns of such a name. For showing only: those personas then have no members.
    ///
    /// ```
    /// use desireline_core::map::{Persona, Traits};
    ///
    /// let mut persona = Persona::new("thrifty", "Thrifty").traits(Traits::new().age("25-34").place("town"));
    /// persona.sensitive = vec!["age".to_owned()];
    /// assert_eq!(persona.facts(false), [("place", "town".to_owned())]);
    /// assert_eq!(persona.facts(true).len(), 2);
    /// ```
    #[must_use]
    pub fn without_sensitive(&self) -> JourneyMap {
        let mut map = self.clone();
        for persona in &mut map.personas {
            if persona.has_sensitive_member() {
                persona.member = None;
            }
            let names = std::mem::take(&mut persona.sensitive);
            if let Some(traits) = &mut persona.traits {
                names.iter().for_each(|name| traits.forget(name));
            }
            persona.sensitive = names;
        }
        map
    }
}
