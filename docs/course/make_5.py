"""Pictures and figures of lesson 5: what it looks at."""

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from lesson import ROOT, main, picture, printed
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from digitrec.comparison.datasets.mnist import Digits, mnist_test
from digitrec.errors.text import percent
from digitrec.models import store
from digitrec.recognise.explain import PATCH, Explanation, explain
from digitrec.report import plots

Floats = NDArray[np.float64]
Pixels = NDArray[np.uint8]
Ask = Callable[[Pixels], NDArray[Any]]
"""A network: pictures (N, 28, 28), ink high, to (N, 10) probabilities."""
NUDGE = 32
"""Step, of 255, by which a pixel is made darker and lighter to measure its effect."""
FOUR = 4
"""The test digit, a 4, whose maps are compared: its place in the set."""


def log_odds(chance: NDArray[Any]) -> Floats:
    """log(p / (1 - p)), with p kept off 0 and 1."""
    kept = np.clip(np.asarray(chance, float), 1e-6, 1 - 1e-6)
    return np.asarray(np.log(kept / (1 - kept)))


def hide(digit: Pixels, row: int, column: int, patch: int = PATCH) -> Pixels:
    """Replace the square around a pixel with paper."""
    hidden, half = digit.copy(), patch // 2
    hidden[max(row - half, 0) : row + half + 1, max(column - half, 0) : column + half + 1] = 0
    return hidden


def occlusion(ask: Ask, digit: Pixels, label: int, patch: int = PATCH) -> Floats:
    """Return how far the label's log-odds fall when each square is hidden, (28, 28)."""
    hidden = np.stack([hide(digit, row, column, patch) for row in range(28) for column in range(28)])
    odds = log_odds(ask(np.concatenate([digit[None], hidden]))[:, label])
    return np.asarray((odds[0] - odds[1:]).reshape(28, 28))


def gradient(ask: Ask, digit: Pixels, label: int) -> Floats:
    """Return the gradient of the label's log-odds, (28, 28), per full step from paper to ink."""
    pixels = np.arange(784)
    nudged = np.repeat(digit.reshape(1, 784).astype(int), 2 * 784, axis=0)
    nudged[pixels, pixels] += NUDGE
    nudged[784 + pixels, pixels] -= NUDGE
    given = np.clip(nudged, 0, 255)
    odds = log_odds(ask(given.astype(np.uint8).reshape(-1, 28, 28))[:, label])
    step = (given[pixels, pixels] - given[784 + pixels, pixels]) / 255
    return np.asarray(((odds[:784] - odds[784:]) / step).reshape(28, 28))


def drawn(axes: Axes, digit: Pixels, title: str) -> None:
    """Draw a digit, dark on white, in a thin frame."""
    plots.picture(axes, digit, title)
    for side in axes.spines.values():
        side.set(visible=True, linewidth=0.5, alpha=0.4)


def show(axes: Axes, field: Floats, digit: Pixels, title: str) -> None:
    """Draw a map over a digit's outline: orange supports the digit, violet contradicts it."""
    strongest = max(float(np.abs(field).max()), 1e-6)
    reach = (-0.5, 27.5, 27.5, -0.5)
    axes.imshow(field, cmap="PuOr_r", vmin=-strongest, vmax=strongest, extent=reach)
    axes.contour(digit, levels=[127], colors=plots.INK, linewidths=1)
    axes.set_title(title, fontsize=9)
    plots.bare(axes)


@mpl.rc_context(plots.STYLE)
def hiding(found: Explanation, ask: Ask) -> tuple[Figure, dict[str, str]]:
    """Draw a digit whole, without its least and its most important square, and the map of all squares."""
    digit, label, field = found.steps[-1][1], found.prediction.digit, found.saliency
    assert label is not None and field is not None
    worst = tuple(int(at) for at in np.unravel_index(field.argmax(), field.shape))
    shown = [digit, hide(digit, 3, 3), hide(digit, *worst)]
    chances = ask(np.stack(shown))[:, label]
    assert chances[0] > 0.95 > chances[2], "the square that matters most must matter"
    figure = Figure(figsize=(8, 2.6))
    cells = figure.subplots(1, 4)
    titles = ["nothing hidden", "a corner hidden", "the worst square hidden"]
    for axes, pixels, chance, title in zip(cells, shown, chances, titles, strict=False):
        drawn(axes, pixels, f"{title}\n{label}: {percent(chance, 1)}")
    for axes, (row, column) in ((cells[1], (3, 3)), (cells[2], worst)):
        half = PATCH / 2
        corner = (max(column - half, -0.5), max(row - half, -0.5))
        axes.add_patch(mpl.patches.Rectangle(corner, PATCH, PATCH, fill=False, color=plots.COLOURS[1]))
    show(cells[3], field, digit, "all 784 squares:\nlog-odds lost")
    before, after = log_odds(chances[[0, 2]])
    falls = {"before": before, "after": after, "fall": before - after}
    figures = {name: f"{fall:.2f}" for name, fall in falls.items()}
    return figure, figures | {"whole": f"{100 * chances[0]:.1f} %", "worst": f"{100 * chances[2]:.1f} %"}


@mpl.rc_context(plots.STYLE)
def ten(ask: Ask, test: Digits) -> Figure:
    """Draw the map of one digit of each kind."""
    right = ask(test.images[:200]).argmax(axis=1) == test.labels[:200]
    figure = Figure(figsize=(8, 3.5))
    for label, axes in enumerate(figure.subplots(2, 5).ravel()):
        digit = test.images[:200][right & (test.labels[:200] == label)][0]
        show(axes, occlusion(ask, digit, label), digit, f"a {label}")
    return figure


@mpl.rc_context(plots.STYLE)
def three(ask: Ask, test: Digits) -> Figure:
    """Draw three explanations of each of two digits."""
    figure = Figure(figsize=(8, 4.2))
    for cells, place in zip(figure.subplots(2, 4), (FOUR, 0), strict=True):
        digit, label = test.images[place], int(test.labels[place])
        activation = explain(digit).grad_cam
        assert activation is not None
        drawn(cells[0], digit, f"a {label}")
        show(cells[1], occlusion(ask, digit, label), digit, "hidden, square by square")
        show(cells[2], gradient(ask, digit, label), digit, "nudged, pixel by pixel")
        show(cells[3], activation[0], digit, "class activation map")
    return figure


def sizes(ask: Ask, digit: Pixels, label: int) -> dict[str, str]:
    """Return the largest fall of the log-odds for a square of each size."""
    return {f"patch-{size}": f"{occlusion(ask, digit, label, size).max():.1f}" for size in (1, 5, 11)}


def explained_photo() -> str:
    """Return the output of `digitrec explain`, run in a reader's folder."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "samples").symlink_to(ROOT / "samples")
        return printed("digitrec explain samples/photo-pen.jpg", Path(folder))


def make() -> Mapping[str, str]:
    """Draw the pictures; give each figure in the page by its name."""
    ask, test = store.load().probabilities, mnist_test()
    found = explain(ROOT / "samples" / "photo-pen.jpg")
    figures = {"output": explained_photo()} | sizes(ask, test.images[0], int(test.labels[0]))
    hidden, more = hiding(found, lambda images: ask(images, [True] * len(images)))
    picture(hidden, "5-hiding")
    picture(ten(ask, test), "5-ten")
    picture(three(ask, test), "5-three")
    return figures | more


if __name__ == "__main__":
    main(Path(__file__), make)
