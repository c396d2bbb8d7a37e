"""KPIs: what the catalogue says they mean, and their numbers with intervals."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property, lru_cache
from numbers import Real
from os import PathLike, fspath
from typing import Any, Literal, TypeAlias

from . import _core
from ._report import Report
from ._reports import Estimate
from ._spec import encode
from ._time import Span, span

__all__ = ["AlertRun", "External", "KpiDefinition", "KpiLimits", "KpiReport", "KpiSetting", "KpiValue", "KpiVariant", "kpis"]

External: TypeAlias = "str | PathLike[str] | Mapping[str, Any] | Any"
"""A table of numbers that no log has: a CSV file, a frame, or columns as ``{"date": [...], "spend": [...]}``."""


@dataclass(frozen=True, slots=True)
class KpiVariant:
    """A way to measure a KPI."""

    name: str
    formula: str
    """How it is computed."""
    population: str
    """Of whom or what; who is left out."""
    unit: str
    interval: str
    """How its interval is made."""


@dataclass(frozen=True, slots=True)
class KpiSetting:
    """Something that a KPI has to be told, or takes."""

    name: str
    kind: Literal["condition", "length of time", "number", "text"]
    required: bool


@dataclass(frozen=True, slots=True)
class KpiDefinition:
    """A KPI of the catalogue, in words."""

    number: str
    name: str
    aliases: tuple[str, ...]
    question: str
    variants: tuple[KpiVariant, ...]
    """The first is meant where none is named."""
    params: tuple[KpiSetting, ...]
    data: str
    """What has to be there to measure it."""
    source: str
    """Where the definition comes from."""

    def __str__(self) -> str:
        return f"{self.number} {self.name}: {self.question}"


@lru_cache(maxsize=1)
def _catalogue() -> tuple[KpiDefinition, ...]:
    def read(d: Mapping[str, Any]) -> KpiDefinition:
        return KpiDefinition(
            number=d["number"],
            name=d["name"],
            aliases=tuple(d["aliases"]),
            question=d["question"],
            variants=tuple(KpiVariant(**v) for v in d["variants"]),
            params=tuple(KpiSetting(**p) for p in d["params"]),
            data=d["data"],
            source=d["source"],
        )

    return tuple(read(d) for d in json.loads(_core.kpi_catalogue()))


def kpis() -> tuple[KpiDefinition, ...]:
    """The KPIs of the catalogue, K01 to K30, for :meth:`Journeys.kpi`.

    >>> import desireline as dl
    >>> print(dl.kpis()[1])
    K02 cart_abandonment: How many carts are left behind?
    """
    return _catalogue()


@dataclass(frozen=True, slots=True)
class KpiLimits:
    """Where a period of a series was to be expected from those before it."""

    lower: float
    upper: float
    p: float
    """How often one as far out comes by chance, with all periods of the series in mind."""
    out: bool
    """Whether it lies outside."""


@dataclass(frozen=True, slots=True)
class KpiValue:
    """One number of a KPI."""

    period: str | None
    """The calendar period, in a series."""
    complete: bool | None
    """Whether the log covers all of that period."""
    key: str | None
    """Which, where there are several: a channel, a kind of visit."""
    estimate: Estimate | None
    """The number; ``None`` where there is too little to say."""
    count: int | None
    """What is counted above the line."""
    n: int
    """The units below it."""
    customers: int
    excluded: int
    """Units left out because it is not yet known how they end."""
    hole: str | None
    """Why there is no number."""
    limits: KpiLimits | None


def _value(d: Mapping[str, Any]) -> KpiValue:
    period = d["period"]
    return KpiValue(
        period=period and period["name"],
        complete=period and period["complete"],
        key=d["key"],
        estimate=None if d["estimate"] is None else Estimate._read(d["estimate"]),
        count=d["count"],
        n=d["n"],
        customers=d["customers"],
        excluded=d["excluded"],
        hole=d["hole"],
        limits=None if d["limits"] is None else KpiLimits(**d["limits"]),
    )


@dataclass(frozen=True, slots=True)
class AlertRun:
    """For how long a number has called for an alert without a break."""

    unit: str
    """In which periods it was looked at."""
    periods: int
    """Whole periods in a row, the last one among them, each of whose numbers calls for it; 0 where the last one does not, or has no number."""
    wanted: int | None
    """How many of them are as long as it has to last; ``None`` where it need not last, and where the log has too few."""


Comparison: TypeAlias = Literal["<", "<=", ">", ">="]
"""How a number stands to a threshold."""

Quantity: TypeAlias = "float | str | timedelta"
"""A number (a share as ``0.35``), a length of time such as ``"2d"``, or money such as ``"20.00 EUR"``, as the KPI is."""


class KpiReport(Report):
    """A KPI, measured; money in minor units of :attr:`currency`, times in microseconds."""

    @property
    def number(self) -> str:
        """Its number, such as ``K02``."""
        return str(self._data["number"])

    @property
    def name(self) -> str:
        """Its name."""
        return str(self._data["name"])

    @property
    def variant(self) -> str:
        """Which of its variants."""
        return str(self._data["variant"])

    @property
    def formula(self) -> str:
        """How it was computed."""
        return str(self._data["formula"])

    @property
    def population(self) -> str:
        """Of whom or what."""
        return str(self._data["population"])

    @property
    def currency(self) -> str | None:
        """The ISO 4217 code, for money."""
        code = self._data["currency"]
        return None if code is None else str(code)

    @property
    def settings(self) -> dict[str, str]:
        """The settings that were in force."""
        return {s["name"]: s["value"] for s in self._data["settings"]}

    @cached_property
    def values(self) -> tuple[KpiValue, ...]:
        """The number over all of the log, by key where there are several."""
        return tuple(_value(v) for v in self._data["values"])

    @cached_property
    def series(self) -> tuple[KpiValue, ...]:
        """The number by calendar period, where that was asked for."""
        return tuple(_value(v) for v in self._data["series"])

    @property
    def model(self) -> dict[str, float]:
        """What was fitted on the way."""
        return {p["name"]: p["value"] for p in self._data["model"]}

    @property
    def estimate(self) -> Estimate | None:
        """The number over all of the log."""
        return self.values[0].estimate if self.values else None

    @property
    def value(self) -> float | None:
        """The number alone."""
        return None if self.estimate is None else self.estimate.value

    def alert(self, op: Comparison, value: Quantity, *, lasting: Span | None = None) -> bool | None:
        """Does this number call for an alert? ``None`` where it cannot be told: there is no number.

        Without ``lasting`` the number over all of the log decides, and its value alone: told too late is worse than told once too
        often. With ``lasting`` the series decides (``per=``): its last whole periods, as many as it takes to be as long as that,
        must all call for it. One among them that does not is a no; one without a number, or a log with fewer periods, leaves it open.

        >>> import desireline as dl
        >>> journeys = dl.simulate(customers=500, seed=1).journeys(gap="30m")
        >>> bounced = journeys.kpi("bounce_rate", per="week")
        >>> bounced.alert(">=", 0), bounced.alert(">=", 0, lasting="14d"), bounced.alert(">", 1)
        (True, True, False)

        Args:
            op: How the number stands to the value when it is time.
            value: The threshold, in the KPI's own unit.
            lasting: For how long it has to stand so.

        Raises:
            SpecError: The threshold is in another unit than the number.
        """
        return self._native.alert(_alert(op, value, lasting))

    def alert_run(self, op: Comparison, value: Quantity, *, lasting: Span | None = None) -> AlertRun | None:
        """For how many periods of the series in a row the number has called for an alert; ``None`` without a whole period.

        Args:
            op: How the number stands to the value when it is time.
            value: The threshold, in the KPI's own unit.
            lasting: For how long it has to stand so; how many periods that takes is told, too.

        Raises:
            SpecError: The threshold is in another unit than the number.
        """
        unit = self.spec.get("per")
        if unit is None:
            return None
        run = self._native.alert_run(_alert(op, value, lasting), unit)
        return None if run is None else AlertRun(unit, *run)


def _alert(op: str, value: Quantity, lasting: Span | None) -> str:
    told: dict[str, Any] = {"op": op, "value": span(value) if isinstance(value, timedelta) else value}
    if lasting is not None:
        told["lasting"] = span(lasting)
    return json.dumps(told, allow_nan=False)


def spec(name: str, variant: str | None, params: Mapping[str, Any], **settings: Any) -> str:
    """A question as the engine reads it."""
    told = {key: given for key, given in settings.items() if given is not None}
    if variant is not None:
        told["variant"] = variant
    # `return` cannot be a keyword of Python's: `return_` is the same.
    read = {key.removesuffix("_"): encode(given) for key, given in params.items() if given is not None}
    return json.dumps({"kpi": name, "params": read, **told}, ensure_ascii=False, allow_nan=False)


def tables(given: External | Iterable[External] | Mapping[str, External] | None) -> list[_core.External]:
    """Tables from files, frames or columns."""
    if given is None:
        return []
    if isinstance(given, Mapping) and any(_is_table(v) for v in given.values()):
        return [_table(str(name), table) for name, table in given.items()]
    if isinstance(given, (list, tuple)):
        return [_table(f"table_{i + 1}", table) for i, table in enumerate(given)]
    return [_table("table_1", given)]


def _is_table(given: Any) -> bool:
    return isinstance(given, (str, PathLike, Mapping)) or hasattr(given, "__arrow_c_stream__")


def _table(name: str, given: External) -> _core.External:
    if isinstance(given, (str, PathLike)):
        return _core.External.read(str(fspath(given)))
    dates: list[str] | None = None
    keys: list[tuple[str, list[str]]] = []
    numbers: list[tuple[str, list[float | None]]] = []
    for column, cells in _columns(given).items():
        if column == "date":
            dates = [_day(cell) for cell in cells]
        elif all(cell is None or isinstance(cell, Real) or hasattr(cell, "as_tuple") for cell in cells):
            numbers.append((str(column), [None if cell is None else float(cell) for cell in cells]))
        else:
            keys.append((str(column), [str(cell) for cell in cells]))
    return _core.External(name, dates, keys, numbers)


def _day(cell: Any) -> str:
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    return cell.isoformat() if isinstance(cell, date) else str(cell)


def _columns(given: Any) -> Mapping[str, Sequence[Any]]:
    if isinstance(given, Mapping):
        return given
    home = type(given).__module__.split(".")[0]
    if home == "polars":
        return dict(given.to_dict(as_series=False))
    if home == "pandas":
        return {name: [None if cell != cell else cell for cell in cells] for name, cells in given.to_dict("list").items()}
    if hasattr(given, "to_pydict"):
        return dict(given.to_pydict())
    if hasattr(given, "__arrow_c_stream__"):
        import pyarrow

        return dict(pyarrow.table(given).to_pydict())
    raise TypeError(f"external= takes a CSV file, a frame or columns of lists, not {type(given).__name__}")

