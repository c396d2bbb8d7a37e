//! The kernel: the best attempt of a journey in one pass and a bounded second one.

use crate::engine::Analysis;
use crate::journey::{Mask, Matcher, Morsel, Span};

use super::{Funnel, MAX_STEPS, StepPartial};

/// The steps as the kernel reads them.
#[derive(Debug)]
pub(super) enum Tests {
    /// By event code, when every step asks for the event's name only.
    ByCode(Tables),
    /// By any condition.
    ByMask(Vec<Matcher>),
}

/// What an event's code says.
#[derive(Debug)]
pub(super) struct Tables {
    /// A bit for each step that the event can fill.
    bits: Box<[u64]>,
    /// Whether it fills step 1.
    entry: Box<[bool]>,
    /// Whether it fills any step.
    any: Box<[bool]>,
}

impl Tests {
    pub(super) fn new(matchers: &[Matcher]) -> Tests {
        let tables: Option<Vec<&[bool]>> = matchers.iter().map(Matcher::by_event_code).collect();
        let Some(tables) = tables else {
            return Tests::ByMask(matchers.to_vec());
        };
        let n_codes = tables.iter().map(|t| t.len()).max().unwrap_or(0);
        let bits = |code: usize| {
            (0u32..)
                .zip(&tables)
                .filter(|(_, table)| table.get(code).copied().unwrap_or(false))
                .fold(0u64, |bits, (step, _)| bits | 1 << step)
        };
        let bits: Box<[u64]> = (0..n_codes).map(bits).collect();
        Tests::ByCode(Tables {
            entry: bits.iter().map(|b| b & 1 != 0).collect(),
            any: bits.iter().map(|&b| b != 0).collect(),
            bits,
        })
    }
}

/// A worker's memory for the morsel at hand, used again for the next.
#[derive(Clone, Debug, Default)]
pub(super) struct Scratch {
    /// Events that fill step 1.
    entries: Mask,
    /// Events that fill any step.
    hits: Mask,
    /// The steps that each event fills, where codes do not tell.
    bits: Vec<u64>,
    mask: Mask,
}

impl Scratch {
    pub(super) fn heap_bytes(&self) -> usize {
        let masks = [&self.entries, &self.hits, &self.mask];
        masks.iter().map(|m| m.heap_bytes()).sum::<usize>()
            + self.bits.capacity() * size_of::<u64>()
    }

    fn fill(&mut self, matchers: &[Matcher], morsel: &Morsel<'_>) {
        self.bits.clear();
        self.bits.resize(morsel.n_events(), 0);
        self.entries.reset(morsel.n_events());
        self.hits.reset(morsel.n_events());
        for (step, matcher) in (0u32..).zip(matchers) {
            matcher.fill(morsel, &mut self.mask);
            for i in self.mask.iter_ones() {
                self.bits[i] |= 1 << step;
            }
            if step == 0 {
                self.entries.or(&self.mask);
            }
            self.hits.or(&self.mask);
        }
    }
}

/// How far a journey came.
#[derive(Clone, Copy, Debug)]
struct Reach {
    /// The deepest level, from 1.
    depth: usize,
    /// The event that first reached it.
    finish: usize,
    /// The time of the last event that fills step 1, up to the conversion if there is one.
    last_entry: i64,
}

/// Events as the kernel asks for them: the steps that one can fill, and its time.
#[derive(Clone, Copy)]
struct Events<'a, B> {
    morsel: &'a Morsel<'a>,
    bits: B,
}

impl<B: Fn(usize) -> u64 + Copy> Events<'_, B> {
    /// The deepest level that any attempt reaches, and the first event to reach it. `hits` are the events that fill any
    /// step, from `entry` on, the first that fills step 1.
    ///
    /// Level by level only the latest start of all attempts so far is kept: a later start allows everything that an
    /// earlier one does. The levels of one event are taken from the deepest down, so that it fills one step only. What
    /// `starts` held before does not matter: a level is written before it is read.
    #[inline(always)]
    fn reach(
        self,
        entry: usize,
        hits: impl Iterator<Item = usize>,
        n_steps: usize,
        within: i64,
        starts: &mut [i64; MAX_STEPS],
    ) -> Reach {
        starts[0] = self.morsel.time(entry);
        let mut reach = Reach {
            depth: 1,
            finish: entry,
            last_entry: starts[0],
        };
        if n_steps == 1 {
            return reach;
        }
        // The steps that an event can fill now: those reached and the next one.
        let mut open = 0b11u64;
        for i in hits.skip(1) {
            let mut bits = (self.bits)(i) & open;
            if bits == 0 {
                continue;
            }
            let time = self.morsel.time(i);
            while bits != 0 {
                let step = 63 - bits.leading_zeros() as usize;
                bits &= !(1 << step);
                if step == 0 {
                    starts[0] = time;
                    reach.last_entry = time;
                } else if time.saturating_sub(starts[step - 1]) <= within {
                    starts[step] = starts[step - 1];
                    if step == reach.depth {
                        reach.depth += 1;
                        reach.finish = i;
                        if reach.depth == n_steps {
                            return reach;
                        }
                        open = (open << 1) | 1;
                    }
                }
            }
        }
        reach
    }

    /// Writes the times of the chosen attempt into `chosen`, one for each level reached: among the attempts that reach
    /// the deepest level first, the one that starts earliest, each step filled as soon as can be.
    #[inline(always)]
    fn choose(
        self,
        hits: impl Iterator<Item = usize>,
        reach: &Reach,
        within: i64,
        chosen: &mut [i64; MAX_STEPS],
    ) {
        let earliest = self.morsel.time(reach.finish).saturating_sub(within);
        let mut step = 0;
        for i in hits {
            if ((self.bits)(i) >> step) & 1 == 0 {
                continue;
            }
            let time = self.morsel.time(i);
            if step > 0 || time >= earliest {
                chosen[step] = time;
                step += 1;
                if step == reach.depth {
                    return;
                }
            }
        }
    }
}

/// Takes in the journeys of a morsel, customer after customer.
pub(super) fn observe(
    plan: &<Funnel as Analysis>::Plan,
    partial: &mut <Funnel as Analysis>::Partial,
    morsel: &Morsel<'_>,
) {
    let mut scratch = std::mem::take(&mut partial.scratch);
    match &plan.tests {
        Tests::ByCode(tables) => {
            morsel.events_in(&tables.entry, &mut scratch.entries);
            morsel.events_in(&tables.any, &mut scratch.hits);
            let table = &tables.bits[..];
            // A log grows no names after its plan is bound; a code beyond the table matches nothing.
            crate::with_codes!(morsel.codes(), codes => {
                let bits = |i: usize| table.get(codes[i] as usize).copied().unwrap_or(0);
                count(plan, partial, morsel, &scratch, bits);
            });
        }
        Tests::ByMask(matchers) => {
            scratch.fill(matchers, morsel);
            let bits = &scratch.bits[..];
            count(plan, partial, morsel, &scratch, |i| bits[i]);
        }
    }
    partial.scratch = scratch;
}

/// How many journeys reached each step, and how many of them entered early enough for their window to have ended.
#[derive(Clone, Copy)]
struct Levels {
    reached: [u64; MAX_STEPS],
    mature: [u64; MAX_STEPS],
}

impl Levels {
    const NONE: Levels = Levels {
        reached: [0; MAX_STEPS],
        mature: [0; MAX_STEPS],
    };

    fn reset(&mut self, n_steps: usize) {
        self.reached[..n_steps].fill(0);
        self.mature[..n_steps].fill(0);
    }

    #[inline]
    fn add(&mut self, depth: usize, is_mature: bool) {
        for step in 0..depth {
            self.reached[step] += 1;
            self.mature[step] += u64::from(is_mature);
        }
    }

    /// Hands each step's sums to `add`, with the base of each: those of the step, of step 1 and of the step before.
    fn each(&self, n_steps: usize, mut add: impl FnMut(usize, Step)) {
        let mut previous = self.reached[0];
        for step in 0..n_steps {
            add(
                step,
                Step {
                    reached: self.reached[step],
                    previous,
                    mature: self.mature[step],
                },
            );
            previous = self.reached[step];
        }
    }
}

/// One step of [`Levels`].
struct Step {
    reached: u64,
    previous: u64,
    mature: u64,
}

fn count<B: Fn(usize) -> u64 + Copy>(
    plan: &<Funnel as Analysis>::Plan,
    partial: &mut <Funnel as Analysis>::Partial,
    morsel: &Morsel<'_>,
    scratch: &Scratch,
    bits: B,
) {
    let events = Events { morsel, bits };
    let n_steps = plan.steps.len();
    let within = plan.within.unwrap_or(i64::MAX);
    let mut at = [0i64; MAX_STEPS];
    let (steps, outside) = (&mut partial.steps[..], &mut partial.outside);

    let n_events = morsel.n_events();
    let first_entry = |from: usize| scratch.entries.ones_in(from..n_events).next();
    // The first event from some place on that fills step 1. Most journeys have none, and then all that they cost is to
    // see that it comes later; spans ascend.
    let mut next_entry = first_entry(0).unwrap_or(usize::MAX);
    let mut starts = [0i64; MAX_STEPS];

    // How far a journey came, if it entered. What does not need its customer is counted at once.
    let mut journey = |steps: &mut [StepPartial], at: &mut [i64; MAX_STEPS], span: &Span| {
        if next_entry < span.start as usize {
            next_entry = first_entry(span.start as usize).unwrap_or(usize::MAX);
        }
        if next_entry >= span.end as usize {
            return None;
        }
        let entry = next_entry;
        let hits = || scratch.hits.ones_in(entry..span.end as usize);
        let reach = events.reach(entry, hits(), n_steps, within, &mut starts);
        if reach.depth < n_steps {
            let step = &mut steps[reach.depth - 1];
            if morsel.next_start(span).is_some() || plan.has_ended(reach.last_entry) {
                step.dropped += 1;
            } else {
                step.at_risk += 1;
            }
        }
        if reach.depth > 1 {
            events.choose(hits(), &reach, within, at);
            for step in 1..reach.depth {
                let times = &mut steps[step];
                let since = |earlier: usize| at[step].saturating_sub(at[earlier]);
                times.from_previous.push(since(step - 1));
                times.from_first.push(since(0));
            }
        }
        Some((reach.depth, plan.has_ended(morsel.time(entry))))
    };

    // A customer with one journey is a cluster of one: those add up in plain numbers until the morsel is done.
    let (mut single, mut levels) = (Levels::NONE, Levels::NONE);
    let (mut n_single, mut n_single_outside) = (0, 0);
    for spans in morsel.customers() {
        if let [span] = spans {
            match journey(steps, &mut at, span) {
                Some((depth, is_mature)) => {
                    n_single += 1;
                    single.add(depth, is_mature);
                }
                None => n_single_outside += 1,
            }
            continue;
        }
        let n_journeys = spans.len() as u64;
        let mut is_outside = true;
        for span in spans {
            if let Some((depth, is_mature)) = journey(steps, &mut at, span) {
                if is_outside {
                    levels.reset(n_steps);
                    is_outside = false;
                }
                levels.add(depth, is_mature);
            }
        }
        if is_outside {
            outside.add(0, n_journeys);
            continue;
        }
        let (entered, known) = (levels.reached[0], levels.mature[0]);
        levels.each(n_steps, |step, now| {
            let state = &mut steps[step];
            state.of_all.add(now.reached, n_journeys);
            state.of_entered.add(now.reached, entered);
            state.of_previous.add(now.reached, now.previous);
            state.of_known.add(now.mature, known);
        });
    }
    outside.add_units(0, n_single_outside);
    let (entered, known) = (single.reached[0], single.mature[0]);
    single.each(n_steps, |step, now| {
        let state = &mut steps[step];
        state.of_all.add_units(now.reached, n_single);
        state.of_entered.add_units(now.reached, entered);
        state.of_previous.add_units(now.reached, now.previous);
        state.of_known.add_units(now.mature, known);
    });
    partial.n_journeys += morsel.spans().len() as u64;
}
