"""Pictures and figures of lesson 1: what a picture is to a computer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import matplotlib as mpl
from lesson import main, picture
from matplotlib.figure import Figure

from digitrec.datasets.mnist import mnist_test
from digitrec.plots import style

READ = ("digitrec/prepare/mnist.py",)
"""What pictures and figures are made of besides this script; `lesson.NETWORK` where the network is asked."""


@mpl.rc_context(style.STYLE)
def pixels() -> Figure:
    """One digit of MNIST's, large."""
    figure = Figure(figsize=(4, 4))
    style.picture(figure.subplots(), mnist_test().images[0])
    return figure


def make() -> Mapping[str, str]:
    """Draw the pictures; give each figure in the page by its name."""
    picture(pixels(), "1-pixels")
    return {}


if __name__ == "__main__":
    main(Path(__file__), make, READ)
