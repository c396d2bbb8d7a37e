"""Personas: profiles against each other, weights, facts that nobody is shown; lifecycles; sources of their own."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pytest

import desireline as dl

MAP = """
schema: 1
id: m
title: M
version: 1.0.0
kind: actual
status: draft
as_of: 2026-01-01
owner: o
stakeholders: [{id: o, name: O}]
stages: [{id: s, name: Stage}]
goals: [{id: buys, text: Buys it, kind: functional, success: purchase}]
touchpoints: [{id: home, name: Home, stages: [s], binding: home}]
personas:
  - {id: wished, name: Wished, kind: ideal, traits: {age: 25-34, place: town}, sensitive: [age]}
  - {id: free, name: Free, kind: actual, member: 'person.plan == "free"', share: 0.4, value: 10.00 EUR, traits: {place: town}}
"""


@pytest.fixture(scope="module")
def shop() -> dl.Log:
    return dl.simulate(customers=300, seed=1)


def test_profiles_field_by_field(tmp_path: Path) -> None:
    m = dl.JourneyMap.loads(MAP)
    diff = m.diff_personas()
    found = {f.field: f.change for f in diff.fields}
    assert found["traits.place"] == "equal" and found["traits.age"] == "missing_in_second"
    age = next(f for f in diff.fields if f.field == "traits.age")
    assert age.hidden and age.first_says is None
    shown = next(f for f in m.diff_personas(sensitive=True).fields if f.field == "traits.age")
    assert shown.first_says == "25-34" and not shown.hidden
    assert {f.change for f in m.diff_personas(m).fields} == {"equal"}
    with pytest.raises(dl.SpecError, match="no persona `nobody`"):
        m.diff_personas(first="nobody")
    page = tmp_path / "m.html"
    m.draw(page)
    assert "25-34" not in page.read_text() and "town" in page.read_text()
    m.draw(page, sensitive=True)
    assert "25-34" in page.read_text()
    assert "25-34" not in m.to_markdown() and "25-34" in m.export("markdown", sensitive=True).text


def test_weights(shop: dl.Log) -> None:
    m = dl.JourneyMap.loads(MAP)
    weights = m.persona_weights()
    assert weights.declared == pytest.approx(0.4) and weights.declared_rest == pytest.approx(0.6)
    assert weights.personas[1]["weight"] == "4.00 EUR" and weights.covered is None
    measured = m.persona_weights(m.overlay(shop))
    covered = measured.covered
    assert covered is not None and covered["n"] == shop.n_customers
    row = measured.personas[1]
    assert row["measured"]["count"] == covered["count"]
    assert measured.tables["weights"].to_dict()["persona"] == ["wished", "free", "(no persona)"]


def test_a_lifecycle(shop: dl.Log, tmp_path: Path) -> None:
    phases = [{"phase": "impression", "enters": "home"}, {"phase": "conversion", "enters": "purchase"}]
    document = {"schema": 1, "id": "life", "title": "Life", "version": "1.0.0", "phases": phases}
    life = shop.journeys().lifecycle(document)
    assert life.customers == shop.n_customers == life.none + sum(life.now.values())
    path = tmp_path / "life.json"
    path.write_text(json.dumps(document))
    assert shop.journeys().lifecycle(path).to_json() == life.to_json()
    with pytest.raises(dl.InputNotFoundError):
        shop.journeys().lifecycle(tmp_path / "none.yaml")
    with pytest.raises(dl.SpecError):
        shop.journeys().lifecycle({"schema": 1})
    with pytest.raises(dl.SpecError, match="at /phases/0: the key `phase` is missing"):
        shop.journeys().lifecycle({**document, "phases": [{"enters": "home"}]})


def test_they_survive_a_pickle(shop: dl.Log, tmp_path: Path) -> None:
    m = dl.JourneyMap.loads(MAP)
    survey = tmp_path / "survey.csv"
    who = [f"c{i:07d}" for i in range(12)]
    rows = "\n".join(f"{c},2025-03-01,{i % 5 + 1},said {i}" for i, c in enumerate(who))
    survey.write_text(f"who,at,csat,words\n{rows}\n")
    heard = dl.Feedback.read(survey, questions={"csat": "csat"}, customer="who", time="at", words="words")
    phases = [{"phase": "impression", "enters": "home"}]
    life = {"schema": 1, "id": "life", "title": "Life", "version": "1.0.0", "phases": phases}
    journeys = shop.journeys()
    reports: list[Any] = [
        heard.report(),
        m.feedback(journeys, heard, within="60d"),
        m.diff_personas(),
        m.persona_weights(m.overlay(journeys)),
        journeys.lifecycle(life),
        m.overlay(journeys, feedback=heard),
    ]
    for report in reports:
        again = pickle.loads(pickle.dumps(report))
        assert type(again) is type(report)
        assert again.to_json() == report.to_json() and again.text() == report.text()
        assert again.provenance == report.provenance and again.caveats == report.caveats


def test_several_sources(tmp_path: Path) -> None:
    web, till, cards = (tmp_path / name for name in ("web.csv", "till.csv", "cards.csv"))
    web.write_text("user,at,what\nann,2024-06-01T08:00:00Z,home\n")
    till.write_text("card;when;shop\n7001;2024-06-01 10:31;M\n7009;2024-06-01 11:00;M\n")
    cards.write_text("card,customer\n7001,ann\n")
    own = {"source": till, "customer": "card", "time": "when", "every_row": "bought", "zone": "Europe/Berlin",
           "shift": "-1m", "id_prefix": "till:", "attributes": ["shop"], "call": {"shop": "store"}}
    of_web = {"source": web, "customer": "user", "time": "at", "event": "what"}
    log = dl.read_sources(of_web, {**own, "ids": cards})
    assert (log.n_customers, log.n_events) == (2, 3)
    assert log.fingerprint == dl.read_sources(of_web, {**own, "ids": {"7001": "ann"}}).fingerprint
    assert log.journeys(gap="1h").n_journeys == 2
    one = dl.read(till, customer="card", time="when", every_row="bought", zone="Europe/Berlin", ids={"7001": "x", "7009": "x"})
    assert one.n_customers == 1
    with pytest.raises(TypeError, match="has a path"):
        dl.read_sources({"customer": "a"})
    with pytest.raises(dl.DesirelineError):
        dl.read_sources({**of_web, "colour": "red"})
