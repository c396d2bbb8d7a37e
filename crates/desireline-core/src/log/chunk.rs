//! Rows on their way in, in the order of input.

use super::buffer::Buffer;
use super::intern::Interner;
use super::{Bitmap, Codes, Column, KeyColumn, LogOptions};

/// A column of codes and what they stand for.
#[derive(Clone, Debug, Default)]
pub(super) struct Coded {
    pub(super) codes: Codes,
    /// The keys of the codes, until the chunk is closed.
    pub(super) names: Interner,
    /// The builder's code of each code here, once the chunk is closed.
    pub(super) shared: Vec<u32>,
}

impl Coded {
    /// Appends the rows of `column` that are not in `skip`, each code raised by `raise`; a missing key becomes 0.
    pub(super) fn extend(&mut self, column: &KeyColumn<'_>, skip: &[u32], raise: u32) {
        let mut codes = Vec::with_capacity(column.len() - skip.len());
        self.names.column(column, skip, |code| {
            codes.push(code.map_or(0, |c| c.saturating_add(raise)));
        });
        self.codes.extend(&codes);
    }

    /// Hands the keys on to `all`.
    fn close(&mut self, all: &mut Interner) {
        self.shared = all.absorb(std::mem::take(&mut self.names));
    }

    fn translate(&mut self, codes: &[u32]) {
        for code in &mut self.shared {
            *code = codes.get(*code as usize).copied().unwrap_or(*code);
        }
    }
}

/// Some rows as columns. Each chunk has codes of its own, so that chunks can be made by several threads, and so that the
/// tables that are looked up for each row stay small.
#[derive(Clone, Debug, Default)]
pub(super) struct Chunk {
    pub(super) customer: Coded,
    pub(super) event: Coded,
    pub(super) time: Vec<i64>,
    pub(super) tie: Option<Vec<i64>>,
    pub(super) value: Option<Buffer>,
    pub(super) attributes: Vec<Buffer>,
}

impl Chunk {
    pub(super) fn new(options: &LogOptions) -> Chunk {
        let attributes = options.attributes.iter();
        Chunk {
            attributes: attributes.map(|a| Buffer::new(a.kind)).collect(),
            ..Chunk::default()
        }
    }

    pub(super) fn len(&self) -> usize {
        self.time.len()
    }

    /// Puts row `i` to the place `to[i]`, in every column but that of customers. One column at a time is held twice.
    pub(super) fn rearrange(&mut self, to: &[u32]) {
        move_codes(&mut self.event.codes, to);
        move_rows(&mut self.time, to);
        if let Some(ties) = &mut self.tie {
            move_rows(ties, to);
        }
        for buffer in self.value.iter_mut().chain(&mut self.attributes) {
            match buffer {
                Buffer::Text(coded) => move_codes(&mut coded.codes, to),
                Buffer::Boolean(codes) => move_codes(codes, to),
                Buffer::Integer(values, there) => {
                    move_rows(values, to);
                    move_bits(there, to);
                }
                Buffer::Decimal(values, there) => {
                    move_rows(values, to);
                    move_bits(there, to);
                }
            }
        }
    }

    pub(super) fn push_times(&mut self, times: Column<'_, i64>, skip: &[u32]) {
        match times {
            Column::Full(times) if skip.is_empty() => self.time.extend_from_slice(times),
            times => {
                self.time.reserve(times.len() - skip.len());
                times.kept(skip, |t| self.time.push(t.unwrap_or(0)));
            }
        }
    }
}

fn move_rows<T: Copy + Default>(rows: &mut Vec<T>, to: &[u32]) {
    let mut moved = vec![T::default(); rows.len()];
    for (row, to) in rows.iter().zip(to) {
        moved[*to as usize] = *row;
    }
    *rows = moved;
}

fn move_codes(codes: &mut Codes, to: &[u32]) {
    match codes {
        Codes::U8(codes) => move_rows(codes.make_mut(), to),
        Codes::U16(codes) => move_rows(codes.make_mut(), to),
        Codes::U32(codes) => move_rows(codes.make_mut(), to),
    }
}

fn move_bits(bits: &mut Bitmap, to: &[u32]) {
    if bits.count() == bits.len() {
        return;
    }
    let mut moved = Bitmap::zeros(bits.len());
    for row in bits.iter_ones() {
        moved.set(to[row] as usize);
    }
    *bits = moved;
}

/// The keys of all chunks.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    pub(super) customers: Interner,
    pub(super) events: Interner,
    /// By attribute; empty for those that are no texts.
    pub(super) attributes: Vec<Interner>,
}

impl Names {
    /// Takes the chunk's keys over.
    pub(super) fn close(&mut self, chunk: &mut Chunk) {
        chunk.customer.close(&mut self.customers);
        chunk.event.close(&mut self.events);
        self.attributes
            .resize(chunk.attributes.len(), Interner::default());
        for (all, buffer) in self.attributes.iter_mut().zip(&mut chunk.attributes) {
            if let Buffer::Text(coded) = buffer {
                coded.close(all);
            }
        }
    }

    /// Takes the keys of `other` over, whose chunks are `chunks`.
    pub(super) fn absorb(&mut self, other: Names, chunks: &mut [Chunk]) {
        let customers = self.customers.absorb(other.customers);
        let events = self.events.absorb(other.events);
        self.attributes
            .resize(other.attributes.len(), Interner::default());
        let attributes: Vec<Vec<u32>> = self
            .attributes
            .iter_mut()
            .zip(other.attributes)
            .map(|(all, more)| all.absorb(more))
            .collect();
        for chunk in chunks {
            chunk.customer.translate(&customers);
            chunk.event.translate(&events);
            for (buffer, codes) in chunk.attributes.iter_mut().zip(&attributes) {
                if let Buffer::Text(coded) = buffer {
                    coded.translate(codes);
                }
            }
        }
    }
}
