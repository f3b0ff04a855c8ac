"""From a trained Keras network to the files that are shipped, each carrying its own description.

A description is the JSON member `digitrec.json` of a zip archive: appended to a `.tflite`, as LiteRT's own
metadata convention has it for associated files, or inside the archive that a `.keras` file already is; in an
`.h5` it is the root attribute of that name. `store.load` reads it back and applies the preparation it names.
"""

from __future__ import annotations

import contextlib
import io
import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from digitrec import atomic
from digitrec.models.description import DESCRIPTION

if TYPE_CHECKING:
    import keras


def description(
    name: str,
    card: dict[str, Any],
    *,
    output: str = "softmax",
    scale: str = "unit",
    temperature: float = 1.0,
    prepared: float | None = None,
    evidence: float = 0.0,
    doubt: float = 0.0,
) -> dict[str, Any]:
    """What a model file says of itself; see `ModelInput` for what the keywords mean."""
    also = {} if prepared is None else {"prepared": prepared}
    return {
        "format": 1,
        "name": name,
        "input": {"form": "mnist", "scale": scale},
        "output": output,
        "temperature": temperature,
        **also,
        "evidence": evidence,
        "doubt": doubt,
        "card": card,
    }


def to_litert(network: keras.Model) -> bytes:
    """The network as a LiteRT flatbuffer for any batch size, its weights in int8, activations in float32.

    This is TensorFlow's dynamic-range quantisation: a quarter of the size and, where the processor multiplies
    bytes, about a third of the time, for the same answers but in a digit out of thousands.
    """
    import tensorflow as tf

    with contextlib.redirect_stdout(io.StringIO()):  # the converter lists every tensor
        converter = tf.lite.TFLiteConverter.from_keras_model(network)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        return bytes(converter.convert())


def described(model: bytes, about: dict[str, Any]) -> bytes:
    """The content of a `.tflite` or `.keras` file with its description added."""
    file = io.BytesIO(model)
    with zipfile.ZipFile(file, "a") as archive:
        member = zipfile.ZipInfo(DESCRIPTION)  # dated 1980, so that the same model gives the same bytes
        archive.writestr(member, json.dumps(about, indent=1))
    return file.getvalue()


def save_keras(network: keras.Model, path: Path, about: dict[str, Any]) -> None:
    """Write `network` as `.keras` or `.h5`, by the ending of `path`, with its description."""
    with atomic.replacing(path) as unfinished:
        network.save(unfinished)
        if path.suffix == ".keras":
            unfinished.write_bytes(described(unfinished.read_bytes(), about))
            return
        import h5py

        with h5py.File(unfinished, "a") as file:
            file.attrs[DESCRIPTION] = json.dumps(about)


def as_h5(keras_file: Path, path: Path) -> None:
    """Write a `.keras` file again as `.h5`, its description kept."""
    import keras

    with zipfile.ZipFile(keras_file) as archive:
        about = json.loads(archive.read(DESCRIPTION))
    save_keras(keras.saving.load_model(keras_file, compile=False), path, about)
