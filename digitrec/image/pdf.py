"""A page of a PDF as a picture, drawn by PDFium (the extra ``pdf``)."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from PIL import Image

from digitrec.errors import ImageError
from digitrec.image import pixels
from digitrec.version import install_hint

DPI = 200
"""Pixels an inch: a digit 5 mm high is 40 pixels high. A page too large for that is drawn coarser."""

_PDFIUM = threading.Lock()
"""PDFium may be used by one thread at a time; its import, and closing what it opened, are uses as well."""


def page(data: bytes, name: str, number: int) -> tuple[Image.Image, int]:
    """A page, in RGB on white, of at most `pixels.MAX_PIXELS`, and how many there are.

    Args:
        data: the whole PDF.
        name: what to call it in messages.
        number: which page, from 1.

    Raises:
        ImageError: PDFium is not installed, the PDF is encrypted, or it has no such page. Of a damaged one
            PDFium's own errors come through.
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
        scale = min(DPI / 72, math.sqrt(0.99 * pixels.MAX_PIXELS / (width * height)))
        if math.ceil(width * scale) * math.ceil(height * scale) > pixels.MAX_PIXELS:  # long and thin
            raise ImageError(f"{name}: a page of {width:.0f} x {height:.0f} points cannot be drawn")
        bitmap = page.render(scale=scale, rev_byteorder=True)
        try:
            return Image.fromarray(bitmap.to_numpy().copy())
        finally:
            bitmap.close()
    finally:
        page.close()
