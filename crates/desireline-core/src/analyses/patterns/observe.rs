//! The kernel: writes each customer's journeys down as one key.
//!
//! A key is one journey after the other: a head, twice the number of its events and one if it has the goal; then the codes;
//! then, where times count, the time of each event since the one before it, no longer than just beyond the longest gap.
//! Heads and times are written seven bits at a time, the lowest first, with the eighth bit where more follow.

use super::{PatternsPartial, PatternsPlan};
use crate::journey::{Mask, Morsel, Span};

/// A worker's memory for the customer at hand; empty between customers.
#[derive(Clone, Debug, Default)]
pub(super) struct Scratch {
    key: Vec<u8>,
}

impl Scratch {
    pub(super) fn heap_bytes(&self) -> usize {
        self.key.capacity()
    }
}

pub(super) fn observe(plan: &PatternsPlan, partial: &mut PatternsPartial, morsel: &Morsel<'_>) {
    let mut goals = Mask::default();
    if let Some(goal) = &plan.goal {
        goal.fill(morsel, &mut goals);
    }
    let mut key = std::mem::take(&mut partial.scratch.key);
    for spans in morsel.customers() {
        key.clear();
        for span in spans {
            let goal = match &plan.goal {
                None => None,
                Some(_) => goals.ones_in(span.range()).next(),
            };
            crate::with_codes!(morsel.codes(), codes => {
                write(plan, morsel, span, goal, |i| u32::from(codes[i]), &mut key);
            });
        }
        partial.customers.add(&key, 1);
    }
    partial.scratch.key = key;
}

#[inline]
fn write(
    plan: &PatternsPlan,
    morsel: &Morsel<'_>,
    span: &Span,
    goal: Option<usize>,
    code: impl Fn(usize) -> u32,
    key: &mut Vec<u8>,
) {
    let start = span.start as usize;
    let end = match goal {
        Some(goal) if plan.stops_at_goal() => goal,
        _ => span.end as usize,
    };
    push(
        (end.saturating_sub(start) as u64) << 1 | u64::from(goal.is_some()),
        key,
    );
    for i in start..end {
        plan.width.encode(code(i), key);
    }
    if let Some(gap) = plan.reach.gap {
        for i in start + 1..end {
            let since = morsel.time(i).saturating_sub(morsel.time(i - 1));
            push(since.clamp(0, gap.saturating_add(1)).unsigned_abs(), key);
        }
    }
}

fn push(mut number: u64, key: &mut Vec<u8>) {
    while number >= 0x80 {
        key.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    key.push(number as u8);
}

/// What [`push`] wrote at the start of `key`, and what follows; `None` if it is none.
pub(super) fn pull(key: &[u8]) -> Option<(u64, &[u8])> {
    let mut number = 0_u64;
    for (i, &byte) in key.iter().enumerate() {
        let part = u64::from(byte & 0x7f);
        let shift = 7 * i as u32;
        if shift > 63 || (part << shift) >> shift != part || (i > 0 && byte == 0) {
            return None;
        }
        number |= part << shift;
        if byte < 0x80 {
            return Some((number, key.get(i + 1..)?));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn numbers_come_back_and_have_one_form() {
        for number in [0, 1, 127, 128, 300, 1 << 40, i64::MAX as u64, u64::MAX] {
            let mut key = Vec::new();
            push(number, &mut key);
            key.push(7);
            assert_eq!(pull(&key), Some((number, &[7][..])), "{number}");
            key.truncate(key.len() - 2);
            assert_eq!(pull(&key), None, "{number}");
        }
        assert_eq!(pull(&[0x80, 0]), None);
        assert_eq!(pull(&[0xff; 12]), None);
    }
}
