"""What can go wrong. Every error is a :class:`DesirelineError`, and also the built-in error that a Python user expects."""

from __future__ import annotations

__all__ = [
    "BudgetError",
    "DataError",
    "DesirelineError",
    "InputNotFoundError",
    "InternalError",
    "ReadError",
    "SpecError",
    "UnknownNameError",
]


class DesirelineError(Exception):
    """The base of all errors of this package. ``code`` is a short stable word for programs; the message is for people."""

    code: str

    def __init__(self, message: str, *, code: str = "") -> None:
        super().__init__(message)
        self.code = code

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class SpecError(DesirelineError, ValueError):
    """A question, expression or setting that cannot be: the message names the field and what is allowed."""


class UnknownNameError(DesirelineError, KeyError):
    """No column, attribute, event or analysis has this name.

    ``name`` is the name as given, ``nearest`` the one that was probably meant, ``known`` those that there are, where they
    are few enough to list.
    """

    name: str
    nearest: str | None
    known: tuple[str, ...]

    def __init__(
        self,
        message: str,
        *,
        code: str = "",
        name: str = "",
        nearest: str | None = None,
        known: list[str] | tuple[str, ...] = (),
    ) -> None:
        super().__init__(message, code=code)
        self.name = name
        self.nearest = nearest
        self.known = tuple(known)


class ReadError(DesirelineError, OSError):
    """An input could not be opened, is damaged, or is not what its name says; or a file could not be written."""


class InputNotFoundError(ReadError, FileNotFoundError):
    """No file matches."""


class DataError(DesirelineError, ValueError):
    """The data were read but cannot be a log: a column of the wrong type, too many bad rows, no events at all."""


class BudgetError(DesirelineError, MemoryError):
    """The partial results outgrew the memory budget."""


class InternalError(DesirelineError, RuntimeError):
    """A bug of desireline. Objects that exist go on working; please report it with the message."""
