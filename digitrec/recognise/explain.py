"""Why our own network says what it says: each step of the preparation, and which ink spoke for the digit.

The picture of what spoke for it is made by hiding: M. D. Zeiler, R. Fergus, Visualizing and understanding
convolutional networks, ECCV 2014. It needs nothing from the network but its answers, so it works with any.
Grad-CAM stands beside it where the network lets itself be looked into (`inside.grad_cam`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from digitrec.answer.prediction import Prediction
from digitrec.engine import Engine, Reply
from digitrec.errors import DigitrecError
from digitrec.image import DigitImage, ImageSource, PreparedImage
from digitrec.image.pixels import Pixels
from digitrec.prepare import mnist, prepare
from digitrec.providers.base import Provider
from digitrec.recognise import inside as looking
from digitrec.recognise import predict
from digitrec.recognise.inside import Inside
from digitrec.recognise.readers import engine_for

PATCH = 5
"""Side of the square that is hidden, px: a little more than a stroke is wide."""
NAMES = (
    ("upper left", "top", "upper right"),
    ("left", "middle", "right"),
    ("lower left", "foot", "lower right"),
)
"""What the ninths of the image are called."""


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """An answer and what led to it."""

    prediction: Prediction
    """The answer itself."""
    picture: Pixels
    """The picture as it was read, (H, W) or (H, W, 3)."""
    steps: tuple[tuple[str, Pixels], ...]
    """Name and picture, (h, w), of each step from there to what the network was given."""
    saliency: NDArray[np.float64] | None
    """(28, 28): by how much hiding the ink around a pixel lowers the digit's log-odds, log(p / (1 - p));
    below 0 the ink spoke against it. None where the picture was refused, or it was not asked for."""
    grad_cam: NDArray[np.float32] | None = None
    """(2, 28, 28), >= 0: which places of the network's last feature maps raise the score of the likeliest
    digit and of the runner-up, in units of the score before the softmax. Where `saliency` asks what the ink
    is worth, this tells where the network found it. None where the picture was refused, and for a model that
    has no feature maps."""
    inside: tuple[Inside, ...] = ()
    """For each reading of the picture what happened in the network, that of `saliency` first; empty where it
    was not asked for, or the picture was refused."""

    @property
    def likeliest(self) -> list[int]:
        """The likeliest digit and the next, those that `grad_cam` is of; empty without probabilities."""
        chances = self.prediction.probabilities
        return [] if chances is None else looking.likeliest(chances)

    @property
    def runner_up(self) -> tuple[int, float] | None:
        """The second likeliest digit and its probability, 0..1; None where there are no probabilities."""
        chances = self.prediction.probabilities
        if chances is None:
            return None
        second = self.likeliest[1]
        return second, chances[second]

    @property
    def digit(self) -> Pixels:
        """(28, 28), ink high: what the network was given, of two readings the one cut out."""
        return self.steps[-1][1]

    @property
    def where(self) -> list[str]:
        """The ninths of the image whose ink spoke most for the digit, the strongest first, at most three."""
        if self.saliency is None:
            return []
        thirds = (slice(0, 9), slice(9, 19), slice(19, 28))
        weights = {
            NAMES[row][column]: float(self.saliency[thirds[row], thirds[column]].clip(min=0).sum())
            for row in range(3) for column in range(3)
        }  # fmt: skip
        total = sum(weights.values())
        ordered = sorted(weights, key=lambda name: -weights[name])
        return [name for name in ordered[:3] if weights[name] > 0.1 * total]


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
        inside: also look inside the network, for each reading; as much time again where there are two.
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
    saliency, cam, looks, counted = None, None, [], None
    if (chances := prediction.probabilities) is not None:
        prepared = looking.answered(prepare(image, engine.provider.wants), chances, engine)
        counted = prepared.data
        saliency = _saliency(prepared, chances, engine) if hiding else None
        cam = looking.grad_cam(engine.provider, prepared, chances)
        looks = _looks(prepared, image, saliency, chances, engine) if inside else []
    return Explanation(
        prediction, image.pixels, tuple(mnist.steps(image, counted)), saliency, cam, tuple(looks)
    )


def _looks(
    prepared: PreparedImage,
    image: DigitImage,
    saliency: NDArray[np.float64] | None,
    chances: tuple[float, ...],
    engine: Engine,
) -> list[Inside]:
    found = []
    for name, given, field in looking.readings(prepared, image.size):
        own = saliency
        if own is not None and given.data != prepared.data:
            own = _saliency(given, chances, engine)
        digit = np.frombuffer(given.data, np.uint8).reshape(28, 28)
        cam = looking.grad_cam(engine.provider, given, chances)
        found.append(
            Inside(
                name,
                digit,
                field,
                own,
                cam,
                looking.stages(engine.provider, given),
                looking.filters(engine.provider),
            )
        )
    return found


def _saliency(prepared: PreparedImage, chances: tuple[float, ...], engine: Engine) -> NDArray[np.float64]:
    """By how much the log-odds of the likeliest digit fall when each patch is hidden, `data` alone read."""
    digit = np.frombuffer(prepared.data, np.uint8).reshape(28, 28)
    at = np.arange(28)
    near = np.abs(at[:, None] - at) <= PATCH // 2  # (centre, pixel)
    hidden = np.where(near[:, None, :, None] & near[None, :, None, :], 0, digit).reshape(-1, 28, 28)
    pictures = [digit, *hidden]
    asked = [replace(prepared, data=one.astype(np.uint8).tobytes(), whole=None) for one in pictures]
    rows = np.array([_chances(reply) for reply in engine.ask(asked)])
    chance = np.clip(rows[:, int(np.argmax(chances))], 1e-6, 1 - 1e-6)
    odds = np.log(chance / (1 - chance))
    return np.asarray((odds[0] - odds[1:]).reshape(28, 28))


def _chances(reply: Reply) -> tuple[float, ...]:
    if isinstance(reply.outcome, DigitrecError):
        raise reply.outcome
    assert reply.outcome.probabilities is not None
    return reply.outcome.probabilities
