"""Recover our networks from their `.tflite` file."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.errors import ModelError
from digitrec.lab.training.backend import keras
from digitrec.lab.training.networks import digitrec_cnn, together
from digitrec.models import store
from digitrec.models.inside import Inside, Weights
from digitrec.models.network import LiteRt, scaled
from digitrec.models.store import to_litert

RECOVERED = 1e-3
"""Maximum difference of any probability between a `.tflite` file and the networks recovered from it."""
_COMPARED = 128  # number of digits


def recovered(path: Path) -> list[keras.Model]:
    """Return the float32 networks of a `.tflite` file by `digitrec train`; `together` joins them.

    Batch normalisation has become part of the convolutions. Written as a file again, the networks answer
    exactly as the file does, which is checked. In float32 their answers differ slightly, because the file
    also rounds values to int8 between layers.

    Raises:
        ModelError: the file cannot be read, or is not digitrec's own network.
        NotInstalled: the `train` extra is missing.
    """
    theirs: Any = store.load(path).forward
    foreign = ModelError(
        f"{path}: not digitrec's own network, or its weights cannot be recovered; start "
        "with `digitrec`, or a .tflite file that `digitrec train` wrote without --arch"
    )
    try:
        layers = Inside(theirs.as_litert()).weights()
        ends = [0, *(place for place, one in enumerate(layers, 1) if one.kernel.ndim == 2)]
        networks = [_with_weights(layers[first:last]) for first, last in pairwise(ends)]
        again = LiteRt(to_litert(together(networks)), path)
    except (ValueError, IndexError) as error:  # it has other layers
        raise foreign from error
    ink = scaled(mnist_test().images[:_COMPARED], "unit")
    if ends[-1] != len(layers) or not np.allclose(theirs(ink), again(ink), rtol=0, atol=RECOVERED):
        raise foreign
    return networks


def widths(network: keras.Model) -> tuple[int, ...]:
    """Return the channels of each stage of a network of `recovered`."""
    kernels = [array for array in network.get_weights() if array.ndim == 4]
    return tuple(kernel.shape[-1] for kernel in kernels[::2])


def _with_weights(layers: list[Weights]) -> keras.Model:
    """Return digitrec's own network with these weights: the convolutions, then the dense layer.

    Raises:
        ValueError: the weights do not fit.
    """
    network = digitrec_cnn(tuple(one.kernel.shape[-1] for one in layers[:-1:2]), normalised=False)
    network.set_weights([array for one in layers for array in (one.kernel, one.bias)])
    return network
