"""retentioneering's side of the race: an Eventstream of customers and sessions.

It sends telemetry unless told not to: it is told so, its telemetry's package is hidden from it, and it is not run if
that should fail one day. Its funnel knows no time window, its times are whole seconds: those are no such questions.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(__file__))
os.environ["RETENTIONEERING_NO_TRACK"] = "1"
sys.modules["posthog"] = None  # an import of it fails, which retentioneering expects
import pandas as pd
import race
import retentioneering as rete
from retentioneering import _tracking

if _tracking._ph is not None or not _tracking._no_track_requested():
    sys.exit("retentioneering's telemetry cannot be switched off: not run")


def load(path):
    columns = ["customer_id", "session_id", "time", "event", "seq"]
    if path.endswith(".csv"):
        frame = pd.read_csv(path, usecols=columns, dtype={"event": "category"}, engine="pyarrow", parse_dates=["time"])
    else:
        frame = pd.read_parquet(path, columns=columns)
    # It keeps the order of rows where times are equal.
    frame = frame.sort_values(["time", "seq"], ignore_index=True).drop(columns="seq")
    frame["time"] = frame["time"].dt.tz_localize(None)
    schema = {"path_cols": ["customer_id", "session_id"], "event_col": "event", "timestamp_col": "time"}
    return rete.Eventstream(frame, schema)


def counts(stream):
    return len(stream.df), int(stream.df["customer_id"].nunique())


def questions(stream):
    def transitions():
        return stream.transition_graph_data("count", path_col="session_id")

    def transitions_answer(found):
        found = found.drop(index=["path_start", "path_end"], columns=["path_start", "path_end"]).stack()
        pairs = {f"{a} > {b}": int(n) for (a, b), n in found.items() if n}
        return {"count": sum(pairs.values()), "pairs": pairs}

    def sessions():
        return stream.split_sessions(timeout="30m", session_col="visit", session_index_col="visit_index")

    yield "transitions", transitions, transitions_answer
    yield "sessions", sessions, lambda found: {"sessions": int(found.df["visit"].nunique())}


race.run("retentioneering", rete.__version__, race.arguments(), globals())
