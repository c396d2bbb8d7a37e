//! Rules about what begins and what comes after it: attempts, first times, returns, times between.

use super::Customer;
use crate::journey::Span;
use crate::kpi::plan::Each;
use crate::kpi::tally::{KpiPartial, Mark};

impl Customer<'_> {
    /// Bit 0 begins, bit 1 ends. An event that does both ends what is open, and then begins.
    pub(super) fn attempts(
        &self,
        partial: &mut KpiPartial,
        marks: &[Mark],
        within: i64,
        each: Each,
    ) {
        let settle = |partial: &mut KpiPartial, mark: &Mark, ended: bool| {
            let begun = mark.time;
            if !self.is_here(mark.at as usize) {
                return;
            }
            if self.plan.until.saturating_sub(begun) < within {
                self.exclude(partial, begun);
            } else {
                self.unit(partial, begun, 0, ended.into(), 1);
            }
        };
        match each {
            Each::First | Each::Next => {
                let mut open: Option<&Mark> = None;
                for mark in marks {
                    if let Some(begun) = open {
                        let in_time = mark.time.saturating_sub(begun.time) <= within;
                        if !in_time || mark.what & 2 != 0 {
                            settle(partial, begun, in_time);
                            open = None;
                            if each == Each::First {
                                return;
                            }
                        }
                    }
                    // The first of a customer is the first here; carts and needs are the same wherever they are looked at.
                    let begins = mark.what & 1 != 0;
                    if open.is_none()
                        && begins
                        && (each == Each::Next || self.is_here(mark.at as usize))
                    {
                        open = Some(mark);
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
                let begun = |waiting: &[i64], head: usize| {
                    let place = usize::try_from(*waiting.get(head)?).ok()?;
                    marks.get(place)
                };
                for (place, mark) in (0_i64..).zip(marks) {
                    while let Some(begun) = begun(&waiting, head)
                        && mark.time.saturating_sub(begun.time) > within
                    {
                        settle(partial, begun, false);
                        head += 1;
                    }
                    if mark.what & 2 != 0
                        && let Some(begun) = begun(&waiting, head)
                    {
                        settle(partial, begun, true);
                        head += 1;
                    }
                    if mark.what & 1 != 0 {
                        waiting.push(place);
                    }
                }
                while let Some(begun) = begun(&waiting, head) {
                    settle(partial, begun, false);
                    head += 1;
                }
                partial.scratch.list = waiting;
            }
        }
    }

    pub(super) fn firsts(
        &self,
        partial: &mut KpiPartial,
        goal: usize,
        known_from: i64,
        of_prospects: bool,
    ) {
        let matching = self
            .spans
            .iter()
            .flat_map(Span::range)
            .filter(|&i| self.has(goal, i));
        let first_at = matching.min_by_key(|&i| (self.morsel.time(i), self.morsel.row(i)));
        let first = first_at.map(|i| self.morsel.time(i));
        let all = || self.spans.iter().flat_map(Span::range);
        // Prospects are known from their first time here on, wherever they buy.
        let since = match self.plan.here {
            Some(_) => all()
                .filter(|&i| self.is_here(i))
                .map(|i| self.morsel.time(i))
                .min(),
            None => Some(i64::MIN),
        };
        let Some(since) = since else { return };
        if !of_prospects && first_at.is_some_and(|i| !self.is_here(i)) {
            return;
        }
        if let Some(first) = first.filter(|t| *t < known_from) {
            if since <= first {
                self.exclude(partial, first);
            }
            return;
        }
        if of_prospects {
            for i in all() {
                let time = self.morsel.time(i);
                if time >= since && first.is_none_or(|f| time <= f) {
                    self.once(partial, time, 0, first == Some(time) && self.has(goal, i));
                }
            }
        } else if let Some(first) = first {
            self.unit(partial, first, 0, 1, 1);
        }
    }

    pub(super) fn times(
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
        } else if let Some(place) = marks
            .iter()
            .position(|m| m.what & 1 != 0 && self.is_here(m.at as usize))
        {
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

    pub(super) fn again(
        &self,
        partial: &mut KpiPartial,
        active: Option<usize>,
        from: i64,
        to: Option<i64>,
    ) {
        let times = || {
            let all = self.spans.iter().flat_map(Span::range);
            all.filter(|&i| self.may_have(active, i))
                .map(|i| self.morsel.time(i))
        };
        let here = self.spans.iter().flat_map(Span::range);
        let here = here.filter(|&i| self.may_have(active, i) && self.is_here(i));
        let first = here.map(|i| self.morsel.time(i)).min();
        let Some(first) = first else { return };
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

    pub(super) fn both(&self, partial: &mut KpiPartial, active: Option<usize>, length: i64) {
        let all = self.spans.iter().flat_map(Span::range);
        let times = all
            .filter(|&i| self.may_have(active, i))
            .map(|i| (self.morsel.time(i), self.is_here(i)));
        let periods = &self.plan.periods;
        if periods.is_empty() {
            let (mut before, mut after) = (false, false);
            for (time, here) in times {
                let ago = self.plan.until.saturating_sub(time);
                after |= ago < length;
                before |= here && ago >= length && ago < length.saturating_mul(2);
            }
            if before {
                partial.add(0, after.into(), 1);
            }
            return;
        }
        let mut list = std::mem::take(&mut partial.scratch.list);
        list.clear();
        // Twice the period, and one more where the customer was active elsewhere alone.
        list.extend(
            times.filter_map(|(t, here)| Some(2 * periods.of(t)? as i64 + i64::from(!here))),
        );
        list.sort_unstable();
        list.dedup_by_key(|p| *p >> 1);
        for (place, &coded) in list.iter().enumerate() {
            let period = coded >> 1;
            if coded & 1 != 0 {
                continue;
            }
            let next = period as usize + 1;
            if !periods.is_complete(next) || !periods.is_complete(period as usize) {
                continue;
            }
            let stayed = list.get(place + 1).is_some_and(|p| *p >> 1 == period + 1);
            partial.add(0, stayed.into(), 1);
            partial.add(1 + next, stayed.into(), 1);
        }
        partial.scratch.list = list;
    }

    /// Clicks on what was shown here: each belongs to the last impression before it, wherever it is made.
    pub(super) fn answers(&self, partial: &mut KpiPartial, hit: usize, of: usize) {
        let marks = self.marks(partial, &[Some(hit), Some(of)], false);
        let mut shown_here = false;
        for mark in &marks {
            let (hit, of) = (mark.what & 1 != 0, mark.what & 2 != 0);
            if of {
                shown_here = self.is_here(mark.at as usize);
            }
            if shown_here {
                self.unit(partial, mark.time, 0, hit.into(), of.into());
            }
        }
        partial.scratch.marks = marks;
    }
}
