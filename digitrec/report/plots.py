"""Define the common style of all plots; save a plot or embed it in a page.

Only this module and the second generator of scenes import matplotlib (the extra ``plots``); the modules
that draw plots import its names from here. A plot is saved as a PNG on white, or becomes an SVG in the text
colour of the page, for light and dark pages. Lines and markers differ even without colour.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from digitrec.image import atomic
from digitrec.providers.base import is_installed, not_installed

if not is_installed("matplotlib"):
    raise not_installed("Drawing plots", "plots")

import matplotlib as mpl
from matplotlib.axes import Axes as Axes  # noqa: PLC0414 (an alias makes it public)
from matplotlib.axis import Axis
from matplotlib.figure import Figure as Figure  # noqa: PLC0414
from matplotlib.figure import SubFigure as SubFigure  # noqa: PLC0414
from matplotlib.ticker import LogLocator, NullLocator, PercentFormatter
from numpy.typing import NDArray

if TYPE_CHECKING:  # it needs scikit-learn, which most plots do not
    from digitrec.comparison.benchmark.measure import Scorecard
    from digitrec.comparison.benchmark.measures import Reliability

INK = "#010203"
"""Placeholder for the page's text colour; `svg` replaces it."""
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b8860b", "#56b4e9", "#7f7f7f", "#5e3c99", "#8b0000",
           "#9acd32")  # fmt: skip
"""Okabe and Ito's colours for colour-blind readers, with a darker yellow, and three more colours."""
MARKERS = "osD^vPX<>*"
LINES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)))
FEWEST = 10
"""Minimum number of answers behind a point."""
STYLE: dict[Any, Any] = {
    "axes.edgecolor": INK, "axes.labelcolor": INK, "text.color": INK, "xtick.color": INK, "ytick.color": INK,
    "axes.facecolor": "none", "figure.facecolor": "none", "savefig.facecolor": "none", "axes.grid": True,
    "grid.alpha": 0.25, "grid.color": INK, "axes.spines.top": False, "axes.spines.right": False,
    "font.size": 10, "legend.frameon": False, "svg.fonttype": "none", "font.family": "sans-serif",
    "svg.hashsalt": "digitrec", "figure.constrained_layout.use": True, "text.parse_math": False,
    "text.usetex": False,
}  # fmt: skip
drawn = mpl.rc_context(STYLE)
"""Decorator of functions that draw; it applies `STYLE`."""
BELOW = {"loc": "outside lower center", "ncols": 2}
"""Arguments of a legend below the axes, where it covers no line."""
DPI = 120
"""Resolution of a saved plot, in dots per inch; it is then 1,000 to 1,400 pixels wide."""


@drawn
def svg(figure: Figure, title: str) -> str:
    """Return the figure as an ``<svg>`` element with a title for screen readers."""
    data = io.StringIO()
    figure.savefig(data, format="svg", metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    drawing = data.getvalue()[data.getvalue().index("<svg") :].replace(INK, "currentColor")
    return drawing.replace("<svg ", f'<svg role="img" aria-label="{title}" ', 1)


def save(figure: Figure, path: Path) -> Path:
    """Save the figure as a PNG on white; create the folder if it does not exist."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic.replacing(path) as unfinished:
        figure.savefig(unfinished, format="png", dpi=DPI, facecolor="white", metadata={"Software": None})
    return path


def plain_axes(title: str, x: str, y: str, size: tuple[float, float] = (7.6, 4.2)) -> tuple[Figure, Axes]:
    """Create a figure of this size, in inches, with one pair of axes."""
    figure = Figure(figsize=size)
    axes = figure.add_subplot()
    axes.set(title=title, xlabel=x, ylabel=y)
    return figure, axes


def in_percent(*axes: Axis, decimals: int | None = None) -> None:
    """Label shares of 1 in per cent; without ``decimals`` matplotlib chooses their number."""
    for axis in axes:
        axis.set_major_formatter(PercentFormatter(1.0, decimals=decimals))


def colour(place: int) -> str:
    """Return a colour by its index."""
    return COLOURS[place % len(COLOURS)]


def dashed(place: int) -> dict[str, Any]:
    """Return colour and dashes of a line by its index; the first 70 pairs differ."""
    return {"color": colour(place), "linestyle": LINES[(place + place // len(COLOURS)) % len(LINES)]}


def marked(place: int) -> dict[str, Any]:
    """Return colour and marker of points by their index; the first 70 pairs differ."""
    return {"color": colour(place), "marker": MARKERS[(place + place // len(COLOURS)) % len(MARKERS)]}


def bare(axes: Axes) -> None:
    """Remove frame, ticks and grid."""
    axes.grid(visible=False)
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)


def picture(axes: Axes, pixels: NDArray[Any], title: str = "", **look: Any) -> None:
    """Show a digit with high values for ink as dark ink on white; ``look`` changes imshow's arguments."""
    axes.imshow(pixels, **{"cmap": "gray_r", "vmin": 0, "vmax": 255, **look})
    axes.set_title(title, fontsize=9)
    bare(axes)


def grey(axes: Axes, pixels: NDArray[Any], title: str = "") -> None:
    """Show a picture as it is, grey or RGB."""
    picture(axes, pixels, title, cmap="gray", interpolation="nearest")


def logarithmic(axes: Axes) -> None:
    """Make the x-axis logarithmic, with plain numbers."""
    axes.set_xscale("log")
    low, high = axes.get_xlim()
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 100 * low else (1,)))
    axes.xaxis.set_major_formatter("{x:,g}")
    axes.xaxis.set_minor_locator(NullLocator())


def end_at_one(axes: Axes) -> None:
    """End the y-axis at the largest possible share, and do not clip markers on the edge."""
    low, high = axes.get_ylim()
    axes.set_ylim(low, min(high, 1))
    for line in axes.lines:
        line.set_clip_on(False)


@drawn
def coverage(cards: Mapping[str, Scorecard], size: tuple[float, float]) -> Figure:
    """Draw accuracy against coverage, a line for each card."""
    figure, axes = plain_axes(
        "Accuracy against coverage", "share of pictures answered", "accuracy of these answers", size
    )
    for place, (name, card) in enumerate(cards.items()):
        points = [point for point in card.coverage if point[1] * card.accuracy.n >= FEWEST]
        axes.plot([x for _, x, _ in points], [y for _, _, y in points], label=name, **dashed(place))
    axes.set_xlim(0, 1)
    end_at_one(axes)
    in_percent(axes.xaxis)
    in_percent(axes.yaxis, decimals=1)
    if cards:  # matplotlib warns of an empty legend
        figure.legend(**BELOW)
    return figure


@drawn
def reliability(found: Mapping[str, Reliability], title: str, size: tuple[float, float]) -> Figure:
    """Draw the reliability diagram: accuracy against confidence, a line for each name.

    A point has at least `FEWEST` answers; a single line has all points, each with its number of answers.
    """
    counts = len(found) == 1
    label = "mean confidence of a bin" + (" (figures: its answers)" if counts else "")
    figure, axes = plain_axes(title, label, "accuracy of its answers", size)
    axes.plot([0, 1], [0, 1], color=INK, alpha=0.5, linewidth=1, label="perfectly calibrated")
    for place, (name, known) in enumerate(found.items()):
        bins = [one for one in known.bins if counts or one.answers >= FEWEST]
        x, y = [one.confidence for one in bins], [one.right for one in bins]
        axes.plot(x, y, label=name, **dashed(place) | marked(place))
        for one in bins if counts else ():
            axes.annotate(f"{one.answers:,}", (one.confidence, one.right), (-5, 5), ha="right", fontsize=8,
                          textcoords="offset points")  # fmt: skip
    axes.set(xlim=(0, 1), ylim=(0, 1))
    end_at_one(axes)
    in_percent(axes.xaxis, axes.yaxis)
    figure.legend(**BELOW)
    return figure
