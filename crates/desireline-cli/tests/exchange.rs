//! `desireline map export`, `import` and `draw`: what is written, what is told beside it, how it fails.
#![allow(clippy::unwrap_used)]

mod common;

use common::bare as run;

fn shop() -> String {
    format!(
        "{}/../../examples/maps/shop.yaml",
        env!("CARGO_MANIFEST_DIR")
    )
}

#[test]
fn a_map_goes_out_and_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    for (file, lost) in [
        (
            "shop.mmd",
            "touchpoints.binding: 21 left out, the first at /touchpoints/0/binding",
        ),
        ("shop.csv", "emotions.source: 4 changed"),
        ("shop.cjml", "emotions: 8 left out"),
    ] {
        let out = run(&["map", "export", &shop(), "-o", &at(file)]);
        assert!(out.code == 0, "{file}: {}", out.err);
        assert!(
            out.err.contains("does not hold all of the map:"),
            "{}",
            out.err
        );
        assert!(out.err.contains(lost), "{file}: {}", out.err);
        let back = run(&[
            "map",
            "import",
            &at(file),
            "--today",
            "2026-03-31",
            "--id",
            "again",
        ]);
        assert!(
            back.code == 0 && back.err.is_empty(),
            "{file}: {}",
            back.err
        );
        assert!(back.out.contains("id: again") && back.out.contains("as_of: 2026-03-31"));
        assert!(back.out.contains("name: Looks around"), "{file}");
    }
    for (format, wanted) in [
        ("markdown", "# Buying in an online shop"),
        ("dot", "digraph \"shop\""),
        ("stakeholders", "digraph \"shop stakeholders\""),
    ] {
        let out = run(&["map", "export", &shop(), "--to", format]);
        assert!(
            out.code == 0 && out.out.contains(wanted),
            "{format}: {}",
            out.out
        );
    }
}

#[test]
fn what_finds_no_place_is_told_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("grid.csv");
    std::fs::write(&file, "Phase,A,B\nMood here,1,5\n").unwrap();
    let file = file.to_str().unwrap();
    let out = run(&["map", "import", file, "--today", "2026-03-31"]);
    let told = "line 2, column 1: no lane is called `Mood here`; its 2 cells are left out";
    assert!(out.code == 0 && out.err.contains(told), "{}", out.err);
    let out = run(&[
        "map",
        "import",
        file,
        "--today",
        "2026-03-31",
        "--lane",
        "Mood here=emotion",
    ]);
    assert!(
        out.code == 0 && out.out.contains("valence: 1"),
        "{}",
        out.out
    );
    for (args, told) in [
        (
            vec!["map", "import", file, "--lane", "nothing"],
            "--lane nothing: write the row's name",
        ),
        (
            vec!["map", "import", file, "--from", "cjml"],
            "line 1, column",
        ),
        (
            vec!["map", "import", file, "--id", "No id"],
            "`No id` is no id",
        ),
        (vec!["map", "export", "no.yaml", "--to", "dot"], "no.yaml"),
    ] {
        let out = run(&args);
        assert!(
            out.code != 0 && out.err.contains(told),
            "{args:?}: {}",
            out.err
        );
    }
    let out = run(&["map", "export", &shop()]);
    assert!(
        out.code != 0 && out.err.contains("say which format with --to"),
        "{}",
        out.err
    );
}

#[test]
fn a_map_is_drawn_without_a_log() {
    let svg = run(&["map", "draw", &shop(), "--today", "2025-07-20"]);
    assert!(svg.code == 0 && svg.out.starts_with("<svg ") && svg.out.contains("not measured"));
    let page = run(&[
        "map",
        "draw",
        &shop(),
        "--today",
        "2025-07-20",
        "--format",
        "html",
    ]);
    assert!(page.code == 0, "{}", page.err);
    assert!(page.out.contains("The check has nothing to say."));
    assert!(
        !page.out.contains("<script") && !page.out.contains("http://")
            || page.out.contains("w3.org")
    );
    let png = run(&["map", "draw", &shop(), "-o", "map.png"]);
    assert!(
        png.code != 0 && png.err.contains("SVG or HTML"),
        "{}",
        png.err
    );
}

#[test]
fn a_map_is_measured_and_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("shop.arrow");
    let log = log.to_str().unwrap();
    let made = run(&["simulate", "--customers", "200", "--seed", "1", "-o", log]);
    assert_eq!(made.code, 0, "{}", made.err);
    let columns = [
        "--customer",
        "customer_id",
        "--time",
        "time",
        "--event",
        "event",
        "--channel",
        "channel",
    ];
    let ask = |lead: &[&str]| {
        let all: Vec<&str> = lead.iter().chain(&columns).copied().collect();
        let out = run(&all);
        assert_eq!(out.code, 0, "{lead:?}: {}", out.err);
        out.out
    };
    let shop = shop();
    let day = ["--today", "2025-07-20"];
    let svg = ask(&["map", "draw", &shop, "--log", log, day[0], day[1]]);
    assert!(svg.contains("leave") && svg.contains("Still open"));
    let page = folder.path().join("page.html");
    let path = page.to_str().unwrap();
    ask(&["report", log, "--map", &shop, day[0], day[1], "-o", path]);
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains("Kaplan and Meier") && page.contains("The paths most taken"));
    assert!(!page.contains("<script"));
}
