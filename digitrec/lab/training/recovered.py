"""Our own networks out of the `.tflite` file that is shipped, to learn on: nothing else is needed."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np

from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.errors import ModelError
from digitrec.lab.training import cnn
from digitrec.lab.training.backend import keras
from digitrec.models import litert
from digitrec.models.foreign import to_litert
from digitrec.models.inside import Inside, Weights
from digitrec.models.network import Floats, scaled

AGREED = 1e-3
"""The largest difference of any probability between the file and what is recovered from it."""
_LOOKED_AT = 128  # digits on which they are compared


def recovered(path: Path) -> list[keras.Model]:
    """Return the float32 networks of a `.tflite` file by `digitrec train`; `cnn.together` joins them.

    Their batch normalisation has become part of the convolutions. Written as a file again they answer as the
    file does, which is checked. In float32 they answer slightly otherwise: the file's own arithmetic also
    rounds to int8 what goes from layer to layer.

    Raises:
        ModelError: it cannot be read, or is not digitrec's own network.
        NotInstalled: the `train` extra is missing.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror}); name a model file") from error
    theirs = litert.LiteRt(content, path)
    foreign = ModelError(
        f"{path}: not digitrec's own network, or its weights cannot be recovered; start "
        "with `digitrec`, or a .tflite file that `digitrec train` wrote without --arch"
    )
    try:
        networks = [_network(one) for one in _apart(Inside(content).weights())]
        again = litert.LiteRt(to_litert(cnn.together(networks)), path)
    except (ValueError, IndexError) as error:  # its layers are others
        raise foreign from error
    ink = scaled(mnist_test().images[:_LOOKED_AT], "unit")
    if not np.allclose(theirs(ink), again(ink), rtol=0, atol=AGREED):
        raise foreign
    return networks


def widths(network: keras.Model) -> tuple[int, ...]:
    """Return the channels of each stage of a network of `recovered`."""
    kernels = [array for array in network.get_weights() if array.ndim == 4]
    return tuple(kernel.shape[-1] for kernel in kernels[::2])


def _apart(layers: list[Weights]) -> list[list[Weights]]:
    """Split the layers by network: a dense layer is the last of its network.

    Raises:
        ValueError: no dense layer was found.
    """
    ends = [0, *(place + 1 for place, one in enumerate(layers) if one.kernel.ndim == 2)]
    if ends[-1] != len(layers) or len(ends) < 2:
        raise ValueError("ends with no dense layer")
    return [layers[first:last] for first, last in pairwise(ends)]


def _network(layers: list[Weights]) -> keras.Model:
    """One network with these weights.

    Raises:
        ValueError: they do not fit digitrec's own network.
    """
    convolutions = layers[:-1]
    network = cnn.build(tuple(one.kernel.shape[-1] for one in convolutions[::2]), normalised=False)
    arrays: list[Floats] = [array for one in layers for array in (one.kernel, one.bias)]
    network.set_weights(arrays)
    return network
