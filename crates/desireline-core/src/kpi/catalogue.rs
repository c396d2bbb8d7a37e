//! What every KPI means: the one list that people read, on the command line, in Python, in the documents.
//!
//! Names, numbers and settings are those that maps know ([`crate::map::KPIS`]); here stands what is asked, how it is
//! computed, of whom, with which interval, from which data, and who says so.

use serde::Serialize;

use crate::map::{KPIS, KnownKpi, KpiUnit, ParamKind};

/// A KPI of the catalogue, in words.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Definition {
    /// Its name, number, unit and settings.
    #[serde(skip)]
    pub known: &'static KnownKpi,
    /// What is asked.
    pub question: &'static str,
    /// The ways to measure it; the first is meant where none is named.
    pub variants: &'static [Variant],
    /// What has to be there to measure it.
    pub data: &'static str,
    /// Where the definition comes from.
    pub source: &'static str,
    /// How to ask for it on the command line, after `desireline kpi NAME LOG …`.
    pub example: &'static str,
    /// The setting that names the variant in documents, besides `variant`.
    #[serde(skip)]
    pub(super) variant_param: &'static str,
}

impl Definition {
    /// Everything about it as data: for `kpi show --format json`, for Python and for documents.
    pub fn describe(&self) -> serde_json::Value {
        let mut value = serde_json::to_value(self).unwrap_or_default();
        let params = self.known.params.iter().map(
            |p| serde_json::json!({"name": p.name, "kind": kind(p.kind), "required": p.required}),
        );
        value["number"] = self.known.number.into();
        value["name"] = self.known.name.into();
        value["aliases"] = self.known.aliases.into();
        value["params"] = params.collect();
        value
    }
}

/// The word for a kind of setting.
pub fn kind(kind: ParamKind) -> &'static str {
    match kind {
        ParamKind::Expression => "condition",
        ParamKind::Span => "length of time",
        ParamKind::Number => "number",
        ParamKind::Text => "text",
    }
}

/// A way to measure a KPI.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Variant {
    /// Its name.
    pub name: &'static str,
    /// How it is computed.
    pub formula: &'static str,
    /// Of whom or what; who is left out.
    pub population: &'static str,
    /// In what it is measured.
    pub unit: KpiUnit,
    /// How its interval is made.
    pub interval: &'static str,
}

impl Variant {
    /// Whether more is better; a variant that turns the KPI round, such as engaged sessions, says so by its name.
    pub(super) fn higher_is_better(&self, known: &KnownKpi) -> Option<bool> {
        match (known.number, self.name) {
            ("K05", "v1")
            | ("K03", "cac")
            | ("K26", "switches")
            | ("K30", "cost_per_goal" | "idle") => Some(false),
            ("K05", _) => Some(true),
            ("K13", "top3" | "top10") => Some(true),
            _ => known.higher_is_better,
        }
    }
}

/// The definition of a KPI that maps know.
pub fn definition(known: &'static KnownKpi) -> &'static Definition {
    DEFINITIONS
        .iter()
        .find(|d| d.known.number == known.number)
        .unwrap_or(&DEFINITIONS[0])
}

const SHARE: KpiUnit = KpiUnit::Share;
const COUNT: KpiUnit = KpiUnit::Count;
const RATIO: KpiUnit = KpiUnit::Ratio;
const SCORE: KpiUnit = KpiUnit::Score;
const TIME: KpiUnit = KpiUnit::Time;
const MONEY: KpiUnit = KpiUnit::Money;

const WILSON: &str = "Wilson score";
const CLUSTERED: &str =
    "Wilson score with an effective sample size, customers as clusters (delta method)";
const DELTA: &str = "delta method over customers, log scale";
const BOOTSTRAP: &str =
    "studentised bootstrap over customers, seeded; the delta method above 20,000 customers";
const GARWOOD: &str = "Garwood exact Poisson";
const CURVE: &str = "Greenwood, log-log";
const TIMES: &str = "Brookmeyer-Crowley, log-log";
const SCALE: &str = "score interval on the scale, customers as clusters";
const ROBUST: &str =
    "robust variance of the fitted model and of the customers it is averaged over, log scale";

const fn v(
    name: &'static str,
    unit: KpiUnit,
    formula: &'static str,
    population: &'static str,
    interval: &'static str,
) -> Variant {
    Variant {
        name,
        formula,
        population,
        unit,
        interval,
    }
}

const fn d(
    place: usize,
    question: &'static str,
    variants: &'static [Variant],
    data: &'static str,
    source: &'static str,
    example: &'static str,
) -> Definition {
    Definition {
        known: &KPIS[place - 1],
        question,
        variants,
        data,
        source,
        example,
        variant_param: "variant",
    }
}

const fn by(definition: Definition, variant_param: &'static str) -> Definition {
    Definition {
        variant_param,
        ..definition
    }
}

const SURVEY_DATA: &str = "answers of customers (a feedback table)";

/// All of them, K01 to K30.
#[rustfmt::skip]
pub static DEFINITIONS: &[Definition] = &[
    by(d(1, "How many sessions end as soon as they began?", &[
        v("ga4", SHARE, "1 − engaged sessions / sessions; engaged: at least 10 s long, or with a key event, or with two views", "journeys as sessions; those that may still go on are left out", CLUSTERED),
        v("ua", SHARE, "sessions with one interaction / sessions", "journeys as sessions; those that may still go on are left out", CLUSTERED),
    ], "journeys cut as sessions (a gap or a column); `key` and `view` say which events are key events and views", "Google Analytics 4 and Universal Analytics, help pages", "bounce_rate shop.arrow --journey gap=30m --param 'view=product_view' --param 'key=purchase'"), "rule"),
    d(2, "How many carts are left behind?", &[
        v("cart", SHARE, "1 − carts with a purchase within w / carts whose w has elapsed", "carts: begun by a cart event while none is open; ended by a purchase or after w; younger ones are left out", CLUSTERED),
        v("checkout", SHARE, "1 − checkouts with a purchase within w / checkouts whose w has elapsed; `cart` names the event that begins a checkout", "checkouts, as carts", CLUSTERED),
    ], "an event that fills the cart and one that buys", "Baymard Institute, list of cart abandonment rates", "cart_abandonment shop.arrow --param cart=add_to_cart --param purchase=purchase --param within=7d"),
    d(3, "How many new customers were won?", &[
        v("new", COUNT, "customers whose first purchase lies in the period", "customers with a purchase; those whose first one lies within `history` of the log's beginning are left out", GARWOOD),
        v("rate", SHARE, "new customers / customers seen who had not bought before", "customers seen, up to their first purchase", WILSON),
        v("cac", MONEY, "spend on acquisition / new customers", "customers with a purchase", "Garwood exact Poisson for the count; the spend is taken as exact"),
    ], "an event that buys; for `cac` a table with `spend`", "Farris et al., Marketing Metrics", "acquisition shop.arrow --param purchase=purchase --param history=30d"),
    d(4, "How many of those who came in reach the goal?", &[
        v("persons", SHARE, "customers who reach the goal within w of their first entry / customers whose w has elapsed", "customers with an entry, each once", WILSON),
        v("eventual", SHARE, "1 − S(w), Kaplan-Meier over the time from entry to goal", "customers with an entry, also those watched for less than w", CURVE),
        v("journeys", SHARE, "journeys that reach the goal / journeys that entered; `within` says for how long a journey may still go on", "journeys; those that may still go on are left out", CLUSTERED),
    ], "any event as goal, also an answer to a yes-or-no question", "Farris et al., Marketing Metrics", "conversion shop.arrow --param entry=product_view --param goal=purchase --param within=7d"),
    by(d(5, "How much effort was it?", &[
        v("v2", SCORE, "mean agreement with \"made it easy\", 1 to 7", "respondents", SCALE),
        v("v2_easy", SHARE, "answers of 5 and more / answers, 1 to 7", "respondents", WILSON),
        v("v1", SCORE, "mean effort, 1 to 5, low is good", "respondents", SCALE),
    ], SURVEY_DATA, "Dixon, Freeman and Toman 2010; The Effortless Experience 2013", "ces shop.arrow --feedback answers.csv"), "version"),
    d(6, "How much do customers do with us?", &[
        v("sessions", RATIO, "journeys / active customers", "customers with an active journey", DELTA),
        v("engaged", SHARE, "engaged sessions / sessions, as in K01", "journeys as sessions", CLUSTERED),
        v("stickiness", SHARE, "days active / days, of the customers active in the last 30 whole days or in the period: daily over monthly actives", "customers active in that time", CLUSTERED),
        v("minutes", TIME, "mean time from first to last event of a journey", "journeys", BOOTSTRAP),
        v("touchpoints", RATIO, "events / journeys", "journeys", DELTA),
        v("by_channel", RATIO, "events through a channel / journeys that used it", "journeys, by channel", DELTA),
    ], "journeys cut as sessions; `active` says which count", "Google Analytics 4", "engagement shop.arrow --journey gap=30m --variant stickiness"),
    d(7, "What is a customer worth?", &[
        v("expected", MONEY, "margin × mean over customers of E[transactions within H, discounted] × E[money of a transaction]; BG/NBD and gamma-gamma", "customers with a purchase", ROBUST),
        v("historic", MONEY, "mean over customers of Σ margin × money / (1+d)^t", "customers with a purchase", BOOTSTRAP),
        v("contractual", MONEY, "mean money per period × Σ S(t) / (1+d)^t, S by the shifted beta-geometric", "customers with a purchase, renewing in every period until they leave", ROBUST),
    ], "an event that buys, with money; `margin` (share of the money kept), `discount` (a year), `horizon`", "Fader, Hardie and Lee 2005; Fader and Hardie 2007, 2013", "clv shop.arrow --param purchase=purchase --param horizon=365d --param discount=0.1"),
    d(8, "How many buyers come back?", &[
        v("rate", SHARE, "buyers with a second purchase within w of the first / buyers whose w has elapsed", "customers with a purchase, each once", WILSON),
        v("time", TIME, "median time from first to second purchase, Kaplan-Meier", "customers with a purchase", TIMES),
    ], "an event that buys", "Farris et al., Marketing Metrics", "repeat_rate shop.arrow --param purchase=purchase --param within=90d"),
    d(9, "How many people do we reach?", &[
        v("persons", COUNT, "distinct customers touched", "customers with a matching event", GARWOOD),
        v("share", SHARE, "distinct customers touched / target population", "the population of that size", WILSON),
        v("by_channel", COUNT, "distinct customers touched, by channel", "customers with a matching event", GARWOOD),
        v("incremental", COUNT, "distinct customers touched by one channel and no other", "customers with a matching event", GARWOOD),
    ], "`touch` says which events count; `population` or a table with `population` for the share", "Farris et al., Marketing Metrics", "reach shop.arrow --variant share --param population=250000"),
    by(d(10, "How many stay?", &[
        v("rolling", SHARE, "customers active at least `after` after their first time / customers watched that long", "customers, each once", WILSON),
        v("exact", SHARE, "customers active on the day that begins `after` after their first time / customers watched to its end", "customers, each once; days of 24 hours from the first event", WILSON),
        v("bounded", SHARE, "customers active again within `after` / customers watched that long", "customers, each once", WILSON),
        v("period", SHARE, "(E − N) / S: customers of one period who are active in the next", "customers active in the period before; for a series the calendar's, else the last two of length `after`", "Wilson score; clustered where a customer counts in several periods"),
    ], "`active` says which events count", "Reichheld and Sasser 1990; cohort tables in `desireline retention`", "retention shop.arrow --param after=7d --variant exact"), "clock"),
    d(11, "How satisfied are customers?", &[
        v("top2", SHARE, "answers of the two best grades / answers", "respondents", WILSON),
        v("mean", SCORE, "mean grade", "respondents", SCALE),
    ], SURVEY_DATA, "Sielinski 2021, on CSAT without uncertainty", "csat shop.arrow --feedback answers.csv"),
    d(12, "Would customers recommend us?", &[
        v("nps", SCORE, "100 (share of 9 and 10 − share of 0 to 6)", "respondents", "adjusted Wald: three more answers, ¾ promoters and ¾ detractors; below 30 answers no narrower than Tango's score interval"),
    ], SURVEY_DATA, "Reichheld 2003; Rocks 2016", "nps shop.arrow --feedback answers.csv"),
    d(13, "Where do we stand in search results?", &[
        v("position", SCORE, "Σ position × impressions / Σ impressions", "impressions in search results", "studentised bootstrap of days, seeded"),
        v("top3", SHARE, "impressions at position 3 or better / impressions", "impressions in search results", "Wilson score with an effective sample size, days as clusters"),
        v("top10", SHARE, "impressions at position 10 or better / impressions", "impressions in search results", "Wilson score with an effective sample size, days as clusters"),
    ], "a table with days and the numbers `position` and `impressions`; it cannot come from an event log", "Google Search Console, documentation", "seo_rank shop.arrow --external search.csv"),
    d(14, "What do visitors come for?", &[
        v("inferred", SHARE, "journeys of each kind / journeys: buying, else searching, else knowledge building, else browsing, by the conditions given", "journeys as visits", "Goodman simultaneous, customers as clusters"),
        v("declared", SHARE, "answers of each purpose / answers", "respondents", "Goodman simultaneous"),
    ], "conditions `buying`, `searching`, `knowledge`; for declared purposes a survey", "Moe 2003; Sismeiro and Bucklin 2004", "visitor_intent shop.arrow --journey gap=30m --param buying=add_to_cart --param searching=search"),
    d(15, "How many of those who see it click?", &[
        v("events", SHARE, "clicks / impressions", "impressions; clicks of customers without one are left out", CLUSTERED),
    ], "an event for the impression and one for the click", "Interactive Advertising Bureau, click measurement", "ctr shop.arrow --param impression=ad_view --param click=ad_click"),
    d(16, "How many do we lose?", &[
        v("period", SHARE, "1 − customers active in a period who are active in the next / customers active in it", "customers active in the period before", "Wilson score; clustered where a customer counts in several periods"),
        v("alive", SHARE, "1 − mean P(alive), BG/NBD; `active` says what counts as a purchase", "customers with a matching event", ROBUST),
    ], "`active` says which events count; `within` is the length of a period", "Reichheld and Sasser 1990; Fader, Hardie and Lee 2005", "churn shop.arrow --param within=30d"),
    d(17, "How long does a stage take?", &[
        v("median", TIME, "the time by which half of those who entered have moved on", "journeys that enter; those who drop out never move on, open ones are censored", TIMES),
        v("p90", TIME, "the time by which nine of ten have moved on", "journeys that enter; those who drop out never move on, open ones are censored", TIMES),
    ], "`enter` and `leave`: the events that begin and end the stage", "Brookmeyer and Crowley 1982; Fine and Gray 1999", "time_on_stage shop.arrow --param enter=add_to_cart --param leave=purchase"),
    d(18, "How many end here and do not come back?", &[
        v("journeys", SHARE, "journeys that end at X without the goal and without return within T / journeys at X", "journeys at X whose last event lies T back", CLUSTERED),
    ], "`at` says where (anywhere without it), `goal` what they came for", "Halvorsrud, Kvale and Følstad 2016; `desireline dropoff` for all touchpoints", "dropoff shop.arrow --journey gap=30m --param at=checkout --param goal=purchase"),
    d(19, "How many reach what they came for, and how directly?", &[
        v("completion", SHARE, "journeys that reach the goal / journeys that started", "journeys; those that may still go on are left out", CLUSTERED),
        v("directness", SHARE, "steps of the shortest journey to the goal / mean steps to it", "journeys that reach the goal", "delta method over customers, the shortest taken as exact"),
    ], "an event as goal; `start` where not every journey is after it", "Nielsen, task success; ISO 9241-11", "goal_completion shop.arrow --journey gap=30m --param goal=purchase --variant directness"),
    d(20, "How hard do we make it?", &[
        v("index", SCORE, "100 × signals shown / signals that can be seen, equal weights: ended without the goal, went back and forth (A-B-A), a pause of `slow`, an error, a change of channel, support within `within` after it", "journeys whose end lies `within` back", CLUSTERED),
    ], "conditions `goal`, `error`, `support`; what is not given is no signal and does not count", "own definition: shares instead of vendors' weights and ranks, so that it can be compared between logs", "friction shop.arrow --journey gap=30m --param goal=purchase --param support=support_call"),
    d(21, "Is it as good as they expected?", &[
        v("gap", SCORE, "mean(perceived − expected), paired by customer", "respondents to both questions", "score interval on the scale of the differences, customers as clusters"),
    ], "answers to two questions: what was expected, what was found", "Parasuraman, Zeithaml and Berry 1988; Oliver 1980", "satisfaction_gap shop.arrow --feedback answers.csv"),
    d(22, "How often do they go in circles?", &[
        v("revisits", SHARE, "steps back to a touchpoint already seen in the journey / steps after the first", "events after the first of a journey", CLUSTERED),
        v("ping_pong", SHARE, "A-B-A / steps with two before them", "events after the second of a journey", CLUSTERED),
        v("reloads", SHARE, "the same touchpoint again at once / steps after the first", "events after the first of a journey", CLUSTERED),
    ], "nothing but the log; `of` says which steps count", "van der Aalst, Process Mining 2016", "rework shop.arrow --journey gap=30m --variant ping_pong"),
    d(23, "How much do we hear?", &[
        v("responses", SHARE, "responses / touches", "touches that could be asked about", WILSON),
    ], SURVEY_DATA, "AAPOR, Standard Definitions", "feedback_coverage shop.arrow --feedback answers.csv"),
    d(24, "How many orders come back?", &[
        v("orders", SHARE, "orders returned within w / orders whose w has elapsed; a return belongs to the oldest open order", "orders; younger ones are left out", CLUSTERED),
    ], "an event for the order and one for the return or refund", "Farris et al., Marketing Metrics", "returns shop.arrow --param order=purchase --param return=refund --param within=30d"),
    by(d(25, "What do they bring in?", &[
        v("total", MONEY, "Σ money", "customers", "studentised bootstrap over customers, seeded: what other customers like these would have brought"),
        v("order", MONEY, "Σ money / events with money", "events with money", BOOTSTRAP),
        v("journey", MONEY, "Σ money / journeys", "journeys", BOOTSTRAP),
        v("customer", MONEY, "Σ money / customers", "customers", BOOTSTRAP),
    ], "money; `of` says of which events", "Farris et al., Marketing Metrics", "revenue shop.arrow --variant order"), "mean"),
    d(26, "Is one contact enough?", &[
        v("resolved", SHARE, "needs settled without a second contact within w / needs whose w has elapsed", "needs: begun by a contact while none is open", CLUSTERED),
        v("switches", RATIO, "changes of channel until a need was settled / needs settled", "needs that were settled", BOOTSTRAP),
    ], "an event for the contact; `resolved` where the log says so", "ICMI, first contact resolution", "first_contact_resolution shop.arrow --param contact=support_call --param within=7d"),
    d(27, "How many do they bring along?", &[
        v("per_customer", RATIO, "referrals / customers", "customers", DELTA),
        v("share", SHARE, "new customers who came by referral / new customers", "customers, by their first event", WILSON),
    ], "`referral`: an event that refers somebody; `referred`: what a referred customer's first event looks like", "Kumar, Petersen and Leone 2007", "advocacy shop.arrow --param referral=invite_sent"),
    d(28, "What do their words sound like?", &[
        v("mean", SCORE, "mean valence of texts, −1 to 1", "texts with a valence of the model", SCALE),
    ], "texts with a valence and the name of the model", "Pang and Lee 2008", "sentiment shop.arrow --feedback answers.csv"),
    d(29, "What will they remember?", &[
        v("peak_end", SCORE, "mean over customers of (strongest + last) / 2", "customers with a measured emotion", SCALE),
        v("minimum", SCORE, "mean over customers of the worst moment", "customers with a measured emotion", SCALE),
    ], "emotions at several touches of a customer", "Kahneman et al. 1993", "peak_end shop.arrow --feedback answers.csv"),
    d(30, "What do we get for what we spend?", &[
        v("roas", RATIO, "value of goals owed to a channel / what it cost", "goals with a channel before them within `within`; `attribution` first or last", "studentised bootstrap over customers, seeded; the cost is taken as exact"),
        v("cost_per_goal", MONEY, "what a channel cost / goals owed to it", "goals with a channel before them within `within`", "Garwood exact Poisson; the cost is taken as exact"),
        v("idle", MONEY, "what was spent on a channel to which no goal at all is owed", "channels with a cost", "none: spend is exact"),
    ], "a table with `channel` and `spend`; the channel of each event", "Anderl et al. 2016", "roas shop.arrow --param goal=purchase --external spend.csv"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kpi_of_maps_is_defined_once_and_in_order() {
        assert_eq!(DEFINITIONS.len(), KPIS.len());
        for (definition, known) in DEFINITIONS.iter().zip(KPIS) {
            assert_eq!(definition.known, known);
            assert!(definition.question.ends_with('?') && !definition.variants.is_empty());
            let mut names: Vec<&str> = definition.variants.iter().map(|v| v.name).collect();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), definition.variants.len(), "{}", known.name);
            for variant in definition.variants {
                for text in [variant.formula, variant.population, variant.interval] {
                    assert!(!text.is_empty() && !text.ends_with('.'), "{text}");
                }
            }
        }
    }
}
