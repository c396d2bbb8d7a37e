//! The kernel: the best attempt of a journey in one pass and a bounded second one.

use crate::analyses::parts::next_start;
use crate::engine::Analysis;
use crate::journey::{Mask, Matcher, Morsel};

use super::{Funnel, MAX_STEPS};

/// The steps as the kernel reads them: a bit for each step that an event matches.
#[derive(Debug)]
pub(super) enum Tests {
    /// By event code, when every step asks for the event's name only.
    ByCode(Box<[u64]>),
    /// By any condition.
    ByMask(Vec<Matcher>),
}

impl Tests {
    pub(super) fn new(matchers: &[Matcher]) -> Tests {
        let tables: Option<Vec<&[bool]>> = matchers.iter().map(Matcher::by_event_code).collect();
        match tables {
            Some(tables) => {
                let n_codes = tables.iter().map(|t| t.len()).max().unwrap_or(0);
                let bits = |code: usize| {
                    (0u32..)
                        .zip(&tables)
                        .filter(|(_, table)| table.get(code).copied().unwrap_or(false))
                        .fold(0u64, |bits, (step, _)| bits | 1 << step)
                };
                Tests::ByCode((0..n_codes).map(bits).collect())
            }
            None => Tests::ByMask(matchers.to_vec()),
        }
    }
}

/// The bits of every event of a morsel: one allocation a morsel, not one an event.
pub(super) fn event_bits(matchers: &[Matcher], morsel: &Morsel<'_>) -> Vec<u64> {
    let mut bits = vec![0u64; morsel.n_events()];
    let mut mask = Mask::default();
    for (step, matcher) in (0u32..).zip(matchers) {
        matcher.fill(morsel, &mut mask);
        for i in mask.iter_ones() {
            bits[i] |= 1 << step;
        }
    }
    bits
}

/// How far a journey came.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reach {
    /// The deepest level, from 1.
    pub(super) depth: usize,
    /// The event that first reached it.
    pub(super) finish: usize,
    /// The first event that fills step 1.
    pub(super) entry: usize,
    /// The time of the last event that fills step 1, up to the conversion if there is one.
    pub(super) last_entry: i64,
}

/// The deepest level that any attempt reaches, and the first event to reach it; `None` without step 1.
///
/// Level by level only the latest start of all attempts so far is kept: a later start allows everything that an
/// earlier one does. The levels of one event are taken from the deepest down, so that it fills one step only.
#[inline]
pub(super) fn reach(
    bits: impl Fn(usize) -> u64,
    times: &[i64],
    range: std::ops::Range<usize>,
    n_steps: usize,
    within: i64,
) -> Option<Reach> {
    let entry = range.clone().find(|&i| bits(i) & 1 != 0)?;
    let mut starts = [0i64; MAX_STEPS];
    starts[0] = times[entry];
    let mut reach = Reach {
        depth: 1,
        finish: entry,
        entry,
        last_entry: times[entry],
    };
    if n_steps == 1 {
        return Some(reach);
    }
    // The steps that an event can fill now: those reached and the next one.
    let mut open = 0b11u64;
    #[allow(clippy::needless_range_loop)] // times are read at hits only
    for i in entry + 1..range.end {
        let mut hits = bits(i) & open;
        while hits != 0 {
            let step = 63 - hits.leading_zeros() as usize;
            hits &= !(1 << step);
            if step == 0 {
                starts[0] = times[i];
                reach.last_entry = times[i];
            } else if times[i].saturating_sub(starts[step - 1]) <= within {
                starts[step] = starts[step - 1];
                if step == reach.depth {
                    reach.depth += 1;
                    reach.finish = i;
                    if reach.depth == n_steps {
                        return Some(reach);
                    }
                    open = (open << 1) | 1;
                }
            }
        }
    }
    Some(reach)
}

/// Writes the times of the chosen attempt into `chosen`, one for each level reached: among the attempts that reach
/// the deepest level first, the one that starts earliest, each step filled as soon as can be.
#[inline]
pub(super) fn chosen(
    bits: impl Fn(usize) -> u64,
    times: &[i64],
    reach: &Reach,
    within: i64,
    chosen: &mut [i64; MAX_STEPS],
) {
    let earliest = times[reach.finish].saturating_sub(within);
    let mut step = 0;
    for (i, &time) in (reach.entry..).zip(&times[reach.entry..=reach.finish]) {
        if (bits(i) >> step) & 1 != 0 && (step > 0 || time >= earliest) {
            chosen[step] = time;
            step += 1;
            if step == reach.depth {
                return;
            }
        }
    }
}

/// Takes in the journeys of a morsel, customer after customer.
pub(super) fn observe<B: Fn(usize) -> u64>(
    plan: &<Funnel as Analysis>::Plan,
    partial: &mut <Funnel as Analysis>::Partial,
    morsel: &Morsel<'_>,
    bits: B,
) {
    let times = morsel.times();
    let n_steps = plan.steps.len();
    let within = plan.within.unwrap_or(i64::MAX);
    let mut at = [0i64; MAX_STEPS];
    // Of one customer: journeys that reached each step, and those of them that entered early enough.
    let mut reached = [0u32; MAX_STEPS];
    let mut mature = [0u32; MAX_STEPS];
    for spans in morsel.customers() {
        let n_journeys = spans.len() as u64;
        partial.n_journeys += n_journeys;
        let mut entered = false;
        for span in spans {
            let Some(reach) = reach(&bits, times, span.range(), n_steps, within) else {
                continue;
            };
            if !entered {
                entered = true;
                reached[..n_steps].fill(0);
                mature[..n_steps].fill(0);
            }
            let is_mature = plan.has_ended(times[reach.entry]);
            for step in 0..reach.depth {
                reached[step] += 1;
                mature[step] += u32::from(is_mature);
            }
            let last = &mut partial.steps[reach.depth - 1];
            if reach.depth < n_steps {
                let over = next_start(span, times).is_some();
                if over || plan.has_ended(reach.last_entry) {
                    last.dropped += 1;
                } else {
                    last.at_risk += 1;
                }
            }
            if reach.depth > 1 {
                chosen(&bits, times, &reach, within, &mut at);
                for step in 1..reach.depth {
                    let times = &mut partial.steps[step];
                    times
                        .from_previous
                        .push(at[step].saturating_sub(at[step - 1]));
                    times.from_first.push(at[step].saturating_sub(at[0]));
                }
            }
        }
        if !entered {
            partial.outside.add(0, n_journeys);
            continue;
        }
        let (n_entered, n_mature) = (u64::from(reached[0]), u64::from(mature[0]));
        let mut previous = n_entered;
        for (step, state) in partial.steps.iter_mut().enumerate() {
            let n = u64::from(reached[step]);
            state.of_all.add(n, n_journeys);
            state.of_entered.add(n, n_entered);
            state.of_previous.add(n, previous);
            state.of_known.add(u64::from(mature[step]), n_mature);
            previous = n;
        }
    }
}
