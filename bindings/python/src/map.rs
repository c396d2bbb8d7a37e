//! Journey maps: read, written, checked by themselves and against journeys.

use std::sync::Arc;

use desireline_core::map::check::{CheckOptions, Code, check};
use desireline_core::map::{Form, LocalizedText, MapFile, templates};
use desireline_core::overlay::{self, KpiSources, MapCheck, Overlay, PersonaDiffOptions};
use desireline_report::AnswerView;
use desireline_report::exchange::{self, Exchange, ExportOptions, ImportOptions, Lane};
use desireline_report::html::{self, MapView};
use desireline_report::svg::{MAP_WIDE, MapPicture};
use pyo3::prelude::*;

use crate::error::Failure;
use crate::exec;
use crate::feedback::Feedback;
use crate::journeys::Journeys;
use crate::kpi::External;
use crate::log::Log;
use crate::report::Answer;

/// A journey map with the text it was read from.
#[pyclass(frozen, module = "desireline._core")]
pub(crate) struct JourneyMap {
    inner: Arc<MapFile>,
}

/// The text of a document's bytes.
#[pyfunction]
pub(crate) fn document_text(data: &[u8]) -> PyResult<String> {
    Ok(desireline_core::map::document_text(data.to_vec()).map_err(Failure::from)?)
}

/// Reads a document; `form` is `yaml` or `json`, found out where it is not said, or `objects`: JSON that nobody wrote or sees.
#[pyfunction]
#[pyo3(signature = (text, form=None))]
pub(crate) fn read_map(py: Python<'_>, text: &str, form: Option<&str>) -> PyResult<JourneyMap> {
    let file = exec::short(py, || {
        Ok(match form {
            Some("objects") => MapFile::of_json(text)?,
            Some("json") => MapFile::read(text, Form::Json)?,
            Some(_) => MapFile::read(text, Form::Yaml)?,
            None => MapFile::read(text, Form::guess(text))?,
        })
    })?;
    Ok(JourneyMap {
        inner: Arc::new(file),
    })
}

/// The maps to begin with: name, summary and document of each.
#[pyfunction]
pub(crate) fn map_templates() -> Vec<(&'static str, &'static str, &'static str)> {
    let all = templates::TEMPLATES.iter();
    all.map(|t| (t.name, t.summary, t.text)).collect()
}

/// How the maps of several scenarios share the journeys of a log, cut as they want, or journeys.
#[pyfunction]
#[pyo3(signature = (maps, log=None, journeys=None, threads=None, progress=None))]
pub(crate) fn scenarios(
    py: Python<'_>,
    maps: Vec<Bound<'_, JourneyMap>>,
    log: Option<&Log>,
    journeys: Option<&Journeys>,
    threads: Option<usize>,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<Answer> {
    let files: Vec<Arc<MapFile>> = maps.iter().map(|m| m.get().shared()).collect();
    let log = log.map(|l| l.inner.clone());
    let journeys = journeys.map(Journeys::cloned);
    exec::run(py, progress, move |watch| {
        let exec = watch.exec(threads, None)?;
        let maps: Vec<_> = files.iter().map(|f| f.map()).collect();
        let named = || files.iter().map(|f| (f.map().id.as_str(), &**f));
        let cut = match (journeys, log) {
            (Some(journeys), _) => journeys,
            (None, Some(log)) => log
                .journeys_with(overlay::scenario_rule(&maps)?, &exec)
                .map_err(|e| overlay::placed_among(named(), log.catalog(), e))?,
            (None, None) => return Err(Failure::Panic("nothing to count".to_owned())),
        };
        let shared = overlay::scenarios(&maps, &cut, &exec)
            .map_err(|e| overlay::placed_among(named(), cut.catalog(), e))?;
        Ok(Answer::of(shared.into_answer()))
    })
}

/// The JSON Schema of maps.
#[pyfunction]
pub(crate) fn map_schema() -> String {
    desireline_core::map::map_schema().to_string()
}

/// Reads a map from another format; what found no place in it, as JSON.
#[pyfunction]
pub(crate) fn import_map(
    py: Python<'_>,
    text: &str,
    format: &str,
    as_of: &str,
    id: Option<String>,
    lanes: Vec<(String, String)>,
) -> PyResult<(JourneyMap, String)> {
    let wrong = pyo3::exceptions::PyValueError::new_err::<String>;
    let mut options = ImportOptions::new(as_of.parse().map_err(wrong)?);
    options.id = id;
    for (row, word) in lanes {
        let lane = Lane::of_word(&word).ok_or_else(|| {
            let known: Vec<&str> = Lane::ALL.iter().map(|l| l.word()).collect();
            wrong(format!(
                "`{word}` is no lane; there are {}",
                known.join(", ")
            ))
        })?;
        options = options.lane(row, lane);
    }
    let format: Exchange = format.parse().map_err(Failure::Exchange)?;
    let (file, notes) = exec::short(py, || {
        let back = exchange::import(text, format, &options).map_err(Failure::Exchange)?;
        Ok((MapFile::of(back.map)?, serde_json::to_string(&back.notes)?))
    })?;
    let inner = Arc::new(file);
    Ok((JourneyMap { inner }, notes))
}

#[pymethods]
impl JourneyMap {
    /// The map in another format, and what that loses, as JSON.
    #[pyo3(signature = (format, sensitive=false))]
    fn export(&self, py: Python<'_>, format: &str, sensitive: bool) -> PyResult<(String, String)> {
        let format: Exchange = format.parse().map_err(Failure::Exchange)?;
        let file = Arc::clone(&self.inner);
        let options = ExportOptions::default().sensitive(sensitive);
        exec::short(py, || {
            let out = exchange::export_with(file.map(), format, &options);
            Ok((out.text, serde_json::to_string(&out.losses)?))
        })
    }

    /// The map as it was drawn, or measured.
    #[pyo3(signature = (width=None, measured=None))]
    fn svg(&self, width: Option<f64>, measured: Option<&Answer>) -> String {
        let overlay = measured.and_then(Answer::overlay);
        MapPicture::of(self.inner.map(), overlay).svg(width.unwrap_or(MAP_WIDE))
    }

    /// The same on a page.
    #[pyo3(signature = (measured=None, heard=None, sensitive=false))]
    fn page(
        &self,
        measured: Option<&Answer>,
        heard: Option<&Answer>,
        sensitive: bool,
    ) -> PyResult<String> {
        let view = self.view(measured, heard, sensitive);
        Ok(html::map_page(&view, None, None, &[]).map_err(Failure::from)?)
    }

    /// The map measured on journeys, what the check says of it, the summary of their log, and answers: on one page.
    #[pyo3(signature = (title, journeys, answers, today, measured=None, heard=None, sensitive=false, progress=None))]
    #[allow(clippy::too_many_arguments)] // as Python names them
    fn whole_page(
        &self,
        py: Python<'_>,
        title: Option<String>,
        journeys: &Journeys,
        answers: Vec<Bound<'_, Answer>>,
        today: &str,
        measured: Option<Bound<'_, Answer>>,
        heard: Option<Bound<'_, Answer>>,
        sensitive: bool,
        progress: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<String> {
        let options = options(today, &[], &[])?;
        let own = |answer: &Bound<'_, Answer>| answer.get().clone();
        let answers: Vec<Answer> = answers.iter().map(own).collect();
        let (measured, heard) = (measured.as_ref().map(own), heard.as_ref().map(own));
        let this = self.shared();
        let journeys = journeys.cloned();
        exec::run(py, progress, move |watch| {
            let checked = overlay::check(&this, &journeys, &options, &watch.exec(None, None)?)?;
            let map = JourneyMap { inner: this };
            let view = MapView {
                check: Some(&checked),
                ..map.view(measured.as_ref(), heard.as_ref(), sensitive)
            };
            let views: Vec<AnswerView<'_>> = answers.iter().map(Answer::view).collect();
            let summary = journeys.log().summary();
            let title = title.as_deref();
            Ok(html::map_page(&view, title, Some(&summary), &views)?)
        })
    }

    /// Personas against each other; the question is two ids and whether sensitive facts are shown.
    #[pyo3(signature = (second=None, first_id=None, second_id=None, sensitive=false))]
    fn diff_personas(
        &self,
        py: Python<'_>,
        second: Option<&JourneyMap>,
        first_id: Option<String>,
        second_id: Option<String>,
        sensitive: bool,
    ) -> PyResult<Answer> {
        let mut options = PersonaDiffOptions::default();
        options.first = first_id.map(Into::into);
        options.second = second_id.map(Into::into);
        options.sensitive = sensitive;
        let (first, second) = (self.shared(), second.map(JourneyMap::shared));
        exec::short(py, || {
            let second = second.as_ref().map(|file| file.map());
            let diff =
                overlay::persona_diff(first.map(), second, &options).map_err(Failure::Persona)?;
            Ok(Answer::of(diff.into_answer()))
        })
    }

    /// What each persona weighs.
    #[pyo3(signature = (measured=None))]
    fn persona_weights(&self, measured: Option<&Answer>) -> Answer {
        let overlay = measured.and_then(Answer::overlay);
        Answer::of(overlay::persona_weights(self.inner.map(), overlay).into_answer())
    }

    #[getter]
    fn id(&self) -> String {
        self.inner.map().id.to_string()
    }

    /// The title in a language, or in the map's own.
    #[pyo3(signature = (language=None))]
    fn title(&self, language: Option<&str>) -> String {
        let map = self.inner.map();
        let title: &LocalizedText = &map.title;
        title
            .get(language.unwrap_or_else(|| map.main_language()))
            .to_owned()
    }

    #[getter]
    fn version(&self) -> String {
        self.inner.map().version.to_string()
    }

    #[getter]
    fn kind(&self) -> &'static str {
        self.inner.map().kind.word()
    }

    #[getter]
    fn status(&self) -> &'static str {
        self.inner.map().status.word()
    }

    #[getter]
    fn fingerprint(&self) -> String {
        format!("{:032x}", self.inner.map().fingerprint())
    }

    /// How many stages and touchpoints there are.
    #[getter]
    fn size(&self) -> (usize, usize) {
        let map = self.inner.map();
        (map.stages.len(), map.touchpoints.len())
    }

    fn yaml(&self) -> PyResult<String> {
        Ok(self.inner.map().to_yaml().map_err(Failure::from)?)
    }

    fn json(&self) -> PyResult<String> {
        Ok(self.inner.map().to_json().map_err(Failure::from)?)
    }

    /// The rule that cuts journeys as the map wants them, as the command line writes it.
    fn rule(&self) -> PyResult<String> {
        let rule = overlay::journey_rule(self.inner.map()).map_err(Failure::from)?;
        Ok(rule.to_string())
    }

    /// Looks at the map, and holds it against a log or against journeys; what is said, as JSON.
    #[pyo3(signature = (today, deny, allow, log=None, journeys=None))]
    fn check(
        &self,
        py: Python<'_>,
        today: &str,
        deny: Vec<String>,
        allow: Vec<String>,
        log: Option<&Log>,
        journeys: Option<&Journeys>,
    ) -> PyResult<String> {
        let options = options(today, &deny, &allow)?;
        let file = Arc::clone(&self.inner);
        let log = log.map(|l| l.inner.clone());
        let journeys = journeys.map(Journeys::cloned);
        exec::run(py, None, move |watch| {
            let cut = match (journeys, log) {
                (Some(journeys), _) => Some(journeys),
                (None, Some(log)) => {
                    // A rule that cannot be is said of the map, which is then looked at uncut.
                    let rule = overlay::journey_rule(file.map()).unwrap_or_default();
                    Some(
                        log.journeys(rule)
                            .or_else(|_| log.journeys(Default::default()))?,
                    )
                }
                (None, None) => None,
            };
            let done = match cut {
                Some(journeys) => {
                    overlay::check(&file, &journeys, &options, &watch.exec(None, None)?)?
                }
                None => MapCheck {
                    report: check(&file, &options),
                    coverage: None,
                },
            };
            Ok(serde_json::to_string(&done)?)
        })
    }

    /// Measures the map against a log, cut as the map wants, or against journeys. The question is JSON.
    #[pyo3(signature = (question, log=None, journeys=None, feedback=None, tables=Vec::new(), threads=None, memory_budget=None, progress=None))]
    #[allow(clippy::too_many_arguments)] // as Python names them
    fn overlay(
        &self,
        py: Python<'_>,
        question: &str,
        log: Option<&Log>,
        journeys: Option<&Journeys>,
        feedback: Option<&Feedback>,
        tables: Vec<Bound<'_, External>>,
        threads: Option<usize>,
        memory_budget: Option<u64>,
        progress: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Answer> {
        let how: Overlay = serde_json::from_str(question).map_err(Failure::from)?;
        let file = Arc::clone(&self.inner);
        let log = log.map(|l| l.inner.clone());
        let journeys = journeys.map(Journeys::cloned);
        let sources = KpiSources {
            tables: tables.iter().map(|t| t.get().shared()).collect(),
            answers: feedback.map(Feedback::shared),
            ..KpiSources::default()
        };
        exec::run(py, progress, move |watch| {
            let exec = watch.exec(threads, memory_budget)?;
            let cut = match (journeys, log) {
                (Some(journeys), _) => journeys,
                (None, Some(log)) => log
                    .journeys_with(overlay::journey_rule(file.map())?, &exec)
                    .map_err(|e| overlay::placed(&file, log.catalog(), e))?,
                (None, None) => {
                    return Err(Failure::Panic("nothing to measure against".to_owned()));
                }
            };
            let found = overlay::measured(file.map(), &cut, &how, &sources, &exec)
                .map_err(|e| overlay::placed(&file, cut.catalog(), e))?;
            Ok(Answer::of(found.into_answer()))
        })
    }
}

impl JourneyMap {
    /// What its page shows.
    fn view<'a>(
        &'a self,
        measured: Option<&'a Answer>,
        heard: Option<&'a Answer>,
        sensitive: bool,
    ) -> MapView<'a> {
        MapView {
            overlay: measured.and_then(Answer::overlay),
            voice: heard.and_then(Answer::voice),
            sensitive,
            ..MapView::new(self.inner.map())
        }
    }

    /// The core's own object.
    pub(crate) fn shared(&self) -> Arc<MapFile> {
        Arc::clone(&self.inner)
    }
}

fn options(today: &str, deny: &[String], allow: &[String]) -> PyResult<CheckOptions> {
    let wrong = |told: String| pyo3::exceptions::PyValueError::new_err(told);
    let code = |text: &String| text.parse::<Code>().map_err(wrong);
    let mut options = CheckOptions::new().today(today.parse().map_err(wrong)?);
    for text in deny {
        options = match text.as_str() {
            "warnings" => options.deny_warnings(),
            _ => options.deny([code(text)?]),
        };
    }
    for text in allow {
        options = options.allow([code(text)?]);
    }
    Ok(options)
}
