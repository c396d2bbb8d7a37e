//! What an answer says of feelings, if it says anything.

use super::{Direction, FeedbackError, Question, QuestionKind, Score};
use crate::map::{EmotionSource, TextModel};

impl Question {
    /// How the answers to this question tell feelings: by the customers' own report, derived from a survey, or read by a model. Sources are
    /// never mixed.
    ///
    /// # Errors
    /// [`FeedbackError::NoValence`] where they tell none: a net promoter score is an intention, effort is no feeling, and a scale that
    /// is no scale of feelings has no agreed conversion.
    pub fn emotion_source(&self) -> Result<EmotionSource, FeedbackError> {
        let none = |why| {
            Err(FeedbackError::NoValence {
                kind: self.kind,
                why,
            })
        };
        let on_scale = self.scale_in_force().is_some_and(|s| s.feeling().is_some());
        match self.kind {
            QuestionKind::Feeling => Ok(EmotionSource::SelfReport),
            QuestionKind::Csat | QuestionKind::Rating | QuestionKind::Perceived if on_scale => {
                Ok(EmotionSource::Survey)
            }
            QuestionKind::Sentiment => {
                let unnamed = || TextModel {
                    name: "unnamed".to_owned(),
                    version: "0".to_owned(),
                };
                Ok(EmotionSource::TextModel(
                    self.model.clone().unwrap_or_else(unnamed),
                ))
            }
            QuestionKind::Csat | QuestionKind::Rating | QuestionKind::Perceived => {
                none("its scale is none of -2 to 2, 1 to 5, 1 to 7 and 1 to 9")
            }
            QuestionKind::Nps | QuestionKind::Enps => {
                none("it asks for an intention, not for a feeling")
            }
            QuestionKind::CesV1 | QuestionKind::CesV2 => none("effort is not pleasure"),
            QuestionKind::Expected => none("it was not felt yet"),
            QuestionKind::Arousal => none("it says how stirring, not how pleasant"),
            QuestionKind::YesNo | QuestionKind::Text => none("it is not answered on a scale"),
        }
    }

    /// The valence of an answer, from −1 to 1, in millionths: `(s − middle) / (highest − middle)`, that is `(s − 3) / 2` from 1 to 5,
    /// `(s − 4) / 3` from 1 to 7, `(s − 5) / 4` from 1 to 9 and `s / 2` from −2 to 2; turned where low is good.
    ///
    /// # Errors
    /// As [`emotion_source`](Self::emotion_source).
    ///
    /// ```
    /// use desireline_core::feedback::{Question, Score};
    /// assert_eq!(Question::csat("q").valence(Score::from(4)), Ok(Score::new(0.5).ok_or("range")?));
    /// assert!(Question::nps("q").valence(Score::from(9)).is_err());
    /// # Ok::<(), &'static str>(())
    /// ```
    pub fn valence(&self, answer: Score) -> Result<Score, FeedbackError> {
        self.emotion_source()?;
        let Some(scale) = self.scale_in_force() else {
            return Err(FeedbackError::ScaleMissing {
                question: self.id.clone(),
                kind: self.kind,
            });
        };
        // Twice the distances, so that the middle is whole; then rounded to the nearest millionth.
        let (low, high) = (scale.lowest.millionths(), scale.highest.millionths());
        let from_middle = 2 * answer.millionths() - (low + high);
        let half = high - low;
        let turned = match scale.direction {
            Direction::HighIsGood => from_middle,
            Direction::LowIsGood => -from_middle,
        };
        let millionths = i128::from(turned) * 1_000_000;
        let half = i128::from(half);
        let rounded = (2 * millionths + half).div_euclid(2 * half);
        Ok(Score::of_millionths(i64::try_from(rounded).unwrap_or(0)))
    }

    /// The arousal of an answer, from 0 to 1, in millionths: `(s − 1) / 8`; `None` where the question asks for something else.
    pub fn arousal(&self, answer: Score) -> Option<Score> {
        (self.kind == QuestionKind::Arousal)
            .then(|| Score::of_millionths((answer.millionths() - 1_000_000) / 8))
    }
}
