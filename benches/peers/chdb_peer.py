"""chDB's side of the race (ClickHouse as a library): a MergeTree in the order customer, session, time.

Names are an Enum8 (one byte, numbers and texts at once, as fast as LowCardinality and smaller). Nothing is compressed
that is read for every question: warm, that is faster. `t` is microseconds; events of one customer at one millisecond are
numbered in its last digits, so that `t` alone is the order of events and `windowFunnel` sees it. Comparisons of times
allow SLACK for that.

Fastest forms found: `windowFunnel` over the events of the steps only, aggregated in the table's order; neighbours by one
array per 1,024 customers instead of window functions; sessions by arrays in the table's order.
"""

import json
import os
import sys
import tempfile

sys.path.insert(0, os.path.dirname(__file__))
import chdb
import race
from chdb import session as chdb_session

args = race.arguments()
SLACK = 500
CHUNK = 1024

CREATE = """
CREATE DATABASE race;
CREATE TABLE race.ev (
    customer UInt32 CODEC(Delta, LZ4), session UInt32 CODEC(Delta, LZ4), t UInt64 CODEC(NONE),
    event Enum8({names}) CODEC(NONE),
    channel LowCardinality(String), device LowCardinality(String), region LowCardinality(String)
) ENGINE = MergeTree ORDER BY (customer, session, t) SETTINGS min_bytes_for_wide_part = 0, old_parts_lifetime = 1;
"""
LOAD = """
INSERT INTO race.ev
SELECT customer, session, time + (n - since), event, channel, device, region FROM (
    SELECT *, max(if(is_new, n, 0)) OVER w AS since,
        (sum(c) OVER w - 1)::UInt32 AS customer, (sum(s) OVER w - 1)::UInt32 AS session
    FROM (
        SELECT customer_id, time, seq, event, channel, device, region, row_number() OVER w AS n,
            customer_id != any(customer_id) OVER w1 AS c, session_id != any(session_id) OVER w1 AS s,
            c OR time != any(time) OVER w1 AS is_new
        FROM (
            SELECT customer_id, session_id, toUnixTimestamp64Micro(time) AS time, seq, event, channel, device, region
            FROM {log}
        ) WINDOW
            w AS (ORDER BY customer_id, time, seq ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW),
            w1 AS (ORDER BY customer_id, time, seq ROWS BETWEEN 1 PRECEDING AND 1 PRECEDING)
    ) WINDOW w AS (ORDER BY customer_id, time, seq ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
) SETTINGS max_insert_block_size = 100000000;
OPTIMIZE TABLE race.ev FINAL;
"""
CSV = """customer_id String, time DateTime64(6, \\'UTC\\'), event String, session_id String,
    channel String, device String, region String, plan String,
    campaign String, ab String, value String, currency String, seq UInt32"""


def connect(path):
    session = chdb_session.Session(path)
    for setting in (
        f"max_threads = {args.threads}",
        "optimize_aggregation_in_order = 1",
        "output_format_json_quote_64bit_integers = 0",
        "date_time_input_format = 'best_effort'",
    ):
        session.query(f"SET {setting}")
    return session


def rows(found):
    return [json.loads(line) for line in str(found).splitlines()]


def asked(session, query):
    return session.query(query, "JSONCompactEachRow")


def source(path):
    text = path.replace("'", "\\'")
    return f"file('{text}', CSVWithNames, '{' '.join(CSV.split())}')" if path.endswith(".csv") else f"file('{text}')"


def load(path):
    session = connect(args.store or tempfile.mkdtemp())
    log = source(os.path.abspath(path))
    names = [name for (name,) in rows(asked(session, f"SELECT DISTINCT event::String FROM {log} ORDER BY 1"))]
    session.query(CREATE.format(names=", ".join(f"'{name}' = {code}" for code, name in enumerate(names))))
    session.query(LOAD.format(log=log))
    check = "SELECT max(t % 1000) < {} FROM race.ev"
    assert rows(asked(session, check.format(SLACK))) == [[1]], "times are no whole milliseconds"
    return session


def counts(session):
    return rows(asked(session, "SELECT count(), max(customer) + 1 FROM race.ev"))[0]


def store(session, path):
    """It is stored already; merges leave old parts behind for a while, which do not count."""
    query = "SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = 'race'"
    return rows(asked(session, query))[0][0]


def reopen(path):
    return connect(path)


def reached(levels):
    return [sum(n for level, n in levels if level > step) for step in range(4)]


def cold(path):
    """Straight from the file, `windowFunnel` over the events of the steps."""
    session = connect(tempfile.mkdtemp())
    log = source(os.path.abspath(path))
    steps = ", ".join(f"event = '{step}'" for step in race.COMMON)
    bits = 20  # of seq, below the milliseconds: the order of events at one time
    levels = asked(
        session,
        f"""SELECT level, count() FROM (
            SELECT windowFunnel({((race.WITHIN_US // 1000 + 1) << bits) - 1})(at, {steps}) AS level FROM (
                SELECT customer_id, event::String AS event,
                    bitShiftLeft(toUnixTimestamp64Milli(time)::UInt64, {bits}) + seq::UInt64 AS at
                FROM {log} WHERE event IN {tuple(race.COMMON)}
            ) GROUP BY customer_id
        ) GROUP BY level""",
    )
    journeys = rows(asked(session, f"SELECT uniqExact(customer_id) FROM {log}"))[0][0]
    return {"journeys": journeys, "reached": reached(rows(levels))}


def questions(session):
    enum = rows(asked(session, "SELECT DISTINCT event::Int8, event FROM race.ev ORDER BY 1"))
    names = [name for _, name in enum]
    n_names = len(names)
    # Settled before the first question, as a schema would say them.
    begin, until, customers = rows(asked(session, "SELECT min(t), max(t), max(customer) + 1 FROM race.ev"))[0]
    begin, until = begin - begin % 1000, until - until % 1000

    def ask(query):
        return lambda: asked(session, query)

    # Customers are never cut by a chunk: its array is split where a session begins.
    paths = f"""
        SELECT count(), sum(n), groupArraySorted({2 * race.TOP})((-toInt64(n), key)) FROM (
            SELECT key, count() AS n FROM (
                SELECT groupArray(event::UInt8) AS e, groupArray(session) AS s FROM race.ev
                GROUP BY intDiv(customer, {CHUNK})
            ) ARRAY JOIN arrayMap(
                path -> reinterpretAsUInt64(arrayStringConcat(arrayMap(c -> char(c + 1), arraySlice(path, 1, {race.FIRST})))),
                arraySplit((c, begins) -> begins, e, arrayMap((a, b) -> a != b, s, arrayPushFront(arrayPopBack(s), {2**32 - 1})))
            ) AS key GROUP BY key
        )
    """

    def packed(codes):
        return sum((code + 1) << (8 * place) for place, code in enumerate(codes))

    def paths_answer(found):
        distinct, journeys, top = rows(found)[0]
        top = race.top_paths([(key, -n) for n, key in top], names, race.TOP)
        return {"journeys": journeys, "distinct": distinct, "top": top}

    # A pair counts within a session only.
    transitions = f"""
        SELECT pair, count() FROM (
            SELECT groupArray(event::UInt8) AS e, groupArray(session) AS s FROM race.ev GROUP BY intDiv(customer, {CHUNK})
        ) ARRAY JOIN arrayMap(
            (a, b, sa, sb) -> if(sa = sb, a * {n_names}::UInt16 + b, 65535),
            arrayPopBack(e), arrayPopFront(e), arrayPopBack(s), arrayPopFront(s)
        ) AS pair GROUP BY pair
    """

    def pair_name(pair):
        return f"{names[pair // n_names]} > {names[pair % n_names]}"

    def transitions_answer(found):
        pairs = {pair_name(pair): n for pair, n in rows(found) if pair != 65535}
        return {"count": sum(pairs.values()), "pairs": pairs}

    transition_times = f"""
        SELECT pair, count(), uniqExact(customer), quantileExactLow(0.5)(between) FROM (
            SELECT customer, groupArray(event::UInt8) AS e, groupArray(t) AS ts FROM race.ev GROUP BY customer, session
        ) ARRAY JOIN
            arrayMap((a, b) -> a * {n_names}::UInt16 + b, arrayPopBack(e), arrayPopFront(e)) AS pair,
            arrayMap((a, b) -> b - a, arrayPopBack(ts), arrayPopFront(ts)) AS between
        GROUP BY pair
    """

    def transition_times_answer(found):
        whole = lambda us: (us + SLACK) // 1000 * 1000
        return {"pairs": {pair_name(p): [n, c, None if n < 5 else whole(m)] for p, n, c, m in rows(found)}}

    def quoted(steps):
        return ", ".join(f"'{step}'" for step in steps)

    def levels(steps, where="true"):
        conditions = ", ".join(f"event = '{step}'" for step in steps)
        return f"""SELECT customer, windowFunnel({race.WITHIN_US + SLACK})(t, {conditions}) AS level
            FROM race.ev WHERE event IN ({quoted(steps)}) AND {where} GROUP BY customer"""

    def funnel(steps, where="true"):
        return ask(f"SELECT level, count() FROM ({levels(steps, where)}) GROUP BY level")

    def funnel_answer(found):
        return {"journeys": customers, "reached": reached(rows(found))}

    # windowFunnel tells no times. So, of the customers who convert: the latest start of an attempt that has reached each step, as a running maximum;
    # customers lie one after the other on one axis of time, further apart than the window.
    # It begins beyond the window, so that 0 is no start.
    width = (until - begin) // race.AXIS_US + 2 * race.WITHIN_AXIS
    axis = f"customer * {width}::UInt64 + intDiv(t - {begin}, {race.AXIS_US}) + {2 * race.WITHIN_AXIS}"
    stages = f"""SELECT customer, session, t, event, {axis} AS x
        FROM race.ev WHERE event IN ({quoted(race.COMMON)})
        AND customer IN (SELECT customer FROM ({levels(race.COMMON)}) WHERE level = {len(race.COMMON)})"""
    for step, name in enumerate(race.COMMON):
        hit = f"event = '{name}'" + (f" AND x - s{step - 1} <= {race.WITHIN_AXIS}" if step else "")
        stages = f"""SELECT *, {hit} AS h{step},
            max(if(h{step}, {f"s{step - 1}" if step else "x"}, 0)) OVER w AS s{step} FROM ({stages})
            WINDOW w AS (ORDER BY customer, session, t ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)"""
    # Of the attempts that convert first, the one that starts first.
    times = f"""
        SELECT arraySort(groupArray(ends.x - entries.x)) FROM (
            SELECT customer, minIf(x, h3) AS x, x - {race.WITHIN_AXIS} AS earliest
            FROM ({stages}) GROUP BY customer
        ) AS ends ASOF JOIN (
            SELECT customer, {axis} AS x FROM race.ev WHERE event = '{race.COMMON[0]}'
        ) AS entries ON ends.customer = entries.customer AND ends.earliest <= entries.x
    """

    def funnel_times():
        return funnel(race.COMMON)(), asked(session, times)

    def funnel_times_answer(found):
        return race.times_to_convert(reached(rows(found[0])), rows(found[1])[0][0])

    funnel_by_channel = f"""
        SELECT channel, level, count() FROM ({levels(race.COMMON)}) AS levels
        JOIN (SELECT customer, any(channel) AS channel FROM race.ev GROUP BY customer) AS came USING (customer)
        GROUP BY channel, level
    """

    def funnel_by_channel_answer(found):
        found = rows(found)
        channels = {channel for channel, _, _ in found}
        return {"reached": {c: reached([row[1:] for row in found if row[0] == c]) for c in channels}}

    kept = f"device = '{race.DEVICE}' AND region IN ({quoted(race.REGIONS)})"

    outcomes = f"""
        CREATE OR REPLACE TABLE race.outcomes ENGINE = Memory AS
        SELECT last, bits, before, has_next AND next_begin - end <= {race.WITHIN_US + SLACK} AS is_back,
            {until} - (end - end % 1000) AS idle, bitTest(bits, {names.index("purchase")}) = 1 AS reached,
            NOT reached AND NOT has_next AND idle < {race.GAP_US} AS is_open, NOT reached AND NOT is_open AS is_exit
        FROM (
            SELECT *, before[-1] AS last, any(customer) OVER next = customer AS has_next, any(begin) OVER next AS next_begin
            FROM (
                SELECT customer, session, min(t) AS begin, max(t) AS end, groupBitOr(bitShiftLeft(1::UInt64, event::UInt8)) AS bits,
                    arraySlice(groupArray(event::UInt8), -{race.BEFORE + 1}) AS before
                FROM race.ev GROUP BY customer, session
            ) WINDOW next AS (ORDER BY customer, session ROWS BETWEEN 1 FOLLOWING AND 1 FOLLOWING)
        )
    """
    known = f"is_exit AND idle >= {race.WITHIN_US}"
    totals = f"""
        SELECT countIf(reached), countIf(is_exit), countIf(is_open), countIf({known} AND is_back), countIf({known}),
            [{", ".join(f"countIf(NOT is_open AND bitTest(bits, {code}))" for code in range(n_names))}],
            [{", ".join(f"countIf(is_exit AND last = {code})" for code in range(n_names))}]
        FROM race.outcomes
    """
    before = f"""SELECT before, count() AS n FROM race.outcomes WHERE is_exit GROUP BY before
        ORDER BY n DESC LIMIT {2 * race.TOP_BEFORE}"""

    def dropoff():
        session.query(outcomes)
        return asked(session, totals), asked(session, before)

    def dropoff_answer(found):
        *numbers, visits, exits = rows(found[0])[0]
        return {
            **dict(zip(["reached", "exits", "open", "returned", "return_known"], numbers)),
            "points": {name: [v, x] for name, v, x in zip(names, visits, exits) if v},
            "before": race.top_paths([(packed(path), n) for path, n in rows(found[1])], names, race.TOP_BEFORE),
        }

    sessions = f"""SELECT sum(arrayCount(pause -> pause > {race.GAP_US + SLACK}, arrayDifference(ts)) + 1)
        FROM (SELECT groupArray(t) AS ts FROM race.ev GROUP BY customer)"""

    # A customer's weeks as bits; those with the same weeks are counted together. `retention` itself knows one cohort only.
    first_week, last_week = ((time + race.MONDAY_US) // race.WEEK_US for time in (begin, until))
    bits = "UInt64" if last_week - first_week < 64 else "UInt256"
    retention = f"""
        SELECT weeks[1] + {first_week} AS cohort, week - weeks[1] AS after, sum(n) FROM (
            SELECT bitPositionsToArray(bits) AS weeks, count() AS n FROM (
                SELECT groupBitOr(bitShiftLeft(1::{bits}, intDiv(t + {race.MONDAY_US}, {race.WEEK_US}) - {first_week})) AS bits
                FROM race.ev GROUP BY customer
            ) GROUP BY bits
        ) ARRAY JOIN weeks AS week GROUP BY cohort, after
    """

    yield "paths", ask(paths), paths_answer
    yield "transitions", ask(transitions), transitions_answer
    yield "transition_times", ask(transition_times), transition_times_answer
    yield "funnel_common", funnel(race.COMMON), funnel_answer
    yield "funnel_rare", funnel(race.RARE), funnel_answer
    yield "funnel_times", funnel_times, funnel_times_answer
    yield "funnel_by_channel", ask(funnel_by_channel), funnel_by_channel_answer
    yield "funnel_filtered", funnel(race.COMMON, kept), lambda found: {"reached": reached(rows(found))}
    yield "dropoff", dropoff, dropoff_answer
    yield "sessions", ask(sessions), lambda found: {"sessions": rows(found)[0][0]}
    yield "retention", ask(retention), lambda found: race.retention(rows(found))


race.run("chdb", chdb.__version__, args, globals())
