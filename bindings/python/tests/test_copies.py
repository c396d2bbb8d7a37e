"""Reports that travel: copied, pickled, sent to another process; logs that grow; partial results as bytes."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest

import desireline as dl
from test_reports import ASKED


@pytest.mark.parametrize("name", ASKED)
@pytest.mark.parametrize("by", [None, "device"])
def test_reports_survive_a_pickle(name: str, by: str | None, sessions: dl.Journeys) -> None:
    report: Any = sessions._ask(ASKED[name], by)
    again = pickle.loads(pickle.dumps(report))
    assert type(again) is type(report)
    assert again.to_json() == report.to_json()
    assert again.text() == report.text()
    assert again.svg() == report.svg()
    assert again.tables[0].to_polars().equals(report.tables[0].to_polars())
    assert again.caveats == report.caveats and again.provenance == report.provenance
    with pytest.raises(TypeError, match="no journeys with it"):
        again.members("any")


def test_comparisons_summaries_parts_and_tables_survive_too(sessions: dl.Journeys, shop: dl.Log) -> None:
    compared = sessions.compare("device", on=dl.Goals(["purchase"]))
    grouped = sessions.funnel(["product_view", "purchase"], by="device")
    for report in (compared, shop.summary(), grouped.groups[0].report):
        again = pickle.loads(pickle.dumps(report))
        assert type(again) is type(report) and again.text() == report.text()
    assert pickle.loads(pickle.dumps(grouped.groups[0].report)).steps == grouped.groups[0].report.steps
    table = grouped.tables["groups"]
    assert pickle.loads(pickle.dumps(table)).to_dict() == table.to_dict()


def test_a_copy_is_the_report_itself(sessions: dl.Journeys) -> None:
    report = sessions.paths()
    assert copy.copy(report) is report and copy.deepcopy(report) is report
    assert copy.deepcopy({"r": [report]})["r"][0] is report
    table = report.tables[0]
    assert copy.deepcopy(table) is table


def test_another_process_reads_a_pickle(sessions: dl.Journeys, tmp_path: Path) -> None:
    report = sessions.funnel(["product_view", "purchase"])
    path = tmp_path / "report.pickle"
    path.write_bytes(pickle.dumps(report))
    script = "import pickle, sys; sys.stdout.write(pickle.load(open(sys.argv[1], 'rb')).to_json())"
    done = subprocess.run([sys.executable, "-c", script, str(path)], check=True, capture_output=True, text=True)
    assert done.stdout == report.to_json()


def test_spawned_workers_take_and_give_reports(tmp_path: Path) -> None:
    script = tmp_path / "spawned.py"
    script.write_text(
        "import multiprocessing as mp\n"
        "import desireline as dl\n"
        "def ask(seed):\n"
        "    return dl.simulate(customers=100, seed=seed).journeys(gap='30m').funnel(['product_view', 'purchase'])\n"
        "def rate(report):\n"
        "    return report.steps[1].reached\n"
        "if __name__ == '__main__':\n"
        "    with mp.get_context('spawn').Pool(1) as pool:\n"
        "        reports = pool.map(ask, [1, 2])\n"
        "        assert pool.map(rate, reports) == [rate(r) for r in reports]\n"
        "        assert reports[0].to_json() == ask(1).to_json()\n"
    )
    subprocess.run([sys.executable, str(script)], check=True, timeout=120)


def test_partial_results_merge_to_the_report(sessions: dl.Journeys) -> None:
    asked = dl.Funnel(["product_view", "purchase"])
    parts = [sessions.partial(asked, blocks=[b]) for b in range(sessions.n_blocks)]
    assert all(isinstance(p, bytes) for p in parts)
    report = dl.finish(dl.merge(parts))
    assert report.to_json() == sessions.run([asked])[0].to_json()
    assert isinstance(report, dl.FunnelReport)
    with pytest.raises(dl.DataError, match="same block"):
        dl.merge([parts[0], parts[0]])
    with pytest.raises(dl.DataError, match="too few"):
        dl.finish(b"nothing")
    with pytest.raises(dl.DataError, match="no block"):
        sessions.partial(asked, blocks=[10_000])
    grouped = dl.finish(sessions.partial(asked, by="device"))
    assert isinstance(grouped, dl.GroupedReport)


def test_a_log_grows_and_ids_become_persons(tmp_path: Path) -> None:
    def rows(user: str, day: int) -> pl.DataFrame:
        return pl.DataFrame({"user": [user], "time": [f"2025-01-0{day}T10:00:00Z"], "event": [f"e{day}"]})

    log = dl.read(rows("cookie", 1), customer="user", time="time", event="event")
    path = tmp_path / "more.csv"
    rows("ann", 2).write_csv(path)
    grown = log.append(path).append(rows("ann", 3))
    assert (log.n_events, grown.n_events, grown.n_customers) == (1, 3, 2)
    joined = grown.with_aliases([("cookie", "ann", "2025-01-01T12:00:00Z")])
    assert (joined.n_events, joined.n_customers) == (3, 1)
    assert grown.with_aliases([("cookie", "ann", "2025-01-01T12:00:00Z")], policy="forward").n_customers == 2
    assert grown.with_aliases([("cookie", "ann", "2025-01-01T12:00:00Z")], policy="3h").n_customers == 1
    both = pl.concat([rows("cookie", 1), rows("ann", 2)])
    read = dl.read(
        both, customer="user", time="time", event="event", aliases=[("cookie", "ann", "2025-01-01T12:00:00Z")]
    )
    assert read.n_customers == 1
    with pytest.raises(dl.SpecError, match="no time such as"):
        grown.with_aliases([("cookie", "ann", "soon")])
    with pytest.raises(TypeError, match=r"only a log made by read\(\)"):
        joined.append(path)


def test_transitions_are_graphs(sessions: dl.Journeys, tmp_path: Path) -> None:
    report = sessions.transitions(top=5)
    dot = report.to_dot()
    assert dot is not None and dot.startswith("digraph transitions {")
    report.to_mermaid(tmp_path / "graph.mmd")
    assert (tmp_path / "graph.mmd").read_text().startswith("flowchart LR")
    part = sessions.transitions(by="device").groups[0].report
    assert "digraph" in (part.to_dot() or "")


def test_every_group_is_shown(sessions: dl.Journeys) -> None:
    grouped = sessions.funnel(["product_view", "purchase"], by="device")
    picture = grouped.svg() or ""
    assert picture.count("<svg") == 1 + min(len(grouped), 6)
    frame = grouped.to_pandas()
    assert list(frame.columns[:3]) == ["group", "number", "step"]
    assert list(grouped.tables)[-1] == "groups"


@pytest.mark.parametrize("given", [-1, 0, 10**9, 2**70])
def test_threads_that_cannot_be(given: int, sessions: dl.Journeys) -> None:
    with pytest.raises(dl.SpecError, match="threads"):
        sessions.using(threads=given)


def test_a_column_is_no_frame() -> None:
    for series in (pl.Series("user", ["a"]), pl.Series("user", ["a"]).to_pandas()):
        with pytest.raises(TypeError, match="one column"):
            dl.read(series, customer="user", time="time", event="event")
    with pytest.raises(dl.DataError, match="no table"):
        dl.read(pa.chunked_array([["a"]]), customer="user", time="time", event="event")


def test_messages_have_no_places_of_json() -> None:
    with pytest.raises(dl.SpecError) as caught:
        dl.simulate(customers=10, seed=1).journeys(gap="soon")
    assert "line 1" not in str(caught.value) and "column" not in str(caught.value)
    rows = pl.DataFrame({"user": ["a"], "time": ["2025-01-01"], "event": ["x"]})
    journeys = dl.read(rows, customer="user", time="time", event="event").journeys()
    with pytest.raises(dl.SpecError, match="declare its column and currency"):
        journeys.goals("value > 5")
