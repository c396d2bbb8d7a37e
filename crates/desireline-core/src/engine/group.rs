//! Splitting journeys into groups: by an attribute, or by segments.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Analysis, Located};
use crate::error::{SpecError, nearest};
use crate::expr::Expr;
use crate::journey::{Journey, Mask, Matcher, Morsel, Span};
use crate::log::{AttributeType, Catalog, Value};

/// The name of the group of journeys without a value.
pub const MISSING: &str = "(missing)";
/// The name of the group of journeys in none of the segments.
pub const NO_SEGMENT: &str = "(no segment)";
/// More groups than this are no breakdown.
pub const MAX_GROUPS: usize = 1_000;

/// A named set of journeys: those with an event for which the expression holds.
///
/// A condition on a customer attribute makes it a set of customers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Segment {
    /// Its name.
    pub name: String,
    /// Its condition.
    pub expr: Expr,
}

impl Segment {
    /// The segment of journeys with an event for which `expr` holds.
    pub fn new(name: impl Into<String>, expr: Expr) -> Segment {
        Segment {
            name: name.into(),
            expr,
        }
    }
}

/// Which of a journey's values of an attribute puts it into a group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Attribution {
    /// The first event's that has one.
    #[default]
    First,
    /// The last event's that has one.
    Last,
    /// Every one: a journey can be in several groups.
    Each,
}

/// How to split journeys into groups: by an attribute's values or into named segments.
///
/// Missing values form a group of their own, as do journeys in no segment. A journey can be in several segments.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, deny_unknown_fields)]
pub enum Breakdown {
    /// One group for each value of an attribute.
    Attribute {
        /// The attribute.
        by: String,
        /// Which value counts where a journey has several.
        #[serde(default)]
        attribution: Attribution,
    },
    /// One group for each segment.
    Segments {
        /// The segments.
        segments: Vec<Segment>,
    },
}

impl Breakdown {
    /// By an attribute's first value in the journey.
    pub fn by(attribute: impl Into<String>) -> Breakdown {
        Breakdown::Attribute {
            by: attribute.into(),
            attribution: Attribution::First,
        }
    }

    /// What the groups are groups of, for headings.
    pub fn label(&self) -> String {
        match self {
            Breakdown::Attribute { by, .. } => by.clone(),
            Breakdown::Segments { .. } => "segment".to_owned(),
        }
    }
}

/// `name` with a `\` before it where it could be taken for the group of the rest, as in a log whose values say
/// `(missing)` themselves.
fn told_apart(name: &str, rest: &str) -> String {
    if name.trim_start_matches('\\') == rest {
        format!("\\{name}")
    } else {
        name.to_owned()
    }
}

/// A breakdown bound to a catalog.
#[derive(Debug)]
pub struct Grouping {
    names: Vec<String>,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Attribute {
        index: usize,
        attribution: Attribution,
    },
    Segments(Vec<Matcher>),
}

impl Grouping {
    /// Binds `breakdown` for `analysis`.
    pub fn new(
        breakdown: &Breakdown,
        catalog: &Catalog,
        analysis: &'static str,
    ) -> Result<Grouping, SpecError> {
        match breakdown {
            Breakdown::Attribute { by, attribution } => {
                let known = || catalog.attributes.iter().map(|a| a.name.as_str());
                if by == "channel" && catalog.channel_is_ambiguous() {
                    return Err(SpecError::Field {
                        analysis,
                        field: "by",
                        problem: "`channel` is both the declared channel and a column of its own; write the name of the channel's column, or name segments by `attr.channel`".to_owned(),
                    });
                }
                let index = catalog
                    .attribute(by)
                    .ok_or_else(|| SpecError::UnknownAttribute {
                        analysis,
                        field: "by",
                        name: by.clone(),
                        nearest: nearest(by, known()),
                        known: known().map(str::to_owned).collect(),
                    })?;
                let info = &catalog.attributes[index];
                if !matches!(info.kind, AttributeType::Text | AttributeType::Boolean) {
                    let problem = format!(
                        "`{by}` holds numbers; name segments instead, such as `{by} >= 10`"
                    );
                    return Err(SpecError::Field {
                        analysis,
                        field: "by",
                        problem,
                    });
                }
                if info.dictionary.len() >= MAX_GROUPS {
                    let problem = format!(
                        "`{by}` has {} values, the limit is {MAX_GROUPS}; name segments instead",
                        info.dictionary.len()
                    );
                    return Err(SpecError::Field {
                        analysis,
                        field: "by",
                        problem,
                    });
                }
                let names = info
                    .dictionary
                    .names()
                    .map(|name| told_apart(name, MISSING))
                    .chain([MISSING.to_owned()])
                    .collect();
                Ok(Grouping {
                    names,
                    kind: Kind::Attribute {
                        index,
                        attribution: *attribution,
                    },
                })
            }
            Breakdown::Segments { segments } => {
                let mut names: Vec<String> = Vec::with_capacity(segments.len() + 1);
                let mut matchers = Vec::with_capacity(segments.len());
                for segment in segments {
                    if names.contains(&told_apart(&segment.name, NO_SEGMENT)) {
                        let problem = format!("two segments are called `{}`", segment.name);
                        return Err(SpecError::Field {
                            analysis,
                            field: "segments",
                            problem,
                        });
                    }
                    let bound = Matcher::new(&segment.expr, catalog);
                    matchers.push(bound.map_err(|source| SpecError::Expr {
                        analysis,
                        field: "segments",
                        source,
                    })?);
                    names.push(told_apart(&segment.name, NO_SEGMENT));
                }
                if names.is_empty() || names.len() >= MAX_GROUPS {
                    let problem = format!(
                        "{} segments given, from 1 to {} are allowed",
                        names.len(),
                        MAX_GROUPS - 1
                    );
                    return Err(SpecError::Field {
                        analysis,
                        field: "segments",
                        problem,
                    });
                }
                names.push(NO_SEGMENT.to_owned());
                Ok(Grouping {
                    names,
                    kind: Kind::Segments(matchers),
                })
            }
        }
    }

    /// The number of groups, the one for the rest included.
    pub fn n_groups(&self) -> usize {
        self.names.len()
    }

    /// The name of group `group`.
    pub fn name(&self, group: usize) -> &str {
        self.names.get(group).map_or("", String::as_str)
    }

    /// The cell of group `group` that is called `cell` within it: `web/converted`, with a `\` before `\` and `/` in the
    /// group's name, so that no group's cell can be mistaken for another's.
    pub fn cell(&self, group: usize, cell: &str) -> String {
        let name = self.name(group);
        let mut label = String::with_capacity(name.len() + 1 + cell.len());
        for c in name.chars() {
            if matches!(c, '\\' | '/') {
                label.push('\\');
            }
            label.push(c);
        }
        label.push('/');
        label.push_str(cell);
        label
    }

    /// The place of the group called `name`.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|n| n == name)
    }

    /// The place of the group of all that is in no other.
    pub fn rest(&self) -> usize {
        self.names.len() - 1
    }

    /// The journeys of the morsel by group. A journey can be in several groups; within a group order is kept.
    pub fn split(&self, morsel: &Morsel<'_>) -> Vec<Vec<Span>> {
        let mut groups = vec![Vec::new(); self.n_groups()];
        let masks = self.masks(morsel);
        let mut found = Vec::new();
        for &span in morsel.spans() {
            found.clear();
            self.groups_of(morsel, span, &masks, &mut found);
            for &group in &found {
                groups[group].push(span);
            }
        }
        groups
    }

    /// The cells of `of` in which the journey is counted as one of `group`'s.
    pub(crate) fn locate<A: Analysis>(
        &self,
        of: &A::Plan,
        group: usize,
        journey: &Journey<'_>,
    ) -> Vec<Located> {
        if !A::COUNTS_CUSTOMERS {
            return A::locate(of, journey);
        }
        let (morsel, span) = (journey.morsel(), journey.span());
        let is_here = |span: &Span| self.of_journey(morsel, *span).contains(&group);
        let mut theirs = morsel.journeys_of(span.customer).iter().copied();
        // The first one in the group tells all; the others need not be looked at to know that they tell nothing.
        let Some(first) = theirs.find(is_here).filter(|first| *first == span) else {
            return Vec::new();
        };
        let spans: Vec<Span> = std::iter::once(first)
            .chain(theirs.filter(is_here))
            .collect();
        A::locate(of, &Journey::new(morsel.with_spans(&spans), first))
    }

    /// The events of each segment; none for a breakdown by attribute.
    fn masks(&self, morsel: &Morsel<'_>) -> Vec<Mask> {
        let fill = |matcher: &Matcher| {
            let mut mask = Mask::default();
            matcher.fill(morsel, &mut mask);
            mask
        };
        match &self.kind {
            Kind::Attribute { .. } => Vec::new(),
            Kind::Segments(matchers) => matchers.iter().map(fill).collect(),
        }
    }

    /// The groups of one journey, ascending.
    pub fn of_journey(&self, morsel: &Morsel<'_>, span: Span) -> Vec<usize> {
        morsel.alone(span, |alone, span| {
            let mut found = Vec::new();
            self.groups_of(alone, span, &self.masks(alone), &mut found);
            found.sort_unstable();
            found
        })
    }

    fn groups_of(&self, morsel: &Morsel<'_>, span: Span, masks: &[Mask], found: &mut Vec<usize>) {
        match &self.kind {
            Kind::Attribute { index, attribution } => {
                let value = |i: usize| match morsel.attribute(*index, i, span.customer) {
                    Value::Code(code) => Some(code as usize),
                    _ => None,
                };
                match attribution {
                    Attribution::First => found.extend(span.range().find_map(value)),
                    Attribution::Last => found.extend(span.range().rev().find_map(value)),
                    Attribution::Each => {
                        for code in span.range().filter_map(value) {
                            if !found.contains(&code) {
                                found.push(code);
                            }
                        }
                    }
                }
            }
            Kind::Segments(_) => {
                let hit = |mask: &Mask| mask.any_in(span.range());
                found.extend(
                    masks
                        .iter()
                        .enumerate()
                        .filter(|(_, m)| hit(m))
                        .map(|(group, _)| group),
                );
            }
        }
        if found.is_empty() {
            found.push(self.rest());
        }
    }
}
