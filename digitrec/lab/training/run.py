"""Settings, progress and results of a training run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from digitrec.lab.handwriting.augment import Augmentation


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """Everything that decides what a training run learns."""

    name: str = "digitrec-cnn"
    """Name of the model and its files."""
    widths: tuple[int, ...] = (24, 80, 192)
    """Channels of each stage of a network."""
    networks: int = 2
    """Networks that are trained, each for itself, and joined in one file; see `cnn.together`."""
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
    """Whether the fonts of `datasets.fonts` are learned too, beside those that come with Matplotlib."""
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
