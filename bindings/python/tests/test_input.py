"""Every frame that people have goes in, and gives the same log; what cannot be read says so."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet
import pytest
from conftest import read

import desireline as dl

Rows = dict[str, list[Any]]


def _duckdb(rows: Rows) -> Any:
    table = pa.table(rows)
    return duckdb.connect().from_arrow(table)


FORMS: dict[str, Callable[[Rows], Any]] = {
    "pandas": pd.DataFrame,
    "pandas category": lambda rows: pd.DataFrame(rows).astype({"what": "category", "platform": "category"}),
    "pandas datetime": lambda rows: pd.DataFrame(rows).assign(at=lambda d: pd.to_datetime(d["at"])),
    "polars": pl.DataFrame,
    "polars lazy": lambda rows: pl.DataFrame(rows).lazy(),
    "polars categorical": lambda rows: pl.DataFrame(rows).cast({"what": pl.Categorical}),
    "polars time": lambda rows: pl.DataFrame(rows).with_columns(pl.col("at").str.to_datetime(time_zone="UTC")),
    "pyarrow table": pa.table,
    "pyarrow reader": lambda rows: pa.table(rows).to_reader(max_chunksize=3),
    "pyarrow batch": lambda rows: pa.table(rows).to_batches()[0],
    "pyarrow dictionary": lambda rows: pa.table({**rows, "what": pa.array(rows["what"]).dictionary_encode()}),
    "pyarrow large string": lambda rows: pa.table({**rows, "user": pa.array(rows["user"], pa.large_string())}),
    "pyarrow dataset": lambda rows: pyarrow.dataset.dataset(pa.table(rows)),
    "duckdb": _duckdb,
}


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_every_frame_gives_the_same_log(form: str, rows: Rows) -> None:
    log = read(FORMS[form](rows))
    assert (log.n_events, log.n_customers) == (8, 4)
    assert log.fingerprint == read(pl.DataFrame(rows)).fingerprint


def test_files(rows: Rows, tmp_path: Path) -> None:
    expected = read(pl.DataFrame(rows)).fingerprint
    frame = pl.DataFrame(rows)
    frame.write_csv(tmp_path / "events.csv")
    frame.write_parquet(tmp_path / "events.parquet")
    frame.write_ndjson(tmp_path / "events.jsonl")
    (tmp_path / "events.csv.gz").write_bytes(gzip.compress((tmp_path / "events.csv").read_bytes()))
    for name in ("events.csv", "events.parquet", "events.jsonl", "events.csv.gz"):
        assert read(tmp_path / name).fingerprint == expected, name
        assert read(str(tmp_path / name)).fingerprint == expected, name
    half = tmp_path / "parts"
    half.mkdir()
    frame.head(4).write_parquet(half / "a.parquet")
    frame.tail(4).write_parquet(half / "b.parquet")
    assert read(half).fingerprint == expected
    assert read([half / "a.parquet", half / "b.parquet"]).fingerprint == expected
    assert read(str(half / "*.parquet")).fingerprint == expected


def test_sliced_and_chunked_frames(rows: Rows) -> None:
    part = {name: cells[2:6] for name, cells in rows.items()}
    expected = read(pl.DataFrame(part)).fingerprint
    assert read(pa.table(rows).slice(2, 4)).fingerprint == expected
    assert read(pl.DataFrame(rows).slice(2, 4)).fingerprint == expected
    assert read(pd.DataFrame(rows).iloc[2:6]).fingerprint == expected
    chunks = pa.concat_tables([pa.table(rows).slice(2, 1), pa.table(rows).slice(3, 3)])
    assert read(chunks).fingerprint == expected
    # A frame whose rows are a strided view.
    wide = {name: [c for cell in cells for c in (cell, cell)] for name, cells in part.items()}
    assert read(pd.DataFrame(wide).iloc[::2]).fingerprint == expected


def test_text_ids_keep_their_text(log: dl.Log, journeys: dl.Journeys) -> None:
    members = journeys.funnel(["view", "cart", "buy"]).members("step/3/reached")
    assert not members or {m.customer for m in members} == {"007"}
    assert journeys.explain(dl.Funnel(["view"]), "NA")
    with pytest.raises(dl.UnknownNameError):
        journeys.explain(dl.Funnel(["view"]), "7")


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (None, "not None"),
        (3, "not int"),
        ((row for row in [1]), "generator"),
        (iter([1]), "list_iterator"),
        ({"user": ["a"]}, "make it a frame"),
        ([("a", 1, "x")], "make it a frame"),
        ([], "make it a frame"),
        (b"user,at", "not bytes"),
    ],
    ids=["none", "number", "generator", "iterator", "dict", "rows", "empty list", "bytes"],
)
def test_what_is_no_frame_is_refused(source: Any, says: str) -> None:
    with pytest.raises(TypeError, match=says):
        read(source)


def test_empty_frames_and_missing_cells(rows: Rows) -> None:
    with pytest.raises(dl.DataError, match="no events") as caught:
        read(pl.DataFrame(rows).head(0))
    assert caught.value.code == "empty_log"
    assert isinstance(caught.value, ValueError)
    rows["what"][0] = None
    rows["at"][1] = "soon"
    log = read(pl.DataFrame(rows), max_quarantine_share=0.5)
    assert log.n_events == 6
    assert log.summary().quarantine == {"missing_event": 1, "unparseable_time": 1}
    assert any(c.kind == "rows_quarantined" and c.details["rows"] == 2 for c in log.journeys().caveats)
    with pytest.raises(dl.DataError, match="2 of 8 rows") as caught:
        read(pl.DataFrame(rows))
    assert caught.value.code == "quarantine_share"


def test_wrong_types(rows: Rows) -> None:
    frame = pl.DataFrame(rows)
    with pytest.raises(dl.DataError) as caught:
        read(frame.with_columns(pl.Series("at", [[1]] * 8)))
    assert caught.value.code == "column_type"
    with pytest.raises(dl.DataError, match="millis") as caught:
        read(frame.with_columns(pl.Series("at", range(8))))
    assert caught.value.code == "time_unit_needed"
    assert read(frame.with_columns(pl.Series("at", range(8))), time_unit="ms").n_events == 8
    nan = frame.with_columns(pl.Series("score", [float("nan"), 1.5, None, 0.0, -0.0, 2.0, 3.0, 4.0]))
    assert read(nan, attributes=["score"]).summary().attributes[0].missing == 2
    with pytest.raises(TypeError, match="zone"):
        read(frame, zone=3)


def test_unknown_columns_name_the_nearest(rows: Rows) -> None:
    with pytest.raises(dl.UnknownNameError, match="did you mean `user`") as caught:
        dl.read(pl.DataFrame(rows), customer="usr", time="at", event="what")
    error = caught.value
    assert isinstance(error, KeyError)
    assert (error.code, error.name, error.nearest) == ("unknown_column", "usr", "user")
    assert "what" in error.known
    assert not str(error).startswith("'")


def test_missing_files() -> None:
    with pytest.raises(FileNotFoundError) as caught:
        read("no/such/events.csv")
    assert isinstance(caught.value, dl.ReadError)
    assert caught.value.code == "no_input"


def test_damaged_files(tmp_path: Path) -> None:
    path = tmp_path / "events.parquet"
    path.write_bytes(b"PAR1 this is no parquet")
    with pytest.raises(dl.ReadError):
        read(path)


def test_money_and_settings(rows: Rows) -> None:
    log = read(pl.DataFrame(rows), value="amount", currency="EUR")
    value = log.summary().value
    assert value is not None
    assert (value.currency, value.sum) == ("EUR", "1999")
    with pytest.raises(dl.SpecError, match="currency"):
        read(pl.DataFrame(rows), value="amount")
    with pytest.raises(dl.SpecError, match="Nowhere"):
        read(pl.DataFrame(rows), zone="Nowhere/Town")
    with pytest.raises(TypeError, match="all"):
        read(pl.DataFrame(rows), attributes="platform")
    every = dl.read(pl.DataFrame(rows), customer="user", time="at", every_row="visit")
    assert every.names == ("visit",)


def test_attributes_declared(rows: Rows) -> None:
    log = read(pl.DataFrame(rows), attributes=[dl.Attribute("platform", kind="text", level="event")])
    assert [(a.name, a.level, a.kind) for a in log.summary().attributes] == [("platform", "event", "text")]
    assert set(read(pl.DataFrame(rows), attributes="all").attributes) == {"platform", "amount"}


def test_progress_is_told(rows: Rows, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    read(pl.DataFrame(rows), progress=lambda done, total: told.append((done, total)))
    assert told

    def broken(done: int, total: int) -> None:
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        read(pl.DataFrame(rows), progress=broken)
