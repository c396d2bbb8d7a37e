"""The seam between Python and the engine: panics, signals, threads, forks, imports."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import pytest

import desireline as dl
from desireline import _core


@pytest.mark.parametrize("on_worker", [True, False])
def test_a_panic_is_an_ordinary_exception(on_worker: bool, journeys: dl.Journeys) -> None:
    with pytest.raises(dl.InternalError, match="asked to fail") as caught:
        _core._fail(on_worker)
    assert isinstance(caught.value, Exception)
    assert caught.value.code == "panic"
    assert journeys.funnel(["view"]).steps


def test_import_has_no_side_effects() -> None:
    script = """
        import sys, threading
        before = set(sys.modules)
        import desireline
        heavy = {"pandas", "polars", "pyarrow", "numpy", "plotly", "duckdb", "arro3"}
        found = heavy & {m.split(".")[0] for m in set(sys.modules) - before}
        assert not found, found
        assert threading.active_count() == 1
        import os
        assert len(os.listdir("/proc/self/task")) == 1 if os.path.isdir("/proc/self/task") else True
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=True)


LONG = {
    "simulating": "dl.simulate(events=500_000_000)",
    "asking": "[big.funnel(['product_view', 'payment', 'purchase']) for _ in range(100_000)]",
    "cutting": "[log.journeys(gap='30m') for _ in range(100_000)]",
}


@pytest.mark.skipif(not hasattr(signal, "SIGINT") or os.name == "nt", reason="needs POSIX signals")
@pytest.mark.parametrize("work", LONG)
def test_an_interrupt_stops_long_work(work: str) -> None:
    script = f"""
        import time
        import desireline as dl
        log = dl.simulate(customers=3_000, seed=2)
        big = log.journeys(gap="30m")
        expected = big.funnel(["product_view", "purchase"]).to_json()
        print("ready", flush=True)
        try:
            {LONG[work]}
        except KeyboardInterrupt:
            print("stopped", flush=True)
        assert big.funnel(["product_view", "purchase"]).to_json() == expected
        print("usable", flush=True)
    """
    child = subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout is not None
        assert child.stdout.readline().strip() == "ready"
        time.sleep(0.7)
        sent = time.monotonic()
        child.send_signal(signal.SIGINT)
        assert child.stdout.readline().strip() == "stopped"
        assert time.monotonic() - sent < 1.0
        assert child.stdout.readline().strip() == "usable"
        assert child.wait(timeout=60) == 0
    finally:
        child.kill()
        child.wait()
        if child.stdout is not None:
            child.stdout.close()


def test_other_threads_go_on(shop: dl.Log) -> None:
    stop = threading.Event()
    ticks = 0

    def tick() -> None:
        nonlocal ticks
        while not stop.is_set():
            ticks += 1
            time.sleep(0.005)

    ticker = threading.Thread(target=tick)
    ticker.start()
    try:
        before = ticks
        begun = time.monotonic()
        dl.simulate(customers=6_000, seed=4)
        took = time.monotonic() - begun
        seen = ticks - before
    finally:
        stop.set()
        ticker.join()
    # A call that held the interpreter would let no tick through; half of them is room for a busy machine.
    assert seen >= min(took, 2.0) / 0.005 * 0.1


def test_questions_from_many_threads(sessions: dl.Journeys) -> None:
    expected = sessions.funnel(["product_view", "purchase"]).to_json()
    found: list[str | None] = []
    threads = [
        threading.Thread(target=lambda: found.append(sessions.funnel(["product_view", "purchase"]).to_json()))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 8


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_questions_after_a_fork() -> None:
    script = """
        import os
        import desireline as dl
        journeys = dl.simulate(customers=300, seed=1).journeys(gap="30m")
        expected = journeys.funnel(["product_view", "purchase"]).to_json()
        child = os.fork()
        if child == 0:
            os._exit(0 if journeys.funnel(["product_view", "purchase"]).to_json() == expected else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert journeys.funnel(["product_view", "purchase"]).to_json() == expected
    """
    subprocess.run([sys.executable, "-W", "ignore", "-c", textwrap.dedent(script)], check=True, timeout=120)


def test_threads_and_budget_never_change_a_result(sessions: dl.Journeys) -> None:
    expected = sessions.paths().to_json()
    for threads in (1, 2, 8):
        assert sessions.using(threads=threads).paths().to_json() == expected
    with pytest.raises(dl.BudgetError, match="budget") as caught:
        sessions.using(memory_budget=1).paths()
    assert isinstance(caught.value, MemoryError)
    assert caught.value.code == "memory_budget"


def test_progress_line(sessions: dl.Journeys, capfd: pytest.CaptureFixture[str]) -> None:
    sessions.using(progress=True).paths()
    assert "answering" in capfd.readouterr().err
    sessions.paths()
    assert capfd.readouterr().err == ""
