"""Azure Image Analysis 4.0, feature "read": one synchronous call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from digitrec.emulator.picture import Box, Picture, Word, bounding_box, lines
from digitrec.emulator.vendors.azure_resource import (
    FAILURES,
    AzureVendor,
    bad_image,
    binary_picture,
    corners,
    error,
)
from digitrec.emulator.vendors.base import Refused, Request, Response

ADDRESS = "/computervision/imageanalysis:analyze"
API_VERSIONS = ("2023-10-01", "2024-02-01")
MAX_BYTES = 20 * 1024 * 1024
"""A picture must be smaller than this."""
MIN_SIDE, MAX_SIDE = 50, 16_000
"""Width and height must lie between these, in px, and not on them."""
FORMATS = ("JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF")
"""The service takes ICO too, which digitrec does not read."""


class AzureAnalysis(AzureVendor):
    """Azure Image Analysis 4.0."""

    name = "azure-analysis"
    prefix = "/computervision/"

    def read(self, request: Request) -> Response:
        """The text of one picture."""
        self.check_key(request)
        if request.method != "POST" or request.path != ADDRESS:
            return FAILURES["404"]()
        _check_parameters(request.parameters)
        picture = binary_picture(request, formats=FORMATS, max_bytes=MAX_BYTES - 1)
        _check_size(picture)
        blocks = _blocks(self.reader.read(picture))
        metadata = {"width": picture.width, "height": picture.height}
        body = {"modelVersion": self.model_version, "metadata": metadata, "readResult": {"blocks": blocks}}
        return Response.of_json(200, body, billed=1)

    def without_field(self, request: Request) -> Response:
        """An answer without "readResult"."""
        return Response.of_json(
            200, {"modelVersion": self.model_version, "metadata": {"width": 100, "height": 100}}
        )


def _check_parameters(parameters: dict[str, str]) -> None:
    """Raise Refused unless the request is of a version that exists, and asks for text alone."""
    if parameters.get("api-version") not in API_VERSIONS:
        raise Refused(error(400, "BadRequest", f"The api-version is not one of {', '.join(API_VERSIONS)}."))
    if {name.strip().lower() for name in parameters.get("features", "").split(",")} != {"read"}:
        message = "This emulator reads text only: ask for the one feature 'read'."
        raise Refused(error(400, "InvalidRequest", message, ("NotSupportedVisualFeature", message)))


def _check_size(picture: Picture) -> None:
    if min(picture.width, picture.height) <= MIN_SIDE or max(picture.width, picture.height) >= MAX_SIDE:
        message = f"The image dimension must be greater than {MIN_SIDE} and less than {MAX_SIDE} pixels."
        raise Refused(bad_image("InvalidImageSize", message))


def _blocks(words: Sequence[Word]) -> list[dict[str, Any]]:
    """One block of lines of words; no block for no words."""
    found = [
        {
            "text": " ".join(word.text for word in row),
            "boundingPolygon": _polygon(bounding_box(row)),
            "words": [_word(word) for word in row],
        }
        for row in lines(words)
    ]
    return [{"lines": found}] if found else []


def _word(word: Word) -> dict[str, Any]:
    return {"text": word.text, "boundingPolygon": _polygon(word.box), "confidence": round(word.confidence, 3)}


def _polygon(box: Box) -> list[dict[str, float]]:
    return [{"x": x, "y": y} for x, y in corners(box)]
