//! Where in a map stands what does not fit a log.

use super::bind::LenientMatcher;
use crate::error::{Error, SpecError};
use crate::expr::ExprError;
use crate::log::Catalog;
use crate::map::MapFile;

/// An error of measuring a map, with the line and column of the map's text where it is about one of its conditions; any other as it is.
///
/// What measures a map knows the map and not its text, so whoever has read the text asks here:
/// `measured(file.map(), …).map_err(|e| placed(&file, catalog, e))`.
pub fn placed(file: &MapFile, catalog: &Catalog, error: Error) -> Error {
    let (named, source) = match error {
        Error::Spec(SpecError::MapCondition { part, source, .. }) => (Some(part), source),
        Error::Expr(source) => (None, source),
        other => return other,
    };
    let same = |(pointer, expr): &(String, _)| {
        let is_named = named.as_ref().is_none_or(|n| *n == words(pointer));
        is_named && LenientMatcher::new(expr, catalog).is_err_and(|e| e == source)
    };
    let Some((pointer, _)) = file.map().conditions().into_iter().find(same) else {
        return unplaced(named, source);
    };
    let inner = source.span().unwrap_or(crate::expr::TextSpan::NONE);
    let told = SpecError::MapCondition {
        part: words(&pointer),
        at: file.place_in(&pointer, inner),
        source,
    };
    told.into()
}

fn unplaced(named: Option<String>, source: ExprError) -> Error {
    match named {
        Some(part) => SpecError::MapCondition {
            part,
            at: crate::expr::TextSpan::NONE,
            source,
        }
        .into(),
        None => source.into(),
    }
}

/// A JSON pointer as people write paths: `scope.exclude[0].when`.
fn words(pointer: &str) -> String {
    let mut out = String::new();
    for step in pointer.split('/').skip(1) {
        match step.parse::<usize>() {
            Ok(place) => out.push_str(&format!("[{place}]")),
            Err(_) if out.is_empty() => out.push_str(step),
            Err(_) => {
                out.push('.');
                out.push_str(step);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::engine::Exec;
    use crate::journey::JourneyRule;
    use crate::log::Log;
    use crate::map::Form;
    use crate::overlay::{Overlay, overlay};

    /// What is said of a map with these lines behind its head.
    fn told(more: &str) -> String {
        let text = format!(
            "schema: 1\nid: m\ntitle: M\nversion: 1.0.0\nkind: actual\nstatus: draft\nas_of: 2026-01-01\nowner: o\nstages: [{{id: s, name: S}}]\n{more}"
        );
        let file =
            MapFile::read(&text, Form::Yaml).unwrap_or_else(|e| panic!("{}", e.snippets(&text)));
        let log = Log::from_rows([("a", 0, "x"), ("b", 1, "y")]).unwrap();
        let journeys = log.journeys(JourneyRule::customer()).unwrap();
        let error = overlay(file.map(), &journeys, &Overlay::new(), &Exec::new()).unwrap_err();
        placed(&file, log.catalog(), error).to_string()
    }

    #[test]
    fn a_condition_that_does_not_fit_is_told_with_its_line() {
        for (more, lead) in [
            (
                "scope:\n  segment: x and\n    plan == 'pro'\n",
                "line 11, column 12 of the map: `scope.segment` does not fit the log: unknown field `plan`",
            ),
            (
                "scope:\n  exclude:\n    - {text: staff, when: 'person.staff == true'}\n",
                "line 12, column 28 of the map: `scope.exclude[0].when` does not fit the log: unknown field",
            ),
            (
                "touchpoints:\n  - {id: t, name: T, stages: [s], binding: x}\n  - id: u\n    name: U\n    binding: device == 'phone'\n",
                "line 14, column 14 of the map: `touchpoints[1].binding` does not fit the log: unknown field `device`",
            ),
        ] {
            let told = told(more);
            assert!(told.starts_with(lead) && !told.contains("--"), "{told}");
        }
    }
}
