"""Settings, digits, progress and results of a training run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from digitrec.comparison.benchmark.measures import proportion
from digitrec.comparison.datasets.loader import sampled
from digitrec.comparison.datasets.mnist import Digits, mnist_test
from digitrec.lab.datasets.digits import Keys, apart, keys_with
from digitrec.lab.handwriting.augment import Augmentation
from digitrec.lab.training import card


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """Everything that decides what a training run learns."""

    name: str = "digitrec-cnn"
    """Name of the model and its files."""
    widths: tuple[int, ...] = (24, 80, 192)
    """Channels of each stage of a network."""
    networks: int = 2
    """Networks that are trained, each for itself, and joined in one file; see `networks.together`."""
    epochs: int = 14
    """Times that every picture is seen, each time changed differently."""
    finishing: int = 3
    """Times after that that MNIST's digits are seen, changed more gently, without what was made; 0: never."""
    finishing_seen: float = 0.25
    """Share of the digits of `world` that each of these sees."""
    finishing_changes: float = 0.5
    """How far digits are changed then, as a share of `augmentation`."""
    batch: int = 128
    """Digits per step."""
    learning_rate: float = 3e-3
    """Highest learning rate, reached after the warm-up."""
    finishing_rate: float = 1e-3
    """The same while finishing."""
    warm_up: float = 0.15
    """Share of the steps in which the learning rate rises."""
    weight_decay: float = 0.02
    """AdamW's decay."""
    label_smoothing: float = 0.05
    """Share of each label that is spread over all ten digits."""
    averaging: float = 0.05
    """Share of the run that the running average of the weights reaches back over."""
    validation: float = 0.1
    """Share of the held-out digits, the same ones for every seed."""
    world: int = 3
    """Times that each digit of `world` is learned beside MNIST's: a scanned one as it is, then photographed
    anew; a pen's path is drawn with another pen each time. 0: no copies."""
    fonts: bool = True
    """Whether the fonts of `download.font_files` are learned too, beside those that come with Matplotlib."""
    made: float = 1.05
    """Pictures added, as a share of MNIST's digits learned, made by `synthetic`: drawn by a synthetic hand,
    photographed, damaged, or no digit."""
    scenes: float = 0.25
    """Scenes added, as a share of MNIST's digits learned, made by `synthetic.staged`."""
    seen: float = 0.45
    """Share of the digits of `world` that one epoch sees beside all others, another one in each."""
    seed: int = 0
    """Decides the first weights, the order of the digits and how they are changed; no two networks share one:
    this run's seeds begin at ``seed * networks``."""
    augmentation: Augmentation = field(default_factory=Augmentation)
    """How far the digits are changed."""


@dataclass(frozen=True, slots=True)
class FitConfig:
    """Everything that decides what an architecture of the zoo learns; None is its own."""

    arch: str = "tutorial-cnn"
    """A name in `zoo.ZOO`, or a file that `tune` wrote."""
    epochs: int | None = None
    """Times that every digit is seen, at most."""
    batch: int | None = None
    """Digits per step."""
    learning_rate: float | None = None
    """The optimiser's, at the start; for SGD ten times the architecture's own, which is Adam's."""
    optimizer: Literal["adam", "adamw", "rmsprop", "sgd"] = "adam"
    """Keras' optimiser of that name; SGD with Nesterov's momentum of 0.9."""
    augment: bool | None = None
    """Whether each digit is changed a little, anew in each epoch."""
    loss: Literal["categorical", "sparse"] = "categorical"
    """Cross-entropy over one-hot labels, or over the labels as numbers: the same figure, two spellings."""
    pretrained: bool = False
    """Whether EfficientNetB0 begins with ImageNet's weights."""
    freeze: bool = False
    """Whether only the last layer learns, the others staying as they began."""
    side: int | None = None
    """Side to which EfficientNetB0 enlarges the digit, in pixels; None: as published, 224."""
    scale: str = "unit"
    """What the pixels are made: one of `digitrec.models.network.SCALES`."""
    validation: float = 0.1
    """Share of the held-out digits, the same ones for every seed, 0..1."""
    patience: int = 5
    """Epochs without a lower loss on the held-out digits after which it stops, its best weights restored."""
    seed: int = 0
    """Decides the first weights, the order of the digits and how they are changed."""


@dataclass(frozen=True, slots=True)
class FineTuneConfig:
    """Everything that decides what our own network learns of one person's hand."""

    epochs: int = 2
    """Times that everything rehearsed is seen."""
    learning_rate: float = 5e-4
    """Adam's, at its highest; it rises over the first tenth of the steps and falls along a cosine."""
    batch: int = 128
    """Pictures per step."""
    own: float = 0.1
    """Share of each batch that is the person's own, each changed anew; the rest is rehearsed."""
    written: int = 3000
    """Digits that are rehearsed, of MNIST's."""
    made: int = 1000
    """Pictures that are rehearsed, made by `synthetic`, a quarter of which show no digit."""
    scenes: int = 200
    """Scenes that are rehearsed, made by `synthetic.staged`; a quarter show writing to be refused."""
    label_smoothing: float = 0.05
    """Share of each of the person's labels that is spread over all ten digits."""
    new: float = 0.5
    """Share of the new weights in those that are written; the rest are those that it began with. Half of each
    keeps most of what was gained and forgets a third as much: see `learn` on the mean of weights."""
    validation: float = 0.2
    """Share of the person's pictures that is held back, to measure by; each digit in its share."""
    seed: int = 0
    """Decides what is held back, what is rehearsed, the order and the changes."""
    augmentation: Augmentation = field(default_factory=Augmentation)
    """How far the person's pictures are changed."""


@dataclass(frozen=True, slots=True)
class Epoch:
    """One row of the history."""

    epoch: int
    """1 is the first."""
    loss: float
    """Mean cross-entropy with smoothed labels over the changed digits."""
    accuracy: float
    """Share of the changed pictures read rightly while learning, 0..1; never those that show no digit."""
    validation_loss: float
    """Mean cross-entropy of the averaged network over the held-out digits."""
    validation_accuracy: float
    """Share of the held-out digits that the averaged network reads rightly, 0..1."""
    seconds: float
    """Time that the epoch took."""


Watcher = Callable[[float, str], object]
"""Called with the share of a run that is done, 0..1, and a remark such as "epoch 3/14, loss 0.123"."""


def unwatched(done: float, remark: str) -> None:
    """Ignore the progress of a run."""


@dataclass(frozen=True, slots=True)
class TrainResult:
    """What a run leaves behind."""

    litert_file: Path
    """The model for `predict`."""
    card_file: Path
    """Its model card, in Markdown."""
    histories: tuple[tuple[Epoch, ...], ...]
    """For each network one row per epoch; also in its folder's history.csv."""
    test_correct: int
    """Test digits that the LiteRT model reads rightly."""


UNNAMED = "digits handed over"
"""What digits are called that were given without a name."""


def split(digits: Digits, share: float) -> tuple[Digits, Digits]:
    """Part the digits into those to learn from and the `share` (0..1) held back; always in the same way."""
    order = np.random.default_rng(0).permutation(len(digits))
    held = round(share * len(digits))
    return digits[order[held:]], digits[order[:held]]


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """The digits of a run, and what there is to say of them."""

    learned: Digits
    """To learn from, the part held back among them."""
    sources: Mapping[str, int]
    """Where they are from, and how many from each."""
    test: Digits
    """Test digits that were not learned."""
    tested_on: str
    """What the set is called that they are of."""
    left_out: int
    """Digits of that set that were learned, and so are not measured with."""
    keys: Keys
    """Of all that the network has learned, also before this run."""

    def measured(self, correct: int) -> dict[str, Any]:
        """Return the accuracy, and what it was measured on, for the card."""
        return card.measured(proportion(correct, len(self.test)), self.tested_on, self.left_out)


def given(
    digits: Digits,
    sources: Mapping[str, int] | None = None,
    test: Digits | None = None,
    tested_on: str | None = None,
    limit_test: int | None = None,
    start: Path | None = None,
) -> Given:
    """Return the digits of a run; exclude the learned ones from the test.

    Args:
        digits: to learn from.
        sources: where they are from, and how many from each; None: they have no name.
        test: to measure with; None: MNIST's 10,000.
        tested_on: what these are called; None: they have no name.
        limit_test: largest number of them; None: all.
        start: a model file that learns on; what it learned, where that is kept beside it, counts as learned.

    Raises:
        DataError: every test digit was learned.
    """
    if test is None:
        test, tested_on = mnist_test(), "mnist-test"
    name = tested_on or UNNAMED
    learned = keys_with(start, digits)
    left = apart(test, learned, name)
    left_out = len(test) - len(left)
    measured = left[sampled(left.labels, limit_test)]
    return Given(digits, sources or {UNNAMED: len(digits)}, measured, name, left_out, learned)
