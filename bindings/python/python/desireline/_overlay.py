"""A journey map measured against a log."""

from __future__ import annotations

import copy
from os import PathLike
from typing import TYPE_CHECKING, Any, cast

from ._report import WIDTH, Report, Table, _written

if TYPE_CHECKING:
    from ._map import JourneyMap

__all__ = ["OverlayReport"]


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
    placements = _table("placements", "Events of touchpoints by stage and step.")
    kpis = _table("kpis", "The KPIs that the map watches, with their targets.")
    feedback = _table("feedback", "What customers say at stages and touchpoints.")
    feelings = _table("feelings", "What customers feel there.")
    unmapped = _table("unmapped", "Events that belong to no touchpoint.")

    @property
    def never_seen(self) -> tuple[str, ...]:
        """Touchpoints with a binding that have no event."""
        return tuple(self._data["never_seen"])

    def to_dict(self) -> dict[str, Any]:
        """Everything as Python objects, at full precision."""
        return copy.deepcopy(dict(self._data))
