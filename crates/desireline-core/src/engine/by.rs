//! Any analysis, group by group, in the same pass.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::contract::MOST;
use super::{Analysis, Breakdown, Grouping, Located, Measure, Partial};
use crate::error::{Result, SpecError};
use crate::journey::{Journey, Morsel};
use crate::log::Catalog;
use crate::report::{Caveat, Cells, Report, Table};

/// The analysis `of`, once for each group of a breakdown.
///
/// Groups are ordered by their number of journeys, then by name; the journeys of every group add up to all journeys
/// unless a journey is in several groups, which the report then says. A value or segment that is itself called as the
/// group of the rest is (`(missing)`, `(no segment)`) has a `\` before its name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct By<A> {
    /// The analysis.
    pub of: A,
    /// The groups.
    pub groups: Breakdown,
}

/// A bound [`By`].
#[derive(Debug)]
pub struct ByPlan<P> {
    of: P,
    grouping: Grouping,
    label: String,
}

/// What is known of each group so far.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(bound = "P: Serialize + DeserializeOwned")]
pub struct ByPartial<P> {
    /// The groups with journeys.
    groups: BTreeMap<u32, GroupPartial<P>>,
    n_customers: u64,
    n_overlapping: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct GroupPartial<P> {
    n_journeys: u64,
    n_customers: u64,
    of: P,
}

/// One report per group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ByReport<R> {
    /// What the groups are: the attribute's name, or `segment`.
    pub by: String,
    /// The groups, largest first.
    pub groups: Vec<GroupReport<R>>,
    /// What a reader must know.
    pub caveats: Vec<Caveat>,
}

/// The report of one group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GroupReport<R> {
    /// The attribute's value or the segment's name.
    pub group: String,
    /// Its journeys.
    pub n_journeys: u64,
    /// Its customers.
    pub n_customers: u64,
    /// Its report.
    pub report: R,
}

impl<P: Partial> Partial for ByPartial<P> {
    fn merge(&mut self, other: &Self) {
        for (group, theirs) in &other.groups {
            match self.groups.entry(*group) {
                Entry::Occupied(mut ours) => {
                    let ours = ours.get_mut();
                    ours.n_journeys += theirs.n_journeys;
                    ours.n_customers += theirs.n_customers;
                    ours.of.merge(&theirs.of);
                }
                Entry::Vacant(ours) => _ = ours.insert(theirs.clone()),
            }
        }
        self.n_customers += other.n_customers;
        self.n_overlapping += other.n_overlapping;
    }

    fn heap_bytes(&self) -> usize {
        self.groups.values().map(group_bytes).sum()
    }
}

fn group_bytes<P: Partial>(group: &GroupPartial<P>) -> usize {
    size_of::<GroupPartial<P>>() + group.of.heap_bytes()
}

impl<A: Analysis> Analysis for By<A> {
    const NAME: &'static str = A::NAME;
    const STATE_VERSION: u32 = A::STATE_VERSION;
    const COUNTS_CUSTOMERS: bool = A::COUNTS_CUSTOMERS;
    type Plan = ByPlan<A::Plan>;
    type Partial = ByPartial<A::Partial>;
    type Report = ByReport<A::Report>;

    fn plan(&self, catalog: &Catalog) -> Result<Self::Plan, SpecError> {
        Ok(ByPlan {
            of: self.of.plan(catalog)?,
            grouping: Grouping::new(&self.groups, catalog, A::NAME)?,
            label: self.groups.label(),
        })
    }

    fn start(_: &Self::Plan) -> Self::Partial {
        ByPartial {
            groups: BTreeMap::new(),
            n_customers: 0,
            n_overlapping: 0,
        }
    }

    fn check(plan: &Self::Plan, read: &mut Self::Partial) -> Result<(), String> {
        for (&group, state) in &mut read.groups {
            let is_known = (group as usize) < plan.grouping.n_groups();
            if !is_known || state.n_customers > state.n_journeys || state.n_journeys == 0 {
                return Err(format!("group {group} is none of the breakdown's"));
            }
            A::check(&plan.of, &mut state.of)?;
        }
        let most = read.groups.values().map(|g| g.n_journeys).max();
        if read.n_overlapping > read.n_customers || most.is_some_and(|n| n > MOST) {
            return Err("its customers do not add up".to_owned());
        }
        Ok(())
    }

    fn observe(plan: &Self::Plan, partial: &mut Self::Partial, morsel: &Morsel<'_>) {
        let split = plan.grouping.split(morsel);
        let mut memberships: BTreeMap<u32, u32> = BTreeMap::new();
        let mut added = 0;
        for (number, spans) in (0u32..).zip(&split) {
            if spans.is_empty() {
                continue;
            }
            // Groups take memory one by one; beyond the budget the scan ends in an error, so the rest need not.
            if added > morsel.room {
                return;
            }
            let n_groups = partial.groups.len();
            let group = partial
                .groups
                .entry(number)
                .or_insert_with(|| GroupPartial {
                    n_journeys: 0,
                    n_customers: 0,
                    of: A::start(&plan.of),
                });
            let sub = morsel.with_spans(spans);
            group.n_journeys += spans.len() as u64;
            for customer in sub.customers() {
                group.n_customers += 1;
                *memberships.entry(customer[0].customer).or_default() += 1;
            }
            A::observe(&plan.of, &mut group.of, &sub);
            if morsel.room < usize::MAX && partial.groups.len() > n_groups {
                added += partial.groups.get(&number).map_or(0, group_bytes);
            }
        }
        partial.n_customers += memberships.len() as u64;
        partial.n_overlapping += memberships.values().filter(|n| **n > 1).count() as u64;
    }

    fn finish(plan: &Self::Plan, partial: &Self::Partial) -> Result<Self::Report> {
        let mut groups = Vec::new();
        for (&group, state) in partial.groups.iter().filter(|(_, s)| s.n_journeys > 0) {
            groups.push(GroupReport {
                group: plan.grouping.name(group as usize).to_owned(),
                n_journeys: state.n_journeys,
                n_customers: state.n_customers,
                report: A::finish(&plan.of, &state.of)?,
            });
        }
        groups.sort_by(|a, b| {
            b.n_journeys
                .cmp(&a.n_journeys)
                .then_with(|| a.group.cmp(&b.group))
        });
        let mut caveats = Vec::new();
        if partial.n_overlapping > 0 {
            caveats.push(Caveat::PopulationOverlap {
                customers: partial.n_overlapping,
                of: partial.n_customers,
            });
        }
        for group in &groups {
            for caveat in group.report.caveats() {
                if !caveats.contains(caveat) {
                    caveats.push(caveat.clone());
                }
            }
        }
        Ok(ByReport {
            by: plan.label.clone(),
            groups,
            caveats,
        })
    }

    fn locate(plan: &Self::Plan, journey: &Journey<'_>) -> Vec<Located> {
        let groups = plan.grouping.of_journey(journey.morsel(), journey.span());
        let mut cells = Vec::new();
        for group in groups {
            let name = plan.grouping.name(group);
            let inner = plan.grouping.locate::<A>(&plan.of, group, journey);
            cells.extend(inner.into_iter().map(|l| Located {
                cell: plan.grouping.cell(group, &l.cell),
                why: format!("{} is `{name}`; {}", plan.label, l.why),
            }));
        }
        cells
    }

    fn cells(plan: &Self::Plan, partial: &Self::Partial) -> Vec<(String, u64)> {
        let mut cells = Vec::new();
        for (&group, state) in &partial.groups {
            cells.extend(
                A::cells(&plan.of, &state.of)
                    .into_iter()
                    .map(|(cell, n)| (plan.grouping.cell(group as usize, &cell), n)),
            );
        }
        cells
    }

    fn measures(plan: &Self::Plan, partial: &Self::Partial) -> Vec<Measure> {
        let mut measures = Vec::new();
        for (&group, state) in &partial.groups {
            for mut measure in A::measures(&plan.of, &state.of) {
                measure
                    .key
                    .insert(0, plan.grouping.name(group as usize).to_owned());
                measures.push(measure);
            }
        }
        measures
    }
}

impl<R: Report> Report for ByReport<R> {
    fn title(&self) -> &'static str {
        self.groups
            .first()
            .map_or("Breakdown", |g| g.report.title())
    }

    fn tables(&self) -> Vec<Table> {
        let groups = Table::new("groups", format!("Groups by {}", self.by))
            .with(
                "group",
                self.by.clone(),
                Cells::Text(self.groups.iter().map(|g| Some(g.group.clone())).collect()),
            )
            .with(
                "journeys",
                "Journeys",
                Cells::Count(self.groups.iter().map(|g| Some(g.n_journeys)).collect()),
            )
            .with(
                "customers",
                "Customers",
                Cells::Count(self.groups.iter().map(|g| Some(g.n_customers)).collect()),
            );
        // The answer comes first; how large the groups are stands behind it.
        let mut tables = Vec::new();
        let parts: Vec<(String, Vec<Table>)> = self
            .groups
            .iter()
            .map(|g| (g.group.clone(), g.report.tables()))
            .collect();
        let n_tables = parts.iter().map(|(_, t)| t.len()).max().unwrap_or(0);
        for i in 0..n_tables {
            let stack = parts
                .iter()
                .filter_map(|(group, t)| Some((group.clone(), t.get(i)?.clone())))
                .collect();
            tables.extend(Table::stack("group", &self.by, stack));
        }
        tables.push(groups);
        tables
    }

    crate::report::held!();

    fn parts(&self) -> Vec<(&str, &dyn Report)> {
        self.groups
            .iter()
            .map(|g| (g.group.as_str(), &g.report as &dyn Report))
            .collect()
    }
}
