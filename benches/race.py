"""Runs the contestants one after the other, checks that they agree, writes the table. Started by `./race`."""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
PEERS = {"duckdb": "duckdb_queries.py", "polars": "polars_queries.py"}
QUESTIONS = {
    "paths": "top 100 session paths (first 8)",
    "transitions": "transitions in sessions: counts",
    "transition_times": "transitions: counts, customers, median time",
    "funnel_common": "funnel, 4 common steps in 7 days",
    "funnel_rare": "funnel, 4 rare steps in 7 days",
    "dropoff": "drop-off: exits, visits, returns, before",
    "sessions": "sessions by 30-minute gap",
}
# Above 1,024 values our quantiles come from a histogram; its bins are this narrow (README, "Answers").
QUANTILE_ERROR = 1 / 256
BUSY = 0.3


def main():
    args = arguments()
    load = os.getloadavg()[0]
    cores = os.cpu_count() or 1
    busy = load > BUSY
    print(f"load average {load:.2f} on {cores} cores")
    if busy:
        print("!" * 78)
        print("!! THE MACHINE IS BUSY: wall times below are worth little, CPU times are some 30 % off.")
        print("!" * 78)
    log = simulated(args)
    if args.report:
        report(args, log)
        return
    results = []
    for threads in args.threads:
        for name in args.contestants:
            results.append(contestant(args, name, threads, log))
    problems = disagreements(results)
    text = table(results, args, load, busy) + "\n" + "\n".join(problems)
    print(text)
    write(args, results, load, busy, problems, text)
    if any(not p.startswith("note: ") for p in problems):
        sys.exit("race: the answers differ")


def arguments():
    parser = argparse.ArgumentParser(prog="race")
    parser.add_argument("--binary", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--small", action="store_true", help="200,000 events, 3 runs: a check that the race still runs")
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--order", choices=["arrival", "customer"], default="arrival", help="order of the rows in the file")
    parser.add_argument("--threads", help="thread counts, such as 1,2; one and all cores if not given")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--warmups", type=int, default=2)
    parser.add_argument("--budget", type=float, default=120, help="seconds after which no further run of a question is begun")
    parser.add_argument("--only", default="", help="questions, such as paths,dropoff")
    parser.add_argument("--contestants", default="desireline,duckdb,polars")
    parser.add_argument("--report", action="store_true", help="time `desireline report` on the log instead, in a process of its own")
    parser.add_argument("--cli", help="the desireline command; built if not given")
    args = parser.parse_args()
    if args.small:
        args.events, args.runs, args.warmups, args.budget = 200_000, 3, 1, 5
    all_threads = sorted({1, os.cpu_count() or 1})
    args.threads = [int(t) for t in args.threads.split(",")] if args.threads else all_threads
    args.contestants = args.contestants.split(",")
    return args


def simulated(args):
    """The log of this size, made unless it is there."""
    data = HERE / "data"
    data.mkdir(exist_ok=True)
    log = data / f"shop-{args.events}-{args.order}.parquet"
    if not log.exists():
        print(f"simulating {args.events:,} events", flush=True)
        subprocess.run(
            [args.binary, "simulate", "--events", str(args.events), "--order", args.order, "--out", log], check=True
        )
    return log


def contestant(args, name, threads, log):
    """One contestant in a process of its own, so that memory and threads are its own."""
    out = HERE / "data" / f"{name}-{threads}.json"
    out.unlink(missing_ok=True)
    program = (
        [args.binary, "run"] if name == "desireline" else [sys.executable, str(HERE / "peers" / PEERS[name])]
    )
    command = [*program, "--log", str(log), "--threads", str(threads), "--runs", str(args.runs)]
    command += ["--warmups", str(args.warmups), "--budget", str(args.budget), "--out", str(out)]
    if args.only:
        command += ["--only", args.only]
    print(f"{name}, {threads} thread{'s' * (threads > 1)} ... ", end="", flush=True)
    begin = time.monotonic()
    subprocess.run(command, check=True)
    print(f"{time.monotonic() - begin:.0f} s", flush=True)
    return json.loads(out.read_text())


def disagreements(results):
    """What differs from our own answers; lines that begin with `note: ` explain a difference by its number."""
    ours = next((r for r in results if r["name"] == "desireline"), results[0])
    lines = []
    for result in results:
        who = f"{result['name']} on {result['threads']}"
        for count in ("events", "customers"):
            if result[count] != ours[count]:
                lines.append(f"{who}: {result[count]} {count}, not {ours[count]}")
        for question, found in result["queries"].items():
            expected = ours["queries"].get(question)
            if expected is None or "answer" not in expected:
                continue
            if "failed" in found:
                lines.append(f"{who}: {question} failed: {found['failed']}")
            elif question == "transition_times":
                lines += differing_times(who, expected["answer"]["pairs"], found["answer"]["pairs"])
            elif found["answer"] != expected["answer"]:
                lines.append(f"{who}: {question}: {first_difference(expected['answer'], found['answer'])}")
    return lines


def differing_times(who, expected, found):
    """Counts must be equal; a median may be off by what our histogram may be off."""
    if expected.keys() != found.keys():
        return [f"{who}: transition_times: other pairs"]
    lines, off, most = [], 0, 0.0
    for pair, (count, customers, median) in expected.items():
        if [count, customers] != found[pair][:2]:
            lines.append(f"{who}: transition_times: {pair}: {found[pair][:2]}, not {[count, customers]}")
        exact = found[pair][2]
        if median == exact:
            continue
        if median is None or exact is None:
            lines.append(f"{who}: transition_times: {pair}: a median of {exact}, not {median}")
            continue
        error = abs(median - exact) / max(exact, 1)
        off, most = off + 1, max(most, error)
        if error > QUANTILE_ERROR:
            lines.append(f"{who}: transition_times: {pair}: a median of {exact}, not {median}")
    if off:
        lines.append(
            f"note: {who}: transition_times: {off} of {len(expected)} medians differ by at most {most:.2%}; ours come from a histogram"
        )
    return lines


def first_difference(expected, found, place=""):
    if isinstance(expected, dict) and isinstance(found, dict):
        for key in sorted(expected.keys() | found.keys()):
            if expected.get(key) != found.get(key):
                return first_difference(expected.get(key), found.get(key), f"{place}/{key}")
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for i, (a, b) in enumerate(zip(expected, found)):
            if a != b:
                return first_difference(a, b, f"{place}/{i}")
    return f"{place}: {json.dumps(found)[:200]}, not {json.dumps(expected)[:200]}"


def table(results, args, load, busy):
    """Markdown: per thread count one table; ratios are of the best peer to us."""
    first = results[0]
    lines = [f"# The race: {first['events']:,} events of {first['customers']:,} customers", ""]
    lines.append(
        f"{platform.machine()}, {cpu_name()}, {os.cpu_count()} cores, load average {load:.2f}"
        + (" — **busy: not a measurement to publish**" if busy else "")
    )
    versions = {r["name"]: r["version"] for r in results}
    lines.append(", ".join(f"{name} {version}" for name, version in versions.items()) + f"; {args.order} order")
    for threads in args.threads:
        here = {r["name"]: r for r in results if r["threads"] == threads}
        peers = [name for name in here if name != "desireline"]
        lines += ["", f"## {threads} thread{'s' * (threads > 1)}", ""]
        head = ["", *(f"{n} ms" for n in here), *(f"{n} Mev/s/core" for n in here)]
        if "desireline" in here and peers:
            head += ["ratio, wall", "ratio, CPU", "best peer"]
        lines.append("| " + " | ".join(head) + " |")
        lines.append("|---" + "|---:" * (len(head) - 2) + "|---|" if peers else "|---" * len(head) + "|")
        rows = [("Parquet to ready", {n: r["load"] for n, r in here.items()})]
        for key, words in QUESTIONS.items():
            times = {n: r["queries"].get(key) for n, r in here.items()}
            if any(times.values()):
                rows.append((words, times))
        for words, times in rows:
            lines.append("| " + " | ".join(cells(words, times, here, peers)) + " |")
        lines.append("")
        for name, result in here.items():
            peaks = [q["peak_mib"] for q in result["queries"].values() if "peak_mib" in q]
            most = f", while asked {max(peaks):,.0f} MiB" if peaks else ""
            lines.append(f"Peak memory of {name}: while loading {result['load']['peak_mib']:,.0f} MiB{most}.")
        fewest = min((q["runs"] for r in here.values() for q in r["queries"].values() if "runs" in q), default=0)
        lines.append(f"Medians of {args.runs} runs after {args.warmups}" + (f"; some of {fewest} only" if fewest < args.runs else "") + ". Loading: once.")
    return "\n".join(lines) + "\n"


def cells(words, times, here, peers):
    row = [words]
    works = {n: t for n, t in times.items() if t and "seconds" in t}
    row += [f"{works[n]['seconds'] * 1e3:,.1f}" if n in works else "failed" for n in here]
    row += [f"{here[n]['events'] / works[n]['cpu_seconds'] / 1e6:,.1f}" if n in works else "" for n in here]
    if "desireline" not in here or not peers:
        return row
    rivals = [n for n in peers if n in works]
    if "desireline" not in works or not rivals:
        return [*row, "", "", ""]
    ours = works["desireline"]
    wall = min(works[n]["seconds"] for n in rivals) / ours["seconds"]
    best = min(rivals, key=lambda n: works[n]["cpu_seconds"])
    return [*row, f"{wall:.1f} ×", f"{works[best]['cpu_seconds'] / ours['cpu_seconds']:.1f} ×", best]


def cpu_name():
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor()


def write(args, results, load, busy, problems, text):
    folder = HERE / "results"
    folder.mkdir(exist_ok=True)
    for result in results:
        for query in result["queries"].values():
            query.pop("answer", None)
    record = {
        "events": args.events,
        "order": args.order,
        "load_average": load,
        "busy": busy,
        "machine": {"cpu": cpu_name(), "cores": os.cpu_count(), "system": platform.platform()},
        "agreed": not [p for p in problems if not p.startswith("note: ")],
        "notes": problems,
        "results": results,
    }
    (folder / f"{args.events}.json").write_text(json.dumps(record, indent=1) + "\n")
    (folder / f"{args.events}.md").write_text(text.rstrip("\n") + "\n")
    print(f"written: benches/results/{args.events}.json and .md")


def report(args, log):
    """`desireline report` from the file to the page: wall time, CPU time, peak memory."""
    command = args.cli
    if command is None:
        root = HERE.parent
        subprocess.run(["cargo", "build", "--release", "--quiet", "--package", "desireline-cli"], cwd=root, check=True)
        command = str(Path(os.environ.get("CARGO_TARGET_DIR", root / "target")) / "release" / "desireline")
    page = HERE / "data" / "report.html"
    words = [command, "report", str(log), "--customer", "customer_id", "--time", "time", "--event", "event"]
    words += ["--channel", "channel", "--journey", "column=session_id", "--goal", "purchase", "--by", "device"]
    for step in ("product_view", "add_to_cart", "checkout", "purchase"):
        words += ["--step", step]
    words += ["-o", str(page)]
    begin = time.perf_counter()
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begin
    if status != 0:
        sys.exit(f"race: `desireline report` ended with {os.waitstatus_to_exitcode(status)}")
    print(
        f"desireline report, {args.events:,} events: {wall:.2f} s, {usage.ru_utime + usage.ru_stime:.2f} CPU s, "
        f"peak {usage.ru_maxrss / 1024:,.0f} MiB, page {page.stat().st_size / 1024:,.0f} KiB"
    )


main()
