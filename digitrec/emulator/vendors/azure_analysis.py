"""Azure Image Analysis 4.0, feature "read": one synchronous call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from digitrec.emulator.picture import Box, Word, bounding_box, lines
from digitrec.emulator.vendors.azure_resource import (
    FAILURES,
    AzureVendor,
    corners,
    error,
)
from digitrec.emulator.vendors.base import Refused, Request, Response

ADDRESS = "/computervision/imageanalysis:analyze"
API_VERSIONS = ("2023-10-01", "2024-02-01")


class AzureAnalysis(AzureVendor):
    """Azure Image Analysis 4.0."""

    name = "azure-analysis"
    prefix = "/computervision/"
    formats = ("JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF")  # the service takes ICO too
    max_bytes = 20 * 1024 * 1024 - 1
    sides = (51, 15_999)

    def read(self, request: Request) -> Response:
        """The text of one picture."""
        self.check_key(request)
        if request.method != "POST" or request.path != ADDRESS:
            return FAILURES["404"]()
        _check_parameters(request.parameters)
        picture = self.picture(request)
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
