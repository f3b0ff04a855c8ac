"""Change a picture in ways that keep its digit, so that the answer should not change."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from digitrec.lab.handwriting.photo import jpeg
from digitrec.prepare.filters import edge_colour


def _widened(picture: Image.Image, share: float, colour: str | None = None) -> Image.Image:
    """Add a border in a colour (None: that of the picture's edges), this share of the shorter side wide."""
    return ImageOps.expand(picture, round(share * min(picture.size)), colour or edge_colour(picture))


def _turned(picture: Image.Image, degrees: float) -> Image.Image:
    return picture.rotate(degrees, Image.Resampling.BICUBIC, fillcolor=edge_colour(picture))


CHANGES: dict[str, Callable[[Image.Image], Any]] = {
    "half the size": partial(ImageOps.scale, factor=0.5),
    "three times the size": partial(ImageOps.scale, factor=3),
    "margin of 10 %": partial(_widened, share=0.1),
    "margin of 40 %": partial(_widened, share=0.4),
    "black bars": lambda picture: ImageOps.expand(picture, (round(0.2 * picture.width), 0), "black"),
    "black frame": partial(_widened, share=0.1, colour="black"),
    "darker": lambda picture: picture.point(lambda level: 0.6 * level),
    "paler": lambda picture: picture.point(lambda level: 0.5 * level + 120),
    "turned by 4 degrees": partial(_turned, degrees=4),
    "turned by -4 degrees": partial(_turned, degrees=-4),
    "JPEG of quality 60": lambda picture: jpeg(np.asarray(picture), 60),
    "inverted": ImageOps.invert,
    "grey": ImageOps.grayscale,
    "a row less": lambda picture: picture.crop((0, 0, picture.width, picture.height - 1)),
}
"""The changes by name; each takes a picture of mode L or RGB."""
