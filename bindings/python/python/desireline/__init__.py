"""What customers actually did, measured: paths, funnels, drop-off, goals and comparisons, each number with its interval.

>>> import desireline as dl
>>> log = dl.simulate(customers=1_000, seed=1)
>>> journeys = log.journeys(gap="30m")
>>> funnel = journeys.funnel(["product_view", "add_to_cart", "purchase"], within="7d")
>>> funnel.steps[0].label
'product_view'

Start at :func:`read` for your own data: a frame of any library that speaks Arrow, or a path.
"""

from . import _analyses, _reports
from ._analyses import *
from ._core import __version__
from ._errors import (
    BudgetError,
    DataError,
    DesirelineError,
    InputNotFoundError,
    InternalError,
    ReadError,
    SpecError,
    UnknownNameError,
)
from ._exchange import ExchangeNote, ExchangeWarning, ExportedMap, ImportedMap, Loss
from ._expr import Col, Condition, Expr, after, col, event, first, nth
from ._feedback import Feedback, FeedbackReport, Hole, Measured, SurveyQuestion, VoiceReport, interview
from ._kpi import AlertRun, KpiDefinition, KpiLimits, KpiReport, KpiSetting, KpiValue, KpiVariant, kpis
from ._lifecycle import LifecycleReport
from ._log import Attribute, Journeys, Log, SelectedLog, finish, merge, open, read, read_sources
from ._map import Coverage, JourneyMap, MapCheck, Notice, TouchpointCoverage, map_templates
from ._overlay import OverlayReport, ScenarioReport, scenarios
from ._personas import PersonaDiff, PersonaField, PersonaWeights
from ._report import Caveat, Explained, GraphReport, Group, GroupedReport, Member, Provenance, Report, Table, Tables
from ._reports import *
from ._simulate import simulate, simulate_truth
from ._spec import By, Groups, Question, Spec
from ._time import Span

__all__ = [
    "AlertRun",
    "Attribute",
    "BudgetError",
    "By",
    "Caveat",
    "Col",
    "Condition",
    "Coverage",
    "DataError",
    "DesirelineError",
    "ExchangeNote",
    "ExchangeWarning",
    "Explained",
    "ExportedMap",
    "Expr",
    "Feedback",
    "FeedbackReport",
    "GraphReport",
    "Group",
    "GroupedReport",
    "Groups",
    "Hole",
    "ImportedMap",
    "InputNotFoundError",
    "InternalError",
    "JourneyMap",
    "Journeys",
    "KpiDefinition",
    "KpiLimits",
    "KpiReport",
    "KpiSetting",
    "KpiValue",
    "KpiVariant",
    "LifecycleReport",
    "Log",
    "Loss",
    "MapCheck",
    "Measured",
    "Member",
    "Notice",
    "OverlayReport",
    "PersonaDiff",
    "PersonaField",
    "PersonaWeights",
    "Provenance",
    "Question",
    "ReadError",
    "Report",
    "ScenarioReport",
    "SelectedLog",
    "Span",
    "Spec",
    "SpecError",
    "SurveyQuestion",
    "Table",
    "Tables",
    "TouchpointCoverage",
    "UnknownNameError",
    "VoiceReport",
    "__version__",
    "after",
    "col",
    "event",
    "finish",
    "first",
    "interview",
    "kpis",
    "map_templates",
    "merge",
    "nth",
    "open",
    "read",
    "read_sources",
    "scenarios",
    "simulate",
    "simulate_truth",
]
__all__ += _analyses.__all__
__all__ += _reports.__all__
