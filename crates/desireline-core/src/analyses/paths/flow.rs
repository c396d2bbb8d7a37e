//! The first steps of journeys as counted links, layer by layer.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::log::Vocabulary;
use crate::report::{Cells, Table};

/// The first steps of all journeys: how many went from where to where, until the goal, their end, or the last step shown.
///
/// In every step the journeys that come in equal those that go on; nothing is lost in `other`. A journey reaches the
/// goal once, at its first event that fulfils it, and is not followed further. One that is longer than the steps shown
/// goes on: that is no drop-off.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Flow {
    /// How many steps are shown.
    pub steps: u32,
    /// All journeys: those of the first step's nodes together.
    pub journeys: u64,
    /// The places of each step, by step, then by journeys.
    pub nodes: Vec<FlowNode>,
    /// The links between a step's places and those of the next.
    pub links: Vec<FlowLink>,
}

/// A place at a step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FlowNode {
    /// The step, from 1. Goals and ends stand at the step after the touchpoint they follow.
    pub step: u32,
    /// What it is.
    pub place: Place,
    /// Journeys that are there at this step.
    pub journeys: u64,
    /// How many touchpoints it stands for: 1, or those that `other` holds; 0 for goals and ends.
    pub distinct: u64,
}

/// Journeys that went from one place to another at a step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FlowLink {
    /// The step of `from`, from 1.
    pub step: u32,
    /// Where they were.
    pub from: Place,
    /// Where they went.
    pub to: Place,
    /// How many.
    pub journeys: u64,
}

/// Where a journey is at a step.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", content = "name", rename_all = "snake_case")]
pub enum Place {
    /// At a touchpoint.
    Touchpoint(String),
    /// At one of the touchpoints that are not listed at this step.
    Other,
    /// It reached the goal.
    Goal,
    /// It goes on beyond the steps shown.
    GoesOn,
    /// It ended without the goal.
    Exit,
}

impl Place {
    /// The words people read.
    pub fn label(&self) -> &str {
        match self {
            Place::Touchpoint(name) => name,
            Place::Other => "(other)",
            Place::Goal => "(goal)",
            Place::GoesOn => "(goes on)",
            Place::Exit => "(exit)",
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Place::Touchpoint(_) => "touchpoint",
            Place::Other => "other",
            Place::Goal => "goal",
            Place::GoesOn => "goes_on",
            Place::Exit => "exit",
        }
    }
}

/// How the part of a journey that the flow shows ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum End {
    Goal,
    GoesOn,
    Exit,
}

impl End {
    pub(super) fn byte(self) -> u8 {
        match self {
            End::Goal => 0,
            End::GoesOn => 1,
            End::Exit => 2,
        }
    }

    pub(super) fn from_byte(byte: u8) -> End {
        match byte {
            0 => End::Goal,
            1 => End::GoesOn,
            _ => End::Exit,
        }
    }

    fn place(self) -> Place {
        match self {
            End::Goal => Place::Goal,
            End::GoesOn => Place::GoesOn,
            End::Exit => Place::Exit,
        }
    }
}

/// A place before names and `other`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Spot {
    At(u32),
    End(End),
}

impl Spot {
    /// The place's name in a cell.
    pub(super) fn push_label(self, label: &mut String, names: &Vocabulary) {
        match self {
            Spot::At(code) => crate::analyses::label::push(label, names.name(code)),
            Spot::End(end) => label.push_str(end.place().label()),
        }
    }
}

/// Exact counts of links, before any is put into `other`.
#[derive(Debug, Default)]
pub(super) struct Links {
    /// Where journeys are at the first step.
    pub(super) first: BTreeMap<Spot, u64>,
    /// (step of `from`, from, to), steps from 1.
    pub(super) counts: BTreeMap<(u32, u32, Spot), u64>,
}

impl Links {
    /// Adds `journeys` journeys whose shown part is `codes`, then `end`.
    pub(super) fn add(&mut self, codes: &[u32], end: End, journeys: u64) {
        let spots = codes.iter().map(|&c| Spot::At(c)).chain([Spot::End(end)]);
        let first = codes.first().map_or(Spot::End(end), |&c| Spot::At(c));
        *self.first.entry(first).or_default() += journeys;
        for (step, (&from, to)) in (1..).zip(codes.iter().zip(spots.skip(1))) {
            *self.counts.entry((step, from, to)).or_default() += journeys;
        }
    }

    /// The flow with at most `top` touchpoints listed at each step.
    pub(super) fn finish(&self, steps: u32, top: usize, names: &Vocabulary) -> Flow {
        let mut at: BTreeMap<(u32, Spot), u64> = BTreeMap::new();
        for (&spot, &n) in &self.first {
            *at.entry((1, spot)).or_default() += n;
        }
        for (&(step, _, to), &n) in &self.counts {
            *at.entry((step + 1, to)).or_default() += n;
        }
        let mut by_step: BTreeMap<u32, Vec<(u32, u64)>> = BTreeMap::new();
        for (&(step, spot), &n) in &at {
            if let Spot::At(code) = spot {
                by_step.entry(step).or_default().push((code, n));
            }
        }
        let mut listed: BTreeSet<(u32, u32)> = BTreeSet::new();
        for (&step, touchpoints) in &mut by_step {
            touchpoints.sort_by_key(|&(code, n)| (Reverse(n), names.name(code)));
            listed.extend(touchpoints.iter().take(top).map(|&(code, _)| (step, code)));
        }
        let place = |step: u32, spot: Spot| match spot {
            Spot::At(code) if listed.contains(&(step, code)) => {
                Place::Touchpoint(names.name(code).to_owned())
            }
            Spot::At(_) => Place::Other,
            Spot::End(end) => end.place(),
        };

        let mut nodes: BTreeMap<(u32, Place), (u64, u64)> = BTreeMap::new();
        for (&(step, spot), &n) in &at {
            let node = nodes.entry((step, place(step, spot))).or_default();
            node.0 += n;
            node.1 += u64::from(matches!(spot, Spot::At(_)));
        }
        let mut nodes: Vec<FlowNode> = nodes
            .into_iter()
            .map(|((step, place), (journeys, distinct))| FlowNode {
                step,
                place,
                journeys,
                distinct,
            })
            .collect();
        nodes.sort_by(|a, b| node_order(a).cmp(&node_order(b)));
        let rank: BTreeMap<(u32, &Place), usize> = nodes
            .iter()
            .enumerate()
            .map(|(i, n)| ((n.step, &n.place), i))
            .collect();

        let mut links: BTreeMap<(u32, Place, Place), u64> = BTreeMap::new();
        for (&(step, from, to), &n) in &self.counts {
            let key = (step, place(step, Spot::At(from)), place(step + 1, to));
            *links.entry(key).or_default() += n;
        }
        let mut links: Vec<FlowLink> = links
            .into_iter()
            .map(|((step, from, to), journeys)| FlowLink {
                step,
                from,
                to,
                journeys,
            })
            .collect();
        links.sort_by_key(|l| {
            let from = rank.get(&(l.step, &l.from)).copied();
            (from, rank.get(&(l.step + 1, &l.to)).copied())
        });
        Flow {
            steps,
            journeys: self.first.values().sum(),
            nodes,
            links,
        }
    }
}

/// Listed touchpoints by journeys, then `other`, then the ends.
fn node_order(node: &FlowNode) -> (u32, u8, Reverse<u64>, &str) {
    let class = match node.place {
        Place::Touchpoint(_) => 0,
        Place::Other => 1,
        Place::Goal => 2,
        Place::GoesOn => 3,
        Place::Exit => 4,
    };
    (node.step, class, Reverse(node.journeys), node.place.label())
}

impl Flow {
    pub(super) fn table(&self) -> Table {
        let text = |cell: &dyn Fn(&FlowLink) -> String| {
            Cells::Text(self.links.iter().map(|l| Some(cell(l))).collect())
        };
        let all = self.journeys.max(1) as f64;
        Table::new("flow", "First steps")
            .with(
                "step",
                "Step",
                Cells::Count(self.links.iter().map(|l| Some(l.step.into())).collect()),
            )
            .with("from", "From", text(&|l| l.from.label().to_owned()))
            .with("to", "To", text(&|l| l.to.label().to_owned()))
            .with(
                "from_kind",
                "From kind",
                text(&|l| l.from.kind().to_owned()),
            )
            .with("to_kind", "To kind", text(&|l| l.to.kind().to_owned()))
            .with(
                "journeys",
                "Journeys",
                Cells::Count(self.links.iter().map(|l| Some(l.journeys)).collect()),
            )
            .with(
                "share",
                "Of all journeys",
                Cells::Share(
                    self.links
                        .iter()
                        .map(|l| Some(l.journeys as f64 / all))
                        .collect(),
                ),
            )
    }
}
