//! What a number that a map watches is called where the map gives it no name: from what to what, and within which time.

use super::{Id, JourneyMap, KpiBinding, Param};
use crate::expr::{CompareOp, Expr, Field, Literal, Node};
use crate::time::TimeSpan;

/// The words for each variant of a KPI; the first is meant where none is named.
type Words = (&'static str, &'static [(&'static str, &'static str)]);

#[rustfmt::skip]
const WORDS: &[Words] = &[
    ("K01", &[("ga4", "Bounce rate"), ("ua", "Journeys of one event")]),
    ("K02", &[("cart", "Cart abandonment"), ("checkout", "Checkout abandonment")]),
    ("K03", &[("new", "New customers"), ("rate", "Acquisition rate"), ("cac", "Cost of a new customer")]),
    ("K04", &[("persons", "Conversion"), ("eventual", "Conversion in the end"), ("journeys", "Conversion of journeys")]),
    ("K05", &[("v2", "Customer effort"), ("v2_easy", "Found it easy"), ("v1", "Customer effort, 1 to 5")]),
    ("K06", &[("sessions", "Journeys per customer"), ("engaged", "Engaged journeys"), ("stickiness", "Stickiness"), ("minutes", "Time per journey"), ("touchpoints", "Events per journey"), ("by_channel", "Events per journey and channel")]),
    ("K07", &[("expected", "Lifetime value"), ("historic", "Lifetime value so far"), ("contractual", "Lifetime value of a subscription")]),
    ("K08", &[("rate", "Repeat rate"), ("time", "Time to the second purchase")]),
    ("K09", &[("persons", "Reach"), ("share", "Share reached"), ("by_channel", "Reach by channel"), ("incremental", "Reach through one channel alone")]),
    ("K10", &[("rolling", "Retention"), ("exact", "Back on the day"), ("bounded", "Back"), ("period", "Retention from period to period")]),
    ("K11", &[("top2", "Satisfied (CSAT)"), ("mean", "Mean satisfaction (CSAT)")]),
    ("K12", &[("nps", "Recommendation (NPS)")]),
    ("K13", &[("position", "Position in search"), ("top3", "Among the first 3 in search"), ("top10", "Among the first 10 in search")]),
    ("K14", &[("inferred", "What visitors come for"), ("declared", "What visitors say they come for")]),
    ("K15", &[("events", "Click-through")]),
    ("K16", &[("period", "Churn"), ("alive", "Customers gone for good")]),
    ("K17", &[("median", "Time"), ("p90", "Time of nine in ten")]),
    ("K18", &[("journeys", "Drop-off")]),
    ("K19", &[("completion", "Journeys that reach"), ("directness", "Directness")]),
    ("K20", &[("index", "Friction")]),
    ("K21", &[("gap", "Satisfaction gap")]),
    ("K22", &[("revisits", "Rework"), ("ping_pong", "Back and forth"), ("reloads", "Reloads")]),
    ("K23", &[("responses", "Feedback coverage")]),
    ("K24", &[("orders", "Returns")]),
    ("K25", &[("total", "Revenue"), ("order", "Revenue per order"), ("journey", "Revenue per journey"), ("customer", "Revenue per customer")]),
    ("K26", &[("resolved", "Settled by one contact"), ("switches", "Changes of channel until settled")]),
    ("K27", &[("per_customer", "Referrals per customer"), ("share", "New customers by referral")]),
    ("K28", &[("mean", "Sentiment")]),
    ("K29", &[("peak_end", "Peak and end"), ("minimum", "Worst moment")]),
    ("K30", &[("roas", "Return on ad spend"), ("cost_per_goal", "Ad cost of a goal"), ("idle", "Spend without a goal")]),
];

/// Names of events that a label lists, and letters of a condition that it shows.
const NAMES: usize = 3;
const LETTERS: usize = 60;

impl KpiBinding {
    /// What it is called: its name in a language, else what it measures, from what to what and within which time, such as
    /// `Conversion from checkout to purchase within 1 h`. Names of events stand without their underscores; a condition on more than
    /// the names of events stands as it is written.
    ///
    /// ```
    /// use desireline_core::map::JourneyMap;
    /// let map = JourneyMap::from_yaml("
    /// schema: 1
    /// id: shop
    /// title: Buying
    /// version: 1.0.0
    /// kind: actual
    /// status: draft
    /// as_of: 2026-01-01
    /// owner: cx
    /// kpis:
    ///   - {id: buys, kpi: conversion, params: {entry: add_to_cart, goal: purchase, within: 1h}}
    /// ")?;
    /// assert_eq!(map.kpis[0].label(&map, "en"), "Conversion from add to cart to purchase within 1 h");
    /// # Ok::<(), desireline_core::map::MapError>(())
    /// ```
    pub fn label(&self, map: &JourneyMap, language: &str) -> String {
        self.label_by(map, language, None)
    }

    /// The same where a map is read for one goal alone.
    pub(crate) fn label_by(&self, map: &JourneyMap, language: &str, lens: Option<&Id>) -> String {
        if let Some(name) = &self.name {
            return name.get(language).to_owned();
        }
        let Some(known) = self.kpi.known() else {
            return capital(&plain(self.kpi.as_str()));
        };
        let chosen = match self.per {
            Some(per) => known.counting(self.variant(), per).ok(),
            None => self.variant(),
        };
        let words = WORDS.iter().find(|(number, _)| *number == known.number);
        let words = words.map_or(&[][..], |(_, words)| *words);
        let named = words.iter().find(|(variant, _)| chosen == Some(*variant));
        let Some((variant, lead)) = named.or(words.first()) else {
            return capital(&plain(known.name));
        };
        let asked = Asked {
            binding: self,
            map,
            language,
            lens,
        };
        asked.told(known.number, variant, lead)
    }
}

/// A binding with what its label is made of.
struct Asked<'m> {
    binding: &'m KpiBinding,
    map: &'m JourneyMap,
    language: &'m str,
    lens: Option<&'m Id>,
}

impl Asked<'_> {
    fn told(&self, number: &str, variant: &str, lead: &str) -> String {
        let goal = || self.condition("goal").or_else(|| self.goals());
        let of = |name: &str| part(" of ", self.condition(name));
        let within = || part(" within ", self.span("within"));
        let rest = match number {
            "K04" => part(" from ", self.condition("entry")) + &part(" to ", goal()) + &within(),
            "K07" => part(" over ", self.span("horizon")),
            "K09" => of("touch"),
            "K10" => {
                let word = if variant == "bounded" {
                    " within "
                } else {
                    " after "
                };
                self.active() + &part(word, self.span("after"))
            }
            "K15" => {
                part(" from ", self.condition("impression"))
                    + &part(" to ", self.condition("click"))
            }
            "K06" => self.active(),
            "K16" => self.active() + &within(),
            "K17" => self.time(),
            "K18" => of("at") + &part(" without return within ", self.span("returns_within")),
            "K19" => {
                let word = if variant == "directness" { " to " } else { " " };
                let goal = goal().or_else(|| Some("a goal".to_owned()));
                part(word, goal) + &part(" from ", self.condition("start"))
            }
            "K22" | "K25" => of("of"),
            _ => within(),
        };
        format!("{lead}{rest}")
    }

    /// Where a time begins and ends: on a stage, or from one event to another.
    fn time(&self) -> String {
        let (enter, leave) = (self.condition("enter"), self.condition("leave"));
        let at = self.binding.at.as_ref();
        let is_stage = at.is_some_and(|at| self.map.stages.iter().any(|s| s.id == *at));
        let place = at.map(|at| self.map.label_of(at, self.language).to_owned());
        match (enter, leave, is_stage) {
            (None, None, true) => part(" on stage ", place),
            (None, None, false) => match place {
                Some(place) => format!(" at {place}"),
                None => " on a stage".to_owned(),
            },
            (enter, leave, _) => part(" from ", enter.or(place)) + &part(" to ", leave),
        }
    }

    /// Which events count as being active.
    fn active(&self) -> String {
        self.condition("active")
            .map_or_else(String::new, |active| format!(" ({active})"))
    }

    fn text(&self, name: &str) -> Option<&str> {
        match self.binding.params.as_ref()?.get(name)? {
            Param::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A condition in words, or as it is written.
    fn condition(&self, name: &str) -> Option<String> {
        let text = self.text(name)?;
        let told = Expr::parse(text).ok().and_then(|expr| told(&expr));
        Some(told.unwrap_or_else(|| short(text))).filter(|told| !told.is_empty())
    }

    fn span(&self, name: &str) -> Option<String> {
        let span = TimeSpan::parse(self.text(name)?).ok()?.to_string();
        let parts = span.split(' ').map(|part| {
            let unit = part.trim_start_matches(|c: char| c.is_ascii_digit());
            let count = part.strip_suffix(unit).unwrap_or(part);
            let unit = if unit == "m" { "min" } else { unit };
            format!("{count} {unit}")
        });
        Some(parts.collect::<Vec<_>>().join(" "))
    }

    /// The goals that are meant where none is named: those of its place, else all of them.
    fn goals(&self) -> Option<String> {
        let at = self.binding.at.as_ref();
        let of_lens = |g: &&crate::map::CustomerGoal| self.lens.is_none_or(|id| g.id == *id);
        let bound = || {
            let goals = self.map.goals.iter().filter(of_lens);
            goals.filter(|g| g.success.is_some())
        };
        let mut near: Vec<_> = bound()
            .filter(|g| at.is_none_or(|at| g.stages.is_empty() || g.stages.contains(at)))
            .collect();
        if near.is_empty() {
            near = bound().collect();
        }
        match near[..] {
            [] => None,
            [one] => {
                let success = one.success.as_ref().and_then(told);
                Some(success.unwrap_or_else(|| "the goal".to_owned()))
            }
            _ => Some("any goal".to_owned()),
        }
    }
}

/// A piece of a label, where there is something to say.
fn part(lead: &str, told: Option<String>) -> String {
    told.map_or_else(String::new, |told| format!("{lead}{told}"))
}

/// A condition that asks for names of events alone, in words.
fn told(expr: &Expr) -> Option<String> {
    let literal = |value: &Literal| match value {
        Literal::Text(name) => Some(plain(name)),
        _ => None,
    };
    match &expr.node {
        Node::Name(name) => Some(plain(name)),
        Node::Compare {
            field: Field::Event,
            op: CompareOp::Eq,
            value,
        } => literal(value),
        Node::In {
            field: Field::Event,
            values,
        } => any_of(values.iter().map(literal).collect::<Option<_>>()?),
        Node::Like {
            field: Field::Event,
            pattern,
        } => Some(pattern.clone()),
        Node::First(inner) => Some(format!("first {}", told(inner)?)),
        Node::Or(list) => any_of(list.iter().map(told).collect::<Option<_>>()?),
        _ => None,
    }
}

fn any_of(names: Vec<String>) -> Option<String> {
    if let Some((shown, rest)) = names.split_at_checked(NAMES)
        && rest.len() > 1
    {
        return Some(format!("{} or {} more", shown.join(", "), rest.len()));
    }
    match &names[..] {
        [] => None,
        [one] => Some(one.clone()),
        [rest @ .., last] => Some(format!("{} or {last}", rest.join(", "))),
    }
}

/// A text in one line, cut where it is too long for a name.
fn short(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LETTERS) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default().trim_end()),
        None => line,
    }
}

/// A name as people write words.
fn plain(name: &str) -> String {
    name.replace('_', " ")
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string());
    first.unwrap_or_default() + chars.as_str()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeSet;

    use super::*;
    use crate::map::KPIS;

    #[test]
    fn every_variant_has_words_of_its_own() {
        assert_eq!(WORDS.len(), KPIS.len());
        let mut all = BTreeSet::new();
        for (known, (number, words)) in KPIS.iter().zip(WORDS) {
            assert_eq!(known.number, *number);
            let names: Vec<&str> = words.iter().map(|(name, _)| *name).collect();
            let defined = crate::kpi::definition(known).variants;
            assert_eq!(names, defined.iter().map(|v| v.name).collect::<Vec<_>>());
            for (_, lead) in *words {
                assert!(all.insert(*lead), "{lead} stands for two");
            }
        }
    }

    /// The label of a binding with these keys on a map of three stages.
    fn label(keys: &str) -> String {
        let text = format!(
            "\
schema: 1
id: m
title: M
version: 1.0.0
kind: actual
status: draft
as_of: 2026-01-01
owner: o
stages: [{{id: look, name: Look}}, {{id: pay, name: {{en: Pays, de: Zahlt}}}}, {{id: keep, name: Keep}}]
channels: [{{id: web, kind: site_app}}]
touchpoints: [{{id: till, name: Till, stages: [pay], binding: purchase}}]
goals:
  - {{id: have, text: Have it, kind: functional, stages: [look], success: purchase}}
  - {{id: safe, text: Be safe, kind: emotional, stages: [pay], success: 'event == \"paid\" and value > 0'}}
  - {{id: wish, text: Wish, kind: social}}
kpis: [{{id: k, {keys}}}]
"
        );
        let map = JourneyMap::from_yaml(&text).unwrap_or_else(|e| panic!("{keys}: {e}"));
        map.kpis[0].label(&map, "en")
    }

    #[test]
    fn a_label_says_from_what_to_what() {
        for (keys, wanted) in [
            ("kpi: conversion, name: Buys", "Buys"),
            ("kpi: conversion, at: look", "Conversion to purchase"),
            ("kpi: conversion, at: pay", "Conversion to the goal"),
            ("kpi: conversion", "Conversion to any goal"),
            (
                "kpi: K04, params: {entry: event == \"ER Registration\", goal: event like \"Release *\", within: 28d}",
                "Conversion from ER Registration to Release * within 28 d",
            ),
            (
                "kpi: conversion, per: session, params: {goal: 'add_to_cart or buy_now'}",
                "Conversion of journeys to add to cart or buy now",
            ),
            (
                "kpi: conversion, params: {goal: 'event in [\"a\", \"b_c\", \"d\"]', within: 90m}",
                "Conversion to a, b c or d within 1 h 30 min",
            ),
            (
                "kpi: conversion, params: {goal: 'value > 20\n  and purchase'}",
                "Conversion to value > 20 and purchase",
            ),
            (
                "kpi: conversion, params: {goal: 'a or b or c or d or e'}",
                "Conversion to a, b, c or 2 more",
            ),
            (
                "kpi: conversion, params: {goal: 'event like \"checkout*\" and channel in [\"web\", \"app\", \"store\", \"phone\"]'}",
                "Conversion to event like \"checkout*\" and channel in [\"web\", \"app\", \"store\"…",
            ),
            ("kpi: time_on_stage, at: pay", "Time on stage Pays"),
            (
                "kpi: time_on_stage, at: pay, params: {variant: p90}",
                "Time of nine in ten on stage Pays",
            ),
            (
                "kpi: time_on_stage, at: till, params: {leave: paid}",
                "Time from Till to paid",
            ),
            ("kpi: time_on_stage, at: till", "Time at Till"),
            (
                "kpi: goods_return, params: {order: purchase, return: refund, within: 30d}",
                "Returns within 30 d",
            ),
            (
                "kpi: goal_completion, at: look",
                "Journeys that reach purchase",
            ),
            (
                "kpi: goal_completion, params: {goal: paid, variant: directness}",
                "Directness to paid",
            ),
            (
                "kpi: click_through, params: {impression: ad_view, click: ad_click}",
                "Click-through from ad view to ad click",
            ),
            ("kpi: reach, at: web", "Reach"),
            (
                "kpi: revenue, params: {mean: order, of: first(purchase)}",
                "Revenue per order of first purchase",
            ),
            (
                "kpi: retention, params: {active: purchase, after: 7d}",
                "Retention (purchase) after 7 d",
            ),
            (
                "kpi: door_count, definition: Visitors, unit: count",
                "Door count",
            ),
        ] {
            assert_eq!(label(keys), wanted, "{keys}");
        }
    }

    #[test]
    fn a_lens_names_its_own_goal() {
        let text = "schema: 1\nid: m\ntitle: M\nversion: 1.0.0\nkind: actual\nstatus: draft\nas_of: 2026-01-01\nowner: o\n\
            goals: [{id: a, text: A, kind: functional, success: paid}, {id: b, text: B, kind: functional, success: sent_back}]\n\
            kpis: [{id: k, kpi: conversion}]\n";
        let map = JourneyMap::from_yaml(text).unwrap();
        let kpi = &map.kpis[0];
        assert_eq!(kpi.label(&map, "en"), "Conversion to any goal");
        let lens = Id::from("b");
        assert_eq!(
            kpi.label_by(&map, "en", Some(&lens)),
            "Conversion to sent back"
        );
    }
}
