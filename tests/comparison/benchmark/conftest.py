"""Engines of known accuracy, and pictures for them."""

import random
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from comparison.engines import Emulated

from digitrec.answer import Answer, Candidate, Failure, Outcome, Prediction
from digitrec.comparison.datasets.loader import Sample
from digitrec.emulator.kit import FakeProvider
from digitrec.engine import Engine, Options
from digitrec.errors import TimedOut
from digitrec.image import ImageRef, InputSpec
from digitrec.providers.base import FREE, Price

IMAGE = ImageRef("x.png", "00")


def picture(number: int) -> np.ndarray:
    """Return a small unique picture."""
    pixels = np.zeros((28, 28), np.uint8)
    pixels[6:22, 12:16] = 255
    pixels[6:22, 13] = [255 - (number >> bit & 1) for bit in range(16)]
    return pixels


@pytest.fixture
def samples() -> list[Sample]:
    """100 pictures of known digits, and 12 without a digit."""
    digits = [Sample(picture(number), number % 10) for number in range(100)]
    return digits + [Sample(picture(100 + number), None) for number in range(12)]


def script(labels: Sequence[int | None], accuracy: float, seed: int) -> list[Answer]:
    """Return an engine's answers with this accuracy, more confident where they are right."""
    dice = random.Random(seed)
    lines = []
    for label in labels:
        right = dice.random() < accuracy
        if label is None:
            lines.append(Answer() if right else Answer((Candidate("4", 0.6),)))
        else:
            score = dice.betavariate(9, 1) if right else dice.betavariate(3, 2)
            lines.append(Answer((Candidate(str(label if right else (label + 1) % 10), score),)))
    return lines


@pytest.fixture
def fake(samples: list[Sample]) -> Callable[..., Engine]:
    """Return a function that makes an engine of a given accuracy."""

    def make(name: str, accuracy: float, seed: int, price: Price = FREE, *, emulated: bool = False) -> Engine:
        labels = [sample.label for sample in samples]
        wants = InputSpec(encoding="mnist", preparation="mnist")
        provider = FakeProvider(script(labels, accuracy, seed), name=name, price=price, wants=wants)
        return (Emulated if emulated else Engine)(provider, Options(ledger="none", concurrency=1))

    return make


@pytest.fixture
def said() -> Callable[..., list[Outcome]]:
    """Return a function that makes outcomes of digits; None is a refusal, "!" a failure."""

    def make(*digits: int | str | None, **values: object) -> list[Outcome]:
        return [
            Failure(IMAGE, "e", TimedOut("slow")) if digit == "!"
            else Prediction(IMAGE, "e", digit, None if digit is None else 0.9, **values)  # type: ignore[arg-type]
            for digit in digits
        ]  # fmt: skip

    return make
