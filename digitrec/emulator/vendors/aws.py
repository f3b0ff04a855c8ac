"""AWS Rekognition: DetectText."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from digitrec.emulator.picture import Picture, Word, bounding_box, lines
from digitrec.emulator.vendors.aws_json import AwsVendor, error, failures, geometry, image_bytes, response
from digitrec.emulator.vendors.aws_signature import AwsError
from digitrec.emulator.vendors.base import Request, Response

MAX_BYTES = 5_242_880
"""Rekognition's limit for a picture sent as bytes."""
MIN_SIDE = 80
"""Rekognition's smallest width and height, in px."""
MAX_WORDS = 100
"""DetectText finds no more words than this."""

_LIMIT = "An Amazon Rekognition service limit was exceeded. Please try again later."
FAILURES: dict[str, Callable[[], Response]] = {
    **failures("rekognition:DetectText"),
    "bad image": partial(error, "InvalidImageFormatException", "Request has invalid image format"),
    "413": partial(error, "ImageTooLargeException", "Image size is too large"),
    "quota": partial(error, "LimitExceededException", _LIMIT),
    "too large": partial(
        error,
        "ValidationException",
        "1 validation error detected: Value at 'image.bytes' failed to satisfy constraint: Member must have "
        f"length less than or equal to {MAX_BYTES}",
    ),
}
"""Rekognition's answer for each fault and limit, and for what can be wrong with an image."""


class Aws(AwsVendor):
    """AWS Rekognition."""

    name = "aws"
    service = "rekognition"
    operation = "RekognitionService.DetectText"
    failures = FAILURES
    formats = ("PNG", "JPEG")
    max_bytes = MAX_BYTES

    def without_field(self, request: Request) -> Response:
        """An answer without "TextDetections"."""
        return response(200, {})

    def _parsed(self, asked: Any) -> bytes | None:
        if asked.get("Filters") is not None:
            raise AwsError("InvalidParameterException", "This emulator applies no filters.")
        return image_bytes(asked["Image"])

    def _answered(self, content: bytes | None) -> Response:
        picture = self.picture(content)
        if min(picture.width, picture.height) < MIN_SIDE:
            return FAILURES["400"]()
        words = self.reader.read(picture)[:MAX_WORDS]
        body = {"TextDetections": _detections(words, picture), "TextModelVersion": self.model_version}
        return response(200, body, billed=1)


def _detections(words: Sequence[Word], picture: Picture) -> list[dict[str, Any]]:
    """First the lines, then their words, each with its line's number, as Rekognition lists them."""
    rows = lines(words)
    found = [_detection("LINE", number, row, picture) for number, row in enumerate(rows)]
    for parent, row in enumerate(rows):
        for word in row:
            found.append({**_detection("WORD", len(found), [word], picture), "ParentId": parent})
    return found


def _detection(kind: str, number: int, words: Sequence[Word], picture: Picture) -> dict[str, Any]:
    text = " ".join(word.text for word in words)
    return {
        "DetectedText": text,
        "Type": kind,
        "Id": number,
        "Confidence": 100 * min(word.confidence for word in words),
        "Geometry": geometry(bounding_box(words), picture),
    }
