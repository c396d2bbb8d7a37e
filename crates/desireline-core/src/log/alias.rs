//! One person under several ids: aliases as a pure step from log to log.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use hashbrown::{HashMap, HashSet};
use rustc_hash::FxBuildHasher;
use serde::{Deserialize, Serialize};

use super::append::Change;
use super::assemble::{Group, Part, Segment};
use super::{Block, Catalog, Log};
use crate::error::{Error, Result};
use crate::time::TimeSpan;

/// At `time` the id `anonymous` turned out to be `person`, for instance by signing in.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Alias {
    /// The id in the log.
    pub anonymous: String,
    /// Whose events they are.
    pub person: String,
    /// When that became known, microseconds since 1970 UTC.
    pub time: i64,
}

impl Alias {
    /// At `time` the id `anonymous` turned out to be `person`.
    pub fn new(anonymous: impl Into<String>, person: impl Into<String>, time: i64) -> Alias {
        Alias {
            anonymous: anonymous.into(),
            person: person.into(),
            time,
        }
    }
}

/// Whose the events *before* the first alias of an id are. From an alias on, until the id's next one, events belong
/// to its person under every policy: who signed in last on a shared device has its events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AliasPolicy {
    /// All earlier events go to the first person.
    Backward,
    /// Those at most so long before the first alias go to its person; older ones stay with the id.
    Lookback(TimeSpan),
    /// Earlier events stay with the id.
    Forward,
}

/// A stretch of time (the end not included, `None` for ever) and whose its events are.
type Piece<'a> = (i64, Option<i64>, &'a str);

/// Pieces of ids that were followed before; those of more pieces than this are followed again, so that long chains of
/// many pieces do not take all memory.
const MOST_KNOWN: usize = 64;

type Timelines<'a> = HashMap<&'a str, Vec<(i64, &'a str)>, FxBuildHasher>;

impl Log {
    /// The log with every event under the person it belongs to; this log stays as it is and is the new one's
    /// [`source`](Log::source).
    ///
    /// A pure function of log, aliases and policy: the order of `aliases` does not matter. Of two aliases of one id
    /// at one time the person first by bytes counts. Aliases are followed: when a person is itself an id of
    /// another alias, its rule applies to the same event. Aliases of ids that are not in the log change nothing, and
    /// an id that is its own person is left alone. At equal times a person's own events come before those that
    /// are taken over, and these by source id. Attributes that differ between the ids of a person become attributes of
    /// events, unless they were declared to belong to customers: then the latest event's value is kept. To add rows,
    /// append to the source and alias again.
    ///
    /// ```
    /// use desireline_core::log::{Alias, AliasPolicy, Log};
    ///
    /// let log = Log::from_rows([("cookie", 1, "home"), ("cookie", 5, "buy"), ("ann", 9, "home")])?;
    /// let joined = log.with_aliases(&[Alias::new("cookie", "ann", 4)], AliasPolicy::Backward)?;
    /// assert_eq!((joined.n_customers(), joined.n_events()), (1, 3));
    /// let later = log.with_aliases(&[Alias::new("cookie", "ann", 4)], AliasPolicy::Forward)?;
    /// assert_eq!(later.n_customers(), 2);
    /// assert_eq!(later.source().map(|l| l.n_customers()), Some(2));
    /// # Ok::<(), desireline_core::error::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::AliasCircle`] when aliases lead back to their own id.
    pub fn with_aliases(&self, aliases: &[Alias], policy: AliasPolicy) -> Result<Log> {
        refuse_circles(aliases)?;
        let timelines = timelines(aliases);
        let parts: Vec<Part<'_>> = self
            .blocks()
            .iter()
            .map(|block| Part {
                block,
                translation: None,
            })
            .collect();

        // Where events leave, and what arrives at each person; ordered, so that nothing depends on hashing.
        let mut stays: BTreeMap<(usize, usize), Vec<Segment>> = BTreeMap::new();
        let mut arrivals: BTreeMap<&str, Vec<Segment>> = BTreeMap::new();
        let ids: BTreeSet<&str> = timelines.keys().copied().collect();
        let mut followed = Followed {
            timelines: &timelines,
            policy,
            known: HashMap::default(),
            done: HashSet::default(),
        };
        for id in ids {
            let Some((b, c)) = self.customer(id) else {
                continue;
            };
            let mut own = Vec::new();
            let mut moved = false;
            let whole = Segment::all(&parts, b, c);
            for (from, to, person) in followed.pieces(id) {
                let piece = cut(&self.blocks()[b], whole, from, to);
                if piece.from == piece.to {
                    continue;
                }
                if person == id {
                    own.push(piece);
                } else {
                    arrivals.entry(person).or_default().push(piece);
                    moved = true;
                }
            }
            if moved {
                stays.insert((b, c), own);
            }
        }

        let mut added = Vec::new();
        let mut incoming: BTreeMap<(usize, usize), Vec<Segment>> = BTreeMap::new();
        for (person, segments) in arrivals {
            match self.customer(person) {
                Some(place) => {
                    incoming.insert(place, segments);
                }
                None => added.push(Group {
                    id: Cow::Borrowed(person),
                    segments,
                }),
            }
        }
        let touched: BTreeSet<usize> = stays
            .keys()
            .chain(incoming.keys())
            .map(|(b, _)| *b)
            .collect();
        let rewritten = touched
            .into_iter()
            .map(|b| {
                let block = &self.blocks()[b];
                let groups = (0..block.n_customers())
                    .filter_map(|c| {
                        let own = stays
                            .remove(&(b, c))
                            .unwrap_or_else(|| vec![Segment::all(&parts, b, c)]);
                        let arrived = incoming.remove(&(b, c)).unwrap_or_default();
                        let segments: Vec<Segment> = own.into_iter().chain(arrived).collect();
                        (!segments.is_empty()).then(|| Group {
                            id: block.customers.get(c),
                            segments,
                        })
                    })
                    .collect();
                (b, groups)
            })
            .collect();
        let change = Change {
            catalog: Catalog::clone(self.catalog()),
            options: self.options().clone(),
            extent: self.inner.extent.clone(),
            rewritten,
            added,
            ties: 0,
        };
        Ok(self.rewrite(&parts, change)?.with_source(self))
    }

    /// The log that aliases were applied to, with the ids as they were read; `None` for a log without aliases.
    pub fn source(&self) -> Option<&Log> {
        self.inner.source.as_ref()
    }
}

/// Each id's aliases by time; of several at one time the first person by bytes.
fn timelines(aliases: &[Alias]) -> Timelines<'_> {
    let mut timelines = Timelines::default();
    for alias in aliases.iter().filter(|a| a.anonymous != a.person) {
        timelines
            .entry(&alias.anonymous)
            .or_default()
            .push((alias.time, &alias.person));
    }
    for timeline in timelines.values_mut() {
        timeline.sort_unstable();
        timeline.dedup_by_key(|(time, _)| *time);
    }
    timelines
}

/// Follows ids to their persons, each once.
struct Followed<'a, 't> {
    timelines: &'t Timelines<'a>,
    policy: AliasPolicy,
    known: HashMap<&'a str, Vec<Piece<'a>>, FxBuildHasher>,
    /// Ids that were followed, whether or not their pieces are kept.
    done: HashSet<&'a str, FxBuildHasher>,
}

impl<'a> Followed<'a, '_> {
    /// Whose the events of `id` are, in order of time.
    fn pieces(&mut self, id: &'a str) -> Vec<Piece<'a>> {
        // Persons first, so that a long chain is walked once and not once for each of its ids.
        let mut waiting = vec![id];
        while let Some(&next) = waiting.last() {
            let before = waiting.len();
            if !self.done.contains(next) {
                let persons = self.timelines.get(next).into_iter().flatten();
                let unknown = persons.map(|(_, person)| *person).filter(|person| {
                    self.timelines.contains_key(person) && !self.done.contains(person)
                });
                waiting.extend(unknown);
            }
            if waiting.len() == before {
                waiting.pop();
                if self.done.insert(next) {
                    let pieces = self.follow(next);
                    if pieces.len() <= MOST_KNOWN {
                        self.known.insert(next, pieces);
                    }
                }
            }
        }
        match self.known.get(id) {
            Some(pieces) => pieces.clone(),
            None => self.follow(id),
        }
    }

    fn follow(&self, id: &'a str) -> Vec<Piece<'a>> {
        let mut done = Vec::new();
        let mut open = vec![(i64::MIN, None, id)];
        while let Some((from, to, id)) = open.pop() {
            if let Some(pieces) = self.known.get(id) {
                let within = pieces.iter().map(|&(start, end, person)| {
                    let end = earlier(end, to);
                    (start.max(from), end, person)
                });
                done.extend(within.filter(|(start, end, _)| end.is_none_or(|end| *start < end)));
                continue;
            }
            let Some(timeline) = self.timelines.get(id) else {
                done.push((from, to, id));
                continue;
            };
            let (first, first_person) = timeline.first().copied().unwrap_or((i64::MAX, id));
            let known = match self.policy {
                AliasPolicy::Backward => i64::MIN,
                AliasPolicy::Lookback(span) => first.saturating_sub(span.as_micros()),
                AliasPolicy::Forward => first,
            };
            // Starts of stretches with their person; before `known` the id keeps its events.
            let starts = [(known, first_person)]
                .into_iter()
                .chain(timeline.iter().copied().skip(1));
            let ends = timeline.iter().skip(1).map(|(t, _)| Some(*t)).chain([None]);
            if known > from {
                done.push((from, earlier(Some(known), to), id));
            }
            for ((start, person), end) in starts.zip(ends) {
                let start = start.max(from);
                let end = earlier(end, to);
                if end.is_none_or(|end| start < end) {
                    open.push((start, end, person));
                }
            }
        }
        done.sort_unstable_by_key(|(from, ..)| *from);
        done
    }
}

/// The earlier of two ends; `None` is for ever.
fn earlier(a: Option<i64>, b: Option<i64>) -> Option<i64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

/// The events of `whole` from `from` on and before `to`.
fn cut(block: &Block, whole: Segment, from: i64, to: Option<i64>) -> Segment {
    let first_at_or_after = |time: i64| {
        let (mut low, mut high) = (whole.from, whole.to);
        while low < high {
            let middle = low + (high - low) / 2;
            if block.times.get(middle as usize) < time {
                low = middle + 1
            } else {
                high = middle
            }
        }
        low
    };
    let begin = first_at_or_after(from);
    Segment {
        from: begin,
        to: to.map_or(whole.to, first_at_or_after).max(begin),
        ..whole
    }
}

/// Takes away ids that lead nowhere, or that nothing leads to, until none is left; what cannot be taken away is a circle.
fn refuse_circles(aliases: &[Alias]) -> Result<()> {
    let mut left: Vec<(usize, &str, &str)> = aliases
        .iter()
        .enumerate()
        .filter(|(_, a)| a.anonymous != a.person)
        .map(|(i, a)| (i, a.anonymous.as_str(), a.person.as_str()))
        .collect();
    let mut circular = trim(&left);
    if !circular.is_empty() {
        left = circular
            .iter()
            .map(|(i, from, to)| (*i, *to, *from))
            .collect();
        circular = trim(&left);
    }
    match circular.first() {
        Some((place, ..)) => Err(Error::AliasCircle {
            place: place + 1,
            of: aliases.len(),
        }),
        None => Ok(()),
    }
}

/// The edges that remain when every edge into a node without edges out is taken away, again and again. O(edges).
fn trim<'a>(edges: &[(usize, &'a str, &'a str)]) -> Vec<(usize, &'a str, &'a str)> {
    let mut out: HashMap<&str, usize, FxBuildHasher> = HashMap::default();
    let mut into: HashMap<&str, Vec<&str>, FxBuildHasher> = HashMap::default();
    for (_, from, to) in edges {
        *out.entry(from).or_default() += 1;
        into.entry(to).or_default().push(from);
    }
    let mut ends: Vec<&str> = into
        .keys()
        .filter(|id| !out.contains_key(*id))
        .copied()
        .collect();
    let mut gone: HashSet<&str, FxBuildHasher> = ends.iter().copied().collect();
    while let Some(id) = ends.pop() {
        for from in into.get(id).into_iter().flatten() {
            if let Some(n) = out.get_mut(from) {
                *n -= 1;
                if *n == 0 && gone.insert(from) {
                    ends.push(from);
                }
            }
        }
    }
    edges
        .iter()
        .filter(|(_, from, to)| !gone.contains(from) && !gone.contains(to))
        .copied()
        .collect()
}
