"""Draw an explanation, or write it as text."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitrec.errors.text import percent
from digitrec.recognise.explain import Explanation, Saliency
from digitrec.report import plots
from digitrec.report.plots import Axes, Figure, SubFigure


@plots.drawn
def explanation(found: Explanation) -> Figure:
    """Draw the picture, its preparation, the saliency map and the ten probabilities.

    If the model allows it, add class activation maps of the two likeliest digits.
    """
    wide = max(9.0 if found.grad_cam is None else 13.5, 1.9 * (len(found.steps) + 1) + 0.6)
    figure = Figure(figsize=(wide, 2.8 if found.saliency is None else 5.8))
    figure.suptitle(headline(found))
    rows = 1 if found.saliency is None else 2
    above, *below = figure.subfigures(rows, 1, height_ratios=(2, 3)[:rows], squeeze=False).ravel()
    shown = [("as it was read", found.picture), *found.steps]
    for axes, (name, pixels) in zip(above.subplots(1, len(shown), squeeze=False)[0], shown, strict=True):
        plots.grey(axes, pixels, name)
    if found.saliency is not None:
        _evidence(below[0], found, found.saliency)
    return figure


def lines(found: Explanation) -> Iterator[str]:
    """Yield the explanation as text: the answer, the steps, the ink that mattered and the probabilities."""
    yield f"{found.prediction.image.source}: {headline(found)}"
    yield f"  steps: {', '.join(name for name, _ in found.steps)}"
    if found.where:
        yield f"  ink that mattered most: {', '.join(found.where)}"
    for digit, chance in enumerate(found.prediction.probabilities or ()):
        yield f"  {digit}  {percent(chance, 2):>7}  {'█' * round(40 * chance)}".rstrip()


def headline(found: Explanation) -> str:
    """Return the answer and the runner-up in one line, or the reason for no digit."""
    said, second = found.prediction, found.runner_up
    if said.digit is None:
        return f"no digit: {said.reason}"
    after = (
        "" if second is None else f"; the next likeliest is {_with_article(second[0])}, {percent(second[1])}"
    )
    return f"{_with_article(said.digit)}, {percent(said.confidence)}{after}"


def _with_article(digit: int) -> str:
    return f"an {digit}" if digit == 8 else f"a {digit}"


def _evidence(figure: SubFigure, found: Explanation, saliency: Saliency) -> None:
    """Draw the maps of the two likeliest digits in the same colours, for comparison."""
    maps = [] if found.grad_cam is None else list(found.grad_cam)
    first, *others, last = figure.subplots(1, 2 + len(maps), width_ratios=(*[1] * (1 + len(maps)), 1.6))
    strongest = max(float(np.abs(saliency).max()), 1e-6)
    title = "ink that mattered most\n(outline: the digit)"
    _heat(first, found, saliency, title, cmap="PuOr_r", vmin=-strongest, vmax=strongest)
    label = "log-odds lost when hidden\n(below 0: gained)"
    figure.colorbar(first.images[0], ax=first, shrink=0.85, label=label)
    strongest = max(float(np.max(maps, initial=0.0)), 1e-6)
    for axes, digit, heat in zip(others, found.likeliest, maps, strict=bool(maps)):
        title = f"class activation map:\nwhere it looks like {_with_article(digit)}"
        _heat(axes, found, heat, title, cmap="Oranges", vmax=strongest)
    if maps:
        figure.colorbar(axes.images[0], ax=axes, shrink=0.85, label="what a place adds to the score")
    _probabilities(last, found)


def _heat(axes: Axes, found: Explanation, heat: NDArray[Any], title: str, **look: Any) -> None:
    """Draw a map over the outline of the digit."""
    plots.picture(axes, heat, title, **look)
    axes.contour(found.digit, levels=[127], colors=plots.INK, linewidths=1)


def _probabilities(axes: Axes, found: Explanation) -> None:
    chances = found.prediction.probabilities
    assert chances is not None
    best = int(np.argmax(chances))
    colours = [plots.COLOURS[1] if digit == best else plots.COLOURS[0] for digit in range(10)]
    bars = axes.bar(range(10), chances, color=colours, zorder=2)
    axes.bar_label(bars, [percent(chance) for chance in chances], fontsize=8)
    axes.set(title="probabilities", xlabel="digit", ylabel="probability", xticks=range(10), ylim=(0, 1.1))
    plots.in_percent(axes.yaxis)
