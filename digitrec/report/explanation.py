"""What led to an answer, as JSON-like rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitrec.recognise.explain import Explanation, Inside, by_network


def row(found: Explanation, drawn: Sequence[Path]) -> dict[str, Any]:
    """An explanation; what was not asked for, or is unknown, is null."""
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
    """The ink that spoke for the answer, and the class activation maps of these digits."""
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
