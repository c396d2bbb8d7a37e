"""Journey maps: documents in and out, checks, and the published schema against an independent validator."""

from __future__ import annotations

import copy
import json
import pickle
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import desireline as dl

ROOT = Path(__file__).parents[3]
SHOP = ROOT / "examples/maps/shop.yaml"
SCHEMA: dict[str, Any] = json.loads((ROOT / "schemas/journey-map.json").read_text())
BASE = (ROOT / "crates/desireline-core/src/map/tests/base.yaml").read_text()


@pytest.fixture(scope="module")
def validator() -> Any:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    return jsonschema.Draft202012Validator(SCHEMA)


def documents() -> list[tuple[str, dict[str, Any]]]:
    found = [(name, dl.JourneyMap.template(name).to_dict()) for name in dl.map_templates()]
    return [*found, ("shop", dl.JourneyMap.load(SHOP).to_dict()), ("base", dl.JourneyMap.loads(BASE).to_dict())]


def test_every_document_is_valid_by_the_schema(validator: Any) -> None:
    assert len(documents()) >= 16
    for name, document in documents():
        errors = [f"{e.json_path}: {e.message}" for e in validator.iter_errors(document)]
        assert not errors, (name, errors)


def broken(document: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Every value of a document in turn made something that its place does not take, every key misspelt."""
    found: list[tuple[str, dict[str, Any]]] = []

    def walk(part: Any, path: list[Any]) -> None:
        for key, value in part.items() if isinstance(part, dict) else enumerate(part):
            here = [*path, key]
            if isinstance(key, str) and (key.startswith("x-") or "params" in path or path[-1:] in (["other"], ["title"])):
                continue
            for what, change in (("value", lambda p, k: p.__setitem__(k, {"no": ["such"]})), ("key", misspell)):
                if what == "key" and not isinstance(key, str):
                    continue
                made = copy.deepcopy(document)
                place: Any = made
                for step in path:
                    place = place[step]
                change(place, key)
                found.append((f"{what} {'/'.join(map(str, here))}", made))
            if isinstance(value, (dict, list)):
                walk(value, here)

    walk(document, [])
    return found


def misspell(place: dict[str, Any], key: str) -> None:
    place[key + "zz"] = place.pop(key)


def test_reader_and_schema_refuse_the_same(validator: Any) -> None:
    """What the reader refuses for its shape, an independent validator refuses by the schema, and the other way round."""
    made = broken(dl.JourneyMap.loads(BASE).to_dict())
    assert len(made) > 400
    for name, document in made:
        by_schema = not validator.is_valid(document)
        try:
            dl.JourneyMap(document)
            by_reader = False
        except dl.SpecError:
            by_reader = True
        assert by_reader == by_schema, name
        assert by_reader, name


def test_round_trips(tmp_path: Path) -> None:
    for _, document in documents():
        m = dl.JourneyMap(document)
        assert m.to_dict() == document
        for name in ("m.yaml", "m.json"):
            m.save(tmp_path / name)
            again = dl.JourneyMap.load(tmp_path / name)
            assert again == m and again.fingerprint == m.fingerprint
        assert pickle.loads(pickle.dumps(m)) == m
        assert hash(m) == hash(dl.JourneyMap.loads(m.to_json()))


def test_mistakes_have_lines(tmp_path: Path) -> None:
    with pytest.raises(dl.SpecError, match="line 3, column 1: unknown key `titel`; did you mean `title`") as caught:
        dl.JourneyMap.loads("schema: 1\nid: shop\ntitel: Shop\n")
    assert caught.value.code == "map"
    with pytest.raises(ValueError, match="(?s)line 5, column 7.*line 7, column 1"):
        dl.JourneyMap.loads("schema: 1\nid: a\ntitle: A\nversion: 1.0.0\nkind: atual\nstatus: draft\nas_off: 2026-01-01\nowner: o\n")
    with pytest.raises(FileNotFoundError):
        dl.JourneyMap.load(tmp_path / "none.yaml")
    with pytest.raises(dl.SpecError, match="there is no template `none`"):
        dl.JourneyMap.template("none")


def test_objects_have_paths() -> None:
    document = dl.JourneyMap.loads(BASE).to_dict()
    document["owner"] = 7
    del document["moments"][0]["basis"]
    with pytest.raises(dl.SpecError) as found:
        dl.JourneyMap(document)
    told = str(found.value)
    assert "at /moments/0: the key `basis` is missing" in told and "at /owner: " in told
    assert "line" not in told and "column" not in told
    notices = dl.JourneyMap(dl.JourneyMap.loads(BASE).to_dict()).check(today="2027-04-15").notices
    assert notices and all(n.line is None and str(n).startswith("at /") for n in notices if n.pointer)


def test_other_encodings_are_named(tmp_path: Path) -> None:
    path = tmp_path / "map.yaml"
    text = BASE.replace("title: {", "title: {fr: Été, ", 1)
    path.write_text(text, encoding="utf-8-sig")
    assert dl.JourneyMap.load(path).to_dict()["title"]["fr"] == "Été"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(dl.SpecError, match=r"line 3, column 13: this is no UTF-8: .* Latin-1; .*iconv -f ISO-8859-1"):
        dl.JourneyMap.load(path)
    path.write_text(text, encoding="utf-16")
    with pytest.raises(dl.SpecError, match="it looks like UTF-16"):
        dl.JourneyMap.load(path)
    with pytest.raises(dl.InputNotFoundError):
        dl.JourneyMap.load(tmp_path / "none.yaml")


def test_a_scope_that_does_not_fit_has_its_line() -> None:
    text = SHOP.read_text()
    line = next(i for i, t in enumerate(text.splitlines(), 1) if "scope:" in t)
    text = text.replace("scope:\n", "scope:\n  segment: person.plna == 'free'\n", 1)
    assert "segment: person.plna" in text
    with pytest.raises(dl.DesirelineError, match=rf"line {line + 1}, column \d+ of the map: `scope.segment` does not fit the log"):
        dl.JourneyMap.loads(text).overlay(dl.simulate(customers=20, seed=1))


def test_a_sound_map_and_planted_faults() -> None:
    m = dl.JourneyMap.load(SHOP)
    log = dl.simulate(customers=1_500, seed=1)
    sound = m.check(log, today="2025-07-20")
    assert sound.ok and str(sound) == "nothing to say"
    assert sound.coverage is not None and sound.coverage.bound_events == log.n_events
    assert not sound.coverage.orphans
    assert m.check(log.journeys(session=True), today="2025-07-20") == sound if hasattr(log, "session") else True

    text = SHOP.read_text().replace("binding: newsletter", "binding: newsleter")
    broken = dl.JourneyMap.loads(text)
    dead = broken.check(log, today="2025-07-20", deny=["W-DEAD"])
    (notice,) = dead.errors
    assert not dead.ok and notice.code == "W-DEAD" and notice.help == "did you mean `newsletter`?"
    assert notice.line is not None and "newsleter" in text.splitlines()[notice.line - 1]
    assert not broken.check(log, today="2025-07-20", allow=["W-DEAD"]).of("W-DEAD")
    assert broken.check(today="2025-07-20").ok
    assert m.check(today="2026-07-20").of("W-STALE")


def test_what_makes_no_sense_is_said() -> None:
    m = dl.JourneyMap.template("blank")
    with pytest.raises(ValueError, match="did you mean W-DEAD"):
        m.check(deny=["W-DAED"])
    with pytest.raises(TypeError, match="Log or Journeys"):
        m.check([])  # type: ignore[arg-type]
    assert repr(m) == "<JourneyMap my-journey 0.1.0: My journey; 3 stages, 0 touchpoints>"
