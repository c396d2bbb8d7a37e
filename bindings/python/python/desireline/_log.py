"""The log, its journeys, and the questions that can be asked of them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from os import PathLike, fspath
from types import NoneType
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from . import _core
from ._analyses import Questions
from ._errors import DataError, SpecError
from ._expr import Condition, condition
from ._kpi import External, KpiReport
from ._kpi import spec as kpi_spec
from ._kpi import tables as kpi_tables
from ._report import Caveat, Explained, GroupedReport, Report, explained, read_caveats
from ._reports import REPORTS, CompareReport, Summary
from ._source import Source, frame, paths
from ._spec import Groups, Question, question
from ._time import Span, from_micros, instant, span

if TYPE_CHECKING:
    from ._feedback import Feedback, VoiceReport
    from ._lifecycle import LifecycleReport
    from ._map import JourneyMap
    from ._overlay import OverlayReport

__all__ = ["Attribute", "Journeys", "Log", "SelectedLog", "finish", "merge", "open", "read", "read_sources"]

Progress: TypeAlias = bool | Callable[[int, int], object] | None
"""``True`` shows a line on stderr; a callable gets what is done and what there is in all (0 where that is not known)."""

Aliases: TypeAlias = Iterable[tuple[str, str, "str | datetime | date"]]
"""Triples of an id, the person that it turned out to be, and when that became known."""

Ids: TypeAlias = "Mapping[str, str] | str | PathLike[str]"
"""Whom ids stand for: a mapping, or a CSV file of id and customer."""

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
    shift: Span | None = None,
    ids: Ids | None = None,
    id_prefix: str | None = None,
    time_unit: Literal["s", "ms", "us", "ns"] | None = None,
    observed_until: str | datetime | date | None = None,
    dedupe: bool = False,
    max_quarantine_share: float | None = None,
    format: Literal["csv", "tsv", "jsonl", "parquet", "arrow"] | None = None,
    delimiter: str | None = None,
    header: bool = True,
    limits: Mapping[str, int] | None = None,
    aliases: Aliases | None = None,
    alias_policy: Literal["backward", "forward"] | Span = "backward",
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
        shift: For a clock that is wrong: what is added to every time, such as ``"-2m"``.
        ids: Whom ids stand for: a mapping, or a CSV file of id and customer.
        id_prefix: What is put before ids that ``ids`` does not have.
        time_unit: The unit of times that are numbers.
        observed_until: Until when customers were observed; the last event unless given.
        dedupe: Drop rows that repeat another in every column kept.
        max_quarantine_share: The largest share of rows that may be put aside.
        format: The format, whatever the file is called.
        delimiter: What stands between fields: a character, or ``"whitespace"``.
        header: Whether text files have a header.
        limits: Bounds on the input by name, such as ``{"field_bytes": 4096}``.
        aliases: Ids that turned out to be a person, such as a cookie's at sign-in; see :meth:`Log.with_aliases`.
        alias_policy: Whose the events before the first alias of an id are; see :meth:`Log.with_aliases`.
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
    text = _reading(
        customer=customer,
        time=time,
        event=event,
        every_row=every_row,
        channel=channel,
        session=session,
        value=value,
        currency=currency,
        attributes=attributes,
        tie=tie,
        zone=zone,
        shift=shift,
        ids=ids,
        id_prefix=id_prefix,
        time_unit=time_unit,
        observed_until=observed_until,
        dedupe=dedupe,
        max_quarantine_share=max_quarantine_share,
        format=format,
        delimiter=delimiter,
        header=header,
        limits=limits,
    )
    with _Line("reading", progress) as tell:
        log = Log(_taken(source, text, tell, _core.read_paths, _core.read_frame), text)
    return log if aliases is None else log.with_aliases(aliases, policy=alias_policy)


def _reading(
    *,
    attributes: Literal["all"] | Sequence[str | Attribute] = (),
    shift: Span | None = None,
    ids: Ids | None = None,
    call: Mapping[str, str] | None = None,
    observed_until: str | datetime | date | None = None,
    limits: Mapping[str, int] | None = None,
    **given: Any,
) -> str:
    """The arguments of :func:`read` as the engine takes them."""
    kept: list[dict[str, Any]] = []
    if attributes != "all":
        if isinstance(attributes, str):
            raise TypeError('attributes is a list of columns, or "all"')
        for a in attributes:
            own = Attribute(a) if isinstance(a, str) else a
            kept.append({"name": own.name, "kind": own.kind, "level": own.level})
    for name in _TEXTS:
        if not isinstance(given.get(name), (str, NoneType)):
            raise TypeError(f"{name} is a text, not {type(given[name]).__name__}")
    table: dict[str, Any] | None = None
    if isinstance(ids, Mapping):
        table = {"pairs": [[str(id), str(customer)] for id, customer in ids.items()]}
    elif ids is not None:
        table = {"path": str(fspath(ids))}
    reading = {
        **given,
        "attributes": kept,
        "all_attributes": attributes == "all",
        "shift": None if shift is None else span(shift),
        "ids": table,
        "call": list((call or {}).items()),
        "observed_until": None if observed_until is None else instant(observed_until),
        "limits": dict(limits or {}),
    }
    return json.dumps(reading)


def read_sources(*sources: Mapping[str, Any], progress: Progress = None) -> Log:
    """Reads several sources into one log, each with its own columns, clock and ids.

    Args:
        sources: For each a mapping with ``source``, a path, pattern or several, and the arguments of :func:`read`; besides,
            ``call`` names attributes that other sources call otherwise: ``{"column": "name in the log"}``.
        progress: ``True`` for a line on stderr, or a callable of (done, total).

    The columns of channel and session are one attribute each, called as in the first source that has one. Frames are read by
    :func:`read`, one at a time.

    Raises:
        ReadError: An input cannot be read.
        UnknownNameError: A column is not there.
        DataError: The rows do not make a log.

    Example:
        >>> import desireline as dl, pathlib, tempfile
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> _ = (folder / "web.csv").write_text("user,at,what\\nann,2024-06-01T08:00:00Z,home\\n")
        >>> _ = (folder / "till.csv").write_text("card,when\\n7001,2024-06-01 10:30\\n")
        >>> web = {"source": folder / "web.csv", "customer": "user", "time": "at", "event": "what"}
        >>> till = {"source": folder / "till.csv", "customer": "card", "time": "when", "every_row": "bought"}
        >>> log = dl.read_sources(web, {**till, "zone": "Europe/Berlin", "ids": {"7001": "ann"}})
        >>> log.n_customers, log.n_events
        (1, 2)
    """
    readings = []
    for given in sources:
        own = dict(given)
        found = paths(own.pop("source", None))
        if found is None:
            raise TypeError("each source has a path: {'source': 'till.csv', 'customer': ...}")
        readings.append((found, _reading(**own)))
    with _Line("reading", progress) as tell:
        return Log(_core.read_sources(readings, tell))


def _taken(source: Source, reading: str, tell: Any, by_path: Callable[..., Any], by_frame: Callable[..., Any]) -> Any:
    """What the engine makes of a source."""
    found = paths(source)
    if found is not None:
        return by_path(found, reading, tell)
    rows = frame(source)
    try:
        return by_frame(rows, type(source).__name__, reading, tell)
    except ValueError as error:
        if type(error) is not ValueError:
            raise
        # Whoever made the stream speaks of it in the words of its interface.
        raise DataError(f"this {type(source).__name__} is no table with named columns: {error}", code="frame") from error


def open(path: str | PathLike[str]) -> Log:
    """Opens a snapshot that :meth:`Log.save` or ``desireline convert`` wrote.

    The file is mapped into memory, not decoded, and the log
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

    __slots__ = ("_native", "_reading")

    def __init__(self, native: _core.Log, reading: str | None = None) -> None:
        self._native = native
        self._reading = reading

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

    def append(self, source: Source, *, progress: Progress = None) -> Log:
        """A new log with the rows of ``source`` added, read as this log's were; this log stays as it is.

        At equal times the old events come first. To a log with aliases nothing can be added: append to the log before, and
        give the aliases again.

        >>> import desireline as dl, pyarrow as pa
        >>> day = lambda d: pa.table({"user": ["ann"], "time": [f"2025-01-0{d}"], "event": [f"e{d}"]})
        >>> log = dl.read(day(1), customer="user", time="time", event="event")
        >>> log.append(day(2)).n_events
        2
        """
        if self._reading is None:
            raise TypeError("only a log made by read() knows how to read further rows")
        with _Line("reading", progress) as tell:
            grown = _taken(source, self._reading, tell, self._native.append_paths, self._native.append_frame)
        return Log(grown, self._reading)

    def with_aliases(
        self, aliases: Aliases, *, policy: Literal["backward", "forward"] | Span = "backward"
    ) -> Log:
        """The log with every event under the person it belongs to; this log stays as it is.

        Args:
            aliases: Triples of id, person and the time from which the id was known to be that person, such as
                ``("cookie-17", "ann", "2025-01-03T10:00:00Z")``.
            policy: Whose an id's events before its first alias are: the person's (``"backward"``), the id's own
                (``"forward"``), or the person's if at most so long before (a length of time such as ``"7d"``).
        """
        known = [(str(id), str(person), _core.instant(instant(time))) for id, person, time in aliases]
        how = policy if policy in ("backward", "forward") else span(policy)
        return Log(self._native.with_aliases(known, str(how)))

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
        _at_least(1, MOST_THREADS, threads=threads)
        _at_least(0, 2**63 - 1, memory_budget=memory_budget)
        return Journeys(self._native, _Options(threads, memory_budget, progress))

    @property
    def n_blocks(self) -> int:
        """The number of blocks that the log is kept in: what :meth:`partial` can count apart."""
        return self._native.n_blocks

    def partial(
        self, asked: Question, *, by: Groups | None = None, blocks: Iterable[int] | None = None
    ) -> bytes:
        """The partial result of a question over some blocks of the log, all unless given, as sealed bytes.

        Parts of one question over one log are merged by :func:`merge` and made a report by :func:`finish`, here or on
        another machine. What does not belong together is refused.

        >>> import desireline as dl
        >>> journeys = dl.simulate(customers=200, seed=1).journeys(gap="30m")
        >>> parts = [journeys.partial(dl.Paths(), blocks=[b]) for b in range(journeys.n_blocks)]
        >>> dl.finish(dl.merge(parts)).to_json() == journeys.paths().to_json()
        True
        """
        name, spec = question(asked, by)
        options = self._options
        chosen = None if blocks is None else [_whole("blocks", b) for b in blocks]
        return self._native.partial(name, spec, chosen, options.threads, options.memory_budget)

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

    def kpi(
        self,
        name: str,
        variant: str | None = None,
        *,
        per: Literal["day", "week", "month", "quarter"] | None = None,
        time_zone: str | None = None,
        level: float | None = None,
        min_n: int | None = None,
        seed: int | None = None,
        external: External | Iterable[External] | Mapping[str, External] | None = None,
        feedback: Feedback | None = None,
        **params: Any,
    ) -> KpiReport:
        """A KPI of the catalogue (:func:`kpis` lists them) with its interval.

        >>> import desireline as dl
        >>> journeys = dl.simulate(customers=500, seed=1).journeys(gap="30m")
        >>> left = journeys.kpi("cart_abandonment", cart="add_to_cart", purchase="purchase", within="7d")
        >>> left.name, left.estimate.unit
        ('cart_abandonment', 'proportion')

        Args:
            name: Its name, number (``K02``) or other word (``ctr``).
            variant: Which of its variants; the first unless given.
            per: A series: a number for each calendar period.
            time_zone: The IANA zone whose midnights divide periods; UTC unless given.
            level: The confidence level; 0.95 unless given.
            min_n: Below so many units there is no number; 5 unless given.
            seed: The seed of intervals made by drawing samples.
            external: Tables of numbers that no log has: CSV files, frames or columns, one, several or by name.
            feedback: What customers said, for KPIs of answers such as ``nps``.
            params: What the KPI needs to know: conditions, lengths of time, numbers. ``return_`` means ``return``.
        """
        asked = kpi_spec(
            name, variant, params, per=per, time_zone=time_zone, level=level, min_n=min_n, seed=seed
        )
        options = self._options
        with _Line("answering", options.progress) as tell:
            answer = _core.measure_kpi(
                self._native,
                asked,
                kpi_tables(external),
                None if feedback is None else feedback._native,
                options.threads,
                options.memory_budget,
                tell,
            )
        return KpiReport(answer, self)

    def kpi_series(
        self, name: str, variant: str | None = None, *, per: Literal["day", "week", "month", "quarter"], **settings: Any
    ) -> KpiReport:
        """A KPI by calendar period; the same as :meth:`kpi` with ``per``. ``report.series`` has the periods."""
        return self.kpi(name, variant, per=per, **settings)

    def lifecycle(self, document: str | PathLike[str] | Mapping[str, Any], *, level: float | None = None) -> LifecycleReport:
        """How many customers are in which phase of their life with the company, and where they go from there.

        Args:
            document: a lifecycle document: a YAML or JSON file, or the document as Python objects.
            level: the confidence level; 0.95 unless given.

        Raises:
            InputNotFoundError: there is no such file.
            SpecError: it is no lifecycle document, or does not fit the log.

        >>> import desireline as dl
        >>> phases = [{"phase": "impression", "enters": "home"}, {"phase": "conversion", "enters": "purchase"}]
        >>> life = {"schema": 1, "id": "life", "title": "Life", "version": "1.0.0", "phases": phases}
        >>> dl.simulate(customers=100, seed=1).journeys().lifecycle(life).customers
        100
        """
        from ._lifecycle import LifecycleReport, document as read

        text, form = read(document)
        options = self._options
        with _Line("answering", options.progress) as tell:
            answer = _core.measure_lifecycle(
                self._native, text, form, level, options.threads, options.memory_budget, tell
            )
        return LifecycleReport(answer)

    def explain(self, question_or_report: Question | Report, customer: str) -> tuple[Explained, ...]:
        """Why a customer is where a report counts them: every journey, its cells and the reasons."""
        if isinstance(question_or_report, Report):
            name, spec = question_or_report.analysis, json.dumps(question_or_report.spec)
        else:
            name, spec = question(question_or_report)
        return explained(self._native.explain(name, spec, str(customer)))

    def to_html(
        self,
        questions: Iterable[Question],
        path: str | PathLike[str] | None = None,
        *,
        title: str | None = None,
        map: JourneyMap | None = None,
        measured: OverlayReport | None = None,
        heard: VoiceReport | None = None,
        sensitive: bool = False,
        **how: Any,
    ) -> str | None:
        """One self-contained page with the answers to several questions, without script or request; written to ``path`` or given back.

        With a map it begins with the map measured on these journeys, what :meth:`JourneyMap.check` says of it and the summary of
        the log, as ``desireline report --map`` shows them.

        >>> import desireline as dl
        >>> journeys = dl.simulate(customers=50, seed=1).journeys(gap="30m")
        >>> page = journeys.to_html([dl.Paths()], map=dl.JourneyMap.template("blank"), min_n=20)
        >>> page[:15]
        '<!doctype html>'

        Args:
            questions: What is asked of the journeys, in one pass.
            path: Where to.
            title: The page's; "Customer journeys", or that of the map, unless given.
            map: A map to measure on these journeys.
            measured: What :meth:`JourneyMap.overlay` found for it, instead of measuring it.
            heard: What :meth:`JourneyMap.feedback` found, for a part of the page of its own.
            sensitive: Whether the page shows facts that personas call sensitive.
            how: How to measure the map, as :meth:`JourneyMap.overlay` takes it: ``persona``, ``per``, ``min_n``, ``feedback`` and
                the others.
        """
        from ._report import _written

        of_map = {"measured": measured, "heard": heard, "sensitive": sensitive or None}
        given = [*how, *(name for name, value in of_map.items() if value is not None)]
        if map is None and given:
            raise TypeError(f"{', '.join(given)}: only a page with a map takes that; give map=")
        if how and measured is not None:
            raise TypeError(f"{', '.join(how)} say how to measure; give them or measured=, not both")
        answers = [report._native for report in self.run(questions)]
        if map is None:
            return _written(_core.page(title or "Customer journeys", answers, None), path)
        options = self._options
        if measured is None:
            own = {"threads": options.threads, "memory_budget": options.memory_budget, "progress": options.progress}
            measured = map.overlay(self, **{**own, **how})
        with _Line("checking", options.progress) as tell:
            page = map._native.whole_page(
                title,
                self._native,
                answers,
                str(date.today()),
                measured._native,
                None if heard is None else heard._native,
                sensitive,
                tell,
            )
        return _written(page, path)

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


def merge(parts: Iterable[bytes]) -> bytes:
    """Merges sealed partial results of one question over different blocks of one log; see :meth:`Journeys.partial`.

    Raises:
        DataError: They do not belong together, cover a block twice, or are damaged.
    """
    return _core.merge(list(parts))


def finish(sealed: bytes) -> Report:
    """The report of a sealed partial result; see :meth:`Journeys.partial`."""
    return _report(_core.finish(sealed), None)


MOST_THREADS = 1024


def _whole(name: str, given: Any) -> int:
    try:
        number = given.__index__()
    except AttributeError:
        raise TypeError(f"{name} takes whole numbers, not {type(given).__name__}") from None
    if not 0 <= number < 2**63:
        raise SpecError(f"{name}: {number} is no number that could be meant", code="setting")
    return int(number)


def _at_least(least: int, most: int, **given: Any) -> None:
    for name, number in given.items():
        if number is None:
            continue
        if not hasattr(number, "__index__"):
            raise TypeError(f"{name} is a whole number, not {type(number).__name__}")
        if not least <= number.__index__() <= most:
            raise SpecError(f"{name} is {number}; it must lie between {least} and {most}", code="setting")


def _report(answer: _core.Answer, journeys: Journeys | None) -> Report:
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


