"""A map measured against a log."""

from __future__ import annotations

import copy
import json
import pickle
import re
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

import desireline as dl

SHOP = Path(__file__).parents[3] / "examples/maps/shop.yaml"


@pytest.fixture(scope="module")
def shop() -> dl.JourneyMap:
    return dl.JourneyMap.load(SHOP)


@pytest.fixture(scope="module")
def log() -> dl.Log:
    return dl.simulate(customers=600, seed=3)


@pytest.fixture(scope="module")
def report(shop: dl.JourneyMap, log: dl.Log) -> dl.OverlayReport:
    return shop.overlay(log, per="month", handovers=["device"])


def test_tables_speak_to_frames(report: dl.OverlayReport) -> None:
    stages = report.stages
    assert stages is not None
    frame = stages.to_pandas()
    assert list(frame["stage"]) == ["discover", "explore", "decide", "order", "settle", "care"]
    assert {"reach", "reach_lower", "reach_upper", "reach_n", "reach_count", "dwell_median"} <= set(frame.columns)
    assert ((frame["reach_lower"] <= frame["reach"]) & (frame["reach"] <= frame["reach_upper"])).all()
    for name in report.tables:
        assert pa.table(report.tables[name]).num_rows == len(report.tables[name]), name
    assert report.steps is None
    assert report.trend is not None and set(report.trend["kind"]) == {"stage", "touchpoint"}
    assert report.handovers is not None and set(report.handovers["by"]) <= {"owner", "channel", "device"}


def test_every_table_of_the_core_has_an_attribute(report: dl.OverlayReport) -> None:
    sources = (SHOP.parents[2] / "crates/desireline-core/src/overlay/report").glob("*.rs")
    names = {name for path in sources for name in re.findall(r'Table::new\(\s*"(\w+)"', path.read_text())}
    assert {"stages", "kpis", "kpi_parts", "unmapped"} <= names
    missing = {name for name in names | set(report.tables) if not isinstance(getattr(dl.OverlayReport, name, None), property)}
    assert not missing
    for name, table in report.tables.items():
        shown = getattr(report, name)
        assert isinstance(shown, dict) or shown.columns == table.columns, name


def test_kpis_by_channel_have_their_parts(shop: dl.JourneyMap, log: dl.Log) -> None:
    document = shop.to_dict()
    each = {"id": "each", "kpi": "reach", "params": {"variant": "by_channel"}}
    alone = {"id": "alone", "kpi": "reach", "params": {"variant": "incremental"}}
    document["kpis"] = [each, alone, {"id": "buys", "kpi": "conversion", "params": {"entry": "checkout", "goal": "purchase"}}]
    found = dl.JourneyMap(document).overlay(log, personas=False)
    kpis = found.to_dict()["kpis"]
    assert [k["id"] for k in kpis] == ["each", "alone", "buys"]
    assert kpis[2]["name"] == "Conversion from checkout to purchase"
    assert all(set(p) == {"key", "value", "n", "met", "hole"} for k in kpis for p in k.get("parts", []))
    parts = found.kpi_parts
    assert parts is not None
    frame: pd.DataFrame = parts.to_pandas()
    reach = frame[frame["id"] == "each"].set_index("key")["value"]
    only = frame[frame["id"] == "alone"].set_index("key")["value"]
    # A channel that reaches nobody alone is listed, too.
    assert set(reach.index) == set(only.index) and (only <= reach[only.index]).all() and len(reach) > 3


def test_counts_are_those_of_pandas() -> None:
    events = pd.DataFrame(
        {
            "who": ["a", "a", "a", "b", "b", "c"],
            "at": pd.to_datetime([0, 60, 90, 0, 30, 40], unit="s", utc=True),
            "what": ["see", "buy", "see", "see", "hum", "buy"],
        }
    )
    document = {
        "schema": 1,
        "id": "m",
        "title": "M",
        "version": "1.0.0",
        "kind": "actual",
        "status": "draft",
        "as_of": "2026-01-01",
        "owner": "o",
        "stakeholders": [{"id": "o", "name": "O"}],
        "stages": [{"id": "look", "name": "Look"}, {"id": "have", "name": "Have"}],
        "goals": [{"id": "g", "text": "Have it", "kind": "functional", "success": "buy"}],
        "touchpoints": [
            {"id": "see", "name": "See", "stages": ["look"], "binding": "see"},
            {"id": "buy", "name": "Buy", "stages": ["have"], "binding": "buy"},
        ],
    }
    log = dl.read(events, customer="who", time="at", event="what")
    report = dl.JourneyMap(document).overlay(log, min_n=1, alive="10s")
    touchpoints = report.touchpoints
    assert touchpoints is not None
    met = events.groupby("what")["who"].agg(["size", "nunique"]).loc[["see", "buy"]]
    assert touchpoints["events"] == list(met["size"])
    assert touchpoints["customer_reach_count"] == list(met["nunique"])
    assert report.base["reached"] == 2 and report.base["dropped"] == 1
    assert report.unmapped is not None and report.unmapped["event"] == ["hum"]


def test_parts_make_the_whole(report: dl.OverlayReport) -> None:
    personas = report.personas
    assert personas is not None
    assert personas["persona"] == ["casual", "regular", "regular-iphone", "(no persona)"]
    assert sum(personas["journeys"]) == report.base["journeys"]
    edges = report.edges
    assert edges is not None
    frame: pd.DataFrame = edges.to_pandas()
    away = frame[frame["kind"] == "touchpoint"].groupby("from")["share_count"].sum()
    touchpoints = report.touchpoints
    assert touchpoints is not None
    departures = touchpoints.to_pandas().set_index("touchpoint")["departures"]
    assert away.to_dict() == departures[away.index].to_dict()


def test_journeys_and_questions(shop: dl.JourneyMap, log: dl.Log, report: dl.OverlayReport) -> None:
    cut = log.journeys(column="session_id")
    same = shop.overlay(cut, per="month", handovers=["device"], threads=1)
    assert same.to_dict() == report.to_dict()
    one = shop.overlay(log, persona="casual", personas=False, min_n=50, level=0.9)
    assert one.base["customers"] < report.base["customers"]
    assert (one.base["level"], one.base["min_n"]) == (0.9, 50)
    with pytest.raises(dl.SpecError, match="did you mean `casual`"):
        shop.overlay(log, persona="casul")
    with pytest.raises(TypeError, match="a Log or Journeys"):
        shop.overlay("events.csv")  # type: ignore[arg-type]


def test_who_comes_back_and_what_rings(shop: dl.JourneyMap, log: dl.Log) -> None:
    document = shop.to_dict()
    bounce = {"id": "bounce", "kpi": "bounce_rate", "alert": {"op": ">=", "value": 0.0}}
    document["kpis"] = [bounce, {**bounce, "id": "lasts", "alert": {**bounce["alert"], "lasting": "2d"}}]
    report = dl.JourneyMap(document).overlay(log, per="week", time_zone="Europe/Berlin", returns_within="3d")
    returns = report.returns
    assert returns is not None and set(returns["kind"]) == {"stage", "touchpoint", "channel"}
    frame: pd.DataFrame = returns.to_pandas()
    assert (frame["lost_count"] + frame["returned_count"] == frame["returned_n"]).all()
    touchpoints = report.touchpoints
    assert touchpoints is not None
    here = touchpoints.to_pandas().set_index("touchpoint")["reach_count"]
    own = frame[frame["kind"] == "touchpoint"].set_index("id")
    assert (own["lost_n"] + own["open"]).to_dict() == here[own.index].to_dict()
    assert report.to_dict()["returns"]["within"] == 3 * 86_400_000_000
    kpis = report.kpis
    assert kpis is not None
    assert kpis["alert"] == [True, True] and kpis["alert_unit"] == ["week", "day"]
    assert kpis["alert_wanted"] == [None, 2] and min(kpis["alert_periods"]) >= 1


def test_a_map_is_drawn_as_it_is_measured(shop: dl.JourneyMap, log: dl.Log, tmp_path: Path) -> None:
    shop.draw(tmp_path / "one.html", on=log, persona="casual", min_n=50, level=0.9)
    measured = shop.overlay(log, persona="casual", min_n=50, level=0.9)
    shop.draw(tmp_path / "two.html", measured=measured)
    page = (tmp_path / "one.html").read_text(encoding="utf-8")
    assert page == (tmp_path / "two.html").read_text(encoding="utf-8")
    assert "Who leaves without a goal" in page
    with pytest.raises(TypeError, match="not both"):
        shop.draw(tmp_path / "x.svg", on=log, measured=measured)
    with pytest.raises(TypeError, match="say how to measure"):
        shop.draw(tmp_path / "x.svg", persona="casual")


def test_the_page_of_journeys_begins_with_a_map(shop: dl.JourneyMap, log: dl.Log, tmp_path: Path) -> None:
    journeys = log.journeys(gap="30m")
    paths = dl.Paths()
    page = journeys.to_html([paths], map=shop, min_n=20)
    assert page is not None and page.count("<html") == 1 and "<script" not in page
    title = shop.title
    assert f"<title>{title}" in page
    bare = journeys.to_html([paths])
    assert bare is not None and title not in bare and "Customer journeys" in bare
    # The answers stand on both; the map, what the check says and the log's summary on the one with the map.
    answer = journeys.run([paths])[0].title
    assert answer in page and answer in bare
    measured = shop.overlay(journeys, min_n=20)
    path = tmp_path / "page.html"
    assert journeys.to_html([paths], path, map=shop, measured=measured, title="Mine") is None
    written = path.read_text(encoding="utf-8")
    assert "<title>Mine" in written and "Events on the map" in written
    assert written.replace("Mine", title) == page
    with pytest.raises(TypeError, match="give map="):
        journeys.to_html([paths], measured=measured)
    with pytest.raises(TypeError, match="min_n say how to measure"):
        journeys.to_html([paths], map=shop, measured=measured, min_n=5)


def test_conditions_that_do_not_fit_have_their_line(shop: dl.JourneyMap, log: dl.Log) -> None:
    def scoped(name: str, segment: str) -> dl.JourneyMap:
        document = {**shop.to_dict(), "id": name}
        document["scope"] = {**document["scope"], "segment": segment}
        return dl.JourneyMap.loads(json.dumps(document, indent=1))

    broken = scoped("broken", "nothing_of_this == 'x'")
    journeys = log.journeys(gap="30m")
    with pytest.raises(dl.UnknownNameError, match=r"line \d+, column \d+ of the map `broken`: `scope.segment` does not fit"):
        dl.scenarios([shop, broken], log)
    said = pd.DataFrame({"who": ["a"], "when": [pd.Timestamp("2025-01-01", tz="UTC")], "nps": [9]})
    answers = dl.Feedback.read(said, questions=[dl.SurveyQuestion("nps", "nps")], customer="who", time="when")
    document = shop.to_dict()
    document["touchpoints"][0]["binding"] = "nothing_of_this == 'x'"
    unbound = dl.JourneyMap.loads(json.dumps(document, indent=1))
    with pytest.raises(dl.UnknownNameError, match=r"line \d+, column \d+ of the map: `touchpoints\[0\].binding"):
        unbound.feedback(journeys, answers)


def test_money_has_its_currency() -> None:
    rows = [(f"c{i}", i, "buy", 10.0 + i) for i in range(12)]
    frame = pd.DataFrame(rows, columns=["who", "hour", "what", "money"])
    frame["at"] = pd.Timestamp("2026-01-01", tz="UTC") + pd.to_timedelta(frame.pop("hour"), unit="h")
    log = dl.read(frame, customer="who", time="at", event="what", value="money", currency="EUR")
    document = dl.JourneyMap.template("blank").to_dict()
    document["kpis"] = [{"id": "spent", "kpi": "revenue", "params": {"variant": "customer"}}]
    kpis = dl.JourneyMap(document).overlay(log, min_n=5).kpis
    assert kpis is not None
    row = kpis.to_pandas().iloc[0]
    assert (row["value"], row["currency"]) == (pytest.approx(15.5), "EUR")


def test_frozen_copied_and_shown(report: dl.OverlayReport) -> None:
    with pytest.raises(AttributeError):
        report.stages = None  # type: ignore[misc]
    again = pickle.loads(pickle.dumps(report))
    assert isinstance(again, dl.OverlayReport) and again.to_dict() == report.to_dict()
    assert copy.copy(report) is report
    changed = report.to_dict()
    changed["base"]["events"] = 0
    assert report.base["events"] > 0
    assert "Stages" in repr(report) and "<table" in report._repr_html_()
    document = json.loads(report.to_json() or "")
    assert document["analysis"] == "overlay" and document["report"]["map"]["id"] == "shop"
    assert report.map["owner"] == "Customer experience"
    assert report.never_seen == tuple(report.to_dict()["never_seen"])
