"""The race as a picture: how many times as long as ours each peer takes, a row for each question."""

import matplotlib
import tables
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator

matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402

# One colour and one shape each: told apart without colour, too (Okabe and Ito's palette).
MARKS = {
    "polars": ("#0072B2", "o"),
    "numpy": ("#009E73", "s"),
    "duckdb": ("#E69F00", "D"),
    "chdb": ("#CC79A7", "^"),
    "pandas": ("#56B4E9", "v"),
    "pyspark": ("#D55E00", "P"),
    "retentioneering": ("#8C6D46", "X"),
    "pm4py": ("#6B6B6B", "*"),
}
INK, QUIET, RULE = "#1f2933", "#66727f", "#e3e8ed"
SIZE = 8.5


def draw(race, path):
    threads = sorted({r["threads"] for r in race["results"]})
    panels = [list(rows_of(race, n)) for n in threads]
    words = [row[0] for row in panels[0]]
    style = {"svg.hashsalt": "race", "svg.fonttype": "path", "font.family": "DejaVu Sans", "font.size": SIZE}
    with plt.rc_context(style):
        height = 1.75 + 0.27 * len(words)
        figure, axes = plt.subplots(
            1, len(panels), figsize=(3.4 + 4.6 * len(panels), height), sharey=True, sharex=True, squeeze=False
        )
        left = 3.2 / figure.get_figwidth()
        figure.subplots_adjust(left=left, right=0.975, top=1 - 1.12 / height, bottom=0.48 / height, wspace=0.11)
        for axis, n, rows in zip(axes[0], threads, panels):
            panel(axis, n, rows, words)
        heading(figure, race, left, height)
        figure.savefig(path, metadata={"Date": None, "Title": "The race: ratios of the peers' times to ours"})
        plt.close(figure)


def rows_of(race, threads):
    """For each row its words and each peer's ratio to our wall time."""
    here = {r["name"]: r for r in race["results"] if r["threads"] == threads}
    for _, words, times in tables.rows(here):
        ours = times.get("desireline", {}).get("seconds")
        if ours:
            peers = {n: t for n, t in times.items() if n in MARKS and "seconds" in t and "is_part" not in t}
            yield words, {n: t["seconds"] / ours for n, t in peers.items()}


def apart(ratios):
    """Each peer and its ratio; those that would hide each other step aside by turns."""
    near, before, aside = 1.25, 0, 0
    for name, ratio in sorted(ratios.items(), key=lambda one: one[1]):
        aside = (-1 if aside > 0 else 1) * 0.2 if ratio < before * near else 0
        before = ratio
        yield name, ratio, aside


def panel(axis, threads, rows, words):
    for y, (_, ratios) in enumerate(rows):
        ends = [min([1, *ratios.values()]), max([1, *ratios.values()])]
        axis.plot(ends, [y, y], color=RULE, lw=3, zorder=1, solid_capstyle="round")
        for name, ratio, aside in apart(ratios):
            colour, mark = MARKS[name]
            size = 70 if mark == "*" else 34
            axis.scatter(ratio, y + aside, s=size, marker=mark, color=colour, edgecolor="white", linewidth=0.6, zorder=3)
    axis.axvline(1, color=INK, lw=1.4, zorder=2)
    axis.set_xscale("log")
    axis.set_yticks(range(len(words)), words)
    axis.set_ylim(len(words) - 0.4, -0.6)
    low, high = axis.get_xlim()
    axis.xaxis.set_major_locator(LogLocator(base=10 if high / low < 1e5 else 100))
    axis.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,.0f} ×" if x >= 1 else f"1/{1 / x:,.0f}"))
    axis.xaxis.set_minor_formatter(FuncFormatter(lambda *_: ""))
    axis.grid(axis="x", which="major", color=RULE, lw=0.8, zorder=0)
    axis.tick_params(axis="both", which="both", length=0, colors=INK)
    axis.tick_params(axis="x", colors=QUIET)
    for side in axis.spines.values():
        side.set_visible(False)
    axis.set_title(f"{threads} thread{'s' * (threads > 1)}", loc="left", fontsize=SIZE + 1, color=INK, weight="bold", pad=6)


def heading(figure, race, left, height):
    events = next(r["events"] for r in race["results"] if "events" in r)

    def line(inches, text, **style):
        figure.text(0.012, 1 - inches / height, text, va="top", **style)

    title = f"Wall time of each peer as a multiple of desireline's, {events:,} events"
    line(0.13, title, size=SIZE + 3, weight="bold", color=INK)
    how = "The line at 1 × is desireline: right of it a peer takes longer, left of it less."
    if race["busy"]:
        how = f"Measured on a BUSY machine: not to be published. {how}"
    line(0.40, how, color="#B3261E" if race["busy"] else QUIET)
    shown = [name for name in MARKS if any(r["name"] == name and "events" in r for r in race["results"])]
    handles = []
    for colour, mark in (MARKS[name] for name in shown):
        size = 9 if mark == "*" else 6.5
        handles.append(Line2D([], [], ls="", marker=mark, color=colour, markeredgecolor="white", markersize=size))
    figure.legend(
        handles, shown, loc="upper left", bbox_to_anchor=(0.004, 1 - 0.57 / height), ncols=len(shown), frameon=False,
        handletextpad=0.1, columnspacing=1.3, labelcolor=INK,
    )  # fmt: skip
