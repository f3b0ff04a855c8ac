"""Draw real objects: pictures of Open Clip Art, cut out of their background.

They are in the public domain, and not part of digitrec: they are read from the folder openclipart/ in
DIGITREC_DATA, an unpacked copy of Debian's package openclipart-png 1:0.18+dfsg-19.
"""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageFilter

from digitrec.errors import DataError
from digitrec.lab.datasets.download import Part, existing
from digitrec.lab.handwriting.photo import Floats
from digitrec.lab.handwriting.strokes import log_uniform, one_of

KINDS = (
    "animals", "computer/hardware", "containers", "decorations", "education", "electronics", "food",
    "office", "people/bodypart", "people/clothing", "plants", "recreation/music", "recreation/sports",
    "recreation/toys", "tools", "transportation/boating", "transportation/vehicles",
)  # fmt: skip
"""Folders of objects; the others have signs, letters, digits and scenes."""
SIDE = 400
"""Maximum side at which pictures are kept."""
LONG = 2.2
"""Minimum ratio of the sides of a long object."""
HELD_BACK = 8
"""Every so many pictures is never used for training."""


def objects(part: Part) -> list[Image.Image]:
    """Return the pictures of a part as RGBA, cropped to the object.

    Raises:
        DataError: the folder is missing or empty.
    """
    folder = existing("openclipart")
    files = sorted(file for kind in KINDS for file in folder.rglob(f"png/{kind}/**/*.png")) if folder else []
    chosen = [file for at, file in enumerate(files) if (at % HELD_BACK == 0) is (part == "held back")]
    if not chosen:
        raise DataError(
            "there is no folder openclipart in DIGITREC_DATA; unpack Debian's package openclipart-png there "
            "with `dpkg-deb -x FILE openclipart`"
        )
    pictures = []
    for file in chosen:
        found = Image.open(file)
        if max(found.size) < 10 * SIDE:  # a few are large: they would take minutes
            picture = found.convert("RGBA")
            picture.thumbnail((SIDE, SIDE))
            picture = picture.crop(picture.getchannel("A").point(lambda v: 255 * (v > 40)).getbbox())
            if min(picture.size) >= 12 and np.asarray(picture.getchannel("A")).mean() < 0.97 * 255:
                pictures.append(picture)
    return pictures


def an_object(
    pictures: Sequence[Image.Image], rng: np.random.Generator, height: int, width: int, size: float
) -> tuple[Floats, Floats]:
    """Draw one of some objects: its colours (height, width, 3), 0..1, and its cover (height, width).

    ``size`` is a digit's length. The object may lie partly outside. Many are long, or squeezed into a stick,
    as pens and tools are.
    """
    is_long = rng.random() < 0.45
    long = [one for one in pictures if max(one.size) > LONG * min(one.size)]
    picture = one_of(rng, long if is_long else pictures)
    sides = np.array(picture.size, float)
    if not is_long and rng.random() < 0.5:
        sides[sides.argmin()] = sides.max() * rng.uniform(0.06, 0.5)
    sides = np.maximum(np.rint(sides * size * log_uniform(rng, 0.9, 7) / sides.max()), 3)
    picture = picture.resize((int(sides[0]), int(sides[1])), Image.Resampling.BILINEAR)
    picture = picture.rotate(rng.uniform(0, 360), Image.Resampling.BILINEAR, expand=True)
    if rng.random() < 0.4:
        picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 0.015 * size + 0.6)))
    page = Image.new("RGBA", (width, height))
    corner = rng.uniform(-0.05, 1.05, 2) * page.size - np.array(picture.size) / 2
    page.paste(picture, (int(corner[0]), int(corner[1])))
    layer = np.asarray(page, np.float32) / np.float32(255)
    colours = layer[..., rng.permutation(3)] if rng.random() < 0.3 else layer[..., :3]
    if rng.random() < 0.3:
        colours = np.repeat(colours.mean(axis=2, keepdims=True), 3, axis=2)
    colours = (colours - 0.5) * rng.uniform(0.6, 1.2) + 0.5 + rng.normal(0, 0.12)
    return np.asarray(np.clip(colours, 0, 1), np.float32), layer[..., 3]
