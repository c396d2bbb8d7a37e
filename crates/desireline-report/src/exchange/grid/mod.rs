//! A grid for spreadsheets, as mapping tools write it: rows are lanes, columns are touchpoints and steps.
//!
//! A column shows a touchpoint in a stage; a step without touchpoints, and what is said of a stage as a whole, have columns of
//! their own. Whole-journey goals and touchpoints without a stage stand in the first columns, under no stage. Cells hold one
//! thing a line. Ids stand in rows of their own at the bottom, `ids: Touchpoint` and so on, so that a grid that was
//! edited as a table comes back to the same parts; a grid from elsewhere needs none.

mod read;
mod write;

use std::collections::{HashMap, HashSet};

use desireline_core::map::{
    At, Channel, ChannelKind, CustomerGoal, Emotion, EmotionSource, Expectation, GoalKind, Id,
    JourneyMap, MapKind, MomentOfTruth, Opportunity, OpportunityKind, PainPoint, Stage, StagePlace,
    Stakeholder, Step, Touchpoint,
};

pub(super) use self::read::read;
pub(super) use self::write::write;
use super::ImportOptions;
use super::header::{Ids, begin, line, plain};

/// A row of the grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Lane {
    /// The title of the map.
    Title,
    /// The stage.
    Stage,
    /// What the customer does.
    Step,
    /// What they think.
    Thought,
    /// The touchpoint.
    Touchpoint,
    /// Its channel.
    Channel,
    /// Who answers for it.
    Owner,
    /// What happens there.
    Description,
    /// What customers want.
    Goals,
    /// What they expect.
    Expectations,
    /// What they feel, as a number.
    Emotion,
    /// What hurts.
    Pains,
    /// What could be better.
    Opportunities,
    /// When it counts most.
    Moments,
}

impl Lane {
    /// All lanes, in their order from top to bottom.
    pub const ALL: &[Lane] = &[
        Lane::Title,
        Lane::Stage,
        Lane::Step,
        Lane::Thought,
        Lane::Touchpoint,
        Lane::Channel,
        Lane::Owner,
        Lane::Description,
        Lane::Goals,
        Lane::Expectations,
        Lane::Emotion,
        Lane::Pains,
        Lane::Opportunities,
        Lane::Moments,
    ];

    /// The name in the first column.
    pub fn label(self) -> &'static str {
        match self {
            Lane::Title => "Journey map",
            Lane::Stage => "Stage",
            Lane::Step => "Step",
            Lane::Thought => "Thoughts",
            Lane::Touchpoint => "Touchpoint",
            Lane::Channel => "Channel",
            Lane::Owner => "Owner",
            Lane::Description => "Description",
            Lane::Goals => "Customer goals",
            Lane::Expectations => "Expectations",
            Lane::Emotion => "Emotion (-1 to 1)",
            Lane::Pains => "Pain points",
            Lane::Opportunities => "Opportunities",
            Lane::Moments => "Moments of truth",
        }
    }

    /// The word for it on the command line: `--lane "Feelings=emotion"`.
    pub fn word(self) -> &'static str {
        match self {
            Lane::Title => "title",
            Lane::Stage => "stage",
            Lane::Step => "step",
            Lane::Thought => "thought",
            Lane::Touchpoint => "touchpoint",
            Lane::Channel => "channel",
            Lane::Owner => "owner",
            Lane::Description => "description",
            Lane::Goals => "goals",
            Lane::Expectations => "expectations",
            Lane::Emotion => "emotion",
            Lane::Pains => "pains",
            Lane::Opportunities => "opportunities",
            Lane::Moments => "moments",
        }
    }

    /// The lane of a word.
    pub fn of_word(word: &str) -> Option<Lane> {
        let word = word.trim().to_ascii_lowercase();
        Lane::ALL.iter().copied().find(|l| l.word() == word)
    }

    /// The lane that other tools call so.
    fn of_name(name: &str) -> Option<Lane> {
        let name = name
            .split('(')
            .next()
            .unwrap_or_default()
            .trim()
            .to_lowercase();
        Some(match name.as_str() {
            "journey map" | "journey" | "title" | "map" | "name" => Lane::Title,
            "stage" | "stages" | "phase" | "phases" | "journey stage" | "journey phase" => {
                Lane::Stage
            }
            "step" | "steps" | "action" | "actions" | "user actions" | "customer actions"
            | "activities" | "activity" | "process" | "doing" => Lane::Step,
            "thoughts" | "thought" | "thinking" | "mindset" => Lane::Thought,
            "touchpoint" | "touchpoints" | "touch point" | "touch points" => Lane::Touchpoint,
            "channel" | "channels" => Lane::Channel,
            "owner" | "owners" | "responsible" | "department" | "departments" | "team" => {
                Lane::Owner
            }
            "description" | "notes" | "note" => Lane::Description,
            "customer goals" | "goals" | "goal" | "user goals" | "needs" | "jobs to be done" => {
                Lane::Goals
            }
            "expectations" | "expectation" | "user expectations" => Lane::Expectations,
            "emotion"
            | "emotions"
            | "feelings"
            | "feeling"
            | "experience"
            | "satisfaction"
            | "mood"
            | "emotional journey"
            | "emotional experience" => Lane::Emotion,
            "pain points" | "pains" | "pain" | "problems" | "barriers" | "frustrations" => {
                Lane::Pains
            }
            "opportunities" | "opportunity" | "ideas" | "solutions" | "improvements" => {
                Lane::Opportunities
            }
            "moments of truth" | "moment of truth" | "moments" => Lane::Moments,
            _ => return None,
        })
    }
}

/// Something in a cell: what it says and the id of the part that says it.
#[derive(Clone, Debug)]
pub(super) struct Item {
    id: Id,
    text: String,
}

/// A column of the grid.
#[derive(Default)]
pub(super) struct GridColumn<'m> {
    stage: Option<&'m Stage>,
    step: Option<&'m Step>,
    touchpoint: Option<&'m Touchpoint>,
    /// What is said of the place, by lane.
    items: HashMap<Lane, Vec<Item>>,
}

/// The columns of a map in the making.
struct Columns<'m> {
    map: &'m JourneyMap,
    told: HashSet<&'m Id>,
    list: Vec<GridColumn<'m>>,
}

impl<'m> Columns<'m> {
    fn add(
        &mut self,
        stage: Option<&'m Stage>,
        step: Option<&'m Step>,
        touchpoint: Option<&'m Touchpoint>,
    ) {
        let place = touchpoint.map(|t| &t.id).or(step.map(|s| &s.id));
        let place = place.or(stage.map(|s| &s.id));
        // What is said of a touchpoint in several stages stands in its first column.
        let items = match place {
            Some(place) if self.told.insert(place) => said_of(self.map, place),
            _ => HashMap::new(),
        };
        self.list.push(GridColumn {
            stage,
            step,
            touchpoint,
            items,
        });
    }

    /// Puts goals into the column at a place.
    fn goals(&mut self, at: usize, goals: Vec<Item>) {
        if let Some(column) = self.list.get_mut(at).filter(|_| !goals.is_empty()) {
            column.items.insert(Lane::Goals, goals);
        }
    }
}

/// The columns of a map: what [`write`] writes and [`kept`] keeps, so that they cannot differ.
pub(super) fn columns(map: &JourneyMap) -> Vec<GridColumn<'_>> {
    let known: HashSet<&Id> = map.stages.iter().map(|s| &s.id).collect();
    let mut columns = Columns {
        map,
        told: HashSet::new(),
        list: Vec::new(),
    };
    for t in &map.touchpoints {
        if !t.stages.iter().any(|p| known.contains(&p.stage)) {
            columns.add(None, None, Some(t));
        }
    }
    let whole = goals(map, None);
    if columns.list.is_empty() && !whole.is_empty() {
        columns.add(None, None, None);
    }
    columns.goals(0, whole);
    for stage in &map.stages {
        let from = columns.list.len();
        if !said_of(map, &stage.id).is_empty() {
            columns.add(Some(stage), None, None);
        }
        let inside = || map.touchpoints.iter().filter(|t| t.is_in(&stage.id));
        for step in &stage.steps {
            let mine: Vec<&Touchpoint> = inside()
                .filter(|t| t.step.as_ref() == Some(&step.id))
                .collect();
            if mine.is_empty() || !said_of(map, &step.id).is_empty() {
                columns.add(Some(stage), Some(step), None);
            }
            for t in mine {
                columns.add(Some(stage), Some(step), Some(t));
            }
        }
        let of_step = |t: &Touchpoint| stage.steps.iter().any(|s| Some(&s.id) == t.step.as_ref());
        for t in inside().filter(|t| !of_step(t)) {
            columns.add(Some(stage), None, Some(t));
        }
        if columns.list.len() == from {
            columns.add(Some(stage), None, None);
        }
        columns.goals(from, goals(map, Some(&stage.id)));
    }
    columns.list
}

fn goals(map: &JourneyMap, stage: Option<&Id>) -> Vec<Item> {
    let known = |id: &Id| map.stages.iter().any(|s| s.id == *id);
    let here = |g: &&CustomerGoal| match stage {
        Some(stage) => g.stages.contains(stage),
        None => !g.stages.iter().any(known),
    };
    let item = |g: &CustomerGoal| Item {
        id: g.id.clone(),
        text: plain(map, &g.text),
    };
    map.goals.iter().filter(here).map(item).collect()
}

/// Where something is told: at its place, or where a way begins.
fn place(at: &At) -> &Id {
    match at {
        At::Part(id) | At::Edge { from: id, .. } => id,
    }
}

fn said_of(map: &JourneyMap, id: &Id) -> HashMap<Lane, Vec<Item>> {
    let mut said: HashMap<Lane, Vec<Item>> = HashMap::new();
    let mut say = |lane, id: &Id, text: String| {
        let item = Item {
            id: id.clone(),
            text,
        };
        said.entry(lane).or_default().push(item);
    };
    for e in map.expectations.iter().filter(|e| place(&e.at) == id) {
        say(Lane::Expectations, &e.id, plain(map, &e.text));
    }
    for e in map.emotions.iter().filter(|e| place(&e.at) == id) {
        say(Lane::Emotion, &e.id, e.valence.get().to_string());
    }
    for p in map.pains.iter().filter(|p| place(&p.at) == id) {
        say(Lane::Pains, &p.id, plain(map, &p.text));
    }
    for o in map.opportunities.iter().filter(|o| place(&o.at) == id) {
        let text = o.text.as_ref().map_or("…".to_owned(), |t| plain(map, t));
        say(Lane::Opportunities, &o.id, text);
    }
    for m in map.moments.iter().filter(|m| place(&m.at) == id) {
        let text = match &m.text {
            Some(text) => format!("{}: {}", m.kind, plain(map, text)),
            None => m.kind.to_string(),
        };
        say(Lane::Moments, &m.id, text);
    }
    said
}

/// What a channel is called in the grid.
fn channel_name(map: &JourneyMap, channel: &Channel) -> String {
    line(channel.label(map.main_language()))
}

fn channel_of<'m>(map: &'m JourneyMap, t: &Touchpoint) -> Option<&'m Channel> {
    let id = t.channel.as_ref()?;
    map.channels.iter().find(|c| c.id == *id)
}

fn owner_of<'m>(map: &'m JourneyMap, t: &Touchpoint) -> Option<&'m Stakeholder> {
    let id = t.owner.as_ref()?;
    map.stakeholders.iter().find(|s| s.id == *id)
}

pub(super) fn kept(map: &JourneyMap, options: &ImportOptions) -> JourneyMap {
    let mut ids = Ids::default();
    let mut stages: Vec<Stage> = Vec::new();
    let mut touchpoints: Vec<Touchpoint> = Vec::new();
    let mut channels: Vec<Channel> = Vec::new();
    let mut owners: Vec<Stakeholder> = Vec::new();
    let mut parts = Parts::default();
    for column in columns(map) {
        if let Some(stage) = column.stage
            && stages.last().is_none_or(|s| s.id != stage.id)
        {
            ids.take(&stage.id);
            stages.push(Stage::new(&stage.id, plain(map, &stage.name)));
        }
        if let (Some(step), Some(stage)) = (column.step, stages.last_mut())
            && !stage.steps.iter().any(|s| s.id == step.id)
        {
            ids.take(&step.id);
            let mut made = Step::new(&step.id, plain(map, &step.action));
            made.thought = step.thought.as_ref().map(|t| plain(map, t).into());
            stage.steps.push(made);
        }
        if let Some(t) = column.touchpoint {
            let place = touchpoints.iter().position(|made| made.id == t.id);
            let place = place.unwrap_or_else(|| {
                ids.take(&t.id);
                let mut made = Touchpoint::new(&t.id, plain(map, &t.name));
                made.description = t.description.as_ref().map(|d| plain(map, d).into());
                if let Some(c) = channel_of(map, t) {
                    made.channel = Some(c.id.clone());
                    if !channels.iter().any(|k| k.id == c.id) {
                        ids.take(&c.id);
                        channels.push(channel(c.id.clone(), channel_name(map, c)));
                    }
                }
                if let Some(o) = owner_of(map, t) {
                    made.owner = Some(o.id.clone());
                    if !owners.iter().any(|k| k.id == o.id) {
                        ids.take(&o.id);
                        owners.push(Stakeholder::new(&o.id, plain(map, &o.name)));
                    }
                }
                touchpoints.push(made);
                touchpoints.len() - 1
            });
            if let Some(made) = touchpoints.get_mut(place) {
                if let Some(stage) = column.stage {
                    made.stages.push(StagePlace::from(stage.id.clone()));
                }
                if let Some(step) = column.step.filter(|_| made.step.is_none()) {
                    made.step = Some(step.id.clone());
                }
            }
        }
        let place = column
            .touchpoint
            .map(|t| &t.id)
            .or(column.step.map(|s| &s.id))
            .or(column.stage.map(|s| &s.id));
        for lane in Lane::ALL {
            for item in column.items.get(lane).into_iter().flatten() {
                ids.take(&item.id);
                parts.add(*lane, item.clone(), column.stage.map(|s| &s.id), place, 0.0);
            }
        }
    }
    let title = plain(map, &map.title);
    let mut out = begin(&title, None, MapKind::Hypothesis, &mut ids, options);
    out.stakeholders.extend(owners);
    out.channels = channels;
    out.stages = stages;
    out.touchpoints = touchpoints;
    parts.into(&mut out);
    out
}

fn channel(id: Id, name: String) -> Channel {
    let named = id != name.as_str();
    let channel = Channel::new(id, ChannelKind::Other);
    if named { channel.name(name) } else { channel }
}

/// What is said of places, gathered column by column.
#[derive(Default)]
pub(super) struct Parts {
    goals: Vec<CustomerGoal>,
    expectations: Vec<Expectation>,
    emotions: Vec<Emotion>,
    pains: Vec<PainPoint>,
    opportunities: Vec<Opportunity>,
    moments: Vec<MomentOfTruth>,
}

impl Parts {
    /// Adds an item; false where it cannot be placed. A feeling is a number in the item's text, or `valence` where that
    /// is none.
    fn add(
        &mut self,
        lane: Lane,
        item: Item,
        stage: Option<&Id>,
        place: Option<&Id>,
        valence: f64,
    ) -> bool {
        let Item { id, text } = item;
        if lane == Lane::Goals {
            match self.goals.iter_mut().find(|g| g.id == id) {
                Some(goal) => {
                    let more = stage.filter(|s| !goal.stages.contains(s));
                    goal.stages.extend(more.cloned());
                }
                None => self
                    .goals
                    .push(CustomerGoal::new(id, text, GoalKind::Functional).stages(stage.cloned())),
            }
            return true;
        }
        let Some(at) = place.map(|p| At::Part(p.clone())) else {
            return false;
        };
        match lane {
            Lane::Expectations => self.expectations.push(Expectation::new(id, at, text)),
            Lane::Emotion => {
                let valence = text.parse().unwrap_or(valence);
                let Some(valence) = desireline_core::map::Valence::new(valence) else {
                    return false;
                };
                let source = EmotionSource::ExpertGuess;
                self.emotions.push(Emotion::new(id, at, valence, source));
            }
            Lane::Pains => self.pains.push(PainPoint::new(id, at, text)),
            Lane::Opportunities => {
                let made = Opportunity::new(id, OpportunityKind::Reduce, at);
                self.opportunities
                    .push(if text == "…" { made } else { made.text(text) });
            }
            Lane::Moments => self.moments.push(read::moment(id, at, &text)),
            _ => return false,
        }
        true
    }

    fn into(self, map: &mut JourneyMap) {
        map.goals = self.goals;
        map.expectations = self.expectations;
        map.emotions = self.emotions;
        map.pains = self.pains;
        map.opportunities = self.opportunities;
        map.moments = self.moments;
    }
}
