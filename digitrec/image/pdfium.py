"""Count or draw the pages of a PDF with PDFium, in a process started by `digitrec.image.decode`.

    python -P pdfium.py PAGE DPI MAX_PIXELS MAX_BYTES MAX_CPU_S <scan.pdf >answer

PAGE counts from 1; 0 draws no page. The answer is a line of JSON, followed by the pixels of the page (RGB,
row by row). This file imports nothing from digitrec: importing NumPy and Pillow takes longer than a page.
"""

import json
import math
import sys
from contextlib import suppress
from typing import Any

MEMORY_FACTOR = 2
"""Multiple of MAX_BYTES at which the system ends the process. When PDFium gets no memory for a picture on the
page, it leaves the picture out without an error, so `check_pictures` has to refuse such a page first."""
IMAGE_BYTES = 0.5
"""Bytes that PDFium takes for each pixel of a picture on the page, besides the pixel itself."""
JPX_BYTES = 16
"""`IMAGE_BYTES` for JPEG 2000: OpenJPEG holds four bytes for each of up to four channels."""
PAGE_BYTES = 10
"""Bytes for each pixel of the page: PDFium's bitmap, the bytes in the pipe, Pillow's picture."""
MAX_DEPTH = 15
"""Maximum depth of nested forms that are searched for pictures."""


class RefusedError(Exception):
    """The PDF cannot be drawn; the message says why."""


def main(number: int, dpi: int, max_pixels: int, max_bytes: int, max_cpu_s: int) -> None:
    """Write the answer to standard output."""
    limit(max_cpu_s, MEMORY_FACTOR * max_bytes)
    pixels: Any = b""
    try:
        answer, pixels = read(sys.stdin.buffer.read(), number, dpi, max_pixels, max_bytes)
    except RefusedError as error:
        answer = {"error": str(error)}
    except MemoryError:
        answer = {"error": "takes too much memory; save the page as a picture"}
    sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n")
    sys.stdout.buffer.write(pixels)


def limit(cpu_s: int, memory_bytes: int) -> None:
    """Ask the system to end this process at these limits; Windows has neither, macOS only the first."""
    if sys.platform == "win32":
        return
    import resource

    limits = {resource.RLIMIT_CPU: cpu_s, resource.RLIMIT_AS: memory_bytes, resource.RLIMIT_CORE: 0}
    for kind, most in limits.items():
        # A lower limit is already set, or the system does not support this limit.
        with suppress(ValueError, OSError):
            resource.setrlimit(kind, (most, most))


def read(data: bytes, number: int, dpi: int, max_pixels: int, max_bytes: int) -> tuple[dict[str, Any], Any]:
    """Return the number of pages and the size of one page, and that page's pixels.

    Raises:
        RefusedError: the PDF is encrypted or has no such page, or the page cannot be drawn.
    """
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError:
        if pypdfium2.raw.FPDF_GetLastError() == pypdfium2.raw.FPDF_ERR_PASSWORD:
            raise RefusedError("encrypted; save it without a password") from None
        raise
    if number > len(document):
        raise RefusedError(f"there is no such page; the PDF has {len(document)}")
    answer = {"pages": len(document)}
    if number == 0:
        return answer, b""
    document.init_forms()  # else the entries of a filled-in form are not drawn
    page = document[number - 1]
    width, height = page.get_size()  # in points, 72 to an inch
    if not 0 < width * height < math.inf:
        raise RefusedError("a page without a size cannot be drawn")
    scale = min(dpi / 72, math.sqrt(0.99 * max_pixels / (width * height)))
    if math.ceil(width * scale) * math.ceil(height * scale) > max_pixels:  # possible for a long and thin page
        raise RefusedError(f"a page of {width:.0f} x {height:.0f} points cannot be drawn")
    check_pictures(page, max_bytes - PAGE_BYTES * max_pixels)
    bitmap = page.render(scale=scale, rev_byteorder=True)
    return answer | {"size": (bitmap.width, bitmap.height), "stride": bitmap.stride}, bitmap.buffer


def check_pictures(page: Any, max_bytes: int) -> None:
    """Refuse a page with pictures for which PDFium needs too much memory.

    Raises:
        RefusedError: the page has such pictures.
    """
    from pypdfium2.raw import FPDF_PAGEOBJ_IMAGE

    taken = pixels = 0
    for picture in page.get_objects([FPDF_PAGEOBJ_IMAGE], max_depth=MAX_DEPTH):
        width, height = picture.get_px_size()
        jpx = "JPXDecode" in picture.get_filters()  # asking for the bits of a JPEG 2000 would decode it
        each = JPX_BYTES if jpx else picture.get_metadata().bits_per_pixel / 8 + IMAGE_BYTES
        pixels += width * height
        taken += each * width * height
        if taken > max_bytes:
            raise RefusedError(
                f"pictures of {pixels / 1_000_000:.0f} million pixels on a page take too much memory; "
                "scale them down first, or save the page as a JPEG"
            )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
