"""Judging what rules and finder propose."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import pytest
from lab.reading.test_compose import people
from looks import Line, arc
from PIL import Image, ImageChops, ImageDraw, ImageFont, ImageOps

import digitrec
from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.image import DigitImage, InputSpec
from digitrec.image.pixels import Pixels
from digitrec.lab.reading.compose import Composer
from digitrec.lab.reading.hands import hands
from digitrec.prepare import prepare
from digitrec.recognise import predict_many
from digitrec.recognise.explain import explain

DIGITS = mnist_test()[10:22]
WANTS = InputSpec(encoding="mnist")


def drawn(digit: Pixels, side: int) -> Image.Image:
    return Image.fromarray(255 - digit).resize((side, side), Image.Resampling.BICUBIC)


def touching(digit: Pixels) -> Image.Image:
    """Return a small picture whose digit touches the left edge."""
    whole = drawn(digit, 140)
    ink = np.asarray(whole).min(axis=0) < 128
    return whole.crop((int(np.flatnonzero(ink)[0]), 0, 140, 140))


def page(digit: Pixels) -> Image.Image:
    """Return an A4 page at 300 dpi with a digit of about 6 mm."""
    sheet = Image.new("L", (2480, 3508), 250)
    sheet.paste(drawn(digit, 70), (1400, 600))
    return sheet


def between_bars(digit: Pixels) -> Image.Image:
    """Return a digit with wide black bars on both sides."""
    return ImageOps.expand(ImageOps.expand(drawn(digit, 140), 20, 250), (60, 0, 60, 0), 0)


@pytest.mark.parametrize("make", [touching, page, between_bars])
def test_a_digit_that_the_rules_refuse_is_read(make: Callable[[Pixels], Image.Image]) -> None:
    answers = [digitrec.predict(make(digit)) for digit in DIGITS.images]
    right = [one.digit == label for one, label in zip(answers, DIGITS.labels.tolist(), strict=True)]
    assert np.mean(right) > 0.9


def test_the_digit_on_a_page_is_found_where_it_is() -> None:
    found = 0
    for digit in DIGITS.images:
        image = DigitImage.open(page(digit))
        findings = prepare(image, WANTS).findings
        if findings.reason is None:
            found += 1
            (box,) = findings.boxes
            scale = image.size[0] / 2480
            assert 1390 <= box[0] / scale < box[2] / scale <= 1490 and 0 < findings.trust <= 1
    assert found > 10


def broken(line: Line) -> list[Line]:
    """Return dashes of a straight line."""
    places = np.linspace(line[0], line[1], 12)
    return [[tuple(first), tuple(first + 0.8 * (last - first))] for first, last in pairwise(places)]


def beside(digit: Pixels, lines: Sequence[Line], pen: int) -> Image.Image:
    """Return a page with a digit about 100 pixels long in its middle, and lines."""
    sheet = Image.new("L", (320, 320), 225)
    sheet.paste(ImageChops.subtract(drawn(digit, 140), Image.new("L", (140, 140), 30)), (90, 90))
    for line in lines:
        ImageDraw.Draw(sheet).line([(float(x), float(y)) for x, y in line], 40, pen, joint="curve")
    grain = np.random.default_rng(0).normal(0, 1.5, (320, 320))
    return Image.fromarray(np.clip(np.asarray(sheet) + grain, 0, 255).astype(np.uint8))


CORNERS = [(80, 80), (240, 80), (240, 240), (80, 240), (80, 80)]
READ: dict[str, tuple[Sequence[Line], int]] = {
    "round brackets": ([arc(80, -25, 95, 225), arc(240, 25, 95, 225)], 8),
    "a square bracket": ([[(235, 95), (255, 95), (255, 225), (235, 225)]], 8),
    "a box in dashes": ([dash for side in pairwise(CORNERS) for dash in broken(side)], 5),
    "a line under it": ([[(90, 236), (230, 233)]], 6), "a box": ([CORNERS], 6),
    "a pen from outside": ([[(60, 330), (20, -20)]], 14),
}  # fmt: skip
REFUSED: dict[str, tuple[Sequence[Line], int]] = {
    "a minus": ([[(45, 160), (85, 160)]], 8),
    "an equals sign": ([[(235, 145), (280, 145)], [(235, 172), (280, 172)]], 8),
    "a plus": ([[(240, 160), (290, 160)], [(265, 135), (265, 185)]], 8),
}


@pytest.mark.parametrize("name", READ)
def test_a_digit_beside_other_ink_is_read(name: str) -> None:
    answers = [digitrec.predict(beside(one, *READ[name])) for one in DIGITS.images]
    right = [one.digit == label for one, label in zip(answers, DIGITS.labels.tolist(), strict=True)]
    assert np.mean(right) > 0.8


@pytest.mark.parametrize("name", REFUSED)
def test_a_sign_beside_a_digit_is_refused(name: str) -> None:
    answers = [digitrec.predict(beside(one, *REFUSED[name])) for one in mnist_test().images[100:160]]
    assert np.mean([one.digit is None for one in answers]) > 0.85
    assert "a sign beside the digit" in {one.reason for one in answers}


def test_ink_that_is_left_out_is_named_and_lowers_the_confidence() -> None:
    judged = 0
    for digit in DIGITS.images:
        alone, answer = (digitrec.predict(beside(digit, *ink)) for ink in (([], 1), READ["a square bracket"]))
        if answer.confidence is not None and alone.confidence is not None:
            judged += 1
            boxes = np.array(answer.left_out)
            around = [*boxes[:, :2].min(axis=0), *boxes[:, 2:].max(axis=0)]
            assert np.abs(np.subtract(around, (232, 91, 259, 229))).max() <= 9
            assert answer.confidence < alone.confidence
    assert judged > 10


def test_a_word_beside_a_digit_is_named() -> None:
    page = Image.new("L", (1200, 800), 255)
    page.paste(Image.fromarray(255 - mnist_test().images[0]).resize((320, 320)), (160, 200))
    ImageDraw.Draw(page).text((800, 450), "cm", font=ImageFont.load_default(130), fill=30)
    assert digitrec.predict(page).left_out


def test_ink_that_is_left_out_of_a_large_picture_is_named_in_its_own_pixels() -> None:
    small = beside(DIGITS.images[0], *READ["a square bracket"])
    large = small.resize((6 * small.width, 6 * small.height), Image.Resampling.NEAREST)
    boxes = np.array(digitrec.predict(large).left_out)
    around = [*boxes[:, :2].min(axis=0), *boxes[:, 2:].max(axis=0)]
    assert np.abs(np.subtract(around, np.multiply(6, (232, 91, 259, 229)))).max() <= 6 * 9


@pytest.mark.parametrize("blank", [Image.new("L", (300, 400), 240), Image.new("RGB", (1240, 1754), "white")])
def test_bare_paper_stays_blank(blank: Image.Image) -> None:
    assert digitrec.predict(blank).reason == "blank"


def pair(one: Pixels, other: Pixels, side: int) -> Image.Image:
    sheet = Image.new("L", (600, 800), 255)
    sheet.paste(drawn(one, side), (60, 90))
    sheet.paste(drawn(other, side), (60 + side, 90))
    return sheet


@pytest.mark.parametrize(("across", "down"), [(90, 90), (120, 120), (54, 90), (72, 120)])
def test_a_circle_that_is_filled_in_is_no_digit(across: int, down: int) -> None:
    picture = Image.new("L", (160, 160), 240)
    ImageDraw.Draw(picture).ellipse((20, 20, 20 + across, 20 + down), fill=40)
    assert digitrec.predict(picture).digit is None


@pytest.mark.parametrize(("side", "first"), [(40, 10), (200, 10), (40, 240)])
def test_two_digits_stay_refused(side: int, first: int) -> None:
    """Of some small pairs the thinner digit disappears when the picture is reduced."""
    for one, other in pairwise(mnist_test()[first : first + 12].images):
        assert digitrec.predict(pair(one, other, side)).digit is None


def test_a_1_beside_a_digit_is_no_bracket_or_pen() -> None:
    digits = mnist_test()[300:400]
    ones, others = digits.images[digits.labels == 1], digits.images[digits.labels != 1]
    pairs = [pair(*two, 200) for a, b in zip(ones, others, strict=False) for two in ((a, b), (b, a))]
    assert np.mean([digitrec.predict(sheet).digit is None for sheet in pairs]) > 0.9


@pytest.mark.parametrize(("rows", "apart"), [(14, 4), (20, 20)])
def test_a_column_of_numbers_is_no_1(rows: int, apart: int) -> None:
    column, numbers = Image.new("L", (130, 60 + rows * (46 + apart)), 255), range(10, 10 + 3 * rows, 3)
    place, font = (30, 30), ImageFont.load_default(60)
    ImageDraw.Draw(column).text(place, "\n".join(map(str, numbers)), 0, font, spacing=apart)
    assert digitrec.predict(column).digit is None


def test_most_small_numbers_are_no_single_digit() -> None:
    composer = Composer(list(hands(people(), 12, 3)), np.random.default_rng(5), lengths=(0, 0.6, 0.4))
    numbers = predict_many([composer.number()[0] for _ in range(200)])
    assert np.mean([getattr(one, "digit", None) is None for one in numbers]) > 0.9


def test_explain_shows_the_ink_that_was_judged_to_be_the_digit() -> None:
    for digit in DIGITS.images[:4]:
        picture = page(digit)
        *_, (name, shown) = explain(picture, hiding=False).steps
        data = prepare(DigitImage.open(picture), WANTS).data
        assert name == "28x28" and np.array_equal(shown, np.frombuffer(data, np.uint8).reshape(28, 28))


def test_a_digit_that_is_judged_has_no_more_confidence_than_its_chance() -> None:
    judged = 0
    for digit in DIGITS.images:
        picture = between_bars(digit)
        findings, answer = prepare(DigitImage.open(picture), WANTS).findings, digitrec.predict(picture)
        if answer.confidence is not None:
            judged += 1
            assert answer.confidence <= findings.trust < 1
    assert judged > 10
