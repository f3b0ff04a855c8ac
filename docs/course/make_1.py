"""Pictures and figures of lesson 1: what a picture is to a computer."""

from collections.abc import Mapping
from pathlib import Path

import matplotlib as mpl
import numpy as np
from lesson import ROOT, main, merely_shrunk, picture
from matplotlib.figure import Figure
from PIL import Image

import digitrec
from digitrec.comparison.datasets.loader import read_samples
from digitrec.image import DigitImage
from digitrec.models import store
from digitrec.prepare import mnist
from digitrec.recognise.explain import explain
from digitrec.report import plots

SHOWN = ("photo-shadow.jpg", "blackboard.jpg", "photo-small.jpg", "squared-pencil.jpg", "red-ink.jpg")


@mpl.rc_context(plots.STYLE)
def photos() -> Figure:
    """Draw photos, shrunk and prepared, each with the network's answer."""
    network = store.load()
    figure = Figure(figsize=(8.4, 5.2))
    for column, name in zip(figure.subplots(3, len(SHOWN)).T, SHOWN, strict=True):
        path = ROOT / "samples" / name
        shrunk = merely_shrunk(path)
        plots.grey(column[0], np.asarray(Image.open(path)), name)
        read = int(network.probabilities(shrunk[None]).argmax())
        plots.grey(column[1], shrunk, f"shrunk: read as {read}")
        prepared = mnist.steps(DigitImage.open(path))[-1][1]
        plots.grey(column[2], prepared, f"prepared: read as {digitrec.predict(path).digit}")
    return figure


@mpl.rc_context(plots.STYLE)
def steps() -> Figure:
    """Draw the steps of one photo's preparation."""
    found = explain(ROOT / "samples" / "photo-shadow.jpg")
    shown = [("the photo", found.picture), *found.steps]
    figure = Figure(figsize=(8.4, 2.0))
    for axes, (name, pixels) in zip(figure.subplots(1, len(shown)), shown, strict=True):
        plots.grey(axes, np.asarray(pixels), name)
    return figure


def read_rightly() -> tuple[int, int, int]:
    """Return how many samples are read correctly when shrunk and when prepared, and their number."""
    samples = [one for one in read_samples(ROOT / "samples") if one.label is not None]
    paths = [Path(str(one.image)) for one in samples]
    labels = np.array([one.label for one in samples])
    shrunk = store.load().probabilities(np.stack([merely_shrunk(path) for path in paths])).argmax(axis=1)
    prepared = [outcome.digit for outcome in digitrec.predict_many(paths)]
    right = int((shrunk == labels).sum()), int((np.array(prepared) == labels).sum())
    assert right[0] < 0.6 * right[1], right  # the lesson's point
    return *right, len(labels)


def make() -> Mapping[str, str]:
    """Draw the pictures; give each figure in the page by its name."""
    picture(photos(), "1-photos")
    picture(steps(), "1-steps")
    shrunk, prepared, count = read_rightly()
    return {"photos": str(count), "shrunk": str(shrunk), "prepared": str(prepared)}


if __name__ == "__main__":
    main(Path(__file__), make)
