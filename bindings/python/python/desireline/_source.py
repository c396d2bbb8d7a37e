"""What can be read: paths, and any object that speaks Arrow, whoever made it. Nothing is imported to find out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from os import PathLike, fspath
from typing import Any, Protocol, TypeAlias, runtime_checkable

__all__ = ["ArrowStream", "Source", "frame", "paths"]


@runtime_checkable
class ArrowStream(Protocol):
    """A frame of any library that speaks the Arrow C stream interface."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...


Source: TypeAlias = "str | PathLike[str] | Iterable[str | PathLike[str]] | ArrowStream | Any"
"""A file, folder or pattern, several of them, or a frame."""

_WANTED = (
    "read() takes a path, a list of paths, or a frame with the Arrow C interface"
    " (pandas, Polars, PyArrow, DuckDB, PySpark, ...)"
)


def paths(source: Any) -> list[str] | None:
    """The paths of a source, or ``None`` where it is no path."""
    if isinstance(source, (str, PathLike)):
        return [str(fspath(source))]
    if isinstance(source, (list, tuple)) and source and all(isinstance(p, (str, PathLike)) for p in source):
        return [str(fspath(p)) for p in source]
    return None


def frame(source: Any) -> Any:
    """The object of a source that speaks Arrow.

    Raises:
        TypeError: it does not, and what to do about it.
    """
    home = type(source).__module__.split(".")[0]
    kind = f"{home}.{type(source).__name__}" if home != "builtins" else type(source).__name__
    if type(source).__name__ == "Series":
        raise TypeError(f"{_WANTED}, not a {kind}: that is one column; give the frame with customer, time and event")
    if hasattr(source, "__arrow_c_stream__") or hasattr(source, "__arrow_c_array__"):
        return source
    if home == "polars" and hasattr(source, "collect"):
        return source.collect()
    if home == "pyarrow" and hasattr(source, "scanner"):
        return source.scanner().to_reader()
    if home == "pyarrow" and hasattr(source, "to_reader"):
        return source.to_reader()
    if home == "pandas":
        raise TypeError(f"this {kind} does not speak Arrow: use pandas 2.2 or later with pyarrow, or pandas 3")
    if source is None:
        raise TypeError(f"{_WANTED}, not None")
    if isinstance(source, (Iterator, Iterable)) and not isinstance(source, (Mapping, list, tuple, str, bytes)):
        raise TypeError(
            f"{_WANTED}, not a {kind}: it can be walked through only once and has no columns; put the rows in a frame first"
        )
    if isinstance(source, Mapping):
        raise TypeError(f"{_WANTED}, not a {kind}: make it a frame, such as pyarrow.table(d) or polars.DataFrame(d)")
    if isinstance(source, (list, tuple)):
        raise TypeError(f"{_WANTED}, not a {kind} of values: make it a frame, such as polars.DataFrame(rows, orient='row')")
    raise TypeError(f"{_WANTED}, not {kind}")
