"""Times between Python and the engine: lengths as ``30m``, instants as RFC 3339, both exact to the microsecond."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TypeAlias

__all__ = ["EPOCH", "Span", "from_micros", "instant", "span"]

Span: TypeAlias = str | timedelta
"""A length of time: text such as ``30m``, ``12h``, ``7d``, or a ``timedelta``."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS = (("d", 86_400_000_000), ("h", 3_600_000_000), ("m", 60_000_000), ("s", 1_000_000), ("ms", 1_000), ("us", 1))


def span(given: Span) -> str:
    """A length of time as the engine reads it."""
    if isinstance(given, str):
        return given
    if isinstance(given, timedelta):
        micros = (given.days * 86_400 + given.seconds) * 1_000_000 + given.microseconds
        for unit, size in _UNITS:
            if micros % size == 0:
                return f"{micros // size}{unit}"
    raise TypeError(f'a length of time is a text such as "30m" or a timedelta, not {type(given).__name__}')


def instant(given: str | datetime | date) -> str:
    """A point in time as the engine reads it. One without a zone is UTC."""
    if isinstance(given, str):
        return given
    if isinstance(given, datetime):
        aware = given if given.tzinfo is not None else given.replace(tzinfo=UTC)
        return aware.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(given, date):
        return given.isoformat()
    raise TypeError(f"a point in time is a text such as 2025-06-30T12:00:00Z or a datetime, not {type(given).__name__}")


def from_micros(micros: int) -> datetime | None:
    """A point in time that the engine gave; ``None`` outside the years of Python's ``datetime``."""
    try:
        return EPOCH + timedelta(microseconds=micros)
    except OverflowError:
        return None
