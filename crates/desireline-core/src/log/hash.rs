//! A hash of what a log says, whatever its codes, blocks and order of input.

use std::ops::Range;

use xxhash_rust::xxh3::xxh3_128;

use super::threads;
use super::{
    AttributeType, Block, Catalog, ColumnData, CustomerIds, Level, Vocabulary, plain_integer,
};
use crate::with_codes;

type Lanes = [u64; 2];

const KEYS: [Lanes; 2] = [
    [0xA076_1D64_78BD_642F, 0xE703_7ED1_A0B4_28DB],
    [0x8EBC_6AF0_9C88_C6E3, 0x5899_65CC_7537_4CC3],
];

/// Multiplies to twice the width and folds: every bit of the input reaches every bit of the output.
#[inline]
#[allow(clippy::cast_possible_truncation)] // the two halves are folded on purpose
fn mix(lane: usize, a: u64, b: u64) -> u64 {
    let product = u128::from(a ^ KEYS[lane][0]) * u128::from(b ^ KEYS[lane][1]);
    (product as u64) ^ ((product >> 64) as u64)
}

#[inline]
fn mix_both(a: Lanes, b: Lanes) -> Lanes {
    [mix(0, a[0], b[0]), mix(1, a[1], b[1])]
}

#[inline]
fn add(a: Lanes, b: Lanes) -> Lanes {
    [a[0].wrapping_add(b[0]), a[1].wrapping_add(b[1])]
}

#[allow(clippy::cast_possible_truncation)] // split into halves
fn text(text: &str) -> Lanes {
    let hash = xxh3_128(text.as_bytes());
    [hash as u64, (hash >> 64) as u64]
}

/// The hashes of a catalog's names, found once for all blocks.
#[derive(Debug)]
pub(super) struct Names {
    events: Vec<Lanes>,
    attributes: Vec<Attribute>,
}

#[derive(Debug)]
struct Attribute {
    own: Lanes,
    /// What a cell with each dictionary code adds to its event, by the code plus one; missing adds nothing.
    cells: Vec<Lanes>,
}

/// Names that are hashed and rows that are summed up as one piece of work.
const PIECE: usize = 1 << 16;
/// Rows whose hashes are held at once.
const ROWS: usize = 2048;

impl Attribute {
    fn of(name: &str, dictionary: &Vocabulary) -> Attribute {
        let own = text(name);
        let n = dictionary.len();
        let piece = |from: usize| {
            (from..n.min(from + PIECE))
                .map(|code| {
                    let code = u32::try_from(code).unwrap_or(u32::MAX);
                    mix_both(own, text(dictionary.name(code)))
                })
                .collect::<Vec<Lanes>>()
        };
        let pieces = threads::map((0..n).step_by(PIECE), piece);
        let mut cells = Vec::with_capacity(n + 1);
        cells.push([0; 2]);
        cells.extend(pieces.into_iter().flatten());
        Attribute { own, cells }
    }

    /// Adds the cells of the rows from `from` on to their events.
    fn add_to(&self, data: &ColumnData, from: usize, events: &mut [Lanes]) {
        let to = from + events.len();
        match data {
            ColumnData::Coded(codes) => with_codes!(codes.as_slice().slice(from, to), codes => {
                for (event, code) in events.iter_mut().zip(codes) {
                    let cell = self.cells.get(u32::from(*code) as usize).copied();
                    *event = add(*event, cell.unwrap_or_else(|| mix_both(self.own, [0; 2])));
                }
            }),
            ColumnData::Integer(values, there) => {
                let bits = |n: i64| n.cast_unsigned();
                let values = &values[from..to];
                add_numbers(events, values, |i| there.get(from + i), self.own, bits);
            }
            ColumnData::Decimal(values, there) => {
                let values = &values[from..to];
                add_numbers(
                    events,
                    values,
                    |i| there.get(from + i),
                    self.own,
                    f64::to_bits,
                );
            }
        }
    }
}

fn add_numbers<T: Copy>(
    events: &mut [Lanes],
    values: &[T],
    there: impl Fn(usize) -> bool,
    own: Lanes,
    bits: impl Fn(T) -> u64,
) {
    for (i, (event, value)) in events.iter_mut().zip(values).enumerate() {
        if there(i) {
            *event = add(*event, mix_both(own, [bits(*value); 2]));
        }
    }
}

impl Names {
    pub(super) fn new(catalog: &Catalog) -> Names {
        let attributes = catalog.attributes.iter();
        Names {
            events: catalog.events.names().map(text).collect(),
            attributes: attributes
                .map(|a| Attribute::of(&a.name, &a.dictionary))
                .collect(),
        }
    }

    /// The sum of the hashes of the block's customers. A customer's hash depends on its id and its events in order,
    /// decoded; where a value is stored does not matter.
    pub(super) fn block(&self, block: &Block) -> u128 {
        let sums = threads::map(block.pieces(PIECE), |customers| {
            self.customers(block, customers)
        });
        let sum = sums.into_iter().fold([0; 2], add);
        u128::from(sum[0]) | u128::from(sum[1]) << 64
    }

    fn customers(&self, block: &Block, customers: Range<usize>) -> Lanes {
        let mut sum = [0; 2];
        let mut events = [[0; 2]; ROWS];
        for c in customers {
            let mut shared = [[0; 2]];
            for (attribute, column) in self.attributes.iter().zip(&block.attributes) {
                if column.level == Level::Customer {
                    attribute.add_to(&column.data, c, &mut shared);
                }
            }
            let mut customer = id(&block.customers, c);
            let (mut from, end) = (block.offsets[c] as usize, block.offsets[c + 1] as usize);
            while from < end {
                let to = end.min(from + ROWS);
                let events = &mut events[..to - from];
                events.fill(shared[0]);
                self.add_rows(block, from, events);
                customer = events.iter().fold(customer, |c, event| mix_both(c, *event));
                from = to;
            }
            sum = add(sum, mix_both(customer, KEYS[0]));
        }
        sum
    }

    /// Adds all that is stored per event of the rows from `from` on.
    fn add_rows(&self, block: &Block, from: usize, events: &mut [Lanes]) {
        let to = from + events.len();
        with_codes!(block.codes.as_slice().slice(from, to), codes => {
            for (i, (event, code)) in events.iter_mut().zip(codes).enumerate() {
                let name = self.events.get(u32::from(*code) as usize).copied().unwrap_or_default();
                let time = block.times.get(from + i).cast_unsigned();
                *event = add(*event, mix_both(name, [time; 2]));
            }
        });
        for (attribute, column) in self.attributes.iter().zip(&block.attributes) {
            if column.level == Level::Event {
                attribute.add_to(&column.data, from, events);
            }
        }
        if let Some(ColumnData::Integer(values, there)) = &block.value {
            let bits = |n: i64| n.cast_unsigned();
            add_numbers(
                events,
                &values[from..to],
                |i| there.get(from + i),
                KEYS[1],
                bits,
            );
        }
    }
}

/// Numbers and texts that are their plain form hash alike, because a log may hold either.
fn id(customers: &CustomerIds, place: usize) -> Lanes {
    let number = |n: i64| mix_both([1; 2], [n.cast_unsigned(); 2]);
    match customers {
        CustomerIds::Integers(ids) => number(ids.get(place).copied().unwrap_or(0)),
        CustomerIds::Texts { .. } => {
            let id = customers.get(place);
            plain_integer(&id).map_or_else(|| text(&id), number)
        }
    }
}

/// The log's fingerprint from its blocks' and from what gives its columns their meaning.
pub(super) fn log(catalog: &Catalog, blocks: impl Iterator<Item = u128>) -> u128 {
    let mut sum = [0u64; 2];
    #[allow(clippy::cast_possible_truncation)] // split into halves
    for block in blocks {
        sum = add(sum, [block as u64, (block >> 64) as u64]);
    }
    let attributes: Vec<(&str, AttributeType)> = catalog
        .attributes
        .iter()
        .map(|a| (a.name.as_str(), a.kind))
        .collect();
    let meaning = (
        sum,
        attributes,
        (catalog.channel, catalog.journey),
        (&catalog.currency, catalog.currency_exponent),
        catalog.observed_until,
    );
    xxh3_128(&postcard::to_stdvec(&meaning).unwrap_or_default())
}
