"""Train any architecture of the zoo by name, as in the tutorials, and write one model file.

Our own network has its own recipe in `digitrec.lab.training.train`. This module uses Adam, a choice of
losses, and held-out digits for early stopping.
"""

import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitrec.comparison.benchmark.measures import cross_entropy
from digitrec.comparison.datasets.mnist import Digits
from digitrec.errors import DataError, ModelError
from digitrec.lab.datasets.digits import keep_keys, run_folder
from digitrec.lab.training.card import environment, saver
from digitrec.lab.training.run import Epoch, FitConfig, Given, Watcher, unwatched
from digitrec.lab.training.zoo import ZOO, Architecture, find
from digitrec.models import store
from digitrec.models.network import scaled

SUFFIXES = {"keras": (".keras", ".h5", ".tflite"), "scikit-learn": (".skops",)}
"""Allowed endings of a model file, by the library that trains the model."""


@dataclass(frozen=True, slots=True)
class FitResult:
    """The result of training."""

    file: Path
    """The model, for `predict --model`."""
    history: tuple[Epoch, ...]
    """One row per epoch; empty for scikit-learn."""
    seconds: float
    """Duration of the training."""
    test_loss: float
    """Mean cross-entropy of the saved model over the test digits."""
    right: NDArray[np.bool_]
    """Which test digits the saved model reads correctly, (N,)."""

    @property
    def test_correct(self) -> int:
        """Number of test digits that the saved model reads correctly."""
        return int(self.right.sum())


def fit(
    config: FitConfig, out: Path, what: Given, *, start: Path | None = None, on_progress: Watcher = unwatched
) -> FitResult:
    """Train as `config` says and write the model to `out`, with its card and its history beside it.

    Args:
        config: the settings of the training.
        out: the model file, with one of the `SUFFIXES`.
        what: the training and test digits.
        start: a `.keras` or `.h5` file to continue from; None: start from a new network.
        on_progress: called after every step.

    Raises:
        NotInstalled: the extra `train` (Keras) or `stats` (scikit-learn) is missing.
        DataError: there are too few digits, or not all ten kinds where they are needed; or ImageNet's weights
            are requested but unavailable.
        ModelError: the architecture does not exist, or cannot be written with this ending, or `start` is
            another network.
        ValueError: settings contradict each other, or the architecture does not take them.
    """
    kind = find(config.arch)
    if out.suffix not in SUFFIXES[kind.family]:
        raise ModelError(f"{out}: {kind.name} is saved as {', '.join(SUFFIXES[kind.family])}")
    check(kind, config, start)
    history: list[Epoch] = []
    folder = run_folder(out)
    started = time.monotonic()
    if kind.family == "scikit-learn":
        learned = _classic(kind, config, what.learned, out.parent)
    else:
        from digitrec.lab.training.epochs import learn

        learned, history = learn(kind, config, what, folder, start, on_progress)
    seconds = time.monotonic() - started
    facts = {
        "architecture": f"{kind.title} ({kind.origin})",
        "learned_from": dict(what.sources),
        **({} if start is None else {"start": start.name}),
        **({"epochs": len(history)} if history else {}),
        "training_seconds": seconds,
        "settings": asdict(config),
        "environment": environment(),
    }
    loss, right = _write(learned, config, out, facts, what)
    keep_keys(what.keys, out)
    return FitResult(out, tuple(history), seconds, loss, right)


def check(kind: Architecture, config: FitConfig, start: Path | None) -> None:
    """Check that the start, the size and the published weights fit the architecture.

    Raises:
        ModelError: the start does not fit.
        ValueError: settings contradict each other, or the architecture does not take them.
    """
    if (config.pretrained or config.side) and not kind.published:
        published = ", ".join(name for name, one in ZOO.items() if one.published)
        raise ValueError(f"{kind.name} takes no --side and no --pretrained; use --arch {published}")
    if config.pretrained and start is not None:
        raise ValueError(f"--start {start} and --pretrained exclude each other")
    begins = start is not None or config.pretrained
    if config.freeze and not (begins and kind.family == "keras"):
        raise ValueError("--freeze needs a trained network: add --start or --pretrained")
    if start is not None and kind.family == "keras":
        from digitrec.lab.training.epochs import new_network

        new_network(kind, config, start)  # raises an error before any digits are fetched


def _classic(kind: Architecture, config: FitConfig, digits: Digits, folder: Path) -> Any:
    """Train a classifier of scikit-learn; first make the folder for its file.

    Raises:
        NotInstalled: scikit-learn is missing, or skops, which writes the file.
        DataError: a digit has too few examples.
    """
    store.import_skops()
    missing = [str(digit) for digit in range(10) if digit not in digits.labels]
    if missing:
        raise DataError(
            f"{kind.title} reads only learned digits, and the training digits lack {', '.join(missing)}; add "
            "some, or train a network (--arch tutorial-cnn)"
        )
    folder.mkdir(parents=True, exist_ok=True)
    learned = kind.build()
    if "random_state" in learned.get_params():
        learned.set_params(random_state=config.seed)
    learned.fit(scaled(digits.images, config.scale).reshape(-1, 784), digits.labels)
    return learned


def _write(
    model: Any, config: FitConfig, out: Path, facts: dict[str, Any], what: Given
) -> tuple[float, NDArray[np.bool_]]:
    """Write the model with its description; return the result of `measured` on the test digits."""
    how = {"scale": config.scale}
    if out.suffix == ".skops":
        how["output"] = store.output_of(model)
    else:
        facts |= {"parameters": model.count_params()}
    save = saver(model, out)
    save(facts, **how)
    loss, right = measured(out, what.test)
    save(facts | {"test": what.measured(int(right.sum()))}, **how)
    return loss, right


def measured(file: Path, test: Digits) -> tuple[float, NDArray[np.bool_]]:
    """Return a model file's mean cross-entropy, and which digits it reads correctly, (N,)."""
    chances = store.load(file).probabilities(test.images)
    return cross_entropy(chances, test.labels), chances.argmax(axis=1) == test.labels
