//! What customers say along a map: each touchpoint and stage with its answers, response rates, feelings and words.

use std::collections::BTreeMap;

use desireline_stats::sample_size;
use serde::{Deserialize, Serialize};

use super::emotion::{EmotionCurve, EmotionOrigin, EmotionValue, emotion_curve};
use super::feedback::{FeedbackJoin, JoinRule, Place, Unjoined, join_for, stages_of};
use super::persona_weights::nowhere;
use super::report::{EmotionMeasure, FeedbackMeasure, OverlayReport};
use crate::engine::Exec;
use crate::error::Result;
use crate::feedback::measures::response_rate;
use crate::feedback::report::{Sums, counts, sample, tallies, texts, verbatims, with_measures};
use crate::feedback::{
    Feedback, FeedbackError, FeedbackReport, Measured, Measures, Measuring, QuestionKind,
    VerbatimRow,
};
use crate::journey::Journeys;
use crate::map::{EmotionSource, Id, JourneyMap};
use crate::report::{Answer, Base, Caveat, Cells, Provenance, Rate, Report, Table};

/// How feedback is held against a map.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ListenOptions {
    /// How answers find their touchpoint.
    pub rule: JoinRule,
    /// How sure, and from how many on.
    pub measuring: Measuring,
    /// How well a share should be known at a touchpoint, in either direction: 0.1 where nothing is said. How many answers are missing follows.
    pub half_width: f64,
    /// How many verbatims are shown: a sample that is always the same one.
    pub verbatims: usize,
    /// The seed of the sample.
    pub seed: u64,
    /// Whether verbatims come with their customers' ids.
    pub customers: bool,
}

impl Default for ListenOptions {
    fn default() -> ListenOptions {
        ListenOptions {
            rule: JoinRule::default(),
            measuring: Measuring::default(),
            half_width: 0.1,
            verbatims: 20,
            seed: 0,
            customers: false,
        }
    }
}

/// One question at one place of the map.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PlaceRow {
    /// The id of the stage or touchpoint.
    pub place: String,
    /// The question.
    pub question: String,
    /// Its kind.
    pub kind: QuestionKind,
    /// Answers: scores, or words for free text.
    pub answers: u64,
    /// Customers who gave them.
    pub customers: u64,
    /// What they come to.
    pub measures: Measures,
}

/// How well a touchpoint is heard (K23).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct HeardRow {
    /// The touchpoint.
    pub touchpoint: String,
    /// Touches in these journeys.
    pub touches: u64,
    /// Those of them that were answered.
    pub answered: u64,
    /// Answered touches of all, clustered by customer.
    pub response: Measured,
    /// Answers about it.
    pub answers: u64,
    /// How many more are needed until a share is known as well as asked for, whatever it is.
    pub missing: u64,
}

/// Feedback held against a map. Tables: `touchpoints`, `stages`, `elsewhere` (steps and channels), `heard`, `emotion`, `unjoined`, `verbatims`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct VoiceReport {
    /// The map's id.
    pub map: String,
    /// Answers in the table.
    pub answers: u64,
    /// Those of them with a place, declared ones among them.
    pub joined: u64,
    /// Those whose place was declared.
    pub declared: u64,
    /// Those without a place, by reason.
    pub unjoined: BTreeMap<Unjoined, u64>,
    /// Each question at each touchpoint, in the order of the map.
    pub touchpoints: Vec<PlaceRow>,
    /// Each question at each stage. An answer at a touchpoint that sits in several stages counts in each of them.
    pub stages: Vec<PlaceRow>,
    /// Each question at each step and channel: asked there, or at a touchpoint that sits there.
    pub elsewhere: Vec<PlaceRow>,
    /// How well each touchpoint is heard.
    pub heard: Vec<HeardRow>,
    /// Touchpoints with enough answers, of all touchpoints (K23).
    pub coverage: Rate,
    /// What customers feel, source by source.
    pub emotion: EmotionCurve,
    /// How many verbatims there are.
    pub n_verbatims: u64,
    /// A sample of them, by time; the touchpoint is the one they were joined to.
    pub verbatims: Vec<VerbatimRow>,
    /// What to know before trusting the numbers.
    pub caveats: Vec<Caveat>,
    /// Over which journeys.
    #[serde(skip, default = "nowhere")]
    pub provenance: Provenance,
}

/// Holds feedback against a map: joins answers to touchpoints and sums them up there and by stage.
///
/// # Errors
/// As `join_feedback`; a level not between 0 and 1, or a half width not above 0.
pub fn listen(
    map: &JourneyMap,
    journeys: &Journeys,
    feedback: &Feedback,
    options: &ListenOptions,
    exec: &Exec,
) -> Result<VoiceReport> {
    listen_to(map, journeys, feedback, options, None, exec)
}

/// The same for the customers of one persona alone.
pub(super) fn listen_to(
    map: &JourneyMap,
    journeys: &Journeys,
    feedback: &Feedback,
    options: &ListenOptions,
    persona: Option<&Id>,
    exec: &Exec,
) -> Result<VoiceReport> {
    options.measuring.check()?;
    let needed = sample_size(0.5, options.half_width, options.measuring.level);
    let needed = needed.ok_or_else(|| FeedbackError::Setting {
        name: "half_width",
        given: options.half_width.to_string(),
        allowed: "a number above 0, such as 0.1",
    })?;
    let join = join_for(map, journeys, feedback, &options.rule, persona, exec)?;
    Ok(heard(map, journeys, feedback, &join, options, needed))
}

fn heard(
    map: &JourneyMap,
    journeys: &Journeys,
    feedback: &Feedback,
    join: &FeedbackJoin,
    options: &ListenOptions,
    needed: u64,
) -> VoiceReport {
    let measuring = &options.measuring;
    let place_of = |id: usize| join.answers.get(id).and_then(|a| a.ok());
    let at_touchpoints = tallies(feedback, |a| match place_of(a.id)?.place {
        Place::Touchpoint(t) => Some(t),
        _ => None,
    });
    let row = |place: String, question: usize, sums: &Sums| {
        let asked = &feedback.questions()[question];
        PlaceRow {
            place,
            question: asked.id.clone(),
            kind: asked.kind,
            answers: sums.answers(),
            customers: sums.customers(),
            measures: Measures::of(sums.tally.as_ref(), measuring),
        }
    };
    let touchpoints: Vec<PlaceRow> = at_touchpoints
        .iter()
        .map(|((t, question), sums)| row(map.touchpoints[*t].id.to_string(), *question, sums))
        .collect();
    let mut stages = Vec::new();
    let stage_lists: Vec<Vec<usize>> = (0..map.touchpoints.len())
        .map(|t| stages_of(map, Place::Touchpoint(t)))
        .collect();
    for (stage, drawn) in map.stages.iter().enumerate() {
        let sums = tallies(feedback, |a| {
            let here = match place_of(a.id)?.place {
                Place::Touchpoint(t) => stage_lists[t].contains(&stage),
                Place::Stage(s) => s == stage,
                other => stages_of(map, other).contains(&stage),
            };
            here.then_some(())
        });
        let rows = sums.iter();
        stages.extend(rows.map(|((_, q), sums)| row(drawn.id.to_string(), *q, sums)));
    }
    // Steps and channels: what is said of them, and of the touchpoints that sit there.
    let steps = map.stages.iter().flat_map(|s| &s.steps);
    let steps = steps.enumerate().map(|(i, s)| (&s.id, Place::Step(i)));
    let channels = map.channels.iter().enumerate();
    let channels = channels.map(|(i, c)| (&c.id, Place::Channel(i)));
    let mut elsewhere = Vec::new();
    for (id, place) in steps.chain(channels) {
        let sums = tallies(feedback, |a| {
            let here = match place_of(a.id)?.place {
                Place::Touchpoint(t) => {
                    let t = &map.touchpoints[t];
                    t.step.as_ref() == Some(id) || t.channel.as_ref() == Some(id)
                }
                other => other == place,
            };
            here.then_some(())
        });
        elsewhere.extend(
            sums.iter()
                .map(|((_, q), sums)| row(id.to_string(), *q, sums)),
        );
    }
    let heard: Vec<HeardRow> = map
        .touchpoints
        .iter()
        .enumerate()
        .map(|(t, touchpoint)| {
            let touches = &join.touches[t];
            let answers = at_touchpoints.range((t, 0)..(t + 1, 0));
            let answers = answers.map(|(_, sums)| sums.answers()).max().unwrap_or(0);
            HeardRow {
                touchpoint: touchpoint.id.to_string(),
                touches: touches.n,
                answered: touches.k,
                response: response_rate(touches, measuring),
                answers,
                missing: needed.saturating_sub(answers),
            }
        })
        .collect();
    let enough = heard.iter().filter(|h| h.missing == 0).count() as u64;
    let mut unjoined: BTreeMap<Unjoined, u64> = BTreeMap::new();
    let (mut joined, mut declared) = (0, 0);
    for answer in &join.answers {
        match answer {
            Ok(place) => {
                joined += 1;
                declared += u64::from(place.declared);
            }
            Err(reason) => *unjoined.entry(*reason).or_default() += 1,
        }
    }
    let is_meant = |id: usize| join.outside.get(id) == Some(&false);
    let said = feedback
        .answers()
        .filter(|a| a.text().is_some() && is_meant(a.id));
    let shown = sample(said.clone(), options.verbatims, options.seed);
    let mut caveats = feedback.caveats();
    caveats.extend(journeys.caveats());
    VoiceReport {
        map: map.id.to_string(),
        answers: feedback.len() as u64,
        joined,
        declared,
        unjoined,
        touchpoints,
        stages,
        elsewhere,
        coverage: Rate::simple(enough, heard.len() as u64, Base::OfAll, measuring.level),
        heard,
        emotion: emotion_curve(map, Some((feedback, join)), measuring),
        n_verbatims: said.count() as u64,
        verbatims: shown
            .iter()
            .map(|a| VerbatimRow {
                touchpoint: place_of(a.id).map(|joined| match joined.place {
                    Place::Touchpoint(t) => map.touchpoints[t].id.to_string(),
                    Place::Stage(s) => map.stages[s].id.to_string(),
                    Place::Step(s) => {
                        let mut steps = map.stages.iter().flat_map(|s| &s.steps);
                        steps.nth(s).map_or_else(String::new, |s| s.id.to_string())
                    }
                    Place::Channel(c) => map.channels[c].id.to_string(),
                }),
                ..VerbatimRow::of(a, options.customers)
            })
            .collect(),
        caveats,
        provenance: journeys.provenance(),
    }
}

impl VoiceReport {
    /// The report as an answer, which every renderer takes.
    pub fn into_answer(self) -> Answer<VoiceReport> {
        Answer {
            analysis: FeedbackReport::NAME.to_owned(),
            spec: serde_json::Value::Object(serde_json::Map::new()),
            provenance: self.provenance.clone(),
            report: self,
        }
    }

    /// How satisfied customers are at a touchpoint or stage: its first CSAT question, and beside it how many of the touches were answered.
    pub fn satisfaction(&self, place: &str) -> Option<(Measured, Option<Measured>)> {
        let rows = self.touchpoints.iter().chain(&self.stages);
        let mut asked = rows.filter(|r| r.place == place && r.kind == QuestionKind::Csat);
        let csat = asked.next()?.measures.share?;
        let heard = self.heard.iter().find(|h| h.touchpoint == place);
        Some((csat, heard.map(|h| h.response)))
    }

    /// Writes what customers say and feel into the places that a measured map keeps for it. Of several sources of feelings the most direct one that
    /// has a number is taken, never a mixture; all of them are in [`VoiceReport::emotion`].
    pub fn fill(&self, report: &mut OverlayReport) {
        for stage in &mut report.stages {
            stage.feedback = self.instruments(&self.stages, &stage.id);
            stage.emotion = self.feeling(Some(&stage.id), None);
        }
        for touchpoint in &mut report.touchpoints {
            touchpoint.feedback = self.instruments(&self.touchpoints, &touchpoint.id);
            touchpoint.emotion = self.feeling(None, Some(&touchpoint.id));
        }
    }

    fn instruments(&self, rows: &[PlaceRow], place: &str) -> Option<Vec<FeedbackMeasure>> {
        let heard = self.heard.iter().find(|h| h.touchpoint == place);
        let response = heard.map(|h| Rate {
            count: h.answered,
            n: h.touches,
            base: Base::OfTouches,
            estimate: h.response.estimate,
        });
        let here: Vec<FeedbackMeasure> = rows
            .iter()
            .filter(|r| r.place == place)
            .map(|r| FeedbackMeasure {
                instrument: r.kind.word().to_owned(),
                value: r.measures.usual(r.kind).and_then(|m| m.estimate),
                answers: r.answers,
                response,
            })
            .collect();
        (!here.is_empty()).then_some(here)
    }

    fn feeling(&self, stage: Option<&str>, touchpoint: Option<&str>) -> Option<EmotionMeasure> {
        let points: Vec<_> = self.emotion.measured(stage, touchpoint).collect();
        let told = points.iter().find(|p| p.valence.value().is_some());
        let point = told.or_else(|| points.iter().find(|p| p.n > 0))?;
        let estimate = |value: &EmotionValue| match value {
            EmotionValue::Measured(estimate) => Some(*estimate),
            _ => None,
        };
        Some(EmotionMeasure {
            valence: estimate(&point.valence),
            arousal: point.arousal.as_ref().and_then(estimate),
            n: point.n,
            source: source_word(&point.source).to_owned(),
        })
    }

    fn emotion_table(&self) -> Table {
        let p = &self.emotion.points;
        let measured = |value: Option<&EmotionValue>| match value {
            Some(EmotionValue::Measured(estimate)) => Some(*estimate),
            _ => None,
        };
        let said = |value: &EmotionValue| match value {
            EmotionValue::Said { value, .. } => Some(*value),
            _ => None,
        };
        let hole = |value: &EmotionValue, n: u64| match value {
            EmotionValue::Hole(hole) => Some(hole.message(n)),
            _ => None,
        };
        Table::new("emotion", "Feelings, source by source")
            .with("stage", "Stage", texts(p, |r| Some(r.stage.clone())))
            .with(
                "touchpoint",
                "Touchpoint",
                texts(p, |r| r.touchpoint.clone()),
            )
            .with(
                "source",
                "Source",
                texts(p, |r| Some(source_word(&r.source).to_owned())),
            )
            .with(
                "origin",
                "Origin",
                texts(p, |r| {
                    let word = match r.origin {
                        EmotionOrigin::Feedback => "measured",
                        EmotionOrigin::Map => "written in the map",
                    };
                    Some(word.to_owned())
                }),
            )
            .with("persona", "Persona", texts(p, |r| r.persona.clone()))
            .with("n", "Answers", counts(p, |r| r.n))
            .with(
                "valence",
                "Valence",
                Cells::Estimate(p.iter().map(|r| measured(Some(&r.valence))).collect()),
            )
            .with(
                "written",
                "Written",
                Cells::Number(p.iter().map(|r| said(&r.valence)).collect()),
            )
            .with(
                "arousal",
                "Arousal",
                Cells::Estimate(p.iter().map(|r| measured(r.arousal.as_ref())).collect()),
            )
            .with("note", "Note", texts(p, |r| hole(&r.valence, r.n)))
    }
}

/// The word for a source in reports.
fn source_word(source: &EmotionSource) -> &'static str {
    match source {
        EmotionSource::Survey => "survey_derived",
        other => other.word(),
    }
}

fn places(name: &'static str, title: &str, rows: &[PlaceRow]) -> Table {
    let table = Table::new(name, title)
        .with("place", "Place", texts(rows, |r| Some(r.place.clone())))
        .with(
            "question",
            "Question",
            texts(rows, |r| Some(r.question.clone())),
        )
        .with(
            "kind",
            "Kind",
            texts(rows, |r| Some(r.kind.word().to_owned())),
        )
        .with("answers", "Answers", counts(rows, |r| r.answers))
        .with("customers", "Customers", counts(rows, |r| r.customers));
    with_measures(table, rows, |r| &r.measures)
}

impl Report for VoiceReport {
    fn title(&self) -> &'static str {
        "Feedback along the map"
    }

    fn tables(&self) -> Vec<Table> {
        let h = &self.heard;
        let response = h.iter().map(|r| {
            Some(Rate {
                count: r.answered,
                n: r.touches,
                base: Base::OfTouches,
                estimate: r.response.estimate,
            })
        });
        let heard = Table::new("heard", "How well each touchpoint is heard")
            .with(
                "touchpoint",
                "Touchpoint",
                texts(h, |r| Some(r.touchpoint.clone())),
            )
            .with("touches", "Touches", counts(h, |r| r.touches))
            .with("response", "Answered", Cells::Rate(response.collect()))
            .with("answers", "Answers", counts(h, |r| r.answers))
            .with("missing", "Missing", counts(h, |r| r.missing));
        let mut fates: Vec<(&str, u64)> = vec![
            ("declared", self.declared),
            ("near in time", self.joined - self.declared),
        ];
        fates.extend(self.unjoined.iter().map(|(reason, n)| (reason.label(), *n)));
        let unjoined = Table::new("unjoined", "How answers found their place")
            .with(
                "how",
                "How",
                texts(&fates, |(how, _)| Some((*how).to_owned())),
            )
            .with("answers", "Answers", counts(&fates, |(_, n)| *n));
        let mut tables = vec![
            places("touchpoints", "By touchpoint", &self.touchpoints),
            places("stages", "By stage", &self.stages),
            heard,
            self.emotion_table(),
            unjoined,
        ];
        if !self.elsewhere.is_empty() {
            tables.insert(
                2,
                places("elsewhere", "By step and channel", &self.elsewhere),
            );
        }
        if self.n_verbatims > 0 {
            let title = format!("Said: {} of {}", self.verbatims.len(), self.n_verbatims);
            tables.push(verbatims(title, &self.verbatims));
        }
        tables
    }

    crate::report::held!();
}
