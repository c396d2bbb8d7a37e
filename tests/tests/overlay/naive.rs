//! What an overlay counts, the plain way: every journey as a list, every place asked of every event.

use std::collections::BTreeMap;

use desireline_core::map::{BindingPolicy, JourneyMap};
use desireline_core::overlay::Overlay;
use desireline_stats::{Clusters, Sides};
use desireline_tests::naive_expr::holds;
use desireline_tests::random_log::{GAP, Row, naive_journeys};

/// Successes and observations of each customer, by what is counted.
pub(crate) type PerCustomer = BTreeMap<String, (u64, u64)>;

/// All counts and rates by name.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) counts: BTreeMap<String, u64>,
    rates: BTreeMap<String, PerCustomer>,
    seen: BTreeMap<String, std::collections::BTreeSet<String>>,
}

impl Tally {
    fn count(&mut self, name: String, n: usize) {
        *self.counts.entry(name).or_default() += n as u64;
    }

    fn rate(&mut self, name: String, customer: &str, hit: usize, of: usize) {
        let sums = self.rates.entry(name).or_default();
        let sums = sums.entry(customer.to_owned()).or_default();
        sums.0 += hit as u64;
        sums.1 += of as u64;
    }

    fn see(&mut self, name: String, customer: &str) {
        self.seen
            .entry(name)
            .or_default()
            .insert(customer.to_owned());
    }

    pub(crate) fn customers(&self, name: &str) -> u64 {
        self.seen.get(name).map_or(0, |s| s.len() as u64)
    }

    pub(crate) fn of(&self, name: &str) -> u64 {
        self.counts.get(name).copied().unwrap_or(0)
    }

    pub(crate) fn clusters(&self, name: &str) -> Clusters {
        let mut clusters = Clusters::default();
        for (k, n) in self.rates.get(name).into_iter().flat_map(|r| r.values()) {
            clusters.add(*k, *n);
        }
        clusters
    }

    /// Two rates of the same customers.
    pub(crate) fn sides(&self, a: &str, b: &str) -> Sides {
        let none = PerCustomer::new();
        let (a, b) = (
            self.rates.get(a).unwrap_or(&none),
            self.rates.get(b).unwrap_or(&none),
        );
        let mut sides = Sides::default();
        let customers: std::collections::BTreeSet<&String> = a.keys().chain(b.keys()).collect();
        for customer in customers {
            let of = |side: &PerCustomer| side.get(customer).copied().unwrap_or_default();
            sides.add(of(a), of(b));
        }
        sides
    }
}

/// One event and where it belongs.
#[derive(Clone, Debug)]
pub(crate) struct Placed {
    pub(crate) time: i64,
    pub(crate) touchpoints: Vec<String>,
    pub(crate) stages: Vec<String>,
    pub(crate) steps: Vec<String>,
    pub(crate) channel: Option<String>,
    owner: Option<String>,
}

/// Until when the log was observed, and what belongs to the question.
pub(crate) struct Setting<'a> {
    pub(crate) map: &'a JourneyMap,
    pub(crate) how: &'a Overlay,
    pub(crate) until: i64,
    pub(crate) alive: i64,
    pub(crate) window: Option<(i64, i64)>,
}

pub(crate) fn count(rows: &[Row], setting: &Setting<'_>) -> Tally {
    let map = setting.map;
    let (from, to) = setting.window.unwrap_or((i64::MIN, i64::MAX));
    let until = setting.until.min(to);
    let all = naive_journeys(rows, Some(GAP));
    let inside = |j: &[Row]| -> Vec<Row> {
        j.iter()
            .filter(|r| from <= r.time && r.time < to)
            .cloned()
            .collect()
    };
    let personas = personas_of(map, &all.iter().map(|j| inside(j)).collect::<Vec<_>>());
    let mut tally = Tally::default();
    for (at, whole) in all.iter().enumerate() {
        let journey = inside(whole);
        let customer = whole[0].customer.clone();
        let none = Vec::new();
        let mine = personas.get(&customer).unwrap_or(&none);
        if let Some(only) = &setting.how.persona
            && !mine.contains(&only.to_string())
        {
            continue;
        }
        if journey.is_empty() {
            continue;
        }
        // How it ended.
        let goes_on = whole.iter().any(|r| r.time >= to);
        let next = all.get(at + 1).filter(|j| j[0].customer == customer);
        let came_back = next.is_some_and(|j| j[0].time < to);
        let last = journey[journey.len() - 1].time;
        let goals: Vec<usize> = (0..journey.len())
            .filter(|i| {
                map.goals.iter().any(|g| {
                    setting.how.goal.as_ref().is_none_or(|id| *id == g.id)
                        && g.success.as_ref().is_some_and(|e| holds(e, &journey, *i))
                })
            })
            .collect();
        let end = if !goals.is_empty() {
            "reached"
        } else if goes_on || !came_back && until - last < setting.alive {
            "open"
        } else {
            "dropped"
        };
        tally.see("customers".into(), &customer);
        tally.count("journeys".into(), 1);
        tally.count("events".into(), journey.len());
        tally.count(end.into(), 1);

        let placed = place(map, &journey, &mut tally);
        if placed.iter().all(|p| p.touchpoints.is_empty()) {
            tally.count("off_map".into(), 1);
        }
        type Of = fn(&Placed) -> Vec<String>;
        let kinds: [(&str, Vec<String>, Of); 4] = [
            ("stage", ids(map.stages.iter().map(|s| &s.id)), |p| {
                p.stages.clone()
            }),
            (
                "step",
                ids(map.stages.iter().flat_map(|s| &s.steps).map(|s| &s.id)),
                |p| p.steps.clone(),
            ),
            (
                "touchpoint",
                ids(map.touchpoints.iter().map(|t| &t.id)),
                |p| p.touchpoints.clone(),
            ),
            ("channel", ids(map.channels.iter().map(|c| &c.id)), |p| {
                p.channel.iter().cloned().collect()
            }),
        ];
        for p in &placed {
            let channel = p.channel.as_deref().unwrap_or("none");
            for stage in &p.stages {
                tally.count(format!("through/{stage}/{channel}"), 1);
            }
        }
        for (kind, cells, of) in &kinds {
            walk(
                map, &mut tally, kind, cells, *of, &customer, &placed, end, &goals, last,
            );
        }
        for (kind, cells, of) in &kinds {
            for group in groups(map, mine) {
                for cell in cells {
                    let here = placed.iter().any(|p| of(p).contains(cell));
                    let name = |what: &str| format!("{group}/{kind}/{cell}/{what}");
                    tally.rate(name("reach"), &customer, here.into(), 1);
                    if here {
                        tally.see(name("customers"), &customer);
                    }
                    if here && end != "open" {
                        let goal = usize::from(end == "reached");
                        tally.rate(name("goal"), &customer, goal, 1);
                    }
                }
            }
        }
        for group in groups(map, mine) {
            tally.see(format!("{group}/customers"), &customer);
            tally.count(format!("{group}/journeys"), 1);
            tally.count(format!("{group}/events"), journey.len());
        }
        order(map, &mut tally, &customer, &placed);
        channels(&mut tally, &customer, &placed);
        if end != "open" {
            let stop = goals.first().copied().unwrap_or(usize::MAX);
            handovers(&mut tally, "owner", &customer, &placed, stop, end, |p| {
                p.owner.clone()
            });
            handovers(&mut tally, "channel", &customer, &placed, stop, end, |p| {
                p.channel.clone()
            });
        }
    }
    tally
}

fn ids<'i>(ids: impl Iterator<Item = &'i desireline_core::map::Id>) -> Vec<String> {
    ids.map(ToString::to_string).collect()
}

/// The persona groups of a customer.
fn groups(map: &JourneyMap, mine: &[String]) -> Vec<String> {
    match (map.personas.is_empty(), mine) {
        (true, _) => Vec::new(),
        (false, []) => vec!["(no persona)".to_owned()],
        (false, mine) => mine.to_vec(),
    }
}

pub(crate) fn personas_of(
    map: &JourneyMap,
    journeys: &[Vec<Row>],
) -> BTreeMap<String, Vec<String>> {
    let mut of: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for persona in &map.personas {
        let member = persona.member.as_ref().unwrap();
        for journey in journeys {
            if (0..journey.len()).any(|i| holds(member, journey, i)) {
                let mine = of.entry(journey[0].customer.clone()).or_default();
                if !mine.contains(&persona.id.to_string()) {
                    mine.push(persona.id.to_string());
                }
            }
        }
    }
    of
}

/// Which place in the order a stage has: the most stages that can come before it.
pub(crate) fn level(map: &JourneyMap, stage: &str) -> u32 {
    let at = map.stages.iter().position(|s| s.id == stage).unwrap();
    let before: Vec<String> = match map.stages[at].after.as_slice() {
        [] if at == 0 => Vec::new(),
        [] => vec![map.stages[at - 1].id.to_string()],
        after => ids(after.iter()),
    };
    before.iter().map(|b| level(map, b) + 1).max().unwrap_or(0)
}

/// Where each event of a journey belongs.
pub(crate) fn place(map: &JourneyMap, journey: &[Row], tally: &mut Tally) -> Vec<Placed> {
    let mut taking: Vec<_> = map
        .touchpoints
        .iter()
        .filter_map(|t| Some((t, t.binding.as_ref()?)))
        .collect();
    taking.sort_by_key(|(_, b)| -b.priority.unwrap_or(0));
    let mut furthest: Option<u32> = None;
    let mut placed = Vec::new();
    for i in 0..journey.len() {
        let row = &journey[i];
        let mut mine: Vec<_> = taking
            .iter()
            .filter(|(_, b)| holds(&b.when, journey, i))
            .map(|(t, _)| *t)
            .collect();
        for t in &mine {
            tally.count(format!("touchpoint/{}/matched", t.id), 1);
        }
        if map.policy() == BindingPolicy::Priority {
            mine.truncate(1);
        }
        if mine.is_empty() {
            tally.count(format!("orphan/{}", row.event), 1);
        }
        let (mut stages, mut steps) = (Vec::new(), Vec::new());
        for t in &mine {
            let by_condition = t
                .stages
                .iter()
                .find(|p| p.when.as_ref().is_some_and(|e| holds(e, journey, i)));
            let free: Vec<String> = t
                .stages
                .iter()
                .filter(|p| p.when.is_none())
                .map(|p| p.stage.to_string())
                .collect();
            let reached = free
                .iter()
                .filter(|s| furthest.is_some_and(|f| level(map, s) <= f))
                .rev()
                .max_by_key(|s| level(map, s));
            let stage = match (by_condition, reached) {
                (Some(p), _) => Some(p.stage.to_string()),
                (None, Some(s)) => Some(s.clone()),
                (None, None) => free.iter().min_by_key(|s| level(map, s)).cloned(),
            };
            let step = t.step.as_ref().map(ToString::to_string).filter(|step| {
                let owner = map
                    .stages
                    .iter()
                    .find(|s| s.steps.iter().any(|x| x.id == step.as_str()));
                owner.map(|s| s.id.to_string()) == stage
            });
            let told = |x: &Option<String>| x.clone().unwrap_or_default();
            tally.count(
                format!("place/{}/{}/{}", t.id, told(&stage), told(&step)),
                1,
            );
            for (list, id) in [(&mut stages, stage), (&mut steps, step)] {
                if let Some(id) = id.filter(|id| !list.contains(id)) {
                    list.push(id);
                }
            }
        }
        if let Some(stage) = stages.first() {
            furthest = Some(furthest.map_or(level(map, stage), |f| f.max(level(map, stage))));
        }
        let lead = mine.first();
        let channel = match &row.channel {
            Some(value) => {
                let known = map.channels.iter().find(|c| c.is_called(value));
                known.map(|c| c.id.to_string())
            }
            None => lead
                .and_then(|t| t.channel.as_ref())
                .map(ToString::to_string),
        };
        placed.push(Placed {
            time: row.time,
            touchpoints: mine.iter().map(|t| t.id.to_string()).collect(),
            stages,
            steps,
            channel,
            owner: lead.and_then(|t| t.owner.as_ref()).map(ToString::to_string),
        });
    }
    placed
}

/// Everything about the places of one kind in one journey.
#[allow(clippy::too_many_arguments)]
fn walk(
    map: &JourneyMap,
    tally: &mut Tally,
    kind: &str,
    cells: &[String],
    of: fn(&Placed) -> Vec<String>,
    customer: &str,
    placed: &[Placed],
    end: &str,
    goals: &[usize],
    last_time: i64,
) {
    let seq: Vec<usize> = (0..placed.len())
        .filter(|i| !of(&placed[*i]).is_empty())
        .collect();
    let bound: Vec<usize> = (0..placed.len())
        .filter(|i| !placed[*i].touchpoints.is_empty())
        .collect();
    let is_known = usize::from(end != "open");
    for cell in cells {
        let name = |what: &str| format!("{kind}/{cell}/{what}");
        let here: Vec<bool> = seq.iter().map(|i| of(&placed[*i]).contains(cell)).collect();
        let events = here.iter().filter(|h| **h).count();
        tally.count(name("events"), events);
        tally.rate(name("reach"), customer, usize::from(events > 0), 1);
        tally.rate(
            name("entries"),
            customer,
            usize::from(here.first() == Some(&true)),
            1,
        );
        let reached = usize::from(end == "reached");
        if events == 0 {
            tally.rate(
                name("goal elsewhere"),
                customer,
                reached * is_known,
                is_known,
            );
            continue;
        }
        tally.see(name("customers"), customer);
        let first = seq[here.iter().position(|h| *h).unwrap()];
        let is_last = *here.last().unwrap();
        let dropped = usize::from(is_last && end == "dropped");
        let after = usize::from(goals.last().is_some_and(|g| *g >= first));
        tally.rate(name("drop_off"), customer, dropped, is_known);
        tally.rate(name("goal"), customer, reached, is_known);
        tally.rate(name("goal_after"), customer, after, is_known);
        tally.count(name("at_risk"), 1 - is_known);
        if is_last {
            tally.count(name("exits"), 1);
            tally.count(name("exits_reached"), reached);
            tally.count(name("exits_open"), 1 - is_known);
        }
        let mut begun = 0;
        for p in 0..here.len() {
            if !here[p] {
                continue;
            }
            if p == 0 || !here[p - 1] {
                begun = p;
                tally.count(name("visits"), 1);
                tally.count(name("arrivals"), usize::from(p > 0));
            }
            let since = placed[seq[begun]].time;
            if p + 1 == here.len() {
                if kind != "touchpoint" && last_time > since {
                    tally.count(name("censored"), 1);
                } else if kind != "touchpoint" {
                    tally.count(name("unknown"), 1);
                }
            } else if !here[p + 1] {
                tally.count(name("departures"), 1);
                if kind != "touchpoint" {
                    tally.count(name("measured"), 1);
                }
                // The way from the stage of the event on the map before to that of this one.
                let to = seq[p + 1];
                let before = match kind {
                    "stage" => seq[p],
                    _ => bound.iter().rfind(|b| **b < to).copied().unwrap_or(0),
                };
                if kind != "channel"
                    && let (Some(a), Some(b)) =
                        (placed[before].stages.first(), placed[to].stages.first())
                {
                    let (a, b) = (level(map, a), level(map, b));
                    tally.rate(name("forward"), customer, usize::from(b > a), 1);
                    tally.rate(name("skipping"), customer, usize::from(b > a + 1), 1);
                    tally.rate(name("backward"), customer, usize::from(b < a), 1);
                }
            }
            if kind == "touchpoint" {
                let what = if seq[p] + 1 < placed.len() {
                    "measured"
                } else {
                    "unknown"
                };
                tally.count(name(what), 1);
            }
        }
    }
    // Ways.
    let mut first_taken: BTreeMap<String, usize> = BTreeMap::new();
    for pair in seq.windows(2) {
        let (from, to) = (of(&placed[pair[0]]), of(&placed[pair[1]]));
        for a in from.iter().filter(|a| !to.contains(a)) {
            for b in to.iter() {
                let edge = format!("edge/{kind}/{a}>{b}");
                tally.count(format!("{edge}/count"), 1);
                first_taken.entry(edge).or_insert(pair[1]);
            }
        }
    }
    for (edge, first) in first_taken {
        tally.count(format!("{edge}/journeys"), 1);
        tally.see(format!("{edge}/customers"), customer);
        let after = usize::from(goals.last().is_some_and(|g| *g >= first));
        tally.rate(format!("{edge}/after"), customer, after, is_known);
    }
}

fn order(map: &JourneyMap, tally: &mut Tally, customer: &str, placed: &[Placed]) {
    let seen: Vec<&Vec<String>> = placed
        .iter()
        .map(|p| &p.stages)
        .filter(|s| !s.is_empty())
        .collect();
    let n_levels = map
        .stages
        .iter()
        .map(|s| level(map, s.id.as_str()) + 1)
        .max()
        .unwrap_or(0);
    // The funnel of the stages: as deep as one event after the other allows.
    let mut depth = 0;
    for stages in &seen {
        depth += u32::from(stages.iter().any(|s| level(map, s) == depth));
    }
    for l in 0..n_levels {
        tally.rate(
            format!("conversion/{l}"),
            customer,
            usize::from(depth > l),
            1,
        );
    }
    if seen.is_empty() {
        return;
    }
    let levels: Vec<u32> = seen.iter().map(|s| level(map, &s[0])).collect();
    let top = *levels.iter().max().unwrap();
    let at = levels.iter().position(|l| *l == top).unwrap();
    tally.count(format!("furthest/{}", seen[at][0]), 1);
    let best = |i: usize| *levels[..i].iter().max().unwrap();
    let any = |f: &dyn Fn(usize) -> bool| usize::from((1..levels.len()).any(f));
    tally.rate("late".into(), customer, usize::from(levels[0] > 0), 1);
    tally.rate(
        "skips".into(),
        customer,
        any(&|i| levels[i] > best(i) + 1),
        1,
    );
    tally.rate(
        "regressions".into(),
        customer,
        any(&|i| levels[i] < best(i)),
        1,
    );
}

fn channels(tally: &mut Tally, customer: &str, placed: &[Placed]) {
    let used: Vec<&String> = placed.iter().filter_map(|p| p.channel.as_ref()).collect();
    if used.is_empty() {
        return;
    }
    let distinct: std::collections::BTreeSet<&&String> = used.iter().collect();
    tally.count(
        "switches".into(),
        used.windows(2).filter(|w| w[0] != w[1]).count(),
    );
    tally.count(format!("spread/{}", distinct.len()), 1);
    tally.rate(
        "fragmented".into(),
        customer,
        usize::from(distinct.len() > 1),
        1,
    );
}

fn handovers(
    tally: &mut Tally,
    by: &str,
    customer: &str,
    placed: &[Placed],
    stop: usize,
    end: &str,
    of: fn(&Placed) -> Option<String>,
) {
    let held: Vec<String> = placed
        .iter()
        .enumerate()
        .filter(|(i, _)| *i <= stop)
        .filter_map(|(_, p)| of(p))
        .collect();
    for pair in held.windows(2) {
        let goal = usize::from(end == "reached");
        tally.rate(
            format!("hand/{by}/{}>{}", pair[0], pair[1]),
            customer,
            goal,
            1,
        );
        let all = if pair[0] == pair[1] { "stay" } else { "change" };
        tally.rate(format!("hand/{by}/{all}"), customer, goal, 1);
    }
}
