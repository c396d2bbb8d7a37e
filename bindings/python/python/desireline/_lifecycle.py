"""How the company sees its customers over time: phases from impression to advocacy."""

from __future__ import annotations

import json
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

from ._document import text_in
from ._report import Report

__all__ = ["LifecycleReport"]

Document = str | PathLike[str] | Mapping[str, Any]


class LifecycleReport(Report):
    """Customers by phase of their life with the company: tables ``phases`` and ``ways``."""

    @property
    def customers(self) -> int:
        """Customers."""
        return int(self._data["customers"])

    @property
    def none(self) -> int:
        """Those who have not come into any phase."""
        return int(self._data["none"])

    @property
    def now(self) -> dict[str, int]:
        """How many customers are in each phase at the end of observation."""
        return {row["phase"]: int(row["now"]) for row in self._data["phases"]}

    @property
    def ever(self) -> dict[str, int]:
        """How many customers were in each phase at some time."""
        return {row["phase"]: int(row["ever"]) for row in self._data["phases"]}


def document(given: Document) -> tuple[str, str | None]:
    """The text of a lifecycle document and its form."""
    if isinstance(given, Mapping):
        return json.dumps(given, ensure_ascii=False), "objects"
    path = Path(given)
    return text_in(path), {".json": "json", ".yaml": "yaml", ".yml": "yaml"}.get(path.suffix.lower())
