"""Questions as plain data: what a user writes becomes the JSON that the engine reads, the same from Rust, Python and the CLI."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import date, datetime, timedelta
from typing import Any, ClassVar, TypeAlias

from ._expr import Condition, Expr, condition
from ._time import instant, span

__all__ = ["By", "Groups", "Question", "Spec", "as_list", "encode"]


class Spec:
    """A question that can be asked of journeys. Its fields are plain data; comparing two compares the questions."""

    name: ClassVar[str]
    """The analysis: registry key, command-line word and Python method."""

    def to_dict(self) -> dict[str, Any]:
        """The question as JSON-ready data, the same that :attr:`Report.spec` gives back with the defaults filled in."""
        return encode(self)  # type: ignore[no-any-return]

    def to_json(self) -> str:
        """The question as JSON text."""
        return json.dumps(self.to_dict(), ensure_ascii=False)


@dataclass(frozen=True)
class By:
    """Groups by an attribute's values, for ``by=``.

    ``attribution`` says which value counts where a journey has several: that of the ``first`` event that has one, of the
    ``last``, or of ``each`` (then a journey can be in several groups, and the report says how many are).
    """

    attribute: str
    attribution: str = "first"


Groups: TypeAlias = str | By | Mapping[str, Condition]
"""What to break a question down by: an attribute's name, :class:`By`, or named segments ``{"name": condition}``."""

Question: TypeAlias = Spec | tuple[str, Mapping[str, Any]]
"""A question: a spec such as ``Funnel([...])``, or a name with its JSON-ready fields."""


def groups(by: Groups) -> dict[str, Any]:
    """A breakdown as the engine reads it."""
    if isinstance(by, str):
        return {"by": by}
    if isinstance(by, By):
        return {"by": by.attribute, "attribution": by.attribution}
    if isinstance(by, Mapping):
        return {"segments": [{"name": str(name), "expr": condition(expr)} for name, expr in by.items()]}
    raise TypeError(
        f"by= takes an attribute's name, By(...) or segments such as {{'mobile': condition}}, not {type(by).__name__}"
    )


def question(asked: Question | Any, by: Groups | None = None) -> tuple[str, str]:
    """The name and the JSON of a question, broken down where that is asked for."""
    if isinstance(asked, Spec):
        name, spec = asked.name, asked.to_dict()
    elif isinstance(asked, tuple) and len(asked) == 2 and isinstance(asked[0], str):
        name, spec = asked[0], encode(asked[1])
    else:
        raise TypeError(
            f"a question is a spec such as Funnel([...]) or a tuple (name, fields), not {type(asked).__name__}"
        )
    if by is not None:
        spec = {"of": spec, "groups": groups(by)}
    try:
        return name, json.dumps(spec, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise TypeError(f"the question for {name} is no JSON: {error}") from None


def compared(
    on: Question, by: Groups | None, a: Condition | None, b: Condition | None, **how: Any
) -> tuple[str, dict[str, Any]]:
    """A question compared between groups, as the engine reads it."""
    if (by is None) == (a is None):
        raise TypeError("give the groups either as by=, or as a= and perhaps b=")
    if by is None:
        by = {condition(side): side for side in (a, b) if side is not None}
        if b is not None:
            if len(by) == 1:
                raise TypeError("a= and b= are the same condition")
            how["baseline"] = how["baseline"] or condition(b)
    elif b is not None:
        raise TypeError("b= goes with a=, not with by=")
    name, spec = question(on)
    settings = {"groups": groups(by), **{k: encode(v) for k, v in how.items() if v is not None}}
    return name, {"of": json.loads(spec), "how": settings}


def encode(value: Any) -> Any:
    """Specs, conditions and times as JSON-ready data. Fields that are ``None`` are left to the engine's defaults."""
    if isinstance(value, Expr):
        return str(value)
    if isinstance(value, timedelta):
        return span(value)
    if isinstance(value, (datetime, date)):
        return instant(value)
    if is_dataclass(value) and not isinstance(value, type):
        pairs = ((f.name, getattr(value, f.name)) for f in fields(value))
        data = {name: encode(given) for name, given in pairs if given is not None}
        if isinstance(value, Spec):
            for name in getattr(value, "_lists", ()):
                if name in data:
                    data[name] = as_list(data[name])
        return data
    if isinstance(value, Mapping):
        return {str(k): encode(v) for k, v in value.items()}
    if isinstance(value, (str, bytes)):
        return value
    if isinstance(value, Iterable):
        return [encode(v) for v in value]
    if hasattr(value, "item") and not isinstance(value, (int, float)):
        return value.item()
    return value


def as_list(given: Any) -> Any:
    """One thing as a list of one, where a list is wanted."""
    return [given] if isinstance(given, (str, Mapping)) else given
