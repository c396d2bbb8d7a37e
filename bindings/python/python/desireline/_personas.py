"""Whom a map is about: what personas weigh, and how two profiles differ."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any, Literal, cast

from ._report import Report

__all__ = ["PersonaDiff", "PersonaField", "PersonaWeights"]


@dataclass(frozen=True)
class PersonaField:
    """One field of two personas."""

    first: str
    """The first persona."""
    second: str
    """The second."""
    field: str
    """Its path in the document, such as ``traits.age``."""
    first_says: str | None
    """What the first says; ``None`` where it says nothing, or where that is hidden."""
    second_says: str | None
    """What the second says."""
    change: Literal["equal", "different", "missing_in_first", "missing_in_second"]
    """How they compare."""
    hidden: bool
    """Whether what they say is left out because one of them calls it sensitive."""


class PersonaDiff(Report):
    """Personas held against each other, field by field: tables ``pairs``, ``fields`` and, where there are any, ``alone``."""

    @property
    def fields(self) -> tuple[PersonaField, ...]:
        """Each field that one of the two says something in, pair by pair."""
        return tuple(PersonaField(**field) for field in self._data["fields"])

    @property
    def only_first(self) -> tuple[str, ...]:
        """Personas of the first map that were held against nobody."""
        return tuple(self._data["only_first"])

    @property
    def only_second(self) -> tuple[str, ...]:
        """Those of the second map."""
        return tuple(self._data["only_second"])


class PersonaWeights(Report):
    """What each persona weighs, share times worth, and how many customers belong to one: tables ``weights``, ``coverage``."""

    @property
    def personas(self) -> list[dict[str, Any]]:
        """The personas, then those who belong to none: declared and measured share, value, weights, part of all weights."""
        return cast(list[dict[str, Any]], copy.deepcopy(self._data["personas"]))

    @property
    def declared(self) -> float | None:
        """The sum of the declared shares of actual personas."""
        return cast(float | None, self._data["declared"])

    @property
    def declared_rest(self) -> float | None:
        """What that leaves of 1; ``None`` where shares are missing or sum to more."""
        return cast(float | None, self._data["declared_rest"])

    @property
    def covered(self) -> dict[str, Any] | None:
        """Customers who belong to a persona, of all customers of the log: count, n and estimate."""
        return cast(dict[str, Any] | None, copy.deepcopy(self._data["covered"]))
