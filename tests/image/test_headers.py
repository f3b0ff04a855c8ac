"""What decoding takes, promised by the header: never less than it takes in earnest, in any format."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from digitrec.image.headers import Header, header

SIDE = 3000
SLACK = 30_000_000
"""Bytes: the file itself, what is made of it, and the pieces on the way."""
PEAK = """
import sys
from pathlib import Path
from digitrec.image import DigitImage
def memory(name):
    return 1024 * int(Path("/proc/self/status").read_text().partition(name + ":")[2].split()[0])
DigitImage.open(sys.argv[1])
data = Path(sys.argv[2]).read_bytes()
Path("/proc/self/clear_refs").write_text("5")  # forget the peak
before = memory("VmRSS")
DigitImage.open(data)
print(memory("VmHWM") - before)
"""


def picture(mode: str, side: int) -> Image.Image:
    grey = np.full((side, side), 250, np.uint8)
    grey[side // 4 : side // 2, side // 4 :: 3] = 10
    if mode == "F":
        return Image.fromarray((grey / 255).astype(np.float32))
    if mode == "I;16":
        return Image.fromarray(grey.astype(np.uint16) * 257)
    return Image.fromarray(grey).convert(mode)


def encoded(form: str, mode: str, side: int, **options: object) -> bytes:
    data = io.BytesIO()
    if form == "HEIF":
        heif = pytest.importorskip("pillow_heif", reason="the extra heif is not installed")
        heif.from_pillow(picture(mode, side)).save(data, quality=30)
    elif form == "plain PGM":
        rows = b"\n".join(b"7 " * side for _ in range(side))
        return b"P2\n%d %d\n9\n" % (side, side) + rows
    else:
        picture(mode, side).save(data, form, **options)
    return data.getvalue()


CASES: dict[str, tuple[str, str, dict[str, object]]] = {
    "PNG RGBA": ("PNG", "RGBA", {"compress_level": 1}),
    "PNG 1": ("PNG", "1", {}),
    "PNG 16": ("PNG", "I;16", {"compress_level": 1}),
    "GIF": ("GIF", "P", {}),
    "BMP": ("BMP", "RGB", {}),
    "plain PGM": ("plain PGM", "L", {}),
    "TIFF float": ("TIFF", "F", {"compression": "tiff_adobe_deflate"}),
    "TIFF RGBA": ("TIFF", "RGBA", {"compression": "tiff_lzw"}),
    "TIFF G4": ("TIFF", "1", {"compression": "group4"}),
    "TIFF JPEG": ("TIFF", "RGB", {"compression": "jpeg"}),
    "TIFF raw": ("TIFF", "F", {}),
    "WEBP": ("WEBP", "RGB", {"method": 0}),
    "WEBP lossless": ("WEBP", "RGBA", {"lossless": True, "method": 0, "quality": 0}),
    "JPEG": ("JPEG", "RGB", {}),
    "JPEG in scans": ("JPEG", "RGB", {"progressive": True, "subsampling": 0}),
    "JPEG CMYK in scans": ("JPEG", "CMYK", {"progressive": True, "subsampling": 0}),
    "HEIF": ("HEIF", "RGB", {}),
    "HEIF 16": ("HEIF", "I;16", {}),
}


@pytest.mark.skipif(sys.platform != "linux", reason="tells memory from /proc, which only Linux has")
@pytest.mark.parametrize("name", CASES)
def test_decoding_takes_no_more_than_promised(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    form, mode, options = CASES[name]
    monkeypatch.setattr(TiffImagePlugin, "STRIP_SIZE", 1 << 40)  # all of it in one strip: the dearest
    small, large = encoded(form, mode, 40, **options), encoded(form, mode, SIDE, **options)
    (tmp_path / "small").write_bytes(small)
    (tmp_path / "large").write_bytes(large)
    command = [sys.executable, "-c", PEAK, str(tmp_path / "small"), str(tmp_path / "large")]
    taken = int(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
    promised = header(large)
    assert promised.pixels == SIDE * SIDE
    assert taken <= promised.memory + SLACK, (taken / 1e6, promised.memory / 1e6)


@pytest.mark.parametrize("data", [b"", b"no picture", b"\x89PNG\r\n\x1a\n", b"II*\0\x08\0\0\0\x05\0"])
def test_what_cannot_be_told_is_nought(data: bytes) -> None:
    assert header(data) == Header(0, 0)


def test_a_wide_pictures_rows_count() -> None:
    """A decoder of one row holds some more of the same size."""
    wide, tall = (header(encoded_flat(size)) for size in ((40_000, 1), (1, 40_000)))
    assert wide.memory > 5 * tall.memory and wide.pixels == tall.pixels


def encoded_flat(size: tuple[int, int]) -> bytes:
    data = io.BytesIO()
    Image.new("RGB", size).save(data, "PNG")
    return data.getvalue()
