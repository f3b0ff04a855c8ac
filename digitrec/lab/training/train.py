"""Training our own reader: MNIST's 60,000 digits, changed anew in every epoch, to a model file with its card.

It is several networks in one, alike but for their seeds, each of which learns for itself (`learn`); their
scores are averaged. A tenth of the digits is held back to watch by; the 10,000 test digits are looked at
once, when all is done, for the card. What was learned is never tested on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from digitrec.answer.prediction import SURE
from digitrec.comparison.datasets.mnist import NO_DIGIT, Digits
from digitrec.errors import DataError
from digitrec.image import atomic
from digitrec.lab.datasets import overlap
from digitrec.lab.training import card, cnn, export, loop, material
from digitrec.lab.training.backend import keras
from digitrec.lab.training.confidence import fit_evidence, fit_modest, fit_temperature
from digitrec.lab.training.given import Given, split
from digitrec.lab.training.learn import Material, learn
from digitrec.lab.training.loop import Loop
from digitrec.lab.training.run import Epoch, TrainConfig, TrainResult, Watcher, unwatched
from digitrec.models import store
from digitrec.models.foreign import to_litert
from digitrec.models.network import described


def train(
    config: TrainConfig,
    folder: Path,
    what: Given,
    on_progress: Watcher = unwatched,
) -> TrainResult:
    """Train the networks as `config` says and write them, joined, with card and histories into `folder`.

    Uses a GPU where TensorFlow sees one. An interrupted run with the same settings and digits continues.

    Args:
        config: what decides the outcome.
        folder: made when it is not there.
        what: the digits to learn from, beside those of `world`, and to measure with in the end.
        on_progress: called after every step.

    Raises:
        NotInstalled: the `train` extra is missing.
        DataError: there are fewer digits than one batch, or digits of `world` are unavailable.
    """
    learned, held_back = split(what.learned, config.validation)
    if len(learned) < config.batch:
        raise DataError(
            f"{len(learned)} digits to learn from are fewer than one batch of {config.batch}; give more, or "
            "name an architecture that learns from a few (--arch tutorial-cnn)"
        )
    parts = [folder / f"network-{number + 1}" for number in range(config.networks)]
    configs = [replace(config, seed=config.seed * config.networks + n) for n in range(config.networks)]
    for part, its in zip(parts, configs, strict=True):
        loop.prepare(part, its, what.keys)
    abroad = material.abroad(config, parts[0] / loop.WORLD, on_progress)
    networks: list[keras.Model] = []
    histories: list[tuple[Epoch, ...]] = []
    labels = learned.labels[:0]
    for number, (part, its) in enumerate(zip(parts, configs, strict=True), 1):
        this = Loop(config.epochs + config.finishing, on_progress, part, number, config.networks)
        made = material.made(learned + abroad, len(learned), its, part / loop.MADE, on_progress)
        labels = np.append(labels, made.labels)
        networks.append(_learned(this, its, Material(learned, abroad, made), held_back))
        histories.append(tuple(this.history))
    senseless = int((labels == NO_DIGIT).sum())
    counts = {"learned": len(learned), "world": len(abroad)}
    counts |= {"made": len(labels) - senseless, "no digit": senseless, "held back": len(held_back)}
    apart = material.writers_held_back() if config.world else held_back
    counts["writers held back"] = len(apart) if config.world else 0
    overlap.write(what.keys, overlap.beside(folder / f"{config.name}.tflite"))
    joined = cnn.together(networks)
    return _ship(joined, config, tuple(histories), counts, (held_back, apart), what, folder)


def _learned(this: Loop, config: TrainConfig, from_what: Material, held_back: Digits) -> keras.Model:
    """Return the network of one run, trained or, if it had come to the end, as it was saved."""
    assert this.folder is not None
    finished = this.folder / loop.FINISHED
    if finished.is_file():
        this.history = loop.read(this.folder)
        return keras.models.load_model(finished, compile=False)
    network = learn(this, config, from_what, held_back)
    loop.save(network, finished)
    return network


def _ship(
    network: keras.Model,
    config: TrainConfig,
    histories: tuple[tuple[Epoch, ...], ...],
    counts: dict[str, int],
    held_back: tuple[Digits, Digits],
    what: Given,
    folder: Path,
) -> TrainResult:
    """Write the files; their temperatures and the figures on their card come from the file that is shipped.

    Of what is `held_back` the first is in MNIST's form of itself, the second was brought into it.
    """
    bare = to_litert(network)
    litert_file = folder / f"{config.name}.tflite"

    def written(card: dict[str, Any], **sureness: Any) -> store.Model:
        about = export.description(config.name, card, **sureness)
        atomic.write(litert_file, described(bare, about))
        return store.load(litert_file)

    sureness = _fitted(written, *held_back)
    model = written({}, **sureness)
    correct = round(_right(model, what.test) * len(what.test))
    facts: dict[str, Any] = {
        "architecture": cnn.describe(config.widths, config.networks),
        "parameters": network.count_params(),
        "kilobytes": len(bare) / 1000,
        "digits": counts,
        "learned_from": dict(what.sources),
        "validation_accuracy": _right(model, held_back[0]),
        "writers_accuracy": _right(model, held_back[1], prepared=True),
        "test": what.measured(correct),
        "training_seconds": sum(epoch.seconds for history in histories for epoch in history),
        "settings": asdict(config),
        "environment": card.environment(),
        **sureness,
    }
    written(facts, **sureness)
    card_file = folder / f"{config.name}.md"
    atomic.write(card_file, card.markdown(config.name, facts))
    return TrainResult(litert_file, card_file, histories, correct)


def _fitted(written: Callable[..., store.Model], in_form: Digits, prepared: Digits) -> dict[str, Any]:
    """How sure it may be, from held-out digits: of those in MNIST's form, and of those brought into it.

    The temperatures come from its first glance, the evidence from what it sees looking again where in doubt.
    """
    bare = written({})
    sureness = {
        "temperature": fit_temperature(bare.probabilities(in_form.images), in_form.labels),
        "prepared": fit_modest(bare.probabilities(prepared.images), prepared.labels),
        "doubt": SURE,
    }
    chances = written({}, **sureness).probabilities(in_form.images, [True] * len(in_form))
    return sureness | {"evidence": fit_evidence(chances)}


def _right(model: store.Model, digits: Digits, *, prepared: bool = False) -> float:
    """Return the accuracy on the digits, 0..1."""
    chances = model.probabilities(digits.images, [prepared] * len(digits))
    return float((chances.argmax(axis=1) == digits.labels).mean())
