"""Polars' side of the race: a frame sorted by customer, time and seq, names as codes.

The columns are kept as Polars likes them best, and every question is asked over whole columns: no `over`, no
group per customer. `position` arithmetic on the sorted frame does what partitions would do.
"""

import json
import os
import sys

sys.path.insert(0, os.path.dirname(__file__))
import race

args = race.arguments()
os.environ["POLARS_MAX_THREADS"] = str(args.threads)  # read once, at import
import polars as pl  # noqa: E402

C = pl.col


def scan(path):
    if not path.endswith(".csv"):
        return pl.scan_parquet(path)
    return pl.scan_csv(path).with_columns(C("time").str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ", time_unit="us"))


ATTRIBUTES = ["channel", "device", "region"]


def load(path):
    frame = scan(path).select("customer_id", "time", "event", "session_id", "seq", *ATTRIBUTES).collect()
    names = {name: frame[name].cast(pl.String).unique().sort().to_list() for name in ["event", *ATTRIBUTES]}

    def codes(name):
        return C(name).cast(pl.String).cast(pl.Enum(names[name])).to_physical().cast(pl.UInt8)

    frame = (
        frame.lazy()
        .with_columns(
            *(codes(name) for name in ATTRIBUTES),
            customer=C("customer_id").cast(pl.Categorical).to_physical(),
            time=C("time").dt.epoch("us"),
            code=codes("event"),
            session=C("session_id").cast(pl.Categorical).to_physical(),
        )
        .sort("customer", "time", "seq")
        .select(C("customer").rle_id(), "time", "code", C("session").rle_id(), *ATTRIBUTES)
        .collect()
        .rechunk()
    )
    return frame, names


def counts(state):
    frame = state[0]
    return frame.height, frame["customer"].last() + 1


def store(state, path):
    """As Polars maps it into memory again; the names go into the file's metadata."""
    frame, names = state
    frame.write_ipc(path, compression="uncompressed")
    with open(f"{path}.names", "w") as out:
        json.dump(names, out)


def reopen(path):
    with open(f"{path}.names") as names:
        return pl.scan_ipc(path).collect(), json.load(names)


def cold(path):
    """Filter while reading; sort what is left; customers without any step are counted by their ids alone."""
    rows = scan(path).select("customer_id", "time", "event", "seq").with_columns(C("event").cast(pl.String))
    customers, kept = pl.collect_all(
        [
            rows.select(C("customer_id").cast(pl.String).n_unique()),
            rows.filter(C("event").is_in(race.COMMON))
            .with_columns(code=C("event").replace_strict({name: k for k, name in enumerate(race.COMMON)}, return_dtype=pl.UInt8))
            .select("customer_id", "time", "seq", "code"),
        ]
    )
    frame = (
        kept.lazy()
        .with_columns(customer=C("customer_id").cast(pl.Categorical).to_physical(), time=C("time").dt.epoch("us"))
        .sort("customer", "time", "seq")
        .select(C("customer").rle_id(), "time", "code", session=0)
        .collect()
    )
    names = {"event": race.COMMON, **{name: [] for name in ATTRIBUTES}}
    work = next(work for name, work, _ in questions((frame, names)) if name == "funnel_common")
    return {"journeys": customers.item(), "reached": work()}


def questions(state):
    frame, all_names = state
    names = all_names["event"]
    number = {name: code for code, name in enumerate(names)}
    n_names = len(names)
    lazy = frame.lazy()
    first_of_session = C("session") != C("session").shift(1, fill_value=2**32 - 1)
    observed_until = frame["time"].max()
    # Customers one after the other on one axis of time, further apart than any window: comparisons need no partition.
    start = frame["time"].min()
    width = (observed_until - start) // race.AXIS_US + race.WITHIN_AXIS + 1
    axis = C("customer").cast(pl.Int64) * width + (C("time") - start) // race.AXIS_US

    def sessions():
        """First place and length of each session."""
        return (
            lazy.select(place=pl.arg_where(first_of_session))
            .with_columns(length=(C("place").shift(-1, fill_value=frame.height) - C("place")))
        )

    def paths():
        code = frame["code"]
        found = sessions().collect()
        place, length = found["place"], found["length"]
        last = frame.height - 1
        key = None
        for k in range(race.FIRST):
            byte = code.gather((place + k).clip(upper_bound=last)).cast(pl.UInt64) + 1
            byte = byte * (length > k).cast(pl.UInt64) * (1 << (8 * k))
            key = byte if key is None else key + byte
        counts = pl.DataFrame({"key": key}).lazy().group_by("key").len().collect()
        distinct = counts.height
        least = counts["len"].top_k(race.TOP).min()
        return found.height, distinct, counts.filter(C("len") >= least)

    def paths_answer(found):
        journeys, distinct, top = found
        return {"journeys": journeys, "distinct": distinct, "top": race.top_paths(top.rows(), names, race.TOP)}

    pair = C("code").cast(pl.UInt16) * n_names + C("code").shift(-1, fill_value=0)
    within_session = C("session") == C("session").shift(-1, fill_value=2**32 - 1)

    def transitions():
        return lazy.select(pair=pair.filter(within_session)).group_by("pair").len().collect()

    def pair_name(pair):
        return f"{names[pair // n_names]} > {names[pair % n_names]}"

    def transitions_answer(found):
        pairs = {pair_name(pair): count for pair, count in found.rows()}
        return {"count": sum(pairs.values()), "pairs": pairs}

    def transition_times():
        between = C("time").shift(-1) - C("time")
        return (
            lazy.select(
                pair=pair.filter(within_session),
                between=between.filter(within_session),
                customer=C("customer").filter(within_session),
            )
            .group_by("pair")
            .agg(pl.len(), C("customer").rle_id().last() + 1, C("between").quantile(0.5, "lower"))
            .collect()
        )

    def transition_times_answer(found):
        return {"pairs": {pair_name(p): [n, c, None if n < 5 else int(t)] for p, n, c, t in found.rows()}}

    def stages(steps, rows=lazy):
        """A row for each event of a step: the latest start of an attempt that has reached it, as a running maximum; on
        the one axis a start of another customer is too far away to count."""
        codes = [number[step] for step in steps]
        stage = rows.filter(C("code").is_in(codes)).select(
            "customer", "code", axis.alias("at"), pl.lit(None, dtype=pl.Int64).alias("start")
        )
        for step, code in enumerate(codes):
            hit = C("code") == code
            start = C("at")
            if step > 0:
                hit = (hit & (C("at") - C("start") <= race.WITHIN_AXIS)).fill_null(False)
                start = C("start")
            stage = stage.with_columns(
                pl.when(hit).then(start).cum_max().forward_fill().alias("start"), hit.alias(f"hit{step}")
            )
        return stage

    def customers_of(step):
        return C("customer").filter(C(f"hit{step}"))

    def funnel(steps, rows=lazy):
        def work():
            reached = [customers_of(step).rle_id().last().alias(f"n{step}") for step in range(len(steps))]
            return [0 if n is None else n + 1 for n in stages(steps, rows).select(reached).collect().row(0)]

        return work

    def funnel_answer(found):
        return {"journeys": counts(state)[1], "reached": found}

    def funnel_times():
        stage = stages(race.COMMON).collect()
        reached = [stage.select(customers_of(step).rle_id().last() + 1).item() or 0 for step in range(4)]
        ends = stage.lazy().filter("hit3").group_by("customer").agg(end=C("at").first()).sort("end")
        entries = stage.lazy().filter("hit0").select(entry="at")
        # Of the attempts that convert first, the one that starts first.
        return reached, (
            ends.with_columns(earliest=C("end") - race.WITHIN_AXIS)
            .join_asof(entries, left_on="earliest", right_on="entry", strategy="forward")
            .select((C("end") - C("entry")).sort())
            .collect()
            .to_series()
        )

    def funnel_by_channel():
        first = frame.lazy().select(pl.arg_where(C("customer") != C("customer").shift(1, fill_value=2**32 - 1))).collect()
        channels = frame["channel"].gather(first.to_series())
        reached = stages(race.COMMON).collect()
        found = {}
        for step in range(4):
            who = reached.lazy().select(customers_of(step).unique()).collect().to_series()
            for channel, n in channels.gather(who).value_counts().rows():
                found.setdefault(channel, [0, 0, 0, 0])[step] = n
        return found

    def funnel_by_channel_answer(found):
        return {"reached": {all_names["channel"][code]: n for code, n in found.items()}}

    device, regions = all_names["device"], all_names["region"]
    kept = lazy
    if device:
        regions_kept = [code for code, name in enumerate(regions) if name in race.REGIONS]
        kept = lazy.filter(C("device") == device.index(race.DEVICE), C("region").is_in(regions_kept))

    goal = number["purchase"]

    def dropoff():
        code, time, customer = frame["code"], frame["time"], frame["customer"]
        goals = lazy.select(at=pl.arg_where(C("code") == goal)).collect()["at"]
        found = sessions().collect()
        place, length = found["place"], found["length"]
        end = place + length - 1
        reached = (
            pl.DataFrame({"session": frame["session"].gather(goals)}).lazy().select(C("session").unique()).collect()
        )["session"]
        ends = pl.DataFrame(
            {
                "place": place,
                "end": end,
                "customer": customer.gather(place),
                "code": code.gather(end),
                "start_time": time.gather(place),
                "end_time": time.gather(end),
            }
        ).with_row_index("session")
        is_reached = pl.Series(values=[False]).new_from_index(0, ends.height).scatter(reached, True)
        has_next = (C("customer") == C("customer").shift(-1, fill_value=2**32 - 1)).alias("has_next")
        idle = observed_until - C("end_time")
        ends = ends.with_columns(is_reached.alias("reached"), has_next).with_columns(
            open=~C("reached") & ~C("has_next") & (idle < race.GAP_US)
        )
        ends = ends.with_columns(exit=~C("reached") & ~C("open"))
        known = C("exit") & (idle >= race.WITHIN_US)
        back = C("has_next") & (C("start_time").shift(-1) - C("end_time") <= race.WITHIN_US)
        totals = ends.select(
            C("reached").sum(),
            C("exit").sum().alias("exits"),
            C("open").sum(),
            (known & back).sum().alias("returned"),
            known.sum().alias("return_known"),
        ).row(0, named=True)
        exits = ends.filter("exit")
        # A visit is a session with a known outcome and a touchpoint, once: the bits of the touchpoints of a session.
        bits = (
            lazy.select("session", bit=(pl.lit(1, dtype=pl.UInt64) * 2 ** C("code").cast(pl.UInt64)))
            .group_by("session")
            .agg(C("bit").bitwise_or())
            .collect()
        )
        is_open = ends["open"].gather(bits["session"])
        known_bits = bits.filter(~is_open)["bit"]
        visits = pl.DataFrame({"bit": known_bits}).select(
            [((C("bit") // (1 << k)) % 2).sum().alias(str(k)) for k in range(n_names)]
        )
        exits_by = exits.lazy().group_by("code").len().collect()
        key = None
        at, first = exits["end"], exits["place"]
        for k in range(race.BEFORE + 1):
            byte = code.gather(pl.select(pl.when(at >= k).then(at - k).otherwise(0)).to_series()).cast(pl.UInt64) + 1
            inside = at >= first + k
            # The first touchpoint of the sequence goes into the lowest byte.
            key = byte if key is None else pl.select(
                pl.when(inside).then(key * 256 + byte).otherwise(key)
            ).to_series()
        before = pl.DataFrame({"key": key}).lazy().group_by("key").len().collect()
        least = before["len"].top_k(race.TOP_BEFORE).min()
        return totals, visits.row(0), exits_by.rows(), before.filter(C("len") >= least).rows()

    def dropoff_answer(found):
        totals, visits, exits_by, before = found
        points = {names[k]: [n, 0] for k, n in enumerate(visits) if n}
        for code, n in exits_by:
            points[names[code]][1] = n
        return {**totals, "points": points, "before": race.top_paths(before, names, race.TOP_BEFORE)}

    def gap_sessions():
        pause = (C("time") - C("time").shift(1)) > race.GAP_US
        other = C("customer") != C("customer").shift(1)
        return lazy.select((pause | other).sum()).collect().item() + 1

    def retention():
        """Of each customer only the first event of every week; times ascend, so the week changes there."""
        week = ((C("time") + race.MONDAY_US) // race.WEEK_US).cast(pl.Int16)
        is_first = C("customer") != C("customer").shift(1)
        return (
            lazy.select("customer", week=week)
            .filter(is_first.fill_null(True) | (C("week") != C("week").shift(1)))
            .with_columns(cohort=pl.when(is_first.fill_null(True)).then("week").forward_fill())
            .group_by("cohort", (C("week") - C("cohort")).alias("after"))
            .len()
            .collect()
            .rows()
        )

    yield "paths", paths, paths_answer
    yield "transitions", transitions, transitions_answer
    yield "transition_times", transition_times, transition_times_answer
    yield "funnel_common", funnel(race.COMMON), funnel_answer
    yield "funnel_rare", funnel(race.RARE), funnel_answer
    yield "funnel_times", funnel_times, lambda found: race.times_to_convert(*found)
    yield "funnel_by_channel", funnel_by_channel, funnel_by_channel_answer
    yield "funnel_filtered", funnel(race.COMMON, kept), lambda found: {"reached": found}
    yield "dropoff", dropoff, dropoff_answer
    yield "sessions", gap_sessions, lambda n: {"sessions": n}
    yield "retention", retention, race.retention


race.run("polars", pl.__version__, args, globals())
