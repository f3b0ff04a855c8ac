"""A small benchmark with errors, refusals, a failure, an emulated engine and chances."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from comparison.engines import Emulated

from digitrec.answer import Answer, Candidate
from digitrec.comparison.benchmark import Benchmark, benchmark
from digitrec.comparison.benchmark.measure import Result, measure
from digitrec.comparison.datasets.loader import Sample, read_samples
from digitrec.emulator.kit import FakeProvider, Line
from digitrec.engine import Engine, Options
from digitrec.errors import TimedOut
from digitrec.providers.base import Price
from digitrec.providers.local import Local


def picture(number: int) -> np.ndarray:
    """Return a unique picture."""
    pixels = np.full((40, 30), 255, np.uint8)
    pixels[8:32, 10 + number % 10 : 14 + number % 10] = 3 * number
    return pixels


def scripted(name: str, wrong: int, usd: float, *, emulated: bool = False) -> Engine:
    """Return an engine that misreads every ``wrong``-th picture and refuses the last."""
    script: list[Line] = []
    for number in range(40):
        digit = (number + (number % wrong == 1)) % 10
        script.append(Answer((Candidate(str(digit), 0.5 + 0.012 * number),)))
    script[39] = Answer()
    if not usd:  # an engine that costs money would be asked again and continue its script
        script[0] = TimedOut("no answer in time")
    provider = FakeProvider(script, name=name, price=Price(usd, "test"))
    return (Emulated if emulated else Engine)(provider, Options(ledger="none", concurrency=1))


@pytest.fixture
def found() -> Benchmark:
    """Return the result of `measured`; tests must not change it."""
    return measured()


@cache
def measured() -> Benchmark:
    """Three engines on forty pictures; the last picture shows no digit."""
    samples = [Sample(picture(number), number % 10) for number in range(39)] + [Sample(picture(39), None)]
    engines = {
        "good": scripted("good", 30, 0.0), "fair": scripted("fair", 7, 0.001),
        "cloud": scripted("cloud", 3, 0.002, emulated=True),
    }  # fmt: skip
    made = benchmark(samples, engines, data="a & b", settings={"preparation": "plain"})
    return replace(made, cards=tuple(replace(card, calibrated=card.reliability) for card in made.cards))


@pytest.fixture(scope="session")
def engine() -> Engine:
    return Engine(Local())


@pytest.fixture(scope="session")
def odd(engine: Engine) -> Result:
    """Seventy test digits, the first under a wrong label, a blank page under a 5, and one without a digit."""
    samples = read_samples("mnist-test")[:70]
    blank = np.full((60, 60), 240, np.uint8)
    others = [Sample(blank, 5), Sample(blank, None), Sample(b"no picture", 4)]
    return measure([Sample(samples[0].image, 3), *samples[1:], *others], engine, "seventy")
