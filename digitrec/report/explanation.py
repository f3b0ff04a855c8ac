"""What led to an answer, as JSON-like rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from digitrec.lab.evaluation.nearest import Neighbour
from digitrec.recognise.explain import Explanation, Inside, by_network

if TYPE_CHECKING:  # it needs scikit-learn, which an explanation does not
    from digitrec.lab.evaluation.layout import Layout, Read


def row(found: Explanation, nearest: Sequence[Neighbour] | None, drawn: Sequence[Path]) -> dict[str, Any]:
    """An explanation; what was not asked for, or cannot be told, is null."""
    said = found.prediction
    return {
        "image": said.image.source,
        "digit": said.digit,
        "confidence": said.confidence,
        "reason": said.reason,
        "probabilities": None if said.probabilities is None else list(said.probabilities),
        "model": said.model_version,
        "steps": [name for name, _ in found.steps],
        "where": found.where,
        "saliency": _numbers(found.saliency),
        "grad_cam": _class_maps(found.likeliest, found.grad_cam),
        "nearest": None if nearest is None else [
            {"place": one.place, "label": one.label, "likeness": round(one.likeness, 4)} for one in nearest
        ],
        "inside": [_inside(look, found.likeliest) for look in found.inside] or None,
        "pictures": [str(path) for path in drawn],
    }  # fmt: skip


def layout_row(read: Read, laid: Layout, drawn: Path) -> dict[str, Any]:
    """A map: MNIST's digits and one's own, each with its place, within 0..1."""
    around = zip(laid.places.tolist(), laid.around.labels.tolist(), strict=True)
    own = zip(laid.own_places.tolist(), laid.own, strict=True)
    return {
        "picture": str(drawn),
        "around": [{"x": round(x, 4), "y": round(y, 4), "label": label} for (x, y), label in around],
        "own": [
            {"image": one.image, "x": round(x, 4), "y": round(y, 4), "digit": one.read, "reason": one.reason,
             "label": one.label}
            for (x, y), one in own
        ],
        "left_out": [
            *({"image": one.image.source, "reason": one.reason} for one in read.refused),
            *({"image": one.image.source, "reason": str(one.error)} for one in read.failed),
        ],
    }  # fmt: skip


def _inside(look: Inside, likeliest: Sequence[int]) -> dict[str, Any]:
    return {
        "name": look.name,
        "field": [round(side, 4) for side in look.field],
        "saliency": _numbers(look.saliency),
        "grad_cam": _class_maps(likeliest, look.grad_cam),
        "layers": [
            {"network": network, "name": name, "maps": maps.shape[2], "side": maps.shape[0]}
            for network, layers in by_network(look.stages).items() for name, maps in layers
        ],
    }  # fmt: skip


def _class_maps(digits: Sequence[int], maps: NDArray[np.float32] | None) -> list[dict[str, Any]] | None:
    if maps is None:
        return None
    return [{"digit": digit, "map": _numbers(one)} for digit, one in zip(digits, maps, strict=True)]


def _numbers(maps: NDArray[Any] | None) -> list[list[float]] | None:
    if maps is None:
        return None
    found: list[list[float]] = np.asarray(maps, np.float64).round(4).tolist()
    return found
