//! From the groups' states to the report.

use std::collections::BTreeMap;

use desireline_stats::Clusters;
use desireline_stats::benjamini_hochberg;
use desireline_stats::stratified::SimpsonVerdict;

use super::report::{CompareReport, ComparedGroup, ComparisonRow, PairOverlap, Untested};
use super::rows::{Judge, label};
use super::simpson;
use super::state::{ComparePartial, GroupState};
use super::{Against, ComparePlan, field};
use crate::engine::{Analysis, MISSING, MeasureData, Partial};
use crate::error::Result;
use crate::report::Caveat;

/// More groups than this are not all compared with each other.
const MAX_PAIRED: usize = 50;

/// What is measured: kind and key.
pub(super) type Key = (&'static str, Vec<String>);

/// Groups that take part, as places in the grouping.
type Pair = (usize, usize);

pub(super) fn report<A: Analysis>(
    plan: &ComparePlan<A::Plan>,
    partial: &ComparePartial<A::Partial>,
) -> Result<CompareReport> {
    let order = order(plan, partial);
    let pairs = pairs::<A>(plan, partial, &order)?;
    let measured: BTreeMap<usize, BTreeMap<Key, MeasureData>> = order
        .iter()
        .filter(|&&g| pairs.iter().any(|p| p.0 == g || p.1 == g))
        .filter_map(|&g| Some((g, measures::<A>(plan, partial.groups[g].of.as_ref()?))))
        .collect();

    let judge = Judge {
        level: plan.how.level,
        min_n: plan.how.min_n,
    };
    let name = |g: usize| plan.grouping.name(g);
    let mut found: Vec<(Pair, Key, ComparisonRow)> = Vec::new();
    for &(a, b) in &pairs {
        let (Some(of_a), Some(of_b)) = (measured.get(&a), measured.get(&b)) else {
            continue;
        };
        let (all_a, all_b) = (Known::new(of_a), Known::new(of_b));
        let mut keys: Vec<&Key> = of_a.keys().chain(of_b.keys()).collect();
        keys.sort_unstable();
        keys.dedup();
        for key in keys {
            let row = judge.row(key, (name(a), all_a.get(key)), (name(b), all_b.get(key)))?;
            found.extend(row.map(|row| ((a, b), key.clone(), row)));
        }
    }
    adjust(&mut found)?;
    sort(&mut found);

    let simpson = match &plan.strata {
        None => Vec::new(),
        Some(strata) => {
            let of_stratum = |state: &GroupState<A::Partial>| {
                state
                    .strata
                    .iter()
                    .map(|s| measures::<A>(plan, s))
                    .collect::<Vec<_>>()
            };
            let within: BTreeMap<usize, Vec<BTreeMap<Key, MeasureData>>> = measured
                .keys()
                .map(|&g| (g, of_stratum(&partial.groups[g])))
                .collect();
            simpson::check(&judge, strata, &found, &within)
        }
    };
    let caveats = caveats(plan, partial, &found, &simpson, &measured);
    let n_rows = found.len() as u64;
    let n_tested = found.iter().filter(|r| r.2.p.is_some()).count() as u64;
    let top = plan.how.top as usize;
    let baselines: Vec<usize> = match plan.how.against {
        Against::Baseline => pairs.iter().map(|p| p.1).collect(),
        Against::AllPairs => Vec::new(),
    };
    Ok(CompareReport {
        of: A::NAME.to_owned(),
        by: plan.label.clone(),
        groups: order
            .iter()
            .map(|&g| ComparedGroup {
                name: name(g).to_owned(),
                n_journeys: partial.groups[g].n_journeys,
                n_customers: partial.groups[g].n_customers,
                compared: plan.compared[g],
                baseline: baselines.contains(&g),
            })
            .collect(),
        level: plan.how.level,
        rows: found.into_iter().take(top).map(|r| r.2).collect(),
        n_rows,
        n_tested,
        stratified_by: plan.how.stratify.clone(),
        simpson: simpson.into_iter().take(top).collect(),
        overlap: overlap(plan, partial, &pairs),
        caveats,
    })
}

/// The groups with journeys, most first.
fn order<A, P>(plan: &ComparePlan<A>, partial: &ComparePartial<P>) -> Vec<usize> {
    let mut order: Vec<usize> = (0..partial.groups.len())
        .filter(|&g| partial.groups[g].n_journeys > 0)
        .collect();
    order.sort_by(|&a, &b| {
        let n = |g: usize| partial.groups[g].n_journeys;
        n(b).cmp(&n(a))
            .then_with(|| plan.grouping.name(a).cmp(plan.grouping.name(b)))
            .then(a.cmp(&b))
    });
    order
}

fn pairs<A: Analysis>(
    plan: &ComparePlan<A::Plan>,
    partial: &ComparePartial<A::Partial>,
    order: &[usize],
) -> Result<Vec<Pair>> {
    let name = |g: usize| plan.grouping.name(g);
    let available = || {
        let names: Vec<String> = order
            .iter()
            .take(20)
            .map(|&g| format!("`{}` ({})", name(g), partial.groups[g].n_journeys))
            .collect();
        match names.is_empty() {
            true => "no group has any".to_owned(),
            false => format!("groups with journeys are {}", names.join(", ")),
        }
    };
    for (g, state) in partial.groups.iter().enumerate() {
        if state.n_journeys == 0 && plan.is_named(g) {
            let problem = format!("group `{}` has no journeys; {}", name(g), available());
            return Err(field(A::NAME, "groups", problem).into());
        }
    }
    let compared: Vec<usize> = order
        .iter()
        .copied()
        .filter(|&g| plan.compared[g])
        .collect();
    if compared.len() < 2 {
        let problem = format!(
            "at least two groups with journeys are needed; {}",
            available()
        );
        return Err(field(A::NAME, "groups", problem).into());
    }
    match plan.how.against {
        Against::Baseline => {
            let largest = || {
                let named = compared.iter().find(|&&g| name(g) != MISSING);
                named.or(compared.first()).copied()
            };
            let baseline = plan.baseline.or_else(largest).unwrap_or_default();
            let others = compared.iter().filter(|&&g| g != baseline);
            Ok(others.map(|&g| (g, baseline)).collect())
        }
        Against::AllPairs if compared.len() > MAX_PAIRED => {
            let problem = format!(
                "{} groups are too many to compare all with each other, the limit is {MAX_PAIRED}; compare with a baseline or name segments",
                compared.len()
            );
            Err(field(A::NAME, "against", problem).into())
        }
        Against::AllPairs => Ok((0..compared.len())
            .flat_map(|i| (i + 1..compared.len()).map(move |j| (j, i)))
            .map(|(a, b)| (compared[a], compared[b]))
            .collect()),
    }
}

fn measures<A: Analysis>(
    plan: &ComparePlan<A::Plan>,
    state: &A::Partial,
) -> BTreeMap<Key, MeasureData> {
    A::measures(&plan.of, state)
        .into_iter()
        .map(|m| ((m.kind, m.key), m.data))
        .collect()
}

/// The measures of a group, or of a stratum in it. Those that only others have mean something here too: a path that nobody took is 0 of all
/// journeys, a transition that nobody made 0 of all steps out of its first touchpoint. Of any other kind nothing is known.
pub(super) struct Known<'m> {
    measures: &'m BTreeMap<Key, MeasureData>,
}

impl<'m> Known<'m> {
    pub(super) fn new(measures: &'m BTreeMap<Key, MeasureData>) -> Known<'m> {
        Known { measures }
    }

    /// The measure, or what its absence means.
    pub(super) fn get(&self, key: &Key) -> Option<MeasureData> {
        let known = self.measures.get(key).cloned();
        known.or_else(|| self.data(key))
    }

    fn data(&self, (kind, key): &Key) -> Option<MeasureData> {
        let start = match *kind {
            "path" => Vec::new(),
            "transition" => key.get(..1)?.to_vec(),
            _ => return None,
        };
        let (found, data) = self.measures.range((*kind, start.clone())..).next()?;
        let MeasureData::Rate(sibling) = data else {
            return None;
        };
        (found.0 == *kind && found.1.starts_with(&start)).then_some(MeasureData::Rate(Clusters {
            k: 0,
            kk: 0,
            kn: 0,
            ..*sibling
        }))
    }
}

fn adjust(found: &mut [(Pair, Key, ComparisonRow)]) -> Result<()> {
    let p: Vec<f64> = found.iter().filter_map(|r| r.2.p).collect();
    let q = benjamini_hochberg(&p)?;
    let tested = found.iter_mut().filter(|r| r.2.p.is_some());
    for (row, q) in tested.zip(q) {
        row.2.q = Some(q);
    }
    Ok(())
}

/// Smallest q first, then p, then the largest effect, then by name.
fn sort(found: &mut [(Pair, Key, ComparisonRow)]) {
    let size = |row: &ComparisonRow| row.effect.map_or(-1.0, |e| e.value.abs());
    let last = |p: Option<f64>| p.unwrap_or(2.0);
    found.sort_by(|(_, key_a, a), (_, key_b, b)| {
        last(a.q)
            .total_cmp(&last(b.q))
            .then_with(|| last(a.p).total_cmp(&last(b.p)))
            .then_with(|| size(b).total_cmp(&size(a)))
            .then_with(|| key_a.cmp(key_b))
            .then_with(|| (&a.a.group, &a.b.group).cmp(&(&b.a.group, &b.b.group)))
    });
}

fn overlap<A, P>(
    plan: &ComparePlan<A>,
    partial: &ComparePartial<P>,
    pairs: &[Pair],
) -> Vec<PairOverlap> {
    pairs
        .iter()
        .filter_map(|&(a, b)| {
            let key = (a.min(b) as u32, a.max(b) as u32);
            let (customers, journeys) = *partial.overlap.pairs.get(&key)?;
            Some(PairOverlap {
                a: plan.grouping.name(a).to_owned(),
                b: plan.grouping.name(b).to_owned(),
                customers,
                journeys,
            })
        })
        .collect()
}

fn caveats<A, P: Partial>(
    plan: &ComparePlan<A>,
    partial: &ComparePartial<P>,
    found: &[(Pair, Key, ComparisonRow)],
    simpson: &[super::SimpsonRow],
    measured: &BTreeMap<usize, BTreeMap<Key, MeasureData>>,
) -> Vec<Caveat> {
    let note = |text: String| Caveat::Note { text };
    let mut caveats = vec![Caveat::AssociationOnly];
    if partial.overlap.customers > 0 {
        caveats.push(Caveat::PopulationOverlap {
            customers: partial.overlap.customers,
            of: partial.overlap.n_customers,
        });
    }
    let reversed: Vec<String> = simpson
        .iter()
        .filter(|row| match row.verdict {
            SimpsonVerdict::Reversed => true,
            SimpsonVerdict::PossiblyReversed => {
                !row.pooled.contains(0.0) || !row.stratified.contains(0.0)
            }
            _ => false,
        })
        .map(|row| label(row.kind.as_str(), &row.key))
        .collect();
    if !reversed.is_empty() {
        let mut measures = reversed;
        measures.sort_unstable();
        measures.dedup();
        caveats.push(Caveat::SimpsonReversal {
            attribute: plan.how.stratify.clone().unwrap_or_default(),
            measures,
        });
    }
    let untested =
        |why: Untested| found.iter().filter(|r| r.2.untested == Some(why)).count() as u64;
    let (too_few, rare) = (untested(Untested::TooFew), untested(Untested::Rare));
    let least = plan.how.min_n;
    if too_few > 0 {
        caveats.push(Caveat::TooFew {
            what: "differences".to_owned(),
            cells: too_few,
            least,
        });
    }
    if rare > 0 {
        caveats.push(note(format!(
            "{rare} differences of rates with fewer than {least} successes or failures in both groups together are not tested"
        )));
    }
    let repeated = untested(Untested::Repeated);
    if repeated > 0 {
        caveats.push(note(format!(
            "{repeated} differences of times are not tested, because customers have several times each"
        )));
    }
    let top = plan.how.top as usize;
    if found.len() > top {
        let tested = found.iter().filter(|r| r.2.p.is_some()).count();
        caveats.push(note(format!(
            "{top} of {} differences are listed; q counts all {tested} that were tested",
            found.len()
        )));
    }
    let all = || measured.values().flat_map(BTreeMap::values);
    if all().any(|m| matches!(m, MeasureData::Times { times, .. } if !times.is_exact())) {
        caveats.push(Caveat::ApproximateQuantiles {
            relative_error_bp: (desireline_stats::Distribution::RELATIVE_ERROR * 10_000.0).ceil()
                as u32,
        });
    }
    let repeated = all().any(|m| match m {
        MeasureData::Rate(_) => false,
        MeasureData::Times { one_each, .. } => !one_each,
        MeasureData::Survival(times) => !times.is_independent(),
    });
    if repeated {
        caveats.push(Caveat::IndependenceAssumed {
            what: "times".to_owned(),
        });
    }
    caveats
}
