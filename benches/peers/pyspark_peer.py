"""PySpark's side of the race: one machine, a cached frame, customers together and in order, names as codes.

Windows by customer or session need neither shuffle nor sort then.
"""

import os
import sys
import tempfile

sys.path.insert(0, os.path.dirname(__file__))
import pyspark
import race
from pyspark.sql import SparkSession, Window
from pyspark.sql import functions as F

args = race.arguments()
C = F.col


def spark():
    session = (
        SparkSession.builder.master(f"local[{args.threads}]")
        .config("spark.driver.memory", "8g")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.log.level", "ERROR")
        .config("spark.local.dir", tempfile.mkdtemp())
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.shuffle.partitions", 4 * args.threads)
        .getOrCreate()
    )
    race.WATCHED.append(session.sparkContext._gateway.proc.pid)
    return session


def read(session, path, columns):
    if path.endswith(".csv"):
        frame = session.read.csv(path, header=True).withColumn("time", F.to_timestamp("time"))
        frame = frame.withColumn("seq", C("seq").cast("long"))
    else:
        frame = session.read.parquet(path)
    return frame.select(*columns)


def load(path):
    frame = read(SPARK, path, ["customer_id", "session_id", "time", "event", "seq"])
    names = sorted(row[0] for row in frame.select("event").distinct().collect())
    codes = SPARK.createDataFrame([(name, code) for code, name in enumerate(names)], "event string, code tinyint")
    frame = (
        frame.join(F.broadcast(codes), "event")
        .select("customer_id", "session_id", F.unix_micros("time").alias("t"), "seq", "code")
        .repartition(4 * args.threads, "customer_id")
        .sortWithinPartitions("customer_id", "session_id", "t", "seq")
        .cache()
    )
    frame.count()
    return frame, names


def counts(state):
    return state[0].count(), state[0].select("customer_id").distinct().count()


def stages(frame, steps):
    """For each customer how deep the best attempt came: the latest start that has reached each step, as a running maximum."""
    rows = Window.partitionBy("customer_id").orderBy("t", "seq").rowsBetween(Window.unboundedPreceding, 0)
    start = C("t")
    for step, code in enumerate(steps):
        hit = C("code") == code
        if step > 0:
            hit = F.coalesce(hit & (C("t") - C(f"s{step - 1}") <= race.WITHIN_US), F.lit(False))
            start = C(f"s{step - 1}")
        frame = frame.withColumn(f"h{step}", hit).withColumn(f"s{step}", F.max(F.when(C(f"h{step}"), start)).over(rows))
    depth = sum(F.max(C(f"h{step}").cast("int")) for step in range(len(steps)))
    return frame.groupBy("customer_id").agg(depth.alias("depth")).groupBy("depth").count()


def reached(rows):
    return [sum(n for depth, n in rows if depth > step) for step in range(4)]


def cold(path):
    columns = ["customer_id", "time", "event", "seq"]
    frame = read(SPARK, path, columns)
    journeys = frame.select("customer_id").distinct().count()
    code = sum(F.when(C("event") == step, F.lit(k)).otherwise(0) for k, step in enumerate(race.COMMON))
    kept = frame.where(C("event").isin(race.COMMON)).select("customer_id", F.unix_micros("time").alias("t"), "seq", code.alias("code"))
    return {"journeys": journeys, "reached": reached(stages(kept, range(4)).collect())}


def questions(state):
    frame, names = state

    def transitions():
        order = Window.partitionBy("customer_id", "session_id").orderBy("t", "seq")
        pairs = frame.select("code", F.lead("code").over(order).alias("next")).where(C("next").isNotNull())
        return pairs.groupBy("code", "next").count().collect()

    def transitions_answer(found):
        pairs = {f"{names[a]} > {names[b]}": n for a, b, n in found}
        return {"count": sum(pairs.values()), "pairs": pairs}

    def sessions():
        pause = C("t") - F.lag("t").over(Window.partitionBy("customer_id").orderBy("t", "seq"))
        return frame.select(pause.alias("pause")).where(C("pause").isNull() | (C("pause") > race.GAP_US)).count()

    def funnel(steps):
        codes = [names.index(step) for step in steps]
        return lambda: stages(frame.where(C("code").isin(codes)), codes).collect()

    def funnel_answer(found):
        return {"journeys": counts(state)[1], "reached": reached(found)}

    yield "transitions", transitions, transitions_answer
    yield "funnel_common", funnel(race.COMMON), funnel_answer
    yield "funnel_rare", funnel(race.RARE), funnel_answer
    yield "sessions", sessions, lambda found: {"sessions": found}


SPARK = spark()
race.run("pyspark", pyspark.__version__, args, globals())
jvm = SPARK.sparkContext._gateway.proc
SPARK.stop()
jvm.stdin.close()
jvm.wait()  # so that its CPU time counts as ours
