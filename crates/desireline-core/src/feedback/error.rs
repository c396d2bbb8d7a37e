//! What can be wrong with feedback, or with what is asked of it.

use super::{QuestionKind, Scale, Score};

/// Feedback that cannot be built, or a measure that does not fit it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FeedbackError {
    /// A text is no number.
    #[error("`{given}` is no score; write digits, such as 9 or 4.5")]
    Score {
        /// The text.
        given: String,
    },
    /// A scale without extent.
    #[error("a scale from {lowest} to {highest} holds nothing; the lowest answer comes first")]
    Scale {
        /// The lowest answer as given.
        lowest: Score,
        /// The highest answer as given.
        highest: Score,
    },
    /// No such kind of question.
    #[error("no kind of question is called `{name}`{}; there are {}", near(nearest.as_deref()), known.join(", "))]
    UnknownKind {
        /// The name as given.
        name: String,
        /// The nearest known one.
        nearest: Option<String>,
        /// All of them.
        known: Vec<String>,
    },
    /// A question has no scale.
    #[error(
        "question `{question}` ({kind}) needs its scale: the lowest and the highest answer, and which is good"
    )]
    ScaleMissing {
        /// The question.
        question: String,
        /// Its kind.
        kind: QuestionKind,
    },
    /// A question's kind does not allow its scale.
    #[error("question `{question}` ({kind}) cannot have the scale {scale}; allowed: {allowed}")]
    ScaleForKind {
        /// The question.
        question: String,
        /// Its kind.
        kind: QuestionKind,
        /// The scale as given.
        scale: Scale,
        /// What is allowed.
        allowed: &'static str,
    },
    /// A question is declared twice.
    #[error("question `{question}` is declared twice")]
    RepeatedQuestion {
        /// The question.
        question: String,
    },
    /// No such question.
    #[error("there is no question `{name}`{}; there are {}", near(nearest.as_deref()), list(known))]
    UnknownQuestion {
        /// The name as given.
        name: String,
        /// The nearest one.
        nearest: Option<String>,
        /// All of them.
        known: Vec<String>,
    },
    /// No question of this kind was asked.
    #[error("no {} was asked; there are questions of the kinds {}", kind.label(), list(known))]
    NothingOfKind {
        /// The kind.
        kind: QuestionKind,
        /// The kinds that there are.
        known: Vec<String>,
    },
    /// Answers on different scales are not put together.
    #[error(
        "questions `{first}` ({first_scale}) and `{second}` ({second_scale}) are on different scales; choose one question"
    )]
    MixedScales {
        /// One question.
        first: String,
        /// Its scale.
        first_scale: Scale,
        /// Another.
        second: String,
        /// Its scale.
        second_scale: Scale,
    },
    /// A question of this kind has no such measure.
    #[error(
        "a question of the kind {kind} has no {measure}; it has {}",
        list_words(allowed)
    )]
    NotMeasured {
        /// The kind.
        kind: QuestionKind,
        /// The measure asked for.
        measure: &'static str,
        /// The measures that there are.
        allowed: Vec<&'static str>,
    },
    /// An answer is no feeling.
    #[error("{} is no feeling and has no valence: {why}", kind.label())]
    NoValence {
        /// The kind of question.
        kind: QuestionKind,
        /// Why not.
        why: &'static str,
    },
    /// The question an expectation or a perception is paired with cannot be its partner.
    #[error("question `{question}` is paired with `{partner}`, which {problem}")]
    Pair {
        /// The question.
        question: String,
        /// Its partner.
        partner: String,
        /// What is wrong.
        problem: &'static str,
    },
    /// A setting is outside its range.
    #[error("{name} is {given}, allowed is {allowed}")]
    Setting {
        /// The setting.
        name: &'static str,
        /// What was given.
        given: String,
        /// What is allowed.
        allowed: &'static str,
    },
}

fn near(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |n| format!(" (did you mean `{n}`?)"))
}

fn list(names: &[String]) -> String {
    match names {
        [] => "none".to_owned(),
        names => names.join(", "),
    }
}

fn list_words(names: &[&str]) -> String {
    match names {
        [] => "none".to_owned(),
        names => names.join(", "),
    }
}
