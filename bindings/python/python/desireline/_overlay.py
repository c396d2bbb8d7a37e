"""A journey map measured against a log."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from os import PathLike
from typing import TYPE_CHECKING, Any, cast

from ._report import WIDTH, Report, Table, _written

if TYPE_CHECKING:
    from ._log import Journeys, Log, Progress
    from ._map import JourneyMap

__all__ = ["OverlayReport", "ScenarioReport", "scenarios"]


def _table(name: str, doc: str) -> property:
    def get(self: OverlayReport) -> Table | None:
        return self.tables[name] if name in self.tables else None

    get.__doc__ = doc
    return property(get)


class OverlayReport(Report):
    """What a log says to each part of a map. Frozen; its tables speak Arrow, pandas and Polars as those of any report do.

    A table that the map or the question gives no reason for, such as ``steps`` without steps or ``trend`` without a period, is
    ``None``. ``tables`` holds all that there are, by name; ``to_dict()`` everything, with the same words as Rust and JSON.
    """

    _drawn_on: JourneyMap | None = None

    def svg(self, path: str | PathLike[str] | None = None, *, width: float = WIDTH) -> str | None:
        """The measured map as a static SVG picture, with the goals and marks of its map; ``None`` when it went to ``path``."""
        if self._drawn_on is None:
            return super().svg(path, width=width)
        return _written(self._drawn_on.svg(width, measured=self), path)

    @property
    def map(self) -> dict[str, Any]:
        """Which map: id, title, version, kind, as-of, owner, aim, window, zone, unit, fingerprint."""
        return cast(dict[str, Any], copy.deepcopy(self._data["map"]))

    @property
    def base(self) -> dict[str, Any]:
        """Over what: customers, journeys and events, the share of events on the map, outcomes, what was asked."""
        return cast(dict[str, Any], copy.deepcopy(self._data["base"]))

    stages = _table("stages", "The stages.")
    touchpoints = _table("touchpoints", "The touchpoints.")
    steps = _table("steps", "The steps.")
    channels = _table("channels", "The channels.")
    personas = _table("personas", "The personas, then those who belong to none.")
    goals = _table("goals", "The goals.")
    edges = _table("edges", "Ways from one touchpoint, stage or channel to another, most taken first.")
    conversion = _table("conversion", "The stages as a funnel.")
    furthest = _table("furthest", "How far journeys come.")
    order = _table("order", "Late starts, skips, regressions, forced jumps, use of several channels.")
    handovers = _table("handovers", "What is lost where journeys are handed over.")
    trend = _table("trend", "Reach and goals by period.")
    by_persona = _table("by_persona", "The same measures for each persona, as counted and shrunk.")
    persona_tests = _table("persona_tests", "Whether personas differ, place by place.")
    by_period = _table("by_period", "The same measures for each period.")
    period_tests = _table("period_tests", "Whether periods differ, place by place.")
    promises = _table("promises", "What was promised, and whether it is kept.")
    returns = _table("returns", "Who leaves each place without a goal, and who comes back (KPI K18).")
    health = _table("health", "How each touchpoint is doing; then events that belong to none.")
    responders = _table("responders", "Whether those who answered are like the others, and good answers as if all had been heard alike.")
    satisfaction = _table("satisfaction", "How satisfied those are who reached a goal, against those who did not.")
    placements = _table("placements", "Events of touchpoints by stage and step.")
    kpis = _table("kpis", "The KPIs that the map watches, with their targets.")
    kpi_parts = _table("kpi_parts", "The numbers of those KPIs that have one for each channel or kind.")
    feedback = _table("feedback", "What customers say at stages and touchpoints.")
    feelings = _table("feelings", "What customers feel there.")
    stage_channels = _table("stage_channels", "Events of stages by the channel that they came through.")
    unmapped = _table("unmapped", "Events that belong to no touchpoint.")

    @property
    def never_seen(self) -> tuple[str, ...]:
        """Touchpoints with a binding that have no event."""
        return tuple(self._data["never_seen"])

    def to_dict(self) -> dict[str, Any]:
        """Everything as Python objects, at full precision."""
        return copy.deepcopy(dict(self._data))


class ScenarioReport(Report):
    """How the maps of several scenarios share the journeys of a log: tables ``scenarios``, ``whole``, and ``overlaps`` where there are any."""

    @property
    def journeys(self) -> int:
        """All journeys."""
        return int(self._data["journeys"])

    @property
    def several(self) -> int:
        """Journeys that belong to several scenarios."""
        return int(self._data["several"])

    @property
    def none(self) -> int:
        """Journeys that belong to no scenario."""
        return int(self._data["none"])

    @property
    def adds_up(self) -> bool:
        """Whether every journey belongs to exactly one scenario."""
        return bool(self._data["one"] == self._data["journeys"])

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError("a report of scenarios is not pickled; keep its to_json() or its tables")


def scenarios(
    maps: Iterable[JourneyMap],
    on: Log | Journeys,
    *,
    threads: int | None = None,
    progress: Progress = None,
) -> ScenarioReport:
    """How the maps of several scenarios share the journeys of a log, and whether they add up to the whole.

    A journey belongs to a map if the map's overlay counts it: by ``scope.segment``, ``scope.exclude`` and ``scope.window``.

    Args:
        maps: the maps, one for each scenario.
        on: a log, cut as all of the maps say, or journeys as they are.
        threads: how many threads; all cores unless it is given.
        progress: ``True`` for a line on stderr, or a callable of (done, total) events.

    Raises:
        SpecError: two maps have one id or cut journeys in different ways, or a segment does not fit the log.

    >>> import desireline as dl
    >>> m = dl.JourneyMap.template("blank")
    >>> dl.scenarios([m], dl.simulate(customers=50, seed=1)).adds_up
    True
    """
    from . import _core
    from ._log import Journeys, Log, _Line

    log = on._native if isinstance(on, Log) else None
    journeys = on._native if isinstance(on, Journeys) else None
    if log is None and journeys is None:
        raise TypeError(f"scenarios share the journeys of a Log or Journeys, not {type(on).__name__}")
    with _Line("counting", progress) as tell:
        return ScenarioReport(_core.scenarios([m._native for m in maps], log, journeys, threads, tell))
