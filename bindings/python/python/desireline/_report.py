"""What comes back: frozen reports with typed attributes, tables that speak Arrow, pictures, and the way back to the members."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, cast

from ._time import EPOCH, from_micros

if TYPE_CHECKING:
    import pandas
    import plotly.graph_objects
    import polars

    from . import _core
    from ._log import Journeys

__all__ = ["Caveat", "Explained", "GraphReport", "GroupedReport", "Group", "Member", "Provenance", "Report", "Table", "Tables"]

WIDTH = 840.0
"""The width of a picture in pixels unless another is asked for."""

SHOWN_ROWS = 30
"""A notebook shows so many rows of a table; the table itself has all."""


@dataclass(frozen=True, slots=True)
class Caveat:
    """Something to know before trusting a number: its kind, its figures, and the sentence that says it."""

    kind: str
    message: str
    details: Mapping[str, Any]

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a report comes from: enough to make it again."""

    engine: str
    """The version of the engine."""
    fingerprint: str
    """A hash of the log's content."""
    rule: str
    """The rule that cut the journeys."""
    selections: tuple[str, ...]
    """The selections in force, in order."""
    n_events: int
    n_customers: int
    n_journeys: int
    first_time: datetime | None
    last_time: datetime | None
    observed_until: datetime | None
    """Until when customers were observed."""
    seed: int | None
    """The seed of everything random, where something was."""


@dataclass(frozen=True, slots=True)
class Member:
    """A journey that is counted in a cell, and why."""

    customer: str
    journey: int
    """Which of the customer's journeys, from 0."""
    start: datetime | None
    why: str


@dataclass(frozen=True, slots=True)
class Explained:
    """A journey of a customer: its events, and the cells that it is counted in with the reasons."""

    journey: int
    start: datetime | None
    events: tuple[tuple[datetime | None, str], ...]
    cells: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        lines = [f"journey {self.journey}"]
        lines += [f"  {_clock(time)}  {name}" for time, name in self.events]
        lines += [f"  {cell}: {why}" for cell, why in self.cells]
        return "\n".join(lines)


def _clock(time: datetime | None) -> str:
    return "?" if time is None else time.isoformat(sep=" ", timespec="seconds").removesuffix("+00:00")


class _Frozen:
    """Nothing can be set after it was made; what is worked out late is kept."""

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen; `{name}` cannot be set")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen; `{name}` cannot be deleted")


    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self


class Table(_Frozen):
    """A table of a report. Speaks Arrow (``__arrow_c_stream__``), so any frame library takes it: ``pl.DataFrame(table)``.

    In frames an estimate ``x`` stands in the columns ``x``, ``x_lower``, ``x_upper`` and ``x_n``, a rate has ``x_count``
    besides; what is missing is null, never 0.
    """

    def __init__(self, native: _core.Table) -> None:
        self.__dict__["_native"] = native

    _native: _core.Table

    @property
    def name(self) -> str:
        """Its name for programs."""
        return self._native.name

    @property
    def title(self) -> str:
        """Its title for people."""
        return self._native.title

    def __len__(self) -> int:
        return self._native.n_rows

    @cached_property
    def _columns(self) -> dict[str, list[Any]]:
        return {name: _cells(kind, cells) for name, (kind, cells) in self._native.columns().items()}

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(self._columns)

    def __getitem__(self, column: str) -> list[Any]:
        """The cells of a column as plain Python values: lengths of time as ``timedelta``, money as ``Decimal``."""
        try:
            return list(self._columns[column])
        except KeyError:
            from ._errors import UnknownNameError

            message = f"table `{self.name}` has no column `{column}`; it has {', '.join(self._columns)}"
            raise UnknownNameError(message, code="unknown_column", name=column, known=self.columns) from None

    def to_dict(self) -> dict[str, list[Any]]:
        """The columns as plain Python lists."""
        return {name: list(cells) for name, cells in self._columns.items()}

    def rows(self) -> Iterator[dict[str, Any]]:
        """The rows as dictionaries."""
        names = self.columns
        for cells in zip(*self._columns.values(), strict=True):
            yield dict(zip(names, cells, strict=True))

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self._native.__arrow_c_stream__(requested_schema)

    def __arrow_c_schema__(self) -> object:
        return self._native.__arrow_c_schema__()

    def to_pandas(self) -> pandas.DataFrame:
        """The table as a pandas frame."""
        try:
            import pandas as pd
        except ImportError as error:
            raise ImportError("to_pandas() needs pandas: pip install pandas") from error
        from_arrow: Callable[[Table], pandas.DataFrame] | None = getattr(pd.DataFrame, "from_arrow", None)
        if from_arrow is not None:
            try:
                return from_arrow(self)
            except ImportError:
                # pandas takes Arrow in only by way of pyarrow, which it does not require.
                pass
        return pd.DataFrame(self.to_dict())

    def to_polars(self) -> polars.DataFrame:
        """The table as a Polars frame."""
        try:
            import polars as pl
        except ImportError as error:
            raise ImportError("to_polars() needs polars: pip install polars") from error
        return cast("polars.DataFrame", pl.DataFrame(self))

    def to_csv(self, path: str | PathLike[str] | None = None, *, spreadsheet: bool = False) -> str | None:
        """The table as CSV, written to ``path`` or given back. ``spreadsheet`` disarms texts that would run as formulas."""
        return _written(self._native.csv(spreadsheet), path)

    def to_markdown(self) -> str:
        """The table as Markdown."""
        return self._native.markdown()

    def __reduce__(self) -> tuple[Any, ...]:
        return _table_again, (*_saved(self._native.answer), self.name)

    def __repr__(self) -> str:
        return self._native.text(100)

    def _repr_html_(self) -> str:
        from ._display import table_html

        return table_html(self._native, rows=None)


class Tables(Mapping[str, Table]):
    """The tables of a report, by name, the most important first. ``tables[0]`` is the first."""

    __slots__ = ("_tables",)

    def __init__(self, tables: list[Table]) -> None:
        self._tables = {t.name: t for t in tables}

    def __getitem__(self, key: str | int) -> Table:
        if isinstance(key, int):
            return list(self._tables.values())[key]
        try:
            return self._tables[key]
        except KeyError:
            from ._errors import UnknownNameError

            message = f"there is no table `{key}`; there are {', '.join(self._tables)}"
            raise UnknownNameError(message, code="unknown_table", name=key, known=tuple(self._tables)) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._tables)

    def __len__(self) -> int:
        return len(self._tables)

    def __repr__(self) -> str:
        return "\n".join(repr(t) for t in self._tables.values())


class Report(_Frozen):
    """A finished answer, frozen: typed attributes, tables, caveats, the question and where it all came from.

    A report is shown as text in a terminal and as picture and tables in a notebook.
    """

    _native: _core.Answer
    _journeys: Journeys | None

    def __init__(
        self, native: _core.Answer, journeys: Journeys | None = None, data: Mapping[str, Any] | None = None
    ) -> None:
        self.__dict__["_native"] = native
        self.__dict__["_journeys"] = journeys
        if data is not None:
            self.__dict__["_data"] = data

    @cached_property
    def _data(self) -> Mapping[str, Any]:
        return cast(Mapping[str, Any], json.loads(self._native.fields()))

    @property
    def analysis(self) -> str:
        """The analysis, by its name."""
        return self._native.analysis

    @property
    def title(self) -> str:
        """A title for people."""
        return self._native.title

    @cached_property
    def tables(self) -> Tables:
        """The report's numbers as tables, by name, the most important first."""
        return Tables([Table(t) for t in self._native.tables()])

    @cached_property
    def caveats(self) -> tuple[Caveat, ...]:
        """What to know before trusting the numbers."""
        return read_caveats(self._native.caveats)

    @property
    def spec(self) -> dict[str, Any]:
        """The question as data. ``journeys.analyze(report.analysis, report.spec)`` asks it again, from any language."""
        return cast(dict[str, Any], json.loads(self._native.spec))

    @cached_property
    def provenance(self) -> Provenance:
        """Where the report comes from: log, rule, selections, version, seed."""
        data = json.loads(self._native.provenance)
        times = {k: from_micros(data[k]) for k in ("first_time", "last_time", "observed_until")}
        selections = tuple(data["selections"])
        return Provenance(**{**data, **times, "selections": selections})

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self.tables[0].__arrow_c_stream__(requested_schema)

    def __arrow_c_schema__(self) -> object:
        return self.tables[0].__arrow_c_schema__()

    def to_pandas(self) -> pandas.DataFrame:
        """The first table as a pandas frame; for another one: ``report.tables["name"].to_pandas()``."""
        return self.tables[0].to_pandas()

    def to_polars(self) -> polars.DataFrame:
        """The first table as a Polars frame."""
        return self.tables[0].to_polars()

    def to_json(self, path: str | PathLike[str] | None = None) -> str | None:
        """Everything as JSON, at full precision; written to ``path`` or given back."""
        return _written(self._native.json(), path)

    def to_markdown(self, path: str | PathLike[str] | None = None) -> str | None:
        """The report as Markdown; written to ``path`` or given back."""
        return _written(self._native.markdown(), path)

    def to_html(self, path: str | PathLike[str] | None = None, *, title: str | None = None) -> str | None:
        """The report as one self-contained page, without script or request; written to ``path`` or given back."""
        from . import _core

        return _written(_core.page(title or self.title, [self._native], None), path)

    def text(self, width: int | None = 100) -> str:
        """The report as text; ``width=None`` cuts nothing."""
        return self._native.text(width)

    def svg(self, path: str | PathLike[str] | None = None, *, width: float = WIDTH) -> str | None:
        """The report's picture as static SVG; ``None`` where this kind of report has none, or when it went to ``path``."""
        picture = self._native.svg(float(width))
        return None if picture is None else _written(picture, path)

    def plot(self) -> plotly.graph_objects.Figure:
        """The same numbers as a Plotly figure, to restyle and zoom. Needs the extra ``desireline[plot]``."""
        from ._plot import figure

        return figure(self)

    def cells(self) -> dict[str, int]:
        """The cells that journeys are counted in, with their counts: the names that :meth:`members` takes."""
        return self._asked().cells(self.analysis, self._native.spec)

    def members(self, cell: str, *, limit: int | None = None) -> tuple[Member, ...]:
        """The journeys counted in a cell such as ``step/2/dropped``, in the order of the log.

        This is where customer ids come out; nothing else shows them. See :meth:`cells` for the names of cells.

        Raises:
            UnknownNameError: The report has no such cell.
        """
        members = self._asked().members(self.analysis, self._native.spec, cell, _limit(limit))
        return tuple(Member(c, j, from_micros(start), why) for c, j, start, why in members)

    def explain(self, customer: str) -> tuple[Explained, ...]:
        """Why a customer is where the report counts them: every journey, its cells and the reasons."""
        return explained(self._asked().explain(self.analysis, self._native.spec, str(customer)))

    def _asked(self) -> _core.Journeys:
        if self._journeys is None:
            raise TypeError(
                "this report has no journeys with it: it is part of another (ask the whole one), a copy from elsewhere,"
                " or a log's summary"
            )
        return self._journeys._native

    def __reduce__(self) -> tuple[Any, ...]:
        # The numbers go along, the log does not: what needs it, such as members(), is asked of the original.
        return _report_again, (type(self), getattr(self, "_of", None), *_saved(self._native))

    def __repr__(self) -> str:
        return self._native.text(100)

    __str__ = __repr__

    def _repr_html_(self) -> str:
        from ._display import report_html

        return report_html(self)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        bundle = {"text/plain": repr(self), "text/html": self._repr_html_()}
        picture = self.svg()
        if picture is not None:
            bundle["image/svg+xml"] = picture
        return bundle


class GraphReport(Report):
    """A report that is a graph as well."""

    def to_dot(self, path: str | PathLike[str] | None = None) -> str | None:
        """The graph in the DOT language of Graphviz; written to ``path`` or given back."""
        return _written(self._native.graph("dot") or "", path)

    def to_mermaid(self, path: str | PathLike[str] | None = None) -> str | None:
        """The graph as a Mermaid flowchart; written to ``path`` or given back."""
        return _written(self._native.graph("mermaid") or "", path)


R = TypeVar("R", bound=Report)


class Group(Generic[R]):
    """One group of a breakdown: its name, how much is in it, and its report."""

    __slots__ = ("customers", "journeys", "name", "report")

    def __init__(self, name: str, journeys: int, customers: int, report: R) -> None:
        self.name = name
        self.journeys = journeys
        self.customers = customers
        self.report = report

    def __repr__(self) -> str:
        return f"Group({self.name!r}, journeys={self.journeys}, customers={self.customers})"


class GroupedReport(Report, Generic[R]):
    """A question answered group by group, in one pass. ``report["mobile"]`` is the report of one group."""

    _of: type[R]

    def __init__(self, native: _core.Answer, journeys: Journeys | None, of: type[R]) -> None:
        super().__init__(native, journeys)
        self.__dict__["_of"] = of

    @property
    def by(self) -> str:
        """What the groups are: the attribute's name, or ``segment``."""
        return str(self._data["by"])

    @cached_property
    def groups(self) -> tuple[Group[R], ...]:
        """The groups, largest first."""
        return tuple(
            Group(g["group"], g["n_journeys"], g["n_customers"], self._of(self._native.part(i), None, g["report"]))
            for i, g in enumerate(self._data["groups"])
        )

    def __getitem__(self, name: str) -> R:
        for group in self.groups:
            if group.name == name:
                return group.report
        from ._errors import UnknownNameError

        known = tuple(g.name for g in self.groups)
        message = f"there is no group `{name}`; there are {', '.join(known)}"
        raise UnknownNameError(message, code="unknown_group", name=name, known=known)

    def __iter__(self) -> Iterator[Group[R]]:
        return iter(self.groups)

    def __len__(self) -> int:
        return len(self.groups)


def _saved(native: _core.Answer) -> tuple[str, str, str, str, int | None]:
    """All that an answer is made of."""
    return native.analysis, native.spec, native.provenance, native.fields(), native.place


def _answer_again(analysis: str, spec: str, provenance: str, fields: str, place: int | None) -> _core.Answer:
    from . import _core

    answer = _core.restore(analysis, spec, provenance, fields)
    return answer if place is None else answer.part(place)


def _report_again(kind: type[Any], of: type[Any] | None, *saved: Any) -> Any:
    native = _answer_again(*saved)
    if of is not None:
        return kind(native, None, of)
    place = saved[-1]
    return kind(native, None, None if place is None else json.loads(saved[-2])["groups"][place]["report"])


def _table_again(*saved: Any) -> Table:
    native = _answer_again(*saved[:-1])
    return next(Table(t) for t in native.tables() if t.name == saved[-1])


def read_caveats(pairs: list[tuple[str, str]]) -> tuple[Caveat, ...]:
    """Caveats from the engine's pairs of JSON and sentence."""
    caveats = []
    for data, message in pairs:
        details = json.loads(data)
        caveats.append(Caveat(details.pop("kind"), message, details))
    return tuple(caveats)


def explained(text: str) -> tuple[Explained, ...]:
    """Explanations from the engine's JSON."""
    return tuple(
        Explained(
            j["journey"],
            from_micros(j["start"]),
            tuple((from_micros(time), name) for time, name in j["events"]),
            tuple((c["cell"], c["why"]) for c in j["cells"]),
        )
        for j in json.loads(text)
    )


def _cells(kind: str, cells: list[Any]) -> list[Any]:
    if kind == "duration":
        return [None if c is None else timedelta(microseconds=c) for c in cells]
    if kind == "time":
        return [None if c is None else EPOCH + timedelta(microseconds=c) for c in cells]
    if kind.startswith("money:"):
        scale = int(kind.removeprefix("money:"))
        return [None if c is None else Decimal(c).scaleb(-scale) for c in cells]
    return cells


def _limit(limit: int | None) -> int:
    return 2**62 if limit is None else int(limit)


def _written(text: str, path: str | PathLike[str] | None) -> str | None:
    if path is None:
        return text
    Path(fspath(path)).write_text(text, encoding="utf-8", newline="")
    return None
