"""Why the network says what it says."""

from __future__ import annotations

import numpy as np
import pytest

from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.emulator.kit import FakeProvider, drawn_seven
from digitrec.engine import Engine
from digitrec.errors import ImageError
from digitrec.image import DigitImage
from digitrec.lab.handwriting.scenes import scenes
from digitrec.lab.handwriting.writer import Writer
from digitrec.models import store
from digitrec.prepare import prepare
from digitrec.providers.local import Local
from digitrec.recognise.explain import Explanation, explain


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(Local())


@pytest.fixture(scope="module")
def seven(engine: Engine) -> Explanation:
    return explain(drawn_seven(), engine)


def test_the_steps_lead_to_what_the_network_was_given(seven: Explanation) -> None:
    names = [name for name, _ in seven.steps]
    assert len(names) > 2 and len(set(names)) == len(names)
    assert seven.steps[-1][1].shape == (28, 28)
    assert seven.prediction.digit == 7


def test_the_runner_up_is_the_second_likeliest(seven: Explanation) -> None:
    chances = seven.prediction.probabilities
    assert chances is not None and seven.runner_up is not None
    digit, chance = seven.runner_up
    assert sorted(chances)[-2] == chance == chances[digit] and digit != 7


def test_only_ink_can_speak_for_a_digit(seven: Explanation) -> None:
    assert seven.saliency is not None
    assert seven.saliency.shape == (28, 28)
    ink = seven.steps[-1][1] > 0
    reach = np.zeros((28, 28), bool)
    for row, column in np.argwhere(ink):
        reach[max(0, row - 2) : row + 3, max(0, column - 2) : column + 3] = True
    assert (seven.saliency[~reach] == 0).all()
    assert seven.saliency.max() > 0.5


def test_a_picture_that_is_read_twice_shows_both_readings(engine: Engine) -> None:
    picture = mnist_test().images[2].copy()
    picture[12:14, ::2] = 255
    found = explain(picture, engine)
    names = [name for name, _ in found.steps]
    assert "also read whole" in names and names[-1] == "28x28"
    assert found.prediction.digit == 1
    assert found.saliency is not None and found.saliency.max() > 0.5


def test_hiding_what_makes_the_difference_costs_the_most(engine: Engine) -> None:
    """A nine lives by the stroke that closes its loop; its stem alone is a one's."""
    image = mnist_test().images[12]
    found = explain(image, engine)
    assert found.prediction.digit == mnist_test().labels[12] == 9
    assert found.saliency is not None
    row, column = np.unravel_index(found.saliency.argmax(), (28, 28))
    hidden = image.copy()
    hidden[max(0, row - 2) : row + 3, max(0, column - 2) : column + 3] = 0
    chances = engine.provider.read(  # the same, asked directly
        _prepared(hidden, engine), timeout=1.0
    ).probabilities
    assert chances is not None and found.prediction.probabilities is not None
    before, after = found.prediction.probabilities[9], chances[9]
    assert found.saliency.max() == pytest.approx(
        np.log(before / (1 - before)) - np.log(after / (1 - after)), abs=1e-3
    )


def _prepared(image: np.ndarray, engine: Engine):
    from dataclasses import replace

    from digitrec.image import DigitImage
    from digitrec.prepare import prepare

    usual = prepare(DigitImage.open(mnist_test().images[12]), engine.provider.wants)
    return replace(usual, data=image.tobytes())


def test_the_ninths_are_named_strongest_first(seven: Explanation) -> None:
    assert 1 <= len(seven.where) <= 3
    only = Explanation(seven.prediction, seven.picture, seven.steps, np.eye(28)[::-1] * 0)
    assert only.where == []
    corner = np.zeros((28, 28))
    corner[2, 25] = 1.0
    assert Explanation(seven.prediction, seven.picture, seven.steps, corner).where == ["upper right"]


def test_a_refusal_is_explained_without_saliency(engine: Engine) -> None:
    found = explain(np.full((80, 80), 240, np.uint8), engine)
    assert found.prediction.digit is None and found.saliency is None
    assert found.runner_up is None and found.where == []


def test_what_cannot_be_explained_is_refused(engine: Engine) -> None:
    with pytest.raises(ImageError):
        explain(b"nothing of the kind", engine)
    with pytest.raises(ValueError, match="28x28"):
        explain(drawn_seven(), Engine(FakeProvider()))


def test_of_two_readings_the_steps_end_in_the_one_that_counted() -> None:
    won = []
    for one in scenes("cropped to the digit", Writer(mnist_test()), 6, 5):
        prepared = prepare(DigitImage.open(one.pixels), Local.wants)
        found = explain(one.pixels, hiding=False)
        shown = found.steps[-1][1]
        (chances,) = store.load().probabilities(shown[None], [True])
        assert found.prediction.probabilities == pytest.approx(chances.tolist(), abs=1e-6)
        won.append(shown.tobytes() == prepared.rival)
    assert any(won) and not all(won)
