"""pandas' side of the race: a frame sorted by customer, time and seq, names as codes, sessions numbered; one thread.

Whole-column arithmetic where that says it; `groupby` only where there is no other way.
"""

import json
import os
import sys

sys.path.insert(0, os.path.dirname(__file__))
import numpy as np
import pandas as pd
import race

ATTRIBUTES = ["channel", "device", "region"]
NARROW = ["event", *ATTRIBUTES]
NONE = np.iinfo(np.int64).min


def read(path, columns, filters=None):
    if path.endswith(".csv"):
        kinds = {name: "category" for name in columns if name in NARROW}
        frame = pd.read_csv(path, usecols=columns, dtype=kinds, engine="pyarrow", parse_dates=["time"] if "time" in columns else None)
        return frame if filters is None else frame[frame["event"].isin(filters[0][2])]
    return pd.read_parquet(path, columns=columns, filters=filters)


def numbered(column):
    """The number of the group of equal neighbours that each row is in."""
    return (column != column.shift()).cumsum().astype("uint32") - 1


def load(path):
    frame = read(path, ["customer_id", "time", "event", "session_id", "seq", *ATTRIBUTES])
    names = {name: frame[name].astype("category").cat.categories.tolist() for name in NARROW}
    frame = frame.assign(
        customer=pd.factorize(frame["customer_id"])[0],
        session=pd.factorize(frame["session_id"])[0],
        time=frame["time"].astype("datetime64[us, UTC]").astype("int64"),
        **{name: frame[name].astype("category").cat.codes.astype("uint8") for name in NARROW},
    )[["customer", "time", "seq", "session", *NARROW]]
    frame = frame.sort_values(["customer", "time", "seq"], ignore_index=True).drop(columns="seq")
    return frame.assign(customer=numbered(frame["customer"]), session=numbered(frame["session"])), names


def counts(state):
    frame = state[0]
    return len(frame), int(frame["customer"].iat[-1]) + 1


def store(state, path):
    frame, names = state
    frame.to_feather(path, compression="uncompressed")
    with open(f"{path}.names", "w") as out:
        json.dump(names, out)


def reopen(path):
    with open(f"{path}.names") as names:
        return pd.read_feather(path), json.load(names)


def cold(path):
    """Filter while reading; sort what is left; customers without any step are counted by their ids alone."""
    journeys = read(path, ["customer_id"])["customer_id"].nunique()
    frame = read(path, ["customer_id", "time", "event", "seq"], [("event", "in", race.COMMON)])
    event = frame["event"].astype("category")
    frame = frame.assign(
        customer=pd.factorize(frame["customer_id"])[0],
        time=frame["time"].astype("datetime64[us, UTC]").astype("int64"),
        event=event.cat.codes.astype("uint8"),
    ).sort_values(["customer", "time", "seq"], ignore_index=True)
    stage = stages(frame, event.cat.categories.tolist(), race.COMMON)
    return {"journeys": journeys, "reached": reached(stage)}


def stages(frame, names, steps):
    """A row for each event of a step: the latest start of an attempt that has reached it, as a running maximum.

    Customers lie one after the other on one axis of time, further apart than the window, so no partition is needed.
    """
    number = {name: code for code, name in enumerate(names)}
    stage = frame.loc[frame["event"].isin([number[step] for step in steps]), ["customer", "event", "time"]]
    time = (stage["time"] - stage["time"].min()) // race.AXIS_US
    axis = stage["customer"].astype("int64") * (time.max() + race.WITHIN_AXIS + 1) + time
    stage = stage.assign(at=axis)
    start = axis
    for step, name in enumerate(steps):
        hit = stage["event"] == number[name]
        if step > 0:
            hit &= stage["at"] - race.WITHIN_AXIS <= start
        start = start.where(hit, NONE).cummax()
        stage[f"hit{step}"] = hit
    return stage


def reached(stage):
    return [int(stage.loc[stage[f"hit{step}"], "customer"].nunique()) for step in range(4)]


def questions(state):
    frame, all_names = state
    names = all_names["event"]
    n_names = len(names)
    event, time, customer, session = (frame[name] for name in ("event", "time", "customer", "session"))

    def paths():
        place = frame.groupby("session").cumcount()
        kept = place < race.FIRST
        bits = np.left_shift(event[kept].astype("uint64") + 1, (8 * place[kept]).astype("uint64"))
        return bits.groupby(session[kept]).sum().value_counts()

    def paths_answer(found):
        least = found.iloc[min(race.TOP, len(found)) - 1]
        top = found[found >= least].items()
        return {"journeys": int(found.sum()), "distinct": len(found), "top": race.top_paths(top, names, race.TOP)}

    def pairs():
        inside = session == session.shift(-1)
        return (event.astype("uint16") * n_names + event.shift(-1, fill_value=0))[inside]

    def pair_name(pair):
        return f"{names[pair // n_names]} > {names[pair % n_names]}"

    def transitions_answer(found):
        return {"count": int(found.sum()), "pairs": {pair_name(pair): n for pair, n in found.items()}}

    def transition_times():
        pair = pairs()
        kept = pd.DataFrame({"between": time.shift(-1)[pair.index] - time[pair.index], "customer": customer[pair.index]})
        groups = kept.groupby(pair)
        return pd.DataFrame(
            {
                "n": groups.size(),
                "customers": groups["customer"].nunique(),
                "median": groups["between"].quantile(0.5, interpolation="lower"),
            }
        )

    def transition_times_answer(found):
        rows = found.astype("int64").itertuples()
        return {"pairs": {pair_name(row[0]): [row.n, row.customers, None if row.n < 5 else row.median] for row in rows}}

    def funnel(steps, kept=None):
        return lambda: reached(stages(frame if kept is None else frame[kept()], names, steps))

    def funnel_answer(found):
        return {"journeys": counts(state)[1], "reached": found}

    def funnel_times():
        stage = stages(frame, names, race.COMMON)
        ends = stage[stage["hit3"]].groupby("customer")["at"].first().sort_values()
        ends = pd.DataFrame({"end": ends, "earliest": ends - race.WITHIN_AXIS})
        entries = stage.loc[stage["hit0"], ["at"]]
        # Of the attempts that convert first, the one that starts first.
        chosen = pd.merge_asof(ends, entries, left_on="earliest", right_on="at", direction="forward")
        return reached(stage), (chosen["end"] - chosen["at"]).sort_values().tolist()

    def funnel_by_channel():
        stage = stages(frame, names, race.COMMON)
        channel = frame.loc[customer != customer.shift(), "channel"].reset_index(drop=True)
        return [channel[stage.loc[stage[f"hit{step}"], "customer"].unique()].value_counts() for step in range(4)]

    def funnel_by_channel_answer(found):
        codes = range(len(all_names["channel"]))
        return {"reached": {all_names["channel"][code]: [int(step.get(code, 0)) for step in found] for code in codes}}

    def kept():
        regions = [code for code, name in enumerate(all_names["region"]) if name in race.REGIONS]
        return (frame["device"] == all_names["device"].index(race.DEVICE)) & frame["region"].isin(regions)

    goal = names.index("purchase")
    until = time.max()

    def dropoff():
        is_first, is_last = session != session.shift(), session != session.shift(-1)
        ends = frame[is_last].reset_index(drop=True)
        begin = time[is_first].reset_index(drop=True)
        has_next = ends["customer"] == ends["customer"].shift(-1)
        idle = until - ends["time"]
        was_reached = ends["session"].isin(session[event == goal])
        is_open = ~was_reached & ~has_next & (idle < race.GAP_US)
        is_exit = ~was_reached & ~is_open
        known = is_exit & (idle >= race.WITHIN_US)
        back = known & has_next & (begin.shift(-1) - ends["time"] <= race.WITHIN_US)
        totals = {
            "reached": was_reached, "exits": is_exit, "open": is_open, "returned": back, "return_known": known
        }  # fmt: skip
        visits = (session.astype("int64") * n_names + event)[~is_open.take(session).to_numpy()].drop_duplicates() % n_names
        # The first touchpoint of the sequence goes into the lowest byte.
        key = event.astype("uint64") + 1
        before = key[is_last]
        for k in range(1, race.BEFORE + 1):
            inside = (session == session.shift(k))[is_last]
            before = before.mask(inside, before * 256 + key.shift(k, fill_value=0)[is_last])
        return (
            {name: int(column.sum()) for name, column in totals.items()},
            visits.value_counts(),
            ends.loc[is_exit, "event"].value_counts(),
            before[is_exit.to_numpy()].value_counts(),
        )

    def dropoff_answer(found):
        totals, visits, exits, before = found
        points = {names[code]: [int(n), int(exits.get(code, 0))] for code, n in visits.items()}
        least = before.iloc[min(race.TOP_BEFORE, len(before)) - 1]
        top = race.top_paths(before[before >= least].items(), names, race.TOP_BEFORE)
        return {**totals, "points": points, "before": top}

    def sessions():
        return int(((time.diff() > race.GAP_US) | (customer != customer.shift())).sum())

    def retention():
        """Of each customer only the first event of every week; times ascend, so the week changes there."""
        week = ((time + race.MONDAY_US) // race.WEEK_US).astype("int16")
        is_first = customer != customer.shift()
        kept = is_first | (week != week.shift())
        weeks, is_first = week[kept], is_first[kept]
        cohort = weeks.where(is_first).ffill().astype("int16")
        return (cohort.astype("int32") * 2**16 + (weeks - cohort)).value_counts()

    yield "paths", paths, paths_answer
    yield "transitions", lambda: pairs().value_counts(), transitions_answer
    yield "transition_times", transition_times, transition_times_answer
    yield "funnel_common", funnel(race.COMMON), funnel_answer
    yield "funnel_rare", funnel(race.RARE), funnel_answer
    yield "funnel_times", funnel_times, lambda found: race.times_to_convert(*found)
    yield "funnel_by_channel", funnel_by_channel, funnel_by_channel_answer
    yield "funnel_filtered", funnel(race.COMMON, kept), lambda found: {"reached": found}
    yield "dropoff", dropoff, dropoff_answer
    yield "sessions", sessions, lambda found: {"sessions": found}
    yield "retention", retention, lambda found: race.retention((k >> 16, k & 65535, n) for k, n in found.items())


race.run("pandas", pd.__version__, race.arguments(), globals())
