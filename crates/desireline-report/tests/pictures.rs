//! Pictures: well-formed, without script, the same every time; with `DESIRELINE_GALLERY=folder` they are written out to look at.
#![allow(clippy::unwrap_used)]

mod common;

use common::{HOSTILE, gallery};
use desireline_report::svg::{NARROW, WIDE};

#[test]
fn every_picture_is_well_formed_and_runs_nothing() {
    for (name, draw) in gallery() {
        for width in [WIDE, NARROW, 0.0, f64::NAN, 1e9] {
            let svg = draw(width);
            let doc = roxmltree::Document::parse(&svg)
                .unwrap_or_else(|e| panic!("{name} at {width}: {e}\n{svg}"));
            let root = doc.root_element();
            assert_eq!(root.attribute("role"), Some("img"), "{name}");
            assert!(
                root.children()
                    .any(|n| n.has_tag_name(("http://www.w3.org/2000/svg", "title"))),
                "{name}"
            );
            for node in doc.descendants().filter(roxmltree::Node::is_element) {
                let tag = node.tag_name().name();
                assert!(
                    [
                        "svg", "title", "desc", "style", "rect", "text", "line", "path", "circle"
                    ]
                    .contains(&tag),
                    "{name}: <{tag}>"
                );
                for a in node.attributes() {
                    assert!(
                        !a.name().starts_with("on") && a.name() != "href",
                        "{name}: {}",
                        a.name()
                    );
                    assert!(
                        !a.value().contains("NaN") && !a.value().contains("inf"),
                        "{name}: {}",
                        a.value()
                    );
                }
            }
        }
    }
}

#[test]
fn names_survive_whole() {
    for (name, draw) in gallery().into_iter().filter(|(n, _)| n == "paths-hostile") {
        let svg = draw(WIDE);
        let doc = roxmltree::Document::parse(&svg).unwrap();
        let texts: Vec<String> = doc
            .descendants()
            .filter_map(|n| n.text().map(str::to_owned))
            .collect();
        for hostile in HOSTILE.iter().filter(|h| !h.contains(['\u{1b}', '\n'])) {
            // Characters that turn what follows them are shown as what cannot be shown.
            let shown = hostile.replace(['\u{202e}', '\u{2066}'], "\u{fffd}");
            assert!(
                texts.iter().any(|t| t.starts_with(&shown)),
                "{name}: {hostile}"
            );
        }
    }
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    for ((name, a), (_, b)) in gallery().into_iter().zip(gallery()) {
        assert_eq!(a(WIDE), b(WIDE), "{name}");
    }
}

#[test]
fn write_the_gallery_when_asked() {
    let Some(folder) = std::env::var_os("DESIRELINE_GALLERY").map(std::path::PathBuf::from) else {
        return;
    };
    std::fs::create_dir_all(&folder).unwrap();
    for (name, draw) in gallery() {
        std::fs::write(folder.join(format!("{name}-wide.svg")), draw(WIDE)).unwrap();
        std::fs::write(folder.join(format!("{name}-narrow.svg")), draw(NARROW)).unwrap();
    }
}
