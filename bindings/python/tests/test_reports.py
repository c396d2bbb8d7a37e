"""Reports: typed, tabled, frozen, shown, and the way back to the journeys that they count."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import desireline as dl
from desireline import _core
from desireline._analyses import QUESTIONS
from desireline._reports import REPORTS

# A question of each analysis that the simulated shop can answer.
ASKED: dict[str, dl.Spec] = {
    "paths": dl.Paths(top=5),
    "transitions": dl.Transitions(),
    "directly_follows": dl.DirectlyFollows(),
    "precedence": dl.Precedence(top=8),
    "patterns": dl.Patterns(goal="purchase", max_length=3, top=8),
    "funnel": dl.Funnel(["product_view", "payment", "purchase"], within="7d"),
    "dropoff": dl.Dropoff(goal="purchase"),
    "goals": dl.Goals(["purchase", dl.Goal("help", dl.event("help") | "support_chat")]),
    "retention": dl.Retention(unit="week", periods=6, time_zone="Europe/Berlin", returns="purchase"),
    "calendar": dl.Calendar(goal="purchase", time_zone="Europe/Berlin"),
    "stability": dl.Stability("purchase"),
}
# Counts are not compared, nor what is looked for in each group anew.
COMPARED = [name for name in ASKED if name not in ("directly_follows", "patterns")]


def test_every_analysis_has_its_method_and_classes() -> None:
    names = _core.analyses()
    assert names
    assert list(QUESTIONS) == names
    assert list(REPORTS) == names
    for name in names:
        assert callable(getattr(dl.Journeys, name))
        assert issubclass(REPORTS[name], dl.Report)
        assert getattr(dl, QUESTIONS[name].__name__) is QUESTIONS[name]
        assert name in ASKED, f"ask something of {name}"


@pytest.mark.parametrize("name", ASKED)
def test_every_report_is_whole(name: str, sessions: dl.Journeys, tmp_path: Path) -> None:
    asked = ASKED[name]
    report = sessions.run([asked])[0]
    assert type(report) is REPORTS[name]
    assert report.analysis == name
    # The question comes back and gives the same answer, from plain data.
    again = sessions.analyze(report.analysis, report.spec)
    assert again.to_json() == report.to_json()
    # Every typed attribute can be read.
    fields = [n for n, v in vars(type(report)).items() if hasattr(v, "func")]
    assert fields
    for field in fields:
        getattr(report, field)
    # Tables of any library, and without one.
    for table in report.tables.values():
        n = len(table)
        plain = table.to_dict()
        assert all(len(cells) == n for cells in plain.values())
        assert len(list(table.rows())) == n
        assert table.to_polars().height == n
        assert table.to_polars().columns == list(table.columns)
        assert len(table.to_pandas()) == n
        assert pa.table(table).num_rows == n
        assert table.to_csv().count("\n") >= n  # type: ignore[union-attr]
        assert table.title in table._repr_html_()
    assert pl.DataFrame(report).equals(report.to_polars())
    assert len(report.to_pandas()) == len(report.tables[0])
    # For people.
    assert report.title in repr(report)
    bundle = report._repr_mimebundle_()
    assert "<table" in bundle["text/html"]
    if report.svg() is not None:
        assert bundle["image/svg+xml"].startswith("<svg")
        assert report.svg(tmp_path / "picture.svg") is None
        assert (tmp_path / "picture.svg").stat().st_size > 500
    assert report.to_html(tmp_path / "page.html") is None
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "Content-Security-Policy" in page
    document = json.loads(report.to_json() or "")
    assert document["analysis"] == name
    assert report.to_markdown()
    # From each cell to its members, as many as were counted.
    cells = report.cells()
    assert cells
    for cell, count in list(cells.items())[:5]:
        assert len(report.members(cell, limit=20)) == min(count, 20)
    # Provenance and caveats.
    assert report.provenance.n_journeys == sessions.n_journeys
    assert report.provenance.engine == dl.__version__
    assert all(str(c) for c in report.caveats)


@pytest.mark.parametrize("name", ASKED)
def test_every_report_by_groups(name: str, sessions: dl.Journeys) -> None:
    report = sessions._ask(ASKED[name], "device")
    assert isinstance(report, dl.GroupedReport)
    assert report.by == "device"
    assert sum(g.journeys for g in report) == sessions.n_journeys
    part = report["desktop"]
    assert type(part) is REPORTS[name]
    alone = sessions.keep_journeys('device == "desktop"').run([ASKED[name]])[0]
    assert part._data == {**alone._data, "caveats": part._data["caveats"]}
    assert part.tables[0].to_dict() == alone.tables[0].to_dict()
    with pytest.raises(dl.UnknownNameError, match="desktop"):
        report["phone"]
    with pytest.raises(TypeError, match="whole"):
        part.members("any")
    again = sessions.analyze(report.analysis, report.spec)
    assert isinstance(again, dl.GroupedReport)
    assert again.to_json() == report.to_json()


@pytest.mark.parametrize("name", COMPARED)
def test_every_question_can_be_compared(name: str, sessions: dl.Journeys) -> None:
    report = sessions.compare("device", on=ASKED[name], baseline="desktop", stratify="plan")
    assert type(report) is dl.CompareReport
    assert (report.of, report.by, report.stratified_by) == (name, "device", "plan")
    assert {g.name for g in report.groups if g.baseline} == {"desktop"}
    assert report.rows
    assert all(r.q is None or (r.p is not None and r.q >= r.p) for r in report.rows)
    assert len(report.to_polars()) == len(report.rows)
    assert sessions.analyze(report.analysis, report.spec).to_json() == report.to_json()
    assert "<table" in report._repr_html_()


def test_two_conditions_are_compared(sessions: dl.Journeys) -> None:
    funnel = dl.Funnel(["payment", "purchase"])
    report = sessions.compare(a=dl.col("device") == "mobile_ios", b=dl.col("device") == "desktop", on=funnel)
    assert {g.name for g in report.groups} >= {'device == "mobile_ios"', 'device == "desktop"'}
    assert all((r.a.group, r.b.group) == ('device == "mobile_ios"', 'device == "desktop"') for r in report.rows)
    rest = sessions.compare(a='channel == "referral"', on=("goals", {"goals": ["payment"]}))
    assert rest.rows
    with pytest.raises(TypeError, match="by="):
        sessions.compare(on=funnel)
    with pytest.raises(TypeError, match="a="):
        sessions.compare("device", on=funnel, b="purchase")
    with pytest.raises(dl.SpecError, match="desktop"):
        sessions.compare("device", on=funnel, baseline="destkop")


@pytest.mark.parametrize("name", ASKED)
def test_every_report_has_a_figure(name: str, sessions: dl.Journeys) -> None:
    figure = sessions.run([ASKED[name]])[0].plot()
    assert figure.data
    assert sessions._ask(ASKED[name], "plan").plot().data
    if name in COMPARED:
        assert sessions.compare("plan", on=ASKED[name]).plot().data


def test_counts_are_not_compared(sessions: dl.Journeys) -> None:
    with pytest.raises(dl.SpecError, match="compare `transitions`"):
        sessions.compare("device", on=dl.DirectlyFollows())
    graph = sessions.directly_follows(top=5)
    assert graph.to_dot().startswith("digraph")
    assert sum(row.count for row in sessions.transitions().transitions) == graph.count


def test_groups_by_segments(sessions: dl.Journeys) -> None:
    segments = {"phones": dl.col("device").like("mobile*"), "referred": dl.col("channel") == "referral"}
    report = sessions.funnel(["product_view", "purchase"], by=segments)
    assert {g.name for g in report.groups} == {"phones", "referred", "(no segment)"}
    assert any(c.kind == "population_overlap" for c in report.caveats)
    each = sessions.funnel(["product_view", "purchase"], by=dl.By("channel", attribution="each"))
    assert len(each) > 3
    with pytest.raises(TypeError, match="by="):
        sessions.funnel(["product_view"], by=3)  # type: ignore[call-overload]


def test_a_funnel_counted_by_hand(journeys: dl.Journeys) -> None:
    funnel = journeys.funnel(["view", "cart", "buy"])
    assert [s.label for s in funnel.steps] == ["view", "cart", "buy"]
    assert [s.reached for s in funnel.steps] == [4, 2, 1]
    assert funnel.steps[0].of_entered.count == 4
    # Four observations are too few for a rate.
    assert funnel.steps[1].of_entered.estimate is None
    assert (funnel.entered, funnel.converted) == (4, 1)
    member = funnel.members("converted")[0]
    assert member.customer == "007"
    why = journeys.explain(funnel, customer="007")
    assert [name for _, name in why[0].events] == ["view", "cart", "buy"]
    assert funnel.explain("007") == why
    assert "view" in str(why[0])
    with pytest.raises(dl.UnknownNameError, match="no customer with this id"):
        journeys.explain(dl.Funnel(["view"]), customer="nobody")
    with pytest.raises(dl.UnknownNameError, match="did you mean `converted`"):
        funnel.members("convertd")


def test_estimates_are_typed(sessions: dl.Journeys) -> None:
    step = sessions.funnel(["product_view", "payment", "purchase"]).steps[2]
    estimate = step.of_entered.estimate
    assert estimate is not None
    assert 0 < estimate.lower < estimate.value < estimate.upper < 1
    assert (estimate.level, estimate.unit) == (0.95, "proportion")


def test_one_pass_answers_several_questions(sessions: dl.Journeys) -> None:
    together = sessions.run(list(ASKED.values()))
    assert [r.analysis for r in together] == list(ASKED)
    for report, asked in zip(together, ASKED.values(), strict=True):
        assert report.to_json() == sessions.run([asked])[0].to_json()
    assert sessions.run([("paths", {"top": 3})])[0].analysis == "paths"
    page = sessions.to_html(ASKED.values(), title="Shop & <friends>")
    assert page is not None
    assert "Shop &amp; &lt;friends&gt;" in page


def test_entropy_of_paths_is_scipy_s(sessions: dl.Journeys) -> None:
    from math import log

    from scipy.stats import entropy

    report = sessions.paths(top=1_000_000)
    counts = [row.journeys for row in report.paths]
    assert len(counts) == report.distinct
    found = report.entropy
    assert found is not None
    assert found.bits == pytest.approx(entropy(counts, base=2), rel=1e-12)
    assert found.corrected == pytest.approx(found.bits + (len(counts) - 1) / (2 * report.journeys * log(2)))
    assert found.evenness == pytest.approx(found.bits / log(len(counts), 2))
    assert found.effective_paths == pytest.approx(2**found.bits)
    # The top paths' share is exact.
    assert sessions.paths(top=3).coverage == pytest.approx(sum(counts[:3]) / sum(counts))


def test_kappa_of_a_segment_is_the_naive_one(sessions: dl.Journeys) -> None:
    report = sessions.stability("purchase")
    n = report.both
    p = (report.stayed + report.outside) / n
    first, second = (report.stayed + report.left) / n, (report.stayed + report.entered) / n
    e = first * second + (1 - first) * (1 - second)
    assert report.kappa is not None
    assert report.kappa.value == pytest.approx((p - e) / (1 - e))
    assert report.kappa.lower < report.kappa.value < report.kappa.upper
    assert report.overlap.count == report.stayed


def test_hours_and_days_add_up(sessions: dl.Journeys) -> None:
    report = sessions.calendar(goal="purchase", time_zone="Europe/Berlin")
    for slots in (report.hours, report.weekdays):
        assert sum(s.events.count for s in slots) == report.events
        assert sum(s.starts.count for s in slots) == report.journeys == sessions.n_journeys
        assert sum(s.conversion.count for s in slots if s.conversion) == report.goals
    assert sum(c.events for c in report.week) == report.events
    with pytest.raises(dl.SpecError, match="Berlin"):
        sessions.calendar(time_zone="Berlin")


def test_order_and_patterns(sessions: dl.Journeys) -> None:
    order = sessions.precedence(touchpoints=["payment", "product_view", "purchase"])
    assert [t.touchpoint for t in order.touchpoints] == ["product_view", "payment", "purchase"]
    assert {p.verdict for p in order.pairs} <= {"follows", "against", "unclear", "too_few"}
    found = sessions.patterns(min_length=3, max_length=3, max_steps=1, min_support=0.02, top=5)
    assert all(len(p.pattern) == 3 and p.share.count == p.journeys for p in found.patterns)
    # Without bounds a pattern's journeys are those of the funnel of its events.
    pair = sessions.patterns(min_length=3, max_length=3, top=1, closed=True).patterns[0]
    assert sessions.funnel(list(pair.pattern)).converted == pair.journeys


def test_reports_are_frozen(journeys: dl.Journeys) -> None:
    report = journeys.funnel(["view"])
    with pytest.raises(AttributeError, match="frozen"):
        report.steps = ()  # type: ignore[misc]
    with pytest.raises(AttributeError):
        report.steps[0].label = "x"  # type: ignore[misc]
    with pytest.raises(AttributeError, match="frozen"):
        del report.tables
    columns = report.tables["steps"].to_dict()
    columns.clear()
    assert report.tables["steps"].to_dict()


def test_questions_that_cannot_be(journeys: dl.Journeys) -> None:
    with pytest.raises(dl.UnknownNameError, match="did you mean `funnel`") as caught:
        journeys.analyze("funel")
    assert caught.value.code == "unknown_analysis"
    with pytest.raises(dl.SpecError, match="steps"):
        journeys.analyze("funnel", {})
    with pytest.raises(dl.SpecError, match="stepps"):
        journeys.analyze("funnel", {"steps": ["view"], "stepps": 1})
    with pytest.raises(dl.SpecError):
        journeys.funnel([])
    with pytest.raises(dl.SpecError):
        journeys.funnel(["view"], within="soon")
    with pytest.raises(dl.SpecError):
        journeys.funnel(["view"], level=float("2"))
    with pytest.raises(TypeError):
        journeys.funnel(["view"], level=float("nan"))
    with pytest.raises(dl.SpecError, match="steps"):
        journeys.funnel(None)  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="question"):
        journeys.run([3])  # type: ignore[list-item]
    with pytest.raises(dl.UnknownNameError, match="platform"):
        journeys.funnel(["view"], by="platfrom")


def test_cells_and_units_of_tables(sessions: dl.Journeys) -> None:
    report = sessions.funnel(["product_view", "purchase"])
    times = report.tables["times"].to_dict()
    spans = [c for cells in times.values() for c in cells if isinstance(c, timedelta)]
    assert spans
    assert report.tables[0].name == "steps"
    assert report.tables["steps"]["step"] == report.tables["steps"].to_dict()["step"]
    with pytest.raises(dl.UnknownNameError, match="steps"):
        report.tables["stepps"]
    with pytest.raises(dl.UnknownNameError, match="reached"):
        report.tables["steps"]["nothing"]
    assert isinstance(report.to_pandas(), pd.DataFrame)


def test_hostile_names_stay_text(rows: dict[str, list[object]]) -> None:
    from conftest import read

    name = '</td><script>alert(1)</script>\u202e"><svg onload=alert(1)>'
    rows["what"] = [name if w == "view" else w for w in rows["what"]]  # type: ignore[misc]
    report = read(pl.DataFrame(rows)).journeys().paths()
    html = report._repr_html_()
    assert "<script" not in html
    assert "<svg onload" not in html
    assert name in report.tables["paths"]["path"][0] or any(name in p for p in report.tables["paths"]["path"] if p)


def test_summary(log: dl.Log) -> None:
    summary = log.summary()
    assert (summary.events, summary.customers) == (8, 4)
    assert [(n.name, n.events) for n in summary.names] == [("view", 4), ("cart", 3), ("buy", 1)]
    assert summary.events_per_customer.max == 3
    assert "Customers" in repr(summary) or "customers" in repr(summary)
    assert summary._repr_html_()
    assert log.names == ("view", "cart", "buy")
    assert repr(log) == "Log(8 events of 4 customers, 2025-01-01 to 2025-01-02)"


def test_rules(log: dl.Log) -> None:
    assert log.journeys(gap="30m").n_journeys == 5
    assert log.journeys(gap=timedelta(minutes=30)).n_journeys == 5
    assert log.journeys(end="buy").rule == "end=buy"
    assert log.journeys(calendar="day", zone="Europe/Berlin").rule == "calendar=day@Europe/Berlin"
    assert log.journeys(column="platform").n_journeys == 5
    assert log.journeys(start=dl.event("view"), max="7d").rule == "start=view max=7d"
    assert len(log.journeys()) == 4
    with pytest.raises(TypeError, match="calendar"):
        log.journeys(zone="UTC")
    with pytest.raises(TypeError, match="length of time"):
        log.journeys(gap=30)  # type: ignore[arg-type]
    with pytest.raises(dl.SpecError):
        log.journeys(gap="30 parsecs")
    with pytest.raises(dl.SpecError):
        log.journeys(calendar="day", zone="Nowhere/Town")
