//! What is asked, and on what scale it is answered.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::FeedbackError;
use crate::error::nearest;
use crate::map::FeelingScale;

/// An answer on a scale, kept in millionths so that sums are exact.
///
/// ```
/// use desireline_core::feedback::Score;
/// assert_eq!(Score::from(9).get(), 9.0);
/// assert_eq!("4.5".parse::<Score>().ok(), Score::new(4.5));
/// assert_eq!(Score::new(f64::NAN), None);
/// assert_eq!("1e1".parse::<Score>().ok(), Some(Score::from(10)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Score(i64);

impl Score {
    const ONE: i64 = 1_000_000;
    /// Beyond this no survey goes, and sums stay far from their ends.
    const LARGEST: f64 = 1e9;

    /// A number, rounded to the nearest millionth; `None` for NaN and beyond ±10⁹.
    pub fn new(number: f64) -> Option<Score> {
        (number.abs() <= Self::LARGEST).then(|| Score((number * 1e6).round() as i64))
    }

    /// The number.
    pub fn get(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// The number in millionths.
    pub const fn millionths(self) -> i64 {
        self.0
    }

    /// Whether it is a whole number.
    pub const fn is_whole(self) -> bool {
        self.0 % Self::ONE == 0
    }

    pub(crate) const fn of_millionths(millionths: i64) -> Score {
        Score(millionths)
    }
}

impl From<i32> for Score {
    fn from(whole: i32) -> Score {
        Score(i64::from(whole) * Self::ONE)
    }
}

impl FromStr for Score {
    type Err = FeedbackError;
    /// Reads a number in digits with a sign, decimal point and exponent where there are any, and nothing else: no `nine`, no `5 stars`. `1e1`
    /// is 10.
    fn from_str(text: &str) -> Result<Score, FeedbackError> {
        let is_number = text.len() <= 40
            && text.bytes().any(|b| b.is_ascii_digit())
            && text
                .bytes()
                .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+' | b'e' | b'E'));
        let number = is_number.then(|| text.parse::<f64>().ok()).flatten();
        number
            .and_then(Score::new)
            .ok_or_else(|| FeedbackError::Score {
                given: text.chars().take(40).collect(),
            })
    }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

impl Serialize for Score {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.is_whole() {
            true => serializer.serialize_i64(self.0 / Self::ONE),
            false => serializer.serialize_f64(self.get()),
        }
    }
}

impl<'de> Deserialize<'de> for Score {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Score, D::Error> {
        let number = f64::deserialize(deserializer)?;
        Score::new(number).ok_or_else(|| serde::de::Error::custom("a score lies within ±10⁹"))
    }
}

impl JsonSchema for Score {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Score".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "number", "description": "An answer on a scale." })
    }
}

/// Which end of a scale is the good one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// The highest answer is the best.
    HighIsGood,
    /// The lowest answer is the best, as where effort is asked for.
    LowIsGood,
}

/// The lowest and the highest answer to a question, and which of them is the good one.
///
/// ```
/// use desireline_core::feedback::{Direction, Scale, Score};
/// let effort = Scale::new(1, 5, Direction::LowIsGood)?;
/// assert!(effort.holds(Score::from(5)) && !effort.holds(Score::from(6)));
/// assert!(effort.is_among_best(Score::from(2), 2) && !effort.is_among_best(Score::from(3), 2));
/// assert!(Scale::new(5, 1, Direction::HighIsGood).is_err());
/// # Ok::<(), desireline_core::feedback::FeedbackError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Scale {
    /// The lowest answer.
    pub lowest: Score,
    /// The highest answer.
    pub highest: Score,
    /// Which end is the good one.
    pub direction: Direction,
}

impl Scale {
    /// A scale.
    ///
    /// # Errors
    /// The lowest answer is not below the highest.
    pub fn new(
        lowest: impl Into<Score>,
        highest: impl Into<Score>,
        direction: Direction,
    ) -> Result<Scale, FeedbackError> {
        let (lowest, highest) = (lowest.into(), highest.into());
        if lowest >= highest {
            return Err(FeedbackError::Scale { lowest, highest });
        }
        Ok(Scale {
            lowest,
            highest,
            direction,
        })
    }

    pub(super) fn whole(lowest: i32, highest: i32, direction: Direction) -> Scale {
        Scale {
            lowest: lowest.into(),
            highest: highest.into(),
            direction,
        }
    }

    /// Whether an answer lies on it, the ends included.
    pub fn holds(&self, score: Score) -> bool {
        (self.lowest..=self.highest).contains(&score)
    }

    /// Whether an answer is one of the `boxes` best whole ones: 4 and 5 of 1 to 5 are the two best, or 1 and 2 where low is good.
    pub fn is_among_best(&self, score: Score, boxes: u32) -> bool {
        let reach = (i64::from(boxes) - 1) * Score::ONE;
        boxes > 0
            && self.holds(score)
            && match self.direction {
                Direction::HighIsGood => score.0 >= self.highest.0 - reach,
                Direction::LowIsGood => score.0 <= self.lowest.0 + reach,
            }
    }

    /// The scale of feelings with these ends; `None` where an answer is no feeling.
    pub fn feeling(&self) -> Option<FeelingScale> {
        FeelingScale::ALL.iter().copied().find(|scale| {
            let (low, high) = scale.bounds();
            Score::new(low) == Some(self.lowest) && Score::new(high) == Some(self.highest)
        })
    }
}

impl fmt::Display for Scale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let good = match self.direction {
            Direction::HighIsGood => "high is good",
            Direction::LowIsGood => "low is good",
        };
        write!(f, "{} to {}, {good}", self.lowest, self.highest)
    }
}

/// What a question asks for.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum QuestionKind {
    /// Would you recommend us? 0 to 10.
    Nps,
    /// The same of employees.
    Enps,
    /// How satisfied are you? 1 to 5 unless said otherwise.
    Csat,
    /// How much effort was it? First version: 1 to 5, low is good.
    CesV1,
    /// They made it easy: agree or not? Second version: 1 to 7, high is good.
    CesV2,
    /// What a model reads from a text: −1 to 1.
    Sentiment,
    /// Stars, marks: any scale, to be declared.
    Rating,
    /// Yes or no: 1 or 0.
    YesNo,
    /// How good it should be; paired with [`Perceived`](Self::Perceived).
    Expected,
    /// How good it was; paired with [`Expected`](Self::Expected).
    Perceived,
    /// How does it feel? On a scale of feelings, to be declared ([`FeelingScale`]).
    Feeling,
    /// How stirring is it? 1 to 9.
    Arousal,
    /// Free text.
    Text,
}

impl QuestionKind {
    /// All of them.
    pub const ALL: &[QuestionKind] = &[
        QuestionKind::Nps,
        QuestionKind::Enps,
        QuestionKind::Csat,
        QuestionKind::CesV1,
        QuestionKind::CesV2,
        QuestionKind::Sentiment,
        QuestionKind::Rating,
        QuestionKind::YesNo,
        QuestionKind::Expected,
        QuestionKind::Perceived,
        QuestionKind::Feeling,
        QuestionKind::Arousal,
        QuestionKind::Text,
    ];

    /// The word for programs.
    pub const fn word(self) -> &'static str {
        match self {
            QuestionKind::Nps => "nps",
            QuestionKind::Enps => "enps",
            QuestionKind::Csat => "csat",
            QuestionKind::CesV1 => "ces_v1",
            QuestionKind::CesV2 => "ces_v2",
            QuestionKind::Sentiment => "sentiment",
            QuestionKind::Rating => "rating",
            QuestionKind::YesNo => "yes_no",
            QuestionKind::Expected => "expected",
            QuestionKind::Perceived => "perceived",
            QuestionKind::Feeling => "feeling",
            QuestionKind::Arousal => "arousal",
            QuestionKind::Text => "text",
        }
    }

    /// The words for people.
    pub const fn label(self) -> &'static str {
        match self {
            QuestionKind::Nps => "NPS",
            QuestionKind::Enps => "eNPS",
            QuestionKind::Csat => "CSAT",
            QuestionKind::CesV1 => "CES (effort)",
            QuestionKind::CesV2 => "CES (ease)",
            QuestionKind::Sentiment => "sentiment",
            QuestionKind::Rating => "rating",
            QuestionKind::YesNo => "yes or no",
            QuestionKind::Expected => "expected",
            QuestionKind::Perceived => "perceived",
            QuestionKind::Feeling => "feeling",
            QuestionKind::Arousal => "arousal",
            QuestionKind::Text => "free text",
        }
    }

    /// Its usual scale; none for free text and for kinds whose scale has to be declared.
    pub fn usual_scale(self) -> Option<Scale> {
        use Direction::{HighIsGood, LowIsGood};
        Some(match self {
            QuestionKind::Nps | QuestionKind::Enps => Scale::whole(0, 10, HighIsGood),
            QuestionKind::Csat => Scale::whole(1, 5, HighIsGood),
            QuestionKind::CesV1 => Scale::whole(1, 5, LowIsGood),
            QuestionKind::CesV2 => Scale::whole(1, 7, HighIsGood),
            QuestionKind::Sentiment => Scale::whole(-1, 1, HighIsGood),
            QuestionKind::YesNo => Scale::whole(0, 1, HighIsGood),
            QuestionKind::Arousal => Scale::whole(1, 9, HighIsGood),
            QuestionKind::Rating
            | QuestionKind::Expected
            | QuestionKind::Perceived
            | QuestionKind::Feeling
            | QuestionKind::Text => return None,
        })
    }

    /// Whether only whole numbers answer it.
    pub const fn is_whole(self) -> bool {
        !matches!(self, QuestionKind::Sentiment | QuestionKind::Rating)
    }

    /// How many of the best whole answers count as good: two for CSAT and effort, three for ease (5 to 7), one for yes.
    pub const fn best_boxes(self) -> Option<u32> {
        match self {
            QuestionKind::Csat | QuestionKind::CesV1 => Some(2),
            QuestionKind::CesV2 => Some(3),
            QuestionKind::YesNo => Some(1),
            _ => None,
        }
    }
}

impl fmt::Display for QuestionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for QuestionKind {
    type Err = FeedbackError;
    fn from_str(text: &str) -> Result<QuestionKind, FeedbackError> {
        let known = || QuestionKind::ALL.iter().map(|k| k.word());
        let wanted = text.trim().to_lowercase().replace(['-', ' '], "_");
        let found = QuestionKind::ALL.iter().find(|k| k.word() == wanted);
        found.copied().ok_or_else(|| FeedbackError::UnknownKind {
            name: text.chars().take(80).collect(),
            nearest: nearest(&wanted, known()),
            known: known().map(str::to_owned).collect(),
        })
    }
}
