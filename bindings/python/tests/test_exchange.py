"""Journey maps in the formats of other tools, and as pictures."""

from __future__ import annotations

import csv
import io
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

import desireline as dl

SHOP = Path(__file__).parents[3] / "examples" / "maps" / "shop.yaml"


def test_every_format_is_written_and_some_are_read() -> None:
    m = dl.JourneyMap.load(SHOP)
    for name in ("mermaid", "csv", "cjml", "markdown", "dot", "stakeholders"):
        out = m.export(name)  # type: ignore[arg-type]
        assert out.text and out.losses and str(out) == out.text
    for name in ("mermaid", "csv", "cjml"):
        back = dl.JourneyMap.import_(m.export(name).text, name, as_of="2026-03-31")  # type: ignore[arg-type]
        assert not back.notes
        assert len(back.map.to_dict()["stages"]) == 6
        assert back.map.to_dict()["as_of"] == "2026-03-31"
    losses = {loss.what: loss for loss in m.export("mermaid").losses}
    assert losses["touchpoints.binding"].count == 21 and losses["pains"].change == "left_out"
    with pytest.raises(dl.SpecError, match="there is no format `docx`"):
        m.export("docx")  # type: ignore[arg-type]


def test_other_readers_agree_on_the_shape() -> None:
    m = dl.JourneyMap.load(SHOP)
    rows = list(csv.reader(io.StringIO(m.export("csv").text)))
    assert {len(row) for row in rows} == {len(rows[0])}
    lanes = {row[0]: row[1:] for row in rows}
    assert "Payment" in lanes["Touchpoint"] and lanes["Stage"].count("Pays") == 4
    root = ET.fromstring(m.export("cjml").text)
    assert root.tag == "CJML" and len(root.findall(".//journeyPhase")) == 6


def test_what_finds_no_place_is_warned_of(tmp_path: Path) -> None:
    with pytest.warns(dl.ExchangeWarning, match="line 3, column 10: the score 9"):
        m = dl.JourneyMap.from_mermaid("journey\n section A\n   task: 9\n")
    assert m.title == "Imported journey"
    with pytest.raises(ValueError, match="begins with the line `journey`"):
        dl.JourneyMap.from_mermaid("graph TD")
    grid = dl.JourneyMap.import_("Phase,A,B\nMood here,1,5\n", "csv", lanes={"Mood here": "emotion"}, id="moods")
    assert grid.map.id == "moods" and len(grid.map.to_dict()["emotions"]) == 2
    with pytest.raises(ValueError, match="is no lane"):
        dl.JourneyMap.import_("Phase,A\n", "csv", lanes={"x": "nowhere"})
    m.export("mermaid").save(tmp_path / "m.mmd")
    assert (tmp_path / "m.mmd").read_text().startswith("journey\n")


def test_a_map_is_drawn(tmp_path: Path) -> None:
    m = dl.JourneyMap.load(SHOP)
    assert ET.fromstring(m.svg()).attrib["role"] == "img"
    assert "<script" not in m._repr_html_()
    m.draw(tmp_path / "m.svg", width=800)
    m.draw(tmp_path / "m.html")
    assert 'width="800"' in (tmp_path / "m.svg").read_text()
    assert "Nothing here was measured" in (tmp_path / "m.html").read_text()


def test_a_measured_map_is_drawn(tmp_path: Path) -> None:
    m = dl.JourneyMap.load(SHOP)
    found = m.overlay(dl.simulate(customers=300, seed=1))
    svg = m.svg(measured=found)
    assert "leave" in svg
    alone = found.svg()
    assert alone is not None and ET.fromstring(alone).attrib["role"] == "img"
    m.draw(tmp_path / "m.html", measured=found)
    page = (tmp_path / "m.html").read_text()
    assert "Kaplan and Meier" in page and "<script" not in page
