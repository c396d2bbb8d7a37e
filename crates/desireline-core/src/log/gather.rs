//! The columns of sorted blocks out of the columns of chunks.

use super::buffer::Buffer;
use super::chunk::Chunk;
use super::sort::{Blocked, Order, Part};
use super::threads::each_with_room;
use super::{Array, Bitmap, Codes, ColumnData, Presence, TimeRest, TimeScale, Times};
use crate::with_codes;

/// Fills `out` part by part: `one` gets a part and where its rows go.
fn fill<T: Send, S: Default + Send>(
    block: &Blocked,
    out: &mut [T],
    one: impl Fn(&mut S, &Part, &mut [T]) + Sync + Send,
) {
    let mut rest = out;
    let mut pieces = Vec::with_capacity(block.parts.len());
    for part in &block.parts {
        let (piece, after) = rest.split_at_mut(part.len);
        pieces.push((part, piece));
        rest = after;
    }
    each_with_room(pieces, |room: &mut S, (part, piece)| one(room, part, piece));
}

/// Puts a part's values, given in the order of input, into its own order.
fn arrange<T: Copy>(part: &Part, given: &[T], out: &mut [T]) {
    match &part.order {
        Order::Same => out.copy_from_slice(given),
        Order::Short(order) => {
            for (to, from) in out.iter_mut().zip(order) {
                *to = given[usize::from(*from)];
            }
        }
        Order::Long(order) => {
            for (to, from) in out.iter_mut().zip(order) {
                *to = given[*from as usize];
            }
        }
    }
}

/// A column of numbers; `values` gives those of a chunk, which may have none.
fn numbers<T: Copy + Default + Send + Sync, U: Copy + Default + Send + Sync>(
    block: &Blocked,
    chunks: &[Option<&[T]>],
    change: impl Fn(T) -> U + Sync + Send,
) -> Vec<U> {
    let mut out = vec![U::default(); block.len()];
    fill(block, &mut out, |room: &mut Vec<U>, part, out| {
        room.clear();
        for (chunk, range) in part.pieces() {
            match chunks[chunk] {
                Some(values) => room.extend(values[range].iter().map(|v| change(*v))),
                None => room.resize(room.len() + range.len(), U::default()),
            }
        }
        arrange(part, room, out);
    });
    out
}

pub(super) fn times(block: &Blocked, chunks: &[Chunk], scale: TimeScale) -> Times {
    let chunks: Vec<Option<&[i64]>> = chunks.iter().map(|c| Some(c.time.as_slice())).collect();
    let ticks = numbers(block, &chunks, |t| scale.tick(t)).into();
    #[allow(clippy::cast_possible_truncation)] // as many bits as the shift says
    let rest = TimeRest::of(
        scale.shift,
        || numbers(block, &chunks, |t| scale.rest(t) as u8),
        || numbers(block, &chunks, |t| scale.rest(t) as u16),
        || numbers(block, &chunks, |t| scale.rest(t)),
    );
    Times::from_parts(scale, ticks, rest).unwrap_or_default()
}

/// A column of codes below `distinct`; `tables` says for each chunk what its codes become.
pub(super) fn codes(
    block: &Blocked,
    chunks: &[&Codes],
    tables: &[Vec<u32>],
    distinct: usize,
) -> Codes {
    /// `u32` into a width that holds all codes.
    fn narrow<T: Copy + Default + Send + Sync>(
        block: &Blocked,
        chunks: &[&Codes],
        tables: &[Vec<u32>],
        cast: impl Fn(u32) -> T + Sync + Send,
    ) -> Vec<T> {
        let mut out = vec![T::default(); block.len()];
        fill(block, &mut out, |room: &mut Vec<T>, part, out| {
            room.clear();
            for (chunk, range) in part.pieces() {
                let table = &tables[chunk];
                with_codes!(chunks[chunk].as_slice().slice(range.start, range.end), codes => {
                    room.extend(codes.iter().map(|c| cast(table[u32::from(*c) as usize])));
                });
            }
            arrange(part, room, out);
        });
        out
    }
    #[allow(clippy::cast_possible_truncation)] // the width is chosen to hold every code
    if distinct <= 1 << 8 {
        Codes::U8(narrow(block, chunks, tables, |c| c as u8).into())
    } else if distinct <= 1 << 16 {
        Codes::U16(narrow(block, chunks, tables, |c| c as u16).into())
    } else {
        Codes::U32(narrow(block, chunks, tables, |c| c).into())
    }
}

/// A column of numbers that may be missing; a chunk without the column is all missing.
pub(super) fn column(block: &Blocked, chunks: &[Option<Buffer>]) -> ColumnData {
    let there: Vec<Option<&Bitmap>> = chunks
        .iter()
        .map(|buffer| match buffer {
            Some(Buffer::Integer(_, there) | Buffer::Decimal(_, there)) => Some(there),
            _ => None,
        })
        .collect();
    let decimals: Vec<Option<&[f64]>> = chunks
        .iter()
        .map(|buffer| match buffer {
            Some(Buffer::Decimal(values, _)) => Some(values.as_slice()),
            _ => None,
        })
        .collect();
    if decimals.iter().any(Option::is_some) {
        let values = numbers(block, &decimals, |v| v).into();
        return ColumnData::Decimal(values, presence(block, &there));
    }
    let integers: Vec<Option<&[i64]>> = chunks
        .iter()
        .map(|buffer| match buffer {
            Some(Buffer::Integer(values, _)) => Some(values.as_slice()),
            _ => None,
        })
        .collect();
    let values = numbers(block, &integers, |v| v).into();
    ColumnData::Integer(values, presence(block, &there))
}

fn presence(block: &Blocked, chunks: &[Option<&Bitmap>]) -> Presence {
    let full = |bits: &Option<&Bitmap>| bits.is_some_and(|bits| bits.count() == bits.len());
    if chunks.iter().all(full) {
        return Bitmap::ones(block.len()).into();
    }
    let mut out = vec![false; block.len()];
    fill(block, &mut out, |room: &mut Vec<bool>, part, out| {
        room.clear();
        for (chunk, range) in part.pieces() {
            let bit = |row: usize| chunks[chunk].is_some_and(|bits| bits.get(row));
            room.extend(range.map(bit));
        }
        arrange(part, room, out);
    });
    let words: Vec<u64> = out
        .chunks(64)
        .map(|bits| {
            bits.iter()
                .rev()
                .fold(0, |word, bit| word << 1 | u64::from(*bit))
        })
        .collect();
    Presence::from_words(Array::from(words), out.len()).unwrap_or_default()
}
