"""DetectText's ``Filters``: which words stay in the answer.

Bounds and meanings are those of AWS's API reference (DetectTextFilters, DetectionFilter, RegionOfInterest).
What the service does with the line of a word that is left out is not written down: here a line is made of
the words that stay.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from digitrec.emulator.picture import Box, Picture, Word

Point = tuple[float, float]
"""x and y as shares of the picture's width and height."""

MAX_REGIONS = 10
MAX_POINTS = 10
DEFAULT_CONFIDENCE = 80.0
"""The least confidence of a word filter that names none, in percent."""
_LARGEST = {"MinConfidence": 100, "MinBoundingBoxHeight": 1, "MinBoundingBoxWidth": 1}


class InvalidFilter(Exception):
    """AWS would refuse these filters.

    Attributes:
        code: AWS's name for what is wrong, such as "ValidationException".
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Filters:
    """What a word must be like to stay; without filters each one stays."""

    confidence: float = 0.0
    """Least confidence, percent."""
    height: float = 0.0
    """Least height as a share of the picture's."""
    width: float = 0.0
    """Least width as a share of the picture's."""
    regions: tuple[tuple[Point, ...], ...] = ()
    """Polygons, in one of which more than half of a word must lie; none: anywhere."""

    @classmethod
    def parse(cls, asked: Any) -> Filters:
        """The filters of a request, None for none.

        Raises:
            InvalidFilter: they are of a wrong type, out of range, or a region that is none.
        """
        found = _members(asked, "WordFilter", "RegionsOfInterest")
        word = _members(found.get("WordFilter"), *_LARGEST)
        numbers = {name: _bounded(name, value) for name, value in word.items()}
        usual = DEFAULT_CONFIDENCE if found.get("WordFilter") is not None else 0.0
        regions = found.get("RegionsOfInterest", [])
        if not isinstance(regions, list):
            raise InvalidFilter("SerializationException", "")
        _at_most(MAX_REGIONS, regions, "filters.regionsOfInterest")
        return cls(
            confidence=numbers.get("MinConfidence", usual),
            height=numbers.get("MinBoundingBoxHeight", 0.0),
            width=numbers.get("MinBoundingBoxWidth", 0.0),
            regions=tuple(_region(region) for region in regions),
        )

    def apply(self, words: Sequence[Word], picture: Picture) -> list[Word]:
        """The words that pass all of them."""
        return [word for word in words if self._passes(word, picture)]

    def _passes(self, word: Word, picture: Picture) -> bool:
        left, top, right, bottom = word.box
        box = left / picture.width, top / picture.height, right / picture.width, bottom / picture.height
        if 100 * word.confidence < self.confidence:
            return False
        if box[3] - box[1] < self.height or box[2] - box[0] < self.width:
            return False
        half = (box[2] - box[0]) * (box[3] - box[1]) / 2
        return not self.regions or any(_area(_clipped(region, box)) > half for region in self.regions)


def _members(value: Any, *names: str) -> Mapping[str, Any]:
    """A structure's members that are given; members of other names are ignored, as AWS does."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidFilter("SerializationException", "")
    return {name: value[name] for name in names if value.get(name) is not None}


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidFilter("SerializationException", "")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise InvalidFilter("SerializationException", "")
    return number


def _bounded(name: str, value: Any) -> float:
    number, largest = _number(value), _LARGEST[name]
    if 0 <= number <= largest:
        return number
    bound = "greater than or equal to 0" if number < 0 else f"less than or equal to {largest}"
    where = f"filters.wordFilter.{name[0].lower()}{name[1:]}"
    raise _invalid(
        f"Value '{number}' at '{where}' failed to satisfy constraint: Member must have value {bound}"
    )


def _at_most(number: int, values: list[Any], where: str) -> None:
    if len(values) > number:
        what = (
            f"Value at '{where}' failed to satisfy constraint: Member must have length less than or equal to"
        )
        raise _invalid(f"{what} {number}")


def _invalid(message: str) -> InvalidFilter:
    return InvalidFilter("ValidationException", f"1 validation error detected: {message}")


def _region(value: Any) -> tuple[Point, ...]:
    """A region as a polygon: of a box or of points, of one of them."""
    region = _members(value, "BoundingBox", "Polygon")
    if len(region) != 1:
        raise InvalidFilter(
            "InvalidParameterException", "A region of interest has a bounding box or a polygon."
        )
    if "BoundingBox" in region:
        return _rectangle(region["BoundingBox"])
    points = region["Polygon"]
    if not isinstance(points, list):
        raise InvalidFilter("SerializationException", "")
    _at_most(MAX_POINTS, points, "filters.regionsOfInterest.polygon")
    if len(points) < 3:
        raise InvalidFilter("InvalidParameterException", "A polygon has at least 3 points.")
    members = [_members(point, "X", "Y") for point in points]
    return tuple(_inside(_number(point.get("X", 0)), _number(point.get("Y", 0))) for point in members)


def _rectangle(value: Any) -> tuple[Point, ...]:
    box = _members(value, "Left", "Top", "Width", "Height")
    left, top, width, height = (_number(box.get(name, 0)) for name in ("Left", "Top", "Width", "Height"))
    if width <= 0 or height <= 0:
        raise InvalidFilter(
            "InvalidParameterException", "A region of interest has a width and a height above 0."
        )
    first, last = _inside(left, top), _inside(left + width, top + height)
    return first, (last[0], first[1]), last, (first[0], last[1])


def _inside(x: float, y: float) -> Point:
    """A point of the picture; a hair outside is inside, because sums of shares are not exact."""
    if not (-1e-6 <= x <= 1 + 1e-6 and -1e-6 <= y <= 1 + 1e-6):
        raise InvalidFilter("InvalidParameterException", "A region of interest lies within the image.")
    return x, y


def _clipped(polygon: Sequence[Point], box: Box) -> list[Point]:
    """The part of a polygon in an upright box: cut at one edge, then the next (Sutherland, Hodgman 1974)."""
    points = list(polygon)
    for axis, bound, sign in ((0, box[0], 1), (1, box[1], 1), (0, box[2], -1), (1, box[3], -1)):
        kept: list[Point] = []
        for before, point in zip(points[-1:] + points[:-1], points, strict=True):
            there, here = sign * (before[axis] - bound), sign * (point[axis] - bound)
            if (there >= 0) != (here >= 0):
                share = there / (there - here)
                kept.append((
                    before[0] + share * (point[0] - before[0]), before[1] + share * (point[1] - before[1]),
                ))  # fmt: skip
            if here >= 0:
                kept.append(point)
        points = kept
    return points


def _area(polygon: Sequence[Point]) -> float:
    """Area by the shoelace formula."""
    pairs = zip(polygon, [*polygon[1:], *polygon[:1]], strict=True)
    return abs(sum(ax * by - bx * ay for (ax, ay), (bx, by) in pairs)) / 2
