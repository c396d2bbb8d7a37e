"""Do the contestants give the same answers? What differs is said by number."""

import json

# Above 1,024 values our quantiles come from a histogram; its bins are this narrow (README, "Answers").
QUANTILE_ERROR = 1 / 256


def is_wrong(problem):
    return not problem.startswith("note: ")


def problems(results):
    """What differs from our own answers; lines that begin with `note: ` explain a difference by its number."""
    results = [r for r in results if "not_run" not in r]
    ours = next((r for r in results if r["name"] == "desireline"), results[0])
    said = {}
    for result in results:
        for line in of_one(result, ours):
            said.setdefault(line, []).append(f"{result['name']} on {result['threads']}")
    lines = []
    for line, who in said.items():
        note = "note: " if line.startswith("note: ") else ""
        lines.append(f"{note}{', '.join(who)}: {line.removeprefix('note: ')}")
    return lines


def of_one(result, ours):
    lines = []
    expected = {name: found["answer"] for name, found in ours["queries"].items() if "answer" in found}
    for name in ("events", "customers"):
        if name in result and result[name] != ours[name]:
            lines.append(f"{result[name]} {name}, not {ours[name]}")
    once = {name: result.get(name, {}) for name in ("load", "cold", "csv", "reopen")}
    for name, part in {**result["queries"], **once}.items():
        if "failed" in part:
            # What a peer cannot do stays in the table; what we cannot do is an error.
            lines.append(f"{'' if result is ours else 'note: '}{name} failed: {part['failed']}")
    for question, found in result["queries"].items():
        if question in expected and "answer" in found:
            lines += differences(question, question, expected[question], found["answer"])
    for name in ("cold", "reopen"):
        if "answer" in once[name] and "funnel_common" in expected:
            lines += differences(name, "funnel_common", expected["funnel_common"], once[name]["answer"])
    if "answer" in once["csv"]:
        lines += differences("csv", "counts", [ours["events"], ours["customers"]], once["csv"]["answer"])
    return lines


def differences(who, question, expected, found):
    if question == "transition_times":
        if expected["pairs"].keys() != found["pairs"].keys():
            return [f"{who}: other pairs"]
        times = {pair: (numbers[2], found["pairs"][pair][2]) for pair, numbers in expected["pairs"].items()}
        counts = [{pair: numbers[:2] for pair, numbers in one["pairs"].items()} for one in (expected, found)]
    elif question == "funnel_times":
        times = {name: (expected[name], found[name]) for name in ("median", "p90")}
        counts = [{name: one[name] for name in ("reached", "n")} for one in (expected, found)]
    else:
        times, counts = {}, [expected, found]
    lines = differing_times(who, times)
    if counts[0] != counts[1]:
        lines.append(f"{who}: {first_difference(*counts)}")
    return lines


def differing_times(who, times):
    """A quantile of ours may be off by what our histogram may be off."""
    lines, off, most = [], 0, 0.0
    for name, (ours, exact) in times.items():
        if ours == exact:
            continue
        if ours is None or exact is None:
            lines.append(f"{who}: {name}: {exact}, not {ours}")
            continue
        error = abs(ours - exact) / max(exact, 1)
        off, most = off + 1, max(most, error)
        if error > QUANTILE_ERROR:
            lines.append(f"{who}: {name}: {exact}, not {ours}")
    if off:
        lines.append(f"note: {who}: {off} of {len(times)} times differ by at most {most:.2%}; ours come from a histogram")
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
