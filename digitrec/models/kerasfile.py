"""Keras' own model files, read only when the `train` extra is installed and never running code that is in them."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitrec.errors import ModelError, NotInstalled
from digitrec.models.store import DESCRIPTION, check_shapes


def load(path: Path) -> tuple[dict[str, Any], Callable[[NDArray[np.float32]], NDArray[np.float32]]]:
    """The description in a `.keras` or `.h5` file, {} when it has none, and its network as a function.

    The function takes (N, 28, 28) ink and gives (N, 10). Raises ModelError when the file is no model, needs code of its
    own (a Lambda or custom layer), or has other shapes; NotInstalled without TensorFlow.
    """
    try:
        import keras
    except ImportError as error:
        raise NotInstalled(f"{path.name} needs TensorFlow: pip install 'digitrec[train]'") from error
    try:
        network = keras.saving.load_model(path, compile=False, safe_mode=True)
        about = _described(path)
    except Exception as error:  # Keras promises no class of error for a foreign file
        raise ModelError(f"{path}: Keras cannot load it safely ({_first_line(error)}); export it again") from error
    if len(network.inputs) != 1 or len(network.outputs) != 1:
        raise ModelError(f"{path}: has {len(network.inputs)} inputs and {len(network.outputs)} outputs, not one of each")
    check_shapes(network.input_shape, network.output_shape, path)
    one_by_one = network.input_shape[0] == 1

    def forward(ink: NDArray[np.float32]) -> NDArray[np.float32]:
        shaped = ink.reshape(-1, *network.input_shape[1:])
        batches = np.split(shaped, len(shaped)) if one_by_one else [shaped]
        return np.concatenate([np.asarray(network(batch, training=False)) for batch in batches])

    return about, forward


def _described(path: Path) -> dict[str, Any]:
    if path.suffix == ".h5":
        import h5py

        with h5py.File(path) as file:
            return dict(json.loads(file.attrs.get(DESCRIPTION, "{}")))
    with zipfile.ZipFile(path) as archive:
        return dict(json.loads(archive.read(DESCRIPTION))) if DESCRIPTION in archive.namelist() else {}


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
