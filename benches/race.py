"""Runs the contestants by turns, checks that they agree, writes tables and chart. Started by `./race`."""

import argparse
import importlib.util
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

import agreement
import tables

HERE = Path(__file__).parent
DATA = HERE / "data"
# Each is the name of a package, and of a program in peers/.
PEERS = ["polars", "numpy", "duckdb", "chdb", "pandas", "pyspark", "retentioneering", "pm4py"]
# They run once, whatever the number of threads.
ONE_THREAD = {"numpy", "pandas", "pm4py"}
# They take minutes; a whole race has them once, with all runs.
SLOW = {"pandas", "pyspark", "retentioneering", "pm4py"}
SMALL = ["desireline", "polars", "numpy", "duckdb", "chdb"]
BUSY = 0.3


def main():
    args = arguments()
    load = os.getloadavg()[0]
    busy = load > BUSY
    print(f"load average {load:.2f} on {os.cpu_count() or 1} cores")
    if busy:
        print("!" * 78)
        print("!! THE MACHINE IS BUSY: wall times below are worth little, CPU times are some 30 % off.")
        print("!" * 78)
    log = simulated(args, "parquet")
    if args.report:
        report(args, log)
        return
    files = {"parquet": log, "csv": simulated(args, "csv")}
    results = [combined(rounds) for rounds in by_turns(args, files)]
    problems = agreement.problems(results)
    race = {
        "events": args.events,
        "order": args.order,
        "plan": {"runs": args.runs, "warmups": args.warmups, "rounds": args.rounds},
        "load_average": load,
        "busy": busy,
        "machine": {"cpu": cpu_name(), "cores": os.cpu_count(), "system": platform.platform()},
        "files": {kind: path.stat().st_size for kind, path in files.items()},
        "agreed": not any(agreement.is_wrong(p) for p in problems),
        "notes": problems,
        "results": results,
    }
    text = tables.markdown(race)
    print(text)
    write(race, text)
    if not race["agreed"]:
        sys.exit("race: the answers differ")


def arguments():
    parser = argparse.ArgumentParser(prog="race")
    parser.add_argument("--binary", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--small", action="store_true", help="200,000 events, 3 runs, few peers: a check that the race still runs")
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--order", choices=["arrival", "customer"], default="arrival", help="order of the rows in the file")
    parser.add_argument("--threads", help="thread counts, such as 1,2; one and all cores if not given")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--warmups", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3, help="how often the contestants take turns; the runs are shared out among the rounds")
    parser.add_argument("--budget", type=float, default=120, help="seconds after which no further run of a question is begun")
    parser.add_argument("--limit", type=float, default=600, help="seconds after which a peer's question is given up")
    parser.add_argument("--only", default="", help="questions, such as paths,dropoff")
    parser.add_argument("--contestants", help=f"some of desireline,{','.join(PEERS)}; all if not given")
    parser.add_argument("--report", action="store_true", help="time `desireline report` on the log instead, in a process of its own")
    parser.add_argument("--cli", help="the desireline command; built if not given")
    args = parser.parse_args()
    if args.small:
        args.events, args.runs, args.warmups, args.budget, args.rounds = 200_000, 3, 1, 5, 1
    all_threads = sorted({1, os.cpu_count() or 1})
    if args.rounds < 1:
        parser.error("--rounds must be 1 or more")
    args.threads = [int(t) for t in args.threads.split(",")] if args.threads else all_threads
    default = SMALL if args.small else ["desireline", *PEERS]
    args.contestants = args.contestants.split(",") if args.contestants else default
    unknown = set(args.contestants) - {"desireline", *PEERS}
    if unknown:
        parser.error(f"unknown contestants: {', '.join(sorted(unknown))}")
    return args


def simulated(args, kind):
    """The log of this size, made unless it is there."""
    DATA.mkdir(exist_ok=True)
    log = DATA / f"shop-{args.events}-{args.order}.{kind}"
    if not log.exists():
        print(f"simulating {args.events:,} events as {kind}", flush=True)
        command = [args.binary, "simulate", "--events", str(args.events), "--order", args.order, "--out", log]
        subprocess.run(command, check=True)
    return log


def missing(name):
    """Why a peer cannot run here."""
    if name == "desireline":
        return None
    if importlib.util.find_spec(name) is None:
        return "not installed"
    if name == "pyspark" and shutil.which("java") is None:
        return "no Java"
    return None


def by_turns(args, files):
    """The rounds of each contestant and number of threads. All take part in the first round before any begins the next:
    a machine has better and worse minutes, and everyone shall have some of both."""
    rounds = {(name, threads): [] for threads in args.threads for name in args.contestants}
    for number in range(args.rounds):
        print(f"round {number + 1} of {args.rounds}, load average {os.getloadavg()[0]:.2f}", flush=True)
        for (name, threads), turns in rounds.items():
            if name in SLOW and number > 0 or any("not_run" in turn for turn in turns):
                continue
            if name in ONE_THREAD and threads != args.threads[0]:
                turns.append({**rounds[name, args.threads[0]][number], "threads": threads})
            else:
                turns.append(contestant(args, name, threads, files))
    return rounds.values()


def contestant(args, name, threads, files):
    """One turn of a contestant, each part in a process of its own, so that memory and threads are its own."""
    reason = missing(name)
    if reason:
        print(f"{name}: not run: {reason}", flush=True)
        return {"name": name, "threads": threads, "not_run": reason}
    own_threads = 1 if name in ONE_THREAD else threads
    print(f"{name}, {own_threads} thread{'s' * (own_threads > 1)} ... ", end="", flush=True)
    begin = time.monotonic()
    program = Program(args, name, own_threads)
    result = questions(args, program, files["parquet"])
    result |= {"name": name, "threads": threads, "own_threads": own_threads}
    if "store" in result:
        result["store"]["bytes"] = result["store"].get("bytes") or size(program.store)
        result["reopen"] = program.once("reopen", "--store", program.store)
    result["cold"] = program.once("cold", "--log", files["parquet"])
    result["csv"] = program.once("load", "--log", files["csv"])
    print(f"{time.monotonic() - begin:.0f} s", flush=True)
    return result


def combined(rounds):
    """The turns of one contestant as one: times are medians over the runs of all turns, memory is the most."""
    first = rounds[0]
    if "not_run" in first:
        return first
    result = {**first, "queries": {}}
    for question in {name: None for one in rounds for name in one.get("queries", {})}:
        result["queries"][question] = together([one["queries"].get(question, {"failed": "not asked in every round"}) for one in rounds])
    for part in ("load", "store", "reopen", "cold", "csv"):
        if all(part in one for one in rounds):
            result[part] = together([one[part] for one in rounds])
    return result


def together(parts):
    """Measurements of one thing: what failed once has failed; of processes the one of the middle wall time."""
    bad = next((part for part in parts if "failed" in part or "no_such" in part), None)
    if bad or len(parts) == 1:
        return bad or parts[0]
    if any(part.get("answer") != parts[0].get("answer") for part in parts):
        return {"failed": "answers of the rounds differ"}
    if "process" in parts[0]:
        return sorted(parts, key=lambda part: part["process"]["seconds"])[len(parts) // 2]
    wall = [one for part in parts for one in part["each_seconds"]]
    cpu = [one for part in parts for one in part["each_cpu_seconds"]]
    return {
        **parts[0],
        "runs": len(wall),
        "seconds": statistics.median(wall),
        "least_seconds": min(wall),
        "cpu_seconds": statistics.median(cpu),
        "first_seconds": statistics.median(part["first_seconds"] for part in parts),
        "first_cpu_seconds": statistics.median(part["first_cpu_seconds"] for part in parts),
        "each_seconds": wall,
        "each_cpu_seconds": cpu,
        "peak_mib": max(part["peak_mib"] for part in parts),
    }


class Program:
    """A contestant's program; it runs on as many cores as it may use threads."""

    def __init__(self, args, name, threads):
        self.args, self.name, self.threads = args, name, threads
        self.out = DATA / f"{name}-{threads}.json"
        self.errors = self.out.with_suffix(".log")
        self.store = self.out.with_suffix(".store")
        peer = HERE / "peers" / f"{name}_peer.py"
        self.command = [args.binary] if name == "desireline" else [sys.executable, peer]

    def start(self, mode, *words):
        self.out.unlink(missing_ok=True)
        command = [*self.command, mode, *words, "--threads", self.threads, "--out", self.out]
        cores = sorted(os.sched_getaffinity(0))[: self.threads] if hasattr(os, "sched_getaffinity") else None

        def pin():
            os.sched_setaffinity(0, cores)

        with self.errors.open("w") as errors:
            command = [str(word) for word in command]
            return subprocess.Popen(
                command, stdout=subprocess.DEVNULL, stderr=errors, preexec_fn=pin if cores else None
            )

    def written(self):
        return json.loads(self.out.read_text()) if self.out.exists() else {}

    def last_words(self):
        said = [line.strip() for line in self.errors.read_text(errors="replace").splitlines() if line.strip()]
        return said[-1][:200] if said else "no word"

    def failure(self, process, timed_out):
        """None when it ended well, else why not."""
        if timed_out:
            return f"timeout after {self.args.limit:.0f} s"
        status = process.returncode
        return None if status == 0 else f"ended with {status}: {self.last_words()}"

    def run(self, *words):
        """All questions; a peer writes its file whenever it begins one, so that none takes for ever."""
        process = self.start("run", *words)
        seen, changed = None, time.monotonic()
        while process.poll() is None:
            time.sleep(0.2)
            stamp = self.out.stat().st_mtime_ns if self.out.exists() else None
            if stamp != seen:
                seen, changed = stamp, time.monotonic()
            if self.name != "desireline" and time.monotonic() - changed > self.args.limit:
                process.kill()
                process.wait()
                return self.failure(process, True)
        return self.failure(process, False)

    def once(self, mode, *words):
        """What it writes, with the times of the whole process. Nothing looks at it meanwhile."""

        def cpu():
            usage = resource.getrusage(resource.RUSAGE_CHILDREN)
            return usage.ru_utime + usage.ru_stime

        begin, cpu_before = time.perf_counter(), cpu()
        process = self.start(mode, *words)
        timer = threading.Timer(self.args.limit, process.kill)
        timer.start()
        process.wait()
        wall = time.perf_counter() - begin
        timer.cancel()
        failure = self.failure(process, wall > self.args.limit)
        if failure:
            return {"failed": failure}
        written = self.written()
        times = {"seconds": wall, "cpu_seconds": cpu() - cpu_before, "peak_mib": written.get("peak_mib", 0)}
        return {"process": times, **written}


def questions(args, program, log):
    """Times and answers of all questions. One that kills its process or takes too long is noted, the rest asked again."""
    words = ["--log", log, "--store", program.store]
    turns = 1 if program.name in SLOW else args.rounds
    # At least the runs asked for in all turns together.
    runs, warmups = -(-args.runs // turns), -(-args.warmups // turns)
    words += ["--runs", runs, "--warmups", warmups, "--budget", args.budget / turns]
    only = [word for word in args.only.split(",") if word]
    result = {"queries": {}}
    while True:
        remove(program.store)
        failure = program.run(*words, *(["--only", ",".join(only)] if only else []))
        found = program.written()
        result = {**result, **found, "queries": {**result["queries"], **found.get("queries", {})}}
        if failure is None:
            return result
        asking = result.pop("asking", "load")
        if program.name == "desireline":
            sys.exit(f"race: desireline {failure}")
        if asking == "load":
            return {**result, "load": {"failed": failure}}
        result["queries"][asking] = {"failed": failure}
        only = [question for question in only or tables.QUESTIONS if question not in result["queries"]]
        if not only:
            return result


def remove(path):
    for one in (path, Path(f"{path}.names")):
        if one.is_dir():
            shutil.rmtree(one)
        else:
            one.unlink(missing_ok=True)


def size(path):
    files = [*path.rglob("*")] if path.is_dir() else [path, Path(f"{path}.names")]
    return sum(file.stat().st_size for file in files if file.is_file())


def cpu_name():
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor()


def write(race, text):
    folder = HERE / "results"
    folder.mkdir(exist_ok=True)
    for result in race["results"]:
        for part in (*result.get("queries", {}).values(), *(v for v in result.values() if isinstance(v, dict))):
            part.pop("answer", None)
    name = folder / str(race["events"])
    name.with_suffix(".json").write_text(json.dumps(race, indent=1) + "\n")
    name.with_suffix(".md").write_text(text.rstrip("\n") + "\n")
    written = f"benches/results/{race['events']}.json, .md"
    try:
        import chart
    except ImportError:
        print(f"written: {written}; no chart: matplotlib is not installed")
        return
    chart.draw(race, name.with_suffix(".svg"))
    print(f"written: {written}, .svg")


def report(args, log):
    """`desireline report` from the file to the page: wall time, CPU time, peak memory."""
    command = args.cli
    if command is None:
        root = HERE.parent
        subprocess.run(["cargo", "build", "--release", "--quiet", "--package", "desireline-cli"], cwd=root, check=True)
        command = str(Path(os.environ.get("CARGO_TARGET_DIR", root / "target")) / "release" / "desireline")
    page = DATA / "report.html"
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


if __name__ == "__main__":
    main()
