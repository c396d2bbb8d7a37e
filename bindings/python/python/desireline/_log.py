"""The log, its journeys, and the questions that can be asked of them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from os import PathLike
from types import NoneType
from typing import Any, Literal, TypeAlias

from . import _core
from ._analyses import Questions
from ._expr import Condition, condition
from ._report import Caveat, Explained, GroupedReport, Report, explained, read_caveats
from ._reports import REPORTS, CompareReport, Summary
from ._source import Source, frame, paths
from ._spec import Groups, Question, question
from ._time import Span, from_micros, instant, span

__all__ = ["Attribute", "Journeys", "Log", "SelectedLog", "open", "read"]

Progress: TypeAlias = bool | Callable[[int, int], object] | None
"""``True`` shows a line on stderr; a callable gets what is done and what there is in all (0 where that is not known)."""

Kind: TypeAlias = Literal["text", "integer", "decimal", "boolean", "time"]


@dataclass(frozen=True)
class Attribute:
    """A column to keep, with its kind or level declared instead of found out."""

    name: str
    kind: Kind | None = None
    level: Literal["event", "customer"] | None = None


def read(
    source: Source,
    *,
    customer: str,
    time: str,
    event: str | None = None,
    every_row: str | None = None,
    channel: str | None = None,
    session: str | None = None,
    value: str | None = None,
    currency: str | None = None,
    attributes: Literal["all"] | Sequence[str | Attribute] = (),
    tie: str | None = None,
    zone: str | None = None,
    time_unit: Literal["s", "ms", "us", "ns"] | None = None,
    observed_until: str | datetime | date | None = None,
    dedupe: bool = False,
    max_quarantine_share: float | None = None,
    format: Literal["csv", "tsv", "jsonl", "parquet", "arrow"] | None = None,
    delimiter: str | None = None,
    header: bool = True,
    limits: Mapping[str, int] | None = None,
    progress: Progress = None,
) -> Log:
    """Reads events into a log.

    Rows without customer, time or event, or with something that cannot be read, are put aside and counted, with row,
    column and reason (see :meth:`Log.summary`); above ``max_quarantine_share`` (0.05) that is an error. Nothing missing
    becomes 0, and text ids keep their text: ``007`` is not ``7``.

    Args:
        source: A file, folder or pattern (CSV, TSV, JSON Lines, Parquet, Arrow; also ``.gz`` and ``.zst``), a list of
            them, or a frame: pandas, Polars, PyArrow, DuckDB, or whatever speaks the Arrow C interface.
        customer: The column of the customer, or whose journey it is.
        time: The column of the time.
        event: The column of the event's name.
        every_row: Instead of ``event``, where every row is the same kind of event: its name.
        channel: The column of the channel.
        session: The column of the session or journey.
        value: The column of amounts of money.
        currency: Their ISO 4217 code; needed with ``value``.
        attributes: Further columns to keep, or ``"all"``.
        tie: A whole-number column that orders a customer's events of one time; otherwise the order of the rows does.
        zone: The IANA zone of times without one; without it they count as UTC, with a caveat.
        time_unit: The unit of times that are numbers.
        observed_until: Until when customers were observed; the last event unless given.
        dedupe: Drop rows that repeat another in every column kept.
        max_quarantine_share: The largest share of rows that may be put aside.
        format: The format, whatever the file is called.
        delimiter: What stands between fields: a character, or ``"whitespace"``.
        header: Whether text files have a header.
        limits: Bounds on the input by name, such as ``{"field_bytes": 4096}``.
        progress: ``True`` for a line on stderr, or a callable of (done, total).

    Raises:
        ReadError: An input cannot be read.
        UnknownNameError: A column is not there.
        DataError: The rows do not make a log.

    Example:
        >>> import desireline as dl, pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "events.csv"
        >>> _ = path.write_text("user,time,event\\nann,2025-01-01,home\\nann,2025-01-02,buy\\nbob,2025-01-01,home\\n")
        >>> log = dl.read(path, customer="user", time="time", event="event")
        >>> log.n_events, log.n_customers
        (3, 2)
    """
    kept: list[dict[str, Any]] = []
    if attributes != "all":
        if isinstance(attributes, str):
            raise TypeError('attributes is a list of columns, or "all"')
        for a in attributes:
            own = Attribute(a) if isinstance(a, str) else a
            kept.append({"name": own.name, "kind": own.kind, "level": own.level})
    reading = {
        "customer": customer,
        "time": time,
        "event": event,
        "every_row": every_row,
        "channel": channel,
        "session": session,
        "value": value,
        "currency": currency,
        "attributes": kept,
        "all_attributes": attributes == "all",
        "tie": tie,
        "zone": zone,
        "time_unit": time_unit,
        "observed_until": None if observed_until is None else instant(observed_until),
        "dedupe": dedupe,
        "max_quarantine_share": max_quarantine_share,
        "format": format,
        "delimiter": delimiter,
        "header": header,
        "limits": dict(limits or {}),
    }
    for name in _TEXTS:
        if not isinstance(reading[name], (str, NoneType)):
            raise TypeError(f"{name} is a text, not {type(reading[name]).__name__}")
    text = json.dumps(reading)
    found = paths(source)
    with _Line("reading", progress) as tell:
        if found is not None:
            return Log(_core.read_paths(found, text, tell))
        return Log(_core.read_frame(frame(source), type(source).__name__, text, tell))


def open(path: str | PathLike[str]) -> Log:
    """Opens a snapshot that :meth:`Log.save` or ``desireline convert`` wrote.

    The file is mapped into memory, not decoded: a log of ten million events is there in some hundredths of a second, and
    gives the same reports as the one it was saved from, byte for byte. Everything that an answer relies on is checked.

    Raises:
        InputNotFoundError: There is no such file.
        ReadError: The file is no snapshot, is damaged, or was written by a later version.

    Example:
        >>> import desireline as dl, pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "shop.arrow"
        >>> log = dl.simulate(customers=100, seed=1)
        >>> log.save(path)
        >>> dl.open(path).fingerprint == log.fingerprint
        True
    """
    return Log(_core.open_snapshot(path))


_TEXTS = (
    "customer", "time", "event", "every_row", "channel", "session", "value", "currency", "tie", "zone", "time_unit",
    "format", "delimiter",
)  # fmt: skip


class Log:
    """All events, sorted by customer and time; immutable. Made by :func:`read`, :func:`open` or :func:`simulate`."""

    __slots__ = ("_native",)

    def __init__(self, native: _core.Log) -> None:
        self._native = native

    @property
    def n_events(self) -> int:
        """The number of events."""
        return self._native.n_events

    @property
    def n_customers(self) -> int:
        """The number of customers."""
        return self._native.n_customers

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the events, the most frequent first."""
        return tuple(self._native.names)

    @property
    def attributes(self) -> tuple[str, ...]:
        """The names of the attributes."""
        return tuple(self._native.attributes)

    @property
    def first_time(self) -> datetime | None:
        """The time of the first event, UTC."""
        return from_micros(self._native.times[0])

    @property
    def last_time(self) -> datetime | None:
        """The time of the last event, UTC."""
        return from_micros(self._native.times[1])

    @property
    def observed_until(self) -> datetime | None:
        """Until when customers were observed, UTC."""
        return from_micros(self._native.times[2])

    @property
    def fingerprint(self) -> str:
        """A hash of what the log says; the order of the input does not show in it."""
        return self._native.fingerprint

    def save(self, path: str | PathLike[str], *, progress: Progress = None) -> None:
        """Saves the log as one file that :func:`open` opens at once, and that any Arrow library reads.

        The file (by custom ``.arrow``) is an Arrow IPC file with a row per customer and the customer's events as a
        list: ``pl.read_ipc(path).explode("events").unnest("events")`` gives one row per event. It appears under its name
        when it is whole; a file that was there before stays as it is if anything fails.

        Args:
            path: Where to.
            progress: ``True`` for a line on stderr, or a callable of (bytes done, bytes in all).

        Raises:
            ReadError: The file cannot be written.
        """
        with _Line("writing", progress) as tell:
            self._native.save(path, tell)

    def summary(self) -> Summary:
        """What is in the log: names, attributes, spans, ties, duplicates, rows put aside by reason, memory."""
        return Summary(self._native.summary())

    def journeys(
        self,
        *,
        column: str | None = None,
        gap: Span | None = None,
        start: Condition | None = None,
        end: Condition | None = None,
        max: Span | None = None,
        calendar: Literal["day", "week", "month", "quarter", "year"] | None = None,
        zone: str | None = None,
    ) -> Journeys:
        """Cuts every customer's events into journeys. Every part that is given can cut; with none, a customer is a journey.

        Args:
            column: A column that already names the journey, such as a session id.
            gap: A new journey begins after a pause longer than this; exactly this long does not cut.
            start: An event for which this holds begins a journey.
            end: An event for which this holds ends its journey. To let the goal end a journey, put the goal here.
            max: A new journey begins where the journey would become longer than this.
            calendar: A new journey begins with each day, week, ...
            zone: The IANA zone of the calendar; UTC unless given, never the machine's.
        """
        return _cut(self._native, column, gap, start, end, max, calendar, zone)

    def keep_events(self, where: Condition) -> SelectedLog:
        """Hides the other events before journeys are cut: gaps are measured between the kept events."""
        return SelectedLog(self._native.keep_events(condition(where)))

    def __repr__(self) -> str:
        span = f"{_day(self.first_time)} to {_day(self.last_time)}"
        return f"Log({self.n_events:,} events of {self.n_customers:,} customers, {span})"


class SelectedLog:
    """A log of which only some events are to be cut into journeys. Made by :meth:`Log.keep_events`."""

    __slots__ = ("_native",)

    def __init__(self, native: _core.SelectedLog) -> None:
        self._native = native

    def journeys(
        self,
        *,
        column: str | None = None,
        gap: Span | None = None,
        start: Condition | None = None,
        end: Condition | None = None,
        max: Span | None = None,
        calendar: Literal["day", "week", "month", "quarter", "year"] | None = None,
        zone: str | None = None,
    ) -> Journeys:
        """Cuts the kept events into journeys; see :meth:`Log.journeys`."""
        return _cut(self._native, column, gap, start, end, max, calendar, zone)


@dataclass(frozen=True)
class _Options:
    threads: int | None = None
    memory_budget: int | None = None
    progress: Progress = None


class Journeys(Questions):
    """A log cut into journeys: ask it questions. Immutable, and cheap to select from."""

    __slots__ = ("_native", "_options")

    def __init__(self, native: _core.Journeys, options: _Options | None = None) -> None:
        self._native = native
        self._options = options or _Options()

    @property
    def n_events(self) -> int:
        """The number of events in the selected journeys."""
        return self._native.n_events

    @property
    def n_customers(self) -> int:
        """The number of customers with a selected journey."""
        return self._native.n_customers

    @property
    def n_journeys(self) -> int:
        """The number of selected journeys."""
        return self._native.n_journeys

    def __len__(self) -> int:
        return self._native.n_journeys

    @property
    def rule(self) -> str:
        """The rule that cut them, as the command line writes it."""
        return self._native.rule

    @property
    def selections(self) -> tuple[str, ...]:
        """The selections in force, in order."""
        return tuple(self._native.selections)

    @property
    def caveats(self) -> tuple[Caveat, ...]:
        """What to know about log and cut, whatever the question."""
        return read_caveats(self._native.caveats)

    def keep_journeys(self, where: Condition) -> Journeys:
        """The journeys with at least one event for which the condition holds, with all their events."""
        return Journeys(self._native.keep_journeys(condition(where)), self._options)

    def keep_events(self, where: Condition) -> Journeys:
        """Hides the other events. Journeys stay as they were cut; the neighbours of a hidden event become adjacent."""
        return Journeys(self._native.keep_events(condition(where)), self._options)

    def using(
        self,
        *,
        threads: int | None = None,
        memory_budget: int | None = None,
        progress: Progress = None,
    ) -> Journeys:
        """The same journeys, with how to work on them. No result ever depends on it.

        Args:
            threads: How many threads; all cores unless given.
            memory_budget: The most bytes that partial results may need, above which questions fail with BudgetError.
            progress: ``True`` for a line on stderr, or a callable of (done, total) events.
        """
        return Journeys(self._native, _Options(threads, memory_budget, progress))

    def run(self, questions: Iterable[Question]) -> list[Report]:
        """Answers several questions in one pass over the log.

        >>> import desireline as dl
        >>> journeys = dl.simulate(customers=200, seed=1).journeys(gap="30m")
        >>> reports = journeys.run([])
        >>> reports
        []
        """
        return self._run([question(q) for q in questions])

    def analyze(self, name: str, spec: Mapping[str, Any] | None = None, *, by: Groups | None = None) -> Report:
        """Answers a question given by name and JSON-ready fields, such as ``report.spec``."""
        return self._run([question((name, spec or {}), by)])[0]

    def explain(self, question_or_report: Question | Report, customer: str) -> tuple[Explained, ...]:
        """Why a customer is where a report counts them: every journey, its cells and the reasons."""
        if isinstance(question_or_report, Report):
            name, spec = question_or_report.analysis, json.dumps(question_or_report.spec)
        else:
            name, spec = question(question_or_report)
        return explained(self._native.explain(name, spec, str(customer)))

    def to_html(
        self, questions: Iterable[Question], path: str | PathLike[str] | None = None, *, title: str = "Customer journeys"
    ) -> str | None:
        """One self-contained page with the answers to several questions, without script or request."""
        from ._report import _written

        answers = [report._native for report in self.run(questions)]
        return _written(_core.page(title, answers, None), path)

    def _ask(self, asked: Question, by: Groups | None) -> Any:
        return self._run([question(asked, by)])[0]

    def _run(self, questions: list[tuple[str, str]]) -> list[Report]:
        options = self._options
        with _Line("answering", options.progress) as tell:
            answers = self._native.run(questions, options.threads, options.memory_budget, tell)
        return [_report(answer, self) for answer in answers]

    def __repr__(self) -> str:
        parts = [f"{self.n_journeys:,} journeys of {self.n_customers:,} customers, {self.n_events:,} events", self.rule]
        return f"Journeys({'; '.join([*parts, *self.selections])})"


def _report(answer: _core.Answer, journeys: Journeys) -> Report:
    kind = REPORTS.get(answer.analysis, Report)
    fields = set(json.loads(answer.spec))
    if fields == {"of", "groups"}:
        return GroupedReport(answer, journeys, kind)
    if fields == {"of", "how"}:
        return CompareReport(answer, journeys)
    return kind(answer, journeys)


def _cut(
    native: _core.Log | _core.SelectedLog,
    column: str | None,
    gap: Span | None,
    start: Condition | None,
    end: Condition | None,
    longest: Span | None,
    calendar: str | None,
    zone: str | None,
) -> Journeys:
    if zone is not None and calendar is None:
        raise TypeError("zone= belongs to calendar=; for times without a zone give it to read()")
    rule = {
        "column": column,
        "gap": None if gap is None else span(gap),
        "start": None if start is None else condition(start),
        "end": None if end is None else condition(end),
        "max_span": None if longest is None else span(longest),
        "calendar": None if calendar is None else {"unit": calendar, "zone": zone or "UTC"},
    }
    return Journeys(native.journeys(json.dumps({k: v for k, v in rule.items() if v is not None})))


def _day(time: datetime | None) -> str:
    return "?" if time is None else time.date().isoformat()


class _Line:
    """A progress line on stderr while something is under way, or the caller's own callable."""

    def __init__(self, what: str, progress: Progress) -> None:
        self._what = what
        self._progress = progress
        self._shown = False

    def __enter__(self) -> Callable[[int, int], object] | None:
        if self._progress is True:
            return self._show
        return self._progress or None

    def _show(self, done: int, total: int) -> None:
        share = f"{done / total:4.0%}" if total else f"{done:,} rows"
        print(f"\r{self._what} {share}", end="", file=sys.stderr, flush=True)
        self._shown = True

    def __exit__(self, *_: object) -> None:
        if self._shown:
            print(file=sys.stderr)


