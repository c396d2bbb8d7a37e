"""NumPy's side of the race: sorted columns of codes, the first place of every customer and session; one thread.

Read by PyArrow, whose dictionaries are the codes.
"""

import json
import os
import sys

os.environ["OMP_NUM_THREADS"] = "1"
sys.path.insert(0, os.path.dirname(__file__))
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet
import race

ATTRIBUTES = ["channel", "device", "region"]
NARROW = ["event", *ATTRIBUTES]
NONE = np.iinfo(np.int64).min


def table(path, columns, keep=None):
    if path.endswith(".csv"):
        types = {name: pa.dictionary(pa.int32(), pa.string()) for name in columns if name in NARROW}
        types |= {"time": pa.timestamp("us", "UTC"), "seq": pa.int64()}
        options = pa.csv.ConvertOptions(include_columns=columns, column_types=types, timestamp_parsers=[pa.csv.ISO8601])
        return pa.csv.read_csv(path, convert_options=options)
    return pa.parquet.read_table(path, columns=columns, filters=keep)


def codes(column):
    """A column's codes and names; the dictionary is made of the whole column, not again for every chunk of it."""
    if pa.types.is_dictionary(column.type):
        column = column.unify_dictionaries()
    column = column.combine_chunks()
    if isinstance(column, pa.ChunkedArray):
        column = column.chunk(0)
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    return column.indices.to_numpy(), column.dictionary


def in_order(log, customer):
    """The order by customer, time and seq; the first two fit one number."""
    time = log["time"].cast(pa.int64()).to_numpy()
    begin = time.min()
    width = int(time.max() - begin) + 1
    if width * (int(customer.max()) + 1) < 2**63:
        return np.lexsort((log["seq"].to_numpy(), customer.astype(np.int64) * width + (time - begin)))
    return np.lexsort((log["seq"].to_numpy(), time, customer))


def changes(column):
    """The places at which a column has another value than before, the first one included."""
    return np.flatnonzero(np.concatenate(([True], column[1:] != column[:-1])))


def load(path):
    log = table(path, ["customer_id", "time", "event", "session_id", "seq", *ATTRIBUTES])
    customer, _ = codes(log["customer_id"])
    order = in_order(log, customer)
    state, names = {"time": log["time"].cast(pa.int64()).to_numpy()[order]}, {}
    for name in NARROW:
        column, words = codes(log[name])
        state[name], names[name] = column.astype(np.uint8)[order], words.to_pylist()
    for name, column in (("customer", customer), ("session", codes(log["session_id"])[0])):
        first = changes(column[order])
        state[f"{name}_first"] = first
        state[name] = np.repeat(np.arange(len(first), dtype=np.uint32), np.diff(first, append=len(order)))
    return state, names


def counts(loaded):
    return len(loaded[0]["time"]), len(loaded[0]["customer_first"])


def store(loaded, path):
    state, names = loaded
    os.makedirs(path, exist_ok=True)
    for name, column in state.items():
        np.save(f"{path}/{name}.npy", column)
    with open(f"{path}/names.json", "w") as out:
        json.dump(names, out)


def reopen(path):
    files = [file for file in os.listdir(path) if file.endswith(".npy")]
    state = {file.removesuffix(".npy"): np.load(f"{path}/{file}", mmap_mode="r") for file in files}
    with open(f"{path}/names.json") as names:
        return state, json.load(names)


def cold(path):
    """Filter while reading; sort what is left; customers without any step are counted by their ids alone."""
    ids = table(path, ["customer_id"])["customer_id"]
    log = table(path, ["customer_id", "time", "event", "seq"], [("event", "in", race.COMMON)])
    if path.endswith(".csv"):
        log = log.filter(pc.is_in(log["event"].cast(pa.string()), pa.array(race.COMMON)))
    customer, _ = codes(log["customer_id"])
    order = in_order(log, customer)
    event, names = codes(log["event"])
    state = {"time": log["time"].cast(pa.int64()).to_numpy()[order], "event": event.astype(np.uint8)[order]}
    state["customer"] = customer[order].astype(np.uint32)
    reached = [len(who) for who in funnel(state, names.to_pylist(), race.COMMON)[0]]
    return {"journeys": pc.count_distinct(ids).as_py(), "reached": reached}


def funnel(state, names, steps, keep=None):
    """The customers who reach each step, and the times, on one axis, of entries and of conversions.

    Start is the latest start of an attempt that has reached a step, as a running maximum. Customers lie one after the
    other on one axis of time, further apart than the window: a start of another customer is too far away to count.
    """
    number = {name: code for code, name in enumerate(names)}
    wanted = np.zeros(256, bool)
    wanted[[number[step] for step in steps]] = True
    at = np.flatnonzero(wanted[state["event"]])
    if keep is not None:
        at = at[keep[state["customer"][at]]]
    event, customer, time = state["event"][at], state["customer"][at], state["time"][at]
    if len(at) == 0:
        return [customer] * len(steps), time, time
    begin = time.min()
    width = (time.max() - begin) // race.AXIS_US + race.WITHIN_AXIS + 1
    axis = customer.astype(np.int64) * width + (time - begin) // race.AXIS_US
    reached, start = [], axis
    for step, name in enumerate(steps):
        hit = event == number[name]
        if step > 0:
            hit &= (axis - race.WITHIN_AXIS) <= start
        start = np.maximum.accumulate(np.where(hit, start, NONE))
        who = customer[hit]
        reached.append(who[changes(who)] if len(who) else who)
        if step == 0:
            entries = axis[hit]
    ends = axis[hit][changes(who)] if len(who) else axis[:0]
    return reached, entries, ends


def questions(loaded):
    state, all_names = loaded
    names = all_names["event"]
    n_names = len(names)
    event, time, customer, session = (state[name] for name in ("event", "time", "customer", "session"))
    customer_first, session_first = state["customer_first"], state["session_first"]
    n = len(event)
    length = np.diff(session_first, append=n)

    def most(keys, top):
        """The most frequent keys with ties for the last place, and how many different ones there are."""
        key, count = np.unique(keys, return_counts=True)
        least = np.partition(count, -top)[-top] if len(count) > top else 0
        kept = count >= least
        return list(zip(key[kept].tolist(), count[kept].tolist())), len(key)

    def paths():
        key = np.zeros(len(length), np.uint64)
        for k in range(race.FIRST):
            there = length > k
            key[there] |= (event[session_first[there] + k].astype(np.uint64) + 1) << np.uint64(8 * k)
        return most(key, race.TOP)

    def paths_answer(found):
        rows, distinct = found
        return {"journeys": len(length), "distinct": distinct, "top": race.top_paths(rows, names, race.TOP)}

    def pair_name(pair):
        return f"{names[pair // n_names]} > {names[pair % n_names]}"

    def transitions():
        pairs = event[:-1].astype(np.uint16) * n_names + event[1:]
        # All pairs but those over the edge of a session.
        edges = pairs[session_first[1:] - 1]
        return np.bincount(pairs, minlength=n_names**2) - np.bincount(edges, minlength=n_names**2)

    def transitions_answer(found):
        return {
            "count": int(found.sum()),
            "pairs": {pair_name(pair): int(found[pair]) for pair in np.flatnonzero(found)},
        }

    def transition_times():
        inside = np.ones(n - 1, bool)
        inside[session_first[1:] - 1] = False
        at = np.flatnonzero(inside)
        pair = event[at].astype(np.uint16) * n_names + event[at + 1]
        between = time[at + 1] - time[at]
        by_pair = np.argsort(pair, kind="stable")
        pair, who = pair[by_pair], customer[at][by_pair]
        first = changes(pair)
        is_new = np.ones(len(pair), bool)
        is_new[1:] = (who[1:] != who[:-1]) | (pair[1:] != pair[:-1])
        between = between[by_pair]
        last = np.append(first[1:], len(pair))
        medians = [np.partition(between[a:b], (b - a - 1) // 2)[(b - a - 1) // 2] for a, b in zip(first, last)]
        return pair[first], last - first, np.add.reduceat(is_new, first, dtype=np.int64), medians

    def transition_times_answer(found):
        rows = zip(*(list(map(int, column)) for column in found))
        return {"pairs": {pair_name(p): [n, c, None if n < 5 else m] for p, n, c, m in rows}}

    def counted(steps, keep=None):
        return lambda: [len(who) for who in funnel(state, names, steps, keep and keep())[0]]

    def funnel_answer(found):
        return {"journeys": len(customer_first), "reached": found}

    def funnel_times():
        reached, entries, ends = funnel(state, names, race.COMMON)
        # Of the attempts that convert first, the one that starts first.
        start = entries[np.searchsorted(entries, ends - race.WITHIN_AXIS)]
        return [len(who) for who in reached], np.sort(ends - start)

    def funnel_by_channel():
        channel = state["channel"][customer_first]
        n_channels = len(all_names["channel"])
        reached, _, _ = funnel(state, names, race.COMMON)
        return np.array([np.bincount(channel[who], minlength=n_channels) for who in reached])

    def funnel_by_channel_answer(found):
        return {"reached": {name: found[:, code].tolist() for code, name in enumerate(all_names["channel"])}}

    def kept():
        regions = [code for code, name in enumerate(all_names["region"]) if name in race.REGIONS]
        device = all_names["device"].index(race.DEVICE)
        return (state["device"][customer_first] == device) & np.isin(state["region"][customer_first], regions)

    goal = names.index("purchase")
    until = time.max()

    def dropoff():
        end = session_first + length - 1
        has_next = np.append(customer[session_first[1:]] == customer[session_first[:-1]], False)
        idle = until - time[end]
        reached = np.zeros(len(length), bool)
        reached[session[event == goal]] = True
        is_open = ~reached & ~has_next & (idle < race.GAP_US)
        exits = ~reached & ~is_open
        known = exits & (idle >= race.WITHIN_US)
        pause = np.append(time[session_first[1:]] - time[end[:-1]], 0)
        back = known & has_next & (pause <= race.WITHIN_US)
        # A visit is a session with a known outcome and a touchpoint, once: the bits of the touchpoints of a session.
        bits = np.bitwise_or.reduceat((np.uint64(1) << np.arange(n_names, dtype=np.uint64))[event], session_first)[~is_open]
        visits = [int(np.count_nonzero(bits >> np.uint64(k) & np.uint64(1))) for k in range(n_names)]
        at, first = end[exits], session_first[exits]
        key = event[at].astype(np.uint64) + 1
        for k in range(1, race.BEFORE + 1):
            inside = at >= first + k
            key[inside] = (key[inside] << np.uint64(8)) + event[at[inside] - k] + np.uint64(1)
        totals = {
            "reached": reached, "exits": exits, "open": is_open, "returned": back, "return_known": known
        }  # fmt: skip
        totals = {name: int(np.count_nonzero(who)) for name, who in totals.items()}
        return totals, visits, np.bincount(event[at], minlength=n_names).tolist(), most(key, race.TOP_BEFORE)[0]

    def dropoff_answer(found):
        totals, visits, exits, before = found
        points = {names[k]: [v, x] for k, (v, x) in enumerate(zip(visits, exits)) if v}
        return {**totals, "points": points, "before": race.top_paths(before, names, race.TOP_BEFORE)}

    def sessions():
        return int(np.count_nonzero((time[1:] - time[:-1] > race.GAP_US) | (customer[1:] != customer[:-1]))) + 1

    def retention():
        """Of each customer only the first event of every week; times ascend, so the week changes there."""
        begin = (time.min() + race.MONDAY_US) // race.WEEK_US
        # Whole seconds fit 32 bits, which divide faster.
        seconds = ((time - (begin * race.WEEK_US - race.MONDAY_US)) // 1_000_000).astype(np.uint32)
        week = (seconds // np.uint32(race.WEEK_US // 1_000_000)).astype(np.uint16)
        is_new = np.empty(n, bool)
        np.not_equal(week[1:], week[:-1], out=is_new[1:])
        is_new[customer_first] = True
        at = np.flatnonzero(is_new)
        cohort = week[customer_first][customer[at]].astype(np.uint32)
        n_weeks = int(week.max()) + 1
        return begin, np.bincount(cohort * n_weeks + week[at] - cohort, minlength=n_weeks**2).reshape(n_weeks, n_weeks)

    def retention_answer(found):
        begin, cells = found
        return race.retention((begin + c, k, cells[c, k]) for c, k in zip(*np.nonzero(cells)))

    yield "paths", paths, paths_answer
    yield "transitions", transitions, transitions_answer
    yield "transition_times", transition_times, transition_times_answer
    yield "funnel_common", counted(race.COMMON), funnel_answer
    yield "funnel_rare", counted(race.RARE), funnel_answer
    yield "funnel_times", funnel_times, lambda found: race.times_to_convert(*found)
    yield "funnel_by_channel", funnel_by_channel, funnel_by_channel_answer
    yield "funnel_filtered", counted(race.COMMON, kept), lambda found: {"reached": found}
    yield "dropoff", dropoff, dropoff_answer
    yield "sessions", sessions, lambda found: {"sessions": found}
    yield "retention", retention, retention_answer


if __name__ == "__main__":
    race.run("numpy", np.__version__, race.arguments(), globals())
