"""Pictures and figures of lesson 7: calibration and refusing."""

from collections.abc import Callable, Mapping
from itertools import islice
from pathlib import Path

import matplotlib as mpl
import numpy as np
from lesson import in_form, main, picture, table
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.neural_network import MLPClassifier

from digitrec.comparison.datasets.mnist import Digits, mnist_test
from digitrec.lab.handwriting import strokes
from digitrec.lab.handwriting.nondigits import scribbles
from digitrec.models import store
from digitrec.models.network import evidence
from digitrec.report import plots

ACCURACY = "docs/accuracy.md"
Floats = NDArray[np.float32]
Ask = Callable[[NDArray[np.uint8]], Floats]
"""A network: pictures (N, 28, 28), ink high, to (N, 10) probabilities."""
SEED, HAND, LETTERS = 7, 12, 120
"""The seed, the number of synthetic digits of each kind, and the number of letters."""


def few_digits(learn: Digits) -> Ask:
    """Return the page's overconfident network as a function from pictures to probabilities."""
    network = MLPClassifier((64,), alpha=0, learning_rate_init=0.005, max_iter=500, random_state=0)
    network.fit(learn.images.reshape(-1, 784) / 255, learn.labels)
    return lambda images: network.predict_proba(images.reshape(-1, 784) / 255).astype(np.float32)


@mpl.rc_context(plots.STYLE)
def letters(few: Ask) -> tuple[Figure, dict[str, str]]:
    """Draw how sure a digits-only network is of letters, and the shipped network's evidence in them."""
    rng = np.random.default_rng(SEED)
    written = in_form(strokes.draw(digit, rng, 112) for digit in range(10) for _ in range(HAND))
    made = (one.pixels for one in scribbles(2000, SEED) if one.kind == "letter")
    other = in_form(islice(made, LETTERS))
    own = store.load()
    figure = Figure(figsize=(8, 3.5))
    left, right = figure.subplots(1, 2)
    kinds = (("digits", written), ("letters", other))
    for number, (name, images) in enumerate(kinds):
        look = {"alpha": 0.65, "color": plots.COLOURS[number], "hatch": "/" * number, "label": name}
        look["edgecolor"] = "white"
        left.hist(few(images).max(axis=1), np.linspace(0, 1, 21), **look)
        right.hist(evidence(own.probabilities(images, [True] * len(images))), np.linspace(0, 3, 25), **look)
    left.set(title="a network of 500 digits", xlabel="confidence", ylabel="pictures")
    right.set(title="digitrec's network", xlabel="logit margin", ylabel="pictures")
    right.axvline(own.input.evidence, color=plots.INK, linewidth=1, linestyle="--", label="threshold")
    left.legend()
    right.legend()
    sure = few(other).max(axis=1) >= 0.9
    below = evidence(own.probabilities(other, [True] * len(other))) < own.input.evidence
    digits = evidence(own.probabilities(written, [True] * len(written))) < own.input.evidence
    assert below.mean() > digits.mean() + 0.3
    return figure, {
        "letters-sure": f"{100 * sure.mean():.0f} %",
        "letters-below": f"{100 * below.mean():.0f} %",
        "digits-below": f"{100 * digits.mean():.0f} %",
        "evidence": f"{own.input.evidence:.2f}",
    }


def measured() -> dict[str, str]:
    """Figures that stand in `ACCURACY` already."""
    rows = table(ACCURACY)
    told = {"letters-refused": "letters", "alike-refused": "letters like digits"}
    return {name: rows[row][1].replace("%", " %") for name, row in told.items()}


def make() -> Mapping[str, str]:
    """Draw the picture that depends on the network; give each figure in the page by its name."""
    looked, said = letters(few_digits(mnist_test()[:500]))
    picture(looked, "7-letters")
    return said | measured()


if __name__ == "__main__":
    main(Path(__file__), make)
