//! What a map is about: whom, what for, when, and how their journeys are cut.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::part::{part, words};
use super::{Date, Id, LocalizedText};
use crate::expr::Expr;
use crate::time::TimeSpan;

part! {
    /// Aim and bounds of a map. A map that is measured says what it is for (`aim`), what is counted (`unit`) and over which
    /// time (`window`).
    pub struct MapScope {
        /// What the map is to help decide.
        aim ? LocalizedText,
        /// The situation, such as "buys again, gives the cart up because of shipping costs".
        scenario ? LocalizedText,
        /// The customers it is about.
        segment ? Expr,
        /// The personas it is about; all of the map's where none is named.
        personas * Id,
        /// The products it is about.
        products * String,
        /// The markets it is about.
        markets * String,
        /// The time whose events count.
        window ? Window,
        /// What is counted, on every number of the map.
        unit ? Unit,
        /// How journeys are cut.
        journeys ? JourneyCut,
        /// What is left out.
        exclude * Exclusion,
    }
}

words! {
    /// What a map counts.
    pub enum Unit {
        /// Customers.
        Person = "person",
        /// Orders.
        Order = "order",
        /// Tickets of support.
        Ticket = "ticket",
        /// Sessions.
        Session = "session",
    }
}

/// The calendar units that cut journeys.
pub(super) const WEEK_UNITS: [&str; 5] = ["day", "week", "month", "quarter", "year"];

/// Days from `from` (included) to `to` (not included) in a time zone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// The first day.
    pub from: Date,
    /// The day after the last.
    pub to: Date,
    /// The IANA name of the zone whose midnight counts; UTC unless another is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
}

impl Window {
    /// The days from `from` to before `to`, in UTC.
    pub fn new(from: Date, to: Date) -> Window {
        Window {
            from,
            to,
            zone: None,
        }
    }

    /// First instant, and first instant after the end, in microseconds since 1970 UTC; `None` for an unknown zone.
    pub fn micros(&self) -> Option<(i64, i64)> {
        let zone = self.zone.as_deref().unwrap_or("UTC");
        Some((self.from.micros_in(zone)?, self.to.micros_in(zone)?))
    }
}

part! {
    /// Where a customer's one journey ends and the next begins; the words are those of `--journey`. With none, each customer
    /// is one journey.
    pub struct JourneyCut {
        /// The attribute that names the journey.
        column ? String,
        /// The longest pause inside of a journey; longer than this begins a new one.
        gap ? TimeSpan,
        /// What begins a journey.
        start ? Expr,
        /// What ends a journey.
        end ? Expr,
        /// Whether reaching a goal of the map ends a journey.
        goal_ends ? bool,
        /// The longest journey.
        max_span ? TimeSpan,
        /// A calendar unit and its zone, such as `day@Europe/Berlin`.
        calendar ? String,
        /// Until when customers were observed; until the last event where it is not said.
        observed_until ? Date,
    }
}

part! {
    /// Something left out, and why.
    pub struct Exclusion {
        /// What and why.
        text: LocalizedText,
        /// The events it means.
        when ? Expr,
    }
}
