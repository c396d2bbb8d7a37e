//! Personas and periods, and whether they differ.

use desireline_stats::stratified::{SimpsonVerdict, Stratum, simpson};
use desireline_stats::{Beta, Clusters, benjamini_hochberg, heterogeneity};
use jiff::Timestamp;

use super::Known;
use crate::overlay::NO_PERSONA;
use crate::overlay::plan::PeriodPlan;
use crate::overlay::report::{
    BetaPrior, CellKind, GroupCell, GroupMap, GroupMaps, GroupRate, GroupTest, MeasureKind,
    PersonaMeasure, Trend, TrendPeriod, TrendRow,
};
use crate::overlay::sums::{GroupCellSums, GroupSums};
use crate::report::{Base, Rate};

/// A group before it is put into words.
struct Group<'s> {
    id: String,
    name: String,
    complete: bool,
    sums: &'s GroupSums,
}

impl Known<'_> {
    pub(super) fn personas(&self) -> Vec<PersonaMeasure> {
        let (map, judge) = (self.map, &self.judge);
        let groups = &self.sums.personas;
        let none = GroupSums::default();
        let measure = |id: String, name: String, declared_share, sums: Option<&GroupSums>| {
            let group = sums.unwrap_or(&none);
            let mut share = Clusters::default();
            share.add_units(group.journeys.m, self.sums.journeys.m);
            PersonaMeasure {
                id,
                name,
                measured: sums.is_some(),
                customers: group.journeys.m,
                journeys: group.journeys.n,
                events: group.events,
                share: match sums {
                    Some(_) => judge.rate(&share, Base::OfAll),
                    None => judge.rate(&Clusters::default(), Base::OfAll),
                },
                declared_share,
                reach: judge.rate(&group.journeys.with(&group.mapped), Base::OfAll),
                drop_off: judge.rate(&group.known.with(&group.dropped), Base::OfKnown),
                goal: self.goal_rate(&group.known, &group.goal, Base::OfKnown),
                open: group.open,
            }
        };
        let mut personas: Vec<PersonaMeasure> = map
            .personas
            .iter()
            .enumerate()
            .map(|(place, p)| {
                let at = self
                    .plan
                    .personas
                    .iter()
                    .position(|(known, _)| *known == place);
                let share = p.share.map(crate::map::Share::get);
                let sums = at.and_then(|at| groups.get(at));
                measure(p.id.to_string(), self.text(&p.name), share, sums)
            })
            .collect();
        if let Some(rest) = groups.get(self.plan.personas.len()) {
            let name = NO_PERSONA.to_owned();
            personas.push(measure(name.clone(), name, None, Some(rest)));
        }
        personas
    }

    /// The maps of personas and of periods, and where a difference turns round within personas.
    pub(super) fn groups(&self) -> (Vec<GroupMaps>, Vec<String>) {
        let mut all = Vec::new();
        let personas = self.persona_groups();
        if !personas.is_empty() {
            all.push(self.maps("persona", &personas, self.sums.overlapping));
        }
        if let Some(periods) = &self.plan.periods {
            let groups = self.period_groups(periods);
            all.push(self.maps("period", &groups, self.sums.lasting));
        }
        let tests = || all.iter().flat_map(|m| &m.tests);
        let p: Vec<f64> = tests().filter_map(|t| Some(t.test?.p)).collect();
        let q = benjamini_hochberg(&p).unwrap_or_default();
        let mut q = q.into_iter();
        for test in all.iter_mut().flat_map(|m| &mut m.tests) {
            test.q = test.test.and_then(|_| q.next());
        }
        for maps in &mut all {
            maps.tests.sort_by(|a, b| {
                let p = |t: &GroupTest| t.test.map_or(2.0, |t| t.p);
                p(a).total_cmp(&p(b))
                    .then_with(|| (a.kind, &a.id, a.measure).cmp(&(b.kind, &b.id, b.measure)))
            });
        }
        let simpson = match self.sums.overlapping {
            0 => self.simpson(),
            _ => Vec::new(),
        };
        (all, simpson)
    }

    fn persona_groups(&self) -> Vec<Group<'_>> {
        let known = self.plan.personas.iter().map(|(place, _)| {
            let persona = &self.map.personas[*place];
            (persona.id.to_string(), self.text(&persona.name))
        });
        let rest = (NO_PERSONA.to_owned(), NO_PERSONA.to_owned());
        known
            .chain([rest])
            .zip(&self.sums.personas)
            .map(|((id, name), sums)| Group {
                id,
                name,
                complete: true,
                sums,
            })
            .collect()
    }

    fn period_groups(&self, periods: &PeriodPlan) -> Vec<Group<'_>> {
        let named = self.sums.periods.iter().enumerate();
        named
            .map(|(place, sums)| {
                let name = day(periods, place);
                Group {
                    id: name.clone(),
                    name,
                    complete: self.complete(periods, place),
                    sums,
                }
            })
            .collect()
    }

    /// Whether a period lies within the time of observation and the window.
    fn complete(&self, periods: &PeriodPlan, place: usize) -> bool {
        let (from, to) = (periods.bounds[place], periods.bounds[place + 1]);
        let begun = match self.plan.window {
            Some((begin, _)) => begin.max(self.plan.first_time),
            None => self.plan.first_time,
        };
        begun <= from && to <= self.plan.until
    }

    fn maps(&self, by: &str, groups: &[Group<'_>], overlapping: u64) -> GroupMaps {
        let mut maps: Vec<GroupMap> = groups
            .iter()
            .map(|g| GroupMap {
                id: g.id.clone(),
                name: g.name.clone(),
                customers: g.sums.journeys.m,
                journeys: g.sums.journeys.n,
                complete: g.complete,
                cells: Vec::new(),
            })
            .collect();
        let mut tests = Vec::new();
        for (place, (kind, id)) in self.cells_of_groups().into_iter().enumerate() {
            let of = |g: &Group<'_>| g.sums.cells.get(place).copied().unwrap_or_default();
            let sums: Vec<GroupCellSums> = groups.iter().map(of).collect();
            let mut rates: Vec<Vec<GroupRate>> = Vec::new();
            for measure in MeasureKind::ALL {
                let (of_groups, test) = self.measure(groups, &sums, measure);
                rates.push(of_groups);
                tests.push(GroupTest {
                    kind,
                    id: id.clone(),
                    measure,
                    ..test
                });
            }
            for (g, (map, sums)) in maps.iter_mut().zip(&sums).enumerate() {
                map.cells.push(GroupCell {
                    kind,
                    id: id.clone(),
                    journeys: sums.reach.k,
                    customers: sums.customers,
                    reach: rates[0][g],
                    drop_off: rates[1][g],
                    goal: rates[2][g],
                });
            }
        }
        GroupMaps {
            by: by.to_owned(),
            groups: maps,
            overlapping,
            tests,
        }
    }

    /// The parts that groups are measured at.
    fn cells_of_groups(&self) -> Vec<(CellKind, String)> {
        let map = self.map;
        let stages = map
            .stages
            .iter()
            .map(|s| (CellKind::Stage, s.id.to_string()));
        let touchpoints = map.touchpoints.iter();
        let touchpoints = touchpoints.map(|t| (CellKind::Touchpoint, t.id.to_string()));
        let channels = map.channels.iter();
        let channels = channels.map(|c| (CellKind::Channel, c.id.to_string()));
        stages.chain(touchpoints).chain(channels).collect()
    }

    /// One rate at one place in all groups.
    fn measure(
        &self,
        groups: &[Group<'_>],
        cells: &[GroupCellSums],
        measure: MeasureKind,
    ) -> (Vec<GroupRate>, GroupTest) {
        let is_given = measure != MeasureKind::Goal || self.has_goal();
        let counted: Vec<(Clusters, bool)> = groups
            .iter()
            .zip(cells)
            .map(|(group, cell)| match measure {
                _ if !is_given => (Clusters::default(), group.complete),
                MeasureKind::Reach => (group.sums.journeys.with(&cell.reach), group.complete),
                MeasureKind::DropOff => (cell.known.with(&cell.dropped), group.complete),
                MeasureKind::Goal => (cell.known.with(&cell.goal), group.complete),
            })
            .collect();
        // What is not over yet says nothing of the others.
        let complete: Vec<Clusters> = counted.iter().filter(|c| c.1).map(|c| c.0).collect();
        let large: Vec<Clusters> = complete
            .iter()
            .filter(|c| c.m >= self.judge.min_n.max(1))
            .copied()
            .collect();
        let prior = Beta::of(&complete);
        let base = match measure {
            MeasureKind::Reach => Base::OfAll,
            _ => Base::OfVisits,
        };
        let rates = counted.iter().map(|(clusters, _)| GroupRate {
            raw: self.judge.rate_of(clusters, base, clusters.m),
            shrunk: prior.and_then(|p| p.shrink(clusters, self.judge.level)),
        });
        let test = GroupTest {
            kind: CellKind::Stage,
            id: String::new(),
            measure,
            groups: large.len() as u64,
            test: heterogeneity(&large),
            q: None,
            prior: prior.map(|p| BetaPrior {
                alpha: p.alpha,
                beta: p.beta,
            }),
        };
        (rates.collect(), test)
    }

    /// Places whose goal rate is the higher of two over all, and the lower within personas, or the other way round.
    fn simpson(&self) -> Vec<String> {
        let (map, sums) = (self.map, self.sums);
        if sums.personas.len() < 2 || !self.has_goal() {
            return Vec::new();
        }
        let stages = map.stages.iter().map(|s| &s.id);
        let stages = stages.zip(&sums.stages.cells).map(|c| ("stage", c));
        let touchpoints = map.touchpoints.iter().map(|t| &t.id);
        let touchpoints = touchpoints.zip(&sums.touchpoints.cells);
        let channels = map.channels.iter().map(|c| &c.id);
        let channels = channels.zip(&sums.channels.cells);
        let cells = stages
            .chain(touchpoints.map(|c| ("touchpoint", c)))
            .chain(channels.map(|c| ("channel", c)));
        let mut reversed = Vec::new();
        for (place, (word, (id, cell))) in cells.enumerate() {
            let sides = cell.lift(&sums.known, &sums.goal);
            let (Some(a), Some(b)) = (sides.a.effective_n(), sides.b.effective_n()) else {
                continue;
            };
            // Observations count for what they are worth, customers having several.
            #[allow(clippy::cast_precision_loss)] // counts of journeys
            let worth = (a + b) / (sides.a.n + sides.b.n) as f64;
            #[allow(
                clippy::cast_precision_loss,
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss
            )]
            let less = |n: u64| (n as f64 * worth).round() as u64;
            let strata: Vec<Stratum> = sums
                .personas
                .iter()
                .filter_map(|group| {
                    let here = group.cells.get(place)?;
                    let (k, n) = (here.goal.k, here.known.n);
                    let (of_k, of_n) = (group.goal.k - k, group.known.n - n);
                    Some([[k, n - k], [of_k, of_n - of_k]].map(|side| side.map(less)))
                })
                .collect();
            let verdict = simpson(&strata, self.judge.level).map(|s| s.verdict);
            if matches!(
                verdict,
                Some(SimpsonVerdict::Reversed | SimpsonVerdict::PossiblyReversed)
            ) {
                reversed.push(format!("the goal rate with and without the {word} `{id}`"));
            }
        }
        reversed
    }

    pub(super) fn trend(&self) -> Option<Trend> {
        let periods = self.plan.periods.as_ref()?;
        let groups = &self.sums.periods;
        let unit = serde_json::to_value(periods.unit).unwrap_or_default();
        let rows = self.cells_of_groups().into_iter().enumerate();
        let rows = rows.filter(|(_, (kind, _))| *kind != CellKind::Channel);
        let rates = |of: &dyn Fn(&GroupSums) -> Rate| groups.iter().map(of).collect::<Vec<_>>();
        Some(Trend {
            unit: unit.as_str().unwrap_or_default().to_owned(),
            zone: periods.zone.iana_name().unwrap_or("UTC").to_owned(),
            periods: groups
                .iter()
                .enumerate()
                .map(|(place, group)| TrendPeriod {
                    name: day(periods, place),
                    from: periods.bounds[place],
                    to: periods.bounds[place + 1],
                    complete: self.complete(periods, place),
                    customers: group.journeys.m,
                    journeys: group.journeys.n,
                    goal: self.goal_rate(&group.known, &group.goal, Base::OfKnown),
                })
                .collect(),
            rows: rows
                .map(|(place, (kind, id))| TrendRow {
                    kind,
                    id,
                    reach: rates(&|g| {
                        let reach = &g.cells[place].reach;
                        self.judge.rate(&g.journeys.with(reach), Base::OfAll)
                    }),
                    goal: rates(&|g| {
                        let cell = &g.cells[place];
                        self.goal_rate(&cell.known, &cell.goal, Base::OfVisits)
                    }),
                })
                .collect(),
        })
    }
}

/// The first day of a period.
fn day(periods: &PeriodPlan, place: usize) -> String {
    let begin = periods.bounds.get(place).copied().unwrap_or_default();
    Timestamp::from_microsecond(begin).map_or_else(
        |_| String::new(),
        |t| t.to_zoned(periods.zone.clone()).date().to_string(),
    )
}
