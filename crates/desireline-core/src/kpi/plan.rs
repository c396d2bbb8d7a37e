//! A KPI bound to a log: which events its rule looks at, and how the sums become numbers.

mod rules;

use std::sync::Arc;

use super::catalogue::{Definition, Variant};
use super::external::ExternalTable;
use super::given::{Pick, Picks};
use super::outside::Outside;
use super::periods::Periods;
use super::spec::{Asked, Kpi, NAME, PeriodLength, problem};
use super::voice::Answers;
use crate::error::SpecError;
use crate::log::{AttributeType, Catalog};

/// A bound [`Kpi`].
#[derive(Debug)]
pub struct KpiPlan {
    pub(super) definition: &'static Definition,
    pub(super) variant: &'static Variant,
    pub(super) kernel: Kernel,
    pub(super) finish: Finish,
    /// The conditions that the rule speaks of, by place.
    pub(super) matchers: Vec<Pick>,
    /// Where units begin; anywhere without it.
    pub(super) here: Option<Place>,
    /// Customers with such an event alone count.
    pub(super) members: Option<Place>,
    pub(super) periods: Periods,
    /// Days, where a rule counts them.
    pub(super) days: Periods,
    /// The names of the rows of one period; empty where there is one without a name.
    pub(super) keys: Vec<String>,
    /// Which signals of friction can be seen; the first is their sum.
    pub(super) signals: [bool; 7],
    pub(super) n_events: usize,
    pub(super) until: i64,
    /// What alone counts: from when to before when.
    pub(super) window: Option<(i64, i64)>,
    /// The middle of the time of observation, as a day.
    pub(super) middle: i64,
    pub(super) level: f64,
    pub(super) min_n: u64,
    pub(super) seed: u64,
    pub(super) currency: Option<(String, u32)>,
    /// The settings that were in force, for people.
    pub(super) settings: Vec<(String, String)>,
    pub(super) notes: Vec<String>,
}

/// A place in [`KpiPlan::matchers`].
pub(super) type Place = usize;

/// What is counted. `at_once`: whether the event that begins can be the one that ends.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kernel {
    /// Journeys as sessions: which bounced.
    Sessions {
        ga4: bool,
        key: Option<Place>,
        view: Option<Place>,
        active: i64,
        alive: i64,
    },
    /// Something begun, and whether it was ended in time.
    Attempts {
        open: Place,
        close: Place,
        within: i64,
        each: Each,
        at_once: bool,
    },
    /// First-ever events; of customers seen, or alone.
    Firsts {
        goal: Place,
        known_from: i64,
        of_prospects: bool,
    },
    /// Events of one kind over events of another.
    Events { hit: Place, of: Place },
    /// How long from one event to another, over customers or journeys.
    Times {
        enter: Place,
        leave: Place,
        of_journeys: bool,
        alive: i64,
        at_once: bool,
    },
    /// Active again after the first time.
    Again {
        active: Option<Place>,
        from: i64,
        to: Option<i64>,
    },
    /// Active in a period and in the one after it; without a calendar the last two of this length.
    Both { active: Option<Place>, length: i64 },
    /// A number for each journey.
    PerJourney {
        what: OfJourney,
        active: Option<Place>,
    },
    /// A number for each customer.
    PerCustomer { what: OfCustomer },
    /// Money of matching events; without a condition, of all that have some.
    Money { of: Option<Place>, by: MoneyBy },
    /// Journeys that end somewhere and whose customer does not come back.
    Dropoff {
        at: Option<Place>,
        goal: Option<Place>,
        within: i64,
    },
    /// Journeys that reach a goal.
    Goal {
        goal: Place,
        start: Option<Place>,
        alive: i64,
        direct: bool,
    },
    /// Touchpoints seen again in a journey.
    Rework { kind: Again, of: Option<Place> },
    /// Customers touched.
    Reach {
        touch: Option<Place>,
        channel: Option<usize>,
        only: bool,
    },
    /// Days on which customers were active, of those of a period.
    Stickiness { active: Option<Place> },
    /// Needs that one contact settled, or changes of channel until they were.
    Contacts {
        contact: Place,
        resolved: Option<Place>,
        within: i64,
        channel: Option<usize>,
    },
    /// Purchases of each customer.
    Buyers { purchase: Place },
    /// Kinds of visits.
    Visits {
        buying: Option<Place>,
        searching: Option<Place>,
        knowledge: Option<Place>,
    },
    /// Value of goals by the channel that brought them.
    Credit {
        goal: Place,
        channel: usize,
        first: bool,
        within: i64,
    },
    /// Signals of friction, by journey.
    Friction {
        goal: Option<Place>,
        error: Option<Place>,
        support: Option<Place>,
        slow: i64,
        within: i64,
        channel: Option<usize>,
    },
    /// Nothing: the numbers come from elsewhere.
    Nothing,
}

/// Which attempts count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Each {
    /// The first of each customer.
    First,
    /// Begun again after it ended.
    Next,
    /// Every one, settled in the order in which they were begun.
    Every,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OfJourney {
    Events,
    EventsByChannel(usize),
    Time,
    Money,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OfCustomer {
    /// Journeys, of customers with an active one.
    Journeys(Option<Place>),
    /// Matching events, of all customers.
    Events(Place),
    /// Whether a new customer's first event holds for a condition.
    FirstIs(Place),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MoneyBy {
    Event,
    Customer,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Again {
    Revisit,
    PingPong,
    Reload,
}

/// How sums become a number.
#[derive(Clone, Debug)]
pub(super) enum Finish {
    /// Above over below, from 0 to 1.
    Share { complement: bool },
    /// Above over below, which may exceed 1.
    Ratio,
    /// The mean per unit by samples of customers.
    Mean { unit: desireline_stats::Unit },
    /// How many.
    Count,
    /// The sum over customers.
    Total,
    /// A quantile of times.
    Quantile(f64),
    /// The share by a time.
    By(i64),
    /// Shares of several kinds at once.
    Shares,
    /// Least over mean.
    Direct,
    /// Touched of a population.
    Population(f64),
    /// Spend over count.
    Cost(Arc<ExternalTable>),
    /// Value over spend by channel.
    Spend {
        table: Arc<ExternalTable>,
        what: SpendOf,
    },
    /// A model of purchases.
    Buyers(Buying),
    /// Weighted signals, from 0 to 100.
    Friction,
    /// From a table.
    Outside(Outside),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SpendOf {
    Roas,
    CostPerGoal,
    Idle,
}

/// What is asked of a model of purchases.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Buying {
    pub(super) what: BuyingOf,
    /// In units of `period`.
    pub(super) horizon: f64,
    /// For each `period`.
    pub(super) discount: f64,
    pub(super) margin: f64,
    pub(super) period: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BuyingOf {
    Expected,
    Historic,
    Contractual,
    Lost,
}

const DAY: i64 = 86_400_000_000;

/// More rows than this are no report.
const MOST_ROWS: usize = 1 << 20;

impl KpiPlan {
    pub(super) fn new(kpi: &Kpi, catalog: &Catalog) -> Result<KpiPlan, SpecError> {
        for table in &kpi.tables {
            table.check()?;
        }
        let narrowed = kpi.between.map(|window| narrowed(kpi, catalog, window));
        let narrowed = narrowed.transpose()?;
        let (kpi, catalog) = match &narrowed {
            Some((kpi, catalog)) => (kpi, catalog),
            None => (kpi, catalog),
        };
        let asked = Asked::new(kpi, catalog)?;
        let periods = match kpi.per {
            Some(length) => Periods::new(catalog, length, &kpi.time_zone)?,
            None => Periods::default(),
        };
        let mut build = rules::Build {
            asked: &asked,
            matchers: Vec::new(),
            settings: Vec::new(),
        };
        let mut notes = Vec::new();
        let (kernel, finish) = rules::rule(&mut build, &mut notes)?;
        let rules::Build {
            mut matchers,
            mut settings,
            ..
        } = build;
        let mut told = |picks: &Option<Arc<dyn Picks>>| {
            let picks = picks.as_ref()?;
            matchers.push(Pick::Told(Arc::clone(picks)));
            Some(matchers.len() - 1)
        };
        let (here, members) = (told(&kpi.given.here), told(&kpi.given.members));
        for (name, value) in &kpi.params {
            if !settings.iter().any(|(n, _)| n == name) {
                settings.push((name.clone(), value.to_string()));
            }
        }
        settings.sort();
        if !periods.is_empty() && matches!(finish, Finish::Buyers(_)) {
            let told = format!(
                "{} is fitted on all of a customer's purchases and has no series",
                asked.definition.known.name
            );
            return Err(problem("per", told));
        }
        let days = match kernel {
            Kernel::Stickiness { .. } => Periods::new(catalog, PeriodLength::Day, &kpi.time_zone)?,
            _ => Periods::default(),
        };
        let keys = keys(&kernel, catalog);
        let n_buckets = keys.len().max(1).saturating_mul(1 + periods.len());
        if n_buckets > MOST_ROWS {
            let told = format!(
                "{n_buckets} rows are no report, the limit is {MOST_ROWS}; take longer periods"
            );
            return Err(problem("per", told));
        }
        let signals = match kernel {
            Kernel::Friction {
                goal,
                error,
                support,
                channel,
                ..
            } => [
                true,
                goal.is_some(),
                true,
                true,
                error.is_some(),
                channel.is_some(),
                support.is_some(),
            ],
            _ => [true; 7],
        };
        Ok(KpiPlan {
            definition: asked.definition,
            variant: asked.variant,
            kernel,
            finish,
            matchers,
            here,
            members,
            periods,
            days,
            keys,
            signals,
            n_events: catalog.events.len(),
            until: catalog.observed_until,
            window: kpi.between,
            middle: middle(catalog),
            level: kpi.level,
            min_n: kpi.min_n,
            seed: kpi.seed,
            currency: catalog
                .currency
                .clone()
                .map(|c| (c, catalog.currency_exponent)),
            settings,
            notes,
        })
    }

    pub(super) fn n_keys(&self) -> usize {
        self.keys.len().max(1)
    }

    /// Whether a row has no number because its signal cannot be seen in this log.
    pub(super) fn kernel_hides(&self, key: usize) -> bool {
        matches!(self.kernel, Kernel::Friction { .. })
            && !self.signals.get(key).copied().unwrap_or(true)
    }

    /// The last thirty whole days before the end of observation, or as many as there are.
    pub(super) fn last_days(&self) -> (usize, usize) {
        let whole = (0..self.days.len())
            .rev()
            .find(|d| self.days.is_complete(*d));
        let to = whole.map_or(0, |d| d + 1);
        (to.saturating_sub(30), to)
    }

    /// The days of a period.
    pub(super) fn days_of(&self, period: usize) -> Option<(usize, usize)> {
        let (from, to) = self.periods.bounds(period)?;
        let first = self.days.of(from).unwrap_or(0);
        let last = self
            .days
            .of(to.saturating_sub(1))
            .unwrap_or_else(|| self.days.len().saturating_sub(1));
        Some((first, last + 1))
    }

    /// A purchase's margin so long after the first one, in thousandths of minor units: whole numbers, so that no order of
    /// adding shows.
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)] // saturates
    pub(super) fn discounted(&self, money: i64, since: i64) -> i64 {
        let Finish::Buyers(b) = &self.finish else {
            return money;
        };
        let periods = since as f64 / b.period as f64;
        (money as f64 * 1_000.0 * b.margin / (1.0 + b.discount).powf(periods)).round() as i64
    }

    pub(super) fn n_buckets(&self) -> usize {
        (1 + self.periods.len()) * self.n_keys()
    }

    /// Whether times are kept customer by customer.
    pub(super) fn wants_times(&self) -> bool {
        matches!(self.kernel, Kernel::Times { .. })
    }

    /// Whether sums are kept customer by customer.
    pub(super) fn wants_pairs(&self) -> bool {
        matches!(
            self.finish,
            Finish::Mean { .. }
                | Finish::Total
                | Finish::Spend {
                    what: SpendOf::Roas,
                    ..
                }
        )
    }
}

/// A question and the log as far as they lie in a window.
fn narrowed(
    kpi: &Kpi,
    catalog: &Catalog,
    (from, to): (i64, i64),
) -> Result<(Kpi, Catalog), SpecError> {
    if from >= to {
        let told = "nothing lies between an instant and one that is not after it".to_owned();
        return Err(problem("between", told));
    }
    let within = |t: i64| (from..to).contains(&t);
    let mut kpi = kpi.clone();
    for table in &mut kpi.tables {
        let here = |day: crate::map::Date| day.micros_in(&kpi.time_zone).is_none_or(within);
        *table = Arc::new(table.on_days(here));
    }
    if let Some(Answers(answers)) = &mut kpi.feedback {
        *answers = Arc::new(answers.keep(|a| a.time().is_none_or(within)));
    }
    let mut catalog = catalog.clone();
    catalog.first_time = catalog.first_time.max(from);
    catalog.last_time = catalog.last_time.min(to - 1);
    catalog.observed_until = catalog.observed_until.min(to);
    Ok((kpi, catalog))
}

/// A model is fitted to what came until then, and held against the rest.
fn middle(catalog: &Catalog) -> i64 {
    let half = catalog.observed_until.saturating_sub(catalog.first_time) / 2;
    catalog
        .first_time
        .saturating_add(half)
        .div_euclid(DAY)
        .saturating_mul(DAY)
}

/// The names of the rows of one period.
fn keys(kernel: &Kernel, catalog: &Catalog) -> Vec<String> {
    let of = |place: usize| -> Vec<String> {
        let names = catalog.attributes.get(place).map(|a| {
            let names = a.dictionary.names().map(str::to_owned);
            names.collect::<Vec<_>>()
        });
        // What has no channel stands last.
        names
            .unwrap_or_default()
            .into_iter()
            .chain(["(none)".to_owned()])
            .collect()
    };
    match kernel {
        Kernel::PerJourney {
            what: OfJourney::EventsByChannel(c),
            ..
        }
        | Kernel::Reach {
            channel: Some(c), ..
        }
        | Kernel::Credit { channel: c, .. } => of(*c),
        Kernel::Visits { .. } => super::observe::VISITS
            .iter()
            .map(|v| (*v).to_owned())
            .collect(),
        Kernel::Friction { .. } => super::observe::SIGNALS
            .iter()
            .map(|s| (*s).to_owned())
            .collect(),
        _ => Vec::new(),
    }
}
