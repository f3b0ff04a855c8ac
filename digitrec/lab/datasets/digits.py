"""Convert digits of any source to the network's 28x28 form; recognise the digits that a model has learned.

A picture is recognised by a hash of its pixels in MNIST's form. Every source is converted to this form, which
leaves MNIST's own pictures unchanged, whether they come from an array, a table or a PNG. A picture is not
recognised after its pixels changed, for example by lossy compression, enlarging or inverting.
"""

import hashlib
import logging
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitrec.comparison.datasets.loader import Sample, limited, read_samples, sampled
from digitrec.comparison.datasets.mnist import Digits, mnist_test
from digitrec.errors import DataError, ImageError
from digitrec.errors.text import count
from digitrec.image import DigitImage, Findings, ImageSource, InputSpec, atomic
from digitrec.image.pixels import Pixels
from digitrec.lab.datasets.download import mnist_train
from digitrec.prepare import prepare

log = logging.getLogger(__name__)

WANTS = InputSpec(encoding="mnist")
Keys = NDArray[np.uint64]
"""The first 8 bytes of each picture's BLAKE2b hash; the chance that any two of 70,000 are equal is 1e-10."""
FILE = "learned.npy"
"""Name of the file with the keys of the learned digits, in the folder of a training run."""
SUFFIXES = (".keras", ".h5", ".tflite", ".skops")
"""Endings of model files that digitrec reads."""


def read_digits(source: str | Path, limit: int | None = None, *, single: bool = False) -> Digits:
    """Read the digits of a source in MNIST's form, prepared as for predicting.

    Args:
        source: "mnist-train" (the 60,000) or "mnist-test", unless a folder has that name, or anything that
            `loader.read_samples` accepts.
        limit: maximum number of digits, drawn by `sampled`; None: all.
        single: leave out pictures in which no single digit is found, with a warning in the log.

    Raises:
        DataError: the source has no digit, or one of its files is not a picture.
    """
    if source in ("mnist-train", "mnist-test") and not Path(source).is_dir():
        whole = mnist_train() if source == "mnist-train" else mnist_test()
        return whole[sampled(whole.labels, limit)]
    digits = limited([sample for sample in read_samples(source) if sample.label is not None], limit)
    images, labels, left_out = [], [], []
    for sample in digits:
        image, reason = _in_form(sample.image)
        if single and reason is not None:
            left_out.append(f"{sample.name or str(sample.image)} ({reason})")
        else:
            images.append(image)
            labels.append(sample.label)
    if left_out:
        log.warning("%s: left out %s, such as %s", source, count(len(left_out), "picture"), left_out[0])
    if not images:
        raise DataError(f"{source}: no labelled digits")
    return Digits(np.stack(images), np.array(labels, np.uint8))


def cropped(image: DigitImage) -> tuple[Pixels, Findings]:
    """Return a picture in MNIST's form, (28, 28), ink high, and the findings of the preparation."""
    ready = prepare(image, WANTS)
    return np.frombuffer(ready.data, np.uint8).reshape(28, 28), ready.findings


def in_form(source: ImageSource) -> Pixels:
    """Convert a picture to MNIST's form, 28x28, ink high; leave a picture in this form unchanged.

    Raises:
        DataError: the source is not a picture.
    """
    return _in_form(source)[0]


def _in_form(source: ImageSource) -> tuple[Pixels, str | None]:
    """Return `in_form` of a picture, and why it should be refused, or None."""
    try:
        image, findings = cropped(DigitImage.open(source))
    except ImageError as error:
        raise DataError(str(error)) from error
    return image, findings.reason


def keys_of(images: Pixels) -> Keys:
    """Return the keys of pictures in MNIST's form, (N, 28, 28)."""
    digests = [hashlib.blake2b(image.tobytes(), digest_size=8).digest() for image in images]
    return np.frombuffer(b"".join(digests), "<u8").astype(np.uint64)


def apart(test: Digits, learned: Keys, what: str) -> Digits:
    """Return the test digits that were not learned; ``what`` is the set's name for messages.

    Raises:
        DataError: all digits were learned.
    """
    left = test[np.flatnonzero(~np.isin(keys_of(test.images), learned))]
    if not len(left):
        raise DataError(
            f"{what}: all {len(test):,} test digits are training digits, so there is "
            "nothing to measure; learn from fewer (--limit), or test on others (--test)"
        )
    return left


def unlearned(samples: Sequence[Sample], learned: Keys | None) -> list[Sample]:
    """Return the labelled pictures that were not learned; an unreadable picture counts as not learned."""
    if learned is None or not len(learned):
        return list(samples)

    def known(sample: Sample) -> bool:
        with suppress(DataError):  # reading it later reports the error
            return bool(np.isin(keys_of(in_form(sample.image)[None]), learned).all())
        return False

    return [sample for sample in samples if not known(sample)]


def keep_keys(learned: Keys | None, model: Path) -> None:
    """Write the keys of a model beside its file; other models of that name keep theirs in the same list."""
    write_keys(learned, run_folder(model), add=bool(namesakes(model)))


def namesakes(model: Path) -> list[Path]:
    """Return the model files of the same name with another ending, which share the folder of a run."""
    others = (model.with_suffix(ending) for ending in SUFFIXES if ending != model.suffix)
    return [other for other in others if other.exists()]


def write_keys(learned: Keys | None, folder: Path, *, add: bool = False) -> None:
    """Write the keys into the folder of a run; with ``add``, keep those of the model that is still there.

    If not all keys are known (None), delete the list, since `evaluate` warns only if it is missing.
    """
    if learned is None:
        (folder / FILE).unlink(missing_ok=True)
        return
    folder.mkdir(parents=True, exist_ok=True)
    with suppress(DataError):  # damaged keys are replaced
        before = read_keys(folder / FILE) if add else None
        learned = learned if before is None else np.append(learned, before)
    with atomic.replacing(folder / FILE) as unfinished:
        np.save(unfinished, np.unique(learned))


def read_keys(model: Path) -> Keys | None:
    """Read the keys of the digits that a model learned, stored beside its file; None if they are missing.

    Raises:
        DataError: the file with the keys is damaged.
    """
    file = run_folder(model) / FILE
    if not file.is_file():
        file = model.parent / FILE  # the model is the best network in the folder of a run
    try:
        with file.open("rb") as opened:
            kept: Keys = np.lib.format.read_array(opened, allow_pickle=False)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise DataError(f"{file}: damaged; train {model} again") from error
    if kept.dtype != np.uint64 or kept.ndim != 1:
        raise DataError(f"{file}: not the list of a training run; train {model} again")
    return kept


def run_folder(model: Path) -> Path:
    """Return the folder with the history, checkpoint and keys of a model file's training."""
    return model.with_name(f"{model.stem}-run")
