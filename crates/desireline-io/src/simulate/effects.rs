//! What is planted in a simulated log, and what is true of it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The effects to plant; `None` leaves one out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Effects {
    /// A step that breaks for one device from a day on.
    pub broken_step: Option<BrokenStep>,
    /// A channel that truly leads to more purchases.
    pub channel_lift: Option<ChannelLift>,
    /// A channel that looks good only because good customers use it.
    pub channel_mix: Option<ChannelMix>,
    /// A campaign that wins in every plan and loses over all.
    pub reversal: Option<Reversal>,
    /// A loop in the checkout of one device.
    pub rework: Option<Rework>,
    /// Programs that crawl the shop.
    pub bots: Option<Bots>,
}

impl Default for Effects {
    fn default() -> Effects {
        Effects {
            broken_step: Some(BrokenStep::default()),
            channel_lift: Some(ChannelLift::default()),
            channel_mix: Some(ChannelMix::default()),
            reversal: Some(Reversal::default()),
            rework: Some(Rework::default()),
            bots: Some(Bots::default()),
        }
    }
}

impl Effects {
    /// No effect at all.
    pub fn none() -> Effects {
        Effects {
            broken_step: None,
            channel_lift: None,
            channel_mix: None,
            reversal: None,
            rework: None,
            bots: None,
        }
    }
}

/// From a day on, a visit of one device to `payment` fails: `payment_error`, and the customer leaves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BrokenStep {
    /// The device.
    pub device: String,
    /// The first day it is broken, counted from 0 at the simulation's start.
    pub from_day: u32,
    /// The probability that a payment fails by it, on top of what fails anyway.
    pub failure: f64,
}

impl Default for BrokenStep {
    fn default() -> BrokenStep {
        BrokenStep {
            device: "mobile_ios".into(),
            from_day: 60,
            failure: 0.35,
        }
    }
}

/// Sessions through one channel get as far as the payment more often.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ChannelLift {
    /// The channel.
    pub channel: String,
    /// How many times as often.
    pub ratio: f64,
}

impl Default for ChannelLift {
    fn default() -> ChannelLift {
        ChannelLift {
            channel: "referral".into(),
            ratio: 1.6,
        }
    }
}

/// One channel is used more by the plans that buy more, and itself does nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ChannelMix {
    /// The channel.
    pub channel: String,
    /// By what the channel's weight is multiplied for `free`, `plus` and `premium` customers.
    pub weights: [f64; 3],
}

impl Default for ChannelMix {
    fn default() -> ChannelMix {
        ChannelMix {
            channel: "email".into(),
            weights: [0.3, 1.0, 2.5],
        }
    }
}

/// Campaign `b` is better than `a` in every plan, but is sent mostly to the plans that buy little.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Reversal {
    /// How many times as often customers of `b` get as far as the payment, within any plan.
    pub ratio: f64,
    /// The share of `free`, `plus` and `premium` customers that get `a`.
    pub share_of_a: [f64; 3],
}

impl Default for Reversal {
    fn default() -> Reversal {
        Reversal {
            ratio: 1.5,
            share_of_a: [0.25, 0.5, 0.85],
        }
    }
}

/// Customers of one device go back from `shipping_details` to `checkout`, again and again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Rework {
    /// The device.
    pub device: String,
    /// The probability of going back on each visit.
    pub probability: f64,
}

impl Default for Rework {
    fn default() -> Rework {
        Rework {
            device: "mobile_android".into(),
            probability: 0.45,
        }
    }
}

/// A few customers are programs with very many events at nearly even gaps; they never buy.
///
/// In a log with fewer than one bot by its share there is one bot (none below 100 customers), and its size shrinks in
/// proportion, so that bots are about an eighth of the events at any size.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Bots {
    /// The share of customers.
    pub share: f64,
    /// The fewest events of a bot.
    pub least: u32,
    /// The most events of a bot; sizes between are even on the log scale.
    pub most: u32,
}

impl Default for Bots {
    fn default() -> Bots {
        Bots {
            share: 1e-4,
            least: 10_000,
            most: 100_000,
        }
    }
}

/// What is true of a simulated log by its construction.
///
/// Rates are per session of customers who are not bots.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Truth {
    /// The probability that a session of a `free` customer with campaign `a` and a channel without lift gets to `payment`.
    pub reach_payment_base: f64,
    /// By what that probability is multiplied for each plan.
    pub plan_ratios: Vec<(String, f64)>,
    /// The probability that a visit to `payment` is followed by `payment_error`, and that an error is followed by another try.
    pub payment_error: f64,
    /// See `payment_error`.
    pub payment_retry: f64,
    /// The probability that a session which got to `payment` ends with a `purchase`, where nothing is broken.
    pub completion: f64,
    /// The probability of `purchase` in a session over all customers and days, given even use of the days.
    pub purchase_rate: f64,
    /// The broken step.
    pub broken_step: Option<BrokenStepTruth>,
    /// The channel with a true lift: ratio of rates against a channel without, in any plan and campaign.
    pub channel_lift: Option<(String, f64)>,
    /// The channel that only looks good.
    pub channel_mix: Option<ChannelMixTruth>,
    /// The reversal.
    pub reversal: Option<ReversalTruth>,
    /// The probability of going back from `shipping_details` to `checkout`, without the loop.
    pub rework_elsewhere: f64,
    /// The device with the loop and its probability of going back.
    pub rework: Option<(String, f64)>,
    /// Customers who are programs, and the number of events they set out to make.
    pub bots: Vec<(String, u64)>,
    /// The customer attribute that is a fair coin and changes nothing.
    pub null_attribute: String,
}

/// The truth of a [`BrokenStep`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BrokenStepTruth {
    /// The device.
    pub device: String,
    /// From when, in microseconds since 1970.
    pub from: i64,
    /// The probability that a visit to `payment` is followed by `payment_error`, where broken.
    pub payment_error: f64,
    /// The probability that a session which got to `payment` ends with a `purchase`, where broken.
    pub completion: f64,
}

/// The truth of a [`ChannelMix`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChannelMixTruth {
    /// The channel.
    pub channel: String,
    /// Its rate of reaching `payment` over that of a null channel, over all customers; within a plan and campaign it is 1.
    pub pooled_ratio: f64,
}

/// The truth of a [`Reversal`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReversalTruth {
    /// The rate of `b` over that of `a` in any plan: above 1.
    pub within_ratio: f64,
    /// The rate of `b` over that of `a` over all customers: below 1 with the default shares.
    pub pooled_ratio: f64,
}
