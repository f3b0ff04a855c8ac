"""A look at what a Keras network computes: its layers' results, and its scores' gradient by TensorFlow."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from digitrec.models.gradcam import LastMaps, class_maps
from digitrec.models.scores import Floats, Stage


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """What one layer did."""

    layer: keras.layers.Layer
    """Which layer."""
    path: str
    """Its name, after those of the networks that it is in."""
    given: list[Any]
    """The tensors that it took."""
    made: Any
    """The tensor that it made."""


class KerasLook:
    """A copy of a Keras network that keeps what its layers make, and gives scores, not probabilities."""

    def __init__(self, network: keras.Model) -> None:
        self._network = keras.models.clone_model(network)
        self._network.set_weights(network.get_weights())
        self._calls: list[Call] = []
        self._lock = threading.Lock()
        for path, layer in _leaves(self._network, ""):
            layer.call = self._kept(layer, path, layer.call)
        _without_softmax(self._network)

    def _kept(self, layer: keras.layers.Layer, path: str, call: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(call)
        def kept(*given: Any, **options: Any) -> Any:
            made = call(*given, **options)
            self._calls.append(Call(layer, path, tf.nest.flatten(given), made))
            return made

        return kept

    def _run(self, ink: Floats, watch: Callable[[Any], object] = lambda _: None) -> tuple[Any, list[Call]]:
        """The scores, (N, 10), and what each layer did on the way to them; `watch` is told the picture."""
        self._calls = []
        shaped = tf.convert_to_tensor(ink.reshape(-1, *self._network.input_shape[1:]))
        watch(shaped)
        return self._network(shaped, training=False), self._calls

    def stages(self, ink: Floats) -> list[Stage]:
        """What each layer makes of one picture, (28, 28), as `Look.stages`."""
        with self._lock:
            _, calls = self._run(ink[None])
        return [
            (one.path, np.asarray(one.made)[0]) for one in calls
            if _is_map(one.made) and one.made.shape[1] == one.made.shape[2] <= 28
            and not isinstance(one.layer, keras.layers.Dropout)
        ]  # fmt: skip

    def class_maps(self, ink: Floats, digits: Sequence[int]) -> Floats | None:
        """Grad-CAM of one picture, (28, 28), as `Look.class_maps`; None where there are no feature maps."""
        with self._lock, tf.GradientTape(persistent=True) as tape:
            scores, calls = self._run(ink[None], tape.watch)  # also where no weight is to be learned
            each = [scores[0, digit] for digit in digits]
        maps = {id(call.made): call.made for call in calls if _is_map(call.made)}
        taken = [id(one) for call in calls if not _is_map(call.made) for one in call.given]
        last = {one: maps[one] for one in taken if one in maps}
        slopes = [tape.gradient(score, list(last.values())) for score in each]
        parts = [
            LastMaps(np.asarray(one)[0], np.concatenate([np.asarray(slope) for slope in of_each]))
            for one, of_each in zip(last.values(), zip(*slopes, strict=True), strict=True)
            if all(slope is not None for slope in of_each)
        ]
        return class_maps(parts) if parts else None

    def filters(self) -> list[Stage]:
        """The first convolution's weights, as `Look.filters`."""
        found = [
            (f"{path.rpartition('/')[0]}/filters".lstrip("/"), layer.get_weights()[0])
            for path, layer in _leaves(self._network, "") if isinstance(layer, keras.layers.Conv2D)
        ]  # fmt: skip
        return [(name, kernel[:, :, 0]) for name, kernel in found if kernel.shape[2] == 1]

    def features(self, ink: Floats) -> Floats | None:
        """What the last dense layers are given, as `Look.features`."""
        one_by_one = self._network.input_shape[0] == 1
        found = [self._features(part) for part in (np.split(ink, len(ink)) if one_by_one else [ink])]
        return np.concatenate(found) if found[0].size else None

    def _features(self, ink: Floats) -> Floats:
        with self._lock:
            scores, calls = self._run(ink)
        wanted, found = {id(scores)}, [np.empty((len(ink), 0), np.float32)]
        for one in reversed(calls):
            if id(one.made) in wanted and isinstance(one.layer, keras.layers.Dense):
                found.insert(1, np.asarray(one.given[0]).reshape(len(ink), -1))
            elif id(one.made) in wanted:
                wanted.update(map(id, one.given))
        return np.concatenate(found, axis=1)


def _leaves(network: keras.Model, before: str) -> Iterator[tuple[str, keras.layers.Layer]]:
    for layer in network.layers:
        path = f"{before}{layer.name}"
        if isinstance(layer, keras.Model):
            yield from _leaves(layer, f"{path}/")
        else:
            yield path, layer


def _without_softmax(network: keras.Model) -> None:
    """Let its last layer give the scores themselves."""
    last = list(_leaves(network, ""))[-1][1]
    if isinstance(last, keras.layers.Softmax):
        last.call = lambda scores, **_: scores
    elif getattr(last, "activation", None) is keras.activations.softmax:
        last.activation = keras.activations.linear


def _is_map(tensor: Any) -> bool:
    shape: Any = getattr(tensor, "shape", ())
    return len(shape) == 4 and shape[1] > 1 and shape[2] > 1
