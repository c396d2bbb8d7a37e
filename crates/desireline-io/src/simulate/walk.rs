//! One customer's events: sessions, their times and the walk through the shop.

use super::columns::Columns;
use super::draw::{Draw, LogNormal, Source, Weights, exp, ln, negative_binomial};
use super::vocabulary::{
    AB, AD_CLICK, BROWSE, BUY, CAMPAIGNS, CARE, CARE_ENTRIES, CATEGORY, CHANNELS, CHECKOUT,
    COMPARE, DEVICES, HELP, HOME, HOURS, Kernel, Moves, PAYMENT, PAYMENT_ERROR, PLANS,
    PRODUCT_VIEW, PROMO_PAGE, PURCHASE, REGIONS, REVIEWS, SEARCH, SHIPPING_DETAILS, TOUCHPOINTS,
    WEEKDAYS,
};

pub(super) const MILLI: i64 = 1_000;
const SECOND: i64 = 1_000 * MILLI;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
pub(super) const DAY: i64 = 24 * HOUR;

/// The chance that a payment fails without any planted effect, that the customer then tries again, and that a customer
/// leaves at the payment without an error.
pub(super) const PAYMENT_FAILS: f64 = 0.05;
pub(super) const RETRY: f64 = 0.7;
pub(super) const GIVE_UP: f64 = 0.04;
/// The chance of getting to the payment with every ratio 1.
pub(super) const REACH_PAYMENT: f64 = 0.015;
/// The chance of going back from `shipping_details` to `checkout` where no loop is planted.
pub(super) const REWORK: f64 = 0.06;

const TIES: f64 = 0.005;
const LONGEST_SESSION: f64 = 500.0;
/// Below the usual 30 minutes of inactivity, so that a rule `gap=30m` finds the sessions of the simulation.
const LONGEST_GAP: i64 = 25 * MINUTE;
const SHORTEST_BREAK: i64 = 31 * MINUTE;

const SESSION_LENGTH: LogNormal = LogNormal {
    median: 4.0,
    sigma: 1.058,
};
const GAP_SECONDS: LogNormal = LogNormal {
    median: 20.0,
    sigma: 1.25,
};
const BREAK_HOURS: LogNormal = LogNormal {
    median: 3.0,
    sigma: 0.8,
};
const BREAK_DAYS: LogNormal = LogNormal {
    median: 2.0,
    sigma: 0.8,
};
const BREAK_WEEKS: LogNormal = LogNormal {
    median: 2.5,
    sigma: 0.6,
};
const BASKET_CENTS: LogNormal = LogNormal {
    median: 4_900.0,
    sigma: 0.75,
};

/// The tables of the model, made once per simulation.
#[derive(Clone, Debug)]
pub(super) struct Model {
    pub(super) source: Source,
    /// The window: its first microsecond and the one after its last.
    pub(super) from: i64,
    pub(super) to: i64,
    pub(super) days: i64,
    /// Monday is 0.
    first_weekday: usize,
    devices: Weights,
    plans: Weights,
    regions: Weights,
    /// By plan: channels.
    channels: Vec<Weights>,
    /// By plan: the share of campaign `a`.
    pub(super) share_of_a: [f64; 3],
    pub(super) campaign_ratio: f64,
    /// By channel.
    pub(super) lift: Vec<f64>,
    /// By device: the chance of going back to `checkout`.
    rework: [f64; 4],
    /// By device: from when the payment is broken (`i64::MAX` for never) and how often it fails.
    broken: [(i64, f64); 4],
    browse: Transitions,
    buy: Transitions,
    care: Transitions,
    care_entries: Choice,
    entries: Vec<Choice>,
    sessions: Weights,
    hours: Weights,
    pages: Option<Pages>,
    pub(super) bots: Vec<Bot>,
}

/// A customer who is a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bot {
    pub(super) customer: u64,
    pub(super) events: u64,
}

/// What the effects come down to.
pub(super) struct Settings {
    pub(super) seed: u64,
    pub(super) from: i64,
    pub(super) days: u32,
    pub(super) channel_weights: [Vec<f64>; 3],
    pub(super) share_of_a: [f64; 3],
    pub(super) campaign_ratio: f64,
    pub(super) lift: Vec<f64>,
    pub(super) rework: [f64; 4],
    pub(super) broken: [(i64, f64); 4],
    pub(super) names: usize,
    pub(super) bots: Vec<Bot>,
}

#[derive(Clone, Debug)]
struct Choice {
    weights: Weights,
    to: Vec<u16>,
}

impl Choice {
    fn new(moves: Moves) -> Choice {
        let weights: Vec<f64> = moves.iter().map(|&(_, w)| f64::from(w)).collect();
        Choice {
            weights: Weights::new(&weights),
            to: moves.iter().map(|&(to, _)| to).collect(),
        }
    }

    #[inline]
    fn pick(&self, draw: &mut Draw) -> u16 {
        self.to[self.weights.pick(draw)]
    }
}

/// A kernel by touchpoint number; what it does not list leads to `otherwise`.
#[derive(Clone, Debug)]
struct Transitions(Vec<Choice>);

impl Transitions {
    fn new(kernel: Kernel, otherwise: Moves) -> Transitions {
        let rows = 0..TOUCHPOINTS.len() as u16;
        Transitions(
            rows.map(|from| {
                Choice::new(
                    kernel
                        .iter()
                        .find(|(f, _)| *f == from)
                        .map_or(otherwise, |(_, moves)| moves),
                )
            })
            .collect(),
        )
    }

    #[inline]
    fn next(&self, from: u16, draw: &mut Draw) -> u16 {
        self.0[usize::from(from)].pick(draw)
    }
}

/// Further pages of a shop with many touchpoints: half the time one of four links of the page before, which are as
/// popular as the pages are (Zipf, exponent 1.1).
#[derive(Clone, Debug)]
struct Pages {
    popularity: Weights,
    links: Vec<[u16; 4]>,
}

impl Pages {
    fn new(count: usize, source: &Source) -> Pages {
        let weights: Vec<f64> = (0..count)
            .map(|rank| exp(-1.1 * ln(rank as f64 + 1.0)))
            .collect();
        let popularity = Weights::new(&weights);
        let mut draw = source.stream(u64::MAX);
        let links = (0..count)
            .map(|_| [(); 4].map(|()| popularity.pick_of_many(&mut draw) as u16))
            .collect();
        Pages { popularity, links }
    }

    fn next(&self, before: Option<u16>, draw: &mut Draw) -> u16 {
        match before {
            Some(page) if draw.chance(0.5) => {
                self.links[usize::from(page)][(draw.bits() >> 30) as usize]
            }
            _ => self.popularity.pick_of_many(draw) as u16,
        }
    }

    /// Which touchpoints may be such a page instead; never one that an effect or a goal is about.
    fn replaces(touchpoint: u16) -> bool {
        [
            CATEGORY, SEARCH, PROMO_PAGE, REVIEWS, COMPARE, HELP, HOME, AD_CLICK,
        ]
        .contains(&touchpoint)
    }
}

/// Why a visitor has come; hidden in the log.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Intent {
    Browse,
    Buy,
    Care,
}

/// What follows a visit to the payment where nothing is broken.
fn pay(draw: &mut Draw) -> Option<u16> {
    let x = draw.unit();
    if x < PAYMENT_FAILS {
        Some(PAYMENT_ERROR)
    } else if x < PAYMENT_FAILS + GIVE_UP {
        None
    } else {
        Some(PURCHASE)
    }
}

struct Session {
    ordinal: u32,
    channel: u8,
    device: usize,
    intent: Intent,
    /// Events to make; a buyer's, before the decision to buy.
    length: u32,
}

impl Model {
    pub(super) fn new(settings: Settings) -> Model {
        let source = Source::new(settings.seed);
        let shares =
            |pairs: &[(&str, f64)]| Weights::new(&pairs.iter().map(|p| p.1).collect::<Vec<_>>());
        let home: Moves = &[(HOME, 100)];
        let more = settings.names.saturating_sub(TOUCHPOINTS.len());
        Model {
            from: settings.from,
            to: settings.from + i64::from(settings.days) * DAY,
            days: i64::from(settings.days),
            // 1970-01-01 was a Thursday.
            first_weekday: (settings.from.div_euclid(DAY) + 3).rem_euclid(7) as usize,
            devices: shares(&DEVICES),
            plans: Weights::new(&PLANS.map(|p| p.1)),
            regions: shares(&REGIONS),
            channels: settings
                .channel_weights
                .iter()
                .map(|w| Weights::new(w))
                .collect(),
            share_of_a: settings.share_of_a,
            campaign_ratio: settings.campaign_ratio,
            lift: settings.lift,
            rework: settings.rework,
            broken: settings.broken,
            browse: Transitions::new(BROWSE, home),
            buy: Transitions::new(BUY, &[(PRODUCT_VIEW, 100)]),
            care: Transitions::new(CARE, home),
            care_entries: Choice::new(CARE_ENTRIES),
            entries: CHANNELS
                .iter()
                .map(|(_, _, moves)| Choice::new(moves))
                .collect(),
            sessions: Weights::new(&negative_binomial(0.6, 3.4, 150)),
            hours: Weights::new(&HOURS),
            pages: (more > 0).then(|| Pages::new(more, &source)),
            bots: settings.bots,
            source,
        }
    }

    /// Adds the events of `customer` to `out`.
    pub(super) fn customer(&self, customer: u64, out: &mut Columns) {
        let draw = &mut self.source.stream(customer);
        let first = out.len();
        let device = self.devices.pick(draw);
        let plan = self.plans.pick(draw);
        let region = self.regions.pick(draw);
        let campaign = usize::from(!draw.chance(self.share_of_a[plan]));
        let ab = (draw.bits() >> 31) as usize;
        match self
            .bots
            .binary_search_by_key(&customer, |bot| bot.customer)
        {
            Ok(i) => self.crawl(self.bots[i].events, draw, out),
            Err(_) => self.live(device, plan, campaign, draw, out),
        }
        out.end_customer(
            customer,
            first,
            [device, region, plan, campaign, ab].map(|code| code as u8),
        );
        debug_assert!(campaign < CAMPAIGNS.len() && ab < AB.len());
    }

    /// The sessions of a person.
    fn live(
        &self,
        device: usize,
        plan: usize,
        campaign: usize,
        draw: &mut Draw,
        out: &mut Columns,
    ) {
        let reach = REACH_PAYMENT
            * PLANS[plan].2
            * if campaign == 1 {
                self.campaign_ratio
            } else {
                1.0
            };
        let sessions = 1 + self.sessions.pick_of_many(draw) as u32;
        // Some customers were there before the window opened and are first seen early in it.
        let span = if draw.chance(0.3) {
            self.days.min(21)
        } else {
            self.days
        };
        let day = draw.below(span as u64) as i64;
        let mut time = self.time_of_day(day, draw);
        let mut open_order = false;
        for ordinal in 1..=sessions {
            if time >= self.to {
                break;
            }
            let channel = self.channels[plan].pick(draw);
            // Drawn first, so that the rate depends on plan, campaign and channel only.
            let intent = if draw.chance(reach * self.lift[channel]) {
                Intent::Buy
            } else if open_order && draw.chance(0.6) {
                Intent::Care
            } else {
                Intent::Browse
            };
            let length = draw.log_normal(SESSION_LENGTH).min(LONGEST_SESSION);
            let length = ((length + 0.5) as u32).max(1);
            let session = Session {
                ordinal,
                channel: channel as u8,
                device,
                intent,
                length,
            };
            let end = self.session(&session, time, &mut open_order, draw, out);
            time = self.next_session(end, draw);
        }
    }

    /// Walks one session from `time` on and returns the time of its last event.
    fn session(
        &self,
        s: &Session,
        mut time: i64,
        open_order: &mut bool,
        draw: &mut Draw,
        out: &mut Columns,
    ) -> i64 {
        let mut intent = s.intent;
        let mut at = match intent {
            Intent::Care => {
                *open_order = draw.chance(0.5);
                self.care_entries.pick(draw)
            }
            _ => self.entries[usize::from(s.channel)].pick(draw),
        };
        let mut page = None;
        let mut bought = false;
        let mut broken = false;
        // A buyer looks around first, then walks to the payment.
        let mut left = if intent == Intent::Buy {
            s.length.min(100)
        } else {
            s.length
        };
        loop {
            let value = (at == PURCHASE).then(|| {
                (bought, *open_order) = (true, true);
                (draw.log_normal(BASKET_CENTS).clamp(300.0, 5e6)) as i64
            });
            let shown = match &self.pages {
                Some(pages) if Pages::replaces(at) && draw.chance(0.6) => {
                    let next = pages.next(page, draw);
                    page = Some(next);
                    TOUCHPOINTS.len() as u16 + next
                }
                _ => at,
            };
            out.push(time, shown, s.ordinal, s.channel, value);
            left = left.saturating_sub(1);
            let next = if at == PAYMENT {
                let (since, failure) = self.broken[s.device];
                broken = time >= since && draw.chance(failure);
                if broken {
                    Some(PAYMENT_ERROR)
                } else {
                    pay(draw)
                }
            } else if at == PAYMENT_ERROR {
                (!broken && draw.chance(RETRY)).then_some(PAYMENT)
            } else if intent == Intent::Buy && !bought && left == 0 {
                Some(self.step(&self.buy, at, s.device, draw))
            } else if left == 0 {
                None
            } else if bought || intent == Intent::Care {
                if at == HOME {
                    intent = Intent::Browse;
                }
                Some(self.step(
                    if at == HOME { &self.browse } else { &self.care },
                    at,
                    s.device,
                    draw,
                ))
            } else {
                Some(self.step(&self.browse, at, s.device, draw))
            };
            let Some(next) = next else { return time };
            if next == PURCHASE {
                // After the purchase a few looks at the order.
                left = 1 + (draw.bits() >> 30);
            }
            at = next;
            let gap = if draw.chance(TIES) { 0 } else { self.gap(draw) };
            if time + gap >= self.to {
                return time;
            }
            time += gap;
        }
    }

    #[inline]
    fn step(&self, kernel: &Transitions, at: u16, device: usize, draw: &mut Draw) -> u16 {
        if at == SHIPPING_DETAILS && draw.chance(self.rework[device]) {
            return CHECKOUT;
        }
        kernel.next(at, draw)
    }

    fn gap(&self, draw: &mut Draw) -> i64 {
        let millis = (draw.log_normal(GAP_SECONDS) * 1_000.0) as i64;
        (millis.max(1) * MILLI).min(LONGEST_GAP)
    }

    /// `hour:minute:…` of a day of the window.
    fn time_of_day(&self, mut day: i64, draw: &mut Draw) -> i64 {
        // A day is refused in proportion to how quiet its weekday is; the visit moves to the next.
        for _ in 0..2 {
            let weekday = (self.first_weekday + day as usize) % 7;
            if draw.chance(WEEKDAYS[weekday] / 1.2) || day + 1 >= self.days {
                break;
            }
            day += 1;
        }
        let hour = self.hours.pick(draw) as i64;
        self.from + day * DAY + hour * HOUR + draw.below((HOUR / MILLI) as u64) as i64 * MILLI
    }

    fn next_session(&self, end: i64, draw: &mut Draw) -> i64 {
        let kind = draw.unit();
        let earliest = end + SHORTEST_BREAK;
        if kind < 0.3 {
            return earliest + (draw.log_normal(BREAK_HOURS) * 3_600_000.0) as i64 * MILLI;
        }
        let days = if kind < 0.75 {
            draw.log_normal(BREAK_DAYS)
        } else {
            7.0 * draw.log_normal(BREAK_WEEKS)
        };
        let day = (end - self.from) / DAY + 1 + days as i64;
        self.time_of_day(day, draw).max(earliest)
    }

    /// A program reads page after page, some thousands in a session, a session a day.
    fn crawl(&self, events: u64, draw: &mut Draw, out: &mut Columns) {
        let pages = [
            PRODUCT_VIEW,
            PRODUCT_VIEW,
            PRODUCT_VIEW,
            PRODUCT_VIEW,
            CATEGORY,
            CATEGORY,
            SEARCH,
            REVIEWS,
        ];
        let mut time = self.from
            + draw.below((self.days as u64 / 4).max(1)) as i64 * DAY
            + draw.below(3_600_000) as i64 * MILLI;
        let mut left = events;
        let mut ordinal = 0;
        while left > 0 && time < self.to {
            ordinal += 1;
            let start = time;
            for _ in 0..left.min(1_000 + draw.below(4_000)) {
                if time >= self.to {
                    return;
                }
                out.push(time, pages[(draw.bits() >> 29) as usize], ordinal, 0, None);
                left -= 1;
                time += (1_000 + draw.below(200) as i64) * MILLI;
            }
            time = (start + DAY).max(time + SHORTEST_BREAK);
        }
    }
}
