//! One customer: each journey walked once, then all counted.

use super::super::plan::{DwellBy, HandBy, NONE, OutcomeBy, PeriodPlan, Plan};
use super::super::sums::Totals;
use super::State;
use super::level::{End, JourneyEnd, One};
use super::runs::Run;
use crate::journey::{Mask, Morsel, Span};
use crate::log::Value;

/// A second in microseconds.
const SECOND: f64 = 1e6;

impl State {
    /// Takes in a customer's journeys; `continues` says which of them go on after the window.
    pub(super) fn customer(
        &mut self,
        plan: &Plan,
        morsel: &Morsel<'_>,
        spans: &[Span],
        continues: &[bool],
    ) {
        self.members(spans);
        let mut totals = Totals::default();
        match &plan.periods {
            None => {
                for which in 0..spans.len() {
                    let goes_on = continues.get(which).copied().unwrap_or(false);
                    self.journey(plan, morsel, spans, which, goes_on, &mut totals);
                }
            }
            Some(periods) => {
                totals = self.by_period(plan, periods, morsel, spans, continues);
            }
        }
        self.end_customer(plan, &totals);
    }

    /// Takes in a customer's journeys period by period.
    fn by_period(
        &mut self,
        plan: &Plan,
        periods: &PeriodPlan,
        morsel: &Morsel<'_>,
        spans: &[Span],
        continues: &[bool],
    ) -> Totals {
        let mut totals = Totals::default();
        let mut by_period = std::mem::take(&mut self.scratch.by_period);
        by_period.clear();
        let of = |s: &Span| periods.of(morsel.times()[s.start as usize]);
        by_period.extend(spans.iter().enumerate().map(|(i, s)| (of(s), i)));
        // Journeys named by a column may overlap, and a later one begin in an earlier period.
        if !by_period.is_sorted() {
            by_period.sort_unstable();
        }
        for period in by_period.chunk_by(|a, b| a.0 == b.0) {
            let mut of_period = Totals::default();
            for &(_, i) in period {
                let goes_on = continues.get(i).copied().unwrap_or(false);
                self.journey(plan, morsel, spans, i, goes_on, &mut of_period);
            }
            totals.add(&of_period);
            self.end_period(plan, period[0].0, &of_period);
        }
        let several = by_period.first().map(|p| p.0) != by_period.last().map(|p| p.0);
        self.sums.lasting += u64::from(several);
        self.scratch.by_period = by_period;
        totals
    }

    /// Which personas the customer belongs to; the last group is of those who belong to none.
    fn members(&mut self, spans: &[Span]) {
        let scratch = &mut self.scratch;
        scratch.member_of.clear();
        for (group, mask) in scratch.personas.iter().enumerate() {
            if spans.iter().any(|s| mask.any_in(s.range())) {
                scratch.member_of.push(group);
            }
        }
        self.sums.overlapping += u64::from(scratch.member_of.len() > 1);
        if scratch.member_of.is_empty() && !scratch.personas.is_empty() {
            scratch.member_of.push(scratch.personas.len());
        }
    }

    fn journey(
        &mut self,
        plan: &Plan,
        morsel: &Morsel<'_>,
        spans: &[Span],
        which: usize,
        goes_on: bool,
        totals: &mut Totals,
    ) {
        let span = &spans[which];
        let times = morsel.times();
        let (journey, first_goal) = self.ending(plan, morsel, span, goes_on);
        let end = journey.end;
        let scratch = &mut self.scratch;
        let (cells, channels) = (&scratch.assigned.cells, &scratch.channel_column.channels);
        scratch.runs.compress(cells, span.range());
        scratch.channel_runs.compress_steady(channels, span.range());
        let is_mapped = !scratch.runs.as_slice().is_empty();
        self.levels(plan, &journey, times);
        self.lengths(plan, morsel, span);
        if plan.has_pairs {
            self.pairs(plan, times, span);
        }
        if !plan.outcomes.is_empty() {
            self.outcomes(plan, morsel, spans, which);
        }
        if end != End::Open && !plan.handovers.is_empty() {
            self.hands(plan, morsel, span, first_goal);
        }
        *totals = Totals {
            journeys: totals.journeys + 1,
            known: totals.known + u64::from(end != End::Open),
            dropped: totals.dropped + u64::from(end == End::Dropped),
            goal: totals.goal + u64::from(end == End::Reached),
            events: totals.events + span.len() as u64,
            mapped: totals.mapped + u64::from(is_mapped),
            open: totals.open + u64::from(end == End::Open),
        };
    }

    /// How a journey ends, and which is its first event that is a goal.
    fn ending(
        &mut self,
        plan: &Plan,
        morsel: &Morsel<'_>,
        span: &Span,
        goes_on: bool,
    ) -> (JourneyEnd, Option<usize>) {
        let times = morsel.times();
        let last_time = times[span.end as usize - 1];
        // What happens after the window is not known.
        let is_back = || {
            let next = morsel.next_start(span);
            next.is_some_and(|next| plan.window.is_none_or(|(_, to)| next < to))
        };
        let alive = goes_on || plan.until.saturating_sub(last_time) < plan.alive && !is_back();
        let mut goals = self.scratch.any_goal.ones_in(span.range());
        let first_goal = goals.next();
        let last_goal = first_goal.map(|first| goals.last().unwrap_or(first));
        let end = match (first_goal, alive) {
            (Some(_), _) => End::Reached,
            (None, true) => End::Open,
            (None, false) => End::Dropped,
        };
        for (mask, count) in self.scratch.goals.iter().zip(&mut self.scratch.goal_counts) {
            let hit = first_goal.is_some() && mask.any_in(span.range());
            count.0 += u64::from(hit);
            count.1 += u64::from(hit || !alive);
        }
        (JourneyEnd::new(end, last_goal, last_time), first_goal)
    }

    /// Takes the runs of a journey's cells to the places of every kind.
    fn levels(&mut self, plan: &Plan, journey: &JourneyEnd, times: &[i64]) {
        let (scratch, sums) = (&mut self.scratch, &mut self.sums);
        let (cells, runs) = (&scratch.cells, &mut scratch.level_runs);
        let order = cells.order.as_slice();
        let is_multi = plan.is_multi();
        let of_cells = scratch.runs.as_slice();
        let (level, sums_of) = (&mut scratch.touchpoints, &mut sums.touchpoints);
        if is_multi {
            let sets = &cells.touchpoint_sets;
            runs.merge(of_cells, &cells.touchpoints, order, false);
            level.journey_of_sets(sums_of, runs.as_slice(), sets, times, journey);
        } else {
            if plan.has_rules {
                runs.merge(of_cells, &cells.touchpoints, order, false);
            } else {
                // Each touchpoint has one cell.
                runs.rename(of_cells, &cells.touchpoints, order);
            }
            level.journey(sums_of, runs.as_slice(), times, journey);
        }
        if plan.n_steps > 0 {
            runs.merge(of_cells, &cells.steps, order, false);
            let (level, sums_of) = (&mut scratch.steps, &mut sums.steps);
            if is_multi {
                let sets = &cells.step_sets;
                level.journey_of_sets(sums_of, runs.as_slice(), sets, times, journey);
            } else {
                level.journey(sums_of, runs.as_slice(), times, journey);
            }
        }
        runs.merge(of_cells, &cells.stages, order, true);
        let (level, sums_of) = (&mut scratch.stages, &mut sums.stages);
        let (side, runs) = (&mut scratch.order, runs.as_slice());
        if is_multi {
            let sets = &cells.stage_sets;
            level.journey_of_sets(sums_of, runs, sets, times, journey);
            side.journey(plan, runs, sets, times, journey.end);
        } else {
            level.journey(sums_of, runs, times, journey);
            side.journey(plan, runs, &One, times, journey.end);
        }
        let runs = scratch.channel_runs.as_slice();
        let level = &mut scratch.channels;
        let channels = level.journey(&mut sums.channels, runs, times, journey);
        for run in runs {
            if let Some(cell) = sums.channels.cells.get_mut(run.place as usize) {
                cell.events += u64::from(run.n);
            }
        }
        scratch.channel.journey(
            &mut sums.channel_use,
            channels as usize,
            runs.len().saturating_sub(1),
            journey.end,
        );
    }

    /// How long each event lasted at its touchpoint: until the next one, or what an attribute says.
    fn lengths(&mut self, plan: &Plan, morsel: &Morsel<'_>, span: &Span) {
        let (scratch, sums) = (&mut self.scratch, &mut self.sums.touchpoints);
        let times = morsel.times();
        let range = span.range();
        let last = range.end.saturating_sub(1);
        let cells = scratch.assigned.cells.get(range.clone()).unwrap_or(&[]);
        if plan.by_next_event {
            let (of, times) = (&scratch.cells.touchpoints, &times[range]);
            scratch.touchpoints.until_next(sums, cells, of, times);
            return;
        }
        for (i, &cell) in range.zip(cells) {
            for &touchpoint in scratch.cells.touchpoints_of(cell) {
                let length = match plan.touchpoints[touchpoint as usize].dwell {
                    DwellBy::NextEvent if i == last => None,
                    DwellBy::NextEvent => Some(times[i + 1].saturating_sub(times[i])),
                    DwellBy::Attribute(index) => seconds(morsel.attribute(index, i, span.customer)),
                    DwellBy::Pair(..) => continue,
                };
                scratch.touchpoints.lasted(sums, touchpoint, length);
            }
        }
    }

    /// Hand-overs of a journey of known outcome, up to its first goal; the journey's runs are cut there.
    fn hands(&mut self, plan: &Plan, morsel: &Morsel<'_>, span: &Span, first_goal: Option<usize>) {
        let (scratch, sums) = (&mut self.scratch, &mut self.sums);
        let mut range = span.range();
        if let Some(goal) = first_goal.filter(|goal| goal + 1 < range.end) {
            range.end = goal + 1;
            let (cells, channels) = (&scratch.assigned.cells, &scratch.channel_column.channels);
            scratch.runs.cut(cells, goal);
            scratch.channel_runs.cut(channels, goal);
        }
        let reached = first_goal.is_some();
        let sides = plan.handovers.iter().zip(&mut scratch.hands);
        for ((hand, side), sums) in sides.zip(&mut sums.handovers) {
            match hand.by {
                HandBy::Owner => {
                    let owner = |cell: u32| scratch.cells.owners.get(cell as usize).copied();
                    let of = |run: &Run| (owner(run.place).unwrap_or(NONE), run.n);
                    side.journey(sums, scratch.runs.as_slice().iter().map(of), reached);
                }
                HandBy::Channel => {
                    let of = |run: &Run| (run.place, run.n);
                    side.journey(
                        sums,
                        scratch.channel_runs.as_slice().iter().map(of),
                        reached,
                    );
                }
                HandBy::Attribute(index) => {
                    let of = |i| match morsel.attribute(index, i, span.customer) {
                        Value::Code(code) => (code, 1),
                        _ => (NONE, 1),
                    };
                    side.journey(sums, range.clone().map(of), reached);
                }
            }
        }
    }

    /// Visits from what begins them to what ends them.
    fn pairs(&mut self, plan: &Plan, times: &[i64], span: &Span) {
        let (scratch, sums) = (&mut self.scratch, &mut self.sums.touchpoints);
        let last = times[span.end as usize - 1];
        for (t, touchpoint) in (0..).zip(&plan.touchpoints) {
            let DwellBy::Pair(start, end) = touchpoint.dwell else {
                continue;
            };
            let (starts, ends) = (&scratch.conditions[start], &scratch.conditions[end]);
            let mut from = span.start as usize;
            while let Some(begin) = starts.ones_in(from..span.end as usize).next() {
                match ends.ones_in(begin + 1..span.end as usize).next() {
                    Some(done) => {
                        let length = times[done].saturating_sub(times[begin]);
                        scratch.touchpoints.lasted(sums, t, Some(length));
                        from = done;
                    }
                    None => {
                        let cell = &mut sums.cells[t as usize];
                        cell.dwell.cut(last.saturating_sub(times[begin]));
                        break;
                    }
                }
            }
        }
    }

    /// Whether the visits of a journey went well, by what the customer does later.
    fn outcomes(&mut self, plan: &Plan, morsel: &Morsel<'_>, spans: &[Span], which: usize) {
        let scratch = &mut self.scratch;
        for (by, count) in plan.outcomes.iter().zip(&mut scratch.outcome_counts) {
            for i in spans[which].range() {
                let cell = scratch.assigned.cells.get(i).copied().unwrap_or(NONE);
                let touchpoints = scratch.cells.touchpoints_of(cell);
                if !touchpoints.contains(&(by.touchpoint as u32)) {
                    continue;
                }
                let known = outcome(
                    by,
                    &scratch.conditions,
                    morsel,
                    &spans[which..],
                    i,
                    plan.until,
                );
                if let Some(well) = known {
                    count.0 += u64::from(well);
                    count.1 += 1;
                }
            }
        }
    }

    fn end_period(&mut self, plan: &Plan, period: usize, totals: &Totals) {
        let (scratch, sums) = (&mut self.scratch, &mut self.sums);
        let Some(group) = sums.periods.get_mut(period) else {
            return;
        };
        let (s, t) = (plan.n_stages(), plan.touchpoints.len());
        scratch.stages.end_period(group, 0, totals);
        scratch.touchpoints.end_period(group, s, totals);
        scratch.channels.end_period(group, s + t, totals);
        group.count(totals);
    }

    fn end_customer(&mut self, plan: &Plan, totals: &Totals) {
        let (scratch, sums) = (&mut self.scratch, &mut self.sums);
        let (s, t) = (plan.n_stages(), plan.touchpoints.len());
        let groups = &mut sums.personas;
        let members = scratch.member_of.as_slice();
        scratch
            .stages
            .end_customer(&sums.stages, groups, members, 0, totals);
        scratch
            .steps
            .end_customer(&sums.steps, &mut [], &[], 0, totals);
        scratch
            .touchpoints
            .end_customer(&sums.touchpoints, groups, members, s, totals);
        scratch
            .channels
            .end_customer(&sums.channels, groups, members, s + t, totals);
        for (place, touchpoint) in plan.touchpoints.iter().enumerate() {
            if matches!(touchpoint.dwell, DwellBy::Pair(..)) {
                scratch.touchpoints.flush_times(place);
            }
        }
        for &group in members {
            if let Some(group) = groups.get_mut(group) {
                group.count(totals);
            }
        }
        scratch.order.end_customer(totals);
        scratch.channel.end_customer();
        for (side, sums) in scratch.hands.iter_mut().zip(&sums.handovers) {
            side.end_customer(sums);
        }
        for (count, sums) in scratch.goal_counts.iter_mut().zip(&mut sums.goals) {
            let (k, n) = std::mem::take(count);
            sums.rate.add(k, n);
        }
        for (count, sums) in scratch.outcome_counts.iter_mut().zip(&mut sums.outcomes) {
            let (k, n) = std::mem::take(count);
            sums.add(k, n);
        }
        sums.events += totals.events;
        sums.journeys.add(totals.journeys);
        sums.known.add(totals.known);
        sums.dropped.add(totals.dropped, totals.known);
        sums.goal.add(totals.goal, totals.known);
        sums.open += totals.open;
        sums.off_map += totals.journeys - totals.mapped;
    }
}

/// A length of time that an attribute holds in seconds.
fn seconds(value: Value) -> Option<i64> {
    match value {
        Value::Integer(n) if n >= 0 => n.checked_mul(1_000_000),
        #[allow(clippy::cast_possible_truncation)] // far below the end of i64
        Value::Decimal(x) if (0.0..9e12).contains(&x) => Some((x * SECOND).round() as i64),
        _ => None,
    }
}

/// Whether a visit at event `i` of the first of `spans` went well; nothing where that is not known.
fn outcome(
    by: &OutcomeBy,
    conditions: &[Mask],
    morsel: &Morsel<'_>,
    spans: &[Span],
    i: usize,
    until: i64,
) -> Option<bool> {
    let deadline = morsel.time(i).saturating_add(by.within);
    // What went well is known at once, what did not only later: to count the first alone would make every number too good.
    if until < deadline {
        return None;
    }
    let first = |condition: Option<usize>| {
        let mask = conditions.get(condition?)?;
        let mut from = i + 1;
        for span in spans {
            from = from.max(span.start as usize);
            if from < span.end as usize
                && let Some(hit) = mask.ones_in(from..span.end as usize).next()
            {
                return Some(hit).filter(|hit| morsel.time(*hit) <= deadline);
            }
        }
        None
    };
    let (well, badly) = (first(by.success), first(by.failure));
    match (well, badly) {
        (Some(a), Some(b)) => Some(a <= b),
        (Some(_), None) => Some(true),
        (None, Some(_)) => Some(false),
        (None, None) => match (by.success, by.failure) {
            (Some(_), _) => Some(false),
            (None, Some(_)) => Some(true),
            (None, None) => None,
        },
    }
}
