"""How reports stand in a notebook: the engine's own picture, then tables that a reader with any theme can read."""

from __future__ import annotations

from base64 import b64encode
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from . import _core
    from ._report import Report

__all__ = ["report_html", "table_html"]

_SHOWN = 20
_CELL = "padding:.25em .8em;border-bottom:1px solid rgba(128,128,128,.25);"
_WORDS = "min-width:6em"
_NUMBER = "white-space:nowrap;font-variant-numeric:tabular-nums"
_QUIET = "color:inherit;opacity:.75;font-size:.9em;margin:.4em 0"


def table_html(table: _core.Table, rows: int | None = _SHOWN) -> str:
    """A table as HTML; every name is escaped and kept from turning its neighbours round."""
    labels, words, cells = table.shown()
    shown = cells if rows is None else cells[:rows]

    def side(i: int) -> str:
        return "left" if words[i] else "right"

    head = "".join(
        f'<th scope="col" style="{_CELL}text-align:{side(i)}">{_bdi(label)}</th>' for i, label in enumerate(labels)
    )
    body = "".join(
        "<tr>"
        + "".join(
            f'<td style="{_CELL}text-align:{side(i)};{_WORDS if words[i] else _NUMBER}">{_cell(*cell)}</td>'
            for i, cell in enumerate(row)
        )
        + "</tr>"
        for row in shown
    )
    more = f'<p style="{_QUIET}">{len(cells) - len(shown):,} more rows</p>' if len(shown) < len(cells) else ""
    caption = f'<caption style="text-align:left;font-weight:600;padding:.6em 0 .2em">{_bdi(table.title)}</caption>'
    return (
        f'<div style="overflow-x:auto"><table style="border-collapse:collapse">{caption}<thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>{more}"
    )


def report_html(report: Report) -> str:
    """The picture, the first table, the others folded away, and what to know before trusting the numbers."""
    picture = report.svg()
    parts = ['<div style="max-width:60em">']
    if picture is None:
        parts.append(f'<h4 style="margin:.2em 0">{_bdi(report.title)}</h4>')
    else:
        # As an image, the picture's style sheet stays inside it, whatever else the page holds.
        data = b64encode(picture.encode()).decode()
        alt = escape(f"{report.title}: the table below has the same numbers", quote=True)
        parts.append(f'<img alt="{alt}" style="max-width:100%" src="data:image/svg+xml;base64,{data}">')
    for i, table in enumerate(report._native.tables()):
        html = table_html(table)
        if i == 0:
            parts.append(html)
        else:
            parts.append(f"<details><summary>{_bdi(table.title)}</summary>{html}</details>")
    if report.caveats:
        notes = "".join(f"<li>{_bdi(caveat.message)}</li>" for caveat in report.caveats)
        parts.append(f'<ul style="{_QUIET}">{notes}</ul>')
    parts.append("</div>")
    return "".join(parts)


def _cell(value: str, interval: str | None) -> str:
    small = "" if interval is None else f'<br><small style="opacity:.7">{_bdi(interval)}</small>'
    return _bdi(value) + small


def _bdi(text: str) -> str:
    return f"<bdi>{escape(text)}</bdi>"
