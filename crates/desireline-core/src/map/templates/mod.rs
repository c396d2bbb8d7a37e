//! Maps to begin with.
//!
//! Each is a draft in its kind's shape: it can be read and checked, and what `map check` warns of is what to fill in next. The
//! texts are ours; the names in them say whose way of mapping a template follows.

use super::{Date, Form, JourneyMap, MapError};

/// A map to begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Template {
    /// Its name.
    pub name: &'static str,
    /// What it is for.
    pub summary: &'static str,
    /// The document, as YAML with comments.
    pub text: &'static str,
}

macro_rules! templates {
    ($($name:literal $summary:literal,)*) => {
        /// All templates.
        pub const TEMPLATES: &[Template] = &[$(Template {
            name: $name,
            summary: $summary,
            text: include_str!(concat!($name, ".yaml")),
        }),*];
    };
}

templates! {
    "blank" "three stages and nothing else",
    "nng" "one actor in one scenario: done, thought, felt, and what could be better (Nielsen Norman Group)",
    "hubspot-buyers-journey" "from a need to a decision, with what answers a buyer's questions (HubSpot)",
    "hubspot-current-state" "how it is today, with pains and who answers for them (HubSpot)",
    "hubspot-lead-nurturing" "from first interest to a talk (HubSpot)",
    "hubspot-future-state" "how it should be, as an ideal map (HubSpot)",
    "hubspot-day-in-the-life" "the customer's day, with and without us (HubSpot)",
    "hubspot-churn" "how customers leave and may come back (HubSpot)",
    "hubspot-support-blueprint" "a request for help, in front and behind (HubSpot)",
    "clarabridge-like" "today's journey from what customers say, with the plan to what is promised (Clarabridge)",
    "ten-steps" "ten steps from personas to an ideal journey, as a checklist",
    "service-blueprint" "what is done, seen, and happens behind it",
    "ecommerce-checklist" "a shop's points to look at, by area",
    "b2b" "several people of a company decide together",
}

/// The template of a name.
pub fn find(name: &str) -> Option<&'static Template> {
    TEMPLATES.iter().find(|t| t.name == name)
}

/// The name of a template that was most likely meant.
pub fn nearest(name: &str) -> Option<&'static str> {
    crate::expr::nearest(name, TEMPLATES.iter().map(|t| t.name))
}

impl Template {
    /// The template as a map.
    ///
    /// # Errors
    /// None for the templates there are.
    pub fn map(&self) -> Result<JourneyMap, MapError> {
        JourneyMap::from_yaml(self.text)
    }

    /// The document for a new map, its comments kept: with its id and title, and the day that it is.
    ///
    /// # Errors
    /// An id or title that no document can hold.
    pub fn begin(&self, id: &str, title: Option<&str>, as_of: Date) -> Result<String, MapError> {
        let title = title.map(|t| serde_json::Value::from(t).to_string());
        let mut text = String::with_capacity(self.text.len());
        for line in self.text.lines() {
            match line.split_once(':').map_or("", |(key, _)| key) {
                "id" => text.push_str(&format!("id: {id}")),
                "title" => match &title {
                    Some(title) => text.push_str(&format!("title: {title}")),
                    None => text.push_str(line),
                },
                "as_of" => text.push_str(&format!("as_of: {as_of}")),
                _ => text.push_str(line),
            }
            text.push('\n');
        }
        super::MapFile::read(&text, Form::Yaml)?;
        Ok(text)
    }
}
