"""Map an engine's own confidence to its probability of being right.

A calibration is a rising line through a few points, fitted on labelled pictures by
`digitrec.recognise.calibration.fit`; applying it needs no extra. It belongs to one engine, preparation and
model version. Answers of an emulator have calibrations of their own, which never apply to the vendor's.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import numpy as np
from msgspec import Meta

from digitrec.answer import Share
from digitrec.answer.prediction import Prediction
from digitrec.image import atomic

log = logging.getLogger(__name__)

Method = Literal["isotonic", "logistic"]
Shares = Annotated[tuple[Share, ...], Meta(min_length=1)]


@dataclass(frozen=True, slots=True)
class Key:
    """The answers that a calibration applies to."""

    provider: str
    """Name of the engine."""
    preparation: str
    """Name of the preparation."""
    model_version: str | None
    """The model, in the engine's words."""
    emulated: bool
    """True for the answers of an emulator."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """A fitted line and its origin."""

    key: Key
    """The answers it applies to."""
    scores: Shares
    """Confidences 0..1, rising: the points of the line."""
    chances: Shares
    """The chance of being right at each of them, 0..1, never falling."""
    method: Method
    """How it was fitted; the one that judged unseen answers better."""
    n: int
    """Answers it was fitted on."""
    right: int
    """How many of those were right."""
    brier_before: float
    """Mean squared distance of confidence and outcome, 0..1, without it."""
    brier_after: float
    """The same with it, each part of the data judged by a line fitted on the others."""
    data: str
    """The labelled pictures it was fitted on, as they were named."""
    data_sha256: str
    """SHA-256 over the sorted SHA-256 of those pictures."""
    fitted: str
    """When, ISO 8601, UTC."""
    digitrec: str
    """Version of digitrec that fitted it."""

    def chance(self, confidence: float) -> float:
        """Return the probability that an answer of this confidence is right, 0..1."""
        return float(np.interp(confidence, self.scores, self.chances))


Calibrations = Mapping[Key, Calibration]
"""All calibrations, by key."""


def known() -> Calibrations:
    """Return the user's calibrations; empty before the first is fitted."""
    return stored(str(folder()))


def apply(prediction: Prediction, calibrations: Calibrations) -> Prediction:
    """Return the prediction with its ``calibrated`` probability, if it has a calibration.

    A refusal, an answer without confidence and a letter taken for a digit have none.
    """
    if not calibrations or prediction.digit is None or prediction.confidence is None or prediction.inferred:
        return prediction
    found = calibrations.get(key_of(prediction))
    return (
        prediction if found is None else replace(prediction, calibrated=found.chance(prediction.confidence))
    )


def key_of(prediction: Prediction) -> Key:
    """Return the key of a prediction's calibration."""
    return Key(
        prediction.provider, prediction.preparation, prediction.model_version, emulated=prediction.emulated
    )


def digest(predictions: Iterable[Prediction]) -> str:
    """Return the SHA-256 over the sorted SHA-256 of the predictions' pictures."""
    return hashlib.sha256("".join(sorted(it.image.sha256 or "" for it in predictions)).encode()).hexdigest()


def fitted_on(predictions: Iterable[Prediction], calibrations: Calibrations) -> bool:
    """Return whether a calibration of these predictions was fitted on the very same pictures."""
    groups: dict[Key, list[Prediction]] = {}
    for prediction in predictions:
        if prediction.calibrated is not None:
            groups.setdefault(key_of(prediction), []).append(prediction)
    return any(
        key in calibrations and calibrations[key].data_sha256 == digest(group)
        for key, group in groups.items()
    )


def folder() -> Path:
    """Return the folder of the calibrations."""
    from platformdirs import user_data_path

    return user_data_path("digitrec", appauthor=False) / "calibrations"


@cache
def stored(where: str) -> dict[Key, Calibration]:
    """Return all calibrations in a folder, read once in a process and again after `save`.

    A damaged file is skipped with a warning.
    """
    found: dict[Key, Calibration] = {}
    for path in sorted(Path(where).glob("*.json")):
        try:
            calibration = _read(path)
            found[calibration.key] = calibration
        except (OSError, ValueError, RecursionError) as error:
            log.warning("%s: not a calibration (%s); delete it and calibrate again", path, error)
    return found


def _read(path: Path) -> Calibration:
    found = msgspec.json.decode(path.read_bytes(), type=Calibration)
    if len(found.scores) != len(found.chances):
        raise ValueError("its points are not in pairs")
    return found


def save(calibration: Calibration) -> Path:
    """Save a calibration, replacing an earlier one of the same key; return its path."""
    key = calibration.key
    digest = hashlib.sha256(json.dumps(asdict(key)).encode()).hexdigest()[:12]
    safe = "".join(char if char.isalnum() else "-" for char in key.provider)
    path = folder() / f"{safe}-{digest}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic.write(path, json.dumps(asdict(calibration), indent=2) + "\n")
    stored.cache_clear()
    return path
