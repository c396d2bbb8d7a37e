//! Rows into the order of customer, time, tie key and input.
//!
//! Two steps. Each chunk is first brought into the order of *parts*, ranges of customers with so few rows that they fit
//! the cache nearest to a core; then each part's rows, which every chunk now holds end to end, find their order among
//! themselves. No step writes to more than a few hundred places by turns, both keep the order of input, and chunks and
//! parts are independent of each other, so any number of threads gives the same order.

use std::borrow::Cow;
use std::ops::Range;

use super::build::cuts;
use super::builder::LogBuilder;
use super::chunk::Chunk;
use super::intern::Interner;
use super::scale::Span;
use super::threads;
use crate::error::Result;
use crate::with_codes;

/// Rows of a part, unless one customer has more. Places in a part then fit 16 bits.
const PART_ROWS: usize = 1 << 15;
/// Chunks and parts between two questions to the progress hook.
const CHUNKS: usize = 16;
const PARTS: usize = 512;

/// The order of the rows.
#[derive(Debug)]
pub(super) struct Sorted {
    /// The customers' codes in ascending order of their ids.
    pub(super) customers: Vec<u32>,
    /// Where each customer's rows begin, with the number of rows at the end.
    pub(super) offsets: Vec<u32>,
    /// The blocks, each with its parts.
    pub(super) blocks: Vec<Blocked>,
}

/// A block to be: a range of customers.
#[derive(Debug)]
pub(super) struct Blocked {
    pub(super) customers: Range<usize>,
    pub(super) parts: Vec<Part>,
}

impl Blocked {
    /// The number of rows.
    pub(super) fn len(&self) -> usize {
        self.parts.iter().map(|p| p.len).sum()
    }
}

/// Customers that are sorted together.
#[derive(Debug)]
pub(super) struct Part {
    customers: Range<usize>,
    /// The chunks that have rows of the part, and where.
    rows: Vec<(u32, Range<u32>)>,
    pub(super) len: usize,
    pub(super) order: Order,
    pub(super) span: Span,
    unresolved_ties: u64,
}

impl Part {
    /// The chunks that have rows of the part, and where, in the order of input.
    pub(super) fn pieces(&self) -> impl Iterator<Item = (usize, Range<usize>)> + '_ {
        let place = |(chunk, rows): &(u32, Range<u32>)| {
            (*chunk as usize, rows.start as usize..rows.end as usize)
        };
        self.rows.iter().map(place)
    }
}

/// By place in the sorted part, the place among the part's rows in the order of input.
#[derive(Debug)]
pub(super) enum Order {
    /// The same place.
    Same,
    Short(Vec<u16>),
    Long(Vec<u32>),
}

impl Sorted {
    /// Rows that share customer, time and tie key with the row before them.
    pub(super) fn unresolved_ties(&self) -> u64 {
        let parts = self.blocks.iter().flat_map(|b| &b.parts);
        parts.map(|p| p.unresolved_ties).sum()
    }
}

/// The codes of `ids` in ascending order: as numbers when all are, else as texts by bytes.
pub(super) fn ascending(ids: &Interner) -> Vec<u32> {
    let mut order: Vec<u32> = (0..ids.len())
        .map(|c| u32::try_from(c).unwrap_or(u32::MAX))
        .collect();
    if ids.all_integers() {
        let number = |c: &u32| ids.number(*c);
        if !order.is_sorted_by_key(number) {
            let mut pairs: Vec<(i64, u32)> = order.iter().map(|c| (number(c), *c)).collect();
            sort_pairs(&mut pairs);
            order = pairs.into_iter().map(|(_, c)| c).collect();
        }
    } else {
        let name = |c: &u32| ids.name(*c);
        if !order.is_sorted_by(|a, b| name(a) <= name(b)) {
            // Most comparisons end within the eight bytes after what all ids begin with.
            let shared = common_prefix(order.iter().map(name));
            let mut heads: Vec<(u64, u32)> =
                order.iter().map(|c| (head(&name(c), shared), *c)).collect();
            sort_heads(&mut heads, |a, b| name(a).cmp(&name(b)));
            order = heads.into_iter().map(|(_, c)| c).collect();
        }
    }
    order
}

fn common_prefix<'a>(mut names: impl Iterator<Item = Cow<'a, str>>) -> usize {
    let first = names.next().unwrap_or_default();
    names.fold(first.len(), |shared, name| {
        let both = first.bytes().zip(name.bytes()).take(shared);
        both.take_while(|(a, b)| a == b).count()
    })
}

fn head(text: &str, skip: usize) -> u64 {
    let rest = text.as_bytes().get(skip..).unwrap_or_default();
    if let Some(first) = rest.first_chunk::<8>() {
        return u64::from_be_bytes(*first);
    }
    let mut first = [0; 8];
    first[..rest.len()].copy_from_slice(rest);
    u64::from_be_bytes(first)
}

fn sort_pairs(pairs: &mut [(i64, u32)]) {
    #[cfg(feature = "parallel")]
    rayon::slice::ParallelSliceMut::par_sort_unstable(pairs);
    #[cfg(not(feature = "parallel"))]
    pairs.sort_unstable();
}

fn sort_heads(heads: &mut [(u64, u32)], by_name: impl Fn(&u32, &u32) -> std::cmp::Ordering + Sync) {
    let order = |a: &(u64, u32), b: &(u64, u32)| a.0.cmp(&b.0).then_with(|| by_name(&a.1, &b.1));
    #[cfg(feature = "parallel")]
    rayon::slice::ParallelSliceMut::par_sort_unstable_by(heads, order);
    #[cfg(not(feature = "parallel"))]
    heads.sort_unstable_by(order);
}

/// Finds the order of the builder's rows. Its columns are then grouped by part, and those of customers and tie keys
/// are freed.
pub(super) fn sort(builder: &mut LogBuilder, go_on: &dyn Fn(f64) -> Result<()>) -> Result<Sorted> {
    let customers = ascending(&builder.names.customers);
    builder.names.customers.forget_look_up();
    let mut rank = vec![0u32; customers.len()];
    for (place, code) in (0u32..).zip(&customers) {
        rank[*code as usize] = place;
    }
    go_on(0.05)?;
    let n_chunks = builder.chunks.len();
    let mut counts = Vec::with_capacity(n_chunks);
    for chunks in builder.chunks.chunks(CHUNKS) {
        counts.append(&mut threads::map(chunks, rows_of_customers));
        go_on(0.05 + 0.05 * counts.len() as f64 / n_chunks as f64)?;
    }
    let mut offsets = vec![0u32; customers.len() + 1];
    for (chunk, counts) in builder.chunks.iter().zip(&counts) {
        for (code, n) in chunk.customer.shared.iter().zip(counts) {
            offsets[rank[*code as usize] as usize + 1] += n;
        }
    }
    let mut total = 0u32;
    for offset in &mut offsets {
        total += *offset;
        *offset = total;
    }

    let mut blocks = Vec::new();
    for (from, to) in cuts(&offsets, builder.options.block_events) {
        let parts = cuts(&offsets[from..=to], PART_ROWS)
            .into_iter()
            .map(|(a, b)| Part {
                customers: from + a..from + b,
                rows: Vec::new(),
                len: (offsets[from + b] - offsets[from + a]) as usize,
                order: Order::Same,
                span: Span::default(),
                unresolved_ties: 0,
            });
        blocks.push(Blocked {
            customers: from..to,
            parts: parts.collect(),
        });
    }
    let mut parts: Vec<&mut Part> = blocks.iter_mut().flat_map(|b| &mut b.parts).collect();
    let firsts: Vec<u32> = parts
        .iter()
        .map(|p| u32::try_from(p.customers.start).unwrap_or(u32::MAX))
        .collect();

    let mut places = Vec::with_capacity(n_chunks);
    for (chunks, counts) in builder.chunks.chunks_mut(CHUNKS).zip(counts.chunks(CHUNKS)) {
        let one = |(chunk, counts): (&mut Chunk, &Vec<u32>)| group(chunk, counts, &rank, &firsts);
        for (starts, customers) in threads::map(chunks.iter_mut().zip(counts), one) {
            let chunk = u32::try_from(places.len()).unwrap_or(u32::MAX);
            for (part, range) in parts.iter_mut().zip(starts.windows(2)) {
                // Only where there are any: many small chunks would make this list longer than the rows.
                if range[0] < range[1] {
                    part.rows.push((chunk, range[0]..range[1]));
                }
            }
            places.push(customers);
        }
        go_on(0.1 + 0.19 * places.len() as f64 / n_chunks as f64)?;
    }
    drop((rank, counts));

    let n_parts = parts.len();
    for (i, parts) in parts.chunks_mut(PARTS).enumerate() {
        go_on(0.3 + 0.2 * (i * PARTS) as f64 / n_parts as f64)?;
        threads::each_with_room(parts.iter_mut(), |room: &mut Room, part| {
            order(part, &builder.chunks, &places, &offsets, room);
        });
    }
    for chunk in &mut builder.chunks {
        chunk.tie = None;
    }
    Ok(Sorted {
        customers,
        offsets,
        blocks,
    })
}

/// The rows of each of the chunk's customers.
fn rows_of_customers(chunk: &Chunk) -> Vec<u32> {
    let mut counts = vec![0u32; chunk.customer.shared.len()];
    with_codes!(chunk.customer.codes.as_slice(), codes => {
        codes.iter().for_each(|c| counts[u32::from(*c) as usize] += 1);
    });
    counts
}

/// Brings the chunk's rows into the order of parts, which begin at the customers `firsts`. Gives where each part's
/// rows begin, with the number of rows at the end, and the place of each row's customer within its part.
#[allow(clippy::cast_possible_truncation)] // a part has few customers, a chunk fewer rows than u32 holds
fn group(chunk: &mut Chunk, counts: &[u32], rank: &[u32], firsts: &[u32]) -> (Vec<u32>, Vec<u16>) {
    let shared = std::mem::take(&mut chunk.customer.shared);
    let mut starts = vec![0u32; firsts.len() + 1];
    let table: Vec<(u32, u16)> = shared
        .iter()
        .zip(counts)
        .map(|(code, n)| {
            let rank = rank[*code as usize];
            let part = firsts.partition_point(|first| *first <= rank) - 1;
            starts[part + 1] += n;
            (part as u32, (rank - firsts[part]) as u16)
        })
        .collect();
    let mut total = 0;
    for start in &mut starts {
        total += *start;
        *start = total;
    }
    let mut next = starts.clone();
    let n = chunk.len();
    let mut customers = vec![0u16; n];
    let mut to = Vec::with_capacity(n);
    let mut is_same = true;
    let codes = std::mem::take(&mut chunk.customer.codes);
    with_codes!(codes.as_slice(), codes => {
        for (i, code) in codes.iter().enumerate() {
            let (part, customer) = table[u32::from(*code) as usize];
            let slot = next[part as usize];
            next[part as usize] += 1;
            customers[slot as usize] = customer;
            is_same &= slot as usize == i;
            to.push(slot);
        }
    });
    drop(codes);
    if !is_same {
        chunk.rearrange(&to);
    }
    (starts, customers)
}

/// What sorting a part needs beside its result.
#[derive(Default)]
struct Room {
    next: Vec<u32>,
    order: Vec<u32>,
    /// In the order of input.
    times: Vec<i64>,
    ties: Vec<i64>,
    rows: Vec<(i64, i64, u32)>,
    sorted: Vec<i64>,
}

/// Finds the order of a part: a counting sort by customer, and then what of it time and tie key do not agree with.
#[allow(clippy::cast_possible_truncation)] // parts have fewer rows than u32 holds
fn order(part: &mut Part, chunks: &[Chunk], places: &[Vec<u16>], offsets: &[u32], room: &mut Room) {
    let offsets = &offsets[part.customers.start..=part.customers.end];
    let first = offsets[0];
    let Room {
        next,
        order,
        times,
        ties,
        rows,
        sorted,
    } = room;
    next.clear();
    next.extend(offsets.iter().map(|o| o - first));
    order.clear();
    order.resize(part.len, 0);
    times.clear();
    ties.clear();
    sorted.clear();
    let (mut row, mut is_same) = (0u32, true);
    for (chunk, range) in part.pieces() {
        times.extend_from_slice(&chunks[chunk].time[range.clone()]);
        for place in &places[chunk][range] {
            let slot = &mut next[usize::from(*place)];
            order[*slot as usize] = row;
            is_same &= *slot == row;
            *slot += 1;
            row += 1;
        }
    }
    part.span = Span::of(times.iter().copied());
    sorted.extend(order.iter().map(|row| times[*row as usize]));
    for customer in offsets.windows(2) {
        let range = (customer[0] - first) as usize..(customer[1] - first) as usize;
        if sorted[range.clone()].is_sorted_by(|a, b| a < b) {
            continue;
        }
        if ties.is_empty() {
            tie_keys(part, chunks, ties);
        }
        rows.clear();
        let tied = |row: u32| (times[row as usize], ties[row as usize], row);
        rows.extend(order[range.clone()].iter().map(|row| tied(*row)));
        if !rows.is_sorted() {
            is_same = false;
            rows.sort_unstable();
            for (slot, row) in order[range].iter_mut().zip(&*rows) {
                *slot = row.2;
            }
        }
        let same = rows
            .windows(2)
            .filter(|w| (w[0].0, w[0].1) == (w[1].0, w[1].1));
        part.unresolved_ties += same.count() as u64;
    }
    if !is_same {
        part.order = if part.len <= 1 << 16 {
            Order::Short(order.iter().map(|row| *row as u16).collect())
        } else {
            Order::Long(order.clone())
        };
    }
}

/// The tie keys of a part's rows in the order of input. Rows without one follow those that have one.
fn tie_keys(part: &Part, chunks: &[Chunk], ties: &mut Vec<i64>) {
    for (chunk, range) in part.pieces() {
        match &chunks[chunk].tie {
            Some(keys) => ties.extend_from_slice(&keys[range]),
            None => ties.resize(ties.len() + range.len(), i64::MAX),
        }
    }
}
