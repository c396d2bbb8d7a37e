//! What was found out: pain points, opportunities and risks.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::part::{part, words};
use super::{At, Estimate, Id, Importance, LocalizedText, MoneyRate, Share};
use crate::time::TimeSpan;

part! {
    /// Something that keeps customers from what they want. It needs at least one piece of evidence and somebody who answers
    /// for it.
    pub struct PainPoint {
        /// Its id.
        id: Id,
        /// Where: a touchpoint, a stage, or the way between two.
        at: At,
        /// What hurts.
        text: LocalizedText,
        /// What shows it.
        signals * Signal,
        /// How many it concerns.
        affected ? Estimate,
        /// What it costs.
        loss ? MoneyRate,
        /// The goals that it stands in the way of.
        blocks * Id,
        /// The personas it hurts; all where none is named.
        personas * Id,
        /// How bad: 0 (no problem) to 4 (nobody gets through).
        severity ? Severity,
        /// How it stands against the last version of the map.
        status ? FindingStatus,
        /// Who answers for it.
        owner ? Id,
        /// What it rests on.
        evidence * Id,
        + own
    }
}

impl PainPoint {
    /// Whether signals of at least two families show it.
    pub fn is_corroborated(&self) -> bool {
        let mut families: Vec<SignalFamily> =
            self.signals.iter().map(|s| s.kind.family()).collect();
        families.sort();
        families.dedup();
        families.len() >= 2
    }
}

part! {
    /// Something that shows a pain point.
    pub struct Signal {
        /// What kind of sign.
        kind: SignalKind,
        /// How strong.
        estimate ? Estimate,
        /// How likely so strong a sign would be if there were nothing.
        p ? Share,
        /// The same with all other tests of the map in mind.
        q ? Share,
    }
}

words! {
    /// Kinds of signs for a pain point.
    pub enum SignalKind {
        /// More leave here than elsewhere.
        Exits = "exits",
        /// Feelings or satisfaction are low.
        LowMood = "low_mood",
        /// Customers go round in circles.
        Loops = "loops",
        /// It takes longer than usual.
        Slow = "slow",
        /// Errors and angry clicks.
        Errors = "errors",
        /// Help is asked for soon after.
        SupportContact = "support_contact",
        /// Something is written about often.
        Topic = "topic",
        /// A promise is not kept.
        BrokenPromise = "broken_promise",
    }
}

words! {
    /// Families of signs; a pain point is corroborated by two.
    pub enum SignalFamily {
        /// What customers do.
        Behaviour = "behaviour",
        /// How long it takes.
        Time = "time",
        /// What they say.
        Voice = "voice",
        /// What comes of it.
        Outcome = "outcome",
    }
}

impl SignalKind {
    /// The family.
    pub fn family(self) -> SignalFamily {
        match self {
            SignalKind::Loops | SignalKind::SupportContact => SignalFamily::Behaviour,
            SignalKind::Slow => SignalFamily::Time,
            SignalKind::LowMood | SignalKind::Topic => SignalFamily::Voice,
            SignalKind::Exits | SignalKind::Errors | SignalKind::BrokenPromise => {
                SignalFamily::Outcome
            }
        }
    }
}

words! {
    /// How a finding stands against the last version.
    pub enum FindingStatus {
        /// It was not there.
        New = "new",
        /// It is still there.
        Persisting = "persisting",
        /// It is gone.
        Resolved = "resolved",
        /// It was gone and came back.
        Regressed = "regressed",
    }
}

/// How bad something is: 0 (no problem), 1 (a blemish), 2 (small), 3 (large), 4 (nobody gets through).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Severity(u8);

impl Severity {
    /// The severity, if it is one from 0 to 4.
    pub fn new(severity: u8) -> Option<Severity> {
        (severity <= 4).then_some(Severity(severity))
    }

    /// The number.
    pub fn get(self) -> u8 {
        self.0
    }
}

impl<'de> Deserialize<'de> for Severity {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Severity, D::Error> {
        let severity = u8::deserialize(deserializer)?;
        Severity::new(severity)
            .ok_or_else(|| serde::de::Error::custom(format!("{severity} is no severity: 0 to 4")))
    }
}

impl JsonSchema for Severity {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Severity".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "integer", "minimum": 0, "maximum": 4 })
    }
}

part! {
    /// Something that would make the journey better.
    pub struct Opportunity {
        /// Its id.
        id: Id,
        /// What is done.
        kind: OpportunityKind,
        /// Where.
        at: At,
        /// What and why.
        text ? LocalizedText,
        /// By how much the lever is moved, such as a drop-off lower by 0.05.
        lever ? Share,
        /// What it would bring; with its method, and over `horizon`.
        uplift ? Estimate,
        /// Over how long.
        horizon ? TimeSpan,
        /// What that is worth.
        value ? MoneyRate,
        /// How much work it is, from 0 to 10.
        effort ? Importance,
        /// What has to be true for it.
        assumptions * Id,
        /// The pain points it would ease.
        solves * Id,
        /// The experiment that would show it.
        hypothesis ? Id,
        /// How it stands against the last version of the map.
        status ? FindingStatus,
        /// Who answers for it.
        owner ? Id,
        /// What it rests on.
        evidence * Id,
        + own
    }
}

words! {
    /// What is done about an opportunity.
    pub enum OpportunityKind {
        /// Something bad becomes less.
        Reduce = "reduce",
        /// Something good reaches more customers.
        Amplify = "amplify",
        /// Something is added.
        Add = "add",
        /// Things happen in another order.
        Reorder = "reorder",
    }
}

part! {
    /// What could become worse.
    pub struct Risk {
        /// Its id.
        id: Id,
        /// What could happen.
        text: LocalizedText,
        /// Where, or the pain point that would grow.
        driver ? At,
        /// How likely.
        probability ? Share,
        /// What it would cost.
        loss ? MoneyRate,
        /// Who answers for it.
        owner ? Id,
        /// What it rests on.
        evidence * Id,
        + own
    }
}
