//! What customers feel along a map: one curve for each source, never mixed.

use std::collections::BTreeMap;

use desireline_stats::Estimate;
use desireline_stats::mean::ClusteredMoments;
use serde::{Deserialize, Serialize};

use super::feedback::{FeedbackJoin, Place, stages_of};
use crate::feedback::measures::{mean_arousal, mean_valence};
use crate::feedback::{Feedback, Hole, Measured, Measuring, QuestionKind};
use crate::map::{At, EmotionSource, JourneyMap};

/// Where a point of a curve comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EmotionOrigin {
    /// Measured now, from answers.
    Feedback,
    /// Written in the map.
    Map,
}

/// How pleasant it is at a place, from −1 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EmotionValue {
    /// Measured, with its interval: the band.
    Measured(Estimate),
    /// Written in the map: a value, and both ends of an interval where the map has one. Nothing here vouches for it.
    Said {
        /// The value.
        value: f64,
        /// The interval as written.
        interval: Option<(f64, f64)>,
    },
    /// Too little to say.
    Hole(Hole),
}

impl EmotionValue {
    /// What was measured, or the hole.
    pub fn of(measured: &Measured) -> EmotionValue {
        match (measured.estimate, measured.hole) {
            (Some(estimate), _) => EmotionValue::Measured(estimate),
            (None, hole) => EmotionValue::Hole(hole.unwrap_or(Hole::NoAnswers)),
        }
    }

    /// The value; `None` for a hole.
    pub fn value(&self) -> Option<f64> {
        match self {
            EmotionValue::Measured(estimate) => Some(estimate.value),
            EmotionValue::Said { value, .. } => Some(*value),
            EmotionValue::Hole(_) => None,
        }
    }

    /// Both ends of its interval, where it has one.
    pub fn interval(&self) -> Option<(f64, f64)> {
        match self {
            EmotionValue::Measured(estimate) => Some((estimate.lower, estimate.upper)),
            EmotionValue::Said { interval, .. } => *interval,
            EmotionValue::Hole(_) => None,
        }
    }
}

/// What is felt at a stage, or at one of its touchpoints, by one source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct EmotionPoint {
    /// The stage.
    pub stage: String,
    /// The touchpoint; absent for the stage as a whole.
    pub touchpoint: Option<String>,
    /// Who or what says so. Points of different sources are never put together.
    pub source: EmotionSource,
    /// Measured now, or written in the map.
    pub origin: EmotionOrigin,
    /// Whose, where the map says it of one persona.
    pub persona: Option<String>,
    /// How pleasant.
    pub valence: EmotionValue,
    /// How stirring, from 0 to 1.
    pub arousal: Option<EmotionValue>,
    /// The feeling in a word, where the map has one.
    pub label: Option<String>,
    /// Answers behind it, or as many as the map says.
    pub n: u64,
}

/// What a source says of the journey as a whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct EmotionSummary {
    /// The source.
    pub source: EmotionSource,
    /// Measured now, or written in the map.
    pub origin: EmotionOrigin,
    /// Whose, where the map says it of one persona.
    pub persona: Option<String>,
    /// The mean of the places that have a value: the stages where it was measured, every place the map speaks of where it was written.
    pub mean: f64,
    /// The lowest of them, and its place; of two equal ones the first.
    pub lowest: (String, f64),
    /// The one furthest from 0, and its place; of two at the same distance the later one.
    pub peak: (String, f64),
    /// The last one, and its place.
    pub last: (String, f64),
    /// `(peak + last) / 2`: what people remember, by Kahneman's rule.
    pub peak_end: f64,
    /// Places with a value.
    pub places: u64,
    /// Places that have too little to say.
    pub holes: u64,
    /// The same over the customers who answered, each by their own answers in their order; absent for what the map says.
    pub by_customer: Option<CustomerEmotion>,
}

/// Mean, minimum and peak-end of each customer's own answers, over customers (K29).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CustomerEmotion {
    /// Customers with two answers or more.
    pub customers: u64,
    /// The mean of their means.
    pub mean: Measured,
    /// The mean of their minima.
    pub minimum: Measured,
    /// The mean of their peak-ends: the answer furthest from 0 and the last one, halved.
    pub peak_end: Measured,
}

/// The curves of a map: by source and origin, each from the first stage to the last.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct EmotionCurve {
    /// By source, origin and persona; within one the stages in the order of the map, each followed by its touchpoints.
    pub points: Vec<EmotionPoint>,
    /// One for each source, origin and persona, in the same order.
    pub summaries: Vec<EmotionSummary>,
    /// Feelings that the map puts on the way between two places, or on a part that is neither stage nor touchpoint: they have no
    /// point.
    pub elsewhere: u64,
    /// Answers that tell no feelings: questions and why, such as a net promoter score.
    pub refused: Vec<(String, String)>,
}

impl EmotionCurve {
    /// The places of strong feelings, the strongest first: where the whole interval lies on one side of 0 and the valence, weighed by the arousal where
    /// that is known, is at least half of what can be. What has no interval is nobody's measured feeling and is left out.
    pub fn strong(&self) -> Vec<&EmotionPoint> {
        let strength = |p: &EmotionPoint| {
            let stirring = p.arousal.as_ref().and_then(EmotionValue::value);
            p.valence.value().unwrap_or(0.0).abs() * stirring.unwrap_or(1.0)
        };
        let sure = |p: &&EmotionPoint| {
            let ends = p.valence.interval();
            ends.is_some_and(|(low, high)| low > 0.0 || high < 0.0)
        };
        let mut strong: Vec<&EmotionPoint> = self.points.iter().filter(sure).collect();
        strong.retain(|p| strength(p) >= 0.5);
        strong.sort_by(|a, b| strength(b).total_cmp(&strength(a)));
        strong
    }

    /// The measured points of a place: of a touchpoint, or of a stage as a whole.
    pub fn measured<'c>(
        &'c self,
        stage: Option<&'c str>,
        touchpoint: Option<&'c str>,
    ) -> impl Iterator<Item = &'c EmotionPoint> {
        self.points.iter().filter(move |p| {
            p.origin == EmotionOrigin::Feedback
                && p.touchpoint.as_deref() == touchpoint
                && stage.is_none_or(|s| p.stage == s)
        })
    }
}

/// Sources apart, in the order in which they are trusted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Line {
    rank: u8,
    /// Name and version of a model.
    model: Option<(String, String)>,
    origin: EmotionOrigin,
    persona: Option<String>,
}

impl Line {
    fn of(source: &EmotionSource, origin: EmotionOrigin, persona: Option<String>) -> Line {
        let rank = match source {
            EmotionSource::SelfReport => 0,
            EmotionSource::Survey => 1,
            EmotionSource::TextModel(_) => 2,
            EmotionSource::BehaviourProxy => 3,
            EmotionSource::ExpertGuess => 4,
            EmotionSource::Target => 5,
        };
        let model = match source {
            EmotionSource::TextModel(m) => Some((m.name.clone(), m.version.clone())),
            _ => None,
        };
        Line {
            rank,
            model,
            origin,
            persona,
        }
    }
}

/// What one source has told, place by place.
struct Told {
    source: EmotionSource,
    valence: BTreeMap<Place, ClusteredMoments>,
    arousal: BTreeMap<Place, ClusteredMoments>,
    people: [ClusteredMoments; 3],
}

/// The curves of a map: what answers tell, source by source, beside what is written in the map.
///
/// **Measured.** Each answer that tells a feeling ([`Question::valence`](crate::feedback::Question::valence)) counts at its touchpoint and at each stage
/// that the touchpoint sits in. A point is the mean valence with its interval, clustered by customer, or a hole below
/// [`Measuring::least`]. Every stage has a point, and every touchpoint with an answer. **Written.** The map's own entries, as they stand
/// there. Sources are never merged, whatever they are.
///
/// Time O(answers log places); deterministic.
pub fn emotion_curve(
    map: &JourneyMap,
    feedback: Option<(&Feedback, &FeedbackJoin)>,
    measuring: &Measuring,
) -> EmotionCurve {
    let mut curve = EmotionCurve::default();
    let mut lines: BTreeMap<Line, Vec<EmotionPoint>> = BTreeMap::new();
    let mut people: BTreeMap<Line, CustomerEmotion> = BTreeMap::new();
    if let Some((feedback, join)) = feedback {
        for question in feedback.questions() {
            if let Err(why) = question.emotion_source()
                && !matches!(question.kind, QuestionKind::Arousal | QuestionKind::Text)
            {
                curve.refused.push((question.id.clone(), why.to_string()));
            }
        }
        for (line, told) in told(map, feedback, join) {
            lines.insert(line.clone(), told.points(map, measuring));
            let [mean, minimum, peak_end] = told.people.map(|sums| mean_valence(&sums, measuring));
            let customers = mean.n;
            people.insert(
                line,
                CustomerEmotion {
                    customers,
                    mean,
                    minimum,
                    peak_end,
                },
            );
        }
    }
    written(map, &mut lines, &mut curve.elsewhere);
    for (line, points) in lines {
        let by_customer = people.remove(&line);
        curve.summaries.extend(summary(&points, by_customer));
        curve.points.extend(points);
    }
    curve
}

fn told(map: &JourneyMap, feedback: &Feedback, join: &FeedbackJoin) -> BTreeMap<Line, Told> {
    let mut all: BTreeMap<Line, Told> = BTreeMap::new();
    let lines: Vec<Option<(Line, EmotionSource)>> = feedback
        .questions()
        .iter()
        .map(|q| {
            let source = match q.kind {
                QuestionKind::Arousal => EmotionSource::SelfReport,
                _ => q.emotion_source().ok()?,
            };
            Some((Line::of(&source, EmotionOrigin::Feedback, None), source))
        })
        .collect();
    // One customer's sums by line and place, and their answers in order by line.
    let mut sums: BTreeMap<(&Line, bool, Place), (i128, u64)> = BTreeMap::new();
    let mut walks: BTreeMap<&Line, Vec<i64>> = BTreeMap::new();
    for answers in feedback.by_customer() {
        sums.clear();
        walks.clear();
        for answer in answers {
            let Some((line, source)) = &lines[answer.question_place()] else {
                continue;
            };
            let (Some(score), Some(Ok(joined))) = (answer.score(), join.answers.get(answer.id))
            else {
                continue;
            };
            let question = answer.question();
            let (value, stirring) = match question.arousal(score) {
                Some(arousal) => (arousal, true),
                None => match question.valence(score) {
                    Ok(valence) => (valence, false),
                    Err(_) => continue,
                },
            };
            if !all.contains_key(line) {
                let told = Told {
                    source: source.clone(),
                    valence: BTreeMap::new(),
                    arousal: BTreeMap::new(),
                    people: [ClusteredMoments::default(); 3],
                };
                all.insert(line.clone(), told);
            }
            if !stirring {
                walks.entry(line).or_default().push(value.millionths());
            }
            let stages = stages_of(map, joined.place);
            let stages = stages.into_iter().map(Place::Stage);
            let own = Some(joined.place).filter(|p| matches!(p, Place::Touchpoint(_)));
            for place in stages.chain(own) {
                let sum = sums.entry((line, stirring, place)).or_default();
                sum.0 += i128::from(value.millionths());
                sum.1 += 1;
            }
        }
        for (&(line, stirring, place), &(sum, n)) in &sums {
            let Some(told) = all.get_mut(line) else {
                continue;
            };
            let places = match stirring {
                true => &mut told.arousal,
                false => &mut told.valence,
            };
            places.entry(place).or_default().add(sum, n);
        }
        for (line, walk) in &walks {
            if let (Some(told), [_, _, ..]) = (all.get_mut(*line), walk.as_slice()) {
                let [mean, minimum, peak_end] = walked(walk);
                told.people[0].add(mean, 1);
                told.people[1].add(minimum, 1);
                told.people[2].add(peak_end, 1);
            }
        }
    }
    all
}

/// Mean, minimum and peak-end of one customer's feelings in their order.
fn walked(walk: &[i64]) -> [i128; 3] {
    let sum: i128 = walk.iter().map(|&v| i128::from(v)).sum();
    let n = walk.len().max(1) as i128;
    let minimum = walk.iter().copied().min().unwrap_or(0);
    let peak = walk.iter().copied().max_by_key(|v| v.abs()).unwrap_or(0);
    let last = walk.last().copied().unwrap_or(0);
    let halved = |twice: i128| twice.div_euclid(2);
    [
        (2 * sum + n).div_euclid(2 * n),
        i128::from(minimum),
        halved(i128::from(peak) + i128::from(last)),
    ]
}

impl Told {
    fn points(&self, map: &JourneyMap, measuring: &Measuring) -> Vec<EmotionPoint> {
        let none = ClusteredMoments::default();
        let point = |stage: usize, place: Place| {
            let sums = self.valence.get(&place).unwrap_or(&none);
            let stirring = self.arousal.get(&place);
            EmotionPoint {
                stage: map.stages[stage].id.to_string(),
                touchpoint: match place {
                    Place::Touchpoint(t) => Some(map.touchpoints[t].id.to_string()),
                    _ => None,
                },
                source: self.source.clone(),
                origin: EmotionOrigin::Feedback,
                persona: None,
                valence: EmotionValue::of(&mean_valence(sums, measuring)),
                arousal: stirring.map(|sums| EmotionValue::of(&mean_arousal(sums, measuring))),
                label: None,
                n: sums.n,
            }
        };
        let mut points = Vec::new();
        for stage in 0..map.stages.len() {
            points.push(point(stage, Place::Stage(stage)));
            for touchpoint in 0..map.touchpoints.len() {
                let place = Place::Touchpoint(touchpoint);
                let heard = self.valence.contains_key(&place) || self.arousal.contains_key(&place);
                if heard && stages_of(map, place).contains(&stage) {
                    points.push(point(stage, place));
                }
            }
        }
        points
    }
}

/// What the map itself says.
fn written(map: &JourneyMap, lines: &mut BTreeMap<Line, Vec<EmotionPoint>>, elsewhere: &mut u64) {
    type Placed = ((usize, Place), EmotionPoint);
    let mut placed: BTreeMap<Line, Vec<Placed>> = BTreeMap::new();
    for emotion in &map.emotions {
        let id = match &emotion.at {
            At::Part(id) => id,
            At::Edge { .. } => {
                *elsewhere += 1;
                continue;
            }
        };
        let stage = map.stages.iter().position(|s| s.id == *id);
        let touchpoint = map.touchpoints.iter().position(|t| t.id == *id);
        let place = match (stage, touchpoint) {
            (Some(stage), _) => Place::Stage(stage),
            (None, Some(touchpoint)) => Place::Touchpoint(touchpoint),
            (None, None) => {
                *elsewhere += 1;
                continue;
            }
        };
        let persona = emotion.persona.as_ref().map(ToString::to_string);
        let line = Line::of(&emotion.source, EmotionOrigin::Map, persona.clone());
        for stage in stages_of(map, place) {
            let point = EmotionPoint {
                stage: map.stages[stage].id.to_string(),
                touchpoint: touchpoint
                    .filter(|_| matches!(place, Place::Touchpoint(_)))
                    .map(|t| map.touchpoints[t].id.to_string()),
                source: emotion.source.clone(),
                origin: EmotionOrigin::Map,
                persona: persona.clone(),
                valence: EmotionValue::Said {
                    value: emotion.valence.get(),
                    interval: emotion.interval.map(|[low, high]| (low.get(), high.get())),
                },
                arousal: emotion.arousal.map(|a| EmotionValue::Said {
                    value: a.get(),
                    interval: None,
                }),
                label: emotion.label.clone(),
                n: emotion.n.unwrap_or(0),
            };
            // A stage's own point stands before those of its touchpoints.
            let rank = match place {
                Place::Stage(_) | Place::Step(_) | Place::Channel(_) => Place::Touchpoint(0),
                Place::Touchpoint(t) => Place::Touchpoint(t + 1),
            };
            placed
                .entry(line.clone())
                .or_default()
                .push(((stage, rank), point));
        }
    }
    for (line, mut points) in placed {
        points.sort_by_key(|(place, _)| *place);
        lines.insert(line, points.into_iter().map(|(_, point)| point).collect());
    }
}

/// Mean, lowest, peak and end of a line; nothing where no place has a value.
fn summary(
    points: &[EmotionPoint],
    by_customer: Option<CustomerEmotion>,
) -> Option<EmotionSummary> {
    let first = points.first()?;
    let measured = first.origin == EmotionOrigin::Feedback;
    let stops: Vec<&EmotionPoint> = points
        .iter()
        .filter(|p| !measured || p.touchpoint.is_none())
        .collect();
    let named = |p: &EmotionPoint| p.touchpoint.clone().unwrap_or_else(|| p.stage.clone());
    let values: Vec<(String, f64)> = stops
        .iter()
        .filter_map(|p| Some((named(p), p.valence.value()?)))
        .collect();
    let last = values.last()?.clone();
    let lowest = values.iter().min_by(|a, b| a.1.total_cmp(&b.1))?.clone();
    let peak = values
        .iter()
        .max_by(|a, b| a.1.abs().total_cmp(&b.1.abs()))?
        .clone();
    let places = values.len() as u64;
    Some(EmotionSummary {
        source: first.source.clone(),
        origin: first.origin,
        persona: first.persona.clone(),
        mean: values.iter().map(|(_, v)| v).sum::<f64>() / places as f64,
        peak_end: f64::midpoint(peak.1, last.1),
        lowest,
        peak,
        last,
        places,
        holes: stops.len() as u64 - places,
        by_customer,
    })
}
