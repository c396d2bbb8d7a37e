//! Tables of verdicts: promises, touchpoints, those who answered.

use super::tables::{chance, count, estimate, maybe, rate, text};
use super::{GoalSatisfaction, PromiseMeasure, ResponderBias, TouchpointHealth};
use crate::report::{Cells, Rate, Table};

pub(super) fn promise_table(rows: &[PromiseMeasure]) -> Table {
    Table::new("promises", "What was promised")
        .with("expectation", "Expectation", text(rows, |p| p.id.clone()))
        .with("text", "What is expected", text(rows, |p| p.text.clone()))
        .with("at", "Where", text(rows, |p| p.at.clone()))
        .with("promise", "Promise", text(rows, |p| p.promise.clone()))
        .with(
            "verdict",
            "Verdict",
            maybe(rows, |p| p.verdict.map(|v| v.word().to_owned())),
        )
        .with(
            "kept",
            "Journeys that kept it",
            Cells::Rate(rows.iter().map(|p| p.kept).collect()),
        )
        .with(
            "wanted",
            "Share that should",
            Cells::Share(rows.iter().map(|p| p.wanted).collect()),
        )
        .with("never", "Never came to the end", count(rows, |p| p.never))
        .with("open", "Not yet known", count(rows, |p| p.open))
        .with_value("Measured", rows, |p| (p.value, p.currency.as_ref()))
        .with("n", "n", count(rows, |p| p.n))
        .with("hole", "Why no number", maybe(rows, |p| p.hole.clone()))
}

pub(super) fn health_table(rows: &[TouchpointHealth]) -> Table {
    let share =
        |of: fn(&TouchpointHealth) -> Option<Rate>| Cells::Rate(rows.iter().map(of).collect());
    Table::new("health", "How touchpoints are doing")
        .with(
            "touchpoint",
            "Touchpoint",
            maybe(rows, |h| h.touchpoint.clone()),
        )
        .with("name", "Name", text(rows, |h| h.name.clone()))
        .with(
            "verdict",
            "Verdict",
            text(rows, |h| h.verdict.word().to_owned()),
        )
        .with(
            "reasons",
            "Why",
            text(rows, |h| {
                let words: Vec<&str> = h.reasons.iter().map(|r| r.words()).collect();
                words.join("; ")
            }),
        )
        .with("drop_off", "End here without a goal", share(|h| h.drop_off))
        .with(
            "others_drop_off",
            "At its stage's middle one",
            share(|h| h.others_drop_off),
        )
        .with("q", "q", chance(rows, |h| h.q))
        .with("reach", "Journeys here", share(|h| h.reach))
        .with(
            "others_reach",
            "At its stage's middle one",
            share(|h| h.others_reach),
        )
        .with(
            "lift",
            "Goal rate with less without",
            estimate(rows, |h| h.lift),
        )
        .with("lift_q", "q", chance(rows, |h| h.lift_q))
}

pub(super) fn responder_table(rows: &[ResponderBias]) -> Table {
    Table::new(
        "responders",
        "Whether those who answered are like the others",
    )
    .with("question", "Question", text(rows, |r| r.question.clone()))
    .with("kind", "Kind", text(rows, |r| r.kind.clone()))
    .with(
        "answered",
        "Journeys with an answer",
        rate(rows, |r| r.answered),
    )
    .with(
        "goal_answered",
        "They reach a goal",
        rate(rows, |r| r.goal_answered),
    )
    .with("goal_all", "All reach a goal", rate(rows, |r| r.goal_all))
    .with("difference", "Difference", estimate(rows, |r| r.difference))
    .with(
        "standardised",
        "In standard deviations",
        Cells::Number(rows.iter().map(|r| r.standardised).collect()),
    )
    .with(
        "biased",
        "Beyond 0.2",
        Cells::Flag(rows.iter().map(|r| r.biased).collect()),
    )
    .with(
        "raw",
        "Good answers",
        Cells::Rate(rows.iter().map(|r| r.raw).collect()),
    )
    .with("weighted", "Weighted", estimate(rows, |r| r.weighted))
    .with("strata", "Kinds of journeys", count(rows, |r| r.strata.0))
    .with(
        "strata_heard",
        "With an answer",
        count(rows, |r| r.strata.1),
    )
    .with(
        "unheard",
        "Journeys of kinds without",
        Cells::Share(rows.iter().map(|r| r.unheard).collect()),
    )
}

pub(super) fn satisfaction_table(rows: &[GoalSatisfaction]) -> Table {
    Table::new("satisfaction", "How satisfied those are who reached a goal")
        .with("goal", "Goal", text(rows, |r| r.goal.clone()))
        .with("question", "Question", text(rows, |r| r.question.clone()))
        .with("kind", "Kind", text(rows, |r| r.kind.clone()))
        .with(
            "reached",
            "Good answers after it",
            rate(rows, |r| r.satisfied.with),
        )
        .with(
            "not_reached",
            "Good answers without it",
            rate(rows, |r| r.satisfied.without),
        )
        .with(
            "difference",
            "Difference",
            estimate(rows, |r| r.satisfied.difference),
        )
        .with("p", "p", chance(rows, |r| r.satisfied.p))
        .with("q", "q", chance(rows, |r| r.satisfied.q))
        .with("before", "Answered before it", count(rows, |r| r.before))
        .with("open", "May still reach it", count(rows, |r| r.open))
        .with("directness", "Directness", estimate(rows, |r| r.directness))
}
