//! Rules that add something up for each journey or customer: events, time, money, purchases, steps to a goal.

use super::{Customer, DAY};
use crate::journey::Span;
use crate::kpi::plan::{OfCustomer, OfJourney};
use crate::kpi::tally::{Buyer, Early, KpiPartial};

impl Customer<'_> {
    pub(super) fn per_journey(
        &self,
        partial: &mut KpiPartial,
        what: OfJourney,
        active: Option<usize>,
    ) {
        for span in self.spans {
            let start = self.morsel.time(span.start as usize);
            let is_active = active.is_none_or(|a| self.any(a, span));
            match what {
                OfJourney::Money => {
                    let money = span.range().filter(|&i| self.may_have(active, i));
                    let money = money.filter_map(|i| self.morsel.value(i));
                    let sum = money.fold(0_i64, i64::saturating_add);
                    self.unit(partial, start, 0, sum, 1);
                }
                _ if !is_active => {}
                OfJourney::Events => self.unit(
                    partial,
                    start,
                    0,
                    i64::try_from(span.len()).unwrap_or(i64::MAX),
                    1,
                ),
                OfJourney::Time => {
                    self.unit(partial, start, 0, self.last(span).saturating_sub(start), 1)
                }
                OfJourney::EventsByChannel(channel) => {
                    let stamp = partial.scratch.next_stamp(self.plan.n_keys());
                    for i in span.range() {
                        let key = self.key(channel, i, span);
                        let seen = partial.scratch.is_stamped(key, stamp);
                        self.unit(partial, start, key, 1, u64::from(!seen));
                    }
                }
            }
        }
    }

    pub(super) fn per_customer(&self, partial: &mut KpiPartial, what: OfCustomer) {
        match what {
            OfCustomer::Journeys(active) => {
                for span in self.spans {
                    if active.is_none_or(|a| self.any(a, span)) {
                        self.to_customer(partial, self.morsel.time(span.start as usize), 1);
                    }
                }
            }
            OfCustomer::Events(place) => {
                if !self.spans.iter().any(|s| self.comes_here(s)) {
                    return;
                }
                for i in self.spans.iter().flat_map(Span::range) {
                    self.to_customer(partial, self.morsel.time(i), self.has(place, i).into());
                }
            }
            OfCustomer::FirstIs(place) => {
                let all = self.spans.iter().flat_map(Span::range);
                let first = all.min_by_key(|&i| (self.morsel.time(i), self.morsel.row(i)));
                if let Some(first) = first.filter(|&i| self.is_here(i)) {
                    self.unit(
                        partial,
                        self.morsel.time(first),
                        0,
                        self.has(place, first).into(),
                        1,
                    );
                }
            }
        }
    }

    pub(super) fn goal(
        &self,
        partial: &mut KpiPartial,
        goal: usize,
        start: Option<usize>,
        alive: i64,
        direct: bool,
    ) {
        for span in self.spans {
            let Some(begun) = span.range().find(|&i| self.may_have(start, i)) else {
                continue;
            };
            let time = self.morsel.time(begun);
            let reached = (begun..span.end as usize).find(|&i| self.has(goal, i));
            match reached {
                None if self.is_open(span, alive) => self.exclude(partial, time),
                None if direct => {}
                None => self.unit(partial, time, 0, 0, 1),
                Some(at) if direct => {
                    let steps = (at - begun + 1) as u64;
                    partial.least = Some(partial.least.map_or(steps, |l| l.min(steps)));
                    self.unit(
                        partial,
                        time,
                        0,
                        i64::try_from(steps).unwrap_or(i64::MAX),
                        1,
                    );
                }
                Some(_) => self.unit(partial, time, 0, 1, 1),
            }
        }
    }

    pub(super) fn buyer(&self, partial: &mut KpiPartial, purchase: usize) {
        let marks = self.marks(partial, &[Some(purchase)], false);
        if let Some(first) = marks.first().filter(|m| self.is_here(m.at as usize)) {
            let begin = first.time.div_euclid(DAY).saturating_mul(DAY);
            let cut = self.plan.middle;
            let mut buyer = Buyer {
                age: self.plan.until.saturating_sub(begin),
                ..Buyer::default()
            };
            let mut early = Early {
                age: cut.saturating_sub(begin),
                ahead: self.plan.until.saturating_sub(cut),
                ..Early::default()
            };
            for mark in &marks {
                // Purchases of one day are one.
                let day = mark.time.div_euclid(DAY).saturating_mul(DAY);
                let since = day.saturating_sub(begin);
                let money = self.morsel.value(mark.at as usize).unwrap_or(0);
                if since > buyer.last {
                    buyer.repeats = buyer.repeats.saturating_add(1);
                    buyer.last = since;
                    if day <= cut {
                        early.repeats = early.repeats.saturating_add(1);
                        early.last = since;
                    } else {
                        early.later = early.later.saturating_add(1);
                    }
                }
                if since > 0 {
                    buyer.repeat_money = buyer.repeat_money.saturating_add(money);
                }
                buyer.money = buyer
                    .money
                    .saturating_add(self.plan.discounted(money, since));
                buyer.total_money = buyer.total_money.saturating_add(money);
            }
            buyer.early = (begin <= cut).then_some(early);
            partial.buyers.push(buyer);
        }
        partial.scratch.marks = marks;
    }
}
