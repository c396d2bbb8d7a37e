//! Transitions as a graph: PageRank, components, DOT and Mermaid.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::TransitionsReport;

/// Touchpoints and the transitions between them, for drawing and for programs that walk it.
///
/// It holds what the report lists: with `top`, the transitions in `other` are missing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Graph {
    /// The touchpoints, by name.
    pub nodes: Vec<GraphNode>,
    /// The transitions, by the places of their nodes.
    pub edges: Vec<GraphEdge>,
}

/// A touchpoint in a [`Graph`].
#[derive(Clone, Debug, PartialEq)]
pub struct GraphNode {
    /// Its name.
    pub name: String,
    /// Its events.
    pub events: u64,
    /// Journeys that start with it.
    pub starts: u64,
    /// Journeys that end with it.
    pub ends: u64,
    /// Its PageRank.
    pub pagerank: f64,
    /// Its strongly connected component.
    pub component: u64,
}

/// A transition in a [`Graph`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GraphEdge {
    /// The touchpoint before: a place in [`Graph::nodes`].
    pub from: usize,
    /// The touchpoint after.
    pub to: usize,
    /// How often.
    pub count: u64,
    /// Of all transitions out of `from`.
    pub probability: f64,
}

impl Graph {
    pub(super) fn new(report: &TransitionsReport) -> Graph {
        let mut nodes: Vec<GraphNode> = report
            .touchpoints
            .iter()
            .map(|t| GraphNode {
                name: t.touchpoint.clone(),
                events: t.events,
                starts: t.starts,
                ends: t.ends,
                pagerank: t.pagerank,
                component: t.component,
            })
            .collect();
        nodes.sort_by(|a, b| a.name.cmp(&b.name));
        let place: BTreeMap<&str, usize> = nodes
            .iter()
            .enumerate()
            .map(|(i, n)| (&*n.name, i))
            .collect();
        let mut edges: Vec<GraphEdge> = report
            .transitions
            .iter()
            .filter_map(|t| {
                Some(GraphEdge {
                    from: *place.get(&*t.from)?,
                    to: *place.get(&*t.to)?,
                    count: t.count,
                    probability: t.probability.count as f64 / t.probability.n.max(1) as f64,
                })
            })
            .collect();
        edges.sort_by_key(|e| (e.from, e.to));
        Graph { nodes, edges }
    }

    /// The graph of counts: a name, events, starts and ends per node, and (from, to, count) by name per edge.
    pub(in crate::analyses) fn of_counts<'a>(
        nodes: impl Iterator<Item = (&'a str, [u64; 3])>,
        edges: impl Iterator<Item = (&'a str, &'a str, u64)>,
    ) -> Graph {
        let mut nodes: Vec<_> = nodes.collect();
        nodes.sort_unstable();
        let place = |name: &str| nodes.binary_search_by_key(&name, |(n, _)| n).ok();
        let mut edges: Vec<(usize, usize, u64)> = edges
            .filter_map(|(from, to, count)| Some((place(from)?, place(to)?, count)))
            .collect();
        edges.sort_unstable();
        let ranks = pagerank(nodes.len(), &edges);
        let components = components(nodes.len(), &edges);
        let out = |i: usize| {
            let (_, [events, _, ends]) = nodes[i];
            events.saturating_sub(ends).max(1) as f64
        };
        Graph {
            edges: edges
                .iter()
                .map(|&(from, to, count)| GraphEdge {
                    from,
                    to,
                    count,
                    probability: count as f64 / out(from),
                })
                .collect(),
            nodes: nodes
                .iter()
                .zip(ranks.into_iter().zip(components))
                .map(
                    |(&(name, [events, starts, ends]), (pagerank, component))| GraphNode {
                        name: name.to_owned(),
                        events,
                        starts,
                        ends,
                        pagerank,
                        component: component as u64 + 1,
                    },
                )
                .collect(),
        }
    }

    /// The graph in the DOT language of Graphviz. Any name is safe in it.
    pub fn to_dot(&self) -> String {
        let mut dot = "digraph transitions {\n  rankdir=LR;\n  node [shape=box];\n".to_owned();
        for (i, node) in self.nodes.iter().enumerate() {
            // Writing to a String cannot fail.
            let _ = writeln!(
                dot,
                "  n{i} [label=\"{}\\n{}\"];",
                dot_text(&node.name),
                node.events
            );
        }
        for e in &self.edges {
            let _ = writeln!(
                dot,
                "  n{} -> n{} [label=\"{} ({:.1} %)\", weight={}];",
                e.from,
                e.to,
                e.count,
                100.0 * e.probability,
                e.count
            );
        }
        dot.push_str("}\n");
        dot
    }

    /// The graph as a Mermaid flowchart. Any name is safe in it.
    pub fn to_mermaid(&self) -> String {
        let mut text = "flowchart LR\n".to_owned();
        for (i, node) in self.nodes.iter().enumerate() {
            let _ = writeln!(
                text,
                "  n{i}[\"{}<br/>{}\"]",
                mermaid_text(&node.name),
                node.events
            );
        }
        for e in &self.edges {
            let _ = writeln!(
                text,
                "  n{} -->|\"{} ({:.1} %)\"| n{}",
                e.from,
                e.count,
                100.0 * e.probability,
                e.to
            );
        }
        text
    }
}

fn dot_text(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            // Entities are read inside DOT strings.
            '&' => text.push_str("&amp;"),
            c if c.is_control() => text.push(' '),
            c => text.push(c),
        }
    }
    text
}

/// Mermaid reads `#code;` as a character; everything that could end the text, start markup or be a directive is
/// written so.
fn mermaid_text(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for c in name.chars() {
        if c.is_alphanumeric() || matches!(c, ' ' | '_' | '-' | '.' | ',' | ':' | '/') {
            text.push(c);
        } else if c.is_control() {
            text.push(' ');
        } else {
            let _ = write!(text, "#{};", u32::from(c));
        }
    }
    text
}

const DAMPING: f64 = 0.85;
const MAX_ROUNDS: usize = 1_000;

/// PageRank with weights. `edges` are (from, to, weight), sorted: the order of sums, so the same result on every machine.
/// Who has no way out may be anywhere next.
pub(super) fn pagerank(n: usize, edges: &[(usize, usize, u64)]) -> Vec<f64> {
    if n == 0 {
        return Vec::new();
    }
    let mut out = vec![0_u64; n];
    for &(from, _, weight) in edges {
        out[from] += weight;
    }
    let probabilities: Vec<(usize, usize, f64)> = edges
        .iter()
        .map(|&(from, to, weight)| (from, to, weight as f64 / out[from].max(1) as f64))
        .collect();
    let mut rank = vec![1.0 / n as f64; n];
    let mut next = vec![0.0; n];
    for _ in 0..MAX_ROUNDS {
        let lost: f64 = (0..n).filter(|&i| out[i] == 0).map(|i| rank[i]).sum();
        next.fill((1.0 - DAMPING + DAMPING * lost) / n as f64);
        for &(from, to, probability) in &probabilities {
            next[to] += DAMPING * rank[from] * probability;
        }
        let moved: f64 = rank.iter().zip(&next).map(|(a, b)| (a - b).abs()).sum();
        std::mem::swap(&mut rank, &mut next);
        if moved < 1e-13 {
            break;
        }
    }
    let sum: f64 = rank.iter().sum();
    rank.iter().map(|r| r / sum).collect()
}

/// Strongly connected components: for each node a number from 0, the largest component first, then by its first node.
pub(super) fn components(n: usize, edges: &[(usize, usize, u64)]) -> Vec<usize> {
    let mut graph = petgraph::graph::DiGraph::<(), ()>::with_capacity(n, edges.len());
    let nodes: Vec<_> = (0..n).map(|_| graph.add_node(())).collect();
    for &(from, to, _) in edges {
        graph.add_edge(nodes[from], nodes[to], ());
    }
    // Kosaraju's algorithm: petgraph's form of Tarjan's recurses, as deep as a chain is long.
    let mut sets: Vec<Vec<usize>> = petgraph::algo::kosaraju_scc(&graph)
        .into_iter()
        .map(|set| {
            let mut set: Vec<usize> = set
                .into_iter()
                .map(petgraph::graph::NodeIndex::index)
                .collect();
            set.sort_unstable();
            set
        })
        .collect();
    sets.sort_unstable_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    let mut component = vec![0; n];
    for (number, set) in sets.iter().enumerate() {
        for &node in set {
            component[node] = number;
        }
    }
    component
}
