//! `desireline kpi` as people run it.
#![allow(clippy::unwrap_used)]

use std::process::Command;

fn run(args: &[&str]) -> (bool, String, String) {
    let out = Command::new(env!("CARGO_BIN_EXE_desireline"))
        .args(args)
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (out.status.success(), text(out.stdout), text(out.stderr))
}

/// Ten carts of which two were bought, and one too young to know.
fn shop() -> (tempfile::TempDir, String) {
    let dir = tempfile::tempdir().unwrap();
    let mut rows = String::from("who,at,what,how\n");
    for c in 0..10 {
        rows.push_str(&format!("c{c},2026-01-01T10:00:00Z,cart,web\n"));
        if c < 2 {
            rows.push_str(&format!("c{c},2026-01-01T11:00:00Z,purchase,\"ap,p\"\n"));
        }
    }
    rows.push_str("late,2026-01-20T10:00:00Z,cart,web\n");
    let path = dir.path().join("shop.csv");
    std::fs::write(&path, rows).unwrap();
    let path = path.to_str().unwrap().to_owned();
    (dir, path)
}

const COLUMNS: [&str; 8] = [
    "--customer",
    "who",
    "--time",
    "at",
    "--event",
    "what",
    "--channel",
    "how",
];

#[test]
fn the_catalogue_is_told() {
    let (ok, list, _) = run(&["kpi", "list"]);
    assert!(ok && list.contains("K02  cart_abandonment") && list.contains("K30"));
    let (ok, shown, _) = run(&["kpi", "show", "ctr"]);
    assert!(ok && shown.starts_with("K15 click_through") && shown.contains("clicks / impressions"));
    let (ok, json, _) = run(&["kpi", "list", "--format", "json"]);
    let all: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert!(ok && all.as_array().unwrap().len() == 30);
    assert_eq!(
        all[1]["params"][0],
        serde_json::json!({"name": "cart", "kind": "condition", "required": true})
    );
    let (ok, _, told) = run(&["kpi", "show", "bounce_rat"]);
    assert!(
        !ok && told.contains("did you mean `bounce_rate`?"),
        "{told}"
    );
}

#[test]
fn the_page_holds_the_catalogue_as_it_is() {
    let (_, table, _) = run(&["kpi", "list", "--format", "md"]);
    let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/kpis.md");
    let page = std::fs::read_to_string(page).unwrap();
    assert!(
        page.contains(&table),
        "write the output of `desireline kpi list --format md` into docs/kpis.md"
    );
}

#[test]
fn a_kpi_is_measured() {
    let (_dir, shop) = shop();
    let mut args = vec![
        "kpi",
        "cart_abandonment",
        &shop,
        "--param",
        "cart=cart",
        "--param",
        "purchase=purchase",
        "--param",
        "within=1d",
    ];
    args.extend(COLUMNS);
    let (ok, told, error) = run(&args);
    assert!(ok && told.contains("80"), "{told}{error}");
    args.extend(["--format", "json"]);
    let (_, json, _) = run(&args);
    let answer: serde_json::Value = serde_json::from_str(&json).unwrap();
    let value = &answer["report"]["values"][0];
    assert_eq!(
        (value["n"].as_u64(), value["excluded"].as_u64()),
        (Some(10), Some(1)),
        "{json}"
    );
    assert!((value["estimate"]["lower"].as_f64().unwrap() - 0.490).abs() < 5e-4);
    let csv = args.len() - 1;
    args[csv] = "csv";
    args.extend(["--per", "week"]);
    let (ok, csv, error) = run(&args);
    assert!(
        ok && csv.starts_with("period,complete,") && csv.lines().count() == 5,
        "{csv}{error}"
    );
}

#[test]
fn what_is_missing_is_named() {
    let (dir, shop) = shop();
    let of = |more: &[&str]| {
        let mut args = vec!["kpi"];
        args.extend(more);
        args.push(&shop);
        args.extend(COLUMNS);
        run(&args)
    };
    let (ok, _, told) = of(&["nps"]);
    assert!(!ok && told.contains("answers of customers"), "{told}");
    let (ok, _, told) = of(&["roas", "--param", "goal=purchase"]);
    assert!(!ok && told.contains("`spend`"), "{told}");
    let (ok, _, told) = of(&["ctr", "--param", "click=cart"]);
    assert!(!ok && told.contains("impression"), "{told}");
    let (ok, _, told) = of(&["ctr", "--param", "click"]);
    assert!(!ok && told.contains("NAME=VALUE"), "{told}");
    let spend = dir.path().join("spend.csv");
    std::fs::write(&spend, "channel,spend\nweb,10\n\"ap,p\",20\n").unwrap();
    let (ok, told, error) = of(&[
        "roas",
        "--variant",
        "cost_per_goal",
        "--param",
        "goal=purchase",
        "--external",
        spend.to_str().unwrap(),
    ]);
    assert!(ok && told.contains("ap,p"), "{told}{error}");
    std::fs::write(&spend, "date,spend\nsoon,10\n").unwrap();
    let (ok, _, told) = of(&[
        "roas",
        "--param",
        "goal=purchase",
        "--external",
        spend.to_str().unwrap(),
    ]);
    assert!(!ok && told.contains("row 1, column `date`"), "{told}");
}
