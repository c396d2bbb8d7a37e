"""pm4py's side of the race: a pandas frame sorted by session, time and seq; its directly-follows graph. One thread.

pm4py is under the AGPL: it runs in this process of its own, and nothing of desireline is loaded beside it.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(__file__))
import pandas as pd
import pm4py
import race
from pm4py.algo.discovery.dfg.adapters.pandas import df_statistics


def load(path):
    columns = ["customer_id", "session_id", "time", "event", "seq"]
    if path.endswith(".csv"):
        frame = pd.read_csv(path, usecols=columns, dtype={"event": "category"}, engine="pyarrow", parse_dates=["time"])
    else:
        frame = pd.read_parquet(path, columns=columns)
    frame["event"] = frame["event"].astype("category")
    frame["customer_id"] = pd.factorize(frame["customer_id"])[0]
    frame["session_id"] = pd.factorize(frame["session_id"])[0]
    return frame.sort_values(["session_id", "time", "seq"], ignore_index=True).drop(columns="seq")


def counts(frame):
    return len(frame), int(frame["customer_id"].max()) + 1


def questions(frame):
    def transitions():
        # What pm4py.discover_dfg calls, told that the frame is sorted.
        return df_statistics.get_dfg_graph(
            frame,
            activity_key="event",
            case_id_glue="session_id",
            timestamp_key="time",
            start_timestamp_key="time",
            sort_caseid_required=False,
            sort_timestamp_along_case_id=False,
        )

    def transitions_answer(found):
        pairs = {f"{a} > {b}": int(n) for (a, b), n in found.items() if n}
        return {"count": sum(pairs.values()), "pairs": pairs}

    yield "transitions", transitions, transitions_answer


race.run("pm4py", pm4py.__version__, race.arguments(), globals())
