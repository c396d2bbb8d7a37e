//! Where in a map stands what does not fit a log.

use super::bind::LenientMatcher;
use crate::error::{Error, SpecError};
use crate::expr::{Expr, TextSpan};
use crate::journey::Matcher;
use crate::log::Catalog;
use crate::map::MapFile;

/// An error of measuring a map, with the line and column of the map's text where it is about one of its conditions; any other as it is.
///
/// A rule that cuts journeys is taken for the map's own.
///
/// What measures a map knows the map and not its text, so whoever has read the text asks here:
/// `measured(file.map(), …).map_err(|e| placed(&file, catalog, e))`.
pub fn placed(file: &MapFile, catalog: &Catalog, error: Error) -> Error {
    find([(None, file)], catalog, error)
}

/// The same of several maps that are measured together, each with what it is called, such as the file it was read from: the message says
/// whose condition it is.
pub fn placed_among<'m>(
    files: impl IntoIterator<Item = (&'m str, &'m MapFile)>,
    catalog: &Catalog,
    error: Error,
) -> Error {
    let files = files.into_iter().map(|(name, file)| (Some(name), file));
    find(files, catalog, error)
}

/// The first of the maps with such a condition is the one: those before it were gone through without a fault.
fn find<'m>(
    files: impl IntoIterator<Item = (Option<&'m str>, &'m MapFile)>,
    catalog: &Catalog,
    error: Error,
) -> Error {
    let (named, is_rule, source) = match error {
        Error::Spec(SpecError::MapCondition { part, source, .. }) => (Some(part), false, source),
        Error::Spec(SpecError::Expr {
            analysis: "journeys",
            field,
            source,
        }) => (Some(format!("scope.journeys.{field}")), true, source),
        Error::Expr(source) => (None, false, source),
        other => return other,
    };
    // Where goals end journeys, their conditions are part of the rule.
    let ends = is_rule && named.as_deref() == Some("scope.journeys.end");
    let same = |(pointer, expr): &(String, Expr)| {
        let at = words(pointer);
        let is_goal = || ends && at.starts_with("goals[") && at.ends_with(".success");
        if named.as_ref().is_some_and(|n| *n != at) && !is_goal() {
            return false;
        }
        // Rules are bound more strictly than what is on a map: every event that they name has to be there.
        let fails = match is_rule {
            true => Matcher::new(expr, catalog).err(),
            false => LenientMatcher::new(expr, catalog).err(),
        };
        fails.as_ref() == Some(&source)
    };
    let found = files.into_iter().find_map(|(name, file)| {
        let (pointer, _) = file.map().conditions().into_iter().find(same)?;
        Some((name, file, pointer))
    });
    let (map, part, at) = match (found, named) {
        (Some((name, file, pointer)), _) => {
            let inner = source.span().unwrap_or(TextSpan::NONE);
            let at = file.place_in(&pointer, inner);
            (name.map(str::to_owned), words(&pointer), at)
        }
        (None, Some(part)) => (None, part, TextSpan::NONE),
        (None, None) => return source.into(),
    };
    let told = SpecError::MapCondition {
        map,
        part,
        at,
        source,
    };
    told.into()
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

    const HEAD: &str = "schema: 1\nid: m\ntitle: M\nversion: 1.0.0\nkind: actual\nstatus: draft\nas_of: 2026-01-01\nowner: o\nstages: [{id: s, name: S}]\n";

    /// What is said of a map with these lines behind its head.
    fn told(more: &str) -> String {
        let text = format!("{HEAD}{more}");
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

    #[test]
    fn a_rule_that_does_not_fit_is_told_with_its_line() {
        let text = format!("{HEAD}scope:\n  journeys: {{start: plan == 'pro'}}\n");
        let file = MapFile::read(&text, Form::Yaml).unwrap();
        let log = Log::from_rows([("a", 0, "x"), ("b", 1, "y")]).unwrap();
        let rule = crate::overlay::journey_rule(file.map()).unwrap();
        let error = log.journeys(rule).unwrap_err();
        let told = placed(&file, log.catalog(), error).to_string();
        let lead = "line 11, column 21 of the map: `scope.journeys.start` does not fit the log";
        assert!(told.starts_with(lead), "{told}");
    }

    #[test]
    fn a_goal_that_ends_journeys_is_told_with_its_own_line() {
        let log = Log::from_rows([("a", 0, "x"), ("b", 1, "y")]).unwrap();
        for end in ["end: x, ", ""] {
            let goals = "goals:\n  - {id: g, text: G, kind: functional, success: x}\n  - {id: h, text: H, kind: functional, success: 'x and plan == 1'}\n";
            let text = format!("{HEAD}scope:\n  journeys: {{{end}goal_ends: true}}\n{goals}");
            let file = MapFile::read(&text, Form::Yaml).unwrap();
            let rule = crate::overlay::journey_rule(file.map()).unwrap();
            let error = log.journeys(rule).unwrap_err();
            let told = placed(&file, log.catalog(), error).to_string();
            let lead = "line 14, column 56 of the map: `goals[1].success` does not fit the log";
            assert!(told.starts_with(lead), "{told}");
        }
    }

    #[test]
    fn of_several_maps_the_one_is_told_whose_condition_it_is() {
        let map = |segment: &str| {
            let text = format!("{HEAD}scope: {{segment: {segment}}}\n");
            MapFile::read(&text, Form::Yaml).unwrap()
        };
        let (fits, broken) = (map("x"), map("plan == 'pro'"));
        let log = Log::from_rows([("a", 0, "x"), ("b", 1, "y")]).unwrap();
        let journeys = log.journeys(JourneyRule::customer()).unwrap();
        let how = Overlay::new();
        let error = || overlay(broken.map(), &journeys, &how, &Exec::new()).unwrap_err();
        let all = [("a.yaml", &fits), ("b.yaml", &broken)];
        let told = placed_among(all, log.catalog(), error()).to_string();
        let lead = "line 10, column 18 of the map `b.yaml`: `scope.segment` does not fit the log";
        assert!(told.starts_with(lead), "{told}");
        // Of none of these: nothing is made up.
        let told = placed_among([("a.yaml", &fits)], log.catalog(), error()).to_string();
        let lead = "`scope.segment` of the map does not fit the log";
        assert!(told.starts_with(lead), "{told}");
    }
}
