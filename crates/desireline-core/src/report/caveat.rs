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
    /// The selections leave no journey: every number is 0 or absent.
    NothingSelected,
    /// Customers were said to be observed until a time before the last event; the last event's time was taken.
    ObservedUntilTooEarly {
        /// Until when, as said; microseconds since 1970 UTC.
        until: i64,
        /// The last event's time.
        last: i64,
    },
    /// Journeys that may still go on are left out of the rates.
    JourneysOpen {
        /// Open journeys.
        journeys: u64,
        /// All journeys.
        of: u64,
    },
    /// Cells of periods that have begun and are not over: they have no rate and count in none.
    PeriodsIncomplete {
        /// Such cells.
        cells: u64,
        /// All cells whose periods have begun.
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
                let were = if *rows == 1 { "was" } else { "were" };
                format!(
                    "{} of {} could not be read and {were} put aside",
                    grouped(*rows),
                    counted(*of, "row")
                )
            }
            Caveat::TimesWithoutZone { rows } => {
                format!(
                    "{} had no zone and {} read as UTC; declare the zone if that is wrong",
                    counted(*rows, "time"),
                    if *rows == 1 { "was" } else { "were" }
                )
            }
            Caveat::TiesInInputOrder { events } => {
                let share = if *events == 1 { "shares" } else { "share" };
                format!(
                    "{} {share} customer and time with the one before; the input's order decided",
                    counted(*events, "event")
                )
            }
            Caveat::ExactDuplicates { events } => {
                let (repeat, they) = match events {
                    1 => ("repeats", "it was"),
                    _ => ("repeat", "they were"),
                };
                format!(
                    "{} {repeat} an earlier one in every column; {they} kept",
                    counted(*events, "event")
                )
            }
            Caveat::NothingSelected => {
                "no journey fits the selections; every number here is 0 or absent".to_owned()
            }
            Caveat::ObservedUntilTooEarly { until, last } => format!(
                "customers were said to be observed until {}, before the last event; its time, {}, was taken instead",
                crate::time::format_instant(*until),
                crate::time::format_instant(*last)
            ),
            Caveat::JourneysOpen { journeys, of } => {
                let they = if *journeys == 1 { "it is" } else { "they are" };
                format!(
                    "{} of {} may still go on; {they} not counted as lost",
                    grouped(*journeys),
                    counted(*of, "journey")
                )
            }
            Caveat::PeriodsIncomplete { cells, of } => {
                let (are, they) = match cells {
                    1 => ("is", "it has"),
                    _ => ("are", "they have"),
                };
                format!(
                    "{} of {} {are} of periods that are not over; {they} no rate and no part in the overall one",
                    grouped(*cells),
                    counted(*of, "cell")
                )
            }
            Caveat::MissingJourneyId { events } => {
                let have = if *events == 1 { "has" } else { "have" };
                format!(
                    "{} {have} no journey id; each customer's were taken as one journey",
                    counted(*events, "event")
                )
            }
            Caveat::Truncated {
                what,
                shown,
                distinct,
            } => {
                format!(
                    "{} of {} {what} are listed; `other` holds the rest exactly",
                    grouped(*shown),
                    grouped(*distinct)
                )
            }
            Caveat::TooFew { what, cells, least } => {
                format!(
                    "{} {what} stand on fewer than {least} observations and are not given",
                    grouped(*cells)
                )
            }
            Caveat::PopulationOverlap { customers, of } => {
                let are = if *customers == 1 { "is" } else { "are" };
                format!(
                    "{} of {} {are} in more than one group; the groups are not independent",
                    grouped(*customers),
                    counted(*of, "customer")
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
                let (have, them) = match customers {
                    1 => ("has", "it may be a program"),
                    _ => ("have", "they may be programs"),
                };
                format!(
                    "{} {have} {}, far above the others; {them}",
                    counted(*customers, "customer"),
                    counted(*events, "event")
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

/// A count with its thousands apart.
pub(crate) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A count of things: `1 row`, `1,800 rows`.
pub(crate) fn counted(n: u64, thing: &str) -> String {
    let plural = if n == 1 { "" } else { "s" };
    format!("{} {thing}{plural}", grouped(n))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_count_as_people_do() {
        let told = Caveat::JourneysOpen {
            journeys: 1,
            of: 1_800,
        };
        assert_eq!(
            told.message(),
            "1 of 1,800 journeys may still go on; it is not counted as lost"
        );
        let told = Caveat::LargeCustomers {
            customers: 1,
            events: 1_234_567,
        };
        assert_eq!(
            told.message(),
            "1 customer has 1,234,567 events, far above the others; it may be a program"
        );
    }
}
