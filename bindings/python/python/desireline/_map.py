"""Journey maps: documents that say what the journey is, checked by themselves and held against a log."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from . import _core
from ._document import text_in
from ._errors import SpecError
from ._exchange import MapExchange
from ._kpi import External
from ._kpi import tables as _tables
from ._log import Journeys, Log, Progress, _Line
from ._overlay import OverlayReport
from ._time import Span, span

if TYPE_CHECKING:
    from ._feedback import Feedback, VoiceReport
    from ._personas import PersonaDiff, PersonaWeights

__all__ = ["Coverage", "JourneyMap", "MapCheck", "Notice", "TouchpointCoverage", "map_templates"]


@dataclass(frozen=True)
class Notice:
    """Something that is said of a map."""

    code: str
    """What it is, such as ``W-DEAD``; docs/maps.md lists the codes."""
    level: Literal["error", "warning", "info"]
    """How bad it is here."""
    message: str
    """What is said."""
    help: str | None
    """What can be done."""
    pointer: str
    """The part it is about, as a JSON pointer; empty for the whole map."""
    line: int | None
    """Where that stands in the text, from 1."""
    column: int | None

    def __str__(self) -> str:
        place = f"line {self.line}, column {self.column}: " if self.line else f"at {self.pointer}: " if self.pointer else ""
        told = f"{self.message}; {self.help}" if self.help else self.message
        return f"{place}{self.level} {self.code}: {told}"


@dataclass(frozen=True)
class TouchpointCoverage:
    """How often a touchpoint is in a log."""

    id: str
    matched: int
    """Events for which its condition holds."""
    events: int
    """Those that belong to it."""
    customers: int
    """Customers with one of them."""


@dataclass(frozen=True)
class Coverage:
    """How a map covers a log."""

    events: int
    customers: int
    journeys: int
    bound_events: int
    """Events that belong to a touchpoint."""
    touchpoints: tuple[TouchpointCoverage, ...]
    """In the order in which they take events."""
    orphans: Mapping[str, int]
    """Events of names that belong to no touchpoint, the most frequent first."""
    tracking_unknown: str | None = None
    """Why it could not be looked at whether tracking changed; ``None`` where it was."""


@dataclass(frozen=True)
class MapCheck:
    """All that is said of a map, in the order of its text."""

    notices: tuple[Notice, ...]
    coverage: Coverage | None
    """How the map covers the log; ``None`` without one, or where the map's conditions do not fit it."""

    @property
    def ok(self) -> bool:
        """Whether there are no errors."""
        return not self.errors

    @property
    def errors(self) -> tuple[Notice, ...]:
        """The errors."""
        return tuple(n for n in self.notices if n.level == "error")

    @property
    def warnings(self) -> tuple[Notice, ...]:
        """The warnings."""
        return tuple(n for n in self.notices if n.level == "warning")

    def of(self, code: str) -> tuple[Notice, ...]:
        """What is said under a code."""
        return tuple(n for n in self.notices if n.code == code)

    def __str__(self) -> str:
        return "\n".join(map(str, self.notices)) or "nothing to say"


class JourneyMap(MapExchange):
    """The journey as people drew it: stages and touchpoints with goals, expectations, feelings and numbers. Immutable.

    >>> import desireline as dl
    >>> m = dl.JourneyMap.template("blank")
    >>> m.id, m.status
    ('my-journey', 'draft')
    >>> m.check(today="2026-01-02").ok
    True
    """

    __slots__ = ("_native",)

    def __init__(self, document: Mapping[str, Any]) -> None:
        """Takes a document as Python objects, as :meth:`to_dict` gives it.

        Raises:
            SpecError: it is no map; every mistake is named with the path to it, such as ``/stages/0/name``.
        """
        self._native = _core.read_map(json.dumps(document, ensure_ascii=False), "objects")

    @classmethod
    def _of(cls, native: _core.JourneyMap) -> JourneyMap:
        made = object.__new__(cls)
        made._native = native
        return made

    @classmethod
    def load(cls, path: str | PathLike[str]) -> JourneyMap:
        """Reads a file: JSON if it is called so, else YAML.

        Raises:
            InputNotFoundError: there is no such file.
            SpecError: it is no map; every mistake is named with its line.
        """
        path = Path(path)
        text = text_in(path)
        form = {".json": "json", ".yaml": "yaml", ".yml": "yaml"}.get(path.suffix.lower())
        return cls._of(_core.read_map(text, form))

    @classmethod
    def loads(cls, text: str) -> JourneyMap:
        """Reads a text, YAML or JSON.

        Raises:
            SpecError: it is no map; every mistake is named with its line.
        """
        return cls._of(_core.read_map(text))

    @classmethod
    def template(cls, name: str) -> JourneyMap:
        """A map to begin with; :func:`map_templates` lists them.

        Raises:
            SpecError: there is none of this name.
        """
        for known, _, text in _core.map_templates():
            if known == name:
                return cls.loads(text)
        raise SpecError(f"there is no template `{name}`; there are {', '.join(map_templates())}", code="template")

    @property
    def id(self) -> str:
        """Its id."""
        return self._native.id

    @property
    def title(self) -> str:
        """Its title in its own language."""
        return self._native.title()

    @property
    def version(self) -> str:
        """Its version."""
        return self._native.version

    @property
    def kind(self) -> str:
        """Whose journey it shows: ``actual``, ``ideal``, ``competitor`` or ``hypothesis``."""
        return self._native.kind

    @property
    def status(self) -> str:
        """How far it is: ``draft``, ``reviewed``, ``published`` or ``retired``."""
        return self._native.status

    @property
    def fingerprint(self) -> str:
        """A hash of all that it says, whatever its layout."""
        return self._native.fingerprint

    @property
    def journey_rule(self) -> str:
        """How it wants journeys cut, as the command line writes it."""
        return self._native.rule()

    def save(self, path: str | PathLike[str]) -> None:
        """Writes it to a file: JSON if that is called so, else YAML. Comments of a file it was read from are not kept."""
        path = Path(path)
        path.write_text(self.to_json() if path.suffix.lower() == ".json" else self.to_yaml(), encoding="utf-8")

    def to_yaml(self) -> str:
        """The document as YAML, its keys in the order of the schema."""
        return self._native.yaml()

    def to_json(self) -> str:
        """The document as JSON, its keys in the order of the schema."""
        return self._native.json()

    def to_dict(self) -> dict[str, Any]:
        """The document as Python objects."""
        document: dict[str, Any] = json.loads(self.to_json())
        return document

    def check(
        self,
        on: Log | Journeys | None = None,
        *,
        today: date | str | None = None,
        deny: Sequence[str] = (),
        allow: Sequence[str] = (),
    ) -> MapCheck:
        """Looks at the map by itself, or held against a log or journeys.

        Args:
            on: a log, cut as the map's ``scope.journeys`` says, or journeys as they are.
            today: the day that counts as today; the machine's where it is not given.
            deny: warnings that are errors, such as ``W-DEAD``; ``warnings`` means all.
            allow: warnings that are not mentioned.
        """
        day = (today or date.today()) if not isinstance(today, str) else today
        log = on._native if isinstance(on, Log) else None
        journeys = on._native if isinstance(on, Journeys) else None
        if on is not None and log is None and journeys is None:
            raise TypeError(f"a map is held against a Log or Journeys, not {type(on).__name__}")
        told = json.loads(self._native.check(str(day), list(deny), list(allow), log, journeys))
        return MapCheck(tuple(map(_notice, told["report"]["notices"])), _coverage(told["coverage"]))

    def feedback(
        self,
        journeys: Journeys,
        feedback: Feedback,
        *,
        within: Span | None = None,
        after: Span | None = None,
        ties: Literal["ambiguous", "log_order"] = "ambiguous",
        half_width: float = 0.1,
        level: float = 0.95,
        min_n: int = 5,
        verbatims: int = 20,
        customers: bool = False,
    ) -> VoiceReport:
        """What customers say along the map: every question at every touchpoint and stage, response rates, feelings and words.

        An answer belongs to the touchpoint or stage that is declared with it or of its question; else to the touchpoint of the same
        customer's nearest touch before it.

        Args:
            journeys: The journeys whose events are the touches.
            feedback: The answers.
            within: How long before an answer its touch may lie; seven days unless given.
            after: How long after it, too; not at all unless given.
            ties: What happens where touches of several touchpoints are equally near: not joined, or the log's order decides.
            half_width: How well a share should be known at a touchpoint; the missing answers follow.
            level: The confidence level.
            min_n: Below how many answers there is a hole instead of a number.
            verbatims: How many verbatims are shown; the same ones every time.
            customers: Whether verbatims come with the customers who said them.
        """
        from ._feedback import VoiceReport, _asking

        asking = _asking(
            level=level, min_n=min_n, verbatims=verbatims, customers=customers, ties=ties, half_width=half_width,
            within=None if within is None else span(within), after=None if after is None else span(after),
        )
        return VoiceReport(feedback._native.listen(self._native, journeys._native, asking))

    def overlay(
        self,
        on: Log | Journeys,
        *,
        level: float | None = None,
        min_n: int | None = None,
        per: Literal["day", "week", "month", "quarter", "year"] | None = None,
        time_zone: str | None = None,
        personas: bool = True,
        persona: str | None = None,
        goal: str | None = None,
        alive: Span | None = None,
        returns_within: Span | None = None,
        handovers: Sequence[str] = (),
        forced: Mapping[str, Any] | None = None,
        language: str | None = None,
        feedback: Feedback | None = None,
        within: Span | None = None,
        after: Span | None = None,
        ties: Literal["ambiguous", "log_order"] | None = None,
        external: External | Iterable[External] | Mapping[str, External] | None = None,
        threads: int | None = None,
        memory_budget: int | None = None,
        progress: Progress = None,
    ) -> OverlayReport:
        """The map measured: reach, flow, drop-off, time and goals of every stage, touchpoint and channel.

        Args:
            on: a log, cut as the map's ``scope.journeys`` says, or journeys as they are.
            level: the confidence level of all intervals, 0.95 unless it is given.
            min_n: below how many observations there is a hole instead of a number, 10 unless it is given.
            per: asks for a trend by this calendar period; then alerts of KPIs also say for how many of them in a row they have rung.
            time_zone: the IANA zone whose midnights divide periods; the map's, or UTC, unless it is given.
            personas: whether each persona is measured.
            persona: measures only the customers of this persona.
            goal: measures only this goal: the lens through which the map is read.
            alive: for how long after its last event a journey may still go on; the pause that cuts journeys, or 30 minutes.
            returns_within: who begins another journey no later than this after one without a goal has come back; seven days unless
                it is given.
            handovers: further attributes whose changes are looked at as hand-overs.
            forced: when a journey is brought to a decision too fast: ``from``, ``to``, ``touches``, ``within``.
            language: the language of names; the map's unless it is given.
            feedback: what customers said: it fills feelings, answers and the KPIs that are asked for, at the same ``level``
                and with the same ``min_n`` as the rest.
            within: how long before an answer the touch that it is about may lie; seven days unless it is given.
            after: how long after it; not at all unless it is given.
            ties: what happens to answers with several touches equally near.
            external: small tables of numbers that no log has, for KPIs that name them.
            threads: how many threads; all cores unless it is given.
            memory_budget: the most bytes for partial results.
            progress: ``True`` for a line on stderr, or a callable of (done, total) events.

        Raises:
            SpecError: the question or the map does not fit the log; :meth:`check` says where in the map.

        >>> import desireline as dl
        >>> m = dl.JourneyMap.template("blank")
        >>> m.overlay(dl.simulate(customers=50, seed=1)).map["id"]
        'my-journey'
        """
        given = {
            "level": level,
            "min_n": min_n,
            "period": per,
            "zone": time_zone,
            "persona": persona,
            "goal": goal,
            "alive": None if alive is None else span(alive),
            "returns_within": None if returns_within is None else span(returns_within),
            "handovers": list(handovers) or None,
            "forced": None if forced is None else dict(forced),
            "language": language,
            "join": {
                k: v
                for k, v in {
                    "within": None if within is None else span(within),
                    "after": None if after is None else span(after),
                    "ties": ties,
                }.items()
                if v is not None
            }
            or None,
        }
        question = {"personas": personas, **{k: v for k, v in given.items() if v is not None}}
        log = on._native if isinstance(on, Log) else None
        journeys = on._native if isinstance(on, Journeys) else None
        if log is None and journeys is None:
            raise TypeError(f"a map is measured against a Log or Journeys, not {type(on).__name__}")
        with _Line("measuring", progress) as tell:
            answer = self._native.overlay(
                json.dumps(question),
                log,
                journeys,
                None if feedback is None else feedback._native,
                _tables(external),
                threads,
                memory_budget,
                tell,
            )
        report = OverlayReport(answer)
        report.__dict__["_drawn_on"] = self
        return report

    def _measured(self, on: Log | Journeys, **how: Any) -> OverlayReport:
        return self.overlay(on, **how)

    def persona_weights(self, measured: OverlayReport | None = None) -> PersonaWeights:
        """What each persona weighs: its share of the customers times what one of them is worth, declared and measured.

        Args:
            measured: what :meth:`overlay` found; without it only what the map says.

        >>> import desireline as dl
        >>> dl.JourneyMap.template("blank").persona_weights().personas
        []
        """
        from ._personas import PersonaWeights

        return PersonaWeights(self._native.persona_weights(None if measured is None else measured._native))

    def diff_personas(
        self,
        other: JourneyMap | None = None,
        *,
        first: str | None = None,
        second: str | None = None,
        sensitive: bool = False,
    ) -> PersonaDiff:
        """Personas against each other, field by field: equal, different or missing.

        Of this map each ideal persona against each actual one; with another map those of the same id.

        Args:
            other: another map, such as an actual one beside an ideal one.
            first: the persona of this map.
            second: the persona of the other map, or of this one.
            sensitive: whether facts that a persona calls sensitive are shown.

        Raises:
            SpecError: there is no such persona.
        """
        from ._personas import PersonaDiff

        native = None if other is None else other._native
        return PersonaDiff(self._native.diff_personas(native, first, second, sensitive))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, JourneyMap) and self.to_json() == other.to_json()

    def __hash__(self) -> int:
        return hash(self.fingerprint)

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return JourneyMap.loads, (self.to_json(),)

    def __repr__(self) -> str:
        stages, touchpoints = self._native.size
        return f"<JourneyMap {self.id} {self.version}: {self.title}; {stages} stages, {touchpoints} touchpoints>"


def map_templates() -> dict[str, str]:
    """The maps to begin with: name and what it is for.

    >>> import desireline as dl
    >>> "ten-steps" in dl.map_templates()
    True
    """
    return {name: summary for name, summary, _ in _core.map_templates()}


def _notice(told: dict[str, Any]) -> Notice:
    at = told.get("at") or {}
    return Notice(
        code=told["code"],
        level=told["level"],
        message=told["message"],
        help=told.get("help"),
        pointer=told["pointer"],
        line=at.get("line"),
        column=at.get("column"),
    )


def _coverage(told: dict[str, Any] | None) -> Coverage | None:
    if told is None:
        return None
    return Coverage(
        events=told["events"],
        customers=told["customers"],
        journeys=told["journeys"],
        bound_events=told["bound_events"],
        touchpoints=tuple(TouchpointCoverage(**t) for t in told["touchpoints"]),
        orphans={o["event"]: o["events"] for o in told["orphans"]},
        tracking_unknown=told.get("tracking_unknown"),
    )
