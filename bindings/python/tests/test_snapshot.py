"""Logs saved as one file: the same log when opened again, the same events for other Arrow libraries."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import desireline as dl

from conftest import read


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.arrow"


def test_the_same_log_again(shop: dl.Log, path: Path) -> None:
    shop.save(path)
    again = dl.open(path)
    assert again.fingerprint == shop.fingerprint
    assert again.summary().to_json() == shop.summary().to_json()
    steps = ["product_view", "add_to_cart", "purchase"]
    one, other = (log.journeys(gap="30m").funnel(steps, within="7d") for log in (shop, again))
    assert one.to_json() == other.to_json()


def test_pyarrow_sees_the_same_events(log: dl.Log, rows: dict[str, list[Any]], path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    log.save(path)
    before = pa.total_allocated_bytes()
    with pa.memory_map(str(path)) as file:
        table = pa.ipc.open_file(file).read_all()
        table.validate(full=True)
        assert table.schema.metadata[b"desireline.fingerprint"].decode() == log.fingerprint
        assert b"desireline.columns" in table.schema.metadata
        seen = [
            (row["customer"], event["time_s"], event["event"], event["platform"])
            for row in table.to_pylist()
            for event in row["events"]
        ]
        # Zero copy: what was read of the file lies in the map.
        assert pa.total_allocated_bytes() - before < 1 << 20
    from datetime import datetime

    given = [
        (who, int(datetime.fromisoformat(at).timestamp()), what, platform)
        for who, at, what, platform in zip(rows["user"], rows["at"], rows["what"], rows["platform"], strict=True)
    ]
    assert sorted(seen, key=repr) == sorted(given, key=repr)


def test_polars_and_duckdb_see_the_same_events(shop: dl.Log, path: Path) -> None:
    pl = pytest.importorskip("polars")
    duckdb = pytest.importorskip("duckdb")
    pa = pytest.importorskip("pyarrow")
    shop.save(path)
    counts = {name.name: name.events for name in shop.summary().names}

    frame = pl.read_ipc(path).explode("events").unnest("events")
    assert len(frame) == shop.n_events
    by_name = frame.group_by(pl.col("event").cast(pl.String)).len()
    assert dict(by_name.iter_rows()) == counts

    customers = pa.ipc.open_file(str(path)).read_all()  # noqa: F841
    events = duckdb.sql("SELECT unnest(events, recursive := true) FROM customers")
    assert dict(duckdb.sql("SELECT event, count(*) FROM events GROUP BY 1").fetchall()) == counts
    assert events.count("*").fetchall() == [(shop.n_events,)]


def test_a_table_of_events_is_no_snapshot(rows: dict[str, list[Any]], log: dl.Log, path: Path) -> None:
    pl = pytest.importorskip("polars")
    pl.DataFrame(rows).write_ipc(path)
    assert read(path).fingerprint == log.fingerprint
    with pytest.raises(dl.ReadError, match="no snapshot") as raised:
        dl.open(path)
    assert raised.value.code == "not_snapshot"
    log.save(path)
    with pytest.raises(dl.ReadError, match="open it instead") as raised:
        read(path)
    assert raised.value.code == "is_snapshot"


def test_errors_have_types(log: dl.Log, path: Path, tmp_path: Path) -> None:
    with pytest.raises(dl.InputNotFoundError):
        dl.open(path)
    with pytest.raises(dl.ReadError) as raised:
        log.save(tmp_path / "missing" / "log.arrow")
    assert raised.value.code == "write"
    with pytest.raises(dl.ReadError, match="end it in .arrow"):
        log.save(tmp_path / "log.parquet")
    log.save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(dl.ReadError) as raised:
        dl.open(path)
    assert raised.value.code == "snapshot_damaged"
    assert [p.name for p in tmp_path.iterdir()] == ["log.arrow"]


def test_a_callable_that_raises_stops_the_writing(log: dl.Log, path: Path) -> None:
    log.save(path)
    before = path.read_bytes()

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        log.save(path, progress=stop)
    assert dl.open(path).fingerprint == log.fingerprint
    assert path.read_bytes() == before


def test_a_log_outlives_its_file(log: dl.Log, path: Path) -> None:
    log.save(path)
    opened = dl.open(path)
    log.save(path)
    path.unlink()
    assert opened.summary().to_json() == log.summary().to_json()


def test_another_process_opens_it(shop: dl.Log, path: Path) -> None:
    shop.save(path)
    code = "import sys, desireline as dl; print(dl.open(sys.argv[1]).fingerprint)"
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == shop.fingerprint
