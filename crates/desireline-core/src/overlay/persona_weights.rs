//! How much each persona matters: its part of the customers times what one of them is worth.

use serde::{Deserialize, Serialize};

use super::report::{OverlayReport, PersonaMeasure};
use crate::map::{JourneyMap, Money, Persona, PersonaKind};
use crate::report::{Answer, Caveat, Cells, Provenance, Rate, Report, Table};

/// How much shares may be above 1 by rounding.
const ROUNDING: f64 = 1e-9;

/// One persona and what it weighs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PersonaWeight {
    /// Its id; `(no persona)` for customers who belong to none.
    pub persona: String,
    /// Its name.
    pub name: String,
    /// Whether it is one that there is, or one that is wished for.
    pub kind: Option<PersonaKind>,
    /// Its part of all customers as the map says; the rest is what actual personas leave.
    pub declared: Option<f64>,
    /// Its part of the customers of a log.
    pub measured: Option<Rate>,
    /// What one such customer is worth.
    pub value: Option<Money>,
    /// Declared share times value: what it brings for each customer there is.
    pub weight: Option<Money>,
    /// Measured share times value.
    pub measured_weight: Option<Money>,
    /// The ends of the measured share's interval times value.
    pub measured_interval: Option<(Money, Money)>,
    /// Its part of the sum of all measured weights, or of all declared ones where nothing was measured; absent where values are missing
    /// or in several currencies.
    pub part: Option<f64>,
}

/// How much each persona matters, and how many customers belong to one. Tables: `weights`, `coverage`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PersonaWeights {
    /// The map's id.
    pub map: String,
    /// The personas in the order of the map; then those who belong to none.
    pub personas: Vec<PersonaWeight>,
    /// The sum of the declared shares of actual personas; absent where none has one.
    pub declared: Option<f64>,
    /// What that leaves of 1; absent where it is more than 1, because personas overlap.
    pub declared_rest: Option<f64>,
    /// Customers who belong to a persona, of all customers of the log.
    pub covered: Option<Rate>,
    /// What to know before trusting the numbers.
    pub caveats: Vec<Caveat>,
    /// Over which journeys.
    #[serde(skip, default = "nowhere")]
    pub provenance: Provenance,
}

/// The weight of each persona: share × value, declared as the map writes it and measured where there is a log.
///
/// Ideal personas have no part in the sum of declared shares: nobody belongs to them yet. Shares that sum to more than 1 leave no
/// rest, and a caveat says so; `map check` warns of them unless personas are said to overlap.
///
/// ```
/// use desireline_core::map::JourneyMap;
/// use desireline_core::overlay::persona_weights;
///
/// let map = JourneyMap::from_yaml("
/// schema: 1
/// id: shop
/// title: Buying
/// version: 1.0.0
/// kind: actual
/// status: draft
/// as_of: 2026-01-01
/// owner: cx
/// stakeholders: [{id: cx, name: CX}]
/// personas:
///   - {id: often, name: Buys often, kind: actual, share: 0.2, value: 90.00 EUR}
///   - {id: seldom, name: Buys seldom, kind: actual, share: 0.5, value: 12.00 EUR}
/// ")?;
/// let weights = persona_weights(&map, None);
/// // A fifth of 90 EUR, and half of 12 EUR: three quarters of what both bring.
/// assert_eq!(weights.personas[0].weight.map(|w| w.to_string()), Some("18.00 EUR".to_owned()));
/// assert_eq!(weights.personas[0].part, Some(0.75));
/// assert!((weights.declared_rest.unwrap_or(0.0) - 0.3).abs() < 1e-12);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn persona_weights(map: &JourneyMap, measured: Option<&OverlayReport>) -> PersonaWeights {
    let found = |id: &str| measured?.personas.iter().find(|p| p.id == id);
    let mut personas: Vec<PersonaWeight> = map
        .personas
        .iter()
        .map(|p| row(map, p, found(p.id.as_str())))
        .collect();
    parts(&mut personas);
    let shares = map.personas.iter().filter(|p| is_actual(p));
    let shares: Vec<f64> = shares.filter_map(|p| Some(p.share?.get())).collect();
    let declared = (!shares.is_empty()).then(|| shares.iter().sum::<f64>());
    let declared_rest = declared
        .filter(|sum| *sum <= 1.0 + ROUNDING)
        .map(|sum| (1.0 - sum).max(0.0));
    let mut caveats: Vec<Caveat> = measured.map(|r| r.caveats.clone()).unwrap_or_default();
    if let Some(sum) = declared.filter(|_| declared_rest.is_none()) {
        let percent = (sum * 1000.0).round() / 10.0;
        let text = format!(
            "the declared shares of personas sum to {percent} %: they overlap, so nothing can be said of the rest"
        );
        caveats.push(Caveat::Note { text });
    }
    // The overlay's last row holds those who belong to no persona.
    let rest = measured.and_then(|r| {
        let known = |id: &str| map.personas.iter().any(|p| p.id == id);
        r.personas.iter().rfind(|p| !known(&p.id))
    });
    let covered = rest.map(|r| covered(&r.share, measured));
    if declared_rest.is_some() || rest.is_some() {
        personas.push(PersonaWeight {
            persona: super::NO_PERSONA.to_owned(),
            name: super::NO_PERSONA.to_owned(),
            kind: None,
            declared: declared_rest,
            measured: rest.map(|r| r.share),
            value: None,
            weight: None,
            measured_weight: None,
            measured_interval: None,
            part: None,
        });
    }
    PersonaWeights {
        map: map.id.to_string(),
        personas,
        declared,
        declared_rest,
        covered,
        caveats,
        provenance: measured.map_or_else(nowhere, |r| r.provenance.clone()),
    }
}

/// Whether somebody can belong to it.
pub(crate) fn is_actual(persona: &Persona) -> bool {
    persona.kind != Some(PersonaKind::Ideal)
}

fn row(map: &JourneyMap, persona: &Persona, found: Option<&PersonaMeasure>) -> PersonaWeight {
    let declared = persona.share.map(|s| s.get());
    let measured = found.map(|f| f.share);
    let times = |share: f64| scaled(persona.value?, share);
    let estimate = measured.and_then(|r| r.estimate);
    PersonaWeight {
        persona: persona.id.to_string(),
        name: persona.name.get(map.main_language()).to_owned(),
        kind: persona.kind,
        declared,
        measured,
        value: persona.value,
        weight: declared.and_then(times),
        measured_weight: estimate.and_then(|e| times(e.value)),
        measured_interval: estimate.and_then(|e| Some((times(e.lower)?, times(e.upper)?))),
        part: None,
    }
}

/// A part of an amount, in whole minor units.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)] // saturates, and money this large is not exact in a share anyhow
fn scaled(value: Money, share: f64) -> Option<Money> {
    Money::new(
        (value.minor() as f64 * share).round() as i64,
        value.currency(),
    )
}

/// Each weight as a part of all.
#[allow(clippy::cast_precision_loss)] // a share
fn parts(personas: &mut [PersonaWeight]) {
    let actual = |p: &&mut PersonaWeight| p.kind != Some(PersonaKind::Ideal);
    let any = personas.iter().any(|p| p.measured_weight.is_some());
    let weight = |p: &PersonaWeight| if any { p.measured_weight } else { p.weight };
    let weights: Option<Vec<Money>> = personas
        .iter_mut()
        .filter(actual)
        .map(|p| weight(p))
        .collect();
    let Some(weights) = weights else { return };
    let Some(first) = weights.first() else { return };
    let alike = weights
        .iter()
        .all(|w| w.currency() == first.currency() && w.minor() >= 0);
    let sum: i128 = weights.iter().map(|w| i128::from(w.minor())).sum();
    if alike && sum > 0 {
        for persona in personas.iter_mut().filter(actual) {
            persona.part = weight(persona).map(|w| w.minor() as f64 / sum as f64);
        }
    }
}

/// Those who belong to a persona, from those who do not.
fn covered(rest: &Rate, measured: Option<&OverlayReport>) -> Rate {
    let level = measured.map_or(0.95, |r| r.base.level);
    Rate::simple(rest.n.saturating_sub(rest.count), rest.n, rest.base, level)
}

/// Of something that no log was looked at for.
pub(super) fn nowhere() -> Provenance {
    Provenance {
        engine: env!("CARGO_PKG_VERSION").to_owned(),
        fingerprint: String::new(),
        rule: String::new(),
        selections: Vec::new(),
        n_events: 0,
        n_customers: 0,
        n_journeys: 0,
        first_time: 0,
        last_time: 0,
        observed_until: 0,
        seed: None,
    }
}

impl PersonaWeights {
    /// The report as an answer, which every renderer takes.
    pub fn into_answer(self) -> Answer<PersonaWeights> {
        Answer {
            analysis: "personas".to_owned(),
            spec: serde_json::Value::Object(serde_json::Map::new()),
            provenance: self.provenance.clone(),
            report: self,
        }
    }
}

impl Report for PersonaWeights {
    fn title(&self) -> &'static str {
        "Personas and what they weigh"
    }

    fn tables(&self) -> Vec<Table> {
        let rows = &self.personas;
        let text =
            |of: fn(&PersonaWeight) -> Option<String>| Cells::Text(rows.iter().map(of).collect());
        let share =
            |of: fn(&PersonaWeight) -> Option<f64>| Cells::Share(rows.iter().map(of).collect());
        let money = |of: fn(&PersonaWeight) -> Option<Money>| {
            Cells::Text(rows.iter().map(|r| of(r).map(|m| m.to_string())).collect())
        };
        let interval = |p: &PersonaWeight| {
            let (low, high) = p.measured_interval?;
            Some(format!("{low} to {high}"))
        };
        let mut tables = vec![
            Table::new("weights", "What personas weigh")
                .with("persona", "Persona", text(|p| Some(p.persona.clone())))
                .with("name", "Name", text(|p| Some(p.name.clone())))
                .with("kind", "Kind", text(|p| p.kind.map(|k| k.to_string())))
                .with("declared", "Share on the map", share(|p| p.declared))
                .with(
                    "measured",
                    "Share of customers",
                    Cells::Rate(rows.iter().map(|p| p.measured).collect()),
                )
                .with("value", "Worth each", money(|p| p.value))
                .with("weight", "Share × worth, as declared", money(|p| p.weight))
                .with(
                    "measured_weight",
                    "Share × worth, measured",
                    money(|p| p.measured_weight),
                )
                .with("measured_interval", "Interval", text(interval))
                .with("part", "Part of all weights", share(|p| p.part)),
        ];
        let coverage = [
            ("shares of actual personas on the map", self.declared, None),
            ("what they leave", self.declared_rest, None),
            ("customers who belong to a persona", None, self.covered),
        ];
        let known: Vec<_> = coverage
            .into_iter()
            .filter(|(_, share, rate)| share.is_some() || rate.is_some())
            .collect();
        if !known.is_empty() {
            tables.push(
                Table::new("coverage", "How much of the base personas cover")
                    .with(
                        "what",
                        "What",
                        Cells::Text(known.iter().map(|k| Some(k.0.to_owned())).collect()),
                    )
                    .with(
                        "declared",
                        "On the map",
                        Cells::Share(known.iter().map(|k| k.1).collect()),
                    )
                    .with(
                        "measured",
                        "Measured",
                        Cells::Rate(known.iter().map(|k| k.2).collect()),
                    ),
            );
        }
        tables
    }

    crate::report::held!();
}
