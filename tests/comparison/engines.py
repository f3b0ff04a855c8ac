"""Scripted engines and their answers."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from digitrec.answer import Answer, Candidate, Outcome, Prediction
from digitrec.comparison.benchmark.measures import Label
from digitrec.comparison.datasets.loader import Sample
from digitrec.emulator.kit import FakeProvider, Line
from digitrec.engine import Engine, Reply
from digitrec.image import ImageRef, PreparedImage


def sure(digit: int, score: float | None) -> Answer:
    return Answer((Candidate(str(digit), score),))


def engines(*lines: Line) -> list[Engine]:
    return [Engine(FakeProvider([line], name="abcd"[place])) for place, line in enumerate(lines)]


def asked(outcome: Outcome) -> list[str]:
    assert isinstance(outcome, Prediction)
    return [answer.provider for answer in outcome.asked]


def answer(name: str, digit: int | None, confidence: float | None, **values: object) -> Prediction:
    return Prediction(ImageRef("x.png", "00"), name, digit, confidence, **values)  # type: ignore[arg-type]


def labelled(labels: Iterable[Label]) -> list[Sample]:
    """Return samples without pictures."""
    return [Sample(b"", label) for label in labels]  # type: ignore[arg-type]


class Emulated(Engine):
    """An engine that an emulator answers."""

    def ask(self, images: Sequence[PreparedImage]) -> list[Reply]:
        return [replace(reply, emulated=True) for reply in super().ask(images)]
