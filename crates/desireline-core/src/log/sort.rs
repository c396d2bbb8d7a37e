//! Rows into the order of customer, time, tie key and input.

use std::borrow::Cow;

use super::builder::LogBuilder;
use super::intern::{Interner, Stored};
use crate::error::Result;
use crate::with_codes;

/// One row on its way to its place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record {
    pub(super) time: i64,
    pub(super) row: u32,
    pub(super) event: u32,
}

/// The order of the rows.
#[derive(Debug)]
pub(super) struct Sorted {
    /// The rows in order; `None` when they came that way.
    pub(super) records: Option<Vec<Record>>,
    /// The customers' codes in ascending order of their ids.
    pub(super) customers: Vec<u32>,
    /// Where each customer's rows begin, with the number of rows at the end.
    pub(super) offsets: Vec<u32>,
    /// Rows that share customer, time and tie key with the row before them.
    pub(super) unresolved_ties: u64,
}

/// Events that are sorted or looked at between two questions to the progress hook.
const STEP: usize = 1 << 22;

/// The codes of `ids` in ascending order: as numbers when all are, else as texts by bytes.
pub(super) fn ascending(ids: &Interner) -> Vec<u32> {
    let keys = ids.keys();
    let mut order: Vec<u32> = (0..keys.len())
        .map(|c| u32::try_from(c).unwrap_or(u32::MAX))
        .collect();
    if ids.all_integers() {
        let number = |c: &u32| match keys[*c as usize] {
            Stored::Integer(n) => n,
            Stored::Text(_) => 0,
        };
        if !order.is_sorted_by_key(number) {
            let mut pairs: Vec<(i64, u32)> = order.iter().map(|c| (number(c), *c)).collect();
            sort_pairs(&mut pairs);
            order = pairs.into_iter().map(|(_, c)| c).collect();
        }
    } else {
        let name = |c: &u32| ids.name(*c as usize);
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
    let mut first = [0; 8];
    for (to, from) in first.iter_mut().zip(text.bytes().skip(skip)) {
        *to = from;
    }
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

/// Finds the order of the builder's rows. Its customer, time and event columns are freed where the records
/// replace them.
pub(super) fn sort(builder: &mut LogBuilder, go_on: &dyn Fn(f64) -> Result<()>) -> Result<Sorted> {
    let customers = ascending(&builder.customers);
    let mut rank = vec![0u32; customers.len()];
    for (place, code) in (0u32..).zip(&customers) {
        rank[*code as usize] = place;
    }
    go_on(0.05)?;
    let mut offsets = vec![0u32; customers.len() + 1];
    let mut in_order = true;
    with_codes!(builder.customer.as_slice(), codes => {
        let mut before = 0;
        for code in codes {
            let place = rank[u32::from(*code) as usize];
            in_order &= before <= place;
            before = place;
            offsets[place as usize + 1] += 1;
        }
    });
    let mut total = 0u32;
    for offset in &mut offsets {
        total += *offset;
        *offset = total;
    }
    go_on(0.1)?;

    let tie = builder.tie.as_deref();
    if in_order && let Some(unresolved_ties) = rows_in_order(&builder.time, tie, &offsets) {
        return Ok(Sorted {
            records: None,
            customers,
            offsets,
            unresolved_ties,
        });
    }
    let mut records = scatter(builder, &rank, &offsets, go_on)?;
    drop(rank);
    builder.customer = super::Codes::default();
    builder.time = Vec::new();
    builder.event = super::Codes::default();

    let mut unresolved_ties = 0;
    let tie = builder.tie.as_deref();
    let (mut rest, mut customer, n) = (records.as_mut_slice(), 0, offsets.len() - 1);
    while customer < n {
        go_on(0.3 + 0.2 * offsets[customer] as f64 / f64::from(total))?;
        // Slices of whole customers, a few for each thread.
        let mut slices = Vec::new();
        let begin = customer;
        while customer < n && ((offsets[customer] - offsets[begin]) as usize) < STEP {
            let first = customer;
            while customer < n && ((offsets[customer] - offsets[first]) as usize) < STEP / 64 {
                customer += 1;
            }
            let (slice, after) = rest.split_at_mut((offsets[customer] - offsets[first]) as usize);
            slices.push((slice, &offsets[first..=customer]));
            rest = after;
        }
        unresolved_ties += sort_slices(slices, tie);
    }
    Ok(Sorted {
        records: Some(records),
        customers,
        offsets,
        unresolved_ties,
    })
}

/// Whether times and tie keys ascend within each customer, and then how many rows equal the one before.
fn rows_in_order(time: &[i64], tie: Option<&[i64]>, offsets: &[u32]) -> Option<u64> {
    let mut ties = 0;
    for customer in offsets.windows(2) {
        let range = customer[0] as usize..customer[1] as usize;
        for i in range.start + 1..range.end {
            match time[i - 1].cmp(&time[i]) {
                std::cmp::Ordering::Less => {}
                std::cmp::Ordering::Greater => return None,
                std::cmp::Ordering::Equal => match tie.map(|t| t[i - 1].cmp(&t[i])) {
                    Some(std::cmp::Ordering::Greater) => return None,
                    Some(std::cmp::Ordering::Less) => {}
                    Some(std::cmp::Ordering::Equal) | None => ties += 1,
                },
            }
        }
    }
    Some(ties)
}

/// Counting sort by customer: rows keep the order of input within each.
fn scatter(
    builder: &LogBuilder,
    rank: &[u32],
    offsets: &[u32],
    go_on: &dyn Fn(f64) -> Result<()>,
) -> Result<Vec<Record>> {
    let n = builder.time.len();
    let mut records = vec![
        Record {
            time: 0,
            row: 0,
            event: 0
        };
        n
    ];
    let mut next = offsets.to_vec();
    let mut from = 0;
    while from < n {
        let to = n.min(from + STEP);
        with_codes!(builder.customer.as_slice().slice(from, to), customers => {
            with_codes!(builder.event.as_slice().slice(from, to), events => {
                for (i, ((customer, event), time)) in customers.iter().zip(events).zip(&builder.time[from..to]).enumerate() {
                    let slot = &mut next[rank[u32::from(*customer) as usize] as usize];
                    let row = u32::try_from(from + i).unwrap_or(u32::MAX);
                    records[*slot as usize] = Record { time: *time, row, event: u32::from(*event) };
                    *slot += 1;
                }
            });
        });
        from = to;
        go_on(0.1 + 0.2 * to as f64 / n as f64)?;
    }
    Ok(records)
}

fn sort_slices(slices: Vec<(&mut [Record], &[u32])>, tie: Option<&[i64]>) -> u64 {
    let one = |(records, offsets): (&mut [Record], &[u32])| -> u64 {
        let base = offsets.first().copied().unwrap_or(0);
        offsets
            .windows(2)
            .map(|c| {
                sort_customer(
                    &mut records[(c[0] - base) as usize..(c[1] - base) as usize],
                    tie,
                )
            })
            .sum()
    };
    #[cfg(feature = "parallel")]
    {
        use rayon::iter::{IntoParallelIterator, ParallelIterator};
        slices.into_par_iter().map(one).sum()
    }
    #[cfg(not(feature = "parallel"))]
    slices.into_iter().map(one).sum()
}

/// Sorts one customer's rows and counts those that only the input's order told apart.
fn sort_customer(rows: &mut [Record], tie: Option<&[i64]>) -> u64 {
    let key = |r: &Record| tie.map_or(0, |t| t[r.row as usize]);
    let order = |a: &Record, b: &Record| {
        a.time
            .cmp(&b.time)
            .then_with(|| key(a).cmp(&key(b)))
            .then(a.row.cmp(&b.row))
    };
    if !rows.is_sorted_by(|a, b| order(a, b).is_lt()) {
        rows.sort_unstable_by(order);
    }
    rows.windows(2)
        .filter(|w| w[0].time == w[1].time && key(&w[0]) == key(&w[1]))
        .count() as u64
}
