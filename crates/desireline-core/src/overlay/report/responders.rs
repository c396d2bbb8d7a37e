//! Who answered, and what became of their journeys.

use desireline_stats::Estimate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Contrast;
use crate::report::{Caveat, Rate};

/// What is known of those who answered: whether they are like all others, and how satisfied those are who reached a goal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Responders {
    /// Answers in the table; with a persona those of its customers.
    pub answers: u64,
    /// Those of them that belong to a journey.
    pub joined: u64,
    /// Each question with who answered it.
    pub questions: Vec<ResponderBias>,
    /// Each goal with each question that has good answers.
    pub goals: Vec<GoalSatisfaction>,
}

impl Responders {
    /// What a reader of the answers must know: which questions were answered by people who are not like all others.
    pub fn caveat(&self) -> Option<Caveat> {
        let biased = self.questions.iter().filter(|q| q.biased == Some(true));
        let told: Vec<String> = biased.map(|q| format!("`{}`", q.question)).collect();
        (!told.is_empty()).then(|| Caveat::Note {
            text: format!(
                "who answered {} reached a goal far more, or far less, often than all: read the answers beside the weighted ones",
                told.join(", ")
            ),
        })
    }
}

/// Whether those who answered a question are like all others.
///
/// Journeys whose outcome is not yet known take no part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ResponderBias {
    /// The question.
    pub question: String,
    /// Its kind, such as `csat`.
    pub kind: String,
    /// Journeys with an answer to it, of all.
    pub answered: Rate,
    /// Journeys with an answer that reached a goal, of those with an answer.
    pub goal_answered: Rate,
    /// Journeys that reached a goal, of all.
    pub goal_all: Rate,
    /// The first less the second; customers on both sides allowed for.
    pub difference: Option<Estimate>,
    /// The same over the mean standard deviation of both: comparable between questions and maps.
    pub standardised: Option<f64>,
    /// Whether that is beyond 0.2 in either direction: who answered is not like the others.
    pub biased: Option<bool>,
    /// Good answers, of the answers given in journeys whose outcome is known.
    pub raw: Option<Rate>,
    /// The same as if all journeys had been heard alike: answers count by how few were given where the journey came as far and ended alike.
    pub weighted: Option<Estimate>,
    /// Kinds of journeys by how far they came and how they ended, and those of them with an answer.
    pub strata: (u64, u64),
    /// The part of all journeys that is of a kind without any answer, of which nothing can be said.
    pub unheard: Option<f64>,
}

/// How satisfied those are who reached a goal, against those who did not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GoalSatisfaction {
    /// The goal.
    pub goal: String,
    /// The question.
    pub question: String,
    /// Its kind, such as `csat`.
    pub kind: String,
    /// Good answers after the journey had reached the goal, against those in journeys that ended without it; clustered by customer.
    pub satisfied: Contrast,
    /// Answers that were given before the journey reached the goal: on neither side.
    pub before: u64,
    /// Answers of journeys that may still reach it: on neither side.
    pub open: u64,
    /// Steps of the shortest journey to the goal over the mean number of steps (KPI K19).
    pub directness: Option<Estimate>,
}
