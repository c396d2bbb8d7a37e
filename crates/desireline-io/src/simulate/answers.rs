//! What the shop's customers say when they are asked: a survey with known satisfaction at each touchpoint.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};

use super::columns::{Columns, customer_id, id_width};
use super::draw::{Draw, Weights};
use super::generate::Simulator;
use super::{CustomerIds, SimulateError};

/// Streams of random numbers from here on are those of answers; below they are of events.
const STREAMS: u64 = 1 << 62;

/// Answers in which the score was left out.
const BLANK: f64 = 0.03;

/// Answers with words to them.
const SAID: f64 = 0.25;

/// A question that customers are asked at a touchpoint of the shop, and what is true of their answers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Asked {
    /// The touchpoint.
    pub touchpoint: &'static str,
    /// Whether it is asked at a repeated visit within the session instead of at the first.
    pub again: bool,
    /// `csat`, from 1 (bad) to 5 (good), or `nps`, from 0 to 10.
    pub question: &'static str,
    /// The share of such visits with an answer.
    pub answered: f64,
    /// How often each score is given, lowest first; the weights sum to 1.
    pub scores: &'static [f64],
    /// What is said with a low score and with a high one.
    words: [&'static [&'static str]; 2],
}

impl Asked {
    /// The lowest score of the question's scale.
    pub fn lowest(&self) -> i64 {
        i64::from(self.question == "csat")
    }

    /// The mean score, exactly.
    pub fn mean(&self) -> f64 {
        self.scores
            .iter()
            .zip(self.lowest()..)
            .map(|(share, score)| share * score as f64)
            .sum()
    }
}

/// Five weights of satisfaction, asked at the first visit of a session.
const fn csat(
    touchpoint: &'static str,
    answered: f64,
    scores: &'static [f64; 5],
    words: [&'static [&'static str]; 2],
) -> Asked {
    Asked {
        touchpoint,
        again: false,
        question: "csat",
        answered,
        scores,
        words,
    }
}

/// The shop's survey. Satisfaction falls towards the payment, lowest where it fails, and rises again with the parcel;
/// who has to go through the checkout again minds it.
pub const SURVEY: &[Asked] = &[
    csat(
        "home",
        0.04,
        &[0.04, 0.09, 0.29, 0.38, 0.20],
        [
            &["Too many banners", "I could not see where to begin"],
            &["Clear at once", "Looks good on my phone"],
        ],
    ),
    csat(
        "search",
        0.03,
        &[0.07, 0.15, 0.34, 0.31, 0.13],
        [
            &[
                "It found everything but what I meant",
                "No way to narrow it down",
            ],
            &["Found it with two words", "Good suggestions"],
        ],
    ),
    csat(
        "product_view",
        0.015,
        &[0.03, 0.08, 0.25, 0.41, 0.23],
        [
            &["I miss a picture from behind", "What is it made of?"],
            &["All that I wanted to know", "Lovely pictures"],
        ],
    ),
    csat(
        "reviews",
        0.05,
        &[0.05, 0.13, 0.36, 0.33, 0.13],
        [
            &[
                "Only praise, I do not believe it",
                "Nobody says how it fits",
            ],
            &["Honest, that helped", "The photos of others decided it"],
        ],
    ),
    csat(
        "cart",
        0.06,
        &[0.09, 0.18, 0.33, 0.28, 0.12],
        [
            &["Shipping comes as a surprise", "It had forgotten my coupon"],
            &["Simple", "I saw at once what it comes to"],
        ],
    ),
    csat(
        "checkout",
        0.20,
        &[0.14, 0.25, 0.31, 0.22, 0.08],
        [
            &[
                "Why do you need my birthday?",
                "I had to type the address twice",
            ],
            &["Quick", "It knew my address"],
        ],
    ),
    Asked {
        touchpoint: "checkout",
        again: true,
        question: "csat",
        answered: 0.20,
        scores: &[0.42, 0.33, 0.17, 0.06, 0.02],
        words: [
            &["Back to the start again", "It lost all that I had typed"],
            &["In the end it worked"],
        ],
    },
    csat(
        "payment",
        0.25,
        &[0.10, 0.18, 0.31, 0.29, 0.12],
        [
            &[
                "My card is not taken",
                "I was not sure whether it had worked",
            ],
            &["Paid in a minute", "My bank's app opened by itself"],
        ],
    ),
    csat(
        "payment_error",
        0.60,
        &[0.58, 0.27, 0.11, 0.03, 0.01],
        [
            &[
                "Error, and nobody says why",
                "Twice I tried and twice it failed",
                "Now I buy it elsewhere",
            ],
            &["The second card worked"],
        ],
    ),
    csat(
        "purchase",
        0.30,
        &[0.02, 0.05, 0.16, 0.42, 0.35],
        [
            &["No word on when it comes"],
            &["Done, thank you", "That was easy"],
        ],
    ),
    Asked {
        touchpoint: "purchase",
        again: false,
        question: "nps",
        answered: 0.30,
        scores: &[
            0.02, 0.01, 0.02, 0.03, 0.04, 0.09, 0.09, 0.17, 0.22, 0.16, 0.15,
        ],
        words: [
            &[
                "Dear, compared with others",
                "I would not send my mother through that checkout",
            ],
            &["I have told my sister", "The best in its field"],
        ],
    },
    csat(
        "delivery",
        0.35,
        &[0.05, 0.08, 0.17, 0.38, 0.32],
        [
            &["Three days late", "Left in the rain"],
            &["Earlier than promised", "Well packed"],
        ],
    ),
    csat(
        "support_chat",
        0.40,
        &[0.29, 0.17, 0.13, 0.19, 0.22],
        [
            &[
                "A machine that does not understand",
                "Waited ten minutes for a link",
            ],
            &["A human who solved it", "Friendly and quick"],
        ],
    ),
    csat(
        "return_request",
        0.18,
        &[0.19, 0.29, 0.28, 0.17, 0.07],
        [
            &["I have no printer", "Who pays for it? I still do not know"],
            &["No questions asked"],
        ],
    ),
];

/// Simulated answers, column by column, all of one length.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    /// The customer's number, from 0.
    pub customer: Vec<u64>,
    /// When it was asked: the time of the visit, in microseconds since 1970 UTC.
    pub time: Vec<i64>,
    /// The place in [`SURVEY`].
    pub asked: Vec<u8>,
    /// The score; `None` where it was left out.
    pub score: Vec<Option<i64>>,
    /// What was said with it.
    pub words: Vec<Option<&'static str>>,
}

impl Answers {
    /// How many answers there are.
    pub fn len(&self) -> usize {
        self.time.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.time.is_empty()
    }
}

impl Simulator {
    /// What a range of customers answers to [`SURVEY`], by customer and time. Programs are not asked.
    ///
    /// The events are the same whether or not anybody is asked. O(events).
    ///
    /// ```
    /// use desireline_io::simulate::{SURVEY, Simulation};
    ///
    /// let answers = Simulation::shop(500).prepare()?.answers(0..500);
    /// let failed = SURVEY.iter().position(|a| a.touchpoint == "payment_error");
    /// assert!(answers.asked.iter().any(|&a| Some(usize::from(a)) == failed));
    /// # Ok::<(), desireline_io::simulate::SimulateError>(())
    /// ```
    pub fn answers(&self, customers: Range<u64>) -> Answers {
        let (mut answers, mut events) = (Answers::default(), Columns::default());
        let survey = Survey::new(&self.names.event);
        for customer in customers.start..customers.end.min(self.customers) {
            let bots = &self.model.bots;
            if bots
                .binary_search_by_key(&customer, |bot| bot.customer)
                .is_ok()
            {
                continue;
            }
            events.clear();
            self.model.customer(customer, &mut events);
            let mut draw = self.model.source.stream(STREAMS | customer);
            survey.ask(&events, &mut draw, &mut answers);
        }
        answers
    }

    /// The answers of all customers as one table: `customer_id`, `time`, `touchpoint` (the event's name), `question`, `score`
    /// and `words`, of which the last two may be missing.
    ///
    /// # Errors
    /// [`SimulateError::Arrow`] where Arrow refuses the columns, such as more than 2 GiB of text.
    pub fn answers_batch(&self) -> Result<RecordBatch, SimulateError> {
        let answers = self.answers(0..self.customers);
        let width = id_width(self.customers);
        let customers: ArrayRef = match self.ids {
            CustomerIds::Text => Arc::new(StringArray::from_iter_values(
                answers
                    .customer
                    .iter()
                    .map(|&c| customer_id(c, self.ids, width)),
            )),
            CustomerIds::Integer => Arc::new(Int64Array::from_iter_values(
                answers.customer.iter().map(|&c| c as i64),
            )),
        };
        let said = |part: fn(&Asked) -> &'static str| {
            StringArray::from_iter_values(
                answers.asked.iter().map(|&a| part(&SURVEY[usize::from(a)])),
            )
        };
        Ok(RecordBatch::try_new(
            self.answers_schema(),
            vec![
                customers,
                Arc::new(
                    TimestampMicrosecondArray::from_iter_values(answers.time.iter().copied())
                        .with_timezone("UTC"),
                ),
                Arc::new(said(|a| a.touchpoint)),
                Arc::new(said(|a| a.question)),
                Arc::new(Int64Array::from(answers.score.clone())),
                Arc::new(StringArray::from(answers.words.clone())),
            ],
        )?)
    }

    /// The columns of [`Simulator::answers_batch`].
    pub fn answers_schema(&self) -> SchemaRef {
        let id = match self.ids {
            CustomerIds::Text => DataType::Utf8,
            CustomerIds::Integer => DataType::Int64,
        };
        let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        Arc::new(Schema::new(vec![
            Field::new("customer_id", id, false),
            Field::new("time", time, false),
            Field::new("touchpoint", DataType::Utf8, false),
            Field::new("question", DataType::Utf8, false),
            Field::new("score", DataType::Int64, true),
            Field::new("words", DataType::Utf8, true),
        ]))
    }
}

/// [`SURVEY`], ready to be asked.
struct Survey {
    /// By event: what is asked there.
    at: Vec<Vec<u8>>,
    scores: Vec<Weights>,
}

impl Survey {
    fn new(events: &[String]) -> Survey {
        let asked_at = |event: &String| {
            let here = |(_, asked): &(u8, &Asked)| asked.touchpoint == event;
            (0u8..).zip(SURVEY).filter(here).map(|(a, _)| a).collect()
        };
        Survey {
            at: events.iter().map(asked_at).collect(),
            scores: SURVEY.iter().map(|a| Weights::new(a.scores)).collect(),
        }
    }

    /// Asks one customer.
    fn ask(&self, events: &Columns, draw: &mut Draw, answers: &mut Answers) {
        let mut seen: Vec<u16> = Vec::new();
        for (i, &event) in events.event.iter().enumerate() {
            if i > 0 && events.session[i] != events.session[i - 1] {
                seen.clear();
            }
            let Some(questions) = self.at.get(usize::from(event)).filter(|q| !q.is_empty()) else {
                continue;
            };
            let again = seen.contains(&event);
            seen.push(event);
            for &a in questions {
                let asked = &SURVEY[usize::from(a)];
                if asked.again != again || !draw.chance(asked.answered) {
                    continue;
                }
                let score = self.scores[usize::from(a)].pick(draw);
                // 4 and 5 of 5; 8 and more of 10.
                let is_high = score * 10 > (asked.scores.len() - 1) * 7;
                let words = asked.words[usize::from(is_high)];
                let place = draw.below(words.len() as u64) as usize;
                let (is_said, is_blank) = (draw.chance(SAID), draw.chance(BLANK));
                answers.customer.push(events.customer[i]);
                answers.time.push(events.time[i]);
                answers.asked.push(a);
                answers
                    .score
                    .push((!is_blank).then_some(asked.lowest() + score as i64));
                answers
                    .words
                    .push(words.get(place).filter(|_| is_said).copied());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::Simulation;
    use super::*;

    #[test]
    fn shares_of_scores_are_as_planted() {
        let shop = Simulation::shop(40_000).prepare().unwrap();
        let answers = shop.answers(0..40_000);
        for (a, asked) in SURVEY.iter().enumerate() {
            assert!(
                (asked.scores.iter().sum::<f64>() - 1.0).abs() < 1e-12,
                "{asked:?}"
            );
            let given: Vec<i64> = (0..answers.len())
                .filter(|&i| usize::from(answers.asked[i]) == a)
                .filter_map(|i| answers.score[i])
                .collect();
            let n = given.len() as f64;
            assert!(n > 50.0, "{asked:?}: {n}");
            for (share, score) in asked.scores.iter().zip(asked.lowest()..) {
                let found = given.iter().filter(|&&s| s == score).count() as f64;
                let error = (n * share * (1.0 - share)).sqrt();
                assert!(
                    (found - n * share).abs() < 4.5 * error.max(1.0),
                    "{asked:?} {score}"
                );
            }
        }
    }

    #[test]
    fn as_many_visits_are_answered_as_planted() {
        let shop = Simulation::shop(20_000).prepare().unwrap();
        let (events, answers) = (shop.columns(0..20_000), shop.answers(0..20_000));
        let code = |name: &str| shop.names.event.iter().position(|n| n == name).unwrap();
        let is_bot = |c: u64| shop.model.bots.iter().any(|bot| bot.customer == c);
        for (a, asked) in SURVEY.iter().enumerate() {
            // Once a session, or at every further visit of it.
            let mut visits = std::collections::BTreeMap::<(u64, u32), f64>::new();
            for i in 0..events.len() {
                if usize::from(events.event[i]) == code(asked.touchpoint)
                    && !is_bot(events.customer[i])
                {
                    *visits
                        .entry((events.customer[i], events.session[i]))
                        .or_default() += 1.0;
                }
            }
            let repeated: f64 = visits.values().map(|n| n - 1.0).sum();
            let asked_at = if asked.again {
                repeated
            } else {
                visits.len() as f64
            };
            let found = answers
                .asked
                .iter()
                .filter(|&&x| usize::from(x) == a)
                .count() as f64;
            let error = (asked_at * asked.answered * (1.0 - asked.answered)).sqrt();
            assert!(
                (found - asked_at * asked.answered).abs() < 4.5 * error,
                "{asked:?} {found} of {asked_at}"
            );
        }
    }

    #[test]
    fn answers_do_not_depend_on_ranges_and_leave_events_alone() {
        let shop = Simulation::shop(300).prepare().unwrap();
        let before = shop.columns(0..300);
        let whole = shop.answers(0..300);
        let parts = [shop.answers(0..120), shop.answers(120..u64::MAX)];
        assert_eq!(parts.iter().map(Answers::len).sum::<usize>(), whole.len());
        assert_eq!(parts[1].time[..], whole.time[parts[0].len()..]);
        assert_eq!(parts[1].score[..], whole.score[parts[0].len()..]);
        assert_eq!(shop.columns(0..300), before);
        assert_eq!(shop.answers_batch().unwrap().num_rows(), whole.len());
    }
}
