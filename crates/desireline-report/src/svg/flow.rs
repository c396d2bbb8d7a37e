use std::collections::BTreeMap;

use super::canvas::{Canvas, Type, n, one_line};
use super::palette::Ink;
use super::sankey::{Layout, Node};
use super::{ROOMY, head, sane};
use crate::format;

/// The first steps of all journeys, to the goal or out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FlowPicture {
    /// What it shows.
    pub title: String,
    /// Base and rule, in a line.
    pub note: String,
    /// The goal's name; empty when there is none.
    pub goal: String,
    /// Who went from where to where; what enters a place at a step leaves it again.
    pub links: Vec<FlowLink>,
    /// Journeys that the links leave out; they are told, not drawn.
    pub other: u64,
}

/// Journeys that went from one place to the next.
#[derive(Clone, Debug, PartialEq)]
pub struct FlowLink {
    /// The step of `from`, from 1.
    pub step: usize,
    /// Where they were: a touchpoint or [`FlowPlace::Other`].
    pub from: FlowPlace,
    /// Where they went.
    pub to: FlowPlace,
    /// How many.
    pub count: u64,
}

/// Where a journey is at a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FlowPlace {
    /// At a touchpoint.
    Touchpoint(String),
    /// At one of the touchpoints that are not listed.
    Other,
    /// It reached the goal.
    Goal,
    /// It goes on beyond the steps that are known.
    GoesOn,
    /// It may still go on.
    Open,
    /// It ended without the goal.
    Exit,
}

/// What becomes of journeys at a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    Goal,
    Later,
    Open,
    Exit,
}

/// A node before layout: a touchpoint at a position, or an end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    At(usize, Option<String>),
    End(End),
}

const NODE: f64 = 11.0;
/// Names shown per layer; the rest stand together.
const NAMES: usize = 6;
/// A name on fewer than one in this many of the journeys at its position stands with the rest.
const LEAST_SHARE: u64 = 50;

impl FlowPicture {
    /// The picture at a width: more steps where there is more room.
    pub fn svg(&self, width: f64) -> String {
        let width = sane(width);
        let roomy = width >= ROOMY;
        let longest = self
            .links
            .iter()
            .filter(|l| l.count > 0)
            .map(|l| l.step)
            .max()
            .unwrap_or(0);
        let layers = longest.min(if roomy { 5 } else { 3 }).max(1);
        let mut c = Canvas::new(width);
        let y = head(&mut c, width, &self.title, &self.note) + 10.0;
        let flow = self.flow(layers);
        let total: u64 = flow
            .nodes
            .iter()
            .filter(|(k, _)| matches!(k, Key::At(0, _)))
            .map(|(_, w)| *w)
            .sum();
        if total == 0 {
            c.text(
                0.0,
                y + 6.0,
                "no journey to show",
                Type::new(12.0, Ink::Muted).italic(),
            );
            return c.finish(y + 20.0, &self.title, "No journey to show.");
        }
        let quiet = Type::new(10.5, Ink::Muted);
        let end_room = if roomy { 132.0 } else { 84.0 };
        let across = |layer: usize| (width - end_room - NODE) * layer as f64 / layers as f64;
        for layer in 0..layers {
            let word = if roomy || layer == 0 {
                format!("step {}", layer + 1)
            } else {
                format!("{}", layer + 1)
            };
            c.text(across(layer), y, &word, quiet);
        }
        c.text(across(layers), y, "then", quiet);
        let mut layout = Layout::default();
        let mut index: BTreeMap<Key, usize> = BTreeMap::new();
        for (rank, (key, weight)) in flow.nodes.iter().enumerate() {
            let (layer, rank) = match key {
                Key::At(layer, Some(_)) => (*layer, rank),
                Key::At(layer, None) => (*layer, 100_000 + rank),
                Key::End(end) => (layers, *end as usize),
            };
            index.insert(
                key.clone(),
                layout.node(
                    layer,
                    rank,
                    false,
                    *weight,
                    if matches!(key, Key::End(_)) {
                        36.0
                    } else {
                        19.0
                    },
                ),
            );
        }
        // A long link passes every layer between, so that it keeps clear of the nodes there.
        for ((from, to), weight) in &flow.links {
            let (Some(a), Some(b)) = (index.get(from).copied(), index.get(to).copied()) else {
                continue;
            };
            let (start, end) = (layer_of(&layout, a), layer_of(&layout, b));
            let mut at = a;
            for layer in start + 1..end {
                let passing = layout.node(layer, 200_000 + end_rank(to), true, *weight, 0.0);
                layout.link(at, passing, *weight);
                at = passing;
            }
            layout.link(at, b, *weight);
        }
        let room = if roomy { 330.0 } else { 380.0 };
        let top = y + 12.0;
        layout.place(top, room, 14.0);
        let ends: BTreeMap<usize, Ink> = index
            .iter()
            .filter_map(|(k, i)| match k {
                Key::End(end) => Some((*i, end.pale())),
                Key::At(..) => None,
            })
            .collect();
        let tails = tails(&layout, &ends);
        for (k, l) in layout.links.iter().enumerate() {
            let (Some(a), Some(b)) = (layout.nodes.get(l.from), layout.nodes.get(l.to)) else {
                continue;
            };
            let ink = tails.get(&k).copied().unwrap_or(Ink::BluePale);
            let x0 = across(a.layer) + if a.passing { 0.0 } else { NODE };
            let x1 = across(b.layer);
            let mid = (x0 + x1) / 2.0;
            let h = l.height.max(0.6);
            let d = format!(
                "M{x0} {ya}C{mid} {ya} {mid} {yb} {x1} {yb}V{yc}C{mid} {yc} {mid} {yd} {x0} {yd}Z",
                x0 = n(x0),
                x1 = n(x1),
                mid = n(mid),
                ya = n(l.y0),
                yb = n(l.y1),
                yc = n(l.y1 + h),
                yd = n(l.y0 + h)
            );
            c.path(
                &d,
                ink.class(),
                " fill-opacity=\"0.85\"",
                Some(&format!("{} journeys", format::count(l.weight))),
            );
        }
        for (key, i) in &index {
            let Some(node) = layout.nodes.get(*i) else {
                continue;
            };
            self.node(
                &mut c,
                (key, node),
                across(node.layer),
                (width, across(1) - NODE),
                (total, roomy),
            );
        }
        let bottom = layout
            .nodes
            .iter()
            .map(|n| n.y + n.height)
            .fold(top, f64::max);
        let mut y = bottom + 22.0;
        if self.other > 0 {
            let all = total + self.other;
            let share = format::percent(self.other as f64 / all as f64);
            let text = format!(
                "{} journeys ({share}) on rarer paths are not drawn",
                format::count(self.other)
            );
            y = c.paragraph(0.0, y + 4.0, &text, width, quiet);
        }
        c.finish(y, &self.title, &told(&flow, total))
    }

    fn node(
        &self,
        c: &mut Canvas,
        (key, node): (&Key, &Node),
        x: f64,
        (width, room): (f64, f64),
        (total, roomy): (u64, bool),
    ) {
        let share = format::percent(node.weight as f64 / total as f64);
        let (label, class, ink) = match key {
            Key::At(_, Some(name)) => (one_line(name), Ink::Blue.class(), Ink::Dark),
            Key::At(_, None) => ("other".to_owned(), Ink::BlueMid.class(), Ink::Muted),
            Key::End(end) => (end.label(&self.goal), end.strong().class(), end.strong()),
        };
        let tip = format!("{label}: {} journeys, {share}", format::count(node.weight));
        c.rect_told((x, node.y), (NODE, node.height.max(1.5)), class, &tip);
        let size = if roomy { 11.5 } else { 10.5 };
        let t = Type::new(size, ink);
        let room = if matches!(key, Key::End(_)) {
            width - x - NODE - 6.0
        } else {
            room - 8.0
        };
        let (tx, ty) = (x + NODE + 5.0, node.y + 10.0);
        if matches!(key, Key::End(_)) {
            c.name(tx, ty, &label, room, t.bold());
            c.text(
                tx,
                ty + 13.0,
                &format!("{share} · {}", format::count(node.weight)),
                Type::new(10.0, Ink::Muted),
            );
            return;
        }
        let number = Type::new(size - 1.0, Ink::Muted);
        if !roomy && node.height < 22.0 {
            c.name(tx, ty, &label, room, t);
            return;
        }
        let beside = t.width(&label) + 6.0 + number.width(&share) <= room;
        if beside || node.height < 22.0 {
            let short = super::measure::cut(&label, room - number.width(&share) - 6.0, size, false);
            c.name(tx, ty, &label, room - number.width(&share) - 6.0, t);
            c.text(tx + t.width(&short) + 6.0, ty, &share, number);
        } else {
            c.name(tx, ty, &label, room, t);
            c.text(tx, ty + 13.0, &share, number);
        }
    }

    /// Nodes and links with their counts; every journey is on exactly one chain from the first layer to an end.
    fn flow(&self, layers: usize) -> Flow {
        let shown = self.shown(layers);
        let at = |layer: usize, name: &str| {
            let listed = shown.get(layer).is_some_and(|names| names.contains(&name));
            Key::At(layer, listed.then(|| name.to_owned()))
        };
        let mut nodes: BTreeMap<Key, u64> = BTreeMap::new();
        let mut links: BTreeMap<(Key, Key), u64> = BTreeMap::new();
        let mut add = |key: Key, count: u64| {
            let weight = nodes.entry(key).or_default();
            *weight = weight.saturating_add(count);
        };
        for link in self
            .links
            .iter()
            .filter(|l| l.count > 0 && (1..=layers).contains(&l.step))
        {
            let from = match &link.from {
                FlowPlace::Touchpoint(name) => at(link.step - 1, name),
                _ => Key::At(link.step - 1, None),
            };
            let to = match &link.to {
                FlowPlace::Touchpoint(_) | FlowPlace::Other if link.step == layers => {
                    Key::End(End::Later)
                }
                FlowPlace::Touchpoint(name) => at(link.step, name),
                FlowPlace::Other => Key::At(link.step, None),
                FlowPlace::Goal => Key::End(End::Goal),
                FlowPlace::GoesOn => Key::End(End::Later),
                FlowPlace::Open => Key::End(End::Open),
                FlowPlace::Exit => Key::End(End::Exit),
            };
            add(from.clone(), link.count);
            if matches!(to, Key::End(_)) {
                add(to.clone(), link.count);
            }
            let weight = links.entry((from, to)).or_default();
            *weight = weight.saturating_add(link.count);
        }
        let mut nodes: Vec<(Key, u64)> = nodes.into_iter().collect();
        nodes.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        Flow {
            nodes,
            links: links.into_iter().collect(),
        }
    }

    /// The names worth showing at each step.
    fn shown<'a>(&'a self, layers: usize) -> Vec<Vec<&'a str>> {
        let mut counts: Vec<BTreeMap<&'a str, u64>> = vec![BTreeMap::new(); layers];
        for link in &self.links {
            let Some(counts) = link.step.checked_sub(1).and_then(|i| counts.get_mut(i)) else {
                continue;
            };
            if let FlowPlace::Touchpoint(name) = &link.from {
                let count = counts.entry(name).or_default();
                *count = count.saturating_add(link.count);
            }
        }
        let pick = |counts: BTreeMap<&'a str, u64>| {
            let mut names: Vec<(&'a str, u64)> = counts.into_iter().collect();
            names.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
            let seen = names
                .iter()
                .fold(0u64, |sum, (_, c)| sum.saturating_add(*c));
            names.retain(|(_, c)| c.saturating_mul(LEAST_SHARE) >= seen);
            names
                .into_iter()
                .take(NAMES)
                .map(|(name, _)| name)
                .collect()
        };
        counts.into_iter().map(pick).collect()
    }
}

struct Flow {
    nodes: Vec<(Key, u64)>,
    links: Vec<((Key, Key), u64)>,
}

impl End {
    fn label(self, goal: &str) -> String {
        match self {
            End::Goal if goal.is_empty() => "goal".to_owned(),
            End::Goal => one_line(goal),
            End::Later => "later steps".to_owned(),
            End::Open => "still open".to_owned(),
            End::Exit => "left".to_owned(),
        }
    }
    fn strong(self) -> Ink {
        match self {
            End::Goal => Ink::Goal,
            End::Exit => Ink::Loss,
            End::Later => Ink::Blue,
            End::Open => Ink::Muted,
        }
    }
    fn pale(self) -> Ink {
        match self {
            End::Goal => Ink::GoalPale,
            End::Exit => Ink::LossPale,
            End::Later => Ink::BluePale,
            End::Open => Ink::GreyPale,
        }
    }
}

fn end_rank(key: &Key) -> usize {
    match key {
        Key::End(end) => *end as usize,
        Key::At(..) => 0,
    }
}

fn layer_of(layout: &Layout, node: usize) -> usize {
    layout.nodes.get(node).map_or(0, |n| n.layer)
}

/// The colour of every link that ends, perhaps after passing some layers, at an end.
fn tails(layout: &Layout, ends: &BTreeMap<usize, Ink>) -> BTreeMap<usize, Ink> {
    let mut inks = BTreeMap::new();
    for (k, link) in layout.links.iter().enumerate() {
        let mut at = link.to;
        while layout.nodes.get(at).is_some_and(|n| n.passing) {
            let Some(next) = layout.links.iter().find(|l| l.from == at) else {
                break;
            };
            at = next.to;
        }
        if let Some(ink) = ends.get(&at) {
            inks.insert(k, *ink);
        }
    }
    inks
}

fn told(flow: &Flow, total: u64) -> String {
    let part = |weight: u64| format::percent(weight as f64 / total as f64);
    let starts: Vec<String> = flow
        .nodes
        .iter()
        .filter_map(|(k, w)| match k {
            Key::At(0, name) => Some(format!(
                "{} {}",
                name.as_deref().unwrap_or("other"),
                part(*w)
            )),
            _ => None,
        })
        .collect();
    let ends: Vec<String> = flow
        .nodes
        .iter()
        .filter_map(|(k, w)| match k {
            Key::End(end) => Some(format!("{} {}", end.label("goal"), part(*w))),
            Key::At(..) => None,
        })
        .collect();
    format!(
        "{} journeys. They start at: {}. They end at: {}.",
        format::count(total),
        starts.join(", "),
        ends.join(", ")
    )
}
