"""Files that repeat one element up to the size limit are read or refused in few steps."""

import io
import sys
from pathlib import Path

import numpy as np
import pytest
from pictures import assert_refused, encoded, exif
from PIL import Image, ImageFile, ImageOps

from digitrec.errors import ImageError
from digitrec.image import DigitImage, decode, frames

from ..pages import ROOT, loaded

repeats = loaded(ROOT / "bench" / "repeats.py")
SIZE = 990_000
"""Size of a file in bytes, large enough to show work that grows with the size."""
MOST_CALLS = 1_000_000
"""Calls of Python functions and from Python into C; photos take some 1,000. Pillow does 20 for each chunk."""


def calls(data: bytes) -> int:
    """Return the number of calls that read or refuse a picture."""
    count = 0

    def counted(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(counted)
    try:
        DigitImage.open(data)
    except ImageError:
        pass
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("form", sorted(set(repeats.GRAMMAR) - {"PDF"}))  # another process draws a PDF
def test_no_repeated_element_takes_many_steps(form: str) -> None:
    files = repeats.GRAMMAR[form].items()
    most = SIZE // 10 if form == "PPM" else SIZE  # Pillow loops over its samples, whose number has a bound
    counts = {(name, size): calls(made(size)) for name, made in files for size in (most, SIZE // 20)}
    assert {file: count for file, count in counts.items() if count > MOST_CALLS} == {}


@pytest.mark.parametrize("magic", [b"P2", b"P5"])
def test_a_pnm_that_pillow_decodes_in_python_is_bounded(magic: bytes) -> None:
    assert_refused(magic + b" 1001 1000 9\n" + b"7 " * 1_001_000)


@pytest.mark.parametrize("element", ["forms in forms", "packed lines"])
def test_a_pdf_that_pdfium_never_finishes_is_refused(element: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decode, "PDF_MAX_CPU_S", 1)
    hostile = repeats.GRAMMAR["PDF"][element](SIZE)
    assert_refused(frames(hostile)[0] if element == "packed lines" else hostile)


def test_a_pdf_that_is_not_drawn_in_time_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert DigitImage.open(repeats.encoded("PDF")).size == (78, 78)
    monkeypatch.setattr(decode, "PDF_MAX_WALL_S", 0.0)
    assert_refused(repeats.encoded("PDF"))


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "BMP", "PPM", "TIFF", "WEBP", "HEIF"])
def test_a_file_that_is_cut_off_is_refused(form: str) -> None:
    data = repeats.encoded(form, 200)
    assert DigitImage.open(data).size == (200, 200)
    for share in (0.3, 0.6, 0.9):
        assert_refused(data[: int(share * len(data))])


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_turned_as_pillow_turns_it(orientation: int) -> None:
    data = repeats.encoded("PNG", 40, exif=exif({0x0112: orientation}))
    turned = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    assert DigitImage.open(data).picture.tobytes() == turned.tobytes()


@pytest.mark.parametrize(("head", "samples", "found"), [
    (b"P1 3 1\n", b"1 0#1\n1", [0, 255, 0]), (b"P1 3 1\n", b"101", [0, 255, 0]),
    (b"P2 3 1\n9\n", b"0 #x\n3 9", [0, 85, 255]), (b"P3 1 1\n9\n", b"0 3 9", [0, 85, 255]),
    (b"P5 3 1\n9\n", b"\0\3\x09", [0, 85, 255]), (b"P6 1 1\n9\n", b"\0\3\x09", [0, 85, 255]),
    (b"P5 3 1\n999\n", b"\0\0\1\x4d\3\xe7", [0, 85, 255]), (b"P2 3 1\n999\n", b"0 333 999", [0, 85, 255]),
])  # fmt: skip
def test_a_pnm_of_any_maximum_is_read(head: bytes, samples: bytes, found: list[int]) -> None:
    assert DigitImage.open(head + samples).pixels.ravel().tolist() == found
    assert_refused(head + samples[:2])


def test_a_small_allowance_is_what_a_photo_needs(tmp_path: Path) -> None:
    """A PNG of ten megabytes in chunks of 1 KB, the smallest that encoders write, is read."""
    noise = np.random.default_rng(7).integers(0, 255, (1800, 1800, 3), np.uint8)
    ImageFile.MAXBLOCK, before = 1024, ImageFile.MAXBLOCK
    try:
        Image.fromarray(noise).save(tmp_path / "noise.png", compress_level=0)
    finally:
        ImageFile.MAXBLOCK = before
    assert DigitImage.open(tmp_path / "noise.png").frames == 1


def test_a_small_png_in_more_than_a_thousand_pieces_is_refused() -> None:
    """Pillow alone would read three times as many before it is stopped."""
    few, many = (repeats.START + count * repeats.chunk(b"teSt") + repeats.FIRST + repeats.SECOND + repeats.END
                 for count in (900, 1_100))  # fmt: skip
    assert DigitImage.open(few).size == (28, 28)
    assert DigitImage.open(few + bytes(1_000_000)).size == (28, 28), "bytes after the end are no pieces"
    assert_refused(many)


def test_every_frame_of_a_large_animation_is_read() -> None:
    """Pillow counts the blocks of all frames, and skips those before a frame again."""
    noise = np.random.default_rng(7).integers(0, 255, (6, 600, 600), np.uint8)
    first, *others = [Image.fromarray(frame) for frame in noise]
    found = frames(encoded(first, "GIF", save_all=True, append_images=others))
    assert len(found) == 6 and DigitImage.open(found[-1]).size == (600, 600)
