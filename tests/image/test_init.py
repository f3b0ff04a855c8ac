"""DigitImage.open reads every usual input and refuses unsafe or broken ones in one line."""

import hashlib
import io
import pickle
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from pictures import assert_refused, corner, encoded, exif, grey, png_that_says
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from digitrec.errors import ImageError
from digitrec.errors.text import printable
from digitrec.image import DigitImage
from digitrec.image.pixels import MAX_PIXELS


@pytest.mark.parametrize(("mode", "form", "ink", "paper"), [
    ("L", "PNG", 0, 255), ("1", "PNG", 0, 1), ("RGB", "PNG", "black", "white"),
    ("RGB", "BMP", "black", "white"), ("RGB", "TIFF", "black", "white"), ("RGB", "PPM", "black", "white"),
    ("RGB", "WEBP", "black", "white"), ("RGB", "JPEG", "black", "white"), ("RGB", "DIB", "black", "white"),
    ("RGB", "HEIF", "black", "white"), ("RGB", "AVIF", "black", "white"),
    ("CMYK", "JPEG", (0, 0, 0, 255), (0, 0, 0, 0)), ("P", "GIF", 0, 255), ("I;16", "PNG", 0, 65535),
    ("I;16", "TIFF", 0, 4095), ("I;16", "TIFF", 0, 255), ("LA", "PNG", (0, 255), (255, 255)),
    ("RGBA", "PNG", (0, 0, 0, 255), (255, 255, 255, 255)),
])  # fmt: skip
def test_every_mode_and_format_opens_alike(mode: str, form: str, ink: object, paper: object) -> None:
    picture = corner(mode, ink, paper)
    if mode == "P":
        picture.putpalette([value for level in range(256) for value in (level, level, level)])
    pixels = grey(DigitImage.open(encoded(picture, form)))
    assert (pixels.dtype, pixels.shape) == (np.uint8, (60, 40))
    assert pixels[4, 4] < 40
    assert pixels[50, 30] > 215


class Entry:
    """A path of another class, as pytest's and fsspec's are."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __fspath__(self) -> str:
        return str(self._path)


def test_a_path_a_stream_bytes_and_a_pillow_image_show_the_same(tmp_path: Path) -> None:
    data = encoded(corner(), "PNG")
    path = tmp_path / "7.jpg"  # the content counts, not the name
    path.write_bytes(data)
    from_path = DigitImage.open(path)
    for source in (str(path), Entry(path), data, bytearray(data), io.BytesIO(data), corner()):
        assert np.array_equal(DigitImage.open(source).pixels, from_path.pixels)
    assert from_path.source == DigitImage.open(Entry(path)).source == str(path)
    assert from_path.sha256 == hashlib.sha256(data).hexdigest()
    assert DigitImage.open(from_path) is from_path


def test_a_part_is_cropped_and_turned_where_it_lies() -> None:
    whole = DigitImage.open(np.arange(20_000).astype(np.uint8).reshape(100, 200))
    part = whole.cropped((50, 0, 150, 80)).turned(270)
    cut = [one.cropped(part.place.box((5, 10, 40, 60))).pixels for one in (part, whole.turned(270))]
    assert np.array_equal(cut, [part.pixels[10:60, 5:40]] * 2)


def test_standard_input_is_a_dash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(encoded(corner(), "PNG"))))
    image = DigitImage.open("-")
    assert image.source == "<stdin>"
    assert image.pixels[4, 4] == 0


@pytest.mark.parametrize("form", ["JPEG", "HEIF", "AVIF"])
def test_exif_orientation_is_applied(form: str) -> None:
    sideways = exif({0x0112: 6})  # the camera was turned: show it rotated by 90 degrees clockwise
    picture, data = corner("RGB", "black", "white"), io.BytesIO()
    if form == "HEIF":
        pillow_heif.encode("RGB", picture.size, picture.tobytes(), data, exif=sideways.tobytes())
    else:
        picture.save(data, form, exif=sideways)
    pixels = grey(DigitImage.open(data.getvalue()))
    assert pixels.shape == (40, 60)
    assert pixels[4, 55] < 60  # the upper left corner is now the upper right one
    assert pixels[4, 4] > 200


@pytest.mark.parametrize("form", ["PNG", "WEBP", "HEIF", "AVIF"])
@pytest.mark.parametrize("ink", [0, 255])
def test_transparency_is_put_on_white_and_on_black_where_the_ink_is_white(form: str, ink: int) -> None:
    picture = corner("RGBA", (ink, ink, ink, 255), (0, 0, 0, 0), (64, 64), 31)
    for source in (encoded(picture, form, quality=90), picture.quantize(4)):
        pixels = grey(DigitImage.open(source)).astype(int)
        assert abs(pixels[8, 8] - ink) < 40
        assert abs(pixels[55, 55] - (255 - ink)) < 40
    picture.putalpha(picture.getchannel("A").point(lambda level: level * 0.4))
    pixels = grey(DigitImage.open(encoded(picture, form, quality=90))).astype(int)
    assert abs(pixels[8, 8] - pixels[55, 55]) > 80


def test_a_huge_jpeg_is_decoded_smaller_and_a_small_one_as_it_is() -> None:
    assert DigitImage.open(encoded(Image.new("L", (4000, 3000), 200), "JPEG")).pixels.shape == (750, 1000)
    assert DigitImage.open(encoded(Image.new("L", (800, 600), 200), "JPEG")).pixels.shape == (600, 800)


BROKEN = {
    "empty": b"", "text": b"this is not a picture", "html": b"<!doctype html><html></html>",
    "truncated png": encoded(corner(), "PNG")[:60], "truncated jpeg": encoded(corner(), "JPEG")[:200],
    "bomb over our limit": png_that_says(MAX_PIXELS // 1000 + 1, 1000),
    "bomb over pillow's warning": png_that_says(10_000, 10_000),
    "bomb over pillow's error": png_that_says(60_000, 60_000),
    "svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>", "heic": b"\0\0\0\x18ftypheic\0\0\0\0",
    "pdf": b"%PDF-1.7\n",
}  # fmt: skip


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


@pytest.mark.parametrize("name", ["missing.png", "bad\0name.png", "two\nlines.png", "."])
def test_a_file_that_cannot_be_read_names_itself(name: str) -> None:
    assert_refused(name, "^" + re.escape(printable(name)))


def _closed(path: Path, how: str) -> Image.Image:
    if how == "its file":
        with path.open("rb") as file:
            return Image.open(file)
    picture = Image.open(path)
    if how == "after loading":
        picture.load()
    picture.close()
    return picture


@pytest.mark.parametrize("how", ["before loading", "after loading", "its file"])
def test_a_closed_pillow_picture_is_not_called_damaged(how: str, tmp_path: Path) -> None:
    Image.new("L", (30, 30)).save(tmp_path / "a.png")
    assert_refused(_closed(tmp_path / "a.png", how), "closed")


def test_a_large_colour_profile_is_not_called_damage() -> None:
    assert_refused(encoded(corner(), "PNG", icc_profile=bytes(3_000_000)), "profile")


def test_damage_beside_the_picture_is_no_damage_to_it() -> None:
    cut_off = b"Exif\0\0II*\0\x08\0\0\0\x05\0"  # claims five entries and has none, as some phones write
    with pytest.warns(UserWarning, match="EXIF"):  # Pillow's warnings belong to the process
        image = DigitImage.open(encoded(corner(), "JPEG", exif=cut_off))
    assert image.pixels.shape == (60, 40)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("damaged", [b"garbage", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff", b"Exif\0\0MM\0+"])
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_damaged_exif_data_cost_no_picture(form: str, damaged: bytes) -> None:
    assert DigitImage.open(encoded(corner(), form, exif=damaged)).size == (40, 60)
    note = PngInfo()
    note.add_text("Raw profile type exif", "\nexif\n   20\nzz")
    assert DigitImage.open(encoded(corner(), "PNG", pnginfo=note)).size == (40, 60)


def test_several_threads_may_open_the_same_picture(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(encoded(corner(size=(1500, 1000)), "PNG"))
    with ThreadPoolExecutor(8) as pool:
        for _ in range(10):
            opened = pool.map(DigitImage.open, [Image.open(tmp_path / "a.png")] * 8)
            assert len({one.sha256 for one in opened}) == 1


def test_a_released_buffer_is_refused() -> None:
    view = memoryview(b"no picture")
    view.release()
    assert_refused(view, "released")


def test_a_closed_standard_input_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", None)
    assert_refused("-", "<stdin>")


class TestAsPillowHasIt:
    """Keep a file's decoded picture: converting it to an array and back takes time."""

    @pytest.mark.parametrize("mode", ["L", "RGB"])
    @pytest.mark.parametrize("form", ["PNG", "JPEG", "TIFF", "array"])
    def test_it_is_the_pixels_of_the_file(self, mode: str, form: str) -> None:
        picture = corner(mode)
        image = DigitImage.open(np.asarray(picture) if form == "array" else encoded(picture, form))
        assert (image.picture.mode, image.size) == (mode, (40, 60))
        assert np.array_equal(np.asarray(image.picture), image.pixels)
        with pytest.warns(DeprecationWarning, match="held"):
            assert np.array_equal(np.asarray(image.held), image.pixels)

    def test_what_else_the_file_says_stays_behind(self) -> None:
        named = exif({0x010E: "Ada's meter"})
        data = encoded(corner("RGB"), "JPEG", exif=named, comment=b"Ada's", icc_profile=b"Ada's")
        image = DigitImage.open(data)
        assert data.count(b"Ada") == 3
        for picture in (image.picture, image.thumbnail(20)):
            for form in ("JPEG", "PNG", "TIFF"):
                assert b"Ada" not in encoded(picture, form)

    def test_one_of_several_does_not_keep_the_file_open(self) -> None:
        pages = [corner("RGB", ink) for ink in ("black", "red", "blue")]
        image = DigitImage.open(encoded(pages[0], "TIFF", save_all=True, append_images=pages[1:]))
        assert image.frames == 3
        assert not any(isinstance(kept, io.BytesIO) for kept in vars(image.picture).values())

    def test_what_its_owner_draws_on_later_is_not_seen(self) -> None:
        picture = corner()
        image = DigitImage.open(picture)
        picture.paste(255, (0, 0, 40, 60))
        assert image.pixels[4, 4] == 0

    def test_a_thumbnail_is_another_picture(self) -> None:
        image = DigitImage.open(encoded(corner("RGB"), "PNG"))
        assert image.thumbnail(30).size == (20, 30)
        assert image.thumbnail(300).size == image.size == (40, 60)
        image.thumbnail(300).paste(0, (0, 0, 40, 60))
        assert image.pixels.max() == 255

    def test_it_goes_to_another_process(self) -> None:
        image = DigitImage.open(encoded(corner("RGB"), "JPEG"))
        again = pickle.loads(pickle.dumps(image))
        assert again == image and np.array_equal(again.pixels, image.pixels)
