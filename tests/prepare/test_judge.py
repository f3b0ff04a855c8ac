"""Judging what rules and finder propose."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageOps

import digitrec
from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.image import DigitImage, InputSpec
from digitrec.image.pixels import Pixels
from digitrec.prepare import prepare
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
    for digit in DIGITS.images:
        image = DigitImage.open(page(digit))
        findings = prepare(image, WANTS).findings
        if findings.reason is None:
            (box,) = findings.boxes
            scale = image.size[0] / 2480
            assert 1390 <= box[0] / scale < box[2] / scale <= 1482 and 0 < findings.trust <= 1


@pytest.mark.parametrize("blank", [Image.new("L", (300, 400), 240), Image.new("RGB", (1240, 1754), "white")])
def test_bare_paper_stays_blank(blank: Image.Image) -> None:
    assert digitrec.predict(blank).reason == "blank"


@pytest.mark.parametrize("side", [40, 200])
def test_two_digits_stay_refused(side: int) -> None:
    for first, second in zip(DIGITS.images, DIGITS.images[1:], strict=False):
        sheet = Image.new("L", (600, 800), 255)
        sheet.paste(drawn(first, side), (60, 90))
        sheet.paste(drawn(second, side), (60 + side, 90))
        assert digitrec.predict(sheet).digit is None


def test_explain_shows_the_ink_that_was_judged_to_be_the_digit() -> None:
    for digit in DIGITS.images:
        picture = page(digit)
        *_, (name, shown) = explain(picture, hiding=False).steps
        data = prepare(DigitImage.open(picture), WANTS).data
        assert name == "28x28" and np.array_equal(shown, np.frombuffer(data, np.uint8).reshape(28, 28))


def test_a_digit_that_is_judged_has_no_more_confidence_than_its_chance() -> None:
    for digit in DIGITS.images:
        picture = between_bars(digit)
        findings, answer = prepare(DigitImage.open(picture), WANTS).findings, digitrec.predict(picture)
        if answer.confidence is not None:
            assert answer.confidence <= findings.trust < 1
