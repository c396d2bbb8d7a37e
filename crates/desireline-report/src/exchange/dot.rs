//! Graphs for Graphviz: the stages with their touchpoints, and the stakeholders with what they answer for.

use std::fmt::Write as _;

use desireline_core::map::{At, Id, JourneyMap};

use super::header::plain;

/// What the graph of a journey shows.
pub(super) const SHOWN: &[&str] = &[
    "title",
    "framework.loops",
    "stages.id",
    "stages.name",
    "stages.after",
    "touchpoints.id",
    "touchpoints.name",
    "touchpoints.stages",
    "touchpoints.channel",
    "pains.at",
    "pains.id",
    "pains.text",
    "moments.at",
    "moments.id",
];

/// What the graph of the stakeholders shows.
pub(super) const SHOWN_STAKEHOLDERS: &[&str] = &[
    "title",
    "owner",
    "stakeholders.id",
    "stakeholders.name",
    "stakeholders.role",
    "stakeholders.team",
    "stakeholders.relations",
    "stakeholders.owns",
    "touchpoints.id",
    "touchpoints.name",
    "touchpoints.owner",
];

const LOOK: &str = "  fontname=\"Helvetica\";\n  node [fontname=\"Helvetica\", fontsize=11];\n  edge [fontname=\"Helvetica\", \
                    fontsize=10, color=\"#5c6773\"];\n";

/// A text in quotes.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// The names of things, wrapped so that boxes stay narrow.
fn label(text: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + word.chars().count() < 22 => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    let lines: Vec<String> = lines
        .iter()
        .map(|l| l.replace('\\', "\\\\").replace('"', "\\\""))
        .collect();
    format!("\"{}\"", lines.join("\\n"))
}

pub(super) fn journey(map: &JourneyMap) -> String {
    let mut out = format!(
        "digraph {} {{\n  rankdir=LR;\n  compound=true;\n  label={};\n  labelloc=t;\n{LOOK}",
        quoted(map.id.as_str()),
        label(&plain(map, &map.title))
    );
    // A touchpoint in several stages stands in each of them.
    let node = |t: &Id, stage: &Id| quoted(&format!("{t} in {stage}"));
    for stage in &map.stages {
        let _ = writeln!(
            out,
            "  subgraph {} {{\n    label={};\n    style=rounded;\n    color=\"#8fb8e0\";",
            quoted(&format!("cluster {}", stage.id)),
            label(&plain(map, &stage.name))
        );
        // A cluster without a node is not drawn; edges of stages end at this point.
        let _ = writeln!(
            out,
            "    {} [shape=point, style=invis, width=0];",
            quoted(&format!("stage {}", stage.id))
        );
        for t in map.touchpoints.iter().filter(|t| t.is_in(&stage.id)) {
            let moment = map.moments.iter().any(|m| m.at.part() == Some(&t.id));
            let pain = map.pains.iter().any(|p| p.at.part() == Some(&t.id));
            let channel = t.channel.as_ref().map_or_else(String::new, |c| {
                format!(", tooltip={}", quoted(&format!("channel {c}")))
            });
            // Shape and border, not colour alone: a diamond is a moment of truth, a double border a pain point.
            let shape = if moment { "diamond" } else { "box" };
            let border = if pain {
                ", peripheries=2, color=\"#a8481f\""
            } else {
                ""
            };
            let _ = writeln!(
                out,
                "    {} [label={}, shape={shape}{border}{channel}];",
                node(&t.id, &stage.id),
                label(&plain(map, &t.name))
            );
        }
        out.push_str("  }\n");
    }
    for (stage, before) in map.stages.iter().zip(map.stage_order().unwrap_or_default()) {
        for from in before.into_iter().filter_map(|i| map.stages.get(i)) {
            edge(&mut out, &from.id, &stage.id, "");
        }
    }
    for back in map.framework.iter().flat_map(|f| &f.loops) {
        edge(
            &mut out,
            &back.from,
            &back.to,
            ", style=dashed, constraint=false",
        );
    }
    for pain in &map.pains {
        if let At::Edge { from, to } = &pain.at
            && map.stages.iter().any(|s| s.id == *from)
            && map.stages.iter().any(|s| s.id == *to)
        {
            let told = label(&plain(map, &pain.text));
            let look = format!(", color=\"#a8481f\", style=dotted, constraint=false, label={told}");
            edge(&mut out, from, to, &look);
        }
    }
    out.push_str("}\n");
    out
}

fn edge(out: &mut String, from: &Id, to: &Id, look: &str) {
    let _ = writeln!(
        out,
        "  {} -> {} [ltail={}, lhead={}{look}];",
        quoted(&format!("stage {from}")),
        quoted(&format!("stage {to}")),
        quoted(&format!("cluster {from}")),
        quoted(&format!("cluster {to}"))
    );
}

pub(super) fn stakeholders(map: &JourneyMap) -> String {
    let mut out = format!(
        "digraph {} {{\n  rankdir=LR;\n  label={};\n  labelloc=t;\n{LOOK}",
        quoted(&format!("{} stakeholders", map.id)),
        label(&format!("Who answers for what: {}", plain(map, &map.title)))
    );
    for s in &map.stakeholders {
        let mut told = plain(map, &s.name);
        for more in s.role.iter().chain(&s.team) {
            told = format!("{told} · {}", super::header::line(more));
        }
        let border = if s.id == map.owner {
            ", peripheries=2"
        } else {
            ""
        };
        let _ = writeln!(
            out,
            "  {} [label={}, shape=box, style=rounded{border}];",
            quoted(s.id.as_str()),
            label(&told)
        );
    }
    for s in &map.stakeholders {
        for r in &s.relations {
            let width = r.weight.map_or(1.0, |w| 0.5 + w.get() / 2.5);
            let _ = writeln!(
                out,
                "  {} -> {} [label={}, penwidth={width:.1}];",
                quoted(s.id.as_str()),
                quoted(r.to.as_str()),
                label(&super::header::line(&r.kind))
            );
        }
    }
    for t in &map.touchpoints {
        let owners = map
            .stakeholders
            .iter()
            .filter(|s| t.owner.as_ref() == Some(&s.id) || s.owns.contains(&t.id));
        let mut told = false;
        for s in owners {
            if !told {
                let _ = writeln!(
                    out,
                    "  {} [label={}, shape=plaintext];",
                    quoted(&format!("touchpoint {}", t.id)),
                    label(&plain(map, &t.name))
                );
                told = true;
            }
            let _ = writeln!(
                out,
                "  {} -> {} [arrowhead=none, style=dotted];",
                quoted(s.id.as_str()),
                quoted(&format!("touchpoint {}", t.id))
            );
        }
    }
    out.push_str("}\n");
    out
}
