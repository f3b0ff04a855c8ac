"""Map an engine's own confidence to its probability of being right.

A calibration is a rising line through a few points. `fit` (extra `stats`) fits it on labelled pictures;
applying it needs no extra. Each calibration belongs to one engine, preparation and model version. Answers
of an emulator have separate calibrations, which never apply to the vendor's answers.
"""

import hashlib
import json
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from digitrec.answer import Outcome, Prediction, Share
from digitrec.engine.config import user_folder
from digitrec.errors import DataError, NotConfigured
from digitrec.errors.schemas import built
from digitrec.errors.text import printable
from digitrec.image import atomic
from digitrec.providers.base import is_installed, not_installed

log = logging.getLogger(__name__)

Method = Literal["isotonic", "logistic"]
Floats = NDArray[np.float64]
Shares = Annotated[tuple[Share, ...], Meta(min_length=1)]

FOLDS = 5
"""Number of parts of the data; each part is judged by a line fitted on the others."""
FEWEST = 50
"""Minimum number of answers; a line through fewer would follow their noise."""
FEWEST_OF_A_KIND = 5
"""Minimum number of right and of wrong answers; fewer do not show where the engine fails."""
STEPS = 65
"""Number of points kept of a logistic curve; between them it is a straight line."""


@dataclass(frozen=True, slots=True)
class Key:
    """The answers that a calibration applies to."""

    provider: str
    """Name of the provider."""
    preparation: str
    """Name of the preparation."""
    model_version: str | None
    """The model version, as the engine reports it."""
    emulated: bool
    """True for the answers of an emulator."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """A fitted line and its origin."""

    key: Key
    """The answers that the calibration applies to."""
    scores: Shares
    """Confidences 0..1, rising: the points of the line."""
    chances: Shares
    """The chance of being right at each of those confidences, 0..1, never falling."""
    method: Method
    """The method of the fit: of both, the better on unseen answers."""
    n: int
    """Number of answers that the line was fitted on."""
    right: int
    """How many of those answers were right."""
    brier_before: float
    """Mean squared difference between confidence and outcome, 0..1, without the calibration."""
    brier_after: float
    """`brier_before` with the calibration, each part of the data judged by a line fitted on the others."""
    data: str
    """Name of the labelled pictures that it was fitted on."""
    data_sha256: str
    """SHA-256 over the sorted SHA-256 hashes of those pictures."""
    fitted: str
    """Time of the fit, ISO 8601, UTC."""
    digitrec: str
    """Version of digitrec that made the fit."""
    pictures: tuple[str, ...] = ()
    """The beginning of each of those pictures' SHA-256; empty if an older version made the fit."""

    def __post_init__(self) -> None:
        if len(self.scores) != len(self.chances):
            raise ValueError("its points are not in pairs")

    def chance(self, confidence: float) -> float:
        """Return the probability that an answer of this confidence is right, 0..1."""
        return float(np.interp(confidence, self.scores, self.chances))


Calibrations = Mapping[Key, Calibration]
"""All calibrations, by key."""


def known() -> Calibrations:
    """Return the user's calibrations; empty before the first is fitted, and without a home folder."""
    try:
        return stored(str(folder()))
    except NotConfigured:
        return {}


def apply(prediction: Prediction, calibrations: Calibrations) -> Prediction:
    """Return the prediction with its ``calibrated`` probability, if it has a calibration.

    A refusal, an answer without confidence and a letter read as a digit get no calibration.
    """
    if not calibrations or prediction.digit is None or prediction.confidence is None or prediction.inferred:
        return prediction
    found = calibrations.get(key_of(prediction))
    chance = None if found is None else found.chance(prediction.confidence)
    return replace(prediction, calibrated=chance)


def key_of(of: Prediction) -> Key:
    """Return the key of a prediction's calibration."""
    return Key(of.provider, of.preparation, of.model_version, emulated=of.emulated)


def digest(predictions: Iterable[Prediction]) -> str:
    """Return the SHA-256 over the sorted SHA-256 hashes of the predictions' pictures."""
    return hashlib.sha256("".join(sorted(it.image.sha256 or "" for it in predictions)).encode()).hexdigest()


def _beginnings(predictions: Iterable[Prediction]) -> set[str]:
    return {it.image.sha256[:16] for it in predictions if it.image.sha256}


def fitted_on(outcomes: Iterable[Outcome], calibrations: Calibrations) -> bool:
    """Return whether a calibration of these answers was fitted on some of their pictures.

    For a fit of an older version, return whether it was fitted on exactly these pictures.
    """
    groups: dict[Key, list[Prediction]] = {}
    for outcome in outcomes:
        if isinstance(outcome, Prediction) and outcome.calibrated is not None:
            groups.setdefault(key_of(outcome), []).append(outcome)
    return any(
        one.data_sha256 == digest(answers) or _beginnings(answers) & set(one.pictures)
        for key, answers in groups.items() if (one := calibrations.get(key)) is not None
    )  # fmt: skip


def folder() -> Path:
    """Return the folder where calibrations are saved."""
    return user_folder("data") / "calibrations"


@cache
def stored(where: str) -> dict[Key, Calibration]:
    """Return all calibrations in a folder; they are read once per process, and again after `save`.

    A damaged file, or a folder that may not be read, is skipped with a warning.
    """
    found: dict[Key, Calibration] = {}
    try:
        paths = sorted(Path(where).glob("*.json"))
    except OSError as error:
        advice = "answers are not calibrated; make the folder readable"
        log.warning("%s: cannot be read (%s), so %s", where, error.strerror, advice)
        return found
    for path in paths:
        try:
            one = msgspec.json.decode(path.read_bytes(), type=built(Calibration))
            found[one.key] = one
        except (OSError, ValueError, RecursionError) as error:
            log.warning("%s: not a calibration (%s); delete it and calibrate again", path, error)
    return found


def save(calibration: Calibration) -> Path:
    """Save a calibration, replacing an earlier one of the same key; return its path.

    Log a warning if the calibration is no better than none on unseen pictures.
    """
    key = calibration.key
    digest = hashlib.sha256(json.dumps(asdict(key)).encode()).hexdigest()[:12]
    safe = "".join(char if char.isalnum() else "-" for char in key.provider)
    path = folder() / f"{safe}-{digest}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic.write(path, json.dumps(asdict(calibration), indent=2) + "\n")
    stored.cache_clear()
    if calibration.brier_after >= calibration.brier_before:
        log.warning("%s: no better than no calibration on unseen pictures; delete the file", path)
    return path


def fit(predictions: Sequence[Prediction], labels: Sequence[int | None], data: str) -> list[Calibration]:
    """Fit a calibration for each `Key` among these answers; warn about keys with too few answers.

    Two rising lines are tried: an isotonic regression, and a logistic curve over the log-odds of the
    confidence (Platt scaling). The line with the lower Brier score on unseen parts of the data is then fitted
    on all data. Chances keep a distance of 1 / (n + 2) from 0 and 1.

    Args:
        predictions: an engine's answers; refusals, inferred digits, answers without confidence and copies of
            a picture are skipped, copies with another label with a warning.
        labels: the digit on each picture; None: the picture shows no digit.
        data: name of the data set, for the record.

    Raises:
        ValueError: the number of labels is not the number of answers.
        DataError: every key has fewer than `FEWEST` answers with a confidence, or fewer than
            `FEWEST_OF_A_KIND` right or wrong ones among them.
        NotInstalled: the extra ``stats`` is not installed.
    """
    if not is_installed("sklearn"):
        raise not_installed("Fitting a calibration", "stats")
    if len(predictions) != len(labels):
        raise ValueError(
            f"each answer needs a label, got {len(predictions)} answers and {len(labels)} labels"
        )
    groups: dict[Key, list[tuple[Prediction, bool]]] = {}
    known: dict[tuple[Key, str | None], int | None] = {}
    for prediction, label in zip(predictions, labels, strict=True):
        key, sha256 = key_of(prediction), prediction.image.sha256
        is_scored = prediction.digit is not None and prediction.confidence is not None
        if is_scored and not prediction.inferred and (sha256 is None or (key, sha256) not in known):
            groups.setdefault(key, []).append((prediction, prediction.digit == label))
            known[key, sha256] = label
        elif sha256 is not None and known.get((key, sha256), label) != label:
            log.warning("%s: %s repeats a picture with another label", data, prediction.image.source)
    if not groups:
        raise DataError(f"{data}: no answer has a confidence, so there is nothing to fit")
    fitted, refused = [], []
    for key, answers in groups.items():
        try:
            fitted.append(_fit_one(key, answers, data))
        except DataError as error:  # such as the few answers since the vendor changed its model
            refused.append(error)
    if not fitted:
        raise refused[0]
    for why in refused:
        log.warning("%s", why)
    return fitted


def _fit_one(key: Key, answers: list[tuple[Prediction, bool]], data: str) -> Calibration:
    from digitrec import __version__

    scores = np.array([prediction.confidence for prediction, _ in answers], dtype=float)
    right = np.array([value for _, value in answers], dtype=float)
    n, hits = len(right), int(right.sum())
    if n < FEWEST or min(hits, n - hits) < FEWEST_OF_A_KIND:
        raise DataError(
            f"{data}: {hits} right and {n - hits} wrong answers of {key.provider} (model "
            f"{key.model_version}) with a confidence; at least {FEWEST} are needed, {FEWEST_OF_A_KIND} of "
            "each kind: give more or harder pictures"
        )
    judged = {method: _brier(_unseen(method, scores, right), right) for method in FITTERS}
    method = min(judged, key=lambda name: judged[name])
    points, chances = FITTERS[method](scores, right)
    return Calibration(
        key, tuple(points.tolist()), tuple(chances.tolist()), method, n, hits,
        brier_before=_brier(scores, right), brier_after=judged[method], data=printable(data),
        data_sha256=digest(prediction for prediction, _ in answers),
        fitted=datetime.now(UTC).isoformat(timespec="seconds"), digitrec=__version__,
        pictures=tuple(sorted(_beginnings(prediction for prediction, _ in answers))),
    )  # fmt: skip


def _unseen(method: Method, scores: Floats, right: Floats) -> Floats:
    """Return the chance of each answer, from a line fitted on the other parts of the data."""
    from sklearn.model_selection import StratifiedKFold

    chances = np.empty_like(scores)
    parts = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    for rest, part in parts.split(scores, right):
        chances[part] = np.interp(scores[part], *FITTERS[method](scores[rest], right[rest]))
    return chances


def _brier(chances: Floats, right: Floats) -> float:
    return float(np.mean((chances - right) ** 2))


def _isotonic(scores: Floats, right: Floats) -> tuple[Floats, Floats]:
    """Return the points of the rising step function nearest to the outcomes."""
    from sklearn.isotonic import IsotonicRegression

    line = IsotonicRegression().fit(scores, right)
    return line.X_thresholds_, _off_the_ends(line.y_thresholds_, len(right))


def _logistic(scores: Floats, right: Floats) -> tuple[Floats, Floats]:
    """Return points of the logistic curve over the confidence's log-odds."""
    from scipy.special import expit
    from sklearn.linear_model import LogisticRegression

    curve = LogisticRegression(C=1e6).fit(_log_odds(scores)[:, None], right)
    slope, offset = float(curve.coef_[0, 0]), float(curve.intercept_[0])
    if slope <= 0:  # no falling line: an engine that is surer of wrong answers gets its mean accuracy
        return np.array([0.0, 1.0]), np.full(2, right.mean())
    lowest, highest = _log_odds(np.array([0.0, 1.0]))
    points = np.linspace(lowest, highest, STEPS)
    return expit(points), _off_the_ends(expit(slope * points + offset), len(right))


def _log_odds(scores: Floats) -> Floats:
    """Return the log-odds, limited to about -14..14, so that a confidence of 1 stays finite."""
    near = np.clip(scores, 1e-6, 1 - 1e-6)
    return np.asarray(np.log(near / (1 - near)))


def _off_the_ends(chances: Floats, n: int) -> Floats:
    """Keep chances off exactly 0 and 1, which finite data cannot show (Laplace's rule of succession)."""
    return np.clip(chances, 1 / (n + 2), (n + 1) / (n + 2))


FITTERS: dict[Method, Callable[[Floats, Floats], tuple[Floats, Floats]]] = {
    "isotonic": _isotonic,
    "logistic": _logistic,
}
