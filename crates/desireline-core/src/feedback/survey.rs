//! What to ask customers in an interview, and what the answers are good for.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Question, QuestionKind};

/// What answers to an interview question become on a map.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Yields {
    /// What brought the customer here: the goal of a stage, the scenario of the map.
    Trigger,
    /// Which rivals were looked at: observations of competitors.
    Competitor,
    /// Why it was bought, or not: a moment of truth.
    Decision,
    /// What was liked: an opportunity to amplify.
    Opportunity,
    /// What was frustrating: a pain point.
    Pain,
    /// What should be better: an opportunity.
    Improvement,
    /// Whether it was as expected: the gap of an expectation.
    Gap,
}

impl Yields {
    /// The word for programs.
    pub const fn word(self) -> &'static str {
        match self {
            Yields::Trigger => "trigger",
            Yields::Competitor => "competitor",
            Yields::Decision => "decision",
            Yields::Opportunity => "opportunity",
            Yields::Pain => "pain",
            Yields::Improvement => "improvement",
            Yields::Gap => "gap",
        }
    }

    /// What a finding of this kind is on a map: the list of the document that it belongs to.
    pub const fn list(self) -> &'static str {
        match self {
            Yields::Trigger => "goals",
            Yields::Competitor => "competitors",
            Yields::Decision => "moments",
            Yields::Opportunity | Yields::Improvement => "opportunities",
            Yields::Pain => "pains",
            Yields::Gap => "expectations",
        }
    }
}

/// One question of the interview.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SurveyQuestion {
    /// The question.
    pub question: Question,
    /// What its answers become on a map.
    pub yields: Yields,
}

/// The seven questions of a customer interview, ready to be asked: what triggered it, which rivals were seen, why it was bought or not, what was
/// liked, what was frustrating, what should be better, and whether it was as expected.
///
/// Six are free text; the last is a yes or no with words beside it. The template is data: change, drop and add what you like, and give the questions to
/// a [`FeedbackBuilder`](super::FeedbackBuilder).
///
/// ```
/// use desireline_core::feedback::{Feedback, Yields, survey_template};
/// let template = survey_template();
/// assert_eq!(template.len(), 7);
/// assert_eq!(template.iter().filter(|q| q.yields == Yields::Pain).count(), 1);
/// Feedback::builder(template.into_iter().map(|q| q.question))?;
/// # Ok::<(), desireline_core::feedback::FeedbackError>(())
/// ```
pub fn survey_template() -> Vec<SurveyQuestion> {
    use QuestionKind::{Text, YesNo};
    let all = [
        (
            "trigger",
            Text,
            "What happened that made you look for something like this?",
            Yields::Trigger,
        ),
        (
            "rivals",
            Text,
            "What else did you look at before you came to us?",
            Yields::Competitor,
        ),
        (
            "decision",
            Text,
            "Why did you decide to buy, or not to?",
            Yields::Decision,
        ),
        (
            "liked",
            Text,
            "What did you like most?",
            Yields::Opportunity,
        ),
        ("frustrating", Text, "What was frustrating?", Yields::Pain),
        (
            "improve",
            Text,
            "What is the one thing that we should make better?",
            Yields::Improvement,
        ),
        (
            "as-expected",
            YesNo,
            "Was it as you had expected? What was different?",
            Yields::Gap,
        ),
    ];
    all.into_iter()
        .map(|(id, kind, wording, yields)| SurveyQuestion {
            question: Question::new(id, kind).wording(wording),
            yields,
        })
        .collect()
}
