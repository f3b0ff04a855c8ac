"""Fine-tune digitrec's network on one person's handwriting.

It starts from the shipped file. Beside the person's pictures it rehearses known
digits and non-digits, and should keep its answers to them: Zhizhong Li, Derek Hoiem, "Learning
without Forgetting", ECCV 2016. The gains and losses are measured on the files, before and after.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from digitrec.comparison.datasets.loader import Sample, sampled
from digitrec.comparison.datasets.mnist import NO_DIGIT, Digits
from digitrec.errors import DataError, ImageError, ModelError
from digitrec.errors.text import count
from digitrec.image import DigitImage, atomic
from digitrec.lab.datasets import overlap
from digitrec.lab.datasets.digits import cropped
from digitrec.lab.handwriting.augment import SIDE, augment
from digitrec.lab.training import card, cnn, export, finetuned
from digitrec.lab.training.backend import keras
from digitrec.lab.training.finetuned import Change
from digitrec.lab.training.learn import Tensors, cosine, tensors
from digitrec.lab.training.loop import Loop
from digitrec.lab.training.material import rehearsal
from digitrec.lab.training.recovered import recovered, widths
from digitrec.lab.training.run import FineTuneConfig, Watcher, unwatched
from digitrec.models import store
from digitrec.models.foreign import to_litert
from digitrec.models.network import described

log = logging.getLogger(__name__)

FEWEST = 10
"""Pictures to learn from at least; fewer teach nothing."""


@dataclass(frozen=True, slots=True)
class FineTuneResult:
    """What it came to."""

    file: Path
    """The model, for `predict --model`."""
    learned: int
    """The person's pictures that were learned."""
    changes: tuple[Change, ...]
    """How the held-out pictures (`finetuned.OWN`, if any) and all other sets are read before and after."""
    seconds: float
    """Time that it took, measuring included."""


def fine_tune(
    config: FineTuneConfig,
    out: Path,
    samples: Sequence[Sample],
    *,
    source: str,
    start: Path = store.SHIPPED,
    limit_test: int | None = None,
    on_progress: Watcher = unwatched,
) -> FineTuneResult:
    """Let our own network learn from labelled pictures, and write it to `out`.

    Pictures go through the same preparation as when they are read; those in which it finds no single
    character teach nothing, and are left out with a warning of the logger. The temperatures and
    the threshold for refusing stay as in `start`, because rehearsing keeps the answers.

    Args:
        config: what decides the outcome.
        out: the model file, `.tflite`.
        samples: the person's pictures; those labelled None are to be refused.
        source: what they are called, for the card.
        start: the file to begin with: the shipped one, or one that `digitrec train` or this wrote.
        limit_test: largest number from every measured set; None: see `finetuned.changes`.
        on_progress: called after every step.

    Raises:
        NotInstalled: the `train` extra is missing.
        DataError: fewer than `FEWEST` pictures are left to learn from.
        ModelError: `start` is not digitrec's own network, or `out` does not end in `.tflite`.
    """
    began = time.monotonic()
    if out.suffix != ".tflite":
        raise ModelError(
            f"{out}: digitrec's own network, learning on, is written as .tflite; name such a file"
        )
    if out.resolve() == start.resolve():
        raise ModelError(f"{out}: is the file to begin with; name another to write to")
    networks = recovered(start)
    to_learn, held_back = _parted(samples, config)
    own = _prepared(to_learn, source)
    known, counts = rehearsal(config, on_progress)
    network = cnn.together(networks)
    _learn(network, own, known, config, on_progress)
    facts: dict[str, Any] = {
        "architecture": cnn.describe(widths(networks[0]), len(networks)),
        "parameters": sum(one.count_params() for one in networks),
        "start": store.load(start).version,
        "learned_from": {source: len(own)},
        "rehearsed": counts,
        "settings": asdict(config),
        "environment": card.environment(),
        "training_seconds": time.monotonic() - began,
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    bare = to_litert(network)
    _write(bare, out, start, facts)
    learned = overlap.keys_with(start, own)
    overlap.write(learned, overlap.beside(out))
    changes = tuple(finetuned.changes(start, out, held_back, learned, limit_test))
    facts |= finetuned.measures(changes) | {"kilobytes": len(bare) / 1000}
    _write(bare, out, start, facts)
    return FineTuneResult(out, len(own), changes, time.monotonic() - began)


def _parted(samples: Sequence[Sample], config: FineTuneConfig) -> tuple[list[Sample], list[Sample]]:
    """Those to learn from and those held back, each label in its share."""
    order = np.random.default_rng(config.seed).permutation(len(samples))
    shuffled = [samples[place] for place in order]
    held = set(sampled([one.label for one in shuffled], round(config.validation * len(samples))).tolist())
    learned = [one for place, one in enumerate(shuffled) if place not in held]
    return learned, [shuffled[place] for place in sorted(held)]


def _prepared(samples: Sequence[Sample], source: str) -> Digits:
    """Prepare the pictures as for the network; leave out those it would not be asked about.

    Raises:
        DataError: too few are left.
    """
    images, labels = [np.zeros((0, SIDE, SIDE), np.uint8)], []
    for sample in samples:
        try:
            crop, findings = cropped(DigitImage.open(sample.image))
        except ImageError as error:
            log.warning("%s: left out: %s", source, error)
            continue
        if findings.reason is None:
            images.append(crop[None])
            labels.append(NO_DIGIT if sample.label is None else sample.label)
    own = Digits(np.concatenate(images), np.array(labels, np.uint8))
    if len(own) < len(samples):
        left_out = count(len(samples) - len(own), "picture")
        log.warning("%s: left out %s in which no single digit is found", source, left_out)
    if len(own) < FEWEST:
        raise DataError(
            f"{source}: {count(len(own), 'picture')} to learn from, of {len(samples)} that are not held "
            f"back, are fewer than {FEWEST}; give more"
        )
    return own


def _learn(
    network: keras.Model, own: Digits, known: Digits, config: FineTuneConfig, on_progress: Watcher
) -> None:
    """Take every step, then move the weights to `config.new` of the way to where they led."""
    before = network.get_weights()
    rehearsed, _ = tensors(known)
    said = network.predict(rehearsed, batch_size=256, verbose=0)
    theirs = max(1, round(config.own * config.batch))
    again = config.batch - theirs
    steps = max(1, len(rehearsed) // again)

    def batches() -> Iterator[Tensors]:
        rng = np.random.default_rng([config.seed, 1])
        for _ in range(config.epochs):
            order = rng.permutation(len(rehearsed))
            turns = rng.permutation(np.resize(np.arange(len(own)), steps * theirs))  # all equally often
            changed = augment(own.images[turns], rng, config.augmentation)
            images, labels = tensors(Digits(changed, own.labels[turns]))
            wanted = (1 - config.label_smoothing) * labels + config.label_smoothing / 10
            for step in range(steps):
                old = order[step * again : (step + 1) * again]
                new = slice(step * theirs, (step + 1) * theirs)
                yield np.concatenate([rehearsed[old], images[new]]), np.concatenate([said[old], wanted[new]])

    rate = cosine(config.learning_rate, steps * config.epochs, 0.1)
    network.compile(keras.optimizers.Adam(rate), "categorical_crossentropy")
    Loop(config.epochs, on_progress).fit(network, batches(), steps)
    pairs = zip(before, network.get_weights(), strict=True)
    network.set_weights([(1 - config.new) * one + config.new * other for one, other in pairs])


def _write(bare: bytes, out: Path, start: Path, facts: dict[str, Any]) -> None:
    """Write the file with its description; keep the confidence cap of `start`."""
    about = export.description(out.stem, facts, **asdict(store.load(start).input))
    atomic.write(out, described(bare, about))
