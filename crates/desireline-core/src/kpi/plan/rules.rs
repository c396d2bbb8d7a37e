//! Which rule and which way of finishing belong to a KPI and its variant.

use std::sync::Arc;

use super::*;
use crate::expr::{Expr, Node};
use crate::journey::Matcher;
use crate::kpi::outside;

/// Builds matchers and remembers which settings were in force.
pub(super) struct Build<'a, 'k> {
    pub(super) asked: &'a Asked<'k>,
    pub(super) matchers: Vec<Pick>,
    pub(super) settings: Vec<(String, String)>,
}

impl Build<'_, '_> {
    fn keep(&mut self, matcher: Pick) -> Place {
        self.matchers.push(matcher);
        self.matchers.len() - 1
    }

    fn may(&mut self, name: &'static str) -> Result<Option<Place>, SpecError> {
        let matcher = self.asked.matcher(name)?;
        Ok(matcher.map(|m| self.keep(m)))
    }

    fn must(&mut self, name: &'static str) -> Result<Place, SpecError> {
        let matcher = self.asked.needed(name)?;
        Ok(self.keep(matcher))
    }

    fn span(&mut self, name: &'static str, default: &str) -> Result<i64, SpecError> {
        let micros = self.asked.span(name, default)?;
        self.say(name, crate::time::TimeSpan::from_micros(micros).to_string());
        Ok(micros)
    }

    fn say(&mut self, name: &str, value: String) {
        self.settings.push((name.to_owned(), value));
    }

    fn channel(&self) -> Option<usize> {
        let catalog = self.asked.catalog;
        let place = catalog.channel.or_else(|| catalog.attribute("channel"))?;
        let info = catalog.attributes.get(place)?;
        (info.kind == AttributeType::Text).then_some(place)
    }

    fn need_channel(&self) -> Result<usize, SpecError> {
        self.channel().ok_or_else(|| {
            self.asked.needs(
                "the channel of each event",
                "say which column holds it when the log is read (`--channel`, `channel=`)",
            )
        })
    }

    fn need_money(&self) -> Result<(), SpecError> {
        match self.asked.catalog.currency {
            Some(_) => Ok(()),
            None => Err(self.asked.needs("the money of each event", "say which column holds it when the log is read (`--value` and `--currency`, `value=` and `currency=`)")),
        }
    }
}

pub(super) fn rule(
    b: &mut Build<'_, '_>,
    notes: &mut Vec<String>,
) -> Result<(Kernel, Finish), SpecError> {
    use desireline_stats::Unit;
    let share = Finish::Share { complement: false };
    let rest = Finish::Share { complement: true };
    let asked = b.asked;
    let variant = asked.variant.name;
    Ok(match (asked.definition.known.number, variant) {
        ("K01", _) => (sessions(b, variant == "ga4")?, share),
        ("K02", _) => {
            let (open, close) = (b.must("cart")?, b.must("purchase")?);
            let within = b.span("within", "7d")?;
            (
                Kernel::Attempts {
                    open,
                    close,
                    within,
                    each: Each::Next,
                    at_once: false,
                },
                rest,
            )
        }
        ("K03", _) => {
            let goal = b.must("purchase")?;
            let history = b.span("history", "0s")?;
            if history == 0 {
                notes.push("a customer whose first purchase lies before the log counts as new; say how far back the log must reach with `history`".to_owned());
            }
            let kernel = Kernel::Firsts {
                goal,
                known_from: asked.catalog.first_time.saturating_add(history),
                of_prospects: variant == "rate",
            };
            match variant {
                "rate" => (kernel, share),
                "cac" => {
                    let table = asked.table("spend", "spend").ok_or_else(|| {
                        asked.needs("what was spent on acquisition", "give a table with the numbers `spend` (and days, for a series): `--external FILE`, `external=`")
                    })?;
                    (kernel, Finish::Cost(Arc::clone(table)))
                }
                _ => (kernel, Finish::Count),
            }
        }
        ("K04", "journeys") => {
            let goal = b.must("goal")?;
            let start = b.may("entry")?;
            (
                Kernel::Goal {
                    goal,
                    start,
                    alive: b.span("within", "30m")?,
                    direct: false,
                },
                share,
            )
        }
        ("K04", _) => {
            let goal = b.must("goal")?;
            let entry = b.may("entry")?;
            // Without an entry the first event is one, and may be the goal itself.
            let at_once = entry.is_none();
            let entry = match entry {
                Some(entry) => entry,
                None => {
                    let any = Expr::from(Node::And(Vec::new()));
                    let any =
                        Matcher::new(&any, asked.catalog).map_err(|source| SpecError::Expr {
                            analysis: NAME,
                            field: "entry",
                            source,
                        })?;
                    b.keep(Pick::When(any))
                }
            };
            let within = b.span("within", "7d")?;
            match variant {
                "eventual" => (
                    Kernel::Times {
                        enter: entry,
                        leave: goal,
                        of_journeys: false,
                        alive: 0,
                        at_once,
                    },
                    Finish::By(within),
                ),
                _ => (
                    Kernel::Attempts {
                        open: entry,
                        close: goal,
                        within,
                        each: Each::First,
                        at_once,
                    },
                    share,
                ),
            }
        }
        ("K06", "engaged") => (sessions(b, true)?, rest),
        ("K06", "stickiness") => {
            let active = b.may("active")?;
            (Kernel::Stickiness { active }, share)
        }
        ("K06", "minutes") => {
            let active = b.may("active")?;
            (
                Kernel::PerJourney {
                    what: OfJourney::Time,
                    active,
                },
                Finish::Mean {
                    unit: Unit::Microseconds,
                },
            )
        }
        ("K06", "touchpoints") => {
            let active = b.may("active")?;
            (
                Kernel::PerJourney {
                    what: OfJourney::Events,
                    active,
                },
                Finish::Ratio,
            )
        }
        ("K06", "by_channel") => {
            let (channel, active) = (b.need_channel()?, b.may("active")?);
            (
                Kernel::PerJourney {
                    what: OfJourney::EventsByChannel(channel),
                    active,
                },
                Finish::Ratio,
            )
        }
        ("K06", _) => {
            let active = b.may("active")?;
            (
                Kernel::PerCustomer {
                    what: OfCustomer::Journeys(active),
                },
                Finish::Ratio,
            )
        }
        ("K07" | "K16", "expected" | "historic" | "contractual" | "alive") => {
            let purchase = match (variant, asked.matcher("purchase").ok().flatten()) {
                ("alive", _) => b.must("active")?,
                (_, Some(m)) => b.keep(m),
                (_, None) => b.must("purchase")?,
            };
            if variant != "alive" {
                b.need_money()?;
            }
            (Kernel::Buyers { purchase }, Finish::Buyers(buying(b)?))
        }
        ("K08", "time") => {
            let purchase = b.must("purchase")?;
            (
                Kernel::Times {
                    enter: purchase,
                    leave: purchase,
                    of_journeys: false,
                    alive: 0,
                    at_once: false,
                },
                Finish::Quantile(0.5),
            )
        }
        ("K08", _) => {
            let purchase = b.must("purchase")?;
            let within = b.span("within", "90d")?;
            (
                Kernel::Attempts {
                    open: purchase,
                    close: purchase,
                    within,
                    each: Each::First,
                    at_once: false,
                },
                share,
            )
        }
        ("K09", "share") => {
            let population = match (
                asked.number("population"),
                asked.table("source", "population"),
            ) {
                (Some(n), _) => n,
                (None, Some(table)) => table.sum("population", None)?.unwrap_or(0.0),
                _ => {
                    return Err(asked.needs(
                        "the size of the target population",
                        "say `population`, or give a table with the numbers `population`",
                    ));
                }
            };
            if population < 1.0 {
                return Err(problem(
                    "population",
                    format!("{population} is no size of a population"),
                ));
            }
            (
                Kernel::Reach {
                    touch: b.may("touch")?,
                    channel: None,
                    only: false,
                },
                Finish::Population(population),
            )
        }
        ("K09", "by_channel" | "incremental") => {
            let channel = Some(b.need_channel()?);
            (
                Kernel::Reach {
                    touch: b.may("touch")?,
                    channel,
                    only: variant == "incremental",
                },
                Finish::Count,
            )
        }
        ("K09", _) => (
            Kernel::Reach {
                touch: b.may("touch")?,
                channel: None,
                only: false,
            },
            Finish::Count,
        ),
        ("K10", "period") | ("K16", _) => {
            let active = b.may("active")?;
            let name = if variant == "period" && asked.definition.known.number == "K10" {
                "after"
            } else {
                "within"
            };
            let length = b.span(name, "30d")?;
            let finish = if asked.definition.known.number == "K16" {
                rest
            } else {
                share
            };
            (Kernel::Both { active, length }, finish)
        }
        ("K10", _) => {
            let active = b.may("active")?;
            let after = b.span("after", "7d")?;
            let (from, to) = match variant {
                "exact" => (after, Some(after.saturating_add(DAY - 1))),
                "bounded" => (1, Some(after)),
                _ => (after, None),
            };
            (Kernel::Again { active, from, to }, share)
        }
        ("K14", "inferred") => (
            Kernel::Visits {
                buying: Some(b.must("buying")?),
                searching: b.may("searching")?,
                knowledge: b.may("knowledge")?,
            },
            Finish::Shares,
        ),
        ("K15", _) => (
            Kernel::Events {
                hit: b.must("click")?,
                of: b.must("impression")?,
            },
            share,
        ),
        ("K17", _) => {
            let (enter, leave) = (b.must("enter")?, b.must("leave")?);
            let alive = b.span("alive", "30m")?;
            (
                Kernel::Times {
                    enter,
                    leave,
                    of_journeys: true,
                    alive,
                    at_once: false,
                },
                Finish::Quantile(if variant == "p90" { 0.9 } else { 0.5 }),
            )
        }
        ("K18", _) => {
            let (at, goal) = (b.may("at")?, b.may("goal")?);
            (
                Kernel::Dropoff {
                    at,
                    goal,
                    within: b.span("returns_within", "7d")?,
                },
                share,
            )
        }
        ("K19", _) => {
            let (goal, start) = (b.must("goal")?, b.may("start")?);
            let direct = variant == "directness";
            let alive = b.span("alive", "30m")?;
            (
                Kernel::Goal {
                    goal,
                    start,
                    alive,
                    direct,
                },
                if direct { Finish::Direct } else { share },
            )
        }
        ("K20", _) => {
            let (goal, error, support) = (b.may("goal")?, b.may("error")?, b.may("support")?);
            let (slow, within) = (b.span("slow", "5m")?, b.span("within", "24h")?);
            let channel = b.channel();
            (
                Kernel::Friction {
                    goal,
                    error,
                    support,
                    slow,
                    within,
                    channel,
                },
                Finish::Friction,
            )
        }
        ("K22", _) => {
            let kind = match variant {
                "ping_pong" => Again::PingPong,
                "reloads" => Again::Reload,
                _ => Again::Revisit,
            };
            (
                Kernel::Rework {
                    kind,
                    of: b.may("of")?,
                },
                share,
            )
        }
        ("K24", _) => {
            let (open, close) = (b.must("order")?, b.must("return")?);
            let within = b.span("within", "30d")?;
            (
                Kernel::Attempts {
                    open,
                    close,
                    within,
                    each: Each::Every,
                    at_once: false,
                },
                share,
            )
        }
        ("K25", _) => {
            b.need_money()?;
            let of = b.may("of")?;
            let unit = Unit::MoneyMinor;
            match variant {
                "order" => (
                    Kernel::Money {
                        of,
                        by: MoneyBy::Event,
                    },
                    Finish::Mean { unit },
                ),
                "journey" => (
                    Kernel::PerJourney {
                        what: OfJourney::Money,
                        active: of,
                    },
                    Finish::Mean { unit },
                ),
                "customer" => (
                    Kernel::Money {
                        of,
                        by: MoneyBy::Customer,
                    },
                    Finish::Mean { unit },
                ),
                _ => (
                    Kernel::Money {
                        of,
                        by: MoneyBy::Customer,
                    },
                    Finish::Total,
                ),
            }
        }
        ("K26", _) => {
            let contact = b.must("contact")?;
            let resolved = match variant {
                "switches" => Some(b.must("resolved")?),
                _ => b.may("resolved")?,
            };
            let within = b.span("within", "7d")?;
            let channel = match variant {
                "switches" => Some(b.need_channel()?),
                _ => None,
            };
            let finish = if channel.is_some() {
                Finish::Mean { unit: Unit::Ratio }
            } else {
                share
            };
            (
                Kernel::Contacts {
                    contact,
                    resolved,
                    within,
                    channel,
                },
                finish,
            )
        }
        ("K27", "share") => (
            Kernel::PerCustomer {
                what: OfCustomer::FirstIs(b.must("referred")?),
            },
            share,
        ),
        ("K27", _) => (
            Kernel::PerCustomer {
                what: OfCustomer::Events(b.must("referral")?),
            },
            Finish::Ratio,
        ),
        ("K30", _) => {
            let table = asked.table("costs", "spend").ok_or_else(|| {
                asked.needs("what each channel cost", "give a table with the words `channel` and the numbers `spend`: `--external FILE`, `external=`")
            })?;
            let goal = b.must("goal")?;
            if variant == "roas" {
                b.need_money()?;
            }
            let channel = b.need_channel()?;
            let first = match asked.text("attribution") {
                None | Some("last") => false,
                Some("first") => true,
                Some(other) => {
                    return Err(problem(
                        "attribution",
                        format!("`{other}` is no attribution; there are first and last"),
                    ));
                }
            };
            b.say(
                "attribution",
                if first { "first" } else { "last" }.to_owned(),
            );
            let within = b.span("within", "30d")?;
            let what = match variant {
                "cost_per_goal" => SpendOf::CostPerGoal,
                "idle" => SpendOf::Idle,
                _ => SpendOf::Roas,
            };
            (
                Kernel::Credit {
                    goal,
                    channel,
                    first,
                    within,
                },
                Finish::Spend {
                    table: Arc::clone(table),
                    what,
                },
            )
        }
        _ => (Kernel::Nothing, Finish::Outside(outside::bind(asked)?)),
    })
}

fn sessions(b: &mut Build<'_, '_>, ga4: bool) -> Result<Kernel, SpecError> {
    Ok(Kernel::Sessions {
        ga4,
        key: b.may("key")?,
        view: b.may("view")?,
        active: if ga4 {
            b.span("engaged_after", "10s")?
        } else {
            0
        },
        alive: b.span("alive", "30m")?,
    })
}

#[allow(clippy::cast_precision_loss)] // lengths of time far below 2^53
fn buying(b: &mut Build<'_, '_>) -> Result<Buying, SpecError> {
    let asked = b.asked;
    let period = b.span("period", "7d")?.max(1);
    let horizon = b.span("horizon", "365d")?;
    let discount = asked.number("discount").unwrap_or(0.0);
    let margin = asked.number("margin").unwrap_or(1.0);
    b.say("discount", format!("{discount} a year"));
    b.say("margin", margin.to_string());
    if !(0.0..10.0).contains(&discount) {
        return Err(problem(
            "discount",
            format!("{discount} is no yearly rate; write 0.1 for ten per cent"),
        ));
    }
    if !(0.0..=1.0).contains(&margin) {
        return Err(problem(
            "margin",
            format!("{margin} is no share of the money; write 0.3 for thirty per cent"),
        ));
    }
    let per_year = 365.25 * DAY as f64 / period as f64;
    Ok(Buying {
        what: match asked.variant.name {
            "historic" => BuyingOf::Historic,
            "contractual" => BuyingOf::Contractual,
            "alive" => BuyingOf::Lost,
            _ => BuyingOf::Expected,
        },
        horizon: horizon as f64 / period as f64,
        discount: (1.0 + discount).powf(1.0 / per_year) - 1.0,
        margin,
        period,
    })
}
