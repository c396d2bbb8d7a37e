"""The race as Markdown, and the rows that tables and chart share."""

QUESTIONS = {
    "paths": "top 100 session paths (first 8)",
    "transitions": "transitions in sessions: counts",
    "transition_times": "transitions: counts, customers, median time",
    "funnel_common": "funnel, 4 common steps in 7 days",
    "funnel_rare": "funnel, 4 rare steps in 7 days",
    "funnel_times": "funnel with times to convert: median, p90",
    "funnel_by_channel": "funnel by 12 channels",
    "funnel_filtered": "funnel, one device and three regions",
    "dropoff": "drop-off: exits, visits, returns, before",
    "sessions": "sessions by 30-minute gap",
    "retention": "weekly retention, 26 weeks",
    "dashboard": "dashboard: five of these at once",
}
# Questions of the plan that the engine has no analysis for.
NOT_YET = [
    "funnel with exclusion and a constant attribute",
    "flow, 5 steps around a goal",
    "step matrix",
    "attribution: last, Markov removal, Shapley",
]
NO_SUCH = {"no_such": True}


def rows(here):
    """(key, words, {name: times}) for each row; times have `seconds` and `cpu_seconds`, or say why there are none."""
    asked = {q for r in here.values() for q in r.get("queries", {})}

    def of(part):
        return {name: part(r) if "not_run" not in r else r for name, r in here.items()}

    def ready(result, times):
        """Who knows only some questions, loads only what those need: no rival of those who know all."""
        knows_all = asked <= result.get("queries", {}).keys()
        return times if knows_all or "failed" in times else {**times, "is_part": True}

    yield "load", "Parquet to ready", of(lambda r: ready(r, r["load"]))
    yield "csv", "CSV to ready", of(lambda r: ready(r, r["csv"].get("load", r["csv"])))
    for question, words in QUESTIONS.items():
        if question in asked:
            yield question, words, of(lambda r: answered(r, question))
    yield "reopen", "reopen what is stored", of(lambda r: reopen(r, "open"))
    yield "reopen_first", "reopen, to first answer (funnel)", of(lambda r: reopen(r, "open", "first"))
    yield "cold", "cold start to first answer (funnel)", of(lambda r: cold(r["cold"]))
    yield "session", "load, then every question once", of(lambda r: session(r, asked))


def answered(result, question):
    return result["queries"].get(question, result["load"] if "failed" in result["load"] else NO_SUCH)


def reopen(result, *parts):
    found = result.get("reopen", NO_SUCH)
    if "open" not in found:
        return found
    return {
        "seconds": sum(found[part]["seconds"] for part in parts),
        "cpu_seconds": sum(found[part]["cpu_seconds"] for part in parts),
        "peak_mib": max(found[part]["peak_mib"] for part in parts),
    }


def cold(found):
    return found if "no_such" in found else found.get("process", found)


def session(result, asked):
    """Each question's first run, after loading; only of those who know all questions, else the sums say nothing."""
    parts = [result["load"], *(result["queries"].get(q, NO_SUCH) for q in sorted(asked))]
    if any("first_seconds" not in part for part in parts):
        return next(part for part in parts if "first_seconds" not in part)
    return {
        "seconds": sum(part["first_seconds"] for part in parts),
        "cpu_seconds": sum(part["first_cpu_seconds"] for part in parts),
        "peak_mib": max(part["peak_mib"] for part in parts),
    }


def markdown(race):
    results = race["results"]
    first = next(r for r in results if "events" in r)
    machine = race["machine"]
    lines = [f"# The race: {first['events']:,} events of {first['customers']:,} customers", ""]
    busy = " — **busy: not a measurement to publish**" if race["busy"] else ""
    lines.append(f"{machine['cpu']}, {machine['cores']} cores, load average {race['load_average']:.2f}{busy}  ")
    versions = {r["name"]: r["version"] for r in results if "version" in r}
    lines.append(", ".join(f"{name} {version}" for name, version in versions.items()) + f"; {race['order']} order")
    absent = {r["name"]: r["not_run"] for r in results if "not_run" in r}
    lines += [f"Not run: {name}, {reason}." for name, reason in absent.items()]
    lines += ["", f"![ratios]({race['events']}.svg)"]
    for threads in sorted({r["threads"] for r in results}):
        here = {r["name"]: r for r in results if r["threads"] == threads}
        lines += ["", f"## {threads} thread{'s' * (threads > 1)}", "", *of_threads(here, threads)]
    lines += ["", "## On disk", "", *on_disk(race)]
    plan = race["plan"]
    lines += [
        "",
        f"Contestants took turns in {plan['rounds']} rounds, each round a process of its own; slow ones had all their runs in the first. "
        f"Questions: medians of at least {plan['runs']} runs, each turn after a warm-up, fewer where {few(results)}. "
        "Loading: the median of the rounds; reopening, cold and CSV: the middle of their processes.",
        "",
        *race["notes"],
    ]
    return "\n".join(lines) + "\n"


def few(results):
    fewest = min((q["runs"] for r in results for q in r.get("queries", {}).values() if "runs" in q), default=0)
    return f"one run is slow (at least {fewest})"


def of_threads(here, threads):
    peers = [name for name in here if name != "desireline"]
    one = [name for name in peers if here[name].get("own_threads", threads) != threads]
    heads = [f"{name} (1)" if name in one else name for name in here]
    table = list(rows(here))
    lines = ["### Wall time, ms", ""]
    if any("is_part" in times for times in table[0][2].values()):
        lines += ["(part): only the columns that the peer's few questions need.", ""]
    if one:
        lines += [f"(1): {', '.join(one)} use one thread.", ""]
    lines += grid([*heads, "ratio", "best peer"], wall(table, here, peers))
    lines += [f"| {words} | {' | '.join(['not yet', *[''] * (len(here) + 1)])} |" for words in NOT_YET]
    lines += ["", "### CPU time, ms", ""]
    lines += grid([*heads, "ratio", "best peer", "our Mev/s/core"], cpu(table, here, peers))
    lines += ["", "### Peak memory, MiB", ""]
    lines += grid(heads, [[words, *(cell(t, "peak_mib", 1) for t in times.values())] for _, words, times in table])
    return lines


def wall(table, here, peers):
    for _, words, times in table:
        yield [words, *(cell(t, "seconds", 1e3) for t in times.values()), *ratio(times, peers, "seconds")]


def cpu(table, here, peers):
    for key, words, times in table:
        ours = times.get("desireline", {})
        speed = ""
        if key in QUESTIONS and key != "dashboard" and ours.get("cpu_seconds"):
            speed = number(here["desireline"]["events"] / ours["cpu_seconds"] / 1e6)
        yield [words, *(cell(t, "cpu_seconds", 1e3) for t in times.values()), *ratio(times, peers, "cpu_seconds"), speed]


def ratio(times, peers, what):
    """The best peer's time as a multiple of ours."""
    ours = times.get("desireline", {})
    rivals = [name for name in peers if what in times[name] and "is_part" not in times[name]]
    if not ours.get(what) or not rivals:
        return ["", ""]
    best = min(rivals, key=lambda name: times[name][what])
    return [f"{number(times[best][what] / ours[what])} ×", best]


def cell(times, what, factor):
    if what in times:
        return number(times[what] * factor) + " (part)" * ("is_part" in times)
    if "not_run" in times:
        return "not run"
    return "failed" if "failed" in times else "no such question"


def number(value):
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def grid(heads, body):
    lines = ["| | " + " | ".join(heads) + " |", "|---" + "|---:" * len(heads) + "|"]
    return lines + ["| " + " | ".join(row) + " |" for row in body]


def on_disk(race):
    lines = ["| | MiB | bytes an event |", "|---|---:|---:|"]
    most = max(r["threads"] for r in race["results"])
    sizes = {f"the {kind} file": size for kind, size in race["files"].items()}
    events = next(r["events"] for r in race["results"] if "events" in r)
    for result in race["results"]:
        if result["threads"] == most and "bytes" in result.get("store", {}):
            sizes[result["name"]] = result["store"]["bytes"]
    return lines + [f"| {name} | {number(size / 2**20)} | {number(size / events)} |" for name, size in sizes.items()]
