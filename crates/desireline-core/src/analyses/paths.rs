//! Paths: which ways do customers take through their touchpoints?

mod check;
mod entropy;
mod flow;
mod kernel;
mod report;
mod state;

use std::cmp::{Ordering, Reverse};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::entropy::PathEntropy;
pub use self::flow::{Flow, FlowLink, FlowNode, Place};
pub use self::report::{OtherPaths, PathRow, PathsReport};
pub use self::state::PathsPartial;

use self::entropy::Frequencies;
use self::flow::{End, Links, Spot};
use self::kernel::{Goal, observe};
use super::sequences::Width;
use super::{Spread, label, parts};
use crate::engine::{Analysis, Located, Measure, MeasureData};
use crate::error::{Result, SpecError};
use crate::expr::{Expr, IntoExpr};
use crate::journey::{Journey, Mask, Matcher, Morsel};
use crate::log::{Catalog, CodeSlice};
use crate::report::{Base, Caveat, Rate, TOO_FEW};

/// Which ways customers take: how often, how long each lasts, and whether it leads to the goal.
///
/// A path is the sequence of a journey's touchpoints, or of its `first` or `last` few. Journeys with the same sequence
/// are counted together. The `top` most frequent are listed (equal counts by name); `other` holds all others, so that
/// journeys and distinct paths add up to the totals.
///
/// * `share` = journeys on the path ÷ all journeys, and `goal` = journeys on the path with an event that fulfils the
///   goal, wherever in the journey it is ÷ journeys on the path. Both intervals allow for customers with several
///   journeys ([`wilson_clustered`](desireline_stats::wilson_clustered)) and are absent below five journeys.
/// * A duration runs from the path's first touchpoint to its last, at the times that `collapse` keeps.
/// * `entropy` says how much journeys differ: in bits as observed and corrected for paths not seen, over the most that so
///   many paths can have, and as a number of equally frequent paths. `coverage` is the share of journeys on the paths listed.
/// * A journey longer than `first` or `last` is counted in `shortened`; being cut there is no drop-off.
/// * The `flow` counts the links between the first `flow_steps` touchpoints of whole journeys, to the goal or the end.
///
/// Cells: `path/a > b > c`, `goal/a > b > c` (those that reached the goal), and `flow/1/a > b` with the step of `a`;
/// ends are `(goal)`, `(exit)` and `(goes on)`. Takes O(events) time; memory grows with the distinct paths.
///
/// ```
/// use desireline_core::analyses::Paths;
/// use desireline_core::journey::JourneyRule;
/// use desireline_core::log::Log;
///
/// let log = Log::from_rows([
///     ("ann", 1, "home"), ("ann", 2, "cart"), ("ann", 3, "purchase"),
///     ("ben", 1, "home"), ("ben", 2, "cart"),
///     ("eve", 1, "home"), ("eve", 2, "cart"),
/// ])?;
/// let paths = log.journeys(JourneyRule::customer())?.run(&Paths::top(1).goal("purchase")?)?;
/// assert_eq!((paths.journeys, paths.distinct), (3, 2));
/// assert_eq!((paths.paths[0].path.join(" > "), paths.paths[0].journeys), ("home > cart".to_owned(), 2));
/// assert_eq!(paths.other.map(|o| (o.distinct, o.journeys, o.goals)), Some((1, 1, Some(1))));
/// # Ok::<(), desireline_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Paths {
    /// What counts as reaching the goal: an event name or an expression.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub goal: Option<Expr>,
    /// Only the first so many touchpoints of each journey.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first: Option<u32>,
    /// Only the last so many touchpoints of each journey.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<u32>,
    /// Whether repeats of a touchpoint in a row count once, and which of their times is kept.
    pub collapse: Collapse,
    /// How many paths to list.
    pub top: u32,
    /// How many first steps the flow shows; 0 for none.
    pub flow_steps: u32,
    /// How many touchpoints the flow lists at each step.
    pub flow_top: u32,
    /// The level of the intervals.
    pub level: f64,
}

/// What becomes of a touchpoint that is repeated in a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Collapse {
    /// Every event counts.
    #[default]
    None,
    /// The run counts once, at the time of its first event.
    First,
    /// The run counts once, at the time of its last event.
    Last,
}

/// The most first steps a flow can show.
pub const MAX_FLOW_STEPS: u32 = 64;

impl Default for Paths {
    fn default() -> Paths {
        Paths {
            goal: None,
            first: None,
            last: None,
            collapse: Collapse::None,
            top: 20,
            flow_steps: 5,
            flow_top: 8,
            level: 0.95,
        }
    }
}

impl Paths {
    /// The `n` most frequent paths.
    pub fn top(n: u32) -> Paths {
        Paths {
            top: n,
            ..Paths::default()
        }
    }

    /// Tells for each path how many of its journeys reach this goal.
    ///
    /// # Errors
    /// Text that is no expression.
    pub fn goal(self, goal: impl IntoExpr) -> Result<Paths> {
        Ok(Paths {
            goal: Some(goal.into_expr()?),
            ..self
        })
    }

    /// Looks at the first `n` touchpoints of each journey only.
    #[must_use]
    pub fn first(self, n: u32) -> Paths {
        Paths {
            first: Some(n),
            ..self
        }
    }

    /// Looks at the last `n` touchpoints of each journey only.
    #[must_use]
    pub fn last(self, n: u32) -> Paths {
        Paths {
            last: Some(n),
            ..self
        }
    }

    /// Counts repeats in a row once.
    #[must_use]
    pub fn collapse(self, collapse: Collapse) -> Paths {
        Paths { collapse, ..self }
    }

    /// Shows `n` first steps in the flow.
    #[must_use]
    pub fn flow_steps(self, n: u32) -> Paths {
        Paths {
            flow_steps: n,
            ..self
        }
    }

    /// Sets the level of the intervals.
    #[must_use]
    pub fn level(self, level: f64) -> Paths {
        Paths { level, ..self }
    }
}

/// A bound [`Paths`].
#[derive(Debug)]
pub struct PathsPlan {
    spec: Paths,
    goal: Option<Matcher>,
    names: crate::log::Vocabulary,
    /// The place of each name in alphabetical order, by code.
    ranks: Vec<u32>,
    /// Bytes of a code in a key.
    width: Width,
    part: Part,
    /// Whether first steps must be counted apart because the paths do not tell them.
    count_flow: bool,
}

/// Which part of a journey is its path.
#[derive(Clone, Copy, Debug)]
enum Part {
    Whole,
    First(usize),
    Last(usize),
}

fn field(field: &'static str, problem: impl Into<String>) -> SpecError {
    SpecError::Field {
        analysis: Paths::NAME,
        field,
        problem: problem.into(),
    }
}

impl Paths {
    fn part(&self) -> Result<Part, SpecError> {
        let wanted = match (self.first, self.last) {
            (None, None) => return Ok(Part::Whole),
            (Some(_), Some(_)) => {
                return Err(field(
                    "last",
                    "`first` is given too; a path is the first or the last touchpoints, not both",
                ));
            }
            (Some(0), _) => return Err(field("first", "0 touchpoints are no path; use 1 or more")),
            (_, Some(0)) => return Err(field("last", "0 touchpoints are no path; use 1 or more")),
            (Some(n), None) => Part::First(n as usize),
            (None, Some(n)) => Part::Last(n as usize),
        };
        Ok(wanted)
    }
}

impl PathsPlan {
    fn decode<'k>(&self, key: &'k [u8]) -> impl DoubleEndedIterator<Item = u32> + Clone + use<'k> {
        self.width.decode(key)
    }

    fn names_of(&self, key: &[u8]) -> Vec<String> {
        self.decode(key)
            .map(|c| self.names.name(c).to_owned())
            .collect()
    }

    fn cell(&self, kind: &str, key: &[u8]) -> String {
        label::cell(kind, self.decode(key).map(|c| self.names.name(c)))
    }

    /// By the names of the touchpoints, in order.
    fn by_name(&self, a: &[u8], b: &[u8]) -> Ordering {
        let rank = |c: u32| self.ranks.get(c as usize).copied();
        self.decode(a).map(rank).cmp(self.decode(b).map(rank))
    }

    fn is_goal_code(&self, code: u32) -> bool {
        let table = self.goal.as_ref().and_then(Matcher::by_event_code);
        table.is_some_and(|t| t.get(code as usize).copied().unwrap_or(false))
    }

    fn collapses(&self) -> bool {
        self.spec.collapse != Collapse::None
    }

    /// The links of the flow, from the counts of first steps or from the paths.
    fn links(&self, partial: &PathsPartial) -> Links {
        let mut links = Links::default();
        let steps = self.spec.flow_steps as usize;
        let mut codes = Vec::new();
        if self.count_flow {
            for (key, journeys) in partial.flow.iter() {
                let Some((&end, key)) = key.split_last() else {
                    continue;
                };
                codes.clear();
                codes.extend(self.decode(key));
                links.add(&codes, End::from_byte(end), journeys);
            }
        } else if steps > 0 {
            for (key, variant) in partial.variants.iter() {
                codes.clear();
                let mut end = End::Exit;
                for code in self.decode(key) {
                    if self.is_goal_code(code) {
                        end = End::Goal;
                        break;
                    }
                    if codes.len() == steps {
                        end = End::GoesOn;
                        break;
                    }
                    codes.push(code);
                }
                links.add(&codes, end, variant.journeys);
            }
        }
        links
    }

    /// The places of the `top` paths in order.
    fn top(&self, partial: &PathsPartial) -> Vec<usize> {
        let variants = &partial.variants;
        let order = |&a: &usize, &b: &usize| {
            variants
                .journeys(b)
                .cmp(&variants.journeys(a))
                .then_with(|| self.by_name(variants.key(a), variants.key(b)))
        };
        let top = self.spec.top as usize;
        let mut places: Vec<usize> = (0..variants.len()).collect();
        if top < places.len() {
            // By counts first: names are compared only between paths that could be the last one listed.
            let mut counts: Vec<u64> = places.iter().map(|&p| variants.journeys(p)).collect();
            let least = *counts
                .select_nth_unstable_by_key(top - 1, |&n| Reverse(n))
                .1;
            places.retain(|&place| variants.journeys(place) >= least);
        }
        if top < places.len() {
            places.select_nth_unstable_by(top, order);
            places.truncate(top);
        }
        places.sort_unstable_by(order);
        places
    }
}

impl Analysis for Paths {
    const NAME: &'static str = "paths";
    const STATE_VERSION: u32 = 2;
    type Plan = PathsPlan;
    type Partial = PathsPartial;
    type Report = PathsReport;

    fn plan(&self, catalog: &Catalog) -> Result<PathsPlan, SpecError> {
        let part = self.part()?;
        if self.top == 0 {
            return Err(field("top", "0 paths cannot be listed; use 1 or more"));
        }
        if self.flow_steps > MAX_FLOW_STEPS {
            let problem = format!(
                "{} steps, at most {MAX_FLOW_STEPS} are shown",
                self.flow_steps
            );
            return Err(field("flow_steps", problem));
        }
        if self.flow_top == 0 {
            return Err(field(
                "flow_top",
                "0 touchpoints cannot be listed; use 1 or more",
            ));
        }
        parts::check_level(Self::NAME, self.level)?;
        let goal = match &self.goal {
            Some(expr) => Some(
                Matcher::new(expr, catalog).map_err(|source| SpecError::Expr {
                    analysis: Self::NAME,
                    field: "goal",
                    source,
                })?,
            ),
            None => None,
        };
        let names = catalog.events.clone();
        let mut alphabetical: Vec<(&str, usize)> = names.names().zip(0..).collect();
        alphabetical.sort_unstable();
        let mut ranks = vec![0; names.len()];
        for (rank, (_, code)) in (0..).zip(alphabetical) {
            ranks[code] = rank;
        }
        let told = match part {
            Part::Whole => true,
            // One touchpoint more tells whether the journey goes on.
            Part::First(n) => n > self.flow_steps as usize,
            Part::Last(_) => false,
        };
        let by_code = goal.as_ref().is_none_or(|g| g.by_event_code().is_some());
        Ok(PathsPlan {
            spec: self.clone(),
            width: Width::of(names.len()),
            goal,
            names,
            ranks,
            part,
            count_flow: self.flow_steps > 0 && !(told && by_code),
        })
    }

    fn start(_: &PathsPlan) -> PathsPartial {
        PathsPartial::default()
    }

    fn check(plan: &PathsPlan, read: &mut PathsPartial) -> Result<(), String> {
        check::check(plan, read)
    }

    fn observe(plan: &PathsPlan, partial: &mut PathsPartial, morsel: &Morsel<'_>) {
        let mut mask = Mask::default();
        let goal = match &plan.goal {
            None => Goal::None,
            Some(matcher) => match matcher.by_event_code() {
                Some(table) => Goal::Codes(table),
                None => {
                    matcher.fill(morsel, &mut mask);
                    Goal::Events(&mask)
                }
            },
        };
        match morsel.codes() {
            CodeSlice::U8(codes) => observe(plan, partial, morsel, codes, goal),
            CodeSlice::U16(codes) => observe(plan, partial, morsel, codes, goal),
            CodeSlice::U32(codes) => observe(plan, partial, morsel, codes, goal),
        }
    }

    fn finish(plan: &PathsPlan, partial: &PathsPartial) -> Result<PathsReport> {
        let level = plan.spec.level;
        let all = &partial.all;
        let n = all.n.max(1) as f64;
        let has_goal = plan.goal.is_some();
        let (mut cumulative, mut goals) = (0, 0);
        let (mut withheld, mut exact) = (0, partial.times.is_exact());
        let mut paths = Vec::new();
        let top = plan.top(partial);
        let durations = partial.variants.durations(&top);
        for (place, times) in top.into_iter().zip(&durations) {
            let variant = partial.variants.sums(place);
            cumulative += variant.journeys;
            goals += variant.goals;
            exact &= times.is_exact();
            let row = PathRow {
                path: plan.names_of(partial.variants.key(place)),
                journeys: variant.journeys,
                customers: variant.customers,
                share: Rate::clustered(&variant.share(all), Base::OfAll, level),
                cumulative_share: cumulative as f64 / n,
                goal: has_goal.then(|| Rate::clustered(&variant.goal(), Base::OfPath, level)),
                duration: Spread::new(times, level),
            };
            withheld += u64::from(row.goal.is_some_and(|g| g.too_few()));
            paths.push(row);
        }
        let (listed, distinct) = (paths.len() as u64, partial.variants.len() as u64);
        let mut caveats = Vec::new();
        if listed < distinct {
            caveats.push(Caveat::Truncated {
                what: "paths".to_owned(),
                shown: listed,
                distinct,
            });
        }
        if withheld > 0 {
            caveats.push(Caveat::TooFew {
                what: "goal rates".to_owned(),
                cells: withheld,
                least: TOO_FEW,
            });
        }
        if !exact {
            caveats.push(parts::approximate_quantiles());
        }
        if all.nn > u128::from(all.n) {
            caveats.push(Caveat::IndependenceAssumed {
                what: "durations".to_owned(),
            });
        }
        let steps = plan.spec.flow_steps;
        let places = 0..partial.variants.len();
        let frequencies = Frequencies::of(places.map(|place| partial.variants.journeys(place)));
        Ok(PathsReport {
            journeys: all.n,
            customers: all.m,
            distinct,
            singletons: frequencies.singletons(),
            entropy: frequencies.entropy(),
            shortened: partial.shortened,
            coverage: cumulative as f64 / n,
            paths,
            other: (listed < distinct).then(|| OtherPaths {
                distinct: distinct - listed,
                journeys: all.n - cumulative,
                goals: has_goal.then_some(all.k - goals),
                share: (all.n - cumulative) as f64 / n,
            }),
            goal: has_goal.then(|| Rate::clustered(all, Base::OfAll, level)),
            duration: Spread::new(&partial.times, level),
            flow: (steps > 0).then(|| {
                let top = plan.spec.flow_top as usize;
                plan.links(partial).finish(steps, top, &plan.names)
            }),
            caveats,
        })
    }

    fn locate(plan: &PathsPlan, journey: &Journey<'_>) -> Vec<Located> {
        let goals: Vec<usize> = plan.goal.as_ref().map_or_else(Vec::new, |goal| {
            let start = journey.span().start as usize;
            let hits = goal.matches_in(journey.morsel(), journey.span());
            hits.into_iter().map(|i| i - start).collect()
        });
        let mut touchpoints: Vec<(u32, bool)> = Vec::new();
        for (i, code) in journey.codes().enumerate() {
            let goal = goals.binary_search(&i).is_ok();
            match touchpoints.last_mut() {
                Some((last, reached)) if plan.collapses() && *last == code => *reached |= goal,
                _ => touchpoints.push((code, goal)),
            }
        }
        let name = |code: u32| plan.names.name(code);

        let n = touchpoints.len();
        let (shown, what) = match plan.part {
            Part::Whole => (&touchpoints[..], "its touchpoints".to_owned()),
            Part::First(k) => (
                &touchpoints[..n.min(k)],
                format!("its first {k} touchpoints"),
            ),
            Part::Last(k) => (
                &touchpoints[n.saturating_sub(k)..],
                format!("its last {k} touchpoints"),
            ),
        };
        let path = shown.iter().map(|&(code, _)| name(code));
        let mut cells = vec![Located {
            cell: label::cell("path", path.clone()),
            why: format!("{what} in order, of {} events", journey.len()),
        }];
        if let Some(&i) = goals.first() {
            cells.push(Located {
                cell: label::cell("goal", path),
                why: format!(
                    "event {} (`{}`) fulfils the goal",
                    i + 1,
                    name(journey.code(i))
                ),
            });
        }

        let steps = plan.spec.flow_steps as usize;
        let mut from: Option<u32> = None;
        for step in 0..=steps {
            let to = match touchpoints.get(step) {
                _ if steps == 0 => break,
                None => Spot::End(End::Exit),
                Some((_, true)) => Spot::End(End::Goal),
                Some(_) if step == steps => Spot::End(End::GoesOn),
                Some(&(code, false)) => Spot::At(code),
            };
            if let Some(from) = from {
                cells.push(Located {
                    cell: plan.flow_cell(step as u32, from, to),
                    why: format!("step {step} is `{}`", name(from)),
                });
            }
            match to {
                Spot::At(code) => from = Some(code),
                Spot::End(_) => break,
            }
        }
        cells
    }

    fn cells(plan: &PathsPlan, partial: &PathsPartial) -> Vec<(String, u64)> {
        let mut cells = Vec::new();
        for (key, variant) in partial.variants.iter() {
            cells.push((plan.cell("path", key), variant.journeys));
            if variant.goals > 0 {
                cells.push((plan.cell("goal", key), variant.goals));
            }
        }
        for ((step, from, to), journeys) in plan.links(partial).counts {
            cells.push((plan.flow_cell(step, from, to), journeys));
        }
        cells
    }

    /// `path` and `path_goal` by touchpoints, `path_duration` where a path has enough journeys, `goal` and `duration`
    /// of all journeys. A path that a group has not taken has a share of 0 of the group's journeys.
    fn measures(plan: &PathsPlan, partial: &PathsPartial) -> Vec<Measure> {
        let has_goal = plan.goal.is_some();
        let mut measures = vec![Measure {
            kind: "duration",
            key: Vec::new(),
            data: MeasureData::Times {
                times: partial.times.clone(),
                one_each: partial.all.nn == u128::from(partial.all.n),
            },
        }];
        if has_goal {
            measures.push(Measure {
                kind: "goal",
                key: Vec::new(),
                data: MeasureData::Rate(partial.all),
            });
        }
        let mut order: Vec<usize> = (0..partial.variants.len()).collect();
        order.sort_unstable_by(|&a, &b| {
            plan.by_name(partial.variants.key(a), partial.variants.key(b))
        });
        let durations = partial.variants.durations(&order);
        for (place, times) in order.into_iter().zip(durations) {
            let variant = partial.variants.sums(place);
            let key = plan.names_of(partial.variants.key(place));
            let mut push = |kind, data| {
                measures.push(Measure {
                    kind,
                    key: key.clone(),
                    data,
                });
            };
            push("path", MeasureData::Rate(variant.share(&partial.all)));
            if has_goal {
                push("path_goal", MeasureData::Rate(variant.goal()));
            }
            if variant.journeys >= TOO_FEW {
                let one_each = parts::at_most_one_each(&variant.share(&partial.all));
                push("path_duration", MeasureData::Times { times, one_each });
            }
        }
        measures
    }
}

impl PathsPlan {
    fn flow_cell(&self, step: u32, from: u32, to: Spot) -> String {
        let mut cell = format!("flow/{step}/");
        label::push(&mut cell, self.names.name(from));
        cell.push_str(" > ");
        to.push_label(&mut cell, &self.names);
        cell
    }
}
