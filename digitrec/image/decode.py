"""Decode pictures from untrusted bytes; no other module decodes pictures.

Every result is upright, opaque and has eight bits a channel: uint8, shape (height, width) for grey or
(height, width, 3) for RGB. Each PDF page is drawn in a process of its own, `digitrec.image.pdfium`. PDFium
(the extra ``pdf``) parses a page before digitrec can count its parts; a page of 10 MB, or forms nested in
forms, may take minutes, and only the end of the process stops PDFium.
"""

import hashlib
import json
import os
import struct
import subprocess  # nosec B404 # no shell; this interpreter runs our own script
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from PIL import ExifTags, Image
from PIL.Image import Transpose

from digitrec.errors import ImageError, install_hint
from digitrec.image import files, headers
from digitrec.image.files import Frame, name_of
from digitrec.image.pixels import TOO_LARGE, Decoded, Size, check_size, digest, factor, fitted, opaque, shrunk

_TURNS: dict[Any, Transpose] = {
    2: Transpose.FLIP_LEFT_RIGHT, 3: Transpose.ROTATE_180, 4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE, 6: Transpose.ROTATE_270, 7: Transpose.TRANSVERSE, 8: Transpose.ROTATE_90,
}  # fmt: skip
"""The transposition that makes a picture upright, by the tag's value; values from 5 on swap the sides."""
PDF_DPI = 200
"""Pixels per inch of a PDF's page: a digit 5 mm high is 40 pixels high. A larger page is drawn coarser."""
PDF_MAX_PIXELS = 9_000_000
"""Maximum number of pixels of a drawn page: an A3 page at `PDF_DPI`."""
PDF_MAX_CPU_S = 3
"""Maximum processor time to draw a page, in seconds: about 10 times the decoding of a 12-megapixel photo."""
PDF_MAX_WALL_S = 10.0
"""Maximum time to draw a page, in seconds, for busy machines and for Windows, which cannot limit CPU time."""
_PDF_PROGRAM = Path(__file__).with_name("pdfium.py")
_LOADING: dict[int, Lock] = {}
"""For each process, a lock held while one of the caller's pictures is loaded: Pillow cannot load a picture in
two threads at once. A forked process does not inherit a held lock."""


def decode(source: files.Encoded, enough: int) -> Decoded:
    """Decode a picture from a file, "-" (standard input), a stream, encoded bytes or a frame of a file.

    Args:
        source: the picture.
        enough: as for `digitrec.image.pixels.factor`.

    Raises:
        ImageError: the picture is missing, empty, truncated, of an unknown format, not a picture, too large,
            or takes more than `digitrec.image.headers.MAX_DECODING_BYTES` to decode.
    """
    data, name = files.read(source)
    number = source.number if isinstance(source, Frame) else None
    with _blaming(name):
        opened, size, count = _open(data, name, number, enough)
        picture, size = _upright(opened, size, name, enough)
        if picture is opened:  # the opened picture would keep its file and its decoder's buffers in memory
            picture = opened.copy()
        picture.info = {}  # metadata, such as the author and the place, must not go further
    sha256 = hashlib.sha256(data)
    if number is not None:
        sha256.update(f"[{number}]".encode())  # this picture is not the file's first
        count = 1
    return Decoded(picture, size, name, sha256.hexdigest(), count)


def frames(source: files.Encoded) -> list[Frame]:
    """Return all pictures of an animation or of a file with several pages, as sources for other functions.

    They are not decoded yet, and each source opens the file again. A picture's name is the file's name with a
    number from 1, such as "scan.tif[2]".

    Raises:
        ImageError: the file cannot be opened, or holds more pictures than
            `digitrec.image.headers.MAX_FRAMES`.
    """
    if isinstance(source, Frame) and source.number is not None:
        return [source]
    data, name = files.read(source)
    with _blaming(name):
        if headers.kind(data) == "PDF":
            count = int(_ask_pdfium(data, name, 0)[0]["pages"])
        else:
            with headers.opened(data, name) as picture:
                count = headers.count(picture, data)
    if count > headers.MAX_FRAMES:
        raise ImageError(f"{name}: holds more than {headers.MAX_FRAMES} pictures; split it first")
    again = source if isinstance(source, str | os.PathLike) and not files.read_once(source) else data
    return [Frame(again, number, f"{name}[{number}]") for number in range(1, count + 1)]


def count_pixels(data: bytes) -> int:
    """Return the number of pixels of an encoded picture, without decoding it.

    Raises:
        ImageError: the header cannot be read, as for `decode`.
    """
    data, name = files.read(data)
    with _blaming(name), headers.opened(data, name) as picture:
        return picture.width * picture.height


def from_pillow(picture: Image.Image, enough: int) -> Decoded:
    """Decode a Pillow picture, which may not be loaded yet; ``enough`` is as for `decode`.

    Raises:
        ImageError: the picture is closed, damaged or too large.
    """
    name = name_of(picture)
    check_size(picture.size, name)
    with _blaming(name):
        with _LOADING.setdefault(os.getpid(), Lock()):
            if getattr(picture, "tile", None):  # the picture is not loaded yet
                headers.check(picture, None, name, enough)
                picture.load()
        upright, size = _upright(picture, picture.size, name, enough)
        pixels = np.asarray(upright)  # a copy: the caller may change the original
    return Decoded(pixels, size, name, digest(pixels))


@contextmanager
def _blaming(name: str) -> Iterator[None]:
    """Turn any exception of a decoder into an ImageError.

    On damaged files Pillow's decoders raise OSError, SyntaxError, ValueError, struct.error, zlib.error,
    IndexError and more, all undocumented, so any Exception means a bad picture. For damage in EXIF data they
    only warn. These warnings are not caught, because that would change the warning filters of the process's
    other threads.
    """
    try:
        yield
    except ImageError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageError(f"{name}: {TOO_LARGE}") from error
    except Exception as error:
        if "MAX_TEXT_CHUNK" in str(error):  # Pillow's limit for the texts in a PNG
            raise ImageError(
                f"{name}: its colour profile or its text is larger than 1 MB; save it without metadata"
            ) from error
        raise ImageError(f"{name}: damaged, cut off or closed; save or export it again") from error


def _open(data: bytes, name: str, number: int | None, enough: int) -> tuple[Image.Image, Size, int]:
    """Open and check a picture without decoding it; also return its size and the number of pictures."""
    if headers.kind(data) == "PDF":
        answer, bitmap = _ask_pdfium(data, name, number or 1)
        page = Image.frombytes("RGB", answer["size"], bitmap, "raw", "RGB", answer["stride"])
        return page, page.size, answer["pages"]
    picture = headers.opened(data, name)
    check_size(picture.size, name)
    count = headers.count(picture, data)
    if number is not None:
        if number > count:
            raise ImageError(f"{name}: no such picture; the file has {count}")
        pixels = number * picture.width * picture.height
        if picture.format in headers.CHAINED and pixels > headers.MAX_SCANNED:
            raise ImageError(f"{name}: has too many large pictures before it; split the animation first")
        picture.seek(number - 1)
        check_size(picture.size, name)
    if headers.memory(picture, data, name, enough) > headers.MAX_DECODING_BYTES:
        enough = min(picture.size) // 2  # a JPEG may be decoded at half its size
    headers.check(picture, data, name, enough)
    size, shrink = picture.size, min(picture.size) / enough
    if picture.format in ("JPEG", "MPO") and shrink >= 2:  # libjpeg decodes a huge picture at a smaller size
        picture.draft(None, (int(picture.width / shrink), int(picture.height / shrink)))
    return picture, size, count


def _ask_pdfium(data: bytes, name: str, number: int) -> tuple[dict[str, Any], memoryview]:
    """Return a PDF's number of pages and one page's size, and that page's pixels in RGB on white.

    Args:
        data: the whole PDF.
        name: its name in messages.
        number: the page, counted from 1; 0: draw no page.

    Raises:
        ImageError: PDFium is not installed, the PDF is encrypted, the page does not exist, or the page takes
            too much time or memory.
        ValueError: the PDF is damaged.
    """
    if find_spec("pypdfium2") is None:
        raise ImageError(f"{name}: a PDF needs pypdfium2: {install_hint('pdf')}")
    numbers = (number, PDF_DPI, PDF_MAX_PIXELS, headers.MAX_DECODING_BYTES, PDF_MAX_CPU_S)
    command = [sys.executable, "-P", str(_PDF_PROGRAM), *map(str, numbers)]
    too_much = f"takes more than {PDF_MAX_CPU_S} s or too much memory; save the page as a picture"
    try:
        done = subprocess.run(  # nosec B603 # noqa: S603 (our own code, and no shell reads the command)
            command, input=data, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=PDF_MAX_WALL_S,
            check=False, creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise ImageError(f"{name}: drawing it {too_much}") from error
    except OSError as error:
        raise ImageError(f"{name}: cannot start Python to draw the PDF ({error.strerror})") from error
    if done.returncode not in (0, 1):  # Python's own exit codes; with another it was killed or crashed
        raise ImageError(f"{name}: drawing it {too_much}")
    end = done.stdout.find(b"\n")
    answer = json.loads(done.stdout[: end + 1])  # empty, and so a ValueError, if PDFium raised an error
    if "error" in answer:
        raise ImageError(f"{name}: {answer['error']}")
    return answer, memoryview(done.stdout)[end + 1 :]


def _upright(picture: Image.Image, size: Size, name: str, enough: int) -> tuple[Image.Image, Size]:
    """Decode a picture, shrink it if it is far larger than needed, then turn it and its size as EXIF says."""
    picture.load()
    small = shrunk(picture, factor(picture.size, enough), name)
    small = fitted(small, enough)
    if small.mode == "RGBA":
        small = opaque(small)
    orientation: Any = None
    try:
        if exif := picture.info.get("exif"):
            headers.tiff_pages(exif.removeprefix(b"Exif\0\0"), name)
        orientation = picture.getexif().get(ExifTags.Base.Orientation)  # by EXIF or XMP
    except ImageError:
        raise
    except (struct.error, SyntaxError, ValueError, TypeError):
        pass  # damaged EXIF data, or a text of that name, cost no picture
    if orientation not in _TURNS:
        return small, size
    return small.transpose(_TURNS[orientation]), size[::-1] if orientation >= 5 else size
