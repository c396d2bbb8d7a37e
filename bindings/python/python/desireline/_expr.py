"""Conditions on events, written in Python.

A condition can always be given as text too; the two are the same thing:

>>> import desireline as dl
>>> (dl.col("channel") == "web") & (dl.col("value") >= 20)
Expr('channel == "web" and value >= 20')
>>> dl.Expr('channel = "web" and value >= 20') == (dl.col("channel") == "web") & (dl.col("value") >= 20)
True
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any, TypeAlias

from . import _core
from ._core import Expr
from ._time import instant, span

__all__ = ["Col", "Condition", "Expr", "after", "col", "condition", "event", "first", "nth"]

Literal: TypeAlias = str | int | float | bool | datetime | date
"""What a column can be compared with."""

Condition: TypeAlias = Expr | str
"""Whatever can be given where a condition is wanted: an :class:`Expr`, its text, or just an event's name."""


class Col:
    """A column of the log, to be compared. Made by :func:`col`.

    Comparisons give an :class:`Expr`. Join them by ``&``, ``|`` and ``~``, each comparison in parentheses.
    """

    __slots__ = ("_native",)
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, name: str) -> None:
        self._native = _core.Column(name)

    def __eq__(self, value: Literal) -> Expr:  # type: ignore[override]
        return self._native.compare("==", _literal(value))

    def __ne__(self, value: Literal) -> Expr:  # type: ignore[override]
        return self._native.compare("!=", _literal(value))

    def __lt__(self, value: Literal) -> Expr:
        return self._native.compare("<", _literal(value))

    def __le__(self, value: Literal) -> Expr:
        return self._native.compare("<=", _literal(value))

    def __gt__(self, value: Literal) -> Expr:
        return self._native.compare(">", _literal(value))

    def __ge__(self, value: Literal) -> Expr:
        return self._native.compare(">=", _literal(value))

    def isin(self, values: Iterable[Literal]) -> Expr:
        """The column has one of these values.

        >>> import desireline as dl
        >>> dl.col("channel").isin(["web", "app"])
        Expr('channel in ["web", "app"]')
        """
        if isinstance(values, str):
            raise TypeError("isin() takes a list of values; for one value write col(...) == value")
        return self._native.is_in([_literal(v) for v in values])

    def like(self, pattern: str) -> Expr:
        """The text follows a glob (``*``, ``?``) or a URL template.

        >>> import desireline as dl
        >>> dl.col("url").like("/product/:id")
        Expr('url like "/product/:id"')
        """
        return self._native.like(pattern)

    def matches(self, pattern: str) -> Expr:
        """The text matches a regular expression, in linear time.

        >>> import desireline as dl
        >>> dl.col("url").matches("^/blog/[0-9]+$")
        Expr('url ~ "^/blog/[0-9]+$"')
        """
        return self._native.matches(pattern)

    def exists(self) -> Expr:
        """The column has a value.

        >>> import desireline as dl
        >>> ~dl.col("channel").exists()
        Expr('not exists channel')
        """
        return self._native.exists()

    def __bool__(self) -> bool:
        raise TypeError("a column has no truth of its own; compare it, or ask .exists()")

    def __repr__(self) -> str:
        return repr(self._native)


def col(name: str) -> Col:
    """A column: ``event``, ``customer``, ``time``, ``value`` or any attribute.

    ``attr.NAME`` is the event's attribute, ``person.NAME`` the customer's; a bare name is whichever there is.

    >>> import desireline as dl
    >>> dl.col("channel") == "web"
    Expr('channel == "web"')
    >>> (dl.col("platform") != "ios") & (dl.col("value") > 9.5)
    Expr('platform != "ios" and value > 9.5')
    """
    return Col(name)


def event(name: str) -> Expr:
    """The events with this name.

    >>> import desireline as dl
    >>> dl.event("purchase") & (dl.col("value") >= 100)
    Expr('purchase and value >= 100')
    """
    return _core.event(name)


def first(of: Condition) -> Expr:
    """The journey's first event for which the condition holds.

    >>> import desireline as dl
    >>> dl.first("purchase")
    Expr('first(purchase)')
    """
    return _core.first(of)


def nth(of: Condition, n: int) -> Expr:
    """The journey's n-th event for which the condition holds, counted from 1.

    >>> import desireline as dl
    >>> dl.nth("page_view", 3)
    Expr('nth(page_view, 3)')
    """
    return _core.nth(of, n)


def after(anchor: Condition, within: str | timedelta) -> Expr:
    """An event strictly later than one for which the condition holds, and at most ``within`` after it.

    >>> import desireline as dl
    >>> dl.after("add_to_cart", "30m") & dl.event("purchase")
    Expr('after(add_to_cart, 30m) and purchase')
    """
    return _core.after(anchor, span(within))


def condition(given: Condition | Any) -> str:
    """The text of a condition that was given as text or as an :class:`Expr`; the text is read by the engine."""
    if isinstance(given, (Expr, str)):
        return str(given)
    kind = type(given).__name__
    raise TypeError(f'a condition is a text or an Expr such as dl.col("channel") == "web", not {kind}')


def _literal(value: Any) -> str | int | float | bool:
    if isinstance(value, (datetime, date)):
        return instant(value)
    if hasattr(value, "item") and not isinstance(value, (str, int, float)):
        # A scalar of NumPy and its like.
        value = value.item()
    return value  # type: ignore[no-any-return]
