"""The notebook runs from top to bottom, tells what is true of its data, and is kept without outputs."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any

import pytest

import desireline as dl

NOTEBOOK = Path(__file__).parents[3] / "examples" / "journeys.ipynb"


def _text(cell: Any) -> str:
    return "".join(o.get("text", "") or o.get("data", {}).get("text/plain", "") for o in cell.get("outputs", []))


def _picture(page: str) -> str:
    found = re.search(r'src="data:image/svg\+xml;base64,([^"]*)"', page)
    assert found, page[:200]
    return base64.b64decode(found[1]).decode()


@pytest.mark.filterwarnings("ignore")
def test_the_notebook_runs() -> None:
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    assert all(not c.get("outputs") and c.get("execution_count") is None for c in notebook.cells)
    nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
    told = "\n".join(_text(c) for c in notebook.cells)
    assert "payment_error: " in told
    assert "mobile_ios against desktop, step: purchase" in told
    pages = [o.get("data", {}).get("text/html", "") for c in notebook.cells for o in c.get("outputs", [])]
    pictures = [o for c in notebook.cells for o in c.get("outputs", []) if "image/svg+xml" in o.get("data", {})]
    assert len(pictures) >= 6
    # The map with answers has a curve of feelings; the one without has only what was typed into it.
    maps = [str(p) for p in pages if "Makes up their mind" in str(p)]
    assert len(maps) == 2
    assert "no feeling on the map" in _picture(maps[0]) and "9 measured" in _picture(maps[1])
    assert told.rstrip().endswith("True")


def test_what_the_notebook_finds_is_true() -> None:
    log = dl.simulate(customers=40_000, seed=1)
    truth = dl.simulate_truth(customers=40_000, seed=1)
    journeys = log.journeys(gap="30m")

    # The broken step: of that device since that day, payments succeed as rarely as is planted, elsewhere as often.
    ios = dl.col("device") == "mobile_ios"
    groups = {"since": ios & (dl.col("time") >= "2025-03-02"), "before": ios & (dl.col("time") < "2025-03-02")}
    change = journeys.compare(groups, baseline="before", on=dl.Funnel(["payment", "purchase"]))
    row = next(r for r in change.rows if r.kind == "step" and "purchase" in r.key)
    assert row.a.estimate and row.b.estimate and row.difference and row.q is not None
    assert row.a.estimate.lower < truth["broken_step"]["completion"] < row.a.estimate.upper
    assert row.b.estimate.lower < truth["completion"] < row.b.estimate.upper
    assert row.difference.upper < -0.25
    assert row.q < 1e-6

    # The true lift holds within plans, the other channel's does not, and the campaign turns round.
    payment = dl.Funnel(["payment"])
    referral = journeys.compare(a='channel == "referral"', on=payment, stratify="plan")
    assert referral.simpson[0].verdict == "consistent"
    assert referral.simpson[0].stratified.lower > 0.01
    email = journeys.compare(a='channel == "email"', on=payment, stratify="plan")
    assert email.simpson[0].pooled.lower > 0
    assert email.simpson[0].stratified.lower < 0.002
    campaign = journeys.compare("campaign", on=dl.Funnel(["purchase"]), stratify="plan")
    assert campaign.simpson[0].verdict == "reversed"
    assert any(c.kind == "simpson_reversal" for c in campaign.caveats)

    # A coin toss is no finding.
    coin = journeys.compare(truth["null_attribute"], on=payment)
    assert all(r.q is None or r.q > 0.05 for r in coin.rows)
