"""KPIs against numbers worked out in Python."""

from __future__ import annotations

import math
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

import desireline as dl

pl = pytest.importorskip("polars")

START = datetime(2026, 1, 1, tzinfo=timezone.utc)


def shop(rows: list[tuple[str, float, str, str, float | None]]) -> dl.Journeys:
    """Journeys of rows: who, hours since the start, what, channel, money."""
    frame = pl.DataFrame(
        {
            "who": [r[0] for r in rows],
            "at": [START + timedelta(hours=r[1]) for r in rows],
            "what": [r[2] for r in rows],
            "how": [r[3] for r in rows],
            "money": [r[4] for r in rows],
        },
        schema_overrides={"money": pl.Float64},
    )
    log = dl.read(frame, customer="who", time="at", event="what", channel="how", value="money", currency="EUR")
    return log.journeys(gap="30m")


@pytest.fixture(scope="module")
def carts() -> dl.Journeys:
    rows: list[tuple[str, float, str, str, float | None]] = []
    for c in range(10):
        rows.append((f"c{c}", 24 * c, "cart", "web", None))
        if c < 2:
            rows.append((f"c{c}", 24 * c + 1, "buy", "app", 20.0))
    rows.append(("late", 24 * 40, "cart", "web", None))
    return shop(rows)


@pytest.fixture(scope="module")
def orders() -> dl.Journeys:
    rows: list[tuple[str, float, str, str, float | None]] = []
    for c in range(12):
        rows.append((f"c{c}", 24 * c, "cart", "web", None))
        if c < 8:
            rows.append((f"c{c}", 24 * c + 1, "buy", "app", 16.5 + c))
    return shop(rows)


def wilson(k: int, n: int) -> tuple[float, float]:
    z = 1.959963984540054
    centre, half = k / n + z * z / (2 * n), z * math.sqrt(k / n * (1 - k / n) / n + z * z / (4 * n * n))
    return (centre - half) / (1 + z * z / n), (centre + half) / (1 + z * z / n)


def test_carts_left_behind(carts: dl.Journeys) -> None:
    report = carts.kpi("cart_abandonment", cart="cart", purchase="buy", within=timedelta(days=1))
    assert isinstance(report, dl.KpiReport)
    assert (report.number, report.variant, report.settings["within"]) == ("K02", "cart", "1d")
    estimate = report.estimate
    assert estimate is not None
    low, high = wilson(8, 10)
    assert estimate.value == pytest.approx(0.8)
    assert (estimate.lower, estimate.upper) == pytest.approx((low, high))
    assert (round(low, 3), round(high, 3)) == (0.490, 0.943)
    assert (report.values[0].n, report.values[0].excluded) == (10, 1)
    assert report.to_polars()["kpi" if "kpi" in report.to_polars().columns else "value"].len() == 1
    assert "carts" in repr(report)


def test_a_series_adds_up(carts: dl.Journeys) -> None:
    report = carts.kpi_series("K02", per="week", cart="cart", purchase="buy", within="1d")
    assert sum(v.n for v in report.series) == 10 and sum(v.excluded for v in report.series) == 1
    assert [v.complete for v in report.series][-1] is False
    assert report.series[0].period == "2025-12-29"


def test_conditions_and_money(carts: dl.Journeys, orders: dl.Journeys) -> None:
    bought = dl.event("buy") if callable(dl.event) else "buy"
    first = carts.kpi("conversion", entry="cart", goal="buy", within="1d")
    assert first.value == pytest.approx(0.2)
    assert carts.kpi("conversion", entry="cart", goal=bought, within="1d").value == first.value
    order = orders.kpi("revenue", "order")
    assert (order.currency, order.value) == ("EUR", 2000.0)
    assert order.estimate is not None and order.estimate.method == "bootstrap_t"
    again = orders.kpi("revenue", "order")
    assert order.to_json() == again.to_json()
    # What two customers pay says nothing of others.
    assert carts.kpi("revenue", "order", min_n=1).value is None


def test_alerts_ring_as_the_numbers_say(carts: dl.Journeys, orders: dl.Journeys) -> None:
    # Eight of ten carts are left behind.
    asked: dict[str, Any] = {"cart": "cart", "purchase": "buy", "within": "1d"}
    left = carts.kpi("cart_abandonment", **asked)
    assert left.alert(">=", 0.8) is True and left.alert(">", 0.8) is False
    assert left.alert_run(">=", 0.8) is None, "there is no series"
    assert carts.kpi("cart_abandonment", min_n=100, **asked).alert(">=", 0) is None, "there is no number"
    series = carts.kpi_series("cart_abandonment", per="week", min_n=1, **asked)
    numbers = [None if v.estimate is None else v.estimate.value for v in series.series if v.complete]
    in_row = 0
    for number in reversed(numbers):
        if number is None or number < 0.5:
            break
        in_row += 1
    run = series.alert_run(">=", 0.5, lasting=timedelta(days=14))
    assert isinstance(run, dl.AlertRun)
    assert (run.unit, run.periods, run.wanted) == ("week", in_row, 2 if len(numbers) > 1 else None)
    spent = orders.kpi("revenue", "customer", min_n=1)
    assert spent.value is not None and spent.currency == "EUR"
    assert spent.alert("<", f"{spent.value / 100 + 0.01:.2f} EUR") is True
    assert spent.alert("<", "0.01 EUR") is False
    for wrong in ("5 USD", "2d", 7, timedelta(days=1)):
        with pytest.raises(dl.SpecError, match="cannot be compared"):
            spent.alert(">", wrong)


def test_tables_from_outside(orders: dl.Journeys, tmp_path: Path) -> None:
    path = tmp_path / "spend.csv"
    path.write_text("channel,spend\nweb,10\napp,20\n")
    columns: dict[str, Any] = {"channel": ["web", "app"], "spend": [10.0, 20.0]}
    asked: list[Any] = [path, columns, pl.DataFrame(columns), [path], {"ads": pl.DataFrame(columns)}]
    found = {orders.kpi("roas", goal="buy", external=e, min_n=0).to_json() for e in asked}
    assert len(found) == 1
    report = orders.kpi("roas", goal="buy", external=columns)
    app = next(v for v in report.values if v.key == "app")
    assert app.estimate is not None and app.estimate.value == pytest.approx(160.0 / 20.0)
    rank = orders.kpi(
        "seo_rank",
        external={
            "date": [f"2026-01-0{d}" for d in range(1, 7)],
            "position": [1.0, 4.0, 2.0, 3.0, 5.0, 2.0],
            "impressions": [100, 300, 200, 100, 200, 100],
        },
    )
    assert rank.value == pytest.approx((100 + 1200 + 400 + 300 + 1000 + 200) / 1000)


def test_the_catalogue() -> None:
    assert [k.number for k in dl.kpis()] == [f"K{i:02}" for i in range(1, 31)]
    cart = dl.kpis()[1]
    assert [p.name for p in cart.params if p.required] == ["cart", "purchase"]
    assert cart.variants[0].formula and cart.source


def test_what_is_wrong_is_said(carts: dl.Journeys) -> None:
    with pytest.raises(dl.DesirelineError, match="did you mean `bounce_rate`"):
        carts.kpi("bounce_rat")
    with pytest.raises(dl.DesirelineError, match="answers of customers"):
        carts.kpi("nps")
    with pytest.raises(dl.DesirelineError, match="did you mean `within`"):
        carts.kpi("K02", cart="cart", purchase="buy", withn="1d")
    with pytest.raises(dl.DesirelineError, match="`spend`"):
        carts.kpi("roas", goal="buy")


def test_returns_have_a_word_that_python_keeps_for_itself() -> None:
    rows: list[tuple[str, float, str, str, float | None]] = []
    for c in range(8):
        rows.append((f"c{c}", 0, "buy", "web", 10.0))
        if c < 2:
            rows.append((f"c{c}", 5, "back", "web", None))
    rows.append(("last", 24 * 60, "look", "web", None))
    report = shop(rows).kpi("returns", order="buy", return_="back", within="30d")
    assert report.value == pytest.approx(0.25) and report.values[0].n == 8
