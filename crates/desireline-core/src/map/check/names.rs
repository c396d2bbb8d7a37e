//! Ids: each defined once, and every mention leads somewhere.

use std::collections::BTreeMap;

use super::{Code, Notes};
use crate::expr::nearest;
use crate::map::{Id, PartKind};

pub(super) fn look(notes: &mut Notes<'_>) {
    let map = notes.file.map();
    let mut known: BTreeMap<&Id, (PartKind, String)> = BTreeMap::new();
    for (kind, id, pointer) in map.ids() {
        match known.get(id) {
            None => _ = known.insert(id, (kind, pointer)),
            Some((first, place)) => {
                let line = notes.file.place(place).line;
                let there = match line {
                    0 => format!("a {first}"),
                    line => format!("a {first} in line {line}"),
                };
                let message = format!("the id `{id}` of this {kind} is already that of {there}");
                let help = "ids are unique in the whole map, because versions are compared by them";
                notes.say(Code::Id, &pointer, message, Some(help.to_owned()));
            }
        }
    }
    for reference in map.references() {
        let wanted =
            |kind: &PartKind| reference.allowed.is_empty() || reference.allowed.contains(kind);
        let (message, help) = match known.get(&reference.id) {
            Some((kind, _)) if wanted(kind) => continue,
            Some((kind, _)) => (
                format!(
                    "`{}` is a {kind}, where {} is wanted",
                    reference.id,
                    listed(reference.allowed)
                ),
                None,
            ),
            None => {
                let names = known.iter().filter(|(_, (kind, _))| wanted(kind));
                let names: Vec<&str> = names.map(|(id, _)| id.as_str()).collect();
                let help = match nearest(reference.id.as_str(), names.iter().copied()) {
                    Some(near) => Some(format!("did you mean `{near}`?")),
                    None if names.is_empty() => Some("there is none yet; add it".to_owned()),
                    None => Some(format!("there are {}", some(&names))),
                };
                (
                    format!(
                        "there is no {} `{}`",
                        listed_bare(reference.allowed),
                        reference.id
                    ),
                    help,
                )
            }
        };
        notes.say(Code::Id, &reference.pointer, message, help);
    }
    for (i, persona) in map.personas.iter().enumerate() {
        let names = persona
            .traits
            .as_ref()
            .map(crate::map::Traits::names)
            .unwrap_or_default();
        for (j, name) in persona.sensitive.iter().enumerate() {
            if !names.contains(&name.as_str()) {
                let near = nearest(name, names.iter().copied());
                let message = format!("`{name}` is no trait of this persona");
                let help = near.map(|n| format!("did you mean `{n}`?"));
                notes.say(
                    Code::Id,
                    &format!("/personas/{i}/sensitive/{j}"),
                    message,
                    help,
                );
            }
        }
    }
    lifecycle(notes);
    if let Some(checks) = &map.checks {
        for (word, codes) in [("deny", &checks.deny), ("allow", &checks.allow)] {
            for (i, code) in codes.iter().enumerate() {
                let pointer = format!("/checks/{word}/{i}");
                if word == "deny" && code == "warnings" {
                    continue;
                }
                match code.parse::<Code>() {
                    Ok(found) if word == "allow" && found.level() == super::Level::Error => {
                        let message = format!("{found} is an error and cannot be allowed");
                        notes.say(Code::Id, &pointer, message, None);
                    }
                    Ok(_) => {}
                    Err(message) => notes.say(Code::Id, &pointer, message, None),
                }
            }
        }
    }
}

/// The lifecycle that the map names is there, and has the phases of its stages.
fn lifecycle(notes: &mut Notes<'_>) {
    let map = notes.file.map();
    let documents = &notes.options.lifecycles;
    let Some(named) = map.lifecycle.as_ref().filter(|_| !documents.is_empty()) else {
        return;
    };
    let Some(found) = documents.iter().find(|d| d.id == *named) else {
        let ids: Vec<&str> = documents.iter().map(|d| d.id.as_str()).collect();
        let help = match nearest(named.as_str(), ids.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("there are {}", some(&ids)),
        };
        let message = format!("there is no lifecycle `{named}`");
        notes.say(Code::Id, "/lifecycle", message, Some(help));
        return;
    };
    for (i, stage) in map.stages.iter().enumerate() {
        for (j, phase) in stage.lifecycle.iter().enumerate() {
            if !found.phases.iter().any(|p| p.phase == *phase) {
                let message = format!("the lifecycle `{named}` has no phase `{phase}`");
                let pointer = format!("/stages/{i}/lifecycle/{j}");
                notes.say(Code::Id, &pointer, message, None);
            }
        }
    }
}

fn listed(kinds: &[PartKind]) -> String {
    match kinds {
        [] => "any part".to_owned(),
        [one] => format!("a {one}"),
        [rest @ .., last] => {
            let rest: Vec<&str> = rest.iter().map(|k| k.word()).collect();
            format!("a {} or {last}", rest.join(", "))
        }
    }
}

fn listed_bare(kinds: &[PartKind]) -> String {
    let all = listed(kinds);
    match kinds {
        [] => "part".to_owned(),
        _ => all.trim_start_matches("a ").to_owned(),
    }
}

fn some(names: &[&str]) -> String {
    const MOST: usize = 8;
    let mut shown: Vec<String> = names.iter().take(MOST).map(|n| format!("`{n}`")).collect();
    if names.len() > MOST {
        shown.push(format!("{} more", names.len() - MOST));
    }
    shown.join(", ")
}
