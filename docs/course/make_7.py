"""Pictures and figures of lesson 7: calibration and refusing."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from pathlib import Path

import matplotlib as mpl
import numpy as np
from lesson import NETWORK, ROOT, main, picture, printed
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from numpy.typing import NDArray
from sklearn.neural_network import MLPClassifier

from digitrec.benchmark.measures import reliability
from digitrec.datasets.mnist import Digits, mnist_test
from digitrec.handwriting import strokes
from digitrec.handwriting.corruptions import corrupt
from digitrec.handwriting.nondigits import scribbles
from digitrec.image import DigitImage
from digitrec.models import store
from digitrec.models.scores import evidence, probabilities
from digitrec.plots import style
from digitrec.prepare import prepare
from digitrec.providers.local import Local
from digitrec.training.confidence import fit_temperature

ACCURACY = "docs/accuracy.md"
READ = (NETWORK, ACCURACY, "digitrec/calibration/fit.py", "digitrec/training/classics.py")
"""What pictures and figures are made of besides this script."""
Floats = NDArray[np.float32]
Ask = Callable[[NDArray[np.uint8]], Floats]
"""A network: pictures (N, 28, 28), ink high, to (N, 10) probabilities."""
WRONG, ASKED = 20.0, 1.0
"""What a wrong answer and a person's look cost, in any coin."""
DAMAGE, SEED, HAND, LETTERS = "zigzag", 7, 12, 120
"""A damage, its seed, digits of each kind by the program's hand, letters."""


def parts(test: Digits) -> dict[str, Digits]:
    """What is learned, what the calibration is fitted on, and what judges both."""
    return {"learn": test[:500], "fit": test[1000:4000], "judge": test[4000:]}


def few_digits(learn: Digits) -> Ask:
    """The page's network that is too sure, as something to ask."""
    network = MLPClassifier((64,), alpha=0, learning_rate_init=0.005, max_iter=500, random_state=0)
    network.fit(learn.images.reshape(-1, 784) / 255, learn.labels)
    return lambda images: network.predict_proba(images.reshape(-1, 784) / 255).astype(np.float32)


def at(chances: Floats, temperature: float) -> Floats:
    """Probabilities, (N, 10), at another temperature."""
    return probabilities(chances, "softmax", temperature)


def confidences(
    chances: Floats, labels: Sequence[int] | NDArray[np.uint8]
) -> tuple[Floats, NDArray[np.bool_]]:
    """How sure each answer is, and whether it is right."""
    return chances.max(axis=1), chances.argmax(axis=1) == labels


def ece(chances: Floats, labels: NDArray[np.uint8]) -> float:
    """The expected calibration error, in per cent."""
    sure, right = confidences(chances, labels)
    found = reliability(sure.tolist(), right.tolist())
    assert found is not None
    return 100 * found.ece


def diagram(axes: Axes, chances: Floats, labels: NDArray[np.uint8], title: str) -> None:
    """Share right against confidence, in ten bins, with how many answers each has."""
    sure, right = confidences(chances, labels)
    found = reliability(sure.tolist(), right.tolist())
    assert found is not None
    bins = [one for one in found.bins if one.answers >= style.FEWEST]
    axes.plot([0, 1], [0, 1], color=style.INK, alpha=0.5, linewidth=1)
    axes.plot([one.confidence for one in bins], [one.right for one in bins], "o-", color=style.COLOURS[0])
    for one in bins:
        below = one.right < one.confidence
        axes.annotate(f"{one.answers:,}", (one.confidence, one.right), (6, -11) if below else (-6, 5),
                      textcoords="offset points", ha="left" if below else "right", fontsize=7)  # fmt: skip
    axes.set(title=f"{title}\nECE {100 * found.ece:.1f} %", xlabel="confidence", ylabel="share right")
    axes.set(xlim=(0.2, 1.02), ylim=(0, 1.02))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1.0))


@mpl.rc_context(style.STYLE)
def reliable(raw: Floats, labels: NDArray[np.uint8], temperature: float) -> Figure:
    """The network that is too sure, before and after its temperature."""
    figure = Figure(figsize=(8, 3.9))
    left, right = figure.subplots(1, 2)
    diagram(left, raw, labels, "as it learned")
    diagram(right, at(raw, temperature), labels, f"at temperature {temperature:.2f}")
    return figure


@mpl.rc_context(style.STYLE)
def temperatures(raw: Floats, digits: Digits, temperature: float, fitted: tuple[Floats, Digits]) -> Figure:
    """What a temperature does to the ten probabilities of one digit, and to the loss on all of them."""
    sure, right = confidences(raw, digits.labels)
    place = int(np.flatnonzero(~right & (sure > 0.9))[0])
    figure = Figure(figsize=(8, 4.6))
    above, below = figure.subfigures(2, 1, height_ratios=(1, 1.1))
    cells = above.subplots(1, 4, width_ratios=(0.8, 1, 1, 1))
    style.picture(cells[0], digits.images[place], f"a {digits.labels[place]}, misread")
    for axes, one in zip(cells[1:], (0.5, 1.0, 3.0), strict=True):
        axes.bar(range(10), at(raw[place : place + 1], one)[0], color=style.COLOURS[0])
        axes.set_axisbelow(True)
        axes.set(title=f"temperature {one:g}", ylim=(0, 1), xticks=range(10))
        axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes = below.subplots()
    steps = np.geomspace(0.4, 6, 80)
    chances, known = fitted
    losses = [
        -np.log(np.maximum(at(chances, one)[np.arange(len(known)), known.labels], 1e-12)).mean()
        for one in steps
    ]
    axes.plot(steps, losses, color=style.COLOURS[0])
    axes.axvline(temperature, color=style.COLOURS[1], linestyle="--", label=f"least at {temperature:.2f}")
    axes.set(xscale="log", xlabel="temperature", ylabel="loss", ylim=(0, max(1.2, 1.6 * min(losses))))
    axes.set_xticks([0.5, 1, 2, 3, 5], ["0.5", "1", "2", "3", "5"])
    axes.minorticks_off()
    axes.legend()
    return figure


def best(few: Ask, digits: Digits, damage: str | None) -> float:
    """The temperature that is best for digits as they are, or damaged."""
    images = digits.images if damage is None else corrupt(digits.images, damage, SEED)
    return fit_temperature(few(images), digits.labels)


@mpl.rc_context(style.STYLE)
def shifted(few: Ask, known: Mapping[str, Digits], temperature: float) -> tuple[Figure, dict[str, str]]:
    """The mended network's confidence on clean digits, and on the same digits damaged."""
    judge = known["judge"]
    clean, damaged = few(judge.images), few(corrupt(judge.images, DAMAGE, SEED))
    figure = Figure(figsize=(8, 3.9))
    for axes, one, title in zip(
        figure.subplots(1, 2), (clean, damaged), ("clean", f"with a {DAMAGE}"), strict=True
    ):
        diagram(axes, at(one, temperature), judge.labels, f"{title}, at temperature {temperature:.2f}")
    own = best(few, known["fit"], DAMAGE)
    errors = {
        "ece-clean": ece(at(clean, temperature), judge.labels),
        "ece-damaged": ece(at(damaged, temperature), judge.labels),
        "ece-mended": ece(at(damaged, own), judge.labels),
        "ece-back": ece(at(clean, own), judge.labels),
    }
    assert min(errors["ece-damaged"], errors["ece-back"]) > 2 * errors["ece-clean"], (
        "what the page says of shift"
    )
    assert errors["ece-mended"] < errors["ece-damaged"] / 2
    others = {kind: best(few, known["fit"], kind) for kind in ("fog", "rotate", "translate")}
    assert min(own, *others.values()) > temperature, f"the page says that damage needs more: {others}"
    return figure, {name: f"{one:.1f} %" for name, one in errors.items()} | {
        "own": f"{own:.2f}",
        "damages": ", ".join(f"{kind} {one:.2f}" for kind, one in others.items()),
    }


def cost(sure: Floats, right: NDArray[np.bool_], threshold: float) -> float:
    """What 1,000 pictures cost when answers below a threshold are shown to a person."""
    answered = sure >= threshold
    return float(1000 * (WRONG * (answered & ~right).mean() + ASKED * (~answered).mean()))


@mpl.rc_context(style.STYLE)
def thresholds(raw: Floats, mended: Floats, labels: NDArray[np.uint8]) -> tuple[Figure, dict[str, str]]:
    """Answered against right, and what each threshold costs, before and after calibrating."""
    figure = Figure(figsize=(8, 3.7))
    left, right = figure.subplots(1, 2)
    steps, formula = np.linspace(0.3, 0.999, 200), 1 - ASKED / WRONG
    costs, figures = {}, {"formula": f"{formula:.2f}"}
    for number, (name, title, chances) in enumerate(
        (("raw", "as it learned", raw), ("mended", "calibrated", mended))
    ):
        sure, good = confidences(chances, labels)
        costs[name] = cost(sure, good, formula)
        right.plot(steps, [cost(sure, good, one) for one in steps], linestyle=style.LINES[number],
                   color=style.COLOURS[number], label=title)  # fmt: skip
        figures[f"cost-{name}"] = f"{costs[name]:,.0f}"
    order = np.argsort(-mended.max(axis=1))
    hits = (mended.argmax(axis=1) == labels)[order]
    answered = np.arange(1, len(hits) + 1)
    left.plot(answered[99:] / len(hits), (np.cumsum(hits) / answered)[99:], color=style.COLOURS[0])
    left.set(xlabel="share answered, the surest first", ylabel="of those right", ylim=(None, 1.0))
    right.axvline(formula, color=style.INK, linewidth=1, alpha=0.6, linestyle=":")
    right.set(xlabel="threshold", ylabel="cost of 1,000 pictures", ylim=(0, None))
    right.legend()
    for axis in (left.xaxis, left.yaxis):
        axis.set_major_formatter(PercentFormatter(1.0))
    sure, good = confidences(mended, labels)
    kept = sure >= formula
    assert costs["mended"] < costs["raw"] < WRONG * 1000 * (~good).mean(), (
        "calibrating must pay, and refusing too"
    )
    half = len(hits) // 2
    return figure, figures | {
        "cost-all": f"{WRONG * 1000 * (~good).mean():,.0f}",
        "all-right": f"{100 * hits.mean():.1f} %",
        "half-right": f"{100 * hits[:half].mean():.1f} %",
        "kept": f"{100 * kept.mean():.0f} %",
        "kept-right": f"{100 * good[kept].mean():.1f} %",
    }


def in_form(pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Pictures as they are given to a network, (N, 28, 28); those that are refused before are left out."""
    wants = Local().wants
    prepared = [prepare(DigitImage.open(one), wants) for one in pictures]
    data = b"".join(one.data for one in prepared if len(one.data) == 784)
    return np.frombuffer(data, np.uint8).reshape(-1, 28, 28)


@mpl.rc_context(style.STYLE)
def letters(few: Ask) -> tuple[Figure, dict[str, str]]:
    """How sure a network of digits alone is of letters, and what evidence the shipped one sees in them."""
    rng = np.random.default_rng(SEED)
    written = in_form([strokes.draw(digit, rng, 112) for digit in range(10) for _ in range(HAND)])
    made = islice((one.pixels for one in scribbles(2000, SEED) if one.kind == "letter"), LETTERS)
    other = in_form(list(made))
    own = store.load()
    figure = Figure(figsize=(8, 3.5))
    left, right = figure.subplots(1, 2)
    kinds = (("digits", written), ("letters", other))
    for number, (name, images) in enumerate(kinds):
        look = {
            "alpha": 0.65,
            "color": style.COLOURS[number],
            "hatch": "/" * number,
            "edgecolor": "white",
            "label": name,
        }
        left.hist(few(images).max(axis=1), np.linspace(0, 1, 21), **look)
        right.hist(evidence(own.probabilities(images, [True] * len(images))), np.linspace(0, 3, 25), **look)
    left.set(title="a network of 500 digits", xlabel="confidence", ylabel="pictures")
    right.set(title="digitrec's network", xlabel="evidence", ylabel="pictures")
    right.axvline(own.input.evidence, color=style.INK, linewidth=1, linestyle="--", label="asked for")
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
    page = (ROOT / ACCURACY).read_text(encoding="utf-8")
    cells = {
        line.split("|")[1].strip(): line.split("|") for line in page.splitlines() if line.startswith("| ")
    }
    return {
        "letters-refused": cells["letters"][3].strip().replace("%", " %"),
        "alike-refused": cells["letters like digits"][3].strip().replace("%", " %"),
        "sure-wrong": cells["mnist-test"][9].strip().replace("%", " %"),
        "sure-wrong-shadow": cells["edge of a shadow"][9].strip().replace("%", " %"),
    }


def confidence_table(report: str) -> str:
    """Of what `digitrec benchmark --output markdown` prints, the table of confidence."""
    section = report.partition("\n## Confidence\n")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("|")]
    return "\n".join(["", "", *rows, "", ""])


def another_engine(test: Digits, folder: Path) -> dict[str, str]:
    """What the page's commands print: an engine trained, calibrated and judged."""
    for name, part in parts(test).items():
        np.savez(folder / f"{name}.npz", x=part.images, y=part.labels)
    os.environ["XDG_DATA_HOME"] = str(folder / "data")  # where calibrations are kept: not the reader's
    printed("digitrec train --arch svm --data learn.npz --test judge.npz --out svm.skops", folder)
    calibrated = printed("digitrec calibrate fit.npz --model svm.skops", folder)
    report = printed("digitrec benchmark judge.npz --model svm.skops --output markdown", folder)
    return {
        "calibrated": calibrated.partition("; kept in")[0] + "\n```\n",
        "report": confidence_table(report),
    }


def make() -> Mapping[str, str]:
    """Draw the pictures; give each figure in the page by its name."""
    test = mnist_test()
    known = parts(test)
    with tempfile.TemporaryDirectory() as folder:
        figures = another_engine(test, Path(folder))
    few = few_digits(known["learn"])
    raw, fitted = few(known["judge"].images), few(known["fit"].images)
    labels = known["judge"].labels
    temperature = fit_temperature(fitted, known["fit"].labels)
    mended = at(raw, temperature)
    before, after = ece(raw, labels), ece(mended, labels)
    assert temperature > 1.2 and after < before / 2, "the network must be too sure, and the temperature help"
    picture(reliable(raw, labels, temperature), "7-reliability")
    picture(temperatures(raw, known["judge"], temperature, (fitted, known["fit"])), "7-temperature")
    moved, more = shifted(few, known, temperature)
    picture(moved, "7-shift")
    priced, costs = thresholds(raw, mended, labels)
    picture(priced, "7-threshold")
    looked, said = letters(few)
    picture(looked, "7-letters")
    sure, right = confidences(raw, labels)
    top = sure >= 0.95
    return figures | more | costs | said | measured() | {
        "mean-sure": f"{100 * sure.mean():.1f} %",
        "mean-right": f"{100 * right.mean():.1f} %",
        "top-sure": f"{100 * sure[top].mean():.1f} %",
        "top-right": f"{100 * right[top].mean():.1f} %",
        "before": f"{before:.1f} %",
        "after": f"{after:.1f} %",
        "temperature": f"{temperature:.2f}",
    }  # fmt: skip


if __name__ == "__main__":
    main(Path(__file__), make, READ)
