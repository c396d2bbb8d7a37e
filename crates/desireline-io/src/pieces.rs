//! Pieces of one input, prepared on all threads and taken in in the order of the input.
//!
//! Two pieces for each thread of the current pool are prepared at once; while they are, those before them are taken in. The
//! log does not show any of it: an input read on one thread gives the same rows, the same row numbers and the same first
//! error.

use rayon::iter::{IntoParallelIterator, ParallelIterator};

use crate::IoError;
use crate::read::guarded;
use crate::sink::Sink;

/// Takes in the pieces that `next` gives, which runs on this thread alone; `work` puts one into a sink of its own.
/// Beside a piece `next` gives how many bytes of the store were read with it.
pub(crate) fn in_order<'c, P: Send>(
    sink: &mut Sink<'c>,
    source: &str,
    mut next: impl FnMut(&mut Sink<'c>) -> Result<Option<(P, u64)>, IoError>,
    work: impl Fn(&mut Sink<'c>, P) -> Result<(), IoError> + Sync,
) -> Result<(), IoError> {
    let threads = rayon::current_num_threads();
    let at_once = if threads > 1 { 2 * threads } else { 1 };
    let mut ready: Vec<Result<Sink<'c>, IoError>> = Vec::new();
    let mut stored = 0;
    loop {
        let mut wave = Vec::with_capacity(at_once);
        let mut stop = None;
        while wave.len() < at_once && stop.is_none() {
            match next(sink) {
                Ok(Some((piece, bytes))) => {
                    stored += bytes;
                    wave.push((sink.fork(), piece));
                }
                Ok(None) => break,
                Err(error) => stop = Some(error),
            }
        }
        if wave.is_empty() && ready.is_empty() {
            return stop.map_or(Ok(()), Err);
        }
        if let Some(error @ IoError::Cancelled { .. }) = stop {
            ready.into_iter().try_for_each(|piece| sink.join(piece))?;
            sink.check_cancel()?;
            return Err(error);
        }
        let one = |(mut sink, piece): (Sink<'c>, P)| {
            guarded(source, || work(&mut sink, piece)).map(|()| sink)
        };
        let before = std::mem::take(&mut ready);
        let (prepared, taken) = rayon::join(
            || wave.into_par_iter().map(one).collect(),
            || before.into_iter().try_for_each(|piece| sink.join(piece)),
        );
        taken?;
        ready = prepared;
        if let Some(error) = stop {
            ready.into_iter().try_for_each(|piece| sink.join(piece))?;
            return Err(error);
        }
        sink.tick(source, stored)?;
    }
}
