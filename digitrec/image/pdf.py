"""A page of a PDF as a picture, drawn by PDFium (the extra ``pdf``)."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from PIL import Image

from digitrec.errors import ImageError
from digitrec.image.headers import MAX_DECODING_BYTES, too_dear
from digitrec.version import install_hint

DPI = 200
"""Pixels an inch: a digit 5 mm high is 40 pixels high. A page too large for that is drawn coarser."""

MOST_DRAWN = 9_000_000
"""Pixels of a page that is drawn: an A3 page at `DPI`."""
_DRAWN = 10
"""Bytes that each of them takes: PDFium's, a copy, Pillow's."""
_BESIDES = 0.5
"""Bytes of a pixel that PDFium takes for a picture on the page, beside the pixel itself."""
_JPX = 16
"""The same for JPEG 2000: OpenJPEG holds four bytes for each of up to four layers."""
MOST_OBJECTS = 20_000
"""Lines, words and pictures of a page that is drawn; those of a form count each time it is used."""
_ANNOTATION = 10
"""Objects that an annotation counts as."""
_DEEP = 15
"""How far pictures are looked for in forms within forms."""

_PDFIUM = threading.Lock()
"""PDFium may be used by one thread at a time; its import, and closing what it opened, are uses as well."""


def page(data: bytes, name: str, number: int) -> tuple[Image.Image, int]:
    """A page, in RGB on white, of at most `MOST_DRAWN` pixels, and how many there are.

    Args:
        data: the whole PDF.
        name: what to call it in messages.
        number: which page, from 1.

    Raises:
        ImageError: PDFium is not installed, the PDF is encrypted, it has no such page, or the pictures on it
            take too much memory. Of a damaged one PDFium's own errors come through.
    """
    with _opened(data, name) as document:
        if number > len(document):
            raise ImageError(f"{name}: there is no such page; the PDF has {len(document)}")
        return _drawn(document, name, number), len(document)


def pages(data: bytes, name: str) -> int:
    """How many there are; raises as `page` does."""
    with _opened(data, name) as document:
        return len(document)


@contextmanager
def _opened(data: bytes, name: str) -> Iterator[Any]:
    """The document, ours alone until it is closed."""
    with _PDFIUM:
        try:
            import pypdfium2
        except ImportError as error:
            raise ImageError(f"{name}: a PDF needs pypdfium2: {install_hint('pdf')}") from error
        try:
            document = pypdfium2.PdfDocument(data)
        except pypdfium2.PdfiumError as error:
            if pypdfium2.raw.FPDF_GetLastError() == pypdfium2.raw.FPDF_ERR_PASSWORD:
                raise ImageError(f"{name}: encrypted; save it without a password") from error
            raise
        try:
            yield document
        finally:
            document.close()


def _drawn(document: Any, name: str, number: int) -> Image.Image:
    page = document[number - 1]
    try:
        width, height = page.get_size()  # in points, 72 to an inch
        if not (0 < width * height < math.inf):
            raise ImageError(f"{name}: a page without a size cannot be drawn")
        scale = min(DPI / 72, math.sqrt(0.99 * MOST_DRAWN / (width * height)))
        if math.ceil(width * scale) * math.ceil(height * scale) > MOST_DRAWN:  # long and thin
            raise ImageError(f"{name}: a page of {width:.0f} x {height:.0f} points cannot be drawn")
        _check_objects(page, name)
        bitmap = page.render(scale=scale, rev_byteorder=True)
        try:
            return Image.fromarray(bitmap.to_numpy().copy())
        finally:
            bitmap.close()
    finally:
        page.close()


def _check_objects(page: Any, name: str) -> None:
    """Refuse a page with too many objects, or whose pictures take too much memory beside the page itself."""
    from pypdfium2.raw import FPDF_PAGEOBJ_IMAGE, FPDFPage_GetAnnotCount

    taken, dots = float(_DRAWN * MOST_DRAWN), 0
    left = MOST_OBJECTS - FPDFPage_GetAnnotCount(page) * _ANNOTATION
    for found in page.get_objects(max_depth=_DEEP):
        left -= 1
        if left < 0:
            break
        if found.type == FPDF_PAGEOBJ_IMAGE:
            width, height = found.get_px_size()
            dots += width * height
            taken += _each(found) * width * height
            if taken > MAX_DECODING_BYTES:
                raise ImageError(f"{name}: {too_dear(dots)}")
    if left < 0:
        raise ImageError(f"{name}: a page of more than {MOST_OBJECTS:,} objects; save it as a picture")


def _each(picture: Any) -> float:
    """Bytes that PDFium takes for a pixel of a picture on the page."""
    if "JPXDecode" in picture.get_filters():  # PDFium unpacks it to tell how many bits it has
        return _JPX
    return float(picture.get_metadata().bits_per_pixel) / 8 + _BESIDES
