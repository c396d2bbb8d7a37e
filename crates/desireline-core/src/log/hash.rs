//! A hash of what a log says, whatever its codes, blocks and order of input.

use xxhash_rust::xxh3::xxh3_128;

use super::{AttributeType, Block, Catalog, CustomerIds, Level, Value, plain_integer};

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
    /// Each attribute's own hash and those of its dictionary.
    attributes: Vec<(Lanes, Vec<Lanes>)>,
}

impl Names {
    pub(super) fn new(catalog: &Catalog) -> Names {
        Names {
            events: catalog.events.names().map(text).collect(),
            attributes: catalog
                .attributes
                .iter()
                .map(|a| (text(&a.name), a.dictionary.names().map(text).collect()))
                .collect(),
        }
    }

    fn cell(&self, attribute: usize, value: Value) -> Lanes {
        let (own, dictionary) = &self.attributes[attribute];
        match value {
            Value::Missing => [0, 0],
            Value::Code(code) => mix_both(
                *own,
                dictionary.get(code as usize).copied().unwrap_or_default(),
            ),
            Value::Integer(number) => mix_both(*own, [number.cast_unsigned(); 2]),
            Value::Decimal(number) => mix_both(*own, [number.to_bits(); 2]),
        }
    }

    /// The sum of the hashes of the block's customers. A customer's hash depends on its id and its events in order,
    /// decoded; where a value is stored does not matter.
    pub(super) fn block(&self, block: &Block) -> u128 {
        let mut sum = [0; 2];
        let level =
            |level| move |a: &usize| block.attributes.get(*a).is_some_and(|c| c.level == level);
        let per_event: Vec<usize> = (0..self.attributes.len())
            .filter(level(Level::Event))
            .collect();
        let per_customer: Vec<usize> = (0..self.attributes.len())
            .filter(level(Level::Customer))
            .collect();
        for (c, range) in block.offsets.windows(2).enumerate() {
            let shared = per_customer.iter().fold([0; 2], |sum, a| {
                add(sum, self.cell(*a, block.attributes[*a].data.get(c)))
            });
            let mut customer = id(&block.customers, c);
            for row in range[0] as usize..range[1] as usize {
                let name = self
                    .events
                    .get(block.codes.get(row) as usize)
                    .copied()
                    .unwrap_or_default();
                let mut event = add(
                    shared,
                    mix_both(name, [block.times.get(row).cast_unsigned(); 2]),
                );
                for a in &per_event {
                    event = add(event, self.cell(*a, block.attributes[*a].data.get(row)));
                }
                if let Some(Value::Integer(amount)) = block.value.as_ref().map(|v| v.get(row)) {
                    event = add(event, mix_both(KEYS[1], [amount.cast_unsigned(); 2]));
                }
                customer = mix_both(customer, event);
            }
            sum = add(sum, mix_both(customer, KEYS[0]));
        }
        u128::from(sum[0]) | u128::from(sum[1]) << 64
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
