"""Reports with typed attributes, and the parts that they are made of."""

# Written by `cargo run -p xtask -- codegen`; edit the engine's documentation comments instead.

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from ._report import GraphReport, Report

__all__ = [
    "AttributeSummary",
    "CalendarCell",
    "CalendarReport",
    "CalendarSlot",
    "Cohort",
    "CompareReport",
    "ComparedGroup",
    "ComparisonRow",
    "CurvePoint",
    "DirectlyFollowsReport",
    "Directness",
    "DropoffOtherPaths",
    "DropoffReport",
    "EntryRate",
    "Estimate",
    "ExitPath",
    "ExitPoint",
    "Flow",
    "FlowLink",
    "FlowNode",
    "FollowedTouchpoint",
    "FunnelReport",
    "FunnelStep",
    "GoalResult",
    "GoalValue",
    "GoalsReport",
    "Horizon",
    "LoopRow",
    "NameCount",
    "OrderedTouchpoint",
    "OtherExits",
    "OtherPairs",
    "OtherPaths",
    "OtherTouchpoints",
    "OtherTransitions",
    "OverallCell",
    "PairOverlap",
    "PairRow",
    "PathEntropy",
    "PathRow",
    "PathsReport",
    "PatternGoal",
    "PatternRow",
    "PatternsReport",
    "PerCustomer",
    "PrecedencePair",
    "PrecedenceReport",
    "QuarantinedRow",
    "REPORTS",
    "Rate",
    "RetentionCell",
    "RetentionReport",
    "Side",
    "SimpsonRow",
    "Spread",
    "StabilityPeriod",
    "StabilityReport",
    "StepTime",
    "StepsRow",
    "StratumRow",
    "Summary",
    "TimeQuantile",
    "TimeToGoal",
    "TouchpointRow",
    "TransitionRow",
    "TransitionsReport",
    "ValueSummary",
]


@dataclass(frozen=True, slots=True)
class AttributeSummary:
    """What an attribute holds."""

    name: str
    """The name."""
    level: Literal["event", "customer"]
    """Event or customer."""
    kind: Literal["text", "boolean", "integer", "decimal", "time"]
    """The kind."""
    missing: int
    """Events (or customers, by the level) without a value."""
    distinct: int | None = None
    """Distinct values of texts and booleans; not counted for numbers and times."""

    @classmethod
    def _read(cls, d: Mapping[str, Any]) -> AttributeSummary:
        return cls(
            name=d["name"],
            level=d["level"],
            kind=d["kind"],
            missing=d["missing"],
            distinct=d.get("distinct"),
        )


@dataclass(frozen=True, slots=True)
class CalendarCell:
    """An hour of the week."""

    weekday: str
    """The day."""
    hour: int
    """The hour, from 0 to 23."""
    events: int
    """Events in it."""
    starts: int
    """Journeys that begin in it."""
    goals: int | None = None
    """Journeys that reach the goal in it, if one was given."""

    @classmethod
    def _read(cls, d: Mapping[str, Any]) -> CalendarCell:
        return cls(
            weekday=d["weekday"],
            hour=d["hour"],
            events=d["events"],
            starts=d["starts"],
            goals=d.get("goals"),
        )


@dataclass(frozen=True, slots=True)
class Estimate:
    """A quantity with its interval: what was measured, how sure it is, from how much, and how.

    All floats are finite and `lower <= value <= upper`. What could not be estimated is `None` where an estimate is
    asked for, never a zero.
    """

    value: float
    """The point estimate."""
    lower: float
    """Lower end of the interval."""
    upper: float
    """Upper end of the interval."""
    level: float
    """Confidence level of the interval, such as 0.95."""
    n: int
    """Number of observations behind the value."""
    method: Literal["wilson", "wilson_clustered", "newcombe", "mover", "kaplan_meier_log_log", "brookmeyer_crowley", "order_statistic", "exact", "garwood", "delta_method", "student_t", "mantel_haenszel", "cliff", "bootstrap", "adjusted_wald", "wald", "beta_binomial", "bootstrap_t", "scale_score", "goodman", "sandwich"]
    """How the interval was made."""
    unit: Literal["proportion", "proportion_difference", "count", "microseconds", "ratio", "money_minor", "odds_ratio", "effect", "net_score", "scale_points", "valence"]
    """What the value counts or measures."""

    @classmethod
    def _read(cls, d: Mapping[str, Any]) -> Estimate:
        return cls(
            value=d["value"],
            lower=d["lower"],
            upper=d["upper"],
            level=d["level"],
            n=d["n"],
            method=d["method"],
            unit=d["unit"],
        )


@dataclass(frozen=True, slots=True)
class Rate:
    """A count over its base, with the interval that says how well the rate is known."""

    count: int
    """How many did."""
    n: int
    """Out of how many."""
    base: Literal["of_all", "of_entered", "of_previous", "of_visits", "of_path", "of_known", "of_cohort", "of_started", "of_answers", "of_touches", "of_both", "of_pattern", "of_others", "of_present", "of_members", "of_non_members"]
    """What those are."""
    estimate: Estimate | None = None
    """The rate with its interval; absent where `n` is below `TOO_FEW`."""

    @classmethod
    def _read(cls, d: Mapping[str, Any]) -> Rate:
        return cls(
            count=d["count"],
            n=d["n"],
            base=d["base"],
            estimate=None if (y := d.get("estimate")) is None else Estimate._read(y),
        )


@dataclass(frozen=True, slots=True)
class CalendarSlot:
    """An hour of the day or a day of the week."""

    slot: str
    """Which one: `08:00` for the hour from eight, or `Monday`."""
    events: Rate
    """Events in it, of all events."""
    starts: Rate
    """Journeys that begin in it, of all journeys."""
    conversion: Rate | None = None
    """Of the journeys that begin in it, those that reach the goal at any time, if one was given."""
    goals: Rate | None = None
    """Journeys that reach the goal in it, of all that do, if one was given."""

    @classmethod
    def _read(cls, d: Mapping[str, Any]) -> CalendarSlot:
        return cls(
            slot=d["slot"],
            events=Rate._read(d["events"]),
            starts=Rate._read(d["starts"]),
            conversion=None if (y := d.get("conversion")) is None else Rate._read(y),
            goals=None if (y := d.get("goals")) is None else Rate._read(y),
        )


@dataclass(frozen=True, slots=True)
class RetentionCell:
    """One cohort in one column."""

    from_: int
    """The column's first period."""
    until: int
    """The period after its last."""
    state: Literal["complete", "incomplete", "not_begun"]
    """Whether the column's periods are over for all of the cohort."""
    retained: int
    """Customers retained, as far as is known."""
    rate: Rate | None = None
    """Retained of the cohort; absent unless the cell is complete."""

    @classmethod
    def _read(cls, d: Mapping[str, Any]) -> RetentionCell:
        return cls(
            from_=d["from"],
            until=d["until"],
            state=d["state"],
            retained=d["retained"],
            rate=None if (y := d.get("rate")) is None else Rate._read(y),
        )


@dataclass(frozen=True, slots=True)
class Cohort:
    """The customers who started in one calendar period."""

    cohort: str
    """The period's first day; for months, year and month."""
    begins: int
    """The period's first instant, microseconds since 1970 UTC."""
    customers: int
    """Customers who started in it."""
    cells: tuple[RetentionCell, ...]
    """Column by column."""

    @classmethod
    def _read(cls, d: Mapping[str, Any]) -> Cohort:
        return cls(
            cohort=d["cohort"],
            begins=d["begins"],
            customers=d["customers"],
            cells=tuple(RetentionCell._read(x) for x in d["cells"]),
        )


@dataclass(frozen=True, slots=True)
class ComparedGroup:
    """One group."""

    name: str
    """The attribute's value or the segment's name."""
    n_journeys: int
    """Its journeys."""
    n_customers: int
    """Its customers."""
    compared: bool
    """Whether it took part."""
    baseline: bool
    """Whether others were compared with it."""

    @classmethod
    def _read(cls, d: Mapping[str, Any]) -> ComparedGroup:
        return cls(
            name=d["name"],
            n_journeys=d["n_journeys"],
            n_customers=d["n_customers"],
            compared=d["compared"],
            baseline=d["baseline"],
        )


@dataclass(frozen=True, slots=True)
class Side:
    """One group's part in a difference."""

    group: str
    """The group."""
    n: int
    """Observations."""
    count: int | None = None
    """Successes of a rate, or ends seen of times with censoring."""
    estimate: Estimate | None = None
    """The rate, the median time or the share that got there."""

    @classmethod
    def _read(cls, d: Mapping[str, Any]) -> Side:
        return cls(
            group=d["group"],
            n=d["n"],
            count=d.get("count"),
            estimate=None if (y := d.get("estimate")) is None else Estimate._read(y),
        )


@dataclass(frozen=True, slots=True)
class ComparisonRow:
    """One measure in two groups."""

    kind: str
    """What is measured: `goal`, `step`, `path`, …"""
    key: tuple[str, ...]
    """Which one."""
    label: str
    """Kind and key for people."""
    a: Side
    """The first group."""
    b: Side
    """The second group, or the baseline."""
    at: int | None = None
    """For shares that got there by a time: that time in microseconds, the last at which both groups still have enough
    under watch.
    """
    difference: Estimate | None = None
    """First minus second: of rates, of median times, or of the shares that got there by `at`."""
    effect: Estimate | None = None
    """The size of the difference between -1 and 1, whatever the unit: the difference of shares, or Cliff's delta of
    times.
    """
    p: float | None = None
    """Two-sided p."""
    q: float | None = None
    """Benjamini and Hochberg's q over all tests of the report."""
    test: Literal["two_proportions", "fisher_exact", "chi_square", "chi_square_yates", "rao_scott", "mann_whitney", "mann_whitney_exact", "log_rank", "log_rank_clustered", "mantel_haenszel", "breslow_day", "welch"] | None = None
    """The test."""
    untested: Literal["too_few", "rare", "repeated"] | None = None
    """Why there is no test."""

    @classmethod
    def _read(cls, d: Mapping[str, Any]) -> ComparisonRow:
        return cls(
            kind=d["kind"],
            key=tuple(d["key"]),
            label=d["label"],
            a=Side._read(d["a"]),
            b=Side._read(d["b"]),
            at=d.get("at"),
            difference=None if (y := d.get("difference")) is None else Estimate._read(y),
            effect=None if (y := d.get("effect")) is None else Estimate._read(y),
            p=d.get("p"),
            q=d.get("q"),
            test=d.get("test"),
            untested=d.get("untested"),
        )


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """One point of the curve."""

    time: int
    """Microseconds since the journey's first event."""
    at_risk: int
    """Journeys observed that long that have not reached the goal before, ended or not."""
    reached: Estimate
    """The share that has reached it by then: 1 - Kaplan–Meier, with log-log limits."""

    @classmethod
    def _read(cls, d: Mapping[str, Any]) -> CurvePoint:
        return cls(
            time=d["time"],
            at_risk=d["at_risk"],
            reached=Estimate._read(d["reached"]),
        )


@dataclass(frozen=True, slots=True)
class StepsRow:
    """Journeys with one number of events to the goal."""

    steps: int
    """Events up to and with the goal; the least, in the last row."""
    or_more: bool
    """Whether longer ones are counted here too."""
    journeys: int
    """Journeys."""
    directness: float
    """Fewest steps over these; the highest, in the last row."""

    @classmethod
    def _read(cls, d: Mapping[str, Any]) -> StepsRow:
        return cls(
            steps=d["steps"],
            or_more=d["or_more"],
            journeys=d["journeys"],
            directness=d["directness"],
        )


@dataclass(frozen=True, slots=True)
class Directness:
    """How straight the ways to the goal are: the fewest steps with which any journey reached it, over the steps of a
    journey. 1 is straight.
    """

    shortest: int
    """Fewest events up to and with the first goal event, over all journeys."""
    steps: tuple[StepsRow, ...]
    """Journeys by their number of events, fewest first; the last row holds all that are longer."""
    mean: float | None = None
    """Mean of the journeys' directness."""
    median: float | None = None
    """`shortest` over the median number of events."""
    median_steps: Estimate | None = None
    """Median number of events; absent with too few journeys, as are the next two."""

    @classmethod
    def _read(cls, d: Mapping[str, Any]) -> Directness:
        return cls(
            shortest=d["shortest"],
            steps=tuple(StepsRow._read(x) for x in d["steps"]),
            mean=d.get("mean"),
            median=d.get("median"),
            median_steps=None if (y := d.get("median_steps")) is None else Estimate._read(y),
        )


@dataclass(frozen=True, slots=True)
class DropoffOtherPaths:
    """The sequences that are not listed."""

    distinct: int
    """How many sequences."""
    exits: int
    """Exits after them."""
    share: float
    """Their share of all exits."""

    @classmethod
    def _read(cls, d: Mapping[str, Any]) -> DropoffOtherPaths:
        return cls(
            distinct=d["distinct"],
            exits=d["exits"],
            share=d["share"],
        )


@dataclass(frozen=True, slots=True)
class EntryRate:
    """Completion of the journeys that began alike."""

    name: str
    """The first touchpoint or the channel; `other` in the row for the rest."""
    distinct: int
    """How many touchpoints or channels the row stands for."""
    rate: Rate
    """Journeys that reached the goal, of all that began so. The row for the rest has exact counts and no interval,
    since a customer can be in it several times.
    """

    @classmethod
    def _read(cls, d: Mapping[str, Any]) -> EntryRate:
        return cls(
            name=d["name"],
            distinct=d["distinct"],
            rate=Rate._read(d["rate"]),
        )


@dataclass(frozen=True, slots=True)
class ExitPath:
    """A sequence of touchpoints that led to an exit."""

    path: tuple[str, ...]
    """The touchpoints in order; the exit is the last."""
    exits: int
    """Exits after it."""
    share: float
    """Its share of all exits."""

    @classmethod
    def _read(cls, d: Mapping[str, Any]) -> ExitPath:
        return cls(
            path=tuple(d["path"]),
            exits=d["exits"],
            share=d["share"],
        )


@dataclass(frozen=True, slots=True)
class ExitPoint:
    """One touchpoint as a place to leave from."""

    touchpoint: str
    """The touchpoint."""
    visits: int
    """Journeys with a known outcome that visited it."""
    exits: int
    """Journeys that ended here without the goal."""
    exit_rate: Rate
    """Exits of visits."""
    share: float
    """Its share of all exits."""
    returned: Rate
    """Customers back in time, of the exits here of which that is known."""
    return_unknown: int
    """Exits here so late that a return may still come in time."""
    open: int
    """Journeys that are here now and may still go on."""

    @classmethod
    def _read(cls, d: Mapping[str, Any]) -> ExitPoint:
        return cls(
            touchpoint=d["touchpoint"],
            visits=d["visits"],
            exits=d["exits"],
            exit_rate=Rate._read(d["exit_rate"]),
            share=d["share"],
            returned=Rate._read(d["returned"]),
            return_unknown=d["return_unknown"],
            open=d["open"],
        )


@dataclass(frozen=True, slots=True)
class FlowNode:
    """A place at a step."""

    step: int
    """The step, from 1. Goals and ends stand at the step after the touchpoint they follow."""
    place: Mapping[str, Any]
    """What it is."""
    journeys: int
    """Journeys that are there at this step."""
    distinct: int
    """How many touchpoints it stands for: 1, or those that `other` holds; 0 for goals and ends."""

    @classmethod
    def _read(cls, d: Mapping[str, Any]) -> FlowNode:
        return cls(
            step=d["step"],
            place=d["place"],
            journeys=d["journeys"],
            distinct=d["distinct"],
        )


@dataclass(frozen=True, slots=True)
class FlowLink:
    """Journeys that went from one place to another at a step."""

    step: int
    """The step of `from`, from 1."""
    from_: Mapping[str, Any]
    """Where they were."""
    to: Mapping[str, Any]
    """Where they went."""
    journeys: int
    """How many."""

    @classmethod
    def _read(cls, d: Mapping[str, Any]) -> FlowLink:
        return cls(
            step=d["step"],
            from_=d["from"],
            to=d["to"],
            journeys=d["journeys"],
        )


@dataclass(frozen=True, slots=True)
class Flow:
    """The first steps of all journeys: how many went from where to where, until the goal, their end, or the last step
    shown.

    In every step the journeys that come in equal those that go on; nothing is lost in `other`. A journey reaches
    the goal once, at its first event that fulfils it, and is not followed further. One that is longer than the
    steps shown goes on: that is no drop-off.
    """

    steps: int
    """How many steps are shown."""
    journeys: int
    """All journeys: those of the first step's nodes together."""
    nodes: tuple[FlowNode, ...]
    """The places of each step, by step, then by journeys."""
    links: tuple[FlowLink, ...]
    """The links between a step's places and those of the next."""

    @classmethod
    def _read(cls, d: Mapping[str, Any]) -> Flow:
        return cls(
            steps=d["steps"],
            journeys=d["journeys"],
            nodes=tuple(FlowNode._read(x) for x in d["nodes"]),
            links=tuple(FlowLink._read(x) for x in d["links"]),
        )


@dataclass(frozen=True, slots=True)
class FollowedTouchpoint:
    """One touchpoint of the graph."""

    touchpoint: str
    """Its name."""
    events: int
    """Its events."""
    starts: int
    """Journeys that start with it. Events less starts are the pairs in."""
    ends: int
    """Journeys that end with it. Events less ends are the pairs out."""

    @classmethod
    def _read(cls, d: Mapping[str, Any]) -> FollowedTouchpoint:
        return cls(
            touchpoint=d["touchpoint"],
            events=d["events"],
            starts=d["starts"],
            ends=d["ends"],
        )


@dataclass(frozen=True, slots=True)
class StepTime:
    """How long it took the journeys that got there."""

    n: int
    """Journeys that got there."""
    median: int | None = None
    """Half of them took no longer, in microseconds; absent below 5 journeys."""
    median_estimate: Estimate | None = None
    """The median with its interval; absent where there are too few for one."""
    p90: int | None = None
    """Nine of ten took no longer, in microseconds; absent below 10 journeys, where it would be the longest time."""
    p90_estimate: Estimate | None = None
    """That time with its interval; absent where there are too few for one."""

    @classmethod
    def _read(cls, d: Mapping[str, Any]) -> StepTime:
        return cls(
            n=d["n"],
            median=d.get("median"),
            median_estimate=None if (y := d.get("median_estimate")) is None else Estimate._read(y),
            p90=d.get("p90"),
            p90_estimate=None if (y := d.get("p90_estimate")) is None else Estimate._read(y),
        )


@dataclass(frozen=True, slots=True)
class FunnelStep:
    """One step of a funnel."""

    number: int
    """Its place, from 1."""
    label: str
    """What people read; unique in the funnel."""
    expr: str
    """The condition on its events."""
    reached: int
    """Journeys that reached it."""
    of_all: Rate
    """Reached of all journeys."""
    of_entered: Rate
    """Reached of those that reached step 1."""
    of_known: Rate
    """Reached of the entrants that were observed for a whole window after their first entry."""
    dropped: int
    """Journeys that came no further and no longer can; 0 at the last step."""
    at_risk: int
    """Journeys that came no further yet and still may; 0 at the last step."""
    from_first: StepTime | None = None
    """From the first step to this one; absent at step 1."""
    from_previous: StepTime | None = None
    """From the step before to this one; absent at step 1."""
    of_previous: Rate | None = None
    """Reached of those that reached the step before; absent at step 1."""

    @classmethod
    def _read(cls, d: Mapping[str, Any]) -> FunnelStep:
        return cls(
            number=d["number"],
            label=d["label"],
            expr=d["expr"],
            reached=d["reached"],
            of_all=Rate._read(d["of_all"]),
            of_entered=Rate._read(d["of_entered"]),
            of_known=Rate._read(d["of_known"]),
            dropped=d["dropped"],
            at_risk=d["at_risk"],
            from_first=None if (y := d.get("from_first")) is None else StepTime._read(y),
            from_previous=None if (y := d.get("from_previous")) is None else StepTime._read(y),
            of_previous=None if (y := d.get("of_previous")) is None else Rate._read(y),
        )


@dataclass(frozen=True, slots=True)
class TimeQuantile:
    """A time by which a share has reached the goal. Limits are those of Brookmeyer and Crowley on the log-log scale."""

    share: float
    """The share."""
    time: int
    """The time in microseconds."""
    lower: int
    """Lower limit."""
    upper: int | None = None
    """Upper limit; absent when the data end before it."""

    @classmethod
    def _read(cls, d: Mapping[str, Any]) -> TimeQuantile:
        return cls(
            share=d["share"],
            time=d["time"],
            lower=d["lower"],
            upper=d.get("upper"),
        )


@dataclass(frozen=True, slots=True)
class Horizon:
    """What is known at one time after the journey's first event."""

    within: int
    """The time in microseconds; events exactly then count."""
    rate: Rate
    """Journeys that reached the goal by then, of those that began at least that long before the end of observation."""
    at_risk: int
    """Journeys observed for longer than that which have not reached the goal by then, ended or not."""
    reached: Estimate | None = None
    """The same share from all journeys, each as long as it was observed: 1 - Kaplan–Meier with log-log limits; absent
    where nobody is observed any more.
    """

    @classmethod
    def _read(cls, d: Mapping[str, Any]) -> Horizon:
        return cls(
            within=d["within"],
            rate=Rate._read(d["rate"]),
            at_risk=d["at_risk"],
            reached=None if (y := d.get("reached")) is None else Estimate._read(y),
        )


@dataclass(frozen=True, slots=True)
class TimeToGoal:
    """How long it takes from a journey's first event to the goal.

    The curve is the cumulative incidence of the goal: at t, the share of *all* journeys that have reached it by t.
    A journey that ended without the goal never reaches it and stays in the count; every journey counts as long as
    it was observed, from its first event to the end of observation, however early its last event was. So 20 of 100
    journeys of which all were observed for a day are 20 % at one day, whether the others left at once or came back.
    Only observation ends the counting (censoring-complete data, Fine and Gray 1999): while it has not ended for
    anybody the curve is the plain share, later journeys that began too late to be seen that long are left out of
    the steps.

    Below 5 journeys neither curve nor quantiles are given, below 10 no 90 % quantile. Intervals take journeys as
    independent of each other.
    """

    n: int
    """Journeys."""
    reached: int
    """Those that reached the goal."""
    quantiles: tuple[TimeQuantile, ...]
    """Times by which shares of all journeys have reached the goal, with limits; a share that never gets there has
    none.
    """
    curve: tuple[CurvePoint, ...]
    """The curve, thinned for drawing; everything else is computed from the whole one."""
    horizons: tuple[Horizon, ...]
    """What is known at chosen times."""
    median_reached: Estimate | None = None
    """Median over those that reached it, microseconds. It says nothing of the others. Absent with too few."""

    @classmethod
    def _read(cls, d: Mapping[str, Any]) -> TimeToGoal:
        return cls(
            n=d["n"],
            reached=d["reached"],
            quantiles=tuple(TimeQuantile._read(x) for x in d["quantiles"]),
            curve=tuple(CurvePoint._read(x) for x in d["curve"]),
            horizons=tuple(Horizon._read(x) for x in d["horizons"]),
            median_reached=None if (y := d.get("median_reached")) is None else Estimate._read(y),
        )


@dataclass(frozen=True, slots=True)
class GoalValue:
    """The money of a goal."""

    completions: int
    """Journeys with an amount at a goal event. Goal events without one count neither here nor as 0."""
    mean: Estimate | None = None
    """Mean per such journey, in minor units, clustered by customer; absent with too few of them."""
    sum: int | None = None
    """Sum over all goal events in minor units; absent where it exceeds 64 bits."""

    @classmethod
    def _read(cls, d: Mapping[str, Any]) -> GoalValue:
        return cls(
            completions=d["completions"],
            mean=None if (y := d.get("mean")) is None else Estimate._read(y),
            sum=d.get("sum"),
        )


@dataclass(frozen=True, slots=True)
class GoalResult:
    """One goal."""

    name: str
    """Its name."""
    expr: str
    """Its expression."""
    of_all: Rate
    """Journeys that reached it, of all journeys. Too low while many are open."""
    of_known: Rate
    """Journeys that reached it, of those that have ended. Open journeys are left out on both sides of the division,
    those that already reached the goal too: to leave out only the others would push the rate up.
    """
    events: int
    """Events that match the goal."""
    time: TimeToGoal
    """From the journey's first event to the goal."""
    by_first_touchpoint: tuple[EntryRate, ...]
    """Completion by the journey's first touchpoint, most journeys first."""
    by_channel: tuple[EntryRate, ...] | None = None
    """Completion by the first channel known in the journey; absent when the log has no channel."""
    directness: Directness | None = None
    """How straight the way was; absent when nobody reached the goal."""
    value: GoalValue | None = None
    """Money at goal events; absent without a value column."""

    @classmethod
    def _read(cls, d: Mapping[str, Any]) -> GoalResult:
        return cls(
            name=d["name"],
            expr=d["expr"],
            of_all=Rate._read(d["of_all"]),
            of_known=Rate._read(d["of_known"]),
            events=d["events"],
            time=TimeToGoal._read(d["time"]),
            by_first_touchpoint=tuple(EntryRate._read(x) for x in d["by_first_touchpoint"]),
            by_channel=None if (y := d.get("by_channel")) is None else tuple(EntryRate._read(x) for x in y),
            directness=None if (y := d.get("directness")) is None else Directness._read(y),
            value=None if (y := d.get("value")) is None else GoalValue._read(y),
        )


@dataclass(frozen=True, slots=True)
class LoopRow:
    """A way back."""

    kind: Literal["repeat", "return", "component"]
    """What kind of way back."""
    touchpoints: tuple[str, ...]
    """The touchpoints, by name."""
    count: int
    """How often: repeats; returns either way; transitions within the set."""

    @classmethod
    def _read(cls, d: Mapping[str, Any]) -> LoopRow:
        return cls(
            kind=d["kind"],
            touchpoints=tuple(d["touchpoints"]),
            count=d["count"],
        )


@dataclass(frozen=True, slots=True)
class NameCount:
    """How often an event name occurs."""

    name: str
    """The name."""
    events: int
    """Its events."""
    customers: int
    """The customers who have at least one."""
    share: float
    """Its share of all events."""

    @classmethod
    def _read(cls, d: Mapping[str, Any]) -> NameCount:
        return cls(
            name=d["name"],
            events=d["events"],
            customers=d["customers"],
            share=d["share"],
        )


@dataclass(frozen=True, slots=True)
class OrderedTouchpoint:
    """One touchpoint in its place."""

    touchpoint: str
    """The touchpoint."""
    reach: Rate
    """Journeys that have it, of all journeys."""
    wins: int
    """Listed touchpoints that it comes before in more than half of the journeys with both."""
    losses: int
    """Listed touchpoints that come before it."""

    @classmethod
    def _read(cls, d: Mapping[str, Any]) -> OrderedTouchpoint:
        return cls(
            touchpoint=d["touchpoint"],
            reach=Rate._read(d["reach"]),
            wins=d["wins"],
            losses=d["losses"],
        )


@dataclass(frozen=True, slots=True)
class OtherExits:
    """The touchpoints that are not listed."""

    distinct: int
    """How many touchpoints."""
    visits: int
    """Visits to them; a journey counts once for each."""
    exits: int
    """Exits at them."""
    share: float
    """Their share of all exits."""
    return_known: int
    """Exits at them of which a return in time is known, and those that came back."""
    returned: int
    """Customers back in time."""
    open: int
    """Journeys that are there now and may still go on."""

    @classmethod
    def _read(cls, d: Mapping[str, Any]) -> OtherExits:
        return cls(
            distinct=d["distinct"],
            visits=d["visits"],
            exits=d["exits"],
            share=d["share"],
            return_known=d["return_known"],
            returned=d["returned"],
            open=d["open"],
        )


@dataclass(frozen=True, slots=True)
class OtherPairs:
    """The pairs that are not listed, together."""

    distinct: int
    """How many they are."""
    count: int
    """How often they occur."""

    @classmethod
    def _read(cls, d: Mapping[str, Any]) -> OtherPairs:
        return cls(
            distinct=d["distinct"],
            count=d["count"],
        )


@dataclass(frozen=True, slots=True)
class OtherPaths:
    """The paths that are not listed, together."""

    distinct: int
    """How many paths they are."""
    journeys: int
    """Journeys on them."""
    share: float
    """Their share of all journeys."""
    goals: int | None = None
    """Those journeys that reached the goal, if one was given."""

    @classmethod
    def _read(cls, d: Mapping[str, Any]) -> OtherPaths:
        return cls(
            distinct=d["distinct"],
            journeys=d["journeys"],
            share=d["share"],
            goals=d.get("goals"),
        )


@dataclass(frozen=True, slots=True)
class OtherTouchpoints:
    """The touchpoints that are not listed."""

    distinct: int
    """How many touchpoints."""
    visits: int
    """Journeys that have one of them; a journey counts once for each."""

    @classmethod
    def _read(cls, d: Mapping[str, Any]) -> OtherTouchpoints:
        return cls(
            distinct=d["distinct"],
            visits=d["visits"],
        )


@dataclass(frozen=True, slots=True)
class OtherTransitions:
    """The transitions that are not listed, together."""

    distinct: int
    """How many pairs they are."""
    count: int
    """How often they occur."""
    share: float
    """Their share of all transitions."""

    @classmethod
    def _read(cls, d: Mapping[str, Any]) -> OtherTransitions:
        return cls(
            distinct=d["distinct"],
            count=d["count"],
            share=d["share"],
        )


@dataclass(frozen=True, slots=True)
class OverallCell:
    """One column over all cohorts."""

    from_: int
    """The column's first period."""
    until: int
    """The period after its last."""
    cohorts: int
    """How many cohorts are complete there."""
    rate: Rate
    """Retained of the customers of these cohorts."""
    mean: float | None = None
    """The mean of these cohorts' rates, if it was asked for and there is one."""

    @classmethod
    def _read(cls, d: Mapping[str, Any]) -> OverallCell:
        return cls(
            from_=d["from"],
            until=d["until"],
            cohorts=d["cohorts"],
            rate=Rate._read(d["rate"]),
            mean=d.get("mean"),
        )


@dataclass(frozen=True, slots=True)
class PairOverlap:
    """Two groups that share customers."""

    a: str
    """One group."""
    b: str
    """The other."""
    customers: int
    """Customers with journeys in both."""
    journeys: int
    """Journeys that are in both."""

    @classmethod
    def _read(cls, d: Mapping[str, Any]) -> PairOverlap:
        return cls(
            a=d["a"],
            b=d["b"],
            customers=d["customers"],
            journeys=d["journeys"],
        )


@dataclass(frozen=True, slots=True)
class PairRow:
    """One touchpoint directly after another."""

    from_: str
    """The touchpoint before."""
    to: str
    """The touchpoint after."""
    count: int
    """How often."""

    @classmethod
    def _read(cls, d: Mapping[str, Any]) -> PairRow:
        return cls(
            from_=d["from"],
            to=d["to"],
            count=d["count"],
        )


@dataclass(frozen=True, slots=True)
class PathEntropy:
    """How much paths differ from each other. None of these has an interval: `bits` is too low where many paths were
    taken once, and `corrected` is right on average only if nearly all paths have been seen.
    """

    bits: float
    """The entropy of the shares as observed, `Σ p log2(1/p)` over all paths, in bits: 0 if all journeys take one path."""
    corrected: float
    """The same with the correction of Miller and Madow, `(paths - 1) / (2 journeys ln 2)` more."""
    effective_paths: float
    """As many equally frequent paths have the same entropy: `2^bits`."""
    evenness: float | None = None
    """`bits` over the most that so many paths can have, `log2(paths)`: 1 if all are equally frequent. Absent for one
    path.
    """

    @classmethod
    def _read(cls, d: Mapping[str, Any]) -> PathEntropy:
        return cls(
            bits=d["bits"],
            corrected=d["corrected"],
            effective_paths=d["effective_paths"],
            evenness=d.get("evenness"),
        )


@dataclass(frozen=True, slots=True)
class Spread:
    """How long something takes: the median with its interval, and the 90th percentile."""

    n: int
    """How many lengths of time were measured."""
    median: int | None = None
    """The median in microseconds; absent below 5 measurements."""
    median_estimate: Estimate | None = None
    """The median with its interval from order statistics; absent where there are too few for an upper limit."""
    p90: int | None = None
    """The 90th percentile in microseconds; absent below 10 measurements, where it would be the largest value."""

    @classmethod
    def _read(cls, d: Mapping[str, Any]) -> Spread:
        return cls(
            n=d["n"],
            median=d.get("median"),
            median_estimate=None if (y := d.get("median_estimate")) is None else Estimate._read(y),
            p90=d.get("p90"),
        )


@dataclass(frozen=True, slots=True)
class PathRow:
    """One path."""

    path: tuple[str, ...]
    """Its touchpoints in order."""
    journeys: int
    """Journeys that took it."""
    customers: int
    """Customers who took it at least once."""
    share: Rate
    """Its share of all journeys; the interval is clustered by customer."""
    cumulative_share: float
    """The share of all journeys on this path and those above it. Exact for what was observed; it has no interval."""
    duration: Spread
    """From its first touchpoint to its last."""
    goal: Rate | None = None
    """The share of its journeys that reached the goal, if one was given."""

    @classmethod
    def _read(cls, d: Mapping[str, Any]) -> PathRow:
        return cls(
            path=tuple(d["path"]),
            journeys=d["journeys"],
            customers=d["customers"],
            share=Rate._read(d["share"]),
            cumulative_share=d["cumulative_share"],
            duration=Spread._read(d["duration"]),
            goal=None if (y := d.get("goal")) is None else Rate._read(y),
        )


@dataclass(frozen=True, slots=True)
class PatternGoal:
    """The goal among the journeys with a pattern, against those without it."""

    with_: Rate
    """The share that reached the goal, of the journeys with the pattern."""
    without: Rate
    """The share that reached the goal, of the journeys without it."""
    difference: Estimate | None = None
    """With the pattern less without it; absent where either has too few journeys. Customers can be on both sides."""
    p: float | None = None
    """How likely so large a difference is by chance alone."""
    q: float | None = None
    """The same, corrected for all patterns listed."""

    @classmethod
    def _read(cls, d: Mapping[str, Any]) -> PatternGoal:
        return cls(
            with_=Rate._read(d["with"]),
            without=Rate._read(d["without"]),
            difference=None if (y := d.get("difference")) is None else Estimate._read(y),
            p=d.get("p"),
            q=d.get("q"),
        )


@dataclass(frozen=True, slots=True)
class PatternRow:
    """One pattern."""

    pattern: tuple[str, ...]
    """Its events in order."""
    journeys: int
    """Journeys that have it."""
    customers: int
    """Customers with at least one such journey."""
    share: Rate
    """Its share of all journeys."""
    goal: PatternGoal | None = None
    """What it has to do with the goal, if one was given."""

    @classmethod
    def _read(cls, d: Mapping[str, Any]) -> PatternRow:
        return cls(
            pattern=tuple(d["pattern"]),
            journeys=d["journeys"],
            customers=d["customers"],
            share=Rate._read(d["share"]),
            goal=None if (y := d.get("goal")) is None else PatternGoal._read(y),
        )


@dataclass(frozen=True, slots=True)
class PerCustomer:
    """How many events customers have. Quantiles are the smallest count that at least that share of customers do not
    exceed.
    """

    min: int
    """The fewest."""
    p25: int
    """A quarter of the customers have at most so many."""
    p50: int
    """Half of them."""
    p75: int
    """Three quarters."""
    p90: int
    """Nine tenths."""
    p99: int
    """99 of 100."""
    max: int
    """The most."""
    mean: float
    """The mean."""

    @classmethod
    def _read(cls, d: Mapping[str, Any]) -> PerCustomer:
        return cls(
            min=d["min"],
            p25=d["p25"],
            p50=d["p50"],
            p75=d["p75"],
            p90=d["p90"],
            p99=d["p99"],
            max=d["max"],
            mean=d["mean"],
        )


@dataclass(frozen=True, slots=True)
class PrecedencePair:
    """Two touchpoints, in the usual order."""

    first: str
    """The one that usually comes first."""
    then: str
    """The one that usually comes later."""
    before: Rate
    """Journeys in which they come in this order, of the journeys that have both."""
    ties: int
    """Journeys in which both have one time, so that the order of the log decided."""
    verdict: Literal["follows", "against", "unclear", "too_few"]
    """What can be said of their order."""

    @classmethod
    def _read(cls, d: Mapping[str, Any]) -> PrecedencePair:
        return cls(
            first=d["first"],
            then=d["then"],
            before=Rate._read(d["before"]),
            ties=d["ties"],
            verdict=d["verdict"],
        )


@dataclass(frozen=True, slots=True)
class QuarantinedRow:
    """One row that was put aside. Its content is not kept."""

    source: str
    """The input's name."""
    row: int
    """The row number in that input, from 1; a header line counts as a row."""
    reason: Literal["missing_customer", "missing_time", "missing_event", "unparseable_time", "time_out_of_range", "ambiguous_time", "unparseable_value", "unparseable_attribute", "wrong_field_count", "invalid_utf8", "invalid_json", "field_too_long", "too_deep", "unparseable_score", "off_scale", "unknown_question"]
    """Why."""
    column: str | None = None
    """The column, where one is to blame."""

    @classmethod
    def _read(cls, d: Mapping[str, Any]) -> QuarantinedRow:
        return cls(
            source=d["source"],
            row=d["row"],
            reason=d["reason"],
            column=d.get("column"),
        )


@dataclass(frozen=True, slots=True)
class StratumRow:
    """One rate within one stratum."""

    stratum: str
    """The attribute's value."""
    a: Side
    """The first group."""
    b: Side
    """The second group."""
    difference: Estimate | None = None
    """First minus second."""

    @classmethod
    def _read(cls, d: Mapping[str, Any]) -> StratumRow:
        return cls(
            stratum=d["stratum"],
            a=Side._read(d["a"]),
            b=Side._read(d["b"]),
            difference=None if (y := d.get("difference")) is None else Estimate._read(y),
        )


@dataclass(frozen=True, slots=True)
class SimpsonRow:
    """One rate with and without the strata."""

    kind: str
    """What is measured."""
    key: tuple[str, ...]
    """Which one."""
    label: str
    """Kind and key for people."""
    a: str
    """The first group."""
    b: str
    """The second group, or the baseline."""
    verdict: Literal["consistent", "reversed", "possibly_reversed", "vanishes", "appears", "heterogeneous"]
    """What to make of it."""
    pooled: Estimate
    """The difference with all strata thrown together."""
    stratified: Estimate
    """The difference within strata, Mantel–Haenszel, its interval widened by the design effect of the pooled rates."""
    strata: tuple[StratumRow, ...]
    """The strata in which both groups occur, by name."""
    homogeneity_p: float | None = None
    """p that the strata agree, as if observations were as many as they are worth."""

    @classmethod
    def _read(cls, d: Mapping[str, Any]) -> SimpsonRow:
        return cls(
            kind=d["kind"],
            key=tuple(d["key"]),
            label=d["label"],
            a=d["a"],
            b=d["b"],
            verdict=d["verdict"],
            pooled=Estimate._read(d["pooled"]),
            stratified=Estimate._read(d["stratified"]),
            strata=tuple(StratumRow._read(x) for x in d["strata"]),
            homogeneity_p=d.get("homogeneity_p"),
        )


@dataclass(frozen=True, slots=True)
class StabilityPeriod:
    """One of the periods."""

    from_: int
    """Its begin, microseconds since 1970 UTC."""
    until: int
    """Its end, which is no part of it."""
    inside: Rate
    """Customers in the segment, of those present."""

    @classmethod
    def _read(cls, d: Mapping[str, Any]) -> StabilityPeriod:
        return cls(
            from_=d["from"],
            until=d["until"],
            inside=Rate._read(d["inside"]),
        )


@dataclass(frozen=True, slots=True)
class TouchpointRow:
    """One touchpoint among the others."""

    touchpoint: str
    """Its name."""
    events: int
    """Its events."""
    journeys: int
    """Journeys that visit it."""
    customers: int
    """Customers who visit it."""
    starts: int
    """Journeys that start with it. Events less starts are the transitions in."""
    ends: int
    """Journeys that end with it. Events less ends are the transitions out."""
    in_degree: int
    """How many touchpoints come directly before it, itself included."""
    out_degree: int
    """How many touchpoints come directly after it, itself included."""
    pagerank: float
    """Where a walk along the transition probabilities is in the long run (PageRank, damping 0.85); all sum to 1."""
    component: int
    """The set of touchpoints it leads to and back from, numbered from 1, the largest first."""
    self_loops: int
    """How often it follows itself."""
    returns: int
    """How often a journey left it and came straight back: A, B, A."""
    revisits: int
    """Visits after the first within a journey: events less journeys."""
    rework: Rate
    """Of the journeys that visit it, those that visit it more than once; the interval is clustered by customer."""

    @classmethod
    def _read(cls, d: Mapping[str, Any]) -> TouchpointRow:
        return cls(
            touchpoint=d["touchpoint"],
            events=d["events"],
            journeys=d["journeys"],
            customers=d["customers"],
            starts=d["starts"],
            ends=d["ends"],
            in_degree=d["in_degree"],
            out_degree=d["out_degree"],
            pagerank=d["pagerank"],
            component=d["component"],
            self_loops=d["self_loops"],
            returns=d["returns"],
            revisits=d["revisits"],
            rework=Rate._read(d["rework"]),
        )


@dataclass(frozen=True, slots=True)
class TransitionRow:
    """One touchpoint directly after another."""

    from_: str
    """The touchpoint before."""
    to: str
    """The touchpoint after."""
    count: int
    """How often."""
    journeys: int
    """Journeys in which it occurs."""
    customers: int
    """Customers with whom it occurs."""
    probability: Rate
    """Of all transitions out of `from`; the interval is clustered by customer."""
    share: Rate
    """Of all transitions; the interval is clustered by customer."""
    between: Spread
    """The time between the two."""
    returns: int
    """How often the next touchpoint was `from` again: A, B, A."""

    @classmethod
    def _read(cls, d: Mapping[str, Any]) -> TransitionRow:
        return cls(
            from_=d["from"],
            to=d["to"],
            count=d["count"],
            journeys=d["journeys"],
            customers=d["customers"],
            probability=Rate._read(d["probability"]),
            share=Rate._read(d["share"]),
            between=Spread._read(d["between"]),
            returns=d["returns"],
        )


@dataclass(frozen=True, slots=True)
class ValueSummary:
    """The money in a log."""

    currency: str
    """The ISO 4217 code."""
    exponent: int
    """Decimal places of the minor unit."""
    events: int
    """Events with a value."""
    sum: str
    """The sum in minor units, as a whole number in text: it may pass 64 bits."""

    @classmethod
    def _read(cls, d: Mapping[str, Any]) -> ValueSummary:
        return cls(
            currency=d["currency"],
            exponent=d["exponent"],
            events=d["events"],
            sum=d["sum"],
        )


class PathsReport(Report):
    """Which ways customers take, how often, how long they last and whether they lead to the goal."""

    @cached_property
    def journeys(self) -> int:
        """All journeys; the rows and `other` add up to it."""
        return self._data["journeys"]  # type: ignore[no-any-return]

    @cached_property
    def customers(self) -> int:
        """All customers."""
        return self._data["customers"]  # type: ignore[no-any-return]

    @cached_property
    def distinct(self) -> int:
        """Distinct paths; the rows and `other` add up to it."""
        return self._data["distinct"]  # type: ignore[no-any-return]

    @cached_property
    def singletons(self) -> int:
        """Paths that a single journey took."""
        return self._data["singletons"]  # type: ignore[no-any-return]

    @cached_property
    def shortened(self) -> int:
        """Journeys longer than the part that was looked at; 0 for whole journeys."""
        return self._data["shortened"]  # type: ignore[no-any-return]

    @cached_property
    def coverage(self) -> float:
        """The share of journeys on the listed paths."""
        return self._data["coverage"]  # type: ignore[no-any-return]

    @cached_property
    def paths(self) -> tuple[PathRow, ...]:
        """The most frequent paths: by journeys, then by name."""
        return tuple(PathRow._read(x) for x in self._data["paths"])

    @cached_property
    def duration(self) -> Spread:
        """How long the paths of all journeys last."""
        return Spread._read(self._data["duration"])

    @cached_property
    def entropy(self) -> PathEntropy | None:
        """How much the paths differ; absent without journeys."""
        return None if (y := self._data.get("entropy")) is None else PathEntropy._read(y)

    @cached_property
    def flow(self) -> Flow | None:
        """The first steps of all journeys, for a picture; absent when no steps were asked for."""
        return None if (y := self._data.get("flow")) is None else Flow._read(y)

    @cached_property
    def goal(self) -> Rate | None:
        """The share of all journeys that reached the goal, if one was given."""
        return None if (y := self._data.get("goal")) is None else Rate._read(y)

    @cached_property
    def other(self) -> OtherPaths | None:
        """All other paths together; absent when every path is listed."""
        return None if (y := self._data.get("other")) is None else OtherPaths._read(y)


class TransitionsReport(GraphReport):
    """What follows what: every pair of touchpoints in a row, and what that makes of each touchpoint."""

    @cached_property
    def events(self) -> int:
        """All events."""
        return self._data["events"]  # type: ignore[no-any-return]

    @cached_property
    def journeys(self) -> int:
        """All journeys."""
        return self._data["journeys"]  # type: ignore[no-any-return]

    @cached_property
    def customers(self) -> int:
        """All customers."""
        return self._data["customers"]  # type: ignore[no-any-return]

    @cached_property
    def count(self) -> int:
        """All transitions: events less journeys. The rows and `other` add up to it."""
        return self._data["count"]  # type: ignore[no-any-return]

    @cached_property
    def distinct(self) -> int:
        """Distinct pairs of touchpoints; the rows and `other` add up to it."""
        return self._data["distinct"]  # type: ignore[no-any-return]

    @cached_property
    def transitions(self) -> tuple[TransitionRow, ...]:
        """The transitions: by count, then by name."""
        return tuple(TransitionRow._read(x) for x in self._data["transitions"])

    @cached_property
    def touchpoints(self) -> tuple[TouchpointRow, ...]:
        """The touchpoints: by events, then by name."""
        return tuple(TouchpointRow._read(x) for x in self._data["touchpoints"])

    @cached_property
    def loops(self) -> tuple[LoopRow, ...]:
        """Repeats, ways straight back, and sets of touchpoints that lead back to each other."""
        return tuple(LoopRow._read(x) for x in self._data["loops"])

    @cached_property
    def other(self) -> OtherTransitions | None:
        """All other transitions together; absent when every one is listed."""
        return None if (y := self._data.get("other")) is None else OtherTransitions._read(y)


class DirectlyFollowsReport(GraphReport):
    """How often each touchpoint comes directly after each other."""

    @cached_property
    def events(self) -> int:
        """All events."""
        return self._data["events"]  # type: ignore[no-any-return]

    @cached_property
    def journeys(self) -> int:
        """All journeys."""
        return self._data["journeys"]  # type: ignore[no-any-return]

    @cached_property
    def customers(self) -> int:
        """All customers."""
        return self._data["customers"]  # type: ignore[no-any-return]

    @cached_property
    def count(self) -> int:
        """All pairs: events less journeys. The rows and `other` add up to it."""
        return self._data["count"]  # type: ignore[no-any-return]

    @cached_property
    def distinct(self) -> int:
        """Distinct pairs of touchpoints; the rows and `other` add up to it."""
        return self._data["distinct"]  # type: ignore[no-any-return]

    @cached_property
    def pairs(self) -> tuple[PairRow, ...]:
        """The pairs: by count, then by name."""
        return tuple(PairRow._read(x) for x in self._data["pairs"])

    @cached_property
    def touchpoints(self) -> tuple[FollowedTouchpoint, ...]:
        """The touchpoints: by events, then by name."""
        return tuple(FollowedTouchpoint._read(x) for x in self._data["touchpoints"])

    @cached_property
    def other(self) -> OtherPairs | None:
        """All other pairs together; absent when every one is listed."""
        return None if (y := self._data.get("other")) is None else OtherPairs._read(y)


class PrecedenceReport(Report):
    """The usual order of touchpoints, and how sure it is for each pair."""

    @cached_property
    def journeys(self) -> int:
        """All journeys."""
        return self._data["journeys"]  # type: ignore[no-any-return]

    @cached_property
    def customers(self) -> int:
        """All customers."""
        return self._data["customers"]  # type: ignore[no-any-return]

    @cached_property
    def touchpoints(self) -> tuple[OrderedTouchpoint, ...]:
        """The touchpoints in their usual order."""
        return tuple(OrderedTouchpoint._read(x) for x in self._data["touchpoints"])

    @cached_property
    def pairs(self) -> tuple[PrecedencePair, ...]:
        """Every pair of the listed touchpoints that some journey has, in the usual order: by the first one, then by
        the second.
        """
        return tuple(PrecedencePair._read(x) for x in self._data["pairs"])

    @cached_property
    def follows(self) -> int:
        """Pairs that surely follow the order."""
        return self._data["follows"]  # type: ignore[no-any-return]

    @cached_property
    def against(self) -> int:
        """Pairs that surely run against it."""
        return self._data["against"]  # type: ignore[no-any-return]

    @cached_property
    def unclear(self) -> int:
        """Pairs whose order cannot be said, the too few among them."""
        return self._data["unclear"]  # type: ignore[no-any-return]

    @cached_property
    def agreement(self) -> float | None:
        """How well one order fits all: of the pairs in all journeys, the share that follows the usual order. Exact for
        what was observed; absent without pairs.
        """
        return self._data.get("agreement")

    @cached_property
    def other(self) -> OtherTouchpoints | None:
        """The touchpoints that are in no pair; absent when all are."""
        return None if (y := self._data.get("other")) is None else OtherTouchpoints._read(y)


class PatternsReport(Report):
    """The sequences of events that most journeys have."""

    @cached_property
    def journeys(self) -> int:
        """All journeys."""
        return self._data["journeys"]  # type: ignore[no-any-return]

    @cached_property
    def customers(self) -> int:
        """All customers."""
        return self._data["customers"]  # type: ignore[no-any-return]

    @cached_property
    def min_journeys(self) -> int:
        """Journeys that have a pattern, at least, to be listed."""
        return self._data["min_journeys"]  # type: ignore[no-any-return]

    @cached_property
    def patterns(self) -> tuple[PatternRow, ...]:
        """The patterns: by journeys, then by names."""
        return tuple(PatternRow._read(x) for x in self._data["patterns"])

    @cached_property
    def complete(self) -> bool:
        """Whether these are all patterns that so many journeys have."""
        return self._data["complete"]  # type: ignore[no-any-return]

    @cached_property
    def gave_up_at(self) -> int | None:
        """Where the search gave up for too much work: of patterns that no more journeys than these have, none is
        listed. Absent where it came to its end.
        """
        return self._data.get("gave_up_at")

    @cached_property
    def goal(self) -> Rate | None:
        """The share of all journeys that reached the goal, if one was given."""
        return None if (y := self._data.get("goal")) is None else Rate._read(y)


class FunnelReport(Report):
    """How many journeys took the steps, where the others stopped, and how long it took."""

    @cached_property
    def n_journeys(self) -> int:
        """All journeys: not entered + converted + dropped + at risk."""
        return self._data["n_journeys"]  # type: ignore[no-any-return]

    @cached_property
    def entered(self) -> int:
        """Journeys that reached step 1."""
        return self._data["entered"]  # type: ignore[no-any-return]

    @cached_property
    def converted(self) -> int:
        """Journeys that reached the last step."""
        return self._data["converted"]  # type: ignore[no-any-return]

    @cached_property
    def dropped(self) -> int:
        """Journeys that entered, did not convert, and no longer can."""
        return self._data["dropped"]  # type: ignore[no-any-return]

    @cached_property
    def at_risk(self) -> int:
        """Journeys that entered, did not convert, and still may."""
        return self._data["at_risk"]  # type: ignore[no-any-return]

    @cached_property
    def conversion(self) -> Rate:
        """Converted of entered; those at risk count as not converted."""
        return Rate._read(self._data["conversion"])

    @cached_property
    def mature_conversion(self) -> Rate:
        """Converted of the entrants that were observed for a whole window after their first entry."""
        return Rate._read(self._data["mature_conversion"])

    @cached_property
    def steps(self) -> tuple[FunnelStep, ...]:
        """The steps in order."""
        return tuple(FunnelStep._read(x) for x in self._data["steps"])

    @cached_property
    def time_to_convert(self) -> StepTime | None:
        """From the first step to the last one, over the journeys that converted; absent with one step."""
        return None if (y := self._data.get("time_to_convert")) is None else StepTime._read(y)

    @cached_property
    def within(self) -> str | None:
        """The longest time from the first step to the last one, inclusive."""
        return self._data.get("within")


class DropoffReport(Report):
    """Where journeys end without their goal, who comes back, and what came before."""

    @cached_property
    def n_journeys(self) -> int:
        """All journeys: reached + exits + open."""
        return self._data["n_journeys"]  # type: ignore[no-any-return]

    @cached_property
    def reached(self) -> int:
        """Journeys with the goal, wherever they ended."""
        return self._data["reached"]  # type: ignore[no-any-return]

    @cached_property
    def exits(self) -> int:
        """Journeys that ended without the goal."""
        return self._data["exits"]  # type: ignore[no-any-return]

    @cached_property
    def open(self) -> int:
        """Journeys without the goal that may still go on."""
        return self._data["open"]  # type: ignore[no-any-return]

    @cached_property
    def drop_rate(self) -> Rate:
        """Exits of journeys with a known outcome."""
        return Rate._read(self._data["drop_rate"])

    @cached_property
    def returns_within(self) -> str:
        """How soon after an exit the customer's next journey begins if they came back."""
        return self._data["returns_within"]  # type: ignore[no-any-return]

    @cached_property
    def returned(self) -> Rate:
        """Customers back in time, of the exits of which that is known."""
        return Rate._read(self._data["returned"])

    @cached_property
    def return_unknown(self) -> int:
        """Exits so late that a return may still come in time."""
        return self._data["return_unknown"]  # type: ignore[no-any-return]

    @cached_property
    def touchpoints(self) -> tuple[ExitPoint, ...]:
        """The touchpoints with the most exits; then by visits, then by name."""
        return tuple(ExitPoint._read(x) for x in self._data["touchpoints"])

    @cached_property
    def paths(self) -> tuple[ExitPath, ...]:
        """The most frequent sequences before an exit."""
        return tuple(ExitPath._read(x) for x in self._data["paths"])

    @cached_property
    def goal(self) -> str | None:
        """What journeys are after; absent when every end is an exit."""
        return self._data.get("goal")

    @cached_property
    def other(self) -> OtherExits | None:
        """The touchpoints not listed, summed; absent when all are."""
        return None if (y := self._data.get("other")) is None else OtherExits._read(y)

    @cached_property
    def other_paths(self) -> DropoffOtherPaths | None:
        """The sequences not listed, summed; absent when all are."""
        return None if (y := self._data.get("other_paths")) is None else DropoffOtherPaths._read(y)


class GoalsReport(Report):
    """The answer to `Goals`."""

    @cached_property
    def goals(self) -> tuple[GoalResult, ...]:
        """The goals in the order of the question."""
        return tuple(GoalResult._read(x) for x in self._data["goals"])

    @cached_property
    def n_journeys(self) -> int:
        """All journeys."""
        return self._data["n_journeys"]  # type: ignore[no-any-return]

    @cached_property
    def n_customers(self) -> int:
        """Their customers."""
        return self._data["n_customers"]  # type: ignore[no-any-return]

    @cached_property
    def n_open(self) -> int:
        """Journeys that may still go on."""
        return self._data["n_open"]  # type: ignore[no-any-return]

    @cached_property
    def currency_exponent(self) -> int:
        """Decimal places of its minor unit."""
        return self._data["currency_exponent"]  # type: ignore[no-any-return]

    @cached_property
    def currency(self) -> str | None:
        """The ISO 4217 code of the money, if the log has any."""
        return self._data.get("currency")


class RetentionReport(Report):
    """Who comes back, and when: cohorts by the time of their start."""

    @cached_property
    def mode(self) -> Literal["on", "on_or_after", "on_or_before", "bracket", "streak"]:
        """In which periods a customer has to come back."""
        return self._data["mode"]  # type: ignore[no-any-return]

    @cached_property
    def unit(self) -> Literal["day", "week", "month"]:
        """The calendar unit of cohorts, and of periods unless they are rolling."""
        return self._data["unit"]  # type: ignore[no-any-return]

    @cached_property
    def time_zone(self) -> str:
        """The zone whose midnight counts."""
        return self._data["time_zone"]  # type: ignore[no-any-return]

    @cached_property
    def week_start(self) -> Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]:
        """The day that weeks begin with."""
        return self._data["week_start"]  # type: ignore[no-any-return]

    @cached_property
    def birth(self) -> Literal["ever", "selected"]:
        """Which of the customer's matching events is the start."""
        return self._data["birth"]  # type: ignore[no-any-return]

    @cached_property
    def include_start(self) -> bool:
        """Whether the start event itself can be a return."""
        return self._data["include_start"]  # type: ignore[no-any-return]

    @cached_property
    def customers(self) -> int:
        """Customers with a selected journey: started + not started."""
        return self._data["customers"]  # type: ignore[no-any-return]

    @cached_property
    def started(self) -> int:
        """Customers with a start: those of all cohorts."""
        return self._data["started"]  # type: ignore[no-any-return]

    @cached_property
    def not_started(self) -> int:
        """Customers without."""
        return self._data["not_started"]  # type: ignore[no-any-return]

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns: `week 3`, or `weeks 4 to 7`."""
        return tuple(self._data["columns"])

    @cached_property
    def overall(self) -> tuple[OverallCell, ...]:
        """Column by column over all cohorts whose cell is complete."""
        return tuple(OverallCell._read(x) for x in self._data["overall"])

    @cached_property
    def cohorts(self) -> tuple[Cohort, ...]:
        """The cohorts with customers, the earliest first."""
        return tuple(Cohort._read(x) for x in self._data["cohorts"])

    @cached_property
    def incomplete(self) -> int:
        """Cells whose periods have begun and are not over."""
        return self._data["incomplete"]  # type: ignore[no-any-return]

    @cached_property
    def not_begun(self) -> int:
        """Cells whose periods have not begun."""
        return self._data["not_begun"]  # type: ignore[no-any-return]

    @cached_property
    def returns(self) -> str | None:
        """What counts as coming back; absent for any event."""
        return self._data.get("returns")

    @cached_property
    def rolling(self) -> str | None:
        """The length of periods that begin with each customer's own start; absent for calendar periods."""
        return self._data.get("rolling")

    @cached_property
    def start(self) -> str | None:
        """What starts a customer's time; absent for any event."""
        return self._data.get("start")


class CalendarReport(Report):
    """When people come, begin journeys and reach the goal."""

    @cached_property
    def time_zone(self) -> str:
        """The zone whose clocks count."""
        return self._data["time_zone"]  # type: ignore[no-any-return]

    @cached_property
    def events(self) -> int:
        """All events; the hours, the days and the hours of the week add up to it."""
        return self._data["events"]  # type: ignore[no-any-return]

    @cached_property
    def journeys(self) -> int:
        """All journeys; so do their starts."""
        return self._data["journeys"]  # type: ignore[no-any-return]

    @cached_property
    def customers(self) -> int:
        """All customers."""
        return self._data["customers"]  # type: ignore[no-any-return]

    @cached_property
    def hours(self) -> tuple[CalendarSlot, ...]:
        """The 24 hours of the day, from midnight."""
        return tuple(CalendarSlot._read(x) for x in self._data["hours"])

    @cached_property
    def weekdays(self) -> tuple[CalendarSlot, ...]:
        """The seven days, from the first of the week."""
        return tuple(CalendarSlot._read(x) for x in self._data["weekdays"])

    @cached_property
    def week(self) -> tuple[CalendarCell, ...]:
        """The 168 hours of the week, in the same order."""
        return tuple(CalendarCell._read(x) for x in self._data["week"])

    @cached_property
    def goal(self) -> str | None:
        """What counts as reaching the goal, if one was given."""
        return self._data.get("goal")

    @cached_property
    def goals(self) -> int | None:
        """Journeys that reached the goal, if one was given."""
        return self._data.get("goals")

    @cached_property
    def open(self) -> int | None:
        """Journeys that may still go on and count in no conversion, if a goal was given."""
        return self._data.get("open")


class StabilityReport(Report):
    """Whether the customers of a segment are the same in two periods."""

    @cached_property
    def condition(self) -> str:
        """What puts customers into the segment."""
        return self._data["condition"]  # type: ignore[no-any-return]

    @cached_property
    def at_least(self) -> int:
        """How many events of a period it takes."""
        return self._data["at_least"]  # type: ignore[no-any-return]

    @cached_property
    def first(self) -> StabilityPeriod:
        """The first period."""
        return StabilityPeriod._read(self._data["first"])

    @cached_property
    def second(self) -> StabilityPeriod:
        """The second period."""
        return StabilityPeriod._read(self._data["second"])

    @cached_property
    def customers(self) -> int:
        """All customers."""
        return self._data["customers"]  # type: ignore[no-any-return]

    @cached_property
    def both(self) -> int:
        """Customers present in both periods: stayed, left, entered and outside add up to it."""
        return self._data["both"]  # type: ignore[no-any-return]

    @cached_property
    def stayed(self) -> int:
        """In the segment in both periods."""
        return self._data["stayed"]  # type: ignore[no-any-return]

    @cached_property
    def left(self) -> int:
        """In the segment in the first period only, though present in the second."""
        return self._data["left"]  # type: ignore[no-any-return]

    @cached_property
    def entered(self) -> int:
        """In the segment in the second period only, though present in the first."""
        return self._data["entered"]  # type: ignore[no-any-return]

    @cached_property
    def outside(self) -> int:
        """Present in both and in the segment in neither."""
        return self._data["outside"]  # type: ignore[no-any-return]

    @cached_property
    def first_only(self) -> int:
        """Customers present in the first period only."""
        return self._data["first_only"]  # type: ignore[no-any-return]

    @cached_property
    def second_only(self) -> int:
        """Customers present in the second period only."""
        return self._data["second_only"]  # type: ignore[no-any-return]

    @cached_property
    def absent(self) -> int:
        """Customers with no event in either period."""
        return self._data["absent"]  # type: ignore[no-any-return]

    @cached_property
    def agreement(self) -> Rate:
        """Stayed and outside, of those present in both."""
        return Rate._read(self._data["agreement"])

    @cached_property
    def overlap(self) -> Rate:
        """Stayed, of those ever in the segment: Jaccard's index."""
        return Rate._read(self._data["overlap"])

    @cached_property
    def stays(self) -> Rate:
        """Stayed, of those in the segment in the first period who were there in the second."""
        return Rate._read(self._data["stays"])

    @cached_property
    def leaves(self) -> Rate:
        """Left, of the same."""
        return Rate._read(self._data["leaves"])

    @cached_property
    def enters(self) -> Rate:
        """Entered, of those outside of it in the first period who were there in the second."""
        return Rate._read(self._data["enters"])

    @cached_property
    def change(self) -> Estimate | None:
        """The segment's share in the second period less that in the first, of all customers present in each; absent
        where either has too few.
        """
        return None if (y := self._data.get("change")) is None else Estimate._read(y)

    @cached_property
    def change_p(self) -> float | None:
        """How likely so large a change is by chance alone."""
        return self._data.get("change_p")

    @cached_property
    def kappa(self) -> Estimate | None:
        """Agreement beyond chance, Cohen's kappa; absent with fewer than five customers in both, or where all or none
        are in the segment.
        """
        return None if (y := self._data.get("kappa")) is None else Estimate._read(y)

    @cached_property
    def stability_index(self) -> float | None:
        """The population stability index of the two shares; absent where one of them is exactly none or all."""
        return self._data.get("stability_index")


class CompareReport(Report):
    """The answer to `Compare`."""

    @cached_property
    def of(self) -> str:
        """The analysis that was compared."""
        return self._data["of"]  # type: ignore[no-any-return]

    @cached_property
    def by(self) -> str:
        """What the groups are: the attribute's name, or `segment`."""
        return self._data["by"]  # type: ignore[no-any-return]

    @cached_property
    def groups(self) -> tuple[ComparedGroup, ...]:
        """The groups, most journeys first."""
        return tuple(ComparedGroup._read(x) for x in self._data["groups"])

    @cached_property
    def level(self) -> float:
        """The level of the intervals."""
        return self._data["level"]  # type: ignore[no-any-return]

    @cached_property
    def rows(self) -> tuple[ComparisonRow, ...]:
        """The differences: smallest q first, then the largest."""
        return tuple(ComparisonRow._read(x) for x in self._data["rows"])

    @cached_property
    def n_rows(self) -> int:
        """How many differences there are, listed or not."""
        return self._data["n_rows"]  # type: ignore[no-any-return]

    @cached_property
    def n_tested(self) -> int:
        """How many of them were tested; q counts all of these."""
        return self._data["n_tested"]  # type: ignore[no-any-return]

    @cached_property
    def simpson(self) -> tuple[SimpsonRow, ...]:
        """What that changes, from reversed to nothing."""
        return tuple(SimpsonRow._read(x) for x in self._data["simpson"])

    @cached_property
    def overlap(self) -> tuple[PairOverlap, ...]:
        """Pairs of groups that share customers."""
        return tuple(PairOverlap._read(x) for x in self._data["overlap"])

    @cached_property
    def stratified_by(self) -> str | None:
        """The attribute within whose values rates were compared as well."""
        return self._data.get("stratified_by")


class Summary(Report):
    """Counts of everything in a log. All figures are exact."""

    @cached_property
    def customers(self) -> int:
        """Customers."""
        return self._data["customers"]  # type: ignore[no-any-return]

    @cached_property
    def events(self) -> int:
        """Events."""
        return self._data["events"]  # type: ignore[no-any-return]

    @cached_property
    def first_time(self) -> int:
        """The first event's time, microseconds since 1970 UTC."""
        return self._data["first_time"]  # type: ignore[no-any-return]

    @cached_property
    def last_time(self) -> int:
        """The last event's time."""
        return self._data["last_time"]  # type: ignore[no-any-return]

    @cached_property
    def observed_until(self) -> int:
        """Until when customers were observed."""
        return self._data["observed_until"]  # type: ignore[no-any-return]

    @cached_property
    def events_per_customer(self) -> PerCustomer:
        """Events per customer."""
        return PerCustomer._read(self._data["events_per_customer"])

    @cached_property
    def names(self) -> tuple[NameCount, ...]:
        """Every event name, by count and then by name."""
        return tuple(NameCount._read(x) for x in self._data["names"])

    @cached_property
    def attributes(self) -> tuple[AttributeSummary, ...]:
        """Every attribute, in the order declared."""
        return tuple(AttributeSummary._read(x) for x in self._data["attributes"])

    @cached_property
    def ties(self) -> int:
        """Events that share customer and time with the one before."""
        return self._data["ties"]  # type: ignore[no-any-return]

    @cached_property
    def ties_in_input_order(self) -> int:
        """Of those, the ones that only the order of input put in order."""
        return self._data["ties_in_input_order"]  # type: ignore[no-any-return]

    @cached_property
    def exact_duplicates(self) -> int:
        """Events that repeat an earlier one of the same customer and time in every column and were kept."""
        return self._data["exact_duplicates"]  # type: ignore[no-any-return]

    @cached_property
    def duplicates_dropped(self) -> int:
        """Such events that were dropped because the options said so."""
        return self._data["duplicates_dropped"]  # type: ignore[no-any-return]

    @cached_property
    def rows_read(self) -> int:
        """Rows read, good and bad."""
        return self._data["rows_read"]  # type: ignore[no-any-return]

    @cached_property
    def quarantine(self) -> Mapping[str, int]:
        """Rows put aside, by reason."""
        return self._data["quarantine"]  # type: ignore[no-any-return]

    @cached_property
    def quarantined_rows(self) -> tuple[QuarantinedRow, ...]:
        """The first rows put aside, by reason."""
        return tuple(QuarantinedRow._read(x) for x in self._data["quarantined_rows"])

    @cached_property
    def core_bytes_per_event(self) -> float:
        """Bytes held for event codes, times and customer boundaries, per event."""
        return self._data["core_bytes_per_event"]  # type: ignore[no-any-return]

    @cached_property
    def bytes_per_event(self) -> float:
        """Bytes held in all, per event, names and ids included."""
        return self._data["bytes_per_event"]  # type: ignore[no-any-return]

    @cached_property
    def value(self) -> ValueSummary | None:
        """The value column, if there is one."""
        return None if (y := self._data.get("value")) is None else ValueSummary._read(y)


REPORTS: dict[str, type[Report]] = {
    "paths": PathsReport,
    "transitions": TransitionsReport,
    "directly_follows": DirectlyFollowsReport,
    "precedence": PrecedenceReport,
    "patterns": PatternsReport,
    "funnel": FunnelReport,
    "dropoff": DropoffReport,
    "goals": GoalsReport,
    "retention": RetentionReport,
    "calendar": CalendarReport,
    "stability": StabilityReport,
}
"""The class of each report, by the name of its analysis."""
