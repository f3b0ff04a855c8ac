"""DigitImage.open: everything people hold is read; everything unsafe or broken is refused in one line."""

from __future__ import annotations

import hashlib
import io
import re
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw
from sklearn.datasets import load_digits

import digitrec
from digitrec.errors import ImageError
from digitrec.image import DigitImage
from digitrec.image.batch import several
from digitrec.image.decode import MAX_PIXELS
from digitrec.prediction import Prediction


def corner(
    mode: str = "L", ink: object = 0, paper: object = 255, size: tuple[int, int] = (40, 60)
) -> Image.Image:
    """A picture with a blot of ink in its upper left corner, so that turning it shows."""
    picture = Image.new(mode, size, paper)  # type: ignore[arg-type]
    ImageDraw.Draw(picture).rectangle((0, 0, 9, 9), fill=ink)  # type: ignore[arg-type]
    return picture


def encoded(picture: Image.Image, form: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


def grey(image: DigitImage) -> np.ndarray:
    pixels = image.pixels
    return pixels if pixels.ndim == 2 else np.asarray(Image.fromarray(pixels).convert("L"))


@pytest.mark.parametrize(
    ("mode", "form", "ink", "paper"),
    [
        ("L", "PNG", 0, 255),
        ("1", "PNG", 0, 1),
        ("RGB", "PNG", "black", "white"),
        ("RGB", "BMP", "black", "white"),
        ("RGB", "TIFF", "black", "white"),
        ("RGB", "PPM", "black", "white"),
        ("RGB", "WEBP", "black", "white"),
        ("RGB", "JPEG", "black", "white"),
        ("CMYK", "JPEG", (0, 0, 0, 255), (0, 0, 0, 0)),
        ("P", "GIF", 0, 255),
        ("LA", "PNG", (0, 255), (255, 255)),
        ("RGBA", "PNG", (0, 0, 0, 255), (255, 255, 255, 255)),
        ("I;16", "PNG", 0, 65535),
    ],
)
def test_every_common_mode_and_format_shows_the_same_picture(
    mode: str, form: str, ink: object, paper: object
) -> None:
    picture = corner(mode, ink, paper)
    if mode == "P":
        picture.putpalette([value for level in range(256) for value in (level, level, level)])
    pixels = grey(DigitImage.open(encoded(picture, form)))
    assert pixels.dtype == np.uint8
    assert pixels.shape == (60, 40)
    assert pixels[4, 4] < 40
    assert pixels[50, 30] > 215


def test_a_path_a_stream_bytes_and_a_pillow_image_show_the_same(tmp_path: Path) -> None:
    data = encoded(corner(), "PNG")
    path = tmp_path / "7.png"
    path.write_bytes(data)
    from_path = DigitImage.open(path)
    for source in (str(path), data, bytearray(data), io.BytesIO(data), corner()):
        assert np.array_equal(DigitImage.open(source).pixels, from_path.pixels)
    assert from_path.source == str(path)
    assert from_path.sha256 == hashlib.sha256(data).hexdigest()
    assert DigitImage.open(from_path) is from_path


def test_standard_input_is_a_dash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(encoded(corner(), "PNG"))))
    image = DigitImage.open("-")
    assert image.source == "<stdin>"
    assert image.pixels[4, 4] == 0


def test_exif_orientation_is_applied() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: show it rotated by 90 degrees clockwise
    pixels = grey(DigitImage.open(encoded(corner("RGB", "black", "white"), "JPEG", exif=exif)))
    assert pixels.shape == (40, 60)
    assert pixels[4, 55] < 60  # the upper left corner is now the upper right one
    assert pixels[4, 4] > 200


def test_transparency_is_put_on_white() -> None:
    pixels = grey(DigitImage.open(encoded(corner("RGBA", (0, 0, 0, 255), (0, 0, 0, 0)), "PNG")))
    assert pixels[4, 4] == 0
    assert pixels[50, 30] == 255


def test_white_ink_on_transparency_does_not_vanish() -> None:
    pixels = grey(DigitImage.open(encoded(corner("RGBA", (255, 255, 255, 255), (0, 0, 0, 0)), "PNG")))
    assert pixels[4, 4] == 255
    assert pixels[50, 30] == 0


def test_the_first_frame_of_an_animation_counts() -> None:
    frames = [corner(), Image.new("L", (40, 60), 255)]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert grey(DigitImage.open(data))[4, 4] < 40


def test_a_huge_jpeg_is_decoded_smaller_and_a_small_one_as_it_is() -> None:
    huge = DigitImage.open(encoded(Image.new("L", (4000, 3000), 200), "JPEG"))
    assert huge.pixels.shape == (750, 1000)
    assert DigitImage.open(encoded(Image.new("L", (800, 600), 200), "JPEG")).pixels.shape == (600, 800)


@pytest.mark.parametrize(
    "values",
    [
        np.zeros((28, 28), np.uint8),
        np.zeros((28, 28, 1), np.float32),
        np.zeros((28, 28, 3), np.int64),
        np.zeros((28, 28, 4), np.uint8),
        np.zeros((28, 28), np.bool_),
    ],
)
def test_arrays_of_many_kinds_become_eight_bits(values: np.ndarray) -> None:
    image = DigitImage.open(values)
    assert image.pixels.dtype == np.uint8
    assert image.pixels.shape[:2] == (28, 28)


def test_array_values_keep_their_meaning() -> None:
    assert DigitImage.open(np.array([[0.0, 0.5, 1.0]])).pixels.tolist() == [[0, 128, 255]]
    assert DigitImage.open(np.array([[0.0, 100.0, 255.0]])).pixels.tolist() == [[0, 100, 255]]
    assert DigitImage.open(np.array([[False, True]])).pixels.tolist() == [[0, 255]]
    assert DigitImage.open(np.array([[0, 65535]], np.uint16)).pixels.tolist() == [[0, 255]]


def test_two_arrays_with_the_same_bytes_in_another_shape_are_two_pictures() -> None:
    values = 40 * np.arange(6, dtype=np.uint8)
    assert DigitImage.open(values.reshape(2, 3)).sha256 != DigitImage.open(values.reshape(3, 2)).sha256


@pytest.mark.parametrize(
    "values",
    [
        np.zeros(784, np.uint8),
        np.zeros((0, 28), np.uint8),
        np.zeros((28, 28, 2), np.uint8),
        np.full((28, 28), np.nan),
        np.full((28, 28), -1.0),
        np.array([["7"]]),
    ],
)
def test_arrays_that_are_no_picture_are_refused(values: np.ndarray) -> None:
    with pytest.raises(ImageError):
        DigitImage.open(values)


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds nothing: 57 bytes are all a bomb needs to be refused."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


BROKEN = {
    "empty": b"",
    "text": b"this is not a picture",
    "html": b"<!doctype html><html></html>",
    "truncated png": encoded(corner(), "PNG")[:60],
    "truncated jpeg": encoded(corner(), "JPEG")[:200],
    "bomb over our limit": png_header(MAX_PIXELS // 1000 + 1, 1000),
    "bomb over pillow's warning": png_header(10_000, 10_000),
    "bomb over pillow's error": png_header(60_000, 60_000),
    "svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    "heic": b"\0\0\0\x18ftypheic\0\0\0\0",
    "pdf": b"%PDF-1.7\n",
}


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("name", BROKEN)
def test_broken_or_unsafe_files_are_one_clear_line(name: str, tmp_path: Path) -> None:
    path = tmp_path / "scan.png"
    path.write_bytes(BROKEN[name])
    with pytest.raises(ImageError) as caught:
        DigitImage.open(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert "\n" not in message


@pytest.mark.filterwarnings("ignore:::PIL")
def test_damaged_bytes_never_raise_anything_but_our_error() -> None:
    rng = np.random.default_rng(7)
    for form in ("PNG", "JPEG", "GIF", "TIFF", "WEBP", "BMP"):
        good = np.frombuffer(encoded(corner("RGB", "black", "white"), form), np.uint8)
        for _ in range(60):
            bad = good.copy()
            bad[rng.integers(0, len(bad), 8)] = rng.integers(0, 256, 8)
            try:
                DigitImage.open(bad.tobytes())
            except ImageError:
                continue


@pytest.mark.parametrize("name", ["missing.png", "bad\0name.png"])
def test_a_file_that_cannot_be_read_names_itself(name: str) -> None:
    with pytest.raises(ImageError, match="cannot be read"):
        DigitImage.open(name)


def test_a_folder_is_not_a_picture(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=f"^{re.escape(str(tmp_path))}: a folder, with no picture to read"):
        DigitImage.open(tmp_path)


def test_damage_beside_the_picture_is_no_damage_to_it() -> None:
    cut_off = b"Exif\0\0II*\0\x08\0\0\0\x05\0"  # promises five entries and has none; phones do that
    with pytest.warns(UserWarning, match="EXIF"):  # Pillow's own: they are the process's affair
        image = DigitImage.open(encoded(corner(), "JPEG", exif=cut_off))
    assert image.pixels.shape == (60, 40)


def test_a_closed_standard_input_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(ImageError, match="<stdin>: there is no standard input"):
        DigitImage.open("-")


def shaded(top: float, kind: object) -> np.ndarray:
    """A picture with a blot of 0 on paper of ``top``, in an array of this type."""
    values = np.full((40, 40), top, kind)  # type: ignore[call-overload]
    values[5:20, 5:20] = 0
    return values


PLAIN = [
    (1, bool, 1), (1, np.uint8, 1), (1, np.int64, 1), (1, np.float32, 1), (0.4, np.float64, 1),
    (1.0005, np.float64, 1), (16, np.uint8, 16), (16, np.float64, 16), (60, np.uint8, 255),
    (17, np.uint8, 255), (255, np.uint8, 255), (255, np.int32, 255), (255.0, np.float64, 255),
    (255, np.uint16, 255), (65535, np.uint16, 65535), (5000, np.int64, 65535),
]  # fmt: skip


@pytest.mark.parametrize(("top", "kind", "full"), PLAIN)
def test_the_range_of_an_array_is_told_where_it_is_plain(top: float, kind: object, full: float) -> None:
    pixels = DigitImage.open(shaded(top, kind)).pixels
    assert pixels[10, 10] == 0
    assert pixels[30, 30] == min(round(255 * top / full), 255)


@pytest.mark.parametrize(
    ("top", "kind"),
    [(2, np.uint8), (15, np.uint8), (15, np.float64), (1.5, np.float32), (15.5, np.float64),
     (1023, np.uint16), (4095, np.int32), (65536, np.int64), (1e9, np.float64)],
)  # fmt: skip
def test_where_it_is_not_plain_it_is_asked_for(top: float, kind: object) -> None:
    with pytest.raises(ImageError, match=r"reach .* cannot be told.*full="):
        DigitImage.open(shaded(top, kind))
    assert DigitImage.open(shaded(top, kind), full=top).pixels[30, 30] == 255
    assert DigitImage.open(shaded(top, kind) / top).pixels[30, 30] == 255


@pytest.mark.parametrize("value", [0, 1, 7, 300, 4000, 65535, 0.5])
def test_an_array_of_one_value_is_a_blank_page_in_any_range(value: float) -> None:
    assert np.ptp(DigitImage.open(np.full((30, 30), value)).pixels) == 0


@pytest.mark.parametrize("kind", [np.uint8, np.int64, np.float32, np.float64])
def test_a_batch_has_one_range_for_all(kind: object) -> None:
    batch = np.stack([shaded(16, kind), shaded(3, kind), shaded(1, kind)])
    opened = [image.pixels[30, 30] for image in several(batch)]  # type: ignore[union-attr]
    assert opened == [255, 48, 16]


def test_a_batch_whose_range_is_not_plain_is_asked_about_at_once() -> None:
    with pytest.raises(ImageError, match="full="):
        digitrec.predict_many(np.stack([shaded(15, np.uint8)] * 2))


def test_a_bad_picture_of_a_batch_takes_only_its_own_place() -> None:
    batch = np.stack([shaded(1, np.float64)] * 3)
    batch[1, 0, 0] = np.nan
    assert [type(outcome).__name__ for outcome in digitrec.predict_many(batch)] == [
        "Prediction",
        "Failure",
        "Prediction",
    ]


@pytest.mark.parametrize("shape", [(3, 28, 28), (3, 28, 28, 1), (3, 28, 28, 3), (3, 28, 28, 4), (0, 28, 28)])
def test_batches_are_read_in_every_usual_shape(shape: tuple[int, ...]) -> None:
    assert len(digitrec.predict_many(np.full(shape, 200, np.uint8))) == shape[0]


@pytest.mark.parametrize("shape", [(28, 28), (28, 28, 3), (5, 784), (784,), (2, 3, 28, 28, 3)])
def test_what_is_no_batch_says_what_it_is(shape: tuple[int, ...]) -> None:
    with pytest.raises(TypeError, match=r"one picture|no batch"):
        digitrec.predict_many(np.zeros(shape))


def test_scikit_learns_digits_are_read_as_they_come() -> None:
    digits = load_digits()
    plain = digitrec.predict_many(digits.images[:300] / 16)
    for as_they_come in (digits.images[:300], digits.images[:300].astype(np.uint8)):
        found = digitrec.predict_many(as_they_come)
        assert [it.digit for it in found if isinstance(it, Prediction)] == [
            it.digit for it in plain if isinstance(it, Prediction)
        ]
    right = sum(
        isinstance(it, Prediction) and it.digit == label
        for it, label in zip(plain, digits.target, strict=False)
    )
    assert right >= 0.9 * 300
