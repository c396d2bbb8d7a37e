//! What experts saw: heuristics, rivals, content and checklists.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::part::{part, words};
use super::{At, Date, Id, Importance, LocalizedText, Severity};

part! {
    /// What one expert says of one place by one rule of thumb. Two raters are wanted, so that their agreement can be told.
    pub struct HeuristicReview {
        /// Its id.
        id: Id,
        /// What was looked at.
        at: At,
        /// Which of the ten rules.
        heuristic: Heuristic,
        /// How bad: 0 (no problem) to 4 (nobody gets through).
        severity: Severity,
        /// Who looked.
        rater: String,
        /// When.
        date ? Date,
        /// What was seen.
        note ? LocalizedText,
        + own
    }
}

/// One of the ten usability heuristics of Nielsen and Molich, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Heuristic(u8);

impl Heuristic {
    /// The heuristic, if the number is one from 1 to 10.
    pub fn new(number: u8) -> Option<Heuristic> {
        (1..=10).contains(&number).then_some(Heuristic(number))
    }

    /// The number.
    pub fn number(self) -> u8 {
        self.0
    }

    /// What it asks for, in our words.
    pub fn text(self) -> &'static str {
        match self.0 {
            1 => "people can see what is going on",
            2 => "it speaks the language of its users",
            3 => "there is a way out and a way back",
            4 => "the same things look and work the same",
            5 => "mistakes are prevented",
            6 => "people need not remember, they see",
            7 => "beginners find in, the practised are fast",
            8 => "there is nothing that is not needed",
            9 => "errors say what happened and what to do",
            _ => "help is at hand where it is needed",
        }
    }
}

impl<'de> Deserialize<'de> for Heuristic {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Heuristic, D::Error> {
        let number = u8::deserialize(deserializer)?;
        Heuristic::new(number).ok_or_else(|| {
            serde::de::Error::custom(format!("{number} is no heuristic: there are 1 to 10"))
        })
    }
}

impl JsonSchema for Heuristic {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Heuristic".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "integer", "minimum": 1, "maximum": 10 })
    }
}

part! {
    /// What was seen at a rival, at a place of the journey.
    pub struct CompetitorObservation {
        /// Its id.
        id: Id,
        /// Who.
        competitor: String,
        /// The place of our journey it compares with.
        at: At,
        /// What was seen.
        text: LocalizedText,
        /// How well they do it, from 0 to 10.
        score ? Importance,
        /// Who looked.
        rater ? String,
        /// When.
        date ? Date,
        /// What it rests on.
        evidence * Id,
        + own
    }
}

part! {
    /// Something to read, watch or listen to.
    pub struct ContentAsset {
        /// Its id.
        id: Id,
        /// Its name.
        name: LocalizedText,
        /// The stages it is for.
        stages * Id,
        /// The personas it is for; all where none is named.
        personas * Id,
        /// Its format, such as `article` or `video`.
        format ? String,
        /// Where it is found.
        link ? String,
        /// The touchpoint that shows it.
        touchpoint ? Id,
        /// How far it is.
        status ? ContentStatus,
        + own
    }
}

words! {
    /// How far content is.
    pub enum ContentStatus {
        /// It is missing.
        Missing = "missing",
        /// It is being made.
        Draft = "draft",
        /// It is there.
        Live = "live",
        /// It should be renewed or taken away.
        Outdated = "outdated",
    }
}

part! {
    /// A list of points to look at.
    pub struct Checklist {
        /// Its id.
        id: Id,
        /// Its name.
        name: LocalizedText,
        /// The points.
        items * ChecklistItem,
        + own
    }
}

part! {
    /// A point of a checklist.
    pub struct ChecklistItem {
        /// Its id.
        id: Id,
        /// What should be so.
        text: LocalizedText,
        /// Where.
        at ? At,
        /// Whether it is; open where nothing is said.
        result ? CheckResult,
        /// What was seen.
        note ? LocalizedText,
        /// Who looked.
        rater ? String,
        /// When.
        date ? Date,
        + own
    }
}

words! {
    /// What came of a point of a checklist.
    pub enum CheckResult {
        /// It is so.
        Pass = "pass",
        /// It is not.
        Fail = "fail",
        /// It does not apply.
        NotApplicable = "na",
    }
}
