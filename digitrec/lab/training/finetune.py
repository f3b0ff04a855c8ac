"""Fine-tune digitrec's network on one person's handwriting, and measure what was gained and lost.

It starts from the shipped file. Beside the person's pictures it rehearses known digits and non-digits, and
should keep its answers to them: Zhizhong Li, Derek Hoiem, "Learning without Forgetting", ECCV 2016. The gains
and losses are measured on the files, before and after.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitrec.comparison.benchmark.measure import is_right, measure
from digitrec.comparison.benchmark.measures import Proportion, proportion
from digitrec.comparison.datasets.loader import Sample, sampled
from digitrec.comparison.datasets.mnist import NO_DIGIT, Digits
from digitrec.engine import Engine
from digitrec.errors import DataError, ImageError, ModelError
from digitrec.errors.text import count, percent
from digitrec.image import DigitImage
from digitrec.lab.datasets.digits import Keys, cropped, keys_with, run_folder, unlearned, write_keys
from digitrec.lab.evaluation import accuracy
from digitrec.lab.handwriting.augment import SIDE, augment
from digitrec.lab.training.backend import keras
from digitrec.lab.training.card import environment, measured, saver
from digitrec.lab.training.convert import recovered, widths
from digitrec.lab.training.epochs import Loop
from digitrec.lab.training.material import rehearsal
from digitrec.lab.training.networks import describe, together
from digitrec.lab.training.run import FineTuneConfig, Watcher, unwatched
from digitrec.lab.training.train import Tensors, cosine, tensors
from digitrec.models import store
from digitrec.providers.registry import open_provider

OWN = "your own, held back"
"""Name of the set of the person's pictures that were not learned."""
HEADER = ("read rightly", "before", "after", "95 % interval", "gained", "lost")
"""Heads of the columns of `rows`."""
WHOLE = "mnist-test"
"""The set that is measured whole by default, because it is already prepared."""
SOME = 300
"""Pictures of every other set."""
REFUSED_SETS = ("letters", "scribbles")
"""The sets to refuse that are measured."""


@dataclass(frozen=True, slots=True)
class Change:
    """A set, and how it is read before and after."""

    data: str
    """Name of the set."""
    refusing: bool
    """Whether refusing is right on it, because it shows no single digit."""
    before: Proportion
    """Right answers before."""
    after: Proportion
    """Right answers after."""
    gained: int
    """Pictures that are right only after."""
    lost: int
    """Pictures that were right only before."""
    left_out: int
    """Pictures that were learned, and so are not read."""

    @property
    def row(self) -> tuple[str, ...]:
        """The cells under `HEADER`."""
        name = f"{self.data}, refused" if self.refusing else self.data
        before = f"{percent(self.before.share, 2)} of {self.before.n:,}"
        after = percent(self.after.share, 2)
        return name, before, after, self.after.interval(2), str(self.gained), str(self.lost)


def changes(
    start: Path, out: Path, held_back: Sequence[Sample], learned: Keys, limit: int | None
) -> Iterator[Change]:
    """Measure two model files on the pictures that were not learned; a refused digit counts as wrong.

    The sets are the person's held-out pictures, MNIST's test digits, letters and scribbles, and the other
    sets of digits in the folder that DIGITREC_DATA names.

    Args:
        start: the model file before the change.
        out: the model file after it.
        held_back: the person's pictures that were not learned; none: that set is left out.
        learned: keys of the pictures that were learned.
        limit: largest number of each other set, all digits in proportion; None: all of `WHOLE`, `SOME` of
            the others.

    Raises:
        DataError: a set that is here is damaged.
    """
    with (
        Engine(open_provider("local", model=start)) as before,
        Engine(open_provider("local", model=out)) as after,
    ):
        for name, samples, refusing in _sets(held_back, limit):
            left = unlearned(samples, learned)
            was, now = (_right(left, engine, name) for engine in (before, after))
            yield Change(
                name, refusing, proportion(int(was.sum()), len(left)), proportion(int(now.sum()), len(left)),
                int((now & ~was).sum()), int((was & ~now).sum()), len(samples) - len(left),
            )  # fmt: skip


def _sets(held_back: Sequence[Sample], limit: int | None) -> Iterator[tuple[str, Sequence[Sample], bool]]:
    """Yield name and pictures of each set, and whether refusing is right on it."""
    if held_back:
        yield OWN, held_back, False
    for one in accuracy.sets():
        most = SOME if limit is None and one.name != WHOLE else limit
        if one.name in REFUSED_SETS:
            yield one.name, one.samples(most), True
        elif one.group == accuracy.DIGITS:
            samples = one.samples(None)
            yield one.name, [samples[at] for at in sampled([it.label for it in samples], most)], False


def _right(samples: Sequence[Sample], engine: Engine, data: str) -> NDArray[np.bool_]:
    """Return which pictures the engine reads correctly, (N,)."""
    outcomes = measure(samples, engine, data).outcomes if samples else ()
    pairs = zip(outcomes, samples, strict=True)
    return np.array([is_right(outcome, sample.label) for outcome, sample in pairs], bool)


def verdict(changes: Sequence[Change]) -> str:
    """Name the other sets on which clearly more was lost than gained."""
    worse = [
        one.data for one in changes
        if one.data != OWN and one.lost - one.gained > 2 * (one.lost + one.gained) ** 0.5
    ]  # fmt: skip
    if not worse:
        return "No other set is read significantly worse."
    return f"Significantly worse now: {', '.join(worse)}. A lower --learning-rate forgets less."


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
    """How the held-out pictures (`OWN`, if any) and all other sets are read before and after."""
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
        limit_test: largest number from every measured set; None: see `changes`.
        on_progress: called after every step.

    Raises:
        NotInstalled: the `train` extra is missing.
        DataError: fewer than `FEWEST` pictures are left to learn from.
        ModelError: `start` is not digitrec's own network, or `out` does not end in `.tflite`.
    """
    began = time.monotonic()
    if out.suffix != ".tflite":
        raise ModelError(f"{out}: a fine-tuned network is saved as .tflite; name a .tflite file")
    if out.resolve() == start.resolve():
        raise ModelError(f"{out}: is also the file to start from; name another output")
    networks = recovered(start)
    to_learn, held_back = _parted(samples, config)
    own = _prepared(to_learn, source)
    known, counts = rehearsal(config, on_progress)
    network = together(networks)
    _learn(network, own, known, config, on_progress)
    facts: dict[str, Any] = {
        "architecture": describe(widths(networks[0]), len(networks)),
        "parameters": sum(one.count_params() for one in networks),
        "start": store.load(start).version,
        "learned_from": {source: len(own)},
        "rehearsed": counts,
        "settings": asdict(config),
        "environment": environment(),
        "training_seconds": time.monotonic() - began,
    }
    save, how = saver(network, out), asdict(store.load(start).input)  # keeps the temperatures and thresholds
    save(facts, **how)
    learned = keys_with(start, own)
    write_keys(learned, run_folder(out))
    found = tuple(changes(start, out, held_back, learned, limit_test))
    whole = next(one for one in found if one.data == WHOLE)
    test = measured(whole.after, WHOLE, whole.left_out)
    facts |= {"changes": [asdict(one) for one in found], "test": test}
    save(facts | {"kilobytes": out.stat().st_size / 1000}, **how)
    return FineTuneResult(out, len(own), found, time.monotonic() - began)


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
    Loop(config.epochs, on_progress).fit(network, batches(), steps, config.epochs)
    pairs = zip(before, network.get_weights(), strict=True)
    network.set_weights([(1 - config.new) * one + config.new * other for one, other in pairs])
