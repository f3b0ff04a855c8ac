"""Explanations: the ink that mattered, and the feature maps."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pictures import encoded
from PIL import Image, ImageDraw

from digitrec.answer import Answer
from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.emulator.kit import FakeProvider, drawn_seven
from digitrec.engine import Engine, Options
from digitrec.errors import ImageError
from digitrec.image import DigitImage
from digitrec.image.pixels import Pixels
from digitrec.lab.handwriting.scenes import scenes
from digitrec.lab.handwriting.writer import Writer
from digitrec.models import store
from digitrec.prepare import prepare
from digitrec.providers.base import Price
from digitrec.providers.local import Local
from digitrec.recognise.explain import GAP, SHOWN, Explanation, explain, mosaic


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(Local())


@pytest.fixture(scope="module")
def seven(engine: Engine) -> Explanation:
    return explain(drawn_seven(), engine, inside=True)


@pytest.fixture(scope="module")
def twice(engine: Engine) -> Explanation:
    """Explain a 28x28 picture with a dotted line across its 1, read both cropped and whole."""
    return explain(dotted(), engine, inside=True)


def dotted() -> Pixels:
    picture = mnist_test().images[2].copy()
    picture[12:14, ::2] = 255
    return picture


def test_the_steps_lead_to_what_the_network_was_given(seven: Explanation) -> None:
    names = [name for name, _ in seven.steps]
    assert len(names) > 2 and len(set(names)) == len(names)
    assert np.array_equal(seven.picture, drawn_seven().pixels)
    assert seven.digit.shape == (28, 28) and seven.prediction.digit == 7
    chances = seven.prediction.probabilities
    assert chances is not None and seven.runner_up is not None
    digit, chance = seven.runner_up
    assert seven.likeliest == [7, digit] and sorted(chances)[-2] == chance == chances[digit]


def test_only_ink_can_speak_for_a_digit(seven: Explanation) -> None:
    assert seven.saliency is not None and seven.saliency.max() > 0.5
    reach = np.zeros((28, 28), bool)
    for row, column in np.argwhere(seven.digit > 0):
        reach[max(0, row - 2) : row + 3, max(0, column - 2) : column + 3] = True
    assert (seven.saliency[~reach] == 0).all()


def test_hiding_what_makes_the_difference_costs_the_most(engine: Engine) -> None:
    """A nine depends on the stroke that closes its loop; without it the stem is a one."""
    image = mnist_test().images[12]
    found = explain(image, engine)
    assert found.prediction.digit == mnist_test().labels[12] == 9
    assert found.stages == ()
    assert found.saliency is not None
    row, column = np.unravel_index(found.saliency.argmax(), (28, 28))
    hidden = image.copy()
    hidden[max(0, row - 2) : row + 3, max(0, column - 2) : column + 3] = 0
    usual = prepare(DigitImage.open(image), engine.provider.wants)
    chances = engine.provider.read(replace(usual, data=hidden.tobytes()), timeout=1.0).probabilities
    assert chances is not None and found.prediction.probabilities is not None
    before, after = found.prediction.probabilities[9], chances[9]
    odds = np.log(before / (1 - before)) - np.log(after / (1 - after))
    assert found.saliency.max() == pytest.approx(odds, abs=1e-3)


def test_the_ninths_are_named_strongest_first(seven: Explanation) -> None:
    assert 1 <= len(seven.where) <= 3
    corner = np.zeros((28, 28))
    assert replace(seven, saliency=corner.copy()).where == []
    corner[2, 25] = 1.0
    assert replace(seven, saliency=corner).where == ["upper right"]


def test_a_refusal_is_explained_by_its_steps_alone(engine: Engine) -> None:
    found = explain(np.full((80, 80), 240, np.uint8), engine, inside=True)
    assert found.prediction.digit is None and found.saliency is found.grad_cam is found.runner_up is None
    assert found.where == [] and found.field is None and found.stages == () and len(found.steps) == 1


def test_what_cannot_be_explained_is_refused(engine: Engine) -> None:
    with pytest.raises(ImageError):
        explain(b"nothing of the kind", engine)
    with pytest.raises(ValueError, match="28x28"):
        explain(drawn_seven(), Engine(FakeProvider()))


def test_what_costs_money_is_asked_once() -> None:
    cloud = FakeProvider([Answer((), (0.1,) * 10)], price=Price(0.1, ""), wants=Local().wants)
    assert explain(drawn_seven(), Engine(cloud, Options(ledger="none"))).saliency is None and cloud.calls == 1


def test_the_steps_end_in_the_reading_that_counted() -> None:
    """The reading may come from the rules, the rules with added paper, or the finder."""
    for one in scenes("cropped to the digit", Writer(mnist_test()), 6, 5):
        found = explain(one.pixels, hiding=False)
        (chances,) = store.load().probabilities(found.digit[None], [True])
        assert found.prediction.probabilities == pytest.approx(chances.tolist(), abs=1e-6)


def test_of_two_readings_the_cut_out_is_looked_at(twice: Explanation, engine: Engine) -> None:
    names = [name for name, _ in twice.steps]
    assert "also read whole" in names and names[-1] == "28x28" and twice.prediction.digit == 1
    ready = prepare(DigitImage.open(dotted()), Local.wants)
    assert ready.whole is not None and twice.digit.tobytes() == ready.data
    assert twice.field not in (None, (0, 0, 1, 1))
    unmoved = explain(mnist_test().images[2], engine, inside=True, hiding=False)
    assert (unmoved.field, unmoved.saliency) == ((0, 0, 1, 1), None) and unmoved.stages


def test_grad_cam_shows_the_digit_and_the_runner_up(twice: Explanation, engine: Engine) -> None:
    assert isinstance(engine.provider, Local) and twice.grad_cam is not None
    wanted = engine.provider.grad_cam(prepare(DigitImage.open(dotted()), Local.wants), twice.likeliest)
    np.testing.assert_array_equal(twice.grad_cam, wanted)  # type: ignore[arg-type]
    assert (twice.grad_cam >= 0).all() and twice.grad_cam.max() > 0.1


def test_an_overruled_detection_shows_the_full_frame(engine: Engine) -> None:
    torn = mnist_test().images[:1000].copy()
    torn[:, 13:15] = 0
    found = next(one for one in torn if prepare(DigitImage.open(one), Local.wants).findings.reason)
    shown = explain(found, engine, inside=True)
    assert shown.prediction.reason is None and shown.prediction.probabilities is not None
    assert shown.steps[-1][0] == "read whole" and shown.field == (0, 0, 1, 1)
    assert np.array_equal(shown.digit > 128, found > 128)
    assert shown.saliency is not None and shown.saliency.max() > 0


@settings(max_examples=25, deadline=None)
@given(at=st.tuples(st.integers(5, 150), st.integers(5, 90)),
       size=st.tuples(st.integers(30, 90), st.integers(50, 130)))  # fmt: skip
def test_the_field_lays_the_digit_over_the_ink(at: tuple[int, int], size: tuple[int, int]) -> None:
    """Wherever the digit is and however large, the field of the 28x28 pixels covers it."""
    (x, y), (width, height) = at, size
    canvas = Image.new("L", (320, 260), 255)
    pen = ImageDraw.Draw(canvas)
    pen.line([(x, y), (x + width, y), (x + width // 3, y + height)], fill=0, width=9, joint="curve")
    picture = np.asarray(canvas)
    found = explain(picture, inside=True, hiding=False)
    assume(found.field)  # not refused
    digit, field = Image.fromarray(found.digit), found.field or ()
    left, top, right, bottom = field[0] * 320, field[1] * 260, field[2] * 320, field[3] * 260
    laid = Image.new("L", canvas.size)
    side = round(right - left), round(bottom - top)
    laid.paste(digit.resize(side, Image.Resampling.BILINEAR), (round(left), round(top)))
    assert (np.asarray(laid) > 60)[picture < 128].mean() > 0.9
    assert (np.asarray(laid) > 60).mean() < 2.5 * (picture < 128).mean()


@given(shape=st.tuples(st.integers(1, 28), st.integers(1, 28), st.integers(1, 600)),
       largest=st.sampled_from([0.0, 1e-30, 1.0, 3e38, -5.0]))  # fmt: skip
def test_every_layer_becomes_a_small_grey_picture(shape: tuple[int, int, int], largest: float) -> None:
    height, width, count = shape
    sheet = mosaic(np.full(shape, largest, np.float32))
    assert sheet.dtype == np.uint8
    rows, columns = (sheet.shape[0] - 1) // (height + 1), (sheet.shape[1] - 1) // (width + 1)
    assert rows * columns >= min(count, SHOWN) > rows * columns - columns
    assert (sheet[0] == GAP).all() and (sheet[:, 0] == GAP).all()
    assert (sheet[1 : height + 1, 1 : width + 1] == (255 if largest > 1e-9 else 0)).all()
    assert len(encoded(Image.fromarray(sheet), "PNG")) < 300_000


def test_the_maps_of_a_layer_share_a_scale() -> None:
    maps = np.zeros((2, 2, 6), np.float32)
    maps[0, 0, 0], maps[1, 1, 4], maps[0, 1, 5] = 4.0, 2.0, -9.0
    sheet = mosaic(maps)
    assert sheet.shape == (7, 10)
    inked = {(int(row), int(column)): int(sheet[row, column]) for row, column in np.argwhere(sheet > GAP)}
    assert inked == {(1, 1): 255, (5, 5): 128}


def test_an_engine_that_shows_no_maps_is_explained_without(engine: Engine) -> None:
    closed = FakeProvider(wants=Local.wants)  # as of another package, on 28x28 pixels
    closed.read = engine.provider.read  # type: ignore[method-assign]
    found = explain(drawn_seven(), closed, inside=True)
    assert found.stages == () and found.grad_cam is None
    assert found.saliency is not None and found.saliency.max() > 0.5
