//! Answers joined to the touchpoints they are about.

use std::collections::BTreeSet;

use desireline_stats::Clusters;
use hashbrown::{HashMap, HashSet};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bind::{BindScratch, BoundMap};
use super::who::Who;
use crate::engine::Exec;
use crate::error::{Error, Result};
use crate::feedback::{Answer, Feedback};
use crate::journey::{JourneyBlock, Journeys, Morsel, Scratch, Span};
use crate::map::{Id, JourneyMap};
use crate::time::TimeSpan;

/// What happens where touches of several touchpoints are equally near to an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ties {
    /// The answer is not joined, and counted as ambiguous.
    #[default]
    Ambiguous,
    /// Of events at one time the one nearest to the answer in the order of the log: the last before it, or the first after it. An event that
    /// belongs to several touchpoints leaves it ambiguous.
    LogOrder,
}

/// How answers without a declared touchpoint find theirs: the nearest touch of the same customer within the tolerance.
///
/// Of touches before the answer and at its time the latest is nearest. With `after`, touches behind the answer are looked at, too: the nearer side
/// wins, and at the same distance the side before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct JoinRule {
    /// How long before the answer a touch may lie, the end included. A feedback point of the map that has the question's id and says
    /// `within` overrules it.
    pub within: TimeSpan,
    /// How long after the answer a touch may lie; nothing after it counts where this is absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<TimeSpan>,
    /// What happens to ties.
    pub ties: Ties,
}

impl Default for JoinRule {
    /// Seven days before the answer, nothing after it, ties ambiguous.
    fn default() -> JoinRule {
        JoinRule {
            within: TimeSpan::from_micros(7 * 86_400_000_000),
            after: None,
            ties: Ties::Ambiguous,
        }
    }
}

/// Why an answer belongs to no place of the map.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Unjoined {
    /// It is declared to be about something that the map does not have.
    UnknownPlace,
    /// It has no customer.
    NoCustomer,
    /// It has no time.
    NoTime,
    /// These journeys have no such customer.
    UnknownCustomer,
    /// The customer has no touch within the tolerance.
    NoTouch,
    /// Touches of several touchpoints are equally near.
    Ambiguous,
    /// It was given outside of the map's window.
    OutsideWindow,
}

impl Unjoined {
    /// The words people read.
    pub const fn label(self) -> &'static str {
        match self {
            Unjoined::UnknownPlace => "declared place not in the map",
            Unjoined::NoCustomer => "no customer",
            Unjoined::NoTime => "no time",
            Unjoined::UnknownCustomer => "customer not in these journeys",
            Unjoined::NoTouch => "no touch within the tolerance",
            Unjoined::Ambiguous => "several touchpoints equally near",
            Unjoined::OutsideWindow => "given outside of the map's window",
        }
    }
}

/// A place of a map that an answer is about: a place among its touchpoints, stages, steps of all stages, or channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// A touchpoint.
    Touchpoint(usize),
    /// A stage as a whole.
    Stage(usize),
    /// A step as a whole.
    Step(usize),
    /// A channel as a whole.
    Channel(usize),
}

/// Where an answer belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Joined {
    /// The place.
    pub place: Place,
    /// Whether that was declared; otherwise a touch near in time says so.
    pub declared: bool,
    /// The time of the touch that it answers, where one was found.
    pub touch: Option<i64>,
}

/// Where each answer belongs, and which touches were answered.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct FeedbackJoin {
    /// For each answer, by its id.
    pub answers: Vec<Result<Joined, Unjoined>>,
    /// For each touchpoint of the map: touches with at least one answer, of all touches, customers being clusters. Answers to a stage, and
    /// declared ones without a touch within the tolerance, answer no touch.
    pub touches: Vec<Clusters>,
    /// For each answer, by its id: whether it is none of what is looked at, because its customer is not in these journeys, the segment, the
    /// window or the persona, or because it was given outside of the window. An answer without a customer is, where there is a segment or a persona.
    pub outside: Vec<bool>,
}

/// One touch of a customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Touch {
    pub(super) time: i64,
    /// Its place in the log.
    pub(super) event: usize,
    pub(super) touchpoint: usize,
}

/// The touch that an answer belongs to, and its touchpoint: the readable definition.
///
/// `touches` are one customer's, by time and then by their order in the log; `only` restricts them to one touchpoint.
pub(super) fn locate(
    touches: &[Touch],
    answered: i64,
    only: Option<usize>,
    rule: &JoinRule,
    within: TimeSpan,
) -> Result<Touch, Unjoined> {
    let fits = |t: &&Touch| only.is_none_or(|only| t.touchpoint == only);
    let earliest = answered.saturating_sub(within.as_micros());
    let behind = touches.partition_point(|t| t.time <= answered);
    let (until, since) = touches.split_at(behind);
    let before = until
        .iter()
        .rev()
        .take_while(|t| t.time >= earliest)
        .find(fits);
    let after = rule.after.and_then(|after| {
        let latest = answered.saturating_add(after.as_micros());
        since.iter().take_while(|t| t.time <= latest).find(fits)
    });
    let distance = |t: &Touch| answered.abs_diff(t.time);
    let nearest = match (before, after) {
        (Some(b), Some(a)) if distance(a) < distance(b) => a,
        (Some(b), _) => b,
        (None, Some(a)) => a,
        (None, None) => return Err(Unjoined::NoTouch),
    };
    // Those of the same time, and with `LogOrder` of the same event, must agree.
    let from = touches.partition_point(|t| t.time < nearest.time);
    let same_time = touches[from..]
        .iter()
        .take_while(|t| t.time == nearest.time)
        .filter(fits);
    let mut rivals = same_time.filter(|t| rule.ties == Ties::Ambiguous || t.event == nearest.event);
    match rivals.any(|t| t.touchpoint != nearest.touchpoint) {
        true => Err(Unjoined::Ambiguous),
        false => Ok(*nearest),
    }
}

/// Joins answers to the places of a map.
///
/// An answer belongs to the touchpoint or stage that is declared with it; else to the one that its question is declared to be about; else to
/// the place of the map's feedback point that has the question's id; else to the touchpoint of the nearest touch of the same customer
/// ([`JoinRule`]). What belongs nowhere keeps its reason. Answers about a touchpoint also answer a touch of it where one lies within the tolerance.
///
/// Answers of customers who are not in the journeys, or not in the map's window, belong nowhere either, whatever is declared with them:
/// what is said of a map is said by those whom it is about. Anonymous answers with a declared place count, unless the map has a segment.
///
/// Time O(events + answers log events of a customer), one pass over the journeys on the threads of `exec`; the result depends neither
/// on them nor on the order of the input.
///
/// # Errors
/// A binding that does not fit the log; cancellation; more answers than the log of feedback can hold.
pub fn join_feedback(
    map: &JourneyMap,
    journeys: &Journeys,
    feedback: &Feedback,
    rule: &JoinRule,
    exec: &Exec,
) -> Result<FeedbackJoin> {
    join_for(map, journeys, feedback, rule, None, exec)
}

/// The same for the customers of one persona alone.
pub(super) fn join_for(
    map: &JourneyMap,
    journeys: &Journeys,
    feedback: &Feedback,
    rule: &JoinRule,
    persona: Option<&Id>,
    exec: &Exec,
) -> Result<FeedbackJoin> {
    let who = Who::new(map, journeys, persona)?;
    let bound = BoundMap::new(map, journeys.catalog())?;
    let places = Places::new(map);
    let mut answers: Vec<Result<Joined, Unjoined>> = Vec::with_capacity(feedback.len());
    // Answers to look at, by block and customer.
    let mut asked: Vec<(bool, Asker)> = Vec::with_capacity(feedback.len());
    let mut open: Vec<HashMap<u32, Vec<Open>>> = vec![HashMap::new(); journeys.blocks().len()];
    for customer in feedback.by_customer() {
        let mut at: Option<Option<(usize, u32)>> = None;
        for answer in customer {
            let declared = places.declared(&answer);
            let first = match declared {
                Some(Err(reason)) => Err(reason),
                Some(Ok(place)) => Ok(Joined {
                    place,
                    declared: true,
                    touch: None,
                }),
                None if answer.customer_id().is_none() => Err(Unjoined::NoCustomer),
                None if answer.time().is_none() => Err(Unjoined::NoTime),
                None => Err(Unjoined::UnknownCustomer),
            };
            answers.push(first);
            let is_late = answer.time().is_some_and(|t| !who.is_within(t));
            let Some(id) = answer.customer_id() else {
                asked.push((is_late, Asker::Nobody));
                continue;
            };
            let at = *at.get_or_insert_with(|| {
                let (block, customer) = journeys.log().customer(id)?;
                Some((block, u32::try_from(customer).ok()?))
            });
            asked.push((is_late, at.map_or(Asker::Stranger, Asker::Customer)));
            let Some((block, customer)) = at else {
                continue;
            };
            let Some(waiting) = open.get_mut(block) else {
                continue;
            };
            let waiting = waiting.entry(customer).or_default();
            let only = match first {
                Ok(Joined {
                    place: Place::Touchpoint(touchpoint),
                    ..
                }) => Some(touchpoint),
                Err(Unjoined::UnknownCustomer) => None,
                _ => continue,
            };
            if let Some(time) = answer.time().filter(|_| !is_late) {
                waiting.push(Open {
                    answer: answer.id,
                    time,
                    only,
                    within: places.within(&answer).unwrap_or(rule.within),
                });
            }
        }
    }
    let work = |(block, open): (&JourneyBlock, HashMap<u32, Vec<Open>>)| {
        let mut part = Part::new(map.touchpoints.len());
        let (mut scratch, mut binding) = (Scratch::default(), BindScratch::default());
        for &range in block.morsels() {
            if exec.is_cancelled() {
                break;
            }
            let morsel = block.morsel(range, &mut scratch);
            part.observe(&bound, &who, &morsel, &mut binding, &open, rule);
        }
        part
    };
    let blocks: Vec<_> = journeys.blocks().iter().zip(open).collect();
    let total = blocks.len() as u64;
    let parts = exec.map(blocks, work);
    if exec.is_cancelled() {
        return Err(Error::Cancelled { done: 0, total });
    }
    let mut touches = vec![Clusters::default(); map.touchpoints.len()];
    let mut seen: Vec<HashSet<u32>> = Vec::with_capacity(parts.len());
    for part in parts {
        seen.push(part.seen);
        for (sum, more) in touches.iter_mut().zip(&part.touches) {
            sum.merge(more);
        }
        for (answer, found) in part.found {
            answers[answer] = match (answers[answer], found) {
                (Ok(declared), Ok(touch)) => Ok(Joined {
                    touch: Some(touch.time),
                    ..declared
                }),
                (Ok(declared), Err(_)) => Ok(declared),
                (Err(_), Ok(touch)) => Ok(Joined {
                    place: Place::Touchpoint(touch.touchpoint),
                    declared: false,
                    touch: Some(touch.time),
                }),
                (Err(_), Err(reason)) => Err(reason),
            };
        }
    }
    let is_seen = |(block, customer): (usize, u32)| {
        let seen = seen.get(block);
        seen.is_some_and(|seen| seen.contains(&customer))
    };
    let mut outside = Vec::with_capacity(answers.len());
    for (answer, (is_late, asker)) in answers.iter_mut().zip(asked) {
        let reason = match asker {
            _ if is_late => Some(Unjoined::OutsideWindow),
            Asker::Nobody => who.is_narrow.then_some(Unjoined::NoCustomer),
            Asker::Stranger => Some(Unjoined::UnknownCustomer),
            Asker::Customer(at) => (!is_seen(at)).then_some(Unjoined::UnknownCustomer),
        };
        outside.push(reason.is_some());
        // Why an answer had no place anyhow is not overruled.
        let is_placed = answer.is_ok() || *answer == Err(Unjoined::NoTouch);
        if let Some(reason) = reason.filter(|_| is_placed || is_late) {
            *answer = Err(reason);
        }
    }
    Ok(FeedbackJoin {
        answers,
        touches,
        outside,
    })
}

/// Who gave an answer.
#[derive(Clone, Copy, Debug)]
enum Asker {
    Nobody,
    /// A customer whom the log does not have.
    Stranger,
    /// A block of the log, and the customer there.
    Customer((usize, u32)),
}

/// The places of a map by their ids.
struct Places<'m> {
    map: &'m JourneyMap,
    by_id: HashMap<&'m str, Place>,
}

impl<'m> Places<'m> {
    fn new(map: &'m JourneyMap) -> Places<'m> {
        let stages = map.stages.iter().enumerate();
        let stages = stages.map(|(i, s)| (s.id.as_str(), Place::Stage(i)));
        let touchpoints = map.touchpoints.iter().enumerate();
        let touchpoints = touchpoints.map(|(i, t)| (t.id.as_str(), Place::Touchpoint(i)));
        let steps = map.stages.iter().flat_map(|s| &s.steps).enumerate();
        let steps = steps.map(|(i, s)| (s.id.as_str(), Place::Step(i)));
        let channels = map.channels.iter().enumerate();
        let channels = channels.map(|(i, c)| (c.id.as_str(), Place::Channel(i)));
        Places {
            map,
            by_id: stages
                .chain(touchpoints)
                .chain(steps)
                .chain(channels)
                .collect(),
        }
    }

    fn declared(&self, answer: &Answer<'_>) -> Option<Result<Place, Unjoined>> {
        let point = || Some(self.point(answer)?.at.as_str());
        let named = answer.touchpoint().or_else(point)?;
        Some(self.by_id.get(named).copied().ok_or(Unjoined::UnknownPlace))
    }

    fn point(&self, answer: &Answer<'_>) -> Option<&'m crate::map::FeedbackPoint> {
        let question = &answer.question().id;
        self.map.feedback.iter().find(|p| p.id.as_str() == question)
    }

    fn within(&self, answer: &Answer<'_>) -> Option<TimeSpan> {
        self.point(answer)?.within
    }
}

/// An answer that looks for its touch.
#[derive(Clone, Copy, Debug)]
struct Open {
    answer: usize,
    time: i64,
    only: Option<usize>,
    within: TimeSpan,
}

/// What one block adds.
struct Part {
    touches: Vec<Clusters>,
    found: Vec<(usize, Result<Touch, Unjoined>)>,
    /// Customers with answers who are among those that are meant.
    seen: HashSet<u32>,
    /// Touches of one customer by touchpoint: all and answered ones. Zero between customers.
    sums: Vec<(u64, u64)>,
}

impl Part {
    fn new(touchpoints: usize) -> Part {
        Part {
            touches: vec![Clusters::default(); touchpoints],
            found: Vec::new(),
            seen: HashSet::new(),
            sums: vec![(0, 0); touchpoints],
        }
    }

    fn observe(
        &mut self,
        bound: &BoundMap,
        who: &Who,
        morsel: &Morsel<'_>,
        scratch: &mut BindScratch,
        open: &HashMap<u32, Vec<Open>>,
        rule: &JoinRule,
    ) {
        let spans = who.narrow(morsel, &mut Vec::new());
        let morsel = &morsel.with_spans(&spans);
        let mut touched: Vec<(usize, usize)> = Vec::new();
        let take = |event, binding: usize| {
            touched.push((event, bound.bindings[binding].touchpoint));
        };
        bound.assign(morsel, scratch, take, |_| {});
        let mut rest = touched.as_slice();
        for spans in morsel.customers() {
            let (Some(first), Some(end)) = (spans.first(), spans.iter().map(|s| s.end).max())
            else {
                continue;
            };
            let n = rest.partition_point(|(event, _)| *event < end as usize);
            let (mine, others) = rest.split_at(n);
            rest = others;
            self.customer(morsel, first, mine, open, rule);
        }
    }

    fn customer(
        &mut self,
        morsel: &Morsel<'_>,
        span: &Span,
        touched: &[(usize, usize)],
        open: &HashMap<u32, Vec<Open>>,
        rule: &JoinRule,
    ) {
        for &(_, touchpoint) in touched {
            self.sums[touchpoint].0 += 1;
        }
        if let Some(open) = open.get(&span.customer) {
            self.seen.insert(span.customer);
            let mut touches: Vec<Touch> = touched
                .iter()
                .map(|&(event, touchpoint)| Touch {
                    time: morsel.time(event),
                    event,
                    touchpoint,
                })
                .collect();
            touches.sort_unstable();
            // Events of one touchpoint at one time are one touch to an answer, from whichever side it comes.
            let mut answered: BTreeSet<(i64, usize)> = BTreeSet::new();
            for open in open {
                let found = locate(&touches, open.time, open.only, rule, open.within);
                if let Ok(touch) = found {
                    answered.insert((touch.time, touch.touchpoint));
                }
                self.found.push((open.answer, found));
            }
            for (_, touchpoint) in &answered {
                self.sums[*touchpoint].1 += 1;
            }
        }
        for &(_, touchpoint) in touched {
            let (all, answered) = std::mem::take(&mut self.sums[touchpoint]);
            self.touches[touchpoint].add(answered, all);
        }
    }
}

/// The stages that a place belongs to: those that a touchpoint sits in, or the stage itself.
pub(super) fn stages_of(map: &JourneyMap, place: Place) -> Vec<usize> {
    let position = |id: &Id| map.stages.iter().position(|s| s.id == *id);
    match place {
        Place::Stage(stage) => vec![stage],
        Place::Step(step) => {
            let of = |s: &crate::map::Stage| s.steps.len();
            let ends = map.stages.iter().scan(0, |end, s| {
                *end += of(s);
                Some(*end)
            });
            ends.enumerate()
                .find(|(_, end)| step < *end)
                .map(|(s, _)| s)
                .into_iter()
                .collect()
        }
        Place::Channel(_) => Vec::new(),
        Place::Touchpoint(touchpoint) => {
            let mut stages: Vec<usize> = map.touchpoints[touchpoint]
                .stages
                .iter()
                .filter_map(|p| position(&p.stage))
                .collect();
            stages.sort_unstable();
            stages.dedup();
            stages
        }
    }
}
