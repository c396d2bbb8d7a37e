"""The questions that can be asked of journeys, one class and one method each."""

# Written by `cargo run -p xtask -- codegen`; edit the engine's documentation comments instead.

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar, Literal, TypeAlias, cast, overload

from ._expr import Condition
from ._report import GroupedReport
from ._reports import (
    CalendarReport,
    CompareReport,
    DirectlyFollowsReport,
    DropoffReport,
    FunnelReport,
    GoalsReport,
    PathsReport,
    PatternsReport,
    PrecedenceReport,
    RetentionReport,
    StabilityReport,
    TransitionsReport,
)
from ._spec import Groups, Question, Spec, compared
from ._time import Span

__all__ = [
    "Calendar",
    "DirectlyFollows",
    "Dropoff",
    "Funnel",
    "Goal",
    "Goals",
    "Paths",
    "Patterns",
    "Precedence",
    "QUESTIONS",
    "Questions",
    "Retention",
    "Stability",
    "Step",
    "Transitions",
]

Json: TypeAlias = Any
"""JSON-ready data."""


@dataclass(frozen=True)
class Goal:
    """A goal with a name of its own."""

    name: str
    """The goal's name."""
    expr: Condition
    """The events that reach it."""


@dataclass(frozen=True)
class Step:
    """A step with more to say than its expression."""

    expr: Condition
    """Which events fill the step."""
    _: KW_ONLY
    label: str | None = None
    """What people read; the expression's text unless set."""


@dataclass(frozen=True)
class Paths(Spec):
    """Which ways customers take: how often, how long each lasts, and whether it leads to the goal.

    A path is the sequence of a journey's touchpoints, or of its `first` or `last` few. Journeys with the same
    sequence are counted together. The `top` most frequent are listed (equal counts by name); `other` holds all
    others, so that journeys and distinct paths add up to the totals.

    * `share` = journeys on the path ÷ all journeys, and `goal` = journeys on the path with an event that fulfils
      the goal, wherever in the journey it is ÷ journeys on the path. Both intervals allow for customers with
      several journeys (`wilson_clustered`) and are absent below five journeys.
    * A duration runs from the path's first touchpoint to its last, at the times that `collapse` keeps.
    * `entropy` says how much journeys differ: in bits as observed and corrected for paths not seen, over the most
      that so many paths can have, and as a number of equally frequent paths. `coverage` is the share of journeys on
      the paths listed.
    * A journey longer than `first` or `last` is counted in `shortened`; being cut there is no drop-off.
    * The `flow` counts the links between the first `flow_steps` touchpoints of whole journeys, to the goal or the
      end.

    Cells: `path/a > b > c`, `goal/a > b > c` (those that reached the goal), and `flow/1/a > b` with the step of
    `a`; ends are `(goal)`, `(exit)` and `(goes on)`. Takes O(events) time; memory grows with the distinct paths.
    """

    name: ClassVar[str] = "paths"
    _: KW_ONLY
    collapse: Literal["none", "first", "last"] = "none"
    """Whether repeats of a touchpoint in a row count once, and which of their times is kept."""
    first: int | None = None
    """Only the first so many touchpoints of each journey."""
    flow_steps: int = 5
    """How many first steps the flow shows; 0 for none."""
    flow_top: int = 8
    """How many touchpoints the flow lists at each step."""
    goal: Condition | None = None
    """What counts as reaching the goal: an event name or an expression."""
    last: int | None = None
    """Only the last so many touchpoints of each journey."""
    level: float = 0.95
    """The level of the intervals."""
    top: int = 20
    """How many paths to list."""


@dataclass(frozen=True)
class Transitions(Spec):
    """Which touchpoint follows which: how often, with how many customers, how probably and after how long.

    A transition is two events of a journey directly after one another; equal ones count too. There are exactly as
    many as events less journeys, and those out of a touchpoint are its events less the journeys that end there.

    * `probability` = transitions from a to b ÷ transitions out of a; `share` = those ÷ all transitions. Both
      intervals allow for customers with several (`wilson_clustered`) and are absent below five. Journeys that end
      at a touchpoint are no transitions: see `ends`.
    * `between` is the time from the one event to the other, 0 for equal times.
    * `returns` counts A, B, A with A ≠ B; overlapping ones each count. `revisits` = events less journeys of a
      touchpoint.
    * PageRank, components and loops look at all transitions, also with `top`.

    Cells, all counted in journeys: `transition/a > b`, `start/a`, `end/a`, `touchpoint/a` (visits it), `rework/a`
    (visits it more than once). Takes O(events) time; memory grows with the distinct pairs.
    """

    name: ClassVar[str] = "transitions"
    _: KW_ONLY
    level: float = 0.95
    """The level of the intervals."""
    times: bool = True
    """Whether to measure the time between; without it the rest is counted faster."""
    top: int | None = None
    """How many transitions to list; all of them if not given."""


@dataclass(frozen=True)
class DirectlyFollows(Spec):
    """How often does each touchpoint come directly after each other, only counted.

    The directly-follows graph of process mining: for every pair of touchpoints how often the second is the next
    event of a journey after the first, and for every touchpoint its events and how many journeys start and end with
    it. Counts of all events, so without intervals; who asks how sure a share is, how many customers stand behind it
    or how long it took asks `Transitions`, which takes several times as long.

    There are exactly as many pairs as events less journeys; the rows and `other` add up to them.

    Cells, all counted in journeys: `start/a`, `end/a`. Takes O(events) time, a few nanoseconds an event, where
    there are at most 256 names; memory grows with the distinct pairs.

    Source: W. van der Aalst, *Process Mining*, 2nd edition 2016, section 6.2.
    """

    name: ClassVar[str] = "directly_follows"
    _: KW_ONLY
    top: int | None = None
    """How many pairs to list; all of them if not given."""


@dataclass(frozen=True)
class Precedence(Spec):
    """In which order do people usually meet the touchpoints?

    **Before.** Of the journeys that have both a and b, the share in which the first a comes before the first b;
    what lies between does not matter, nor do repeats. Events of one time count in the order of the log (the `tie`
    column, else the input); `ties` says in how many journeys only that decided. `both` says how many journeys have
    both, and a touchpoint's `journeys` how many have it at all.

    **The usual order** is by net wins: a touchpoint wins over another if it is the earlier one in more than half of
    the journeys that have both (Copeland's rule). Equal ones are put by the difference in journeys over all of
    their pairs, then by journeys, then by name.

    **What can be said** of a pair: `follows` if the whole interval of the share lies above one half, `against` if
    it lies below (the two are sure to be met the other way round, yet the others put them like this), `unclear` if
    it holds one half, `too_few` below five journeys with both. About one in twenty pairs without any order is
    called sure at a level of 0.95.

    **Which touchpoints.** Those asked for, or the `top` by journeys out of the 128 most frequent names of the log.
    The others are left out of the matrix; `other` says how many they are and how often they are visited.

    Intervals are clustered by customer. Cells: `touchpoint/a` and `before/a > b`. Takes O(events) time, and for
    each journey the square of the touchpoints in it, at most 128; memory for at most 8,128 pairs.

    Source: A. H. Copeland, *A reasonable social welfare function*, 1951.
    """

    name: ClassVar[str] = "precedence"
    _lists: ClassVar[frozenset[str]] = frozenset({"touchpoints"})
    _: KW_ONLY
    level: float = 0.95
    """The confidence level of all intervals."""
    top: int = 20
    """How many touchpoints are put in order where none are named, at most 128."""
    touchpoints: str | Sequence[str] | None = None
    """The event names to put in order, at most 128; the most frequent unless given."""


@dataclass(frozen=True)
class Patterns(Spec):
    """Which events do many journeys have in the same order, whatever lies between?

    A pattern is a sequence of event names. A journey has it if its events hold these names in this order, not
    necessarily next to each other; each journey counts once, however often it has the pattern.

    * `share` = journeys that have the pattern ÷ all journeys, clustered by customer. Listed are the `top` patterns
      of `min_length` to `max_length` events that at least `min_support` of all journeys have: by journeys, then by
      names.
    * `max_steps` bounds how far on each event may lie from the one before it in the pattern: with 1 it is the next
      event, so that patterns are stretches of the path (n-grams). `max_gap` bounds the time from each to the next.
      A journey has the pattern if any of the ways to choose its events keeps to both.
    * `closed` leaves out a pattern that is part of a longer one, up to `max_length`, which as many journeys have:
      the longer one says it all.
    * With a `goal`, `before_goal` looks only at what came before a journey's first goal event, so that patterns do
      not merely hold the goal; without it they are looked for in whole journeys. `goal` then compares the share
      that reaches the goal among the journeys with the pattern and among those without it: the difference with its
      interval, and p and q (Benjamini-Hochberg) over all patterns listed. These are associations: who reaches the
      goal soon has less time for patterns before it.

    The search goes from the most frequent pattern down and looks at no more than it must; it is exact. `complete`
    says whether all patterns of that support are listed. It gives up after some seconds of work (counted, not
    timed, so that every machine stops at the same place) and then says from which number of journeys on its list is
    whole.

    Cells, for one or two events: `pattern/a` and `pattern/a > b`. Longer patterns without bounds are found by
    `Funnel`, which has the same journeys, their times, and can be compared between groups.

    Memory grows with the distinct sequences of events of customers; with `max_gap` with the events. Finishing takes
    O(events of distinct sequences) for each pattern looked at.

    Sources: J. Pei and others, *PrefixSpan*, 2001; X. Yan, J. Han and R. Afshar, *CloSpan*, 2003 (closed patterns).
    """

    name: ClassVar[str] = "patterns"
    _: KW_ONLY
    before_goal: bool = True
    """With a goal: whether to look only at what came before it."""
    closed: bool = False
    """Whether to leave out patterns that are part of a longer one which as many journeys have."""
    goal: Condition | None = None
    """What counts as reaching the goal: an event name or an expression."""
    level: float = 0.95
    """The confidence level of all intervals."""
    max_gap: Span | None = None
    """How long after an event of a pattern the next one may come, inclusive. As late as it likes unless set."""
    max_length: int = 4
    """The most events of a pattern, at most 12."""
    max_steps: int | None = None
    """How many events on the next event of a pattern may lie; 1 for directly after each other. As far as it likes
    unless set.
    """
    min_length: int = 2
    """The fewest events of a pattern."""
    min_support: float = 0.05
    """The least share of all journeys that have a pattern, above 0 and at most 1."""
    top: int = 20
    """How many patterns are listed."""


@dataclass(frozen=True)
class Funnel(Spec):
    """How many journeys take these steps in this order, where do they stop, and how long does it take?

    **Attempt.** A journey's attempt fills the steps with different events, one after the other in the log's order;
    other events may lie between. An event that matches several steps fills one of them, whichever lets the attempt
    get deepest. All of an attempt lies within `within` of its first step, both ends included. Of all attempts the
    deepest counts; among equals the one that ends first, then the one that starts first, then the one whose inner
    steps come first.

    **Counts.** A journey *reached* step k if its best attempt did, *entered* if it reached step 1, and *converted*
    if it reached the last. One that entered without converting is *at risk* if it may still convert: some step-1
    event lies less than `within` before the end of observation, and the customer's next journey has not begun. The
    others are *dropped* at the deepest step they reached. Without `within` nothing is at risk: waiting has no end.
    So journeys = not entered + converted + dropped + at risk.

    **Rates** have the bases `of_all` journeys, `of_entered` and `of_previous` step; these take journeys at risk as
    not converted. `of_known` does not: its base are the entrants whose first step-1 event lies at least `within`
    before the end of observation. All intervals are clustered by customer.

    **Times** are those of the best attempt, from step to step and from the first step, over the journeys that got
    there.

    Cost: one pass over the events plus a second one up to the deepest step for journeys that got past step 1;
    memory independent of the number of journeys. Sources: semantics as in ClickHouse's `windowFunnel`, but one
    event fills one step; equal times keep the log's order.
    """

    name: ClassVar[str] = "funnel"
    _lists: ClassVar[frozenset[str]] = frozenset({"steps"})
    steps: Condition | Step | Sequence[Condition | Step]
    """The steps in order, at most 64: expressions, or objects with `expr` and `label`."""
    _: KW_ONLY
    attempt: Literal["best"] = "best"
    """Which attempt of a journey counts."""
    level: float = 0.95
    """The confidence level of all intervals."""
    ties: Literal["input"] = "input"
    """What becomes of steps at one time."""
    within: Span | None = None
    """The longest time from the first step to the last one, inclusive; no limit unless set."""


@dataclass(frozen=True)
class Dropoff(Spec):
    """Where do journeys end without their goal, who comes back, and what came before?

    **Outcomes.** Every journey has one:
    - *reached*: some event of it is the goal, wherever the journey ended;
    - *open*: no goal, and it may still go on: its last event lies less than `alive` before the end of observation,
      and the customer's next journey has not begun;
    - *exit*: all others. It dropped off at the touchpoint of its last event.

    **Exit rate** of a touchpoint: exits there, of the visits to it. A visit is a journey with a known outcome
    (reached or exit) that has the touchpoint at least once.

    **Return**: the customer's next journey begins within `returns_within` of the exit, inclusive. The base are the
    exits that lie at least that long before the end of observation; of the others it is not yet known.

    **Before the exit**: up to `before` touchpoints and the exit, in order; fewer where the journey began later.

    All intervals are clustered by customer. Lists show the `top` most frequent; the rest is summed exactly in
    `other`. Cost: one pass over the events; memory grows with the number of event names and of distinct sequences
    before an exit.
    """

    name: ClassVar[str] = "dropoff"
    _: KW_ONLY
    alive: Span = "30m"
    """A journey whose last event lies less than this before the end of observation may still go on. Take the pause
    that cuts journeys, or, for whole customers, the longest pause that customers usually make.
    """
    before: int = 3
    """How many touchpoints before an exit are shown, at most 15."""
    goal: Condition | None = None
    """What journeys are after. Without a goal every journey that has ended is an exit."""
    level: float = 0.95
    """The confidence level of all intervals."""
    returns_within: Span = "7d"
    """How soon after an exit the customer's next journey begins if they came back, inclusive."""
    top: int = 20
    """How many touchpoints and sequences are listed."""


@dataclass(frozen=True)
class Goals(Spec):
    """Which journeys reach their goals, how fast, how directly, and what they are worth?

    A journey reaches a goal when one of its events matches the goal's expression; the first such event counts for
    time and steps, all of them for value. Per goal: completion of all journeys and of those that have ended, both
    with an interval clustered by customer; money at goal events; time from the journey's first event to the goal,
    as the share of all journeys that have reached it by then (Kaplan–Meier on the time observed); directness, the
    fewest steps of any journey that got there over the steps of this one; completion by first touchpoint and by
    channel.
    """

    name: ClassVar[str] = "goals"
    _lists: ClassVar[frozenset[str]] = frozenset({"goals", "horizons"})
    goals: Condition | Goal | Sequence[Condition | Goal]
    """The goals: each an expression, or a name and an expression."""
    _: KW_ONLY
    alive: Span = "30m"
    """A journey whose last event is less than this before the end of observation may still go on, unless the
    customer's next one has begun: it is open, not lost.
    """
    horizons: Span | Sequence[Span] = ("10m", "1h", "1d", "7d", "30d")
    """For which lengths of time to tell how many have reached the goal by then."""
    level: float = 0.95
    """The level of the intervals."""
    top: int = 20
    """How many first touchpoints and channels to list; the rest is one exact row."""


@dataclass(frozen=True)
class Retention(Spec):
    """How many customers come back, how long after they started, cohort by cohort?

    **Start.** A customer's first event that matches `start`: the first ever in the full log, also where selections
    hide it, or the first within the selection. It puts the customer into a cohort, the calendar period (`unit` in
    `time_zone`) that it lies in. Each customer starts once.

    **Return.** A later event of the selected journeys that matches `returns`, all journeys of the customer taken
    together. Later is later in the log's order; the start event itself counts in period 0 only with
    `include_start`.

    **Periods** are numbered from 0, the one of the start. By the calendar, period k is the k-th day, week or month
    after the one of the start: days of 23 and 25 hours and months of every length are one period each. With
    `rolling` each customer has a clock of their own, and period k begins k times `rolling` after the start.

    **Retained** in column k: a return in period k (`on`), in k or any later one as far as was observed
    (`on_or_after`), in any of 0 to k (`on_or_before`), in each of 1 to k (`streak`; column 0 as `on`), or in some
    period of the column's bracket (`bracket`).

    **Incomplete cells.** A cell counts as complete once its last period is over for every customer of the cohort.
    The others show what was seen so far but no rate, and take no part in the overall rate: retained over customers,
    summed over the complete cells of a column. The unit is the customer, so intervals are Wilson's, without
    clusters.

    Cells, counted in customers: `not_started`, `cohort/2024-05-06`, `retained/2024-05-06/3` and
    `not_retained/2024-05-06/3`, a bracket by its first period. A customer of several journeys is found at the
    first.

    Customers of the first cohorts may be older than the log. Cost: one pass over the times, and one over what
    `start` and `returns` look at; memory grows with cohorts times periods.
    """

    name: ClassVar[str] = "retention"
    _lists: ClassVar[frozenset[str]] = frozenset({"brackets"})
    _: KW_ONLY
    birth: Literal["ever", "selected"] = "ever"
    """Which of the customer's matching events is the start."""
    brackets: int | Sequence[int] | None = None
    """For mode `bracket`: the periods where brackets begin and the last one ends. 1, 4 and 8 make periods 1 to 3 and 4
    to 7.
    """
    include_start: bool = False
    """Whether the start event itself can be a return, in period 0."""
    level: float = 0.95
    """The confidence level of all intervals."""
    mode: Literal["on", "on_or_after", "on_or_before", "bracket", "streak"] = "on"
    """In which periods a customer has to come back."""
    periods: int = 12
    """The last period to tell of, at most 1,022; period 0 is that of the start. Brackets bring their own."""
    returns: Condition | None = None
    """What counts as coming back; any event unless set."""
    rolling: Span | None = None
    """The length of periods that begin with each customer's own start, such as 24h or 7d; by the calendar unless set."""
    simple_mean: bool = False
    """Whether to give the mean of the cohorts' rates too, each cohort counting alike."""
    start: Condition | None = None
    """What starts a customer's time; any event unless set."""
    time_zone: str = "UTC"
    """The IANA name of the zone whose midnight counts; UTC unless another is named, never the machine's."""
    unit: Literal["day", "week", "month"] = "week"
    """The calendar unit of cohorts, and of periods unless they are rolling."""
    week_start: Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] = "monday"
    """The day that weeks begin with."""


@dataclass(frozen=True)
class Calendar(Spec):
    """When do people come, begin a journey and reach their goal: at which hour of the day, on which day of the week?

    * `events`: all events by their time; `starts`: journeys by the time of their first event; `goals`: journeys
      that reached the goal, by the time of their first goal event. Each hour's and day's share of all, clustered by
      customer: the hours add up to the whole exactly, as do the days, and the 168 hours of the `week` to both.
    * `conversion`: of the journeys that began in that hour or on that day, the share that reached the goal,
      whenever that was. Journeys that may still go on, without the goal and with their last event less than `alive`
      before the end of observation, count in no conversion.

    Times are local to `time_zone` by the rules of the IANA database: where clocks are put forward an hour of that
    day has no events, where they are put back one has those of two. No zone is guessed; UTC unless another is
    named.

    An hour with many events need not be a good hour: zones, opening hours and campaigns show here too. Cells,
    counted in journeys: `start/Monday 08:00`, `goal/Monday 08:00`, and by start `converted/08:00`,
    `unconverted/08:00`, `converted/Monday`, `unconverted/Monday`. Takes O(events) time and little memory.
    """

    name: ClassVar[str] = "calendar"
    _: KW_ONLY
    alive: Span = "30m"
    """A journey without the goal whose last event lies less than this before the end of observation may still go on."""
    goal: Condition | None = None
    """What counts as reaching the goal: an event name or an expression."""
    level: float = 0.95
    """The confidence level of all intervals."""
    time_zone: str = "UTC"
    """The IANA name of the zone whose clocks count; UTC unless another is named, never the machine's."""
    week_start: Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] = "monday"
    """The day that weeks begin with."""


@dataclass(frozen=True)
class Stability(Spec):
    """Do customers who behave in some way go on behaving so, or is it others each time?

    **The segment.** A customer is in it in a period if at least `at_least` events of theirs in that period match
    `condition`, and present in a period with any event in it; all selected journeys of a customer taken together.
    Someone whose behaviour says so once need not be a kind of person: this question holds the segment of one period
    against that of another.

    **The periods** are two halves of the time of observation, unless given: from `first_from` up to `first_until`,
    and from `second_from` up to `second_until`, each without its end. A later one begins where the first ends,
    unless given.

    Of the customers present in both periods:
    - `stayed` were in the segment in both, `left` only in the first, `entered` only in the second, `outside` in
      neither;
    - `agreement` = (stayed + outside) ÷ all; `kappa` says how far that goes beyond chance (Cohen): 1 is the same
      people, 0 what two independent draws of the same sizes would give;
    - `overlap` = stayed ÷ (stayed + left + entered), Jaccard's index: of those ever in it, who was in it twice;
    - `stays` = stayed ÷ (stayed + left), and `enters` = entered ÷ (entered + outside).

    Of all customers present in either: the segment's share in each period, its `change` with interval and p
    (customers in both count as pairs), and `stability_index`, the population stability index of the two shares: by
    custom below 0.1 hardly moved, above 0.25 much. It has no interval; `change` has.

    Rates have Wilson's intervals, a customer counting once; for kappa see `Agreement`. Cells, counted in customers:
    `stayed`, `left`, `entered`, `outside`, `first_only`, `second_only` and `absent` (no event in either). Takes
    O(events) time and no memory.

    Sources: J. Cohen, *A coefficient of agreement for nominal scales*, 1960; P. Jaccard, 1912.
    """

    name: ClassVar[str] = "stability"
    condition: Condition
    """The events that put a customer into the segment in the period that they lie in."""
    _: KW_ONLY
    at_least: int = 1
    """How many of them it takes."""
    first_from: str | None = None
    """When the first period begins, such as 2024-01-01 or 2024-01-01T06:00:00+01:00; with the log unless given."""
    first_until: str | None = None
    """When it is over; unless given half way between its begin and the end of the second, or where the second begins
    if that is earlier.
    """
    level: float = 0.95
    """The confidence level of all intervals."""
    second_from: str | None = None
    """When the second period begins; when the first is over unless given."""
    second_until: str | None = None
    """When it is over; after the end of observation unless given."""


QUESTIONS: dict[str, type[Spec]] = {
    "paths": Paths,
    "transitions": Transitions,
    "directly_follows": DirectlyFollows,
    "precedence": Precedence,
    "patterns": Patterns,
    "funnel": Funnel,
    "dropoff": Dropoff,
    "goals": Goals,
    "retention": Retention,
    "calendar": Calendar,
    "stability": Stability,
}
"""The class of each question, by the name of its analysis."""


class Questions:
    """The questions as methods; :class:`Journeys` has them."""

    __slots__ = ()

    def _ask(self, asked: Question, by: Groups | None) -> Any:
        raise NotImplementedError

    @overload
    def paths(
        self,
        *,
        collapse: Literal["none", "first", "last"] = "none",
        first: int | None = None,
        flow_steps: int = 5,
        flow_top: int = 8,
        goal: Condition | None = None,
        last: int | None = None,
        level: float = 0.95,
        top: int = 20,
        by: None = None,
    ) -> PathsReport: ...

    @overload
    def paths(
        self,
        *,
        collapse: Literal["none", "first", "last"] = "none",
        first: int | None = None,
        flow_steps: int = 5,
        flow_top: int = 8,
        goal: Condition | None = None,
        last: int | None = None,
        level: float = 0.95,
        top: int = 20,
        by: Groups,
    ) -> GroupedReport[PathsReport]: ...

    def paths(
        self,
        *,
        collapse: Literal["none", "first", "last"] = "none",
        first: int | None = None,
        flow_steps: int = 5,
        flow_top: int = 8,
        goal: Condition | None = None,
        last: int | None = None,
        level: float = 0.95,
        top: int = 20,
        by: Groups | None = None,
    ) -> PathsReport | GroupedReport[PathsReport]:
        """Which ways customers take: how often, how long each lasts, and whether it leads to the goal.

        A path is the sequence of a journey's touchpoints, or of its `first` or `last` few. Journeys with the same
        sequence are counted together. The `top` most frequent are listed (equal counts by name); `other` holds all
        others, so that journeys and distinct paths add up to the totals.

        * `share` = journeys on the path ÷ all journeys, and `goal` = journeys on the path with an event that
          fulfils the goal, wherever in the journey it is ÷ journeys on the path. Both intervals allow for customers
          with several journeys (`wilson_clustered`) and are absent below five journeys.
        * A duration runs from the path's first touchpoint to its last, at the times that `collapse` keeps.
        * `entropy` says how much journeys differ: in bits as observed and corrected for paths not seen, over the
          most that so many paths can have, and as a number of equally frequent paths. `coverage` is the share of
          journeys on the paths listed.
        * A journey longer than `first` or `last` is counted in `shortened`; being cut there is no drop-off.
        * The `flow` counts the links between the first `flow_steps` touchpoints of whole journeys, to the goal or
          the end.

        Cells: `path/a > b > c`, `goal/a > b > c` (those that reached the goal), and `flow/1/a > b` with the step of
        `a`; ends are `(goal)`, `(exit)` and `(goes on)`. Takes O(events) time; memory grows with the distinct
        paths.

        Args:
            collapse: Whether repeats of a touchpoint in a row count once, and which of their times is kept.
            first: Only the first so many touchpoints of each journey.
            flow_steps: How many first steps the flow shows; 0 for none.
            flow_top: How many touchpoints the flow lists at each step.
            goal: What counts as reaching the goal: an event name or an expression.
            last: Only the last so many touchpoints of each journey.
            level: The level of the intervals.
            top: How many paths to list.
            by: Answer group by group: an attribute's name, `By(...)`, or segments `{"name": condition}`.
        """
        asked = Paths(
            collapse=collapse,
            first=first,
            flow_steps=flow_steps,
            flow_top=flow_top,
            goal=goal,
            last=last,
            level=level,
            top=top,
        )
        return cast(PathsReport | GroupedReport[PathsReport], self._ask(asked, by))

    @overload
    def transitions(
        self,
        *,
        level: float = 0.95,
        times: bool = True,
        top: int | None = None,
        by: None = None,
    ) -> TransitionsReport: ...

    @overload
    def transitions(
        self,
        *,
        level: float = 0.95,
        times: bool = True,
        top: int | None = None,
        by: Groups,
    ) -> GroupedReport[TransitionsReport]: ...

    def transitions(
        self,
        *,
        level: float = 0.95,
        times: bool = True,
        top: int | None = None,
        by: Groups | None = None,
    ) -> TransitionsReport | GroupedReport[TransitionsReport]:
        """Which touchpoint follows which: how often, with how many customers, how probably and after how long.

        A transition is two events of a journey directly after one another; equal ones count too. There are exactly
        as many as events less journeys, and those out of a touchpoint are its events less the journeys that end
        there.

        * `probability` = transitions from a to b ÷ transitions out of a; `share` = those ÷ all transitions. Both
          intervals allow for customers with several (`wilson_clustered`) and are absent below five. Journeys that
          end at a touchpoint are no transitions: see `ends`.
        * `between` is the time from the one event to the other, 0 for equal times.
        * `returns` counts A, B, A with A ≠ B; overlapping ones each count. `revisits` = events less journeys of a
          touchpoint.
        * PageRank, components and loops look at all transitions, also with `top`.

        Cells, all counted in journeys: `transition/a > b`, `start/a`, `end/a`, `touchpoint/a` (visits it),
        `rework/a` (visits it more than once). Takes O(events) time; memory grows with the distinct pairs.

        Args:
            level: The level of the intervals.
            times: Whether to measure the time between; without it the rest is counted faster.
            top: How many transitions to list; all of them if not given.
            by: Answer group by group: an attribute's name, `By(...)`, or segments `{"name": condition}`.
        """
        asked = Transitions(level=level, times=times, top=top)
        return cast(TransitionsReport | GroupedReport[TransitionsReport], self._ask(asked, by))

    @overload
    def directly_follows(self, *, top: int | None = None, by: None = None) -> DirectlyFollowsReport: ...

    @overload
    def directly_follows(self, *, top: int | None = None, by: Groups) -> GroupedReport[DirectlyFollowsReport]: ...

    def directly_follows(
        self,
        *,
        top: int | None = None,
        by: Groups | None = None,
    ) -> DirectlyFollowsReport | GroupedReport[DirectlyFollowsReport]:
        """How often does each touchpoint come directly after each other, only counted.

        The directly-follows graph of process mining: for every pair of touchpoints how often the second is the next
        event of a journey after the first, and for every touchpoint its events and how many journeys start and end
        with it. Counts of all events, so without intervals; who asks how sure a share is, how many customers stand
        behind it or how long it took asks `Transitions`, which takes several times as long.

        There are exactly as many pairs as events less journeys; the rows and `other` add up to them.

        Cells, all counted in journeys: `start/a`, `end/a`. Takes O(events) time, a few nanoseconds an event, where
        there are at most 256 names; memory grows with the distinct pairs.

        Source: W. van der Aalst, *Process Mining*, 2nd edition 2016, section 6.2.

        Args:
            top: How many pairs to list; all of them if not given.
            by: Answer group by group: an attribute's name, `By(...)`, or segments `{"name": condition}`.
        """
        asked = DirectlyFollows(top=top)
        return cast(DirectlyFollowsReport | GroupedReport[DirectlyFollowsReport], self._ask(asked, by))

    @overload
    def precedence(
        self,
        *,
        level: float = 0.95,
        top: int = 20,
        touchpoints: str | Sequence[str] | None = None,
        by: None = None,
    ) -> PrecedenceReport: ...

    @overload
    def precedence(
        self,
        *,
        level: float = 0.95,
        top: int = 20,
        touchpoints: str | Sequence[str] | None = None,
        by: Groups,
    ) -> GroupedReport[PrecedenceReport]: ...

    def precedence(
        self,
        *,
        level: float = 0.95,
        top: int = 20,
        touchpoints: str | Sequence[str] | None = None,
        by: Groups | None = None,
    ) -> PrecedenceReport | GroupedReport[PrecedenceReport]:
        """In which order do people usually meet the touchpoints?

        **Before.** Of the journeys that have both a and b, the share in which the first a comes before the first b;
        what lies between does not matter, nor do repeats. Events of one time count in the order of the log (the
        `tie` column, else the input); `ties` says in how many journeys only that decided. `both` says how many
        journeys have both, and a touchpoint's `journeys` how many have it at all.

        **The usual order** is by net wins: a touchpoint wins over another if it is the earlier one in more than
        half of the journeys that have both (Copeland's rule). Equal ones are put by the difference in journeys over
        all of their pairs, then by journeys, then by name.

        **What can be said** of a pair: `follows` if the whole interval of the share lies above one half, `against`
        if it lies below (the two are sure to be met the other way round, yet the others put them like this),
        `unclear` if it holds one half, `too_few` below five journeys with both. About one in twenty pairs without
        any order is called sure at a level of 0.95.

        **Which touchpoints.** Those asked for, or the `top` by journeys out of the 128 most frequent names of the
        log. The others are left out of the matrix; `other` says how many they are and how often they are visited.

        Intervals are clustered by customer. Cells: `touchpoint/a` and `before/a > b`. Takes O(events) time, and for
        each journey the square of the touchpoints in it, at most 128; memory for at most 8,128 pairs.

        Source: A. H. Copeland, *A reasonable social welfare function*, 1951.

        Args:
            level: The confidence level of all intervals.
            top: How many touchpoints are put in order where none are named, at most 128.
            touchpoints: The event names to put in order, at most 128; the most frequent unless given.
            by: Answer group by group: an attribute's name, `By(...)`, or segments `{"name": condition}`.
        """
        asked = Precedence(level=level, top=top, touchpoints=touchpoints)
        return cast(PrecedenceReport | GroupedReport[PrecedenceReport], self._ask(asked, by))

    @overload
    def patterns(
        self,
        *,
        before_goal: bool = True,
        closed: bool = False,
        goal: Condition | None = None,
        level: float = 0.95,
        max_gap: Span | None = None,
        max_length: int = 4,
        max_steps: int | None = None,
        min_length: int = 2,
        min_support: float = 0.05,
        top: int = 20,
        by: None = None,
    ) -> PatternsReport: ...

    @overload
    def patterns(
        self,
        *,
        before_goal: bool = True,
        closed: bool = False,
        goal: Condition | None = None,
        level: float = 0.95,
        max_gap: Span | None = None,
        max_length: int = 4,
        max_steps: int | None = None,
        min_length: int = 2,
        min_support: float = 0.05,
        top: int = 20,
        by: Groups,
    ) -> GroupedReport[PatternsReport]: ...

    def patterns(
        self,
        *,
        before_goal: bool = True,
        closed: bool = False,
        goal: Condition | None = None,
        level: float = 0.95,
        max_gap: Span | None = None,
        max_length: int = 4,
        max_steps: int | None = None,
        min_length: int = 2,
        min_support: float = 0.05,
        top: int = 20,
        by: Groups | None = None,
    ) -> PatternsReport | GroupedReport[PatternsReport]:
        """Which events do many journeys have in the same order, whatever lies between?

        A pattern is a sequence of event names. A journey has it if its events hold these names in this order, not
        necessarily next to each other; each journey counts once, however often it has the pattern.

        * `share` = journeys that have the pattern ÷ all journeys, clustered by customer. Listed are the `top`
          patterns of `min_length` to `max_length` events that at least `min_support` of all journeys have: by
          journeys, then by names.
        * `max_steps` bounds how far on each event may lie from the one before it in the pattern: with 1 it is the
          next event, so that patterns are stretches of the path (n-grams). `max_gap` bounds the time from each to
          the next. A journey has the pattern if any of the ways to choose its events keeps to both.
        * `closed` leaves out a pattern that is part of a longer one, up to `max_length`, which as many journeys
          have: the longer one says it all.
        * With a `goal`, `before_goal` looks only at what came before a journey's first goal event, so that patterns
          do not merely hold the goal; without it they are looked for in whole journeys. `goal` then compares the
          share that reaches the goal among the journeys with the pattern and among those without it: the difference
          with its interval, and p and q (Benjamini-Hochberg) over all patterns listed. These are associations: who
          reaches the goal soon has less time for patterns before it.

        The search goes from the most frequent pattern down and looks at no more than it must; it is exact.
        `complete` says whether all patterns of that support are listed. It gives up after some seconds of work
        (counted, not timed, so that every machine stops at the same place) and then says from which number of
        journeys on its list is whole.

        Cells, for one or two events: `pattern/a` and `pattern/a > b`. Longer patterns without bounds are found by
        `Funnel`, which has the same journeys, their times, and can be compared between groups.

        Memory grows with the distinct sequences of events of customers; with `max_gap` with the events. Finishing
        takes O(events of distinct sequences) for each pattern looked at.

        Sources: J. Pei and others, *PrefixSpan*, 2001; X. Yan, J. Han and R. Afshar, *CloSpan*, 2003 (closed
        patterns).

        Args:
            before_goal: With a goal: whether to look only at what came before it.
            closed: Whether to leave out patterns that are part of a longer one which as many journeys have.
            goal: What counts as reaching the goal: an event name or an expression.
            level: The confidence level of all intervals.
            max_gap: How long after an event of a pattern the next one may come, inclusive. As late as it likes
                unless set.
            max_length: The most events of a pattern, at most 12.
            max_steps: How many events on the next event of a pattern may lie; 1 for directly after each other. As
                far as it likes unless set.
            min_length: The fewest events of a pattern.
            min_support: The least share of all journeys that have a pattern, above 0 and at most 1.
            top: How many patterns are listed.
            by: Answer group by group: an attribute's name, `By(...)`, or segments `{"name": condition}`.
        """
        asked = Patterns(
            before_goal=before_goal,
            closed=closed,
            goal=goal,
            level=level,
            max_gap=max_gap,
            max_length=max_length,
            max_steps=max_steps,
            min_length=min_length,
            min_support=min_support,
            top=top,
        )
        return cast(PatternsReport | GroupedReport[PatternsReport], self._ask(asked, by))

    @overload
    def funnel(
        self,
        steps: Condition | Step | Sequence[Condition | Step],
        *,
        attempt: Literal["best"] = "best",
        level: float = 0.95,
        ties: Literal["input"] = "input",
        within: Span | None = None,
        by: None = None,
    ) -> FunnelReport: ...

    @overload
    def funnel(
        self,
        steps: Condition | Step | Sequence[Condition | Step],
        *,
        attempt: Literal["best"] = "best",
        level: float = 0.95,
        ties: Literal["input"] = "input",
        within: Span | None = None,
        by: Groups,
    ) -> GroupedReport[FunnelReport]: ...

    def funnel(
        self,
        steps: Condition | Step | Sequence[Condition | Step],
        *,
        attempt: Literal["best"] = "best",
        level: float = 0.95,
        ties: Literal["input"] = "input",
        within: Span | None = None,
        by: Groups | None = None,
    ) -> FunnelReport | GroupedReport[FunnelReport]:
        """How many journeys take these steps in this order, where do they stop, and how long does it take?

        **Attempt.** A journey's attempt fills the steps with different events, one after the other in the log's
        order; other events may lie between. An event that matches several steps fills one of them, whichever lets
        the attempt get deepest. All of an attempt lies within `within` of its first step, both ends included. Of
        all attempts the deepest counts; among equals the one that ends first, then the one that starts first, then
        the one whose inner steps come first.

        **Counts.** A journey *reached* step k if its best attempt did, *entered* if it reached step 1, and
        *converted* if it reached the last. One that entered without converting is *at risk* if it may still
        convert: some step-1 event lies less than `within` before the end of observation, and the customer's next
        journey has not begun. The others are *dropped* at the deepest step they reached. Without `within` nothing
        is at risk: waiting has no end. So journeys = not entered + converted + dropped + at risk.

        **Rates** have the bases `of_all` journeys, `of_entered` and `of_previous` step; these take journeys at risk
        as not converted. `of_known` does not: its base are the entrants whose first step-1 event lies at least
        `within` before the end of observation. All intervals are clustered by customer.

        **Times** are those of the best attempt, from step to step and from the first step, over the journeys that
        got there.

        Cost: one pass over the events plus a second one up to the deepest step for journeys that got past step 1;
        memory independent of the number of journeys. Sources: semantics as in ClickHouse's `windowFunnel`, but one
        event fills one step; equal times keep the log's order.

        Args:
            steps: The steps in order, at most 64: expressions, or objects with `expr` and `label`.
            attempt: Which attempt of a journey counts.
            level: The confidence level of all intervals.
            ties: What becomes of steps at one time.
            within: The longest time from the first step to the last one, inclusive; no limit unless set.
            by: Answer group by group: an attribute's name, `By(...)`, or segments `{"name": condition}`.
        """
        asked = Funnel(steps, attempt=attempt, level=level, ties=ties, within=within)
        return cast(FunnelReport | GroupedReport[FunnelReport], self._ask(asked, by))

    @overload
    def dropoff(
        self,
        *,
        alive: Span = "30m",
        before: int = 3,
        goal: Condition | None = None,
        level: float = 0.95,
        returns_within: Span = "7d",
        top: int = 20,
        by: None = None,
    ) -> DropoffReport: ...

    @overload
    def dropoff(
        self,
        *,
        alive: Span = "30m",
        before: int = 3,
        goal: Condition | None = None,
        level: float = 0.95,
        returns_within: Span = "7d",
        top: int = 20,
        by: Groups,
    ) -> GroupedReport[DropoffReport]: ...

    def dropoff(
        self,
        *,
        alive: Span = "30m",
        before: int = 3,
        goal: Condition | None = None,
        level: float = 0.95,
        returns_within: Span = "7d",
        top: int = 20,
        by: Groups | None = None,
    ) -> DropoffReport | GroupedReport[DropoffReport]:
        """Where do journeys end without their goal, who comes back, and what came before?

        **Outcomes.** Every journey has one:
        - *reached*: some event of it is the goal, wherever the journey ended;
        - *open*: no goal, and it may still go on: its last event lies less than `alive` before the end of
          observation, and the customer's next journey has not begun;
        - *exit*: all others. It dropped off at the touchpoint of its last event.

        **Exit rate** of a touchpoint: exits there, of the visits to it. A visit is a journey with a known outcome
        (reached or exit) that has the touchpoint at least once.

        **Return**: the customer's next journey begins within `returns_within` of the exit, inclusive. The base are
        the exits that lie at least that long before the end of observation; of the others it is not yet known.

        **Before the exit**: up to `before` touchpoints and the exit, in order; fewer where the journey began later.

        All intervals are clustered by customer. Lists show the `top` most frequent; the rest is summed exactly in
        `other`. Cost: one pass over the events; memory grows with the number of event names and of distinct
        sequences before an exit.

        Args:
            alive: A journey whose last event lies less than this before the end of observation may still go on.
                Take the pause that cuts journeys, or, for whole customers, the longest pause that customers usually
                make.
            before: How many touchpoints before an exit are shown, at most 15.
            goal: What journeys are after. Without a goal every journey that has ended is an exit.
            level: The confidence level of all intervals.
            returns_within: How soon after an exit the customer's next journey begins if they came back, inclusive.
            top: How many touchpoints and sequences are listed.
            by: Answer group by group: an attribute's name, `By(...)`, or segments `{"name": condition}`.
        """
        asked = Dropoff(alive=alive, before=before, goal=goal, level=level, returns_within=returns_within, top=top)
        return cast(DropoffReport | GroupedReport[DropoffReport], self._ask(asked, by))

    @overload
    def goals(
        self,
        goals: Condition | Goal | Sequence[Condition | Goal],
        *,
        alive: Span = "30m",
        horizons: Span | Sequence[Span] = ("10m", "1h", "1d", "7d", "30d"),
        level: float = 0.95,
        top: int = 20,
        by: None = None,
    ) -> GoalsReport: ...

    @overload
    def goals(
        self,
        goals: Condition | Goal | Sequence[Condition | Goal],
        *,
        alive: Span = "30m",
        horizons: Span | Sequence[Span] = ("10m", "1h", "1d", "7d", "30d"),
        level: float = 0.95,
        top: int = 20,
        by: Groups,
    ) -> GroupedReport[GoalsReport]: ...

    def goals(
        self,
        goals: Condition | Goal | Sequence[Condition | Goal],
        *,
        alive: Span = "30m",
        horizons: Span | Sequence[Span] = ("10m", "1h", "1d", "7d", "30d"),
        level: float = 0.95,
        top: int = 20,
        by: Groups | None = None,
    ) -> GoalsReport | GroupedReport[GoalsReport]:
        """Which journeys reach their goals, how fast, how directly, and what they are worth?

        A journey reaches a goal when one of its events matches the goal's expression; the first such event counts
        for time and steps, all of them for value. Per goal: completion of all journeys and of those that have
        ended, both with an interval clustered by customer; money at goal events; time from the journey's first
        event to the goal, as the share of all journeys that have reached it by then (Kaplan–Meier on the time
        observed); directness, the fewest steps of any journey that got there over the steps of this one; completion
        by first touchpoint and by channel.

        Args:
            goals: The goals: each an expression, or a name and an expression.
            alive: A journey whose last event is less than this before the end of observation may still go on,
                unless the customer's next one has begun: it is open, not lost.
            horizons: For which lengths of time to tell how many have reached the goal by then.
            level: The level of the intervals.
            top: How many first touchpoints and channels to list; the rest is one exact row.
            by: Answer group by group: an attribute's name, `By(...)`, or segments `{"name": condition}`.
        """
        asked = Goals(goals, alive=alive, horizons=horizons, level=level, top=top)
        return cast(GoalsReport | GroupedReport[GoalsReport], self._ask(asked, by))

    @overload
    def retention(
        self,
        *,
        birth: Literal["ever", "selected"] = "ever",
        brackets: int | Sequence[int] | None = None,
        include_start: bool = False,
        level: float = 0.95,
        mode: Literal["on", "on_or_after", "on_or_before", "bracket", "streak"] = "on",
        periods: int = 12,
        returns: Condition | None = None,
        rolling: Span | None = None,
        simple_mean: bool = False,
        start: Condition | None = None,
        time_zone: str = "UTC",
        unit: Literal["day", "week", "month"] = "week",
        week_start: Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] = "monday",
        by: None = None,
    ) -> RetentionReport: ...

    @overload
    def retention(
        self,
        *,
        birth: Literal["ever", "selected"] = "ever",
        brackets: int | Sequence[int] | None = None,
        include_start: bool = False,
        level: float = 0.95,
        mode: Literal["on", "on_or_after", "on_or_before", "bracket", "streak"] = "on",
        periods: int = 12,
        returns: Condition | None = None,
        rolling: Span | None = None,
        simple_mean: bool = False,
        start: Condition | None = None,
        time_zone: str = "UTC",
        unit: Literal["day", "week", "month"] = "week",
        week_start: Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] = "monday",
        by: Groups,
    ) -> GroupedReport[RetentionReport]: ...

    def retention(
        self,
        *,
        birth: Literal["ever", "selected"] = "ever",
        brackets: int | Sequence[int] | None = None,
        include_start: bool = False,
        level: float = 0.95,
        mode: Literal["on", "on_or_after", "on_or_before", "bracket", "streak"] = "on",
        periods: int = 12,
        returns: Condition | None = None,
        rolling: Span | None = None,
        simple_mean: bool = False,
        start: Condition | None = None,
        time_zone: str = "UTC",
        unit: Literal["day", "week", "month"] = "week",
        week_start: Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] = "monday",
        by: Groups | None = None,
    ) -> RetentionReport | GroupedReport[RetentionReport]:
        """How many customers come back, how long after they started, cohort by cohort?

        **Start.** A customer's first event that matches `start`: the first ever in the full log, also where
        selections hide it, or the first within the selection. It puts the customer into a cohort, the calendar
        period (`unit` in `time_zone`) that it lies in. Each customer starts once.

        **Return.** A later event of the selected journeys that matches `returns`, all journeys of the customer
        taken together. Later is later in the log's order; the start event itself counts in period 0 only with
        `include_start`.

        **Periods** are numbered from 0, the one of the start. By the calendar, period k is the k-th day, week or
        month after the one of the start: days of 23 and 25 hours and months of every length are one period each.
        With `rolling` each customer has a clock of their own, and period k begins k times `rolling` after the
        start.

        **Retained** in column k: a return in period k (`on`), in k or any later one as far as was observed
        (`on_or_after`), in any of 0 to k (`on_or_before`), in each of 1 to k (`streak`; column 0 as `on`), or in
        some period of the column's bracket (`bracket`).

        **Incomplete cells.** A cell counts as complete once its last period is over for every customer of the
        cohort. The others show what was seen so far but no rate, and take no part in the overall rate: retained
        over customers, summed over the complete cells of a column. The unit is the customer, so intervals are
        Wilson's, without clusters.

        Cells, counted in customers: `not_started`, `cohort/2024-05-06`, `retained/2024-05-06/3` and
        `not_retained/2024-05-06/3`, a bracket by its first period. A customer of several journeys is found at the
        first.

        Customers of the first cohorts may be older than the log. Cost: one pass over the times, and one over what
        `start` and `returns` look at; memory grows with cohorts times periods.

        Args:
            birth: Which of the customer's matching events is the start.
            brackets: For mode `bracket`: the periods where brackets begin and the last one ends. 1, 4 and 8 make
                periods 1 to 3 and 4 to 7.
            include_start: Whether the start event itself can be a return, in period 0.
            level: The confidence level of all intervals.
            mode: In which periods a customer has to come back.
            periods: The last period to tell of, at most 1,022; period 0 is that of the start. Brackets bring their
                own.
            returns: What counts as coming back; any event unless set.
            rolling: The length of periods that begin with each customer's own start, such as 24h or 7d; by the
                calendar unless set.
            simple_mean: Whether to give the mean of the cohorts' rates too, each cohort counting alike.
            start: What starts a customer's time; any event unless set.
            time_zone: The IANA name of the zone whose midnight counts; UTC unless another is named, never the
                machine's.
            unit: The calendar unit of cohorts, and of periods unless they are rolling.
            week_start: The day that weeks begin with.
            by: Answer group by group: an attribute's name, `By(...)`, or segments `{"name": condition}`.
        """
        asked = Retention(
            birth=birth,
            brackets=brackets,
            include_start=include_start,
            level=level,
            mode=mode,
            periods=periods,
            returns=returns,
            rolling=rolling,
            simple_mean=simple_mean,
            start=start,
            time_zone=time_zone,
            unit=unit,
            week_start=week_start,
        )
        return cast(RetentionReport | GroupedReport[RetentionReport], self._ask(asked, by))

    @overload
    def calendar(
        self,
        *,
        alive: Span = "30m",
        goal: Condition | None = None,
        level: float = 0.95,
        time_zone: str = "UTC",
        week_start: Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] = "monday",
        by: None = None,
    ) -> CalendarReport: ...

    @overload
    def calendar(
        self,
        *,
        alive: Span = "30m",
        goal: Condition | None = None,
        level: float = 0.95,
        time_zone: str = "UTC",
        week_start: Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] = "monday",
        by: Groups,
    ) -> GroupedReport[CalendarReport]: ...

    def calendar(
        self,
        *,
        alive: Span = "30m",
        goal: Condition | None = None,
        level: float = 0.95,
        time_zone: str = "UTC",
        week_start: Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] = "monday",
        by: Groups | None = None,
    ) -> CalendarReport | GroupedReport[CalendarReport]:
        """When do people come, begin a journey and reach their goal: at which hour of the day, on which day of the
        week?

        * `events`: all events by their time; `starts`: journeys by the time of their first event; `goals`: journeys
          that reached the goal, by the time of their first goal event. Each hour's and day's share of all,
          clustered by customer: the hours add up to the whole exactly, as do the days, and the 168 hours of the
          `week` to both.
        * `conversion`: of the journeys that began in that hour or on that day, the share that reached the goal,
          whenever that was. Journeys that may still go on, without the goal and with their last event less than
          `alive` before the end of observation, count in no conversion.

        Times are local to `time_zone` by the rules of the IANA database: where clocks are put forward an hour of
        that day has no events, where they are put back one has those of two. No zone is guessed; UTC unless another
        is named.

        An hour with many events need not be a good hour: zones, opening hours and campaigns show here too. Cells,
        counted in journeys: `start/Monday 08:00`, `goal/Monday 08:00`, and by start `converted/08:00`,
        `unconverted/08:00`, `converted/Monday`, `unconverted/Monday`. Takes O(events) time and little memory.

        Args:
            alive: A journey without the goal whose last event lies less than this before the end of observation may
                still go on.
            goal: What counts as reaching the goal: an event name or an expression.
            level: The confidence level of all intervals.
            time_zone: The IANA name of the zone whose clocks count; UTC unless another is named, never the
                machine's.
            week_start: The day that weeks begin with.
            by: Answer group by group: an attribute's name, `By(...)`, or segments `{"name": condition}`.
        """
        asked = Calendar(alive=alive, goal=goal, level=level, time_zone=time_zone, week_start=week_start)
        return cast(CalendarReport | GroupedReport[CalendarReport], self._ask(asked, by))

    @overload
    def stability(
        self,
        condition: Condition,
        *,
        at_least: int = 1,
        first_from: str | None = None,
        first_until: str | None = None,
        level: float = 0.95,
        second_from: str | None = None,
        second_until: str | None = None,
        by: None = None,
    ) -> StabilityReport: ...

    @overload
    def stability(
        self,
        condition: Condition,
        *,
        at_least: int = 1,
        first_from: str | None = None,
        first_until: str | None = None,
        level: float = 0.95,
        second_from: str | None = None,
        second_until: str | None = None,
        by: Groups,
    ) -> GroupedReport[StabilityReport]: ...

    def stability(
        self,
        condition: Condition,
        *,
        at_least: int = 1,
        first_from: str | None = None,
        first_until: str | None = None,
        level: float = 0.95,
        second_from: str | None = None,
        second_until: str | None = None,
        by: Groups | None = None,
    ) -> StabilityReport | GroupedReport[StabilityReport]:
        """Do customers who behave in some way go on behaving so, or is it others each time?

        **The segment.** A customer is in it in a period if at least `at_least` events of theirs in that period
        match `condition`, and present in a period with any event in it; all selected journeys of a customer taken
        together. Someone whose behaviour says so once need not be a kind of person: this question holds the segment
        of one period against that of another.

        **The periods** are two halves of the time of observation, unless given: from `first_from` up to
        `first_until`, and from `second_from` up to `second_until`, each without its end. A later one begins where
        the first ends, unless given.

        Of the customers present in both periods:
        - `stayed` were in the segment in both, `left` only in the first, `entered` only in the second, `outside` in
          neither;
        - `agreement` = (stayed + outside) ÷ all; `kappa` says how far that goes beyond chance (Cohen): 1 is the
          same people, 0 what two independent draws of the same sizes would give;
        - `overlap` = stayed ÷ (stayed + left + entered), Jaccard's index: of those ever in it, who was in it twice;
        - `stays` = stayed ÷ (stayed + left), and `enters` = entered ÷ (entered + outside).

        Of all customers present in either: the segment's share in each period, its `change` with interval and p
        (customers in both count as pairs), and `stability_index`, the population stability index of the two shares:
        by custom below 0.1 hardly moved, above 0.25 much. It has no interval; `change` has.

        Rates have Wilson's intervals, a customer counting once; for kappa see `Agreement`. Cells, counted in
        customers: `stayed`, `left`, `entered`, `outside`, `first_only`, `second_only` and `absent` (no event in
        either). Takes O(events) time and no memory.

        Sources: J. Cohen, *A coefficient of agreement for nominal scales*, 1960; P. Jaccard, 1912.

        Args:
            condition: The events that put a customer into the segment in the period that they lie in.
            at_least: How many of them it takes.
            first_from: When the first period begins, such as 2024-01-01 or 2024-01-01T06:00:00+01:00; with the log
                unless given.
            first_until: When it is over; unless given half way between its begin and the end of the second, or
                where the second begins if that is earlier.
            level: The confidence level of all intervals.
            second_from: When the second period begins; when the first is over unless given.
            second_until: When it is over; after the end of observation unless given.
            by: Answer group by group: an attribute's name, `By(...)`, or segments `{"name": condition}`.
        """
        asked = Stability(
            condition,
            at_least=at_least,
            first_from=first_from,
            first_until=first_until,
            level=level,
            second_from=second_from,
            second_until=second_until,
        )
        return cast(StabilityReport | GroupedReport[StabilityReport], self._ask(asked, by))

    def compare(
        self,
        by: Groups | None = None,
        *,
        on: Question,
        a: Condition | None = None,
        b: Condition | None = None,
        against: Literal["baseline", "all_pairs"] = "baseline",
        baseline: str | None = None,
        level: float = 0.95,
        min_n: int = 5,
        stratify: str | None = None,
        top: int = 50,
    ) -> CompareReport:
        """What differs between groups of journeys in whatever a question measures: differences with interval, p and q.

        Nothing here shows a cause.

        Args:
            by: The groups: an attribute's name, `By(...)`, or segments `{"name": condition}`.
            on: The question, such as `Funnel([...])`.
            a: Instead of `by`: the journeys with an event for which this holds, ...
            b: ... compared with those for which this holds; with all others unless given.
            against: Which groups are paired.
            baseline: The group that others are compared with; `rest` for the journeys in no segment. Unless set:
                the rest of one segment, else the group with the most journeys, missing values only if there is no
                other.
            level: The level of the intervals.
            min_n: Below this many observations in either group nothing is given; with fewer successes, or failures,
                in both together nothing is tested.
            stratify: An attribute that might be behind a difference: rates are compared within its values as well.
            top: How many differences to list. q counts all.
        """
        asked = compared(
            on,
            by,
            a,
            b,
            against=against,
            baseline=baseline,
            level=level,
            min_n=min_n,
            stratify=stratify,
            top=top,
        )
        return cast(CompareReport, self._ask(asked, None))
