//! Mermaid's `journey` diagrams: `title`, `section`, `task: score: actor, actor`.
//!
//! Stages are sections, touchpoints are tasks, personas are actors, and a feeling is a score: `3 + 2 × valence`, rounded, so
//! from 1 to 5. Where a stage has steps and no touchpoints, its steps are its tasks. Mermaid wants a score of every task and
//! knows no ids; both stand in comments that this reader understands and others skip:
//!
//! ```text
//! journey
//!     title Buying in an online shop
//!     %% actor casual: Buys now and then
//!     %% stage settle
//!     section Pays
//!         %% touchpoint payment, emotion feels-payment
//!         Payment: 3: Buys now and then
//!         %% touchpoint bought, unrated
//!         Purchase: 3: Buys now and then
//! ```

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use desireline_core::map::{
    Emotion, EmotionSource, Id, JourneyMap, LocalizedText, MapKind, MapScope, Persona, Stage,
    StagePlace, Step, Touchpoint, Valence,
};

use super::header::{Ids, begin, line, plain};
use super::{ExchangeError, ImportOptions, Imported, Note};

/// The words that begin a line of their own meaning.
const KEYWORDS: [&str; 5] = ["journey", "title", "section", "acctitle", "accdescr"];

/// A text that Mermaid takes for nothing else: it may not hold `#`, `:` or `;`, and what looks like markup, a comment or a
/// keyword is kept from being taken for one.
fn word(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in line(text).chars() {
        out.push(match c {
            '#' => '＃',
            ':' => '∶',
            ';' => ',',
            '<' => '‹',
            '>' => '›',
            c => c,
        });
    }
    while out.contains("%%") {
        out = out.replace("%%", "% %");
    }
    let first = out.split_whitespace().next().unwrap_or_default();
    let first = first.trim_end_matches('{').to_ascii_lowercase();
    if KEYWORDS.contains(&first.as_str()) || out.starts_with("---") {
        out = format!("“{out}”");
    }
    out
}

fn word_of(map: &JourneyMap, text: &LocalizedText) -> String {
    word(&plain(map, text))
}

/// Actors are told apart by their names alone.
fn actors(map: &JourneyMap) -> Vec<(Id, String)> {
    let mut used: HashSet<String> = HashSet::new();
    let mut named = Vec::new();
    for p in &map.personas {
        let name = word_of(map, &p.name).replace(',', "·");
        let mut unique = name.clone();
        let mut n = 2;
        while !used.insert(unique.clone()) {
            unique = format!("{name} ({n})");
            n += 1;
        }
        named.push((p.id.clone(), unique));
    }
    named
}

/// A task of the diagram.
struct Task<'m> {
    id: &'m Id,
    name: String,
    is_step: bool,
    /// Whether this is the first time that it is told.
    first: bool,
    emotion: Option<&'m Emotion>,
}

/// The tasks before all sections, and those of each stage.
type Tasks<'m> = (Vec<Task<'m>>, Vec<(&'m Stage, Vec<Task<'m>>)>);

fn tasks<'m>(map: &'m JourneyMap) -> Tasks<'m> {
    let known: HashSet<&Id> = map.stages.iter().map(|s| &s.id).collect();
    let mut told: HashSet<&Id> = HashSet::new();
    let mut of_touchpoint = |t: &'m Touchpoint| Task {
        id: &t.id,
        name: word_of(map, &t.name),
        is_step: false,
        first: told.insert(&t.id),
        emotion: feeling(map, &t.id),
    };
    let mut lone = Vec::new();
    for t in &map.touchpoints {
        if !t.stages.iter().any(|p| known.contains(&p.stage)) {
            lone.push(of_touchpoint(t));
        }
    }
    let mut stages = Vec::new();
    for stage in &map.stages {
        let inside = map.touchpoints.iter().filter(|t| t.is_in(&stage.id));
        let mut list: Vec<Task<'_>> = inside.map(&mut of_touchpoint).collect();
        if list.is_empty() {
            list.extend(stage.steps.iter().map(|s| Task {
                id: &s.id,
                name: word_of(map, &s.action),
                is_step: true,
                first: true,
                emotion: feeling(map, &s.id),
            }));
        }
        stages.push((stage, list));
    }
    (lone, stages)
}

/// The feeling that the one score of a task shows: of everybody before that of one persona, measured before guessed.
fn feeling<'m>(map: &'m JourneyMap, at: &Id) -> Option<&'m Emotion> {
    let here = map.emotions.iter().filter(|e| e.at.part() == Some(at));
    here.min_by_key(|e| (e.persona.is_some(), !e.source.is_measured()))
}

fn score(valence: Valence) -> i32 {
    (3.0 + 2.0 * valence.get()).round().clamp(1.0, 5.0) as i32
}

pub(super) fn write(map: &JourneyMap) -> String {
    let mut out = format!("journey\n    title {}\n", word_of(map, &map.title));
    let aim = map.scope.as_ref().and_then(|s| s.aim.as_ref());
    if let Some(aim) = aim {
        let _ = writeln!(out, "    accDescr: {}", word_of(map, aim));
    }
    let actors = actors(map);
    for (id, name) in &actors {
        let _ = writeln!(out, "    %% actor {id}: {name}");
    }
    let (lone, stages) = tasks(map);
    for task in &lone {
        told(&mut out, task, &actors);
    }
    for (stage, tasks) in &stages {
        let _ = writeln!(
            out,
            "    %% stage {}\n    section {}",
            stage.id,
            word_of(map, &stage.name)
        );
        for task in tasks {
            told(&mut out, task, &actors);
        }
    }
    out
}

fn told(out: &mut String, task: &Task<'_>, actors: &[(Id, String)]) {
    let kind = if task.is_step { "step" } else { "touchpoint" };
    let rated = match task.emotion {
        Some(e) => format!("emotion {}", e.id),
        None => "unrated".to_owned(),
    };
    let _ = writeln!(out, "        %% {kind} {}, {rated}", task.id);
    let score = task.emotion.map_or(3, |e| score(e.valence));
    let whose = task.emotion.and_then(|e| e.persona.as_ref());
    let one = actors.iter().filter(|(id, _)| Some(id) == whose);
    let mut names: Vec<&str> = one.map(|(_, name)| name.as_str()).collect();
    if names.is_empty() {
        names.extend(actors.iter().map(|(_, name)| name.as_str()));
    }
    let names = names.join(", ");
    let sep = if names.is_empty() { "" } else { ": " };
    let _ = writeln!(out, "        {}: {score}{sep}{names}", task.name);
}

pub(super) fn kept(map: &JourneyMap, options: &ImportOptions) -> JourneyMap {
    let actors = actors(map);
    let (lone, stages) = tasks(map);
    let mut ids = Ids::default();
    let mut kept_stages = Vec::new();
    let mut touchpoints: Vec<Touchpoint> = Vec::new();
    let mut place: HashMap<&Id, usize> = HashMap::new();
    let mut emotions: Vec<Emotion> = Vec::new();
    for (stage, list) in std::iter::once((None, &lone))
        .chain(stages.iter().map(|(stage, list)| (Some(*stage), list)))
    {
        let mut made = stage.map(|s| Stage::new(&s.id, word_of(map, &s.name)));
        if let Some(s) = &made {
            ids.take(&s.id);
        }
        for task in list {
            ids.take(task.id);
            if task.is_step {
                let step = Step::new(task.id, task.name.clone());
                made = made.map(|s| s.steps([step]));
            } else {
                let at = *place.entry(task.id).or_insert(touchpoints.len());
                if at == touchpoints.len() {
                    touchpoints.push(Touchpoint::new(task.id, task.name.clone()));
                }
                if let (Some(t), Some(s)) = (touchpoints.get_mut(at), stage) {
                    t.stages.push(StagePlace::from(s.id.clone()));
                }
            }
            if let Some(e) = task.emotion.filter(|_| task.first) {
                ids.take(&e.id);
                let whose = e.persona.as_ref();
                let whose = whose.filter(|p| actors.iter().any(|(id, _)| id == *p));
                emotions.extend(guess(
                    &e.id,
                    task.id,
                    f64::from(score(e.valence)),
                    whose.filter(|_| actors.len() > 1),
                ));
            }
        }
        kept_stages.extend(made);
    }
    let personas = actors.iter().map(|(id, name)| {
        ids.take(id);
        Persona::new(id, name.clone())
    });
    let personas: Vec<Persona> = personas.collect();
    let aim = map.scope.as_ref().and_then(|s| s.aim.as_ref());
    let mut out = begin(
        &word_of(map, &map.title),
        None,
        MapKind::Hypothesis,
        &mut ids,
        options,
    );
    out.scope = aim.map(|a| MapScope::new().aim(word_of(map, a)));
    out.personas = personas;
    out.stages = kept_stages;
    out.touchpoints = touchpoints;
    out.emotions = emotions;
    out
}

/// The feeling that a score from 1 to 5 stands for. Somebody drew it: that is all there is to say for it.
fn guess(id: &Id, at: &Id, score: f64, persona: Option<&Id>) -> Option<Emotion> {
    let valence = Valence::new((score - 3.0) / 2.0)?;
    let mut emotion = Emotion::new(id, at.as_str(), valence, EmotionSource::ExpertGuess);
    emotion.persona = persona.cloned();
    Some(emotion)
}

/// What a comment says of the line below it.
#[derive(Default)]
struct Remark {
    stage: Option<Id>,
    touchpoint: Option<Id>,
    step: Option<Id>,
    emotion: Option<Id>,
    unrated: bool,
}

impl Remark {
    /// Reads `touchpoint payment, emotion feels-payment` and its like; anything else says nothing.
    fn read(text: &str) -> Option<Remark> {
        let mut remark = Remark::default();
        for part in text.split(',') {
            let mut words = part.split_whitespace();
            let id = |word: Option<&str>| word.map(Id::from).filter(Id::is_valid);
            match words.next()? {
                "stage" => remark.stage = Some(id(words.next())?),
                "touchpoint" => remark.touchpoint = Some(id(words.next())?),
                "step" => remark.step = Some(id(words.next())?),
                "emotion" => remark.emotion = Some(id(words.next())?),
                "unrated" => remark.unrated = true,
                _ => return None,
            }
            if words.next().is_some() {
                return None;
            }
        }
        Some(remark)
    }
}

/// A diagram being read.
#[derive(Default)]
struct Reader {
    ids: Ids,
    title: Option<String>,
    aim: Option<String>,
    personas: Vec<Persona>,
    /// Persona by name.
    actors: HashMap<String, Id>,
    stages: Vec<Stage>,
    touchpoints: Vec<Touchpoint>,
    by_id: HashMap<Id, usize>,
    by_name: HashMap<String, usize>,
    emotions: Vec<Emotion>,
    /// The one actor of the task that an emotion comes from.
    whose: Vec<Option<Id>>,
    rated: HashMap<Id, f64>,
    notes: Vec<Note>,
}

/// A line with where its text begins.
#[derive(Clone, Copy)]
struct Line<'t> {
    text: &'t str,
    at: (u32, u32),
}

impl Line<'_> {
    /// The place of a byte of the text.
    fn place(&self, byte: usize) -> (u32, u32) {
        let before = self.text.get(..byte).unwrap_or(self.text);
        let chars = u32::try_from(before.chars().count()).unwrap_or(u32::MAX);
        (self.at.0, self.at.1.saturating_add(chars))
    }
}

fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    let split = text.split('\n').zip(1u32..);
    split.map(|(raw, number)| {
        let cut = raw.trim_start();
        let lead = raw.len() - cut.len();
        let column = raw.get(..lead).unwrap_or_default().chars().count() + 1;
        Line {
            text: cut.trim_end(),
            at: (number, u32::try_from(column).unwrap_or(u32::MAX)),
        }
    })
}

/// What follows a keyword, in any case.
fn after<'t>(text: &'t str, keyword: &str) -> Option<&'t str> {
    let (lead, rest) = (text.get(..keyword.len())?, text.get(keyword.len()..)?);
    let is_word = rest.is_empty() || rest.starts_with([' ', '\t', ':', '{']);
    (lead.eq_ignore_ascii_case(keyword) && is_word).then(|| rest.trim_start())
}

pub(super) fn read(text: &str, options: &ImportOptions) -> Result<Imported, ExchangeError> {
    let mut reader = Reader::default();
    let mut lines = lines(text).peekable();
    // Front matter and directives are about looks.
    while lines.next_if(|l| l.text.is_empty()).is_some() {}
    if lines.next_if(|l| l.text == "---").is_some() {
        for line in lines.by_ref() {
            if line.text == "---" {
                break;
            }
            if let Some(title) = line.text.strip_prefix("title:") {
                reader.title = Some(self::line(title.trim().trim_matches(['"', '\''])));
            }
        }
    }
    let mut remark = Remark::default();
    let mut begun = false;
    while let Some(line) = lines.next() {
        if let Some(comment) = line.text.strip_prefix("%%") {
            if begun {
                reader.comment(comment.trim(), &mut remark);
            }
            continue;
        }
        // A number sign begins a comment anywhere in a line.
        let told = line.text.split('#').next().unwrap_or_default().trim_end();
        if told.is_empty() {
            continue;
        }
        if !begun {
            if after(told, "journey").is_none() {
                let shown: String = told.chars().take(40).collect();
                return Err(ExchangeError::syntax(
                    line.at,
                    format!("a journey diagram begins with the line `journey`, not with `{shown}`"),
                ));
            }
            begun = true;
            continue;
        }
        let line = Line { text: told, ..line };
        if let Some(title) = after(told, "title") {
            reader.title = Some(self::line(title));
        } else if let Some(rest) = after(told, "accTitle") {
            let title = self::line(rest.trim_start_matches(':').trim());
            reader.title.get_or_insert(title);
        } else if let Some(rest) = after(told, "accDescr") {
            let rest = rest.trim_start();
            let aim = match rest.strip_prefix('{') {
                Some(first) => {
                    let mut all = vec![first];
                    while !all.last().is_some_and(|l| l.contains('}')) {
                        let Some(more) = lines.next() else {
                            let told = "the description in braces is not closed by `}`";
                            return Err(ExchangeError::syntax(line.at, told));
                        };
                        all.push(more.text);
                    }
                    let all = all.join(" ");
                    all.split('}').next().unwrap_or_default().to_owned()
                }
                None => rest.trim_start_matches(':').to_owned(),
            };
            reader.aim = Some(self::line(&aim));
        } else if let Some(name) = after(told, "section") {
            let stage = std::mem::take(&mut remark).stage;
            reader.section(name.trim_start_matches(':').trim(), stage);
        } else {
            reader.task(line, std::mem::take(&mut remark))?;
        }
        reader.ids.within_limit()?;
    }
    if !begun {
        let told = "there is no journey diagram: it begins with the line `journey`";
        return Err(ExchangeError::syntax((1, 1), told));
    }
    Ok(reader.finish(options))
}

impl Reader {
    fn comment(&mut self, text: &str, remark: &mut Remark) {
        let actor = text
            .strip_prefix("actor ")
            .and_then(|rest| rest.split_once(':'));
        if let Some((id, name)) = actor {
            let (id, name) = (Id::from(id.trim()), line(name));
            if !self.actors.contains_key(&name) && self.ids.take(&id) {
                self.personas.push(Persona::new(&id, name.clone()));
                self.actors.insert(name, id);
            }
        } else if let Some(read) = Remark::read(text) {
            *remark = read;
        }
    }

    fn section(&mut self, name: &str, id: Option<Id>) {
        let name = line(name);
        let id = id.filter(|id| self.ids.take(id));
        let id = id.unwrap_or_else(|| self.ids.fresh(&name, "stage"));
        self.stages.push(Stage::new(id, name));
    }

    fn task(&mut self, line: Line<'_>, remark: Remark) -> Result<(), ExchangeError> {
        let mut parts = line.text.splitn(3, ':');
        let name = parts.next().unwrap_or_default();
        let Some(raw) = parts.next() else {
            let told = "a task is written `name: score: actor, actor`; there is no colon";
            return Err(ExchangeError::syntax(line.at, told));
        };
        let place = line.place(name.len() + 1 + (raw.len() - raw.trim_start().len()));
        let actors = parts.next().unwrap_or_default();
        if let Some(extra) = actors.find(':') {
            let place = line.place(name.len() + raw.len() + 2 + extra);
            let told = "what stands behind a third colon is not part of a task; it is left out";
            self.notes.push(Note::new(place, told));
        }
        let actors: Vec<Id> = actors
            .split(':')
            .next()
            .unwrap_or_default()
            .split(',')
            .map(str::trim)
            .filter(|a| !a.is_empty())
            .map(|a| self.actor(a))
            .collect();
        let name = self::line(name);
        let at = match (
            remark.step.filter(|id| self.ids.take(id)),
            self.stages.last_mut(),
        ) {
            (Some(step), Some(stage)) => {
                stage.steps.push(Step::new(&step, name));
                step
            }
            _ => self.touchpoint(name, remark.touchpoint),
        };
        if remark.unrated {
            return Ok(());
        }
        let Some(score) = self.score(raw.trim(), place) else {
            return Ok(());
        };
        if let Some(before) = self.rated.get(&at) {
            if *before != score {
                let told = format!(
                    "`{at}` has the score {before} above; {raw} is left out",
                    raw = raw.trim()
                );
                self.notes.push(Note::new(place, told));
            }
            return Ok(());
        }
        let id = remark.emotion.filter(|id| self.ids.take(id));
        let id = id.unwrap_or_else(|| self.ids.fresh(&format!("feels-{at}"), "feels"));
        self.emotions.extend(guess(&id, &at, score, None));
        self.whose.push(match actors.as_slice() {
            [one] => Some(one.clone()),
            _ => None,
        });
        self.rated.insert(at, score);
        Ok(())
    }

    /// A score on the scale from 1 to 5.
    fn score(&mut self, raw: &str, place: (u32, u32)) -> Option<f64> {
        let shown: String = raw.chars().take(40).collect();
        match raw.parse::<f64>() {
            Ok(score) if (1.0..=5.0).contains(&score) => Some(score),
            Ok(score) if (0.0..1.0).contains(&score) => {
                let told =
                    format!("the score {shown} lies below the scale of 1 to 5; it counts as 1");
                self.notes.push(Note::new(place, told));
                Some(1.0)
            }
            Ok(_) => {
                let told = format!(
                    "the score {shown} is not on the scale of 1 to 5; no feeling is made of it"
                );
                self.notes.push(Note::new(place, told));
                None
            }
            Err(_) => {
                let told = format!(
                    "`{shown}` is no score: a number from 1 to 5; no feeling is made of it"
                );
                self.notes.push(Note::new(place, told));
                None
            }
        }
    }

    fn actor(&mut self, name: &str) -> Id {
        let name = line(name);
        if let Some(id) = self.actors.get(&name) {
            return id.clone();
        }
        let id = self.ids.fresh(&name, "persona");
        self.personas.push(Persona::new(&id, name.clone()));
        self.actors.insert(name, id.clone());
        id
    }

    /// The touchpoint of a task: the one of its id, or of its name where it has none; else a new one.
    fn touchpoint(&mut self, name: String, id: Option<Id>) -> Id {
        let known = match &id {
            Some(id) => self.by_id.get(id),
            None => self.by_name.get(&name),
        };
        let place = known.copied().unwrap_or_else(|| {
            let free = id.clone().filter(|id| self.ids.take(id));
            let free = free.unwrap_or_else(|| self.ids.fresh(&name, "touchpoint"));
            self.by_id.insert(free.clone(), self.touchpoints.len());
            self.by_name
                .entry(name.clone())
                .or_insert(self.touchpoints.len());
            self.touchpoints.push(Touchpoint::new(free, name));
            self.touchpoints.len() - 1
        });
        let stage = self.stages.last().map(|s| s.id.clone());
        let Some(touchpoint) = self.touchpoints.get_mut(place) else {
            return Id::from("touchpoint");
        };
        if let Some(stage) = stage.filter(|s| !touchpoint.is_in(s)) {
            touchpoint.stages.push(StagePlace::from(stage));
        }
        touchpoint.id.clone()
    }

    fn finish(mut self, options: &ImportOptions) -> Imported {
        if self.personas.len() > 1 {
            for (emotion, whose) in self.emotions.iter_mut().zip(self.whose) {
                emotion.persona = whose;
            }
        }
        let title = self.title.unwrap_or_else(|| "Imported journey".to_owned());
        let mut map = begin(&title, None, MapKind::Hypothesis, &mut self.ids, options);
        map.scope = self.aim.map(|aim| MapScope::new().aim(aim));
        map.personas = self.personas;
        map.stages = self.stages;
        map.touchpoints = self.touchpoints;
        map.emotions = self.emotions;
        Imported {
            map,
            notes: self.notes,
        }
    }
}
