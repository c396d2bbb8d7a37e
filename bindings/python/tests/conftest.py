"""What the tests share: a small log whose numbers can be counted by hand, and a simulated shop."""

from __future__ import annotations

from typing import Any

import pytest

import desireline as dl

ROWS: dict[str, list[Any]] = {
    "user": ["007", "007", "007", "bob", "bob", "cid", "NA", "NA"],
    "at": [
        "2025-01-01T10:00:00Z",
        "2025-01-01T10:05:00Z",
        "2025-01-01T10:09:00Z",
        "2025-01-01T11:00:00Z",
        "2025-01-01T12:00:00Z",
        "2025-01-02T09:00:00Z",
        "2025-01-02T10:00:00Z",
        "2025-01-02T10:01:00Z",
    ],
    "what": ["view", "cart", "buy", "view", "cart", "view", "cart", "view"],
    "platform": ["web", "web", "web", "app", "app", "app", "web", None],
    "amount": [None, None, 19.99, None, None, None, None, None],
}


def read(source: Any, **more: Any) -> dl.Log:
    """Reads the small log in any form."""
    return dl.read(source, customer="user", time="at", event="what", **{"attributes": ["platform"], **more})


@pytest.fixture
def rows() -> dict[str, list[Any]]:
    return {name: list(cells) for name, cells in ROWS.items()}


@pytest.fixture
def log(rows: dict[str, list[Any]]) -> dl.Log:
    polars = pytest.importorskip("polars")
    return read(polars.DataFrame(rows))


@pytest.fixture
def journeys(log: dl.Log) -> dl.Journeys:
    return log.journeys()


@pytest.fixture(scope="session")
def shop() -> dl.Log:
    return dl.simulate(customers=2_000, seed=1)


@pytest.fixture(scope="session")
def sessions(shop: dl.Log) -> dl.Journeys:
    return shop.journeys(gap="30m")
