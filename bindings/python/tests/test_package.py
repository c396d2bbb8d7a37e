"""The package as such: examples in its documentation, its types, and its stubs against the native module."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import desireline as dl

ROOT = Path(__file__).parents[1]
MODULES = sorted(m.name for m in pkgutil.iter_modules(dl.__path__) if m.name != "_core")


@pytest.mark.parametrize("name", ["", *MODULES])
def test_examples(name: str) -> None:
    module = importlib.import_module(f"desireline.{name}" if name else "desireline")
    assert doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE).failed == 0


def test_readme_examples() -> None:
    results = doctest.testfile(str(ROOT / "README.md"), module_relative=False, optionflags=doctest.ELLIPSIS)
    assert results.attempted > 0
    assert results.failed == 0


def test_types() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", str(ROOT / "pyproject.toml"), "-p", "desireline"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_stubs() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mypy.stubtest", "desireline._core", "--allowlist", str(ROOT / "tests/stubtest.txt")],
        cwd=ROOT / "python",
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_everything_public_is_described() -> None:
    for name in dl.__all__:
        thing = getattr(dl, name)
        if isinstance(thing, type) and thing.__module__.startswith("desireline"):
            assert thing.__doc__, name
            for member, value in vars(thing).items():
                if callable(value) and not member.startswith("_"):
                    assert value.__doc__, f"{name}.{member}"


def test_version() -> None:
    from importlib.metadata import version

    assert dl.__version__ == version("desireline")
