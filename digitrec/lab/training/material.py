"""Provide training material besides the run's own digits: from other countries, generated, rehearsed."""

import logging
from collections.abc import Iterator

import numpy as np

from digitrec.comparison.datasets.loader import sampled
from digitrec.comparison.datasets.mnist import NO_DIGIT, Digits
from digitrec.errors import DataError, NotInstalled
from digitrec.lab.datasets import world
from digitrec.lab.datasets.download import font_files, mnist_train
from digitrec.lab.evaluation.accuracy import swiss_dev, turkish_dev
from digitrec.lab.handwriting import synthetic
from digitrec.lab.handwriting.augment import SIDE
from digitrec.lab.handwriting.writer import Writer, fonts_to_learn
from digitrec.lab.training.run import FineTuneConfig, TrainConfig, Watcher

log = logging.getLogger(__name__)

_PORTION = 100  # digits made between two progress reports
_EMPTY = Digits(np.zeros((0, SIDE, SIDE), np.uint8), np.zeros(0, np.uint8))
_DRAWN = 1.1  # the preparation does not find every digit drawn in place of MNIST's


def abroad(config: TrainConfig, on_progress: Watcher) -> Digits:
    """Return the prepared training digits of `world`, `config.world` times.

    Raises:
        DataError: they are unavailable.
    """
    if not config.world:
        return _EMPTY
    scans, paths = world.swiss("learned"), world.turkish("learned")
    count = -(-max(len(scans.labels), len(paths.labels)) // _PORTION)
    seeds = [[config.seed, turn, portion] for turn in range(config.world) for portion in range(count)]
    return _together((_portion(scans, paths, seed) for seed in seeds), len(seeds), on_progress)


def writers_held_back() -> Digits:
    """Return the prepared digits of the held-out writers of `world`.

    Raises:
        DataError: they are unavailable.
    """
    samples = [*swiss_dev(), *turkish_dev()]
    labels = np.array([sample.label for sample in samples], np.uint8)
    return synthetic.prepared((np.asarray(sample.image) for sample in samples), labels)


def made(learned: Digits, own: int, config: TrainConfig, on_progress: Watcher) -> Digits:
    """Return digits generated from `learned`; ``own`` is the number of MNIST's digits among these.

    Raises:
        DataError: the fonts are unavailable.
        NotInstalled: Matplotlib, whose fonts are used, is missing.
    """
    numbers = [round(share * own) // _PORTION for share in (config.made, config.scenes)]
    kinds = [synthetic.make] * numbers[0] + [synthetic.staged] * numbers[1]
    seeds = [[config.seed, _PORTION * number] for number in range(1, len(kinds) + 1)]
    writer = Writer(learned, _fonts(config) if kinds else (), varied=0.3)
    portions = (kind(writer, _PORTION, seed) for kind, seed in zip(kinds, seeds, strict=True))
    return _together(portions, len(kinds), on_progress)


def _fonts(config: TrainConfig) -> tuple[str, ...]:
    """Return the files of the fonts for training."""
    return fonts_to_learn() + (font_files("learned") if config.fonts else ())


def _portion(scans: Digits, paths: world.Paths, seed: list[int]) -> Digits:
    """Return a portion of both; ``seed`` ends in the turn (0: unchanged scans) and the portion's number."""
    *_, turn, portion = seed
    rng = np.random.default_rng(seed)
    part = slice(portion * _PORTION, (portion + 1) * _PORTION)
    scanned = synthetic.prepared(scans.images[part], scans.labels[part])
    if turn and len(scanned):
        scanned = synthetic.photographed(scanned, len(scanned), rng)
    return scanned + synthetic.written(paths[part], rng)


def _together(portions: Iterator[Digits], count: int, on_progress: Watcher) -> Digits:
    """Return all `count` parts joined."""
    parts = [_EMPTY]
    for number, portion in enumerate(portions, 1):
        parts.append(portion)
        on_progress(number / count, "generating digits")
    images, labels = [one.images for one in parts], [one.labels for one in parts]
    return Digits(np.concatenate(images), np.concatenate(labels))


def rehearsal(config: FineTuneConfig, on_progress: Watcher) -> tuple[Digits, dict[str, int]]:
    """Return pictures that a network rehearses so that it forgets little, and the number of each kind.

    They are digits of MNIST's 60,000, and about `config.made` pictures and `config.scenes` scenes made from
    them. If MNIST is unavailable, digits of the synthetic hand replace it, with a warning in the log.

    Raises:
        NotInstalled: Matplotlib, whose fonts are used, is missing.
    """
    rng = np.random.default_rng([config.seed, 0])
    try:
        whole = mnist_train()
        digits, source = whole[sampled(whole.labels, config.written)], "mnist-train"
    except (DataError, NotInstalled) as error:
        log.warning("digits of a synthetic hand replace MNIST's, which are unavailable: %s", error)
        source = "synthetic hand"
        digits = synthetic.drawn(round(_DRAWN * config.written), rng)[: config.written]
    portions = [
        (kind, min(_PORTION, count - start))
        for kind, count in ((synthetic.make, config.made), (synthetic.staged, config.scenes))
        for start in range(0, count, _PORTION)
    ]
    writer = Writer(digits, fonts_to_learn(), varied=0.3)
    made = (kind(writer, count, [config.seed, at]) for at, (kind, count) in enumerate(portions, 1))
    generated = _together(made, len(portions), on_progress)
    senseless = int((generated.labels == NO_DIGIT).sum())
    counts = {source: len(digits), "generated": len(generated) - senseless, "no digit": senseless}
    return digits + generated, counts
