//! What a plan may know of a log: names and kinds, never events.

use serde::{Deserialize, Serialize};

use super::{AttributeInfo, Vocabulary};

/// The names, kinds and extent of a log; all that [`Analysis::plan`](crate::engine::Analysis::plan) may look at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Catalog {
    /// The event names.
    pub events: Vocabulary,
    /// The attributes, in the order of the block's columns.
    pub attributes: Vec<AttributeInfo>,
    /// The attribute that names the channel, if one does: a place in `attributes`.
    pub channel: Option<usize>,
    /// The attribute that names the journey or session, if one does: a place in `attributes`.
    pub journey: Option<usize>,
    /// The ISO 4217 code of the log's money, if it has a value column.
    pub currency: Option<String>,
    /// Decimal places of that currency's minor unit.
    pub currency_exponent: u32,
    /// The first event's time.
    pub first_time: i64,
    /// The last event's time.
    pub last_time: i64,
    /// Until when customers were observed; what would come later is unknown. The last event's time unless the
    /// caller said otherwise.
    pub observed_until: i64,
}

impl Catalog {
    /// The place of the attribute called `name`. `channel` finds the channel attribute whatever its column is called.
    pub fn attribute(&self, name: &str) -> Option<usize> {
        self.attributes
            .iter()
            .position(|a| a.name == name)
            .or_else(|| {
                if name == "channel" {
                    self.channel
                } else {
                    None
                }
            })
    }

    /// Whether its parts agree, for a catalog that was read from bytes.
    ///
    /// # Errors
    /// What does not, for a message.
    pub(crate) fn check(&self) -> Result<(), String> {
        let n = self.attributes.len();
        for (what, place) in [("channel", self.channel), ("journey id", self.journey)] {
            if let Some(place) = place.filter(|place| *place >= n) {
                return Err(format!(
                    "its {what} is attribute {place} where there are {n}"
                ));
            }
        }
        if self.currency_exponent > 18 {
            let exponent = self.currency_exponent;
            return Err(format!("its currency has {exponent} decimal places"));
        }
        if self.first_time > self.last_time || self.last_time > self.observed_until {
            return Err("its times are out of order".to_owned());
        }
        Ok(())
    }

    /// Whether `channel` alone could be either of two attributes: the one declared as the channel, and another that is
    /// called so. Where nobody says which, it is refused.
    pub fn channel_is_ambiguous(&self) -> bool {
        self.channel
            .and_then(|place| self.attributes.get(place))
            .is_some_and(|declared| declared.name != "channel")
            && self.attributes.iter().any(|a| a.name == "channel")
    }

    /// A hash of everything that gives codes their meaning. Partial results merge only where it is equal.
    pub fn hash(&self) -> u128 {
        let bytes = postcard::to_stdvec(self).unwrap_or_default();
        xxhash_rust::xxh3::xxh3_128(&bytes)
    }
}
