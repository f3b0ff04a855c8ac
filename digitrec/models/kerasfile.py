"""Keras' own model files, read only with the `train` extra and never running code that is in them."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from digitrec.errors import ModelError, NotInstalled
from digitrec.models.description import DESCRIPTION, check_shapes
from digitrec.models.scores import Floats, Forward, Stage
from digitrec.version import install_hint

if TYPE_CHECKING:
    import keras

    from digitrec.models.keraslook import KerasLook


def load(path: Path) -> tuple[dict[str, Any], Forward]:
    """The description in a `.keras` or `.h5` file, {} when it has none, and its network.

    The network is a function from (N, 28, 28) ink to (N, 10).

    Raises:
        ModelError: it is no model, needs code of its own (a Lambda or custom layer), or has other shapes.
        NotInstalled: TensorFlow is missing.
    """
    try:
        import keras
    except ImportError as error:
        raise NotInstalled(f"{path.name} needs TensorFlow: {install_hint('train')}") from error
    try:
        network = keras.saving.load_model(path, compile=False, safe_mode=True)
        about = _described(path)
    except Exception as error:  # Keras promises no class of error for a foreign file
        why = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
        raise ModelError(f"{path}: Keras cannot load it safely ({why}); export it again") from error
    check_shapes([side.shape for side in network.inputs], [side.shape for side in network.outputs], path)
    return about, KerasNetwork(network)


class KerasNetwork:
    """A Keras network as a function from (N, 28, 28) ink to (N, 10), into which one can look."""

    def __init__(self, network: keras.Model) -> None:
        self._network = network
        self._one_by_one = network.input_shape[0] == 1

    def __call__(self, ink: Floats) -> Floats:
        shaped = ink.reshape(-1, *self._network.input_shape[1:])
        batches = np.split(shaped, len(shaped)) if self._one_by_one else [shaped]
        return np.concatenate([np.asarray(self._network(batch, training=False)) for batch in batches])

    def stages(self, ink: Floats) -> list[Stage]:
        """As `Look.stages`."""
        return self._look.stages(ink)

    def class_maps(self, ink: Floats, digits: Sequence[int]) -> Floats | None:
        """As `Look.class_maps`."""
        return self._look.class_maps(ink, digits)

    def filters(self) -> list[Stage]:
        """As `Look.filters`."""
        return self._look.filters()

    def features(self, ink: Floats) -> Floats | None:
        """As `Look.features`."""
        return self._look.features(ink)

    @cached_property
    def _look(self) -> KerasLook:
        from digitrec.models.keraslook import KerasLook

        return KerasLook(self._network)


def _described(path: Path) -> dict[str, Any]:
    if path.suffix == ".h5":
        import h5py

        with h5py.File(path) as file:
            return dict(json.loads(file.attrs.get(DESCRIPTION, "{}")))
    with zipfile.ZipFile(path) as archive:
        return dict(json.loads(archive.read(DESCRIPTION))) if DESCRIPTION in archive.namelist() else {}
