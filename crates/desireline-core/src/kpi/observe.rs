//! The rules: one pass over a customer's journeys each, no memory taken per event.

use super::plan::{Each, Kernel, KpiPlan, MoneyBy, OfCustomer, OfJourney};
use super::tally::{Buyer, Early, KpiPartial, Mark};
use crate::journey::{Mask, Morsel, Span};

mod needs;
mod visits;

pub(super) use self::visits::{SIGNALS, VISITS};

const DAY: i64 = 86_400_000_000;

/// A customer's journeys in a morsel.
#[derive(Clone, Copy)]
struct Customer<'a> {
    plan: &'a KpiPlan,
    morsel: &'a Morsel<'a>,
    spans: &'a [Span],
    masks: &'a [Mask],
}

pub(super) fn observe(plan: &KpiPlan, partial: &mut KpiPartial, morsel: &Morsel<'_>) {
    if matches!(plan.kernel, Kernel::Nothing) {
        return;
    }
    let mut masks = std::mem::take(&mut partial.scratch.masks);
    masks.resize_with(plan.matchers.len(), Mask::default);
    for (matcher, mask) in plan.matchers.iter().zip(&mut masks) {
        matcher.fill(morsel, mask);
    }
    for spans in morsel.customers() {
        let customer = Customer {
            plan,
            morsel,
            spans,
            masks: &masks,
        };
        partial.customers += 1;
        customer.count(partial);
        partial.close_customer();
    }
    partial.scratch.masks = masks;
}

impl<'a> Customer<'a> {
    fn has(&self, place: usize, i: usize) -> bool {
        self.masks.get(place).is_some_and(|m| m.get(i))
    }

    /// Without a condition everything is meant.
    fn may_have(&self, place: Option<usize>, i: usize) -> bool {
        place.is_none_or(|p| self.has(p, i))
    }

    fn any(&self, place: usize, span: &Span) -> bool {
        self.masks
            .get(place)
            .is_some_and(|m| m.any_in(span.range()))
    }

    fn last(&self, span: &Span) -> i64 {
        self.morsel.time((span.end as usize).saturating_sub(1))
    }

    /// Whether a journey may still go on.
    fn is_open(&self, span: &Span, alive: i64) -> bool {
        self.morsel.next_start(span).is_none()
            && self.plan.until.saturating_sub(self.last(span)) < alive
    }

    /// The buckets of a time: that of everything, and that of its period.
    fn buckets(&self, time: i64, key: usize) -> (usize, Option<usize>) {
        let n = self.plan.n_keys();
        let period = if self.plan.periods.is_empty() {
            None
        } else {
            self.plan.periods.of(time)
        };
        (key, period.map(|p| (1 + p) * n + key))
    }

    fn unit(&self, partial: &mut KpiPartial, time: i64, key: usize, above: i64, below: u64) {
        let (all, period) = self.buckets(time, key);
        partial.add(all, above, below);
        if let Some(period) = period {
            partial.add(period, above, below);
        }
    }

    fn once(&self, partial: &mut KpiPartial, time: i64, key: usize, above: bool) {
        let (all, period) = self.buckets(time, key);
        partial.once(all, above);
        if let Some(period) = period {
            partial.once(period, above);
        }
    }

    fn to_customer(self, partial: &mut KpiPartial, time: i64, above: i64) {
        let (all, period) = self.buckets(time, 0);
        partial.add_to_customer(all, above);
        if let Some(period) = period {
            partial.add_to_customer(period, above);
        }
    }

    fn exclude(&self, partial: &mut KpiPartial, time: i64) {
        for key in 0..self.plan.n_keys() {
            let (all, period) = self.buckets(time, key);
            partial.exclude(all);
            if let Some(period) = period {
                partial.exclude(period);
            }
        }
    }

    /// The events for which one of the conditions holds, in the order of time; each condition is a bit of `what`.
    fn marks(&self, partial: &mut KpiPartial, places: &[Option<usize>], all: bool) -> Vec<Mark> {
        let mut marks = std::mem::take(&mut partial.scratch.marks);
        marks.clear();
        for (journey, span) in (0_u32..).zip(self.spans) {
            for i in span.range() {
                let mut what = 0;
                for (bit, place) in places.iter().enumerate() {
                    if place.is_some_and(|p| self.has(p, i)) {
                        what |= 1 << bit;
                    }
                }
                if what != 0 || all {
                    marks.push(Mark {
                        time: self.morsel.time(i),
                        what,
                        #[allow(clippy::cast_possible_truncation)] // a morsel's columns are counted in u32
                        at: i as u32,
                        journey,
                    });
                }
            }
        }
        // Journeys named by a column can overlap.
        if !marks.is_sorted_by_key(|m| m.time) {
            marks.sort_unstable_by_key(|m| (m.time, self.morsel.row(m.at as usize)));
        }
        marks
    }

    fn count(&self, partial: &mut KpiPartial) {
        match self.plan.kernel {
            Kernel::Sessions {
                ga4,
                key,
                view,
                active,
                alive,
            } => {
                for span in self.spans {
                    let start = self.morsel.time(span.start as usize);
                    if self.is_open(span, alive) {
                        self.exclude(partial, start);
                        continue;
                    }
                    let views = match view.and_then(|v| self.masks.get(v)) {
                        Some(mask) => mask.ones_in(span.range()).count(),
                        None => span.len(),
                    };
                    let engaged = match ga4 {
                        true => {
                            self.last(span).saturating_sub(start) >= active
                                || views >= 2
                                || key.is_some_and(|k| self.any(k, span))
                        }
                        false => views > 1,
                    };
                    self.unit(partial, start, 0, i64::from(!engaged), 1);
                }
            }
            Kernel::Attempts {
                open,
                close,
                within,
                each,
                at_once,
            } => {
                let marks = self.marks(partial, &[Some(open), Some(close)], false);
                match marks.first() {
                    Some(first)
                        if at_once
                            && first.what == 3
                            && self.plan.until.saturating_sub(first.time) >= within =>
                    {
                        self.unit(partial, first.time, 0, 1, 1);
                    }
                    _ => self.attempts(partial, &marks, within, each),
                }
                partial.scratch.marks = marks;
            }
            Kernel::Firsts {
                goal,
                known_from,
                of_prospects,
            } => {
                self.firsts(partial, goal, known_from, of_prospects);
            }
            Kernel::Events { hit, of } => {
                for i in self.spans.iter().flat_map(Span::range) {
                    let (hit, of) = (self.has(hit, i), self.has(of, i));
                    if hit || of {
                        self.unit(partial, self.morsel.time(i), 0, hit.into(), of.into());
                    }
                }
            }
            Kernel::Times {
                enter,
                leave,
                of_journeys,
                alive,
                at_once,
            } => {
                self.times(partial, (enter, leave), of_journeys, alive, at_once);
            }
            Kernel::Again { active, from, to } => self.again(partial, active, from, to),
            Kernel::Both { active, length } => self.both(partial, active, length),
            Kernel::PerJourney { what, active } => self.per_journey(partial, what, active),
            Kernel::PerCustomer { what } => self.per_customer(partial, what),
            Kernel::Money { of, by } => {
                for i in self.spans.iter().flat_map(Span::range) {
                    let money = self.morsel.value(i).filter(|_| self.may_have(of, i));
                    let time = self.morsel.time(i);
                    match (by, money) {
                        (MoneyBy::Event, Some(money)) => self.unit(partial, time, 0, money, 1),
                        (MoneyBy::Event, None) => {}
                        (MoneyBy::Customer, money) => {
                            self.to_customer(partial, time, money.unwrap_or(0))
                        }
                    }
                }
            }
            Kernel::Dropoff { at, goal, within } => {
                for span in self.spans {
                    if at.is_some_and(|at| !self.any(at, span)) {
                        continue;
                    }
                    let last = self.last(span);
                    if self.plan.until.saturating_sub(last) < within {
                        self.exclude(partial, last);
                        continue;
                    }
                    let back = self
                        .morsel
                        .next_start(span)
                        .is_some_and(|n| n.saturating_sub(last) <= within);
                    let reached = goal.is_some_and(|g| self.any(g, span));
                    let here = self.may_have(at, (span.end as usize).saturating_sub(1));
                    self.unit(partial, last, 0, i64::from(here && !reached && !back), 1);
                }
            }
            Kernel::Goal {
                goal,
                start,
                alive,
                direct,
            } => self.goal(partial, goal, start, alive, direct),
            Kernel::Rework { kind, of } => self.rework(partial, kind, of),
            Kernel::Reach {
                touch,
                channel,
                only,
            } => self.reach(partial, touch, channel, only),
            Kernel::Stickiness { active } => self.stickiness(partial, active),
            Kernel::Contacts {
                contact,
                resolved,
                within,
                channel,
            } => {
                self.contacts(partial, contact, resolved, within, channel);
            }
            Kernel::Buyers { purchase } => self.buyer(partial, purchase),
            Kernel::Visits {
                buying,
                searching,
                knowledge,
            } => {
                self.visits(partial, [buying, searching, knowledge]);
            }
            Kernel::Credit {
                goal,
                channel,
                first,
                within,
            } => {
                self.credit(partial, goal, channel, first, within);
            }
            Kernel::Friction { .. } => self.friction(partial),
            Kernel::Nothing => {}
        }
    }

    /// Bit 0 begins, bit 1 ends. An event that does both ends what is open, and then begins.
    fn attempts(&self, partial: &mut KpiPartial, marks: &[Mark], within: i64, each: Each) {
        let settle = |partial: &mut KpiPartial, begun: i64, ended: bool| {
            if self.plan.until.saturating_sub(begun) < within {
                self.exclude(partial, begun);
            } else {
                self.unit(partial, begun, 0, ended.into(), 1);
            }
        };
        match each {
            Each::First | Each::Next => {
                let mut open: Option<i64> = None;
                for mark in marks {
                    if let Some(begun) = open {
                        let in_time = mark.time.saturating_sub(begun) <= within;
                        if !in_time || mark.what & 2 != 0 {
                            settle(partial, begun, in_time);
                            open = None;
                            if each == Each::First {
                                return;
                            }
                        }
                    }
                    if open.is_none() && mark.what & 1 != 0 {
                        open = Some(mark.time);
                    }
                }
                if let Some(begun) = open {
                    settle(partial, begun, false);
                }
            }
            Each::Every => {
                // First in, first out.
                let mut waiting = std::mem::take(&mut partial.scratch.list);
                waiting.clear();
                let mut head = 0;
                for mark in marks {
                    while let Some(&begun) = waiting.get(head)
                        && mark.time.saturating_sub(begun) > within
                    {
                        settle(partial, begun, false);
                        head += 1;
                    }
                    if mark.what & 2 != 0
                        && let Some(&begun) = waiting.get(head)
                    {
                        settle(partial, begun, true);
                        head += 1;
                    }
                    if mark.what & 1 != 0 {
                        waiting.push(mark.time);
                    }
                }
                for &begun in waiting.iter().skip(head) {
                    settle(partial, begun, false);
                }
                partial.scratch.list = waiting;
            }
        }
    }

    fn firsts(&self, partial: &mut KpiPartial, goal: usize, known_from: i64, of_prospects: bool) {
        let matching = self
            .spans
            .iter()
            .flat_map(Span::range)
            .filter(|&i| self.has(goal, i));
        let first = matching.map(|i| self.morsel.time(i)).min();
        if let Some(first) = first.filter(|t| *t < known_from) {
            self.exclude(partial, first);
            return;
        }
        if of_prospects {
            for i in self.spans.iter().flat_map(Span::range) {
                let time = self.morsel.time(i);
                if first.is_none_or(|f| time <= f) {
                    self.once(partial, time, 0, first == Some(time) && self.has(goal, i));
                }
            }
        } else if let Some(first) = first {
            self.unit(partial, first, 0, 1, 1);
        }
    }

    fn times(
        &self,
        partial: &mut KpiPartial,
        (enter, leave): (usize, usize),
        of_journeys: bool,
        alive: i64,
        at_once: bool,
    ) {
        let marks = self.marks(partial, &[Some(enter), Some(leave)], false);
        let mut timed = std::mem::take(&mut partial.scratch.timed);
        timed.clear();
        let mut keep = |begun: i64, time: i64, seen: bool| {
            let (all, period) = self.buckets(begun, 0);
            for bucket in [Some(all), period].into_iter().flatten() {
                timed.push((bucket, u64::try_from(time).unwrap_or(0), seen));
            }
        };
        let watched = |begun: i64| self.plan.until.saturating_sub(begun);
        if of_journeys {
            for (journey, span) in (0_u32..).zip(self.spans) {
                let own = || marks.iter().filter(|m| m.journey == journey);
                let Some(begun) = own().find(|m| m.what & 1 != 0) else {
                    continue;
                };
                let after = own().skip_while(|m| *m != begun).skip(1);
                // One who dropped out is watched to the end and never moves on; then the curve tells the share of all.
                match after.into_iter().find(|m| m.what & 2 != 0) {
                    Some(end) => keep(begun.time, end.time.saturating_sub(begun.time), true),
                    None if self.is_open(span, alive) => {
                        keep(
                            begun.time,
                            self.last(span).saturating_sub(begun.time),
                            false,
                        );
                    }
                    None => keep(begun.time, watched(begun.time), false),
                }
            }
        } else if let Some(place) = marks.iter().position(|m| m.what & 1 != 0) {
            let begun = marks[place].time;
            let from = place + usize::from(!at_once);
            match marks[from..].iter().find(|m| m.what & 2 != 0) {
                Some(end) => keep(begun, end.time.saturating_sub(begun), true),
                None => keep(begun, watched(begun), false),
            }
        }
        timed.sort_unstable();
        for part in timed.chunk_by(|a, b| a.0 == b.0) {
            let times = &mut partial.scratch.times;
            times.clear();
            times.extend(part.iter().map(|&(_, time, seen)| (time, seen)));
            if let Some(into) = part.first().and_then(|p| partial.times.get_mut(p.0)) {
                into.add(&mut partial.scratch.times);
            }
        }
        partial.scratch.timed = timed;
        partial.scratch.marks = marks;
    }

    fn again(&self, partial: &mut KpiPartial, active: Option<usize>, from: i64, to: Option<i64>) {
        let times = || {
            let all = self.spans.iter().flat_map(Span::range);
            all.filter(|&i| self.may_have(active, i))
                .map(|i| self.morsel.time(i))
        };
        let Some(first) = times().min() else { return };
        if self.plan.until.saturating_sub(first) < to.unwrap_or(from) {
            self.exclude(partial, first);
            return;
        }
        let back = times().any(|t| {
            let since = t.saturating_sub(first);
            since >= from && to.is_none_or(|to| since <= to)
        });
        self.unit(partial, first, 0, back.into(), 1);
    }

    fn both(&self, partial: &mut KpiPartial, active: Option<usize>, length: i64) {
        let all = self.spans.iter().flat_map(Span::range);
        let times = all
            .filter(|&i| self.may_have(active, i))
            .map(|i| self.morsel.time(i));
        let periods = &self.plan.periods;
        if periods.is_empty() {
            let (mut before, mut after) = (false, false);
            for time in times {
                let ago = self.plan.until.saturating_sub(time);
                after |= ago < length;
                before |= ago >= length && ago < length.saturating_mul(2);
            }
            if before {
                partial.add(0, after.into(), 1);
            }
            return;
        }
        let mut list = std::mem::take(&mut partial.scratch.list);
        list.clear();
        list.extend(times.filter_map(|t| Some(periods.of(t)? as i64)));
        list.sort_unstable();
        list.dedup();
        for (place, &period) in list.iter().enumerate() {
            let next = period as usize + 1;
            if !periods.is_complete(next) || !periods.is_complete(period as usize) {
                continue;
            }
            let stayed = list.get(place + 1).is_some_and(|p| *p == period + 1);
            partial.add(0, stayed.into(), 1);
            partial.add(1 + next, stayed.into(), 1);
        }
        partial.scratch.list = list;
    }

    fn per_journey(&self, partial: &mut KpiPartial, what: OfJourney, active: Option<usize>) {
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

    fn per_customer(&self, partial: &mut KpiPartial, what: OfCustomer) {
        match what {
            OfCustomer::Journeys(active) => {
                for span in self.spans {
                    if active.is_none_or(|a| self.any(a, span)) {
                        self.to_customer(partial, self.morsel.time(span.start as usize), 1);
                    }
                }
            }
            OfCustomer::Events(place) => {
                for i in self.spans.iter().flat_map(Span::range) {
                    self.to_customer(partial, self.morsel.time(i), self.has(place, i).into());
                }
            }
            OfCustomer::FirstIs(place) => {
                let all = self.spans.iter().flat_map(Span::range);
                if let Some(first) = all.min_by_key(|&i| (self.morsel.time(i), self.morsel.row(i)))
                {
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

    fn goal(
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

    fn buyer(&self, partial: &mut KpiPartial, purchase: usize) {
        let marks = self.marks(partial, &[Some(purchase)], false);
        if let Some(first) = marks.first() {
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
