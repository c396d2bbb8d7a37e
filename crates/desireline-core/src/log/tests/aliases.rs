use super::*;
use crate::error::Error;
use crate::log::{Alias, AliasPolicy};
use crate::time::TimeSpan;

/// `cookie` browses at 1, 4, 10 and 20; `ann` signs in on it at 5 and `bob` at 15.
fn shared_device() -> (Log, [Alias; 2]) {
    let log = Log::from_rows([
        ("cookie", 1, "c1"),
        ("cookie", 4, "c4"),
        ("cookie", 10, "c10"),
        ("cookie", 20, "c20"),
        ("ann", 4, "a4"),
        ("zoe", 9, "z9"),
    ])
    .unwrap();
    (
        log,
        [
            Alias::new("cookie", "bob", 15),
            Alias::new("cookie", "ann", 5),
        ],
    )
}

fn names(log: &Log) -> Vec<(String, Vec<String>)> {
    decode(log)
        .into_iter()
        .map(|(id, rows)| (id, rows.into_iter().map(|r| r.1).collect()))
        .collect()
}

fn expect(list: &[(&str, &[&str])]) -> Vec<(String, Vec<String>)> {
    list.iter()
        .map(|(id, names)| {
            (
                (*id).to_owned(),
                names.iter().map(|n| (*n).to_owned()).collect(),
            )
        })
        .collect()
}

#[test]
fn backward_takes_all_earlier_events() {
    let (log, aliases) = shared_device();
    let joined = log.with_aliases(&aliases, AliasPolicy::Backward).unwrap();
    let expected: &[(&str, &[&str])] = &[
        ("ann", &["c1", "a4", "c4", "c10"]),
        ("bob", &["c20"]),
        ("zoe", &["z9"]),
    ];
    assert_eq!(names(&joined), expect(expected));
}

#[test]
fn lookback_takes_a_stretch_that_includes_its_edge() {
    let (log, aliases) = shared_device();
    let look = |micros| {
        log.with_aliases(
            &aliases,
            AliasPolicy::Lookback(TimeSpan::from_micros(micros)),
        )
        .unwrap()
    };
    let one: &[(&str, &[&str])] = &[
        ("ann", &["a4", "c4", "c10"]),
        ("bob", &["c20"]),
        ("cookie", &["c1"]),
        ("zoe", &["z9"]),
    ];
    assert_eq!(names(&look(1)), expect(one));
    assert_eq!(names(&look(3)), expect(one));
    assert_eq!(
        names(&look(4)),
        names(&log.with_aliases(&aliases, AliasPolicy::Backward).unwrap())
    );
    assert_eq!(
        names(&look(0)),
        names(&log.with_aliases(&aliases, AliasPolicy::Forward).unwrap())
    );
    assert_eq!(names(&look(i64::MAX)), names(&look(4)));
}

#[test]
fn forward_leaves_earlier_events() {
    let (log, aliases) = shared_device();
    let joined = log.with_aliases(&aliases, AliasPolicy::Forward).unwrap();
    let expected: &[(&str, &[&str])] = &[
        ("ann", &["a4", "c10"]),
        ("bob", &["c20"]),
        ("cookie", &["c1", "c4"]),
        ("zoe", &["z9"]),
    ];
    assert_eq!(names(&joined), expect(expected));
    assert_eq!(joined.source().map(names), Some(names(&log)));
    assert_eq!(
        joined.source().map(Log::fingerprint),
        Some(log.fingerprint())
    );
}

#[test]
fn the_order_of_aliases_does_not_matter_and_unknown_ids_change_nothing() {
    let (log, [a, b]) = shared_device();
    let same_time = Alias::new("cookie", "zoe", 5);
    let stranger = Alias::new("nobody", "ann", 0);
    let own = Alias::new("zoe", "zoe", 0);
    let orders = [
        vec![
            a.clone(),
            b.clone(),
            same_time.clone(),
            stranger.clone(),
            own.clone(),
        ],
        vec![own, stranger, same_time, b.clone(), a.clone()],
    ];
    let logs = orders.map(|list| log.with_aliases(&list, AliasPolicy::Backward).unwrap());
    assert_eq!(logs[0].fingerprint(), logs[1].fingerprint());
    assert_eq!(
        names(&logs[0]),
        names(&log.with_aliases(&[a, b], AliasPolicy::Backward).unwrap())
    );
}

#[test]
fn aliases_of_aliases_are_followed() {
    let log = Log::from_rows([
        ("a", 1, "a1"),
        ("a", 7, "a7"),
        ("b", 3, "b3"),
        ("c", 9, "c9"),
    ])
    .unwrap();
    let chain = [Alias::new("a", "b", 5), Alias::new("b", "c", 6)];
    let all: &[(&str, &[&str])] = &[("c", &["a1", "b3", "a7", "c9"])];
    assert_eq!(
        names(&log.with_aliases(&chain, AliasPolicy::Backward).unwrap()),
        expect(all)
    );
    let forward: &[(&str, &[&str])] = &[("a", &["a1"]), ("b", &["b3"]), ("c", &["a7", "c9"])];
    assert_eq!(
        names(&log.with_aliases(&chain, AliasPolicy::Forward).unwrap()),
        expect(forward)
    );
    let long: Vec<Alias> = (0..50_000)
        .map(|i| {
            Alias::new(
                if i == 0 { "a".into() } else { format!("x{i}") },
                format!("x{}", i + 1),
                0,
            )
        })
        .collect();
    let joined = log.with_aliases(&long, AliasPolicy::Backward).unwrap();
    assert!(joined.customer("x50000").is_some() && joined.customer("a").is_none());
}

#[test]
fn a_circle_is_refused_and_named_by_its_place() {
    let log = Log::from_rows([("a", 1, "a1")]).unwrap();
    let circle = [
        Alias::new("y", "a", 0),
        Alias::new("a", "b", 5),
        Alias::new("b", "a", 6),
        Alias::new("b", "q", 9),
    ];
    let refused = log.with_aliases(&circle, AliasPolicy::Forward).unwrap_err();
    assert!(
        matches!(refused, Error::AliasCircle { place: 2, of: 4 }),
        "{refused}"
    );
}

#[test]
fn attributes_that_differ_move_to_the_events() {
    let at = |level| {
        let options = match level {
            Some(level) => LogOptions::default().attribute_at("device", AttributeType::Text, level),
            None => LogOptions::default().attribute("device", AttributeType::Text),
        };
        let phone = [("device", AttributeValue::Text("phone"))];
        let desk = [("device", AttributeValue::Text("desk"))];
        let rows = [
            EventRow {
                attributes: &phone,
                ..EventRow::new("cookie", 1, "home")
            },
            EventRow {
                attributes: &desk,
                ..EventRow::new("ann", 9, "buy")
            },
        ];
        let log = Log::from_events(options, rows).unwrap();
        assert_eq!(log.catalog().attributes[0].level, Level::Customer);
        log.with_aliases(&[Alias::new("cookie", "ann", 5)], AliasPolicy::Backward)
            .unwrap()
    };
    let devices = |log: &Log| {
        decode(log)["ann"]
            .iter()
            .map(|r| r.3[0].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(devices(&at(None)), ["text phone", "text desk"]);
    let declared = at(Some(Level::Customer));
    assert_eq!(devices(&declared), ["text desk", "text desk"]);
    assert_eq!(declared.caveats().len(), 1);
}

/// The rule once more, for one event.
fn owner<'a>(id: &'a str, time: i64, aliases: &'a [Alias], policy: AliasPolicy) -> &'a str {
    let mut own: Vec<(i64, &str)> = aliases
        .iter()
        .filter(|a| a.anonymous == id && a.person != id)
        .map(|a| (a.time, a.person.as_str()))
        .collect();
    own.sort_unstable();
    own.dedup_by_key(|(t, _)| *t);
    let Some(first) = own.first() else { return id };
    let known = match policy {
        AliasPolicy::Backward => true,
        AliasPolicy::Lookback(span) => time >= first.0 - span.as_micros(),
        AliasPolicy::Forward => time >= first.0,
    };
    let person = own
        .iter()
        .rev()
        .find(|(t, _)| *t <= time)
        .unwrap_or(first)
        .1;
    if known {
        owner(person, time, aliases, policy)
    } else {
        id
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_event_goes_to_its_owner(
        rows in rows(40),
        // Ids lead only to later ones, so there is no circle.
        pairs in prop::collection::vec((0usize..9, 1usize..4, 0i64..8), 0..12),
        policy in prop::sample::select(vec![
            AliasPolicy::Backward, AliasPolicy::Forward, AliasPolicy::Lookback(TimeSpan::from_micros(2)),
        ]),
        block_events in 1usize..20,
    ) {
        let mut rows = rows;
        for (i, row) in rows.iter_mut().enumerate() {
            row.time = row.time % 8 * 1_000 + i as i64;
        }
        let aliases: Vec<Alias> = pairs.iter()
            .map(|(from, step, time)| Alias::new(CUSTOMERS[*from], CUSTOMERS[(from + step).min(9)], time * 1_000))
            .collect();
        let log = build_with(LogOptions { block_events, ..options() }, &rows);
        let joined = log.with_aliases(&aliases, policy).unwrap();
        let mut moved = rows.clone();
        for row in &mut moved {
            row.customer = owner(&row.customer, row.time, &aliases, policy).to_owned();
        }
        prop_assert_eq!(decode(&joined), naive(&moved));
        prop_assert_eq!(joined.fingerprint(), build(&moved).fingerprint());
    }
}
