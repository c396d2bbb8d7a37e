//! Published and cross-checked numbers on real data, read from the data folder.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

use std::collections::BTreeMap;
use std::path::PathBuf;

use desireline_stats::hypothesis::{TestMethod, Weights};
use desireline_stats::{Distribution, KaplanMeier, chi_square, log_rank, mann_whitney_grouped};

/// Rows of a data file as text, or `None` (said so) where the data are absent outside CI.
fn rows(file: &str, separator: char) -> Option<Vec<BTreeMap<String, String>>> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folder = std::env::var_os("DESIRELINE_DATA")
        .map_or_else(|| root.join("../shared/data"), PathBuf::from);
    let path = folder.join(file);
    let Ok(text) = std::fs::read_to_string(&path) else {
        assert!(
            std::env::var_os("CI").is_none(),
            "{} is missing",
            path.display()
        );
        eprintln!(
            "skipped: {} is missing; set DESIRELINE_DATA",
            path.display()
        );
        return None;
    };
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next()?.split(separator).collect();
    let row = |line: &str| {
        names
            .iter()
            .map(|n| (*n).to_owned())
            .zip(line.split(separator).map(str::to_owned))
            .collect()
    };
    Some(lines.map(row).collect())
}

fn telco() -> Option<Vec<BTreeMap<String, String>>> {
    rows("telco-churn/Telco-Customer-Churn.csv", ',')
}

fn shoppers() -> Option<Vec<BTreeMap<String, String>>> {
    rows("shoppers-intention/online_shoppers_intention.csv", ';')
}

#[track_caller]
fn close(found: f64, truth: f64, relative: f64) {
    assert!(
        ((found - truth) / truth).abs() < relative,
        "{found} is not {truth}"
    );
}

fn crosstab(rows: &[BTreeMap<String, String>], a: &str, b: &str) -> BTreeMap<String, Vec<u64>> {
    let columns: std::collections::BTreeSet<&str> =
        rows.iter().map(|row| row[b].as_str()).collect();
    let mut table = BTreeMap::new();
    for row in rows {
        let cells = table
            .entry(row[a].clone())
            .or_insert_with(|| vec![0; columns.len()]);
        cells[columns.iter().position(|c| *c == row[b]).unwrap()] += 1;
    }
    table
}

#[test]
fn contract_and_churn() {
    let Some(rows) = telco() else { return };
    let table: Vec<_> = crosstab(&rows, "Contract", "Churn").into_values().collect();
    let test = chi_square(&table, true).unwrap();
    // scipy: chi2_contingency
    close(test.statistic, 1184.5965720837926, 1e-10);
    close(test.p, 5.863038300673391e-258, 1e-10);
    assert_eq!(test.df, 2);
}

#[test]
fn visitor_type_and_revenue() {
    let Some(rows) = shoppers() else { return };
    let table = crosstab(&rows, "VisitorType", "Revenue");
    let all = chi_square(&table.values().cloned().collect::<Vec<_>>(), false).unwrap();
    close(all.statistic, 135.2519228192047, 1e-10);
    close(all.p, 4.269904152293867e-30, 1e-10);
    let two = [
        table["New_Visitor"].clone(),
        table["Returning_Visitor"].clone(),
    ];
    let (corrected, plain) = (
        chi_square(&two, true).unwrap(),
        chi_square(&two, false).unwrap(),
    );
    close(corrected.statistic, 133.8442078840111, 1e-10);
    close(corrected.p, 5.909537874047138e-31, 1e-10);
    close(plain.statistic, 134.68331977474625, 1e-10);
}

#[test]
fn pages_seen_by_buyers_and_others() {
    let Some(rows) = shoppers() else { return };
    let group = |revenue: &str| {
        let seen = rows.iter().filter(|row| row["Revenue"] == revenue);
        seen.map(|row| (row["ProductRelated"].parse().unwrap(), 1))
            .collect::<Vec<(i64, u64)>>()
    };
    let test = mann_whitney_grouped(&group("TRUE"), &group("FALSE"))
        .unwrap()
        .unwrap();
    assert_eq!(
        (test.u, test.test.method),
        (13_093_049.0, TestMethod::MannWhitney)
    );
    // scipy: mannwhitneyu
    close(test.test.p, 1.0524385772690994e-107, 1e-10);
    let delta = test.delta.unwrap();
    assert!(delta.lower > 0.29 && delta.width() < 0.06, "{delta:?}");
    // Quantiles of the same column, exact and from bins.
    let all: Distribution = group("TRUE")
        .into_iter()
        .chain(group("FALSE"))
        .map(|row| row.0)
        .collect();
    assert_eq!(
        (all.n(), all.is_exact(), all.quantile(0.5)),
        (12_330, false, Some(18))
    );
}

fn tenure(rows: &[BTreeMap<String, String>]) -> Vec<(i64, u64, u64)> {
    let churned = |row: &BTreeMap<String, String>| u64::from(row["Churn"] == "Yes");
    rows.iter()
        .map(|row| {
            (
                row["tenure"].parse().unwrap(),
                churned(row),
                1 - churned(row),
            )
        })
        .collect()
}

#[test]
fn time_to_churn() {
    let Some(rows) = telco() else { return };
    let curve = KaplanMeier::from_counts(&tenure(&rows), 0.95).unwrap();
    // lifelines: KaplanMeierFitter
    let truth = [
        (1, 0.9459613196814566),
        (12, 0.8431995538158302),
        (24, 0.7887363983705965),
        (48, 0.7088401843460741),
        (72, 0.5927901520522275),
    ];
    for (month, survival) in truth {
        close(curve.at(month).unwrap().value, survival, 1e-10);
    }
    close(curve.at(12).unwrap().lower, 0.834168685811462, 1e-10);
    close(curve.at(12).unwrap().upper, 0.8517833206931235, 1e-10);
    assert!(curve.at(73).is_none() && curve.quantile(0.5).is_none());
}

#[test]
fn time_to_churn_by_contract() {
    let Some(rows) = telco() else { return };
    let mut groups: BTreeMap<String, Vec<BTreeMap<String, String>>> = BTreeMap::new();
    for row in rows {
        groups.entry(row["Contract"].clone()).or_default().push(row);
    }
    let counts: Vec<_> = groups.values().map(|rows| tenure(rows)).collect();
    let test = log_rank(&counts, Weights::LogRank).unwrap();
    // lifelines: multivariate_logrank_test
    close(test.statistic, 2352.87253825934, 1e-10);
    assert_eq!(test.df, 2);
    assert!(test.p > 0.0);
}
