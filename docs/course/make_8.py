"""Pictures and figures of lesson 8: comparing engines fairly."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import matplotlib as mpl
import numpy as np
from lesson import ROOT, main, picture, printed
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from numpy.typing import NDArray
from scipy.stats import binom
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC

from digitrec.benchmark.measures import proportion
from digitrec.benchmark.pairs import SIGNIFICANCE, holm, mcnemar
from digitrec.datasets.mnist import mnist_test
from digitrec.plots import style

READ = ("digitrec/benchmark/measures.py", "digitrec/benchmark/pairs.py", "digitrec/report/benchmark.py")
"""What pictures and figures are made of besides this script."""
Bools = NDArray[np.bool_]
SEED, RUNS = 8, 1000
"""Of every simulation; how many times it is played."""
LEARNED, JUDGED = 1000, 400
"""Test digits that both engines learn from, and that they are compared on."""
PICTURES, STEP, ACCURATE = 400, 20, 0.95
"""Of a simulated benchmark; after how many one looks; the share that every simulated engine reads."""
MOST = 8
"""Engines in the simulation."""
ENGINES = {
    "A": (0.88, 0.0, 0.02), "B": (0.95, 0.0, 0.3), "C": (0.93, 1.0, 0.25), "D": (0.97, 1.5, 0.6),
    "E": (0.955, 3.5, 0.9), "F": (0.985, 10.0, 1.5),
}  # fmt: skip
"""Invented engines: share right, dollars for 1,000 pictures, seconds for one."""


def interval(hits: int, n: int) -> tuple[float, float]:
    """Wilson's 95 per cent interval."""
    found = proportion(hits, n)
    assert found.low is not None and found.high is not None
    return found.low, found.high


@cache
def p_value(one: int, other: int) -> float:
    """McNemar's, kept: the simulations ask for few different ones many times."""
    return mcnemar(one, other)


@mpl.rc_context(style.STYLE)
def intervals() -> tuple[Figure, dict[str, str]]:
    """How wide an interval is, and how often two kinds of intervals hold the truth."""
    figure = Figure(figsize=(8, 3.5))
    left, right = figure.subplots(1, 2)
    counts = np.array([50, 100, 200, 500, 1000, 2000, 5000, 10000])
    ends = np.array([interval(round(0.98 * n), int(n)) for n in counts])
    left.fill_between(counts, ends[:, 0], ends[:, 1], color=style.COLOURS[0], alpha=0.3)
    left.axhline(0.98, color=style.COLOURS[0])
    left.set(xscale="log", xlabel="pictures", title="98 of 100 are right: the interval", ylim=(0.88, 1))
    n, hits = 100, np.arange(101)
    share = hits / n
    half = 1.96 * np.sqrt(share * (1 - share) / n)
    wilson = np.array([interval(int(one), n) for one in hits])
    truths = np.linspace(0.8, 0.999, 150)
    kinds = {"Wilson": wilson, "plus or minus 1.96 sd": np.stack([share - half, share + half], axis=1)}
    held = {}
    for number, (name, ends) in enumerate(kinds.items()):
        chances = binom.pmf(hits, n, truths[:, None])
        held[name] = (chances * ((ends[:, 0] <= truths[:, None]) & (truths[:, None] <= ends[:, 1]))).sum(
            axis=1
        )
        right.plot(truths, held[name], linestyle=style.LINES[number], color=style.COLOURS[number], label=name)
    right.axhline(0.95, color=style.INK, linewidth=1, alpha=0.5, linestyle=":")
    right.set(xlabel="true share right", title="intervals of 100 pictures that hold it", ylim=(0, 1.02))
    right.legend(loc="lower left")
    for axis in (left.yaxis, right.yaxis, right.xaxis):
        axis.set_major_formatter(PercentFormatter(1.0))
    near = np.abs(truths - 0.99).argmin()
    assert held["Wilson"][near] > 0.9 > held["plus or minus 1.96 sd"][near]
    return figure, {
        "low": f"{100 * interval(98, 100)[0]:.1f} %",
        "high": f"{100 * interval(98, 100)[1]:.1f} %",
        "wide-low": f"{100 * interval(9800, 10000)[0]:.1f} %",
        "wide-high": f"{100 * interval(9800, 10000)[1]:.1f} %",
        "held-naive": f"{100 * held['plus or minus 1.96 sd'][near]:.0f} %",
        "held-wilson": f"{100 * held['Wilson'][near]:.0f} %",
        "all-low": f"{100 * interval(100, 100)[0]:.1f} %",
    }


def two_engines() -> tuple[Bools, Bools]:
    """What the k-NN and the SVM of the page read rightly, of the same digits."""
    test = mnist_test()
    pixels = test.images.reshape(-1, 784) / 255
    found = []
    for engine in (KNeighborsClassifier(3), SVC()):
        engine.fit(pixels[:LEARNED], test.labels[:LEARNED])
        judged = slice(LEARNED, LEARNED + JUDGED)
        found.append(np.asarray(engine.predict(pixels[judged]) == test.labels[judged]))
    return found[0], found[1]


@mpl.rc_context(style.STYLE)
def paired(first: Bools, second: Bools) -> tuple[Figure, dict[str, str]]:
    """Two shares with intervals; the same answers, paired; and the coins of McNemar's test."""
    table = np.array([[(first & second).sum(), (first & ~second).sum()],
                      [(~first & second).sum(), (~first & ~second).sum()]])  # fmt: skip
    only_first, only_second = int(table[0, 1]), int(table[1, 0])
    ends = [interval(int(one.sum()), len(one)) for one in (first, second)]
    p = mcnemar(only_first, only_second)
    assert ends[1][0] < ends[0][1], "the page says that the intervals overlap"
    assert p < SIGNIFICANCE, "the page says that the paired test tells them apart"
    figure = Figure(figsize=(8, 3))
    left, middle, right = figure.subplots(1, 3)
    for place, (one, (low, high)) in enumerate(zip((first, second), ends, strict=True)):
        share = one.mean()
        left.errorbar(
            place, share, yerr=[[share - low], [high - share]], fmt="o", capsize=4, color=style.COLOURS[place]
        )
    left.set(xticks=[0, 1], xticklabels=["k-NN", "SVM"], xlim=(-0.5, 1.5), title="each for itself")
    left.yaxis.set_major_formatter(PercentFormatter(1.0))
    middle.imshow([[0, 1], [1, 0]], cmap="Oranges", vmin=0, vmax=3)
    for (row, column), count in np.ndenumerate(table):
        middle.text(column, row, str(count), ha="center", va="center", fontsize=14)
    middle.set(xticks=[0, 1], xticklabels=["right", "wrong"], yticks=[0, 1], yticklabels=["right", "wrong"],
               xlabel="SVM", ylabel="k-NN", title="picture by picture")  # fmt: skip
    middle.grid(visible=False)
    tosses = only_first + only_second
    heads = np.arange(tosses + 1)
    extreme = np.abs(heads - tosses / 2) >= abs(only_first - tosses / 2)
    right.bar(
        heads,
        binom.pmf(heads, tosses, 0.5),
        color=[style.COLOURS[1] if one else style.COLOURS[0] for one in extreme],
    )
    right.axvline(only_first, color=style.INK, linestyle=":", linewidth=1)
    right.set(title=f"{tosses} coins", xlabel="heads", ylabel="chance")
    return figure, {
        "knn": f"{100 * first.mean():.1f} %",
        "svm": f"{100 * second.mean():.1f} %",
        "knn-low": f"{100 * ends[0][0]:.1f} %", "knn-high": f"{100 * ends[0][1]:.1f} %",
        "svm-low": f"{100 * ends[1][0]:.1f} %", "svm-high": f"{100 * ends[1][1]:.1f} %",
        "both": str(table[0, 0]), "neither": str(table[1, 1]),
        "only-knn": str(only_first), "only-svm": str(only_second), "tosses": str(tosses),
        "p": f"{p:.4f}",
    }  # fmt: skip


def alike(rng: np.random.Generator, engines: int, pictures: int) -> Bools:
    """What equally good engines read rightly: (engines, pictures). Half of the pictures are easy for all."""
    hard = rng.random(pictures) < 0.5
    return np.asarray(rng.random((engines, pictures)) >= np.where(hard, 2 * (1 - ACCURATE), 0))


def alarms() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How often some pair of 2..`MOST` equal engines seems to differ: uncorrected, and by Holm's method."""
    rng = np.random.default_rng(SEED)
    counts = np.zeros((2, MOST + 1))
    for _ in range(RUNS):
        right = alike(rng, MOST, PICTURES).astype(int)
        only = right @ (1 - right).T  # (engine, other): pictures that the engine alone got right
        for engines in range(2, MOST + 1):
            values = [p_value(int(only[a, b]), int(only[b, a])) for a in range(engines) for b in range(a)]
            counts[0, engines] += min(values) < SIGNIFICANCE
            counts[1, engines] += min(holm(values)) < SIGNIFICANCE
    return counts[0] / RUNS, counts[1] / RUNS


def peeking() -> tuple[NDArray[np.float64], float]:
    """How often two equal engines have seemed to differ at any look so far, by looks; and at the last."""
    rng = np.random.default_rng(SEED)
    looks = PICTURES // STEP
    found, last = np.zeros(looks), 0
    for _ in range(RUNS):
        one, other = alike(rng, 2, PICTURES)
        ends = np.arange(1, looks + 1) * STEP - 1
        only_one, only_other = (np.cumsum(split)[ends] for split in (one & ~other, other & ~one))
        below = [p_value(int(a), int(b)) < SIGNIFICANCE for a, b in zip(only_one, only_other, strict=True)]
        found += np.maximum.accumulate(below)
        last += below[-1]
    return found / RUNS, last / RUNS


@mpl.rc_context(style.STYLE)
def false_alarms() -> tuple[Figure, dict[str, str]]:
    """Equal engines that seem to differ: by how many are compared, and by how often one looks."""
    (plain, corrected), (looked, once) = alarms(), peeking()
    figure = Figure(figsize=(8, 3.4))
    left, right = figure.subplots(1, 2, sharey=True)
    engines = np.arange(2, MOST + 1)
    for number, (name, share) in enumerate({"each pair at 0.05": plain, "Holm's method": corrected}.items()):
        left.plot(engines, share[2:], style.MARKERS[number], linestyle=style.LINES[number],
                  color=style.COLOURS[number], label=name)  # fmt: skip
    left.set(xlabel="engines, all equally good", ylabel="benchmarks with a false winner", ylim=(0, None))
    left.legend()
    right.plot(np.arange(1, len(looked) + 1), looked, "o-", color=style.COLOURS[0], markersize=3)
    right.set(xlabel=f"looks, one after every {STEP} pictures")
    for axes in (left, right):
        axes.axhline(SIGNIFICANCE, color=style.INK, linewidth=1, alpha=0.5, linestyle=":")
    left.yaxis.set_major_formatter(PercentFormatter(1.0))
    assert corrected.max() <= SIGNIFICANCE + 0.02 < plain[MOST] and looked[-1] > once + 0.02
    return figure, {
        "pair": f"{100 * plain[2]:.1f} %",
        "many": f"{100 * plain[MOST]:.0f} %",
        "holm": f"{100 * corrected[MOST]:.1f} %",
        "peeked": f"{100 * looked[-1]:.0f} %",
        "once": f"{100 * once:.1f} %",
    }


@mpl.rc_context(style.STYLE)
def front() -> tuple[Figure, dict[str, str]]:
    """Invented engines by what they cost and how good they are; invented times with their quantiles."""
    figure = Figure(figsize=(8, 3.4))
    left, right = figure.subplots(1, 2)
    better = {
        name for name, (share, cost, seconds) in ENGINES.items()
        if not any(s >= share and c <= cost and t <= seconds and other != name
                   for other, (s, c, t) in ENGINES.items())
    }  # fmt: skip
    for name, (share, cost, seconds) in ENGINES.items():
        colour = style.COLOURS[0] if name in better else style.COLOURS[6]
        left.scatter(cost, share, s=60 + 200 * seconds, color=colour, alpha=0.6)
        left.annotate(
            f"{name}, {seconds:g} s", (cost, share), (9, -11), textcoords="offset points", fontsize=8
        )
    left.set(xlabel="dollars for 1,000 pictures", ylabel="read rightly", xlim=(-0.8, 12), ylim=(0.86, 1.0))
    left.yaxis.set_major_formatter(PercentFormatter(1.0))
    times = np.random.default_rng(SEED).lognormal(np.log(0.3), 0.6, 5000)
    right.hist(times, np.linspace(0, 2.5, 60), color=style.COLOURS[0], alpha=0.5)
    marks = {"median": 50, "95 of 100": 95, "99 of 100": 99}
    for number, (name, share) in enumerate(marks.items()):
        at = float(np.percentile(times, share))
        right.axvline(
            at, color=style.COLOURS[number + 1], linestyle=style.LINES[number], label=f"{name}: {at:.2f} s"
        )
    right.set(xlabel="seconds for one picture", ylabel="pictures")
    right.legend()
    return figure, {"front": ", ".join(sorted(better)), "beaten": ", ".join(sorted(set(ENGINES) - better))}


def rehearsed() -> dict[str, str]:
    """What the page's commands print."""
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        (here / "samples").symlink_to(ROOT / "samples")
        asked = "digitrec compare samples/photo-pen.jpg --provider local,google,aws --emulate"
        dry = "digitrec benchmark samples --provider local,google,aws --dry-run"
        return {"compared": printed(asked, here), "dry": printed(dry, here)}


def coins() -> dict[str, str]:
    """The p-values of the exercises."""
    return {
        "p-close": f"{mcnemar(30, 20):.2f}", "p-far": f"{mcnemar(12, 2):.3f}",
        "p-six": f"{mcnemar(6, 0):.3f}", "p-five": f"{mcnemar(5, 0):.3f}", "p-nine": f"{mcnemar(9, 0):.4f}",
        "p-eight": f"{mcnemar(8, 0):.4f}",
    }  # fmt: skip


def make() -> Mapping[str, str]:
    """Draw the pictures; give each figure in the page by its name."""
    figures = rehearsed() | coins()
    for name, (drawn, more) in {
        "8-intervals": intervals(),
        "8-paired": paired(*two_engines()),
        "8-alarms": false_alarms(),
        "8-front": front(),
    }.items():
        picture(drawn, name)
        figures |= more
    return figures


if __name__ == "__main__":
    main(Path(__file__), make, READ)
