"""A simulated shop with planted effects whose truth is known: for demonstrations, tests and benchmarks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from os import PathLike, fspath
from typing import Any, Literal, cast

from . import _core
from ._log import Log, Progress, _Line

__all__ = ["simulate", "simulate_truth"]

_READING: dict[str, Any] = {
    "customer": "customer_id",
    "time": "time",
    "event": "event",
    "channel": "channel",
    "session": "session_id",
    "value": "value",
    "currency": "EUR",
    "tie": "seq",
    "attributes": [{"name": n} for n in ("device", "region", "plan", "campaign", "ab")],
}


def _simulation(
    customers: int | None, seed: int, days: int, effects: Mapping[str, Any] | Literal["none"] | None, more: dict[str, Any]
) -> str:
    spec: dict[str, Any] = {"seed": seed, "days": days, **more}
    if customers is not None:
        spec["customers"] = customers
    if effects == "none":
        names = ("broken_step", "channel_lift", "channel_mix", "reversal", "rework", "bots")
        spec["effects"] = dict.fromkeys(names)
    elif effects is not None:
        spec["effects"] = dict(effects)
    return json.dumps(spec)


def simulate(
    *,
    customers: int | None = None,
    events: int | None = None,
    seed: int = 1,
    days: int = 180,
    effects: Mapping[str, Any] | Literal["none"] | None = None,
    path: str | PathLike[str] | None = None,
    answers: str | PathLike[str] | None = None,
    progress: Progress = None,
    **more: Any,
) -> Log:
    """A realistic log of a shop, with effects planted in it whose truth is known (see :func:`simulate_truth`).

    Planted are a payment that breaks for one device from a day on, a channel that truly leads to more purchases, a
    channel that only looks so, a campaign that wins in every plan and loses over all, a loop in the checkout, and
    programs that crawl the shop. The same arguments give the same log on every machine.

    Args:
        customers: How many customers; 10,000 unless given.
        events: Instead of ``customers``: about how many events.
        seed: Another seed is another log with the same truth.
        days: The length of the window, from 2025-01-01.
        effects: The effects to plant, by name, ``None`` for one to leave out; or ``"none"`` to plant nothing.
        path: Also write the events to this file (``.parquet`` or another format that can be written).
        answers: Also write what customers answer to the shop's survey, with the columns ``customer_id``, ``time``,
            ``touchpoint``, ``question`` (``csat`` or ``nps``), ``score`` and ``words``; :meth:`Feedback.read` reads it.
        progress: ``True`` for a line on stderr, or a callable of (done, total).
        more: Further fields of the simulation, such as ``order="arrival"``.

    >>> import desireline as dl
    >>> log = dl.simulate(customers=500, seed=7)
    >>> log.n_customers
    500
    """
    if customers is not None and events is not None:
        raise TypeError("give either customers= or events=, not both")
    made = _core.simulate(_simulation(customers, seed, days, effects, more), events)
    with _Line("simulating", progress) as tell:
        if path is not None:
            made.write(str(fspath(path)), tell)
        if answers is not None:
            made.write_answers(str(fspath(answers)))
        return Log(made.log(json.dumps(_READING), tell))


def simulate_truth(
    *,
    customers: int | None = None,
    seed: int = 1,
    days: int = 180,
    effects: Mapping[str, Any] | Literal["none"] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """What is true of the log that :func:`simulate` makes of the same arguments.

    >>> import desireline as dl
    >>> dl.simulate_truth()["broken_step"]["device"]
    'mobile_ios'
    """
    made = _core.simulate(_simulation(customers, seed, days, effects, more), None)
    return cast(dict[str, Any], json.loads(made.truth))
