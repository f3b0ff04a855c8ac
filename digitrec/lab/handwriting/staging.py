"""Scenes as material to learn from: what our own preparation cuts out of them."""

from __future__ import annotations

import numpy as np

from digitrec.comparison.datasets.mnist import NO_DIGIT, Digits
from digitrec.image import DigitImage
from digitrec.lab.datasets.digits import WANTS
from digitrec.lab.handwriting.props import overlap
from digitrec.lab.handwriting.scenery import READ
from digitrec.lab.handwriting.scenes import scene
from digitrec.lab.handwriting.writer import Writer
from digitrec.prepare import prepare

TO_REFUSE = ("crossed out", "crossed out", "printed signs")
"""Scenes that a network learns not to recognise, one of them twice as often; a part of the others may be a
digit."""
REFUSED = 0.3
"""Share of the scenes that is writing to be refused."""
SAME = 0.6
"""Two boxes with more than this share of their union in common show the same."""


def staged(writer: Writer, count: int, seed: int | list[int]) -> Digits:
    """The writer's digits in scenes; `REFUSED` of them writing to be refused, `NO_DIGIT`.

    Those are left out whose cut-out is not what the scene is about: nobody can learn a card as a 3.
    """
    rng = np.random.default_rng(seed)
    images, labels = [np.zeros((0, 28, 28), np.uint8)], []
    for _ in range(count):
        kinds = TO_REFUSE if rng.random() < REFUSED else tuple(READ)
        one = scene(kinds[rng.integers(len(kinds))], writer, rng)
        ready = prepare(DigitImage(one.pixels, "<synthetic>", ""), WANTS)
        if ready.findings.reason is None and overlap(ready.findings.boxes[0], one.box) > SAME:
            images.append(np.frombuffer(ready.data, np.uint8).reshape(1, 28, 28))
            labels.append(NO_DIGIT if one.label is None else one.label)
    return Digits(np.concatenate(images), np.array(labels, np.uint8))
