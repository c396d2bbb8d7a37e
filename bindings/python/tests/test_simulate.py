"""The simulated shop: the same everywhere, with a known truth."""

from __future__ import annotations

from pathlib import Path

import pytest

import desireline as dl


def test_the_same_arguments_give_the_same_log(tmp_path: Path) -> None:
    log = dl.simulate(customers=300, seed=5)
    assert log.fingerprint == dl.simulate(customers=300, seed=5).fingerprint
    assert log.fingerprint != dl.simulate(customers=300, seed=6).fingerprint
    assert "device" in log.attributes


def test_written_and_read_back(tmp_path: Path) -> None:
    path = tmp_path / "shop.parquet"
    log = dl.simulate(customers=300, seed=5, path=path)
    back = dl.read(
        path,
        customer="customer_id",
        time="time",
        event="event",
        channel="channel",
        session="session_id",
        value="value",
        currency="EUR",
        tie="seq",
        attributes=["device", "region", "plan", "campaign", "ab"],
    )
    assert back.fingerprint == log.fingerprint
    with pytest.raises(dl.ReadError):
        dl.simulate(customers=10, path=tmp_path / "no" / "shop.parquet")


def test_effects() -> None:
    assert dl.simulate_truth(effects={"broken_step": None})["broken_step"] is None
    assert dl.simulate_truth(effects="none")["channel_lift"] is None
    with pytest.raises(dl.UnknownNameError, match="mobile_ios"):
        dl.simulate(customers=10, effects={"broken_step": {"device": "mobile_os", "from_day": 3, "failure": 0.1}})
    with pytest.raises(dl.SpecError, match="customers"):
        dl.simulate(customers=0)
    with pytest.raises(dl.SpecError, match="cusomers"):
        dl.simulate(cusomers=10)
    with pytest.raises(TypeError, match="not both"):
        dl.simulate(customers=10, events=10)


def test_by_events() -> None:
    assert 80_000 < dl.simulate(events=100_000).n_events < 120_000
