"""Feedback: surveys of every form, measures against independent computations, and answers along a map."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

import pytest
from scipy import optimize

import desireline as dl

SCORES = [10, 9, 9, 8, 7, 7, 6, 3, 10, 10, 11, None]


def frame() -> Any:
    pyarrow = pytest.importorskip("pyarrow")
    return pyarrow.table({"who": [f"c{i}" for i in range(len(SCORES))], "nps": SCORES, "said": ["<b>hi</b>, \"you\"\n"] * len(SCORES)})


def asked(**more: Any) -> dl.Feedback:
    questions = [dl.SurveyQuestion("nps", "nps", blanks=(11,), words="said")]
    return dl.Feedback.read(frame(), questions=questions, customer="who", **more)


def test_a_frame_is_read_and_measured() -> None:
    feedback = asked()
    counts = feedback.questions[0]
    assert (counts["scores"], counts["blank"], counts["quarantined"]) == (10, 1, 0)
    nps = feedback.nps()
    assert nps.n == 10
    assert nps.value == pytest.approx(100 * (5 - 2) / 10)
    assert nps.estimate is not None
    assert nps.estimate.unit == "net_score"
    # With ten answers Tango's score limits are wider than the adjusted Wald ones: where the sample would just be strange.
    z, plus, minus, n = 1.959963984540054, 5, 2, 10

    def score(difference: float) -> float:
        b = -plus - minus + (2 * n - plus + minus) * difference
        c = -minus * difference * (1 - difference)
        other = (math.sqrt(b * b - 8 * n * c) - b) / (4 * n)
        return float((plus - minus - n * difference) / math.sqrt(n * (2 * other + difference * (1 - difference))))

    lower = optimize.brentq(lambda difference: score(difference) - z, -0.99, 0.299)
    assert nps.estimate.lower == pytest.approx(100 * lower, abs=1e-6)
    assert feedback.nps(min_n=20).hole == dl.Hole("too_few", 20)
    assert feedback.nps(min_n=20).value is None


def test_the_same_from_csv_long_and_frames(tmp_path: Path) -> None:
    wide = tmp_path / "wide.csv"
    lines = ["who,nps,said"] + [f"c{i},{'' if s is None else s},x" for i, s in enumerate(SCORES)]
    wide.write_text("\n".join(lines))
    long = tmp_path / "long.jsonl"
    rows = [f'{{"who": "c{i}", "q": "nps", "s": {"null" if s is None else s}, "t": "x"}}' for i, s in enumerate(SCORES)]
    long.write_text("\n".join(rows))
    question = dl.SurveyQuestion("nps", "nps", blanks=(11,))
    by_csv = dl.Feedback.read(wide, questions=[question], customer="who")
    by_json = dl.Feedback.read(long, questions=[question], customer="who", question="q", score="s")
    assert by_csv.nps() == by_json.nps() == asked().nps()


def test_means_as_scipy_has_them() -> None:
    stats = pytest.importorskip("scipy.stats")
    pyarrow = pytest.importorskip("pyarrow")
    efforts = [1, 2, 2, 3, 5, 4, 2, 1, 1, 2, 3]
    table = pyarrow.table({"who": [str(i) for i in range(len(efforts))], "e": efforts})
    feedback = dl.Feedback.read(table, questions={"e": "ces_v1"}, customer="who")
    mean = feedback.ces(1).estimate
    assert mean is not None
    # Wilson's interval of the mean's share of the way along the scale; the answers are worth as many as their variance says.
    n, p = len(efforts), (sum(efforts) / len(efforts) - 1) / 4
    carriers = min(sum(d) ** 2 / sum(x * x for x in d) for d in ([e - 1 for e in efforts], [5 - e for e in efforts]))
    seen, worst = (stats.sem(efforts) / 4) ** 2, p * (1 - p) / n
    size = p * (1 - p) / (seen + max(worst - seen, 0) / (1 + carriers**2))
    z = stats.norm.ppf(0.975)
    size = max(s * (z / stats.t.ppf(0.975, df)) ** 2 for s, df in ((size, min(n - 1, 2 * carriers)), (min(size, n), n - 1)))
    middle, reach = p + z * z / (2 * size), z * (p * (1 - p) / size + z * z / (4 * size * size)) ** 0.5
    low, high = (1 + 4 * (middle + sign * reach) / (1 + z * z / size) for sign in (-1, 1))
    assert (mean.lower, mean.upper) == (pytest.approx(low), pytest.approx(high))
    easy = feedback.measure("ces_v1", "share").estimate
    assert easy is not None
    wilson = stats.binomtest(7, 11).proportion_ci(method="wilson")
    assert (easy.value, easy.lower, easy.upper) == (pytest.approx(7 / 11), pytest.approx(wilson.low), pytest.approx(wilson.high))


def test_what_cannot_be_asked_is_refused() -> None:
    with pytest.raises(dl.SpecError, match="0 to 10"):
        dl.Feedback.read(frame(), questions=[dl.SurveyQuestion("nps", "nps", scale=(1, 10))], customer="who")
    with pytest.raises(dl.UnknownNameError, match="nps"):
        dl.Feedback.read(frame(), questions={"nsp": "nps"}, customer="who")
    with pytest.raises(dl.DataError, match="put aside"):
        dl.Feedback.read(frame(), questions={"nps": "nps"}, customer="who", max_quarantine_share=0.0)
    with pytest.raises(TypeError, match="questions"):
        dl.Feedback.read(frame())
    with pytest.raises(dl.SpecError, match="CSAT"):
        asked().csat()
    with pytest.raises(dl.SpecError, match="level"):
        asked().nps(level=2)


def test_a_report_speaks_arrow_and_hides_customers() -> None:
    report = asked().report()
    assert list(report.tables) == ["questions", "answers", "verbatims"]
    assert report.tables["questions"]["nps_n"] == [10]
    assert "customer" not in report.tables["verbatims"].columns
    assert "customer" in asked().report(customers=True).tables["verbatims"].columns
    polars = pytest.importorskip("polars")
    assert polars.DataFrame(report.tables["answers"]).height == len({s for s in SCORES if s is not None and s <= 10})
    assert "NPS" in repr(report)
    assert "<b>" not in (report._repr_html_() or "")


def test_answers_along_a_map(log: dl.Log) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    answers = pyarrow.table(
        {
            "who": ["007", "bob", "cid", "zoe", "007"],
            "at": ["2025-01-01T10:06:00Z", "2025-01-01T12:30:00Z", "2025-01-05T00:00:00Z", "2025-01-01T10:06:00Z", "2025-01-01T10:10:00Z"],
            "score": [5, 4, 3, 2, 5],
        }
    )
    question = dl.SurveyQuestion("csat", "csat")
    feedback = dl.Feedback.read(answers, questions=[question], customer="who", time="at", score="score")
    document = dl.JourneyMap.template("blank").to_dict()
    stage = document["stages"][0]["id"]
    document["touchpoints"] = [
        {"id": f"t-{name}", "name": name, "stages": [stage], "binding": name} for name in ("view", "cart", "buy")
    ]
    for key in ("emotions", "feedback", "kpis", "moments", "expectations", "pains"):
        document.pop(key, None)
    m = dl.JourneyMap(document)
    voice = m.feedback(log.journeys(), feedback, within="1h", min_n=1)
    assert voice.joined == 3
    assert voice.unjoined == {"unknown_customer": 1, "no_touch": 1}
    places = dict(zip(voice.tables["touchpoints"]["place"], voice.tables["touchpoints"]["answers"], strict=True))
    assert places == {"t-cart": 2, "t-buy": 1}
    satisfied = voice.satisfaction("t-cart")
    assert satisfied is not None
    assert satisfied.value == 1.0
    assert voice.emotion["points"]


def test_interview_and_repr() -> None:
    assert len(dl.interview()) == 7
    assert repr(asked()).startswith("<Feedback: ")
    with pytest.raises(TypeError):
        dl.Feedback()


def test_the_airport_survey() -> None:
    folder = Path(os.environ.get("DESIRELINE_DATA", Path(__file__).parents[4] / "shared/data"))
    path = folder / "sfo-survey/2017_SFO_Customer_Survey.csv"
    if not path.exists():
        assert "CI" not in os.environ, f"{path} is missing"
        pytest.skip(f"{path} is missing")
    questions = [dl.SurveyQuestion("NETPRO", "nps", blanks=(11,)), dl.SurveyQuestion("Q7ALL", "csat", blanks=("Blank",))]
    feedback = dl.Feedback.read(path, questions=questions, customer="RESPNUM")
    assert feedback.nps().value == pytest.approx(39.8398, abs=5e-5)
    csat = feedback.csat()
    assert (csat.n, csat.value) == (2688, pytest.approx(0.820685, abs=5e-7))
