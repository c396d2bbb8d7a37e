"""Journey maps in the formats of other tools, and as pictures."""

from __future__ import annotations

import json
import warnings
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from html import escape
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from . import _core

if TYPE_CHECKING:
    from ._feedback import VoiceReport
    from ._log import Journeys, Log
    from ._map import JourneyMap
    from ._overlay import OverlayReport

__all__ = ["ExchangeNote", "ExchangeWarning", "ExportedMap", "ImportedMap", "Loss", "MapExchange"]

Format = Literal["mermaid", "csv", "cjml", "markdown", "md", "dot", "stakeholders"]


class ExchangeWarning(UserWarning):
    """Something in a text found no place in the map that was made of it."""


@dataclass(frozen=True)
class Loss:
    """A kind of part of a map that a format leaves out or changes."""

    what: str
    """Its path of keys in the document, such as ``touchpoints.binding``."""
    change: Literal["left_out", "changed"]
    """What becomes of it."""
    first: str
    """Where the first is, as a JSON pointer."""
    count: int
    """How often."""


@dataclass(frozen=True)
class ExchangeNote:
    """Something in a text that found no place in the map, or not as it stands."""

    line: int
    column: int
    message: str

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}: {self.message}"


@dataclass(frozen=True)
class ExportedMap:
    """A map in another format."""

    text: str
    losses: tuple[Loss, ...]
    """What of the map the text does not hold."""

    def save(self, path: str | PathLike[str]) -> None:
        """Writes the text to a file."""
        Path(path).write_text(self.text, encoding="utf-8", newline="")

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class ImportedMap:
    """A map from another format."""

    map: JourneyMap
    notes: tuple[ExchangeNote, ...]
    """What of the text found no place in it."""


class MapExchange:
    """What a journey map can be turned into, and made from."""

    __slots__ = ()
    _native: _core.JourneyMap

    def _measured(self, on: Log | Journeys, **how: Any) -> OverlayReport:
        raise NotImplementedError

    def export(self, format: Format, *, sensitive: bool = False) -> ExportedMap:
        """The map in another format, and what that loses. Facts that personas call sensitive are left out unless asked for.

        >>> import desireline as dl
        >>> out = dl.JourneyMap.template("nng").export("mermaid")
        >>> out.text.splitlines()[0]
        'journey'
        >>> any(loss.what == "opportunities" for loss in out.losses)
        True

        Raises:
            SpecError: there is no such format.
        """
        text, losses = self._native.export(format, sensitive)
        return ExportedMap(text, tuple(Loss(**loss) for loss in json.loads(losses)))

    def to_mermaid(self) -> str:
        """The map as a ``journey`` diagram of Mermaid; :meth:`export` says what that loses."""
        return self.export("mermaid").text

    def to_markdown(self) -> str:
        """The map as a document to read."""
        return self.export("markdown").text

    @classmethod
    def import_(
        cls,
        text: str,
        format: Literal["mermaid", "csv", "cjml"],
        *,
        as_of: date | str | None = None,
        id: str | None = None,
        lanes: Mapping[str, str] | None = None,
    ) -> ImportedMap:
        """A map from another format, and what of the text found no place in it. It is a draft whose owner is to be named.

        Args:
            text: the text.
            format: its format.
            as_of: the day whose knowledge it shows; today where it is not given.
            id: the map's id; made from its title where it is not given.
            lanes: of a CSV grid, which rows are which lane: ``{"How it feels": "emotion"}``.

        Raises:
            SpecError: the text is not of the format; line and column are named.
        """
        from ._map import JourneyMap

        native, notes = _core.import_map(text, format, str(as_of or date.today()), id, list((lanes or {}).items()))
        return ImportedMap(JourneyMap._of(native), tuple(ExchangeNote(**note) for note in json.loads(notes)))

    @classmethod
    def from_mermaid(cls, text: str, **options: Any) -> JourneyMap:
        """The map that a ``journey`` diagram of Mermaid draws. What found no place in it is warned of.

        >>> import desireline as dl
        >>> m = dl.JourneyMap.from_mermaid("journey\\n title Tea\\n section Morning\\n Make tea: 5: Me")
        >>> m.title
        'Tea'
        """
        return _warned(cls.import_(text, "mermaid", **options))

    @classmethod
    def from_csv(cls, text: str, **options: Any) -> JourneyMap:
        """The map that a CSV grid draws, rows being lanes. What found no place in it is warned of."""
        return _warned(cls.import_(text, "csv", **options))

    @classmethod
    def from_cjml(cls, text: str, **options: Any) -> JourneyMap:
        """The map that a CJML 2.0 document draws. What found no place in it is warned of."""
        return _warned(cls.import_(text, "cjml", **options))

    def svg(self, width: float | None = None, *, measured: OverlayReport | None = None) -> str:
        """The map as a static SVG picture; stages that do not fit its width go on below.

        Args:
            width: in pixels; 1240 where it is not given.
            measured: what :meth:`overlay` found; without it the map as it was drawn.
        """
        return self._native.svg(width, None if measured is None else measured._native)

    def draw(
        self,
        path: str | PathLike[str],
        width: float | None = None,
        *,
        on: Log | Journeys | None = None,
        measured: OverlayReport | None = None,
        heard: VoiceReport | None = None,
        sensitive: bool = False,
        **how: Any,
    ) -> None:
        """Writes the map to a file: a page if that is called ``.html``, else an SVG picture.

        >>> import desireline as dl, pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "blank.svg"
        >>> dl.JourneyMap.template("blank").draw(path, on=dl.simulate(customers=50, seed=1), min_n=20)
        >>> path.read_text(encoding="utf-8")[:4]
        '<svg'

        Args:
            path: where to.
            width: of a picture, in pixels; 1240 where it is not given.
            on: a log or journeys to measure it on.
            measured: instead of ``on`` what :meth:`overlay` found; without either the map as it was drawn.
            heard: what :meth:`feedback` found, for a part of the page of its own.
            sensitive: whether the page shows facts that personas call sensitive.
            how: with ``on`` how to measure, as :meth:`overlay` takes it: ``persona``, ``per``, ``time_zone``, ``min_n``, ``level``, ``goal``,
                ``language`` and the others.
        """
        if on is not None:
            if measured is not None:
                raise TypeError("give on= or measured=, not both")
            measured = self._measured(on, **how)
        elif how:
            raise TypeError(f"{', '.join(how)} say how to measure; give on= a log or journeys")
        path = Path(path)
        if path.suffix.lower() in (".html", ".htm"):
            made = self._native.page(
                None if measured is None else measured._native, None if heard is None else heard._native, sensitive
            )
        else:
            made = self.svg(width, measured=measured)
        path.write_text(made, encoding="utf-8")

    def _repr_html_(self) -> str:
        return picture_html(self.svg(), self._native.title())


def picture_html(svg: str, title: str) -> str:
    """A picture as an image: its style sheet stays inside it, whatever else the page holds."""
    data = b64encode(svg.encode()).decode()
    return f'<img alt="{escape(title, quote=True)}" style="max-width:100%" src="data:image/svg+xml;base64,{data}">'


def _warned(imported: ImportedMap) -> JourneyMap:
    if imported.notes:
        told = "\n".join(map(str, imported.notes))
        warnings.warn(f"not all of the text found a place in the map:\n{told}", ExchangeWarning, stacklevel=3)
    return imported.map
