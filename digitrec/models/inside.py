"""Show the inside of a network: the results of its layers, class activation maps and weights.

All data come from a LiteRT file; a Keras network is first converted to one. The class activation map is that
of B. Zhou and others, Learning Deep Features for Discriminative Localization, CVPR 2016. It needs a network
that ends in the mean of each feature map and one dense layer, as ours does: a digit's score is then a sum
over places.
"""

import math
from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np

from digitrec.image.pixels import Pixels
from digitrec.models.graph import Kind, LiteFile, Operator
from digitrec.models.network import Floats, Runner, Stage, runner, scaled

SIDE = 28
"""Pixels along each side of a network's input."""


class Weights(NamedTuple):
    """The weights of a convolution or dense layer, in Keras' layout."""

    kernel: Floats
    """(height, width, in, out) of a convolution, (in, out) of a dense layer."""
    bias: Floats
    """(out,)."""


class Inside:
    """The layers of a network; several threads may use it at once.

    Args:
        content: a LiteRT file; None for a classifier that LiteRT cannot run.
        scale: the scale of the network's input, one of `SCALES`.
    """

    def __init__(self, content: bytes | None, scale: str = "unit") -> None:
        self._scale = scale
        self._content = content or b""
        self._file = None if content is None else LiteFile(content)
        self._operators = [] if self._file is None else self._file.operators
        float16 = Kind.DEQUANTIZE  # converts stored weights
        self._float16 = {one.gives: one.takes[0] for one in self._operators if one.kind == float16}
        self._maker = {one.gives: one for one in self._operators if one.kind != float16}

    def stages(self, digit: Pixels) -> list[Stage]:
        """Return the feature maps of each layer for one picture, (28, 28), ink high, in order.

        Skip layers whose maps do not have 2x2 to 28x28 places. Takes some milliseconds.
        """
        names, network = self._stages
        return [] if network is None else list(zip(names, self._maps(network, digit), strict=True))

    def class_maps(self, digit: Pixels, of: Sequence[int]) -> Floats | None:
        """Return how much each place of a picture, (28, 28), ink high, adds to N digits' scores: (N, 28, 28).

        The values are exact except for the rounding of int8. Between the centres of the places they are
        interpolated linearly; for several networks they are averaged. Return None unless every network ends
        in a mean over its feature maps and one dense layer.
        """
        if self._averaged_maps is None:
            return None
        grids, network = self._averaged_maps
        values = self._maps(network, digit)
        return np.asarray(np.mean([
            _enlarged(np.einsum("hwc,cn->nhw", value, self._weights(end).kernel[:, of]), *grid)
            for end, value, grid in zip(self._ends, values, grids, strict=True)
        ], axis=0), np.float32)  # fmt: skip

    def weights(self) -> list[Weights]:
        """Return the weights of each convolution and dense layer that the first output needs, as floats.

        They are in the order of computation.

        Raises:
            ValueError: the weights have another type than float32, float16 and int8.
        """
        needed = set(self._file.outputs[:1] if self._file else [])
        for one in reversed(self._operators):
            needed.update(one.takes if one.gives in needed else ())
        layers = (Kind.CONV_2D, Kind.FULLY_CONNECTED)
        return [self._weights(one) for one in self._operators if one.kind in layers and one.gives in needed]

    def _maps(self, network: Runner, digit: Pixels) -> list[Floats]:
        """Return a network's tensors for one picture, (H, W, C) each."""
        ink = scaled(digit[None], self._scale)
        return [maps[0] for maps in network.run(ink.reshape(1, *network.takes[0].shape[1:]))]

    @cached_property
    def _stages(self) -> tuple[list[str], Runner | None]:
        """The names of the layers whose maps are square and no larger than the picture, and their runner."""
        shown = [tensor for tensor in self._maker if self._is_map(tensor, largest=SIDE)]
        names = [self._file.name(tensor) for tensor in shown if self._file]
        return _layer_names(names), runner(self._content, shown) if shown else None

    @cached_property
    def _ends(self) -> list[Operator]:
        """The dense layers that compute the scores, with no other layer's weights after them.

        A file with several networks has one such layer for each.
        """
        found: list[Operator] = []
        wanted = set(self._file.outputs[:1] if self._file else [])
        for one in reversed(self._operators):
            if one.gives in wanted and one.kind == Kind.FULLY_CONNECTED:
                found.insert(0, one)
            elif one.gives in wanted:
                wanted.update(one.takes)
        return found

    @cached_property
    def _averaged_maps(self) -> tuple[list[tuple[float, float]], Runner] | None:
        """The grids and the runner of the feature maps that the last layers average.

        None unless every last layer averages maps.
        """
        found = [self._averaged(end.takes[0]) for end in self._ends]
        maps = [tensor for tensor in found if tensor is not None]
        if not maps or len(maps) < len(found):
            return None
        return [self._grid(tensor) for tensor in maps], runner(self._content, maps)

    def _grid(self, tensor: int) -> tuple[float, float]:
        """Return the centre of a map's first place, and the distance to the next, in pixels of the picture.

        Trace the maps back to the picture; where layers join several maps, these have the same grid.
        """
        first, step = 0.0, 1.0
        while self._file and (maker := self._maker.get(tensor)):
            inner = next(filter(self._is_map, maker.takes), None)
            if inner is None:  # the picture, as 784 pixels
                break
            start, stride = self._file.grid(maker, inner)
            first, step, tensor = start + first * stride, step * stride, inner
        return first, step

    def _averaged(self, tensor: int) -> int | None:
        """Return the feature maps whose mean over all places is this tensor, or None."""
        maker = self._maker.get(tensor)
        while maker is not None and maker.kind == Kind.RESHAPE:
            maker = self._maker.get(maker.takes[0])
        if maker is None or maker.kind != Kind.MEAN:
            return None
        return maker.takes[0] if self._is_map(maker.takes[0]) else None

    def _is_map(self, tensor: int, largest: float = math.inf) -> bool:
        shape, is_float = self._file.signature(tensor) if self._file else ([], False)
        return is_float and len(shape) == 4 and 1 < shape[1] == shape[2] <= largest

    def _weights(self, operator: Operator) -> Weights:
        """Return the weights of one layer; a missing bias counts as 0."""
        kernel = np.moveaxis(self._constant(operator.takes[1]), 0, -1)
        has_bias = len(operator.takes) > 2
        bias = self._constant(operator.takes[2]) if has_bias else np.zeros(kernel.shape[-1], np.float32)
        return Weights(kernel, bias)

    def _constant(self, tensor: int) -> Floats:
        """Return a tensor stored in the file, as floats.

        Raises:
            ValueError: the tensor is not stored there, or has another type.
        """
        found = self._file.constant(self._float16.get(tensor, tensor)) if self._file else None
        if found is None or found.dtype != np.float32:
            raise ValueError("the weights are not stored as float32, float16 or int8")
        return found


def _enlarged(maps: Floats, first: float, step: float) -> Floats:
    """Interpolate each place's part of a score, (N, H, W), over the pixels: (N, 28, 28).

    A score is a mean over H x W places, so each place adds its value divided by their number. The first
    place's centre is at pixel ``first``; the places are ``step`` pixels apart.
    """
    places = maps.shape[1]
    at = np.clip((np.arange(SIDE) - first) / step, 0, places - 1)
    shares = np.maximum(0, 1 - np.abs(at[:, None] - np.arange(places)))
    return np.asarray(np.einsum("ph,nhw,qw->npq", shares, maps / places**2, shares))


def _layer_names(tensors: list[str]) -> list[str]:
    """Return the layers' names from the tensors' names: "model_1/conv_1/Conv2D;..." becomes "conv".

    The converter names a tensor after the calls that led to it; Keras numbers the calls, from 1.
    """
    paths = [next(filter(None, name.split(";")), name).split("/") for name in tensors]
    paths = [path[1:-1] or path for path in paths]
    counted = all(part.endswith("_1") for path in paths for part in path)
    return ["/".join(part.removesuffix("_1") if counted else part for part in path) for path in paths]
