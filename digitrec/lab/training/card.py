"""Describe a model: its kind, its training data and its accuracy, in its file and in its card.

A description is the JSON member `digitrec.json` of a zip archive. It is appended to a `.tflite`, following
LiteRT's convention for associated files, or added to the archive that a `.keras` file is; in an `.h5` it is
the root attribute with that name. `store.load` reads it and applies the preparation that it names.
"""

from __future__ import annotations

import datetime
import json
import os
import platform
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from importlib import metadata, resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from digitrec.comparison.benchmark.measures import Proportion
from digitrec.image import atomic
from digitrec.models import store
from digitrec.models.network import DESCRIPTION, LiteRt, ModelInput, described

if TYPE_CHECKING:
    import keras


def description(name: str, card: dict[str, Any], **how: Any) -> dict[str, Any]:
    """Return the description for a model file; the keywords are the fields of `ModelInput`."""
    given = asdict(ModelInput(**how)).items()
    fields = {key: value for key, value in given if value is not None and value is not False}
    pixels = {key: fields.pop(key) for key in ("form", "scale")}
    return {"format": 1, "name": name, "input": pixels, **fields, "card": card}


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


def saver(learned: Any, path: Path, second: LiteRt | None = None) -> Callable[..., object]:
    """Return a function that writes a model as `.tflite`, `.keras`, `.h5` or `.skops`, by the ending.

    A `.tflite` file may get a second network.

    The function takes the facts for the card, and the fields of `ModelInput` as keywords.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix in (".keras", ".h5"):
        return lambda facts, **how: save_keras(learned, path, description(path.stem, facts, **how))
    bare = store.to_litert(learned) if path.suffix == ".tflite" else store.to_skops(learned)
    return lambda facts, **how: atomic.write(
        path, described(bare, description(path.stem, facts, **how), second)
    )


def environment() -> dict[str, Any]:
    """Return date, machine and library versions, for the record of a result."""
    versions = {}
    for name in ("tensorflow", "keras", "ai-edge-litert", "numpy"):
        with suppress(metadata.PackageNotFoundError):  # scikit-learn's models do not need Keras
            versions[name] = metadata.version(name)
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "cores": os.cpu_count(),
        "versions": {"python": platform.python_version()} | versions,
    }


def measured(share: Proportion, on: str, left_out: int) -> dict[str, Any]:
    """Return an accuracy in percent with its interval, for the set `on` without `left_out` pictures."""
    found = {
        "correct": share.hits,
        "count": share.n,
        "percent": round(100 * share.hits / share.n, 2),
        "interval": [round(100 * (end or 0.0), 2) for end in (share.low, share.high)],
        "on": on,
    }
    return found | ({"left_out": left_out} if left_out else {})


def markdown(name: str, card: Mapping[str, Any]) -> str:
    """Return the card of a network trained by the recipe, from the facts that `train.train` collects."""
    template = (resources.files("digitrec.lab.training") / "card.txt").read_text("utf-8")
    digits, where = card["digits"], card["environment"]
    others = {kind: n for kind, n in digits.items() if "held back" not in kind and n}
    rows = [f"| digits: {kind} | {n:,} |" for kind, n in (card["learned_from"] | others).items()]
    changes = ", ".join(f"{limit} {value}" for limit, value in card["settings"]["augmentation"].items())
    settings = card["settings"] | {"augmentation": changes}
    del settings["name"]
    rows += [f"| setting: {setting.replace('_', ' ')} | {value} |" for setting, value in settings.items()]
    return template.format(
        name=name,
        left_out=card["test"].get("left_out", 0),
        held_back=_share(card["validation_accuracy"], digits["held back"]),
        writers=_share(card["writers_accuracy"], digits["writers held back"]),
        how="\n".join(rows),
        minutes=card["training_seconds"] / 60,
        versions=", ".join(f"{library} {version}" for library, version in where["versions"].items()),
        **card,
    )


def _share(share: float, number: int) -> str:
    return f"{100 * share:.2f} % of {number:,}" if number else "none"
