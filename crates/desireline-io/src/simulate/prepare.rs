//! From a simulation to a simulator: checks, tables and truth.

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::columns::{ArrowForm, Dictionaries, customer_id, id_width};
use super::draw::{Source, exp, ln};
use super::vocabulary::{AB, CHANNELS, DEVICES, PLANS, TOUCHPOINTS};
use super::walk::{
    Bot, DAY, GIVE_UP, Model, PAYMENT_FAILS, REACH_PAYMENT, RETRY, REWORK, Settings,
};
use super::{
    Bots, BrokenStepTruth, ChannelMixTruth, ReversalTruth, SimulateError, Simulation, Simulator,
    Truth,
};

pub(super) const MOST_CUSTOMERS: u64 = 1_000_000_000;
const MOST_DAYS: u32 = 3_650;
const MOST_NAMES: u32 = 10_000;

impl Simulation {
    /// Checks the simulation and makes it ready to run.
    ///
    /// # Errors
    /// [`SimulateError::Field`] for a number or date out of range, [`SimulateError::UnknownName`] for an effect on a device
    /// or channel that the shop does not have.
    pub fn prepare(&self) -> Result<Simulator, SimulateError> {
        let from = self.check()?;
        let effects = &self.effects;

        let mut rework = [REWORK; 4];
        if let Some(effect) = &effects.rework {
            rework[device("effects.rework.device", &effect.device)?] = effect.probability;
        }
        let mut broken = [(i64::MAX, 0.0); 4];
        if let Some(effect) = &effects.broken_step {
            let since = from + i64::from(effect.from_day) * DAY;
            broken[device("effects.broken_step.device", &effect.device)?] = (since, effect.failure);
        }
        let mut lift = vec![1.0; CHANNELS.len()];
        if let Some(effect) = &effects.channel_lift {
            lift[channel("effects.channel_lift.channel", &effect.channel)?] = effect.ratio;
        }
        let mut channel_weights = [(); 3].map(|()| CHANNELS.map(|c| c.1).to_vec());
        if let Some(effect) = &effects.channel_mix {
            let mixed = channel("effects.channel_mix.channel", &effect.channel)?;
            for (weights, times) in channel_weights.iter_mut().zip(effect.weights) {
                weights[mixed] *= times;
            }
        }
        let (share_of_a, campaign_ratio) = effects
            .reversal
            .as_ref()
            .map_or(([0.5; 3], 1.0), |e| (e.share_of_a, e.ratio));

        let bots = effects
            .bots
            .as_ref()
            .map_or_else(Vec::new, |bots| place_bots(bots, self.customers, self.seed));
        let rates = Rates {
            channel_weights: &channel_weights,
            share_of_a,
            campaign_ratio,
            lift: &lift,
        };
        let highest = rates.highest();
        if highest > 0.9 {
            return Err(SimulateError::Field {
                field: "effects",
                found: format!("a probability of payment of {highest:.2} with all ratios together"),
                allowed: "at most 0.9; choose smaller ratios",
            });
        }
        let truth = self.truth(&rates, &bots, from);
        let names = Dictionaries::new(self.n_names as usize);
        let arrow = ArrowForm::new(&names, self.customers, self.customer_ids, self.money);
        let model = Model::new(Settings {
            seed: self.seed,
            from,
            days: self.days,
            channel_weights,
            share_of_a,
            campaign_ratio,
            lift,
            rework,
            broken,
            names: self.n_names as usize,
            bots,
        });
        Ok(Simulator {
            customers: self.customers,
            model,
            names,
            arrow,
            truth,
            order: self.order,
            ids: self.customer_ids,
            window_events: self.window_events.max(1),
        })
    }

    /// Checks all but names; gives the window's start in microseconds.
    fn check(&self) -> Result<i64, SimulateError> {
        in_range(
            "customers",
            self.customers,
            1,
            MOST_CUSTOMERS,
            "1 to 1,000,000,000",
        )?;
        in_range("days", self.days, 1, MOST_DAYS, "1 to 3,650")?;
        in_range(
            "n_names",
            self.n_names,
            TOUCHPOINTS.len() as u32,
            MOST_NAMES,
            "30 to 10,000",
        )?;
        let effects = &self.effects;
        if let Some(effect) = &effects.broken_step {
            probability("effects.broken_step.failure", effect.failure)?;
        }
        if let Some(effect) = &effects.rework {
            in_range(
                "effects.rework.probability",
                effect.probability,
                0.0,
                0.95,
                "0 to 0.95",
            )?;
        }
        if let Some(effect) = &effects.channel_lift {
            in_range(
                "effects.channel_lift.ratio",
                effect.ratio,
                0.0,
                10.0,
                "0 to 10",
            )?;
        }
        if let Some(effect) = &effects.channel_mix {
            for weight in effect.weights {
                in_range(
                    "effects.channel_mix.weights",
                    weight,
                    0.0,
                    100.0,
                    "0 to 100 each",
                )?;
            }
        }
        if let Some(effect) = &effects.reversal {
            in_range("effects.reversal.ratio", effect.ratio, 0.0, 10.0, "0 to 10")?;
            for share in effect.share_of_a {
                probability("effects.reversal.share_of_a", share)?;
            }
        }
        if let Some(bots) = &effects.bots {
            in_range("effects.bots.share", bots.share, 0.0, 0.1, "0 to 0.1")?;
            in_range(
                "effects.bots.most",
                bots.most,
                bots.least.max(1),
                10_000_000,
                "`least` to 10,000,000, and at least 1",
            )?;
        }
        let wrong = || SimulateError::Field {
            field: "start",
            found: format!("`{}`", self.start),
            allowed: "a date such as 2025-01-01, between the years 1 and 9000",
        };
        let date: Date = self.start.parse().map_err(|_| wrong())?;
        if !(1..=9_000).contains(&date.year()) {
            return Err(wrong());
        }
        Ok(date
            .to_zoned(TimeZone::UTC)
            .map_err(|_| wrong())?
            .timestamp()
            .as_microsecond())
    }

    fn truth(&self, rates: &Rates<'_>, bots: &[Bot], from: i64) -> Truth {
        let effects = &self.effects;
        let width = id_width(self.customers);
        // Each visit fails and is tried again with probability PAYMENT_FAILS × RETRY: a geometric series.
        let completion = |works: f64| {
            works * (1.0 - PAYMENT_FAILS - GIVE_UP) / (1.0 - works * PAYMENT_FAILS * RETRY)
        };
        let healthy = completion(1.0);
        let broken_step = effects.broken_step.as_ref().map(|effect| BrokenStepTruth {
            device: effect.device.clone(),
            from: from + i64::from(effect.from_day) * DAY,
            payment_error: effect.failure + (1.0 - effect.failure) * PAYMENT_FAILS,
            completion: completion(1.0 - effect.failure),
        });
        let broken_share = effects.broken_step.as_ref().map_or(0.0, |effect| {
            let share = DEVICES
                .iter()
                .find(|d| d.0 == effect.device)
                .map_or(0.0, |d| d.1);
            share * f64::from(self.days.saturating_sub(effect.from_day)) / f64::from(self.days)
        });
        let completed = healthy
            + broken_share * (broken_step.as_ref().map_or(healthy, |b| b.completion) - healthy);
        Truth {
            reach_payment_base: REACH_PAYMENT,
            plan_ratios: PLANS.iter().map(|p| (p.0.to_owned(), p.2)).collect(),
            payment_error: PAYMENT_FAILS,
            payment_retry: RETRY,
            completion: healthy,
            purchase_rate: rates.mean(|_, _, _| true) * completed,
            broken_step,
            channel_lift: effects
                .channel_lift
                .as_ref()
                .map(|e| (e.channel.clone(), e.ratio)),
            channel_mix: effects.channel_mix.as_ref().map(|e| {
                let lifted = effects.channel_lift.as_ref().map(|l| l.channel.as_str());
                let mixed = rates.mean(|_, _, c| CHANNELS[c].0 == e.channel);
                let others = rates
                    .mean(|_, _, c| CHANNELS[c].0 != e.channel && Some(CHANNELS[c].0) != lifted);
                ChannelMixTruth {
                    channel: e.channel.clone(),
                    pooled_ratio: mixed / others,
                }
            }),
            reversal: effects.reversal.as_ref().map(|e| ReversalTruth {
                within_ratio: e.ratio,
                pooled_ratio: rates.mean(|_, campaign, _| campaign == 1)
                    / rates.mean(|_, campaign, _| campaign == 0),
            }),
            rework_elsewhere: REWORK,
            rework: effects
                .rework
                .as_ref()
                .map(|e| (e.device.clone(), e.probability)),
            bots: bots
                .iter()
                .map(|b| (customer_id(b.customer, self.customer_ids, width), b.events))
                .collect(),
            null_attribute: AB_NAME.to_owned(),
        }
    }
}

/// The column of the fair coin; its sides are [`AB`].
const AB_NAME: &str = "ab";
const _: () = assert!(AB.len() == 2);

/// The probability of getting to the payment by plan, campaign and channel.
struct Rates<'a> {
    channel_weights: &'a [Vec<f64>; 3],
    share_of_a: [f64; 3],
    campaign_ratio: f64,
    lift: &'a [f64],
}

impl Rates<'_> {
    /// Share of sessions and probability of each cell.
    fn cells(&self) -> impl Iterator<Item = (usize, usize, usize, f64, f64)> + '_ {
        (0..PLANS.len()).flat_map(move |plan| {
            let total: f64 = self.channel_weights[plan].iter().sum();
            (0..2).flat_map(move |campaign| {
                let (share, ratio) = match campaign {
                    0 => (self.share_of_a[plan], 1.0),
                    _ => (1.0 - self.share_of_a[plan], self.campaign_ratio),
                };
                (0..CHANNELS.len()).map(move |channel| {
                    let weight =
                        PLANS[plan].1 * share * self.channel_weights[plan][channel] / total;
                    (
                        plan,
                        campaign,
                        channel,
                        weight,
                        REACH_PAYMENT * PLANS[plan].2 * ratio * self.lift[channel],
                    )
                })
            })
        })
    }

    fn highest(&self) -> f64 {
        self.cells().map(|cell| cell.4).fold(0.0, f64::max)
    }

    fn mean(&self, wanted: impl Fn(usize, usize, usize) -> bool) -> f64 {
        let (sum, weight) = self
            .cells()
            .filter(|&(plan, campaign, channel, ..)| wanted(plan, campaign, channel))
            .fold((0.0, 0.0), |(sum, total), (.., weight, p)| {
                (sum + weight * p, total + weight)
            });
        sum / weight
    }
}

/// Which customers are bots: one at random in each of as many even stretches of customers.
fn place_bots(bots: &Bots, customers: u64, seed: u64) -> Vec<Bot> {
    if customers < 100 || bots.share == 0.0 {
        return Vec::new();
    }
    let wanted = bots.share * customers as f64;
    let count = (wanted.round() as u64).clamp(1, customers);
    let size = wanted.min(1.0);
    // Not a stream of any customer.
    let mut draw = Source::new(seed).stream(u64::MAX - 1);
    let start = |i: u64| (u128::from(customers) * u128::from(i) / u128::from(count)) as u64;
    (0..count)
        .map(|i| {
            let customer = start(i) + draw.below(start(i + 1) - start(i));
            let (least, most) = (ln(f64::from(bots.least.max(1))), ln(f64::from(bots.most)));
            let events = exp(least + (most - least) * draw.unit()) * size;
            Bot {
                customer,
                events: (events as u64).max(1),
            }
        })
        .collect()
}

fn device(field: &'static str, name: &str) -> Result<usize, SimulateError> {
    find(field, name, &DEVICES.map(|d| d.0))
}

fn channel(field: &'static str, name: &str) -> Result<usize, SimulateError> {
    find(field, name, &CHANNELS.map(|c| c.0))
}

fn find(field: &'static str, name: &str, known: &[&str]) -> Result<usize, SimulateError> {
    known
        .iter()
        .position(|k| *k == name)
        .ok_or_else(|| SimulateError::UnknownName {
            field,
            name: name.to_owned(),
            nearest: desireline_core::error::nearest(name, known.iter().copied()),
            known: known.iter().map(|&k| k.to_owned()).collect(),
        })
}

fn probability(field: &'static str, value: f64) -> Result<(), SimulateError> {
    in_range(field, value, 0.0, 1.0, "0 to 1")
}

fn in_range<T: PartialOrd + std::fmt::Display>(
    field: &'static str,
    value: T,
    least: T,
    most: T,
    allowed: &'static str,
) -> Result<(), SimulateError> {
    if value >= least && value <= most {
        Ok(())
    } else {
        Err(SimulateError::Field {
            field,
            found: value.to_string(),
            allowed,
        })
    }
}
