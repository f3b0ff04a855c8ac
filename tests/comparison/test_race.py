"""Engines at work at the same time: together, each for itself, and none swallowing a bug."""

from __future__ import annotations

import threading

from digitrec.comparison import compare
from digitrec.comparison.race import race
from digitrec.engine import Engine, Options
from digitrec.errors import TimedOut
from digitrec.image import PreparedImage
from digitrec.prediction import Failure, Prediction
from digitrec.providers.answer import Answer
from digitrec.testing import FakeProvider, drawn_seven


class MeetingProvider(FakeProvider):
    """Answers only when as many calls are in flight as the barrier waits for."""

    def __init__(self, name: str, barrier: threading.Barrier) -> None:
        super().__init__(name=name)
        self._barrier = barrier

    def read(self, image: PreparedImage, *, timeout: float) -> Answer:
        self._barrier.wait(timeout=20)
        return super().read(image, timeout=timeout)


class HangingProvider(FakeProvider):
    """Never answers, whatever timeout it is given."""

    def read(self, image: PreparedImage, *, timeout: float) -> Answer:
        threading.Event().wait()
        raise AssertionError


class BuggyProvider(FakeProvider):
    def read(self, image: PreparedImage, *, timeout: float) -> Answer:
        raise ZeroDivisionError("a bug")


def test_seven_engines_have_their_calls_in_flight_together() -> None:
    barrier = threading.Barrier(7)
    comparison = compare(drawn_seven(), [MeetingProvider(f"e{number}", barrier) for number in range(7)])
    assert [prediction.digit for prediction in comparison.predictions] == [7] * 7


def test_one_hanging_engine_costs_the_others_nothing_and_its_deadline_holds() -> None:
    hanging = Engine(
        HangingProvider(name="hanging", endpoint="http://127.0.0.1:9"), Options(timeout=0.3, ledger="none")
    )
    engines = [hanging, *(Engine(FakeProvider([digit], name=digit)) for digit in "123456")]
    arrivals = list(race([drawn_seven()], engines))
    assert [arrival.reader for arrival in arrivals][-1] == 0
    assert isinstance(arrivals[-1].outcome, Failure)
    assert isinstance(arrivals[-1].outcome.error, TimedOut)
    others = [arrival.outcome for arrival in arrivals[:-1]]
    assert sorted(outcome.digit or 0 for outcome in others if isinstance(outcome, Prediction)) == list(
        range(1, 7)
    )


def test_a_bug_of_a_provider_costs_the_others_nothing() -> None:
    comparison = compare(drawn_seven(), [FakeProvider(["7"]), BuggyProvider(name="buggy")])
    good, bad = comparison.outcomes
    assert isinstance(good, Prediction)
    assert isinstance(bad, Failure)
    assert "the provider buggy failed: ZeroDivisionError; this is a bug in it" in str(bad.error)


def test_leaving_early_stops_the_engines_after_the_call_in_flight() -> None:
    asked = threading.Semaphore(0)
    go_on = threading.Event()

    class Waiting(FakeProvider):
        def read(self, image: PreparedImage, *, timeout: float) -> Answer:
            asked.release()
            if self.calls:
                go_on.wait(timeout=20)
            return super().read(image, timeout=timeout)

    provider = Waiting(name="waiting")
    arrivals = race([drawn_seven()] * 50, [Engine(provider)])
    next(arrivals)
    assert asked.acquire(timeout=20) and asked.acquire(timeout=20)
    before = set(threading.enumerate())
    arrivals.close()  # type: ignore[attr-defined]
    go_on.set()
    for thread in before - {threading.current_thread()}:
        if thread.name == "digitrec-waiting":
            thread.join(timeout=20)
    assert provider.calls == 2
