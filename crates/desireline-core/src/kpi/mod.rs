//! The KPIs of the catalogue, K01 to K30: what they mean, and how they are measured over journeys.
//!
//! [`DEFINITIONS`] says it in words, for people and programs; [`Kpi`] is the question, answered like any other
//! ([`Journeys::run`](crate::journey::Journeys::run), several in one pass with `run_dyn`). Numbers that no log has come in an
//! [`ExternalTable`].

pub(crate) mod alert;
mod catalogue;
mod external;
mod finish;
mod given;
mod money;
mod observe;
mod outside;
mod periods;
mod plan;
mod report;
mod spec;
mod tally;
#[cfg(test)]
mod tests;
mod voice;

pub use self::alert::AlertRun;
pub use self::catalogue::{DEFINITIONS, Definition, Variant, definition, kind};
pub use self::external::{ExternalTable, MAX_ROWS};
pub(crate) use self::given::Picks;
pub use self::money::Currency;
pub use self::plan::KpiPlan;
pub use self::report::{KpiLimits, KpiParameter, KpiPeriod, KpiReport, KpiSetting, KpiValue};
pub use self::spec::{Kpi, PeriodLength};
pub use self::tally::KpiPartial;
pub use self::voice::Answers;

use crate::engine::{Analysis, Located, Measure};
use crate::error::{Result, SpecError};
use crate::journey::{Journey, Morsel};
use crate::log::Catalog;

impl Analysis for Kpi {
    const NAME: &'static str = spec::NAME;
    const STATE_VERSION: u32 = 3;
    const COUNTS_CUSTOMERS: bool = true;
    type Plan = KpiPlan;
    type Partial = KpiPartial;
    type Report = KpiReport;

    fn plan(&self, catalog: &Catalog) -> Result<KpiPlan, SpecError> {
        KpiPlan::new(self, catalog)
    }

    fn start(plan: &KpiPlan) -> KpiPartial {
        KpiPartial::new(plan.n_buckets(), plan.wants_times(), plan.wants_pairs())
    }

    fn check(plan: &KpiPlan, read: &mut KpiPartial) -> Result<(), String> {
        let n = plan.n_buckets();
        let fits = |len: usize, wanted: bool| len == if wanted { n } else { 0 };
        let fit = read.buckets.len() == n
            && fits(read.times.len(), plan.wants_times())
            && fits(read.pairs.len(), plan.wants_pairs());
        if fit {
            Ok(())
        } else {
            Err("its rows are not those of the question".to_owned())
        }
    }

    fn observe(plan: &KpiPlan, partial: &mut KpiPartial, morsel: &Morsel<'_>) {
        observe::observe(plan, partial, morsel);
    }

    fn finish(plan: &KpiPlan, partial: &KpiPartial) -> Result<KpiReport> {
        finish::finish(plan, partial)
    }

    /// A KPI has no cells: its unit is a cart, a need or a day as often as a journey.
    fn locate(_: &KpiPlan, _: &Journey<'_>) -> Vec<Located> {
        Vec::new()
    }

    fn cells(_: &KpiPlan, _: &KpiPartial) -> Vec<(String, u64)> {
        Vec::new()
    }

    fn measures(_: &KpiPlan, _: &KpiPartial) -> Vec<Measure> {
        Vec::new()
    }
}
