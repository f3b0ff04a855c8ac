"""Training by name: any architecture of the zoo, as the tutorials do it, to one model file.

Our own network has its own recipe in `digitrec.training.train`; here are Adam, a loss of one's choice, digits
held back to stop by, and a checkpoint after each epoch.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from digitrec.datasets.mnist import Digits, mnist_test, mnist_train
from digitrec.errors import ModelError
from digitrec.models import classics, store
from digitrec.training import card, export, run, zoo
from digitrec.training.learn import Watcher, load_keras
from digitrec.training.lessons import Watch, batch_of, lessons
from digitrec.training.run import Epoch
from digitrec.training.train import split
from digitrec.training.zoo import Architecture

if TYPE_CHECKING:
    import keras

SUFFIXES = {"keras": (".keras", ".h5", ".tflite"), "scikit-learn": (".skops",)}
"""What a model file may end in, by the library that trains it."""
Writer = Callable[[dict[str, Any]], object]


@dataclass(frozen=True, slots=True)
class FitConfig:
    """Everything that decides what is learned; None is the architecture's own."""

    arch: str = "tutorial-cnn"
    """A name in `zoo.ZOO`, or a file that `tune` wrote."""
    epochs: int | None = None
    """Times that every digit is seen, at most."""
    batch: int | None = None
    """Digits per step."""
    learning_rate: float | None = None
    """Adam's, at the start."""
    loss: Literal["categorical", "sparse"] = "categorical"
    """Cross-entropy over one-hot labels, or over the labels as numbers: the same figure, two spellings."""
    scale: str = "unit"
    """What the pixels are made: one of `store.SCALES`."""
    validation: float = 0.1
    """Share of the digits held back, the same ones for every seed, 0..1."""
    patience: int = 5
    """Epochs without a lower loss on the digits held back after which it stops, its best weights restored."""
    seed: int = 0
    """Decides the first weights, the order of the digits and how they are changed."""


@dataclass(frozen=True, slots=True)
class FitResult:
    """What it came to."""

    file: Path
    """The model, for `predict --model`."""
    history: tuple[Epoch, ...]
    """One row per epoch; empty for scikit-learn."""
    seconds: float
    """Time spent on learning."""
    test_loss: float
    """Mean cross-entropy over the test digits, read through the file."""
    test_correct: int
    """Test digits read rightly through the file."""
    test_count: int
    """Test digits."""


def fit(
    config: FitConfig,
    out: Path,
    *,
    digits: Digits | None = None,
    test: Digits | None = None,
    start: Path | None = None,
    resume: bool = False,
    on_progress: Watcher | None = None,
) -> FitResult:
    """Train what `config` says and write it to `out`, which its card and its checkpoint stand beside.

    Args:
        config: what decides the outcome.
        out: the model file; `SUFFIXES` has the endings.
        digits: those to learn from; by default MNIST's 60,000.
        test: those to measure with in the end; by default MNIST's 10,000.
        start: a `.keras` or `.h5` file whose network learns on, instead of a new one; for a backbone an
            `.h5` file is taken for its published weights, without the top.
        resume: go on after the last finished epoch of a run for the same file that was stopped.
        on_progress: told after every step.

    Raises:
        NotInstalled: the extra `train` (Keras) or `stats` (scikit-learn) is missing.
        DataError: MNIST cannot be had.
        ModelError: there is no such architecture, it cannot be written as `out` says, `start` is no network,
            or `resume` finds no run or one with other settings.
    """
    kind = zoo.find(config.arch)
    if out.suffix not in SUFFIXES[kind.family]:
        raise ModelError(f"{out}: {kind.name} is written as {', '.join(SUFFIXES[kind.family])}")
    digits = mnist_train() if digits is None else digits
    out.parent.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    history: list[Epoch] = []
    if kind.family == "scikit-learn":
        learned = kind.build(config.seed)
        learned.fit(classics.flat(store.scaled(digits.images, config.scale)), digits.labels)
    else:
        network, history = _begun(kind, config, out, start, len(digits), resume)
        learned = _learn(network, history, kind, config, digits, _folder(out), on_progress)
    seconds = time.monotonic() - started
    facts = {
        "architecture": f"{kind.title} ({kind.origin})",
        "training_seconds": seconds,
        "settings": asdict(config),
        "environment": card.environment(),
    }
    loss, correct, count = _write(learned, out, facts, config.scale, mnist_test() if test is None else test)
    return FitResult(out, tuple(history), seconds, loss, correct, count)


def _write(
    learned: Any, out: Path, facts: dict[str, Any], scale: str, test: Digits
) -> tuple[float, int, int]:
    """Write the model with its description, which says what the test digits said through that very file."""
    save: Writer
    if out.suffix == ".skops":
        save, output = partial(classics.save, learned, out), classics.output_of(learned)
    else:
        save, output = _keras_writer(learned, out), "softmax"
        facts["parameters"] = learned.count_params()
    save(export.description(out.stem, facts, output=output, scale=scale))
    loss, correct, count = measured(out, test)
    facts["test"] = card.measured(correct, count)
    save(export.description(out.stem, facts, output=output, scale=scale))
    return loss, correct, count


def measured(file: Path, test: Digits) -> tuple[float, int, int]:
    """Mean cross-entropy, digits read rightly and digits, through a model file."""
    chances = store.load(file).probabilities(test.images)
    given = chances[np.arange(len(test)), test.labels]
    loss = float(-np.log(np.maximum(given, 1e-7)).mean())
    return loss, int((chances.argmax(axis=1) == test.labels).sum()), len(test)


def _folder(out: Path) -> Path:
    """Where the history and the checkpoint of a run for `out` are kept."""
    return out.with_name(f"{out.stem}-run")


def _begun(
    kind: Architecture, config: FitConfig, out: Path, start: Path | None, count: int, resume: bool
) -> tuple[keras.Model, list[Epoch]]:
    """The network and its history: new, or as a stopped run left them."""
    _, steps = _steps(kind, config, count - round(config.validation * count))
    if resume:
        run.check(_folder(out), config)
        return run.stopped(_folder(out), steps)
    keras = load_keras()
    keras.utils.set_random_seed(config.seed)
    network = _new(kind, start)
    rate: Any = config.learning_rate or kind.learning_rate
    if kind.cosine:
        rate = keras.optimizers.schedules.CosineDecay(rate, steps * (config.epochs or kind.epochs))
    loss = "categorical_crossentropy" if config.loss == "categorical" else "sparse_categorical_crossentropy"
    network.compile(keras.optimizers.Adam(rate), loss, metrics=["accuracy"])
    run.begin(_folder(out), config)
    return network, []


def _new(kind: Architecture, start: Path | None) -> keras.Model:
    """The network before its first step."""
    if start is None:
        return kind.build()
    try:
        if kind.takes_weights and start.suffix == ".h5":
            return kind.build(start)
        return load_keras().saving.load_model(start, compile=False, safe_mode=True)
    except (OSError, ValueError) as error:
        raise ModelError(f"{start}: Keras cannot begin with it; give a .keras or .h5 file") from error


def _steps(kind: Architecture, config: FitConfig, count: int) -> tuple[int, int]:
    """Digits per step, and steps per epoch, of so many digits to learn from."""
    batch = min(config.batch or kind.batch, count)
    return batch, count // batch


def _learn(
    network: keras.Model,
    history: list[Epoch],
    kind: Architecture,
    config: FitConfig,
    digits: Digits,
    folder: Path,
    on_progress: Watcher | None,
) -> keras.Model:
    """Take every epoch that is left; the network is then at its best on the digits held back."""
    keras = load_keras()
    learned, held_back = split(digits, config.validation)
    batch, steps = _steps(kind, config, len(learned))
    epochs = config.epochs or kind.epochs
    watch = Watch(network, history, folder, steps, epochs, on_progress)
    callbacks = [keras.callbacks.LambdaCallback(on_epoch_end=watch.epoch, on_train_batch_end=watch.step)]
    if len(held_back):
        callbacks.append(
            keras.callbacks.EarlyStopping("val_loss", patience=config.patience, restore_best_weights=True)
        )
    network.fit(
        lessons(learned, kind, config, batch, len(history)), steps_per_epoch=steps, epochs=epochs,
        initial_epoch=len(history), validation_data=batch_of(held_back, config) if len(held_back) else None,
        shuffle=False, validation_batch_size=256, verbose=0, callbacks=callbacks,
    )  # fmt: skip
    return network


def _keras_writer(network: keras.Model, out: Path) -> Writer:
    """What writes the network with a description, by the ending of the file."""
    if out.suffix != ".tflite":
        return lambda about: export.save_keras(network, out, about)
    bare = export.to_litert(network)
    return lambda about: out.write_bytes(export.described(bare, about))
