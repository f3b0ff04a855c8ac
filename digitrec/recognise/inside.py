"""A look inside our own network: the feature maps of each layer, for each reading of a picture."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from digitrec.answer import Answer
from digitrec.engine import Engine
from digitrec.image import PreparedImage
from digitrec.image.pixels import Pixels
from digitrec.providers.base import Filtering, Inspectable, Localising, Provider, Stage

CUT_OUT, AS_IT_STANDS = "cut out", "as it stands"
SHOWN = 256
"""So many maps of a layer are shown at most, the first."""
GAP = 72
"""Grey between the maps of a layer, 0..255: neither a map's black nor what stands out in it."""
Field = tuple[float, float, float, float]
"""Left, top, right, bottom, as shares of the picture's width and height; may lie beyond its edges."""


@dataclass(frozen=True, slots=True, eq=False)
class Inside:
    """What the network made of one reading of a picture."""

    name: str
    """`CUT_OUT`: the digit laid as MNIST's are; `AS_IT_STANDS`: the whole picture, nothing moved."""
    digit: Pixels
    """(28, 28), ink high: what it was given."""
    field: Field
    """The part of the picture that those 28x28 pixels show."""
    saliency: NDArray[np.float64] | None
    """(28, 28), as `Explanation.saliency`, of this reading."""
    grad_cam: NDArray[np.float32] | None
    """(2, 28, 28), as `Explanation.grad_cam`, of this reading."""
    stages: tuple[Stage, ...]
    """Each layer's name and feature maps, (H, W, C), in the order of the work; of a file of several networks
    one after the other, the name before the slash is the network's. Empty where the engine shows none."""
    filters: tuple[Stage, ...] = ()
    """Each network's name and the filters of its first layer, (h, w, C): above 0 for ink, below for none."""


def readings(prepared: PreparedImage, size: tuple[int, int]) -> list[tuple[str, PreparedImage, Field]]:
    """The readings that the network takes of a picture: name, what it is given, which part that shows.

    Args:
        prepared: for the network.
        size: the picture's width and height, px.
    """
    overruled = prepared.findings.reason is not None and size == (28, 28)
    if prepared.findings.unchanged or overruled:
        return [(AS_IT_STANDS, prepared, (0.0, 0.0, 1.0, 1.0))]
    found = [(CUT_OUT, _alone(prepared, prepared.data), _field(prepared, size))]
    if prepared.whole is not None:
        found.append((AS_IT_STANDS, _alone(prepared, prepared.whole), (0.0, 0.0, 1.0, 1.0)))
    return found


def stages(provider: Provider, image: PreparedImage) -> tuple[Stage, ...]:
    """Each layer's feature maps for what a provider is given; empty for one that has none to show."""
    return tuple(provider.stages(image)) if isinstance(provider, Inspectable) else ()


def filters(provider: Provider) -> tuple[Stage, ...]:
    """What the first layer of a provider's networks looks for; empty for one that does not show it."""
    return tuple(provider.filters()) if isinstance(provider, Filtering) else ()


def grad_cam(
    provider: Provider, image: PreparedImage, chances: Sequence[float]
) -> NDArray[np.float32] | None:
    """Grad-CAM for the likeliest digit and for the next, (2, 28, 28); None for a provider that has none.

    R. R. Selvaraju and others, Grad-CAM: Visual Explanations from Deep Networks via Gradient-based
    Localization, ICCV 2017.
    """
    return provider.grad_cam(image, likeliest(chances)) if isinstance(provider, Localising) else None


def likeliest(chances: Sequence[float]) -> list[int]:
    """The likeliest digit and the next."""
    found: list[int] = np.argsort(chances)[:-3:-1].tolist()
    return found


def by_network(stages: Iterable[Stage]) -> dict[str, list[Stage]]:
    """The layers of each network in a file, without its name: what stands before the last slash, or ""."""
    networks: dict[str, list[Stage]] = {}
    for name, maps in stages:
        network, _, layer = name.rpartition("/")
        networks.setdefault(network, []).append((layer, maps))
    return networks


def mosaic(maps: NDArray[np.float32], *, signed: bool = False) -> Pixels:
    """The feature maps of a layer, (H, W, C), side by side as one grey picture, at most `SHOWN` of them.

    Black is 0 and below, white the largest value of the layer, so that its maps can be compared. Filters are
    `signed`, and each has a scale of its own: grey is 0, white as far above it as it goes, black below.
    """
    tiles = np.moveaxis(maps[:, :, :SHOWN], 2, 0)
    count, height, width = tiles.shape
    least = int(np.ceil(np.sqrt(count)))
    columns = min(range(least, 2 * least + 1), key=lambda columns: (-count % columns, columns))
    rows = -(-count // columns)
    if signed:
        shares = (tiles / np.maximum(np.abs(tiles).max(axis=(1, 2), keepdims=True), 1e-9) + 1) / 2
    else:
        shares = np.clip(tiles / max(float(tiles.max()), 1e-9), 0, 1)
    grey = (shares * 255).round().astype(np.uint8)
    sheet = np.full((rows * (height + 1) + 1, columns * (width + 1) + 1), GAP, np.uint8)
    for place, tile in enumerate(grey):
        top, left = place // columns * (height + 1) + 1, place % columns * (width + 1) + 1
        sheet[top : top + height, left : left + width] = tile
    return sheet


def _alone(prepared: PreparedImage, data: bytes) -> PreparedImage:
    return replace(prepared, data=data, whole=None, rival=None, others=())


def answered(prepared: PreparedImage, chances: Sequence[float], engine: Engine) -> PreparedImage:
    """The picture with that reading alone from which an engine's answer came.

    The rival, where that won; the whole, where looking found no single digit.
    """
    if prepared.findings.reason is not None and prepared.whole is not None:
        return _alone(prepared, prepared.whole)
    if prepared.rival is None:
        return prepared
    rival = _alone(prepared, prepared.rival)
    (reply,) = engine.ask([rival])
    won = isinstance(reply.outcome, Answer) and reply.outcome.probabilities == tuple(chances)
    return rival if won else replace(prepared, rival=None)


def _field(prepared: PreparedImage, size: tuple[int, int]) -> Field:
    """Where the 28x28 pixels lie on the picture: the digit in them on the digit's box.

    Both have the same middle and the same longer side; thickening has changed the shorter side of a 1.
    """
    digit = np.frombuffer(prepared.data, np.uint8).reshape(28, 28)
    if not digit.any() or not prepared.findings.boxes:
        return 0.0, 0.0, 1.0, 1.0
    boxes = prepared.findings.boxes
    left, top, right, bottom = max(boxes, key=lambda box: max(box[2] - box[0], box[3] - box[1]))
    rows, columns = np.flatnonzero(digit.any(axis=1)), np.flatnonzero(digit.any(axis=0))
    first, last = (columns[0], rows[0]), (columns[-1] + 1, rows[-1] + 1)
    scale = max(right - left, bottom - top) / max(last[0] - first[0], last[1] - first[1])
    x = (left + right - scale * (first[0] + last[0])) / 2
    y = (top + bottom - scale * (first[1] + last[1])) / 2
    width, height = size
    return x / width, y / height, (x + 28 * scale) / width, (y + 28 * scale) / height
