"""MNIST's form: pictures already in it, converted pictures, and their similarity."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

import digitrec
from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.image import DigitImage, InputSpec
from digitrec.image.pixels import Pixels
from digitrec.lab.handwriting.scenes import READ, scenes
from digitrec.lab.handwriting.writer import Writer
from digitrec.prepare import mnist, prepare, prepare_many
from digitrec.prepare.filters import Floats
from digitrec.recognise import predict_many

SPEC = InputSpec("mnist", gated=True)
DIGITS = mnist_test().images[:40]


def prepared(pixels: Pixels) -> Pixels:
    return np.frombuffer(prepare(DigitImage.open(pixels), SPEC).data, np.uint8).reshape(28, 28)


def likeness(a: Pixels, b: Pixels) -> float:
    """Correlation of two images."""
    return float(np.corrcoef(a.ravel().astype(float), b.ravel().astype(float))[0, 1])


def test_mnist_passes_unchanged_one_by_one_and_together() -> None:
    images = [DigitImage.open(digit) for digit in DIGITS]
    one_by_one = [prepare(image, SPEC) for image in images]
    for digit, alone, together in zip(DIGITS, one_by_one, prepare_many(images, SPEC), strict=True):
        assert alone.data == together.data == digit.tobytes()
        assert together.findings.unchanged
        assert prepare(DigitImage.open(np.stack([digit] * 3, -1)), SPEC).data == alone.data, "in colour"
        assert together.media_type == "image/x-mnist"


def test_all_of_the_test_set_is_in_form() -> None:
    assert mnist.in_form(mnist_test().images).all()


def test_size_alone_is_not_the_form() -> None:
    moved = np.roll(DIGITS[0], (3, 2), axis=(0, 1))
    small = np.pad(np.asarray(Image.fromarray(DIGITS[0]).resize((14, 14))), 7)
    assert not mnist.in_form(np.stack([moved, small, 255 - DIGITS[0], np.zeros_like(moved)])).any()


@pytest.mark.parametrize(("brightest", "read"), [(1, (None, "blank")), (12, (7, None)), (64, (7, None))])
def test_a_faint_digit_of_this_size_is_prepared(brightest: int, read: tuple[int | None, str | None]) -> None:
    found = digitrec.predict(Image.fromarray(np.round(DIGITS[0] * (brightest / 255)).astype(np.uint8)))
    assert (found.digit, found.reason) == read


def enlarged(digit: Pixels, side: int) -> Pixels:
    return np.asarray(Image.fromarray(digit).resize((side, side), Image.Resampling.BICUBIC))


def hazy(digit: Pixels, haze: Floats) -> Pixels:
    return np.uint8(np.clip(90 + 100 * haze + 0.35 * digit, 0, 255))


Y, X = np.mgrid[-1:1:28j, -1:1:28j]
CHANGES: dict[str, tuple[Callable[[Pixels], Pixels], float]] = {
    "inverted": (lambda digit: 255 - digit, 0.98), "haze on top": (lambda digit: hazy(digit, -Y / 2), 0.9),
    "enlarged": (lambda digit: enlarged(255 - digit, 336), 0.95),
    "enlarged a little": (lambda digit: enlarged(255 - digit, 112), 0.95),
    "off centre": (lambda digit: np.pad(digit, ((60, 10), (5, 90))), 0.98),
    "haze on the left": (lambda digit: hazy(digit, -X / 2), 0.9),
    "haze in the middle": (lambda digit: hazy(digit, 0.5 - X**2 - Y**2), 0.9),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_mnist_digit_comes_back(change: str) -> None:
    made, least = CHANGES[change]
    found = [prepared(made(digit)) for digit in DIGITS]
    assert np.median([likeness(*pair) for pair in zip(found, DIGITS, strict=True)]) > least
    assert mnist.in_form(np.stack(found)).mean() > 0.7


def test_thin_strokes_are_thickened_and_thick_ones_left() -> None:
    widths = {}
    for pen in (2, 30):
        picture = Image.new("L", (300, 300), 255)
        ImageDraw.Draw(picture).line([(150, 30), (150, 270)], fill=0, width=pen)
        widths[pen] = prepared(np.asarray(picture)).max(axis=0) > 127
    assert 2 <= widths[2].sum() <= 3
    assert 2 <= widths[30].sum() <= 4


def test_aspect_is_kept() -> None:
    picture = Image.new("L", (400, 300), 255)
    ImageDraw.Draw(picture).rectangle((50, 100, 350, 200), outline=0, width=12)
    inked = prepared(np.asarray(picture)) > 60
    assert np.count_nonzero(inked.any(axis=0)) == 20
    assert 6 <= np.count_nonzero(inked.any(axis=1)) <= 8


def test_blank_is_all_zero_with_its_reason() -> None:
    answer = prepare(DigitImage.open(np.full((50, 60), 200, np.uint8)), SPEC)
    assert answer.data == bytes(784)
    assert (answer.findings.reason, answer.findings.digits, answer.findings.boxes) == ("blank", 0, ())


def test_two_digits_are_counted_and_the_larger_is_shown() -> None:
    pair = np.hstack([np.pad(digit, 2) for digit in DIGITS[:2]])
    answer = prepare(DigitImage.open(np.kron(pair, np.ones((6, 6), np.uint8))), SPEC)
    assert answer.findings.reason == "more than one digit"
    assert answer.findings.digits == len(answer.findings.boxes) == 2
    shown = np.frombuffer(answer.data, np.uint8).reshape(28, 28)
    assert max(likeness(shown, digit) for digit in DIGITS[:2]) > 0.9


@pytest.mark.parametrize("side", [12, 16, 20])
def test_a_small_binary_seven_that_fills_its_picture(side: int) -> None:
    picture = Image.new("L", (side, side))
    corners = [(0, 0), (side - 1, 0), (side // 3, side - 1)]
    ImageDraw.Draw(picture).line(corners, fill=255, width=max(1, side // 6))
    answer = prepare(DigitImage.open(np.asarray(picture)), SPEC)
    assert answer.findings.reason is None
    assert answer.findings.polarity == "light on dark"


@pytest.mark.parametrize(("side", "least"), [(8, 0.7), (12, 0.87), (16, 0.87), (20, 0.87)])
def test_digits_that_fill_small_binary_pictures_are_read_in_either_polarity(side: int, least: float) -> None:
    digits = mnist_test()[:100]
    inks = [Image.fromarray(digit) for digit in digits.images]
    small = [ink.crop(ink.getbbox()).resize((side, side), Image.Resampling.BOX) for ink in inks]
    light = np.stack([np.where(np.asarray(ink) > 100, 255, 0).astype(np.uint8) for ink in small])
    for pictures in (light, 255 - light):
        answers = [getattr(one, "digit", None) for one in predict_many(pictures)]
        assert np.mean([one == label for one, label in zip(answers, digits.labels, strict=True)]) >= least


def test_many_of_every_kind_are_answered_in_order() -> None:
    mixed = [DIGITS[0], 255 - DIGITS[1], np.zeros((28, 28), np.uint8), np.pad(DIGITS[2], 30), DIGITS[3]]
    images = [DigitImage.open(pixels) for pixels in mixed]
    assert prepare_many(images, SPEC) == [prepare(image, SPEC) for image in images]


def test_steps_end_in_what_is_prepared() -> None:
    page = np.asarray(Image.fromarray(255 - DIGITS[5]).resize((140, 140)))
    steps = mnist.steps(DigitImage.open(page))
    assert [name for name, _ in steps] == ["paper removed", "ink", "digit", "strokes thickened", "28x28"]
    assert all(picture.dtype == np.uint8 and picture.ndim == 2 for _, picture in steps)
    assert (steps[-1][1] == prepared(page)).all()
    assert len(mnist.steps(DigitImage.open(np.full((50, 60), 200, np.uint8)))) == 1
    ((_, shown),) = mnist.steps(DigitImage.open(DIGITS[0]))
    assert (shown == DIGITS[0]).all()


def crossed(digit: Pixels) -> Pixels:
    """Draw a line from edge to edge over the foot of a digit, as a careless pen does."""
    picture = digit.copy()
    picture[23:25] = 255
    return picture


def test_a_digit_that_is_in_form_but_for_a_line_is_also_given_as_a_whole() -> None:
    for picture in (crossed(DIGITS[0]), 255 - crossed(DIGITS[0])):
        made = prepare(DigitImage.open(picture), SPEC)
        assert made.whole is not None
        assert likeness(np.frombuffer(made.whole, np.uint8).reshape(28, 28), crossed(DIGITS[0])) > 0.98
        assert likeness(prepared(picture), crossed(DIGITS[0])) < 0.9
        assert "also read whole" in dict(mnist.steps(DigitImage.open(picture)))


def test_other_sizes_have_no_full_frame_pass() -> None:
    larger = np.asarray(Image.fromarray(crossed(DIGITS[0])).resize((56, 56)))
    for picture in (DIGITS[0], larger, np.zeros((28, 28), np.uint8)):
        assert prepare(DigitImage.open(picture), SPEC).whole is None


STAGED = [next(iter(scenes(kind, Writer(mnist_test()), 1, 5))).pixels for kind in READ]


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(STAGED), st.tuples(*[st.floats(0, 1)] * 4), st.booleans(), st.booleans())
def test_boxes_lie_within_any_crop(scene: Pixels, cut: tuple[float, ...], grey: bool, turned: bool) -> None:
    height, width = scene.shape[:2]
    top, bottom = sorted((int(cut[0] * (height - 1)), int(cut[1] * (height - 1))))
    left, right = sorted((int(cut[2] * (width - 1)), int(cut[3] * (width - 1))))
    part = scene[top : bottom + 1, left : right + 1]
    part = part[:, :, 0] if grey and part.ndim == 3 else part
    prepared = prepare(DigitImage.open(np.ascontiguousarray(255 - part if turned else part), full=255), SPEC)
    found, boxes = prepared.findings, np.array(prepared.findings.boxes).reshape(-1, 4)
    assert len(boxes) == found.digits or found.unchanged
    assert (boxes[:, :2] >= 0).all() and (boxes[:, :2] < boxes[:, 2:]).all()
    assert (boxes[:, 2:] <= part.shape[1::-1]).all()
