"""How cost grows: the shop from a million events to a hundred, and logs of unusual shapes. Started by `./race scale`."""

import argparse
import json
import os
import platform
import subprocess
import time
from pathlib import Path

from race import BUSY, DATA, HERE, cpu_name
from tables import QUESTIONS, grid, number

SIZES = "1000000,3000000,10000000,30000000,100000000"
SHAPES = {
    "tiny": "10,000 events",
    "shop": "the shop, 1 million",
    "one-customer": "1 million of one customer",
    "many-names": "1 million of 50,000 names",
    "many-customers": "10 million customers, one each",
}
# Files beyond this many events are removed again.
KEPT = 10_000_000
# What a tiny log's questions are held to.
TINY_MS = 1.0


def main():
    args = arguments()
    load = os.getloadavg()[0]
    busy = load > BUSY
    print(f"load average {load:.2f} on {os.cpu_count() or 1} cores")
    if busy:
        print("!! THE MACHINE IS BUSY: nothing below is a measurement, and nothing is written to results/.")
    DATA.mkdir(exist_ok=True)
    sizes = [of_size(args, events) for events in args.sizes]
    shapes = {} if args.no_shapes else {shape: of_shape(args, shape) for shape in SHAPES}
    found = {
        "load_average": load,
        "busy": busy,
        "machine": {"cpu": cpu_name(), "cores": os.cpu_count(), "system": platform.platform()},
        "threads": args.threads,
        "plan": {"runs": args.runs, "warmups": args.warmups},
        "sizes": sizes,
        "shapes": shapes,
    }
    text = markdown(found)
    print(text)
    write(found, text, is_result=args.is_whole and not busy)


def arguments():
    parser = argparse.ArgumentParser(prog="race scale")
    parser.add_argument("--binary", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--sizes", default=SIZES, help="numbers of events, ascending")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--warmups", type=int, default=2)
    parser.add_argument("--keep", action="store_true", help=f"keep files of more than {KEPT:,} events")
    parser.add_argument("--no-shapes", action="store_true", help="leave the unusual shapes out")
    args = parser.parse_args()
    args.is_whole = args.sizes == SIZES and not args.no_shapes and args.runs >= 7 and args.warmups >= 2
    args.sizes = [int(size) for size in args.sizes.split(",")]
    return args


def of_size(args, events):
    """Load, store and every question at one size, in a process of its own."""
    log = DATA / f"shop-{events}-arrival.parquet"
    was_there = log.exists()
    begin = time.monotonic()
    if not was_there:
        subprocess.run([args.binary, "simulate", "--events", str(events), "--out", str(log)], check=True)
    made = time.monotonic() - begin
    store = DATA / f"scale-{events}.arrow"
    try:
        found = run(args, "run", "--log", log, "--store", store)
        found["file_bytes"], found["store_bytes"] = log.stat().st_size, store.stat().st_size
    finally:
        store.unlink(missing_ok=True)
        if not (was_there or args.keep) and events > KEPT:
            log.unlink(missing_ok=True)
    print(f"{events:,} events: {time.monotonic() - begin:.0f} s, {made:.0f} s of them to simulate", flush=True)
    return found


def of_shape(args, shape):
    begin = time.monotonic()
    found = run(args, "shape", "--shape", shape)
    print(f"{shape}: {time.monotonic() - begin:.0f} s", flush=True)
    return found


def run(args, mode, *words):
    out = DATA / "scale.json.part"
    plan = ["--runs", args.runs, "--warmups", args.warmups, "--threads", args.threads, "--out", out]
    subprocess.run([str(word) for word in [args.binary, mode, *words, *plan]], check=True)
    found = json.loads(out.read_text())
    out.unlink()
    for query in found["queries"].values():
        query.pop("answer", None)
    return found


def costs(found):
    """Words and nanoseconds an event at each size, for what grows."""
    sizes = found["sizes"]

    def row(words, part):
        return words, [part(size)["seconds"] / size["events"] * 1e9 for size in sizes]

    yield row("Parquet to ready", lambda size: size["load"])
    for question, words in QUESTIONS.items():
        if all(question in size["queries"] for size in sizes):
            yield row(words, lambda size: size["queries"][question])


def markdown(found):
    sizes, plan, machine = found["sizes"], found["plan"], found["machine"]
    threads = f"{found['threads']} thread{'s' * (found['threads'] > 1)}"
    lines = ["# How cost grows", ""]
    if found["busy"]:
        lines += [f"**Measured on a BUSY machine (load {found['load_average']:.2f}): not to be published.**", ""]
    lines += [
        f"{machine['cpu']}, {machine['cores']} cores, {machine['system']}; {threads}; medians of {plan['runs']} runs after "
        f"{plan['warmups']}, loading once. The shop of the race, in order of arrival.",
        "",
        "## Nanoseconds an event",
        "",
    ]
    heads = [f"{size['events']:,}" for size in sizes]
    body = [[words, *map(number, row), f"{number(row[-1] / row[0])} ×"] for words, row in costs(found)]
    lines += grid([*heads, "last to first"], body)
    lines += ["", "## Memory and disk", "", *grid(heads, memory(sizes))]
    if found["shapes"]:
        lines += ["", "## Unusual shapes: milliseconds (and nanoseconds an event)", "", *shapes(found["shapes"])]
    return "\n".join(lines) + "\n"


def memory(sizes):
    def peak(size):
        return max(query["peak_mib"] for query in size["queries"].values())

    def each(words, part):
        return [words, *(number(part(size)) for size in sizes)]

    return [
        each("Parquet file, bytes an event", lambda s: s["file_bytes"] / s["events"]),
        each("stored log, bytes an event", lambda s: s["store_bytes"] / s["events"]),
        each("log in memory, bytes an event", lambda s: s["held"]["bytes"] / s["events"]),
        each("of them codes, times, customers' bounds", lambda s: s["held"]["core_bytes"] / s["events"]),
        each("log in memory, MiB", lambda s: s["held"]["bytes"] / 2**20),
        each("peak of loading, MiB", lambda s: s["load"]["peak_mib"]),
        each("highest peak of a question with the log, MiB", peak),
        each("peak of the dashboard with the log, MiB", lambda s: s["queries"]["dashboard"]["peak_mib"]),
    ]


def shapes(found):
    def cell(shape, times):
        if times is None:
            return "no such column"
        slow = shape == "tiny" and times["seconds"] * 1e3 > TINY_MS
        text = f"{number(times['seconds'] * 1e3)} ({number(times['seconds'] / found[shape]['events'] * 1e9)})"
        return f"**{text}**" if slow else text

    rows = [["made in memory and sorted", *(cell(s, f["load"]) for s, f in found.items())]]
    rows.append(["cut into customers and sessions", *(cell(s, f["cut"]) for s, f in found.items())])
    for question, words in QUESTIONS.items():
        rows.append([words, *(cell(s, f["queries"].get(question)) for s, f in found.items())])
    rows.append(["highest peak, MiB", *(number(max(q["peak_mib"] for q in f["queries"].values())) for f in found.values())])
    return grid([SHAPES[shape] for shape in found], rows)


def write(found, text, is_result):
    name = (HERE / "results" if is_result else DATA) / "scale"
    name.parent.mkdir(exist_ok=True)
    name.with_suffix(".json").write_text(json.dumps(found, indent=1) + "\n")
    name.with_suffix(".md").write_text(text.rstrip("\n") + "\n")
    written = f"{name.relative_to(HERE)}.json, .md"
    try:
        draw(found, name.with_suffix(".svg"))
        written += ", .svg"
    except ImportError:
        written += "; no chart: matplotlib is not installed"
    print(f"written: {written}")


def draw(found, path):
    """Nanoseconds an event against events: a level line is linear cost."""
    import matplotlib
    from chart import INK, QUIET, RULE, SIZE

    matplotlib.use("svg")
    import matplotlib.pyplot as plt
    from matplotlib.ticker import FuncFormatter

    events = [size["events"] for size in found["sizes"]]
    lines = sorted(costs(found), key=lambda line: line[1][-1])
    style = {"svg.hashsalt": "scale", "svg.fonttype": "path", "font.family": "DejaVu Sans", "font.size": SIZE}
    with plt.rc_context(style):
        figure, axis = plt.subplots(figsize=(8.6, 4.6))
        figure.subplots_adjust(left=0.07, right=0.64, top=0.84, bottom=0.1)
        for words, row in lines:
            is_told = words.startswith(("dashboard", "Parquet"))
            axis.plot(events, row, color=INK if is_told else QUIET, lw=1.8 if is_told else 1.1, marker="o", ms=3.2)
        axis.set_xscale("log")
        axis.set_yscale("log")
        axis.set_xlim(events[0] * 0.85, events[-1] * 1.15)
        axis.set_xticks(events, [f"{n / 1e6:g} M" for n in events])
        axis.xaxis.set_minor_formatter(FuncFormatter(lambda *_: ""))
        axis.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:g} ns"))
        axis.yaxis.set_minor_formatter(FuncFormatter(lambda *_: ""))
        axis.grid(axis="y", color=RULE, lw=0.8)
        axis.tick_params(axis="both", which="both", length=0, colors=QUIET)
        for side in axis.spines.values():
            side.set_visible(False)
        # Names beside the ends, pushed apart where they would lie on each other.
        least, below = 0.045, -1.0
        for words, row in lines:
            at = axis.transAxes.inverted().transform(axis.transData.transform((events[-1], row[-1])))[1]
            below = max(at, below + least)
            text = f"{words}  {number(row[-1])}"
            is_told = words.startswith(("dashboard", "Parquet"))
            axis.text(1.02, below, text, transform=axis.transAxes, va="center", color=INK if is_told else QUIET)
        threads = f"{found['threads']} thread{'s' * (found['threads'] > 1)}"
        figure.text(0.012, 0.97, f"Nanoseconds an event, {threads}", size=SIZE + 3, weight="bold", color=INK, va="top")
        how = "By the size of the log. A level line: twice the events take twice the time."
        if found["busy"]:
            how = f"Measured on a BUSY machine: not to be published. {how}"
        figure.text(0.012, 0.905, how, color="#B3261E" if found["busy"] else QUIET, va="top")
        figure.savefig(path, metadata={"Date": None, "Title": "Cost an event by the size of the log"})
        plt.close(figure)


if __name__ == "__main__":
    main()
