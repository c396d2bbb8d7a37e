//! A pass over journeys that only some maps need.

use crate::engine::Exec;
use crate::error::{Error, Result};
use crate::journey::{JourneyBlock, Journeys, Morsel, Scratch};

/// What each block of journeys adds, in the order of the blocks: whole customers each, so that parts add up whoever made them. `start` is told which block it is.
pub(super) fn pass<S: Send>(
    journeys: &Journeys,
    exec: &Exec,
    start: impl Fn(usize) -> S + Send + Sync,
    observe: impl Fn(&mut S, &Morsel<'_>) + Send + Sync,
) -> Result<Vec<S>> {
    let work = |(place, block): (usize, &JourneyBlock)| {
        let mut state = start(place);
        let mut scratch = Scratch::default();
        for &range in block.morsels() {
            if exec.is_cancelled() {
                break;
            }
            observe(&mut state, &block.morsel(range, &mut scratch));
        }
        state
    };
    let blocks: Vec<_> = journeys.blocks().iter().enumerate().collect();
    let total = blocks.len() as u64;
    let parts = exec.map(blocks, work);
    match exec.is_cancelled() {
        true => Err(Error::Cancelled { done: 0, total }),
        false => Ok(parts),
    }
}
