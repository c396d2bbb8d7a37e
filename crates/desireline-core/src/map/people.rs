//! Personas, what they want, and the people who answer for a map's parts.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::part::{part, words};
use super::{Id, Importance, LocalizedText, Money, Share};
use crate::expr::Expr;
use crate::time::TimeSpan;

part! {
    /// A kind of customer: a segment with the human facts that a map needs.
    pub struct Persona {
        /// Its id.
        id: Id,
        /// Its name.
        name: LocalizedText,
        /// Whether it describes whom one has or whom one wishes for.
        kind ? PersonaKind,
        /// Who belongs to it: a condition on attributes of customers or on their events.
        member ? Expr,
        /// Its part of all customers, where it was counted or guessed.
        share ? Share,
        /// What one such customer is worth.
        value ? Money,
        /// In their own words.
        quote ? LocalizedText,
        /// Who they are.
        traits ? Traits,
        /// What they want: goals of the map.
        goals * Id,
        /// What hurts them.
        pains * LocalizedText,
        /// What speaks against buying for them.
        objections * LocalizedText,
        /// The channels they like.
        preferred_channels * Id,
        /// What they answered when they were asked.
        interviews * Interview,
        /// Personas whose members may belong to this one too.
        overlaps * Id,
        /// Traits that reports leave out.
        sensitive * String,
        /// What it rests on.
        evidence * Id,
        + own
    }
}

words! {
    /// Whom a persona describes.
    pub enum PersonaKind {
        /// The customers there are.
        Actual = "actual",
        /// The customers one would like to have.
        Ideal = "ideal",
    }
}

part! {
    /// Facts about a persona.
    pub struct Traits {
        /// Age, such as `25-34`.
        age ? String,
        /// Gender.
        gender ? String,
        /// Where they live.
        place ? String,
        /// Marital status.
        marital_status ? String,
        /// Income.
        income ? String,
        /// How they like to be reached.
        preferred_contact ? String,
        /// What they buy.
        products * String,
        /// What they like to read, hear or watch.
        content_format * String,
        /// Further facts by name.
        other ? IndexMap<String, String>,
    }
}

impl Traits {
    /// The names of the facts that are known.
    pub fn names(&self) -> Vec<&str> {
        let fixed = [
            ("age", self.age.is_some()),
            ("gender", self.gender.is_some()),
            ("place", self.place.is_some()),
            ("marital_status", self.marital_status.is_some()),
            ("income", self.income.is_some()),
            ("preferred_contact", self.preferred_contact.is_some()),
            ("products", !self.products.is_empty()),
            ("content_format", !self.content_format.is_empty()),
        ];
        let other = self
            .other
            .iter()
            .flat_map(IndexMap::keys)
            .map(String::as_str);
        let known = fixed
            .into_iter()
            .filter(|(_, known)| *known)
            .map(|(name, _)| name);
        known.chain(other).collect()
    }
}

part! {
    /// An answer from an interview.
    pub struct Interview {
        /// What was asked.
        question: InterviewQuestion,
        /// What was said.
        answer: LocalizedText,
        /// Where that is kept.
        evidence ? Id,
    }
}

words! {
    /// The seven questions of a customer interview.
    pub enum InterviewQuestion {
        /// What made you look for something?
        Trigger = "trigger",
        /// Whom else did you look at?
        OthersSeen = "others_seen",
        /// Why did you buy, or not?
        WhyBought = "why_bought",
        /// What did you like?
        Liked = "liked",
        /// What annoyed you?
        Annoyed = "annoyed",
        /// What should be better?
        Improve = "improve",
        /// Was it as you had expected?
        AsExpected = "as_expected",
    }
}

impl InterviewQuestion {
    /// The question as it is put to a customer.
    pub fn text(self) -> &'static str {
        match self {
            InterviewQuestion::Trigger => "What made you look for something like this?",
            InterviewQuestion::OthersSeen => "Whom else did you look at before you decided?",
            InterviewQuestion::WhyBought => "Why did you buy, or why did you not?",
            InterviewQuestion::Liked => "What did you like on the way?",
            InterviewQuestion::Annoyed => "What annoyed you or held you up?",
            InterviewQuestion::Improve => "What should we do better?",
            InterviewQuestion::AsExpected => "Was it as you had expected?",
        }
    }
}

part! {
    /// What a customer wants to achieve: the lens through which a map is read.
    pub struct CustomerGoal {
        /// Its id.
        id: Id,
        /// What is wanted, in the customer's words.
        text: LocalizedText,
        /// Whether it is about a task, a feeling or other people.
        kind: GoalKind,
        /// The stages in which it matters; the whole journey where none is named.
        stages * Id,
        /// The personas that have it; all where none is named.
        personas * Id,
        /// The event that shows it was reached. Without it nothing can be said about completion.
        success ? Expr,
        /// How soon it is wanted.
        deadline ? TimeSpan,
        /// What it is worth to the company.
        value ? Money,
        /// How much it matters to the customer.
        importance ? Importance,
        /// What it rests on.
        evidence * Id,
        + own
    }
}

words! {
    /// What a goal is about.
    pub enum GoalKind {
        /// A task.
        Functional = "functional",
        /// A feeling.
        Emotional = "emotional",
        /// How others see one.
        Social = "social",
    }
}

part! {
    /// Somebody who answers for a part of the journey, or is touched by it.
    pub struct Stakeholder {
        /// Its id.
        id: Id,
        /// A name or a team's name.
        name: LocalizedText,
        /// What they do.
        role ? String,
        /// The team they belong to.
        team ? String,
        /// What they need from the map.
        needs * LocalizedText,
        /// How they stand to others.
        relations * Relation,
        /// What they answer for.
        owns * Id,
        + own
    }
}

/// How one stakeholder stands to another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Relation {
    /// The other.
    pub to: Id,
    /// What kind of relation, such as `hands over to`.
    pub kind: String,
    /// How strong, from 0 to 10.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<Importance>,
}
