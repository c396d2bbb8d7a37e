//! A map from a grid.

use std::collections::HashMap;

use desireline_core::map::{
    At, Basis, Channel, FEELINGS, Id, JourneyMap, MapKind, MomentKind, MomentOfTruth, Stage,
    StagePlace, Stakeholder, Step, Touchpoint,
};

use super::super::header::{Ids, begin, line};
use super::super::records::{self, Cell};
use super::super::{ExchangeError, ImportOptions, Imported, Note};
use super::write::IDS;
use super::{Item, Lane, Parts, channel};

/// A moment of truth as a cell writes it: `purchase: what happens`, or one of both.
pub(super) fn moment(id: Id, at: At, text: &str) -> MomentOfTruth {
    let (lead, rest) = text.split_once(':').unwrap_or((text, ""));
    let lead = lead.trim().to_lowercase();
    let kind = match lead.as_str() {
        "zmot" => Some(MomentKind::Discovery),
        "fmot" => Some(MomentKind::Purchase),
        "smot" => Some(MomentKind::Experience),
        "umot" => Some(MomentKind::Loyalty),
        lead => MomentKind::ALL.iter().copied().find(|k| k.word() == lead),
    };
    let rest = if kind.is_some() { rest.trim() } else { text };
    let made = MomentOfTruth::new(
        id,
        at,
        kind.unwrap_or(MomentKind::Experience),
        Basis::Declared,
    );
    if rest.is_empty() {
        made
    } else {
        made.text(rest)
    }
}

/// The rows of a grid by lane.
struct Rows<'r> {
    cells: HashMap<Lane, &'r [Cell]>,
    ids: HashMap<Lane, &'r [Cell]>,
    /// The scale of the row of feelings.
    scale: Option<(f64, f64)>,
    title: Option<String>,
}

pub(in crate::exchange) fn read(
    text: &str,
    options: &ImportOptions,
) -> Result<Imported, ExchangeError> {
    let records = records::read(text)?;
    let mut notes = Vec::new();
    let mut rows = rows(&records, options, &mut notes);
    if !rows.cells.contains_key(&Lane::Stage) && !rows.cells.contains_key(&Lane::Touchpoint) {
        let at = records
            .first()
            .and_then(|r| r.first())
            .map_or((1, 1), |c| c.at);
        let told = "there is no row called `Stage` or `Touchpoint`; name the lanes in the first column, or say which \
                    rows they are with --lane \"Row=stage\"";
        return Err(ExchangeError::syntax(at, told));
    }
    if rows.scale.is_none() {
        rows.scale = guess_scale(&rows, &mut notes);
    }
    let mut reader = Reader {
        ids: reserved(&rows),
        stages: Vec::new(),
        touchpoints: Vec::new(),
        by_name: HashMap::new(),
        by_id: HashMap::new(),
        channels: HashMap::new(),
        owners: HashMap::new(),
        list_of_channels: Vec::new(),
        list_of_owners: Vec::new(),
        parts: Parts::default(),
        goals: HashMap::new(),
        notes,
        rows: &rows,
        last_step: None,
    };
    let width = records.iter().map(Vec::len).max().unwrap_or(0);
    for column in 1..width {
        reader.column(column);
        reader.fresh_limit()?;
    }
    Ok(reader.finish(options))
}

fn rows<'r>(records: &'r [Vec<Cell>], options: &ImportOptions, notes: &mut Vec<Note>) -> Rows<'r> {
    let mut rows = Rows {
        cells: HashMap::new(),
        ids: HashMap::new(),
        scale: None,
        title: None,
    };
    for record in records {
        let Some(head) = record.first() else { continue };
        if record.iter().all(|c| c.text.trim().is_empty()) {
            continue;
        }
        let name = head.text.trim();
        let own = options.lanes.iter().find(|(row, _)| row.trim() == name);
        let ids = name.strip_prefix(IDS);
        let lane = own
            .map(|(_, lane)| *lane)
            .or_else(|| Lane::of_name(ids.unwrap_or(name)));
        let shown: String = name.chars().take(60).collect();
        match lane {
            Some(Lane::Title) if ids.is_none() => {
                let title = record.get(1).map(|c| line(&c.text));
                rows.title = rows.title.or(title);
            }
            Some(lane) => {
                let place = if ids.is_some() {
                    &mut rows.ids
                } else {
                    &mut rows.cells
                };
                let std::collections::hash_map::Entry::Vacant(free) = place.entry(lane) else {
                    let told = format!("there is a second row `{shown}`; it is left out");
                    notes.push(Note::new(head.at, told));
                    continue;
                };
                free.insert(record);
                if lane == Lane::Emotion && ids.is_none() {
                    rows.scale = scale_in(name);
                }
            }
            None => {
                let filled = record.iter().skip(1).filter(|c| !c.text.trim().is_empty());
                let told = match filled.count() {
                    1 => format!("no lane is called `{shown}`; its cell is left out"),
                    n => format!("no lane is called `{shown}`; its {n} cells are left out"),
                };
                notes.push(Note::new(head.at, told));
            }
        }
    }
    rows
}

/// The scale that a row's name tells: `Emotion (1 to 5)`, `Mood (-2..2)`, `Satisfaction (1-10)`.
fn scale_in(name: &str) -> Option<(f64, f64)> {
    let inner = name.split_once('(')?.1.split(')').next()?;
    let inner = inner
        .replace('−', "-")
        .replace("..", " ")
        .replace("to", " ");
    // A hyphen between two digits stands between them.
    let mut spaced = String::new();
    let mut before = ' ';
    for c in inner.chars() {
        spaced.push(if matches!(c, '-' | '–') && before.is_ascii_digit() {
            ' '
        } else {
            c
        });
        before = c;
    }
    let numbers: Vec<f64> = spaced
        .split_whitespace()
        .filter_map(|w| w.parse().ok())
        .collect();
    match numbers.as_slice() {
        [low, high] if low < high && low.is_finite() && high.is_finite() => Some((*low, *high)),
        _ => None,
    }
}

/// The usual scale that holds all numbers of the row.
fn guess_scale(rows: &Rows<'_>, notes: &mut Vec<Note>) -> Option<(f64, f64)> {
    const USUAL: [(f64, f64); 5] = [
        (-1.0, 1.0),
        (-2.0, 2.0),
        (1.0, 5.0),
        (1.0, 10.0),
        (0.0, 100.0),
    ];
    let row = rows.cells.get(&Lane::Emotion)?;
    let numbers: Vec<f64> = row
        .iter()
        .skip(1)
        .flat_map(|c| c.text.lines())
        .filter_map(|l| l.trim().parse().ok())
        .collect();
    let holds = |(low, high): &(f64, f64)| numbers.iter().all(|n| (*low..=*high).contains(n));
    let scale = USUAL.into_iter().find(holds)?;
    if let (Some(head), false) = (row.first(), numbers.is_empty()) {
        let told = format!(
            "the scale of `{}` is not said; {} to {} is taken; write it into the row's name to be sure",
            head.text.trim(),
            scale.0,
            scale.1
        );
        notes.push(Note::new(head.at, told));
    }
    Some(scale)
}

/// Ids that the grid names come before ids that are made.
fn reserved(rows: &Rows<'_>) -> Ids {
    let mut ids = Ids::default();
    for cell in rows.ids.values().flat_map(|r| r.iter().skip(1)) {
        for id in cell.text.lines() {
            ids.take(&Id::from(id.trim()));
        }
    }
    ids
}

struct Reader<'r> {
    rows: &'r Rows<'r>,
    ids: Ids,
    stages: Vec<Stage>,
    touchpoints: Vec<Touchpoint>,
    by_name: HashMap<String, usize>,
    by_id: HashMap<Id, usize>,
    channels: HashMap<String, Id>,
    owners: HashMap<String, Id>,
    list_of_channels: Vec<Channel>,
    list_of_owners: Vec<Stakeholder>,
    parts: Parts,
    /// Goals by stage and text, where they have no ids.
    goals: HashMap<String, Id>,
    notes: Vec<Note>,
    last_step: Option<Id>,
}

impl<'r> Reader<'r> {
    fn fresh_limit(&self) -> Result<(), ExchangeError> {
        self.ids.within_limit()
    }

    /// The things in a cell of a lane, with the ids that stand below; a thing without one has none.
    fn items(&mut self, lane: Lane, column: usize) -> Vec<(String, Option<Id>, (u32, u32))> {
        let Some(cell) = self.rows.cells.get(&lane).and_then(|r| r.get(column)) else {
            return Vec::new();
        };
        let ids = self.rows.ids.get(&lane).and_then(|r| r.get(column));
        let named: Vec<&str> = ids.map_or(Vec::new(), |c| c.text.lines().collect());
        let told: Vec<&str> = cell.text.lines().filter(|l| !l.trim().is_empty()).collect();
        if let Some(ids) = ids.filter(|_| !named.is_empty() && named.len() != told.len()) {
            let message = format!(
                "{} ids for {} things; the things get new ones",
                named.len(),
                told.len()
            );
            self.notes.push(Note::new(ids.at, message));
            return told.into_iter().map(|t| (line(t), None, cell.at)).collect();
        }
        let mut out = Vec::new();
        for (i, text) in told.into_iter().enumerate() {
            let id = named.get(i).map(|n| Id::from(n.trim()));
            if let (Some(id), Some(ids)) = (&id, ids)
                && !id.is_valid()
            {
                let shown: String = id.as_str().chars().take(64).collect();
                let message = format!("`{shown}` is no id; a new one is made");
                self.notes.push(Note::new(ids.at, message));
            }
            out.push((line(text), id.filter(Id::is_valid), cell.at));
        }
        out
    }

    /// The first thing in a cell.
    fn first(&mut self, lane: Lane, column: usize) -> Option<(String, Option<Id>)> {
        let mut items = self.items(lane, column).into_iter();
        let (text, id, _) = items.next()?;
        if let Some((other, _, at)) = items.next() {
            let shown: String = other.chars().take(60).collect();
            let told = format!("one thing is wanted here; `{shown}` and what follows are left out");
            self.notes.push(Note::new(at, told));
        }
        Some((text, id))
    }

    fn column(&mut self, column: usize) {
        if let Some((name, id)) = self.first(Lane::Stage, column) {
            let same = |s: &Stage| match &id {
                Some(id) => s.id == *id,
                None => s.name.first() == name,
            };
            if !self.stages.last().is_some_and(same) {
                let id = id.filter(|id| !self.stages.iter().any(|s| s.id == *id));
                let id = id.unwrap_or_else(|| self.ids.fresh(&name, "stage"));
                self.stages.push(Stage::new(id, name));
                self.last_step = None;
            }
        }
        let stage = self.stages.last().map(|s| s.id.clone());
        let step = self.step(column);
        let touchpoints = self.touchpoints(column, stage.as_ref(), step.as_ref());
        let place = match touchpoints.as_slice() {
            [one] => Some(one.clone()),
            _ => step.or(stage.clone()),
        };
        for lane in [
            Lane::Goals,
            Lane::Expectations,
            Lane::Emotion,
            Lane::Pains,
            Lane::Opportunities,
            Lane::Moments,
        ] {
            for (text, id, at) in self.items(lane, column) {
                self.said(lane, text, id, at, stage.as_ref(), place.as_ref());
            }
        }
    }

    fn step(&mut self, column: usize) -> Option<Id> {
        let Some((action, id)) = self.first(Lane::Step, column) else {
            self.last_step = None;
            return None;
        };
        let thought = self.first(Lane::Thought, column).map(|(t, _)| t);
        if self.stages.is_empty() {
            let id = self.ids.fresh("journey", "stage");
            self.stages.push(Stage::new(id, "Journey"));
        }
        let stage = self.stages.last_mut()?;
        let before = stage.steps.iter().find(|s| match &id {
            Some(id) => s.id == *id,
            None => Some(&s.id) == self.last_step.as_ref() && s.action.first() == action,
        });
        let id = match before {
            Some(step) => step.id.clone(),
            None => {
                let id = id.unwrap_or_else(|| self.ids.fresh(&action, "step"));
                let mut made = Step::new(&id, action);
                made.thought = thought.map(Into::into);
                stage.steps.push(made);
                id
            }
        };
        self.last_step = Some(id.clone());
        Some(id)
    }

    fn touchpoints(&mut self, column: usize, stage: Option<&Id>, step: Option<&Id>) -> Vec<Id> {
        let items = self.items(Lane::Touchpoint, column);
        let channel = self.channel(column);
        let owner = self.owner(column);
        let description = match self.rows.cells.get(&Lane::Description) {
            Some(row) => row
                .get(column)
                .map(|c| c.text.trim())
                .filter(|t| !t.is_empty()),
            None => None,
        };
        let mut here = Vec::new();
        for (name, id, _) in items {
            let known = match &id {
                Some(id) => self.by_id.get(id),
                None => self.by_name.get(&name),
            };
            let place = known.copied().unwrap_or_else(|| {
                let id = id.unwrap_or_else(|| self.ids.fresh(&name, "touchpoint"));
                let place = self.touchpoints.len();
                self.by_id.insert(id.clone(), place);
                self.by_name.entry(name.clone()).or_insert(place);
                let mut made = Touchpoint::new(id, name);
                made.channel = channel.clone();
                made.owner = owner.clone();
                made.description = description.map(|d| line(d).into());
                self.touchpoints.push(made);
                place
            });
            let Some(made) = self.touchpoints.get_mut(place) else {
                continue;
            };
            if let Some(stage) = stage.filter(|s| !made.is_in(s)) {
                made.stages.push(StagePlace::from(stage.clone()));
            }
            made.step = made.step.take().or(step.cloned());
            here.push(made.id.clone());
        }
        here
    }

    fn channel(&mut self, column: usize) -> Option<Id> {
        let (name, id) = self.first(Lane::Channel, column)?;
        let key = id
            .as_ref()
            .map_or_else(|| name.clone(), ToString::to_string);
        if let Some(id) = self.channels.get(&key) {
            return Some(id.clone());
        }
        let id = id.unwrap_or_else(|| self.ids.fresh(&name, "channel"));
        self.list_of_channels.push(channel(id.clone(), name));
        self.channels.insert(key, id.clone());
        Some(id)
    }

    fn owner(&mut self, column: usize) -> Option<Id> {
        let (name, id) = self.first(Lane::Owner, column)?;
        let key = id
            .as_ref()
            .map_or_else(|| name.clone(), ToString::to_string);
        if let Some(id) = self.owners.get(&key) {
            return Some(id.clone());
        }
        let id = id.unwrap_or_else(|| self.ids.fresh(&name, "owner"));
        self.list_of_owners.push(Stakeholder::new(&id, name));
        self.owners.insert(key, id.clone());
        Some(id)
    }

    fn said(
        &mut self,
        lane: Lane,
        text: String,
        id: Option<Id>,
        at: (u32, u32),
        stage: Option<&Id>,
        place: Option<&Id>,
    ) {
        let mut valence = 0.0;
        let mut item_text = text.clone();
        if lane == Lane::Emotion {
            match self.valence(&text) {
                Some(v) => {
                    valence = v;
                    item_text = v.to_string();
                }
                None => {
                    let shown: String = text.chars().take(60).collect();
                    let told = format!(
                        "`{shown}` is no number on the row's scale and no feeling that is known; it is left out"
                    );
                    self.notes.push(Note::new(at, told));
                    return;
                }
            }
        }
        let kind = lane.word();
        let id = match (id, lane) {
            (Some(id), _) => id,
            // The same goal may stand under several stages.
            (None, Lane::Goals) => match self.goals.get(&text) {
                Some(id) => id.clone(),
                None => {
                    let id = self.ids.fresh(&text, kind);
                    self.goals.insert(text.clone(), id.clone());
                    id
                }
            },
            (None, Lane::Emotion) => {
                let place = place.map_or("", Id::as_str);
                self.ids.fresh(&format!("feels-{place}"), kind)
            }
            (None, _) => self.ids.fresh(&text, kind),
        };
        let item = Item {
            id,
            text: item_text,
        };
        if !self.parts.add(lane, item, stage, place, valence) {
            let shown: String = text.chars().take(60).collect();
            let told = format!("`{shown}` stands under no stage; it is left out");
            self.notes.push(Note::new(at, told));
        }
    }

    /// The valence of a number on the row's scale, or of a word.
    fn valence(&self, text: &str) -> Option<f64> {
        if let Ok(number) = text.replace('−', "-").parse::<f64>() {
            let (low, high) = self.rows.scale?;
            if !(low..=high).contains(&number) {
                return None;
            }
            if (low, high) == (-1.0, 1.0) {
                return Some(number);
            }
            let middle = f64::midpoint(low, high);
            return Some((number - middle) / (high - middle));
        }
        let word = text.to_lowercase();
        let known = FEELINGS.iter().find(|(label, ..)| *label == word);
        known.map(|(_, valence, _)| *valence)
    }

    fn finish(mut self, options: &ImportOptions) -> Imported {
        let title = match &self.rows.title {
            Some(title) => title.clone(),
            None => "Imported journey".to_owned(),
        };
        let mut map: JourneyMap = begin(&title, None, MapKind::Hypothesis, &mut self.ids, options);
        map.stakeholders.extend(self.list_of_owners);
        map.channels = self.list_of_channels;
        map.stages = self.stages;
        map.touchpoints = self.touchpoints;
        self.parts.into(&mut map);
        Imported {
            map,
            notes: self.notes,
        }
    }
}
