//! What a careful reader would ask of the journey: has every stage what makes it one, and is it the customer's?

use super::{Code, Notes};
use crate::map::{
    At, Id, JourneyMap, MapKind, Media, MomentKind, Observability, PersonaKind, Phase, SourceKind,
    Stage,
};

pub(super) fn look(notes: &mut Notes<'_>) {
    let map = notes.file.map();
    for (i, stage) in map.stages.iter().enumerate() {
        contents(notes, stage, &format!("/stages/{i}"));
        eyes(notes, stage, &format!("/stages/{i}/name"));
    }
    touchpoints(notes);
    channels(notes);
    after_purchase(notes);
    bias(notes);
    phases(notes);
    personas(notes);
}

impl JourneyMap {
    /// The ids of everything that sits in a stage: itself, its steps, its touchpoints.
    pub(crate) fn inside<'m>(&'m self, stage: &'m Stage) -> Vec<&'m Id> {
        let touchpoints = self
            .touchpoints
            .iter()
            .filter(|t| t.is_in(&stage.id))
            .map(|t| &t.id);
        let steps = stage.steps.iter().map(|s| &s.id);
        std::iter::once(&stage.id)
            .chain(steps)
            .chain(touchpoints)
            .collect()
    }
}

fn contents(notes: &mut Notes<'_>, stage: &Stage, pointer: &str) {
    let map = notes.file.map();
    let inside = map.inside(stage);
    let sits = |at: &At| at.ids().any(|id| inside.contains(&id));
    let name = stage.name.get(map.main_language());
    if !map.goals.iter().any(|g| g.stages.contains(&stage.id)) {
        let message = format!("no goal says what customers want in `{name}`");
        let help = format!("add a goal with `stages: [{}]`", stage.id);
        notes.say(Code::Goal, pointer, message, Some(help));
    }
    if !map.touchpoints.iter().any(|t| t.is_in(&stage.id)) {
        let message = format!("`{name}` has no touchpoint");
        notes.say(Code::Touchpoint, pointer, message, None);
    }
    if !map
        .kpis
        .iter()
        .any(|k| k.at.as_ref().is_some_and(|at| inside.contains(&at)))
    {
        let message = format!("no KPI is watched in `{name}`");
        notes.say(
            Code::Kpi,
            pointer,
            message,
            Some(format!("add one with `at: {}`", stage.id)),
        );
    }
    if !map.moments.iter().any(|m| sits(&m.at)) {
        let message = format!("no moment of truth in `{name}`");
        notes.say(Code::Moment, pointer, message, None);
    }
    if !map.content.is_empty() && !map.content.iter().any(|c| c.stages.contains(&stage.id)) {
        let message = format!("no content is made for `{name}`");
        notes.say(Code::Content, pointer, message, None);
    }
    let asked = map.feedback.iter().any(|f| inside.contains(&&f.at))
        || map
            .emotions
            .iter()
            .any(|e| e.source.is_measured() && sits(&e.at))
        || map.kpis.iter().any(|k| {
            k.kpi.known().is_some_and(|known| known.is_voice)
                && k.at.as_ref().is_some_and(|at| inside.contains(&at))
        })
        || stage.evidence.iter().any(|id| is_voice(map, id));
    if map.kind == MapKind::Actual && !asked {
        let message = format!("nobody asks customers about `{name}`");
        let help =
            "add a feedback point, a KPI such as csat, or evidence from a survey or interviews";
        notes.say(Code::Blind, pointer, message, Some(help.to_owned()));
    }
}

/// Whether evidence is what customers said.
fn is_voice(map: &JourneyMap, id: &Id) -> bool {
    let voices = [
        SourceKind::Survey,
        SourceKind::Interview,
        SourceKind::Messaging,
        SourceKind::CallRecord,
        SourceKind::SupportTicket,
        SourceKind::PublicReview,
        SourceKind::Social,
    ];
    map.evidence
        .iter()
        .any(|e| e.id == *id && voices.contains(&e.kind))
}

/// Names of departments, in small letters.
const DEPARTMENTS: &[&str] = &[
    "sales",
    "marketing",
    "customer service",
    "customer support",
    "customer success",
    "finance",
    "accounting",
    "logistics",
    "fulfilment",
    "fulfillment",
    "operations",
    "it",
    "legal",
    "human resources",
    "hr",
    "procurement",
    "purchasing department",
    "call center",
    "call centre",
    "vertrieb",
    "kundendienst",
    "buchhaltung",
];

/// Whether a stage is the company's and not the customer's.
fn eyes(notes: &mut Notes<'_>, stage: &Stage, pointer: &str) {
    let map = notes.file.map();
    let teams: Vec<String> = map
        .stakeholders
        .iter()
        .flat_map(|s| s.team.iter().map(String::as_str).chain(s.name.all()))
        .map(|t| t.trim().to_lowercase())
        .collect();
    let mirrored = stage.name.all().find(|name| {
        let name = name.trim().to_lowercase();
        let bare = name
            .trim_end_matches(" team")
            .trim_end_matches(" department");
        DEPARTMENTS.contains(&bare) || DEPARTMENTS.contains(&name.as_str()) || teams.contains(&name)
    });
    if let Some(name) = mirrored {
        let message = format!("the stage `{name}` is named like a department");
        let help = "name it by what the customer does there";
        notes.say(Code::Department, pointer, message, Some(help.to_owned()));
    }
}

fn touchpoints(notes: &mut Notes<'_>) {
    let map = notes.file.map();
    for (i, t) in map.touchpoints.iter().enumerate() {
        let pointer = format!("/touchpoints/{i}");
        let name = t.name.get(map.main_language());
        let observed = t.traces() == Observability::Observed && t.media != Some(Media::External);
        let lived = !matches!(map.kind, MapKind::Competitor(_) | MapKind::Ideal);
        if lived && observed && t.binding.is_none() {
            let message = format!("`{name}` leaves traces but is bound to no events");
            let help = "add a `binding`, or say `observability: survey_only` or `unobservable`";
            notes.say(Code::Unbound, &pointer, message, Some(help.to_owned()));
        }
        if t.stages.is_empty() {
            let message = format!("`{name}` sits in no stage");
            notes.say(Code::Touchpoint, &pointer, message, None);
        }
        if t.owner.is_none() && lived {
            let message = format!("nobody answers for `{name}`");
            notes.say(
                Code::Owner,
                &pointer,
                message,
                Some("add an `owner`".to_owned()),
            );
        }
    }
}

fn channels(notes: &mut Notes<'_>) {
    let map = notes.file.map();
    for (i, c) in map.channels.iter().enumerate() {
        if !map
            .touchpoints
            .iter()
            .any(|t| t.channel.as_ref() == Some(&c.id))
        {
            let message = format!("no touchpoint uses the channel `{}`", c.id);
            notes.say(Code::Channel, &format!("/channels/{i}"), message, None);
        }
    }
}

/// The last stage in which customers buy, as far as the map tells.
fn purchase(map: &JourneyMap, levels: &[u32]) -> Option<usize> {
    let buys = |i: &usize| {
        let stage = &map.stages[*i];
        let inside = map.inside(stage);
        let moment = map
            .moments
            .iter()
            .any(|m| m.kind == MomentKind::Purchase && m.at.ids().any(|id| inside.contains(&id)));
        stage.lifecycle.contains(&Phase::Conversion) || moment
    };
    (0..map.stages.len())
        .filter(buys)
        .max_by_key(|i| levels[*i])
}

fn after_purchase(notes: &mut Notes<'_>) {
    let map = notes.file.map();
    let Some(levels) = map.stage_levels() else {
        return;
    };
    let Some(bought) = purchase(map, &levels) else {
        return;
    };
    // In the order of the stages, whatever their order in the document.
    let stages = map.stages.iter().zip(&levels);
    let later = stages.filter(|(_, level)| **level > levels[bought]);
    let later: Vec<&Id> = later.map(|(stage, _)| &stage.id).collect();
    if !map
        .touchpoints
        .iter()
        .any(|t| later.iter().any(|id| t.is_in(id)))
    {
        let message = "no touchpoint comes after the purchase".to_owned();
        let help =
            "what happens before, during and after the sale is equally the customer's experience";
        notes.say(
            Code::Post,
            &format!("/stages/{bought}"),
            message,
            Some(help.to_owned()),
        );
    }
}

/// Words of buying, in small letters.
const BUYING: &[&str] = &[
    "buy",
    "buys",
    "bought",
    "purchase",
    "purchases",
    "order",
    "orders",
    "checkout",
    "pay",
    "payment",
    "subscribe",
    "subscription",
    "sale",
    "kaufen",
    "kauf",
    "bestellen",
    "bestellung",
    "acheter",
    "comprar",
];

/// Words of goals that are about a purchase and are none, in small letters.
const NOT_BUYING: &[&str] = &[
    "know",
    "where",
    "when",
    "find",
    "track",
    "follow",
    "status",
    "return",
    "returned",
    "returns",
    "back",
    "refund",
    "refunded",
    "cancel",
    "cancelled",
    "compare",
    "help",
    "understand",
    "sure",
    "wissen",
    "wo",
    "finden",
    "zurück",
    "stornieren",
    "vergleichen",
];

fn bias(notes: &mut Notes<'_>) {
    let map = notes.file.map();
    let mut goals = map.goals.iter().peekable();
    if goals.peek().is_none() {
        return;
    }
    let all = goals.all(|goal| {
        let success = goal
            .success
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default();
        let texts = goal.text.all().chain([success.as_str()]);
        let text = texts.collect::<Vec<_>>().join(" ").to_lowercase();
        let has = |text: &str, list: &[&str]| {
            let mut words = text.split(|c: char| !c.is_alphanumeric());
            words.any(|w| list.contains(&w))
        };
        let buys = has(&text, BUYING) || has(goal.id.as_str(), BUYING);
        buys && !has(&text, NOT_BUYING)
    });
    if all {
        let message = "every goal is a purchase".to_owned();
        let help = "customers also want to find out, be sure, get help, or leave: add such goals";
        notes.say(Code::Bias, "/goals", message, Some(help.to_owned()));
    }
}

fn phases(notes: &mut Notes<'_>) {
    let map = notes.file.map();
    let is_phase = |stage: &Stage| {
        stage.name.all().chain([stage.id.as_str()]).any(|name| {
            Phase::ALL
                .iter()
                .any(|p| p.word() == name.trim().to_lowercase())
        })
    };
    if !map.stages.is_empty() && map.stages.iter().all(is_phase) {
        let message = "the stages are phases of the company's lifecycle".to_owned();
        let help =
            "keep those in a lifecycle document, and name stages by what the customer goes through";
        notes.say(Code::Phase, "/stages", message, Some(help.to_owned()));
    }
}

fn personas(notes: &mut Notes<'_>) {
    let map = notes.file.map();
    let actual = || {
        let all = map.personas.iter();
        all.filter(|p| p.kind != Some(PersonaKind::Ideal) && p.share.is_some())
    };
    let sum: f64 = actual().filter_map(|p| Some(p.share?.get())).sum();
    if sum > 1.0 + 1e-9 && actual().all(|p| p.overlaps.is_empty()) {
        let percent = (sum * 1000.0).round() / 10.0;
        let message = format!("the shares of personas sum to {percent} % of all customers");
        let help = "correct them, or list under `overlaps` who may belong to two of them";
        notes.say(Code::Overlap, "/personas", message, Some(help.to_owned()));
    }
    for (i, a) in map.personas.iter().enumerate() {
        for (j, b) in map.personas.iter().enumerate().skip(i + 1) {
            let declared = a.overlaps.contains(&b.id) || b.overlaps.contains(&a.id);
            if let (Some(x), Some(y)) = (&a.member, &b.member)
                && x == y
                && !declared
            {
                let message = format!("`{}` and `{}` have the same members", a.id, b.id);
                let help = "tell them apart, or list one under `overlaps` of the other";
                notes.say(
                    Code::Overlap,
                    &format!("/personas/{j}/member"),
                    message,
                    Some(help.to_owned()),
                );
            }
        }
    }
}
