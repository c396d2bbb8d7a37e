//! Which touchpoints each event of a morsel belongs to.

use super::super::bind::BindScratch;
use super::super::plan::{NONE, Plan};
use crate::journey::{Mask, Morsel};
use crate::map::BindingPolicy;

/// The touchpoints of each event: one at most, or a list.
#[derive(Debug, Default)]
pub(super) struct Assigned {
    /// One for each event, or [`NONE`].
    one: Vec<u32>,
    /// Where each event's list begins and ends in `lists`.
    bounds: Vec<(u32, u32)>,
    lists: Vec<u32>,
    is_list: bool,
    codes: Vec<u64>,
}

impl Assigned {
    pub(super) fn fill(&mut self, plan: &Plan, morsel: &Morsel<'_>, scratch: &mut BindScratch) {
        let n = morsel.n_events();
        self.is_list = plan.bound.policy == BindingPolicy::Multi;
        if let Some(table) = &plan.by_code {
            self.one.clear();
            crate::with_codes!(morsel.codes(), codes => {
                self.one.extend(codes.iter().map(|&c| table.get(c as usize).copied().unwrap_or(NONE)));
            });
            return;
        }
        let of = |binding: usize| plan.of_binding.get(binding).copied().unwrap_or(NONE);
        if self.is_list {
            self.bounds.clear();
            self.bounds.resize(n, (0, 0));
            self.lists.clear();
            let (bounds, lists) = (&mut self.bounds, &mut self.lists);
            // Events are given out one by one, each with all that it belongs to.
            let take = |i: usize, binding: usize| {
                let at = lists.len() as u32;
                if bounds[i].0 == bounds[i].1 {
                    bounds[i] = (at, at);
                }
                lists.push(of(binding));
                bounds[i].1 = at + 1;
            };
            plan.bound.assign(morsel, scratch, take, |_| {});
        } else {
            self.one.clear();
            self.one.resize(n, NONE);
            let one = &mut self.one;
            plan.bound
                .assign(morsel, scratch, |i, binding| one[i] = of(binding), |_| {});
        }
    }

    /// The touchpoints of an event.
    #[inline]
    pub(super) fn of(&self, i: usize) -> &[u32] {
        if self.is_list {
            let (from, to) = self.bounds[i];
            &self.lists[from as usize..to as usize]
        } else {
            match &self.one[i..=i] {
                [NONE] => &[],
                one => one,
            }
        }
    }

    /// Adds how many events each binding matches, whoever takes them; after [`fill`](Self::fill).
    pub(super) fn matched(
        &mut self,
        plan: &Plan,
        morsel: &Morsel<'_>,
        scratch: &mut BindScratch,
        counts: &mut [u64],
    ) {
        self.codes.clear();
        self.codes.resize(plan.n_codes, 0);
        crate::with_codes!(morsel.codes(), codes => {
            for span in morsel.spans() {
                for &c in &codes[span.range()] {
                    if let Some(count) = self.codes.get_mut(c as usize) {
                        *count += 1;
                    }
                }
            }
        });
        let n = plan.bound.bindings.len();
        scratch.masks.resize_with(n, Mask::default);
        for ((binding, mask), count) in plan
            .bound
            .bindings
            .iter()
            .zip(&mut scratch.masks)
            .zip(counts)
        {
            *count += match binding.matcher.by_event_code() {
                Some(table) => {
                    let hits = table.iter().zip(&self.codes).filter(|(is_it, _)| **is_it);
                    hits.map(|(_, n)| n).sum()
                }
                None => {
                    // Where names decide who takes an event, nobody has asked for the rest yet.
                    if plan.by_code.is_some() {
                        binding.matcher.fill(morsel, mask);
                    }
                    mask.count() as u64
                }
            };
        }
    }
}
