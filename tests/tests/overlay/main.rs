//! The overlay against plain loops, its laws, what the simulator planted, and how often its intervals and tests are right.
#![allow(clippy::unwrap_used)]

mod chance;
mod laws;
mod naive;
mod persona;
mod places;
mod promise_places;
mod promises;
mod responders;
mod returns;
mod scenarios;

use desireline_core::engine::Exec;
use desireline_core::expr::Expr;
use desireline_core::journey::JourneyRule;
use desireline_core::map::{
    Binding, BindingPolicy, Channel, ChannelKind, CustomerGoal, Date, GoalKind, JourneyMap,
    MapKind, MapScope, Persona, Stage, StagePlace, Stakeholder, Status, Step, Touchpoint, Version,
    Window,
};
use desireline_core::overlay::report::{CellKind, CellMeasure, OverlayReport};
use desireline_core::overlay::{Overlay, overlay};
use desireline_core::report::Rate;
use desireline_core::time::TimeSpan;
use desireline_stats::{Clusters, wilson_clustered};
use desireline_tests::naive_expr::random;
use desireline_tests::random_log::{GAP, build_until, rows};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use naive::{Setting, Tally, count, level};

/// A map of nothing yet.
pub(crate) fn empty(kind: MapKind) -> JourneyMap {
    let as_of = Date::new(2026, 1, 1).unwrap();
    let version = Version::new(1, 0, 0);
    JourneyMap::new("m", "M", version, kind, Status::Draft, as_of, "o")
        .stakeholders([Stakeholder::new("o", "O")])
}

/// A random map over the names of a log.
fn map(rng: &mut ChaCha8Rng, names: &[String]) -> JourneyMap {
    let n_stages = rng.random_range(1..5usize);
    let stages = (0..n_stages).map(|i| {
        let mut stage = Stage::new(format!("s{i}"), format!("S{i}"));
        if i > 0 && rng.random_range(0..4) == 0 {
            stage = stage.after([format!("s{}", rng.random_range(0..i)).as_str()]);
        }
        stage.steps([Step::new(format!("p{i}"), "does")])
    });
    let stages: Vec<Stage> = stages.collect();
    let channels = ["web", "app", "phone"].map(|c| Channel::new(c, ChannelKind::Other));
    let touchpoints = (0..rng.random_range(0..6)).map(|i| {
        let mut binding = Binding::new(random(rng, names, 1));
        binding.priority = [None, Some(-1), Some(1)][rng.random_range(0..3)];
        let mut t = Touchpoint::new(format!("t{i}"), "T").binding(binding);
        for _ in 0..rng.random_range(0..3) {
            let stage = rng.random_range(0..n_stages);
            if !t.is_in(&format!("s{stage}").as_str().into()) {
                let conditional = rng.random_range(0..3) == 0;
                t.stages.push(StagePlace {
                    stage: format!("s{stage}").into(),
                    when: conditional.then(|| random(rng, names, 1)),
                });
            }
        }
        if rng.random_range(0..2) == 0 {
            t = t.step(format!("p{}", rng.random_range(0..n_stages)));
        }
        if rng.random_range(0..2) == 0 {
            t = t.channel(["web", "phone"][rng.random_range(0..2)]);
        }
        match rng.random_range(0..3) {
            0 => t,
            n => t.owner(format!("o{n}")),
        }
    });
    let touchpoints: Vec<Touchpoint> = touchpoints.collect();
    let goals = (0..rng.random_range(0..3)).map(|i| {
        CustomerGoal::new(format!("g{i}"), "G", GoalKind::Functional).success(random(rng, names, 0))
    });
    let goals: Vec<CustomerGoal> = goals.collect();
    let personas = (0..rng.random_range(0..3))
        .map(|i| Persona::new(format!("q{i}"), "Q").member(random(rng, names, 1)));
    let personas: Vec<Persona> = personas.collect();
    let policy = [BindingPolicy::Priority, BindingPolicy::Multi][rng.random_range(0..2)];
    let day = |d| Date::new(1970, 1, d).unwrap();
    let mut map = empty(MapKind::Actual)
        .stages(stages)
        .channels(channels)
        .touchpoints(touchpoints)
        .goals(goals)
        .personas(personas)
        .binding_policy(policy);
    // Days around the beginning of time, where some random logs lie.
    let window = match rng.random_range(0..6) {
        0 => Some(Window::new(day(1), day(2))),
        1 => Some(Window::new(Date::new(1969, 12, 31).unwrap(), day(1))),
        _ => None,
    };
    if let Some(window) = window {
        map = map.scope(MapScope::new().window(window));
    }
    map
}

#[test]
fn one_pass_counts_what_plain_loops_count() {
    let exec = Exec::new().threads(1).unwrap();
    for seed in 0..1_500 {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let rows = rows(seed % 400);
        let mut names: Vec<String> = rows.iter().map(|r| r.event.clone()).collect();
        names.sort();
        names.dedup();
        let map = map(rng, &names);
        let mut how = Overlay::new().min_n(1);
        let alive = [0, GAP, 10 * GAP][rng.random_range(0..3)];
        how.alive = Some(TimeSpan::from_micros(alive));
        if rng.random_range(0..4) == 0 {
            how.persona = map.personas.first().map(|p| p.id.clone());
            how.goal = map.goals.first().map(|g| g.id.clone());
        }
        let last = rows.iter().map(|r| r.time).max().unwrap();
        let until = last + [0, 1, 5 * GAP][rng.random_range(0..3)];
        let log = build_until(&rows, Some(until)).unwrap();
        let rule = JourneyRule {
            gap: Some(TimeSpan::from_micros(GAP)),
            ..JourneyRule::default()
        };
        let journeys = log.journeys(rule).unwrap();
        let report = overlay(&map, &journeys, &how, &exec).unwrap();
        let window = map.scope.as_ref().and_then(|s| s.window.as_ref());
        let setting = Setting {
            map: &map,
            how: &how,
            until,
            alive,
            window: window.map(|w| w.micros().unwrap()),
        };
        let tally = count(&rows, &setting);
        Compared {
            told: format!("seed {seed}:\n{}", map.to_yaml().unwrap()),
            report: &report,
            tally: &tally,
            map: &map,
        }
        .all();
    }
}

struct Compared<'a> {
    told: String,
    report: &'a OverlayReport,
    tally: &'a Tally,
    map: &'a JourneyMap,
}

impl Compared<'_> {
    fn is(&self, name: &str, found: u64, expected: u64) {
        assert_eq!(found, expected, "{name}, {}", self.told);
    }

    fn counted(&self, name: &str, found: u64) {
        self.is(name, found, self.tally.of(name));
    }

    fn rate(&self, name: &str, found: &Rate, expected: &Clusters) {
        self.is(&format!("{name} count"), found.count, expected.k);
        self.is(&format!("{name} n"), found.n, expected.n);
        let estimate = wilson_clustered(expected, 0.95);
        assert_eq!(found.estimate, estimate, "{name}, {}", self.told);
    }

    fn all(&self) {
        let (report, tally) = (self.report, self.tally);
        self.is(
            "customers",
            report.base.customers,
            tally.customers("customers"),
        );
        for (name, found) in [
            ("journeys", report.base.journeys),
            ("events", report.base.events),
            ("reached", report.base.reached),
            ("dropped", report.base.dropped),
            ("open", report.base.open),
            ("off_map", report.base.off_map),
            ("switches", report.channel_use.switches),
        ] {
            self.counted(name, found);
        }
        for orphan in &report.coverage.orphans {
            self.counted(&format!("orphan/{}", orphan.event), orphan.events);
        }
        for stage in &report.stages {
            self.is(
                "level",
                stage.level.into(),
                level(self.map, &stage.id).into(),
            );
            self.cell("stage", &stage.id, &stage.cell);
        }
        for step in &report.steps {
            self.cell("step", &step.id, &step.cell);
        }
        for touchpoint in &report.touchpoints {
            let name = format!("touchpoint/{}/matched", touchpoint.id);
            // Under a lens on one persona only their events are looked at.
            self.counted(&name, touchpoint.matched.unwrap());
            self.cell(
                "touchpoint",
                &touchpoint.id,
                touchpoint.cell.as_ref().unwrap(),
            );
        }
        for channel in &report.channels {
            self.cell("channel", &channel.id, &channel.cell);
        }
        for p in &report.placements {
            let told = |x: &Option<String>| x.clone().unwrap_or_default();
            let name = format!(
                "place/{}/{}/{}",
                p.touchpoint,
                told(&p.stage),
                told(&p.step)
            );
            self.counted(&name, p.events);
        }
        for c in &report.stage_channels {
            let channel = c.channel.as_deref().unwrap_or("none");
            self.counted(&format!("through/{}/{channel}", c.stage), c.events);
        }
        let through: u64 = report.stage_channels.iter().map(|c| c.events).sum();
        let staged: u64 = report.stages.iter().map(|s| s.cell.events).sum();
        self.is("through", through, staged);
        self.edges();
        self.order();
        self.groups();
        for (channels, n) in &report.channel_use.spread {
            self.counted(&format!("spread/{channels}"), *n);
        }
        let fragmented = &report.channel_use.fragmented;
        self.rate("fragmented", fragmented, &tally.clusters("fragmented"));
        for hand in &report.handovers {
            let (a, b) = match (&hand.from, &hand.to) {
                (Some(from), Some(to)) => (format!("{from}>{to}"), format!("{from}>{from}")),
                _ => ("change".to_owned(), "stay".to_owned()),
            };
            let name = |pair: &str| format!("hand/{}/{pair}", hand.by);
            let sides = tally.sides(&name(&a), &name(&b));
            self.rate(&name(&a), &hand.goal.with, &sides.a);
            self.rate(&name(&b), &hand.goal.without, &sides.b);
            let difference = hand.goal.difference;
            assert_eq!(
                difference,
                sides.difference(0.95),
                "{} {}",
                name(&a),
                self.told
            );
        }
    }

    fn cell(&self, kind: &str, id: &str, cell: &CellMeasure) {
        let name = |what: &str| format!("{kind}/{id}/{what}");
        for (what, found) in [
            ("events", cell.events),
            ("visits", cell.visits),
            ("arrivals", cell.arrivals),
            ("departures", cell.departures),
            ("exits", cell.exits),
            ("exits_reached", cell.exits_reached),
            ("exits_open", cell.exits_open),
            ("at_risk", cell.at_risk),
            ("unknown", cell.dwell.unknown),
            ("censored", cell.dwell.censored),
        ] {
            self.counted(&name(what), found);
        }
        let ended = cell.dwell.n - cell.dwell.censored;
        self.counted(&name("measured"), ended);
        self.is(
            &name("customers"),
            cell.customers,
            self.tally.customers(&name("customers")),
        );
        let has_goal = self.report.goals.iter().any(|g| g.measured);
        for (what, found) in [
            ("reach", &cell.reach),
            ("entries", &cell.entries),
            ("drop_off", &cell.drop_off),
            ("forward", &cell.forward),
            ("skipping", &cell.skipping),
            ("backward", &cell.backward),
            ("goal", &cell.goal),
            ("goal_after", &cell.goal_after),
        ] {
            let clusters = match has_goal || !what.starts_with("goal") {
                true => self.tally.clusters(&name(what)),
                false => Clusters::default(),
            };
            self.rate(&name(what), found, &clusters);
        }
        if let Some(lift) = &cell.lift {
            let sides = self.tally.sides(&name("goal"), &name("goal elsewhere"));
            self.rate(&name("lift"), &lift.without, &sides.b);
            assert_eq!(
                lift.difference,
                sides.difference(0.95),
                "{} {}",
                name("lift"),
                self.told
            );
            let both = !sides.b.is_empty();
            let p = both.then(|| sides.test()).flatten().map(|t| t.p);
            assert_eq!(lift.p, p, "{} {}", name("lift"), self.told);
        }
    }

    fn edges(&self) {
        let mut counted = 0;
        for edge in &self.report.edges {
            let name = format!("edge/{}/{}>{}", edge.kind.word(), edge.from, edge.to);
            self.counted(&format!("{name}/count"), edge.count);
            self.counted(&format!("{name}/journeys"), edge.journeys);
            let customers = self.tally.customers(&format!("{name}/customers"));
            self.is(&name, edge.customers, customers);
            if self.report.goals.iter().any(|g| g.measured) {
                let after = format!("{name}/after");
                self.rate(&after, &edge.goal_after, &self.tally.clusters(&after));
            }
            counted += 1;
        }
        let is_edge = |n: &&String| n.starts_with("edge/") && n.ends_with("/count");
        let steps = |n: &&String| n.starts_with("edge/step");
        let known = self
            .tally
            .counts
            .keys()
            .filter(is_edge)
            .filter(|n| !steps(n));
        self.is("edges", counted, known.count() as u64);
    }

    fn order(&self) {
        let (order, tally) = (&self.report.order, self.tally);
        for conversion in &order.conversion {
            let name = format!("conversion/{}", conversion.level);
            self.rate(&name, &conversion.of_all, &tally.clusters(&name));
        }
        for stage in &order.furthest {
            self.counted(&format!("furthest/{}", stage.stage), stage.rate.count);
        }
        self.rate("late", &order.late_starts, &tally.clusters("late"));
        self.rate("skips", &order.skips, &tally.clusters("skips"));
        self.rate(
            "regressions",
            &order.regressions,
            &tally.clusters("regressions"),
        );
    }

    fn groups(&self) {
        for persona in &self.report.personas {
            let name = |what: &str| format!("{}/{what}", persona.id);
            self.is(
                &persona.id,
                persona.customers,
                self.tally.customers(&name("customers")),
            );
            self.counted(&name("journeys"), persona.journeys);
            self.counted(&name("events"), persona.events);
        }
        let has_goal = self.report.goals.iter().any(|g| g.measured);
        for maps in &self.report.groups {
            for group in &maps.groups {
                for cell in &group.cells {
                    let place = format!("{}/{}/{}", group.id, cell.kind.word(), cell.id);
                    let customers = self.tally.customers(&format!("{place}/customers"));
                    self.is(&place, cell.customers, customers);
                    let reach = format!("{place}/reach");
                    self.rate(&reach, &cell.reach.raw, &self.tally.clusters(&reach));
                    if has_goal {
                        let goal = format!("{place}/goal");
                        self.rate(&goal, &cell.goal.raw, &self.tally.clusters(&goal));
                    }
                }
            }
        }
    }
}

/// A condition in the language of maps.
pub(crate) fn when(text: &str) -> Expr {
    Expr::parse(text).unwrap()
}

/// What is measured at a place.
pub(crate) fn cell<'r>(report: &'r OverlayReport, kind: CellKind, id: &str) -> &'r CellMeasure {
    match kind {
        CellKind::Stage => &report.stage(id).unwrap().cell,
        CellKind::Step => &report.step(id).unwrap().cell,
        CellKind::Channel => &report.channel(id).unwrap().cell,
        _ => report.touchpoint(id).unwrap().cell.as_ref().unwrap(),
    }
}
