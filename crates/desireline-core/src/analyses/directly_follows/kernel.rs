//! The scan: all neighbours in a morsel, less those of different journeys.

use super::state::DirectlyFollowsPartial;
use crate::journey::{Morsel, Span};
use crate::log::CodeSlice;

pub(super) fn observe(n_names: usize, partial: &mut DirectlyFollowsPartial, morsel: &Morsel<'_>) {
    let spans = morsel.spans();
    partial.customers += morsel.customers().count() as u64;
    partial.journeys += spans.len() as u64;
    partial.events += spans.iter().map(|span| span.len() as u64).sum::<u64>();
    match morsel.codes() {
        // A table is gone through after each morsel, so it must not be much larger than that.
        CodeSlice::U8(codes)
            if morsel.is_whole && n_names <= 256 && n_names * n_names <= 2 * codes.len() =>
        {
            match n_names {
                0..=16 => dense::<4, 256>(partial, codes, spans),
                17..=32 => dense::<5, 1024>(partial, codes, spans),
                33..=64 => dense::<6, 4096>(partial, codes, spans),
                65..=128 => dense::<7, 16_384>(partial, codes, spans),
                _ => dense::<8, 65_536>(partial, codes, spans),
            }
        }
        codes => crate::with_codes!(codes, codes => sparse(partial, codes, spans)),
    }
}

/// Journey by journey, for few of the events or many names.
fn sparse<C: Copy + Into<u32>>(partial: &mut DirectlyFollowsPartial, codes: &[C], spans: &[Span]) {
    for span in spans {
        let events = &codes[span.range()];
        for pair in events.windows(2) {
            *partial
                .pairs
                .entry((pair[0].into(), pair[1].into()))
                .or_default() += 1;
        }
        for &code in events {
            partial.nodes.entry(code.into()).or_default().events += 1;
        }
        partial.nodes.entry(events[0].into()).or_default().starts += 1;
        partial
            .nodes
            .entry(events[events.len() - 1].into())
            .or_default()
            .ends += 1;
    }
}

/// All neighbours in a row without asking whose they are; then those across the ends of journeys are taken away. `codes`
/// is nothing but the journeys of `spans`, one after the other; `N` is the square of 2 to the `S`.
fn dense<const S: u32, const N: usize>(
    partial: &mut DirectlyFollowsPartial,
    codes: &[u8],
    spans: &[Span],
) {
    let mut tables = std::mem::take(&mut partial.tables);
    tables.resize(2 * N, 0);
    let at = |from: u8, to: u8| (usize::from(from) << S | usize::from(to)) & (N - 1);
    let (even, odd) = tables.split_at_mut(N);
    if let (Ok(even), Ok(odd)) = (
        <&mut [u32; N]>::try_from(even),
        <&mut [u32; N]>::try_from(odd),
    ) {
        let (&first, rest) = codes.split_first().unwrap_or((&0, &[]));
        let mut from = first;
        // Two tables in turn: a pair that follows itself need not wait for its own count.
        let mut pairs = rest.chunks_exact(2);
        for pair in &mut pairs {
            even[at(from, pair[0])] += 1;
            odd[at(pair[0], pair[1])] += 1;
            from = pair[1];
        }
        for &to in pairs.remainder() {
            even[at(from, to)] += 1;
        }
    }
    let mut ends = [[0_u32; 2]; 256];
    for span in spans {
        let (start, last) = (span.start as usize, span.end as usize - 1);
        ends[usize::from(codes[start])][0] += 1;
        ends[usize::from(codes[last])][1] += 1;
        if let Some(&next) = codes.get(last + 1) {
            // Taken away from one table, though it may be in the other: only their sum counts.
            let count = &mut tables[at(codes[last], next)];
            *count = count.wrapping_sub(1);
        }
    }
    let (even, odd) = tables.split_at_mut(N);
    let mut events = [0_u64; 256];
    for (place, (even, odd)) in even.iter_mut().zip(odd).enumerate() {
        let count = std::mem::take(even).wrapping_add(std::mem::take(odd));
        if count > 0 {
            let (from, to) = (place >> S, place & ((1 << S) - 1));
            *partial.pairs.entry((from as u32, to as u32)).or_default() += u64::from(count);
            events[from] += u64::from(count);
        }
    }
    for (code, ([starts, ends], out)) in (0..).zip(ends.into_iter().zip(events)) {
        if starts > 0 || ends > 0 || out > 0 {
            let node = partial.nodes.entry(code).or_default();
            node.events += out + u64::from(ends);
            node.starts += u64::from(starts);
            node.ends += u64::from(ends);
        }
    }
    partial.tables = tables;
}
