"""Export the reader's two networks, and fit their calibration on writers held back.

    python -m digitrec.lab.reading.export digitrec/models/weights LETTERS FOLDER...

LETTERS and each FOLDER are folders of `digitrec.lab.reading.train`. The first network is the mean of the
latest checkpoints of each FOLDER (M. Wortsman and others, Robust fine-tuning of zero-shot models, CVPR 2022).
The second one is that of LETTERS alone, which learned letters longest: it reads fewer numbers into words, and
skips more unusual digits.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from digitrec.image import DigitImage, atomic
from digitrec.lab.reading.compose import held_back
from digitrec.lab.reading.network import network
from digitrec.lab.reading.train import SEED, restored
from digitrec.models.foreign import to_litert
from digitrec.models.network import described
from digitrec.models.sequence import LETTERS, SHIPPED, SequenceReader, digits_of
from digitrec.prepare import prepare
from digitrec.providers.local_numbers import LocalNumbers
from digitrec.providers.registry import open_provider

CALIBRATED = 2500
"""Numbers that the calibration is fitted on."""


def export(out: Path, letters: Path, folders: Sequence[Path]) -> None:
    """Write both networks as LiteRT files into a folder; the first one holds the calibration."""
    (second, steps), (first, all_steps) = averaged([letters]), averaged(folders)
    _write(out / LETTERS.name, to_litert(second), {}, steps)
    content = to_litert(first)
    with TemporaryDirectory() as scratch:
        bare = Path(scratch, SHIPPED.name)
        bare.write_bytes(content)
        calibration = fitted((SequenceReader(bare), SequenceReader(out / LETTERS.name)))
    _write(out / SHIPPED.name, content, {"calibration": calibration}, all_steps)


def _write(file: Path, content: bytes, about: dict[str, Any], steps: list[int]) -> None:
    atomic.write(file, described(content, {"format": 1, "name": file.stem, "card": {"steps": steps}} | about))


def averaged(folders: Sequence[Path]) -> tuple[Any, list[int]]:
    """Return the mean of the checkpoints' averaged weights as a network, and the steps of each."""
    weights, steps = [], []
    for folder in folders:
        net = network()
        run = restored(folder, net, 1)
        with run.averaged():
            weights.append(net.get_weights())
        steps.append(run.done)
    net.set_weights([np.mean(each, axis=0) for each in zip(*weights, strict=True)])
    return net, steps


def fitted(readers: Sequence[SequenceReader]) -> dict[str, list[float]]:
    """Return the points of a rising line from confidence to the chance that the digits are right."""
    from sklearn.isotonic import IsotonicRegression

    numbers = LocalNumbers(open_provider("local"), readers)
    scores, right = [], []
    for one in held_back(CALIBRATED, SEED):
        prepared = prepare(DigitImage.open(one.image), numbers.wants)
        for candidate in numbers.read(prepared, timeout=1.0).candidates:
            scores.append(candidate.score or 0.0)
            right.append(digits_of(candidate.text) == digits_of(one.text))
    line = IsotonicRegression(y_min=1 / (len(right) + 2), y_max=1 - 1 / (len(right) + 2)).fit(scores, right)
    return {"scores": line.X_thresholds_.tolist(), "chances": line.y_thresholds_.tolist()}


if __name__ == "__main__":
    export(Path(sys.argv[1]), Path(sys.argv[2]), [Path(folder) for folder in sys.argv[3:]])
