"""Reports as Plotly figures: the tables' own numbers, to restyle and zoom. Nothing is computed here."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ._errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Callable

    import plotly.graph_objects

    from ._report import Report, Table

__all__ = ["figure"]

# What each report is shown by: its table, the columns of the labels, and the column of the estimate or number.
_DOTS: dict[str, tuple[str, tuple[str, ...], str]] = {
    "paths": ("paths", ("path",), "share"),
    "transitions": ("transitions", ("from", "to"), "probability"),
    "directly_follows": ("pairs", ("from", "to"), "count"),
    "precedence": ("pairs", ("first", "then"), "before"),
    "patterns": ("patterns", ("pattern",), "share"),
    "calendar": ("hours", ("hour",), "events"),
    "stability": ("stability", ("meaning",), "rate"),
    "funnel": ("steps", ("step",), "of_entered"),
    "dropoff": ("exits", ("touchpoint",), "exit_rate"),
    "goals": ("goals", ("goal",), "of_all"),
    "compare": ("differences", ("measure", "group_a", "group_b"), "difference"),
}
_COLOURS = ("#2f6f8f", "#c4622d", "#6b8e23", "#8a5a9e", "#b0892f", "#4d4d4d", "#c2577a", "#2e8b74")
_MOST = 30


def figure(report: Report) -> plotly.graph_objects.Figure:
    """The report as a figure: dots with their intervals, curves for times to a goal, a triangle for retention."""
    try:
        import plotly.graph_objects as go
    except ImportError as error:
        raise ImportError("plot() needs Plotly: pip install desireline[plot]") from error
    if report.analysis == "goals" and "how" not in report.spec and "time_to_goal" in report.tables:
        return _curves(go, report)
    kind = "compare" if "how" in report.spec else report.analysis
    if kind == "retention":
        return _triangle(go, report)
    if kind not in _DOTS:
        raise SpecError(f"there is no figure of {kind}; its tables are {', '.join(report.tables)}", code="no_figure")
    name, labels, value = _DOTS[kind]
    return _dots(go, report, report.tables[name], labels, value)


def _dots(go: Any, report: Report, table: Table, labels: tuple[str, ...], value: str) -> Any:
    figure = go.Figure()
    columns = table.to_dict()
    groups: list[Any] = columns["group"] if "group" in columns else [None] * len(table)
    # Counts of everything have no interval; the row of all that is not listed has no name.
    sure = f"{value}_lower" not in columns
    named = [i for i in range(len(table)) if columns[labels[0]][i] is not None]
    for place, group in enumerate(dict.fromkeys(groups)):
        rows = [i for i in named if groups[i] == group and columns[value][i] is not None][:_MOST]
        middle = [columns[value][i] for i in rows]
        interval = {} if sure else {
            "error_x": {
                "type": "data",
                "symmetric": False,
                "array": [columns[f"{value}_upper"][i] - m for i, m in zip(rows, middle, strict=True)],
                "arrayminus": [m - columns[f"{value}_lower"][i] for i, m in zip(rows, middle, strict=True)],
            },
            "customdata": [columns[f"{value}_n"][i] for i in rows],
        }
        n = "" if sure else " (n = %{customdata})"
        figure.add_trace(
            go.Scatter(
                x=middle,
                y=[_label(columns, labels, i) for i in rows],
                **interval,
                hovertemplate="%{y}<br>%{x}" + n + "<extra>%{fullData.name}</extra>",
                mode="markers",
                marker={"size": 9, "color": _COLOURS[place % len(_COLOURS)]},
                name=report.title if group is None else str(group),
            )
        )
    several = len(figure.data) > 1
    figure.update_layout(title=table.title, showlegend=several, template="plotly_white")
    figure.update_yaxes(autorange="reversed")
    figure.update_xaxes(title=value.replace("_", " "))
    return figure


def _curves(go: Any, report: Report) -> Any:
    columns = report.tables["time_to_goal"].to_dict()
    share = next(name for name in columns if f"{name}_lower" in columns)
    figure = go.Figure()
    series = list(zip(columns.get("group", [None] * len(columns["goal"])), columns["goal"], strict=True))
    moved = 0.0
    for place, key in enumerate(dict.fromkeys(series)):
        rows = [i for i, k in enumerate(series) if k == key and columns[share][i] is not None]
        hours = [_hours(columns["time"][i]) for i in rows]
        colour = _COLOURS[place % len(_COLOURS)]
        name = ", ".join(str(part) for part in key if part is not None)
        steps = {"shape": "hv", "color": colour}
        for end in ("lower", "upper"):
            figure.add_trace(
                go.Scatter(
                    x=hours,
                    y=[columns[f"{share}_{end}"][i] for i in rows],
                    line={**steps, "width": 0},
                    fill="tonexty" if end == "upper" else None,
                    showlegend=False,
                    hoverinfo="skip",
                )
            )
        middle = [columns[share][i] for i in rows]
        for hour, before, now in zip(hours, [0.0, *middle], middle, strict=False):
            if hour is not None and now > before:
                moved = max(moved, hour)
        figure.add_trace(go.Scatter(x=hours, y=middle, line={**steps, "width": 2}, mode="lines", name=name))
    figure.update_layout(title=report.tables["time_to_goal"].title, template="plotly_white")
    # Observation goes on long after the last curve has become level.
    figure.update_xaxes(title="hours since the journey began", range=[0, 1.25 * moved] if moved else None)
    figure.update_yaxes(title=share.replace("_", " "), rangemode="tozero")
    return figure


def _triangle(go: Any, report: Report) -> Any:
    """Cohorts by periods; what is not over has no number. Of a breakdown, one triangle below the other."""
    table = report.tables["cells"]
    columns = table.to_dict()
    groups = columns.get("group", [None] * len(table))
    figure = go.Figure()
    names = list(dict.fromkeys(columns["period"]))
    labels = [str(c) if g is None else f"{g}, {c}" for g, c in zip(groups, columns["cohort"], strict=True)]
    rows = list(dict.fromkeys(labels))
    place = {key: i for i, key in enumerate(zip(labels, columns["period"], strict=True))}

    def grid(cell: Callable[[int], Any]) -> list[list[Any]]:
        return [[cell(place[row, name]) if (row, name) in place else None for name in names] for row in rows]

    def told(i: int) -> str:
        counted = f"{columns['seen'][i]} of {columns['customers'][i]}"
        if columns["retained"][i] is None:
            return f"{counted}, {columns['state'][i]}"
        return f"{counted}, {columns['retained_lower'][i]:.1%} to {columns['retained_upper'][i]:.1%}"

    def number(i: int) -> str:
        return "" if columns["retained"][i] is None else f"{columns['retained'][i]:.0%}"

    figure.add_trace(
        go.Heatmap(
            x=names,
            y=rows,
            z=grid(lambda i: columns["retained"][i]),
            customdata=grid(told),
            text=grid(number),
            texttemplate="%{text}",
            hovertemplate="%{y}, %{x}<br>%{z:.1%} (%{customdata})<extra></extra>",
            colorscale=[[0, "#f3f8fd"], [1, "#7fa9d4"]],
            colorbar={"tickformat": ".0%"},
            xgap=1,
            ygap=1,
            name=report.title,
        )
    )
    figure.update_layout(title=table.title, template="plotly_white")
    figure.update_yaxes(autorange="reversed", type="category")
    figure.update_xaxes(side="top")
    return figure


def _label(columns: dict[str, list[Any]], names: tuple[str, ...], row: int) -> str:
    parts = []
    for name in names:
        cell = columns[name][row]
        parts.append(" › ".join(cell) if isinstance(cell, list) else str(cell))
    return " › ".join(parts) if names[0] == "from" else ", ".join(parts)


def _hours(time: timedelta | None) -> float | None:
    return None if time is None else time / timedelta(hours=1)
