//! Needs that a contact settles, and the channels that goals are owed to.

use super::Customer;
use crate::journey::Span;
use crate::kpi::tally::KpiPartial;
use crate::log::Value;

impl Customer<'_> {
    /// The row of an event's channel; the last one is that of events without.
    pub(super) fn key(&self, channel: usize, i: usize, span: &Span) -> usize {
        let none = self.plan.n_keys().saturating_sub(1);
        match self.morsel.attribute(channel, i, span.customer) {
            Value::Code(code) => (code as usize).min(none),
            _ => none,
        }
    }

    pub(super) fn channel_of(&self, channel: usize, i: usize) -> Option<u32> {
        let customer = self.spans.first()?.customer;
        match self.morsel.attribute(channel, i, customer) {
            Value::Code(code) => Some(code),
            _ => None,
        }
    }

    /// A need begins with a contact and takes in all that follows within its window.
    pub(super) fn contacts(
        &self,
        partial: &mut KpiPartial,
        contact: usize,
        resolved: Option<usize>,
        within: i64,
        channel: Option<usize>,
    ) {
        let marks = self.marks(partial, &[Some(contact), resolved], channel.is_some());
        let mut place = 0;
        while let Some(begun) = marks.get(place).map(|m| m.time) {
            if marks[place].what & 1 == 0 {
                place += 1;
                continue;
            }
            let (mut again, mut settled) = (false, resolved.is_none());
            let (mut switches, mut before) = (0, None);
            let mut next = place;
            while let Some(mark) = marks
                .get(next)
                .filter(|m| m.time.saturating_sub(begun) <= within)
            {
                again |= next > place && mark.what & 1 != 0;
                if let Some(channel) = channel
                    && !settled
                    && let Some(now) = self.channel_of(channel, mark.at as usize)
                {
                    switches += i64::from(before.is_some_and(|b| b != now));
                    before = Some(now);
                }
                settled |= mark.what & 2 != 0;
                next += 1;
            }
            if !self.is_here(marks[place].at as usize) {
                // It takes its contacts with it, but is no need of this place.
            } else if self.plan.until.saturating_sub(begun) < within {
                self.exclude(partial, begun);
            } else if channel.is_none() {
                self.unit(partial, begun, 0, i64::from(settled && !again), 1);
            } else if settled {
                self.unit(partial, begun, 0, switches, 1);
            }
            place = next;
        }
        partial.scratch.marks = marks;
    }

    /// Each goal is owed to the first, or the last, channel in the time before it.
    pub(super) fn credit(
        &self,
        partial: &mut KpiPartial,
        goal: usize,
        channel: usize,
        first: bool,
        within: i64,
    ) {
        let marks = self.marks(partial, &[Some(goal)], true);
        let none = self.plan.n_keys().saturating_sub(1);
        let mut from = 0;
        for (place, mark) in marks.iter().enumerate() {
            if mark.what & 1 == 0 {
                continue;
            }
            while marks
                .get(from)
                .is_some_and(|m| mark.time.saturating_sub(m.time) > within)
            {
                from += 1;
            }
            let channels = marks.get(from..=place).unwrap_or_default().iter();
            let mut channels = channels.filter_map(|m| self.channel_of(channel, m.at as usize));
            let owed = if first {
                channels.next()
            } else {
                channels.next_back()
            };
            let key = owed.map_or(none, |c| (c as usize).min(none));
            let value = self.morsel.value(mark.at as usize).unwrap_or(0);
            self.unit(partial, mark.time, key, value, 1);
        }
        partial.scratch.marks = marks;
    }
}
