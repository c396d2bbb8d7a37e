//! What a log says to a map's bindings, counted in one pass.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bind::BoundMap;
use super::periods::Periods;
use crate::engine::Exec;
use crate::error::{Error, Result};
use crate::journey::{JourneyBlock, Journeys, Mask, Matcher, Morsel, Scratch, Span};
use crate::log::Value;
use crate::map::BindingPolicy;

/// What is to be counted.
pub(super) struct Question<'q> {
    pub(super) bound: &'q BoundMap,
    /// Conditions of goals.
    pub(super) goals: &'q [Matcher],
    /// Who belongs to which persona.
    pub(super) personas: &'q [Matcher],
    /// The window's first instant and the first after it.
    pub(super) window: Option<(i64, i64)>,
    /// A journey whose last event lies less than this before the end of observation may still go on.
    pub(super) alive: i64,
    /// The end of observation: that of the log, or of the window.
    pub(super) until: i64,
    pub(super) periods: &'q Periods,
    pub(super) channel: Option<usize>,
}

/// Counts; adding those of two parts of the customers gives those of both.
#[derive(Clone, Debug, Default)]
pub(super) struct Counts {
    pub(super) events: u64,
    pub(super) customers: u64,
    pub(super) journeys: u64,
    pub(super) open: u64,
    /// Per binding.
    pub(super) matched: Vec<u64>,
    pub(super) taken: Vec<u64>,
    pub(super) reached: Vec<u64>,
    /// How many of a binding's events another took, by binding and taker, where it kept none of a morsel.
    pub(super) lost_to: BTreeMap<(usize, usize), u64>,
    /// Per goal.
    pub(super) goals: Vec<u64>,
    /// Per event code.
    pub(super) orphans: Vec<u64>,
    /// Per code of the channel attribute.
    pub(super) channels: Vec<u64>,
    /// Per persona, and per pair of them.
    pub(super) members: Vec<u64>,
    pub(super) both: Vec<u64>,
    /// Events before and after the window.
    pub(super) outside: [u64; 2],
    /// Customers active in each period.
    pub(super) active: Vec<u64>,
    /// Customers with a matching event, by period and binding.
    pub(super) seen: Vec<u64>,
}

impl Counts {
    fn new(question: &Question<'_>, journeys: &Journeys) -> Counts {
        let catalog = journeys.catalog();
        let (n, p) = (question.bound.bindings.len(), question.personas.len());
        let channels = question
            .channel
            .and_then(|c| catalog.attributes.get(c))
            .map_or(0, |a| a.dictionary.len());
        Counts {
            matched: vec![0; n],
            taken: vec![0; n],
            reached: vec![0; n],
            goals: vec![0; question.goals.len()],
            orphans: vec![0; catalog.events.len()],
            channels: vec![0; channels],
            members: vec![0; p],
            both: vec![0; p * p],
            active: vec![0; question.periods.len()],
            seen: vec![0; question.periods.len() * n],
            ..Counts::default()
        }
    }

    fn add(&mut self, other: &Counts) {
        let lists = [
            (&mut self.matched, &other.matched),
            (&mut self.taken, &other.taken),
            (&mut self.reached, &other.reached),
            (&mut self.goals, &other.goals),
            (&mut self.orphans, &other.orphans),
            (&mut self.channels, &other.channels),
            (&mut self.members, &other.members),
            (&mut self.both, &other.both),
            (&mut self.active, &other.active),
            (&mut self.seen, &other.seen),
        ];
        for (into, from) in lists {
            for (a, b) in into.iter_mut().zip(from) {
                *a += b;
            }
        }
        for (pair, lost) in &other.lost_to {
            *self.lost_to.entry(*pair).or_default() += lost;
        }
        self.events += other.events;
        self.customers += other.customers;
        self.journeys += other.journeys;
        self.open += other.open;
        self.outside[0] += other.outside[0];
        self.outside[1] += other.outside[1];
    }
}

/// Counts over all journeys.
pub(super) fn count(question: &Question<'_>, journeys: &Journeys, exec: &Exec) -> Result<Counts> {
    let blocks: Vec<&JourneyBlock> = journeys.blocks().iter().collect();
    let total = blocks.len() as u64;
    let parts = exec.map(blocks, |block| {
        let mut counts = Counts::new(question, journeys);
        let mut masks = Masks::default();
        let mut scratch = Scratch::default();
        for &range in block.morsels() {
            if exec.is_cancelled() {
                break;
            }
            let morsel = block.morsel(range, &mut scratch);
            counts.within(question, &morsel, &mut masks);
        }
        counts
    });
    if exec.is_cancelled() {
        return Err(Error::Cancelled { done: 0, total });
    }
    let mut sum = Counts::new(question, journeys);
    for part in &parts {
        sum.add(part);
    }
    Ok(sum)
}

#[derive(Default)]
struct Masks {
    spans: Vec<Span>,
    /// Whether a journey goes on after the window.
    continues: Vec<bool>,
    bindings: Vec<Mask>,
    taken: Vec<Mask>,
    free: Mask,
    goals: Vec<Mask>,
    personas: Vec<Mask>,
}

fn fill(matchers: &[Matcher], morsel: &Morsel<'_>, masks: &mut Vec<Mask>) {
    masks.resize_with(matchers.len(), Mask::default);
    for (matcher, mask) in matchers.iter().zip(masks) {
        matcher.fill(morsel, mask);
    }
}

impl Counts {
    /// Takes in the journeys of a morsel as far as they lie in the window.
    fn within(&mut self, question: &Question<'_>, morsel: &Morsel<'_>, masks: &mut Masks) {
        let mut spans = std::mem::take(&mut masks.spans);
        spans.clear();
        masks.continues.clear();
        for span in morsel.spans() {
            let (before, inside, after) = match question.window {
                Some(window) => span.parts(morsel.times(), window),
                None => (0, span.start..span.end, 0),
            };
            self.outside[0] += u64::from(before);
            self.outside[1] += u64::from(after);
            if !inside.is_empty() {
                spans.push(Span {
                    start: inside.start,
                    end: inside.end,
                    ..*span
                });
                masks.continues.push(after > 0);
            }
        }
        if spans.as_slice() == morsel.spans() {
            self.observe(question, morsel, masks);
        } else if !spans.is_empty() {
            self.observe(question, &morsel.with_spans(&spans), masks);
        }
        masks.spans = spans;
    }

    fn observe(&mut self, question: &Question<'_>, morsel: &Morsel<'_>, masks: &mut Masks) {
        let bound = question.bound;
        let n = bound.bindings.len();
        masks.bindings.resize_with(n, Mask::default);
        masks.taken.resize_with(n, Mask::default);
        masks.free.reset(morsel.n_events());
        for span in morsel.spans() {
            span.range().for_each(|i| masks.free.set(i));
        }
        self.events += masks.free.count() as u64;
        for b in 0..n {
            let (mask, taken) = (&mut masks.bindings[b], &mut masks.taken[b]);
            bound.bindings[b].matcher.fill(morsel, mask);
            self.matched[b] += mask.count() as u64;
            taken.clone_from(mask);
            if bound.policy == BindingPolicy::Priority {
                taken.and(&masks.free);
            }
            self.taken[b] += taken.count() as u64;
            let mut rest = taken.clone();
            rest.not();
            masks.free.and(&rest);
        }
        // Who takes the events of a binding matters where nothing is left of them.
        if bound.policy == BindingPolicy::Priority {
            for b in 1..n {
                if masks.taken[b].iter_ones().next().is_some() {
                    continue;
                }
                for taker in 0..b {
                    let mut lost = masks.bindings[b].clone();
                    lost.and(&masks.taken[taker]);
                    let lost = lost.count() as u64;
                    if lost > 0 {
                        *self.lost_to.entry((b, taker)).or_default() += lost;
                    }
                }
            }
        }
        let codes = morsel.codes();
        for i in masks.free.iter_ones() {
            if let Some(count) = self.orphans.get_mut(codes.get(i) as usize) {
                *count += 1;
            }
        }
        fill(question.goals, morsel, &mut masks.goals);
        for (count, mask) in self.goals.iter_mut().zip(&masks.goals) {
            *count += mask.count() as u64;
        }
        fill(question.personas, morsel, &mut masks.personas);
        self.journeys(question, morsel, masks);
        for spans in morsel.customers() {
            self.customer(question, morsel, masks, spans);
        }
    }

    fn journeys(&mut self, question: &Question<'_>, morsel: &Morsel<'_>, masks: &Masks) {
        for (which, span) in morsel.spans().iter().enumerate() {
            self.journeys += 1;
            let last = morsel.time(span.end as usize - 1);
            // As the overlay knows an open journey.
            let is_back = || {
                let next = morsel.next_start(span);
                next.is_some_and(|next| question.window.is_none_or(|(_, to)| next < to))
            };
            let goes_on = masks.continues.get(which).copied().unwrap_or(false);
            let alive =
                goes_on || question.until.saturating_sub(last) < question.alive && !is_back();
            if alive && !masks.goals.iter().any(|m| m.any_in(span.range())) {
                self.open += 1;
            }
            for i in span.range() {
                if let Some(channel) = question.channel
                    && let Value::Code(code) = morsel.attribute(channel, i, span.customer)
                    && let Some(count) = self.channels.get_mut(code as usize)
                {
                    *count += 1;
                }
            }
        }
    }

    fn customer(
        &mut self,
        question: &Question<'_>,
        morsel: &Morsel<'_>,
        masks: &Masks,
        spans: &[Span],
    ) {
        self.customers += 1;
        let n = masks.bindings.len();
        let any = |mask: &Mask| spans.iter().any(|s| mask.any_in(s.range()));
        for (count, mask) in self.reached.iter_mut().zip(&masks.taken) {
            *count += u64::from(any(mask));
        }
        let member: Vec<bool> = masks.personas.iter().map(any).collect();
        for (a, is_in) in member.iter().enumerate() {
            self.members[a] += u64::from(*is_in);
            for (b, also) in member.iter().enumerate().skip(a + 1) {
                self.both[a * member.len() + b] += u64::from(*is_in && *also);
            }
        }
        if question.periods.is_empty() {
            return;
        }
        // Runs of events in one period. Journeys named by a column may lie out of order, so runs of one period are put
        // together.
        let mut runs: Vec<(usize, std::ops::Range<usize>)> = Vec::new();
        for span in spans {
            for i in span.range() {
                let Some(period) = question.periods.of(morsel.time(i)) else {
                    continue;
                };
                match runs.last_mut() {
                    Some((p, run)) if *p == period && run.end == i => run.end = i + 1,
                    _ => runs.push((period, i..i + 1)),
                }
            }
        }
        runs.sort_by_key(|(period, run)| (*period, run.start));
        for same in runs.chunk_by(|a, b| a.0 == b.0) {
            let period = same[0].0;
            self.active[period] += 1;
            for (b, mask) in masks.bindings.iter().enumerate() {
                let seen = same.iter().any(|(_, run)| mask.any_in(run.clone()));
                self.seen[period * n + b] += u64::from(seen);
            }
        }
    }
}

/// How a map covers a log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Coverage {
    /// Events looked at.
    pub events: u64,
    /// Customers looked at.
    pub customers: u64,
    /// Journeys looked at.
    pub journeys: u64,
    /// Events that belong to a touchpoint.
    pub bound_events: u64,
    /// The touchpoints that are bound, in the order in which they take events.
    pub touchpoints: Vec<TouchpointCoverage>,
    /// Names of events that belong to no touchpoint with their counts, the most frequent first.
    pub orphans: Vec<OrphanCount>,
    /// Why a check could not look whether tracking changed; absent where it did, and in overlays, which do not ask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking_unknown: Option<String>,
}

/// How often a touchpoint is in a log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct TouchpointCoverage {
    /// The touchpoint.
    pub id: String,
    /// Events for which its condition holds.
    pub matched: u64,
    /// Those that belong to it.
    pub events: u64,
    /// Customers with one of them.
    pub customers: u64,
}

/// How often events of a name belong to nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct OrphanCount {
    /// The name.
    pub event: String,
    /// How many.
    pub events: u64,
}

impl Coverage {
    pub(super) fn of(counts: &Counts, bound: &BoundMap, journeys: &Journeys) -> Coverage {
        let names = journeys.catalog().events.names();
        let mut orphans: Vec<OrphanCount> = names
            .zip(&counts.orphans)
            .filter(|(_, n)| **n > 0)
            .map(|(name, n)| OrphanCount {
                event: name.to_owned(),
                events: *n,
            })
            .collect();
        orphans.sort_by(|a, b| (b.events, &a.event).cmp(&(a.events, &b.event)));
        let touchpoints = bound
            .bindings
            .iter()
            .enumerate()
            .map(|(b, t)| TouchpointCoverage {
                id: t.id.to_string(),
                matched: counts.matched[b],
                events: counts.taken[b],
                customers: counts.reached[b],
            });
        let lost: u64 = orphans.iter().map(|o| o.events).sum();
        Coverage {
            events: counts.events,
            customers: counts.customers,
            journeys: counts.journeys,
            bound_events: counts.events.saturating_sub(lost),
            touchpoints: touchpoints.collect(),
            orphans,
            tracking_unknown: None,
        }
    }
}
