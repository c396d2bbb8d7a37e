"""What the peers share: the words they know, the clock, and the questions' numbers. See ../README.md for the questions.

A peer's file has:
    load(path) -> state               a log (Parquet or CSV) in the form that questions are asked of
    counts(state) -> events, customers
    questions(state)                  yields (name, work, answer from what work returns)
    cold(path) -> answer              the common funnel from the file, the fastest way
and, if it can store its form,
    store(state, path), reopen(path) -> state
"""

import argparse
import datetime
import json
import math
import os
import statistics
import time

GAP_US = 30 * 60 * 1_000_000
WITHIN_US = 7 * 86_400 * 1_000_000
# Where peers lay all customers on one axis of time, it counts in milliseconds, which all times of the log are: so the
# customers of a thousand million events fit 63 bits.
AXIS_US = 1_000
WITHIN_AXIS = WITHIN_US // AXIS_US
COMMON = ["product_view", "add_to_cart", "checkout", "purchase"]
RARE = ["order_tracking", "delivery", "help", "support_chat"]
DEVICE = "mobile_ios"
REGIONS = ["DE", "ES", "FR"]
FIRST = 8
TOP = 100
BEFORE = 3
TOP_BEFORE = 20
WEEK_US = 7 * 86_400 * 1_000_000
MONDAY_US = 3 * 86_400 * 1_000_000  # 1970 began on a Thursday
WEEKS = 26
DASHBOARD = ["paths", "transitions", "dropoff", "funnel_common", "sessions"]


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("mode", choices=["run", "load", "cold", "reopen"])
    parser.add_argument("--log")
    parser.add_argument("--store")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--warmups", type=int, default=2)
    parser.add_argument("--budget", type=float, default=float("inf"))
    parser.add_argument("--only", default="")
    parser.add_argument("--out", required=True)
    return parser.parse_args()


# Processes beside this one that work for it.
WATCHED = []


def proc(pid, file):
    try:
        with open(f"/proc/{pid}/{file}") as text:
            return text.read()
    except OSError:
        return ""


def peak_mib():
    """Peak memory since the last reset; 0 where the system does not tell."""
    lines = [line for pid in ["self", *WATCHED] for line in proc(pid, "status").splitlines()]
    return sum(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


def cpu_seconds():
    """CPU time of all threads, and of the processes that are watched."""
    fields = [proc(pid, "stat").rpartition(")")[2].split() for pid in WATCHED]
    ticks = sum(int(field[11]) + int(field[12]) for field in fields)
    return time.process_time() + ticks / os.sysconf("SC_CLK_TCK")


def reset_peak():
    for pid in ["self", *WATCHED]:
        try:
            with open(f"/proc/{pid}/clear_refs", "w") as refs:
                refs.write("5")
        except OSError:
            pass


def timed(work, runs=1, warmups=0, budget=float("inf")):
    """Times and the last answer of `work`; after `budget` seconds no further run is begun."""
    begin = time.perf_counter()
    reset_peak()
    wall, cpu = [], []
    while True:
        wall_before, cpu_before = time.perf_counter(), cpu_seconds()
        answer = work()
        cpu.append(cpu_seconds() - cpu_before)
        wall.append(time.perf_counter() - wall_before)
        over = time.perf_counter() - begin > budget
        if len(wall) == 1:
            first = {"first_seconds": wall[0], "first_cpu_seconds": cpu[0]}
        if warmups > 0 and not over:
            warmups -= 1
            wall, cpu = wall[:-1], cpu[:-1]
        elif len(wall) >= max(runs, 1) or over:
            times = {
                "runs": len(wall),
                **first,
                "seconds": statistics.median(wall),
                "least_seconds": min(wall),
                "cpu_seconds": statistics.median(cpu),
                "each_seconds": wall,
                "each_cpu_seconds": cpu,
                "peak_mib": peak_mib(),
            }
            return times, answer


def run(name, version, args, peer):
    """Does what `args` say with the functions of `peer`, writes times and answers."""

    def write(result):
        with open(args.out, "w") as out:
            json.dump(result, out)

    if args.mode not in {**peer, "run": run}:
        write({"no_such": True})
    elif args.mode == "cold":
        answer = peer["cold"](args.log)
        write({"answer": answer, "peak_mib": peak_mib()})
    elif args.mode == "load":
        times, state = timed(lambda: peer["load"](args.log))
        write({"load": times, "answer": list(peer["counts"](state))})
    elif args.mode == "reopen":
        opened, state = timed(lambda: peer["reopen"](args.store))
        work, answer = next((w, a) for q, w, a in peer["questions"](state) if q == "funnel_common")
        first, found = timed(work)
        write({"open": opened, "first": first, "answer": answer(found)})
    else:
        ask_all(name, version, args, peer, write)


def ask_all(name, version, args, peer, write):
    result = {"name": name, "version": version, "threads": args.threads, "queries": {}, "asking": "load"}
    write(result)
    result["load"], state = timed(lambda: peer["load"](args.log))
    result["events"], result["customers"] = peer["counts"](state)
    questions = {question: (work, answer) for question, work, answer in peer["questions"](state)}
    if all(question in questions for question in DASHBOARD):
        questions["dashboard"] = dashboard(questions)
    for question, (work, answer) in questions.items():
        if args.only and question not in args.only.split(","):
            continue
        result["asking"] = question
        write(result)  # whoever waits for us knows which question took too long
        try:
            times, found = timed(work, args.runs, args.warmups, args.budget)
            result["queries"][question] = {**times, "answer": answer(found)}
        except Exception as error:  # a peer that fails stays in the table
            result["queries"][question] = {"failed": f"{type(error).__name__}: {str(error)[:200]}"}
    del result["asking"]
    if "store" in peer and args.store:
        times, size = timed(lambda: peer["store"](state, args.store))
        result["store"] = {**times, "bytes": size}
    write(result)


def dashboard(questions):
    """The questions of the dashboard one after the other, where a peer has no way to share its work between them."""

    def work():
        return [questions[name][0]() for name in DASHBOARD]

    def answer(found):
        return {name: questions[name][1](one) for name, one in zip(DASHBOARD, found)}

    return work, answer


def rank(n, q):
    """The place of the quantile `q` among `n` values in order."""
    return max(math.ceil(n * q), 1) - 1


def times_to_convert(reached, between):
    """The answer of `funnel_times`; `between` are numbers in order, in units of the axis."""
    n = len(between)
    return {
        "reached": reached,
        "n": n,
        "median": int(between[rank(n, 0.5)]) * AXIS_US if n >= 5 else None,
        "p90": int(between[rank(n, 0.9)]) * AXIS_US if n >= 10 else None,
    }


def retention(cells):
    """The answer of `retention` from (week since that of 1 January 1970, weeks after, customers); all rows of week 0 are there."""
    cohorts = {}
    for week, after, count in sorted(cells):
        if after <= WEEKS:
            day = datetime.date(1970, 1, 1) + datetime.timedelta(microseconds=int(week) * WEEK_US - MONDAY_US)
            cohorts.setdefault(day.isoformat(), [0] * (WEEKS + 1))[int(after)] += int(count)
    return {"customers": sum(row[0] for row in cohorts.values()), "cohorts": cohorts}


def path_names(key, names):
    """The touchpoints of a packed path: eight codes of a byte each, from 1, the first in the lowest byte."""
    path = []
    while key:
        path.append(names[(key & 255) - 1])
        key >>= 8
    return path


def top_paths(rows, names, top):
    """The most frequent of (key, count), equal counts by the names in order."""
    paths = sorted(((-count, path_names(int(key), names)) for key, count in rows))
    return [[" > ".join(path), int(-count)] for count, path in paths[:top]]
