"""A page of a PDF as a picture, drawn by PDFium (the extra ``pdf``) in a process of its own.

PDFium parses a page before anything in it can be counted, and a page of 10 MB, or forms nested in forms, may
take it minutes. Only the end of a process stops it. `digitrec.image.pdfium` is the program of that process.
"""

from __future__ import annotations

import json
import subprocess  # nosec B404 # no shell; this interpreter runs our own script
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from PIL import Image

from digitrec.errors import ImageError, install_hint
from digitrec.image.headers import MAX_DECODING_BYTES

DPI = 200
"""Pixels per inch of a page: a digit 5 mm high is 40 pixels high. A larger page is drawn coarser."""
MAX_PIXELS = 9_000_000
"""Pixels of a page: an A3 page at `DPI`."""
MAX_CPU_S = 3
"""Processor time to draw one page, in seconds: about 10 times the decoding of a photo of 12 megapixels."""
MAX_WALL_S = 10.0
"""Time to draw one page, in seconds: on a busy machine, or where processor time has no limit (Windows)."""
_PROGRAM = Path(__file__).with_name("pdfium.py")
_DONE, _RAISED = 0, 1
"""Exit codes of Python; all others mean that the process was ended or crashed."""


def page(data: bytes, name: str, number: int) -> tuple[Image.Image, int]:
    """Return a page, in RGB on white, of at most `MAX_PIXELS` pixels, and the number of pages.

    Args:
        data: the whole PDF.
        name: what to call it in messages.
        number: which page, from 1.

    Raises:
        ImageError: PDFium is not installed, the PDF is encrypted, it has no such page, or the page takes too
            much time or memory.
        ValueError: the PDF is damaged.
    """
    answer, pixels = _ask(data, name, number)
    return Image.frombytes("RGB", answer["size"], pixels, "raw", "RGB", answer["stride"]), answer["pages"]


def pages(data: bytes, name: str) -> int:
    """Return the number of pages; raises as `page` does."""
    return int(_ask(data, name, 0)[0]["pages"])


def _ask(data: bytes, name: str, number: int) -> tuple[dict[str, Any], memoryview]:
    """Return what PDFium's process says about the file, and the pixels of the page."""
    if find_spec("pypdfium2") is None:
        raise ImageError(f"{name}: a PDF needs pypdfium2: {install_hint('pdf')}")
    numbers = (number, DPI, MAX_PIXELS, MAX_DECODING_BYTES, MAX_CPU_S)
    command = [sys.executable, "-P", str(_PROGRAM), *map(str, numbers)]
    try:
        done = subprocess.run(  # nosec B603 # noqa: S603 (our own code, and no shell reads the command)
            command,
            input=data,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=MAX_WALL_S,
            check=False,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except subprocess.TimeoutExpired as error:
        raise _too_much(name) from error
    except OSError as error:
        raise ImageError(f"{name}: cannot start Python to draw the PDF ({error.strerror})") from error
    if done.returncode not in (_DONE, _RAISED):
        raise _too_much(name)
    end = done.stdout.find(b"\n")
    answer = json.loads(done.stdout[: end + 1])  # empty, and so a ValueError, where PDFium raised an error
    if "error" in answer:
        raise ImageError(f"{name}: {answer['error']}")
    return answer, memoryview(done.stdout)[end + 1 :]


def _too_much(name: str) -> ImageError:
    return ImageError(
        f"{name}: drawing it takes more than {MAX_CPU_S} s or too much memory; save the page as a picture"
    )
