//! `desireline map`, from the first document to a broken build.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::path::Path;

use common::{COLUMNS, Done, SMALL, bare, command, piped, shop, small};

fn map(args: &[&str]) -> Done {
    let mut all = vec!["map"];
    all.extend(args);
    bare(&all)
}

const TODAY: [&str; 2] = ["--today", "2024-01-15"];

fn check(file: &str, args: &[&str]) -> Done {
    let mut all = vec!["check", file];
    all.extend(TODAY);
    all.extend(args);
    map(&all)
}

#[test]
fn every_template_begins_a_map_that_can_be_checked() {
    let folder = tempfile::tempdir().unwrap();
    let listed = map(&["templates"]);
    let names: Vec<&str> = listed
        .out
        .lines()
        .filter_map(|l| l.split_whitespace().next())
        .collect();
    assert!(
        names.len() >= 14 && names.contains(&"ten-steps"),
        "{}",
        listed.out
    );
    for name in names {
        let file = folder.path().join(format!("{name}.yaml"));
        let file = file.to_str().unwrap();
        let new = map(&[
            "new",
            "--template",
            name,
            "--id",
            "mine",
            "--title",
            "It's mine",
            "--today",
            "2026-01-05",
            "-o",
            file,
        ]);
        assert_eq!((new.code, new.err.as_str()), (0, ""));
        let text = fs::read_to_string(file).unwrap();
        assert!(
            text.contains("\nid: mine\n")
                && text.contains("\nas_of: 2026-01-05\n")
                && text.contains('#'),
            "{text}"
        );
        let done = map(&["check", file, "--today", "2026-01-06"]);
        assert_eq!(done.code, 0, "{}", done.out);
        let again = map(&["new", "-o", file]);
        assert_eq!(again.code, 2);
        assert!(again.err.contains("exists already"), "{}", again.err);
    }
    let typo = map(&["new", "--template", "tensteps"]);
    assert_eq!(typo.code, 2);
    assert!(typo.err.contains("did you mean ten-steps?"), "{}", typo.err);
}

#[test]
fn sound_maps_pass_and_faults_fail_as_asked() {
    let folder = tempfile::tempdir().unwrap();
    let log = shop(folder.path());
    let log = log.to_str().unwrap();
    let file = small(folder.path(), |t| t);
    assert_eq!(check(&file, &[]).code, 0);
    let mut with = vec!["--log", log];
    with.extend(COLUMNS);
    let done = check(&file, &with);
    assert_eq!((done.code, done.err.as_str()), (0, ""), "{}", done.out);
    assert!(
        done.out
            .contains("30 of 30 events of 12 customers belong to 3 touchpoints"),
        "{}",
        done.out
    );

    let file = small(folder.path(), |t| {
        t.replace("binding: cart", "binding: cartt")
    });
    let done = check(&file, &with);
    assert_eq!(done.code, 0);
    assert!(
        done.out.contains(
            ":14:60: warning W-DEAD: the log has no event `cartt`; did you mean `cart`?\n"
        ),
        "{}",
        done.out
    );
    assert!(
        done.out.contains("W-ORPHAN: 12 of 30 events (40 %)"),
        "{}",
        done.out
    );
    let mut denied = with.clone();
    denied.extend(["--deny", "w-dead", "--allow", "W-ORPHAN"]);
    let done = check(&file, &denied);
    assert_eq!(done.code, 1);
    assert!(
        done.out.contains("error W-DEAD") && !done.out.contains("W-ORPHAN"),
        "{}",
        done.out
    );
    assert_eq!(done.err, "error: the check found 1 error\n");
    let mut all = with.clone();
    all.extend(["--deny", "warnings"]);
    assert_eq!(check(&file, &all).code, 1);
    let in_document = small(folder.path(), |t| {
        t.replace("binding: cart", "binding: cartt")
            .replace("{min_n: 5}", "{min_n: 5, deny: [W-DEAD]}")
    });
    assert_eq!(check(&in_document, &with).code, 1);
    assert_eq!(check(&in_document, &[]).code, 0);
}

#[test]
fn a_column_that_is_missing_is_said_in_the_map() {
    let folder = tempfile::tempdir().unwrap();
    let log = shop(folder.path());
    let file = small(folder.path(), |t| t.replace("amount > 5", "amuont > 5"));
    let mut with = vec!["--log", log.to_str().unwrap()];
    with.extend(COLUMNS);
    let done = check(&file, &with);
    assert_eq!(done.code, 1);
    assert!(
        done.out
            .contains(":15:69: error E-TYPE: unknown field `amuont`"),
        "{}",
        done.out
    );
    let file = small(folder.path(), |t| {
        t.replace(
            "unit: person",
            "unit: person, journeys: {gap: 10m, end: buy}",
        )
    });
    assert_eq!(check(&file, &with).code, 0);
}

#[test]
fn unreadable_maps_are_said_with_their_lines() {
    let folder = tempfile::tempdir().unwrap();
    let file = small(folder.path(), |t| {
        t.replace("kind: actual", "kind: acutal")
            .replace("owner: o\n", "ownr: o\n")
    });
    let done = check(&file, &[]);
    assert_eq!(done.code, 1);
    assert!(
        done.out
            .contains(":5:7: error E-READ: `acutal` is not known here; did you mean `actual`?"),
        "{}",
        done.out
    );
    assert!(
        done.out.contains("    kind: acutal\n          ^^^^^^\n"),
        "{}",
        done.out
    );
    assert!(
        done.out
            .contains(":8:1: error E-READ: unknown key `ownr`; did you mean `owner`?"),
        "{}",
        done.out
    );
    let none = check(&folder.path().join("none.yaml").to_string_lossy(), &[]);
    assert_eq!(none.code, 3);
    assert!(none.err.contains("none.yaml"), "{}", none.err);
}

#[test]
fn files_in_other_encodings_are_told_which() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("small.yaml");
    let text = SMALL.replace("Somewhere", "Größe");
    let latin: Vec<u8> = text
        .chars()
        .map(|c| u8::try_from(u32::from(c)).unwrap())
        .collect();
    fs::write(&path, &latin).unwrap();
    let name = path.to_str().unwrap();
    for args in [&["check", name][..], &["draw", name], &["convert", name]] {
        let done = map(args);
        assert_eq!(done.code, 3, "{}", done.err);
        for wanted in [
            "line 11, column 26: this is no UTF-8: the byte 0xF6 begins no letter; it looks like Latin-1",
            "iconv -f ISO-8859-1 -t UTF-8",
        ] {
            assert!(done.err.contains(wanted), "{args:?}\n{}", done.err);
        }
    }
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    fs::write(&path, [vec![0xff, 0xfe], wide].concat()).unwrap();
    let done = map(&["check", name]);
    assert!(done.err.contains("it looks like UTF-16"), "{}", done.err);
    let piped = piped(&["map", "convert", "-", "--to", "json"], &latin);
    assert_eq!(piped.code, 3);
    assert!(
        piped.err.contains("standard input") && piped.err.contains("Latin-1"),
        "{}",
        piped.err
    );
    // A mark in front, as some editors write it, is no fault.
    fs::write(&path, format!("\u{feff}{text}")).unwrap();
    assert_eq!(map(&["convert", name]).code, 0);
}

#[test]
fn one_of_each_is_no_plural() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("one.csv");
    fs::write(&log, "user,time,event\nu,2024-01-01T10:00:00Z,home\n").unwrap();
    let file = small(folder.path(), |text| text.replace(" and amount > 5", ""));
    let mut args = vec!["check", &file, "--log", log.to_str().unwrap()];
    args.extend(COLUMNS);
    args.extend(TODAY);
    let done = map(&args);
    assert!(
        done.out
            .contains("1 of 1 event of 1 customer belong to 1 touchpoint"),
        "{}",
        done.out
    );
}

#[test]
fn json_and_sarif_have_places() {
    let folder = tempfile::tempdir().unwrap();
    let file = small(folder.path(), |t| {
        t.replace(
            "stages: [s], owner: o, binding: home",
            "stages: [x], owner: o, binding: home",
        )
    });
    let done = check(&file, &["--format", "json"]);
    assert_eq!(done.code, 1);
    let json: serde_json::Value = serde_json::from_str(&done.out).unwrap();
    assert_eq!(json["files"][0]["id"], "small");
    let notice = &json["files"][0]["notices"][0];
    assert_eq!(
        (&notice["code"], &notice["level"]),
        (&"E-ID".into(), &"error".into())
    );
    assert_eq!(
        notice["at"],
        serde_json::json!({ "line": 13, "column": 37 })
    );
    assert_eq!(notice["pointer"], "/touchpoints/0/stages/0");

    let out = folder.path().join("a b.sarif");
    let done = check(&file, &["-o", out.to_str().unwrap()]);
    assert_eq!((done.code, done.out.as_str()), (1, ""));
    let sarif: serde_json::Value = serde_json::from_str(&fs::read_to_string(out).unwrap()).unwrap();
    let run = &sarif["runs"][0];
    let result = &run["results"][0];
    assert_eq!(
        (&sarif["version"], &result["ruleId"], &result["level"]),
        (&"2.1.0".into(), &"E-ID".into(), &"error".into())
    );
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    assert_eq!(
        rules[result["ruleIndex"].as_u64().unwrap() as usize]["id"],
        "E-ID"
    );
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(
        place["region"],
        serde_json::json!({ "startLine": 13, "startColumn": 37 })
    );
    assert!(
        place["artifactLocation"]["uri"]
            .as_str()
            .unwrap()
            .ends_with("small.yaml")
    );
}

#[test]
fn documents_are_converted_there_and_back() {
    let folder = tempfile::tempdir().unwrap();
    let file = small(folder.path(), |t| t);
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (json, yaml, again) = (path("m.json"), path("m2.yaml"), path("m3.json"));
    for (from, to) in [(&file, &json), (&json, &yaml), (&yaml, &again)] {
        let done = map(&["convert", from, "-o", to]);
        assert_eq!((done.code, done.err.as_str()), (0, ""));
    }
    assert_eq!(
        fs::read_to_string(&json).unwrap(),
        fs::read_to_string(&again).unwrap()
    );
    let shown = map(&["convert", &file]);
    assert_eq!(shown.out, fs::read_to_string(&json).unwrap());
    let through = piped(
        &["map", "convert", "-", "--to", "yaml"],
        shown.out.as_bytes(),
    );
    assert_eq!(through.out, fs::read_to_string(&yaml).unwrap());
    let over = map(&["convert", &file, "-o", &file]);
    assert_eq!(over.code, 2);
    let broken = piped(&["map", "convert", "-"], b"schema: 1\nid: X\n");
    assert_eq!(broken.code, 3);
    assert!(broken.err.contains("line 2, column 5"), "{}", broken.err);
    let life = path("life.yaml");
    fs::write(
        &life,
        "schema: 1\nid: l\ntitle: L\nversion: 1.0.0\nphases: [{phase: lapsed, silent_for: 9d}]\n",
    )
    .unwrap();
    assert!(
        map(&["convert", &life])
            .out
            .contains("\"silent_for\": \"9d\"")
    );
    assert_eq!(check(&life, &[]).code, 0);
}

#[test]
fn options_that_make_no_sense_are_said() {
    let folder = tempfile::tempdir().unwrap();
    let file = small(folder.path(), |t| t);
    let cases: [(&[&str], &str); 7] = [
        (&["--deny", "W-DAED"], "did you mean W-DEAD?"),
        (&["--allow", "E-ID"], "cannot be allowed"),
        (&["--today", "soon"], "--today"),
        (&["--customer", "user"], "give one with --log"),
        (&["--journey", "gap=5m"], "give one with --log"),
        (&["-o", "x.html"], "--format text, json or sarif"),
        (&["-o", &file], "would be lost"),
    ];
    for (args, words) in cases {
        let mut all = vec!["map", "check", &file];
        all.extend(args);
        let done = bare(&all);
        assert_eq!(done.code, 2, "{args:?}: {}", done.out);
        assert!(done.err.contains(words), "{args:?}: {}", done.err);
    }
    let mut none = command();
    assert_eq!(none.arg("map").output().unwrap().status.code(), Some(2));
}

#[test]
fn the_schema_is_the_committed_one() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas");
    for (args, name) in [
        (&["schema"][..], "journey-map.json"),
        (&["schema", "--lifecycle"], "lifecycle.json"),
    ] {
        // Not `assert_eq`, which would print both.
        assert!(
            map(args).out == fs::read_to_string(root.join(name)).unwrap(),
            "{name}"
        );
    }
}

#[test]
fn markdown_has_two_names_everywhere() {
    let folder = tempfile::tempdir().unwrap();
    let file = small(folder.path(), |m| m);
    let export = |to| map(&["export", &file, "--to", to]).out;
    assert!(export("md").contains("# Small"));
    assert_eq!(export("md"), export("markdown"));
    let log = shop(folder.path());
    let summary = |format| {
        let mut all = vec!["summary", log.to_str().unwrap(), "--format", format];
        all.extend(COLUMNS);
        bare(&all).out
    };
    assert!(summary("md").contains('|'));
    assert_eq!(summary("md"), summary("markdown"));
    let list = |format| bare(&["kpi", "list", "--format", format]).out;
    assert_eq!(list("md"), list("markdown"));
}

#[test]
fn personas_are_held_against_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let map = folder.path().join("map.yaml");
    let text = "schema: 1\nid: m\ntitle: M\nversion: 1.0.0\nkind: actual\nstatus: draft\nas_of: 2026-01-01\nowner: o\n\
        stakeholders: [{id: o, name: O}]\npersonas:\n\
        \x20 - {id: wished, name: Wished, kind: ideal, traits: {age: 25-34, place: town}, sensitive: [age]}\n\
        \x20 - {id: there, name: There, kind: actual, traits: {age: 45-54, place: town}, pains: [Too <slow>]}\n";
    fs::write(&map, text).unwrap();
    let path = map.to_str().unwrap();
    let told = bare(&["map", "diff-personas", path]);
    assert_eq!(told.code, 0, "{}", told.err);
    assert!(
        told.out.contains("traits.place") && told.out.contains("(sensitive)"),
        "{}",
        told.out
    );
    assert!(!told.out.contains("25-34"), "{}", told.out);
    let json = bare(&["map", "diff-personas", path, path, "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    let fields = json["report"]["fields"].as_array().unwrap();
    assert!(fields.iter().all(|f| f["change"] == "equal"), "{json}");
    let shown = bare(&[
        "map",
        "diff-personas",
        path,
        "--first",
        "there",
        "--second",
        "wished",
        "--sensitive",
    ]);
    assert!(
        shown.out.contains("25-34") && shown.out.contains("45-54"),
        "{}",
        shown.out
    );
    let lost = bare(&["map", "diff-personas", path, "--first", "nobody"]);
    assert!(
        lost.code == 2 && lost.err.contains("it has wished, there"),
        "{}",
        lost.err
    );
    // Pages and other formats leave it out, too, unless asked.
    for args in [
        vec!["map", "draw", path, "--format", "html"],
        vec!["map", "export", path, "--to", "markdown"],
    ] {
        let plain = bare(&args).out;
        assert!(
            !plain.contains("25-34") && plain.contains("45-54"),
            "{plain}"
        );
        let mut args = args.clone();
        args.push("--sensitive");
        assert!(bare(&args).out.contains("25-34"));
    }
}
