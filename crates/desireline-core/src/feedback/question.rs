//! One question of a questionnaire.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Direction, FeedbackError, QuestionKind, Scale, Score};
use crate::map::TextModel;

/// What was asked, on what scale, and which codes mean that nothing was answered.
///
/// ```
/// use desireline_core::feedback::{Question, Score};
/// let recommend = Question::nps("recommend").blank(11);
/// assert!(recommend.is_blank(Score::from(11)));
/// assert!(recommend.check().is_ok());
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Question {
    /// Its id, which answers name.
    pub id: String,
    /// What it asks for.
    pub kind: QuestionKind,
    /// Its scale; the kind's usual one where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<Scale>,
    /// Codes that mean that nothing was answered or that it does not apply.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blanks: Vec<Score>,
    /// Texts that mean the same, such as `Blank`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blank_texts: Vec<String>,
    /// The touchpoint that all its answers are about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub touchpoint: Option<String>,
    /// For an expected or a perceived item: the id of the other one of the pair.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pair: Option<String>,
    /// For sentiment: the model that read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<TextModel>,
    /// The question as it was put.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wording: Option<String>,
}

impl Question {
    /// A question of a kind, on that kind's usual scale.
    pub fn new(id: impl Into<String>, kind: QuestionKind) -> Question {
        Question {
            id: id.into(),
            kind,
            scale: None,
            blanks: Vec::new(),
            blank_texts: Vec::new(),
            touchpoint: None,
            pair: None,
            model: None,
            wording: None,
        }
    }

    /// Would you recommend us? 0 to 10.
    pub fn nps(id: impl Into<String>) -> Question {
        Question::new(id, QuestionKind::Nps)
    }

    /// How satisfied are you? 1 to 5.
    pub fn csat(id: impl Into<String>) -> Question {
        Question::new(id, QuestionKind::Csat)
    }

    /// Free text.
    pub fn text(id: impl Into<String>) -> Question {
        Question::new(id, QuestionKind::Text)
    }

    /// Its scale.
    #[must_use]
    pub fn scale(mut self, scale: Scale) -> Question {
        self.scale = Some(scale);
        self
    }

    /// A code that means that nothing was answered, or that it does not apply.
    #[must_use]
    pub fn blank(mut self, code: impl Into<Score>) -> Question {
        self.blanks.push(code.into());
        self
    }

    /// A text that means the same.
    #[must_use]
    pub fn blank_text(mut self, text: impl Into<String>) -> Question {
        self.blank_texts.push(text.into());
        self
    }

    /// The touchpoint that all its answers are about.
    #[must_use]
    pub fn about(mut self, touchpoint: impl Into<String>) -> Question {
        self.touchpoint = Some(touchpoint.into());
        self
    }

    /// The other one of a pair of expected and perceived.
    #[must_use]
    pub fn pair_with(mut self, question: impl Into<String>) -> Question {
        self.pair = Some(question.into());
        self
    }

    /// The model that reads the sentiment.
    #[must_use]
    pub fn model(mut self, name: impl Into<String>, version: impl Into<String>) -> Question {
        let (name, version) = (name.into(), version.into());
        self.model = Some(TextModel { name, version });
        self
    }

    /// The question as it is put.
    #[must_use]
    pub fn wording(mut self, text: impl Into<String>) -> Question {
        self.wording = Some(text.into());
        self
    }

    /// The scale in force; none for free text.
    pub fn scale_in_force(&self) -> Option<Scale> {
        match self.kind {
            QuestionKind::Text => None,
            kind => self.scale.or_else(|| kind.usual_scale()),
        }
    }

    /// Whether a code means that nothing was answered.
    pub fn is_blank(&self, code: Score) -> bool {
        self.blanks.contains(&code)
    }

    /// Whether the question can be asked so.
    ///
    /// # Errors
    /// No scale where the kind has no usual one; a scale that the kind does not allow: a net promoter score is asked for from 0 to 10, a
    /// feeling on a [`FeelingScale`](crate::map::FeelingScale).
    pub fn check(&self) -> Result<(), FeedbackError> {
        let refuse = |scale: Scale, allowed| {
            Err(FeedbackError::ScaleForKind {
                question: self.id.clone(),
                kind: self.kind,
                scale,
                allowed,
            })
        };
        if self.kind == QuestionKind::Text {
            return match self.scale {
                None => Ok(()),
                Some(scale) => refuse(scale, "none"),
            };
        }
        let Some(scale) = self.scale_in_force() else {
            return Err(FeedbackError::ScaleMissing {
                question: self.id.clone(),
                kind: self.kind,
            });
        };
        if scale.lowest >= scale.highest {
            return Err(FeedbackError::Scale {
                lowest: scale.lowest,
                highest: scale.highest,
            });
        }
        let usual = self.kind.usual_scale() == Some(scale);
        match self.kind {
            QuestionKind::Nps | QuestionKind::Enps if !usual => {
                refuse(scale, "0 to 10, high is good")
            }
            QuestionKind::Sentiment if !usual => refuse(scale, "-1 to 1, high is good"),
            QuestionKind::Arousal if !usual => refuse(scale, "1 to 9, high is good"),
            QuestionKind::Feeling if scale.feeling().is_none() => {
                refuse(scale, "-2 to 2, 1 to 5, 1 to 7, 1 to 9")
            }
            kind if kind.is_whole() && !(scale.lowest.is_whole() && scale.highest.is_whole()) => {
                refuse(scale, "whole numbers")
            }
            _ => Ok(()),
        }
    }

    /// Its scale as people read it.
    pub fn scale_text(&self) -> String {
        self.scale_in_force()
            .map_or_else(|| "text".to_owned(), |scale| scale.to_string())
    }

    pub(super) fn low_is_good(&self) -> bool {
        self.scale_in_force()
            .is_some_and(|s| s.direction == Direction::LowIsGood)
    }
}
