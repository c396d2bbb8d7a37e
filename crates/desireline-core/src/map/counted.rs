//! What each KPI counts, and how a map can choose it.

use super::{CountedUnit, KnownKpi, KpiBinding, Param, VARIANT};
use CountedUnit::{Event, Journey, Order, Person, Session, Ticket};

/// A variant and what it can count.
type Counted = (&'static str, &'static [CountedUnit]);

/// The variants of KPIs by what they count; of several that count the same the first is meant. Sessions and journeys are one: journeys as they are cut.
#[rustfmt::skip]
const COUNTS: &[(&str, &[Counted])] = &[
    ("K01", &[("ga4", JOURNEYS), ("ua", JOURNEYS)]),
    ("K02", &[("cart", &[Order]), ("checkout", &[Order])]),
    ("K03", &[("new", PERSONS), ("rate", PERSONS), ("cac", PERSONS)]),
    ("K04", &[("persons", PERSONS), ("eventual", PERSONS), ("journeys", JOURNEYS)]),
    ("K05", &[("v2", PERSONS), ("v2_easy", PERSONS), ("v1", PERSONS)]),
    ("K06", &[("sessions", PERSONS), ("engaged", JOURNEYS), ("stickiness", PERSONS), ("minutes", JOURNEYS), ("touchpoints", JOURNEYS), ("by_channel", JOURNEYS)]),
    ("K07", &[("expected", PERSONS), ("historic", PERSONS), ("contractual", PERSONS)]),
    ("K08", &[("rate", PERSONS), ("time", PERSONS)]),
    ("K09", &[("persons", PERSONS), ("share", PERSONS), ("by_channel", PERSONS), ("incremental", PERSONS)]),
    ("K10", &[("rolling", PERSONS), ("exact", PERSONS), ("bounded", PERSONS), ("period", PERSONS)]),
    ("K11", &[("top2", PERSONS), ("mean", PERSONS)]),
    ("K12", &[("nps", PERSONS)]),
    ("K13", &[("position", EVENTS), ("top3", EVENTS), ("top10", EVENTS)]),
    ("K14", &[("inferred", JOURNEYS), ("declared", PERSONS)]),
    ("K15", &[("events", EVENTS)]),
    ("K16", &[("period", PERSONS), ("alive", PERSONS)]),
    ("K17", &[("median", JOURNEYS), ("p90", JOURNEYS)]),
    ("K18", &[("journeys", JOURNEYS)]),
    ("K19", &[("completion", JOURNEYS), ("directness", JOURNEYS)]),
    ("K20", &[("index", JOURNEYS)]),
    ("K21", &[("gap", PERSONS)]),
    ("K22", &[("revisits", EVENTS), ("ping_pong", EVENTS), ("reloads", EVENTS)]),
    ("K23", &[("responses", EVENTS)]),
    ("K24", &[("orders", &[Order])]),
    ("K25", &[("total", PERSONS), ("order", &[Order, Event]), ("journey", JOURNEYS), ("customer", PERSONS)]),
    ("K26", &[("resolved", &[Ticket]), ("switches", &[Ticket])]),
    ("K27", &[("per_customer", PERSONS), ("share", PERSONS)]),
    ("K28", &[("mean", EVENTS)]),
    ("K29", &[("peak_end", PERSONS), ("minimum", PERSONS)]),
    ("K30", &[("roas", GOALS), ("cost_per_goal", GOALS), ("idle", GOALS)]),
];

const JOURNEYS: &[CountedUnit] = &[Journey, Session];
const PERSONS: &[CountedUnit] = &[Person];
const EVENTS: &[CountedUnit] = &[Event];
const GOALS: &[CountedUnit] = &[Event, Order];

impl KpiBinding {
    /// The variant that the binding's settings name.
    pub(crate) fn variant(&self) -> Option<&str> {
        let params = self.params.as_ref()?;
        [VARIANT.name, "rule", "clock", "mean"]
            .iter()
            .find_map(|name| match params.get(*name)? {
                Param::Text(text) => Some(text.as_str()),
                _ => None,
            })
    }
}

impl KnownKpi {
    /// Why the KPI means nothing at a place, if so.
    pub(crate) fn has_no_place(
        &self,
        variant: Option<&str>,
        is_channel: bool,
    ) -> Option<&'static str> {
        match (self.number, variant) {
            ("K03", Some("cac")) => Some(
                "what was spent on new customers is not known by place: watch it for the whole map",
            ),
            ("K30", _) if !is_channel => Some(
                "what was spent is known by channel alone: watch it at a channel, or for the whole map",
            ),
            _ => None,
        }
    }

    /// The variant of this KPI that counts by `per`, where `variant` is what a map chose, if anything.
    ///
    /// # Errors
    /// In words: the KPI, or the variant chosen, counts something else.
    pub fn counting(
        &self,
        variant: Option<&str>,
        per: CountedUnit,
    ) -> Result<&'static str, String> {
        let variants = COUNTS.iter().find(|(number, _)| *number == self.number);
        let variants = variants.map_or(&[][..], |(_, variants)| *variants);
        let chosen = |(name, _): &&(&'static str, _)| variant.is_none_or(|v| v == *name);
        let possible = variants.iter().filter(chosen);
        if let Some((name, _)) = possible.clone().find(|(_, units)| units.contains(&per)) {
            return Ok(name);
        }
        let mut units: Vec<&str> = Vec::new();
        for unit in possible.flat_map(|(_, units)| units.iter()) {
            if !units.contains(&unit.word()) {
                units.push(unit.word());
            }
        }
        let what = match variant {
            Some(variant) => format!("the variant `{variant}` of {}", self.name),
            None => self.name.to_owned(),
        };
        Err(format!(
            "{what} cannot be counted by {per}: it counts by {}",
            units.join(" or ")
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::map::KPIS;

    #[test]
    fn every_variant_counts_something_and_a_unit_chooses_one() {
        assert_eq!(COUNTS.len(), KPIS.len());
        for (known, (number, variants)) in KPIS.iter().zip(COUNTS) {
            assert_eq!(known.number, *number);
            let names: Vec<&str> = variants.iter().map(|(name, _)| *name).collect();
            let defined = crate::kpi::definition(known).variants;
            assert_eq!(names, defined.iter().map(|v| v.name).collect::<Vec<_>>());
        }
        let of = |number: &str| KPIS.iter().find(|k| k.number == number);
        let ask = |number, variant, per| of(number).map(|k| k.counting(variant, per));
        assert_eq!(ask("K04", None, Session), Some(Ok("journeys")));
        assert_eq!(ask("K04", None, Person), Some(Ok("persons")));
        assert_eq!(ask("K04", Some("eventual"), Person), Some(Ok("eventual")));
        assert_eq!(
            ask("K04", Some("eventual"), Journey),
            Some(Err("the variant `eventual` of conversion cannot be counted by journey: it counts by person".to_owned()))
        );
        assert_eq!(
            ask("K02", None, Session),
            Some(Err(
                "cart_abandonment cannot be counted by session: it counts by order".to_owned()
            ))
        );
        assert_eq!(ask("K25", None, Order), Some(Ok("order")));
    }
}
