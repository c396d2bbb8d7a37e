//! Single values: dates, money, versions, scales, ids.

use super::*;

#[test]
fn days_are_days_of_the_calendar() {
    assert_eq!(
        day("2024-02-29").after(TimeSpan::parse("366d").unwrap()),
        day("2025-03-01")
    );
    assert_eq!(day("2026-03-31").days_until(day("2026-04-15")), 15);
    for bad in [
        "2026-02-30",
        "2026-3-1",
        "31.03.2026",
        "2026-03-31T00:00",
        "",
        "２０２６-03-31",
    ] {
        assert!(bad.parse::<Date>().is_err(), "{bad}");
    }
    // Summer time begins on this day in Berlin: the window is an hour shorter.
    let window = Window {
        from: day("2026-03-29"),
        to: day("2026-03-30"),
        zone: Some("Europe/Berlin".to_owned()),
    };
    let (from, to) = window.micros().unwrap();
    assert_eq!(to - from, 23 * 3_600_000_000);
    assert_eq!(Date::of_micros(from), Some(day("2026-03-28")));
}

#[test]
fn money_is_exact() {
    for (text, minor) in [
        ("12.50 EUR", 1250),
        ("0.07 USD", 7),
        ("-3 EUR", -300),
        ("1500 JPY", 1500),
        ("1.234 KWD", 1234),
    ] {
        let money: Money = text.parse().unwrap();
        assert_eq!(money.minor(), minor);
        assert_eq!(money.to_string().parse::<Money>().unwrap(), money);
    }
    assert_eq!(
        "-0.05 EUR".parse::<Money>().unwrap().to_string(),
        "-0.05 EUR"
    );
    for bad in [
        "12.505 EUR",
        "1,50 EUR",
        "EUR 5",
        "5",
        "5 EURO",
        "1. EUR",
        " EUR",
        "9999999999999999999 EUR",
        "5 eur",
    ] {
        assert!(bad.parse::<Money>().is_err(), "{bad}");
    }
}

#[test]
fn feelings_are_scaled_as_published() {
    // The ends and the middle of each scale, by its definition.
    for scale in FeelingScale::ALL {
        let (low, high) = scale.bounds();
        let at = |answer| scale.valence(answer).unwrap().get();
        assert_eq!(
            (at(low), at(f64::midpoint(low, high)), at(high)),
            (-1.0, 0.0, 1.0)
        );
        assert!(scale.valence(high + 0.1).is_none() && scale.valence(f64::NAN).is_none());
    }
    assert_eq!(FeelingScale::FivePoints.valence(1.0).unwrap().get(), 0.5);
    assert_eq!(FeelingScale::OneToNine.valence(6.0).unwrap().get(), 0.25);
    for (word, valence, arousal) in FEELINGS {
        assert!(
            Valence::new(*valence).is_some() && Arousal::new(*arousal).is_some(),
            "{word}"
        );
    }
}

#[test]
fn who_comes_to_whom() {
    let modes = |mode| {
        let of = |k: &&ChannelKind| k.entry_mode() == mode;
        ChannelKind::ALL
            .iter()
            .filter(of)
            .map(|k| k.word())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        modes(Some(EntryMode::Active)),
        ["inbound", "support", "site_app", "store"]
    );
    assert_eq!(
        modes(Some(EntryMode::Passive)),
        ["outbound", "social", "email", "delivery"]
    );
    assert_eq!(modes(None), ["word_of_mouth", "other"]);
}

#[test]
fn ids_are_suggested() {
    assert_eq!(
        Id::suggest("  Add to Cart! "),
        Some(Id::from("add-to-cart"))
    );
    assert_eq!(Id::suggest("日本"), None);
    assert!(Id::suggest(&"a b".repeat(60)).unwrap().is_valid());
}

#[test]
fn the_catalogue_is_whole() {
    assert_eq!(KPIS.len(), 30);
    for (i, kpi) in KPIS.iter().enumerate() {
        assert_eq!(kpi.number, format!("K{:02}", i + 1));
        let again = KpiName::from(kpi.name).known().unwrap();
        assert_eq!(again, KpiName::from(kpi.number).known().unwrap());
    }
    let mut names: Vec<&str> = KPIS.iter().map(|k| k.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 30);
}

#[test]
fn frameworks_have_their_stages() {
    for (preset, n) in [
        (Preset::Three, 3),
        (Preset::Four, 4),
        (Preset::Five, 5),
        (Preset::EarlyMiddleLate, 3),
    ] {
        assert_eq!(preset.stages().len(), n);
        assert!(
            preset
                .stages()
                .iter()
                .all(|(id, _)| Id::from(*id).is_valid())
        );
    }
}

#[test]
fn order_of_stages() {
    let map = |after: [&[&str]; 4]| {
        let stages = after
            .iter()
            .enumerate()
            .map(|(i, after)| Stage::new(format!("s{i}"), "S").after(after.iter().copied()));
        let mut map = JourneyMap::from_yaml(BASE).unwrap();
        map.stages = stages.collect();
        map
    };
    assert_eq!(
        map([&[], &[], &[], &[]]).stage_order(),
        Some(vec![vec![], vec![0], vec![1], vec![2]])
    );
    assert_eq!(
        map([&[], &[], &["s0"], &["s1", "s2"]]).stage_order(),
        Some(vec![vec![], vec![0], vec![0], vec![1, 2]])
    );
    assert_eq!(map([&["s2"], &[], &[], &[]]).stage_order(), None);
    assert_eq!(map([&["s0"], &[], &[], &[]]).stage_order(), None);
}

#[test]
fn traits_name_what_is_known() {
    let map = JourneyMap::from_yaml(BASE).unwrap();
    assert_eq!(
        map.personas[0].traits.as_ref().unwrap().names(),
        ["age", "place", "cars"]
    );
}

#[test]
fn maps_of_personas_and_of_a_goal() {
    let map = JourneyMap::from_yaml(BASE).unwrap();
    let one = map.for_persona(&"thrifty".into());
    let two = map.for_persona(&"gifts".into());
    // Split and whole: every part of the map is in at least one of the two, and personas are told apart.
    for (_, id, _) in map.ids() {
        let has = |m: &JourneyMap| m.ids().iter().any(|(_, i, _)| *i == id);
        assert!(has(&one) || has(&two), "{id}");
    }
    assert_eq!((one.personas.len(), two.personas.len()), (1, 1));
    let lens = map.lens(&"have-it".into());
    let ids: Vec<&str> = lens.stages.iter().map(|s| s.id.as_str()).collect();
    assert_eq!(ids, ["buy"]);
    let ids: Vec<&str> = lens.touchpoints.iter().map(|t| t.id.as_str()).collect();
    assert_eq!(ids, ["product", "checkout"]);
    assert_eq!(
        (lens.pains.len(), lens.goals.len(), lens.moments.len()),
        (1, 1, 0)
    );
}

use crate::time::TimeSpan;
