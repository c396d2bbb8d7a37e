//! Any analysis, group by group, in the same pass.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Analysis, Breakdown, Grouping, Located, Measure, Partial};
use crate::error::{Result, SpecError};
use crate::journey::{Journey, Morsel};
use crate::log::Catalog;
use crate::report::{Caveat, Cells, Report, Table};

/// The analysis `of`, once for each group of a breakdown.
///
/// Groups are ordered by their number of journeys, then by name; the journeys of every group add up to all journeys
/// unless a journey is in several groups, which the report then says.
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
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(bound = "P: Serialize + DeserializeOwned")]
pub struct ByPartial<P> {
    groups: BTreeMap<u32, GroupPartial<P>>,
    n_customers: u64,
    n_overlapping: u64,
}

#[derive(Debug, Serialize, Deserialize)]
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
            if let Some(ours) = self.groups.get_mut(group) {
                ours.n_journeys += theirs.n_journeys;
                ours.n_customers += theirs.n_customers;
                ours.of.merge(&theirs.of);
            }
        }
        self.n_customers += other.n_customers;
        self.n_overlapping += other.n_overlapping;
    }

    fn heap_bytes(&self) -> usize {
        self.groups
            .values()
            .map(|g| size_of::<GroupPartial<P>>() + g.of.heap_bytes())
            .sum()
    }
}

impl<A: Analysis> Analysis for By<A> {
    const NAME: &'static str = A::NAME;
    const STATE_VERSION: u32 = A::STATE_VERSION;
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

    fn start(plan: &Self::Plan) -> Self::Partial {
        // Every group is there from the start, so that merging needs no plan.
        let group = |g: usize| {
            (
                g as u32,
                GroupPartial {
                    n_journeys: 0,
                    n_customers: 0,
                    of: A::start(&plan.of),
                },
            )
        };
        ByPartial {
            groups: (0..plan.grouping.n_groups()).map(group).collect(),
            n_customers: 0,
            n_overlapping: 0,
        }
    }

    fn observe(plan: &Self::Plan, partial: &mut Self::Partial, morsel: &Morsel<'_>) {
        let split = plan.grouping.split(morsel);
        let mut memberships: BTreeMap<u32, u32> = BTreeMap::new();
        for ((_, group), spans) in partial.groups.iter_mut().zip(&split) {
            if spans.is_empty() {
                continue;
            }
            let sub = morsel.with_spans(spans);
            group.n_journeys += spans.len() as u64;
            for customer in sub.customers() {
                group.n_customers += 1;
                *memberships.entry(customer[0].customer).or_default() += 1;
            }
            A::observe(&plan.of, &mut group.of, &sub);
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
        let inner = A::locate(&plan.of, journey);
        let mut cells = Vec::with_capacity(groups.len() * inner.len());
        for group in groups {
            let name = plan.grouping.name(group);
            cells.extend(inner.iter().map(|l| Located {
                cell: format!("{name}/{}", l.cell),
                why: format!("{} is `{name}`; {}", plan.label, l.why),
            }));
        }
        cells
    }

    fn cells(plan: &Self::Plan, partial: &Self::Partial) -> Vec<(String, u64)> {
        let mut cells = Vec::new();
        for (&group, state) in &partial.groups {
            let name = plan.grouping.name(group as usize);
            cells.extend(
                A::cells(&plan.of, &state.of)
                    .into_iter()
                    .map(|(cell, n)| (format!("{name}/{cell}"), n)),
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
        let mut tables = vec![groups];
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
        tables
    }

    fn caveats(&self) -> &[Caveat] {
        &self.caveats
    }

    fn caveats_mut(&mut self) -> &mut Vec<Caveat> {
        &mut self.caveats
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }

    fn parts(&self) -> Vec<(&str, &dyn Report)> {
        self.groups
            .iter()
            .map(|g| (g.group.as_str(), &g.report as &dyn Report))
            .collect()
    }
}
