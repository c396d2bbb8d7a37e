"""The levels that ClickHouse's windowFunnel finds, by way of chdb (pip install chdb). For tests only.

usage: python funnel_chdb.py EVENTS LEVELS WINDOW STEP STEP...

EVENTS: CSV without header: group, time in seconds, event name. LEVELS: one line "group,level" for each group.
"""

import sys

import chdb


def main() -> None:
    events, levels, window, *steps = sys.argv[1:]
    conditions = ", ".join(f"event = '{step}'" for step in steps)
    query = f"""
        SELECT key, windowFunnel({int(window)})(time, {conditions})
        FROM file('{events}', 'CSV', 'key UInt32, time UInt64, event String')
        GROUP BY key ORDER BY key
    """
    with open(levels, "w", encoding="utf-8") as out:
        out.write(str(chdb.query(query, "CSV")))


if __name__ == "__main__":
    main()
