//! The usual order of experiences: which touchpoint comes before which?

mod order;
mod report;
mod state;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::report::{
    OrderedTouchpoint, OtherTouchpoints, PrecedencePair, PrecedenceReport, Verdict,
};
pub use self::state::PrecedencePartial;

use super::{label, parts};
use crate::engine::{Analysis, Located, Measure, MeasureData};
use crate::error::{Result, SpecError, nearest};
use crate::journey::{Journey, Morsel};
use crate::log::{Catalog, Vocabulary};
use crate::time::format_instant;

/// More touchpoints than this are not put in order.
pub const MAX_TOUCHPOINTS: usize = 128;

/// In which order do people usually meet the touchpoints?
///
/// **Before.** Of the journeys that have both a and b, the share in which the first a comes before the first b; what
/// lies between does not matter, nor do repeats. Events of one time count in the order of the log (the `tie` column, else
/// the input); `ties` says in how many journeys only that decided. `both` says how many journeys have both, and a
/// touchpoint's `journeys` how many have it at all.
///
/// **The usual order** is by net wins: a touchpoint wins over another if it is the earlier one in more than half of the
/// journeys that have both (Copeland's rule). Equal ones are put by the difference in journeys over all of their pairs,
/// then by journeys, then by name.
///
/// **What can be said** of a pair: `follows` if the whole interval of the share lies above one half, `against` if it
/// lies below (the two are sure to be met the other way round, yet the others put them like this), `unclear` if it holds
/// one half, `too_few` below five journeys with both. About one in twenty pairs without any order is called sure at a
/// level of 0.95.
///
/// **Which touchpoints.** Those asked for, or the `top` by journeys out of the 128 most frequent names of the log. The
/// others are left out of the matrix; `other` says how many they are and how often they are visited.
///
/// Intervals are clustered by customer. Cells: `touchpoint/a` and `before/a > b`. Takes O(events) time, and for each
/// journey the square of the touchpoints in it, at most 128; memory for at most 8,128 pairs.
///
/// Source: A. H. Copeland, *A reasonable social welfare function*, 1951.
///
/// ```
/// use desireline_core::analyses::Precedence;
/// use desireline_core::journey::JourneyRule;
/// use desireline_core::log::Log;
///
/// let mut rows = Vec::new();
/// for (customer, way) in [("ann", "home search cart"), ("ben", "home cart search home"), ("eve", "home search cart")] {
///     rows.extend(way.split(' ').zip(1..).map(|(event, time)| (customer, time, event)));
/// }
/// let found = Log::from_rows(rows)?.journeys(JourneyRule::customer())?.run(&Precedence::default())?;
/// let order: Vec<&str> = found.touchpoints.iter().map(|t| t.touchpoint.as_str()).collect();
/// assert_eq!(order, ["home", "search", "cart"]);
/// // All three have search and cart; in two of them search comes first.
/// let pair = found.pair("search", "cart").ok_or("no such pair")?;
/// assert_eq!((pair.before.count, pair.before.n, pair.ties), (2, 3, 0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Precedence {
    /// The event names to put in order, at most 128; the most frequent unless given.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub touchpoints: Vec<String>,
    /// How many touchpoints are put in order where none are named, at most 128.
    pub top: u32,
    /// The confidence level of all intervals.
    pub level: f64,
}

impl Default for Precedence {
    fn default() -> Precedence {
        Precedence {
            touchpoints: Vec::new(),
            top: 20,
            level: parts::default_level(),
        }
    }
}

impl Precedence {
    /// The usual order of the `n` touchpoints that most journeys have.
    pub fn top(n: u32) -> Precedence {
        Precedence {
            top: n,
            ..Precedence::default()
        }
    }

    /// The usual order of these touchpoints.
    pub fn of<S: Into<String>>(touchpoints: impl IntoIterator<Item = S>) -> Precedence {
        Precedence {
            touchpoints: touchpoints.into_iter().map(Into::into).collect(),
            ..Precedence::default()
        }
    }

    /// Sets the confidence level of all intervals.
    #[must_use]
    pub fn level(self, level: f64) -> Precedence {
        Precedence { level, ..self }
    }

    fn validate(&self) -> Result<(), SpecError> {
        parts::check_level(Self::NAME, self.level)?;
        let asked = self.touchpoints.len();
        if asked > MAX_TOUCHPOINTS {
            let problem = format!("{asked} are too many, the limit is {MAX_TOUCHPOINTS}");
            return Err(field("touchpoints", problem));
        }
        if self.top as usize > MAX_TOUCHPOINTS {
            let top = self.top;
            let problem = format!("{top} is too many, the limit is {MAX_TOUCHPOINTS}");
            return Err(field("top", problem));
        }
        if self.top == 0 {
            let problem = "0 touchpoints have no order; use 2 or more".to_owned();
            return Err(field("top", problem));
        }
        Ok(())
    }
}

fn field(field: &'static str, problem: String) -> SpecError {
    SpecError::Field {
        analysis: Precedence::NAME,
        field,
        problem,
    }
}

/// A bound [`Precedence`].
#[derive(Debug)]
pub struct PrecedencePlan {
    names: Vocabulary,
    /// The codes that are counted in pairs, each once.
    chosen: Vec<u32>,
    /// By code: the place in `chosen`, or [`NOT`].
    places: Box<[u8]>,
    /// Touchpoints to list.
    top: usize,
    level: f64,
}

/// No place.
const NOT: u8 = u8::MAX;

impl PrecedencePlan {
    fn name(&self, place: usize) -> &str {
        self.chosen.get(place).map_or("", |&c| self.names.name(c))
    }
}

impl Analysis for Precedence {
    const NAME: &'static str = "precedence";
    const STATE_VERSION: u32 = 1;
    type Plan = PrecedencePlan;
    type Partial = PrecedencePartial;
    type Report = PrecedenceReport;

    fn plan(&self, catalog: &Catalog) -> Result<PrecedencePlan, SpecError> {
        self.validate()?;
        let names = &catalog.events;
        let mut chosen: Vec<u32> = Vec::new();
        for name in &self.touchpoints {
            let Some(code) = names.code(name) else {
                let near = nearest(name, names.names());
                let near = near.map_or(String::new(), |n| format!("; did you mean `{n}`?"));
                let problem = format!("the log has no event `{name}`{near}");
                return Err(field("touchpoints", problem));
            };
            if !chosen.contains(&code) {
                chosen.push(code);
            }
        }
        let top = match self.touchpoints.is_empty() {
            true => self.top as usize,
            false => chosen.len(),
        };
        if self.touchpoints.is_empty() {
            // Names are stored by how frequent they are.
            chosen.extend((0..).take(names.len().min(MAX_TOUCHPOINTS)));
        }
        let mut places = vec![NOT; names.len()].into_boxed_slice();
        for (place, &code) in (0..).zip(&chosen) {
            places[code as usize] = place;
        }
        Ok(PrecedencePlan {
            names: names.clone(),
            chosen,
            places,
            top,
            level: self.level,
        })
    }

    fn start(_: &PrecedencePlan) -> PrecedencePartial {
        PrecedencePartial::default()
    }

    fn check(plan: &PrecedencePlan, read: &mut PrecedencePartial) -> Result<(), String> {
        read.check(plan.names.len(), plan.chosen.len(), &plan.chosen)
    }

    fn observe(plan: &PrecedencePlan, partial: &mut PrecedencePartial, morsel: &Morsel<'_>) {
        state::observe(plan, partial, morsel);
    }

    fn finish(plan: &PrecedencePlan, partial: &PrecedencePartial) -> Result<PrecedenceReport> {
        Ok(report::finish(plan, partial))
    }

    fn locate(plan: &PrecedencePlan, journey: &Journey<'_>) -> Vec<Located> {
        let mut firsts: Vec<(u32, i64)> = Vec::new();
        for (code, &time) in journey.codes().zip(journey.times()) {
            if plan.chosen.contains(&code) && !firsts.iter().any(|f| f.0 == code) {
                firsts.push((code, time));
            }
        }
        let name = |code| plan.names.name(code);
        let mut cells = Vec::new();
        for (i, &(a, at)) in firsts.iter().enumerate() {
            let first = format!("the first `{}` is at {}", name(a), format_instant(at));
            for &(b, then) in &firsts[i + 1..] {
                let why = match at == then {
                    true => "at the same time and after it in the log".to_owned(),
                    false => format!("at {}", format_instant(then)),
                };
                cells.push(Located {
                    cell: label::cell("before", [name(a), name(b)]),
                    why: format!("{first}, the first `{}` {why}", name(b)),
                });
            }
            cells.push(Located {
                cell: label::cell("touchpoint", [name(a)]),
                why: first,
            });
        }
        cells
    }

    fn cells(plan: &PrecedencePlan, partial: &PrecedencePartial) -> Vec<(String, u64)> {
        let mut cells = Vec::new();
        for (place, code) in plan.chosen.iter().enumerate() {
            let name = plan.names.name(*code);
            let visits = partial.visits(*code);
            cells.push((label::cell("touchpoint", [name]), visits));
            for later in place + 1..plan.chosen.len() {
                let (pair, other) = (partial.pair(place, later), plan.name(later));
                let (k, n) = (pair.first.k, pair.first.n);
                cells.push((label::cell("before", [name, other]), k));
                cells.push((label::cell("before", [other, name]), n - k));
            }
        }
        cells
    }

    /// `before`, of each pair that some journey has, by names in alphabetical order.
    fn measures(plan: &PrecedencePlan, partial: &PrecedencePartial) -> Vec<Measure> {
        let mut measures = Vec::new();
        for (earlier, later, pair) in partial.pairs() {
            let (mut a, mut b, mut first) = (plan.name(earlier), plan.name(later), pair.first);
            if a > b {
                (a, b, first) = (b, a, state::turned(&first));
            }
            measures.push(Measure {
                kind: "before",
                key: vec![a.to_owned(), b.to_owned()],
                data: MeasureData::Rate(first),
            });
        }
        measures
    }
}
