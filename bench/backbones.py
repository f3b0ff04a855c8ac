"""The small backbones beside the tutorial's CNN: each trained once on MNIST's 60,000, for as many epochs.

Prints the comparison and writes it into docs/backbones.md. About ten minutes of two idle cores.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from digitrec.datasets.mnist import mnist_test, mnist_train
from digitrec.report.models import measured, table
from digitrec.report.table import aligned, markdown_table
from digitrec.training.compare import Contestant, compare

PAGE = Path(__file__).parents[1] / "docs" / "backbones.md"
NAMES = ("tutorial-cnn", "vgg-small", "resnet-small", "efficientnet-small")
EPOCHS = 3


def trained(epochs: int) -> list[Contestant]:
    """All of them, each told on stderr when it is done."""
    digits, test = mnist_train(), mnist_test()
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for one in compare(NAMES, digits, test, Path(folder), epochs=epochs):
            found.append(one)
            print(one.title, one.accuracy, f"{one.training_s:.0f} s", file=sys.stderr, flush=True)
    return found


def page(found: Sequence[Contestant], digits: int, epochs: int) -> str:
    """The page on what was found, after so many epochs on so many digits."""
    compared = table(found, digits)
    parts = [
        "# Small backbones",
        "Written by `python bench/backbones.py`; do not edit.",
        f"{compared.note} {epochs} epochs each; the tutorial's CNN learns as published, at one rate, the "
        "others at a rate that falls along a cosine: network and training differ both. Times are those of "
        "the machine as it was, with whatever else it did.",
        markdown_table(compared),
        measured(found),
    ]
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    times = int(sys.argv[1]) if len(sys.argv) > 1 else EPOCHS
    contestants = trained(times)
    print("\n".join(aligned(table(contestants, 60_000))))
    PAGE.write_text(page(contestants, 60_000, times), encoding="utf-8")
