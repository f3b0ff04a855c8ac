"""The picture that explains an answer."""

import numpy as np
import pytest

from digitrec.emulator.kit import drawn_seven
from digitrec.engine import Engine
from digitrec.recognise.explain import explain
from digitrec.report.explanation import explanation, headline


def axes_of(figure) -> list:
    return [axes for part in figure.subfigs for axes in part.axes]


def test_every_step_the_saliency_and_the_probabilities_are_shown(engine: Engine) -> None:
    found = explain(drawn_seven(), engine)
    figure = explanation(found)
    titles = [axes.get_title() for axes in axes_of(figure)]
    assert titles[: 1 + len(found.steps)] == ["as it was read", *(name for name, _ in found.steps)]
    saliency, first, second, bars = axes_of(figure)[1 + len(found.steps) : 5 + len(found.steps)]
    assert found.grad_cam is not None and found.likeliest[0] == 7
    for axes, digit, heat in zip((first, second), found.likeliest, found.grad_cam, strict=True):
        assert axes.get_title() == f"class activation map:\nwhere it looks like a {digit}"
        np.testing.assert_array_equal(axes.images[0].get_array(), heat)
    assert first.images[0].norm.vmax == second.images[0].norm.vmax  # so that they can be compared
    np.testing.assert_allclose(saliency.images[0].get_array(), found.saliency)
    orange, violet = saliency.images[0].cmap(1.0), saliency.images[0].cmap(0.0)
    assert orange[0] > orange[2] and violet[0] < violet[2]  # as in Grad-CAM, the lessons and the page
    chances = list(found.prediction.probabilities or ())
    assert [bar.get_height() for bar in bars.patches] == pytest.approx(chances)
    assert figure.get_suptitle() == headline(found)
    assert headline(found).startswith("a 7, ") and "next likeliest" in headline(found)


def test_a_refusal_shows_its_steps_and_says_why(engine: Engine) -> None:
    found = explain(np.full((80, 80), 240, np.uint8), engine)
    assert headline(found) == "no digit: blank"
    assert len(axes_of(explanation(found))) == 1 + len(found.steps)
