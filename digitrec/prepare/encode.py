"""Encode a picture as a vendor wants it: upright, dark on light, within size limits, without metadata.

Every picture is encoded anew from its pixels, so the file's metadata (place, time, device, thumbnail) is
never sent. There are three preparations, because general OCR often misses a single character;
docs/preparations.md says which preparation suits which engine:

- ``plain``: the whole picture;
- ``enlarged``: the ink alone, white-balanced and enlarged, with a wide white margin;
- ``repeated``: the same ink three times in a row; `digitrec.recognise.normalise` reduces "777" to 7.
"""

from dataclasses import replace

import numpy as np
from PIL import Image, ImageOps

from digitrec.errors import ImageError
from digitrec.image import Box, DigitImage, InputSpec, PreparedImage
from digitrec.image.pixels import Size, saved
from digitrec.prepare import PREPARATIONS
from digitrec.prepare.closeup import close_up
from digitrec.prepare.filters import edge_colour
from digitrec.prepare.form import as_bytes
from digitrec.prepare.found import Ink, told
from digitrec.prepare.ink import find_ink
from digitrec.prepare.projection import unhidden

GAP = 0.2
"""Width of the gap between two copies, as a share of their height: narrow enough for one word."""
LOSSLESS_PIXELS = 500_000
"""A picture with more pixels is a photograph, whose JPEG is about ten times smaller than its PNG."""
JPEG_QUALITY = 92


def spec_for(wants: InputSpec, preparation: str) -> InputSpec:
    """Return the input for a provider when the caller chooses a preparation.

    Raises:
        ValueError: no preparation has that name, or the provider takes no encoded picture.
    """
    if preparation not in PREPARATIONS:
        raise ValueError(f"unknown preparation {preparation!r}; there are: {', '.join(PREPARATIONS)}")
    if wants.encoding == "mnist":
        raise ValueError("this engine has its own preparation; --prepare does not apply to it")
    # A provider may want the digit alone without naming that preparation.
    if preparation == wants.preparation and (preparation != "plain" or not wants.crop):
        return wants
    return replace(wants, preparation=preparation, **PREPARATIONS[preparation])


def prepare(image: DigitImage, spec: InputSpec) -> PreparedImage:
    """Encode the picture in the form that ``spec`` names, PNG or JPEG without metadata.

    Raises:
        ImageError: the picture cannot be reduced to the vendor's limits.
    """
    whole = unhidden(image.picture) if spec.crop else image.picture
    ink = find_ink(whole)
    if spec.crop:
        picture = _digit(whole, ink, spec.min_side)
    else:
        picture = ImageOps.invert(whole) if ink.polarity == "light on dark" else whole
    picture, within = _framed(_in_a_row(picture, spec.repeat), spec)
    data, media_type, size = _encoded(picture, spec, image.source)
    place = None if spec.crop else image.place.part(_around(within, picture.size, whole.size), size)
    findings = told(ink.findings, image.place)
    if not spec.crop:  # the engine gets the whole picture
        findings = replace(findings, left_out=(), trust=1.0)
    return PreparedImage(data, media_type, spec, image.ref, findings, size=size, place=place)


def _digit(picture: Image.Image, ink: Ink, side: int) -> Image.Image:
    """Return the ink alone on white, its longer side ``side`` pixels; if it is blank, the whole picture."""
    boxes = np.array(ink.boxes or [ink.within])
    around = max(1, int((boxes[:, 2:] - boxes[:, :2]).max()) // 20)  # boxes end where ink is still fading
    left, top = np.maximum(boxes[:, :2].min(axis=0) - around, ink.within[:2])
    right, bottom = np.minimum(boxes[:, 2:].max(axis=0) + around, ink.within[2:])
    zoom = side / max(right - left, bottom - top)
    size = max(1, round((right - left) * zoom)), max(1, round((bottom - top) * zoom))
    contrast = close_up(picture, ink, (int(left), int(top), int(right), int(bottom)), size)
    return Image.fromarray(as_bytes(1 - contrast))


def _in_a_row(picture: Image.Image, copies: int) -> Image.Image:
    if copies == 1:
        return picture
    step = picture.width + round(GAP * picture.height)
    row = Image.new(picture.mode, (step * (copies - 1) + picture.width, picture.height), "white")
    for copy in range(copies):
        row.paste(picture, (copy * step, 0))
    return row


def _framed(picture: Image.Image, spec: InputSpec) -> tuple[Image.Image, Box]:
    """Scale the picture into the limits, and add the margin: white for a digit, else the edge's colour.

    Also return the picture's box on the larger canvas.
    """
    zoom = max(1.0, spec.min_side / min(picture.size)) if not spec.crop else 1.0
    zoom = min(zoom, spec.max_side / (max(picture.size) * (1 + 2 * spec.margin)))
    if zoom != 1:
        picture = picture.resize(_scaled(picture, zoom), Image.Resampling.BICUBIC)
    margin = int(spec.margin * (spec.min_side if spec.crop else max(picture.size)))
    width = max(picture.width + 2 * margin, min(spec.min_side, spec.max_side))
    height = max(picture.height + 2 * margin, min(spec.min_side, spec.max_side))
    canvas = Image.new(picture.mode, (width, height), "white" if spec.crop else edge_colour(picture))
    left, top = (width - picture.width) // 2, (height - picture.height) // 2
    canvas.paste(picture, (left, top))
    return canvas, (left, top, left + picture.width, top + picture.height)


def _around(within: Box, canvas: Size, picture: Size) -> Box:
    """Return the canvas's box in pixels of the picture, which is placed ``within`` the canvas."""
    left, top, right, bottom = within
    across, down = picture[0] / (right - left), picture[1] / (bottom - top)
    return -left * across, -top * down, (canvas[0] - left) * across, (canvas[1] - top) * down


def _scaled(picture: Image.Image, zoom: float) -> tuple[int, int]:
    return max(1, int(picture.width * zoom)), max(1, int(picture.height * zoom))


def _encoded(picture: Image.Image, spec: InputSpec, source: str) -> tuple[bytes, str, Size]:
    """Return the encoded picture, its media type and its size.

    The format is PNG if the vendor wants it and the file is small enough, else JPEG; the picture is reduced
    until the file is within the limit.
    """
    if spec.encoding == "png" and picture.width * picture.height <= LOSSLESS_PIXELS:
        data = saved(picture, "PNG")
        if len(data) <= spec.max_bytes:
            return data, "image/png", picture.size
    while len(data := saved(picture, "JPEG", quality=JPEG_QUALITY)) > spec.max_bytes:
        if min(picture.size) * 0.7 < spec.min_side:
            raise ImageError(f"{source}: cannot be sent in {spec.max_bytes} bytes or less; crop it")
        picture = picture.resize(_scaled(picture, 0.7), Image.Resampling.BICUBIC)
    return data, "image/jpeg", picture.size
