"""The memory estimate from a header is never below the real use, in any format."""

import io
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from pictures import assert_refused, encoded
from PIL import Image, PngImagePlugin, TiffImagePlugin
from programs import python

import digitrec
from digitrec.errors import ImageError
from digitrec.image import DigitImage, headers
from digitrec.image.decode import count_pixels
from digitrec.image.headers import MAX_DECODING_BYTES
from digitrec.image.pixels import ENOUGH_SIDE

SIDE = 3000
SLACK = 30_000_000
"""Bytes besides the pixels: the file, its array and temporary pieces."""
PEAK = """
import os, sys
from pathlib import Path
import digitrec
from digitrec.image import DigitImage
def memory(name):
    return 1024 * int(Path("/proc/self/status").read_text().partition(name + ":")[2].split()[0])
for line in sys.stdin:
    small, large = line.split()
    if os.fork():  # a process for each pair, without importing digitrec again
        os.wait()
        continue
    DigitImage.open(small)
    data = Path(large).read_bytes()
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak
    before = memory("VmRSS")
    DigitImage.open(data)
    print(memory("VmHWM") - before, flush=True)
    os._exit(0)
"""
"""Program that prints the bytes taken for the second file of each pair on stdin, after reading the first."""


@pytest.fixture(scope="module")
def peak() -> Iterator[Callable[[Path], int]]:
    """Return a function that gives the bytes taken to read a folder's file "large"."""
    command = [sys.executable, "-c", PEAK]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None and process.stdout is not None
        pairs, answers = process.stdin, process.stdout

        def taken(folder: Path) -> int:
            print(folder / "small", folder / "large", file=pairs, flush=True)
            return int(answers.readline())

        yield taken


def picture(mode: str, side: int) -> Image.Image:
    grey = np.full((side, side), 250, np.uint8)
    grey[side // 4 : side // 2, side // 4 :: 3] = 10
    if mode == "F":
        return Image.fromarray((grey / 255).astype(np.float32))
    if mode == "I;16":
        return Image.fromarray(grey.astype(np.uint16) * 257)
    return Image.fromarray(grey).convert(mode)


def made(form: str, mode: str, side: int, **options: object) -> bytes:
    one = picture(mode, side)
    if "append_images" in options:  # as many pixels again
        options |= {"append_images": [one.rotate(90)]}
    return encoded(one, form, **options)


def promised(data: bytes) -> int:
    """Return the estimated bytes of memory for decoding, the file included."""
    with headers.opened(data, "") as opened:
        return len(data) + headers.memory(opened, data, "", ENOUGH_SIDE)


def texts() -> PngImagePlugin.PngInfo:
    """Compressed texts of a few bytes that become millions of characters of four bytes."""
    found = PngImagePlugin.PngInfo()
    for number in range(20):
        found.add_itxt(f"text {number}", "\U0001f600" + 900_000 * "7", zip=True)
    return found


MORE: dict[str, object] = {"save_all": True, "append_images": "another"}
CASES: dict[str, tuple[str, str, dict[str, object]]] = {
    "PNG RGBA": ("PNG", "RGBA", {"compress_level": 1}), "PNG 16": ("PNG", "I;16", {"compress_level": 1}),
    "GIF": ("GIF", "P", {}), "BMP": ("BMP", "RGB", {}),
    "TIFF float": ("TIFF", "F", {"compression": "tiff_adobe_deflate"}),
    "TIFF RGBA": ("TIFF", "RGBA", {"compression": "tiff_lzw"}),
    "TIFF G4": ("TIFF", "1", {"compression": "group4"}),
    "TIFF JPEG": ("TIFF", "RGB", {"compression": "jpeg"}), "TIFF raw": ("TIFF", "F", {}),
    "WEBP": ("WEBP", "RGB", {"method": 0}),
    "WEBP lossless": ("WEBP", "RGBA", {"lossless": True, "method": 0, "quality": 0}),
    "JPEG": ("JPEG", "RGB", {}), "JPEG in scans": ("JPEG", "RGB", {"progressive": True, "subsampling": 0}),
    "JPEG CMYK in scans": ("JPEG", "CMYK", {"progressive": True, "subsampling": 0}),
    "HEIF": ("HEIF", "RGB", {"quality": 30, "enc_params": {"preset": "ultrafast"}}),
    "HEIF 16": ("HEIF", "I;16", {"quality": 30, "enc_params": {"preset": "ultrafast"}}),
    "AVIF": ("AVIF", "RGB", {"speed": 10}),
    "AVIF 444": ("AVIF", "RGBA", {"speed": 10, "subsampling": "4:4:4"}),
    "PNG animated": ("PNG", "RGB", {"compress_level": 1} | MORE),
    "WEBP animated": ("WEBP", "RGB", {"method": 0} | MORE), "MPO": ("MPO", "RGB", MORE),
    "PNG with texts": ("PNG", "L", {"pnginfo": texts()}),
}  # fmt: skip


@pytest.mark.skipif(sys.platform != "linux", reason="tells memory from /proc, which only Linux has")
@pytest.mark.parametrize("name", CASES)
def test_decoding_stays_within_its_estimate(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, peak: Callable[[Path], int]
) -> None:
    form, mode, options = CASES[name]
    # All pixels in one strip need the most memory.
    monkeypatch.setattr(TiffImagePlugin, "STRIP_SIZE", 1 << 40)
    small, large = made(form, mode, 40, **options), made(form, mode, SIDE, **options)
    (tmp_path / "small").write_bytes(small)
    (tmp_path / "large").write_bytes(large)
    taken = peak(tmp_path)
    assert count_pixels(large) == SIDE * SIDE
    assert taken <= promised(large) + SLACK, (taken / 1e6, promised(large) / 1e6)


@pytest.mark.parametrize("data", [b"", b"no picture", b"\x89PNG\r\n\x1a\n", b"II*\0\x08\0\0\0\x05\0"])
def test_an_unreadable_header_is_refused(data: bytes) -> None:
    with pytest.raises(ImageError):
        count_pixels(data)


def test_a_long_side_counts() -> None:
    """A decoder holds several buffers of a row's size, and Pillow a pointer for each row."""
    sizes = (200, 200), (40_000, 1), (1, 40_000)
    square, wide, tall = (promised(encoded(Image.new("RGB", size), "PNG")) for size in sizes)
    assert min(wide, tall) > 5 * square


class TestTheBound:
    """Every function refuses the header, in every format, before decoding."""

    @pytest.mark.parametrize("name", CASES)
    def test_is_kept_in_every_format(self, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        form, mode, options = CASES[name]
        data = made(form, mode, 64, **options)
        assert DigitImage.open(data).pixels.shape[:2] == (64, 64)
        monkeypatch.setattr(headers, "MAX_DECODING_BYTES", promised(data) - 1)
        monkeypatch.setattr(Image.Image, "load", None)
        with pytest.raises(ImageError):
            digitrec.predict(data)

    @pytest.mark.skipif(sys.platform != "linux", reason="tells memory from /proc, which only Linux has")
    def test_holds_for_the_largest_that_is_read(self, tmp_path: Path) -> None:
        """Read the largest colour PNG from file to array."""
        side = int((MAX_DECODING_BYTES / 4.05) ** 0.5)
        Image.new("RGB", (side, side), "white").save(tmp_path / "large", "PNG", compress_level=1)
        (tmp_path / "small").write_bytes(made("PNG", "RGB", 40))
        program = PEAK.replace("DigitImage.open(", "digitrec.predict(")
        paths = f"{tmp_path / 'small'} {tmp_path / 'large'}"
        assert 200_000_000 < int(python("-c", program, input=paths).stdout) < 256_000_000

    def test_counts_the_file_itself(self) -> None:
        data = made("PNG", "L", 40)
        assert promised(data + bytes(1000)) == promised(data) + 1000

    def test_is_less_for_a_jpeg_in_one_scan(self) -> None:
        once, often = (made("JPEG", "RGB", 400, subsampling=0, progressive=many) for many in (False, True))
        assert promised(once) < 0.6 * promised(often)

    def test_is_kept_where_somebody_else_opened_the_picture(self, monkeypatch: pytest.MonkeyPatch) -> None:
        data = made("JPEG", "RGB", 1600)
        monkeypatch.setattr(headers, "MAX_DECODING_BYTES", 12_000_000)
        assert DigitImage.open(data).pixels.shape == (800, 800, 3)
        with Image.open(io.BytesIO(data)) as whole, pytest.raises(ImageError):
            DigitImage.open(whole)


class TestAJpegInManyPasses:
    """Each scan takes as long as all pixels, and may have a dozen bytes."""

    def in_passes(self, count: int, **options: object) -> bytes:
        data = made("JPEG", "RGB", 64, **options)
        return data[:-2] + count * data[data.rfind(b"\xff\xda") : -2] + data[-2:]

    def test_is_refused(self) -> None:
        assert DigitImage.open(self.in_passes(80, progressive=True)).pixels.shape == (64, 64, 3)
        assert_refused(self.in_passes(100, progressive=True))

    def test_is_told_where_its_layers_come_one_after_the_other(self) -> None:
        """Neither progressive nor with all layers in one scan: from ITU T.81, F.1.1 and A.2.2."""
        data = made("JPEG", "L", 64)
        scan = data.rfind(b"\xff\xda")
        frame = data.rfind(b"\xff\xc0")
        layers = data[frame : frame + 2] + b"\x00\x11" + data[frame + 4 : frame + 9] + b"\x03"
        layers += b"\x01\x11\x00\x02\x11\x00\x03\x11\x00"
        assert_refused(data[:frame] + layers + data[frame + 13 : -2] + 100 * data[scan:-2] + data[-2:])

    def test_is_not_told_by_what_only_looks_like_one(self) -> None:
        """Bytes after the picture and in its EXIF data do not count as scans."""
        data = made("JPEG", "RGB", 64, exif=b"Exif\0\0" + 200 * b"\xff\xda\x00\x03\x00")
        assert DigitImage.open(data + 200 * b"\xff\xda\x00\x03\x00").pixels.shape == (64, 64, 3)
