//! The layout of a flow: nodes in layers, ordered to lessen crossings, links as wide as their counts. Whole numbers go in and what
//! goes in comes out: a node's height is the larger of what enters and what leaves it.

use std::collections::BTreeMap;

/// A node of a flow.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) layer: usize,
    /// Drawn by this order when nothing else decides: smaller is higher.
    pub(crate) rank: usize,
    /// A point that a long link passes through; not drawn itself.
    pub(crate) passing: bool,
    pub(crate) weight: u64,
    /// The least room that the node and its label take from top to bottom.
    pub(crate) label: f64,
    pub(crate) y: f64,
    pub(crate) height: f64,
}

/// A link between nodes of neighbouring layers.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) weight: u64,
    /// The upper edge where it leaves and where it enters.
    pub(crate) y0: f64,
    pub(crate) y1: f64,
    pub(crate) height: f64,
}

/// A laid-out flow.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layout {
    pub(crate) nodes: Vec<Node>,
    pub(crate) links: Vec<Link>,
}

impl Layout {
    pub(crate) fn node(
        &mut self,
        layer: usize,
        rank: usize,
        passing: bool,
        weight: u64,
        label: f64,
    ) -> usize {
        self.nodes.push(Node {
            layer,
            rank,
            passing,
            weight,
            label,
            y: 0.0,
            height: 0.0,
        });
        self.nodes.len() - 1
    }

    pub(crate) fn link(&mut self, from: usize, to: usize, weight: u64) {
        if weight > 0 {
            self.links.push(Link {
                from,
                to,
                weight,
                y0: 0.0,
                y1: 0.0,
                height: 0.0,
            });
        }
    }

    /// Places everything between `top` and `top + room`, with at least `gap` between the nodes of a layer.
    pub(crate) fn place(&mut self, top: f64, room: f64, gap: f64) {
        let mut layers: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (i, node) in self.nodes.iter().enumerate() {
            layers.entry(node.layer).or_default().push(i);
        }
        let mut layers: Vec<Vec<usize>> = layers.into_values().collect();
        for layer in &mut layers {
            layer.sort_by_key(|i| self.nodes.get(*i).map(|n| (n.rank, *i)));
        }
        let per_unit = layers
            .iter()
            .map(|layer| {
                let weight: u64 = layer
                    .iter()
                    .filter_map(|i| self.nodes.get(*i))
                    .map(|n| n.weight)
                    .sum();
                (room - gap * layer.len().saturating_sub(1) as f64).max(room * 0.3)
                    / weight.max(1) as f64
            })
            .fold(f64::INFINITY, f64::min);
        let per_unit = if per_unit.is_finite() { per_unit } else { 1.0 };
        for n in &mut self.nodes {
            n.height = n.weight as f64 * per_unit;
        }
        for l in &mut self.links {
            l.height = l.weight as f64 * per_unit;
        }
        self.order(&mut layers);
        let extent = |n: &Node| (n.height + if n.passing { gap * 0.4 } else { gap }).max(n.label);
        let tall = |layer: &Vec<usize>| {
            layer
                .iter()
                .filter_map(|i| self.nodes.get(*i))
                .map(extent)
                .sum::<f64>()
        };
        let tallest = layers.iter().map(tall).fold(0.0, f64::max);
        let starts: Vec<f64> = layers
            .iter()
            .map(|l| top + (tallest - tall(l)) * 0.3)
            .collect();
        for (layer, start) in layers.iter().zip(starts) {
            let mut y = start;
            for i in layer {
                if let Some(n) = self.nodes.get_mut(*i) {
                    n.y = y;
                    y += (n.height + if n.passing { gap * 0.4 } else { gap }).max(n.label);
                }
            }
        }
        self.attach();
    }

    /// A few sweeps of the barycentre heuristic; the order with the fewest crossings wins, the first on a tie.
    fn order(&self, layers: &mut Vec<Vec<usize>>) {
        let mut best = layers.clone();
        let mut fewest = self.crossings(layers);
        for sweep in 0..8 {
            let forward = sweep % 2 == 0;
            let places = |layers: &[Vec<usize>]| {
                let mut at = vec![0.0; self.nodes.len()];
                for layer in layers {
                    for (k, i) in layer.iter().enumerate() {
                        if let Some(slot) = at.get_mut(*i) {
                            *slot = (k as f64 + 0.5) / layer.len() as f64;
                        }
                    }
                }
                at
            };
            let count = layers.len();
            for step in 1..count {
                let k = if forward { step } else { count - 1 - step };
                let at = places(layers);
                let Some(layer) = layers.get_mut(k) else {
                    continue;
                };
                let key = |i: usize| {
                    let (mut sum, mut weight) = (0.0, 0.0);
                    for l in &self.links {
                        let other = match forward {
                            true if l.to == i => l.from,
                            false if l.from == i => l.to,
                            _ => continue,
                        };
                        sum += at.get(other).copied().unwrap_or(0.0) * l.weight as f64;
                        weight += l.weight as f64;
                    }
                    if weight > 0.0 {
                        sum / weight
                    } else {
                        at.get(i).copied().unwrap_or(0.0)
                    }
                };
                let mut keyed: Vec<(f64, usize)> = layer.iter().map(|i| (key(*i), *i)).collect();
                keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
                *layer = keyed.into_iter().map(|(_, i)| i).collect();
            }
            let now = self.crossings(layers);
            if now < fewest {
                fewest = now;
                best = layers.clone();
            }
        }
        *layers = best;
    }

    /// Crossings between neighbouring layers, weighted by the smaller link.
    pub(crate) fn crossings(&self, layers: &[Vec<usize>]) -> u128 {
        let mut place = vec![0usize; self.nodes.len()];
        for layer in layers {
            for (k, i) in layer.iter().enumerate() {
                if let Some(p) = place.get_mut(*i) {
                    *p = k;
                }
            }
        }
        let at = |i: usize| place.get(i).copied().unwrap_or(0);
        let layer = |i: usize| self.nodes.get(i).map_or(0, |n| n.layer);
        let mut sum = 0u128;
        for (k, a) in self.links.iter().enumerate() {
            for b in self
                .links
                .iter()
                .skip(k + 1)
                .filter(|b| layer(b.from) == layer(a.from))
            {
                let one = at(a.from).cmp(&at(b.from));
                let two = at(a.to).cmp(&at(b.to));
                if one != two && one.is_ne() && two.is_ne() {
                    sum += u128::from(a.weight.min(b.weight));
                }
            }
        }
        sum
    }

    /// Gives each link its place on both of its nodes, in the order of the other ends.
    fn attach(&mut self) {
        let y = |nodes: &[Node], i: usize| nodes.get(i).map_or(0.0, |n| n.y);
        for i in 0..self.nodes.len() {
            let nodes = &self.nodes;
            let mut out: Vec<usize> = (0..self.links.len())
                .filter(|k| self.links.get(*k).is_some_and(|l| l.from == i))
                .collect();
            out.sort_by(|a, b| {
                let to = |k: usize| self.links.get(k).map_or(0.0, |l| y(nodes, l.to));
                to(*a).total_cmp(&to(*b)).then(a.cmp(b))
            });
            let mut into: Vec<usize> = (0..self.links.len())
                .filter(|k| self.links.get(*k).is_some_and(|l| l.to == i))
                .collect();
            into.sort_by(|a, b| {
                let from = |k: usize| self.links.get(k).map_or(0.0, |l| y(nodes, l.from));
                from(*a).total_cmp(&from(*b)).then(a.cmp(b))
            });
            let start = y(nodes, i);
            let mut at = start;
            for k in out {
                if let Some(l) = self.links.get_mut(k) {
                    l.y0 = at;
                    at += l.height;
                }
            }
            let mut at = start;
            for k in into {
                if let Some(l) = self.links.get_mut(k) {
                    l.y1 = at;
                    at += l.height;
                }
            }
        }
    }
}
