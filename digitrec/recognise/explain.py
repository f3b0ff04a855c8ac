"""Explain an answer: the steps of the preparation, and the ink that made the network choose the digit.

Two maps show that ink. `saliency` hides the ink piece by piece (M. D. Zeiler, R. Fergus, Visualizing and
understanding convolutional networks, ECCV 2014) and works with any network. `grad_cam` is a class activation
map (R. R. Selvaraju and others, Grad-CAM, ICCV 2017) of a network whose layers are accessible.
"""

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
from digitrec.prepare.form import square
from digitrec.providers.base import Inspectable, Provider, Stage
from digitrec.recognise import engine_for, predict

PATCH = 5
"""Side of the square that is hidden, px: a little more than the width of a stroke."""
NINTHS = ("upper left", "top", "upper right", "left", "middle", "right", "lower left", "foot", "lower right")
"""Names of the ninths of the image."""
SHOWN = 256
"""Maximum number of a layer's maps that `mosaic` shows."""
GAP = 72
"""Grey level between the maps of a layer, 0..255, distinct from black and from a map's bright places."""
Field = tuple[float, float, float, float]
"""Left, top, right, bottom, as shares of the picture's width and height; may lie beyond its edges."""
WHOLE: Field = (0.0, 0.0, 1.0, 1.0)
Saliency = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """A Prediction and how the network came to it."""

    prediction: Prediction
    """The answer."""
    picture: Pixels
    """The decoded picture, (H, W) or (H, W, 3)."""
    steps: tuple[tuple[str, Pixels], ...]
    """Name and picture, (h, w), of each step from that picture to the network's input."""
    saliency: Saliency | None
    """(28, 28): how much the digit's log-odds, log(p / (1 - p)), fall when the ink around a pixel is hidden;
    negative where hiding raises them. None if the network did not run, if the engine is remote (each of
    hundreds of requests may cost money), or if the caller did not ask for it."""
    grad_cam: NDArray[np.float32] | None = None
    """(2, 28, 28), >= 0: how much each place of the network's last feature maps raises the score of the
    likeliest digit and of the runner-up, in units of the score before the softmax. `saliency` shows which ink
    mattered; this map shows where the network found it. None if the network did not run, and for models
    without feature maps."""
    field: Field | None = None
    """The part of the picture that the network's input shows; None if the network did not run."""
    stages: tuple[Stage, ...] = ()
    """Each layer's name and feature maps, (H, W, C), in the order of computation. If a file holds several
    networks, the name before the slash is the network's. Empty for engines without layers, if the network
    did not run, and if the caller did not ask for them."""
    likeliest: Sequence[int] = ()
    """The likeliest and the second likeliest digit, as in `grad_cam`; empty without probabilities."""

    @property
    def runner_up(self) -> tuple[int, float] | None:
        """The second likeliest digit and its probability, 0..1; None without probabilities."""
        chances = self.prediction.probabilities
        return None if chances is None else (self.likeliest[1], chances[self.likeliest[1]])

    @property
    def digit(self) -> Pixels:
        """(28, 28), ink high: the network's input, of two inputs the cut-out; without ink, another shape."""
        return self.steps[-1][1]

    @property
    def where(self) -> list[str]:
        """The ninths of the image whose ink contributed most to the digit, strongest first; at most three."""
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
    """Predict, and show how the network came to its answer; takes the time of about 800 predictions.

    Args:
        source: anything `DigitImage.open` reads.
        engine: a name, a provider or an engine that reads 28x28 pixels: our own network or any model file.
        inside: also return `stages`.
        hiding: compute `saliency`; without it the call takes the time of a few predictions.

    Raises:
        ImageError: the picture cannot be read.
        ProviderError: the engine gave no usable answer.
        ValueError: the engine takes another form of picture.
    """
    engine = engine_for(engine)
    if engine.wants.encoding != "mnist":
        raise ValueError(f"{engine.provider.name} does not show its steps; only models on 28x28 pixels do")
    image = DigitImage.open(source)
    prediction = predict(image, engine)
    chances = prediction.probabilities
    if chances is None:
        return Explanation(prediction, image.pixels, tuple(mnist.steps(image)), None)
    prepared, of = prepare(image, engine.wants), np.argsort(chances)[:-3:-1].tolist()
    data, field = prepared.data, _field(prepared, image.size)
    if prepared.whole is not None and prepared.findings.reason is not None:
        data, field = prepared.whole, WHOLE  # detection found no single digit, so the whole picture decided
    given = replace(prepared, data=data, whole=None)
    saliency = _saliency(given, of[0], engine) if hiding and not engine.is_remote else None
    steps, network = tuple(mnist.steps(image, data)), engine.provider
    found = Explanation(prediction, image.pixels, steps, saliency, field=field, likeliest=of)
    if not isinstance(network, Inspectable):
        return found
    stages = tuple(network.stages(given)) if inside else ()
    return replace(found, grad_cam=network.grad_cam(given, of), stages=stages)


def _field(prepared: PreparedImage, size: tuple[int, int]) -> Field:
    """Return which part of the picture the 28x28 pixels show, from the digit's place on both.

    The digit has the same middle and longer side on both; thickening has changed the shorter side of a 1.
    """
    box, boxes = box_of(square(prepared.data) > 0), prepared.findings.boxes
    if box is None or not boxes:
        return WHOLE
    left, top, right, bottom = max(boxes, key=longer_side)
    scale = longer_side((left, top, right, bottom)) / longer_side(box)
    x = (left + right - scale * (box[0] + box[2])) / 2
    y = (top + bottom - scale * (box[1] + box[3])) / 2
    width, height = size
    return x / width, y / height, (x + 28 * scale) / width, (y + 28 * scale) / height


def _saliency(prepared: PreparedImage, of: int, engine: Engine) -> Saliency:
    """Return how much the log-odds of a digit fall when each patch of `data` is hidden, (28, 28)."""
    digit = square(prepared.data)
    at = np.arange(28)
    near = np.abs(at[:, None] - at) <= PATCH // 2  # (centre, pixel)
    hidden = np.where(near[:, None, :, None] & near[None, :, None, :], 0, digit).reshape(-1, 28, 28)
    asked = [replace(prepared, data=one.astype(np.uint8).tobytes()) for one in (digit, *hidden)]
    rows = []
    for reply in engine.ask(asked):
        if isinstance(reply.outcome, DigitrecError):
            raise reply.outcome
        rows.append(reply.outcome.probabilities)
    chance = np.clip(np.array(rows, float)[:, of], 1e-6, 1 - 1e-6)
    odds = np.log(chance / (1 - chance))
    return np.asarray((odds[0] - odds[1:]).reshape(28, 28))


def by_network(stages: Iterable[Stage]) -> dict[str, list[Stage]]:
    """Group layers by network: the name before the last slash, or "". Remove it from the layers' names."""
    networks: dict[str, list[Stage]] = {}
    for name, maps in stages:
        network, _, layer = name.rpartition("/")
        networks.setdefault(network, []).append((layer, maps))
    return networks


def mosaic(maps: NDArray[np.float32]) -> Pixels:
    """Tile the feature maps of a layer, (H, W, C), as one grey picture; show at most `SHOWN` of them.

    Black is 0 and below, white is the layer's largest value, so that its maps can be compared.
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
