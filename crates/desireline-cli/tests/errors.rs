//! What can go wrong: the exit code, the words, and what is left behind.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;

use common::{ask, bare, csv, shop};

#[test]
fn exit_codes_are_those_of_the_help() {
    let folder = tempfile::tempdir().unwrap();
    let file = shop(folder.path());
    let nowhere = folder.path().join("no/such/folder/x.csv");
    let nowhere = nowhere.to_str().unwrap();
    let codes: [(&str, &[&str], i32); 16] = [
        ("paths", &["--zone", "Nowhere/Land"], 2),
        ("paths", &["--value", "amount", "--currency", "XQX"], 2),
        ("paths", &["--max-quarantine-share", "7"], 2),
        ("paths", &["--delimiter", "ab"], 2),
        ("paths", &["--journey", "gap=soon"], 2),
        ("paths", &["--threads", "100000"], 2),
        ("paths", &["--where", "event =="], 2),
        ("paths", &["--where", "nosuch == \"x\""], 4),
        ("paths", &["--where", "device == 7"], 4),
        ("paths", &["--by", "nosuch"], 4),
        ("paths", &["--by", "time"], 4),
        ("paths", &["--goal", "nosuch"], 4),
        ("paths", &["--limit", "columns=3"], 5),
        ("paths", &["-o", nowhere], 6),
        ("paths", &["--delimiter", "|"], 3),
        ("report", &["-o", "x.csv"], 2),
    ];
    for (analysis, args, code) in codes {
        let done = ask(analysis, &file, args);
        assert_eq!(done.code, code, "{analysis} {args:?}: {}", done.err);
        assert!(done.err.starts_with("error: "), "{}", done.err);
    }
    assert_eq!(
        bare(&["simulate", "--customers", "5", "-o", nowhere]).code,
        6
    );
}

#[test]
fn messages_name_options() {
    let folder = tempfile::tempdir().unwrap();
    let file = shop(folder.path());
    let odd = folder.path().join("shop.data");
    fs::write(&odd, csv()).unwrap();
    let bad = folder.path().join("bad.csv");
    fs::write(&bad, csv().replace("2024-01-01T10:0", "soon")).unwrap();
    let numbers = folder.path().join("numbers.csv");
    fs::write(&numbers, "user,time,event\na,1700000000,x\n").unwrap();
    let empty = folder.path().join("empty.csv");
    fs::write(&empty, "user,time,event\n").unwrap();
    let told = |analysis: &str, file: &std::path::Path, args: &[&str], words: &[&str]| {
        let done = ask(analysis, file, args);
        assert_ne!(done.code, 0);
        for word in words {
            assert!(done.err.contains(word), "{args:?} {word}: {}", done.err);
        }
    };
    told("paths", &odd, &[], &["give --input-format"]);
    told("paths", &bad, &[], &["--max-quarantine-share SHARE"]);
    told("paths", &numbers, &[], &["--time-unit s, ms, us or ns"]);
    told("paths", &empty, &[], &["empty.csv", "no events", "header"]);
    told(
        "paths",
        &file,
        &["--where", "device == 1"],
        &["--where", "^"],
    );
    told(
        "paths",
        &file,
        &["--where", "event ==="],
        &["--where cannot be read"],
    );
    told(
        "paths",
        &file,
        &["--keep-journeys", "nosuch"],
        &["--keep-journeys", "nosuch"],
    );
    told(
        "compare",
        &file,
        &["--on", "funnel", "--by", "device"],
        &["needs --step"],
    );
    told("funnel", &file, &["--step", "nosuch"], &["--step"]);
    told(
        "compare",
        &file,
        &["--segment", ": device == \"phone\"", "--goal", "buy"],
        &["empty name"],
    );
    told(
        "paths",
        &file,
        &["--journey", "gap=5"],
        &["--journey", "it has no unit"],
    );
}

#[test]
fn a_name_cannot_drive_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("evil.csv");
    fs::write(&file, "us\u{1b}[2Jer,time,event\na,2024-01-01,x\n").unwrap();
    let done = ask("paths", &file, &[]);
    assert_eq!(done.code, 3);
    assert!(!done.err.contains('\u{1b}'), "{:?}", done.err);
    assert!(done.err.contains("us\\u{1b}[2Jer"), "{}", done.err);
    // Lines of our own stay lines.
    let two = ask("paths", &file, &["--where", "event ==="]);
    assert!(two.err.lines().count() > 2, "{}", two.err);
}

#[test]
fn damaged_files_are_told_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("log.parquet");
    let path = file.to_str().unwrap();
    assert_eq!(bare(&["simulate", "--customers", "50", "-o", path]).code, 0);
    let whole = fs::read(&file).unwrap();
    let mut checked = 0;
    for at in (0..whole.len()).step_by(whole.len() / 40 + 1) {
        let mut broken = whole.clone();
        broken[at] ^= 0xff;
        fs::write(&file, &broken).unwrap();
        let done = bare(&[
            "summary",
            path,
            "--customer",
            "customer_id",
            "--time",
            "time",
            "--event",
            "event",
            "--all-attributes",
        ]);
        assert!(!done.err.contains("panicked"), "{}", done.err);
        assert!(done.err.lines().count() <= 1, "{}", done.err);
        checked += 1;
    }
    assert!(checked >= 40);
}

#[test]
fn an_input_is_never_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let file = shop(folder.path());
    let path = file.to_str().unwrap();
    let round = folder.path().join("./shop.csv");
    for to in [path, round.to_str().unwrap()] {
        let done = ask("paths", &file, &["-o", to]);
        assert_eq!(done.code, 2, "{}", done.err);
        assert!(done.err.contains("is the input"), "{}", done.err);
        assert_eq!(fs::read_to_string(&file).unwrap(), csv());
    }
    // Through a folder or a pattern as well.
    let pattern = folder.path().join("*.csv");
    assert_eq!(ask("paths", &pattern, &["-o", path]).code, 2);
    assert_eq!(ask("paths", folder.path(), &["-o", path]).code, 2);
    #[cfg(unix)]
    {
        let link = folder.path().join("link.txt");
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert_eq!(ask("paths", &file, &["-o", link.to_str().unwrap()]).code, 2);
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), csv());
}

#[cfg(unix)]
#[test]
fn what_stands_under_the_name_is_respected() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let file = shop(folder.path());
    let (secret, link) = (
        folder.path().join("secret.txt"),
        folder.path().join("link.txt"),
    );
    fs::write(&secret, "old").unwrap();
    fs::set_permissions(&secret, PermissionsExt::from_mode(0o600)).unwrap();
    std::os::unix::fs::symlink("secret.txt", &link).unwrap();
    let done = ask(
        "paths",
        &file,
        &["--format", "json", "-o", link.to_str().unwrap()],
    );
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(fs::read_to_string(&secret).unwrap().starts_with('{'));
    assert_eq!(
        fs::metadata(&secret).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let null = folder.path().join("null.txt");
    std::os::unix::fs::symlink("/dev/null", &null).unwrap();
    assert_eq!(ask("paths", &file, &["-o", null.to_str().unwrap()]).code, 0);
    assert!(fs::symlink_metadata(&null).unwrap().is_symlink());
}

#[cfg(unix)]
#[test]
fn an_interrupt_leaves_nothing_behind() {
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("large.csv");
    let mut child = common::command()
        .args(["simulate", "--customers", "3000000", "-o"])
        .arg(&target)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let since = Instant::now();
    while fs::read_dir(folder.path()).unwrap().count() == 0 {
        assert!(since.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(20));
    }
    let asked = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(asked.success());
    let status = child.wait().unwrap();
    assert_eq!(status.code(), Some(130));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
