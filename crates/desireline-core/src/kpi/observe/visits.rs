//! Rules about the order of touchpoints in a journey, the kinds of visits, and where customers were at all.

use super::Customer;
use crate::kpi::plan::{Again, Kernel};
use crate::kpi::tally::{KpiPartial, Scratch};

/// The kinds of visits, in the order in which they are asked for.
pub(in crate::kpi) const VISITS: [&str; 4] =
    ["buying", "searching", "knowledge_building", "browsing"];

/// The signals of friction; the first is all of them together.
pub(in crate::kpi) const SIGNALS: [&str; 7] = [
    "index",
    "no_goal",
    "back_and_forth",
    "slow",
    "error",
    "channel_switch",
    "support",
];

impl Scratch {
    /// A mark that nobody carries yet.
    pub(super) fn next_stamp(&mut self, size: usize) -> u64 {
        if self.stamps.len() < size {
            self.stamps.resize(size, 0);
        }
        self.stamp += 1;
        self.stamp
    }

    /// Whether it was marked already; now it is.
    pub(super) fn is_stamped(&mut self, place: usize, stamp: u64) -> bool {
        match self.stamps.get_mut(place) {
            Some(cell) => std::mem::replace(cell, stamp) == stamp,
            None => false,
        }
    }
}

impl Customer<'_> {
    pub(super) fn rework(&self, partial: &mut KpiPartial, kind: Again, of: Option<usize>) {
        let codes = self.morsel.codes();
        for span in self.spans {
            let stamp = partial.scratch.next_stamp(self.plan.n_events);
            let (mut before, mut before_that) = (None, None);
            for i in span.range() {
                let code = codes.get(i);
                let seen = partial.scratch.is_stamped(code as usize, stamp);
                let unit = match kind {
                    // Straight after itself it is a reload.
                    Again::Revisit => before.map(|b| seen && b != code),
                    Again::Reload => before.map(|b| b == code),
                    Again::PingPong => before_that.zip(before).map(|(a, b)| a == code && b != code),
                };
                if let Some(hit) = unit.filter(|_| self.may_have(of, i)) {
                    self.unit(partial, self.morsel.time(i), 0, hit.into(), 1);
                }
                (before_that, before) = (before, Some(code));
            }
        }
    }

    pub(super) fn reach(
        &self,
        partial: &mut KpiPartial,
        touch: Option<usize>,
        channel: Option<usize>,
        only: bool,
    ) {
        let n = self.plan.n_keys();
        let mut list = std::mem::take(&mut partial.scratch.list);
        list.clear();
        for span in self.spans {
            for i in span.range().filter(|&i| self.may_have(touch, i)) {
                let time = self.morsel.time(i);
                let key = channel.map_or(0, |c| self.key(c, i, span));
                if only {
                    let (all, period) = self.buckets(time, key);
                    let places = [Some(all), period].into_iter().flatten();
                    list.extend(places.filter_map(|p| i64::try_from(p).ok()));
                } else {
                    self.once(partial, time, key, true);
                }
            }
        }
        list.sort_unstable();
        list.dedup();
        // By no other channel in the same period; below the line stand all that were touched by it.
        for places in list.chunk_by(|a, b| *a as usize / n == *b as usize / n) {
            for place in places {
                partial.once(*place as usize, places.len() == 1);
            }
        }
        partial.scratch.list = list;
    }

    pub(super) fn stickiness(&self, partial: &mut KpiPartial, active: Option<usize>) {
        let days = &self.plan.days;
        let mut list = std::mem::take(&mut partial.scratch.list);
        list.clear();
        for i in self
            .spans
            .iter()
            .flat_map(|s| s.range())
            .filter(|&i| self.may_have(active, i))
        {
            list.extend(
                days.of(self.morsel.time(i))
                    .and_then(|d| i64::try_from(d).ok()),
            );
        }
        list.sort_unstable();
        list.dedup();
        let in_days = |from: usize, to: usize| {
            list.iter()
                .filter(|d| (from..to).contains(&(**d as usize)))
                .count()
        };
        let (from, to) = self.plan.last_days();
        let here = in_days(from, to);
        if here > 0 {
            partial.add(0, here as i64, (to - from) as u64);
        }
        for period in 0..self.plan.periods.len() {
            let Some((from, to)) = self.plan.days_of(period) else {
                continue;
            };
            let here = in_days(from, to);
            if here > 0 {
                partial.add(1 + period, here as i64, (to - from) as u64);
            }
        }
        partial.scratch.list = list;
    }

    pub(super) fn visits(&self, partial: &mut KpiPartial, kinds: [Option<usize>; 3]) {
        for span in self.spans.iter().filter(|s| self.comes_here(s)) {
            let kind = kinds
                .iter()
                .position(|k| k.is_some_and(|k| self.any(k, span)));
            let kind = kind.unwrap_or(VISITS.len() - 1);
            let time = self.morsel.time(span.start as usize);
            for key in 0..VISITS.len() {
                self.unit(partial, time, key, i64::from(key == kind), 1);
            }
        }
    }

    /// Which signals a journey shows, of those that can be seen in this log.
    pub(super) fn friction(&self, partial: &mut KpiPartial) {
        let Kernel::Friction {
            goal,
            error,
            support,
            slow,
            within,
            channel,
        } = self.plan.kernel
        else {
            return;
        };
        let codes = self.morsel.codes();
        for (place, span) in self.spans.iter().enumerate() {
            let (start, last) = (self.morsel.time(span.start as usize), self.last(span));
            if !self.comes_here(span) {
                continue;
            }
            let reached = goal.is_some_and(|g| self.any(g, span));
            if self.plan.until.saturating_sub(last) < within {
                self.exclude(partial, start);
                continue;
            }
            let mut shown = [false; SIGNALS.len()];
            shown[1] = !reached;
            shown[4] = error.is_some_and(|e| self.any(e, span));
            let (mut before, mut before_that) = (None, None);
            let (mut time_before, mut channel_before) = (start, None);
            for i in span.range() {
                let (code, time) = (codes.get(i), self.morsel.time(i));
                shown[2] |= before_that == Some(code) && before != Some(code);
                shown[3] |= time.saturating_sub(time_before) >= slow;
                (before_that, before, time_before) = (before, Some(code), time);
                if let Some(channel) = channel {
                    let now = self.channel_of(channel, i);
                    shown[5] |= channel_before.is_some() && now.is_some() && now != channel_before;
                    channel_before = now.or(channel_before);
                }
            }
            if let Some(support) = support {
                let until = last.saturating_add(within);
                let later = self.spans.iter().skip(place).flat_map(|s| s.range());
                shown[6] = later
                    .filter(|&i| self.has(support, i))
                    .any(|i| (start..=until).contains(&self.morsel.time(i)));
            }
            let seen = (1..SIGNALS.len()).filter(|s| self.plan.signals[*s]);
            for signal in seen {
                self.unit(partial, start, signal, shown[signal].into(), 1);
                self.unit(partial, start, 0, shown[signal].into(), 1);
            }
        }
    }
}
