"""Training the network: MNIST's 60,000 digits, changed anew in every epoch, to a model file with its card.

AdamW with one warm-up and a cosine down to nothing, smoothed labels, and a running average of the weights, whose batch
normalisation is measured again before use. A tenth of the digits is held back to watch by; the 10,000 test digits are
looked at once, when all is done, for the card.
"""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from digitrec.errors import ModelError, NotInstalled
from digitrec.models import card, cnn, export, store
from digitrec.models.augment import Augmentation, augment
from digitrec.models.data import SHA256, Digits, mnist_test, mnist_train

if TYPE_CHECKING:
    import keras

CHECKPOINT, SETTINGS, HISTORY = "checkpoint.keras", "settings.json", "history.csv"


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """Everything that decides what a training run learns."""

    name: str = "digitrec-cnn"
    """Name of the model and its files."""
    widths: tuple[int, ...] = (32, 64, 128)
    """Channels of each stage of the network."""
    epochs: int = 14
    """Times that every digit is seen, each time changed differently."""
    batch: int = 128
    """Digits per step."""
    learning_rate: float = 3e-3
    """Highest learning rate, reached after the warm-up."""
    warm_up: float = 0.15
    """Share of the steps in which the learning rate rises."""
    weight_decay: float = 0.02
    """AdamW's decay."""
    label_smoothing: float = 0.05
    """Share of each label that is spread over all ten digits."""
    averaging: float = 0.05
    """Share of the run that the running average of the weights reaches back over."""
    validation: float = 0.1
    """Share of the digits held back, the same ones for every seed."""
    seed: int = 0
    """Decides the first weights, the order of the digits and how they are changed."""
    augmentation: Augmentation = field(default_factory=Augmentation)
    """How far the digits are changed."""


@dataclass(frozen=True, slots=True)
class Epoch:
    """One row of the history."""

    epoch: int
    """1 is the first."""
    loss: float
    """Mean cross-entropy with smoothed labels over the changed digits."""
    accuracy: float
    """Share of the changed digits read rightly while learning, 0..1."""
    validation_loss: float
    """Mean cross-entropy of the averaged network over the digits held back."""
    validation_accuracy: float
    """Share of the digits held back that the averaged network reads rightly, 0..1."""
    seconds: float
    """Time that the epoch took."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run stands; given to `on_progress` several times a second at most."""

    done: float
    """Share of all steps, 0..1."""
    epoch: int
    """The epoch that is running, 1 is the first."""
    loss: float
    """Mean loss in this epoch so far."""
    seconds_left: float | None
    """Estimate from the steps made in this call; None before the first."""
    last: Epoch | None
    """The last epoch that was finished."""


@dataclass(frozen=True, slots=True)
class TrainResult:
    """What a run leaves behind."""

    litert_file: Path
    """The model for `predict`."""
    keras_file: Path
    """The same in float32, to go on from."""
    card_file: Path
    """Its model card, in Markdown."""
    history: tuple[Epoch, ...]
    """One row per epoch; also in history.csv."""
    test_correct: int
    """How many of the `test_count` test digits the LiteRT model reads rightly."""
    test_count: int
    """10,000."""


def train(
    config: TrainConfig,
    folder: Path,
    *,
    digits: Digits | None = None,
    resume: bool = False,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> TrainResult:
    """Train a network as `config` says and write it, its card and its history into `folder`.

    `digits` are those to learn from, by default MNIST's 60,000. With `resume` a run that was stopped goes on after its
    last finished epoch. Uses a GPU where TensorFlow sees one.

    Raises NotInstalled without the `train` extra, DataError when MNIST cannot be had, ModelError when `resume` finds no
    run, or one with other settings.
    """
    digits = mnist_train() if digits is None else digits
    learned, held_back = split(digits, config.validation)
    network, history = _start(config, folder, len(learned), resume)
    typical = _lesson(learned, config, config.epochs)[: 100 * config.batch]
    with ThreadPoolExecutor(1) as ahead:
        coming = ahead.submit(_lesson, learned, config, len(history))
        while len(history) < config.epochs:
            lesson = coming.result()
            coming = ahead.submit(_lesson, learned, config, len(history) + 1)
            started = time.monotonic()
            loss, accuracy = _learn(network, lesson, config, history, on_progress)
            watched = _averaged(network, typical, config).evaluate(*_tensors(held_back), verbose=0)
            seconds = time.monotonic() - started
            history.append(Epoch(len(history) + 1, loss, accuracy, watched[0], watched[1], seconds))
            _keep(network, history, folder)
        coming.cancel()
    return _ship(_averaged(network, typical, config), config, history, len(digits), folder)


def split(digits: Digits, share: float) -> tuple[Digits, Digits]:
    """Part the digits into those to learn from and the `share` (0..1) held back; always in the same way."""
    order = np.random.default_rng(0).permutation(len(digits))
    held = round(share * len(digits))
    return digits[order[held:]], digits[order[:held]]


def _start(config: TrainConfig, folder: Path, count: int, resume: bool) -> tuple[keras.Model, list[Epoch]]:
    """The network and its history: new, or as a stopped run left them."""
    keras = _keras()
    settings = json.loads(json.dumps(asdict(config)))
    steps = count // config.batch
    if resume:
        network, history = _stopped(folder, settings)
        return network, history[: int(network.optimizer.iterations) // steps]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / SETTINGS).write_text(json.dumps(settings, indent=2))
    total = steps * config.epochs
    rising = round(config.warm_up * total)
    rate = keras.optimizers.schedules.CosineDecay(
        config.learning_rate / 100,
        total - rising,
        warmup_target=config.learning_rate,
        warmup_steps=rising,
    )
    optimizer = keras.optimizers.AdamW(
        rate,
        weight_decay=config.weight_decay,
        beta_2=0.99,
        use_ema=True,
        ema_momentum=1 - 1 / max(1, config.averaging * total),
    )
    network = cnn.build(config.widths, seed=config.seed)
    _compile(network, config, optimizer)
    return network, []


def _stopped(folder: Path, settings: dict[str, Any]) -> tuple[keras.Model, list[Epoch]]:
    if not (folder / CHECKPOINT).is_file():
        raise ModelError(f"{folder}: no stopped run to go on with; train without resuming")
    if json.loads((folder / SETTINGS).read_text()) != settings:
        raise ModelError(f"{folder}: the stopped run had other settings; give the same, or train into another folder")
    with (folder / HISTORY).open(newline="") as file:
        history = [Epoch(int(row.pop("epoch")), **{k: float(v) for k, v in row.items()}) for row in csv.DictReader(file)]
    return _keras().models.load_model(folder / CHECKPOINT), history


def _keep(network: keras.Model, history: list[Epoch], folder: Path) -> None:
    """Write the history, then the checkpoint it belongs to; a stop in between repeats one epoch."""
    with (folder / HISTORY).open("w", newline="") as file:
        rows = csv.DictWriter(file, [column.name for column in fields(Epoch)])
        rows.writeheader()
        rows.writerows(asdict(epoch) for epoch in history)
    unfinished = folder / f"new-{CHECKPOINT}"
    network.save(unfinished)
    unfinished.replace(folder / CHECKPOINT)


def _lesson(digits: Digits, config: TrainConfig, epoch: int) -> Digits:
    """The digits of one epoch, counted from 0: each changed, in a new order."""
    rng = np.random.default_rng([config.seed, epoch])
    order = rng.permutation(len(digits))
    return Digits(augment(digits.images[order], rng, config.augmentation), digits.labels[order])


def _learn(
    network: keras.Model,
    lesson: Digits,
    config: TrainConfig,
    history: list[Epoch],
    on_progress: Callable[[Progress], None],
) -> tuple[float, float]:
    """Take every step of one epoch; return its mean loss and accuracy."""
    images, labels = _tensors(lesson)
    steps = len(lesson) // config.batch
    started = time.monotonic()
    past = sum(epoch.seconds for epoch in history)
    network.reset_metrics()
    for step in range(steps):
        part = slice(step * config.batch, (step + 1) * config.batch)
        loss, accuracy = (float(value) for value in network.train_on_batch(images[part], labels[part]))
        done = (len(history) + (step + 1) / steps) / config.epochs
        spent = past + time.monotonic() - started
        on_progress(Progress(done, len(history) + 1, loss, spent * (1 / done - 1), history[-1] if history else None))
    return loss, accuracy


def _averaged(network: keras.Model, typical: Digits, config: TrainConfig) -> keras.Model:
    """A copy with the running average of the weights, its batch normalisation measured again on `typical` digits."""
    copy = cnn.build(config.widths)
    now = network.get_weights()
    network.optimizer.finalize_variable_values(network.trainable_variables)
    copy.set_weights(network.get_weights())
    network.set_weights(now)
    images, _ = _tensors(typical)
    for start in range(0, len(images), config.batch):
        copy(images[start : start + config.batch], training=True)
    _compile(copy, config, "adam")
    return copy


def _ship(
    network: keras.Model, config: TrainConfig, history: list[Epoch], count: int, folder: Path
) -> TrainResult:
    """Write the files, and look at the test digits through the very file that is shipped."""
    bare = export.to_litert(network)
    card_facts: dict[str, Any] = {
        "architecture": cnn.describe(config.widths),
        "parameters": network.count_params(),
        "kilobytes": len(bare) / 1000,
        "digits_learned": count - round(config.validation * count),
        "digits_held_back": round(config.validation * count),
        "validation_accuracy": history[-1].validation_accuracy,
        "training_seconds": sum(epoch.seconds for epoch in history),
        "settings": asdict(config),
        "data_sha256": SHA256,
        "environment": card.environment(),
    }
    litert_file = folder / f"{config.name}.tflite"
    litert_file.write_bytes(export.described(bare, export.description(config.name, card_facts)))
    test = mnist_test()
    correct = int((store.load(litert_file).probabilities(test.images).argmax(axis=1) == test.labels).sum())
    card_facts["test"] = card.measured(correct, len(test))
    about = export.description(config.name, card_facts)
    litert_file.write_bytes(export.described(bare, about))
    keras_file = folder / f"{config.name}.keras"
    export.save_keras(network, keras_file, about)
    card_file = folder / f"{config.name}.md"
    card_file.write_text(card.markdown(config.name, card_facts))
    return TrainResult(litert_file, keras_file, card_file, tuple(history), correct, len(test))


def _compile(network: keras.Model, config: TrainConfig, optimizer: Any) -> None:
    loss = _keras().losses.CategoricalCrossentropy(label_smoothing=config.label_smoothing)
    network.compile(optimizer, loss, metrics=["accuracy"])


def _tensors(digits: Digits) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Images (N, 28, 28, 1) in 0..1 and one-hot labels (N, 10)."""
    return digits.images[..., None].astype(np.float32) / 255.0, np.eye(10, dtype=np.float32)[digits.labels]


def _keras() -> Any:
    try:
        import keras
    except ImportError as error:
        raise NotInstalled("training needs TensorFlow: pip install 'digitrec[train]'") from error
    return keras
