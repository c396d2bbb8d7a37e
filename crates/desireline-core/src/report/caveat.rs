use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Something a reader must know before trusting a number. A field, not only a sentence.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Caveat {
    /// Rows were put aside while the log was read.
    RowsQuarantined {
        /// Rows put aside.
        rows: u64,
        /// Rows read.
        of: u64,
    },
    /// Times came without a zone and none was declared: they were read as UTC.
    TimesWithoutZone {
        /// How many times.
        rows: u64,
    },
    /// Events of one customer share a time and were ordered by their place in the input.
    TiesInInputOrder {
        /// Events that share customer and time with the event before them.
        events: u64,
    },
    /// Rows equal in every column were kept.
    ExactDuplicates {
        /// Rows equal to an earlier row of the same customer and time.
        events: u64,
    },
    /// Journeys that may still go on are left out of the rates.
    JourneysOpen {
        /// Open journeys.
        journeys: u64,
        /// All journeys.
        of: u64,
    },
    /// Events without a journey id were taken as one journey per customer.
    MissingJourneyId {
        /// Such events.
        events: u64,
    },
    /// Only the most frequent are listed; the row `other` holds the rest exactly.
    Truncated {
        /// What is listed.
        what: String,
        /// How many are listed.
        shown: u64,
        /// How many there are.
        distinct: u64,
    },
    /// Some rates stand on too few observations to be given.
    TooFew {
        /// What the rates are of.
        what: String,
        /// How many rates were withheld.
        cells: u64,
        /// The least number of observations.
        least: u64,
    },
    /// Units counted in more than one of the compared groups.
    PopulationOverlap {
        /// Customers in more than one group.
        customers: u64,
        /// All customers compared.
        of: u64,
    },
    /// Quantiles over many values come from a histogram.
    ApproximateQuantiles {
        /// The largest relative error, in units of 0.01 %.
        relative_error_bp: u32,
    },
    /// The sign of a difference turns round inside the strata of an attribute.
    SimpsonReversal {
        /// The attribute.
        attribute: String,
        /// The measures that turn round.
        measures: Vec<String>,
    },
    /// A single customer has an unusual share of all events; it may be a program.
    LargeCustomers {
        /// How many such customers.
        customers: u64,
        /// Their events.
        events: u64,
    },
    /// Intervals that know nothing of customers, where customers have several observations each.
    IndependenceAssumed {
        /// What the intervals are of.
        what: String,
    },
    /// The figure is an association; nothing here shows a cause.
    AssociationOnly,
    /// Anything else.
    Note {
        /// What.
        text: String,
    },
}

impl Caveat {
    /// The caveat in a sentence.
    pub fn message(&self) -> String {
        match self {
            Caveat::RowsQuarantined { rows, of } => {
                format!("{rows} of {of} rows could not be read and were put aside")
            }
            Caveat::TimesWithoutZone { rows } => {
                format!(
                    "{rows} times had no zone and were read as UTC; declare the zone if that is wrong"
                )
            }
            Caveat::TiesInInputOrder { events } => {
                format!(
                    "{events} events share customer and time with the one before; the input's order decided"
                )
            }
            Caveat::ExactDuplicates { events } => {
                format!("{events} events repeat an earlier one in every column; they were kept")
            }
            Caveat::JourneysOpen { journeys, of } => {
                format!("{journeys} of {of} journeys may still go on; they are not counted as lost")
            }
            Caveat::MissingJourneyId { events } => {
                format!(
                    "{events} events have no journey id; each customer's were taken as one journey"
                )
            }
            Caveat::Truncated {
                what,
                shown,
                distinct,
            } => {
                format!("{shown} of {distinct} {what} are listed; `other` holds the rest exactly")
            }
            Caveat::TooFew { what, cells, least } => {
                format!("{cells} {what} stand on fewer than {least} observations and are not given")
            }
            Caveat::PopulationOverlap { customers, of } => {
                format!(
                    "{customers} of {of} customers are in more than one group; the groups are not independent"
                )
            }
            Caveat::ApproximateQuantiles { relative_error_bp } => format!(
                "quantiles of many values come from a histogram, right to {:.2} %",
                f64::from(*relative_error_bp) / 100.0
            ),
            Caveat::SimpsonReversal {
                attribute,
                measures,
            } => {
                format!(
                    "within the values of `{attribute}` the difference turns round for {}",
                    measures.join(", ")
                )
            }
            Caveat::LargeCustomers { customers, events } => {
                format!(
                    "{customers} customers have {events} events between them, far above the others; they may be programs"
                )
            }
            Caveat::IndependenceAssumed { what } => {
                format!(
                    "intervals of {what} take several observations of one customer as independent, so they may be too narrow"
                )
            }
            Caveat::AssociationOnly => {
                "differences are associations; only an experiment shows a cause".to_owned()
            }
            Caveat::Note { text } => text.clone(),
        }
    }
}
