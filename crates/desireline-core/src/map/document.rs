//! The map itself.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::format::{self, Form, MapError, Node};
use super::part::{part, words};
use super::*;
use crate::time::TimeSpan;

/// The version of the format: 1. A later version reads this one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SchemaVersion;

impl Serialize for SchemaVersion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(1)
    }
}

impl<'de> Deserialize<'de> for SchemaVersion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<SchemaVersion, D::Error> {
        match u32::deserialize(deserializer)? {
            1 => Ok(SchemaVersion),
            other => Err(serde::de::Error::custom(format!(
                "schema {other} is not known to this version of desireline, which reads schema 1"
            ))),
        }
    }
}

impl JsonSchema for SchemaVersion {
    fn schema_name() -> Cow<'static, str> {
        "SchemaVersion".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "const": 1, "description": "The version of the format." })
    }
}

part! {
    /// The journey as people drew it: stages and touchpoints with goals, expectations, feelings, numbers and what they rest
    /// on; kept as YAML or JSON in git, and bound to a log by expressions.
    ///
    /// Every part has an [`Id`] that is unique in the map. Lists keep their order; keys are written in the order of the
    /// fields here.
    ///
    /// ```
    /// use desireline_core::map::{ChannelKind, JourneyMap, MapKind, Stage, Touchpoint, Channel, Stakeholder, Status, Version};
    /// use desireline_core::expr::event;
    /// # use desireline_core::map::Date;
    /// let as_of = Date::new(2026, 3, 31).ok_or("no such day")?;
    /// let map = JourneyMap::new("shop", "Buying at the shop", Version::new(1, 0, 0), MapKind::Actual, Status::Draft, as_of, "cx")
    ///     .stakeholders([Stakeholder::new("cx", "CX team")])
    ///     .channels([Channel::new("web", ChannelKind::SiteApp)])
    ///     .stages([Stage::new("compare", "Comparing")])
    ///     .touchpoints([Touchpoint::new("product", "Product page").stages(["compare"]).channel("web").binding(event("product_view"))]);
    /// let yaml = map.to_yaml()?;
    /// assert!(yaml.contains("binding: product_view"));
    /// assert_eq!(JourneyMap::from_yaml(&yaml)?, map);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[serde(remote = "Self")]
    pub struct JourneyMap {
        /// The schema that an editor should use.
        editor_schema @ "$schema" String,
        /// The version of the format: 1.
        schema = SchemaVersion,
        /// Its id, by which other maps know it.
        id: Id,
        /// Its title.
        title: LocalizedText,
        /// Its version.
        version: Version,
        /// The version it was made from.
        parent_version ? Version,
        /// Whose journey it shows.
        kind: MapKind,
        /// How far it is.
        status: Status,
        /// The day whose knowledge it shows.
        as_of: Date,
        /// After how long it is to be looked at again; 90 days where nothing is said.
        review_every ? TimeSpan,
        /// Who answers for it: one stakeholder.
        owner: Id,
        /// The language of texts without one; English where nothing is said.
        language ? String,
        /// What it is for and about.
        scope ? MapScope,
        /// The kind of stages.
        framework ? StageFramework,
        /// The lifecycle document whose phases the stages name: its id.
        lifecycle ? Id,
        /// The ideal map that this one is held against: its id.
        compares_with ? Id,
        /// What happens to an event that several bindings match; `priority` where nothing is said.
        binding_policy ? BindingPolicy,
        /// Who answers for what.
        stakeholders * Stakeholder,
        /// Whose journey it is.
        personas * Persona,
        /// Through what they meet the company.
        channels * Channel,
        /// The stages.
        stages * Stage,
        /// The touchpoints.
        touchpoints * Touchpoint,
        /// What customers want.
        goals * CustomerGoal,
        /// What they expect.
        expectations * Expectation,
        /// What they feel.
        emotions * Emotion,
        /// When it counts most.
        moments * MomentOfTruth,
        /// What hurts.
        pains * PainPoint,
        /// What could be better.
        opportunities * Opportunity,
        /// What could become worse.
        risks * Risk,
        /// Which numbers are watched.
        kpis * KpiBinding,
        /// Where customers are asked.
        feedback * FeedbackPoint,
        /// What is done.
        actions * Action,
        /// What is to be tested.
        hypotheses * Hypothesis,
        /// What the map rests on.
        evidence * Evidence,
        /// What is only assumed.
        assumptions * Assumption,
        /// What experts found by rules of thumb.
        reviews * HeuristicReview,
        /// What was seen at rivals.
        competitors * CompetitorObservation,
        /// Content for the stages.
        content * ContentAsset,
        /// Lists of points to look at.
        checklists * Checklist,
        /// How strictly `map check` looks at this map.
        checks ? CheckSettings,
        + own
    }
}

/// Whose journey a map shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MapKind {
    /// The journey there is. It needs a time window.
    Actual,
    /// The journey there should be. It carries no measured feelings.
    Ideal,
    /// A rival's journey. It carries no measured feelings.
    Competitor(Competitor),
    /// A journey somebody believes in.
    Hypothesis,
}

impl MapKind {
    /// The word in a document.
    pub fn word(&self) -> &'static str {
        match self {
            MapKind::Actual => "actual",
            MapKind::Ideal => "ideal",
            MapKind::Competitor(_) => "competitor",
            MapKind::Hypothesis => "hypothesis",
        }
    }
}

/// A rival.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Competitor {
    /// Their name.
    pub name: String,
}

words! {
    /// How far a map is.
    pub enum Status {
        /// Being drawn; parts may be empty.
        Draft = "draft",
        /// Looked at by those who know.
        Reviewed = "reviewed",
        /// In use.
        Published = "published",
        /// No longer in use.
        Retired = "retired",
    }
}

part! {
    /// How strictly `map check` looks at a map. The options of the command come first.
    pub struct CheckSettings {
        /// Warnings that are errors here, such as `W-DEAD`; `warnings` means all.
        deny * String,
        /// Warnings that are not to be mentioned here, such as `W-MOT`.
        allow * String,
        /// Below how many observations a number is too small to show; 10 where nothing is said.
        min_n ? u64,
        /// Up to which share of a log's events may be bound to nothing; 0.05 where nothing is said.
        orphans ? Share,
        /// Up to which share of journeys may still be open; 0.2 where nothing is said.
        open ? Share,
        /// Up to which share of places with a feeling may know it from guesses only; 0 where nothing is said.
        opinion ? Share,
        /// From which share of customers on a touchpoint needs to be asked about; 0.05 where nothing is said.
        unheard ? Share,
    }
}

impl JourneyMap {
    /// How long a map stays fresh if it does not say.
    pub const REVIEW_EVERY: TimeSpan = TimeSpan::from_micros(90 * 86_400_000_000);

    /// Reads a YAML document.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with line and column: [`MapError`].
    pub fn from_yaml(text: &str) -> Result<JourneyMap, MapError> {
        MapFile::read(text, Form::Yaml).map(MapFile::into_map)
    }

    /// Reads a JSON document.
    ///
    /// # Errors
    /// Those of [`from_yaml`](Self::from_yaml).
    pub fn from_json(text: &str) -> Result<JourneyMap, MapError> {
        MapFile::read(text, Form::Json).map(MapFile::into_map)
    }

    /// The map as YAML, its keys in the order of the fields.
    ///
    /// # Errors
    /// A map made in code may hold what no document can: an id that is none, an expression that cannot be read back.
    pub fn to_yaml(&self) -> Result<String, MapError> {
        format::tree(&Bare(self)).map(|tree| format::yaml(&tree))
    }

    /// The map as JSON with indentation, its keys in the order of the fields.
    ///
    /// # Errors
    /// Those of [`to_yaml`](Self::to_yaml).
    pub fn to_json(&self) -> Result<String, MapError> {
        let tree = format::tree(&Bare(self))?;
        Ok(serde_json::to_string_pretty(&tree).unwrap_or_default() + "\n")
    }

    /// A hash of all that the map says. It is the same for YAML and JSON, and for any layout.
    pub fn fingerprint(&self) -> u128 {
        let text = format::tree(&Bare(self)).map(|tree| serde_json::to_string(&tree));
        let text = text.map(Result::unwrap_or_default).unwrap_or_default();
        xxhash_rust::xxh3::xxh3_128(text.as_bytes())
    }

    /// The language of texts without one.
    pub fn main_language(&self) -> &str {
        self.language.as_deref().unwrap_or("en")
    }

    /// After how long it is to be looked at again.
    pub fn reviewed_every(&self) -> TimeSpan {
        self.review_every.unwrap_or(Self::REVIEW_EVERY)
    }

    /// What happens to an event that several bindings match.
    pub fn policy(&self) -> BindingPolicy {
        self.binding_policy.unwrap_or(BindingPolicy::Priority)
    }

    /// The map for a person: only what concerns one persona, shared parts included.
    ///
    /// Parts that name personas and not this one are left out. Together, the maps of all personas hold every part.
    #[must_use]
    pub fn for_persona(&self, persona: &Id) -> JourneyMap {
        let all = |list: &[Id]| list.is_empty() || list.contains(persona);
        let mut map = self.clone();
        map.personas.retain(|p| p.id == *persona);
        map.goals.retain(|g| all(&g.personas));
        map.expectations.retain(|e| all(&e.personas));
        map.emotions
            .retain(|e| e.persona.as_ref().is_none_or(|p| p == persona));
        map.pains.retain(|p| all(&p.personas));
        map.content.retain(|c| all(&c.personas));
        if let Some(scope) = &mut map.scope {
            scope.personas.retain(|p| p == persona);
        }
        map
    }

    /// The map through the lens of a goal: the stages in which it matters with their touchpoints, what blocks it, and the
    /// parts that sit there.
    #[must_use]
    pub fn lens(&self, goal: &Id) -> JourneyMap {
        let mut map = self.clone();
        map.goals.retain(|g| g.id == *goal);
        let stages: Vec<Id> = match map.goals.first() {
            Some(g) if !g.stages.is_empty() => g.stages.clone(),
            _ => map.stages.iter().map(|s| s.id.clone()).collect(),
        };
        map.stages.retain(|s| stages.contains(&s.id));
        map.touchpoints
            .retain(|t| t.stages.iter().any(|p| stages.contains(&p.stage)));
        let kept: Vec<Id> = map
            .stages
            .iter()
            .flat_map(|s| std::iter::once(&s.id).chain(s.steps.iter().map(|step| &step.id)))
            .chain(map.touchpoints.iter().map(|t| &t.id))
            .cloned()
            .collect();
        let inside = |at: &At| at.ids().all(|id| kept.contains(id));
        map.expectations.retain(|e| inside(&e.at));
        map.emotions.retain(|e| inside(&e.at));
        map.moments.retain(|m| inside(&m.at));
        map.pains
            .retain(|p| p.blocks.contains(goal) || p.blocks.is_empty() && inside(&p.at));
        map.opportunities.retain(|o| inside(&o.at));
        map.kpis
            .retain(|k| k.at.as_ref().is_none_or(|at| kept.contains(at)));
        map.feedback.retain(|f| kept.contains(&f.at));
        map
    }

    /// The stages with the places in the list of all that each follows; `None` where their order goes in a circle.
    pub fn stage_order(&self) -> Option<Vec<Vec<usize>>> {
        let place = |id: &Id| self.stages.iter().position(|s| s.id == *id);
        let before: Vec<Vec<usize>> = self
            .stages
            .iter()
            .enumerate()
            .map(|(i, stage)| match stage.after.as_slice() {
                [] => i.checked_sub(1).into_iter().collect(),
                after => after.iter().filter_map(place).collect(),
            })
            .collect();
        let mut done = vec![false; before.len()];
        for _ in 0..before.len() {
            for i in 0..before.len() {
                done[i] = done[i] || before[i].iter().all(|b| done[*b]);
            }
        }
        done.iter().all(|d| *d).then_some(before)
    }

    /// The place of each stage in their order, the longest way to it; `None` where they follow each other in a circle.
    pub(crate) fn stage_levels(&self) -> Option<Vec<u32>> {
        let before = self.stage_order()?;
        let mut levels = vec![0_u32; before.len()];
        for _ in 0..before.len() {
            for (stage, before) in before.iter().enumerate() {
                levels[stage] = before.iter().map(|b| levels[*b] + 1).max().unwrap_or(0);
            }
        }
        Some(levels)
    }
}

/// The keys that no map is without.
const NEEDED: &[&str] = &[
    "schema", "id", "title", "version", "kind", "status", "as_of", "owner",
];

/// The map as its fields stand, keys of people's own still in a place of their own.
struct Bare<'m>(&'m JourneyMap);

impl Serialize for Bare<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        JourneyMap::serialize(self.0, serializer)
    }
}

struct BareMap(JourneyMap);

impl<'de> Deserialize<'de> for BareMap {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<BareMap, D::Error> {
        JourneyMap::deserialize(deserializer).map(BareMap)
    }
}

/// The document's form, as [`JourneyMap::to_json`] writes it.
impl Serialize for JourneyMap {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let tree = format::tree(&Bare(self)).map_err(serde::ser::Error::custom)?;
        tree.serialize(serializer)
    }
}

/// Reads the document's form; mistakes have a JSON pointer instead of a line.
impl<'de> Deserialize<'de> for JourneyMap {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<JourneyMap, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        let map = format::decode::<BareMap>("", &Node::from_json(&value));
        map.map(|m| m.0).map_err(serde::de::Error::custom)
    }
}

/// A map with the text it was read from, so that whatever is said of it can be shown in its line.
#[derive(Clone, Debug)]
pub struct MapFile {
    map: JourneyMap,
    text: String,
    tree: Node,
}

impl MapFile {
    /// Reads a document.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with line and column.
    pub fn read(text: &str, form: Form) -> Result<MapFile, MapError> {
        let tree = format::read(text, form)?;
        let map =
            format::decode::<BareMap>(text, &tree).map_err(|e| e.all_missing(&tree, NEEDED))?;
        Ok(MapFile {
            map: map.0,
            text: text.to_owned(),
            tree,
        })
    }

    /// Reads JSON that a program wrote and nobody sees, such as the objects of another language: what is wrong with it is said with the
    /// path to it, not with a line.
    ///
    /// ```
    /// use desireline_core::map::MapFile;
    /// let error = MapFile::of_json(r#"{"schema": 1, "stages": [{"id": "look"}]}"#).unwrap_err();
    /// assert!(error.problems().iter().any(|p| p.to_string() == "at /stages/0: the key `name` is missing"));
    /// ```
    ///
    /// # Errors
    /// Everything that is wrong with it, each with its path; text that is no JSON, with line and column.
    pub fn of_json(json: &str) -> Result<MapFile, MapError> {
        let mut tree = format::read(json, Form::Json)?;
        tree.forget_places();
        let map = format::decode::<BareMap>("", &tree).map_err(|e| e.all_missing(&tree, NEEDED))?;
        Ok(MapFile {
            map: map.0,
            text: String::new(),
            tree,
        })
    }

    /// A map that was made in code. Nothing said of it has a line.
    ///
    /// # Errors
    /// Those of [`JourneyMap::to_yaml`].
    pub fn of(map: JourneyMap) -> Result<MapFile, MapError> {
        let mut tree = format::tree(&Bare(&map))?;
        tree.forget_places();
        Ok(MapFile {
            map,
            text: String::new(),
            tree,
        })
    }

    /// The map.
    pub fn map(&self) -> &JourneyMap {
        &self.map
    }

    /// The map alone.
    pub fn into_map(self) -> JourneyMap {
        self.map
    }

    /// The text; empty for a map made in code.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where the part that a JSON pointer names stands in the text: its key, or itself in a list. Nowhere for a map made in
    /// code.
    pub fn place(&self, pointer: &str) -> crate::expr::TextSpan {
        self.tree.place(pointer)
    }

    /// Where in the text a place of the expression at `pointer` is.
    pub fn place_in(&self, pointer: &str, inner: crate::expr::TextSpan) -> crate::expr::TextSpan {
        match self.tree.at(pointer) {
            Some(node) => format::within(&self.text, node, inner),
            None => self.place(pointer),
        }
    }
}

/// The line of a text that a place is in with carets under it, each with a line break behind it.
pub fn line_at(text: &str, at: crate::expr::TextSpan) -> Option<String> {
    format::caret(text, at)
}

impl LifecycleDocument {
    /// Reads a YAML or JSON document.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with line and column.
    pub fn read(text: &str, form: Form) -> Result<LifecycleDocument, MapError> {
        let tree = format::read(text, form)?;
        format::decode(text, &tree)
    }

    /// Reads JSON that a program wrote, as [`MapFile::of_json`] does.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with its path.
    pub fn of_json(json: &str) -> Result<LifecycleDocument, MapError> {
        let mut tree = format::read(json, Form::Json)?;
        tree.forget_places();
        format::decode("", &tree)
    }

    /// The document as YAML.
    ///
    /// # Errors
    /// A document made in code may hold what no text can.
    pub fn to_yaml(&self) -> Result<String, MapError> {
        format::tree(self).map(|tree| format::yaml(&tree))
    }

    /// The document as JSON with indentation.
    ///
    /// # Errors
    /// Those of [`to_yaml`](Self::to_yaml).
    pub fn to_json(&self) -> Result<String, MapError> {
        let tree = format::tree(self)?;
        Ok(serde_json::to_string_pretty(&tree).unwrap_or_default() + "\n")
    }
}

/// What kind of document a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DocumentKind {
    /// A [`JourneyMap`].
    Map,
    /// A [`LifecycleDocument`]: it has `phases` and no stages.
    Lifecycle,
}

impl DocumentKind {
    /// Tells by the keys of the document; a text that cannot be read counts as a map.
    pub fn of(text: &str, form: Form) -> DocumentKind {
        match format::read(text, form) {
            Ok(tree) if tree.get("phases").is_some() && tree.get("stages").is_none() => {
                DocumentKind::Lifecycle
            }
            _ => DocumentKind::Map,
        }
    }
}

/// The JSON Schema of map documents, for editors and for any validator.
pub fn map_schema() -> serde_json::Value {
    format::schema::<JourneyMap>("Journey map")
}

/// The JSON Schema of lifecycle documents.
pub fn lifecycle_schema() -> serde_json::Value {
    format::schema::<LifecycleDocument>("Lifecycle")
}
