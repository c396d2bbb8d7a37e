"""KPIs and their intervals against scipy and loops over plain lists."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple

import pytest

import desireline as dl

pl = pytest.importorskip("polars")
np = pytest.importorskip("numpy")
stats = pytest.importorskip("scipy.stats")
special = pytest.importorskip("scipy.special")
optimize = pytest.importorskip("scipy.optimize")

DAY = 24.0
UNTIL = 200 * DAY
START = datetime(2026, 1, 1, tzinfo=timezone.utc)


class Event(NamedTuple):
    at: float
    what: str
    money: float | None


World = dict[str, list[Event]]
Said = tuple[float, float, float]


def make_world() -> World:
    chance = random.Random(7)
    world: World = {}
    for c in range(400):
        at = float(chance.randrange(150 * 24))
        events: list[Event] = []
        pace, often = chance.expovariate(1 / 9.0), chance.random()
        for _ in range(1 + int(chance.expovariate(1 / 5.0))):
            if at >= UNTIL:
                break
            what = "purchase" if chance.random() < 0.5 * often else chance.choice(["view", "cart"])
            money = round(math.exp(chance.gauss(3, 0.6)), 2) if what == "purchase" else None
            events.append(Event(at, what, money))
            at += float(1 + int(24 * chance.expovariate(1 / pace)))
        world[f"c{c:03}"] = events
    return world


@pytest.fixture(scope="module")
def world() -> World:
    return make_world()


def journeys_of(world: World) -> dl.Journeys:
    rows = [(c, e) for c, events in world.items() for e in events]
    rows.append(("last", Event(UNTIL, "end", None)))
    frame = pl.DataFrame(
        {
            "who": [c for c, _ in rows],
            "at": [START + timedelta(hours=e.at) for _, e in rows],
            "what": [e.what for _, e in rows],
            "money": [e.money for _, e in rows],
        },
        schema_overrides={"money": pl.Float64},
    )
    return dl.read(frame, customer="who", time="at", event="what", value="money", currency="EUR").journeys(gap="30m")


@pytest.fixture(scope="module")
def journeys(world: World) -> dl.Journeys:
    return journeys_of(world)


def wilson(k: int, n: int) -> Said:
    ci = stats.binomtest(k, n).proportion_ci(method="wilson")
    return k / n, ci.low, ci.high


def poisson(k: int) -> Said:
    """Garwood by way of chi-square."""
    return k, stats.chi2.ppf(0.025, 2 * k) / 2, stats.chi2.ppf(0.975, 2 * k + 2) / 2


def first(events: list[Event], *what: str) -> int | None:
    return next((i for i, e in enumerate(events) if e.what in what), None)


def within(world: World, entry: str, goal: str, hours: float) -> Said:
    k = n = 0
    for events in world.values():
        i = first(events, entry)
        if i is None or UNTIL - events[i].at < hours:
            continue
        n += 1
        k += any(e.what == goal and e.at - events[i].at <= hours for e in events[i + 1 :])
    return wilson(k, n)


def again(world: World, hours: float) -> Said:
    known = [e for e in world.values() if e and UNTIL - e[0].at >= hours]
    return wilson(sum(any(x.at - e[0].at >= hours for x in e) for e in known), len(known))


def new_customers(world: World) -> int:
    return sum(first(events, "purchase") is not None for events in world.values())


def cost(world: World) -> Said:
    value, low, high = poisson(new_customers(world))
    return 50_000.0 / value, 50_000.0 / high, 50_000.0 / low


def curve(world: World, entry: str, goal: str) -> Any:
    ended: list[float] = []
    cut: list[float] = []
    for events in world.values():
        i = first(events, entry)
        if i is None:
            continue
        then = next((e for e in events[i + 1 :] if e.what == goal), None)
        (ended if then else cut).append((then.at if then else UNTIL) - events[i].at)
    sample = stats.CensoredData(uncensored=ended, right=cut)
    return stats.ecdf(sample).sf


def eventually(world: World, hours: float) -> Said:
    sf = curve(world, "view", "purchase")
    limits = sf.confidence_interval(method="log-log")
    value, low, high = (float(f.evaluate(hours)) for f in (sf, limits.low, limits.high))
    return 1 - value, 1 - high, 1 - low


def time_to_second(world: World) -> Said:
    """Where the curve and its limits come down to one half, in microseconds."""
    sf = curve(world, "purchase", "purchase")
    limits = sf.confidence_interval(method="log-log")

    def down(f: Any) -> float:
        steps = zip(f.quantiles, f.probabilities, strict=True)
        return 3.6e9 * float(next(t for t, s in steps if s <= 0.5 + 1e-12))

    return down(sf), down(limits.low), down(limits.high)


def sessions(events: list[Event]) -> list[list[Event]]:
    cut: list[list[Event]] = []
    for e in events:
        if cut and e.at - cut[-1][-1].at <= 0.5:
            cut[-1].append(e)
        else:
            cut.append([e])
    return cut


def events_a_journey(world: World) -> Said:
    """The ratio of two sums over customers on the log scale, with half as many degrees of freedom as customers carry the events."""
    everybody = [*world.values(), [Event(UNTIL, "end", None)]]
    k = np.array([len(e) for e in everybody if e], dtype=float)
    n = np.array([len(sessions(e)) for e in everybody if e], dtype=float)
    ratio, m = k.sum() / n.sum(), len(k)
    error = math.sqrt(m / (m - 1) * ((k - ratio * n) ** 2).sum()) / n.sum()
    df = min(n.sum() ** 2 / (n**2).sum() - 1, k.sum() ** 2 / (k**2).sum() / 2)
    reach = stats.t.ppf(0.975, df) * error / ratio
    return ratio, ratio * math.exp(-reach), ratio * math.exp(reach)


ORACLES: list[tuple[str, str, dict[str, Any], Callable[[World], Said]]] = [
    ("acquisition", "new", {"purchase": "purchase"}, lambda w: poisson(new_customers(w))),
    ("acquisition", "cac", {"purchase": "purchase", "external": {"spend": [300.0, 200.0]}}, cost),
    (
        "conversion",
        "persons",
        {"entry": "view", "goal": "purchase", "within": "9d"},
        lambda w: within(w, "view", "purchase", 9 * DAY),
    ),
    (
        "conversion",
        "eventual",
        {"entry": "view", "goal": "purchase", "within": "30d"},
        lambda w: eventually(w, 30 * DAY),
    ),
    ("repeat_rate", "rate", {"purchase": "purchase", "within": "20d"}, lambda w: within(w, "purchase", "purchase", 480)),
    ("retention", "rolling", {"after": "15d"}, lambda w: again(w, 15 * DAY)),
    ("engagement", "touchpoints", {}, events_a_journey),
]


@pytest.mark.parametrize(("kpi", "variant", "params", "oracle"), ORACLES, ids=[f"{k}-{v}" for k, v, _, _ in ORACLES])
def test_value_and_interval_are_those_of_scipy(
    journeys: dl.Journeys, world: World, kpi: str, variant: str, params: dict[str, Any], oracle: Callable[[World], Said]
) -> None:
    estimate = journeys.kpi(kpi, variant, **params).estimate
    assert estimate is not None
    assert (estimate.value, estimate.lower, estimate.upper) == pytest.approx(oracle(world), rel=1e-6)


def purchases(world: World) -> Any:
    """Repeats, time of the last one and time watched, in weeks, purchases of one day being one; and the mean money of repeats."""
    rows = []
    for events in world.values():
        bought = [e for e in events if e.what == "purchase"]
        if not bought:
            continue
        days: dict[int, float] = {}
        for e in bought:
            days[int(e.at // DAY)] = days.get(int(e.at // DAY), 0.0) + (e.money or 0.0)
        begin, *later = sorted(days)
        repeats = len(later)
        last = (later[-1] - begin) / 7 if later else 0.0
        money = sum(days[d] for d in later) / repeats if later else math.nan
        rows.append((repeats, last, (UNTIL / DAY - begin) / 7, money))
    return np.array(rows).T


def fit_purchases(x: Any, last: Any, age: Any) -> Any:
    """BG/NBD by scipy's optimiser (Fader, Hardie and Lee 2005, equation 6)."""

    def loss(logs: Any) -> float:
        r, alpha, a, b = np.exp(logs)
        common = special.gammaln(r + x) - special.gammaln(r) + r * np.log(alpha) + special.betaln(a, b + x)
        stays = -(r + x) * np.log(alpha + age)
        gone = np.log(a / (b + np.maximum(x, 1) - 1)) - (r + x) * np.log(alpha + last)
        both = np.where(x > 0, np.logaddexp(stays, gone), stays)
        return -float((common - special.betaln(a, b) + both).sum())

    best = min(
        (optimize.minimize(loss, start, method="Nelder-Mead", options={"maxiter": 20_000, "xatol": 1e-8, "fatol": 1e-10})
         for start in ([0, 1, 0, 1], [-1, 2, -1, 0])),
        key=lambda found: found.fun,
    )
    return np.exp(best.x)


def alive(x: Any, last: Any, age: Any, fitted: Any) -> Any:
    r, alpha, a, b = fitted
    odds = a / (b + np.maximum(x, 1) - 1) * ((alpha + age) / (alpha + last)) ** (r + x)
    return np.where(x > 0, 1 / (1 + odds), 1.0)


def test_customers_left_are_those_of_scipys_fit(journeys: dl.Journeys, world: World) -> None:
    x, last, age, _ = purchases(world)
    truth = 1 - alive(x, last, age, fit_purchases(x, last, age)).mean()
    assert journeys.kpi("churn", "alive", active="purchase").value == pytest.approx(truth, abs=2e-4)


def test_no_time_where_less_than_half_come_back(journeys: dl.Journeys, world: World) -> None:
    # scipy's curve never comes down to a half, and then there is no median.
    with pytest.raises(StopIteration):
        time_to_second(world)
    report = journeys.kpi("repeat_rate", "time", purchase="purchase")
    assert report.values[0].estimate is None and "half" in str(report.values[0].hole)


def test_time_to_the_second_purchase_is_that_of_scipy() -> None:
    chance = random.Random(5)
    world: World = {}
    for c in range(150):
        at = float(chance.randrange(150 * 24))
        bought = [Event(at, "purchase", 10.0)]
        then = at + 1 + float(int(24 * chance.expovariate(1 / 12.0)))
        # Most come back; of some it is not yet known.
        if chance.random() < 0.85 and then < UNTIL:
            bought.append(Event(then, "purchase", 10.0))
        world[f"c{c:03}"] = bought
    estimate = journeys_of(world).kpi("repeat_rate", "time", purchase="purchase").estimate
    assert estimate is not None
    assert (estimate.value, estimate.lower, estimate.upper) == pytest.approx(time_to_second(world), rel=1e-9)


def steady_buyers() -> World:
    """Customers as the models take them: a pace and a chance of leaving of their own, and a price level of their own."""
    chance = random.Random(11)
    world: World = {}
    for c in range(900):
        at = float(chance.randrange(60 * 24))
        pace, leaves = chance.gammavariate(1.1, 1 / 2.5), chance.betavariate(1.2, 4.0)
        level = chance.gammavariate(5.0, 1 / 60.0)
        events: list[Event] = []
        while at < UNTIL:
            events.append(Event(at, "purchase", round(chance.gammavariate(6.0, 1 / level), 2) + 0.01))
            if chance.random() < leaves:
                break
            # A week has 168 hours; those of less than a day are one purchase.
            at += 1 + float(int(168 * chance.expovariate(pace)))
        world[f"c{c:03}"] = events
    return world


def fit_money(x: Any, mean: Any) -> Any:
    """Gamma-gamma by scipy's optimiser (Fader and Hardie 2013, equation 1a)."""
    some = x > 0
    x, mean = x[some], mean[some]

    def loss(logs: Any) -> float:
        p, q, gamma = np.exp(logs)
        density = (
            special.gammaln(p * x + q) - special.gammaln(p * x) - special.gammaln(q) + q * np.log(gamma)
            + (p * x - 1) * np.log(mean) + p * x * np.log(x) - (p * x + q) * np.log(gamma + x * mean)
        )
        return -float(density.sum())

    options = {"maxiter": 20_000, "xatol": 1e-9, "fatol": 1e-10}
    return np.exp(optimize.minimize(loss, [1.0, 1.0, 4.0], method="Nelder-Mead", options=options).x)


def ahead(weeks: float, x: Any, last: Any, age: Any, fitted: Any) -> Any:
    """Purchases in the weeks ahead, given what is known of each customer (Fader, Hardie and Lee 2005, equation 10)."""
    r, alpha, a, b = fitted
    rest = (alpha + age) / (alpha + age + weeks)
    series = special.hyp2f1(r + x, b + x, a + b + x - 1, weeks / (alpha + age + weeks))
    return (a + b + x - 1) / (a - 1) * (1 - rest ** (r + x) * series) * alive(x, last, age, fitted)


@pytest.mark.parametrize("discount", [0.0, 0.2])
def test_worth_ahead_is_that_of_scipys_fits(discount: float) -> None:
    world = steady_buyers()
    x, last, age, mean = purchases(world)
    often, (p, q, gamma) = fit_purchases(x, last, age), fit_money(x, mean)
    # A week later money counts less; fifty-two steps of a week each.
    steps = np.linspace(0, 52, 53)
    counts = [ahead(w, x, last, age, often) if w else np.zeros(len(x)) for w in steps]
    weekly = (1 + discount) ** (7 / 365.25)
    due = sum((b - a) / weekly ** (i + 0.5) for i, (a, b) in enumerate(zip(counts, counts[1:], strict=False)))
    price = p * (gamma + np.where(x > 0, x * np.nan_to_num(mean), 0.0)) / (p * x + q - 1)
    truth = 100 * 0.3 * float((due * price).mean())
    report = journeys_of(world).kpi(
        "lifetime_value", "expected", purchase="purchase", horizon="364d", margin=0.3, discount=discount
    )
    estimate = report.estimate
    assert estimate is not None and estimate.lower < estimate.value < estimate.upper
    assert (report.values[0].n, estimate.value) == (len(world), pytest.approx(truth, rel=2e-3))


def test_subscriptions_are_those_of_scipys_fit() -> None:
    chance = random.Random(3)
    rows: list[tuple[str, int, float | None]] = []
    lost, watched = [0] * 8, [0] * 8
    for c in range(600):
        leaves = chance.betavariate(0.8, 2.5)
        paid = next((t for t in range(7) if chance.random() < leaves), 7)
        # Who never left in seven periods is still there.
        (watched if paid == 7 else lost)[paid - 1 if paid == 7 else paid] += 1
        rows += [(f"c{c}", 30 * t, 12.5) for t in range(paid + 1)]
    rows.append(("last", 7 * 30 + 16, None))
    frame = pl.DataFrame(
        {
            "who": [r[0] for r in rows],
            "at": [START + timedelta(days=r[1]) for r in rows],
            "what": ["pay" if r[2] else "end" for r in rows],
            "money": [r[2] for r in rows],
        },
        schema_overrides={"money": pl.Float64},
    )
    log = dl.read(frame, customer="who", time="at", event="what", value="money", currency="EUR")
    report = log.journeys().kpi("lifetime_value", "contractual", purchase="pay", period="30d", horizon="360d")

    def stays(a: float, b: float, t: int) -> float:
        return float(np.exp(special.betaln(a, b + t) - special.betaln(a, b)))

    def loss(logs: Any) -> float:
        a, b = np.exp(logs)
        gone = sum(n * math.log(stays(a, b, t) - stays(a, b, t + 1)) for t, n in enumerate(lost) if n)
        return -(gone + sum(n * math.log(stays(a, b, t + 1)) for t, n in enumerate(watched) if n))

    a, b = np.exp(optimize.minimize(loss, [0, 1], method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-9}).x)
    assert report.value == pytest.approx(1250 * sum(stays(a, b, t) for t in range(13)), rel=1e-4)
