//! One pass over the journeys for any number of analyses.

use std::sync::atomic::{AtomicU64, Ordering};

use super::task::{State, Task};
use super::{Exec, Progress};
use crate::error::{Error, Result};
use crate::journey::{Journeys, Morsel, Scratch};

/// Which blocks to scan: places in [`Journeys::blocks`].
pub(crate) fn scan(
    journeys: &Journeys,
    blocks: &[usize],
    tasks: &[Box<dyn Task>],
    exec: &Exec,
) -> Result<Vec<State>> {
    let morsels: Vec<(usize, usize)> = blocks
        .iter()
        .flat_map(|&b| (0..journeys.blocks()[b].morsels().len()).map(move |m| (b, m)))
        .collect();
    let total_events: u64 = morsels
        .iter()
        .map(|&(b, m)| events_of(journeys, b, m))
        .sum();
    let shared = Shared {
        done_events: AtomicU64::new(0),
        done: AtomicU64::new(0),
        bytes: AtomicU64::new(0),
        total_events,
        total: morsels.len() as u64,
    };

    // Groups of neighbours, a few for each thread so that a slow one does not hold up the rest. Partial results are
    // merged in the order of the blocks; by the laws of `Partial` the grouping cannot show.
    let n_threads = exec.n_threads();
    let n_groups = if n_threads == 1 {
        1
    } else {
        (n_threads * 4).min(morsels.len()).max(1)
    };
    let groups: Vec<&[(usize, usize)]> = morsels
        .chunks(morsels.len().div_ceil(n_groups).max(1))
        .collect();
    let scanned = exec.map(groups, |group| {
        scan_group(journeys, group, tasks, exec, &shared)
    });
    let mut states = scanned.into_iter().collect::<Result<Vec<_>>>()?;
    while states.len() > 1 {
        let mut pairs = Vec::with_capacity(states.len().div_ceil(2));
        let mut rest = states.into_iter();
        while let Some(first) = rest.next() {
            pairs.push((first, rest.next()));
        }
        states = exec.map(pairs, |(mut into, from)| {
            for ((task, into), from) in tasks.iter().zip(&mut into).zip(from.iter().flatten()) {
                task.merge(into, from);
            }
            into
        });
    }
    Ok(states
        .pop()
        .unwrap_or_else(|| tasks.iter().map(|t| t.start()).collect()))
}

struct Shared {
    done_events: AtomicU64,
    done: AtomicU64,
    bytes: AtomicU64,
    total_events: u64,
    total: u64,
}

fn events_of(journeys: &Journeys, block: usize, morsel: usize) -> u64 {
    let block = &journeys.blocks()[block];
    block.morsel_events(block.morsels()[morsel])
}

fn scan_group(
    journeys: &Journeys,
    group: &[(usize, usize)],
    tasks: &[Box<dyn Task>],
    exec: &Exec,
    shared: &Shared,
) -> Result<Vec<State>> {
    let mut states: Vec<State> = tasks.iter().map(|t| t.start()).collect();
    let mut scratch = Scratch::default();
    let mut weight = 0;
    let mut weigh = |states: &[State]| {
        let Some(limit) = exec.memory_budget else {
            return Ok(());
        };
        let weights = tasks
            .iter()
            .zip(states)
            .map(|(t, s)| t.heap_bytes(s) as u64);
        let now: u64 = weights.sum();
        let more = now.wrapping_sub(weight);
        weight = now;
        let needed = shared.bytes.fetch_add(more, Ordering::Relaxed);
        match needed.wrapping_add(more) {
            needed if needed > limit => Err(Error::MemoryBudget { needed, limit }),
            _ => Ok(()),
        }
    };
    weigh(&states)?;
    let room = exec.memory_budget.map_or(usize::MAX, |limit| {
        usize::try_from(limit).unwrap_or(usize::MAX)
    });
    for &(b, m) in group {
        if exec.cancel.is_cancelled() {
            return Err(Error::Cancelled {
                done: shared.done.load(Ordering::Relaxed),
                total: shared.total,
            });
        }
        let block = &journeys.blocks()[b];
        let morsel = Morsel {
            room,
            ..block.morsel(block.morsels()[m], &mut scratch)
        };
        for (task, state) in tasks.iter().zip(&mut states) {
            task.observe(state, &morsel);
        }
        // After every morsel: who stopped for want of room relies on it.
        weigh(&states)?;
        let events = events_of(journeys, b, m);
        let done = shared.done_events.fetch_add(events, Ordering::Relaxed) + events;
        shared.done.fetch_add(1, Ordering::Relaxed);
        if let Some(hook) = &exec.progress {
            hook(Progress {
                done,
                total: shared.total_events,
            });
        }
    }
    Ok(states)
}
