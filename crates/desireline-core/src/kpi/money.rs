//! Amounts of money as people write them.

use desireline_stats::{Estimate, Unit};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::KpiReport;
use crate::map::KpiUnit;

/// The currency that an estimate in minor units is in.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Currency {
    /// Its ISO 4217 code.
    pub code: String,
    /// Its decimal places.
    pub exponent: u32,
}

impl Currency {
    /// An amount in whole units of the currency instead of minor ones; what is no money stays as it is.
    ///
    /// ```
    /// use desireline_core::kpi::Currency;
    /// use desireline_stats::{Estimate, Method, Unit};
    /// let spent = Estimate::new(1250.0, (1000.0, 1500.0), 0.95, 40, Method::StudentT, Unit::MoneyMinor).ok_or("no estimate")?;
    /// let euro = Currency { code: "EUR".to_owned(), exponent: 2 };
    /// let whole = euro.whole(&spent);
    /// assert_eq!((whole.value, whole.lower, whole.upper), (12.5, 10.0, 15.0));
    /// # Ok::<(), &'static str>(())
    /// ```
    pub fn whole(&self, e: &Estimate) -> Estimate {
        whole(e, self.exponent)
    }
}

impl KpiReport {
    /// The currency that its estimates are in; `None` where they are no money, or the log has none.
    pub fn money(&self) -> Option<Currency> {
        let code = self
            .currency
            .as_ref()
            .filter(|_| self.unit == KpiUnit::Money)?;
        Some(Currency {
            code: code.clone(),
            exponent: self.currency_exponent,
        })
    }
}

/// Money in whole units of a currency with so many decimal places.
pub(super) fn whole(e: &Estimate, exponent: u32) -> Estimate {
    if e.unit != Unit::MoneyMinor {
        return *e;
    }
    let scale = 10_f64.powi(i32::try_from(exponent.min(18)).unwrap_or(0));
    Estimate {
        value: e.value / scale,
        lower: e.lower / scale,
        upper: e.upper / scale,
        unit: Unit::Ratio,
        ..*e
    }
}
