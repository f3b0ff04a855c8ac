"""What a run learns from besides MNIST's digits: those of other countries, and those that are made."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from digitrec.comparison.datasets.mnist import Digits
from digitrec.image.atomic import replacing
from digitrec.lab.datasets import fonts, world
from digitrec.lab.datasets.world import Paths, Scans
from digitrec.lab.handwriting import printed, staging, strangers, synthetic
from digitrec.lab.handwriting.augment import SIDE
from digitrec.lab.handwriting.writer import Writer
from digitrec.lab.training.learn import Watcher
from digitrec.lab.training.run import Progress, TrainConfig

_PORTION = 100  # digits made between two words of progress


def abroad(config: TrainConfig, file: Path, on_progress: Watcher | None) -> Digits:
    """The digits of `world` that are learned, prepared, `config.world` times; kept in `file`.

    Raises:
        DataError: they cannot be had.
    """
    if not config.world:
        return Digits(np.zeros((0, SIDE, SIDE), np.uint8), np.zeros(0, np.uint8))
    scans, paths = world.swiss("learned"), world.turkish("learned")
    count = -(-max(len(scans.labels), len(paths.labels)) // _PORTION)
    seeds = [[config.seed, turn, portion] for turn in range(config.world) for portion in range(count)]
    return _kept((_portion(scans, paths, seed) for seed in seeds), len(seeds), file, on_progress)


def writers_held_back() -> Digits:
    """The digits of `world` whose writers nobody learned from, prepared.

    Raises:
        DataError: they cannot be had.
    """
    return synthetic.ready([*strangers.swiss_dev(), *strangers.turkish_dev()])


def made(learned: Digits, own: int, config: TrainConfig, file: Path, on_progress: Watcher | None) -> Digits:
    """What one network learns that is made from those `learned`, `own` of them MNIST's; kept in `file`.

    Raises:
        DataError: the fonts cannot be had.
        NotInstalled: Matplotlib is missing, whose fonts are printed with.
    """
    numbers = [round(share * own) // _PORTION for share in (config.made, config.scenes)]
    kinds = [synthetic.make] * numbers[0] + [staging.staged] * numbers[1]
    seeds = [[config.seed, _PORTION * number] for number in range(1, len(kinds) + 1)]
    writer = Writer(learned, _fonts(config) if kinds else (), varied=0.3)
    portions = (kind(writer, _PORTION, its) for kind, its in zip(kinds, seeds, strict=True))
    return _kept(portions, len(kinds), file, on_progress)


def _fonts(config: TrainConfig) -> tuple[str, ...]:
    """Files of the fonts that are learned."""
    designed = fonts.fonts("hand", "learned") + fonts.fonts("print", "learned") if config.fonts else ()
    return printed.fonts_to_learn() + designed


def _portion(scans: Scans, paths: Paths, seed: list[int]) -> Digits:
    """A portion of both, the first time the scans as they are; the last numbers of the seed say which."""
    *_, turn, portion = seed
    rng = np.random.default_rng(seed)
    part = slice(portion * _PORTION, (portion + 1) * _PORTION)
    scanned = synthetic.scanned(scans[part])
    if turn and len(scanned):
        scanned = synthetic.photographed(scanned, len(scanned), rng)
    return scanned + synthetic.written(paths[part], rng)


def _kept(portions: Iterator[Digits], count: int, file: Path, on_progress: Watcher | None) -> Digits:
    """All the portions together; kept in `file`, since each digit takes 10 to 20 ms."""
    if file.is_file():
        with np.load(file) as kept:
            return Digits(kept["images"], kept["labels"])
    images, labels = [np.zeros((0, SIDE, SIDE), np.uint8)], [np.zeros(0, np.uint8)]
    started = time.monotonic()
    for number, portion in enumerate(portions, 1):
        images.append(portion.images)
        labels.append(portion.labels)
        if on_progress is not None:
            done = number / count
            on_progress(Progress(done, 0, 0.0, (time.monotonic() - started) * (1 / done - 1), None))
    together = Digits(np.concatenate(images), np.concatenate(labels))
    with replacing(file) as unfinished:
        np.savez_compressed(unfinished, images=together.images, labels=together.labels)
    return together
