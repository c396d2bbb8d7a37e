//! Each KPI of the log against a naive loop over plain lists, written from the definition in words.
#![allow(clippy::unwrap_used, clippy::cast_possible_wrap)]

mod customers;
mod events;
mod journeys;
mod more;
mod oracles;

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::engine::Exec;
use crate::journey::{JourneyRule, Journeys};
use crate::log::{AttributeType, AttributeValue, EventRow, Log, LogBuilder, LogOptions};
use crate::map::Param;

const MINUTE: i64 = 60_000_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const NAMES: [&str; 8] = [
    "view", "cart", "purchase", "search", "support", "refund", "solved", "invite",
];
const CHANNELS: [&str; 3] = ["web", "app", "store"];

#[derive(Clone, Copy, Debug)]
struct Event {
    time: i64,
    name: &'static str,
    channel: Option<&'static str>,
    money: Option<i64>,
}

struct World {
    customers: Vec<Vec<Event>>,
    until: i64,
}

impl World {
    fn new(seed: u64, customers: usize) -> World {
        let mut state = seed;
        let mut draw = |n: usize| {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut x = state;
            x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            ((x ^ (x >> 31)) % n as u64) as usize
        };
        let until = 60 * DAY;
        let customers = (0..customers)
            .map(|_| {
                let mut time = draw(50 * 24) as i64 * HOUR;
                let mut events = Vec::new();
                for _ in 0..=draw(12) {
                    if time > until {
                        break;
                    }
                    let name = NAMES[draw(NAMES.len() * 2) % NAMES.len()];
                    events.push(Event {
                        time,
                        name,
                        channel: CHANNELS.get(draw(4)).copied(),
                        money: (name == "purchase").then(|| 100 + draw(5_000) as i64),
                    });
                    time += [0, 4, 20, 45, 600, 3_000, 9_000][draw(7)] * MINUTE;
                }
                events
            })
            .collect();
        World { customers, until }
    }

    fn log(&self) -> Log {
        let mut options = LogOptions::default()
            .attribute("channel", AttributeType::Text)
            .currency("EUR", 2);
        options.channel = Some("channel".to_owned());
        options.observed_until = Some(self.until);
        options.block_events = 200;
        let mut builder = LogBuilder::new(options);
        for (c, events) in self.customers.iter().enumerate() {
            for e in events {
                let attributes: Vec<(&str, AttributeValue<'_>)> = e
                    .channel
                    .map(|c| ("channel", c.into()))
                    .into_iter()
                    .collect();
                let id = format!("c{c}");
                builder
                    .push_row(&EventRow {
                        value: e.money,
                        attributes: &attributes,
                        ..EventRow::new(id.as_str(), e.time, e.name)
                    })
                    .unwrap();
            }
        }
        builder.finish().unwrap()
    }

    fn journeys(&self) -> Journeys {
        self.log()
            .journeys(JourneyRule::gap("30m").unwrap())
            .unwrap()
    }

    /// Each customer's sessions.
    fn sessions(&self) -> Vec<Vec<Vec<Event>>> {
        let cut = |events: &Vec<Event>| {
            let mut sessions: Vec<Vec<Event>> = Vec::new();
            for e in events {
                match sessions.last_mut() {
                    Some(s) if e.time - s[s.len() - 1].time <= 30 * MINUTE => s.push(*e),
                    _ => sessions.push(vec![*e]),
                }
            }
            sessions
        };
        self.customers.iter().map(cut).collect()
    }
}

fn ask(kpi: &str, variant: &str, params: &[(&str, &str)]) -> Kpi {
    params
        .iter()
        .fold(Kpi::new(kpi).variant(variant), |kpi, (name, value)| {
            kpi.with(name, Param::Text((*value).to_owned()))
        })
}

/// (above, below, left out) of the first row.
fn counted(world: &World, kpi: &Kpi) -> (i64, u64, u64) {
    let report = world.journeys().run(kpi).unwrap();
    let value = &report.values[0];
    (value.count.unwrap(), value.n, value.excluded)
}

fn each_world(check: impl Fn(&World)) {
    for seed in 0..12 {
        check(&World::new(seed, 60));
    }
}

fn begun(times: &[i64], ended: impl Fn(i64) -> bool, until: i64, within: i64) -> (i64, u64, u64) {
    let (mut k, mut n, mut left) = (0, 0, 0);
    for &t in times {
        if until - t < within {
            left += 1;
        } else {
            n += 1;
            k += i64::from(ended(t));
        }
    }
    (k, n, left)
}

fn sum(parts: impl Iterator<Item = (i64, u64, u64)>) -> (i64, u64, u64) {
    parts.fold((0, 0, 0), |a, b| (a.0 + b.0, a.1 + b.1, a.2 + b.2))
}
