//! Every variant of the KPI catalogue has an independent reference, named on the page of KPIs.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use desireline_core::kpi::DEFINITIONS;

#[test]
fn the_page_names_a_test_for_every_variant_and_the_test_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap();
    let page = read("docs/kpis.md");
    let rows = page.split("## Oracles").nth(1).unwrap();
    for definition in DEFINITIONS {
        for variant in definition.variants {
            let what = format!("{} | `{}`", definition.known.number, variant.name);
            let row = rows.lines().find(|l| l.starts_with(&format!("| {what} |")));
            let row = row.unwrap_or_else(|| panic!("docs/kpis.md has no oracle of {what}"));
            // Number, variant, reference, test, file.
            let quoted: Vec<&str> = row.split('`').collect();
            let [.., test, _, file, _] = quoted[..] else {
                panic!("docs/kpis.md names no test of {what}")
            };
            let text = read(file);
            let names = [format!("fn {test}("), format!("def {test}(")];
            assert!(
                names.iter().any(|n| text.contains(n)),
                "{what}: no {test} in {file}"
            );
        }
    }
}
