//! What the map rests on: how old, how strong, how many, and who answers for it.

use super::{Code, Notes};
use crate::map::{ActionStatus, At, Basis, Estimate, Id};

pub(super) fn look(notes: &mut Notes<'_>) {
    stale(notes);
    opinion(notes);
    small(notes);
    findings(notes);
    closed(notes);
    raters(notes);
}

fn stale(notes: &mut Notes<'_>) {
    let map = notes.file.map();
    let Some(today) = notes.options.today else {
        return;
    };
    let every = map.reviewed_every();
    let due = map.as_of.after(every);
    if due < today {
        let message = format!(
            "the map was to be looked at again by {due}, {} days ago",
            due.days_until(today)
        );
        let help = "look at it and set `as_of`";
        notes.say(Code::Stale, "/as_of", message, Some(help.to_owned()));
    }
    for (i, e) in map.evidence.iter().enumerate() {
        if let Some(expired) = e.expires(every).filter(|day| *day < today) {
            let message = format!("`{}` has not counted since {expired}", e.id);
            let help = "collect it anew, or set `expires_at` if it still holds";
            notes.say(
                Code::Stale,
                &format!("/evidence/{i}"),
                message,
                Some(help.to_owned()),
            );
        }
    }
    for (i, a) in map.assumptions.iter().enumerate() {
        if let Some(due) = a.due.filter(|day| *day < today) {
            let message = format!("`{}` was to be tested by {due}", a.id);
            notes.say(Code::Stale, &format!("/assumptions/{i}"), message, None);
        }
    }
}

/// Places whose feeling is only guessed.
fn opinion(notes: &mut Notes<'_>) {
    let map = notes.file.map();
    let mut cells: Vec<(&At, Option<&Id>)> = map
        .emotions
        .iter()
        .filter(|e| e.source.word() != "target")
        .map(|e| (&e.at, e.persona.as_ref()))
        .collect();
    cells.sort();
    cells.dedup();
    let guessed = |cell: &(&At, Option<&Id>)| {
        let mut here = map
            .emotions
            .iter()
            .filter(|e| (&e.at, e.persona.as_ref()) == *cell);
        !here.any(|e| e.source.is_measured())
    };
    let guesses: Vec<&(&At, Option<&Id>)> = cells.iter().filter(|c| guessed(c)).collect();
    let allowed = notes
        .settings()
        .and_then(|s| s.opinion)
        .map_or(0.0, crate::map::Share::get);
    #[allow(clippy::cast_precision_loss)] // few
    let share = guesses.len() as f64 / cells.len().max(1) as f64;
    if share <= allowed || map.kind != crate::map::MapKind::Actual {
        return;
    }
    for (i, e) in map.emotions.iter().enumerate() {
        if guesses.contains(&&(&e.at, e.persona.as_ref())) && e.source.word() == "expert_guess" {
            let message = format!(
                "what customers feel at `{}` is only guessed, as at {} of {} places",
                e.at,
                guesses.len(),
                cells.len()
            );
            notes.say(
                Code::Opinion,
                &format!("/emotions/{i}"),
                message,
                Some("ask customers".to_owned()),
            );
        }
    }
}

fn small(notes: &mut Notes<'_>) {
    let map = notes.file.map();
    let mut found: Vec<(String, &Id, u64)> = Vec::new();
    for (i, e) in map.emotions.iter().enumerate() {
        if let Some(n) = e.n {
            found.push((format!("/emotions/{i}"), &e.id, n));
        }
    }
    let mut estimate = |pointer: String, id, estimate: Option<&Estimate>| {
        if let Some(estimate) = estimate.filter(|e| e.value.is_some()) {
            found.push((pointer, id, estimate.n));
        }
    };
    for (i, p) in map.pains.iter().enumerate() {
        estimate(format!("/pains/{i}/affected"), &p.id, p.affected.as_ref());
        for (j, signal) in p.signals.iter().enumerate() {
            estimate(
                format!("/pains/{i}/signals/{j}/estimate"),
                &p.id,
                signal.estimate.as_ref(),
            );
        }
    }
    for (i, m) in map.moments.iter().enumerate() {
        estimate(format!("/moments/{i}/swing"), &m.id, m.swing.as_ref());
    }
    for (i, o) in map.opportunities.iter().enumerate() {
        estimate(
            format!("/opportunities/{i}/uplift"),
            &o.id,
            o.uplift.as_ref(),
        );
    }
    let min = notes.min_n();
    for (pointer, id, n) in found {
        if n < min {
            let message = format!("`{id}` rests on {n} observations, fewer than {min}");
            notes.say(Code::Small, &pointer, message, None);
        }
    }
}

fn findings(notes: &mut Notes<'_>) {
    let map = notes.file.map();
    for (i, p) in map.pains.iter().enumerate() {
        let pointer = format!("/pains/{i}");
        if p.evidence.is_empty() {
            let message = format!("the pain point `{}` rests on nothing", p.id);
            notes.say(
                Code::Evidence,
                &pointer,
                message,
                Some("name its `evidence`".to_owned()),
            );
        }
        if p.owner.is_none() {
            let message = format!("nobody answers for the pain point `{}`", p.id);
            notes.say(
                Code::Owner,
                &pointer,
                message,
                Some("add an `owner`".to_owned()),
            );
        }
    }
    for (i, m) in map.moments.iter().enumerate() {
        if m.basis == Basis::Measured && m.swing.is_none() {
            let message = format!(
                "the moment `{}` is called measured and has no `swing`",
                m.id
            );
            notes.say(Code::Evidence, &format!("/moments/{i}"), message, None);
        }
    }
    for (i, o) in map.opportunities.iter().enumerate() {
        let pointer = format!("/opportunities/{i}");
        if o.uplift.as_ref().is_some_and(|u| u.method.is_none())
            || o.uplift.is_some() && o.horizon.is_none()
        {
            let message = format!(
                "the gain of `{}` does not say how and over how long it was estimated",
                o.id
            );
            let help = "add `method` to the uplift and a `horizon`";
            notes.say(Code::Evidence, &pointer, message, Some(help.to_owned()));
        }
    }
    for (i, a) in map.assumptions.iter().enumerate() {
        if a.owner.is_none() {
            let message = format!("nobody answers for the assumption `{}`", a.id);
            notes.say(Code::Owner, &format!("/assumptions/{i}"), message, None);
        }
    }
}

fn closed(notes: &mut Notes<'_>) {
    let map = notes.file.map();
    let actions = map.actions.iter().enumerate().map(|(i, a)| {
        (
            format!("/actions/{i}"),
            &a.id,
            a.status,
            a.readout.is_some(),
        )
    });
    let hypotheses = map.hypotheses.iter().enumerate().map(|(i, h)| {
        (
            format!("/hypotheses/{i}"),
            &h.id,
            h.status,
            h.readout.is_some(),
        )
    });
    for (pointer, id, status, read) in actions.chain(hypotheses) {
        if status == Some(ActionStatus::Closed) && !read {
            let message = format!("`{id}` was closed without saying what came of it");
            notes.say(
                Code::Readout,
                &pointer,
                message,
                Some("add a `readout`".to_owned()),
            );
        }
    }
}

fn raters(notes: &mut Notes<'_>) {
    let map = notes.file.map();
    for (i, review) in map.reviews.iter().enumerate() {
        let same =
            |r: &&crate::map::HeuristicReview| r.at == review.at && r.heuristic == review.heuristic;
        let first = map.reviews.iter().position(|r| same(&r)) == Some(i);
        let others = map
            .reviews
            .iter()
            .filter(same)
            .any(|r| r.rater != review.rater);
        if first && !others {
            let message = format!(
                "only {} rated `{}` by rule {}",
                review.rater,
                review.at,
                review.heuristic.number()
            );
            let help = "a second rater shows whether they agree";
            notes.say(
                Code::Rater,
                &format!("/reviews/{i}"),
                message,
                Some(help.to_owned()),
            );
        }
    }
}
