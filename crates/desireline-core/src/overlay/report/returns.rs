//! Who leaves without a goal, and whether they come back.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::CellKind;
use super::tables::{count, maybe, rate, text};
use crate::report::{Rate, Table};

/// Journeys that end without a goal, place by place, and whether their customers come back in time (KPI K18).
///
/// **Came back** is who began another journey no later than `within` after the last event of this one. Only journeys that ended at
/// least that long before the end of observation count, whether somebody came back or not: a return is known at once, that nobody
/// returns only then, and to count the one before the other would make every number too good.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Returns {
    /// How long a customer has to come back, in microseconds.
    pub within: i64,
    /// How long before the end of observation a journey has to have ended, in microseconds: so long, or for as long as a journey
    /// may pause where that is longer.
    pub age: i64,
    /// Stages, steps, touchpoints with a binding and channels, in the order of the map.
    pub places: Vec<ReturnMeasure>,
}

/// Who leaves at a place without a goal, and whether they come back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReturnMeasure {
    /// What the place is.
    pub kind: CellKind,
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Journeys that end here without a goal and whose customer does not come back in time, of the journeys with a visit that ended long enough
    /// ago (K18); clustered by customer.
    pub lost: Rate,
    /// Journeys whose customer comes back in time, of those that end here without a goal, long enough ago.
    pub returned: Rate,
    /// Journeys with a visit that ended too late to know: they are in neither base.
    pub open: u64,
    /// Why `lost` has no estimate.
    pub hole: Option<String>,
    /// Why `returned` has none.
    pub returned_hole: Option<String>,
}

impl Returns {
    /// What is known of a place.
    pub fn at(&self, kind: CellKind, id: &str) -> Option<&ReturnMeasure> {
        self.places.iter().find(|p| p.kind == kind && p.id == id)
    }

    pub(super) fn table(&self) -> Table {
        let rows = &self.places[..];
        Table::new("returns", "Who leaves without a goal, and who comes back")
            .with("kind", "Part", text(rows, |r| r.kind.word().to_owned()))
            .with("id", "Id", text(rows, |r| r.id.clone()))
            .with(
                "lost",
                "End here without a goal, and do not come back",
                rate(rows, |r| r.lost),
            )
            .with(
                "returned",
                "Come back, of those that end here without a goal",
                rate(rows, |r| r.returned),
            )
            .with("open", "Ended too late to know", count(rows, |r| r.open))
            .with("hole", "Why no number", maybe(rows, |r| r.hole.clone()))
            .with(
                "returned_hole",
                "Why nothing of coming back",
                maybe(rows, |r| r.returned_hole.clone()),
            )
            .with("name", "Name", text(rows, |r| r.name.clone()))
    }
}
