//! The Customer Journey Modelling Language (CJML) 2.0 of SINTEF, as XML.
//!
//! A map goes out as a planned journey: phases, actors, and touchpoints with initiator, receiver and channel. By the
//! language's own rule, experience belongs to actual journeys only, so no feeling goes out. Planned and actual journeys are
//! read, actual ones with their ratings. No schema of version 2.0 is public: the writer keeps to the elements that
//! published journeys use, the reader takes names with and without a namespace and notes what it does not know.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write as _;

use desireline_core::map::{
    Channel, ChannelKind, Direction, Emotion, EmotionSource, Id, JourneyMap, MapKind, Persona,
    Stage, StagePlace, Stakeholder, Touchpoint, Valence,
};
use roxmltree::{Document, Node, ParsingOptions};

use super::header::{Ids, begin, line, plain};
use super::{ExchangeError, ImportOptions, Imported, MAX_PARTS, Note};
use crate::names::escape_xml;

/// The actor that stands for customers where a map has no personas.
const ANYBODY: (&str, &str) = ("end-user", "Customer");

/// The personas, or somebody in their place: each journey has an end user.
fn users(map: &JourneyMap) -> Vec<(String, String)> {
    if map.personas.is_empty() {
        return vec![(ANYBODY.0.to_owned(), ANYBODY.1.to_owned())];
    }
    let persona = |p: &Persona| (p.id.to_string(), plain(map, &p.name));
    map.personas.iter().map(persona).collect()
}

/// The stakeholders that answer for touchpoints.
fn providers(map: &JourneyMap) -> Vec<&Stakeholder> {
    let owners: HashSet<&Id> = map
        .touchpoints
        .iter()
        .filter_map(|t| t.owner.as_ref())
        .collect();
    let owns = |s: &&Stakeholder| owners.contains(&s.id);
    map.stakeholders.iter().filter(owns).collect()
}

fn channel_name(map: &JourneyMap, t: &Touchpoint) -> Option<String> {
    let id = t.channel.as_ref()?;
    let channel = map.channels.iter().find(|c| c.id == *id)?;
    Some(line(channel.label(map.main_language())))
}

pub(super) fn write(map: &JourneyMap) -> String {
    let mut out = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<CJML version=\"2.0\">\n  <plannedJourney>\n",
    );
    let mut put = |depth: usize, text: &str| {
        let _ = writeln!(out, "{:width$}{text}", "", width = depth * 2);
    };
    let leaf = |name: &str, text: &str| format!("<{name}>{}</{name}>", escape_xml(text));
    put(2, &leaf("journeyID", map.id.as_str()));
    put(2, &leaf("journeyTitle", &plain(map, &map.title)));
    put(2, "<journeyPhases>");
    for s in &map.stages {
        put(
            3,
            &format!("<journeyPhase phaseID=\"{}\">", escape_xml(s.id.as_str())),
        );
        put(4, &leaf("phaseName", &plain(map, &s.name)));
        put(3, "</journeyPhase>");
    }
    put(2, "</journeyPhases>");
    put(2, "<actors>");
    let users = users(map);
    let providers = providers(map);
    let served = providers
        .iter()
        .map(|s| ("serviceProvider", s.id.to_string(), plain(map, &s.name)));
    let used = users
        .iter()
        .map(|(id, name)| ("endUser", id.clone(), name.clone()));
    for (kind, id, name) in used.chain(served) {
        put(3, &format!("<{kind} actorID=\"{}\">", escape_xml(&id)));
        put(4, &leaf("actorName", &name));
        put(3, &format!("</{kind}>"));
    }
    put(2, "</actors>");
    put(2, "<touchpoints>");
    put(3, "<planned>");
    let user = users.first().map_or("", |(id, _)| id.as_str());
    for t in &map.touchpoints {
        put(4, "<CommunicationPoint>");
        put(5, &leaf("touchpointID", t.id.as_str()));
        put(5, &leaf("touchpointTitle", &plain(map, &t.name)));
        for s in map.stages.iter().filter(|s| t.is_in(&s.id)) {
            put(
                5,
                &format!("<belongsTo phaseIDref=\"{}\"/>", escape_xml(s.id.as_str())),
            );
        }
        let owner = t
            .owner
            .as_ref()
            .filter(|o| providers.iter().any(|p| p.id == **o));
        let company = owner.map(|id| actor_ref(id.as_str()));
        let customer = Some(actor_ref(user));
        let label = |text: &str| Some(format!("<initiatorLabel>{text}</initiatorLabel>"));
        let (initiator, receiver) = match t.direction {
            Some(Direction::Inbound) => (customer, company),
            Some(Direction::Outbound) => (company.or_else(|| label("Company")), customer),
            _ => (None, company),
        };
        for (name, who) in [("initiator", initiator), ("receiver", receiver)] {
            if let Some(who) = who {
                put(5, &format!("<{name}>{who}</{name}>"));
            }
        }
        if let Some(name) = channel_name(map, t) {
            put(
                5,
                &format!("<channel>{}</channel>", leaf("channelName", &name)),
            );
        }
        if let Some(d) = &t.description {
            put(5, &leaf("comment", &plain(map, d)));
        }
        put(4, "</CommunicationPoint>");
    }
    put(3, "</planned>");
    put(2, "</touchpoints>");
    out.push_str("  </plannedJourney>\n</CJML>\n");
    out
}

fn actor_ref(id: &str) -> String {
    format!("<refersTo actorIDref=\"{}\"/>", escape_xml(id))
}

pub(super) fn kept(map: &JourneyMap, options: &ImportOptions) -> JourneyMap {
    let mut ids = Ids::default();
    let anybody = |p: &&Persona| {
        let name = plain(map, &p.name);
        !(map.personas.len() == 1 && (p.id.as_str(), name.as_str()) == ANYBODY)
    };
    let personas: Vec<Persona> = map
        .personas
        .iter()
        .filter(anybody)
        .map(|p| Persona::new(&p.id, plain(map, &p.name)))
        .collect();
    let stages: Vec<Stage> = map
        .stages
        .iter()
        .map(|s| Stage::new(&s.id, plain(map, &s.name)))
        .collect();
    let providers: Vec<Stakeholder> = providers(map)
        .iter()
        .map(|s| Stakeholder::new(&s.id, plain(map, &s.name)))
        .collect();
    let all = stages
        .iter()
        .map(|s| &s.id)
        .chain(personas.iter().map(|p| &p.id));
    let all = all.chain(providers.iter().map(|s| &s.id));
    for id in all.chain(map.touchpoints.iter().map(|t| &t.id)) {
        ids.take(id);
    }
    let mut channels = Channels::default();
    let mut touchpoints = Vec::new();
    for t in &map.touchpoints {
        let inside = map.stages.iter().filter(|s| t.is_in(&s.id));
        let places = inside.map(|s| StagePlace::from(s.id.clone()));
        let mut made = Touchpoint::new(&t.id, plain(map, &t.name)).stages(places);
        made.channel = channel_name(map, t).map(|name| channels.id(name, &mut ids));
        let owner = t.owner.clone();
        made.owner = owner.filter(|o| providers.iter().any(|p| p.id == *o));
        made.direction = t.direction.filter(|d| *d != Direction::Mutual);
        made.description = t.description.as_ref().map(|d| plain(map, d).into());
        touchpoints.push(made);
    }
    let title = plain(map, &map.title);
    let id = Some(map.id.as_str());
    let mut out = begin(&title, id, MapKind::Ideal, &mut ids, options);
    out.stakeholders.extend(providers);
    out.personas = personas;
    out.channels = channels.list;
    out.stages = stages;
    out.touchpoints = touchpoints;
    out
}

/// Channels have names and no ids in CJML.
#[derive(Default)]
struct Channels {
    list: Vec<Channel>,
    known: HashMap<String, Id>,
}

impl Channels {
    fn id(&mut self, name: String, ids: &mut Ids) -> Id {
        if let Some(id) = self.known.get(&name) {
            return id.clone();
        }
        let id = ids.fresh(&name, "channel");
        let made = Channel::new(&id, ChannelKind::Other);
        let named = id != name.as_str();
        self.list
            .push(if named { made.name(name.clone()) } else { made });
        self.known.insert(name, id.clone());
        id
    }
}

pub(super) fn read(text: &str, options: &ImportOptions) -> Result<Imported, ExchangeError> {
    shallow(text)?;
    let limits = ParsingOptions {
        allow_dtd: false,
        nodes_limit: u32::try_from(MAX_PARTS * 20).unwrap_or(u32::MAX),
        ..ParsingOptions::default()
    };
    let document = Document::parse_with_options(text, limits).map_err(|e| {
        let at = e.pos();
        let told = e.to_string();
        // The place stands before the message already.
        let told = told.split(" at ").next().unwrap_or(&told).to_owned();
        ExchangeError::syntax((at.row, at.col), told)
    })?;
    let mut reader = Reader {
        document: &document,
        ids: Ids::default(),
        unknown: BTreeMap::new(),
        notes: Vec::new(),
        given: HashMap::new(),
    };
    let root = document.root_element();
    let journeys: Vec<Node<'_, '_>> = root
        .descendants()
        .filter(|n| matches!(n.tag_name().name(), "plannedJourney" | "actualJourney"))
        .collect();
    let Some(journey) = journeys.first() else {
        let told = "there is neither a `plannedJourney` nor an `actualJourney`";
        return Err(ExchangeError::syntax(reader.place(&root), told));
    };
    for other in journeys.iter().skip(1) {
        let told = "one journey is read; this further one is left out";
        reader.note(other, told);
    }
    reader.journey(*journey, options)
}

/// Refuses nesting that no journey has before a parser follows it down.
fn shallow(text: &str) -> Result<(), ExchangeError> {
    const DEEPEST: usize = 200;
    let (mut depth, mut deepest) = (0usize, 0usize);
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        rest = rest.get(at + 1..).unwrap_or_default();
        // Comments and character data may hold anything.
        let skip = [("!--", "-->"), ("![CDATA[", "]]>"), ("?", "?>")];
        if let Some((_, end)) = skip.iter().find(|(lead, _)| rest.starts_with(lead)) {
            rest = rest
                .find(end)
                .and_then(|i| rest.get(i..))
                .unwrap_or_default();
            continue;
        }
        if rest.starts_with('/') {
            depth = depth.saturating_sub(1);
        } else {
            let end = rest.find('>').unwrap_or(rest.len());
            let tag = rest.get(..end).unwrap_or_default();
            depth += usize::from(!tag.ends_with('/'));
            deepest = deepest.max(depth);
        }
    }
    (deepest <= DEEPEST)
        .then_some(())
        .ok_or(ExchangeError::Limit {
            what: "levels of nesting",
            found: deepest,
            limit: DEEPEST,
        })
}

struct Reader<'d> {
    document: &'d Document<'d>,
    ids: Ids,
    /// Elements that are not read, with the first place and how often.
    unknown: BTreeMap<String, ((u32, u32), usize)>,
    notes: Vec<Note>,
    /// What the document's own ids have become.
    given: HashMap<String, Id>,
}

impl<'d> Reader<'d> {
    fn place(&self, node: &Node<'_, '_>) -> (u32, u32) {
        let at = self.document.text_pos_at(node.range().start);
        (at.row, at.col)
    }

    fn note(&mut self, node: &Node<'_, '_>, told: impl Into<String>) {
        let at = self.place(node);
        self.notes.push(Note::new(at, told));
    }

    fn skip(&mut self, node: &Node<'_, '_>) {
        let at = self.place(node);
        let name = node.tag_name().name().to_owned();
        self.unknown.entry(name).or_insert((at, 0)).1 += 1;
    }

    /// An id of the document as an id of the map: itself if it is one and free, else one like it.
    fn id(&mut self, raw: Option<String>, name: &str, kind: &str) -> Id {
        let own = raw.as_deref().map(Id::from).filter(|id| self.ids.take(id));
        let id = own.unwrap_or_else(|| match &raw {
            Some(raw) => self.ids.fresh(raw, kind),
            None => self.ids.fresh(name, kind),
        });
        if let Some(raw) = raw {
            self.given.entry(raw).or_insert_with(|| id.clone());
        }
        id
    }

    fn journey(
        mut self,
        journey: Node<'_, '_>,
        options: &ImportOptions,
    ) -> Result<Imported, ExchangeError> {
        let planned = journey.tag_name().name() == "plannedJourney";
        let mut title = None;
        let mut id = None;
        let (mut stages, mut personas, mut providers) = (Vec::new(), Vec::new(), Vec::new());
        let mut users: HashSet<String> = HashSet::new();
        let mut points: Vec<Node<'_, '_>> = Vec::new();
        for node in elements(journey) {
            match node.tag_name().name() {
                "journeyID" => id = said(node),
                "journeyTitle" => title = said(node),
                "journeyPhases" => {
                    for phase in elements(node) {
                        let name = label(phase).unwrap_or_else(|| "(empty)".to_owned());
                        let id = self.id(attribute(phase, "phaseID"), &name, "stage");
                        stages.push(Stage::new(id, name));
                    }
                }
                "actors" => {
                    for actor in elements(node) {
                        let name = label(actor).unwrap_or_else(|| "(empty)".to_owned());
                        let raw = attribute(actor, "actorID");
                        match actor.tag_name().name() {
                            "serviceProvider" => {
                                let id = self.id(raw, &name, "provider");
                                providers.push(Stakeholder::new(id, name));
                            }
                            "endUser" => {
                                users.extend(raw.clone());
                                personas.push((raw, name));
                            }
                            _ => self.skip(&actor),
                        }
                    }
                }
                "touchpoints" => {
                    for group in elements(node) {
                        match group.tag_name().name() {
                            "planned" | "actual" => points.extend(elements(group)),
                            "CommunicationPoint" | "Action" => points.push(group),
                            _ => self.skip(&group),
                        }
                    }
                }
                _ => self.skip(&node),
            }
        }
        let anybody = [(Some(ANYBODY.0.to_owned()), ANYBODY.1.to_owned())];
        if personas == anybody {
            personas.clear();
        }
        let made = personas
            .into_iter()
            .map(|(raw, name)| Persona::new(self.id(raw, &name, "persona"), name));
        let personas: Vec<Persona> = made.collect();
        let mut named = Vec::new();
        for point in points {
            if !matches!(point.tag_name().name(), "CommunicationPoint" | "Action") {
                self.skip(&point);
                continue;
            }
            let raw = child(point, "touchpointID").and_then(said);
            let raw = raw.or_else(|| attribute(point, "touchpointID"));
            let name = ["touchpointTitle", "touchpointName", "title", "name"]
                .iter()
                .find_map(|n| child(point, n).and_then(said));
            let name = name.or_else(|| child(point, "comment").and_then(said));
            let name = name
                .or_else(|| raw.clone())
                .unwrap_or_else(|| "(empty)".to_owned());
            let id = self.id(raw, &name, "touchpoint");
            named.push((point, Touchpoint::new(id, name)));
            self.ids.within_limit()?;
        }
        let mut channels = Channels::default();
        let mut touchpoints = Vec::new();
        let mut emotions = Vec::new();
        for (point, made) in named {
            let made = self.touchpoint(point, made, &users, &providers, &mut channels);
            if let Some(felt) = child(point, "touchpointExperience") {
                emotions.extend(self.experience(felt, &made.id, planned));
            }
            touchpoints.push(made);
        }
        let title = title.unwrap_or_else(|| "Imported journey".to_owned());
        let kind = if planned {
            MapKind::Ideal
        } else {
            MapKind::Actual
        };
        let mut map = begin(&title, id.as_deref(), kind, &mut self.ids, options);
        map.stakeholders.extend(providers);
        map.personas = personas;
        map.channels = channels.list;
        map.stages = stages;
        map.touchpoints = touchpoints;
        map.emotions = emotions;
        for (name, (at, n)) in std::mem::take(&mut self.unknown) {
            let times = if n == 1 {
                String::new()
            } else {
                format!(" and {} more", n - 1)
            };
            let name: String = name.chars().take(60).collect();
            self.notes.push(Note::new(
                at,
                format!("the element `{name}` has no place in a map; this one{times} is left out"),
            ));
        }
        Ok(Imported {
            map,
            notes: self.notes,
        })
    }

    fn touchpoint(
        &mut self,
        point: Node<'_, '_>,
        mut made: Touchpoint,
        users: &HashSet<String>,
        providers: &[Stakeholder],
        channels: &mut Channels,
    ) -> Touchpoint {
        for node in elements(point) {
            match node.tag_name().name() {
                "touchpointID"
                | "touchpointTitle"
                | "touchpointName"
                | "title"
                | "name"
                | "touchpointExperience" => {}
                "belongsTo" => {
                    let raw = attribute(node, "phaseIDref");
                    match raw.as_ref().and_then(|r| self.given.get(r)) {
                        Some(stage) if !made.is_in(stage) => {
                            made.stages.push(StagePlace::from(stage.clone()));
                        }
                        Some(_) => {}
                        None => {
                            let shown: String = raw.unwrap_or_default().chars().take(60).collect();
                            self.note(&node, format!("there is no phase `{shown}`"));
                        }
                    }
                }
                side @ ("initiator" | "receiver") => {
                    let raw = child(node, "refersTo").and_then(|r| attribute(r, "actorIDref"));
                    let provider = raw.as_ref().and_then(|r| self.given.get(r));
                    let provider = provider.filter(|id| providers.iter().any(|p| p.id == **id));
                    let is_user = raw.as_ref().is_some_and(|r| users.contains(r));
                    if let Some(id) = provider {
                        made.owner.get_or_insert_with(|| id.clone());
                    } else if let Some(raw) = raw.filter(|_| !is_user) {
                        let shown: String = raw.chars().take(60).collect();
                        self.note(&node, format!("there is no actor `{shown}`"));
                        continue;
                    }
                    if side == "initiator" {
                        made.direction = Some(if is_user {
                            Direction::Inbound
                        } else {
                            Direction::Outbound
                        });
                    }
                }
                "channel" => {
                    if let Some(name) = said(child(node, "channelName").unwrap_or(node)) {
                        made.channel = Some(channels.id(name, &mut self.ids));
                    }
                }
                "comment" => made.description = said(node).map(Into::into),
                _ => self.skip(&node),
            }
        }
        made
    }

    /// What was felt: a rating from 1 to 5, and words for it.
    fn experience(&mut self, node: Node<'_, '_>, at: &Id, planned: bool) -> Option<Emotion> {
        if planned {
            self.note(
                &node,
                "experience belongs to actual journeys; this one is left out",
            );
            return None;
        }
        let rating = child(node, "experienceRating")?;
        let raw = said(rating)?;
        let score = raw.parse::<f64>().ok().filter(|s| (1.0..=5.0).contains(s));
        let Some(valence) = score.and_then(|s| Valence::new((s - 3.0) / 2.0)) else {
            let shown: String = raw.chars().take(60).collect();
            self.note(
                &rating,
                format!("the rating `{shown}` is not on the scale of 1 to 5; it is left out"),
            );
            return None;
        };
        let id = self.ids.fresh(&format!("feels-{at}"), "feels");
        let mut made = Emotion::new(id, at.as_str(), valence, EmotionSource::SelfReport);
        made.label = child(node, "experienceDescription").and_then(said);
        Some(made)
    }
}

fn elements<'a, 'i>(node: Node<'a, 'i>) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children().filter(Node::is_element)
}

fn child<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    elements(node).find(|n| n.tag_name().name() == name)
}

fn attribute(node: Node<'_, '_>, name: &str) -> Option<String> {
    let found = node.attributes().find(|a| a.name() == name)?;
    Some(found.value().trim().to_owned()).filter(|v| !v.is_empty())
}

/// The text of an element on one line, if it has any.
fn said(node: Node<'_, '_>) -> Option<String> {
    let text: String = node
        .descendants()
        .filter(Node::is_text)
        .filter_map(|n| n.text())
        .collect();
    (!text.trim().is_empty()).then(|| line(&text))
}

/// What a phase or actor is called: by an element of its own, or by its text.
fn label(node: Node<'_, '_>) -> Option<String> {
    let named = elements(node).find(|n| {
        let name = n.tag_name().name().to_ascii_lowercase();
        ["name", "label", "title"].iter().any(|e| name.ends_with(e))
    });
    said(named.unwrap_or(node))
}
