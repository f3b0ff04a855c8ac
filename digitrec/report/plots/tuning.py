"""The search for settings as two pictures."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from digitrec.errors.text import percent
from digitrec.lab.training.tune import Study
from digitrec.report.plots.style import COLOURS, STYLE


@mpl.rc_context(STYLE)
def history(study: Study) -> Figure:
    """The accuracy of each trial, and the best so far."""
    figure = Figure(figsize=(7.6, 4.2))
    axes = figure.add_subplot()
    for state, marker, colour in (("complete", "o", COLOURS[0]), ("pruned", "x", COLOURS[1])):
        tried = [it for it in study.trials if it.state == state and it.accuracy is not None]
        axes.plot(
            [it.number for it in tried],
            [it.accuracy or 0.0 for it in tried],
            marker,
            color=colour,
            label=state,
        )
    finished = [it for it in study.trials if it.state == "complete"]
    best = np.maximum.accumulate([it.accuracy or 0.0 for it in finished])
    axes.step([it.number for it in finished], best, where="post", color=COLOURS[0], label="best so far")
    axes.set(
        title=f"{len(study.trials)} trials; the best reads {percent(study.best.accuracy, 2)}", xlabel="trial",
        ylabel="digits held back that are read rightly",
    )  # fmt: skip
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=1))
    figure.legend(loc="outside lower center", ncols=3)
    return figure


@mpl.rc_context(STYLE)
def importance(study: Study) -> Figure:
    """How much of the difference between trials each setting explains."""
    figure = Figure(figsize=(7.6, 4.2))
    axes = figure.add_subplot()
    ordered = sorted(study.importance.items(), key=lambda item: item[1])
    bars = axes.barh(
        [name.replace("_", " ") for name, _ in ordered], [share for _, share in ordered], color=COLOURS[0],
        height=0.6, zorder=2,
    )  # fmt: skip
    axes.bar_label(bars, [percent(share, 0) for _, share in ordered], padding=4)
    axes.set(title="Importance of each setting", xlabel="share of the variance of accuracy that it explains")
    axes.xaxis.set_major_formatter(PercentFormatter(1.0))
    axes.margins(x=0.12)
    return figure
