"""DuckDB's side of the race: a table in the order customer, time, seq, names as an enumeration.

Window functions without partition stream over the table in its order, which is much faster than sorting it again for
every question; `pos` is a row's place in that order.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(__file__))
import duckdb
import race

args = race.arguments()

LOAD = """
CREATE TYPE event_name AS ENUM (SELECT DISTINCT event::VARCHAR FROM {log} ORDER BY 1);
CREATE TYPE channel_name AS ENUM (SELECT DISTINCT channel::VARCHAR FROM {log} ORDER BY 1);
CREATE TYPE device_name AS ENUM (SELECT DISTINCT device::VARCHAR FROM {log} ORDER BY 1);
CREATE TYPE region_name AS ENUM (SELECT DISTINCT region::VARCHAR FROM {log} ORDER BY 1);
CREATE TABLE ev AS
WITH sorted AS (
    SELECT customer_id, epoch_us(time) AS t, event::event_name AS event, session_id,
        channel::channel_name AS channel, device::device_name AS device, region::region_name AS region
    FROM {log} ORDER BY customer_id, time, seq
), marked AS (
    SELECT *,
        customer_id IS DISTINCT FROM lag(customer_id) OVER () AS c,
        session_id IS DISTINCT FROM lag(session_id) OVER () AS s
    FROM sorted
)
SELECT
    (row_number() OVER () - 1)::UINTEGER AS pos,
    (sum(c::INTEGER) OVER (ROWS UNBOUNDED PRECEDING) - 1)::UINTEGER AS customer,
    t, event, enum_code(event)::UTINYINT AS code,
    (sum(s::INTEGER) OVER (ROWS UNBOUNDED PRECEDING) - 1)::UINTEGER AS session,
    channel, device, region, c AS is_first
FROM marked;
"""


def source(path):
    read = "read_csv" if path.endswith(".csv") else "read_parquet"
    return f"{read}('{path.replace(chr(39), chr(39) * 2)}')"


def connect(path=":memory:", **config):
    connection = duckdb.connect(path, **config)
    connection.execute(f"SET threads={args.threads}; SET preserve_insertion_order=true;")
    return connection


def load(path):
    connection = connect()
    log = source(path)
    if path.endswith(".csv"):  # parsed once
        columns = "customer_id, time, event, session_id, channel, device, region, seq"
        connection.execute(f"CREATE TABLE raw AS SELECT {columns} FROM {log}")
        log = "raw"
    connection.execute(LOAD.format(log=log) + "DROP TABLE IF EXISTS raw;")
    return connection


def counts(connection):
    return connection.execute("SELECT count(*), max(customer) + 1 FROM ev").fetchone()


def store(connection, path):
    connection.execute(f"ATTACH '{path}' AS stored; COPY FROM DATABASE memory TO stored; DETACH stored;")


def reopen(path):
    return connect(path, read_only=True)


def cold(path):
    """Filter while reading; sort what is left; customers without any step are counted by their ids alone."""
    connection = connect()
    steps = ", ".join(f"'{step}'" for step in race.COMMON)
    connection.execute(f"""
        CREATE TYPE event_name AS ENUM ({steps});
        CREATE TABLE ev AS
        SELECT rank_dense AS customer, t, code FROM (
            SELECT (dense_rank() OVER (ORDER BY customer_id) - 1)::UINTEGER AS rank_dense, epoch_us(time) AS t,
                enum_code(event::event_name)::UTINYINT AS code, time, seq
            FROM {source(path)} WHERE event IN ({steps})
        ) ORDER BY rank_dense, time, seq
    """)
    journeys = connection.execute(f"SELECT count(DISTINCT customer_id) FROM {source(path)}").fetchone()[0]
    work, answer = next((w, a) for name, w, a in questions(connection) if name == "funnel_common")
    return {**answer(work()), "journeys": journeys}


def questions(connection):
    names = [row[0] for row in connection.execute("SELECT unnest(enum_range(NULL::event_name))::VARCHAR").fetchall()]
    number = {name: code for code, name in enumerate(names)}

    def asked(query):
        return lambda: connection.execute(query).fetchall()

    paths = f"""
        WITH placed AS (
            SELECT session, code, pos - max(CASE WHEN begins THEN pos END) OVER (ROWS UNBOUNDED PRECEDING) AS place
            FROM (SELECT session, code, pos, session IS DISTINCT FROM lag(session) OVER () AS begins FROM ev)
        ), keys AS (
            SELECT bit_or((code + 1)::UBIGINT << (8 * place)::UBIGINT) AS key
            FROM placed WHERE place < {race.FIRST} GROUP BY session
        ), counted AS (SELECT key, count(*) AS n FROM keys GROUP BY key)
        SELECT key, n, (SELECT count(*) FROM counted) AS paths, (SELECT sum(n) FROM counted) AS journeys
        FROM counted ORDER BY n DESC LIMIT 2 * {race.TOP}
    """

    def paths_answer(rows):
        top = race.top_paths([(key, n) for key, n, _, _ in rows], names, race.TOP)
        return {"journeys": int(rows[0][3]), "distinct": rows[0][2], "top": top}

    transitions = """
        SELECT code, next_code, count(*) FROM (
            SELECT code, session, lead(code) OVER () AS next_code, lead(session) OVER () AS next_session FROM ev
        ) WHERE session = next_session GROUP BY ALL
    """

    def transitions_answer(rows):
        pairs = {f"{names[a]} > {names[b]}": n for a, b, n in rows}
        return {"count": sum(pairs.values()), "pairs": pairs}

    transition_times = """
        SELECT code, next_code, count(*), count(DISTINCT customer), quantile_disc(next_t - t, 0.5) FROM (
            SELECT customer, code, t, session, lead(t) OVER () AS next_t, lead(code) OVER () AS next_code,
                lead(session) OVER () AS next_session FROM ev
        ) WHERE session = next_session GROUP BY code, next_code
    """

    def transition_times_answer(rows):
        return {"pairs": {f"{names[a]} > {names[b]}": [n, c, None if n < 5 else m] for a, b, n, c, m in rows}}

    def stages(steps, where="true"):
        """A row for each event of a step: the latest start of an attempt that has reached it, as a running maximum.

        Customers lie one after the other on one axis of time, further apart than the window, so no partition is needed.
        """
        span = connection.execute("SELECT min(t), max(t) FROM ev").fetchone()
        width = (span[1] - span[0]) // race.AXIS_US + race.WITHIN_AXIS + 1
        codes = ", ".join(str(number[s]) for s in steps)
        query = f"""SELECT customer, code, customer::BIGINT * {width} + (t - {span[0]}) // {race.AXIS_US} AS x FROM ev
            WHERE code IN ({codes}) AND {where}"""
        kept = ""
        for step, name in enumerate(steps):
            code = number[name]
            hit = f"code = {code}" if step == 0 else f"code = {code} AND x - s{step - 1} <= {race.WITHIN_AXIS}"
            start = "x" if step == 0 else f"s{step - 1}"
            query = f"""SELECT customer, code, x{kept}, coalesce({hit}, false) AS h{step},
                max(CASE WHEN {hit} THEN {start} END) OVER (ROWS UNBOUNDED PRECEDING) AS s{step} FROM ({query})"""
            kept += f", h{step}"
        return query

    DEPTH = " + ".join(f"bool_or(h{step})::INTEGER" for step in range(4))

    def depths(steps, where="true"):
        return f"SELECT customer, {DEPTH} AS depth FROM ({stages(steps, where)}) GROUP BY customer"

    def funnel(steps, where="true"):
        return asked(f"SELECT depth, count(*) FROM ({depths(steps, where)}) GROUP BY depth")

    def reached(rows):
        return [sum(n for depth, n in rows if depth > step) for step in range(4)]

    def funnel_answer(rows):
        return {"journeys": counts(connection)[1], "reached": reached(rows)}

    # Of the attempts that convert first, the one that starts first.
    funnel_times = f"""
        WITH staged AS MATERIALIZED ({stages(race.COMMON)}),
        ends AS (SELECT min(x) - {race.WITHIN_AXIS} AS earliest, min(x) AS x FROM staged WHERE h3 GROUP BY customer),
        times AS MATERIALIZED (
            SELECT ends.x - entries.x AS between
            FROM ends ASOF JOIN (SELECT x FROM staged WHERE h0) entries ON entries.x >= ends.earliest
        )
        SELECT depth, count(*), NULL FROM (SELECT {DEPTH} AS depth FROM staged GROUP BY customer) GROUP BY depth
        UNION ALL
        SELECT -1, count(*), list(between ORDER BY between) FROM times
    """

    def funnel_times_answer(rows):
        between = next(found for depth, _, found in rows if depth == -1) or []
        return race.times_to_convert(reached([row[:2] for row in rows]), between)

    funnel_by_channel = f"""
        SELECT channel, depth, count(*) FROM ({depths(race.COMMON)})
        JOIN (SELECT customer, channel FROM ev WHERE is_first) USING (customer) GROUP BY ALL
    """

    def funnel_by_channel_answer(rows):
        channels = {channel for channel, _, _ in rows}
        return {"reached": {c: reached([row[1:] for row in rows if row[0] == c]) for c in channels}}

    kept = f"device = '{race.DEVICE}' AND region IN ({', '.join(repr(r) for r in race.REGIONS)})"

    yield "funnel_common", funnel(race.COMMON), funnel_answer
    until = connection.execute("SELECT max(t) FROM ev").fetchone()[0]
    goal = number["purchase"]
    before = ", ".join(f"lag(code, {k}) OVER () AS c{k}, lag(session, {k}) OVER () AS s{k}" for k in range(1, race.BEFORE + 1))
    # Packed with the first touchpoint in the lowest byte.
    key = "(code + 1)::UBIGINT"
    for k in range(1, race.BEFORE + 1):
        key = f"CASE WHEN s{k} = session THEN ({key}) * 256 + c{k} + 1 ELSE {key} END"
    dropoff = f"""
        WITH visited AS MATERIALIZED (
            SELECT session, bit_or(1::UBIGINT << code::UBIGINT) AS bits, min(pos) AS first, max(pos) AS last
            FROM ev GROUP BY session
        ), ends AS MATERIALIZED (
            SELECT session, customer, code, t, next_customer IS NOT DISTINCT FROM customer AS has_next, next_t, {key} AS key
            FROM (
                SELECT session, customer, code, t, lead(session) OVER () AS next_session,
                    lead(customer) OVER () AS next_customer, lead(t) OVER () AS next_t, {before}
                FROM ev
            ) WHERE session IS DISTINCT FROM next_session
        ), outcomes AS MATERIALIZED (
            SELECT ends.*, bits, bits >> {goal} & 1 = 1 AS reached,
                bits >> {goal} & 1 = 0 AND NOT has_next AND {until} - t < {race.GAP_US} AS open
            FROM ends JOIN visited USING (session)
        ), exits AS MATERIALIZED (SELECT * FROM outcomes WHERE NOT reached AND NOT open)
        SELECT 0 AS kind, 0::UBIGINT AS key, count(*) FILTER (reached), count(*) FILTER (open), 0, 0, 0 FROM outcomes
        UNION ALL
        SELECT 1, 0, count(*), count(*) FILTER ({until} - t >= {race.WITHIN_US}),
            count(*) FILTER ({until} - t >= {race.WITHIN_US} AND has_next AND next_t - t <= {race.WITHIN_US}), 0, 0 FROM exits
        UNION ALL
        SELECT 2, k, sum(bits >> k::UBIGINT & 1), 0, 0, 0, 0
        FROM (SELECT bits FROM outcomes WHERE NOT open), range({len(names)}) AS r(k) GROUP BY k
        UNION ALL
        SELECT 3, code, count(*), 0, 0, 0, 0 FROM exits GROUP BY code
        UNION ALL
        (SELECT 4, key, count(*) AS n, 0, 0, 0, 0 FROM exits GROUP BY key ORDER BY n DESC LIMIT 2 * {race.TOP_BEFORE})
    """

    def dropoff_answer(rows):
        kinds = {kind: [row[1:] for row in rows if row[0] == kind] for kind in range(5)}
        points = {names[key]: [int(n), 0] for key, n, *_ in kinds[2] if n}
        for key, n, *_ in kinds[3]:
            points[names[key]][1] = n
        return {
            "reached": kinds[0][0][1],
            "open": kinds[0][0][2],
            "exits": kinds[1][0][1],
            "return_known": kinds[1][0][2],
            "returned": kinds[1][0][3],
            "points": points,
            "before": race.top_paths([row[:2] for row in kinds[4]], names, race.TOP_BEFORE),
        }

    sessions = f"""
        SELECT count(*) FROM (SELECT customer, t, lag(customer) OVER () AS c, lag(t) OVER () AS b FROM ev)
        WHERE customer IS DISTINCT FROM c OR t - b > {race.GAP_US}
    """

    # Of each customer only the first event of every week; times ascend, so the week changes there.
    retention = f"""
        SELECT cohort, week - cohort, count(*) FROM (
            SELECT week, last_value(CASE WHEN is_first THEN week END IGNORE NULLS) OVER (ROWS UNBOUNDED PRECEDING) AS cohort
            FROM (
                SELECT week, is_first, week IS DISTINCT FROM lag(week) OVER () AS is_new
                FROM (SELECT is_first, ((t + {race.MONDAY_US}) // {race.WEEK_US})::USMALLINT AS week FROM ev)
            ) WHERE is_first OR is_new
        ) GROUP BY ALL
    """

    yield "paths", asked(paths), paths_answer
    yield "transitions", asked(transitions), transitions_answer
    yield "transition_times", asked(transition_times), transition_times_answer
    yield "funnel_rare", funnel(race.RARE), funnel_answer
    yield "funnel_times", asked(funnel_times), funnel_times_answer
    yield "funnel_by_channel", asked(funnel_by_channel), funnel_by_channel_answer
    yield "funnel_filtered", funnel(race.COMMON, kept), lambda rows: {"reached": reached(rows)}
    yield "dropoff", asked(dropoff), dropoff_answer
    yield "sessions", asked(sessions), lambda rows: {"sessions": rows[0][0]}
    yield "retention", asked(retention), race.retention


race.run("duckdb", duckdb.__version__, args, globals())
