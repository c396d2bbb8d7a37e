"""What the peers share: the clock, the command line, and the questions' numbers. See ../README.md for the questions."""

import argparse
import json
import statistics
import time

GAP_US = 30 * 60 * 1_000_000
WITHIN_US = 7 * 86_400 * 1_000_000
COMMON = ["product_view", "add_to_cart", "checkout", "purchase"]
RARE = ["order_tracking", "delivery", "help", "support_chat"]
FIRST = 8
TOP = 100
BEFORE = 3
TOP_BEFORE = 20


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--log", required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--warmups", type=int, default=2)
    parser.add_argument("--budget", type=float, default=float("inf"))
    parser.add_argument("--only", default="")
    parser.add_argument("--out", required=True)
    return parser.parse_args()


def peak_mib():
    """Peak memory since the last reset; 0 where the system does not tell."""
    try:
        with open("/proc/self/status") as status:
            for line in status:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) / 1024
    except OSError:
        pass
    return 0.0


def reset_peak():
    try:
        with open("/proc/self/clear_refs", "w") as refs:
            refs.write("5")
    except OSError:
        pass


def timed(work, runs=1, warmups=0, budget=float("inf")):
    """Times and the last answer of `work`; after `budget` seconds no further run is begun."""
    begin = time.perf_counter()
    reset_peak()
    for _ in range(warmups):
        if time.perf_counter() - begin > budget:
            break
        work()
    wall, cpu = [], []
    while True:
        wall_before, cpu_before = time.perf_counter(), time.process_time()
        answer = work()
        cpu.append(time.process_time() - cpu_before)
        wall.append(time.perf_counter() - wall_before)
        if len(wall) >= max(runs, 1) or time.perf_counter() - begin > budget:
            times = {
                "runs": len(wall),
                "seconds": statistics.median(wall),
                "least_seconds": min(wall),
                "cpu_seconds": statistics.median(cpu),
                "peak_mib": peak_mib(),
            }
            return times, answer


def run(name, version, args, load, questions):
    """Loads, asks each question, writes times and answers. A question is (name, work, answer from work's result)."""
    times, (state, events, customers) = timed(lambda: load(args.log))
    result = {
        "name": name,
        "version": version,
        "threads": args.threads,
        "events": events,
        "customers": customers,
        "load": times,
        "queries": {},
    }
    only = [word for word in args.only.split(",") if word]
    for question, work, answer in questions(state):
        if only and question not in only:
            continue
        try:
            times, found = timed(work, args.runs, args.warmups, args.budget)
            result["queries"][question] = {**times, "answer": answer(found)}
        except Exception as error:  # a peer that fails stays in the table
            result["queries"][question] = {"failed": f"{type(error).__name__}: {str(error)[:200]}"}
    with open(args.out, "w") as out:
        json.dump(result, out)


def path_names(key, names):
    """The touchpoints of a packed path: eight codes of a byte each, from 1, the first in the lowest byte."""
    path = []
    while key:
        path.append(names[(key & 255) - 1])
        key >>= 8
    return path


def top_paths(rows, names, top):
    """The most frequent of (key, count), equal counts by the names in order."""
    paths = sorted(((-count, path_names(key, names)) for key, count in rows))
    return [[" > ".join(path), -count] for count, path in paths[:top]]
