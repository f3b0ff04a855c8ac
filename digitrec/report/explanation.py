"""Write an explanation as a picture and as JSON-like values."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitrec.errors.text import percent
from digitrec.recognise.explain import Explanation, Inside, by_network, mosaic
from digitrec.report import plots
from digitrec.report.plots import Axes, Figure


def row(found: Explanation, drawn: Sequence[Path]) -> dict[str, Any]:
    """Return an explanation as JSON-like values; those that are not known are None."""
    said = found.prediction
    return {
        "image": said.image.source,
        **{name: getattr(said, name) for name in ("digit", "confidence", "reason", "probabilities")},
        "model": said.model_version,
        "steps": [name for name, _ in found.steps],
        "where": found.where,
        **_maps(found, found.likeliest),
        "inside": [_inside(look, found.likeliest) for look in found.inside] or None,
        "pictures": [str(path) for path in drawn],
    }  # fmt: skip


def _inside(look: Inside, likeliest: Sequence[int]) -> dict[str, Any]:
    return {
        "name": look.name,
        "field": _numbers(np.array(look.field)),
        **_maps(look, likeliest),
        "layers": [
            {"network": network, "name": name, "maps": maps.shape[2], "side": maps.shape[0]}
            for network, layers in by_network(look.stages).items() for name, maps in layers
        ],
    }  # fmt: skip


def _maps(found: Explanation | Inside, digits: Sequence[int]) -> dict[str, Any]:
    """Return the saliency map, and the class activation maps of these digits."""
    heats = found.grad_cam
    return {
        "saliency": None if found.saliency is None else _numbers(found.saliency),
        "grad_cam": None if heats is None else [
            {"digit": digit, "map": _numbers(heat)} for digit, heat in zip(digits, heats, strict=True)
        ],
    }  # fmt: skip


def _numbers(array: NDArray[Any]) -> list[Any]:
    found: list[Any] = np.asarray(array, np.float64).round(4).tolist()
    return found


@plots.drawn
def explanation(found: Explanation) -> Figure:
    """Draw the picture, its preparation, the saliency map and the ten probabilities.

    If the model allows it, add Grad-CAM of the two likeliest digits.
    """
    wide = max(9.0 if found.grad_cam is None else 13.5, 1.9 * (len(found.steps) + 1) + 0.6)
    figure = Figure(figsize=(wide, 2.8 if found.saliency is None else 5.8))
    figure.suptitle(headline(found))
    rows = 1 if found.saliency is None else 2
    above, *below = figure.subfigures(rows, 1, height_ratios=(2, 3)[:rows], squeeze=False).ravel()
    shown = [("as it was read", found.picture), *found.steps]
    for axes, (name, pixels) in zip(above.subplots(1, len(shown), squeeze=False)[0], shown, strict=True):
        plots.grey(axes, pixels, name)
    if below:
        maps = [] if found.grad_cam is None else list(found.grad_cam)
        cells = below[0].subplots(1, 2 + len(maps), width_ratios=(1, *([1] * len(maps)), 1.6))
        _saliency(cells[0], found)
        _grad_cam(cells[1:-1], found)
        _probabilities(cells[-1], found)
    return figure


@plots.drawn
def feature_maps(look: Inside) -> Figure:
    """Draw the networks' input, and in a column for each network its filters and feature maps."""
    networks, filters = by_network(look.stages), by_network(look.filters)
    first = 1 if filters else 0
    rows = first + max(len(layers) for layers in networks.values())
    figure = Figure(figsize=(4.6 * len(networks), 2.4 + 2.9 * rows))
    figure.suptitle(f"Inside the network, {look.name}; white is a layer's largest value, black none")
    above, below = figure.subfigures(2, 1, height_ratios=(2, 2.9 * rows), squeeze=False).ravel()
    plots.grey(above.subplots(), look.digit, "28x28")
    cells = below.subplots(rows, len(networks), squeeze=False)
    for axes in cells.ravel():
        plots.bare(axes)
    for column, (network, layers) in enumerate(networks.items()):
        for _, kernels in filters.get(network, []):
            height, width, count = kernels.shape
            title = f"{network} looks for: {count} filters of {height}x{width}\n(white ink, black none)"
            plots.grey(cells[0, column], mosaic(kernels, signed=True), title.lstrip())
        for row, (layer, maps) in enumerate(layers, first):
            height, width, count = maps.shape
            title = f"{network} {layer}: {count} maps of {height}x{width}".lstrip()
            plots.grey(cells[row, column], mosaic(maps), title)
    return figure


def headline(found: Explanation) -> str:
    """Return the answer and the runner-up in one line, or the reason for no digit."""
    said, second = found.prediction, found.runner_up
    if said.digit is None:
        return f"no digit: {said.reason}"
    after = "" if second is None else f"; the next likeliest is a {second[0]}, {percent(second[1])}"
    return f"a {said.digit}, {percent(said.confidence)}{after}"


def _saliency(axes: Axes, found: Explanation) -> None:
    assert found.saliency is not None
    strongest = max(float(np.abs(found.saliency).max()), 1e-6)
    field = axes.imshow(found.saliency, cmap="PuOr_r", vmin=-strongest, vmax=strongest)
    axes.contour(found.digit, levels=[127], colors=plots.INK, linewidths=1)
    for sign, place in (("+", found.saliency.argmax()), ("\N{MINUS SIGN}", found.saliency.argmin())):
        row, column = np.unravel_index(place, found.saliency.shape)
        if abs(found.saliency[row, column]) > 0.2 * strongest:  # the two ends of the scale are alike in grey
            axes.text(float(column), float(row), sign, color="white", weight="bold", ha="center", va="center")
    axes.set_title("which ink spoke for it\n(outline: the digit)", fontsize=9)
    plots.bare(axes)
    assert axes.figure is not None
    axes.figure.colorbar(field, ax=axes, shrink=0.85, label="log-odds lost when hidden\n(below 0: gained)")


def _grad_cam(cells: Sequence[Axes], found: Explanation) -> None:
    """Draw the maps of the two likeliest digits in the same colours, for comparison."""
    if found.grad_cam is None:
        return
    strongest = max(float(found.grad_cam.max()), 1e-6)
    for axes, digit, heat in zip(cells, found.likeliest, found.grad_cam, strict=True):
        field = axes.imshow(heat, cmap="Oranges", vmin=0, vmax=strongest)
        axes.contour(found.digit, levels=[127], colors=plots.INK, linewidths=1)
        axes.set_title(f"Grad-CAM: where it\nlooks like a {digit}", fontsize=9)
        plots.bare(axes)
    figure = cells[-1].figure
    assert figure is not None
    figure.colorbar(field, ax=cells[-1], shrink=0.85, label="what a place adds to the score")


def _probabilities(axes: Axes, found: Explanation) -> None:
    chances = found.prediction.probabilities
    assert chances is not None
    best = int(np.argmax(chances))
    colours = [plots.COLOURS[1] if digit == best else plots.COLOURS[0] for digit in range(10)]
    hatches = ["//" if digit == best else "" for digit in range(10)]
    bars = axes.bar(range(10), chances, color=colours, hatch=hatches, edgecolor="white", zorder=2)
    axes.bar_label(bars, [percent(chance) for chance in chances], fontsize=8)
    axes.set(title="probabilities", xlabel="digit", ylabel="probability", xticks=range(10), ylim=(0, 1.1))
    plots.in_percent(axes.yaxis)
