"""A look inside the network."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Self

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from digitrec.answer import Answer
from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.emulator.kit import drawn_seven
from digitrec.engine import Engine
from digitrec.image import DigitImage, PreparedImage
from digitrec.image.pixels import Pixels
from digitrec.prepare import prepare
from digitrec.providers.base import BaseProvider
from digitrec.providers.local import Local
from digitrec.recognise.explain import GAP, SHOWN, by_network, explain, mosaic, readings


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(Local())


def read_twice() -> Pixels:
    """A 28x28 picture with a dotted line across its 1."""
    picture = mnist_test().images[2].copy()
    picture[12:14, ::2] = 255
    return picture


def test_what_the_network_was_given_is_looked_at_layer_by_layer(engine: Engine) -> None:
    found = explain(drawn_seven(), engine, inside=True)
    (look,) = found.inside
    assert look.name == "cut out"
    np.testing.assert_array_equal(look.digit, found.steps[-1][1])
    assert found.saliency is not None
    np.testing.assert_array_equal(look.saliency, found.saliency)
    networks = by_network(look.stages)
    assert {name: len(layers) for name, layers in networks.items()} == {"network_1": 8, "network_2": 8}
    assert explain(drawn_seven(), engine).inside == ()


def test_grad_cam_is_of_the_digit_and_the_runner_up_for_each_reading(engine: Engine) -> None:
    found = explain(read_twice(), engine, inside=True)
    cut, whole = found.inside
    assert found.runner_up is not None and found.likeliest == [1, found.runner_up[0]]
    assert isinstance(engine.provider, Local) and found.grad_cam is not None
    wanted = engine.provider.grad_cam(prepare(DigitImage.open(read_twice()), Local.wants), found.likeliest)
    np.testing.assert_array_equal(found.grad_cam, wanted)
    np.testing.assert_array_equal(found.grad_cam, cut.grad_cam)
    assert whole.grad_cam is not None and not np.array_equal(whole.grad_cam, cut.grad_cam)
    assert (found.grad_cam >= 0).all() and found.grad_cam.max() > 0.1


def test_both_readings_are_looked_at_where_there_are_two(engine: Engine) -> None:
    picture = read_twice()
    cut, whole = explain(picture, engine, inside=True).inside
    assert (cut.name, whole.name) == ("cut out", "as it stands")
    assert whole.field == (0, 0, 1, 1) != cut.field
    assert not np.array_equal(cut.digit, whole.digit)
    assert not np.array_equal(cut.saliency, whole.saliency)
    for (name, one), (again, other) in zip(cut.stages, whole.stages, strict=True):
        assert name == again and not np.array_equal(one, other)
    (unmoved,) = explain(mnist_test().images[2], engine, inside=True).inside
    assert (unmoved.name, unmoved.field) == ("as it stands", (0, 0, 1, 1))


def test_where_the_network_overrules_what_looking_found_the_whole_is_shown(engine: Engine) -> None:
    torn = mnist_test().images[:1000].copy()
    torn[:, 13:15] = 0
    found = next(one for one in torn if prepare(DigitImage.open(one), Local.wants).findings.reason)
    shown = explain(found, engine, inside=True)
    assert shown.prediction.reason is None and shown.prediction.probabilities is not None
    (whole,) = shown.inside
    assert shown.steps[-1][0] == "read whole" and np.array_equal(shown.steps[-1][1], whole.digit)
    assert (whole.name, whole.field) == ("as it stands", (0, 0, 1, 1))
    assert np.array_equal(whole.digit > 128, found > 128)
    assert whole.saliency is not None and whole.saliency.max() > 0


def test_of_a_refused_picture_nothing_is_shown(engine: Engine) -> None:
    assert explain(np.full((80, 80), 240, np.uint8), engine, inside=True).inside == ()


@settings(max_examples=25, deadline=None)
@given(
    at=st.tuples(st.integers(5, 150), st.integers(5, 90)),
    size=st.tuples(st.integers(30, 90), st.integers(50, 130)),
)
def test_the_field_lays_the_digit_over_the_ink(at: tuple[int, int], size: tuple[int, int]) -> None:
    """Wherever the digit stands and however large it is: its 28x28 pixels, laid on their field, cover it."""
    (x, y), (width, height) = at, size
    canvas = Image.new("L", (320, 260), 255)
    pen = ImageDraw.Draw(canvas)
    pen.line([(x, y), (x + width, y), (x + width // 3, y + height)], fill=0, width=9, joint="curve")
    picture = np.asarray(canvas)
    ((_, given, field),) = readings(prepare(DigitImage.open(picture), Local.wants), canvas.size)
    digit = Image.fromarray(np.frombuffer(given.data, np.uint8).reshape(28, 28))
    left, top, right, bottom = field[0] * 320, field[1] * 260, field[2] * 320, field[3] * 260
    laid = Image.new("L", canvas.size)
    side = round(right - left), round(bottom - top)
    laid.paste(digit.resize(side, Image.Resampling.BILINEAR), (round(left), round(top)))
    covered = (np.asarray(laid) > 60)[picture < 128].mean()
    assert covered > 0.9
    assert (np.asarray(laid) > 60).mean() < 2.5 * (picture < 128).mean()


@given(
    shape=st.tuples(st.integers(1, 28), st.integers(1, 28), st.integers(1, 600)),
    largest=st.sampled_from([0.0, 1e-30, 1.0, 3e38, -5.0]),
)
def test_every_layer_becomes_a_small_grey_picture(shape: tuple[int, int, int], largest: float) -> None:
    height, width, count = shape
    maps = np.full(shape, largest, np.float32)
    sheet = mosaic(maps)
    assert sheet.dtype == np.uint8
    rows, columns = (sheet.shape[0] - 1) // (height + 1), (sheet.shape[1] - 1) // (width + 1)
    assert rows * columns >= min(count, SHOWN) > rows * columns - columns
    assert (sheet[0] == GAP).all() and (sheet[:, 0] == GAP).all()
    assert (sheet[1 : height + 1, 1 : width + 1] == (255 if largest > 1e-9 else 0)).all()
    data = io.BytesIO()
    Image.fromarray(sheet).save(data, "PNG")
    assert len(data.getvalue()) < 300_000


def test_maps_stand_in_rows_and_can_be_compared() -> None:
    maps = np.zeros((2, 2, 6), np.float32)
    maps[0, 0, 0], maps[1, 1, 4], maps[0, 1, 5] = 4.0, 2.0, -9.0
    sheet = mosaic(maps)
    assert sheet.shape == (7, 10)
    inked = {(int(row), int(column)): int(sheet[row, column]) for row, column in np.argwhere(sheet > GAP)}
    assert inked == {(1, 1): 255, (5, 5): 128}


def test_of_filters_grey_is_nothing_and_each_has_its_own_scale() -> None:
    kernels = np.zeros((2, 2, 2), np.float32)
    kernels[0, 0, 0], kernels[0, 1, 0] = 3, -1.5
    kernels[1, 1, 1] = -0.1
    sheet = mosaic(kernels, signed=True)
    assert sheet[1, 1] == 255 and sheet[1, 2] == 64 and sheet[2, 1] == 128
    assert sheet[1, 4] == 128 and sheet[2, 5] == 0


def test_what_the_first_layer_looks_for_is_shown_beside(engine: Engine) -> None:
    look = explain(DigitImage.open(drawn_seven()), engine, inside=True).inside[0]
    assert {name: kernels.shape for name, kernels in look.filters} == {
        "network_1/filters": (3, 3, 24), "network_2/filters": (3, 3, 24),
    }  # fmt: skip


def test_an_engine_that_shows_no_maps_is_explained_without(engine: Engine) -> None:
    class Closed(BaseProvider):
        """A provider of somebody's own, on 28x28 pixels."""

        name, wants = "closed", Local.wants

        @classmethod
        def from_env(cls, env: Mapping[str, str]) -> Self:
            return cls()

        def read(self, image: PreparedImage, *, timeout: float) -> Answer:
            return engine.provider.read(image, timeout=timeout)

    (look,) = explain(drawn_seven(), Closed(), inside=True).inside
    assert look.stages == () and look.grad_cam is None and look.saliency.max() > 0.5
