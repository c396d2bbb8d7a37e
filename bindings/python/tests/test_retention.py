"""Retention beside what pandas and DuckDB count, and as tables, pictures and members."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

import desireline as dl

WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("shop") / "shop.parquet"
    dl.simulate(customers=1_500, seed=11, path=path)
    return path


@pytest.fixture(scope="module")
def customers(path: Path) -> dl.Journeys:
    log = dl.read(path, customer="customer_id", time="time", event="event", tie="seq", attributes=["device"])
    return log.journeys()


def counted(report: dl.RetentionReport) -> dict[str, list[int]]:
    return {c.cohort: [c.customers, *(cell.retained for cell in c.cells)] for c in report.cohorts}


def numbers(local: pd.Series, unit: str, week_start: str) -> pd.Series:
    """The number of the civil day, week or month."""
    if unit == "month":
        return local.dt.year * 12 + local.dt.month
    days = (local.dt.tz_localize(None).dt.normalize() - pd.Timestamp("2001-01-01")).dt.days
    return days if unit == "day" else (days - WEEKDAYS.index(week_start)) // 7


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
@pytest.mark.parametrize(("unit", "week_start"), [("day", "monday"), ("week", "sunday"), ("week", "monday"), ("month", "monday")])
def test_cohorts_are_those_of_pandas(
    path: Path, customers: dl.Journeys, zone: str, unit: Any, week_start: Any
) -> None:
    frame = pd.read_parquet(path).sort_values(["customer_id", "time", "seq"])
    number = numbers(frame["time"].dt.tz_convert(zone), unit, week_start)
    starts = frame["event"] == "product_view"
    born = frame["customer_id"].map(number[starts].groupby(frame["customer_id"]).first())
    place = pd.Series(range(len(frame)), index=frame.index)
    start = frame["customer_id"].map(place[starts].groupby(frame["customer_id"]).first())
    back = (place > start) & frame["event"].isin(["purchase", "add_to_cart"])
    after = (number - born)[back]
    periods = 20
    cells = (
        pd.DataFrame({"born": born[back], "after": after, "customer": frame["customer_id"][back]})
        .query("after <= @periods")
        .drop_duplicates()
        .groupby(["born", "after"])
        .size()
    )
    sizes = born.groupby(frame["customer_id"]).first().dropna().value_counts()
    expected = [
        [int(n), *(int(cells.get((cohort, k), 0)) for k in range(periods + 1))] for cohort, n in sorted(sizes.items())
    ]
    report = customers.retention(
        start="product_view",
        returns='event in ["purchase", "add_to_cart"]',
        unit=unit,
        week_start=week_start,
        time_zone=zone,
        periods=periods,
    )
    assert list(counted(report).values()) == expected
    assert report.not_started == frame["customer_id"].nunique() - sum(sizes)


def test_rolling_days_are_those_of_duckdb(path: Path, customers: dl.Journeys) -> None:
    rows = duckdb.execute(
        """
        WITH ev AS (SELECT customer_id, epoch_us(time) AS t, row_number() OVER (PARTITION BY customer_id ORDER BY time, seq) AS n FROM $1),
        days AS (
            SELECT DISTINCT customer_id, b, (t - b) // 86400000000 AS k
            FROM ev JOIN (SELECT customer_id, t AS b FROM ev WHERE n = 1) USING (customer_id) WHERE n > 1
        )
        SELECT k, count(*) FROM days WHERE k <= 30 GROUP BY k ORDER BY k
        """.replace("$1", f"'{path}'")
    ).fetchall()
    report = customers.retention(rolling="1d", unit="month", periods=30)
    sums = [sum(cells) for cells in zip(*(row[1:] for row in counted(report).values()), strict=True)]
    assert {k: n for k, n in enumerate(sums) if n} == dict(rows)


@pytest.mark.parametrize("mode", ["on", "on_or_after", "on_or_before", "streak"])
def test_the_modes_are_shown_and_told(customers: dl.Journeys, mode: Any) -> None:
    report = customers.retention(unit="week", periods=8, mode=mode, simple_mean=True)
    assert report.mode == mode
    assert [len(c.cells) for c in report.cohorts] == [9] * len(report.cohorts)
    for i, overall in enumerate(report.overall):
        complete = [c.cells[i].rate for c in report.cohorts if c.cells[i].state == "complete"]
        rates = [rate for rate in complete if rate is not None]
        assert (overall.rate.count, overall.rate.n) == (sum(r.count for r in rates), sum(r.n for r in rates))
        assert overall.mean == pytest.approx(sum(r.count / r.n for r in rates) / len(rates))
    frame = report.tables["cells"].to_pandas()
    assert set(frame["state"]) >= {"complete", "incomplete"}
    assert frame["retained"].notna().equals(frame["state"] == "complete") or (frame["customers"] < 5).any()
    assert "Retention: the table below" in report._repr_html_()
    assert any(c.kind == "periods_incomplete" for c in report.caveats)


def test_brackets_take_periods_together(customers: dl.Journeys) -> None:
    report = customers.retention(mode="bracket", brackets=[1, 4, 8], unit="week")
    assert list(report.columns) == ["weeks 1 to 3", "weeks 4 to 7"]
    with pytest.raises(dl.SpecError, match="such as 1, 4, 8"):
        customers.retention(mode="bracket")
    with pytest.raises(dl.SpecError, match="no time zone"):
        customers.retention(time_zone="Berlin")


def test_members_are_the_customers_counted(customers: dl.Journeys) -> None:
    report = customers.retention(unit="month", periods=3)
    cohort = report.cohorts[0]
    for cell in cohort.cells:
        members = report.members(f"retained/{cohort.cohort}/{cell.from_}", limit=None)
        assert len(members) == cell.retained
