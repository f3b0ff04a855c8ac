"""digitrec's own network: runs on this machine, free, in less than a millisecond per digit."""

import logging
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from digitrec.answer import UNCLEAR, Answer, Candidate
from digitrec.errors import NotConfigured, ProviderError
from digitrec.image import InputSpec, PreparedImage
from digitrec.models import store
from digitrec.models.network import SCALES, Floats, Stage, pooled
from digitrec.providers.base import FREE, BaseProvider, Price, Provider, Status, looked

log = logging.getLogger(__name__)

PLAINLY = 1.3
"""Required evidence if detection found no single digit, as a multiple of the model's threshold. It is higher
because two digits squeezed into 28x28 must not pass."""


class Local(BaseProvider):
    """Reads a digit with a network from a file, by default the network that the package contains."""

    wants = InputSpec(encoding="mnist", preparation="mnist", gated=True, overrules=True)
    price: Price | None = FREE
    batch = 256
    variables: ClassVar[Mapping[str, Sequence[str]]] = {
        "model": ("DIGITREC_MODEL",), "scale": ("DIGITREC_MODEL_SCALE",),
    }  # fmt: skip

    def __init__(
        self, *, model: str | Path | None = None, scale: str | None = None, name: str = "local"
    ) -> None:
        """Load the network.

        Args:
            model: a ``.tflite`` file, ``.keras``/``.h5`` with the extra ``train``, or ``.skops`` with
                ``stats``; None: our own network.
            scale: one of `SCALES`, for a file that does not say how its pixels are scaled.
            name: the engine's name in a Prediction.

        Raises:
            ModelError: the file is missing, damaged or of the wrong shape.
            NotInstalled: the file is Keras' or scikit-learn's own and needs that extra.
        """
        self.name, self._file = name, model
        self._model = store.load(None if model is None else Path(model), scale=scale)

    @classmethod
    def from_env(cls, env: Mapping[str, str], **options: Any) -> Self:
        """Load the network of ``DIGITREC_MODEL`` (scaled by ``DIGITREC_MODEL_SCALE``), else the shipped one.

        ``options`` override the variables; an explicit model ignores the environment's scale.

        Raises:
            NotConfigured: ``DIGITREC_MODEL_SCALE`` is unknown.
        """
        scale = env.get("DIGITREC_MODEL_SCALE", "").strip()
        if scale and scale not in SCALES and "model" not in options:
            raise NotConfigured(f"DIGITREC_MODEL_SCALE must be one of {', '.join(SCALES)}, got {scale!r}")
        return super().from_env({} if "model" in options else env, **options)

    @classmethod
    def status(cls, env: Mapping[str, str]) -> Status:
        """Return whether the network that the variables name can be loaded."""
        found = [name for (name,) in cls.variables.values() if env.get(name, "").strip()]
        return looked("", (), found, (), partial(cls.from_env, env) if found else None)

    def for_numbers(self) -> Provider:
        """Return the reader of whole numbers, which uses other networks; warn if the user named a model."""
        from digitrec.providers.local.numbers import LocalNumbers

        if self._file is not None:
            log.warning("%s reads single digits; digitrec's own networks read the numbers", self._file)
        return LocalNumbers(self.name)

    def load(self) -> None:
        """Run the network on a blank picture, because its first run is its slowest."""
        self._model.probabilities(np.zeros((1, 28, 28), np.uint8), [True])

    def read_many(self, images: Sequence[PreparedImage], *, timeout: float) -> list[Answer | ProviderError]:
        """Return the chance of each digit for many images, each with its `whole`, in one pass.

        A picture counts as clear if one of its readings is clear. The work takes milliseconds, so ``timeout``
        has no effect.
        """
        is_taught = self._model.input.evidence > 0  # other models learned only digits in MNIST's form
        readings = [_readings(image, both=is_taught) for image in images]
        chances = self._chances(images, readings)
        asked = [PLAINLY if image.findings.reason else 1.0 for image in images]
        clear = self._model.recognises(chances, np.repeat(asked, list(map(len, readings))))
        if len(chances) > len(images):
            starts = np.cumsum([0, *map(len, readings[:-1])])
            clear, chances = np.logical_or.reduceat(clear, starts), pooled(chances, starts)
        rows: list[list[float]] = chances.tolist()
        return [self._answer(*one) for one in zip(images, rows, clear.tolist(), strict=True)]

    def _chances(self, images: Sequence[PreparedImage], readings: Sequence[Sequence[bytes]]) -> Floats:
        """Return the chances of each digit for all readings, (N, 10); the preparation may know some."""
        pairs = [(image, pixels) for image, each in zip(images, readings, strict=True) for pixels in each]
        known = [image.chances.get((self._model.version, pixels)) for image, pixels in pairs]
        new = [pair for pair, chances in zip(pairs, known, strict=True) if chances is None]
        batch = np.frombuffer(b"".join([pixels for _, pixels in new]), np.uint8).reshape(-1, 28, 28)
        read = iter(self._model.probabilities(batch, [not image.findings.unchanged for image, _ in new]))
        found = [next(read) if chances is None else chances for chances in known]
        return np.array(found, np.float32).reshape(-1, 10)

    def stages(self, image: PreparedImage) -> list[Stage]:
        """Return the feature maps of each layer for ``image.data``; empty for a file without a network."""
        return self._model.inside.stages(np.asarray(image.picture()))

    def grad_cam(self, image: PreparedImage, of: Sequence[int]) -> Floats | None:
        """Return class activation maps of ``image.data`` for N digits: positive `Inside.class_maps`."""
        found = self._model.inside.class_maps(np.asarray(image.picture()), of)
        return None if found is None else np.maximum(found, 0)

    def _answer(self, image: PreparedImage, row: list[float], clear: bool) -> Answer:
        best = max(row)
        candidate = Candidate(str(row.index(best)), best)
        cut_out = image.findings.unchanged  # someone cropped it because it is a digit, as in MNIST
        reason = None if clear or cut_out else image.findings.reason or UNCLEAR
        return Answer((candidate,), tuple(row), {"probabilities": row}, self._model.version, reason)


def _readings(image: PreparedImage, *, both: bool) -> list[bytes]:
    if image.whole is None or not (both or image.findings.reason):
        return [image.data]
    return [image.whole] if image.findings.reason else [image.data, image.whole]
