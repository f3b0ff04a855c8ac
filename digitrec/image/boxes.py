"""Compare the places of two boxes."""

from digitrec.image import Box


def shared(one: Box, other: Box) -> float:
    """Return the common part of two boxes as a share of their union, 0..1."""
    both = _common(one, other)
    return both / max(_area(one) + _area(other) - both, 1e-9)


def covered(one: Box, other: Box) -> float:
    """Return the share of the smaller box that the other box covers, 0..1."""
    return _common(one, other) / max(min(_area(one), _area(other)), 1e-9)


def holds(box: Box, other: Box) -> bool:
    """Return whether the middle of the other box lies in a box."""
    x, y = (other[0] + other[2]) / 2, (other[1] + other[3]) / 2
    return box[0] <= x < box[2] and box[1] <= y < box[3]


def _common(one: Box, other: Box) -> float:
    across = min(one[2], other[2]) - max(one[0], other[0])
    down = min(one[3], other[3]) - max(one[1], other[1])
    return max(0.0, across) * max(0.0, down)


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])
