from typing import Any

import numpy as np
import pytest
from pictures import encoded, exif
from PIL import Image, ImageDraw

from digitrec.emulator.kit import drawn_seven
from digitrec.image import DigitImage, InputSpec
from digitrec.prepare import PREPARATIONS
from digitrec.prepare.encode import prepare, spec_for

CLOUD = InputSpec(encoding="png", min_side=200, max_side=2000, max_bytes=4_000_000, margin=0.1)


def sent(image: DigitImage, spec: InputSpec = CLOUD) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Return the pixels that a vendor receives, in grey."""
    return np.asarray(prepare(image, spec).picture().convert("L"))


def digit_28x28() -> DigitImage:
    """MNIST's form: light on dark."""
    pixels = np.zeros((28, 28), np.uint8)
    pixels[4:24, 12:16] = 255
    return DigitImage.open(pixels)


def photograph(width: int, height: int) -> Image.Image:
    """Grain on grey paper that no encoder compresses well."""
    grain = np.random.default_rng(0).normal(180, 12, (height, width, 3))
    grain[height // 4 : height // 2, width // 3 : width // 2] -= 120
    return Image.fromarray(grain.clip(0, 255).astype(np.uint8))


def test_a_small_picture_is_enlarged_past_the_minimum() -> None:
    assert min(sent(digit_28x28()).shape) >= 200


def test_light_on_dark_is_turned_into_dark_on_light() -> None:
    pixels = sent(digit_28x28())
    assert pixels[0, 0] > 240
    assert pixels[pixels.shape[0] // 2, pixels.shape[1] // 2] < 60


@pytest.mark.parametrize("margin", [0.0, 0.5])
def test_a_large_picture_is_reduced_with_its_margin(margin: float) -> None:
    assert max(sent(drawn_seven(), InputSpec(encoding="png", max_side=50, margin=margin)).shape) <= 50


def test_ink_beside_an_enlarged_digit_is_named_in_pixels_of_the_large_picture() -> None:
    page = Image.new("L", (1800, 2400), 240)
    pen = ImageDraw.Draw(page)
    pen.line([(660, 780), (1140, 780), (840, 1740)], 20, 72)
    pen.line([(400, 2000), (1400, 2000)], 20, 40)
    (box,) = prepare(DigitImage.open(page), spec_for(CLOUD, "enlarged")).findings.left_out
    assert box == pytest.approx((400, 1980, 1400, 2020), abs=30)


def test_a_long_picture_gets_a_margin_rather_than_too_long_a_side() -> None:
    pixels = np.full((10, 1000), 255, np.uint8)
    pixels[3:7, 480:520] = 0
    height, width = sent(DigitImage.open(pixels)).shape
    assert height >= 200
    assert width <= 2000


def test_the_margin_has_the_colour_of_the_papers_edge() -> None:
    assert abs(int(sent(DigitImage.open(photograph(300, 300)))[2, 2]) - 180) < 8


def test_nothing_but_pixels_is_sent() -> None:
    tags = exif({0x0112: 6, 0x010F: "a phone", 0x8825: {1: "N", 2: (52.0, 31.0, 0.0)}})
    photo = encoded(photograph(80, 40), "JPEG", exif=tags, comment=b"written at home")
    for spec in (CLOUD, InputSpec(encoding="jpeg")):
        prepared = prepare(DigitImage.open(photo), spec)
        picture = prepared.picture()
        assert picture.height > picture.width, "upright: the camera was held sideways"
        assert not picture.getexif()
        assert not {"exif", "comment", "xmp", "icc_profile"} & set(picture.info)
        assert b"phone" not in prepared.data


def test_a_drawing_is_sent_without_loss_and_a_photograph_as_jpeg() -> None:
    seven = prepare(drawn_seven(), CLOUD)
    assert (seven.media_type, seven.image, seven.findings.digits) == ("image/png", drawn_seven().ref, 1)
    assert prepare(DigitImage.open(photograph(1000, 1000)), CLOUD).media_type == "image/jpeg"


def test_too_many_bytes_become_a_jpeg_and_then_a_smaller_one() -> None:
    image = DigitImage.open(photograph(600, 600))
    as_jpeg = prepare(image, InputSpec(encoding="png", max_bytes=400_000))
    smaller = prepare(image, InputSpec(encoding="png", max_bytes=20_000))
    assert as_jpeg.media_type == smaller.media_type == "image/jpeg"
    assert len(smaller.data) <= 20_000
    assert smaller.picture().width < as_jpeg.picture().width == 600


def test_enlarged_is_the_ink_alone_with_a_wide_white_margin() -> None:
    page = np.full((400, 900), 230, np.uint8)
    page[50:90, 700:716] = 20
    pixels = sent(DigitImage.open(page), spec_for(CLOUD, "enlarged"))
    dark = np.argwhere(pixels < 100)
    (top, left), (bottom, right) = dark.min(axis=0), dark.max(axis=0)
    assert bottom - top > 150, "the digit is about 200 px high"
    assert min(top, left, pixels.shape[0] - bottom, pixels.shape[1] - right) >= 90
    assert (pixels[:80] == 255).all(), "grey paper has become white"


@pytest.mark.parametrize("image", [drawn_seven(), digit_28x28()], ids=["dark on light", "light on dark"])
def test_repeated_is_the_same_ink_three_times_in_a_row(image: DigitImage) -> None:
    prepared = prepare(image, spec_for(CLOUD, "repeated"))
    assert prepared.spec.repeat == 3
    columns = np.asarray((sent(image, prepared.spec) < 100).any(axis=0))
    starts = np.flatnonzero(columns[1:] & ~columns[:-1])
    assert len(starts) == 3
    assert np.ptp(np.diff(starts)) <= 1


def test_a_blank_picture_is_sent_all_the_same() -> None:
    blank = DigitImage.open(np.full((60, 60), 255, np.uint8))
    for preparation in PREPARATIONS:
        spec = spec_for(CLOUD, preparation)
        assert (spec.preparation, spec.max_bytes, spec.max_side) == (preparation, 4_000_000, 2000)
        prepared = prepare(blank, spec)
        assert prepared.findings.reason == "blank"
        assert np.asarray(prepared.picture()).min() > 250


def test_an_engine_that_wants_the_ink_alone_can_be_sent_the_whole_picture() -> None:
    wants = InputSpec(encoding="png", preparation="enlarged", crop=True, margin=0.7, min_side=200)
    assert spec_for(wants, "enlarged") == wants
    plain = spec_for(wants, "plain")
    assert (plain.crop, plain.repeat, plain.preparation) == (False, 1, "plain")
    assert spec_for(spec_for(CLOUD, "repeated"), "plain") == CLOUD


def test_an_unknown_preparation_is_refused() -> None:
    with pytest.raises(ValueError, match="sharpened"):
        spec_for(CLOUD, "sharpened")
    with pytest.raises(ValueError):
        spec_for(InputSpec(encoding="mnist"), "enlarged")
