//! Names of cells: touchpoints joined so that no name can be mistaken for two.

/// Appends `name` with `\` before `\`, `>` and a leading `(`, so that ` > ` separates and `(exit)` is no touchpoint.
pub(super) fn push(label: &mut String, name: &str) {
    if name.starts_with('(') {
        label.push('\\');
    }
    for c in name.chars() {
        if matches!(c, '\\' | '>') {
            label.push('\\');
        }
        label.push(c);
    }
}

/// `kind/a > b > c`.
pub(super) fn cell<'a>(kind: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    let mut label = format!("{kind}/");
    for (i, name) in names.into_iter().enumerate() {
        if i > 0 {
            label.push_str(" > ");
        }
        push(&mut label, name);
    }
    label
}

#[cfg(test)]
mod tests {
    #[test]
    fn separators_in_names_are_escaped() {
        assert_eq!(super::cell("path", ["a", "b"]), "path/a > b");
        assert_eq!(super::cell("path", ["a > b"]), r"path/a \> b");
        assert_eq!(
            super::cell("path", ["(exit)", r"c\"]),
            r"path/\(exit) > c\\"
        );
    }
}
