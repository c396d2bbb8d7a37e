"""Documents in files: maps, lifecycles."""

from __future__ import annotations

from pathlib import Path

from . import _core
from ._errors import InputNotFoundError


def text_in(path: Path) -> str:
    """The text of a document, which is UTF-8.

    Raises:
        InputNotFoundError: there is no such file.
        SpecError: it is in another encoding, which is named.
    """
    try:
        return _core.document_text(path.read_bytes())
    except FileNotFoundError as error:
        raise InputNotFoundError(f"there is no file `{path}`", code="no_input") from error
