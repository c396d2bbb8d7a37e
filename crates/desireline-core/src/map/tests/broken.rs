//! What people get wrong in a map, and what they are told.
//!
//! `broken.txt` holds cases: a line `old ⇒ new` says what is broken in `base.yaml` (`\n` is a line break), the lines below it
//! what is said, and a blank line ends the case. Where nothing stands before the arrow, the whole document is what follows.
//! A case that begins with `~` may be told of elsewhere than where it was broken, such as at the other of two ids.

use super::*;

struct Case {
    text: String,
    lines: std::ops::RangeInclusive<usize>,
    anywhere: bool,
    edit: String,
    expected: Vec<String>,
}

fn cases() -> Vec<Case> {
    let unescape = |t: &str| t.replace("\\n", "\n").replace("\\t", "\t");
    let mut found = Vec::new();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/map/tests/broken.txt");
    for block in std::fs::read_to_string(path)
        .unwrap()
        .trim_end()
        .split("\n\n")
    {
        let (edit, expected) = block.split_once('\n').unwrap_or((block, ""));
        let (anywhere, edit) = match edit.strip_prefix('~') {
            Some(rest) => (true, rest),
            None => (false, edit),
        };
        let (old, new) = edit
            .split_once(" ⇒ ")
            .unwrap_or_else(|| panic!("no arrow: {edit}"));
        let (old, new) = (unescape(old), unescape(new));
        let (text, start) = match BASE.find(&old) {
            _ if old.is_empty() => (new.clone(), 0),
            Some(start) => {
                assert_eq!(BASE.matches(&old).count(), 1, "found twice: {old}");
                (BASE.replacen(&old, &new, 1), start)
            }
            None => panic!("not in the base: {old}"),
        };
        let first = 1 + text[..start].matches('\n').count();
        let last = first + new.matches('\n').count();
        found.push(Case {
            text,
            lines: first..=last,
            anywhere,
            edit: block.lines().next().unwrap_or_default().to_owned(),
            expected: expected.lines().map(str::to_owned).collect(),
        });
    }
    found
}

#[test]
fn the_base_is_sound() {
    let report = checked(BASE);
    assert_eq!(told(&report), Vec::<String>::new());
}

#[test]
fn every_broken_map_has_its_message_at_its_place() {
    let cases = cases();
    let mut wrong = String::new();
    for case in &cases {
        let report = checked(&case.text);
        let told = told(&report);
        let line = report
            .notices
            .first()
            .and_then(|n| n.at)
            .map_or(0, |at| at.line as usize);
        let placed = case.anywhere || case.lines.contains(&line);
        if told != case.expected || !placed {
            let place = if placed { "" } else { " ELSEWHERE" };
            wrong += &format!("{}\n{}{place}\n\n", case.edit, told.join("\n"));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(cases.len() >= 100, "{} cases", cases.len());
}

#[test]
fn places_are_places_of_the_text() {
    for case in cases() {
        for notice in checked(&case.text).notices {
            let Some(at) = notice.at else { continue };
            let line = case
                .text
                .split('\n')
                .nth(at.line as usize - 1)
                .unwrap_or_default();
            assert!(
                (at.column as usize) <= line.chars().count() + 1,
                "{notice:?}"
            );
            assert!(
                case.text.get(at.start..at.end.max(at.start)).is_some(),
                "{notice:?}"
            );
        }
    }
}

#[test]
fn several_mistakes_are_told_at_once() {
    let text = BASE
        .replace(
            "kind: functional\n    stages: [buy]",
            "kind: useful\n    stages: buy",
        )
        .replace("severity: 3", "severity: 9")
        .replace("valence: -0.4", "valence: -4");
    let told = told(&checked(&text));
    assert_eq!(told.len(), 4, "{told:#?}");
}

#[test]
fn hostile_documents_are_errors() {
    let deep = "[".repeat(60_000);
    let bomb = (1..30).fold("a0: &a0 [x, x, x, x]\n".to_owned(), |text, i| {
        let before = i - 1;
        text + &format!("a{i}: &a{i} [*a{before}, *a{before}, *a{before}, *a{before}]\n")
    });
    let long = format!("schema: 1\nid: {}\n", "x".repeat(100_000));
    let keys: String = (0..90_000).map(|i| format!("k{i}: 1\n")).collect();
    for text in [
        deep.as_str(),
        &bomb,
        &long,
        &keys,
        "\u{feff}",
        "\0",
        "- ",
        "---\n---\n",
        "a: !!binary x",
    ] {
        for form in [Form::Yaml, Form::Json] {
            let error = MapFile::read(text, form).unwrap_err();
            assert!(error.to_string().len() < 2_000, "{error}");
        }
    }
    let braces = "{\"a\":".repeat(60_000);
    assert!(
        MapFile::read(&braces, Form::Json)
            .unwrap_err()
            .to_string()
            .contains("nested deeper")
    );
    let huge = "x".repeat(MAX_BYTES + 1);
    assert!(
        JourneyMap::from_yaml(&huge)
            .unwrap_err()
            .to_string()
            .contains("limit")
    );
}

/// Every broken text of the language, in a binding: told with the same words, at its place in the document.
#[test]
fn broken_expressions_have_their_place_in_the_document() {
    let lines: Vec<&str> = include_str!("../../expr/tests/broken.txt")
        .lines()
        .collect();
    let (cases, _) = lines.as_chunks::<3>();
    assert!(cases.len() >= 60);
    let mut exact = 0;
    for [text, message, _] in cases {
        let span = crate::expr::Expr::parse(text).unwrap_err().span().unwrap();
        let told = message.split_once(": ").map_or(*message, |(_, m)| m);
        // As a block, where every character stands for itself.
        let block = BASE.replacen(
            "binding: home\n",
            &format!("binding: |-\n      {text}\n"),
            1,
        );
        // In quotes, where some do not.
        let quoted = serde_json::to_string(text).unwrap();
        let quoted = BASE.replacen("binding: home\n", &format!("binding: {quoted}\n"), 1);
        // A block of nothing ends before it begins.
        let block = (!text.trim().is_empty()).then_some((block, 7));
        for (document, column) in block.into_iter().chain([(quoted, 15)]) {
            let error = JourneyMap::from_yaml(&document).unwrap_err();
            let [problem] = error.problems() else {
                panic!("{text:?}: {error:?}");
            };
            let line = document
                .split('\n')
                .position(|l| l.contains("binding:"))
                .unwrap()
                + 1;
            assert!(
                (line..=line + 1).contains(&(problem.at.line as usize)),
                "{text:?}: {problem}"
            );
            assert_eq!(problem.pointer, "/touchpoints/1/binding");
            if !text.trim().is_empty() {
                assert_eq!(problem.message, told, "{text:?}");
            }
            exact += usize::from(problem.at.column == column - 1 + span.column);
        }
    }
    // All of the blocks but those of nothing, and all quoted texts without an escape.
    assert!(exact >= 150, "{exact} of {}", 2 * cases.len());
}

#[test]
fn json_mistakes_have_their_place() {
    let json = JourneyMap::from_yaml(BASE).unwrap().to_json().unwrap();
    let broken = |old: &str, new: &str| {
        assert!(json.contains(old), "{old}");
        JourneyMap::from_json(&json.replacen(old, new, 1))
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        broken("\"schema\": 1", "\"schema\": 2"),
        "line 2, column 13: schema 2 is not known to this version of desireline, which reads schema 1"
    );
    assert!(
        broken("\"owner\": \"cx\"", "\"owner\": 7")
            .contains("expected a text, found `7`; put it in quotes")
    );
    assert!(broken("\"status\"", "\"staus\"").ends_with("did you mean `status`?"));
    assert!(
        broken("\"kind\": \"actual\",", "\"kind\": \"actual\"").contains("expected `,` or `}`")
    );
    assert!(broken("\"owner\": \"cx\"", "\"owner\": \"cx").contains("not closed in its line"));
    assert!(broken("\"owner\": \"cx\"", "\"owner\": \"\\q\"").contains("invalid escape"));
    assert!(broken("\"owner\": \"cx\"", "\"owner\": cx").contains("expected a value"));
    assert!(broken("{", "{,").contains("expected a key in double quotes"));
    let pointed =
        serde_json::from_str::<JourneyMap>(&json.replacen("\"functional\"", "\"useful\"", 1))
            .unwrap_err();
    assert!(
        pointed
            .to_string()
            .starts_with("at /goals/1/kind: `useful` is not known here"),
        "{pointed}"
    );
}

#[test]
fn a_tag_is_never_passed_over() {
    for tag in ["!!python/object:x", "!!int", "!!str", "!own"] {
        for (old, new) in [
            ("title: ", format!("title: {tag} ")),
            ("stages:\n", format!("stages: {tag}\n")),
        ] {
            assert!(BASE.contains(old), "{old}");
            let told = JourneyMap::from_yaml(&BASE.replacen(old, &new, 1)).unwrap_err();
            let told = told.to_string();
            let shown = format!("the tag `{tag}` means nothing here");
            assert!(told.contains(&shown) && told.starts_with("line "), "{told}");
        }
    }
}

#[test]
fn what_the_scanner_would_pass_over_or_say_in_its_own_words() {
    let error = |text: &str| JourneyMap::from_yaml(text).unwrap_err().to_string();
    // What follows a zero byte would not be read at all.
    let zero = BASE.replacen("kind: actual", "kind: act\0ual", 1);
    assert_eq!(
        error(&zero),
        "line 6, column 10: this is no YAML: here stands a zero byte (NUL), which no text has; the file may be damaged, or no text at all"
    );
    assert_eq!(
        error(&BASE.replace('\n', "\n\0")).split(':').next(),
        Some("line 2, column 1")
    );
    for open in ["[", "{a: ", "- "] {
        let deep = format!("schema: {}", open.repeat(100_000));
        let told = error(if open == "- " { &deep[8..] } else { &deep });
        assert!(
            told.contains("nested deeper than the limit of 64"),
            "{open}: {told}"
        );
    }
    let long = BASE.replacen("target_duration: 10m", "target_duration: 99999999999d", 1);
    let told = error(&long);
    assert!(
        told.contains("it is longer than 7304484d, the longest"),
        "{told}"
    );
}

/// A copy by an alias has ids, too, and what is wrong with that is said where the alias stands.
#[test]
fn an_alias_that_repeats_an_id_is_told_at_its_own_line() {
    let text = BASE
        .replacen("  - id: use\n", "  - &copied\n    id: use\n", 1)
        .replacen("touchpoints:\n", "  - *copied\ntouchpoints:\n", 1);
    let line = |what: &str| text.lines().position(|l| l.contains(what)).unwrap() + 1;
    let told = told(&checked(&text));
    let first = line("    id: use");
    assert!(
        told.iter()
            .any(|t| t.starts_with(&format!("E-ID {}:5 ", line("- *copied")))
                && t.contains(&format!("already that of a stage in line {first}"))),
        "{told:#?}"
    );
}

/// A document of objects has no lines that anybody sees.
#[test]
fn objects_have_paths_instead_of_lines() {
    let json = JourneyMap::from_yaml(BASE).unwrap().to_json().unwrap();
    let file = MapFile::of_json(&json).unwrap();
    assert_eq!(file.map(), &JourneyMap::from_yaml(BASE).unwrap());
    let found = check(&file, &CheckOptions::new().today(day("2027-04-15"))).notices;
    assert!(!found.is_empty() && found.iter().all(|n| n.at.is_none()));
    let mut value: serde_json::Value = serde_json::from_str(&json).unwrap();
    value["moments"][0]["basis"] = serde_json::Value::Null;
    value["owner"] = 7.into();
    value["touchpoints"][1]["binding"] = "event ==".into();
    let told = MapFile::of_json(&value.to_string()).unwrap_err();
    let told: Vec<String> = told.problems().iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 3, "{told:#?}");
    for lead in [
        "at /moments/0",
        "at /owner: ",
        "at /touchpoints/1/binding: ",
    ] {
        assert!(told.iter().any(|t| t.starts_with(lead)), "{told:#?}");
    }
    assert!(told.iter().all(|t| !t.contains("line ")), "{told:#?}");
}
