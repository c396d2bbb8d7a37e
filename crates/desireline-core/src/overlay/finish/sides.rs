//! Channels, hand-overs, the order of stages; and what is left of all differences when there are many.

use desireline_stats::{Sides, Unit, benjamini_hochberg, ratio_estimate};

use super::Known;
use crate::log::Catalog;
use crate::overlay::report::{
    CellMeasure, ChannelUse, Contrast, ForcedJumps, FurthestStage, Handover, OverlayReport,
    StageConversion, StageOrder,
};
use crate::overlay::sums::HandSums;
use crate::report::{Base, Rate};

impl Known<'_> {
    /// A contrast of goals; without a goal there is none.
    fn goals_apart(&self, sides: &Sides) -> Option<Contrast> {
        match self.has_goal() {
            true => self.judge.contrast(sides, Base::OfKnown),
            false => None,
        }
    }

    pub(super) fn channel_use(&self, catalog: &Catalog) -> ChannelUse {
        let sums = &self.sums.channel_use;
        let names = self.plan.channel.as_ref().and_then(|(column, _)| {
            let info = catalog.attributes.get(*column)?;
            Some(info.dictionary.names().map(str::to_owned))
        });
        let counted = names
            .into_iter()
            .flatten()
            .zip(sums.unknown.iter().copied());
        let mut unknown: Vec<(String, u64)> = counted.filter(|(_, n)| *n > 0).collect();
        unknown.sort_by(|a, b| (b.1, &a.0).cmp(&(a.1, &b.0)));
        let mean = |clusters| {
            let estimate = ratio_estimate(clusters, self.judge.level)?;
            (clusters.n >= self.judge.min_n).then_some(estimate.with_unit(Unit::Ratio))
        };
        ChannelUse {
            journeys: sums.channels.n,
            events: self.sums.channels.cells.iter().map(|c| c.events).sum(),
            events_without: sums.without,
            unknown,
            spread: (0..)
                .zip(&sums.spread)
                .filter(|(_, n)| **n > 0)
                .map(|(channels, n)| (channels, *n))
                .collect(),
            channels_per_journey: mean(&sums.channels),
            switches_per_journey: mean(&sums.switches),
            switches: sums.switches.k,
            fragmented: self.judge.rate(&sums.fragmented, Base::OfAll),
            goal: self.goals_apart(&sums.goal),
        }
    }

    pub(super) fn handovers(&self) -> Vec<Handover> {
        let mut rows = Vec::new();
        if !self.has_goal() {
            return rows;
        }
        for (plan, sums) in self.plan.handovers.iter().zip(&self.sums.handovers) {
            let row = |from: Option<String>, to, sums: &HandSums, sides: &Sides| {
                let goal = self.judge.contrast(sides, Base::OfKnown)?;
                Some(Handover {
                    by: plan.name.clone(),
                    from,
                    to,
                    count: sums.count,
                    journeys: sums.journeys,
                    customers: sums.customers,
                    goal,
                    loss: goal.difference.map(|d| -d.value),
                })
            };
            rows.extend(row(None, None, &sums.all, &sums.all.sides));
            let mut pairs: Vec<Handover> = sums
                .pairs
                .keys
                .iter()
                .zip(&sums.pairs.sums)
                .filter(|((from, to), _)| from != to)
                .filter_map(|(&(from, to), pair)| {
                    // Everybody who stays with the one that is left, changing elsewhere or not.
                    let stay = sums.pairs.get(from, from);
                    let sides = Sides {
                        b: stay.map_or_else(Default::default, |s| s.sides.a),
                        ..pair.sides
                    };
                    let name = |code: u32| plan.names.get(code as usize).cloned();
                    row(name(from), name(to), pair, &sides)
                })
                .collect();
            pairs.sort_by(|a, b| (b.count, &a.from, &a.to).cmp(&(a.count, &b.from, &b.to)));
            rows.extend(pairs);
        }
        rows
    }

    pub(super) fn order(&self) -> StageOrder {
        let (sums, judge) = (&self.sums.order, &self.judge);
        let stages = &self.map.stages;
        let of_staged = |top| judge.rate(&sums.staged.with(top), Base::OfAll);
        let at = |level: u32| {
            let levels = stages.iter().zip(&self.plan.levels);
            let here = levels.filter(move |(_, l)| **l == level);
            here.map(|(s, _)| s.id.to_string()).collect::<Vec<_>>()
        };
        let rate = |clusters, base| -> Rate { judge.rate(clusters, base) };
        StageOrder {
            journeys: sums.staged.n,
            conversion: (0..)
                .zip(&sums.conversion)
                .map(|(level, [all, entered, previous])| StageConversion {
                    level,
                    stages: at(level),
                    of_all: rate(all, Base::OfAll),
                    of_entered: rate(entered, Base::OfEntered),
                    of_previous: rate(previous, Base::OfPrevious),
                })
                .collect(),
            furthest: stages
                .iter()
                .zip(&sums.furthest)
                .map(|(stage, top)| FurthestStage {
                    stage: stage.id.to_string(),
                    rate: of_staged(top),
                })
                .collect(),
            late_starts: of_staged(&sums.late),
            skips: of_staged(&sums.skips),
            regressions: of_staged(&sums.regressions),
            forced: self.plan.forced.as_ref().map(|forced| {
                let id = |code: u32| stages[code as usize].id.to_string();
                ForcedJumps {
                    from: id(forced.from),
                    to: id(forced.to),
                    touches: forced.touches.into(),
                    within: forced.within,
                    rate: judge.rate(&sums.forced, Base::OfVisits),
                    goal: self.goals_apart(&sums.forced_goal),
                }
            }),
        }
    }
}

/// Puts q to every p: over all places and kinds of journeys together, and over all hand-overs.
pub(super) fn discover(report: &mut OverlayReport) {
    fn judge(contrasts: &mut [&mut Contrast]) {
        let p: Vec<f64> = contrasts.iter().filter_map(|c| c.p).collect();
        let mut q = benjamini_hochberg(&p).unwrap_or_default().into_iter();
        for contrast in contrasts.iter_mut().filter(|c| c.p.is_some()) {
            contrast.q = q.next();
        }
    }
    fn lift(cell: &mut CellMeasure) -> Option<&mut Contrast> {
        cell.lift.as_mut()
    }
    let stages = report.stages.iter_mut().map(|s| &mut s.cell);
    let steps = report.steps.iter_mut().map(|s| &mut s.cell);
    let touchpoints = report
        .touchpoints
        .iter_mut()
        .filter_map(|t| t.cell.as_mut());
    let channels = report.channels.iter_mut().map(|c| &mut c.cell);
    let cells = stages.chain(steps).chain(touchpoints).chain(channels);
    let forced = report.order.forced.as_mut().and_then(|f| f.goal.as_mut());
    let others = [report.channel_use.goal.as_mut(), forced];
    let mut all: Vec<&mut Contrast> = cells
        .filter_map(lift)
        .chain(others.into_iter().flatten())
        .collect();
    judge(&mut all);
    let mut all: Vec<&mut Contrast> = report.handovers.iter_mut().map(|h| &mut h.goal).collect();
    judge(&mut all);
}
