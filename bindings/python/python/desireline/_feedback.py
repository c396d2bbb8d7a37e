"""Feedback: what customers say when they are asked, with scales, blanks and words, and where on a map they say it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal, TypeAlias

from . import _core
from ._errors import DataError
from ._report import Caveat, Report, read_caveats
from ._reports import Estimate
from ._source import Source, frame, paths
from ._time import instant

__all__ = ["Feedback", "FeedbackReport", "Hole", "Measured", "SurveyQuestion", "VoiceReport", "interview"]

Kind: TypeAlias = Literal[
    "nps", "enps", "csat", "ces_v1", "ces_v2", "sentiment", "rating", "yes_no", "expected", "perceived", "feeling", "arousal", "text"
]
"""What a question asks for."""


@dataclass(frozen=True)
class SurveyQuestion:
    """A question of a survey: what it asks for, on what scale, and what means that nothing was answered.

    >>> import desireline as dl
    >>> dl.SurveyQuestion("NETPRO", "nps", blanks=(11,)).kind
    'nps'
    """

    id: str
    """Its id; in a wide file also its column, unless ``column`` names another."""
    kind: Kind
    scale: tuple[float, float] | None = None
    """The lowest and the highest answer; the kind's usual ones unless given."""
    low_is_good: bool | None = None
    """Whether the lowest answer is the best; as usual for the kind unless given."""
    blanks: Sequence[float | str] = ()
    """Codes and texts that mean that nothing was answered."""
    about: str | None = None
    """The touchpoint or stage that it asks about."""
    pair: str | None = None
    """For an expected or a perceived item: the other one."""
    model: tuple[str, str] | None = None
    """For sentiment: name and version of the model."""
    wording: str | None = None
    """The question as it is put."""
    column: str | None = field(default=None, kw_only=True)
    """In a wide file: the column of its answers."""
    words: str | None = field(default=None, kw_only=True)
    """In a wide file: the column of what was said with it."""

    def _spec(self) -> dict[str, Any]:
        question: dict[str, Any] = {"id": self.id, "kind": self.kind}
        if self.scale is not None or self.low_is_good is not None:
            lowest, highest = self.scale or _USUAL.get(self.kind, (1, 5))
            low = self.kind == "ces_v1" if self.low_is_good is None else self.low_is_good
            question["scale"] = {
                "lowest": lowest,
                "highest": highest,
                "direction": "low_is_good" if low else "high_is_good",
            }
        question["blanks"] = [b for b in self.blanks if not isinstance(b, str)]
        question["blank_texts"] = [b for b in self.blanks if isinstance(b, str)]
        if self.model is not None:
            question["model"] = {"name": self.model[0], "version": self.model[1]}
        rest = {"touchpoint": self.about, "pair": self.pair, "wording": self.wording}
        question.update({k: v for k, v in rest.items() if v is not None})
        return {"question": question, "column": self.column, "words": self.words}


_USUAL: dict[str, tuple[float, float]] = {
    "nps": (0, 10), "enps": (0, 10), "csat": (1, 5), "ces_v1": (1, 5), "ces_v2": (1, 7), "sentiment": (-1, 1), "yes_no": (0, 1), "arousal": (1, 9),
}


@dataclass(frozen=True)
class Hole:
    """Why there is no number."""

    reason: Literal["no_answers", "too_few", "one_customer", "no_touches"]
    least: int | None = None
    """For ``too_few``: how many there should be."""


@dataclass(frozen=True)
class Measured:
    """An estimate, or why there is none."""

    n: int
    """Answers; for a response rate, touches."""
    customers: int
    """Customers who gave them."""
    estimate: Estimate | None
    hole: Hole | None

    @property
    def value(self) -> float | None:
        """The value alone."""
        return None if self.estimate is None else self.estimate.value


class FeedbackReport(Report):
    """A survey at a glance: tables ``questions``, ``answers``, ``touchpoints`` and ``gaps`` where there are any, ``verbatims``."""


class VoiceReport(FeedbackReport):
    """Feedback along a map: tables ``touchpoints``, ``stages``, ``elsewhere`` (steps and channels), ``heard``, ``emotion``, ``unjoined``, ``verbatims``."""

    @property
    def joined(self) -> int:
        """Answers with a place on the map."""
        return int(self._data["joined"])

    @property
    def unjoined(self) -> Mapping[str, int]:
        """Answers without one, by reason."""
        return dict(self._data["unjoined"])

    @property
    def emotion(self) -> Mapping[str, Any]:
        """The curves of feelings, source by source, and what each says of the journey as a whole."""
        return dict(self._data["emotion"])

    def satisfaction(self, place: str) -> Measured | None:
        """How satisfied customers are at a touchpoint or stage: the share of the two best answers to its first CSAT question."""
        for row in (*self._data["touchpoints"], *self._data["stages"]):
            if row["place"] == place and row["kind"] == "csat":
                return _measured(row["measures"]["share"])
        return None


class Feedback:
    """Answers to surveys: who, when, to which question, what, and about which touchpoint. Immutable.

    >>> import desireline as dl, pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "survey.csv"
    >>> _ = path.write_text("who,NETPRO\\n1,10\\n2,9\\n3,11\\n4,2\\n5,8\\n6,10\\n")
    >>> feedback = dl.Feedback.read(path, questions=[dl.SurveyQuestion("NETPRO", "nps", blanks=(11,))], customer="who")
    >>> feedback.nps().n, feedback.nps().value
    (5, 40.0)
    """

    __slots__ = ("_native",)
    _native: _core.Feedback

    def __init__(self) -> None:
        raise TypeError("feedback is read: Feedback.read(...)")

    @classmethod
    def read(
        cls,
        source: Source,
        *,
        questions: Sequence[SurveyQuestion] | Mapping[str, Kind] = (),
        voc: Kind | None = None,
        customer: str | None = None,
        time: str | None = None,
        question: str | None = None,
        score: str | None = None,
        words: str | None = None,
        language: str | None = None,
        touchpoint: str | None = None,
        source_column: str | None = None,
        anonymous: bool = False,
        repeated: Literal["all", "last"] = "all",
        max_quarantine_share: float | None = None,
        zone: str | None = None,
        time_unit: Literal["s", "ms", "us", "ns"] | None = None,
        format: Literal["csv", "tsv", "jsonl", "parquet", "arrow"] | None = None,
        delimiter: str | None = None,
        header: bool = True,
    ) -> Feedback:
        """Reads a survey: a row for each respondent, or, with ``score``, a row for each answer.

        An answer that is no number or not on its question's scale is put aside with row and column, never clamped; codes and texts declared
        as blank are counted.

        Args:
            source: A file, folder or pattern, a list of them, or a frame of any library that speaks Arrow.
            questions: What was asked: questions, or kinds by id.
            voc: Instead of ``questions``: a table of the columns date, score, verbatim and stage, all of one kind.
            customer: The column of customers; without it every row is somebody else.
            time: The column of times; without it answers have none.
            question: Where each row is one answer: the column that names the question.
            score: Where each row is one answer: its column.
            words: The column of what was said.
            language: The column of its language.
            touchpoint: The column of the touchpoint or stage that an answer is about.
            source_column: The column of where it comes from.
            anonymous: Whether rows without a customer count, each as somebody else.
            repeated: Which of several answers of a customer to one question about one touchpoint count.
            max_quarantine_share: The largest share of answers that may be put aside; 0.05 unless given.
            zone: The IANA zone of times without one.
            time_unit: The unit of times that are numbers.
            format: The format, whatever the file is called.
            delimiter: What stands between fields.
            header: Whether text files have a header.

        Raises:
            ReadError: An input cannot be read.
            UnknownNameError: A column is not there.
            SpecError: A question cannot be asked so, such as a net promoter score from 1 to 5.
            DataError: Too many answers were put aside.
        """
        if isinstance(questions, Mapping):
            questions = [SurveyQuestion(id, kind) for id, kind in questions.items()]
        if voc is None and not questions:
            raise TypeError('say what was asked: questions=[dl.SurveyQuestion("NETPRO", "nps", blanks=(11,))], or voc="nps"')
        if score is not None and question is None and len(questions) != 1:
            raise TypeError("question= is missing: the column that says which question a row answers")
        reading = json.dumps(
            {
                "questions": [q._spec() for q in questions],
                "voc": voc,
                "customer": customer,
                "time": time,
                "question": question,
                "score": score,
                "words": words,
                "language": language,
                "touchpoint": touchpoint,
                "source": source_column,
                "anonymous": anonymous or None,
                "keep": None if repeated == "all" else "keep_last",
                "max_quarantine_share": max_quarantine_share,
                "zone": zone,
                "time_unit": time_unit,
                "format": format,
                "delimiter": delimiter,
                "header": header,
            }
        )
        found = paths(source)
        if found is not None:
            return cls._of(_core.read_feedback_paths(found, reading))
        rows = frame(source)
        try:
            return cls._of(_core.read_feedback_frame(rows, type(source).__name__, reading))
        except ValueError as error:
            if type(error) is not ValueError:
                raise
            raise DataError(f"this {type(source).__name__} is no table with named columns: {error}", code="frame") from error

    @classmethod
    def _of(cls, native: _core.Feedback) -> Feedback:
        made = object.__new__(cls)
        made._native = native
        return made

    def __len__(self) -> int:
        return self._native.n_answers

    @property
    def n_customers(self) -> int:
        """Customers who answered anything."""
        return self._native.n_customers

    @property
    def questions(self) -> list[dict[str, Any]]:
        """The questions as data, with what became of the answers: given, blank, unanswered, put aside, replaced."""
        asked = json.loads(self._native.questions())
        return [{**q, **counts} for q, counts in zip(asked, json.loads(self._native.counts()), strict=True)]

    @property
    def quarantine(self) -> dict[str, Any]:
        """What was put aside: counts by reason, and the first rows of each with row and column."""
        return dict(json.loads(self._native.quarantine()))

    @property
    def caveats(self) -> tuple[Caveat, ...]:
        """What to know before trusting the numbers."""
        return read_caveats(self._native.caveats)

    def nps(self, question: str | None = None, **how: Any) -> Measured:
        """The net promoter score, -100 to 100, with an adjusted Wald interval. ``how``: see :meth:`measure`."""
        return self.measure("nps", "nps", question, **how)

    def enps(self, question: str | None = None, **how: Any) -> Measured:
        """The net promoter score of employees. ``how``: see :meth:`measure`."""
        return self.measure("enps", "nps", question, **how)

    def csat(self, question: str | None = None, **how: Any) -> Measured:
        """The satisfied: the share of the two best answers, with Wilson's interval. ``how``: see :meth:`measure`."""
        return self.measure("csat", "share", question, **how)

    def ces(self, version: Literal[1, 2], question: str | None = None, **how: Any) -> Measured:
        """The mean customer effort score: version 1 asks for effort (low is good), version 2 for ease. ``how``: see :meth:`measure`."""
        return self.measure("ces_v1" if version == 1 else "ces_v2", "mean", question, **how)

    def sentiment(self, question: str | None = None, **how: Any) -> Measured:
        """The mean sentiment of texts, -1 to 1. ``how``: see :meth:`measure`."""
        return self.measure("sentiment", "mean", question, **how)

    def measure(
        self,
        kind: Kind,
        measure: Literal["nps", "share", "mean"],
        question: str | None = None,
        *,
        touchpoint: str | None = None,
        source: str | None = None,
        start: str | datetime | date | None = None,
        end: str | datetime | date | None = None,
        level: float = 0.95,
        min_n: int = 5,
    ) -> Measured:
        """One measure of one kind of question, with its interval or the reason why there is none.

        Args:
            kind: The kind of question.
            measure: ``nps``, ``share`` (of the best answers) or ``mean``.
            question: The question, where several of a kind were asked on different scales.
            touchpoint: Only answers declared to be about it.
            source: Only answers from there.
            start: Only answers from this time on.
            end: Only answers before this time.
            level: The confidence level.
            min_n: Below how many answers there is a hole instead of a number.
        """
        which = _which(question, touchpoint, source, start, end)
        return _measured(json.loads(self._native.measure(kind, measure, which, _measuring(level, min_n))))

    def gap(self, perceived: str, *, level: float = 0.95, min_n: int = 5) -> Measured:
        """The mean of perceived less expected over pairs, in points of the scale; below 0, expectations were not met."""
        told, _ = json.loads(self._native.gap(perceived, "{}", _measuring(level, min_n)))
        return _measured(told)

    def report(
        self,
        question: str | None = None,
        *,
        touchpoint: str | None = None,
        level: float = 0.95,
        min_n: int = 5,
        verbatims: int = 20,
        customers: bool = False,
    ) -> FeedbackReport:
        """Everything at a glance, as tables that speak Arrow; a sample of verbatims that is always the same one."""
        which = json.loads(_which(question, touchpoint, None, None, None))
        return FeedbackReport(
            self._native.report(_asking(level=level, min_n=min_n, verbatims=verbatims, customers=customers, which=which))
        )

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError("feedback is not pickled; read it again where it is needed")

    def __repr__(self) -> str:
        return f"<Feedback: {len(self)} answers of {self.n_customers} customers to {len(self.questions)} questions>"


def interview() -> list[dict[str, Any]]:
    """The seven questions of a customer interview, and what their answers become on a map.

    >>> import desireline as dl
    >>> [q["yields"] for q in dl.interview()]
    ['trigger', 'competitor', 'decision', 'opportunity', 'pain', 'improvement', 'gap']
    """
    return list(json.loads(_core.interview()))


def _measuring(level: float, min_n: int) -> str:
    return json.dumps({"level": float(level), "least": int(min_n)})


def _which(
    question: str | None,
    touchpoint: str | None,
    source: str | None,
    start: str | datetime | date | None,
    end: str | datetime | date | None,
) -> str:
    which: dict[str, Any] = {"question": question, "touchpoint": touchpoint, "source": source}
    for name, given in (("from", start), ("to", end)):
        which[name] = None if given is None else _core.instant(instant(given))
    return json.dumps(which)


def _asking(*, level: float, min_n: int, **rest: Any) -> str:
    return json.dumps({"measuring": {"level": float(level), "least": int(min_n)}, **rest})


def _measured(told: Mapping[str, Any]) -> Measured:
    estimate = told["estimate"]
    hole = told["hole"]
    if isinstance(hole, dict):
        reason, details = next(iter(hole.items()))
        hole = Hole(reason, details["least"])
    elif hole is not None:
        hole = Hole(hole)
    return Measured(told["n"], told["customers"], None if estimate is None else Estimate._read(estimate), hole)
