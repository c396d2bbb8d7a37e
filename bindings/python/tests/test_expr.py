"""Conditions written in Python are those written as text."""

from __future__ import annotations

import pickle
from datetime import UTC, date, datetime, timedelta

import pytest

import desireline as dl

PAIRS = [
    (dl.col("channel") == "web", 'channel == "web"'),
    (dl.col("channel") != "web", 'channel != "web"'),
    (dl.col("value") >= 20, "value >= 20"),
    (dl.col("value") < 9.5, "value < 9.5"),
    (dl.col("member") == True, "member == true"),  # noqa: E712
    (dl.col("channel").isin(["web", "app"]), 'channel in ["web", "app"]'),
    (dl.col("url").like("/product/*"), 'url like "/product/*"'),
    (dl.col("url").matches(r"^/blog/\d+"), r'url ~ "^/blog/\d+"'),
    (dl.col("channel").exists(), "exists channel"),
    (~dl.col("channel").exists(), "not exists channel"),
    (dl.event("ER Registration"), "ER Registration"),
    (dl.event("purchase") & (dl.col("value") > 5) | dl.event("gift"), "purchase and value > 5 or gift"),
    (dl.first("purchase"), "first(purchase)"),
    (dl.nth(dl.event("view"), 3), "nth(view, 3)"),
    (dl.after("cart", "30m") & "purchase", "after(cart, 30m) and purchase"),
    (dl.after("cart", timedelta(minutes=90)), "after(cart, 90m)"),
    ("purchase" | dl.event("gift"), "purchase or gift"),
    (dl.col("attr.price") > 3, "attr.price > 3"),
    (dl.col("Case ID") == "a\"b", '`Case ID` == "a\\"b"'),
]


@pytest.mark.parametrize(("built", "text"), PAIRS, ids=[text for _, text in PAIRS])
def test_built_and_written_are_the_same(built: dl.Expr, text: str) -> None:
    assert built == dl.Expr(text)
    assert hash(built) == hash(dl.Expr(text))
    assert dl.Expr(str(built)) == built
    assert pickle.loads(pickle.dumps(built)) == built


def test_times_are_written_in_utc() -> None:
    assert (dl.col("time") >= date(2025, 3, 1)) == dl.Expr('time >= "2025-03-01"')
    at = datetime(2025, 3, 1, 12, tzinfo=UTC)
    assert str(dl.col("time") < at) == 'time < "2025-03-01T12:00:00Z"'


def test_conditions_have_no_truth() -> None:
    with pytest.raises(TypeError, match="&"):
        bool(dl.col("a") == 1)
    with pytest.raises(TypeError, match="compare"):
        bool(dl.col("a"))
    with pytest.raises(TypeError, match="&"):
        _ = (dl.col("a") == 1) and (dl.col("b") == 2)


@pytest.mark.parametrize("value", [None, [1], float("nan"), float("inf"), object()])
def test_values_that_cannot_be_compared(value: object) -> None:
    with pytest.raises(TypeError):
        _ = dl.col("a") == value  # type: ignore[arg-type]


def test_bad_text_says_where() -> None:
    with pytest.raises(dl.SpecError, match="at column 11: expected a value") as caught:
        dl.Expr("channel ==")
    assert caught.value.code == "expression"
    assert isinstance(caught.value, ValueError)
    with pytest.raises(dl.SpecError, match="pattern"):
        dl.col("a").matches("(")
    with pytest.raises(dl.SpecError, match="30"):
        dl.after("a", "30 parsecs")
    with pytest.raises(TypeError, match="isin"):
        dl.col("a").isin("web")


def test_names_that_the_log_does_not_have(log: dl.Log, journeys: dl.Journeys) -> None:
    with pytest.raises(dl.UnknownNameError, match="platform") as caught:
        journeys.keep_journeys(dl.col("platfrom") == "web")
    assert caught.value.code == "unknown_field"
    with pytest.raises(TypeError, match="condition"):
        journeys.keep_journeys(3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="condition"):
        log.keep_events(None)  # type: ignore[arg-type]


def test_the_two_scopes_of_selection(log: dl.Log, journeys: dl.Journeys) -> None:
    web = journeys.keep_journeys(dl.col("platform") == "web")
    assert (web.n_journeys, web.n_events) == (2, 5)
    views = journeys.keep_events("view")
    assert (views.n_journeys, views.n_events) == (4, 4)
    assert log.keep_events("view").journeys().n_events == 4
    assert web.selections == ('keep journeys where platform == "web"',)
    assert journeys.n_events == 8
