"""Fine-tune digitrec's network on one person's handwriting, and measure gains and losses.

Training starts from the shipped file. Besides the person's pictures the network rehearses known digits and
non-digits, whose answers should not change: Zhizhong Li, Derek Hoiem, "Learning without Forgetting", ECCV
2016. Gains and losses are measured on both model files.
"""

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
from digitrec.lab import stocks
from digitrec.lab.datasets.digits import Keys, cropped, keep_keys, unlearned
from digitrec.lab.evaluation import accuracy
from digitrec.lab.handwriting.augment import SIDE, augment
from digitrec.lab.training.backend import keras
from digitrec.lab.training.card import environment, measured, saver
from digitrec.lab.training.convert import recovered
from digitrec.lab.training.epochs import Loop
from digitrec.lab.training.material import rehearsal
from digitrec.lab.training.networks import together
from digitrec.lab.training.run import FineTuneConfig, Watcher, keys_with, unwatched
from digitrec.lab.training.train import Tensors, cosine, tensors
from digitrec.models import store
from digitrec.providers.registry import open_provider

log = logging.getLogger(__name__)

FEWEST = 10
"""Minimum number of pictures; fewer have no effect."""
OWN = "your own, held back"
"""Name of the set of the person's pictures that were held out."""
HEADER = ("correct", "before", "after", "95 % interval", "gained", "lost")
"""Column titles of `rows`."""
WHOLE = "mnist-test"
"""The set that is measured completely by default, because it needs no preparation."""
SOME = 300
"""Number of pictures of every other set."""
REFUSED_SETS = ("letters", "scribbles")
"""The sets to refuse that are measured."""


@dataclass(frozen=True, slots=True)
class Change:
    """The accuracy on a set before and after fine-tuning."""

    data: str
    """Name of the set."""
    refusing: bool
    """Whether a refusal is right on this set, because its pictures show no single digit."""
    before: Proportion
    """Right answers before."""
    after: Proportion
    """Right answers after."""
    gained: int
    """Number of pictures that are right only after."""
    lost: int
    """Number of pictures that were right only before."""
    left_out: int
    """Number of pictures omitted because they were learned."""

    @property
    def row(self) -> tuple[str, ...]:
        """The cells of a row under `HEADER`."""
        name = f"{self.data}, refused" if self.refusing else self.data
        if self.left_out:
            name += f" ({count(self.left_out, 'learned picture')} excluded)"
        before = f"{percent(self.before.share, 2)} of {self.before.n:,}"
        after = percent(self.after.share, 2)
        return name, before, after, self.after.interval(2), str(self.gained), str(self.lost)


def changes(
    start: Path, out: Path, held_back: Sequence[Sample], learned: Keys, limit: int | None
) -> Iterator[Change]:
    """Measure two model files on pictures that were not learned; a refused digit counts as wrong.

    The sets are the person's held-out pictures, MNIST's test digits, letters and scribbles, and the other
    sets of digits in the folder that DIGITREC_DATA names.

    Args:
        start: the model file before fine-tuning.
        out: the model file after it.
        held_back: the person's held-out pictures; empty: skip this set.
        learned: keys of the learned pictures.
        limit: maximum number of pictures of each other set, all digits in proportion; None: all of `WHOLE`,
            `SOME` of the others.

    Raises:
        DataError: an available set is damaged.
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
    """Yield each set's name and pictures, and whether a refusal is right on it."""
    if held_back:
        yield OWN, held_back, False
    for one in accuracy.sets():
        if one.name in REFUSED_SETS or one.group == accuracy.DIGITS:
            most = SOME if limit is None and one.name != WHOLE else limit
            yield one.name, one.samples(most), one.name in REFUSED_SETS


def _right(samples: Sequence[Sample], engine: Engine, data: str) -> NDArray[np.bool_]:
    """Return which pictures the engine reads correctly, (N,)."""
    pairs = measure(samples, engine, data).pairs if samples else ()
    return np.array([is_right(*pair) for pair in pairs], bool)


def verdict(changes: Sequence[Change]) -> str:
    """Name the other sets on which clearly more was lost than gained."""
    worse = [
        one.data for one in changes
        if one.data != OWN and one.lost - one.gained > 2 * (one.lost + one.gained) ** 0.5
    ]  # fmt: skip
    if not worse:
        return "No other set is read significantly worse."
    return f"Significantly worse now: {', '.join(worse)}. A lower --learning-rate forgets less."


@dataclass(frozen=True, slots=True)
class FineTuneResult:
    """The result of fine-tuning."""

    file: Path
    """The model, for `predict --model`."""
    learned: int
    """Number of the person's pictures that were learned."""
    changes: tuple[Change, ...]
    """Accuracy on the held-out pictures (`OWN`, if any) and on all other sets, before and after."""
    seconds: float
    """Duration, measuring included."""


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
    """Train our own network on labelled pictures, and write it to `out`.

    Pictures are prepared as for predicting; pictures without a single character are skipped with a warning
    in the log. The temperatures and the threshold for refusing stay as in `start`, because rehearsing keeps
    the network's answers.

    Args:
        config: the settings of the training.
        out: the model file, `.tflite`.
        samples: the person's pictures; those labelled None must be refused.
        source: name of the pictures, for the card.
        start: the file to start from: the shipped one, or one written by `digitrec train` or this function.
        limit_test: maximum number of pictures of every measured set; None: see `changes`.
        on_progress: called after every step.

    Raises:
        NotInstalled: the `train` extra is missing.
        DataError: fewer than `FEWEST` pictures remain.
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
    begun, network = store.load(start), together(networks)
    _learn(network, own, known, config, on_progress)
    facts: dict[str, Any] = {
        **{name: begun.card[name] for name in ("architecture", "parameters") if name in begun.card},
        "start": begun.version,
        "learned_from": {source: len(own)},
        "rehearsed": counts,
        "settings": asdict(config),
        "environment": environment(),
        "training_seconds": time.monotonic() - began,
    }
    save, how = saver(network, out, begun.second), asdict(begun.input)  # keeps temperatures and thresholds
    save(facts, **how)
    learned, is_whole = keys_with(start, own + known)
    keep_keys(learned if is_whole else None, out)
    found = tuple(changes(start, out, held_back, learned, limit_test))
    whole = next(one for one in found if one.data == WHOLE)
    facts["changes"] = [asdict(one) for one in found]
    if whole.after.n:  # the person's pictures may be the whole set
        facts["test"] = measured(whole.after, WHOLE, whole.left_out)
    save(facts | {"kilobytes": out.stat().st_size / 1000}, **how)
    return FineTuneResult(out, len(own), found, time.monotonic() - began)


def _parted(samples: Sequence[Sample], config: FineTuneConfig) -> tuple[list[Sample], list[Sample]]:
    """Split the pictures into training and held-out pictures, each label in proportion."""
    shuffled = [samples[at] for at in np.random.default_rng(config.seed).permutation(len(samples))]
    held = set(sampled([one.label for one in shuffled], round(config.validation * len(samples))).tolist())
    learned = [one for place, one in enumerate(shuffled) if place not in held]
    return learned, [shuffled[place] for place in sorted(held)]


def _prepared(samples: Sequence[Sample], source: str) -> Digits:
    """Prepare the pictures as for the network; leave out pictures that the network would not get.

    Raises:
        DataError: too few pictures remain.
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
    """Train for all steps, then move the weights a share, `config.new`, of the way to the trained ones."""
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
            turns = rng.permutation(np.resize(np.arange(len(own)), steps * theirs))  # each equally often
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
    network.set_weights(stocks.between(before, network.get_weights(), config.new))
