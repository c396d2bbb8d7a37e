//! One customer: each journey walked once, then all counted.

use super::super::plan::{DwellBy, HandBy, NONE, OutcomeBy, Plan, StageOf};
use super::super::sums::Totals;
use super::State;
use super::level::{End, JourneyEnd};
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
        let mut by_period = std::mem::take(&mut self.scratch.by_period);
        by_period.clear();
        if let Some(periods) = &plan.periods {
            let of = |s: &Span| periods.of(morsel.time(s.start as usize));
            by_period.extend(spans.iter().enumerate().map(|(i, s)| (of(s), i)));
            // Journeys named by a column may overlap, and a later one begin in an earlier period.
            if !by_period.is_sorted() {
                by_period.sort_unstable();
            }
        } else {
            by_period.extend((0..spans.len()).map(|i| (0, i)));
        }
        self.members(spans);
        let mut totals = Totals::default();
        for period in by_period.chunk_by(|a, b| a.0 == b.0) {
            let mut of_period = Totals::default();
            for &(_, i) in period {
                let goes_on = continues.get(i).copied().unwrap_or(false);
                self.journey(plan, morsel, spans, i, goes_on, &mut of_period);
            }
            totals.add(&of_period);
            if plan.periods.is_some() {
                self.end_period(plan, period[0].0, &of_period);
            }
        }
        let several = by_period.first().map(|p| p.0) != by_period.last().map(|p| p.0);
        self.sums.lasting += u64::from(several);
        self.scratch.by_period = by_period;
        self.end_customer(plan, &totals);
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
        let last_time = times[span.end as usize - 1];
        // What happens after the window is not known.
        let next = morsel
            .next_start(span)
            .filter(|next| plan.window.is_none_or(|(_, to)| *next < to));
        let reached = self.scratch.any_goal.any_in(span.range());
        let alive = goes_on || next.is_none() && plan.until.saturating_sub(last_time) < plan.alive;
        let end = match (reached, alive) {
            (true, _) => End::Reached,
            (false, true) => End::Open,
            (false, false) => End::Dropped,
        };
        let goals = || self.scratch.any_goal.ones_in(span.range());
        let (first_goal, last_goal) = match reached {
            true => (
                goals().next().unwrap_or(usize::MAX),
                goals().last().unwrap_or(0) as u32,
            ),
            false => (usize::MAX, 0),
        };
        for (mask, count) in self.scratch.goals.iter().zip(&mut self.scratch.goal_counts) {
            let hit = mask.any_in(span.range());
            count.0 += u64::from(hit);
            count.1 += u64::from(hit || !alive);
        }
        let scratch = &mut self.scratch;
        scratch.stages.begin();
        scratch.steps.begin();
        scratch.touchpoints.begin();
        scratch.channels.begin();
        scratch.order.begin();
        scratch.channel.begin();
        scratch.hands.iter_mut().for_each(|h| h.begin());

        self.walk(plan, morsel, span, end, first_goal);
        if plan
            .touchpoints
            .iter()
            .any(|t| matches!(t.dwell, DwellBy::Pair(..)))
        {
            self.pairs(plan, times, span);
        }
        if !plan.outcomes.is_empty() {
            self.outcomes(plan, morsel, spans, which);
        }

        let mapped = self.scratch.touchpoints.steps() > 0;
        *totals = Totals {
            journeys: totals.journeys + 1,
            known: totals.known + u64::from(end != End::Open),
            dropped: totals.dropped + u64::from(end == End::Dropped),
            goal: totals.goal + u64::from(end == End::Reached),
            events: totals.events + span.len() as u64,
            mapped: totals.mapped + u64::from(mapped),
            open: totals.open + u64::from(end == End::Open),
        };
        let ending = JourneyEnd {
            end,
            last_goal,
            last_time,
        };
        let (scratch, sums) = (&mut self.scratch, &mut self.sums);
        let periods = plan.periods.is_some();
        let channels = scratch.channels.places();
        scratch.stages.end(&mut sums.stages, &ending, periods);
        scratch.steps.end(&mut sums.steps, &ending, false);
        scratch
            .touchpoints
            .end(&mut sums.touchpoints, &ending, periods);
        scratch.channels.end(&mut sums.channels, &ending, periods);
        scratch.order.end(end);
        scratch.channel.end(&mut sums.channel_use, channels, end);
        scratch.hands.iter_mut().for_each(|h| h.end());
    }

    /// Goes over the events of a journey.
    fn walk(&mut self, plan: &Plan, morsel: &Morsel<'_>, span: &Span, end: End, first_goal: usize) {
        let (scratch, sums) = (&mut self.scratch, &mut self.sums);
        let (codes, times) = (morsel.codes(), morsel.times());
        let mut stage_before = NONE;
        for i in span.range() {
            let (at, time) = (i as u32, times[i]);
            let touchpoints = scratch.assigned.of(i);
            let lead = touchpoints.first().map(|t| &plan.touchpoints[*t as usize]);
            if touchpoints.is_empty() {
                if let Some(count) = sums.orphans.get_mut(codes.get(i) as usize) {
                    *count += 1;
                }
            } else {
                scratch.stage_set.clear();
                scratch.step_set.clear();
                for &t in touchpoints {
                    let touchpoint = &plan.touchpoints[t as usize];
                    let stage = match &touchpoint.stage {
                        StageOf::One(stage) => *stage,
                        StageOf::Nowhere => NONE,
                        StageOf::Rule(rules) => {
                            let furthest = scratch.order.furthest();
                            resolve(plan, rules, &scratch.conditions, i, furthest)
                        }
                    };
                    let place = touchpoint
                        .places
                        .iter()
                        .position(|(s, _)| *s == stage)
                        .unwrap_or(0);
                    sums.placements[t as usize][place] += 1;
                    let step = touchpoint.places[place].1;
                    if stage != NONE && !scratch.stage_set.contains(&stage) {
                        scratch.stage_set.push(stage);
                    }
                    if step != NONE && !scratch.step_set.contains(&step) {
                        scratch.step_set.push(step);
                    }
                }
                let stage = scratch.stage_set.first().copied().unwrap_or(NONE);
                let direction = plan.direction(stage_before, stage);
                stage_before = stage;
                let stages = scratch.stage_set.as_slice();
                if !stages.is_empty() {
                    let way = plan.direction(scratch.stages.last_place(), stage);
                    scratch
                        .stages
                        .event(&mut sums.stages, stages, at, time, way);
                    scratch.order.event(plan, stages, time);
                }
                if !scratch.step_set.is_empty() {
                    let steps = scratch.step_set.as_slice();
                    scratch
                        .steps
                        .event(&mut sums.steps, steps, at, time, direction);
                }
                scratch
                    .touchpoints
                    .event(&mut sums.touchpoints, touchpoints, at, time, direction);
                for &t in touchpoints {
                    let length = match plan.touchpoints[t as usize].dwell {
                        DwellBy::NextEvent => {
                            let next = (i + 1 < span.end as usize).then(|| times[i + 1]);
                            next.map(|next| next.saturating_sub(time))
                        }
                        DwellBy::Attribute(index) => {
                            seconds(morsel.attribute(index, i, span.customer))
                        }
                        DwellBy::Pair(..) => continue,
                    };
                    scratch.touchpoints.lasted(&mut sums.touchpoints, t, length);
                }
            }
            let mut channel = lead.map_or(NONE, |t| t.channel);
            let mut has_channel = channel != NONE;
            if let Some((column, of_value)) = &plan.channel
                && let Value::Code(code) = morsel.attribute(*column, i, span.customer)
            {
                channel = of_value.get(code as usize).copied().unwrap_or(NONE);
                has_channel = true;
                if channel == NONE
                    && let Some(count) = sums.channel_use.unknown.get_mut(code as usize)
                {
                    *count += 1;
                }
            }
            sums.channel_use.without += u64::from(!has_channel);
            if channel != NONE {
                scratch
                    .channels
                    .event(&mut sums.channels, &[channel], at, time, None);
                scratch.channel.event(channel);
            }
            if end == End::Open || i > first_goal {
                continue;
            }
            let hands = plan.handovers.iter().zip(&mut scratch.hands);
            for ((hand, side), sums) in hands.zip(&mut sums.handovers) {
                let code = match hand.by {
                    HandBy::Owner => lead.map_or(NONE, |t| t.owner),
                    HandBy::Channel => channel,
                    HandBy::Attribute(index) => match morsel.attribute(index, i, span.customer) {
                        Value::Code(code) => code,
                        _ => NONE,
                    },
                };
                if code != NONE {
                    side.event(sums, code, end == End::Reached);
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
                if !scratch.assigned.of(i).contains(&(by.touchpoint as u32)) {
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
            .end_customer(&mut sums.stages, groups, members, 0, totals);
        scratch
            .steps
            .end_customer(&mut sums.steps, &mut [], &[], 0, totals);
        scratch
            .touchpoints
            .end_customer(&mut sums.touchpoints, groups, members, s, totals);
        scratch
            .channels
            .end_customer(&mut sums.channels, groups, members, s + t, totals);
        for (place, touchpoint) in plan.touchpoints.iter().enumerate() {
            if matches!(touchpoint.dwell, DwellBy::Pair(..)) {
                scratch
                    .touchpoints
                    .flush_times(&mut sums.touchpoints, place);
            }
        }
        for &group in members {
            if let Some(group) = groups.get_mut(group) {
                group.count(totals);
            }
        }
        scratch.order.end_customer(&mut sums.order, totals);
        scratch.channel.end_customer(&mut sums.channel_use);
        for (side, sums) in scratch.hands.iter_mut().zip(&mut sums.handovers) {
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

/// The stage of an event of a touchpoint that sits in several.
fn resolve(
    plan: &Plan,
    rules: &[(u32, Option<usize>)],
    conditions: &[Mask],
    i: usize,
    furthest: Option<u32>,
) -> u32 {
    let holds = |(_, when): &&(u32, Option<usize>)| {
        when.and_then(|c| conditions.get(c))
            .is_some_and(|m| m.get(i))
    };
    if let Some((stage, _)) = rules.iter().find(holds) {
        return *stage;
    }
    let level = |stage: u32| plan.levels.get(stage as usize).copied().unwrap_or(0);
    let mut best = NONE;
    let mut earliest = NONE;
    for &(stage, _) in rules.iter().filter(|(_, when)| when.is_none()) {
        let here = level(stage);
        if earliest == NONE || here < level(earliest) {
            earliest = stage;
        }
        let is_reached = furthest.is_some_and(|f| here <= f);
        if is_reached && (best == NONE || here > level(best)) {
            best = stage;
        }
    }
    if best == NONE { earliest } else { best }
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
        (None, None) if until < deadline => None,
        (None, None) => match (by.success, by.failure) {
            (Some(_), _) => Some(false),
            (None, Some(_)) => Some(true),
            (None, None) => None,
        },
    }
}
