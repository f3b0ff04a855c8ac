"""Why a network says what it says: the steps of the preparation, and which ink spoke for the digit.

Two maps show which ink: `saliency` hides it piece by piece (M. D. Zeiler, R. Fergus, Visualizing and
understanding convolutional networks, ECCV 2014) and works with any network; `grad_cam` is a class activation
map (R. R. Selvaraju and others, Grad-CAM, ICCV 2017) of a network that shows its layers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from digitrec.answer import Prediction
from digitrec.engine import Engine
from digitrec.errors import DigitrecError
from digitrec.image import DigitImage, ImageSource, PreparedImage
from digitrec.image.pixels import Pixels
from digitrec.prepare import mnist, prepare
from digitrec.prepare.components import box_of, longer_side
from digitrec.providers.base import Inspectable, Provider, Stage
from digitrec.recognise import engine_for, predict

PATCH = 5
"""Side of the square that is hidden, px: a little more than a stroke is wide."""
NINTHS = (
    "upper left", "top", "upper right", "left", "middle", "right", "lower left", "foot", "lower right",
)  # fmt: skip
"""What the ninths of the image are called."""
CUT_OUT, AS_IT_STANDS = "cut out", "as it stands"
SHOWN = 256
"""Most maps of a layer that `mosaic` shows."""
GAP = 72
"""Grey between the maps of a layer, 0..255, distinct from a map's black and its bright places."""
Field = tuple[float, float, float, float]
"""Left, top, right, bottom, as shares of the picture's width and height; may lie beyond its edges."""
WHOLE: Field = (0.0, 0.0, 1.0, 1.0)
Saliency = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Inside:
    """What the network made of one reading of a picture."""

    name: str
    """`CUT_OUT`: the digit laid as MNIST's are; `AS_IT_STANDS`: the whole picture, nothing moved."""
    digit: Pixels
    """(28, 28), ink high: the network's input."""
    field: Field
    """The part of the picture that those 28x28 pixels show."""
    saliency: Saliency | None
    """(28, 28), as `Explanation.saliency`, of this reading."""
    grad_cam: NDArray[np.float32] | None
    """(2, 28, 28), as `Explanation.grad_cam`, of this reading."""
    stages: tuple[Stage, ...]
    """Each layer's name and feature maps, (H, W, C), in the order of computation; if a file holds several
    networks, the name before the slash is the network's. Empty if the engine shows none."""


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """An answer and what led to it."""

    prediction: Prediction
    """The answer itself."""
    picture: Pixels
    """The picture as it was read, (H, W) or (H, W, 3)."""
    steps: tuple[tuple[str, Pixels], ...]
    """Name and picture, (h, w), of each step from there to what the network was given."""
    saliency: Saliency | None
    """(28, 28): by how much hiding the ink around a pixel lowers the digit's log-odds, log(p / (1 - p));
    below 0 the ink spoke against it. None if the picture was refused, or the caller did not ask for it."""
    grad_cam: NDArray[np.float32] | None = None
    """(2, 28, 28), >= 0: which places of the network's last feature maps raise the score of the likeliest
    digit and of the runner-up, in units of the score before the softmax. Where `saliency` asks what the ink
    is worth, this tells where the network found it. None if the picture was refused, and for a model that
    has no feature maps."""
    inside: tuple[Inside, ...] = ()
    """For each reading of the picture what happened in the network, that of `saliency` first; empty if the
    caller did not ask for it, or the picture was refused."""
    likeliest: Sequence[int] = ()
    """The likeliest digit and the next, those that `grad_cam` is of; empty without probabilities."""

    @property
    def runner_up(self) -> tuple[int, float] | None:
        """The second likeliest digit and its probability, 0..1; None without probabilities."""
        chances = self.prediction.probabilities
        return None if chances is None else (self.likeliest[1], chances[self.likeliest[1]])

    @property
    def digit(self) -> Pixels:
        """(28, 28), ink high: what the network was given, of two readings the one cut out."""
        return self.steps[-1][1]

    @property
    def where(self) -> list[str]:
        """The ninths of the image whose ink spoke most for the digit, the strongest first, at most three."""
        if self.saliency is None:
            return []
        thirds = np.add.reduceat(self.saliency.clip(min=0), (0, 9, 19), axis=0)
        weights = np.add.reduceat(thirds, (0, 9, 19), axis=1).ravel()
        strongest = np.argsort(-weights, kind="stable")[:3]
        return [NINTHS[at] for at in strongest if weights[at] > 0.1 * weights.sum()]


def explain(
    source: ImageSource,
    engine: str | Provider | Engine = "local",
    *,
    inside: bool = False,
    hiding: bool = True,
) -> Explanation:
    """Answer, and show what led to the answer; takes the time of some 800 predictions.

    Args:
        source: anything `DigitImage.open` reads.
        engine: a name, a provider or an engine, that reads 28x28 pixels: our own network, or any model file.
        inside: also look inside the network, for each reading; as much time again if there are two.
        hiding: hide the ink piece by piece, for `saliency`; without it the time is that of a few predictions.

    Raises:
        ImageError: the picture cannot be read.
        ProviderError: the engine gave no usable answer.
        ValueError: the engine wants another form of picture.
    """
    engine = engine_for(engine)
    if engine.provider.wants.encoding != "mnist":
        raise ValueError(f"{engine.provider.name} does not show its steps; only models on 28x28 pixels do")
    image = DigitImage.open(source)
    prediction = predict(image, engine)
    chances = prediction.probabilities
    if chances is None:
        return Explanation(prediction, image.pixels, tuple(mnist.steps(image)), None)
    prepared, of, looks = prepare(image, engine.provider.wants), np.argsort(chances)[:-3:-1].tolist(), []
    for name, data, field in _readings(prepared, image.size)[: None if inside else 1]:
        given = replace(prepared, data=data, whole=None, others=())
        saliency = _saliency(given, of[0], engine) if hiding else None
        looks.append(Inside(name, _pixels(data), field, saliency, *_layers(engine.provider, given, of)))
    first, steps = looks[0], tuple(mnist.steps(image, looks[0].digit.tobytes()))
    shown = tuple(looks) if inside else ()
    return Explanation(prediction, image.pixels, steps, first.saliency, first.grad_cam, shown, of)


def _pixels(data: bytes) -> Pixels:
    return np.frombuffer(data, np.uint8).reshape(28, 28)


def _readings(prepared: PreparedImage, size: tuple[int, int]) -> list[tuple[str, bytes, Field]]:
    """Return the network's readings of a picture: name, 28x28 pixels, and the part that they show.

    The one that counts comes first. Where detection found no single digit, only the whole picture counts.
    """
    whole = [] if prepared.whole is None else [(AS_IT_STANDS, prepared.whole, WHOLE)]
    if whole and prepared.findings.reason is not None:
        return whole
    if prepared.findings.unchanged:
        return [(AS_IT_STANDS, prepared.data, WHOLE)]
    return [(CUT_OUT, prepared.data, _field(prepared, size)), *whole]


def _field(prepared: PreparedImage, size: tuple[int, int]) -> Field:
    """Return where the 28x28 pixels lie on the picture: the digit in them on the digit's box.

    Both have the same middle and the same longer side; thickening has changed the shorter side of a 1.
    """
    box, boxes = box_of(_pixels(prepared.data) > 0), prepared.findings.boxes
    if box is None or not boxes:
        return WHOLE
    left, top, right, bottom = max(boxes, key=longer_side)
    scale = longer_side((left, top, right, bottom)) / longer_side(box)
    x = (left + right - scale * (box[0] + box[2])) / 2
    y = (top + bottom - scale * (box[1] + box[3])) / 2
    width, height = size
    return x / width, y / height, (x + 28 * scale) / width, (y + 28 * scale) / height


def _layers(
    network: Provider, given: PreparedImage, of: Sequence[int]
) -> tuple[NDArray[np.float32] | None, tuple[Stage, ...]]:
    """Return a network's class activation maps of some digits, and its feature maps."""
    if not isinstance(network, Inspectable):
        return None, ()
    return network.grad_cam(given, of), tuple(network.stages(given))


def _saliency(prepared: PreparedImage, of: int, engine: Engine) -> Saliency:
    """Return by how much the log-odds of a digit fall if each patch of `data` is hidden, (28, 28)."""
    digit = _pixels(prepared.data)
    at = np.arange(28)
    near = np.abs(at[:, None] - at) <= PATCH // 2  # (centre, pixel)
    hidden = np.where(near[:, None, :, None] & near[None, :, None, :], 0, digit).reshape(-1, 28, 28)
    pictures = [digit, *hidden]
    asked = [replace(prepared, data=one.astype(np.uint8).tobytes()) for one in pictures]
    rows = []
    for reply in engine.ask(asked):
        if isinstance(reply.outcome, DigitrecError):
            raise reply.outcome
        rows.append(reply.outcome.probabilities)
    chance = np.clip(np.array(rows, float)[:, of], 1e-6, 1 - 1e-6)
    odds = np.log(chance / (1 - chance))
    return np.asarray((odds[0] - odds[1:]).reshape(28, 28))


def by_network(stages: Iterable[Stage]) -> dict[str, list[Stage]]:
    """Group layers by their network, whose name stands before the last slash, or ""; drop that name."""
    networks: dict[str, list[Stage]] = {}
    for name, maps in stages:
        network, _, layer = name.rpartition("/")
        networks.setdefault(network, []).append((layer, maps))
    return networks


def mosaic(maps: NDArray[np.float32]) -> Pixels:
    """Tile the feature maps of a layer, (H, W, C), as one grey picture, at most `SHOWN` of them.

    Black is 0 and below, white the largest value of the layer, so that its maps can be compared.
    """
    tiles = np.moveaxis(maps[:, :, :SHOWN], 2, 0)
    count, height, width = tiles.shape
    least = int(np.ceil(np.sqrt(count)))
    columns = min(range(least, 2 * least + 1), key=lambda columns: (-count % columns, columns))
    rows = -(-count // columns)
    shares = np.clip(tiles / max(float(tiles.max()), 1e-9), 0, 1)
    cells = np.full((rows * columns, height + 1, width + 1), GAP, np.uint8)
    cells[:count, 1:, 1:] = (shares * 255).round()
    joined = cells.reshape(rows, columns, height + 1, width + 1).swapaxes(1, 2)
    sheet = joined.reshape(rows * (height + 1), columns * (width + 1))
    return np.pad(sheet, ((0, 1), (0, 1)), constant_values=GAP)
