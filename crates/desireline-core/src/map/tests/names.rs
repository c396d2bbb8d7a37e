//! What parts are called, against what the document says of them.

use std::collections::BTreeSet;

use super::*;

#[test]
fn every_part_with_a_name_is_called_by_it() {
    let mut without = BTreeSet::new();
    let texts = templates::TEMPLATES.iter().map(|t| t.text).chain([BASE]);
    for text in texts {
        let map = JourneyMap::from_yaml(text).unwrap();
        let tree: serde_json::Value = serde_json::from_str(&map.to_json().unwrap()).unwrap();
        for language in ["en", "de"] {
            for (kind, id, pointer) in map.ids() {
                let part = tree.pointer(pointer.trim_end_matches("/id")).unwrap();
                let named = ["name", "action", "text"].iter().find_map(|k| part.get(k));
                let in_language = |name: &serde_json::Value| {
                    let text = name.as_str().or_else(|| name[language].as_str());
                    text.unwrap().to_owned()
                };
                let wanted = named.map_or_else(|| id.to_string(), in_language);
                assert_eq!(map.label_of(id, language), wanted, "{kind}");
                if named.is_none() {
                    without.insert(kind.word());
                }
            }
        }
    }
    // What has no text of its own, and what need not have one.
    for kind in [PartKind::Emotion, PartKind::Feedback, PartKind::Channel] {
        assert!(without.contains(kind.word()), "{without:?}");
    }
    assert!(
        !without.contains(PartKind::Hypothesis.word()),
        "{without:?}"
    );
}

#[test]
fn what_a_map_does_not_have_is_called_by_its_id() {
    let map = JourneyMap::from_yaml(BASE).unwrap();
    assert_eq!(map.label_of("nowhere", "en"), "nowhere");
}

#[test]
fn who_owns_a_part_is_looked_up_among_stakeholders_alone() {
    let head = "schema: 1\nid: m\ntitle: M\nversion: 1.0.0\nkind: actual\nstatus: draft\nas_of: 2026-01-01\nowner: pay\n";
    let parts = "stakeholders: [{id: cx, name: {en: Experience, de: Erlebnis}}]\nstages: [{id: pay, name: Pays}]\n";
    let map = JourneyMap::from_yaml(&format!("{head}{parts}")).unwrap();
    assert_eq!(map.label_of("pay", "en"), "Pays");
    assert_eq!(map.stakeholder_label(&map.owner, "en"), "pay");
    let cx = &map.stakeholders[0].id;
    assert_eq!(map.stakeholder_label(cx, "de"), "Erlebnis");
}
