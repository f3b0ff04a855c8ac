"""From a trained Keras network to the files that are shipped, each carrying its own description.

A description is the JSON member `digitrec.json` of a zip archive: appended to a `.tflite`, as LiteRT's own
metadata convention has it for associated files, or inside the archive that a `.keras` file already is; in an
`.h5` it is the root attribute of that name. `store.load` reads it back and applies the preparation it names.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from digitrec.image import atomic
from digitrec.models.network import DESCRIPTION, ModelInput, described

if TYPE_CHECKING:
    import keras


def description(name: str, card: dict[str, Any], **how: Any) -> dict[str, Any]:
    """Return what a model file says of itself; the keywords are the fields of `ModelInput`."""
    its = {key: value for key, value in asdict(ModelInput(**how)).items() if value is not None}
    del its["assumed"]
    pixels = {key: its.pop(key) for key in ("form", "scale")}
    return {"format": 1, "name": name, "input": pixels, **its, "card": card}


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
